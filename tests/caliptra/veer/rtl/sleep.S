/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sleep: mpmc halt, wfi */
#include "veer.inc"
.macro PW off, val
    li t5, PIC+\off
    li t6, \val
    sw t6, 0(t5)
.endm
#define NOT_RAISE  SETW INTR+0x20, 0x1
#define NOT_CLEAR  SETW INTR+0x18, 0xFFFFFFFF
/*
 * Internal timer 0 as a safety net: after \limit clocks it wakes any halt.
 * a2 counts the instructions after the halt that were executed before the
 * trap; the handler resumes behind them.
 */
.macro NET limit
    csrw mitctl0, zero
    csrw mitcnt0, zero
    li t0, \limit
    csrw mitb0, t0
    csrwi mitctl0, 3            /* enable, count in halt */
.endm
/* mpmc := val with mie = \ie, after which a chain of increments of a2 */
.macro HALT val, ie, limit, name, pre=nop
    jal t4, clear_rec
    la s0, 8f
    NET \limit
    csrr s2, 0xB00
    csrr s3, mitcnt0
    li a2, 0
    li t0, \ie
    csrw mie, t0
    \pre
    csrwi mpmc, \val
9:  addi a2, a2, 1
    addi a2, a2, 1
    addi a2, a2, 1
    addi a2, a2, 1
    NOPS 6
8:  csrr s5, mstatus
    csrci mstatus, 8
    csrw mie, zero
    csrr s4, 0xB00
    csrw mitctl0, zero
    la a3, 9b
    lw a4, 16(tp)
    sub a3, a4, a3
    RES a3, \name\().mepc_minus_next~
    RES s5, \name\().mstatus_after
    RES a2, \name\().increments~
    RTI \name
    sub a0, s4, s2
    RES a0, \name\().mcycles~
    csrr a0, mpmc
    RES a0, \name\().mpmc
.endm
main:
    jal t4, setup_all
    la a0, ext_entry
    li a1, TABLE
    li a2, 32
1:  sw a0, 0(a1)
    addi a1, a1, 4
    addi a2, a2, -1
    bnez a2, 1b
    SETW INTR+4, 0xFFFFFFFF
    SETW INTR+8, 0xFFFFFFFF
    SETW INTR, 3
    li a0, TABLE
    csrw meivt, a0
    csrr a0, mpmc
    RES a0, mpmc.reset
    PW 0x2050, 1
    /* mie 0x20000000 = timer 0 */
    HALT 3, 0x20000000, 400, timer0.haltie
    csrsi mstatus, 8
    HALT 1, 0x20000000, 400, timer0.mie_before
    csrsi mstatus, 8
    HALT 0, 0x20000000, 400, nothalted
    csrsi mstatus, 8
    HALT 2, 0x20000000, 400, haltie_only
    /* external pending with priority 15: at once */
    PW 0x0050, 15
    NOT_RAISE
    HALT 3, 0x20000800, 600, ext15.pending
    /* lower priority: taken before the halt if MIE, not a wake-up */
    PW 0x0050, 14
    HALT 3, 0x20000800, 600, ext14.pending
    NOT_CLEAR
    /* timer interrupt pending (mtimecmp = 0) */
    HALT 3, 0x20000080, 600, mtip.pending
    /* correctable error pending: no wake-up, timer 0 then */
    li t0, 1
    csrw 0x7F1, t0
    HALT 3, 0x60000000, 600, ce.pending
    csrw 0x7F1, zero
    /* bus error NMI arriving in halt */
    csrw mdeau, zero
    li a0, 0x70000000
    li a1, 0x1234
    HALT 3, 0x20000000, 600, nmi, "sw a1, 0(a0)"
    csrw mdeau, zero
    /* reversed priority order: the wake-up needs 0 */
    PW 0x3000, 1
    NOT_RAISE
    PW 0x0050, 0
    HALT 3, 0x20000800, 600, rev.ext0
    PW 0x0050, 1
    HALT 3, 0x20000800, 600, rev.ext1
    PW 0x3000, 0
    NOT_CLEAR
    /* a mtimecmp event from 4000 clocks ahead wakes it */
    GETW a0, SOC+0x640
    li a1, 4000
    add a0, a0, a1
    SETW SOC+0x64C, 0
    li t5, SOC+0x648
    sw a0, 0(t5)
    fence
    csrr a0, mip
    RES a0, mtimecmp.ahead.mip
    HALT 3, 0x20000080, 20000, mtimecmp.ahead
    SETW SOC+0x648, 0
    /* wfi is a NOP even with nothing enabled */
    csrw mie, zero
    csrci mstatus, 8
    wfi
    wfi
    li a0, 0x600D
    RES a0, wfi.passed
    csrsi mstatus, 8
    wfi
    csrci mstatus, 8
    RES a0, wfi.passed_mie
    FINISH
