#!/usr/bin/env python3
#
# The SHA accelerator against the host's hash functions
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""SHA accelerator: every length, both hashes, both ways to give data."""

import hashlib
import io
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import replay  # noqa: E402

BOOT = ['in security_state 0x7', 'in brkpoint 0x0',
        'in generic_input_wires 0x0', 'reset cold',
        'wire cptra_noncore_rst_b 0x1', 'wire ready_for_fuses 0x1',
        'wire timer_intr 0x1',
        'soc W 0x300300b0 0x00000001 0x00000001 0x0',
        'wire cptra_uc_rst_b 0x1', 'wire ready_for_fuses 0x0',
        # the lock is the microcontroller's after reset
        'uc W 0x30021000 0x00000001 0x0']

LENGTHS = range(301)

LOCK, MODE, START, DLEN, DATAIN, EXECUTE, STATUS, DIGEST = (
    0x30021000, 0x30021008, 0x3002100c, 0x30021010, 0x30021014,
    0x30021018, 0x3002101c, 0x30021020)


def digest_words(sha512, message):
    digest = (hashlib.sha512 if sha512 else hashlib.sha384)(message).digest()
    return [int.from_bytes(digest[i:i + 4], 'big')
            for i in range(0, len(digest), 4)]


class Sha(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.qtest = replay.bench_qtest()

    @classmethod
    def tearDownClass(cls):
        cls.qtest.close()

    def play(self, lines):
        trace = replay.Trace('sha', BOOT + lines)
        player = replay.Player(trace)
        player.run(self.qtest)
        out = io.StringIO()
        player.report(3, out)
        self.assertFalse(player.diffs, '\n' + out.getvalue())

    def stream(self, rng, sha512, message):
        """A SoC user streams; others look on and try to interfere."""
        user, other = rng.getrandbits(32), rng.getrandbits(32)
        lines = []

        def write(addr, data, who=user):
            lines.append('soc W 0x%08x 0x%08x 0x%08x 0x0' %
                         (addr, data, who))

        def read(addr, data, who=user):
            lines.append('soc R 0x%08x 0x%08x 0x%08x 0x0' %
                         (addr, who, data))

        read(LOCK, 0)
        write(MODE, int(sha512))
        write(DLEN, len(message))
        # the bytes behind the end do not matter; an empty message needs a
        # word all the same
        pad = -len(message) % 4 if message else 4
        data = message + bytes(rng.getrandbits(8) for _ in range(pad))
        for i in range(0, len(data), 4):
            write(DATAIN, int.from_bytes(data[i:i + 4], 'big'))
            if not rng.randrange(8):
                read(LOCK, 1, other)
                write(DATAIN, rng.getrandbits(32), other)
                read(STATUS, 2, other)
        write(EXECUTE, 1)
        read(STATUS, 3)
        released = rng.randrange(2)
        if released:
            write(LOCK, 1)
        for i, word in enumerate(digest_words(sha512, message)):
            read(DIGEST + 4 * i, word, other)
        if not released:
            write(LOCK, 1)
        return lines

    def mailbox(self, rng, sha512, message):
        """The microcontroller hashes what stands in the mailbox SRAM."""
        toggle = rng.randrange(2)
        start = 4 * rng.randrange(64)
        data = message + bytes(rng.getrandbits(8)
                               for _ in range(-len(message) % 4))
        lines = []

        def write(addr, word):
            lines.append('uc W 0x%08x 0x%08x 0x0' % (addr, word))

        def read(addr, word):
            lines.append('uc R 0x%08x 0x%08x 0x0' % (addr, word))

        read(0x30020000, 0)
        for i in range(0, len(data), 4):
            write(0x30000000 + start + i,
                  int.from_bytes(data[i:i + 4], 'big' if toggle
                                 else 'little'))
        write(0x30020020, 1)
        read(LOCK, 0)
        write(MODE, 2 | int(sha512) | toggle << 2)
        write(START, start | rng.randrange(4))
        write(DLEN, len(message))
        write(EXECUTE, 1)
        read(STATUS, 1)
        write(LOCK, 1)
        for i, word in enumerate(digest_words(sha512, message)):
            read(DIGEST + 4 * i, word)
        return lines

    def lengths(self, how):
        for sha512 in (False, True):
            with self.subTest(sha512=sha512):
                rng = random.Random(int(sha512))
                lines = []
                for length in LENGTHS:
                    message = bytes(rng.getrandbits(8)
                                    for _ in range(length))
                    lines += how(rng, sha512, message)
                self.play(lines)

    def test_stream(self):
        self.lengths(self.stream)

    def test_mailbox(self):
        self.lengths(self.mailbox)


if __name__ == '__main__':
    unittest.main()
