#!/usr/bin/env python3
#
# Does the suite touch every register and field?
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Coverage of registers.csv by the traces that the suite plays."""

import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import mailbox_model  # noqa: E402
import register_model  # noqa: E402
import replay  # noqa: E402
import test_mailbox  # noqa: E402
import test_registers  # noqa: E402

SOC_BLOCKS = ('mbox_csr', 'sha512_acc_csr', 'soc_ifc_reg')
ENGINE_BLOCKS = ('doe_reg', 'ecc_reg', 'hmac_reg', 'kv_reg', 'pv_reg',
                 'dv_reg', 'sha512_reg', 'sha256_reg')

WRITABLE = ('RW', 'WO', 'W1C', 'W0C', 'W1S', 'W1P', 'RWP', 'RS+W1C')


class Touched:
    """What a set of traces reads and writes, by address."""

    def __init__(self):
        self.read = {}
        self.written = {}

    def add(self, trace):
        for event in trace.events:
            words = event.words
            if words == ['reset', 'fw_update']:
                # stands for that write
                self.written[replay.FW_UPDATE_RESET] = 1
            if words[0] not in ('soc', 'uc'):
                continue
            # the error response, where there is one: that was no access
            size = {'soc': 6, 'uc': 5}[words[0]]
            if len(words) == size and int(words[-1], 16):
                continue
            addr = int(words[2], 16)
            if words[1] == 'W':
                self.written[addr] = (self.written.get(addr, 0) |
                                      int(words[3], 16))
            else:
                self.read[addr] = self.read.get(addr, 0) + 1


class Coverage(unittest.TestCase):

    def missing(self, table, touched):
        """Words never read, and fields never written with a 1 in them."""
        found = []
        for addr, word in sorted(table.items()):
            if addr not in touched.read:
                found.append('%s %s is never read' % (word.block, word.name))
            for field in word.fields:
                if not any(a in WRITABLE for a in field.access.values()):
                    continue
                if not touched.written.get(addr, 0) & field.mask:
                    found.append('%s %s.%s is never written' %
                                 (word.block, word.name, field.name))
        return found

    def untouched(self, table, touched):
        """Fields, of arrays as a whole, neither read nor written."""
        fields = {}
        for addr, word in table.items():
            for field in word.fields:
                key = '%s %s.%s' % (word.block, word.register, field.name)
                fields[key] = (fields.get(key, False) or
                               addr in touched.read or
                               touched.written.get(addr, 0) & field.mask)
        return sorted(key for key, used in fields.items() if not used)

    def test_soc_ifc(self):
        """What the SoC sees: without recorded traces."""
        touched = Touched()
        for path in replay.find_traces([replay.own_traces_dir()]):
            touched.add(replay.Trace(path))
        for seed in range(test_registers.SEEDS):
            sweep = register_model.Sweep(seed).run()
            touched.add(replay.Trace('sweep', sweep.lines()))
        for seed in range(test_mailbox.SEEDS):
            traffic = mailbox_model.Traffic(seed, 0.05).run(
                test_mailbox.MOVES)
            touched.add(replay.Trace('traffic', traffic.lines()))
        table = register_model.words(SOC_BLOCKS)
        self.assertGreater(len(table), 250)
        self.assertEqual(self.missing(table, touched), [])

    def test_engines(self):
        base = replay.vectors_dir('rtl-engines')
        if not base:
            self.skipTest('no recorded traces here')
        touched = Touched()
        for path in replay.find_traces([base]):
            touched.add(replay.Trace(path))
        table = register_model.words(ENGINE_BLOCKS)
        self.assertGreater(len(table), 1000)
        self.assertEqual(self.untouched(table, touched), [])

    def test_finds_what_is_missing(self):
        touched = Touched()
        touched.add(replay.Trace('x', ['uc R 0x30020008 0x0 0x0',
                                       'uc W 0x30020008 0x1 0x0',
                                       'soc R 0x3002000c 0x1 0x0 0x1']))
        missing = self.missing(register_model.words(('mbox_csr',)), touched)
        self.assertNotIn('mbox_csr mbox_cmd is never read', missing)
        self.assertNotIn('mbox_csr mbox_cmd.command is never written',
                         missing)
        self.assertIn('mbox_csr mbox_dlen is never read', missing)
        self.assertIn('mbox_csr mbox_dlen.length is never written', missing)


if __name__ == '__main__':
    unittest.main()
