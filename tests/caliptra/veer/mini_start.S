/* SPDX-License-Identifier: GPL-2.0-or-later */
    .section .text.start,"ax",@progbits
    .globl _start
_start:
    li t0, 0xAAAAA0A9
    csrw 0x7C0, t0              /* mrac */
    la sp, _stack
    j main
