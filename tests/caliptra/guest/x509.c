/*
 * Just enough of DER and PEM for Caliptra's certificates
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

/* Tags (X.690) */
#define TAG_BIT_STRING  0x03
#define TAG_OID         0x06
#define TAG_INTEGER     0x02
#define TAG_SEQUENCE    0x30
#define TAG_SET         0x31
#define TAG_CONTEXT_0   0xA0

#define PEM_LINE_BYTES  48

/*
 * SubjectPublicKeyInfo of a P-384 key (RFC 5480) up to the coordinates:
 * id-ecPublicKey, secp384r1, an uncompressed point
 */
static const uint8_t spki_p384[] = {
    0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
    0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04,
};

/*
 * Take the next element off @in, which must have this tag; @whole, if it is
 * wanted, is the element with its header
 */
static bool der_take(Der *in, uint8_t tag, Der *content, Der *whole)
{
    const uint8_t *p = in->data;
    size_t i, len, header = 2;

    if (in->len < 2 || p[0] != tag) {
        return false;
    }
    len = p[1];
    if (len & 0x80) {
        header += len & 0x7F;
        if (header > 4 || header > in->len) {
            return false;
        }
        for (i = 2, len = 0; i < header; i++) {
            len = len << 8 | p[i];
        }
    }
    if (len > in->len - header) {
        return false;
    }
    content->data = p + header;
    content->len = len;
    if (whole) {
        whole->data = p;
        whole->len = header + len;
    }
    in->data += header + len;
    in->len -= header + len;
    return true;
}

/* an INTEGER of at most P384_SIZE bytes, as so many bytes */
static bool take_scalar(Der *in, uint8_t *scalar)
{
    Der value;

    if (!der_take(in, TAG_INTEGER, &value, NULL)) {
        return false;
    }
    while (value.len && !value.data[0]) {
        value.data++;
        value.len--;
    }
    if (value.len > P384_SIZE) {
        return false;
    }
    memset(scalar, 0, P384_SIZE);
    memcpy(scalar + P384_SIZE - value.len, value.data, value.len);
    return true;
}

bool x509_parse(X509 *x, const void *cert, size_t len)
{
    Der in = { cert, len }, outer, tbs, skip, bits, sig;

    if (!der_take(&in, TAG_SEQUENCE, &outer, NULL) || in.len ||
        !der_take(&outer, TAG_SEQUENCE, &tbs, &x->tbs) ||
        !der_take(&outer, TAG_SEQUENCE, &skip, NULL) ||
        !der_take(&outer, TAG_BIT_STRING, &bits, NULL) || !bits.len) {
        return false;
    }
    /* the bit string's first byte counts unused bits */
    bits.data++;
    bits.len--;
    if (!der_take(&bits, TAG_SEQUENCE, &sig, NULL) ||
        !take_scalar(&sig, x->r) || !take_scalar(&sig, x->s)) {
        return false;
    }
    if (der_take(&tbs, TAG_CONTEXT_0, &skip, NULL)) {
        /* a certificate: serialNumber, signature, issuer, validity */
        if (!der_take(&tbs, TAG_INTEGER, &skip, NULL) ||
            !der_take(&tbs, TAG_SEQUENCE, &skip, NULL) ||
            !der_take(&tbs, TAG_SEQUENCE, &x->issuer, NULL) ||
            !der_take(&tbs, TAG_SEQUENCE, &skip, NULL)) {
            return false;
        }
    } else if (!der_take(&tbs, TAG_INTEGER, &skip, NULL)) {
        return false;
    }
    if (!der_take(&tbs, TAG_SEQUENCE, &x->subject, NULL) ||
        tbs.len < sizeof(spki_p384) + P384_POINT_SIZE ||
        memcmp(tbs.data, spki_p384, sizeof(spki_p384))) {
        return false;
    }
    x->point = tbs.data + sizeof(spki_p384);
    return true;
}

void x509_put_name(Der name)
{
    /* OIDs of RFC 5280, appendix A */
    static const struct {
        uint8_t oid[3];
        const char *name;
    } types[] = {
        { { 0x55, 0x04, 0x03 }, "CN" },
        { { 0x55, 0x04, 0x05 }, "serialNumber" },
    };
    Der set, pair, oid;
    size_t i, k;

    while (der_take(&name, TAG_SET, &set, NULL) &&
           der_take(&set, TAG_SEQUENCE, &pair, NULL) &&
           der_take(&pair, TAG_OID, &oid, NULL)) {
        for (i = 0; i < ARRAY_SIZE(types); i++) {
            if (oid.len == sizeof(types[i].oid) && pair.len > 2 &&
                !memcmp(oid.data, types[i].oid, oid.len)) {
                put_name(types[i].name);
                /* a short string, of whatever kind */
                for (k = 2; k < pair.len; k++) {
                    put_char(pair.data[k]);
                }
                put("\n");
            }
        }
    }
}

static void base64_put(const uint8_t *data, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "abcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t word;
    size_t i, k;

    for (i = 0; i < len; i += 3) {
        word = data[i] << 16;
        word |= i + 1 < len ? data[i + 1] << 8 : 0;
        word |= i + 2 < len ? data[i + 2] : 0;
        for (k = 0; k < 4; k++) {
            put_char(i + k <= len ? digits[word >> (18 - 6 * k) & 63] : '=');
        }
    }
}

void pem_put(const char *label, const void *der, size_t len)
{
    const uint8_t *p = der;
    size_t i;

    put("-----BEGIN ");
    put(label);
    put("-----\n");
    for (i = 0; i < len; i += PEM_LINE_BYTES) {
        base64_put(p + i, len - i < PEM_LINE_BYTES ? len - i : PEM_LINE_BYTES);
        put("\n");
    }
    put("-----END ");
    put(label);
    put("-----\n");
}

void pem_put_point(const uint8_t *point)
{
    uint8_t spki[sizeof(spki_p384) + P384_POINT_SIZE];

    memcpy(spki, spki_p384, sizeof(spki_p384));
    memcpy(spki + sizeof(spki_p384), point, P384_POINT_SIZE);
    pem_put("PUBLIC KEY", spki, sizeof(spki));
}
