/*
 * QTest of the registers of the AST2700's SCU and SCUIO that start cores and
 * drive Caliptra
 *
 * Sequences are those of U-Boot's shell scripts, of vbootrom's ssp_tsp.c, and
 * of the BootMCU's firmware.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "caliptra-utils.h"

#define SCU                 0x12C02000
#define SCU_CA35_REL        (SCU + 0x10C)
#define SCU_RVBAR(n)        (SCU + 0x110 + 4 * (n))
#define SCU_SSP_CTRL0       (SCU + 0x120)
#define SCU_TSP_CTRL0       (SCU + 0x160)
#define SCU_RSTCTL1         (SCU + 0x200)
#define SCU_RSTCTL1_CLR     (SCU + 0x204)
#define SCU_RSTCTL2         (SCU + 0x220)
#define SCU_RSTCTL2_CLR     (SCU + 0x224)
#define RST_SSP             (1u << 30)
#define RST_TSP             (1u << 9)

#define SCUIO_RSTCTL1       0x14C02200
#define SCUIO_RSTCTL1_CLR   0x14C02204
#define SCUIO_OTPCFG(n)     (0x14C02880 + 4 * (n))

#define STORAGE ""
#define CORES   4

/* cores that do not start by themselves, whoever brings Caliptra up */
#define POWERED_OFF "-global cortex-a35-arm-cpu.start-powered-off=on"

/* ---- without Caliptra: storage ---- */

static const uint64_t storage[] = {
    SCU_CA35_REL, SCU_RVBAR(0), SCU_RVBAR(1), SCU_RVBAR(2), SCU_RVBAR(3),
    SCU_SSP_CTRL0, SCU_TSP_CTRL0, SCU_RSTCTL1, SCU_RSTCTL1_CLR, SCU_RSTCTL2,
    SCU_RSTCTL2_CLR, SCUIO_HWSTRAP1_CLR, SCUIO_CPTRA_CTRL,
    SCUIO_CPTRA_OBF_KEY(0), SCUIO_CPTRA_OBF_KEY(7), SCUIO_RSTCTL1,
    SCUIO_RSTCTL1_CLR, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CLR, SCUIO_OTPCFG(0),
    SCUIO_OTPCFG(15), SCUIO_HWSTRAP1,
};

static void check_storage(QTestState *qts)
{
    uint32_t before[ARRAY_SIZE(storage)];

    for (int i = 0; i < ARRAY_SIZE(storage); i++) {
        before[i] = qtest_readl(qts, storage[i]);
        if (storage[i] != SCUIO_HWSTRAP1 && storage[i] != SCUIO_HWSTRAP1_CLR) {
            g_assert_cmphex(before[i], ==, 0);
        }
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ARRAY_SIZE(storage); i++) {
            qtest_writel(qts, storage[i], 0xA5A50000 + (i << round));
        }
        for (int i = 0; i < ARRAY_SIZE(storage); i++) {
            check(qts, storage[i], 0xA5A50000 + (i << round));
        }
    }
    qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
    qtest_qmp_eventwait(qts, "RESET");
    for (int i = 0; i < ARRAY_SIZE(storage); i++) {
        check(qts, storage[i], before[i]);
    }
}

static void test_storage_fc(void)
{
    QTestState *qts = caliptra_start(STORAGE, "");

    check_storage(qts);
    qtest_quit(qts);
}

static void test_storage_evb(void)
{
    g_autofree char *boot_rom = caliptra_boot_rom();
    QTestState *qts;

    qts = qtest_initf("-machine ast2700a1-evb -bios %s", boot_rom);
    unlink(boot_rom);
    check_storage(qts);
    qtest_quit(qts);
}

/* ---- SCUIO with Caliptra ---- */

static void test_scuio(void)
{
    QTestState *qts = caliptra_start(GUEST, "");
    uint32_t strap = qtest_readl(qts, SCUIO_HWSTRAP1);

    /* straps are set and cleared */
    qtest_writel(qts, SCUIO_HWSTRAP1, 0x100);
    check(qts, SCUIO_HWSTRAP1, strap | 0x100);
    qtest_writel(qts, SCUIO_HWSTRAP1, 0);
    check(qts, SCUIO_HWSTRAP1, strap | 0x100);
    qtest_writel(qts, SCUIO_HWSTRAP1_CLR, 0x100 | (strap & 1));
    check(qts, SCUIO_HWSTRAP1, strap & ~1);

    /* so are resets */
    qtest_writel(qts, SCUIO_RSTCTL1, 0x5);
    qtest_writel(qts, SCUIO_RSTCTL1, 0xA);
    check(qts, SCUIO_RSTCTL1, 0xF);
    qtest_writel(qts, SCUIO_RSTCTL1_CLR, 0x6);
    check(qts, SCUIO_RSTCTL1, 0x9);

    /* the mirror of the OTP configuration keeps what the BootMCU writes */
    for (int i = 0; i < 16; i++) {
        qtest_writel(qts, SCUIO_OTPCFG(i), 0x10000 * i + 0x1234);
    }
    for (int i = 0; i < 16; i++) {
        check(qts, SCUIO_OTPCFG(i), 0x10000 * i + 0x1234);
    }

    /* the key is nobody's to read, whatever the width of the access */
    for (int i = 0; i < 8; i++) {
        qtest_writel(qts, SCUIO_CPTRA_OBF_KEY(i), 0xFFFFFFFF);
    }
    for (int i = 0; i < 32; i++) {
        g_assert_cmphex(qtest_readb(qts, SCUIO_CPTRA_OBF_KEY(0) + i), ==, 0);
    }
    g_assert_cmphex(qtest_readq(qts, SCUIO_CPTRA_OBF_KEY(6)), ==, 0);

    /* ready_for_runtime is Caliptra's */
    qtest_writel(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_RDY_FOR_RT);
    check(qts, SCUIO_CPTRA_CTRL, 0);
    qtest_quit(qts);
}

/*
 * Secrets pass through registers: no trace event of the model shows them.
 * Each word is one of a kind.
 */
static void test_secrets(void)
{
    const uint32_t key = 0xC0DE0100;
    const uint32_t fuse = 0xC0DE0200;
    const int fuses = 20;
    g_autofree char *file = NULL;
    g_autofree char *args = NULL;
    g_autofree char *text = NULL;
    QTestState *qts;
    int fd = g_file_open_tmp("qtest.trace.XXXXXX", &file, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    args = g_strdup_printf("-trace 'caliptra_*' -trace 'aspeed_*' -D %s", file);
    qts = caliptra_start(GUEST, args);
    qtest_writel(qts, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0);
    for (int i = 0; i < 8; i++) {
        qtest_writel(qts, SCUIO_CPTRA_OBF_KEY(i), key + i);
    }
    qtest_writel(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD |
                 SCUIO_CPTRA_SEC(SEC_PRODUCTION | SEC_DEBUG_LOCKED));
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    caliptra_set_user(qts);
    for (int i = 0; i < fuses; i++) {
        qtest_writel(qts, IFC_FUSE_UDS_SEED + 4 * i, fuse + i);
    }
    /* one that is no secret shows that traces are there */
    qtest_writel(qts, IFC_FUSE_PK_HASH, key - 1);
    caliptra_fuses_done(qts, NULL);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_FW,
                                FLOW_READY_FOR_FW));
    qtest_quit(qts);

    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    unlink(file);
    g_assert_nonnull(strstr(text, "c0de00ff"));
    g_assert_null(strstr(text, "c0de01"));
    g_assert_null(strstr(text, "c0de02"));
}

/* ---- CA35 ---- */

static uint64_t core_pc(QTestState *qts, int core)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'human-monitor-command', "
                           "'arguments': { 'cpu-index': %d, "
                           "'command-line': 'info registers' }}", core);
    const char *pc = strstr(qdict_get_str(rsp, "return"), "PC=");
    uint64_t addr;

    g_assert_nonnull(pc);
    addr = g_ascii_strtoull(pc + 3, NULL, 16);
    qobject_unref(rsp);
    return addr;
}

/* the work of a core's thread takes its time, which is not virtual time */
static void wait_pc(QTestState *qts, int core, uint64_t pc)
{
    for (int i = 0; i < 10000 && core_pc(qts, core) != pc; i++) {
        g_usleep(1000);
    }
    g_assert_cmphex(core_pc(qts, core), ==, pc);
}

static void test_ca35(void)
{
    QTestState *qts = caliptra_start(GUEST, POWERED_OFF
        " -device loader,addr=0x430000000,cpu-num=2");

    for (int round = 0; round < 2; round++) {
        check(qts, SCU_CA35_REL, 0);
        for (int i = 0; i < CORES; i++) {
            check(qts, SCU_RVBAR(i), 0);
            g_assert_cmphex(core_pc(qts, i), ==, i == 2 ? 0x430000000 : 0);
        }
        /* a vector of 0 is one, too */
        qtest_writel(qts, SCU_RVBAR(0), 0x43000000);
        qtest_writel(qts, SCU_RVBAR(1), 0xFFFFFFF0);
        qtest_writel(qts, SCU_RVBAR(3), 0x40000001);
        if (round) {
            qtest_writel(qts, SCU_RVBAR(2), 0);
        }
        qtest_writel(qts, SCU_CA35_REL, 1);
        wait_pc(qts, 0, 0x430000000);
        wait_pc(qts, 1, 0xFFFFFFF00);
        wait_pc(qts, 3, 0x400000010);
        wait_pc(qts, 2, round ? 0 : 0x430000000);
        check(qts, SCU_CA35_REL, 1);
        check(qts, SCU_RVBAR(3), 0x40000001);

        qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
        qtest_qmp_eventwait(qts, "RESET");
    }
    qtest_quit(qts);
}

/* a snapshot between the vectors and the release */
static void test_ca35_snapshot(void)
{
    g_autofree char *file = g_strdup_printf("file:%s/scu-%d.mig",
                                            g_get_tmp_dir(), getpid());
    QTestState *src = caliptra_start(GUEST, POWERED_OFF);
    QTestState *dst;
    QDict *rsp;
    bool done = false;

    qtest_writel(src, SCU_RVBAR(1), 0);
    qtest_writel(src, SCU_RVBAR(2), 0x43000000);
    qtest_qmp_assert_success(src, "{ 'execute': 'migrate', 'arguments': {"
                             "'uri': %s }}", file);
    while (!done) {
        rsp = qtest_qmp_assert_success_ref(src,
                                           "{ 'execute': 'query-migrate' }");
        done = !g_strcmp0(qdict_get_try_str(rsp, "status"), "completed");
        qobject_unref(rsp);
        g_usleep(1000);
    }
    qtest_quit(src);

    dst = caliptra_start(GUEST, POWERED_OFF " -incoming defer"
        " -device loader,addr=0x440000000,cpu-num=1"
        " -device loader,addr=0x440000000,cpu-num=3");
    qtest_qmp_assert_success(dst, "{ 'execute': 'migrate-incoming', "
                             "'arguments': { 'uri': %s }}", file);
    qtest_qmp_eventwait(dst, "RESUME");
    unlink(file + strlen("file:"));
    check(dst, SCU_RVBAR(2), 0x43000000);
    qtest_writel(dst, SCU_CA35_REL, 1);
    wait_pc(dst, 2, 0x430000000);
    wait_pc(dst, 3, 0x440000000);
    wait_pc(dst, 1, 0);
    qtest_quit(dst);
}

/* ---- SSP and TSP ---- */

static void check_cm4(QTestState *qts, uint64_t ctrl0, uint64_t rstctl,
                      uint32_t rst, uint32_t rst_reset)
{
    /* in reset and held */
    check(qts, ctrl0, 0x7FE);
    check(qts, rstctl, rst_reset);

    /* vbootrom and the BootMCU: reset pulse, set up, enable */
    qtest_writel(qts, rstctl, rst);
    qtest_writel(qts, rstctl + 4, rst);
    check(qts, rstctl, rst_reset & ~rst);
    check(qts, ctrl0, 0x3FE);
    qtest_writel(qts, ctrl0, 0x1E);
    check(qts, ctrl0, 0x31E);
    qtest_writel(qts, ctrl0, 0x31E | 3);
    check(qts, ctrl0, 0x1E);

    /* the module's reset, with RESET set: held until it is enabled */
    qtest_writel(qts, rstctl, rst);
    check(qts, ctrl0, 0x71E);
    qtest_writel(qts, ctrl0, 0x1F);
    check(qts, ctrl0, 0x71E);
    qtest_writel(qts, rstctl + 4, rst);
    check(qts, ctrl0, 0x31E);
    qtest_writel(qts, ctrl0, 1);
    check(qts, ctrl0, 0);

    /* with RESET clear: runs when the module's reset ends */
    qtest_writel(qts, rstctl, rst);
    check(qts, ctrl0, 0x500);
    qtest_writel(qts, rstctl + 4, rst);
    check(qts, ctrl0, 0);

    /* status bits are not written */
    qtest_writel(qts, ctrl0, 0xFFFFFF00);
    check(qts, ctrl0, 0);
}

static void test_cm4(void)
{
    g_autofree char *file = NULL;
    g_autofree char *machine = NULL;
    QTestState *qts;
    int fd = g_file_open_tmp("qtest.bundle.XXXXXX", &file, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, "CMAN", 4), ==, 4);
    close(fd);
    machine = g_strdup_printf("caliptra-firmware=%s", file);
    qts = caliptra_start(machine, "");
    unlink(file);
    for (int i = 0; i < 2; i++) {
        check_cm4(qts, SCU_SSP_CTRL0, SCU_RSTCTL1, RST_SSP, 0xFFC37FDC);
        check_cm4(qts, SCU_TSP_CTRL0, SCU_RSTCTL2, RST_TSP, RST_TSP);
        qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
        qtest_qmp_eventwait(qts, "RESET");
    }
    /* U-Boot's shell */
    qtest_writel(qts, SCU_RSTCTL1_CLR, RST_SSP);
    qtest_writel(qts, SCU_SSP_CTRL0, 1);
    check(qts, SCU_SSP_CTRL0, 0);
    qtest_writel(qts, SCU_RSTCTL2_CLR, RST_TSP);
    qtest_writel(qts, SCU_TSP_CTRL0, 1);
    check(qts, SCU_TSP_CTRL0, 0);
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/caliptra-scu/storage/ast2700fc", test_storage_fc);
    qtest_add_func("/caliptra-scu/storage/ast2700a1-evb", test_storage_evb);
    qtest_add_func("/caliptra-scu/scuio", test_scuio);
    qtest_add_func("/caliptra-scu/secrets", test_secrets);
    qtest_add_func("/caliptra-scu/ca35/start", test_ca35);
    qtest_add_func("/caliptra-scu/ca35/snapshot", test_ca35_snapshot);
    qtest_add_func("/caliptra-scu/cm4", test_cm4);

    return g_test_run();
}
