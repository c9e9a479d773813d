#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A host that stalls QEMU changes nothing that a guest of Caliptra sees

import os
import random
import re
import signal
import time

from qemu_test import skipIfMissingCommands, skipIfMissingImports

from caliptra import CaliptraTest

# How often QEMU is stopped, for at most how long; for more than this test's
# few seconds
STALLS = int(os.environ.get('CALIPTRA_STALLS', '30'))
LONGEST = float(os.environ.get('CALIPTRA_STALL_SECONDS', '0.3'))
# longer than firmware's watchdog and the TRNG's time-out
SHORTEST = 0.3


@skipIfMissingImports('cryptography')
class AspeedCaliptraStall(CaliptraTest):

    timeout = 120 + STALLS * LONGEST

    def stalled(self, name, rng):
        """Which of the machines of @name are stalled together"""
        return [self.get_vm(name=name)]

    def stall(self, vms, seconds):
        """What a host does that has no time for QEMU"""
        for number in signal.SIGSTOP, signal.SIGCONT:
            for vm in vms:
                os.kill(vm.get_pid(), number)
            if number == signal.SIGSTOP:
                time.sleep(seconds)

    def self_check(self, name, rng, stalls):
        """
        Boot and run the guest's self-check, stalled at random moments;
        returns its lines and how many of the @stalls are left
        """
        console = self.log_file(f'console-{name}.log')
        vm = self.make_vm('-chardev', f'file,id=con,path={console}',
                          '-serial', 'chardev:con',
                          *self.payloads_args(self.payloads),
                          firmware=self.firmware, fuses=self.fuses,
                          guest=self.guest, name=name)
        vm.launch()

        def report():
            with open(console, encoding='utf-8', errors='replace') as file:
                return file.read()

        end = time.monotonic() + self.timeout
        while not re.search(r'self-check: .*\n', report()):
            self.assertLess(time.monotonic(), end, 'the guest has no end')
            time.sleep(rng.uniform(0, 0.02))
            if stalls:
                self.stall(self.stalled(name, rng),
                           rng.uniform(SHORTEST, LONGEST))
                stalls -= 1
        vm.shutdown()
        self.assertIn(self.RELEASED, self.caliptra_log(name))
        return report(), stalls

    @skipIfMissingCommands('aarch64-linux-gnu-gcc')
    def test_stalls(self):
        """The self-check says the same, stalled at whatever moments"""
        self.firmware, self.fuses = self.make_bundle()
        self.guest = self.make_guest()
        self.payloads = self.make_payloads(self.firmware)
        rng = random.Random(1)
        left, run = STALLS, 0
        while left:
            run += 1
            report, left = self.self_check(f'run{run}', rng, left)
            self.assertNotIn('FAILED', report)
            self.assertRegex(report, r'self-check: \d+ passed, 0 failed')

    def fatal_error(self, wdt, *args):
        """
        Fuses written; returns the error that the ROM ends with

        @wdt: CPTRA_WDT_CFG, in clocks
        """
        vm = self.make_vm(*args, guest=self.make_idle_guest(),
                          options=',caliptra-boot=guest'
                          ',caliptra-debug-locked=on')
        qtest = self.launch_with_qtest(vm)
        for addr, value in ((self.WDT_CFG, wdt), (self.FUSE_WR_DONE, 1)):
            self.assertTrue(qtest.cmd(f'writel {addr:#x} {value:#x}')
                            .startswith('OK'))
        self.wait_until(lambda: self.read32(vm, self.FW_ERROR_FATAL),
                        'a fatal error')
        return self.read32(vm, self.FW_ERROR_FATAL)

    def test_trng_time_out(self):
        """A TRNG that is really not served still ends as on silicon"""
        # ROM_CFI_PANIC_TRNG_FAILURE
        self.assertEqual(self.fatal_error(0x7fffffff), 0x0104005b)

    def test_watchdog(self):
        """A watchdog that really expires still ends as on silicon"""
        # ROM_GLOBAL_WDT_EXPIRED; 1000 clocks end in the known-answer tests,
        # whose entropy comes from the core itself
        self.assertEqual(self.fatal_error(1000, '-global',
                                          'caliptra.itrng=on'), 0x0105000c)


if __name__ == '__main__':
    CaliptraTest.main()
