/*
 * Caliptra 1.x core: ROM flows and mailbox commands
 *
 * Boot status values and the order of steps are those of caliptra-sw
 * rom/dev/src/flow and common/src/boot_status.rs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "hw/misc/caliptra_file.h"
#include "caliptra_fw.h"
#include "trace.h"

/* Boot status values (common/src/boot_status.rs) */
enum {
    BOOT_IDEVID_DECRYPT_UDS = 0x001,
    BOOT_IDEVID_DECRYPT_FE = 0x002,
    BOOT_IDEVID_CLEAR_DOE_SECRETS = 0x003,
    BOOT_IDEVID_CDI = 0x004,
    BOOT_IDEVID_KEY_PAIR = 0x005,
    BOOT_IDEVID_SUBJ_ID_SN = 0x006,
    BOOT_IDEVID_SUBJ_KEY_ID = 0x007,
    BOOT_IDEVID_MAKE_CSR = 0x008,
    BOOT_IDEVID_SEND_CSR = 0x009,
    BOOT_IDEVID_COMPLETE = 0x00A,
    BOOT_LDEVID_CDI = 0x041,
    BOOT_LDEVID_KEY_PAIR = 0x042,
    BOOT_LDEVID_SUBJ_ID_SN = 0x043,
    BOOT_LDEVID_SUBJ_KEY_ID = 0x044,
    BOOT_LDEVID_CERT_SIG = 0x045,
    BOOT_LDEVID_COMPLETE = 0x046,
    BOOT_FW_DOWNLOAD_IMAGE = 0x081,
    BOOT_FW_MANIFEST_LOAD = 0x082,
    BOOT_FW_IMAGE_VERIFICATION = 0x083,
    BOOT_FW_POPULATE_DATA_VAULT = 0x084,
    BOOT_FW_EXTEND_PCR = 0x085,
    BOOT_FW_LOAD_IMAGE = 0x086,
    BOOT_FW_DOWNLOAD_TX = 0x087,
    BOOT_FW_COMPLETE = 0x088,
    BOOT_FMC_ALIAS_CDI = 0x0C1,
    BOOT_FMC_ALIAS_KEY_PAIR = 0x0C2,
    BOOT_FMC_ALIAS_SUBJ_ID_SN = 0x0C3,
    BOOT_FMC_ALIAS_SUBJ_KEY_ID = 0x0C4,
    BOOT_FMC_ALIAS_CERT_SIG = 0x0C5,
    BOOT_FMC_ALIAS_COMPLETE = 0x0C6,
    BOOT_COLD_RESET_STARTED = 0x101,
    BOOT_COLD_RESET_COMPLETE = 0x140,
    BOOT_UPDATE_STARTED = 0x141,
    BOOT_UPDATE_LOAD_MANIFEST = 0x142,
    BOOT_UPDATE_IMAGE_VERIFICATION = 0x143,
    BOOT_UPDATE_POPULATE_DATA_VAULT = 0x144,
    BOOT_UPDATE_EXTEND_PCR = 0x145,
    BOOT_UPDATE_LOAD_IMAGE = 0x146,
    BOOT_UPDATE_OVERWRITE_MANIFEST = 0x147,
    BOOT_UPDATE_COMPLETE = 0x148,
    BOOT_CFI_INITIALIZED = 0x181,
    BOOT_KAT_STARTED = 0x182,
    BOOT_KAT_COMPLETE = 0x183,
};

/* CPTRA_DBG_MANUF_SERVICE_REG (drivers/src/soc_ifc.rs, MfgFlags) */
#define DBG_MANUF_GENERATE_IDEVID_CSR   (1u << 0)

/* where this firmware would have its interrupt handler */
#define ROM_NMI_VECTOR          0x00000100

/* 1.2.0 (builder/src/version.rs) */
#define ROM_VERSION             (1 << 11 | 2 << 6 | 0)
/* what upstream's builder puts in when it is to leave out the commit */
#define ROM_REVISION            "~~~~~NO_GIT_REVISION"

static bool rom_csr_flag(CaliptraFw *fw)
{
    return caliptra_fw_soc_ifc_rd(fw, A_CPTRA_DBG_MANUF_SERVICE_REG) &
           DBG_MANUF_GENERATE_IDEVID_CSR;
}

/* firmware writes the whole register, so each event clears the one before */
static void rom_flow_status(CaliptraFw *fw, uint32_t bit)
{
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FLOW_STATUS, bit);
}

/* ---- ROM identity ---- */

void caliptra_fw_rom_info_default(CaliptraRomInfo *rom)
{
    uint8_t digest[32];

    caliptra_sha256(NULL, 0, digest);
    caliptra_bytes_to_words(rom->digest, digest, 8);
    memcpy(rom->revision, ROM_REVISION, sizeof(rom->revision));
    rom->version = ROM_VERSION;
}

/* RomInfo (caliptra-sw image/types/src/lib.rs), little-endian */
enum {
    ROM_INFO_DIGEST = 0,        /* 8 words */
    ROM_INFO_REVISION = 32,     /* 20 bytes */
    ROM_INFO_FLAGS = 52,        /* none are defined */
    ROM_INFO_VERSION = 56,      /* 16 bits */
    ROM_INFO_SIZE = 60,
    ROM_INFO_ALIGN = 64,
};

#define ROM_SIZE_MAX    (48 * KiB)

/*
 * SHA-256 as ROM takes it of itself: over whole blocks, with the bytes of
 * each 32-bit word in reversed order.
 */
static void rom_digest(const uint8_t *image, size_t len, uint32_t words[8])
{
    g_autofree uint8_t *swapped = g_malloc(len);
    uint8_t digest[32];

    for (size_t i = 0; i < len; i += 4) {
        stl_be_p(swapped + i, ldl_le_p(image + i));
    }
    caliptra_sha256(swapped, len, digest);
    caliptra_bytes_to_words(words, digest, 8);
}

/* RomInfo follows the code on a 64-byte boundary; its digest tells where */
static bool rom_find_info(const uint8_t *image, size_t len, size_t *offset)
{
    for (size_t at = 0; at + ROM_INFO_SIZE <= len; at += ROM_INFO_ALIGN) {
        uint32_t words[8];
        size_t i;

        /* do not hash for what cannot be it */
        if (ldl_le_p(image + at + ROM_INFO_FLAGS) != 0 ||
            buffer_is_zero(image + at, 32)) {
            continue;
        }
        rom_digest(image, at, words);
        for (i = 0; i < 8; i++) {
            if (ldl_le_p(image + at + ROM_INFO_DIGEST + 4 * i) != words[i]) {
                break;
            }
        }
        if (i == 8) {
            *offset = at;
            return true;
        }
    }
    return false;
}

bool caliptra_fw_load_rom(CaliptraFw *fw, const char *file, Error **errp)
{
    CaliptraRomInfo *rom = &fw->rom;
    g_autofree char *image = NULL;
    const uint8_t *info;
    size_t offset, len;

    image = caliptra_read_file("Caliptra ROM", file, 1, ROM_SIZE_MAX, &len,
                               errp);
    if (!image) {
        return false;
    }
    if (!rom_find_info((uint8_t *)image, len, &offset)) {
        error_setg(errp, "Caliptra ROM '%s': no RomInfo with a matching "
                   "SHA-256 digest, not a Caliptra ROM image", file);
        return false;
    }
    info = (uint8_t *)image + offset;
    for (int i = 0; i < 8; i++) {
        rom->digest[i] = ldl_le_p(info + ROM_INFO_DIGEST + 4 * i);
    }
    memcpy(rom->revision, info + ROM_INFO_REVISION, sizeof(rom->revision));
    rom->version = lduw_le_p(info + ROM_INFO_VERSION);
    rom->image = g_memdup2(image, offset);
    rom->len = offset;
    return true;
}

uint32_t caliptra_fw_rom_integrity(CaliptraFw *fw)
{
    uint32_t words[8];

    rom_digest(fw->rom.image, fw->rom.len, words);
    return memcmp(words, fw->rom.digest, sizeof(words)) ?
           CALIPTRA_ERR_ROM_INTEGRITY_FAILURE : CALIPTRA_FW_OK;
}

/* ---- ROM entry, common to every reset (rom/dev/src/main.rs) ---- */

static uint32_t rom_start(CaliptraFw *fw)
{
    static const char * const reasons[] = {
        [CALIPTRA_FW_RESET_COLD] = "cold reset",
        [CALIPTRA_FW_RESET_WARM] = "warm reset",
        [CALIPTRA_FW_RESET_UPDATE] = "firmware update reset",
        [CALIPTRA_FW_RESET_UNKNOWN] = "unknown reset",
    };
    static const char * const lifecycles[] = {
        "unprovisioned", "manufacturing", "undefined", "production",
    };
    CaliptraFwReset reason = caliptra_fw_reset_reason(fw);

    caliptra_log(fw->log, "ROM start: %s, lifecycle %s, debug %s",
                 reasons[reason], lifecycles[caliptra_fw_lifecycle(fw)],
                 caliptra_fw_debug_locked(fw) ? "locked" : "unlocked");
    if (reason == CALIPTRA_FW_RESET_COLD) {
        /* DCCM and ICCM */
        memset(&fw->pdata, 0, sizeof(fw->pdata));
        memset(&fw->image, 0, sizeof(fw->image));
        memset(fw->iccm, 0, sizeof(fw->iccm));
        memset(fw->cfi_prng, 0, sizeof(fw->cfi_prng));
        fw->boot_status = 0;
    }
    fw->rom_self_test_started = false;
    fw->csr_requested = false;
    caliptra_fw_soc_ifc_wr(fw, A_INTERNAL_NMI_VECTOR, ROM_NMI_VECTOR);
    return caliptra_fw_step_trng(fw);
}

static uint32_t rom_report_version(CaliptraFw *fw)
{
    uint32_t rev = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FW_REV_ID);

    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FW_REV_ID,
                           deposit32(rev, 0, 16, fw->rom.version));
    return CALIPTRA_FW_OK;
}

static uint32_t rom_start_wdt(CaliptraFw *fw)
{
    uint32_t low = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_WDT_CFG);
    uint32_t high = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_WDT_CFG + 4);
    uint64_t period = deposit64(low, 32, 32, high);

    caliptra_fw_wdt_start(fw, period ? period : 1);
    return CALIPTRA_FW_OK;
}

static uint32_t rom_kat_hashes(CaliptraFw *fw)
{
    return caliptra_fw_kat_hashes(fw, caliptra_fw_reset_reason(fw) !=
                                  CALIPTRA_FW_RESET_UPDATE);
}

static uint32_t rom_dispatch(CaliptraFw *fw)
{
    switch (caliptra_fw_reset_reason(fw)) {
    case CALIPTRA_FW_RESET_COLD:
        return caliptra_fw_goto(fw, CALIPTRA_FLOW_ROM_COLD);
    case CALIPTRA_FW_RESET_WARM:
        return caliptra_fw_goto(fw, CALIPTRA_FLOW_ROM_WARM);
    case CALIPTRA_FW_RESET_UPDATE:
        return caliptra_fw_goto(fw, CALIPTRA_FLOW_ROM_UPDATE);
    default:
        return CALIPTRA_ERR_ROM_UNKNOWN_RESET_FLOW;
    }
}

static const CaliptraFwStep rom_entry_steps[] = {
    { "reset vector", rom_start, .latency = NS_HASH },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "seed the CFI counter", caliptra_fw_step_cfi_seed, .draws = 1,
      .latency = NS_SHORT },
    { "check the TRNG", caliptra_fw_step_trng_check,
      .status = BOOT_CFI_INITIALIZED, .latency = NS_SHORT },
    { "report the ROM version", rom_report_version, .latency = NS_SHORT },
    { "start the watchdog", rom_start_wdt, .status = BOOT_KAT_STARTED,
      .latency = NS_SHORT },
    { "known-answer tests: hashes", rom_kat_hashes, .latency = NS_HASH },
    { "known-answer tests: keys", caliptra_fw_kat_keys,
      .status = BOOT_KAT_COMPLETE, .draws = CALIPTRA_KAT_KEYS_DRAWS,
      .latency = NS_ECC, .draw_error = caliptra_fw_kat_draw_error },
    { "choose the flow", rom_dispatch, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rom_entry = {
    .name = "ROM entry",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_entry_steps,
    .n_steps = ARRAY_SIZE(rom_entry_steps),
};

/* ---- cold boot up to the command loop (flow/cold_reset) ---- */

static uint32_t cold_start(CaliptraFw *fw)
{
    caliptra_drv_dvs4_write(fw, DVS4_ROM_COLD_BOOT_STATUS,
                            BOOT_COLD_RESET_STARTED);
    return CALIPTRA_FW_OK;
}

static uint32_t cold_init_fht(CaliptraFw *fw)
{
    fw->pdata.fht_valid = true;
    return CALIPTRA_FW_OK;
}

static uint32_t cold_ready_for_fw(CaliptraFw *fw)
{
    if (!rom_csr_flag(fw)) {
        rom_flow_status(fw, R_CPTRA_FLOW_STATUS_READY_FOR_FW_MASK);
    }
    return CALIPTRA_FW_OK;
}

static uint32_t cold_csr_decide(CaliptraFw *fw)
{
    fw->csr_requested = rom_csr_flag(fw);
    if (!fw->csr_requested) {
        fw->pdata.idevid_csr_len = CALIPTRA_CSR_UNPROVISIONED;
    }
    return CALIPTRA_FW_OK;
}

static bool cold_csr_requested(CaliptraFw *fw)
{
    return fw->csr_requested;
}

static uint32_t cold_csr_lock_mbox(CaliptraFw *fw)
{
    return caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_LOCK) &
           R_MBOX_LOCK_LOCK_MASK ? CALIPTRA_FW_WAIT : CALIPTRA_FW_OK;
}

static uint32_t cold_csr_send(CaliptraFw *fw)
{
    uint32_t len = fw->pdata.idevid_csr_len;

    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_CMD, 0);
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DLEN, len);
    for (uint32_t i = 0; i < len; i += 4) {
        uint8_t word[4] = {};

        memcpy(word, fw->pdata.idevid_csr + i, MIN(len - i, 4));
        caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DATAIN,
                       ldl_le_p(word));
    }
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_EXECUTE,
                   R_MBOX_EXECUTE_EXECUTE_MASK);
    rom_flow_status(fw, R_CPTRA_FLOW_STATUS_IDEVID_CSR_READY_MASK);
    caliptra_log(fw->log, "IDevID CSR of %u bytes is in the mailbox", len);
    return CALIPTRA_FW_OK;
}

/* the SoC says that it has the CSR by clearing the flag */
static uint32_t cold_csr_wait(CaliptraFw *fw)
{
    if (rom_csr_flag(fw)) {
        return CALIPTRA_FW_WAIT;
    }
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_EXECUTE, 0);
    if (caliptra_fw_mbox_fsm(fw) != MBOX_IDLE) {
        caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_UNLOCK,
                       R_MBOX_UNLOCK_UNLOCK_MASK);
    }
    return CALIPTRA_FW_OK;
}

static uint32_t cold_idevid_done(CaliptraFw *fw)
{
    uint32_t flow = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FLOW_STATUS);

    if (!FIELD_EX32(flow, CPTRA_FLOW_STATUS, READY_FOR_FW)) {
        rom_flow_status(fw, R_CPTRA_FLOW_STATUS_READY_FOR_FW_MASK);
    }
    return CALIPTRA_FW_OK;
}

static uint32_t cold_ldevid_done(CaliptraFw *fw)
{
    caliptra_log(fw->log, "IDevID and LDevID are derived, ready for firmware");
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rom_cold_steps[] = {
    { "cold reset", cold_start, .status = BOOT_COLD_RESET_STARTED,
      .latency = NS_SHORT },
    { "hand-off table", cold_init_fht, .latency = NS_SHORT },
    { "ready for firmware", cold_ready_for_fw, .latency = NS_SHORT },
    { "IDevID: decrypt the UDS", caliptra_dice_idevid_decrypt_uds,
      .status = BOOT_IDEVID_DECRYPT_UDS, .latency = NS_HASH },
    { "IDevID: decrypt the field entropy", caliptra_dice_idevid_decrypt_fe,
      .status = BOOT_IDEVID_DECRYPT_FE, .latency = NS_HASH },
    { "IDevID: clear the secrets", caliptra_dice_idevid_clear_secrets,
      .status = BOOT_IDEVID_CLEAR_DOE_SECRETS, .latency = NS_SHORT },
    { "IDevID: CDI", caliptra_dice_idevid_cdi, .status = BOOT_IDEVID_CDI,
      .draws = 1, .latency = NS_KDF },
    { "IDevID: key pair", caliptra_dice_idevid_keypair,
      .status = BOOT_IDEVID_KEY_PAIR, .draws = 3, .latency = NS_ECC,
      .draw_error = caliptra_dice_keypair_draw_error },
    { "IDevID: subject serial number", .status = BOOT_IDEVID_SUBJ_ID_SN,
      .latency = NS_SHORT },
    { "IDevID: key identifier", cold_csr_decide,
      .status = BOOT_IDEVID_SUBJ_KEY_ID, .latency = NS_SHORT },
    { "IDevID: make the CSR", caliptra_dice_idevid_make_csr,
      cold_csr_requested, BOOT_IDEVID_MAKE_CSR, .draws = 1,
      .latency = NS_ECC },
    { "IDevID: take the mailbox", cold_csr_lock_mbox, cold_csr_requested,
      .latency = NS_SHORT },
    { "IDevID: send the CSR", cold_csr_send, cold_csr_requested,
      .latency = NS_SHORT },
    { "IDevID: CSR taken by the SoC", cold_csr_wait, cold_csr_requested,
      BOOT_IDEVID_SEND_CSR, .latency = NS_SHORT },
    { "IDevID: complete", cold_idevid_done, .status = BOOT_IDEVID_COMPLETE,
      .latency = NS_SHORT },
    { "LDevID: CDI", caliptra_dice_ldevid_cdi, .status = BOOT_LDEVID_CDI,
      .draws = 2, .latency = NS_KDF },
    { "LDevID: key pair", caliptra_dice_ldevid_keypair,
      .status = BOOT_LDEVID_KEY_PAIR, .draws = 3, .latency = NS_ECC,
      .draw_error = caliptra_dice_keypair_draw_error },
    { "LDevID: subject serial number", .status = BOOT_LDEVID_SUBJ_ID_SN,
      .latency = NS_SHORT },
    { "LDevID: key identifier", .status = BOOT_LDEVID_SUBJ_KEY_ID,
      .latency = NS_SHORT },
    { "LDevID: certificate", caliptra_dice_ldevid_cert,
      .status = BOOT_LDEVID_CERT_SIG, .draws = 1, .latency = NS_ECC },
    { "LDevID: complete", cold_ldevid_done, .status = BOOT_LDEVID_COMPLETE,
      .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rom_cold = {
    .name = "ROM cold reset",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_cold_steps,
    .n_steps = ARRAY_SIZE(rom_cold_steps),
    .next = CALIPTRA_FLOW_ROM_COMMANDS,
};

/* ---- ROM mailbox commands (flow/cold_reset/fw_processor.rs) ---- */

/* firmware's name in the response to VERSION (common/src/fips.rs) */
#define FIPS_MODE       0x46495053
#define FIPS_NAME       "Caliptra RTM"

void caliptra_fw_rsp_version(CaliptraFw *fw, CaliptraRsp *rsp)
{
    stl_le_p(rsp->data + 8, FIPS_MODE);
    stl_le_p(rsp->data + 12, caliptra_fw_soc_ifc_rd(fw, A_CPTRA_HW_REV_ID));
    stl_le_p(rsp->data + 16, caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FW_REV_ID));
    stl_le_p(rsp->data + 20, caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FW_REV_ID + 4));
    memcpy(rsp->data + 24, FIPS_NAME, 12);
    rsp->len = 36;
}

/*
 * The handlers set rsp->len to 0 for the two refusals that are not fatal;
 * every error number is.
 */
static uint32_t rom_cmd_version(CaliptraFw *fw, const uint8_t *req,
                                size_t req_len, CaliptraRsp *rsp)
{
    caliptra_fw_rsp_version(fw, rsp);
    return CALIPTRA_FW_OK;
}

static uint32_t rom_cmd_capabilities(CaliptraFw *fw, const uint8_t *req,
                                     size_t req_len, CaliptraRsp *rsp)
{
    /* a 128-bit big-endian number: bit 0, the base features of a ROM */
    rsp->data[8 + 15] = 1;
    rsp->len = 24;
    return CALIPTRA_FW_OK;
}

static uint32_t rom_cmd_self_test_start(CaliptraFw *fw, const uint8_t *req,
                                        size_t req_len, CaliptraRsp *rsp)
{
    uint32_t ret;

    if (fw->rom_self_test_started) {
        rsp->len = 0;
        return CALIPTRA_FW_OK;
    }
    if (fw->trng_have == 0) {
        /* first run of this handler; the tests of keys need random words */
        caliptra_fw_boot_status(fw, BOOT_KAT_STARTED);
        ret = caliptra_fw_kat_hashes(fw, false);
        if (ret != CALIPTRA_FW_OK) {
            return ret;
        }
    }
    if (!caliptra_fw_draws(fw, CALIPTRA_KAT_KEYS_DRAWS)) {
        return fw->trng_error ?
               caliptra_fw_kat_draw_error(fw->trng_have, fw->trng_error) :
               CALIPTRA_FW_ENTROPY;
    }
    ret = caliptra_fw_kat_keys(fw);
    if (ret != CALIPTRA_FW_OK) {
        return ret;
    }
    caliptra_fw_boot_status(fw, BOOT_KAT_COMPLETE);
    fw->rom_self_test_started = true;
    return CALIPTRA_FW_OK;
}

static uint32_t rom_cmd_self_test_get_results(CaliptraFw *fw,
                                              const uint8_t *req,
                                              size_t req_len,
                                              CaliptraRsp *rsp)
{
    if (!fw->rom_self_test_started) {
        rsp->len = 0;
    }
    fw->rom_self_test_started = false;
    return CALIPTRA_FW_OK;
}

static uint32_t rom_cmd_stash_measurement(CaliptraFw *fw, const uint8_t *req,
                                          size_t req_len, CaliptraRsp *rsp)
{
    uint32_t ret;

    ret = caliptra_dice_stash_measurement(fw, req + 4, req + 8, req + 56,
                                          ldl_le_p(req + 104));
    if (ret != CALIPTRA_FW_OK) {
        return ret;
    }
    caliptra_log(fw->log, "measurement %u of %u stashed",
                 fw->pdata.meas_log_index, CALIPTRA_MEAS_LOG_ENTRIES);
    /* dpe_result 0 */
    rsp->len = 12;
    return CALIPTRA_FW_OK;
}

static uint32_t rom_cmd_shutdown(CaliptraFw *fw, const uint8_t *req,
                                 size_t req_len, CaliptraRsp *rsp)
{
    caliptra_fw_mbox_respond(fw, rsp);
    return CALIPTRA_ERR_RUNTIME_SHUTDOWN;
}

static uint32_t rom_cmd_get_idev_csr(CaliptraFw *fw, const uint8_t *req,
                                     size_t req_len, CaliptraRsp *rsp)
{
    uint32_t len = fw->pdata.idevid_csr_len;

    if (len == CALIPTRA_CSR_UNPROVISIONED) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_GET_IDEV_CSR_UNPROVISIONED_CSR;
    }
    stl_le_p(rsp->data + 8, len);
    memcpy(rsp->data + 12, fw->pdata.idevid_csr, len);
    rsp->len = 12 + CALIPTRA_CSR_MAX;
    return CALIPTRA_FW_OK;
}

static const struct {
    uint32_t code;
    const char *name;
    uint32_t req_len;
    CaliptraCmdFn *fn;
} rom_commands[] = {
    { CALIPTRA_CMD_VERSION, "VERSION", 4, rom_cmd_version },
    { CALIPTRA_CMD_SELF_TEST_START, "SELF_TEST_START", 4,
      rom_cmd_self_test_start },
    { CALIPTRA_CMD_SELF_TEST_GET_RESULTS, "SELF_TEST_GET_RESULTS", 4,
      rom_cmd_self_test_get_results },
    { CALIPTRA_CMD_SHUTDOWN, "SHUTDOWN", 4, rom_cmd_shutdown },
    { CALIPTRA_CMD_CAPABILITIES, "CAPABILITIES", 4, rom_cmd_capabilities },
    { CALIPTRA_CMD_STASH_MEASUREMENT, "STASH_MEASUREMENT", 108,
      rom_cmd_stash_measurement },
    { CALIPTRA_CMD_GET_IDEV_CSR, "GET_IDEV_CSR", 4, rom_cmd_get_idev_csr },
};

static int rom_find_command(const CaliptraFw *fw, uint32_t code)
{
    if (code == CALIPTRA_CMD_GET_IDEV_CSR &&
        !caliptra_rom_has(fw, CALIPTRA_ROM_GET_IDEV_CSR)) {
        return -1;
    }
    for (int i = 0; i < ARRAY_SIZE(rom_commands); i++) {
        if (rom_commands[i].code == code) {
            return i;
        }
    }
    return -1;
}

static bool rom_mbox_ecc_error(CaliptraFw *fw)
{
    return extract32(caliptra_fw_soc_ifc_rd(fw, A_INTR_ERROR_INTERNAL),
                     SOC_IFC_ERROR_MBOX_ECC_UNC, 1);
}

/* accept a command: the checks in ROM's order, each error a fatal one */
static uint32_t rom_accept(CaliptraFw *fw)
{
    uint32_t code;
    int i;

    if (caliptra_fw_mbox_fsm(fw) != MBOX_EXECUTE_UC) {
        return CALIPTRA_FW_WAIT;
    }
    caliptra_fw_error_non_fatal(fw, 0);
    if (caliptra_fw_caller(fw) == CALIPTRA_UC_USER &&
        caliptra_rom_has(fw, CALIPTRA_ROM_RESERVED_USER)) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_RESERVED_PAUSER;
    }
    code = caliptra_fw_mbox_cmd(fw);
    if (code == CALIPTRA_CMD_FIRMWARE_LOAD) {
        return caliptra_fw_goto(fw, CALIPTRA_FLOW_ROM_LOAD);
    }
    i = rom_find_command(fw, code);
    if (i < 0) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_INVALID_COMMAND;
    }
    if (code == CALIPTRA_CMD_STASH_MEASUREMENT &&
        fw->pdata.meas_log_index == CALIPTRA_MEAS_LOG_ENTRIES) {
        caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_FAILURE);
        return CALIPTRA_ERR_FW_PROC_MAILBOX_STASH_MEASUREMENT_MAX_LIMIT;
    }
    if (caliptra_fw_mbox_dlen(fw) != rom_commands[i].req_len) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_INVALID_REQUEST_LENGTH;
    }
    caliptra_fw_mbox_read_request(fw, rom_commands[i].req_len);
    if (rom_mbox_ecc_error(fw)) {
        return CALIPTRA_ERR_DRIVER_MAILBOX_UNCORRECTABLE_ECC;
    }
    if (!caliptra_fw_mbox_checksum_ok(fw)) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_INVALID_CHECKSUM;
    }
    return CALIPTRA_FW_OK;
}

static uint32_t rom_serve(CaliptraFw *fw)
{
    g_autofree CaliptraRsp *rsp = g_new0(CaliptraRsp, 1);
    int i = rom_find_command(fw, caliptra_fw_mbox_cmd(fw));
    uint32_t ret;

    /* the SoC cannot change mbox_cmd without losing the command */
    if (i < 0 || caliptra_fw_mbox_fsm(fw) != MBOX_EXECUTE_UC) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_STATE_INCONSISTENT;
    }
    rsp->len = 8;
    ret = rom_commands[i].fn(fw, fw->req, fw->req_len, rsp);
    if (ret != CALIPTRA_FW_OK) {
        return ret;
    }
    trace_caliptra_fw_command(fw->id, rom_commands[i].name, 0, rsp->len);
    if (rsp->len) {
        caliptra_fw_mbox_respond(fw, rsp);
    } else {
        caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_FAILURE);
    }
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rom_commands_steps[] = {
    { "wait for a command", rom_accept, .latency = NS_SHORT },
    { "serve the command", rom_serve, .latency = NS_HASH },
};

const CaliptraFwFlow caliptra_flow_rom_commands = {
    .name = "ROM commands",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_commands_steps,
    .n_steps = ARRAY_SIZE(rom_commands_steps),
    .next = CALIPTRA_FLOW_ROM_COMMANDS,
};

/* ---- firmware load, cold boot (flow/cold_reset/fw_processor.rs) ---- */

static uint32_t load_check_size(CaliptraFw *fw)
{
    uint32_t dlen = caliptra_fw_mbox_dlen(fw);

    caliptra_log(fw->log, "firmware bundle of %u bytes", dlen);
    if (dlen == 0 || dlen > CALIPTRA_MBOX_SRAM_SIZE) {
        return CALIPTRA_ERR_FW_PROC_INVALID_IMAGE_SIZE;
    }
    return CALIPTRA_FW_OK;
}

/* what the FIFO does not have keeps its content in DCCM */
static uint32_t load_manifest(CaliptraFw *fw, uint8_t *manifest)
{
    uint32_t dlen = caliptra_fw_mbox_dlen(fw);

    caliptra_fw_mbox_pop(fw, manifest, MIN(dlen, CALIPTRA_MANIFEST_SIZE));
    return rom_mbox_ecc_error(fw) ?
           CALIPTRA_ERR_DRIVER_MAILBOX_UNCORRECTABLE_ECC : CALIPTRA_FW_OK;
}

static uint32_t load_manifest1(CaliptraFw *fw)
{
    return load_manifest(fw, fw->pdata.manifest1);
}

static void load_log_image(CaliptraFw *fw)
{
    const CaliptraImageInfo *im = &fw->image;

    caliptra_log(fw->log, "FMC 0x%04x SVN %u %08x.., "
                 "runtime 0x%08x SVN %u %08x..",
                 im->fmc.version & 0xFFFF, im->fmc.svn,
                 ldl_be_p(im->fmc.digest), im->rt.version, im->rt.svn,
                 ldl_be_p(im->rt.digest));
}

static uint32_t load_verify(CaliptraFw *fw)
{
    uint32_t ret;

    ret = caliptra_fw_image_verify(fw, fw->pdata.manifest1,
                                   caliptra_fw_mbox_dlen(fw), false,
                                   &fw->image);
    if (ret == CALIPTRA_FW_OK) {
        caliptra_log(fw->log, "firmware bundle verified, vendor key %u%s",
                     fw->image.vendor_ecc_index,
                     caliptra_fw_lms_verify(fw) ? ", with LMS" : "");
        load_log_image(fw);
        caliptra_release_select_fmc(fw);
        caliptra_release_select_rt(fw);
    }
    return ret;
}

static uint32_t load_populate_data_vault(CaliptraFw *fw)
{
    return caliptra_dice_populate_data_vault(fw, false);
}

/* whole words only, and in the FIFO's order, whatever the TOC's offsets */
static void load_image(CaliptraFw *fw, uint32_t load_addr, uint32_t size)
{
    caliptra_fw_mbox_pop(fw, fw->iccm + (load_addr - CALIPTRA_ICCM_BASE),
                         ROUND_DOWN(size, 4));
}

static uint32_t load_images(CaliptraFw *fw)
{
    load_image(fw, fw->image.fmc.load_addr, fw->image.fmc.size);
    load_image(fw, fw->image.rt.load_addr, fw->image.rt.size);
    return rom_mbox_ecc_error(fw) ?
           CALIPTRA_ERR_DRIVER_MAILBOX_UNCORRECTABLE_ECC : CALIPTRA_FW_OK;
}

static uint32_t load_complete(CaliptraFw *fw)
{
    caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_COMPLETE);
    return CALIPTRA_FW_OK;
}

static void load_report_rt_version(CaliptraFw *fw)
{
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FW_REV_ID + 4, fw->image.rt.version);
}

static uint32_t load_report_versions(CaliptraFw *fw)
{
    uint32_t rev = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_FW_REV_ID);

    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FW_REV_ID,
                           deposit32(rev, 16, 16,
                                     fw->image.fmc.version & 0xFFFF));
    load_report_rt_version(fw);
    return CALIPTRA_FW_OK;
}

static uint32_t load_cold_reset_complete(CaliptraFw *fw)
{
    caliptra_drv_dvs4_write(fw, DVS4_ROM_COLD_BOOT_STATUS,
                            BOOT_COLD_RESET_COMPLETE);
    caliptra_drv_dvs4_lock(fw, DVS4_ROM_COLD_BOOT_STATUS);
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rom_load_steps[] = {
    { "check the size", load_check_size, .status = BOOT_FW_DOWNLOAD_IMAGE,
      .latency = NS_SHORT },
    { "copy the manifest", load_manifest1, .status = BOOT_FW_MANIFEST_LOAD,
      .latency = NS_HASH },
    { "verify", load_verify, .status = BOOT_FW_IMAGE_VERIFICATION,
      .latency = NS_VERIFY },
    { "fuse log", caliptra_dice_populate_fuse_log, .latency = NS_SHORT },
    { "data vault", load_populate_data_vault,
      .status = BOOT_FW_POPULATE_DATA_VAULT, .latency = NS_SHORT },
    { "PCRs", caliptra_dice_extend_rom_pcrs, .status = BOOT_FW_EXTEND_PCR,
      .latency = NS_HASH },
    { "load the images", load_images, .status = BOOT_FW_LOAD_IMAGE,
      .latency = NS_HASH },
    { "complete the command", load_complete, .status = BOOT_FW_DOWNLOAD_TX,
      .latency = NS_SHORT },
    { "report the versions", load_report_versions,
      .status = BOOT_FW_COMPLETE, .latency = NS_SHORT },
    { "FMC alias: CDI", caliptra_dice_fmcalias_cdi,
      .status = BOOT_FMC_ALIAS_CDI, .draws = 1, .latency = NS_KDF },
    { "FMC alias: key pair", caliptra_dice_fmcalias_keypair,
      .status = BOOT_FMC_ALIAS_KEY_PAIR, .draws = 3, .latency = NS_ECC,
      .draw_error = caliptra_dice_keypair_draw_error },
    { "FMC alias: subject serial number",
      .status = BOOT_FMC_ALIAS_SUBJ_ID_SN, .latency = NS_SHORT },
    { "FMC alias: key identifier", .status = BOOT_FMC_ALIAS_SUBJ_KEY_ID,
      .latency = NS_SHORT },
    { "FMC alias: certificate", caliptra_dice_fmcalias_cert,
      .status = BOOT_FMC_ALIAS_CERT_SIG, .draws = 1, .latency = NS_ECC },
    { "FMC alias: complete", .status = BOOT_FMC_ALIAS_COMPLETE,
      .latency = NS_SHORT },
    { "cold reset complete", load_cold_reset_complete,
      .status = BOOT_COLD_RESET_COMPLETE, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rom_load = {
    .name = "ROM firmware load",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_load_steps,
    .n_steps = ARRAY_SIZE(rom_load_steps),
    .next = CALIPTRA_FLOW_ROM_EXIT,
};

/* ---- warm reset (flow/warm_reset.rs) ---- */

static uint32_t warm_check(CaliptraFw *fw)
{
    if (caliptra_drv_dvs4_read(fw, DVS4_ROM_COLD_BOOT_STATUS) !=
        BOOT_COLD_RESET_COMPLETE) {
        return CALIPTRA_ERR_ROM_WARM_RESET_UNSUCCESSFUL_PREVIOUS_COLD_RESET;
    }
    if (caliptra_drv_dvn4_read(fw, DVN4_ROM_UPDATE_RESET_STATUS) ==
        BOOT_UPDATE_STARTED) {
        return CALIPTRA_ERR_ROM_WARM_RESET_UNSUCCESSFUL_PREVIOUS_UPDATE_RESET;
    }
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rom_warm_steps[] = {
    { "check the boots before", warm_check, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rom_warm = {
    .name = "ROM warm reset",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_warm_steps,
    .n_steps = ARRAY_SIZE(rom_warm_steps),
    .next = CALIPTRA_FLOW_ROM_EXIT,
};

/* ---- firmware update reset (flow/update_reset.rs) ---- */

static uint32_t update_start(CaliptraFw *fw)
{
    caliptra_drv_dvn4_write(fw, DVN4_ROM_UPDATE_RESET_STATUS,
                            BOOT_UPDATE_STARTED);
    return CALIPTRA_FW_OK;
}

static uint32_t update_load_manifest(CaliptraFw *fw)
{
    if (caliptra_fw_mbox_fsm(fw) != MBOX_EXECUTE_UC) {
        return CALIPTRA_ERR_ROM_UPDATE_RESET_FLOW_MAILBOX_ACCESS_FAILURE;
    }
    if (caliptra_fw_mbox_cmd(fw) != CALIPTRA_CMD_FIRMWARE_LOAD) {
        return CALIPTRA_ERR_ROM_UPDATE_RESET_FLOW_INVALID_FIRMWARE_COMMAND;
    }
    caliptra_log(fw->log, "firmware update: bundle of %u bytes",
                 caliptra_fw_mbox_dlen(fw));
    return load_manifest(fw, fw->pdata.manifest2);
}

static uint32_t update_verify(CaliptraFw *fw)
{
    uint32_t ret;

    ret = caliptra_fw_image_verify(fw, fw->pdata.manifest2,
                                   caliptra_fw_mbox_dlen(fw), true,
                                   &fw->image);
    if (ret == CALIPTRA_FW_OK) {
        load_log_image(fw);
    }
    return ret;
}

static uint32_t update_populate_data_vault(CaliptraFw *fw)
{
    return caliptra_dice_populate_data_vault(fw, true);
}

static uint32_t update_load_runtime(CaliptraFw *fw)
{
    caliptra_fw_mbox_pop(fw, NULL, ROUND_DOWN(fw->image.fmc.size, 4));
    load_image(fw, fw->image.rt.load_addr, fw->image.rt.size);
    if (rom_mbox_ecc_error(fw)) {
        return CALIPTRA_ERR_DRIVER_MAILBOX_UNCORRECTABLE_ECC;
    }
    caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_COMPLETE);
    return CALIPTRA_FW_OK;
}

static uint32_t update_overwrite_manifest(CaliptraFw *fw)
{
    memcpy(fw->pdata.manifest1, fw->pdata.manifest2, CALIPTRA_MANIFEST_SIZE);
    caliptra_release_select_rt(fw);
    return CALIPTRA_FW_OK;
}

static uint32_t update_complete(CaliptraFw *fw)
{
    load_report_rt_version(fw);
    caliptra_drv_dvn4_write(fw, DVN4_ROM_UPDATE_RESET_STATUS,
                            BOOT_UPDATE_COMPLETE);
    caliptra_drv_dvn4_lock(fw, DVN4_ROM_UPDATE_RESET_STATUS);
    caliptra_log(fw->log, "firmware update: new runtime taken");
    return CALIPTRA_FW_OK;
}

/* not fatal: the old firmware goes on */
static CaliptraFwFlowId update_fail(CaliptraFw *fw, uint32_t error)
{
    caliptra_log(fw->log, "firmware update refused: %s (0x%08x): %s",
                 caliptra_error_name(error), error,
                 caliptra_error_cause(error));
    caliptra_fw_error_non_fatal(fw, error);
    if (caliptra_fw_mbox_fsm(fw) == MBOX_EXECUTE_UC) {
        caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_FAILURE);
    }
    return CALIPTRA_FLOW_ROM_EXIT;
}

static const CaliptraFwStep rom_update_steps[] = {
    { "update reset", update_start, .status = BOOT_UPDATE_STARTED,
      .latency = NS_SHORT },
    { "copy the manifest", update_load_manifest,
      .status = BOOT_UPDATE_LOAD_MANIFEST, .latency = NS_HASH },
    { "verify", update_verify, .status = BOOT_UPDATE_IMAGE_VERIFICATION,
      .latency = NS_VERIFY },
    { "data vault", update_populate_data_vault,
      .status = BOOT_UPDATE_POPULATE_DATA_VAULT, .latency = NS_SHORT },
    { "PCRs", caliptra_dice_extend_rom_pcrs,
      .status = BOOT_UPDATE_EXTEND_PCR, .latency = NS_HASH },
    { "load the runtime", update_load_runtime,
      .status = BOOT_UPDATE_LOAD_IMAGE, .latency = NS_HASH },
    { "overwrite the manifest", update_overwrite_manifest,
      .status = BOOT_UPDATE_OVERWRITE_MANIFEST, .latency = NS_SHORT },
    { "update reset complete", update_complete,
      .status = BOOT_UPDATE_COMPLETE, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rom_update = {
    .name = "ROM update reset",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_update_steps,
    .n_steps = ARRAY_SIZE(rom_update_steps),
    .next = CALIPTRA_FLOW_ROM_EXIT,
    .fail = update_fail,
};

/* ---- ROM exit (rom/dev/src/lock.rs) ---- */

static uint32_t rom_exit(CaliptraFw *fw)
{
    caliptra_dice_lock_at_rom_exit(fw, caliptra_fw_reset_reason(fw) ==
                                   CALIPTRA_FW_RESET_COLD);
    caliptra_fw_soc_ifc_wr(fw, A_INTERNAL_ICCM_LOCK,
                           R_INTERNAL_ICCM_LOCK_LOCK_MASK);
    return CALIPTRA_FW_OK;
}

static const CaliptraFwStep rom_exit_steps[] = {
    { "lock", rom_exit, .latency = NS_SHORT },
};

const CaliptraFwFlow caliptra_flow_rom_exit = {
    .name = "ROM exit",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = rom_exit_steps,
    .n_steps = ARRAY_SIZE(rom_exit_steps),
    .next = CALIPTRA_FLOW_FMC,
};
