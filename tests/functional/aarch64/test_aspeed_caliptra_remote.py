#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The ast2700fc machine with its Caliptra core in another process

import os
from pathlib import Path
import sys

import test_aspeed_caliptra
import test_aspeed_caliptra_gdb
import test_aspeed_caliptra_stall

from caliptra import CaliptraTest, RemoteCore

# a folder with genuine images, rom.bin and fw.bin; see README.md
GENUINE = os.environ.get('CALIPTRA_GENUINE_DIR')


class RemoteBoot(RemoteCore, test_aspeed_caliptra.AspeedCaliptra):
    """The same, whatever it is"""

    # there is no core
    test_boot_off = None

    def test_system_reset_of_core(self):
        """The core's machine is reset: the cores are held, it boots again"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm(firmware=firmware, fuses=fuses,
                          guest=self.make_idle_guest())
        vm.launch()
        self.wait_for_log(self.RELEASED)
        self.get_vm(name='default-core').cmd('system_reset')
        self.wait_for_log(self.RELEASED, count=2)
        self.assert_idle_runs(vm)


class RemoteGdb(RemoteCore, test_aspeed_caliptra_gdb.AspeedCaliptraGdb):
    """A gdb on the SoC, and one on the core"""

    def core_args(self, name):
        self.core_socket = os.path.join(self.socket_dir().name,
                                        f'{name}-core.gdb')
        return ['-gdb', f'unix:{self.core_socket},server=on,wait=off']

    def test_core(self):
        """Its side of the registers, with the SoC's cores held"""
        vm, _ = self.debugged_vm()
        vm.cmd('cont')
        self.wait_for_log(self.RELEASED)
        # stops the core's process for a while, which answers nevertheless
        out = self.gdb(self.core_socket, 'p/x $pc',
                       architecture='riscv:rv32')
        self.assertIn('$1 = 0x', out)
        core = self.get_vm(name='default-core')
        flow_status = self.hmp(core, 'xp /1wx 0x20003003c')
        self.assertEqual(int(flow_status.split(':')[1], 16),
                         self.read32(vm, self.FLOW_STATUS))
        self.wait_until(lambda: vm.cmd('query-status')['status'] == 'running',
                        'the SoC goes on')


class RemoteStall(RemoteCore, test_aspeed_caliptra_stall.AspeedCaliptraStall):
    """One of the processes has to wait for the host, or both have"""

    def stalled(self, name, rng):
        vms = [self.get_vm(name=name), self.get_vm(name=f'{name}-core')]
        return rng.choice((vms, vms[:1], vms[1:]))


if GENUINE:
    class Genuine:
        """Mixed into a test: the core executes genuine images"""

        timeout = 300
        CORE = 'caliptra'

        def core_args(self, name):
            # a watchdog is no measure of the host's speed
            return [*super().core_args(name),
                    '-bios', os.path.join(GENUINE, 'rom.bin'),
                    '-icount', 'shift=3']

        def make_bundle(self, *args):
            bundle = self.scratch_file('caliptra-fw.bin')
            fuses = self.scratch_file('fuses.json')
            Path(bundle).write_bytes(Path(GENUINE, 'fw.bin').read_bytes())
            self.run_tool(sys.executable,
                          self.source_file('scripts', 'caliptra',
                                           'bundle.py'),
                          'show', bundle, '--fuses', fuses)
            return bundle, fuses

    class GenuineBoot(Genuine, RemoteBoot):
        """The same, with what is genuine"""

        # of the model; and the keys of a bundle may be somebody else's
        test_held_then_released = None
        test_flash = None

    class GenuineGdb(Genuine, RemoteGdb):
        """A gdb on the SoC, and one on genuine code"""

    class GenuineStall(Genuine, RemoteStall):
        """Stalls, too"""


if __name__ == '__main__':
    CaliptraTest.main()
