"""
Reports of sanitizers: what is a fault, and which leaks are known.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import unittest

import sanitizer

WARNING = """\
==1==WARNING: ASan doesn't fully support makecontext/swapcontext functions
"""
LEAKS = """
=================================================================
==1==ERROR: LeakSanitizer: detected memory leaks

"""
OURS = """\
Direct leak of 24 byte(s) in 1 object(s) allocated from:
    #0 0x7f01 in __interceptor_calloc ../libsanitizer/asan_malloc_linux.cpp:77
    #1 0x7f02 in g_malloc0 (/lib/libglib-2.0.so.0+0x5a6b0)
    #2 0x5503  (/build/qemu-system-aarch64+0x2001)

"""
QMP = """\
Direct leak of 4120 byte(s) in 1 object(s) allocated from:
    #0 0x7f01 in __interceptor_calloc ../libsanitizer/asan_malloc_linux.cpp:77
    #1 0x7f02 in g_malloc0 (/lib/libglib-2.0.so.0+0x5a6b0)
    #2 0x5503  (/build/qemu-system-aarch64+0x1001)
    #3 0x5504  (/build/qemu-system-aarch64+0x1101)

Indirect leak of 128 byte(s) in 1 object(s) allocated from:
    #0 0x7f01 in __interceptor_realloc ../libsanitizer/asan_malloc_linux.cpp:85
    #1 0x7f02 in g_realloc (/lib/libglib-2.0.so.0+0x5a6f7)

"""
END = 'SUMMARY: AddressSanitizer: 4120 byte(s) leaked in 1 allocation(s).\n'


def find(file, offsets):
    assert file == '/build/qemu-system-aarch64'
    names = {'0x1001': 'json_lexer_feed', '0x1101': 'tcp_chr_read',
             '0x2001': 'caliptra_reset_hold'}
    return {names[offset] for offset in offsets}


class Reports(unittest.TestCase):

    def is_fault(self, *parts):
        return sanitizer.is_fault(''.join(parts), find)

    def test_warnings(self):
        self.assertFalse(self.is_fault())
        self.assertFalse(self.is_fault(WARNING))

    def test_faults(self):
        self.assertTrue(self.is_fault(
            WARNING, '../hw/misc/a.c:1:2: runtime error: shift exponent 32\n'))
        self.assertTrue(self.is_fault(
            '==1==ERROR: AddressSanitizer: heap-use-after-free on address 0\n'))

    def test_leaks(self):
        self.assertFalse(self.is_fault(WARNING, LEAKS, QMP, END))
        self.assertTrue(self.is_fault(LEAKS, OURS, END))
        self.assertTrue(self.is_fault(LEAKS, QMP, OURS, END))
        self.assertTrue(self.is_fault(LEAKS, OURS, QMP, END))

    def test_half_known(self):
        """Such a stack has all the names"""
        self.assertTrue(self.is_fault(LEAKS, QMP.replace('+0x1101', '+0x2001'),
                                      END))

    def test_leak_beside_fault(self):
        self.assertTrue(self.is_fault(
            LEAKS, QMP, END,
            '==1==ERROR: AddressSanitizer: SEGV on unknown address 0\n'))

    def test_no_stack(self):
        """A report that was cut off is a fault"""
        self.assertTrue(self.is_fault(LEAKS))
        self.assertTrue(self.is_fault(
            LEAKS, 'Direct leak of 1 byte(s) in 1 object(s) allocated from:\n',
            END))

    def test_names_in_report(self):
        """Where libasan knows the names"""
        self.assertFalse(self.is_fault(LEAKS, QMP.replace(
            ' (/build/qemu-system-aarch64+0x1101)',
            'in tcp_chr_read ../qemu/chardev/char-socket.c:511'), END))

    def test_lookup(self):
        """No program, no names"""
        self.assertEqual(sanitizer.lookup('/nonexistent', ['0x1001']), set())


if __name__ == '__main__':
    unittest.main()
