/*
 * Caliptra 1.x core: state of the DICE Protection Environment
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FW_DPE_H
#define HW_MISC_CALIPTRA_FW_DPE_H

typedef struct CaliptraDpe {
    bool placeholder;
} CaliptraDpe;

extern const VMStateDescription vmstate_caliptra_dpe;

#endif /* HW_MISC_CALIPTRA_FW_DPE_H */
