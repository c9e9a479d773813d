/*
 * Caliptra 1.x core: internal engines
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"

const VMStateDescription vmstate_caliptra_engines = {
    .name = "caliptra-engines",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

void caliptra_engines_init(CaliptraState *s)
{
}

void caliptra_engines_reset(CaliptraState *s, CaliptraReset kind)
{
}

void caliptra_engines_flush(CaliptraState *s)
{
}

void caliptra_engines_settle(CaliptraState *s)
{
}

uint32_t caliptra_internal_read(CaliptraState *s, uint32_t addr)
{
    return 0;
}

void caliptra_internal_write(CaliptraState *s, uint32_t addr, uint32_t data)
{
}
