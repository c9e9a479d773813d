/*
 * Caliptra 1.x core: private state and interfaces of the native firmware
 *
 * The model of Caliptra's own ROM, FMC and runtime, a caliptra-uc.  It touches
 * hardware only as the microcontroller could: through caliptra_uc_read() and
 * caliptra_uc_write(), mostly by way of the drivers declared here.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FW_H
#define HW_MISC_CALIPTRA_FW_H

#include "qemu/timer.h"
#include "hw/misc/caliptra_errors.h"
#include "hw/misc/caliptra_log.h"
#include "hw/misc/caliptra_uc.h"
#include "migration/vmstate.h"
#include "caliptra_crypto.h"
#include "caliptra_fw_dpe.h"
#include "caliptra_fw_release.h"
#include "caliptra_fw_x509.h"
#include "caliptra_regs.h"

OBJECT_DECLARE_SIMPLE_TYPE(CaliptraFw, CALIPTRA_NATIVE_FW)

/*
 * Results of steps and command handlers: 0 is success, any other value a
 * Caliptra error number, except these two, which no error number uses.
 */
#define CALIPTRA_FW_OK          0u
/* come back when CALIPTRA_UC_WAKE says that something has changed */
#define CALIPTRA_FW_WAIT        0xFFFFFF01u
/* come back when the TRNG draws asked for are there; nothing was changed */
#define CALIPTRA_FW_ENTROPY     0xFFFFFF02u
/* the step has chosen where to go on: caliptra_fw_goto() */
#define CALIPTRA_FW_GOTO        0xFFFFFF03u

/* Error numbers, "CALIPTRA_ERR_" + name; from the error table */
enum {
#define CALIPTRA_ERROR(code, name, cause) CALIPTRA_ERR_##name = (int)(code),
#include "caliptra_errors.h.inc"
#undef CALIPTRA_ERROR
};

/* known-answer tests and CFI panics: fatal wherever they come up */
#define CALIPTRA_ERR_IS_FATAL(code) \
    (((code) >> 28) == 9 || ((code) & ~0xFu) == 0x01040050)

/* ---- mailbox commands (caliptra-sw api/src/mailbox.rs) ---- */
enum {
    CALIPTRA_CMD_VERSION = 0x46505652,
    CALIPTRA_CMD_SELF_TEST_START = 0x46504C54,
    CALIPTRA_CMD_SELF_TEST_GET_RESULTS = 0x46504C67,
    CALIPTRA_CMD_SHUTDOWN = 0x46505344,
    CALIPTRA_CMD_CAPABILITIES = 0x43415053,
    CALIPTRA_CMD_FIRMWARE_LOAD = 0x46574C44,
    CALIPTRA_CMD_STASH_MEASUREMENT = 0x4D454153,
    CALIPTRA_CMD_GET_IDEV_CERT = 0x49444543,
    CALIPTRA_CMD_GET_IDEV_INFO = 0x49444549,
    CALIPTRA_CMD_GET_IDEV_CSR = 0x49444352,
    CALIPTRA_CMD_POPULATE_IDEV_CERT = 0x49444550,
    CALIPTRA_CMD_GET_LDEV_CERT = 0x4C444556,
    CALIPTRA_CMD_GET_FMC_ALIAS_CERT = 0x43455246,
    CALIPTRA_CMD_GET_FMC_ALIAS_CSR = 0x464D4352,
    CALIPTRA_CMD_GET_RT_ALIAS_CERT = 0x43455252,
    CALIPTRA_CMD_ECDSA384_VERIFY = 0x53494756,
    CALIPTRA_CMD_LMS_VERIFY = 0x4C4D5356,
    CALIPTRA_CMD_FW_INFO = 0x494E464F,
    CALIPTRA_CMD_DPE_TAG_TCI = 0x54514754,
    CALIPTRA_CMD_DPE_GET_TAGGED_TCI = 0x47544744,
    CALIPTRA_CMD_INCREMENT_PCR_RESET_COUNTER = 0x50435252,
    CALIPTRA_CMD_QUOTE_PCRS = 0x50435251,
    CALIPTRA_CMD_EXTEND_PCR = 0x50435245,
    CALIPTRA_CMD_ADD_SUBJECT_ALT_NAME = 0x414C544E,
    CALIPTRA_CMD_CERTIFY_KEY_EXTENDED = 0x434B4558,
    CALIPTRA_CMD_INVOKE_DPE_COMMAND = 0x44504543,
    CALIPTRA_CMD_SET_AUTH_MANIFEST = 0x41544D4E,
    CALIPTRA_CMD_AUTHORIZE_AND_STASH = 0x41545348,
    CALIPTRA_CMD_DISABLE_ATTESTATION = 0x4453424C,
    CALIPTRA_CMD_SIGN_WITH_EXPORTED_ECDSA = 0x53574545,
    CALIPTRA_CMD_REVOKE_EXPORTED_CDI_HANDLE = 0x52564348,
    CALIPTRA_CMD_REALLOCATE_DPE_CONTEXT_LIMITS = 0x52435458,
    CALIPTRA_CMD_GET_PCR_LOG = 0x504C4F47,
};

/* ---- firmware image (caliptra-sw image/types/src/lib.rs) ---- */

#define CALIPTRA_MANIFEST_SIZE      0x16FC
#define CALIPTRA_VENDOR_ECC_KEYS    4
#define CALIPTRA_VENDOR_LMS_KEYS    32

/*
 * "HW" numbers: most significant word first, each word little-endian, so
 * that the bytes of each word are reversed against natural order; all
 * integers little-endian.  LMS keys and signatures are RFC 8554 octets.
 */
typedef struct QEMU_PACKED CaliptraImageEccPub {
    uint8_t x[48];
    uint8_t y[48];
} CaliptraImageEccPub;

typedef struct QEMU_PACKED CaliptraImageEccSig {
    uint8_t r[48];
    uint8_t s[48];
} CaliptraImageEccSig;

typedef struct QEMU_PACKED CaliptraImageSigs {
    CaliptraImageEccSig ecc;
    uint8_t lms[CALIPTRA_LMS_SIG_SIZE];
} CaliptraImageSigs;

typedef struct QEMU_PACKED CaliptraTocEntry {
    uint32_t id;
    uint32_t type;
    uint8_t revision[20];
    uint32_t version;
    uint32_t svn;
    uint32_t reserved;
    uint32_t load_addr;
    uint32_t entry_point;
    uint32_t offset;
    uint32_t size;
    uint8_t digest[48];                 /* HW */
} CaliptraTocEntry;

typedef struct QEMU_PACKED CaliptraManifest {
    uint32_t marker;
    uint32_t size;
    /* preamble */
    CaliptraImageEccPub vendor_ecc_pub[CALIPTRA_VENDOR_ECC_KEYS];
    uint8_t vendor_lms_pub[CALIPTRA_VENDOR_LMS_KEYS][CALIPTRA_LMS_PUB_SIZE];
    uint32_t vendor_ecc_index;
    uint32_t vendor_lms_index;
    CaliptraImageSigs vendor_sigs;
    CaliptraImageEccPub owner_ecc_pub;
    uint8_t owner_lms_pub[CALIPTRA_LMS_PUB_SIZE];
    CaliptraImageSigs owner_sigs;
    uint32_t preamble_reserved[2];
    /* header */
    struct QEMU_PACKED {
        uint32_t revision[2];
        uint32_t vendor_ecc_index;
        uint32_t vendor_lms_index;
        uint32_t flags;                 /* bit 0: pl0_pauser is valid */
        uint32_t toc_entry_count;
        uint32_t pl0_pauser;
        uint8_t toc_digest[48];         /* HW */
        struct QEMU_PACKED {
            uint8_t not_before[15];
            uint8_t not_after[15];
            uint8_t reserved[10];
        } vendor, owner;
    } header;
    /* table of contents */
    CaliptraTocEntry fmc;
    CaliptraTocEntry rt;
} CaliptraManifest;

QEMU_BUILD_BUG_ON(sizeof(CaliptraManifest) != CALIPTRA_MANIFEST_SIZE);

/* the header's bit that makes pl0_pauser valid */
#define CALIPTRA_IMAGE_PL0_PAUSER_VALID (1u << 0)

/**
 * caliptra_hw_to_bytes: a "HW" number to a natural byte string
 * @bytes: @len bytes, most significant byte first
 * @hw: @len bytes as the image has them
 * @len: a multiple of 4, at most 48
 *
 * The way back is the same: the bytes of each word change places.
 */
void caliptra_hw_to_bytes(uint8_t *bytes, const uint8_t *hw, size_t len);

/* ---- key vault slots (caliptra-sw common/src/keyids.rs) ---- */
enum {
    KEY_ID_UDS = 0,
    KEY_ID_FE = 1,
    KEY_ID_TMP = 3,
    KEY_ID_RT_CDI = 4,
    KEY_ID_RT_PRIV_KEY = 5,
    KEY_ID_LDEVID_PRIV_KEY = 5,
    KEY_ID_ROM_FMC_CDI = 6,
    KEY_ID_IDEVID_PRIV_KEY = 7,
    KEY_ID_FMC_PRIV_KEY = 7,
    KEY_ID_DPE_CDI = 8,
    KEY_ID_DPE_PRIV_KEY = 9,
    KEY_ID_EXPORTED_DPE_CDI = 10,
};

/* ---- data vault entries (caliptra-sw drivers/src/data_vault.rs) ---- */
enum {
    DVS48_LDEV_SIG_R = 0, DVS48_LDEV_SIG_S, DVS48_LDEV_PUB_X, DVS48_LDEV_PUB_Y,
    DVS48_FMC_SIG_R, DVS48_FMC_SIG_S, DVS48_FMC_PUB_X, DVS48_FMC_PUB_Y,
    DVS48_FMC_TCI, DVS48_OWNER_PK_HASH,
};
enum {
    DVS4_FMC_SVN = 0, DVS4_ROM_COLD_BOOT_STATUS, DVS4_FMC_ENTRY_POINT,
    DVS4_VENDOR_ECC_PK_INDEX, DVS4_VENDOR_LMS_PK_INDEX,
};
#define DVN48_RT_TCI 0
enum {
    DVN4_RT_SVN = 0, DVN4_RT_ENTRY_POINT, DVN4_MANIFEST_ADDR, DVN4_RT_MIN_SVN,
    DVN4_ROM_UPDATE_RESET_STATUS,
};

/* ---- PCRs (caliptra-sw drivers/src/pcr_bank.rs) ---- */
enum {
    CALIPTRA_PCR_FMC_CURRENT = 0,
    CALIPTRA_PCR_FMC_JOURNEY = 1,
    CALIPTRA_PCR_RT_CURRENT = 2,
    CALIPTRA_PCR_RT_JOURNEY = 3,
    CALIPTRA_PCR_STASH = 31,
};

/* ---- persistent data (caliptra-sw drivers/src/persistent.rs) ---- */

#define CALIPTRA_TBS_MAX            0x400
#define CALIPTRA_CSR_MAX            512
#define CALIPTRA_FMC_CSR_MAX        768     /* up to 1.2.2: as the other */
#define CALIPTRA_CSR_UNPROVISIONED  0xFFFFFFFFu
#define CALIPTRA_PCR_LOG_ENTRIES    17
#define CALIPTRA_MEAS_LOG_ENTRIES   8
#define CALIPTRA_FUSE_LOG_ENTRIES   62
#define CALIPTRA_AUTH_MAX_ENTRIES   127

typedef struct CaliptraPcrLogEntry {
    uint16_t id;
    uint32_t pcr_ids;
    uint8_t data[48];
} CaliptraPcrLogEntry;

typedef struct CaliptraMeasLogEntry {
    CaliptraPcrLogEntry pcr_entry;
    uint8_t metadata[4];
    uint8_t context[48];
    uint32_t svn;
} CaliptraMeasLogEntry;

typedef struct CaliptraFuseLogEntry {
    uint32_t id;
    uint32_t data;
} CaliptraFuseLogEntry;

typedef struct CaliptraAuthEntry {
    uint32_t fw_id;
    uint32_t flags;
    uint8_t digest[48];
} CaliptraAuthEntry;

typedef struct CaliptraExportedCdi {
    bool valid;
    uint8_t handle[32];
} CaliptraExportedCdi;

/* what ROM leaves in DCCM for FMC and runtime, and they for each other */
typedef struct CaliptraPdata {
    uint8_t manifest1[CALIPTRA_MANIFEST_SIZE];
    uint8_t manifest2[CALIPTRA_MANIFEST_SIZE];
    /* firmware hand-off table, as far as its values can differ */
    bool fht_valid;
    uint16_t ldevid_tbs_size;
    uint16_t fmcalias_tbs_size;
    uint16_t rtalias_tbs_size;
    uint32_t pcr_log_index;
    uint32_t meas_log_index;
    CaliptraEccPub idev_pub_key;
    CaliptraEccPub rt_pub_key;
    CaliptraEccSig rt_dice_sign;

    uint8_t ldevid_tbs[CALIPTRA_TBS_MAX];
    uint8_t fmcalias_tbs[CALIPTRA_TBS_MAX];
    uint8_t rtalias_tbs[CALIPTRA_TBS_MAX];
    CaliptraPcrLogEntry pcr_log[CALIPTRA_PCR_LOG_ENTRIES];
    CaliptraMeasLogEntry meas_log[CALIPTRA_MEAS_LOG_ENTRIES];
    CaliptraFuseLogEntry fuse_log[CALIPTRA_FUSE_LOG_ENTRIES];
    CaliptraDpe dpe;
    bool attestation_disabled;
    uint32_t pcr_reset_counter[32];
    CaliptraAuthEntry auth_entries[CALIPTRA_AUTH_MAX_ENTRIES];
    uint32_t auth_entry_count;
    uint32_t idevid_csr_len;
    uint8_t idevid_csr[CALIPTRA_CSR_MAX];
    uint32_t fmc_alias_csr_len;
    uint8_t fmc_alias_csr[CALIPTRA_FMC_CSR_MAX];
    /* of later releases; zero where a runtime does not know them */
    bool cmd_active;
    CaliptraExportedCdi exported_cdi;
    uint8_t auth_manifest_digest[48];   /* HW */
    uint8_t dpe_limits[2];              /* contexts of PL0, PL1 */
} CaliptraPdata;

/* ---- runtime's own RAM, gone at every runtime start ---- */

#define CALIPTRA_CERT_CHAIN_MAX     4096
#define CALIPTRA_DMTF_MAX           128

enum {
    CALIPTRA_SELF_TEST_IDLE,
    CALIPTRA_SELF_TEST_IN_PROGRESS,
    CALIPTRA_SELF_TEST_DONE,
};

typedef struct CaliptraRtData {
    uint32_t cert_chain_len;
    uint8_t cert_chain[CALIPTRA_CERT_CHAIN_MAX];
    uint32_t dmtf_device_info_len;  /* 0: none stored */
    uint8_t dmtf_device_info[CALIPTRA_DMTF_MAX];
    CaliptraExportedCdi exported_cdi;
    uint8_t self_test_state;        /* CALIPTRA_SELF_TEST_* */
    bool lms_kat_done;
    bool shut_down;
} CaliptraRtData;

/* what the verifier found out about a good bundle */
typedef struct CaliptraImagePart {
    uint32_t load_addr;
    uint32_t entry_point;
    uint32_t offset;
    uint32_t size;
    uint32_t svn;
    uint32_t version;
    uint32_t reserved;
    uint32_t effective_fuse_svn;    /* 0 with anti-rollback disabled */
    uint32_t fuse_svn;
    uint8_t digest[48];             /* natural bytes */
} CaliptraImagePart;

typedef struct CaliptraImageInfo {
    uint32_t vendor_ecc_index;
    uint32_t vendor_lms_index;      /* 0xFFFFFFFF: LMS off */
    bool owner_hash_in_fuses;
    uint8_t owner_pk_hash[48];      /* natural bytes */
    CaliptraImagePart fmc;
    CaliptraImagePart rt;
} CaliptraImageInfo;

/* ---- flows and steps ---- */

/*
 * The firmware is a set of flows, each a table of steps.  A step runs to its
 * end without interruption, from a virtual-time timer; between steps all
 * state is in CaliptraFw and can be saved.
 */
typedef enum CaliptraFwFlowId {
    CALIPTRA_FLOW_ROM_ENTRY,
    CALIPTRA_FLOW_ROM_COLD,
    CALIPTRA_FLOW_ROM_COMMANDS,
    CALIPTRA_FLOW_ROM_LOAD,
    CALIPTRA_FLOW_ROM_WARM,
    CALIPTRA_FLOW_ROM_UPDATE,
    CALIPTRA_FLOW_ROM_EXIT,
    CALIPTRA_FLOW_ROM_FATAL,
    CALIPTRA_FLOW_FMC,
    CALIPTRA_FLOW_FMC_HALT,
    CALIPTRA_FLOW_RT_START,
    CALIPTRA_FLOW_RT_COMMANDS,
    CALIPTRA_FLOW_RT_SELF_TEST,
    CALIPTRA_FLOW_FATAL,
    CALIPTRA_FLOW_NUM,
} CaliptraFwFlowId;

/* whose code runs */
typedef enum CaliptraFwStage {
    CALIPTRA_STAGE_ROM,
    CALIPTRA_STAGE_FMC,
    CALIPTRA_STAGE_RT,
} CaliptraFwStage;

/* Modelled latencies, nanoseconds */
#define NS_SHORT        500
#define NS_HASH         5000
#define NS_KDF          10000
#define NS_COMMAND      10000
#define NS_ECC          50000
#define NS_VERIFY       150000

typedef struct CaliptraFwStep {
    const char *name;
    /*
     * what it does: returns CALIPTRA_FW_OK or one of the codes beside it, or
     * an error number; NULL: only time passes
     */
    uint32_t (*fn)(CaliptraFw *fw);
    /* left out when this returns false; NULL: never */
    bool (*when)(CaliptraFw *fw);
    /* CPTRA_BOOT_STATUS value reported after it; 0: none */
    uint16_t status;
    /* TRNG draws made before it */
    uint8_t draws;
    /* modelled time that it takes, nanoseconds */
    uint32_t latency;
    /*
     * error number when its draw @n, from 0, fails with @error; NULL: that
     * one
     */
    uint32_t (*draw_error)(unsigned n, uint32_t error);
} CaliptraFwStep;

typedef struct CaliptraFwFlow {
    const char *name;
    CaliptraFwStage stage;
    const CaliptraFwStep *steps;
    unsigned n_steps;
    /* where to go on at the end */
    CaliptraFwFlowId next;
    /* a step's error: says where to go on; NULL: the fatal error path */
    CaliptraFwFlowId (*fail)(CaliptraFw *fw, uint32_t error);
} CaliptraFwFlow;

extern const CaliptraFwFlow caliptra_flow_rom_entry;
extern const CaliptraFwFlow caliptra_flow_rom_cold;
extern const CaliptraFwFlow caliptra_flow_rom_commands;
extern const CaliptraFwFlow caliptra_flow_rom_load;
extern const CaliptraFwFlow caliptra_flow_rom_warm;
extern const CaliptraFwFlow caliptra_flow_rom_update;
extern const CaliptraFwFlow caliptra_flow_rom_exit;
extern const CaliptraFwFlow caliptra_flow_rom_fatal;
extern const CaliptraFwFlow caliptra_flow_fmc;
extern const CaliptraFwFlow caliptra_flow_fmc_halt;
extern const CaliptraFwFlow caliptra_flow_rt_start;
extern const CaliptraFwFlow caliptra_flow_rt_commands;
extern const CaliptraFwFlow caliptra_flow_rt_self_test;
extern const CaliptraFwFlow caliptra_flow_fatal;

/**
 * caliptra_fw_goto: choose the flow to go on with
 * @fw: the firmware side
 * @flow: begins with its first step when the running step has returned
 *
 * Returns: CALIPTRA_FW_GOTO, for the step to return.
 */
uint32_t caliptra_fw_goto(CaliptraFw *fw, CaliptraFwFlowId flow);

/* ---- the firmware side's state ---- */

/* do @size bytes at @addr lie in ICCM? */
static inline bool caliptra_fw_in_iccm(uint32_t addr, uint32_t size)
{
    return size <= CALIPTRA_ICCM_SIZE && addr >= CALIPTRA_ICCM_BASE &&
           addr - CALIPTRA_ICCM_BASE <= CALIPTRA_ICCM_SIZE - size;
}

#define CALIPTRA_TRNG_POOL      64
/* the longest request: SET_AUTH_MANIFEST */
#define CALIPTRA_REQ_MAX        14344

typedef struct CaliptraRsp {
    uint32_t len;               /* bytes, header of 8 included */
    uint8_t data[8192];
} CaliptraRsp;

/* what runtime's FW_INFO and the integrity tests know of the ROM */
typedef struct CaliptraRomInfo {
    uint32_t digest[8];
    uint8_t revision[20];
    uint16_t version;           /* major << 11 | minor << 6 | patch */
    /* the bytes that the digest is of; NULL with 0: the model's own ROM */
    uint8_t *image;
    size_t len;
} CaliptraRomInfo;

struct CaliptraFw {
    CaliptraUc uc;
    /* for traces: the QOM path */
    char *id;

    /* properties */
    CaliptraLog *log;
    char *rom_file;
    uint32_t latency;           /* percent */
    uint8_t dpe_max_handles;    /* 0: those of the release */
    /* CaliptraRelease; auto: as the bundle is */
    int fmc_release_given;
    int rt_release_given;

    QEMUTimer timer;
    CaliptraRomInfo rom;
    /* event seen while a step runs; never set between steps */
    bool restarted;
    bool woken;

    /* place in the flow; see caliptra_fw.c */
    uint8_t flow;
    uint16_t step;
    bool running;               /* the microcontroller is out of reset */
    bool waiting;               /* for CALIPTRA_UC_WAKE */
    bool nmi;                   /* pending */
    uint32_t boot_status;       /* the copy in DCCM */
    uint32_t error;             /* the last one; 0: none since the start */
    uint8_t trng_kind;
    uint32_t cfi_prng[4];

    /* TRNG draws of the running step (caliptra_fw_draws()) */
    uint32_t trng_want;
    uint32_t trng_have;
    uint32_t trng_error;        /* why there are no more; 0 between steps */
    bool trng_requested;
    uint64_t trng_deadline;     /* of the request, clock count */
    uint32_t trng_pool[CALIPTRA_TRNG_POOL][CALIPTRA_TRNG_WORDS];

    /* the command being served */
    uint32_t req_len;
    uint8_t req[CALIPTRA_REQ_MAX];
    bool rom_self_test_started;
    bool csr_requested;

    /* CaliptraRelease of the images that run, never auto */
    uint8_t fmc_release;
    uint8_t rt_release;
    uint64_t rt_lacks;          /* CaliptraRtTrait, a bit map */
    /* FMC's own: the key that certifies runtime's */
    CaliptraEccPub fmc_issuer;

    CaliptraPdata pdata;
    CaliptraRtData rt;
    CaliptraImageInfo image;
    uint8_t iccm[CALIPTRA_ICCM_SIZE];
};

/**
 * caliptra_fw_draws: random words for a step or a command handler
 * @fw: the firmware side
 * @n: number of TRNG draws that the step makes in all (12 words each), at
 *     most CALIPTRA_TRNG_POOL
 *
 * A draw is one SoC-visible DATA_REQ handshake (Caliptra integration
 * specification, "TRNG REQ HW API").  The draws that the step's row of the
 * flow table promises are there already.  Otherwise the first call of a step
 * returns false: the caller then returns CALIPTRA_FW_ENTROPY at once, without
 * having changed anything, and is run again from its start when @n draws have
 * been collected in fw->trng_pool[0..n-1].  May be called again with a larger
 * @n.
 *
 * When a draw fails the caller is run a last time, with the error number in
 * fw->trng_error.  If it returns CALIPTRA_FW_ENTROPY again, that error ends
 * the step.
 *
 * Returns: true when fw->trng_pool holds at least @n draws.
 */
bool caliptra_fw_draws(CaliptraFw *fw, unsigned n);

/* report a boot status value (caliptra-sw drivers/src/soc_ifc.rs) */
void caliptra_fw_boot_status(CaliptraFw *fw, uint32_t status);
/* write CPTRA_FW_ERROR_NON_FATAL; refreshes CPTRA_BOOT_STATUS */
void caliptra_fw_error_non_fatal(CaliptraFw *fw, uint32_t code);
/* write CPTRA_FW_EXTENDED_ERROR_INFO[i] */
void caliptra_fw_ext_error(CaliptraFw *fw, unsigned i, uint32_t info);

/* soc_ifc and mailbox registers as firmware reads and writes them */
uint32_t caliptra_fw_rd(CaliptraFw *fw, uint32_t addr);
void caliptra_fw_wr(CaliptraFw *fw, uint32_t addr, uint32_t data);

/* soc_ifc's alone; @offset as in caliptra_regs.h */
uint32_t caliptra_fw_soc_ifc_rd(CaliptraFw *fw, uint32_t offset);
void caliptra_fw_soc_ifc_wr(CaliptraFw *fw, uint32_t offset, uint32_t data);

/* why the microcontroller has started: CPTRA_RESET_REASON */
typedef enum CaliptraFwReset {
    CALIPTRA_FW_RESET_COLD,
    CALIPTRA_FW_RESET_WARM,
    CALIPTRA_FW_RESET_UPDATE,
    CALIPTRA_FW_RESET_UNKNOWN,
} CaliptraFwReset;
CaliptraFwReset caliptra_fw_reset_reason(CaliptraFw *fw);

/* lifecycle (0, 1, 3), debug lock, and fuses (drivers/src/fuse_bank.rs) */
uint32_t caliptra_fw_lifecycle(CaliptraFw *fw);
bool caliptra_fw_debug_locked(CaliptraFw *fw);
uint32_t caliptra_fw_fuse(CaliptraFw *fw, uint32_t offset);
/* 12 registers with a hash: natural bytes; false: all zero */
bool caliptra_fw_fuse_hash(CaliptraFw *fw, uint32_t offset, uint8_t hash[48]);
bool caliptra_fw_lms_verify(CaliptraFw *fw);
bool caliptra_fw_anti_rollback_disable(CaliptraFw *fw);
uint32_t caliptra_fw_fmc_fuse_svn(CaliptraFw *fw);
uint32_t caliptra_fw_rt_fuse_svn(CaliptraFw *fw);

/* ---- steps that more than one stage has (caliptra_fw.c) ---- */

/* choose the random number source, as each stage does at its start */
uint32_t caliptra_fw_step_trng(CaliptraFw *fw);
/* is it still the one that the registers call for? */
uint32_t caliptra_fw_step_trng_check(CaliptraFw *fw);
/* one of the three times that the CFI counter's generator is seeded */
uint32_t caliptra_fw_step_cfi_seed(CaliptraFw *fw);
/* program and start watchdog timer 1 with timer 2 cascaded; stop it */
void caliptra_fw_wdt_start(CaliptraFw *fw, uint64_t period);
void caliptra_fw_wdt_stop(CaliptraFw *fw);

/* ---- the mailbox from the inside (caliptra_fw.c) ---- */

/* mbox_fsm_ps, and the words of the command */
uint32_t caliptra_fw_mbox_fsm(CaliptraFw *fw);
uint32_t caliptra_fw_mbox_cmd(CaliptraFw *fw);
uint32_t caliptra_fw_mbox_dlen(CaliptraFw *fw);

/**
 * caliptra_fw_mbox_pop: take bytes out of the FIFO
 * @fw: the firmware side
 * @buf: @len bytes; NULL: drop them
 * @len: whole words are taken, surplus bytes of the last one dropped
 */
void caliptra_fw_mbox_pop(CaliptraFw *fw, uint8_t *buf, uint32_t len);

/* the request into fw->req, zero behind its end; @len at most its size */
void caliptra_fw_mbox_read_request(CaliptraFw *fw, uint32_t len);
/* mbox_status := @status */
void caliptra_fw_mbox_finish(CaliptraFw *fw, uint32_t status);
/* checksum and FIPS status, DLEN, data, DATA_READY */
void caliptra_fw_mbox_respond(CaliptraFw *fw, CaliptraRsp *rsp);
/* sum of the command's bytes, the request's and its checksum word */
bool caliptra_fw_mbox_checksum_ok(CaliptraFw *fw);

/* read-to-acquire of the SHA accelerator; true: the lock was free */
bool caliptra_fw_sha_acc_lock(CaliptraFw *fw);

/* ---- known-answer tests (caliptra_fw_kat.c) ---- */

/* SHA-1, SHA-2, ROM integrity; @owned: the lock is there since reset */
uint32_t caliptra_fw_kat_hashes(CaliptraFw *fw, bool owned);
#define CALIPTRA_KAT_KEYS_DRAWS 3
/* P-384, HMAC KDF, LMS */
uint32_t caliptra_fw_kat_keys(CaliptraFw *fw);
/* the test that fails with its draw @n, from 0 */
uint32_t caliptra_fw_kat_draw_error(unsigned n, uint32_t error);
uint32_t caliptra_fw_kat_lms(void);

/* ROM's test of itself against the digest in its RomInfo (caliptra_fw_rom.c) */
uint32_t caliptra_fw_rom_integrity(CaliptraFw *fw);

/* responses that ROM and runtime share */
void caliptra_fw_rsp_version(CaliptraFw *fw, CaliptraRsp *rsp);

/* ---- drivers (caliptra_fw_drv.c): engines through their registers ---- */

/*
 * All drivers return CALIPTRA_FW_OK or the driver's Caliptra error number.
 * Byte strings are natural: most significant byte first.  Slots are 0..31.
 * None of them draws from the TRNG: the step that calls them accounts for
 * their draws.
 */

/**
 * caliptra_drv_array_read / caliptra_drv_array_write: registers in a row
 * @fw: the firmware side
 * @addr: microcontroller address of the first
 * @bytes: @len bytes
 * @len: a multiple of 4, at most 128
 */
void caliptra_drv_array_read(CaliptraFw *fw, uint32_t addr, uint8_t *bytes,
                             size_t len);
void caliptra_drv_array_write(CaliptraFw *fw, uint32_t addr,
                              const uint8_t *bytes, size_t len);

/**
 * caliptra_drv_hmac384: HMAC-SHA-384 (caliptra-sw drivers/src/hmac384.rs)
 * @fw: the firmware side
 * @key_slot: key vault slot that holds the key, if @key is NULL
 * @key: 48 bytes, or NULL
 * @data: message, @len bytes
 * @dest_slot: slot for the tag, or negative
 * @dest_valid: what that slot may be used for (KV_DEST_*)
 * @tag: 48 bytes, if @dest_slot is negative
 *
 * Draws of the real driver: 1.
 */
uint32_t caliptra_drv_hmac384(CaliptraFw *fw, unsigned key_slot,
                              const uint8_t *key,
                              const void *data, size_t len,
                              int dest_slot, uint32_t dest_valid,
                              uint8_t *tag);
/* the same with a slot as message (LDevID: field entropy) */
uint32_t caliptra_drv_hmac384_slot(CaliptraFw *fw, unsigned key_slot,
                                   unsigned data_slot, unsigned dest_slot,
                                   uint32_t dest_valid);

/**
 * caliptra_drv_kdf: SP 800-108 counter KDF, one block of output
 * @fw: the firmware side
 * @key_slot: slot that holds the key
 * @label: text
 * @ctx: context, @ctx_len bytes; if NULL, there is no separator either
 * @dest_slot: slot for the 48 bytes of output
 * @dest_valid: what that slot may be used for (KV_DEST_*)
 *
 * HMAC(key, 00 00 00 01 || label [|| 00 || ctx]); no length field follows
 * (caliptra-sw drivers/src/hmac384_kdf.rs).  Draws of the real driver: 1.
 */
uint32_t caliptra_drv_kdf(CaliptraFw *fw, unsigned key_slot,
                          const char *label,
                          const void *ctx, size_t ctx_len,
                          unsigned dest_slot, uint32_t dest_valid);
/* the same with a label of any bytes */
uint32_t caliptra_drv_kdf_bytes(CaliptraFw *fw, unsigned key_slot,
                                const void *label, size_t label_len,
                                const void *ctx, size_t ctx_len,
                                unsigned dest_slot, uint32_t dest_valid);

/**
 * caliptra_drv_ecc_keygen: key pair from a seed in a slot and a zero nonce
 * @fw: the firmware side
 * @seed_slot: slot with the seed
 * @dest_slot: slot for the private key
 * @pub: the public key
 *
 * Draws of the real driver: 2 (the second for its pairwise test).
 */
uint32_t caliptra_drv_ecc_keygen(CaliptraFw *fw, unsigned seed_slot,
                                 unsigned dest_slot, CaliptraEccPub *pub);

/**
 * caliptra_drv_ecc_sign: deterministic ECDSA, then a verification
 * @fw: the firmware side
 * @key_slot: slot with the private key
 * @pub: public key to verify the signature with
 * @digest: SHA-384 digest of what is signed
 * @sig: the signature
 *
 * Returns ROM_CFI_PANIC_ASSERT_EQ_FAILURE if @pub is not that of the key.
 * Draws of the real driver: 1.
 */
uint32_t caliptra_drv_ecc_sign(CaliptraFw *fw, unsigned key_slot,
                               const CaliptraEccPub *pub,
                               const uint8_t digest[48], CaliptraEccSig *sig);
/* VERIFY; *@good tells the outcome when there was no driver error */
uint32_t caliptra_drv_ecc_verify(CaliptraFw *fw, const CaliptraEccPub *pub,
                                 const uint8_t digest[48],
                                 const CaliptraEccSig *sig, bool *good);

/**
 * caliptra_drv_pcr_quote: digest of all PCRs and a nonce, and its signature
 * @fw: the firmware side
 * @nonce: 32 bytes; the hardware hashes its eight words last word first
 * @digest: SHA-384 over the 32 PCRs and the nonce
 * @sig: signature by the key in slot 7, whatever locks that slot has
 *
 * caliptra-sw drivers/src/sha384.rs gen_pcr_hash, ecc384.rs pcr_sign_flow;
 * caliptra-rtl pv_gen_hash.sv.  Draws of the real driver: 1.
 */
uint32_t caliptra_drv_pcr_quote(CaliptraFw *fw, const uint8_t nonce[32],
                                uint8_t digest[48], CaliptraEccSig *sig);

/* engines to zero, as the fatal handlers and SHUTDOWN do */
void caliptra_drv_zeroize_engines(CaliptraFw *fw);

/* DOE: UDS to slot 0, field entropy to slot 1, end of the secrets */
void caliptra_drv_doe_uds(CaliptraFw *fw);
void caliptra_drv_doe_fe(CaliptraFw *fw);
void caliptra_drv_doe_clear(CaliptraFw *fw);

/* key vault: erase fails for a locked slot; erase_all leaves it out */
uint32_t caliptra_drv_kv_erase(CaliptraFw *fw, unsigned slot);
void caliptra_drv_kv_erase_all(CaliptraFw *fw);
void caliptra_drv_kv_lock_use(CaliptraFw *fw, unsigned slot);

/* PCRs: the lock is against clearing, not against extending */
void caliptra_drv_pcr_read(CaliptraFw *fw, unsigned pcr, uint8_t value[48]);
uint32_t caliptra_drv_pcr_clear(CaliptraFw *fw, unsigned pcr);
void caliptra_drv_pcr_lock(CaliptraFw *fw, unsigned pcr);
/* PCR := SHA-384(PCR || data), @len at most 79 bytes */
uint32_t caliptra_drv_pcr_extend(CaliptraFw *fw, unsigned pcr,
                                 const void *data, size_t len);

/*
 * Data vault: sticky (dvs) and non-sticky (dvn) entries of 48 bytes, natural,
 * and of one word, by the numbers above.  Writes to a locked entry are lost.
 */
void caliptra_drv_dvs48_read(CaliptraFw *fw, unsigned i, uint8_t data[48]);
void caliptra_drv_dvs48_write(CaliptraFw *fw, unsigned i,
                              const uint8_t data[48]);
void caliptra_drv_dvs48_lock(CaliptraFw *fw, unsigned i);
uint32_t caliptra_drv_dvs4_read(CaliptraFw *fw, unsigned i);
void caliptra_drv_dvs4_write(CaliptraFw *fw, unsigned i, uint32_t data);
void caliptra_drv_dvs4_lock(CaliptraFw *fw, unsigned i);
void caliptra_drv_dvn48_read(CaliptraFw *fw, unsigned i, uint8_t data[48]);
void caliptra_drv_dvn48_write(CaliptraFw *fw, unsigned i,
                              const uint8_t data[48]);
void caliptra_drv_dvn48_lock(CaliptraFw *fw, unsigned i);
uint32_t caliptra_drv_dvn4_read(CaliptraFw *fw, unsigned i);
void caliptra_drv_dvn4_write(CaliptraFw *fw, unsigned i, uint32_t data);
void caliptra_drv_dvn4_lock(CaliptraFw *fw, unsigned i);

/* ---- image verifier (caliptra_fw_image.c) ---- */

/**
 * caliptra_fw_image_verify: the verifier of caliptra-sw image/verify
 * @fw: the firmware side
 * @manifest: CALIPTRA_MANIFEST_SIZE bytes, the copy taken from the FIFO
 * @bundle_size: DLEN
 * @update: apply the rules of an update reset too
 * @info: filled in when the bundle is good
 *
 * Returns: CALIPTRA_FW_OK or the error number of the first rule broken; may
 * have written CPTRA_FW_EXTENDED_ERROR_INFO[0].
 */
uint32_t caliptra_fw_image_verify(CaliptraFw *fw, const uint8_t *manifest,
                                  uint32_t bundle_size, bool update,
                                  CaliptraImageInfo *info);

/* header fields of manifest1 that runtime uses (runtime/src/drivers.rs) */
uint32_t caliptra_fw_pl0_pauser(CaliptraFw *fw);
bool caliptra_fw_pl0_pauser_valid(CaliptraFw *fw);

/* ---- key ladder and measurements (caliptra_fw_dice.c) ---- */

/*
 * Each is a step: CALIPTRA_FW_OK or an error number.  The flow tables of
 * ROM and FMC call them, account for their TRNG draws, and report the
 * boot status that follows each (caliptra-sw common/src/boot_status.rs).
 */
/* key pairs: seed, generation, consistency check (drivers/src/ecc384.rs) */
uint32_t caliptra_dice_keypair_draw_error(unsigned n, uint32_t error);
/* caliptra-sw rom/dev/src/flow/cold_reset/idev_id.rs, ldev_id.rs */
uint32_t caliptra_dice_idevid_decrypt_uds(CaliptraFw *fw);
uint32_t caliptra_dice_idevid_decrypt_fe(CaliptraFw *fw);
uint32_t caliptra_dice_idevid_clear_secrets(CaliptraFw *fw);
uint32_t caliptra_dice_idevid_cdi(CaliptraFw *fw);
uint32_t caliptra_dice_idevid_keypair(CaliptraFw *fw);
uint32_t caliptra_dice_idevid_make_csr(CaliptraFw *fw);
uint32_t caliptra_dice_ldevid_cdi(CaliptraFw *fw);
uint32_t caliptra_dice_ldevid_keypair(CaliptraFw *fw);
uint32_t caliptra_dice_ldevid_cert(CaliptraFw *fw);
/*
 * Of a verified bundle, fw->image: fuse log, data vault, PCR 0 and 1 with
 * their log (caliptra-sw rom/dev/src/fuse.rs, pcr.rs, flow/)
 */
uint32_t caliptra_dice_populate_fuse_log(CaliptraFw *fw);
uint32_t caliptra_dice_populate_data_vault(CaliptraFw *fw, bool update);
uint32_t caliptra_dice_extend_rom_pcrs(CaliptraFw *fw);
/* STASH_MEASUREMENT in ROM: PCR 31 and the measurement log */
uint32_t caliptra_dice_stash_measurement(CaliptraFw *fw,
                                         const uint8_t metadata[4],
                                         const uint8_t measurement[48],
                                         const uint8_t context[48],
                                         uint32_t svn);
/* caliptra-sw rom/dev/src/flow/cold_reset/fmc_alias.rs, rom/dev/src/lock.rs */
uint32_t caliptra_dice_fmcalias_cdi(CaliptraFw *fw);
uint32_t caliptra_dice_fmcalias_keypair(CaliptraFw *fw);
uint32_t caliptra_dice_fmcalias_cert(CaliptraFw *fw);
void caliptra_dice_lock_at_rom_exit(CaliptraFw *fw, bool cold);
/* caliptra-sw fmc/src/flow */
uint32_t caliptra_dice_fmc_make_csr(CaliptraFw *fw);
uint32_t caliptra_dice_fmc_measure_rt(CaliptraFw *fw);
uint32_t caliptra_dice_fmc_remake_key(CaliptraFw *fw);
void caliptra_dice_fmc_read_issuer(CaliptraFw *fw);
uint32_t caliptra_dice_rtalias_cdi(CaliptraFw *fw);
uint32_t caliptra_dice_rtalias_keypair(CaliptraFw *fw);
uint32_t caliptra_dice_rtalias_cert(CaliptraFw *fw);
/* DISABLE_ATTESTATION's key change (caliptra-sw runtime/src/disable.rs) */
unsigned caliptra_dice_disable_attestation_draws(const CaliptraFw *fw);
uint32_t caliptra_dice_disable_attestation(CaliptraFw *fw);
/* dates that manifest1 gives to certificates: 15 characters each */
void caliptra_dice_validity(CaliptraFw *fw, uint8_t not_before[15],
                            uint8_t not_after[15]);
/* UEID from fuses (caliptra-sw drivers/src/fuse_bank.rs) */
void caliptra_dice_ueid(CaliptraFw *fw, uint8_t ueid[17]);
/* read-only QOM properties with CSRs and certificates */
void caliptra_dice_add_properties(ObjectClass *klass);

/* ---- mailbox commands (table in caliptra_fw_runtime.c) ---- */

/**
 * CaliptraCmdFn: a command handler
 * @fw: the firmware side
 * @req: request bytes, checksum word included, zero-extended to the
 *       command's maximum size
 * @req_len: DLEN, bytes
 * @rsp: response; the handler fills data from byte 8 on and sets len (8 for
 *       a header-only response); the transport adds checksum and fips_status
 *
 * Returns: CALIPTRA_FW_OK, an error number (non-fatal), or
 * CALIPTRA_FW_ENTROPY.
 */
typedef uint32_t CaliptraCmdFn(CaliptraFw *fw, const uint8_t *req,
                               size_t req_len, CaliptraRsp *rsp);

/* MBOX_USER of the command being served, and its privilege level */
uint32_t caliptra_fw_caller(CaliptraFw *fw);
bool caliptra_fw_caller_is_pl0(CaliptraFw *fw);

/* identity commands (caliptra_fw_dice.c) */
CaliptraCmdFn caliptra_cmd_get_idev_cert;
CaliptraCmdFn caliptra_cmd_get_idev_info;
CaliptraCmdFn caliptra_cmd_get_idev_csr;
CaliptraCmdFn caliptra_cmd_populate_idev_cert;
CaliptraCmdFn caliptra_cmd_get_ldev_cert;
CaliptraCmdFn caliptra_cmd_get_fmc_alias_cert;
CaliptraCmdFn caliptra_cmd_get_fmc_alias_csr;
CaliptraCmdFn caliptra_cmd_get_rt_alias_cert;
CaliptraCmdFn caliptra_cmd_quote_pcrs;
CaliptraCmdFn caliptra_cmd_extend_pcr;
CaliptraCmdFn caliptra_cmd_increment_pcr_reset_counter;
CaliptraCmdFn caliptra_cmd_disable_attestation;
CaliptraCmdFn caliptra_cmd_get_pcr_log;
/* DPE commands (caliptra_fw_dpe.c) */
CaliptraCmdFn caliptra_cmd_invoke_dpe;
CaliptraCmdFn caliptra_cmd_certify_key_extended;
CaliptraCmdFn caliptra_cmd_dpe_tag_tci;
CaliptraCmdFn caliptra_cmd_dpe_get_tagged_tci;
CaliptraCmdFn caliptra_cmd_stash_measurement;
CaliptraCmdFn caliptra_cmd_sign_with_exported_ecdsa;
CaliptraCmdFn caliptra_cmd_revoke_exported_cdi_handle;
CaliptraCmdFn caliptra_cmd_reallocate_dpe_context_limits;
CaliptraCmdFn caliptra_cmd_add_subject_alt_name;

/**
 * caliptra_dpe_stash_measurement: runtime's way to put a measurement into DPE
 * @fw: the firmware side
 * @tci_type: four bytes that name what was measured, in memory order
 * @measurement: SHA-384 digest, natural bytes
 * @dpe_status: DPE status; the measurement is in DPE and PCR 31 only if 0
 *
 * For STASH_MEASUREMENT and AUTHORIZE_AND_STASH (caliptra-sw
 * runtime/src/stash_measurement.rs), when the caller has privilege level 0:
 * checks the number of contexts in use, replaces the caller's default context
 * by a child with this measurement, and extends PCR 31.
 *
 * Returns: CALIPTRA_FW_OK or the error number of the mailbox command.
 */
uint32_t caliptra_dpe_stash_measurement(CaliptraFw *fw,
                                        const uint8_t tci_type[4],
                                        const uint8_t measurement[48],
                                        uint32_t *dpe_status);

/* authorization manifest (caliptra_fw_auth.c) */
CaliptraCmdFn caliptra_cmd_set_auth_manifest;
CaliptraCmdFn caliptra_cmd_authorize_and_stash;

/* runtime start: certificate chain; DPE by reset type */
uint32_t caliptra_rt_build_cert_chain(CaliptraFw *fw);
uint32_t caliptra_dpe_init_cold(CaliptraFw *fw);
uint32_t caliptra_dpe_init_update(CaliptraFw *fw);
uint32_t caliptra_dpe_init_warm(CaliptraFw *fw);

/**
 * caliptra_dpe_change_release: runtime of another release takes over
 * @fw: the firmware side, fw->rt_release being the new one
 * @from: release of the runtime before
 *
 * The persistent data stays as it is, but the new runtime may look for it at
 * other places: what it finds there then.
 */
void caliptra_dpe_change_release(CaliptraFw *fw, CaliptraRelease from);

/* ---- identity of the ROM (caliptra_fw_rom.c) ---- */

/* the identity of the model's own ROM, which has no bytes */
void caliptra_fw_rom_info_default(CaliptraRomInfo *rom);

/**
 * caliptra_fw_load_rom: take ROM's identity from a genuine ROM image
 * @fw: the firmware side
 * @file: name of the file; its trailing RomInfo gives the digest, revision
 *        and version that are reported and tested
 * @errp: set when the file cannot be read or is no Caliptra ROM
 *
 * Returns: true on success.
 */
bool caliptra_fw_load_rom(CaliptraFw *fw, const char *file, Error **errp);

#endif /* HW_MISC_CALIPTRA_FW_H */
