/*
 * Caliptra 1.x core: registers as tables
 *
 * SoC interface, engines, vaults and TRNG describe their registers with one
 * row each; what is here reads, writes and resets them by it.  (The mailbox
 * and the SHA accelerator do not take part: their registers are a protocol,
 * and hardly one of them just keeps what was written.)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_REG_H
#define HW_MISC_CALIPTRA_REG_H

#include "exec/hwaddr.h"
#include "qom/object.h"
#include "hw/misc/caliptra.h"
#include "caliptra_intr.h"

/* the core; what is in it, caliptra_internal.h tells */
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraState, CALIPTRA)

/* all bits of a register */
#define CALIPTRA_REG_ALL    0xFFFFFFFFu

typedef struct CaliptraReg CaliptraReg;

/*
 * A register, or @count registers in a row.  The hooks get the row, and with
 * @i the place in it.
 *
 * A write stores the bits of @soc (@uc) when it comes from the SoC
 * (microcontroller); those of @w1c are cleared by a 1, those of @w0c by a 0,
 * those of @w1s only ever set.  All others keep their value.
 */
struct CaliptraReg {
    const char *name;
    uint16_t addr;              /* of the first, within the block */
    uint16_t count;
    /* where the first one is in CaliptraState; 0: nothing is kept */
    uint32_t store;

    /* reset value, and the mildest reset that brings it back */
    uint32_t reset;
    CaliptraReset domain;
    /* bits that are in a milder domain: cleared by such resets too */
    uint32_t warm_bits;
    uint32_t uc_bits;

    uint32_t soc;
    uint32_t uc;
    uint32_t w1c;
    uint32_t w0c;
    uint32_t w1s;

    /* reads 0 for everybody */
    bool hidden;
    /*
     * an output line or the boot FSM looks at it; registers with a hook for
     * writes count as such
     */
    bool wired;
    /* the microcontroller reads it to learn whether a command has ended */
    bool polled;

    /*
     * Writes are dropped when this word of CaliptraState is not 0; with a
     * @lock_span, each next word is the lock of the next @lock_span registers
     */
    uint32_t lock;
    uint8_t lock_span;
    /* or for another reason; @user is the SoC's bus master */
    bool (*locked)(CaliptraState *s, const CaliptraReg *r, unsigned i,
                   uint32_t user, bool soc);

    /* a live value, in the place of the stored one */
    uint32_t (*read)(CaliptraState *s, const CaliptraReg *r, unsigned i);
    /* what is kept of @data, where masks cannot tell */
    uint32_t (*value)(uint32_t old, uint32_t data);
    /* before the value changes, also if it is locked; @data as on the bus */
    void (*pre_write)(CaliptraState *s, const CaliptraReg *r, unsigned i,
                      uint32_t data, bool soc);
    /* after it has changed, or would have */
    void (*post_write)(CaliptraState *s, const CaliptraReg *r, unsigned i,
                       uint32_t data, bool soc);
    /* for the hooks */
    const void *arg;
};

/* The registers of a block, in the order of their addresses */
typedef struct CaliptraRegBlock {
    const char *name;
    const CaliptraReg *regs;
    unsigned n;
    /* by word: 1 + the row; caliptra_reg_block_init() fills it in */
    uint8_t *rows;
} CaliptraRegBlock;

#define CALIPTRA_REG_BLOCK_WORDS    (CALIPTRA_BLOCK_SIZE / 4)

/* A row: @reg as in caliptra_regs.h, @n registers, then what is not 0 */
#define CALIPTRA_REG(reg, n, ...) \
    { .name = #reg, .addr = A_##reg, .count = (n), __VA_ARGS__ }
/* .store and .lock: a member of CaliptraState */
#define CALIPTRA_REG_AT(member) offsetof(CaliptraState, member)

#define CALIPTRA_REG_BLOCK(title, table) \
    { .name = (title), .regs = (table), .n = ARRAY_SIZE(table), \
      .rows = (uint8_t [CALIPTRA_REG_BLOCK_WORDS]) { 0 } }

/* Before a core uses a block; the same each time */
void caliptra_reg_block_init(const CaliptraRegBlock *b);

/* The row of an address; NULL: no register, or not aligned */
const CaliptraReg *caliptra_reg_find(const CaliptraRegBlock *b, hwaddr offset);

/**
 * caliptra_reg_read: read a register
 * @s: the core
 * @b: the block
 * @offset: in bytes, within the block; need not be aligned
 *
 * Returns: word in host order, 0 where there is no register.
 */
uint32_t caliptra_reg_read(CaliptraState *s, const CaliptraRegBlock *b,
                           hwaddr offset);

/**
 * caliptra_reg_write: write a register
 * @s: the core
 * @b: the block
 * @offset: in bytes, within the block; need not be aligned
 * @data: word in host order
 * @user: user id of the master
 * @soc: the write is the SoC's, not the microcontroller's
 *
 * A write that has no effect at all is a guest error.
 */
void caliptra_reg_write(CaliptraState *s, const CaliptraRegBlock *b,
                        hwaddr offset, uint32_t data, uint32_t user, bool soc);

/* bring back reset values */
void caliptra_reg_reset(CaliptraState *s, const CaliptraRegBlock *b,
                        CaliptraReset kind);

#endif /* HW_MISC_CALIPTRA_REG_H */
