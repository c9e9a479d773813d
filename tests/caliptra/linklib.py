# The protocol between a SoC and a Caliptra core in two processes
#
# A second, independent reading of docs/interop/caliptra-link.rst: either end,
# for tests of the other one.
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Frames: frame(), class Link; a core that tests drive: class Core."""

import socket
import struct
import threading
import time

MAGIC, VERSION = 0x4c415043, 1
CAP_TIME = 1

HELLO = 0x01
READ, PEEK, INPUTS, WRITE, PONG = 0x10, 0x11, 0x12, 0x20, 0x21
ANSWER, LINES, REFUSED, PING = 0x80, 0x81, 0x82, 0x83

WORDS = {HELLO: 3, READ: 2, PEEK: 2, INPUTS: 12, WRITE: 3, PONG: 0, ANSWER: 2,
         LINES: 1, REFUSED: 3, PING: 0}
FROM_SOC = HELLO, READ, PEEK, INPUTS, WRITE, PONG
FROM_CORE = HELLO, ANSWER, LINES, REFUSED, PING

PWRGOOD, RST_B = 1, 2

READY_FOR_FUSES, READY_FOR_FW, READY_FOR_RUNTIME = 1 << 0, 1 << 1, 1 << 2
ERROR_FATAL = 1 << 5
ETRNG_REQ = 1 << 7

# for what must come
PATIENCE = 120


def frame(kind, *words, tag=0, length=None):
    if length is None:
        length = 4 * len(words)
    return struct.pack('<HHI%dI' % len(words), length, kind, tag, *words)


HELLO_FRAME = frame(HELLO, MAGIC, VERSION, 0)
HELLO_TIME = frame(HELLO, MAGIC, VERSION, CAP_TIME)


class Closed(Exception):
    """The other end has closed the connection."""


class Link:
    """Frames over a connected socket."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(PATIENCE)
        self.buf, self.pos = b'', 0

    def send(self, *args, **kwargs):
        self.sock.sendall(frame(*args, **kwargs))

    def _receive(self, n):
        if len(self.buf) - self.pos < n:
            self.buf = self.buf[self.pos:]
            self.pos = 0
        while len(self.buf) < n:
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b''
            if not data:
                raise Closed
            self.buf += data
        self.pos += n
        return self.buf[self.pos - n:self.pos]

    def receive(self):
        """(type, tag, words); each frame is of the length of its type."""
        length, kind, tag = struct.unpack('<HHI', self._receive(8))
        assert length == 4 * WORDS[kind], (kind, length)
        return kind, tag, struct.unpack('<%dI' % (length // 4),
                                        self._receive(length))

    def hello(self, data=HELLO_FRAME):
        self.sock.sendall(data)
        assert self.receive() == (HELLO, 0, (MAGIC, VERSION, CAP_TIME))
        return self

    def wait_closed(self):
        """Whatever comes before the end."""
        try:
            while True:
                self._receive(1)
        except Closed:
            pass

    def close(self):
        self.sock.close()


class Soc(Link):
    """A SoC's end: accesses with one request at a time.

    stands: as a SoC that does not run; it answers no PING
    """

    def __init__(self, sock):
        super().__init__(sock)
        self.tag = 0
        self.lines = 0
        self.refused = []
        self.pings = 0
        self.stands = False

    def event(self, kind, tag, words):
        assert tag == 0
        if kind == LINES:
            self.lines, = words
        elif kind == PING:
            self.pings += 1
            if not self.stands:
                self.send(PONG)
        else:
            assert kind == REFUSED
            self.refused.append(words)

    def answer(self, tag):
        while True:
            kind, got, words = self.receive()
            if kind == ANSWER:
                assert got == tag, (got, tag)
                return words
            self.event(kind, got, words)

    def request(self, kind, *words):
        self.tag += 1
        self.send(kind, *words, tag=self.tag)
        return self.answer(self.tag)

    def reads(self, accesses):
        """[(offset, user)], all requests before the first answer."""
        first = self.tag + 1
        self.sock.sendall(b''.join(frame(READ, *access, tag=first + n)
                                   for n, access in enumerate(accesses)))
        self.tag += len(accesses)
        return [self.answer(first + n) for n in range(len(accesses))]

    def inputs(self, levels, security_state=0, wires=0, key=(0,) * 8):
        assert self.request(INPUTS, levels, security_state,
                            wires & 0xffffffff, wires >> 32, *key) == (0, 0)


class Core:
    """A core's end, in a thread: registers that hold what is written.

    path: where QEMU listens; with listen, where this does
    act: what to do with a frame instead: act(core, kind, tag, words); true:
         that was all; raises Closed: the connection ends
    """

    def __init__(self, path, act=None, hello=HELLO_FRAME, listen=False):
        self.path = path
        self.server = None
        if listen:
            self.server = socket.socket(socket.AF_UNIX)
            self.server.bind(path)
            self.server.listen(1)
            self.server.settimeout(PATIENCE)
        self.act = act
        self.hello = hello
        self.words = {}
        self.frames = []
        self.inputs = None
        self.link = None
        self.stopped = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _connect(self):
        if self.server:
            sock = self.server.accept()[0]
            self.server.close()
            return sock
        end = time.monotonic() + PATIENCE
        while not self.stopped and time.monotonic() < end:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(self.path)
                return sock
            except OSError:
                sock.close()
                time.sleep(0.01)
        return None

    def _run(self):
        sock = self._connect()
        if not sock:
            return
        self.link = Link(sock)
        try:
            if self.hello:
                sock.sendall(self.hello)
            while not self.stopped:
                self._frame(*self.link.receive())
        except (Closed, OSError):
            pass
        finally:
            self.link.close()

    def _frame(self, kind, tag, words):
        self.frames.append((kind, words))
        if self.act and self.act(self, kind, tag, words):
            return
        if kind == INPUTS:
            self.inputs = words
            self.link.send(ANSWER, 0, 0, tag=tag)
        elif kind == WRITE:
            self.words[words[0]] = words[2]
        elif kind in (READ, PEEK):
            self.link.send(ANSWER, 0, self.words.get(words[0], 0), tag=tag)

    def count(self, kind):
        return sum(frame[0] == kind for frame in self.frames)

    def close(self):
        self.stopped = True
        if self.link:
            try:
                self.link.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(PATIENCE)
