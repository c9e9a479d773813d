#!/usr/bin/env python3
#
# Independent model of the Caliptra mailbox, and random traffic for it
#
# Written from the mailbox protocol of the Caliptra integration specification
# and mbox.sv of caliptra-rtl v1.1, not from the C model: it is what random
# sequences are compared with.  The traffic comes out as a trace for
# replay.py, so that a failing sequence can be kept and played again.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Mailbox reference model and random trace generator."""

import random

WORDS = 32768
UC = 0xffffffff

(LOCK, USER, CMD, DLEN, DATAIN, DATAOUT, EXECUTE, STATUS,
 UNLOCK) = range(0, 0x24, 4)

IDLE, RDY_CMD, RDY_DATA, RDY_DLEN, EXEC_SOC, EXEC_UC, ERROR = \
    0, 1, 2, 3, 4, 6, 7

NO_LOCK, OUT_OF_ORDER = 1, 2
INTR_INV_DEV, INTR_CMD_FAIL = 2, 4
NOTIF_CMD_AVAIL, NOTIF_SOC_REQ_LOCK = 1, 16


class Mailbox:
    """State of the mailbox and of what it reports to soc_ifc."""

    def __init__(self, users):
        self.users = set(users) | {UC}
        self.sram = [0] * WORDS
        self.non_fatal = 0
        self.non_fatal_wire = 0
        self.error_intr = 0
        self.notif_intr = 4     # debug_locked, once after each reset
        self.reset()

    def reset(self):
        self.fsm = IDLE
        self.lock = self.soc_lock = 0
        self.user = self.cmd = self.dlen = self.datain = self.dataout = 0
        self.execute = self.status = 0
        self.wr = self.rd = self.limit = 0
        self.wr_full = self.rd_full = False

    # reports

    def _protocol(self, bit):
        self.non_fatal |= bit
        self.non_fatal_wire = 1
        self.error_intr |= INTR_CMD_FAIL

    def _to_error(self):
        self.fsm = ERROR
        self._protocol(OUT_OF_ORDER)

    # data path

    def _push(self, value):
        if not self.wr_full:
            self.sram[self.wr] = value
        self.wr_full = self.wr == WORDS - 1
        self.wr = min(self.wr + 1, WORDS - 1)

    def _pop(self):
        value = self.dataout
        good = not self.rd_full and self.rd < self.limit
        self.dataout = self.sram[self.rd] if good else 0
        self.rd_full = self.rd == WORDS - 1
        if self.rd < min(self.limit, WORDS - 1):
            self.rd += 1
        return value

    def _hand_over(self, fsm, latch):
        if latch:
            need = WORDS if self.dlen >= 4 * WORDS else (self.dlen + 3) // 4
            have = WORDS if self.wr_full else self.wr
            self.limit = min(need, have)
        self.dataout = self.sram[0] if latch and self.limit else 0
        self.wr, self.rd = 0, 1
        self.wr_full = self.rd_full = False
        self.fsm = fsm
        if fsm == EXEC_UC:
            self.notif_intr |= NOTIF_CMD_AVAIL

    def _free(self):
        self.fsm = IDLE
        self.lock = self.soc_lock = self.status = self.execute = 0

    # roles

    def _soc_requester(self, user):
        return bool(self.lock and self.soc_lock and user == self.user)

    def _soc_receiver(self, user):
        return bool(self.lock and self.fsm == EXEC_SOC and
                    (not self.soc_lock or user == self.user))

    def _register(self, off):
        return {LOCK: self.lock, USER: self.user, CMD: self.cmd,
                DLEN: self.dlen, DATAIN: self.datain,
                EXECUTE: self.execute,
                STATUS: self.status | self.fsm << 6 | self.soc_lock << 9 |
                self.rd << 10}.get(off, 0)

    def _store(self, off, value, requester, receiver):
        if off == STATUS and receiver:
            self.status = value & 15
        elif requester:
            if off == CMD:
                self.cmd = value
            elif off == DLEN:
                self.dlen = value
            elif off == DATAIN:
                self.datain = value
            elif off == EXECUTE:
                self.execute = value & 1

    # accesses; the SoC's return (value, error)

    def soc_read(self, off, user):
        if user not in self.users:
            return 0, 1
        if off == LOCK:
            old = self.lock
            if not old:
                self.lock = self.soc_lock = 1
                self.user = user
                self.fsm = RDY_CMD
            elif not self.soc_lock:
                self.notif_intr |= NOTIF_SOC_REQ_LOCK
            return old, 0
        if off != DATAOUT:
            return self._register(off), 0
        if self._soc_receiver(user):
            return self._pop(), 0
        requester = self._soc_requester(user)
        if not requester:
            self.error_intr |= INTR_INV_DEV
        if self.fsm == IDLE:
            self._protocol(NO_LOCK)
        elif requester and self.fsm in (RDY_CMD, RDY_DLEN, RDY_DATA, EXEC_UC):
            self._to_error()
        return 0, 0

    def soc_write(self, off, user, value):
        if user not in self.users:
            return 1
        requester = self._soc_requester(user)
        receiver = self._soc_receiver(user)
        if not requester and not receiver:
            self.error_intr |= INTR_INV_DEV
        self._store(off, value, requester, receiver)
        if self.fsm == IDLE:
            self._protocol(NO_LOCK)
        elif self.fsm == EXEC_SOC and not self.soc_lock:
            if off == DATAOUT and receiver:
                self._pop()
            if off != STATUS:
                self._to_error()
            elif self.status:
                self._hand_over(EXEC_UC, False)
        elif requester:
            self._owner_write(off, value)
        return 0

    def _owner_write(self, off, value):
        good = {RDY_CMD: (CMD,), RDY_DLEN: (DLEN,),
                RDY_DATA: (DATAIN, EXECUTE), EXEC_SOC: (EXECUTE,)}
        if self.fsm == ERROR:
            return
        if off not in good.get(self.fsm, ()):
            if self.fsm == EXEC_SOC and off == DATAOUT:
                self._pop()
            self._to_error()
        elif self.fsm == RDY_CMD:
            self.fsm = RDY_DLEN
        elif self.fsm == RDY_DLEN:
            self.fsm = RDY_DATA
            self.wr, self.wr_full = 0, False
        elif off == DATAIN:
            self._push(value)
        elif self.fsm == RDY_DATA:
            if self.execute:
                self._hand_over(EXEC_UC, True)
        elif not self.execute:
            self._free()

    def uc_read(self, off):
        if off == LOCK:
            old = self.lock
            if not old:
                self.lock, self.soc_lock, self.user = 1, 0, UC
                self.fsm = RDY_CMD
            return old
        if off == DATAOUT:
            return self._pop() if self.fsm == EXEC_UC else 0
        return self._register(off)

    def uc_write(self, off, value):
        if off == UNLOCK:
            if value & 1:
                self._free()
            return
        mine = bool(self.lock and (not self.soc_lock or self.fsm == EXEC_UC))
        self._store(off, value, mine, self.fsm == EXEC_UC)
        if not mine:
            return
        if self.fsm == RDY_CMD and off == CMD:
            self.fsm = RDY_DLEN
        elif self.fsm == RDY_DLEN and off == DLEN:
            self.fsm = RDY_DATA
            self.wr, self.wr_full = 0, False
        elif self.fsm in (RDY_DATA, EXEC_UC) and off == DATAIN:
            self._push(value)
        elif self.fsm == EXEC_UC and off == DATAOUT:
            self._pop()
        elif self.fsm == EXEC_UC and not self.execute:
            self._free()
        elif self.fsm == EXEC_UC and self.soc_lock and self.status:
            self._hand_over(EXEC_SOC, True)
        elif self.fsm == EXEC_SOC and not self.execute:
            self._free()
        if self.fsm == RDY_DATA and self.execute:
            self._hand_over(EXEC_SOC, True)

    def _sram_open(self):
        return self.lock and (not self.soc_lock or self.fsm == EXEC_UC)

    def sram_read(self, word):
        return self.sram[word] if self._sram_open() else 0

    def sram_write(self, word, value):
        if self._sram_open():
            self.sram[word] = value


class Traffic:
    """Random two-sided traffic; lines() is a trace for replay.py."""

    MBOX = 0x30020000

    def __init__(self, seed, wrong=0.1):
        self.rng = random.Random(seed)
        self.wrong = wrong
        self.users = [self.rng.getrandbits(32) for _ in range(3)]
        self.outsider = self.rng.getrandbits(32)
        self.model = Mailbox(self.users[:2])
        self.out = ['# random mailbox traffic, seed %d' % seed]
        self.wires = {'mailbox_data_avail': 0, 'cptra_error_non_fatal': 0}
        self._boot()

    def lines(self):
        return self.out

    def _boot(self):
        self.out += ['in security_state 0x7', 'in brkpoint 0x0',
                     'in generic_input_wires 0x0', 'reset cold',
                     'wire cptra_noncore_rst_b 0x1',
                     'wire ready_for_fuses 0x1', 'wire timer_intr 0x1']
        self._setup()

    def _setup(self):
        user = self.users[0]
        for i in range(2):
            self._soc_w(0x30030048 + 4 * i, self.users[i], user)
            self._soc_w(0x3003005c + 4 * i, 1, user)
        self._soc_w(0x300300b0, 1, user)
        self.out += ['wire cptra_uc_rst_b 0x1', 'wire ready_for_fuses 0x0']

    def _soc_w(self, addr, value, user, error=0):
        self.out.append('soc W 0x%08x 0x%08x 0x%08x 0x%x' %
                        (addr, value, user, error))

    def _wires(self):
        now = {'mailbox_data_avail': int(self.model.fsm == EXEC_SOC),
               'cptra_error_non_fatal': self.model.non_fatal_wire}
        for name, value in now.items():
            if self.wires[name] != value:
                self.out.append('wire %s 0x%x' % (name, value))
        self.wires = now

    def soc_write(self, off, user, value):
        error = self.model.soc_write(off, user, value)
        self._soc_w(self.MBOX + off, value, user, error)
        self._wires()

    def soc_read(self, off, user):
        value, error = self.model.soc_read(off, user)
        self.out.append('soc R 0x%08x 0x%08x 0x%08x 0x%x' %
                        (self.MBOX + off, user, value, error))
        self._wires()
        return value

    def uc_write(self, off, value):
        self.model.uc_write(off, value)
        self.out.append('uc W 0x%08x 0x%08x 0x0' % (self.MBOX + off, value))
        self._wires()

    def uc_read(self, off):
        value = self.model.uc_read(off)
        self.out.append('uc R 0x%08x 0x%08x 0x0' % (self.MBOX + off, value))
        self._wires()
        return value

    # moves

    def _value(self):
        return self.rng.choice((0, 1, 2, 3, self.rng.getrandbits(5),
                                self.rng.getrandbits(32), 0xffffffff))

    def _wrong_move(self):
        rng = self.rng
        off = rng.choice((LOCK, USER, CMD, DLEN, DATAIN, DATAOUT, EXECUTE,
                          STATUS, UNLOCK, 0x24, 0xffc, 0x0a, 0x15))
        user = rng.choice(self.users + [self.outsider, UC])
        side = rng.randrange(4)
        if side == 0:
            self.soc_read(off, user)
        elif side == 1:
            self.soc_write(off, user, self._value())
        elif off in (UNLOCK, 0x0a, 0x15):
            pass
        elif side == 2:
            self.uc_read(off)
        else:
            self.uc_write(off, self._value())

    def _look(self):
        """Registers that tell what the mailbox has reported."""
        m = self.model
        user = self.rng.choice(self.users)
        what = self.rng.randrange(4)
        if what == 0:
            self.soc_read(STATUS, self.users[0])
        elif what == 1:
            self.out.append('soc R 0x30030004 0x%08x 0x%08x 0x0' %
                            (user, m.non_fatal))
        elif what == 2:
            self.out.append('soc R 0x30030814 0x%08x 0x%08x 0x0' %
                            (user, m.error_intr))
        else:
            self.out.append('uc R 0x30030818 0x%08x 0x0' % m.notif_intr)

    def _clear(self):
        m = self.model
        self.out.append('uc W 0x30030004 0x00000007 0x0')
        m.non_fatal = m.non_fatal_wire = 0
        self._wires()
        self.out.append('uc W 0x30030814 0x%08x 0x0' % m.error_intr)
        m.error_intr = 0
        self.out.append('uc W 0x30030818 0x0000003f 0x0')
        m.notif_intr = 0

    def _sram(self):
        word = self.rng.choice((0, 1, 2, 3, 7, 0x7fff))
        addr = 0x30000000 + 4 * word
        if self.rng.randrange(2):
            value = self.rng.getrandbits(32)
            self.model.sram_write(word, value)
            self.out.append('uc W 0x%08x 0x%08x 0x0' % (addr, value))
        else:
            self.out.append('uc R 0x%08x 0x%08x 0x0' %
                            (addr, self.model.sram_read(word)))

    def _good_move(self):
        m, rng = self.model, self.rng
        user = m.user if m.soc_lock else rng.choice(self.users[:2])
        if m.fsm == IDLE:
            if rng.randrange(2):
                self.soc_read(LOCK, user)
            else:
                self.uc_read(LOCK)
        elif m.fsm == ERROR:
            self.uc_write(UNLOCK, 1)
        elif m.fsm == EXEC_UC and m.soc_lock:
            self._serve(lambda: self.uc_read(DATAOUT), self.uc_write)
        elif m.fsm == EXEC_UC:
            self.uc_write(EXECUTE, 0)
        elif m.fsm == EXEC_SOC and not m.soc_lock:
            self._serve(lambda: self.soc_read(DATAOUT, user),
                        lambda off, value:
                        self.soc_write(off, user, value), False)
        elif m.fsm == EXEC_SOC:
            for _ in range(rng.randrange(4)):
                self.soc_read(DATAOUT, user)
            if rng.randrange(2):
                self.soc_write(EXECUTE, user, 0)
        else:
            self._request(user)

    def _request(self, user):
        m, rng = self.model, self.rng

        def write(off, value):
            if m.soc_lock:
                self.soc_write(off, user, value)
            else:
                self.uc_write(off, value)

        if m.fsm == RDY_CMD:
            write(CMD, rng.getrandbits(32))
        elif m.fsm == RDY_DLEN:
            write(DLEN, rng.choice((0, 1, 3, 4, 5, 8, 13, 32,
                                    0x20000, 0xffffffff)))
        else:
            for _ in range(rng.randrange(6)):
                write(DATAIN, rng.getrandbits(32))
            if rng.randrange(2):
                write(EXECUTE, 1)

    def _serve(self, read, write, answer=True):
        rng = self.rng
        for _ in range(rng.randrange(5)):
            read()
        if rng.randrange(2):
            return
        if answer:
            write(DLEN, rng.randrange(20))
            for _ in range(rng.randrange(5)):
                write(DATAIN, rng.getrandbits(32))
        write(STATUS, rng.choice((1, 1, 2, 3, 9)))

    def _reset(self):
        m = self.model
        self.out.append('reset warm')
        self.out += ['wire cptra_uc_rst_b 0x0', 'wire ready_for_fuses 0x1']
        m.reset()
        m.non_fatal_wire = 0
        # error status is of the other reset domain
        m.notif_intr = 4
        self._wires()
        self._setup()

    def run(self, moves):
        rng = self.rng
        for _ in range(moves):
            dice = rng.random()
            if dice < self.wrong:
                self._wrong_move()
            elif dice < self.wrong + 0.15:
                self._look()
            elif dice < self.wrong + 0.20:
                self._sram()
            elif dice < self.wrong + 0.22:
                self._clear()
            elif dice < self.wrong + 0.222:
                self._reset()
            else:
                self._good_move()
        return self
