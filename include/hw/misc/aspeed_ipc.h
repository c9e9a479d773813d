/*
 * ASPEED AST27x0 inter-processor mailboxes (IPC)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_IPC_H
#define HW_MISC_ASPEED_IPC_H

#include "hw/core/sysbus.h"

/*
 * A row of slots, one per pair of processors; each has two halves with the
 * same registers, one per direction.
 *
 * QEMU interface:
 *  + QOM property "num-slots": number of slots, 1 to ASPEED_IPC_MAX_SLOTS
 *  + sysbus MMIO region 0: the registers
 *  + sysbus IRQ 2 * n + h: to the receiver of half h of slot n, high while
 *    an enabled channel of the half holds a message
 */
#define TYPE_ASPEED_IPC "aspeed-ipc"
OBJECT_DECLARE_SIMPLE_TYPE(AspeedIPCState, ASPEED_IPC)

/* The mailboxes of the AST2700's IO die */
#define ASPEED_IPC1_BASE        0x14C39000

#define ASPEED_IPC_SIZE         0x1000
#define ASPEED_IPC_MAX_SLOTS    5
#define ASPEED_IPC_CHANNELS     4
#define ASPEED_IPC_MSG_WORDS    8

/* offset of half @_half of slot @_slot, and the registers of a half */
#define ASPEED_IPC_HALF(_slot, _half)   ((_slot) * 0x200 + (_half) * 0x100)
#define ASPEED_IPC_TRIG                 0x00
#define ASPEED_IPC_ENABLE               0x04
#define ASPEED_IPC_STATUS               0x08
#define ASPEED_IPC_DATA(_ch)            (0x10 + (_ch) * 0x20)

typedef struct AspeedIPCHalf {
    uint32_t enable;
    uint32_t status;
    uint32_t data[ASPEED_IPC_CHANNELS * ASPEED_IPC_MSG_WORDS];
} AspeedIPCHalf;

struct AspeedIPCState {
    SysBusDevice parent_obj;

    MemoryRegion iomem;
    qemu_irq irq[2 * ASPEED_IPC_MAX_SLOTS];
    AspeedIPCHalf half[2 * ASPEED_IPC_MAX_SLOTS];

    uint8_t num_slots;
};

#endif /* HW_MISC_ASPEED_IPC_H */
