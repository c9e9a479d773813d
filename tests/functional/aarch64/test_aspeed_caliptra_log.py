#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The log of the boot through Caliptra does not disturb anybody

import fcntl
import os
import socket
import subprocess

from qemu_test import skipIfMissingImports

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
class AspeedCaliptraLog(CaliptraTest):

    def make_logging_vm(self, chardev, *args):
        firmware, fuses = self.make_bundle()
        self.machine = (f'ast2700fc,caliptra-firmware={firmware},'
                        f'caliptra-fuses={fuses},caliptra-log=log')
        vm = self.get_vm()
        guest = self.make_idle_guest()
        vm.add_args('-chardev', f'{chardev},id=log', *args, '-device',
                    f'loader,file={guest},addr={self.ENTRY:#x},'
                    'force-raw=on')
        for n in range(self.CA35_CORES):
            vm.add_args('-device', f'loader,addr={self.ENTRY:#x},cpu-num={n}')
        return vm

    def test_reader_that_stalls(self):
        """Lines wait for their reader; the machine does not"""
        fifo = self.scratch_file('fifo')
        ends = []
        for suffix in ('.in', '.out'):
            os.mkfifo(fifo + suffix)
            ends.append(os.open(fifo + suffix, os.O_RDWR | os.O_NONBLOCK))
        _, out = ends
        fcntl.fcntl(out, fcntl.F_SETPIPE_SZ, 4096)
        full = os.write(out, b'x' * 4096)

        vm = self.make_logging_vm(f'pipe,path={fifo}')
        vm.launch()
        self.assert_idle_runs_soon(vm)
        boots = 1
        # each boot logs 20 lines or more: some 2 KiB
        for _ in range(60):
            vm.cmd('system_reset')
            self.assert_idle_runs_soon(vm)
            boots += 1

        text = b''

        def finished():
            nonlocal text
            try:
                text += os.read(out, 65536)
            except BlockingIOError:
                return b'dropped' in text
            return False

        self.wait_until(finished, 'the rest of the log')
        lines = text[full:].decode().splitlines()
        self.assertTrue(all(line.startswith('[caliptra] ') for line in lines))
        released = sum(self.RELEASED in line for line in lines)
        self.assertGreater(released, 10)
        self.assertLess(released, boots)
        for fd in ends:
            os.close(fd)

    def assert_idle_runs_soon(self, vm):
        self.wait_until(lambda: not self.held(vm), 'the release')

    def test_mux(self):
        """The log on a mux is no front end that a user could switch to"""
        ours, theirs = socket.socketpair()
        self.addCleanup(ours.close)
        os.set_inheritable(theirs.fileno(), True)
        vm = self.make_logging_vm(f'socket,fd={theirs.fileno()},mux=on',
                                  '-serial', 'chardev:log',
                                  '-mon', 'chardev=log')
        vm.launch()
        theirs.close()
        ours.settimeout(self.timeout)
        text = ''

        def read_until(what):
            nonlocal text
            while what not in text:
                data = ours.recv(4096)
                self.assertTrue(data, f'"{what}" has not come: {text}')
                text += data.decode(errors='replace')
            text = text.split(what, 1)[1]

        read_until(self.RELEASED)
        # two front ends: from the serial port to the monitor and back; what
        # is typed goes to one of them, and is read
        for _ in range(3):
            ours.sendall(b'\x01c' + b'z' * 200 + b'\n')
            read_until('unknown command')
            ours.sendall(b'info status\n')
            read_until('VM status: running')
            ours.sendall(b'\x01c')

    def test_used(self):
        """A chardev that has another user is one clear error"""
        run = subprocess.run(
            [self.qemu_bin, '-display', 'none', '-nodefaults',
             '-M', 'ast2700fc,caliptra-boot=guest,caliptra-log=log',
             '-chardev', 'null,id=log', '-serial', 'chardev:log'],
            stdin=subprocess.DEVNULL, capture_output=True, encoding='utf8',
            timeout=self.timeout, check=False)
        self.assertEqual(run.returncode, 1)
        errors = [line for line in run.stderr.splitlines()
                  if 'caliptra-log' in line]
        self.assertEqual(len(errors), 1, run.stderr)
        self.assertIn("'log'", errors[0])
        self.assertIn('in use', errors[0])


if __name__ == '__main__':
    CaliptraTest.main()
