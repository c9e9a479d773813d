"""
./qemu-caliptra: what is wrong with its input is told before anything is done.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
from pathlib import Path
import re
import shutil
import subprocess
import tempfile
import unittest

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ('run', 'debug', 'compare', 'test', 'bench', 'fuzz', 'replay',
            'series', 'shell', 'build', 'setup', 'clean')
NOBODY = 65534


class Driver(unittest.TestCase):
    """A checkout of its own, in which something has been built"""

    def setUp(self):
        tmp = tempfile.TemporaryDirectory(prefix='caliptra-driver-')
        self.addCleanup(tmp.cleanup)
        self.tmp = Path(tmp.name)
        self.root = self.tmp / 'checkout'
        self.root.mkdir()
        for part in ('qemu-caliptra', 'driver', 'tests', 'patches'):
            source = ROOT / part
            if source.is_dir():
                (self.root / part).symlink_to(source)
            else:
                shutil.copy(source, self.root / part)
        self.kept = self.root / 'build/qemu/kept'
        self.kept.parent.mkdir(parents=True)
        self.kept.write_text('')

    def call(self, *args, user=None, **env):
        done = subprocess.run(
            ['./qemu-caliptra', *map(str, args)], cwd=self.root,
            env={**{k: v for k, v in os.environ.items()
                    # which stands for a build that has been made
                    if k != 'CALIPTRA_BUILT'},
                 **{k: str(v) for k, v in env.items()}},
            stdin=subprocess.DEVNULL, capture_output=True, encoding='utf-8',
            timeout=60, check=False, user=user)
        self.assertTrue(self.kept.exists(), 'the build is gone')
        return done

    def refused(self, pattern, *args, **kwargs):
        done = self.call(*args, **kwargs)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count('\n'), 1, done.stderr)
        self.assertRegex(done.stderr, pattern)

    def test_help(self):
        for command in COMMANDS:
            for option in ('-h', '--help'):
                done = self.call(command, option)
                self.assertEqual((done.returncode, done.stderr), (0, ''))
                self.assertTrue(done.stdout.startswith(
                    f'usage: ./qemu-caliptra {command}'), done.stdout)
        self.assertEqual(set(re.findall(r'^  (\w+) ', self.call('help').stdout,
                                        re.MULTILINE)), set(COMMANDS))

    def test_arguments(self):
        large = self.tmp / 'large'
        large.write_bytes(bytes(48 * 1024 + 1))
        for args, why in (
                (('build', 'x'), 'build: unknown argument x'),
                (('clean', '-n'), 'clean: unknown argument -n'),
                (('run', '--gust'), 'run: unknown option --gust'),
                (('shell', '--fuses', __file__),
                 'shell: --fuses needs --firmware'),
                (('run', '--rom', '/no/rom'), 'run: cannot read /no/rom'),
                (('run', '--rom', '/tmp'), 'run: /tmp is not a file'),
                (('run', '--rom', '/dev/null'),
                 'run: /dev/null is not a file'),
                (('run', '--rom', large), r'run: \S+ is no ROM of Caliptra: '
                 '49153 bytes, at most 49152 fit'),
                (('run', '--rom', __file__, '--certs'),
                 'run: with --rom there is neither a guest nor a flash'),
                (('run', '--elf', __file__), 'run: --elf is for debug'),
                (('run', '--soc'), 'run: --soc needs --rom'),
                (('run', '--rom', __file__, '--soc'),
                 'run: --soc boots firmware: which?'),
                (('run', '--rom', __file__, '--soc', '--firmware', __file__,
                  '--secure'),
                 'run: --secure has firmware that no ROM executes'),
                (('debug', '--rom', __file__, '--soc'),
                 'debug: --soc is for run'),
                (('debug',), 'debug: which ROM'),
                (('compare', '--rom', __file__),
                 'compare: --rom and --firmware name the images'),
                (('compare', '--count', 'many'),
                 'compare: --count takes a number'),
                (('debug', '--rom', __file__, '--elf', __file__),
                 r'debug: \S+ is no ELF file of a 32-bit RISC-V'),
                (('shell', '--guest', '/no/guest'),
                 'shell: cannot read /no/guest'),
                (('test', 'no-such-suite'),
                 'test: no suite is named like no-such-suite'),
                (('test', '--shard', '5/4'), 'test: --shard takes K/N'),
                (('fuzz',), 'fuzz: which target'),
                (('fuzz', 'no-target'), 'fuzz: no target is named no-target; '
                 'there are: caliptra-image '),
                (('fuzz', 'caliptra-regs', '--seconds'),
                 'fuzz: --seconds takes a number'),
                (('fuzz', 'caliptra-regs', '/no/input'),
                 'fuzz: cannot read /no/input'),
                (('fuzz', 'caliptra-regs', '--runs', '1', __file__),
                 'fuzz: each input runs once'),
                (('replay',), 'replay: which traces?'),
                (('replay', '/no/trace'), 'replay: cannot read /no/trace'),
                (('series', self.root),
                 'series: .*/checkout has other things in it')):
            with self.subTest(args=args):
                self.refused('^qemu-caliptra: ' + why, *args)
        done = self.call('flash')
        self.assertNotEqual(done.returncode, 0)
        self.assertTrue(done.stderr.endswith(
            'qemu-caliptra: unknown command flash\n'))

    def test_source(self):
        tree = self.tmp / 'tree'
        tree.mkdir()

        def refused(why, src=tree):
            self.refused('^qemu-caliptra: build: ' + why, 'build',
                         QEMU_SRC=src)

        refused('QEMU_SRC=.*/none is not an unpacked QEMU tree',
                self.tmp / 'none')
        refused('QEMU_SRC=.*/tree is not an unpacked QEMU tree')
        (tree / 'VERSION').write_text('9.2.0\n')
        (tree / 'configure').write_text('')
        (tree / 'configure').chmod(0o755)
        refused('QEMU_SRC=.*/tree is QEMU 9.2.0; 10.2.x is needed')
        (tree / 'VERSION').write_text('10.2.2\n')
        (tree / '.overlay').write_text('')
        refused('QEMU_SRC=.*/tree has the model in it already')
        inside = self.root / 'build/qemu'
        for name in ('VERSION', 'configure'):
            shutil.copy(tree / name, inside)
        refused('QEMU_SRC=build/qemu is in build, ', 'build/qemu')
        self.refused('^qemu-caliptra: build: QEMU_TARBALL_DIR=/no/folder is '
                     'not a folder', 'build', QEMU_SRC='',
                     QEMU_TARBALL_DIR='/no/folder')

    def test_list(self):
        """Before anything is built; and shards are of that list"""
        names = self.call('test', '--list').stdout.split()
        self.assertIn('driver/test_driver.py', names)
        parts = [self.call('test', '--list', '--shard', f'{k}/3')
                 .stdout.split() for k in (1, 2, 3)]
        self.assertEqual(sorted(sum(parts, [])), sorted(names))

    def test_another_user(self):
        """Built by root, used by somebody else: what to do"""
        if os.getuid() != 0:
            self.skipTest('only root can be two users')
        self.tmp.chmod(0o755)
        self.refused(r'^qemu-caliptra: build: build belongs to root and '
                     r'\w+ cannot write there: .*sudo chown -R \w+ build',
                     'build', user=NOBODY)


if __name__ == '__main__':
    unittest.main()
