/*
 * VeeR side of a Caliptra 1.x core: the device
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_RISCV_CALIPTRA_VEER_H
#define HW_RISCV_CALIPTRA_VEER_H

#include "chardev/char-fe.h"
#include "hw/intc/veer_pic.h"
#include "hw/misc/caliptra_uc.h"
#include "qemu/fifo8.h"
#include "qemu/units.h"
#include "system/memory.h"
#include "target/riscv/veer.h"

#define CALIPTRA_VEER_ROM_SIZE  (48 * KiB)

#define TYPE_CALIPTRA_VEER "caliptra-veer"
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraVeerState, CALIPTRA_VEER)

struct CaliptraVeerState {
    CaliptraUc parent_obj;

    VeerCPU cpu;
    VeerPicState pic;
    Clock *clk;
    /* inputs of the core */
    qemu_irq timer_intr;
    qemu_irq nmi_intr;

    /* the core's address space */
    MemoryRegion space;
    MemoryRegion rom;
    MemoryRegion iccm;
    MemoryRegion dccm;
    MemoryRegion bus;
    MemoryRegion wide;

    /* interrupt requests as last driven, bit n is source n of the PIC */
    uint32_t requests;
    /* a reset of the core is on its way */
    bool stopping;
    /* what it has read last, and how often again */
    uint32_t last_read;
    unsigned polls;

    /* generic_output_wires as a console: bit 8 at the last character */
    CharFrontend console;
    bool console_toggle;
    /* what the chardev has not taken yet; the host's, as the chardev is */
    Fifo8 console_queue;
    unsigned console_lost;
    guint console_watch;
    QEMUTimer *console_timer;
    VMChangeStateEntry *console_change;

    /* property */
    bool every_write;
};

#endif /* HW_RISCV_CALIPTRA_VEER_H */
