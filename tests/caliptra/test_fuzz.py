#!/usr/bin/env python3
#
# Random accesses to everything, from both sides: nothing may break
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fuzzing of the registers; after it, the core works as if new."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import register_model  # noqa: E402
import replay  # noqa: E402
from qtestlib import QTest  # noqa: E402

SEEDS = int(os.environ.get('CALIPTRA_SEEDS', '4'))
ACCESSES = 6000

# the SoC's window as the AST2700 maps it: mailbox page first
WINDOW = 0x14c60000
WINDOW_SIZE = 0x20000


class Fuzz(unittest.TestCase):

    @staticmethod
    def address(rng, known):
        """Mostly registers, now and then anything."""
        if rng.randrange(4):
            return rng.choice(known)
        base = rng.choice((0x10000000, 0x10020000, 0x30000000, 0x30020000,
                           0x30030000, 0, 0x20000000, 0x60000000))
        return base + rng.randrange(0x20000)

    @staticmethod
    def value(rng):
        return rng.choice((0, 1, 2, 3, 0xffffffff, rng.getrandbits(4),
                           1 << rng.randrange(32), rng.getrandbits(32)))

    def both_sides(self, qtest, seed):
        rng = random.Random(seed)
        known = sorted(register_model.words())
        cmds = []
        for _ in range(ACCESSES):
            dice = rng.randrange(100)
            addr = self.address(rng, known)
            soc = replay.SOC_WINDOW + addr % 0x40000
            if dice < 30:
                cmds.append('readl 0x%x' % (replay.BUS + addr))
            elif dice < 60:
                cmds.append('writel 0x%x 0x%x' % (replay.BUS + addr,
                                                  self.value(rng)))
            elif dice < 72:
                cmds.append('readl 0x%x' % soc)
            elif dice < 90:
                cmds.append('writel 0x%x 0x%x' % (soc, self.value(rng)))
            elif dice < 95:
                cmds.append('writel 0x%x 0x%x' %
                            (replay.PAUSER,
                             rng.choice((1, 2, 0xffffffff))))
            elif dice < 98:
                cmds.append('clock_step %d' % (1 + rng.randrange(1 << 16)))
            else:
                reg = rng.choice((replay.RESET, replay.SECURITY_STATE,
                                  replay.LINES, replay.PULSE,
                                  replay.GENERIC_IN + 4, replay.TAP + 0x144))
                cmds.append('writel 0x%x 0x%x' % (reg, self.value(rng)))
        qtest.batch(cmds)

    def test_both_sides(self):
        with replay.bench_qtest() as qtest:
            for seed in range(SEEDS):
                with self.subTest(seed=seed):
                    self.both_sides(qtest, seed)
                    sweep = register_model.Sweep(seed).run()
                    player = replay.Player(replay.Trace('sweep',
                                                        sweep.lines()))
                    self.assertEqual(player.run(qtest), [])

    def test_soc_against_firmware(self):
        """The firmware side lives through what a SoC may do to it."""
        for seed in range(SEEDS):
            with self.subTest(seed=seed), QTest(
                    machine='ast2700fc,caliptra-boot=guest', qmp=True) as q:
                rng = random.Random(seed)
                known = [a - 0x30020000
                         for a in register_model.words(
                             ('mbox_csr', 'sha512_acc_csr', 'soc_ifc_reg'))]
                # a boot that gets somewhere
                q.writes32([(WINDOW + 0x10048, 0x21212121),
                            (WINDOW + 0x1005c, 1),
                            (WINDOW + 0x10110, 0xffffffff),
                            (WINDOW + 0x10114, 0xffffffff),
                            (WINDOW + 0x100b0, 1)])
                cmds = []
                for _ in range(ACCESSES // 2):
                    dice = rng.randrange(100)
                    off = (rng.choice(known) if rng.randrange(8)
                           else rng.randrange(0, WINDOW_SIZE, 4))
                    if dice < 40:
                        cmds.append('readl 0x%x' % (WINDOW + off))
                    elif dice < 70:
                        cmds.append('writel 0x%x 0x%x' %
                                    (WINDOW + off, self.value(rng)))
                    elif dice < 75:
                        # serve the TRNG
                        cmds.append('writel 0x%x 2' % (WINDOW + 0x100ac))
                    elif dice < 99:
                        cmds.append('clock_step %d' %
                                    (1 + rng.randrange(1 << 20)))
                    else:
                        cmds.append('writel 0x14c02220 0x200')
                        cmds.append('writel 0x14c02224 0x200')
                        cmds.append('writel 0x%x 1' % (WINDOW + 0x100b0))
                q.batch(cmds)
                self.assertEqual(q.qmp('query-status')['status'], 'running')


if __name__ == '__main__':
    unittest.main()
