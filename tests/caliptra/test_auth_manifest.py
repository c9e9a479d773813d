#!/usr/bin/env python3
#
# Authorization manifests: SET_AUTH_MANIFEST and AUTHORIZE_AND_STASH
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Every check of a manifest in its order, and what look-ups answer."""

import os
import random
import struct
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))

import caliptra_keys as keys                                 # noqa: E402
import caliptra_soc as cs                                    # noqa: E402
import dpe_bench                                             # noqa: E402
import dpe_model as m                                        # noqa: E402
import manifest as tool                                      # noqa: E402
from dev_bundle import make_bundle                           # noqa: E402

SET_AUTH_MANIFEST = 0x41544D4E
AUTHORIZE_AND_STASH = 0x41545348

PREAMBLE = 0x1C00
LIST = 4 + 127 * 56
MAX = 14336

AUTHORIZED = 0xDEADC0DE
NOT_AUTHORIZED = 0x21523F21
HASH_MISMATCH = 0x8BFB95CB

SKIP_STASH = 1
IN_REQUEST = 1
IGNORE = 1 << 2
VENDOR_REQUIRED = 1

BAD_MARKER = 0x000E0045
PREAMBLE_MISMATCH = 0x000E0046
VENDOR_ECC = 0x000E0047
VENDOR_LMS = 0x000E0048
OWNER_ECC = 0x000E0049
OWNER_LMS = 0x000E004A
PREAMBLE_SHORT = 0x000E004B
LIST_SIZE = 0x000E004C
ENTRY_COUNT = 0x000E004D
BAD_SOURCE = 0x000E004E
DPE_ERROR = 0x000E0050
DUPLICATE = 0x000E0053

# where things are in a manifest
FLAGS = 0x0C
VENDOR_KEYS, OWNER_KEYS = 0x10, 0x754
VENDOR_ENDORSEMENT, OWNER_ENDORSEMENT = 0xA0, 0x7E4
VENDOR_SIGNATURE, OWNER_SIGNATURE = 0xE98, 0x154C
LMS = 96        # from an ECC key or signature to that of LMS

P384_N = bytes.fromhex('ffffffffffffffffffffffffffffffff'
                       'ffffffffffffffffc7634d81f4372ddf'
                       '581a0db248b0a77aecec196accc52973')


def pair(n):
    return tool.KeyPair(keys.dev_ecc_key(n), keys.dev_lms_key(n))


# keys of the firmware, and of manifests
VENDOR_FW, VENDOR_MAN = pair(0), pair(1)
OWNER_FW, OWNER_MAN = pair(keys.DEV_OWNER), pair(2)
SIGNERS = (VENDOR_FW, VENDOR_MAN, OWNER_FW, OWNER_MAN)


def digest_of(text):
    return m.sha384(text.encode())


def entry(fw_id, flags=IN_REQUEST, digest=None):
    return fw_id, flags, digest_of(str(fw_id)) if digest is None else digest


def packed(entries, count=None):
    """An image list with just these entries."""
    return struct.pack('<I', len(entries) if count is None else count) + \
        b''.join(struct.pack('<II48s', *e) for e in entries)


def signed(image_list, flags=VENDOR_REQUIRED, signers=SIGNERS):
    """A manifest around a list, whatever that looks like."""
    data = bytearray(struct.pack('<IIII', tool.MARKER, PREAMBLE, 1, flags)
                     .ljust(PREAMBLE, b'\0') + image_list)
    tool.sign(data, *signers)
    return bytes(data)


def patch(data, offset, new):
    return data[:offset] + new + data[offset + len(new):]


def flip(data, offset):
    return patch(data, offset, bytes([data[offset] ^ 1]))


class Table:
    """The list that the device has stored, as look-ups see it."""

    def __init__(self):
        self.rows = [(0, 0, bytes(48))] * 127

    def store(self, manifest):
        part = manifest[PREAMBLE:PREAMBLE + LIST]
        count, = struct.unpack_from('<I', part)
        rows = list(struct.iter_unpack('<II48s',
                                       part.ljust(LIST, b'\0')[4:]))
        rows[:count] = sorted(rows[:count], key=lambda row: row[0])
        self.rows = rows

    def judge(self, fw_id, measurement):
        first, last = 0, 127
        while first < last:
            probe = first + (last - first) // 2
            found, flags, digest = self.rows[probe]
            if found == fw_id:
                good = flags & IGNORE or digest == measurement
                return AUTHORIZED if good else HASH_MISMATCH
            if found < fw_id:
                first = probe + 1
            else:
                last = probe
        return NOT_AUTHORIZED


class AuthTest(unittest.TestCase):
    LMS_VERIFY = False

    @classmethod
    def setUpClass(cls):
        cls.bench = dpe_bench.Bench(None)
        cls.bench.part.lms_verify = cls.LMS_VERIFY

    @classmethod
    def tearDownClass(cls):
        cls.bench.close()

    def setUp(self):
        self.bench.test = self
        self.boot()

    def boot(self):
        self.bench.cold_boot()
        self.table = Table()

    def raw(self, cmd, req, user=1):
        """(mailbox status, response from byte 8 on, NON_FATAL, EXT[0])"""
        soc = self.bench.soc
        soc.write32(cs.FW_EXTENDED_ERROR_INFO, 0)
        soc.set_user(user)
        soc.mailbox_send(cmd, req)
        status, rsp = soc.mailbox_finish()
        if status == cs.DATA_READY:
            self.assertEqual(rsp, m.response(rsp[8:]))
        return (status, rsp[8:], soc.read32(cs.FW_ERROR_NON_FATAL),
                soc.read32(cs.FW_EXTENDED_ERROR_INFO))

    def set(self, manifest, error=0, pad=0, size=None, user=3):
        """SET_AUTH_MANIFEST, which anybody may send."""
        size = len(manifest) if size is None else size
        got = self.raw(SET_AUTH_MANIFEST, m.request(
            SET_AUTH_MANIFEST, struct.pack('<I', size) + manifest +
            bytes(pad)), user)
        if error:
            self.assertEqual((hex(got[2]), got[0], got[3]),
                             (hex(error), cs.CMD_FAILURE, 0))
        else:
            self.assertEqual((hex(got[2]), got[0], got[1]),
                             ('0x0', cs.DATA_READY, b''))
            self.table.store(manifest)

    def authorize_raw(self, fw_id, measurement, flags=0, source=IN_REQUEST,
                      user=1, extra=b''):
        return self.raw(AUTHORIZE_AND_STASH, m.request(
            AUTHORIZE_AND_STASH,
            struct.pack('<I', fw_id) + measurement + b'\xcc' * 52 +
            struct.pack('<II', flags, source) + extra), user)

    def authorize(self, fw_id, measurement, flags=SKIP_STASH, user=1):
        """AUTHORIZE_AND_STASH against table and model; the result."""
        want = self.table.judge(fw_id, measurement)
        error = status = 0
        if want == AUTHORIZED and not flags & SKIP_STASH:
            try:
                status = self.bench.dpe.stash(
                    user, struct.pack('<I', fw_id), measurement)
                error = DPE_ERROR if status else 0
            except m.MailboxError as e:
                error = e.code
        got = self.authorize_raw(fw_id, measurement, flags, user=user)
        if error:
            self.assertEqual((hex(got[2]), got[0], got[3]),
                             (hex(error), cs.CMD_FAILURE, status))
            return None
        self.assertEqual((got[0], got[1], got[2]),
                         (cs.DATA_READY, struct.pack('<I', want), 0))
        return want


class KnownAnswer(unittest.TestCase):
    """The manifest whose digests are known."""

    def test(self):
        owner = pair(keys.DEV_OWNER)
        data = signed(tool.image_list([
            (1, 1, m.sha384(b'abc')), (2, 6, bytes(48))]),
            signers=(VENDOR_FW, VENDOR_MAN, owner, owner))
        for span, want in (((8, 0xA0), 'f3e14f5b68bf5b6d'),
                           ((OWNER_KEYS, OWNER_ENDORSEMENT),
                            '421275a87a71acf4'),
                           ((PREAMBLE, None), '38def7f23ef38981'),
                           ((0, None), 'f0273240196b5513')):
            self.assertEqual(m.sha384(data[slice(*span)]).hex()[:16], want)


class SetManifest(AuthTest):
    LMS_VERIFY = True

    def good(self, n=3, **kwargs):
        return signed(tool.image_list([entry(i) for i in range(1, n + 1)]),
                      **kwargs)

    def test_good(self):
        self.set(self.good())
        self.assertEqual(self.authorize(2, digest_of('2')), AUTHORIZED)
        # surplus bytes of the request do not count
        self.set(self.good(5), pad=20)
        self.assertEqual(self.authorize(5, digest_of('5')), AUTHORIZED)

    def test_request_sizes(self):
        data = self.good()
        for size in (len(data) + 1, MAX + 1, 0xFFFFFFFF):
            self.set(data, m.INVALID_PARAMS, size=size)
        for payload in (b'', b'\1\0\0'):
            got = self.raw(SET_AUTH_MANIFEST,
                           m.request(SET_AUTH_MANIFEST, payload))
            self.assertEqual((got[0], got[2]),
                             (cs.CMD_FAILURE, m.INVALID_PARAMS))
        self.set(data.ljust(MAX, b'\xee'))
        self.set(data.ljust(MAX, b'\xee'), m.INSUFFICIENT_MEMORY, pad=1)

    def test_preamble(self):
        data = self.good()
        self.set(data[:PREAMBLE - 1], PREAMBLE_SHORT)
        self.set(b'', PREAMBLE_SHORT)
        self.set(flip(data, 0), BAD_MARKER)
        for size in (PREAMBLE - 1, PREAMBLE + 1, 0, len(data)):
            self.set(patch(data, 4, struct.pack('<I', size)),
                     PREAMBLE_MISMATCH)
        # the version is signed, but may be any
        data = bytearray(data)
        data[8:12] = b'\xff' * 4
        tool.sign(data, *SIGNERS)
        self.set(bytes(data))

    def test_each_signature(self):
        """Numbers out of range and flipped bits; LMS after ECC."""
        data = self.good()
        n = keys.hw_words(P384_N)
        for offset, ecc, lms in (
                (VENDOR_ENDORSEMENT, VENDOR_ECC, VENDOR_LMS),
                (OWNER_ENDORSEMENT, OWNER_ECC, OWNER_LMS),
                (VENDOR_SIGNATURE, VENDOR_ECC, VENDOR_LMS),
                (OWNER_SIGNATURE, OWNER_ECC, OWNER_LMS)):
            with self.subTest(offset=hex(offset)):
                for part in (0, 48):
                    self.set(flip(data, offset + part), ecc)
                    self.set(patch(data, offset + part, bytes(48)), ecc)
                    self.set(patch(data, offset + part, n), ecc)
                lms_at = offset + LMS
                # q, its range, type, nonce, chain, tree type, path
                for at in (3, 7, 8, 40, 1259, 1300, 1619):
                    self.set(flip(data, lms_at + at), lms)
                self.set(patch(data, lms_at, b'\0\0\x80\0'), lms)
                self.set(patch(data, lms_at, bytes(1620)), lms)
                self.set(flip(flip(data, lms_at + 40), offset), ecc)

    def test_bad_keys(self):
        """Keys of the manifest that are no keys, properly endorsed."""
        for key, ecc, lms in ((VENDOR_KEYS, VENDOR_ECC, VENDOR_LMS),
                              (OWNER_KEYS, OWNER_ECC, OWNER_LMS)):
            for new, at, error in ((bytes(96), 0, ecc),
                                   (b'\xff' * 48, 0, ecc),
                                   (b'\1' * 96, 0, ecc),
                                   (bytes(48), LMS, lms),
                                   (bytes(24), LMS + 24, lms)):
                data = bytearray(self.good())
                data[key + at:key + at + len(new)] = new
                endorse(data)
                with self.subTest(key=hex(key), at=at):
                    self.set(bytes(data), error)
                    self.bench.status(0, m.sign())

    def test_off_curve_key(self):
        """The engine remembers one until a signature clears it."""
        data = bytearray(self.good())
        data[OWNER_KEYS:OWNER_KEYS + 96] = b'\1' * 96
        endorse(data)
        self.set(bytes(data), OWNER_ECC)
        self.set(self.good(), VENDOR_ECC)
        self.set(self.good(), VENDOR_ECC)
        self.bench.status(0, m.sign())
        self.set(self.good())

    def test_tree_type_of_key(self):
        """Nobody looks at it."""
        data = bytearray(self.good())
        data[VENDOR_KEYS + LMS:VENDOR_KEYS + LMS + 4] = b'\0\0\0\7'
        endorse(data)
        self.set(bytes(data))

    def test_strangers(self):
        """Signed by somebody, but not by whom it should be."""
        other = pair(3)
        for i, error in enumerate((VENDOR_ECC, VENDOR_ECC, OWNER_ECC,
                                   OWNER_ECC)):
            signers = list(SIGNERS)
            signers[i] = tool.KeyPair(other.ecc, signers[i].lms)
            data = bytearray(self.good(signers=signers))
            if i in (1, 3):     # the manifest names another key
                data = bytearray(patch(
                    bytes(data), (VENDOR_KEYS, OWNER_KEYS)[i // 2],
                    SIGNERS[i].ecc.public))
                endorse(data)
            self.set(bytes(data), error)
            signers[i] = tool.KeyPair(SIGNERS[i].ecc, other.lms)
            data = bytearray(self.good(signers=signers))
            if i in (1, 3):
                data = bytearray(patch(
                    bytes(data), (VENDOR_KEYS, OWNER_KEYS)[i // 2] + LMS,
                    SIGNERS[i].lms.public))
                endorse(data)
            self.set(bytes(data), error + 1)

    def test_no_vendor(self):
        """Without flag 0 the vendor need not sign the list, but endorses
        what there is."""
        data = self.good(flags=0)
        self.assertFalse(any(data[VENDOR_SIGNATURE:OWNER_SIGNATURE]))
        self.set(data)
        self.set(patch(data, VENDOR_SIGNATURE, b'\xff' * 1716))
        data = self.good(flags=0, signers=(VENDOR_FW, None, OWNER_FW,
                                           OWNER_MAN))
        self.set(data)
        self.set(flip(data, VENDOR_ENDORSEMENT), VENDOR_ECC)
        self.set(flip(data, VENDOR_KEYS), VENDOR_ECC)
        self.set(flip(data, OWNER_SIGNATURE), OWNER_ECC)
        # flag 0 itself is endorsed, the others mean nothing
        self.set(flip(data, FLAGS), VENDOR_ECC)
        self.set(self.good(flags=0xFFFFFFFE))

    def test_list(self):
        rows = [entry(i) for i in range(1, 128)]
        for image_list, error in (
                (b'', LIST_SIZE), (b'\1\0\0', LIST_SIZE),
                (packed([]), ENTRY_COUNT),
                (packed(rows[:1], 0), ENTRY_COUNT),
                (packed(rows, 128), ENTRY_COUNT),
                (packed(rows, 0xFFFFFFFF), ENTRY_COUNT),
                (packed(rows[:1])[:-1], LIST_SIZE),
                (packed(rows[:2], 3), LIST_SIZE),
                (packed(rows[:126], 127), LIST_SIZE),
                (packed(rows[:1]), 0), (packed(rows), 0),
                # part of an entry behind the last one that counts
                (packed(rows[:3])[:-10], LIST_SIZE),
                (packed(rows[:3], 2)[:-10], 0)):
            with self.subTest(size=len(image_list), error=hex(error)):
                self.set(signed(image_list), error)

    def test_list_is_looked_at_between(self):
        """After the endorsements, before the signatures."""
        data = signed(packed([entry(1)], 0))
        self.set(flip(data, OWNER_SIGNATURE), ENTRY_COUNT)
        self.set(flip(data, VENDOR_SIGNATURE), ENTRY_COUNT)
        self.set(flip(data, OWNER_ENDORSEMENT), OWNER_ECC)
        data = signed(packed([entry(1), entry(1)]))
        self.set(flip(data, OWNER_SIGNATURE), OWNER_ECC)
        self.set(data, DUPLICATE)

    def test_signed_tail(self):
        """The signatures cover entries that do not count, too."""
        data = signed(tool.image_list([entry(1)]))
        self.set(flip(data, PREAMBLE + LIST - 1), VENDOR_ECC)
        # but nothing behind the largest list
        self.set((data + b'abc'))
        # whose bytes may not be signed either
        data = bytearray(data + b'abc')
        tool.sign(data, *SIGNERS)
        self.set(bytes(data), VENDOR_ECC)

    def test_duplicates(self):
        rows = [entry(9), entry(3), entry(7), entry(3, digest=bytes(48))]
        self.set(signed(tool.image_list(rows[:3])))
        self.set(signed(packed(rows)), DUPLICATE)
        self.set(signed(packed(rows, 3)))       # not among those that count
        self.set(signed(packed([entry(0xFFFFFFFF)] * 127)), DUPLICATE)

    def test_old_list_stays(self):
        """Until there is a new one."""
        self.set(self.good())
        for broken, error in ((flip(self.good(9), OWNER_SIGNATURE),
                               OWNER_ECC),
                              (signed(packed([entry(8), entry(8)])),
                               DUPLICATE),
                              (signed(packed([entry(8)], 0)), ENTRY_COUNT)):
            self.set(broken, error)
            self.assertEqual(self.authorize(2, digest_of('2')), AUTHORIZED)
            self.assertEqual(self.authorize(8, digest_of('8')),
                             NOT_AUTHORIZED)

    def test_firmware_keys(self):
        """The endorsement is with the keys that the firmware was signed
        with, by the index in its preamble."""
        b = self.bench
        bundle, b.bundle = b.bundle, lambda rt: make_bundle(
            rt=rt, ecc_index=2, lms_index=6)
        try:
            self.boot()
        finally:
            b.bundle = bundle
        self.set(self.good(), VENDOR_ECC)
        self.set(self.good(signers=(pair(2),) + SIGNERS[1:]))
        fw = tool.KeyPair(keys.dev_ecc_key(2), keys.dev_lms_key(1))
        self.set(self.good(signers=(fw,) + SIGNERS[1:]), VENDOR_LMS)

    def test_chance(self):
        """Random damage: the tool's verifier says the same."""
        rand = random.Random(7)
        for _ in range(60):
            rows = [entry(rand.choice((i, rand.getrandbits(32))))
                    for i in range(rand.choice((1, 2, 64, 127)))]
            data = bytearray(signed(tool.image_list(rows),
                                    rand.getrandbits(1)))
            for _ in range(rand.choice((0, 1, 1, 2))):
                part = rand.choice(((0, 16), (16, 0x1C00), (0x1C00, 0x1C08),
                                    (0x1C08, len(data))))
                data[rand.randrange(*part)] ^= 1 << rand.randrange(8)
            data = bytes(data[:rand.choice((len(data), len(data), 0x1BFF,
                                            0x1C02))])
            self.set(data, tool.verify(data, VENDOR_FW, OWNER_FW, 1))


def endorse(data):
    """Make the endorsements good again."""
    for span, at, fw in (((8, 0xA0), VENDOR_ENDORSEMENT, VENDOR_FW),
                         ((OWNER_KEYS, OWNER_ENDORSEMENT),
                          OWNER_ENDORSEMENT, OWNER_FW)):
        sigs = fw.sign(keys.sha384(bytes(data[slice(*span)])))
        data[at:at + len(sigs)] = sigs


class SetManifestEccOnly(AuthTest):
    """Fuses that do not ask for LMS: its fields may hold anything."""

    def test(self):
        data = signed(tool.image_list([entry(1)]))
        for offset in (VENDOR_ENDORSEMENT, OWNER_ENDORSEMENT,
                       VENDOR_SIGNATURE, OWNER_SIGNATURE):
            data = patch(data, offset + LMS, b'\xee' * 1620)
        self.set(data)
        for offset, error in ((VENDOR_ENDORSEMENT, VENDOR_ECC),
                              (OWNER_ENDORSEMENT, OWNER_ECC),
                              (VENDOR_SIGNATURE, VENDOR_ECC),
                              (OWNER_SIGNATURE, OWNER_ECC)):
            self.set(flip(data, offset), error)


class Authorize(AuthTest):
    def fill(self, n, first=1, step=1, full=True):
        rows = [entry(first + i * step) for i in range(n)]
        random.Random(n).shuffle(rows)
        make = tool.image_list if full else packed
        self.set(signed(make(rows)))
        return [row[0] for row in rows]

    def look_up(self, ids):
        for fw_id in ids:
            with self.subTest(fw_id=fw_id):
                self.authorize(fw_id, digest_of(str(fw_id)))
                self.authorize(fw_id, bytes(48))

    def test_request(self):
        for source in (0, 2, 3, 0xFFFFFFFF):
            got = self.authorize_raw(1, bytes(48), source=source)
            self.assertEqual((got[0], got[2]), (cs.CMD_FAILURE, BAD_SOURCE))
        # the form with image_size of later firmware is refused
        for extra in (bytes(4), b'\0'):
            got = self.authorize_raw(1, bytes(48), extra=extra)
            self.assertEqual((got[0], got[2]),
                             (cs.CMD_FAILURE, m.INSUFFICIENT_MEMORY))
        got = self.raw(AUTHORIZE_AND_STASH,
                       m.request(AUTHORIZE_AND_STASH, bytes(108)))
        self.assertEqual((got[0], got[2]),
                         (cs.CMD_FAILURE, m.INSUFFICIENT_MEMORY))

    def test_before_any_manifest(self):
        """All zero: that is an image 0 with digest zero."""
        self.assertEqual(self.authorize(0, bytes(48)), AUTHORIZED)
        self.assertEqual(self.authorize(0, digest_of('x')), HASH_MISMATCH)
        self.assertEqual(self.authorize(1, bytes(48)), NOT_AUTHORIZED)
        self.assertEqual(self.authorize(0xFFFFFFFF, bytes(48)),
                         NOT_AUTHORIZED)

    def test_padded(self):
        """Each entry is found, and the padding too."""
        for n in (1, 2, 63, 64, 126, 127):
            ids = self.fill(n, 10, 3)
            for fw_id in ids:
                self.assertEqual(self.authorize(
                    fw_id, digest_of(str(fw_id))), AUTHORIZED)
                self.assertEqual(self.authorize(fw_id, bytes(48)),
                                 HASH_MISMATCH)
            self.look_up((0, 9, 11, 0xFFFFFFFE))
            self.assertEqual(self.authorize(0xFFFFFFFF, bytes(48)),
                             AUTHORIZED if n < 127 else NOT_AUTHORIZED)

    def test_cut_short(self):
        """Zeros behind the entries spoil the search."""
        for n in (1, 62, 63, 64, 65, 96, 100, 126):
            ids = self.fill(n, 10, 3, full=False)
            found = [i for i in ids if self.authorize(
                i, digest_of(str(i))) == AUTHORIZED]
            if n < 64:
                self.assertEqual(found, [])
                self.assertEqual(self.authorize(0, bytes(48)), AUTHORIZED)
            elif n == 64:
                self.assertEqual(len(found), 64)
            self.look_up((0, 5, 1000))

    def test_behind_the_count(self):
        """Entries that do not count are found all the same."""
        rows = [entry(i) for i in range(1, 128)]
        self.set(signed(packed(rows, 1)))
        self.look_up(range(130))

    def test_partial_entry(self):
        """Bytes of an entry that was cut in the middle stay."""
        rows = [entry(i) for i in range(1, 127)]
        data = packed(rows + [entry(127)], 126)
        self.set(signed(data[:-20]))
        digest = digest_of('127')
        self.assertEqual(self.authorize(127, digest), HASH_MISMATCH)
        self.assertEqual(self.authorize(127, digest[:28] + bytes(20)),
                         AUTHORIZED)

    def test_flags_of_entries(self):
        """Only bit 2 means something: any digest will do."""
        rows = [entry(i, 1 << i if i else 0) for i in range(32)]
        self.set(signed(tool.image_list(rows)))
        for i in range(32):
            self.assertEqual(self.authorize(i, bytes(48)),
                             AUTHORIZED if i == 2 else HASH_MISMATCH)
            self.assertEqual(self.authorize(i, digest_of(str(i))),
                             AUTHORIZED)

    def test_chance(self):
        """Look-ups in lists that are sorted only here and there."""
        rand = random.Random(3)
        for _ in range(8):
            count = rand.randrange(1, 128)
            ids = rand.sample(range(300), count)
            rest = [rand.randrange(300) for _ in range(rand.randrange(
                128 - count))]
            self.set(signed(packed([entry(i) for i in ids + rest], count)))
            self.look_up(rand.sample(range(300), 40))


class Stash(AuthTest):
    """What is authorized becomes a context and goes to PCR 31."""

    def setUp(self):
        super().setUp()
        self.set(signed(tool.image_list(
            [entry(i) for i in range(1, 40)] +
            [entry(50, IGNORE), entry(0x64636261)])))

    def leaf(self):
        return self.bench.status(0, m.certify())

    def test_order(self):
        """Only what is authorized and not skipped."""
        before = self.leaf()
        for fw_id, measurement, flags in (
                (1, bytes(48), 0), (99, bytes(48), 0),
                (1, digest_of('1'), SKIP_STASH),
                (1, digest_of('1'), 0xFFFFFFFF)):
            self.authorize(fw_id, measurement, flags)
        self.assertEqual(self.leaf(), before)
        self.bench.check_pcr31()
        self.authorize(1, digest_of('1'), 0xFFFFFFFE)
        self.authorize(0x64636261, digest_of(str(0x64636261)), 0)
        self.assertNotEqual(self.leaf(), before)
        self.bench.check_pcr31()

    def test_ignored_digest(self):
        """The request's measurement is stashed, not the list's digest."""
        self.authorize(50, digest_of('whatever'), 0)
        self.leaf()
        self.bench.check_pcr31()

    def test_same_as_stash_measurement(self):
        self.authorize(0x64636261, digest_of(str(0x64636261)), 0)
        leaf = self.leaf()
        self.boot()
        self.bench.ask(m.stash(b'abcd', digest_of(str(0x64636261))),
                       m.CMD_STASH_MEASUREMENT)
        self.assertEqual(self.leaf(), leaf)

    def test_privilege(self):
        """Asking is free, stashing is not."""
        self.assertEqual(self.authorize(1, digest_of('1'), user=2),
                         AUTHORIZED)
        self.assertEqual(self.authorize(1, bytes(48), 0, user=2),
                         HASH_MISMATCH)
        self.assertIsNone(self.authorize(1, digest_of('1'), 0, user=2))
        self.bench.check_pcr31()

    def test_threshold(self):
        for i in range(1, 16):
            self.assertEqual(self.authorize(i, digest_of(str(i)), 0),
                             AUTHORIZED)
        self.assertIsNone(self.authorize(16, digest_of('16'), 0))
        self.assertEqual(self.authorize(16, digest_of('16')), AUTHORIZED)
        self.bench.check_pcr31()

    def test_dpe_error(self):
        """Its status is in the extended error information."""
        self.bench.status(0, m.rotate())
        got = self.authorize_raw(1, digest_of('1'))
        self.assertEqual((got[0], *got[2:]), (cs.CMD_FAILURE, DPE_ERROR,
                                              0x1000))
        self.assertIsNone(self.authorize(1, digest_of('1'), 0))
        self.bench.check_pcr31()


class Life(AuthTest):
    """How long a manifest is in force."""

    def check(self, stored):
        self.assertEqual(self.authorize(2, digest_of('2')),
                         AUTHORIZED if stored else NOT_AUTHORIZED)

    def test(self):
        self.set(signed(tool.image_list([entry(1), entry(2)])))
        self.check(True)
        self.bench.snapshot()
        self.check(True)
        self.assertTrue(self.bench.update(bytes(64)))
        self.check(True)
        self.assertTrue(self.bench.warm_reset())
        self.check(True)
        self.boot()
        self.check(False)


if __name__ == '__main__':
    unittest.main()
