#!/usr/bin/env python3
"""
The test part of ./qemu-caliptra: picks the suites, runs them, counts cases.

A suite is a test that meson knows (qtest, unit test, functional test), run
with the command and the environment that meson has for it, or a unittest
module beside this file.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import concurrent.futures
import json
import os
from pathlib import Path
import re
import subprocess
import sys
import time

import sanitizer

ROOT = Path(os.environ['CALIPTRA_ROOT'])
OBJ = Path(os.environ['CALIPTRA_OBJ'])
LOGS = Path(os.environ['CALIPTRA_LOGS']) / ('tests-' + OBJ.name)

# QEMU's own tests that are run for these machines: name, and the arguments
# that narrow those that would run for all machines
QEMU_SUITES = {
    'qtest-aarch64/ast2700-gpio-test': [],
    'qtest-aarch64/ast2700-hace-test': [],
    'qtest-aarch64/ast2700-smc-test': [],
    'qtest-aarch64/qom-test': ['-p', '/aarch64/qom/ast2700fc'],
    'qtest-aarch64/test-hmp': ['-p', '/aarch64/hmp/ast2700fc'],
    'qtest-aarch64/device-introspect-test':
        ['-p', '/aarch64/device/introspect/concrete/defaults/none'],
    'qtest-riscv32/qom-test': [],
    'qtest-riscv32/test-hmp': [],
    'qtest-riscv32/device-introspect-test':
        ['-p', '/riscv32/device/introspect/concrete/defaults/none'],
}

# Tests of the overlay that meson knows: file, and how meson calls the test
MESON_SUITES = (
    (r'tests/qtest/(.+-test)\.c', r'qtest-aarch64/\1'),
    (r'tests/unit/(test-.+)\.c', r'\1'),
    (r'tests/functional/(\w+)/test_(\w+)\.py', r'func-\1-\2'),
    (r'tests/caliptra/(test_\w+)\.py', r'func-caliptra/\1'),
)

# What runs a unittest module
TAP = ROOT / 'tests/caliptra/tap.py'

# Recorded traces lie beside the checkout, which tests in QEMU's tree do not
# know
os.environ.setdefault('CALIPTRA_VECTORS', str(ROOT.parent / 'shared/vectors'))

# How long suites take, in seconds: for shards, and to begin with the long
# ones.  A run leaves the file anew with its logs.
DURATIONS = ROOT / 'driver/durations.txt'
USUAL_DURATION = 10

# Under the sanitizers everything takes its time
SANITIZE = 'sanitize' in OBJ.name
SLOWDOWN = 5 if SANITIZE else 1
# Reports of leaks and of addresses go to files.  gcc's library for undefined
# behaviour knows stderr only, which a test may keep to itself: so it ends QEMU.
SANITIZER_LOG = 'sanitizer'
UNITTEST_TIMEOUT = 900


class Suite:
    """One test program: how to run it, and what came of it"""

    def __init__(self, name, cmd, env, timeout, parse, cwd):
        self.name = name
        self.cmd = cmd
        self.env = env
        self.timeout = timeout * SLOWDOWN
        self.parse = parse
        self.cwd = cwd
        self.passed = []
        self.failed = []
        self.skipped = []       # (case, reason)
        self.seconds = 0.0

    @property
    def log(self):
        return LOGS / (re.sub(r'[^\w.-]+', '_', self.name) + '.log')

    @property
    def reports(self):
        """Where the sanitizers of this suite's processes report"""
        return self.log.with_suffix('.' + SANITIZER_LOG)

    def environment(self):
        env = {**os.environ, **self.env}
        if SANITIZE:
            env['ASAN_OPTIONS'] = f'log_path={self.reports}'
            env['UBSAN_OPTIONS'] = 'halt_on_error=1:print_stacktrace=1'
        return env

    def run(self):
        start = time.monotonic()
        trouble = None
        with open(self.log, 'wb') as log:
            try:
                code = subprocess.run(
                    self.cmd, env=self.environment(), cwd=self.cwd,
                    stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, timeout=self.timeout,
                    check=False).returncode
            except subprocess.TimeoutExpired:
                code = None
                trouble = f'no end after {self.timeout} s'
            except OSError as err:
                code = None
                trouble = str(err)
        self.seconds = time.monotonic() - start
        text = self.log.read_text(encoding='utf-8', errors='replace')
        missing = self.parse(self, text)
        if trouble is None and code != 0 and not self.failed:
            trouble = f'exit status {code}'
        if trouble is None and missing:
            trouble = f'{missing} cases were never run'
        if trouble is None and not (self.passed or self.skipped):
            if not self.failed:
                trouble = 'ran no case'
        if trouble:
            self.failed.append(f'({trouble})')
        for report in sorted(LOGS.glob(self.reports.name + '.*')):
            if sanitizer.is_fault(report.read_text(errors='replace')):
                self.failed.append(f'(sanitizer: {os.path.relpath(report)})')
        return self


def parse_tap(suite, text):
    """Count the lines of a TAP stream; returns how many the plan had more"""
    planned = None
    seen = 0
    for line in text.splitlines():
        plan = re.match(r'1\.\.(\d+)', line)
        if plan:
            planned = int(plan[1])
            continue
        # programs that share the stream may leave a line unfinished
        case = re.search(r'(?:^|\s)(not ok|ok) (\d+)(?: -)? ?(\S.*)?$', line)
        if not case or (case[2] and planned and int(case[2]) > planned):
            continue
        seen += 1
        name, _, directive = (case[3] or case[2]).partition('#')
        name = name.strip()
        if case[1] == 'not ok':
            suite.failed.append(name)
        elif directive.strip().upper().startswith('SKIP'):
            suite.skipped.append((name, directive.strip()[4:].strip(' :')))
        else:
            suite.passed.append(name)
    return max(0, planned - seen) if planned else 0


def suite_names():
    """All suites, in the order of their report, before anything is built"""
    names = list(QEMU_SUITES)
    files = [str(path.relative_to(ROOT)) for kind in ('qtest', 'unit',
                                                      'functional',
                                                      'caliptra')
             for path in sorted((ROOT / 'tests' / kind).rglob('*'))]
    for pattern, name in MESON_SUITES:
        names += [re.sub(pattern, name, file) for file in files
                  if re.fullmatch(pattern, file)]
    return names + [str(path.relative_to(ROOT)) for path in
                    sorted((ROOT / 'driver').glob('test_*.py'))]


def module(name):
    """The file of a suite that is a unittest module; None: it is not"""
    if name.startswith('func-caliptra/'):
        return ROOT / 'tests/caliptra' / (name.split('/')[1] + '.py')
    return ROOT / name if name.endswith('.py') else None


def durations():
    known = {}
    for line in DURATIONS.read_text(encoding='utf-8').splitlines():
        if line and not line.startswith('#'):
            seconds, name = line.split()
            known[name] = float(seconds)
    return known


def shard(names, number, count):
    """
    Shard @number (from 1) of @count: each name is in exactly one, and they
    take about the same time
    """
    known = durations()
    loads = [[0, index, []] for index in range(count)]
    for name in sorted(names, key=lambda name:
                       (-known.get(name, USUAL_DURATION), name)):
        load = min(loads)
        load[0] += known.get(name, USUAL_DURATION)
        load[2].append(name)
    mine = loads[number - 1][2]
    return [name for name in names if name in mine]


def imports(path, seen):
    """@path and the files beside it that it imports, directly or not"""
    if path in seen or not path.exists():
        return seen
    seen.add(path)
    for name in re.findall(r'^\s*(?:import|from) (\w+)',
                           path.read_text(encoding='utf-8'), re.MULTILINE):
        imports(path.parent / f'{name}.py', seen)
    return seen


def needs(name):
    """
    What a suite needs: nothing, its own program, QEMU, QEMU for riscv32, too
    """
    if not module(name):
        if name.startswith(('qtest-riscv32', 'func-riscv32')) or \
           name.endswith('_remote'):
            return 'riscv32'
        return 'qemu' if name.startswith(('qtest-', 'func-')) else 'meson'
    # the variables in which a test finds QEMU, and its source
    text = ''.join(path.read_text(encoding='utf-8')
                   for path in imports(module(name), set()))
    for variable, need in ((r'qemu-system-[r]iscv32', 'riscv32'),
                           (r'Q\w*TEST_QEMU_BINARY', 'qemu'),
                           (r'CALIPTRA_[T]REE', 'meson')):
        if re.search(variable, text):
            return need
    return 'nothing'


class Selection:
    """What the arguments of "test" ask for"""

    def __init__(self, args):
        self.list = False
        self.names = suite_names()
        self.part = None
        words = []
        args = list(args)
        while args:
            arg = args.pop(0)
            if arg == '--list':
                self.list = True
            elif arg == '--shard':
                self.part = self.parse_shard(args.pop(0) if args else '')
            elif arg.startswith('-'):
                sys.exit(f'qemu-caliptra: test: unknown option {arg}')
            else:
                words.append(arg)
        for word in words:
            if not any(word in name for name in self.names):
                sys.exit('qemu-caliptra: test: no suite is named like '
                         f'{word} (test --list names them)')
        if words:
            self.names = [name for name in self.names
                          if any(word in name for word in words)]
        if self.part:
            self.names = shard(self.names, *self.part)

    @staticmethod
    def parse_shard(text):
        match = re.fullmatch(r'(\d+)/(\d+)', text)
        number, count = map(int, match.groups()) if match else (0, 0)
        if not 1 <= number <= count:
            sys.exit('qemu-caliptra: test: --shard takes K/N, K from 1 to N, '
                     f'not "{text}"')
        return number, count


def lacks(name, known):
    """Whether this QEMU is excused from having the test"""
    # development trees come and go with tests of their own
    return (name in QEMU_SUITES and name not in known and
            qemu_version().endswith('.50'))


def qemu_version():
    """That of the tree that is configured, if any"""
    path = OBJ.parent / 'qemu/VERSION'
    return path.read_text(encoding='utf-8').strip() if path.exists() else ''


def find_suites(names):
    suites = []
    known = {}
    intro = OBJ / 'meson-info/intro-tests.json'
    if intro.exists():
        known = {test['name']: test for test in
                 json.loads(intro.read_text(encoding='utf-8'))}
    for name in names:
        path = module(name)
        # what needs nothing built runs from where it is edited
        if path and (name.endswith('.py') or needs(name) == 'nothing'):
            suite = Suite(name, [sys.executable, str(TAP), path.stem],
                          {'PYTHONPATH': str(path.parent)}, UNITTEST_TIMEOUT,
                          parse_tap, path.parent)
        elif lacks(name, known):
            print(f'qemu-caliptra: test: QEMU {qemu_version()} has no {name}',
                  file=sys.stderr)
            continue
        elif name not in known:
            sys.exit(f'qemu-caliptra: test: QEMU was configured without {name}')
        else:
            test = known[name]
            suite = Suite(name, test['cmd'] + QEMU_SUITES.get(name, []),
                          test['env'], test['timeout'], parse_tap,
                          test['workdir'] or OBJ)
        suites.append(suite)
    return suites


def ninja_targets(names):
    """What has to be built before these suites can run"""
    targets = set()
    wanted = {needs(name) for name in names}
    for need, arch in (('qemu', 'aarch64'), ('riscv32', 'riscv32')):
        if need in wanted:
            targets.add(f'qemu-system-{arch}')
    for suite in find_suites(names):
        path = Path(suite.cmd[0])
        if path.is_relative_to(OBJ / 'tests'):
            targets.add(str(path.relative_to(OBJ)))
    return sorted(targets)


def report(suites, seconds):
    width = max(len(suite.name) for suite in suites)
    print()
    print(f'{"suite":{width}}  passed  failed  skipped     time')
    for suite in suites:
        print(f'{suite.name:{width}}  {len(suite.passed):6}  '
              f'{len(suite.failed):6}  {len(suite.skipped):7}  '
              f'{suite.seconds:5.1f} s')
    skips = [(suite.name, *skip) for suite in suites
             for skip in suite.skipped]
    if skips:
        print('\nskipped:')
        for suite, case, reason in skips:
            print(f'  {suite}: {case}: {reason or "no reason given"}')
    failures = [suite for suite in suites if suite.failed]
    if failures:
        print('\nfailed:')
        for suite in failures:
            for case in suite.failed:
                print(f'  {suite.name}: {case}')
            print(f'    log: {os.path.relpath(suite.log)}')
    print(f'\nall suites: {seconds:.0f} s')


def main(args):
    if args[:1] == ['--need']:
        # asked before anything is built
        selection = Selection(args[1:])
        if selection.list:
            print('\n'.join(selection.names))
        else:
            wanted = {needs(name) for name in selection.names}
            print(next((need for need in ('riscv32', 'qemu', 'meson')
                        if need in wanted), 'nothing'))
        return 0
    if args[:1] == ['--targets']:
        print(' '.join(ninja_targets(Selection(args[1:]).names)))
        return 0

    selection = Selection(args)
    suites = find_suites(selection.names)
    if not suites:
        print('qemu-caliptra: test: this shard has no suite', file=sys.stderr)
        return 0
    known = durations()
    LOGS.mkdir(parents=True, exist_ok=True)
    for old in LOGS.glob('*'):
        old.unlink()
    print(f'==> running {len(suites)} suites', file=sys.stderr)
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for done in concurrent.futures.as_completed(
                # begin with the long ones
                [pool.submit(suite.run) for suite in sorted(
                    suites, key=lambda suite:
                    -known.get(suite.name, USUAL_DURATION))]):
            suite = done.result()
            verdict = 'FAILED' if suite.failed else 'ok'
            print(f'    {verdict:6}  {suite.name}  ({len(suite.passed)} '
                  f'cases, {suite.seconds:.1f} s)', file=sys.stderr)
    report(suites, time.monotonic() - start)
    (LOGS / DURATIONS.name).write_text(''.join(
        f'{suite.seconds:.0f} {suite.name}\n' for suite in suites),
        encoding='utf-8')
    failed = sum(len(suite.failed) for suite in suites)
    print(f'{sum(len(suite.passed) for suite in suites)} passed, '
          f'{failed} failed, '
          f'{sum(len(suite.skipped) for suite in suites)} skipped')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
