#!/usr/bin/env python3
#
# Boot flashes of the AST27x0: layout, every refusal, the tool
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""scripts/caliptra/flash.py

Containers that ASPEED's cptra_imgtool has made are not part of the
repository: $CALIPTRA_VECTORS/flash has them, with what must be found in each
in a JSON file beside it.  CALIPTRA_GENUINE_DIR may name a directory with the
bundle that goes with them (*caliptra-fw*.bin).
"""

import contextlib
import glob
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
TOOLS = os.path.join(HERE, '..', '..', 'scripts', 'caliptra')
sys.path.insert(0, TOOLS)
import bundle as bundle_tool        # noqa: E402
import caliptra_flash as layout     # noqa: E402
import caliptra_keys as keys        # noqa: E402
import flash as tool                # noqa: E402
import manifest                     # noqa: E402
import otp as otp_tool              # noqa: E402
import replay                       # noqa: E402
from caliptra_common import ToolError, le32     # noqa: E402
from caliptra_otp import STRAP, Otp             # noqa: E402

from cryptography.hazmat.primitives import serialization    # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec, utils  # noqa: E402

# A container of two images, signed with the development keys, whose
# signatures are deterministic
KNOWN_SHA384 = ('25358c723f36bd9cf972a537a2ab9358e2ca21fabc6417ca54ede2999cbd'
                '624b0ebf1fad3edb5ba5de213640b3421c7d')

LOADED = ['ATF', 'OP-TEE', 'U-Boot', 'SSP', 'TSP']


def payload(name, size):
    """What the dummy images of the recorded containers are"""
    stream = b''
    while len(stream) < size:
        n = len(stream) // 32
        stream += hashlib.sha256(f'ast2700-flash-1/{name}/{n}'.encode()) \
            .digest()
    return stream[:size]


class ToolCase(unittest.TestCase):

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

    def create(self, *argv, name='flash.img', images=('atf', 'u-boot')):
        options = []
        for image in images:
            options += ['--image',
                        f'{image}={self.path(image, image.encode() * 9)}']
        self.run_tool('create', '-o', self.path(name), '--size', '0',
                      *options, *argv)
        return bytearray(self.read(name))

    def create_bundle(self, *argv):
        with contextlib.redirect_stdout(io.StringIO()):
            bundle_tool.main(['create', '-o', self.path('fw.bin'), '--fuses',
                              self.path('fuses.json'), *argv])
        return self.path('fw.bin')

    def verdict(self, data, *argv):
        """Status and line of verify, the file's name cut off"""
        path = self.path('checked.img', data)
        status, text = self.run_tool('verify', path, '--fuses',
                                     self.path('fuses.json'), *argv)
        self.assertEqual(text.count('\n'), 1)
        return status, text[len(path) + 2:-1]


class FilesTest(ToolCase):
    """The tools as a user calls them: what they do with bad names"""

    def call(self, script, *argv):
        process = subprocess.run(
            [sys.executable, os.path.join(TOOLS, script), *argv],
            check=False, capture_output=True, encoding='utf-8', timeout=60)
        return process.returncode, process.stderr

    def test_fifo(self):
        """Nobody is waited for"""
        os.mkfifo(self.path('fifo'))
        for script, *argv in (('bundle.py', 'show'), ('otp.py', 'show'),
                              ('manifest.py', 'show'), ('flash.py', 'show')):
            with self.subTest(script=script):
                self.assertEqual(
                    self.call(script, *argv, self.path('fifo')),
                    (2, f'{script}: {self.path("fifo")}: not a regular '
                        'file\n'))

    def test_same(self):
        """No command writes over what it has read or written"""
        fw = self.create_bundle()
        before = self.read('fw.bin')
        other = self.path('other.bin')
        for script, *argv in (
                ('flash.py', 'create', '-o', fw, '--bundle', fw, '--size',
                 '0'),
                ('bundle.py', 'create', '-o', other, '--fuses', other),
                ('otp.py', 'create', '--fuses', self.path('fuses.json'),
                 '-o', other, '--flat', other)):
            with self.subTest(script=script):
                name = argv[argv.index('-o') + 1]
                self.assertEqual(self.call(script, *argv),
                                 (2, f'{script}: {name}: is another file of '
                                     'this command, too\n'))
        self.assertEqual(self.read('fw.bin'), before)


class ContainerTest(unittest.TestCase):
    """caliptra_flash.Container"""

    def setUp(self):
        self.good = bytearray(layout.build_container(
            [(0x1000 + n, bytes([n]) * 16) for n in range(3)]))

    def seal(self, data):
        struct.pack_into('<I', data, 8, layout.crc(data[:8]))
        return data

    def refused(self, data, text):
        with self.assertRaises(ToolError) as e:
            layout.Container(bytes(data))
        self.assertIn(text, str(e.exception))

    def test_good(self):
        container = layout.Container(bytes(self.good))
        self.assertTrue(container.payload_good)
        self.assertEqual(container.size, len(self.good))
        self.assertEqual(container.content(container.find(0x1001)),
                         b'\1' * 16)
        self.assertIsNone(container.find(0x1003))
        # more behind it does no harm
        self.assertTrue(layout.Container(self.good + b'xyz').payload_good)

    def test_truncated(self):
        for size in range(16):
            self.refused(self.good[:size], 'header is cut short')
        for size in range(16, 52):
            self.refused(self.good[:size], 'table is cut short')
        for size in range(52, len(self.good)):
            self.refused(self.good[:size], 'outside the flash')

    def test_header(self):
        for bit in range(96):
            data = bytearray(self.good)
            data[bit // 8] ^= 1 << bit % 8
            self.refused(data, 'no FLSH' if bit < 32 else 'header CRC')
        for version in (0, 2, 0xFFFF):
            data = bytearray(self.good)
            struct.pack_into('<H', data, 4, version)
            self.refused(self.seal(data), 'version')
        for count in (0, 128, 0xFFFF):
            data = bytearray(self.good)
            struct.pack_into('<H', data, 6, count)
            self.refused(self.seal(data), 'must be 1 to 127')

    def test_counts(self):
        images = [(n, b'') for n in range(128)]
        for count in (1, 127):
            data = layout.build_container(images[:count])
            self.assertEqual(len(layout.Container(data).images), count)
        for count in (0, 128):
            with self.assertRaises(ToolError):
                layout.build_container(images[:count])

    def test_table(self):
        for offset, size, text in (
                (0, 1, 'over the table'), (51, 1, 'over the table'),
                (84, 17, 'outside'), (100, 1, 'outside'),
                (0xFFFFFFFF, 0xFFFFFFFF, 'outside'), (52, 16, 'overlap'),
                (83, 2, 'overlap'), (70, 1, 'overlap')):
            data = bytearray(self.good)
            struct.pack_into('<II', data, 16 + 24 + 4, offset, size)
            with self.subTest(offset=offset, size=size):
                self.refused(data, text)
        # empty: nowhere
        for offset in (0, 0xFFFFFFFF):
            data = bytearray(self.good)
            struct.pack_into('<II', data, 16 + 24 + 4, offset, 0)
            layout.Container(bytes(data))
        data = bytearray(self.good)
        struct.pack_into('<I', data, 16 + 24, 0x1000)
        self.refused(data, 'twice')

    def test_payload_crc(self):
        self.good[-1] ^= 1
        self.assertFalse(layout.Container(bytes(self.good)).payload_good)


class StoredManifestTest(unittest.TestCase):

    def test_there_and_back(self):
        converted = bytes(i * 7 + i // 256 & 0xFF
                          for i in range(layout.CALIPTRA_SIZE))
        signatures = b'\xaa' * layout.SVN_SIZE
        data = layout.to_stored(converted, 0x12345678, signatures)
        self.assertEqual(len(data), layout.STORED_SIZE)
        self.assertEqual(layout.from_stored(data), converted)
        self.assertEqual(le32(data, layout.SEC_VERSION), 0x12345678)
        self.assertEqual(data[layout.SVN_SIGNATURES:][:layout.SVN_SIZE],
                         signatures)
        self.assertEqual(data[:12] + data[16:20], converted[:16])
        with self.assertRaises(ToolError):
            layout.from_stored(data[:-1])

    def test_swap_q(self):
        data = bytes(range(200))
        self.assertEqual(layout.swap_q(data)[96:100], b'cba`')
        self.assertEqual(layout.swap_q(layout.swap_q(data)), data)


class CreateTest(ToolCase):

    def test_known_answer(self):
        """The same input gives the same bytes"""
        data = self.create('--layout', 'container')
        self.assertEqual(hashlib.sha384(data).hexdigest(), KNOWN_SHA384)

    def test_a1(self):
        fw = self.create_bundle()
        data = self.create('--bundle', fw)
        flash = layout.Flash(bytes(data))
        self.assertEqual((flash.layout, flash.offset), ('a1', 0x100000))
        self.assertEqual(flash.bundle.rstrip(b'\0'),
                         self.read('fw.bin').rstrip(b'\0'))
        container = flash.container
        self.assertEqual([image.identifier for image in container.images],
                         [1, 2, 3] + list(range(0x1000, 0x100D)))
        self.assertEqual(container.content(container.find(0x1008)),
                         b'atf' * 9 + b'\0')
        self.assertEqual(self.verdict(data), (0, 'boots: ATF, U-Boot'))

    def test_a2(self):
        fw = self.create_bundle()
        data = self.create('--bundle', fw, '--layout', 'a2')
        flash = layout.Flash(bytes(data))
        self.assertEqual((flash.layout, flash.offset), ('a2', 0))
        self.assertEqual(flash.bundle, self.read('fw.bin'))
        self.assertEqual(self.verdict(data), (0, 'boots: ATF, U-Boot'))

    def test_size(self):
        """The whole chip by default, without taking the space"""
        fw = self.create_bundle()
        out = self.path('whole.img')
        self.run_tool('create', '-o', out, '--bundle', fw)
        self.assertEqual(os.stat(out).st_size, 128 << 20)
        self.assertLess(os.stat(out).st_blocks * 512, 1 << 20)

    def test_keys(self):
        """PEM and LMS key files; the development keys do not verify then"""
        scalar = 0x1234567
        pem = self.path('key.pem', ec.derive_private_key(
            scalar, ec.SECP384R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))
        ident, seed, _ = keys.DEV_LMS[2]
        lms = self.path('key.lms', struct.pack('>II', 12, 7) + ident + seed)
        fw = self.create_bundle('--owner-ecc-key', pem,
                                '--owner-lms-key', lms)
        options = ['--owner-fw-ecc-key', pem, '--owner-fw-lms-key', lms]
        data = self.create('--bundle', fw, *options)
        self.assertEqual(self.verdict(data)[0], 0)
        self.assertEqual(self.verdict(self.create('--bundle', fw)),
                         (1, 'held: SoC manifest refused: RUNTIME_AUTH_MANIF'
                          'EST_OWNER_ECC_SIGNATURE_INVALID (0x000E0049)'))

    def test_vendor_signature(self):
        """Of a vendor who keeps the key"""
        fw = self.create_bundle()
        key = keys.dev_ecc_key(0)
        signed = struct.pack('<II', 1, 0) + bytes(manifest.KEYS_SIZE)
        signature = key.sign(keys.sha384(signed))
        der = self.path('vendor.der', utils.encode_dss_signature(*(
            int.from_bytes(tool.hw_words(part), 'big')
            for part in (signature[:48], signature[48:]))))
        lms = self.path('vendor.lms',
                        keys.dev_lms_key(0).sign(keys.sha384(signed)))
        data = self.create('--bundle', fw, '--vendor-ecc-signature', der,
                           '--vendor-lms-signature', lms)
        self.assertEqual(self.verdict(data)[0], 0)
        data = self.create('--bundle', fw, '--vendor-ecc-signature', der)
        self.assertIn('VENDOR_LMS_SIGNATURE', self.verdict(data)[1])

    def test_no_lms(self):
        fw = self.create_bundle('--lms', 'off')
        data = self.create('--bundle', fw, '--no-lms')
        self.assertEqual(self.verdict(data)[0], 0)

    def test_user_errors(self):
        fw = self.create_bundle()
        big = self.path('big', bytes((512 << 10) + 1))
        out = self.path('out')
        for argv in ((),
                     ('--layout', 'container', '--bundle', fw),
                     ('--bundle', '/nonexistent'),
                     ('--bundle', big),
                     ('--bundle', self.path('cut', self.read(fw)[:2000])),
                     ('--bundle', self.path('less', self.read(fw)[:-4])),
                     ('--bundle', fw, '--image', 'atf'),
                     ('--bundle', fw, '--image', f'bl31={fw}'),
                     ('--bundle', fw, '--image', f'atf={big}'),
                     ('--bundle', fw, '--image', f'atf={fw}', '--image',
                      f'atf={fw}'),
                     ('--bundle', fw, '--size', '4096'),
                     ('--bundle', fw, '--vendor-lms-signature', fw),
                     ('--bundle', fw, '--vendor-ecc-signature', fw)):
            with self.subTest(argv=argv), self.assertRaises(ToolError) as e:
                self.run_tool('create', '-o', out, *argv)
            self.assertNotIn('\n', str(e.exception))
        short = self.path('short', b'FLSH')
        for argv in (('show', short), ('show', big), ('verify', short),
                     ('verify', '/nonexistent'), ('verify', fw, '--otp', big)):
            with self.subTest(argv=argv), self.assertRaises(ToolError) as e:
                self.run_tool(*argv)
            self.assertNotIn('\n', str(e.exception))
            self.assertEqual(str(e.exception).count(argv[-1]), 1)


class VerifyTest(ToolCase):
    """What holds the cores, and what does not"""

    # in the flash: the stored manifest, the first byte behind it
    MANIFEST = 0x100000 + 208
    IMAGES = MANIFEST + layout.STORED_SIZE

    def setUp(self):
        super().setUp()
        self.create_bundle()
        self.good = self.create('--bundle', self.path('fw.bin'),
                                images=('dp', 'atf', 'optee', 'u-boot',
                                        'ssp', 'tsp'))

    def flipped(self, offset):
        data = bytearray(self.good)
        data[offset] ^= 1
        return data

    def test_good(self):
        self.assertEqual(self.verdict(self.good),
                         (0, 'boots: ' + ', '.join(LOADED)))

    def test_flipped(self):
        refused = 'SoC manifest refused: RUNTIME_'
        images = layout.Flash(bytes(self.good)).container
        offsets = {image.identifier: 0x100000 + image.offset
                   for image in images.images}
        cases = [(8, 'firmware refused: IMAGE_VERIFIER_'),
                 (0x1740, 'firmware refused: IMAGE_VERIFIER_'),
                 (0x100000, 'no FLSH container')]
        cases += [(self.MANIFEST + offset, refused + text)
                  for offset, text in (
                      (0, 'INVALID_AUTH_MANIFEST_MARKER'),
                      (4, 'AUTH_MANIFEST_PREAMBLE_SIZE_MISMATCH'),
                      (8, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (16, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (20, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (164, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (164 + 96, 'AUTH_MANIFEST_VENDOR_LMS'),
                      (1880, 'AUTH_MANIFEST_OWNER_ECC'),
                      (2024, 'AUTH_MANIFEST_OWNER_ECC'),
                      (2024 + 96, 'AUTH_MANIFEST_OWNER_LMS'),
                      (5456, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (5456 + 96, 'AUTH_MANIFEST_VENDOR_LMS'),
                      (7172, 'AUTH_MANIFEST_OWNER_ECC'),
                      (7172 + 96, 'AUTH_MANIFEST_OWNER_LMS'))]
        cases += [(self.MANIFEST + 8892 + 56 * n + 8,
                   refused + 'AUTH_MANIFEST_VENDOR_ECC')
                  for n in (0, 9, 13, 126)]
        cases += [(offsets[kind.identifier],
                   f'{kind.name} (fw id {kind.fw_id}): its digest')
                  for kind in layout.KINDS if kind.address is not None]
        for offset, text in cases:
            with self.subTest(offset=hex(offset)):
                status, line = self.verdict(self.flipped(offset))
                self.assertEqual(status, 1)
                self.assertIn(f'held: {text}', line)

    def test_not_checked(self):
        """Nobody looks at these when the machine boots"""
        dp = layout.Flash(bytes(self.good)).container.find(0x1006).offset
        for offset in (self.MANIFEST + layout.SEC_VERSION,
                       self.MANIFEST + layout.SVN_SIGNATURES,
                       0x10000C, 0x100000 + dp):
            with self.subTest(offset=hex(offset)):
                self.assertEqual(self.verdict(self.flipped(offset))[0], 0)

    def test_secure_boot_off(self):
        """The firmware bundle is checked, nothing else"""
        for offset in (self.MANIFEST, self.MANIFEST + 8, self.MANIFEST + 7172,
                       self.IMAGES, len(self.good) - 1):
            with self.subTest(offset=hex(offset)):
                self.assertEqual(
                    self.verdict(self.flipped(offset), '--secure-boot',
                                 'off'), (0, 'boots: ' + ', '.join(LOADED)))
        self.assertEqual(self.verdict(self.flipped(8), '--secure-boot',
                                      'off')[0], 1)

    def test_unsigned(self):
        data = self.create('--bundle', self.path('fw.bin'), '--unsigned')
        self.assertIn('VENDOR_ECC_SIGNATURE_INVALID', self.verdict(data)[1])
        self.assertEqual(self.verdict(data, '--secure-boot', 'off')[0], 0)

    def test_unlisted(self):
        """An image that the manifest does not name is not loaded"""
        data = self.create('--bundle', self.path('fw.bin'), '--unlisted',
                           'u-boot')
        self.assertEqual(self.verdict(data), (0, 'boots: ATF'))
        data = self.create('--bundle', self.path('fw.bin'), '--unlisted',
                           'atf')
        self.assertIn('no ATF', self.verdict(data)[1])

    def test_old_firmware(self):
        self.create_bundle('--fuse-rt-svn', '3', '--rt-svn', '3')
        line = self.verdict(self.good)[1]
        self.assertIn('RUNTIME_SVN_LESS_THAN_FUSE', line)

    def test_otp(self):
        """Fuses, life cycle and secure boot out of an OTP image"""
        for options, line in (
                (('--secure-boot',), 'held: SoC manifest refused'),
                ((), 'boots: ATF, U-Boot')):
            otp = self.path('otp.image')
            otp_tool.main(['create', '--fuses', self.path('fuses.json'),
                           '-o', otp, *options])
            data = self.create('--bundle', self.path('fw.bin'), '--unsigned')
            path = self.path('unsigned.img', data)
            self.assertIn(line, self.run_tool('verify', path, '--otp',
                                              otp)[1])
        otp_tool.main(['create', '--fuses', self.path('fuses.json'), '-o',
                       otp, '--lifecycle', 'manufacturing'])
        path = self.path('bad.img', self.flipped(8))
        self.assertIn('firmware refused', self.run_tool('verify', path,
                                                        '--otp', otp)[1])

    def test_disabled(self):
        """A strap that turns Caliptra off: nobody refuses, nobody checks"""
        data = self.create('--bundle', self.path('fw.bin'), '--unsigned')
        # a bundle that Caliptra would not take
        data[8] ^= 1
        path = self.path('off.img', data)
        for secure, line in ((0, 'boots: ATF, U-Boot'),
                             (1, 'held: secure boot is on: Caliptra is '
                                 'disabled by a strap')):
            otp = Otp()
            otp.put(STRAP + 2, 1 << 31 | secure << 16, 32)
            self.assertIn(line, self.run_tool(
                'verify', path, '--otp', self.path('otp.bin',
                                                   otp.flat()))[1])

    def test_other_bundle(self):
        data = self.flipped(8)
        self.assertEqual(self.verdict(data, '--bundle',
                                      self.path('fw.bin'))[0], 0)

    def test_show(self):
        out = self.path('flash.img')
        status, text = self.run_tool('show', out)
        self.assertEqual(status, 0)
        for line in ('layout                       a1',
                     'owner security version LMS           good',
                     'vendor endorsement ECDSA             good'):
            self.assertIn(line, text)
        self.assertNotIn('BAD', text)
        self.assertNotIn('NOT THE', text)
        data = self.flipped(self.IMAGES)
        data[self.MANIFEST + layout.SVN_SIGNATURES] ^= 1
        _, text = self.run_tool('show', self.path('bad.img', data))
        self.assertIn("DP firmware                  8", text)
        self.assertIn("NOT THE MANIFEST'S", text)
        self.assertIn('owner security version ECDSA         BAD', text)
        self.assertIn('BAD (the BootMCU does not look at it)', text)


class RecordedTest(ToolCase):
    """Containers of ASPEED's tool"""

    # the file of each image, in the order of the identifiers
    FILES = ('ddr4_pmu_train_imem', 'ddr4_pmu_train_dmem',
             'ddr4_2d_pmu_train_imem', 'ddr4_2d_pmu_train_dmem',
             'ddr5_pmu_train_imem', 'ddr5_pmu_train_dmem', 'dp_fw',
             'uefi_ast2700', 'atf', 'optee', 'u-boot', 'ssp', 'tsp')

    @classmethod
    def setUpClass(cls):
        folder = replay.vectors_dir('flash')
        if not folder:
            raise unittest.SkipTest('no recorded containers here')
        cls.cases = []
        for path in sorted(glob.glob(os.path.join(folder, '*.json'))):
            with open(path, encoding='utf-8') as f:
                expected = json.load(f)
            with open(path[:-5] + '.bin', 'rb') as f:
                data = f.read()
            with open(path[:-5] + '-manifest-caliptra.bin', 'rb') as f:
                converted = f.read()
            cls.cases.append((expected, data, converted))
        cls.bundles = {}
        for path in glob.glob(os.path.join(
                os.environ.get('CALIPTRA_GENUINE_DIR', '/nonexistent'),
                '*caliptra-fw*.bin')):
            with open(path, 'rb') as f:
                data = f.read()
            cls.bundles[hashlib.sha384(data).hexdigest()] = data

    def each(self):
        for expected, data, converted in self.cases:
            with self.subTest(name=expected['name']):
                self.assertEqual(hashlib.sha256(data).hexdigest(),
                                 expected['sha256'])
                yield expected, data, converted

    def test_table(self):
        for expected, data, _ in self.each():
            container = layout.Flash(data).container
            header = expected['header']
            self.assertEqual(
                (container.version, len(container.images),
                 container.header_crc, container.payload_crc),
                (header['version'], header['image_count'],
                 int(header['header_crc'], 0), int(header['payload_crc'], 0)))
            self.assertTrue(container.payload_good)
            for image, row in zip(container.images, expected['table']):
                self.assertEqual(image, (int(row['identifier'], 0),
                                         row['offset'], row['size']))
                if 'fw_id' in row:
                    self.assertEqual(
                        keys.sha384(container.content(image)).hex(),
                        row['sha384'])
                    kind = layout.BY_IDENTIFIER[image.identifier]
                    self.assertEqual((kind.fw_id, kind.name),
                                     (row['fw_id'], row['name']))

    def test_manifest(self):
        for expected, data, converted in self.each():
            soc = tool.SocManifest(layout.Flash(data).container)
            self.assertEqual(soc.converted, converted)
            fields = expected['manifest']
            self.assertEqual(
                (le32(soc.stored, 0), le32(soc.stored, 4),
                 le32(soc.stored, 8), le32(soc.stored, layout.SEC_VERSION),
                 le32(soc.stored, layout.STORED_FLAGS), len(soc.entries)),
                (int(fields['marker'], 0), fields['preamble_size'],
                 fields['version'], fields['sec_version'], fields['flags'],
                 fields['entry_count']))
            for row in fields['entries']:
                self.assertEqual(soc.entries[row['fw_id']],
                                 (int(row['flags'], 0),
                                  bytes.fromhex(row['digest'])))
            self.assertEqual(
                [(kind.fw_id, kind.name, hex(kind.address))
                 for kind in layout.KINDS if soc.loads(kind)],
                [(row['fw_id'], row['name'], row['address'])
                 for row in expected['load_by_bootmcu']])

    def test_signed(self):
        """Which bytes each signature signs"""
        for expected, data, converted in self.each():
            soc = tool.SocManifest(layout.Flash(data).container)
            spans = {
                'vendor endorsement':
                    converted[slice(*manifest.VENDOR_SIGNED)],
                'owner endorsement':
                    converted[slice(*manifest.OWNER_SIGNED)],
                'owner SVN': layout.svn_signed(soc.stored),
                'vendor list': converted[manifest.PREAMBLE_SIZE:],
                'owner list': converted[manifest.PREAMBLE_SIZE:]}
            for name, row in expected['signatures'].items():
                signed = [span for prefix, span in spans.items()
                          if name.startswith(prefix)]
                self.assertEqual(keys.sha384(signed[0]).hex(),
                                 row['signed_sha384'], name)

    def bundle(self, expected):
        self.create_bundle()
        own = self.read('fw.bin')
        return {hashlib.sha384(own).hexdigest(): own, **self.bundles}.get(
            expected['bundle']['sha384'])

    def test_verify(self):
        """What Caliptra answered to the manifest"""
        done = 0
        for expected, data, converted in self.each():
            bundle = self.bundle(expected)
            if not bundle:
                continue
            done += 1
            owner = manifest.firmware_keys(bundle, 'bundle')[1]
            soc = tool.SocManifest(layout.Flash(data).container)
            svn = next(row for name, row in expected['signatures'].items()
                       if name.startswith('owner SVN'))
            self.assertEqual([not why for why in soc.svn_state(owner)],
                             [isinstance(svn[key], list) for key in
                              ('ecc_valid_with', 'lms_valid_with')])
            flash = layout.Flash(bundle + bytes(0x100000 - len(bundle)) +
                                 data)
            for lms in (0, 1):
                answer = expected['product'][f'lms_verify={lms}'][
                    'SET_AUTH_MANIFEST']
                code = manifest.verify(
                    converted, *manifest.firmware_keys(bundle, 'bundle'), lms)
                if 'DATA_READY' in answer:
                    self.assertEqual(code, 0)
                    self.assertEqual(
                        [kind.name for kind in tool.check_container(
                            flash, bundle, True, lms)], LOADED)
                else:
                    self.assertIn(f'0x{code:08x}', answer)
                    with self.assertRaises(tool.Held):
                        tool.check_container(flash, bundle, True, lms)
                self.assertEqual(
                    [kind.name for kind in tool.check_container(
                        flash, bundle, False, lms)], LOADED)
        self.assertGreater(done, 0)

    def test_rebuilt(self):
        """The same images, unsigned: the same container, byte for byte"""
        expected, data, _ = next(case for case in self.cases
                                 if case[0]['name'] == 'flash-unsigned')
        options = []
        for name, kind, row in zip(self.FILES, layout.KINDS,
                                   expected['table'][3:]):
            path = self.path(name, payload(name, row['file_size']))
            options += ['--image', f'{kind.option}={path}']
        self.assertEqual(self.create('--layout', 'container', '--unsigned',
                                     *options, images=()), data)

    def test_tool_shows(self):
        for _, data, _ in self.each():
            status, text = self.run_tool('show', self.path('x.img', data))
            self.assertEqual(status, 0)
            self.assertNotIn('NOT THE', text)


if __name__ == '__main__':
    unittest.main()
