/*
 * The least SoC that a Caliptra 1.x core can be in
 *
 * Straps, power, fuses, a window to the core, and a boot ROM that brings the
 * core up, unless software is to do that through the window.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_SOC_H
#define HW_MISC_CALIPTRA_SOC_H

#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_bringup.h"
#include "hw/misc/caliptra_fuses.h"
#include "qapi/qapi-types-caliptra.h"

/* The window is the sysbus MMIO region 0, CALIPTRA_WINDOW_SIZE */
#define TYPE_CALIPTRA_SOC "caliptra-soc"
OBJECT_DECLARE_TYPE(CaliptraSocState, CaliptraSocClass, CALIPTRA_SOC)

struct CaliptraSocState {
    CaliptraBringup parent_obj;

    MemoryRegion window;
    qemu_irq pwrgood;
    qemu_irq rst_b;
    bool powered;
    const CaliptraSocIfClass *core_if;  /* of @core */

    /* properties; the last three may be changed at any time */
    CaliptraSocIf *core;
    CaliptraBoot boot;
    char *firmware_file;
    char *fuse_file;
    uint8_t security_state;
    char *obf_key_hex;
    uint32_t pauser;

    CaliptraFuses fuses;
};

struct CaliptraSocClass {
    CaliptraBringupClass parent_class;

    ResettablePhases parent_phases;
};

#endif /* HW_MISC_CALIPTRA_SOC_H */
