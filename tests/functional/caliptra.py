# SPDX-License-Identifier: GPL-2.0-or-later
#
# Base class of the tests that boot the ast2700fc machine through Caliptra

import os
from pathlib import Path
import struct
import subprocess
import sys
import time

from qemu.machine.qtest import QEMUQtestProtocol
from qemu_test import QemuSystemTest


class CaliptraTest(QemuSystemTest):
    """
    Boots of the ast2700fc machine.

    The firmware bundle, its fuses and the guest are made here, from what is
    in the source tree; the Caliptra log of each machine goes to a file.
    """

    timeout = 60

    # where the guest and BL31 start
    ENTRY = 0x430000000
    # what the guest's self-check gets
    PAYLOADS = 0x431000000
    # word there: all that Caliptra says, certificates too
    REPORT_CERTS = 0x43455254
    CA35_CORES = 4

    MBOX = 0x14c60000
    SOC_IFC = 0x14c70000
    FW_ERROR_FATAL = SOC_IFC + 0x08
    FW_ERROR_NON_FATAL = SOC_IFC + 0x0c
    BOOT_STATUS = SOC_IFC + 0x38
    FLOW_STATUS = SOC_IFC + 0x3c
    FUSE_WR_DONE = SOC_IFC + 0xb0
    WDT_CFG = SOC_IFC + 0x110
    SCU_CPTRA_CTRL = 0x14c02130

    READY_FOR_RUNTIME = 1 << 29
    SCU_READY_FOR_RUNTIME = 1 << 18

    RELEASED = 'CA35 cores released'
    HELD = 'the CA35 cores stay held'

    def setUp(self):
        super().setUp()
        self.set_machine('ast2700fc')

    def source_file(self, *path):
        return self.data_file('..', '..', *path)

    def run_tool(self, *args):
        run = subprocess.run([str(arg) for arg in args], check=False,
                             stdin=subprocess.DEVNULL, capture_output=True,
                             encoding='utf8')
        self.log.debug('%s: %s%s', args, run.stdout, run.stderr)
        self.assertEqual(run.returncode, 0,
                         f'{args[0]} failed: {run.stdout}{run.stderr}')
        return run.stdout

    def make_bundle(self, *args):
        """Sign a bundle; returns it and the file of fuses that accept it"""
        bundle = self.scratch_file('caliptra-fw.bin')
        fuses = self.scratch_file('fuses.json')
        self.run_tool(sys.executable,
                      self.source_file('scripts', 'caliptra', 'bundle.py'),
                      'create', '-o', bundle, '--fuses', fuses, *args)
        return bundle, fuses

    def make_guest(self):
        """Build the guest; returns its raw image"""
        self.run_tool(self.source_file('tests', 'caliptra', 'guest',
                                       'build.sh'),
                      self.scratch_file('guest'))
        return self.scratch_file('guest', 'guest.bin')

    def make_payloads(self, bundle, *options):
        """What the guest's self-check needs, without @bundle its report;
        @options are payloads.py's"""
        payloads = self.scratch_file('payloads.bin')
        self.run_tool(sys.executable,
                      self.source_file('tests', 'caliptra', 'guest',
                                       'payloads.py'),
                      *(['--bundle', bundle] if bundle else []),
                      '--output', payloads, *options)
        return payloads

    def payloads_args(self, payloads):
        """Arguments of QEMU that load them"""
        return ['-device', f'loader,file={payloads},'
                f'addr={self.PAYLOADS:#x},force-raw=on']

    def make_idle_guest(self):
        """An image of "nop; nop; b .": a core that runs leaves its entry"""
        guest = self.scratch_file('idle.bin')
        Path(guest).write_bytes(struct.pack('<III', 0xd503201f, 0xd503201f,
                                            0x14000000))
        return guest

    def assert_same_log(self, first, second):
        """Two boots that do the same"""
        self.assertEqual(first, second)

    def log_path(self, name):
        return self.log_file(f'caliptra-{name}.log')

    def caliptra_log(self, name='default'):
        path = self.log_path(name)
        return Path(path).read_text() if os.path.exists(path) else ''

    def make_flash(self, firmware, guest, *args):
        """Sign a boot flash, with the guest in the place of the ATF"""
        flash = self.scratch_file('flash.img')
        self.run_tool(sys.executable,
                      self.source_file('scripts', 'caliptra', 'flash.py'),
                      'create', '-o', flash, '--bundle', firmware,
                      '--image', f'atf={guest}', *args)
        return flash

    def make_core(self, name, args):
        """
        Those of a SoC's @args that are its own; and, where its Caliptra core
        is in another process, what finds that
        """
        return args, ''

    def make_vm(self, *args, firmware=None, fuses=None, options='',
                guest=None, flash=None, name='default'):
        """A machine that is ready for launch(); its log is that of @name"""
        more = ''
        if firmware or flash or 'caliptra-boot=' in options:
            args, more = self.make_core(name, args)
            options += more
        self.machine = 'ast2700fc' + options
        if firmware:
            self.machine += f',caliptra-firmware={firmware}'
        elif flash:
            self.machine += ',caliptra-boot=auto'
        if firmware or flash:
            self.machine += ',caliptra-log=caliptra'
        if fuses:
            self.machine += f',caliptra-fuses={fuses}'
        vm = self.get_vm(name=name)
        if firmware or flash:
            vm.add_args('-chardev',
                        f'file,id=caliptra,path={self.log_path(name)}' +
                        (',append=on' if more else ''))
        if flash:
            vm.add_args('-drive', f'file={flash},if=mtd,format=raw')
        if guest:
            vm.add_args('-device', f'loader,file={guest},addr={self.ENTRY:#x},'
                        'force-raw=on')
            for n in range(self.CA35_CORES):
                vm.add_args('-device', f'loader,addr={self.ENTRY:#x},'
                            f'cpu-num={n}')
        vm.add_args(*args)
        return vm

    def wait_until(self, condition, what):
        end = time.monotonic() + self.timeout
        while not condition():
            if time.monotonic() > end:
                self.fail(f'{what}: not within {self.timeout} s')
            time.sleep(0.01)

    def wait_for_log(self, text, name='default', count=1):
        self.wait_until(
            lambda: self.caliptra_log(name).count(text) >= count,
            f'"{text}" in the Caliptra log')

    def hmp(self, vm, command, cpu=0):
        return vm.cmd('human-monitor-command', command_line=command,
                      cpu_index=cpu)

    def read32(self, vm, addr):
        """Read a word of physical memory as the CA35 cores see it"""
        answer = self.hmp(vm, f'xp /1wx {addr:#x}')
        return int(answer.split(':')[1], 16)

    def pc(self, vm, cpu):
        registers = self.hmp(vm, 'info registers', cpu)
        return int(registers.split('PC=')[1].split()[0], 16)

    def held(self, vm):
        return vm.cmd('qom-get', path='/machine', property='ca35-held')

    def assert_held(self, vm):
        """The machine runs, but no CA35 core has executed anything"""
        self.assertTrue(self.held(vm))
        self.assertEqual(vm.cmd('query-status')['status'], 'running')
        for n in range(self.CA35_CORES):
            self.assertEqual(self.pc(vm, n), self.ENTRY, f'PC of core {n}')

    def assert_idle_runs(self, vm):
        """All CA35 cores are in the idle guest's loop"""
        self.assertFalse(self.held(vm))
        for n in range(self.CA35_CORES):
            self.wait_until(lambda cpu=n: self.pc(vm, cpu) == self.ENTRY + 8,
                            f'core {n} runs')

    def launch_with_qtest(self, vm, name='default'):
        """Launch @vm; returns the qtest protocol that drives it"""
        path = os.path.join(self.socket_dir().name, f'{name}.qtest')
        vm.add_args('-qtest', f'unix:{path},server=on,wait=off',
                    '-qtest-log', '/dev/null')
        vm.launch()
        protocol = QEMUQtestProtocol(path)
        protocol.connect()
        self.addCleanup(protocol.close)
        return protocol


class RemoteCore:
    """
    Mixed into a test: the Caliptra core is in a process of its own

    It writes to the same log.
    """

    # what that process is, and arguments of the SoC's that are the core's
    CORE = 'caliptra,uc=native'
    CORE_ARGS = ('caliptra-native-fw.', 'caliptra.')

    def setUp(self):
        super().setUp()
        self.core_bin = os.path.join(os.path.dirname(self.qemu_bin),
                                     'qemu-system-riscv32')
        if not os.path.exists(self.core_bin):
            self.skipTest(f'there is no {self.core_bin}')

    def make_core(self, name, args):
        """Launch the core; see CaliptraTest.make_core()"""
        path = os.path.join(self.socket_dir().name, f'{name}.link')
        # both processes append to it
        Path(self.log_path(name)).unlink(missing_ok=True)
        mine = [i for i in range(1, len(args)) if args[i - 1] == '-global' and
                args[i].startswith(self.CORE_ARGS)]
        soc_bin, self.qemu_bin = self.qemu_bin, self.core_bin
        self.machine = self.CORE + ',link=link,log=caliptra'
        core = self.get_vm(name=f'{name}-core')
        self.qemu_bin = soc_bin
        core.add_args('-chardev',
                      f'socket,id=link,server=on,wait=off,path={path}',
                      '-chardev', 'file,id=caliptra,append=on,path=' +
                      self.log_path(name), '-display', 'none',
                      *[word for i in mine for word in args[i - 1:i + 1]])
        if '-seed' in args:
            core.add_args('-seed', args[args.index('-seed') + 1])
        core.add_args(*self.core_args(name))
        core.launch()
        soc = [arg for i, arg in enumerate(args)
               if i not in mine and i + 1 not in mine]
        return ['-chardev', f'socket,id=core,path={path}', *soc], \
            ',caliptra-core=core'

    def core_args(self, name):
        """More arguments of the core's process"""
        return []

    def assert_same_log(self, first, second):
        """Lines of two processes may come in another order"""
        lines = [sorted(line for line in log.splitlines()
                        if 'waiting for' not in line and
                        'is there' not in line)
                 for log in (first, second)]
        super().assert_same_log(*lines)
