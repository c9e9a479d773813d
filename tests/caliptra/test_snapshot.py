#!/usr/bin/env python3
#
# A snapshot in the middle of a trace: the rest still matches
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Migration to a file and back, between any two accesses."""

import io
import os
import random
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import replay  # noqa: E402

# recorded traces, each cut once; a name of the engines' ends in .trace
RECORDED = ('story-1.txt', 'mix-2.txt', 'mbox-rand-3.txt',
            'mbox-abuse-2.txt', 'sha-rand-2.txt', 'sha-abuse-1.txt',
            'interrupts-2.txt', 'errors-1.txt', 'trng-1.txt',
            'fuses-boot-2.txt', 'wdt-2.txt', 'opt-ecc-1.txt',
            'opt-itrng-1.txt')

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      '..', '..', 'hw', 'misc')


def migrate(src, path):
    """Save a QEMU to a file and start another one from it."""
    src.qmp('migrate', uri='file:' + path)
    wait_migrated(src)
    dst = replay.bench_qtest(qmp=True, args=['-incoming', 'defer'])
    try:
        # qtest's clock is not part of a snapshot
        now = src.clock_step(1)
        dst.clock_set(now)
        dst.qmp('migrate-incoming', uri='file:' + path)
        wait_migrated(dst)
    except BaseException:
        dst.close()
        raise
    return dst


def wait_migrated(qtest):
    for _ in range(600):
        status = qtest.qmp('query-migrate').get('status')
        if status == 'completed':
            return
        if status == 'failed':
            raise AssertionError('migration failed\n' + qtest.stderr())
        time.sleep(0.05)
    raise AssertionError('migration does not end')


class Snapshot(unittest.TestCase):

    def cut(self, path, first_cut=None):
        """Play half of a trace, go through a file, play the rest."""
        trace = replay.Trace(path)
        player = replay.Player(trace)
        n = len(trace.events)
        pos = first_cut or random.Random(os.path.basename(path)).randrange(
            n // 4, 3 * n // 4)
        src = replay.bench_qtest(qmp=True)
        try:
            player.start()
            player.play(src, 0, pos)
            state = os.path.join(src.dir, 'state')
            dst = migrate(src, state)
        finally:
            src.close()
        with dst:
            player.play(dst, pos)
        out = io.StringIO()
        player.report(3, out)
        self.assertFalse(player.diffs, 'cut before event %d\n%s' %
                         (pos, out.getvalue()))

    def test_own(self):
        for path in replay.find_traces([replay.own_traces_dir()]):
            with self.subTest(trace=os.path.basename(path)):
                self.cut(path)

    def test_recorded(self):
        base = replay.vectors_dir('rtl-soc_ifc')
        if not base:
            self.skipTest('no recorded traces here')
        for name in RECORDED:
            with self.subTest(trace=name):
                self.cut(os.path.join(base, name))


class State(unittest.TestCase):
    """Every field of the hardware's state is in its VMState."""

    # struct: (file of the VMStateDescription, prefix, fields that are not
    # state: (name, why))
    STRUCTS = {
        'CaliptraIntr': ('caliptra.c', '', {
            'n_error': 'constant', 'n_notif': 'constant'}),
        'CaliptraMbox': ('caliptra_mbox.c', '', {}),
        'CaliptraSocIfc': ('caliptra_soc_ifc.c', '', {
            'mtime_timer': 'follows from the registers',
            'wdt_timer': 'follows from the registers'}),
        'CaliptraShaAcc': ('caliptra_sha_acc.c', '', {}),
        'CaliptraVault': ('caliptra_vault.c', '', {}),
        'CaliptraEngine': ('caliptra_engines.c', '', {}),
        'CaliptraKvClient': ('caliptra_engines.c', '', {}),
        'CaliptraDoe': ('caliptra_engines.c', '', {}),
        'CaliptraEcc': ('caliptra_engines.c', '', {}),
        'CaliptraHmac': ('caliptra_engines.c', '', {}),
        'CaliptraSha512Engine': ('caliptra_engines.c', '', {}),
        'CaliptraSha256Engine': ('caliptra_engines.c', '', {}),
        'CaliptraEngines': ('caliptra_engines.c', '', {}),
        'CaliptraBench': ('caliptra_bench.c', 'bench.', {
            'container': 'wiring', 'bus': 'wiring', 'soc': 'wiring',
            'regs': 'wiring'}),
        'CaliptraState': ('caliptra.c', '', {
            'parent_obj': 'wiring', 'fw_ops': 'wiring', 'chr': 'wiring',
            'firmware': 'property', 'internal_bus_base': 'property',
            'rom': 'property', 'fw_latency': 'property',
            'bench': 'fields listed one by one',
            'out_ready_for_fuses': 'wiring', 'out_ready_for_fw': 'wiring',
            'out_ready_for_runtime': 'wiring',
            'out_mbox_data_avail': 'wiring',
            'out_mbox_flow_done': 'wiring', 'out_error_fatal': 'wiring',
            'out_error_non_fatal': 'wiring', 'out_etrng_req': 'wiring'}),
    }

    def test_fields(self):
        if not os.path.isdir(SOURCE):
            self.skipTest('no sources here')
        text = ''
        for header in ('caliptra_internal.h', 'caliptra_engines.h'):
            with open(os.path.join(SOURCE, header), encoding='utf-8') as f:
                text += re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)
        for name, (source, prefix, exempt) in self.STRUCTS.items():
            body = re.search(r'struct %s \{(.*?)\n\}' % name, text,
                             re.S).group(1)
            fields = re.findall(r'(\w+)(?:\[[^]]*\])*;', body)
            self.assertTrue(fields)
            with open(os.path.join(SOURCE, source), encoding='utf-8') as f:
                code = f.read()
            saved = set(re.findall(r'VMSTATE_\w+\(([\w.]+),', code))
            for field in fields:
                with self.subTest(struct=name, field=field):
                    if field in exempt:
                        self.assertNotIn(prefix + field, saved)
                    else:
                        self.assertIn(prefix + field, saved)


if __name__ == '__main__':
    unittest.main()
