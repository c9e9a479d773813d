/*
 * Caliptra 1.x core: reset domains; the interrupt block that all blocks have
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_INTR_H
#define HW_MISC_CALIPTRA_INTR_H

#include "exec/hwaddr.h"
#include "migration/vmstate.h"

/* Reset domains (Caliptra hardware specification, "Reset Domains") */
typedef enum CaliptraReset {
    CALIPTRA_RESET_COLD,        /* cptra_pwrgood low: everything */
    CALIPTRA_RESET_WARM,        /* cptra_rst_b low: domain "warm" */
    CALIPTRA_RESET_FW_UPDATE,   /* the microcontroller only */
} CaliptraReset;

#define CALIPTRA_INTR_MAX 8

typedef struct CaliptraIntr {
    uint32_t global_en;
    uint32_t error_en;
    uint32_t notif_en;
    uint32_t error_sts;
    uint32_t notif_sts;
    uint32_t error_count[CALIPTRA_INTR_MAX];
    uint32_t notif_count[CALIPTRA_INTR_MAX];
    /* how many bits this block has; set at instance init, not migrated */
    uint8_t n_error;
    uint8_t n_notif;
} CaliptraIntr;

extern const VMStateDescription vmstate_caliptra_intr;

/**
 * caliptra_intr_init: say how many events a block has
 * @intr: the interrupt block
 * @n_error: number of error events, at most CALIPTRA_INTR_MAX
 * @n_notif: number of notifications, at most CALIPTRA_INTR_MAX
 */
void caliptra_intr_init(CaliptraIntr *intr, unsigned n_error, unsigned n_notif);

/**
 * caliptra_intr_reset: reset an interrupt block
 * @intr: the interrupt block
 * @kind: error status and error counters are in domain cold, all else in
 *        domain warm (the intr_block_rf of each .rdl)
 */
void caliptra_intr_reset(CaliptraIntr *intr, CaliptraReset kind);

/**
 * caliptra_intr_error / caliptra_intr_notif: an event has happened
 * @intr: the interrupt block
 * @bit: which, below the number given to caliptra_intr_init()
 *
 * Sets the status bit and counts, whatever is enabled.
 */
void caliptra_intr_error(CaliptraIntr *intr, unsigned bit);
void caliptra_intr_notif(CaliptraIntr *intr, unsigned bit);

/**
 * caliptra_intr_read / caliptra_intr_write: the block's registers
 * @intr: the interrupt block
 * @offset: within the block's 4 KiB page, 0x800 and up; need not be aligned
 * @data: word in host order
 *
 * Both sides may read; writes are the microcontroller's alone.
 */
uint32_t caliptra_intr_read(const CaliptraIntr *intr, hwaddr offset);
void caliptra_intr_write(CaliptraIntr *intr, hwaddr offset, uint32_t data);

/* can any event change a line? */
bool caliptra_intr_enabled(const CaliptraIntr *intr);
/* the two interrupt lines of a block */
bool caliptra_intr_error_level(const CaliptraIntr *intr);
bool caliptra_intr_notif_level(const CaliptraIntr *intr);

#endif /* HW_MISC_CALIPTRA_INTR_H */
