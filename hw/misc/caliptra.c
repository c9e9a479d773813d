/*
 * Caliptra 1.x core: the core: blocks together, reset domains, boot FSM, lines
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

const VMStateDescription vmstate_caliptra_intr = {
    .name = "caliptra-intr",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

MemTxResult caliptra_soc_read(CaliptraState *s, hwaddr offset,
                              uint32_t pauser, uint32_t *data)
{
    return 0;
}

MemTxResult caliptra_soc_write(CaliptraState *s, hwaddr offset,
                               uint32_t pauser, uint32_t data)
{
    return 0;
}

void caliptra_set_security_state(CaliptraState *s, uint32_t state)
{
}

void caliptra_set_obf_key(CaliptraState *s, const uint32_t key[8])
{
}

void caliptra_set_generic_input_wires(CaliptraState *s, uint64_t wires)
{
}

void caliptra_log(CaliptraState *s, const char *fmt, ...)
{
}

void caliptra_intr_init(CaliptraIntr *intr, unsigned n_error, unsigned n_notif)
{
}

void caliptra_intr_reset(CaliptraIntr *intr, CaliptraReset kind)
{
}

void caliptra_intr_error(CaliptraIntr *intr, unsigned bit)
{
}

void caliptra_intr_notif(CaliptraIntr *intr, unsigned bit)
{
}

uint32_t caliptra_intr_read(const CaliptraIntr *intr, hwaddr offset)
{
    return 0;
}

void caliptra_intr_write(CaliptraIntr *intr, hwaddr offset, uint32_t data)
{
}

bool caliptra_intr_error_level(const CaliptraIntr *intr)
{
    return 0;
}

bool caliptra_intr_notif_level(const CaliptraIntr *intr)
{
    return 0;
}

MemTxResult caliptra_uc_read(CaliptraState *s, uint32_t addr, uint32_t *data)
{
    return 0;
}

MemTxResult caliptra_uc_write(CaliptraState *s, uint32_t addr, uint32_t data)
{
    return 0;
}

void caliptra_post_event(CaliptraState *s, CaliptraFwEvent event)
{
}

void caliptra_update(CaliptraState *s)
{
}

static const TypeInfo caliptra_types[] = {
    {
        .name = TYPE_CALIPTRA,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(CaliptraState),
    },
};

DEFINE_TYPES(caliptra_types)
