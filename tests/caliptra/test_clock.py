#!/usr/bin/env python3
#
# A core whose clock stands still, or creeps, or races
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Watchdog and machine timer at clocks beyond all reason."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import replay                       # noqa: E402
import test_engines as engines      # noqa: E402
from qtestlib import QTest, QTestError          # noqa: E402
from test_veer import riscv_binary  # noqa: E402

SOC_IFC = replay.BUS + 0x30030000
WDT_TIMER1_EN, WDT_TIMER2_EN = SOC_IFC + 0x0e4, SOC_IFC + 0x0f4
WDT_PERIOD1, WDT_PERIOD2 = SOC_IFC + 0x0ec, SOC_IFC + 0x0fc
WDT_STATUS = SOC_IFC + 0x104
MTIME, MTIMECMP = SOC_IFC + 0x640, SOC_IFC + 0x648

SECOND = 10 ** 9
# timers that may ring within a second without being said to spin
RINGS = 50


@unittest.skipUnless(os.path.exists(riscv_binary()),
                     'no qemu-system-riscv32 here')
class Clock(unittest.TestCase):

    def core(self, hz):
        qtest = QTest(riscv_binary(), machine='caliptra,clock-frequency=%d' %
                      hz, args=['-device', 'caliptra-testdev,core='
                                '/machine/core,addr=0x%x' % replay.BUS])
        self.addCleanup(qtest.close)
        bench = engines.Bench(qtest)
        bench.power_cycle()
        return qtest

    def arm(self, qtest, period):
        for addr, value in ((WDT_PERIOD1, period), (WDT_PERIOD2, period),
                            (MTIMECMP, period)):
            qtest.writes32([(addr, value & 0xffffffff),
                            (addr + 4, value >> 32)])
        qtest.writes32([(WDT_TIMER1_EN, 1), (WDT_TIMER2_EN, 1)])

    def rest(self, qtest, ns=SECOND):
        """Let time pass, from timer to timer; none spins."""
        now = qtest.clock_step(1)
        end = now + ns
        for _ in range(RINGS):
            try:
                then = qtest.clock_step()
            except QTestError:
                break               # no timer is left
            self.assertGreater(then, now, 'a timer spins')
            now = then
            if now >= end:
                break
        else:
            self.fail('%d timers in %d ns' % (RINGS, ns))

    def test_stopped(self):
        """A clock that stands still lets nothing expire."""
        for period in (0, 1, 5, 1 << 40, (1 << 64) - 1):
            with self.subTest(period=period):
                qtest = self.core(0)
                self.arm(qtest, period)
                self.rest(qtest)
                # a period of no clocks has run out at once
                self.assertEqual(qtest.read32(WDT_STATUS),
                                 3 if period == 0 else 0)
                self.assertEqual(qtest.reads32([MTIME, MTIME + 4]), [0, 0])

    def test_creeping(self):
        """One clock a second: to the clock, not before."""
        qtest = self.core(1)
        self.arm(qtest, 3)
        qtest.clock_step(SECOND)
        self.assertEqual(qtest.read32(WDT_STATUS), 0)
        self.rest(qtest, 4 * SECOND)
        self.assertEqual(qtest.read32(WDT_STATUS), 3)
        self.rest(qtest, 4 * SECOND)

    def test_far_away(self):
        """Deadlines that no clock reaches."""
        for hz in (1, 100 * 10 ** 6):
            for period in (1 << 63, (1 << 64) - 1):
                with self.subTest(hz=hz, period=period):
                    qtest = self.core(hz)
                    self.arm(qtest, period)
                    self.rest(qtest)
                    self.assertEqual(qtest.read32(WDT_STATUS), 0)

    def test_racing(self):
        """Clocks shorter than the nanosecond that QEMU counts in."""
        qtest = self.core(4 * 10 ** 9)
        for period in (1, 2, 3, 4, 5, 1000):
            with self.subTest(period=period):
                self.arm(qtest, period)
                self.rest(qtest)
                self.assertEqual(qtest.read32(WDT_STATUS) & 3, 3)

    def test_end_of_time(self):
        """Beyond what 64 bits of clocks hold, and up to QEMU's last moment."""
        for hz in (1, 4 * 10 ** 9):
            with self.subTest(hz=hz):
                qtest = self.core(hz)
                qtest.clock_set((1 << 62) - 2)
                self.arm(qtest, 5)
                self.rest(qtest, 4)
                qtest.clock_set((1 << 63) - 2 * SECOND)
                self.arm(qtest, 1000)
                self.rest(qtest)


if __name__ == '__main__':
    unittest.main()
