/*
 * Caliptra 1.x core: authorization manifest
 *
 * The SoC's firmware images that the vendor and the owner approve of, by
 * number and digest.  SET_AUTH_MANIFEST checks and stores the list (caliptra-sw
 * runtime/src/set_auth_manifest.rs, auth-manifest/types/src/lib.rs),
 * AUTHORIZE_AND_STASH looks an image up in it (runtime/src/
 * authorize_and_stash.rs).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_fw.h"
#include "trace.h"

#define AUTH_MANIFEST_MARKER    0x41544D4E /* "ATMN" */
#define AUTH_MANIFEST_MAX       14336

#define AUTH_FLAG_VENDOR_SIGNATURE_REQUIRED (1u << 0)
#define AUTH_ENTRY_IGNORE_AUTH_CHECK        (1u << 2)

typedef struct QEMU_PACKED AuthKeys {
    CaliptraImageEccPub ecc;
    uint8_t lms[CALIPTRA_LMS_PUB_SIZE];
} AuthKeys;

typedef struct QEMU_PACKED AuthPreamble {
    uint32_t marker;
    uint32_t size;                      /* of the preamble */
    /* the vendor endorses from here ... */
    uint32_t version;
    uint32_t flags;
    AuthKeys vendor_keys;
    /* ... to here, with the keys of its firmware */
    CaliptraImageSigs vendor_endorsement;
    /* the owner endorses these */
    AuthKeys owner_keys;
    CaliptraImageSigs owner_endorsement;
    /* over the list, with the keys above */
    CaliptraImageSigs vendor_sigs;
    CaliptraImageSigs owner_sigs;
} AuthPreamble;

QEMU_BUILD_BUG_ON(sizeof(AuthPreamble) != 0x1C00);

typedef struct QEMU_PACKED AuthWireEntry {
    uint32_t fw_id;
    uint32_t flags;
    uint8_t digest[48];
} AuthWireEntry;

/* the list, "image metadata collection" */
typedef struct QEMU_PACKED AuthList {
    uint32_t entry_count;
    AuthWireEntry entries[CALIPTRA_AUTH_MAX_ENTRIES];
} AuthList;

typedef struct QEMU_PACKED SetAuthManifestReq {
    uint32_t chksum;
    uint32_t manifest_size;
    uint8_t manifest[AUTH_MANIFEST_MAX];
} SetAuthManifestReq;

/* ---- SET_AUTH_MANIFEST ---- */

typedef struct AuthErrors {
    uint32_t ecc;
    uint32_t lms;
} AuthErrors;

static const AuthErrors auth_vendor_errors = {
    CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_VENDOR_ECC_SIGNATURE_INVALID,
    CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_VENDOR_LMS_SIGNATURE_INVALID,
};

static const AuthErrors auth_owner_errors = {
    CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_OWNER_ECC_SIGNATURE_INVALID,
    CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_OWNER_LMS_SIGNATURE_INVALID,
};

/*
 * Both signatures over a digest, LMS only if the fuses ask for it.  A key
 * that is NULL makes its signature a bad one.  Whatever a driver finds wrong
 * is just a bad signature here.
 */
static uint32_t auth_verify(CaliptraFw *fw, const uint8_t digest[48],
                            const CaliptraImageEccPub *ecc_key,
                            const uint8_t *lms_key,
                            const CaliptraImageSigs *sigs,
                            const AuthErrors *errors)
{
    CaliptraEccPub pub;
    CaliptraEccSig sig;
    bool good;

    if (!ecc_key) {
        return errors->ecc;
    }
    caliptra_hw_to_bytes(pub.x, ecc_key->x, sizeof(pub.x));
    caliptra_hw_to_bytes(pub.y, ecc_key->y, sizeof(pub.y));
    caliptra_hw_to_bytes(sig.r, sigs->ecc.r, sizeof(sig.r));
    caliptra_hw_to_bytes(sig.s, sigs->ecc.s, sizeof(sig.s));
    if (caliptra_drv_ecc_verify(fw, &pub, digest, &sig, &good) || !good) {
        return errors->ecc;
    }

    if (caliptra_fw_lms_verify(fw)) {
        if (!lms_key ||
            caliptra_lms_verify(lms_key, sigs->lms, digest, 48, &good) ||
            !good) {
            return errors->lms;
        }
    }
    return CALIPTRA_FW_OK;
}

/* The manifest's keys, with those of the firmware that runs */
static uint32_t auth_verify_endorsements(CaliptraFw *fw,
                                         const AuthPreamble *p)
{
    const CaliptraManifest *m = (const CaliptraManifest *)fw->pdata.manifest1;
    uint32_t ecc_index = ldl_le_p(&m->vendor_ecc_index);
    uint32_t lms_index = ldl_le_p(&m->vendor_lms_index);
    uint8_t digest[48];
    uint32_t error;

    caliptra_sha384(&p->version, offsetof(AuthPreamble, vendor_endorsement) -
                    offsetof(AuthPreamble, version), digest);
    error = auth_verify(fw, digest,
                        ecc_index < CALIPTRA_VENDOR_ECC_KEYS ?
                        &m->vendor_ecc_pub[ecc_index] : NULL,
                        lms_index < CALIPTRA_VENDOR_LMS_KEYS ?
                        m->vendor_lms_pub[lms_index] : NULL,
                        &p->vendor_endorsement, &auth_vendor_errors);
    if (error) {
        return error;
    }
    caliptra_sha384(&p->owner_keys, sizeof(p->owner_keys), digest);
    return auth_verify(fw, digest, &m->owner_ecc_pub, m->owner_lms_pub,
                       &p->owner_endorsement, &auth_owner_errors);
}

/* The list of @len bytes, with the manifest's keys */
static uint32_t auth_verify_list(CaliptraFw *fw, const AuthPreamble *p,
                                 const AuthList *list, size_t len)
{
    uint8_t digest[48];
    uint32_t error;

    caliptra_sha384(list, len, digest);
    if (ldl_le_p(&p->flags) & AUTH_FLAG_VENDOR_SIGNATURE_REQUIRED) {
        error = auth_verify(fw, digest, &p->vendor_keys.ecc,
                            p->vendor_keys.lms, &p->vendor_sigs,
                            &auth_vendor_errors);
        if (error) {
            return error;
        }
    }
    return auth_verify(fw, digest, &p->owner_keys.ecc, p->owner_keys.lms,
                       &p->owner_sigs, &auth_owner_errors);
}

static int auth_entry_cmp(const void *a, const void *b)
{
    uint32_t id_a = ldl_le_p(&((const AuthWireEntry *)a)->fw_id);
    uint32_t id_b = ldl_le_p(&((const AuthWireEntry *)b)->fw_id);

    return id_a < id_b ? -1 : id_a > id_b;
}

/* Sort the first @count entries; false if two have the same number */
static bool auth_sort(AuthWireEntry *entries, size_t count)
{
    qsort(entries, count, sizeof(*entries), auth_entry_cmp);
    for (size_t i = 1; i < count; i++) {
        if (!auth_entry_cmp(&entries[i - 1], &entries[i])) {
            return false;
        }
    }
    return true;
}

#define LIST_ERROR(name) \
    CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_IMAGE_METADATA_LIST_##name

static uint32_t auth_set_manifest(CaliptraFw *fw, const uint8_t *manifest,
                                  size_t size)
{
    const AuthPreamble *p = (const AuthPreamble *)manifest;
    g_autofree AuthList *list = g_new0(AuthList, 1);
    uint32_t error, count;
    size_t len;

    if (size < sizeof(*p)) {
        return CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_PREAMBLE_SIZE_LT_MIN;
    }
    if (ldl_le_p(&p->marker) != AUTH_MANIFEST_MARKER) {
        return CALIPTRA_ERR_RUNTIME_INVALID_AUTH_MANIFEST_MARKER;
    }
    if (ldl_le_p(&p->size) != sizeof(*p)) {
        return CALIPTRA_ERR_RUNTIME_AUTH_MANIFEST_PREAMBLE_SIZE_MISMATCH;
    }
    error = auth_verify_endorsements(fw, p);
    if (error) {
        return error;
    }

    /* a list may be cut short, but not within its entry_count entries */
    len = MIN(size - sizeof(*p), sizeof(*list));
    memcpy(list, manifest + sizeof(*p), len);
    if (len < sizeof(list->entry_count)) {
        return LIST_ERROR(INVALID_SIZE);
    }
    count = ldl_le_p(&list->entry_count);
    if (count == 0 || count > CALIPTRA_AUTH_MAX_ENTRIES) {
        return LIST_ERROR(INVALID_ENTRY_COUNT);
    }
    if (len < offsetof(AuthList, entries) + count * sizeof(AuthWireEntry)) {
        return LIST_ERROR(INVALID_SIZE);
    }
    error = auth_verify_list(fw, p, list, len);
    if (error) {
        return error;
    }
    if (!auth_sort(list->entries, count)) {
        return LIST_ERROR(DUPLICATE_FIRMWARE_ID);
    }

    /* all of them, also those after the last one that counts */
    fw->pdata.auth_entry_count = count;
    for (size_t i = 0; i < CALIPTRA_AUTH_MAX_ENTRIES; i++) {
        CaliptraAuthEntry *entry = &fw->pdata.auth_entries[i];

        entry->fw_id = ldl_le_p(&list->entries[i].fw_id);
        entry->flags = ldl_le_p(&list->entries[i].flags);
        memcpy(entry->digest, list->entries[i].digest, sizeof(entry->digest));
    }
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_cmd_set_auth_manifest(CaliptraFw *fw, const uint8_t *req,
                                        size_t req_len, CaliptraRsp *rsp)
{
    const SetAuthManifestReq *r = (const SetAuthManifestReq *)req;
    uint8_t digest[48];
    uint32_t size, error;

    if (req_len < offsetof(SetAuthManifestReq, manifest)) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    size = ldl_le_p(&r->manifest_size);
    if (size > sizeof(r->manifest) ||
        req_len < offsetof(SetAuthManifestReq, manifest) + size) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    rsp->len = 8;
    error = auth_set_manifest(fw, r->manifest, size);
    if (error == CALIPTRA_FW_OK &&
        caliptra_rt_has(fw, CALIPTRA_RT_AUTH_DIGEST)) {
        caliptra_sha384(r->manifest, size, digest);
        caliptra_hw_to_bytes(fw->pdata.auth_manifest_digest, digest,
                             sizeof(digest));
    }
    return error;
}

/* ---- AUTHORIZE_AND_STASH ---- */

#define AUTH_AND_STASH_SOURCE_IN_REQUEST 1

#define AUTH_AND_STASH_FLAG_SKIP_STASH (1u << 0)

enum {
    AUTH_IMAGE_AUTHORIZED = 0xDEADC0DE,
    AUTH_IMAGE_NOT_AUTHORIZED = 0x21523F21,
    AUTH_IMAGE_HASH_MISMATCH = 0x8BFB95CB,
};

typedef struct QEMU_PACKED AuthorizeAndStashReq {
    uint32_t chksum;
    uint8_t fw_id[4];
    uint8_t measurement[48];
    uint8_t context[48];
    uint32_t svn;
    uint32_t flags;
    uint32_t source;
} AuthorizeAndStashReq;

typedef struct QEMU_PACKED AuthorizeAndStashRsp {
    uint32_t chksum;
    uint32_t fips_status;
    uint32_t auth_req_result;
} AuthorizeAndStashRsp;

/*
 * Binary search over the whole table, however many entries count.  The order
 * of its probes (Rust's core::slice::binary_search_by) can be seen from
 * outside: a list that was cut short is followed by zeros, so the table as a
 * whole is not sorted.
 */
static const CaliptraAuthEntry *auth_find(const CaliptraFw *fw, uint32_t fw_id)
{
    size_t low = 0, high = CALIPTRA_AUTH_MAX_ENTRIES;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const CaliptraAuthEntry *entry = &fw->pdata.auth_entries[mid];

        if (entry->fw_id == fw_id) {
            return entry;
        }
        if (entry->fw_id < fw_id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

static uint32_t auth_judge(const CaliptraFw *fw, const AuthorizeAndStashReq *r)
{
    const CaliptraAuthEntry *entry = auth_find(fw, ldl_le_p(r->fw_id));

    if (!entry) {
        return AUTH_IMAGE_NOT_AUTHORIZED;
    }
    if ((entry->flags & AUTH_ENTRY_IGNORE_AUTH_CHECK) ||
        !memcmp(entry->digest, r->measurement, sizeof(entry->digest))) {
        return AUTH_IMAGE_AUTHORIZED;
    }
    return AUTH_IMAGE_HASH_MISMATCH;
}

uint32_t caliptra_cmd_authorize_and_stash(CaliptraFw *fw, const uint8_t *req,
                                          size_t req_len, CaliptraRsp *rsp)
{
    const AuthorizeAndStashReq *r = (const AuthorizeAndStashReq *)req;
    AuthorizeAndStashRsp *out = (AuthorizeAndStashRsp *)rsp->data;
    uint32_t error, dpe_status, result;

    if (ldl_le_p(&r->source) != AUTH_AND_STASH_SOURCE_IN_REQUEST) {
        return CALIPTRA_ERR_RUNTIME_AUTH_AND_STASH_UNSUPPORTED_IMAGE_SOURCE;
    }
    result = auth_judge(fw, r);
    trace_caliptra_auth_judge(fw->id, ldl_le_p(r->fw_id), result);

    if (result == AUTH_IMAGE_AUTHORIZED &&
        !(ldl_le_p(&r->flags) & AUTH_AND_STASH_FLAG_SKIP_STASH)) {
        if (!caliptra_fw_caller_is_pl0(fw)) {
            return CALIPTRA_ERR_RUNTIME_INCORRECT_PAUSER_PRIVILEGE_LEVEL;
        }
        error = caliptra_dpe_stash_measurement(fw, r->fw_id, r->measurement,
                                               &dpe_status);
        if (error) {
            return error;
        }
        if (dpe_status) {
            caliptra_fw_ext_error(fw, 0, dpe_status);
            return CALIPTRA_ERR_RUNTIME_AUTH_AND_STASH_MEASUREMENT_DPE_ERROR;
        }
    }
    stl_le_p(&out->auth_req_result, result);
    rsp->len = sizeof(*out);
    return CALIPTRA_FW_OK;
}
