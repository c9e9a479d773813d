#!/usr/bin/env python3
#
# The AST2700's OTP in the machine: files, programming, what Caliptra gets
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""OTP images behind aspeed-otp-ast2700.drive, and files that users give."""

import os
import random
import shutil
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import caliptra_soc as soc_regs     # noqa: E402
import command_env as env           # noqa: E402
import dev_bundle                   # noqa: E402
import test_otp as files            # noqa: E402
from caliptra_otp import Otp        # noqa: E402
from qtestlib import QTest, QTestError      # noqa: E402

OTP = 0x14C07000
OTP_KEY = OTP
OTP_UNLOCK = 0x349FE38A
OTP_LOCK = 1
# registers of master 1
OTP_CMD = OTP + 0x24
OTP_WDATA = OTP + 0x28
OTP_STATUS = OTP + 0x38
OTP_ADDR = OTP + 0x3C
OTP_RDATA = OTP + 0x40
OTP_READ = 0x23B1E361
OTP_PROGRAM = 0x23B1E364


class Machine(QTest):
    """ast2700fc with an OTP image"""

    def __init__(self, path=None, options='', args=(), read_only=False,
                 **kwargs):
        if path:
            args = ['-blockdev', f'driver=file,filename={path},node-name=otp,'
                    f'read-only={"on" if read_only else "off"}',
                    '-global', 'aspeed-otp-ast2700.drive=otp', *args]
        super().__init__(machine='ast2700fc' + options, args=args, **kwargs)

    def unlock(self):
        self.write32(OTP_KEY, OTP_UNLOCK)

    def otp_words(self, addrs):
        """Words of the OTP, which must be unlocked"""
        cmds = []
        for addr in addrs:
            cmds += ['writel 0x%x 0x%x' % (OTP_ADDR, addr),
                     'writel 0x%x 0x%x' % (OTP_CMD, OTP_READ),
                     'readl 0x%x' % OTP_STATUS, 'readl 0x%x' % OTP_RDATA]
        answers = self.batch(cmds)
        if any(int(status, 16) for status in answers[2::4]):
            raise AssertionError('a word could not be read')
        return [int(word, 16) for word in answers[3::4]]

    def program(self, addr, data):
        self.writes32([(OTP_ADDR, addr), (OTP_WDATA, data),
                       (OTP_CMD, OTP_PROGRAM)])
        return self.read32(OTP_STATUS)


class FileCase(unittest.TestCase):

    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def file(self, data, name='otp.bin'):
        with open(self.path(name), 'wb') as f:
            f.write(data)
        return self.path(name)

    def read(self, name='otp.bin'):
        with open(self.path(name), 'rb') as f:
            return f.read()


def known_otp(directory, name):
    """Content of an OTP of test_otp.KNOWN"""
    case = files.ToolCase()
    case.dir = directory
    files.write_files(directory, files.KEY_FILES)
    return case.make(files.KNOWN[name][0])


def random_otp(seed):
    """An OTP with something in each field that anybody looks at"""
    rand = random.Random(seed)
    otp = Otp()
    for first, last in ((0x3E0, 0x440), (0x1C00, 0x1C62)):
        for word in range(first, last):
            if rand.random() < 0.7:
                otp.words[word] = rand.getrandbits(16)
    # neither unprogrammable nor without Caliptra
    otp.words[0x400] &= 0x0FFF
    for option in range(6):
        otp.words[0x423 + 2 * option] &= 0x7FFF
    for index in rand.sample(range(80), 12):
        otp.put(0x1000 + 2 * index,
                rand.randrange(0xA0, 0xC00) << 16 | rand.getrandbits(10), 32)
    for word in range(0x10A0, 0x1C00):
        otp.words[word] = rand.getrandbits(16)
    if rand.random() < 0.5:
        otp.words[0x1C12:0x1C2A] = [0] * 24
    return otp


class Storage(FileCase):
    """What the guest reads is what the file says"""

    def check(self, path, otp, **kwargs):
        with Machine(path, **kwargs) as m:
            m.unlock()
            self.assertEqual(m.otp_words(range(0x2000)), otp.words)

    def test_forms(self):
        for name, form in (('two-owners', 'image'), ('two-owners', 'flat'),
                           ('svn', 'image')):
            otp = known_otp(self.dir, name)
            with self.subTest(name, form=form):
                self.check(self.file(getattr(otp, form)()), otp)
        with self.subTest('dump'):
            otp = random_otp(1)
            otp.words[0x1F80:] = [0x8000 + i for i in range(0x80)]
            self.check(self.file(struct.pack('<8192H', *otp.words)), otp)

    def test_old_image(self):
        """Of a tool that knew no user region"""
        otp = known_otp(self.dir, 'svn')
        data = bytearray(otp.image()[:-48])
        del data[0x30:0x34]
        for at in range(0x14, 0x30, 4):
            value = struct.unpack_from('<I', data, at)[0]
            struct.pack_into('<I', data, at, value - 4)
        for at in (0x10, 0x30):
            value = struct.unpack_from('<I', data, at)[0]
            struct.pack_into('<I', data, at, value - 4)
        data += files.hashlib.sha384(data).digest()
        self.assertEqual(Otp.parse(bytes(data)).words, otp.words)
        self.check(self.file(data), otp)

    def refused(self, data, text):
        with self.assertRaises(QTestError) as caught:
            Machine(self.file(data)).close()
        # the exception has QEMU's stderr after its command line
        said = str(caught.exception).split('-global aspeed-otp')[1]
        lines = said.split('\n')[1:]
        self.assertEqual(len(lines), 1, said)
        self.assertIn("OTP drive 'otp': ", lines[0])
        self.assertIn(text, lines[0])

    def test_refused(self):
        image = bytearray(known_otp(self.dir, 'svn').image())
        flipped = bytearray(image)
        flipped[0x1234] ^= 1
        for data, text in (
                (image[:4096], 'truncated'), (image[:-1], 'checksum'),
                (flipped, 'checksum'), (b'', 'no OTP image'),
                (bytes(0x3C00), 'no OTP image'),
                (b'CMAN' + bytes(100000), 'at most 16384')):
            with self.subTest(text, size=len(data)):
                self.refused(bytes(data), text)


class Programming(FileCase):

    def test_persists(self):
        """From one machine to the next; U-Boot's order of things"""
        path = self.file(bytes(0x3F00))
        with Machine(path) as m:
            m.unlock()
            self.assertEqual(m.program(0x3E3, 1), 0)
            m.cmd('clock_step 1000')
            self.assertEqual(m.program(0x402, 0x100), 0)
        with Machine(path) as m:
            m.unlock()
            self.assertEqual(m.otp_words([0x3E3, 0x402]), [1, 0x100])

    def test_not_saved(self):
        """One warning, and the machine runs on with what was programmed"""
        otp = known_otp(self.dir, 'demo')
        for data, read_only in ((otp.image(), False), (otp.flat(), True)):
            path = self.file(data)
            with self.subTest(read_only=read_only), \
                    Machine(path, read_only=read_only) as m:
                m.unlock()
                self.assertNotIn('not saved', m.stderr())
                for bit in range(4):
                    self.assertEqual(m.program(0x500, 1 << bit), 0)
                self.assertEqual(m.otp_words([0x500]), [0xF])
                self.assertEqual(m.stderr().count('not saved'), 1)
            self.assertEqual(self.read(), data)

    def migrate(self, src, path, **kwargs):
        state = os.path.join(src.dir, 'state')
        src.qmp('migrate', uri='file:' + state)
        src.wait_migrated()
        dst = Machine(path, args=['-incoming', 'defer'], qmp=True, **kwargs)
        try:
            dst.qmp('migrate-incoming', uri='file:' + state)
            dst.wait_migrated()
        except BaseException:
            dst.close()
            raise
        return dst

    def test_migration(self):
        """Content, registers, and the drive of the destination"""
        path = self.file(bytes(0x4000))
        other = self.file(bytes(0x4000), 'other.bin')
        for files_of in ((None, None), (path, other)):
            with self.subTest(files=files_of), \
                    Machine(files_of[0], qmp=True) as src:
                src.unlock()
                self.assertEqual(src.program(0x1234, 0x5678), 0)
                with self.migrate(src, files_of[1]) as dst:
                    # still unlocked
                    self.assertEqual(dst.otp_words([0x1234]), [0x5678])
                    self.assertEqual(dst.program(0x1234, 0x8000), 0)
                    self.assertEqual(dst.otp_words([0x1234]), [0xD678])
        for name, word in (('otp.bin', 0x5678), ('other.bin', 0xD678)):
            self.assertEqual(self.read(name)[0x2468:0x246A],
                             struct.pack('<H', word))


class Mapping(FileCase):
    """What the BootMCU's stand-in makes of the OTP"""

    @classmethod
    def setUpClass(cls):
        cls.tmp = tempfile.mkdtemp()
        cls.firmware = os.path.join(cls.tmp, 'fw.bin')
        with open(cls.firmware, 'wb') as f:
            f.write(env.bundle())

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.tmp)

    def boot(self, path=None, options='', **kwargs):
        """Up to where Caliptra has its fuses; log: what is on the log"""
        log = self.path('log')
        m = Machine(path, options=f',caliptra-firmware={self.firmware},'
                    f'caliptra-log=log{options}',
                    args=['-chardev', f'file,id=log,path={log}'], **kwargs)
        m.log_path = log
        self.addCleanup(m.close)
        self.fuses_written(m)
        return m

    def fuses_written(self, m):
        m.poll32(soc_regs.FUSE_WR_DONE, 1, 1, step_ns=10000)

    @staticmethod
    def log(m):
        m.clock_step(10 * 1000 * 1000)
        with open(m.log_path, encoding='utf-8') as f:
            return f.read()

    @staticmethod
    def registers(m):
        """Fuses that can be read back"""
        at = range(0x250, 0x348, 4)
        return dict(zip(at, m.reads32([soc_regs.SOC_IFC + a for a in at])))

    def check(self, m, otp):
        want = files.fuse_registers(otp.fuses())
        got = self.registers(m)
        self.assertEqual({hex(at): hex(word) for at, word in got.items()},
                         {hex(at): hex(want[at]) for at in got})
        scu1 = soc_regs.SCUIO
        ctrl, strap1, strap2, scu0 = m.reads32(
            [scu1 + 0x130, scu1 + 0x10, scu1 + 0x30, 0x12C02010])
        self.assertEqual(ctrl >> 8 & 7,
                         otp.lifecycle() | otp.debug_locked() << 2)
        self.assertEqual(strap1 >> 5 & 1, int(bool(otp.secure_boot())))
        self.assertEqual(strap1 >> 16 & 0x7FFF, otp.strap() >> 17)
        self.assertEqual(scu0 & 0xFFFF, otp.strap() & 0xFFFF | 0xC0)
        self.assertEqual(strap2, otp.strap_ext() >> 32 & 0xFFFFFFFF)
        self.assertEqual(m.reads32(range(scu1 + 0x880, scu1 + 0x8C0, 4)),
                         [otp.get(0x400 + 2 * i, 32) for i in range(16)])
        # its controller is left locked
        self.assertEqual(m.read32(OTP_KEY), 0)

    def test_known(self):
        """As ASPEED's tool made them, in both forms"""
        for name, form in (('demo', 'image'), ('manuf', 'flat'),
                           ('two-owners', 'flat'), ('svn', 'image')):
            with self.subTest(name):
                otp = known_otp(self.dir, name)
                m = self.boot(self.file(getattr(otp, form)()))
                self.check(m, otp)
                want = files.known_registers(files.KNOWN[name][3])
                self.assertEqual(
                    self.registers(m),
                    {at: want[at] for at in range(0x250, 0x348, 4)})

    def test_random(self):
        """Something in each field, against the tools' reading of it"""
        for seed in range(4):
            with self.subTest(seed=seed):
                otp = random_otp(seed)
                m = self.boot(self.file(struct.pack('<8192H', *otp.words)))
                self.check(m, Otp.parse(self.read()))

    def test_none(self):
        """An unprovisioned chip; as without an OTP"""
        m = self.boot()
        self.assertEqual(self.registers(m),
                         dict.fromkeys(range(0x250, 0x348, 4), 0))
        log = self.log(m)
        self.assertNotIn('OTP', log)
        self.assertIn('lifecycle unprovisioned, debug unlocked', log)

    def test_override(self):
        """A fuse file goes before the OTP, field by field"""
        fuses = self.file(b'{"owner_pk_hash": "%s", "lms_revocation": 5}' %
                          (b'12' * 48), 'fuses.json')
        otp = known_otp(self.dir, 'svn')
        m = self.boot(self.file(otp.image()), f',caliptra-fuses={fuses}')
        want = files.fuse_registers(otp.fuses())
        want.update(dict.fromkeys(range(0x284, 0x2B4, 4), 0x12121212))
        want[0x344] = 5
        self.assertEqual(self.registers(m),
                         {at: want[at] for at in range(0x250, 0x348, 4)})
        log = self.log(m)
        self.assertIn('fuses from the OTP, owner hash of key 0', log)
        self.assertIn('fuses.json overrides the OTP: owner_pk_hash, '
                      'lms_revocation\n', log)
        self.assertIn('secure boot on', log)
        self.assertIn('lifecycle production, debug locked', log)

    def test_properties(self):
        """What is given on the command line goes before the OTP"""
        otp = known_otp(self.dir, 'demo')
        m = self.boot(self.file(otp.image()),
                      ',caliptra-lifecycle=manufacturing,'
                      'caliptra-debug-locked=off,caliptra-secure-boot=off')
        log = self.log(m)
        self.assertIn('secure boot off', log)
        self.assertIn('lifecycle manufacturing, debug unlocked', log)
        self.assertEqual(m.read32(soc_regs.SCUIO + 0x10) >> 5 & 1, 0)

    def test_disabled(self):
        """Strap 31 keeps Caliptra off, and the cores run"""
        otp = Otp()
        otp.put_fuses({'life_cycle': 3})
        otp.words[0x423] |= 0x8000
        m = Machine(self.file(otp.flat()),
                    f',caliptra-firmware={self.firmware}', qmp=True)
        self.addCleanup(m.close)
        for _ in range(100):
            m.clock_step(1000 * 1000)
            if not m.qom_get('/machine', 'ca35-held'):
                break
        self.assertFalse(m.qom_get('/machine', 'ca35-held'))
        self.assertEqual(m.read32(soc_regs.FLOW_STATUS), 0)

    def test_cold_reset(self):
        """What was programmed counts from the next cold reset on"""
        for path in (None, self.file(bytes(0x3F00))):
            with self.subTest(path=path):
                m = self.boot(path, qmp=True)
                m.unlock()
                self.assertEqual(m.program(0x3F2, 9), 0)
                self.assertEqual(m.program(0x402, 0x100), 0)
                self.assertEqual(self.registers(m)[0x280], 0)
                m.qmp('system_reset')
                m.poll32(soc_regs.FUSE_WR_DONE, 1, 0, step_ns=1)
                self.fuses_written(m)
                self.assertEqual(self.registers(m)[0x280], 9)
                self.assertEqual(m.read32(soc_regs.SCUIO + 0x130) >> 8 & 7, 5)

    def test_boot(self):
        """OTP and bundle that belong together: up to the release"""
        otp = Otp()
        vendor, owner = dev_bundle.key_hashes()
        otp.put_fuses({'key_manifest_pk_hash': vendor, 'owner_pk_hash': owner,
                       'life_cycle': 3})
        m = self.boot(self.file(otp.flat()), qmp=True)
        for _ in range(4000):
            if not m.qom_get('/machine', 'ca35-held'):
                break
            m.clock_step(1000 * 1000)
        self.assertFalse(m.qom_get('/machine', 'ca35-held'),
                         self.log(m))
        # entropy of the field, for one, is on no log
        self.assertNotIn('field', self.log(m))


class UserFiles(FileCase):
    """Files that cannot be meant: one line, no waiting, no endless read"""

    def refused(self, option, path, text):
        with self.assertRaises(QTestError) as caught:
            Machine(options=f',{option}={path}').close()
        said = str(caught.exception).split('-nodefaults')[1].split('\n')[1:]
        self.assertEqual(len(said), 1, said)
        self.assertIn(f"'{path}' ", said[0])
        self.assertIn(text, said[0])

    def test_refused(self):
        fifo = self.path('fifo')
        os.mkfifo(fifo)
        firmware, fuses, rom = (
            f'{prefix}caliptra-{kind}' for prefix, kind in (
                ('', 'firmware'), ('caliptra-boot=guest,', 'fuses'),
                ('caliptra-boot=guest,', 'rom')))
        for option, path, text in (
                (firmware, fifo, 'is not a regular file'),
                (firmware, '/dev/zero', 'is not a regular file'),
                (firmware, self.dir, 'is not a regular file'),
                (firmware, self.file(b'', 'empty'),
                 'has 0 bytes, must have 1 to 131072'),
                (firmware, self.file(bytes(131073), 'large'),
                 'has 131073 bytes, must have 1 to 131072'),
                (fuses, fifo, 'is not a regular file'),
                (fuses, self.file(b' ' * 65537, 'long'),
                 'has 65537 bytes, must have 1 to 65536'),
                (rom, fifo, 'is not a regular file')):
            with self.subTest(option, path=os.path.basename(path)):
                self.refused(option, path, text)


if __name__ == '__main__':
    unittest.main()
