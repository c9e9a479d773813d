#!/usr/bin/env python3
#
# Replay recorded bus transactions against the Caliptra model
#
# Usage: replay.py [--qemu BINARY] [--max N] FILE-OR-DIR...
#
# A trace is text (.txt or .trace, also .gz), one item a line: events that
# are done to the block, and what the hardware answered.  Two kinds exist;
# docs/specs/caliptra.rst describes both.  Every value read, every error
# response and every output wire is compared; the first differences of a file
# are printed with the lines before them.  The last line reads
# "N accesses, M differences"; the exit status is 1 if there are any.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Trace player for the Caliptra model."""

import argparse
import gzip
import os
import re
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qtestlib import QTest, default_binary  # noqa: E402

# where the test device is mapped: far above everything else of the machine
BUS = 0x1000000000


def testdev(core):
    """Options for a test device at the core with this path."""
    return ['-device', 'caliptra-testdev,core=%s,addr=0x%x' % (core, BUS)]


TESTDEV = testdev('/machine/caliptra/core')
MACHINE = 'ast2700fc,caliptra-boot=guest,caliptra-native-fw=off'

# layout of the test device: hw/misc/caliptra_testdev.c
SOC_WINDOW = BUS + 0x70000000
REGS = BUS + 0x70040000
PAUSER = REGS + 0x000
STATE = REGS + 0x004
CHANGED = REGS + 0x008
ENGINE_INTR = REGS + 0x00c
RESET = REGS + 0x010
LINES = REGS + 0x014
SECURITY_STATE = REGS + 0x018
PULSE = REGS + 0x01c
GENERIC_IN = REGS + 0x020
SRAM_FLIP = REGS + 0x028
OBF_KEY_PINS = REGS + 0x040
WIDE = REGS + 0x100
TAP = REGS + 0x200

STATE_ERROR = 1 << 0
STATE_CHANGED = 1 << 31
RESET_COLD = 1
RESET_WARM = 2

# bits of STATE
WIRES = {name: 1 << bit for bit, name in enumerate((
    'cptra_noncore_rst_b', 'cptra_uc_rst_b', 'ready_for_fuses',
    'ready_for_fw_push', 'ready_for_runtime', 'mailbox_data_avail',
    'mailbox_flow_done', 'cptra_error_fatal', 'cptra_error_non_fatal',
    'trng_req', 'soc_ifc_error_intr', 'soc_ifc_notif_intr',
    'sha_error_intr', 'sha_notif_intr', 'timer_intr', 'nmi_intr',
    'iccm_lock', 'clk_gating_en'), 1)}
ALL_WIRES = sum(WIRES.values())

# bits of ENGINE_INTR
ENGINE_WIRES = {'%s_%s_intr' % (engine, kind): 1 << bit
                for bit, (engine, kind) in enumerate(
                    (e, k) for e in ('doe', 'ecc', 'hmac', 'sha512', 'sha256')
                    for k in ('error', 'notif'))}

# words of WIDE, by wire name
WIDE_WORDS = {'nmi_vector': 2}
for _i in range(8):
    WIDE_WORDS['obf_key[%d]' % _i] = 3 + _i
for _i in range(12):
    WIDE_WORDS['obf_uds_seed[%d]' % _i] = 11 + _i
for _i in range(8):
    WIDE_WORDS['obf_field_entropy[%d]' % _i] = 23 + _i

LINE_BITS = {'pwrgood': 1, 'rst_b': 2, 'brkpoint': 4, 'scan_mode': 8,
             'itrng_en': 16}
PULSE_BITS = {'pulse_clear_secrets': 1, 'pulse_crypto_error': 2,
              'pulse_iccm_ecc_unc': 4, 'pulse_dccm_ecc_unc': 8,
              'pulse_iccm_blocked': 16}

# core clock of the model: 100 MHz
NS_PER_TICK = 10
# more than the longest command of an engine takes
WAIT_NS = 20000000

FUSE_WR_DONE = 0x300b0
UDS_SEED = 0x30200
FIELD_ENTROPY = 0x30230
FW_UPDATE_RESET = 0x30030624
SOC_BASE = 0x30000000
ANY_USER = 0xffffffff
LIFECYCLE_PRODUCTION = 3


# What a line may be; numbers are hexadecimal, * is a word that is not compared
LINE = re.compile(
    r'(?:in|wire) [\w\[\]]+ NUM|reset (?:cold|warm|fw_update)|'
    r'soc W NUM NUM NUM NUM|soc R NUM NUM (?:NUM|\*) NUM|'
    r'(?:uc|tap) W NUM NUM(?: NUM)?|(?:uc|tap) R NUM (?:NUM|\*)(?: NUM)?|'
    r'wait NUM NUM NUM|tick NUM'.replace('NUM', '(?:0x)?[0-9a-fA-F]+'))


class TraceError(Exception):
    """A file that is no trace; the message is one line."""


class Event:
    """A line of a trace with the wire lines that follow it."""

    __slots__ = ('lineno', 'words', 'wires', 'timing')

    def __init__(self, lineno, words, timing):
        self.lineno = lineno
        self.words = words
        self.wires = []
        self.timing = timing


class Trace:
    """A trace: lines, those of a file or given, and the events in them."""

    def __init__(self, path, lines=None):
        self.path = path
        if lines is None:
            opener = gzip.open if path.endswith('.gz') else open
            try:
                with opener(path, 'rt', encoding='ascii') as f:
                    lines = f.read().split('\n')
            except (OSError, EOFError) as e:
                raise TraceError('%s: %s' % (
                    path, getattr(e, 'strerror', None) or e)) from None
            except UnicodeDecodeError:
                raise TraceError('%s: not a bus trace, nor text' %
                                 path) from None
        self.lines = lines
        self.events = []
        self.accesses = 0
        timing = False
        # wires of an event stand after the tick in which they change
        self.timed = '# timed trace' in self.lines[:3]
        # the engines' traces have no field for an error response
        self.engines = False
        for lineno, line in enumerate(self.lines, 1):
            if not line or line[0] == '#':
                if line.startswith('#!timing'):
                    timing = line.endswith('on')
                continue
            if not LINE.fullmatch(line):
                raise TraceError('%s:%d: not a line of a bus trace: %.40r' %
                                 (path, lineno, line))
            words = line.split(' ')
            kind = words[0]
            if kind == 'wire':
                if self.events:
                    self.events[-1].wires.append((words[1],
                                                  int(words[2], 16)))
                continue
            if kind in ('uc', 'soc', 'tap'):
                self.accesses += 1
                if kind == 'uc' and len(words) == 4:
                    self.engines = True
            self.events.append(Event(lineno, words, timing))
        if not self.events:
            raise TraceError('%s: a bus trace without an event' % path)

    def context(self, lineno, before=4):
        first = max(0, lineno - 1 - before)
        return ['%6d  %s' % (i + 1, self.lines[i])
                for i in range(first, lineno)]


class Player:
    """Plays the events of one trace; knows what the wires should be."""

    CHUNK = 2048

    def __init__(self, trace):
        self.trace = trace
        self.wires = 0
        self.engine_wires = 0
        self.wide = {}
        self.pauser = None
        self.lines = 0
        self.secrets = {}
        self.cmds = []
        self.checks = []
        # (lineno, what, expected, found), one an event at most
        self.diffs = []
        self.busy_skipped = 0

    # ---- commands ----

    def _write(self, addr, data):
        self.cmds.append('writel 0x%x 0x%x' % (addr, data))

    def _read(self, addr, lineno, what, expected, mask=0xffffffff):
        """Read a word and compare it; expected None: do not compare."""
        if expected is not None:
            self.checks.append((len(self.cmds), lineno, what, expected, mask))
        self.cmds.append('readl 0x%x' % addr)

    def _user(self, user):
        if user != self.pauser:
            self.pauser = user
            self._write(PAUSER, user)

    def _flush(self, qtest):
        answers = qtest.batch(self.cmds)
        last = self.diffs[-1][0] if self.diffs else 0
        for pos, lineno, what, expected, mask in self.checks:
            found = int(answers[pos], 16) & mask
            if found != expected & mask and lineno != last:
                self.diffs.append((lineno, what, expected & mask, found))
                last = lineno
        self.cmds = []
        self.checks = []

    # ---- events ----

    def start(self):
        """Power is off, as at the beginning of a file."""
        self._write(LINES, 0)
        for addr in (SRAM_FLIP, SRAM_FLIP + 4, GENERIC_IN, GENERIC_IN + 4):
            self._write(addr, 0)
        for i in range(8):
            self._write(OBF_KEY_PINS + 4 * i, 0)
        if self.trace.engines:
            self._write(SECURITY_STATE, 4 | LIFECYCLE_PRODUCTION)
        self.cmds.append('readl 0x%x' % CHANGED)

    def _input(self, name, value):
        m = re.match(r'(\w+)\[(\d+)\]$', name)
        if m and m.group(1) == 'obf_key':
            self._write(OBF_KEY_PINS + 4 * int(m.group(2)), value)
        elif m:
            base = {'uds': UDS_SEED, 'fe': FIELD_ENTROPY}[m.group(1)]
            self.secrets[base + 4 * int(m.group(2))] = value
        elif name == 'security_state':
            self._write(SECURITY_STATE, value)
        elif name == 'debug_locked':
            self._write(SECURITY_STATE, value << 2 | LIFECYCLE_PRODUCTION)
        elif name == 'generic_input_wires':
            self._write(GENERIC_IN, value & 0xffffffff)
            self._write(GENERIC_IN + 4, value >> 32)
        elif name == 'sram_flip':
            self._write(SRAM_FLIP, value & 0xffffffff)
            self._write(SRAM_FLIP + 4, value >> 32)
        elif name in PULSE_BITS:
            self._write(PULSE, PULSE_BITS[name])
        else:
            bit = LINE_BITS[name]
            self.lines = self.lines | bit if value else self.lines & ~bit
            self._write(LINES, self.lines)

    def _reset(self, kind):
        if kind == 'fw_update':
            self._write(BUS + FW_UPDATE_RESET, 1)
            return
        if kind == 'cold':
            self._write(RESET, RESET_COLD)
            self.lines |= LINE_BITS['pwrgood'] | LINE_BITS['rst_b']
        else:
            self._write(RESET, RESET_WARM)
        if self.trace.engines:
            # the test device is the SoC too
            self._user(ANY_USER)
            if kind == 'cold':
                for addr, value in sorted(self.secrets.items()):
                    self._write(SOC_WINDOW + addr, value)
            self._write(SOC_WINDOW + FUSE_WR_DONE, 1)

    def _access(self, event):
        """A bus access; the expected error response, None: not known."""
        words = event.words
        kind, direction, addr = words[0], words[1], int(words[2], 16)
        lineno = event.lineno
        if kind == 'soc':
            if direction == 'W':
                self._user(int(words[4], 16))
                self._write(SOC_WINDOW + addr - SOC_BASE, int(words[3], 16))
                return int(words[5], 16)
            self._user(int(words[3], 16))
            self._read(SOC_WINDOW + addr - SOC_BASE, lineno, 'data',
                       None if words[4] == '*' else int(words[4], 16))
            return int(words[5], 16)
        base = BUS + addr if kind == 'uc' else TAP + 4 * addr
        if direction == 'W':
            self._write(base, int(words[3], 16))
        else:
            self._read(base, lineno, 'data',
                       None if words[3] == '*' else int(words[3], 16))
        return int(words[4], 16) if len(words) > 4 else None

    def _take_wires(self, wires):
        """Note new levels; the wide words among them."""
        wide = {}
        for name, value in wires:
            if name in WIRES:
                bit = WIRES[name]
                self.wires = self.wires | bit if value else self.wires & ~bit
            elif name in ENGINE_WIRES:
                bit = ENGINE_WIRES[name]
                self.engine_wires = (self.engine_wires | bit if value
                                     else self.engine_wires & ~bit)
            elif name == 'generic_output_wires':
                wide[0] = value & 0xffffffff
                wide[1] = value >> 32
            elif name in WIDE_WORDS:
                wide[WIDE_WORDS[name]] = value
            elif not name.endswith('_busy'):
                raise ValueError(name)
        changed = {i: v for i, v in wide.items() if self.wide.get(i, 0) != v}
        self.wide.update(changed)
        return changed

    def _compare_wires(self, event, error):
        changed = self._take_wires(event.wires)
        lineno = event.lineno
        if self.trace.timed and event.words[0] != 'tick':
            if error is not None:
                self._read(STATE, lineno, 'error and wires', error,
                           STATE_ERROR)
            return
        mask = ALL_WIRES
        expected = self.wires
        if error is not None:
            mask |= STATE_ERROR
            expected |= error
        if changed:
            self._read(CHANGED, lineno, 'wide wires that changed',
                       sum(1 << i for i in changed))
            for i, value in sorted(changed.items()):
                self._read(WIDE + 4 * i, lineno, 'wide wire %d' % i, value)
        mask |= STATE_CHANGED
        self._read(STATE, lineno, 'error and wires', expected, mask)

    def _compare_engine_wires(self, event):
        self._take_wires(event.wires)
        if event.timing:
            return
        words = event.words
        if words[0] in ('wait', 'reset') or words[1] == 'R':
            self._read(ENGINE_INTR, event.lineno, 'engine interrupts',
                       self.engine_wires)
            self._read(STATE, event.lineno, 'error wires', self.wires,
                       WIRES['cptra_error_fatal'] |
                       WIRES['cptra_error_non_fatal'])

    def _event(self, event):
        words = event.words
        kind = words[0]
        error = None
        if kind == 'in':
            self._input(words[1], int(words[2], 16))
        elif kind == 'reset':
            self._reset(words[1])
        elif kind == 'tick':
            self.cmds.append('clock_step %d' %
                             (int(words[1], 16) * NS_PER_TICK))
        elif kind == 'wait':
            addr, mask, value = (int(w, 16) for w in words[1:4])
            self.cmds.append('clock_step %d' % WAIT_NS)
            self._read(BUS + addr, event.lineno, 'condition', value, mask)
        else:
            error = self._access(event)
        if self.trace.engines:
            self._compare_engine_wires(event)
        else:
            self._compare_wires(event, error)

    def play(self, qtest, first=0, last=None):
        """Play events first..last-1; what went before must be played."""
        for event in self.trace.events[first:last]:
            try:
                self._event(event)
            except (KeyError, ValueError) as e:
                raise TraceError('%s:%d: no such input or output: %s' % (
                    self.trace.path, event.lineno, e)) from None
            if len(self.cmds) >= self.CHUNK:
                self._flush(qtest)
        self._flush(qtest)

    def run(self, qtest):
        self.start()
        self.play(qtest)
        return self.diffs

    def report(self, limit, out=sys.stdout):
        for lineno, what, expected, found in self.diffs[:limit]:
            print('%s:%d: %s is 0x%x, should be 0x%x' %
                  (self.trace.path, lineno, what, found, expected), file=out)
            if what == 'error and wires':
                names = [n for n, b in WIRES.items()
                         if (expected ^ found) & b]
                if (expected ^ found) & STATE_ERROR:
                    names.append('error response')
                if (expected ^ found) & STATE_CHANGED:
                    names.append('a wide wire')
                print('        differs: %s' % ', '.join(names), file=out)
            for line in self.trace.context(lineno):
                print(line, file=out)


def bench_qtest(binary=None, args=(), **kwargs):
    """A QEMU whose Caliptra core is driven from both sides."""
    return QTest(binary, machine=MACHINE, args=TESTDEV + list(args), **kwargs)


def find_traces(paths):
    """All trace files among files and folders."""
    found = []
    for path in paths:
        if os.path.isdir(path):
            for root, _, names in sorted(os.walk(path)):
                found += [os.path.join(root, n) for n in sorted(names)
                          if re.search(r'\.(txt|trace)(\.gz)?$', n)]
        else:
            found.append(path)
    return found


def vectors_dir(name):
    """A folder of recorded traces, None if there is none here.

    They are not part of the repository: $CALIPTRA_VECTORS names the place,
    by default ../shared/vectors beside the checkout.
    """
    here = os.path.dirname(os.path.abspath(__file__))
    base = os.environ.get('CALIPTRA_VECTORS') or os.path.join(
        here, '..', '..', '..', 'shared', 'vectors')
    path = os.path.normpath(os.path.join(base, name))
    return path if os.path.isdir(path) else None


def own_traces_dir():
    """The traces that are part of the repository."""
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), 'traces')


def main():
    ap = argparse.ArgumentParser(
        description='Replay recorded bus transactions against the model.')
    ap.add_argument('--qemu', default=default_binary(), metavar='BINARY')
    ap.add_argument('--max', type=int, default=3, metavar='N',
                    help='differences to show of each file (default: 3)')
    ap.add_argument('--quiet', action='store_true',
                    help='name only files with differences')
    ap.add_argument('paths', nargs='+', metavar='FILE-OR-DIR')
    args = ap.parse_args()
    try:
        return replay(args)
    except TraceError as e:
        sys.exit('qemu-caliptra: replay: %s' % e)


def replay(args):
    accesses = differences = 0
    start = time.monotonic()
    with bench_qtest(args.qemu) as qtest:
        paths = find_traces(args.paths)
        if not paths:
            raise TraceError('no trace in %s' % ' '.join(args.paths))
        for path in paths:
            trace = Trace(path)
            player = Player(trace)
            player.run(qtest)
            accesses += trace.accesses
            differences += len(player.diffs)
            player.report(args.max)
            if player.diffs or not args.quiet:
                print('%s: %d accesses, %d differences' %
                      (path, trace.accesses, len(player.diffs)), flush=True)
    seconds = time.monotonic() - start
    print('%.1f s, %d accesses a second' % (seconds, accesses / seconds))
    print('%d accesses, %d differences' % (accesses, differences))
    return 1 if differences else 0


if __name__ == '__main__':
    sys.exit(main())
