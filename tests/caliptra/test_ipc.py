#!/usr/bin/env python3
#
# The BootMCU's Caliptra service, as clients on the CA35 cores and the SSP
# use it
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Requests over the inter-processor mailboxes."""

import functools
import hashlib
import os
import struct
import sys
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, 'guest')]
import caliptra_soc as soc_regs  # noqa: E402
from caliptra_soc import CaliptraSoc  # noqa: E402
import command_env as env  # noqa: E402
import ipc_client as ipc  # noqa: E402
from ipc_client import BootedSoc  # noqa: E402
import payloads  # noqa: E402

MESSAGE = b'What the service hashes and Caliptra verifies.'

# where AspeedTech-BMC/aspeed_app looks for it
CSR = 0x14bbf800

SHA_LOCK = soc_regs.SHA_ACC
SCU_HWSTRAP1 = soc_regs.SCUIO + 0x10
DIS_CPTRA = 1 << 30

DPE_GET_PROFILE, DPE_DERIVE_CONTEXT = 0x01, 0x08
DPE_EXPORT_CDI = 1 << 23 | 1 << 22


def dpe(command, body=b''):
    """INVOKE_DPE_COMMAND as Zephyr sends it: always 256 bytes of data."""
    data = struct.pack('<3I', 0x44504543, command, 4) + body
    return (struct.pack('<I', len(data)) + data).ljust(260, b'\0')


class DirectSoc(BootedSoc):
    """The same machine with a user of the mailbox instead."""

    mailbox_send = CaliptraSoc.mailbox_send
    mailbox_data = CaliptraSoc.mailbox_data
    mailbox_finish = CaliptraSoc.mailbox_finish

    def step(self):
        self.clock_step()

    def call(self, name, payload=b''):
        """As Client.call(), with what the mailbox answers."""
        code, out = CODES[name], ipc.COMMANDS[name][2]
        self.mailbox_send(code, struct.pack(
            '<I', soc_regs.checksum(code, payload)) + payload)
        status, data = self.mailbox_finish()
        if status != soc_regs.DATA_READY:
            return ipc.REFUSED, bytes(out)
        return ipc.OK, data.ljust(out, b'\0')[:out]


CODES = {name: int.from_bytes(code, 'big') for name, code in {
    'STASH_MEASUREMENT': b'MEAS', 'QUOTE_PCRS': b'PCRQ',
    'GET_IDEV_CERT': b'IDEC', 'GET_IDEV_INFO': b'IDEI',
    'POPULATE_IDEV_CERT': b'IDEP', 'GET_LDEV_CERT': b'LDEV',
    'GET_FMC_ALIAS_CERT': b'CERF', 'GET_RT_ALIAS_CERT': b'CERR',
    'INVOKE_DPE_COMMAND': b'DPEC', 'DISABLE_ATTESTATION': b'DSBL',
    'FW_INFO': b'INFO', 'DPE_TAG_TCI': b'TQGT',
    'DPE_GET_TAGGED_TCI': b'GTGD', 'INCREMENT_PCR_RESET_COUNTER': b'PCRR',
    'EXTEND_PCR': b'PCRE', 'ADD_SUBJECT_ALT_NAME': b'ALTN',
    'CERTIFY_KEY_EXTENDED': b'CKEX', 'VERSION': b'FPVR',
    'SHUTDOWN': b'FPSD', 'CAPABILITIES': b'CAPS',
    'SET_AUTH_MANIFEST': b'ATMN', 'AUTHORIZE_AND_STASH': b'ATSH',
    'GET_FMC_ALIAS_CSR': b'FMCR', 'SIGN_WITH_EXPORTED_ECDSA': b'SWEE',
    'REVOKE_EXPORTED_CDI_HANDLE': b'RVCH'}.items()}


@functools.cache
def manifest():
    """SET_AUTH_MANIFEST's request for MESSAGE as each image."""
    digest = hashlib.sha384(MESSAGE).digest()
    return payloads.manifest_request(digest)[len(payloads.CHECKSUM):]


def plain_commands(call):
    """
    All commands with plain requests, through call(name, payload); yields
    (name, result, output).  What takes something away comes last.
    """
    digest = hashlib.sha384(MESSAGE).digest()

    def step(name, payload=b''):
        return (name, *call(name, payload))

    for name in ('VERSION', 'CAPABILITIES', 'FW_INFO', 'GET_IDEV_INFO',
                 'GET_LDEV_CERT', 'GET_FMC_ALIAS_CERT', 'GET_RT_ALIAS_CERT',
                 'GET_FMC_ALIAS_CSR'):
        yield step(name)
    yield step('QUOTE_PCRS', bytes(range(32)))
    yield step('EXTEND_PCR', struct.pack('<I', 4) + digest)
    yield step('EXTEND_PCR', struct.pack('<I', 3) + digest)     # refused
    yield step('INCREMENT_PCR_RESET_COUNTER', struct.pack('<I', 4))
    yield step('STASH_MEASUREMENT', b'STSH' + digest + bytes(52))
    yield step('QUOTE_PCRS', bytes(32))
    yield step('DPE_TAG_TCI', bytes(16) + struct.pack('<I', 1))
    yield step('DPE_GET_TAGGED_TCI', struct.pack('<I', 1))
    yield step('DPE_GET_TAGGED_TCI', struct.pack('<I', 2))      # refused
    yield step('GET_IDEV_CERT', struct.pack('<I', 300) + digest * 2 +
               bytes(i & 0xff for i in range(916)))
    yield step('POPULATE_IDEV_CERT', struct.pack('<I', 700) + bytes(1024))
    yield step('INVOKE_DPE_COMMAND', dpe(DPE_GET_PROFILE))
    yield step('INVOKE_DPE_COMMAND', dpe(0xff))                 # refused
    yield step('ADD_SUBJECT_ALT_NAME', struct.pack('<I', 22) +
               b'CHIPS:Caliptra:0123456'.ljust(128, b'\0'))
    yield step('CERTIFY_KEY_EXTENDED', struct.pack('<I', 1 << 31) +
               bytes(24) + digest)
    exported = step('INVOKE_DPE_COMMAND', dpe(
        DPE_DERIVE_CONTEXT, bytes(64) + struct.pack('<3I', DPE_EXPORT_CDI,
                                                    0, 0)))
    yield exported
    # behind the two headers and two handles
    yield step('SIGN_WITH_EXPORTED_ECDSA', exported[2][56:88] + digest)
    yield step('REVOKE_EXPORTED_CDI_HANDLE', exported[2][56:88])
    yield step('SET_AUTH_MANIFEST', manifest())
    authorize = struct.pack('<I', 1) + digest + bytes(48)
    yield step('AUTHORIZE_AND_STASH', authorize + struct.pack('<3I', 0, 1, 1))
    yield step('AUTHORIZE_AND_STASH', authorize + struct.pack('<3I', 0, 0, 2))
    yield step('DISABLE_ATTESTATION')
    yield step('FW_INFO')
    yield step('SHUTDOWN')
    yield step('VERSION')                                       # refused


class IpcCase(unittest.TestCase):
    """A machine that has booted, the same for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.boot(cls)
        cls.addClassCleanup(cls.soc.close)

    def boot(self):
        self.soc = BootedSoc().run_boot()
        self.ca35, self.ssp = ipc.ca35(self.soc), ipc.ssp(self.soc)

    def alive(self, client=None):
        """The service answers."""
        result, info = (client or self.ca35).call('FW_INFO')
        self.assertEqual(result, ipc.OK)
        self.assertEqual(info[8:], env.fw_info())


class Commands(unittest.TestCase):

    def test_all(self):
        """Each plain command gives what the mailbox gives, for each client"""
        with DirectSoc() as direct:
            direct.run_boot()
            expected = list(plain_commands(direct.call))
        self.assertEqual({name for name, _, _ in expected}, set(CODES))
        for which in ipc.ca35, ipc.ssp:
            with BootedSoc() as soc:
                client = which(soc.run_boot())
                for (name, result, out), wanted in zip(
                        plain_commands(client.call), expected):
                    self.assertEqual((name, result), wanted[:2])
                    self.assertEqual(out.hex(), wanted[2].hex(), name)
        refused = [name for name, result, _ in expected if result]
        self.assertEqual(refused, ['EXTEND_PCR', 'DPE_GET_TAGGED_TCI',
                                   'INVOKE_DPE_COMMAND',
                                   'REVOKE_EXPORTED_CDI_HANDLE',
                                   'AUTHORIZE_AND_STASH', 'VERSION'])

    def test_fw_info(self):
        with BootedSoc() as soc:
            for client in ipc.ca35(soc.run_boot()), ipc.ssp(soc):
                result, info = client.call('FW_INFO')
                self.assertEqual(result, ipc.OK)
                self.assertEqual(info[8:], env.fw_info())


class Boot(unittest.TestCase):

    def test_listens(self):
        """The service is there before the cores are"""
        with BootedSoc() as soc:
            clients = ipc.ca35(soc), ipc.ssp(soc)
            seen = set()
            while soc.held():
                listening = [client.listening() for client in clients]
                self.assertEqual(listening, [listening[0]] * 2)
                seen.add(listening[0])
                soc.clock_step(ipc.BOOT_STEP_NS)
            self.assertIn(False, seen)
            self.assertTrue(all(client.listening() for client in clients))
            # and to no other channel or slot
            self.assertEqual([soc.read32(ipc.IPC1 + 0x200 * slot + half +
                                         ipc.ENABLE)
                              for slot in range(4)
                              for half in (0, 0x100)],
                             [0, 0, 2, 0, 2, 0, 0, 0])

    def test_early_request(self):
        """A request that was sent before there was a service is answered"""
        with BootedSoc() as soc:
            client = ipc.ssp(soc)
            client.start('VERSION')
            soc.run_boot()
            self.assertEqual(client.finish('VERSION')[0], ipc.OK)

    def test_other_channels(self):
        """Nobody serves them: what is there stays there"""
        with BootedSoc() as soc:
            client = ipc.ca35(soc.run_boot())
            soc.write32(client.tx + ipc.TRIG, 0xd)
            self.assertEqual(client.call('VERSION')[0], ipc.OK)
            soc.clock_step(10 ** 9)
            self.assertEqual(soc.read32(client.tx + ipc.STATUS), 0xd)
            self.assertEqual(soc.read32(client.rx + ipc.STATUS), 0)

    def test_refused_firmware(self):
        """No Caliptra runtime: requests are answered nevertheless"""
        bundle = bytearray(env.bundle())
        bundle[-1] ^= 1
        with BootedSoc(bytes(bundle)) as soc:
            self.assertTrue(soc.run_boot().held())
            for client in ipc.ssp(soc), ipc.ca35(soc):
                for name in ipc.COMMANDS:
                    self.assertEqual(
                        client.request(ipc.COMMANDS[name][0], client.in_addr,
                                       client.out_addr), ipc.NODEV, name)
                self.assertEqual(client.request(32), ipc.INVAL)

    def test_disabled(self):
        """Caliptra off by strap: no service, and clients can see that"""
        with BootedSoc() as soc:
            soc.write32(SCU_HWSTRAP1, DIS_CPTRA)
            soc.run_boot()
            self.assertFalse(soc.held())
            self.assertFalse(ipc.ca35(soc).listening())
            self.assertFalse(ipc.ssp(soc).listening())

    def test_csr(self):
        """An IDevID CSR that was asked for is left in the SRAM"""
        with BootedSoc(options=',caliptra-idevid-csr=on') as soc:
            client = ipc.ca35(soc.run_boot())
            self.assertFalse(soc.held())
            csr = soc.memread(CSR, 0x1c0)
            # DER: a sequence with two bytes of length
            self.assertEqual(csr[:2], b'\x30\x82')
            size = 4 + int.from_bytes(csr[2:4], 'big')
            request = x509.load_der_x509_csr(csr[:size])
            self.assertTrue(request.is_signature_valid)
            self.assertEqual(csr[size:], bytes(len(csr) - size))
            # of the same key as IDevID says
            _, info = client.call('GET_IDEV_INFO')
            numbers = request.public_key().public_numbers()
            self.assertEqual(info[8:], numbers.x.to_bytes(48, 'big') +
                             numbers.y.to_bytes(48, 'big'))
        with BootedSoc() as soc:
            self.assertEqual(soc.run_boot().memread(CSR, 0x1c0),
                             bytes(0x1c0))

    def test_system_reset(self):
        with BootedSoc() as soc:
            client = ipc.ca35(soc.run_boot())
            client.sha('SHA384_INIT')
            client.start('QUOTE_PCRS', bytes(32))
            soc.clock_step()
            soc.qmp('system_reset')
            # the reset comes from the main loop
            for _ in range(1000):
                if soc.held():
                    break
                time.sleep(0.01)
            self.assertFalse(client.listening())
            soc.run_boot()
            self.assertFalse(client.answered())
            self.assertEqual(client.sha('SHA384_UPDATE', b'x')[0], ipc.INVAL)
            self.assertEqual(client.call('FW_INFO')[1][8:], env.fw_info())


class Sha(IpcCase):

    def test_digest(self):
        for size in (0, 1, 3, 4, 111, 112, 113, 127, 128, 129, 255, 256,
                     1000, 0x4000, 0x4001, 0xc0000):
            data = bytes(i * 7 & 0xff for i in range(size))
            self.assertEqual(self.ca35.digest(data),
                             (ipc.OK, hashlib.sha384(data).digest()), size)
        self.assertEqual(self.ssp.digest(MESSAGE, ipc.SHA_512, 64),
                         (ipc.OK, hashlib.sha512(MESSAGE).digest()))

    def test_pieces(self):
        """Of any length, not only of words"""
        for pieces in ((), (0,), (1, 1, 1, 1), (3, 0, 5, 128, 2),
                       (128, 128), (64, 63, 1, 129), (127, 1, 127, 1),
                       (0xfff, 0x1001, 2)):
            data = bytes(i * 11 & 0xff for i in range(sum(pieces)))
            rest = data
            self.assertEqual(self.ca35.sha('SHA384_INIT')[0], ipc.OK)
            for size in pieces:
                self.assertEqual(
                    self.ca35.sha('SHA384_UPDATE', rest[:size])[0], ipc.OK)
                rest = rest[size:]
            self.assertEqual(self.ca35.sha('SHA384_FINAL'),
                             (ipc.OK, hashlib.sha384(data).digest()), pieces)

    def test_algorithm(self):
        for algo in (0, 1, 2, 5, 0xffffffff):
            self.assertEqual(self.ca35.sha('SHA384_INIT', algo=algo)[0],
                             ipc.INVAL)
            self.assertEqual(self.ca35.digest(b'abc', algo)[0], ipc.INVAL)
        # only the beginning looks at it
        self.ca35.sha('SHA384_INIT', algo=ipc.SHA_512)
        self.ca35.sha('SHA384_UPDATE', MESSAGE, algo=99)
        self.assertEqual(self.ca35.sha('SHA384_FINAL', algo=99, size=64),
                         (ipc.OK, hashlib.sha512(MESSAGE).digest()))

    def test_no_session(self):
        for name in ('SHA384_UPDATE', 'SHA384_FINAL'):
            self.assertEqual(self.ca35.sha(name)[0], ipc.INVAL)
        self.ca35.digest(b'abc')
        for name in ('SHA384_UPDATE', 'SHA384_FINAL'):
            self.assertEqual(self.ca35.sha(name)[0], ipc.INVAL)

    def test_lock(self):
        """Somebody else has the accelerator: an error, not a wait"""
        self.assertEqual(self.soc.read32(SHA_LOCK), 0)
        self.assertEqual(self.ca35.sha('SHA384_INIT')[0], ipc.BUSY)
        self.assertEqual(self.ca35.sha('SHA384_UPDATE', b'abc')[0],
                         ipc.INVAL)
        self.soc.write32(SHA_LOCK, 1)
        self.assertEqual(self.ca35.digest(b'abc'),
                         (ipc.OK, hashlib.sha384(b'abc').digest()))
        # and the service has left it free
        self.assertEqual(self.soc.read32(SHA_LOCK), 0)
        self.soc.write32(SHA_LOCK, 1)

    def test_ecdsa(self):
        key = ec.derive_private_key(12345, ec.SECP384R1())
        public = key.public_key().public_numbers()
        r, s = utils.decode_dss_signature(
            key.sign(MESSAGE, ec.ECDSA(hashes.SHA384())))
        values = [v.to_bytes(48, 'big') for v in (public.x, public.y, r, s)]
        for client in self.ca35, self.ssp:
            client.digest(MESSAGE)
            self.assertEqual(client.ecdsa(*values), ipc.OK)
            client.digest(MESSAGE + b'.')
            self.assertEqual(client.ecdsa(*values), ipc.REFUSED)
            client.sha('SHA384_INIT')
            client.sha('SHA384_UPDATE', MESSAGE)
            client.sha('SHA384_FINAL')
            self.assertEqual(client.ecdsa(*values), ipc.OK)
            self.assertEqual(client.ecdsa(*values[:3], bytes(48)),
                             ipc.REFUSED)

    def test_lms(self):
        root, signature = env.lms_sign(hashlib.sha384(MESSAGE).digest())
        public = struct.pack('>2I', 12, 7) + env.LMS_ID + root
        for client in self.ca35, self.ssp:
            client.digest(MESSAGE)
            self.assertEqual(client.lms(public, signature), ipc.OK)
            client.digest(b'another')
            self.assertEqual(client.lms(public, signature), ipc.REFUSED)


class BadRequests(IpcCase):

    def test_index(self):
        for index in (32, 33, 0x80000000, 0xffffffff):
            self.assertEqual(self.ca35.request(index), ipc.INVAL)
        self.alive()

    def test_pointers(self):
        """Nothing is read, written or executed; the service goes on"""
        in_addr = self.ca35.in_addr
        end = self.soc.dram_end()
        bad = {0, 0x7ffffffc, 0x14bc0000, end & 0xffffffff}
        if end <= 0xfffffffc:
            bad.add(0xfffffffc)
        for addr in sorted(bad):
            for name, (index, size, out) in ipc.COMMANDS.items():
                if size:
                    self.assertEqual(
                        self.ca35.request(index, addr, self.ca35.out_addr),
                        ipc.INVAL, name)
                elif out:
                    self.assertEqual(self.ca35.request(index, in_addr, addr),
                                     ipc.INVAL, name)
            self.assertEqual(
                self.ca35.request(ipc.COMMANDS['FW_LOAD'][0], addr,
                                  ipc.FIRMWARE_SIZE), ipc.INVAL)
        self.alive()
        self.alive(self.ssp)

    def test_last_bytes(self):
        """The last place that an output fits, and one word behind"""
        end = self.soc.dram_end()
        index, _, size = ipc.COMMANDS['FW_INFO']
        self.assertEqual(self.ca35.request(index, 0, end - size), ipc.OK)
        self.assertEqual(self.ca35.read(end - size + 8, size - 8),
                         env.fw_info())
        self.assertEqual(self.ca35.request(index, 0, end - size + 4),
                         ipc.INVAL)
        # SRAM; the flash is not written
        self.assertEqual(self.ca35.request(index, 0, 0x10000000), ipc.OK)
        self.assertEqual(self.soc.memread(0x10000008, size - 8),
                         env.fw_info())
        self.assertEqual(self.ca35.request(index, 0, 0x20000000), ipc.INVAL)

    def test_contexts(self):
        """Pointers in the contexts"""
        sha = [ipc.SHA_384, 4, self.ca35.in_addr + 20, 48,
               self.ca35.out_addr]
        end = self.soc.dram_end()
        for field, value in ((1, 0xffffffff), (1, end - ipc.MCU_DRAM),
                             (2, 0), (2, 0xffffffff), (4, 0),
                             (4, end - 44)):
            bad = sha[:field] + [value] + sha[field + 1:]
            self.ca35.write(self.ca35.in_addr, struct.pack('<5I', *bad))
            self.assertEqual(
                self.ca35.request(ipc.COMMANDS['SHA384_DIGEST'][0],
                                  self.ca35.in_addr), ipc.INVAL)
        self.assertEqual(self.ca35.digest(b'abc')[0], ipc.OK)

        for name in ('ECDSA384_SIGNATURE_VERIFY', 'LMS_SIGNATURE_VERIFY'):
            index, size, _ = ipc.COMMANDS[name]
            self.ca35.write(self.ca35.in_addr, bytes(size))
            self.assertEqual(self.ca35.request(index, self.ca35.in_addr),
                             ipc.INVAL)
        self.alive()

    def test_firmware_size(self):
        for size in (0, 4, len(env.bundle()), ipc.FIRMWARE_SIZE - 4,
                     ipc.FIRMWARE_SIZE + 4, 0xffffffff):
            self.assertEqual(
                self.ca35.request(ipc.COMMANDS['FW_LOAD'][0],
                                  self.ca35.in_addr, size), ipc.INVAL)
        self.alive()

    def test_stays(self):
        """A refused command leaves the output as it is"""
        index = ipc.COMMANDS['EXTEND_PCR'][0]
        self.ca35.write(self.ca35.in_addr, struct.pack('<I', 3) + bytes(48))
        self.ca35.write(self.ca35.out_addr, b'as it was')
        self.assertEqual(self.ca35.request(index, self.ca35.in_addr,
                                           self.ca35.out_addr), ipc.REFUSED)
        self.assertEqual(self.ca35.read(self.ca35.out_addr, 9), b'as it was')


class Clients(IpcCase):

    def test_two(self):
        """Both at once: each gets its own answer, in turn"""
        for _ in range(4):
            self.ca35.start('QUOTE_PCRS', bytes(32))
            self.ssp.start('GET_IDEV_INFO')
            result, quote = self.ca35.finish('QUOTE_PCRS')
            # one at a time: the other one is answered later or earlier
            other, info = self.ssp.finish('GET_IDEV_INFO')
            self.assertEqual((result, other), (ipc.OK, ipc.OK))
            self.assertEqual(quote[8 + 32 * 48:][:32], bytes(32))
            self.assertEqual(info, self.ca35.call('GET_IDEV_INFO')[1])

    def test_turns(self):
        """Neither can keep the other one waiting"""
        answers = []
        self.ca35.start('VERSION')
        self.ssp.start('VERSION')
        while len(answers) < 20:
            for client in self.ca35, self.ssp:
                if client.answered():
                    self.assertEqual(client.finish('VERSION')[0], ipc.OK)
                    client.start('VERSION')
                    answers.append(client)
            self.soc.clock_step()
        for client in self.ca35, self.ssp:
            client.finish('VERSION')
        for one, next_one in zip(answers, answers[1:]):
            self.assertIsNot(one, next_one)

    def test_unread_answer(self):
        """It gives way to the next one"""
        self.ca35.start('VERSION')
        while not self.ca35.answered():
            self.soc.clock_step()
        self.ca35.send(99)
        while self.soc.read32(self.ca35.tx + ipc.STATUS) & ipc.CHANNEL_BIT:
            self.soc.clock_step()
        self.assertEqual(self.ca35.receive(), ipc.INVAL)
        self.assertFalse(self.ca35.answered())

    def test_killed(self):
        """A client that was reset in its session is in nobody's way"""
        for steps in range(3):
            self.ca35.sha('SHA384_INIT')
            if steps:
                self.ca35.sha('SHA384_UPDATE', b'lost')
            if steps == 2:
                # in the middle of a request, too
                self.ca35.write(self.ca35.in_addr,
                                self.ca35.sha_context(bytes(0x10000)))
                self.ca35.send(ipc.COMMANDS['SHA384_UPDATE'][0],
                               self.ca35.in_addr)
            self.assertEqual(self.ssp.digest(MESSAGE),
                             (ipc.OK, hashlib.sha384(MESSAGE).digest()))
            # what its driver does when it starts
            self.soc.write32(self.ca35.rx + ipc.STATUS, 0xf)
            while self.soc.read32(self.ca35.tx + ipc.STATUS):
                self.soc.clock_step()
            self.ca35.sha('SHA384_INIT')
            self.ca35.sha('SHA384_UPDATE', MESSAGE)
            self.assertEqual(self.ca35.sha('SHA384_FINAL')[1],
                             hashlib.sha384(MESSAGE).digest())


class OwnMachine(IpcCase):
    """Each test has a machine for itself."""

    @classmethod
    def setUpClass(cls):
        pass

    def setUp(self):
        self.boot()
        self.addCleanup(self.soc.close)


class Update(OwnMachine):

    def test_session_and_update(self):
        """Caliptra wants the accelerator for itself: the session ends"""
        self.ca35.sha('SHA384_INIT')
        self.assertEqual(self.ssp.load(env.bundle()), ipc.OK)
        self.assertEqual(self.ca35.sha('SHA384_UPDATE', b'x')[0], ipc.INVAL)
        self.alive()
        self.ca35.sha('SHA384_INIT')
        self.assertEqual(self.ssp.call('SHUTDOWN')[0], ipc.OK)

    def test_update(self):
        self.assertEqual(self.ca35.load(b'no bundle'), ipc.IO)
        self.alive()
        self.assertEqual(self.ca35.load(env.bundle(rt=b'another one')),
                         ipc.OK)
        result, info = self.ssp.call('FW_INFO')
        self.assertEqual(result, ipc.OK)
        self.assertEqual(info[8:],
                         env.fw_info(env.bundle(rt=b'another one')))
        self.assertFalse(self.soc.held())
        self.assertEqual(self.ssp.digest(b'abc')[1],
                         hashlib.sha384(b'abc').digest())
        self.assertEqual(self.ssp.load(env.bundle()), ipc.OK)
        self.alive()

    def test_everything_again(self):
        """After an update all commands give what the mailbox gives then"""
        bundle = env.bundle(rt=b'another one')
        with DirectSoc() as direct:
            direct.run_boot()
            direct.mailbox_send(soc_regs.FIRMWARE_LOAD, bundle)
            self.assertEqual(direct.mailbox_finish()[0],
                             soc_regs.CMD_COMPLETE)
            expected = list(plain_commands(direct.call))
        self.assertEqual(self.ca35.load(bundle), ipc.OK)
        for (name, result, out), wanted in zip(
                plain_commands(self.ca35.call), expected):
            self.assertEqual((name, result), wanted[:2])
            self.assertEqual(out.hex(), wanted[2].hex(), name)


class NoCaliptra(OwnMachine):

    def test_warm_reset(self):
        """In the middle of a command; the service is there again later"""
        self.ca35.sha('SHA384_INIT')
        self.ca35.start('QUOTE_PCRS', bytes(32))
        for _ in range(3):
            self.soc.clock_step()
        self.soc.write32(soc_regs.SCU_RSTCTL2, soc_regs.SCU_RSTCTL2_CPTRA)
        self.assertEqual(self.ca35.receive(), ipc.NODEV)
        self.assertEqual(self.ssp.call('VERSION')[0], ipc.NODEV)
        self.soc.write32(soc_regs.SCU_RSTCTL2_CLR,
                         soc_regs.SCU_RSTCTL2_CPTRA)
        self.soc.run_boot()
        self.assertEqual(self.ca35.sha('SHA384_UPDATE', b'x')[0], ipc.INVAL)
        self.assertEqual(self.ca35.call('VERSION')[0], ipc.OK)

    def test_mailbox_taken(self):
        """By somebody who does not give it back: an answer after a minute"""
        self.assertEqual(self.soc.read32(soc_regs.MBOX_LOCK), 0)
        self.ca35.start('VERSION')
        self.soc.clock_step(59 * 10 ** 9)
        self.assertFalse(self.ca35.answered())
        self.soc.clock_step(2 * 10 ** 9)
        self.assertEqual(self.ca35.finish('VERSION')[0], ipc.BUSY)
        self.soc.write32(soc_regs.MBOX_CMD, CODES['VERSION'])
        self.soc.write32(soc_regs.MBOX_DLEN, 0)
        self.soc.write32(soc_regs.MBOX_EXECUTE, 1)
        self.ca35.start('VERSION')
        self.soc.clock_step(10 ** 8)
        self.assertFalse(self.ca35.answered())
        self.soc.write32(soc_regs.MBOX_EXECUTE, 0)
        self.assertEqual(self.ca35.finish('VERSION')[0], ipc.OK)


class Snapshots(unittest.TestCase):
    """Saved at any step of a request, it comes to the same end."""

    def requests(self):
        """What is tried: how to begin, and how to look at the end"""
        def sha(client):
            client.sha('SHA384_INIT')
            client.sha('SHA384_UPDATE', b'abc')
            client.write(client.in_addr,
                         client.sha_context(bytes(range(250)) * 200))
            client.send(ipc.COMMANDS['SHA384_UPDATE'][0], client.in_addr)

        def sha_end(client):
            return client.receive(), client.sha('SHA384_FINAL')

        def one_shot(client):
            client.write(client.in_addr, client.sha_context(bytes(0x10001)))
            client.send(ipc.COMMANDS['SHA384_DIGEST'][0], client.in_addr)

        def update(client):
            client.start_load(env.bundle())

        def update_end(client):
            return client.receive(), client.call('FW_INFO')

        def both(client):
            client.start('GET_LDEV_CERT')
            ipc.ssp(client.soc).start('VERSION')

        def both_end(client):
            return (client.finish('GET_LDEV_CERT'),
                    ipc.ssp(client.soc).finish('VERSION'))

        return {
            'quote': (lambda c: c.start('QUOTE_PCRS', bytes(32)),
                      lambda c: c.finish('QUOTE_PCRS')),
            'sha': (sha, sha_end),
            'digest': (one_shot,
                       lambda c: (c.receive(), c.read(c.out_addr, 48))),
            'update': (update, update_end),
            'two': (both, both_end),
        }

    def save(self, soc, path):
        soc.qmp('migrate', uri='file:' + path)
        soc.wait_migrated()
        soc.qmp('cont')
        # qtest's clock is not part of a snapshot
        return soc.clock_step(1)

    def load(self, path, now):
        soc = BootedSoc(args=['-incoming', 'defer'])
        try:
            soc.clock_set(now)
            soc.qmp('migrate-incoming', uri='file:' + path)
            soc.wait_migrated()
            soc.qmp('cont')
        except BaseException:
            soc.close()
            raise
        return soc

    CUTS = 2

    def test_requests(self):
        saved = []
        with BootedSoc() as soc:
            client = ipc.ca35(soc.run_boot())
            for name, (begin, end) in self.requests().items():
                # how many steps the request has
                begin(client)
                steps = 0
                while not client.answered():
                    soc.clock_step()
                    steps += 1
                end(client)

                begin(client)
                cuts = {steps * i // self.CUTS for i in range(self.CUTS)}
                paths = []
                for step in range(max(cuts) + 1):
                    if step in cuts:
                        path = os.path.join(soc.files, f'{name}-{step}')
                        paths.append((step, path, self.save(soc, path)))
                    soc.clock_step()
                saved.append((name, end, end(client), paths))
            for name, end, expected, paths in saved:
                for step, path, now in paths:
                    with self.subTest(request=name, step=step), \
                            self.load(path, now) as dst:
                        self.assertEqual(end(ipc.ca35(dst)), expected)


if __name__ == '__main__':
    unittest.main(verbosity=2)
