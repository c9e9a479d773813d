#!/usr/bin/env python3
#
# Releases of Caliptra's firmware: which one a bundle is, and what it does
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The native firmware is the release that the bundle is."""

import glob
import os
import struct
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import caliptra_soc as cs  # noqa: E402
import dpe_bench  # noqa: E402
import dpe_model as m  # noqa: E402
import identity_model as model  # noqa: E402
import test_auth_manifest as auth  # noqa: E402
import test_identity as ti  # noqa: E402
import test_boot  # noqa: E402
from dev_bundle import image, make_bundle  # noqa: E402
from qtestlib import QTest, QTestError  # noqa: E402

# the key that FMC makes of an overwritten key vault
FMC_KEY_X = ('a87cf42e7ee55c8c463428abfb2d0af96e5ee35cfd3b826106d33848205a6017'
             'c55879b7f51e8155e861e9e643224ade')
FMC_KEY_Y = ('7c0ecebad53e935af8d21ec1abe677f76cbcb1083606e6968047936849353460'
             'f49e3287a936fb071670c58c3ae4db4b')
FMC_SERIAL = 'A5A6AD4FF4A3817A06BD3F316E3810D7771CC4A356D44F4225F1BA5746617D5B'

RELEASES = ['1.2.%d' % patch for patch in range(6)]


def boot(soc, bundle):
    part = dpe_bench.default_part()
    soc.set_user(dpe_bench.PL0)
    soc.power_on(part.obf_key, part.lifecycle, part.debug_locked)
    soc.start(dpe_bench.fuses(part))
    soc.wait_ready_for_fw()
    soc.load_firmware(bundle)
    soc.wait_ready_for_runtime()


def settle(soc):
    """Let runtime get to where it waits for commands."""
    for _ in range(200):
        soc.serve_trng()
        soc.clock_step(100000)


class TestRecognition(unittest.TestCase):
    """Which release is it?  The log tells, with the reason."""

    def setUp(self):
        self.dir = tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        self.log = os.path.join(self.dir.name, 'log')

    def soc(self, options=''):
        return dpe_bench.Soc(
            args=['-chardev', 'file,id=log,path=' + self.log],
            machine_options=',caliptra-log=log' + options)

    def said(self):
        """What the log says of releases since the last question."""
        with open(self.log, encoding='ascii') as f:
            lines = f.read().splitlines()
        new, self.seen = lines[self.seen:], len(lines)
        return [line.split('] ', 1)[1] for line in new
                if line.startswith(('[caliptra] FMC 1.2.',
                                    '[caliptra] runtime 1.2.'))]

    def expect(self, cases, options=''):
        self.seen = 0
        with self.soc(options) as soc:
            for bundle, fmc, rt in cases:
                with self.subTest(fmc=fmc, rt=rt):
                    boot(soc, bundle)
                    self.assertEqual(self.said(),
                                     ['FMC ' + fmc, 'runtime ' + rt])

    def test_evidence(self):
        self.expect([(make_bundle(release=r), r + ' (revision)',
                      r + ' (revision)') for r in RELEASES] + [
            (make_bundle(fmc_version=0x0884, rt_version=0x01020002),
             '1.2.4 (version)', '1.2.2 (version)'),
            (make_bundle(fmc_version=0, rt_version=0, rt_load=0x40005c00),
             '1.2.3 (load address of the runtime)',
             '1.2.3 (load address of the runtime)'),
            (make_bundle(fmc_version=0, rt_version=0),
             '1.2.0 (assumed: unknown build)',
             '1.2.0 (assumed: unknown build)'),
            (make_bundle(release='1.2.5', fmc_release='1.2.2'),
             '1.2.2 (revision)', '1.2.5 (revision)')])

    def test_properties(self):
        self.expect([(make_bundle(release='1.2.2'), '1.2.4 (fmc-release)',
                      '1.2.5 (rt-release)')],
                    ',caliptra-fmc-release=1.2.4,caliptra-rt-release=1.2.5')

    def test_wrong_property(self):
        for name in ('caliptra-fmc-release', 'caliptra-rt-release'):
            for value in ('1.2.6', '1.2', ''):
                with self.subTest(name=name, value=value), \
                        self.assertRaisesRegex(
                            QTestError, 'aarch64: ' + name +
                            ' must be auto or 1.2.0 to 1.2.5: '):
                    QTest(machine='ast2700fc,caliptra-boot=guest,%s=%s' %
                          (name, value))

    def test_update(self):
        """A good update changes runtime's release, a refused one none."""
        self.seen = 0
        with self.soc() as soc:
            boot(soc, make_bundle(release='1.2.4'))
            self.said()
            bad = bytearray(make_bundle(release='1.2.5'))
            bad[-1] ^= 1
            soc.mailbox_send(cs.FIRMWARE_LOAD, bytes(bad))
            self.assertEqual(soc.mailbox_finish()[0], cs.CMD_FAILURE)
            settle(soc)
            self.assertEqual(self.said(), [])
            soc.load_firmware(make_bundle(release='1.2.5',
                                          fmc_release='1.2.4'))
            settle(soc)
            self.assertEqual(self.said(), ['runtime 1.2.5 (revision)'])


class TestGenuine(unittest.TestCase):
    """Bundles that ASPEED gives away, prebuilt in its image tool:
    CALIPTRA_GENUINE_DIR names the directory that has them."""

    # runtime's digest; FMC, runtime; n of 1.2.n; criticality of MultiTcbInfo
    CASES = {
        '6569b242': ("1.2.0 (digest: ASPEED's ast2700a1-default)",
                     "1.2.0 (digest: ASPEED's ast2700a1-default)", 0,
                     '0101ff'),
        '16cc65d2': ('1.2.2 (digest)',
                     "1.2.1 (digest: ASPEED's ast2700-default)", 1,
                     '010100'),
    }

    def test(self):
        directory = os.environ.get('CALIPTRA_GENUINE_DIR')
        if not directory:
            self.skipTest('CALIPTRA_GENUINE_DIR is not set')
        seen = set()
        for path in glob.glob(os.path.join(directory, '**',
                                           '*caliptra-fw*.bin'),
                              recursive=True):
            with open(path, 'rb') as f:
                data = f.read()
            digest = image.Bundle(data)['rt.digest'].hex()[:8]
            if digest in self.CASES and digest not in seen:
                seen.add(digest)
                with self.subTest(path=path):
                    self.check(data, *self.CASES[digest])
        self.assertEqual(seen, set(self.CASES))

    def check(self, data, fmc, rt, n, critical):
        fuses = image.Bundle(data).required_fuses()
        with tempfile.TemporaryDirectory() as tmp:
            log = os.path.join(tmp, 'log')
            with cs.CaliptraSoc(
                    args=['-chardev', 'file,id=log,path=' + log],
                    machine_options=',caliptra-log=log') as soc:
                soc.boot(data, {
                    0x250: ti.words(fuses['key_manifest_pk_hash']),
                    0x284: ti.words(fuses['owner_pk_hash']),
                    0x340: 1})
                self.answers(soc, n, critical)
            with open(log, encoding='ascii') as f:
                self.assertLessEqual(
                    {'[caliptra] FMC ' + fmc, '[caliptra] runtime ' + rt},
                    set(f.read().splitlines()))

    def answers(self, soc, n, critical):
        """What their code answers, as inspection of it shows."""
        def refused(code, payload=b''):
            with self.assertRaises(cs.CommandFailed) as caught:
                soc.command(code, payload)
            return caught.exception.non_fatal

        # GetProfile: 24 contexts
        rsp = soc.command(m.CMD_INVOKE_DPE, m.invoke(m.GET_PROFILE)[4:])
        self.assertEqual(struct.unpack_from('<I', rsp, 4 + 12 + 12)[0], 24)
        self.assertEqual(8 + len(soc.command(FW_INFO)), 264)
        # no self test
        for code in (0x46504c54, 0x46504c67):
            self.assertEqual(refused(code), 0x000e0002)
        self.assertEqual(refused(m.CMD_REVOKE_EXPORTED, bytes(32)),
                         0x000e005a if n else 0x000e0002)
        self.assertEqual(refused(m.CMD_REALLOCATE, bytes(4)), 0x000e0002)
        # the leaf certificate's MultiTcbInfo
        rsp = soc.command(m.CMD_INVOKE_DPE, m.certify()[4:])
        self.assertIn(bytes.fromhex('06066781050504' '05' + critical + '04'),
                      rsp)
        self.assertEqual(bytes.fromhex('aa433041a23f') in rsp, n > 0)
        soc.clock_step(1000000)
        self.assertEqual(soc.read32(cs.FLOW_STATUS),
                         0xb8000000 if n else 0x28000000)


class TestRom(unittest.TestCase):
    """ROM is of the release that its image says."""

    def test(self):
        for version, has_csr, reserved in ((0x0840, False, False),
                                           (0x0841, False, True),
                                           (0x0880, True, True)):
            with self.subTest(version=version), \
                    tempfile.TemporaryDirectory() as tmp:
                path = os.path.join(tmp, 'rom.bin')
                with open(path, 'wb') as f:
                    f.write(test_boot.rom_image(version=version)[0])
                with dpe_bench.Soc(
                        machine_options=',caliptra-rom=' + path) as soc:
                    self.check(soc, has_csr, reserved)

    def check(self, soc, has_csr, reserved):
        def start():
            soc.set_user(1)
            part = dpe_bench.default_part()
            soc.power_on(part.obf_key)
            soc.start(dpe_bench.fuses(part), cs.GENERATE_IDEVID_CSR,
                      pauser=(1, 0xffffffff))
            soc.take_csr()
            soc.wait_ready_for_fw()

        def fatal(code, payload=b''):
            soc.mailbox_send(code, m.request(code, payload))
            soc.mailbox_finish()
            return soc.read32(cs.FW_ERROR_FATAL)

        start()
        self.assertEqual(fatal(ti.GET_IDEV_CSR),
                         0 if has_csr else 0x01020004)
        if not has_csr:
            start()
        soc.load_firmware(make_bundle())
        soc.wait_ready_for_runtime()
        if has_csr:
            soc.command(ti.GET_IDEV_CSR)
        else:
            with self.assertRaises(cs.CommandFailed) as caught:
                soc.command(ti.GET_IDEV_CSR)
            self.assertEqual(caught.exception.non_fatal, 0x000e0052)
        start()
        soc.set_user(0xffffffff)
        self.assertEqual(fatal(0x46505652), 0x01020009 if reserved else 0)


# ---- what the release does ----

FW_INFO = 0x494e464f
GET_FMC_ALIAS_CSR = 0x464d4352
POPULATE_IDEV_CERT = 0x49444550
GET_PCR_LOG = 0x504c4f47
SHUTDOWN = 0x46505344
STASH_MEASUREMENT = m.CMD_STASH_MEASUREMENT

FLOW_DONE = 1 << 31
CHILD = m.RETAIN_PARENT | m.ALLOW_X509
NEXT = m.MAKE_DEFAULT | m.ALLOW_X509
EXPORT = m.EXPORT_CDI | m.CREATE_CERT
EXPORT_RETAIN = EXPORT | m.RETAIN_PARENT


class ReleaseTest(unittest.TestCase):
    """A device and its models; each test boots the releases it is about."""

    @classmethod
    def setUpClass(cls):
        cls.bench = dpe_bench.Bench(None)

    @classmethod
    def tearDownClass(cls):
        cls.bench.close()

    def setUp(self):
        b = self.bench
        b.test = self
        self.ask, self.status, self.fails = b.ask, b.status, b.fails

    def each(self, releases=range(6), **kwargs):
        """Boot one release after the other."""
        for release in releases:
            self.bench.cold_boot(release=release, **kwargs)
            # from ready for runtime to where it waits for commands
            self.bench.soc.clock_step(1000000)
            yield release

    def command(self, code, payload=b'', user=1):
        """(error, response from byte 8 on)"""
        soc = self.bench.soc
        soc.set_user(user)
        soc.mailbox_send(code, m.request(code, payload))
        status, data = soc.mailbox_finish()
        if status == cs.CMD_FAILURE:
            return soc.read32(cs.FW_ERROR_NON_FATAL), b''
        return 0, data[8:]

    def flow(self):
        return self.bench.soc.read32(cs.FLOW_STATUS)

    def export(self, flags=EXPORT, handle=m.ZERO_HANDLE, status=0):
        """(exported handle, parent's handle)"""
        body = self.status(status, m.derive(handle, flags=flags))
        return body[32:64], body[16:32]

    def sign(self, handle):
        return self.ask(m.sign_exported(handle, bytes(48)),
                        m.CMD_SIGN_WITH_EXPORTED_ECDSA)


class TestCommands(ReleaseTest):
    """Commands, their lengths and privileges."""

    def test(self):
        for n in self.each():
            b = self.bench
            for code, size, since, refusal in (
                    (m.CMD_REVOKE_EXPORTED, 32, 1, 0x000e005a),
                    (m.CMD_REALLOCATE, 4, 3, 0x000e005b),
                    (GET_PCR_LOG, 0, 4, 0)):
                self.assertEqual(self.command(code, bytes(size))[0],
                                 0x000e0002 if n < since else refusal)
            error, info = self.command(FW_INFO)
            self.assertEqual((error, 8 + len(info)),
                             (0, 264 if n < 2 else 312))
            self.assertEqual(info[256:], bytes(48 if n >= 2 else 0))
            error, csr = self.command(GET_FMC_ALIAS_CSR)
            self.assertEqual((error, 8 + len(csr)),
                             (0, 524 if n < 3 else 780))
            der = b.identity.fmc_alias_csr
            self.assertEqual(csr[:4 + len(der)],
                             struct.pack('<I', len(der)) + der)
            self.assertFalse(any(csr[4 + len(der):]))
            # the caller or the header?
            for user, error in ((1, 0), (2, 0 if n < 4 else 0x000e0016)):
                self.assertEqual(self.command(
                    POPULATE_IDEV_CERT, struct.pack('<I', 1) + b'x',
                    user)[0], error)

    def test_lengths(self):
        for n in self.each((5,)):
            self.assertEqual(n, 5)
            for code, size, error in (
                    (m.CMD_REVOKE_EXPORTED, 31, 0x000e0009),
                    (m.CMD_REVOKE_EXPORTED, 33, 0x000e0009),
                    (m.CMD_REALLOCATE, 3, 0x000e0003),
                    (m.CMD_REALLOCATE, 5, 0x000e0003)):
                self.assertEqual(self.command(code, bytes(size), 2)[0],
                                 error)
            for code, size in ((m.CMD_REVOKE_EXPORTED, 32),
                               (m.CMD_REALLOCATE, 4)):
                self.assertEqual(self.command(code, bytes(size), 2)[0],
                                 0x000e0016)

    def test_fmc_csr_of_another_release(self):
        b = self.bench
        for fmc, rt, error, size in (
                (3, 0, 0x000e0054, 0), (4, 2, 0x000e0058, 0),
                (0, 3, 0, 772), (2, 5, 0, 772)):
            with self.subTest(fmc=fmc, rt=rt):
                b.cold_boot(release=rt, fmc_release=fmc)
                got, csr = self.command(GET_FMC_ALIAS_CSR)
                self.assertEqual((got, len(csr)), (error, size))
                if not error:
                    der = b.identity.fmc_alias_csr
                    self.assertEqual(csr[4:4 + len(der)], der)

    def test_pcr_log(self):
        """Entries of ROM and FMC; a refused update adds FMC's again."""
        b = self.bench
        for fmc, entries in ((3, (1, 2, 3, 4, 6, 7)), (4, (1, 2, 3, 4, 6))):
            with self.subTest(fmc=fmc):
                b.cold_boot(release=4, fmc_release=fmc)

                def log(n):
                    error, rsp = self.command(GET_PCR_LOG, b'more')
                    self.assertEqual((error, len(rsp)), (0, 956))
                    self.assertEqual(struct.unpack_from('<I', rsp)[0], 56 * n)
                    self.assertFalse(any(rsp[4 + 56 * n:]))
                    return [struct.unpack_from('<HHI48s', rsp, 4 + 56 * i)
                            for i in range(n)]

                first = log(len(entries))
                self.assertEqual([e[0] for e in first], list(entries))
                self.assertEqual([e[1:3] for e in first],
                                 [(0, 3 if e[0] < 5 else 12) for e in first])
                self.assertEqual(first[4][3], b.identity.bundle.rt_tci)
                self.assertEqual(first[1][3], model.be_words(
                    b.part.vendor_pk_hash))
                if fmc == 3:
                    self.assertEqual(first[5][3], b.identity.bundle.digest)
                b.soc.set_user(1)
                b.soc.mailbox_send(cs.FIRMWARE_LOAD, b'junk')
                self.assertEqual(b.soc.mailbox_finish()[0], cs.CMD_FAILURE)
                b.settle()
                self.assertEqual(log(2 * len(entries) - 4),
                                 first + first[4:])


class TestAuthDigest(ReleaseTest):
    """The last good manifest's digest, in FW_INFO from 1.2.2 on."""

    def digest(self):
        return self.command(FW_INFO)[1][256:]

    def test(self):
        b = self.bench
        for n in self.each((1, 2, 5)):
            manifest = auth.signed(auth.packed([auth.entry(7)]) + b'more')
            payload = struct.pack('<I', len(manifest)) + manifest
            self.assertEqual(self.command(auth.SET_AUTH_MANIFEST, payload,
                                          3)[0], 0)
            want = b'' if n < 2 else ti.swap_words(m.sha384(manifest))
            self.assertEqual(self.digest(), want)
            self.assertNotEqual(self.command(
                auth.SET_AUTH_MANIFEST, payload[:-1])[0], 0)
            self.assertEqual(self.digest(), want)
            self.assertTrue(b.update(bytes(64)))
            self.assertTrue(b.warm_reset())
            self.assertEqual(self.digest(), want)


class TestFlow(ReleaseTest):
    """FLOW_STATUS, shutdown, warm resets."""

    def test_boot(self):
        """ready_for_fw stays, and mailbox_flow_done settles."""
        soc = self.bench.soc
        for n in self.each():
            self.assertEqual(self.flow(), 0x28000000 if n == 0
                             else 0xb8000000)
            # again, and look at each step of the firmware, to the next timer
            soc.set_user(1)
            soc.load_firmware(self.bench.bundle(bytes(64)))
            seen = []
            for _ in range(200):
                soc.serve_trng()
                flow = self.flow()
                if not seen or seen[-1] != flow:
                    seen.append(flow)
                try:
                    soc.clock_step()
                except QTestError:      # there is none any more
                    break
            if n == 0:
                self.assertEqual(seen[-1], 0x28000000)
            else:
                self.assertEqual(seen, [0x38000000, 0xb8000000, 0x38000000,
                                        0xb8000000])

    def test_command(self):
        """Not done while a command runs, and a moment longer."""
        soc = self.bench.soc
        for n in self.each((1, 2, 5)):
            soc.withhold = soc.draws
            soc.set_user(1)
            soc.mailbox_send(m.CMD_INVOKE_DPE, m.certify())
            soc.clock_step(1000000)
            self.assertFalse(self.flow() & FLOW_DONE, n)
            soc.withhold = None
            while not soc.read32(cs.MBOX_STATUS) & 15:
                soc.serve_trng()
                soc.clock_step(250)
            self.assertFalse(self.flow() & FLOW_DONE)
            soc.clock_step(1000000)
            self.assertTrue(self.flow() & FLOW_DONE)
            soc.mailbox_finish()

    def test_shutdown(self):
        soc = self.bench.soc
        for n in self.each():
            soc.mailbox_send(SHUTDOWN, m.request(SHUTDOWN, b''))
            status = 0
            while not status:
                soc.clock_step(1000)
                status = soc.read32(cs.MBOX_STATUS) & 15
            soc.clock_step(1000000)
            fatal = soc.read32(cs.FW_ERROR_FATAL)
            self.assertEqual(fatal, 0 if n == 0 else 0x000e0008)
            self.assertEqual(self.flow() & FLOW_DONE, 0)
            # the response can be read nevertheless
            self.assertEqual(soc.mailbox_finish(),
                             (cs.DATA_READY, m.response(b'')))
            soc.mailbox_send(FW_INFO, m.request(FW_INFO, b''))
            self.assertEqual(soc.mailbox_finish()[0], cs.CMD_FAILURE)
            self.assertEqual(soc.read32(cs.FW_ERROR_FATAL), 0x000e0008)
            self.assertEqual(soc.read32(cs.FW_ERROR_NON_FATAL), 0x000e0008)

    def test_warm_reset(self):
        """Idle: up to 1.2.1 the end of attestation."""
        b = self.bench
        for n in self.each():
            rev = b.soc.reads32([cs.FW_REV_ID, cs.FW_REV_ID + 4])
            self.assertTrue(b.warm_reset())
            self.assertEqual(b.dpe.attestation_disabled, n < 2)
            self.assertEqual(b.soc.reads32([cs.FW_REV_ID, cs.FW_REV_ID + 4]),
                             rev if n >= 3 else [rev[0] & 0xffff, 0])
            self.assertEqual(self.flow(), 0x28000000 if n == 0
                             else 0xa8000000)
            self.status(0, m.certify())
            self.assertTrue(b.update(bytes(64)))
            self.status(0, m.certify())

    def test_warm_reset_in_command(self):
        b = self.bench
        for n in self.each((2, 3, 5)):
            b.soc.set_user(1)
            b.soc.withhold = b.soc.draws
            b.soc.mailbox_send(m.CMD_INVOKE_DPE, m.certify())
            b.soc.clock_step(1000000)
            b.soc.withhold = None
            self.assertTrue(b.warm_reset(busy=True))
            self.assertTrue(b.dpe.attestation_disabled, n)
            self.status(0, m.certify())
            # the next one finds it idle, but attestation stays disabled
            self.assertTrue(b.warm_reset())
            self.assertEqual(b.dpe.non_fatal, 0)
            self.status(0, m.certify())

    def test_warm_reset_in_self_test_or_refused(self):
        """A self test is no command."""
        b = self.bench
        for _ in self.each((4,)):
            b.soc.withhold = b.soc.draws
            self.assertEqual(self.command(0x46504c54)[0], 0)
            b.soc.clock_step(1000000)
            self.assertTrue(self.flow() & FLOW_DONE)
            b.soc.withhold = None
            self.assertTrue(b.warm_reset())
            self.assertFalse(b.dpe.attestation_disabled)


class TestFmc(ReleaseTest):
    """What FMC measures, and the key that it may have to make again."""

    def test_log_exhausted(self):
        soc = self.bench.soc
        for release, fit in ((3, 5), (4, 12)):
            with self.subTest(release=release):
                self.bench.cold_boot(release=release)
                soc.set_user(1)
                for _ in range(fit):
                    soc.mailbox_send(cs.FIRMWARE_LOAD, b'junk')
                    self.assertEqual(soc.mailbox_finish()[0], cs.CMD_FAILURE)
                    self.bench.identity.refused_update()
                    self.bench.settle()
                self.assertEqual(self.bench.pcrs()[:4],
                                 self.bench.identity.pcrs[:4])
                soc.mailbox_send(cs.FIRMWARE_LOAD, b'junk')
                soc.mailbox_finish()
                self.assertEqual(soc.wait_fatal(), 0x000f000a)

    def test_debug_unlocked_warm_reset(self):
        """FMC 1.2.4 goes on with a key that is nobody's."""
        for release in (3, 4, 5):
            with self.subTest(release=release), cs.CaliptraSoc() as dev:
                part = ti.provisioned(debug_locked=False)
                bundle = make_bundle(release='1.2.%d' % release)
                ti.cold_boot(dev, part, bundle)
                want = model.Identity(part, bundle, (), release, release)
                dev.clock_step(1000000)
                dev.assert_reset()
                dev.release_reset()
                dev.poll32(cs.FLOW_STATUS, 7 << 25, 1 << 25)
                dev.start()
                if release == 3:
                    self.assertEqual(dev.wait_fatal(), 0x01040055)
                    continue
                dev.wait_ready_for_runtime()
                csr = want.fmc_alias_csr
                want.warm_reset()
                self.assertEqual(want.fmc.x.hex(), FMC_KEY_X)
                self.assertEqual(want.fmc.y.hex(), FMC_KEY_Y)
                self.assertEqual(want.fmc.name_serial.decode(), FMC_SERIAL)
                self.assertEqual(ti.get(dev, ti.GET_RT_ALIAS_CERT),
                                 want.rt_alias_cert)
                self.assertEqual(ti.get(dev, GET_FMC_ALIAS_CSR), csr)
                pcrs, digest, _, r, s = ti.quote(dev, bytes(32))
                self.assertEqual((digest, r, s), want.quote(bytes(32)))
                self.assertEqual(dev.read32(cs.FW_ERROR_NON_FATAL), 0)


class TestExports(ReleaseTest):
    """Exported CDIs: their handle, what becomes of their parent."""

    def base(self):
        """A context beside the default one's way, whose handle is random"""
        handle = self.status(0, m.rotate())
        return self.status(0, m.derive(handle, flags=CHILD))[:32]

    def test_second(self):
        """Refused; from 1.2.1 on the key of the first stays."""
        for n in self.each():
            out = self.base()
            child, parent = out[:16], out[16:]
            handle = self.export(EXPORT_RETAIN if n else EXPORT, parent)
            if n:
                parent = handle[1]
            key = self.sign(handle[0])
            self.export(EXPORT_RETAIN if n else EXPORT, child, 0x02000007)
            self.assertEqual(self.sign(handle[0]) == key, n > 0)

    def test_retain(self):
        for n in self.each():
            if n == 0:
                self.export(EXPORT_RETAIN, status=3)
                continue
            handle, parent = self.export(EXPORT_RETAIN)
            self.assertEqual(parent, m.ZERO_HANDLE)
            self.status(0, m.certify())
            self.assertEqual(self.command(m.CMD_REVOKE_EXPORTED, handle),
                             (0, b''))
            self.bench.dpe.exported_handle = None
            self.fails(m.NOT_EXPORTED, m.revoke(handle),
                       m.CMD_REVOKE_EXPORTED)
            self.fails(m.EXPORTED_KEY_FAILED,
                       m.sign_exported(handle, bytes(48)),
                       m.CMD_SIGN_WITH_EXPORTED_ECDSA)
            other = self.status(0, m.rotate())
            handle, parent = self.export(EXPORT_RETAIN, other)
            self.assertNotIn(parent, (other, m.DEAD_HANDLE))
            self.status(0, m.certify(parent))

    def test_resets(self):
        """From 1.2.2 on the handle outlives them."""
        b = self.bench
        for n in self.each():
            handle = self.export(EXPORT_RETAIN if n else EXPORT)[0]
            self.sign(handle)
            self.assertTrue(b.update(bytes(64)))
            self.assertEqual(self.sign(handle) is not None, n >= 2)
            self.assertTrue(b.warm_reset())
            self.assertEqual(self.sign(handle) is not None, n >= 2)
            self.ask(m.request(m.CMD_DISABLE_ATTESTATION, b''),
                     m.CMD_DISABLE_ATTESTATION)
            self.sign(handle)
            self.assertTrue(b.update(bytes(64)))
            self.sign(handle)

    def test_parent(self):
        """Without RETAIN_PARENT: kept, retired, or destroyed."""
        b = self.bench
        for n in self.each():
            out = self.base()
            child, parent = out[:16], out[16:]
            self.export(EXPORT, child)
            self.status(0 if n == 0 else 0x1000, m.certify(child))
            self.assertEqual(b.dpe.slots[2].state, ('active', 'retired',
                                                    'inactive')[min(n, 2)])
            # the only child is gone from 1.2.2 on, and so is the parent now
            if n:
                self.command(m.CMD_REVOKE_EXPORTED, b.dpe.exported_handle)
                b.dpe.exported_handle = None
                self.export(EXPORT, parent)
                self.assertEqual(b.dpe.slots[1].state, 'retired' if n == 1
                                 else 'inactive')
            alive = b.update(bytes(64))
            if n == 1:
                self.assertEqual((b.dpe.non_fatal, b.dpe.ext_error),
                                 (m.DPE_VALIDATION_FAILED, 0x03000010))
            self.assertEqual(alive, n < 2)
            self.assertEqual(b.dpe.non_fatal, (0, m.DPE_VALIDATION_FAILED,
                                               m.NO_ROOT)[min(n, 2)])

    def test_default_parent_with_children(self):
        """A parent with children is retired in both."""
        b = self.bench
        for n in self.each((1, 2, 5)):
            out = self.base()
            child, parent = out[:16], out[16:]
            self.export(EXPORT, parent)
            self.assertEqual(b.dpe.slots[1].state, 'retired', n)
            child = self.status(0, m.certify(child))[:16]
            self.assertTrue(b.update(bytes(64)))
            self.assertEqual(b.dpe.non_fatal, 0)
            self.status(0, m.certify(child))

    def test_stale_tag(self):
        """1.2.2: the tag of a destroyed parent stays, until it stops."""
        b = self.bench
        for tag, error in ((5, m.INACTIVE_WITH_TAG), (0, m.INACTIVE_HAS_TAG)):
            for _ in self.each((2,)):
                child = self.base()[:16]
                self.ask(m.tag_tci(child, tag), m.CMD_TAG_TCI)
                self.export(EXPORT, child)
                rsp = self.ask(m.get_tagged_tci(tag), m.CMD_GET_TAGGED_TCI)
                self.assertFalse(any(rsp[8:]))
                self.assertFalse(b.update(bytes(64)))
                self.assertEqual(b.dpe.non_fatal, error)

    def test_destroyed_locality(self):
        """The trap of DestroyContext is gone with 1.2.2."""
        b = self.bench
        for n in self.each((1, 2)):
            child = self.base()[:16]
            self.status(0, m.destroy(child))
            self.assertTrue(b.update(bytes(64)))
            self.assertEqual(b.dpe.attestation_disabled, n == 1)


class TestLimits(ReleaseTest):
    """How many contexts a privilege level may have."""

    def test_stash(self):
        """The root counts for PL0 from 1.2.3 on."""
        for n in self.each():
            fit = 15 if n < 3 else 14
            for i in range(fit):
                self.assertEqual(self.ask(
                    m.stash(b'meas', bytes([i]) * 48),
                    STASH_MEASUREMENT)[8:], bytes(4))
            self.fails(m.PL0_REACHED, m.stash(b'meas', bytes(48)),
                       STASH_MEASUREMENT)

    def test_profile(self):
        for n in self.each():
            rsp = self.ask(m.invoke(m.GET_PROFILE))
            self.assertEqual(rsp[:4].hex(), 'dffaffff' if n < 3
                             else 'd7faffff')

    def test_reallocate(self):
        for n in self.each((3, 4, 5)):
            req = m.reallocate(16)
            self.assertEqual(req[:4].hex(), 'affeffff', n)
            self.assertEqual(m.reallocate(32)[:4].hex(), '9ffeffff')
            rsp = self.ask(req, m.CMD_REALLOCATE)
            self.assertEqual(rsp.hex(), 'e0ffffff' '00000000' '10000000'
                             '10000000')
            for limit, error in ((0, m.LIMIT_TOO_SMALL),
                                 (1, m.LIMIT_TOO_SMALL),
                                 (33, m.LIMIT_TOO_LARGE)):
                self.fails(error, m.reallocate(limit), m.CMD_REALLOCATE)
            self.assertEqual(self.ask(m.reallocate(32),
                                      m.CMD_REALLOCATE).hex(),
                             'e0ffffff' '00000000' '20000000' '00000000')
            # PL1 has no room left, whoever makes the context
            base = self.status(0, m.rotate())
            self.fails(m.PL1_REACHED, m.derive(
                base, flags=CHILD | m.CHANGE_LOCALITY, target=2))
            self.fails(m.PL1_REACHED, m.initialize(m.SIMULATION), user=2)
            self.ask(m.reallocate(4), m.CMD_REALLOCATE)
            out = self.status(0, m.derive(
                base, flags=CHILD | m.CHANGE_LOCALITY, target=2))
            self.fails(m.LIMIT_BELOW_PL1, m.reallocate(32), m.CMD_REALLOCATE)
            out = self.status(0, m.derive(out[16:32], flags=CHILD))
            self.fails(m.LIMIT_BELOW_PL0, m.reallocate(2), m.CMD_REALLOCATE)
            self.ask(m.reallocate(3), m.CMD_REALLOCATE)
            # a limit that is reached lets attestation end at the next reset
            self.assertTrue(self.bench.update(bytes(64)))
            self.assertEqual(self.bench.dpe.non_fatal, m.PL0_REACHED)

    def test_owner(self):
        """Up to 1.2.2 it is the caller's limit that counts."""
        for n in self.each((2, 3)):
            base = self.status(0, m.rotate())
            base = self.status(0, m.derive(
                base, flags=CHILD | m.CHANGE_LOCALITY, target=2))[16:32]
            for i in range(15 if n == 2 else 14):
                base = self.status(0, m.derive(base, bytes([i]) * 48,
                                               CHILD))[16:32]
            # PL1 aims at PL0, which is full
            handle = self.bench.dpe.slots[2].handle
            self.fails(m.BAD_PRIVILEGE if n == 2 else m.PL0_REACHED,
                       m.derive(handle, flags=CHILD | m.CHANGE_LOCALITY,
                                target=1), user=2)
            # PL0 is full and aims at PL1
            req = m.derive(base, flags=CHILD | m.CHANGE_LOCALITY, target=3)
            if n == 2:
                self.fails(m.PL0_REACHED, req)
            else:
                self.status(0, req)


class TestCciv(ReleaseTest):
    """The context with the initial values, from 1.2.4 on."""

    def test_update(self):
        b = self.bench
        for n in self.each((3, 4, 5)):
            node = b.dpe.slots[1]
            before = node.current
            self.assertTrue(b.update(bytes(64)))
            self.assertEqual(node.current, before)
            self.status(0, m.certify())
            # a header that names no PL0: its flags are measured
            b.pl0_valid = b.dpe.pl0_valid = False
            self.assertTrue(b.update(bytes(64)))
            self.assertEqual(node.current != before, n >= 4)
            self.ask(m.certify(fmt=1))
            # a refused update does not count, nor does a warm reset
            self.assertTrue(b.warm_reset())
            self.ask(m.certify(fmt=1))
            b.pl0_valid = True

    def test_type_of_another_context(self):
        """What looks like it, but does not derive from the root."""
        b = self.bench
        for _ in self.each((4,)):
            self.status(0, m.derive(flags=NEXT, tci_type=0x43434956))
            self.assertTrue(b.update(bytes(64)))
            self.status(0, m.certify())
            # and a measurement of this type into it
            self.status(0, m.derive(data=b'\1' * 48, flags=m.RECURSIVE,
                                    tci_type=0x43434956))
            self.assertTrue(b.update(bytes(64)))
            self.status(0, m.certify())


class TestAcrossReleases(ReleaseTest):
    """Updates that change the release of the runtime, with one FMC."""

    def update(self, before, after, fmc=4):
        """(fatal, non-fatal, extended error) of the update reset"""
        b = self.bench
        b.cold_boot(release=before, fmc_release=fmc)
        b.soc.set_user(1)
        b.soc.load_firmware(make_bundle(
            rt=b'%4d' % after * 16, release='1.2.%d' % after,
            fmc_release='1.2.%d' % fmc))
        b.settle()
        return tuple(b.soc.reads32([cs.FW_ERROR_FATAL, cs.FW_ERROR_NON_FATAL,
                                    cs.FW_EXTENDED_ERROR_INFO]))

    def profile(self):
        rsp = self.command(m.CMD_INVOKE_DPE, m.invoke(m.GET_PROFILE)[4:])[1]
        return struct.unpack_from('<II', rsp, 4 + 12 + 12)

    def test_clean(self):
        for before, after in ((4, 5), (5, 4), (1, 2), (2, 1), (5, 3)):
            with self.subTest(before=before, after=after):
                self.assertEqual(self.update(before, after), (0, 0, 0))
                self.assertEqual(self.profile(), (24 if after < 3 else 32,
                                                  0xee6c0000))

    def test_handle(self):
        """1.2.2 finds none of 1.2.1's, and finds its own again."""
        b = self.bench
        self.assertEqual(self.update(2, 2), (0, 0, 0))
        error, rsp = self.command(m.CMD_INVOKE_DPE, m.derive(
            flags=EXPORT_RETAIN)[4:])
        handle = rsp[4 + 12 + 32:4 + 12 + 64]
        for release, error in ((1, m.EXPORTED_KEY_FAILED), (2, 0)):
            b.soc.load_firmware(make_bundle(release='1.2.%d' % release,
                                            fmc_release='1.2.4'))
            b.settle()
            self.assertEqual(self.command(m.CMD_SIGN_WITH_EXPORTED_ECDSA,
                                          handle + bytes(48))[0], error)

    def test_no_cciv(self):
        for after in (4, 5):
            self.assertEqual(self.update(3, after)[0], 0x000e0060)

    def test_flags_of_the_instance(self):
        """1.2.0 and 1.2.1 do not agree on what has been initialized."""
        failed = (0, m.DPE_VALIDATION_FAILED, 0x03000018)
        for before, after in ((0, 1), (0, 2), (1, 0), (2, 0)):
            with self.subTest(before=before, after=after):
                self.assertEqual(self.update(before, after), failed)
                # a snapshot of it is good
                self.bench.snapshot()
                # a default context can be made once
                for status in (0, 4):
                    rsp = self.command(m.CMD_INVOKE_DPE, m.initialize(
                        m.DEFAULT)[4:], 3)[1]
                    self.assertEqual(struct.unpack_from('<I', rsp, 8)[0],
                                     status)
                self.bench.snapshot()

    def test_layout(self):
        """Before and after 1.2.3 what is supported lies elsewhere."""
        for before, after, ext in ((0, 3, 0x15), (2, 5, 0x15), (3, 2, 0x15),
                                   (5, 0, 0x14)):
            with self.subTest(before=before, after=after):
                self.assertEqual(self.update(before, after),
                                 (0, m.DPE_VALIDATION_FAILED,
                                  0x03000000 + ext))
                self.assertEqual(self.profile()[1], 0)
                self.bench.snapshot()
                error = self.command(STASH_MEASUREMENT, bytes(104))[0]
                if after >= 3:
                    self.assertEqual(error, m.PL0_EXCEEDED)
                    self.assertEqual(self.command(
                        m.CMD_REALLOCATE, struct.pack('<I', 16))[0], 0)
                    error = self.command(STASH_MEASUREMENT, bytes(104))[0]
                self.assertEqual(error, 0)


class TestSnapshots(ReleaseTest):
    """A snapshot carries its release."""

    def test(self):
        b = self.bench
        for n in self.each((1, 4)):
            handle = self.export(EXPORT_RETAIN)[0]
            if n == 4:
                self.status(0, m.initialize(m.SIMULATION), user=2)
                self.ask(m.reallocate(20), m.CMD_REALLOCATE)
            b.snapshot()
            self.sign(handle)
            self.status(0, m.certify())
            self.assertTrue(b.warm_reset())
            self.status(0, m.certify())
            if n == 4:
                self.fails(m.LIMIT_BELOW_PL1, m.reallocate(32),
                           m.CMD_REALLOCATE)

    def test_retired_without_children(self):
        """1.2.1 leaves such a context behind."""
        for _ in self.each((1,)):
            handle = self.status(0, m.rotate())
            out = self.status(0, m.derive(handle, flags=CHILD))
            self.export(EXPORT, out[:16])
            self.bench.snapshot()
            self.status(0, m.certify(out[16:32]))

    def test_other_release(self):
        """The properties are not of the snapshot's opinion."""
        b = self.bench
        for _ in self.each((4,)):
            state, now = b.soc.save()
            for name in ('rt', 'fmc'):
                with self.assertRaisesRegex(
                        QTestError, "caliptra: the stream's %s firmware is "
                        'release 1.2.4, but %s-release says 1.2.2' %
                        (name, name)):
                    b.soc.resume(state, now, machine_options=',caliptra-'
                                 '%s-release=1.2.2' % name)
            b.soc = b.soc.resume(state, now, machine_options=',caliptra-rt-'
                                 'release=1.2.4,caliptra-fmc-release=1.2.4')
            self.status(0, m.certify())
        b.renew()


if __name__ == '__main__':
    unittest.main()
