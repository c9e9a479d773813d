/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt controller and fast interrupt redirect. Sources: 19 = soc_ifc error, 20 = notif */
#include "veer.inc"
.macro PW off, val
    li t5, PIC+\off
    li t6, \val
    sw t6, 0(t5)
.endm
.macro PR off, name:vararg
    li t5, PIC+\off
    lw a0, 0(t5)
    RES a0, \name
.endm
/* write ones, read back, write zeros */
.macro PM off, name
    PR \off, \name\().reset
    PW \off, 0xFFFFFFFF
    PR \off, \name\().ones
    PW \off, 0
    PR \off, \name\().zeros
.endm
#define ERR_RAISE  SETW INTR+0x1C, 0x1
#define NOT_RAISE  SETW INTR+0x20, 0x1
#define ERR_CLEAR  SETW INTR+0x14, 0xFFFFFFFF
#define NOT_CLEAR  SETW INTR+0x18, 0xFFFFFFFF
/* MEIE and MIE on for a while */
.macro WINDOW name:vararg
    ARM
    li t0, 0x800
    csrw mie, t0
    csrsi mstatus, 8
    NOPS 12
1:  csrci mstatus, 8
    csrw mie, zero
    RTI \name
.endm
.macro STATE name
    NOPS 6
    csrr a0, mip
    li a1, 0x800
    and a0, a0, a1
    RES a0, \name\().mip.meip
    PR 0x1000, \name\().meip
.endm
main:
    jal t4, setup_all
    /* table: entry 19 -> ext_entry, 20 -> ext_entry2, others -> ext_entry */
    la a0, ext_entry
    li a1, TABLE
    li a2, 32
1:  sw a0, 0(a1)
    addi a1, a1, 4
    addi a2, a2, -1
    bnez a2, 1b
    la a0, ext_entry2
    li a1, TABLE
    sw a0, 80(a1)
    addi a0, a0, 1
    sw a0, 76(a1)               /* bit 0 set: ignored? */
    /* registers */
    PM 0x0004, meipl1
    PM 0x007C, meipl31
    PM 0x0000, meipl0
    PM 0x0080, meipl32
    PM 0x2004, meie1
    PM 0x207C, meie31
    PM 0x2000, meie0
    PM 0x3000, mpiccfg
    PM 0x4004, meigwctrl1
    PM 0x407C, meigwctrl31
    PM 0x4000, meigwctrl0
    PM 0x5004, meigwclr1
    PM 0x1000, meip0
    PM 0x1004, meip1
    PM 0x7FFC, hole7ffc
    /* soc_ifc: enable both kinds */
    SETW INTR+4, 0xFFFFFFFF
    SETW INTR+8, 0xFFFFFFFF
    SETW INTR, 3
    li a0, TABLE
    csrw meivt, a0
    STATE idle
    /* priority 0 never interrupts */
    PW 0x2050, 1
    NOT_RAISE
    STATE notif.prio0
    WINDOW notif.prio0
    PW 0x0050, 7
    STATE notif.prio7
    WINDOW notif.prio7
    STATE notif.still
    WINDOW notif.again
    csrwi meipt, 7
    STATE notif.meipt7
    WINDOW notif.meipt7
    csrwi meipt, 6
    STATE notif.meipt6
    WINDOW notif.meipt6
    csrwi meipt, 0
    csrwi meicurpl, 7
    STATE notif.meicurpl7
    WINDOW notif.meicurpl7
    csrwi meicurpl, 6
    WINDOW notif.meicurpl6
    csrr a0, meicurpl
    RES a0, meicurpl.after
    csrwi meicurpl, 0
    /* two sources */
    ERR_RAISE
    PW 0x004C, 7
    PW 0x204C, 1
    STATE both7
    WINDOW both7
    PW 0x0050, 8
    WINDOW err7not8
    PW 0x004C, 15
    WINDOW err15not8
    PW 0x004C, 0
    WINDOW err0not8
    /* reversed order */
    PW 0x3000, 1
    PW 0x004C, 15
    PW 0x0050, 8
    csrwi meipt, 15
    WINDOW rev.meicurpl0
    csrwi meipt, 0
    csrwi meicurpl, 15
    STATE rev.err15not8
    WINDOW rev.err15not8
    PW 0x004C, 3
    WINDOW rev.err3not8
    PW 0x004C, 0
    WINDOW rev.err0not8
    csrwi meipt, 4
    WINDOW rev.err0not8.meipt4
    csrwi meipt, 15
    PW 0x004C, 3
    STATE rev.err3.meipt15
    WINDOW rev.err3.meipt15
    csrwi meipt, 3
    WINDOW rev.err3.meipt3
    csrwi meipt, 2
    WINDOW rev.err3.meipt2
    csrwi meipt, 0
    csrwi meipt, 12
    WINDOW rev.err3.meipt12
    csrwi meipt, 0
    csrwi meicurpl, 0
    PW 0x3000, 0
    ERR_CLEAR
    PW 0x204C, 0
    PW 0x0050, 8
    /* level, active low: pending without a request */
    PW 0x4050, 1
    STATE not.high.inverted
    NOT_CLEAR
    STATE not.low.inverted
    WINDOW not.low.inverted
    PW 0x4050, 0
    STATE not.low.normal
    /* edge: rising */
    PW 0x4050, 2
    STATE edge.old_events
    PW 0x5050, 0
    STATE edge.cleared
    NOT_RAISE
    STATE edge.high
    PW 0x5050, 0
    STATE edge.high.cleared
    NOT_CLEAR
    STATE edge.low.not_cleared
    WINDOW edge.low
    PW 0x5050, 1
    STATE edge.low.cleared
    WINDOW edge.low.cleared
    /* pulse */
    NOT_RAISE
    NOT_CLEAR
    STATE edge.pulse
    WINDOW edge.pulse
    PW 0x5050, 0
    /* edge, active low */
    PW 0x4050, 3
    STATE falling.low
    PW 0x5050, 0
    STATE falling.low.cleared
    NOT_RAISE
    PW 0x5050, 0
    STATE falling.high.cleared
    NOT_CLEAR
    STATE falling.low_again
    NOT_RAISE
    STATE falling.high.latched
    PW 0x5050, 0
    PW 0x4050, 0
    /* disabled source: latched in meip, no interrupt */
    PW 0x2050, 0
    STATE notif.disabled
    WINDOW notif.disabled
    PW 0x2050, 1
    /* tables elsewhere */
    li a0, 0x5001E000
    csrw meivt, a0
    SETW 0x5001E050, 0
    la a1, ext_entry
    li a0, 0x5001E050
    sw a1, 0(a0)
    WINDOW table.5001e000
    csrw meivt, zero
    WINDOW table.0
    csrr a0, mdseac
    RES a0, table.0.mdseac
    li a0, 0x40000000
    csrw meivt, a0
    WINDOW table.40000000
    li a0, 0x50020000
    csrw meivt, a0
    WINDOW table.50020000
    li a0, 0x60000000
    csrw meivt, a0
    WINDOW table.60000000
    li a0, 0x30000000
    csrw meivt, a0
    WINDOW table.30000000
    li a0, TABLE
    csrw meivt, a0
    /* meihap follows meivt, id stays */
    csrr a0, meihap
    RES a0, meihap.after
    /* MIE without MEIE, MEIE without MIE */
    ARM
    csrw mie, zero
    csrsi mstatus, 8
    NOPS
1:  csrci mstatus, 8
    RT notif.no_meie
    ARM
    li t0, 0x800
    csrw mie, t0
    NOPS
1:  csrw mie, zero
    RT notif.no_mie
    /* order: external before timer; mtimecmp = 0, so MTIP is set */
    ARM
    li t0, 0x880
    csrw mie, t0
    csrsi mstatus, 8
    NOPS
1:  csrci mstatus, 8
    csrw mie, zero
    RTI external_and_timer
    NOT_CLEAR
    ARM
    li t0, 0x880
    csrw mie, t0
    csrsi mstatus, 8
    NOPS
1:  csrci mstatus, 8
    csrw mie, zero
    RTI timer_only
    /* vectored mtvec: timer goes to base + 28, external to its table */
    la t0, vec_table+1
    csrw mtvec, t0
    ARM
    li t0, 0x80
    csrw mie, t0
    csrsi mstatus, 8
    NOPS
1:  csrci mstatus, 8
    csrw mie, zero
    RTI vectored.timer
    NOT_RAISE
    WINDOW vectored.external
    /* correctable error local interrupt, with and without others */
    li t0, 0x00000001
    csrw 0x7F1, t0
    ARM
    li t0, 0x40000880
    csrw mie, t0
    csrsi mstatus, 8
    NOPS
1:  csrci mstatus, 8
    csrw mie, zero
    RTI vectored.ext_ce_timer
    NOT_CLEAR
    ARM
    li t0, 0x40000880
    csrw mie, t0
    csrsi mstatus, 8
    NOPS
1:  csrci mstatus, 8
    csrw mie, zero
    RTI vectored.ce_timer
    csrw 0x7F1, zero
    /* write of one kind by software: pending bits are read only */
    PW 0x1000, 0xFFFFFFFF
    PR 0x1000, meip.after_write
    li a0, 0x1F
    csrw meivt, a0
    csrr a0, meivt
    RES a0, meivt.1f
    FINISH
