/*
 * QTest: Caliptra refuses bad firmware bundles, each with its number
 *
 * tests/caliptra/badbundles.py makes the bundles and says what shall become
 * of each; here each goes through the registers of the ast2700fc machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "caliptra-utils.h"

#define IFC_FUSES       IFC_FUSE_UDS_SEED

/* Columns of a line of the index */
enum {
    COL_NAME,
    COL_FILE,
    COL_LIFECYCLE,
    COL_DLEN,
    COL_CODE,
    COL_EXT,
    COL_BOOT_STATUS,
    COL_FUSES,
};

typedef struct {
    uint8_t *data;
    gsize len;
    uint32_t dlen;
    uint32_t security_state;
    uint32_t code;
    uint32_t ext;
    uint32_t boot_status;
    uint32_t fuse[CALIPTRA_FUSE_WORDS];
} Case;

/* one machine for all cases: a power cycle lies between them */
static QTestState *qts;

static uint32_t number(const char *text)
{
    unsigned int value;

    g_assert_cmpint(qemu_strtoui(text, NULL, 0, &value), ==, 0);
    return value;
}

/* "0x250=53845724676e..." */
static void parse_fuse(Case *c, const char *text)
{
    g_auto(GStrv) part = g_strsplit(text, "=", 2);
    size_t word = (number(part[0]) - (IFC_FUSES - IFC_BASE)) / 4;
    const char *hex;

    for (hex = part[1]; *hex; hex += 8) {
        g_autofree char *digits = g_strdup_printf("0x%.8s", hex);

        g_assert_cmpuint(word, <, CALIPTRA_FUSE_WORDS);
        c->fuse[word++] = number(digits);
    }
}

static uint32_t parse_lifecycle(const char *text)
{
    if (g_str_equal(text, "unprovisioned")) {
        return SEC_UNPROVISIONED;
    }
    return SEC_DEBUG_LOCKED | (g_str_equal(text, "manufacturing") ?
                               SEC_MANUFACTURING : SEC_PRODUCTION);
}

static void test_bundle(const void *opaque)
{
    const Case *c = opaque;
    uint32_t wanted = c->code ? CMD_FAILURE : CMD_COMPLETE;
    gsize i;

    if (!qts) {
        qts = caliptra_start("caliptra-boot=guest",
                             "-global caliptra-native-fw.firmware-latency=0");
    }
    caliptra_power_cycle(qts, c->security_state);
    caliptra_boot_to_fw(qts, c->fuse);

    /* not caliptra_load_firmware(): DLEN may lie about the length */
    g_assert_cmphex(qtest_readl(qts, MBOX_LOCK), ==, 0);
    qtest_writel(qts, MBOX_CMD, CMD_FIRMWARE_LOAD);
    qtest_writel(qts, MBOX_DLEN, c->dlen);
    for (i = 0; i < c->len; i += 4) {
        qtest_writel(qts, MBOX_DATAIN, ldl_le_p(c->data + i));
    }
    qtest_writel(qts, MBOX_EXECUTE, 1);

    g_assert_cmphex(caliptra_mbox_wait(qts), ==, wanted);
    if (c->code) {
        g_assert_cmphex(qtest_readl(qts, IFC_FW_ERROR_FATAL), ==, c->code);
        g_assert_cmphex(qtest_readl(qts, IFC_FW_ERROR_NON_FATAL), ==,
                        c->code);
        g_assert_cmphex(qtest_readl(qts, IFC_BOOT_STATUS), ==,
                        c->boot_status);
    }
    g_assert_cmphex(qtest_readl(qts, IFC_FW_EXT_ERROR(0)), ==, c->ext);
    caliptra_mbox_finish(qts);

    if (c->code) {
        /* no further command is served, and no runtime comes */
        caliptra_mbox_start(qts, CMD_FIRMWARE_LOAD, c->data, 0);
        g_assert_cmphex(caliptra_mbox_wait(qts), ==, CMD_FAILURE);
        caliptra_mbox_finish(qts);
        g_assert_cmphex(qtest_readl(qts, IFC_FW_ERROR_FATAL), ==, c->code);
        g_assert_cmphex(qtest_readl(qts, IFC_FLOW_STATUS) &
                        FLOW_READY_FOR_RUNTIME, ==, 0);
        g_assert_cmphex(qtest_readl(qts, SCUIO_CPTRA_CTRL) &
                        SCUIO_CPTRA_RDY_FOR_RT, ==, 0);
    } else {
        g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS,
                                    FLOW_READY_FOR_RUNTIME,
                                    FLOW_READY_FOR_RUNTIME));
        g_assert_cmphex(qtest_readl(qts, IFC_FW_ERROR_FATAL), ==, 0);
        g_assert_cmphex(qtest_readl(qts, IFC_FW_ERROR_NON_FATAL), ==, 0);
    }
}

static void free_case(gpointer opaque)
{
    Case *c = opaque;

    g_free(c->data);
    g_free(c);
}

static void add_case(const char *dir, const char *line)
{
    g_auto(GStrv) col = g_strsplit(line, " ", -1);
    g_autofree char *path = g_build_filename(dir, col[COL_FILE], NULL);
    g_autofree char *name = g_strdup_printf("/caliptra/bundle/%s",
                                            col[COL_NAME]);
    Case *c = g_new0(Case, 1);
    int i;

    g_assert_true(g_file_get_contents(path, (char **)&c->data, &c->len,
                                      NULL));
    unlink(path);
    /* DATAIN takes whole words */
    c->data = g_realloc(c->data, ROUND_UP(c->len, 4) + 4);
    memset(c->data + c->len, 0, 4);
    c->security_state = parse_lifecycle(col[COL_LIFECYCLE]);
    c->dlen = number(col[COL_DLEN]);
    c->code = number(col[COL_CODE]);
    c->ext = number(col[COL_EXT]);
    c->boot_status = number(col[COL_BOOT_STATUS]);
    for (i = COL_FUSES; col[i]; i++) {
        parse_fuse(c, col[i]);
    }
    qtest_add_data_func_full(name, c, test_bundle, free_case);
}

static void test_no_bundles(const void *why)
{
    g_test_skip(why);
}

/* run the generator; returns why there are no bundles, or NULL */
static const char *make_bundles(char *dir)
{
    const char *srcdir = getenv("G_TEST_SRCDIR");
    g_autofree char *script = NULL;
    g_autofree char *err = NULL;
    g_autoptr(GError) error = NULL;
    const char *argv[] = { getenv("PYTHON") ?: "python3", NULL, dir, NULL };
    int status;

    if (!srcdir) {
        return "G_TEST_SRCDIR is not set: no badbundles.py";
    }
    script = g_strdup_printf("%s/../caliptra/badbundles.py", srcdir);
    argv[1] = script;
    if (!g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL,
                      NULL, NULL, &err, &status, &error)) {
        g_error("%s: %s", argv[0], error->message);
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        return NULL;
    }
    if (strstr(err, "No module named 'cryptography'")) {
        return "Python's cryptography package is missing";
    }
    g_error("%s: %s", script, err);
}

int main(int argc, char **argv)
{
    g_autofree char *dir = NULL;
    g_autofree char *index = NULL;
    g_autofree char *lines = NULL;
    g_auto(GStrv) line = NULL;
    const char *missing;
    int i, ret;

    g_test_init(&argc, &argv, NULL);

    dir = g_dir_make_tmp("qtest.caliptra-bundles.XXXXXX", NULL);
    g_assert_nonnull(dir);
    index = g_build_filename(dir, "index", NULL);
    missing = make_bundles(dir);
    if (missing) {
        qtest_add_data_func("/caliptra/bundle", missing, test_no_bundles);
    } else {
        g_assert_true(g_file_get_contents(index, &lines, NULL, NULL));
        unlink(index);
        line = g_strsplit(lines, "\n", -1);
        for (i = 0; line[i] && *line[i]; i++) {
            add_case(dir, line[i]);
        }
    }
    g_assert_cmpint(rmdir(dir), ==, 0);
    ret = g_test_run();
    if (qts) {
        qtest_quit(qts);
    }
    return ret;
}
