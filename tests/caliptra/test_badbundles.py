#!/usr/bin/env python3
#
# Caliptra refuses bad firmware bundles, each with its number
#
# badbundles.py makes the bundles and says what shall become of each; here
# each goes through the registers of the ast2700fc machine.  The first of them
# is a fixed input of the qtests.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Bad bundles through the mailbox."""

import os
import struct
import subprocess
import sys
import tempfile
import unittest

import badbundles
from caliptra_soc import (
    CMD_COMPLETE, CMD_FAILURE, FIRMWARE_LOAD, FW_ERROR_FATAL,
    FW_ERROR_NON_FATAL, FW_EXTENDED_ERROR_INFO, BOOT_STATUS, FLOW_STATUS,
    MBOX_CMD, MBOX_DATAIN, MBOX_DLEN, MBOX_EXECUTE, MBOX_LOCK,
    READY_FOR_RUNTIME, SCU_CPTRA_CTRL, CaliptraSoc)

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, '..', 'data', 'caliptra')
BUNDLE_PY = os.path.join(HERE, '..', '..', 'scripts', 'caliptra', 'bundle.py')

SCU_RDY_FOR_RT = 1 << 18

LIFECYCLES = {'unprovisioned': (0, False), 'manufacturing': (1, True),
              'production': (3, True)}


class BadBundles(unittest.TestCase):
    """One machine for all cases: a power cycle lies between them."""

    @classmethod
    def setUpClass(cls):
        cls.soc = CaliptraSoc()

    @classmethod
    def tearDownClass(cls):
        cls.soc.close()

    def load(self, case):
        """Fuses, and the bundle, whose DLEN may lie about its length."""
        soc = self.soc
        data, fuses = case.make()
        lifecycle, debug_locked = LIFECYCLES[case.lifecycle]
        soc.power_on(lifecycle=lifecycle, debug_locked=debug_locked)
        words = {}
        for word in badbundles.fuse_words(fuses):
            offset, value = word.split('=')
            words[int(offset, 0)] = [int(value[i:i + 8], 16)
                                     for i in range(0, len(value), 8)]
        soc.start(words)
        soc.wait_ready_for_fw()
        self.assertEqual(soc.read32(MBOX_LOCK), 0)
        padded = data + bytes(-len(data) % 4)
        soc.writes32([(MBOX_CMD, FIRMWARE_LOAD),
                      (MBOX_DLEN, len(data) if case.dlen is None
                       else case.dlen)] +
                     [(MBOX_DATAIN, word) for word, in
                      struct.iter_unpack('<I', padded)] +
                     [(MBOX_EXECUTE, 1)])
        return soc.mailbox_finish()[0]

    def check(self, case):
        soc = self.soc
        status = self.load(case)
        errors = soc.reads32([FW_ERROR_FATAL, FW_ERROR_NON_FATAL,
                              FW_EXTENDED_ERROR_INFO])
        self.assertEqual(errors, [case.code, case.code, case.ext])
        if not case.code:
            self.assertEqual(status, CMD_COMPLETE)
            soc.wait_ready_for_runtime()
            self.assertEqual(soc.reads32([FW_ERROR_FATAL,
                                          FW_ERROR_NON_FATAL]), [0, 0])
            return
        self.assertEqual(status, CMD_FAILURE)
        self.assertEqual(soc.read32(BOOT_STATUS), case.boot_status)
        # no further command is served, and no runtime comes
        soc.mailbox_send(FIRMWARE_LOAD, b'')
        self.assertEqual(soc.mailbox_finish()[0], CMD_FAILURE)
        self.assertEqual(soc.read32(FW_ERROR_FATAL), case.code)
        self.assertEqual(soc.read32(FLOW_STATUS) & READY_FOR_RUNTIME, 0)
        self.assertEqual(soc.read32(SCU_CPTRA_CTRL) & SCU_RDY_FOR_RT, 0)

    def test_all(self):
        for group, case in badbundles.cases():
            with self.subTest(f'{group}/{case.name}'):
                self.check(case)


class FixedInputs(unittest.TestCase):
    """What the qtests load is what the tool makes."""

    def test_bundle(self):
        with tempfile.TemporaryDirectory() as made:
            subprocess.run(
                [sys.executable, BUNDLE_PY, 'create',
                 '-o', os.path.join(made, 'bundle.bin'),
                 '--fuses', os.path.join(made, 'bundle.fuses')],
                check=True, stdout=subprocess.DEVNULL)
            for name in ('bundle.bin', 'bundle.fuses'):
                with open(os.path.join(made, name), 'rb') as new, \
                        open(os.path.join(DATA, name), 'rb') as old:
                    self.assertEqual(new.read(), old.read(), name)


if __name__ == '__main__':
    unittest.main()
