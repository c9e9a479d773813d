/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sub-word accesses to 32-bit slaves; mrac as the ROM sets it unless noted */
#include "veer.inc"
/* load: value of a1, packed trap */
.macro LD insn, addr, name
    ARM
    li a0, \addr
    li a1, 0xDEADBEEF
    \insn a1, 0(a0)
    fence
    NOPS 6
1:  csrw mdeau, zero
    RES a1, \name\().\insn\().\addr
    RTP \name\().\insn\().\addr\().trap
.endm
/* store: aligned word := init, store, then read the aligned word back */
.macro ST insn, addr, val, init, name
    li a0, (\addr) & ~3
    li a1, \init
    sw a1, 0(a0)
    ARM
    li a0, \addr
    li a1, \val
    \insn a1, 0(a0)
    fence
    NOPS 6
1:  csrw mdeau, zero
    RTP \name\().\insn\().\addr\().trap
    li a0, (\addr) & ~3
    lw a1, 0(a0)
    RES a1, \name\().\insn\().\addr\().word
.endm
.macro LDALL base, name
    LD lb, \base, \name
    LD lb, \base+1, \name
    LD lb, \base+2, \name
    LD lb, \base+3, \name
    LD lbu, \base, \name
    LD lbu, \base+3, \name
    LD lh, \base, \name
    LD lh, \base+2, \name
    LD lhu, \base, \name
    LD lhu, \base+2, \name
    LD lh, \base+1, \name
    LD lw, \base, \name
.endm
.macro STALL base, name, v
    ST sw, \base, \v, 0x11223344, \name
    ST sb, \base, \v, 0x11223344, \name
    ST sb, \base+1, \v, 0x11223344, \name
    ST sb, \base+2, \v, 0x11223344, \name
    ST sb, \base+3, \v, 0x11223344, \name
    ST sh, \base, \v, 0x11223344, \name
    ST sh, \base+2, \v, 0x11223344, \name
    ST sh, \base+1, \v, 0x11223344, \name
.endm
.macro STFEW base, name, v, init
    ST sb, \base, \v, \init, \name
    ST sb, \base+1, \v, \init, \name
    ST sb, \base+3, \v, \init, \name
    ST sh, \base, \v, \init, \name
    ST sh, \base+2, \v, \init, \name
.endm
main:
    jal t4, setup_all
#define R0 0x30030018
#define R1 0x3003001C
#define M0 0x30000000
#define M1 0x30000104
#define VAL 0x8899AABB
#define DV0 0x1001c028
#define DV1 0x1001c02c
#define KV0 0x10018000
#define BL0 0x10020080
    /* registers of the SoC interface */
    SETW R0, 0xF4838281
    SETW R1, 0x94B3A2C1
    LDALL R0, soc0
    LDALL R1, soc4
    STALL R0, soc0, VAL
    STALL R1, soc4, VAL
    /* the neighbours must not change */
    SETW R0, 0x01020304
    SETW R1, 0x05060708
    li a0, R0
    li a1, 0xEE
    sb a1, 3(a0)
    sb a1, 5(a0)
    sh a1, 6(a0)
    GETW a0, R0
    RES a0, soc.neighbour0
    GETW a0, R1
    RES a0, soc.neighbour1
    SETW R0, 0
    SETW R1, 0
    /* constants of an engine, dword 0 and 1 */
    LDALL 0x10020000, sha512name0
    LDALL 0x10020004, sha512name1
    LD lw, 0x10020008, sha512ver0
    LD lbu, 0x10020009, sha512ver0
    /* data vault and key vault */
    STALL DV0, dv0, VAL
    LDALL DV0, dv0
    STALL DV1, dv4, VAL
    STFEW KV0, kvctrl, 0x1ABBCC00, 0
    SETW KV0, 0x0015A600
    LDALL KV0, kvctrl
    /* a write-only register */
    ST sb, BL0, VAL, 0x11223344, sha512block

    /* mailbox SRAM without the lock */
    LD lw, M0, nolock
    ST sw, M0, VAL, 0x11223344, nolock
    /* and with it */
    GETW a0, 0x30020000
    RES a0, mbox.lock.first
    GETW a0, 0x30020000
    RES a0, mbox.lock.second
    SETW M0, 0xF4838281
    SETW M1, 0x94B3A2C1
    LDALL M0, mbox0
    LDALL M1, mbox4
    STALL M0, mbox0, VAL
    STALL M1, mbox4, VAL
    SETW M0, 0x01020304
    SETW M0+4, 0x05060708
    li a0, M0
    li a1, 0xEE
    sb a1, 3(a0)
    GETW a0, M0
    RES a0, mbox.neighbour0
    GETW a0, M0+4
    RES a0, mbox.neighbour1
    SETW 0x30020020, 1          /* unlock */
    LD lw, M0, unlocked
    /* mailbox registers: a byte read of the lock register takes the lock */
    LD lbu, 0x30020001, mboxlock
    LD lw, 0x3002001C, mboxstatus
    LD lbu, 0x30020000, mboxlock
    LD lbu, 0x30020000, mboxlock_again
    LD lw, 0x3002001C, mboxstatus_locked
    li a0, 0x3002000C
    li a1, 0x11223344
    sb a1, 0(a0)
    GETW a0, 0x3002000C
    RES a0, mbox.dlen.sb
    SETW 0x30020020, 1

    /* SHA accelerator: byte stores of DLEN and DATAIN */
    LD lbu, 0x30021002, shalock
    LD lbu, 0x30021000, shalock
    LD lw, 0x30021000, shalock_again
    SETW 0x30021008, 0          /* streaming, SHA-384 */
    STFEW 0x30021010, shadlen, VAL, 0x01020304
    SETW 0x30021010, 4
    li a0, 0x30021014
    li a1, VAL
    sb a1, 0(a0)
    SETW 0x30021018, 1
    li a2, 2000
2:  GETW a0, 0x3002101C
    andi a0, a0, 2
    addi a2, a2, -1
    beqz a2, 3f
    beqz a0, 2b
3:  GETW a0, 0x30021020
    RES a0, sha.digest0
    GETW a0, 0x30021024
    RES a0, sha.digest1
    LD lbu, 0x30021020, shadigest
    LD lh, 0x30021022, shadigest
    SETW 0x30021000, 1
    LD lw, 0x3002101C, shastatus

    /* the same with mrac = 0 (no region has side effects) */
    csrw mrac, zero
    SETW R0, 0xF4838281
    SETW R1, 0x94B3A2C1
    LDALL R0, mrac0.soc0
    LDALL R1, mrac0.soc4
    STALL R0, mrac0.soc0, VAL
    STALL R1, mrac0.soc4, VAL
    LD lw, R0+1, mrac0
    LD lw, R0+2, mrac0
    ST sw, R0+1, VAL, 0x11223344, mrac0
    LD lw, 0x10020004, mrac0.sha512name1
    LD lw, 0x10020000, mrac0.sha512name0
    GETW a0, 0x30020000
    SETW M0, 0xF4838281
    SETW M0+4, 0x94B3A2C1
    LD lw, M0, mrac0.mbox0
    LD lw, M0+4, mrac0.mbox4
    LD lbu, M0+5, mrac0.mbox5
    LD lw, M0+2, mrac0.mbox2
    li a0, MRAC_ROM
    csrw mrac, a0
    LD lw, M0, mbox_after0
    LD lw, M0+4, mbox_after4
    FINISH
