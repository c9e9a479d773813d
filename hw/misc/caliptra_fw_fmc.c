/*
 * Caliptra 1.x core: first mutable code (FMC)
 *
 * Boot status values and the order of steps are those of caliptra-sw
 * fmc/src/main.rs, fmc/src/flow and fmc/src/boot_status.rs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_fw.h"

/* Boot status values (fmc/src/boot_status.rs) */
enum {
    BOOT_RT_MEASUREMENT = 0x400,
    BOOT_RT_ALIAS_CDI = 0x401,
    BOOT_RT_ALIAS_KEY_PAIR = 0x402,
    BOOT_RT_ALIAS_SUBJ_ID_SN = 0x403,
    BOOT_RT_ALIAS_SUBJ_KEY_ID = 0x404,
    BOOT_RT_ALIAS_CERT_SIG = 0x405,
    BOOT_RT_ALIAS_COMPLETE = 0x406,
};

static bool fmc_cold(CaliptraFw *fw)
{
    return caliptra_fw_reset_reason(fw) == CALIPTRA_FW_RESET_COLD;
}

static uint32_t fmc_check_fht(CaliptraFw *fw)
{
    const CaliptraPdata *pd = &fw->pdata;

    if (!pd->fht_valid ||
        (fmc_cold(fw) && (!pd->ldevid_tbs_size || !pd->fmcalias_tbs_size))) {
        caliptra_log(fw->log, "FMC: no valid hand-off table, halted");
        return caliptra_fw_goto(fw, CALIPTRA_FLOW_FMC_HALT);
    }
    caliptra_dice_fmc_read_issuer(fw);
    return CALIPTRA_FW_OK;
}

/* the hardware overwrites the key vault at a reset with debug unlocked */
static bool fmc_key_overwritten(CaliptraFw *fw)
{
    return caliptra_fw_reset_reason(fw) == CALIPTRA_FW_RESET_WARM &&
           !caliptra_fw_debug_locked(fw) &&
           caliptra_fmc_has(fw, CALIPTRA_FMC_REMAKES_KEY);
}

static uint32_t fmc_measure(CaliptraFw *fw)
{
    if (caliptra_fw_reset_reason(fw) == CALIPTRA_FW_RESET_UNKNOWN) {
        return CALIPTRA_ERR_FMC_UNKNOWN_RESET;
    }
    return caliptra_dice_fmc_measure_rt(fw);
}

static uint32_t fmc_jump(CaliptraFw *fw)
{
    uint32_t entry = caliptra_drv_dvn4_read(fw, DVN4_RT_ENTRY_POINT);

    if (entry % 4) {
        return CALIPTRA_ERR_ADDRESS_MISALIGNED;
    }
    if (!caliptra_fw_in_iccm(entry, 1)) {
        return CALIPTRA_ERR_ADDRESS_NOT_IN_ICCM;
    }
    caliptra_log(fw->log, "FMC done, runtime starts at 0x%08x", entry);
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep fmc_steps[] = {
    { "choose the TRNG", caliptra_fw_step_trng, .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "check the hand-off table", fmc_check_fht, .latency = NS_SHORT },
    { "FMC alias: CSR", caliptra_dice_fmc_make_csr, fmc_cold, .draws = 1,
      .latency = NS_ECC },
    { "measure the runtime", fmc_measure, .status = BOOT_RT_MEASUREMENT,
      .latency = NS_HASH },
    { "FMC alias: key pair again", caliptra_dice_fmc_remake_key,
      fmc_key_overwritten, .latency = NS_ECC },
    { "RT alias: CDI", caliptra_dice_rtalias_cdi,
      .status = BOOT_RT_ALIAS_CDI, .draws = 1, .latency = NS_KDF },
    { "RT alias: CDI, reported again", .status = BOOT_RT_ALIAS_CDI,
      .latency = NS_SHORT },
    { "RT alias: key pair", caliptra_dice_rtalias_keypair,
      .status = BOOT_RT_ALIAS_KEY_PAIR, .draws = 3, .latency = NS_ECC,
      .draw_error = caliptra_dice_keypair_draw_error },
    { "RT alias: subject serial number",
      .status = BOOT_RT_ALIAS_SUBJ_ID_SN, .latency = NS_SHORT },
    { "RT alias: key identifier", .status = BOOT_RT_ALIAS_SUBJ_KEY_ID,
      .latency = NS_SHORT },
    { "RT alias: certificate", caliptra_dice_rtalias_cert,
      .status = BOOT_RT_ALIAS_CERT_SIG, .draws = 1, .latency = NS_ECC },
    { "RT alias: complete", .status = BOOT_RT_ALIAS_COMPLETE,
      .latency = NS_SHORT },
    { "jump to the runtime", fmc_jump, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_fmc = {
    .name = "FMC",
    .stage = CALIPTRA_STAGE_FMC,
    .steps = fmc_steps,
    .n_steps = ARRAY_SIZE(fmc_steps),
    .next = CALIPTRA_FLOW_RT_START,
};

static uint32_t fmc_halt(CaliptraFw *fw)
{
    if (caliptra_fw_mbox_fsm(fw) == MBOX_EXECUTE_UC) {
        caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_FAILURE);
    }
    return CALIPTRA_FW_WAIT;
}

static const CaliptraFwStep fmc_halt_steps[] = {
    { "fail every command", fmc_halt, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_fmc_halt = {
    .name = "FMC halted",
    .stage = CALIPTRA_STAGE_FMC,
    .steps = fmc_halt_steps,
    .n_steps = ARRAY_SIZE(fmc_halt_steps),
    .next = CALIPTRA_FLOW_FMC_HALT,
};
