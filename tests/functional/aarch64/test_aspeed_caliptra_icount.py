#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same run each time, with -icount and -seed; without sleep=off virtual
# time follows the host while all cores are idle
#
# Record/replay itself refuses machines with more than one CPU.

from qemu.machine.machine import VMLaunchFailure
from qemu_test import skipIfMissingCommands, skipIfMissingImports
from qemu_test import wait_for_console_pattern

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
@skipIfMissingCommands('aarch64-linux-gnu-gcc')
class AspeedCaliptraIcount(CaliptraTest):

    def run_guest(self, name, *args, **kwargs):
        """One run to the end of the guest's report: log and report"""
        vm = self.make_vm('-icount', 'shift=2,sleep=off', '-seed', '1', *args,
                          name=name, **kwargs)
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle', vm=vm)
        vm.shutdown()
        return self.caliptra_log(name), report

    def test_icount(self):
        """Two runs with the same seed print the same"""
        firmware, fuses = self.make_bundle()
        guest = self.make_guest()
        first, second = (self.run_guest(name, firmware=firmware, fuses=fuses,
                                        guest=guest)
                         for name in ('first', 'second'))
        self.assertEqual(first, second)
        self.assertIn(self.RELEASED, first[0])

    def test_flash(self):
        """The same with all that is booted in the flash, and a report that
        comes through the BootMCU"""
        firmware, fuses = self.make_bundle()
        flash = self.make_flash(firmware, self.make_guest())
        args = self.payloads_args(self.make_payloads(None, '--ipc'))
        first, second = (self.run_guest(name, *args, flash=flash, fuses=fuses)
                         for name in ('first', 'second'))
        self.assertEqual(first, second)
        self.assertIn(self.RELEASED, first[0])
        self.assertIn('ATF (fw id 10)', first[0])
        self.assertIn(b'Caliptra says, through the BootMCU', first[1])
        self.assertIn(b'attested by the DPE     certificate of', first[1])

    def test_ipc(self):
        """The same with all requests to the BootMCU's Caliptra service"""
        firmware, fuses = self.make_bundle()
        args = self.payloads_args(self.make_payloads(firmware, '--ipc'))
        guest = self.make_guest()
        first, second = (self.run_guest(name, *args, firmware=firmware,
                                        fuses=fuses, guest=guest)
                         for name in ('ipc-first', 'ipc-second'))
        self.assertEqual(first, second)
        self.assertIn(b' passed, 0 failed', first[1])

    def test_record(self):
        """What the manual says of record/replay is true"""
        vm = self.make_vm('-icount', 'shift=2,rr=record,rrfile=' +
                          self.scratch_file('record.bin'))
        with self.assertRaises(VMLaunchFailure) as launch:
            vm.launch()
        self.assertIn('Record/replay is not supported with multiple CPUs',
                      launch.exception.output)


if __name__ == '__main__':
    CaliptraTest.main()
