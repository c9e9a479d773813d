/*
 * QTest of the ASPEED AST2700's inter-processor mailboxes
 *
 * Plays the drivers of Linux (drivers/mailbox/ast2700-mailbox.c), U-Boot and
 * Zephyr (drivers/ipm/ipm_ast2700.c) on both sides.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "libqtest.h"

#define IPC0            0x12C1C000
#define IPC1            0x14C39000
#define IPC_SIZE        0x1000
#define SSP_IPC0        0x72C1C000
#define SSP_IPC1        0x74C39000

#define HALF(block, slot, half) ((block) + (slot) * 0x200 + (half) * 0x100)
#define TRIG            0x00
#define ENABLE          0x04
#define STATUS          0x08
#define DATA(ch)        (0x10 + 0x20 * (ch))
#define DATA_END        0x90

/* INTCIO's group 5 */
#define INTCIO_GICINT197_EN     (0x14C18000 + 0x150)
#define INTCIO_GICINT197_STATUS (0x14C18000 + 0x154)

#define check(qts, addr, value) \
    g_assert_cmphex(qtest_readl(qts, addr), ==, value)

static const struct {
    uint64_t base;
    int slots;
} blocks[] = {
    { IPC0, 5 },
    { IPC1, 4 },
};

static QTestState *start(void)
{
    return qtest_init("-machine ast2700fc");
}

/* ---- registers ---- */

static void check_reset_values(QTestState *qts)
{
    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (int offset = 0; offset < IPC_SIZE; offset += 4) {
            check(qts, blocks[b].base + offset, 0);
        }
    }
}

static void fill(QTestState *qts, uint32_t seed)
{
    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (int offset = 0; offset < IPC_SIZE; offset += 4) {
            qtest_writel(qts, blocks[b].base + offset,
                         (offset & 0xFF) >= DATA(0) ? seed + offset : seed);
        }
    }
}

/* what fill() with a seed whose low four bits are set leaves */
static void check_filled(QTestState *qts, uint32_t seed)
{
    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (int offset = 0; offset < IPC_SIZE; offset += 4) {
            int reg = offset & 0xFF;
            uint32_t value = 0;

            if (offset < blocks[b].slots * 0x200) {
                if (reg == ENABLE) {
                    value = 0xF;
                } else if (reg >= DATA(0) && reg < DATA_END) {
                    value = seed + offset;
                }
            }
            /* TRIG and then STATUS: set, and cleared again */
            check(qts, blocks[b].base + offset, value);
        }
    }
}

static void test_registers(void)
{
    QTestState *qts = start();

    check_reset_values(qts);
    fill(qts, 0xFFFFFFFF);
    check_filled(qts, 0xFFFFFFFF);
    fill(qts, 0x5A5A5A5F);
    check_filled(qts, 0x5A5A5A5F);
    qtest_system_reset(qts);
    check_reset_values(qts);
    qtest_quit(qts);
}

static void test_trig_status(void)
{
    QTestState *qts = start();

    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (int h = 0; h < 2 * blocks[b].slots; h++) {
            uint64_t half = HALF(blocks[b].base, 0, h);

            for (int ch = 0; ch < 4; ch++) {
                qtest_writel(qts, half + TRIG, 1u << ch);
                check(qts, half + STATUS, (2u << ch) - 1);
                check(qts, half + TRIG, (2u << ch) - 1);
            }
            /* bits that are set stay set, bits of no channel do not exist */
            qtest_writel(qts, half + TRIG, 0xFFFFFFF1);
            check(qts, half + STATUS, 0xF);
            qtest_writel(qts, half + TRIG, 0);
            check(qts, half + STATUS, 0xF);
            qtest_writel(qts, half + STATUS, 0);
            check(qts, half + STATUS, 0xF);
            qtest_writel(qts, half + STATUS, 0x5);
            check(qts, half + STATUS, 0xA);
            check(qts, half + ENABLE, 0);
            qtest_writel(qts, half + ENABLE, 0xFFFFFFF6);
            check(qts, half + ENABLE, 0x6);
            check(qts, half + STATUS, 0xA);
        }
        /* no half has touched another one */
        for (int h = 0; h < 2 * blocks[b].slots; h++) {
            check(qts, HALF(blocks[b].base, 0, h) + STATUS, 0xA);
            check(qts, HALF(blocks[b].base, 0, h) + ENABLE, 0x6);
        }
    }
    qtest_quit(qts);
}

static void test_access_sizes(void)
{
    QTestState *qts = start();
    uint64_t half = HALF(IPC1, 1, 0);

    qtest_writel(qts, half + DATA(1), 0x44332211);
    for (int i = 0; i < 4; i++) {
        g_assert_cmphex(qtest_readb(qts, half + DATA(1) + i), ==,
                        0x11 * (i + 1));
    }
    g_assert_cmphex(qtest_readw(qts, half + DATA(1)), ==, 0x2211);
    g_assert_cmphex(qtest_readw(qts, half + DATA(1) + 2), ==, 0x4433);
    qtest_writeb(qts, half + DATA(1) + 2, 0xAA);
    check(qts, half + DATA(1), 0x44AA2211);
    qtest_writew(qts, half + DATA(1) + 2, 0xBBCC);
    check(qts, half + DATA(1), 0xBBCC2211);
    check(qts, half + DATA(1) - 4, 0);
    check(qts, half + DATA(1) + 4, 0);

    qtest_writeb(qts, half + TRIG, 0x6);
    qtest_writeb(qts, half + TRIG + 1, 0xFF);
    check(qts, half + STATUS, 0x6);
    qtest_writeb(qts, half + STATUS + 1, 0xFF);
    check(qts, half + STATUS, 0x6);
    qtest_writeb(qts, half + STATUS, 0x2);
    check(qts, half + STATUS, 0x4);
    qtest_writeb(qts, half + ENABLE, 0xFF);
    qtest_writeb(qts, half + ENABLE + 1, 0xFF);
    check(qts, half + ENABLE, 0xF);
    g_assert_cmphex(qtest_readb(qts, half + ENABLE + 1), ==, 0);
    qtest_quit(qts);
}

/* ---- interrupts ---- */

static char *irq_at(QTestState *qts, int block, int n)
{
    g_autofree char *ipc = g_strdup_printf("/machine/ipc%d", block);
    g_autofree char *irq = g_strdup_printf("sysbus-irq[%d]", n);
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                           "'path': %s, 'property': %s }}", ipc, irq);
    char *path = g_strdup(qdict_get_str(rsp, "return"));

    qobject_unref(rsp);
    return path;
}

#define NVIC(core, n) \
    "/machine/" core "-cluster/" core "/armv7m/nvic/unnamed-gpio-in[" #n "]"
#define GIC(n)  "/machine/ca35-cluster/ca35/gic/unnamed-gpio-in[" #n "]"
#define GROUP5(intcio, n) \
    "/machine/" intcio "/intc-orgates[5]/unnamed-gpio-in[" #n "]"

static void test_irq_wiring(void)
{
    static const char * const expected[2][10] = {
        {
            NVIC("ssp", 100), GIC(101), NVIC("ssp", 102), GIC(103),
            NVIC("tsp", 104), GIC(105), NVIC("tsp", 106), GIC(107),
            NVIC("tsp", 108), NVIC("ssp", 109),
        }, {
            "", GROUP5("ca35-cluster/ca35/intcio", 15),
            "", GROUP5("ca35-cluster/ca35/intcio", 17),
            "", GROUP5("ssp-cluster/ssp/intc1", 19),
            "", GROUP5("tsp-cluster/tsp/intc1", 21),
        },
    };
    QTestState *qts = start();

    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (int n = 0; n < 2 * blocks[b].slots; n++) {
            g_autofree char *path = irq_at(qts, b, n);

            g_assert_cmpstr(path, ==, expected[b][n]);
        }
    }
    qtest_quit(qts);
}

/* level, while an enabled channel holds a message; on each half's own line */
static void test_irq_level(void)
{
    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        QTestState *qts = start();
        g_autofree char *path = g_strdup_printf("/machine/ipc%d", b);

        qtest_irq_intercept_out_named(qts, path, "sysbus-irq");
        for (int n = 0; n < 2 * blocks[b].slots; n++) {
            uint64_t half = HALF(blocks[b].base, 0, n);

            for (int ch = 0; ch < 4; ch++) {
                qtest_writel(qts, half + TRIG, 1u << ch);
                g_assert_false(qtest_get_irq(qts, n));
                qtest_writel(qts, half + ENABLE, 0xF & ~(1u << ch));
                g_assert_false(qtest_get_irq(qts, n));
                qtest_writel(qts, half + ENABLE, 1u << ch);
                for (int i = 0; i < 2 * blocks[b].slots; i++) {
                    g_assert_cmpint(qtest_get_irq(qts, i), ==, i == n);
                }
                qtest_writel(qts, half + STATUS, 0xF & ~(1u << ch));
                g_assert_true(qtest_get_irq(qts, n));
                qtest_writel(qts, half + STATUS, 1u << ch);
                g_assert_false(qtest_get_irq(qts, n));
                qtest_writel(qts, half + TRIG, 1u << ch);
                g_assert_true(qtest_get_irq(qts, n));
                qtest_writel(qts, half + ENABLE, 0);
                g_assert_false(qtest_get_irq(qts, n));
                qtest_writel(qts, half + STATUS, 1u << ch);
            }
            qtest_writel(qts, half + ENABLE, 1);
            qtest_writel(qts, half + TRIG, 1);
            g_assert_true(qtest_get_irq(qts, n));
            qtest_system_reset(qts);
            g_assert_false(qtest_get_irq(qts, n));
        }
        qtest_quit(qts);
    }
}

/* the CA35's way: IPC1, INTCIO group 5 */
static void test_irq_intcio(void)
{
    QTestState *qts = start();

    for (int slot = 0; slot < 2; slot++) {
        uint64_t rx = HALF(IPC1, slot, 1);
        uint32_t bit = 1u << (15 + 2 * slot);

        qtest_writel(qts, INTCIO_GICINT197_EN, bit);
        qtest_writel(qts, rx + ENABLE, 2);
        check(qts, INTCIO_GICINT197_STATUS, 0);
        qtest_writel(qts, rx + TRIG, 2);
        check(qts, INTCIO_GICINT197_STATUS, bit);
        qtest_writel(qts, rx + STATUS, 2);
        qtest_writel(qts, INTCIO_GICINT197_STATUS, bit);
        check(qts, INTCIO_GICINT197_STATUS, 0);
    }
    qtest_quit(qts);
}

/* ---- the drivers' sequences ---- */

typedef struct Message {
    uint32_t word[8];
} Message;

static void put(QTestState *qts, uint64_t tx, int ch, const Message *msg)
{
    for (int i = 0; i < 8; i++) {
        qtest_writel(qts, tx + DATA(ch) + 4 * i, msg->word[i]);
    }
    qtest_writel(qts, tx + TRIG, 1u << ch);
}

static void get(QTestState *qts, uint64_t rx, int ch, Message *msg)
{
    for (int i = 0; i < 8; i++) {
        msg->word[i] = qtest_readl(qts, rx + DATA(ch) + 4 * i);
    }
}

/* Linux and new U-Boot: both directions have registers of their own */
static void linux_open(QTestState *qts, uint64_t rx, int ch)
{
    qtest_writel(qts, rx + ENABLE, qtest_readl(qts, rx + ENABLE) | 1u << ch);
}

static int linux_send(QTestState *qts, uint64_t tx, int ch,
                      const Message *msg)
{
    if (!(qtest_readl(qts, tx + ENABLE) & 1u << ch)) {
        return -ENODEV;
    }
    if (qtest_readl(qts, tx + STATUS) & 1u << ch) {
        return -EBUSY;
    }
    put(qts, tx, ch, msg);
    return 0;
}

static bool linux_last_tx_done(QTestState *qts, uint64_t tx, int ch)
{
    return !(qtest_readl(qts, tx + STATUS) & 1u << ch);
}

/* the interrupt handler; returns the channels that it has served */
static uint32_t linux_irq(QTestState *qts, uint64_t rx, Message *msg)
{
    uint32_t channels = qtest_readl(qts, rx + ENABLE) &
                        qtest_readl(qts, rx + STATUS);

    for (int ch = 0; ch < 4; ch++) {
        if (channels & 1u << ch) {
            get(qts, rx, ch, &msg[ch]);
            qtest_writel(qts, rx + STATUS, 1u << ch);
        }
    }
    return channels;
}

/* old U-Boot: one block of 0x200 bytes, no read-modify-write */
static int old_uboot_send(QTestState *qts, uint64_t slot, int ch,
                          const Message *msg)
{
    return linux_send(qts, slot, ch, msg) ? -EBUSY : 0;
}

static int old_uboot_recv(QTestState *qts, uint64_t slot, int ch,
                          Message *msg)
{
    uint64_t rx = slot + 0x100;

    if (!(qtest_readl(qts, rx + STATUS) & 1u << ch)) {
        return -ENODATA;
    }
    get(qts, rx, ch, msg);
    qtest_writel(qts, rx + STATUS, 1u << ch);
    return 0;
}

/* Zephyr: does not look at the receiver's ENABLE */
static void zephyr_init(QTestState *qts, uint64_t rx)
{
    qtest_writel(qts, rx + ENABLE, 0);
    qtest_writel(qts, rx + STATUS, 0xF);
}

static int zephyr_send(QTestState *qts, uint64_t tx, int ch,
                       const Message *msg)
{
    if (qtest_readl(qts, tx + STATUS) & 1u << ch) {
        return -EBUSY;
    }
    put(qts, tx, ch, msg);
    return 0;
}

#define check_message(a, b) \
    g_assert_cmpmem((a)->word, sizeof(Message), (b)->word, sizeof(Message))

static void test_linux_zephyr(void)
{
    /* non-secure CA35 and SSP on IPC0 */
    QTestState *qts = start();
    uint64_t to_ssp = HALF(IPC0, 1, 0), to_ca35 = HALF(IPC0, 1, 1);
    Message ping = { { 1, 2, 3, 4, 5, 6, 7, 0xFFFFFFFF } };
    Message pong = { { 0xCAFE, [7] = 0xF00D } };
    Message rx[4];

    linux_open(qts, to_ca35, 2);
    g_assert_cmpint(linux_send(qts, to_ssp, 2, &ping), ==, -ENODEV);
    check(qts, to_ssp + DATA(2), 0);

    zephyr_init(qts, to_ssp);
    linux_open(qts, to_ssp, 2);
    g_assert_cmpint(linux_send(qts, to_ssp, 2, &ping), ==, 0);
    g_assert_false(linux_last_tx_done(qts, to_ssp, 2));
    g_assert_cmpint(linux_send(qts, to_ssp, 2, &pong), ==, -EBUSY);
    g_assert_cmphex(linux_irq(qts, to_ssp, rx), ==, 1u << 2);
    check_message(&rx[2], &ping);
    g_assert_true(linux_last_tx_done(qts, to_ssp, 2));

    g_assert_cmpint(zephyr_send(qts, to_ca35, 2, &pong), ==, 0);
    g_assert_cmpint(zephyr_send(qts, to_ca35, 2, &ping), ==, -EBUSY);
    /* a channel that nobody has opened is not served */
    g_assert_cmpint(zephyr_send(qts, to_ca35, 3, &ping), ==, 0);
    g_assert_cmphex(linux_irq(qts, to_ca35, rx), ==, 1u << 2);
    check_message(&rx[2], &pong);
    g_assert_cmpint(linux_irq(qts, to_ca35, rx), ==, 0);
    linux_open(qts, to_ca35, 3);
    g_assert_cmphex(linux_irq(qts, to_ca35, rx), ==, 1u << 3);
    check_message(&rx[3], &ping);

    /* Linux again: its driver starts over with what is there */
    zephyr_init(qts, to_ca35);
    check(qts, to_ca35 + ENABLE, 0);
    check(qts, to_ca35 + STATUS, 0);
    qtest_quit(qts);
}

static void test_old_uboot(void)
{
    QTestState *qts = start();
    uint64_t slot = HALF(IPC1, 1, 0);
    Message request = { { 17, 0xB1880000, 0xB1980000 } };
    Message reply = { { 0 } }, found;

    g_assert_cmpint(old_uboot_send(qts, slot, 1, &request), ==, -EBUSY);
    g_assert_cmpint(old_uboot_recv(qts, slot, 1, &found), ==, -ENODATA);

    /* the BootMCU's side */
    linux_open(qts, slot, 1);
    qtest_writel(qts, slot + 0x100 + ENABLE, 1u << 1);
    g_assert_cmpint(old_uboot_send(qts, slot, 1, &request), ==, 0);
    get(qts, slot, 1, &found);
    check_message(&found, &request);
    put(qts, slot + 0x100, 1, &reply);
    qtest_writel(qts, slot + STATUS, 1u << 1);

    g_assert_cmpint(old_uboot_recv(qts, slot, 1, &found), ==, 0);
    check_message(&found, &reply);
    g_assert_cmpint(old_uboot_recv(qts, slot, 1, &found), ==, -ENODATA);
    g_assert_true(linux_last_tx_done(qts, slot, 1));
    qtest_quit(qts);
}

/* ---- the machine ---- */

static uint32_t core_readl(QTestState *qts, int cpu, uint64_t addr)
{
    g_autofree char *cmd = g_strdup_printf("xp /1wx 0x%" PRIx64, addr);
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'human-monitor-command', "
                           "'arguments': { 'command-line': %s, "
                           "'cpu-index': %d }}", cmd, cpu);
    const char *value = strchr(qdict_get_str(rsp, "return"), ':');
    uint32_t word;

    g_assert_nonnull(value);
    word = g_ascii_strtoull(value + 1, NULL, 16);
    qobject_unref(rsp);
    return word;
}

/* SSP (core 4) and TSP (core 5) see the same registers */
static void test_coprocessors(void)
{
    QTestState *qts = start();

    for (int offset = 0; offset < IPC_SIZE; offset += 0x70) {
        qtest_writel(qts, IPC0 + offset, ~offset);
        qtest_writel(qts, IPC1 + offset, offset + 1);
        for (int cpu = 4; cpu <= 5; cpu++) {
            g_assert_cmphex(core_readl(qts, cpu, SSP_IPC0 + offset), ==,
                            qtest_readl(qts, IPC0 + offset));
            g_assert_cmphex(core_readl(qts, cpu, SSP_IPC1 + offset), ==,
                            qtest_readl(qts, IPC1 + offset));
        }
    }
    qtest_quit(qts);
}

/* what messages point to: the coprocessors' SDRAM is part of the DRAM */
static void test_sdram(void)
{
    static const struct {
        int cpu;
        uint64_t addr;
        uint64_t bus;
    } places[] = {
        { 4, 0x00000000, 0x42C000000 },
        { 4, 0x01300000, 0x42D300000 },
        /* the last word before the window of the DRAM's beginning */
        { 4, 0x0587FFFC, 0x43187FFFC },
        { 4, 0x05880000, 0x400000000 },
        { 4, 0x1FFFDFFC, 0x41A77DFFC },
        { 5, 0x00000000, 0x42E000000 },
        { 5, 0x01FFFFFC, 0x42FFFFFFC },
    };
    QTestState *qts = start();

    for (int i = 0; i < ARRAY_SIZE(places); i++) {
        qtest_writel(qts, places[i].bus, 0xC0DE0000 + i);
    }
    for (int i = 0; i < ARRAY_SIZE(places); i++) {
        g_assert_cmphex(core_readl(qts, places[i].cpu, places[i].addr), ==,
                        0xC0DE0000 + i);
    }
    qtest_quit(qts);
}

static void wait_migrated(QTestState *qts)
{
    for (;;) {
        QDict *rsp = qtest_qmp_assert_success_ref(qts,
                         "{ 'execute': 'query-migrate' }");
        const char *status = qdict_get_try_str(rsp, "status");
        bool done = status && !strcmp(status, "completed");

        g_assert_false(status && !strcmp(status, "failed"));
        qobject_unref(rsp);
        if (done) {
            return;
        }
        g_usleep(10000);
    }
}

static void test_migration(void)
{
    g_autofree char *path = NULL, *uri = NULL;
    QTestState *src = start(), *dst;
    int fd = g_file_open_tmp("ast2700-ipc.XXXXXX", &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    uri = g_strdup_printf("file:%s", path);
    fill(src, 0xC0FFEE0F);
    qtest_writel(src, HALF(IPC1, 1, 1) + TRIG, 2);
    qtest_writel(src, HALF(IPC0, 4, 1) + TRIG, 8);
    qtest_qmp_assert_success(src, "{ 'execute': 'migrate', 'arguments': {"
                             "'uri': %s }}", uri);
    wait_migrated(src);
    qtest_quit(src);

    dst = qtest_initf("-machine ast2700fc -incoming %s", uri);
    wait_migrated(dst);
    check(dst, HALF(IPC1, 1, 1) + STATUS, 2);
    check(dst, HALF(IPC0, 4, 1) + STATUS, 8);
    qtest_irq_intercept_out_named(dst, "/machine/ipc1", "sysbus-irq");
    qtest_writel(dst, HALF(IPC1, 1, 1) + STATUS, 2);
    qtest_writel(dst, HALF(IPC0, 4, 1) + STATUS, 8);
    check_filled(dst, 0xC0FFEE0F);
    qtest_writel(dst, HALF(IPC1, 1, 1) + TRIG, 2);
    g_assert_true(qtest_get_irq(dst, 3));
    qtest_quit(dst);
    unlink(path);
}

/* the machine without coprocessors has nobody to talk to */
static void test_evb(void)
{
    QTestState *qts = qtest_init("-machine ast2700-evb");

    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (int offset = 0; offset < IPC_SIZE; offset += 4) {
            qtest_writel(qts, blocks[b].base + offset, 0xFFFFFFFF);
            check(qts, blocks[b].base + offset, 0);
        }
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/ast2700/ipc/registers", test_registers);
    qtest_add_func("/ast2700/ipc/trig-status", test_trig_status);
    qtest_add_func("/ast2700/ipc/access-sizes", test_access_sizes);
    qtest_add_func("/ast2700/ipc/irq/wiring", test_irq_wiring);
    qtest_add_func("/ast2700/ipc/irq/level", test_irq_level);
    qtest_add_func("/ast2700/ipc/irq/intcio", test_irq_intcio);
    qtest_add_func("/ast2700/ipc/driver/linux-zephyr", test_linux_zephyr);
    qtest_add_func("/ast2700/ipc/driver/old-uboot", test_old_uboot);
    qtest_add_func("/ast2700/ipc/coprocessors", test_coprocessors);
    qtest_add_func("/ast2700/ipc/sdram", test_sdram);
    qtest_add_func("/ast2700/ipc/migration", test_migration);
    qtest_add_func("/ast2700/ipc/evb", test_evb);

    return g_test_run();
}
