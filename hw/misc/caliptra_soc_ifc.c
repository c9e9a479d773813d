/*
 * Caliptra 1.x core: SoC interface registers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"

const VMStateDescription vmstate_caliptra_soc_ifc = {
    .name = "caliptra-soc-ifc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

void caliptra_soc_ifc_reset(CaliptraState *s, CaliptraReset kind)
{
}

uint32_t caliptra_soc_ifc_soc_read(CaliptraState *s, hwaddr offset,
                                   uint32_t pauser)
{
    return 0;
}

void caliptra_soc_ifc_soc_write(CaliptraState *s, hwaddr offset,
                                uint32_t pauser, uint32_t data)
{
}

uint32_t caliptra_soc_ifc_uc_read(CaliptraState *s, hwaddr offset)
{
    return 0;
}

void caliptra_soc_ifc_uc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
}

bool caliptra_soc_ifc_mbox_user_ok(CaliptraState *s, uint32_t pauser)
{
    return 0;
}

bool caliptra_soc_ifc_fuse_user_ok(CaliptraState *s, uint32_t pauser)
{
    return 0;
}

void caliptra_soc_ifc_hw_error_fatal(CaliptraState *s, uint32_t bits)
{
}

void caliptra_soc_ifc_hw_error_non_fatal(CaliptraState *s, uint32_t bits)
{
}

void caliptra_soc_ifc_intr_error(CaliptraState *s, unsigned bit)
{
}

void caliptra_soc_ifc_intr_notif(CaliptraState *s, unsigned bit)
{
}

void caliptra_soc_ifc_obf_key(CaliptraState *s, uint32_t key[8])
{
}

void caliptra_soc_ifc_uds_seed(CaliptraState *s, uint32_t seed[12])
{
}

void caliptra_soc_ifc_field_entropy(CaliptraState *s, uint32_t seed[8])
{
}

void caliptra_soc_ifc_clear_secrets(CaliptraState *s)
{
}

bool caliptra_debug_or_scan(CaliptraState *s)
{
    return 0;
}
