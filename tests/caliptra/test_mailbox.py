#!/usr/bin/env python3
#
# Random two-sided mailbox traffic against an independent model
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Mailbox: random sequences from both sides."""

import io
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mailbox_model  # noqa: E402
import replay  # noqa: E402

# more of them when looking for trouble
SEEDS = int(os.environ.get('CALIPTRA_SEEDS', '12'))
MOVES = 1500


class MailboxRandom(unittest.TestCase):
    """Sequences with few and with many wrong moves."""

    @classmethod
    def setUpClass(cls):
        cls.qtest = replay.bench_qtest()

    @classmethod
    def tearDownClass(cls):
        cls.qtest.close()

    def play(self, seed, wrong):
        traffic = mailbox_model.Traffic(seed, wrong).run(MOVES)
        trace = replay.Trace('seed %d' % seed, traffic.lines())
        player = replay.Player(trace)
        player.run(self.qtest)
        out = io.StringIO()
        player.report(3, out)
        self.assertFalse(player.diffs, '\n' + out.getvalue())

    def test_mostly_correct(self):
        for seed in range(SEEDS):
            with self.subTest(seed=seed):
                self.play(seed, 0.05)

    def test_abuse(self):
        for seed in range(1000, 1000 + SEEDS):
            with self.subTest(seed=seed):
                self.play(seed, 0.3)

    def test_model_notices(self):
        """A wrong expectation is found: the comparison is alive."""
        traffic = mailbox_model.Traffic(1).run(200)
        lines = traffic.lines()
        pos = next(i for i, line in enumerate(lines)
                   if line.startswith('uc R 0x3002001c') or
                   line.startswith('soc R 0x3002001c'))
        words = lines[pos].split(' ')
        col = 3 if words[0] == 'uc' else 4
        words[col] = '0x%08x' % (int(words[col], 16) ^ 0x40)
        lines[pos] = ' '.join(words)
        player = replay.Player(replay.Trace('wrong', lines))
        self.assertEqual(len(player.run(self.qtest)), 1)


if __name__ == '__main__':
    unittest.main()
