/*
 * VeeR EL2 core, as Caliptra 1.x integrates it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef RISCV_VEER_H
#define RISCV_VEER_H

#include "cpu.h"
#include "hw/core/clock.h"

#define TYPE_VEER_CPU RISCV_CPU_TYPE_NAME("veer-el2")
OBJECT_DECLARE_TYPE(VeerCPU, VeerCPUClass, VEER_CPU)

/* Named input lines (qdev GPIO), the core's ports without its bus */
#define VEER_IN_EXT         "mexintpend"    /* level, from the PIC */
#define VEER_IN_WAKE        "mhwakeup"      /* level, from the PIC */
#define VEER_IN_TIMER       "timer-int"     /* level */
#define VEER_IN_SOFT        "soft-int"      /* level */
#define VEER_IN_NMI         "nmi-int"       /* rising edge */

/*
 * Bit 32 of the physical address of a data access: the region has no side
 * effects (mrac), so what goes out on the bus is the aligned 64-bit beat
 * around the bytes of a load, and the bytes of a store that is not aligned.
 */
#define VEER_BUS_WIDE       (1ULL << 32)

/* Local interrupts beside the standard ones: mip, mie, mcause */
#define VEER_IRQ_TIMER1     28
#define VEER_IRQ_TIMER0     29
#define VEER_IRQ_CE         30

/* mcause of non-maskable interrupts */
#define VEER_NMI_PIN            0x00000000
#define VEER_NMI_STORE          0xF0000000
#define VEER_NMI_LOAD           0xF0000001
#define VEER_NMI_VECTOR_OUTSIDE 0xF0001001
#define VEER_NMI_VECTOR_REGION  0xF0001002

/* mscause, which tells apart the sources of one mcause */
enum {
    VEER_MSCAUSE_NONE = 0,
    /* instruction access faults */
    VEER_MSCAUSE_IFU_UNMAPPED = 2,
    VEER_MSCAUSE_IFU_BUS = 9,
    /* breakpoint */
    VEER_MSCAUSE_EBREAK = 2,
    /* misaligned loads and stores */
    VEER_MSCAUSE_MIS_SIDE_EFFECT = 1,
    VEER_MSCAUSE_MIS_REGION = 2,
    /* load and store access faults */
    VEER_MSCAUSE_LSU_UNMAPPED = 2,
    VEER_MSCAUSE_LSU_PREDICT = 5,
    VEER_MSCAUSE_LSU_PIC = 6,
};

#define VEER_TIMERS     2
#define VEER_TRIGGERS   4
#define VEER_HPM_FIRST  3
#define VEER_HPM_COUNT  4

/* A counter of clocks or of instructions */
typedef struct VeerCounter {
    uint64_t value;     /* when it was last set or stopped */
    uint64_t base;      /* reading of its source that belongs to @value */
    bool running;
} VeerCounter;

/* Internal timer; the low 32 bits of @cnt count */
typedef struct VeerTimer {
    VeerCounter cnt;
    uint32_t bound;
    uint32_t ctl;
} VeerTimer;

/**
 * VeerPicOps: what the core asks of its interrupt controller
 * @claim: latch the source that wins now: *@id 0 to 31 (0: none), *@priority
 *         0 to 15
 * @thresholds: meipt and meicurpl are @meipt and @meicurpl, 0 to 15, from
 *              now on
 */
typedef struct VeerPicOps {
    void (*claim)(void *opaque, uint8_t *id, uint8_t *priority);
    void (*thresholds)(void *opaque, uint8_t meipt, uint8_t meicurpl);
} VeerPicOps;

struct VeerCPUClass {
    RISCVCPUClass parent_class;

    DeviceRealize parent_realize;
    ResettablePhases parent_phases;
};

struct VeerCPU {
    RISCVCPU parent_obj;

    /* properties: what the integration has chosen (el2_param.vh) */
    uint32_t iccm_base;
    uint32_t iccm_size;
    uint32_t dccm_base;
    uint32_t dccm_size;
    uint32_t pic_base;
    uint32_t pic_size;
    uint32_t rom_size;
    uint32_t ifu_mask;

    Clock *clk;
    const VeerPicOps *pic;
    void *pic_opaque;

    /* rst_l of the core, and whether it has been low since the last look */
    bool rst_l;
    bool rst_seen;
    /* levels and latches of interrupts */
    bool in_reset;
    bool nmi_level;
    bool nmi_pending;
    bool wakeup_level;
    bool halted;
    bool mdseac_locked;
    uint32_t nmi_vector;
    uint32_t nmi_cause;

    /* mscause of the exception that is about to be taken */
    uint32_t excp_mscause;

    /* CSRs that other cores do not have, or have in another way */
    uint32_t mrac;
    uint32_t mpmc;
    uint32_t mfdht;
    uint32_t mfdhs;
    uint32_t micect;
    uint32_t miccmect;
    uint32_t mdccmect;
    uint32_t mcgc;
    uint32_t mfdc;
    uint32_t mscause;
    uint32_t meivt;
    uint32_t meipt;
    uint32_t meicidpl;
    uint32_t meicurpl;
    uint32_t claim_id;
    uint32_t mdseac;
    uint32_t mcountinhibit;
    uint32_t mhpmevent[VEER_HPM_COUNT];
    uint32_t tselect;
    uint32_t tdata1[VEER_TRIGGERS];
    uint32_t tdata2[VEER_TRIGGERS];

    /* counters: mcycle, minstret, mhpmcounter3 to 6 */
    VeerCounter mcycle;
    VeerCounter minstret;
    VeerCounter hpm[VEER_HPM_COUNT];

    VeerTimer timer[VEER_TIMERS];
    QEMUTimer *match;

    /* some of the instructions that have been seen to use a bus; a hint */
    uint32_t bus_insn[1024];
};

/* ---- for the machine ---- */

/**
 * veer_cpu_set_pic: connect the interrupt controller
 * @cpu: the core
 * @ops: its functions, called with the BQL held
 * @opaque: their first argument
 */
void veer_cpu_set_pic(VeerCPU *cpu, const VeerPicOps *ops, void *opaque);

/**
 * veer_cpu_set_rst_l: drive the core's reset
 * @cpu: the core
 * @level: low (false) holds it in reset; it starts at its reset vector when
 *         the level rises
 *
 * Takes effect before the next instruction, after the access that is going
 * on; a low pulse resets even if it is shorter than that.  An access that
 * ends in an error while such a reset is due does not complete.
 */
void veer_cpu_set_rst_l(VeerCPU *cpu, bool level);

/**
 * veer_cpu_set_nmi_vector: drive the nmi_vec input
 * @cpu: the core
 * @vector: address; bit 0 is not connected
 */
void veer_cpu_set_nmi_vector(VeerCPU *cpu, uint32_t vector);

/* ---- between veer.c and veer_csr.c ---- */

/* All CSRs of this core, by number; those without a predicate do not exist */
extern riscv_csr_operations veer_csr_ops[CSR_TABLE_SIZE];

/* Fill veer_csr_ops */
void veer_csr_init(void);
/* CSRs, counters and timers at reset */
void veer_csr_reset(VeerCPU *cpu);
/* Counters and timers when the halted state begins or ends */
void veer_counters_halt(VeerCPU *cpu, bool halted);
/* An instruction has been counted that does not retire, or the reverse */
void veer_minstret_adjust(VeerCPU *cpu, int n);
/* The timers' next match has come: interrupts, new deadline */
void veer_timer_expired(void *opaque);

/* Tell QEMU's core loop whether an interrupt is both pending and enabled */
void veer_update_irq(VeerCPU *cpu);
/* Set mip[@irq] */
void veer_set_mip(VeerCPU *cpu, int irq, bool level);
/* mpmc.halt was written: sleep, unless an interrupt is due */
void veer_halt(VeerCPU *cpu);

#endif /* RISCV_VEER_H */
