/*
 * Programmable interrupt controller of the VeeR EL2 core
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_INTC_VEER_PIC_H
#define HW_INTC_VEER_PIC_H

#include "hw/core/sysbus.h"

#define TYPE_VEER_PIC "veer-pic"
OBJECT_DECLARE_SIMPLE_TYPE(VeerPicState, VEER_PIC)

/* Sources 1 to 31 are inputs 1 to 31; there is no source 0 */
#define VEER_PIC_SOURCES    32
#define VEER_PIC_SIZE       0x8000

/* Named output lines, towards the core */
#define VEER_PIC_OUT_EXT    "mexintpend"    /* something wants to interrupt */
#define VEER_PIC_OUT_WAKE   "mhwakeup"      /* at the highest priority */

struct VeerPicState {
    SysBusDevice parent_obj;

    MemoryRegion iomem;
    qemu_irq out_ext;
    qemu_irq out_wake;

    /* bit n is source n */
    uint32_t request;
    uint32_t latch;
    uint32_t enable;
    uint32_t active_low;
    uint32_t edge;
    uint8_t priority[VEER_PIC_SOURCES];
    bool reversed;
    /* the core's thresholds */
    uint8_t meipt;
    uint8_t meicurpl;
};

/**
 * veer_pic_claim: the source that wins now
 * @opaque: the PIC
 * @id: 1 to 31, 0 if nothing is pending
 * @priority: of that source, 0 to 15
 */
void veer_pic_claim(void *opaque, uint8_t *id, uint8_t *priority);

/**
 * veer_pic_set_thresholds: the core's CSRs have changed
 * @opaque: the PIC
 * @meipt, @meicurpl: 0 to 15
 */
void veer_pic_set_thresholds(void *opaque, uint8_t meipt, uint8_t meicurpl);

#endif /* HW_INTC_VEER_PIC_H */
