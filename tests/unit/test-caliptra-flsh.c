/*
 * Unit tests of the AST27x0's flash container and SoC manifest
 *
 * Each input is in a heap block of its exact size, so that a sanitizer sees
 * each byte that is read behind it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/misc/aspeed_flsh.h"
#include <zlib.h>

#define SPACE   (16 * MiB)

/* offsets in the header, in an entry, in the stored manifest */
#define H_MAGIC         0
#define H_VERSION       4
#define H_COUNT         6
#define H_CRC           8
#define H_PAYLOAD_CRC   12
#define M_MARKER        0
#define M_PREAMBLE_SIZE 4
#define M_SEC_VERSION   12
#define M_FLAGS         16
#define M_SVN_SIGS      3740
#define M_VENDOR_SIGS   5456
#define M_COUNT         8888
#define M_ENTRIES       8892
#define M_ENTRY_SIZE    56

static void seal(uint8_t *header)
{
    stl_le_p(header + H_CRC, crc32(0, header, H_CRC));
}

static uint8_t *make_header(uint16_t count)
{
    uint8_t *header = g_malloc0(ASPEED_FLSH_HEADER_SIZE);

    memcpy(header, "FLSH", 4);
    stw_le_p(header + H_VERSION, 1);
    stw_le_p(header + H_COUNT, count);
    seal(header);
    return header;
}

/* images of 16 bytes, one behind the other, numbered from 0x1000 */
static uint8_t *make_table(uint16_t count)
{
    uint8_t *table = g_malloc(count * ASPEED_FLSH_ENTRY_SIZE);
    uint32_t offset = ASPEED_FLSH_HEADER_SIZE +
                      count * ASPEED_FLSH_ENTRY_SIZE;

    for (int i = 0; i < count; i++) {
        stl_le_p(table + 12 * i, 0x1000 + i);
        stl_le_p(table + 12 * i + 4, offset + 16 * i);
        stl_le_p(table + 12 * i + 8, 16);
    }
    return table;
}

static uint8_t *make_manifest(uint32_t count)
{
    uint8_t *manifest = g_malloc(ASPEED_SOC_MANIFEST_SIZE);

    for (int i = 0; i < ASPEED_SOC_MANIFEST_SIZE; i++) {
        manifest[i] = i * 7 + i / 256;
    }
    stl_le_p(manifest + M_MARKER, 0x41544D4E);
    stl_le_p(manifest + M_PREAMBLE_SIZE, 7168);
    stl_le_p(manifest + M_COUNT, count);
    for (int i = 0; i < ASPEED_SOC_MANIFEST_MAX_ENTRIES; i++) {
        stl_le_p(manifest + M_ENTRIES + M_ENTRY_SIZE * i, i + 1);
        stl_le_p(manifest + M_ENTRIES + M_ENTRY_SIZE * i + 4, 0x40000001);
    }
    return manifest;
}

/* refused, with one line that has @text, and nothing written */
static void bad_header(const uint8_t *header, size_t size, const char *text)
{
    g_autofree uint8_t *data = g_memdup2(header, size);
    uint16_t count = 0xAAAA;
    Error *err = NULL;

    g_assert_false(aspeed_flsh_parse_header(data, size, &count, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), text));
    g_assert_null(strchr(error_get_pretty(err), '\n'));
    g_assert_cmphex(count, ==, 0xAAAA);
    error_free(err);
}

static void bad_table(const uint8_t *table, size_t size, uint16_t count,
                      uint64_t space, const char *text)
{
    g_autofree uint8_t *data = g_memdup2(table, size);
    g_autofree AspeedFlsh *flsh = g_new(AspeedFlsh, 1);
    g_autofree AspeedFlsh *before = g_new(AspeedFlsh, 1);
    Error *err = NULL;

    memset(flsh, 0xAA, sizeof(*flsh));
    memset(before, 0xAA, sizeof(*before));
    g_assert_false(aspeed_flsh_parse_table(data, size, count, space, flsh,
                                           &err));
    g_assert_nonnull(strstr(error_get_pretty(err), text));
    g_assert_null(strchr(error_get_pretty(err), '\n'));
    g_assert_cmpmem(flsh, sizeof(*flsh), before, sizeof(*before));
    error_free(err);
}

static void bad_manifest(const uint8_t *manifest, size_t size,
                         const char *text)
{
    g_autofree uint8_t *data = g_memdup2(manifest, size);
    AspeedSocManifest parsed, before;
    Error *err = NULL;

    memset(&parsed, 0xAA, sizeof(parsed));
    memset(&before, 0xAA, sizeof(before));
    g_assert_false(aspeed_soc_manifest_parse(data, size, &parsed, &err));
    g_assert_nonnull(strstr(error_get_pretty(err), text));
    g_assert_null(strchr(error_get_pretty(err), '\n'));
    g_assert_cmpmem(&parsed, sizeof(parsed), &before, sizeof(before));
    error_free(err);
}

static void test_header(void)
{
    static const struct {
        uint16_t count;
        bool good;
    } counts[] = {
        { 0, false }, { 1, true }, { 16, true }, { 127, true },
        { 128, false }, { 0xFFFF, false },
    };
    g_autofree uint8_t *header = make_header(16);
    uint16_t count;

    /* as caliptra-mcu-sw's tool writes it for 16 images */
    g_assert_cmphex(ldl_le_p(header + H_CRC), ==, 0x199C17EB);
    g_assert_true(aspeed_flsh_is_header(header));

    for (size_t size = 0; size < ASPEED_FLSH_HEADER_SIZE; size++) {
        bad_header(header, size, "cut short");
    }
    for (int i = 0; i < ARRAY_SIZE(counts); i++) {
        g_autofree uint8_t *h = make_header(counts[i].count);

        if (counts[i].good) {
            aspeed_flsh_parse_header(h, ASPEED_FLSH_HEADER_SIZE, &count,
                                     &error_abort);
            g_assert_cmpuint(count, ==, counts[i].count);
        } else {
            bad_header(h, ASPEED_FLSH_HEADER_SIZE, "must be 1 to 127");
        }
    }

    /* each bit of what the CRC covers, and of the CRC itself */
    for (int bit = 0; bit < 8 * H_PAYLOAD_CRC; bit++) {
        header[bit / 8] ^= 1 << bit % 8;
        bad_header(header, ASPEED_FLSH_HEADER_SIZE,
                   bit < 8 * H_VERSION ? "no FLSH container" : "header CRC");
        header[bit / 8] ^= 1 << bit % 8;
    }
    /* nobody looks at the payload's */
    stl_le_p(header + H_PAYLOAD_CRC, 0xFFFFFFFF);
    g_assert_true(aspeed_flsh_parse_header(header, ASPEED_FLSH_HEADER_SIZE,
                                           &count, &error_abort));

    for (uint32_t version = 0; version < 0x10000; version += 0x0101) {
        stw_le_p(header + H_VERSION, version);
        seal(header);
        if (version != 1) {
            bad_header(header, ASPEED_FLSH_HEADER_SIZE, "version");
        }
    }
}

static void test_table(void)
{
    static const uint16_t counts[] = { 1, 2, 16, 127 };

    for (int i = 0; i < ARRAY_SIZE(counts); i++) {
        uint16_t count = counts[i];
        size_t size = count * ASPEED_FLSH_ENTRY_SIZE;
        g_autofree uint8_t *table = make_table(count);
        g_autofree AspeedFlsh *flsh = g_new0(AspeedFlsh, 1);

        aspeed_flsh_parse_table(table, size, count, SPACE, flsh,
                                &error_abort);
        g_assert_cmpuint(flsh->count, ==, count);
        for (int n = 0; n < count; n++) {
            const AspeedFlshImage *image = aspeed_flsh_find(flsh, 0x1000 + n);

            g_assert_true(image == &flsh->images[n]);
            g_assert_cmpuint(image->offset, ==, 16 + size + 16 * n);
            g_assert_cmpuint(image->size, ==, 16);
        }
        g_assert_null(aspeed_flsh_find(flsh, 0x1000 + count));
        for (size_t len = 0; len < size; len++) {
            bad_table(table, len, count, SPACE, "cut short");
        }
    }
}

static void test_table_offsets(void)
{
    static const struct {
        uint32_t offset;
        uint32_t size;
        const char *text;               /* NULL: is good */
    } cases[] = {
        { 0, 16, "over the table" },
        { 51, 1, "over the table" },
        { 52, 1, NULL },
        { 84, 0xFFC0, NULL },
        { 84, SPACE - 84, NULL },
        { 84, SPACE - 83, "outside the flash" },
        { 84, 0xFFFFFFFF, "outside the flash" },
        { SPACE - 1, 1, NULL },
        { SPACE, 1, "outside the flash" },
        { 0xFFFFFFFF, 1, "outside the flash" },
        { 0xFFFFFFFF, 0xFFFFFFFF, "outside the flash" },
        /* an empty image has no place */
        { 0, 0, NULL },
        { 0xFFFFFFFF, 0, NULL },
        /* over the two others, which are at 52 and at 68 */
        { 52, 16, "overlap" },
        { 52, 64, "overlap" },
        { 67, 1, "overlap" },
        { 83, 1, "overlap" },
        { 70, 2, "overlap" },
    };
    size_t size = 3 * ASPEED_FLSH_ENTRY_SIZE;

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        g_autofree uint8_t *table = make_table(3);
        g_autofree AspeedFlsh *flsh = g_new0(AspeedFlsh, 1);

        if (cases[i].offset == 52 && !cases[i].text) {
            stl_le_p(table + 4, 53);
            stl_le_p(table + 8, 15);
        }
        stl_le_p(table + 24 + 4, cases[i].offset);
        stl_le_p(table + 24 + 8, cases[i].size);
        if (cases[i].text) {
            bad_table(table, size, 3, SPACE, cases[i].text);
        } else {
            aspeed_flsh_parse_table(table, size, 3, SPACE, flsh,
                                    &error_abort);
            g_assert_cmpuint(flsh->images[2].size, ==, cases[i].size);
        }
    }
}

static void test_table_duplicate(void)
{
    g_autofree uint8_t *table = make_table(127);

    stl_le_p(table + 126 * ASPEED_FLSH_ENTRY_SIZE, 0x1000);
    bad_table(table, 127 * ASPEED_FLSH_ENTRY_SIZE, 127, SPACE, "twice");
}

/* bytes at random: refused or read, never a crash */
static void test_random(void)
{
    GRand *rand = g_rand_new_with_seed(1);
    g_autofree AspeedFlsh *flsh = g_new0(AspeedFlsh, 1);
    size_t size = 16 * ASPEED_FLSH_ENTRY_SIZE;

    for (int run = 0; run < 2000; run++) {
        g_autofree uint8_t *table = make_table(16);
        Error *err = NULL;

        for (int i = 0; i < 3; i++) {
            table[g_rand_int_range(rand, 0, size)] = g_rand_int(rand);
        }
        if (!aspeed_flsh_parse_table(table, size, 16, SPACE, flsh, &err)) {
            error_free(err);
            continue;
        }
        for (int n = 0; n < 16; n++) {
            g_assert_true(!flsh->images[n].size ||
                          flsh->images[n].offset + flsh->images[n].size <=
                          SPACE);
        }
    }
    g_rand_free(rand);
}

static void test_convert(void)
{
    g_autofree uint8_t *stored = make_manifest(14);
    g_autofree uint8_t *out = g_malloc(ASPEED_SOC_MANIFEST_CALIPTRA_SIZE);
    size_t preamble = M_COUNT - 4 - (M_VENDOR_SIGS - M_SVN_SIGS);

    aspeed_soc_manifest_convert(stored, ASPEED_SOC_MANIFEST_SIZE, out,
                                &error_abort);
    g_assert_cmpuint(preamble, ==, 7168);
    /* marker, size, version; flags to owner endorsement; the rest */
    g_assert_cmpmem(out, 12, stored, 12);
    g_assert_cmpmem(out + 12, M_SVN_SIGS - M_FLAGS, stored + M_FLAGS,
                    M_SVN_SIGS - M_FLAGS);
    g_assert_cmpmem(out + 12 + M_SVN_SIGS - M_FLAGS, M_COUNT - M_VENDOR_SIGS,
                    stored + M_VENDOR_SIGS, M_COUNT - M_VENDOR_SIGS);
    g_assert_cmpmem(out + preamble, 4 + 127 * M_ENTRY_SIZE, stored + M_COUNT,
                    4 + 127 * M_ENTRY_SIZE);

    /* what is left out does not matter, whatever is wrong with the rest */
    memset(stored + M_SEC_VERSION, 0xFF, M_FLAGS - M_SEC_VERSION);
    memset(stored + M_SVN_SIGS, 0xFF, M_VENDOR_SIGS - M_SVN_SIGS);
    {
        g_autofree uint8_t *again =
            g_malloc(ASPEED_SOC_MANIFEST_CALIPTRA_SIZE);

        aspeed_soc_manifest_convert(stored, ASPEED_SOC_MANIFEST_SIZE, again,
                                    &error_abort);
        g_assert_cmpmem(again, ASPEED_SOC_MANIFEST_CALIPTRA_SIZE, out,
                        ASPEED_SOC_MANIFEST_CALIPTRA_SIZE);
    }

    for (size_t size = 0; size < ASPEED_SOC_MANIFEST_SIZE; size++) {
        g_autofree uint8_t *data = g_memdup2(stored, size);
        Error *err = NULL;
        uint8_t untouched = 0xAA;

        g_assert_false(aspeed_soc_manifest_convert(data, size, &untouched,
                                                   &err));
        g_assert_cmphex(untouched, ==, 0xAA);
        error_free(err);
    }
}

static void test_manifest(void)
{
    static const uint32_t good[] = { 1, 14, 127 };
    static const uint32_t bad[] = { 0, 128, 255, 0x80000001, 0xFFFFFFFF };
    AspeedSocManifest parsed;

    for (int i = 0; i < ARRAY_SIZE(good); i++) {
        g_autofree uint8_t *m = make_manifest(good[i]);

        aspeed_soc_manifest_parse(m, ASPEED_SOC_MANIFEST_SIZE, &parsed,
                                  &error_abort);
        g_assert_cmpuint(parsed.count, ==, good[i]);
        g_assert_cmpuint(parsed.entries[good[i] - 1].fw_id, ==, good[i]);
        g_assert_cmphex(parsed.entries[good[i] - 1].flags, ==, 0x40000001);
    }
    for (int i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree uint8_t *m = make_manifest(bad[i]);

        bad_manifest(m, ASPEED_SOC_MANIFEST_SIZE, "must be 1 to 127");
    }
}

static void test_manifest_bad(void)
{
    g_autofree uint8_t *m = make_manifest(127);
    uint8_t *last = m + M_ENTRIES + 126 * M_ENTRY_SIZE;

    for (size_t size = 0; size < ASPEED_SOC_MANIFEST_SIZE; size++) {
        bad_manifest(m, size, "must have 16004");
    }
    for (int bit = 0; bit < 64; bit++) {
        m[bit / 8] ^= 1 << bit % 8;
        bad_manifest(m, ASPEED_SOC_MANIFEST_SIZE,
                     bit < 32 ? "marker" : "preamble size");
        m[bit / 8] ^= 1 << bit % 8;
    }
    stl_le_p(last, 1);
    bad_manifest(m, ASPEED_SOC_MANIFEST_SIZE, "fw id 1 is there twice");
    /* entries that do not count may be anything */
    stl_le_p(m + M_COUNT, 126);
    {
        AspeedSocManifest parsed;

        aspeed_soc_manifest_parse(m, ASPEED_SOC_MANIFEST_SIZE, &parsed,
                                  &error_abort);
    }
}

static void test_loads(void)
{
    static const struct {
        uint32_t identifier;
        uint32_t fw_id;
        bool loaded;
    } images[] = {
        { 0x1000, 2, false }, { 0x1007, 9, false }, { 0x1008, 10, true },
        { 0x1009, 11, true }, { 0x100A, 12, true }, { 0x100B, 13, true },
        { 0x100C, 14, true },
    };
    AspeedSocManifest all, stages;
    g_autofree uint8_t *m = make_manifest(13);

    aspeed_soc_manifest_parse(m, ASPEED_SOC_MANIFEST_SIZE, &all,
                              &error_abort);
    for (int stage = 0; stage < 4; stage++) {
        stl_le_p(m + M_ENTRIES + M_ENTRY_SIZE * (9 + stage) + 4,
                 (uint32_t)stage << 30 | 5);
    }
    aspeed_soc_manifest_parse(m, ASPEED_SOC_MANIFEST_SIZE, &stages,
                              &error_abort);

    for (int i = 0; i < ARRAY_SIZE(images); i++) {
        const AspeedFlshKind *kind = aspeed_flsh_kind(images[i].identifier);

        g_assert_cmpuint(kind->fw_id, ==, images[i].fw_id);
        g_assert_cmpint(aspeed_flsh_loads(kind, NULL), ==, images[i].loaded);
        /* the manifest's list ends with 13 */
        g_assert_cmpint(aspeed_flsh_loads(kind, &all), ==,
                        images[i].loaded && images[i].fw_id <= 13);
        /* 10 to 13 have the stages 0 to 3 */
        g_assert_cmpint(aspeed_flsh_loads(kind, &stages), ==,
                        images[i].fw_id == 11);
    }
    g_assert_null(aspeed_flsh_kind(ASPEED_FLSH_CALIPTRA));
    g_assert_null(aspeed_flsh_kind(ASPEED_FLSH_MANIFEST));
    g_assert_null(aspeed_flsh_kind(ASPEED_FLSH_MCU_FMC));
    g_assert_null(aspeed_flsh_kind(0x100D));
}

static void test_room(void)
{
    static const struct {
        uint32_t identifier;
        uint32_t max;
    } images[] = {
        { ASPEED_FLSH_ATF, 512 * KiB }, { ASPEED_FLSH_OPTEE, 5 * MiB },
        { ASPEED_FLSH_UBOOT, 5 * MiB }, { ASPEED_FLSH_SSP, 5 * MiB },
        { ASPEED_FLSH_TSP, 5 * MiB },
    };

    for (int i = 0; i < ARRAY_SIZE(images); i++) {
        const AspeedFlshKind *kind = aspeed_flsh_kind(images[i].identifier);
        const uint32_t bad[] = { images[i].max + 1, UINT32_MAX };

        g_assert_true(aspeed_flsh_check_size(kind, 0, &error_abort));
        g_assert_true(aspeed_flsh_check_size(kind, images[i].max,
                                             &error_abort));
        for (int j = 0; j < ARRAY_SIZE(bad); j++) {
            Error *err = NULL;

            g_assert_false(aspeed_flsh_check_size(kind, bad[j], &err));
            g_assert_nonnull(strstr(error_get_pretty(err), "at most"));
            error_free(err);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    g_test_add_func("/caliptra/flsh/header", test_header);
    g_test_add_func("/caliptra/flsh/table", test_table);
    g_test_add_func("/caliptra/flsh/table/offsets", test_table_offsets);
    g_test_add_func("/caliptra/flsh/table/duplicate", test_table_duplicate);
    g_test_add_func("/caliptra/flsh/table/random", test_random);
    g_test_add_func("/caliptra/flsh/manifest/convert", test_convert);
    g_test_add_func("/caliptra/flsh/manifest/parse", test_manifest);
    g_test_add_func("/caliptra/flsh/manifest/bad", test_manifest_bad);
    g_test_add_func("/caliptra/flsh/loads", test_loads);
    g_test_add_func("/caliptra/flsh/room", test_room);

    return g_test_run();
}
