#!/usr/bin/env python3
#
# The mailbox client for people, and the table of commands
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""scripts/caliptra/mbox.py against running machines."""

import contextlib
import hashlib
import io
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..')
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(ROOT, 'scripts', 'caliptra'))
import caliptra_commands as table           # noqa: E402
import caliptra_common as common            # noqa: E402
import dpe_model                            # noqa: E402
import identity                             # noqa: E402
import mbox                                 # noqa: E402
from caliptra_common import ToolError       # noqa: E402
from caliptra_qmp import Qmp                # noqa: E402
from command_env import bundle, VENDOR_HASH, OWNER_HASH     # noqa: E402
from qtestlib import default_binary         # noqa: E402

TIMEOUT = 120


def machine(directory, *args, firmware, damage):
    """A QEMU that runs, with QMP at qmp.sock in @directory"""
    image = bytearray(bundle())
    if damage:
        image[damage] ^= 1
    with open(os.path.join(directory, 'fw.bin'), 'wb') as f:
        f.write(image)
    with open(os.path.join(directory, 'fuses.json'), 'w') as f:
        json.dump({'key_manifest_pk_hash': VENDOR_HASH.hex(),
                   'owner_pk_hash': OWNER_HASH.hex(), 'lms_verify': 1}, f)
    options = f',caliptra-firmware={firmware},caliptra-fuses=fuses.json' \
        if firmware else ''
    return subprocess.Popen(
        [default_binary(), '-M', 'ast2700fc' + options, '-display', 'none',
         '-nodefaults', '-qmp', 'unix:qmp.sock,server=on,wait=off', *args],
        cwd=directory, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class MachineCase(unittest.TestCase):
    """One machine for all tests of a class"""

    args = ()
    firmware = 'fw.bin'
    damage = None               # offset of a byte of the firmware
    wait_for_runtime = False

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix='caliptra-mbox-test-')
        cls.addClassCleanup(shutil.rmtree, cls.dir, True)
        cls.qemu = machine(cls.dir, *cls.args, firmware=cls.firmware,
                           damage=cls.damage)
        cls.addClassCleanup(cls.qemu.wait)
        cls.addClassCleanup(cls.qemu.kill)
        cls.address = os.path.join(cls.dir, 'qmp.sock')
        cls.qmp('query-status')
        if cls.wait_for_runtime:
            cls.wait_for_release()

    @classmethod
    def wait_for_release(cls):
        end = time.monotonic() + TIMEOUT
        while cls.qmp('qom-get', path='/machine', property='ca35-held'):
            assert time.monotonic() < end, 'Caliptra does not start'
            time.sleep(0.05)

    @classmethod
    def qmp(cls, command, **arguments):
        end = time.monotonic() + TIMEOUT
        while True:
            try:
                qmp = Qmp(cls.address)
                break
            except ToolError:
                if time.monotonic() > end or cls.qemu.poll() is not None:
                    raise
                time.sleep(0.05)
        try:
            return qmp.command(command, **arguments)
        finally:
            qmp.close()

    def call(self, *argv):
        """(status, stdout, stderr) of the tool"""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = mbox.main(['--qmp', self.address, '--timeout',
                                str(TIMEOUT), *argv])
        return status, out.getvalue(), err.getvalue()

    def good(self, *argv):
        status, out, err = self.call('--json', *argv)
        self.assertEqual((status, err), (0, ''))
        return json.loads(out)

    def path(self, name, data=b''):
        path = os.path.join(self.dir, name)
        with open(path, 'wb') as f:
            f.write(data)
        return path


class RuntimeTest(MachineCase):

    wait_for_runtime = True

    def test_text(self):
        status, out, _ = self.call('FW_INFO')
        self.assertEqual(status, 0)
        self.assertRegex(out, r'(?m)^pl0_pauser +0x21212121$')
        self.assertRegex(out, r'(?m)^runtime_svn +0$')
        self.assertIn(OWNER_HASH.hex(), out)

    def test_certificates(self):
        """The chain holds, to a key that is certified for a context"""
        out = os.path.join(self.dir, 'out')
        for name in ('GET_LDEV_CERT', 'GET_FMC_ALIAS_CERT',
                     'GET_RT_ALIAS_CERT'):
            self.call('--output', out, name)
        leaf = self.good('CertifyKey', 'label=text:mine')
        self.call('--output', out, 'CertifyKey', 'label=text:mine')
        message = self.path('message', b'What is signed')
        self.call('--output', out, 'Sign', 'label=text:mine',
                  f'digest=sha384:{message}')
        with open(os.path.join(out, 'between.pem'), 'wb') as between:
            for name in ('get_fmc_alias_cert', 'get_rt_alias_cert'):
                with open(os.path.join(out, name + '.pem'), 'rb') as f:
                    between.write(f.read())

        def openssl(*argv):
            done = subprocess.run(['openssl', *argv], cwd=out, check=False,
                                  capture_output=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout

        # extensions of the TCG, and FALSE that is spelt out
        openssl('verify', '-partial_chain', '-ignore_critical', '-trusted',
                'get_ldev_cert.pem', '-untrusted', 'between.pem',
                'certifykey.pem')
        pem = openssl('x509', '-in', 'certifykey.pem', '-noout', '-pubkey')
        key = serialization.load_pem_public_key(pem)
        self.assertEqual(leaf['derived_pubkey_x'],
                         f'{key.public_numbers().x:096x}')
        with open(os.path.join(out, 'sign.sig'), 'rb') as f:
            key.verify(f.read(), b'What is signed',
                       ec.ECDSA(hashes.SHA384()))
        chain = self.good('GetCertificateChain', 'size=2048')['chain']
        self.assertEqual(chain.count('BEGIN CERTIFICATE'), 3)
        csr = self.good('CERTIFY_KEY_EXTENDED', 'format=1')['cert']
        self.assertTrue(csr.startswith('-----BEGIN CMS-----'))

    def test_quote(self):
        """Verified; a nonce that is not the same in both directions"""
        nonce = bytes(range(32)).hex()
        self.call('EXTEND_PCR', 'pcr_idx=4', 'data=' + '5a' * 48)
        status, out, _ = self.call('QUOTE_PCRS', f'nonce={nonce}')
        self.assertEqual(status, 0)
        self.assertIn('quote: verified with the FMC alias certificate', out)
        self.assertRegex(out, rf'(?m)^nonce +{nonce}$')

    def test_wrong_quote(self):
        name = 'QUOTE_PCRS'
        boxed = mbox.Mailbox(mbox.connect(
            mbox.parser().parse_args(['--qmp', self.address, name])))
        _, _, values = mbox.send(boxed, name, {'nonce': bytes(32)}, None)
        self.assertIsNone(mbox.verify_quote(boxed, values))
        for field, what in (('pcr7', 'digest'), ('nonce', 'digest'),
                            ('signature_s', 'signature')):
            value = bytearray(values[field])
            value[-1] ^= 1
            self.assertIn(what, mbox.verify_quote(
                boxed, {**values, field: bytes(value)}))
        boxed.bus.close()

    def test_dpe(self):
        """By name, and as the bytes of an INVOKE_DPE_COMMAND"""
        profile = self.good('GetProfile')
        self.assertEqual(profile['max_tci_nodes'], 24)
        self.assertIn('CDI_EXPORT', profile['flags'])
        raw = dpe_model.invoke(dpe_model.GET_PROFILE)[4:]
        self.assertEqual(self.good('INVOKE_DPE_COMMAND',
                                   'data=' + raw[4:].hex()), profile)
        status, _, err = self.call('InitializeContext', 'flags=DEFAULT')
        self.assertEqual((status, err.count('\n')), (1, 1))
        self.assertIn('DPE: ArgumentNotSupported (0x00000004)', err)

    def test_signature(self):
        """The accelerator hashes what a signature is of"""
        key = ec.derive_private_key(4711, ec.SECP384R1())
        text = b'Signed by the key 4711'
        r, s = utils.decode_dss_signature(
            key.sign(text, ec.ECDSA(hashes.SHA384())))
        numbers = key.public_key().public_numbers()
        fields = self.path('sig.json', json.dumps({
            'pub_key_x': f'{numbers.x:096x}',
            'pub_key_y': f'{numbers.y:096x}', 'signature_r': f'{r:096x}',
            'signature_s': f'{s:096x}'}).encode())
        for message, status in ((text, 0), (text + b'.', 1)):
            got, _, err = self.call(
                '--message', self.path('message2', message),
                'ECDSA384_SIGNATURE_VERIFY', '@' + fields)
            self.assertEqual(got, status, err)
        self.assertIn('(0x000E0004)', err)

    def test_refused(self):
        status, _, err = self.call('GET_IDEV_CSR')
        self.assertEqual(status, 1)
        self.assertRegex(err, r'^GET_IDEV_CSR: refused: RUNTIME_GET_IDEV\w+ '
                              r'\(0x000E0051\)\n$')
        status, _, err = self.call('EXTEND_PCR', 'pcr_idx=1',
                                   'data=' + '00' * 48)
        self.assertIn('(0x000E003C)', err)

    def test_every_command(self):
        """All are sent; each answer is decoded, or an error has a name"""
        values = {'nonce': '00' * 32, 'pcr_idx': '5', 'index': '3',
                  'tag': '77', 'fw_id': '1', 'pl0_context_limit': '16'}
        for name, command in table.COMMANDS.items():
            if name in ('SHUTDOWN', 'DISABLE_ATTESTATION'):
                continue
            argv = []
            for field in command.request:
                if field.required:
                    argv.append(field.name + '=' + values.get(
                        field.name,
                        '1' if field.form == 'u32' else
                        '00' * (4 if field.variable else field.size)))
            status, _, err = self.call(name, *argv)
            with self.subTest(command=name):
                if status:
                    self.assertRegex(
                        err, rf'^{name}: (refused: )?[\w: ]+ '
                        r'\(0x[0-9A-F]{8}\)[^\n]*\n$')
                    self.assertNotIn('UNKNOWN', err)

    def test_user_errors(self):
        for argv, why in (
                (['NO_COMMAND'], 'no command is called NO_COMMAND'),
                (['EXTEND_PCR', 'data=00'], 'pcr_idx is missing'),
                (['EXTEND_PCR', 'pcr_idx=4', 'data=00'],
                 'data: 1 bytes given, 48 expected'),
                (['EXTEND_PCR', 'pcr_idx=4', 'data=zz'], 'data: \'zz\' is '),
                (['EXTEND_PCR', 'pcr_idx=x', 'data=00'], "'x' is not a num"),
                (['EXTEND_PCR', 'pcr_idx=0x100000000'], 'does not fit'),
                (['EXTEND_PCR', 'index=1'], 'EXTEND_PCR has no field index'),
                (['EXTEND_PCR', '[1]'], 'neither FIELD=VALUE nor JSON'),
                (['EXTEND_PCR', '{"pcr_idx": -1}'], 'pcr_idx: a number of 32'),
                (['EXTEND_PCR', '@/no/file'], '/no/file: No such file'),
                (['RotateContextHandle', 'flags=NO'], 'no flag is called'),
                (['ADD_SUBJECT_ALT_NAME', 'dmtf_device_info=' + '00' * 129],
                 'there is room for 128'),
                (['FIRMWARE_LOAD'], 'takes one file'),
                (['FIRMWARE_LOAD', '/dev/null'], 'not a regular file')):
            with self.subTest(argv=argv), self.assertRaises(ToolError) as e:
                self.call(*argv)
            self.assertIn(why, str(e.exception))
            self.assertNotIn('\n', str(e.exception))

    def test_stopped(self):
        self.qmp('stop')
        try:
            with self.assertRaisesRegex(ToolError, 'does not run .paused.'):
                self.call('VERSION')
        finally:
            self.qmp('cont')

    def test_interrupted(self):
        """Ctrl-C never leaves the mailbox taken"""
        for delay in range(6):
            tool = subprocess.Popen(
                [sys.executable,
                 os.path.join(ROOT, 'scripts/caliptra/mbox.py'), '--qmp',
                 self.address, 'CertifyKey'],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.1 * (delay + 1))
            tool.send_signal(signal.SIGINT)
            tool.wait()
            self.assertEqual(self.call('VERSION')[0], 0)


class AttestationTest(MachineCase):
    """A machine whose boot has asked for the IDevID CSR"""

    args = ('-machine', 'caliptra-idevid-csr=on')
    wait_for_runtime = True

    def run_in(self, directory, command):
        return subprocess.run(
            command, shell=True, cwd=directory, check=False,
            capture_output=True, encoding='utf-8',
            env={**os.environ, 'QMP': self.address, 'PATH':
                 os.path.dirname(sys.executable) + ':' + os.environ['PATH']})

    def test_documented(self):
        """The commands of "Attesting a blob" in the documentation"""
        with open(os.path.join(ROOT, 'docs', 'specs', 'caliptra.rst'),
                  encoding='utf-8') as f:
            text = f.read()
        text = text[text.index('\nAttesting a blob\n'):]
        text = text[:text.index('\nAuthorization manifest\n')]
        # commands and the output that follows each
        dialogue = re.findall(r'^  \$ ((?:.*\\\n)*.*)\n((?:  [^$\s].*\n)*)',
                              text, re.MULTILINE)
        self.assertGreater(len(dialogue), 10)
        with tempfile.TemporaryDirectory() as tmp:
            os.symlink(os.path.abspath(os.path.join(ROOT, 'scripts')),
                       os.path.join(tmp, 'scripts'))
            for command, output in dialogue:
                done = self.run_in(tmp, command)
                self.assertEqual(done.returncode, 0, command + done.stderr)
                if output:
                    self.assertEqual(done.stdout.split(), output.split())

    def test_csr_command(self):
        """The runtime has the same CSR"""
        with tempfile.TemporaryDirectory() as tmp:
            done = self.run_in(tmp, f'{ROOT}/scripts/caliptra/identity.py '
                               '--qmp $QMP')
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            with open(os.path.join(tmp, 'idevid-csr.pem')) as f:
                self.assertEqual(self.good('GET_IDEV_CSR')['csr'], f.read())


class MissingTest(MachineCase):
    """What identity.py says of what is not there"""

    def identity(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            status = identity.main(['--qmp', self.address, '--output',
                                    os.path.join(self.dir, 'identity')])
        return status, out.getvalue()

    def test_no_csr(self):
        self.wait_for_release()
        status, out = self.identity()
        self.assertEqual(status, 1)
        self.assertRegex(out, r'(?m)^idevid-csr: not made: the boot has to '
                              r'ask for it .*caliptra-idevid-csr=on')
        self.assertEqual(out.count('bytes of DER'), 4)


class RefusedTest(MissingTest):
    """A bundle that ROM refuses"""

    damage = 6000

    def test_no_csr(self):
        end = time.monotonic() + TIMEOUT
        while True:
            status, out = self.identity()
            self.assertEqual(status, 1)
            if 'Caliptra has stopped' in out:
                break
            self.assertLess(time.monotonic(), end, out)
            time.sleep(0.1)
        self.assertIn('rt-alias-cert: Caliptra has stopped: '
                      'IMAGE_VERIFIER_ERR_', out)


class RomTest(MachineCase):
    """A Caliptra that nobody starts"""

    firmware = None
    args = ('-machine', 'caliptra-boot=guest')

    def test_not_started(self):
        with self.assertRaisesRegex(ToolError, 'waits for its fuses'):
            self.call('VERSION')

    def test_no_qemu(self):
        for address in ('/no/such/socket', 'localhost:1'):
            with self.assertRaisesRegex(ToolError, 'is QEMU running'):
                mbox.main(['--qmp', address, 'VERSION'])


class FakeBus:
    """A mailbox in which somebody else works first"""

    def __init__(self, busy, stage=mbox.READY_FOR_RUNTIME):
        self.busy = busy
        self.regs = {mbox.FLOW_STATUS: stage, mbox.STATUS: 0,
                     mbox.FW_ERROR_FATAL: 0}
        self.log = []
        self.out = []

    def command(self, line):
        raise ToolError(line)

    def read32(self, addr):
        return self.reads32([addr])[0]

    def reads32(self, addrs):
        values = []
        for addr in addrs:
            offset = addr - mbox.WINDOW
            if offset == mbox.LOCK:
                self.busy -= 1
                values.append(int(self.busy >= 0))
                self.log.append('wait' if self.busy >= 0 else 'lock')
            elif offset == mbox.DATAOUT:
                values.append(self.out.pop(0))
            else:
                values.append(self.regs.get(offset, 0))
        return values

    def write32(self, addr, data):
        self.writes32([(addr, data)])

    def writes32(self, pairs):
        for addr, data in pairs:
            offset = addr - mbox.WINDOW
            if offset == mbox.EXECUTE:
                self.log.append(f'execute {data}')
                self.regs[mbox.STATUS] = mbox.DATA_READY if data else 0
                self.regs[mbox.DLEN] = 8
                self.out = [0, 0]


class MailboxTest(unittest.TestCase):

    def test_waits_and_gives_back(self):
        bus = FakeBus(3)
        self.assertEqual(mbox.Mailbox(bus).command(1, b''), b'')
        self.assertEqual(bus.log, ['wait'] * 3 + ['lock', 'execute 1',
                                                  'execute 0'])

    def test_taken(self):
        bus = FakeBus(1 << 30)
        with self.assertRaisesRegex(ToolError, 'mailbox stays taken'):
            mbox.Mailbox(bus, timeout=0.1).command(1, b'')
        self.assertNotIn('execute 0', bus.log)

    def test_error_state(self):
        bus = FakeBus(0)
        bus.regs[mbox.STATUS] = mbox.FSM_ERROR << 6
        with self.assertRaisesRegex(ToolError, 'in its error state'):
            mbox.Mailbox(bus).command(1, b'')
        self.assertEqual(bus.log, [])

    def test_stages(self):
        for flow, fatal, what in (
                (0, 0, 'no power'), (mbox.READY_FOR_FUSES, 0, 'its fuses'),
                (4 << 25, 0, 'is starting'), (4 << 25, 0x000B0001,
                 'has stopped: IMAGE_VERIFIER_ERR_MANIFEST_MARKER_MISMATCH'),
                (mbox.CSR_READY | 4 << 25, 0, 'holds the IDevID CSR')):
            bus = FakeBus(0, flow)
            bus.regs[mbox.FW_ERROR_FATAL] = fatal
            with self.assertRaisesRegex(ToolError, what):
                mbox.Mailbox(bus).stage()
        self.assertEqual(mbox.Mailbox(FakeBus(
            0, mbox.READY_FOR_FW)).stage(), 'rom')


class TableTest(unittest.TestCase):
    """The table agrees with the model, its document, and itself"""

    def source(self, *path):
        with open(os.path.join(ROOT, *path), encoding='utf-8') as f:
            return f.read()

    def test_model(self):
        """Numbers and names in the model's source"""
        text = ''.join(self.source('hw', 'misc', name) for name in
                       os.listdir(os.path.join(ROOT, 'hw', 'misc'))
                       if name.startswith('caliptra_fw'))
        codes = {name: int(code, 16) for name, code in re.findall(
            r'CALIPTRA_CMD_(\w+)\s*=\s*(0x[0-9A-Fa-f]+)', text)}
        rows = dict(re.findall(r'CALIPTRA_CMD_(\w+),\s*"(\w+)"', text))
        model = {rows[name]: code for name, code in codes.items()
                 if name in rows}
        self.assertGreater(len(model), 28)
        ours = {name: command.code
                for name, command in table.COMMANDS.items()}
        self.assertEqual({**ours, **model}, ours)

    def test_document(self):
        text = self.source('docs', 'specs', 'caliptra.rst')
        part = text.split('\nCommand  ', 1)[1].split('\n\n', 1)[0]
        at_rom = text.splitlines()[
            text[:text.index('\nCommand  ')].count('\n') + 1].index('ROM')
        rows = [(line.split()[0], 'yes' in line[at_rom:at_rom + 3])
                for line in part.splitlines()
                if re.match(r'[A-Z]\w+ .*yes', line)]
        documented = {name for name, _ in rows} - {'FIRMWARE_LOAD'}
        self.assertEqual(documented - set(table.COMMANDS), set())
        self.assertEqual({name for name, command in table.COMMANDS.items()
                          if not command.since} - documented, set())
        for name, rom in rows:
            if name in table.COMMANDS:
                self.assertEqual(table.COMMANDS[name].rom, rom, name)

    def test_round_trip(self):
        """Any values come back as they were"""
        for name, command in {**table.COMMANDS, **table.DPE_COMMANDS}.items():
            for fields in (command.request, command.response):
                values = {}
                for i, field in enumerate(fields):
                    if field.form in ('u16', 'u32', 'flags'):
                        values[field.name] = i + 1
                    else:
                        size = field.size - field.variable
                        values[field.name] = bytes(
                            (i + k) % 255 + 1 for k in range(size))
                for field in fields:
                    if field.variable:
                        values[field.name + '_size'] = field.size - 1
                data = table.encode(fields, values)
                self.assertEqual(table.decode(fields, data), values, name)

    def test_dpe_lengths(self):
        for name, command in table.DPE_COMMANDS.items():
            self.assertEqual(table.span(command.request),
                             dpe_model.BODY_LEN[command.ident], name)

    def test_checksums(self):
        """The examples that caliptra-sw has in api/src/checksum.rs"""
        self.assertEqual(table.checksum(0xe8dc3994,
                                        bytes.fromhex('83e725')), 0xfffffbe0)
        self.assertEqual(table.checksum(0, struct.pack('<I', 0x4242)),
                         0xffffff7c)

    def test_errors_have_names(self):
        names = common.error_names()
        for code in (0x000E0002, 0x000E0003, 0x000E0005, 0x000E0009,
                     0x000E0016, 0x01020004):
            self.assertIn(code, names)

    def test_hash_words(self):
        """FW_INFO's digests read as plain ones"""
        digest = hashlib.sha384(b'x').digest()
        fields = [field for field in table.COMMANDS['FW_INFO'].response
                  if field.name == 'owner_pub_key_hash']
        stored = common.hw_words(digest)
        self.assertEqual(table.decode(fields, stored),
                         {'owner_pub_key_hash': digest})


if __name__ == '__main__':
    unittest.main()
