/*
 * Files that hold the OTP of an ASPEED AST2700
 *
 * The layout is that of ASPEED's otptool (socsec, socsec/otptool.py) and of
 * U-Boot's reader of its images (cmd/aspeed/otp_ast2700.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "crypto/hash.h"
#include "hw/nvram/aspeed_otp_ast2700.h"
#include "aspeed_otp_image.h"

/* Header; all fields behind the magic are 32 bits, little-endian */
#define OTP_MAGIC               "SOCOTP\0"
#define OTP_MAGIC_LEN           8
#define OTP_SOC_VERSION         0x08
#define   OTP_SOC_AST2700A1         9
#define   OTP_SOC_AST2700A2         10
#define OTP_IMAGE_INFO          0x10
#define OTP_REGION_INFO(n)      (0x14 + 4 * (n))
/* behind the descriptors, of which old images lack one: the checksum's place */
#define OTP_HEADER_END(n)       (OTP_REGION_INFO(n) + 4)
#define OTP_CHECKSUM_LEN        48

typedef struct OtpRegion {
    const char *name;
    uint32_t included;          /* bit of image_info */
    uint16_t start;             /* first word */
    uint16_t size;              /* bytes */
} OtpRegion;

/* in the order of descriptors and payload */
static const OtpRegion otp_regions[] = {
    { "ROM", BIT(31), ASPEED_OTP_ROM, 1984 },
    { "RBP", BIT(30), ASPEED_OTP_RBP, 64 },
    { "CONF", BIT(29), ASPEED_OTP_CONF, 64 },
    /* value and protection, the other way round in the OTP */
    { "STRAP", BIT(28), ASPEED_OTP_STRAP, 8 },
    { "STRAPEXT", BIT(27), ASPEED_OTP_STRAP_EXT, 32 },
    { "SECURE", BIT(26), ASPEED_OTP_SECURE, 6144 },
    { "CALIPTRA", BIT(25), ASPEED_OTP_CALIPTRA, 1792 },
    { "USER", BIT(24), ASPEED_OTP_USER, 6016 },
};

static void otp_copy_words(uint16_t *to, const uint8_t *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = lduw_le_p(from + 2 * i);
    }
}

static bool otp_parse_region(const OtpRegion *r, uint32_t descriptor,
                             bool included, const uint8_t *data, size_t *pos,
                             size_t end, uint16_t *words, Error **errp)
{
    size_t offset = extract32(descriptor, 0, 16);
    size_t size = extract32(descriptor, 16, 16);

    if (!included && size == 0) {
        return true;
    }
    if (!included || size != r->size) {
        error_setg(errp, "region %s has %zu bytes, must have %u", r->name,
                   size, included ? r->size : 0);
        return false;
    }
    if (offset < *pos || offset + size > end) {
        error_setg(errp, "region %s is at 0x%zx to 0x%zx, must be within "
                   "0x%zx to 0x%zx", r->name, offset, offset + size, *pos,
                   end);
        return false;
    }
    *pos = offset + size;
    if (r->start == ASPEED_OTP_STRAP) {
        otp_copy_words(words + ASPEED_OTP_STRAP_OPTION(0), data + offset, 2);
        otp_copy_words(words + ASPEED_OTP_STRAP_PROTECT, data + offset + 4, 2);
    } else {
        otp_copy_words(words + r->start, data + offset, size / 2);
    }
    return true;
}

static bool otp_parse_regions(const uint8_t *data, size_t len,
                              uint16_t *words, Error **errp)
{
    g_autofree uint8_t *checksum = NULL;
    size_t checksum_len = 0;
    unsigned n = ARRAY_SIZE(otp_regions);
    uint32_t info, soc;
    size_t end, pos;

    if (len < OTP_HEADER_END(n)) {
        error_setg(errp, "the file is shorter than an OTP image's header");
        return false;
    }
    info = ldl_le_p(data + OTP_IMAGE_INFO);
    end = extract32(info, 0, 16);
    if (ldl_le_p(data + OTP_REGION_INFO(n)) != end) {
        n--;
    }
    pos = OTP_HEADER_END(n);
    if (ldl_le_p(data + OTP_REGION_INFO(n)) != end || end < pos) {
        error_setg(errp, "damaged header: the checksum is at 0x%x, must be "
                   "at 0x%zx", ldl_le_p(data + OTP_REGION_INFO(n)), end);
        return false;
    }
    if (end + OTP_CHECKSUM_LEN > len) {
        error_setg(errp, "truncated: %zu bytes, must have %zu", len,
                   end + OTP_CHECKSUM_LEN);
        return false;
    }
    if (qcrypto_hash_bytes(QCRYPTO_HASH_ALGO_SHA384, (const char *)data, end,
                           &checksum, &checksum_len, errp) < 0) {
        return false;
    }
    if (memcmp(checksum, data + end, OTP_CHECKSUM_LEN)) {
        error_setg(errp, "the SHA-384 checksum is wrong: the image is "
                   "damaged or truncated");
        return false;
    }
    soc = ldl_le_p(data + OTP_SOC_VERSION);
    if (soc != OTP_SOC_AST2700A1 && soc != OTP_SOC_AST2700A2) {
        error_setg(errp, "made for SoC version %u, must be %u (AST2700A1) or "
                   "%u (AST2700A2)", soc, OTP_SOC_AST2700A1,
                   OTP_SOC_AST2700A2);
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        const OtpRegion *r = &otp_regions[i];

        if (!otp_parse_region(r, ldl_le_p(data + OTP_REGION_INFO(i)),
                              info & r->included, data, &pos, end, words,
                              errp)) {
            return false;
        }
    }
    return true;
}

static bool otp_has_puf(const uint16_t *words)
{
    for (int i = ASPEED_OTP_PUF; i < ASPEED_OTP_WORDS; i++) {
        if (words[i]) {
            return true;
        }
    }
    return false;
}

/* otptool's way to write a strap value; chips have a PUF, and so its dump */
static void otp_fold_straps(uint16_t *words)
{
    const uint16_t *first = words + ASPEED_OTP_STRAP_OPTION(0);
    const size_t size = 2 * sizeof(*words);

    if (otp_has_puf(words)) {
        return;
    }
    for (int i = 1; i < ASPEED_OTP_STRAP_OPTIONS; i++) {
        if (memcmp(words + ASPEED_OTP_STRAP_OPTION(i), first, size)) {
            return;
        }
    }
    memset(words + ASPEED_OTP_STRAP_OPTION(1), 0,
           (ASPEED_OTP_STRAP_OPTIONS - 1) * size);
}

bool aspeed_otp_image_parse(const uint8_t *data, size_t len, uint16_t *words,
                            bool *flat, Error **errp)
{
    g_autofree uint16_t *parsed = g_new0(uint16_t, ASPEED_OTP_WORDS);

    if (len >= OTP_MAGIC_LEN && !memcmp(data, OTP_MAGIC, OTP_MAGIC_LEN)) {
        if (!otp_parse_regions(data, len, parsed, errp)) {
            return false;
        }
        *flat = false;
    } else if (len == 2 * ASPEED_OTP_PUF || len == 2 * ASPEED_OTP_WORDS) {
        otp_copy_words(parsed, data, len / 2);
        otp_fold_straps(parsed);
        *flat = true;
    } else {
        error_setg(errp, "no OTP image: does not begin with \"SOCOTP\", and "
                   "has %zu bytes, neither %d (otp-all.bin) nor %d (dump)",
                   len, 2 * ASPEED_OTP_PUF, 2 * ASPEED_OTP_WORDS);
        return false;
    }
    memcpy(words, parsed, ASPEED_OTP_WORDS * sizeof(*words));
    return true;
}
