/*
 * Fuse file of a Caliptra 1.x core
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FUSES_H
#define HW_MISC_CALIPTRA_FUSES_H

#include "qapi/qapi-types-caliptra.h"

/* fuse registers, fuse_uds_seed to fuse_soc_stepping_id */
#define CALIPTRA_FUSE_WORDS     83

typedef struct CaliptraFuses {
    /* as to be written to the fuse registers from fuse_uds_seed on */
    uint32_t word[CALIPTRA_FUSE_WORDS];
    /* which of the fuses have been given, a bit each */
    uint32_t given;
} CaliptraFuses;

/**
 * caliptra_fuses_load: read a fuse file
 * @fuses: fuses that the file gives are set; all others are left
 * @file: name of the file, a JSON object
 * @errp: what is wrong with the file; @fuses may have been changed then
 *
 * A fuse is a string of hexadecimal digits, register word 0 first, each word
 * most significant digit first; or a number.  docs/system/arm/aspeed.rst
 * lists them.
 *
 * Returns: whether all is well.
 */
bool caliptra_fuses_load(CaliptraFuses *fuses, const char *file,
                         Error **errp);

/**
 * caliptra_fuses_override: put some fuses in the place of others
 * @fuses: what is overridden
 * @by: those of its fuses that have been given count
 */
void caliptra_fuses_override(CaliptraFuses *fuses, const CaliptraFuses *by);

/**
 * caliptra_fuses_names: the fuses that have been given, for a person
 * @fuses: the fuses
 *
 * Returns: their names with commas between them, to be freed; NULL: none.
 */
char *caliptra_fuses_names(const CaliptraFuses *fuses);

/**
 * caliptra_lifecycle_code: device lifecycle as a core's input has it
 * @lifecycle: which; "default" stands for unprovisioned
 *
 * Returns: CPTRA_SECURITY_STATE.DEVICE_LIFECYCLE (caliptra-rtl
 * soc_ifc_external_reg.rdl)
 */
uint8_t caliptra_lifecycle_code(CaliptraDeviceLifecycle lifecycle);

/**
 * caliptra_parse_words: words out of hexadecimal digits
 * @hex: exactly 8 * @n digits, each word most significant digit first
 * @words: where the @n words go, in host order
 * @n: number of words
 *
 * Returns: false if @hex is anything else.
 */
bool caliptra_parse_words(const char *hex, uint32_t *words, unsigned n);

#endif /* HW_MISC_CALIPTRA_FUSES_H */
