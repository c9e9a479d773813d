/*
 * Error numbers of Caliptra's ROM and firmware, for people
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_ERRORS_H
#define HW_MISC_CALIPTRA_ERRORS_H

/**
 * caliptra_error_name: the name of a Caliptra error number
 * @code: as found in CPTRA_FW_ERROR_FATAL or CPTRA_FW_ERROR_NON_FATAL
 *
 * Returns: the name in the error table (never NULL; "UNKNOWN" if not there).
 */
const char *caliptra_error_name(uint32_t code);

/**
 * caliptra_error_cause: the likely cause of a Caliptra error, for a person
 * @code: as found in CPTRA_FW_ERROR_FATAL or CPTRA_FW_ERROR_NON_FATAL
 *
 * Returns: a short phrase, "" if there is none.
 */
const char *caliptra_error_cause(uint32_t code);

#endif /* HW_MISC_CALIPTRA_ERRORS_H */
