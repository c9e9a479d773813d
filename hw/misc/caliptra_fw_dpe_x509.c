/*
 * Caliptra 1.x core: certificates of the DICE Protection Environment
 *
 * Source: caliptra-dpe dpe/src/x509.rs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_fw.h"
#include "caliptra_fw_dpe_internal.h"

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
    TCB_INFO_FLAGS_MASK = 10,   /* which 1.2.1 to 1.2.3 take for the next */
    TCB_INFO_INTEGRITY_REGISTERS = 11,
};

/* IntegrityRegister of the same */
enum {
    INTEGRITY_REGISTER_NUM = 1,
    INTEGRITY_REGISTER_DIGESTS = 2,
};

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

/* How an extension says that it is not critical; @der_since: not at all */
static CaliptraX509Critical dpe_not_critical(DpeEnv *env,
                                             CaliptraRtTrait der_since)
{
    return caliptra_rt_has(env->fw, der_since) ? X509_CRITICAL_ABSENT :
                                                 X509_CRITICAL_FALSE;
}

/* those of DICE */
static CaliptraX509Critical dpe_dice_critical(DpeEnv *env)
{
    return caliptra_rt_has(env->fw, CALIPTRA_RT_DICE_NOT_CRITICAL) ?
           dpe_not_critical(env, CALIPTRA_RT_DER) : X509_CRITICAL_TRUE;
}

/* The journey as the one integrity register */
static void dpe_put_integrity_registers(DpeEnv *env, CaliptraDer *w,
                                        const uint8_t journey[DPE_TCI_SIZE])
{
    static const uint8_t register_num;

    caliptra_der_begin(w, DER_CONTEXT_CONS(
        caliptra_rt_has(env->fw, CALIPTRA_RT_REGISTERS_TAG) ?
        TCB_INFO_INTEGRITY_REGISTERS : TCB_INFO_FLAGS_MASK));
    caliptra_der_begin(w, DER_SEQUENCE);
    if (caliptra_rt_has(env->fw, CALIPTRA_RT_REGISTER_NUM)) {
        caliptra_der_bytes(w, DER_CONTEXT(INTEGRITY_REGISTER_NUM),
                           &register_num, sizeof(register_num));
    }
    caliptra_der_begin(w, DER_CONTEXT_CONS(INTEGRITY_REGISTER_DIGESTS));
    caliptra_x509_fwid(w, journey);
    caliptra_der_end(w);
    caliptra_der_end(w);
    caliptra_der_end(w);
}

/* One node; exported certificates show no journey */
static void dpe_put_tcb_info(DpeEnv *env, CaliptraDer *w,
                             const CaliptraDpeContext *c, bool journey)
{
    bool registers = caliptra_rt_has(env->fw, CALIPTRA_RT_JOURNEY_REGISTERS);
    uint8_t locality[4], type[4];

    stl_be_p(locality, c->tci_locality);
    stl_le_p(type, c->tci_type);

    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_begin(w, DER_CONTEXT_CONS(TCB_INFO_FWIDS));
    caliptra_x509_fwid(w, c->tci_current);
    if (journey && !registers) {
        caliptra_x509_fwid(w, c->tci_cumulative);
    }
    caliptra_der_end(w);
    caliptra_der_bytes(w, DER_CONTEXT(TCB_INFO_VENDOR_INFO),
                       locality, sizeof(locality));
    caliptra_der_bytes(w, DER_CONTEXT(TCB_INFO_TYPE), type, sizeof(type));
    if (journey && registers) {
        dpe_put_integrity_registers(env, w, c->tci_cumulative);
    }
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

    caliptra_x509_ext_begin(w, OID_DICE_MULTI_TCB_INFO,
                            dpe_dice_critical(env));
    caliptra_der_begin(w, DER_SEQUENCE);
    while (n > 0) {
        dpe_put_tcb_info(env, w, &env->dpe->contexts[path[--n]],
                         !cert->exported);
    }
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

static void dpe_put_basic_constraints(DpeEnv *env, CaliptraDer *w, bool ca)
{
    if (ca || !caliptra_rt_has(env->fw, CALIPTRA_RT_DER)) {
        caliptra_x509_basic_constraints(w, ca, -1);
        return;
    }
    caliptra_x509_ext_begin(w, OID_BASIC_CONSTRAINTS, X509_CRITICAL_TRUE);
    caliptra_der_begin(w, DER_SEQUENCE);
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
    caliptra_x509_ext_begin(w, OID_SUBJECT_ALT_NAME,
                            dpe_not_critical(env, CALIPTRA_RT_KEY_IDS_DER));
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
    caliptra_x509_ueid(w, dpe_dice_critical(env), cert->ueid, cert->ueid_len);
    dpe_put_basic_constraints(env, w, cert->exported);
    caliptra_x509_key_usage(w, X509_DIGITAL_SIGNATURE |
                            (cert->exported ? X509_KEY_CERT_SIGN : 0));
    dpe_put_ext_key_usage(w, cert);
    if (cert->exported) {
        caliptra_x509_subject_key_id(w, dpe_not_critical(env, CALIPTRA_RT_DER),
                                     cert->subject_key_id);
    }
    if (!csr) {
        caliptra_x509_authority_key_id(w,
            dpe_not_critical(env, CALIPTRA_RT_KEY_IDS_DER),
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

static DpeStatus dpe_sign_with_alias(DpeEnv *env, const uint8_t digest[48],
                                     CaliptraEccSig *sig)
{
    return caliptra_dpe_driver_status(env,
        caliptra_drv_ecc_sign(env->fw, KEY_ID_RT_PRIV_KEY,
                              &env->fw->pdata.rt_pub_key, digest, sig));
}

DpeStatus caliptra_dpe_make_certificate(DpeEnv *env, DpeCert *cert,
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

DpeStatus caliptra_dpe_make_csr(DpeEnv *env, DpeCert *cert,
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
    status = caliptra_dpe_driver_status(env,
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
