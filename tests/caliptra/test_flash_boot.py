#!/usr/bin/env python3
#
# The machine boots from its flash, or says why not
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Boot from flash, with secure boot on and off.

One machine boots many flashes: its CPUs and its clock stand still, the file
of the flash is changed between two resets.  What Caliptra's firmware bundle,
the SoC manifest and the images hold in each case is flash.py's business
(test_flash.py); here the machine must come to the same verdict.
"""

import glob
import json
import os
import shutil
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import command_env as env           # noqa: E402
import qtestlib                     # noqa: E402
import replay                       # noqa: E402
from qtestlib import QTest, QTestError          # noqa: E402

import caliptra_flash as layout     # noqa: E402
import caliptra_keys as keys        # noqa: E402
import flash as tool                # noqa: E402
import manifest as man              # noqa: E402
from caliptra_otp import CONF, CONF_FIELDS, Otp     # noqa: E402

SCUIO_HWSTRAP1 = 0x14c02010             # bits are set
SCUIO_HWSTRAP1_CLR = 0x14c02014         # and cleared
EN_SECBOOT = 1 << 5
SCUIO_CPTRA_CTRL = 0x14c02130
SCUIO_RSTCTL2 = 0x14c02220
RSTCTL2_CPTRA = 1 << 9
SCU0 = 0x12c02000
CA35_REL = SCU0 + 0x10c
RVBAR = SCU0 + 0x110
SMP_EP = SCU0 + 0x780

CONTAINER = layout.A1_CONTAINER
MANIFEST = CONTAINER + 208
ATF, OPTEE, UBOOT, SSP, TSP = layout.KINDS[-5:]
LOADED = (ATF, OPTEE, UBOOT, SSP, TSP)

HELD = 'the CA35 cores stay held'
RELEASED = 'CA35 cores released'
# more virtual time than a boot takes, in steps
STEP_NS = 50 * 10 ** 6
STEPS = 400


def pair(number):
    return man.KeyPair(keys.dev_ecc_key(number), keys.dev_lms_key(number))


SIGNERS = (pair(0), pair(1), pair(keys.DEV_OWNER), pair(keys.DEV_OWNER))


def images(**sizes):
    """Dummy images; each has bytes of its own"""
    return {kind.identifier: layout.pad4(
        bytes((kind.fw_id + i * i // 7) & 0xff for i in
              range(sizes.get(kind.option.replace('-', '_'),
                              100 + kind.fw_id))))
            for kind in layout.KINDS}


IMAGES = images()


def stored_manifest(content, flags=1, signers=SIGNERS, change=None):
    """@change: of the entries, before they are signed"""
    entries = tool.manifest_entries(b'', content)
    if change:
        entries = change(entries)
    return man.stored(man.build(1, flags, entries, *signers), 1, signers[2])


def a1(container, bundle=None):
    bundle = env.bundle() if bundle is None else bundle
    return bytearray(bundle + bytes(CONTAINER - len(bundle)) + container)


def good_flash(content=None):
    content = IMAGES if content is None else content
    return a1(tool.build(b'', b'', content, stored_manifest(content)))


def provisioned(**fuses):
    """A fuse file's contents: what the development bundle needs, and more"""
    return {'key_manifest_pk_hash': env.VENDOR_HASH.hex(),
            'owner_pk_hash': env.OWNER_HASH.hex(), 'lms_verify': 1, **fuses}


class FlashMachine(QTest):
    """An ast2700fc whose flash file is at hand"""

    def __init__(self, data, fuses=None, options='', drive=True, args=(),
                 share=None, otp=None, readonly=False, **kwargs):
        """
        @share: another machine, whose files this one has, too
        @readonly: nobody can write to the flash
        """
        self.files = share.files if share else tempfile.TemporaryDirectory()
        self.flash = self.file('flash.img')
        self.log = self.file('log2' if share else 'log')
        self.seen = 0
        args = list(args) + ['-chardev', f'file,id=log,path={self.log}']
        options = f',caliptra-boot=auto,caliptra-log=log{options}'
        if fuses is not None:
            with open(self.file('fuses.json'), 'w', encoding='utf-8') as f:
                json.dump(fuses, f)
            options += f',caliptra-fuses={self.file("fuses.json")}'
        if otp is not None:
            with open(self.file('otp.bin'), 'wb') as f:
                f.write(otp)
            args += ['-blockdev', 'driver=file,node-name=otp,filename=' +
                     self.file('otp.bin'),
                     '-global', 'aspeed-otp-ast2700.drive=otp']
        if drive:
            self.end = 0
            if not share:
                self.write(data)
                with open(self.flash, 'r+b') as f:
                    f.truncate(layout.FLASH_SIZE)
            args += ['-drive', f'file={self.flash},if=mtd,format=raw' +
                     (',file.locking=off' if share else '') +
                     (',readonly=on' if readonly else '')]
        super().__init__(machine='ast2700fc' + options, args=args, qmp=True,
                         **kwargs)

    def destroy(self):
        self.close()
        self.files.cleanup()

    def file(self, name):
        return os.path.join(self.files.name, name)

    def write(self, data):
        """The flash's new contents; nothing is left of the old ones"""
        with open(self.flash, 'r+b' if os.path.exists(self.flash)
                  else 'wb') as f:
            f.write(data)
            f.write(bytes(max(0, self.end - len(data))))
        self.end = len(data)

    def reset(self):
        def resets():
            return sum(e['event'] == 'RESET' for e in self.qmp_events)
        before = resets()
        self.qmp('system_reset')
        while resets() == before:
            self.qmp('query-status')

    def strap(self, secure):
        """Secure boot, as a strap says it, until the next reset"""
        self.write32(SCUIO_HWSTRAP1 if secure else SCUIO_HWSTRAP1_CLR,
                     EN_SECBOOT)

    def log_lines(self):
        """Those that are new"""
        with open(self.log, encoding='utf-8') as f:
            f.seek(self.seen)
            text = f.read()
            self.seen = f.tell()
        return text

    def run(self):
        """Until the cores are released or stay held: the log's lines"""
        text = ''
        for _ in range(STEPS):
            self.clock_step(STEP_NS)
            text += self.log_lines()
            if HELD in text or RELEASED in text:
                return text
        raise QTestError('neither released nor refused:\n' + text)

    def power_cycle(self):
        """What takes the cores' images, too, but not as long as a reset"""
        self.write32(SCUIO_CPTRA_CTRL, 0)
        self.write32(SCUIO_RSTCTL2, RSTCTL2_CPTRA)
        self.writes32([(RVBAR + 4 * n, 0) for n in range(4)] +
                      [(SMP_EP + 4 * n, 0) for n in range(8)])

    def boot(self, data=None, secure=True, reset=False):
        """Boot anew with the flash's new contents"""
        if data is not None:
            self.write(data)
        for kind in LOADED:
            self.memwrite(kind.address, bytes(64))
        if reset:
            self.reset()
        else:
            self.power_cycle()
        self.log_lines()
        self.strap(secure)
        return self.run()

    @property
    def held(self):
        return self.qom_get('/machine', 'ca35-held')

    @property
    def flash_stage(self):
        return self.qom_get('/machine/bootmcu', 'flash-stage')


class FlashBootCase(unittest.TestCase):

    def machine(self, *args, **kwargs):
        machine = FlashMachine(*args, **kwargs)
        self.addCleanup(machine.destroy)
        return machine

    def assert_boots(self, m, text, content, secure):
        self.assertIn(RELEASED, text)
        self.assertFalse(m.held)
        for kind in LOADED:
            image = content[kind.identifier]
            self.assertEqual(m.memread(kind.address, len(image)), image)
            self.assertIn(f'{kind.name} (fw id {kind.fw_id}): ' +
                          ('authorized' if secure else 'not checked'), text)
        self.assertEqual(m.reads32([RVBAR + 4 * n for n in range(4)]),
                         [0x43000000] * 4)
        self.assertEqual(m.reads32([SMP_EP + 4 * n for n in range(8)]),
                         [0, 4] + [0] * 6)
        self.assertEqual(m.read32(CA35_REL) & 1, 1)

    def assert_held(self, m, text, line, not_loaded=LOADED):
        """@line stands in the one line that says why"""
        why = [row for row in text.splitlines() if HELD in row]
        self.assertEqual(len(why), 1, text)
        self.assertIn(line, why[0])
        self.assertIn(m.flash, why[0])
        self.assertNotIn(RELEASED, text)
        self.assertTrue(m.held)
        self.assertEqual(m.read32(CA35_REL) & 1, 0)
        for kind in not_loaded:
            self.assertEqual(m.memread(kind.address, 64), bytes(64),
                             f'{kind.name} was loaded')


class SecureBootTest(FlashBootCase):

    @classmethod
    def setUpClass(cls):
        cls.good = good_flash()
        cls.m = FlashMachine(cls.good, provisioned())
        cls.addClassCleanup(cls.m.destroy)

    def flipped(self, offset):
        data = bytearray(self.good)
        data[offset] ^= 1
        return data

    def image_offset(self, kind):
        return CONTAINER + layout.Flash(bytes(self.good)).container.find(
            kind.identifier).offset

    def test_flips(self):
        """One bit in each part: the line that says so, nothing loaded"""
        text = self.m.boot(reset=True)
        self.assert_boots(self.m, text, IMAGES, True)
        self.assertIn('SoC manifest accepted', text)

        refused = 'SoC manifest refused: RUNTIME_'
        cases = [(8, 'firmware refused: IMAGE_VERIFIER_'),
                 (0x1740, 'firmware refused: IMAGE_VERIFIER_'),
                 (0, 'neither a bundle'),
                 (CONTAINER, 'no FLSH container in the flash'),
                 (CONTAINER + 6, 'header CRC')]
        cases += [(MANIFEST + offset, refused + error)
                  for offset, error in (
                      (0, 'INVALID_AUTH_MANIFEST_MARKER'),
                      (4, 'AUTH_MANIFEST_PREAMBLE_SIZE_MISMATCH'),
                      (8, 'AUTH_MANIFEST_VENDOR_ECC'),      # version
                      (16, 'AUTH_MANIFEST_VENDOR_ECC'),     # flags
                      (20, 'AUTH_MANIFEST_VENDOR_ECC'),     # keys
                      (164, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (164 + 96, 'AUTH_MANIFEST_VENDOR_LMS'),
                      (1880, 'AUTH_MANIFEST_OWNER_ECC'),
                      (2024, 'AUTH_MANIFEST_OWNER_ECC'),
                      (2024 + 96, 'AUTH_MANIFEST_OWNER_LMS'),
                      (5456, 'AUTH_MANIFEST_VENDOR_ECC'),
                      (5456 + 96, 'AUTH_MANIFEST_VENDOR_LMS'),
                      (7172, 'AUTH_MANIFEST_OWNER_ECC'),
                      (7172 + 96, 'AUTH_MANIFEST_OWNER_LMS'))]
        # the list: count, each entry that counts, one that does not
        cases += [(MANIFEST + 8888, refused + 'AUTH_MANIFEST')]
        cases += [(MANIFEST + 8892 + 56 * n + 9 * n % 56,
                   refused + 'AUTH_MANIFEST_VENDOR_ECC')
                  for n in list(range(14)) + [126]]
        for offset, line in cases:
            with self.subTest(offset=hex(offset)):
                text = self.m.boot(self.flipped(offset))
                self.assert_held(self.m, text, line)
        # images: those before the bad one have been loaded
        for n, kind in enumerate(LOADED):
            with self.subTest(image=kind.name):
                text = self.m.boot(self.flipped(self.image_offset(kind) + 5))
                self.assert_held(self.m, text,
                                 f'{kind.name} (fw id {kind.fw_id}): its '
                                 "digest is not the SoC manifest's "
                                 '(0x8bfb95cb)', LOADED[n:])
        # and back
        self.assert_boots(self.m, self.m.boot(self.good, reset=True), IMAGES,
                          True)

    def test_secure_boot_off(self):
        """The same flips boot, all but those of the bundle"""
        offsets = [MANIFEST + offset for offset in
                   (0, 4, 8, 16, 20, 164, 1880, 2024, 5456, 7172, 8892 + 8)]
        for offset in offsets:
            with self.subTest(offset=hex(offset)):
                text = self.m.boot(self.flipped(offset), secure=False)
                self.assert_boots(self.m, text, IMAGES, False)
        for kind in LOADED:
            data = self.flipped(self.image_offset(kind) + 5)
            content = dict(IMAGES)
            at = self.image_offset(kind)
            content[kind.identifier] = bytes(
                data[at:at + len(content[kind.identifier])])
            with self.subTest(image=kind.name):
                self.assert_boots(self.m, self.m.boot(data, secure=False),
                                  content, False)
        text = self.m.boot(self.flipped(8), secure=False)
        self.assert_held(self.m, text, 'firmware refused')

    def test_not_checked(self):
        """Nobody looks at these when the machine boots"""
        for offset in (MANIFEST + layout.SEC_VERSION,
                       MANIFEST + layout.SVN_SIGNATURES, CONTAINER + 12,
                       self.image_offset(layout.BY_OPTION['dp'])):
            with self.subTest(offset=hex(offset)):
                text = self.m.boot(self.flipped(offset))
                self.assert_boots(self.m, text, IMAGES, True)

    def container(self, manifest=None, content=None):
        content = IMAGES if content is None else content
        return a1(tool.build(b'', b'', content, stored_manifest(content)
                             if manifest is None else manifest))

    def test_manifests(self):
        """Unsigned, of another owner, without an entry, with others"""
        unsigned = man.unsigned(1, 0, tool.manifest_entries(b'', IMAGES))
        text = self.m.boot(self.container(layout.to_stored(
            bytes(unsigned), 1, bytes(layout.SVN_SIZE))))
        self.assert_held(self.m, text, 'VENDOR_ECC_SIGNATURE_INVALID')

        other = SIGNERS[:2] + (pair(2), pair(2))
        text = self.m.boot(self.container(stored_manifest(
            IMAGES, signers=other)))
        self.assert_held(self.m, text, 'OWNER_ECC_SIGNATURE_INVALID')

        text = self.m.boot(self.container(stored_manifest(
            IMAGES, change=lambda entries: entries + entries[:0] +
            [(55, 1, bytes(48))])))
        self.assert_boots(self.m, text, IMAGES, True)

        # listed for somebody else to load, or not listed
        for change in (
                lambda entries: [(n, flags & 0x3fffffff | (2 << 30 if n == 12
                                  else flags & 3 << 30), digest)
                                 for n, flags, digest in entries],
                lambda entries: [entry for entry in entries
                                 if entry[0] != 12]):
            text = self.m.boot(self.container(stored_manifest(
                IMAGES, change=change)))
            self.assertIn(RELEASED, text)
            self.assertIn("U-Boot (fw id 12): not the BootMCU's to load",
                          text)
            self.assertEqual(self.m.memread(UBOOT.address, 64), bytes(64))
        text = self.m.boot(self.container(stored_manifest(
            IMAGES, change=lambda entries: [entry for entry in entries
                                            if entry[0] != 10])))
        self.assert_held(self.m, text, 'no ATF among the images', (ATF,))

        # Caliptra authorizes whatever comes with the id
        content = dict(IMAGES)
        content[UBOOT.identifier] = b'else' * 8
        text = self.m.boot(self.container(stored_manifest(
            IMAGES, change=lambda entries: [
                (n, flags | (man.ENTRY_IGNORE_AUTH_CHECK if n == 12 else 0),
                 digest) for n, flags, digest in entries]), content))
        self.assert_boots(self.m, text, content, True)

    def test_containers(self):
        """Tables that are refused whatever secure boot is"""
        def table(change):
            data = bytearray(self.good)
            change(data)
            return data

        def put(offset, word):
            return lambda data: struct.pack_into('<I', data,
                                                 CONTAINER + offset, word)

        def header(count, version=1):
            def change(data):
                struct.pack_into('<HH', data, CONTAINER + 4, version, count)
                struct.pack_into('<I', data, CONTAINER + 8, layout.crc(
                    data[CONTAINER:CONTAINER + 8]))
            return change

        entry = 16 + 12 * 11            # ATF
        for change, line in (
                (header(0), '0 images'), (header(128), '128 images'),
                (header(16, 2), 'version 2'),
                (put(entry, layout.KINDS[0].identifier), 'twice'),
                (put(entry + 4, 16), 'over the table'),
                (put(entry + 4, 0x8000000), 'outside the flash'),
                (put(entry + 8, 0x7000000), 'overlap'),
                (put(entry + 8, 0xffffffff), 'outside the flash')):
            for secure in (False, True):
                text = self.m.boot(table(change), secure=secure)
                self.assert_held(self.m, text, line)
        # no manifest in it
        change = put(16 + 12, 0x77)
        self.assert_held(self.m, self.m.boot(table(change)),
                         'SoC manifest: 0 bytes')
        self.assert_boots(self.m, self.m.boot(table(change), secure=False),
                          IMAGES, False)
        # an image that does not fit, 127 images
        content = images(atf=(512 << 10) + 1)
        self.assert_held(self.m, self.m.boot(good_flash(content)),
                         'ATF (fw id 10): 524292 bytes, must have at most')
        many = [(0x2000 + n, b'') for n in range(127 - 14)] + \
            [(layout.MANIFEST, stored_manifest(IMAGES))] + \
            sorted(IMAGES.items())
        self.assert_boots(self.m, self.m.boot(
            a1(layout.build_container(many))), IMAGES, True)

    def test_images(self):
        """Sizes that take several steps; empty ones"""
        content = images(u_boot=200001, ssp=65536, tsp=16384, optee=0)
        text = self.m.boot(good_flash(content))
        self.assertIn('OP-TEE (fw id 11): empty', text)
        for kind in (ATF, UBOOT, SSP, TSP):
            image = content[kind.identifier]
            self.assertEqual(self.m.memread(kind.address, len(image)), image)
        content[ATF.identifier] = b''
        self.assert_held(self.m, self.m.boot(good_flash(content)),
                         'no ATF', (ATF,))

    def test_a2(self):
        """All in one container"""
        data = tool.build(env.bundle(), b'', IMAGES, stored_manifest(IMAGES))
        text = self.m.boot(data)
        self.assert_boots(self.m, text, IMAGES, True)
        self.assertIn('FLSH container at 0x0', text)
        bad = bytearray(data)
        bad[16 + 8] = 0                 # size of the bundle
        bad[17 + 8] = bad[18 + 8] = 0
        self.assert_held(self.m, self.m.boot(bad), 'no bundle in the FLSH')

    def test_caliptra_reset(self):
        """Somebody takes Caliptra's power while images are loaded"""
        self.m.write(self.good)
        self.m.power_cycle()
        self.m.log_lines()
        self.m.strap(True)
        while self.m.flash_stage != 'image from flash':
            self.m.clock_step()
        self.m.write32(SCUIO_CPTRA_CTRL, 0)
        self.m.write32(SCUIO_RSTCTL2, RSTCTL2_CPTRA)
        text = self.m.run()
        self.assertEqual(text.count('power good'), 2)
        self.assertEqual(text.count('FLSH container at'), 2)
        self.assert_boots(self.m, text, IMAGES, True)


class SnapshotTest(FlashBootCase):
    """Saved in any stage, the boot comes to the same end"""

    def test_stages(self):
        content = images(u_boot=70000, optee=0)
        m = self.machine(good_flash(content), provisioned(),
                         args=('-seed', '1'))
        m.strap(True)
        stages = {}
        place = (None, None)
        while m.held:
            new = (m.qom_get('/machine/bootmcu', 'stage'), m.flash_stage)
            if new != place and new not in stages and \
                    (new[0] == 'wait for ready_for_fw' or
                     new[1] != 'idle'):
                stages[new] = self.save(m, len(stages))
                m.qmp('cont')
            place = new
            m.clock_step()
        log = m.log_lines().splitlines()
        self.assertGreater(len(stages), 12)
        for stage, (path, now) in stages.items():
            with self.subTest(stage=stage):
                other = self.load(m, path, now)
                rest = other.run().splitlines()
                self.assertEqual(rest, log[-len(rest):])
                for kind in (ATF, UBOOT, SSP, TSP):
                    image = content[kind.identifier]
                    self.assertEqual(other.memread(kind.address, len(image)),
                                     image)
                other.close()

    def save(self, m, number):
        path = m.file(f'{number}.state')
        m.qmp('migrate', uri='file:' + path)
        m.wait_migrated()
        return path, m.clock_step(1)

    def load(self, m, path, now):
        other = FlashMachine(None, provisioned(), share=m,
                             args=('-seed', '1', '-incoming', 'defer'))
        self.addCleanup(other.close)
        # qtest's clock is not part of a snapshot
        other.clock_set(now)
        other.qmp('migrate-incoming', uri='file:' + path)
        other.wait_migrated()
        other.qmp('cont')
        return other


class OtpTest(FlashBootCase):
    """OTP and flash, and nothing else: secure boot, or why not"""

    def start(self, **fuses):
        otp = Otp()
        otp.put_fuses({'key_manifest_pk_hash': env.VENDOR_HASH,
                       'owner_pk_hash': env.OWNER_HASH, 'life_cycle': 3,
                       'lms_verify': 1, **fuses})
        otp.put(CONF, 1, 1, CONF_FIELDS['enable_secure_boot'][1])
        return self.machine(good_flash(), otp=otp.flat())

    def refused(self, line, **fuses):
        m = self.start(**fuses)
        text = m.run()
        self.assertIn('secure boot on', text)
        self.assert_held(m, text, line)

    def test_good(self):
        m = self.start()
        text = m.run()
        self.assertIn('fuses from the OTP, owner hash of key 0', text)
        self.assert_boots(m, text, IMAGES, True)

    def test_vendor_hash(self):
        self.refused('VENDOR_PUB_KEY_DIGEST_MISMATCH', key_manifest_pk_hash=
                     bytes([env.VENDOR_HASH[0] ^ 1]) + env.VENDOR_HASH[1:])

    def test_owner_hash(self):
        self.refused('OWNER_PUB_KEY_DIGEST_MISMATCH', owner_pk_hash=
                     env.OWNER_HASH[:47] + bytes([env.OWNER_HASH[47] ^ 1]))

    def test_revoked(self):
        self.refused('VENDOR_ECC_PUB_KEY_REVOKED',
                     key_manifest_pk_hash_mask=1)

    def test_old(self):
        self.refused('RUNTIME_SVN_LESS_THAN_FUSE',
                     runtime_svn=bytes.fromhex('00000003' + '0' * 24))


class OtherFlashTest(FlashBootCase):
    """Without a container; with firmware from a file"""

    def test_no_container(self):
        """As an older SDK's flash: somebody else starts the cores"""
        m = self.machine(a1(b'\xd0\x0d\xfe\xed'), provisioned())
        self.assertIn(RELEASED, m.boot(secure=False))
        self.assertEqual(m.read32(RVBAR), 0)
        self.assert_held(m, m.boot(secure=True), 'secure boot is on: no FLSH')

    def test_no_boot_rom(self):
        """Who starts the cores, if the machine has no boot ROM"""
        # away from its data
        with tempfile.TemporaryDirectory() as folder:
            binary = os.path.join(folder, 'bin', 'qemu')
            os.mkdir(os.path.dirname(binary))
            shutil.copy(qtestlib.default_binary(), binary)

            m = self.machine(good_flash(), provisioned(), bios=False,
                             binary=binary)
            self.assert_boots(m, m.boot(), IMAGES, True)
            old = a1(b'\xd0\x0d\xfe\xed')
            self.assert_held(m, m.boot(old, secure=False), 'nothing to start '
                             'the CA35 cores with: no FLSH container')
            self.assert_held(m, m.boot(secure=True), 'secure boot is on')
            m = self.machine(old, provisioned(), bios=False, binary=binary,
                             args=('-device', 'loader,addr=0x430000000,'
                                   'cpu-num=0'))
            self.assertIn(RELEASED, m.boot(secure=False))

    def test_blank(self):
        """The user's file is named, not the overlay that takes writes"""
        m = self.machine(b'', provisioned(), args=('-snapshot',))
        self.assert_held(m, m.run(), 'neither a bundle')

    def test_file(self):
        """Firmware from a file, images from the flash"""
        data = good_flash()
        data[:4] = bytes(4)
        with tempfile.NamedTemporaryFile(suffix='.bin') as f:
            f.write(env.bundle())
            f.flush()
            m = self.machine(data, provisioned(),
                             options=f',caliptra-firmware={f.name}')
        self.assert_boots(m, m.boot(), IMAGES, True)

    def test_no_drive(self):
        with self.assertRaises(QTestError) as e:
            self.machine(b'', provisioned(), drive=False)
        self.assertIn('-drive', str(e.exception))


class RecordedTest(FlashBootCase):
    """Containers of ASPEED's tool, with the bundles that go with them"""

    def test_recorded(self):
        folder = replay.vectors_dir('flash')
        if not folder:
            self.skipTest('no recorded containers here')
        bundles = [env.bundle()]
        for path in glob.glob(os.path.join(
                os.environ.get('CALIPTRA_GENUINE_DIR', '/nonexistent'),
                '*caliptra-fw*.bin')):
            with open(path, 'rb') as f:
                bundles.append(f.read())
        by_hash = {(env.image.Bundle(b).digest(env.image.VENDOR_KEYS),
                    env.image.Bundle(b).digest(env.image.OWNER_KEYS)): b
                   for b in bundles}
        machines = {}
        for path in sorted(glob.glob(os.path.join(folder, '*.json'))):
            with open(path, encoding='utf-8') as f:
                expected = json.load(f)
            with open(path[:-5] + '.bin', 'rb') as f:
                container = f.read()
            hashes = tuple(bytes.fromhex(expected['bundle'][name]) for name
                           in ('vendor_hash', 'owner_hash'))
            bundle = by_hash.get(hashes)
            if not bundle:
                continue
            content = {image.identifier: layout.Container(container)
                       .content(image)
                       for image in layout.Container(container).images}
            data = a1(container, bundle)
            for lms in (0, 1):
                m = machines.get((hashes, lms))
                if not m:
                    m = self.machine(data, provisioned(
                        key_manifest_pk_hash=hashes[0].hex(),
                        owner_pk_hash=hashes[1].hex(), lms_verify=lms))
                    machines[hashes, lms] = m
                answer = expected['product'][f'lms_verify={lms}'][
                    'SET_AUTH_MANIFEST']
                with self.subTest(name=expected['name'], lms=lms):
                    self.assert_boots(m, m.boot(data, secure=False), content,
                                      False)
                    text = m.boot(data)
                    if 'DATA_READY' in answer:
                        self.assert_boots(m, text, content, True)
                    else:
                        self.assert_held(m, text,
                                         answer.split()[-1].lower())


if __name__ == '__main__':
    unittest.main()
