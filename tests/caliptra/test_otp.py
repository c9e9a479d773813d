#!/usr/bin/env python3
#
# OTP images: known answers, malformed files, the tool
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""scripts/caliptra/otp.py

The digests of the images here are those of images that ASPEED's otptool
2.3.0 has made of the same configurations.  A folder shared/vectors/otp beside
the checkout may have more: NAME.json, NAME.image, NAME.bin, NAME.fuses.txt.
"""

import contextlib
import glob
import hashlib
import io
import json
import os
import re
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))
import bundle as bundle_tool        # noqa: E402
import caliptra_keys as keys        # noqa: E402
import caliptra_otp as otp_file     # noqa: E402
import otp as tool                  # noqa: E402
from caliptra_common import (ToolError, check_fuse,     # noqa: E402
                             load_fuses)
from caliptra_otp import BadImage, Otp                  # noqa: E402

VECTORS = os.path.join(HERE, '..', '..', '..', 'shared', 'vectors', 'otp')

VENDOR = bytes.fromhex(
    '66d134972b5f23223cfa49d745a49666a5f750fcdd873a05'
    '1c8ea507330228bab1024a9dcc31074899a7deb3190a539a')
OWNER = bytes.fromhex(
    '124f40b2b2035f15e48782037342d795afc8b36d065d2fea'
    '9afaee724b8b9d53433ec6c1b4dbb9dc2c6f9f71e5f218b6')

# Files that configurations name
KEY_FILES = {
    'vendor.bin': VENDOR,
    'owner.bin': OWNER,
    'owner-old.bin': hashlib.sha256(b'owner-old/0').digest() +
    hashlib.sha256(b'owner-old/1').digest()[:16],
    'field-entropy.bin': hashlib.sha256(b'field-entropy/0').digest(),
}


def owner_key(number, word, file='owner.bin'):
    return {'key_file': file, 'type': 'cal_own_pub_hash', 'w_offset': word,
            'number_id': number}


# name -> configuration, SHA-256 of .image and .bin, registers of Caliptra
# that are not 0 (offset in soc_ifc: number, or words in a row), OTPCFG
# words, secure boot
KNOWN = {
    'demo': (
        {'strap_region': {'En_SecBoot': {'value': True, 'protect': False}},
         'config_region': {'enable_secure_boot': True,
                           'dev_life_cycle_state': '0x3'},
         'secure_region': {'keys': [owner_key(0, '0x520')]},
         'caliptra_region': {'Manufacture_Key_Hash': 'vendor.bin'}},
        '01e9fee111981808a1769c6d1235376f272403a7df02efb26405722662eb002b',
        'f72250503edc6b404bf87fb13e3d5d9ba7b5e526b79fa186ba0f214583ac3b86',
        {0x250: VENDOR, 0x284: OWNER, 0x33C: 3},
        {0: 0x0200, 2: 0x0300}, True),
    'manuf': (
        {'config_region': {'dev_life_cycle_state': '0x1'}},
        '391e92583c1d4a6df3daa3de1c6f2e4f587f756b09f7b569a6bf70ee664a48aa',
        '50750a053f34f8529760118db5968322e0a360cfa871274ce13635b396b65f3a',
        {0x33C: 1}, {2: 0x0100}, False),
    'two-owners': (
        {'rbp_region': {'Caliptra_Owner_pk_key_hash_retire': '0x1'},
         'strap_region': {'En_SecBoot': {'value': True, 'protect': True}},
         'config_region': {'dev_life_cycle_state': '0x3',
                           'en_lms_verify': True},
         'secure_region': {'keys': [owner_key(0, '0x520', 'owner-old.bin'),
                                    owner_key(1, '0x538')]},
         'caliptra_region': {'Enable_LMS_verify': True,
                             'Manufacture_Key_Hash': 'vendor.bin'}},
        '723c8f5c86f1bd64d5bb8fe4a8872c8ffa39ea4bafe59f9ae4baf38359f078b3',
        '20bcc0eb2373329fc63adc5c2162288cd4a326f122bb8223ebe203b10da7e996',
        {0x250: VENDOR, 0x284: OWNER, 0x33C: 3, 0x340: 1},
        {2: 0x0700}, True),
    'svn': (
        {'rbp_region': {
            'Caliptra_FMC_Hardware_SVN': '0x00000007',
            'Caliptra_Runtime_Hardware_SVN_0': '0xffffffff',
            'Caliptra_Runtime_Hardware_SVN_1': '0x0000ffff',
            'Caliptra_Runtime_Hardware_SVN_2': '0x0',
            'Caliptra_Runtime_Hardware_SVN_3': '0x0',
            'SoC_FMC_Hardware_SVN_0': '0x00000003',
            'Caliptra_Manufacture_ECC_key_mask': '0x6',
            'Caliptra_Manufacture_LMS_key_mask': '0x80010006'},
         'config_region': {'dev_life_cycle_state': '0x3',
                           'enable_secure_boot': True},
         'secure_region': {'keys': [owner_key(0, '0x520')]},
         'caliptra_region': {'Enable_LMS_verify': True,
                             'Anti-rollback_disable': True,
                             'Field_Entropy': 'field-entropy.bin',
                             'Manufacture_Key_Hash': 'vendor.bin'}},
        'ad57c854db087dd932715b339dda16cca9b43eeb94da87be22cfbbe272171c67',
        'fd025f62ab20ca136beac3e4c6f5af0e9eb69e74206c7cf0bb0dc6bcfc4f788b',
        {0x230: b''.join(KEY_FILES['field-entropy.bin'][i:i + 4][::-1]
                         for i in range(0, 32, 4)),
         0x250: VENDOR, 0x280: 6, 0x284: OWNER, 0x2B4: 7,
         0x2B8: 0xFFFFFFFF, 0x2BC: 0xFFFF, 0x2C8: 1, 0x33C: 3, 0x340: 1,
         0x344: 0x80010006},
        {0: 0x0200, 2: 0x0300}, True),
}

FUSE_REGISTERS = {
    'uds_seed': 0x200, 'field_entropy': 0x230, 'key_manifest_pk_hash': 0x250,
    'key_manifest_pk_hash_mask': 0x280, 'owner_pk_hash': 0x284,
    'fmc_key_manifest_svn': 0x2B4, 'runtime_svn': 0x2B8,
    'anti_rollback_disable': 0x2C8, 'idevid_cert_attr': 0x2CC,
    'idevid_manuf_hsm_id': 0x32C, 'life_cycle': 0x33C, 'lms_verify': 0x340,
    'lms_revocation': 0x344, 'soc_stepping_id': 0x348,
}


def put_words(registers, at, value):
    """A number, or words in a row, each most significant byte first"""
    if isinstance(value, int):
        value = value.to_bytes(4, 'big')
    for i in range(0, len(value), 4):
        registers[at + i] = int.from_bytes(value[i:i + 4], 'big')


def fuse_registers(fuses):
    """Offset in soc_ifc -> word, of all fuses"""
    registers = {}
    for name, value in fuses.items():
        put_words(registers, FUSE_REGISTERS[name], value)
    return registers


def known_registers(sparse):
    registers = dict.fromkeys(range(0x200, 0x34C, 4), 0)
    for at, value in sparse.items():
        put_words(registers, at, value)
    return registers


def write_files(directory, files):
    for name, data in files.items():
        with open(os.path.join(directory, name), 'wb') as f:
            f.write(data)


class ToolCase(unittest.TestCase):

    def setUp(self):
        tmp = tempfile.TemporaryDirectory()
        self.addCleanup(tmp.cleanup)
        self.dir = tmp.name
        write_files(self.dir, KEY_FILES)

    def path(self, name):
        return os.path.join(self.dir, name)

    def read(self, name):
        with open(self.path(name), 'rb') as f:
            return f.read()

    def config(self, regions, name='otp.json'):
        path = self.path(name)
        with open(path, 'w', encoding='utf-8') as f:
            json.dump({'name': 'test', 'version': '2700A1', **regions}, f)
        return path

    def make(self, regions):
        otp = Otp()
        otp_file.put_config(otp, self.config(regions), self.dir)
        return otp

    def run_tool(self, *args):
        """Exit status and output; a ToolError passes through"""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = tool.main(list(args))
        return status, out.getvalue()

    def refuse(self, regions, pattern):
        with self.assertRaisesRegex(ToolError, pattern) as caught:
            self.make(regions)
        text = str(caught.exception)
        self.assertNotIn('\n', text)
        self.assertIn(self.dir, text)


class Known(ToolCase):
    """What otptool makes of the same input, and what the SoC makes of it"""

    def check_mapping(self, otp, registers, conf, secure_boot):
        self.assertEqual(fuse_registers(otp.fuses()), registers)
        for word in range(32):
            self.assertEqual(otp.words[0x400 + word], conf.get(word, 0))
        self.assertEqual(bool(otp.secure_boot()), secure_boot)
        self.assertEqual(otp.lifecycle(), conf.get(2, 0) >> 8 & 3)
        self.assertEqual(otp.debug_locked(), otp.lifecycle() in (1, 3))

    def test_create(self):
        for name, (regions, image, flat, *_) in KNOWN.items():
            with self.subTest(name):
                status, out = self.run_tool(
                    'create', self.config(regions), '--key-dir', self.dir,
                    '-o', self.path('image'), '--flat', self.path('flat'))
                self.assertEqual((status, out), (0, ''))
                for file, digest in (('image', image), ('flat', flat)):
                    self.assertEqual(
                        hashlib.sha256(self.read(file)).hexdigest(), digest)

    def test_mapping(self):
        for name, (regions, _, _, sparse, conf, secure) in KNOWN.items():
            made = self.make(regions)
            for otp in (made, Otp.parse(made.image()),
                        Otp.parse(made.flat())):
                with self.subTest(name, form=otp.form):
                    self.assertEqual(otp.words, made.words)
                    self.check_mapping(otp, known_registers(sparse), conf,
                                       secure)

    def test_vectors(self):
        """Those beside the checkout, if there are any"""
        for path in sorted(glob.glob(os.path.join(VECTORS, '*.json'))):
            stem = path[:-5]
            with self.subTest(os.path.basename(stem)):
                otp = Otp()
                otp_file.put_config(otp, path, self.dir)
                files = {}
                for form, data in (('image', otp.image()),
                                   ('bin', otp.flat())):
                    with open(f'{stem}.{form}', 'rb') as f:
                        files[form] = f.read()
                    self.assertEqual(data, files[form])
                with open(f'{stem}.fuses.txt', encoding='utf-8') as f:
                    text = f.read()
                want = {int(at, 16): int(value, 16) for at, value in
                        re.findall(r'^(0x\w+) = (0x\w+)', text, re.M)}
                self.assertEqual(len(want), 70)
                scu = dict(re.findall(r'^scu1 (\S+) .*?= (\w+)', text, re.M))
                for data in files.values():
                    got = Otp.parse(data)
                    registers = fuse_registers(got.fuses())
                    self.assertEqual({at: registers[at] for at in want},
                                     want)
                    self.assertEqual(got.lifecycle(),
                                     int(scu['0x130[9:8]']))
                    self.assertEqual(got.get(0x400, 32),
                                     int(scu['0x880'], 16))
                    self.assertEqual(got.get(0x402, 32),
                                     int(scu['0x884'], 16))
                    self.assertEqual(len(got.secure_boot()) > 0,
                                     scu['0x010[5]'] == '1')

    def test_all_zero(self):
        otp = Otp.parse(bytes(0x4000))
        self.check_mapping(otp, known_registers({}), {}, False)


class Mapping(unittest.TestCase):
    """From words to fuses, one field at a time"""

    def setUp(self):
        self.otp = Otp()

    def test_numbers(self):
        """Not hashes: low word first; what has no bit in the fuse is lost"""
        for word, at, count in ((0x1C02, 0x230, 8), (0x1C2A, 0x2CC, 24),
                                (0x1C5A, 0x32C, 4), (0x3EA, 0x2B8, 4),
                                (0x3E8, 0x2B4, 1), (0x3F3, 0x344, 1)):
            otp = Otp()
            for i in range(2 * count):
                otp.words[word + i] = 0x1000 + i
            want = {at + 4 * i: (0x1001 + 2 * i) << 16 | 0x1000 + 2 * i
                    for i in range(count)}
            self.assertEqual(fuse_registers(otp.fuses()),
                             known_registers(want))
        for word, at, mask in ((0x3F2, 0x280, 0xF), (0x1C00, 0x340, 1),
                               (0x1C01, 0x2C8, 1)):
            otp = Otp()
            otp.words[word] = 0xFFFF
            self.assertEqual(fuse_registers(otp.fuses()),
                             known_registers({at: mask}))

    def test_straps(self):
        """Each option that is set turns a strap over"""
        for option in range(6):
            self.otp.words[0x423 + 2 * option] = 1
            self.assertEqual(self.otp.strap(), (option + 1) % 2 << 16)
            self.assertEqual(self.otp.secure_boot(),
                             ['strap 16'] * ((option + 1) % 2))

    def test_debug(self):
        for lifecycle in range(4):
            self.otp.put(0x402, lifecycle, 2, 8)
            self.assertEqual(self.otp.debug_locked(), lifecycle in (1, 3))
        self.otp.words[0x432] = 1 << 11
        self.assertTrue(self.otp.debug_locked())    # not valid
        self.otp.words[0x43A] = 1 << 11
        self.assertFalse(self.otp.debug_locked())

    def put_header(self, index, kind, number, word):
        self.otp.put(0x1000 + 2 * index, word << 16 | kind << 4 | number, 32)
        self.otp.put_bytes(0x1000 + word, bytes([index + 1]) * 48)

    def test_owners(self):
        """The first header that is not retired, wherever it is"""
        for index, number in ((3, 2), (7, 0), (79, 15)):
            self.put_header(index, 4, number, 0x200 + 0x18 * index)
        for retired, first in ((0, 3), (4, 7), (5, 79), (0x8005, None),
                               (0x8001, 3)):
            self.otp.words[0x3E3] = retired
            self.assertEqual(self.otp.fuses()['owner_pk_hash'],
                             bytes([first + 1 if first else 0]) * 48)

    def test_vendor_header(self):
        """Only if Caliptra's region has no hash"""
        self.put_header(0, 3, 1, 0x200)
        fuse = 'key_manifest_pk_hash'
        self.assertEqual(self.otp.fuses()[fuse], b'\1' * 48)
        self.otp.words[0x3E2] = 2
        self.assertEqual(self.otp.fuses()[fuse], bytes(48))
        self.otp.words[0x3E2] = 0
        self.otp.words[0x1C29] = 0x3412
        self.assertEqual(self.otp.fuses()[fuse], bytes(46) + b'\x12\x34')

    def test_fuse_file(self):
        """A fuse file and back"""
        fuses = Otp().fuses()
        for i, (name, value) in enumerate(fuses.items()):
            if name in ('uds_seed', 'soc_stepping_id'):
                continue
            fuses[name] = bytes(range(i, i + len(value))) \
                if isinstance(value, bytes) else 1
        self.otp.put_fuses(fuses)
        self.assertEqual(self.otp.fuses(), fuses)
        self.assertEqual(self.otp.regions,
                         {'RBP', 'CONF', 'SECURE', 'CALIPTRA'})
        self.assertEqual(Otp.parse(self.otp.image()).fuses(), fuses)
        with self.assertRaisesRegex(ToolError, 'uds_seed is not in the OTP'):
            Otp().put_fuses({'uds_seed': b'\1' * 48})


class Malformed(ToolCase):
    """Damaged images: each is refused with one line"""

    def setUp(self):
        super().setUp()
        self.image = self.make(KNOWN['svn'][0]).image()

    def bad(self, data, pattern):
        with self.assertRaisesRegex(BadImage, pattern):
            Otp.parse(bytes(data))

    @staticmethod
    def seal(data):
        end = struct.unpack_from('<H', data, 0x10)[0]
        data[end:end + 48] = hashlib.sha384(data[:end]).digest()
        return data

    def test_truncated(self):
        for size in range(len(self.image)):
            self.bad(self.image[:size],
                     '^not an OTP image' if size < 8 else '^truncated: ')
        flat = self.make(KNOWN['svn'][0]).flat()
        for size in range(len(flat)):
            self.bad(flat[:size], '^not an OTP image')

    def test_flipped(self):
        for at in range(0, len(self.image)):
            data = bytearray(self.image)
            data[at] ^= 0x10
            self.bad(data, '.')

    def test_descriptors(self):
        for i in range(len(otp_file.REGIONS)):
            for delta in (1, 0x10000, -0x10000, 0x7FFF):
                data = bytearray(self.image)
                at = 0x14 + 4 * i
                value = struct.unpack_from('<I', data, at)[0]
                size = value >> 16
                if size == 0 and delta < 0x10000:
                    continue        # where nothing is, nothing is looked at
                struct.pack_into('<I', data, at, value + delta & 0xFFFFFFFF)
                self.bad(self.seal(data), '^region ')
        for bit in range(24, 32):
            data = bytearray(self.image)
            data[0x13] ^= 1 << bit - 24
            self.bad(self.seal(data), '^region ')

    def test_soc(self):
        data = bytearray(self.image)
        data[8] = 8
        self.bad(self.seal(data), '^made for SoC version 8')

    def test_longer(self):
        """Padding is harmless, anything else is not"""
        self.assertEqual(Otp.parse(self.image + bytes(80)).words,
                         Otp.parse(self.image).words)
        self.bad(self.image + b'\1', '^1 bytes follow')

    def test_other_files(self):
        for data, kind in ((b'', 'an empty file'),
                           (b'CMAN' + bytes(100), 'firmware bundle'),
                           (b'{"name": 1}', 'a JSON file'),
                           (b'\xff' * 0x3E00, 'nothing but bytes of 0xff')):
            self.bad(data, kind)

    def test_tool(self):
        write_files(self.dir, {'bad.image': self.image[:-1]})
        for command in ('show', 'verify'):
            status, out = self.run_tool(command, self.path('bad.image'))
            self.assertEqual(status, 1)
            self.assertRegex(out, r'^\S*/bad.image: truncated: [^\n]*\n$')
            with self.assertRaisesRegex(ToolError, 'missing: '):
                self.run_tool(command, self.path('missing'))


class Configurations(ToolCase):
    """otptool's input: what it takes, and what cannot be meant"""

    def test_every_field(self):
        """A field goes to its place and nowhere else"""
        for region, base, fields in (
                ('rbp_region', 0x3E0, otp_file.RBP_FIELDS),
                ('config_region', 0x400, otp_file.CONF_FIELDS)):
            taken = set()
            for name, (word, bit, bits) in fields.items():
                ones = (1 << bits) - 1
                otp = self.make({region: {
                    name: True if bits == 1 else hex(ones)}})
                want = Otp()
                want.put(base + word, ones, bits, bit)
                self.assertEqual(otp.words, want.words, name)
                place = set(range(16 * word + bit, 16 * word + bit + bits))
                self.assertFalse(taken & place, name)
                taken |= place
                if bits > 1:
                    self.refuse({region: {name: hex(ones + 1)}},
                                f'{re.escape(name)}: .* does not fit into '
                                f'{bits} bits')

    def test_every_strap(self):
        for region, flag, base, second, fields in (
                ('strap_region', 'protect', 0x422, 0x420,
                 otp_file.STRAP_FIELDS),
                ('strap_ext_region', 'valid', 0x430, 0x438,
                 otp_file.STRAPEXT_FIELDS)):
            for name, (word, bit, bits) in fields.items():
                if region != 'strap_region' and \
                        name in otp_file.STRAP_FIELDS:
                    self.refuse({region: {name: {'value': True,
                                                 flag: True}}},
                                'otptool ignores')
                    continue
                ones = (1 << bits) - 1
                for marked in (False, True):
                    otp = self.make({region: {name: {
                        'value': True if bits == 1 else hex(ones),
                        flag: marked}}})
                    want = Otp()
                    want.put(base + word, ones, bits, bit)
                    want.put(second + word, ones * marked, bits, bit)
                    self.assertEqual(otp.words, want.words, name)
                    self.assertEqual(Otp.parse(otp.image()).words,
                                     otp.words)
                    self.assertEqual(Otp.parse(otp.flat()).words, otp.words)

    def test_key_types(self):
        pem = keys.dev_ecc_key(0)
        write_files(self.dir, {
            'ecc.pem': pem.pem(), 'lms.pub': bytes(range(52)),
            'vault': bytes(range(32)), 'oem': b'OEM!' * 5})
        x = int.from_bytes(keys.hw_words(pem.public[:48]), 'big')
        for kind, file, number, data in (
                ('soc_ecdsa_pub', 'ecc.pem', 1,
                 x.to_bytes(48, 'big') + keys.hw_words(pem.public[48:])),
                ('soc_lms_pub', 'lms.pub', 2, bytes(range(4, 52))),
                ('cal_own_pub_hash', 'owner.bin', 4, OWNER),
                ('soc_vault', 'vault', 5, bytes(range(32))),
                ('soc_vault_seed', 'vault', 6, bytes(range(32))),
                ('oem_type0', 'oem', 1 << 3, b'OEM!' * 5),
                ('oem_type6', 'oem', 7 << 3, b'OEM!' * 5)):
            otp = self.make({'secure_region': {'keys': [
                {'type': 'reserved'},
                {'type': kind, 'key_file': file, 'w_offset': '0x123',
                 'number_id': 9}]}})
            want = Otp()
            want.put(0x1002, 0x01230009 | number << 4, 32)
            want.put_bytes(0x1123, data)
            self.assertEqual(otp.words, want.words)

    def test_rom(self):
        write_files(self.dir, {'rom': bytes(range(10))})
        otp = self.make({'rom_region': {'file_name': 'rom',
                                        'w_offset': '0x3db'}})
        self.assertEqual(otp.words[0x3DB:0x3E0],
                         [0x100, 0x302, 0x504, 0x706, 0x908])
        self.assertEqual(self.make({'rom_region': {}}).regions, set())
        self.refuse({'rom_region': {'file_name': 'rom',
                                    'w_offset': '0x3dc'}}, 'beyond the ROM')

    def test_comments(self):
        path = self.path('c.json')
        with open(path, 'w', encoding='utf-8') as f:
            f.write('''{ // of a line, "quoted"
                "name": "with // and /* in it", /* of
                several lines */
                "version": "2700A1",
                "config_region": {"enable_secure_boot": true,},
            }''')
        otp = Otp()
        otp_file.put_config(otp, path, self.dir)
        self.assertEqual(otp.words[0x400], 0x200)

    def test_refused(self):
        def key(**changes):
            return {'secure_region': {'keys': [{**owner_key(0, '0x520'),
                                                **changes}]}}
        for regions, why in (
                ({'version': '2700A2'}, 'must be "2700A1"'),
                ({'user_region': {}}, 'no region is called'),
                ({'config_region': []}, 'not a JSON object'),
                ({'config_region': {'secure': True}}, 'no field is called'),
                ({'config_region': {'enable_secure_boot': '0x1'}},
                 'neither true nor false'),
                ({'config_region': {'dev_life_cycle_state': 3}},
                 'not a hexadecimal string'),
                ({'config_region': {'dev_life_cycle_state': '-0x1'}},
                 'does not fit'),
                ({'rbp_region': {'Caliptra_Manufacture_pk_key_hash_retire':
                                 '0x0'}}, 'no field is called'),
                ({'strap_region': {'En_SecBoot': True}}, 'must have "value"'),
                ({'strap_region': {'ABR': {'value': True,
                                           'protect': False}}},
                 'no strap is called'),
                (key(type='cal_manu_pub_hash'), 'no key type is called'),
                (key(type='oem_type7'), 'no key type is called'),
                (key(number_id=16), 'number_id must be'),
                (key(number_id=-1), 'number_id must be'),
                (key(w_offset='0x9f'), 'are not within'),
                (key(w_offset='0xbe9'), 'are not within'),
                (key(w_offset='0x1000'), 'does not fit into 12 bits'),
                (key(w_offset=None), 'not a hexadecimal string'),
                (key(key_file='none'), 'none: No such file'),
                (key(key_file=None), 'not the name of a file'),
                (key(key_file='field-entropy.bin'), 'gives 32 bytes'),
                ({'secure_region': {'keys': [{'type': 'reserved'}] * 81}},
                 'can have 80'),
                ({'secure_region': {'key': []}}, 'must have "keys"'),
                ({'caliptra_region': {'Manufacture_Key_Hash':
                                      'field-entropy.bin'}}, '32 bytes'),
                ({'caliptra_region': {'Field_Entropy': 'owner.bin'}},
                 '48 bytes'),
                ({'caliptra_region': {'Enable_LMS_verify': 1}},
                 'neither true nor false'),
                ({'caliptra_region': {'Owner': 'owner.bin'}},
                 'no field is called')):
            with self.subTest(why, regions=regions):
                self.refuse(regions, why)
        write_files(self.dir, {'bad.json': b'{"version": '})
        with self.assertRaisesRegex(ToolError, 'bad.json: not JSON'):
            otp_file.put_config(Otp(), self.path('bad.json'), self.dir)


class Tool(ToolCase):

    def create(self, name, *args):
        path = self.path(name)
        status, _ = self.run_tool('create', '--key-dir', self.dir, '-o',
                                  path, *args)
        self.assertEqual(status, 0)
        return path

    def test_show(self):
        path = self.create('svn.image', self.config(KNOWN['svn'][0]))
        status, out = self.run_tool('show', path, '--fuses',
                                    self.path('fuses.json'))
        self.assertEqual(status, 0)
        for text in ('OTP image for AST2700A1, otptool 2.3.0',
                     'life cycle       production', 'debug            locked',
                     'secure boot      on: OTPCFG0[9]', VENDOR.hex(),
                     OWNER.hex(), 'key 0, id 0', 'Field_Entropy = set'):
            self.assertIn(text, out)
        entropy = KEY_FILES['field-entropy.bin']
        self.assertNotIn(entropy.hex(), out)
        self.assertNotIn('usb_uart0_mode', out)
        self.assertEqual(
            fuse_registers(load_fuses(self.path('fuses.json'))),
            known_registers(KNOWN['svn'][3]))
        status, out = self.run_tool('show', '--all', path)
        self.assertIn(entropy.hex(), out)
        self.assertIn('usb_uart0_mode = 0x0', out)

    def test_secrets_of_vaults(self):
        write_files(self.dir, {'vault': bytes(range(1, 33))})
        path = self.create('vault.image', self.config(
            {'secure_region': {'keys': [
                {'type': 'soc_vault', 'key_file': 'vault',
                 'w_offset': '0x500'}]}}))
        status, out = self.run_tool('show', path)
        self.assertEqual(status, 0)
        self.assertNotIn(bytes(range(1, 33)).hex(), out)

    def test_problems(self):
        """verify, and show, say what will not work"""
        def header(index, value):
            return index, value
        for words, why in (
                ({0x402: 0x0200}, 'life cycle 2 is reserved'),
                ({0x402: 0x0300}, 'no vendor key hash'),
                ({0x1000: 0x0000, 0x1001: 0x0200}, 'no type that is known'),
                ({0x1000: 0x0010, 0x1001: 0x0010}, 'within the headers'),
                ({0x1000: 0x0010, 0x1001: 0x0BE0}, 'beyond the region'),
                ({0x1000: 0x0010, 0x1001: 0x0200, 0x1002: 0x0010,
                  0x1003: 0x0300}, 'has the type and id of key 0'),
                ({0x1000: 0x0010, 0x1001: 0x0200, 0x1002: 0x0011,
                  0x1003: 0x021F}, 'overlaps key 0'),
                ({0x1000: 0x0040, 0x1001: 0x0200}, 'the hash is zero'),
                ({0x1000: 0x0040, 0x1001: 0x0200, 0x1200: 1, 0x3E3: 1},
                 'all owner key hashes are retired')):
            with self.subTest(why):
                otp = Otp()
                for word, value in words.items():
                    otp.words[word] = value
                # straight into the flat form
                write_files(self.dir, {'bad.bin': otp.flat()})
                status, out = self.run_tool('verify', self.path('bad.bin'))
                self.assertEqual(status, 1)
                self.assertRegex(out, rf'bad.bin: .*{why}')
                self.assertIn('\n', out[-1])
                status, out = self.run_tool('show', self.path('bad.bin'))
                self.assertEqual(status, 1)
                self.assertRegex(out, f'problem: .*{why}')

    def test_bundle(self):
        """A bundle, the OTP for it, and one that does not fit"""
        fw, fuses = self.path('fw.bin'), self.path('fuses.json')
        bundle_tool.main(['create', '-o', fw, '--fuses', fuses, '--lms',
                          'off'])
        path = self.create('otp.image', '--fuses', fuses, '--secure-boot')
        status, out = self.run_tool('verify', path, '--bundle', fw)
        self.assertEqual((status, out),
                         (0, f'{path}: good, {fw} accepted\n'))
        otp = otp_file.load_otp(path)
        self.assertEqual(otp.lifecycle(), 3)
        self.assertEqual(otp.secure_boot(), ['OTPCFG0[9]'])
        path = self.create('other.image', self.config(KNOWN['demo'][0]))
        status, out = self.run_tool('verify', path, '--bundle', fw)
        self.assertEqual(status, 1)
        self.assertRegex(out, 'fw.bin: refused with .*: '
                         'IMAGE_VERIFIER_ERR_VENDOR_PUB_KEY_DIGEST_MISMATCH '
                         r'\(0x000B0003\)|VENDOR_PUB_KEY')

    def test_create_arguments(self):
        with self.assertRaisesRegex(ToolError, '--fuses is needed'):
            self.run_tool('create', '-o', self.path('x'))
        with self.assertRaisesRegex(ToolError, '-o or --flat'):
            self.run_tool('create', self.config({}))
        path = self.create('lc.image', self.config(KNOWN['demo'][0]),
                           '--lifecycle', 'manufacturing')
        self.assertEqual(otp_file.load_otp(path).lifecycle(), 1)

    def test_check_fuse_forms(self):
        """Fuses come back in the form that fuse files have"""
        for name, value in Otp().fuses().items():
            text = value.hex() if isinstance(value, bytes) else value
            self.assertEqual(check_fuse(name, text), value)


if __name__ == '__main__':
    unittest.main()
