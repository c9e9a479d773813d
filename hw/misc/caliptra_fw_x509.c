/*
 * Caliptra 1.x core: DER writer, CSR and certificate templates
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

uint32_t caliptra_rt_build_cert_chain(CaliptraFw *fw)
{
    return 0;
}
