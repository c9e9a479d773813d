/*
 * Caliptra 1.x core: firmware bundle verifier
 *
 * The rules of caliptra-sw image/verify/src/verifier.rs in their order; the
 * first one broken decides.  Values come from the copy of the manifest that
 * was taken from the FIFO, digests are of the mailbox SRAM in place.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "caliptra_fw.h"

/* "CMAN" in memory (image/types/src/lib.rs) */
#define MANIFEST_MARKER         0x4E414D43
#define TOC_ENTRY_COUNT         2
#define FMC_MAX_SVN             32
#define RT_MAX_SVN              128

#define ERR(name)               CALIPTRA_ERR_IMAGE_VERIFIER_ERR_##name

/* what is hashed, in bytes of the bundle */
#define VENDOR_KEYS_OFFSET      offsetof(CaliptraManifest, vendor_ecc_pub)
#define VENDOR_KEYS_SIZE        (offsetof(CaliptraManifest,                 \
                                          vendor_ecc_index) -               \
                                 VENDOR_KEYS_OFFSET)
#define OWNER_KEYS_OFFSET       offsetof(CaliptraManifest, owner_ecc_pub)
#define OWNER_KEYS_SIZE         (offsetof(CaliptraManifest, owner_sigs) -   \
                                 OWNER_KEYS_OFFSET)
#define HEADER_OFFSET           offsetof(CaliptraManifest, header)
/* the vendor does not sign the owner's part */
#define VENDOR_HEADER_SIZE      (offsetof(CaliptraManifest, header.owner) - \
                                 HEADER_OFFSET)
#define OWNER_HEADER_SIZE       (offsetof(CaliptraManifest, fmc) -          \
                                 HEADER_OFFSET)
#define TOC_OFFSET              offsetof(CaliptraManifest, fmc)
#define TOC_SIZE                (CALIPTRA_MANIFEST_SIZE - TOC_OFFSET)

QEMU_BUILD_BUG_ON(VENDOR_KEYS_SIZE != 1920);
QEMU_BUILD_BUG_ON(OWNER_KEYS_SIZE != 144);
QEMU_BUILD_BUG_ON(VENDOR_HEADER_SIZE != 116);
QEMU_BUILD_BUG_ON(OWNER_HEADER_SIZE != 156);
QEMU_BUILD_BUG_ON(TOC_SIZE != 208);

typedef struct Verifier {
    CaliptraFw *fw;
    const CaliptraManifest *m;
    uint32_t bundle_size;
    bool update;
    bool unprovisioned;
    bool lms;
    uint8_t vendor_digest[48];
    uint8_t owner_digest[48];
    CaliptraImageInfo *info;
} Verifier;

/* each part of a bundle has its own set of numbers for the same rules */
typedef struct KeyErrors {
    uint32_t pub_key_invalid;
    uint32_t signature_invalid_arg;
    uint32_t verify_failure;
    uint32_t signature_invalid;
    uint32_t lms_verify_failure;
    uint32_t lms_signature_invalid;
} KeyErrors;

static const KeyErrors vendor_errors = {
    ERR(VENDOR_PUB_KEY_DIGEST_INVALID_ARG),
    ERR(VENDOR_ECC_SIGNATURE_INVALID_ARG),
    ERR(VENDOR_ECC_VERIFY_FAILURE),
    ERR(VENDOR_ECC_SIGNATURE_INVALID),
    ERR(VENDOR_LMS_VERIFY_FAILURE),
    ERR(VENDOR_LMS_SIGNATURE_INVALID),
};

static const KeyErrors owner_errors = {
    ERR(OWNER_ECC_PUB_KEY_INVALID_ARG),
    ERR(OWNER_ECC_SIGNATURE_INVALID_ARG),
    ERR(OWNER_ECC_VERIFY_FAILURE),
    ERR(OWNER_ECC_SIGNATURE_INVALID),
    ERR(OWNER_LMS_VERIFY_FAILURE),
    ERR(OWNER_LMS_SIGNATURE_INVALID),
};

typedef struct ImageErrors {
    uint32_t digest_failure;
    uint32_t digest_mismatch;
    uint32_t load_addr_invalid;
    uint32_t load_addr_unaligned;
    uint32_t entry_point_invalid;
    uint32_t entry_point_unaligned;
    uint32_t svn_greater_than_max;
    uint32_t svn_less_than_fuse;
} ImageErrors;

static const ImageErrors fmc_errors = {
    ERR(FMC_DIGEST_FAILURE),
    ERR(FMC_DIGEST_MISMATCH),
    ERR(FMC_LOAD_ADDR_INVALID),
    ERR(FMC_LOAD_ADDR_UNALIGNED),
    ERR(FMC_ENTRY_POINT_INVALID),
    ERR(FMC_ENTRY_POINT_UNALIGNED),
    ERR(FMC_SVN_GREATER_THAN_MAX_SUPPORTED),
    ERR(FMC_SVN_LESS_THAN_FUSE),
};

static const ImageErrors rt_errors = {
    ERR(RUNTIME_DIGEST_FAILURE),
    ERR(RUNTIME_DIGEST_MISMATCH),
    ERR(RUNTIME_LOAD_ADDR_INVALID),
    ERR(RUNTIME_LOAD_ADDR_UNALIGNED),
    ERR(RUNTIME_ENTRY_POINT_INVALID),
    ERR(RUNTIME_ENTRY_POINT_UNALIGNED),
    ERR(RUNTIME_SVN_GREATER_THAN_MAX_SUPPORTED),
    ERR(RUNTIME_SVN_LESS_THAN_FUSE),
};

/*
 * SHA-384 of a range of the mailbox SRAM, natural bytes; the bound is the
 * SRAM's, not the bundle's.
 */
static uint32_t hash_range(CaliptraFw *fw, uint32_t offset, uint32_t len,
                           uint8_t digest[48])
{
    g_autofree uint8_t *buf = NULL;
    uint32_t first = ROUND_DOWN(offset, 4);

    if ((uint64_t)offset + len > CALIPTRA_MBOX_SRAM_SIZE) {
        return ERR(DIGEST_OUT_OF_BOUNDS);
    }
    buf = g_malloc(len + 8);
    for (uint32_t i = 0; first + i < offset + len; i += 4) {
        stl_le_p(buf + i, caliptra_fw_rd(fw, CALIPTRA_MBOX_SRAM_BASE +
                                         first + i));
    }
    caliptra_sha384(buf + (offset - first), len, digest);
    return CALIPTRA_FW_OK;
}

/* a driver's error is reported beside the verifier's */
static uint32_t driver_failed(Verifier *v, uint32_t driver, uint32_t error)
{
    caliptra_fw_ext_error(v->fw, 0, driver);
    return error;
}

static uint32_t verify_preamble_keys(Verifier *v)
{
    uint8_t digest[48];
    uint8_t fuse[48];
    uint32_t ret;

    if (!v->unprovisioned) {
        if (!caliptra_fw_fuse_hash(v->fw, A_FUSE_KEY_MANIFEST_PK_HASH, fuse)) {
            return ERR(VENDOR_PUB_KEY_DIGEST_INVALID);
        }
        ret = hash_range(v->fw, VENDOR_KEYS_OFFSET, VENDOR_KEYS_SIZE, digest);
        if (ret) {
            return driver_failed(v, ret, ERR(VENDOR_PUB_KEY_DIGEST_FAILURE));
        }
        if (memcmp(digest, fuse, 48)) {
            return ERR(VENDOR_PUB_KEY_DIGEST_MISMATCH);
        }
    }

    ret = hash_range(v->fw, OWNER_KEYS_OFFSET, OWNER_KEYS_SIZE,
                     v->info->owner_pk_hash);
    if (ret) {
        return driver_failed(v, ret, ERR(OWNER_PUB_KEY_DIGEST_FAILURE));
    }
    v->info->owner_hash_in_fuses =
        caliptra_fw_fuse_hash(v->fw, A_FUSE_OWNER_PK_HASH, fuse);
    if (v->info->owner_hash_in_fuses &&
        memcmp(v->info->owner_pk_hash, fuse, 48)) {
        return ERR(OWNER_PUB_KEY_DIGEST_MISMATCH);
    }
    if (v->update) {
        caliptra_drv_dvs48_read(v->fw, DVS48_OWNER_PK_HASH, digest);
        if (memcmp(v->info->owner_pk_hash, digest, 48)) {
            return ERR(UPDATE_RESET_OWNER_DIGEST_FAILURE);
        }
    }
    return CALIPTRA_FW_OK;
}

/* the last key of each kind cannot be revoked */
static uint32_t verify_key_indices(Verifier *v)
{
    const uint32_t last_ecc = CALIPTRA_VENDOR_ECC_KEYS - 1;
    const uint32_t last_lms = CALIPTRA_VENDOR_LMS_KEYS - 1;
    uint32_t ecc = le32_to_cpu(v->m->vendor_ecc_index);
    uint32_t lms = le32_to_cpu(v->m->vendor_lms_index);
    uint32_t revoked;

    revoked = caliptra_fw_fuse(v->fw, A_FUSE_KEY_MANIFEST_PK_HASH_MASK);
    if (ecc < last_ecc && extract32(revoked, ecc, 1)) {
        return ERR(VENDOR_ECC_PUB_KEY_REVOKED);
    }
    if (ecc > last_ecc) {
        return ERR(VENDOR_ECC_PUB_KEY_INDEX_OUT_OF_BOUNDS);
    }
    if (v->update &&
        ecc != caliptra_drv_dvs4_read(v->fw, DVS4_VENDOR_ECC_PK_INDEX)) {
        return ERR(UPDATE_RESET_VENDOR_ECC_PUB_KEY_IDX_MISMATCH);
    }
    v->info->vendor_ecc_index = ecc;
    v->info->vendor_lms_index = 0xFFFFFFFF;

    if (!v->lms) {
        return CALIPTRA_FW_OK;
    }
    revoked = caliptra_fw_fuse(v->fw, A_FUSE_LMS_REVOCATION);
    if (lms < last_lms && extract32(revoked, lms, 1)) {
        return ERR(VENDOR_LMS_PUB_KEY_REVOKED);
    }
    if (lms > last_lms) {
        return ERR(VENDOR_LMS_PUB_KEY_INDEX_OUT_OF_BOUNDS);
    }
    if (v->update &&
        lms != caliptra_drv_dvs4_read(v->fw, DVS4_VENDOR_LMS_PK_INDEX)) {
        return ERR(UPDATE_RESET_VENDOR_LMS_PUB_KEY_IDX_MISMATCH);
    }
    v->info->vendor_lms_index = lms;
    return CALIPTRA_FW_OK;
}

static uint32_t hash_header(Verifier *v)
{
    uint32_t ret;

    ret = hash_range(v->fw, HEADER_OFFSET, VENDOR_HEADER_SIZE,
                     v->vendor_digest);
    if (!ret) {
        ret = hash_range(v->fw, HEADER_OFFSET, OWNER_HEADER_SIZE,
                         v->owner_digest);
    }
    return ret ? driver_failed(v, ret, ERR(HEADER_DIGEST_FAILURE)) :
           CALIPTRA_FW_OK;
}

static uint32_t verify_ecc(Verifier *v, const CaliptraImageEccPub *hw_pub,
                           const CaliptraImageEccSig *hw_sig,
                           const uint8_t digest[48], const KeyErrors *e)
{
    CaliptraEccPub pub;
    CaliptraEccSig sig;
    uint32_t ret;
    bool good;

    caliptra_hw_to_bytes(pub.x, hw_pub->x, 48);
    caliptra_hw_to_bytes(pub.y, hw_pub->y, 48);
    caliptra_hw_to_bytes(sig.r, hw_sig->r, 48);
    caliptra_hw_to_bytes(sig.s, hw_sig->s, 48);

    if (buffer_is_zero(pub.x, 48) || buffer_is_zero(pub.y, 48)) {
        return e->pub_key_invalid;
    }
    if (buffer_is_zero(sig.r, 48) || buffer_is_zero(sig.s, 48)) {
        return e->signature_invalid_arg;
    }
    ret = caliptra_drv_ecc_verify(v->fw, &pub, digest, &sig, &good);
    if (ret) {
        return driver_failed(v, ret, e->verify_failure);
    }
    return good ? CALIPTRA_FW_OK : e->signature_invalid;
}

static uint32_t verify_lms(Verifier *v, const uint8_t *pub,
                           const uint8_t *sig, const uint8_t digest[48],
                           const KeyErrors *e)
{
    uint32_t ret;
    bool good;

    ret = caliptra_lms_verify(pub, sig, digest, 48, &good);
    if (ret) {
        return driver_failed(v, ret, e->lms_verify_failure);
    }
    return good ? CALIPTRA_FW_OK : e->lms_signature_invalid;
}

static uint32_t verify_header(Verifier *v)
{
    const CaliptraManifest *m = v->m;
    uint32_t ecc = v->info->vendor_ecc_index;
    uint32_t lms = v->info->vendor_lms_index;
    uint32_t ret;

    ret = hash_header(v);
    if (ret) {
        return ret;
    }

    ret = verify_ecc(v, &m->vendor_ecc_pub[ecc], &m->vendor_sigs.ecc,
                     v->vendor_digest, &vendor_errors);
    if (!ret && v->lms) {
        ret = verify_lms(v, m->vendor_lms_pub[lms], m->vendor_sigs.lms,
                         v->vendor_digest, &vendor_errors);
    }
    if (ret) {
        return ret;
    }
    if (le32_to_cpu(m->header.vendor_ecc_index) != ecc) {
        return ERR(VENDOR_ECC_PUB_KEY_INDEX_MISMATCH);
    }
    if (v->lms && le32_to_cpu(m->header.vendor_lms_index) != lms) {
        return ERR(VENDOR_LMS_PUB_KEY_INDEX_MISMATCH);
    }

    ret = verify_ecc(v, &m->owner_ecc_pub, &m->owner_sigs.ecc,
                     v->owner_digest, &owner_errors);
    if (!ret && v->lms) {
        ret = verify_lms(v, m->owner_lms_pub, m->owner_sigs.lms,
                         v->owner_digest, &owner_errors);
    }
    if (ret) {
        return ret;
    }
    if (le32_to_cpu(m->header.toc_entry_count) != TOC_ENTRY_COUNT) {
        return ERR(TOC_ENTRY_COUNT_INVALID);
    }
    return CALIPTRA_FW_OK;
}

static bool add_overflows(uint32_t a, uint32_t b)
{
    return (uint64_t)a + b > UINT32_MAX;
}

static uint32_t verify_toc(Verifier *v)
{
    const CaliptraManifest *m = v->m;
    uint32_t fmc_size = le32_to_cpu(m->fmc.size);
    uint32_t fmc_offset = le32_to_cpu(m->fmc.offset);
    uint32_t fmc_load = le32_to_cpu(m->fmc.load_addr);
    uint32_t rt_size = le32_to_cpu(m->rt.size);
    uint32_t rt_offset = le32_to_cpu(m->rt.offset);
    uint32_t rt_load = le32_to_cpu(m->rt.load_addr);
    uint8_t digest[48];
    uint8_t expected[48];
    uint32_t ret;

    ret = hash_range(v->fw, TOC_OFFSET, TOC_SIZE, digest);
    if (ret) {
        return driver_failed(v, ret, ERR(TOC_DIGEST_FAILURE));
    }
    caliptra_hw_to_bytes(expected, m->header.toc_digest, 48);
    if (memcmp(digest, expected, 48)) {
        return ERR(TOC_DIGEST_MISMATCH);
    }
    if (fmc_size == 0) {
        return ERR(FMC_SIZE_ZERO);
    }
    if (rt_size == 0) {
        return ERR(RUNTIME_SIZE_ZERO);
    }
    if ((uint64_t)CALIPTRA_MANIFEST_SIZE + fmc_size + rt_size >
        v->bundle_size) {
        return ERR(IMAGE_LEN_MORE_THAN_BUNDLE_SIZE);
    }

    /* where they are in the bundle */
    if (add_overflows(fmc_offset, fmc_size) ||
        add_overflows(rt_offset, rt_size)) {
        return ERR(TOC_ENTRY_RANGE_ARITHMETIC_OVERFLOW);
    }
    if (fmc_offset < rt_offset + rt_size &&
        fmc_offset + fmc_size > rt_offset) {
        return ERR(FMC_RUNTIME_OVERLAP);
    }
    if (fmc_offset + fmc_size > rt_offset) {
        return ERR(FMC_RUNTIME_INCORRECT_ORDER);
    }

    /* where they go; last bytes included */
    if (add_overflows(fmc_load, fmc_size - 1)) {
        return ERR(FMC_LOAD_ADDRESS_IMAGE_SIZE_ARITHMETIC_OVERFLOW);
    }
    if (add_overflows(rt_load, rt_size - 1)) {
        return ERR(RUNTIME_LOAD_ADDRESS_IMAGE_SIZE_ARITHMETIC_OVERFLOW);
    }
    if (fmc_load <= rt_load + (rt_size - 1) &&
        fmc_load + (fmc_size - 1) >= rt_load) {
        return ERR(FMC_RUNTIME_LOAD_ADDR_OVERLAP);
    }
    return CALIPTRA_FW_OK;
}

static uint32_t verify_image(Verifier *v, const CaliptraTocEntry *toc,
                             uint32_t max_svn, uint32_t fuse_svn,
                             const uint8_t *running_digest,
                             const ImageErrors *e, uint8_t digest[48])
{
    uint32_t size = le32_to_cpu(toc->size);
    uint32_t load = le32_to_cpu(toc->load_addr);
    uint32_t entry = le32_to_cpu(toc->entry_point);
    uint32_t svn = le32_to_cpu(toc->svn);
    uint8_t expected[48];
    uint32_t ret;

    ret = hash_range(v->fw, le32_to_cpu(toc->offset), size, digest);
    if (ret) {
        return driver_failed(v, ret, e->digest_failure);
    }
    caliptra_hw_to_bytes(expected, toc->digest, 48);
    if (memcmp(digest, expected, 48)) {
        return e->digest_mismatch;
    }
    if (!caliptra_fw_in_iccm(load, 1) ||
        !caliptra_fw_in_iccm(load + size - 1, 1)) {
        return e->load_addr_invalid;
    }
    if (load % 4) {
        return e->load_addr_unaligned;
    }
    if (!caliptra_fw_in_iccm(entry, 1)) {
        return e->entry_point_invalid;
    }
    if (entry % 4) {
        return e->entry_point_unaligned;
    }
    if (!v->unprovisioned && !caliptra_fw_anti_rollback_disable(v->fw)) {
        if (svn > max_svn) {
            return e->svn_greater_than_max;
        }
        if (svn < fuse_svn) {
            return e->svn_less_than_fuse;
        }
    }
    if (running_digest && memcmp(digest, running_digest, 48)) {
        return ERR(UPDATE_RESET_FMC_DIGEST_MISMATCH);
    }
    return CALIPTRA_FW_OK;
}

static uint32_t verify_fmc(Verifier *v)
{
    uint8_t running[48];

    caliptra_drv_dvs48_read(v->fw, DVS48_FMC_TCI, running);
    return verify_image(v, &v->m->fmc, FMC_MAX_SVN,
                        caliptra_fw_fmc_fuse_svn(v->fw),
                        v->update ? running : NULL, &fmc_errors,
                        v->info->fmc.digest);
}

static uint32_t verify_rt(Verifier *v)
{
    return verify_image(v, &v->m->rt, RT_MAX_SVN,
                        caliptra_fw_rt_fuse_svn(v->fw), NULL, &rt_errors,
                        v->info->rt.digest);
}

static void fill_info(CaliptraFw *fw, CaliptraImagePart *part,
                      const CaliptraTocEntry *toc, uint32_t fuse_svn)
{
    part->load_addr = le32_to_cpu(toc->load_addr);
    part->entry_point = le32_to_cpu(toc->entry_point);
    part->offset = le32_to_cpu(toc->offset);
    part->size = le32_to_cpu(toc->size);
    part->svn = le32_to_cpu(toc->svn);
    part->version = le32_to_cpu(toc->version);
    part->reserved = le32_to_cpu(toc->reserved);
    part->fuse_svn = fuse_svn;
    part->effective_fuse_svn =
        caliptra_fw_anti_rollback_disable(fw) ? 0 : fuse_svn;
}

uint32_t caliptra_fw_image_verify(CaliptraFw *fw, const uint8_t *manifest,
                                  uint32_t bundle_size, bool update,
                                  CaliptraImageInfo *info)
{
    static uint32_t (* const rules[])(Verifier *v) = {
        verify_preamble_keys,
        verify_key_indices,
        verify_header,
        verify_toc,
        verify_fmc,
        verify_rt,
    };
    const CaliptraManifest *m = (const CaliptraManifest *)manifest;
    CaliptraImageInfo found = {};
    Verifier v = {
        .fw = fw,
        .m = m,
        .bundle_size = bundle_size,
        .update = update,
        .unprovisioned = caliptra_fw_lifecycle(fw) ==
                         CALIPTRA_LIFECYCLE_UNPROVISIONED,
        .lms = caliptra_fw_lms_verify(fw),
        .info = &found,
    };

    if (le32_to_cpu(m->marker) != MANIFEST_MARKER) {
        return ERR(MANIFEST_MARKER_MISMATCH);
    }
    if (le32_to_cpu(m->size) != CALIPTRA_MANIFEST_SIZE) {
        return ERR(MANIFEST_SIZE_MISMATCH);
    }
    for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
        uint32_t ret = rules[i](&v);

        if (ret) {
            return ret;
        }
    }
    fill_info(fw, &found.fmc, &m->fmc, caliptra_fw_fmc_fuse_svn(fw));
    fill_info(fw, &found.rt, &m->rt, caliptra_fw_rt_fuse_svn(fw));
    *info = found;
    return CALIPTRA_FW_OK;
}

static const CaliptraManifest *running_manifest(CaliptraFw *fw)
{
    return (const CaliptraManifest *)fw->pdata.manifest1;
}

uint32_t caliptra_fw_pl0_pauser(CaliptraFw *fw)
{
    return le32_to_cpu(running_manifest(fw)->header.pl0_pauser);
}

bool caliptra_fw_pl0_pauser_valid(CaliptraFw *fw)
{
    return le32_to_cpu(running_manifest(fw)->header.flags) &
           CALIPTRA_IMAGE_PL0_PAUSER_VALID;
}
