/*
 * Unit tests of the reader of AST2700 OTP images
 *
 * The images are put together here, after the layout of ASPEED's otptool;
 * then each part is damaged in turn.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "../../hw/nvram/aspeed_otp_image.h"

#define WORDS           0x2000
#define REGIONS         8
#define HEADER          0x38
#define CHECKSUM        48

/* what a word must not be changed to by an image that is refused */
#define UNTOUCHED       0x5AA5

static const struct {
    uint32_t bit;
    uint16_t size;
    uint16_t word;
} region[REGIONS] = {
    { 1u << 31, 1984, 0x0000 },
    { 1u << 30, 64, 0x03E0 },
    { 1u << 29, 64, 0x0400 },
    { 1u << 28, 8, 0x0420 },
    { 1u << 27, 32, 0x0430 },
    { 1u << 26, 6144, 0x1000 },
    { 1u << 25, 1792, 0x1C00 },
    { 1u << 24, 6016, 0x0440 },
};

static void seal(uint8_t *image)
{
    size_t end = lduw_le_p(image + 0x10);
    g_autofree uint8_t *sum = NULL;
    size_t len = 0;

    g_assert_cmpint(qcrypto_hash_bytes(QCRYPTO_HASH_ALGO_SHA384,
                                       (char *)image, end, &sum, &len,
                                       &error_abort), ==, 0);
    memcpy(image + end, sum, CHECKSUM);
}

/*
 * An image of the regions in @which; byte n of region r's payload is
 * 16 * r + n, modulo 256.  @old: without a descriptor for USER.
 */
static size_t make_image(uint8_t *image, unsigned which, bool old)
{
    unsigned n = old ? REGIONS - 1 : REGIONS;
    size_t pos = HEADER - (old ? 4 : 0);
    uint32_t info = 0;

    memset(image, 0, ASPEED_OTP_IMAGE_MAX);
    memcpy(image, "SOCOTP", 6);
    stl_le_p(image + 8, 9);
    for (unsigned r = 0; r < n; r++) {
        uint16_t size = which & (1 << r) ? region[r].size : 0;

        stl_le_p(image + 0x14 + 4 * r, pos | size << 16);
        info |= size ? region[r].bit : 0;
        for (unsigned i = 0; i < size; i++) {
            image[pos++] = 16 * r + i;
        }
    }
    stl_le_p(image + 0x10, info | pos);
    stl_le_p(image + 0x14 + 4 * n, pos);
    seal(image);
    return pos + CHECKSUM;
}

static uint16_t pattern(unsigned r, unsigned byte)
{
    return (uint8_t)(16 * r + byte) | (uint8_t)(16 * r + byte + 1) << 8;
}

static void check_region(const uint16_t *words, unsigned r, bool present)
{
    for (unsigned i = 0; i < region[r].size / 2; i++) {
        unsigned word = region[r].word + i;

        /* the straps' value and protection change places */
        if (r == 3) {
            word = 0x420 + (i ^ 2);
        }
        g_assert_cmphex(words[word], ==, present ? pattern(r, 2 * i) : 0);
    }
}

static void refuse_with(const uint8_t *data, size_t len, const char *why)
{
    g_autofree uint16_t *words = g_new(uint16_t, WORDS);
    /* exactly as long as the file, so that sanitizers see what is read */
    g_autofree uint8_t *copy = g_memdup2(data, len);
    Error *err = NULL;
    bool flat;

    for (int i = 0; i < WORDS; i++) {
        words[i] = UNTOUCHED;
    }
    g_assert_false(aspeed_otp_image_parse(copy, len, words, &flat, &err));
    g_assert_nonnull(err);
    if (!g_str_has_prefix(error_get_pretty(err), why)) {
        g_error("\"%s\", not \"%s\"", error_get_pretty(err), why);
    }
    error_free(err);
    for (int i = 0; i < WORDS; i++) {
        g_assert_cmphex(words[i], ==, UNTOUCHED);
    }
}

static void test_regions(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    g_autofree uint16_t *words = g_new(uint16_t, WORDS);

    for (unsigned which = 0; which < 1 << REGIONS; which++) {
        size_t len = make_image(image, which, false);
        bool flat = true;

        g_assert_true(aspeed_otp_image_parse(image, len, words, &flat,
                                             &error_abort));
        g_assert_false(flat);
        for (unsigned r = 0; r < REGIONS; r++) {
            check_region(words, r, which & (1 << r));
        }
        for (int i = 0x424; i < 0x430; i++) {
            g_assert_cmphex(words[i], ==, 0);
        }
        for (int i = 0x1F80; i < WORDS; i++) {
            g_assert_cmphex(words[i], ==, 0);
        }
    }
}

/* an older tool knew no user region; files may have a sector's padding */
static void test_old(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    g_autofree uint16_t *words = g_new(uint16_t, WORDS);
    bool flat = true;

    for (unsigned which = 0; which < 1 << (REGIONS - 1); which++) {
        size_t len = make_image(image, which, true);

        len = ROUND_UP(len, 512);
        g_assert_true(aspeed_otp_image_parse(image, len, words, &flat,
                                             &error_abort));
        for (unsigned r = 0; r < REGIONS - 1; r++) {
            check_region(words, r, which & (1 << r));
        }
    }
}

static void test_truncated(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    size_t len = make_image(image, 0xFF, false);

    for (size_t i = 0; i < len; i++) {
        refuse_with(image, i, i < 8 ? "no OTP image: " :
                              i < HEADER ? "the file is shorter than " :
                              "truncated: ");
    }
}

static void test_flipped(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    size_t len = make_image(image, 0x0E, false);

    for (size_t i = 0; i < len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            image[i] ^= 1 << bit;
            refuse_with(image, len, i < 8 ? "no OTP image: " :
                        (i == 0x10 || i == 0x11 || (i >= 0x34 && i < 0x38)) ?
                        "" : "the SHA-384 checksum is wrong");
            image[i] ^= 1 << bit;
        }
    }
}

/* descriptors out of range, under a good checksum */
static void test_descriptors(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    static const int32_t size_error[] = { -2, -1, 1, 2, 0x1000 };
    static const int32_t offset_error[] = { -1, 1, -4, 0x4000 };

    for (unsigned r = 0; r < REGIONS; r++) {
        uint8_t *at = image + 0x14 + 4 * r;

        for (int i = 0; i < ARRAY_SIZE(size_error); i++) {
            size_t len = make_image(image, 0xFF, false);

            stw_le_p(at + 2, region[r].size + size_error[i]);
            seal(image);
            refuse_with(image, len, "region ");
        }
        for (int i = 0; i < ARRAY_SIZE(offset_error); i++) {
            size_t len = make_image(image, 0xFF, false);

            stw_le_p(at, lduw_le_p(at) + offset_error[i]);
            seal(image);
            refuse_with(image, len, "region ");
        }
    }
    /* there, but not announced, and the other way round */
    for (unsigned r = 0; r < REGIONS; r++) {
        size_t len = make_image(image, 0xFF, false);

        stl_le_p(image + 0x10, ldl_le_p(image + 0x10) ^ region[r].bit);
        seal(image);
        refuse_with(image, len, "region ");

        len = make_image(image, 0xFF ^ (1 << r), false);
        stl_le_p(image + 0x10, ldl_le_p(image + 0x10) ^ region[r].bit);
        seal(image);
        refuse_with(image, len, "region ");
    }
}

static void test_soc(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    g_autofree uint16_t *words = g_new(uint16_t, WORDS);
    bool flat;

    for (uint32_t soc = 0; soc < 12; soc++) {
        size_t len = make_image(image, 1, false);

        stl_le_p(image + 8, soc);
        seal(image);
        if (soc == 9 || soc == 10) {
            g_assert_true(aspeed_otp_image_parse(image, len, words, &flat,
                                                 &error_abort));
        } else {
            refuse_with(image, len, "made for SoC version ");
        }
    }
}

static void test_header(void)
{
    g_autofree uint8_t *image = g_malloc(ASPEED_OTP_IMAGE_MAX);
    size_t len = make_image(image, 1, false);

    /* the checksum inside the header; beyond the file */
    stw_le_p(image + 0x10, 0x30);
    stl_le_p(image + 0x34, 0x30);
    refuse_with(image, len, "damaged header: ");
    stw_le_p(image + 0x10, 0xFFFF);
    stl_le_p(image + 0x34, 0xFFFF);
    refuse_with(image, len, "truncated: ");
    stl_le_p(image + 0x34, 0xFFFE);
    refuse_with(image, len, "damaged header: ");
}

static void test_flat(void)
{
    g_autofree uint8_t *data = g_malloc0(2 * WORDS);
    g_autofree uint16_t *words = g_new(uint16_t, WORDS);
    bool flat = false;

    for (int i = 0; i < 0x1F80; i++) {
        stw_le_p(data + 2 * i, 3 * i + 1);
    }
    for (int size = 0x3F00; size <= 0x4000; size += 0x100) {
        g_assert_true(aspeed_otp_image_parse(data, size, words, &flat,
                                             &error_abort));
        g_assert_true(flat);
        for (int i = 0; i < WORDS; i++) {
            g_assert_cmphex(words[i], ==, i < 0x1F80 ? 3 * i + 1 : 0);
        }
    }
    refuse_with(data, 0, "no OTP image: ");
    refuse_with(data, 0x3EFF, "no OTP image: ");
    refuse_with(data, 0x3F01, "no OTP image: ");
    refuse_with(data, 0x3FFF, "no OTP image: ");
}

/* six equal options: from otptool without a PUF, from a chip with one */
static void test_straps(void)
{
    g_autofree uint8_t *data = g_malloc0(2 * WORDS);
    g_autofree uint16_t *words = g_new(uint16_t, WORDS);
    bool flat;

    for (int i = 0; i < 6; i++) {
        stl_le_p(data + 2 * (0x422 + 2 * i), 0x00010003);
    }
    stl_le_p(data + 2 * 0x420, 0x00010000);
    g_assert_true(aspeed_otp_image_parse(data, 2 * WORDS, words, &flat,
                                         &error_abort));
    g_assert_cmphex(words[0x420], ==, 0);
    g_assert_cmphex(words[0x421], ==, 1);
    g_assert_cmphex(words[0x422], ==, 3);
    g_assert_cmphex(words[0x423], ==, 1);
    for (int i = 0x424; i < 0x42E; i++) {
        g_assert_cmphex(words[i], ==, 0);
    }

    /* one differs in one bit: as it is */
    data[2 * 0x42C] ^= 1;
    g_assert_true(aspeed_otp_image_parse(data, 2 * WORDS, words, &flat,
                                         &error_abort));
    g_assert_cmphex(words[0x424], ==, 3);
    g_assert_cmphex(words[0x42C], ==, 2);
    data[2 * 0x42C] ^= 1;

    stw_le_p(data + 2 * 0x1FFF, 1);
    g_assert_true(aspeed_otp_image_parse(data, 2 * WORDS, words, &flat,
                                         &error_abort));
    for (int i = 0x422; i < 0x42E; i++) {
        g_assert_cmphex(words[i], ==, i % 2 ? 1 : 3);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(qcrypto_init(&error_abort), ==, 0);

    g_test_add_func("/aspeed-otp/regions", test_regions);
    g_test_add_func("/aspeed-otp/old", test_old);
    g_test_add_func("/aspeed-otp/truncated", test_truncated);
    g_test_add_func("/aspeed-otp/flipped", test_flipped);
    g_test_add_func("/aspeed-otp/descriptors", test_descriptors);
    g_test_add_func("/aspeed-otp/soc", test_soc);
    g_test_add_func("/aspeed-otp/header", test_header);
    g_test_add_func("/aspeed-otp/flat", test_flat);
    g_test_add_func("/aspeed-otp/straps", test_straps);
    return g_test_run();
}
