/*
 * Stand-in for the BootMCU of the ASPEED AST27x0: what its parts share
 *
 *   aspeed_bootmcu.c        the boot: Caliptra's bring-up, release of cores
 *   aspeed_bootmcu_flash.c  FLSH container, SoC manifest, images
 *   aspeed_bootmcu_ipc.c    the Caliptra service for the other cores
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_BOOTMCU_H
#define HW_MISC_ASPEED_BOOTMCU_H

#include "hw/misc/aspeed_caliptra.h"
#include "hw/misc/caliptra_bringup.h"
#include "system/memory.h"

/* Registers as the BootMCU sees them (bus addresses) */
#define BOOTMCU_MBOX(_reg)  (ASPEED_CALIPTRA_WINDOW + A_##_reg)
#define BOOTMCU_IFC(_reg)   (ASPEED_CALIPTRA_WINDOW + \
                             CALIPTRA_WINDOW_SOC_IFC - CALIPTRA_WINDOW_MBOX + \
                             A_##_reg)
#define BOOTMCU_SCU(_reg)   (ASPEED_CALIPTRA_SCU + ASPEED_SCU0_##_reg)
#define BOOTMCU_SCUIO(_reg) (ASPEED_CALIPTRA_SCUIO + ASPEED_SCUIO_##_reg)

struct AspeedBootMcuState {
    CaliptraBringup parent_obj;

    /* properties */
    MemoryRegion *memory;
    AspeedCaliptraState *caliptra;
    char *firmware_file;

    AddressSpace as;
    /* the CA35 cores have been released */
    bool boot_done;
};

struct AspeedBootMcuClass {
    CaliptraBringupClass parent_class;

    ResettablePhases parent_phases;
};

#define bootmcu_log(s, ...) \
    caliptra_log(CALIPTRA_BRINGUP(s)->log, __VA_ARGS__)

/**
 * bootmcu_read: one 32-bit read by the BootMCU
 * @s: the BootMCU
 * @addr: bus address, as the CA35 cores see it
 *
 * Returns: the word of a little-endian device, in host order.
 */
uint32_t bootmcu_read(AspeedBootMcuState *s, hwaddr addr);

/**
 * bootmcu_write: one 32-bit write by the BootMCU
 * @s: the BootMCU
 * @addr: bus address, as the CA35 cores see it
 * @data: the word for a little-endian device, in host order
 */
void bootmcu_write(AspeedBootMcuState *s, hwaddr addr, uint32_t data);

#endif /* HW_MISC_ASPEED_BOOTMCU_H */
