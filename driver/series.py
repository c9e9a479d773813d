#!/usr/bin/env python3
"""
The series part of ./qemu-caliptra: the work as patches against pristine QEMU.

    series.py PRISTINE-TREE OUTPUT-DIR
    series.py --check [--from N] [--to M] PRISTINE-TREE OUTPUT-DIR

series_table.py says which file goes into which patch, series_split.py what a
file looks like that grows with the patches.  The result depends on the files
and on the last commit's author and date only.

With --check each point is built and its tests run, in a build folder of its
own.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import argparse
import bisect
import fnmatch
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
import tempfile
import time

import series_split as split
from series_split import Trouble
import series_table as table

ROOT = Path(os.environ['CALIPTRA_ROOT'])
OVERLAY = ('configs', 'docs', 'hw', 'include', 'qapi', 'scripts', 'target',
           'tests')

MAX_PATCHES = 15
MAX_C_LINES = 1500


def is_c(name):
    return name.endswith(('.c', '.h', '.c.inc', '.h.inc'))


def patch_target(patch):
    return re.search(r'^\+\+\+ b/(\S+)', patch.read_text(encoding='utf-8'),
                     re.M)[1]


def version_patches(tree):
    """The folder in patches/ that goes with a tree of QEMU"""
    version = (tree / 'VERSION').read_text(encoding='utf-8').split('.')
    return ROOT / 'patches' / (
        'newer' if int(version[2]) >= 50 else '.'.join(version[:2]))


def names(text, folder):
    """A text as this QEMU names things"""
    script = folder / 'names.sed'
    if not script.exists():
        return text
    return subprocess.run(['sed', '-f', script], input=text, check=True,
                          capture_output=True, encoding='utf-8').stdout


def work_files(folder):
    """path in QEMU -> (True for a patch, where it is here)"""
    files = {}
    for top in OVERLAY:
        for path in (ROOT / top).rglob('*'):
            if path.is_file() and '__pycache__' not in path.parts:
                files[str(path.relative_to(ROOT))] = (False, path)
    for patch in [*(ROOT / 'patches').glob('*.patch'),
                  *folder.glob('*.patch')]:
        files[patch_target(patch)] = (True, patch)
    return files


def patches():
    """All patches of all series, in their order"""
    return [patch for series in table.ALL for patch in series.patches]


def assign(files):
    """
    (file -> number of the patch that has it, or begins with it;
     'file:part' -> number of the patch)
    """
    home, parts = {}, {}
    for number, patch in enumerate(patches()):
        for pattern in patch.files:
            if ':' in pattern:
                name, part = pattern.split(':')
                if part not in [p for p, _ in table.PARTS.get(name, ())]:
                    raise Trouble(f'"{patch.subject}": there is no part '
                                  f'{pattern}, see PARTS')
                if pattern in parts:
                    raise Trouble(f'{pattern} is in two patches')
                parts[pattern] = number
                home.setdefault(name, number)
                continue
            found = fnmatch.filter(files, pattern)
            if not found:
                raise Trouble(f'"{patch.subject}": no file fits {pattern}')
            for name in found:
                home.setdefault(name, number)
    lost = sorted(set(files) - set(home))
    if lost:
        raise Trouble(f'{lost[0]} is in no patch: add it to '
                      'driver/series_table.py')
    for name, rules in table.PARTS.items():
        for part, _ in rules:
            if f'{name}:{part}' not in parts:
                raise Trouble(f'{name}:{part} is in no patch')
    return home, parts


def patched(patch, base, folder):
    """The text of QEMU's file with a patch in patches/"""
    changes = names(patch.read_text(encoding='utf-8'), folder)
    with tempfile.TemporaryDirectory() as tmp:
        file = Path(tmp) / 'file'
        file.write_text(base, encoding='utf-8')
        run = subprocess.run(
            ['patch', '-s', '-F0', '--no-backup-if-mismatch', '-r-', file],
            input=changes, check=False, capture_output=True,
            encoding='utf-8')
        if run.returncode:
            raise Trouble(f'{patch.name} does not apply: '
                          f'{run.stdout.strip()}')
        return file.read_text(encoding='utf-8')


class Points:
    """
    All files at all points.

    base: path -> text of QEMU's own file, for the patched ones
    folder: in patches/, of this QEMU
    """

    def __init__(self, files, base, folder=Path()):
        self.files = files
        self.home, self.parts = assign(files)
        self.patches = patches()
        self.base = {}
        self.final = {}
        for name, (is_patch, path) in files.items():
            if is_patch:
                self.base[name] = base(name)
                self.final[name] = patched(path, self.base[name], folder)
            elif not name.endswith('.bin'):
                self.final[name] = path.read_text(encoding='utf-8')
                if is_c(name):
                    self.final[name] = names(self.final[name], folder)
        self.owner = self._owners()
        self.cache = {}
        self.words = {}
        self.starts = {}

    # --- what comes with which patch ---

    def _owners(self):
        owner = {}

        def own(name, number):
            owner[name] = min(owner.get(name, number), number)

        self.defined = {}           # functions and variables, by file
        for name, number in self.home.items():
            own(name, number)
            for parent in Path(name).parents:
                own(f'{parent}/', number)
            if name in self.base or not is_c(name):
                continue
            if name.endswith('.h'):
                own(f'"{name.removeprefix("include/")}"', number)
                own(f'"{Path(name).name}"', number)
            if name.startswith(('hw/', 'include/', 'target/')):
                symbols = split.c_symbols(name, self.final[name])
                for symbol in symbols:
                    own(symbol, number)
                if name.endswith('.c'):
                    for symbol in symbols:
                        self.defined[symbol] = name
        # a function declared in a header is there when it is defined
        for symbol, name in self.defined.items():
            owner[symbol] = self.home[name]
        for name in self.final:
            if name.endswith('meson.build'):
                for config, listed in re.findall(
                        r"when: '(CONFIG_\w+)', if_true:([^:]*?)\)\)?\n",
                        self.final[name]):
                    for file in re.findall(r"'([\w/.-]+\.c)'", listed):
                        path = str(Path(name).parent / file)
                        if path in self.home and path not in self.base:
                            own(config, self.home[path])
                            own(config.removeprefix('CONFIG_'),
                                self.home[path])
        return owner

    def part(self, name, text, nested=False):
        """The patch of text by the rules of PARTS; -1: nothing said"""
        for part, rule in table.PARTS.get(name, ()):
            if rule and re.search(rule, text):
                return self.parts[f'{name}:{part}']
            if not rule and not nested:
                return self.parts[f'{name}:{part}']
        return -1

    def where(self, what):
        """The patch of a file, or of a 'file:part'"""
        return self.parts[what] if ':' in what else self.home[what]

    # --- texts ---

    def text(self, name, number):
        """A file after the patch; None: not there; bytes: as it is"""
        if number < self.home[name]:
            return self.base.get(name)
        if name not in self.final:
            return self.files[name][1].read_bytes()
        kind = self.kind(name)
        if not kind:
            return self.final[name]
        if name not in self.words:
            # the patches at which it can change
            words = split.ID.findall(self.final[name]) + \
                re.findall(r'"[^"\n]*"', self.final[name])
            at = {self.owner.get(w, -1) for w in words} | \
                {n for part, n in self.parts.items()
                 if part.startswith(f'{name}:')} | \
                {self.where(comes)
                 for _, _, comes in table.INTERIM.get(name, ())}
            if name == 'MAINTAINERS':
                at |= set(self.home.values())
            elif kind != self._c:
                at |= {home for file, home in self.home.items()
                       if Path(file).stem.removeprefix('test_')
                       in self.final[name]}
            self.words[name] = sorted(at)
        at = self.words[name]
        key = name, at[bisect.bisect(at, number) - 1] \
            if at[0] <= number else number
        if key not in self.cache:
            self.cache[key] = kind(name, key[1])
        return self.cache[key]

    def kind(self, name):
        for pattern, kind in (
                ('*meson.build', self._meson), ('*Kconfig*', self._lines),
                ('*trace-events', self._lines), ('MAINTAINERS', self._lines),
                ('docs/*/index.rst', self._lines)):
            if fnmatch.fnmatch(name, pattern):
                return kind
        if name in table.PARTS or \
           any(fnmatch.fnmatch(name, p) for p in table.GROW):
            return self._c
        return None

    def _start(self, name, number):
        """(final text, or QEMU's where that is not replaced yet; new lines)"""
        final = self.final[name]
        if name in self.base and name not in self.starts:
            self.starts[name] = split.added_lines(self.base[name], final)
        for text, before, comes in table.INTERIM.get(name, ()):
            if text not in final:
                raise Trouble(f'{name} does not have the line of INTERIM '
                              f'in series_table.py any more: {text}')
            if number < self.where(comes):
                final = final.replace(text, before)
        if name not in self.base:
            return final, set(range(final.count('\n') + 1))
        new, swaps = self.starts[name]
        lines = final.splitlines(True)
        at = {first: (old, end) for old, first, end in swaps}
        out, added, i = [], set(), 0
        while i <= len(lines):
            if i in at:
                old, end = at[i]
                code = ''.join(lines[i:end])
                swap = ''.join(lines[i:end] + old)
                late = self.part(name, swap) > number or any(
                    self.owner.get(w, -1) > number
                    for w in split.ID.findall(split.mask_c(code)))
                out += old if late else lines[i:end]
                if end > i:
                    i = end
                    continue
            if i < len(lines):
                if i in new:
                    added.add(len(out))
                out.append(lines[i])
            i += 1
        return ''.join(out), added

    def _fixed(self, text, added):
        ends = [m.start() for m in re.finditer('\n', text)]

        def fixed(a, b):
            while a < b and text[a] == '\n':
                a += 1
            first = bisect.bisect_left(ends, a)
            last = bisect.bisect_left(ends, max(a, b - 1))
            return any(i not in added for i in range(first, last + 1))

        def new(a, b):
            first = bisect.bisect_left(ends, a)
            return any(i in added for i in range(
                first, bisect.bisect_left(ends, max(a, b - 1)) + 1))
        return fixed, new

    def _late(self, number):
        return lambda word: self.owner.get(word, -1) > number

    def _c(self, name, number):
        text, added = self._start(name, number)
        fixed = self._fixed(text, added)[0] if name in self.base else None
        return split.Grow(
            text, self._late(number), fixed,
            lambda code, nested: self.part(name, code, nested) > number
        ).result(self.final[name], self.base.get(name, ''))

    def _meson(self, name, number):
        text, added = self._start(name, number)
        return split.Meson(name, text, self._late(number),
                           *self._fixed(text, added)).result()

    def _lines(self, name, number):
        text, added = self._start(name, number)
        there = [n for n, home in self.home.items() if home <= number]
        where = Path(name).parent

        def late_file(line):
            m = re.match(r'F: (\S+)', line)
            if not m:
                return False
            pattern = m[1] + '*' if m[1].endswith('/') else m[1]
            return not fnmatch.filter(there, pattern)

        def late_line(line):
            if name == 'MAINTAINERS':
                return late_file(line)
            if name.endswith('index.rst'):
                return f'{where / line.strip()}.rst' not in there
            m = re.match(r'\s+select (\w+)', line)
            return (m and self.owner.get(m[1], -1) > number) or \
                self.part(name, line) > number

        def late_paragraph(lines):
            if name == 'MAINTAINERS':
                listed = [x for x in lines if x.startswith('F:')]
                return all(late_file(x) for x in listed)
            for line in lines:
                m = re.match(r'# ([\w.-]+\.c)$', line)
                if m:
                    return self.home.get(str(where / m[1]), -1) > number
                m = re.match(r'config (\w+)', line)
                if m:
                    return self.owner.get(m[1], -1) > number or \
                        self.part(name, line) > number
            return False

        return split.grow_lines(text, added, late_line, late_paragraph)

    def changes(self, number):
        """name -> (text before, text after) of what a patch changes"""
        out = {}
        for name in self.files:
            before, after = self.text(name, number - 1), \
                self.text(name, number)
            if before != after:
                out[name] = before, after
        return out

    def c_lines(self, number):
        """New lines of C in a patch"""
        total = 0
        for name, (before, after) in self.changes(number).items():
            if not is_c(name):
                continue
            if before is None:
                total += after.count('\n')
            else:
                new, swaps = split.added_lines(before, after)
                total += len(new) + sum(end - first
                                        for _, first, end in swaps)
        return total

    def maintained(self, name, number):
        """Does somebody's section of MAINTAINERS have this file?"""
        text = self.text('MAINTAINERS', number)
        return any(re.fullmatch(
            re.escape(p).replace(r'\*', '[^/]*') +
            ('.*' if p.endswith('/') else ''), name)
            for p in re.findall(r'^F: (\S+)', text, re.M)
            if p not in ('*', '*/'))

    # --- what must hold at every point ---

    def troubles(self, number):
        """What names something that is not there yet"""
        texts = {name: self.text(name, number) for name in self.files
                 if self.home[name] <= number and name in self.final}
        there = set(texts) | {n for n in self.files
                              if self.home[n] <= number}
        found = []
        defined = set()
        for name, text in texts.items():
            if name.endswith('.c') and name not in self.base:
                defined |= self._symbols(name, text)
        later = {n: h for n, h in self.home.items()
                 if h > number and n not in self.base}
        paths = {n.removeprefix('include/') for n in later} | \
            {Path(n).name for n in later if n.endswith(('.h', '.inc'))} | \
            {f'qapi/qapi-{kind}-{Path(n).stem}.h' for n in later
             if n.startswith('qapi/')
             for kind in ('commands', 'events', 'types', 'visit')}
        for name, text in texts.items():
            if is_c(name):
                for header in re.findall(r'^#include "([^"]+)"', text, re.M):
                    if header in paths and not any(
                            t.removeprefix('include/') == header or
                            Path(t).name == header for t in there):
                        found.append(f'{name} includes {header}')
                if name.startswith(('hw/', 'include/', 'target/')) and \
                   name.endswith('.c'):
                    own = self._words(text)
                    found += [f'{name} uses {word} of {self.defined[word]}'
                              for word in own
                              if word in self.defined and word not in defined
                              and self.defined[word] != name]
            elif self.kind(name):
                found += [f'{name} names {what}'
                          for what in self._named(name, text, later)]
        return found

    def unlisted(self, number):
        """Files that are there, and not yet in the list that has them"""
        found = []
        for name in self.files:
            if not name.endswith('meson.build'):
                continue
            final = set(self._listed(name, self.final[name]))
            text = self.text(name, number)
            now = set(self._listed(name, text)) if text else set()
            found += [f'{file} is not in {name}' for file in final - now
                      if self.home[file] <= number]
        for name in self.files:
            events = str(Path(name).parent / 'trace-events')
            if name.endswith('.c') and events in self.files and \
               self.home[name] <= number:
                now = self.text(events, number)
                found += [f'{name} has no event {event}' for event in
                          re.findall(r'\btrace_(\w+)\(',
                                     self.text(name, number))
                          if f'{event}(' not in now]
        return found

    def _listed(self, name, text):
        """Our files that a meson.build names"""
        where = Path(name).parent
        key = 'listed', name, hash(text)
        if key not in self.cache:
            base = set(self.base.get(name, '').splitlines())
            self.cache[key] = {
                str(path) for line in text.splitlines() if line not in base
                for word in re.findall(r"'([\w/.-]+\.c)'", line)
                for path in [where / word]
                if str(path) in self.home and str(path) not in self.base}
        return self.cache[key]

    def _symbols(self, name, text):
        key = 'symbols', name, hash(text)
        if key not in self.cache:
            self.cache[key] = split.c_symbols(name, text)
        return self.cache[key]

    def _words(self, text):
        key = 'words', hash(text)
        if key not in self.cache:
            self.cache[key] = set(split.ID.findall(split.mask_c(text)))
        return self.cache[key]

    def _named(self, name, text, later):
        """Files to come that a list names"""
        where = Path(name).parent
        base = set(self.base.get(name, '').splitlines())
        for line in text.splitlines():
            if line in base:
                continue
            for word in re.findall(r'(?<!F: )(?<![\w/.-])[\w/.-]+', line):
                for path in (word, str(where / word), f'{where / word}.c',
                             f'{where / word}.py', f'{where / word}.rst'):
                    if path in later:
                        yield path
            m = re.match(r'F: (\S+)', line)
            if m and not any(fnmatch.fnmatch(n, m[1]) or
                             n.startswith(m[1])
                             for n, h in self.home.items()
                             if n not in later):
                yield m[1]


class Git:
    def __init__(self, tree):
        who, mail, when = subprocess.run(
            ['git', '-C', ROOT, 'log', '-1', '--format=%an%n%ae%n%aD'],
            check=True, capture_output=True, encoding='utf-8'
        ).stdout.splitlines()
        self.signed_off = f'Signed-off-by: {who} <{mail}>'
        self.tree = tree
        self.env = {
            **os.environ, 'GIT_CONFIG_GLOBAL': '/dev/null',
            'GIT_CONFIG_SYSTEM': '/dev/null', 'GIT_DIR': str(tree / '.git'),
            'GIT_WORK_TREE': str(tree),
            'GIT_AUTHOR_NAME': who, 'GIT_AUTHOR_EMAIL': mail,
            'GIT_AUTHOR_DATE': when, 'GIT_COMMITTER_NAME': who,
            'GIT_COMMITTER_EMAIL': mail, 'GIT_COMMITTER_DATE': when,
        }

    def __call__(self, *args, stdin=None):
        run = subprocess.run(['git', *args], cwd=self.tree, env=self.env,
                             check=False, input=stdin, encoding='utf-8',
                             capture_output=True)
        if run.returncode:
            raise Trouble(f'git {args[0]}: {run.stderr.strip()}')
        return run.stdout

    def commit(self, subject, body):
        self('commit', '-q', '-F', '-', stdin=f'{subject}\n\n{body}'
             f'\n\n{self.signed_off}\n')


def lay(points, git, number):
    """Make the tree what it is after a patch, and commit"""
    changed = points.changes(number)
    for name, (_, after) in changed.items():
        path = git.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        is_patch, source = points.files[name]
        if isinstance(after, bytes):
            path.write_bytes(after)
        else:
            path.write_text(after, encoding='utf-8')
        if not is_patch:
            shutil.copymode(source, path)
    git('add', '-f', '--', *changed)
    patch = points.patches[number]
    git.commit(patch.subject, patch.body)


def checkpatch(tree, patch):
    """What checkpatch.pl says: (report, its messages)"""
    run = subprocess.run(
        ['perl', 'scripts/checkpatch.pl', '--no-color', '--strict', patch],
        cwd=tree, check=False, encoding='utf-8', capture_output=True)
    if 'total: ' not in run.stdout:
        raise Trouble(f'checkpatch.pl on {patch.name}: {run.stderr.strip()}')
    return run.stdout, re.findall(
        r'^(?:ERROR|WARNING|CHECK): .*(?:\n(?!ERROR|WARNING|CHECK|total).*)*',
        run.stdout, re.M)


def accepted(message, maintained):
    """Is this message of checkpatch.pl known, and is it all right?"""
    if 'MAINTAINERS need updating' in message:
        return all(maintained(name)
                   for name in re.findall(r'^  (\S+)$', message, re.M))
    return any(re.search(what, message, re.S) for what, _ in table.ACCEPTED)


def make_commits(points, tree):
    git = Git(tree)
    if (tree / '.git').exists():
        # of an earlier --check
        git('checkout', '-q', '-f', '-B', 'series', 'point-0')
    else:
        git('init', '-q', '-b', 'series')
        # nothing in the background that the removal of the tree would meet
        git('config', 'gc.auto', '0')
        git('config', 'maintenance.auto', 'false')
        git('add', '-f', '.')
        git('commit', '-q', '-m', 'QEMU')
        git('tag', 'point-0')
    for number in range(len(points.patches)):
        lay(points, git, number)
        git('tag', '-f', f'point-{number + 1}')
    for name, text in points.final.items():
        if (tree / name).read_text(encoding='utf-8') != text:
            raise Trouble(f'{name} is not complete at the end of the series')
    return git


def write(points, git, out):
    """The patches of all series with their cover letters; errors"""
    shutil.rmtree(out, ignore_errors=True)
    (out / 'checkpatch').mkdir(parents=True)
    number = total = known = 0
    for n, series in enumerate(table.ALL, 1):
        where = out / f'{n}-{series.name}'
        first, number = number, number + len(series.patches)
        git('format-patch', '-q', '--no-signature', '--cover-letter',
            '--binary', '--no-renames', '-o', str(where),
            f'point-{first}..point-{number}')
        cover = where / '0000-cover-letter.patch'
        cover.write_text(cover.read_text(encoding='utf-8')
                         .replace('*** SUBJECT HERE ***', series.subject)
                         .replace('*** BLURB HERE ***', series.cover),
                         encoding='utf-8')
        print(f'{where.name}: {series.subject}')
        for i, patch in enumerate(sorted(where.glob('0*.patch'))[1:]):
            report, messages = checkpatch(git.tree, patch)
            bad = [m for m in messages if not accepted(
                m, lambda name, n=first + i: points.maintained(name, n))]
            total, known = total + len(bad), \
                known + len(messages) - len(bad)
            (out / 'checkpatch' / f'{series.name}-{patch.stem}.log'
             ).write_text(report, encoding='utf-8')
            print(f'  {first + i + 1:2} {patch.name:64}'
                  f'{points.c_lines(first + i):5} lines of C'
                  f'{f", checkpatch.pl: {len(bad)}" if bad else ""}')
            for message in bad:
                print('     ' + message.strip().replace('\n', '\n     '))
    print(f'{number} patches in {len(table.ALL)} series in '
          f'{os.path.relpath(out)}, checkpatch.pl --strict: {total} messages '
          f'({known} more that are known, see ACCEPTED)')
    return total


# --- every point is built and tested ---

class Check:
    """A build folder that goes from point to point"""

    def __init__(self, points, git, out):
        self.points = points
        self.git = git
        self.tree = git.tree
        # the folder stays: what has not changed is not built again
        self.obj = git.tree.parent / 'obj'
        self.out = out / 'check'
        self.out.mkdir(parents=True, exist_ok=True)
        self.configure = os.environ['CALIPTRA_CONFIGURE'].split()
        self.cases = 0              # of tests that have run
        self.symbols = self.out / 'symbols.h'
        self.symbols.write_text(''.join(
            f'#define CONFIG_{config}\n' for config in sorted({
                config for name, text in points.final.items()
                if 'Kconfig' in name
                for config in self.ours(name, text)})), encoding='utf-8')

    def run(self, log, *command):
        with open(log, 'a', encoding='utf-8') as f:
            return subprocess.run(command, check=False, cwd=self.obj,
                                  stdout=f, stderr=subprocess.STDOUT
                                  ).returncode == 0

    def ours(self, name, text):
        """Symbols that QEMU's own Kconfig does not have"""
        base = self.points.base.get(name)
        return {config for config in re.findall(r'^config (\w+)', text, re.M)
                if base is not None and f'config {config}\n' not in base and
                # of the host, not of a target
                config != 'GCRYPT'}

    def poison(self):
        """
        Common code must not name symbols of targets, and each object includes
        their list.  It is the last point's at all points, or all objects
        were built anew with each new symbol.
        """
        script = self.tree / 'scripts/make-config-poison.sh'
        text = script.read_text(encoding='utf-8')
        script.write_text(text.replace('"$@" |', f'"$@" {self.symbols} |'),
                          encoding='utf-8')

    def devices(self):
        """All that the tree has of ours is built, whoever selects it"""
        known, ours = set(), set()
        for path in self.tree.rglob('Kconfig*'):
            name = str(path.relative_to(self.tree))
            text = path.read_text(encoding='utf-8')
            known |= set(re.findall(r'^config (\w+)', text, re.M))
            ours |= self.ours(name, text)
        for mak, others in (('aarch64-softmmu', 'VEER'),
                            ('riscv32-softmmu', 'ASPEED')):
            folder = 'configs/devices/' + mak
            text = (ROOT / folder / 'caliptra.mak').read_text(
                encoding='utf-8')
            configs = set(re.findall(r'^CONFIG_(\w+)=y', text, re.M)) & known
            configs |= {c for c in ours if others not in c}
            text = ''.join(f'CONFIG_{c}=y\n' for c in sorted(configs))
            file = self.tree / folder / 'series.mak'
            if not file.exists() or file.read_text(encoding='utf-8') != text:
                file.write_text(text, encoding='utf-8')

    def point(self, number):
        """What is wrong after the patch; None: nothing"""
        patch = self.points.patches[number]
        log = self.out / f'{number + 1:02}.log'
        log.write_text('', encoding='utf-8')
        self.git('checkout', '-q', '-f', f'point-{number + 1}')
        self.poison()
        self.devices()
        self.obj.mkdir(exist_ok=True)
        if not (self.obj / 'build.ninja').exists() and not self.run(
                log, str(self.tree / 'configure'), *self.configure):
            return 'does not configure'
        if not self.run(log, 'ninja', *self.targets(patch)):
            return 'does not build'
        return self.tests(log, patch) if patch.tests else None

    def tests(self, log, patch):
        """All at once, as many in parallel as there are processors"""
        names = [test if '-' in test else f'func-caliptra/{test}'
                 for test in patch.tests]
        start = log.stat().st_size
        self.run(log, 'pyvenv/bin/meson', 'test', '--no-rebuild', '-t', '5',
                 '--setup', 'thorough', *names)
        with open(log, encoding='utf-8') as f:
            f.seek(start)
            results = re.findall(
                r'^ *\d+/\d+ (?:.* )?(\S+) +([A-Z]+) +[\d.]+s'
                r'(?: +(\d+) subtests passed)?', f.read(), re.M)
        passed = {name.split(':')[-1] for name, result, _ in results
                  if result == 'OK'}
        self.cases += sum(int(cases or 1) for _, _, cases in results)
        return ', '.join(f'{name} does not pass' for name in names
                         if name not in passed) or None

    def targets(self, patch):
        targets = ['qemu-system-aarch64', 'qemu-system-riscv32']
        for test in patch.tests:
            if test.startswith('qtest-'):
                targets.append(f'tests/qtest/{test.split("/")[1]}')
            elif test.startswith('test-'):
                targets.append(f'tests/unit/{test}')
        return targets


def check(points, git, out, first, last):
    checker = Check(points, git, out)
    bad = 0
    for number in range(first - 1, last):
        start = time.monotonic()
        trouble = checker.point(number)
        bad += bool(trouble)
        tests = len(points.patches[number].tests)
        print(f'{number + 1:3} {points.patches[number].subject:72} '
              f'{trouble or f"builds, {tests} tests pass"} '
              f'({time.monotonic() - start:.0f} s)', flush=True)
    print(f'{last - first + 1} points, {bad} with trouble; '
          f'{checker.cases} cases of tests')
    return bad


def own_text(tree, name):
    """QEMU's own text of a file that patches change"""
    if (tree / '.git').exists():
        return Git(tree)('show', f'point-0:{name}')
    return (tree / name).read_text(encoding='utf-8')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--check', action='store_true')
    parser.add_argument('--from', type=int, dest='first', default=1)
    parser.add_argument('--to', type=int, dest='last')
    parser.add_argument('tree', type=Path)
    parser.add_argument('out', type=Path)
    args = parser.parse_args()
    tree, out = args.tree.resolve(), args.out.resolve()
    folder = version_patches(tree)
    points = Points(work_files(folder), lambda name: own_text(tree, name),
                    folder)
    last = args.last or len(points.patches)
    if not 1 <= args.first <= last <= len(points.patches):
        raise Trouble(f'there are {len(points.patches)} points')
    git = make_commits(points, tree)
    errors = write(points, git, out)
    if args.check:
        errors += check(points, git, out, args.first, last)
    return 1 if errors else 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Trouble as trouble:
        sys.exit(f'qemu-caliptra: series: {trouble}')
