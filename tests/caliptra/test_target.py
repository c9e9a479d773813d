#!/usr/bin/env python3
#
# Suites of the AST2700's Caliptra on the machine caliptra
#
# The native firmware behind the window of the other machine; what is asked of
# the images that genuine firmware is tried with is here, too.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Boot, clients, identity and DPE on qemu-system-riscv32, with uc=native."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ['CALIPTRA_TARGET'] = 'native'
import caliptra_soc     # noqa: E402
import genuine          # noqa: E402
import test_boot        # noqa: E402
import test_clients     # noqa: E402
import test_dpe         # noqa: E402
import test_identity    # noqa: E402

SUITES = (
    test_boot.BootTests,
    test_boot.RomTests,
    test_clients.BootTests,
    test_dpe.KnownAnswers,
    test_identity.TestResets,
)


def load_tests(loader, _standard, _pattern):
    """Those, and this file's."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case)
                              for case in (*SUITES, Target, Folder))


class Target(unittest.TestCase):
    def test_machine(self):
        """What is behind the suites is what they are to try."""
        with caliptra_soc.CaliptraSoc() as soc:
            self.assertEqual(soc.qom_get('/machine', 'type'),
                             'caliptra-machine')
            self.assertEqual(soc.qom_get('/machine/core', 'uc'),
                             '/machine/native')


class Folder(unittest.TestCase):
    """$CALIPTRA_GENUINE_DIR"""

    def test_incomplete(self):
        """What is missing has a name."""
        with tempfile.TemporaryDirectory() as folder:
            for name in 'rom.bin', 'fw.bin':
                with self.assertRaisesRegex(FileNotFoundError, name):
                    genuine.Images(folder)
                with open(os.path.join(folder, name), 'wb'):
                    pass


if __name__ == '__main__':
    unittest.main(verbosity=2)
