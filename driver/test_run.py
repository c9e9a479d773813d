"""
./qemu-caliptra run as a person sees it: on a terminal of 80x24.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import importlib
import os
from pathlib import Path
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = Path(__file__).resolve().parent.parent
# CALIPTRA_BUILT, which the runner of the tests sets, is what it runs
BINARY = 'QEMU_TEST_QEMU_BINARY'

COLUMNS, LINES = 80, 24
TIMEOUT = 120
CTRL_A = '\x01'
LAST_LINE = 'mbox.py --qmp '


class Terminal:
    """A process on a terminal: what it shows, and keys"""

    def __init__(self, *command, cwd):
        self.fd, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command, cwd=cwd, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
            env={**os.environ, 'TERM': 'dumb', 'COLUMNS': str(COLUMNS),
                 'LINES': str(LINES)})
        os.close(theirs)
        self.text = ''

    def read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], seconds)
        try:
            data = os.read(self.fd, 65536) if ready else b''
        except OSError:
            data = b''
        self.text += data.decode(errors='replace').replace('\r', '')
        return data

    def expect(self, what, since=0):
        end = time.monotonic() + TIMEOUT
        while what not in self.text[since:]:
            if time.monotonic() > end or (not self.read(1) and
                                          self.process.poll() is not None):
                raise AssertionError(f'no {what!r} in:\n{self.text}')

    def type(self, keys):
        os.write(self.fd, keys.encode())

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait()
        os.close(self.fd)


class Run(unittest.TestCase):

    def start(self, *args):
        terminal = Terminal('./qemu-caliptra', 'run', *map(str, args),
                            cwd=ROOT)
        self.addCleanup(terminal.close)
        return terminal

    def check_screen(self, text, lines):
        text = [line for line in text.splitlines()
                if not line.startswith('==> waiting')]
        self.assertLess(max(map(len, text)), COLUMNS, '\n'.join(text))
        self.assertLessEqual(len(text), lines, '\n'.join(text))

    def test_run(self):
        """A screen and a half; leaves with Ctrl-A X"""
        terminal = self.start()
        terminal.expect(LAST_LINE)
        terminal.expect('\n', terminal.text.index(LAST_LINE))
        self.check_screen(terminal.text, LINES * 3 // 2)
        for text in ('[caliptra] firmware bundle verified',
                     '[caliptra] CA35 cores released', 'core 3 runs in EL',
                     'attested by the DPE', 'Ctrl-A X leaves, Ctrl-A C',
                     '--self-check', '--certs', 'logs/run.log'):
            self.assertEqual(terminal.text.count(text), 1, text)
        log = (ROOT / 'build/logs/run.log').read_text(encoding='utf-8')
        self.assertIn('attested by the DPE', log)

        # another terminal asks, as the last lines say
        command = re.search(rf'^Another terminal: (\S*{LAST_LINE}.*)$', terminal.text,
                            re.MULTILINE)[1]
        answer = subprocess.run(
            [sys.executable, *command.split()], cwd=ROOT, check=False,
            capture_output=True, encoding='utf-8', timeout=TIMEOUT)
        self.assertIn('runtime_sha384_digest', answer.stdout, answer.stderr)

        terminal.type(CTRL_A + 'x')
        self.assertEqual(terminal.process.wait(TIMEOUT), 0)

    def test_refused(self):
        """Told once, in words"""
        with tempfile.TemporaryDirectory() as work:
            bundle, fuses = Path(work) / 'fw.bin', Path(work) / 'fuses.json'
            subprocess.run(
                [sys.executable, ROOT / 'scripts/caliptra/bundle.py',
                 'create', '-o', bundle, '--fuses', fuses], check=True)
            image = bytearray(bundle.read_bytes())
            image[-4] ^= 1
            bundle.write_bytes(image)
            terminal = self.start('--firmware', bundle, '--fuses', fuses)
            held = 'the CA35 cores stay held'
            terminal.expect(held)
            while terminal.read(1):
                pass
        for text in (held, 'IMAGE_VERIFIER_ERR_RUNTIME_DIGEST_MISMATCH',
                     'runtime was changed after signing'):
            self.assertEqual(terminal.text.count(text), 1, terminal.text)
        self.assertNotIn('Guest', terminal.text)


class RunRom(Run):
    """With a ROM that qemu-system-riscv32 executes: that of the tests"""

    @classmethod
    def setUpClass(cls):
        sys.path.insert(0, str(ROOT / 'tests/caliptra'))
        test_veer = importlib.import_module('test_veer')
        cls.work = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.work.cleanup)
        cls.rom, cls.fw = (Path(cls.work.name) / name
                           for name in ('rom.bin', 'fw.bin'))
        images = test_veer.build_mini()
        cls.rom.write_bytes(images['rom'])
        cls.fw.write_bytes(images['fw'])

    # those of the other machine
    test_refused = None

    def test_run(self):
        """Log and console on one screen"""
        terminal = self.start('--rom', self.rom, '--firmware', self.fw)
        # firmware's console and the log are two streams
        for text in ('[caliptra] ready for commands\n', 'fw: ready\n',
                     LAST_LINE):
            terminal.expect(text)
        self.check_screen(terminal.text.replace(self.work.name, '/tmp'),
                          LINES)
        for text in ('[caliptra] firmware accepted', 'rom: cold',
                     'fw: ready', 'Ctrl-A X leaves', LAST_LINE):
            self.assertEqual(terminal.text.count(text), 1, text)
        # this firmware knows few commands, and has no numbers for errors
        self.assertIn('FW_INFO failed: Caliptra does not say why',
                      terminal.text)
        terminal.type(CTRL_A + 'x')
        self.assertEqual(terminal.process.wait(TIMEOUT), 0)

    def test_rom_alone(self):
        """What is missing is told; entropy and fuses are there"""
        terminal = self.start('--rom', self.rom)
        terminal.expect('Caliptra waits for FIRMWARE_LOAD')
        self.assertIn('rom: cold', terminal.text)

    def test_soc(self):
        """The SoC's machine in front of it; both on one screen, and end"""
        terminal = self.start('--rom', self.rom, '--soc', '--firmware',
                              self.fw)
        terminal.expect('[caliptra] CA35 cores released\n')
        for text in ('[caliptra] firmware accepted', 'rom: cold',
                     'fw: ready'):
            self.assertEqual(terminal.text.count(text), 1, text)
        socket = ROOT / 'build/link.sock'
        self.assertTrue(socket.exists())
        terminal.type(CTRL_A + 'x')
        self.assertEqual(terminal.process.wait(TIMEOUT), 0)
        # each was waited for
        self.assertFalse(socket.exists())

    def test_debug(self):
        """A gdb on it, in front of the first instruction"""
        gdb = subprocess.run(
            ['./qemu-caliptra', 'debug', '--rom', self.rom, '--firmware',
             self.fw], cwd=ROOT, check=True, timeout=TIMEOUT,
            encoding='utf-8', stdout=subprocess.PIPE,
            input='p/x $pc\nhbreak *0x40000000\ncontinue\np/x $pc\n'
                  'p/x $mrac\n')
        for text in ('$1 = 0x0\n', 'Breakpoint 1, 0x40000000',
                     '$2 = 0x40000000\n', '$3 = 0xaaaaa0a9\n'):
            self.assertIn(text, gdb.stdout)
        log = (ROOT / 'build/logs/debug.log').read_text(encoding='utf-8')
        self.assertIn('rom: cold', log)


if __name__ == '__main__':
    unittest.main()
