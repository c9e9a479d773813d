/*
 * Caliptra 1.x core: DICE Protection Environment
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

const VMStateDescription vmstate_caliptra_dpe = {
    .name = "caliptra-dpe",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

uint32_t caliptra_dpe_init_cold(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dpe_init_update(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dpe_init_warm(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_cmd_invoke_dpe(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_certify_key_extended(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_dpe_tag_tci(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_dpe_get_tagged_tci(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_stash_measurement(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_sign_with_exported_ecdsa(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_add_subject_alt_name(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}
