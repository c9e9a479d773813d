#!/usr/bin/env python3
#
# The identity of the modelled Caliptra, end to end through its registers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Keys, certificates, CSRs, PCRs and quotes: known answers, random parts
against the oracle identity_model.py, resets, locks, snapshots."""

import base64
import hashlib
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = os.path.join(HERE, '..', '..', 'scripts', 'caliptra')
sys.path.insert(0, HERE)

from cryptography import x509                               # noqa: E402
from cryptography.hazmat.primitives import hashes           # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: E402

import caliptra_soc as soc                                  # noqa: E402
import identity_model as model                              # noqa: E402
import replay                                               # noqa: E402
from dev_bundle import key_hashes, make_bundle              # noqa: E402
from qtestlib import QTestError                             # noqa: E402

STASH_MEASUREMENT = 0x4d454153
GET_IDEV_CERT = 0x49444543
GET_IDEV_INFO = 0x49444549
GET_IDEV_CSR = 0x49444352
POPULATE_IDEV_CERT = 0x49444550
GET_LDEV_CERT = 0x4c444556
GET_FMC_ALIAS_CERT = 0x43455246
GET_FMC_ALIAS_CSR = 0x464d4352
GET_RT_ALIAS_CERT = 0x43455252
FW_INFO = 0x494e464f
INCREMENT_PCR_RESET_COUNTER = 0x50435252
QUOTE_PCRS = 0x50435251
EXTEND_PCR = 0x50435245
INVOKE_DPE = 0x44504543
DISABLE_ATTESTATION = 0x4453424c
SHUTDOWN = 0x46505344
SELF_TEST_START = 0x46504c54

DPE_COMMAND_MAGIC = 0x44504543
DPE_PROFILE = 4
DPE_GET_CERTIFICATE_CHAIN = 0x10

REVISION_FMC = bytes([0x11] * 20)
REVISION_RT = bytes([0x22] * 20)


def words(data):
    """Big-endian words of a byte string: how fuses hold digests."""
    return list(struct.unpack('>%dI' % (len(data) // 4), data))


def swap_words(data):
    """The bytes of each word reversed: how responses hold hash words."""
    return b''.join(data[i:i + 4][::-1] for i in range(0, len(data), 4))


def provisioned(**kwargs):
    """A part whose fuses fit the bundles made here."""
    vendor, owner = key_hashes()
    args = {'vendor_pk_hash': words(vendor), 'owner_pk_hash': words(owner)}
    args.update(kwargs)
    return model.Part(**args)


def fuses(part):
    """Register offsets and words of a part's fuses."""
    return {
        0x200: part.uds_seed,
        0x230: part.field_entropy,
        0x250: part.vendor_pk_hash,
        0x280: part.vendor_pk_mask,
        0x284: part.owner_pk_hash,
        0x2b4: part.fmc_svn,
        0x2b8: part.runtime_svn,
        0x2c8: int(part.anti_rollback_disable),
        0x2cc: part.idevid_attr,
        0x340: int(part.lms_verify),
        0x344: part.lms_revocation,
    }


def power_on(dev, part, csr=False):
    dev.power_on(part.obf_key, part.lifecycle, part.debug_locked)
    dev.start(fuses(part), soc.GENERATE_IDEVID_CSR if csr else 0)


def cold_boot(dev, part, bundle, measurements=(), csr=False):
    """From power off to runtime; the CSR, if asked for."""
    power_on(dev, part, csr)
    der = dev.take_csr() if csr else None
    dev.wait_ready_for_fw()
    for measurement in measurements:
        stash(dev, measurement)
    dev.load_firmware(bundle)
    dev.wait_ready_for_runtime()
    return der


def wait_update(dev):
    """Until runtime serves commands again."""
    dev.command(FW_INFO)


def update(dev, bundle):
    dev.load_firmware(bundle)
    wait_update(dev)


def stash(dev, measurement):
    rsp = dev.command(STASH_MEASUREMENT,
                      b'tagM' + measurement + bytes(48) + bytes(4))
    assert rsp == bytes(4)


def counted(rsp):
    """The bytes of a response that starts with their number."""
    return rsp[4:4 + struct.unpack_from('<I', rsp)[0]]


def get(dev, command):
    return counted(dev.command(command))


def quote(dev, nonce):
    """QUOTE_PCRS: (pcrs, digest, reset counters, r, s)"""
    rsp = dev.command(QUOTE_PCRS, nonce)
    assert len(rsp) == 1840 and rsp[1536:1568] == nonce
    return ([rsp[48 * i:48 * i + 48] for i in range(32)], rsp[1568:1616],
            struct.unpack_from('<32I', rsp, 1616), rsp[1744:1792],
            rsp[1792:])


def certificate_chain(dev):
    """What DPE's GetCertificateChain hands out, in pieces."""
    chain = b''
    while True:
        request = struct.pack('<5I', DPE_COMMAND_MAGIC,
                              DPE_GET_CERTIFICATE_CHAIN, DPE_PROFILE,
                              len(chain), 2048)
        rsp = counted(dev.command(INVOKE_DPE,
                                  struct.pack('<I', len(request)) + request))
        if struct.unpack_from('<I', rsp, 4)[0]:
            return chain
        size = struct.unpack_from('<I', rsp, 12)[0]
        chain += rsp[16:16 + size]


class IdentityTest(unittest.TestCase):
    maxDiff = None

    def assert_identity(self, dev, want, what=''):
        """The device is what the oracle says, byte for byte."""
        equal = self.assertEqual
        equal(get(dev, GET_LDEV_CERT), want.ldevid_cert, what)
        equal(get(dev, GET_FMC_ALIAS_CERT), want.fmc_alias_cert, what)
        equal(get(dev, GET_FMC_ALIAS_CSR), want.fmc_alias_csr, what)
        equal(get(dev, GET_RT_ALIAS_CERT), want.rt_alias_cert, what)
        equal(dev.command(GET_IDEV_INFO), want.idevid.x + want.idevid.y,
              what)
        equal(certificate_chain(dev), want.chain, what)
        self.assert_pcrs(dev, want, what=what)

    def assert_pcrs(self, dev, want, nonce=bytes(range(32)), what=''):
        pcrs, digest, _, r, s = quote(dev, nonce)
        self.assertEqual(pcrs, want.pcrs, what)
        self.assertEqual((digest, r, s), want.quote(nonce), what)
        want.fmc.public_key.verify(
            model.seq(model.integer(int.from_bytes(r, 'big')),
                      model.integer(int.from_bytes(s, 'big'))), digest,
            ec.ECDSA(utils.Prehashed(hashes.SHA384())))

    def assert_refused(self, code, function, *args):
        with self.assertRaises(soc.CommandFailed) as caught:
            function(*args)
        self.assertEqual(hex(caught.exception.non_fatal), hex(code))


# ---- certificates as others see them ----

def openssl(*args):
    return subprocess.run(('openssl',) + args, capture_output=True,
                          text=True, check=False)


def pem(der, label='CERTIFICATE'):
    return '-----BEGIN %s-----\n%s-----END %s-----\n' % (
        label, base64.encodebytes(der).decode(), label)


class Authority:
    """A manufacturer's CA, which certifies IDevID keys."""

    NAME = (b'Test Root', b'0' * 64)

    def __init__(self):
        self.key = model.Key(0x1234567890abcdef << 200 | 99)
        self.cert = self._certify(self.key, self.NAME, 6,
                                  self.key.key_id)

    def _certify(self, subject, name, path_len, key_id):
        return model.signed(
            model.seq(
                model.tlv(0xa0, model.integer(2)), model.integer(4711),
                model.ECDSA_SHA384, model.name(*self.NAME),
                model.seq(model.tlv(0x18, model.NOT_BEFORE),
                          model.tlv(0x18, model.NOT_AFTER)),
                model.name(*name), model.public_key_info(subject),
                model.tlv(0xa3, model.seq(
                    model.extension('2.5.29.19', model.seq(
                        model.tlv(1, b'\xff'), model.integer(path_len)),
                        True),
                    model.extension('2.5.29.15',
                                    model.bits(b'\x04', 2), True),
                    model.extension('2.5.29.14', model.octets(key_id)),
                    model.extension('2.5.29.35', model.seq(
                        model.tlv(0x80, self.key.key_id)))))),
            self.key)

    def idevid_cert(self, identity, key_id):
        return self._certify(identity.idevid,
                             (model.CN_IDEVID, identity.idevid.name_serial),
                             5, key_id)


def verify_path(test, certs):
    """Each certificate against the next: signature, names, key ids."""
    loaded = [x509.load_der_x509_certificate(c) for c in certs]
    for cert, issuer in zip(loaded, loaded[1:]):
        issuer.public_key().verify(cert.signature,
                                   cert.tbs_certificate_bytes,
                                   ec.ECDSA(hashes.SHA384()))
        test.assertEqual(cert.issuer, issuer.subject)
        aki = cert.extensions.get_extension_for_class(
            x509.AuthorityKeyIdentifier).value.key_identifier
        ski = issuer.extensions.get_extension_for_class(
            x509.SubjectKeyIdentifier).value.digest
        test.assertEqual(aki, ski)
        test.assertTrue(cert.extensions.get_extension_for_class(
            x509.BasicConstraints).value.ca)


class TempDir(IdentityTest):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='identity-')
        self.addCleanup(shutil.rmtree, self.dir)

    def file(self, name, data):
        path = os.path.join(self.dir, name)
        with open(path, 'wb' if isinstance(data, bytes) else 'w') as f:
            f.write(data)
        return path

    def openssl_verify(self, root, untrusted, leaf):
        result = openssl('verify', '-x509_strict', '-CAfile',
                         self.file('root.pem', pem(root)), '-untrusted',
                         self.file('chain.pem',
                                   ''.join(pem(c) for c in untrusted)),
                         self.file('leaf.pem', pem(leaf)))
        self.assertEqual(result.returncode, 0, result.stderr)

    def openssl_req(self, csr):
        result = openssl('req', '-verify', '-noout', '-inform', 'DER', '-in',
                         self.file('csr.der', csr))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn('verify OK', result.stderr + result.stdout)


# ---- the tests ----

class TestKnownAnswers(TempDir):
    """Inputs and answers that neither the model nor the oracle made up:
    caliptra-sw test/tests/caliptra_integration_tests/smoke_testdata, and the
    chain that was computed for the development keys."""

    CERTS = {   # length, SHA-256
        'idevid_csr': (443, 'dd5289162dcb5d95c4755a0086410afc'
                            'c5f8492d7f0ba2588506f1bc1b1b3b79'),
        'ldevid_cert': (675, '2358a907ed88c9de0cd08b87d9174435'
                             '296c2ae17e187bb3243238234b2dfc96'),
        'fmc_alias_cert': (876, '99f6c85d4a8e48ca78a1a25f58b2758c'
                                'c9f9de70f3c3f218c4b81e6ae4cb85ff'),
        'fmc_alias_csr': (447, '4c86a3f0a6f98d7932d2daaf819fa51c'
                               '7dceaa46144aff9eb45d24e2cd0213c6'),
        'rt_alias_cert': (772, '40f4a57937b9c5699496bf7d04596cfa'
                               'b8ee9fa763b6113c2075a48c36165872'),
    }
    PCR0 = ('bf7a6cd09623aa548653a30b462436d7812d50ee98afaa57'
            '9a2cdb162bb3af4c43f85e29bddb30af2310cf4981a6be20')
    MANIFEST = ('9fc96f9b086352122d78e3f7931515eca833749075da1a84'
                'fd4a5f6badf70ab98bda84af267794089e70d9dfab179843')
    IDEVID_DEBUG_X = ('91ab08476490591e788e54f9d99379a514b64e98ce11873c'
                      '0ce0898faf3ca2a24d50db397b4d9b8683ae0944fbf2b4c9')
    LDEVID_DEBUG_X = ('504d38ca45d997901f48ba333a149a2fb2668b973aac64d3'
                      'b79ecc09a663f02ed2faba133f5fa499677aeb7687c99b25')

    def test_chain(self):
        part = provisioned(lms_verify=True)
        bundle = make_bundle()
        self.assertEqual(hashlib.sha384(bundle[:5884]).hexdigest(),
                         self.MANIFEST)
        with soc.CaliptraSoc() as dev:
            got = {'idevid_csr': cold_boot(dev, part, bundle, csr=True)}
            self.assertEqual(get(dev, GET_IDEV_CSR), got['idevid_csr'])
            got['ldevid_cert'] = get(dev, GET_LDEV_CERT)
            got['fmc_alias_cert'] = get(dev, GET_FMC_ALIAS_CERT)
            got['fmc_alias_csr'] = get(dev, GET_FMC_ALIAS_CSR)
            got['rt_alias_cert'] = get(dev, GET_RT_ALIAS_CERT)
            self.assertEqual(
                {name: (len(der), hashlib.sha256(der).hexdigest())
                 for name, der in got.items()}, self.CERTS)
            self.assertEqual(quote(dev, bytes(32))[0][0].hex(), self.PCR0)

    def test_oracle(self):
        """The oracle too gives these answers."""
        got = model.Identity(provisioned(lms_verify=True), make_bundle())
        self.assertEqual(
            {name: (len(getattr(got, name)),
                    hashlib.sha256(getattr(got, name)).hexdigest())
             for name in self.CERTS}, self.CERTS)
        self.assertEqual(got.pcrs[0].hex(), self.PCR0)

    # of FMC 1.2.3 and 1.2.4: the same chain, as far as it differs
    FMC_CSR = (652, '95b590f4a776ba7f0d8350c42dc52de0'
                    '04a0fa421682826b195e58a23c3f5c8e')
    PCR3 = {
        3: '52200371473527d3adaec50f65390e7ac36262fd3b91c6dc'
           '04bde87219c6ab178577f3fa989978650b51ca476951e567',
        4: 'dca00a7347c3c041ad0f814bd2ddaf1926cbc87b80bb1cd2'
           '7f99b0499a12bd7d37f210ab79ffb029e189a84d0566906c',
    }
    RT_CDI = ('0dcbf6e61480496896212769160d6d4497ddcb6475895d84'
              'f3d5d2b35e6f7f7ce779f2e810e0d681ce50baccbd041941')
    RT_KEY = ('51703eed356bdbf1279dac1efbffe2ae4c61c321717e90ce'
              '986cd838f3b840a9373b853fec43cc91f77e903166ff086e')
    RT_CERT = (771, 'af44b6535b9acc270c5002dbec4fb264'
                    '6537ae22058cc91d1f7bc605972ec47e')

    def test_later_fmc(self):
        """Oracle and device, with the bundle as it is."""
        part, bundle = provisioned(lms_verify=True), make_bundle()
        for fmc in (3, 4, 5):
            want = model.Identity(part, bundle, (), fmc, 4)
            pcr3 = self.PCR3[min(fmc, 4)]
            self.assertEqual([pcr.hex() for pcr in want.pcrs[2:4]],
                             [pcr3] * 2)
            got = {'csr': want.fmc_alias_csr, 'rt': want.rt_alias_cert}
            if fmc == 4:
                self.assertEqual((want.rt_cdi.hex(), want.rt.private.hex()),
                                 (self.RT_CDI, self.RT_KEY))
                with soc.CaliptraSoc(
                        machine_options=',caliptra-fmc-release=1.2.4,'
                        'caliptra-rt-release=1.2.4') as dev:
                    cold_boot(dev, part, bundle)
                    got = {'csr': get(dev, GET_FMC_ALIAS_CSR),
                           'rt': get(dev, GET_RT_ALIAS_CERT)}
                    self.assertEqual(quote(dev, bytes(32))[0][3].hex(), pcr3)
            if fmc >= 4:
                self.assertEqual((len(got['rt']), hashlib.sha256(
                    got['rt']).hexdigest()), self.RT_CERT)
            self.assertEqual((len(got['csr']), hashlib.sha256(
                got['csr']).hexdigest()), self.FMC_CSR)

    def test_debug_unlocked(self):
        """Unlocked parts all have the same well-known identity."""
        with soc.CaliptraSoc() as dev:
            cold_boot(dev, provisioned(debug_locked=False), make_bundle())
            self.assertEqual(dev.command(GET_IDEV_INFO)[:48].hex(),
                             self.IDEVID_DEBUG_X)
            cert = x509.load_der_x509_certificate(get(dev, GET_LDEV_CERT))
            self.assertEqual(
                cert.public_key().public_numbers().x,
                int(self.LDEVID_DEBUG_X, 16))


class RandomPart:
    """A part, its bundle, and what it measures before the load."""

    def __init__(self, rng):
        def rand_words(n):
            return [rng.getrandbits(32) for _ in range(n)]

        ecc, lms = rng.randrange(4), rng.randrange(32)
        lifecycle = rng.choice([model.UNPROVISIONED, model.MANUFACTURING,
                                model.PRODUCTION, model.PRODUCTION])
        fmc_fuse = rng.randrange(33)
        rt_fuse = rng.randrange(129)
        rollback = rng.random() < 0.3
        vendor, owner = (words(h) for h in key_hashes())
        unchecked = rollback or lifecycle == model.UNPROVISIONED
        self.part = model.Part(
            obf_key=rand_words(8), uds_seed=rand_words(12),
            field_entropy=rand_words(8), lifecycle=lifecycle,
            debug_locked=rng.random() < 0.7,
            vendor_pk_hash=([0] * 12 if lifecycle == model.UNPROVISIONED
                            and rng.random() < 0.5 else vendor),
            owner_pk_hash=owner if rng.random() < 0.6 else [0] * 12,
            # index 3 cannot be revoked
            vendor_pk_mask=rng.getrandbits(4) & ~(1 << ecc),
            lms_revocation=rng.getrandbits(32) & ~(1 << lms),
            # gaps do not matter, the highest bit does
            fmc_svn=(1 << fmc_fuse >> 1) |
            rng.getrandbits(32) % max(1, 1 << fmc_fuse >> 1),
            runtime_svn=[((1 << rt_fuse >> 1) >> 32 * i) & 0xffffffff
                         for i in range(4)],
            anti_rollback_disable=rollback,
            idevid_attr=rand_words(24), lms_verify=rng.random() < 0.5)
        self.ecc, self.lms = ecc, lms
        self.unchecked = unchecked
        self.rng = rng
        self.fmc = rng.randbytes(4 * rng.randrange(1, 200))
        self.fmc_svn = self._svn(fmc_fuse, 32)
        self.rt_fuse = rt_fuse
        self.measurements = [rng.randbytes(48)
                             for _ in range(rng.randrange(9))]

    def _svn(self, fuse, limit):
        if self.unchecked and self.rng.random() < 0.5:
            return self.rng.getrandbits(32)
        return self.rng.randrange(fuse, limit + 1)

    def _dates(self):
        if self.rng.random() < 0.5:
            return None
        return (b'20240102030405Z', b'%d0607080910Z' %
                self.rng.randrange(2030, 9999))

    def bundle(self, release=None):
        """One of the bundles that the part takes, as an update too."""
        rng = self.rng
        return make_bundle(
            release=release,
            fmc=self.fmc, fmc_svn=self.fmc_svn,
            fmc_version=rng.getrandbits(16),
            rt=rng.randbytes(4 * rng.randrange(1, 500)),
            rt_svn=self._svn(self.rt_fuse, 128),
            rt_version=rng.getrandbits(32),
            ecc_index=self.ecc, lms_index=self.lms,
            vendor_dates=self._dates(), owner_dates=self._dates(),
            pl0_pauser=rng.choice([None, 1, soc.DEFAULT_PAUSER]))


class TestRandomParts(TempDir):
    """The device against the oracle; the sets are spread over the releases."""

    SETS = 24

    def test_random_parts(self):
        rng = random.Random('Caliptra')
        ca = Authority()
        with soc.CaliptraSoc(seed=2) as dev:
            for i in range(self.SETS):
                with self.subTest(set=i):
                    self.check_part(dev, RandomPart(rng), ca, rng, i % 6)

    def check_part(self, dev, r, ca, rng, release):
        name = '1.2.%d' % release
        bundle = r.bundle(name)
        want = model.Identity(r.part, bundle, r.measurements, release,
                              release)
        csr = cold_boot(dev, r.part, bundle, r.measurements, csr=True)
        self.assertEqual(csr, want.idevid_csr)
        self.assert_identity(dev, want, 'cold boot')

        # as others see it
        kind = r.part.idevid_attr[0] & 3
        ldevid = x509.load_der_x509_certificate(want.ldevid_cert)
        key_id = ldevid.extensions.get_extension_for_class(
            x509.AuthorityKeyIdentifier).value.key_identifier
        if kind == 0:
            self.assertEqual(
                key_id, hashlib.sha1(want.idevid.public).digest())
        idevid_cert = ca.idevid_cert(want, key_id)
        chain = [get(dev, c) for c in (GET_RT_ALIAS_CERT,
                                       GET_FMC_ALIAS_CERT, GET_LDEV_CERT)]
        verify_path(self, chain + [idevid_cert, ca.cert])
        self.openssl_verify(ca.cert, chain[1:] + [idevid_cert], chain[0])
        self.openssl_req(csr)
        self.openssl_req(want.fmc_alias_csr)

        # PCRs that anybody may extend
        for _ in range(3):
            pcr, data = rng.randrange(4, 32), rng.randbytes(48)
            dev.command(EXTEND_PCR, struct.pack('<I', pcr) + data)
            want.extend(pcr, data)
        self.assert_pcrs(dev, want, rng.randbytes(32))

        # a new runtime
        new = r.bundle(name)
        want.update(new)
        update(dev, new)
        self.assert_identity(dev, want, 'update')


class TestCommands(TempDir):
    """The commands' own rules."""

    def setUp(self):
        super().setUp()
        self.part = provisioned(idevid_attr=[1] + [0] * 23)
        self.bundle = make_bundle(pl0_pauser=soc.DEFAULT_PAUSER)
        self.want = model.Identity(self.part, self.bundle)
        self.dev = soc.CaliptraSoc()
        self.addCleanup(self.dev.close)
        cold_boot(self.dev, self.part, self.bundle)

    def test_no_csr(self):
        self.assert_refused(0x000e0051, self.dev.command, GET_IDEV_CSR)

    def test_idevid_certificate(self):
        ca = Authority()
        cert = ca.idevid_cert(self.want, self.want.idevid.key_id)
        loaded = x509.load_der_x509_certificate(cert)
        tbs = loaded.tbs_certificate_bytes
        r, s = utils.decode_dss_signature(loaded.signature)
        request = (struct.pack('<I', len(tbs)) + r.to_bytes(48, 'big') +
                   s.to_bytes(48, 'big') + tbs)
        self.assertEqual(counted(self.dev.command(GET_IDEV_CERT, request)),
                         cert)
        # in front of the chain, at every call
        chain = self.want.chain
        for _ in range(2):
            self.dev.command(POPULATE_IDEV_CERT,
                             struct.pack('<I', len(cert)) + cert)
            chain = cert + chain
            self.assertEqual(certificate_chain(self.dev), chain)
        full = bytes(1024)
        self.assert_refused(0x000e001c, self.dev.command, POPULATE_IDEV_CERT,
                            struct.pack('<I', 1024) + full)
        self.assertEqual(certificate_chain(self.dev), chain)
        # and gone with the next runtime
        update(self.dev, self.bundle)
        self.assertEqual(certificate_chain(self.dev), self.want.chain)

    def test_idevid_certificate_limits(self):
        def request(size, scalar, claimed=None):
            return (struct.pack('<I', size if claimed is None else claimed) +
                    2 * scalar + bytes(size))

        big, small = b'\xff' * 48, b'\x7f' * 48
        for size, scalar, fits in ((901, big, True), (902, big, False),
                                   (903, small, True), (904, small, False),
                                   (916, bytes(48), True)):
            with self.subTest(size=size):
                if fits:
                    rsp = self.dev.command(GET_IDEV_CERT,
                                           request(size, scalar))
                    self.assertEqual(counted(rsp)[:2], b'\x30\x82')
                else:
                    self.assert_refused(0x000e000f, self.dev.command,
                                        GET_IDEV_CERT, request(size, scalar))
        self.assert_refused(0x000e0009, self.dev.command, GET_IDEV_CERT,
                            request(100, big, 917))

    def test_populate_needs_pl0(self):
        update(self.dev, make_bundle(pl0_pauser=None))
        self.assert_refused(0x000e0016, self.dev.command,
                            POPULATE_IDEV_CERT, struct.pack('<I', 0))

    def test_extend_pcr(self):
        for pcr, code in ((0, 0x000e003c), (3, 0x000e003c),
                          (32, 0x000e003d), (255, 0x000e003d),
                          (256, 0x000e0009)):
            self.assert_refused(code, self.dev.command, EXTEND_PCR,
                                struct.pack('<I', pcr) + bytes(48))
        for pcr in (4, 30, 31):
            self.dev.command(EXTEND_PCR,
                             struct.pack('<I', pcr) + b'\xa5' * 48)
            self.want.extend(pcr, b'\xa5' * 48)
        self.assert_pcrs(self.dev, self.want)

    def test_reset_counters(self):
        for pcr, times in ((0, 1), (7, 3), (31, 2)):
            for _ in range(times):
                self.dev.command(INCREMENT_PCR_RESET_COUNTER,
                                 struct.pack('<I', pcr))
        self.assert_refused(0x000e0009, self.dev.command,
                            INCREMENT_PCR_RESET_COUNTER,
                            struct.pack('<I', 32))
        want = [0] * 32
        want[0], want[7], want[31] = 1, 3, 2
        self.assertEqual(list(quote(self.dev, bytes(32))[2]), want)
        update(self.dev, self.bundle)
        self.assertEqual(list(quote(self.dev, bytes(32))[2]), want)

    def test_fw_info(self):
        rsp = self.dev.command(FW_INFO)
        self.assertEqual(len(rsp), 256)
        self.assertEqual(struct.unpack_from('<5I', rsp),
                         (soc.DEFAULT_PAUSER, 0, 0, 0, 0))
        self.assertEqual(rsp[0x28:0x50], REVISION_FMC + REVISION_RT)
        for at, digest in ((0x70, self.want.bundle.fmc_tci),
                           (0xa0, self.want.bundle.rt_tci),
                           (0xd0, self.want.bundle.owner_keys_hash)):
            self.assertEqual(rsp[at:at + 48], swap_words(digest))

    def test_disable_attestation(self):
        self.dev.command(DISABLE_ATTESTATION)
        self.want.disable_attestation()
        self.assertEqual(self.dev.command(FW_INFO)[16], 1)
        # certificates and quotes stay as they were
        self.assert_identity(self.dev, self.want)
        update(self.dev, self.bundle)
        self.assertEqual(self.dev.command(FW_INFO)[16], 1)
        cold_boot(self.dev, self.part, self.bundle)
        self.assertEqual(self.dev.command(FW_INFO)[16], 0)

    def test_draws(self):
        """One draw of external random words for each use that firmware
        makes of them."""
        # CFI 3, KAT 3, IDevID 4, LDevID 6, FMC alias 5, FMC 9, runtime 3
        self.assertEqual(self.dev.draws, 3 + 3 + 4 + 6 + 5 + 9 + 3)
        before = self.dev.draws
        quote(self.dev, bytes(32))
        self.assertEqual(self.dev.draws - before, 1)
        before = self.dev.draws
        self.dev.command(DISABLE_ATTESTATION)
        self.assertEqual(self.dev.draws - before, 3)


class TestResets(IdentityTest):
    """Warm and update reset: what is kept, measured again, refused."""

    def setUp(self):
        self.part = provisioned(fmc_svn=1, runtime_svn=[1, 0, 0, 0])
        self.old = make_bundle(fmc_svn=3, rt_svn=9)
        self.want = model.Identity(self.part, self.old)
        self.dev = soc.CaliptraSoc()
        self.addCleanup(self.dev.close)
        cold_boot(self.dev, self.part, self.old)

    def svns(self):
        """FW_INFO: runtime, lowest runtime, FMC"""
        return struct.unpack_from('<3I', self.dev.command(FW_INFO), 4)

    def test_update(self):
        self.assertEqual(self.svns(), (9, 9, 3))
        for svn, lowest in ((5, 5), (12, 5), (4, 4)):
            new = make_bundle(fmc_svn=3, rt_svn=svn, rt=bytes([svn]) * 80,
                              rt_version=svn)
            update(self.dev, new)
            self.want.update(new)
            self.assertEqual(self.svns(), (svn, lowest, 3))
            self.assertEqual(self.want.min_rt_svn, lowest)
            self.assert_identity(self.dev, self.want)
            self.assertEqual(self.dev.read32(soc.FW_REV_ID + 4), svn)

    def test_update_keeps_fmc(self):
        """Same FMC bytes, but another SVN in the TOC: cold boot's counts."""
        new = make_bundle(fmc_svn=5, rt_svn=9)
        update(self.dev, new)
        self.want.update(new)
        self.assertEqual(self.svns(), (9, 9, 3))
        self.assert_identity(self.dev, self.want)

    def refused(self, bundle, code):
        self.assert_refused(code, self.dev.load_firmware, bundle)
        wait_update(self.dev)

    def test_refused_update(self):
        other_fmc = make_bundle(fmc=b'other fmc...', fmc_svn=3, rt_svn=9)
        broken = bytearray(make_bundle(fmc_svn=3, rt_svn=9))
        broken[-1] ^= 1
        other_key = make_bundle(fmc_svn=3, rt_svn=9, ecc_index=1)
        for bundle, code in ((other_fmc, 0x000b001f),
                             (bytes(broken), 0x000b0016),
                             (other_key, 0x000b001e),
                             (b'junk', 0x000b0001)):
            self.refused(bundle, code)
            self.want.refused_update()
            self.assert_identity(self.dev, self.want, hex(code))
        # a good one heals everything
        new = make_bundle(fmc_svn=3, rt_svn=9, rt=b'new runtime ')
        update(self.dev, new)
        self.want.update(new)
        self.assert_identity(self.dev, self.want)

    def test_log_exhausted(self):
        """PCR log: six entries after the boot, two for each refused
        update, seventeen fit."""
        for _ in range(5):
            self.refused(b'junk', 0x000b0001)
            self.want.refused_update()
        self.assert_pcrs(self.dev, self.want)
        with self.assertRaises(soc.CommandFailed):
            self.dev.load_firmware(b'junk')
        self.assertEqual(self.dev.wait_fatal(), 0x000f000a)

    def test_success_resets_the_log(self):
        for _ in range(4):
            self.refused(b'junk', 0x000b0001)
            self.want.refused_update()
        update(self.dev, self.old)
        self.want.update(self.old)
        for _ in range(5):
            self.refused(b'junk', 0x000b0001)
            self.want.refused_update()
        self.assert_pcrs(self.dev, self.want)

    def test_warm_reset(self):
        new = make_bundle(fmc_svn=3, rt_svn=4, rt=b'new runtime ')
        update(self.dev, new)
        self.want.update(new)
        rev = self.dev.read32(soc.FW_REV_ID)
        self.dev.warm_reset()
        self.dev.wait_ready_for_runtime()
        self.want.warm_reset()
        # this release takes an idle mailbox for a command cut short
        self.dev.run_until(soc.FW_ERROR_NON_FATAL, 0xffffffff, 0x000e002b)
        self.assertEqual(self.dev.reads32([soc.FW_REV_ID,
                                           soc.FW_REV_ID + 4]),
                         [rev & 0xffff, 0])
        self.assertEqual(self.svns(), (4, 4, 3))
        self.assertEqual(self.dev.command(FW_INFO)[16], 1)
        self.assert_identity(self.dev, self.want)
        # it stays so over an update
        update(self.dev, self.old)
        self.want.update(self.old)
        self.assertEqual(self.dev.command(FW_INFO)[16], 1)
        self.assert_identity(self.dev, self.want)

    def test_warm_reset_after_refused_update(self):
        self.refused(b'junk', 0x000b0001)
        self.dev.warm_reset()
        self.assertEqual(self.dev.wait_fatal(), 0x01040011)

    def test_warm_reset_in_cold_boot(self):
        power_on(self.dev, self.part)
        self.dev.wait_ready_for_fw()
        self.dev.warm_reset()
        self.assertEqual(self.dev.wait_fatal(), 0x01040010)

    def test_warm_reset_debug_unlocked(self):
        """The flush leaves FMC with another key than its certificate's."""
        part = provisioned(debug_locked=False)
        cold_boot(self.dev, part, self.old)
        self.dev.warm_reset()
        self.assertEqual(self.dev.wait_fatal(), 0x01040055)

    def test_fatal_then_warm_reset(self):
        """After a fatal error the flush has taken FMC's keys."""
        self.dev.command(DISABLE_ATTESTATION)
        self.dev.write32(soc.FW_ERROR_FATAL, 1)
        self.dev.write32(soc.FW_ERROR_FATAL, 0)
        self.dev.warm_reset()
        self.assertEqual(self.dev.wait_fatal(), 0x01040055)

    def test_power_cycle_heals(self):
        self.refused(b'junk', 0x000b0001)
        cold_boot(self.dev, self.part, self.old)
        self.assert_identity(self.dev, model.Identity(self.part, self.old))


class TestRomCommands(IdentityTest):
    """What ROM itself serves of the identity."""

    def setUp(self):
        self.part = provisioned()
        self.want = model.Identity(self.part)
        self.dev = soc.CaliptraSoc()
        self.addCleanup(self.dev.close)

    def test_csr(self):
        power_on(self.dev, self.part, csr=True)
        self.assertEqual(self.dev.take_csr(), self.want.idevid_csr)
        self.dev.wait_ready_for_fw()
        rsp = self.dev.command(GET_IDEV_CSR)
        self.assertEqual(len(rsp), 4 + 512)
        self.assertEqual(counted(rsp), self.want.idevid_csr)
        self.assertEqual(rsp[4 + len(self.want.idevid_csr):],
                         bytes(512 - len(self.want.idevid_csr)))

    def test_no_csr_is_fatal(self):
        power_on(self.dev, self.part)
        self.dev.wait_ready_for_fw()
        with self.assertRaises(soc.CommandFailed) as caught:
            self.dev.command(GET_IDEV_CSR)
        self.assertEqual(caught.exception.fatal, 0x0102000a)

    def test_stash(self):
        power_on(self.dev, self.part)
        self.dev.wait_ready_for_fw()
        for i in range(8):
            stash(self.dev, bytes([i]) * 48)
        with self.assertRaises(soc.CommandFailed):
            stash(self.dev, bytes(48))
        self.assertEqual(self.dev.wait_fatal(), 0x01020008)


class Internal:
    """The microcontroller's own bus, while its firmware waits for work."""

    DOE, ECC, HMAC = 0x10000000, 0x10008000, 0x10010000
    KV, PV, DV, SHA512 = 0x10018000, 0x1001a000, 0x1001c000, 0x10020000

    LOCK_WR, LOCK_USE, CLEAR = 1, 2, 4
    KV_READ_FAIL, KV_WRITE_FAIL = 1, 2

    def __init__(self, dev):
        self.dev = dev

    def read(self, addr):
        return self.dev.read32(replay.BUS + addr)

    def write(self, addr, data):
        self.dev.write32(replay.BUS + addr, data)

    def array(self, addr, n=12):
        return self.dev.reads32([replay.BUS + addr + 4 * i for i in range(n)])

    def write_array(self, addr, data):
        self.dev.writes32([(replay.BUS + addr + 4 * i, word)
                           for i, word in enumerate(data)])

    def key_ctrl(self, slot):
        return self.read(self.KV + 4 * slot)

    def ready(self, status):
        """Poll a status register's READY; the register."""
        for _ in range(10000):
            word = self.read(status)
            if word & 1:
                return word
            self.dev.clock_step(1000)
        raise QTestError('engine at 0x%x stays busy' % status)

    def load(self, ctrl, slot):
        """Have a vault client read a slot; its ERROR field."""
        self.write(ctrl, slot << 1 | 1)
        return self.ready(ctrl + 4) >> 2 & 0xff

    def hmac_to_slot(self, slot):
        """HMAC of zeros under a zero key into a slot; the ERROR field."""
        self.write_array(self.HMAC + 0x40, [0] * 12)
        self.write_array(self.HMAC + 0x80, [0] * 32)
        self.write(self.HMAC + 0x610, 0x11 << 6 | slot << 1 | 1)
        self.write(self.HMAC + 0x10, 1)
        self.ready(self.HMAC + 0x18)
        error = self.ready(self.HMAC + 0x614) >> 2 & 0xff
        self.write(self.HMAC + 0x610, 0)
        self.write(self.HMAC + 0x10, 4)
        return error


class TestLocks(IdentityTest):
    """At runtime the secrets of the layers beneath are out of reach, for
    firmware too."""

    HMAC_KEY, HMAC_BLOCK = Internal.HMAC + 0x600, Internal.HMAC + 0x608
    ECC_KEY, ECC_SEED = Internal.ECC + 0x600, Internal.ECC + 0x608

    def setUp(self):
        self.part = provisioned()
        self.bundle = make_bundle()
        stashed = [b'\xc3' * 48]
        self.want = model.Identity(self.part, self.bundle, stashed)
        self.dev = soc.CaliptraSoc(args=soc.TESTDEV)
        self.addCleanup(self.dev.close)
        cold_boot(self.dev, self.part, self.bundle, stashed)
        self.uc = Internal(self.dev)

    def test_keys_cannot_be_read(self):
        for slot in range(32):
            self.assertEqual(self.uc.array(0x10018600 + 48 * slot), [0] * 12)

    def test_locked_keys(self):
        uc = self.uc
        for slot, client, dest_valid in ((6, self.HMAC_KEY, 0x11),
                                         (6, self.ECC_SEED, 0x11),
                                         (7, self.ECC_KEY, 0x08)):
            with self.subTest(slot=slot):
                ctrl = uc.key_ctrl(slot)
                self.assertEqual(ctrl >> 9 & 0xff, dest_valid)
                self.assertTrue(ctrl & uc.LOCK_USE)
                # not read, whatever was tried before
                self.assertEqual(uc.load(client, slot), uc.KV_READ_FAIL)
                uc.write(uc.KV + 4 * slot, 0)
                self.assertEqual(uc.key_ctrl(slot), ctrl)
                self.assertEqual(uc.load(client, slot), uc.KV_READ_FAIL)
                # not erased, not replaced
                uc.write(uc.KV + 4 * slot, uc.CLEAR)
                self.assertEqual(uc.hmac_to_slot(slot), uc.KV_WRITE_FAIL)
                self.assertEqual(uc.key_ctrl(slot), ctrl)
        # the engines' error is theirs only: quotes still come from slot 7
        uc.write(uc.ECC + 0x10, 4)
        uc.write(uc.HMAC + 0x10, 4)
        self.assert_identity(self.dev, self.want)
        # and slot 6 is still FMC's CDI: an update derives the same keys
        update(self.dev, self.bundle)
        self.want.update(self.bundle)
        self.assert_identity(self.dev, self.want)

    def test_erased_keys(self):
        uc = self.uc
        for slot in (0, 1, 2, 3, 8, 9, 10):
            with self.subTest(slot=slot):
                self.assertEqual(uc.key_ctrl(slot), 0)
                for client in (self.HMAC_KEY, self.HMAC_BLOCK, self.ECC_KEY,
                               self.ECC_SEED):
                    self.assertEqual(uc.load(client, slot), uc.KV_READ_FAIL)

    def test_usage(self):
        """Runtime's own keys serve for what they were made for only."""
        uc = self.uc
        for slot, good, bad in (
                (4, (self.HMAC_KEY, self.ECC_SEED),
                 (self.HMAC_BLOCK, self.ECC_KEY)),
                (5, (self.ECC_KEY,),
                 (self.HMAC_KEY, self.HMAC_BLOCK, self.ECC_SEED))):
            for client in good:
                self.assertEqual(uc.load(client, slot), 0)
            for client in bad:
                self.assertEqual(uc.load(client, slot), uc.KV_READ_FAIL)

    def test_secrets_only_once(self):
        """DOE has done its work until the next power-on."""
        uc = self.uc
        for command in (1, 2):
            uc.write(uc.DOE + 0x10, 12 << 2 | command)
            uc.ready(uc.DOE + 0x14)
        self.assertEqual(uc.key_ctrl(12), 0)
        self.assertEqual(uc.array(0x30030200, 20), [0] * 20)
        self.assertEqual(uc.array(0x30030600, 8), [0] * 8)

    def test_pcrs(self):
        uc = self.uc
        for pcr in (0, 1, 2, 3, 31):
            for ctrl in (2, 0, 2):
                uc.write(uc.PV + 4 * pcr, ctrl)
            uc.write_array(uc.PV + 0x600 + 48 * pcr, [0] * 12)
        uc.write_array(uc.PV + 0x600 + 48 * 4, [1] * 12)
        self.assert_pcrs(self.dev, self.want)

    def test_data_vault(self):
        uc = self.uc
        locked = [(0x028 + 48 * i, 0x000 + 4 * i) for i in range(10)]
        locked += [(0x230, 0x208)]
        locked += [(0x4a0 + 4 * i, 0x480 + 4 * i) for i in range(5)]
        locked += [(0x438 + 4 * i, 0x410 + 4 * i) for i in range(5)]
        for data, lock in locked:
            with self.subTest(entry=hex(data)):
                self.assertEqual(uc.read(uc.DV + lock), 1)
                before = uc.read(uc.DV + data)
                uc.write(uc.DV + lock, 0)
                uc.write(uc.DV + data, ~before & 0xffffffff)
                self.assertEqual(uc.read(uc.DV + data), before)
        self.assert_identity(self.dev, self.want)

    def test_rom_keeps_the_ladder(self):
        """While ROM waits for firmware: LDevID's keys, nothing older."""
        uc = self.uc
        power_on(self.dev, self.part)
        self.dev.wait_ready_for_fw()
        for _ in range(1000):
            self.dev.step(1000000)
        self.assertEqual({slot: uc.key_ctrl(slot) >> 9 & 0xff
                          for slot in range(32) if uc.key_ctrl(slot)},
                         {5: 0x08, 6: 0x11})
        self.assertEqual(uc.array(uc.DV, 10), [1] * 4 + [0] * 6)


class TestFatal(IdentityTest):
    """After a fatal error: secrets are gone, evidence stays."""

    def setUp(self):
        self.part = provisioned()
        self.dev = soc.CaliptraSoc(args=soc.TESTDEV)
        self.addCleanup(self.dev.close)
        self.uc = Internal(self.dev)

    def assert_dead(self, code):
        """Commands fail at once, and the numbers stay."""
        dev = self.dev
        for _ in range(2):
            with self.assertRaises(soc.CommandFailed) as caught:
                dev.command(GET_IDEV_CSR)
            self.assertEqual((caught.exception.fatal,
                              caught.exception.non_fatal), (code, code))
        self.assertEqual(dev.read32(soc.SHA_ACC) & 1, 1)

    def array(self, addr):
        return model.be_words(self.uc.array(addr))

    def test_refused_firmware(self):
        dev, uc = self.dev, self.uc
        want = model.Identity(self.part, None, [b'\x5a' * 48])
        power_on(dev, self.part)
        dev.wait_ready_for_fw()
        stash(dev, b'\x5a' * 48)
        flow = dev.read32(soc.FLOW_STATUS)
        with self.assertRaises(soc.CommandFailed):
            dev.load_firmware(b'no firmware.')
        self.assertEqual(dev.wait_fatal(), 0x000b0001)
        self.assert_dead(0x000b0001)
        self.assertEqual(dev.read32(soc.FLOW_STATUS), flow)
        self.assertEqual(dev.read32(soc.BOOT_STATUS), 0x82)
        # no key is left, nor anything to make one from
        self.assertEqual([uc.key_ctrl(slot) for slot in range(32)],
                         [0] * 32)
        self.assertEqual(uc.array(0x30030600, 8), [0] * 8)
        # measurements and what was public are
        for pcr in range(32):
            self.assertEqual(self.array(uc.PV + 0x600 + 48 * pcr),
                             want.pcrs[pcr])
        self.assertEqual(self.array(uc.DV + 0x28 + 48 * 2) +
                         self.array(uc.DV + 0x28 + 48 * 3),
                         want.ldevid.x + want.ldevid.y)
        # a warm reset does not help, a power cycle does
        dev.warm_reset()
        dev.run_until(soc.FW_ERROR_FATAL, 0xffffffff, 0x01040010,
                      stop_if_fatal=False)
        bundle = make_bundle()
        cold_boot(dev, self.part, bundle)
        self.assert_identity(dev, model.Identity(self.part, bundle))

    def test_shutdown(self):
        dev, uc = self.dev, self.uc
        bundle = make_bundle()
        want = model.Identity(self.part, bundle)
        cold_boot(dev, self.part, bundle)
        self.assertEqual(dev.command(SHUTDOWN), b'')
        self.assert_dead(0x000e0008)
        # locked slots are not erased, but the flush has overwritten them
        self.assertEqual({slot: uc.key_ctrl(slot) >> 9 & 0xff
                          for slot in range(32) if uc.key_ctrl(slot)},
                         {6: 0x11, 7: 0x08})
        for pcr in range(32):
            self.assertEqual(self.array(uc.PV + 0x600 + 48 * pcr),
                             want.pcrs[pcr])
        # FMC finds its hand-off table gone, and only fails commands
        dev.warm_reset()
        for _ in range(200):
            dev.step(1000000)
        with self.assertRaises(soc.CommandFailed) as caught:
            dev.command(FW_INFO)
        self.assertEqual((caught.exception.fatal,
                          caught.exception.non_fatal),
                         (0x000e0008, 0x000e0008))
        self.assertEqual(dev.read32(soc.FLOW_STATUS) &
                         (soc.READY_FOR_FW | soc.READY_FOR_RUNTIME), 0)
        cold_boot(dev, self.part, bundle)
        self.assert_identity(dev, want)


class Journey:
    """A SoC that takes a part from its fuses through a cold boot with CSR,
    an update and a self test, one small step at a time; its own state is a
    few words, so that a second machine can go on from any point."""

    def __init__(self, dev, bundles):
        self.dev = dev
        self.bundles = bundles
        self.phase = 'csr'
        self.csr = None

    def twin(self, dev):
        """The same place on another machine."""
        other = Journey(dev, self.bundles)
        other.phase, other.csr = self.phase, self.csr
        return other

    def done(self):
        return self.phase == 'done'

    def advance(self):
        dev = self.dev
        flow, fatal, mbox = dev.reads32([soc.FLOW_STATUS, soc.FW_ERROR_FATAL,
                                         soc.MBOX_STATUS])
        assert not fatal, hex(fatal)
        if self.phase == 'csr' and flow & soc.CSR_READY:
            self.csr = dev.take_csr()
            self.phase = 'firmware'
        elif self.phase == 'firmware' and flow & soc.READY_FOR_FW:
            dev.mailbox_send(soc.FIRMWARE_LOAD, self.bundles[0])
            self.phase = 'loading'
        elif self.phase == 'loading' and mbox & 0xf == soc.CMD_COMPLETE:
            dev.write32(soc.MBOX_EXECUTE, 0)
            self.phase = 'runtime'
        elif self.phase == 'runtime' and flow & soc.READY_FOR_RUNTIME:
            dev.mailbox_send(soc.FIRMWARE_LOAD, self.bundles[1])
            self.phase = 'updating'
        elif self.phase == 'updating' and mbox & 0xf == soc.CMD_COMPLETE:
            dev.write32(soc.MBOX_EXECUTE, 0)
            self.phase = 'updated'
        elif self.phase == 'updated' and \
                dev.read32(soc.BOOT_STATUS) == RUNTIME_READY:
            dev.mailbox_send(SELF_TEST_START, struct.pack(
                '<I', soc.checksum(SELF_TEST_START, b'')))
            self.phase = 'self-test'
        elif self.phase == 'self-test' and mbox & 0xf == soc.DATA_READY:
            dev.write32(soc.MBOX_EXECUTE, 0)
            self.phase = 'tested'
        elif self.phase == 'tested' and \
                dev.read32(soc.BOOT_STATUS) == SELF_TEST_COMPLETE:
            # runtime has yet to give the mailbox back
            dev.step(10000000)
            self.phase = 'done'
        else:
            dev.step()


RUNTIME_READY, SELF_TEST_STARTED, SELF_TEST_COMPLETE = 0x600, 0x601, 0x602

# caliptra-sw common/src/boot_status.rs, fmc/src/boot_status.rs
FMC_STATUS = list(range(0x400, 0x407))
COLD_BOOT_STATUS = ([0, 0x181, 0x182, 0x183, 0x101] +
                    list(range(0x001, 0x00b)) + list(range(0x041, 0x047)) +
                    list(range(0x081, 0x089)) + list(range(0x0c1, 0x0c7)) +
                    [0x140] + FMC_STATUS + [RUNTIME_READY])
UPDATE_STATUS = ([RUNTIME_READY, 0x181, 0x182, 0x183] +
                 list(range(0x141, 0x149)) + FMC_STATUS +
                 [RUNTIME_READY, SELF_TEST_STARTED, SELF_TEST_COMPLETE])


class TestSnapshots(TempDir):
    """A snapshot taken anywhere on the way resumes to the same identity."""

    def save(self, dev):
        path = os.path.join(self.dir, 'state')
        dev.qmp('migrate', uri='file:' + path)
        dev.wait_migrated()
        dev.qmp('cont')
        return path

    def resume(self, path):
        dev = soc.CaliptraSoc(args=['-incoming', 'defer'], qmp=True, seed=3)
        self.addCleanup(dev.close)
        dev.qmp('migrate-incoming', uri='file:' + path)
        dev.wait_migrated()
        return dev

    def test_every_boot_status(self):
        # boot status is live with debug unlocked only
        part = provisioned(debug_locked=False)
        bundles = make_bundle(), make_bundle(rt=b'another runtime.')
        want = model.Identity(part, bundles[0])
        want.update(bundles[1])
        seen = []
        with soc.CaliptraSoc(qmp=True) as dev:
            power_on(dev, part, csr=True)
            journey = Journey(dev, bundles)
            while not journey.done():
                status = dev.read32(soc.BOOT_STATUS)
                if not seen or seen[-1] != status:
                    seen.append(status)
                    with self.subTest(status=hex(status)):
                        twin = journey.twin(self.resume(self.save(dev)))
                        while not twin.done():
                            twin.advance()
                        self.assertEqual(twin.csr, want.idevid_csr)
                        self.assert_identity(twin.dev, want)
                        twin.dev.close()
                journey.advance()
            self.assert_identity(dev, want)
        at = seen.index(RUNTIME_READY)
        self.assertEqual(seen[:at + 1], COLD_BOOT_STATUS)
        self.assertEqual(seen[at:], UPDATE_STATUS)


class TestScript(TempDir):
    """scripts/caliptra/identity.py against a running machine."""

    def test_pem_files(self):
        part = provisioned()
        bundle = make_bundle()
        want = model.Identity(part, bundle)
        qmp = os.path.join(self.dir, 'qmp')
        out = os.path.join(self.dir, 'out')

        def script():
            return subprocess.run(
                [sys.executable, os.path.join(SCRIPTS, 'identity.py'),
                 '--qmp', qmp, '--output', out], capture_output=True,
                text=True, check=False)

        with soc.CaliptraSoc(args=['-qmp', 'unix:%s,server=on,wait=off' %
                                   qmp]) as dev:
            early = script()
            self.assertEqual(early.returncode, 1)
            # one line for each of the five objects that are missing
            self.assertEqual(len(early.stdout.splitlines()), 5, early.stdout)
            self.assertEqual(os.listdir(out), [])
            cold_boot(dev, part, bundle, csr=True)
            self.assertEqual(script().returncode, 0)
        for name, der in (('idevid-csr', want.idevid_csr),
                          ('ldevid-cert', want.ldevid_cert),
                          ('fmc-alias-cert', want.fmc_alias_cert),
                          ('fmc-alias-csr', want.fmc_alias_csr),
                          ('rt-alias-cert', want.rt_alias_cert)):
            kind = 'req' if name.endswith('csr') else 'x509'
            path = os.path.join(out, name + '.pem')
            got = subprocess.run(['openssl', kind, '-in', path, '-outform',
                                  'DER'], capture_output=True, check=True)
            self.assertEqual(got.stdout, der)
        with open(os.path.join(out, 'chain.pem'), encoding='ascii') as f:
            chain = re.findall('-----BEGIN CERTIFICATE-----([^-]*)', f.read())
        self.assertEqual(
            [base64.b64decode(text) for text in chain],
            [want.rt_alias_cert, want.fmc_alias_cert, want.ldevid_cert])


if __name__ == '__main__':
    unittest.main()
