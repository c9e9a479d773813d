#!/usr/bin/env python3
#
# Inputs with which the fuzzing targets begin
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""fuzz_seeds.py TARGET DIRECTORY: write seeds of a target of QEMU's fuzzer.

They come from what the suites have: recorded traces, the table of commands,
bundles that break one rule each.  The forms of inputs are those in
tests/qtest/fuzz/caliptra_*_fuzz.c.
"""

import glob
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))
import badbundles                       # noqa: E402
import caliptra_keys as keys            # noqa: E402
import manifest                         # noqa: E402
from caliptra_commands import (COMMANDS, DPE_COMMANDS, FLAGS,   # noqa: E402
                               FIRMWARE_LOAD, encode)

# points of the boot
FUSES, BLANK, FW, RUNTIME = range(4)

# ---- registers: op, count, where, value ----

WRITE, READ, RUN, TIME, SERVE, LINES = 0, 4, 5, 12, 13, 14
PAGES = {0x30020: 0, 0x30021: 1, 0x30030: 2}
FUSE_WR_DONE = 0x40B0
# security state of the trace's part
PRODUCTION_LOCKED = 7


def record(op, count=0, where=0, value=0):
    return struct.pack('<BBHI', op, count, where, value & 0xFFFFFFFF)


def trace_records(path):
    """What the SoC does in a recorded trace."""
    with open(path, encoding='ascii') as f:
        for words in map(str.split, f):
            if words[:1] == ['soc']:
                addr = int(words[2], 16)
                page = PAGES.get(addr >> 12)
                if page is not None:
                    yield record(WRITE if words[1] == 'W' else READ, 0,
                                 page << 13 | addr & 0xFFF,
                                 int(words[3], 16) if words[1] == 'W' else 0)
            elif words[:1] == ['tick']:
                yield record(TIME, 31, 0, 10 * int(words[1], 16))
            elif words[:1] == ['reset']:
                yield record(LINES, 2 if words[1] == 'cold' else 0, 0,
                             PRODUCTION_LOCKED)


def regs():
    traces = glob.glob(os.path.join(HERE, 'traces', '*.txt'))
    for path in sorted(traces):
        name = os.path.splitext(os.path.basename(path))[0]
        yield name, bytes([FUSES]) + b''.join(trace_records(path))
    boot = record(WRITE, 0, FUSE_WR_DONE, 1) + record(SERVE, 31) * 2
    yield 'boot', bytes([FUSES]) + boot
    yield 'reset', bytes([RUNTIME]) + record(LINES, 0) + boot
    for point in range(4):
        yield f'run-{point}', bytes([point]) + b''.join(
            record(RUN, 255, 0, seed) + record(SERVE, 1)
            for seed in range(8))


# ---- commands ----

REQUEST, DPE, RAW, FIRMWARE, USER, STEPS, WARM_RESET, STOP = range(8)
TAKE_HANDLE = 0x40


def zeros(fields):
    """A payload that has its right length"""
    values = {field.name: bytes(16 if field.variable else field.size)
              for field in fields
              if field.required and field.form not in ('u16', 'u32', 'flags')}
    values |= {field.name: 0 for field in fields
               if field.required and field.name not in values}
    return encode(fields, values)


def request(kind, code, payload):
    code = bytes([code]) if kind & 7 == DPE else struct.pack('<I', code)
    return bytes([kind]) + code + struct.pack('<H', len(payload)) + payload


def derive(**flags):
    fields = DPE_COMMANDS['DeriveContext'].request
    bits = sum(FLAGS['DeriveContext'][name] for name in flags)
    return request(DPE, DPE_COMMANDS['DeriveContext'].ident,
                   encode(fields, {'data': bytes(48), 'flags': bits}))


def mbox():
    runtime, fw = bytes([1]), bytes([0])
    dpe = {name: request(DPE, cmd.ident, zeros(cmd.request))
           for name, cmd in DPE_COMMANDS.items()}
    for name, cmd in COMMANDS.items():
        data = request(REQUEST, cmd.code, zeros(cmd.request))
        yield name, runtime + data + data
        if cmd.rom:
            yield 'rom-' + name, fw + data
    for name, data in dpe.items():
        yield name, runtime + data
        handle = bytes([data[0] | TAKE_HANDLE]) + data[1:]
        yield 'handle-' + name, runtime + dpe['RotateContextHandle'] + handle
        yield 'derived-' + name, runtime + derive(
            RETAIN_PARENT_CONTEXT=1, INPUT_ALLOW_X509=1) + handle
    for name in FLAGS['DeriveContext']:
        yield 'flag-' + name, runtime + derive(**{name: 1})
    yield 'export', runtime + derive(EXPORT_CDI=1, CREATE_CERTIFICATE=1)
    yield 'default', runtime + derive(MAKE_DEFAULT=1) * 4
    yield 'update', runtime + bytes([FIRMWARE, STEPS, 20]) + dpe['GetProfile']
    yield 'users', runtime + struct.pack('<BI', USER, 1) + dpe['CertifyKey']
    yield 'reset', runtime + bytes([WARM_RESET, STEPS, 20])
    yield 'load', fw + bytes([FIRMWARE, STEPS, 20]) + dpe['GetProfile']
    yield 'raw', fw + request(RAW, FIRMWARE_LOAD, bytes(32))
    yield 'stop', runtime + request(STOP, COMMANDS['FW_INFO'].code, b'')


# ---- images ----

KIND_BLANK, KIND_FW, KIND_UPDATE, KIND_MANIFEST = range(4)
FIX_DIGESTS, BELIEVE = 4, 8


def manifests():
    def pair(n):
        return manifest.KeyPair(keys.dev_ecc_key(n), keys.dev_lms_key(n))

    signers = pair(0), pair(1), pair(keys.DEV_OWNER), pair(2)
    for count in (1, 2, manifest.MAX_ENTRIES):
        entries = [(i, manifest.SOURCE_IN_REQUEST, bytes([i]) * 48)
                   for i in range(count)]
        yield f'manifest-{count}', manifest.build(
            1, manifest.FLAG_VENDOR_SIGNATURE_REQUIRED, entries, *signers)


def images():
    good = os.path.join(HERE, '..', 'data', 'caliptra', 'bundle.bin')
    with open(good, 'rb') as f:
        bundle = f.read()
    for kind in (KIND_BLANK, KIND_FW, KIND_UPDATE):
        for fix in (0, FIX_DIGESTS, FIX_DIGESTS | BELIEVE):
            yield f'bundle-{kind}-{fix}', bytes([kind | fix]) + bundle
    for name, data in manifests():
        for fix in (0, BELIEVE):
            yield f'{name}-{fix}', bytes([KIND_MANIFEST | fix]) + data
    for _, case in badbundles.cases():
        data, _ = case.make()
        if len(data) <= 2 * len(bundle):
            yield case.name, bytes([KIND_BLANK]) + data


# ---- states: point, what is begun, steps; device, how, where, value ----

def states():
    for point in range(4):
        for begun in (0, 4, 5, 6, 7):
            for steps in (0, 1, 9):
                begin = bytes([point, begun, steps])
                yield f'{point}-{begun}-{steps}', begin
    for how in range(8):
        yield f'change-{how}', bytes([RUNTIME, 0, 0]) + b''.join(
            struct.pack('<BBII', device, how, 997 * device, 1)
            for device in range(12))


TARGETS = {
    'caliptra-regs': regs,
    'caliptra-mbox': mbox,
    'caliptra-image': images,
    'caliptra-state': states,
}


def main(argv):
    if len(argv) != 2 or argv[0] not in TARGETS:
        sys.exit('usage: fuzz_seeds.py TARGET DIRECTORY; targets are ' +
                 ', '.join(TARGETS))
    for name, data in TARGETS[argv[0]]():
        with open(os.path.join(argv[1], name), 'wb') as f:
            f.write(data)


if __name__ == '__main__':
    main(sys.argv[1:])
