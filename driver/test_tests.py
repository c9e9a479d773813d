"""
The test runner: which suites there are, what they need, shards.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import json
import unittest

import tests


class Names(unittest.TestCase):

    def test_as_meson_has_them(self):
        """Names from files are meson's, and none of ours is left out"""
        intro = tests.OBJ / 'meson-info/intro-tests.json'
        if not intro.exists():
            self.skipTest('QEMU is not configured')
        meson = {test['name'] for test in
                 json.loads(intro.read_text(encoding='utf-8'))}
        ours = {name for name in tests.suite_names()
                if not name.endswith('.py')}
        if not any('riscv32' in name for name in meson):
            # configured for who needs none
            ours = {name for name in ours if tests.needs(name) != 'riscv32'}
        ours = {name for name in ours if not tests.lacks(name, meson)}
        self.assertEqual(ours - meson, set())
        self.assertEqual({name for name in meson if 'caliptra' in name} -
                         ours, set())

    def test_needs(self):
        for name, need in (
                ('qtest-aarch64/aspeed_caliptra-test', 'qemu'),
                ('func-aarch64-aspeed_caliptra', 'qemu'),
                ('test-caliptra-x509', 'meson'),
                ('driver/test_tests.py', 'nothing'),
                ('func-caliptra/test_bundle', 'nothing'),
                ('func-caliptra/test_dpe_model', 'nothing'),
                ('func-caliptra/test_boot', 'qemu'),
                ('func-caliptra/test_mailbox', 'qemu'),
                ('qtest-riscv32/qom-test', 'riscv32'),
                ('func-caliptra/test_veer', 'riscv32')):
            self.assertIn(name, tests.suite_names())
            self.assertEqual(tests.needs(name), need, name)

    def test_selection(self):
        self.assertEqual(tests.Selection([]).names, tests.suite_names())
        self.assertEqual(tests.Selection(['test_sha', 'x509']).names,
                         ['test-caliptra-x509',
                          'func-caliptra/test_sha'])
        for args in (['nothing-like-it'], ['sha', 'nothing-like-it'],
                     ['--shard'], ['--shard', '0/2'], ['--shard', '3/2'],
                     ['--shard', 'a/b'], ['--all']):
            with self.subTest(args=args), self.assertRaises(SystemExit) as e:
                tests.Selection(args)
            self.assertRegex(str(e.exception), r'^qemu-caliptra: test: .')


class Shards(unittest.TestCase):

    def test_each_in_one(self):
        names = tests.suite_names()
        for count in (1, 2, 3, 7, 2 * len(names)):
            shards = [tests.Selection(['--shard', f'{k}/{count}']).names
                      for k in range(1, count + 1)]
            self.assertEqual(sorted(sum(shards, [])), sorted(names))

    def test_like_length(self):
        known = tests.durations()
        self.assertEqual(set(known) - set(tests.suite_names()), set(),
                         'durations of suites that are no more')
        longest = max(known.values())
        for count in (2, 3, 4):
            lengths = [sum(known.get(name, tests.USUAL_DURATION)
                           for name in tests.shard(tests.suite_names(), k,
                                                   count))
                       for k in range(1, count + 1)]
            self.assertLessEqual(max(lengths), max(min(lengths) * 1.3,
                                                   longest))


if __name__ == '__main__':
    unittest.main()
