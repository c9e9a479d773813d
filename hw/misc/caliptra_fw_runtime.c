/*
 * Caliptra 1.x core: runtime start and mailbox commands
 *
 * The order of checks and the error numbers are those of caliptra-sw
 * runtime/src.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "caliptra_fw.h"
#include "trace.h"

/* Boot status values (runtime/src/lib.rs, RtBootStatus) */
enum {
    BOOT_RT_READY_FOR_COMMANDS = 0x600,
    BOOT_RT_SELF_TEST_STARTED = 0x601,
    BOOT_RT_SELF_TEST_COMPLETE = 0x602,
};

/* watchdog period while a command is served (common/src/wdt.rs) */
#define RT_WDT_CYCLES           20000000

uint32_t caliptra_fw_caller(CaliptraFw *fw)
{
    return caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_USER);
}

bool caliptra_fw_caller_is_pl0(CaliptraFw *fw)
{
    return caliptra_fw_pl0_pauser_valid(fw) &&
           caliptra_fw_caller(fw) == caliptra_fw_pl0_pauser(fw);
}

/* ---- start (runtime/src/main.rs, runtime/src/drivers.rs) ---- */

static uint32_t rt_start(CaliptraFw *fw)
{
    memset(&fw->rt, 0, sizeof(fw->rt));
    return caliptra_fw_step_trng(fw);
}

static bool rt_attestation_disabled(CaliptraFw *fw)
{
    return fw->pdata.attestation_disabled;
}

/* at boot a failure of it counts as an exception */
static uint32_t rt_disable_attestation(CaliptraFw *fw)
{
    uint32_t ret = caliptra_dice_disable_attestation(fw);

    if (ret == CALIPTRA_FW_OK ||
        (ret == CALIPTRA_FW_ENTROPY && !fw->trng_error)) {
        return ret;
    }
    return CALIPTRA_ERR_RUNTIME_GLOBAL_EXCEPTION;
}

/* versions of manifest1, which a warm reset has taken away */
static void rt_restore_versions(CaliptraFw *fw)
{
    const CaliptraManifest *m = (const CaliptraManifest *)fw->pdata.manifest1;
    uint32_t rev = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FW_REV_ID);

    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FW_REV_ID,
                           deposit32(rev, 16, 16,
                                     le32_to_cpu(m->fmc.version) & 0xFFFF));
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FW_REV_ID + 4,
                           le32_to_cpu(m->rt.version));
}

static uint32_t rt_init_dpe(CaliptraFw *fw)
{
    uint32_t ret;

    switch (caliptra_fw_reset_reason(fw)) {
    case CALIPTRA_FW_RESET_COLD:
        return caliptra_dpe_init_cold(fw);
    case CALIPTRA_FW_RESET_WARM:
        ret = caliptra_dpe_init_warm(fw);
        if (ret == CALIPTRA_FW_OK &&
            caliptra_rt_has(fw, CALIPTRA_RT_RESTORES_VERSIONS)) {
            rt_restore_versions(fw);
        }
        return ret;
    case CALIPTRA_FW_RESET_UPDATE:
        return caliptra_dpe_init_update(fw);
    default:
        return CALIPTRA_ERR_RUNTIME_UNKNOWN_RESET_FLOW;
    }
}

static uint32_t rt_ready(CaliptraFw *fw)
{
    uint32_t flow = 0;

    if (!fw->pdata.fht_valid) {
        return CALIPTRA_ERR_RUNTIME_HANDOFF_FHT_NOT_LOADED;
    }
    /* up to 1.2.0 a plain write: ready_for_fw goes */
    if (caliptra_rt_has(fw, CALIPTRA_RT_FLOW_DONE)) {
        flow = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FLOW_STATUS);
    }
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FLOW_STATUS, flow |
                           R_CPTRA_FLOW_STATUS_READY_FOR_RUNTIME_MASK);
    return CALIPTRA_FW_OK;
}

/*
 * Tell the SoC whether runtime waits for a command (mailbox_flow_done), and
 * from 1.2.2 on the runtime after a warm reset, too.
 */
static void rt_flow_done(CaliptraFw *fw, bool done)
{
    uint32_t flow = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FLOW_STATUS);

    if (caliptra_rt_has(fw, CALIPTRA_RT_FLOW_DONE) &&
        FIELD_EX32(flow, CPTRA_FLOW_STATUS, MAILBOX_FLOW_DONE) != done) {
        caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FLOW_STATUS,
            FIELD_DP32(flow, CPTRA_FLOW_STATUS, MAILBOX_FLOW_DONE, done));
    }
    if (caliptra_rt_has(fw, CALIPTRA_RT_CMD_ACTIVE)) {
        fw->pdata.cmd_active = !done;
    }
}

static bool rt_warm_reset(CaliptraFw *fw)
{
    return caliptra_fw_reset_reason(fw) == CALIPTRA_FW_RESET_WARM;
}

/*
 * Was a command running?  CMD_BUSY is the status of an idle mailbox too, so
 * that 1.2.0 takes every warm reset for an interrupted command.  Nor does
 * 1.2.1 know better, as the reset has cleared what it looks at.
 */
static bool rt_interrupted(CaliptraFw *fw)
{
    uint32_t reg;

    if (caliptra_rt_has(fw, CALIPTRA_RT_CMD_ACTIVE)) {
        return fw->pdata.cmd_active;
    }
    if (caliptra_rt_has(fw, CALIPTRA_RT_FLOW_DONE)) {
        reg = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FLOW_STATUS);
        return !FIELD_EX32(reg, CPTRA_FLOW_STATUS, MAILBOX_FLOW_DONE);
    }
    reg = caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_STATUS);
    return FIELD_EX32(reg, MBOX_STATUS, STATUS) == MBOX_STATUS_CMD_BUSY;
}

static uint32_t rt_check_interrupted(CaliptraFw *fw)
{
    uint32_t ret;

    if (!rt_interrupted(fw)) {
        return CALIPTRA_FW_OK;
    }
    ret = rt_disable_attestation(fw);
    if (ret == CALIPTRA_FW_OK) {
        caliptra_log(fw->log,
                     "runtime: attestation disabled by the warm reset");
        caliptra_fw_error_non_fatal(fw,
            CALIPTRA_ERR_RUNTIME_CMD_BUSY_DURING_WARM_RESET);
    }
    return ret;
}

static uint32_t rt_enter_loop(CaliptraFw *fw)
{
    caliptra_fw_wdt_stop(fw);
    rt_flow_done(fw, true);
    caliptra_log(fw->log, "runtime ready for commands");
    return CALIPTRA_FW_OK;
}

/* ROM has taken FIRMWARE_LOAD, but not the interrupt */
static bool rt_has_old_interrupt(CaliptraFw *fw)
{
    return caliptra_rt_has(fw, CALIPTRA_RT_FLOW_DONE) && !rt_warm_reset(fw);
}

static uint32_t rt_woken(CaliptraFw *fw)
{
    rt_flow_done(fw, false);
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rt_start_steps[] = {
    { "start", rt_start, .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "certificate chain", caliptra_rt_build_cert_chain,
      .latency = NS_SHORT },
    { "disable attestation again", rt_disable_attestation,
      rt_attestation_disabled, .latency = NS_ECC },
    { "DPE", rt_init_dpe, .latency = NS_COMMAND },
    { "ready", rt_ready, .status = BOOT_RT_READY_FOR_COMMANDS,
      .latency = NS_SHORT },
    { "interrupted command", rt_check_interrupted, rt_warm_reset,
      .latency = NS_SHORT },
    { "enter the command loop", rt_enter_loop, .latency = NS_SHORT },
    { "interrupt of the command that ROM has served", rt_woken,
      rt_has_old_interrupt, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rt_start = {
    .name = "runtime start",
    .stage = CALIPTRA_STAGE_RT,
    .steps = rt_start_steps,
    .n_steps = ARRAY_SIZE(rt_start_steps),
    .next = CALIPTRA_FLOW_RT_COMMANDS,
};

/* ---- commands that need no other file ---- */

static uint32_t rt_cmd_version(CaliptraFw *fw, const uint8_t *req,
                               size_t req_len, CaliptraRsp *rsp)
{
    caliptra_fw_rsp_version(fw, rsp);
    return CALIPTRA_FW_OK;
}

static uint32_t rt_cmd_capabilities(CaliptraFw *fw, const uint8_t *req,
                                    size_t req_len, CaliptraRsp *rsp)
{
    /* a 128-bit big-endian number: bit 64, the base features of a runtime */
    rsp->data[8 + 7] = 1;
    rsp->len = 24;
    return CALIPTRA_FW_OK;
}

static uint32_t rt_cmd_self_test_start(CaliptraFw *fw, const uint8_t *req,
                                       size_t req_len, CaliptraRsp *rsp)
{
    if (fw->rt.self_test_state != CALIPTRA_SELF_TEST_IDLE) {
        return CALIPTRA_ERR_RUNTIME_SELF_TEST_IN_PROGRESS;
    }
    /* it runs when the mailbox is free */
    fw->rt.self_test_state = CALIPTRA_SELF_TEST_IN_PROGRESS;
    return CALIPTRA_FW_OK;
}

static uint32_t rt_cmd_self_test_get_results(CaliptraFw *fw,
                                             const uint8_t *req,
                                             size_t req_len,
                                             CaliptraRsp *rsp)
{
    if (fw->rt.self_test_state != CALIPTRA_SELF_TEST_DONE) {
        return CALIPTRA_ERR_RUNTIME_SELF_TEST_NOT_STARTED;
    }
    fw->rt.self_test_state = CALIPTRA_SELF_TEST_IDLE;
    return CALIPTRA_FW_OK;
}

/* the command stays busy while the SoC holds the SHA accelerator */
static uint32_t rt_cmd_shutdown(CaliptraFw *fw, const uint8_t *req,
                                size_t req_len, CaliptraRsp *rsp)
{
    caliptra_drv_zeroize_engines(fw);
    caliptra_drv_kv_erase_all(fw);
    if (!caliptra_fw_sha_acc_lock(fw)) {
        return CALIPTRA_FW_WAIT;
    }
    memset(&fw->pdata, 0, sizeof(fw->pdata));
    fw->rt.shut_down = true;
    caliptra_log(fw->log, "runtime: shut down, persistent data zeroed");
    return CALIPTRA_FW_OK;
}

/* digest of the last hash in the SHA accelerator, by whomever */
static void rt_sha_acc_digest(CaliptraFw *fw, uint8_t digest[48])
{
    caliptra_drv_array_read(fw, CALIPTRA_SHA_ACC_BASE + A_SHA_ACC_DIGEST,
                            digest, 48);
}

static uint32_t rt_cmd_ecdsa384_verify(CaliptraFw *fw, const uint8_t *req,
                                       size_t req_len, CaliptraRsp *rsp)
{
    CaliptraEccPub pub;
    CaliptraEccSig sig;
    uint8_t digest[48];
    uint32_t ret;
    bool good;

    memcpy(pub.x, req + 4, 48);
    memcpy(pub.y, req + 52, 48);
    memcpy(sig.r, req + 100, 48);
    memcpy(sig.s, req + 148, 48);
    rt_sha_acc_digest(fw, digest);
    ret = caliptra_drv_ecc_verify(fw, &pub, digest, &sig, &good);
    if (ret != CALIPTRA_FW_OK) {
        return ret;
    }
    return good ? CALIPTRA_FW_OK : CALIPTRA_ERR_RUNTIME_ECDSA_VERIFY_FAILED;
}

/*
 * Request of LMS_VERIFY: the integers are little-endian, but not the type
 * code within the one-time signature.
 */
enum {
    LMS_REQ_PUB_TREE_TYPE = 4,
    LMS_REQ_PUB_OTS_TYPE = 8,
    LMS_REQ_PUB_ID = 12,
    LMS_REQ_PUB_ROOT = 28,
    LMS_REQ_SIG_Q = 52,
    LMS_REQ_SIG_OTS = 56,
    LMS_REQ_SIG_TREE_TYPE = 1308,
    LMS_REQ_SIG_PATH = 1312,
    LMS_REQ_SIZE = 1672,
};

#define LMS_SHA256_N24_H15      12
#define LMOTS_SHA256_N24_W4     7

static uint32_t rt_cmd_lms_verify(CaliptraFw *fw, const uint8_t *req,
                                  size_t req_len, CaliptraRsp *rsp)
{
    uint8_t pub[CALIPTRA_LMS_PUB_SIZE];
    uint8_t sig[CALIPTRA_LMS_SIG_SIZE];
    uint8_t digest[48];
    uint32_t ret;
    bool good;

    if (!fw->rt.lms_kat_done) {
        ret = caliptra_fw_kat_lms();
        if (ret != CALIPTRA_FW_OK) {
            return ret;
        }
        fw->rt.lms_kat_done = true;
    }
    if (ldl_le_p(req + LMS_REQ_PUB_TREE_TYPE) != LMS_SHA256_N24_H15) {
        return CALIPTRA_ERR_RUNTIME_LMS_VERIFY_INVALID_LMS_ALGORITHM;
    }
    if (ldl_le_p(req + LMS_REQ_PUB_OTS_TYPE) != LMOTS_SHA256_N24_W4) {
        return CALIPTRA_ERR_RUNTIME_LMS_VERIFY_INVALID_LMOTS_ALGORITHM;
    }
    if (ldl_le_p(req + LMS_REQ_SIG_TREE_TYPE) != LMS_SHA256_N24_H15) {
        return CALIPTRA_ERR_RUNTIME_LMS_VERIFY_INVALID_LMS_ALGORITHM;
    }

    /* as on the wire of RFC 8554 */
    stl_be_p(pub, LMS_SHA256_N24_H15);
    stl_be_p(pub + 4, LMOTS_SHA256_N24_W4);
    memcpy(pub + 8, req + LMS_REQ_PUB_ID, LMS_REQ_SIG_Q - LMS_REQ_PUB_ID);
    stl_be_p(sig, ldl_le_p(req + LMS_REQ_SIG_Q));
    memcpy(sig + 4, req + LMS_REQ_SIG_OTS,
           LMS_REQ_SIG_TREE_TYPE - LMS_REQ_SIG_OTS);
    stl_be_p(sig + 4 + LMS_REQ_SIG_TREE_TYPE - LMS_REQ_SIG_OTS,
             LMS_SHA256_N24_H15);
    memcpy(sig + 8 + LMS_REQ_SIG_TREE_TYPE - LMS_REQ_SIG_OTS,
           req + LMS_REQ_SIG_PATH, LMS_REQ_SIZE - LMS_REQ_SIG_PATH);

    rt_sha_acc_digest(fw, digest);
    ret = caliptra_lms_verify(pub, sig, digest, sizeof(digest), &good);
    if (ret != CALIPTRA_FW_OK) {
        return ret;
    }
    return good ? CALIPTRA_FW_OK : CALIPTRA_ERR_RUNTIME_LMS_VERIFY_FAILED;
}

/* digests are "HW" numbers, as the manifest and the data vault have them */
static uint32_t rt_cmd_fw_info(CaliptraFw *fw, const uint8_t *req,
                               size_t req_len, CaliptraRsp *rsp)
{
    const CaliptraManifest *m = (const CaliptraManifest *)fw->pdata.manifest1;
    uint8_t *p = rsp->data;
    uint8_t hash[48];

    stl_le_p(p + 0x08, caliptra_fw_pl0_pauser(fw));
    stl_le_p(p + 0x0C, caliptra_drv_dvn4_read(fw, DVN4_RT_SVN));
    stl_le_p(p + 0x10, caliptra_drv_dvn4_read(fw, DVN4_RT_MIN_SVN));
    stl_le_p(p + 0x14, caliptra_drv_dvs4_read(fw, DVS4_FMC_SVN));
    stl_le_p(p + 0x18, fw->pdata.attestation_disabled);
    memcpy(p + 0x1C, fw->rom.revision, 20);
    memcpy(p + 0x30, m->fmc.revision, 20);
    memcpy(p + 0x44, m->rt.revision, 20);
    for (int i = 0; i < 8; i++) {
        stl_le_p(p + 0x58 + 4 * i, fw->rom.digest[i]);
    }
    memcpy(p + 0x78, m->fmc.digest, 48);
    memcpy(p + 0xA8, m->rt.digest, 48);
    caliptra_drv_dvs48_read(fw, DVS48_OWNER_PK_HASH, hash);
    caliptra_hw_to_bytes(p + 0xD8, hash, 48);
    rsp->len = 0x108;
    if (caliptra_rt_has(fw, CALIPTRA_RT_AUTH_DIGEST)) {
        memcpy(p + 0x108, fw->pdata.auth_manifest_digest, 48);
        rsp->len = 0x138;
    }
    return CALIPTRA_FW_OK;
}

/* ---- command table (api/src/mailbox.rs, runtime/src/lib.rs) ---- */

/* how a request's length is judged */
typedef enum CmdLen {
    LEN_IGNORED,        /* nothing behind the checksum is looked at */
    LEN_EXACT,          /* else RUNTIME_INSUFFICIENT_MEMORY */
    LEN_EXACT_PARAMS,   /* else RUNTIME_MAILBOX_INVALID_PARAMS */
    LEN_UP_TO,          /* what is not sent counts as zero */
} CmdLen;

#define ANY     false
#define PL0     true    /* only for the caller with privilege level 0 */

static const struct {
    uint32_t code;
    const char *name;
    CmdLen len;
    uint32_t size;      /* bytes */
    bool pl0;
    CaliptraRtTrait trait;  /* what a runtime has that knows the command */
    CaliptraCmdFn *fn;
} rt_commands[] = {
    { CALIPTRA_CMD_VERSION, "VERSION", LEN_IGNORED, 4, ANY, CALIPTRA_RT_BASE,
      rt_cmd_version },
    { CALIPTRA_CMD_SELF_TEST_START, "SELF_TEST_START", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_SELF_TEST, rt_cmd_self_test_start },
    { CALIPTRA_CMD_SELF_TEST_GET_RESULTS, "SELF_TEST_GET_RESULTS", LEN_IGNORED,
      4, ANY, CALIPTRA_RT_SELF_TEST, rt_cmd_self_test_get_results },
    { CALIPTRA_CMD_SHUTDOWN, "SHUTDOWN", LEN_IGNORED, 4, ANY, CALIPTRA_RT_BASE,
      rt_cmd_shutdown },
    { CALIPTRA_CMD_CAPABILITIES, "CAPABILITIES", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_BASE, rt_cmd_capabilities },
    { CALIPTRA_CMD_STASH_MEASUREMENT, "STASH_MEASUREMENT", LEN_EXACT, 108, PL0,
      CALIPTRA_RT_BASE, caliptra_cmd_stash_measurement },
    { CALIPTRA_CMD_GET_IDEV_CERT, "GET_IDEV_CERT", LEN_UP_TO, 1020, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_get_idev_cert },
    { CALIPTRA_CMD_GET_IDEV_INFO, "GET_IDEV_INFO", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_get_idev_info },
    { CALIPTRA_CMD_GET_IDEV_CSR, "GET_IDEV_CSR", LEN_EXACT_PARAMS, 4, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_get_idev_csr },
    { CALIPTRA_CMD_POPULATE_IDEV_CERT, "POPULATE_IDEV_CERT", LEN_UP_TO, 1032,
      ANY, CALIPTRA_RT_BASE, caliptra_cmd_populate_idev_cert },
    { CALIPTRA_CMD_GET_LDEV_CERT, "GET_LDEV_CERT", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_get_ldev_cert },
    { CALIPTRA_CMD_GET_FMC_ALIAS_CERT, "GET_FMC_ALIAS_CERT", LEN_IGNORED, 4,
      ANY, CALIPTRA_RT_BASE, caliptra_cmd_get_fmc_alias_cert },
    { CALIPTRA_CMD_GET_FMC_ALIAS_CSR, "GET_FMC_ALIAS_CSR", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_get_fmc_alias_csr },
    { CALIPTRA_CMD_GET_RT_ALIAS_CERT, "GET_RT_ALIAS_CERT", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_get_rt_alias_cert },
    { CALIPTRA_CMD_ECDSA384_VERIFY, "ECDSA384_SIGNATURE_VERIFY", LEN_EXACT,
      196, ANY, CALIPTRA_RT_BASE, rt_cmd_ecdsa384_verify },
    { CALIPTRA_CMD_LMS_VERIFY, "LMS_SIGNATURE_VERIFY", LEN_EXACT, LMS_REQ_SIZE,
      ANY, CALIPTRA_RT_BASE, rt_cmd_lms_verify },
    { CALIPTRA_CMD_FW_INFO, "FW_INFO", LEN_IGNORED, 4, ANY, CALIPTRA_RT_BASE,
      rt_cmd_fw_info },
    { CALIPTRA_CMD_DPE_TAG_TCI, "DPE_TAG_TCI", LEN_EXACT, 24, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_dpe_tag_tci },
    { CALIPTRA_CMD_DPE_GET_TAGGED_TCI, "DPE_GET_TAGGED_TCI", LEN_EXACT, 8, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_dpe_get_tagged_tci },
    { CALIPTRA_CMD_INCREMENT_PCR_RESET_COUNTER, "INCREMENT_PCR_RESET_COUNTER",
      LEN_EXACT, 8, ANY, CALIPTRA_RT_BASE,
      caliptra_cmd_increment_pcr_reset_counter },
    { CALIPTRA_CMD_QUOTE_PCRS, "QUOTE_PCRS", LEN_EXACT_PARAMS, 36, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_quote_pcrs },
    { CALIPTRA_CMD_EXTEND_PCR, "EXTEND_PCR", LEN_EXACT, 56, ANY,
      CALIPTRA_RT_BASE, caliptra_cmd_extend_pcr },
    { CALIPTRA_CMD_ADD_SUBJECT_ALT_NAME, "ADD_SUBJECT_ALT_NAME", LEN_UP_TO,
      136, ANY, CALIPTRA_RT_BASE, caliptra_cmd_add_subject_alt_name },
    { CALIPTRA_CMD_CERTIFY_KEY_EXTENDED, "CERTIFY_KEY_EXTENDED", LEN_EXACT, 80,
      PL0, CALIPTRA_RT_BASE, caliptra_cmd_certify_key_extended },
    { CALIPTRA_CMD_INVOKE_DPE_COMMAND, "INVOKE_DPE_COMMAND", LEN_UP_TO, 520,
      ANY, CALIPTRA_RT_BASE, caliptra_cmd_invoke_dpe },
    { CALIPTRA_CMD_SET_AUTH_MANIFEST, "SET_AUTH_MANIFEST", LEN_UP_TO,
      CALIPTRA_REQ_MAX, ANY, CALIPTRA_RT_BASE,
      caliptra_cmd_set_auth_manifest },
    { CALIPTRA_CMD_AUTHORIZE_AND_STASH, "AUTHORIZE_AND_STASH", LEN_EXACT, 116,
      ANY, CALIPTRA_RT_BASE, caliptra_cmd_authorize_and_stash },
    { CALIPTRA_CMD_DISABLE_ATTESTATION, "DISABLE_ATTESTATION", LEN_IGNORED, 4,
      ANY, CALIPTRA_RT_BASE, caliptra_cmd_disable_attestation },
    { CALIPTRA_CMD_SIGN_WITH_EXPORTED_ECDSA, "SIGN_WITH_EXPORTED_ECDSA",
      LEN_EXACT_PARAMS, 84, PL0, CALIPTRA_RT_BASE,
      caliptra_cmd_sign_with_exported_ecdsa },
    { CALIPTRA_CMD_REVOKE_EXPORTED_CDI_HANDLE, "REVOKE_EXPORTED_CDI_HANDLE",
      LEN_EXACT_PARAMS, 36, PL0, CALIPTRA_RT_REVOKE_EXPORTED_CDI,
      caliptra_cmd_revoke_exported_cdi_handle },
    { CALIPTRA_CMD_REALLOCATE_DPE_CONTEXT_LIMITS,
      "REALLOCATE_DPE_CONTEXT_LIMITS", LEN_EXACT, 8, PL0,
      CALIPTRA_RT_CONTEXT_LIMITS, caliptra_cmd_reallocate_dpe_context_limits },
    { CALIPTRA_CMD_GET_PCR_LOG, "GET_PCR_LOG", LEN_IGNORED, 4, ANY,
      CALIPTRA_RT_GET_PCR_LOG, caliptra_cmd_get_pcr_log },
};

/* ---- transport ---- */

static int rt_find_command(const CaliptraFw *fw, uint32_t code)
{
    for (int i = 0; i < ARRAY_SIZE(rt_commands); i++) {
        if (rt_commands[i].code == code &&
            caliptra_rt_has(fw, rt_commands[i].trait)) {
            return i;
        }
    }
    return -1;
}

static const char *rt_command_name(CaliptraFw *fw)
{
    uint32_t code = caliptra_fw_mbox_cmd(fw);
    int i = rt_find_command(fw, code);

    if (code == CALIPTRA_CMD_FIRMWARE_LOAD) {
        return "FIRMWARE_LOAD";
    }
    return i < 0 ? "(unknown)" : rt_commands[i].name;
}

/* the end of a command that failed; a few errors end more than the command */
static CaliptraFwFlowId rt_command_failed(CaliptraFw *fw, uint32_t error)
{
    if (CALIPTRA_ERR_IS_FATAL(error) ||
        error == CALIPTRA_ERR_RUNTIME_SHUTDOWN) {
        return CALIPTRA_FLOW_FATAL;
    }
    trace_caliptra_fw_command(fw->id, rt_command_name(fw), error, 0);
    caliptra_log(fw->log, "command 0x%08x %s failed: %s (0x%08x): %s",
                 caliptra_fw_mbox_cmd(fw), rt_command_name(fw),
                 caliptra_error_name(error), error,
                 caliptra_error_cause(error));
    caliptra_fw_error_non_fatal(fw, error);
    caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_FAILURE);
    caliptra_fw_wdt_stop(fw);
    return CALIPTRA_FLOW_RT_COMMANDS;
}

/*
 * Wait for a command and accept it: what is checked before dispatch.  A
 * self test that has been asked for runs when the mailbox is free.
 */
static uint32_t rt_accept(CaliptraFw *fw)
{
    bool ready = caliptra_fw_mbox_fsm(fw) == MBOX_EXECUTE_UC;
    bool self_test = fw->rt.self_test_state == CALIPTRA_SELF_TEST_IN_PROGRESS;
    uint32_t dlen;

    if (fw->rt.shut_down) {
        /* the microcontroller does not sleep with a self test to do */
        return ready || self_test ||
               caliptra_rt_has(fw, CALIPTRA_RT_SHUTDOWN_AT_ONCE) ?
               CALIPTRA_ERR_RUNTIME_SHUTDOWN : CALIPTRA_FW_WAIT;
    }
    rt_flow_done(fw, true);
    if (!ready) {
        if (self_test && !(caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE +
                                          A_MBOX_LOCK) &
                           R_MBOX_LOCK_LOCK_MASK)) {
            return caliptra_fw_goto(fw, CALIPTRA_FLOW_RT_SELF_TEST);
        }
        return CALIPTRA_FW_WAIT;
    }

    rt_flow_done(fw, false);
    caliptra_fw_wdt_start(fw, RT_WDT_CYCLES);
    caliptra_fw_error_non_fatal(fw, 0);
    if (caliptra_fw_caller(fw) == CALIPTRA_UC_USER) {
        return CALIPTRA_ERR_RUNTIME_CMD_RESERVED_PAUSER;
    }
    if (caliptra_fw_mbox_cmd(fw) == CALIPTRA_CMD_FIRMWARE_LOAD) {
        caliptra_log(fw->log, "runtime: firmware update, resetting the core");
        caliptra_fw_soc_ifc_wr(fw, A_INTERNAL_FW_UPDATE_RESET,
                               R_INTERNAL_FW_UPDATE_RESET_CORE_RST_MASK);
        /* not reached on hardware that works: the core has been reset */
        return CALIPTRA_ERR_RUNTIME_UNEXPECTED_UPDATE_RETURN;
    }
    dlen = caliptra_fw_mbox_dlen(fw);
    if (dlen > CALIPTRA_REQ_MAX) {
        return CALIPTRA_ERR_RUNTIME_INSUFFICIENT_MEMORY;
    }
    caliptra_fw_mbox_read_request(fw, dlen);
    if (dlen < 4) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    if (!caliptra_fw_mbox_checksum_ok(fw)) {
        return CALIPTRA_ERR_RUNTIME_INVALID_CHECKSUM;
    }
    return CALIPTRA_FW_OK;
}

static uint32_t rt_check_length(CaliptraFw *fw, CmdLen len, uint32_t size)
{
    switch (len) {
    case LEN_IGNORED:
        return CALIPTRA_FW_OK;
    case LEN_EXACT:
        return fw->req_len == size ? CALIPTRA_FW_OK :
               CALIPTRA_ERR_RUNTIME_INSUFFICIENT_MEMORY;
    case LEN_EXACT_PARAMS:
        return fw->req_len == size ? CALIPTRA_FW_OK :
               CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    case LEN_UP_TO:
        return fw->req_len <= size ? CALIPTRA_FW_OK :
               CALIPTRA_ERR_RUNTIME_INSUFFICIENT_MEMORY;
    }
    g_assert_not_reached();
}

/* dispatch: length, privilege, and then what the command itself checks */
static uint32_t rt_serve(CaliptraFw *fw)
{
    g_autofree CaliptraRsp *rsp = g_new0(CaliptraRsp, 1);
    int i = rt_find_command(fw, caliptra_fw_mbox_cmd(fw));
    uint32_t ret;

    if (i < 0) {
        return CALIPTRA_ERR_RUNTIME_UNIMPLEMENTED_COMMAND;
    }

    rsp->len = 8;
    ret = rt_check_length(fw, rt_commands[i].len, rt_commands[i].size);
    if (ret == CALIPTRA_FW_OK && rt_commands[i].pl0 &&
        !caliptra_fw_caller_is_pl0(fw)) {
        ret = CALIPTRA_ERR_RUNTIME_INCORRECT_PAUSER_PRIVILEGE_LEVEL;
    }
    if (ret == CALIPTRA_FW_OK) {
        ret = rt_commands[i].fn(fw, fw->req, fw->req_len, rsp);
    }
    if (ret == CALIPTRA_FW_OK) {
        trace_caliptra_fw_command(fw->id, rt_commands[i].name, 0, rsp->len);
        caliptra_fw_mbox_respond(fw, rsp);
        caliptra_fw_wdt_stop(fw);
    }
    return ret;
}

static const CaliptraFwStep rt_commands_steps[] = {
    { "wait for a command", rt_accept, .latency = NS_SHORT },
    { "serve the command", rt_serve, .latency = NS_COMMAND },
};

const CaliptraFwFlow caliptra_flow_rt_commands = {
    .name = "runtime commands",
    .stage = CALIPTRA_STAGE_RT,
    .steps = rt_commands_steps,
    .n_steps = ARRAY_SIZE(rt_commands_steps),
    .next = CALIPTRA_FLOW_RT_COMMANDS,
    .fail = rt_command_failed,
};

/* ---- self test, with the mailbox held (runtime/src/fips.rs) ---- */

static uint32_t self_test_hashes(CaliptraFw *fw)
{
    return caliptra_fw_kat_hashes(fw, false);
}

static void self_test_put(CaliptraFw *fw, const uint8_t *data, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += 4) {
        uint8_t word[4] = {};

        memcpy(word, data + i, MIN(len - i, 4));
        caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DATAIN,
                       ldl_le_p(word));
    }
}

/*
 * An image that runs goes into the mailbox.  Its place in ICCM was checked
 * when it was loaded, but a snapshot may say anything.
 */
static bool self_test_put_image(CaliptraFw *fw, const CaliptraTocEntry *toc)
{
    uint32_t addr = le32_to_cpu(toc->load_addr);
    uint32_t size = le32_to_cpu(toc->size);

    if (!caliptra_fw_in_iccm(addr, size)) {
        return false;
    }
    self_test_put(fw, fw->iccm + (addr - CALIPTRA_ICCM_BASE), size);
    return true;
}

/* manifest and images go back into the mailbox and are verified there */
static uint32_t self_test_images(CaliptraFw *fw)
{
    const CaliptraManifest *m = (const CaliptraManifest *)fw->pdata.manifest1;
    uint32_t fmc_size = le32_to_cpu(m->fmc.size);
    uint32_t rt_size = le32_to_cpu(m->rt.size);
    uint32_t size = CALIPTRA_MANIFEST_SIZE + fmc_size + rt_size;
    CaliptraImageInfo info;

    if (caliptra_fw_mbox_fsm(fw) != MBOX_RDY_FOR_CMD) {
        return CALIPTRA_ERR_RUNTIME_INTERNAL;
    }
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_CMD, 0);
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DLEN, size);
    self_test_put(fw, fw->pdata.manifest1, CALIPTRA_MANIFEST_SIZE);
    if (fmc_size > caliptra_release_fmc_room(fw)) {
        return CALIPTRA_ERR_RUNTIME_INVALID_FMC_SIZE;
    }
    if (rt_size > caliptra_release_rt_room(fw)) {
        return CALIPTRA_ERR_RUNTIME_INVALID_RUNTIME_SIZE;
    }
    if (!self_test_put_image(fw, &m->fmc) ||
        !self_test_put_image(fw, &m->rt)) {
        return CALIPTRA_ERR_RUNTIME_INTERNAL;
    }
    return caliptra_fw_image_verify(fw, fw->pdata.manifest1, size, true,
                                    &info);
}

static uint32_t self_test_done(CaliptraFw *fw)
{
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_UNLOCK,
                   R_MBOX_UNLOCK_UNLOCK_MASK);
    fw->rt.self_test_state = CALIPTRA_SELF_TEST_DONE;
    caliptra_log(fw->log, "runtime: self test passed");
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rt_self_test_steps[] = {
    { "start", .status = BOOT_RT_SELF_TEST_STARTED, .latency = NS_SHORT },
    { "known-answer tests: hashes", self_test_hashes,
      .latency = NS_COMMAND },
    { "known-answer tests: keys", caliptra_fw_kat_keys,
      .draws = CALIPTRA_KAT_KEYS_DRAWS, .latency = NS_ECC,
      .draw_error = caliptra_fw_kat_draw_error },
    { "verify the images", self_test_images,
      .status = BOOT_RT_SELF_TEST_COMPLETE, .latency = NS_VERIFY },
    { "release the mailbox", self_test_done, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rt_self_test = {
    .name = "runtime self test",
    .stage = CALIPTRA_STAGE_RT,
    .steps = rt_self_test_steps,
    .n_steps = ARRAY_SIZE(rt_self_test_steps),
    .next = CALIPTRA_FLOW_RT_COMMANDS,
};
