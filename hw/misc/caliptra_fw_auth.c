/*
 * Caliptra 1.x core: authorization manifest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

uint32_t caliptra_cmd_set_auth_manifest(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_authorize_and_stash(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}
