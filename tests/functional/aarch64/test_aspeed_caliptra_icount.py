#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same run each time, with -icount and -seed
#
# Record/replay itself refuses machines with more than one CPU.

from qemu_test import skipIfMissingCommands, skipIfMissingImports
from qemu_test import wait_for_console_pattern

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
@skipIfMissingCommands('aarch64-linux-gnu-gcc')
class AspeedCaliptraIcount(CaliptraTest):

    def run_guest(self, name):
        """One run to the end of the guest's report: log and report"""
        vm = self.make_vm('-icount', 'shift=2', '-seed', '1',
                          firmware=self.firmware, fuses=self.fuses,
                          guest=self.guest, name=name)
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle', vm=vm)
        vm.shutdown()
        return self.caliptra_log(name), report

    def test_icount(self):
        """Two runs with the same seed print the same"""
        self.firmware, self.fuses = self.make_bundle()
        self.guest = self.make_guest()
        first = self.run_guest('first')
        second = self.run_guest('second')
        self.assertEqual(first, second)
        self.assertIn(self.RELEASED, first[0])


if __name__ == '__main__':
    CaliptraTest.main()
