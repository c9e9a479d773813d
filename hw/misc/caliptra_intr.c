/*
 * Caliptra 1.x core: the interrupt block that all blocks have
 *
 * Source: the intr_block_rf of caliptra-rtl's register descriptions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_intr.h"
#include "caliptra_regs.h"

void caliptra_intr_init(CaliptraIntr *intr, unsigned n_error, unsigned n_notif)
{
    assert(n_error <= CALIPTRA_INTR_MAX && n_notif <= CALIPTRA_INTR_MAX);
    intr->n_error = n_error;
    intr->n_notif = n_notif;
}

void caliptra_intr_reset(CaliptraIntr *intr, CaliptraReset kind)
{
    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;
    }
    intr->global_en = 0;
    intr->error_en = 0;
    intr->notif_en = 0;
    intr->notif_sts = 0;
    memset(intr->notif_count, 0, sizeof(intr->notif_count));
    if (kind == CALIPTRA_RESET_COLD) {
        intr->error_sts = 0;
        memset(intr->error_count, 0, sizeof(intr->error_count));
    }
}

static void intr_count(uint32_t *count)
{
    if (*count != UINT32_MAX) {
        ++*count;
    }
}

void caliptra_intr_error(CaliptraIntr *intr, unsigned bit)
{
    assert(bit < intr->n_error);
    intr->error_sts |= BIT(bit);
    intr_count(&intr->error_count[bit]);
}

void caliptra_intr_notif(CaliptraIntr *intr, unsigned bit)
{
    assert(bit < intr->n_notif);
    intr->notif_sts |= BIT(bit);
    intr_count(&intr->notif_count[bit]);
}

/* The counter at an offset, NULL if there is none */
static uint32_t *intr_counter(CaliptraIntr *intr, hwaddr offset)
{
    unsigned i;

    if (offset >= A_INTR_ERROR_COUNT && offset < A_INTR_NOTIF_COUNT) {
        i = (offset - A_INTR_ERROR_COUNT) / 4;
        return i < intr->n_error ? &intr->error_count[i] : NULL;
    }
    if (offset >= A_INTR_NOTIF_COUNT) {
        i = (offset - A_INTR_NOTIF_COUNT) / 4;
        return i < intr->n_notif ? &intr->notif_count[i] : NULL;
    }
    return NULL;
}

uint32_t caliptra_intr_read(const CaliptraIntr *intr, hwaddr offset)
{
    uint32_t *count;

    if (offset & 3) {
        return 0;
    }
    switch (offset) {
    case A_INTR_GLOBAL_EN:
        return intr->global_en;
    case A_INTR_ERROR_EN:
        return intr->error_en;
    case A_INTR_NOTIF_EN:
        return intr->notif_en;
    case A_INTR_ERROR_GLOBAL:
        return !!(intr->error_sts & intr->error_en);
    case A_INTR_NOTIF_GLOBAL:
        return !!(intr->notif_sts & intr->notif_en);
    case A_INTR_ERROR_INTERNAL:
        return intr->error_sts;
    case A_INTR_NOTIF_INTERNAL:
        return intr->notif_sts;
    default:
        count = intr_counter((CaliptraIntr *)intr, offset);
        return count ? *count : 0;
    }
}

void caliptra_intr_write(CaliptraIntr *intr, hwaddr offset, uint32_t data)
{
    uint32_t *count;
    unsigned i;

    if (offset & 3) {
        return;
    }
    switch (offset) {
    case A_INTR_GLOBAL_EN:
        intr->global_en = data & (R_INTR_GLOBAL_EN_ERROR_EN_MASK |
                                  R_INTR_GLOBAL_EN_NOTIF_EN_MASK);
        break;
    case A_INTR_ERROR_EN:
        intr->error_en = extract32(data, 0, intr->n_error);
        break;
    case A_INTR_NOTIF_EN:
        intr->notif_en = extract32(data, 0, intr->n_notif);
        break;
    case A_INTR_ERROR_INTERNAL:
        intr->error_sts &= ~data;
        break;
    case A_INTR_NOTIF_INTERNAL:
        intr->notif_sts &= ~data;
        break;
    case A_INTR_ERROR_TRIG:
        for (i = 0; i < intr->n_error; i++) {
            if (data & BIT(i)) {
                caliptra_intr_error(intr, i);
            }
        }
        break;
    case A_INTR_NOTIF_TRIG:
        for (i = 0; i < intr->n_notif; i++) {
            if (data & BIT(i)) {
                caliptra_intr_notif(intr, i);
            }
        }
        break;
    default:
        count = intr_counter(intr, offset);
        if (count) {
            *count = data;
        }
        break;
    }
}

bool caliptra_intr_enabled(const CaliptraIntr *intr)
{
    return intr->global_en && (intr->error_en || intr->notif_en);
}

bool caliptra_intr_error_level(const CaliptraIntr *intr)
{
    return FIELD_EX32(intr->global_en, INTR_GLOBAL_EN, ERROR_EN) &&
           (intr->error_sts & intr->error_en);
}

bool caliptra_intr_notif_level(const CaliptraIntr *intr)
{
    return FIELD_EX32(intr->global_en, INTR_GLOBAL_EN, NOTIF_EN) &&
           (intr->notif_sts & intr->notif_en);
}

static int caliptra_intr_post_load(void *opaque, int version_id)
{
    CaliptraIntr *intr = opaque;

    return intr->global_en & ~(R_INTR_GLOBAL_EN_ERROR_EN_MASK |
                               R_INTR_GLOBAL_EN_NOTIF_EN_MASK) ||
           (intr->error_en | intr->error_sts) &
           ~MAKE_64BIT_MASK(0, intr->n_error) ||
           (intr->notif_en | intr->notif_sts) &
           ~MAKE_64BIT_MASK(0, intr->n_notif) ? -EINVAL : 0;
}

const VMStateDescription vmstate_caliptra_intr = {
    .name = "caliptra-intr",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = caliptra_intr_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(global_en, CaliptraIntr),
        VMSTATE_UINT32(error_en, CaliptraIntr),
        VMSTATE_UINT32(notif_en, CaliptraIntr),
        VMSTATE_UINT32(error_sts, CaliptraIntr),
        VMSTATE_UINT32(notif_sts, CaliptraIntr),
        VMSTATE_UINT32_ARRAY(error_count, CaliptraIntr, CALIPTRA_INTR_MAX),
        VMSTATE_UINT32_ARRAY(notif_count, CaliptraIntr, CALIPTRA_INTR_MAX),
        VMSTATE_END_OF_LIST()
    },
};
