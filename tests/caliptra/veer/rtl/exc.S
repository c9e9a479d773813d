/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Precise exceptions */
#include "veer.inc"
/* an encoding; rd etc. are t0..t2 */
.macro ILL w
    ARM
    .4byte \w
1:  RT ill.\w
.endm
.macro ILC w
    ARM
    .2byte \w
    .2byte 1
1:  RT illc.\w
.endm
/* load/store at address; a1 before = DEADBEEF, after: result */
.macro MX insn, addr
    ARM
    li a0, \addr
    li a1, 0xDEADBEEF
    \insn a1, 0(a0)
    fence
    NOPS 6
1:  RT \insn\().\addr
    RES a1, \insn\().\addr\().reg
.endm
/* base + offset */
.macro MO insn, base, off
    ARM
    li a0, \base
    li a1, 0xDEADBEEF
    \insn a1, \off(a0)
    fence
    NOPS 6
1:  RT \insn\().\base+\off
    RES a1, \insn\().\base+\off\().reg
    csrw mdeau, zero
.endm
/* jump */
.macro JX addr
    ARM
    li a0, \addr
    li a1, 0
    li a2, 0
    mv ra, s0
    jr a0
    NOPS 2
1:  RT jump.\addr
    RES a1, jump.\addr\().auipc
.endm

.macro JA base
    ARM
    la a0, retstub
    li a3, \base
    add a0, a0, a3
    li a1, 0
    mv ra, s0
    jr a0
    NOPS 2
1:  RT jump.\base+retstub
    RES a1, jump.\base+retstub.auipc
.endm

main:
    jal t4, setup_all
    li t0, 0
    li t1, SCR
    li t2, 0
    /* known DCCM, ICCM content */
    SETW SCR, 0x03020100
    SETW SCR+4, 0x07060504
    SETW 0x5001FFFC, 0x33221100
    SETW 0x40000100, 0x13121110
    SETW 0x40000104, 0x17161514
    SETW 0x4001FFFC, 0x43424140
    ILL 0xFFFFFFFF
    ILL 0x1003232F       /* lr.w */
    ILL 0x1803232F       /* sc.w */
    ILL 0x0003232F       /* amoadd.w */
    ILL 0x00032087       /* flw */
    ILL 0x00000053       /* fadd.s */
    ILL 0x10200073       /* sret */
    ILL 0x00200073       /* uret */
    ILL 0x7B200073       /* dret */
    ILL 0x12000073       /* sfence.vma */
    ILL 0x10500073       /* wfi */
    ILL 0x105000F3       /* wfi, rd = 1 */
    ILL 0x8330000F       /* fence.tso */
    ILL 0x0100000F       /* pause */
    ILL 0x0000000F       /* fence 0,0 */
    ILL 0x0FF0028F       /* fence, rd = t0 */
    ILL 0x0FF3000F       /* fence, rs1 = t1 */
    ILL 0x0010100F       /* fence.i, imm 1 */
    ILL 0x0000128F       /* fence.i, rd = t0 */
    ILL 0x0000200F       /* misc-mem funct3 2 */
    ILL 0x00000173       /* ecall with rd */
    ILL 0x00008073       /* ecall with rs1 */
    ILL 0x00104073       /* system funct3 4 */
    ILL 0x00033283       /* ld */
    ILL 0x00037283       /* load funct3 7 */
    ILL 0x00736283       /* lwu */
    ILL 0x00733023       /* sd */
    ILL 0x00032263       /* branch funct3 2 */
    ILL 0x000312E7       /* jalr funct3 1 */
    ILL 0x02031293       /* slli, shamt[5] */
    ILL 0x10031293       /* slli, funct7 8 */
    ILL 0x80035293       /* srli, bit 31 */
    ILL 0x40034293       /* xori: legal */
    ILL 0x407312B3       /* op funct7 0x20, funct3 1 */
    ILL 0x047342B3       /* op funct7 2 */
    ILL 0xFE7342B3       /* op funct7 0x7F */
    ILL 0x087342B3       /* pack t0,t1,t2 (zext.h with rs2 = t2) */
    ILL 0x080342B3       /* zext.h t0,t1: legal */
    ILL 0x69835293       /* rev8: legal */
    ILL 0x69F35293       /* rori-like grevi 31 */
    ILL 0x68F35293       /* grevi 15 */
    ILL 0x28735293       /* orc.b: legal */
    ILL 0x28635293       /* gorci 6 */
    ILL 0x60331293       /* clz group, 3 */
    ILL 0x61031293       /* crc32.b */
    ILL 0x087362B3       /* bdecompress-like */
    ILL 0x0E735033       /* czero.eqz x0 */
    ILL 0x0000000B       /* custom-0 */
    ILL 0x0000002B       /* custom-1 */
    ILL 0x0000005B       /* custom-2 */
    ILL 0x0000001B       /* addiw */
    ILL 0x0000003B       /* addw */
    ILC 0x0000
    ILC 0x4002           /* c.lwsp x0 */
    ILC 0x6081           /* c.lui x1,0 */
    ILC 0x6101           /* c.addi16sp 0 */
    ILC 0x8002           /* c.jr x0 */
    ILC 0x6000           /* c.flw */
    ILC 0xE000           /* c.fsw */
    ILC 0x2000           /* c.fld */
    ILC 0xA000           /* c.fsd */
    ILC 0x1282           /* c.slli t0, 32 */
    ILC 0x9001           /* c.srli s0, 32 */
    ILC 0x9C01           /* c.subw */
    ILC 0x9C21           /* c.addw */
    ILC 0x0005           /* c.nop hint */
    ILC 0x8000
    ILC 0x9C41
    ARM
    ecall
1:  RT ecall
    ARM
    ebreak
1:  RT ebreak
    ARM
    c.ebreak
1:  RT c.ebreak
    /* with MIE = 1 */
    csrsi mstatus, 8
    ARM
    ecall
1:  RT ecall.mie
    csrci mstatus, 8
    /* mtvec mode 1: exceptions go to the base */
    la t5, vec_table+1
    csrw mtvec, t5
    ARM
    ecall
1:  RT ecall.vectored
    ARM
    .4byte 0xFFFFFFFF
1:  RT illegal.vectored
    la t5, trap_entry
    csrw mtvec, t5
    /* mret: MPIE -> MIE */
    li a0, 0x80
    csrw mstatus, a0
    la a0, 1f
    csrw mepc, a0
    mret
1:  csrr a0, mstatus
    RES a0, mret.mstatus.from80
    csrw mstatus, zero
    la a0, 1f
    csrw mepc, a0
    mret
1:  csrr a0, mstatus
    RES a0, mret.mstatus.from00
    csrci mstatus, 8

    /* misaligned, mrac as ROM sets it */
    MX lw, 0x50002001
    MX lh, 0x50002003
    MX lhu, 0x50002001
    MX lw, 0x50002003
    MX sw, 0x50002011
    MX sh, 0x50002017
    GETW a0, 0x50002010
    RES a0, dccm.50002010
    GETW a0, 0x50002014
    RES a0, dccm.50002014
    GETW a0, 0x50002018
    RES a0, dccm.50002018
    MX lw, 0x40000101
    MX lh, 0x40000103
    MX lw, 0x00000002
    MX lh, 0x00000003
    MX lw, 0x30030041
    MX lh, 0x30030041
    MX lhu, 0x30030043
    MX sw, 0x3003001A
    MX sh, 0x3003001B
    MX lw, 0x30000002
    MX sw, 0x30000001
    MX lw, 0x10020002
    MX lw, 0x70000001
    MX sh, 0xF0000001
    /* region crossings */
    MX lw, 0x4FFFFFFE
    MX lh, 0x4FFFFFFF
    MX sw, 0x4FFFFFFD
    MX lw, 0x5FFFFFFE
    MX sw, 0x5FFFFFFF
    MX lw, 0x0FFFFFFF
    MX lw, 0x2FFFFFFD
    MX sh, 0x6FFFFFFF
    MX lw, 0xFFFFFFFE
    /* DCCM, PIC out of range */
    MX lw, 0x50020000
    MX lb, 0x50020000
    MX sb, 0x50020003
    MX sw, 0x5FFFFFFC
    MX lw, 0x5001FFFC
    MX lb, 0x5001FFFF
    MX lw, 0x5001FFFE
    MX lh, 0x5001FFFF
    MX sw, 0x5001FFFD
    MX lw, 0x60008000
    MX sw, 0x60008000
    MX lw, 0x6FFFFFFC
    /* PIC sub-word, misaligned */
    MX lw, 0x60000004
    MX lb, 0x60000004
    MX lh, 0x60000004
    MX lbu, 0x60003000
    MX sb, 0x60000004
    MX sh, 0x60000006
    MX lw, 0x60000002
    MX sw, 0x60000005
    MX lw, 0x60007FFE
    MX lh, 0x60007FFF
    /* base register and address in different regions */
    MO lw, 0x4FFFFFF8, 0x10
    MO sw, 0x4FFFFFF8, 0x18
    MO lw, 0x50000000, -8
    MO sw, 0x50000000, -8
    MO lw, 0x5FFFFFF8, 0x10
    MO lw, 0x60000004, -8
    MO lw, 0x6FFFFFF8, 0x10
    MO lw, 0x70000000, -4
    MO lw, 0x3FFFFFF8, 0x108
    MO lw, 0x4FFFFFF8, 0x0A
    /* jumps */
    JX 0x40020000
    JX 0x4FFFFFF0
    JA 0x50000000
    JA 0x50020000
    JA 0x60000000
    JA 0x30000000
    JA 0x10000000
    JA 0x12340000
    JA 0xFFFF0000
    FINISH

    .balign 16
retstub:
    auipc a1, 0
    ret
