/*
 * Caliptra 1.x core: mailbox
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"

const VMStateDescription vmstate_caliptra_mbox = {
    .name = "caliptra-mbox",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

void caliptra_mbox_reset(CaliptraState *s, CaliptraReset kind)
{
}

uint32_t caliptra_mbox_soc_read(CaliptraState *s, hwaddr offset,
                                uint32_t pauser)
{
    return 0;
}

void caliptra_mbox_soc_write(CaliptraState *s, hwaddr offset,
                             uint32_t pauser, uint32_t data)
{
}

uint32_t caliptra_mbox_uc_read(CaliptraState *s, hwaddr offset)
{
    return 0;
}

void caliptra_mbox_uc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
}

uint32_t caliptra_mbox_sram_read(CaliptraState *s, hwaddr offset)
{
    return 0;
}

void caliptra_mbox_sram_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
}
