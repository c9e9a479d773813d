#!/usr/bin/env python3
#
# All recorded traces, and the repository's own, against the model
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Replay of bus transactions: no difference is allowed."""

import io
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import replay  # noqa: E402


class Replay(unittest.TestCase):
    """One test a folder, one subtest a file."""

    def check(self, paths):
        accesses = differences = 0
        self.assertTrue(paths, 'no traces')
        with replay.bench_qtest() as qtest:
            for path in paths:
                with self.subTest(trace=os.path.basename(path)):
                    trace = replay.Trace(path)
                    player = replay.Player(trace)
                    player.run(qtest)
                    accesses += trace.accesses
                    differences += len(player.diffs)
                    out = io.StringIO()
                    player.report(3, out)
                    self.assertFalse(player.diffs, '\n' + out.getvalue())
        print('%d accesses, %d differences' % (accesses, differences),
              file=sys.stderr)

    def recorded(self, name):
        path = replay.vectors_dir(name)
        if not path:
            self.skipTest('no recorded traces here')
        self.check(replay.find_traces([path]))

    def test_own(self):
        self.check(replay.find_traces([replay.own_traces_dir()]))

    def test_rtl_soc_ifc(self):
        self.recorded('rtl-soc_ifc')

    def test_rtl_engines(self):
        self.recorded('rtl-engines')


class Files(unittest.TestCase):
    """What is no trace is told in one line."""

    def test_wrong(self):
        good = 'reset cold\nuc R 0x30030000 0x00000000 0x0\n'
        for name, text, why in (
                ('a.txt', good + 'Hello world\n', ":3: not a line of a bus "
                 "trace: 'Hello world'"),
                ('b.txt', good + 'soc W 0x0 0x0\n', ':3: not a line'),
                ('c.txt', good + 'uc R 0x0 zero 0x0\n', ':3: not a line'),
                ('d.txt', '# nothing\n', ': a bus trace without an event'),
                ('e.txt', '\xff\0', ': not a bus trace, nor text'),
                ('f.txt.gz', good, ': ')):
            with self.subTest(name=name), \
                    tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, name)
                with open(path, 'w', encoding='latin-1') as f:
                    f.write(text)
                with self.assertRaises(replay.TraceError) as e:
                    replay.Trace(path)
                self.assertIn(path + why, str(e.exception))
                self.assertNotIn('\n', str(e.exception))
        with self.assertRaisesRegex(replay.TraceError, 'No such file'):
            replay.Trace('/nonexistent/trace.txt')

    def test_unknown_names(self):
        for line in ('in magic 0x1', 'wire magic 0x1'):
            player = replay.Player(replay.Trace('x', [
                'reset cold', line, 'uc R 0x0 0x0 0x0']))
            with self.assertRaisesRegex(replay.TraceError, 'x:.*magic'):
                player.play(None)


class Player(unittest.TestCase):
    """The player finds what is wrong, and only that."""

    BOOT = ['in security_state 0x7', 'in brkpoint 0x0',
            'in generic_input_wires 0x0', 'reset cold',
            'wire cptra_noncore_rst_b 0x1', 'wire ready_for_fuses 0x1',
            'wire timer_intr 0x1']

    @classmethod
    def setUpClass(cls):
        cls.qtest = replay.bench_qtest()

    @classmethod
    def tearDownClass(cls):
        cls.qtest.close()

    def diffs(self, *lines):
        trace = replay.Trace('trace', self.BOOT + list(lines))
        return [(line - len(self.BOOT), what) for line, what, _, _
                in replay.Player(trace).run(self.qtest)]

    def test_right(self):
        self.assertEqual(self.diffs(
            'soc R 0x300300d4 0x1 0x00000011 0x0',
            'soc R 0x30000000 0x1 0x00000000 0x1',
            'soc W 0x30030200 0x12345678 0x1 0x0',
            'wire obf_uds_seed[0] 0x12345678',
            'soc W 0x300300b0 0x1 0x1 0x0',
            'wire cptra_uc_rst_b 0x1', 'wire ready_for_fuses 0x0',
            'uc W 0x300300cc 0x5 0x0',
            'wire generic_output_wires 0x5'), [])

    def test_wrong_data(self):
        self.assertEqual(self.diffs('soc R 0x300300d4 0x1 0x00000012 0x0'),
                         [(1, 'data')])

    def test_ignored_data(self):
        self.assertEqual(self.diffs('soc R 0x300300d4 0x1 * 0x0'), [])

    def test_wrong_error(self):
        self.assertEqual(self.diffs('soc R 0x300300d4 0x1 0x00000011 0x1'),
                         [(1, 'error and wires')])
        self.assertEqual(self.diffs('soc R 0x30000000 0x1 0x00000000 0x0'),
                         [(1, 'error and wires')])

    def test_wire_missing_in_model(self):
        self.assertEqual(self.diffs('soc W 0x300300c0 0x0 0x1 0x0',
                                    'wire clk_gating_en 0x1'),
                         [(1, 'error and wires')])

    def test_wire_missing_in_trace(self):
        self.assertEqual(self.diffs('soc W 0x300300c0 0x1 0x1 0x0'),
                         [(1, 'error and wires')])

    def test_wide_wire(self):
        self.assertEqual(self.diffs('soc W 0x30030204 0x1 0x1 0x0',
                                    'wire obf_uds_seed[1] 0x2'),
                         [(1, 'wide wire 12')])
        self.assertEqual(self.diffs('soc W 0x30030204 0x1 0x1 0x0'),
                         [(1, 'error and wires')])
        self.assertEqual(self.diffs('soc W 0x30030204 0x0 0x1 0x0',
                                    'wire obf_uds_seed[1] 0x2'),
                         [(1, 'wide wires that changed')])


if __name__ == '__main__':
    unittest.main()
