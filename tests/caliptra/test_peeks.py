#!/usr/bin/env python3
#
# Those who only look, and those who look at 64 bits
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Debug accesses have no effect; accesses of 64 bits are two of 32."""

import os
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import caliptra_soc as regs         # noqa: E402
from caliptra_soc import CaliptraSoc            # noqa: E402
import command_env as env           # noqa: E402

DRAM = 0x400000000
PROGRAM, RESULT = DRAM + 0x30000000, DRAM + 0x31000000
VERSION = 0x46505652
WORDS = (0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00)


class Gdb:
    """What a debugger sends."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.sock.settimeout(120)

    def send(self, text):
        self.sock.sendall(b'$%s#%02x' % (text, sum(text) & 0xff))
        data = b''
        while not (len(data) > 3 and data[-3:-2] == b'#'):
            data += self.sock.recv(4096)
        self.sock.sendall(b'+')
        return data[data.index(b'$') + 1:-3]

    def read(self, addr, size):
        return bytes.fromhex(self.send(b'm%x,%x' % (addr, size)).decode())

    def close(self):
        self.sock.close()


class Peeks(unittest.TestCase):

    def machine(self, **kwargs):
        """A core without firmware, behind its fuses."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name
        self.q = CaliptraSoc(qmp=True, **kwargs,
                             machine_options=',caliptra-native-fw=off')
        self.addCleanup(self.q.close)
        self.q.write32(regs.SCU_CPTRA_CTRL, 0x701)
        self.q.release_reset()
        for _ in range(1200):
            if self.q.read32(regs.FLOW_STATUS) & regs.READY_FOR_FUSES:
                break
            time.sleep(0.05)
        self.q.start()

    def state(self):
        return self.q.qom_get('/machine/caliptra-core-device', 'mailbox-state')

    def xp(self, addr, size):
        text = self.q.hmp('xp /%dxw 0x%x' % (size // 4, addr))
        return b''.join(struct.pack('<I', int(word, 16))
                        for line in text.splitlines()
                        for word in line.split(':')[1].split())

    def x(self, addr, size):
        self.q.hmp('x /%dxw 0x%x' % (size // 4, addr))

    def pmemsave(self, addr, size):
        path = os.path.join(self.dir, 'memory')
        self.q.qmp('pmemsave', val=addr, size=size, filename=path)
        with open(path, 'rb') as f:
            return f.read()

    def memsave(self, addr, size):
        path = os.path.join(self.dir, 'memory')
        self.q.qmp('memsave', val=addr, size=size, filename=path)

    def look(self, kind):
        """At all registers of the mailbox, and at other locks."""
        for addr, size in ((regs.MBOX_LOCK, 0x20), (regs.MBOX_LOCK, 4),
                           (regs.MBOX_DATAOUT, 4), (regs.SHA_ACC, 4)):
            kind(addr, size)

    def check(self, kind):
        """A look changes nothing, whatever the mailbox is at."""
        with self.subTest(kind=kind.__name__):
            for take in (lambda: 0,
                         lambda: self.q.read32(regs.MBOX_LOCK),
                         lambda: self.q.write32(regs.MBOX_CMD, 1),
                         lambda: self.q.writes32(
                             [(regs.MBOX_DLEN, 8)] +
                             [(regs.MBOX_DATAIN, word) for word in WORDS])):
                self.assertEqual(take() or 0, 0)
                before = self.state()
                self.look(kind)
                self.assertEqual(self.state(), before)
            self.assertEqual(self.q.read32(regs.MBOX_LOCK), 1)
            self.q.write32(regs.MBOX_EXECUTE, 1)
            before = self.state()
            self.look(kind)
            self.assertEqual(self.state(), before)
            # and all of it is given back
            self.q.assert_reset()
            self.q.release_reset()
            self.q.start()

    def test_monitor(self):
        self.machine()
        for kind in (self.xp, self.x, self.pmemsave, self.memsave):
            self.check(kind)
        self.assertEqual(self.xp(regs.FLOW_STATUS, 4),
                         struct.pack('<I', self.q.read32(regs.FLOW_STATUS)))

    def test_gdb(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'gdb')
            self.machine(accel='tcg', args=[
                '-S', '-gdb', 'unix:%s,server=on,wait=off' % path])
            gdb = Gdb(path)
        self.addCleanup(gdb.close)
        gdb.send(b'?')
        for physical in 0, 1:
            def m_packet(addr, size):
                gdb.send(b'Qqemu.PhyMemMode:%d' % physical)
                gdb.read(addr, size)

            self.check(m_packet)


class Response(unittest.TestCase):
    """A response that waits in the FIFO, and a free accelerator"""

    def test_fifo(self):
        with CaliptraSoc(qmp=True) as soc:
            soc.boot(env.bundle(), env.FUSES)
            soc.mailbox_send(VERSION, struct.pack(
                '<I', regs.checksum(VERSION, b'')))
            soc.poll32(regs.MBOX_STATUS, 0xf, regs.DATA_READY)
            size = soc.read32(regs.MBOX_DLEN)
            for _ in range(size):
                soc.hmp('xp /1xw 0x%x' % regs.MBOX_DATAOUT)
                soc.hmp('xp /1xw 0x%x' % regs.SHA_ACC)
            status, response = soc.mailbox_finish()
            self.assertEqual(status, regs.DATA_READY)
            self.assertEqual(len(response), size)
            self.assertEqual(response[:4], struct.pack(
                '<I', regs.checksum(0, response[4:])))
            # the first to read it for good has it
            self.assertEqual(soc.reads32([regs.SHA_ACC] * 2), [0, 1])


class Wide(unittest.TestCase):
    """64 bits at once"""

    FUSE = regs.FUSES + 0x50        # FUSE_KEY_MANIFEST_PK_HASH

    def test_qtest(self):
        with CaliptraSoc() as q:
            q.power_on()
            q.write64(self.FUSE, 0x5566778811223344)
            self.assertEqual(q.reads32([self.FUSE, self.FUSE + 4]),
                             [0x11223344, 0x55667788])
            self.assertEqual(q.read64(self.FUSE), 0x5566778811223344)

    def test_guest(self):
        """A core stores 64 bits and loads them again."""
        # ldr x1, addr; ldr x2, data; ldr x3, result; str x2, [x1];
        # ldr x0, [x1]; str x0, [x3]; b .
        code = struct.pack(
            '<8I3Q', 0x58000101, 0x58000122, 0x58000143, 0xf9000022,
            0xf9400020, 0xf9000060, 0x14000000, 0xd503201f,
            self.FUSE, 0x5566778811223344, RESULT)
        with tempfile.NamedTemporaryFile() as f:
            f.write(code)
            f.flush()
            with CaliptraSoc(qmp=True, accel='tcg', args=[
                    '-S', '-device', 'loader,file=%s,addr=0x%x,force-raw=on' %
                    (f.name, PROGRAM),
                    '-device', 'loader,addr=0x%x,cpu-num=0' % PROGRAM]) as q:
                q.write32(regs.SCU_RSTCTL2, regs.SCU_RSTCTL2_CPTRA)
                q.write32(regs.SCU_CPTRA_CTRL, 0x701)
                q.release_reset()
                q.qmp('cont')
                for _ in range(1200):
                    if q.read64(RESULT):
                        break
                    time.sleep(0.05)
                self.assertEqual(q.read64(RESULT), 0x5566778811223344)
                self.assertEqual(q.reads32([self.FUSE, self.FUSE + 4]),
                                 [0x11223344, 0x55667788])


if __name__ == '__main__':
    unittest.main()
