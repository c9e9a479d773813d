/*
 * Caliptra 1.x core: what the files of the DICE Protection Environment share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FW_DPE_INTERNAL_H
#define HW_MISC_CALIPTRA_FW_DPE_INTERNAL_H

#include "caliptra_fw.h"
#include "caliptra_fw_dpe.h"
#include "caliptra_fw_x509.h"

/* ---- the profile (caliptra-dpe dpe/src/lib.rs, support.rs) ---- */

#define DPE_PROFILE_P384_SHA384 4
#define DPE_CERT_MAX            6144
#define DPE_CHAIN_CHUNK         2048
#define DPE_EXPORTED_HANDLE     32

/* Caliptra's own locality; no bus master has it */
#define DPE_LOCALITY_CALIPTRA   0xFFFFFFFFu

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

/* ---- messages, all numbers little-endian (dpe/src/commands) ---- */

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

#define DPE_ROTATE_TARGET_IS_DEFAULT (1u << 31)

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
    /* which of them is the consistency check of a new key; 0: none */
    unsigned pairwise;
    /* the driver's error number behind DPE_CRYPTO_LIB_ERROR */
    uint32_t detail;
} DpeEnv;

/* what a driver's error number becomes; it is kept in @env */
static inline DpeStatus caliptra_dpe_driver_status(DpeEnv *env,
                                                   uint32_t error)
{
    if (error == CALIPTRA_FW_OK) {
        return DPE_OK;
    }
    env->detail = error;
    return DPE_CRYPTO_LIB_ERROR;
}

/* ---- caliptra_fw_dpe.c ---- */

/* Account for @n more draws: those of the engines' drivers, or a handle's */
DpeStatus caliptra_dpe_draws(DpeEnv *env, unsigned n);

/*
 * Put a measurement in the place of the default context of @parent_locality:
 * the child is the default context of @target.  Draws no random numbers.
 */
DpeStatus caliptra_dpe_derive_default(CaliptraFw *fw, uint32_t parent_locality,
                                      uint32_t target, uint32_t tci_type,
                                      const uint8_t *measurement);

/* ---- caliptra_fw_dpe_tree.c ---- */

extern const uint8_t caliptra_dpe_default_handle[DPE_HANDLE_SIZE];

bool caliptra_dpe_is_default(const uint8_t *handle);
/* a handle that no request can match */
void caliptra_dpe_invalidate_handle(uint8_t *handle);
bool caliptra_dpe_is_active_in(const CaliptraDpeContext *c, uint32_t locality);

/* The Active context with @handle in @locality; the lowest slot wins */
DpeStatus caliptra_dpe_lookup(const CaliptraDpe *dpe, const uint8_t *handle,
                              uint32_t locality, unsigned *idx);
DpeStatus caliptra_dpe_free_slot(DpeEnv *env, unsigned *idx);

/*
 * A fresh random handle: the first bytes of one draw an attempt.  Handles
 * that a slot still stores, whatever its state, are not given out again.
 */
DpeStatus caliptra_dpe_new_handle(DpeEnv *env, uint8_t *handle);
/* Handles other than the default one are for one use: get the next one */
DpeStatus caliptra_dpe_next_handle(DpeEnv *env, const CaliptraDpeContext *c,
                                   uint8_t *handle);

void caliptra_dpe_activate(CaliptraFw *fw, CaliptraDpeContext *c,
                           uint8_t type, uint32_t locality,
                           const uint8_t *handle);
/* @idx, all that derive from it, and what nothing derives from then */
void caliptra_dpe_destroy_branch(CaliptraFw *fw, unsigned idx);
void caliptra_dpe_add_measurement(CaliptraDpeContext *c, const uint8_t *data);
void caliptra_dpe_clear_inactive_tags(CaliptraDpe *dpe);

/* slots that this part has */
unsigned caliptra_dpe_slots(const CaliptraFw *fw);
/* contexts in use that count for PL0, or for PL1 */
unsigned caliptra_dpe_used(CaliptraFw *fw, bool pl0);
/* Has PL0, or PL1, used up its contexts? */
uint32_t caliptra_dpe_check_threshold(CaliptraFw *fw, bool pl0);
/* the one key that may have been exported, where runtime keeps it */
CaliptraExportedCdi *caliptra_dpe_exported_cdi(CaliptraFw *fw);

/* ---- caliptra_fw_dpe_x509.c ---- */

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

/**
 * caliptra_dpe_make_certificate / caliptra_dpe_make_csr
 * @env: the command
 * @cert: names are filled in
 * @out: DPE_CERT_MAX bytes; a certificate signed by the alias key, or CMS
 *       signed by it around a CSR signed by the context's key
 * @size: bytes used
 */
DpeStatus caliptra_dpe_make_certificate(DpeEnv *env, DpeCert *cert,
                                        uint8_t *out, uint32_t *size);
DpeStatus caliptra_dpe_make_csr(DpeEnv *env, DpeCert *cert,
                                uint8_t *out, uint32_t *size);

#endif /* HW_MISC_CALIPTRA_FW_DPE_INTERNAL_H */
