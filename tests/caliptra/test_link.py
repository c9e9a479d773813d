#!/usr/bin/env python3
#
# A Caliptra core in another process: each end against a model of the other,
# what goes wrong between them, and both together
#
# $CALIPTRA_LINK_FUZZ and $CALIPTRA_LINK_KILLS: how many connections of noise,
# how often a process is killed; for longer runs.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Devices caliptra-link and caliptra-remote."""

import json
import os
from pathlib import Path
import random
import signal
import socket
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# where the registers are without a link
os.environ['CALIPTRA_TARGET'] = 'native'
import caliptra_soc as soc_regs                    # noqa: E402
import command_env as env                          # noqa: E402
import linklib                                     # noqa: E402
from caliptra_soc import CaliptraSoc, RISCV_BINARY  # noqa: E402
from linklib import ANSWER, HELLO, INPUTS, LINES, PEEK, PING, PONG, READ, \
    REFUSED, WRITE, PWRGOOD, RST_B, Closed, Core, Link, Soc, \
    frame                                          # noqa: E402
from qtestlib import QTest, QTestError             # noqa: E402

FUZZ = int(os.environ.get('CALIPTRA_LINK_FUZZ', '150'))
KILLS = int(os.environ.get('CALIPTRA_LINK_KILLS', '6'))

USER = soc_regs.DEFAULT_PAUSER
# who may use the mailbox before somebody is named
ANYBODY = 0xffffffff
# offsets in Caliptra's window
MBOX_LOCK, MBOX_DATAIN, MBOX_EXECUTE = 0x20000, 0x20010, 0x20018
HOLE = 0x22000
FLOW_STATUS, FUSES = 0x3003c, 0x30200
FW_ERROR_FATAL, TRNG_DATA, TRNG_STATUS = 0x30008, 0x30078, 0x300ac
FUSE_WR_DONE, WDT_CFG = 0x300b0, 0x30110
# ROM_CFI_PANIC_TRNG_FAILURE
TRNG_TIME_OUT = 0x0104005b
# where the AST2700's cores see the window
AST2700 = 0x14c40000


def poller(reads):
    """Firmware that reads TRNG_STATUS so often until the words are there."""
    a0, a1, a2, a3 = 10, 11, 12, 13

    def lui(rd, imm):
        return imm << 12 | rd << 7 | 0x37

    def addi(rd, rs, imm):
        return (imm & 0xfff) << 20 | rs << 15 | rd << 7 | 0x13

    def andi(rd, rs, imm):
        return addi(rd, rs, imm) | 7 << 12

    def lw(rd, rs, imm):
        return imm << 20 | rs << 15 | 2 << 12 | rd << 7 | 0x03

    def sw(rd, rs, imm):
        return ((imm >> 5) << 25 | rd << 20 | rs << 15 | 2 << 12 |
                (imm & 31) << 7 | 0x23)

    def bnez(rs, words):
        imm = 4 * words
        return ((imm >> 12 & 1) << 31 | (imm >> 5 & 63) << 25 | rs << 15 |
                1 << 12 | (imm >> 1 & 15) << 8 | (imm >> 11 & 1) << 7 | 0x63)

    status, fatal = TRNG_STATUS & 0xfff, FW_ERROR_FATAL & 0xfff
    return struct.pack(
        '<15I',
        addi(a1, 0, 0x80),          # the registers' region has side effects
        0x7c0 << 20 | a1 << 15 | 1 << 12 | 0x73,        # csrw mrac, a1
        lui(a0, 0x30030),
        addi(a1, 0, 1),
        sw(a1, a0, status),         # DATA_REQ
        lui(a2, reads >> 12),
        lw(a3, a0, status),
        andi(a3, a3, 2),            # DATA_WR_DONE
        bnez(a3, 6),
        addi(a2, a2, -1),
        bnez(a2, -4),
        lui(a1, TRNG_TIME_OUT >> 12),
        addi(a1, a1, TRNG_TIME_OUT & 0xfff),
        sw(a1, a0, fatal),
        0x6f)                       # j .


# a core that runs and does nothing: wfi; b .-4
IDLE = struct.pack('<II', 0xd503207f, 0x17ffffff)
ENTRY = 0x430000000

# what is no frame of the other end, behind HELLO
NOISE = {
    'type': frame(0x7f, 1),
    'length': frame(READ, 0, USER, tag=1, length=12) + bytes(4),
    'huge length': frame(READ, 0, USER, tag=1, length=0xfffc),
    'tag': frame(WRITE, MBOX_DATAIN, USER, 0, tag=5),
    'offset': frame(READ, 0x40000, USER, tag=1),
    'misaligned': frame(READ, 0x30001, USER, tag=1),
    'levels': frame(INPUTS, 0x10, *(0,) * 11, tag=1),
    'security state': frame(INPUTS, 3, 8, *(0,) * 10, tag=1),
    'second HELLO': linklib.HELLO_FRAME,
    'of this end': frame(ANSWER, 0, 0, tag=1),
    'PONG': frame(PONG),
    'text': b'GET / HTTP/1.1\r\n\r\n',
}
CORE_NOISE = {
    'type': frame(0x7f, 1),
    'length': frame(LINES, 0, length=8) + bytes(4),
    'lines': frame(LINES, 0x100),
    'count': frame(REFUSED, 0, 0, 0),
    'result': frame(ANSWER, 2, 0, tag=1),
    'unasked': frame(ANSWER, 0, 0, tag=12345678),
    'PING': frame(PING),
    'second HELLO': linklib.HELLO_FRAME,
    'of this end': frame(READ, 0, 0, tag=1),
}
BAD_HELLOS = {
    'magic': (frame(HELLO, 1, 1, 0), 'does not speak'),
    'version': (frame(HELLO, linklib.MAGIC, 2, 0), 'speaks version 2'),
    'long': (frame(HELLO, linklib.MAGIC, 7, *(1,) * 14), 'version 7'),
    'frame': (frame(LINES, 0), 'bad frame'),
    'text': (b'SSH-2.0-OpenSSH_9.2\r\n', 'bad frame'),
}


def noise(rng, kinds):
    """Some frames, of which one may be damaged somewhere."""
    data = b''
    for _ in range(rng.randrange(1, 40)):
        kind = rng.choice(kinds)
        words = [rng.getrandbits(32) for _ in range(linklib.WORDS[kind])]
        if kind in (READ, PEEK, WRITE, REFUSED) and rng.random() < 0.98:
            place = 1 if kind == REFUSED else 0
            words[place] = rng.choice([MBOX_LOCK, 0x21000, 0x30000]) + \
                4 * rng.randrange(0, 200)
        if kind == INPUTS and rng.random() < 0.95:
            words[0] &= 0xf
            words[1] &= 7
        if kind == LINES:
            words[0] &= 0xff
        if kind == HELLO and rng.random() < 0.95:
            continue
        tag = rng.choice([0, 1, 2, 3, rng.getrandbits(32)]) \
            if kind in (READ, PEEK, INPUTS, ANSWER) else 0
        data += frame(kind, *words, tag=tag)
    if rng.random() < 0.5 and data:
        data = bytearray(data)
        data[rng.randrange(len(data))] = rng.getrandbits(8)
    return bytes(data[:rng.randrange(len(data) + 1)] if rng.random() < 0.3
                 else data)


class Case(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.dir = folder.name

    def path(self, name):
        return os.path.join(self.dir, name)

    def wait(self, what, text='', seconds=linklib.PATIENCE):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            result = what()
            if result:
                return result
            time.sleep(0.005)
        raise AssertionError('not within %d s %s' % (seconds, text))

    def log(self, name='log'):
        path = Path(self.path(name))
        return path.read_text(encoding='utf-8') if path.exists() else ''

    def wait_log(self, text, count=1, name='log'):
        try:
            self.wait(lambda: self.log(name).count(text) >= count)
        except AssertionError as e:
            raise AssertionError('%s: %r in the log:\n%s' %
                                 (e, text, self.log(name))) from None

    def log_args(self, name='log'):
        return ['-chardev', 'file,id=log,append=on,path=' + self.path(name)]


# ---- the core's end ----

class NativeSoc(CaliptraSoc):
    """The machine "caliptra", in steps that are not from timer to timer."""

    def __init__(self, machine_options='', **kwargs):
        super().__init__(target='native', machine_options=machine_options,
                         **kwargs)

    def clock_step(self, ns=None):
        return super().clock_step(5 * 10 ** 6 if ns is None else ns)


class LinkedSoc(NativeSoc):
    """The same, with its SoC in this process."""

    def __init__(self, path, args=(), **kwargs):
        self.path = path
        self.link = None
        super().__init__(',link=l0,caliptra-boot=soc,log=log', args=[
                             '-chardev', 'socket,id=l0,server=on,wait=off,'
                             'path=' + path, *args], **kwargs)

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path)
        return sock

    def link_up(self):
        self.link_down()
        self.link = Soc(self.connect()).hello()
        return self.link

    def link_down(self):
        if self.link:
            self.link.close()

    def close(self):
        self.link_down()
        super().close()

    def reads32(self, addrs):
        answers = self.link.reads([(addr & 0x3fffc, USER) for addr in addrs])
        return [word for _, word in answers]

    def read32(self, addr):
        return self.reads32([addr])[0]

    def writes32(self, pairs):
        self.link.sock.sendall(b''.join(
            frame(WRITE, addr & 0x3fffc, USER, data)
            for addr, data in pairs))
        # before time passes, of which qtest decides
        self.link.request(PEEK, FLOW_STATUS, USER)

    def write32(self, addr, data):
        self.writes32([(addr, data)])

    def assert_reset(self):
        self.link.inputs(0)

    def release_reset(self):
        pass

    def power_on(self, obf_key=(0,) * 8, lifecycle=3, debug_locked=True):
        self.link.inputs(0)
        self.link.inputs(PWRGOOD | RST_B, lifecycle | debug_locked << 2,
                         key=obf_key)
        self.draws = 0


@unittest.skipUnless(os.path.exists(RISCV_BINARY),
                     'no qemu-system-riscv32 here')
class CoreEnd(Case):
    """Device caliptra-link; this process is the SoC."""

    def setUp(self):
        super().setUp()
        self.q = LinkedSoc(self.path('l0'), self.log_args())
        self.addCleanup(self.q.close)

    def powered(self):
        link = self.q.link_up()
        link.inputs(PWRGOOD | RST_B, 7)
        return link

    def assert_off(self):
        """The next SoC finds a core without power."""
        link = self.q.link_up()
        self.assertEqual(link.request(READ, FLOW_STATUS, USER), (0, 0))
        self.assertEqual(link.lines, 0)
        link.close()

    def test_waits(self):
        self.wait_log("waiting for the SoC at chardev 'l0'")
        self.assertEqual(self.q.qom_get('/machine/core', 'flow-status'), 0)

    def test_power(self):
        """Lines come before the answer to what has changed them."""
        link = self.q.link_up()
        link.inputs(PWRGOOD, 7)
        self.assertEqual(link.lines, 0)
        link.inputs(PWRGOOD | RST_B, 7)
        self.assertEqual(link.lines, linklib.READY_FOR_FUSES)
        self.assertEqual(link.request(READ, FLOW_STATUS, USER),
                         (0, 0x42000000))
        link.inputs(0)
        self.assertEqual(link.lines, 0)
        self.assertEqual(link.request(READ, FLOW_STATUS, USER), (0, 0))

    def test_straps(self):
        """Security state, key and wires arrive where they belong."""
        link = self.q.link_up()
        link.inputs(PWRGOOD | RST_B, 5, 0x1122334455667788)
        self.assertEqual(link.request(READ, 0x30044, USER), (0, 5))
        self.assertEqual(link.reads([(0x300c4, USER), (0x300c8, USER)]),
                         [(0, 0x55667788), (0, 0x11223344)])
        # the wires are not sampled, but seen
        link.inputs(PWRGOOD | RST_B, 5, 1)
        self.assertEqual(link.request(READ, 0x300c4, USER), (0, 1))

    def test_breakpoint(self):
        """The boot FSM waits for BOOTFSM_GO."""
        link = self.q.link_up()
        link.inputs(PWRGOOD | RST_B | 4, 3)
        link.send(WRITE, 0x300b0, USER, 1)
        status = link.request(READ, FLOW_STATUS, USER)[1]
        self.assertEqual(status >> 25 & 7, 3)

    def test_pslverr(self):
        link = self.powered()
        self.assertEqual(link.request(READ, HOLE, USER), (1, 0))
        self.assertEqual(link.request(PEEK, 0, USER), (1, 0))
        # posted: told before the next answer, the first of them
        link.send(WRITE, HOLE, 7, 1)
        link.send(WRITE, HOLE + 4, 8, 1)
        link.request(READ, FLOW_STATUS, USER)
        count = sum(refused[0] for refused in link.refused)
        self.assertEqual((count, link.refused[0][1:]), (2, (HOLE, 7)))
        # and without one
        link.refused = []
        link.send(WRITE, HOLE + 8, 9, 1)
        link.event(*link.receive())
        self.assertEqual(link.refused, [(1, HOLE + 8, 9)])

    def test_peek(self):
        """Takes no lock."""
        link = self.powered()
        for kind, word in ((PEEK, 0), (PEEK, 0), (READ, 0), (READ, 1),
                           (PEEK, 1)):
            self.assertEqual(link.request(kind, MBOX_LOCK, ANYBODY),
                             (0, word))

    def test_same_bytes(self):
        """A boot and a command give what they give without a link."""
        self.q.link_up()
        results = []
        for soc in self.q, NativeSoc():
            self.addCleanup(soc.close)
            soc.boot(env.bundle(), env.FUSES)
            results.append((soc.draws, soc.command(0x494e464f),
                            soc.command(0x4c444556),
                            soc.reads32([soc_regs.BOOT_STATUS,
                                         soc_regs.FLOW_STATUS])))
        self.assertEqual(*results)
        self.assertEqual(self.q.link.lines, linklib.READY_FOR_RUNTIME)

    def test_reset_of_the_core(self):
        """Its machine is reset: the SoC still drives it, it boots again."""
        link = self.powered()
        link.send(WRITE, FUSES, USER, 1)
        link.send(WRITE, 0x300b0, USER, 1)
        self.assertEqual(link.request(READ, FLOW_STATUS, USER)[1] >> 30 & 1, 0)
        self.q.qmp('system_reset')
        lines = []
        while not lines or lines[-1] != linklib.READY_FOR_FUSES:
            kind, _, words = link.receive()
            self.assertEqual(kind, LINES)
            lines += words
        self.assertEqual(link.request(READ, FLOW_STATUS, USER)[1],
                         0x42000000)

    def test_migration(self):
        link = self.q.link_up()
        with self.assertRaisesRegex(QTestError, 'a SoC is connected'):
            self.q.qmp('migrate', uri='exec:cat > /dev/null')
        link.close()
        self.wait_log('is gone')
        state = self.path('state')
        self.q.qmp('migrate', uri='exec:cat > ' + state)
        self.q.wait_migrated()
        # what is loaded is another core than that the SoC drives
        self.q.close()
        self.q = LinkedSoc(self.path('l0'), ['-incoming', 'defer',
                                             *self.log_args()])
        self.addCleanup(self.q.close)
        link = self.powered()
        self.q.qmp('migrate-incoming', uri='exec:cat ' + state)
        link.wait_closed()
        self.q.wait_migrated()
        self.wait_log('the state of the machine was loaded')
        self.assert_off()

    def test_unrealize(self):
        """The SoC is cut off, whatever is under way."""
        link = self.powered()
        link.send(READ, MBOX_LOCK, USER, tag=7)
        self.q.qmp('qom-set', path='/machine/link-device',
                   property='realized', value=False)
        link.wait_closed()
        self.q.qmp('system_reset')
        self.assertEqual(self.q.qom_get('/machine/core', 'flow-status'), 0)

    # ---- faults ----

    def test_gone(self):
        """The core loses its power; one line says so."""
        self.powered().close()
        self.wait_log("the SoC at chardev 'l0' is gone: connection closed")
        self.assertEqual(self.q.qom_get('/machine/core', 'flow-status'), 0)
        self.assert_off()
        self.wait_log('is gone', 2)
        self.assertEqual(self.log().count('is there'), 2)

    def test_bad_hello(self):
        for n, (what, (data, why)) in enumerate(BAD_HELLOS.items(), 1):
            with self.subTest(what=what):
                link = Link(self.q.connect())
                link.sock.sendall(data)
                link.wait_closed()
                link.close()
                self.wait_log(why)
                self.wait_log('is gone', n)
        self.assert_off()

    def test_noise(self):
        for n, (what, data) in enumerate(NOISE.items(), 1):
            with self.subTest(what=what):
                link = self.powered()
                link.sock.sendall(data)
                link.wait_closed()
                link.close()
                self.wait_log('is gone', n)
                self.assertEqual(self.log().count('bad frame'), n)
        self.assert_off()

    def test_truncated(self):
        """The SoC ends in the middle of a frame, at each byte."""
        frames = (linklib.HELLO_FRAME, frame(READ, FLOW_STATUS, USER, tag=1),
                  frame(WRITE, MBOX_DATAIN, USER, 1),
                  frame(INPUTS, 3, 7, *(0,) * 10, tag=1))
        gone = 0
        for data in frames:
            for size in range(len(data)):
                link = Link(self.q.connect())
                if data != linklib.HELLO_FRAME:
                    link.hello()
                    gone += 1
                link.sock.sendall(data[:size])
                link.close()
                self.wait_log('is gone', gone)
        self.assertNotIn('bad frame', self.log())
        self.assert_off()

    def test_slow_reader(self):
        """Who takes no answers gets no more, and holds up nobody else."""
        link = self.powered()
        n = 50000
        data = b''.join(frame(READ, FLOW_STATUS, USER, tag=i)
                        for i in range(1, n + 1))
        link.sock.settimeout(0.5)
        sent = 0
        try:
            while sent < len(data):
                sent += link.sock.send(data[sent:sent + 65536])
        except socket.timeout:
            pass
        self.assertLess(sent, len(data))
        self.assertEqual(self.q.qmp('query-status')['status'], 'running')
        # all is answered as soon as it is taken
        link.sock.settimeout(linklib.PATIENCE)
        tag = 0
        while tag < sent // 16:
            tag += 1
            self.assertEqual(link.answer(tag), (0, 0x42000000))
        link.sock.sendall(data[sent:sent // 16 * 16 + 16])
        self.assertEqual(link.answer(tag + 1), (0, 0x42000000))

    def test_fuzz(self):
        rng = random.Random(13)
        for n in range(FUZZ):
            link = Link(self.q.connect())
            if rng.random() < 0.9:
                link.sock.sendall(rng.choice((linklib.HELLO_FRAME,
                                              linklib.HELLO_TIME)))
            if rng.random() < 0.8:
                link.sock.sendall(frame(INPUTS, 3, rng.randrange(8),
                                        *(0,) * 10, tag=1))
            try:
                link.sock.sendall(noise(rng, linklib.FROM_SOC))
                if rng.random() < 0.5:
                    link.sock.shutdown(socket.SHUT_WR)
                    link.wait_closed()
            except OSError:
                pass
            link.close()
            if n % 50 == 0:
                self.assertTrue(self.q.qmp('query-status'))
        self.assert_off()


@unittest.skipUnless(os.path.exists(RISCV_BINARY),
                     'no qemu-system-riscv32 here')
class CoreTime(Case):
    """Device caliptra-link where the core's time is the host's."""

    # of a TRNG that is not served, in seconds
    LIMIT = 0.19

    def start(self, *args, rom=None):
        """The native model; with rom, a VeeR that executes it."""
        args = ['-chardev', 'socket,id=l0,server=on,wait=off,path=' +
                self.path('l0'), *self.log_args(), *args]
        options = ''
        if rom:
            Path(self.path('rom')).write_bytes(rom)
        else:
            options = ',uc=native'
        self.q = QTest(RISCV_BINARY, 'caliptra,link=l0,log=log' + options,
                       args=args, accel='tcg',
                       bios=self.path('rom') if rom else False)
        self.addCleanup(self.q.close)

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(self.path('l0'))
        return Soc(sock)

    def waiting(self, hello):
        """A core that waits for entropy."""
        link = self.connect().hello(hello)
        self.addCleanup(link.close)
        link.stands = True
        link.inputs(PWRGOOD | RST_B, 7)
        link.send(WRITE, WDT_CFG, USER, 0x7fffffff)
        link.send(WRITE, FUSE_WR_DONE, USER, 1)
        self.wait_lines(link, linklib.ETRNG_REQ)
        return link

    def wait_lines(self, link, lines):
        while not link.lines & lines:
            link.event(*link.receive())

    def wait_ping(self, link):
        while not link.pings:
            link.event(*link.receive())

    def assert_time_out(self, link):
        self.wait_lines(link, linklib.ERROR_FATAL)
        self.assertEqual(link.request(READ, FW_ERROR_FATAL, USER),
                         (0, TRNG_TIME_OUT))

    def assert_stands(self):
        """While the SoC does not answer, no time runs out."""
        link = self.waiting(linklib.HELLO_TIME)
        self.wait_ping(link)
        time.sleep(10 * self.LIMIT)
        self.assertEqual(link.request(READ, FW_ERROR_FATAL, USER), (0, 0))
        self.assertEqual(link.pings, 1)
        # it has come back, and serves nobody
        link.stands = False
        link.send(PONG)
        self.assert_time_out(link)
        self.assertGreater(link.pings, 1)

    def test_stands(self):
        self.start()
        self.assert_stands()

    def test_stands_icount(self):
        self.start('-icount', 'shift=3')
        self.assert_stands()

    def test_stands_veer(self):
        """Firmware counts its reads, with no watchdog running."""
        self.start(rom=poller(0x3000))
        self.assert_stands()

    def test_stands_veer_icount(self):
        """Genuine firmware's number of reads, which take 10 ms."""
        self.start('-icount', 'shift=3', rom=poller(0x3d000))
        self.assert_stands()

    def test_record(self):
        """Another process is not in a record."""
        with self.assertRaisesRegex(QTestError, 'not supported with '
                                    'caliptra-link'):
            self.start('-icount', 'shift=3,rr=record,rrfile=' +
                       self.path('record'))

    def test_gives_up(self):
        """Firmware that does not wait any more counts nothing."""
        self.start(rom=poller(0x1000))
        link = self.waiting(linklib.HELLO_TIME)
        link.stands = False
        # its request is still there
        self.wait_lines(link, linklib.ERROR_FATAL)
        self.assertTrue(link.lines & linklib.ETRNG_REQ)
        link.request(READ, FW_ERROR_FATAL, USER)
        pings = link.pings
        end = time.monotonic() + 5 * self.LIMIT
        while time.monotonic() < end:
            link.request(READ, FW_ERROR_FATAL, USER)
        self.assertLess(link.pings - pings, 3)

    def test_late(self):
        """A SoC that is always late, but there: what it takes is not ours."""
        self.start()
        link = self.waiting(linklib.HELLO_TIME)
        for _ in range(10):
            self.wait_ping(link)
            link.pings = 0
            time.sleep(self.LIMIT / 3)
            link.send(PONG)
        self.assertEqual(link.request(READ, FW_ERROR_FATAL, USER), (0, 0))

    def test_goes_on(self):
        """A SoC that has stood serves what it was asked for before."""
        self.start()
        link = self.waiting(linklib.HELLO_TIME)
        self.wait_ping(link)
        time.sleep(5 * self.LIMIT)
        # each answer, and no PONG: the core works in no time of its own
        while not link.lines & linklib.READY_FOR_FW:
            self.assertFalse(link.lines & linklib.ERROR_FATAL)
            if link.lines & linklib.ETRNG_REQ:
                for n in range(12):
                    link.send(WRITE, TRNG_DATA + 4 * n, USER, 0x5a17 + n)
                link.send(WRITE, TRNG_STATUS, USER, 2)
                link.request(READ, TRNG_STATUS, USER)
            else:
                link.event(*link.receive())

    def test_not_capable(self):
        """A SoC that does not know of it is not asked."""
        self.start()
        link = self.waiting(linklib.HELLO_FRAME)
        self.assert_time_out(link)
        self.assertEqual(link.pings, 0)

    def test_next_soc(self):
        """What one SoC holds up, it does not hold up for the next."""
        self.start()
        link = self.waiting(linklib.HELLO_TIME)
        self.wait_ping(link)
        time.sleep(self.LIMIT)
        link.close()
        link = self.waiting(linklib.HELLO_FRAME)
        self.assert_time_out(link)

    def test_unasked(self):
        self.start()
        link = self.connect().hello(linklib.HELLO_TIME)
        link.send(PONG)
        link.wait_closed()
        link.close()
        self.wait_log('a PONG that nobody waits for')


# ---- the SoC's end ----

class SocEnd(Case):
    """Device caliptra-remote, as the core of an AST2700."""

    TIMEOUT = 10000

    def start(self, core=None, options='', args=(), **kwargs):
        """The machine; core: how a Core is made, None: nobody is there."""
        chardev = 'socket,id=l1,path=' + self.path('l1')
        if core is not None:
            self.core = Core(self.path('l1'), **core)
            self.addCleanup(self.core.close)
        if core is None or not core.get('listen'):
            chardev += ',server=on,wait=off'
        self.q = QTest(machine='ast2700fc,caliptra-boot=guest,'
                       'caliptra-core=l1,caliptra-log=log' + options,
                       args=['-chardev', chardev, '-global',
                             'caliptra-remote.timeout=%d' % self.TIMEOUT,
                             '-D', self.path('errors'), '-d', 'guest_errors',
                             *self.log_args(), *args], qmp=True, **kwargs)
        self.addCleanup(self.q.close)
        if core is not None and core.get('hello') is None:
            self.wait_log('is there')
        return self.q

    def read(self, offset):
        return self.q.read32(AST2700 + offset)

    def assert_lost(self, why, count=1):
        """An unpowered core, one line; the machine goes on."""
        self.wait_log("Caliptra's core at chardev 'l1' is gone: ", count)
        self.assertEqual(self.log().count('is gone'), count)
        self.assertIn(why, self.log())
        self.q.write32(AST2700 + MBOX_DATAIN, 1)
        self.assertEqual(self.read(FLOW_STATUS), 0)
        self.assertFalse(self.q.read32(soc_regs.SCU_CPTRA_CTRL) & 1 << 18)
        self.assertEqual(self.q.qmp('query-status')['status'], 'running')

    def come_back(self):
        """Another core: it gets the inputs, and is read."""
        there = self.log().count('is there')
        core = Core(self.path('l1'))
        self.addCleanup(core.close)
        self.wait_log('is there', there + 1)
        self.wait(lambda: core.inputs)
        self.assertEqual(core.inputs[0], PWRGOOD | RST_B)
        core.words[FLOW_STATUS] = 0x12345678
        self.assertEqual(self.read(FLOW_STATUS), 0x12345678)
        return core

    # ---- what crosses ----

    def test_accesses(self):
        q = self.start({})
        q.write32(AST2700 + 0x30200, 0x01020304)
        self.assertEqual(self.read(0x30200), 0x01020304)
        self.assertEqual(self.core.frames[-2:],
                         [(WRITE, (0x30200, USER, 0x01020304)),
                          (READ, (0x30200, USER))])
        q.qmp('qom-set', path=q.find_qom('aspeed-caliptra'),
              property='pauser', value=9)
        self.read(0x30204)
        self.assertEqual(self.core.frames[-1], (READ, (0x30204, 9)))
        # a debugger's look
        q.hmp('xp /1wx 0x%x' % (AST2700 + 0x20000))
        self.assertEqual(self.core.frames[-1], (PEEK, (0x20000, 9)))

    def test_inputs(self):
        """Power before the machine runs, straps, a power cycle."""
        q = self.start({'listen': True}, ',caliptra-lifecycle=production'
                       ',caliptra-debug-locked=on'
                       ',caliptra-obf-key=' + '01234567' * 8)
        inputs = [words for kind, words in self.core.frames
                  if kind == INPUTS]
        self.assertEqual(inputs[0][0], 0)
        self.assertEqual(inputs[-1], (3, 7, 0, 0) + (0x01234567,) * 8)
        q.write32(soc_regs.SCU_RSTCTL2, soc_regs.SCU_RSTCTL2_CPTRA)
        self.assertEqual(self.core.inputs[0], PWRGOOD)
        del self.core.frames[:]
        q.qmp('system_reset')
        self.wait(lambda: (INPUTS, inputs[-1]) in self.core.frames)
        levels = [words[0] for kind, words in self.core.frames
                  if kind == INPUTS]
        self.assertEqual(levels[0], 0)

    def test_upload(self):
        """128 KiB cost one round trip."""
        q = self.start({})
        del self.core.frames[:]
        n = 32768
        q.memwrite(0x400000000, bytes(8))
        q.writes32([(AST2700 + MBOX_DATAIN, i) for i in range(n)])
        self.read(MBOX_LOCK)
        self.assertEqual(self.core.count(WRITE), n)
        self.assertEqual(self.core.count(READ), 1)
        self.assertEqual([words[2] for kind, words in self.core.frames
                          if kind == WRITE], list(range(n)))

    def test_pslverr(self):
        def act(core, kind, tag, words):
            if kind == READ and words[0] == HOLE:
                core.link.send(REFUSED, 3, HOLE + 4, 5)
                core.link.send(ANSWER, 1, 0, tag=tag)
                return True
            return False
        self.start({'act': act})
        self.assertEqual(self.read(HOLE), 0)
        errors = self.log('errors')
        self.assertIn('3 posted writes refused (PSLVERR), the first at '
                      '0x22004, user 0x00000005', errors)
        self.assertIn('read at 0x14c62000 refused (PSLVERR)', errors)

    def test_lines(self):
        """They are there before the answer is, in their order."""
        def act(core, kind, tag, words):
            if kind == READ:
                core.link.send(LINES, words[0] >> 2 & 0xff)
                core.link.send(ANSWER, 0, 0, tag=tag)
            return kind == READ
        q = self.start({'act': act})
        for lines in (linklib.READY_FOR_RUNTIME, 0xff, 0,
                      linklib.READY_FOR_RUNTIME):
            self.read(0x30000 + (lines << 2))
            ready = q.read32(soc_regs.SCU_CPTRA_CTRL) >> 18 & 1
            self.assertEqual(ready, lines >> 2 & 1)

    def test_lines_without_answer(self):
        q = self.start({})
        self.core.link.send(LINES, 0xff)
        self.wait(lambda: q.read32(soc_regs.SCU_CPTRA_CTRL) >> 18 & 1)
        # a reset of the machine takes them back
        q.qmp('system_reset')
        self.wait(lambda: not q.read32(soc_regs.SCU_CPTRA_CTRL) >> 18 & 1)

    def test_many_lines(self):
        """Of more than anybody can follow, the last ones stand."""
        q = self.start({})
        self.core.link.sock.sendall(
            b''.join(frame(LINES, n % 256) for n in range(20001)) +
            frame(LINES, linklib.READY_FOR_RUNTIME))
        self.wait(lambda: q.read32(soc_regs.SCU_CPTRA_CTRL) >> 18 & 1)

    def test_ping(self):
        """A SoC that runs answers; one that is stopped does so later."""
        q = self.start({'hello': linklib.HELLO_TIME})
        self.wait_log('is there')
        self.core.link.send(PING)
        self.wait(lambda: self.core.count(PONG) == 1)
        q.qmp('stop')
        self.core.link.send(PING)
        for _ in range(100):
            self.read(FLOW_STATUS)
            q.qmp('query-status')
        self.assertEqual(self.core.count(PONG), 1)
        q.qmp('cont')
        self.wait(lambda: self.core.count(PONG) == 2)
        # one at a time
        q.qmp('stop')
        for _ in range(2):
            self.core.link.send(PING)
        self.assert_lost_while_stopped('a PING before the answer')

    def test_unrealize(self):
        """A core that is cut off is one without power."""
        q = self.start({'hello': linklib.HELLO_TIME})
        self.wait_log('is there')
        q.qmp('stop')
        self.core.link.send(PING)
        self.core.link.send(LINES, 0xff)
        self.read(FLOW_STATUS)
        q.qmp('qom-set', path=q.find_qom('caliptra-remote'),
              property='realized', value=False)
        q.qmp('cont')
        self.assertEqual(self.read(FLOW_STATUS), 0)
        self.assertFalse(q.read32(soc_regs.SCU_CPTRA_CTRL) & 1 << 18)
        q.qmp('system_reset')
        self.assertEqual(self.read(FLOW_STATUS), 0)

    def assert_lost_while_stopped(self, why):
        self.wait_log(why)
        self.q.qmp('cont')
        self.assert_lost(why)

    def test_migration(self):
        q = self.start({})
        with self.assertRaisesRegex(QTestError, 'in another process'):
            q.qmp('migrate', uri='exec:cat > /dev/null')
        self.core.close()
        self.assert_lost('connection closed')
        state = self.path('state')
        q.qmp('migrate', uri='exec:cat > ' + state)
        q.wait_migrated()
        q.close()
        # the core boots where the SoC goes on
        q = self.start(args=['-incoming', 'exec:cat ' + state])
        q.wait_migrated()
        self.come_back()
        q.close()
        # one that runs already is another's
        q = self.start({'listen': True},
                       args=['-incoming', 'exec:cat ' + state])
        q.wait_migrated()
        self.assert_lost('the state of the machine was loaded', 2)

    # ---- at the start ----

    def test_absent(self):
        """The machine waits with a message, and runs."""
        q = self.start()
        self.assertEqual(self.log(), "[caliptra] waiting for Caliptra's core "
                         "at chardev 'l1'\n")
        self.assertEqual(self.read(FLOW_STATUS), 0)
        q.write32(AST2700 + MBOX_DATAIN, 1)
        self.come_back()

    def test_absent_without_log(self):
        self.log_args = lambda name='log': []
        with QTest(machine='ast2700fc,caliptra-boot=guest,caliptra-core=l1',
                   args=['-chardev', 'socket,id=l1,server=on,wait=off,path=' +
                         self.path('l1')]) as q:
            self.assertIn("waiting for Caliptra's core at chardev 'l1'",
                          q.stderr())

    def test_must_be_there(self):
        with self.assertRaisesRegex(QTestError,
                                    "there is no Caliptra core at chardev "
                                    "'l1'"):
            self.start(args=['-global', 'caliptra-remote.wait=off'])

    def test_must_be_there_and_is(self):
        self.start({'listen': True},
                   args=['-global', 'caliptra-remote.wait=off'])
        self.read(FLOW_STATUS)

    def test_options(self):
        """Users' mistakes are told."""
        for options, args, why in (
                (',caliptra-core=none', (), "can't find value 'none'"),
                (',caliptra-core=n', ('-chardev', 'null,id=n'),
                 "chardev 'n' is none that a link can use"),
                (',caliptra-boot=soc', (), 'for machines of a core alone')):
            with self.assertRaisesRegex(QTestError, why):
                QTest(machine='ast2700fc,caliptra-boot=guest' + options,
                      args=args)

    # ---- faults ----

    def test_gone(self):
        """In the middle of an access."""
        def act(core, kind, tag, words):
            if kind == READ and words[0] == MBOX_LOCK:
                raise Closed
            return False
        self.start({'act': act})
        self.assertEqual(self.read(MBOX_LOCK), 0)
        self.assert_lost('connection closed')
        self.come_back()

    def test_bad_hello(self):
        self.start()
        for n, (what, (data, why)) in enumerate(BAD_HELLOS.items(), 1):
            with self.subTest(what=what):
                core = Core(self.path('l1'), hello=data)
                self.assert_lost(why, n)
                core.close()
        self.come_back()

    def test_noise(self):
        """Instead of an answer, and unasked."""
        self.start()
        data = None

        def act(core, kind, tag, words):
            if kind == READ:
                core.link.sock.sendall(data)
            return kind == READ
        gone = 0
        for asked in True, False:
            for what, data in CORE_NOISE.items():
                with self.subTest(what=what, asked=asked):
                    gone += 1
                    core = Core(self.path('l1'), act=act)
                    self.wait_log('is there', gone)
                    if asked:
                        self.assertEqual(self.read(FLOW_STATUS), 0)
                    else:
                        core.link.sock.sendall(data)
                    self.assert_lost('', gone)
                    core.close()
        self.come_back()

    def test_truncated(self):
        """The core ends in the middle of an answer, at each byte."""
        self.start()
        answer = frame(LINES, 4) + frame(ANSWER, 0, 1, tag=0)
        for size in range(len(answer)):
            def act(core, kind, tag, words, size=size):
                if kind == READ:
                    data = frame(LINES, 4) + frame(ANSWER, 0, 1, tag=tag)
                    core.link.sock.sendall(data[:size])
                    raise Closed
                return False
            core = Core(self.path('l1'), act=act)
            self.wait_log('is there', size + 1)
            self.assertEqual(self.read(FLOW_STATUS), 0)
            self.assert_lost('connection closed', size + 1)
            core.close()
        self.come_back()

    def test_fuzz(self):
        self.start()
        rng = random.Random(31)

        def act(core, kind, tag, words):
            if rng.random() < 0.8:
                return False
            data = noise(rng, linklib.FROM_CORE)
            if rng.random() < 0.5:
                data += frame(ANSWER, 0, 1, tag=tag)
            core.link.sock.sendall(data)
            if rng.random() < 0.5:
                raise Closed
            return True
        for n in range(FUZZ // 3):
            core = Core(self.path('l1'), act=act,
                        hello=rng.choice((linklib.HELLO_FRAME,
                                          linklib.HELLO_TIME)))
            self.wait(lambda: core.frames)
            for _ in range(rng.randrange(8)):
                if rng.random() < 0.5:
                    self.read(4 * rng.randrange(0x8000, 0xc800))
                else:
                    self.q.write32(AST2700 + 0x30000 +
                                   4 * rng.randrange(0x100), 1)
            if n % 7 == 0:
                self.q.qmp('system_reset')
            core.close()
        self.wait(lambda: not caliptra_up(self.log()), self.log())
        self.come_back()


def caliptra_up(log):
    return log.rfind('is there') > log.rfind('is gone')


class SocEndTimeOut(SocEnd):
    """With a time-out that is short enough to wait for."""

    TIMEOUT = 1500

    # not those of the other class again
    for name in dir(SocEnd):
        if name.startswith('test_'):
            locals()[name] = None
    del name

    def test_hung(self):
        """A core that is there and says nothing."""
        hung = []

        def act(core, kind, tag, words):
            return hung and kind == READ
        q = self.start({'act': act})
        hung.append(True)
        before = time.monotonic()
        self.assertEqual(self.read(FLOW_STATUS), 0)
        self.assertGreater(time.monotonic() - before, self.TIMEOUT / 1000)
        self.assert_lost('no answer in 1500 ms')
        # nobody waits for it again
        before = time.monotonic()
        q.reads32([AST2700 + FLOW_STATUS] * 1000)
        q.writes32([(AST2700 + MBOX_DATAIN, 1)] * 1000)
        self.assertLess(time.monotonic() - before, linklib.PATIENCE)
        self.come_back()

    def test_does_not_read(self):
        """A core that takes no writes."""
        full = []

        def act(core, kind, tag, words):
            while full and not core.stopped:
                time.sleep(0.01)
            return False
        q = self.start({'act': act})
        full.append(True)
        q.writes32([(AST2700 + MBOX_DATAIN, 1)] * 65536)
        self.assert_lost('no answer in 1500 ms')
        self.core.close()
        self.come_back()

    def test_no_hello(self):
        """The machine starts; reads wait for nobody."""
        self.start({'hello': b''})
        self.wait_log('waiting')
        self.assertEqual(self.read(FLOW_STATUS), 0)
        self.core.link.sock.sendall(linklib.HELLO_FRAME)
        self.wait_log('is there')
        self.core.words[FLOW_STATUS] = 5
        self.assertEqual(self.read(FLOW_STATUS), 5)


# ---- both ----

@unittest.skipUnless(os.path.exists(RISCV_BINARY),
                     'no qemu-system-riscv32 here')
class Both(Case):
    """Two processes, either of which ends at any moment."""

    RELEASED = 'CA35 cores released'

    def setUp(self):
        super().setUp()
        for name, data in (('fw', env.bundle()), ('idle', IDLE)):
            Path(self.path(name)).write_bytes(data)
        Path(self.path('fuses')).write_text(json.dumps({
            'key_manifest_pk_hash': env.VENDOR_HASH.hex(),
            'owner_pk_hash': env.OWNER_HASH.hex()}), encoding='ascii')
        self.boots = 0

    def start_core(self):
        core = QTest(RISCV_BINARY, 'caliptra,uc=native,link=l0,log=log', args=[
            '-chardev', 'socket,id=l0,reconnect-ms=20,path=' +
            self.path('link'), *self.log_args('core')], accel='tcg',
            bios=False)
        self.addCleanup(core.close)
        return core

    def start_soc(self, options=None):
        self.boots += 1
        if options is None:
            options = (',caliptra-log=log,caliptra-firmware=%s,'
                       'caliptra-fuses=%s' %
                       (self.path('fw'), self.path('fuses')))
        name = 'soc%d' % self.boots
        args = ['-chardev', 'socket,id=l1,server=on,wait=off,path=' +
                self.path('link'), *self.log_args(name)]
        args += ['-device', 'loader,file=%s,addr=0x%x,force-raw=on' %
                 (self.path('idle'), ENTRY)]
        for n in range(4):
            args += ['-device', 'loader,addr=0x%x,cpu-num=%d' % (ENTRY, n)]
        if os.path.exists(self.path('link')):
            os.unlink(self.path('link'))
        soc = QTest(machine='ast2700fc,caliptra-core=l1' + options,
                    args=args, accel='tcg', qmp=True)
        self.addCleanup(soc.close)
        return soc, name

    def wait_released(self, name, count=1):
        self.wait_log(self.RELEASED, count, name)

    def kill(self, qtest):
        os.kill(qtest.proc.pid, signal.SIGKILL)
        qtest.proc.wait()
        qtest.close()

    def test_core_killed(self):
        """Its cores are held, and released when it has come back."""
        rng = random.Random(1)
        soc, name = self.start_soc()
        core = self.start_core()
        for n in range(KILLS):
            if n == 0:
                self.wait_released(name)
                self.assertFalse(soc.qom_get('/machine', 'ca35-held'))
            else:
                time.sleep(rng.uniform(0, 1))
            gone = self.log(name).count('is gone')
            there = self.log(name).count('is there')
            self.kill(core)
            if there > gone:
                self.wait_log('is gone', gone + 1, name)
            self.wait(lambda: soc.qom_get('/machine', 'ca35-held'))
            core = self.start_core()
        released = self.log(name).count(self.RELEASED)
        self.wait_released(name, released + 1)
        self.assertFalse(soc.qom_get('/machine', 'ca35-held'))

    def test_soc_stopped(self):
        """A SoC that is stopped lets no time run out in its core."""
        core = self.start_core()
        soc, _ = self.start_soc(',caliptra-boot=guest,'
                                'caliptra-debug-locked=on')
        self.wait_log('is there', 1, 'core')
        soc.qmp('stop')
        soc.write32(AST2700 + WDT_CFG, 0x7fffffff)
        soc.write32(AST2700 + FUSE_WR_DONE, 1)
        self.wait(lambda: soc.read32(AST2700 + TRNG_STATUS) & 1)
        time.sleep(10 * CoreTime.LIMIT)
        self.assertEqual(soc.read32(AST2700 + FW_ERROR_FATAL), 0)
        self.assertEqual(soc.read32(AST2700 + TRNG_STATUS) & 1, 1)
        # when it goes on and does not serve, it does
        soc.qmp('cont')
        self.wait(lambda: soc.read32(AST2700 + FW_ERROR_FATAL))
        self.assertEqual(soc.read32(AST2700 + FW_ERROR_FATAL), TRNG_TIME_OUT)
        self.assertIsNone(core.proc.poll())

    def test_soc_killed(self):
        """Its core loses its power, and serves the next SoC."""
        rng = random.Random(2)
        core = self.start_core()
        for _ in range(KILLS // 2):
            soc, name = self.start_soc()
            time.sleep(rng.uniform(0, 1))
            self.kill(soc)
        soc, name = self.start_soc()
        self.wait_released(name)
        soc.qmp('system_reset')
        self.wait_released(name, 2)
        self.assertIsNone(core.proc.poll())


if __name__ == '__main__':
    unittest.main()
