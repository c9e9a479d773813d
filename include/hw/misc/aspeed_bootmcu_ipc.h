/*
 * Caliptra service of the ASPEED AST27x0's BootMCU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_BOOTMCU_IPC_H
#define HW_MISC_ASPEED_BOOTMCU_IPC_H

#include "hw/core/sysbus.h"
#include "qemu/timer.h"

/*
 * QEMU interface:
 *  + QOM property "memory": what the BootMCU sees
 *  + QOM property "dram-size": bytes of DRAM
 *  + unnamed GPIO inputs 0 and 1: doorbells, the interrupts of the IPC1
 *    halves of the non-secure CA35 and of the SSP to the BootMCU
 */
#define TYPE_ASPEED_BOOTMCU_IPC "aspeed-bootmcu-ipc"
OBJECT_DECLARE_SIMPLE_TYPE(AspeedBootMcuIpcState, ASPEED_BOOTMCU_IPC)

/* The BootMCU's own SRAM */
#define ASPEED_BOOTMCU_SRAM         0x14B80000
#define ASPEED_BOOTMCU_SRAM_SIZE    0x40000

/* clients: non-secure CA35 and SSP */
#define ASPEED_BOOTMCU_IPC_SLOTS    2
/* words of a message that mean something: command, input, output */
#define ASPEED_BOOTMCU_IPC_MSG_WORDS 3
#define ASPEED_BOOTMCU_IPC_SHA_CTX_WORDS 5

struct AspeedBootMcuIpcState {
    SysBusDevice parent_obj;

    /* properties */
    MemoryRegion *memory;
    uint64_t dram_size;

    AddressSpace as;
    QEMUTimer timer;

    /* the request that is served, and how far that has got */
    uint8_t step;
    uint8_t client;
    uint32_t msg[ASPEED_BOOTMCU_IPC_MSG_WORDS];
    uint32_t sha_ctx[ASPEED_BOOTMCU_IPC_SHA_CTX_WORDS];
    uint32_t pos;
    /* how often the step may still look for what it waits for */
    uint32_t looks;

    /* the one SHA session: bytes so far, those of an unfinished word */
    bool sha_open;
    bool sha_512;
    uint32_t sha_len;
    uint8_t sha_tail_len;
    uint8_t sha_tail[4];
};

/**
 * aspeed_bootmcu_ipc_start: from now on requests are answered
 * @s: the service
 *
 * Says so to the clients, who look at the channel's ENABLE bit before they
 * send.  To be called when Caliptra runs, or will not.
 */
void aspeed_bootmcu_ipc_start(AspeedBootMcuIpcState *s);

#endif /* HW_MISC_ASPEED_BOOTMCU_IPC_H */
