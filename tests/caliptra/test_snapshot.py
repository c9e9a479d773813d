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
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import replay  # noqa: E402

# recorded traces, each cut once
RECORDED = ('story-1.txt', 'mix-2.txt', 'mbox-rand-3.txt',
            'mbox-abuse-2.txt', 'sha-rand-2.txt', 'sha-abuse-1.txt',
            'interrupts-2.txt', 'errors-1.txt', 'trng-1.txt',
            'fuses-boot-2.txt', 'wdt-2.txt', 'opt-ecc-1.txt',
            'opt-itrng-1.txt')
# in the middle of digests, chains, MACs, vault transfers, ECC commands
ENGINES = ('sha512-random.trace', 'sha512-pcr.trace', 'sha512-busy.trace',
           'sha256-random.trace', 'sha256-busy.trace', 'hmac-random.trace',
           'hmac-kv.trace', 'hmac-busy.trace', 'doe-orders.trace',
           'doe-busy.trace', 'ecc-kv.trace', 'ecc-pcrsign.trace',
           'ecc-busy.trace', 'kv-regs.trace', 'dv-regs.trace',
           'flush.trace')

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                      '..', '..', 'hw', 'misc')


def migrate(src, path):
    """Save a QEMU to a file and start another one from it."""
    src.qmp('migrate', uri='file:' + path)
    src.wait_migrated()
    dst = replay.bench_qtest(qmp=True, args=['-incoming', 'defer'])
    try:
        # qtest's clock is not part of a snapshot
        now = src.clock_step(1)
        dst.clock_set(now)
        dst.qmp('migrate-incoming', uri='file:' + path)
        dst.wait_migrated()
    except BaseException:
        dst.close()
        raise
    return dst


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

    def recorded(self, folder, names):
        base = replay.vectors_dir(folder)
        if not base:
            self.skipTest('no recorded traces here')
        for name in names:
            with self.subTest(trace=name):
                self.cut(os.path.join(base, name))

    def test_soc_ifc(self):
        self.recorded('rtl-soc_ifc', RECORDED)

    def test_engines(self):
        self.recorded('rtl-engines', ENGINES)

    def test_while_busy(self):
        """Cut inside a timing section: a command is running."""
        base = replay.vectors_dir('rtl-engines')
        if not base:
            self.skipTest('no recorded traces here')
        for name in ENGINES:
            path = os.path.join(base, name)
            trace = replay.Trace(path)
            busy = [i for i, e in enumerate(trace.events) if e.timing]
            if busy:
                with self.subTest(trace=name):
                    self.cut(path, random.Random(name).choice(busy))


class State(unittest.TestCase):
    """Every field of the hardware's state is in its VMState."""

    HEADERS = ('caliptra_internal.h', 'caliptra_engines.h',
               'caliptra_intr.h', 'caliptra_testdev.c')
    LINES = ('ready_for_fuses', 'ready_for_fw', 'ready_for_runtime',
             'mbox_data_avail', 'mbox_flow_done', 'error_fatal',
             'error_non_fatal', 'etrng_req')
    # what is no state, and why
    EXEMPT = {
        'CaliptraEngine': {'end': 'the time of the timer, in a stream'},
        'CaliptraEcc': {'curve': 'constants'},
        'CaliptraIntr': {'n_error': 'constant', 'n_notif': 'constant'},
        'CaliptraSocIfc': {
            'mtime_timer': 'follows from the registers',
            'wdt_timer': 'follows from the registers'},
        'CaliptraState': {
            **{'out_' + line: 'wiring' for line in LINES},
            'parent_obj': 'wiring', 'id': 'wiring', 'uc': 'property',
            'itrng': 'property, compared with saved_itrng',
            'changed': 'false between accesses'},
        'CaliptraTestdev': {
            'parent_obj': 'wiring', 'container': 'wiring', 'bus': 'wiring',
            'soc': 'wiring', 'regs': 'wiring',
            'core': 'property', 'memory': 'property', 'addr': 'property'},
    }
    # no state at all
    OTHER = ('CaliptraEngineInfo', 'CaliptraKvPort')

    @staticmethod
    def source(name):
        with open(os.path.join(SOURCE, name), encoding='utf-8') as f:
            return re.sub(r'/\*.*?\*/', '', f.read(), flags=re.S)

    def structs(self):
        """Fields by struct."""
        found = {}
        for name in self.HEADERS:
            for struct, body in re.findall(r'struct (Caliptra\w+) \{(.*?)\n\}',
                                           self.source(name), re.S):
                fields = []
                for decl in body.split(';'):
                    fields += re.findall(r'(\w+)(?:\[[^]]*\])*\s*(?:,|$)',
                                         decl.strip())
                found[struct] = fields
        return found

    def test_fields(self):
        if not os.path.exists(os.path.join(SOURCE, self.HEADERS[0])):
            self.skipTest('no sources here')
        saved = set()
        for name in os.listdir(SOURCE):
            if re.match(r'caliptra.*\.c$', name):
                saved |= set(re.findall(
                    r'VMSTATE_\w+\(\s*([\w.]+),\s*(Caliptra\w+)',
                    self.source(name)))
        structs = self.structs()
        self.assertGreater(len(structs), 10)
        for struct, fields in structs.items():
            if struct in self.OTHER:
                continue
            exempt = self.EXEMPT.get(struct, {})
            for field in fields:
                with self.subTest(struct=struct, field=field):
                    item = (field, struct)
                    if field in exempt:
                        self.assertNotIn(item, saved)
                    else:
                        self.assertIn(item, saved)


if __name__ == '__main__':
    unittest.main()
