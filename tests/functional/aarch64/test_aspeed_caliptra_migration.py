#!/usr/bin/env python3
#
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Snapshots of the ast2700fc machine while Caliptra is at work
#
# Most machines here run under the qtest accelerator, whose virtual time moves
# only when told, so that each snapshot is taken at a chosen step.

from pathlib import Path

from qemu_test import skipIfMissingImports

from caliptra import CaliptraTest


@skipIfMissingImports('cryptography')
class AspeedCaliptraMigration(CaliptraTest):

    # how many points of a boot are tried, beside those that are chosen
    SNAPSHOTS = 4
    # more virtual time than any boot takes, in nanoseconds
    BOOT_NS = 60 * 10 ** 9

    MBOX_LOCK = CaliptraTest.MBOX
    MBOX_CMD = CaliptraTest.MBOX + 0x08
    MBOX_DLEN = CaliptraTest.MBOX + 0x0c
    MBOX_DATAIN = CaliptraTest.MBOX + 0x10
    MBOX_DATAOUT = CaliptraTest.MBOX + 0x14
    MBOX_EXECUTE = CaliptraTest.MBOX + 0x18
    MBOX_STATUS = CaliptraTest.MBOX + 0x1c
    CMD_BUSY = 0
    DATA_READY = 1

    # GET_RT_ALIAS_CERT: an answer of some hundred words
    COMMAND = 0x43455252
    REQUEST = [-sum(COMMAND.to_bytes(4, 'little')) & 0xffffffff]

    IDENTITY = ('idevid-csr', 'ldevid-cert', 'fmc-alias-cert',
                'rt-alias-cert')

    def new_vm(self, *args, name):
        return self.make_vm('-seed', '1', *args, firmware=self.firmware,
                            fuses=self.fuses, guest=self.guest, name=name)

    def make_files(self):
        # an image that takes several steps to upload
        runtime = self.scratch_file('rt.bin')
        Path(runtime).write_bytes(bytes(i % 251 for i in range(0xc000)))
        self.firmware, self.fuses = self.make_bundle('--rt', runtime)
        self.guest = self.make_idle_guest()

    def stepped_vm(self, *args, name):
        """A machine whose clock stands still, and the qtest to move it"""
        vm = self.new_vm('-accel', 'qtest', *args, name=name)
        return vm, self.launch_with_qtest(vm, name)

    def step(self, qtest):
        """On to the next timer; returns the time in ns"""
        return int(qtest.cmd('clock_step').split()[1])

    def save(self, vm, name):
        path = self.scratch_file(f'{name}.state')
        vm.cmd('migrate', uri=f'file:{path}')
        self.wait_until(lambda: vm.cmd('query-migrate')['status'] in
                        ('completed', 'failed'), 'the snapshot is written')
        self.assertEqual(vm.cmd('query-migrate')['status'], 'completed')
        return path

    def load(self, vm, path):
        vm.cmd('migrate-incoming', uri=f'file:{path}')
        self.wait_until(lambda: vm.cmd('query-migrate')['status'] ==
                        'completed', 'the snapshot is loaded')
        # it comes up as it was saved, running or not
        vm.cmd('cont')

    def identity(self, vm):
        """What Caliptra has derived from its secrets and the firmware"""
        firmware = '/machine/caliptra/core/uc'
        return [vm.cmd('qom-get', path=firmware, property=prop)
                for prop in self.IDENTITY]

    def test_boot(self):
        """Saved at any step of the boot, it comes to the same end"""
        self.make_files()

        # which steps a boot has, and what it leaves
        vm, qtest = self.stepped_vm(name='reference')
        stages = []
        while self.held(vm):
            stages.append(vm.cmd('qom-get', path='/machine/bootmcu',
                                 property='stage'))
            self.assertLess(self.step(qtest), self.BOOT_NS)
        steps = len(stages)
        log = self.caliptra_log('reference').splitlines()
        identity = self.identity(vm)
        vm.shutdown()

        source, qtest = self.stepped_vm(name='source')
        points = {steps * i // self.SNAPSHOTS for i in range(self.SNAPSHOTS)}
        # and the last step of each stage
        points |= {n for n in range(steps - 1) if stages[n] != stages[n + 1]}
        snapshots = []
        for n in range(steps):
            if n in points:
                snapshots.append((n, self.save(source, n)))
                source.cmd('cont')
            self.step(qtest)
        self.assertFalse(self.held(source))
        source.shutdown()

        for n, path in snapshots:
            vm, qtest = self.stepped_vm('-incoming', 'defer', name=f'at{n}')
            self.load(vm, path)
            while self.held(vm):
                self.assertLess(self.step(qtest), self.BOOT_NS)
            self.assert_same_end(vm, f'at{n}', identity, log)
            vm.shutdown()

    def assert_same_end(self, vm, name, identity, log):
        self.assertEqual(self.identity(vm), identity, f'saved {name}')
        rest = self.caliptra_log(name).splitlines()
        self.assertIn(self.RELEASED, rest[-1])
        self.assertEqual(rest, log[-len(rest):], f'saved {name}')

    def test_boot_running(self):
        """The same with CPUs that execute, saved wherever the boot is"""
        self.make_files()
        vm = self.new_vm('-S', name='source')
        vm.launch()
        snapshots = []
        while self.held(vm) and len(snapshots) < self.SNAPSHOTS:
            snapshots.append(self.save(vm, f'pause{len(snapshots)}'))
            vm.cmd('cont')
            vm.cmd('stop')
        vm.cmd('cont')
        self.wait_for_log(self.RELEASED, 'source')
        self.assert_idle_runs(vm)
        log = self.caliptra_log('source').splitlines()
        identity = self.identity(vm)
        vm.shutdown()

        self.assertGreater(len(snapshots), 1)
        for n, path in enumerate(snapshots):
            vm = self.new_vm('-incoming', 'defer', name=f'pause{n}')
            vm.launch()
            self.load(vm, path)
            self.wait_for_log(self.RELEASED, f'pause{n}')
            self.assert_idle_runs(vm)
            self.assert_same_end(vm, f'pause{n}', identity, log)
            vm.shutdown()

    def read(self, qtest, addr):
        return int(qtest.cmd(f'readl {addr:#x}').split()[1], 16)

    def write(self, qtest, addr, value):
        self.assertTrue(qtest.cmd(f'writel {addr:#x} {value:#x}')
                        .startswith('OK'))

    def command_stages(self, qtest):
        """A mailbox command, which stops here and there; ends as a list"""
        if self.read(qtest, self.MBOX_LOCK) & 1:
            self.fail('somebody has the mailbox')
        self.write(qtest, self.MBOX_CMD, self.COMMAND)
        self.write(qtest, self.MBOX_DLEN, 4 * len(self.REQUEST))
        qtest = yield None
        for word in self.REQUEST:
            self.write(qtest, self.MBOX_DATAIN, word)
        qtest = yield None
        self.write(qtest, self.MBOX_EXECUTE, 1)
        self.assertEqual(self.read(qtest, self.MBOX_STATUS) & 0xf,
                         self.CMD_BUSY)
        qtest = yield None
        while self.read(qtest, self.MBOX_STATUS) & 0xf == self.CMD_BUSY:
            self.assertLess(self.step(qtest), self.BOOT_NS)
        self.assertEqual(self.read(qtest, self.MBOX_STATUS) & 0xf,
                         self.DATA_READY)
        qtest = yield None
        count = (self.read(qtest, self.MBOX_DLEN) + 3) // 4
        answer = [self.read(qtest, self.MBOX_DATAOUT)
                  for _ in range(count // 2)]
        qtest = yield None
        answer += [self.read(qtest, self.MBOX_DATAOUT)
                   for _ in range(count - count // 2)]
        self.write(qtest, self.MBOX_EXECUTE, 0)
        yield answer

    def test_command(self):
        """Saved at any point of a mailbox command, the answer is the same"""
        self.make_files()
        vm, qtest = self.stepped_vm(name='reference')
        while self.held(vm):
            self.assertLess(self.step(qtest), self.BOOT_NS)
        booted = self.save(vm, 'booted')
        vm.cmd('cont')
        *pauses, expected = self.run_stages(lambda _: qtest)
        self.assertGreater(len(expected), 100)
        vm.shutdown()

        def next_machine(n):
            path = booted
            if n:
                path = self.save(machines[-1], f'stage{n}')
                machines[-1].shutdown()
            vm, qtest = self.stepped_vm('-incoming', 'defer',
                                        name=f'stage{n}')
            self.load(vm, path)
            machines.append(vm)
            return qtest

        machines = []
        *_, answer = self.run_stages(next_machine)
        self.assertEqual(len(machines), len(pauses) + 1)
        self.assertEqual(answer, expected)

    def run_stages(self, next_qtest):
        """The command, each stage on the machine that @next_qtest gives"""
        stages = self.command_stages(next_qtest(0))
        results = [next(stages)]
        while results[-1] is None:
            results.append(stages.send(next_qtest(len(results))))
        return results


if __name__ == '__main__':
    CaliptraTest.main()
