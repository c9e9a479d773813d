#!/usr/bin/env python3
#
# Every register of soc_ifc_reg against the table
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Register sweeps: reset values, access rules of both sides, domains."""

import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import caliptra_soc as soc_regs  # noqa: E402
from caliptra_soc import CaliptraSoc  # noqa: E402
import register_model  # noqa: E402
import replay  # noqa: E402
from qtestlib import QTest, QTestError  # noqa: E402

SEEDS = 4


class Sweep(unittest.TestCase):

    def test_sweep(self):
        with replay.bench_qtest() as qtest:
            for seed in range(SEEDS):
                with self.subTest(seed=seed):
                    sweep = register_model.Sweep(seed).run()
                    trace = replay.Trace('seed %d' % seed, sweep.lines())
                    player = replay.Player(trace)
                    player.run(qtest)
                    out = io.StringIO()
                    player.report(5, out)
                    self.assertFalse(player.diffs, '\n' + out.getvalue())


class Reset(unittest.TestCase):
    """What traces cannot show: the time while a reset lasts."""

    FUSE_LIFE_CYCLE = replay.SOC_WINDOW + 0x3033c
    TIMER_CONFIG = replay.SOC_WINDOW + 0x300b4
    RSVD = replay.SOC_WINDOW + 0x30120
    FLOW_STATUS = replay.SOC_WINDOW + 0x3003c

    def setUp(self):
        self.qtest = replay.bench_qtest(qmp=True)
        self.lines(3)
        self.qtest.write32(replay.PAUSER, 1)

    def tearDown(self):
        self.qtest.close()

    def lines(self, value):
        self.qtest.write32(replay.LINES, value)

    def words(self):
        return self.qtest.reads32([self.FUSE_LIFE_CYCLE, self.TIMER_CONFIG,
                                   self.RSVD, self.FLOW_STATUS])

    def write(self, value):
        self.qtest.writes32([(self.FUSE_LIFE_CYCLE, value),
                             (self.TIMER_CONFIG, value),
                             (self.RSVD, value)])

    def in_reset(self):
        """Reads give 0, writes are lost, no error, all outputs low."""
        self.assertEqual(self.words(), [0, 0, 0, 0])
        self.write(3)
        self.assertEqual(self.words(), [0, 0, 0, 0])
        # where there would be an error otherwise
        self.assertEqual(self.qtest.read32(replay.SOC_WINDOW), 0)
        self.assertEqual(self.qtest.read32(replay.STATE) &
                         (replay.ALL_WIRES | replay.STATE_ERROR), 0)

    def test_warm(self):
        self.write(2)
        self.assertEqual(self.words(), [2, 2, 2, 0x42000000])
        self.lines(1)
        self.in_reset()
        self.lines(3)
        self.assertEqual(self.words(), [2, 2, 0, 0x42000000])

    def test_cold(self):
        self.write(2)
        self.lines(2)
        self.in_reset()
        self.lines(3)
        self.assertEqual(self.words(), [0, 0, 0, 0x42000000])

    def test_power_fails_in_reset(self):
        self.write(2)
        self.lines(1)
        self.lines(0)
        self.in_reset()
        self.lines(1)
        self.in_reset()
        self.lines(3)
        self.assertEqual(self.words(), [0, 0, 0, 0x42000000])

    def test_machine_reset(self):
        """system_reset is a power cycle."""
        self.write(2)
        self.qtest.write32(replay.SOC_WINDOW + 0x300b0, 1)
        self.qtest.qmp('system_reset')
        self.assertEqual(self.words(), [0, 0, 0, 0x42000000])
        sweep = register_model.Sweep(1).run()
        player = replay.Player(replay.Trace('sweep', sweep.lines()))
        self.assertEqual(player.run(self.qtest), [])


class Testdev(unittest.TestCase):
    """The test device's own registers."""

    def test_reset(self):
        """A reset clears them, and what they have done to the core."""
        cleared = [replay.PAUSER, replay.GENERIC_IN, replay.GENERIC_IN + 4,
                   replay.SRAM_FLIP, replay.SRAM_FLIP + 4, replay.LINES]
        with replay.bench_qtest(qmp=True) as q:
            before = q.reads32(cleared)
            self.assertEqual(before[:5], [0] * 5)
            q.write32(replay.RESET, replay.RESET_COLD)
            q.writes32([(addr, 0x1b) for addr in cleared])
            # half of a pair: the other one must not come with it afterwards
            q.write32(replay.GENERIC_IN, 0x2b)
            q.read32(replay.SOC_WINDOW)
            self.assertEqual(q.reads32(cleared), [0x1b] * 6)
            self.assertEqual(q.read32(replay.STATE) & replay.STATE_ERROR, 1)
            q.qmp('system_reset')
            q.poll32(replay.PAUSER, 0xffffffff, 0, step_ns=1)
            self.assertEqual(q.reads32(cleared), before)
            self.assertEqual(q.read32(replay.STATE) & replay.STATE_ERROR, 0)
            q.write32(replay.GENERIC_IN + 4, 1)
            self.assertEqual(q.read32(replay.GENERIC_IN), 0)

    def test_wrong_core(self):
        for options, error in (
                ('core=/machine/nothing', 'not found'),
                ('core=/machine/caliptra', 'Invalid parameter type')):
            with self.subTest(options=options), \
                    self.assertRaisesRegex(QTestError, error):
                replay.bench_qtest(args=['-device',
                                         'caliptra-testdev,' + options])


@soc_regs.needs_native
class TwoCores(unittest.TestCase):
    """That of the machine, and one that the test device has made."""

    IDS = ('/machine/caliptra-core-device',
           '/machine/peripheral/second/own-core')

    def setUp(self):
        self.soc = CaliptraSoc(args=[
            '-device', 'caliptra-testdev,id=second,addr=0x%x' % replay.BUS,
            '-trace', 'caliptra_boot_fsm', '-d', 'guest_errors'])
        self.addCleanup(self.soc.close)

    def lines(self, text):
        """How many lines each core has."""
        lines = [line for line in self.soc.stderr().splitlines()
                 if text in line]
        counts = [sum(name + ': ' in line for line in lines)
                  for name in self.IDS]
        self.assertEqual(sum(counts), len(lines))
        return counts

    def test_both_work(self):
        soc = self.soc
        soc.power_on()
        soc.start()
        for path in replay.find_traces([replay.own_traces_dir()]):
            with self.subTest(trace=os.path.basename(path)):
                player = replay.Player(replay.Trace(path))
                out = io.StringIO()
                player.run(soc)
                player.report(3, out)
                self.assertFalse(player.diffs, '\n' + out.getvalue())
            soc.serve_trng()
        soc.wait_ready_for_fw()

    def test_distinguishable(self):
        soc = self.soc
        self.assertEqual(self.lines('without lock'), [0, 0])
        start = self.lines('caliptra_boot_fsm')
        soc.power_on()
        first = self.lines('caliptra_boot_fsm')
        self.assertGreater(first[0], start[0])
        self.assertEqual(first[1], start[1])
        soc.write32(replay.RESET, replay.RESET_COLD)
        both = self.lines('caliptra_boot_fsm')
        self.assertEqual(both[0], first[0])
        self.assertGreater(both[1], first[1])
        soc.write32(replay.PAUSER, soc_regs.DEFAULT_PAUSER)
        for base, want in ((soc_regs.MBOX, [1, 0]),
                           (replay.SOC_WINDOW + 0x20000, [1, 1])):
            offset = base - soc_regs.MBOX
            soc.writes32([(soc_regs.MBOX_VALID_PAUSER + offset,
                           soc_regs.DEFAULT_PAUSER),
                          (soc_regs.MBOX_PAUSER_LOCK + offset, 1),
                          (soc_regs.MBOX_CMD + offset, 1)])
            self.assertEqual(self.lines('without lock'), want)


@soc_regs.needs_native
class Realize(unittest.TestCase):
    """Core and firmware go and come back."""

    CORE, FIRMWARE = '/machine/caliptra-core-device', '/machine/caliptra-uc'

    def setUp(self):
        self.soc = CaliptraSoc(qmp=True)
        self.addCleanup(self.soc.close)

    def realized(self, path, value):
        self.soc.qmp('qom-set', path=path, property='realized', value=value)

    def certificate(self):
        return self.soc.qom_get(self.FIRMWARE, 'ldevid-cert')

    def boot(self):
        self.soc.power_on()
        self.soc.start()
        self.soc.wait_ready_for_fw()
        return self.certificate()

    def test_again(self):
        soc = self.soc
        want = self.boot()
        for paths in ([self.CORE], [self.FIRMWARE],
                      [self.CORE, self.FIRMWARE], [self.FIRMWARE, self.CORE]):
            with self.subTest(paths=paths):
                for path in paths:
                    self.realized(path, False)
                self.certificate()
                soc.qom_get(self.CORE, 'last-error-name')
                # no timer of theirs is left, and no line has an effect
                soc.clock_step(1000000000)
                if self.CORE in paths:
                    soc.assert_reset()
                    soc.release_reset()
                    self.assertEqual(soc.read32(soc_regs.FLOW_STATUS), 0)
                for path in reversed(paths):
                    self.realized(path, True)
                self.assertEqual(self.boot(), want)

    def test_in_the_middle(self):
        """While firmware waits for random words, and while it is at work."""
        soc = self.soc
        want = self.boot()
        for steps in (1, 3, 20):
            for path in (self.CORE, self.FIRMWARE):
                with self.subTest(path=path, steps=steps):
                    soc.power_on()
                    soc.start()
                    for _ in range(steps):
                        soc.step()
                    self.realized(path, False)
                    soc.clock_step(1000000000)
                    self.realized(path, True)
                    self.assertEqual(self.boot(), want)


class Properties(unittest.TestCase):
    """What a debugger asks."""

    def test_values(self):
        with replay.bench_qtest(qmp=True) as q:
            path = q.find_qom('caliptra')

            def get(name):
                return q.qom_get(path, name)

            q.write32(replay.RESET, replay.RESET_COLD)
            q.write32(replay.PAUSER, 0xffffffff)
            self.assertEqual(get('flow-status'), 0x42000000)
            self.assertEqual(get('mailbox-state'), 'IDLE')
            self.assertEqual(get('last-error'), 0)
            self.assertEqual(get('last-error-name'), '')
            q.read32(replay.SOC_WINDOW + 0x20000)
            self.assertEqual(get('mailbox-state'), 'RDY_FOR_CMD')
            # FW_PROC_MAILBOX_RESERVED_PAUSER
            q.write32(replay.BUS + 0x3003000c, 0x01020009)
            q.write32(replay.BUS + 0x30030038, 0x600)
            self.assertEqual(get('boot-status'), 0x600)
            self.assertEqual(get('last-error'), 0x01020009)
            self.assertEqual(get('last-error-name'),
                             'FW_PROC_MAILBOX_RESERVED_PAUSER')
            for name in ('boot-status', 'flow-status', 'last-error',
                         'last-error-name', 'mailbox-state'):
                with self.subTest(name=name):
                    self.assertRaises(QTestError, q.qmp, 'qom-set',
                                      path=path, property=name, value=0)

    def test_wrong_max_handles(self):
        for value in (1, 23, 33, 255):
            with self.subTest(value=value), self.assertRaisesRegex(
                    QTestError, 'dpe-max-handles must be 24 to 32, not %d'
                    % value):
                QTest(machine='ast2700fc,caliptra-boot=guest', args=[
                    '-global',
                    'caliptra-native-fw.dpe-max-handles=%d' % value])


if __name__ == '__main__':
    unittest.main()
