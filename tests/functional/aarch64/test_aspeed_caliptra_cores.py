#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How the cores of the ast2700fc machine are held in reset and started

from pathlib import Path

from qemu_test import skipIfMissingCommands, skipIfMissingImports

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
@skipIfMissingCommands('aarch64-linux-gnu-gcc', 'aarch64-linux-gnu-objcopy')
class AspeedCaliptraCores(CaliptraTest):

    SCU = 0x12c02000
    CA35_REL = SCU + 0x10c
    RVBAR = SCU + 0x110
    SMP_EP = SCU + 0x780
    SCUIO_RSTCTL2 = 0x14c02220
    SCUIO_RSTCTL2_CLR = 0x14c02224
    RSTCTL2_CPTRA = 1 << 9

    # where each core leaves what it found: 16 bytes each
    FOUND = 0x431000000
    DIRTY = 0x5a5a
    # a second program
    BL31 = CaliptraTest.ENTRY + 0x10000

    # counts its starts, shows what x20 was, and spoils x20
    COUNT = f'''
        mrs     x1, mpidr_el1
        and     x1, x1, #3
        ldr     x0, =FOUND
        add     x0, x0, x1, lsl #4
        str     x20, [x0, #8]
        ldr     x2, [x0]
        add     x2, x2, #1
        str     x2, [x0]
        mov     x20, #{DIRTY}
    '''

    IDLE = COUNT + '''
    1:  wfi
        b       1b
    '''

    # what a boot ROM does that starts BL31 by the SCU (vbootrom): vectors,
    # entry points, release, and a look at the release; the others wait
    BOOT_ROM = COUNT + '''
        ldr     x4, =SCU
        ldr     x5, =BL31
        cbnz    x1, 2f
        lsr     x6, x5, #4
        str     w6, [x4, #0x110]
        str     w6, [x4, #0x114]
        str     w6, [x4, #0x118]
        str     w6, [x4, #0x11c]
        str     wzr, [x4, #0x788]
        str     wzr, [x4, #0x78c]
        mov     w7, #1
        str     w7, [x4, #0x10c]
    1:  ldr     w7, [x4, #0x10c]
        tbz     w7, #0, 1b
        br      x5
    2:  ldr     w7, [x4, #0x10c]
        tbz     w7, #0, 2b
        br      x5
    '''

    def assemble(self, name, text):
        """A raw image of some assembly that has its constants in a pool"""
        source, elf, image = (self.scratch_file(f'{name}.{suffix}')
                              for suffix in ('S', 'elf', 'bin'))
        constants = ''.join(f'.equ {k}, {v:#x}\n' for k, v in (
            ('FOUND', self.FOUND), ('SCU', self.SCU), ('BL31', self.BL31)))
        Path(source).write_text(f'{constants}.globl _start\n_start:\n{text}\n')
        self.run_tool('aarch64-linux-gnu-gcc', '-nostdlib', '-static',
                      '-Wl,--build-id=none', '-Wl,-Ttext=0', '-o', elf, source)
        self.run_tool('aarch64-linux-gnu-objcopy', '-O', 'binary', elf, image)
        return image

    def loader(self, image, addr):
        return ('-device', f'loader,file={image},addr={addr:#x},force-raw=on')

    def found(self, vm, core):
        """How often a core has started, and its x20 at the last start"""
        return (self.read32(vm, self.FOUND + 16 * core),
                self.read32(vm, self.FOUND + 16 * core + 8))

    def wait_started(self, vm, times, name):
        for n in range(self.CA35_CORES):
            self.wait_until(lambda n=n: self.found(vm, n)[0] >= times,
                            f'start {times} of core {n}, {name}')
            self.assertEqual(self.found(vm, n), (times, 0), f'core {n}')

    def write32(self, qtest, addr, value):
        self.assertEqual(qtest.cmd(f'writel {addr:#x} {value:#x}\n').strip(),
                         'OK')

    def reset_caliptra(self, vm, qtest):
        """Put Caliptra into reset; returns when the cores are held"""
        self.write32(qtest, self.SCUIO_RSTCTL2, self.RSTCTL2_CPTRA)
        self.wait_until(lambda: self.held(vm), 'cores held')
        self.assertEqual(self.read32(vm, self.CA35_REL), 0)

    def test_hold_is_reset(self):
        """Caliptra's reset puts the cores into reset, and they start anew"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm(firmware=firmware, fuses=fuses,
                          guest=self.assemble('count', self.IDLE))
        qtest = self.launch_with_qtest(vm)
        self.wait_for_log(self.RELEASED)
        self.assertEqual(self.read32(vm, self.CA35_REL), 1)
        self.wait_started(vm, 1, 'first boot')

        for boot in (2, 3):
            self.reset_caliptra(vm, qtest)
            self.write32(qtest, self.SCUIO_RSTCTL2_CLR, self.RSTCTL2_CPTRA)
            self.wait_for_log(self.RELEASED, count=boot)
            self.wait_started(vm, boot, f'boot {boot}')

    def test_rvbar(self):
        """Vectors in the SCU count from the next start to a machine reset"""
        firmware, fuses = self.make_bundle()
        vm = self.make_vm(*self.loader(self.make_idle_guest(), self.BL31),
                          firmware=firmware, fuses=fuses,
                          guest=self.assemble('count', self.IDLE))
        qtest = self.launch_with_qtest(vm)
        self.wait_for_log(self.RELEASED)
        self.wait_started(vm, 1, 'first boot')
        # that of core 3 is not written
        for n in range(3):
            self.write32(qtest, self.RVBAR + 4 * n, self.BL31 >> 4)
        self.reset_caliptra(vm, qtest)
        self.write32(qtest, self.SCUIO_RSTCTL2_CLR, self.RSTCTL2_CPTRA)
        for n in range(3):
            self.wait_until(lambda n=n: self.pc(vm, n) == self.BL31 + 8,
                            f'core {n} starts at its vector')
            self.assertEqual(self.found(vm, n), (1, 0))
        self.wait_until(lambda: self.found(vm, 3) == (2, 0), 'core 3')

        vm.cmd('system_reset')
        self.wait_for_log(self.RELEASED, count=3)
        for n, starts in enumerate((2, 2, 2, 3)):
            self.wait_until(lambda n=n, s=starts: self.found(vm, n) == (s, 0),
                            f'core {n} after the reset')
        self.assertEqual(self.read32(vm, self.RVBAR), 0)

    def test_release_by_guest(self):
        """Whoever writes CA35_REL starts cores that are off"""
        vm = self.make_vm('-global', 'cortex-a35-arm-cpu.start-powered-off=on',
                          *self.loader(self.assemble('bl31', self.IDLE),
                                       self.BL31),
                          options=',caliptra-boot=guest')
        qtest = self.launch_with_qtest(vm)
        for n in range(self.CA35_CORES):
            self.write32(qtest, self.RVBAR + 4 * n, self.BL31 >> 4)
        self.assertEqual([self.found(vm, n) for n in range(4)], [(0, 0)] * 4)
        self.write32(qtest, self.CA35_REL, 1)
        self.wait_started(vm, 1, 'CA35_REL')
        self.assertEqual(self.read32(vm, self.RVBAR), self.BL31 >> 4)

    def boot_rom(self, **kwargs):
        vm = self.make_vm(*self.loader(self.assemble('bl31', self.IDLE),
                                       self.BL31),
                          guest=self.assemble('rom', self.BOOT_ROM), **kwargs)
        vm.launch()
        # once in the ROM, once in BL31, which finds x20 as the ROM left it
        for n in range(self.CA35_CORES):
            self.wait_until(lambda n=n: self.found(vm, n)[0] >= 2,
                            f'core {n} in BL31')
            self.assertEqual(self.found(vm, n), (2, self.DIRTY), f'core {n}')
        self.assertEqual(self.read32(vm, self.CA35_REL), 1)

    def test_boot_rom(self):
        """A boot ROM that writes CA35_REL goes on where it was"""
        self.boot_rom()

    def test_boot_rom_released(self):
        """So does one that the BootMCU has released"""
        firmware, fuses = self.make_bundle()
        self.boot_rom(firmware=firmware, fuses=fuses)


if __name__ == '__main__':
    CaliptraTest.main()
