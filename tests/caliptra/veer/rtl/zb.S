/* SPDX-License-Identifier: GPL-2.0-or-later */
/* M, Zba, Zbb, Zbc, Zbs: every operand pair of a table; a hash and the first results */
#include "veer.inc"
#define NV 16
    .section .rodata,"a",@progbits
    .balign 4
values:
    .word 0x00000000, 0xFFFFFFFF, 0x80000000, 0x00000001, 0x7FFFFFFF, 0x0000001F, 0x00000020, 0xDEADBEEF
    .word 0x00FF00FF, 0x12345678, 0x80000001, 0xFFFF8000, 0x5A0000C3, 0x00000080, 0x9E3779B9, 0x0001FFFE
    .text
/* h = (h ^ r) * 16777619; NV*NV pairs, rs1 in the outer loop; first 16 results (rs1 = values[0], values[1] halves) */
.macro OP2 insn
    RESA s4, 24, 0, 1, \insn[%d]
    la a0, r2_\insn
    jalr a0
    RES s8, \insn\().hash
    .pushsection .iccm,"ax",@progbits
r2_\insn:
    li s8, 0x811C9DC5
    la s2, SCR
    li s5, 0
1:  lw a0, 0(s2)
    la s3, SCR
2:  lw a1, 0(s3)
    \insn a2, a0, a1
    xor s8, s8, a2
    mul s8, s8, s9
    bge s5, s10, 3f
    sw a2, 0(s4)
    addi s4, s4, 4
3:  addi s5, s5, 1
    addi s3, s3, 4
    bne s3, s11, 2b
    addi s2, s2, 4
    bne s2, s11, 1b
    ret
    .popsection
.endm
.macro OP1 insn
    RESA s4, NV, 0, 1, \insn[%d]
    la a0, r1_\insn
    jalr a0
    .pushsection .iccm,"ax",@progbits
r1_\insn:
    la s2, SCR
1:  lw a0, 0(s2)
    \insn a2, a0
    sw a2, 0(s4)
    addi s4, s4, 4
    addi s2, s2, 4
    bne s2, s11, 1b
    ret
    .popsection
.endm
/* shift amounts 0..31 */
.macro OPI insn
    RESA s4, NV, 0, 1, \insn\().hash[%d]
    la a0, ri_\insn
    jalr a0
    .pushsection .iccm,"ax",@progbits
ri_\insn:
    la s2, SCR
1:  lw a0, 0(s2)
    li s8, 0x811C9DC5
    .set sh, 0
    .rept 32
    \insn a2, a0, sh
    xor s8, s8, a2
    mul s8, s8, s9
    .set sh, sh+1
    .endr
    sw s8, 0(s4)
    addi s4, s4, 4
    addi s2, s2, 4
    bne s2, s11, 1b
    ret
    .popsection
.endm

main:
    jal t4, setup_all
    jal t4, copy_iccm
    li s9, 16777619
    li s10, 24
    li s11, SCR + 4*NV
    la a0, values
    li a1, SCR
1:  lw a2, 0(a0)
    sw a2, 0(a1)
    addi a0, a0, 4
    addi a1, a1, 4
    bne a1, s11, 1b
    OP2 mul
    OP2 mulh
    OP2 mulhsu
    OP2 mulhu
    OP2 div
    OP2 divu
    OP2 rem
    OP2 remu
    OP2 sh1add
    OP2 sh2add
    OP2 sh3add
    OP2 andn
    OP2 orn
    OP2 xnor
    OP2 max
    OP2 maxu
    OP2 min
    OP2 minu
    OP2 rol
    OP2 ror
    OP2 clmul
    OP2 clmulh
    OP2 clmulr
    OP2 bclr
    OP2 bext
    OP2 binv
    OP2 bset
    OP2 sll
    OP2 srl
    OP2 sra
    OP2 slt
    OP2 sltu
    OP2 sub
    OP1 clz
    OP1 ctz
    OP1 cpop
    OP1 sext.b
    OP1 sext.h
    OP1 zext.h
    OP1 rev8
    OP1 orc.b
    OPI rori
    OPI bclri
    OPI bexti
    OPI binvi
    OPI bseti
    OPI slli
    OPI srli
    OPI srai
    FINISH
