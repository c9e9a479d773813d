/*
 * Caliptra 1.x core: state of the internal engines
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_ENGINES_H
#define HW_MISC_CALIPTRA_ENGINES_H

typedef struct CaliptraEngines {
    bool placeholder;
} CaliptraEngines;

#endif /* HW_MISC_CALIPTRA_ENGINES_H */
