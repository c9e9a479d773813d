/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Internal timers and counters */
#include "veer.inc"
#define B0 0x300
#define B1 3
main:
    jal t4, setup_all
    csrw mitctl0, zero
    csrw mitctl1, zero
    li a0, 0x1000
    csrw mitcnt0, a0
    csrw mitcnt1, a0
    NOPS 8
    csrr a1, mitcnt0
    RES a1, stopped.mitcnt0
    csrr a1, mitcnt1
    RES a1, stopped.mitcnt1
    /* counts clocks like mcycle */
    csrw mitcnt0, zero
    csrwi mitctl0, 1
    csrr a0, mitcnt0
    csrr a1, 0xB00
    NOPS 20
    csrr a2, mitcnt0
    csrr a3, 0xB00
    sub a2, a2, a0
    sub a3, a3, a1
    sub a4, a2, a3
    RES a4, running.mitcnt0_minus_mcycle
    snez a2, a2
    RES a2, running.moves
    /* match: interrupt once, count restarts */
    ARM
    csrw mitctl0, zero
    li a0, B0
    csrw mitb0, a0
    csrw mitcnt0, zero
    li a0, 0x20000000
    csrw mie, a0
    csrsi mstatus, 8
    csrwi mitctl0, 1
    li a2, 900
2:  addi a2, a2, -1
    bnez a2, 2b
1:  csrr a3, mitcnt0
    csrci mstatus, 8
    csrw mie, zero
    RTI match0
    csrr a0, mip
    RES a0, match0.mip_after
    sltiu a3, a3, B0
    RES a3, match0.restarted
    /* match while not enabled: lost */
    csrw mitctl0, zero
    csrw mitcnt0, zero
    csrwi mitctl0, 1
    li a2, 900
2:  addi a2, a2, -1
    bnez a2, 2b
    csrr a0, mip
    RES a0, lost.mip
    csrw mitctl0, zero
    ARM
    li a0, 0x20000000
    csrw mie, a0
    csrsi mstatus, 8
    NOPS 8
1:  csrci mstatus, 8
    csrw mie, zero
    RTI lost
    /* enabled in mie, MIE = 0: is the pulse held? */
    csrw mitcnt0, zero
    li a0, 0x20000000
    csrw mie, a0
    csrwi mitctl0, 1
    li a2, 900
2:  addi a2, a2, -1
    bnez a2, 2b
    csrr a0, mip
    RES a0, mie_only.mip
    csrw mitctl0, zero
    ARM
    csrsi mstatus, 8
    NOPS 8
1:  csrci mstatus, 8
    csrw mie, zero
    RTI mie_only
    /* count above the bound */
    csrw mitctl0, zero
    li a0, B0
    csrw mitb0, a0
    li a1, 0x12345
    csrw mitcnt0, a1
    csrr a1, mitcnt0
    RES a1, above.written
    csrwi mitctl0, 1
    NOPS 4
    csrr a1, mitcnt0
    li a2, 0x12345
    sltu a1, a1, a2
    RES a1, above.reset
    csrw mitctl0, zero
    /* timer 1, same */
    ARM
    li a0, B0
    csrw mitb1, a0
    csrw mitcnt1, zero
    li a0, 0x10000000
    csrw mie, a0
    csrsi mstatus, 8
    csrwi mitctl1, 1
    li a2, 900
2:  addi a2, a2, -1
    bnez a2, 2b
1:  csrci mstatus, 8
    csrw mie, zero
    csrw mitctl1, zero
    RTI match1
    /* both at the same time: 0 first */
    ARM
    csrw mitctl0, zero
    csrw mitctl1, zero
    li a0, 0x100
    csrw mitb0, a0
    csrw mitb1, a0
    csrw mitcnt0, zero
    csrw mitcnt1, zero
    li a0, 0x30000000
    csrw mie, a0
    csrsi mstatus, 8
    csrwi mitctl1, 1
    csrwi mitctl0, 1
    li a2, 600
2:  addi a2, a2, -1
    bnez a2, 2b
1:  csrci mstatus, 8
    csrw mie, zero
    RTI both
    /* cascade: timer 1 counts matches of timer 0 */
    csrw mitctl0, zero
    csrw mitctl1, zero
    li a0, 0x80
    csrw mitb0, a0
    li a0, 0xFFFF
    csrw mitb1, a0
    csrw mitcnt0, zero
    csrw mitcnt1, zero
    csrwi mitctl1, 9
    csrwi mitctl0, 1
    csrr a0, mitcnt1
    RES a0, cascade.mitcnt1.start
    csrr a1, 0xB00
2:  csrr a2, 0xB00
    sub a2, a2, a1
    li a3, 0x81*5+0x40
    bltu a2, a3, 2b
    csrr a0, mitcnt1
    csrw mitctl0, zero
    RES a0, cascade.mitcnt1~
    addi a0, a0, -4
    sltiu a0, a0, 4
    RES a0, cascade.mitcnt1_in_4_7
    ARM
    csrw mitctl1, zero
    li a0, B1
    csrw mitb1, a0
    csrw mitcnt0, zero
    csrw mitcnt1, zero
    csrwi mitctl1, 9
    li a0, 0x10000000
    csrw mie, a0
    csrsi mstatus, 8
    csrr s5, 0xB00
    csrwi mitctl0, 1
    li a2, 900
2:  addi a2, a2, -1
    bnez a2, 2b
1:  csrr s6, 0xB00
    csrci mstatus, 8
    csrw mie, zero
    RTI cascade
    sub a0, s6, s5
    RES a0, cascade.clocks~
    /* cascade with timer 0 stopped: stands still */
    csrw mitctl0, zero
    csrw mitcnt1, zero
    csrwi mitctl1, 9
    NOPS 8
    csrr a0, mitcnt1
    RES a0, cascade.no_timer0
    csrw mitctl1, zero

    /* counters: inhibit */
    li a0, 0x5
    csrw 0x320, a0
    csrr a0, 0xB00
    NOPS 6
    csrr a1, 0xB00
    sub a0, a1, a0
    RES a0, inhibit.mcycle
    csrr a0, 0xB02
    NOPS 6
    csrr a1, 0xB02
    sub a0, a1, a0
    RES a0, inhibit.minstret
    li a0, 0x1234
    csrw 0xB00, a0
    csrw 0xB02, a0
    csrr a0, 0xB00
    RES a0, inhibit.mcycle.written
    csrr a0, 0xB02
    RES a0, inhibit.minstret.written
    csrw 0x320, zero
    /* minstret counts */
    csrw 0xB02, zero
    csrr a0, 0xB02
    RES a0, minstret.after_write0
    csrr a0, 0xB02
    csrr a1, 0xB02
    sub a1, a1, a0
    RES a1, minstret.csrr_csrr
    csrr a0, 0xB02
    nop
    nop
    nop
    csrr a1, 0xB02
    sub a1, a1, a0
    RES a1, minstret.3nops
    csrr a0, 0xB02
    lw a2, 0(tp)
    sw a2, 0(tp)
    mul a2, a2, a2
    div a2, a2, a2
    beqz zero, 2f
2:  csrr a1, 0xB02
    sub a1, a1, a0
    RES a1, minstret.lw_sw_mul_div_beq
    csrr a0, 0xB02
    c.nop
    .4byte 0x00000013
    fence
    fence.i
    wfi
    csrr a1, 0xB02
    sub a1, a1, a0
    RES a1, minstret.nop_nop_fence_fencei_wfi
    /* a trap: the handler's own instructions counted, ecall or not */
    .macro MI name, insn:vararg
    jal t4, clear_rec
    la s0, 2f
    csrr a0, 0xB02
    \insn
    .balign 4
2:  csrr a1, 0xB02
    sub a1, a1, a0
    RES a1, minstret.\name
    .endm
    MI ecall, ecall
    MI ebreak, .4byte 0x00100073
    MI illegal, .4byte 0xFFFFFFFF
    MI illegal_csr, csrr zero, 0xC00
    /* carry into the high half */
    li a0, 0xFFFFFFF0
    csrw 0xB82, zero
    csrw 0xB02, a0
    NOPS 20
    csrr a0, 0xB82
    RES a0, minstreth.carry
    csrw 0xB80, zero
    li a0, 0xFFFFFFF0
    csrw 0xB00, a0
    NOPS 20
    csrr a0, 0xB80
    RES a0, mcycleh.carry
    /* hpm: event 1 clocks, 2 (mostly) retired instructions */
    csrwi 0x323, 1
    csrw 0xB03, zero
    csrr a0, 0xB03
    csrr a1, 0xB00
    NOPS 10
    csrr a2, 0xB03
    csrr a3, 0xB00
    sub a2, a2, a0
    sub a3, a3, a1
    sub a2, a2, a3
    RES a2, hpm.event1.minus_mcycle
    csrw 0x323, zero
    csrr a0, 0xB03
    NOPS 4
    csrr a1, 0xB03
    sub a1, a1, a0
    RES a1, hpm.event0.delta
    FINISH
