/*
 * Caliptra 1.x core: key vault, PCR vault, data vault
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"

const VMStateDescription vmstate_caliptra_vault = {
    .name = "caliptra-vault",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

void caliptra_vault_reset(CaliptraState *s, CaliptraReset kind)
{
}

void caliptra_kv_flush(CaliptraState *s)
{
}

CaliptraKvError caliptra_kv_read_port(CaliptraState *s, unsigned slot,
                                      uint32_t client, uint32_t words[12],
                                      unsigned *last_dword)
{
    return 0;
}

CaliptraKvError caliptra_kv_write_port(CaliptraState *s, unsigned slot,
                                       uint32_t dest_valid,
                                       const uint32_t *words, unsigned n)
{
    return 0;
}

void caliptra_pcr_read_port(CaliptraState *s, unsigned pcr,
                            uint32_t words[12])
{
}

void caliptra_pcr_write_port(CaliptraState *s, unsigned pcr,
                             const uint32_t words[12])
{
}
