/*
 * Caliptra 1.x core: DER writer, X.509 pieces, CSR and certificate templates
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FW_X509_H
#define HW_MISC_CALIPTRA_FW_X509_H

/* P-384 numbers as natural bytes, most significant first */
typedef struct CaliptraEccPub {
    uint8_t x[48];
    uint8_t y[48];
} CaliptraEccPub;

typedef struct CaliptraEccSig {
    uint8_t r[48];
    uint8_t s[48];
} CaliptraEccSig;

/* ---- DER (ITU-T X.690) ---- */

/* identifier octets */
enum {
    DER_BOOLEAN = 0x01,
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_OID = 0x06,
    DER_UTF8_STRING = 0x0C,
    DER_PRINTABLE_STRING = 0x13,
    DER_GENERALIZED_TIME = 0x18,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};
/* context-specific tag: [n] IMPLICIT of a primitive type */
#define DER_CONTEXT(n)      (0x80 | (n))
/* context-specific tag: [n] EXPLICIT, or [n] IMPLICIT of a constructed type */
#define DER_CONTEXT_CONS(n) (0xA0 | (n))

#define CALIPTRA_DER_DEPTH  20

/**
 * CaliptraDer: writes DER front to back into a caller's buffer
 *
 * What does not fit is dropped and remembered: nothing is ever written beyond
 * @size bytes, and caliptra_der_finish() tells.
 */
typedef struct CaliptraDer {
    uint8_t *buf;
    size_t size;
    size_t len;
    bool overflow;
    unsigned depth;
    size_t content[CALIPTRA_DER_DEPTH];
} CaliptraDer;

void caliptra_der_init(CaliptraDer *w, void *buf, size_t size);
/* Returns: bytes written, or 0 if they did not fit */
size_t caliptra_der_finish(const CaliptraDer *w);

/* Everything written between the two becomes the content of one element. */
void caliptra_der_begin(CaliptraDer *w, uint8_t tag);
void caliptra_der_end(CaliptraDer *w);

/* @len bytes that are DER already */
void caliptra_der_raw(CaliptraDer *w, const void *data, size_t len);
/* a primitive element with @len content bytes as they are */
void caliptra_der_bytes(CaliptraDer *w, uint8_t tag, const void *data,
                        size_t len);
/* an unsigned INTEGER from @len big-endian bytes, shortest form */
void caliptra_der_integer(CaliptraDer *w, uint8_t tag, const void *data,
                          size_t len);
/* an INTEGER of 0..127 */
void caliptra_der_small(CaliptraDer *w, uint8_t value);
void caliptra_der_boolean(CaliptraDer *w, bool value);
/* @dotted: "2.5.4.3" */
void caliptra_der_oid(CaliptraDer *w, const char *dotted);
/* a BIT STRING of @len whole bytes, its last @unused bits left out */
void caliptra_der_bit_string(CaliptraDer *w, uint8_t tag, unsigned unused,
                             const void *data, size_t len);

/* ---- pieces of certificates (RFC 5280, RFC 5480, TCG DICE) ---- */

#define OID_ECDSA_WITH_SHA384       "1.2.840.10045.4.3.3"
#define OID_SHA384                  "2.16.840.1.101.3.4.2.2"
#define OID_EXTENSION_REQUEST       "1.2.840.113549.1.9.14"
#define OID_SUBJECT_KEY_IDENTIFIER  "2.5.29.14"
#define OID_KEY_USAGE               "2.5.29.15"
#define OID_BASIC_CONSTRAINTS       "2.5.29.19"
#define OID_AUTHORITY_KEY_IDENTIFIER "2.5.29.35"
#define OID_DICE_TCB_INFO           "2.23.133.5.4.1"
#define OID_DICE_UEID               "2.23.133.5.4.4"
#define OID_DICE_MULTI_TCB_INFO     "2.23.133.5.4.5"

#define CALIPTRA_SN_LEN     64      /* characters of a name's serialNumber */
#define CALIPTRA_KEY_ID_LEN 20
#define CALIPTRA_TIME_LEN   15      /* GeneralizedTime to the second, Z */
#define CALIPTRA_UEID_LEN   17

/* validity of a certificate that no manifest gives dates */
#define CALIPTRA_NOT_BEFORE "20230101000000Z"
#define CALIPTRA_NOT_AFTER  "99991231235959Z"

/* KeyUsage, first byte of the BIT STRING */
enum {
    X509_DIGITAL_SIGNATURE = 0x80,
    X509_KEY_CERT_SIGN = 0x04,
};

/* how the DEFAULT FALSE field of an extension is written */
typedef enum CaliptraX509Critical {
    X509_CRITICAL_ABSENT,
    X509_CRITICAL_FALSE,            /* explicit: not DER, but DPE does it */
    X509_CRITICAL_TRUE,
} CaliptraX509Critical;

/* AlgorithmIdentifier ecdsa-with-SHA384, without parameters */
void caliptra_x509_ecdsa_sha384(CaliptraDer *w);
/*
 * Name of two RDNs: commonName (@cn_tag: DER_UTF8_STRING or
 * DER_PRINTABLE_STRING) and serialNumber
 */
void caliptra_x509_name(CaliptraDer *w, uint8_t cn_tag, const char *cn,
                        const char sn[CALIPTRA_SN_LEN]);
void caliptra_x509_validity(CaliptraDer *w,
                            const uint8_t not_before[CALIPTRA_TIME_LEN],
                            const uint8_t not_after[CALIPTRA_TIME_LEN]);
/* SubjectPublicKeyInfo of an uncompressed P-384 point */
void caliptra_x509_public_key(CaliptraDer *w, const CaliptraEccPub *pub);

/* Extension: between the two comes the extension's value */
void caliptra_x509_ext_begin(CaliptraDer *w, const char *oid,
                             CaliptraX509Critical critical);
void caliptra_x509_ext_end(CaliptraDer *w);
/* @path_len: negative for none */
void caliptra_x509_basic_constraints(CaliptraDer *w, bool ca, int path_len);
/* @usage: X509_* bits, at least one */
void caliptra_x509_key_usage(CaliptraDer *w, uint8_t usage);
void caliptra_x509_ueid(CaliptraDer *w, CaliptraX509Critical critical,
                        const void *ueid, size_t len);
void caliptra_x509_subject_key_id(CaliptraDer *w,
                                  CaliptraX509Critical critical,
                                  const uint8_t id[CALIPTRA_KEY_ID_LEN]);
void caliptra_x509_authority_key_id(CaliptraDer *w,
                                    CaliptraX509Critical critical,
                                    const uint8_t id[CALIPTRA_KEY_ID_LEN]);
/* FWID: SEQUENCE { sha-384, OCTET STRING } */
void caliptra_x509_fwid(CaliptraDer *w, const uint8_t digest[48]);

/* ECDSA-Sig-Value */
void caliptra_x509_sig_value(CaliptraDer *w, const CaliptraEccSig *sig);
/* what follows what is signed: AlgorithmIdentifier, BIT STRING */
void caliptra_x509_signature(CaliptraDer *w, const CaliptraEccSig *sig);

/**
 * caliptra_x509_wrap: a certificate or CSR from its signed part
 * @out: @size bytes
 * @tbs: @tbs_len bytes, DER of the signed part
 * @sig: ECDSA signature
 *
 * As the firmware's builder (caliptra-sw x509/src/cert_bldr.rs) does, it
 * wants room for four bytes of outer header, however many are used.
 *
 * Returns: bytes written, or 0 if they do not fit.
 */
size_t caliptra_x509_wrap(uint8_t *out, size_t size,
                          const uint8_t *tbs, size_t tbs_len,
                          const CaliptraEccSig *sig);

/* 0x04 || X || Y, as hashed for names and key identifiers */
#define CALIPTRA_POINT_LEN 97
void caliptra_x509_point(const CaliptraEccPub *pub,
                         uint8_t point[CALIPTRA_POINT_LEN]);
/* upper-case hexadecimal text of the first 32 bytes of a digest */
void caliptra_x509_serial_text(const uint8_t digest[32],
                               char sn[CALIPTRA_SN_LEN]);

/* ---- the templates (caliptra-sw x509/build) ---- */

typedef enum CaliptraX509Template {
    CALIPTRA_X509_IDEVID_CSR,
    CALIPTRA_X509_LDEVID,
    CALIPTRA_X509_FMC_ALIAS,
    CALIPTRA_X509_FMC_ALIAS_CSR,
    CALIPTRA_X509_FMC_ALIAS_CSR_TCB_INFO,   /* FMC 1.2.3 and later */
    CALIPTRA_X509_RT_ALIAS,
} CaliptraX509Template;

/* what differs from part to part; a template takes what it has a place for */
typedef struct CaliptraX509Params {
    CaliptraEccPub public_key;
    char subject_sn[CALIPTRA_SN_LEN];
    uint8_t ueid[CALIPTRA_UEID_LEN];
    /* certificates */
    uint8_t serial[20];
    char issuer_sn[CALIPTRA_SN_LEN];
    uint8_t not_before[CALIPTRA_TIME_LEN];
    uint8_t not_after[CALIPTRA_TIME_LEN];
    uint8_t subject_key_id[CALIPTRA_KEY_ID_LEN];
    uint8_t authority_key_id[CALIPTRA_KEY_ID_LEN];
    /* FMC alias certificate, FMC alias CSR with TcbInfo */
    uint8_t fmc_fuse_svn;
    uint8_t fmc_svn;
    uint8_t device_info_hash[48];
    uint8_t flags[4];
    uint8_t fmc_tci[48];
    /* RT alias certificate */
    uint8_t rt_svn;
    uint8_t rt_tci[48];
} CaliptraX509Params;

/**
 * caliptra_x509_tbs: the signed part of a certificate or CSR
 * @template: which one
 * @p: its parameters
 * @out: @size bytes; 1024 are enough for each
 *
 * Returns: bytes written (322, 552, 753, 325, 529, 649), or 0 if they do not
 * fit.
 */
size_t caliptra_x509_tbs(CaliptraX509Template template,
                         const CaliptraX509Params *p,
                         uint8_t *out, size_t size);

#endif /* HW_MISC_CALIPTRA_FW_X509_H */
