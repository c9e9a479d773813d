/*
 * Caliptra 1.x core: SHA-384/512 accelerator
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"

const VMStateDescription vmstate_caliptra_sha_acc = {
    .name = "caliptra-sha-acc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

void caliptra_sha_acc_reset(CaliptraState *s, CaliptraReset kind)
{
}

uint32_t caliptra_sha_acc_soc_read(CaliptraState *s, hwaddr offset,
                                   uint32_t pauser)
{
    return 0;
}

void caliptra_sha_acc_soc_write(CaliptraState *s, hwaddr offset,
                                uint32_t pauser, uint32_t data)
{
}

uint32_t caliptra_sha_acc_uc_read(CaliptraState *s, hwaddr offset)
{
    return 0;
}

void caliptra_sha_acc_uc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
}
