/* SPDX-License-Identifier: GPL-2.0-or-later */
/* State after firmware-update reset and warm reset */
#include "veer.inc"
#define PHASE 0x50003000
#define PAT 0x5A000000
#define W1 0x1000
#define W2 0x1FFF0
.macro RC csr, name:vararg
    csrr a0, \csr
    RES a0, \name
.endm
.macro RW addr, name:vararg
    GETW a0, \addr
    RES a0, \name
.endm
/* everything as found; x5 was put to mscratch */
.macro FOUND n
    RESA x5, 32, 0, 1, \n\().x[%d]
    sw x1, 4(x5)
    sw x2, 8(x5)
    /* x3 = gp is the macros' own */
    .irp r,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sw x\r, 4*\r(x5)
    .endr
    csrr x6, mscratch
    sw x6, 20(x5)
    RC mstatus, \n\().mstatus
    RC mie, \n\().mie
    RC mtvec, \n\().mtvec
    RC mepc, \n\().mepc
    RC mcause, \n\().mcause
    RC mtval, \n\().mtval
    RC mip, \n\().mip
    RC mscause, \n\().mscause
    RC mrac, \n\().mrac
    RC mpmc, \n\().mpmc
    RC mitb0, \n\().mitb0
    RC mitctl0, \n\().mitctl0
    RC mitctl1, \n\().mitctl1
    RC meivt, \n\().meivt
    RC meipt, \n\().meipt
    RC meicurpl, \n\().meicurpl
    RC meicidpl, \n\().meicidpl
    RC meihap, \n\().meihap
    RC mdseac, \n\().mdseac
    RC 0x320, \n\().mcountinhibit
    RC 0xB80, \n\().mcycleh
    RC 0xB82, \n\().minstreth
    RC 0xB03, \n\().mhpmcounter3
    RC 0x323, \n\().mhpmevent3
    RC 0x7F1, \n\().miccmect
    RC 0x7A0, \n\().tselect
    RC 0x7A1, \n\().tdata1
    RC 0x7A2, \n\().tdata2
    RC 0x7F9, \n\().mfdc
    RW PIC+0x50, \n\().meipl20
    RW PIC+0x2050, \n\().meie20
    RW PIC+0x3000, \n\().mpiccfg
    RW PIC+0x4050, \n\().meigwctrl20
    RW 0x50002000, \n\().dccm.50002000
    RW 0x50000000+W2, \n\().dccm.w2
    RW 0x40000000+W1, \n\().iccm.w1
    RW 0x40000000+W2, \n\().iccm.w2
    li t0, MRAC_ROM
    csrw mrac, t0
    RW SOC+0x40, \n\().reset_reason
    RW NMIVEC, \n\().nmivec
    RW SOC+0x620, \n\().iccm_lock
    RW SOC+0x64C, \n\().mtimecmp_h
    RW SOC+0x18, \n\().fw_ext_err0
    RW SOC+0xD0, \n\().gout1
    RW INTR+0x00, \n\().global_intr_en
    RW INTR+0x08, \n\().notif_intr_en
    RW INTR+0x18, \n\().notif_internal_intr
    RW SOC+0xEC, \n\().wdt1_period
    RW 0x1001c028, \n\().dv_entry0
    RW 0x1001c000, \n\().dv_ctrl0
    RW 0x1001c208, \n\().dv_dvctrl0
    RW 0x10018000, \n\().kv_ctrl0
    RW 0x3002001C, \n\().mbox_status
    RW 0x30020000, \n\().mbox_lock
    RW 0x30000010, \n\().mbox_sram
    RW 0x30020008, \n\().mbox_cmd
.endm
main:
    csrw mscratch, x5
    la x5, PHASE_ADDR
    lw x5, 0(x5)
    beqz x5, phase0
    addi x5, x5, -1
    beqz x5, phase1
    j phase2
    .set PHASE_ADDR, PHASE

phase0:
    FOUND cold
    SETW PHASE, 1
    jal t4, dirty
    SETW 0x50002000, PAT+0x1111
    SETW 0x50000000+W2, PAT+0x2222
    SETW 0x40000000+W1, PAT+0x3333
    SETW 0x40000000+W2, PAT+0x4444
    SETW SOC+0x620, 1
    SETW SOC+0x628, 20
    fence
    jal t4, dirty_gpr
    lui x1, 0x30030
    addi x2, x0, 1
    sw x2, 0x624(x1)
    fence
9:  j 9b
phase1:
    FOUND fwupd
    SETW PHASE, 2
    jal t4, dirty
    SETW 0x40000000+W1, PAT+0x5555
    SETW SOC+0x620, 1
    fence
    jal t4, dirty_gpr
    lui x1, 0x30030
    addi x2, x0, 0xA5
    sw x2, 0xCC(x1)
    fence
9:  j 9b
phase2:
    FOUND warm
    FINISH

dirty_gpr:
    .set k, 1
    .rept 28
    .set k, k
    .endr
    li x1, 0x11
    li x2, 0x22
    li x3, 0x33
    li x5, 0x55
    li x6, 0x66
    li x7, 0x77
    li x8, 0x88
    li x9, 0x99
    li x10, PAT+10
    li x15, PAT+15
    li x20, PAT+20
    li x27, PAT+27
    li x30, PAT+30
    li x31, PAT+31
    jr x29
/* t4 = return */
dirty:
    mv s3, t4
    jal t4, setup_all
    csrw 0x7A0, zero
    li a0, PAT+0x124
    csrw 0x7A2, a0
    li a0, 0x82
    csrw 0x7A1, a0
    li a0, 2
    csrw 0x7A0, a0
    csrw mepc, a0
    csrw mcause, a0
    csrw mtval, a0
    li a0, 0x20000800
    csrw mie, a0
    csrwi mscause, 7
    csrw mpmc, zero
    li a0, 0x1234
    csrw mitb0, a0
    csrwi mitctl0, 6
    csrwi mitctl1, 8
    li a0, TABLE
    csrw meivt, a0
    csrwi meipt, 5
    csrwi meicurpl, 6
    csrwi meicidpl, 7
    csrwi 0x320, 0x18
    csrwi 0x323, 2
    csrwi 0xB03, 9
    csrwi 0xB80, 3
    csrwi 0xB82, 4
    csrwi 0x7F1, 3
    csrwi 0x7F9, 4
    SETW PIC+0x50, 9
    SETW PIC+0x2050, 1
    SETW PIC+0x3000, 1
    SETW PIC+0x4050, 2
    SETW INTR+8, 0xFF
    SETW INTR, 3
    SETW INTR+0x20, 1
    SETW SOC+0x64C, 0x77
    SETW SOC+0x18, PAT+0x18
    SETW SOC+0xD0, PAT+0xD0
    SETW SOC+0xEC, 0x12345
    SETW 0x1001c028, PAT+0x28
    SETW 0x1001c000, 1
    SETW 0x1001c208, 1
    SETW 0x10018000, 0x401
    GETW a0, 0x30020000
    SETW 0x30020008, PAT+8
    SETW 0x30000010, PAT+0x10
    /* lock mdseac */
    csrw mdeau, zero
    la s0, 1f
    li a0, 0x70000000
    sw a0, 0(a0)
    fence
    NOPS 12
1:  mv t4, s3
    jr t4
