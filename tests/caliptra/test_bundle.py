#!/usr/bin/env python3
#
# Firmware bundles: known answers, every rule of the verifier, the tool
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""scripts/caliptra/bundle.py

CALIPTRA_GENUINE_DIR may name a directory with bundles that others have signed
(*caliptra-fw*.bin); they must be found to be good.
"""

import contextlib
import glob
import io
import json
import os
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))
import badbundles                   # noqa: E402
import bundle as tool               # noqa: E402
import caliptra_common as common    # noqa: E402
import caliptra_image as image      # noqa: E402
import caliptra_keys as keys        # noqa: E402
from caliptra_common import ToolError, hw_words     # noqa: E402

from cryptography.hazmat.primitives import serialization    # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec    # noqa: E402

# Points of the development keys, as caliptra-sw publishes them
DEV_POINTS = [
    ('c69fe67f97ea3e4221a7a6036c2e070d1657327bc3f1e7c18dccb9e4ffda5c3f'
     '4db0a1c0567e097317bf448439696a07',
     'c126b9135fc825728f1cd40319109430994fe3e874a8b026be14794d27789964'
     '7735fde8328afd84cd4d4aa872d40b42'),
    ('a6309750f0a05ddb956a7f862812ec4fec454e953b53dbfb9eb5414015ea7507'
     '084af93cb7fa33fe51811ad5e754232e',
     'ef5a59877a0ce0be2621d2a98bf3c5dfaf7b3d6d97f24183a4a4203858c39b86'
     '272ef548e572b9371ecf19941b8d4ea7'),
    ('a0d25693c4251e48185615b0a6c27f6de62c39f5a9a32f759553226a4d1926c1'
     '7928910fb7adc1b68999673310134881',
     'bbdf72d707c08100d54fcdadb1567bb00522762b76b8dc4a846c175a3fbd0501'
     '9bdc81184be5f33cbb21b41d93a8c523'),
    ('002a82b68e03e9a0fd3b4c14ca2cb3e814350a710e43956d21694fb4f34485e8'
     'f0e33583f7ea142d50e16f8b0225bb95',
     '5802641c7c45a4a2408e03a6a4100a9250fcc468d238cd0d449cc3e51abc25e7'
     '0b05c426843dcd6f944ef6fffa53ec5b'),
    ('c6f82e2bdcf3e157a162e7f33eca35c455ea08a913811779b6f2646d92c817cd'
     '4094bd1adb215f62cf36f017012d5aeb',
     'a46745936cb5a37999b08264862b2c1c517f12c6573e1f947142291af9624bd7'
     '2733dcddce24ec5e961c00e34372ba17'),
]

VENDOR_KEY_HASH = ('53845724676e5e2f649d2c018e25c4fb80c2c28fcb6d6e93'
                   'fb7cf908930a9953a9c69c3383aea9fd5573cb3db1ae0c3b')
OWNER_KEY_HASH = ('421275a87a71acf434b4f1076acdd68377d0a315f9e2a29b'
                  '26b398913e89ff33006c10dcc4f1bd7467f1e2c41b0a893a')

# A bundle of two dummy images, computed by an independent model
KNOWN_FIELDS = {
    'fmc.digest':
        '9f2c9eb7116b3d7a4ba84a74a4d4eff8a5efcf54b6d7b662693c38577914c73a'
        '214766f0a175339bb0895a863824fc0a',
    'rt.digest':
        '0fbdc62aaca567c7b3d008ae15ef1a8483c5052d84be80774a9db10205d6be36'
        'c35573af6f1fc2db494ea87314026750',
    'header.toc_digest':
        '71f1e298148b314a4641e78cd9be67b0ff3353da8bf9f22194c9200171253fab'
        '05c858b52cc59330a4ea343f68a0fe25',
    'vendor_ecc_sig.r':
        '8e2344931372aa73c87c2b2b563443716b73a47caa82a02797387303654c55f2'
        'f5297484875fb9ddafbf49b4da555f7f',
    'vendor_ecc_sig.s':
        '0e1cbd21d4f02daef77ea61906056ba7737aa95841756d70a2539251f7506123'
        '23e4159f7468326d169b9c9dccbe933c',
    'owner_ecc_sig.r':
        '0840e556df7c784e39e280ffda9008b0747d930c035730b82d3212c7a37ba5ac'
        '9b1f053eea9e2c28e7cb7a223a484812',
    'owner_ecc_sig.s':
        'ec995a9476814aa9baaeabd81beef9b834122dc5dc98f7da0ff35221edfa2a00'
        'f815ab99660cc258dae197ad71e7c2e0',
}
# SHA-384 of parts
KNOWN_PARTS = {
    image.VENDOR_KEYS: VENDOR_KEY_HASH,
    image.OWNER_KEYS: OWNER_KEY_HASH,
    image.VENDOR_HEADER:
        '30628c61473c28a7a830cf239ca01fc7b5eb135df978c61955c173e1bcaa42f9'
        '3e71c6043b5727ba7c7834ddd533d7ae',
    image.OWNER_HEADER:
        'a5cd8ad00c1b4da51f7865a7b807c9d49685edac37e0ac73bb93e9ded35439c4'
        'b39cdc049a94b0922a1415299576266d',
    (0x07F0, 0x07F0 + 1620):
        '5f657a0608b8871798c63cbc27a6ae7bbd97f7f56b4249036b178288044b5c01'
        '24468aa5dc36640ac59d0b055833e5ee',
    (0x0F34, 0x0F34 + 1620):
        '1dcedf203871806f0c27190ef240ecead9e3f7ae2cbd0c093cf9d7ff1fd26dbc'
        'a9f4b4ccb345374027eaf354d2d5ecbb',
    (0, 0x16FC):
        '9fc96f9b086352122d78e3f7931515eca833749075da1a84fd4a5f6badf70ab9'
        '8bda84af267794089e70d9dfab179843',
    (0, 0x177C):
        '756a9789275d9d9a0ed1c91a1d5ba6504a1f966d5845164282143dd5f22f6d0c'
        '6d86c9b9c5960550cc60e817564630e1',
}

# SHA-256 of the path that goes with leaf 5 of each development LMS key
DEV_PATHS = [
    '6d0a654f6d2eb0821dd053b1d431a1cca80fb66202ea752aa4f436a357e38bfa',
    '0a0769fd147df58c1463bc2f66891f8ca50dfccfac0500fed75e6abbc42c2a13',
    'f30a25bf947826c0e16409c81598d9e2d259766cdc94b2d09b7a14d55fb6608e',
    '93b37af6890d8fd9c19f775a1674cd2b1b086444292392f4aaaee52834c08586',
    'b672fdd1f607e51488673fbafec6c216708e32285d1f6a115c462bec9d6c64f1',
]


class ToolCase(unittest.TestCase):
    """A directory, and the tool called as from the command line"""

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name

    def path(self, name, data=None):
        path = os.path.join(self.dir, name)
        if data is not None:
            with open(path, 'wb') as f:
                f.write(data)
        return path

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def run_tool(self, *argv):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = tool.main(list(argv))
        return status, out.getvalue()

    def create(self, *argv):
        """Returns the bundle and the fuses, written as fw.bin, fuses.json"""
        self.run_tool('create', '-o', self.path('fw.bin'), '--fuses',
                      self.path('fuses.json'), *argv)
        return (image.Bundle(self.read('fw.bin')),
                json.loads(self.read('fuses.json')))

    def verdict(self, *argv):
        """Status and output of verify for what create() left"""
        return self.run_tool('verify', self.path('fw.bin'), '--fuses',
                             self.path('fuses.json'), *argv)


class KeysTest(unittest.TestCase):

    def test_development_points(self):
        for number, (x, y) in enumerate(DEV_POINTS):
            public = keys.dev_ecc_key(number).public
            self.assertEqual(hw_words(public[:48]).hex(), x)
            self.assertEqual(hw_words(public[48:]).hex(), y)

    def test_development_lms_keys(self):
        """Roots follow from I and SEED; the paths are upstream's"""
        for number, path in enumerate(DEV_PATHS):
            ident, seed, root = keys.DEV_LMS[number]
            key = keys.LmsPrivateKey(ident, seed)
            self.assertEqual(key.public[24:], root)
            signature = key.sign(b'message')
            self.assertEqual(
                keys.hashlib.sha256(signature[1260:]).hexdigest(), path)

    def test_lms_intermediate(self):
        """Vendor LMS key 0, leaf 5"""
        key = keys.dev_lms_key(0)
        prefix = key.ident + struct.pack('>I', 5)
        self.assertEqual(keys.lmots_secret(prefix, 0, key.seed).hex(),
                         '977e7d89a01ff8c11480dac604383a4526bd0d076c8ddc2a')
        self.assertEqual(keys.lmots_public(key.ident, 5, key.seed).hex(),
                         '5d9acf5c1167071a3e55d59d4848df31a66343a37ff9c542')
        for node, value in (
                (0x8005, 'c3c7ee7390c23b2a408f65771525527379a82218b700ca58'),
                (0x8004, '98b6cc22737693e4c5f8c9c42d34d054a93328cdad9699dc'),
                (0x4002, '71580dce1e195ef131c7df8a41383d7764b225753b86a333'),
                (0x4003, '409b87357abf279cbba361dbe1454d5aa85aca93db86ab5a'),
                (3, 'f55bf3c8993242d70d2b0e434398d2fe22872a72d30eec83')):
            self.assertEqual(key.tree[node].hex(), value)

    def test_upstream_lms_vectors(self):
        """Roots of the two keys in caliptra-sw's own signer tests"""
        ident, seed = bytes(range(0x20, 0x30)), bytes(range(24))
        leaves = [keys.real_leaf(ident, seed, 5, 8, q) for q in range(32)]
        real = keys.LmsPrivateKey(ident, seed, leaves, 10, 8)
        self.assertEqual(real.public[24:].hex(),
                         '2c571450aed99cfb4f4ac285da14882796618314508b12d2')
        short_cut = keys.LmsPrivateKey(ident, seed)
        self.assertEqual(short_cut.public[24:].hex(),
                         '311a198804da4120767f898288e69188711c6db89eb3b244')

    def test_lms_real_tree(self):
        """Any leaf signs; a leaf that does not exist, or none, does not"""
        ident, seed = bytes(range(16)), bytes(range(24))
        leaves = [bytes([q & 0xFF]) * 24 for q in range(1 << 15)]
        for q in (0, 5, 31000):
            leaves[q] = keys.real_leaf(ident, seed, 15, keys.LMOTS_TYPE, q)
        key = keys.LmsPrivateKey(ident, seed, leaves)
        for q in (0, 5, 31000):
            signature = key.sign(b'message', q)
            self.assertIsNone(key.verify(b'message', signature))
            self.assertEqual(key.verify(b'massage', signature), 'mismatch')
        for q in (None, 1 << 15):
            with self.assertRaises(ToolError):
                key.sign(b'message', q)

    def test_rfc6979(self):
        """RFC 6979 A.2.6, SHA-384 of "sample" and "test" """
        key = keys.EccPrivateKey(int(
            '6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D8'
            '96D5724E4C70A825F872C9EA60D2EDF5', 16))
        for message, r, s in (
                (b'sample',
                 '94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa7'
                 '3d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46',
                 '99ef4aeb15f178cea1fe40db2603138f130e740a19624526'
                 '203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8'),
                (b'test',
                 '8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36'
                 'ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023db',
                 'ddd0760448d42d8a43af45af836fce4de8be06b485e9b61b'
                 '827c2f13173923e06a739f040649a667bf3b828246baa5a5')):
            signature = key.sign(keys.sha384(message))
            self.assertEqual(hw_words(signature[:48]).hex(), r)
            self.assertEqual(hw_words(signature[48:]).hex(), s)


class KnownBundleTest(ToolCase):

    def test_known_answer(self):
        bundle, fuses = self.create('--pl0-pauser', '1')
        for name, value in KNOWN_FIELDS.items():
            self.assertEqual(bundle[name].hex(), value, name)
        for span, digest in KNOWN_PARTS.items():
            self.assertEqual(bundle.digest(span).hex(), digest, span)
        self.assertEqual(len(bundle.data), 0x177C)
        self.assertEqual(fuses, {'key_manifest_pk_hash': VENDOR_KEY_HASH,
                                 'owner_pk_hash': OWNER_KEY_HASH,
                                 'lms_verify': 1})

    def test_deterministic(self):
        first = self.create('--rt-svn', '7')[0].data
        self.assertEqual(first, self.create('--rt-svn', '7')[0].data)
        self.assertNotEqual(first, self.create('--rt-svn', '8')[0].data)


class CreateTest(ToolCase):

    def test_release(self):
        for patch, revision, rt_load in (
                (0, '951209a3', 0x40005400), (2, 'cccf6419', 0x40005400),
                (3, '15512531', 0x40005c00), (5, 'b8d1f591', 0x40006000)):
            bundle, _ = self.create('--release', f'1.2.{patch}')
            for name, version, load in (
                    ('fmc', 0x0880 + patch, 0x40000000),
                    ('rt', 0x01020000 + patch, rt_load)):
                self.assertEqual(bundle[f'{name}.version'], version)
                self.assertEqual(bundle[f'{name}.load_addr'], load)
                self.assertEqual(bundle[f'{name}.entry_point'], load)
                self.assertEqual(bundle[f'{name}.revision'][:4].hex(),
                                 revision)
        # what is given counts
        bundle, _ = self.create('--release', '1.2.4', '--rt-version', '9',
                                '--rt-load', '0x40007000')
        self.assertEqual((bundle['rt.version'], bundle['rt.load_addr']),
                         (9, 0x40007000))

    def test_fields(self):
        bundle, fuses = self.create(
            '--fmc-svn', '3', '--rt-svn', '100', '--fmc-version', '0x1234',
            '--rt-version', '5', '--fmc-rev', 'ab' * 20, '--rt-rev',
            'cd' * 20, '--ecc-index', '2', '--lms-index', '31',
            '--pl0-pauser', '7', '--vendor-dates', '20240101000000',
            '20250101000000Z', '--owner-dates', '20240201000000Z',
            '20240301000000Z', '--epoch', '0102', '--fuse-fmc-svn', '2',
            '--fuse-rt-svn', '99', '--fuse', 'soc_stepping_id=0x55')
        for name, value in (
                ('fmc.svn', 3), ('rt.svn', 100), ('fmc.version', 0x1234),
                ('rt.version', 5), ('fmc.revision', b'\xab' * 20),
                ('rt.revision', b'\xcd' * 20), ('vendor_ecc_index', 2),
                ('vendor_lms_index', 31), ('header.vendor_ecc_index', 2),
                ('header.vendor_lms_index', 31), ('header.pl0_pauser', 7),
                ('header.flags', 1),
                ('header.vendor_not_before', b'20240101000000Z'),
                ('header.vendor_not_after', b'20250101000000Z'),
                ('header.owner_not_before', b'20240201000000Z'),
                ('header.owner_not_after', b'20240301000000Z'),
                ('header.owner_epoch', b'\1\2')):
            self.assertEqual(bundle[name], value, name)
        self.assertEqual(fuses['fmc_key_manifest_svn'], 3)
        self.assertEqual(fuses['runtime_svn'],
                         'ffffffff' * 3 + '00000007')
        self.assertEqual(fuses['soc_stepping_id'], 0x55)
        self.assertEqual(self.verdict()[0], 0)

    def test_no_pl0(self):
        bundle, _ = self.create('--no-pl0')
        self.assertEqual((bundle['header.flags'],
                          bundle['header.pl0_pauser']), (0, 0))
        bundle, _ = self.create('--flags', '6')
        self.assertEqual((bundle['header.flags'],
                          bundle['header.pl0_pauser']), (6, 0x21212121))

    def test_lms_off_and_placeholder(self):
        bundle, fuses = self.create('--lms', 'placeholder')
        self.assertEqual(fuses['key_manifest_pk_hash'], VENDOR_KEY_HASH)
        self.assertEqual(fuses['lms_verify'], 0)
        self.assertFalse(any(bundle['vendor_lms_sig']))
        self.assertEqual(self.verdict()[0], 0)
        self.assertEqual(self.run_tool('show', self.path('fw.bin'))[0], 0)
        bundle, fuses = self.create('--lms', 'off')
        self.assertFalse(any(bundle['vendor_lms_key0']))
        self.assertFalse(any(bundle['owner_lms_key']))
        self.assertEqual(fuses['lms_verify'], 0)
        self.assertEqual(self.verdict()[0], 0)

    def test_payload_padded(self):
        bundle, _ = self.create('--fmc', self.path('fmc', b'12345'),
                                '--rt', self.path('rt', b'1'))
        self.assertEqual((bundle['fmc.size'], bundle['rt.size']), (8, 4))
        self.assertEqual(bundle.image('fmc'), b'12345\0\0\0')
        self.assertEqual(bundle['rt.offset'], 0x16FC + 8)

    def test_elf(self):
        """Two segments with a gap between, and a stack elsewhere"""
        for wide in (False, True):
            if wide:
                head = struct.pack('<16sHHIQQQIHHHHHH', b'\x7fELF\2\1\1', 2,
                                   243, 1, 0x40000104, 64, 0, 0, 64, 56, 3,
                                   0, 0, 0)
                table = struct.pack('<IIQQQQQQ', 1, 5, 0x100, 0, 0x40000100,
                                    4, 4, 4)
                table += struct.pack('<IIQQQQQQ', 1, 5, 0x104, 0, 0x40000108,
                                     4, 8, 4)
                table += struct.pack('<IIQQQQQQ', 1, 6, 0x108, 0, 0x5001C000,
                                     0, 64, 4)
            else:
                head = struct.pack('<16sHHIIIIIHHHHHH', b'\x7fELF\1\1\1', 2,
                                   243, 1, 0x40000104, 52, 0, 0, 52, 32, 3,
                                   0, 0, 0)
                table = struct.pack('<IIIIIIII', 1, 0x100, 0, 0x40000100, 4,
                                    4, 5, 4)
                table += struct.pack('<IIIIIIII', 1, 0x104, 0, 0x40000108, 4,
                                     8, 5, 4)
                table += struct.pack('<IIIIIIII', 1, 0x108, 0, 0x5001C000, 0,
                                     64, 6, 4)
            data = (head + table).ljust(0x100, b'\0') + b'abcdefgh'
            bundle, _ = self.create('--fmc', self.path('fmc.elf', data))
            self.assertEqual(bundle.image('fmc'), b'abcd\0\0\0\0efgh')
            self.assertEqual(bundle['fmc.load_addr'], 0x40000100)
            self.assertEqual(bundle['fmc.entry_point'], 0x40000104)
            for size in (65, 90, 110):
                with self.assertRaises(ToolError):
                    self.create('--fmc', self.path('cut.elf', data[:size]))

    def test_own_keys(self):
        """PEM and LMS key files: what they sign is accepted"""
        private = ec.derive_private_key(12345, ec.SECP384R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption())
        public_pem = private.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo)
        vendor, public = self.path('v.pem', pem), self.path('p.pem',
                                                            public_pem)
        lms = keys.LmsPrivateKey(bytes(range(16)), bytes(24))
        lms_file = self.path('v.prv', struct.pack('>II', 12, 7) +
                             lms.ident + lms.seed)
        lms_public = self.path('v.pub', lms.public)
        bundle, _ = self.create(
            '--vendor-ecc-key', public, '--vendor-ecc-key', vendor,
            '--ecc-index', '1', '--vendor-lms-key', lms_public,
            '--vendor-lms-key', lms_file, '--lms-index', '3',
            '--owner-ecc-key', vendor, '--owner-lms-key', lms_file)
        self.assertEqual(bundle['vendor_lms_key2'], lms.public)
        self.assertEqual(bundle['vendor_ecc_key0.x'],
                         bundle['owner_ecc_key.x'])
        self.assertEqual(self.verdict()[0], 0)
        with self.assertRaises(ToolError):  # slot 0 cannot sign
            self.create('--vendor-ecc-key', public)
        with self.assertRaises(ToolError):
            self.create('--vendor-lms-key', lms_public)

    def test_user_errors(self):
        """Whatever is wrong ends in one line, never in a traceback"""
        empty = self.path('empty', b'')
        junk = self.path('junk', b'\0junk\xff' * 100)
        big = self.path('big', bytes(0x20000))
        pem = self.path('pem', b'-----BEGIN EC PRIVATE KEY-----\nAAAA\n'
                               b'-----END EC PRIVATE KEY-----\n')
        for argv in (
                ('--fmc', empty), ('--rt', empty), ('--rt', big),
                ('--fmc', '/nonexistent'), ('--ecc-index', '4'),
                ('--lms-index', '32'), ('--fmc-svn', '33'),
                ('--rt-svn', '129'), ('--rt-load', '0x40000000'),
                ('--rt-load', '0x3ffffffc'), ('--fmc-entry', '2'),
                ('--fmc-load', '1x'), ('--rt-version', '-1'),
                ('--epoch', '1'), ('--fmc-rev', 'zz'),
                ('--vendor-dates', '2024', '2025'),
                ('--vendor-ecc-key', junk), ('--vendor-ecc-key', pem),
                ('--owner-ecc-key', empty), ('--owner-lms-key', junk),
                ('--vendor-lms-leaf', '6'), ('--fuse', 'nothing=1'),
                ('--fuse', 'lms_verify=2'), ('--fuse', 'uds_seed=00'),
                ('--fuse', 'key_manifest_pk_hash_mask=1'),
                ('--fuse-fmc-svn', '1'), ('--fuse-rt-svn', '1')):
            with self.subTest(argv=argv), self.assertRaises(ToolError) as e:
                self.create(*argv)
            self.assertNotIn('\n', str(e.exception))


    def test_flat_elf(self):
        """With a load address an image is taken as it is"""
        data = b'\x7fELF\1\1\1'.ljust(80, b'x')
        path = self.path('flat', data)
        with self.assertRaises(ToolError):
            self.create('--rt', path)
        bundle, _ = self.create('--rt', path, '--rt-load', '0x40006000')
        self.assertEqual(bundle.image('rt'), data)
        self.assertEqual((bundle['rt.load_addr'], bundle['rt.entry_point']),
                         (0x40006000, 0x40006000))


class ResignTest(ToolCase):

    def setUp(self):
        super().setUp()
        self.old, self.fuses = self.create('--rt-svn', '3')
        private = ec.derive_private_key(54321, ec.SECP384R1())
        self.pem = self.path('own.pem', private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        lms = keys.LmsPrivateKey(bytes(range(16)), bytes(24))
        self.lms = self.path('own.prv', struct.pack('>II', 12, 7) +
                             lms.ident + lms.seed)

    def resign(self, *argv):
        self.run_tool('resign', self.path('fw.bin'), '-o',
                      self.path('new.bin'), '--fuses',
                      self.path('new.json'), *argv)
        bundle = image.Bundle(self.read('new.bin'))
        self.assertEqual(self.run_tool(
            'verify', self.path('new.bin'), '--fuses',
            self.path('new.json'))[0], 0)
        # images, table of contents, header
        self.assertEqual(bundle.data[0x162C:], self.old.data[0x162C:])
        return bundle, json.loads(self.read('new.json'))

    def test_owner(self):
        """Another owner; what the vendor has signed stays"""
        for argv in (['--owner-ecc-key', self.pem],
                     ['--owner-lms-key', self.lms],
                     ['--owner-ecc-key', self.pem,
                      '--owner-lms-key', self.lms]):
            with self.subTest(argv=argv):
                bundle, fuses = self.resign(*argv)
                self.assertEqual(bundle.data[:0xE44], self.old.data[:0xE44])
                self.assertEqual(bundle.data[0x1590:],
                                 self.old.data[0x1590:])
                self.assertEqual(fuses['owner_pk_hash'],
                                 bundle.digest(image.OWNER_KEYS).hex())
                self.assertNotEqual(fuses['owner_pk_hash'], OWNER_KEY_HASH)
                self.assertEqual(fuses['key_manifest_pk_hash'],
                                 VENDOR_KEY_HASH)
                self.assertEqual(fuses['lms_verify'], 1)

    def test_slot(self):
        """Out of a slot: the padding is left behind"""
        self.path('fw.bin', bytes(self.old.data).ljust(0x20000, b'\xff'))
        bundle, _ = self.resign('--owner-ecc-key', self.pem)
        self.assertEqual(len(bundle.data), len(self.old.data))

    def test_vendor(self):
        bundle, fuses = self.resign('--vendor-ecc-key', self.pem)
        self.assertEqual(bundle.data[0xE44:], self.old.data[0xE44:])
        self.assertEqual(fuses['owner_pk_hash'], OWNER_KEY_HASH)
        everybody = ['--vendor-ecc-key', self.pem, '--owner-ecc-key',
                     self.pem, '--vendor-lms-key', self.lms,
                     '--owner-lms-key', self.lms]
        bundle, _ = self.resign('--ecc-index', '2', '--lms-index', '9',
                                *everybody)
        self.assertEqual((bundle['header.vendor_ecc_index'],
                          bundle['vendor_lms_index']), (2, 9))

    def test_user_errors(self):
        public = self.path('pub.pem', image.Bundle(
            self.old.data).ecc_key('owner_ecc_key').pem())
        for argv in ([], ['--ecc-index', '1'],
                     ['--ecc-index', '4', '--owner-ecc-key', self.pem],
                     ['--ecc-index', '1', '--vendor-ecc-key', self.pem],
                     ['--owner-ecc-key', public],
                     ['--owner-ecc-key', self.lms],
                     ['--owner-lms-key', self.pem]):
            with self.subTest(argv=argv), self.assertRaises(ToolError) as e:
                self.resign(*argv)
            self.assertNotIn('\n', str(e.exception))
        self.path('fw.bin', self.old.data[:-1])
        with self.assertRaisesRegex(ToolError, 'would refuse the outcome'):
            self.resign('--owner-ecc-key', self.pem)
        self.path('fw.bin', b'\x7fELF')
        with self.assertRaisesRegex(ToolError, 'but an ELF file'):
            self.resign('--owner-ecc-key', self.pem)

    def test_extract(self):
        parts = self.path('parts')
        self.path('fw.bin', bytes(self.old.data) + bytes(100))
        status, _ = self.run_tool('extract', self.path('fw.bin'), parts)
        self.assertEqual(status, 0)
        self.assertEqual(self.read('parts/bundle.bin'), self.old.data)
        for name in ('fmc', 'rt'):
            self.assertEqual(self.read(f'parts/{name}.bin'),
                             self.old.image(name))
        self.assertEqual(
            keys.load_ecc_key(parts + '/vendor-ecc-key2.pem').public,
            keys.dev_ecc_key(2).public)
        self.assertEqual(
            keys.load_lms_key(parts + '/owner-lms-key.pub', False).public,
            keys.dev_lms_key(keys.DEV_OWNER).public)
        data = bytearray(self.old.data)
        data[-1] ^= 1
        self.path('fw.bin', data)
        status, text = self.run_tool('extract', self.path('fw.bin'), parts)
        self.assertEqual(status, 1)
        self.assertIn('rt.bin does not have the digest', text)


class ShowVerifyTest(ToolCase):

    def test_show(self):
        bundle, wanted = self.create()
        status, text = self.run_tool('show', '--fuses', self.path('out.json'),
                                     self.path('fw.bin'))
        self.assertEqual(status, 0)
        self.assertEqual(text.count('  good\n'), 7)
        self.assertIn(VENDOR_KEY_HASH, text)
        self.assertLess(len(text.splitlines()), 24)
        self.assertEqual(
            text.splitlines()[0], f'{self.path("fw.bin")}: firmware bundle '
            f'of {len(bundle.data)} bytes, digests and signatures good')
        self.assertEqual(json.loads(self.read('out.json')), wanted)
        _, text = self.run_tool('show', '--all', self.path('fw.bin'))
        for name in image.LAYOUT:
            self.assertIn(f' {name} ', text)

    def test_show_fuses(self):
        """Those that accept it, if any do: LMS may be wrong alone"""
        bundle, _ = self.create()
        for offset, accepted in ((0x1200, {'lms_verify': 0}),
                                 (0x0790, None), (0x173C, None)):
            data = bytearray(bundle.data)
            data[offset] ^= 1
            out = self.path(f'{offset:x}.json')
            status, text = self.run_tool('show', self.path('x', data),
                                         '--fuses', out)
            self.assertEqual(status, 1)
            self.assertEqual('Fuses that accept it' in text,
                             accepted is not None)
            if accepted:
                fuses = common.load_fuses(out)
                self.assertEqual({**fuses, **accepted}, fuses)
            else:
                self.assertIn('No fuses accept it in production: '
                              'IMAGE_VERIFIER_ERR_', text)
                self.assertFalse(os.path.exists(out))

    def test_first_line(self):
        """What a file is, whatever it is"""
        bundle, _ = self.create()
        data = bytes(bundle.data)
        for content, status, line in (
                (data.ljust(0x20000, b'\xff'), 0,
                 'slot of 131072 bytes, padded with 0xff, with a firmware '
                 'bundle of 6012 bytes, digests and signatures good'),
                (data + b'12', 0, 'firmware bundle of 6012 bytes, digests '
                 'and signatures good, followed by 2 bytes of something '
                 'else'),
                (data[:-1], 1, 'damaged firmware bundle: 6011 bytes, cut off '
                 'before its end at 6012'),
                (data[:-1] + b'?', 1, 'damaged firmware bundle of 6012 '
                 'bytes: rt digest BAD'),
                (data[:100], 1, 'a firmware bundle cut off in its manifest: '
                 '100 of 5884 bytes'),
                (b'CMAN\0\0\0\x40' + data[8:], 1,
                 'not a firmware bundle of Caliptra 1.x: its manifest has '
                 '1073741824 bytes, not 5884'),
                (bytes(16) + data, 1,
                 'not a firmware bundle; one begins in it at 0x10'),
                (b'', 1, 'not a firmware bundle but an empty file'),
                (b'\xff' * 9000, 1,
                 'not a firmware bundle but nothing but bytes of 0xff'),
                (b'\x7fELF' + data[4:], 1,
                 'not a firmware bundle but an ELF file'),
                (b'{"a": 1}', 1, 'not a firmware bundle but a JSON file'),
                (b'Hello\n', 1, 'not a firmware bundle but a text file'),
                (bytes(range(256)), 1, 'not a firmware bundle but data of no '
                 'kind that is known here')):
            with self.subTest(line=line):
                path = self.path('x', content)
                got, text = self.run_tool('show', path)
                self.assertEqual(text.splitlines()[0], f'{path}: {line}')
                self.assertEqual(got, status)

    def test_show_too_big(self):
        bundle, _ = self.create()
        status, text = self.run_tool('show', self.path(
            'x', bytes(bundle.data).ljust(0x20004, b'\0')))
        self.assertEqual(status, 0)
        self.assertIn('Caliptra takes 131072 bytes; this file has 131076',
                      text)

    def test_show_bad(self):
        """A flipped bit in each part is said where it hits"""
        bundle, _ = self.create()
        for offset, line in (
                (0x16FC, 'fmc digest'), (0x173C, 'rt digest'),
                (0x1650, 'toc digest'), (0x15A8, 'vendor ECDSA signature'),
                (0x1624, 'owner LMS signature'),
                (0x0790, 'vendor ECDSA signature'),
                (0x0900, 'vendor LMS signature')):
            data = bytearray(bundle.data)
            data[offset] ^= 0x40
            status, text = self.run_tool('show', self.path('bad', data))
            self.assertEqual(status, 1)
            self.assertRegex(text, f'{line} +BAD')

    def test_malformed(self):
        """Cut, and full of nonsense: a line or a verdict"""
        bundle, _ = self.create()
        for size in (0, 1, 4, 8, 0x16FB):
            path = self.path('cut', bundle.data[:size])
            self.assertEqual(self.run_tool('show', path)[0], 1)
            self.assertEqual(self.run_tool(
                'verify', path, '--fuses', self.path('fuses.json'))[0], 1)
        for byte in (b'\0', b'\xff', b'\x7f'):
            path = self.path('junk', byte * 0x2000)
            self.assertEqual(self.run_tool('show', path)[0], 1)

    def test_verify_names_the_error(self):
        bundle, _ = self.create()
        bundle.data[-1] ^= 1
        self.path('fw.bin', bundle.data)
        status, text = self.verdict()
        self.assertEqual(status, 1)
        self.assertIn('IMAGE_VERIFIER_ERR_RUNTIME_DIGEST_MISMATCH '
                      '(0x000B0016)', text)

    def test_error_names(self):
        """Every entry of the model's table, every error of a bundle"""
        table = common.read_file(common.ERROR_TABLE).decode()
        names = common.error_names()
        numbers = {int(entry[:10], 16)      # some have two names
                   for entry in table.split('CALIPTRA_ERROR(')[1:]
                   if entry.startswith('0x')}
        self.assertGreater(len(numbers), 300)
        self.assertEqual(set(names), numbers)
        for _, case in badbundles.cases():
            for code in (case.code, case.ext):
                if code:
                    self.assertIn(code, names)

    def test_lifecycle(self):
        """Unprovisioned: no vendor hash, no SVN"""
        self.create()
        self.path('fuses.json', b'{"fmc_key_manifest_svn": 1}')
        self.assertIn('0x000B0003', self.verdict()[1])
        self.assertEqual(self.verdict('--lifecycle', 'unprovisioned')[0], 0)

    def test_bad_bundles(self):
        """The verdicts that the device is tested against"""
        zero = {name: bytes(4 * words)
                for name, words in common.FUSE_WORDS.items()}
        zero.update({name: 0 for name in common.FUSE_BITS})
        for group, case in badbundles.cases():
            data, fuses = case.make()
            if case.dlen is not None:
                # the tool's length is that of the file
                data = data.ljust(min(case.dlen, image.MAX_SIZE + 1), b'\0')
            verdict = (0, 0)
            try:
                image.verify(data, {**zero, **fuses},
                             common.LIFECYCLES[case.lifecycle])
            except image.Refused as e:
                verdict = (e.code, e.ext or 0)
            with self.subTest(group=group, case=case.name):
                self.assertEqual(verdict, (case.code, case.ext))

    def test_bad_fuse_files(self):
        self.create()
        for text in ('', '[]', '{"x": 1}', '{"lms_verify": "z"}',
                     '{"uds_seed": 1}', '{"owner_pk_hash": "0"}',
                     '{"life_cycle": 4}', '{"lms_revocation": -1}',
                     '{"lms_verify": 1.5}', '\xff'):
            self.path('fuses.json', text.encode('latin-1'))
            with self.subTest(text=text), self.assertRaises(ToolError) as e:
                self.verdict()
            self.assertNotIn('\n', str(e.exception))

    def test_genuine(self):
        """Bundles that somebody else has made and signed"""
        directory = os.environ.get('CALIPTRA_GENUINE_DIR')
        if not directory:
            self.skipTest('CALIPTRA_GENUINE_DIR is not set')
        paths = glob.glob(os.path.join(directory, '**', '*caliptra-fw*.bin'),
                          recursive=True)
        self.assertTrue(paths, 'no bundle there')
        for path in paths:
            with self.subTest(path=path):
                status, text = self.run_tool('show', path)
                self.assertEqual(status, 0, text)
                self.assertEqual(text.count('  good\n'), 7)
                fuses = image.Bundle(common.read_file(path)).required_fuses()
                self.path('fuses.json', common.fuses_text(fuses).encode())
                self.assertEqual(self.run_tool(
                    'verify', path, '--fuses', self.path('fuses.json'))[0], 0)


if __name__ == '__main__':
    unittest.main()
