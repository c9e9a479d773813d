/*
 * A SoC that uses Caliptra, over qtest
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "caliptra-utils.h"

/* how far the clock goes between two looks at a register, and in all */
#define STEP_NS         (100 * 1000)
#define STEPS_PER_MS    10
#define STEPS_MAX       (60 * 1000 * STEPS_PER_MS)

/* CPTRA_WDT_CFG: far away, not 0 (the ROM would take that as one clock) */
#define WDT_CFG_HIGH    0x10

static char *temp_file(const char *template)
{
    char *path = NULL;
    int fd = g_file_open_tmp(template, &path, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    return path;
}

uint32_t caliptra_flow(QTestState *qts)
{
    return qtest_readl(qts, IFC_FLOW_STATUS);
}

uint32_t caliptra_mbox_fsm(QTestState *qts)
{
    return MBOX_STATUS_FSM(qtest_readl(qts, MBOX_STATUS));
}

char *caliptra_boot_rom(void)
{
    char *path = temp_file("qtest.vbootrom.XXXXXX");
    uint8_t branch_to_self[4];

    stl_le_p(branch_to_self, 0x14000000);
    g_assert_true(g_file_set_contents(path, (char *)branch_to_self,
                                      sizeof(branch_to_self), NULL));
    return path;
}

QTestState *caliptra_start(const char *machine, const char *args)
{
    g_autofree char *boot_rom = caliptra_boot_rom();
    QTestState *qts;

    qts = qtest_initf("-machine ast2700fc%s%s -bios %s %s",
                      *machine ? "," : "", machine, boot_rom, args);
    unlink(boot_rom);
    return qts;
}

void caliptra_set_pauser(QTestState *qts, uint32_t pauser)
{
    qtest_qmp_assert_success(qts, "{ 'execute': 'qom-set', 'arguments': {"
                             "'path': '/machine/caliptra', "
                             "'property': 'pauser', 'value': %" PRIu32 "}}",
                             pauser);
}

void caliptra_serve(QTestState *qts)
{
    static uint32_t word;

    if (qtest_readl(qts, IFC_TRNG_STATUS) & 1) {
        for (int i = 0; i < 12; i++) {
            qtest_writel(qts, IFC_TRNG_DATA(i), ++word);
        }
        qtest_writel(qts, IFC_TRNG_STATUS, 2);
    }
}

void caliptra_run(QTestState *qts, unsigned ms)
{
    for (unsigned i = 0; i < ms * STEPS_PER_MS; i++) {
        caliptra_serve(qts);
        qtest_clock_step(qts, STEP_NS);
    }
}

bool caliptra_wait(QTestState *qts, uint64_t addr, uint32_t mask,
                   uint32_t value)
{
    for (int i = 0; i < STEPS_MAX; i++) {
        if ((qtest_readl(qts, addr) & mask) == value) {
            return true;
        }
        if (qtest_readl(qts, IFC_FW_ERROR_FATAL)) {
            return false;
        }
        caliptra_serve(qts);
        qtest_clock_step(qts, STEP_NS);
    }
    return false;
}

uint32_t caliptra_checksum(uint32_t cmd, const void *payload, size_t len)
{
    const uint8_t *p = payload;
    uint32_t sum = 0;

    for (int i = 0; i < 4; i++) {
        sum += (cmd >> (8 * i)) & 0xFF;
    }
    for (size_t i = 0; i < len; i++) {
        sum += p[i];
    }
    return -sum;
}

void caliptra_mbox_execute(QTestState *qts, uint32_t cmd, const void *data,
                           size_t len)
{
    const uint8_t *p = data;

    qtest_writel(qts, MBOX_CMD, cmd);
    qtest_writel(qts, MBOX_DLEN, len);
    for (size_t i = 0; i < len; i += 4) {
        uint8_t word[4] = { };

        memcpy(word, p + i, MIN(4, len - i));
        qtest_writel(qts, MBOX_DATAIN, ldl_le_p(word));
    }
    qtest_writel(qts, MBOX_EXECUTE, 1);
}

void caliptra_mbox_start(QTestState *qts, uint32_t cmd, const void *data,
                         size_t len)
{
    g_assert_cmphex(qtest_readl(qts, MBOX_LOCK), ==, 0);
    caliptra_mbox_execute(qts, cmd, data, len);
}

uint32_t caliptra_mbox_wait(QTestState *qts)
{
    uint32_t status = 0;

    for (int i = 0; i < STEPS_MAX; i++) {
        status = MBOX_STATUS_STATUS(qtest_readl(qts, MBOX_STATUS));
        if (status != CMD_BUSY) {
            break;
        }
        caliptra_serve(qts);
        qtest_clock_step(qts, STEP_NS);
    }
    return status;
}

size_t caliptra_mbox_response(QTestState *qts, void *buf, size_t max)
{
    uint8_t *p = buf;
    size_t len = qtest_readl(qts, MBOX_DLEN);

    g_assert_cmpuint(len, <=, max);
    for (size_t i = 0; i < len; i += 4) {
        uint8_t word[4];

        stl_le_p(word, qtest_readl(qts, MBOX_DATAOUT));
        memcpy(p + i, word, MIN(4, len - i));
    }
    return len;
}

void caliptra_mbox_finish(QTestState *qts)
{
    qtest_writel(qts, MBOX_EXECUTE, 0);
}

uint32_t caliptra_command(QTestState *qts, uint32_t cmd, const void *payload,
                          size_t len, void *rsp, size_t max, size_t *rsp_len)
{
    g_autofree uint8_t *req = g_malloc(4 + len);
    g_autofree uint8_t *answer = g_malloc(CALIPTRA_RSP_MAX);
    uint32_t status;
    size_t n = 0;

    stl_le_p(req, caliptra_checksum(cmd, payload, len));
    if (len) {
        memcpy(req + 4, payload, len);
    }
    caliptra_mbox_start(qts, cmd, req, 4 + len);
    status = caliptra_mbox_wait(qts);
    if (status == DATA_READY) {
        n = caliptra_mbox_response(qts, answer, CALIPTRA_RSP_MAX);
        g_assert_cmpuint(n, >=, 8);
        g_assert_cmphex((uint32_t)ldl_le_p(answer), ==,
                        caliptra_checksum(0, answer + 4, n - 4));
        if (rsp) {
            g_assert_cmpuint(n, <=, max);
            memcpy(rsp, answer, n);
        }
    }
    if (rsp_len) {
        *rsp_len = n;
    }
    caliptra_mbox_finish(qts);
    return status;
}

void caliptra_set_user(QTestState *qts)
{
    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(0), PAUSER_DEFAULT);
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(0), 1);
    qtest_writel(qts, IFC_WDT_CFG(0), 0);
    qtest_writel(qts, IFC_WDT_CFG(1), WDT_CFG_HIGH);
}

void caliptra_fuses_done(QTestState *qts, const uint32_t *fuse)
{
    if (fuse) {
        for (int i = 0; i < CALIPTRA_FUSE_WORDS; i++) {
            qtest_writel(qts, IFC_FUSE_UDS_SEED + 4 * i, fuse[i]);
        }
    }
    qtest_writel(qts, IFC_FUSE_WR_DONE, 1);
}

void caliptra_boot_to_fw(QTestState *qts, const uint32_t *fuse)
{
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_FUSES,
                                FLOW_READY_FOR_FUSES));
    caliptra_set_user(qts);
    caliptra_fuses_done(qts, fuse);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_FW,
                                FLOW_READY_FOR_FW));
}

uint32_t caliptra_load_firmware(QTestState *qts, const void *image, size_t len)
{
    uint32_t status;

    caliptra_mbox_start(qts, CMD_FIRMWARE_LOAD, image, len);
    status = caliptra_mbox_wait(qts);
    caliptra_mbox_finish(qts);
    return status;
}

/* a copy that may be changed */
static char *copy_of(const char *path)
{
    char *copy = temp_file("qtest.caliptra.XXXXXX");
    g_autofree char *data = NULL;
    gsize len;

    g_assert_true(g_file_get_contents(path, &data, &len, NULL));
    g_assert_true(g_file_set_contents(copy, data, len, NULL));
    return copy;
}

void caliptra_copy_bundle(char **bundle, char **fuses)
{
    *bundle = copy_of("tests/data/caliptra/bundle.bin");
    *fuses = copy_of("tests/data/caliptra/bundle.fuses");
}

void caliptra_power_cycle(QTestState *qts, uint32_t security_state)
{
    qtest_writel(qts, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_writel(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_SEC(security_state));
    qtest_writel(qts, SCUIO_CPTRA_CTRL,
                 SCUIO_CPTRA_SEC(security_state) | SCUIO_CPTRA_PWRGOOD);
    qtest_clock_step(qts, 1000);
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_FUSES,
                                FLOW_READY_FOR_FUSES));
}

void caliptra_warm_reset(QTestState *qts)
{
    qtest_writel(qts, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    qtest_clock_step(qts, 1000);
}
