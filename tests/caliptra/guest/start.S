/*
 * Entry of all four cores: a stack each, then main(core)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#define STACK_SHIFT 12

    .section .text.start, "ax"
    .global _start
_start:
    mrs     x0, mpidr_el1
    and     x0, x0, #0xff
    ldr     x1, =stacks
    add     x2, x0, #1
    add     x1, x1, x2, lsl #STACK_SHIFT
    mov     sp, x1
    bl      main
1:  wfi
    b       1b

    .section .stacks, "aw", %nobits
    .balign 16
stacks:
    .space  4 << STACK_SHIFT
