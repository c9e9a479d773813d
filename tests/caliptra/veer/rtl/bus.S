/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Imprecise bus errors */
#include "veer.inc"
.macro BX insn, addr
    csrw mdeau, zero
    ARM
    li a0, \addr
    li a1, 0xDEADBEEF
    \insn a1, 0(a0)
    fence
    NOPS 12
1:  RTN \insn\().\addr
    RES a1, \insn\().\addr\().reg
.endm
main:
    jal t4, setup_all
    SETW 0x40000100, 0x13121110
    SETW 0x40000104, 0x17161514
    SETW 0x4001FFFC, 0x43424140
    csrr a0, mdseac
    RES a0, mdseac.before
    BX lw, 0x0000C000
    BX lb, 0x00010001
    BX lw, 0x10011000
    BX lw, 0x1001E000
    BX lhu, 0x10030002
    BX lw, 0x20004000
    BX lw, 0x30022000
    BX lw, 0x3002FFFC
    BX lw, 0x30040000
    BX lb, 0x40020003
    BX lw, 0x70000000
    BX lb, 0x70000003
    BX lh, 0x70000006
    BX lw, 0x70000004
    BX lw, 0xFFFFFFFC
    BX sw, 0x00000000
    BX sb, 0x00000101
    BX sw, 0x0000C000
    BX sw, 0x10011000
    BX sh, 0x1001E002
    BX sw, 0x30022000
    BX sw, 0x40020000
    BX sb, 0x70000003
    BX sw, 0xFFFFFFFC
    /* SoC interface, no register there */
    BX lw, 0x30031000
    BX lw, 0x300307FC
    BX sw, 0x30031000
    BX lw, 0x30020024
    BX lw, 0x30021064
    BX lw, 0x10020FFC
    BX lw, 0x10019000
    /* ICCM as data */
    BX lb, 0x40000101
    BX lhu, 0x40000102
    BX lh, 0x40000103
    BX lw, 0x40000102
    BX lw, 0x40000104
    BX sw, 0x40000108
    BX sb, 0x40000108
    BX sb, 0x4000010B
    BX sh, 0x40000108
    BX sh, 0x4000010A
    BX sw, 0x40000109
    BX sw, 0x4000010A
    GETW a0, 0x40000108
    RES a0, iccm.40000108
    GETW a0, 0x4000010C
    RES a0, iccm.4000010c
    BX lw, 0x4001FFFE
    /* side-effect off for region 7: what address is reported */
    li a0, 0x2AAA20A9
    csrw mrac, a0
    BX lb, 0x70000003
    BX lh, 0x70000006
    BX lw, 0x70000004
    BX lw, 0x70000005
    BX sb, 0x70000003
    BX sw, 0x70000005
    BX sh, 0x70000007
    li a0, MRAC_ROM
    csrw mrac, a0
    /* several errors without unlocking */
    BX lw, 0x70000010
    ARM
    li a0, 0x80000020
    li a1, 0x12345678
    lw a1, 0(a0)
    fence
    NOPS 12
1:  RTN second_locked
    RES a1, second_locked.reg
    ARM
    li a0, 0x80000024
    sw a1, 0(a0)
    fence
    NOPS 12
1:  RTN third_locked
    csrr a0, mdseac
    RES a0, locked.mdseac
    csrw mdeau, zero
    csrr a0, mdseac
    RES a0, unlocked.mdseac
    BX lw, 0x80000028
    /* used at once */
    csrw mdeau, zero
    ARM
    li a0, 0x70000030
    li a1, 0x55
    lw a1, 0(a0)
    addi a2, a1, 1
    fence
    NOPS 12
1:  RTN used_at_once
    RES a1, used_at_once.reg
    /* with MIE set */
    csrw mdeau, zero
    csrsi mstatus, 8
    ARM
    li a0, 0x70000034
    sw a1, 0(a0)
    fence
    NOPS 12
1:  RTN store_with_mie
    csrr a0, mstatus
    RES a0, mstatus.after_mret
    csrci mstatus, 8
    /* load then store, both in error */
    csrw mdeau, zero
    ARM
    li a0, 0x70000040
    li a2, 0x80000044
    lw a1, 0(a0)
    sw a1, 0(a2)
    fence
    NOPS 12
1:  RTN load_store
    csrw mdeau, zero
    ARM
    li a0, 0x70000050
    li a2, 0x80000054
    sw a1, 0(a0)
    lw a1, 0(a2)
    fence
    NOPS 12
1:  RTN store_load
    /* ICCM lock */
    SETW SOC+0x804, 0xFFFFFFFF
    GETW a0, SOC+0x814
    RES a0, error_internal_intr.before
    SETW 0x30030620, 1
    GETW a0, 0x30030620
    RES a0, iccm_lock
    BX lw, 0x40000100
    BX sw, 0x40000100
    BX sb, 0x40000100
    BX lw, 0x40000100
    BX sw, 0x4001FFF0
    GETW a0, SOC+0x814
    RES a0, error_internal_intr.after
    SETW 0x30030620, 0
    GETW a0, 0x30030620
    RES a0, iccm_lock.cleared
    BX sw, 0x40000110
    GETW a0, 0x40000110
    RES a0, iccm.40000110
    FINISH
