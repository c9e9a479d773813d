/*
 * Log of a Caliptra's boot, for the person who watches
 *
 * A device of its own, because several write to one chardev: whoever plays
 * Caliptra's microcontroller, and the SoC that brings Caliptra up.  Each has
 * a link to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_LOG_H
#define HW_MISC_CALIPTRA_LOG_H

#include "qom/object.h"

#define TYPE_CALIPTRA_LOG "caliptra-log"
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraLog, CALIPTRA_LOG)

/**
 * caliptra_log: one line for the person who watches the boot
 * @log: where it goes; NULL: nowhere
 * @fmt: printf format, without prefix and line end
 *
 * Writes "[caliptra] ...\n" to the chardev of the property "chardev"; does
 * nothing without one.
 */
void caliptra_log(CaliptraLog *log, const char *fmt, ...) G_GNUC_PRINTF(2, 3);

#endif /* HW_MISC_CALIPTRA_LOG_H */
