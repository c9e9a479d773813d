#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boot the ast2700fc machine through Caliptra

from pathlib import Path
import re
import time

from qemu_test import skipIfMissingCommands, skipIfMissingImports
from qemu_test import wait_for_console_pattern

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
class AspeedCaliptra(CaliptraTest):

    @skipIfMissingCommands('aarch64-linux-gnu-gcc')
    def test_boot(self):
        """The guest runs on the released cores and talks to Caliptra"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm(firmware=firmware, fuses=fuses,
                          guest=self.make_guest())
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle').decode()
        for n in range(self.CA35_CORES):
            self.assertRegex(report, rf'(?i)core {n}\b')
        self.assertIn(self.RELEASED, self.caliptra_log())
        self.assertFalse(self.held(vm))
        self.assertTrue(self.read32(vm, self.FLOW_STATUS) &
                        self.READY_FOR_RUNTIME)
        self.assertTrue(self.read32(vm, self.SCU_CPTRA_CTRL) &
                        self.SCU_READY_FOR_RUNTIME)

    def test_refused(self):
        """One flipped bit in the runtime image: the cores never start"""
        firmware, fuses = self.make_bundle()
        image = bytearray(Path(firmware).read_bytes())
        image[-4] ^= 1
        Path(firmware).write_bytes(image)
        vm = self.make_vm(firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        self.wait_for_log(self.HELD)

        log = self.caliptra_log()
        self.assertIn(firmware, log)
        self.assertIn('IMAGE_VERIFIER_ERR_RUNTIME_DIGEST_MISMATCH', log)
        self.assertNotIn(self.RELEASED, log)
        code = int(re.search(r'\(0x([0-9a-f]{8})\)', log)[1], 16)
        self.assertEqual(self.read32(vm, self.FW_ERROR_FATAL), code)
        # said once, on the log and on stderr
        self.assertEqual(log.count(self.HELD), 1)
        self.assert_held(vm)
        self.assertFalse(self.read32(vm, self.SCU_CPTRA_CTRL) &
                         self.SCU_READY_FOR_RUNTIME)
        vm.shutdown()
        self.assertEqual(vm.get_log().count(self.HELD), 1)

    def test_held_then_released(self):
        """The cores stay at their start addresses until the release"""
        firmware, fuses = self.make_bundle()
        # seconds of virtual time instead of milliseconds
        vm = self.make_vm('-global', 'caliptra.firmware-latency=500000',
                          firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        for _ in range(3):
            self.assert_held(vm)
            time.sleep(0.1)
        self.wait_for_log(self.RELEASED)
        self.assert_idle_runs(vm)

    def test_system_reset(self):
        """A machine reset holds the cores and boots again, to the same log"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm('-seed', '1', firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        self.wait_for_log(self.RELEASED)
        first = self.caliptra_log()
        vm.cmd('system_reset')
        self.wait_for_log(self.RELEASED, count=2)
        second = self.caliptra_log()[len(first):]
        held, _, second = second.partition('\n')
        self.assertIn('CA35 cores held', held)
        self.assertEqual(second, first)
        self.assert_idle_runs(vm)

    def test_boot_off(self):
        """Without a firmware the cores run at once, Caliptra has no power"""
        vm = self.make_vm(guest=self.make_idle_guest())
        vm.launch()
        self.assert_idle_runs(vm)
        self.assertEqual(self.read32(vm, self.SCU_CPTRA_CTRL), 0)
        self.assertEqual(self.read32(vm, self.FLOW_STATUS), 0)

    def test_boot_guest(self):
        """caliptra-boot=guest: Caliptra waits for its fuses, the cores run"""
        vm = self.make_vm(guest=self.make_idle_guest(),
                          options=',caliptra-boot=guest')
        vm.launch()
        self.wait_until(lambda: self.read32(vm, self.FLOW_STATUS) & (1 << 30),
                        'ready_for_fuses')
        self.assert_idle_runs(vm)


if __name__ == '__main__':
    CaliptraTest.main()
