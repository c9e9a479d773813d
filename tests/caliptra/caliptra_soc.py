#!/usr/bin/env python3
#
# The SoC's side of a Caliptra core, over qtest
#
# Plays what on silicon is the BootMCU and later any bus master: power,
# straps, fuses, TRNG, mailbox.  Everything goes through the registers; only
# power and straps of the machine "caliptra" are lines and properties.
#
# $CALIPTRA_TARGET says where the core is: "ast2700fc"; "native", the machine
# "caliptra" with the native firmware; "veer", the same with the genuine
# images of $CALIPTRA_GENUINE_DIR.  These are executed only while the clock is
# stepped: between two steps QEMU is stopped, so that nothing happens unseen.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A Caliptra that a test drives: class CaliptraSoc."""

import os
import random
import struct
import time
import unittest

import genuine
import replay
from qtestlib import QTest, QTestError, default_binary

TARGET = os.environ.get('CALIPTRA_TARGET', 'ast2700fc')
# beside the other; who needs it names it (driver/tests.py looks for that)
RISCV_BINARY = os.path.join(
    os.path.dirname(default_binary()),
    os.path.basename(default_binary()).replace('aarch64', 'riscv32'))

SCUIO = 0x14c02000
SCU_CPTRA_CTRL = SCUIO + 0x130
SCU_CPTRA_OBF_KEY = SCUIO + 0x140
SCU_RSTCTL2 = SCUIO + 0x220
SCU_RSTCTL2_CLR = SCUIO + 0x224
SCU_RSTCTL2_CPTRA = 1 << 9

TESTDEV = replay.testdev('/machine/caliptra/core' if TARGET == 'ast2700fc'
                         else '/machine/core')
WINDOW = 0x14c40000 if TARGET == 'ast2700fc' else 0x200000000
MBOX = WINDOW + 0x20000
MBOX_LOCK = MBOX
MBOX_USER = MBOX + 0x04
MBOX_CMD = MBOX + 0x08
MBOX_DLEN = MBOX + 0x0c
MBOX_DATAIN = MBOX + 0x10
MBOX_DATAOUT = MBOX + 0x14
MBOX_EXECUTE = MBOX + 0x18
MBOX_STATUS = MBOX + 0x1c

SHA_ACC = WINDOW + 0x21000

SOC_IFC = WINDOW + 0x30000
HW_ERROR_FATAL = SOC_IFC
FW_ERROR_FATAL = SOC_IFC + 0x08
FW_ERROR_NON_FATAL = SOC_IFC + 0x0c
FW_EXTENDED_ERROR_INFO = SOC_IFC + 0x18
BOOT_STATUS = SOC_IFC + 0x38
FLOW_STATUS = SOC_IFC + 0x3c
RESET_REASON = SOC_IFC + 0x40
MBOX_VALID_PAUSER = SOC_IFC + 0x48
MBOX_PAUSER_LOCK = SOC_IFC + 0x5c
TRNG_DATA = SOC_IFC + 0x78
TRNG_STATUS = SOC_IFC + 0xac
FUSE_WR_DONE = SOC_IFC + 0xb0
BOOTFSM_GO = SOC_IFC + 0xb8
DBG_MANUF = SOC_IFC + 0xbc
FW_REV_ID = SOC_IFC + 0xd8
WDT_CFG = SOC_IFC + 0x110
FUSES = SOC_IFC + 0x200

TRNG_DATA_REQ = 1 << 0
TRNG_DATA_WR_DONE = 1 << 1

CSR_READY = 1 << 24
READY_FOR_FW = 1 << 28
READY_FOR_RUNTIME = 1 << 29
READY_FOR_FUSES = 1 << 30

GENERATE_IDEVID_CSR = 1 << 0

CMD_BUSY, DATA_READY, CMD_COMPLETE, CMD_FAILURE = range(4)

FIRMWARE_LOAD = 0x46574c44

# what the machine's bus masters present unless told otherwise
DEFAULT_PAUSER = 0x21212121

# steps to "the next timer" with firmware that is executed: longer and longer,
# until something comes of them
VEER_STEP = 500 * 1000
VEER_STEP_MAX = 4 * VEER_STEP
# most steps until something comes; of firmware that is executed longer ones
STEPS = 4000 if TARGET == 'veer' else 20000
# of the host's time, for what would take a known time in silicon
VEER_PATIENCE = 20

# a watchdog that no test meets
WDT_PERIOD = 1 << 40


class CommandFailed(Exception):
    """The mailbox ended a command with CMD_FAILURE."""

    def __init__(self, soc):
        self.fatal, self.non_fatal = soc.reads32([FW_ERROR_FATAL,
                                                  FW_ERROR_NON_FATAL])
        super().__init__('fatal 0x%08x, non-fatal 0x%08x' %
                         (self.fatal, self.non_fatal))


# marks tests that count on the time that native firmware takes: what genuine
# firmware executes takes the host's, and its polls of the bus nearly none
needs_modelled_time = unittest.skipIf(TARGET == 'veer',
                                      'the time of native firmware')
# marks tests of what native firmware alone has
needs_native = unittest.skipIf(TARGET == 'veer', 'of native firmware')
# marks tests of what is around the core there
needs_ast2700 = unittest.skipUnless(TARGET == 'ast2700fc',
                                    'a register of the AST2700')


def checksum(command, payload):
    """The word that makes the bytes of a request or response sum to 0."""
    return -(sum(struct.pack('<I', command)) + sum(payload)) & 0xffffffff


class CaliptraSoc(QTest):
    """QEMU with a Caliptra that is off until power_on().

    rom: an image whose identity the native firmware reports
    target: "native" instead of "veer", or the reverse
    """

    def __init__(self, args=(), machine_options='', rom=None, seed=1,
                 target=TARGET, **kwargs):
        self.target = target
        self.random = random.Random(seed)
        self.draws = 0
        machine = 'caliptra,caliptra-boot=guest,pauser=%d' % DEFAULT_PAUSER
        if self.target == 'ast2700fc':
            machine = 'ast2700fc,caliptra-boot=guest'
            if rom:
                machine += ',caliptra-rom=' + rom
        elif self.target == 'native':
            machine += ',uc=native'
            kwargs.update(binary=RISCV_BINARY, qmp=True, bios=rom or False)
        else:
            kwargs.update(binary=RISCV_BINARY, qmp=True, accel='tcg',
                          bios=str(genuine.images().rom))
            # instructions take some time: polls for random numbers must not
            # end before a busy host has served them
            args = ['-S', '-icount', 'shift=5,align=on', *args]
            self.ns, self.slice = 0, VEER_STEP
        super().__init__(machine=machine + machine_options, args=args,
                         **kwargs)

    # ---- power and reset ----

    def _line(self, name, level):
        self.cmd('set_irq_in /machine/core %s 0 %d' % (name, level))

    def _strap(self, name, value):
        self.qmp('qom-set', path='/machine/soc', property=name, value=value)

    def assert_reset(self):
        if self.target == 'ast2700fc':
            self.write32(SCU_RSTCTL2, SCU_RSTCTL2_CPTRA)
        else:
            self._line('cptra-rst-b', 0)

    def release_reset(self):
        if self.target == 'ast2700fc':
            self.write32(SCU_RSTCTL2_CLR, SCU_RSTCTL2_CPTRA)
        else:
            self._line('cptra-rst-b', 1)

    def power_on(self, obf_key=(0,) * 8, lifecycle=3, debug_locked=True):
        """A power cycle, up to where Caliptra waits for its fuses."""
        security_state = lifecycle | debug_locked << 2
        self.assert_reset()
        if self.target == 'ast2700fc':
            self.write32(SCU_CPTRA_CTRL, 0)
            self.writes32([(SCU_CPTRA_OBF_KEY + 4 * i, word)
                           for i, word in enumerate(obf_key)])
            self.write32(SCU_CPTRA_CTRL, security_state << 8 | 1)
        else:
            self._line('cptra-pwrgood', 0)
            self._strap('obf-key', ''.join('%08x' % w for w in obf_key))
            self._strap('security-state', security_state)
            self._line('cptra-pwrgood', 1)
        self.release_reset()
        self.poll32(FLOW_STATUS, READY_FOR_FUSES, READY_FOR_FUSES)
        self.draws = 0

    def be(self, user):
        """Access the window as this bus user from now on; needs QMP."""
        path = '/machine/soc'
        if self.target == 'ast2700fc':
            path = self.find_qom('aspeed-caliptra')
        self.qmp('qom-set', path=path, property='pauser', value=user)

    def clock_step(self, ns=None):
        """Virtual time passes; genuine firmware executes what the host does
        in so much of its own time."""
        if self.target != 'veer':
            return super().clock_step(ns)
        if ns is None:
            ns = self.slice
            self.slice = min(2 * self.slice, VEER_STEP_MAX)
        self.qmp('cont')
        start = time.monotonic_ns()
        time.sleep(ns / 1e9)
        self.qmp('stop')
        self.ns += time.monotonic_ns() - start
        return self.ns

    def clock_set(self, ns):
        if self.target != 'veer':
            return super().clock_set(ns)
        # a snapshot has the time in it
        return self.ns

    def poll32(self, addr, mask, value, step_ns=100000, tries=10000):
        end = time.monotonic() + VEER_PATIENCE
        while True:
            try:
                return super().poll32(addr, mask, value, step_ns, tries)
            except QTestError:
                if self.target != 'veer' or time.monotonic() > end:
                    raise

    def batch(self, cmds):
        # whoever writes wants something from firmware
        if self.target == 'veer' and \
           any(cmd.startswith('write') for cmd in cmds):
            self.slice = VEER_STEP
        return super().batch(cmds)

    def write_fuses(self, fuses):
        """fuses: {register offset: word or list of words}"""
        pairs = []
        for offset, words in fuses.items():
            if isinstance(words, int):
                words = [words]
            pairs += [(SOC_IFC + offset + 4 * i, word)
                      for i, word in enumerate(words)]
        self.writes32(pairs)

    def start(self, fuses=None, manuf=0, pauser=DEFAULT_PAUSER):
        """Fuses, users, watchdog; then Caliptra's firmware runs."""
        self.write_fuses(fuses or {})
        self.writes32([(MBOX_VALID_PAUSER, pauser),
                       (MBOX_PAUSER_LOCK, 1),
                       (WDT_CFG, WDT_PERIOD & 0xffffffff),
                       (WDT_CFG + 4, WDT_PERIOD >> 32),
                       (DBG_MANUF, manuf),
                       (FUSE_WR_DONE, 1)])

    def warm_reset(self, manuf=0, pauser=DEFAULT_PAUSER):
        """Reset without a loss of power; firmware runs again."""
        self.assert_reset()
        self.release_reset()
        self.poll32(FLOW_STATUS, 7 << 25, 1 << 25)
        self.start(manuf=manuf, pauser=pauser)

    # ---- time passes ----

    def trng_words(self):
        """The random words to serve next; None to serve none."""
        return [self.random.getrandbits(32) for _ in range(12)]

    def serve_trng(self):
        """Serve a request for random words, if there is one."""
        trng = self.read32(TRNG_STATUS)
        if trng & (TRNG_DATA_REQ | TRNG_DATA_WR_DONE) != TRNG_DATA_REQ:
            return
        words = self.trng_words()
        if words is not None:
            self.draws += 1
            self.writes32([(TRNG_DATA + 4 * i, word)
                           for i, word in enumerate(words)] +
                          [(TRNG_STATUS, TRNG_DATA_WR_DONE)])

    def step(self, ns=None):
        """Serve random words if asked for; then let time pass, to the next
        timer (there must be one) or for so long."""
        self.serve_trng()
        self.clock_step(ns)

    def run_until(self, addr, mask, value, steps=STEPS, stop_if_fatal=True):
        """Let Caliptra run, served with random words, until a register
        reads (word & mask) == value; the word."""
        for _ in range(steps):
            word, fatal = self.reads32([addr, FW_ERROR_FATAL])
            if word & mask == value:
                return word
            if fatal and stop_if_fatal:
                raise QTestError('fatal error 0x%08x' % fatal)
            self.step()
        raise QTestError('0x%x stays 0x%08x, boot status 0x%x' %
                         (addr, word, self.read32(BOOT_STATUS)))

    def wait_ready_for_fw(self):
        return self.run_until(FLOW_STATUS, READY_FOR_FW, READY_FOR_FW)

    def wait_ready_for_runtime(self):
        return self.run_until(FLOW_STATUS, READY_FOR_RUNTIME,
                              READY_FOR_RUNTIME)

    def wait_fatal(self):
        """Run until a fatal error is up; its number."""
        for _ in range(STEPS):
            fatal = self.read32(FW_ERROR_FATAL)
            if fatal:
                return fatal
            self.step()
        raise QTestError('no fatal error')

    # ---- mailbox ----

    def mailbox_send(self, command, data):
        """Take the mailbox and start a command; data as it is."""
        if self.read32(MBOX_LOCK) & 1:
            raise QTestError('the mailbox is taken')
        padded = data + bytes(-len(data) % 4)
        self.writes32([(MBOX_CMD, command), (MBOX_DLEN, len(data))] +
                      [(MBOX_DATAIN, w) for w, in
                       struct.iter_unpack('<I', padded)] +
                      [(MBOX_EXECUTE, 1)])

    def mailbox_data(self):
        """What the mailbox holds for its reader."""
        dlen = self.read32(MBOX_DLEN)
        words = self.reads32([MBOX_DATAOUT] * ((dlen + 3) // 4))
        return struct.pack('<%dI' % len(words), *words)[:dlen]

    def mailbox_finish(self):
        """Wait for the answer; its status and data."""
        status = 0
        for _ in range(STEPS):
            status = self.read32(MBOX_STATUS)
            if status & 0xf != CMD_BUSY:
                break
            self.step()
        else:
            raise QTestError('no answer from the mailbox')
        status &= 0xf
        data = self.mailbox_data() if status == DATA_READY else b''
        self.write32(MBOX_EXECUTE, 0)
        return status, data

    def command(self, command, payload=b''):
        """A command with checksum; the response from byte 8 on."""
        self.mailbox_send(command, struct.pack(
            '<I', checksum(command, payload)) + payload)
        status, data = self.mailbox_finish()
        if status == CMD_FAILURE:
            raise CommandFailed(self)
        if len(data) < 8 or struct.unpack_from('<I', data)[0] != \
                checksum(0, data[4:]) or data[4:8] != bytes(4):
            raise QTestError('bad response header: %s' % data[:8].hex())
        return data[8:]

    def load_firmware(self, bundle):
        """FIRMWARE_LOAD, until Caliptra has taken or refused it."""
        self.mailbox_send(FIRMWARE_LOAD, bundle)
        status, _ = self.mailbox_finish()
        if status != CMD_COMPLETE:
            raise CommandFailed(self)

    def boot(self, bundle, fuses=None, manuf=0, **power):
        """From power off to runtime."""
        self.power_on(**power)
        self.start(fuses, manuf)
        self.wait_ready_for_fw()
        self.load_firmware(bundle)
        self.wait_ready_for_runtime()

    def take_csr(self):
        """The IDevID CSR that ROM was told to make."""
        self.run_until(FLOW_STATUS, CSR_READY, CSR_READY)
        csr = self.mailbox_data()
        self.write32(DBG_MANUF, 0)
        return csr
