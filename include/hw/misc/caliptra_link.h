/*
 * SoC in another process, as a Caliptra 1.x core sees it
 *
 * Drives the core of the link property "core" as a SoC does, for whoever is
 * at the other end of a chardev: docs/interop/caliptra-link.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_LINK_H
#define HW_MISC_CALIPTRA_LINK_H

#include "qom/object.h"

#define TYPE_CALIPTRA_LINK "caliptra-link"
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraLinkState, CALIPTRA_LINK)

#endif /* HW_MISC_CALIPTRA_LINK_H */
