/*
 * Caliptra 1.x core: registers as tables
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_reg.h"

void caliptra_reg_block_init(const CaliptraRegBlock *b)
{
    assert(b->n < UINT8_MAX);
    for (unsigned n = 0; n < b->n; n++) {
        const CaliptraReg *r = &b->regs[n];

        assert(r->addr / 4 + r->count <= CALIPTRA_REG_BLOCK_WORDS);
        memset(b->rows + r->addr / 4, n + 1, r->count);
    }
}

const CaliptraReg *caliptra_reg_find(const CaliptraRegBlock *b, hwaddr offset)
{
    unsigned row;

    if ((offset & 3) || offset >= CALIPTRA_BLOCK_SIZE) {
        return NULL;
    }
    row = b->rows[offset / 4];
    return row ? &b->regs[row - 1] : NULL;
}

static uint32_t *reg_word(CaliptraState *s, uint32_t member, unsigned i)
{
    return (uint32_t *)((char *)s + member) + i;
}

uint32_t caliptra_reg_read(CaliptraState *s, const CaliptraRegBlock *b,
                           hwaddr offset)
{
    const CaliptraReg *r = caliptra_reg_find(b, offset);
    unsigned i;

    if (!r || r->hidden) {
        return 0;
    }
    i = (offset - r->addr) / 4;
    if (r->read) {
        return r->read(s, r, i);
    }
    return r->store ? *reg_word(s, r->store, i) : 0;
}

static bool reg_locked(CaliptraState *s, const CaliptraReg *r, unsigned i,
                       uint32_t user, bool soc)
{
    if (r->lock &&
        *reg_word(s, r->lock, r->lock_span ? i / r->lock_span : 0)) {
        return true;
    }
    return r->locked && r->locked(s, r, i, user, soc);
}

static uint32_t reg_value(const CaliptraReg *r, uint32_t old, uint32_t data,
                          bool soc)
{
    uint32_t mask = soc ? r->soc : r->uc;
    uint32_t value = data | (old & r->w1s);

    if (r->value) {
        return r->value(old, data);
    }
    value = (old & ~mask) | (value & mask);
    return value & ~(data & r->w1c) & (data | ~r->w0c);
}

static void reg_dropped(CaliptraState *s, const CaliptraRegBlock *b,
                        const CaliptraReg *r, hwaddr offset)
{
    caliptra_guest_error(s, "write to %s register 0x%03" HWADDR_PRIx
                         " (%s) dropped", b->name, offset,
                         r ? r->name : "none");
}

void caliptra_reg_write(CaliptraState *s, const CaliptraRegBlock *b,
                        hwaddr offset, uint32_t data, uint32_t user, bool soc)
{
    const CaliptraReg *r = caliptra_reg_find(b, offset);
    uint32_t *word, old = 0;
    unsigned i;
    bool takes;

    if (!r) {
        reg_dropped(s, b, r, offset);
        return;
    }
    i = (offset - r->addr) / 4;
    word = r->store ? reg_word(s, r->store, i) : NULL;
    takes = (soc ? r->soc : r->uc) || r->w1c || r->w0c || r->value;
    if (word) {
        old = *word;
    }
    if (r->pre_write) {
        r->pre_write(s, r, i, data, soc);
    }
    if (takes && reg_locked(s, r, i, user, soc)) {
        reg_dropped(s, b, r, offset);
    } else if (takes && word) {
        *word = reg_value(r, old, data, soc);
    } else if (!takes && !r->pre_write && !r->post_write) {
        reg_dropped(s, b, r, offset);
    }
    if (r->post_write) {
        r->post_write(s, r, i, data, soc);
    }
    if (r->wired || r->pre_write || r->post_write) {
        caliptra_changed(s);
    }
    if (soc && word && *word != old) {
        caliptra_post_event(s, CALIPTRA_UC_WAKE);
    }
}

void caliptra_reg_reset(CaliptraState *s, const CaliptraRegBlock *b,
                        CaliptraReset kind)
{
    for (unsigned n = 0; n < b->n; n++) {
        const CaliptraReg *r = &b->regs[n];

        if (!r->store) {
            continue;
        }
        for (unsigned i = 0; i < r->count; i++) {
            uint32_t *word = reg_word(s, r->store, i);

            if (kind <= r->domain) {
                *word = r->reset;
            } else if (kind == CALIPTRA_RESET_WARM) {
                *word &= ~(r->warm_bits | r->uc_bits);
            } else {
                *word &= ~r->uc_bits;
            }
        }
    }
}
