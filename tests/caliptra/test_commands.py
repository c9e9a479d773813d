#!/usr/bin/env python3
#
# Every mailbox command of ROM and runtime, from the SoC's side
#
# A row of a table is a test.  The answers come from the register and command
# documentation and from other implementations of the algorithms, never from
# the device.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Mailbox commands, table-driven."""

import dataclasses
import hashlib
import os
import re
import shutil
import struct
import sys
import tempfile
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))
from caliptra_commands import COMMANDS as ALL_COMMANDS  # noqa: E402
from caliptra_commands import (EXACT, EXACT_PARAMS, IGNORED,  # noqa: E402
                               UP_TO)
import caliptra_soc as soc_regs  # noqa: E402
import replay  # noqa: E402
from caliptra_soc import CaliptraSoc, checksum  # noqa: E402
from qtestlib import QTestError  # noqa: E402
import command_env as env  # noqa: E402

PL0_USER = soc_regs.DEFAULT_PAUSER
PL1_USER = 0x22222222
RESERVED_USER = 0xffffffff

# those of release 1.2.0; code, length rule and size of the request
COMMANDS = {name: command for name, command in ALL_COMMANDS.items()
            if not command.since}
FIRMWARE_LOAD = soc_regs.FIRMWARE_LOAD
# of a later release
GET_PCR_LOG = 0x504c4f47

# ---- the SoC's side, one register access after the other ----

FSM_IDLE, FSM_EXECUTE_UC, FSM_EXECUTE_SOC, FSM_ERROR = 0, 6, 4, 7


def fsm(status):
    return status >> 6 & 7


class Soc(CaliptraSoc):
    """A SoC that works the mailbox as libcaliptra does, with its checks."""

    POLLS = soc_regs.STEPS

    def __init__(self, **kwargs):
        super().__init__(qmp=True, **kwargs)

    def begin(self, code, data, dlen=None):
        """Steps up to EXECUTE; data is put into the FIFO as it is."""
        if self.read32(soc_regs.MBOX_LOCK) & 1:
            raise QTestError('the mailbox is taken')
        self.write32(soc_regs.MBOX_CMD, code)
        self.write32(soc_regs.MBOX_DLEN, len(data) if dlen is None else dlen)
        data += bytes(-len(data) % 4)
        self.writes32([(soc_regs.MBOX_DATAIN, w)
                       for w, in struct.iter_unpack('<I', data)])
        self.write32(soc_regs.MBOX_EXECUTE, 1)

    def wait(self):
        """Poll for the end of the command; its status."""
        for _ in range(self.POLLS):
            status = self.read32(soc_regs.MBOX_STATUS) & 0xf
            if status:
                return status
            self.step()
        raise QTestError('no answer from the mailbox')

    def end(self, status):
        """Take the response and release; None without one."""
        data = None
        if status == soc_regs.DATA_READY:
            dlen = self.read32(soc_regs.MBOX_DLEN)
            words = self.reads32([soc_regs.MBOX_DATAOUT] * ((dlen + 3) // 4))
            data = struct.pack('<%dI' % len(words), *words)[:dlen]
        self.write32(soc_regs.MBOX_EXECUTE, 0)
        if fsm(self.read32(soc_regs.MBOX_STATUS)) != FSM_IDLE:
            raise QTestError('the mailbox does not become idle')
        return data

    def execute(self, code, data, dlen=None):
        """A command with its raw data: (status, raw response)."""
        self.begin(code, data, dlen)
        status = self.wait()
        return status, self.end(status)

    def errors(self):
        return tuple(self.reads32([soc_regs.FW_ERROR_FATAL,
                                   soc_regs.FW_ERROR_NON_FATAL]))

    def idle(self):
        """Time for firmware to do what it has to do unasked."""
        self.clock_step(1000 * 1000)

    # ---- SHA accelerator ----

    def sha_acc_lock(self):
        return not self.read32(soc_regs.SHA_ACC) & 1

    def sha_acc_release(self):
        self.write32(soc_regs.SHA_ACC, 1)

    def sha_acc_hash(self, message, mode=0):
        """Stream a message: its digest stays in the accelerator."""
        if not self.sha_acc_lock():
            raise QTestError('the SHA accelerator is taken')
        self.write32(soc_regs.SHA_ACC + 0x08, mode)
        self.write32(soc_regs.SHA_ACC + 0x10, len(message))
        padded = message + bytes(-len(message) % 4)
        self.writes32([(soc_regs.SHA_ACC + 0x14, w)
                       for w, in struct.iter_unpack('>I', padded)])
        self.write32(soc_regs.SHA_ACC + 0x18, 1)
        self.poll32(soc_regs.SHA_ACC + 0x1c, 1, 1)
        self.sha_acc_release()

    # ---- bring-up ----

    def to_rom(self, manuf=0, **power):
        """To ROM's command loop, two users allowed."""
        self.be(PL0_USER)
        self.power_on(**power)
        self.write_fuses(env.FUSES)
        self.writes32([(soc_regs.MBOX_VALID_PAUSER + 4, PL1_USER),
                       (soc_regs.MBOX_PAUSER_LOCK + 4, 1)])
        self.start(manuf=manuf)
        if manuf & soc_regs.GENERATE_IDEVID_CSR:
            self.csr = self.take_csr()
        self.wait_ready_for_fw()

    def to_runtime(self, bundle=None, **kwargs):
        self.to_rom(**kwargs)
        self.load_firmware(bundle or env.bundle())
        self.wait_ready_for_runtime()


# ---- rows ----

@dataclasses.dataclass
class Row:
    """One test: a command, and what comes of it.

    expect is an error number, or what the response holds from byte 8 on:
    bytes, or a function (test, soc, data) that judges it; REFUSED is
    CMD_FAILURE without an error number.
    """
    command: str                # its name, or a number
    case: str
    expect: object = b''
    payload: object = b''       # behind the checksum; or a function of soc
    raw: bytes = None           # instead: all of the request
    dlen: int = None
    before: object = None       # function of soc
    user: int = PL0_USER
    fresh: bool = False         # leaves the device changed


REFUSED = -1


def bad_checksum(code, payload=b''):
    return struct.pack('<I', checksum(code, payload) ^ 1) + payload


def request(code, payload=b''):
    return struct.pack('<I', checksum(code, payload)) + payload


def good(code, size):
    """A request of size bytes with a good checksum and zeros behind it."""
    return request(code, bytes(max(size - 4, 0)))[:max(size, 0)]


def stash(n=0):
    """STASH_MEASUREMENT's payload."""
    return (b'FW%02u' % n + hashlib.sha384(b'%u' % n).digest() + bytes(48) +
            struct.pack('<I', n))


def run(soc, name, payload=b''):
    """A command that must succeed, in preparation of a row."""
    code = COMMANDS[name].code
    status, data = soc.execute(code, request(code, payload))
    if status != soc_regs.DATA_READY:
        raise QTestError('%s fails: 0x%x 0x%x' % ((name,) + soc.errors()))
    return data[8:]


# errors of ROM
UNCORRECTABLE_ECC = 0x00080005
INVALID_IMAGE_SIZE = 0x01020002
MAILBOX_STATE_INCONSISTENT = 0x01020003
INVALID_COMMAND = 0x01020004
INVALID_CHECKSUM = 0x01020005
INVALID_REQUEST_LENGTH = 0x01020006
STASH_MEASUREMENT_MAX_LIMIT = 0x01020008
RESERVED_PAUSER = 0x01020009
UNPROVISIONED_CSR = 0x0102000a
SHA_ACC_START_OP_FAILURE = 0x90050001
SHUTDOWN = 0x000e0008

# errors of runtime
RT_UNIMPLEMENTED_COMMAND = 0x000e0002
RT_INSUFFICIENT_MEMORY = 0x000e0003
RT_ECDSA_VERIFY_FAILED = 0x000e0004
RT_INVALID_CHECKSUM = 0x000e0005
RT_INVALID_PARAMS = 0x000e0009
RT_SELF_TEST_IN_PROGRESS = 0x000e0011
RT_SELF_TEST_NOT_STARTED = 0x000e0012
RT_INVALID_FMC_SIZE = 0x000e0013
RT_INVALID_RUNTIME_SIZE = 0x000e0014
RT_PRIVILEGE = 0x000e0016
RT_LMS_VERIFY_FAILED = 0x000e0042
RT_LMS_INVALID_LMS = 0x000e0043
RT_LMS_INVALID_LMOTS = 0x000e0044
RT_RESERVED_PAUSER = 0x000e004f
SCALAR_RANGE = 0x0005000f
ECC_HW_ERROR = 0x00050011
LMS_Q_VALUE = 0x000c0007
LMS_OTS_MISMATCH = 0x000c000d

VERSION_MODE = struct.pack('<I', 0x46495053)


def version(fmc=env.FMC_VERSION, rt=0x01020000):
    return (VERSION_MODE + struct.pack('<IHHI', 0x11, env.ROM_VERSION, fmc,
                                       rt) + b'Caliptra RTM')


def rom_version():
    return version(0, 0)


def csr_of_the_handshake(test, soc, data):
    test.assertEqual(len(data), 4 + 512)
    size, = struct.unpack_from('<I', data)
    test.assertEqual(data[4:4 + size], soc.csr)
    test.assertEqual(data[4 + size:], bytes(512 - size))


def stashes(n):
    def before(soc):
        for i in range(n):
            run(soc, 'STASH_MEASUREMENT', stash(i))
    return before


def with_csr(soc):
    soc.to_rom(manuf=soc_regs.GENERATE_IDEVID_CSR)


def take_sha_acc(soc):
    if not soc.sha_acc_lock():
        raise QTestError('the SHA accelerator is taken')


ROM_ROWS = [
    Row('VERSION', 'good', rom_version()),
    Row('CAPABILITIES', 'good', bytes(15) + b'\1'),
    Row('SELF_TEST_START', 'good', fresh=True),
    Row('SELF_TEST_START', 'again', REFUSED, fresh=True,
        before=lambda soc: run(soc, 'SELF_TEST_START')),
    Row('SELF_TEST_START', 'again_after_results', fresh=True,
        before=lambda soc: (run(soc, 'SELF_TEST_START'),
                            run(soc, 'SELF_TEST_GET_RESULTS'))),
    Row('SELF_TEST_START', 'sha_accelerator_held', SHA_ACC_START_OP_FAILURE,
        before=take_sha_acc),
    Row('SELF_TEST_GET_RESULTS', 'good',
        before=lambda soc: run(soc, 'SELF_TEST_START')),
    Row('SELF_TEST_GET_RESULTS', 'not_started', REFUSED),
    Row('SELF_TEST_GET_RESULTS', 'fetched_before', REFUSED,
        before=lambda soc: (run(soc, 'SELF_TEST_START'),
                            run(soc, 'SELF_TEST_GET_RESULTS'))),
    Row('STASH_MEASUREMENT', 'good', bytes(4), stash(), fresh=True),
    Row('STASH_MEASUREMENT', 'eighth', bytes(4), stash(7),
        before=stashes(7), fresh=True),
    Row('STASH_MEASUREMENT', 'ninth', STASH_MEASUREMENT_MAX_LIMIT, stash(8),
        before=stashes(8)),
    Row('STASH_MEASUREMENT', 'ninth_of_bad_length',
        STASH_MEASUREMENT_MAX_LIMIT, raw=b'', before=stashes(8)),
    Row('STASH_MEASUREMENT', 'ninth_of_bad_checksum',
        STASH_MEASUREMENT_MAX_LIMIT, raw=bytes(108), before=stashes(8)),
    Row('GET_IDEV_CSR', 'good', csr_of_the_handshake, before=with_csr,
        fresh=True),
    Row('GET_IDEV_CSR', 'not_requested_at_boot', UNPROVISIONED_CSR),
    Row(FIRMWARE_LOAD, 'empty', INVALID_IMAGE_SIZE, raw=b''),
    Row(FIRMWARE_LOAD, 'too_big', INVALID_IMAGE_SIZE, raw=b'',
        dlen=0x20001),
    Row(FIRMWARE_LOAD, 'no_bundle', 0x000b0001, raw=bytes(4)),
    Row(GET_PCR_LOG, 'declared_only', INVALID_COMMAND),
    Row(0, 'zero', INVALID_COMMAND),
    Row(GET_PCR_LOG, 'before_length_and_checksum', INVALID_COMMAND,
        raw=bytes(3)),
]

for _name, _cmd in COMMANDS.items():
    if not _cmd.rom_size:
        ROM_ROWS.append(Row(_name, 'before_runtime', INVALID_COMMAND,
                            raw=good(_cmd.code, _cmd.size)))
        continue
    ROM_ROWS += [
        Row(_name, 'length_%u' % _n, INVALID_REQUEST_LENGTH,
            raw=good(_cmd.code, _n))
        for _n in (0, _cmd.rom_size - 1, _cmd.rom_size + 1,
                   _cmd.rom_size + 4)]
    ROM_ROWS += [
        Row(_name, 'checksum', INVALID_CHECKSUM,
            raw=bad_checksum(_cmd.code, bytes(_cmd.rom_size - 4))),
        Row(_name, 'reserved_user', RESERVED_PAUSER,
            raw=good(_cmd.code, _cmd.rom_size), user=RESERVED_USER),
    ]
ROM_ROWS.append(Row(FIRMWARE_LOAD, 'reserved_user', RESERVED_PAUSER,
                    raw=bytes(4), user=RESERVED_USER))
ROM_ROWS.append(Row(GET_PCR_LOG, 'reserved_user', RESERVED_PAUSER,
                    raw=b'', user=RESERVED_USER))

# ---- signatures to verify ----

P384_P = 2**384 - 2**128 - 2**96 + 2**32 - 1
P384_N = int('ffffffffffffffffffffffffffffffffffffffffffffffff'
             'c7634d81f4372ddf581a0db248b0a77aecec196accc52973', 16)
MESSAGE = b'a message for the SHA accelerator'
DIGEST = hashlib.sha384(MESSAGE).digest()
KEY = ec.derive_private_key(0x1234567890abcdef, ec.SECP384R1())


def be48(*numbers):
    return b''.join(n.to_bytes(48, 'big') for n in numbers)


def ecdsa(digest=DIGEST):
    der = KEY.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA384())))
    return utils.decode_dss_signature(der)


ECDSA_R, ECDSA_S = ecdsa()
_pub = KEY.public_key().public_numbers()
ECDSA_X, ECDSA_Y = _pub.x, _pub.y


def hashed(soc):
    soc.sha_acc_hash(MESSAGE)


def hashed_512(soc):
    soc.sha_acc_hash(MESSAGE, mode=1)


def ecdsa_off_curve(soc):
    """A key off the curve stays in the engine."""
    hashed(soc)
    cmd = COMMANDS['ECDSA384_SIGNATURE_VERIFY']
    status, _ = soc.execute(cmd.code, request(
        cmd.code, be48(ECDSA_X, ECDSA_Y ^ 1, ECDSA_R, ECDSA_S)))
    if status != soc_regs.CMD_FAILURE:
        raise QTestError('a key off the curve is taken')


def ecdsa_row(case, expect, *numbers, before=hashed, **kwargs):
    return Row('ECDSA384_SIGNATURE_VERIFY', case, expect, be48(*numbers),
               before=before, **kwargs)


ECDSA_ROWS = [
    ecdsa_row('good', b'', ECDSA_X, ECDSA_Y, ECDSA_R, ECDSA_S),
    ecdsa_row('sha_512_first_48_bytes', b'', ECDSA_X, ECDSA_Y,
              *ecdsa(hashlib.sha512(MESSAGE).digest()[:48]),
              before=hashed_512),
    ecdsa_row('other_digest', RT_ECDSA_VERIFY_FAILED, ECDSA_X, ECDSA_Y,
              *ecdsa(hashlib.sha384(b'').digest())),
    ecdsa_row('negated_key', RT_ECDSA_VERIFY_FAILED, ECDSA_X,
              P384_P - ECDSA_Y, ECDSA_R, ECDSA_S),
    ecdsa_row('r_zero', SCALAR_RANGE, ECDSA_X, ECDSA_Y, 0, ECDSA_S),
    ecdsa_row('s_zero', SCALAR_RANGE, ECDSA_X, ECDSA_Y, ECDSA_R, 0),
    ecdsa_row('r_is_n', SCALAR_RANGE, ECDSA_X, ECDSA_Y, P384_N, ECDSA_S),
    ecdsa_row('s_is_n', SCALAR_RANGE, ECDSA_X, ECDSA_Y, ECDSA_R, P384_N),
    ecdsa_row('r_largest', RT_ECDSA_VERIFY_FAILED, ECDSA_X, ECDSA_Y,
              P384_N - 1, ECDSA_S),
    ecdsa_row('range_before_key', SCALAR_RANGE, P384_P, ECDSA_Y, 0,
              ECDSA_S),
    ecdsa_row('x_is_p', ECC_HW_ERROR, P384_P, ECDSA_Y, ECDSA_R, ECDSA_S),
    ecdsa_row('y_is_p', ECC_HW_ERROR, ECDSA_X, P384_P, ECDSA_R, ECDSA_S),
    ecdsa_row('off_curve', ECC_HW_ERROR, ECDSA_X, ECDSA_Y ^ 1, ECDSA_R,
              ECDSA_S, fresh=True),
    ecdsa_row('after_off_curve', ECC_HW_ERROR, ECDSA_X, ECDSA_Y, ECDSA_R,
              ECDSA_S, before=ecdsa_off_curve, fresh=True),
    ecdsa_row('after_off_curve_and_a_signature', b'', ECDSA_X, ECDSA_Y,
              ECDSA_R, ECDSA_S, before=lambda soc: (
                  ecdsa_off_curve(soc), run(soc, 'QUOTE_PCRS', bytes(32)))),
]

LMS_ROOT, LMS_SIG = env.lms_sign(DIGEST)
LMS_ID = env.LMS_ID


def lms_request(pub_tree=12, pub_ots=7, root=LMS_ROOT, q=env.LMS_Q, ots=None,
                tree=12, path=None):
    """LMS_VERIFY's own order and byte orders, from RFC 8554's octets."""
    sig_ots = LMS_SIG[4:4 + 1252] if ots is None else ots
    return (struct.pack('<II', pub_tree, pub_ots) + LMS_ID + root +
            struct.pack('<I', q) + sig_ots + struct.pack('<I', tree) +
            (LMS_SIG[1260:] if path is None else path))


def lms_row(case, expect, payload, **kwargs):
    return Row('LMS_SIGNATURE_VERIFY', case, expect, payload, before=hashed,
               **kwargs)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


LMS_ROWS = [
    lms_row('good', b'', lms_request()),
    lms_row('pub_tree_type', RT_LMS_INVALID_LMS, lms_request(pub_tree=11)),
    lms_row('pub_ots_type', RT_LMS_INVALID_LMOTS, lms_request(pub_ots=6)),
    lms_row('tree_type', RT_LMS_INVALID_LMS, lms_request(tree=7)),
    lms_row('pub_tree_type_first', RT_LMS_INVALID_LMS,
            lms_request(pub_tree=0, pub_ots=0)),
    lms_row('pub_ots_type_before_tree_type', RT_LMS_INVALID_LMOTS,
            lms_request(pub_ots=0, tree=0)),
    lms_row('ots_type', LMS_OTS_MISMATCH,
            lms_request(ots=struct.pack('>I', 6) + LMS_SIG[8:1256])),
    lms_row('ots_type_little_endian', LMS_OTS_MISMATCH,
            lms_request(ots=struct.pack('<I', 7) + LMS_SIG[8:1256])),
    lms_row('q_too_big', LMS_Q_VALUE, lms_request(q=32768)),
    lms_row('q_largest', RT_LMS_VERIFY_FAILED, lms_request(q=32767)),
    lms_row('q_big_endian', LMS_Q_VALUE, lms_request(q=env.LMS_Q << 24)),
    lms_row('root', RT_LMS_VERIFY_FAILED, lms_request(root=flip(LMS_ROOT, 0))),
    lms_row('root_end', RT_LMS_VERIFY_FAILED,
            lms_request(root=flip(LMS_ROOT, 23))),
    lms_row('signature', RT_LMS_VERIFY_FAILED,
            lms_request(ots=flip(LMS_SIG[4:1256], 1251))),
    lms_row('path', RT_LMS_VERIFY_FAILED,
            lms_request(path=flip(LMS_SIG[1260:], 359))),
    Row('LMS_SIGNATURE_VERIFY', 'other_digest', RT_LMS_VERIFY_FAILED,
        lms_request(), before=lambda soc: soc.sha_acc_hash(b'other')),
]


def fw_info(test, soc, data):
    test.assertEqual(data, env.fw_info())


def second_user(soc):
    soc.be(PL1_USER)


RT_ROWS = [
    Row('VERSION', 'good', version()),
    Row('CAPABILITIES', 'good', bytes(7) + b'\1' + bytes(8)),
    Row('FW_INFO', 'good', fw_info),
    Row('SELF_TEST_START', 'good', fresh=True),
    Row('SELF_TEST_GET_RESULTS', 'not_started', RT_SELF_TEST_NOT_STARTED),
    Row(GET_PCR_LOG, 'declared_only', RT_UNIMPLEMENTED_COMMAND),
    Row(0, 'zero', RT_UNIMPLEMENTED_COMMAND),
    Row(0xffffffff, 'ones', RT_UNIMPLEMENTED_COMMAND),
    Row(GET_PCR_LOG, 'unknown_of_length_0', RT_INVALID_PARAMS, raw=b''),
    Row(GET_PCR_LOG, 'unknown_of_length_3', RT_INVALID_PARAMS,
        raw=bytes(3)),
    Row(GET_PCR_LOG, 'unknown_of_bad_checksum', RT_INVALID_CHECKSUM,
        raw=bad_checksum(GET_PCR_LOG)),
    Row(GET_PCR_LOG, 'unknown_of_longest', RT_UNIMPLEMENTED_COMMAND,
        raw=good(GET_PCR_LOG, 14344)),
    Row(GET_PCR_LOG, 'unknown_too_long', RT_INSUFFICIENT_MEMORY,
        raw=good(GET_PCR_LOG, 14345)),
    Row(GET_PCR_LOG, 'unknown_of_huge_length', RT_INSUFFICIENT_MEMORY,
        raw=b'', dlen=0xffffffff),
    Row(FIRMWARE_LOAD, 'reserved_user', RT_RESERVED_PAUSER, raw=bytes(4),
        user=RESERVED_USER),
    Row(GET_PCR_LOG, 'reserved_user_before_length', RT_RESERVED_PAUSER,
        raw=b'', user=RESERVED_USER),
    # words that were not written read as zero, for the checksum too
    Row('VERSION', 'fifo_empty', RT_INVALID_CHECKSUM, raw=b'', dlen=4),
    Row('VERSION', 'fifo_short', version(),
        raw=request(COMMANDS['VERSION'].code), dlen=64),
    # only DLEN bytes are summed, not the rest of the last word
    Row('VERSION', 'odd_length', version(),
        raw=request(COMMANDS['VERSION'].code, b'\0') + b'\xaa\xbb\xcc',
        dlen=5),
] + ECDSA_ROWS + LMS_ROWS

for _name, _cmd in COMMANDS.items():
    RT_ROWS += [
        Row(_name, 'checksum', RT_INVALID_CHECKSUM,
            raw=bad_checksum(_cmd.code, bytes(_cmd.size - 4))),
        Row(_name, 'length_0', RT_INVALID_PARAMS, raw=b''),
        Row(_name, 'length_3', RT_INVALID_PARAMS, raw=bytes(3)),
        Row(_name, 'length_14345', RT_INSUFFICIENT_MEMORY,
            raw=good(_cmd.code, 14345)),
        Row(_name, 'reserved_user', RT_RESERVED_PAUSER,
            raw=good(_cmd.code, _cmd.size), user=RESERVED_USER),
    ]
    if _cmd.length in (EXACT, EXACT_PARAMS):
        _error = (RT_INSUFFICIENT_MEMORY if _cmd.length == EXACT
                  else RT_INVALID_PARAMS)
        RT_ROWS += [
            Row(_name, 'length_%u' % _n, _error, raw=good(_cmd.code, _n))
            for _n in sorted({4, _cmd.size - 4, _cmd.size - 1, _cmd.size + 1,
                              _cmd.size + 4} - {0, _cmd.size})
            if _n >= 4]
    elif _cmd.length == UP_TO and _cmd.size < 14344:
        RT_ROWS += [
            Row(_name, 'length_%u' % _n, RT_INSUFFICIENT_MEMORY,
                raw=good(_cmd.code, _n))
            for _n in (_cmd.size + 1, _cmd.size + 4)]
    if _cmd.pl0:
        RT_ROWS += [
            Row(_name, 'not_pl0', RT_PRIVILEGE,
                raw=good(_cmd.code, _cmd.size), user=PL1_USER),
            Row(_name, 'not_pl0_after_length',
                RT_INSUFFICIENT_MEMORY if _cmd.length == EXACT
                else RT_INVALID_PARAMS,
                raw=good(_cmd.code, _cmd.size + 4), user=PL1_USER),
        ]

# nothing behind the checksum matters to these
RT_ROWS += [
    Row('VERSION', 'length_8', version(), b'\xff' * 4),
    Row('CAPABILITIES', 'length_14344', bytes(7) + b'\1' + bytes(8),
        b'\xff' * 14340),
    Row('FW_INFO', 'length_7', fw_info, b'\xff' * 3),
    Row('SELF_TEST_START', 'length_8', payload=b'\xff' * 4, fresh=True),
]


class RowTests:
    """What the tables of ROM and runtime have in common."""

    soc = None
    ready = False

    @classmethod
    def setUpClass(cls):
        cls.soc = Soc()
        cls.ready = False

    @classmethod
    def tearDownClass(cls):
        cls.soc.close()

    def play(self, row):
        soc = self.soc
        if not type(self).ready:
            self.boot()
        type(self).ready = False
        soc.be(PL0_USER)
        if row.before:
            row.before(soc)
        code = (COMMANDS[row.command].code if isinstance(row.command, str)
                else row.command)
        data = row.raw
        if data is None:
            payload = (row.payload(soc) if callable(row.payload)
                       else row.payload)
            data = request(code, payload)
        soc.be(row.user)
        soc.begin(code, data, row.dlen)
        status = soc.wait()
        if isinstance(row.expect, int):
            # a failure leaves the request's length and no data
            self.assertEqual(status, soc_regs.CMD_FAILURE)
            self.assertEqual(soc.read32(soc_regs.MBOX_DLEN),
                             len(data) if row.dlen is None else row.dlen)
            self.assertEqual(soc.read32(soc_regs.MBOX_DATAOUT), 0)
            soc.end(status)
            self.failed(row)
            return
        rsp = soc.end(status)
        self.assertEqual(soc.errors(), (0, 0))
        self.assertEqual(status, soc_regs.DATA_READY)
        self.assertEqual(rsp[4:8], bytes(4), 'fips_status')
        self.assertEqual(struct.unpack_from('<I', rsp)[0],
                         checksum(0, rsp[4:]))
        if callable(row.expect):
            row.expect(self, soc, rsp[8:])
        else:
            self.assertEqual(rsp[8:], row.expect)
        type(self).ready = not row.fresh


def add_rows(cls, rows):
    for row in rows:
        name = (row.command if isinstance(row.command, str)
                else 'FIRMWARE_LOAD' if row.command == FIRMWARE_LOAD
                else '%08x' % row.command)
        name = 'test_%s_%s' % (name, row.case)
        assert not hasattr(cls, name), name

        def test(self, row=row):
            self.play(row)
        setattr(cls, name, test)
    return cls


class RomTests(RowTests, unittest.TestCase):
    def boot(self):
        self.soc.to_rom()

    def failed(self, row):
        """Every error of ROM is fatal, and stays."""
        soc = self.soc
        if row.expect == REFUSED:
            self.assertEqual(soc.errors(), (0, 0))
            type(self).ready = not row.fresh
            return
        if row.expect == STASH_MEASUREMENT_MAX_LIMIT:
            # the one error that ends the command first
            soc.wait_fatal()
        self.assertEqual([hex(e) for e in soc.errors()],
                         [hex(row.expect)] * 2)
        soc.be(PL0_USER)
        status, _ = soc.execute(COMMANDS['VERSION'].code,
                                good(COMMANDS['VERSION'].code, 4))
        self.assertEqual(status, soc_regs.CMD_FAILURE)
        self.assertEqual(soc.errors(), (row.expect, row.expect))

    def test_shutdown(self):
        """A response, and the end."""
        soc = self.soc
        type(self).ready = False
        self.boot()
        self.assertEqual(run(soc, 'SHUTDOWN'), b'')
        soc.idle()
        self.assertEqual(soc.errors(), (SHUTDOWN, SHUTDOWN))
        for name, cmd in COMMANDS.items():
            with self.subTest(command=name):
                status, _ = soc.execute(cmd.code, good(cmd.code, cmd.size))
                self.assertEqual(status, soc_regs.CMD_FAILURE)
        self.assertEqual(soc.errors(), (SHUTDOWN, SHUTDOWN))
        self.assertFalse(soc.sha_acc_lock())

    def test_FIRMWARE_LOAD_padded_to_128_kib(self):
        soc = self.soc
        type(self).ready = False
        self.boot()
        bundle = env.bundle()
        status, data = soc.execute(FIRMWARE_LOAD,
                                   bundle + bytes(0x20000 - len(bundle)))
        self.assertEqual((status, data), (soc_regs.CMD_COMPLETE, None))
        soc.wait_ready_for_runtime()

    def test_commands_before_the_loop(self):
        """ready_for_fw comes early; a command then waits for ROM."""
        soc = self.soc
        type(self).ready = False
        soc.be(PL0_USER)
        soc.power_on()
        soc.start(env.FUSES)
        soc.wait_ready_for_fw()
        self.assertEqual(soc.draws, 6)
        self.assertEqual(run(soc, 'VERSION'), rom_version())
        self.assertEqual(soc.draws, 16)

    @soc_regs.needs_modelled_time
    def test_command_vanishes(self):
        """Out of order while ROM has the command."""
        soc = self.soc
        type(self).ready = False
        self.boot()
        run(soc, 'VERSION')
        cmd = COMMANDS['VERSION']
        soc.begin(cmd.code, good(cmd.code, 4))
        # accepted, but not served yet
        soc.clock_step(2000)
        soc.write32(soc_regs.MBOX_CMD, 0)
        self.assertEqual(fsm(soc.read32(soc_regs.MBOX_STATUS)), FSM_ERROR)
        self.assertEqual(soc.wait_fatal(), MAILBOX_STATE_INCONSISTENT)


add_rows(RomTests, ROM_ROWS)


class MailboxEccTests(unittest.TestCase):
    """The test device spoils what firmware reads from the mailbox SRAM."""

    def setUp(self):
        self.soc = Soc(args=soc_regs.TESTDEV)
        self.addCleanup(self.soc.close)

    def test_two_bits(self):
        """Found before the checksum is looked at, and fatal."""
        soc = self.soc
        cmd = COMMANDS['STASH_MEASUREMENT']
        for code, data in ((cmd.code, good(cmd.code, cmd.size)),
                           (FIRMWARE_LOAD, env.bundle())):
            with self.subTest(command='0x%08x' % code):
                soc.write32(replay.SRAM_FLIP, 0)
                soc.to_rom()
                soc.write32(replay.SRAM_FLIP, 0x11)
                soc.begin(code, data)
                self.assertEqual(soc.wait_fatal(), UNCORRECTABLE_ECC)
                self.assertEqual(soc.wait(), soc_regs.CMD_FAILURE)

    def test_one_bit(self):
        """Corrected: firmware does not notice."""
        soc = self.soc
        soc.to_rom()
        soc.write32(replay.SRAM_FLIP, 0x10)
        self.assertEqual(run(soc, 'VERSION'), rom_version())


class RuntimeTests(RowTests, unittest.TestCase):
    def boot(self):
        self.soc.to_runtime()

    def failed(self, row):
        """Errors of runtime are not fatal, and go with the next command."""
        soc = self.soc
        self.assertEqual([hex(e) for e in soc.errors()],
                         ['0x0', hex(row.expect)])
        soc.be(PL0_USER)
        run(soc, 'VERSION')
        self.assertEqual(soc.errors(), (0, 0))
        type(self).ready = not row.fresh

    def fresh(self, **kwargs):
        type(self).ready = False
        self.soc.to_runtime(**kwargs)
        return self.soc

    def self_test(self, soc):
        """Start one and let it run to its end."""
        run(soc, 'SELF_TEST_START')
        soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 1 << 6)
        return soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 0)

    def test_self_test(self):
        soc = self.fresh()
        cmd = COMMANDS['SELF_TEST_START']
        soc.begin(cmd.code, good(cmd.code, 4))
        self.assertEqual(soc.wait(), soc_regs.DATA_READY)
        # while the SoC keeps the mailbox nothing runs
        soc.idle()
        soc.end(soc_regs.DATA_READY)
        soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 1 << 6)
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 1)
        self.assertEqual(soc.read32(soc_regs.MBOX_STATUS) & 1 << 9, 0)
        soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 0)
        self.assertEqual(soc.errors(), (0, 0))
        # started again before the results are fetched
        status, _ = soc.execute(cmd.code, good(cmd.code, 4))
        self.assertEqual(status, soc_regs.CMD_FAILURE)
        self.assertEqual(soc.errors(), (0, RT_SELF_TEST_IN_PROGRESS))
        self.assertEqual(run(soc, 'SELF_TEST_GET_RESULTS'), b'')
        cmd = COMMANDS['SELF_TEST_GET_RESULTS']
        status, _ = soc.execute(cmd.code, good(cmd.code, 4))
        self.assertEqual(status, soc_regs.CMD_FAILURE)
        self.assertEqual(soc.errors(), (0, RT_SELF_TEST_NOT_STARTED))
        # and once more
        self.self_test(soc)
        self.assertEqual(run(soc, 'SELF_TEST_GET_RESULTS'), b'')

    def test_self_test_boot_status(self):
        soc = self.fresh(debug_locked=False, lifecycle=0)
        self.assertEqual(soc.read32(soc_regs.BOOT_STATUS), 0x600)
        run(soc, 'SELF_TEST_START')
        soc.run_until(soc_regs.BOOT_STATUS, 0xffffffff, 0x601)
        soc.run_until(soc_regs.BOOT_STATUS, 0xffffffff, 0x602)

    def test_self_test_with_the_sha_accelerator_held(self):
        soc = self.fresh()
        take_sha_acc(soc)
        run(soc, 'SELF_TEST_START')
        self.assertEqual(soc.wait_fatal(), SHA_ACC_START_OP_FAILURE)
        # and the firmware blocks until it has the accelerator
        soc.idle()
        self.assertEqual(soc.read32(soc_regs.MBOX_LOCK), 1)

    def test_self_test_of_big_images(self):
        soc = self.fresh(bundle=env.bundle(fmc=bytes(0x5404),
                                           rt_load=0x40006000))
        run(soc, 'SELF_TEST_START')
        self.assertEqual(soc.wait_fatal(), RT_INVALID_FMC_SIZE)
        soc = self.fresh(bundle=env.bundle(rt=bytes(0x18004)))
        run(soc, 'SELF_TEST_START')
        self.assertEqual(soc.wait_fatal(), RT_INVALID_RUNTIME_SIZE)
        soc = self.fresh(bundle=env.bundle(fmc=bytes(0x5400),
                                           rt=bytes(0x18000)))
        self.self_test(soc)
        run(soc, 'SELF_TEST_GET_RESULTS')

    def test_shutdown(self):
        """Silence until the next command, which finds the end."""
        soc = self.fresh()
        self.assertEqual(run(soc, 'SHUTDOWN'), b'')
        soc.idle()
        self.assertEqual(soc.errors(), (0, 0))
        self.assertFalse(soc.sha_acc_lock())
        for name, cmd in COMMANDS.items():
            with self.subTest(command=name):
                status, _ = soc.execute(cmd.code, good(cmd.code, cmd.size))
                self.assertEqual(status, soc_regs.CMD_FAILURE)
                self.assertEqual(soc.errors(), (SHUTDOWN, SHUTDOWN))

    def test_shutdown_waits_for_the_sha_accelerator(self):
        soc = self.fresh()
        take_sha_acc(soc)
        cmd = COMMANDS['SHUTDOWN']
        soc.begin(cmd.code, good(cmd.code, 4))
        soc.idle()
        self.assertEqual(soc.read32(soc_regs.MBOX_STATUS) & 0xf,
                         soc_regs.CMD_BUSY)
        soc.sha_acc_release()
        self.assertEqual(soc.wait(), soc_regs.DATA_READY)
        soc.end(soc_regs.DATA_READY)

    def test_shutdown_during_a_self_test(self):
        """The core does not sleep then, and ends at once."""
        soc = self.fresh()
        cmd = COMMANDS['SELF_TEST_START']
        soc.begin(cmd.code, good(cmd.code, 4))
        soc.wait()
        soc.end(soc_regs.DATA_READY)
        cmd = COMMANDS['SHUTDOWN']
        soc.begin(cmd.code, good(cmd.code, 4))
        self.assertEqual(soc.wait(), soc_regs.DATA_READY)
        soc.end(soc_regs.DATA_READY)
        self.assertEqual(soc.wait_fatal(), SHUTDOWN)

    def test_command_between_load_and_runtime(self):
        """Held until runtime serves it."""
        soc = self.soc
        type(self).ready = False
        soc.to_rom()
        soc.load_firmware(env.bundle())
        self.assertEqual(soc.read32(soc_regs.FLOW_STATUS) &
                         soc_regs.READY_FOR_RUNTIME, 0)
        self.assertEqual(run(soc, 'VERSION'),
                         version())

    def test_no_random_numbers(self):
        """A command that needs them fails after firmware's polls."""
        soc = self.fresh()
        cmd = COMMANDS['QUOTE_PCRS']
        soc.begin(cmd.code, good(cmd.code, 36))
        soc.idle()
        self.assertEqual(soc.read32(soc_regs.TRNG_STATUS) & 3,
                         soc_regs.TRNG_DATA_REQ)
        soc.clock_step(200 * 1000 * 1000)
        self.assertEqual(soc.read32(soc_regs.MBOX_STATUS) & 0xf,
                         soc_regs.CMD_FAILURE)
        soc.end(soc_regs.CMD_FAILURE)
        self.assertEqual(soc.errors(), (0, 0x00100001))
        # DATA_REQ is left set
        self.assertEqual(soc.read32(soc_regs.TRNG_STATUS) & 3,
                         soc_regs.TRNG_DATA_REQ)


add_rows(RuntimeTests, RT_ROWS)


class UpdateTests(unittest.TestCase):
    """FIRMWARE_LOAD to a running runtime, and warm resets."""

    def setUp(self):
        self.soc = Soc()
        self.soc.to_runtime()

    def tearDown(self):
        self.soc.close()

    def update(self, bundle, status):
        """Send it; ready_for_runtime stays, so ask runtime to know."""
        soc = self.soc
        got, data = soc.execute(FIRMWARE_LOAD, bundle)
        self.assertEqual((got, data), (status, None))
        self.assertTrue(soc.read32(soc_regs.FLOW_STATUS) &
                        soc_regs.READY_FOR_RUNTIME)
        fatal, non_fatal = soc.errors()
        self.assertEqual(fatal, 0)
        return non_fatal

    def test_good(self):
        soc = self.soc
        bundle = env.bundle(rt=b'\x13\0\0\0' * 32, rt_version=0x01020101,
                            rt_svn=3)
        self.assertEqual(self.update(bundle, soc_regs.CMD_COMPLETE), 0)
        self.assertEqual(run(soc, 'VERSION'),
                         version(rt=0x01020101))
        self.assertEqual(soc.read32(soc_regs.RESET_REASON), 1)
        self.assertEqual(run(soc, 'FW_INFO'), env.fw_info(bundle, min_svn=0))

    def test_svn_goes_down(self):
        """Without fuses it may, and the least one is remembered."""
        soc = self.soc
        soc.to_runtime(env.bundle(rt_svn=9))
        for svn, least in ((5, 5), (7, 5), (6, 5)):
            bundle = env.bundle(rt_svn=svn)
            self.update(bundle, soc_regs.CMD_COMPLETE)
            self.assertEqual(run(soc, 'FW_INFO'),
                             env.fw_info(bundle, min_svn=least))

    def refused(self, bundle, error):
        self.assertEqual(hex(self.update(bundle, soc_regs.CMD_FAILURE)),
                         hex(error))
        # the old one goes on
        self.assertEqual(run(self.soc, 'VERSION'),
                         version())
        self.assertEqual(run(self.soc, 'FW_INFO'), env.fw_info())

    def test_refused(self):
        for case, bundle, error in (
                ('not a bundle', bytes(4), 0x000b0001),
                ('empty', b'', 0x000b0001),
                ('another FMC', env.bundle(fmc=b'\x13\0\0\0' * 16),
                 0x000b001f),
                ('another vendor key', env.bundle(ecc_index=1),
                 0x000b001e)):
            with self.subTest(case=case):
                self.refused(bundle, error)

    def test_sixth_refused(self):
        """The PCR log has room for the two entries of five."""
        soc = self.soc
        for _ in range(5):
            self.refused(bytes(4), 0x000b0001)
        soc.execute(FIRMWARE_LOAD, bytes(4))
        self.assertEqual(soc.wait_fatal(), 0x000f000a)

    def test_good_update_empties_the_log(self):
        for _ in range(5):
            self.refused(bytes(4), 0x000b0001)
        self.update(env.bundle(), soc_regs.CMD_COMPLETE)
        for _ in range(5):
            self.refused(bytes(4), 0x000b0001)

    def warm_reset(self):
        self.soc.warm_reset()

    def test_warm_reset(self):
        soc = self.soc
        self.warm_reset()
        soc.wait_ready_for_runtime()
        soc.run_until(soc_regs.FW_ERROR_NON_FATAL, 0xffffffff, 0x000e002b)
        # 1.2.0 rewrites ROM's version only
        self.assertEqual(run(soc, 'VERSION'), rom_version())
        self.assertEqual(run(soc, 'FW_INFO'),
                         env.fw_info(attestation_disabled=1))
        self.assertEqual(soc.read32(soc_regs.RESET_REASON), 2)

    def test_warm_reset_after_a_refused_update(self):
        self.refused(bytes(4), 0x000b0001)
        self.warm_reset()
        self.assertEqual(self.soc.wait_fatal(), 0x01040011)

    def test_warm_reset_after_a_refused_and_a_good_update(self):
        self.refused(bytes(4), 0x000b0001)
        self.update(env.bundle(), soc_regs.CMD_COMPLETE)
        run(self.soc, 'VERSION')
        self.warm_reset()
        self.soc.wait_ready_for_runtime()

    def test_warm_reset_before_the_boot_was_complete(self):
        self.soc.to_rom()
        self.warm_reset()
        self.assertEqual(self.soc.wait_fatal(), 0x01040010)

    def test_update_with_the_sha_accelerator_held(self):
        take_sha_acc(self.soc)
        self.soc.begin(FIRMWARE_LOAD, env.bundle())
        self.assertEqual(self.soc.wait_fatal(), SHA_ACC_START_OP_FAILURE)

    def test_warm_reset_after_shutdown(self):
        """FMC finds no hand-off table: it halts and fails commands."""
        soc = self.soc
        run(soc, 'SHUTDOWN')
        self.warm_reset()
        soc.run_until(soc_regs.TRNG_STATUS, 0, 0)
        status, _ = soc.execute(COMMANDS['VERSION'].code,
                                good(COMMANDS['VERSION'].code, 4))
        self.assertEqual(status, soc_regs.CMD_FAILURE)
        self.assertEqual(soc.errors(), (0, 0))


@soc_regs.needs_modelled_time
class SnapshotTests(unittest.TestCase):
    """A command in progress goes through snapshots between its steps."""

    def setUp(self):
        self.path = os.path.join(tempfile.mkdtemp(), 'state')
        self.addCleanup(shutil.rmtree, os.path.dirname(self.path))

    def clone(self, soc):
        now = soc.clock_step(1)
        soc.qmp('migrate', uri='file:' + self.path)
        soc.wait_migrated()
        soc.qmp('cont')
        twin = Soc(args=['-incoming', 'defer'])
        self.addCleanup(twin.close)
        # qtest's clock is not part of a snapshot
        twin.clock_set(now)
        twin.qmp('migrate-incoming', uri='file:' + self.path)
        twin.wait_migrated()
        return twin

    def each_step(self, begin, end, until, every=1):
        """Snapshots from begin(soc) until(soc): end(soc) is the same."""
        ends = []
        with Soc() as soc:
            soc.to_runtime()
            begin(soc)
            for n in range(100):
                if until(soc):
                    break
                if n % every == 0:
                    with self.clone(soc) as twin:
                        ends.append(end(twin))
                soc.step()
            want = end(soc)
        self.assertGreater(len(ends), 3)
        for n, got in enumerate(ends):
            self.assertEqual(got, want, 'step %u' % n)

    @staticmethod
    def answered(soc):
        return soc.read32(soc_regs.MBOX_STATUS) & 0xf

    def test_command(self):
        cmd = COMMANDS['QUOTE_PCRS']
        payload = bytes(range(32))

        def end(soc):
            status = soc.wait()
            return status, soc.end(status), soc.errors()

        self.each_step(lambda soc: soc.begin(cmd.code,
                                             request(cmd.code, payload)),
                       end, self.answered)

    def test_self_test(self):
        def end(soc):
            soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 0)
            return run(soc, 'SELF_TEST_GET_RESULTS'), soc.errors()

        def begin(soc):
            run(soc, 'SELF_TEST_START')
            soc.run_until(soc_regs.MBOX_STATUS, 7 << 6, 1 << 6)

        self.each_step(begin, end, lambda soc: not soc.read32(
            soc_regs.MBOX_STATUS) & 7 << 6)

    def test_update(self):
        bundle = env.bundle(rt_version=0x01020103, rt_svn=7)

        def end(soc):
            status = soc.wait()
            soc.end(status)
            return status, run(soc, 'VERSION'), run(soc, 'FW_INFO')

        self.each_step(lambda soc: soc.begin(FIRMWARE_LOAD, bundle), end,
                       self.answered, every=3)


# ---- is everything tested? ----

# error numbers that a SoC can get from commands; not those that need a
# broken hand-off, an internal TRNG, or 2^32 commands
# (RUNTIME_INCREMENT_PCR_RESET_MAX_REACHED)
REACHABLE = {
    UNCORRECTABLE_ECC,
    INVALID_IMAGE_SIZE, MAILBOX_STATE_INCONSISTENT, INVALID_COMMAND,
    INVALID_CHECKSUM, INVALID_REQUEST_LENGTH, STASH_MEASUREMENT_MAX_LIMIT,
    RESERVED_PAUSER, UNPROVISIONED_CSR, SHA_ACC_START_OP_FAILURE, SHUTDOWN,
    0x01040010, 0x01040011, 0x000f000a, 0x00100001,
    RT_UNIMPLEMENTED_COMMAND, RT_INSUFFICIENT_MEMORY, RT_ECDSA_VERIFY_FAILED,
    RT_INVALID_CHECKSUM, RT_INVALID_PARAMS, 0x000e000f,
    RT_SELF_TEST_IN_PROGRESS, RT_SELF_TEST_NOT_STARTED, RT_INVALID_FMC_SIZE,
    RT_INVALID_RUNTIME_SIZE, RT_PRIVILEGE, 0x000e0017, 0x000e0019,
    0x000e001c, 0x000e001e, 0x000e001f, 0x000e0020, 0x000e0027, 0x000e002b,
    0x000e0037, 0x000e0038, 0x000e003c, 0x000e003d, 0x000e003e,
    0x000e0040, RT_LMS_VERIFY_FAILED, RT_LMS_INVALID_LMS,
    RT_LMS_INVALID_LMOTS, 0x000e0045, 0x000e0046, 0x000e0047, 0x000e0048,
    0x000e0049, 0x000e004a, 0x000e004b, 0x000e004c, 0x000e004d, 0x000e004e,
    RT_RESERVED_PAUSER, 0x000e0050, 0x000e0051, 0x000e0053, 0x000e0054,
    SCALAR_RANGE, ECC_HW_ERROR, LMS_Q_VALUE, LMS_OTS_MISMATCH,
    # of later releases
    0x000e0058, 0x000e005a, 0x000e005b, 0x000e005c, 0x000e005d, 0x000e005e,
    0x000e0060,
}


def tables_of_the_model():
    """(code names, table names) in the C sources."""
    root = os.path.join(HERE, '..', '..', 'hw', 'misc')
    tables = {}
    for where in ('rom', 'runtime'):
        with open(os.path.join(root, 'caliptra_fw_%s.c' % where),
                  encoding='utf-8') as f:
            tables[where] = set(re.findall(
                r'\{ CALIPTRA_CMD_\w+,\s+"(\w+)"', f.read()))
    return tables


OTHERS = ('test_identity.py', 'test_dpe.py', 'test_auth_manifest.py')


@unittest.skipUnless(all(os.path.exists(os.path.join(HERE, name))
                         for name in OTHERS),
                     'half of the commands are tested there')
class Completeness(unittest.TestCase):
    def setUp(self):
        # the other tests, and the models that they measure with
        self.others = {}
        for name in sorted(os.listdir(HERE)):
            if name.endswith('.py') and name != os.path.basename(__file__):
                with open(os.path.join(HERE, name), encoding='utf-8') as f:
                    self.others[name] = f.read()

    def elsewhere(self, what):
        return any(re.search(what, text) for text in self.others.values())

    def test_commands(self):
        """The tables here and in the model name the same commands."""
        tables = tables_of_the_model()
        self.assertEqual(tables['runtime'], set(ALL_COMMANDS))
        self.assertEqual(tables['rom'],
                         {n for n, c in COMMANDS.items() if c.rom_size})

    def test_documentation(self):
        """The documentation's table has them too, and who serves them."""
        path = os.path.join(HERE, '..', '..', 'docs', 'specs', 'caliptra.rst')
        with open(path, encoding='utf-8') as f:
            text = f.read().split('\nMailbox commands\n')[1]
        table = {line[:32].strip(): (line[32:35], line[37:40])
                 for line in text.split('\n')
                 if re.match('[A-Z0-9_]+ +yes', line)}
        self.assertEqual(table.pop('FIRMWARE_LOAD'), ('yes', 'yes'))
        self.assertEqual(table, {
            name: ('yes' if cmd.rom_size else '   ', 'yes')
            for name, cmd in ALL_COMMANDS.items()})

    def test_good_cases(self):
        """Each command has a row that succeeds, here or elsewhere."""
        rows = {r.command for r in RT_ROWS if not isinstance(r.expect, int)}
        missing = [n for n in ALL_COMMANDS if n not in rows and
                   n not in ('SHUTDOWN', 'SELF_TEST_GET_RESULTS') and
                   not self.elsewhere(
                       r'(?i)\b%s\b|0x%08x' % (n, ALL_COMMANDS[n].code))]
        self.assertEqual(missing, [])
        rows = {r.command for r in ROM_ROWS if not isinstance(r.expect, int)}
        self.assertEqual({n for n, c in COMMANDS.items() if c.rom_size} -
                         rows, {'SHUTDOWN'})

    def test_errors(self):
        """Each error number that commands can give is expected somewhere."""
        with open(__file__, encoding='utf-8') as f:
            here = f.read().split('# ---- is everything tested? ----')[0]
        rows = {r.expect for r in ROM_ROWS + RT_ROWS
                if isinstance(r.expect, int)}
        names = {v: n for n, v in globals().items() if isinstance(v, int)}
        missing = []
        for code in sorted(REACHABLE - rows):
            name = names.get(code)
            if name and len(re.findall(r'\b%s\b' % name, here)) > 1:
                continue
            if re.search('(?i)0x%08x' % code, here) and not name:
                continue
            if not self.elsewhere('(?i)0x0*%x' % code):
                missing.append('0x%08x' % code)
        self.assertEqual(missing, [])


if __name__ == '__main__':
    unittest.main()
