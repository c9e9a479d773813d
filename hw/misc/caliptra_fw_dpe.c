/*
 * Caliptra 1.x core: DICE Protection Environment
 *
 * Contexts form a tree that starts at the runtime's own measurement.  Each
 * stands for something measured; its key is derived from the runtime's CDI
 * and the measurements on the way to the root, and is certified by the
 * runtime's alias key.
 *
 * Behaviour is that of caliptra-dpe (dpe/src; each release has the commit of
 * its tag's submodule, 1.2.0 7679315) as caliptra-sw 1.2 calls it
 * (runtime/src/invoke_dpe.rs, runtime/src/dpe_crypto.rs,
 * runtime/src/dpe_platform.rs).  A command makes its checks first, then asks
 * for its random numbers, then acts: so it can be run again from its
 * start when the random numbers have come in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "caliptra_fw.h"
#include "caliptra_fw_dpe_internal.h"
#include "trace.h"

/* ---- the profile (caliptra-dpe dpe/src/lib.rs, support.rs) ---- */

#define DPE_CMD_MAGIC           0x44504543 /* "DPEC" */
#define DPE_RSP_MAGIC           0x44504552 /* "DPER" */
#define DPE_VERSION_MAJOR       0
#define DPE_VERSION_MINOR       12
#define DPE_VENDOR              0x43545241 /* "CTRA", id and SKU */

#define DPE_DATA_MAX            512

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

/* DpeCmdHeader.cmd_id (dpe/src/commands/mod.rs) */
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

/*
 * Draws in front of the one for the consistency check of a new leaf key: two
 * KDFs, and the key's generation (drivers/src/ecc384.rs key_pair)
 */
#define DPE_BEFORE_PAIRWISE     3

/* Account for @n more draws: those of the engines' drivers, or a handle's */
DpeStatus caliptra_dpe_draws(DpeEnv *env, unsigned n)
{
    uint32_t error = env->fw->trng_error;

    env->draws += n;
    if (caliptra_fw_draws(env->fw, env->draws)) {
        return DPE_OK;
    }
    if (!error) {
        return DPE_ENTROPY;
    }
    /* whatever goes wrong in the check is its failure */
    if (env->pairwise && env->fw->trng_have == env->pairwise) {
        error = CALIPTRA_ERR_DRIVER_ECC384_KEYGEN_PAIRWISE_CONSISTENCY_FAILURE;
    }
    return caliptra_dpe_driver_status(env, error);
}

/* ---- keys ---- */

static void dpe_get_profile_rsp(DpeEnv *env, DpeGetProfileRsp *rsp)
{
    dpe_put_header((uint8_t *)rsp, DPE_OK);
    stw_le_p(&rsp->major_version, DPE_VERSION_MAJOR);
    stw_le_p(&rsp->minor_version, DPE_VERSION_MINOR);
    stl_le_p(&rsp->vendor_id, DPE_VENDOR);
    stl_le_p(&rsp->vendor_sku, DPE_VENDOR);
    stl_le_p(&rsp->max_tci_nodes, caliptra_dpe_slots(env->fw));
    stl_le_p(&rsp->flags, env->dpe->support_lost ? 0 : DPE_SUPPORT);
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

        dpe_append_le32(nodes, c->tci_type);
        g_byte_array_append(nodes, c->tci_cumulative, DPE_TCI_SIZE);
        g_byte_array_append(nodes, c->tci_current, DPE_TCI_SIZE);
        dpe_append_le32(nodes, c->tci_locality);
        if (!caliptra_rt_has(env->fw, CALIPTRA_RT_NO_ALLOW_CA)) {
            g_byte_array_append(nodes, &(uint8_t) { c->allow_ca }, 1);
        }
        g_byte_array_append(nodes, &(uint8_t) { c->allow_x509 }, 1);
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
    return caliptra_dpe_driver_status(env,
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
    return caliptra_dpe_driver_status(env,
        dpe_derive_key_pair(env->fw, KEY_ID_DPE_CDI, label, 48, "ECC",
                            KEY_ID_DPE_PRIV_KEY, pub));
}

/* dpe_crypto.rs: whenever a command that may use them ends */
static void dpe_erase_keys(CaliptraFw *fw)
{
    caliptra_drv_kv_erase(fw, KEY_ID_DPE_CDI);
    caliptra_drv_kv_erase(fw, KEY_ID_DPE_PRIV_KEY);
    caliptra_drv_kv_erase(fw, KEY_ID_TMP);
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

    /*
     * The one default context was made when runtime started, and only the
     * runtime of another release can have forgotten that.
     */
    if ((flags & DPE_INIT_DEFAULT) && env->dpe->has_initialized) {
        return DPE_ARGUMENT_NOT_SUPPORTED;
    }
    if (!(flags & DPE_INIT_DEFAULT) == !(flags & DPE_INIT_SIMULATION)) {
        return DPE_INVALID_ARGUMENT;
    }
    status = caliptra_dpe_free_slot(env, &idx);
    if (status) {
        return status;
    }
    if (flags & DPE_INIT_SIMULATION) {
        status = caliptra_dpe_new_handle(env, rsp->handle);
        if (status) {
            return status;
        }
    } else {
        env->dpe->has_initialized = true;
    }

    caliptra_dpe_activate(env->fw, &env->dpe->contexts[idx],
                          flags & DPE_INIT_SIMULATION ? DPE_SIMULATION :
                                                        DPE_NORMAL,
                          env->locality, rsp->handle);
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

    has_default = !caliptra_dpe_lookup(dpe, caliptra_dpe_default_handle,
                                       target, &default_idx);
    replaces_default = has_default && default_idx == parent &&
                       !(flags & DPE_DERIVE_RETAIN_PARENT_CONTEXT);

    if (!(flags & DPE_DERIVE_MAKE_DEFAULT)) {
        return !has_default || replaces_default;
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        active += caliptra_dpe_is_active_in(&dpe->contexts[i], target);
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
    status = caliptra_dpe_next_handle(env, c, rsp->handle);
    if (status) {
        return status;
    }

    caliptra_dpe_add_measurement(c, cmd->data);
    memcpy(c->handle, rsp->handle, DPE_HANDLE_SIZE);
    /* there is no parent to speak of: its handle in the response stays zero */
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

/* What becomes of the parent of an exported CDI, with its handle in @rsp */
static void dpe_end_exporter(DpeEnv *env, unsigned idx, bool retain,
                             const DpeDeriveContextExportedRsp *rsp)
{
    CaliptraDpeContext *parent = &env->dpe->contexts[idx];

    if (!caliptra_rt_has(env->fw, CALIPTRA_RT_EXPORT_ENDS_PARENT)) {
        return;
    }
    if (!retain && !parent->children &&
        caliptra_rt_has(env->fw, CALIPTRA_RT_EXPORT_DESTROYS)) {
        caliptra_dpe_destroy_branch(env->fw, idx);
        return;
    }
    if (!retain) {
        parent->state = DPE_RETIRED;
    }
    memcpy(parent->handle, rsp->parent_handle, DPE_HANDLE_SIZE);
}

static DpeStatus dpe_derive_exported(DpeEnv *env, unsigned idx, bool retain)
{
    DpeDeriveContextExportedRsp *rsp =
        (DpeDeriveContextExportedRsp *)env->rsp;
    CaliptraExportedCdi *exported = caliptra_dpe_exported_cdi(env->fw);
    bool checks_first = caliptra_rt_has(env->fw,
                                        CALIPTRA_RT_EXPORT_CHECKS_FIRST);
    uint8_t ueid[CALIPTRA_UEID_LEN];
    DpeCert cert = {
        .idx = idx,
        .exported = true,
        .ueid = ueid,
        .ueid_len = sizeof(ueid),
    };
    DpeStatus status, draws_status;
    unsigned first, least;
    uint32_t size;

    caliptra_dpe_invalidate_handle(rsp->handle);
    caliptra_dpe_invalidate_handle(rsp->parent_handle);
    if (retain) {
        status = caliptra_dpe_next_handle(env, &env->dpe->contexts[idx],
                                          rsp->parent_handle);
        if (status) {
            return status;
        }
    }

    /* handle, KDF; then KDF, key pair (2), signature of the alias key */
    first = env->draws;
    env->pairwise = first + 1 + DPE_BEFORE_PAIRWISE;
    least = exported->valid && checks_first ? 1 : 2;
    draws_status = caliptra_dpe_draws(env, exported->valid ? least : 6);
    if (draws_status == DPE_ENTROPY ||
        env->fw->trng_have < first + least) {
        return draws_status;
    }

    /*
     * Up to 1.2.0 the firmware derives before it looks whether the slot is
     * free: a refused export changes the key of the handle given out before.
     * Nor does it free the slot when something fails later.
     */
    if (exported->valid && checks_first) {
        return DPE_EXPORTED_CDI_DUPLICATE;
    }
    status = dpe_derive_cdi(env, idx, "Exported CDI", KEY_ID_EXPORTED_DPE_CDI);
    if (status) {
        return status;
    }
    if (exported->valid) {
        return DPE_EXPORTED_CDI_DUPLICATE;
    }
    caliptra_words_to_bytes(exported->handle, env->fw->trng_pool[first],
                            DPE_EXPORTED_HANDLE / 4);
    exported->valid = true;
    if (draws_status) {
        return draws_status;
    }

    status = caliptra_dpe_driver_status(env,
        dpe_derive_key_pair(env->fw, KEY_ID_EXPORTED_DPE_CDI,
                            "Exported ECC", strlen("Exported ECC"),
                            "Exported ECC", KEY_ID_TMP, &cert.pub));
    if (status) {
        return status;
    }
    caliptra_dice_ueid(env->fw, ueid);
    status = caliptra_dpe_make_certificate(env, &cert, rsp->certificate, &size);
    if (status) {
        return status;
    }

    memcpy(rsp->exported_cdi, exported->handle, DPE_EXPORTED_HANDLE);
    stl_le_p(&rsp->certificate_size, size);
    env->rsp_len = sizeof(*rsp);
    dpe_end_exporter(env, idx, retain, rsp);
    return DPE_OK;
}

static DpeStatus dpe_derive_child(DpeEnv *env, unsigned parent_idx,
                                  const DpeDeriveContextCmd *cmd,
                                  uint32_t target)
{
    DpeDeriveContextRsp *rsp = (DpeDeriveContextRsp *)env->rsp;
    CaliptraDpeContext *parent = &env->dpe->contexts[parent_idx];
    uint32_t flags = ldl_le_p(&cmd->flags);
    bool retain = flags & DPE_DERIVE_RETAIN_PARENT_CONTEXT;
    bool parent_first = caliptra_rt_has(env->fw, CALIPTRA_RT_PARENT_FIRST);
    CaliptraDpeContext *child;
    DpeStatus status;
    unsigned idx;

    if (retain && parent_first) {
        status = caliptra_dpe_next_handle(env, parent, rsp->parent_handle);
        if (status) {
            return status;
        }
    }
    status = caliptra_dpe_free_slot(env, &idx);
    if (status) {
        return status;
    }
    if (!dpe_child_handle_ok(env->dpe, parent_idx, flags, target)) {
        return DPE_INVALID_ARGUMENT;
    }
    if (!(flags & DPE_DERIVE_MAKE_DEFAULT)) {
        status = caliptra_dpe_new_handle(env, rsp->handle);
        if (status) {
            return status;
        }
    }
    if (retain && !parent_first) {
        status = caliptra_dpe_next_handle(env, parent, rsp->parent_handle);
        if (status) {
            return status;
        }
    }
    if (!retain) {
        caliptra_dpe_invalidate_handle(rsp->parent_handle);
        parent->state = DPE_RETIRED;
    }
    memcpy(parent->handle, rsp->parent_handle, DPE_HANDLE_SIZE);
    parent->children |= 1u << idx;

    child = &env->dpe->contexts[idx];
    caliptra_dpe_activate(env->fw, child, parent->context_type, target,
                          rsp->handle);
    child->tci_type = ldl_le_p(&cmd->tci_type);
    child->parent_idx = parent_idx;
    child->allow_ca &= !!(flags & DPE_DERIVE_INPUT_ALLOW_CA);
    child->allow_x509 = flags & DPE_DERIVE_INPUT_ALLOW_X509;
    child->uses_internal_input_info = flags & DPE_DERIVE_INTERNAL_INPUT_INFO;
    child->uses_internal_input_dice = flags & DPE_DERIVE_INTERNAL_INPUT_DICE;
    caliptra_dpe_add_measurement(child, cmd->data);

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
    bool export_retains = caliptra_rt_has(env->fw,
                                          CALIPTRA_RT_EXPORT_ENDS_PARENT);
    bool certificate = flags & DPE_DERIVE_CREATE_CERTIFICATE;
    bool allow_ca = (flags & DPE_DERIVE_INPUT_ALLOW_CA) &&
                    !caliptra_rt_has(env->fw, CALIPTRA_RT_NO_ALLOW_CA);
    const CaliptraDpeContext *parent;
    DpeStatus status;
    uint32_t target;
    unsigned idx;

    status = caliptra_dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    parent = &env->dpe->contexts[idx];
    if ((!parent->allow_ca && allow_ca) ||
        (!parent->allow_x509 && (flags & DPE_DERIVE_INPUT_ALLOW_X509)) ||
        (export_cdi && (!certificate || recursive || change_locality ||
                        (retain && !export_retains) ||
                        parent->context_type == DPE_SIMULATION)) ||
        (recursive && retain)) {
        return DPE_INVALID_ARGUMENT;
    }

    target = change_locality ? ldl_le_p(&cmd->target_locality) : env->locality;
    if (recursive) {
        return dpe_derive_recursive(env, idx, cmd, target);
    }
    if (export_cdi) {
        return dpe_derive_exported(env, idx, retain);
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

    status = caliptra_dpe_lookup(env->dpe, cmd->handle, env->locality,
                                 &cert.idx);
    if (status) {
        return status;
    }
    c = &env->dpe->contexts[cert.idx];
    if ((format == DPE_FORMAT_X509 && !c->allow_x509) ||
        (format != DPE_FORMAT_X509 && format != DPE_FORMAT_CSR)) {
        return DPE_INVALID_ARGUMENT;
    }
    /* KDF twice, key pair (2), signature of the alias key, CSR's own */
    env->pairwise = env->draws + DPE_BEFORE_PAIRWISE;
    status = caliptra_dpe_draws(env, format == DPE_FORMAT_CSR ? 6 : 5);
    if (status) {
        return status;
    }
    status = caliptra_dpe_next_handle(env, c, rsp->new_context_handle);
    if (status) {
        return status;
    }

    status = dpe_derive_leaf(env, cert.idx, cmd->label, &cert.pub);
    if (status) {
        return status;
    }
    if (format == DPE_FORMAT_CSR) {
        status = caliptra_dpe_make_csr(env, &cert, rsp->cert, &size);
    } else {
        status = caliptra_dpe_make_certificate(env, &cert, rsp->cert, &size);
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

    status = caliptra_dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    c = &env->dpe->contexts[idx];
    if (c->context_type == DPE_SIMULATION) {
        return DPE_INVALID_ARGUMENT;
    }
    /* KDF twice, key pair (2), signature */
    env->pairwise = env->draws + DPE_BEFORE_PAIRWISE;
    status = caliptra_dpe_draws(env, 5);
    if (status) {
        return status;
    }
    status = caliptra_dpe_next_handle(env, c, rsp->new_context_handle);
    if (status) {
        return status;
    }

    status = dpe_derive_leaf(env, idx, cmd->label, &pub);
    if (status) {
        return status;
    }
    status = caliptra_dpe_driver_status(env,
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

    status = caliptra_dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    if (ldl_le_p(&cmd->flags) & DPE_ROTATE_TARGET_IS_DEFAULT) {
        /* nobody else may be there, and it must not be the default already */
        for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
            const CaliptraDpeContext *c = &env->dpe->contexts[i];

            if (caliptra_dpe_is_active_in(c, env->locality) &&
                (i != idx || caliptra_dpe_is_default(c->handle))) {
                return DPE_INVALID_ARGUMENT;
            }
        }
    } else {
        status = caliptra_dpe_new_handle(env, rsp->handle);
        if (status) {
            return status;
        }
    }

    memcpy(env->dpe->contexts[idx].handle, rsp->handle, DPE_HANDLE_SIZE);
    env->rsp_len = sizeof(*rsp);
    return DPE_OK;
}

static DpeStatus dpe_destroy_context(DpeEnv *env, const void *body)
{
    const DpeDestroyContextCmd *cmd = body;
    DpeStatus status;
    unsigned idx;

    status = caliptra_dpe_lookup(env->dpe, cmd->handle, env->locality, &idx);
    if (status) {
        return status;
    }
    caliptra_dpe_destroy_branch(env->fw, idx);
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
        return caliptra_dpe_check_threshold(fw, caliptra_fw_caller_is_pl0(fw));
    }
    return CALIPTRA_FW_OK;
}

static uint32_t dpe_gate_derive_context(CaliptraFw *fw, const void *body)
{
    const DpeDeriveContextCmd *cmd = body;
    uint32_t flags = ldl_le_p(&cmd->flags);
    uint32_t target = ldl_le_p(&cmd->target_locality);
    bool pl0 = caliptra_fw_caller_is_pl0(fw);
    uint32_t error;

    /* up to 1.2.2 it is the caller who is asked, not the new owner */
    if ((flags & DPE_DERIVE_CHANGE_LOCALITY) &&
        caliptra_rt_has(fw, CALIPTRA_RT_CONTEXT_LIMITS)) {
        pl0 = caliptra_fw_pl0_pauser_valid(fw) &&
              target == caliptra_fw_pl0_pauser(fw);
    }
    /* an export counts too, although it makes no context */
    if (!(flags & DPE_DERIVE_RECURSIVE)) {
        error = caliptra_dpe_check_threshold(fw, pl0);
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
    trace_caliptra_dpe_command(fw->id, command->name, env.locality, status);
    if (status) {
        dpe_report_detail(&env);
        env.rsp_len = sizeof(DpeRspHeader);
    }
    if (command->id == DPE_DESTROY_CONTEXT) {
        caliptra_dpe_clear_inactive_tags(env.dpe);
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
    trace_caliptra_dpe_command(fw->id, "CertifyKey", env.locality, status);
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
    if (caliptra_dpe_lookup(dpe, req + TAG_TCI_REQ_HANDLE,
                            caliptra_fw_caller(fw), &idx)) {
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
DpeStatus caliptra_dpe_derive_default(CaliptraFw *fw, uint32_t parent_locality,
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
    trace_caliptra_dpe_measure(fw->id, tci_type, target, status);
    return status;
}

uint32_t caliptra_dpe_stash_measurement(CaliptraFw *fw,
                                        const uint8_t tci_type[4],
                                        const uint8_t measurement[48],
                                        uint32_t *dpe_status)
{
    uint32_t locality = caliptra_fw_caller(fw);
    uint32_t error = caliptra_dpe_check_threshold(fw,
                         caliptra_fw_caller_is_pl0(fw));

    if (error) {
        return error;
    }
    *dpe_status = caliptra_dpe_derive_default(fw, locality, locality,
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

static bool dpe_is_exported(CaliptraFw *fw,
                            const uint8_t handle[DPE_EXPORTED_HANDLE])
{
    const CaliptraExportedCdi *exported = caliptra_dpe_exported_cdi(fw);

    return exported->valid &&
           !memcmp(exported->handle, handle, DPE_EXPORTED_HANDLE);
}

enum {
    REVOKE_EXPORTED_REQ_HANDLE = 4,
};

/* runtime/src/revoke_exported_cdi_handle.rs; the key stays in its slot */
uint32_t caliptra_cmd_revoke_exported_cdi_handle(CaliptraFw *fw,
                                                 const uint8_t *req,
                                                 size_t req_len,
                                                 CaliptraRsp *rsp)
{
    CaliptraExportedCdi *exported = caliptra_dpe_exported_cdi(fw);

    if (!dpe_is_exported(fw, req + REVOKE_EXPORTED_REQ_HANDLE)) {
        return CALIPTRA_ERR_RUNTIME_REVOKE_EXPORTED_CDI_HANDLE_NOT_FOUND;
    }
    memset(exported, 0, sizeof(*exported));
    rsp->len = 8;
    return CALIPTRA_FW_OK;
}

enum {
    REALLOCATE_REQ_PL0_LIMIT = 4,
    REALLOCATE_RSP_PL0_LIMIT = 8,
    REALLOCATE_RSP_PL1_LIMIT = 12,
    REALLOCATE_RSP_SIZE = 16,

    REALLOCATE_PL0_MIN = 2,
};

/* runtime/src/reallocate_dpe_context_limits.rs */
uint32_t caliptra_cmd_reallocate_dpe_context_limits(CaliptraFw *fw,
                                                    const uint8_t *req,
                                                    size_t req_len,
                                                    CaliptraRsp *rsp)
{
    uint32_t pl0 = ldl_le_p(req + REALLOCATE_REQ_PL0_LIMIT);
    uint32_t pl1 = DPE_MAX_SLOTS - pl0;

    if (pl0 < REALLOCATE_PL0_MIN) {
        return
            CALIPTRA_ERR_RUNTIME_REALLOCATE_DPE_CONTEXTS_PL0_LESS_THAN_MIN;
    }
    if (pl0 > DPE_MAX_SLOTS) {
        return
            CALIPTRA_ERR_RUNTIME_REALLOCATE_DPE_CONTEXTS_PL0_GREATER_THAN_MAX;
    }
    if (pl0 < caliptra_dpe_used(fw, true)) {
        return
            CALIPTRA_ERR_RUNTIME_REALLOCATE_DPE_CONTEXTS_PL0_LESS_THAN_USED;
    }
    if (pl1 < caliptra_dpe_used(fw, false)) {
        return
            CALIPTRA_ERR_RUNTIME_REALLOCATE_DPE_CONTEXTS_PL1_LESS_THAN_USED;
    }
    fw->pdata.dpe_limits[0] = pl0;
    fw->pdata.dpe_limits[1] = pl1;
    stl_le_p(rsp->data + REALLOCATE_RSP_PL0_LIMIT, pl0);
    stl_le_p(rsp->data + REALLOCATE_RSP_PL1_LIMIT, pl1);
    rsp->len = REALLOCATE_RSP_SIZE;
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

    if (!dpe_is_exported(fw, req + SIGN_EXPORTED_REQ_HANDLE)) {
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
