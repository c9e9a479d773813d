#!/usr/bin/env python3
#
# The registers as a table says, and sweeps over them
#
# Written from registers.csv, not from the C model.  A sweep comes out as a
# trace for replay.py.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Register table, reference model of soc_ifc_reg, sweep generator."""

import csv
import os
import random

TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     'registers.csv')

ONES = 0xffffffff


class Field:
    """A field of a register word."""

    def __init__(self, row):
        self.name = row['field']
        self.msb = int(row['msb'])
        self.lsb = int(row['lsb'])
        self.mask = (1 << (self.msb + 1)) - (1 << self.lsb)
        self.access = {'soc': row['soc'], 'uc': row['uc']}
        # "wire": the tests know what the input is
        self.reset = (None if row['reset'] == 'wire'
                      else int(row['reset'], 16) << self.lsb & self.mask)
        self.domain = row['domain']


class Word:
    """A register word: an element of an array, or a single register."""

    def __init__(self, row, i):
        self.block = row['block']
        self.register = row['register']
        self.index = i
        self.count = int(row['count'])
        self.addr = int(row['address'], 16) + i * int(row['stride'], 16)
        self.fields = []

    @property
    def name(self):
        if self.count == 1:
            return self.register
        return '%s[%d]' % (self.register, self.index)

    def mask(self, side, kinds):
        return sum(f.mask for f in self.fields if f.access[side] in kinds)


def words(blocks=None):
    """All register words of the table, by address."""
    found = {}
    with open(TABLE, encoding='ascii') as f:
        for row in csv.DictReader(line for line in f if line[0] != '#'):
            if blocks and row['block'] not in blocks:
                continue
            for i in range(int(row['count'])):
                word = Word(row, i)
                found.setdefault(word.addr, word).fields.append(Field(row))
    return found


class SocIfc:
    """soc_ifc_reg of a locked production part whose bus is at rest."""

    BASE = 0x30030000
    WARM_LIVE = {'CPTRA_SECURITY_STATE': 0x7, 'CPTRA_HW_CONFIG': 0x10}

    def __init__(self):
        self.words = words(('soc_ifc_reg',))
        self.by_name = {w.name: w for w in self.words.values()}
        self.value = dict.fromkeys(self.words, 0)
        self.done = self.observed = self.booted = False
        self.warm = False
        self.mtime = 0
        self.reset(cold=True)

    def __getitem__(self, name):
        return self.value[self.by_name[name].addr]

    def __setitem__(self, name, value):
        self.value[self.by_name[name].addr] = value

    def addr(self, name):
        return self.by_name[name].addr

    # resets

    def reset(self, cold):
        for addr, word in self.words.items():
            for field in word.fields:
                if field.reset is not None and \
                        (cold or field.domain == 'warm'):
                    self.value[addr] = (self.value[addr] & ~field.mask |
                                        field.reset)
        if cold:
            self.done = False
            self.mtime = 0
        self.warm = not cold
        self.observed = self.booted = False
        self['CPTRA_RESET_REASON'] = 0 if cold else 2
        # the edge detector of debug_locked fires once
        self.event('notif', 2)

    def event(self, kind, bit):
        """An event of an interrupt block: status and counter."""
        self['%s_internal_intr_r' % kind] |= 1 << bit
        base = {'error': 0x900, 'notif': 0x980}[kind]
        addr = self.BASE + base + 4 * bit
        self.value[addr] = min(self.value[addr] + 1, ONES)

    # reads

    def read(self, addr, side):
        word = self.words[addr]
        name = word.register
        if name == 'CPTRA_FLOW_STATUS':
            fsm = 4 if self.booted else 1
            return (self.value[addr] | fsm << 25 |
                    (not self.observed) << 30)
        if name == 'CPTRA_HW_REV_ID':
            return 0x11 | self['fuse_soc_stepping_id'] << 16
        if name in self.WARM_LIVE:
            return self.WARM_LIVE[name]
        if name.endswith('_global_intr_r'):
            kind = name.split('_')[0]
            return int(bool(self['%s_internal_intr_r' % kind] &
                            self['%s_intr_en_r' % kind]))
        if name == 'internal_rv_mtime_h':
            return self.mtime >> 32
        hidden = word.mask(side, ('WO', 'NA', 'W1P'))
        return self.value[addr] & ~hidden

    # writes

    def locked(self, word):
        name, i = word.register, word.index
        if name.startswith('fuse_'):
            return self.done
        if name in ('CPTRA_MBOX_VALID_PAUSER', 'CPTRA_MBOX_PAUSER_LOCK'):
            return self['CPTRA_MBOX_PAUSER_LOCK[%d]' % i]
        for pair in ('TRNG', 'FUSE'):
            if name in ('CPTRA_%s_VALID_PAUSER' % pair,
                        'CPTRA_%s_PAUSER_LOCK' % pair):
                return self['CPTRA_%s_PAUSER_LOCK' % pair]
        return False

    def write(self, addr, data, side):
        word = self.words[addr]
        name = word.register
        if not self.locked(word):
            for field in word.fields:
                access = field.access[side]
                if access == 'RW':
                    self.value[addr] = (self.value[addr] & ~field.mask |
                                        data & field.mask)
                elif access == 'WO' and side == 'soc':
                    self.value[addr] = data & field.mask
                elif access == 'W1C':
                    self.value[addr] &= ~(data & field.mask)
                elif access == 'W1S':
                    self.value[addr] |= data & field.mask
        if name == 'CPTRA_FUSE_WR_DONE' and side == 'soc':
            self.observed = True
            self.done = bool(self.value[addr])
            self.booted = self.done
        elif name == 'CPTRA_TRNG_STATUS' and not self.value[addr] & 1:
            self.value[addr] = 0
        elif name == 'CPTRA_WDT_STATUS':
            self.value[addr] = 0
        elif side == 'uc':
            self._uc_effects(name, data)

    def _uc_effects(self, name, data):
        if name == 'CPTRA_TRNG_CTRL' and data & 1:
            for i in range(12):
                self['CPTRA_TRNG_DATA[%d]' % i] = 0
        elif name.endswith('_intr_trig_r'):
            kind = name.split('_')[0]
            for bit in range({'error': 8, 'notif': 6}[kind]):
                if data >> bit & 1:
                    self.event(kind, bit)
        elif name == 'internal_rv_mtime_l':
            self.mtime = self.mtime >> 32 << 32 | data
        elif name == 'internal_rv_mtime_h':
            self.mtime = self.mtime & ONES | data << 32

    # wires

    def wires(self):
        flow = self['CPTRA_FLOW_STATUS']
        enable = self['global_intr_en_r']
        mtimecmp = (self['internal_rv_mtimecmp_l'] |
                    self['internal_rv_mtimecmp_h'] << 32)
        found = {
            'cptra_noncore_rst_b': 1,
            'cptra_uc_rst_b': int(self.booted),
            'ready_for_fuses': int(not self.observed),
            'ready_for_fw_push': flow >> 28 & 1,
            'ready_for_runtime': flow >> 29 & 1,
            'mailbox_flow_done': flow >> 31 & 1,
            'trng_req': self['CPTRA_TRNG_STATUS'] & 1,
            'generic_output_wires': self['CPTRA_GENERIC_OUTPUT_WIRES[0]'] |
            self['CPTRA_GENERIC_OUTPUT_WIRES[1]'] << 32,
            'nmi_vector': self['internal_nmi_vector'],
            'iccm_lock': self['internal_iccm_lock'],
            'clk_gating_en': self['CPTRA_CLK_GATING_EN'],
            'timer_intr': int(self.mtime >= mtimecmp),
        }
        for bit, kind in enumerate(('error', 'notif')):
            level = (enable >> bit & 1 and
                     self['%s_internal_intr_r' % kind] &
                     self['%s_intr_en_r' % kind])
            found['soc_ifc_%s_intr' % kind] = int(bool(level))
        for i in range(12):
            found['obf_uds_seed[%d]' % i] = self['fuse_uds_seed[%d]' % i]
        for i in range(8):
            found['obf_field_entropy[%d]' % i] = \
                self['fuse_field_entropy[%d]' % i]
        return found


class Sweep:
    """Every register, from both sides, over all resets."""

    # written at the end only, for the wire they raise; or in traces of
    # their own, for what follows
    SKIP = ('CPTRA_FUSE_WR_DONE', 'internal_fw_update_reset',
            'CPTRA_FW_ERROR_FATAL', 'CPTRA_FW_ERROR_NON_FATAL',
            'CPTRA_MBOX_PAUSER_LOCK', 'CPTRA_TRNG_PAUSER_LOCK',
            'CPTRA_FUSE_PAUSER_LOCK')
    # the bus is not at rest for these; a watchdog must not expire
    CLOCKED = ('internal_rv_mtime_l',)

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.regs = SocIfc()
        self.user = self.rng.getrandbits(32)
        self.shown = dict.fromkeys(self.regs.wires(), 0)
        self.out = ['# register sweep, seed %d' % seed,
                    'in security_state 0x7', 'in brkpoint 0x0',
                    'in generic_input_wires 0x0']

    def lines(self):
        return self.out

    def _wires(self):
        for name, value in self.regs.wires().items():
            if self.shown[name] != value:
                self.out.append('wire %s 0x%x' % (name, value))
                self.shown[name] = value

    def reset(self, cold):
        self.regs.reset(cold)
        self.out.append('reset ' + ('cold' if cold else 'warm'))
        self._wires()

    def read(self, addr, side):
        name = self.regs.words[addr].register
        value = ('*' if name in self.CLOCKED
                 else '0x%08x' % self.regs.read(addr, side))
        if side == 'soc':
            self.out.append('soc R 0x%08x 0x%08x %s 0x0' %
                            (addr, self.user, value))
        else:
            self.out.append('uc R 0x%08x %s 0x0' % (addr, value))

    def write(self, addr, data, side):
        self.regs.write(addr, data, side)
        if side == 'soc':
            self.out.append('soc W 0x%08x 0x%08x 0x%08x 0x0' %
                            (addr, data, self.user))
        else:
            self.out.append('uc W 0x%08x 0x%08x 0x0' % (addr, data))
        self._wires()

    def read_all(self, *sides):
        for addr in sorted(self.regs.words):
            for side in sides:
                self.read(addr, side)

    def write_all(self, side):
        addrs = [a for a, w in self.regs.words.items()
                 if w.register not in self.SKIP]
        self.rng.shuffle(addrs)
        for data in (ONES, None):
            for addr in addrs:
                # no period of 0: that is an expired watchdog
                value = data or self.rng.getrandbits(32) or 1
                self.write(addr, value, side)
                self.read(addr, side)

    def run(self):
        regs = self.regs
        self.reset(True)
        self.read_all('soc')
        self.write_all('soc')
        self.read_all('soc')
        self.write(regs.addr('CPTRA_FUSE_WR_DONE'), 1, 'soc')
        self.read_all('soc', 'uc')
        self.write_all('soc')
        self.write_all('uc')
        self.read_all('soc', 'uc')
        # masked, so that no wire rises
        for kind in ('fatal', 'non_fatal'):
            self.write(regs.addr('internal_fw_error_%s_mask' % kind), ONES,
                       'uc')
            for side in ('soc', 'uc'):
                self.write(regs.addr('CPTRA_FW_ERROR_%s' % kind.upper()),
                           self.rng.getrandbits(32), side)
        # users, then their locks, then in vain
        for pair, n in (('MBOX', 5), ('TRNG', 1), ('FUSE', 1)):
            for i in range(n):
                suffix = '[%d]' % i if n > 1 else ''
                user = regs.addr('CPTRA_%s_VALID_PAUSER%s' % (pair, suffix))
                lock = regs.addr('CPTRA_%s_PAUSER_LOCK%s' % (pair, suffix))
                side = self.rng.choice(('soc', 'uc'))
                self.write(user, self.user if pair != 'MBOX'
                           else self.rng.getrandbits(32), side)
                self.write(lock, self.rng.getrandbits(32) | 1, side)
                self.write(user, self.rng.getrandbits(32), 'soc')
                self.write(user, self.rng.getrandbits(32), 'uc')
                self.write(lock, 0, 'soc')
                self.write(lock, 0, 'uc')
        self.write(regs.addr('CPTRA_FUSE_WR_DONE'), 0, 'uc')
        self.read_all('soc', 'uc')
        self.reset(False)
        self.read_all('soc')
        self.write_all('soc')
        self.read_all('soc')
        self.write(regs.addr('CPTRA_FUSE_WR_DONE'), 0, 'soc')
        self.read_all('uc')
        self.reset(True)
        self.read_all('soc')
        return self
