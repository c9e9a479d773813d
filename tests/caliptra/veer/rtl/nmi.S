/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NMI: watchdog pin, vector, nesting */
#include "veer.inc"
#define FLAG 0x50003000
#define PERIOD 0x200
#define BADST 0x70000100
#define BADLD 0x80000200
.macro WDT t1en, t2en
    SETW SOC+0xE4, 0
    SETW SOC+0xF4, 0
    SETW SOC+0xEC, PERIOD
    SETW SOC+0xF0, 0
    SETW SOC+0xFC, PERIOD
    SETW SOC+0x100, 0
    SETW SOC+0xE8, 1
    SETW SOC+0xF8, 1
    SETW SOC+0xF4, \t2en
    SETW SOC+0xE4, \t1en
.endm
.macro WAITN
    li a2, 1200
2:  addi a2, a2, -1
    bnez a2, 2b
.endm
.macro WDTREGS name
    GETW a0, SOC+0x104
    RES a0, \name\().wdt_status
    GETW a0, SOC+0x000
    RES a0, \name\().hw_error_fatal
    GETW a0, INTR+0x14
    RES a0, \name\().error_internal_intr
.endm
main:
    li t0, FLAG
    lw t1, 0(t0)
    bnez t1, at_zero
    jal t4, setup_all
    SETW INTR+4, 0xFFFFFFFF
    GETW a0, NMIVEC
    RES a0, nmivec
    /* cascade: NMI */
    csrsi mstatus, 8
    ARM
    WDT 1, 0
    WAITN
1:  SETW SOC+0xE4, 0
    csrr s5, mstatus
    csrci mstatus, 8
    RTN cascade
    RES s5, cascade.mstatus_after_mret
    WDTREGS cascade
    SETW SOC+0x104, 3
    SETW INTR+0x14, 0xFFFFFFFF
    SETW SOC+0x000, 0xFFFFFFFF
    WDTREGS cascade.cleared
    /* again, MIE = 0, vector with bit 0 set */
    SETW NMIVEC, 0
    li t5, NMIVEC
    la t6, nmi_entry + 1
    sw t6, 0(t5)
    GETW a0, NMIVEC
    RES a0, nmivec.odd
    ARM
    WDT 1, 0
    WAITN
1:  SETW SOC+0xE4, 0
    RTN cascade.again
    WDTREGS cascade.again
    SETW SOC+0x104, 3
    SETW INTR+0x14, 0xFFFFFFFF
    SETW SOC+0x000, 0xFFFFFFFF
    /* timer 2 on its own, pin already high */
    ARM
    WDT 1, 1
    WAITN
1:  SETW SOC+0xE4, 0
    SETW SOC+0xF4, 0
    RTN independent
    WDTREGS independent
    SETW SOC+0x104, 3
    SETW INTR+0x14, 0xFFFFFFFF
    WDTREGS independent.cleared
    /* another vector */
    li t5, NMIVEC
    la t6, ext_entry2
    sw t6, 0(t5)
    csrw mdeau, zero
    ARM
    li a0, BADST
    sw a0, 0(a0)
    fence
    NOPS 12
1:  RTN other_vector
    /* a bus error inside the handler of a bus error that unlocked mdseac */
    li t5, NMIVEC
    la t6, nest_entry
    sw t6, 0(t5)
    csrw mdeau, zero
    csrsi mstatus, 8
    ARM
    li s5, 0
    li a0, BADST
    sw a0, 0(a0)
    fence
    NOPS 12
1:  csrr s6, mstatus
    csrci mstatus, 8
    RTN nested.last
    RES s5, nested.handlers
    RES s7, nested.first.mcause
    RES s8, nested.first.mstatus
    RES s9, nested.first.mdseac
    RES s6, nested.mstatus_after_mret
    RES s10, nested.mstatus_before_mret
    /* the same without unlocking: nothing nested */
    li t5, NMIVEC
    la t6, nest2_entry
    sw t6, 0(t5)
    csrw mdeau, zero
    ARM
    li s5, 0
    li a0, BADST
    sw a0, 0(a0)
    fence
    NOPS 12
1:  RTN locked.last
    RES s5, locked.handlers
    csrr a0, mdseac
    RES a0, locked.mdseac
    /* an NMI in an exception handler overwrites mepc */
    li t5, NMIVEC
    la t6, nmi_entry
    sw t6, 0(t5)
    csrw mdeau, zero
    la a0, exc_with_nmi
    csrw mtvec, a0
    jal t4, clear_rec
    la s0, 1f
    csrsi mstatus, 8
    ecall
1:  csrr s6, mstatus
    csrci mstatus, 8
    RTN nmi_in_exception
    RES s7, nmi_in_exception.first_mcause
    RES s6, nmi_in_exception.mstatus_after
    la a0, trap_entry
    csrw mtvec, a0
    /* vector register 0: the core goes to address 0 */
    SETW NMIVEC, 0
    SETW FLAG, 1
    csrw mdeau, zero
    jal t4, clear_rec
    li a0, BADLD
    lw a0, 0(a0)
    fence
    NOPS 12
    li a0, 0xBAD
    RES a0, vector0.not_taken
    FINISH
at_zero:
    csrr a0, mcause
    RES a0, vector0.mcause
    csrr a0, mstatus
    RES a0, vector0.mstatus
    csrr a0, mdseac
    RES a0, vector0.mdseac
    csrr a0, mtvec
    RES a0, vector0.mtvec
    csrr a0, mrac
    RES a0, vector0.mrac
    FINISH

    .balign 4
nest_entry:
    addi s5, s5, 1
    li t5, 1
    bne s5, t5, 1f
    csrr s7, mcause
    csrr s8, mstatus
    csrr s9, mdseac
    csrw mdeau, zero
    li t5, BADLD
    lw t5, 0(t5)
    fence
    NOPS 12
1:  csrr s10, mstatus
    j nmi_entry
    .balign 4
nest2_entry:
    addi s5, s5, 1
    li t5, 1
    bne s5, t5, 1f
    li t5, BADLD
    lw t5, 0(t5)
    fence
    NOPS 12
1:  j nmi_entry
    .balign 4
exc_with_nmi:
    csrr s7, mcause
    li t5, BADST
    sw t5, 0(t5)
    fence
    NOPS 12
    j trap_entry
