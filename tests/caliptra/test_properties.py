#!/usr/bin/env python3
#
# What a user can set and read: described, and told where it does nothing
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Properties of the model's devices and machines."""

import os
import re
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qtestlib import QTest, default_binary  # noqa: E402
from test_veer import riscv_binary  # noqa: E402

DEVICES = ('caliptra', 'caliptra-native-fw', 'caliptra-log',
           'caliptra-link', 'caliptra-remote', 'caliptra-testdev',
           'aspeed-caliptra', 'aspeed-bootmcu', 'aspeed-bootmcu-ipc',
           'aspeed-ipc', 'aspeed-otp-ast2700',
           'aspeed-ast2700-cores')
RISCV_DEVICES = ('caliptra', 'caliptra-link', 'caliptra-log',
                 'caliptra-native-fw', 'caliptra-remote', 'caliptra-soc',
                 'caliptra-testdev', 'caliptra-veer', 'veer-pic')
# all that is named so has to be in one of the lists above: a build may have
# more than its machines need
PREFIXES = ('caliptra', 'aspeed-bootmcu', 'aspeed-caliptra', 'veer-pic')
# what QEMU makes by itself for a line, a clock, a child
PLUMBING = re.compile(r'child<|link<irq>')
# what QEMU says of a property of which nobody says anything
EMPTY = (None, '', 'on/off', 'on/off/auto')


class Described(unittest.TestCase):

    def check(self, qtest, devices):
        types = {t['name'] for t in qtest.qmp('qom-list-types',
                                              implements='device')}
        self.assertLessEqual(set(devices), types)
        ours = {name for name in types if name.startswith(PREFIXES)}
        self.assertLessEqual(ours, {*DEVICES, *RISCV_DEVICES})
        for device in sorted(ours.union(devices)):
            for prop in qtest.qmp('device-list-properties',
                                  typename=device):
                if not PLUMBING.match(prop['type']):
                    with self.subTest(device=device, prop=prop['name']):
                        self.assertNotIn(prop.get('description'), EMPTY)

    def check_machine(self, binary, machine, names):
        text = subprocess.run([binary, '-M', machine + ',help'],
                              check=True, stdout=subprocess.PIPE,
                              text=True).stdout
        lines = {line.split('=')[0].strip(): line
                 for line in text.splitlines() if '=' in line}
        for name in names:
            with self.subTest(machine=machine, prop=name):
                self.assertRegex(lines[name], r'>\s*- \w')
        return lines

    def test_devices(self):
        with QTest(qmp=True) as qtest:
            self.check(qtest, DEVICES)
            scu = [prop for name in ('aspeed.scu-ast2700',
                                     'aspeed.scuio-ast2700')
                   for prop in qtest.qmp('device-list-properties',
                                         typename=name)
                   if prop['name'] in ('cm4-control', 'caliptra')]
            self.assertEqual(len(scu), 2)
            for prop in scu:
                self.assertNotIn(prop.get('description'), EMPTY)

    def test_machine(self):
        with QTest(qmp=True) as qtest:
            names = [prop['name'] for prop in
                     qtest.qmp('qom-list', path='/machine')
                     if prop['name'].startswith('caliptra-') and
                     not prop['type'].startswith('child<')]
        self.assertGreater(len(names), 10)
        self.check_machine(default_binary(), 'ast2700fc', names)

    def test_riscv(self):
        if not os.path.exists(riscv_binary()):
            self.skipTest('no qemu-system-riscv32 here')
        with QTest(binary=riscv_binary(), machine='caliptra',
                   qmp=True) as qtest:
            self.check(qtest, RISCV_DEVICES)
            props = {prop['name']: prop for prop in
                     qtest.qmp('qom-list-properties',
                               typename='caliptra-machine')}
        for name in ('clock-frequency', 'pauser'):
            self.assertNotIn(props[name].get('description'), EMPTY)


class Unused(unittest.TestCase):
    """An option that does nothing is told; a wrong one is refused."""

    # by itself without effect unless Caliptra is brought up by the machine
    AUTO = {'firmware': 'x', 'idevid-csr': 'on', 'secure-boot': 'on'}
    # ... or unless it has power
    POWERED = {'fuses': 'x', 'lifecycle': 'production',
               'debug-locked': 'off', 'obf-key': 'x', 'log': 'x',
               'rom': 'x', 'native-fw': 'off', 'fmc-release': '1.2.4',
               'rt-release': '1.2.4'}

    def warnings(self, options):
        """What QEMU says; a boot ROM that is not there ends it."""
        proc = subprocess.run(
            [default_binary(), '-M', 'ast2700fc' +
             ''.join(',caliptra-%s=%s' % item for item in options.items()),
             '-bios', '/nonexistent/rom', '-display', 'none', '-accel',
             'qtest'], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
            text=True, timeout=120, check=False)
        self.assertEqual(proc.returncode, 1)
        return proc.stderr.splitlines()

    def check(self, options, boot, unused):
        lines = self.warnings({'boot': boot, **options})
        self.assertIn('/nonexistent/rom', lines.pop())
        told = [re.search(r'warning: caliptra-(\S+) has no effect with '
                          'caliptra-(.*)', line) for line in lines]
        self.assertEqual({(line[1], line[2]) for line in told},
                         {(name, 'boot=' + boot) for name in unused})

    def test_off(self):
        every = {**self.AUTO, **self.POWERED}
        self.check(every, 'off', every)
        self.check({}, 'off', ())

    def test_guest(self):
        every = {**self.AUTO, **self.POWERED}
        del every['rom']
        self.check(every, 'guest', self.AUTO)

    def test_auto(self):
        self.check({**self.AUTO, 'fuses': 'x'}, 'auto', ())

    def test_no_firmware_for_rom(self):
        lines = self.warnings({'boot': 'guest', 'rom': 'x',
                               'native-fw': 'off'})
        self.assertIn('caliptra-rom has no effect with '
                      'caliptra-native-fw=off', lines[0])

    def test_enums(self):
        for name, bad in (('boot', 'maybe'), ('lifecycle', 'old'),
                          ('debug-locked', 'yes')):
            with self.subTest(option=name):
                lines = self.warnings({name: bad})
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(bad, lines[0])


class Ranges(unittest.TestCase):
    """Numbers out of range."""

    CASES = (('caliptra-native-fw', 'dpe-max-handles', 23),
             ('caliptra-native-fw', 'dpe-max-handles', 255))

    def test_refused(self):
        for device, prop, value in self.CASES:
            with self.subTest(device=device, prop=prop, value=value):
                proc = subprocess.run(
                    [default_binary(), '-M', 'ast2700fc,caliptra-boot=guest',
                     '-global', '%s.%s=%d' % (device, prop, value),
                     '-display', 'none', '-accel', 'qtest'],
                    stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    text=True, timeout=120, check=False)
                self.assertEqual(proc.returncode, 1)
                lines = proc.stderr.splitlines()
                self.assertEqual(len(lines), 1, lines)
                self.assertIn(prop, lines[0])


if __name__ == '__main__':
    unittest.main()
