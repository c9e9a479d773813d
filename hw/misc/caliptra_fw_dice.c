/*
 * Caliptra 1.x core: key ladder and measurements
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

uint32_t caliptra_dice_idevid_decrypt_uds(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_idevid_decrypt_fe(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_idevid_clear_secrets(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_idevid_cdi(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_idevid_keypair(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_idevid_make_csr(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_ldevid_cdi(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_ldevid_keypair(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_ldevid_cert(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_populate_fuse_log(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_populate_data_vault(CaliptraFw *fw, bool update)
{
    return 0;
}

uint32_t caliptra_dice_extend_rom_pcrs(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_stash_measurement(CaliptraFw *fw,
                                         const uint8_t metadata[4],
                                         const uint8_t measurement[48],
                                         const uint8_t context[48],
                                         uint32_t svn)
{
    return 0;
}

uint32_t caliptra_dice_fmcalias_cdi(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_fmcalias_keypair(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_fmcalias_cert(CaliptraFw *fw)
{
    return 0;
}

void caliptra_dice_lock_at_rom_exit(CaliptraFw *fw, bool cold)
{
}

uint32_t caliptra_dice_fmc_make_csr(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_fmc_measure_rt(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_rtalias_cdi(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_rtalias_keypair(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_rtalias_cert(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_dice_disable_attestation(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_cmd_get_idev_cert(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_get_idev_info(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_get_idev_csr(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_populate_idev_cert(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_get_ldev_cert(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_get_fmc_alias_cert(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_get_fmc_alias_csr(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_get_rt_alias_cert(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_quote_pcrs(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_extend_pcr(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_increment_pcr_reset_counter(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}

uint32_t caliptra_cmd_disable_attestation(CaliptraFw *fw, const uint8_t *req,
    size_t req_len, CaliptraRsp *rsp)
{
    return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
}
