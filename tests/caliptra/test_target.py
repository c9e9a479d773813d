#!/usr/bin/env python3
#
# Suites of the AST2700's Caliptra on the machine caliptra
#
# The native firmware behind the window of the other machine; what is asked of
# the images that genuine firmware is tried with is here, too.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Boot, clients, identity and DPE on qemu-system-riscv32, with uc=native."""

import functools
import os
import random
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ['CALIPTRA_TARGET'] = 'native'
import caliptra_soc     # noqa: E402
import compare          # noqa: E402
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
                              for case in (*SUITES, Target, Compare, Folder))


class Target(unittest.TestCase):
    def test_machine(self):
        """What is behind the suites is what they are to try."""
        with caliptra_soc.CaliptraSoc() as soc:
            self.assertEqual(soc.qom_get('/machine', 'type'),
                             'caliptra-machine')
            self.assertEqual(soc.qom_get('/machine/core', 'uc'),
                             '/machine/native')


class Lying(compare.Engine):
    """Answers a command as nobody should."""

    def do_command(self, code, payload):
        shown = super().do_command(code, payload)
        if code == compare.table.COMMANDS['VERSION'].code:
            shown['data'] = shown['data'][:-2] + 'ff'
        return shown


class Compare(unittest.TestCase):
    """The comparison of native and genuine firmware, with two native ones."""

    def comparison(self, other):
        comparison = compare.Comparison(
            functools.partial(compare.Engine, 'native'),
            functools.partial(other, 'native'))
        self.addCleanup(comparison.close)
        return comparison

    def test_same(self):
        """What is the same does not differ."""
        comparison = self.comparison(compare.Engine)
        for seed in 3, 4:
            self.assertEqual(comparison.sequence(seed), 0)

    def test_different(self):
        """The kind, and the steps that it needs."""
        steps = [compare.power(random.Random(1), 5),
                 *((name, 'command', (compare.table.COMMANDS[name].code, b''))
                   for name in ('CAPABILITIES', 'VERSION', 'CAPABILITIES'))]
        comparison = self.comparison(Lying)
        (kind, text, last), = comparison.run(1, steps)
        self.assertEqual((kind, last), ('VERSION: data', 2))
        self.assertIn('VERSION: data: from byte 35 of 36/36: ', text)
        self.assertEqual(comparison.shortest(1, steps, kind, last),
                         [steps[0], steps[2]])


class Folder(unittest.TestCase):
    """$CALIPTRA_GENUINE_DIR"""

    def test_incomplete(self):
        """What is missing has a name."""
        with tempfile.TemporaryDirectory() as folder:
            for name in 'rom.bin', 'fw.bin':
                with self.assertRaisesRegex(FileNotFoundError, name):
                    genuine.Images(os.path.join(folder, 'rom.bin'),
                                   os.path.join(folder, 'fw.bin'))
                with open(os.path.join(folder, name), 'wb'):
                    pass


if __name__ == '__main__':
    unittest.main(verbosity=2)
