/*
 * Caliptra 1.x core: identity
 *
 * Key ladder, measurements and certificates of ROM and FMC, and the runtime
 * commands that hand them out.  Sources: caliptra-sw rom/dev/src/flow,
 * rom/dev/src/pcr.rs, rom/dev/src/lock.rs, fmc/src/flow, runtime/src/dice.rs,
 * runtime/src/pcr.rs and runtime/src/disable.rs.
 *
 * The steps of ROM and FMC find their TRNG draws collected: the step tables of
 * caliptra_fw_rom.c account for them.  Nothing is kept between two steps but
 * what the hardware and the persistent data hold: a layer's public key goes
 * at once to where the end of the layer leaves it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qom/object.h"
#include "caliptra_fw.h"
#include "caliptra_fw_x509.h"

/* what CDIs and key generation seeds may be used for */
#define CDI_USAGE (KV_DEST_HMAC_KEY | KV_DEST_ECC_SEED)

/* caliptra-sw drivers/src/pcr_log.rs */
enum {
    PCR_LOG_DEVICE_STATUS = 1,
    PCR_LOG_VENDOR_PUB_KEY_HASH = 2,
    PCR_LOG_OWNER_PUB_KEY_HASH = 3,
    PCR_LOG_FMC_TCI = 4,
    PCR_LOG_STASH_MEASUREMENT = 5,
    PCR_LOG_RT_TCI = 6,
    PCR_LOG_FW_IMAGE_MANIFEST = 7,
};

/* caliptra-sw drivers/src/fuse_log.rs; entry n is in place n - 1 */
enum {
    FUSE_LOG_VENDOR_ECC_PUB_KEY_INDEX = 1,
    FUSE_LOG_VENDOR_ECC_PUB_KEY_REVOCATION = 2,
    FUSE_LOG_MANIFEST_FMC_SVN = 3,
    FUSE_LOG_MANIFEST_RESERVED0 = 4,
    FUSE_LOG_FUSE_FMC_SVN = 5,
    FUSE_LOG_MANIFEST_RT_SVN = 6,
    FUSE_LOG_MANIFEST_RESERVED1 = 7,
    FUSE_LOG_FUSE_RT_SVN = 8,
    FUSE_LOG_VENDOR_LMS_PUB_KEY_INDEX = 9,
    FUSE_LOG_VENDOR_LMS_PUB_KEY_REVOCATION = 10,
};

/* where the manifest in force lies in DCCM (drivers/src/memory_layout.rs) */
#define MANIFEST1_ADDR 0x50000400

/* header data of the manifest (caliptra-sw image/types/src/lib.rs) */
#define MANIFEST_VENDOR_NOT_BEFORE  0x15DC
#define MANIFEST_OWNER_NOT_BEFORE   0x1604

/* bytes of FUSE_IDEVID_CERT_ATTR's words in the order they are used */
enum {
    IDEVID_ATTR_FLAGS = 0,
    IDEVID_ATTR_SUBJECT_KEY_ID = 1,     /* [5] */
    IDEVID_ATTR_UEID_TYPE = 6,
    IDEVID_ATTR_UEID = 7,               /* [4] */
};

/* IDEVID_ATTR_FLAGS[1:0]: how the IDevID key identifier is made */
enum {
    IDEVID_KEY_ID_SHA1 = 0,
    IDEVID_KEY_ID_SHA256 = 1,
    IDEVID_KEY_ID_SHA384 = 2,
    IDEVID_KEY_ID_FUSE = 3,
};

/* ---- inputs of the certificates ---- */

static uint32_t idevid_attr(CaliptraFw *fw, unsigned i)
{
    return caliptra_fw_fuse(fw, A_FUSE_IDEVID_CERT_ATTR + 4 * i);
}

void caliptra_dice_ueid(CaliptraFw *fw, uint8_t ueid[CALIPTRA_UEID_LEN])
{
    ueid[0] = idevid_attr(fw, IDEVID_ATTR_UEID_TYPE);
    for (unsigned i = 0; i < 4; i++) {
        stl_le_p(ueid + 1 + 4 * i, idevid_attr(fw, IDEVID_ATTR_UEID + i));
    }
}

void caliptra_dice_validity(CaliptraFw *fw,
                            uint8_t not_before[CALIPTRA_TIME_LEN],
                            uint8_t not_after[CALIPTRA_TIME_LEN])
{
    static const unsigned source[] = {
        MANIFEST_VENDOR_NOT_BEFORE, MANIFEST_OWNER_NOT_BEFORE,
    };

    memcpy(not_before, CALIPTRA_NOT_BEFORE, CALIPTRA_TIME_LEN);
    memcpy(not_after, CALIPTRA_NOT_AFTER, CALIPTRA_TIME_LEN);
    for (unsigned i = 0; i < ARRAY_SIZE(source); i++) {
        const uint8_t *from = fw->pdata.manifest1 + source[i];
        const uint8_t *to = from + CALIPTRA_TIME_LEN;

        if (!buffer_is_zero(from, CALIPTRA_TIME_LEN) &&
            !buffer_is_zero(to, CALIPTRA_TIME_LEN)) {
            memcpy(not_before, from, CALIPTRA_TIME_LEN);
            memcpy(not_after, to, CALIPTRA_TIME_LEN);
        }
    }
}

static void key_digest(const CaliptraEccPub *pub, uint8_t digest[32])
{
    uint8_t point[CALIPTRA_POINT_LEN];

    caliptra_x509_point(pub, point);
    caliptra_sha256(point, sizeof(point), digest);
}

static void idevid_key_id(CaliptraFw *fw, uint8_t id[CALIPTRA_KEY_ID_LEN])
{
    uint8_t point[CALIPTRA_POINT_LEN], digest[48];

    caliptra_x509_point(&fw->pdata.idev_pub_key, point);
    switch (idevid_attr(fw, IDEVID_ATTR_FLAGS) & 3) {
    case IDEVID_KEY_ID_SHA1:
        caliptra_sha1(point, sizeof(point), digest);
        break;
    case IDEVID_KEY_ID_SHA256:
        caliptra_sha256(point, sizeof(point), digest);
        break;
    case IDEVID_KEY_ID_SHA384:
        caliptra_sha384(point, sizeof(point), digest);
        break;
    case IDEVID_KEY_ID_FUSE:
        for (unsigned i = 0; i < CALIPTRA_KEY_ID_LEN / 4; i++) {
            stl_le_p(digest + 4 * i,
                     idevid_attr(fw, IDEVID_ATTR_SUBJECT_KEY_ID + i));
        }
        break;
    }
    memcpy(id, digest, CALIPTRA_KEY_ID_LEN);
}

static void set_subject(CaliptraFw *fw, CaliptraX509Params *p,
                        const CaliptraEccPub *pub)
{
    uint8_t digest[32];

    key_digest(pub, digest);
    p->public_key = *pub;
    caliptra_x509_serial_text(digest, p->subject_sn);
    memcpy(p->subject_key_id, digest, sizeof(p->subject_key_id));
    memcpy(p->serial, digest, sizeof(p->serial));
    /* positive and without a leading zero byte, so always of this length */
    p->serial[0] = (p->serial[0] & 0x7F) | 0x04;
    caliptra_dice_ueid(fw, p->ueid);
}

static void set_issuer(CaliptraX509Params *p, const CaliptraEccPub *pub)
{
    uint8_t digest[32];

    key_digest(pub, digest);
    caliptra_x509_serial_text(digest, p->issuer_sn);
    memcpy(p->authority_key_id, digest, sizeof(p->authority_key_id));
}

/* build a TBS, sign it */
static uint32_t sign_tbs(CaliptraFw *fw, CaliptraX509Template template,
                         const CaliptraX509Params *p,
                         unsigned key_slot, const CaliptraEccPub *signer,
                         uint8_t tbs[CALIPTRA_TBS_MAX], size_t *tbs_size,
                         CaliptraEccSig *sig)
{
    uint8_t digest[48];

    *tbs_size = caliptra_x509_tbs(template, p, tbs, CALIPTRA_TBS_MAX);
    caliptra_sha384(tbs, *tbs_size, digest);
    return caliptra_drv_ecc_sign(fw, key_slot, signer, digest, sig);
}

/*
 * A CSR for a key, signed by itself.  @p: what its template needs beside the
 * subject; @csr: @max bytes, of which @len are used
 */
static uint32_t make_csr(CaliptraFw *fw, CaliptraX509Template template,
                         CaliptraX509Params *p,
                         unsigned key_slot, const CaliptraEccPub *pub,
                         uint8_t *csr, size_t max, uint32_t *len)
{
    uint8_t tbs[CALIPTRA_TBS_MAX];
    CaliptraEccSig sig;
    size_t tbs_size;
    uint32_t err;

    set_subject(fw, p, pub);
    err = sign_tbs(fw, template, p, key_slot, pub, tbs, &tbs_size, &sig);
    if (err) {
        return err;
    }
    memset(csr, 0, max);
    *len = caliptra_x509_wrap(csr, max, tbs, tbs_size, &sig);
    return CALIPTRA_FW_OK;
}

/*
 * A layer's key pair (caliptra-sw rom/dev/src/flow/cold_reset/crypto.rs,
 * fmc/src/flow/crypto.rs).
 */
static uint32_t derive_key_pair(CaliptraFw *fw, unsigned cdi_slot,
                                const char *label, unsigned priv_slot,
                                CaliptraEccPub *pub)
{
    uint32_t err, erase_err;

    err = caliptra_drv_kdf(fw, cdi_slot, label, NULL, 0, KEY_ID_TMP,
                           CDI_USAGE);
    if (err) {
        return err;
    }
    err = caliptra_drv_ecc_keygen(fw, KEY_ID_TMP, priv_slot, pub);
    erase_err = caliptra_drv_kv_erase(fw, KEY_ID_TMP);
    return err ?: erase_err;
}

/* ---- IDevID (rom/dev/src/flow/cold_reset/idev_id.rs) ---- */

uint32_t caliptra_dice_idevid_decrypt_uds(CaliptraFw *fw)
{
    caliptra_drv_doe_uds(fw);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_dice_idevid_decrypt_fe(CaliptraFw *fw)
{
    caliptra_drv_doe_fe(fw);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_dice_idevid_clear_secrets(CaliptraFw *fw)
{
    caliptra_drv_doe_clear(fw);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_dice_idevid_cdi(CaliptraFw *fw)
{
    uint32_t err;

    err = caliptra_drv_kdf(fw, KEY_ID_UDS, "idevid_cdi", NULL, 0,
                           KEY_ID_ROM_FMC_CDI, CDI_USAGE);
    if (err) {
        return err;
    }
    return caliptra_drv_kv_erase(fw, KEY_ID_UDS);
}

uint32_t caliptra_dice_keypair_draw_error(unsigned n, uint32_t error)
{
    return n == 2 ?
           CALIPTRA_ERR_DRIVER_ECC384_KEYGEN_PAIRWISE_CONSISTENCY_FAILURE :
           error;
}

uint32_t caliptra_dice_idevid_keypair(CaliptraFw *fw)
{
    return derive_key_pair(fw, KEY_ID_ROM_FMC_CDI, "idevid_keygen",
                           KEY_ID_IDEVID_PRIV_KEY, &fw->pdata.idev_pub_key);
}

uint32_t caliptra_dice_idevid_make_csr(CaliptraFw *fw)
{
    CaliptraX509Params p = { };

    return make_csr(fw, CALIPTRA_X509_IDEVID_CSR, &p, KEY_ID_IDEVID_PRIV_KEY,
                    &fw->pdata.idev_pub_key, fw->pdata.idevid_csr,
                    sizeof(fw->pdata.idevid_csr), &fw->pdata.idevid_csr_len);
}

/* ---- LDevID (rom/dev/src/flow/cold_reset/ldev_id.rs) ---- */

static void read_pub(CaliptraFw *fw, unsigned x, unsigned y,
                     CaliptraEccPub *pub)
{
    caliptra_drv_dvs48_read(fw, x, pub->x);
    caliptra_drv_dvs48_read(fw, y, pub->y);
}

static void write_pub(CaliptraFw *fw, unsigned x, unsigned y,
                      const CaliptraEccPub *pub)
{
    caliptra_drv_dvs48_write(fw, x, pub->x);
    caliptra_drv_dvs48_write(fw, y, pub->y);
}

static void read_sig(CaliptraFw *fw, unsigned r, unsigned s,
                     CaliptraEccSig *sig)
{
    caliptra_drv_dvs48_read(fw, r, sig->r);
    caliptra_drv_dvs48_read(fw, s, sig->s);
}

static void write_sig(CaliptraFw *fw, unsigned r, unsigned s,
                      const CaliptraEccSig *sig)
{
    caliptra_drv_dvs48_write(fw, r, sig->r);
    caliptra_drv_dvs48_write(fw, s, sig->s);
}

uint32_t caliptra_dice_ldevid_cdi(CaliptraFw *fw)
{
    static const char label[] = "ldevid_cdi";
    uint32_t err;

    /* two plain MACs, unlike the other CDIs */
    err = caliptra_drv_hmac384(fw, KEY_ID_ROM_FMC_CDI, NULL,
                               label, strlen(label),
                               KEY_ID_ROM_FMC_CDI, CDI_USAGE, NULL);
    if (err) {
        return err;
    }
    err = caliptra_drv_hmac384_slot(fw, KEY_ID_ROM_FMC_CDI, KEY_ID_FE,
                                    KEY_ID_ROM_FMC_CDI, CDI_USAGE);
    if (err) {
        return err;
    }
    return caliptra_drv_kv_erase(fw, KEY_ID_FE);
}

uint32_t caliptra_dice_ldevid_keypair(CaliptraFw *fw)
{
    CaliptraEccPub pub;
    uint32_t err;

    err = derive_key_pair(fw, KEY_ID_ROM_FMC_CDI, "ldevid_keygen",
                          KEY_ID_LDEVID_PRIV_KEY, &pub);
    if (!err) {
        write_pub(fw, DVS48_LDEV_PUB_X, DVS48_LDEV_PUB_Y, &pub);
    }
    return err;
}

uint32_t caliptra_dice_ldevid_cert(CaliptraFw *fw)
{
    CaliptraX509Params p = { };
    CaliptraEccPub pub;
    CaliptraEccSig sig;
    size_t size;
    uint32_t err;

    read_pub(fw, DVS48_LDEV_PUB_X, DVS48_LDEV_PUB_Y, &pub);
    set_subject(fw, &p, &pub);
    set_issuer(&p, &fw->pdata.idev_pub_key);
    idevid_key_id(fw, p.authority_key_id);
    memcpy(p.not_before, CALIPTRA_NOT_BEFORE, CALIPTRA_TIME_LEN);
    memcpy(p.not_after, CALIPTRA_NOT_AFTER, CALIPTRA_TIME_LEN);

    err = sign_tbs(fw, CALIPTRA_X509_LDEVID, &p, KEY_ID_IDEVID_PRIV_KEY,
                   &fw->pdata.idev_pub_key,
                   fw->pdata.ldevid_tbs, &size, &sig);
    if (err) {
        return err;
    }
    fw->pdata.ldevid_tbs_size = size;
    err = caliptra_drv_kv_erase(fw, KEY_ID_IDEVID_PRIV_KEY);
    if (err) {
        return err;
    }

    write_sig(fw, DVS48_LDEV_SIG_R, DVS48_LDEV_SIG_S, &sig);
    for (unsigned i = DVS48_LDEV_SIG_R; i <= DVS48_LDEV_PUB_Y; i++) {
        caliptra_drv_dvs48_lock(fw, i);
    }
    return CALIPTRA_FW_OK;
}

/* ---- measurements of ROM ---- */

static void log_fuse(CaliptraFw *fw, unsigned id, uint32_t data)
{
    fw->pdata.fuse_log[id - 1] = (CaliptraFuseLogEntry) { id, data };
}

/* rom/dev/src/fuse.rs */
uint32_t caliptra_dice_populate_fuse_log(CaliptraFw *fw)
{
    const CaliptraImageInfo *image = &fw->image;

    memset(fw->pdata.fuse_log, 0, sizeof(fw->pdata.fuse_log));
    log_fuse(fw, FUSE_LOG_VENDOR_ECC_PUB_KEY_INDEX, image->vendor_ecc_index);
    log_fuse(fw, FUSE_LOG_VENDOR_ECC_PUB_KEY_REVOCATION,
             caliptra_fw_fuse(fw, A_FUSE_KEY_MANIFEST_PK_HASH_MASK) &
             R_FUSE_KEY_MANIFEST_PK_HASH_MASK_MASK_MASK);
    log_fuse(fw, FUSE_LOG_MANIFEST_FMC_SVN, image->fmc.svn);
    log_fuse(fw, FUSE_LOG_MANIFEST_RESERVED0, image->fmc.reserved);
    log_fuse(fw, FUSE_LOG_FUSE_FMC_SVN, image->fmc.fuse_svn);
    log_fuse(fw, FUSE_LOG_MANIFEST_RT_SVN, image->rt.svn);
    log_fuse(fw, FUSE_LOG_MANIFEST_RESERVED1, image->rt.reserved);
    log_fuse(fw, FUSE_LOG_FUSE_RT_SVN, image->rt.fuse_svn);
    if (caliptra_fw_lms_verify(fw)) {
        log_fuse(fw, FUSE_LOG_VENDOR_LMS_PUB_KEY_INDEX,
                 image->vendor_lms_index);
        log_fuse(fw, FUSE_LOG_VENDOR_LMS_PUB_KEY_REVOCATION,
                 caliptra_fw_fuse(fw, A_FUSE_LMS_REVOCATION));
    }
    return CALIPTRA_FW_OK;
}

/* rom/dev/src/flow/cold_reset/fw_processor.rs, update_reset.rs */
uint32_t caliptra_dice_populate_data_vault(CaliptraFw *fw, bool update)
{
    const CaliptraImageInfo *image = &fw->image;

    if (!update) {
        caliptra_drv_dvs48_write(fw, DVS48_FMC_TCI, image->fmc.digest);
        caliptra_drv_dvs48_write(fw, DVS48_OWNER_PK_HASH,
                                 image->owner_pk_hash);
        caliptra_drv_dvs4_write(fw, DVS4_FMC_SVN, image->fmc.svn);
        caliptra_drv_dvs4_write(fw, DVS4_FMC_ENTRY_POINT,
                                image->fmc.entry_point);
        caliptra_drv_dvs4_write(fw, DVS4_VENDOR_ECC_PK_INDEX,
                                image->vendor_ecc_index);
        caliptra_drv_dvs4_write(fw, DVS4_VENDOR_LMS_PK_INDEX,
                                image->vendor_lms_index);
        caliptra_drv_dvn4_write(fw, DVN4_MANIFEST_ADDR, MANIFEST1_ADDR);
    }
    caliptra_drv_dvn48_write(fw, DVN48_RT_TCI, image->rt.digest);
    caliptra_drv_dvn4_write(fw, DVN4_RT_SVN, image->rt.svn);
    caliptra_drv_dvn4_write(fw, DVN4_RT_ENTRY_POINT, image->rt.entry_point);
    return CALIPTRA_FW_OK;
}

/*
 * Extend two PCRs, then the log.  @len: as measured; the log has 48 bytes.
 * @exhausted: the error number if the log is full
 */
static uint32_t measure(CaliptraFw *fw, unsigned pcr_a, unsigned pcr_b,
                        unsigned log_id, const uint8_t *data, size_t len,
                        uint32_t exhausted)
{
    CaliptraPdata *pdata = &fw->pdata;
    CaliptraPcrLogEntry *entry;
    uint32_t err;

    err = caliptra_drv_pcr_extend(fw, pcr_a, data, len);
    if (err) {
        return err;
    }
    err = caliptra_drv_pcr_extend(fw, pcr_b, data, len);
    if (err) {
        return err;
    }

    if (pdata->pcr_log_index >= ARRAY_SIZE(pdata->pcr_log)) {
        return exhausted;
    }
    entry = &pdata->pcr_log[pdata->pcr_log_index++];
    *entry = (CaliptraPcrLogEntry) {
        .id = log_id,
        .pcr_ids = 1u << pcr_a | 1u << pcr_b,
    };
    memcpy(entry->data, data, len);
    return CALIPTRA_FW_OK;
}

/* rom/dev/src/pcr.rs */
uint32_t caliptra_dice_extend_rom_pcrs(CaliptraFw *fw)
{
    const uint8_t device_status[] = {
        caliptra_fw_lifecycle(fw),
        caliptra_fw_debug_locked(fw),
        caliptra_fw_anti_rollback_disable(fw),
        caliptra_drv_dvs4_read(fw, DVS4_VENDOR_ECC_PK_INDEX),
        caliptra_drv_dvs4_read(fw, DVS4_FMC_SVN),
        fw->image.fmc.effective_fuse_svn,
        caliptra_drv_dvs4_read(fw, DVS4_VENDOR_LMS_PK_INDEX),
        caliptra_fw_lms_verify(fw),
        fw->image.owner_hash_in_fuses,
    };
    uint8_t vendor_hash[48], owner_hash[48], fmc_tci[48];
    const struct {
        unsigned log_id;
        const uint8_t *data;
        size_t len;
    } measurements[] = {
        { PCR_LOG_DEVICE_STATUS, device_status, sizeof(device_status) },
        { PCR_LOG_VENDOR_PUB_KEY_HASH, vendor_hash, sizeof(vendor_hash) },
        { PCR_LOG_OWNER_PUB_KEY_HASH, owner_hash, sizeof(owner_hash) },
        { PCR_LOG_FMC_TCI, fmc_tci, sizeof(fmc_tci) },
    };
    uint32_t err;

    caliptra_fw_fuse_hash(fw, A_FUSE_KEY_MANIFEST_PK_HASH, vendor_hash);
    caliptra_drv_dvs48_read(fw, DVS48_OWNER_PK_HASH, owner_hash);
    caliptra_drv_dvs48_read(fw, DVS48_FMC_TCI, fmc_tci);

    fw->pdata.pcr_log_index = 0;
    err = caliptra_drv_pcr_clear(fw, CALIPTRA_PCR_FMC_CURRENT);
    for (unsigned i = 0; !err && i < ARRAY_SIZE(measurements); i++) {
        err = measure(fw, CALIPTRA_PCR_FMC_CURRENT, CALIPTRA_PCR_FMC_JOURNEY,
                      measurements[i].log_id,
                      measurements[i].data, measurements[i].len,
                      CALIPTRA_ERR_ROM_GLOBAL_PCR_LOG_EXHAUSTED);
    }
    return err;
}

uint32_t caliptra_dice_stash_measurement(CaliptraFw *fw,
                                         const uint8_t metadata[4],
                                         const uint8_t measurement[48],
                                         const uint8_t context[48],
                                         uint32_t svn)
{
    CaliptraPdata *pdata = &fw->pdata;
    CaliptraMeasLogEntry *entry;
    uint32_t err;

    if (pdata->meas_log_index >= ARRAY_SIZE(pdata->meas_log)) {
        return CALIPTRA_ERR_FW_PROC_MAILBOX_STASH_MEASUREMENT_MAX_LIMIT;
    }
    err = caliptra_drv_pcr_extend(fw, CALIPTRA_PCR_STASH, measurement, 48);
    if (err) {
        return err;
    }
    entry = &pdata->meas_log[pdata->meas_log_index++];
    *entry = (CaliptraMeasLogEntry) {
        .pcr_entry.id = PCR_LOG_STASH_MEASUREMENT,
        .pcr_entry.pcr_ids = 1u << CALIPTRA_PCR_STASH,
        .svn = svn,
    };
    memcpy(entry->pcr_entry.data, measurement, 48);
    memcpy(entry->metadata, metadata, sizeof(entry->metadata));
    memcpy(entry->context, context, sizeof(entry->context));
    return CALIPTRA_FW_OK;
}

/* ---- FMC alias (rom/dev/src/flow/cold_reset/fmc_alias.rs) ---- */

uint32_t caliptra_dice_fmcalias_cdi(CaliptraFw *fw)
{
    uint8_t pcr[48];

    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_FMC_CURRENT, pcr);
    return caliptra_drv_kdf(fw, KEY_ID_ROM_FMC_CDI, "fmc_alias_cdi",
                            pcr, sizeof(pcr),
                            KEY_ID_ROM_FMC_CDI, CDI_USAGE);
}

uint32_t caliptra_dice_fmcalias_keypair(CaliptraFw *fw)
{
    CaliptraEccPub pub;
    uint32_t err;

    err = derive_key_pair(fw, KEY_ID_ROM_FMC_CDI, "fmc_alias_keygen",
                          KEY_ID_FMC_PRIV_KEY, &pub);
    if (!err) {
        write_pub(fw, DVS48_FMC_PUB_X, DVS48_FMC_PUB_Y, &pub);
    }
    return err;
}

/* DiceTcbInfo's OperationalFlags (TCG DICE attestation architecture) */
enum {
    DICE_FLAG_NOT_CONFIGURED = 0,
    DICE_FLAG_NOT_SECURE = 1,
    DICE_FLAG_DEBUG = 3,
    DICE_FLAG_FIXED_WIDTH = 31,
};

/* bit 0 of a BIT STRING is the most significant one of its first byte */
#define DICE_FLAG(n) (1u << (31 - (n)))

/* common/src/dice.rs */
static void make_flags(CaliptraFw *fw, uint8_t flags[4])
{
    uint32_t f = DICE_FLAG(DICE_FLAG_FIXED_WIDTH);

    switch (caliptra_fw_lifecycle(fw)) {
    case CALIPTRA_LIFECYCLE_UNPROVISIONED:
        f |= DICE_FLAG(DICE_FLAG_NOT_CONFIGURED);
        break;
    case CALIPTRA_LIFECYCLE_MANUFACTURING:
        f |= DICE_FLAG(DICE_FLAG_NOT_SECURE);
        break;
    }
    if (!caliptra_fw_debug_locked(fw)) {
        f |= DICE_FLAG(DICE_FLAG_DEBUG);
    }
    stl_be_p(flags, f);
}

static void device_info_hash(CaliptraFw *fw, uint8_t digest[48])
{
    uint8_t info[7 + 48 + 48] = {
        caliptra_fw_lifecycle(fw),
        caliptra_fw_debug_locked(fw),
        caliptra_fw_anti_rollback_disable(fw),
        caliptra_drv_dvs4_read(fw, DVS4_VENDOR_ECC_PK_INDEX),
        caliptra_drv_dvs4_read(fw, DVS4_VENDOR_LMS_PK_INDEX),
        caliptra_fw_lms_verify(fw),
        fw->image.owner_hash_in_fuses,
    };

    caliptra_fw_fuse_hash(fw, A_FUSE_KEY_MANIFEST_PK_HASH, info + 7);
    caliptra_drv_dvs48_read(fw, DVS48_OWNER_PK_HASH, info + 7 + 48);
    caliptra_sha384(info, sizeof(info), digest);
}

/* what certificate and CSR of the FMC alias key say of device and FMC */
static void set_fmc_tcb_info(CaliptraFw *fw, CaliptraX509Params *p)
{
    p->fmc_fuse_svn = fw->image.fmc.effective_fuse_svn;
    p->fmc_svn = fw->image.fmc.svn;
    device_info_hash(fw, p->device_info_hash);
    make_flags(fw, p->flags);
    caliptra_drv_dvs48_read(fw, DVS48_FMC_TCI, p->fmc_tci);
}

uint32_t caliptra_dice_fmcalias_cert(CaliptraFw *fw)
{
    CaliptraX509Params p = { };
    CaliptraEccPub pub, issuer;
    CaliptraEccSig sig;
    size_t size;
    uint32_t err;

    read_pub(fw, DVS48_FMC_PUB_X, DVS48_FMC_PUB_Y, &pub);
    read_pub(fw, DVS48_LDEV_PUB_X, DVS48_LDEV_PUB_Y, &issuer);
    set_subject(fw, &p, &pub);
    set_issuer(&p, &issuer);
    caliptra_dice_validity(fw, p.not_before, p.not_after);
    set_fmc_tcb_info(fw, &p);

    err = sign_tbs(fw, CALIPTRA_X509_FMC_ALIAS, &p, KEY_ID_LDEVID_PRIV_KEY,
                   &issuer, fw->pdata.fmcalias_tbs, &size, &sig);
    if (err) {
        return err;
    }
    fw->pdata.fmcalias_tbs_size = size;
    err = caliptra_drv_kv_erase(fw, KEY_ID_LDEVID_PRIV_KEY);
    if (err) {
        return err;
    }

    write_sig(fw, DVS48_FMC_SIG_R, DVS48_FMC_SIG_S, &sig);
    for (unsigned i = DVS48_FMC_SIG_R; i <= DVS48_FMC_PUB_Y; i++) {
        caliptra_drv_dvs48_lock(fw, i);
    }
    return CALIPTRA_FW_OK;
}

/* rom/dev/src/lock.rs */
void caliptra_dice_lock_at_rom_exit(CaliptraFw *fw, bool cold)
{
    if (cold) {
        caliptra_drv_dvs48_lock(fw, DVS48_FMC_TCI);
        caliptra_drv_dvs48_lock(fw, DVS48_OWNER_PK_HASH);
        caliptra_drv_dvs4_lock(fw, DVS4_FMC_SVN);
        caliptra_drv_dvs4_lock(fw, DVS4_ROM_COLD_BOOT_STATUS);
        caliptra_drv_dvs4_lock(fw, DVS4_FMC_ENTRY_POINT);
        caliptra_drv_dvs4_lock(fw, DVS4_VENDOR_ECC_PK_INDEX);
        caliptra_drv_dvs4_lock(fw, DVS4_VENDOR_LMS_PK_INDEX);
    }
    caliptra_drv_dvn48_lock(fw, DVN48_RT_TCI);
    caliptra_drv_dvn4_lock(fw, DVN4_RT_SVN);
    caliptra_drv_dvn4_lock(fw, DVN4_RT_ENTRY_POINT);
    caliptra_drv_dvn4_lock(fw, DVN4_MANIFEST_ADDR);
    caliptra_drv_dvn4_lock(fw, DVN4_ROM_UPDATE_RESET_STATUS);
    caliptra_drv_pcr_lock(fw, CALIPTRA_PCR_FMC_CURRENT);
    caliptra_drv_pcr_lock(fw, CALIPTRA_PCR_FMC_JOURNEY);
    caliptra_drv_pcr_lock(fw, CALIPTRA_PCR_STASH);
}

/* ---- FMC (fmc/src/flow) ---- */

/* fmc/src/flow/fmc_alias_csr.rs; cold reset only */
uint32_t caliptra_dice_fmc_make_csr(CaliptraFw *fw)
{
    CaliptraX509Template template = CALIPTRA_X509_FMC_ALIAS_CSR;
    CaliptraX509Params p = { };

    if (caliptra_fmc_has(fw, CALIPTRA_FMC_CSR_TCB_INFO)) {
        template = CALIPTRA_X509_FMC_ALIAS_CSR_TCB_INFO;
        set_fmc_tcb_info(fw, &p);
    }
    return make_csr(fw, template, &p, KEY_ID_FMC_PRIV_KEY, &fw->fmc_issuer,
                    fw->pdata.fmc_alias_csr, sizeof(fw->pdata.fmc_alias_csr),
                    &fw->pdata.fmc_alias_csr_len);
}

/* the key that FMC goes on with: what the data vault says of it */
void caliptra_dice_fmc_read_issuer(CaliptraFw *fw)
{
    read_pub(fw, DVS48_FMC_PUB_X, DVS48_FMC_PUB_Y, &fw->fmc_issuer);
}

/*
 * fmc/src/flow/rt_alias.rs, after a reset that has overwritten the key vault:
 * a key pair of what is there now.  Its own error number is never reported.
 */
uint32_t caliptra_dice_fmc_remake_key(CaliptraFw *fw)
{
    if (!caliptra_fw_draws(fw, 3)) {
        return fw->trng_error ? CALIPTRA_ERR_FMC_RT_ALIAS_DERIVE_FAILURE :
                                CALIPTRA_FW_ENTROPY;
    }
    return derive_key_pair(fw, KEY_ID_ROM_FMC_CDI, "fmc_alias_keygen",
                           KEY_ID_FMC_PRIV_KEY, &fw->fmc_issuer) ?
           CALIPTRA_ERR_FMC_RT_ALIAS_DERIVE_FAILURE : CALIPTRA_FW_OK;
}

/*
 * What stands for runtime firmware: its code, and up to FMC 1.2.3 its
 * manifest.  Returns: bytes of the two digests in @ctx
 */
static size_t runtime_measurements(CaliptraFw *fw, uint8_t ctx[2 * 48])
{
    caliptra_drv_dvn48_read(fw, DVN48_RT_TCI, ctx);
    if (caliptra_fmc_has(fw, CALIPTRA_FMC_RT_TCI_ONLY)) {
        return 48;
    }
    caliptra_sha384(fw->pdata.manifest1, sizeof(fw->pdata.manifest1),
                    ctx + 48);
    return 2 * 48;
}

/* fmc/src/flow/pcr.rs, fmc/src/hand_off.rs */
uint32_t caliptra_dice_fmc_measure_rt(CaliptraFw *fw)
{
    uint32_t reason = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_RESET_REASON);
    bool update = FIELD_EX32(reason, CPTRA_RESET_REASON, FW_UPD_RESET);
    bool warm = FIELD_EX32(reason, CPTRA_RESET_REASON, WARM_RESET);
    static const unsigned log_ids[] = {
        PCR_LOG_RT_TCI, PCR_LOG_FW_IMAGE_MANIFEST,
    };
    uint8_t measurements[2 * 48];
    uint32_t svn, err;
    size_t len;

    if (!warm) {
        len = runtime_measurements(fw, measurements);
        err = caliptra_drv_pcr_clear(fw, CALIPTRA_PCR_RT_CURRENT);
        if (err) {
            return err;
        }
        for (size_t i = 0; i < len / 48; i++) {
            err = measure(fw, CALIPTRA_PCR_RT_CURRENT,
                          CALIPTRA_PCR_RT_JOURNEY, log_ids[i],
                          measurements + 48 * i, 48,
                          CALIPTRA_ERR_FMC_GLOBAL_PCR_LOG_EXHAUSTED);
            if (err) {
                return err;
            }
        }
    }
    caliptra_drv_pcr_lock(fw, CALIPTRA_PCR_RT_CURRENT);
    caliptra_drv_pcr_lock(fw, CALIPTRA_PCR_RT_JOURNEY);

    svn = caliptra_drv_dvn4_read(fw, DVN4_RT_SVN);
    if (warm || update) {
        svn = MIN(svn, caliptra_drv_dvn4_read(fw, DVN4_RT_MIN_SVN));
    }
    caliptra_drv_dvn4_write(fw, DVN4_RT_MIN_SVN, svn);
    caliptra_drv_dvn4_lock(fw, DVN4_RT_MIN_SVN);
    return CALIPTRA_FW_OK;
}

/* fmc/src/flow/rt_alias.rs */
uint32_t caliptra_dice_rtalias_cdi(CaliptraFw *fw)
{
    uint8_t ctx[2 * 48];
    size_t len = runtime_measurements(fw, ctx);

    return caliptra_drv_kdf(fw, KEY_ID_ROM_FMC_CDI, "rt_alias_cdi",
                            ctx, len, KEY_ID_RT_CDI, CDI_USAGE);
}

uint32_t caliptra_dice_rtalias_keypair(CaliptraFw *fw)
{
    return derive_key_pair(fw, KEY_ID_RT_CDI, "rt_alias_keygen",
                           KEY_ID_RT_PRIV_KEY, &fw->pdata.rt_pub_key);
}

uint32_t caliptra_dice_rtalias_cert(CaliptraFw *fw)
{
    CaliptraX509Params p = { };
    size_t size;
    uint32_t err;

    set_subject(fw, &p, &fw->pdata.rt_pub_key);
    set_issuer(&p, &fw->fmc_issuer);
    caliptra_dice_validity(fw, p.not_before, p.not_after);
    p.rt_svn = caliptra_drv_dvn4_read(fw, DVN4_RT_SVN);
    caliptra_drv_dvn48_read(fw, DVN48_RT_TCI, p.rt_tci);

    err = sign_tbs(fw, CALIPTRA_X509_RT_ALIAS, &p, KEY_ID_FMC_PRIV_KEY,
                   &fw->fmc_issuer, fw->pdata.rtalias_tbs, &size,
                   &fw->pdata.rt_dice_sign);
    if (err) {
        return err;
    }
    fw->pdata.rtalias_tbs_size = size;
    caliptra_drv_kv_lock_use(fw, KEY_ID_FMC_PRIV_KEY);
    caliptra_drv_kv_lock_use(fw, KEY_ID_ROM_FMC_CDI);
    return CALIPTRA_FW_OK;
}

/* ---- runtime: certificates ---- */

#define CERT_MAX 1024 /* runtime's buffer for one certificate */

/* Returns: bytes, or 0 if there is none */
static size_t make_cert(const uint8_t tbs[CALIPTRA_TBS_MAX], size_t tbs_size,
                        const CaliptraEccSig *sig, uint8_t cert[CERT_MAX])
{
    if (tbs_size == 0 || tbs_size > CALIPTRA_TBS_MAX) {
        return 0;
    }
    return caliptra_x509_wrap(cert, CERT_MAX, tbs, tbs_size, sig);
}

static size_t ldevid_cert(CaliptraFw *fw, uint8_t cert[CERT_MAX])
{
    CaliptraEccSig sig;

    read_sig(fw, DVS48_LDEV_SIG_R, DVS48_LDEV_SIG_S, &sig);
    return make_cert(fw->pdata.ldevid_tbs, fw->pdata.ldevid_tbs_size, &sig,
                     cert);
}

static size_t fmc_alias_cert(CaliptraFw *fw, uint8_t cert[CERT_MAX])
{
    CaliptraEccSig sig;

    read_sig(fw, DVS48_FMC_SIG_R, DVS48_FMC_SIG_S, &sig);
    return make_cert(fw->pdata.fmcalias_tbs, fw->pdata.fmcalias_tbs_size,
                     &sig, cert);
}

static size_t rt_alias_cert(CaliptraFw *fw, uint8_t cert[CERT_MAX])
{
    return make_cert(fw->pdata.rtalias_tbs, fw->pdata.rtalias_tbs_size,
                     &fw->pdata.rt_dice_sign, cert);
}

static const struct {
    size_t (*make)(CaliptraFw *fw, uint8_t cert[CERT_MAX]);
    uint32_t error;
} certs[] = {
    { ldevid_cert, CALIPTRA_ERR_RUNTIME_GET_LDEVID_CERT_FAILED },
    { fmc_alias_cert, CALIPTRA_ERR_RUNTIME_GET_FMC_ALIAS_CERT_FAILED },
    { rt_alias_cert, CALIPTRA_ERR_RUNTIME_GET_RT_ALIAS_CERT_FAILED },
};

enum { CERT_LDEVID, CERT_FMC_ALIAS, CERT_RT_ALIAS };

/* runtime/src/drivers.rs create_cert_chain */
uint32_t caliptra_rt_build_cert_chain(CaliptraFw *fw)
{
    CaliptraRtData *rt = &fw->rt;

    QEMU_BUILD_BUG_ON(ARRAY_SIZE(certs) * CERT_MAX > sizeof(rt->cert_chain));

    rt->cert_chain_len = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(certs); i++) {
        size_t len = certs[i].make(fw, rt->cert_chain + rt->cert_chain_len);

        if (!len) {
            return certs[i].error;
        }
        rt->cert_chain_len += len;
    }
    return CALIPTRA_FW_OK;
}

/* a response whose bytes 8..11 are the number of bytes that follow */
static uint32_t counted_response(CaliptraRsp *rsp, size_t len)
{
    stl_le_p(rsp->data + 8, len);
    rsp->len = 12 + len;
    return CALIPTRA_FW_OK;
}

static uint32_t get_cert(CaliptraFw *fw, unsigned i, CaliptraRsp *rsp)
{
    size_t len = certs[i].make(fw, rsp->data + 12);

    return len ? counted_response(rsp, len) : certs[i].error;
}

uint32_t caliptra_cmd_get_ldev_cert(CaliptraFw *fw, const uint8_t *req,
                                    size_t req_len, CaliptraRsp *rsp)
{
    return get_cert(fw, CERT_LDEVID, rsp);
}

uint32_t caliptra_cmd_get_fmc_alias_cert(CaliptraFw *fw, const uint8_t *req,
                                         size_t req_len, CaliptraRsp *rsp)
{
    return get_cert(fw, CERT_FMC_ALIAS, rsp);
}

uint32_t caliptra_cmd_get_rt_alias_cert(CaliptraFw *fw, const uint8_t *req,
                                        size_t req_len, CaliptraRsp *rsp)
{
    return get_cert(fw, CERT_RT_ALIAS, rsp);
}

/* a CSR's response has its full size whatever the CSR's */
static uint32_t get_csr(const uint8_t *csr, uint32_t len, uint32_t max,
                        uint32_t unprovisioned, uint32_t unsupported,
                        CaliptraRsp *rsp)
{
    if (len == 0) {
        return unsupported;
    }
    if (len > max) {
        return unprovisioned;
    }
    stl_le_p(rsp->data + 8, len);
    memset(rsp->data + 12, 0, max);
    memcpy(rsp->data + 12, csr, len);
    rsp->len = 12 + max;
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_cmd_get_idev_csr(CaliptraFw *fw, const uint8_t *req,
                                   size_t req_len, CaliptraRsp *rsp)
{
    /* what is there then is for the property only */
    if (!caliptra_rom_has(fw, CALIPTRA_ROM_GET_IDEV_CSR)) {
        return CALIPTRA_ERR_RUNTIME_GET_IDEV_ID_UNSUPPORTED_ROM;
    }
    return get_csr(fw->pdata.idevid_csr, fw->pdata.idevid_csr_len,
                   CALIPTRA_CSR_MAX,
                   CALIPTRA_ERR_RUNTIME_GET_IDEV_ID_UNPROVISIONED,
                   CALIPTRA_ERR_RUNTIME_GET_IDEV_ID_UNSUPPORTED_ROM, rsp);
}

uint32_t caliptra_cmd_get_fmc_alias_csr(CaliptraFw *fw, const uint8_t *req,
                                        size_t req_len, CaliptraRsp *rsp)
{
    bool own_errors = caliptra_rt_has(fw, CALIPTRA_RT_FMC_CSR_ERRORS);
    bool long_csr = caliptra_rt_has(fw, CALIPTRA_RT_LONG_FMC_CSR);

    return get_csr(fw->pdata.fmc_alias_csr, fw->pdata.fmc_alias_csr_len,
                   long_csr ? CALIPTRA_FMC_CSR_MAX : CALIPTRA_CSR_MAX,
                   own_errors ?
                   CALIPTRA_ERR_RUNTIME_GET_FMC_CSR_UNPROVISIONED_1_2_1 :
                   CALIPTRA_ERR_RUNTIME_GET_FMC_CSR_UNPROVISIONED,
                   own_errors ?
                   CALIPTRA_ERR_RUNTIME_GET_FMC_CSR_UNSUPPORTED_FMC_1_2_1 :
                   CALIPTRA_ERR_RUNTIME_GET_FMC_CSR_UNSUPPORTED_FMC, rsp);
}

/* request: tbs_size at 4, r at 8, s at 56, TBS at 104 */
uint32_t caliptra_cmd_get_idev_cert(CaliptraFw *fw, const uint8_t *req,
                                    size_t req_len, CaliptraRsp *rsp)
{
    const size_t tbs_max = 916;
    uint32_t tbs_size = ldl_le_p(req + 4);
    CaliptraEccSig sig;
    size_t len;

    if (tbs_size > tbs_max) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    memcpy(sig.r, req + 8, sizeof(sig.r));
    memcpy(sig.s, req + 56, sizeof(sig.s));
    len = caliptra_x509_wrap(rsp->data + 12, CERT_MAX, req + 104, tbs_size,
                             &sig);
    return len ? counted_response(rsp, len) :
                 CALIPTRA_ERR_RUNTIME_GET_IDEVID_CERT_FAILED;
}

/* response: x, y */
uint32_t caliptra_cmd_get_idev_info(CaliptraFw *fw, const uint8_t *req,
                                    size_t req_len, CaliptraRsp *rsp)
{
    memcpy(rsp->data + 8, fw->pdata.idev_pub_key.x, 48);
    memcpy(rsp->data + 56, fw->pdata.idev_pub_key.y, 48);
    rsp->len = 104;
    return CALIPTRA_FW_OK;
}

/* request: cert_size at 4, certificate at 8 */
uint32_t caliptra_cmd_populate_idev_cert(CaliptraFw *fw, const uint8_t *req,
                                         size_t req_len, CaliptraRsp *rsp)
{
    CaliptraRtData *rt = &fw->rt;
    uint32_t size = ldl_le_p(req + 4);

    if (size > CERT_MAX) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    if (caliptra_rt_has(fw, CALIPTRA_RT_POPULATE_PL0) ?
        !caliptra_fw_caller_is_pl0(fw) : !caliptra_fw_pl0_pauser_valid(fw)) {
        return CALIPTRA_ERR_RUNTIME_INCORRECT_PAUSER_PRIVILEGE_LEVEL;
    }
    if (size + rt->cert_chain_len > sizeof(rt->cert_chain)) {
        return CALIPTRA_ERR_RUNTIME_IDEV_CERT_POPULATION_FAILED;
    }
    memmove(rt->cert_chain + size, rt->cert_chain, rt->cert_chain_len);
    memcpy(rt->cert_chain, req + 8, size);
    rt->cert_chain_len += size;
    rsp->len = 8;
    return CALIPTRA_FW_OK;
}

/* ---- runtime: PCRs (runtime/src/pcr.rs) ---- */

/*
 * request: nonce at 4
 * response: 32 PCRs, nonce, digest, 32 reset counters, r, s
 */
uint32_t caliptra_cmd_quote_pcrs(CaliptraFw *fw, const uint8_t *req,
                                 size_t req_len, CaliptraRsp *rsp)
{
    uint8_t *p = rsp->data + 8;
    const uint8_t *nonce = req + 4;
    uint8_t digest[48];
    CaliptraEccSig sig;
    uint32_t err;

    if (!caliptra_fw_draws(fw, 1)) {
        return CALIPTRA_FW_ENTROPY;
    }
    err = caliptra_drv_pcr_quote(fw, nonce, digest, &sig);
    if (err) {
        return err;
    }
    for (unsigned i = 0; i < CALIPTRA_PCRS; i++, p += 48) {
        caliptra_drv_pcr_read(fw, i, p);
    }
    memcpy(p, nonce, 32);
    memcpy(p + 32, digest, 48);
    p += 32 + 48;
    for (unsigned i = 0; i < CALIPTRA_PCRS; i++, p += 4) {
        stl_le_p(p, fw->pdata.pcr_reset_counter[i]);
    }
    memcpy(p, sig.r, 48);
    memcpy(p + 48, sig.s, 48);
    rsp->len = p + 2 * 48 - rsp->data;
    return CALIPTRA_FW_OK;
}

enum {
    PCR_LOG_ENTRY_ID = 0,       /* 16 bits */
    PCR_LOG_ENTRY_PCRS = 4,     /* bit map */
    PCR_LOG_ENTRY_DATA = 8,
    PCR_LOG_ENTRY_SIZE = 56,
};

/* response: size of the log at 8, room for all of its entries */
uint32_t caliptra_cmd_get_pcr_log(CaliptraFw *fw, const uint8_t *req,
                                  size_t req_len, CaliptraRsp *rsp)
{
    const CaliptraPdata *pdata = &fw->pdata;

    stl_le_p(rsp->data + 8, PCR_LOG_ENTRY_SIZE * pdata->pcr_log_index);
    memset(rsp->data + 12, 0, PCR_LOG_ENTRY_SIZE * CALIPTRA_PCR_LOG_ENTRIES);
    for (unsigned i = 0; i < pdata->pcr_log_index; i++) {
        const CaliptraPcrLogEntry *entry = &pdata->pcr_log[i];
        uint8_t *p = rsp->data + 12 + PCR_LOG_ENTRY_SIZE * i;

        stw_le_p(p + PCR_LOG_ENTRY_ID, entry->id);
        stl_le_p(p + PCR_LOG_ENTRY_PCRS, entry->pcr_ids);
        memcpy(p + PCR_LOG_ENTRY_DATA, entry->data, sizeof(entry->data));
    }
    rsp->len = 12 + PCR_LOG_ENTRY_SIZE * CALIPTRA_PCR_LOG_ENTRIES;
    return CALIPTRA_FW_OK;
}

/* request: pcr_idx at 4, 48 bytes at 8 */
uint32_t caliptra_cmd_extend_pcr(CaliptraFw *fw, const uint8_t *req,
                                 size_t req_len, CaliptraRsp *rsp)
{
    uint32_t pcr = ldl_le_p(req + 4);

    if (pcr > UINT8_MAX) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    if (pcr >= CALIPTRA_PCRS) {
        return CALIPTRA_ERR_RUNTIME_PCR_INVALID_INDEX;
    }
    if (pcr <= CALIPTRA_PCR_RT_JOURNEY) {
        return CALIPTRA_ERR_RUNTIME_PCR_RESERVED;
    }
    rsp->len = 8;
    return caliptra_drv_pcr_extend(fw, pcr, req + 8, 48);
}

/* request: index at 4 */
uint32_t caliptra_cmd_increment_pcr_reset_counter(CaliptraFw *fw,
                                                  const uint8_t *req,
                                                  size_t req_len,
                                                  CaliptraRsp *rsp)
{
    uint32_t i = ldl_le_p(req + 4);

    if (i >= ARRAY_SIZE(fw->pdata.pcr_reset_counter)) {
        return CALIPTRA_ERR_RUNTIME_MAILBOX_INVALID_PARAMS;
    }
    if (fw->pdata.pcr_reset_counter[i] == UINT32_MAX) {
        return CALIPTRA_ERR_RUNTIME_INCREMENT_PCR_RESET_MAX_REACHED;
    }
    fw->pdata.pcr_reset_counter[i]++;
    rsp->len = 8;
    return CALIPTRA_FW_OK;
}

/* ---- runtime: the end of attestation (runtime/src/disable.rs) ---- */

/* a CDI per KDF, and the key pair's two */
unsigned caliptra_dice_disable_attestation_draws(const CaliptraFw *fw)
{
    return caliptra_rt_has(fw, CALIPTRA_RT_ZERO_CDIS) ? 4 : 3;
}

/* a CDI that all parts have: KDF with a key of zeros */
static uint32_t zero_cdi(CaliptraFw *fw, const char *label, unsigned slot)
{
    static const uint8_t zero_key[48];
    g_autoptr(GByteArray) msg = g_byte_array_new();

    g_byte_array_append(msg, (const uint8_t[]) { 0, 0, 0, 1 }, 4);
    g_byte_array_append(msg, (const uint8_t *)label, strlen(label));
    return caliptra_drv_hmac384(fw, 0, zero_key, msg->data, msg->len,
                                slot, CDI_USAGE, NULL);
}

uint32_t caliptra_dice_disable_attestation(CaliptraFw *fw)
{
    bool zero_cdis = caliptra_rt_has(fw, CALIPTRA_RT_ZERO_CDIS);
    unsigned draws = caliptra_dice_disable_attestation_draws(fw);
    CaliptraEccPub pub;
    uint32_t err;

    err = caliptra_drv_kv_erase(fw, KEY_ID_RT_CDI);
    if (err) {
        return err;
    }
    err = caliptra_drv_kv_erase(fw, KEY_ID_RT_PRIV_KEY);
    if (err) {
        return err;
    }
    /* each draw where the driver makes it: what was before has happened */
    if (!caliptra_fw_draws(fw, 1)) {
        return CALIPTRA_FW_ENTROPY;
    }
    err = zero_cdi(fw, zero_cdis ? "zero_cdi" : "zero_rt_cdi", KEY_ID_RT_CDI);
    if (err) {
        return err;
    }
    if (zero_cdis) {
        if (!caliptra_fw_draws(fw, 2)) {
            return CALIPTRA_FW_ENTROPY;
        }
        err = zero_cdi(fw, "zero_cdi", KEY_ID_EXPORTED_DPE_CDI);
        if (err) {
            return err;
        }
    }
    if (!caliptra_fw_draws(fw, draws - 1)) {
        return CALIPTRA_FW_ENTROPY;
    }
    /* the CDI itself is the seed */
    err = caliptra_drv_ecc_keygen(fw, KEY_ID_RT_CDI, KEY_ID_RT_PRIV_KEY, &pub);
    if (err) {
        return err;
    }
    /* the key pair's second draw is that of its consistency check */
    if (!caliptra_fw_draws(fw, draws)) {
        return fw->trng_error ?
               CALIPTRA_ERR_DRIVER_ECC384_KEYGEN_PAIRWISE_CONSISTENCY_FAILURE :
               CALIPTRA_FW_ENTROPY;
    }
    fw->pdata.rt_pub_key = pub;
    fw->pdata.attestation_disabled = true;
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_cmd_disable_attestation(CaliptraFw *fw, const uint8_t *req,
                                          size_t req_len, CaliptraRsp *rsp)
{
    rsp->len = 8;
    return caliptra_dice_disable_attestation(fw);
}

/* ---- QOM properties: what a person or a script asks for ---- */

static char *get_cert_property(CaliptraFw *fw, unsigned i)
{
    uint8_t der[CERT_MAX];

    return g_base64_encode(der, certs[i].make(fw, der));
}

static char *get_csr_property(const uint8_t *csr, uint32_t len)
{
    return g_base64_encode(csr, len == CALIPTRA_CSR_UNPROVISIONED ? 0 : len);
}

static char *get_idevid_csr(Object *obj, Error **errp)
{
    CaliptraPdata *pdata = &CALIPTRA_NATIVE_FW(obj)->pdata;

    return get_csr_property(pdata->idevid_csr, pdata->idevid_csr_len);
}

static char *get_fmc_alias_csr(Object *obj, Error **errp)
{
    CaliptraPdata *pdata = &CALIPTRA_NATIVE_FW(obj)->pdata;

    return get_csr_property(pdata->fmc_alias_csr, pdata->fmc_alias_csr_len);
}

static char *get_ldevid_cert(Object *obj, Error **errp)
{
    return get_cert_property(CALIPTRA_NATIVE_FW(obj), CERT_LDEVID);
}

static char *get_fmc_alias_cert(Object *obj, Error **errp)
{
    return get_cert_property(CALIPTRA_NATIVE_FW(obj), CERT_FMC_ALIAS);
}

static char *get_rt_alias_cert(Object *obj, Error **errp)
{
    return get_cert_property(CALIPTRA_NATIVE_FW(obj), CERT_RT_ALIAS);
}

void caliptra_dice_add_properties(ObjectClass *klass)
{
    static const struct {
        const char *name;
        char *(*get)(Object *obj, Error **errp);
        const char *description;
    } props[] = {
        { "idevid-csr", get_idevid_csr, "IDevID CSR" },
        { "ldevid-cert", get_ldevid_cert, "LDevID certificate" },
        { "fmc-alias-cert", get_fmc_alias_cert, "FMC alias certificate" },
        { "fmc-alias-csr", get_fmc_alias_csr, "FMC alias CSR" },
        { "rt-alias-cert", get_rt_alias_cert, "RT alias certificate" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(props); i++) {
        g_autofree char *text =
            g_strdup_printf("%s: DER in base64, empty if there is none yet",
                            props[i].description);

        object_class_property_add_str(klass, props[i].name, props[i].get,
                                      NULL);
        object_class_property_set_description(klass, props[i].name, text);
    }
}
