#!/usr/bin/env python3
#
# What a Caliptra 1.2 part's identity must be: an independent recomputation
#
# From fuses, security state and a firmware bundle it computes every key,
# certificate, CSR, PCR and quote.  Point multiplication and AES come from
# python3-cryptography; the rest (HMAC-DRBG, RFC 6979, DER) is written here
# from its specifications and shares nothing with the device model.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Oracle for the identity of a Caliptra part: classes Part and Identity."""

import hashlib
import hmac as hmac_module
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# order of P-384's base point (FIPS 186-4)
N = int('ffffffffffffffffffffffffffffffffffffffffffffffff'
        'c7634d81f4372ddf581a0db248b0a77aecec196accc52973', 16)

DOE_IV = bytes.fromhex('fb10365ba1179741fba193a10f406d7e')

NOT_BEFORE = b'20230101000000Z'
NOT_AFTER = b'99991231235959Z'

MANIFEST_SIZE = 5884

UNPROVISIONED, MANUFACTURING, PRODUCTION = 0, 1, 3


# ---- primitives ----

def sha1(data):
    return hashlib.sha1(data).digest()


def sha256(data):
    return hashlib.sha256(data).digest()


def sha384(data):
    return hashlib.sha384(data).digest()


def hmac(key, message):
    return hmac_module.new(key, message, 'sha384').digest()


def kdf(key, label, context=None):
    message = b'\x00\x00\x00\x01' + label
    if context is not None:
        message += b'\x00' + context
    return hmac(key, message)


def be_words(words):
    return b''.join(struct.pack('>I', w) for w in words)


def le_words(words):
    return b''.join(struct.pack('<I', w) for w in words)


def drbg(entropy, nonce):
    """HMAC_DRBG of SP 800-90A with SHA-384: the first usable scalar."""
    k = bytes(48)
    v = b'\x01' * 48
    for sep in (b'\x00', b'\x01'):
        k = hmac(k, v + sep + entropy + nonce)
        v = hmac(k, v)
    while True:
        v = hmac(k, v)
        if 0 < int.from_bytes(v, 'big') < N:
            return int.from_bytes(v, 'big')
        k = hmac(k, v + b'\x00')
        v = hmac(k, v)


def point(scalar):
    n = ec.derive_private_key(scalar, ec.SECP384R1()) \
          .public_key().public_numbers()
    return n.x, n.y


class Key:
    """A P-384 key pair."""

    def __init__(self, d):
        self.d = d
        x, y = point(d)
        self.x = x.to_bytes(48, 'big')
        self.y = y.to_bytes(48, 'big')
        self.public = b'\x04' + self.x + self.y

    @classmethod
    def generate(cls, seed):
        return cls(drbg(seed, bytes(48)))

    @property
    def private(self):
        return self.d.to_bytes(48, 'big')

    def sign(self, digest):
        """RFC 6979 ECDSA: (r, s)."""
        z = int.from_bytes(digest, 'big') % N
        k = drbg(self.private, z.to_bytes(48, 'big'))
        r = point(k)[0] % N
        s = pow(k, -1, N) * (z + r * self.d) % N
        return r, s

    @property
    def public_key(self):
        """The key for python3-cryptography."""
        return ec.EllipticCurvePublicKey.from_encoded_point(
            ec.SECP384R1(), self.public)

    @property
    def name_serial(self):
        return sha256(self.public).hex().upper().encode()

    @property
    def key_id(self):
        return sha256(self.public)[:20]

    @property
    def cert_serial(self):
        digest = sha256(self.public)[:20]
        return bytes([digest[0] & 0x7f | 4]) + digest[1:]


# ---- DER ----

def tlv(tag, *contents):
    body = b''.join(contents)
    if len(body) < 128:
        length = bytes([len(body)])
    else:
        size = (len(body).bit_length() + 7) // 8
        length = bytes([0x80 + size]) + len(body).to_bytes(size, 'big')
    return bytes([tag]) + length + body


def seq(*contents):
    return tlv(0x30, *contents)


def integer(value, tag=2):
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, 'big'))


def oid(text):
    arcs = [int(a) for a in text.split('.')]
    out = b''
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        part = bytes([arc & 0x7f])
        while arc := arc >> 7:
            part = bytes([arc & 0x7f | 0x80]) + part
        out += part
    return tlv(6, out)


def bits(data, unused=0, tag=3):
    return tlv(tag, bytes([unused]), data)


def octets(data):
    return tlv(4, data)


ECDSA_SHA384 = seq(oid('1.2.840.10045.4.3.3'))


def name(common_name, serial):
    return seq(
        tlv(0x31, seq(oid('2.5.4.3'), tlv(0x0c, common_name))),
        tlv(0x31, seq(oid('2.5.4.5'), tlv(0x13, serial))))


def public_key_info(key):
    return seq(seq(oid('1.2.840.10045.2.1'), oid('1.3.132.0.34')),
               bits(key.public))


def extension(name_oid, value, critical=False):
    return seq(oid(name_oid), tlv(1, b'\xff') if critical else b'',
               octets(value))


def common_extensions(path_len, key_usage, ueid):
    return (
        extension('2.5.29.19', seq(tlv(1, b'\xff'), integer(path_len)), True)
        + extension('2.5.29.15', bits(bytes([key_usage]), 2), True)
        + extension('2.23.133.5.4.4', seq(octets(ueid))))


def fwids(digest):
    return tlv(0xa6, seq(oid('2.16.840.1.101.3.4.2.2'), octets(digest)))


def signed(tbs, key):
    r, s = key.sign(sha384(tbs))
    return seq(tbs, ECDSA_SHA384, bits(seq(integer(r), integer(s))))


def make_csr(common_name, key, ueid, path_len=5, more=b''):
    return signed(
        seq(integer(0), name(common_name, key.name_serial),
            public_key_info(key),
            tlv(0xa0, seq(oid('1.2.840.113549.1.9.14'),
                          tlv(0x31, seq(common_extensions(path_len, 4, ueid)
                                        + more))))),
        key)


def make_cert(issuer_name, issuer, subject_name, subject, dates, extensions,
              authority_key_id):
    return signed(
        seq(tlv(0xa0, integer(2)),
            tlv(2, subject.cert_serial),
            ECDSA_SHA384,
            name(issuer_name, issuer.name_serial),
            seq(tlv(0x18, dates[0]), tlv(0x18, dates[1])),
            name(subject_name, subject.name_serial),
            public_key_info(subject),
            tlv(0xa3, seq(
                extensions,
                extension('2.5.29.14', octets(subject.key_id)),
                extension('2.5.29.35', seq(tlv(0x80, authority_key_id)))))),
        issuer)


CN_IDEVID = b'Caliptra 1.0 IDevID'
CN_LDEVID = b'Caliptra 1.0 LDevID'
CN_FMC = b'Caliptra 1.0 FMC Alias'
CN_RT = b'Caliptra 1.0 Rt Alias'


# ---- a part ----

@dataclass
class Part:
    """A piece of silicon: straps, security state and fuses, in words."""
    obf_key: list = field(default_factory=lambda: [
        0xa0a1a2a3, 0xb0b1b2b3, 0xc0c1c2c3, 0xd0d1d2d3,
        0xe0e1e2e3, 0xf0f1f2f3, 0xa4a5a6a7, 0xb4b5b6b7])
    uds_seed: list = field(default_factory=lambda: [
        0x00010203 + 0x04040404 * i for i in range(12)])
    field_entropy: list = field(default_factory=lambda: [
        0x80818283 + 0x04040404 * i for i in range(8)])
    lifecycle: int = PRODUCTION
    debug_locked: bool = True
    vendor_pk_hash: list = field(default_factory=lambda: [0] * 12)
    owner_pk_hash: list = field(default_factory=lambda: [0] * 12)
    vendor_pk_mask: int = 0
    fmc_svn: int = 0
    runtime_svn: list = field(default_factory=lambda: [0] * 4)
    anti_rollback_disable: bool = False
    idevid_attr: list = field(default_factory=lambda: [0] * 24)
    lms_verify: bool = False
    lms_revocation: int = 0

    @property
    def ueid(self):
        return (bytes([self.idevid_attr[6] & 0xff])
                + le_words(self.idevid_attr[7:11]))

    @property
    def fmc_fuse_svn(self):
        """The SVN that the fuses demand of FMC."""
        return 0 if self.anti_rollback_disable else self.fmc_svn.bit_length()


class Bundle:
    """What the identity takes from a firmware bundle."""

    def __init__(self, data):
        manifest = data[:MANIFEST_SIZE]
        self.digest = sha384(manifest)
        self.owner_keys_hash = sha384(manifest[0x0e44:0x0ed4])
        self.ecc_index, self.lms_index = struct.unpack_from(
            '<II', manifest, 0x0788)
        self.dates = (NOT_BEFORE, NOT_AFTER)
        for at in (0x15dc, 0x1604):
            pair = manifest[at:at + 15], manifest[at + 15:at + 30]
            if all(any(date) for date in pair):
                self.dates = pair
        self.fmc_svn, self.fmc_tci = self._image(data, 0x162c)
        self.rt_svn, self.rt_tci = self._image(data, 0x1694)

    @staticmethod
    def _image(data, toc):
        svn = struct.unpack_from('<I', data, toc + 0x20)[0]
        offset, size = struct.unpack_from('<II', data, toc + 0x30)
        return svn, sha384(data[offset:offset + size])


# ---- a part that has booted ----

class Identity:
    """Keys, certificates and PCRs of a part; starts with a cold boot.

    fmc, rt: n of the releases 1.2.n of FMC and runtime
    """

    def __init__(self, part, bundle=None, measurements=(), fmc=0, rt=0):
        self.part = part
        self.fmc_release = fmc
        self.rt_release = rt
        self.pcrs = [bytes(48)] * 32
        self.attestation_disabled = False
        self._device()
        for measurement in measurements:
            self.extend(31, measurement)
        if bundle is not None:
            self.bundle = Bundle(bundle)
            self.cold = self.bundle
            self.min_rt_svn = self.bundle.rt_svn
            self._measure_fmc()
            self._fmc_alias()
            self._measure_rt()
            self._rt_alias()

    def extend(self, pcr, data):
        self.pcrs[pcr] = sha384(self.pcrs[pcr] + data)

    def _measure(self, current, journey, values):
        self.pcrs[current] = bytes(48)
        for value in values:
            self.extend(current, value)
            self.extend(journey, value)

    def _device(self):
        part = self.part
        secrets = (part.obf_key, part.uds_seed, part.field_entropy)
        if not part.debug_locked:
            secrets = tuple([0xffffffff] * len(s) for s in secrets)
        key, uds, entropy = (be_words(s) for s in secrets)

        def deobfuscate(data):
            aes = Cipher(algorithms.AES(key), modes.CBC(DOE_IV)).decryptor()
            return aes.update(data) + aes.finalize()

        self.idevid_cdi = kdf(deobfuscate(uds), b'idevid_cdi')
        self.idevid = Key.generate(kdf(self.idevid_cdi, b'idevid_keygen'))
        self.idevid_csr = make_csr(CN_IDEVID, self.idevid, part.ueid)

        self.ldevid_cdi = hmac(hmac(self.idevid_cdi, b'ldevid_cdi'),
                               deobfuscate(entropy))
        self.ldevid = Key.generate(kdf(self.ldevid_cdi, b'ldevid_keygen'))
        kind = part.idevid_attr[0] & 3
        if kind == 3:
            key_id = le_words(part.idevid_attr[1:6])
        else:
            key_id = (sha1, sha256, sha384)[kind](self.idevid.public)[:20]
        self.ldevid_cert = make_cert(
            CN_IDEVID, self.idevid, CN_LDEVID, self.ldevid,
            (NOT_BEFORE, NOT_AFTER), common_extensions(4, 4, part.ueid),
            key_id)

    @property
    def _owner_in_fuses(self):
        return any(self.part.owner_pk_hash)

    @property
    def _lms_index(self):
        return self.cold.lms_index & 0xff if self.part.lms_verify else 0xff

    def _measure_fmc(self):
        part = self.part
        status = bytes([
            part.lifecycle, part.debug_locked, part.anti_rollback_disable,
            self.cold.ecc_index & 0xff, self.cold.fmc_svn & 0xff,
            part.fmc_fuse_svn & 0xff, self._lms_index, part.lms_verify,
            self._owner_in_fuses])
        self._measure(0, 1, (status, be_words(part.vendor_pk_hash),
                             self.cold.owner_keys_hash, self.cold.fmc_tci))

    def _fmc_alias(self):
        part, bundle = self.part, self.bundle
        self.fmc_cdi = kdf(self.ldevid_cdi, b'fmc_alias_cdi', self.pcrs[0])
        self.fmc = Key.generate(kdf(self.fmc_cdi, b'fmc_alias_keygen'))
        self.device_info_hash = sha384(bytes([
            part.lifecycle, part.debug_locked, part.anti_rollback_disable,
            bundle.ecc_index & 0xff, self._lms_index, part.lms_verify,
            self._owner_in_fuses])
            + be_words(part.vendor_pk_hash) + bundle.owner_keys_hash)
        flags = bytearray(b'\0\0\0\x01')
        flags[0] |= {UNPROVISIONED: 0x80,
                     MANUFACTURING: 0x40}.get(part.lifecycle, 0)
        flags[0] |= 0 if part.debug_locked else 0x10
        tcb_info = seq(
            seq(integer(0x100 | part.fmc_fuse_svn & 0xff, 0x83),
                fwids(self.device_info_hash), bits(bytes(flags), tag=0x87),
                tlv(0x89, b'DEVICE_INFO'),
                bits(b'\xd0\x00\x00\x01', tag=0x8a)),
            seq(integer(0x100 | bundle.fmc_svn & 0xff, 0x83),
                fwids(bundle.fmc_tci), tlv(0x89, b'FMC_INFO')))
        self.fmc_alias_cert = make_cert(
            CN_LDEVID, self.ldevid, CN_FMC, self.fmc, bundle.dates,
            common_extensions(3, 4, part.ueid)
            + extension('2.23.133.5.4.5', tcb_info), self.ldevid.key_id)
        if self.fmc_release < 3:
            self.fmc_alias_csr = make_csr(CN_FMC, self.fmc, part.ueid)
        else:
            self.fmc_alias_csr = make_csr(
                CN_FMC, self.fmc, part.ueid, 3,
                extension('2.23.133.5.4.5', tcb_info))

    @property
    def _rt_measurements(self):
        """What stands for the runtime."""
        if self.fmc_release < 4:
            return self.bundle.rt_tci, self.bundle.digest
        return (self.bundle.rt_tci,)

    def _measure_rt(self):
        self._measure(2, 3, self._rt_measurements)

    def _rt_alias(self):
        bundle = self.bundle
        self.rt_cdi = kdf(self.fmc_cdi, b'rt_alias_cdi',
                          b''.join(self._rt_measurements))
        self.rt = Key.generate(kdf(self.rt_cdi, b'rt_alias_keygen'))
        tcb_info = seq(integer(0x100 | bundle.rt_svn & 0xff, 0x83),
                       fwids(bundle.rt_tci), tlv(0x89, b'RT_INFO'))
        self.rt_alias_cert = make_cert(
            CN_FMC, self.fmc, CN_RT, self.rt, bundle.dates,
            common_extensions(2, 0x84, self.part.ueid)
            + extension('2.23.133.5.4.1', tcb_info), self.fmc.key_id)
        if self.attestation_disabled:
            self.disable_attestation()

    @property
    def chain(self):
        """The certificates that runtime has, concatenated."""
        return self.ldevid_cert + self.fmc_alias_cert + self.rt_alias_cert

    # ---- what may happen afterwards ----

    def update(self, bundle, rt=None):
        """An update that was accepted; rt: runtime's release, if another."""
        if rt is not None:
            self.rt_release = rt
        self.bundle = Bundle(bundle)
        self.min_rt_svn = min(self.min_rt_svn, self.bundle.rt_svn)
        self._measure_fmc()
        self._measure_rt()
        self._rt_alias()

    def refused_update(self):
        """One that ROM refused: FMC measures the old runtime again."""
        self._measure_rt()

    def warm_reset(self):
        """Up to 1.2.1 runtime disables attestation at each of them."""
        if not self.part.debug_locked:
            self._overwrite_key_vault()
        if self.rt_release < 2:
            self.disable_attestation()

    def _overwrite_key_vault(self):
        """FMC 1.2.4 makes a key of what it finds, for all of its parts."""
        self.fmc_cdi = b'\xaa' * 48
        self.fmc = Key.generate(kdf(self.fmc_cdi, b'fmc_alias_keygen'))
        self._rt_alias()

    def disable_attestation(self):
        """The key of runtime becomes one that every part has."""
        self.attestation_disabled = True
        self.rt = Key.generate(kdf(bytes(48), b'zero_cdi'
                                   if self.rt_release >= 2
                                   else b'zero_rt_cdi'))

    def quote(self, nonce):
        """(digest, r, s) of QUOTE_PCRS."""
        words = [nonce[i:i + 4] for i in range(0, 32, 4)]
        digest = sha384(b''.join(self.pcrs) + b''.join(reversed(words)))
        r, s = self.fmc.sign(digest)
        return digest, r.to_bytes(48, 'big'), s.to_bytes(48, 'big')
