/*
 * Caliptra 1.x core: runtime start and mailbox commands
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

uint32_t caliptra_fw_caller(CaliptraFw *fw)
{
    return 0;
}

bool caliptra_fw_caller_is_pl0(CaliptraFw *fw)
{
    return 0;
}
