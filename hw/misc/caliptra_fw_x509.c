/*
 * Caliptra 1.x core: DER writer, X.509 pieces, CSR and certificate templates
 *
 * Caliptra's firmware has no ASN.1 encoder for its own certificates: it
 * copies a constant TBS and overwrites fields of fixed size at fixed places
 * (caliptra-sw x509/build/build.rs makes the constants, x509/src/cert_bldr.rs
 * wraps them).  Written out from its structure the same bytes result,
 * because no field here ever changes its length.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "qemu/host-utils.h"
#include "caliptra_fw_x509.h"

/* ---- DER ---- */

void caliptra_der_init(CaliptraDer *w, void *buf, size_t size)
{
    *w = (CaliptraDer) { .buf = buf, .size = size };
}

size_t caliptra_der_finish(const CaliptraDer *w)
{
    assert(w->depth == 0);
    return w->overflow ? 0 : w->len;
}

/* make @n bytes of room at @pos; false if the buffer is too small */
static bool der_room(CaliptraDer *w, size_t pos, size_t n)
{
    if (w->overflow || n > w->size - w->len) {
        w->overflow = true;
        return false;
    }
    memmove(w->buf + pos + n, w->buf + pos, w->len - pos);
    w->len += n;
    return true;
}

void caliptra_der_raw(CaliptraDer *w, const void *data, size_t len)
{
    if (der_room(w, w->len, len)) {
        memcpy(w->buf + w->len - len, data, len);
    }
}

static void der_byte(CaliptraDer *w, uint8_t byte)
{
    caliptra_der_raw(w, &byte, 1);
}

void caliptra_der_begin(CaliptraDer *w, uint8_t tag)
{
    assert(w->depth < CALIPTRA_DER_DEPTH);
    der_byte(w, tag);
    w->content[w->depth++] = w->len;
}

void caliptra_der_end(CaliptraDer *w)
{
    size_t pos, len, n;

    assert(w->depth > 0);
    pos = w->content[--w->depth];
    len = w->len - pos;

    /* X.690 8.1.3: one byte up to 127, else their number and the bytes */
    n = len <= 0x7F ? 1 : len <= 0xFF ? 2 : 3;
    assert(len <= 0xFFFF);
    if (!der_room(w, pos, n)) {
        return;
    }
    switch (n) {
    case 1:
        w->buf[pos] = len;
        break;
    case 2:
        w->buf[pos] = 0x81;
        w->buf[pos + 1] = len;
        break;
    case 3:
        w->buf[pos] = 0x82;
        stw_be_p(w->buf + pos + 1, len);
        break;
    }
}

void caliptra_der_bytes(CaliptraDer *w, uint8_t tag, const void *data,
                        size_t len)
{
    caliptra_der_begin(w, tag);
    caliptra_der_raw(w, data, len);
    caliptra_der_end(w);
}

void caliptra_der_integer(CaliptraDer *w, uint8_t tag, const void *data,
                          size_t len)
{
    const uint8_t *p = data;

    while (len > 1 && *p == 0) {
        p++;
        len--;
    }
    caliptra_der_begin(w, tag);
    if (*p & 0x80) {
        der_byte(w, 0);
    }
    caliptra_der_raw(w, p, len);
    caliptra_der_end(w);
}

void caliptra_der_small(CaliptraDer *w, uint8_t value)
{
    caliptra_der_bytes(w, DER_INTEGER, &value, 1);
}

void caliptra_der_boolean(CaliptraDer *w, bool value)
{
    caliptra_der_begin(w, DER_BOOLEAN);
    der_byte(w, value ? 0xFF : 0x00);
    caliptra_der_end(w);
}

/* X.690 8.19: seven bits a byte, most significant first, bit 7 for more */
static void der_subidentifier(CaliptraDer *w, uint32_t value)
{
    int shift = value ? (31 - clz32(value)) / 7 * 7 : 0;

    for (; shift > 0; shift -= 7) {
        der_byte(w, 0x80 | (value >> shift & 0x7F));
    }
    der_byte(w, value & 0x7F);
}

void caliptra_der_oid(CaliptraDer *w, const char *dotted)
{
    unsigned arc, first = 0;
    int i;

    caliptra_der_begin(w, DER_OID);
    for (i = 0; *dotted; i++) {
        if (qemu_strtoui(dotted, &dotted, 10, &arc) < 0) {
            g_assert_not_reached();
        }
        if (*dotted == '.') {
            dotted++;
        }
        if (i == 0) {
            first = arc;
        } else {
            der_subidentifier(w, i == 1 ? 40 * first + arc : arc);
        }
    }
    caliptra_der_end(w);
}

void caliptra_der_bit_string(CaliptraDer *w, uint8_t tag, unsigned unused,
                             const void *data, size_t len)
{
    caliptra_der_begin(w, tag);
    der_byte(w, unused);
    caliptra_der_raw(w, data, len);
    caliptra_der_end(w);
}

/* ---- pieces of certificates ---- */

void caliptra_x509_ecdsa_sha384(CaliptraDer *w)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, OID_ECDSA_WITH_SHA384);
    caliptra_der_end(w);
}

static void x509_rdn(CaliptraDer *w, const char *oid, uint8_t tag,
                     const char *text, size_t len)
{
    caliptra_der_begin(w, DER_SET);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, oid);
    caliptra_der_bytes(w, tag, text, len);
    caliptra_der_end(w);
    caliptra_der_end(w);
}

void caliptra_x509_name(CaliptraDer *w, uint8_t cn_tag, const char *cn,
                        const char sn[CALIPTRA_SN_LEN])
{
    caliptra_der_begin(w, DER_SEQUENCE);
    x509_rdn(w, "2.5.4.3" /* commonName */, cn_tag, cn, strlen(cn));
    x509_rdn(w, "2.5.4.5" /* serialNumber */, DER_PRINTABLE_STRING,
             sn, CALIPTRA_SN_LEN);
    caliptra_der_end(w);
}

void caliptra_x509_validity(CaliptraDer *w,
                            const uint8_t not_before[CALIPTRA_TIME_LEN],
                            const uint8_t not_after[CALIPTRA_TIME_LEN])
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_bytes(w, DER_GENERALIZED_TIME, not_before, CALIPTRA_TIME_LEN);
    caliptra_der_bytes(w, DER_GENERALIZED_TIME, not_after, CALIPTRA_TIME_LEN);
    caliptra_der_end(w);
}

void caliptra_x509_public_key(CaliptraDer *w, const CaliptraEccPub *pub)
{
    uint8_t point[CALIPTRA_POINT_LEN];

    caliptra_x509_point(pub, point);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, "1.2.840.10045.2.1" /* id-ecPublicKey */);
    caliptra_der_oid(w, "1.3.132.0.34" /* secp384r1 */);
    caliptra_der_end(w);
    caliptra_der_bit_string(w, DER_BIT_STRING, 0, point, sizeof(point));
    caliptra_der_end(w);
}

void caliptra_x509_ext_begin(CaliptraDer *w, const char *oid,
                             CaliptraX509Critical critical)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, oid);
    if (critical != X509_CRITICAL_ABSENT) {
        caliptra_der_boolean(w, critical == X509_CRITICAL_TRUE);
    }
    caliptra_der_begin(w, DER_OCTET_STRING);
}

void caliptra_x509_ext_end(CaliptraDer *w)
{
    caliptra_der_end(w);
    caliptra_der_end(w);
}

void caliptra_x509_basic_constraints(CaliptraDer *w, bool ca, int path_len)
{
    caliptra_x509_ext_begin(w, OID_BASIC_CONSTRAINTS, X509_CRITICAL_TRUE);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_boolean(w, ca);
    if (path_len >= 0) {
        caliptra_der_small(w, path_len);
    }
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

void caliptra_x509_key_usage(CaliptraDer *w, uint8_t usage)
{
    caliptra_x509_ext_begin(w, OID_KEY_USAGE, X509_CRITICAL_TRUE);
    caliptra_der_bit_string(w, DER_BIT_STRING, ctz32(usage), &usage, 1);
    caliptra_x509_ext_end(w);
}

void caliptra_x509_ueid(CaliptraDer *w, CaliptraX509Critical critical,
                        const void *ueid, size_t len)
{
    caliptra_x509_ext_begin(w, OID_DICE_UEID, critical);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_bytes(w, DER_OCTET_STRING, ueid, len);
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

void caliptra_x509_subject_key_id(CaliptraDer *w,
                                  CaliptraX509Critical critical,
                                  const uint8_t id[CALIPTRA_KEY_ID_LEN])
{
    caliptra_x509_ext_begin(w, OID_SUBJECT_KEY_IDENTIFIER, critical);
    caliptra_der_bytes(w, DER_OCTET_STRING, id, CALIPTRA_KEY_ID_LEN);
    caliptra_x509_ext_end(w);
}

void caliptra_x509_authority_key_id(CaliptraDer *w,
                                    CaliptraX509Critical critical,
                                    const uint8_t id[CALIPTRA_KEY_ID_LEN])
{
    caliptra_x509_ext_begin(w, OID_AUTHORITY_KEY_IDENTIFIER, critical);
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_bytes(w, DER_CONTEXT(0) /* keyIdentifier */,
                       id, CALIPTRA_KEY_ID_LEN);
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

void caliptra_x509_fwid(CaliptraDer *w, const uint8_t digest[48])
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_oid(w, OID_SHA384);
    caliptra_der_bytes(w, DER_OCTET_STRING, digest, 48);
    caliptra_der_end(w);
}

void caliptra_x509_sig_value(CaliptraDer *w, const CaliptraEccSig *sig)
{
    caliptra_der_begin(w, DER_SEQUENCE);
    caliptra_der_integer(w, DER_INTEGER, sig->r, sizeof(sig->r));
    caliptra_der_integer(w, DER_INTEGER, sig->s, sizeof(sig->s));
    caliptra_der_end(w);
}

void caliptra_x509_signature(CaliptraDer *w, const CaliptraEccSig *sig)
{
    caliptra_x509_ecdsa_sha384(w);
    caliptra_der_begin(w, DER_BIT_STRING);
    der_byte(w, 0);
    caliptra_x509_sig_value(w, sig);
    caliptra_der_end(w);
}

size_t caliptra_x509_wrap(uint8_t *out, size_t size,
                          const uint8_t *tbs, size_t tbs_len,
                          const CaliptraEccSig *sig)
{
    const size_t outer_header = 4;
    CaliptraDer w;

    caliptra_der_init(&w, out, size);
    caliptra_der_begin(&w, DER_SEQUENCE);
    caliptra_der_raw(&w, tbs, tbs_len);
    caliptra_x509_signature(&w, sig);
    if (outer_header + w.len - w.content[0] > size) {
        return 0;
    }
    caliptra_der_end(&w);
    return caliptra_der_finish(&w);
}

void caliptra_x509_point(const CaliptraEccPub *pub,
                         uint8_t point[CALIPTRA_POINT_LEN])
{
    point[0] = 0x04; /* SEC 1, 2.3.3: uncompressed */
    memcpy(point + 1, pub->x, sizeof(pub->x));
    memcpy(point + 1 + sizeof(pub->x), pub->y, sizeof(pub->y));
}

void caliptra_x509_serial_text(const uint8_t digest[32],
                               char sn[CALIPTRA_SN_LEN])
{
    static const char hex[] = "0123456789ABCDEF";

    for (int i = 0; i < CALIPTRA_SN_LEN / 2; i++) {
        sn[2 * i] = hex[digest[i] >> 4];
        sn[2 * i + 1] = hex[digest[i] & 0xF];
    }
}

/* ---- the templates ---- */

/* TcbInfo of the TCG DICE attestation architecture, all tags implicit */
enum {
    TCB_INFO_SVN = 3,
    TCB_INFO_FWIDS = 6,
    TCB_INFO_FLAGS = 7,
    TCB_INFO_TYPE = 9,
    TCB_INFO_FLAGS_MASK = 10,
};

/* not configured, not secure, debug; the last bit keeps the width */
static const uint8_t tcb_info_flags_mask[4] = { 0xD0, 0x00, 0x00, 0x01 };

static void tcb_info_svn(CaliptraDer *w, uint8_t svn)
{
    /* the template has room for two bytes, the first of which stays 1 */
    const uint8_t value[2] = { 0x01, svn };

    caliptra_der_integer(w, DER_CONTEXT(TCB_INFO_SVN), value, sizeof(value));
}

static void tcb_info_fwids(CaliptraDer *w, const uint8_t digest[48])
{
    caliptra_der_begin(w, DER_CONTEXT_CONS(TCB_INFO_FWIDS));
    caliptra_x509_fwid(w, digest);
    caliptra_der_end(w);
}

static void tcb_info_type(CaliptraDer *w, const char *type)
{
    caliptra_der_bytes(w, DER_CONTEXT(TCB_INFO_TYPE), type, strlen(type));
}

static void fmc_alias_tcb_info(CaliptraDer *w, const CaliptraX509Params *p)
{
    caliptra_x509_ext_begin(w, OID_DICE_MULTI_TCB_INFO, X509_CRITICAL_ABSENT);
    caliptra_der_begin(w, DER_SEQUENCE);

    caliptra_der_begin(w, DER_SEQUENCE);
    tcb_info_svn(w, p->fmc_fuse_svn);
    tcb_info_fwids(w, p->device_info_hash);
    caliptra_der_bit_string(w, DER_CONTEXT(TCB_INFO_FLAGS), 0,
                            p->flags, sizeof(p->flags));
    tcb_info_type(w, "DEVICE_INFO");
    caliptra_der_bit_string(w, DER_CONTEXT(TCB_INFO_FLAGS_MASK), 0,
                            tcb_info_flags_mask, sizeof(tcb_info_flags_mask));
    caliptra_der_end(w);

    caliptra_der_begin(w, DER_SEQUENCE);
    tcb_info_svn(w, p->fmc_svn);
    tcb_info_fwids(w, p->fmc_tci);
    tcb_info_type(w, "FMC_INFO");
    caliptra_der_end(w);

    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

static void rt_alias_tcb_info(CaliptraDer *w, const CaliptraX509Params *p)
{
    caliptra_x509_ext_begin(w, OID_DICE_TCB_INFO, X509_CRITICAL_ABSENT);
    caliptra_der_begin(w, DER_SEQUENCE);
    tcb_info_svn(w, p->rt_svn);
    tcb_info_fwids(w, p->rt_tci);
    tcb_info_type(w, "RT_INFO");
    caliptra_der_end(w);
    caliptra_x509_ext_end(w);
}

static const struct {
    const char *subject;
    const char *issuer;     /* NULL: a CSR */
    uint8_t path_len;
    uint8_t key_usage;
    void (*tcb_info)(CaliptraDer *w, const CaliptraX509Params *p);
} x509_templates[] = {
    [CALIPTRA_X509_IDEVID_CSR] = {
        .subject = "Caliptra 1.0 IDevID",
        .path_len = 5,
        .key_usage = X509_KEY_CERT_SIGN,
    },
    [CALIPTRA_X509_LDEVID] = {
        .subject = "Caliptra 1.0 LDevID",
        .issuer = "Caliptra 1.0 IDevID",
        .path_len = 4,
        .key_usage = X509_KEY_CERT_SIGN,
    },
    [CALIPTRA_X509_FMC_ALIAS] = {
        .subject = "Caliptra 1.0 FMC Alias",
        .issuer = "Caliptra 1.0 LDevID",
        .path_len = 3,
        .key_usage = X509_KEY_CERT_SIGN,
        .tcb_info = fmc_alias_tcb_info,
    },
    [CALIPTRA_X509_FMC_ALIAS_CSR] = {
        .subject = "Caliptra 1.0 FMC Alias",
        .path_len = 5,
        .key_usage = X509_KEY_CERT_SIGN,
    },
    [CALIPTRA_X509_FMC_ALIAS_CSR_TCB_INFO] = {
        .subject = "Caliptra 1.0 FMC Alias",
        .path_len = 3,
        .key_usage = X509_KEY_CERT_SIGN,
        .tcb_info = fmc_alias_tcb_info,
    },
    [CALIPTRA_X509_RT_ALIAS] = {
        .subject = "Caliptra 1.0 Rt Alias",
        .issuer = "Caliptra 1.0 FMC Alias",
        .path_len = 2,
        .key_usage = X509_DIGITAL_SIGNATURE | X509_KEY_CERT_SIGN,
        .tcb_info = rt_alias_tcb_info,
    },
};

size_t caliptra_x509_tbs(CaliptraX509Template template,
                         const CaliptraX509Params *p,
                         uint8_t *out, size_t size)
{
    const char *issuer = x509_templates[template].issuer;
    const char *subject = x509_templates[template].subject;
    CaliptraDer w;

    caliptra_der_init(&w, out, size);
    caliptra_der_begin(&w, DER_SEQUENCE);

    if (issuer) {
        /* TBSCertificate */
        caliptra_der_begin(&w, DER_CONTEXT_CONS(0));
        caliptra_der_small(&w, 2 /* v3 */);
        caliptra_der_end(&w);
        caliptra_der_bytes(&w, DER_INTEGER, p->serial, sizeof(p->serial));
        caliptra_x509_ecdsa_sha384(&w);
        caliptra_x509_name(&w, DER_UTF8_STRING, issuer, p->issuer_sn);
        caliptra_x509_validity(&w, p->not_before, p->not_after);
    } else {
        /* CertificationRequestInfo */
        caliptra_der_small(&w, 0 /* v1 */);
    }

    caliptra_x509_name(&w, DER_UTF8_STRING, subject, p->subject_sn);
    caliptra_x509_public_key(&w, &p->public_key);

    if (issuer) {
        caliptra_der_begin(&w, DER_CONTEXT_CONS(3));
        caliptra_der_begin(&w, DER_SEQUENCE);
    } else {
        caliptra_der_begin(&w, DER_CONTEXT_CONS(0));
        caliptra_der_begin(&w, DER_SEQUENCE);
        caliptra_der_oid(&w, OID_EXTENSION_REQUEST);
        caliptra_der_begin(&w, DER_SET);
        caliptra_der_begin(&w, DER_SEQUENCE);
    }

    caliptra_x509_basic_constraints(&w, true,
                                    x509_templates[template].path_len);
    caliptra_x509_key_usage(&w, x509_templates[template].key_usage);
    caliptra_x509_ueid(&w, X509_CRITICAL_ABSENT, p->ueid, sizeof(p->ueid));
    if (x509_templates[template].tcb_info) {
        x509_templates[template].tcb_info(&w, p);
    }
    if (issuer) {
        caliptra_x509_subject_key_id(&w, X509_CRITICAL_ABSENT,
                                     p->subject_key_id);
        caliptra_x509_authority_key_id(&w, X509_CRITICAL_ABSENT,
                                       p->authority_key_id);
    }

    while (w.depth) {
        caliptra_der_end(&w);
    }
    return caliptra_der_finish(&w);
}
