/*
 * Unit tests of the frames between a SoC and a Caliptra core elsewhere
 *
 * Each input is in a heap block of its exact size, so that a sanitizer sees
 * each byte that is read behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qapi/error.h"
#include "hw/misc/caliptra_link_proto.h"

#define SOC     CALIPTRA_LINK_SOC
#define CORE    CALIPTRA_LINK_CORE

/* The examples of docs/interop/caliptra-link.rst, byte by byte */
static const struct {
    CaliptraLinkEnd from;
    CaliptraLinkFrame frame;
    size_t size;
    uint8_t bytes[CALIPTRA_LINK_FRAME_MAX];
} examples[] = {
    { SOC, { CALIPTRA_LINK_HELLO, 0, { 0x4c415043, 1, 0 } }, 20,
      { 0x0c, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 'C', 'P', 'A', 'L',
        0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 } },
    { SOC, { CALIPTRA_LINK_READ, 7, { 0x3003c, 0x21212121 } }, 16,
      { 0x08, 0x00, 0x10, 0x00, 0x07, 0x00, 0x00, 0x00,
        0x3c, 0x00, 0x03, 0x00, 0x21, 0x21, 0x21, 0x21 } },
    { SOC, { CALIPTRA_LINK_PEEK, 8, { 0x20014, 1 } }, 16,
      { 0x08, 0x00, 0x11, 0x00, 0x08, 0x00, 0x00, 0x00,
        0x14, 0x00, 0x02, 0x00, 0x01, 0x00, 0x00, 0x00 } },
    { SOC, { CALIPTRA_LINK_WRITE, 0, { 0x20010, 0x21212121, 0x464d4331 } }, 20,
      { 0x0c, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x10, 0x00, 0x02, 0x00, 0x21, 0x21, 0x21, 0x21,
        0x31, 0x43, 0x4d, 0x46 } },
    { SOC, { CALIPTRA_LINK_INPUTS, 0x01020304,
             { 3, 7, 0x55667788, 0x11223344, 1, 2, 3, 4, 5, 6, 7, 8 } }, 56,
      { 0x30, 0x00, 0x12, 0x00, 0x04, 0x03, 0x02, 0x01, 3, 0, 0, 0, 7, 0, 0, 0,
        0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 1, 0, 0, 0, 2, 0, 0, 0,
        3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 7, 0, 0, 0,
        8, 0, 0, 0 } },
    { SOC, { CALIPTRA_LINK_PONG, 0, { 0 } }, 8,
      { 0x00, 0x00, 0x21, 0x00, 0x00, 0x00, 0x00, 0x00 } },
    { CORE, { CALIPTRA_LINK_ANSWER, 7, { 0, 0x68000000 } }, 16,
      { 0x08, 0x00, 0x80, 0x00, 0x07, 0x00, 0x00, 0x00,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x68 } },
    { CORE, { CALIPTRA_LINK_LINES, 0, { 0x81 } }, 12,
      { 0x04, 0x00, 0x81, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x81, 0x00, 0x00, 0x00 } },
    { CORE, { CALIPTRA_LINK_REFUSED, 0, { 2, 0x22000, 1 } }, 20,
      { 0x0c, 0x00, 0x82, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x02, 0x00, 0x00, 0x00, 0x00, 0x20, 0x02, 0x00,
        0x01, 0x00, 0x00, 0x00 } },
    { CORE, { CALIPTRA_LINK_PING, 0, { 0 } }, 8,
      { 0x00, 0x00, 0x83, 0x00, 0x00, 0x00, 0x00, 0x00 } },
};

static int decode(CaliptraLinkFrame *frame, CaliptraLinkEnd from,
                  const uint8_t *bytes, size_t len, Error **errp)
{
    g_autofree uint8_t *exact = g_memdup2(bytes, len);

    return caliptra_link_decode(frame, from, exact, len, errp);
}

static void assert_bad(CaliptraLinkEnd from, const uint8_t *bytes, size_t len,
                       const char *why)
{
    CaliptraLinkFrame frame;
    Error *err = NULL;

    g_assert_cmpint(decode(&frame, from, bytes, len, &err), ==, -1);
    g_assert_nonnull(strstr(error_get_pretty(err), why));
    error_free(err);
}

static void test_examples(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        uint8_t buf[CALIPTRA_LINK_FRAME_MAX];
        CaliptraLinkFrame frame;
        size_t size = caliptra_link_encode(&examples[i].frame, buf);

        g_assert_cmpmem(buf, size, examples[i].bytes, examples[i].size);
        g_assert_cmpint(decode(&frame, examples[i].from, buf, size,
                               &error_abort), ==, size);
        g_assert_cmpmem(&frame, sizeof(frame), &examples[i].frame,
                        sizeof(frame));
    }
}

/* Whatever of a frame is there, it is not taken for one */
static void test_truncated(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        for (size_t len = 0; len < examples[i].size; len++) {
            CaliptraLinkFrame frame;

            g_assert_cmpint(decode(&frame, examples[i].from,
                                   examples[i].bytes, len, &error_abort),
                            ==, 0);
        }
    }
}

/* What follows belongs to the next frame */
static void test_behind(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        g_autofree uint8_t *two = g_malloc(examples[i].size + 5);
        CaliptraLinkFrame frame;

        memset(two, 0xff, examples[i].size + 5);
        memcpy(two, examples[i].bytes, examples[i].size);
        g_assert_cmpint(decode(&frame, examples[i].from, two,
                               examples[i].size + 5, &error_abort), ==,
                        examples[i].size);
    }
}

/* The other end does not send that; or another length, or a tag */
static void test_headers(void)
{
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        uint8_t bytes[CALIPTRA_LINK_FRAME_MAX];
        bool hello = examples[i].frame.type == CALIPTRA_LINK_HELLO;

        if (!hello) {
            assert_bad(SOC + CORE - examples[i].from, examples[i].bytes,
                       examples[i].size, "bad frame of type");
        }
        for (unsigned length = 0; length <= UINT16_MAX; length++) {
            if (length == examples[i].size - CALIPTRA_LINK_HEADER_SIZE ||
                (hello && length >= 12 && length <= 64 && length % 4 == 0)) {
                continue;
            }
            memcpy(bytes, examples[i].bytes, sizeof(bytes));
            stw_le_p(bytes, length);
            assert_bad(examples[i].from, bytes, examples[i].size, " bytes");
        }
        if (examples[i].frame.tag == 0) {
            memcpy(bytes, examples[i].bytes, sizeof(bytes));
            bytes[7] = 1;
            assert_bad(examples[i].from, bytes, examples[i].size, "tag");
        }
    }
}

/* No other type is taken, not even for a frame that is still coming */
static void test_types(void)
{
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        uint8_t bytes[CALIPTRA_LINK_HEADER_SIZE] = {};
        bool known = false;

        for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
            known |= type == examples[i].frame.type;
        }
        stw_le_p(bytes + 2, type);
        if (!known) {
            assert_bad(SOC, bytes, sizeof(bytes), "bad frame of type");
            assert_bad(CORE, bytes, sizeof(bytes), "bad frame of type");
        }
    }
}

/* Words that cannot be: an example's, changed */
static void test_words(void)
{
    static const struct {
        CaliptraLinkType type;
        unsigned word;
        uint32_t value;
        const char *why;
    } bad[] = {
        { CALIPTRA_LINK_READ, 0, 0x40000, "offset" },
        { CALIPTRA_LINK_READ, 0, 0x3003d, "offset" },
        { CALIPTRA_LINK_PEEK, 0, 0xfffffffc, "offset" },
        { CALIPTRA_LINK_WRITE, 0, 0x20012, "offset" },
        { CALIPTRA_LINK_INPUTS, 0, 0x10, "level" },
        { CALIPTRA_LINK_INPUTS, 1, 8, "security state" },
        { CALIPTRA_LINK_ANSWER, 0, 2, "result" },
        { CALIPTRA_LINK_LINES, 0, 0x100, "line" },
        { CALIPTRA_LINK_REFUSED, 0, 0, "count" },
        { CALIPTRA_LINK_REFUSED, 1, 0x40000, "offset" },
        { CALIPTRA_LINK_HELLO, 0, 0x4c415044, "does not speak" },
        { CALIPTRA_LINK_HELLO, 1, 0, "version 0" },
        { CALIPTRA_LINK_HELLO, 1, 2, "speaks version 2 of the link protocol, "
          "this one version 1" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(examples); j++) {
            uint8_t bytes[CALIPTRA_LINK_FRAME_MAX];

            if (examples[j].frame.type != bad[i].type) {
                continue;
            }
            memcpy(bytes, examples[j].bytes, sizeof(bytes));
            stl_le_p(bytes + CALIPTRA_LINK_HEADER_SIZE + 4 * bad[i].word,
                     bad[i].value);
            assert_bad(examples[j].from, bytes, examples[j].size,
                       bad[i].why);
        }
    }
}

/* A later version's HELLO is longer, and says so; capabilities are free */
static void test_long_hello(void)
{
    uint8_t bytes[CALIPTRA_LINK_FRAME_MAX];
    CaliptraLinkFrame frame;

    memset(bytes, 0xff, sizeof(bytes));
    memcpy(bytes, examples[0].bytes, 16);
    stw_le_p(bytes, 64);
    g_assert_cmpint(decode(&frame, CORE, bytes, sizeof(bytes), &error_abort),
                    ==, sizeof(bytes));
    g_assert_cmpint(frame.word[CALIPTRA_LINK_HELLO_CAPS], ==, 0xffffffff);
    bytes[12] = 9;
    assert_bad(CORE, bytes, sizeof(bytes), "speaks version 9");
}

static void test_random(void)
{
    uint8_t bytes[CALIPTRA_LINK_FRAME_MAX + 8];

    for (int n = 0; n < 200000; n++) {
        size_t len = g_test_rand_int_range(0, sizeof(bytes));
        size_t like = g_test_rand_int_range(0, 2 * ARRAY_SIZE(examples));
        CaliptraLinkFrame frame;
        Error *err = NULL;
        int size;

        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = g_test_rand_int();
        }
        if (like < ARRAY_SIZE(examples)) {
            memcpy(bytes, examples[like].bytes, examples[like].size);
            bytes[g_test_rand_int_range(0, examples[like].size)] =
                g_test_rand_int();
        }
        size = decode(&frame, n % 2 ? SOC : CORE, bytes, len, &err);
        g_assert_cmpint(size, <=, (int)len);
        g_assert_true((size < 0) == (err != NULL));
        error_free(err);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/caliptra/link/examples", test_examples);
    g_test_add_func("/caliptra/link/truncated", test_truncated);
    g_test_add_func("/caliptra/link/behind", test_behind);
    g_test_add_func("/caliptra/link/headers", test_headers);
    g_test_add_func("/caliptra/link/types", test_types);
    g_test_add_func("/caliptra/link/words", test_words);
    g_test_add_func("/caliptra/link/hello", test_long_hello);
    g_test_add_func("/caliptra/link/random", test_random);

    return g_test_run();
}
