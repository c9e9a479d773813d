#!/usr/bin/env python3
#
# Authorization manifests: known answer, every refusal, the tool
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""scripts/caliptra/manifest.py"""

import contextlib
import io
import os
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, '..', '..', 'scripts', 'caliptra'))
import caliptra_flash as layout     # noqa: E402
import caliptra_keys as keys        # noqa: E402
import manifest                     # noqa: E402
from caliptra_common import ToolError, hw_words     # noqa: E402

# Computed by an independent model: version 1, flags 1, development vendor
# key 0 endorses vendor key 1, the owner key endorses itself; image 1 is
# "abc", image 2 has flags 6 and no digest
KNOWN_SHA384 = ('f0273240196b5513d6fc8aa0f9f98f52169646406421715b5ce7c848b9b2'
                '14b5c5ab76139dfef297ad4fc69c1f1efd24')
KNOWN_DIGESTS = {
    manifest.VENDOR_SIGNED:
        'f3e14f5b68bf5b6d37566a1e27683da7294715fceed6e5b878c89f8df19c735e'
        '5a688a6b0c415139e9154f7a41a3cbeb',
    manifest.OWNER_SIGNED:
        '421275a87a71acf434b4f1076acdd68377d0a315f9e2a29b26b398913e89ff33'
        '006c10dcc4f1bd7467f1e2c41b0a893a',
    (0x1C00, 0x37CC):
        '38def7f23ef389810f5f82c95a837f2eda1c23e2e05b68738f5adc7d30d82fea'
        'b24102e69d6241ffeeeedb091d710eea',
}
# offset of a signature -> its r
KNOWN_R = {
    0x00A0: '1c3ba0fab3b9acc022d0e6acb8c576e33426672d20f9757a973485819bf9c77f'
            'ed50d5d0b3e0ec9cd209ecea18a31431',
    0x07E4: '6d5c9ac50cd42971cbe6b8deaa18717c47d026da594365c26bcdd9dddec78fb7'
            '803ffac8e6e46bfd5273e1ff7dfd5b03',
    0x0E98: '23255339aff3dfdaa403a89e7a0531f89eedc422f6a78b1c7e93d734e2d22c2f'
            '8a035027313eca365a27b0ac13f89f3b',
    0x154C: 'bc5d9ec9d0fe71b9c26287b3fc88fcef7c0ae0e932a084f3d18731545db6ca51'
            'bf21b737915a90766041b2dd26c0dd40',
}


def pair(number):
    return manifest.KeyPair(keys.dev_ecc_key(number),
                            keys.dev_lms_key(number))


VENDOR, VENDOR_MAN, OWNER = pair(0), pair(1), pair(keys.DEV_OWNER)
SIGNERS = (VENDOR, VENDOR_MAN, OWNER, OWNER)
ENTRIES = [(1, 1, keys.sha384(b'abc')), (2, 6, bytes(48))]


def verify(data, lms=1):
    return manifest.verify(bytes(data), VENDOR, OWNER, lms)


class ManifestTest(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.good = manifest.build(1, 1, ENTRIES, *SIGNERS)

    def changed(self, offset, value=None):
        data = bytearray(self.good)
        data[offset] = data[offset] ^ 1 if value is None else value
        return data

    def resigned(self, change):
        data = bytearray(self.good)
        change(data)
        manifest.sign(data, *SIGNERS)
        return data

    def test_known_answer(self):
        for span, digest in KNOWN_DIGESTS.items():
            self.assertEqual(keys.sha384(self.good[slice(*span)]).hex(),
                             digest)
        for offset, r in KNOWN_R.items():
            self.assertEqual(hw_words(self.good[offset:offset + 48]).hex(), r)
        self.assertEqual(keys.sha384(self.good).hex(), KNOWN_SHA384)
        self.assertEqual(len(self.good), 0x37CC)
        self.assertEqual(verify(self.good), 0)

    def test_refused(self):
        """A flipped bit in each part, and the number of its refusal"""
        for offset, error in (
                (0x0000, 0x000E0045),       # marker
                (0x0004, 0x000E0046),       # preamble size
                (0x0008, 0x000E0047),       # version
                (0x0010, 0x000E0047),       # vendor manifest keys
                (0x0090, 0x000E0047),
                (0x00A0, 0x000E0047),       # vendor endorsement
                (0x0120, 0x000E0048),
                (0x0754, 0x000E0049),       # owner manifest keys
                (0x07E0, 0x000E0049),
                (0x07E4, 0x000E0049),       # owner endorsement
                (0x0864, 0x000E004A),
                (0x0E98, 0x000E0047),       # vendor signature of the list
                (0x0F18, 0x000E0048),
                (0x154C, 0x000E0049),       # owner signature of the list
                (0x15CC, 0x000E004A),
                (0x1C08, 0x000E0047),       # the list: vendor looks first
                (0x37CB, 0x000E0047)):
            with self.subTest(offset=hex(offset)):
                self.assertEqual(verify(self.changed(offset)), error)

    def test_lms_off(self):
        for offset in (0x0120, 0x0864, 0x0F18, 0x15CC):
            with self.subTest(offset=hex(offset)):
                self.assertEqual(verify(self.changed(offset), lms=0), 0)

    def test_sizes(self):
        for size, error in ((0, 0x000E004B), (0x1BFF, 0x000E004B),
                            (0x1C00, 0x000E004C), (0x1C03, 0x000E004C),
                            (0x1C04, 0x000E004C), (0x1C73, 0x000E004C)):
            with self.subTest(size=hex(size)):
                self.assertEqual(verify(self.good[:size]), error)
        self.assertEqual(verify(bytes(14337)), 0x000E0009)
        # bytes behind a whole list do not count
        self.assertEqual(verify(self.good + b'xyz'), 0)

    def test_entry_count(self):
        for count, error in ((0, 0x000E004D), (128, 0x000E004D),
                             (255, 0x000E004D)):
            data = self.resigned(
                lambda d, c=count: d.__setitem__(0x1C00, c))
            self.assertEqual(verify(data), error)

    def test_duplicate(self):
        data = self.resigned(lambda d: d.__setitem__(0x1C04 + 56, 1))
        self.assertEqual(verify(data), 0x000E0053)

    def test_vendor_not_required(self):
        data = manifest.build(1, 0, ENTRIES, VENDOR, None, OWNER, OWNER)
        self.assertEqual(verify(data), 0)
        self.assertFalse(any(data[manifest.VENDOR_SIGNATURE:
                                  manifest.OWNER_SIGNATURE]))

    def test_limits_of_list(self):
        many = [(i, 1, bytes(48)) for i in range(127)]
        self.assertEqual(verify(manifest.build(1, 1, many, *SIGNERS)), 0)
        for entries in ([], many + [(127, 1, bytes(48))],
                        [(1, 1, bytes(48))] * 2):
            with self.assertRaises(ToolError):
                manifest.image_list(entries)


class ManifestToolTest(unittest.TestCase):

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

    def run_tool(self, *argv):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = manifest.main(list(argv))
        return status, out.getvalue()

    def test_create_show_verify(self):
        image = self.path('image', b'abc')
        out = self.path('man.bin')
        self.run_tool('create', '-o', out, '--image', f'1={image}',
                      '--ignore', '2')
        status, text = self.run_tool('show', out)
        self.assertEqual(status, 0)
        self.assertIn('image 0x00000001 flags 0x00000001 '
                      f'{keys.sha384(b"abc").hex()}', text)
        self.assertIn('(not checked)', text)
        self.assertEqual(self.run_tool('verify', out),
                         (0, f'{out}: accepted\n'))

    def test_request(self):
        out = self.path('request.bin')
        digest = keys.sha384(b'abc').hex()
        self.run_tool('create', '-o', out, '--request', '--digest',
                      f'1={digest}')
        with open(out, 'rb') as f:
            data = f.read()
        self.assertEqual(data[:4], b'\xcc\x37\0\0')
        self.assertEqual(self.run_tool('verify', out)[0], 0)

    def test_stored(self):
        """The form that the AST27x0's flash holds, alone and in it"""
        out = self.path('stored.bin')
        digest = keys.sha384(b'abc').hex()
        self.run_tool('create', '-o', out, '--stored', '--sec-version', '7',
                      '--digest', f'10={digest}', '--stage', '10=1')
        with open(out, 'rb') as f:
            data = f.read()
        self.assertEqual(len(data), 16004)
        flash = self.path('flash.img', bytes(0x100000) + layout
                          .build_container([(layout.MANIFEST, data)]))
        flash_a1 = self.path('a1.img', b'CMAN' + bytes(0xFFFFC) + layout
                             .build_container([(layout.MANIFEST, data)]))
        container = self.path('container.img', layout.build_container(
            [(layout.MANIFEST, data)]))
        for path in (out, container, flash_a1):
            status, text = self.run_tool('show', path)
            self.assertEqual(status, 0)
            self.assertIn('as stored in the flash', text)
            self.assertRegex(text, 'security version +7\n')
            self.assertIn(f'image 0x0000000a flags 0x40000001 {digest}',
                          text)
            self.assertEqual(self.run_tool('verify', path)[0], 0)
        # no bundle at 0
        with self.assertRaises(ToolError):
            self.run_tool('show', flash)

    def test_refusal_is_named(self):
        data = bytearray(manifest.build(1, 1, ENTRIES, *SIGNERS))
        data[0x1600] ^= 1
        out = self.path('bad.bin', data)
        status, text = self.run_tool('verify', out)
        self.assertEqual(status, 1)
        self.assertIn('RUNTIME_AUTH_MANIFEST_OWNER_LMS_SIGNATURE_INVALID '
                      '(0x000E004A)', text)

    def test_user_errors(self):
        out = self.path('out')
        short = self.path('short', b'abc')
        for argv in (('create', '-o', out),
                     ('create', '-o', out, '--image', '1'),
                     ('create', '-o', out, '--image', '1=/nonexistent'),
                     ('create', '-o', out, '--digest', '1=abcd'),
                     ('create', '-o', out, '--ignore', 'x'),
                     ('create', '-o', out, '--ignore', '1',
                      '--owner-fw-ecc-key', short),
                     ('create', '-o', out, '--ignore', '1', '--ignore', '1'),
                     ('create', '-o', out, '--ignore', '1', '--stored',
                      '--request'),
                     ('create', '-o', out, '--ignore', '1', '--stage',
                      '2=1'),
                     ('create', '-o', out, '--ignore', '1', '--stage',
                      '1=4'),
                     ('show', short),
                     ('verify', short, '--bundle', short)):
            with self.subTest(argv=argv), self.assertRaises(ToolError) as e:
                self.run_tool(*argv)
            self.assertNotIn('\n', str(e.exception))


if __name__ == '__main__':
    unittest.main()
