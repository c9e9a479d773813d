#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The same run each time: -icount, -seed, record and replay

from qemu_test import skipIfMissingCommands, skipIfMissingImports
from qemu_test import wait_for_console_pattern

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
@skipIfMissingCommands('aarch64-linux-gnu-gcc')
class AspeedCaliptraReplay(CaliptraTest):

    def make_files(self):
        self.firmware, self.fuses = self.make_bundle()
        self.guest = self.make_guest()

    def run_guest(self, name, icount):
        """One run to the end of the guest's report: log and report"""
        vm = self.make_vm('-icount', icount, '-seed', '1', '-net', 'none',
                          firmware=self.firmware, fuses=self.fuses,
                          guest=self.guest, name=name)
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle', vm=vm)
        vm.shutdown()
        return self.caliptra_log(name), report

    def test_icount(self):
        """Two runs with the same seed print the same, times included"""
        self.make_files()
        first = self.run_guest('first', 'shift=2')
        second = self.run_guest('second', 'shift=2')
        self.assertEqual(first, second)
        self.assertIn(self.RELEASED, first[0])

    def test_record_replay(self):
        """A recorded boot replays"""
        self.make_files()
        rrfile = self.scratch_file('replay.bin')
        recorded = self.run_guest('record',
                                  f'shift=2,rr=record,rrfile={rrfile}')
        replayed = self.run_guest('replay',
                                  f'shift=2,rr=replay,rrfile={rrfile}')
        self.assertEqual(recorded, replayed)


if __name__ == '__main__':
    CaliptraTest.main()
