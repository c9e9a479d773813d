/*
 * Caliptra 1.x core that lives in another process, as its SoC sees it
 *
 * A sysbus device that implements "caliptra-soc-if", with the named lines of
 * hw/misc/caliptra.h, over a chardev.  docs/interop/caliptra-link.rst is what
 * it says there.  Nothing here knows of a particular SoC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_REMOTE_H
#define HW_MISC_CALIPTRA_REMOTE_H

#include "qom/object.h"

#define TYPE_CALIPTRA_REMOTE "caliptra-remote"
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraRemoteState, CALIPTRA_REMOTE)

#endif /* HW_MISC_CALIPTRA_REMOTE_H */
