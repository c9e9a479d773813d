#!/usr/bin/env python3
#
# Releases of Caliptra's firmware: which one a bundle is, and what it does
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The native firmware is the release that the bundle is."""

import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import caliptra_soc as cs  # noqa: E402
import dpe_bench  # noqa: E402
from dev_bundle import make_bundle  # noqa: E402
from qtestlib import QTest, QTestError  # noqa: E402

RELEASES = ['1.2.%d' % patch for patch in range(6)]


def boot(soc, bundle):
    part = dpe_bench.default_part()
    soc.set_user(dpe_bench.PL0)
    soc.power_on(part.obf_key, part.lifecycle, part.debug_locked)
    soc.start(dpe_bench.fuses(part))
    soc.wait_ready_for_fw()
    soc.load_firmware(bundle)
    soc.wait_ready_for_runtime()


def settle(soc):
    """Let runtime get to where it waits for commands."""
    for _ in range(200):
        soc.serve_trng()
        soc.clock_step(100000)


class TestRecognition(unittest.TestCase):
    """Which release is it?  The log tells, with the reason."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.log = os.path.join(self.dir.name, 'log')

    def soc(self, options=''):
        return dpe_bench.Soc(
            args=['-chardev', 'file,id=log,path=' + self.log],
            machine_options=',caliptra-log=log' + options)

    def said(self):
        """What the log says of releases since the last question."""
        with open(self.log, encoding='ascii') as f:
            lines = f.read().splitlines()
        new, self.seen = lines[self.seen:], len(lines)
        return [line.split('] ', 1)[1] for line in new
                if line.startswith(('[caliptra] FMC 1.2.',
                                    '[caliptra] runtime 1.2.'))]

    def expect(self, cases, options=''):
        self.seen = 0
        with self.soc(options) as soc:
            for bundle, fmc, rt in cases:
                with self.subTest(fmc=fmc, rt=rt):
                    boot(soc, bundle)
                    self.assertEqual(self.said(),
                                     ['FMC ' + fmc, 'runtime ' + rt])

    def test_evidence(self):
        self.expect([(make_bundle(release=r), r + ' (revision)',
                      r + ' (revision)') for r in RELEASES] + [
            (make_bundle(fmc_version=0x0884, rt_version=0x01020002),
             '1.2.4 (version)', '1.2.2 (version)'),
            (make_bundle(fmc_version=0, rt_version=0, rt_load=0x40005c00),
             '1.2.3 (load address of the runtime)',
             '1.2.3 (load address of the runtime)'),
            (make_bundle(fmc_version=0, rt_version=0),
             '1.2.0 (assumed: unknown build)',
             '1.2.0 (assumed: unknown build)'),
            (make_bundle(release='1.2.5', fmc_release='1.2.2'),
             '1.2.2 (revision)', '1.2.5 (revision)')])

    def test_properties(self):
        self.expect([(make_bundle(release='1.2.2'), '1.2.4 (fmc-release)',
                      '1.2.5 (rt-release)')],
                    ',caliptra-fmc-release=1.2.4,caliptra-rt-release=1.2.5')

    def test_wrong_property(self):
        for name in ('caliptra-fmc-release', 'caliptra-rt-release'):
            for value in ('1.2.6', '1.2', ''):
                with self.subTest(name=name, value=value), \
                        self.assertRaisesRegex(QTestError, name):
                    QTest(machine='ast2700fc,caliptra-boot=guest,%s=%s' %
                          (name, value))

    def test_update(self):
        """A good update changes runtime's release, a refused one none."""
        self.seen = 0
        with self.soc() as soc:
            boot(soc, make_bundle(release='1.2.4'))
            self.said()
            bad = bytearray(make_bundle(release='1.2.5'))
            bad[-1] ^= 1
            soc.mailbox_send(cs.FIRMWARE_LOAD, bytes(bad))
            self.assertEqual(soc.mailbox_finish()[0], cs.CMD_FAILURE)
            settle(soc)
            self.assertEqual(self.said(), [])
            soc.load_firmware(make_bundle(release='1.2.5',
                                          fmc_release='1.2.4'))
            settle(soc)
            self.assertEqual(self.said(), ['runtime 1.2.5 (revision)'])


if __name__ == '__main__':
    unittest.main()
