/*
 * Caliptra 1.x core: DICE Protection Environment
 *
 * Contexts form a tree that starts at the runtime's own measurement.  Each
 * stands for something measured; its key is derived from the runtime's CDI
 * and the measurements on the way to the root, and is certified by the
 * runtime's alias key.
 *
 * Behaviour is that of caliptra-dpe (commit 7679315, dpe/src) as caliptra-sw
 * 1.2 calls it (runtime/src/invoke_dpe.rs, runtime/src/dpe_crypto.rs,
 * runtime/src/dpe_platform.rs).  A command makes all its checks first, then
 * asks for its random numbers, then acts: so it can be run again from its
 * start when the random numbers have come in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/host-utils.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"
#include "caliptra_fw_x509.h"
#include "trace.h"

/* ---- the profile (caliptra-dpe dpe/src/lib.rs, support.rs) ---- */

#define DPE_CMD_MAGIC           0x44504543 /* "DPEC" */
#define DPE_RSP_MAGIC           0x44504552 /* "DPER" */
#define DPE_PROFILE_P384_SHA384 4
#define DPE_VERSION_MAJOR       0
#define DPE_VERSION_MINOR       12
#define DPE_VENDOR              0x43545241 /* "CTRA", id and SKU */

#define DPE_DATA_MAX            512
#define DPE_CERT_MAX            6144
#define DPE_CHAIN_CHUNK         2048
#define DPE_EXPORTED_HANDLE     32
#define DPE_HANDLE_ATTEMPTS     8

/* contexts that each privilege level may have (runtime/src/lib.rs) */
#define DPE_CONTEXT_THRESHOLD   16
/* Caliptra's own locality; no bus master has it */
#define DPE_LOCALITY_CALIPTRA   0xFFFFFFFFu

#define DPE_TCI_TYPE_RT_JOURNEY 0x52544A4D /* "RTJM" */
#define DPE_TCI_TYPE_VALID_USER 0x4D425650 /* "MBVP" */

enum {
    DPE_SUPPORT_SIMULATION = 1u << 31,
    DPE_SUPPORT_RECURSIVE = 1 << 30,
    DPE_SUPPORT_AUTO_INIT = 1 << 29,
    DPE_SUPPORT_ROTATE_CONTEXT = 1 << 27,
    DPE_SUPPORT_X509 = 1 << 26,
    DPE_SUPPORT_CSR = 1 << 25,
    DPE_SUPPORT_INTERNAL_INFO = 1 << 22,
    DPE_SUPPORT_INTERNAL_DICE = 1 << 21,
    DPE_SUPPORT_RETAIN_PARENT_CONTEXT = 1 << 19,
    DPE_SUPPORT_CDI_EXPORT = 1 << 18,
};

#define DPE_SUPPORT (DPE_SUPPORT_SIMULATION | DPE_SUPPORT_RECURSIVE | \
    DPE_SUPPORT_AUTO_INIT | DPE_SUPPORT_ROTATE_CONTEXT | DPE_SUPPORT_X509 | \
    DPE_SUPPORT_CSR | DPE_SUPPORT_INTERNAL_INFO | DPE_SUPPORT_INTERNAL_DICE | \
    DPE_SUPPORT_RETAIN_PARENT_CONTEXT | DPE_SUPPORT_CDI_EXPORT)

/* Status of a response (caliptra-dpe dpe/src/response.rs) */
typedef enum DpeStatus {
    DPE_OK = 0,
    DPE_INTERNAL_ERROR = 1,
    DPE_INVALID_ARGUMENT = 3,
    DPE_ARGUMENT_NOT_SUPPORTED = 4,
    DPE_INVALID_HANDLE = 0x1000,
    DPE_INVALID_LOCALITY = 0x1001,
    DPE_MAX_TCIS = 0x1003,
    DPE_CERTIFICATE_CHAIN_ERROR = 0x01000001,
    DPE_CRYPTO_LIB_ERROR = 0x02000002,
    DPE_EXPORTED_CDI_DUPLICATE = 0x02000007,
    /* not a status: run the command again when random numbers are there */
    DPE_ENTROPY = (int)CALIPTRA_FW_ENTROPY,
} DpeStatus;

/* Result of the validation at resets (caliptra-dpe dpe/src/validation.rs) */
typedef enum DpeValidation {
    DPE_VALID = -1,
    DPE_MULTIPLE_NORMAL_TREES = 0x00,
    DPE_CYCLES_IN_TREE = 0x01,
    DPE_INACTIVE_INVALID_PARENT = 0x02,
    DPE_INACTIVE_WITH_CHILDREN = 0x03,
    DPE_BAD_CONTEXT_TYPE = 0x05,
    DPE_INACTIVE_WITH_MEASUREMENT = 0x06,
    DPE_MIXED_CONTEXT_LOCALITY = 0x07,
    DPE_MULTIPLE_DEFAULT_CONTEXTS = 0x08,
    DPE_PARENT_DOES_NOT_EXIST = 0x0A,
    DPE_INACTIVE_WITH_FLAG_SET = 0x0E,
    DPE_LOCALITY_MISMATCH = 0x0F,
    DPE_DANGLING_RETIRED_CONTEXT = 0x10,
    DPE_MIXED_TREE = 0x11,
    DPE_LINKS_CORRUPTED = 0x13,
    DPE_INACTIVE_PARENT = 0x16,
    DPE_INACTIVE_CHILD = 0x17,
    DPE_NOT_MARKED_INITIALIZED = 0x18,
} DpeValidation;

#define DPE_VALIDATION_ERROR 0x03000000

/* ---- messages, all numbers little-endian (dpe/src/commands) ---- */

enum {
    DPE_GET_PROFILE = 0x01,
    DPE_INITIALIZE_CONTEXT = 0x07,
    DPE_DERIVE_CONTEXT = 0x08,
    DPE_CERTIFY_KEY = 0x09,
    DPE_SIGN = 0x0A,
    DPE_ROTATE_CONTEXT_HANDLE = 0x0E,
    DPE_DESTROY_CONTEXT = 0x0F,
    DPE_GET_CERTIFICATE_CHAIN = 0x10,
};

typedef struct QEMU_PACKED DpeCmdHeader {
    uint32_t magic;
    uint32_t cmd_id;
    uint32_t profile;
} DpeCmdHeader;

typedef struct QEMU_PACKED DpeRspHeader {
    uint32_t magic;
    uint32_t status;
    uint32_t profile;
} DpeRspHeader;

typedef struct QEMU_PACKED DpeGetProfileRsp {
    DpeRspHeader header;
    uint16_t major_version;
    uint16_t minor_version;
    uint32_t vendor_id;
    uint32_t vendor_sku;
    uint32_t max_tci_nodes;
    uint32_t flags;
} DpeGetProfileRsp;

enum {
    DPE_INIT_SIMULATION = 1u << 31,
    DPE_INIT_DEFAULT = 1 << 30,
};

typedef struct QEMU_PACKED DpeInitializeContextCmd {
    uint32_t flags;
} DpeInitializeContextCmd;

typedef struct QEMU_PACKED DpeNewHandleRsp {
    DpeRspHeader header;
    uint8_t handle[DPE_HANDLE_SIZE];
} DpeNewHandleRsp;

enum {
    DPE_DERIVE_INTERNAL_INPUT_INFO = 1u << 31,
    DPE_DERIVE_INTERNAL_INPUT_DICE = 1 << 30,
    DPE_DERIVE_RETAIN_PARENT_CONTEXT = 1 << 29,
    DPE_DERIVE_MAKE_DEFAULT = 1 << 28,
    DPE_DERIVE_CHANGE_LOCALITY = 1 << 27,
    DPE_DERIVE_INPUT_ALLOW_CA = 1 << 26,
    DPE_DERIVE_INPUT_ALLOW_X509 = 1 << 25,
    DPE_DERIVE_RECURSIVE = 1 << 24,
    DPE_DERIVE_EXPORT_CDI = 1 << 23,
    DPE_DERIVE_CREATE_CERTIFICATE = 1 << 22,
};

typedef struct QEMU_PACKED DpeDeriveContextCmd {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t data[DPE_TCI_SIZE];
    uint32_t flags;
    uint32_t tci_type;
    uint32_t target_locality;
} DpeDeriveContextCmd;

typedef struct QEMU_PACKED DpeDeriveContextRsp {
    DpeRspHeader header;
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t parent_handle[DPE_HANDLE_SIZE];
} DpeDeriveContextRsp;

typedef struct QEMU_PACKED DpeDeriveContextExportedRsp {
    DpeRspHeader header;
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t parent_handle[DPE_HANDLE_SIZE];
    uint8_t exported_cdi[DPE_EXPORTED_HANDLE];
    uint32_t certificate_size;
    uint8_t certificate[DPE_CERT_MAX];
} DpeDeriveContextExportedRsp;

enum {
    DPE_FORMAT_X509 = 0,
    DPE_FORMAT_CSR = 1,
};

typedef struct QEMU_PACKED DpeCertifyKeyCmd {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint32_t flags;
    uint32_t format;
    uint8_t label[48];
} DpeCertifyKeyCmd;

typedef struct QEMU_PACKED DpeCertifyKeyRsp {
    DpeRspHeader header;
    uint8_t new_context_handle[DPE_HANDLE_SIZE];
    uint8_t derived_pubkey_x[48];
    uint8_t derived_pubkey_y[48];
    uint32_t cert_size;
    uint8_t cert[DPE_CERT_MAX];
} DpeCertifyKeyRsp;

typedef struct QEMU_PACKED DpeSignCmd {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t label[48];
    uint32_t flags;
    uint8_t digest[48];
} DpeSignCmd;

typedef struct QEMU_PACKED DpeSignRsp {
    DpeRspHeader header;
    uint8_t new_context_handle[DPE_HANDLE_SIZE];
    uint8_t sig_r[48];
    uint8_t sig_s[48];
} DpeSignRsp;

enum {
    DPE_ROTATE_TARGET_IS_DEFAULT = 1u << 31,
};

typedef struct QEMU_PACKED DpeRotateContextHandleCmd {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint32_t flags;
} DpeRotateContextHandleCmd;

typedef struct QEMU_PACKED DpeDestroyContextCmd {
    uint8_t handle[DPE_HANDLE_SIZE];
} DpeDestroyContextCmd;

typedef struct QEMU_PACKED DpeGetCertificateChainCmd {
    uint32_t offset;
    uint32_t size;
} DpeGetCertificateChainCmd;

typedef struct QEMU_PACKED DpeGetCertificateChainRsp {
    DpeRspHeader header;
    uint32_t certificate_size;
    uint8_t certificate_chain[DPE_CHAIN_CHUNK];
} DpeGetCertificateChainRsp;

/* A DPE command on its way; @rsp is zeroed, a header is put on it at the end */
typedef struct DpeEnv {
    CaliptraFw *fw;
    CaliptraDpe *dpe;
    uint32_t locality;
    /* subjectAltName of CERTIFY_KEY_EXTENDED; @other_name_len 0: none */
    const uint8_t *other_name;
    size_t other_name_len;
    uint8_t *rsp;
    size_t rsp_len;
    /* TRNG draws that this command has accounted for, in order */
    unsigned draws;
    /* the driver's error number behind DPE_CRYPTO_LIB_ERROR */
    uint32_t detail;
} DpeEnv;

static void dpe_env_init(DpeEnv *env, CaliptraFw *fw, uint8_t *rsp)
{
    *env = (DpeEnv) {
        .fw = fw,
        .dpe = &fw->pdata.dpe,
        .locality = caliptra_fw_caller(fw),
        .rsp = rsp,
    };
}

static void dpe_put_header(uint8_t *rsp, DpeStatus status)
{
    DpeRspHeader *header = (DpeRspHeader *)rsp;

    stl_le_p(&header->magic, DPE_RSP_MAGIC);
    stl_le_p(&header->status, status);
    stl_le_p(&header->profile, DPE_PROFILE_P384_SHA384);
}

static DpeStatus dpe_driver_status(DpeEnv *env, uint32_t error)
{
    if (error == CALIPTRA_FW_OK) {
        return DPE_OK;
    }
    env->detail = error;
    return DPE_CRYPTO_LIB_ERROR;
}

/* Account for @n more draws: those of the engines' drivers, or a handle's */
static DpeStatus dpe_draws(DpeEnv *env, unsigned n)
{
    env->draws += n;
    if (caliptra_fw_draws(env->fw, env->draws)) {
        return DPE_OK;
    }
    if (env->fw->trng_error) {
        return dpe_driver_status(env, env->fw->trng_error);
    }
    return DPE_ENTROPY;
}

/* ---- context table ---- */

static const uint8_t dpe_default_handle[DPE_HANDLE_SIZE];

static bool dpe_handle_eq(const uint8_t *a, const uint8_t *b)
{
    return !memcmp(a, b, DPE_HANDLE_SIZE);
}

static bool dpe_is_default(const uint8_t *handle)
{
    return dpe_handle_eq(handle, dpe_default_handle);
}

/* a handle that no request can match */
static void dpe_invalidate_handle(uint8_t *handle)
{
    memset(handle, 0xFF, DPE_HANDLE_SIZE);
}

static bool dpe_is_active_in(const CaliptraDpeContext *c, uint32_t locality)
{
    return c->state == DPE_ACTIVE && c->locality == locality;
}

/* The Active context with @handle in @locality; the lowest slot wins */
static DpeStatus dpe_lookup(const CaliptraDpe *dpe, const uint8_t *handle,
                            uint32_t locality, unsigned *idx)
{
    DpeStatus status = DPE_INVALID_LOCALITY;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        if (!dpe_is_active_in(&dpe->contexts[i], locality)) {
            continue;
        }
        if (dpe_handle_eq(dpe->contexts[i].handle, handle)) {
            *idx = i;
            return DPE_OK;
        }
        status = DPE_INVALID_HANDLE;
    }
    return status;
}

static DpeStatus dpe_free_slot(DpeEnv *env, unsigned *idx)
{
    for (unsigned i = 0; i < env->fw->s->dpe_max_handles; i++) {
        if (env->dpe->contexts[i].state == DPE_INACTIVE) {
            *idx = i;
            return DPE_OK;
        }
    }
    return DPE_MAX_TCIS;
}

/*
 * A fresh random handle: the first bytes of one draw an attempt.  Handles
 * that a slot still stores, whatever its state, are not given out again.
 */
static DpeStatus dpe_new_handle(DpeEnv *env, uint8_t *handle)
{
    for (int attempt = 0; attempt < DPE_HANDLE_ATTEMPTS; attempt++) {
        unsigned draw = env->draws;
        DpeStatus status = dpe_draws(env, 1);
        bool taken;

        if (status) {
            return status;
        }
        caliptra_words_to_bytes(handle, env->fw->trng_pool[draw],
                                DPE_HANDLE_SIZE / 4);
        taken = dpe_is_default(handle);
        for (unsigned i = 0; i < DPE_MAX_SLOTS && !taken; i++) {
            taken = dpe_handle_eq(handle, env->dpe->contexts[i].handle);
        }
        if (!taken) {
            return DPE_OK;
        }
    }
    return DPE_INTERNAL_ERROR;
}

/* Handles other than the default one are for one use: get the next one */
static DpeStatus dpe_next_handle(DpeEnv *env, const CaliptraDpeContext *c,
                                 uint8_t *handle)
{
    if (dpe_is_default(c->handle)) {
        memcpy(handle, dpe_default_handle, DPE_HANDLE_SIZE);
        return DPE_OK;
    }
    return dpe_new_handle(env, handle);
}

static void dpe_activate(CaliptraDpeContext *c, uint8_t type,
                         uint32_t locality, const uint8_t *handle)
{
    c->state = DPE_ACTIVE;
    c->context_type = type;
    c->locality = locality;
    memcpy(c->handle, handle, DPE_HANDLE_SIZE);
    c->tci_type = 0;
    memset(c->tci_cumulative, 0, DPE_TCI_SIZE);
    memset(c->tci_current, 0, DPE_TCI_SIZE);
    c->tci_locality = locality;
    c->parent_idx = DPE_NO_PARENT;
    c->children = 0;
    c->allow_ca = true;
    c->allow_x509 = true;
    c->uses_internal_input_info = false;
    c->uses_internal_input_dice = false;
}

/*
 * Handle, locality and type stay behind; that the locality does is what lets
 * the validation at the next reset fail with LocalityMismatch.
 */
static void dpe_destroy(CaliptraDpeContext *c)
{
    c->state = DPE_INACTIVE;
    c->tci_type = 0;
    memset(c->tci_cumulative, 0, DPE_TCI_SIZE);
    memset(c->tci_current, 0, DPE_TCI_SIZE);
    c->tci_locality = 0;
    c->parent_idx = DPE_NO_PARENT;
    c->allow_ca = false;
    c->allow_x509 = false;
    c->uses_internal_input_info = false;
    c->uses_internal_input_dice = false;
}

static void dpe_add_measurement(CaliptraDpeContext *c, const uint8_t *data)
{
    uint8_t buf[2 * DPE_TCI_SIZE];

    memcpy(buf, c->tci_cumulative, DPE_TCI_SIZE);
    memcpy(buf + DPE_TCI_SIZE, data, DPE_TCI_SIZE);
    caliptra_sha384(buf, sizeof(buf), c->tci_cumulative);
    memcpy(c->tci_current, data, DPE_TCI_SIZE);
}

static void dpe_clear_inactive_tags(CaliptraDpe *dpe)
{
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        if (dpe->contexts[i].state == DPE_INACTIVE) {
            dpe->contexts[i].has_tag = false;
            dpe->contexts[i].tag = 0;
        }
    }
}

/*
 * Has the caller's privilege level used up its contexts?  Retired ones count,
 * and what is not in PL0's locality counts for PL1, Caliptra's root too.
 */
static uint32_t dpe_check_threshold(CaliptraFw *fw)
{
    uint32_t pl0_pauser = caliptra_fw_pl0_pauser(fw);
    bool pl0 = caliptra_fw_caller_is_pl0(fw);
    unsigned used = 0;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &fw->pdata.dpe.contexts[i];

        if (c->state != DPE_INACTIVE && (c->locality == pl0_pauser) == pl0) {
            used++;
        }
    }
    if (used > DPE_CONTEXT_THRESHOLD) {
        return pl0 ?
            CALIPTRA_ERR_RUNTIME_PL0_USED_DPE_CONTEXT_THRESHOLD_EXCEEDED :
            CALIPTRA_ERR_RUNTIME_PL1_USED_DPE_CONTEXT_THRESHOLD_EXCEEDED;
    }
    if (used == DPE_CONTEXT_THRESHOLD) {
        return pl0 ?
            CALIPTRA_ERR_RUNTIME_PL0_USED_DPE_CONTEXT_THRESHOLD_REACHED :
            CALIPTRA_ERR_RUNTIME_PL1_USED_DPE_CONTEXT_THRESHOLD_REACHED;
    }
    return CALIPTRA_FW_OK;
}

/* ---- keys ---- */

static void dpe_get_profile_rsp(DpeEnv *env, DpeGetProfileRsp *rsp)
{
    dpe_put_header((uint8_t *)rsp, DPE_OK);
    stw_le_p(&rsp->major_version, DPE_VERSION_MAJOR);
    stw_le_p(&rsp->minor_version, DPE_VERSION_MINOR);
    stl_le_p(&rsp->vendor_id, DPE_VENDOR);
    stl_le_p(&rsp->vendor_sku, DPE_VENDOR);
    stl_le_p(&rsp->max_tci_nodes, env->fw->s->dpe_max_handles);
    stl_le_p(&rsp->flags, DPE_SUPPORT);
}

static void dpe_append_le32(GByteArray *buf, uint32_t value)
{
    uint8_t bytes[4];

    stl_le_p(bytes, value);
    g_byte_array_append(buf, bytes, sizeof(bytes));
}

/*
 * C1 = SHA-384(measurement hash || @cdi_label), where the measurement hash
 * covers the nodes from the context to the root and, if one of them asked for
 * it, what DPE and the certificate chain say of themselves.
 */
static void dpe_cdi_context(DpeEnv *env, unsigned idx, const char *cdi_label,
                            uint8_t c1[48])
{
    g_autoptr(GByteArray) nodes = g_byte_array_new();
    g_autoptr(GByteArray) outer = g_byte_array_new();
    const CaliptraRtData *rt = &env->fw->rt;
    bool info = false, dice = false;
    uint8_t hash[48];

    for (unsigned i = idx; i != DPE_NO_PARENT;
         i = env->dpe->contexts[i].parent_idx) {
        const CaliptraDpeContext *c = &env->dpe->contexts[i];
        const uint8_t allow[] = { c->allow_ca, c->allow_x509 };

        dpe_append_le32(nodes, c->tci_type);
        g_byte_array_append(nodes, c->tci_cumulative, DPE_TCI_SIZE);
        g_byte_array_append(nodes, c->tci_current, DPE_TCI_SIZE);
        dpe_append_le32(nodes, c->tci_locality);
        g_byte_array_append(nodes, allow, sizeof(allow));
        info |= c->uses_internal_input_info;
        dice |= c->uses_internal_input_dice;
    }
    if (info) {
        DpeGetProfileRsp profile;

        dpe_get_profile_rsp(env, &profile);
        g_byte_array_append(nodes, (uint8_t *)&profile, sizeof(profile));
        dpe_append_le32(nodes, DPE_PROFILE_P384_SHA384);
    }
    if (dice) {
        g_byte_array_append(nodes, rt->cert_chain, rt->cert_chain_len);
    }
    caliptra_sha384(nodes->data, nodes->len, hash);

    g_byte_array_append(outer, hash, sizeof(hash));
    g_byte_array_append(outer, (const uint8_t *)cdi_label, strlen(cdi_label));
    caliptra_sha384(outer->data, outer->len, c1);
}

static DpeStatus dpe_derive_cdi(DpeEnv *env, unsigned idx,
                                const char *cdi_label, unsigned cdi_slot)
{
    uint8_t c1[48];

    dpe_cdi_context(env, idx, cdi_label, c1);
    return dpe_driver_status(env,
        caliptra_drv_kdf(env->fw, KEY_ID_RT_CDI, "derive_cdi", c1, sizeof(c1),
                         cdi_slot, KV_DEST_HMAC_KEY | KV_DEST_ECC_SEED));
}

/* Key pair of a CDI; @label has all the bytes of it, also zeros */
static uint32_t dpe_derive_key_pair(CaliptraFw *fw, unsigned cdi_slot,
                                    const void *label, size_t label_len,
                                    const char *context, unsigned key_slot,
                                    CaliptraEccPub *pub)
{
    uint32_t error;

    error = caliptra_drv_kdf_bytes(fw, cdi_slot, label, label_len,
                                   context, strlen(context),
                                   KEY_ID_TMP, KV_DEST_ECC_SEED);
    if (error) {
        return error;
    }
    return caliptra_drv_ecc_keygen(fw, KEY_ID_TMP, key_slot, pub);
}

/* The key pair of a context and a caller's label: for Sign and CertifyKey */
static DpeStatus dpe_derive_leaf(DpeEnv *env, unsigned idx,
                                 const uint8_t label[48], CaliptraEccPub *pub)
{
    DpeStatus status;

    status = dpe_derive_cdi(env, idx, "DPE", KEY_ID_DPE_CDI);
    if (status) {
        return status;
    }
    return dpe_driver_status(env,
        dpe_derive_key_pair(env->fw, KEY_ID_DPE_CDI, label, 48, "ECC",
                            KEY_ID_DPE_PRIV_KEY, pub));
}

static DpeStatus dpe_sign_with_alias(DpeEnv *env, const uint8_t digest[48],
                                     CaliptraEccSig *sig)
{
    return dpe_driver_status(env,
        caliptra_drv_ecc_sign(env->fw, KEY_ID_RT_PRIV_KEY,
                              &env->fw->pdata.rt_pub_key, digest, sig));
}

/* dpe_crypto.rs: whenever a command that may use them ends */
static void dpe_erase_keys(CaliptraFw *fw)
{
    caliptra_drv_kv_erase(fw, KEY_ID_DPE_CDI);
    caliptra_drv_kv_erase(fw, KEY_ID_DPE_PRIV_KEY);
    caliptra_drv_kv_erase(fw, KEY_ID_TMP);
}

/* ---- certificates (caliptra-dpe dpe/src/x509.rs) ---- */

#define OID_ID_DATA             "1.2.840.113549.1.7.1"
#define OID_ID_SIGNED_DATA      "1.2.840.113549.1.7.2"
#define OID_EXT_KEY_USAGE       "2.5.29.37"
#define OID_SUBJECT_ALT_NAME    "2.5.29.17"
#define OID_DICE_KP_ATTEST_LOC  "2.23.133.5.4.100.9"
#define OID_DICE_KP_ECA         "2.23.133.5.4.100.12"
#define OID_DMTF_DEVICE_INFO    "1.3.6.1.4.1.412.274.1"

/* TcbInfo of the TCG DICE attestation architecture */
enum {
    TCB_INFO_FWIDS = 6,
    TCB_INFO_VENDOR_INFO = 8,
    TCB_INFO_TYPE = 9,
};

/* Whom a certificate or CSR is about, and who issues it */
typedef struct DpeCert {
    unsigned idx;
    CaliptraEccPub pub;
    const uint8_t *ueid;
    size_t ueid_len;
    bool exported;
    char subject_sn[CALIPTRA_SN_LEN];
    uint8_t subject_key_id[CALIPTRA_KEY_ID_LEN];
    char issuer_sn[CALIPTRA_SN_LEN];
    uint8_t issuer_key_id[CALIPTRA_KEY_ID_LEN];
} DpeCert;

static void dpe_cert_names(DpeEnv *env, DpeCert *cert)
{
    uint8_t point[CALIPTRA_POINT_LEN];
    uint8_t digest[48];

    caliptra_x509_point(&cert->pub, point);
    caliptra_sha384(point, sizeof(point), digest);
    caliptra_x509_serial_text(digest, cert->subject_sn);
    memcpy(cert->subject_key_id, digest, CALIPTRA_KEY_ID_LEN);

    /* the alias certificate was named with SHA-256 */
    caliptra_x509_point(&env->fw->pdata.rt_pub_key, point);
    caliptra_sha256(point, sizeof(point), digest);
    caliptra_x509_serial_text(digest, cert->issuer_sn);
    memcpy(cert->issuer_key_id, digest, CALIPTRA_KEY_ID_LEN);
}

static void dpe_put_subject(CaliptraDer *w, const DpeCert *cert)
{
    caliptra_x509_name(w, DER_PRINTABLE_STRING, "DPE Leaf", cert->subject_sn);
    caliptra_x509_public_key(w, &cert->pub);
}

/* One node; exported certificates show no journey */
static void dpe_put_tcb_info(CaliptraDer *w, const CaliptraDpeContext *c,
                             bool journey)
{
    uint8_t locality[4], type[4];

    stl_be_p(locality, c->tci_locality);
    stl_le_p(type, c->tci_type);

    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_begin(w, DER_CONTEXT_CONS(TCB_INFO_FWIDS));
    caliptra_x509_fwid(w, c->tci_current);
    if (journey) {
        caliptra_x509_fwid(w, c->tci_cumulative);
    }
    caliptra_der_end(w);
    caliptra_der_bytes(w, DER_CONTEXT(TCB_INFO_VENDOR_INFO),
                       locality, sizeof(locality));
    caliptra_der_bytes(w, DER_CONTEXT(TCB_INFO_TYPE), type, sizeof(type));
    caliptra_der_end(w);
}

/* Root first, the certified context last */
static void dpe_put_multi_tcb_info(DpeEnv *env, CaliptraDer *w,
                                   const DpeCert *cert)
{
    unsigned path[DPE_MAX_SLOTS];
    unsigned n = 0;

    for (unsigned i = cert->idx; i != DPE_NO_PARENT;
         i = env->dpe->contexts[i].parent_idx) {
        path[n++] = i;
    }

    caliptra_x509_ext_begin(w, OID_DICE_MULTI_TCB_INFO, X509_CRITICAL_TRUE);
    caliptra_der_begin(w, DER_SEQUENCE);
    while (n > 0) {
        dpe_put_tcb_info(w, &env->dpe->contexts[path[--n]], !cert->exported);
    }
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

static void dpe_put_ext_key_usage(CaliptraDer *w, const DpeCert *cert)
{
    caliptra_x509_ext_begin(w, OID_EXT_KEY_USAGE, X509_CRITICAL_TRUE);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, cert->exported ? OID_DICE_KP_ECA :
                                         OID_DICE_KP_ATTEST_LOC);
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

/* GeneralNames { otherName { id-DMTF-device-info, UTF8String } } */
static void dpe_put_subject_alt_name(DpeEnv *env, CaliptraDer *w)
{
    caliptra_x509_ext_begin(w, OID_SUBJECT_ALT_NAME, X509_CRITICAL_FALSE);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_begin(w, DER_CONTEXT_CONS(0) /* otherName */);
    caliptra_der_oid(w, OID_DMTF_DEVICE_INFO);
    caliptra_der_begin(w, DER_CONTEXT_CONS(0) /* value */);
    caliptra_der_bytes(w, DER_UTF8_STRING, env->other_name,
                       env->other_name_len);
    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

static void dpe_put_extensions(DpeEnv *env, CaliptraDer *w,
                               const DpeCert *cert, bool csr)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    dpe_put_multi_tcb_info(env, w, cert);
    caliptra_x509_ueid(w, X509_CRITICAL_TRUE, cert->ueid, cert->ueid_len);
    caliptra_x509_basic_constraints(w, cert->exported, -1);
    caliptra_x509_key_usage(w, X509_DIGITAL_SIGNATURE |
                            (cert->exported ? X509_KEY_CERT_SIGN : 0));
    dpe_put_ext_key_usage(w, cert);
    if (cert->exported) {
        caliptra_x509_subject_key_id(w, X509_CRITICAL_FALSE,
                                     cert->subject_key_id);
    }
    if (!csr) {
        caliptra_x509_authority_key_id(w, X509_CRITICAL_FALSE,
                                       cert->issuer_key_id);
    }
    if (env->other_name_len) {
        dpe_put_subject_alt_name(env, w);
    }
    caliptra_der_end(w);
}

static void dpe_put_tbs_certificate(DpeEnv *env, CaliptraDer *w,
                                    const DpeCert *cert)
{
    uint8_t not_before[CALIPTRA_TIME_LEN], not_after[CALIPTRA_TIME_LEN];

    caliptra_dice_validity(env->fw, not_before, not_after);

    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_begin(w, DER_CONTEXT_CONS(0));
    caliptra_der_small(w, 2 /* v3 */);
    caliptra_der_end(w);
    /* the text of the name's serialNumber, not the number it spells */
    caliptra_der_integer(w, DER_INTEGER, cert->subject_sn, 20);
    caliptra_x509_ecdsa_sha384(w);
    caliptra_x509_name(w, DER_UTF8_STRING, "Caliptra 1.0 Rt Alias",
                       cert->issuer_sn);
    caliptra_x509_validity(w, not_before, not_after);
    dpe_put_subject(w, cert);
    caliptra_der_begin(w, DER_CONTEXT_CONS(3));
    dpe_put_extensions(env, w, cert, false);
    caliptra_der_end(w);
    caliptra_der_end(w);
}

static void dpe_put_certification_request_info(DpeEnv *env, CaliptraDer *w,
                                               const DpeCert *cert)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_small(w, 0 /* v1 */);
    dpe_put_subject(w, cert);
    caliptra_der_begin(w, DER_CONTEXT_CONS(0) /* attributes */);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, OID_EXTENSION_REQUEST);
    caliptra_der_begin(w, DER_SET);
    dpe_put_extensions(env, w, cert, true);
    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_der_end(w);
}

/* AlgorithmIdentifier sha384, without parameters */
static void dpe_put_sha384(CaliptraDer *w)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, OID_SHA384);
    caliptra_der_end(w);
}

/* RFC 5652 ContentInfo, @csr inside, signed by the alias key */
static void dpe_put_cms(CaliptraDer *w, const DpeCert *cert,
                        const uint8_t *csr, size_t csr_len,
                        const CaliptraEccSig *sig)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, OID_ID_SIGNED_DATA);
    caliptra_der_begin(w, DER_CONTEXT_CONS(0));
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_small(w, 3 /* version */);

    caliptra_der_begin(w, DER_SET);
    dpe_put_sha384(w);
    caliptra_der_end(w);

    /* encapContentInfo */
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, OID_ID_DATA);
    caliptra_der_begin(w, DER_CONTEXT_CONS(0));
    caliptra_der_bytes(w, DER_OCTET_STRING, csr, csr_len);
    caliptra_der_end(w);
    caliptra_der_end(w);

    /* signerInfos */
    caliptra_der_begin(w, DER_SET);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_small(w, 3 /* version */);
    /* subjectKeyIdentifier: implicit, but the firmware keeps the inner tag */
    caliptra_der_begin(w, DER_CONTEXT(0));
    caliptra_der_bytes(w, DER_OCTET_STRING, cert->issuer_key_id,
                       CALIPTRA_KEY_ID_LEN);
    caliptra_der_end(w);
    dpe_put_sha384(w);
    caliptra_x509_ecdsa_sha384(w);
    caliptra_der_begin(w, DER_OCTET_STRING);
    caliptra_x509_sig_value(w, sig);
    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_der_end(w);

    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_der_end(w);
}

/* @out: DPE_CERT_MAX bytes */
static DpeStatus dpe_make_certificate(DpeEnv *env, DpeCert *cert,
                                      uint8_t *out, uint32_t *size)
{
    g_autofree uint8_t *tbs = g_malloc(DPE_CERT_MAX);
    CaliptraEccSig sig;
    DpeStatus status;
    uint8_t digest[48];
    CaliptraDer w;
    size_t len;

    dpe_cert_names(env, cert);
    caliptra_der_init(&w, tbs, DPE_CERT_MAX);
    dpe_put_tbs_certificate(env, &w, cert);
    len = caliptra_der_finish(&w);

    caliptra_sha384(tbs, len, digest);
    status = dpe_sign_with_alias(env, digest, &sig);
    if (status) {
        return status;
    }
    *size = caliptra_x509_wrap(out, DPE_CERT_MAX, tbs, len, &sig);
    return *size ? DPE_OK : DPE_INTERNAL_ERROR;
}

/* @out: DPE_CERT_MAX bytes */
static DpeStatus dpe_make_csr(DpeEnv *env, DpeCert *cert,
                              uint8_t *out, uint32_t *size)
{
    g_autofree uint8_t *info = g_malloc(DPE_CERT_MAX);
    g_autofree uint8_t *csr = g_malloc(DPE_CERT_MAX);
    CaliptraEccSig sig;
    DpeStatus status;
    uint8_t digest[48];
    CaliptraDer w;
    size_t len;

    dpe_cert_names(env, cert);
    caliptra_der_init(&w, info, DPE_CERT_MAX);
    dpe_put_certification_request_info(env, &w, cert);
    len = caliptra_der_finish(&w);

    caliptra_sha384(info, len, digest);
    status = dpe_driver_status(env,
        caliptra_drv_ecc_sign(env->fw, KEY_ID_DPE_PRIV_KEY, &cert->pub,
                              digest, &sig));
    if (status) {
        return status;
    }
    len = caliptra_x509_wrap(csr, DPE_CERT_MAX, info, len, &sig);

    caliptra_sha384(csr, len, digest);
    status = dpe_sign_with_alias(env, digest, &sig);
    if (status) {
        return status;
    }
    caliptra_der_init(&w, out, DPE_CERT_MAX);
    dpe_put_cms(&w, cert, csr, len, &sig);
    *size = caliptra_der_finish(&w);
    return *size ? DPE_OK : DPE_INTERNAL_ERROR;
}

/* ---- commands of DPE (caliptra-dpe dpe/src/commands) ---- */

static DpeStatus dpe_get_profile(DpeEnv *env, const void *body)
{
    dpe_get_profile_rsp(env, (DpeGetProfileRsp *)env->rsp);
    env->rsp_len = sizeof(DpeGetProfileRsp);
    return DPE_OK;
}

static DpeStatus dpe_initialize_context(DpeEnv *env, const void *body)
{
    const DpeInitializeContextCmd *cmd = body;
    DpeNewHandleRsp *rsp = (DpeNewHandleRsp *)env->rsp;
    uint32_t flags = ldl_le_p(&cmd->flags);
    DpeStatus status;
    unsigned idx;

    /* the one default context was made when runtime started */
    if (flags & DPE_INIT_DEFAULT) {
        return DPE_ARGUMENT_NOT_SUPPORTED;
    }
    if (!(flags & DPE_INIT_SIMULATION)) {
        return DPE_INVALID_ARGUMENT;
    }
    status = dpe_free_slot(env, &idx);
    if (status) {
        return status;
    }
    status = dpe_new_handle(env, rsp->handle);
    if (status) {
        return status;
    }

    dpe_activate(&env->dpe->contexts[idx], DPE_SIMULATION, env->locality,
                 rsp->handle);
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

/*
 * A locality has either one default context or any number of others.  Will
 * that still hold when the child has come, and its parent perhaps gone?
 */
static bool dpe_child_handle_ok(const CaliptraDpe *dpe, unsigned parent,
                                uint32_t flags, uint32_t target)
{
    unsigned default_idx, active = 0;
    bool has_default, replaces_default;

    has_default = !dpe_lookup(dpe, dpe_default_handle, target, &default_idx);
    replaces_default = has_default && default_idx == parent &&
                       !(flags & DPE_DERIVE_RETAIN_PARENT_CONTEXT);

    if (!(flags & DPE_DERIVE_MAKE_DEFAULT)) {
        return !has_default || replaces_default;
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        active += dpe_is_active_in(&dpe->contexts[i], target);
    }
    return active == 0 || (active == 1 && replaces_default);
}

static DpeStatus dpe_derive_recursive(DpeEnv *env, unsigned idx,
                                      const DpeDeriveContextCmd *cmd,
                                      uint32_t target)
{
    DpeDeriveContextRsp *rsp = (DpeDeriveContextRsp *)env->rsp;
    CaliptraDpeContext *c = &env->dpe->contexts[idx];
    DpeStatus status;

    if (c->tci_type != ldl_le_p(&cmd->tci_type)) {
        return DPE_INVALID_ARGUMENT;
    }
    if (c->locality != target) {
        return DPE_INVALID_LOCALITY;
    }
    status = dpe_next_handle(env, c, rsp->handle);
    if (status) {
        return status;
    }

    dpe_add_measurement(c, cmd->data);
    memcpy(c->handle, rsp->handle, DPE_HANDLE_SIZE);
    /* there is no parent to speak of: its handle in the response stays zero */
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

static DpeStatus dpe_derive_exported(DpeEnv *env, unsigned idx)
{
    DpeDeriveContextExportedRsp *rsp =
        (DpeDeriveContextExportedRsp *)env->rsp;
    CaliptraRtData *rt = &env->fw->rt;
    uint8_t ueid[CALIPTRA_UEID_LEN];
    DpeCert cert = {
        .idx = idx,
        .exported = true,
        .ueid = ueid,
        .ueid_len = sizeof(ueid),
    };
    DpeStatus status, draws_status;
    uint32_t size;

    /* handle, KDF; then KDF, key pair (2), signature of the alias key */
    draws_status = dpe_draws(env, rt->exported_cdi_valid ? 2 : 6);
    if (draws_status == DPE_ENTROPY || env->fw->trng_have < 2) {
        return draws_status;
    }

    /*
     * The firmware derives before it looks whether the slot is free: a
     * refused export changes the key of the handle given out before.  Nor
     * does it free the slot when something fails later.
     */
    status = dpe_derive_cdi(env, idx, "Exported CDI", KEY_ID_EXPORTED_DPE_CDI);
    if (status) {
        return status;
    }
    if (rt->exported_cdi_valid) {
        return DPE_EXPORTED_CDI_DUPLICATE;
    }
    caliptra_words_to_bytes(rt->exported_cdi_handle, env->fw->trng_pool[0],
                            DPE_EXPORTED_HANDLE / 4);
    rt->exported_cdi_valid = true;
    if (draws_status) {
        return draws_status;
    }

    status = dpe_driver_status(env,
        dpe_derive_key_pair(env->fw, KEY_ID_EXPORTED_DPE_CDI,
                            "Exported ECC", strlen("Exported ECC"),
                            "Exported ECC", KEY_ID_TMP, &cert.pub));
    if (status) {
        return status;
    }
    caliptra_dice_ueid(env->fw, ueid);
    status = dpe_make_certificate(env, &cert, rsp->certificate, &size);
    if (status) {
        return status;
    }

    dpe_invalidate_handle(rsp->handle);
    dpe_invalidate_handle(rsp->parent_handle);
    memcpy(rsp->exported_cdi, rt->exported_cdi_handle, DPE_EXPORTED_HANDLE);
    stl_le_p(&rsp->certificate_size, size);
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

static DpeStatus dpe_derive_child(DpeEnv *env, unsigned parent_idx,
                                  const DpeDeriveContextCmd *cmd,
                                  uint32_t target)
{
    DpeDeriveContextRsp *rsp = (DpeDeriveContextRsp *)env->rsp;
    CaliptraDpeContext *parent = &env->dpe->contexts[parent_idx];
    uint32_t flags = ldl_le_p(&cmd->flags);
    CaliptraDpeContext *child;
    DpeStatus status;
    unsigned idx;

    status = dpe_free_slot(env, &idx);
    if (status) {
        return status;
    }
    if (!dpe_child_handle_ok(env->dpe, parent_idx, flags, target)) {
        return DPE_INVALID_ARGUMENT;
    }
    if (!(flags & DPE_DERIVE_MAKE_DEFAULT)) {
        status = dpe_new_handle(env, rsp->handle);
        if (status) {
            return status;
        }
    }
    if (flags & DPE_DERIVE_RETAIN_PARENT_CONTEXT) {
        status = dpe_next_handle(env, parent, rsp->parent_handle);
        if (status) {
            return status;
        }
    } else {
        dpe_invalidate_handle(rsp->parent_handle);
        parent->state = DPE_RETIRED;
    }
    memcpy(parent->handle, rsp->parent_handle, DPE_HANDLE_SIZE);
    parent->children |= 1u << idx;

    child = &env->dpe->contexts[idx];
    dpe_activate(child, parent->context_type, target, rsp->handle);
    child->tci_type = ldl_le_p(&cmd->tci_type);
    child->parent_idx = parent_idx;
    child->allow_ca = flags & DPE_DERIVE_INPUT_ALLOW_CA;
    child->allow_x509 = flags & DPE_DERIVE_INPUT_ALLOW_X509;
    child->uses_internal_input_info = flags & DPE_DERIVE_INTERNAL_INPUT_INFO;
    child->uses_internal_input_dice = flags & DPE_DERIVE_INTERNAL_INPUT_DICE;
    dpe_add_measurement(child, cmd->data);

    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

static DpeStatus dpe_derive_context(DpeEnv *env, const void *body)
{
    const DpeDeriveContextCmd *cmd = body;
    uint32_t flags = ldl_le_p(&cmd->flags);
    bool recursive = flags & DPE_DERIVE_RECURSIVE;
    bool retain = flags & DPE_DERIVE_RETAIN_PARENT_CONTEXT;
    bool change_locality = flags & DPE_DERIVE_CHANGE_LOCALITY;
    bool export_cdi = flags & DPE_DERIVE_EXPORT_CDI;
    bool certificate = flags & DPE_DERIVE_CREATE_CERTIFICATE;
    const CaliptraDpeContext *parent;
    DpeStatus status;
    uint32_t target;
    unsigned idx;

    status = dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    parent = &env->dpe->contexts[idx];
    if ((!parent->allow_ca && (flags & DPE_DERIVE_INPUT_ALLOW_CA)) ||
        (!parent->allow_x509 && (flags & DPE_DERIVE_INPUT_ALLOW_X509)) ||
        (export_cdi && (!certificate || recursive || change_locality ||
                        retain || parent->context_type == DPE_SIMULATION)) ||
        (recursive && retain)) {
        return DPE_INVALID_ARGUMENT;
    }

    target = change_locality ? ldl_le_p(&cmd->target_locality) : env->locality;
    if (recursive) {
        return dpe_derive_recursive(env, idx, cmd, target);
    }
    if (export_cdi) {
        return dpe_derive_exported(env, idx);
    }
    return dpe_derive_child(env, idx, cmd, target);
}

static DpeStatus dpe_certify_key(DpeEnv *env, const void *body)
{
    const DpeCertifyKeyCmd *cmd = body;
    DpeCertifyKeyRsp *rsp = (DpeCertifyKeyRsp *)env->rsp;
    uint32_t format = ldl_le_p(&cmd->format);
    DpeCert cert = {
        .ueid = cmd->label,
        .ueid_len = sizeof(cmd->label),
    };
    CaliptraDpeContext *c;
    DpeStatus status;
    uint32_t size;

    status = dpe_lookup(env->dpe, cmd->handle, env->locality, &cert.idx);
    if (status) {
        return status;
    }
    c = &env->dpe->contexts[cert.idx];
    if ((format == DPE_FORMAT_X509 && !c->allow_x509) ||
        (format != DPE_FORMAT_X509 && format != DPE_FORMAT_CSR)) {
        return DPE_INVALID_ARGUMENT;
    }
    /* KDF twice, key pair (2), signature of the alias key, CSR's own */
    status = dpe_draws(env, format == DPE_FORMAT_CSR ? 6 : 5);
    if (status) {
        return status;
    }
    status = dpe_next_handle(env, c, rsp->new_context_handle);
    if (status) {
        return status;
    }

    status = dpe_derive_leaf(env, cert.idx, cmd->label, &cert.pub);
    if (status) {
        return status;
    }
    if (format == DPE_FORMAT_CSR) {
        status = dpe_make_csr(env, &cert, rsp->cert, &size);
    } else {
        status = dpe_make_certificate(env, &cert, rsp->cert, &size);
    }
    if (status) {
        return status;
    }

    memcpy(c->handle, rsp->new_context_handle, DPE_HANDLE_SIZE);
    memcpy(rsp->derived_pubkey_x, cert.pub.x, sizeof(rsp->derived_pubkey_x));
    memcpy(rsp->derived_pubkey_y, cert.pub.y, sizeof(rsp->derived_pubkey_y));
    stl_le_p(&rsp->cert_size, size);
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

static DpeStatus dpe_sign(DpeEnv *env, const void *body)
{
    const DpeSignCmd *cmd = body;
    DpeSignRsp *rsp = (DpeSignRsp *)env->rsp;
    CaliptraDpeContext *c;
    CaliptraEccPub pub;
    CaliptraEccSig sig;
    DpeStatus status;
    unsigned idx;

    status = dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    c = &env->dpe->contexts[idx];
    if (c->context_type == DPE_SIMULATION) {
        return DPE_INVALID_ARGUMENT;
    }
    /* KDF twice, key pair (2), signature */
    status = dpe_draws(env, 5);
    if (status) {
        return status;
    }
    status = dpe_next_handle(env, c, rsp->new_context_handle);
    if (status) {
        return status;
    }

    status = dpe_derive_leaf(env, idx, cmd->label, &pub);
    if (status) {
        return status;
    }
    status = dpe_driver_status(env,
        caliptra_drv_ecc_sign(env->fw, KEY_ID_DPE_PRIV_KEY, &pub,
                              cmd->digest, &sig));
    if (status) {
        return status;
    }

    memcpy(c->handle, rsp->new_context_handle, DPE_HANDLE_SIZE);
    memcpy(rsp->sig_r, sig.r, sizeof(rsp->sig_r));
    memcpy(rsp->sig_s, sig.s, sizeof(rsp->sig_s));
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

static DpeStatus dpe_rotate_context_handle(DpeEnv *env, const void *body)
{
    const DpeRotateContextHandleCmd *cmd = body;
    DpeNewHandleRsp *rsp = (DpeNewHandleRsp *)env->rsp;
    DpeStatus status;
    unsigned idx;

    status = dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    if (ldl_le_p(&cmd->flags) & DPE_ROTATE_TARGET_IS_DEFAULT) {
        /* nobody else may be there, and it must not be the default already */
        for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
            const CaliptraDpeContext *c = &env->dpe->contexts[i];

            if (dpe_is_active_in(c, env->locality) &&
                (i != idx || dpe_is_default(c->handle))) {
                return DPE_INVALID_ARGUMENT;
            }
        }
    } else {
        status = dpe_new_handle(env, rsp->handle);
        if (status) {
            return status;
        }
    }

    memcpy(env->dpe->contexts[idx].handle, rsp->handle, DPE_HANDLE_SIZE);
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

/* bit map of @idx and all that derive from it */
static uint32_t dpe_subtree(const CaliptraDpe *dpe, unsigned idx)
{
    uint32_t set = 1u << idx;
    uint32_t children = dpe->contexts[idx].children;

    while (children) {
        unsigned child = ctz32(children);

        children &= children - 1;
        set |= dpe_subtree(dpe, child);
    }
    return set;
}

static DpeStatus dpe_destroy_context(DpeEnv *env, const void *body)
{
    const DpeDestroyContextCmd *cmd = body;
    CaliptraDpe *dpe = env->dpe;
    DpeStatus status;
    uint32_t set;
    unsigned idx;

    status = dpe_lookup(dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    set = dpe_subtree(dpe, idx);
    /* retired ancestors go too, as far as nothing else derives from them */
    for (unsigned i = dpe->contexts[idx].parent_idx;
         i != DPE_NO_PARENT && dpe->contexts[i].state == DPE_RETIRED &&
         is_power_of_2(dpe->contexts[i].children);
         i = dpe->contexts[i].parent_idx) {
        set |= 1u << i;
    }

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        dpe->contexts[i].children &= ~set;
        if (set & (1u << i)) {
            dpe_destroy(&dpe->contexts[i]);
        }
    }
    env->rsp_len = sizeof(DpeRspHeader);
    return DPE_OK;
}

static DpeStatus dpe_get_certificate_chain(DpeEnv *env, const void *body)
{
    const DpeGetCertificateChainCmd *cmd = body;
    DpeGetCertificateChainRsp *rsp = (DpeGetCertificateChainRsp *)env->rsp;
    const CaliptraRtData *rt = &env->fw->rt;
    uint32_t offset = ldl_le_p(&cmd->offset);
    uint32_t size = ldl_le_p(&cmd->size);

    if (size > DPE_CHAIN_CHUNK) {
        return DPE_INVALID_ARGUMENT;
    }
    if (offset >= rt->cert_chain_len) {
        return DPE_CERTIFICATE_CHAIN_ERROR;
    }
    size = MIN(size, rt->cert_chain_len - offset);
    memcpy(rsp->certificate_chain, rt->cert_chain + offset, size);
    stl_le_p(&rsp->certificate_size, size);
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

/* ---- INVOKE_DPE_COMMAND ---- */

static uint32_t dpe_gate_initialize_context(CaliptraFw *fw, const void *body)
{
    const DpeInitializeContextCmd *cmd = body;

    if (ldl_le_p(&cmd->flags) & DPE_INIT_SIMULATION) {
        return dpe_check_threshold(fw);
    }
    return CALIPTRA_FW_OK;
}

static uint32_t dpe_gate_derive_context(CaliptraFw *fw, const void *body)
{
    const DpeDeriveContextCmd *cmd = body;
    uint32_t flags = ldl_le_p(&cmd->flags);
    uint32_t target = ldl_le_p(&cmd->target_locality);
    uint32_t error;

    /* an export counts too, although it makes no context */
    if (!(flags & DPE_DERIVE_RECURSIVE)) {
        error = dpe_check_threshold(fw);
        if (error) {
            return error;
        }
    }
    if (!caliptra_fw_caller_is_pl0(fw) &&
        ((flags & DPE_DERIVE_EXPORT_CDI) ||
         ((flags & DPE_DERIVE_CHANGE_LOCALITY) &&
          target == caliptra_fw_pl0_pauser(fw)))) {
        return CALIPTRA_ERR_RUNTIME_INCORRECT_PAUSER_PRIVILEGE_LEVEL;
    }
    return CALIPTRA_FW_OK;
}

static uint32_t dpe_gate_certify_key(CaliptraFw *fw, const void *body)
{
    const DpeCertifyKeyCmd *cmd = body;

    if (ldl_le_p(&cmd->format) == DPE_FORMAT_X509 &&
        !caliptra_fw_caller_is_pl0(fw)) {
        return CALIPTRA_ERR_RUNTIME_INCORRECT_PAUSER_PRIVILEGE_LEVEL;
    }
    return CALIPTRA_FW_OK;
}

static const struct DpeCommand {
    uint32_t id;
    const char *name;
    size_t body_len;
    /* runtime's own checks, whose failure is that of the mailbox command */
    uint32_t (*gate)(CaliptraFw *fw, const void *body);
    DpeStatus (*execute)(DpeEnv *env, const void *body);
} dpe_commands[] = {
    {
        DPE_GET_PROFILE, "GetProfile",
        0, NULL, dpe_get_profile,
    }, {
        DPE_INITIALIZE_CONTEXT, "InitializeContext",
        sizeof(DpeInitializeContextCmd),
        dpe_gate_initialize_context, dpe_initialize_context,
    }, {
        DPE_DERIVE_CONTEXT, "DeriveContext",
        sizeof(DpeDeriveContextCmd),
        dpe_gate_derive_context, dpe_derive_context,
    }, {
        DPE_CERTIFY_KEY, "CertifyKey",
        sizeof(DpeCertifyKeyCmd),
        dpe_gate_certify_key, dpe_certify_key,
    }, {
        DPE_SIGN, "Sign",
        sizeof(DpeSignCmd), NULL, dpe_sign,
    }, {
        DPE_ROTATE_CONTEXT_HANDLE, "RotateContextHandle",
        sizeof(DpeRotateContextHandleCmd), NULL, dpe_rotate_context_handle,
    }, {
        DPE_DESTROY_CONTEXT, "DestroyContext",
        sizeof(DpeDestroyContextCmd), NULL, dpe_destroy_context,
    }, {
        DPE_GET_CERTIFICATE_CHAIN, "GetCertificateChain",
        sizeof(DpeGetCertificateChainCmd), NULL, dpe_get_certificate_chain,
    },
};

/* Returns: NULL if it is not a command of this profile */
static const struct DpeCommand *dpe_deserialize(const uint8_t *data,
                                                size_t len)
{
    const DpeCmdHeader *header = (const DpeCmdHeader *)data;
    uint32_t id;

    if (len < sizeof(*header) || ldl_le_p(&header->magic) != DPE_CMD_MAGIC) {
        return NULL;
    }
    id = ldl_le_p(&header->cmd_id);
    if (id != DPE_GET_PROFILE &&
        ldl_le_p(&header->profile) != DPE_PROFILE_P384_SHA384) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(dpe_commands); i++) {
        if (dpe_commands[i].id == id) {
            return len - sizeof(*header) >= dpe_commands[i].body_len ?
                   &dpe_commands[i] : NULL;
        }
    }
    return NULL;
}

/* A status that carries a driver's error number reports it */
static void dpe_report_detail(const DpeEnv *env)
{
    if (env->detail) {
        caliptra_fw_ext_error(env->fw, 0, env->detail);
    }
}

enum {
    INVOKE_DPE_REQ_DATA_SIZE = 4,
    INVOKE_DPE_REQ_DATA = 8,
    INVOKE_DPE_RSP_DATA_SIZE = 8,
    INVOKE_DPE_RSP_DATA = 12,
};

static uint32_t dpe_invoke(CaliptraFw *fw, const uint8_t *data, size_t len,
                           CaliptraRsp *rsp)
{
    const struct DpeCommand *command = dpe_deserialize(data, len);
    const uint8_t *body = data + sizeof(DpeCmdHeader);
    DpeStatus status;
    uint32_t error;
    DpeEnv env;

    if (!command) {
        return CALIPTRA_ERR_RUNTIME_DPE_COMMAND_DESERIALIZATION_FAILED;
    }
    if (command->gate) {
        error = command->gate(fw, body);
        if (error) {
            return error;
        }
    }

    memset(rsp->data, 0, sizeof(rsp->data));
    dpe_env_init(&env, fw, rsp->data + INVOKE_DPE_RSP_DATA);
    status = command->execute(&env, body);
    if (status == DPE_ENTROPY) {
        return CALIPTRA_FW_ENTROPY;
    }
    trace_caliptra_dpe_command(command->name, env.locality, status);
    if (status) {
        dpe_report_detail(&env);
        env.rsp_len = sizeof(DpeRspHeader);
    }
    if (command->id == DPE_DESTROY_CONTEXT) {
        dpe_clear_inactive_tags(env.dpe);
    }

    dpe_put_header(env.rsp, status);
    stl_le_p(rsp->data + INVOKE_DPE_RSP_DATA_SIZE, env.rsp_len);
    rsp->len = INVOKE_DPE_RSP_DATA + env.rsp_len;
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_cmd_invoke_dpe(CaliptraFw *fw, const uint8_t *req,
                                 size_t req_len, CaliptraRsp *rsp)
{
    uint32_t data_size, error;

    data_size = ldl_le_p(req + INVOKE_DPE_REQ_DATA_SIZE);
    if (data_size > DPE_DATA_MAX) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    error = dpe_invoke(fw, req + INVOKE_DPE_REQ_DATA, data_size, rsp);
    if (error != CALIPTRA_FW_ENTROPY) {
        dpe_erase_keys(fw);
    }
    return error;
}

/* ---- the other commands that use DPE ---- */

enum {
    CERTIFY_KEY_EXTENDED_REQ_FLAGS = 4,
    CERTIFY_KEY_EXTENDED_REQ_CMD = 8,
    CERTIFY_KEY_EXTENDED_RSP_DPE = 8,
};

#define CERTIFY_KEY_EXTENDED_DMTF_OTHER_NAME (1u << 31)

uint32_t caliptra_cmd_certify_key_extended(CaliptraFw *fw, const uint8_t *req,
                                           size_t req_len, CaliptraRsp *rsp)
{
    DpeStatus status;
    DpeEnv env;

    memset(rsp->data, 0, sizeof(rsp->data));
    dpe_env_init(&env, fw, rsp->data + CERTIFY_KEY_EXTENDED_RSP_DPE);
    if (ldl_le_p(req + CERTIFY_KEY_EXTENDED_REQ_FLAGS) &
        CERTIFY_KEY_EXTENDED_DMTF_OTHER_NAME) {
        env.other_name = fw->rt.dmtf_device_info;
        env.other_name_len = fw->rt.dmtf_device_info_len;
    }
    status = dpe_certify_key(&env, req + CERTIFY_KEY_EXTENDED_REQ_CMD);
    if (status == DPE_ENTROPY) {
        return CALIPTRA_FW_ENTROPY;
    }
    trace_caliptra_dpe_command("CertifyKey", env.locality, status);
    dpe_erase_keys(fw);
    if (status) {
        dpe_report_detail(&env);
        return CALIPTRA_ERR_RUNTIME_CERTIFY_KEY_EXTENDED_FAILED;
    }
    dpe_put_header(env.rsp, status);
    rsp->len = CERTIFY_KEY_EXTENDED_RSP_DPE + env.rsp_len;
    return CALIPTRA_FW_OK;
}

enum {
    ADD_SUBJECT_ALT_NAME_REQ_SIZE_FIELD = 4,
    ADD_SUBJECT_ALT_NAME_REQ_INFO = 8,
};

/* DMTF DSP0274: ASCII, manufacturer:product:serialNumber */
static bool dmtf_device_info_ok(const uint8_t *info, uint32_t len)
{
    unsigned colons = 0;

    for (uint32_t i = 0; i < len; i++) {
        if (info[i] >= 0x80) {
            return false;
        }
        colons += info[i] == ':';
    }
    return colons == 2;
}

uint32_t caliptra_cmd_add_subject_alt_name(CaliptraFw *fw, const uint8_t *req,
                                           size_t req_len, CaliptraRsp *rsp)
{
    const uint8_t *info = req + ADD_SUBJECT_ALT_NAME_REQ_INFO;
    uint32_t len;

    len = ldl_le_p(req + ADD_SUBJECT_ALT_NAME_REQ_SIZE_FIELD);
    if (len > CALIPTRA_DMTF_MAX) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    if (!dmtf_device_info_ok(info, len)) {
        return CALIPTRA_ERR_RUNTIME_DMTF_DEVICE_INFO_VALIDATION_FAILED;
    }
    memcpy(fw->rt.dmtf_device_info, info, len);
    fw->rt.dmtf_device_info_len = len;
    rsp->len = 8;
    return CALIPTRA_FW_OK;
}

/* The context with @tag, or NULL */
static CaliptraDpeContext *dpe_find_tag(CaliptraDpe *dpe, uint32_t tag)
{
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        if (dpe->contexts[i].has_tag && dpe->contexts[i].tag == tag) {
            return &dpe->contexts[i];
        }
    }
    return NULL;
}

enum {
    TAG_TCI_REQ_HANDLE = 4,
    TAG_TCI_REQ_TAG = 20,
};

uint32_t caliptra_cmd_dpe_tag_tci(CaliptraFw *fw, const uint8_t *req,
                                  size_t req_len, CaliptraRsp *rsp)
{
    CaliptraDpe *dpe = &fw->pdata.dpe;
    uint32_t tag;
    unsigned idx;

    tag = ldl_le_p(req + TAG_TCI_REQ_TAG);
    if (dpe_find_tag(dpe, tag)) {
        return CALIPTRA_ERR_RUNTIME_DUPLICATE_TAG;
    }
    if (dpe_lookup(dpe, req + TAG_TCI_REQ_HANDLE, caliptra_fw_caller(fw),
                   &idx)) {
        return CALIPTRA_ERR_RUNTIME_TAGGING_FAILURE;
    }
    if (dpe->contexts[idx].has_tag) {
        return CALIPTRA_ERR_RUNTIME_CONTEXT_ALREADY_TAGGED;
    }
    dpe->contexts[idx].has_tag = true;
    dpe->contexts[idx].tag = tag;
    rsp->len = 8;
    return CALIPTRA_FW_OK;
}

enum {
    GET_TAGGED_TCI_REQ_TAG = 4,
    GET_TAGGED_TCI_RSP_CUMULATIVE = 8,
    GET_TAGGED_TCI_RSP_CURRENT = 56,
    GET_TAGGED_TCI_RSP_SIZE = 104,
};

uint32_t caliptra_cmd_dpe_get_tagged_tci(CaliptraFw *fw, const uint8_t *req,
                                         size_t req_len, CaliptraRsp *rsp)
{
    const CaliptraDpeContext *c;

    c = dpe_find_tag(&fw->pdata.dpe, ldl_le_p(req + GET_TAGGED_TCI_REQ_TAG));
    if (!c) {
        return CALIPTRA_ERR_RUNTIME_TAGGING_FAILURE;
    }
    memcpy(rsp->data + GET_TAGGED_TCI_RSP_CUMULATIVE, c->tci_cumulative,
           DPE_TCI_SIZE);
    memcpy(rsp->data + GET_TAGGED_TCI_RSP_CURRENT, c->tci_current,
           DPE_TCI_SIZE);
    rsp->len = GET_TAGGED_TCI_RSP_SIZE;
    return CALIPTRA_FW_OK;
}

/*
 * Put a measurement in the place of the default context of @parent_locality:
 * the child is the default context of @target.  Draws no random numbers.
 */
static DpeStatus dpe_derive_default(CaliptraFw *fw, uint32_t parent_locality,
                                    uint32_t target, uint32_t tci_type,
                                    const uint8_t *measurement)
{
    DpeDeriveContextRsp rsp = {};
    DpeDeriveContextCmd cmd = {};
    DpeStatus status;
    DpeEnv env;

    memcpy(cmd.data, measurement, sizeof(cmd.data));
    stl_le_p(&cmd.flags, DPE_DERIVE_MAKE_DEFAULT |
             DPE_DERIVE_CHANGE_LOCALITY | DPE_DERIVE_INPUT_ALLOW_CA |
             DPE_DERIVE_INPUT_ALLOW_X509);
    stl_le_p(&cmd.tci_type, tci_type);
    stl_le_p(&cmd.target_locality, target);

    dpe_env_init(&env, fw, (uint8_t *)&rsp);
    env.locality = parent_locality;
    status = dpe_derive_context(&env, &cmd);
    trace_caliptra_dpe_measure(tci_type, target, status);
    return status;
}

uint32_t caliptra_dpe_stash_measurement(CaliptraFw *fw,
                                        const uint8_t tci_type[4],
                                        const uint8_t measurement[48],
                                        uint32_t *dpe_status)
{
    uint32_t locality = caliptra_fw_caller(fw);
    uint32_t error = dpe_check_threshold(fw);

    if (error) {
        return error;
    }
    *dpe_status = dpe_derive_default(fw, locality, locality,
                                     ldl_le_p(tci_type), measurement);
    dpe_erase_keys(fw);
    if (*dpe_status == DPE_OK) {
        return caliptra_drv_pcr_extend(fw, CALIPTRA_PCR_STASH, measurement,
                                       48);
    }
    return CALIPTRA_FW_OK;
}

enum {
    STASH_MEASUREMENT_REQ_METADATA = 4,
    STASH_MEASUREMENT_REQ_MEASUREMENT = 8,
    STASH_MEASUREMENT_RSP_DPE_RESULT = 8,
    STASH_MEASUREMENT_RSP_SIZE = 12,
};

uint32_t caliptra_cmd_stash_measurement(CaliptraFw *fw, const uint8_t *req,
                                        size_t req_len, CaliptraRsp *rsp)
{
    uint32_t error, dpe_status;

    error = caliptra_dpe_stash_measurement(fw,
                req + STASH_MEASUREMENT_REQ_METADATA,
                req + STASH_MEASUREMENT_REQ_MEASUREMENT, &dpe_status);
    if (error) {
        return error;
    }
    /* what DPE refuses is no failure of the mailbox command */
    stl_le_p(rsp->data + STASH_MEASUREMENT_RSP_DPE_RESULT, dpe_status);
    rsp->len = STASH_MEASUREMENT_RSP_SIZE;
    return CALIPTRA_FW_OK;
}

enum {
    SIGN_EXPORTED_REQ_HANDLE = 4,
    SIGN_EXPORTED_REQ_TBS = 36,
    SIGN_EXPORTED_RSP_X = 8,
    SIGN_EXPORTED_RSP_Y = 56,
    SIGN_EXPORTED_RSP_R = 104,
    SIGN_EXPORTED_RSP_S = 152,
    SIGN_EXPORTED_RSP_SIZE = 200,
};

uint32_t caliptra_cmd_sign_with_exported_ecdsa(CaliptraFw *fw,
                                               const uint8_t *req,
                                               size_t req_len,
                                               CaliptraRsp *rsp)
{
    const uint32_t derivation_failed =
        CALIPTRA_ERR_RUNTIME_SIGN_WITH_EXPORTED_ECDSA_KEY_DERIVIATION_FAILED;
    CaliptraEccPub pub;
    CaliptraEccSig sig;
    uint32_t error;
    bool drawn;

    if (!fw->rt.exported_cdi_valid ||
        memcmp(fw->rt.exported_cdi_handle, req + SIGN_EXPORTED_REQ_HANDLE,
               DPE_EXPORTED_HANDLE)) {
        error = derivation_failed;
        goto out;
    }
    /* KDF, key pair (2), signature */
    drawn = caliptra_fw_draws(fw, 4);
    if (!drawn && !fw->trng_error) {
        return CALIPTRA_FW_ENTROPY;
    }
    if (fw->trng_have < 3 ||
        dpe_derive_key_pair(fw, KEY_ID_EXPORTED_DPE_CDI, "Exported ECC",
                            strlen("Exported ECC"), "Exported ECC",
                            KEY_ID_TMP, &pub)) {
        error = derivation_failed;
        goto out;
    }
    if (!drawn ||
        caliptra_drv_ecc_sign(fw, KEY_ID_TMP, &pub,
                              req + SIGN_EXPORTED_REQ_TBS, &sig)) {
        error = CALIPTRA_ERR_RUNTIME_SIGN_WITH_EXPORTED_ECDSA_SIGNATURE_FAILED;
        goto out;
    }
    memcpy(rsp->data + SIGN_EXPORTED_RSP_X, pub.x, sizeof(pub.x));
    memcpy(rsp->data + SIGN_EXPORTED_RSP_Y, pub.y, sizeof(pub.y));
    memcpy(rsp->data + SIGN_EXPORTED_RSP_R, sig.r, sizeof(sig.r));
    memcpy(rsp->data + SIGN_EXPORTED_RSP_S, sig.s, sizeof(sig.s));
    rsp->len = SIGN_EXPORTED_RSP_SIZE;
    error = CALIPTRA_FW_OK;
out:
    dpe_erase_keys(fw);
    return error;
}

/* ---- start of runtime (caliptra-sw runtime/src/drivers.rs) ---- */

/* What the SoC has set up as mailbox users, as measured at cold boot */
static void dpe_measure_valid_users(CaliptraFw *fw, uint8_t measurement[48])
{
    uint8_t users[5 * 4], digest[48];
    uint32_t words[12];
    size_t len = 0;

    for (int i = 0; i < 5; i++) {
        uint32_t lock = caliptra_fw_rd(fw, CALIPTRA_SOC_IFC_BASE +
                                           A_CPTRA_MBOX_PAUSER_LOCK + 4 * i);

        if (FIELD_EX32(lock, CPTRA_MBOX_PAUSER_LOCK, LOCK)) {
            stl_le_p(users + len,
                     caliptra_fw_rd(fw, CALIPTRA_SOC_IFC_BASE +
                                        A_CPTRA_MBOX_VALID_PAUSER + 4 * i));
            len += 4;
        }
    }
    caliptra_sha384(users, len, digest);

    /* firmware takes the driver's words as they lie in its memory */
    caliptra_bytes_to_words(words, digest, ARRAY_SIZE(words));
    for (int i = 0; i < ARRAY_SIZE(words); i++) {
        stl_le_p(measurement + 4 * i, words[i]);
    }
}

uint32_t caliptra_dpe_init_cold(CaliptraFw *fw)
{
    CaliptraPdata *pdata = &fw->pdata;
    CaliptraDpe *dpe = &pdata->dpe;
    uint32_t pl0_pauser = caliptra_fw_pl0_pauser(fw);
    uint8_t measurement[48];
    uint32_t error;

    memset(dpe, 0, sizeof(*dpe));
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        dpe->contexts[i].parent_idx = DPE_NO_PARENT;
    }

    dpe_activate(&dpe->contexts[0], DPE_NORMAL, DPE_LOCALITY_CALIPTRA,
                 dpe_default_handle);
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY, measurement);
    dpe_add_measurement(&dpe->contexts[0], measurement);
    dpe->contexts[0].tci_type = DPE_TCI_TYPE_RT_JOURNEY;
    dpe->has_initialized = true;

    dpe_measure_valid_users(fw, measurement);
    if (dpe_derive_default(fw, DPE_LOCALITY_CALIPTRA, pl0_pauser,
                           DPE_TCI_TYPE_VALID_USER, measurement)) {
        return CALIPTRA_ERR_RUNTIME_ADD_VALID_PAUSER_MEASUREMENT_TO_DPE_FAILED;
    }

    for (uint32_t i = 0; i < pdata->meas_log_index; i++) {
        const CaliptraMeasLogEntry *entry = &pdata->meas_log[i];

        error = dpe_check_threshold(fw);
        if (error) {
            return error;
        }
        if (dpe_derive_default(fw, pl0_pauser, pl0_pauser,
                               ldl_le_p(entry->metadata),
                               entry->pcr_entry.data)) {
            return CALIPTRA_ERR_RUNTIME_ADD_ROM_MEASUREMENTS_TO_DPE_FAILED;
        }
    }
    return CALIPTRA_FW_OK;
}

/* Links of slot @i to its parent and children */
static DpeValidation dpe_validate_links(const CaliptraDpe *dpe, unsigned i)
{
    const CaliptraDpeContext *c = &dpe->contexts[i];
    uint32_t children = c->children;

    if (c->parent_idx != DPE_NO_PARENT) {
        if (c->parent_idx >= DPE_MAX_SLOTS) {
            return DPE_PARENT_DOES_NOT_EXIST;
        }
        if (dpe->contexts[c->parent_idx].state == DPE_INACTIVE) {
            return DPE_INACTIVE_PARENT;
        }
        if (!(dpe->contexts[c->parent_idx].children & (1u << i))) {
            return DPE_LINKS_CORRUPTED;
        }
    }
    while (children) {
        unsigned child = ctz32(children);

        children &= children - 1;
        if (dpe->contexts[child].state == DPE_INACTIVE) {
            return DPE_INACTIVE_CHILD;
        }
        if (dpe->contexts[child].parent_idx != i) {
            return DPE_LINKS_CORRUPTED;
        }
    }
    return DPE_VALID;
}

static DpeValidation dpe_validate_slot(const CaliptraDpe *dpe, unsigned i)
{
    const CaliptraDpeContext *c = &dpe->contexts[i];
    DpeValidation result;

    if (c->state == DPE_INACTIVE) {
        if (c->parent_idx != DPE_NO_PARENT) {
            return DPE_INACTIVE_INVALID_PARENT;
        }
        if (c->children) {
            return DPE_INACTIVE_WITH_CHILDREN;
        }
        if (c->tci_type || c->tci_locality ||
            !buffer_is_zero(c->tci_cumulative, DPE_TCI_SIZE) ||
            !buffer_is_zero(c->tci_current, DPE_TCI_SIZE)) {
            return DPE_INACTIVE_WITH_MEASUREMENT;
        }
        if (c->uses_internal_input_info || c->uses_internal_input_dice ||
            c->allow_ca || c->allow_x509) {
            return DPE_INACTIVE_WITH_FLAG_SET;
        }
        return DPE_VALID;
    }

    if (c->state == DPE_ACTIVE && c->context_type == DPE_NORMAL &&
        !dpe->has_initialized) {
        return DPE_NOT_MARKED_INITIALIZED;
    }
    result = dpe_validate_links(dpe, i);
    if (result != DPE_VALID) {
        return result;
    }
    if (c->state == DPE_RETIRED && !c->children) {
        return DPE_DANGLING_RETIRED_CONTEXT;
    }
    return DPE_VALID;
}

/* One default context and no other, or no default context */
static DpeValidation dpe_validate_locality(const CaliptraDpe *dpe,
                                           uint32_t locality)
{
    unsigned defaults = 0, others = 0;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (dpe_is_active_in(c, locality)) {
            if (dpe_is_default(c->handle)) {
                defaults++;
            } else {
                others++;
            }
        }
        if (defaults > 1) {
            return DPE_MULTIPLE_DEFAULT_CONTEXTS;
        }
        if (defaults && others) {
            return DPE_MIXED_CONTEXT_LOCALITY;
        }
    }
    return DPE_VALID;
}

/*
 * One tree of Normal contexts, trees of Simulation contexts, no loops.  The
 * links are good already, so a loop is where the way up does not end.
 */
static DpeValidation dpe_validate_forest(const CaliptraDpe *dpe)
{
    unsigned normal_trees = 0;
    bool loop = false;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];
        const CaliptraDpeContext *root = c;
        unsigned depth;

        if (c->state == DPE_INACTIVE) {
            continue;
        }
        for (depth = 1;
             root->parent_idx != DPE_NO_PARENT && depth <= DPE_MAX_SLOTS;
             depth++) {
            root = &dpe->contexts[root->parent_idx];
        }
        if (depth > DPE_MAX_SLOTS) {
            loop = true;
        } else if (c->context_type != root->context_type) {
            return DPE_MIXED_TREE;
        } else if (c == root && c->context_type == DPE_NORMAL) {
            normal_trees++;
        }
    }
    if (normal_trees > 1) {
        return DPE_MULTIPLE_NORMAL_TREES;
    }
    return loop ? DPE_CYCLES_IN_TREE : DPE_VALID;
}

static DpeValidation dpe_validate(const CaliptraDpe *dpe)
{
    DpeValidation result;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        result = dpe_validate_slot(dpe, i);
        if (result != DPE_VALID) {
            return result;
        }
        if (c->context_type > DPE_SIMULATION) {
            return DPE_BAD_CONTEXT_TYPE;
        }
        if (c->locality != c->tci_locality) {
            return DPE_LOCALITY_MISMATCH;
        }
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        result = dpe_validate_locality(dpe, dpe->contexts[i].locality);
        if (result != DPE_VALID) {
            return result;
        }
    }
    return dpe_validate_forest(dpe);
}

static CaliptraDpeContext *dpe_root(CaliptraDpe *dpe)
{
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state != DPE_INACTIVE && c->context_type == DPE_NORMAL &&
            c->parent_idx == DPE_NO_PARENT) {
            return c;
        }
    }
    return NULL;
}

/* What runtime found wrong with the contexts that it found in its memory */
typedef struct DpeFindings {
    /* reason to disable attestation, with its extended error; 0: none */
    uint32_t error;
    uint32_t detail;
    /* reason to stop; 0: none */
    uint32_t fatal;
    CaliptraDpeContext *root;
} DpeFindings;

static void dpe_inspect(CaliptraFw *fw, DpeFindings *found)
{
    CaliptraDpe *dpe = &fw->pdata.dpe;
    DpeValidation result = dpe_validate(dpe);

    *found = (DpeFindings) { .root = dpe_root(dpe) };
    if (result != DPE_VALID) {
        found->error = CALIPTRA_ERR_RUNTIME_DPE_VALIDATION_FAILED;
        found->detail = DPE_VALIDATION_ERROR + result;
    } else {
        found->error = dpe_check_threshold(fw);
    }

    for (unsigned i = 0; i < DPE_MAX_SLOTS && !found->fatal; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state == DPE_INACTIVE && c->tag) {
            found->fatal = CALIPTRA_ERR_RUNTIME_CONTEXT_TAGS_VALIDATION_FAILED;
        } else if (c->state == DPE_INACTIVE && c->has_tag) {
            found->fatal =
                CALIPTRA_ERR_RUNTIME_CONTEXT_HAS_TAG_VALIDATION_FAILED;
        }
    }
    if (!found->fatal && !found->root) {
        found->fatal = CALIPTRA_ERR_RUNTIME_UNABLE_TO_FIND_DPE_ROOT_CONTEXT;
    }
}

/* Non-fatal, but nothing will be attested until the next cold reset */
static uint32_t dpe_disable_attestation(CaliptraFw *fw, uint32_t error)
{
    if (caliptra_dice_disable_attestation(fw)) {
        return CALIPTRA_ERR_RUNTIME_GLOBAL_EXCEPTION;
    }
    caliptra_fw_error_non_fatal(fw, error);
    return CALIPTRA_FW_OK;
}

/* The draws for disabling attestation so many times */
static uint32_t dpe_disable_draws(CaliptraFw *fw, unsigned times)
{
    if (caliptra_fw_draws(fw, times * CALIPTRA_DISABLE_ATTESTATION_DRAWS)) {
        return CALIPTRA_FW_OK;
    }
    return fw->trng_error ? CALIPTRA_ERR_RUNTIME_GLOBAL_EXCEPTION :
                            CALIPTRA_FW_ENTROPY;
}

/* Act on dpe_inspect()'s findings */
static uint32_t dpe_conclude(CaliptraFw *fw, const DpeFindings *found)
{
    uint32_t error;

    if (found->error) {
        trace_caliptra_dpe_invalid(found->error, found->detail);
        error = dpe_disable_attestation(fw, found->error);
        if (error) {
            return error;
        }
        if (found->detail) {
            caliptra_fw_ext_error(fw, 0, found->detail);
        }
    }
    return found->fatal;
}

uint32_t caliptra_dpe_init_update(CaliptraFw *fw)
{
    DpeFindings found;
    uint32_t error;

    dpe_inspect(fw, &found);
    error = dpe_disable_draws(fw, found.error != 0);
    if (error) {
        return error;
    }
    error = dpe_conclude(fw, &found);
    if (error) {
        return error;
    }
    /* both, without a hash: only at cold boot is cumulative one */
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY,
                          found.root->tci_current);
    memcpy(found.root->tci_cumulative, found.root->tci_current, DPE_TCI_SIZE);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_dpe_init_warm(CaliptraFw *fw)
{
    DpeFindings found;
    uint8_t journey[48];
    bool changed;
    uint32_t error;

    dpe_inspect(fw, &found);
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY, journey);
    changed = !found.fatal &&
              memcmp(found.root->tci_current, journey, sizeof(journey));
    error = dpe_disable_draws(fw, (found.error != 0) + changed);
    if (error) {
        return error;
    }
    error = dpe_conclude(fw, &found);
    if (error) {
        return error;
    }
    if (changed) {
        return dpe_disable_attestation(fw,
            CALIPTRA_ERR_RUNTIME_RT_JOURNEY_PCR_VALIDATION_FAILED);
    }
    return CALIPTRA_FW_OK;
}

/* ---- migration ---- */

/* Nothing has ever been in slot @i */
static bool dpe_is_untouched(const CaliptraDpe *dpe, unsigned i)
{
    const CaliptraDpeContext *c = &dpe->contexts[i];

    return c->state == DPE_INACTIVE && dpe_is_default(c->handle) &&
           !c->locality && !c->has_tag && !c->tag;
}

/*
 * The code follows links blindly: take no stream that has them wrong, nor
 * one of a part with more slots that has used them
 */
static int caliptra_dpe_post_load(void *opaque, int version_id)
{
    CaliptraDpe *dpe = opaque;
    CaliptraFw *fw = container_of(dpe, CaliptraFw, pdata.dpe);

    for (unsigned i = fw->s->dpe_max_handles; i < DPE_MAX_SLOTS; i++) {
        if (!dpe_is_untouched(dpe, i)) {
            return -EINVAL;
        }
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state > DPE_RETIRED || c->context_type > DPE_SIMULATION) {
            return -EINVAL;
        }
        if (dpe->has_initialized ? dpe_validate_slot(dpe, i) != DPE_VALID :
                                   c->state != DPE_INACTIVE) {
            return -EINVAL;
        }
    }
    return dpe_validate_forest(dpe) == DPE_VALID ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_caliptra_dpe_context = {
    .name = "caliptra-dpe-context",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(handle, CaliptraDpeContext, DPE_HANDLE_SIZE),
        VMSTATE_UINT32(tci_type, CaliptraDpeContext),
        VMSTATE_UINT8_ARRAY(tci_cumulative, CaliptraDpeContext, DPE_TCI_SIZE),
        VMSTATE_UINT8_ARRAY(tci_current, CaliptraDpeContext, DPE_TCI_SIZE),
        VMSTATE_UINT32(tci_locality, CaliptraDpeContext),
        VMSTATE_UINT32(children, CaliptraDpeContext),
        VMSTATE_UINT32(locality, CaliptraDpeContext),
        VMSTATE_UINT8(parent_idx, CaliptraDpeContext),
        VMSTATE_UINT8(context_type, CaliptraDpeContext),
        VMSTATE_UINT8(state, CaliptraDpeContext),
        VMSTATE_BOOL(uses_internal_input_info, CaliptraDpeContext),
        VMSTATE_BOOL(uses_internal_input_dice, CaliptraDpeContext),
        VMSTATE_BOOL(allow_ca, CaliptraDpeContext),
        VMSTATE_BOOL(allow_x509, CaliptraDpeContext),
        VMSTATE_BOOL(has_tag, CaliptraDpeContext),
        VMSTATE_UINT32(tag, CaliptraDpeContext),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_caliptra_dpe = {
    .name = "caliptra-dpe",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = caliptra_dpe_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(contexts, CaliptraDpe, DPE_MAX_SLOTS, 1,
                             vmstate_caliptra_dpe_context,
                             CaliptraDpeContext),
        VMSTATE_BOOL(has_initialized, CaliptraDpe),
        VMSTATE_END_OF_LIST()
    },
};
