#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Boot the ast2700fc machine through Caliptra

import hashlib
from pathlib import Path
import re
import sys
import time

from qemu_test import skipIfMissingCommands, skipIfMissingImports
from qemu_test import wait_for_console_pattern

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
class AspeedCaliptra(CaliptraTest):

    @skipIfMissingCommands('aarch64-linux-gnu-gcc')
    def test_boot(self):
        """The guest runs on the released cores and talks to Caliptra"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm(firmware=firmware, fuses=fuses,
                          guest=self.make_guest())
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle').decode()
        for n in range(self.CA35_CORES):
            self.assertRegex(report, rf'(?i)core {n}\b')
        # short enough for a terminal, and nothing failed
        lines = report.replace('\r', '').splitlines()
        self.assertLess(len(lines), 16)
        self.assertLess(max(map(len, lines)), 80)
        self.assertRegex(report, r'LDevID \d+, FMC alias \d+, RT alias \d+ ')
        self.assertRegex(report, r'attested by the DPE +certificate of \d+ ')
        self.assertNotIn('error', report)
        self.assertIn(self.RELEASED, self.caliptra_log())
        self.assertFalse(self.held(vm))
        self.assertTrue(self.read32(vm, self.FLOW_STATUS) &
                        self.READY_FOR_RUNTIME)
        self.assertTrue(self.read32(vm, self.SCU_CPTRA_CTRL) &
                        self.SCU_READY_FOR_RUNTIME)

    @skipIfMissingCommands('aarch64-linux-gnu-gcc', 'openssl')
    def test_attestation(self):
        """
        What docs/system/arm/aspeed.rst tells a verifier to do with the
        guest's report: certify the IDevID key, verify the chain, look for
        the blob's digest
        """
        firmware, fuses = self.make_bundle()
        vm = self.make_vm('-device', f'loader,addr={self.PAYLOADS:#x},'
                          f'data={self.REPORT_CERTS:#x},data-len=4',
                          firmware=firmware, fuses=fuses,
                          guest=self.make_guest())
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle').decode()
        report = report.replace('\r', '')
        pems = re.findall(r'-----BEGIN.*?-----END [A-Z ]*-----\n', report,
                          re.DOTALL)
        self.assertEqual(len(pems), 5)
        files = [self.scratch_file(f'{n}.pem') for n in range(len(pems))]
        for file, pem in zip(files, pems):
            Path(file).write_text(pem)
        idevid_key, ldevid, *between, leaf = files

        ca, ca_key, extensions, idevid, chain = (
            self.scratch_file(name) for name in
            ('ca.pem', 'ca.key', 'idevid.ext', 'idevid.pem', 'chain.pem'))
        self.run_tool('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                      'ec_paramgen_curve:P-384', '-nodes', '-keyout', ca_key,
                      '-out', ca, '-subj', '/CN=Vendor')
        name = self.run_tool('openssl', 'x509', '-in', ldevid, '-noout',
                             '-issuer', '-nameopt', 'compat')
        Path(extensions).write_text('basicConstraints=critical,CA:TRUE\n'
                                    'subjectKeyIdentifier=none\n')
        self.run_tool('openssl', 'x509', '-new', '-force_pubkey', idevid_key,
                      '-subj', name.strip().removeprefix('issuer='),
                      '-CA', ca, '-CAkey', ca_key, '-extfile', extensions,
                      '-out', idevid)
        Path(chain).write_text(''.join(Path(file).read_text() for file in
                                       (idevid, ldevid, *between)))
        verify = ['openssl', 'verify', '-ignore_critical', '-CAfile', ca,
                  '-untrusted', chain]
        self.assertIn('OK', self.run_tool(*verify, leaf))

        # the last TcbInfo of the leaf has the blob as its current TCI
        blob = re.search(r' blob +(.*\n)', report)[1]
        digest = hashlib.sha384(blob.encode()).hexdigest()
        self.assertIn(digest, report)
        der = self.run_tool('openssl', 'asn1parse', '-in', leaf)
        offset = re.search(r':2\.23\.133\.5\.4\.5\n.*\n *(\d+):', der)[1]
        tcb_info = self.run_tool('openssl', 'asn1parse', '-in', leaf,
                                 '-strparse', offset)
        digests = re.findall(r'\[HEX DUMP\]:([0-9A-F]{96})', tcb_info)
        self.assertEqual(digests[-2].lower(), digest)

    def self_check(self, *options):
        """The guest tries commands; returns the lines of its report"""
        firmware, fuses = self.make_bundle()
        payloads = self.make_payloads(firmware, *options)
        vm = self.make_vm(*self.payloads_args(payloads), firmware=firmware,
                          fuses=fuses, guest=self.make_guest())
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle').decode()
        lines = report.replace('\r', '').splitlines()
        result = re.search(r'self-check: (\d+) passed, (\d+) failed', report)
        self.assertEqual([line for line in lines
                          if line.startswith('FAILED')], [])
        self.assertEqual(int(result[2]), 0)
        self.assertEqual(int(result[1]),
                         sum(line.startswith('ok ') for line in lines))

        return lines

    @skipIfMissingCommands('aarch64-linux-gnu-gcc')
    def test_self_check(self):
        """The guest tries all commands that the model documents"""
        lines = self.self_check()

        # each command of the table has been tried, each of the DPE's, too;
        # the bundle is of the first release
        manual = Path(self.source_file('docs', 'specs',
                                       'caliptra.rst')).read_text()
        table = manual.split('\nCommand  ', 1)[1].split('\n\n', 1)[0]
        commands = re.findall(r'^([A-Z]\w+) .*\byes\b(?!.* from release)',
                              table, re.MULTILINE)
        self.assertIn('INVOKE_DPE_COMMAND', commands)
        commands += [f'INVOKE_DPE_COMMAND {name}' for name in re.findall(
            r'\b((?:[A-Z][a-z]+){2,3}|Sign)[,\n]', table)]
        self.assertIn('INVOKE_DPE_COMMAND GetCertificateChain', commands)
        tried = {line.split(':')[0].split(maxsplit=1)[1] for line in lines
                 if line.startswith('ok ')}
        self.assertLessEqual(set(commands) - {'INVOKE_DPE_COMMAND'}, tried)

    @skipIfMissingCommands('aarch64-linux-gnu-gcc')
    def test_self_check_ipc(self):
        """The same through the BootMCU, with each driver's sequences"""
        lines = self.self_check('--ipc')
        drivers = {line.split(':')[1].strip() for line in lines
                   if line.startswith('ok ') and ' driver: ' in line}
        self.assertEqual(drivers, {'Linux', 'U-Boot', 'U-Boot, old binding',
                                   'Zephyr'})

    @skipIfMissingCommands('aarch64-linux-gnu-gcc')
    def test_flash(self):
        """All from the flash, fuses and secure boot from the OTP"""
        firmware, fuses = self.make_bundle()
        otp = self.scratch_file('otp.bin')
        self.run_tool(sys.executable,
                      self.source_file('scripts', 'caliptra', 'otp.py'),
                      'create', '--fuses', fuses, '--secure-boot',
                      '--flat', otp)
        payloads = self.make_payloads(None, '--ipc')
        vm = self.make_vm('-blockdev', 'driver=file,node-name=otp,filename=' +
                          otp, '-global', 'aspeed-otp-ast2700.drive=otp',
                          *self.payloads_args(payloads),
                          flash=self.make_flash(firmware, self.make_guest()))
        vm.set_console()
        vm.launch()
        report = wait_for_console_pattern(self, 'idle').decode()
        self.assertIn('Caliptra says, through the BootMCU', report)
        log = self.caliptra_log()
        self.assertIn('ATF (fw id 10)', log)
        self.assertIn(self.RELEASED, log)

    def test_refused(self):
        """One flipped bit in the runtime image: the cores never start"""
        firmware, fuses = self.make_bundle()
        image = bytearray(Path(firmware).read_bytes())
        image[-4] ^= 1
        Path(firmware).write_bytes(image)
        vm = self.make_vm(firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        self.wait_for_log(self.HELD)

        log = self.caliptra_log()
        self.assertIn(firmware, log)
        self.assertIn('IMAGE_VERIFIER_ERR_RUNTIME_DIGEST_MISMATCH', log)
        self.assertNotIn(self.RELEASED, log)
        code = int(re.search(r'\(0x([0-9a-f]{8})\)', log)[1], 16)
        self.assertEqual(self.read32(vm, self.FW_ERROR_FATAL), code)
        # said once, in one place
        self.assertEqual(log.count('IMAGE_VERIFIER_ERR_'), 1)
        self.assertEqual(log.count(self.HELD), 1)
        self.assert_held(vm)
        self.assertFalse(self.read32(vm, self.SCU_CPTRA_CTRL) &
                         self.SCU_READY_FOR_RUNTIME)
        vm.shutdown()
        self.assertNotIn('IMAGE_VERIFIER_ERR_', vm.get_log())

    def test_held_then_released(self):
        """The cores stay at their start addresses until the release"""
        firmware, fuses = self.make_bundle()
        # seconds of virtual time instead of milliseconds
        vm = self.make_vm('-global',
                          'caliptra-native-fw.firmware-latency=500000',
                          firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        for _ in range(3):
            self.assert_held(vm)
            time.sleep(0.1)
        self.wait_for_log(self.RELEASED)
        self.assert_idle_runs(vm)

    def test_system_reset(self):
        """A machine reset holds the cores and boots again, to the same log"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm('-seed', '1', firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        self.wait_for_log(self.RELEASED)
        first = self.caliptra_log()
        vm.cmd('system_reset')
        self.wait_for_log(self.RELEASED, count=2)
        second = self.caliptra_log()[len(first):]
        held, _, second = second.partition('\n')
        self.assertIn('CA35 cores held', held)
        self.assert_same_log(first, second)
        self.assert_idle_runs(vm)

    def test_boot_off(self):
        """Without a firmware the cores run at once, Caliptra has no power"""
        vm = self.make_vm(guest=self.make_idle_guest())
        vm.launch()
        self.assert_idle_runs(vm)
        self.assertEqual(self.read32(vm, self.SCU_CPTRA_CTRL), 0)
        self.assertEqual(self.read32(vm, self.FLOW_STATUS), 0)

    def test_boot_guest(self):
        """caliptra-boot=guest: Caliptra waits for its fuses, the cores run"""
        vm = self.make_vm(guest=self.make_idle_guest(),
                          options=',caliptra-boot=guest')
        vm.launch()
        self.wait_until(lambda: self.read32(vm, self.FLOW_STATUS) & (1 << 30),
                        'ready_for_fuses')
        self.assert_idle_runs(vm)


if __name__ == '__main__':
    CaliptraTest.main()
