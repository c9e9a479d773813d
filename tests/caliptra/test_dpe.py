#!/usr/bin/env python3
#
# The DICE Protection Environment of a booted Caliptra
#
# Every answer of the device is compared with that of dpe_model.py, byte for
# byte, and so is the number of random blocks that it takes; the model itself
# is checked in test_dpe_model.py.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""DPE over the mailbox: known answers, errors, limits, certificates."""

import itertools
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from cryptography import x509                                # noqa: E402
from cryptography.exceptions import InvalidSignature         # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec     # noqa: E402

import caliptra_soc as cs                                    # noqa: E402
import dpe_bench                                             # noqa: E402
from dpe_case import CHILD, EXPORT, NEXT, DeviceTest, der    # noqa: E402
from dpe_case import digest_of, elements, pem, point_key     # noqa: E402
from dpe_case import public_key, raw_signature, verify, walk  # noqa: E402
import dpe_known as k                                        # noqa: E402
import dpe_model as m                                        # noqa: E402
import dpe_random                                            # noqa: E402
import dpe_vectors as v                                      # noqa: E402

TRNG_TIMEOUT = 0x00100001
PAIRWISE_FAILURE = 0x0005000d


# ---- known answers ----

class KnownAnswers(DeviceTest):
    """The vectors, on a device that is made to have their inputs.

    Their secrets are not those of any part, so a saved device gets them in
    place of its own.
    """

    MAX_HANDLES = m.MAX_HANDLES_LATER

    def setUp(self):
        super().setUp()
        b = self.bench
        b.cold_boot(users=(1,))
        keys = b._runtime_keys()
        key, pcr3 = keys['rt_key'], b.identity.pcrs[3]
        state, now = b.soc.save()
        for old, new in ((keys['rt_cdi'], k.RT_CDI),
                         (key.d.to_bytes(48, 'big'), v.RT_PRIV),
                         (key.x, v.RT_X), (key.y, v.RT_Y),
                         (m.sha384(bytes(48), pcr3), v.RTJM_CUMULATIVE),
                         (pcr3, k.PCR3)):
            self.assertIn(old, state)
            state = state.replace(old, new)
        b.soc = soc = b.soc.resume(state, now)
        # random numbers count for the vectors where they become handles
        self.handles = {}
        soc.block = lambda i: k.handle(self.handles.get(i - start, 0xf))
        start = soc.draws

    def tearDown(self):
        self.bench.renew()

    def ask_raw(self, req, cmd=m.CMD_INVOKE_DPE):
        soc = self.bench.soc
        soc.set_user(1)
        soc.mailbox_send(cmd, req)
        status, rsp = soc.mailbox_finish()
        return rsp if status == cs.DATA_READY else None

    def test_dialogue(self):
        # CertifyKey 5, CSR 6, Sign 5, CertifyKey 5; export 6; rotate; derive
        self.handles = {21: 1, 27: 2, 28: 3, 29: 4}
        k.check(self, self.ask_raw)

    def test_replace_default(self):
        k.check_replace(self, self.ask_raw)

    def test_tags(self):
        """Measurements of the first two contexts, through tags."""
        self.assertIsNotNone(self.ask_raw(m.tag_tci(m.ZERO_HANDLE, 7),
                                          m.CMD_TAG_TCI))
        rsp = self.ask_raw(m.get_tagged_tci(7), m.CMD_GET_TAGGED_TCI)
        self.assertEqual(rsp[8:], v.MBVP_CUMULATIVE + v.MBVP)

    def test_disabled(self):
        """Keys that every part has once attestation is disabled."""
        self.ask_raw(m.request(m.CMD_DISABLE_ATTESTATION, b''),
                     m.CMD_DISABLE_ATTESTATION)
        rsp = self.ask_raw(m.certify(label=k.LABEL))
        cert = k.cert_of(rsp, 24 + 112)[0]
        key = point_key(v.DISABLED_X, v.DISABLED_Y)
        verify(key, der(walk(cert, 2))[1][1:], m.sha384(walk(cert, 0)))


# ---- start ----

class InitialContexts(DeviceTest):
    def tcb_infos(self, user=None):
        """[(current, cumulative, locality, type)] of the default context."""
        body = self.status(0, m.certify(fmt=1, label=k.LABEL), user)
        cms = self.certificate(body)
        csr = der(walk(cms, 1, 0, 2, 1, 0))[1]
        # certificationRequestInfo, attributes, extensionRequest, values
        exts = walk(csr, 0, 3, 0, 1, 0)
        infos = der(walk(exts, 0, 2))[1]
        out = []
        for info in elements(der(infos)[1]):
            fwids, vendor, kind = elements(der(info)[1])
            current, cumulative = elements(der(fwids)[1])
            out.append((der(walk(current, 1))[1], der(walk(cumulative, 1))[1],
                        int.from_bytes(der(vendor)[1], 'big'),
                        der(kind)[1]))
        return out

    def check(self, users, stashed=(), **kwargs):
        b = self.bench
        b.cold_boot(users=users, stashed=stashed, **kwargs)
        infos = self.tcb_infos()
        pcr3 = b.pcrs()[3]
        want = [(pcr3, 0xFFFFFFFF, b'MJTR'),
                (m.valid_pauser_measurement(users), b.pl0, b'PVBM')]
        want += [(measurement, b.pl0, metadata)
                 for metadata, measurement in stashed]
        self.assertEqual(
            infos, [(data, m.sha384(bytes(48), data), locality, kind)
                    for data, locality, kind in want])
        b.check_pcr31()

    def test_users(self):
        for users in ((1,), (1, 2, 3), (5, 1, 0x10, 7, 9)):
            with self.subTest(users=users):
                self.check(users)

    def test_rom_measurements(self):
        for n in (1, 2, 8):
            with self.subTest(n=n):
                self.check((1, 2), [(b'm%03d' % i, digest_of(str(i)))
                                    for i in range(n)])

    def test_no_pl0(self):
        """Nobody has level 0, but the locality has its contexts."""
        self.check((1, 0), pl0=0, pl0_valid=False)
        self.fails(m.BAD_PRIVILEGE, m.certify())

    def test_same_as_rom(self):
        """ROM, STASH_MEASUREMENT and DeriveContext give the same leaf."""
        certs = []
        b = self.bench
        b.cold_boot(stashed=[(b'efgh', k.COUNT_UP)])
        certs.append(self.status(0, m.certify(label=k.LABEL)))
        b.cold_boot()
        self.ask(m.stash(b'efgh', k.COUNT_UP), m.CMD_STASH_MEASUREMENT)
        certs.append(self.status(0, m.certify(label=k.LABEL)))
        b.cold_boot()
        self.derive(flags=NEXT, data=k.COUNT_UP, tci_type=k.TYPE)
        certs.append(self.status(0, m.certify(label=k.LABEL)))
        self.assertEqual(certs[0], certs[1])
        self.assertEqual(certs[1], certs[2])


# ---- errors of section "mapping to the mailbox" ----

class MailboxErrors(DeviceTest):
    def test_reserved_user(self):
        b = self.bench
        b.cold_boot(users=(1, 2, 0xFFFFFFFF))
        self.fails(m.RESERVED_PAUSER, m.invoke(m.GET_PROFILE),
                   user=0xFFFFFFFF)

    def test_envelope(self):
        """Length of the request, and of the command inside it."""
        whole = struct.pack('<I', 12) + m.invoke(m.GET_PROFILE)[8:20]
        for size in (500, 516):
            self.status(0, m.request(m.CMD_INVOKE_DPE,
                                     whole.ljust(size, b'\0')))
        for size in (517, 600):
            self.fails(m.INSUFFICIENT_MEMORY,
                       m.request(m.CMD_INVOKE_DPE, whole.ljust(size, b'\0')))
        for size, error in ((512, None), (513, m.INVALID_PARAMS),
                            (0xFFFFFFFF, m.INVALID_PARAMS)):
            req = m.request(m.CMD_INVOKE_DPE,
                            struct.pack('<I', size) + whole[4:])
            if error:
                self.fails(error, req)
            else:
                self.status(0, req)

    def test_checksum_and_length(self):
        b = self.bench
        for req, error in ((bytes(4) + m.invoke(m.GET_PROFILE)[4:],
                            0x000E0005), (b'', 0x000E0009),
                           (b'\1\2\3', 0x000E0009)):
            b.soc.set_user(1)
            b.soc.mailbox_send(m.CMD_INVOKE_DPE, req)
            self.assertEqual(b.soc.mailbox_finish()[0], cs.CMD_FAILURE)
            self.assertEqual(b.soc.read32(cs.FW_ERROR_NON_FATAL), error)

    def test_exact_sizes(self):
        rand = random.Random(1)
        for cmd, size, error in (
                (m.CMD_CERTIFY_KEY_EXTENDED, 80, m.INSUFFICIENT_MEMORY),
                (m.CMD_TAG_TCI, 24, m.INSUFFICIENT_MEMORY),
                (m.CMD_GET_TAGGED_TCI, 8, m.INSUFFICIENT_MEMORY),
                (m.CMD_STASH_MEASUREMENT, 108, m.INSUFFICIENT_MEMORY),
                (m.CMD_SIGN_WITH_EXPORTED_ECDSA, 84, m.INVALID_PARAMS)):
            for wrong in (4, size - 4, size - 1, size + 1, size + 4):
                with self.subTest(cmd=hex(cmd), size=wrong):
                    self.fails(error, m.request(cmd,
                                                rand.randbytes(wrong - 4)),
                               cmd)

    def test_not_a_command(self):
        """Whatever is wrong with the frame has one error."""
        good = {cmd: m.BODY_LEN[cmd] for cmd in m.BODY_LEN}
        for cmd, size in good.items():
            with self.subTest(cmd=cmd):
                if size:
                    self.fails(m.DESERIALIZATION_FAILED,
                               m.invoke(cmd, bytes(size - 1)))
                    self.fails(m.DESERIALIZATION_FAILED, m.invoke(cmd))
                self.fails(m.DESERIALIZATION_FAILED,
                           m.invoke(cmd, bytes(size), magic=0x44504552))
                for profile in (0, 3, 5):
                    req = m.invoke(cmd, bytes(size), profile=profile)
                    if cmd == m.GET_PROFILE:
                        self.status(0, req)
                    else:
                        self.fails(m.DESERIALIZATION_FAILED, req)
        for cmd in set(range(0x20)) - set(good):
            self.fails(m.DESERIALIZATION_FAILED, m.invoke(cmd, bytes(200)))
        for n in range(12):
            self.fails(m.DESERIALIZATION_FAILED,
                       m.request(m.CMD_INVOKE_DPE, struct.pack('<I', n) +
                                 m.invoke(m.GET_PROFILE)[8:]))

    def test_long_body(self):
        """What follows a command's body is ignored."""
        for cmd, size in m.BODY_LEN.items():
            with self.subTest(cmd=cmd):
                self.assertIsNotNone(
                    self.ask(m.invoke(cmd, bytes(size) + b'\xff' * 300)))
                if cmd == m.DESTROY_CONTEXT:
                    self.bench.cold_boot()

    def test_zero_extension(self):
        """What was announced but not sent reads as zeros."""
        req = m.sign(digest=digest_of('x'))
        data = req[4:].rstrip(b'\0')[:40]
        self.status(0, m.request(m.CMD_INVOKE_DPE, data))

    def test_privilege(self):
        """What level 1 may not do; thresholds come first."""
        self.give(2)
        for req in (m.certify(), m.certify(b'\1' * 16),
                    m.derive(flags=m.EXPORT_CDI),
                    m.derive(flags=EXPORT),
                    m.derive(flags=m.CHANGE_LOCALITY, target=1),
                    m.derive(b'\5' * 16, flags=m.CHANGE_LOCALITY |
                             m.RECURSIVE, target=1)):
            self.fails(m.BAD_PRIVILEGE, req, user=2)
        self.status(0, m.certify(fmt=1), user=2)
        self.status(3, m.certify(fmt=2), user=2)
        self.status(0, m.sign(), user=2)
        self.fails(m.BAD_PRIVILEGE, m.stash(b'abcd', bytes(48)),
                   m.CMD_STASH_MEASUREMENT, user=2)
        for fmt in (0, 1):
            self.fails(m.BAD_PRIVILEGE, m.certify_extended(fmt=fmt),
                       m.CMD_CERTIFY_KEY_EXTENDED, user=2)
        self.fails(m.BAD_PRIVILEGE, m.sign_exported(bytes(32), bytes(48)),
                   m.CMD_SIGN_WITH_EXPORTED_ECDSA, user=2)

    def test_locality_of_pl0_without_flag(self):
        """The header's user is compared even if nobody is level 0."""
        self.bench.cold_boot(users=(0, 2), pl0=0, pl0_valid=False)
        self.fails(m.BAD_PRIVILEGE,
                   m.derive(flags=m.CHANGE_LOCALITY, target=0))


# ---- DPE's own errors ----

class Statuses(DeviceTest):
    def test_handle_and_locality(self):
        """No context at all, or none with this handle."""
        commands = (m.derive, m.certify, m.sign, m.rotate, m.destroy)
        for make in commands:
            with self.subTest(command=make.__name__):
                self.status(0x1000, make(b'\1' * 16))
                self.status(0x1000, make(m.DEAD_HANDLE))
                req = make(fmt=1) if make is m.certify else make()
                self.status(0x1001, req, user=2)
        rotated = self.rotate()
        for make in commands:
            self.status(0x1000, make())
        # not even with the right handle from somewhere else
        self.give_from(rotated, 2)
        self.status(0x1000, m.sign(rotated), user=2)

    def give_from(self, base, user):
        return self.derive(base, CHILD | m.MAKE_DEFAULT | m.CHANGE_LOCALITY,
                           target=user)

    def test_initialize(self):
        for flags, status in ((0, 3), (1, 3), (m.DEFAULT, 4),
                              (m.DEFAULT | m.SIMULATION, 4),
                              (m.SIMULATION, 0),
                              (m.SIMULATION | 0x3FFFFFFF, 0)):
            self.status(status, m.initialize(flags), user=2)

    def test_derive_arguments(self):
        """Each reason for InvalidArgument."""
        base = self.rotate()
        bare, base = self.derive(base, m.RETAIN_PARENT)
        for flags in (m.ALLOW_CA, m.ALLOW_X509, m.EXPORT_CDI,
                      EXPORT | m.RECURSIVE, EXPORT | m.CHANGE_LOCALITY,
                      EXPORT | m.RETAIN_PARENT,
                      m.RECURSIVE | m.RETAIN_PARENT):
            with self.subTest(flags=hex(flags)):
                self.status(3, m.derive(bare, flags=flags, target=1))
        simulation = self.status(0, m.initialize(m.SIMULATION), user=3)
        self.give_from(base, 2)
        self.fails(m.BAD_PRIVILEGE, m.derive(simulation, flags=EXPORT),
                   user=3)
        simulation = self.status(0, m.initialize(m.SIMULATION))
        self.status(3, m.derive(simulation, flags=EXPORT))

    def test_recursive(self):
        self.derive(flags=m.MAKE_DEFAULT, tci_type=5)
        self.status(3, m.derive(flags=m.RECURSIVE, tci_type=6))
        self.status(0x1001, m.derive(flags=m.RECURSIVE | m.CHANGE_LOCALITY,
                                     tci_type=5, target=2))
        out = self.status(0, m.derive(data=digest_of('a'), tci_type=5,
                                      flags=m.RECURSIVE | m.CHANGE_LOCALITY,
                                      target=1))
        self.assertEqual(out, bytes(32))
        handle = self.rotate()
        out = self.status(0, m.derive(handle, digest_of('b'),
                                      m.RECURSIVE, 5))
        self.assertNotEqual(out[:16], handle)
        self.assertEqual(out[16:], bytes(16))
        # the journey shows all of them
        self.ask(m.tag_tci(out[:16], 1), m.CMD_TAG_TCI)
        tci = self.ask(m.get_tagged_tci(1), m.CMD_GET_TAGGED_TCI)[8:]
        want = bytes(48)
        for data in (digest_of('blob'), digest_of('a'), digest_of('b')):
            want = m.sha384(want, data)
        self.assertEqual(tci, want + digest_of('b'))

    def test_default_rules(self):
        """One default context, or any number of others."""
        self.status(3, m.derive(flags=CHILD))               # D = P, retained
        self.status(3, m.derive(flags=CHILD | m.MAKE_DEFAULT))
        self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.status(3, m.derive(flags=CHILD | m.CHANGE_LOCALITY |
                                m.MAKE_DEFAULT, target=2))
        self.derive(flags=CHILD | m.CHANGE_LOCALITY | m.MAKE_DEFAULT,
                    target=3)
        self.status(3, m.derive(flags=CHILD | m.CHANGE_LOCALITY, target=3))
        # two others: neither can become the default
        first, base = self.derive(self.rotate(), CHILD)
        self.status(3, m.rotate(first, m.TARGET_IS_DEFAULT))
        self.status(3, m.derive(base, flags=m.MAKE_DEFAULT))
        self.status(0, m.destroy(first))
        self.status(0, m.rotate(base, m.TARGET_IS_DEFAULT))
        self.status(3, m.rotate(flags=m.TARGET_IS_DEFAULT))

    def test_certify_and_sign_arguments(self):
        bare = self.derive(flags=m.ALLOW_CA)[0]
        self.status(3, m.certify(bare))
        bare = self.status(0, m.certify(bare, 1))[:16]
        for fmt in (2, 0xFFFFFFFF):
            self.status(3, m.certify(bare, fmt))
        # other flags mean nothing
        bare = self.status(0, m.certify(bare, 1, flags=0xFFFFFFFF))[:16]
        self.status(0, m.sign(bare, flags=0xFFFFFFFF))

    def test_simulation(self):
        """Certificates, but no signatures and no export."""
        handle = self.status(0, m.initialize(m.SIMULATION), user=2)
        child = self.derive(handle, CHILD, user=2)
        self.status(3, m.sign(child[0]), user=2)
        self.status(0, m.certify(child[0], 1, k.LABEL), user=2)
        self.status(0, m.destroy(child[1]), user=2)
        # one beside the default context makes it hard for the latter
        self.status(0, m.initialize(m.SIMULATION))
        self.status(3, m.derive(flags=NEXT))
        rsp = self.ask(m.stash(b'abcd', bytes(48)), m.CMD_STASH_MEASUREMENT)
        self.assertEqual(rsp[8:], struct.pack('<I', 3))
        self.bench.check_pcr31()

    def test_chain(self):
        chain = self.bench.identity.chain
        self.status(3, m.cert_chain(0, 2049), user=3)
        self.status(3, m.cert_chain(0xFFFFFFFF, 0xFFFFFFFF))
        self.status(0x01000001, m.cert_chain(len(chain), 0))
        self.status(0x01000001, m.cert_chain(0xFFFFFFFF, 2048))
        body = self.status(0, m.cert_chain(len(chain) - 1, 2048))
        self.assertEqual(body[:5], b'\1\0\0\0' + chain[-1:])
        self.assertEqual(self.status(0, m.cert_chain(7, 0))[:4], bytes(4))
        got = b''
        while len(got) < len(chain):
            body = self.status(0, m.cert_chain(len(got), 1000), user=2)
            size, = struct.unpack_from('<I', body)
            got += body[4:4 + size]
        self.assertEqual(got, chain)

    def test_handles_run_out(self):
        """Eight random blocks that cannot be handles, then no more."""
        soc, dpe = self.bench.soc, self.bench.dpe
        taken = self.rotate()
        bad = [bytes(48), taken + bytes(32), m.DEAD_HANDLE * 3]
        blocks = {}
        soc.block = lambda i: blocks.get(i, bad[i % 3])
        try:
            for req in (m.rotate(taken), m.initialize(m.SIMULATION)):
                start = soc.draws
                self.status(1, req)
                self.assertEqual(soc.draws, start + 8)
            start = soc.draws
            blocks[start + 7] = b'\x21' * 48
            self.assertEqual(self.status(0, m.rotate(taken)), b'\x21' * 16)
            self.assertEqual(soc.draws, start + 8)
        finally:
            del soc.block
        self.assertEqual(dpe.slots[1].handle, b'\x21' * 16)


class FakeTrng(DeviceTest):
    """The constant random numbers of a part in debug mode."""

    def test(self):
        b = self.bench
        soc = b.soc
        soc.set_user(1)
        soc.power_on(b.part.obf_key, debug_locked=False)
        soc.start(dpe_bench.fuses(b.part), manuf=2)
        soc.wait_ready_for_fw()
        soc.load_firmware(b.bundle(bytes(range(64, 128))))
        soc.wait_ready_for_runtime()
        self.assertEqual(soc.draws, 0)
        fake = bytes.fromhex('deadbeef') * 4

        def status(req):
            rsp = soc.command(m.CMD_INVOKE_DPE, req[4:])
            return struct.unpack_from('<I', rsp, 8)[0], rsp[16:]

        self.assertEqual(status(m.rotate()), (0, fake))
        self.assertEqual(status(m.rotate(fake)), (1, b''))
        self.assertEqual(status(m.sign(fake)), (1, b''))
        self.assertEqual(status(m.derive(fake)), (1, b''))
        # until nobody has it any more
        self.assertEqual(status(m.rotate(fake, m.TARGET_IS_DEFAULT)),
                         (0, bytes(16)))
        self.assertEqual(status(m.rotate()), (0, fake))


class DriverErrors(DeviceTest):
    """Random numbers that the SoC does not deliver."""

    def withhold(self, n):
        """Deliver n more blocks, then none."""
        self.bench.soc.withhold = self.bench.soc.draws + n

    def tearDown(self):
        self.bench.soc.withhold = None

    def raw(self, req, cmd=m.CMD_INVOKE_DPE):
        """Not compared with the model."""
        soc = self.bench.soc
        soc.write32(cs.FW_EXTENDED_ERROR_INFO, 0)
        soc.mailbox_send(cmd, req)
        status, rsp = soc.mailbox_finish()
        return (status, rsp, soc.read32(cs.FW_ERROR_NON_FATAL),
                soc.read32(cs.FW_EXTENDED_ERROR_INFO))

    def check_status(self, req, detail=TRNG_TIMEOUT):
        status, rsp, non_fatal, ext = self.raw(req)
        self.assertEqual(status, cs.DATA_READY)
        self.assertEqual(rsp[8:].hex(),
                         struct.pack('<IIII', 12, 0x44504552, 0x02000002,
                                     4).hex())
        self.assertEqual((non_fatal, ext), (0, detail))

    def check_failure(self, error, ext, req, cmd):
        status, _, *errors = self.raw(req, cmd)
        self.assertEqual(status, cs.CMD_FAILURE)
        self.assertEqual(errors, [error, ext])

    def test_commands(self):
        for req, draws, pairwise in (
                (m.sign(), 5, 3), (m.certify(), 5, 3),
                (m.certify(fmt=1), 6, 3), (m.rotate(), 1, None),
                (m.initialize(m.SIMULATION), 1, None), (m.derive(), 1, None)):
            for n in range(draws):
                with self.subTest(req=req[12:16].hex(), n=n):
                    self.withhold(n)
                    self.check_status(req, PAIRWISE_FAILURE if n == pairwise
                                      else TRNG_TIMEOUT)
        for n, detail in ((2, TRNG_TIMEOUT), (3, PAIRWISE_FAILURE)):
            self.withhold(n)
            self.check_failure(m.CERTIFY_KEY_EXTENDED_FAILED, detail,
                               m.certify_extended(),
                               m.CMD_CERTIFY_KEY_EXTENDED)

    def test_disable_attestation(self):
        """The keys are gone however far it comes; then it can be repeated."""
        req = m.request(m.CMD_DISABLE_ATTESTATION, b'')
        for n, error in ((0, TRNG_TIMEOUT), (1, TRNG_TIMEOUT),
                         (2, PAIRWISE_FAILURE)):
            with self.subTest(n=n):
                self.bench.cold_boot()
                self.withhold(n)
                self.check_failure(error, 0, req, m.CMD_DISABLE_ATTESTATION)
                self.bench.soc.withhold = None
                sign = self.raw(m.sign())
                self.assertEqual(struct.unpack_from('<I', sign[1], 16)[0] == 0,
                                 n > 0)
                status, rsp, *_ = self.raw(req, m.CMD_DISABLE_ATTESTATION)
                self.assertEqual((status, len(rsp)), (cs.DATA_READY, 8))

    def test_nothing_changes(self):
        """After all that the contexts are what they were."""
        handle = self.rotate()
        soc, b = self.bench.soc, self.bench
        for req in (m.sign(handle), m.rotate(handle), m.derive(handle),
                    m.derive(handle, flags=m.RETAIN_PARENT),
                    m.derive(handle, flags=m.RECURSIVE, tci_type=0x4D425650)):
            self.withhold(0)
            self.check_status(req)
        soc.withhold = None
        # the request that timed out is still up: one more block goes there
        b.next_draw = soc.draws
        self.status(0, m.sign(handle))

    def test_export(self):
        """A failure after the handle was stored leaves it in use."""
        for n, status in ((0, 0), (1, 0), (2, 0x02000007), (4, 0x02000007)):
            self.bench.cold_boot()
            self.withhold(n)
            self.check_status(m.derive(flags=EXPORT),
                              PAIRWISE_FAILURE if n == 4 else TRNG_TIMEOUT)
            self.bench.soc.withhold = None
            rsp = self.raw(m.derive(flags=EXPORT))[1]
            self.assertEqual(struct.unpack_from('<I', rsp, 16)[0], status)

    def test_sign_exported(self):
        handle = self.status(0, m.derive(flags=EXPORT))[32:64]
        req = m.sign_exported(handle, digest_of('x'))
        for n, error in ((0, 0x54), (1, 0x54), (2, 0x54), (3, 0x55)):
            self.withhold(n)
            self.check_failure(0x000E0000 + error, 0, req,
                               m.CMD_SIGN_WITH_EXPORTED_ECDSA)


# ---- flags ----

class Flags(DeviceTest):
    """Every combination of DeriveContext's flags."""

    def combinations(self):
        for picks in itertools.product((0, 1), repeat=len(dpe_random.FLAGS)):
            yield sum(f for f, pick in zip(dpe_random.FLAGS, picks) if pick)

    def clear(self, keep, user):
        """Destroy what there is in PL0's and a user's locality."""
        for s in self.bench.dpe.slots:
            if s.state == 'active' and s is not keep and \
               s.locality in (1, 2, 3):
                self.ask(m.destroy(s.handle), user=s.locality)

    def test_default_parent(self):
        b = self.bench
        for flags in self.combinations():
            active = [s for s in b.dpe.slots if s.state == 'active']
            used = [s for s in b.dpe.slots if s.used]
            if len(active) != 1 or active[0].handle != m.ZERO_HANDLE or \
               active[0].locality != 1 or len(used) > 12 or \
               not active[0].allow_ca or not active[0].allow_x509:
                b.cold_boot()
            with self.subTest(flags=hex(flags)):
                self.ask(m.derive(m.ZERO_HANDLE, digest_of('x'), flags,
                                  0x4D425650, 2))

    def test_other_parent(self):
        b = self.bench
        self.rotate()
        keep = b.dpe.slots[1]
        for flags in self.combinations():
            parent = self.derive(keep.handle, CHILD, tci_type=9)[0]
            with self.subTest(flags=hex(flags)):
                self.ask(m.derive(parent, digest_of('x'), flags, 9, 1))
            self.clear(keep, 1)

    def test_bare_parent(self):
        """Its children may not have what it has not."""
        b = self.bench
        self.rotate()
        keep = b.dpe.slots[1]
        for flags in self.combinations():
            if flags & (m.INTERNAL_INFO | m.INTERNAL_DICE):
                continue
            parent = self.derive(keep.handle, m.RETAIN_PARENT)[0]
            with self.subTest(flags=hex(flags)):
                self.ask(m.derive(parent, digest_of('x'), flags, 0, 2))
            self.clear(keep, 1)

    def test_simulation_parent(self):
        for flags in self.combinations():
            if flags & (m.INTERNAL_INFO | m.INTERNAL_DICE | m.ALLOW_CA):
                continue
            parent = self.status(0, m.initialize(m.SIMULATION), user=2)
            with self.subTest(flags=hex(flags)):
                self.ask(m.derive(parent, digest_of('x'), flags, 0, 3),
                         user=2)
            self.clear(self.bench.dpe.slots[1], 2)

    def test_internal_inputs(self):
        """Each changes the key, and so does the chain with DICE's."""
        keys = set()
        for flags in (0, m.INTERNAL_INFO, m.INTERNAL_DICE,
                      m.INTERNAL_INFO | m.INTERNAL_DICE):
            self.bench.cold_boot()
            self.derive(flags=NEXT | flags)
            self.derive(flags=NEXT)         # a child of it is affected too
            keys.add(self.status(0, m.certify())[16:112])
        self.assertEqual(len(keys), 4)
        # a certificate of IDevID goes to the front of the chain
        cert = bytes(range(200))
        self.bench.soc.command(dpe_bench.POPULATE_IDEV_CERT,
                               struct.pack('<I', len(cert)) + cert)
        self.bench.dpe.chain = cert + self.bench.dpe.chain
        key = self.status(0, m.certify())[16:112]
        self.assertNotIn(key, keys)


# ---- limits ----

# the longest name of a device, for CERTIFY_KEY_EXTENDED
LONG_SAN = b'a:b:' + b'c' * 124


class Limits(DeviceTest):
    def test_pl0_threshold(self):
        self.fill(m.ZERO_HANDLE, 15)
        for req in (m.derive(flags=NEXT), m.derive(flags=EXPORT),
                    m.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2),
                    m.derive(b'\1' * 16), m.initialize(m.SIMULATION)):
            self.fails(m.PL0_REACHED, req)
        self.fails(m.PL0_REACHED, m.stash(b'abcd', bytes(48)),
                   m.CMD_STASH_MEASUREMENT)
        self.derive(flags=m.RECURSIVE)
        self.status(4, m.initialize(m.DEFAULT))
        self.fails(m.PL0_REACHED, m.initialize(m.SIMULATION | m.DEFAULT))
        self.status(0, m.certify())
        # level 1 is not concerned
        self.status(0, m.initialize(m.SIMULATION), user=2)

    def test_stash_threshold(self):
        for i in range(15):
            rsp = self.ask(m.stash(b'%04d' % i, digest_of(str(i))),
                           m.CMD_STASH_MEASUREMENT)
            self.assertEqual(rsp[8:], bytes(4))
        self.fails(m.PL0_REACHED, m.stash(b'last', bytes(48)),
                   m.CMD_STASH_MEASUREMENT)
        self.bench.check_pcr31()

    def test_pl1_threshold(self):
        # the root counts
        handles = [self.status(0, m.initialize(m.SIMULATION), user=2)
                   for i in range(15)]
        self.fails(m.PL1_REACHED, m.initialize(m.SIMULATION), user=2)
        # before privilege
        self.fails(m.PL1_REACHED, m.derive(handles[0], flags=EXPORT), user=2)
        self.fails(m.PL1_REACHED, m.derive(
            handles[0], flags=m.CHANGE_LOCALITY, target=1), user=3)
        self.fails(m.BAD_PRIVILEGE, m.derive(
            handles[0], flags=m.CHANGE_LOCALITY | m.RECURSIVE, target=1),
            user=2)
        # level 0 may still push contexts there
        self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.fails(m.PL1_EXCEEDED, m.initialize(m.SIMULATION), user=2)
        self.status(0, m.destroy(handles[0]), user=2)
        self.fails(m.PL1_REACHED, m.initialize(m.SIMULATION), user=2)
        self.status(0, m.destroy(handles[1]), user=2)
        self.status(0, m.initialize(m.SIMULATION), user=2)

    def test_sizes(self):
        """Of certificates and CSRs, for every number of ancestors."""
        self.ask(m.add_san(LONG_SAN), m.CMD_ADD_SUBJECT_ALT_NAME)
        for n in range(2, 17):
            if n > 2:
                self.derive(flags=NEXT, data=digest_of(str(n)))
            with self.subTest(n=n):
                self.check_sizes(n)

    def test_subject_alt_name(self):
        for info, size, error in (
                (b'::', None, None), (b':' * 2 + b'x' * 126, None, None),
                (b'a:b:c', 129, m.INVALID_PARAMS),
                (b'a:b:c', 0xFFFFFFFF, m.INVALID_PARAMS),
                (b'', None, m.BAD_DEVICE_INFO),
                (b'a:b', None, m.BAD_DEVICE_INFO),
                (b'a:b:c:d', None, m.BAD_DEVICE_INFO),
                (b'a:b:\x80', None, m.BAD_DEVICE_INFO),
                (b'a:b:c', 4, None), (b'a:b:c\xff', 5, None),
                (b'a:b:c', 100, None)):
            with self.subTest(info=info, size=size):
                req = m.add_san(info, size)
                if error:
                    self.fails(error, req, m.CMD_ADD_SUBJECT_ALT_NAME, 3)
                else:
                    self.ask(req, m.CMD_ADD_SUBJECT_ALT_NAME, 3)
                self.ask(m.certify_extended(flags=m.DMTF_OTHER_NAME),
                         m.CMD_CERTIFY_KEY_EXTENDED)
        self.fails(m.INSUFFICIENT_MEMORY, m.add_san(b'a:b:c'.ljust(129)),
                   m.CMD_ADD_SUBJECT_ALT_NAME)
        # bit 31 decides, and only for this command
        for flags in (0, 0x7FFFFFFF, 0xFFFFFFFF):
            for fmt in (0, 1):
                self.ask(m.certify_extended(fmt=fmt, flags=flags),
                         m.CMD_CERTIFY_KEY_EXTENDED)
        self.status(0, m.certify())

    def test_certify_extended_errors(self):
        self.ask(m.certify_extended(flags=m.DMTF_OTHER_NAME),
                 m.CMD_CERTIFY_KEY_EXTENDED)    # no name is no error
        for req in (m.certify_extended(b'\1' * 16),
                    m.certify_extended(fmt=2)):
            self.fails(m.CERTIFY_KEY_EXTENDED_FAILED, req,
                       m.CMD_CERTIFY_KEY_EXTENDED)
        self.bench.check_ext_error()
        handle = self.rotate()
        rsp = self.ask(m.certify_extended(handle),
                       m.CMD_CERTIFY_KEY_EXTENDED)
        self.assertNotEqual(rsp[20:36], handle)
        self.status(0x1000, m.sign(handle))


class AllContexts(DeviceTest):
    """As many contexts as there is room for: 24 in this release."""

    ROOM = 24
    PROFILE = 'dffaffff' + '00' * 4 + '20000000' \
        '52455044' '00000000' '04000000' \
        '00000c00' '41525443' '41525443' '18000000' '00006cee'

    def test_profile(self):
        rsp = self.ask(m.invoke(m.GET_PROFILE))
        self.assertEqual(rsp.hex(), self.PROFILE)

    def check_full(self):
        """Whoever may have another context does not get it."""
        self.assertTrue(all(s.used for s in self.bench.dpe.slots))
        for req in (m.initialize(m.SIMULATION), m.derive(flags=NEXT),
                    m.derive(flags=CHILD)):
            self.status(0x1003, req)

    def test_localities(self):
        """By way of level 0 into localities of level 1."""
        for _ in range(self.ROOM - 2):
            self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.check_full()
        self.fails(m.PL1_EXCEEDED, m.initialize(m.SIMULATION), user=2)
        rsp = self.ask(m.stash(b'abcd', bytes(48)), m.CMD_STASH_MEASUREMENT)
        self.assertEqual(rsp[8:], struct.pack('<I', 0x1003))
        self.bench.snapshot()
        self.check_full()
        # the last slot is as good as any
        last = self.bench.dpe.slots[self.ROOM - 1].handle
        last = self.status(0, m.sign(last), user=2)[:16]
        self.status(0, m.destroy(last), user=2)
        self.derive(flags=CHILD | m.CHANGE_LOCALITY, target=2)
        self.check_full()

    def fill_without_pl0(self):
        """Without a valid PL0 its locality has no limit."""
        self.bench.cold_boot(users=(0,), pl0=0, pl0_valid=False)
        self.fill(m.ZERO_HANDLE, self.ROOM - 2)
        self.check_full()

    def update_to_pl0(self):
        """A firmware says who has level 0."""
        self.bench.pl0_valid = self.bench.dpe.pl0_valid = True
        self.assertTrue(self.bench.update(bytes(64)))
        self.assertEqual(self.bench.dpe.non_fatal, m.PL0_EXCEEDED)

    def test_exceeded_pl0(self):
        """More than 16."""
        self.fill_without_pl0()
        self.update_to_pl0()
        self.fails(m.PL0_EXCEEDED, m.derive(flags=NEXT))

    def test_deepest(self):
        """Certificates for a context with all others above it."""
        self.fill_without_pl0()
        cms = self.certificate(self.status(0, m.certify(fmt=1)))
        csr = der(walk(cms, 1, 0, 2, 1, 0))[1]
        s1 = len(der(der(walk(csr, 2))[1][1:])[1])
        s2 = len(der(der(walk(cms, 1, 0, 3, 0, 4))[1])[1])
        self.assertEqual(len(cms), 829 + 143 * (self.ROOM - 2) + s1 + s2)
        self.status(0, m.sign())
        self.update_to_pl0()
        self.ask(m.add_san(LONG_SAN), m.CMD_ADD_SUBJECT_ALT_NAME)
        self.check_sizes(self.ROOM)

    def test_internal_info(self):
        """The profile is an input of the key."""
        self.derive(flags=NEXT | m.INTERNAL_INFO)
        self.status(0, m.certify())


class AllContextsLater(AllContexts):
    """The same with the 32 of later releases."""

    MAX_HANDLES = ROOM = 32
    PROFILE = 'd7faffff' + '00' * 4 + '20000000' \
        '52455044' '00000000' '04000000' \
        '00000c00' '41525443' '41525443' '20000000' '00006cee'


# ---- tags, stashes, exports, destruction ----

class Tags(DeviceTest):
    def tag(self, handle, tag, error=None, user=None):
        req = m.tag_tci(handle, tag)
        if error:
            self.fails(error, req, m.CMD_TAG_TCI, user)
        else:
            self.assertEqual(len(self.ask(req, m.CMD_TAG_TCI, user)), 8)

    def get(self, tag, user=3):
        return self.ask(m.get_tagged_tci(tag), m.CMD_GET_TAGGED_TCI, user)

    def test(self):
        self.assertIsNone(self.get(0))
        self.tag(b'\1' * 16, 0, m.TAGGING_FAILURE)
        self.tag(m.ZERO_HANDLE, 0, m.TAGGING_FAILURE, user=2)
        self.tag(m.ZERO_HANDLE, 0)
        self.tag(m.ZERO_HANDLE, 0, m.DUPLICATE_TAG)
        self.tag(b'\1' * 16, 0, m.DUPLICATE_TAG)
        self.tag(m.ZERO_HANDLE, 1, m.ALREADY_TAGGED)
        first = self.get(0)
        # rotation, signatures and retirement leave it
        handle = self.rotate()
        handle = self.status(0, m.sign(handle))[:16]
        child = self.derive(handle)[0]
        self.assertEqual(self.get(0), first)
        self.tag(child, 0xFFFFFFFF)
        # destruction takes the retired parent along, up to the root
        self.status(0, m.destroy(child))
        for tag in (0, 0xFFFFFFFF):
            self.assertIsNone(self.get(tag))

    def test_failed_destroy_clears(self):
        """Tags of free slots go whenever DestroyContext is tried."""
        self.tag(m.ZERO_HANDLE, 5)
        self.status(0x1000, m.destroy(b'\1' * 16))
        self.assertIsNotNone(self.get(5))


class Exports(DeviceTest):
    def export(self, handle=m.ZERO_HANDLE, status=0):
        body = self.status(status, m.derive(handle, flags=EXPORT))
        return body[32:64], k.cert_of(body, 64)[0] if body else None

    def sign(self, handle):
        rsp = self.ask(m.sign_exported(handle, digest_of('x')),
                       m.CMD_SIGN_WITH_EXPORTED_ECDSA)
        key = point_key(rsp[8:56], rsp[56:104])
        verify(key, raw_signature(rsp[104:152], rsp[152:200]),
               digest_of('x'))
        return rsp[8:104]

    def test(self):
        for handle in (bytes(32), b'\xff' * 32):
            self.fails(m.EXPORTED_KEY_FAILED,
                       m.sign_exported(handle, bytes(48)),
                       m.CMD_SIGN_WITH_EXPORTED_ECDSA)
        handle, cert = self.export()
        key = self.sign(handle)
        self.assertEqual(der(walk(cert, 0, 6, 1))[1], b'\0\x04' + key)
        self.assertEqual(self.sign(handle), key)
        self.fails(m.EXPORTED_KEY_FAILED,
                   m.sign_exported(handle[:-1] + b'\0', bytes(48)),
                   m.CMD_SIGN_WITH_EXPORTED_ECDSA)

    def test_second(self):
        """It is refused, but its CDI takes the place of the first."""
        handle = self.export()[0]
        key = self.sign(handle)
        self.export(status=0x02000007)
        self.assertEqual(self.sign(handle), key)    # the same measurements
        self.derive(flags=NEXT)
        self.export(status=0x02000007)
        self.assertNotEqual(self.sign(handle), key)

    def test_parent_stays(self):
        handle = self.rotate()
        bare, handle = self.derive(handle, m.RETAIN_PARENT)
        exported = self.export(bare)[0]
        self.status(0, m.sign(bare))
        self.sign(exported)

    def test_disabled_attestation(self):
        """The exported key outlives it, the alias key does not."""
        handle = self.export()[0]
        key = self.sign(handle)
        self.ask(m.request(m.CMD_DISABLE_ATTESTATION, b''),
                 m.CMD_DISABLE_ATTESTATION, user=3)
        self.assertEqual(self.sign(handle), key)
        first = self.status(0, m.certify())
        self.ask(m.request(m.CMD_DISABLE_ATTESTATION, b'abc'),
                 m.CMD_DISABLE_ATTESTATION)
        self.assertEqual(self.status(0, m.certify()), first)


class Destruction(DeviceTest):
    def used(self):
        return {i for i, s in enumerate(self.bench.dpe.slots) if s.used}

    def test_descendants(self):
        """Children go with their parent, in any locality."""
        base = self.rotate()
        parent, base = self.derive(base, CHILD)
        child, parent = self.derive(parent, CHILD | m.CHANGE_LOCALITY,
                                    target=2)
        self.derive(child, CHILD | m.CHANGE_LOCALITY | m.MAKE_DEFAULT,
                    user=2, target=3)
        other, base = self.derive(base, CHILD)
        self.status(0, m.destroy(parent))
        self.assertEqual(self.used(), {0, 1, 5})
        self.status(0x1001, m.sign(), user=3)
        self.status(0x1001, m.sign(child), user=2)
        self.status(0, m.sign(other))

    def test_retired_ancestors(self):
        """They go as far as nothing else derives from them."""
        base = self.rotate()
        a, base = self.derive(base, CHILD)
        b = self.derive(a, m.ALLOW_CA)[0]       # a retires
        c, b = self.derive(b, m.RETAIN_PARENT)
        d = self.derive(b, 0)[0]                # b retires, with two children
        self.status(0, m.destroy(c))
        self.assertEqual(self.used(), {0, 1, 2, 3, 5})
        self.status(0, m.destroy(d))
        self.assertEqual(self.used(), {0, 1})
        self.status(0, m.sign(base))

    def test_everything(self):
        """Down to the root; nothing brings it back but a cold boot."""
        self.status(0, m.destroy())
        self.assertEqual(self.used(), set())
        for req in (m.sign(), m.certify(), m.derive(flags=NEXT)):
            self.status(0x1001, req)
        self.status(4, m.initialize(m.DEFAULT))
        rsp = self.ask(m.stash(b'abcd', bytes(48)), m.CMD_STASH_MEASUREMENT)
        self.assertEqual(rsp[8:], struct.pack('<I', 0x1001))
        self.status(0, m.initialize(m.SIMULATION))
        self.assertFalse(self.bench.update(bytes(64)))

    def test_everything_then_warm(self):
        self.status(0, m.destroy())
        self.assertFalse(self.bench.warm_reset())


# ---- certificates, with other people's tools ----

class Paths(DeviceTest):
    def setUp(self):
        super().setUp()
        identity = self.bench.identity
        self.chain = [identity.ldevid_cert, identity.fmc_alias_cert,
                      identity.rt_alias_cert]

    def alias_key(self):
        return x509.load_der_x509_certificate(self.chain[2]).public_key()

    def device_chain(self):
        """The three certificates as the device gives them away."""
        data = b''
        for offset in (0, 2048):
            rsp = self.ask(m.cert_chain(offset, 2048))
            size, = struct.unpack_from('<I', rsp, 24)
            data += rsp[28:28 + size]
        return elements(data)

    def verify_path(self, leaf):
        """Signatures from the leaf up to the key of IDevID."""
        chain = self.device_chain()
        self.assertEqual(chain, self.chain)
        keys = [self.bench.identity.idevid.public_key]
        for cert in chain:
            cert = x509.load_der_x509_certificate(cert)
            keys[-1].verify(cert.signature, cert.tbs_certificate_bytes,
                            ec.ECDSA(hashes.SHA384()))
            keys.append(cert.public_key())
        tbs, _, signature = elements(der(leaf)[1])
        verify(keys[-1], der(signature)[1][1:], m.sha384(tbs))
        return public_key(walk(leaf, 0, 6))

    def idevid_cert(self):
        """A certificate for the key of IDevID, as a vendor issues it."""
        identity = self.bench.identity
        csr = x509.load_der_x509_csr(identity.idevid_csr)
        key = ec.derive_private_key(identity.idevid.d, ec.SECP384R1())
        date = x509.load_der_x509_certificate(self.chain[0])
        builder = x509.CertificateBuilder(
            csr.subject, csr.subject, csr.public_key(), 1,
            date.not_valid_before, date.not_valid_after)
        builder = builder.add_extension(x509.BasicConstraints(True, 5), True)
        return builder.sign(key, hashes.SHA384())

    def openssl_verify(self, *leaves):
        """The same by openssl, names and constraints included; each leaf
        issues the next."""
        if not shutil.which('openssl'):
            self.skipTest('no openssl here')
        with tempfile.TemporaryDirectory() as tmp:
            def put(name, *certs):
                path = os.path.join(tmp, name)
                with open(path, 'w', encoding='ascii') as f:
                    for cert in certs:
                        f.write(pem(cert))
                return path

            root = self.idevid_cert().public_bytes(
                serialization.Encoding.DER)
            done = subprocess.run(
                ['openssl', 'verify', '-ignore_critical',
                 '-CAfile', put('root', root),
                 '-untrusted', put('chain', *self.device_chain(),
                                   *leaves[:-1]),
                 put('leaf', leaves[-1])],
                capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_leaf(self):
        self.derive(flags=NEXT, data=digest_of('firmware'))
        body = self.status(0, m.certify(label=k.LABEL))
        leaf = self.certificate(body)
        key = self.verify_path(leaf)
        self.openssl_verify(leaf)
        body = self.status(0, m.sign(label=k.LABEL, digest=digest_of('x')))
        verify(key, raw_signature(body[16:64], body[64:112]), digest_of('x'))
        with self.assertRaises(InvalidSignature):
            verify(key, raw_signature(body[16:64], body[64:112]),
                   digest_of('y'))

    def test_named_leaf(self):
        self.ask(m.add_san(k.SAN), m.CMD_ADD_SUBJECT_ALT_NAME)
        rsp = self.ask(m.certify_extended(label=k.LABEL,
                                          flags=m.DMTF_OTHER_NAME),
                       m.CMD_CERTIFY_KEY_EXTENDED)
        leaf = k.cert_of(rsp, 132)[0]
        self.verify_path(leaf)
        self.openssl_verify(leaf)

    def test_simulation_leaf(self):
        """It comes from the real alias key."""
        handle = self.status(0, m.initialize(m.SIMULATION))
        leaf = self.certificate(self.status(0, m.certify(handle)))
        self.verify_path(leaf)

    def test_exported(self):
        """A CA, whose key signs by SIGN_WITH_EXPORTED_ECDSA."""
        body = self.status(0, m.derive(flags=EXPORT))
        handle, ca = body[32:64], k.cert_of(body, 64)[0]
        key = self.verify_path(ca)
        self.openssl_verify(ca)
        leaf = self.issue(ca, handle)
        verify(key, der(walk(leaf, 2))[1][1:], m.sha384(walk(leaf, 0)))
        self.openssl_verify(ca, leaf)

    def issue(self, ca, handle):
        """A certificate that the exported key has signed."""
        subject = ec.derive_private_key(12345, ec.SECP384R1()).public_key()
        spki = subject.public_bytes(
            serialization.Encoding.DER,
            serialization.PublicFormat.SubjectPublicKeyInfo)
        tbs = m.seq(m.tlv(0xA0, m.tlv(2, b'\2')), m.tlv(2, b'\1'),
                    m.ECDSA_SHA384, walk(ca, 0, 5), walk(ca, 0, 4),
                    m.name_of(0x0C, 'application', '1'), spki)
        rsp = self.ask(m.sign_exported(handle, m.sha384(tbs)),
                       m.CMD_SIGN_WITH_EXPORTED_ECDSA)
        return m.signed(tbs, (rsp[104:152], rsp[152:200]))

    def test_csr(self):
        """A PKCS#10 signed by the leaf key, in a CMS by the alias key."""
        self.derive(flags=NEXT, data=digest_of('firmware'))
        body = self.status(0, m.certify(fmt=1, label=k.LABEL))
        cms = self.certificate(body)
        signed = walk(cms, 1, 0)
        csr = der(walk(signed, 2, 1, 0))[1]
        request = x509.load_der_x509_csr(csr)
        self.assertTrue(request.is_signature_valid)
        self.assertEqual(request.public_key().public_numbers(),
                         point_key(body[16:64], body[64:112])
                         .public_numbers())
        signer = walk(signed, 3, 0)
        verify(self.alias_key(), der(walk(signer, 4))[1], m.sha384(csr))

    def test_csr_openssl(self):
        if not shutil.which('openssl'):
            self.skipTest('no openssl here')
        cms = self.certificate(self.status(0, m.certify(fmt=1)))
        for args, data in (
                (['cms', '-cmsout', '-print', '-inform', 'der'], cms),
                (['req', '-verify', '-noout', '-inform', 'der'],
                 der(walk(cms, 1, 0, 2, 1, 0))[1])):
            done = subprocess.run(['openssl'] + args, input=data,
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_disabled(self):
        """Nothing verifies once attestation is disabled."""
        self.ask(m.request(m.CMD_DISABLE_ATTESTATION, b''),
                 m.CMD_DISABLE_ATTESTATION)
        leaf = self.certificate(self.status(0, m.certify()))
        with self.assertRaises(InvalidSignature):
            self.verify_path(leaf)


if __name__ == '__main__':
    unittest.main()
