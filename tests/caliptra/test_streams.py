#!/usr/bin/env python3
#
# Damaged and hostile migration streams
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Each field of each device of the model, changed in a stream.

States are taken while something goes on: in the middle of a boot, a command,
an engine's work, a boot from flash, a request over IPC.  A machine loads each
with one field changed.  It has to refuse it in one line, or to run on.

CALIPTRA_STREAMS says how many changes each test makes (default: a few),
CALIPTRA_STREAMS_SEED which ones.
"""

import functools
import os
import random
import re
import struct
import subprocess
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import caliptra_soc as regs         # noqa: E402
import command_env as env           # noqa: E402
import ipc_client                   # noqa: E402
import replay                       # noqa: E402
import stream                       # noqa: E402
import test_engines as engines      # noqa: E402
from caliptra_soc import CaliptraSoc            # noqa: E402
from ipc_client import BootedSoc    # noqa: E402
from qtestlib import QTest, QTestError, default_binary  # noqa: E402
from test_flash_boot import FlashMachine, good_flash, provisioned  # noqa: E402
from test_veer import CLOCK, FUSE_WR_DONE, riscv_binary  # noqa: E402

COUNT = int(os.environ.get('CALIPTRA_STREAMS', '12'))
SEED = int(os.environ.get('CALIPTRA_STREAMS_SEED', '1'))

OURS = re.compile(r'(caliptra|veer|aspeed-(bootmcu|ipc|otp-ast2700|ast2700-)|'
                  r'aspeed\.scu$)')
RISCV = re.compile(r'(caliptra|veer|cpu$|riscv)')
TRACES = re.compile(r'Sanitizer|runtime error|Assertion|\babort')

# how far a state that was taken is followed
STEPS = 30
STEP_NS = 10 ** 5
# of one test: to take one takes its time
STATES = 6
CLUSTER = 1 << 21


class Snapshots:
    """A disk whose one snapshot is what a test makes it."""

    def __init__(self, folder):
        self.path = os.path.join(folder, 'snapshot.qcow2')
        # header; table of reference counts, counts, the guest's table
        with open(self.path, 'wb') as f:
            f.truncate(4 * CLUSTER)
            f.write(struct.pack('>4sIQIIQIIQQIIQQQQII', b'QFI\xfb', 3, 0, 0,
                                21, CLUSTER, 0, 1, 3 * CLUSTER, CLUSTER, 1,
                                0, 0, 0, 0, 0, 4, 104))
            f.seek(CLUSTER)
            f.write(struct.pack('>Q', 2 * CLUSTER))
            f.seek(2 * CLUSTER)
            f.write(struct.pack('>4H', 1, 1, 1, 1))
        self.args = ['-drive', 'if=none,id=snapshot,format=qcow2,'
                     'file.locking=off,file=' + self.path]
        self.start = None

    def attach(self, qtest):
        """Have the machine make the snapshot, and find its contents."""
        text = qtest.hmp('savevm s')
        if text:
            raise QTestError(text)
        with open(self.path, 'rb') as f:
            for start in range(0, os.fstat(f.fileno()).st_size, CLUSTER):
                f.seek(start)
                if f.read(len(stream.MAGIC)) == stream.MAGIC:
                    self.start = start
                    return
        raise QTestError('no snapshot in the file')

    def load(self, qtest, data):
        """Another state instead; what QEMU says of it."""
        # with an empty description
        data += struct.pack('>BI2s', stream.DESCRIPTION, 2, b'{}')
        if len(data) > CLUSTER:
            raise ValueError('the state does not fit')
        with open(self.path, 'r+b') as f:
            f.seek(self.start)
            f.write(data)
        return qtest.hmp('loadvm s').strip()


def take(qtest, wanted=OURS):
    """The state of a machine, which runs on."""
    path = os.path.join(qtest.dir, 'state')
    qtest.qmp('stop')
    qtest.qmp('migrate', uri='file:' + path)
    qtest.wait_migrated()
    qtest.qmp('cont')
    with open(path, 'rb') as f:
        return stream.Stream(f.read(), wanted.match)


def changes(rng, states):
    """
    (state, device, field, element, bytes) without end, all fields before any
    comes again.  Elements of arrays count as one field.
    """
    while True:
        names = {}
        for state in states:
            for device in state.devices:
                for field in device.fields:
                    names.setdefault(
                        (device.name, re.sub(r'\d+', '*', field.path)),
                        []).append((state, device, field))
        names = list(names.values())
        rng.shuffle(names)
        for candidates in names:
            state, device, field = rng.choice(candidates)
            values = list(stream.mutations(rng, field, device.data))
            if values:
                yield (state, device, field, *rng.choice(values))


class Streams(unittest.TestCase):

    def attack(self, qtest, snapshots, states, run):
        """Load changed states; let run(qtest) go on with what it takes."""
        rng = random.Random('%s %d' % (self.id(), SEED))
        snapshots.attach(qtest)
        for state in states:
            self.assertEqual(snapshots.load(qtest, state.unchanged()), '')
            run(qtest)
        source = changes(rng, states)
        for _ in range(COUNT):
            state, device, field, element, value = next(source)
            what = '%s: %s[%d] = %s in state %d' % (
                device.name, field.path, element, value[:16].hex(),
                states.index(state))
            at = field.offset + element * field.size
            try:
                text = snapshots.load(
                    qtest, state.with_changed(device, at, value))
                if text:
                    # one line that names the device
                    self.assertRegex(text, r'^Error: .*\bdevice\b.*$', what)
                    self.assertNotIn('\n', text, what)
                else:
                    # not by itself after one that was refused
                    qtest.qmp('cont')
                    run(qtest)
                    self.assertTrue(qtest.qmp('query-status')['running'],
                                    what)
            except (OSError, QTestError) as err:
                self.fail('%s: %s\n%s' % (what, err, qtest.stderr()))
        self.assertNotRegex(qtest.stderr(), TRACES)

    @staticmethod
    def go_on(qtest):
        """Time passes, and software looks at what there is."""
        for _ in range(STEPS):
            qtest.clock_step(STEP_NS)
        qtest.reads32([regs.MBOX_LOCK, regs.MBOX_USER, regs.MBOX_CMD,
                       regs.MBOX_DLEN, regs.MBOX_DATAOUT, regs.MBOX_STATUS,
                       regs.SHA_ACC, regs.BOOT_STATUS, regs.FLOW_STATUS])
        qtest.writes32([(regs.MBOX_DATAIN, 1), (regs.MBOX_EXECUTE, 1)])
        qtest.clock_step(10 ** 8)
        qtest.write32(regs.MBOX_EXECUTE, 0)
        for prop in ('last-error-name', 'mailbox-state'):
            qtest.qom_get('/machine/caliptra-core-device', prop)
        qtest.clock_step(10 ** 8)

    def machine(self, make, *args, **kwargs):
        """A machine with a place for snapshots, and that."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        snapshots = Snapshots(folder.name)
        qtest = make(*args, args=snapshots.args, **kwargs)
        self.addCleanup(qtest.close)
        return qtest, snapshots

    def test_boot(self):
        """In each stage of a boot out of a file."""
        qtest, snapshots = self.machine(BootedSoc)
        states = []
        stage = None
        while qtest.held():
            if qtest.stage() != stage:
                stage = qtest.stage()
                states.append(take(qtest))
            qtest.clock_step()
        states = random.Random(SEED).sample(states, min(STATES, len(states)))
        states.append(take(qtest))
        self.assertGreater(len(states), 4)
        self.attack(qtest, snapshots, states, self.go_on)

    def test_command(self):
        """Between the steps of mailbox commands."""
        qtest, snapshots = self.machine(BootedSoc)
        qtest.run_boot()
        states = []
        for command, data in ((b'CERR', b''), (b'PCRQ', bytes(32)),
                              (b'DPEC', struct.pack('<4I', 12, 0x44504543, 1,
                                                    4))):
            code = int.from_bytes(command, 'big')
            qtest.read32(regs.MBOX_LOCK)
            data = struct.pack('<I', regs.checksum(code, data)) + data
            qtest.writes32([(regs.MBOX_CMD, code),
                            (regs.MBOX_DLEN, len(data))] +
                           [(regs.MBOX_DATAIN, word) for word, in
                            struct.iter_unpack('<I', data)])
            states.append(take(qtest))
            qtest.write32(regs.MBOX_EXECUTE, 1)
            states.append(take(qtest))
            while qtest.read32(regs.MBOX_STATUS) & 0xf == regs.CMD_BUSY:
                qtest.clock_step()
                if len(states) < STATES:
                    states.append(take(qtest))
            qtest.reads32([regs.MBOX_DATAOUT] * 5)
            states.append(take(qtest))
            qtest.write32(regs.MBOX_EXECUTE, 0)
        self.attack(qtest, snapshots, states[:2 * STATES], self.go_on)

    def test_trng(self):
        """While firmware waits for random words."""
        qtest, snapshots = self.machine(CaliptraSoc, qmp=True)
        qtest.power_on()
        qtest.start(env.FUSES)
        states = []
        while len(states) < 4:
            trng = qtest.read32(regs.TRNG_STATUS)
            if trng & regs.TRNG_DATA_REQ:
                states.append(take(qtest))
            qtest.step()
        self.attack(qtest, snapshots, states, self.go_on)

    def test_flash(self):
        """In each stage of a boot from flash."""
        def make(args):
            machine = FlashMachine(good_flash(), provisioned(), args=args,
                                   readonly=True)
            self.addCleanup(machine.files.cleanup)
            return machine

        qtest, snapshots = self.machine(make)
        qtest.strap(True)
        states = []
        stages = set()
        while qtest.held:
            stage = (qtest.qom_get('/machine/bootmcu', 'stage'),
                     qtest.flash_stage)
            if stage not in stages:
                stages.add(stage)
                if stage[0] == 'done' or len(states) < STATES // 2:
                    states.append(take(qtest))
            qtest.clock_step(10 * STEP_NS)
        self.assertGreater(len(states), STATES // 2)
        self.attack(qtest, snapshots, states, self.go_on)

    def test_ipc(self):
        """While the BootMCU serves a request over IPC."""
        qtest, snapshots = self.machine(BootedSoc)
        qtest.run_boot()
        client = ipc_client.ca35(qtest)
        while not client.listening():
            qtest.clock_step()
        states = []
        client.write(client.in_addr, client.sha_context(bytes(300)))
        for index in (ipc_client.COMMANDS['SHA384_DIGEST'][0],
                      ipc_client.COMMANDS['QUOTE_PCRS'][0]):
            client.send(index, client.in_addr, client.out_addr)
            for n in range(10 ** 6):
                if n % 7 == 0 and len(states) < STATES:
                    states.append(take(qtest))
                if client.answered():
                    break
                qtest.clock_step()
            client.receive()
        self.attack(qtest, snapshots, states, self.go_on)

    def test_engines(self):
        """While each engine is at work, and the internal TRNG."""
        qtest, snapshots = self.machine(replay.bench_qtest, qmp=True)
        bench = engines.Bench(qtest)
        bench.power_cycle()
        states = []
        for engine, ctrl in ((engines.ECC, engines.KEYGEN),
                             (engines.ECC, engines.SIGN),
                             (engines.HMAC, engines.INIT),
                             (engines.SHA512, engines.INIT | 2 << 2),
                             (engines.SHA256, engines.INIT | 4),
                             (engines.DOE, 0)):
            bench.put(engine + 0x080, bytes(range(64)))
            bench.write(engine + engines.CTRL, ctrl)
            states.append(take(qtest))
            bench.finish()

        def run(qtest):
            bench.finish()
            for engine in (engines.DOE, engines.ECC, engines.HMAC,
                           engines.SHA512, engines.SHA256, engines.CSRNG,
                           engines.ENTROPY_SRC):
                qtest.reads32(range(engine, engine + 0x40, 4))
            self.go_on(qtest)

        self.attack(qtest, snapshots, states, run)

    def test_veer(self):
        """The core that executes Caliptra's firmware."""
        if not os.path.exists(riscv_binary()):
            self.skipTest('no qemu-system-riscv32 here')
        with tempfile.NamedTemporaryFile() as rom:
            # jumps to where it stands
            rom.write(struct.pack('<I', 0x0000006f) * 64)
            rom.flush()
            qtest, snapshots = self.machine(
                functools.partial(QTest, riscv_binary(), accel='tcg',
                                  machine='caliptra,clock-frequency=%d' %
                                  CLOCK, bios=rom.name, qmp=True))
        qtest.write32(FUSE_WR_DONE, 1)
        states = [take(qtest, RISCV), take(qtest, RISCV)]

        def run(qtest):
            time.sleep(0.01)
            qtest.reads32(range(FUSE_WR_DONE, FUSE_WR_DONE + 64, 4))
            qtest.hmp('info registers')

        self.attack(qtest, snapshots, states, run)


class Incoming(unittest.TestCase):
    """The same through -incoming, as users load a stream."""

    def test_refused(self):
        """QEMU ends with one line."""
        with CaliptraSoc(qmp=True) as qtest:
            state = take(qtest)
        device, = [d for d in state.devices if d.name == 'caliptra']
        field, = [f for f in device.fields if f.path == 'boot_fsm']
        with tempfile.NamedTemporaryFile() as f:
            f.write(state.whole_with_changed(device, field.offset, b'\xff'))
            f.flush()
            proc = subprocess.run(
                [default_binary(), '-M', 'ast2700fc,caliptra-boot=guest',
                 '-display', 'none', '-accel', 'qtest', '-nodefaults',
                 '-incoming', 'file:' + f.name], stdin=subprocess.DEVNULL,
                stderr=subprocess.PIPE, text=True, timeout=300, check=False)
        self.assertEqual(proc.returncode, 1, proc.stderr)
        lines = [line for line in proc.stderr.splitlines()
                 if 'caliptra' in line.replace(default_binary(), '')]
        self.assertEqual(len(lines), 1, proc.stderr)


if __name__ == '__main__':
    unittest.main()
