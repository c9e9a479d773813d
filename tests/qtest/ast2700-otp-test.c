/*
 * QTest of the OTP controller of the ASPEED AST2700
 *
 * The sequences are those of U-Boot's driver and "otp" command, and of
 * Zephyr's driver.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "caliptra-utils.h"

#define OTP             0x14C07000
#define KEY             (OTP + 0x000)
#define KEY_UNLOCK      0x349FE38A
#define KEY_LOCK        1
#define ECC_STATUS      (OTP + 0x0C8)
#define ECC_EN          (OTP + 0x0D4)
#define MASTERS         6
#define CMD(m)          (OTP + 0x20 * (m) + 0x04)
#define WDATA(m, n)     (OTP + 0x20 * (m) + 0x08 + 4 * (n))
#define STATUS(m)       (OTP + 0x20 * (m) + 0x18)
#define ADDR(m)         (OTP + 0x20 * (m) + 0x1C)
#define RDATA(m)        (OTP + 0x20 * (m) + 0x20)

#define READ            0x23B1E361
#define COMPARE         0x23B1E363
#define PROGRAM         0x23B1E364
#define PROGRAM_MULTI   0x23B1E365
#define BIST            0x23B1E368

/* STATUS: result << 4, not busy */
#define PASS            0x00
#define FAIL            0x10
#define COMPARE_FAIL    0x20
#define REGION_FAIL     0x30
#define NO_PERMISSION   0x40

#define WORDS           0x2000
#define IMAGE_SIZE      (2 * WORDS)
#define FLAT_SIZE       0x3F00

#define OTPCFG0         0x400

/* from one word that is looked at to the next, in sweeps over all */
#define SOME            29

/* ---- the controller, as drivers use it ---- */

static uint32_t command(QTestState *qts, unsigned m, uint32_t cmd,
                        uint32_t addr)
{
    qtest_writel(qts, ADDR(m), addr);
    qtest_writel(qts, CMD(m), cmd);
    return qtest_readl(qts, STATUS(m));
}

static void unlock(QTestState *qts)
{
    qtest_writel(qts, KEY, KEY_UNLOCK);
}

static uint16_t get(QTestState *qts, uint32_t addr)
{
    uint32_t data;

    g_assert_cmphex(command(qts, 1, READ, addr), ==, PASS);
    data = qtest_readl(qts, RDATA(1));
    g_assert_cmphex(data, <=, UINT16_MAX);
    return data;
}

static uint32_t program(QTestState *qts, uint32_t addr, uint16_t data)
{
    qtest_writel(qts, WDATA(1, 0), data);
    return command(qts, 1, PROGRAM, addr);
}

static uint32_t program_multi(QTestState *qts, uint32_t addr,
                              const uint16_t *data, unsigned n)
{
    for (unsigned i = 0; i < n / 2; i++) {
        qtest_writel(qts, WDATA(1, i), data[2 * i] | data[2 * i + 1] << 16);
    }
    return command(qts, 1, PROGRAM_MULTI, addr);
}

/* ---- files ---- */

static char *make_file(const void *data, size_t len)
{
    char *path = NULL;
    int fd = g_file_open_tmp("qtest.otp.XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(path, data, len, NULL));
    return path;
}

static QTestState *start(const char *path, bool read_only)
{
    g_autofree char *args = path ?
        g_strdup_printf("-blockdev driver=file,filename=%s,node-name=otp,"
                        "read-only=%s -global aspeed-otp-ast2700.drive=otp",
                        path, read_only ? "on" : "off") : g_strdup("");

    return caliptra_start("", args);
}

static char *file_contents(const char *path, size_t size)
{
    char *data = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(path, &data, &len, NULL));
    g_assert_cmpuint(len, ==, size);
    return data;
}

static void remove_file(char *path)
{
    unlink(path);
    g_free(path);
}

/* ---- tests ---- */

/* what every driver does first */
static void test_probe(void)
{
    QTestState *qts = start(NULL, false);

    g_assert_cmphex(qtest_readl(qts, KEY), ==, 0);
    unlock(qts);
    g_assert_cmphex(qtest_readl(qts, KEY), ==, 1);
    qtest_writel(qts, ECC_EN, 0);
    g_assert_cmphex(get(qts, 0x42E) & 1, ==, 0);
    g_assert_cmphex(qtest_readl(qts, ECC_STATUS), ==, 0);
    qtest_writel(qts, KEY, KEY_LOCK);
    g_assert_cmphex(qtest_readl(qts, KEY), ==, 0);

    /* "otp ecc enable" for good: the word is like any other */
    unlock(qts);
    g_assert_cmphex(program(qts, 0x42E, 1), ==, PASS);
    g_assert_cmphex(get(qts, 0x42E), ==, 1);
    qtest_writel(qts, ECC_EN, 1);
    g_assert_cmphex(qtest_readl(qts, ECC_EN), ==, 1);
    g_assert_cmphex(get(qts, 0x42E), ==, 1);
    g_assert_cmphex(qtest_readl(qts, ECC_STATUS), ==, 0);
    qtest_quit(qts);
}

/* an unprovisioned chip is all zeros */
static void test_blank(void)
{
    QTestState *qts = start(NULL, false);

    unlock(qts);
    for (uint32_t addr = 0; addr < WORDS; addr += SOME) {
        g_assert_cmphex(get(qts, addr), ==, 0);
    }
    qtest_quit(qts);
}

static void test_key(void)
{
    static const uint32_t cmds[] = {
        READ, COMPARE, PROGRAM, PROGRAM_MULTI, BIST, 0
    };
    static const uint32_t keys[] = { 0, KEY_LOCK, ~KEY_UNLOCK, 0xFFFFFFFF };
    QTestState *qts = start(NULL, false);

    for (int k = 0; k < ARRAY_SIZE(keys); k++) {
        unlock(qts);
        g_assert_cmphex(program(qts, 0x800, 1 << k), ==, PASS);
        qtest_writel(qts, KEY, keys[k]);
        for (unsigned m = 0; m < MASTERS; m++) {
            qtest_writel(qts, WDATA(m, 0), 0xF0);
            for (int i = 0; i < ARRAY_SIZE(cmds); i++) {
                g_assert_cmphex(command(qts, m, cmds[i], 0x800), ==,
                                NO_PERMISSION);
            }
            g_assert_cmphex(qtest_readl(qts, RDATA(m)), ==, 0);
        }
    }
    unlock(qts);
    g_assert_cmphex(get(qts, 0x800), ==, 0xF);
    qtest_quit(qts);
}

static void test_masters(void)
{
    QTestState *qts = start(NULL, false);

    unlock(qts);
    for (unsigned m = 0; m < MASTERS; m++) {
        qtest_writel(qts, WDATA(m, 0), 0x1100 + m);
        g_assert_cmphex(command(qts, m, PROGRAM, 0x440 + m), ==, PASS);
    }
    for (unsigned m = 0; m < MASTERS; m++) {
        /* the blocks are apart: each has kept its own */
        g_assert_cmphex(qtest_readl(qts, ADDR(m)), ==, 0x440 + m);
        g_assert_cmphex(qtest_readl(qts, WDATA(m, 0)), ==, 0x1100 + m);
        g_assert_cmphex(qtest_readl(qts, CMD(m)), ==, PROGRAM);
        g_assert_cmphex(command(qts, m, READ, 0x445 - m), ==, PASS);
    }
    for (unsigned m = 0; m < MASTERS; m++) {
        g_assert_cmphex(qtest_readl(qts, RDATA(m)), ==, 0x1105 - m);
    }
    qtest_quit(qts);
}

static void test_commands(void)
{
    QTestState *qts = start(NULL, false);

    unlock(qts);
    /* bits go from 0 to 1 only; the upper half of WDATA0 is not used */
    g_assert_cmphex(program(qts, 0x1000, 0x0F00), ==, PASS);
    qtest_writel(qts, WDATA(1, 0), 0xFFFF0030);
    g_assert_cmphex(command(qts, 1, PROGRAM, 0x1000), ==, PASS);
    g_assert_cmphex(program(qts, 0x1000, 0), ==, PASS);
    g_assert_cmphex(get(qts, 0x1000), ==, 0x0F30);
    g_assert_cmphex(get(qts, 0x1001), ==, 0);
    g_assert_cmphex(get(qts, 0x0FFF), ==, 0);

    qtest_writel(qts, WDATA(1, 0), 0x12340F30);
    g_assert_cmphex(command(qts, 1, COMPARE, 0x1000), ==, PASS);
    qtest_writel(qts, WDATA(1, 0), 0x0F31);
    g_assert_cmphex(command(qts, 1, COMPARE, 0x1000), ==, COMPARE_FAIL);
    g_assert_cmphex(command(qts, 1, BIST, 0xFFFFFFFF), ==, PASS);

    /* what is not there */
    g_assert_cmphex(command(qts, 1, READ, WORDS - 1), ==, PASS);
    g_assert_cmphex(command(qts, 1, READ, WORDS), ==, FAIL);
    g_assert_cmphex(command(qts, 1, READ, 0xFFFFFFFF), ==, FAIL);
    g_assert_cmphex(command(qts, 1, PROGRAM, WORDS), ==, FAIL);
    g_assert_cmphex(command(qts, 1, PROGRAM, 0x80001000), ==, FAIL);
    g_assert_cmphex(command(qts, 1, COMPARE, WORDS), ==, FAIL);
    g_assert_cmphex(command(qts, 1, 0x23B1E362, 0x1000), ==, FAIL);
    g_assert_cmphex(command(qts, 1, 0, 0x1000), ==, FAIL);
    /* a pass clears the result again */
    g_assert_cmphex(get(qts, 0x1000), ==, 0x0F30);
    qtest_quit(qts);
}

/* U-Boot programs the SVNs as wholes, whichever bit of them it wants to set */
static void test_multi(void)
{
    static const struct {
        uint32_t addr;
        unsigned n;
    } fields[] = { { 0x3E4, 4 }, { 0x3E8, 2 }, { 0x3EA, 8 } };
    static const uint32_t others[] = {
        0x3E0, 0x3E5, 0x3E9, 0x3EB, 0x3F2, 0x400, 0x1C02, WORDS - 1
    };
    uint16_t data[8];
    QTestState *qts = start(NULL, false);

    unlock(qts);
    for (int f = 0; f < ARRAY_SIZE(fields); f++) {
        /* more than the field has, which must not be programmed */
        for (unsigned i = 0; i < ARRAY_SIZE(data); i++) {
            data[i] = 0x100 * f + i + 1;
        }
        g_assert_cmphex(program_multi(qts, fields[f].addr, data, 8), ==,
                        PASS);
        for (unsigned i = 0; i < fields[f].n; i++) {
            g_assert_cmphex(get(qts, fields[f].addr + i), ==, data[i]);
        }
    }
    g_assert_cmphex(get(qts, 0x3E3), ==, 0);
    g_assert_cmphex(get(qts, 0x3F2), ==, 0);

    memset(data, 0, sizeof(data));
    data[7] = 0x8000;
    g_assert_cmphex(program_multi(qts, 0x3EA, data, 8), ==, PASS);
    g_assert_cmphex(get(qts, 0x3EA), ==, 0x201);
    g_assert_cmphex(get(qts, 0x3F1), ==, 0x8208);

    for (int i = 0; i < ARRAY_SIZE(others); i++) {
        g_assert_cmphex(program_multi(qts, others[i], data, 8), ==, FAIL);
    }
    qtest_quit(qts);
}

static const struct {
    uint32_t first;
    uint32_t last;
    uint16_t bit;
} regions[] = {
    { 0x0000, 0x03DF, 5 },
    { 0x03E0, 0x03FF, 10 },
    { 0x0400, 0x041F, 6 },
    { 0x0420, 0x042F, 7 },
    { 0x0430, 0x043F, 4 },
    /* user and secure region have no protection of their own */
    { 0x0440, 0x1BFF, 15 },
    { 0x1C00, 0x1F7F, 12 },
    { 0x1F80, 0x1FFF, 14 },
};

static void check_protection(QTestState *qts, uint16_t cfg0)
{
    for (int i = 0; i < ARRAY_SIZE(regions); i++) {
        uint32_t wanted = cfg0 & (1 << 15 | 1 << regions[i].bit) ?
                          REGION_FAIL : PASS;

        for (int end = 0; end < 2; end++) {
            uint32_t addr = end ? regions[i].last : regions[i].first;
            uint16_t before = get(qts, addr);

            /* a bit that is there changes nothing else */
            g_assert_cmphex(program(qts, addr, before), ==, wanted);
            g_assert_cmphex(get(qts, addr), ==, before);
        }
    }
}

/* The bits of OTPCFG0 stand, each after the other */
static void test_protection(void)
{
    static const uint16_t order[] = { 5, 14, 10, 12, 4, 7 };
    static const uint16_t ones[2] = { 0xFFFF, 0xFFFF };
    QTestState *qts = start(NULL, false);
    uint16_t cfg0 = 0;

    unlock(qts);
    check_protection(qts, cfg0);
    for (int i = 0; i < ARRAY_SIZE(order); i++) {
        cfg0 |= 1 << order[i];
        g_assert_cmphex(program(qts, OTPCFG0, 1 << order[i]), ==, PASS);
        check_protection(qts, cfg0);
    }
    g_assert_cmphex(program_multi(qts, 0x3E8, ones, 2), ==, REGION_FAIL);
    g_assert_cmphex(get(qts, 0x3E8), ==, 0);
    /* last, as it protects itself */
    g_assert_cmphex(program(qts, OTPCFG0, 1 << 6), ==, PASS);
    check_protection(qts, cfg0 | 1 << 6);
    g_assert_cmphex(program(qts, OTPCFG0, 1 << 15), ==, REGION_FAIL);
    g_assert_cmphex(get(qts, OTPCFG0), ==, cfg0 | 1 << 6);
    qtest_quit(qts);

    qts = start(NULL, false);
    unlock(qts);
    g_assert_cmphex(program(qts, 0x1000, 2), ==, PASS);
    g_assert_cmphex(program(qts, OTPCFG0, 1 << 15), ==, PASS);
    check_protection(qts, 1 << 15);
    g_assert_cmphex(program(qts, 0x1000, 1), ==, REGION_FAIL);
    g_assert_cmphex(get(qts, 0x1000), ==, 2);
    qtest_quit(qts);
}

/* all that is no command: storage, read-only, or nothing */
static void test_registers(void)
{
    QTestState *qts = start(NULL, false);

    for (uint32_t offset = 0x0C4; offset < 0x1000; offset += 4) {
        bool storage = (offset >= 0x0D0 && offset <= 0x0F0) ||
                       (offset >= 0x100 && offset <= 0x1F0) ||
                       (offset >= 0x200 && offset <= 0x214) ||
                       offset == 0x538;
        uint32_t data = 0xA5000000 | offset;

        g_assert_cmphex(qtest_readl(qts, OTP + offset), ==, 0);
        qtest_writel(qts, OTP + offset, data);
        g_assert_cmphex(qtest_readl(qts, OTP + offset), ==,
                        storage ? data : 0);
    }
    for (unsigned m = 0; m < MASTERS; m++) {
        for (unsigned n = 0; n < 4; n++) {
            qtest_writel(qts, WDATA(m, n), 0x10 * m + n);
        }
        qtest_writel(qts, ADDR(m), m);
        qtest_writel(qts, STATUS(m), 0xFF);
        qtest_writel(qts, RDATA(m), 0xFF);
        g_assert_cmphex(qtest_readl(qts, STATUS(m)), ==, 0);
        g_assert_cmphex(qtest_readl(qts, RDATA(m)), ==, 0);
    }
    for (unsigned m = 0; m < MASTERS; m++) {
        for (unsigned n = 0; n < 4; n++) {
            g_assert_cmphex(qtest_readl(qts, WDATA(m, n)), ==, 0x10 * m + n);
        }
        g_assert_cmphex(qtest_readl(qts, ADDR(m)), ==, m);
    }
    qtest_quit(qts);
}

/* registers are reset, the content is not */
static void test_reset(void)
{
    QTestState *qts = start(NULL, false);

    unlock(qts);
    g_assert_cmphex(program(qts, 0x1234, 0x4321), ==, PASS);
    qtest_writel(qts, ECC_EN, 1);
    g_assert_cmphex(command(qts, 1, READ, WORDS), ==, FAIL);
    qtest_system_reset(qts);
    for (uint32_t offset = 0; offset < 0x600; offset += 4) {
        g_assert_cmphex(qtest_readl(qts, OTP + offset), ==, 0);
    }
    unlock(qts);
    g_assert_cmphex(get(qts, 0x1234), ==, 0x4321);
    qtest_quit(qts);
}

/* the whole content of a file, and back to it */
static void test_file(const void *opaque)
{
    size_t size = GPOINTER_TO_SIZE(opaque);
    g_autofree uint8_t *data = g_malloc0(IMAGE_SIZE);
    g_autofree char *after = NULL;
    QTestState *qts;
    char *path;

    for (int i = 0; i < size / 2; i++) {
        stw_le_p(data + 2 * i, i & 0x0FFF);
    }
    /* no protection */
    stw_le_p(data + 2 * OTPCFG0, 0);
    path = make_file(data, size);
    qts = start(path, false);
    unlock(qts);
    for (uint32_t addr = 0; addr < WORDS; addr += SOME) {
        g_assert_cmphex(get(qts, addr), ==, lduw_le_p(data + 2 * addr));
    }
    /* one word, then far apart in quick succession */
    g_assert_cmphex(program(qts, 0x1234, 0x8000), ==, PASS);
    for (uint32_t addr = 0; addr < 0x1F80; addr += 0x80) {
        g_assert_cmphex(program(qts, 0x1F00 - addr, 0x7000), ==, PASS);
    }
    qtest_quit(qts);
    after = file_contents(path, size);
    for (uint32_t addr = 0; addr < size / 2; addr++) {
        uint16_t word = lduw_le_p(data + 2 * addr);

        word |= addr == 0x1234 ? 0x8000 : 0;
        word |= addr % 0x80 == 0 && addr < 0x1F80 ? 0x7000 : 0;
        g_assert_cmphex(lduw_le_p(after + 2 * addr), ==, word);
    }

    /* and the next machine has it */
    qts = start(path, false);
    unlock(qts);
    g_assert_cmphex(get(qts, 0x1234), ==, 0x8234);
    qtest_quit(qts);
    remove_file(path);
}

/* nothing is written that has not been programmed */
static void test_untouched(void)
{
    g_autofree uint8_t *data = g_malloc0(FLAT_SIZE);
    g_autofree char *after = NULL;
    QTestState *qts;
    char *path;

    for (int i = 0; i < 6; i++) {
        stw_le_p(data + 2 * (0x423 + 2 * i), 1);
    }
    path = make_file(data, FLAT_SIZE);
    qts = start(path, false);
    unlock(qts);
    g_assert_cmphex(get(qts, 0x423), ==, 1);
    g_assert_cmphex(get(qts, 0x425), ==, 0);
    g_assert_cmphex(program(qts, 0x423, 1), ==, PASS);
    qtest_quit(qts);

    after = file_contents(path, FLAT_SIZE);
    /* the first write puts the straps in order */
    stl_le_p(data + 2 * 0x422, 0x00010000);
    memset(data + 2 * 0x424, 0, 5 * 4);
    g_assert_cmpint(memcmp(after, data, FLAT_SIZE), ==, 0);
    remove_file(path);
}

/* U-Boot sets a strap in the next free option; the file must say so */
static void test_strap_file(void)
{
    g_autofree uint8_t *data = g_malloc0(FLAT_SIZE);
    QTestState *qts;
    char *path;

    for (int i = 0; i < 6; i++) {
        stw_le_p(data + 2 * (0x423 + 2 * i), 1);
    }
    path = make_file(data, FLAT_SIZE);
    qts = start(path, false);
    unlock(qts);
    g_assert_cmphex(program(qts, 0x425, 1), ==, PASS);
    qtest_quit(qts);

    qts = start(path, false);
    unlock(qts);
    for (int i = 0; i < 6; i++) {
        g_assert_cmphex(get(qts, 0x422 + 2 * i), ==, 0);
        g_assert_cmphex(get(qts, 0x423 + 2 * i), ==, i < 2);
    }
    qtest_quit(qts);
    remove_file(path);
}

static void test_read_only(void)
{
    g_autofree uint8_t *data = g_malloc0(IMAGE_SIZE);
    g_autofree char *after = NULL;
    QTestState *qts;
    char *path;

    stw_le_p(data + 2 * 0x1000, 0x1200);
    path = make_file(data, IMAGE_SIZE);
    g_assert_cmpint(chmod(path, 0400), ==, 0);
    qts = start(path, true);
    unlock(qts);
    g_assert_cmphex(program(qts, 0x1000, 0x0034), ==, PASS);
    g_assert_cmphex(get(qts, 0x1000), ==, 0x1234);
    qtest_system_reset(qts);
    unlock(qts);
    g_assert_cmphex(get(qts, 0x1000), ==, 0x1234);
    qtest_quit(qts);
    after = file_contents(path, IMAGE_SIZE);
    g_assert_cmpint(memcmp(after, data, IMAGE_SIZE), ==, 0);
    remove_file(path);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ast2700/otp/probe", test_probe);
    qtest_add_func("/ast2700/otp/blank", test_blank);
    qtest_add_func("/ast2700/otp/key", test_key);
    qtest_add_func("/ast2700/otp/masters", test_masters);
    qtest_add_func("/ast2700/otp/commands", test_commands);
    qtest_add_func("/ast2700/otp/multi", test_multi);
    qtest_add_func("/ast2700/otp/protection", test_protection);
    qtest_add_func("/ast2700/otp/registers", test_registers);
    qtest_add_func("/ast2700/otp/reset", test_reset);
    qtest_add_data_func("/ast2700/otp/file/flat",
                        GSIZE_TO_POINTER(FLAT_SIZE), test_file);
    qtest_add_data_func("/ast2700/otp/file/dump",
                        GSIZE_TO_POINTER(IMAGE_SIZE), test_file);
    qtest_add_func("/ast2700/otp/file/untouched", test_untouched);
    qtest_add_func("/ast2700/otp/file/straps", test_strap_file);
    qtest_add_func("/ast2700/otp/file/read-only", test_read_only);
    return g_test_run();
}
