/*
 * Caliptra 1.x core: firmware bundle verifier
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

uint32_t caliptra_fw_image_verify(CaliptraFw *fw, const uint8_t *manifest,
                                  uint32_t bundle_size, bool update,
                                  CaliptraImageInfo *info)
{
    return 0;
}

uint32_t caliptra_fw_pl0_pauser(CaliptraFw *fw)
{
    return 0;
}

bool caliptra_fw_pl0_pauser_valid(CaliptraFw *fw)
{
    return 0;
}
