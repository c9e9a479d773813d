#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debug the ast2700fc machine while Caliptra holds its cores

import os
import re
from subprocess import TimeoutExpired, run

from qemu_test import skipIfMissingEnv, skipIfMissingImports

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
@skipIfMissingEnv('QEMU_TEST_GDB')
class AspeedCaliptraGdb(CaliptraTest):

    def gdb(self, vm_socket, *commands, architecture='aarch64'):
        """Run a gdb session over @vm_socket; returns what it printed"""
        words = [os.environ['QEMU_TEST_GDB'], '-nx', '-batch',
                 '-ex', 'set confirm off', '-ex', 'set pagination off',
                 '-ex', f'set architecture {architecture}',
                 '-ex', f'target extended-remote {vm_socket}']
        for command in commands:
            words += ['-ex', command]
        try:
            session = run(words, timeout=self.timeout, check=False,
                          capture_output=True, encoding='utf8')
        except TimeoutExpired as err:
            self.fail(f'gdb did not end, it printed: {err.stdout}')
        self.log.info('gdb: %s%s', session.stdout, session.stderr)
        return session.stdout + session.stderr

    def debugged_vm(self):
        firmware, fuses = self.make_bundle()
        vm_socket = os.path.join(self.socket_dir().name, 'gdb.sock')
        vm = self.make_vm('-S', '-gdb', f'unix:{vm_socket},server=on,wait=off',
                          firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        return vm, vm_socket

    def assert_threads_held(self, threads):
        """gdb sees each CA35 core at its entry, and that it does not run"""
        for n in range(self.CA35_CORES):
            self.assertRegex(threads, rf'cpu\[{n}\] \[halted \]\) '
                             f'0x0*{self.ENTRY:x} ')

    def test_break_at_entry(self):
        """Attach with the cores held; break where the release lets them go"""
        vm, vm_socket = self.debugged_vm()
        out = self.gdb(vm_socket,
                       'info threads',
                       'p/x $pc',
                       f'hbreak *{self.ENTRY:#x}',
                       'continue',
                       'p/x $pc',
                       # FLOW_STATUS, MBOX_STATUS, as the core sees them
                       f'x/wx {self.FLOW_STATUS:#x}',
                       f'x/wx {self.MBOX + 0x1c:#x}',
                       'delete',
                       'stepi',
                       'p/x $pc',
                       'detach')
        threads, _, session = out.partition('$1 = ')
        self.assert_threads_held(threads)
        pc_held, _, session = session.partition('\n')
        self.assertEqual(int(pc_held, 16), self.ENTRY)
        self.assertIn('Breakpoint 1', session)
        self.assertIn(f'$2 = {self.ENTRY:#x}', session)
        flow_status = session.split(f'{self.FLOW_STATUS:#x}:')[1].split()[0]
        self.assertTrue(int(flow_status, 16) & self.READY_FOR_RUNTIME)
        mbox_status = session.split(f'{self.MBOX + 0x1c:#x}:')[1].split()[0]
        # free, and the BootMCU's last command has ended
        self.assertEqual(int(mbox_status, 16) & 0xf, 0)
        self.assertIn(f'$3 = {self.ENTRY + 4:#x}', session)
        # the log says that the break came behind the release
        self.assertIn(self.RELEASED, self.caliptra_log())
        self.wait_until(lambda: vm.cmd('query-status')['status'] == 'running',
                        'goes on after the detach')

    def test_all_cpus(self):
        """SSP and TSP have other registers: they are inferiors of their own"""
        _, vm_socket = self.debugged_vm()
        out = self.gdb(vm_socket,
                       'set architecture auto',
                       'add-inferior', 'inferior 2', 'attach 2',
                       'add-inferior', 'inferior 3', 'attach 3',
                       'info threads',
                       'p/x $xpsr')
        self.assertNotIn('runcated', out)
        threads = re.findall(r'^[ *] (\d\.\d) .*\[halted \]', out, re.M)
        self.assertEqual(threads, ['1.1', '1.2', '1.3', '1.4', '2.1', '3.1'])
        self.assertIn('$1 = 0x', out)

    def test_attach_held(self):
        """A refused firmware: gdb can look around, nothing has run"""
        vm, vm_socket = self.debugged_vm()
        firmware = self.scratch_file('caliptra-fw.bin')
        vm.shutdown()
        with open(firmware, 'r+b') as image:
            image.seek(0)
            image.write(b'\0\0\0\0')
        vm.launch()
        vm.cmd('cont')
        self.wait_for_log(self.HELD)
        out = self.gdb(vm_socket, 'info threads', 'p/x $pc',
                       f'x/wx {self.FW_ERROR_FATAL:#x}', 'detach')
        self.assert_threads_held(out)
        self.assertIn(f'$1 = {self.ENTRY:#x}', out)
        error = out.split(f'{self.FW_ERROR_FATAL:#x}:')[1].split()[0]
        self.assertNotEqual(int(error, 16), 0)


if __name__ == '__main__':
    CaliptraTest.main()
