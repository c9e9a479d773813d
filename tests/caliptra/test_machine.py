#!/usr/bin/env python3
#
# The SoC's side of the machine caliptra: power, straps, fuses, bring-up
#
# With the native firmware and with the test ROM and firmware of test_veer.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the machine caliptra does for those who give it images."""

import json
import os
from pathlib import Path
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'scripts', 'caliptra'))
from caliptra_qmp import Qmp  # noqa: E402
from qtestlib import QTest  # noqa: E402
import command_env as env  # noqa: E402
import test_veer as veer  # noqa: E402

SECURITY_STATE = veer.SOC_IFC + 0x44
VENDOR_HASH = veer.SOC_IFC + env.FUSE_KEY_MANIFEST_PK_HASH
LMS_VERIFY = veer.SOC_IFC + 0x344
LIFECYCLES = {'unprovisioned': 0, 'manufacturing': 1, 'production': 3}


class Case(unittest.TestCase):
    """With a folder, and images in it."""

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.dir.cleanup)
        cls.mini = veer.build_mini()
        for name, data in (('rom', cls.mini['rom']), ('fw', cls.mini['fw']),
                           ('bundle', env.bundle())):
            Path(cls.dir.name, name).write_bytes(data)
        Path(cls.dir.name, 'fuses').write_text(json.dumps({
            'key_manifest_pk_hash': env.VENDOR_HASH.hex(),
            'owner_pk_hash': env.OWNER_HASH.hex()}), encoding='ascii')

    def path(self, name):
        return os.path.join(self.dir.name, name)

    def text(self, name):
        return Path(self.path(name)).read_text(encoding='ascii')

    def machine(self, options='', args=(), rom='rom', **kwargs):
        """The machine, with its log and its console in files."""
        kwargs.setdefault('serial', 'file:' + self.path('console'))
        q = QTest(veer.riscv_binary(), 'caliptra,log=log' + options,
                  ['-chardev', 'file,id=log,path=' + self.path('log'), *args],
                  accel='tcg', bios=rom and self.path(rom),
                  qmp=True, **kwargs)
        self.addCleanup(q.close)
        return q

    def mini_auto(self, options='', **kwargs):
        return self.machine(',caliptra-firmware=%s%s' %
                            (self.path('fw'), options), **kwargs)

    def native_auto(self, options='', **kwargs):
        return self.machine(',uc=native,caliptra-firmware=%s,fuses=%s%s' %
                            (self.path('bundle'), self.path('fuses'),
                             options), rom=False, **kwargs)

    def wait(self, what, seconds=120):
        """Until what() is true; it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            result = what()
            if result:
                return result
            time.sleep(0.02)
        raise AssertionError('nothing after %d s; the log: %s' %
                             (seconds, self.text('log')))

    def wait_log(self, line, count=1):
        self.wait(lambda: self.text('log').count(line + '\n') == count)

    def log(self):
        return [line.removeprefix('[caliptra] ')
                for line in self.text('log').splitlines()]


class Console(unittest.TestCase):

    # as many characters as one can write: x, with bit 8 toggled
    PROGRAM = struct.pack(
        '<6I', 0x30030537, 0x0cc50513,      # li a0, generic_output_wires
        0x17800593,                         # li a1, 0x100 | 'x'
        0x00b52023, 0x1005c593,             # sw a1, (a0); xori a1, a1, 0x100
        0xff9ff06f)                         # j to the store

    def test_slow_reader(self):
        """Nobody waits for who does not read; what is lost is counted."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'console')
            with veer.VeerMachine(self.PROGRAM, icount=(),
                                  serial='unix:%s,server=on,wait=off' %
                                  path) as machine, \
                    socket.socket(socket.AF_UNIX) as reader:
                reader.connect(path)
                machine.start()
                # more than the socket holds
                before = machine.q.qmp('query-status')
                time.sleep(2)
                self.assertEqual(machine.q.qmp('query-status'), before)
                machine.q.qmp('stop')
                reader.settimeout(60)
                text = b''
                while b'characters lost' not in text[-200:]:
                    text += reader.recv(65536)
                self.assertRegex(text, rb'^x+\n\[[0-9]+ characters lost')


class Auto(Case):
    """The machine's own boot ROM brings Caliptra up."""

    def test_veer(self):
        """Firmware that is executed."""
        q = self.mini_auto()
        self.wait_log('[caliptra] ready for commands')
        self.assertEqual(self.log()[:4], [
            'power good, lifecycle unprovisioned, debug unlocked',
            'fuses written, mailbox user 0x00000001',
            'loading %s, %d bytes' % (self.path('fw'), len(self.mini['fw'])),
            'firmware accepted'])
        self.assertEqual(self.text('console'), 'rom: cold\nfw: ready\n')
        self.assertEqual(q.qom_get('/machine/soc', 'stage'), 'done')

    def test_console_lines(self):
        """Firmware's characters are shown as lines: one, one datagram."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as console:
            console.bind(('127.0.0.1', 0))
            console.settimeout(60)
            self.mini_auto(args=['-icount', 'shift=3'],
                           serial='udp:127.0.0.1:%d' %
                           console.getsockname()[1])
            self.assertEqual([console.recv(4096) for _ in range(2)],
                             [b'rom: cold\n', b'fw: ready\n'])

    def test_native(self):
        """Firmware that is modelled, in a device with fuses."""
        q = self.native_auto()
        self.wait_log('[caliptra] ready for commands')
        self.assertEqual(self.log()[0],
                         'power good, lifecycle production, debug locked')
        self.assertIn('runtime ready for commands', self.log())
        self.assertEqual(q.reads32([VENDOR_HASH + 4 * i for i in range(12)]),
                         env.words(env.VENDOR_HASH))
        # the other microcontroller is still in reset
        self.assertEqual(self.text('console'), '')

    def test_release(self):
        """The model is of the release that it is told to be."""
        self.native_auto(',fmc-release=1.2.3,rt-release=1.2.5')
        self.wait_log('[caliptra] ready for commands')
        self.assertLessEqual({'FMC 1.2.3 (fmc-release)',
                              'runtime 1.2.5 (rt-release)'}, set(self.log()))

    def test_entropy(self):
        """Who asks for random words gets them, firmware or not."""
        q = self.machine(',uc=native,caliptra-boot=auto', rom=False)
        self.wait_log('[caliptra] caliptra: no firmware given: '
                      'Caliptra waits for FIRMWARE_LOAD')
        # known-answer tests and keys need them before that
        self.assertEqual(q.read32(veer.FLOW_STATUS) & veer.READY_FOR_FW,
                         veer.READY_FOR_FW)

    def test_refused(self):
        """Why a bundle is refused, in one line."""
        bundle = bytearray(env.bundle())
        bundle[-1] ^= 1
        Path(self.path('bundle2')).write_bytes(bundle)
        self.machine(',uc=native,caliptra-firmware=%s,fuses=%s' %
                     (self.path('bundle2'), self.path('fuses')), rom=False)
        self.wait(lambda: 'refused' in self.text('log'))
        self.wait(lambda: self.text('log').endswith('\n'))
        self.assertIn('%s: firmware refused: '
                      'IMAGE_VERIFIER_ERR_RUNTIME_DIGEST_MISMATCH '
                      '(0x000b0016)' % self.path('bundle2'), self.log()[-1])

    def test_system_reset(self):
        """The power goes, and all begins again."""
        q = self.mini_auto()
        self.wait_log('[caliptra] ready for commands')
        q.qmp('system_reset')
        self.wait_log('[caliptra] ready for commands', 2)
        self.assertEqual(self.text('console'), 2 * 'rom: cold\nfw: ready\n')

    def test_warm_reset(self):
        """A reset from outside is brought to its end."""
        q = self.native_auto()
        self.wait_log('[caliptra] ready for commands')
        q.cmd('set_irq_in /machine/core cptra-rst-b 0 0')
        self.wait_log('[caliptra] ready for commands', 2)
        self.assertIn('warm reset, mailbox user 0x00000001', self.log())

    def snapshot(self, boot):
        """Wherever the boot is: the rest goes on elsewhere."""
        path = self.path('state')
        q = boot(args=['-S'])
        for _ in range(3):
            # for as long as QEMU takes to be told
            q.qmp('cont')
            q.qmp('stop')
            q.qmp('migrate', uri='file:' + path)
            q.wait_migrated()
            q.close()
            q = boot(args=['-S', '-incoming', 'file:' + path])
            self.wait(lambda: q.qmp('query-status')['status'] !=
                      'inmigrate')
        q.qmp('cont')
        self.wait(lambda: q.qom_get('/machine/soc', 'stage') == 'done')
        return q

    def test_snapshot_veer(self):
        q = self.snapshot(self.mini_auto)
        self.assertEqual(q.read32(veer.FLOW_STATUS) & veer.READY_FOR_RUNTIME,
                         veer.READY_FOR_RUNTIME)

    def test_snapshot_native(self):
        self.snapshot(self.native_auto)
        self.assertIn('ready for commands', self.log())


class Replay(Case):
    """Time by instructions: a boot that repeats itself."""

    def run_until(self, icount, done):
        """Boot without qtest, which no log has; what there is at the end."""
        for name in 'log', 'console':
            Path(self.path(name)).unlink(missing_ok=True)
        path = self.path('qmp')
        with subprocess.Popen(
                [veer.riscv_binary(), '-M', 'caliptra,log=log,'
                 'caliptra-firmware=' + self.path('fw'), '-bios',
                 self.path('rom'), '-icount', icount, '-no-shutdown',
                 '-display', 'none',
                 '-nodefaults', '-qmp', 'unix:%s,server=on,wait=off' % path,
                 '-chardev', 'file,id=log,path=' + self.path('log'),
                 '-serial', 'file:' + self.path('console')],
                stdin=subprocess.DEVNULL) as process:
            try:
                self.wait(lambda: process.poll() is not None or
                          os.path.exists(path))
                qmp = Qmp(path)
                self.wait(lambda: done(qmp))
                qmp.command('stop')
                result = (self.text('log'), self.text('console'),
                          qmp.command('human-monitor-command',
                                      command_line='info registers'))
                qmp.command('quit')
                qmp.close()
                process.wait(60)
            finally:
                process.kill()
        return result

    def test_replay(self):
        """The same lines, and the core in the same state at the end."""
        log = 'rrfile=' + self.path('rr')
        recorded = self.run_until(
            'shift=3,rr=record,' + log,
            lambda qmp: 'ready for commands' in self.text('log'))
        replayed = self.run_until(
            'shift=3,rr=replay,' + log,
            lambda qmp: not qmp.command('query-status')['running'])
        self.assertIn('fw: ready', recorded[1])
        for was, now in zip(recorded, replayed):
            self.assertEqual(was, now)


class Properties(Case):
    """Straps and files."""

    def test_security_states(self):
        """All eight but those with the lifecycle that does not exist."""
        for name, number in LIFECYCLES.items():
            for locked in 0, 1:
                with self.subTest(name, locked=locked):
                    q = self.machine(',lifecycle=%s,debug-locked=%s' %
                                     (name, ('off', 'on')[locked]))
                    self.assertEqual(q.read32(SECURITY_STATE),
                                     number | locked << 2)
                    q.close()

    def test_straps_change(self):
        """Another state from the next power cycle on, not before."""
        q = self.machine(',uc=native', rom=False)
        self.assertEqual(q.read32(SECURITY_STATE), 0)
        q.qmp('qom-set', path='/machine/soc', property='security-state',
              value=7)
        self.assertEqual(q.read32(SECURITY_STATE), 0)
        for level in 0, 1:
            q.cmd('set_irq_in /machine/core cptra-pwrgood 0 %d' % level)
        self.assertEqual(q.read32(SECURITY_STATE), 7)

    def test_off(self):
        """Without power nothing answers."""
        q = self.machine(',caliptra-boot=off')
        self.assertEqual(q.reads32([SECURITY_STATE, veer.FLOW_STATUS]),
                         [0, 0])

    def refused(self, options, text):
        run = subprocess.run(
            [veer.riscv_binary(), '-M', 'caliptra' + options, '-display',
             'none', '-nodefaults', '-bios', self.path('rom'), '-S',
             '-monitor', 'none'], check=False, timeout=60,
            capture_output=True, encoding='utf-8', errors='replace')
        self.assertEqual(run.returncode, 1, run.stderr)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn(text, run.stderr)

    def test_refused(self):
        """What cannot be is told in a line."""
        os.mkfifo(self.path('fifo'))
        for options, text in (
                (',caliptra-firmware=/nonexistent/fw', '/nonexistent/fw'),
                (',caliptra-firmware=' + self.path('fifo'),
                 'not a regular file'),
                (',caliptra-boot=auto,fuses=/nonexistent/fuses',
                 '/nonexistent/fuses'),
                (',caliptra-boot=auto,fuses=' + self.path('rom'),
                 self.path('rom')),
                (',obf-key=12', '64 hexadecimal digits'),
                (',log=nobody', "log: there is no chardev 'nobody'"),
                (',lifecycle=old', "does not accept value 'old'"),
                (',caliptra-boot=late', "does not accept value 'late'"),
                (',caliptra-boot=soc', 'caliptra-boot=soc needs a link'),
                (',caliptra-boot=auto,link=log',
                 'link needs caliptra-boot=soc'),
                (',link=nobody', "can't find value 'nobody'"),
                (',uc=arm', "does not accept value 'arm'"),
                (',uc=native,rt-release=9', "does not accept value '9'"),
                (',uc=native', self.path('rom'))):
            with self.subTest(options):
                self.refused(options, text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
