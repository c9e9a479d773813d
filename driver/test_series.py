"""
The series of patches: all is in them, in an order that can be applied.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
from pathlib import Path
import re
import tempfile
import unittest
from unittest import mock

import series
import series_split as split
import series_table as table

# QEMU's own files, where ./qemu-caliptra keeps those that it has patched
TREE = Path(os.environ['CALIPTRA_TREE'])
PRISTINE = TREE.parent / 'pristine'


def pristine(name):
    return (PRISTINE / name).read_text(encoding='utf-8')


class Series(unittest.TestCase):
    """Those that there are"""

    @classmethod
    def setUpClass(cls):
        folder = series.version_patches(TREE)
        cls.points = series.Points(series.work_files(folder), pristine,
                                   folder)

    def test_every_file_has_its_patch(self):
        """And every patch has one"""
        for number, patch in enumerate(self.points.patches):
            self.assertTrue(self.points.changes(number),
                            f'"{patch.subject}" changes nothing')
        last = len(self.points.patches) - 1
        for name, text in self.points.final.items():
            self.assertEqual(self.points.text(name, last), text,
                             f'{name} is not complete after the last patch')

    def test_sizes(self):
        for one in table.ALL:
            self.assertLessEqual(len(one.patches), series.MAX_PATCHES,
                                 f'series {one.name}: too many patches')
        for number, patch in enumerate(self.points.patches):
            self.assertLessEqual(
                self.points.c_lines(number), series.MAX_C_LINES,
                f'"{patch.subject}" has too many lines of C: divide it in '
                'driver/series_table.py')

    def test_order(self):
        """Nothing names what comes with a later patch"""
        for number, patch in enumerate(self.points.patches):
            for trouble in self.points.troubles(number):
                self.fail(f'after "{patch.subject}": {trouble}, which comes '
                          'later: see driver/series_table.py')

    def test_lists(self):
        """What is there is built, from its patch on"""
        for number, patch in enumerate(self.points.patches):
            self.assertEqual(self.points.unlisted(number), [],
                             f'after "{patch.subject}"')

    def test_subjects(self):
        for patch in self.points.patches:
            self.assertLessEqual(len(patch.subject), 72, patch.subject)
            self.assertRegex(patch.subject, r'^[\w/.-]+: [A-Z\d]')
            self.assertTrue(patch.body, patch.subject)
            for line in patch.body.splitlines():
                self.assertLessEqual(len(line), 78, patch.subject)

    def test_tests(self):
        """The tests of a patch are its own; all tests are in one"""
        brought = [test for patch in self.points.patches
                   for test in patch.tests]
        self.assertEqual(len(brought), len(set(brought)))
        for number, patch in enumerate(self.points.patches):
            changed = {Path(n).name for n in self.points.changes(number)}
            for test in patch.tests:
                stem = re.sub(r'^(qtest|func)-\w+[/-]', '', test)
                self.assertTrue(
                    changed & {f'{stem}.c', f'{stem}.py', f'test_{stem}.py'},
                    f'"{patch.subject}" does not bring {test}')
        names = {re.sub(r'^.*[/-](?=\w+$)', '', t) for t in brought} | \
            {t.split('/')[-1] for t in brought}
        for name in self.points.files:
            m = re.fullmatch(r'tests/(?:unit|qtest)/(.*test.*)\.c|'
                             r'tests/caliptra/(test_\w+)\.py|'
                             r'tests/functional/\w+/test_(\w+)\.py', name)
            if m:
                self.assertIn(m[1] or m[2] or m[3], names,
                              f'{name}: no patch runs it')

    def test_tests_import(self):
        """What a test in Python imports comes before, or with it"""
        for name, home in self.points.home.items():
            if Path(name).parent != Path('tests/caliptra') or \
               not name.endswith('.py'):
                continue
            for module in re.findall(r'^(?:import|from) (\w+)',
                                     self.points.final[name], re.M):
                other = f'tests/caliptra/{module}.py'
                self.assertLessEqual(self.points.home.get(other, -1), home,
                                     f'{name} imports {module}')

    def test_tests_are_registered(self):
        """make check runs what is in tests/caliptra"""
        listed = self.points.final['tests/caliptra/meson.build']
        for name in self.points.files:
            m = re.fullmatch(r'tests/caliptra/(test_\w+)\.py', name)
            if m:
                self.assertIn(f"'{m[1]}'", listed)

    def test_patches_change_one_file(self):
        for patch in (series.ROOT / 'patches').rglob('*.patch'):
            text = patch.read_text(encoding='utf-8')
            self.assertEqual(text.count('\n+++ b/'), 1, patch.name)
            self.assertEqual(series.patch_target(patch).replace('/', '_') +
                             '.patch', patch.name)


class Mistakes(unittest.TestCase):
    """What is wrong is told: a small overlay of its own"""

    FILES = {
        'hw/misc/a.h': '#define A 1\nint a(void);\n',
        'hw/misc/a.c': '#include "a.h"\n\nint a(void)\n{\n    return A;\n}\n',
        'hw/misc/b.c': '#include "a.h"\n\nint b(void)\n{\n'
                       '    return a();\n}\n',
        'hw/misc/meson.build': "system_ss.add(files(\n  'a.c',\n"
                               "  'b.c'))\n",
    }

    def points(self, *patches, **more):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        files = {}
        for name, text in {**self.FILES, **more}.items():
            path = Path(tmp.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding='utf-8')
            files[name] = False, path
        one = table.Series('one', 'One', 'one', *(
            table.Patch(f'{n}: Patch', 'why', p)
            for n, p in enumerate(patches)))
        for name, value in (('ALL', (one,)), ('PARTS', {}), ('GROW', ()),
                            ('INTERIM', {})):
            patcher = mock.patch.object(table, name, value)
            patcher.start()
            self.addCleanup(patcher.stop)
        return series.Points(files, lambda name: '')

    def troubles(self, points):
        return [x for n in range(len(points.patches))
                for x in points.troubles(n)]

    def test_good(self):
        points = self.points(['hw/misc/a.*', 'hw/misc/meson.build'],
                             ['hw/misc/b.c'])
        self.assertEqual(self.troubles(points), [])
        self.assertEqual(points.text('hw/misc/meson.build', 0),
                         "system_ss.add(files(\n  'a.c'))\n")
        self.assertEqual(points.c_lines(1), 6)

    def test_no_patch(self):
        with self.assertRaisesRegex(split.Trouble,
                                    'hw/misc/b.c is in no patch'):
            self.points(['hw/misc/a.*', 'hw/misc/meson.build'])

    def test_no_file(self):
        with self.assertRaisesRegex(split.Trouble, 'no file fits hw/misc/c'):
            self.points(['hw/*'], ['hw/misc/c.c'])

    def test_header_later(self):
        points = self.points(['hw/misc/b.c', 'hw/misc/meson.build'],
                             ['hw/misc/a.*'])
        self.assertIn('hw/misc/b.c includes a.h', self.troubles(points))
        self.assertIn('hw/misc/b.c uses a of hw/misc/a.c',
                      self.troubles(points))

    def test_schema_later(self):
        """A header that is made of it"""
        points = self.points(
            ['hw/misc/*'], ['qapi/*'], **{
                'hw/misc/a.h': '#include "qapi/qapi-types-a.h"\nint a(void);\n',
                'qapi/a.json': "{ 'enum': 'A', 'data': [ 'a' ] }\n"})
        self.assertIn('hw/misc/a.h includes qapi/qapi-types-a.h',
                      self.troubles(points))

    def test_list_before_its_file(self):
        points = self.points(['hw/misc/a.*', 'hw/misc/meson.build'],
                             ['hw/misc/b.c'])
        with mock.patch.object(points, 'kind', lambda name: (
                points._meson if name.endswith('.build') else None)), \
             mock.patch.object(points, '_meson', lambda name, number:
                               points.final[name]):
            self.assertIn('hw/misc/meson.build names hw/misc/b.c',
                          self.troubles(points))


class Growth(unittest.TestCase):
    """Files that come in pieces"""

    def grow(self, text, *later):
        return split.Grow(text, lambda word: word in later).result(text)

    def test_statements(self):
        text = """\
#include "b.h"

/* what b does */
static int helper(void)
{
    return b();
}

static const int *const table[] = {
    &a_regs,
    /* of b */
    &b_regs,
};

static const struct {
    const char *name;
    int kind;
} kinds[] = {
    { "a", 1 },
    { "b", b_kind },
};

void reset(int kind)
{
    int n = 0;

    for (int i = 0; i < 2; i++) {
        int k = kinds[i].kind;

        use(kinds[i].name, table);
        b_reset(k);
    }
    a_reset(kind);
    if (kind) {
        b_reset(kind);
    }
    n = helper();
    use(n);
}
"""
        self.assertEqual(self.grow(text, 'b', 'b_regs', 'b_reset', 'b_kind',
                                   '"b.h"'), """\
static const int *const table[] = {
    &a_regs,
};

static const struct {
    const char *name;
    int kind;
} kinds[] = {
    { "a", 1 },
};

void reset(int kind)
{
    int n = 0;

    for (int i = 0; i < 2; i++) {
        use(kinds[i].name, table);
    }
    a_reset(kind);
    use(n);
}
""")
        self.assertEqual(self.grow(text), text)

    def test_symbols(self):
        self.assertEqual(split.c_symbols('a.c', """\
static int own[2];
extern int other[2];
int table[2];
const Ops ops = {
    .n = 1,
};
int get(int n)
{
    return table[n];
}
"""), {'table', 'ops', 'get'})

    def meson(self, text, *later):
        return split.Meson('hw/misc/meson.build', text,
                           lambda word: word in later,
                           lambda a, b: False, lambda a, b: True).result()

    def test_meson(self):
        text = """\
ss.add(when: 'CONFIG_A', if_true: [lib, files(
  'a.c',
  'b.c')])
if has('CONFIG_B')
  tests += {
    'b': [lib],
  }
endif
"""
        self.assertEqual(self.meson(text, 'hw/misc/b.c'), """\
ss.add(when: 'CONFIG_A', if_true: [lib, files(
  'a.c')])
""")
        self.assertEqual(self.meson(text), text)

    def test_lines(self):
        self.assertEqual(split.grow_lines(
            'config A\n    bool\n    select B\n\nconfig B\n    bool\n\n',
            set(range(7)), lambda line: 'select B' in line,
            lambda lines: lines[0] == 'config B\n'),
            'config A\n    bool\n\n')


if __name__ == '__main__':
    unittest.main()
