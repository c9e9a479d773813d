#!/usr/bin/env python3
#
# The native firmware against the genuine one, on the same machine
#
# Sequences that a seed chooses (power up in some state, commands, firmware
# good and bad, resets) go to both, with the same entropy; what they answer
# is compared.  A difference is told once for its kind, with the shortest
# sequence in which it is still seen.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Native against genuine firmware: differences and how to see them."""

import argparse
import collections
import functools
import hashlib
import os
import random
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
# the window is that of the machine caliptra for both
os.environ['CALIPTRA_TARGET'] = 'native'

import caliptra_soc as cs                                   # noqa: E402
import dev_bundle                                           # noqa: E402
import genuine                                              # noqa: E402
from qtestlib import QTestError                             # noqa: E402
import caliptra_commands as table                           # noqa: E402

FUSE_UDS, FUSE_ENTROPY, FUSE_VENDOR = 0x200, 0x230, 0x250
FUSE_MASK, FUSE_OWNER, FUSE_FMC_SVN, FUSE_RT_SVN = 0x280, 0x284, 0x2b4, 0x2b8
FUSE_LMS_VERIFY = 0x340

# ends the run of a sequence on both sides
SECONDS = 180
# of a millisecond each
AFTER_FATAL_LOOKS = 500

# what one release has and the other has not, by the begin of a difference
EXPLAINED = (
    ('GET_IDEV_CSR: fatal 0102000a / 01020004', 'not a command of ROM 1.1'),
    ('GET_IDEV_CSR: non-fatal 0102000a / 01020004', 'likewise'),
    ('GET_IDEV_CSR: non-fatal 000e0051 / 000e0052',
     'ROM 1.1 leaves no CSR to the runtime'),
    ('SELF_TEST_START: status 1 / 3',
     'a runtime without the feature fips_self_test'),
    ('SELF_TEST_START: data', 'likewise'),
    ('SELF_TEST_START: non-fatal 00000000 / 000e0002', 'likewise'),
    ('SELF_TEST_GET_RESULTS: non-fatal 000e0012 / 000e0002', 'likewise'),
)


class Engine(cs.CaliptraSoc):
    """One of the two, and what has been seen of it."""

    def __init__(self, target, rom=None):
        super().__init__(target=target, rom=rom)
        self.key = (0, 0)
        self.handles = []

    def trng_words(self):
        """The same for both, as long as they draw equally often in a step."""
        data = struct.pack('>QQQ', *self.key, self.draws)
        return struct.unpack('>12I', hashlib.sha384(data).digest())

    def until(self, done):
        """Let time pass until done() or a fatal error; False: never."""
        end = time.monotonic() + SECONDS
        for _ in range(20000 if self.target == 'native' else 1 << 30):
            if done() or self.read32(cs.FW_ERROR_FATAL):
                return True
            if time.monotonic() > end:
                break
            self.step()
        return False

    def flow(self, bit):
        return lambda: self.read32(cs.FLOW_STATUS) & bit

    def seen(self, **more):
        """What anybody can see, and more."""
        if self.read32(cs.FW_ERROR_FATAL):
            # firmware does more than that when it ends
            self.clock_step(20 * 1000 * 1000)
        fatal, non_fatal = self.reads32([cs.FW_ERROR_FATAL,
                                         cs.FW_ERROR_NON_FATAL])
        flow = self.read32(cs.FLOW_STATUS)
        self.write32(cs.FW_ERROR_NON_FATAL, 0)
        return {'fatal': '%08x' % fatal, 'non-fatal': '%08x' % non_fatal,
                'ready': '%x' % (flow >> 28), **more}

    # ---- steps ----

    def do_power(self, lifecycle, locked, obf_key, fuses):
        self.be(cs.DEFAULT_PAUSER)
        self.handles = []
        self.power_on(obf_key, lifecycle, locked)
        self.start(fuses)
        self.until(self.flow(cs.READY_FOR_FW))
        return self.seen()

    def mailbox(self, code, data):
        """(status, response) of a command; a dead one has status 0."""
        if not self.until(lambda: not self.read32(cs.MBOX_LOCK) & 1):
            return 0, b''
        padded = data + bytes(-len(data) % 4)
        self.writes32([(cs.MBOX_CMD, code), (cs.MBOX_DLEN, len(data))] +
                      [(cs.MBOX_DATAIN, w)
                       for w, in struct.iter_unpack('<I', padded)] +
                      [(cs.MBOX_EXECUTE, 1)])
        self.until(lambda: self.read32(cs.MBOX_STATUS) & 0xf)
        # behind a fatal error the answer comes a little later
        for _ in range(AFTER_FATAL_LOOKS):
            status = self.read32(cs.MBOX_STATUS) & 0xf
            if status:
                break
            self.clock_step(1000 * 1000)
        answer = self.mailbox_data() if status == cs.DATA_READY else b''
        self.write32(cs.MBOX_EXECUTE, 0)
        return status, answer

    def do_load(self, bundle):
        status, _ = self.mailbox(cs.FIRMWARE_LOAD, bundle)
        if status == cs.CMD_COMPLETE:
            self.until(self.flow(cs.READY_FOR_RUNTIME))
        return self.seen(status=str(status))

    def do_warm(self):
        self.warm_reset()
        self.until(self.flow(cs.READY_FOR_RUNTIME))
        return self.seen()

    def do_command(self, code, payload):
        # a handle of an answer before, by its number
        for i in range(len(payload) - 15):
            if payload[i:i + 15] == HANDLE:
                known = self.handles or [bytes(16)]
                payload = (payload[:i] +
                           known[payload[i + 15] % len(known)] +
                           payload[i + 16:])
        status, data = self.mailbox(code, struct.pack(
            '<I', cs.checksum(code, payload)) + payload)
        if code == table.COMMANDS['INVOKE_DPE_COMMAND'].code and \
           len(data) >= 12 + 12 + 16 and data[16:20] == bytes(4):
            self.handles.append(data[24:40])
        return self.seen(status=str(status), data=data.hex())

    def run(self, seed, steps):
        """What each step shows, until one is fatal."""
        result = []
        for i, (_, name, args) in enumerate(steps):
            self.key = seed, i
            self.draws = 0
            result.append(getattr(self, 'do_' + name)(*args))
            if result[-1]['fatal'] != '00000000':
                break
        return result


HANDLE = b'\xfehandle-number-'
assert len(HANDLE) == 15


# ---- sequences: lists of (label, method, arguments) ----

def words(digest):
    return list(struct.unpack('>%dI' % (len(digest) // 4), digest))


def power(rand, state):
    fuses = {FUSE_UDS: [rand.getrandbits(32) for _ in range(12)],
             FUSE_ENTROPY: [rand.getrandbits(32) for _ in range(8)],
             FUSE_LMS_VERIFY: rand.getrandbits(1)}
    if state & 3 or rand.getrandbits(1):
        vendor, owner = dev_bundle.key_hashes()
        fuses[FUSE_VENDOR] = words(vendor)
        if rand.getrandbits(1):
            fuses[FUSE_OWNER] = words(owner)
    if rand.random() < 0.3:
        fuses[FUSE_FMC_SVN], fuses[FUSE_RT_SVN] = 3, 7
    if rand.random() < 0.2:
        fuses[FUSE_MASK] = 1 << rand.randrange(4)
    key = tuple(rand.getrandbits(32) for _ in range(8))
    return 'power, state %d' % state, 'power', (state & 3, bool(state & 4),
                                                key, fuses)


def load(rand, good):
    """A bundle, with something wrong about it unless it is to be good."""
    label = 'bundle'
    pl0 = rand.choice((cs.DEFAULT_PAUSER, cs.DEFAULT_PAUSER, 1, None))
    data = dev_bundle.make_bundle(
        pl0_pauser=pl0, rt_svn=rand.choice((0, 2, 9)),
        fmc_svn=rand.choice((0, 4)), ecc_index=rand.randrange(4),
        lms_index=rand.randrange(4), rt=rand.choice((None, b'more')))
    if not good:
        kind = rand.randrange(4)
        at = (rand.randrange(len(data)), rand.randrange(0x600),
              rand.randrange(0x1000), 0)[kind]
        if kind == 3:
            data = data[:rand.randrange(4, len(data)) & ~3]
            label = 'bundle cut off at %d' % len(data)
        else:
            data = bytearray(data)
            data[at] ^= 1 << rand.randrange(8)
            data = bytes(data)
            label = 'bundle with a bit changed at 0x%x' % at
    return label, 'load', (data,)


def values(rand, fields):
    """Something for each field of a request."""
    result = {}
    for field in fields:
        if field.form in ('u16', 'u32'):
            result[field.name] = rand.choice((0, 1, 2, 31, 32, 700, 1 << 15))
        elif field.form == 'flags':
            result[field.name] = rand.choice((0, 0, 1 << 31, 1 << 30, 1 << 29,
                                              1 << 28, 1 << 24, 3 << 22,
                                              (1 << 29) | (3 << 25)))
        elif field.name in ('handle', 'context_handle'):
            result[field.name] = rand.choice(
                (bytes(16), bytes(16), HANDLE + bytes([rand.randrange(256)])))
        elif field.name == 'dmtf_device_info':
            result[field.name] = rand.choice((b'A:B:C', b'none'))
        else:
            result[field.name] = rand.randbytes(
                min(field.size, 64) if field.variable else field.size)
        if field.variable:
            result[field.name + '_size'] = len(result[field.name])
    return {name: value for name, value in result.items()
            if name in {field.name for field in fields}}


def command(rand, rom):
    names = [name for name, c in table.COMMANDS.items()
             if (c.rom or not rom) and name != 'SHUTDOWN']
    if not rom and rand.random() < 0.5:
        name = rand.choice(list(table.DPE_COMMANDS))
        dpe = table.DPE_COMMANDS[name]
        body = table.encode(dpe.request, values(rand, dpe.request))
        data = struct.pack('<III', table.DPE_COMMAND_MAGIC, dpe.ident,
                           table.DPE_PROFILE) + body
        code = table.COMMANDS['INVOKE_DPE_COMMAND'].code
        payload = struct.pack('<I', len(data)) + data.ljust(512, b'\0')
    else:
        name = rand.choice(names)
        code = table.COMMANDS[name].code
        request = table.COMMANDS[name].request
        payload = table.encode(request, values(rand, request))
    if rand.random() < 0.05:
        payload = payload[:rand.randrange(len(payload) + 1)]
        name += ', %d bytes' % len(payload)
    return name, 'command', (code, payload)


def sequence(seed):
    """The steps that a seed stands for."""
    rand = random.Random(seed)
    steps = [power(rand, seed % 8)]
    steps += [command(rand, True) for _ in range(rand.choice((0, 0, 1, 3)))]
    steps.append(load(rand, rand.random() < 0.85))
    for _ in range(rand.randrange(4, 20)):
        kind = rand.random()
        if kind < 0.04:
            steps.append(('warm reset', 'warm', ()))
        elif kind < 0.08:
            label, name, args = load(rand, rand.random() < 0.6)
            steps.append(('update: ' + label, name, args))
        else:
            steps.append(command(rand, False))
    return steps


# ---- differences ----

def kind_of(label):
    """A label without what makes it one of its kind."""
    return label.split(',')[0].split(' at ')[0]


def differences(steps, native, other):
    """[(kind, text, number of the step)]"""
    found = []
    for i, (a, b) in enumerate(zip(native, other)):
        label = steps[i][0]
        for field in a:
            if a[field] == b.get(field):
                continue
            x, y = a[field], b.get(field, '')
            if field == 'data':
                at = next((n for n in range(min(len(x), len(y)) // 2)
                           if x[2 * n:2 * n + 2] != y[2 * n:2 * n + 2]),
                          min(len(x), len(y)) // 2)
                text = 'from byte %d of %d/%d: %s / %s' % (
                    at, len(x) // 2, len(y) // 2,
                    x[2 * at:2 * at + 16], y[2 * at:2 * at + 16])
            else:
                text = '%s / %s' % (x, y)
            # errors and statuses are of one kind if the numbers are the same
            kind = '%s: %s' % (kind_of(label), field)
            found.append((kind if field == 'data' else '%s %s' % (kind, text),
                          '%s: %s: %s' % (label, field, text), i))
    if len(native) != len(other):
        i = min(len(native), len(other))
        found.append((kind_of(steps[i - 1][0]) + ': end',
                      'one ends after %s' % steps[i - 1][0], i - 1))
    return found


class Comparison:
    """Both engines, and the kinds of differences so far.

    make: two functions, each makes an engine
    """

    def __init__(self, *make):
        self.make = make
        self.engines = []
        self.kinds = collections.OrderedDict()

    def close(self):
        for engine in self.engines:
            engine.close()
        self.engines = []

    def run(self, seed, steps):
        """Differences of one sequence."""
        while len(self.engines) < 2:
            self.engines.append(self.make[len(self.engines)]())
        return differences(steps, *(engine.run(seed, steps)
                                    for engine in self.engines))

    def shortest(self, seed, steps, kind, last):
        """Without the steps that a difference does not need.

        Each left out changes the entropy of those behind it, for both.
        """
        def shows(some):
            return kind in (k for k, _, _ in self.run(seed, some))

        steps = steps[:last + 1]
        # most need nothing but firmware
        least = [step for i, step in enumerate(steps)
                 if i in (0, last) or step[0] == 'bundle']
        if shows(least):
            steps, last = least, len(least) - 1
        for i in reversed(range(1, last)):
            fewer = steps[:i] + steps[i + 1:]
            if shows(fewer):
                steps = fewer
        return steps

    def sequence(self, seed):
        steps = sequence(seed)
        found = self.run(seed, steps)
        if sys.stderr.isatty():
            print('\r    %d' % seed, end='', file=sys.stderr, flush=True)
        for kind, text, i in found:
            if kind in self.kinds:
                self.kinds[kind].append(seed)
                continue
            self.kinds[kind] = [seed]
            why = next((why for start, why in EXPLAINED
                        if kind.startswith(start)), None)
            print('difference: native / genuine: ' + text)
            if why:
                print('    ' + why)
                continue
            shown = self.shortest(seed, steps, kind, i)
            print('    seed %d: %s' % (seed, '; '.join(s[0] for s in shown)),
                  flush=True)
        return len(found)


def main(argv):
    p = argparse.ArgumentParser(prog='qemu-caliptra compare',
                                description=__doc__)
    p.add_argument('--rom', required=True, metavar='FILE')
    p.add_argument('--firmware', required=True, metavar='FILE',
                   help='a bundle; it is signed anew with development keys')
    p.add_argument('--seed', type=int, default=1, metavar='N',
                   help='the first sequence (default: 1)')
    p.add_argument('--count', type=int, default=20, metavar='N',
                   help='how many (default: 20)')
    args = p.parse_args(argv)
    try:
        genuine.use(args.rom, args.firmware)
    except (OSError, ValueError, genuine.ToolError) as e:
        sys.exit('qemu-caliptra: compare: %s' % e)
    dev_bundle.EXECUTED = True
    rom = str(genuine.images().rom)
    comparison = Comparison(*(functools.partial(Engine, target, rom)
                              for target in ('native', 'veer')))
    same = 0
    try:
        for seed in range(args.seed, args.seed + args.count):
            try:
                same += not comparison.sequence(seed)
            except QTestError as e:
                comparison.close()
                print('seed %d: %s' % (seed, str(e).splitlines()[0]))
                comparison.kinds.setdefault('QEMU', []).append(seed)
    finally:
        comparison.close()
    print('%d sequences, %d without a difference, %d kinds of differences' %
          (args.count, same, len(comparison.kinds)))
    for kind, seeds in comparison.kinds.items():
        print('%5d  %s' % (len(seeds), kind))
    return 1 if comparison.kinds else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
