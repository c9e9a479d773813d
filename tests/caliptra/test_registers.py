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
import register_model  # noqa: E402
import replay  # noqa: E402

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


if __name__ == '__main__':
    unittest.main()
