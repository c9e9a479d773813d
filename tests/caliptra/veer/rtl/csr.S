/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSRs: reset values, write masks, which numbers exist */
#include "veer.inc"
#define P0 0xFFFFFFFF
#define P1 0x00000000
#define P2 0xA5A5A5A5
#define N0 ffffffff
#define N1 00000000
#define N2 a5a5a5a5
#define RD_TEMPLATE 0x000023F3      /* csrrs t2, N, zero */
#define WR_TEMPLATE 0x00032073      /* csrrs zero, N, t1 (t1 = 0) */

.macro RV csr, name:vararg
    csrr a0, \csr
    RES a0, reset.\name
.endm
/* write three patterns, read back, restore */
.macro WB1 csr, pat, pn, name
    li a0, \pat
    csrw \csr, a0
    csrr a0, \csr
    RES a0, wr.\name\().\pn
.endm
.macro WB csr, name
    csrr s2, \csr
    WB1 \csr, P0, N0, \name
    WB1 \csr, P1, N1, \name
    WB1 \csr, P2, N2, \name
    csrw \csr, s2
.endm
.macro WBX csr, val, name:vararg
    li a0, \val
    csrw \csr, a0
    csrr a0, \csr
    RES a0, wr.\name
.endm

.macro SWEEP first, n
    RESA s4, (\n)/32, \first, 32, read_traps[%03x..]
    li s2, \first
    li t0, \first + \n
    li s6, RD_TEMPLATE
    la a0, sweep
    jalr a0
    RES s8, read_traps.\first\().odd_records
    RES s9, read_traps.\first\().last_odd
    RESA s4, (\n)/32, \first, 32, write_traps[%03x..]
    li s2, \first
    li t0, \first + \n
    li s6, WR_TEMPLATE
    la a0, sweep
    jalr a0
    RES s8, write_traps.\first\().odd_records
    RES s9, write_traps.\first\().last_odd
.endm

main:
    /* reset values, before anything is written */
    RV 0x300, mstatus
    RV 0x301, misa
    RV 0x304, mie
    RV 0x305, mtvec
    RV 0x320, mcountinhibit
    RV 0x323, mhpmevent3
    RV 0x324, mhpmevent4
    RV 0x325, mhpmevent5
    RV 0x326, mhpmevent6
    RV 0x327, mhpmevent7
    RV 0x340, mscratch
    RV 0x341, mepc
    RV 0x342, mcause
    RV 0x343, mtval
    RV 0x344, mip
    RV 0x7A0, tselect
    RV 0x7A1, tdata1
    RV 0x7A2, tdata2
    RV 0x7C0, mrac
    RV 0x7C2, mcpc
    RV 0x7C6, mpmc
    RV 0x7CE, mfdht
    RV 0x7CF, mfdhs
    RV 0x7D2, mitcnt0~
    RV 0x7D3, mitb0
    RV 0x7D4, mitctl0
    RV 0x7D5, mitcnt1~
    RV 0x7D6, mitb1
    RV 0x7D7, mitctl1
    RV 0x7F0, micect
    RV 0x7F1, miccmect
    RV 0x7F2, mdccmect
    RV 0x7F8, mcgc
    RV 0x7F9, mfdc
    RV 0x7FF, mscause
    RV 0xB00, mcycle~
    RV 0xB02, minstret~
    RV 0xB80, mcycleh
    RV 0xB82, minstreth
    RV 0xB03, mhpmcounter3
    RV 0xB04, mhpmcounter4
    RV 0xB05, mhpmcounter5
    RV 0xB06, mhpmcounter6
    RV 0xB07, mhpmcounter7
    RV 0xB83, mhpmcounter3h
    RV 0xB84, mhpmcounter4h
    RV 0xB85, mhpmcounter5h
    RV 0xB86, mhpmcounter6h
    RV 0xB87, mhpmcounter7h
    RV 0xBC0, mdeau
    RV 0xBC8, meivt
    RV 0xBC9, meipt
    RV 0xBCB, meicidpl
    RV 0xBCC, meicurpl
    RV 0xF11, mvendorid
    RV 0xF12, marchid
    RV 0xF13, mimpid
    RV 0xF14, mhartid
    RV 0xFC0, mdseac
    RV 0xFC8, meihap

    /* write masks */
    li tp, REC
    WB 0x300, mstatus
    WB 0x301, misa
    WB 0x304, mie
    WB 0x305, mtvec
    WB 0x320, mcountinhibit
    csrw 0x320, zero
    WB 0x340, mscratch
    WB 0x341, mepc
    WB 0x342, mcause
    WB 0x343, mtval
    WB 0x344, mip
    WB 0x7C0, mrac
    WB 0x7CE, mfdht
    WB 0x7CF, mfdhs
    WB 0x7D3, mitb0
    WB 0x7D6, mitb1
    WB 0x7D4, mitctl0
    WB 0x7D7, mitctl1
    csrw 0x7D4, zero
    csrw 0x7D7, zero
    WB 0x7D2, mitcnt0
    WB 0x7D5, mitcnt1
    WB 0x7F0, micect
    csrw 0x7F0, zero
    WB 0x7F1, miccmect
    csrw 0x7F1, zero
    WB 0x7F2, mdccmect
    csrw 0x7F2, zero
    WB 0x7F8, mcgc
    WB 0x7F9, mfdc
    WB 0x7FF, mscause
    WB 0xBC0, mdeau
    WB 0xBC8, meivt
    WB 0xBC9, meipt
    WB 0xBCB, meicidpl
    WB 0xBCC, meicurpl
    WB 0x323, mhpmevent3
    WB 0x326, mhpmevent6
    WB 0x327, mhpmevent7
    WB 0x33F, mhpmevent31
    csrw 0x323, zero
    csrw 0x324, zero
    csrw 0x325, zero
    csrw 0x326, zero
    li a0, 0x7D
    csrw 0x320, a0              /* stop the counters */
    WB 0xB00, mcycle
    WB 0xB02, minstret
    WB 0xB80, mcycleh
    WB 0xB82, minstreth
    WB 0xB03, mhpmcounter3
    WB 0xB06, mhpmcounter6
    WB 0xB07, mhpmcounter7
    WB 0xB1F, mhpmcounter31
    WB 0xB83, mhpmcounter3h
    WB 0xB86, mhpmcounter6h
    WB 0xB87, mhpmcounter7h
    WB 0xB9F, mhpmcounter31h
    csrw 0x320, zero
    WBX 0x7C6, 0, mpmc.0
    WBX 0x7C6, 2, mpmc.2
    WBX 0x7C6, 0xFFFFFFFC, mpmc.fffffffc
    WBX 0x7C6, 0xFFFFFFFE, mpmc.fffffffe
    WBX 0x7F0, 0xD0000005, micect.thresh26
    WBX 0x7F0, 0xD8000005, micect.thresh27
    csrw 0x7F0, zero
    csrr a0, mip
    RES a0, mip.micect_0
    WBX 0x7F0, 0x10000004, micect.thresh2_count4
    csrr a0, mip
    RES a0, mip.micect_2_4
    WBX 0x7F0, 0x18000004, micect.thresh3_count4
    csrr a0, mip
    RES a0, mip.micect_3_4
    WBX 0x7F0, 0x00000001, micect.thresh0_count1
    csrr a0, mip
    RES a0, mip.micect_0_1
    csrw 0x7F0, zero
    WBX 0x7F2, 0x08000002, mdccmect.thresh1_count2
    csrr a0, mip
    RES a0, mip.mdccmect_1_2
    csrw 0x7F2, zero
    /* mstatus one bit at a time through csrrs/csrrc immediate */
    csrrsi a1, mstatus, 8
    csrr a0, mstatus
    RES a0, mstatus.set_mie
    csrrci a1, mstatus, 8
    RES a1, mstatus.old_by_csrrci
    csrr a0, mstatus
    RES a0, mstatus.clr_mie
    csrrwi a1, mscratch, 31
    csrrsi a2, mscratch, 0
    RES a2, mscratch.wi31
    csrrci a2, mscratch, 10
    csrrw a2, mscratch, zero
    RES a2, mscratch.ci10

    /* triggers */
    .set k, 0
    .rept 4
    li a0, k
    csrw 0x7A0, a0
    .if k == 0
    WB 0x7A0, tselect
    li a0, 0
    csrw 0x7A0, a0
    .endif
    csrr s2, 0x7A1
    RES s2, trig.tdata1.reset
    WB 0x7A1, trig.tdata1
    csrw 0x7A1, zero
    csrr a0, 0x7A1
    RES a0, trig.tdata1.zero
    li a0, 0x4
    csrw 0x7A1, a0
    csrr a0, 0x7A1
    RES a0, trig.tdata1.execute
    li a0, 0x80004
    csrw 0x7A1, a0
    csrr a0, 0x7A1
    RES a0, trig.tdata1.execute_select
    csrw 0x7A1, zero
    WB 0x7A2, trig.tdata2
    csrw 0x7A2, zero
    .set k, k+1
    .endr
    csrw 0x7A0, zero

    /* event numbers that mhpmevent3 accepts: bit set = stored */
    RESA s4, 32, 0, 32, mhpmevent3.accepts[%d..]
    li s2, 0
1:  li s3, 0
    li s5, 0
2:  slli a0, s2, 5
    or a0, a0, s5
    csrw 0x323, a0
    csrr a1, 0x323
    bne a0, a1, 3f
    li a2, 1
    sll a2, a2, s5
    or s3, s3, a2
3:  addi s5, s5, 1
    li a2, 32
    bne s5, a2, 2b
    sw s3, 0(s4)
    addi s4, s4, 4
    addi s2, s2, 1
    bne s2, a2, 1b
    csrw 0x323, zero

    /* which numbers trap: bit set = trapped. Runs in the ICCM */
    jal t4, setup
    csrw mie, zero
    li a0, 2
    csrw 0x7C6, a0
    jal t4, copy_iccm
    la a0, sweep_trap
    csrw mtvec, a0
    SWEEP 0, 4096
    jal t4, setup
    /* plain csrrw to read-only ones */
    .macro ROW csr, name
    ARM
    csrrw a1, \csr, zero
1:  RT rowrite.\name
    .endm
    ROW 0xF11, mvendorid
    ROW 0xF14, mhartid
    ROW 0xFC0, mdseac
    ROW 0xFC8, meihap
    ROW 0xF15, mconfigptr
    ROW 0xC00, cycle
    ROW 0x310, mstatush
    ROW 0x7B0, dcsr
    FINISH

    .section .iccm,"ax",@progbits
    .balign 4
    .option push
    .option norvc
stub:
    nop
    jr s0
    .option pop
    .balign 4
sweep_trap:
    li s11, 1
    csrr a0, mcause
    addi a0, a0, -2
    csrr a1, mscause
    or a0, a0, a1
    csrr a1, mtval
    sub a1, a1, a5
    or a0, a0, a1
    csrr a1, mepc
    sub a1, a1, s10
    or a0, a0, a1
    csrw mepc, s0
    bnez a0, 1f
    mret
1:  addi s8, s8, 1
    mv s9, a4
    mret
/* s4 result, s2 first number, s6 template, t2 end -> s8 odd records, s9 last of them */
sweep:
    li s8, 0
    li s9, -1
    la s10, stub
    la s0, 3f
    li s3, 0
2:  slli a0, s2, 20
    mv a4, s2
    or a5, a0, s6
    sw a5, 0(s10)
    fence
    fence.i
    li t1, 0
    li s11, 0
    li a1, 0x7C2                /* mcpc would pause: left out */
    beq s2, a1, 3f
    jr s10
3:  sll a1, s11, s2
    or s3, s3, a1
    addi s2, s2, 1
    andi a1, s2, 31
    bnez a1, 2b
    sw s3, 0(s4)
    addi s4, s4, 4
    li s3, 0
    bne s2, t0, 2b
    ret
