#!/usr/bin/env python3
#
# Independent model of Caliptra's DICE Protection Environment
#
# Says what the runtime of Caliptra 1.2 must answer to each mailbox command
# that uses DPE, byte for byte.  Written against the descriptions of the
# profile (caliptra-dpe, caliptra-sw runtime/README.md); it shares neither
# code nor tables with the device.  Elliptic curves and hashes come from
# python3-cryptography and hashlib.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What DPE answers: class Dpe, and the arithmetic under it."""

import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric import ec

P384_N = int('FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'
             'C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973', 16)

# mailbox commands
CMD_INVOKE_DPE = 0x44504543
CMD_CERTIFY_KEY_EXTENDED = 0x434B4558
CMD_ADD_SUBJECT_ALT_NAME = 0x414C544E
CMD_TAG_TCI = 0x54514754
CMD_GET_TAGGED_TCI = 0x47544744
CMD_STASH_MEASUREMENT = 0x4D454153
CMD_SIGN_WITH_EXPORTED_ECDSA = 0x53574545
CMD_DISABLE_ATTESTATION = 0x4453424C
CMD_REVOKE_EXPORTED = 0x52564348        # from 1.2.1 on
CMD_REALLOCATE = 0x52435458             # from 1.2.3 on

# DPE commands
GET_PROFILE = 0x01
INITIALIZE_CONTEXT = 0x07
DERIVE_CONTEXT = 0x08
CERTIFY_KEY = 0x09
SIGN = 0x0A
ROTATE_CONTEXT = 0x0E
DESTROY_CONTEXT = 0x0F
GET_CERT_CHAIN = 0x10

BODY_LEN = {GET_PROFILE: 0, INITIALIZE_CONTEXT: 4, DERIVE_CONTEXT: 76,
            CERTIFY_KEY: 72, SIGN: 116, ROTATE_CONTEXT: 20,
            DESTROY_CONTEXT: 16, GET_CERT_CHAIN: 8}

# flags
SIMULATION = 1 << 31
DEFAULT = 1 << 30

INTERNAL_INFO = 1 << 31
INTERNAL_DICE = 1 << 30
RETAIN_PARENT = 1 << 29
MAKE_DEFAULT = 1 << 28
CHANGE_LOCALITY = 1 << 27
ALLOW_CA = 1 << 26
ALLOW_X509 = 1 << 25
RECURSIVE = 1 << 24
EXPORT_CDI = 1 << 23
CREATE_CERT = 1 << 22

TARGET_IS_DEFAULT = 1 << 31
DMTF_OTHER_NAME = 1 << 31

# contexts up to release 1.2.2, and of later ones
MAX_HANDLES = 24
MAX_HANDLES_LATER = 32
THRESHOLD = 16
ZERO_HANDLE = bytes(16)
DEAD_HANDLE = b'\xff' * 16

# errors of the mailbox command
INSUFFICIENT_MEMORY = 0x000E0003
INVALID_PARAMS = 0x000E0009
BAD_PRIVILEGE = 0x000E0016
DPE_VALIDATION_FAILED = 0x000E0017
PL0_EXCEEDED = 0x000E0019
PL1_EXCEEDED = 0x000E001A
TAGGING_FAILURE = 0x000E001E
DUPLICATE_TAG = 0x000E001F
ALREADY_TAGGED = 0x000E0020
DESERIALIZATION_FAILED = 0x000E0027
BUSY_DURING_WARM_RESET = 0x000E002B
JOURNEY_CHANGED = 0x000E0034
NO_ROOT = 0x000E0035
PL0_REACHED = 0x000E0037
PL1_REACHED = 0x000E0038
BAD_DEVICE_INFO = 0x000E003E
CERTIFY_KEY_EXTENDED_FAILED = 0x000E0040
RESERVED_PAUSER = 0x000E004F
EXPORTED_KEY_FAILED = 0x000E0054
UNKNOWN_COMMAND = 0x000E0002
INACTIVE_WITH_TAG = 0x000E0025
INACTIVE_HAS_TAG = 0x000E002F
NOT_EXPORTED = 0x000E005A
LIMIT_TOO_SMALL = 0x000E005B
LIMIT_TOO_LARGE = 0x000E005C
LIMIT_BELOW_PL0 = 0x000E005D
LIMIT_BELOW_PL1 = 0x000E005E
CURRENT_CHANGED = 0x000E005F
NO_CCIV = 0x000E0060


# ---- arithmetic ----

def sha384(*parts):
    return hashlib.sha384(b''.join(parts)).digest()


def hmac384(key, *parts):
    return hmac.new(key, b''.join(parts), 'sha384').digest()


def kdf(key, label, context=None):
    """Counter mode of SP 800-108, one block."""
    tail = b'' if context is None else b'\0' + context
    return hmac384(key, struct.pack('>I', 1), label, tail)


def drbg(entropy, nonce):
    """The first number of [1, n-1] out of a fresh HMAC-DRBG."""
    k, v = bytes(48), b'\x01' * 48
    for sep in (b'\0', b'\1'):
        k = hmac384(k, v, sep, entropy, nonce)
        v = hmac384(k, v)
    out = int.from_bytes(hmac384(k, v), 'big')
    assert 0 < out < P384_N
    return out


class Key:
    """A P-384 key pair."""

    def __init__(self, d):
        self.d = d
        num = ec.derive_private_key(d, ec.SECP384R1()).public_key()
        num = num.public_numbers()
        self.x = num.x.to_bytes(48, 'big')
        self.y = num.y.to_bytes(48, 'big')

    @classmethod
    def from_seed(cls, seed):
        return cls(drbg(seed, bytes(48)))

    @property
    def point(self):
        return b'\x04' + self.x + self.y

    def sign(self, digest):
        """Deterministic ECDSA over a digest: (r, s) as 48 bytes each."""
        z = int.from_bytes(digest, 'big') % P384_N
        k = drbg(self.d.to_bytes(48, 'big'), z.to_bytes(48, 'big'))
        kg = ec.derive_private_key(k, ec.SECP384R1()).public_key()
        r = kg.public_numbers().x % P384_N
        s = pow(k, -1, P384_N) * (z + r * self.d) % P384_N
        return r.to_bytes(48, 'big'), s.to_bytes(48, 'big')


# ---- DER ----

def tlv(tag, *parts):
    body = b''.join(parts)
    n = len(body)
    if n < 0x80:
        head = bytes([n])
    elif n < 0x100:
        head = bytes([0x81, n])
    else:
        head = b'\x82' + n.to_bytes(2, 'big')
    return bytes([tag]) + head + body


def seq(*parts):
    return tlv(0x30, *parts)


def set_of(*parts):
    return tlv(0x31, *parts)


def octets(data):
    return tlv(0x04, data)


def oid(text):
    arcs = [int(a) for a in text.split('.')]
    out = b''
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        enc = bytes([arc & 0x7f])
        while arc >= 0x80:
            arc >>= 7
            enc = bytes([arc & 0x7f | 0x80]) + enc
        out += enc
    return tlv(0x06, out)


def uint(data):
    data = data.lstrip(b'\0') or b'\0'
    return tlv(0x02, (b'\0' if data[0] & 0x80 else b'') + data)


def ext(name, value, critical=True):
    """An extension; FALSE is spelt out, unless critical is None."""
    return seq(oid(name), b'' if critical is None else
               tlv(0x01, b'\xff' if critical else b'\0'), octets(value))


def name_of(cn_tag, cn, serial):
    def rdn(attr, tag, text):
        return set_of(seq(oid(attr), tlv(tag, text.encode())))
    return seq(rdn('2.5.4.3', cn_tag, cn), rdn('2.5.4.5', 0x13, serial))


def spki(key):
    return seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')),
               tlv(0x03, b'\0' + key.point))


ECDSA_SHA384 = seq(oid('1.2.840.10045.4.3.3'))
SHA384_ALG = seq(oid('2.16.840.1.101.3.4.2.2'))


def sig_value(sig):
    return seq(uint(sig[0]), uint(sig[1]))


def signed(body, sig):
    return seq(body, ECDSA_SHA384, tlv(0x03, b'\0' + sig_value(sig)))


# ---- DPE ----

class DpeError(Exception):
    """A status of the DPE response header."""

    def __init__(self, status):
        super().__init__('DPE status 0x%x' % status)
        self.status = status


class MailboxError(Exception):
    """A failed mailbox command."""

    def __init__(self, code):
        super().__init__('mailbox error 0x%08x' % code)
        self.code = code


class Node:
    """What a slot of the context table holds.

    parent is another Node; slot numbers matter only where they can be seen:
    the lowest free one is taken, the lowest match wins.
    """

    def __init__(self):
        self.state = 'inactive'
        self.simulation = False
        self.handle = ZERO_HANDLE
        self.locality = 0
        self.parent = None
        self.type = 0
        self.current = bytes(48)
        self.cumulative = bytes(48)
        self.tci_locality = 0
        self.allow_ca = self.allow_x509 = False
        self.info = self.dice = False
        self.tag = None

    def activate(self, handle, locality, parent, simulation, allow_ca=True):
        self.state = 'active'
        self.simulation = simulation
        self.handle = handle
        self.locality = self.tci_locality = locality
        self.parent = parent
        self.type = 0
        self.current = self.cumulative = bytes(48)
        self.allow_ca = allow_ca
        self.allow_x509 = True
        self.info = self.dice = False

    def destroy(self, clear):
        """clear: handle and locality go, too."""
        if clear:
            self.handle = DEAD_HANDLE
            self.locality = 0
        self.state = 'inactive'
        self.parent = None
        self.type = 0
        self.current = self.cumulative = bytes(48)
        self.tci_locality = 0
        self.allow_ca = self.allow_x509 = False
        self.info = self.dice = False

    def extend(self, data):
        self.cumulative = sha384(self.cumulative, data)
        self.current = data

    @property
    def used(self):
        return self.state != 'inactive'

    @property
    def lineage(self):
        """Itself, its parent, ... up to the root."""
        node, out = self, []
        while node:
            out.append(node)
            node = node.parent
        return out


def valid_pauser_measurement(locked):
    """The MBVP measurement of a list of locked user ids."""
    digest = sha384(*(struct.pack('<I', p) for p in locked))
    return struct.pack('<12I', *struct.unpack('>12I', digest))


def cciv_measurement(locked, manifest):
    """The CCIV measurement: user ids, then values of the manifest: PL0 user,
    flags, load address and entry of FMC, the same of runtime."""
    return sha384(struct.pack('<%dI' % (len(locked) + len(manifest)),
                              *locked, *manifest))


class Dpe:
    """The runtime's DPE from a cold boot on.

    rt_cdi:       secret of the runtime, 48 bytes
    rt_key:       its alias Key
    pcr3:         runtime's journey PCR
    locked:       ids that are locked as valid mailbox users, in order
    pl0_pauser:   of the image's header
    pl0_valid:    bit 0 of the header's flags
    chain:        certificates LDevID, FMC alias, RT alias, concatenated
    ueid:         17 bytes
    trng:         called for each draw; 48 bytes, words most significant first
    stashed:      (metadata, measurement) that ROM had taken
    validity:     dates of the header
    max_handles:  contexts that there is room for; None: those of the release
    release:      n of the runtime's release 1.2.n
    pcr2:         runtime's current PCR (from 1.2.4 on)
    manifest:     its values that are measured (from 1.2.4 on)
    """

    def __init__(self, rt_cdi, rt_key, pcr3, locked, pl0_pauser, chain, ueid,
                 trng, pl0_valid=True, stashed=(),
                 validity=('20230101000000Z', '99991231235959Z'),
                 max_handles=None, release=0, pcr2=None, manifest=()):
        self.release = release
        if max_handles is None:
            max_handles = MAX_HANDLES_LATER if release >= 3 else MAX_HANDLES
        self.locked = locked
        self.limits = [THRESHOLD, THRESHOLD]
        self.rt_cdi = rt_cdi
        self.rt_key = rt_key
        self.pl0_pauser = pl0_pauser
        self.pl0_valid = pl0_valid
        self.chain = chain
        self.ueid = ueid
        self.trng = trng
        self.validity = validity
        self.pcr31 = bytes(48)
        for _, measurement in stashed:
            self.pcr31 = sha384(self.pcr31, measurement)
        self.ext_error = 0
        self.non_fatal = 0
        self.attestation_disabled = False
        self.device_info = None
        self.exported_handle = None
        self.exported_cdi = None
        self.slots = [Node() for _ in range(max_handles)]

        root = self.slots[0]
        root.activate(ZERO_HANDLE, 0xFFFFFFFF, None, False, release == 0)
        flags = MAKE_DEFAULT | CHANGE_LOCALITY | ALLOW_CA | ALLOW_X509
        if release >= 4:
            root.current, root.cumulative = pcr2, pcr3
            root.type = 0x52544D52
            self._derive(0xFFFFFFFF, ZERO_HANDLE,
                         cciv_measurement(locked, manifest), flags,
                         0x43434956, pl0_pauser)
        else:
            root.extend(pcr3)
            root.type = 0x52544A4D
            self._derive(0xFFFFFFFF, ZERO_HANDLE,
                         valid_pauser_measurement(locked), flags, 0x4D425650,
                         pl0_pauser)
        for metadata, measurement in stashed:
            self._derive(pl0_pauser, ZERO_HANDLE, measurement, flags,
                         struct.unpack('<I', metadata)[0], pl0_pauser)

    # ---- contexts ----

    def _is_pl0(self, user):
        return self.pl0_valid and user == self.pl0_pauser

    def _active(self, locality):
        return [s for s in self.slots
                if s.state == 'active' and s.locality == locality]

    def _children(self, node):
        return [s for s in self.slots if s.used and s.parent is node]

    def _lookup(self, handle, locality):
        here = self._active(locality)
        if not here:
            raise DpeError(0x1001)
        match = [s for s in here if s.handle == handle]
        if not match:
            raise DpeError(0x1000)
        return match[0]

    def _free_slot(self):
        free = [s for s in self.slots if not s.used]
        if not free:
            raise DpeError(0x1003)
        return free[0]

    def _random_handle(self):
        for _ in range(8):
            handle = self.trng()[:16]
            if handle != ZERO_HANDLE and \
               handle not in [s.handle for s in self.slots]:
                return handle
        raise DpeError(1)

    def _rolled(self, node):
        if node.handle == ZERO_HANDLE:
            return ZERO_HANDLE
        return self._random_handle()

    def _used(self):
        """Contexts of [PL0, PL1]."""
        used = [s.locality for s in self.slots if s.used]
        pl0 = used.count(self.pl0_pauser)
        if self.release >= 3:
            pl0 += used.count(0xFFFFFFFF)
        return pl0, len(used) - pl0

    def _threshold(self, user):
        level, reached, exceeded = (0, PL0_REACHED, PL0_EXCEEDED) \
            if self._is_pl0(user) else (1, PL1_REACHED, PL1_EXCEEDED)
        n = self._used()[level]
        if n > self.limits[level]:
            raise MailboxError(exceeded)
        if n == self.limits[level]:
            raise MailboxError(reached)

    # ---- keys ----

    def _profile(self):
        return struct.pack('<IIIHHIIII', 0x44504552, 0, 4, 0, 12, 0x43545241,
                           0x43545241, len(self.slots), 0xEE6C0000)

    def measurement_hash(self, node):
        line = node.lineage
        data = b''
        for n in line:
            data += struct.pack('<I', n.type) + n.cumulative + n.current
            data += struct.pack('<I', n.tci_locality)
            if self.release == 0:
                data += struct.pack('<?', n.allow_ca)
            data += struct.pack('<?', n.allow_x509)
        if any(n.info for n in line):
            data += self._profile() + struct.pack('<I', 4)
        if any(n.dice for n in line):
            data += self.chain
        return sha384(data)

    def _draws(self, n):
        for _ in range(n):
            self.trng()

    def cdi(self, node, label):
        c1 = sha384(self.measurement_hash(node), label)
        self._draws(1)
        return kdf(self.rt_cdi, b'derive_cdi', c1)

    def _key(self, cdi, label, context):
        self._draws(3)
        return Key.from_seed(kdf(cdi, label, context))

    def leaf_key(self, node, label):
        return self._key(self.cdi(node, b'DPE'), label, b'ECC')

    def _sign(self, key, digest):
        self._draws(1)
        return key.sign(digest)

    # ---- certificates ----

    def _aki(self):
        return hashlib.sha256(self.rt_key.point).digest()

    def _tcb_infos(self, node, journey):
        def fwid(digest):
            return seq(oid('2.16.840.1.101.3.4.2.2'), octets(digest))

        out = []
        for n in reversed(node.lineage):
            fwids, registers = [fwid(n.current)], b''
            if journey and self.release == 0:
                fwids.append(fwid(n.cumulative))
            elif journey:
                number = tlv(0x81, b'\0') if self.release >= 5 else b''
                registers = tlv(0xAB if self.release >= 4 else 0xAA,
                                seq(number, tlv(0xA2, fwid(n.cumulative))))
            out.append(seq(tlv(0xA6, *fwids),
                           tlv(0x88, struct.pack('>I', n.tci_locality)),
                           tlv(0x89, struct.pack('<I', n.type)), registers))
        return seq(*out)

    def _subject(self, key):
        serial = sha384(key.point).hex().upper()[:64]
        return serial, name_of(0x13, 'DPE Leaf', serial)

    def _extensions(self, node, key, ueid, exported, csr, san):
        eku = '2.23.133.5.4.100.%d' % (12 if exported else 9)
        r = self.release
        # DICE's own, subject key identifier; the other two
        dice = True if r == 0 else False if r < 5 else None
        ski = False if r < 5 else None
        others = False if r < 4 else None
        is_ca = tlv(0x01, b'\xff' if exported else b'\0')
        if r >= 5 and not exported:
            is_ca = b''
        exts = [ext('2.23.133.5.4.5', self._tcb_infos(node, not exported),
                    dice),
                ext('2.23.133.5.4.4', seq(octets(ueid)), dice),
                ext('2.5.29.19', seq(is_ca)),
                ext('2.5.29.15',
                    tlv(0x03, b'\x02\x84' if exported else b'\x07\x80')),
                ext('2.5.29.37', seq(oid(eku)))]
        if exported:
            exts.append(ext('2.5.29.14', octets(sha384(key.point)[:20]),
                            ski))
        if not csr:
            exts.append(ext('2.5.29.35', seq(tlv(0x80, self._aki()[:20])),
                            others))
        if san is not None:
            other = tlv(0xA0, oid('1.3.6.1.4.1.412.274.1'),
                        tlv(0xA0, tlv(0x0C, san)))
            exts.append(ext('2.5.29.17', seq(other), others))
        return seq(*exts)

    def certificate(self, node, key, ueid, exported=False, san=None):
        serial, subject = self._subject(key)
        tbs = seq(tlv(0xA0, tlv(0x02, b'\2')),
                  uint(serial[:20].encode()),
                  ECDSA_SHA384,
                  name_of(0x0C, 'Caliptra 1.0 Rt Alias',
                          self._aki().hex().upper()),
                  seq(*(tlv(0x18, t.encode()) for t in self.validity)),
                  subject, spki(key),
                  tlv(0xA3, self._extensions(node, key, ueid, exported,
                                             False, san)))
        return signed(tbs, self._sign(self.rt_key, sha384(tbs)))

    def csr(self, node, key, ueid, san=None):
        exts = self._extensions(node, key, ueid, False, True, san)
        info = seq(tlv(0x02, b'\0'), self._subject(key)[1], spki(key),
                   tlv(0xA0, seq(oid('1.2.840.113549.1.9.14'),
                                 set_of(exts))))
        req = signed(info, self._sign(key, sha384(info)))
        sig = self._sign(self.rt_key, sha384(req))
        signer = seq(tlv(0x02, b'\3'), tlv(0x80, octets(self._aki()[:20])),
                     SHA384_ALG, ECDSA_SHA384, octets(sig_value(sig)))
        data = seq(tlv(0x02, b'\3'), set_of(SHA384_ALG),
                   seq(oid('1.2.840.113549.1.7.1'), tlv(0xA0, octets(req))),
                   set_of(signer))
        return seq(oid('1.2.840.113549.1.7.2'), tlv(0xA0, data))

    # ---- commands of DPE ----

    def _initialize(self, locality, flags):
        if flags & DEFAULT:
            raise DpeError(4)
        if not flags & SIMULATION:
            raise DpeError(3)
        slot = self._free_slot()
        handle = self._random_handle()
        slot.activate(handle, locality, None, True, self.release == 0)
        return handle

    def _derive(self, locality, handle, data, flags, tci_type, target):
        parent = self._lookup(handle, locality)
        export = flags & EXPORT_CDI
        retain = flags & RETAIN_PARENT
        if self.release == 0 and flags & ALLOW_CA and \
           not parent.allow_ca or \
           flags & ALLOW_X509 and not parent.allow_x509 or \
           export and not flags & CREATE_CERT or \
           export and flags & (RECURSIVE | CHANGE_LOCALITY) or \
           export and retain and self.release == 0 or \
           export and parent.simulation or \
           flags & RECURSIVE and flags & RETAIN_PARENT:
            raise DpeError(3)
        if not flags & CHANGE_LOCALITY:
            target = locality

        if flags & RECURSIVE:
            if parent.type != tci_type:
                raise DpeError(3)
            if target != locality:
                raise DpeError(0x1001)
            parent.handle = self._rolled(parent)
            parent.extend(data)
            return parent.handle + bytes(16)
        next_handle = DEAD_HANDLE
        if retain and self.release >= 1:
            next_handle = self._rolled(parent)
        if export:
            return self._export(parent, retain, next_handle)

        child = self._free_slot()
        there = self._active(target)
        default = [s for s in there if s.handle == ZERO_HANDLE]
        takes_over = default and default[0] is parent and \
            not flags & RETAIN_PARENT
        if flags & MAKE_DEFAULT:
            fits = not there or len(there) == 1 and takes_over
        else:
            fits = not default or takes_over
        if not fits:
            raise DpeError(3)
        new = ZERO_HANDLE if flags & MAKE_DEFAULT else self._random_handle()
        if retain and self.release == 0:
            next_handle = self._rolled(parent)
        if not retain:
            parent.state = 'retired'
        parent.handle = next_handle
        child.activate(new, target, parent, parent.simulation)
        child.type = tci_type
        child.allow_ca = self.release == 0 and bool(flags & ALLOW_CA)
        child.allow_x509 = bool(flags & ALLOW_X509)
        child.info = bool(flags & INTERNAL_INFO)
        child.dice = bool(flags & INTERNAL_DICE)
        child.extend(data)
        return new + parent.handle

    def _export(self, node, retain, next_handle):
        handle = self.trng()[:32]
        if self.release >= 1 and self.exported_handle is not None:
            raise DpeError(0x02000007)
        self.exported_cdi = self.cdi(node, b'Exported CDI')
        if self.exported_handle is not None:
            raise DpeError(0x02000007)
        self.exported_handle = handle
        key = self._key(self.exported_cdi, b'Exported ECC', b'Exported ECC')
        cert = self.certificate(node, key, self.ueid, exported=True)
        if self.release >= 2 and not retain and not self._children(node):
            self._destroy_from(node)
        elif self.release >= 1:
            node.handle = next_handle
            if not retain:
                node.state = 'retired'
        return (DEAD_HANDLE + next_handle + handle +
                struct.pack('<I', len(cert)) + cert.ljust(6144, b'\0'))

    def _certify(self, locality, body, san=None):
        handle, _, fmt, label = struct.unpack('<16sII48s', body[:72])
        node = self._lookup(handle, locality)
        if fmt > 1 or fmt == 0 and not node.allow_x509:
            raise DpeError(3)
        key = self.leaf_key(node, label)
        make = self.csr if fmt else self.certificate
        cert = make(node, key, label, san=san)
        node.handle = self._rolled(node)
        return (node.handle + key.x + key.y + struct.pack('<I', len(cert)) +
                cert.ljust(6144, b'\0'))

    def _do_sign(self, locality, body):
        handle, label, _, digest = struct.unpack('<16s48sI48s', body[:116])
        node = self._lookup(handle, locality)
        if node.simulation:
            raise DpeError(3)
        sig = self._sign(self.leaf_key(node, label), digest)
        node.handle = self._rolled(node)
        return node.handle + sig[0] + sig[1]

    def _rotate(self, locality, body):
        handle, flags = struct.unpack('<16sI', body[:20])
        node = self._lookup(handle, locality)
        if not flags & TARGET_IS_DEFAULT:
            node.handle = self._random_handle()
        elif self._active(locality) == [node] and handle != ZERO_HANDLE:
            node.handle = ZERO_HANDLE
        else:
            raise DpeError(3)
        return node.handle

    def _destroy(self, locality, handle):
        self._destroy_from(self._lookup(handle, locality))
        return b''

    def _destroy_from(self, node):
        doomed = [node]
        for n in doomed:
            doomed += self._children(n)
        up = node.parent
        while up and up.state == 'retired' and len(self._children(up)) == 1:
            doomed.append(up)
            up = up.parent
        for n in doomed:
            n.destroy(self.release >= 2)

    def _cert_chain(self, body):
        offset, size = struct.unpack('<II', body[:8])
        if size > 2048:
            raise DpeError(3)
        if offset >= len(self.chain):
            raise DpeError(0x01000001)
        part = self.chain[offset:offset + size]
        return struct.pack('<I', len(part)) + part.ljust(2048, b'\0')

    # ---- mailbox ----

    def _invoke(self, user, data):
        if len(data) < 12:
            raise MailboxError(DESERIALIZATION_FAILED)
        magic, cmd, profile = struct.unpack('<III', data[:12])
        body = data[12:]
        if magic != 0x44504543 or cmd not in BODY_LEN or \
           len(body) < BODY_LEN[cmd] or cmd != GET_PROFILE and profile != 4:
            raise MailboxError(DESERIALIZATION_FAILED)

        pl0 = self._is_pl0(user)
        if cmd == INITIALIZE_CONTEXT:
            flags, = struct.unpack('<I', body[:4])
            if flags & SIMULATION:
                self._threshold(user)
        elif cmd == DERIVE_CONTEXT:
            handle, data, flags, tci_type, target = \
                struct.unpack('<16s48sIII', body[:76])
            owner = target if self.release >= 3 and \
                flags & CHANGE_LOCALITY else user
            if not flags & RECURSIVE:
                self._threshold(owner)
            if not pl0 and (flags & EXPORT_CDI or flags & CHANGE_LOCALITY and
                            target == self.pl0_pauser):
                raise MailboxError(BAD_PRIVILEGE)
        elif cmd == CERTIFY_KEY:
            if not pl0 and body[20:24] == bytes(4):
                raise MailboxError(BAD_PRIVILEGE)

        status, out = 0, b''
        try:
            if cmd == GET_PROFILE:
                out = self._profile()[12:]
            elif cmd == INITIALIZE_CONTEXT:
                out = self._initialize(user, flags)
            elif cmd == DERIVE_CONTEXT:
                out = self._derive(user, handle, data, flags, tci_type,
                                   target)
            elif cmd == CERTIFY_KEY:
                out = self._certify(user, body)
            elif cmd == SIGN:
                out = self._do_sign(user, body)
            elif cmd == ROTATE_CONTEXT:
                out = self._rotate(user, body)
            elif cmd == DESTROY_CONTEXT:
                out = self._destroy(user, body[:16])
            elif cmd == GET_CERT_CHAIN:
                out = self._cert_chain(body)
        except DpeError as e:
            status, out = e.status, b''
        if cmd == DESTROY_CONTEXT:
            for s in self.slots:
                if not s.used:
                    s.tag = None
        out = struct.pack('<III', 0x44504552, status, 4) + out
        return struct.pack('<I', len(out)) + out

    def _certify_extended(self, user, req):
        if len(req) != 80:
            raise MailboxError(INSUFFICIENT_MEMORY)
        if not self._is_pl0(user):
            raise MailboxError(BAD_PRIVILEGE)
        flags, = struct.unpack('<I', req[4:8])
        san = self.device_info if flags & DMTF_OTHER_NAME else None
        try:
            out = self._certify(user, req[8:], san)
        except DpeError:
            raise MailboxError(CERTIFY_KEY_EXTENDED_FAILED) from None
        return struct.pack('<III', 0x44504552, 0, 4) + out

    def _add_san(self, req):
        if len(req) > 136:
            raise MailboxError(INSUFFICIENT_MEMORY)
        size, = struct.unpack('<I', req.ljust(136, b'\0')[4:8])
        if size > 128:
            raise MailboxError(INVALID_PARAMS)
        info = req.ljust(136, b'\0')[8:8 + size]
        if max(info, default=0) >= 0x80 or info.count(b':') != 2:
            raise MailboxError(BAD_DEVICE_INFO)
        self.device_info = info
        return b''

    def _tag(self, user, req):
        if len(req) != 24:
            raise MailboxError(INSUFFICIENT_MEMORY)
        handle, tag = struct.unpack('<16sI', req[4:])
        if tag in [s.tag for s in self.slots]:
            raise MailboxError(DUPLICATE_TAG)
        try:
            node = self._lookup(handle, user)
        except DpeError:
            raise MailboxError(TAGGING_FAILURE) from None
        if node.tag is not None:
            raise MailboxError(ALREADY_TAGGED)
        node.tag = tag
        return b''

    def _get_tagged(self, req):
        if len(req) != 8:
            raise MailboxError(INSUFFICIENT_MEMORY)
        tag, = struct.unpack('<I', req[4:])
        match = [s for s in self.slots if s.tag == tag]
        if not match:
            raise MailboxError(TAGGING_FAILURE)
        return match[0].cumulative + match[0].current

    def stash(self, user, metadata, measurement):
        """What STASH_MEASUREMENT does; the DPE status."""
        if not self._is_pl0(user):
            raise MailboxError(BAD_PRIVILEGE)
        self._threshold(user)
        flags = MAKE_DEFAULT | CHANGE_LOCALITY | ALLOW_CA | ALLOW_X509
        try:
            self._derive(user, ZERO_HANDLE, measurement, flags,
                         struct.unpack('<I', metadata)[0], user)
        except DpeError as e:
            return e.status
        self.pcr31 = sha384(self.pcr31, measurement)
        return 0

    def _stash(self, user, req):
        if len(req) != 108:
            raise MailboxError(INSUFFICIENT_MEMORY)
        return struct.pack('<I', self.stash(user, req[4:8], req[8:56]))

    def _sign_exported(self, user, req):
        if len(req) != 84:
            raise MailboxError(INVALID_PARAMS)
        if not self._is_pl0(user):
            raise MailboxError(BAD_PRIVILEGE)
        if self.exported_handle is None or \
           req[4:36] != self.exported_handle:
            raise MailboxError(EXPORTED_KEY_FAILED)
        key = self._key(self.exported_cdi, b'Exported ECC', b'Exported ECC')
        sig = self._sign(key, req[36:])
        return key.x + key.y + sig[0] + sig[1]

    def disable_attestation(self):
        """What DISABLE_ATTESTATION does."""
        if self.release >= 2:
            self._draws(4)
            self.rt_cdi = self.exported_cdi = kdf(bytes(48), b'zero_cdi')
        else:
            self._draws(3)
            self.rt_cdi = kdf(bytes(48), b'zero_rt_cdi')
        self.rt_key = Key.from_seed(self.rt_cdi)
        self.attestation_disabled = True
        return b''

    def _revoke(self, user, req):
        if len(req) != 36:
            raise MailboxError(INVALID_PARAMS)
        if not self._is_pl0(user):
            raise MailboxError(BAD_PRIVILEGE)
        if self.exported_handle is None or req[4:] != self.exported_handle:
            raise MailboxError(NOT_EXPORTED)
        self.exported_handle = None
        return b''

    def _reallocate(self, user, req):
        if len(req) != 8:
            raise MailboxError(INSUFFICIENT_MEMORY)
        if not self._is_pl0(user):
            raise MailboxError(BAD_PRIVILEGE)
        limit, = struct.unpack('<I', req[4:])
        for wrong, error in (
                (limit < 2, LIMIT_TOO_SMALL), (limit > 32, LIMIT_TOO_LARGE),
                (limit < self._used()[0], LIMIT_BELOW_PL0),
                (32 - limit < self._used()[1], LIMIT_BELOW_PL1)):
            if wrong:
                raise MailboxError(error)
        self.limits = [limit, 32 - limit]
        return struct.pack('<2I', *self.limits)

    def command(self, user, cmd, req):
        """Serve a mailbox command whose transport has been found in order.

        req: the request with its checksum word
        Returns: the response without checksum and FIPS status, or None if
        the command has failed; non_fatal has the error.
        """
        self.non_fatal = 0
        try:
            if user == 0xFFFFFFFF:
                raise MailboxError(RESERVED_PAUSER)
            if cmd == CMD_INVOKE_DPE:
                if len(req) > 520:
                    raise MailboxError(INSUFFICIENT_MEMORY)
                whole = req.ljust(520, b'\0')
                size, = struct.unpack('<I', whole[4:8])
                if size > 512:
                    raise MailboxError(INVALID_PARAMS)
                return self._invoke(user, whole[8:8 + size])
            if cmd == CMD_CERTIFY_KEY_EXTENDED:
                return self._certify_extended(user, req)
            if cmd == CMD_ADD_SUBJECT_ALT_NAME:
                return self._add_san(req)
            if cmd == CMD_TAG_TCI:
                return self._tag(user, req)
            if cmd == CMD_GET_TAGGED_TCI:
                return self._get_tagged(req)
            if cmd == CMD_STASH_MEASUREMENT:
                return self._stash(user, req)
            if cmd == CMD_SIGN_WITH_EXPORTED_ECDSA:
                return self._sign_exported(user, req)
            if cmd == CMD_DISABLE_ATTESTATION:
                return self.disable_attestation()
            for code, since, serve in (
                    (CMD_REVOKE_EXPORTED, 1, self._revoke),
                    (CMD_REALLOCATE, 3, self._reallocate)):
                if cmd == code and self.release >= since:
                    return serve(user, req)
                if cmd == code:
                    raise MailboxError(UNKNOWN_COMMAND)
            raise ValueError('not a command of DPE: 0x%08x' % cmd)
        except MailboxError as e:
            self.non_fatal = e.code
            return None

    # ---- resets ----

    def _validation_error(self):
        """The number of the first broken rule that commands can break."""
        for s in self.slots:
            if s.state == 'retired' and not self._children(s):
                return 0x10
            if s.locality != s.tci_locality:
                return 0x0F
        for s in self.slots:
            handles = [t.handle for t in self._active(s.locality)]
            if ZERO_HANDLE in handles and handles != [ZERO_HANDLE]:
                return 0x07
        return None

    def _inspect(self, mbox_user):
        error = self._validation_error()
        if error is not None:
            self.disable_attestation()
            self.ext_error = 0x03000000 + error
            self.non_fatal = DPE_VALIDATION_FAILED
            return
        try:
            self._threshold(mbox_user)
        except MailboxError as e:
            self.disable_attestation()
            self.non_fatal = e.code

    def _root(self):
        roots = [s for s in self.slots
                 if s.used and not s.simulation and s.parent is None]
        return roots[0] if roots else None

    def _restart(self, rt_cdi, rt_key, chain):
        self.rt_cdi, self.rt_key, self.chain = rt_cdi, rt_key, chain
        self.device_info = None
        if self.release < 2:
            self.exported_handle = None
        if self.attestation_disabled:
            self.disable_attestation()

    def _stops(self):
        """Is what runtime finds a reason to stop?"""
        for s in self.slots:
            if not s.used and s.tag is not None:
                self.non_fatal = INACTIVE_WITH_TAG if s.tag else \
                    INACTIVE_HAS_TAG
                return True
        if self._root() is None:
            self.non_fatal = NO_ROOT
            return True
        return False

    def update_reset(self, rt_cdi, rt_key, chain, pcr3, mbox_user, pcr2=None,
                     manifest=()):
        """New firmware; False: runtime stops with a fatal error."""
        self._restart(rt_cdi, rt_key, chain)
        self._inspect(mbox_user)
        if self._stops():
            return False
        root = self._root()
        root.current, root.cumulative = \
            pcr2 if self.release >= 4 else pcr3, pcr3
        if self.release >= 4 and not self.attestation_disabled:
            cciv = [s for s in self._children(root)
                    if s.type == 0x43434956 and not s.simulation]
            if not cciv:
                self.non_fatal = NO_CCIV
                return False
            measurement = cciv_measurement(self.locked, manifest)
            if cciv[0].current != measurement:
                cciv[0].extend(measurement)
        return True

    def warm_reset(self, rt_cdi, rt_key, chain, pcr3, mbox_user=0, pcr2=None,
                   manifest=(), busy=False):
        """False: runtime stops with a fatal error.  busy: it was serving a
        command; manifest: of no use here."""
        self._restart(rt_cdi, rt_key, chain)
        self._inspect(mbox_user)
        if self._stops():
            return False
        root = self._root()
        if self.release >= 4 and root.current != pcr2:
            self.disable_attestation()
            self.non_fatal = CURRENT_CHANGED
        elif (root.cumulative if self.release >= 4 else root.current) != pcr3:
            self.disable_attestation()
            self.non_fatal = JOURNEY_CHANGED
        # up to 1.2.1 every warm reset looks as if it had come amid a command
        if busy or self.release < 2:
            self.disable_attestation()
            self.non_fatal = BUSY_DURING_WARM_RESET
        return True


# ---- envelopes ----

def checksum(cmd, data):
    total = sum(struct.pack('<I', cmd)) + sum(data)
    return -total & 0xFFFFFFFF


def request(cmd, data):
    """A request: checksum word and data."""
    return struct.pack('<I', checksum(cmd, data)) + data


def response(data):
    """A response as the mailbox shows it: checksum, FIPS status, data."""
    data = bytes(4) + data
    return struct.pack('<I', checksum(0, data)) + data


def invoke(cmd_id, body=b'', profile=4, magic=0x44504543):
    """The request of INVOKE_DPE_COMMAND for one DPE command."""
    data = struct.pack('<III', magic, cmd_id, profile) + body
    return request(CMD_INVOKE_DPE, struct.pack('<I', len(data)) + data)


def derive(handle=ZERO_HANDLE, data=bytes(48), flags=0, tci_type=0,
           target=0):
    return invoke(DERIVE_CONTEXT, handle + data +
                  struct.pack('<III', flags, tci_type, target))


def certify(handle=ZERO_HANDLE, fmt=0, label=bytes(48), flags=0):
    return invoke(CERTIFY_KEY,
                  handle + struct.pack('<II', flags, fmt) + label)


def certify_extended(handle=ZERO_HANDLE, fmt=0, label=bytes(48), flags=0):
    return request(CMD_CERTIFY_KEY_EXTENDED, struct.pack('<I', flags) +
                   handle + struct.pack('<II', 0, fmt) + label)


def sign(handle=ZERO_HANDLE, label=bytes(48), digest=bytes(48), flags=0):
    return invoke(SIGN, handle + label + struct.pack('<I', flags) + digest)


def rotate(handle=ZERO_HANDLE, flags=0):
    return invoke(ROTATE_CONTEXT, handle + struct.pack('<I', flags))


def destroy(handle=ZERO_HANDLE):
    return invoke(DESTROY_CONTEXT, handle)


def cert_chain(offset, size):
    return invoke(GET_CERT_CHAIN, struct.pack('<II', offset, size))


def initialize(flags):
    return invoke(INITIALIZE_CONTEXT, struct.pack('<I', flags))


def stash(metadata, measurement, context=bytes(48), svn=0):
    return request(CMD_STASH_MEASUREMENT, metadata + measurement + context +
                   struct.pack('<I', svn))


def sign_exported(handle, digest):
    return request(CMD_SIGN_WITH_EXPORTED_ECDSA, handle + digest)


def add_san(info, size=None):
    return request(CMD_ADD_SUBJECT_ALT_NAME,
                   struct.pack('<I', len(info) if size is None else size) +
                   info)


def revoke(handle):
    return request(CMD_REVOKE_EXPORTED, handle)


def reallocate(limit):
    return request(CMD_REALLOCATE, struct.pack('<I', limit))


def tag_tci(handle, tag):
    return request(CMD_TAG_TCI, handle + struct.pack('<I', tag))


def get_tagged_tci(tag):
    return request(CMD_GET_TAGGED_TCI, struct.pack('<I', tag))
