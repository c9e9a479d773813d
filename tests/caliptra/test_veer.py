#!/usr/bin/env python3
#
# The VeeR EL2 core of the caliptra machine against recordings from RTL
#
# The programs in veer/rtl run as Caliptra's ROM and leave a table of results
# in the DCCM.  Beside each lies the table that caliptra-rtl v1.1 produced in
# simulation; the model has to give each word of it, except for those that
# depend on how many clocks instructions take (label with "~").
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The microcontroller's programs that RTL has run."""

import hashlib
import os
from pathlib import Path
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from qtestlib import QTest, default_binary  # noqa: E402

HERE = Path(__file__).resolve().parent
RTL = HERE / 'veer/rtl'

# where the machine has the SoC's side
WINDOW = 0x200000000
SOC_IFC = WINDOW + 0x30000
FLOW_STATUS = SOC_IFC + 0x3c
READY_FOR_FUSES = 1 << 30
MBOX_VALID_PAUSER = SOC_IFC + 0x48
MBOX_PAUSER_LOCK = SOC_IFC + 0x5c
FUSE_WR_DONE = SOC_IFC + 0xb0
GENERIC_OUTPUT_WIRES = SOC_IFC + 0xcc
RESULTS = 0x50010000

PASSED = 0xff
WANTS_WARM_RESET = 0xa5

# one clock an instruction: 8 ns
CLOCK = 125000000
ICOUNT = ['-icount', 'shift=3']

# Words that tell of the RTL's pipeline although their labels do not say so
PIPELINE = {
    # a store has left the core but has not reached the SoC interface: its
    # interrupt is not there yet when mip is read, or when the gateway of the
    # interrupt controller, which is in the core, is cleared
    'not.low.inverted.mip.meip',
    'edge.high.mip.meip',
    'falling.high.cleared.mip.meip',
    'falling.high.cleared.meip',
    # two CSRs read one after the other, twice: the fetch between them takes
    # its time once
    'hpm.event1.minus_mcycle',
}

MARCH = 'rv32imc_zicsr_zifencei_zba_zbb_zbc_zbs'
TOOLS = 'riscv64-unknown-elf-'


def riscv_binary():
    """The QEMU that has the machine, beside the other one."""
    return os.path.join(os.path.dirname(default_binary()),
                        'qemu-system-riscv32')


def build(source, ldscript, folder, sections, *args):
    """Assemble or compile a program; its image."""
    elf = Path(folder) / (Path(source).stem + '.elf')
    image = elf.with_suffix('.bin')
    subprocess.run([TOOLS + 'gcc', '-march=' + MARCH, '-mabi=ilp32',
                    '-nostdlib', '-T', str(ldscript), '-Wl,--no-relax', *args,
                    '-o', str(elf), str(source)], check=True)
    subprocess.run([TOOLS + 'objcopy', '-O', 'binary',
                    *[word for name in sections for word in ('-j', name)],
                    str(elf), str(image)], check=True)
    return image.read_bytes()


def recorded(name):
    """(label, value) of each word, in memory order."""
    rows = []
    for line in (RTL / (name + '.txt')).read_text().splitlines():
        label, _, value = line.rpartition(' = ')
        rows.append((label, int(value, 16)))
    return rows


class VeerMachine:
    """A machine with a program as its ROM, and the SoC's side of it."""

    def __init__(self, image, machine='', args=(), icount=ICOUNT, **kwargs):
        with tempfile.NamedTemporaryFile(suffix='.bin') as rom:
            rom.write(image)
            rom.flush()
            self.q = QTest(riscv_binary(),
                           'caliptra,clock-frequency=%d%s' % (CLOCK, machine),
                           [*icount, *args], qmp=True, bios=rom.name,
                           accel='tcg', **kwargs)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.q.close()

    def wait(self, addr, mask, values, seconds=60):
        """Until (word & mask) is among the values; it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            word = self.q.read32(addr) & mask
            if word in values:
                return word
            time.sleep(0.01)
        raise AssertionError('0x%x is 0x%x after %d s' %
                             (addr, word, seconds))

    def start(self):
        """What the SoC does before the core may run."""
        self.wait(FLOW_STATUS, READY_FOR_FUSES, [READY_FOR_FUSES])
        self.q.write32(FUSE_WR_DONE, 1)

    def warm_reset(self):
        for level in 0, 1:
            self.q.cmd('set_irq_in /machine/core cptra-rst-b 0 %d' % level)

    def snapshot(self, path):
        """All of its state into a file; the machine stays where it is."""
        self.q.qmp('stop')
        self.q.qmp('migrate', uri='file:' + path)
        self.q.wait_migrated()

    def wait_incoming(self):
        """Until the state that -incoming names is there."""
        while self.q.qmp('query-status')['status'] == 'inmigrate':
            time.sleep(0.01)

    def memory(self, addr, words):
        """Words as the core sees them."""
        data = self.q.memread(addr, 4 * words)
        return [int.from_bytes(data[i:i + 4], 'little')
                for i in range(0, len(data), 4)]


class RtlPrograms(unittest.TestCase):
    """Each program, word by word."""

    @classmethod
    def setUpClass(cls):
        cls.digests = {}
        for line in (RTL / 'SHA256SUMS').read_text().splitlines():
            digest, name = line.split()
            cls.digests[Path(name).stem] = digest

    def image(self, name):
        """The program, assembled."""
        with tempfile.TemporaryDirectory() as folder:
            image = build(RTL / (name + '.S'), RTL / 'link.ld', folder,
                          ['.text', '.iccm'])
        self.assertEqual(hashlib.sha256(image).hexdigest(),
                         self.digests[name],
                         'the image is not the one that RTL has run')
        return image

    def compare(self, name):
        """Run it, compare what it leaves."""
        with VeerMachine(self.image(name)) as machine:
            machine.start()
            self.finish(machine, name)

    def finish(self, machine, name):
        """To the program's end; compare what it leaves."""
        rows = recorded(name)
        done = machine.wait(GENERIC_OUTPUT_WIRES, 0xff,
                            [PASSED, WANTS_WARM_RESET])
        if done == WANTS_WARM_RESET:
            machine.warm_reset()
            machine.start()
            machine.wait(GENERIC_OUTPUT_WIRES, 0xff, [PASSED])
        words = machine.memory(RESULTS, len(rows))
        for (label, value), word in zip(rows, words):
            if not label.endswith('~') and label not in PIPELINE:
                with self.subTest(label):
                    self.assertEqual('%08x' % word, '%08x' % value)

    def travel(self, name, hops=4):
        """The same, with the run carried on in another QEMU now and then."""
        image = self.image(name)
        machine = VeerMachine(image, args=['-S'])
        try:
            machine.start()
            for _ in range(hops):
                # for as long as QEMU takes to be told
                machine.q.qmp('cont')
                machine.q.qmp('stop')
                with tempfile.NamedTemporaryFile() as state:
                    machine.snapshot(state.name)
                    machine.q.close()
                    machine = VeerMachine(
                        image, args=['-S', '-incoming',
                                     'file:' + state.name])
                    machine.wait_incoming()
            machine.q.qmp('cont')
            self.finish(machine, name)
        finally:
            machine.q.close()

    def test_snapshots(self):
        """Snapshots wherever the program is."""
        for name in 'exc', 'pic', 'timers', 'nmi':
            with self.subTest(name):
                self.travel(name)

    def test_csr(self):
        """Reset values, write masks, the numbers that exist."""
        self.compare('csr')

    def test_exceptions(self):
        """Illegal encodings, misaligned and refused accesses, wild jumps."""
        self.compare('exc')

    def test_bus_errors(self):
        """NMIs of loads and stores, the lock of mdseac, the ICCM's lock."""
        self.compare('bus')

    def test_subword(self):
        """Bytes and halves at blocks that know words only."""
        self.compare('subword')

    def test_bit_manipulation(self):
        """M, Zba, Zbb, Zbc, Zbs."""
        self.compare('zb')

    def test_pic(self):
        """Interrupt controller and fast interrupts."""
        self.compare('pic')

    def test_sleep(self):
        """mpmc, what wakes and what does not, WFI."""
        self.compare('sleep')

    def test_timers(self):
        """Internal timers and counters."""
        self.compare('timers')

    def test_nmi(self):
        """The watchdog's NMI, nested ones, the vector."""
        self.compare('nmi')

    def test_reset(self):
        """What the resets clear and what they keep."""
        self.compare('reset')


MINI = HERE / 'veer'
MBOX = WINDOW + 0x20000
READY_FOR_FW = 1 << 28
READY_FOR_RUNTIME = 1 << 29
LOAD, HASH, COUNT, UPDATE = 0x46574c44, 0x48415348, 0x434f554e, 0x55504454
DATA_READY, COMPLETE, FAILURE = 1, 2, 3


def build_mini():
    """The test ROM and its firmware, by "rom" and "fw"."""
    images = {}
    for name, base in ('rom', 0), ('fw', 0x40000000):
        with tempfile.TemporaryDirectory() as folder:
            images[name] = build(
                MINI / ('mini_%s.c' % name), MINI / 'mini.ld', folder,
                ['.text'], '-Wl,--defsym=BASE=0x%x' % base,
                '-ffreestanding', '-Os', '-mcmodel=medany', '-Wall',
                '-Werror', '-fno-tree-loop-distribute-patterns',
                str(MINI / 'mini_start.S'))
    return images


class MiniCase(unittest.TestCase):
    """With a ROM that loads a firmware, which sleeps and answers commands."""

    @classmethod
    def setUpClass(cls):
        cls.images = build_mini()

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.console = os.path.join(self.folder.name, 'console')

    def machine(self, args=()):
        machine = VeerMachine(self.images['rom'], args=args,
                              serial='file:' + self.console)
        self.addCleanup(machine.q.close)
        return machine

    def command(self, machine, cmd, data=b''):
        """(status, reply) of one mailbox command."""
        q = machine.q
        self.assertEqual(q.read32(MBOX), 0, 'somebody has the lock')
        q.writes32([(MBOX + 8, cmd), (MBOX + 12, len(data))])
        q.writes32([(MBOX + 16, int.from_bytes(data[i:i + 4], 'little'))
                    for i in range(0, len(data), 4)])
        q.write32(MBOX + 24, 1)
        status = machine.wait(MBOX + 28, 0xf,
                              [DATA_READY, COMPLETE, FAILURE])
        reply = b''
        if status == DATA_READY:
            n = q.read32(MBOX + 12)
            reply = b''.join(q.read32(MBOX + 20).to_bytes(4, 'little')
                             for _ in range((n + 3) // 4))[:n]
        q.write32(MBOX + 24, 0)
        return status, reply

    def load(self, machine):
        self.assertEqual(self.command(machine, LOAD, self.images['fw'])[0],
                         COMPLETE)
        machine.wait(FLOW_STATUS, READY_FOR_RUNTIME, [READY_FOR_RUNTIME])

    def boot(self):
        machine = self.machine()
        machine.q.writes32([(MBOX_VALID_PAUSER, 1), (MBOX_PAUSER_LOCK, 1)])
        machine.start()
        machine.wait(FLOW_STATUS, READY_FOR_FW, [READY_FOR_FW])
        self.load(machine)
        return machine

    def check_hash(self, machine, data):
        status, reply = self.command(machine, HASH, data)
        self.assertEqual(status, DATA_READY)
        self.assertEqual(reply, hashlib.sha256(data).digest())


class MiniFirmware(MiniCase):
    """Boots, commands, resets."""

    def woken(self, machine):
        """How often it was: by the mailbox, by the engine."""
        reply = self.command(machine, COUNT)[1]
        return [int.from_bytes(reply[i:i + 4], 'little') for i in (0, 4)]

    def test_commands(self):
        """Through the mailbox, an engine, sleep and the fast interrupt."""
        machine = self.boot()
        for n in 0, 1, 5, 55:
            self.check_hash(machine, bytes(range(n)))
        self.assertEqual(self.command(machine, HASH, bytes(56))[0], FAILURE)
        self.assertEqual(self.command(machine, 1)[0], FAILURE)
        # the command that brought the firmware had left its bit
        self.assertEqual(self.woken(machine), [1 + 7, 4])
        text = Path(self.console).read_text(encoding='ascii')
        self.assertEqual(text, 'rom: cold\nfw: ready\n')

    def test_update_reset(self):
        """The store that resets the core is the last of its run."""
        machine = self.boot()
        self.command(machine, UPDATE)
        self.load(machine)
        self.check_hash(machine, b'again')
        self.assertEqual(Path(self.console).read_text(encoding='ascii'),
                         'rom: cold\nfw: ready\nrom: again\nfw: ready\n')

    def test_system_reset(self):
        """QEMU's reset takes the power away."""
        machine = self.boot()
        machine.q.qmp('system_reset')
        machine.wait(FLOW_STATUS, READY_FOR_FUSES, [READY_FOR_FUSES])
        machine.q.writes32([(MBOX_VALID_PAUSER, 1), (MBOX_PAUSER_LOCK, 1)])
        machine.start()
        machine.wait(FLOW_STATUS, READY_FOR_FW, [READY_FOR_FW])
        self.assertEqual(machine.memory(0x40000000, 64), 64 * [0])
        self.load(machine)
        self.check_hash(machine, b'reset')

    def test_snapshot_asleep(self):
        """The core sleeps on in another QEMU, and is woken there."""
        machine = self.boot()
        self.check_hash(machine, b'before')
        woken = self.woken(machine)
        path = os.path.join(self.folder.name, 'state')
        machine.snapshot(path)
        other = self.machine(['-incoming', 'file:' + path])
        other.wait_incoming()
        other.q.qmp('cont')
        self.check_hash(other, b'after')
        self.assertEqual(self.woken(other), [woken[0] + 2, woken[1] + 1])


class Gdb(MiniCase):
    """A debugger on the core."""

    def gdb(self, socket, *commands):
        run = subprocess.run(
            ['gdb-multiarch', '-batch', '-nx', '-ex',
             'set architecture riscv:rv32', '-ex', 'target remote ' + socket,
             *[word for command in commands for word in ('-ex', command)]],
            check=True, timeout=60, capture_output=True, encoding='utf-8')
        return run.stdout

    def test_registers(self):
        """CSRs that are this core's own, a breakpoint, a step."""
        socket = os.path.join(self.folder.name, 'gdb')
        machine = self.machine(['-S', '-gdb',
                                'unix:%s,server=on,wait=off' % socket])
        machine.start()
        text = self.gdb(socket, 'p/x $mrac', 'p/x $mpmc', 'hbreak *0x8',
                        'continue', 'stepi', 'p/x $pc', 'p/x $mrac',
                        'set $meivt=0x50001fff', 'p/x $meivt',
                        'info registers mhartid mdseac')
        for line in ('$1 = 0x0', '$2 = 0x2', '$3 = 0xc', '$4 = 0xaaaaa0a9',
                     '$5 = 0x50001c00', 'mdseac         0x0'):
            self.assertIn(line, text)


class Rom(unittest.TestCase):
    """What is given as ROM."""

    def refused(self, args, text):
        run = subprocess.run([riscv_binary(), '-M', 'caliptra', '-display',
                              'none', *args], check=False, timeout=60,
                             capture_output=True, encoding='utf-8')
        self.assertEqual(run.returncode, 1)
        self.assertEqual(len(run.stderr.splitlines()), 1, run.stderr)
        self.assertIn(text, run.stderr)

    def test_none(self):
        self.refused([], '-bios')

    def test_missing(self):
        self.refused(['-bios', '/nonexistent/rom'], '/nonexistent/rom')

    def test_too_large(self):
        with tempfile.NamedTemporaryFile() as rom:
            rom.write(bytes(48 * 1024 + 1))
            rom.flush()
            self.refused(['-bios', rom.name], rom.name)


if __name__ == '__main__':
    unittest.main(verbosity=2)
