/*
 * QTest of Caliptra in the ASPEED AST2700: the way from power-up to runtime
 *
 * Expected values are those of caliptra-sw 1.2.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qobject/qdict.h"
#include "caliptra-utils.h"

/* Caliptra errors of the ROM */
#define ROM_UNKNOWN_COMMAND     0x01020004
#define ROM_INVALID_CHECKSUM    0x01020005
#define ROM_INVALID_LENGTH      0x01020006
#define ROM_STASH_LOG_FULL      0x01020008
#define ROM_RESERVED_PAUSER     0x01020009
#define ROM_FW_LOAD_BAD_SIZE    0x01020002
#define ROM_WARM_RESET_UNSUCCESSFUL_PREVIOUS_COLD 0x01040010
#define ROM_WDT_EXPIRED         0x0105000C
#define SHUTDOWN_ERROR          0x000E0008
#define IMAGE_VENDOR_PUB_KEY_DIGEST_MISMATCH 0x000B0005
#define IMAGE_RUNTIME_DIGEST_MISMATCH   0x000B0016

/* ---- ROM ---- */

static QTestState *start_rom(const char *machine)
{
    QTestState *qts = caliptra_start(machine, "");

    caliptra_boot_to_fw(qts, NULL);
    return qts;
}

static void check_fatal(QTestState *qts, uint32_t code)
{
    g_assert_true(caliptra_wait(qts, IFC_FW_ERROR_NON_FATAL, 0xFFFFFFFF,
                                code));
    check(qts, IFC_FW_ERROR_FATAL, code);
}

static void test_rom_boot(void)
{
    QTestState *qts = start_rom(GUEST);

    g_assert_true(caliptra_wait(qts, IFC_BOOT_STATUS, 0xFFFFFFFF, 0x46));
    check(qts, IFC_FLOW_STATUS, 0x18000000);
    check(qts, IFC_FW_ERROR_FATAL, 0);
    check(qts, IFC_FW_ERROR_NON_FATAL, 0);
    check(qts, IFC_HW_ERROR_FATAL, 0);
    check(qts, MBOX_STATUS, 0);
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD);
    qtest_quit(qts);

    /* with debug locked, the boot status does not show before a command */
    qts = start_rom(GUEST_LOCKED);
    caliptra_run(qts, 1000);
    check(qts, IFC_BOOT_STATUS, 0);
    g_assert_cmphex(caliptra_command(qts, CMD_CAPABILITIES, NULL, 0, NULL, 0,
                                     NULL), ==, DATA_READY);
    check(qts, IFC_BOOT_STATUS, 0x46);
    qtest_quit(qts);
}

static void test_rom_commands(void)
{
    static const uint8_t capabilities[16] = { [15] = 1 };
    QTestState *qts = start_rom(GUEST);
    uint8_t rsp[64];
    size_t len;

    g_assert_cmphex(caliptra_command(qts, CMD_VERSION, NULL, 0, rsp,
                                     sizeof(rsp), &len), ==, DATA_READY);
    g_assert_cmpuint(len, ==, 36);
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 4), ==, 0);
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 8), ==, 0x46495053);
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 12), ==,
                    qtest_readl(qts, IFC_HW_REV_ID));
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 16), ==,
                    qtest_readl(qts, IFC_FW_REV_ID(0)));
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 16) >> 16, ==, 0);
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 20), ==, 0);
    g_assert_cmpmem(rsp + 24, 12, "Caliptra RTM", 12);

    /* the mailbox after an answer has been taken: idle, DLEN kept */
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);
    check(qts, MBOX_DLEN, 36);
    check(qts, MBOX_CMD, CMD_VERSION);

    g_assert_cmphex(caliptra_command(qts, CMD_CAPABILITIES, NULL, 0, rsp,
                                     sizeof(rsp), &len), ==, DATA_READY);
    g_assert_cmpuint(len, ==, 24);
    g_assert_cmpmem(rsp + 8, 16, capabilities, 16);

    /* self test: results before the start, twice, and in order */
    g_assert_cmphex(caliptra_command(qts, CMD_SELF_TEST_RESULTS, NULL, 0,
                                     NULL, 0, NULL), ==, CMD_FAILURE);
    check(qts, IFC_FW_ERROR_NON_FATAL, 0);
    check(qts, IFC_FW_ERROR_FATAL, 0);
    g_assert_cmphex(caliptra_command(qts, CMD_SELF_TEST_START, NULL, 0, rsp,
                                     sizeof(rsp), &len), ==, DATA_READY);
    g_assert_cmpuint(len, ==, 8);
    check(qts, IFC_BOOT_STATUS, 0x183);
    g_assert_cmphex(caliptra_command(qts, CMD_SELF_TEST_START, NULL, 0, NULL,
                                     0, NULL), ==, CMD_FAILURE);
    check(qts, IFC_FW_ERROR_NON_FATAL, 0);
    g_assert_cmphex(caliptra_command(qts, CMD_SELF_TEST_RESULTS, NULL, 0, rsp,
                                     sizeof(rsp), &len), ==, DATA_READY);
    g_assert_cmpuint(len, ==, 8);
    g_assert_cmphex(caliptra_command(qts, CMD_SELF_TEST_RESULTS, NULL, 0,
                                     NULL, 0, NULL), ==, CMD_FAILURE);
    qtest_quit(qts);
}

/* the receiver's side of the mailbox, from the answer to the release */
static void test_mbox_response(void)
{
    QTestState *qts = start_rom(GUEST);
    const uint32_t other = 0x11111111;
    uint8_t sum[4];

    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(1), other);
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(1), 1);
    stl_le_p(sum, caliptra_checksum(CMD_CAPABILITIES, NULL, 0));
    caliptra_mbox_start(qts, CMD_CAPABILITIES, sum, sizeof(sum));
    g_assert_cmphex(caliptra_mbox_wait(qts), ==, DATA_READY);
    check(qts, MBOX_STATUS, 0x701);
    check(qts, MBOX_DLEN, 24);

    /* only the owner may read, and nobody else end it */
    caliptra_set_pauser(qts, other);
    check(qts, MBOX_DATAOUT, 0);
    qtest_writel(qts, MBOX_EXECUTE, 0);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_EXECUTE_SOC);
    check(qts, IFC_ERROR_INTR, ERROR_INV_DEV);
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    caliptra_set_pauser(qts, PAUSER_DEFAULT);

    /* 24 bytes, then nothing */
    check(qts, MBOX_DATAOUT, -1u); /* checksum: 0 - the one byte 01 */
    for (int i = 1; i < 5; i++) {
        check(qts, MBOX_DATAOUT, 0);
    }
    check(qts, MBOX_DATAOUT, 0x01000000);
    check(qts, MBOX_DATAOUT, 0);
    check(qts, MBOX_DATAOUT, 0);
    /* EXECUTE is 1 already */
    qtest_writel(qts, MBOX_EXECUTE, 1);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_EXECUTE_SOC);

    qtest_writel(qts, MBOX_EXECUTE, 0);
    g_assert_cmphex(qtest_readl(qts, MBOX_STATUS) & 0x3FF, ==, 0);
    check(qts, MBOX_EXECUTE, 0);
    check(qts, MBOX_DLEN, 24);
    check(qts, MBOX_USER, PAUSER_DEFAULT);

    /* an answer that nobody fetches does not stop the next command */
    caliptra_mbox_start(qts, CMD_CAPABILITIES, sum, sizeof(sum));
    g_assert_cmphex(caliptra_mbox_wait(qts), ==, DATA_READY);
    caliptra_mbox_finish(qts);
    caliptra_set_pauser(qts, other);
    caliptra_mbox_start(qts, CMD_CAPABILITIES, sum, sizeof(sum));
    g_assert_cmphex(caliptra_mbox_wait(qts), ==, DATA_READY);
    check(qts, MBOX_USER, other);

    /* the owner has nothing to write there but the end */
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    qtest_writel(qts, MBOX_STATUS, 0);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_ERROR);
    check(qts, IFC_HW_ERROR_NON_FATAL, PROT_OOO);
    check(qts, MBOX_DATAOUT, 0);
    qtest_quit(qts);
}

static QTestState *start_csr(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    caliptra_set_user(qts);
    qtest_writel(qts, IFC_DBG_MANUF_SERVICE, 1);
    caliptra_fuses_done(qts, NULL);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, 0xFFFFFFFF,
                                0x09000000));
    return qts;
}

/* a command of the microcontroller: the IDevID CSR, on request */
static void test_rom_csr(void)
{
    QTestState *qts = start_csr();
    uint8_t csr[512];
    uint8_t rsp[524];
    size_t csr_len;
    size_t len;

    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_EXECUTE_SOC);
    g_assert_false(MBOX_STATUS_SOC_LOCK(qtest_readl(qts, MBOX_STATUS)));
    g_assert_cmphex(MBOX_STATUS_STATUS(qtest_readl(qts, MBOX_STATUS)), ==,
                    CMD_BUSY);
    check(qts, MBOX_USER, 0xFFFFFFFF);
    check(qts, MBOX_LOCK, 1);
    /* that read asked for the lock: notif_soc_req_lock */
    g_assert_cmphex(qtest_readl(qts, IFC_NOTIF_INTR) & (1u << 4), !=, 0);
    csr_len = caliptra_mbox_response(qts, csr, sizeof(csr));
    g_assert_cmpuint(csr_len, >, 4);
    /* a DER sequence of that length */
    g_assert_cmphex(csr[0], ==, 0x30);
    g_assert_cmphex(csr[1], ==, 0x82);
    g_assert_cmpuint(lduw_be_p(csr + 2) + 4, ==, csr_len);

    /* the ROM goes on when the request bit is cleared, not before */
    caliptra_run(qts, 100);
    check(qts, IFC_FLOW_STATUS, 0x09000000);
    qtest_writel(qts, IFC_DBG_MANUF_SERVICE, 0);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, 0xFFFFFFFF,
                                0x18000000));
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);
    g_assert_cmphex(caliptra_command(qts, CMD_GET_IDEV_CSR, NULL, 0, rsp,
                                     sizeof(rsp), &len), ==, DATA_READY);
    g_assert_cmpuint(len, ==, 524);
    g_assert_cmpuint(ldl_le_p(rsp + 8), ==, csr_len);
    g_assert_cmpmem(rsp + 12, csr_len, csr, csr_len);
    qtest_quit(qts);

    /* a status ends it as well, from any valid user */
    qts = start_csr();
    qtest_writel(qts, MBOX_STATUS, CMD_COMPLETE);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_EXECUTE_UC);
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    qtest_writel(qts, IFC_DBG_MANUF_SERVICE, 0);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, 0xFFFFFFFF,
                                0x18000000));
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);
    qtest_quit(qts);

    /* any other write is a protocol error, which the ROM clears up */
    qts = start_csr();
    qtest_writel(qts, MBOX_DLEN, 0);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_ERROR);
    check(qts, IFC_HW_ERROR_NON_FATAL, PROT_OOO);
    qtest_writel(qts, IFC_DBG_MANUF_SERVICE, 0);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, 0xFFFFFFFF,
                                0x18000000));
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);
    qtest_quit(qts);
}

static void test_rom_stash(void)
{
    QTestState *qts = start_rom(GUEST);
    uint8_t req[104] = { 1, 2, 3, 4, 5 };
    uint8_t rsp[12];
    size_t len;

    for (int i = 0; i < 8; i++) {
        req[4] = i;
        g_assert_cmphex(caliptra_command(qts, CMD_STASH_MEASUREMENT, req,
                                         sizeof(req), rsp, sizeof(rsp),
                                         &len), ==, DATA_READY);
        g_assert_cmpuint(len, ==, 12);
        g_assert_cmphex((uint32_t)ldl_le_p(rsp + 8), ==, 0);
    }
    /* the log holds eight */
    g_assert_cmphex(caliptra_command(qts, CMD_STASH_MEASUREMENT, req,
                                     sizeof(req), NULL, 0, NULL), ==,
                    CMD_FAILURE);
    check_fatal(qts, ROM_STASH_LOG_FULL);
    qtest_quit(qts);
}

typedef struct RomError {
    const char *path;
    uint32_t cmd;
    uint32_t dlen;
    uint32_t word;      /* first word of the request */
    uint32_t pauser;
    uint32_t error;
} RomError;

/* every error of the ROM's command loop is fatal */
static const RomError rom_errors[] = {
    { "unknown-command", 0x11223344, 4, 0, PAUSER_DEFAULT,
      ROM_UNKNOWN_COMMAND },
    /* even without a valid checksum or length */
    { "runtime-command", CMD_FW_INFO, 0, 0, PAUSER_DEFAULT,
      ROM_UNKNOWN_COMMAND },
    { "checksum", CMD_VERSION, 4, 0xFFFFFEC3, PAUSER_DEFAULT,
      ROM_INVALID_CHECKSUM },
    { "too-long", CMD_VERSION, 8, 0xFFFFFEC2, PAUSER_DEFAULT,
      ROM_INVALID_LENGTH },
    { "empty", CMD_VERSION, 0, 0, PAUSER_DEFAULT, ROM_INVALID_LENGTH },
    { "stash-length", CMD_STASH_MEASUREMENT, 4, 0, PAUSER_DEFAULT,
      ROM_INVALID_LENGTH },
    { "default-user", CMD_VERSION, 4, 0xFFFFFEC2, 0xFFFFFFFF,
      ROM_RESERVED_PAUSER },
    { "firmware-empty", CMD_FIRMWARE_LOAD, 0, 0, PAUSER_DEFAULT,
      ROM_FW_LOAD_BAD_SIZE },
    { "firmware-too-big", CMD_FIRMWARE_LOAD, 0x20001, 0, PAUSER_DEFAULT,
      ROM_FW_LOAD_BAD_SIZE },
};

static void test_rom_error(const void *data)
{
    const RomError *t = data;
    QTestState *qts = start_rom(GUEST);

    caliptra_set_pauser(qts, t->pauser);
    check(qts, MBOX_LOCK, 0);
    qtest_writel(qts, MBOX_CMD, t->cmd);
    qtest_writel(qts, MBOX_DLEN, t->dlen);
    qtest_writel(qts, MBOX_DATAIN, t->word);
    qtest_writel(qts, MBOX_EXECUTE, 1);
    g_assert_cmphex(caliptra_mbox_wait(qts), ==, CMD_FAILURE);
    check_fatal(qts, t->error);
    check(qts, MBOX_DLEN, t->dlen);
    check(qts, MBOX_DATAOUT, 0);
    caliptra_mbox_finish(qts);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);

    /* every later command fails with the same error */
    g_assert_cmphex(caliptra_command(qts, CMD_VERSION, NULL, 0, NULL, 0,
                                     NULL), ==, CMD_FAILURE);
    check(qts, IFC_FW_ERROR_FATAL, t->error);
    check(qts, IFC_FW_ERROR_NON_FATAL, t->error);
    check(qts, IFC_FLOW_STATUS, 0x18000000);

    /* a warm reset does not help: the cold boot did not end well */
    caliptra_set_pauser(qts, PAUSER_DEFAULT);
    caliptra_warm_reset(qts);
    check(qts, IFC_FW_ERROR_FATAL, t->error);
    qtest_writel(qts, IFC_FW_ERROR_FATAL, 0);
    caliptra_set_user(qts);
    caliptra_fuses_done(qts, NULL);
    caliptra_wait(qts, IFC_FW_ERROR_FATAL, 0xFFFFFFFF,
                  ROM_WARM_RESET_UNSUCCESSFUL_PREVIOUS_COLD);
    check_fatal(qts, ROM_WARM_RESET_UNSUCCESSFUL_PREVIOUS_COLD);

    /* a power cycle does */
    caliptra_power_cycle(qts, 0);
    check(qts, IFC_FW_ERROR_FATAL, 0);
    caliptra_boot_to_fw(qts, NULL);
    g_assert_cmphex(caliptra_command(qts, CMD_VERSION, NULL, 0, NULL, 0,
                                     NULL), ==, DATA_READY);
    qtest_quit(qts);
}

static void test_rom_shutdown(void)
{
    QTestState *qts = start_rom(GUEST);

    g_assert_cmphex(caliptra_command(qts, CMD_SHUTDOWN, NULL, 0, NULL, 0,
                                     NULL), ==, DATA_READY);
    caliptra_wait(qts, IFC_FW_ERROR_FATAL, 0xFFFFFFFF, SHUTDOWN_ERROR);
    check_fatal(qts, SHUTDOWN_ERROR);
    g_assert_cmphex(caliptra_command(qts, CMD_VERSION, NULL, 0, NULL, 0,
                                     NULL), ==, CMD_FAILURE);
    qtest_quit(qts);
}

/* debug locked, and CPTRA_WDT_CFG left at 0: the ROM's watchdog bites */
static void test_watchdog(void)
{
    QTestState *qts = caliptra_start(GUEST_LOCKED, "");

    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(0), PAUSER_DEFAULT);
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(0), 1);
    qtest_writel(qts, IFC_FUSE_WR_DONE, 1);
    caliptra_wait(qts, IFC_FW_ERROR_FATAL, 0xFFFFFFFF, ROM_WDT_EXPIRED);
    check_fatal(qts, ROM_WDT_EXPIRED);
    check(qts, IFC_HW_ERROR_FATAL, 1u << 2);
    g_assert_cmphex(qtest_readl(qts, IFC_ERROR_INTR) & (1u << 6), !=, 0);
    g_assert_cmphex(caliptra_flow(qts) & FLOW_READY_FOR_FW, ==, 0);
    qtest_quit(qts);

    /* not with debug unlocked */
    qts = caliptra_start(GUEST, "");
    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(0), PAUSER_DEFAULT);
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(0), 1);
    qtest_writel(qts, IFC_FUSE_WR_DONE, 1);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_FW,
                                FLOW_READY_FOR_FW));
    qtest_quit(qts);
}

/* ---- firmware ---- */

typedef struct Bundle {
    char *file;
    char *fuses;
    char *image;
    gsize len;
} Bundle;

static void make_bundle(Bundle *b)
{
    caliptra_copy_bundle(&b->file, &b->fuses);
    g_assert_true(g_file_get_contents(b->file, &b->image, &b->len, NULL));
}

static void free_bundle(Bundle *b)
{
    unlink(b->file);
    unlink(b->fuses);
    g_free(b->file);
    g_free(b->fuses);
    g_free(b->image);
}

static void wait_runtime(QTestState *qts)
{
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_RUNTIME,
                                FLOW_READY_FOR_RUNTIME));
    g_assert_true(caliptra_wait(qts, IFC_BOOT_STATUS, 0xFFFFFFFF, 0x600));
    check(qts, IFC_FLOW_STATUS, 0x28000000);
    check(qts, IFC_FW_ERROR_FATAL, 0);
    check(qts, IFC_FW_ERROR_NON_FATAL, 0);
}

/* words @first.. of the hexadecimal string for @key in a fuse file */
static void read_fuse(const Bundle *b, const char *key, uint32_t *fuse,
                      unsigned n)
{
    g_autofree char *text = NULL;
    g_autofree char *quoted = g_strdup_printf("\"%s\": \"", key);
    const char *p;

    g_assert_true(g_file_get_contents(b->fuses, &text, NULL, NULL));
    p = strstr(text, quoted);
    g_assert_nonnull(p);
    p += strlen(quoted);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmpint(sscanf(p + 8 * i, "%8x", &fuse[i]), ==, 1);
    }
}

/* FMC 0x0880 0, runtime 0x01020000: versions of bundle.py's dummies */
static void check_versions(QTestState *qts)
{
    g_assert_cmphex(qtest_readl(qts, IFC_FW_REV_ID(0)) >> 16, ==, 0x0880);
    check(qts, IFC_FW_REV_ID(1), 0x01020000);
}

static void test_load(void)
{
    uint32_t fuse[CALIPTRA_FUSE_WORDS] = { };
    QTestState *qts;
    Bundle b;
    g_autofree char *slot = NULL;
    uint8_t rsp[264];
    size_t len;

    make_bundle(&b);

    /* unprovisioned, without fuses */
    qts = start_rom(GUEST);
    g_assert_cmphex(caliptra_load_firmware(qts, b.image, b.len), ==,
                    CMD_COMPLETE);
    check(qts, MBOX_DLEN, b.len);
    wait_runtime(qts);
    check_versions(qts);
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD |
                                 SCUIO_CPTRA_RDY_FOR_RT);

    g_assert_cmphex(caliptra_command(qts, CMD_FW_INFO, NULL, 0, rsp,
                                     sizeof(rsp), &len), ==, DATA_READY);
    g_assert_cmpuint(len, ==, sizeof(rsp));
    g_assert_cmphex((uint32_t)ldl_le_p(rsp + 8), ==, PAUSER_DEFAULT);
    g_assert_cmpmem(rsp + 0x30, 20, b.image + 0x1634, 20);

    /* in reset, bit 18 is 0 at once, and comes back with the runtime */
    qtest_writel(qts, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD);
    qtest_quit(qts);

    /* as read from the flash: a slot of 128 KiB */
    slot = g_malloc(0x20000);
    memset(slot, 0xFF, 0x20000);
    memcpy(slot, b.image, b.len);
    qts = start_rom(GUEST);
    g_assert_cmphex(caliptra_load_firmware(qts, slot, 0x20000), ==,
                    CMD_COMPLETE);
    wait_runtime(qts);
    qtest_quit(qts);

    /* in production, with the hashes of the keys in fuses */
    read_fuse(&b, "key_manifest_pk_hash", &fuse[0x50 / 4], 12);
    read_fuse(&b, "owner_pk_hash", &fuse[0x84 / 4], 12);
    fuse[0x140 / 4] = 1; /* lms_verify */
    qts = caliptra_start(GUEST_LOCKED, "");
    caliptra_boot_to_fw(qts, fuse);
    g_assert_cmphex(caliptra_load_firmware(qts, b.image, b.len), ==,
                    CMD_COMPLETE);
    g_assert_true(caliptra_wait(qts, IFC_FLOW_STATUS, FLOW_READY_FOR_RUNTIME,
                                FLOW_READY_FOR_RUNTIME));
    /* the keys are alive after a warm reset, and so is the firmware */
    caliptra_warm_reset(qts);
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD | SCUIO_CPTRA_SEC(7));
    caliptra_set_user(qts);
    caliptra_fuses_done(qts, NULL);
    g_assert_true(caliptra_wait(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_RDY_FOR_RT,
                                SCUIO_CPTRA_RDY_FOR_RT));
    check(qts, IFC_RESET_REASON, 2);
    check(qts, IFC_FW_ERROR_FATAL, 0);
    qtest_quit(qts);

    /* one bit of a hash makes the difference */
    fuse[0x50 / 4] ^= 1;
    qts = caliptra_start(GUEST_LOCKED, "");
    caliptra_boot_to_fw(qts, fuse);
    g_assert_cmphex(caliptra_load_firmware(qts, b.image, b.len), ==,
                    CMD_FAILURE);
    check_fatal(qts, IMAGE_VENDOR_PUB_KEY_DIGEST_MISMATCH);
    g_assert_cmphex(qtest_readl(qts, SCUIO_CPTRA_CTRL) &
                    SCUIO_CPTRA_RDY_FOR_RT, ==, 0);
    qtest_quit(qts);
    free_bundle(&b);
}

/* ---- the BootMCU ---- */

static bool ca35_held(QTestState *qts)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                           "'path': '/machine', 'property': 'ca35-held' }}");
    bool held = qdict_get_bool(rsp, "return");

    qobject_unref(rsp);
    return held;
}

static bool bootmcu_is(QTestState *qts, const char *stage)
{
    QDict *rsp = qtest_qmp(qts, "{ 'execute': 'qom-get', 'arguments': {"
                           "'path': '/machine/bootmcu', "
                           "'property': 'stage' }}");
    bool is = !strcmp(qdict_get_str(rsp, "return"), stage);

    qobject_unref(rsp);
    return is;
}

static QTestState *start_auto(const Bundle *b, const char *more)
{
    g_autofree char *machine =
        g_strdup_printf("caliptra-firmware=%s%s", b->file, more);

    return caliptra_start(machine, "");
}

/* let the BootMCU work; true: it has let the CA35 cores go */
static bool wait_bootmcu(QTestState *qts)
{
    for (int i = 0; i < 60 * 1000 && ca35_held(qts); i++) {
        if (bootmcu_is(qts, "failed")) {
            return false;
        }
        qtest_clock_step(qts, 1000 * 1000);
    }
    return !ca35_held(qts) && bootmcu_is(qts, "done");
}

static void test_auto_boot(void)
{
    g_autofree char *more = NULL;
    QTestState *qts;
    uint32_t hash[12];
    Bundle b;

    make_bundle(&b);
    more = g_strdup_printf(",caliptra-fuses=%s", b.fuses);
    qts = start_auto(&b, more);
    for (int i = 0; i < 2; i++) {
        /* nothing has happened at reset */
        g_assert_true(ca35_held(qts));
        check(qts, SCUIO_CPTRA_CTRL, 0);
        check(qts, IFC_FLOW_STATUS, 0);

        g_assert_true(wait_bootmcu(qts));
        check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD |
              SCUIO_CPTRA_SEC(7) | SCUIO_CPTRA_RDY_FOR_RT);
        check(qts, IFC_FLOW_STATUS, 0x28000000);
        check(qts, IFC_BOOT_STATUS, 0x600);
        check(qts, IFC_SECURITY_STATE, 7);
        check(qts, IFC_FW_ERROR_FATAL, 0);
        check(qts, IFC_FW_ERROR_NON_FATAL, 0);
        check_versions(qts);
        check(qts, IFC_MBOX_VALID_PAUSER(0), PAUSER_DEFAULT);
        check(qts, IFC_MBOX_PAUSER_LOCK(0), 1);
        check(qts, IFC_FUSE_WR_DONE, 1);
        /* the stepping is the SoC's, which is not the same in every QEMU */
        check(qts, IFC_HW_REV_ID,
              (qtest_readl(qts, SCU_REV_ID) & 0xFFFF0000) |
              HW_REV_ID_GENERATION);
        check(qts, IFC_FUSE_LMS_VERIFY, 1);
        read_fuse(&b, "key_manifest_pk_hash", hash, 12);
        for (int n = 0; n < 12; n++) {
            check(qts, IFC_FUSE_PK_HASH + 4 * n, hash[n]);
        }
        read_fuse(&b, "owner_pk_hash", hash, 12);
        for (int n = 0; n < 12; n++) {
            check(qts, IFC_FUSE_OWNER_PK_HASH + 4 * n, hash[n]);
        }
        /* the mailbox is free for others */
        g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);
        g_assert_cmphex(caliptra_command(qts, CMD_VERSION, NULL, 0, NULL, 0,
                                         NULL), ==, DATA_READY);

        /* system_reset: all of it once more */
        qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
        qtest_qmp_eventwait(qts, "RESET");
    }
    qtest_quit(qts);

    /* without a fuse file: unprovisioned, debug unlocked */
    qts = start_auto(&b, "");
    g_assert_true(wait_bootmcu(qts));
    check(qts, IFC_SECURITY_STATE, 0);
    qtest_quit(qts);

    /* the options override both defaults */
    g_free(more);
    more = g_strdup_printf(",caliptra-fuses=%s,caliptra-debug-locked=off,"
                           "caliptra-lifecycle=manufacturing", b.fuses);
    qts = start_auto(&b, more);
    g_assert_true(wait_bootmcu(qts));
    check(qts, IFC_SECURITY_STATE, SEC_MANUFACTURING);
    qtest_quit(qts);
    free_bundle(&b);
}

/*
 * Nothing runs after the boot.  The one timer that the clock finds is then
 * that of the SoC's own watchdog, set to ring in some minutes.
 */
static void test_auto_idle(void)
{
    const uint64_t wdt = 0x14C37000;
    const uint32_t wdt_us = 300 * 1000 * 1000;
    QTestState *qts;
    int64_t now;
    Bundle b;

    make_bundle(&b);
    qts = start_auto(&b, "");
    g_assert_true(wait_bootmcu(qts));
    now = qtest_clock_step(qts, 1000 * 1000 * 1000);
    qtest_writel(qts, wdt + 0x04, wdt_us);      /* reload value */
    qtest_writel(qts, wdt + 0x08, 0x4755);      /* restart */
    qtest_writel(qts, wdt + 0x0C, 0x11);        /* on, 1 MHz clock */
    g_assert_cmpint(qtest_clock_step_next(qts) - now, ==, wdt_us * 1000LL);
    qtest_quit(qts);
    free_bundle(&b);
}

static void test_auto_refused(void)
{
    QTestState *qts;
    Bundle b;

    make_bundle(&b);
    b.image[b.len - 1] ^= 1;
    g_assert_true(g_file_set_contents(b.file, b.image, b.len, NULL));
    qts = start_auto(&b, "");
    for (int i = 0; i < 2; i++) {
        g_assert_false(wait_bootmcu(qts));
        g_assert_true(ca35_held(qts));
        check(qts, IFC_FW_ERROR_FATAL, IMAGE_RUNTIME_DIGEST_MISMATCH);
        check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD);
        qtest_clock_step(qts, 1000 * 1000 * 1000);
        g_assert_true(ca35_held(qts));
        /* another try ends the same way */
        qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
        qtest_qmp_eventwait(qts, "RESET");
    }
    qtest_quit(qts);
    free_bundle(&b);
}

/* Caliptra is reset behind the BootMCU's back: held, and up again */
static void test_auto_reset(void)
{
    QTestState *qts;
    Bundle b;

    make_bundle(&b);
    qts = start_auto(&b, ",caliptra-debug-locked=on");
    g_assert_true(wait_bootmcu(qts));

    /* asserted and left so: the BootMCU ends it */
    qtest_writel(qts, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_clock_step(qts, 100 * 1000);
    g_assert_true(ca35_held(qts));
    g_assert_true(wait_bootmcu(qts));
    check(qts, SCUIO_RSTCTL2, 0);
    check(qts, IFC_RESET_REASON, 2);
    check(qts, IFC_FLOW_STATUS, 0x28000000);
    check(qts, IFC_MBOX_PAUSER_LOCK(0), 1);

    /* a pulse */
    caliptra_warm_reset(qts);
    qtest_clock_step(qts, 10 * 1000);
    g_assert_true(ca35_held(qts));
    g_assert_true(wait_bootmcu(qts));
    check(qts, IFC_RESET_REASON, 2);

    /* power lost, in runtime and in the middle of the next boot */
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0);
    qtest_clock_step(qts, 100 * 1000);
    g_assert_true(ca35_held(qts));
    while (!bootmcu_is(qts, "wait for FIRMWARE_LOAD")) {
        g_assert_false(bootmcu_is(qts, "failed"));
        qtest_clock_step(qts, 1000);
    }
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0);
    g_assert_true(wait_bootmcu(qts));
    check(qts, IFC_RESET_REASON, 0);
    check(qts, IFC_FLOW_STATUS, 0x28000000);
    check(qts, IFC_FW_ERROR_FATAL, 0);
    qtest_quit(qts);
    free_bundle(&b);
}

/*
 * With debug unlocked a warm reset wipes the key vault, and the firmware ends
 * in a fatal error.  A second one brings another error, whose bits the sticky
 * register of the first has set already: that must not go unnoticed.
 */
static void test_auto_reset_fatal(void)
{
    QTestState *qts;
    Bundle b;

    make_bundle(&b);
    qts = start_auto(&b, "");
    g_assert_true(wait_bootmcu(qts));
    for (int i = 0; i < 3; i++) {
        caliptra_warm_reset(qts);
        qtest_clock_step(qts, 10 * 1000 * 1000);
        g_assert_true(ca35_held(qts));
        g_assert_true(bootmcu_is(qts, "failed"));
        g_assert_cmphex(qtest_readl(qts, IFC_FW_ERROR_FATAL), !=, 0);
    }
    caliptra_power_cycle(qts, 0);
    g_assert_true(wait_bootmcu(qts));
    qtest_quit(qts);
    free_bundle(&b);
}

/* with the strap that disables Caliptra the machine runs without it */
static void test_auto_disabled(void)
{
    QTestState *qts;
    Bundle b;

    make_bundle(&b);
    qts = start_auto(&b, "");
    qtest_writel(qts, SCUIO_HWSTRAP1, 1u << 30);
    g_assert_true(wait_bootmcu(qts));
    check(qts, SCUIO_CPTRA_CTRL, 0);
    check(qts, IFC_FLOW_STATUS, 0);
    qtest_quit(qts);
    free_bundle(&b);
}

/* every key of a fuse file, in its place */
static void test_auto_fuses(void)
{
    static const char json[] =
        "{ \"uds_seed\": \"%096x\", \"field_entropy\": \"%064x\", "
        "\"key_manifest_pk_hash\": "
        "\"00000001000000020000000300000004000000050000000600000007"
        "00000008000000090000000a0000000b0000000c\", "
        "\"owner_pk_hash\": "
        "\"100000012000000230000003400000045000000560000006"
        "700000078000000890000009A000000AB000000BC000000C\", "
        "\"runtime_svn\": \"AABBCCDD00112233445566778899aabb\", "
        "\"idevid_cert_attr\": \"%0192x\", "
        "\"idevid_manuf_hsm_id\": \"0123456789abcdef0011223344556677\", "
        "\"key_manifest_pk_hash_mask\": 9, "
        "\"fmc_key_manifest_svn\": 2147483648, "
        "\"anti_rollback_disable\": 1, \"life_cycle\": 3, "
        "\"lms_verify\": 1, \"lms_revocation\": 4294967294, "
        "\"soc_stepping_id\": 4660 }";
    g_autofree char *text = g_strdup_printf(json, 1, 2, 0xABC);
    g_autofree char *more = NULL;
    QTestState *qts;
    Bundle b;

    make_bundle(&b);
    g_assert_true(g_file_set_contents(b.fuses, text, -1, NULL));
    more = g_strdup_printf(",caliptra-fuses=%s", b.fuses);
    qts = start_auto(&b, more);
    while (qtest_readl(qts, IFC_FUSE_WR_DONE) == 0) {
        qtest_clock_step(qts, 1000);
    }
    for (int i = 0; i < 12; i++) {
        check(qts, IFC_FUSE_PK_HASH + 4 * i, i + 1);
    }
    check(qts, IFC_FUSE_OWNER_PK_HASH, 0x10000001);
    check(qts, IFC_FUSE_OWNER_PK_HASH + 4, 0x20000002);
    check(qts, IFC_FUSE_OWNER_PK_HASH + 4 * 11, 0xC000000C);
    check(qts, IFC_FUSE_PK_HASH_MASK, 9);
    check(qts, IFC_FUSE_FMC_SVN, 0x80000000);
    check(qts, IFC_FUSE_RUNTIME_SVN, 0xAABBCCDD);
    check(qts, IFC_FUSE_RUNTIME_SVN + 12, 0x8899AABB);
    check(qts, IFC_FUSE_ANTI_ROLLBACK_DISABLE, 1);
    check(qts, IFC_BASE + 0x2CC, 0);
    check(qts, IFC_BASE + 0x2CC + 4 * 23, 0xABC);
    check(qts, IFC_BASE + 0x32C, 0x01234567);
    check(qts, IFC_BASE + 0x32C + 12, 0x44556677);
    check(qts, IFC_FUSE_LIFE_CYCLE, 3);
    check(qts, IFC_FUSE_LMS_VERIFY, 1);
    check(qts, IFC_FUSE_LMS_REVOCATION, 0xFFFFFFFE);
    check(qts, IFC_FUSE_SOC_STEPPING, 0x1234);
    check(qts, IFC_HW_REV_ID, 0x12340011);
    qtest_quit(qts);
    free_bundle(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/caliptra/watchdog", test_watchdog);
    qtest_add_func("/caliptra/rom/boot", test_rom_boot);
    qtest_add_func("/caliptra/rom/commands", test_rom_commands);
    qtest_add_func("/caliptra/mbox/response", test_mbox_response);
    qtest_add_func("/caliptra/rom/csr", test_rom_csr);
    qtest_add_func("/caliptra/rom/stash", test_rom_stash);
    qtest_add_func("/caliptra/rom/shutdown", test_rom_shutdown);
    for (int i = 0; i < ARRAY_SIZE(rom_errors); i++) {
        g_autofree char *path = g_strdup_printf("/caliptra/rom/error/%s",
                                                rom_errors[i].path);

        qtest_add_data_func(path, &rom_errors[i], test_rom_error);
    }
    qtest_add_func("/caliptra/firmware/load", test_load);
    qtest_add_func("/caliptra/auto/boot", test_auto_boot);
    qtest_add_func("/caliptra/auto/idle", test_auto_idle);
    qtest_add_func("/caliptra/auto/refused", test_auto_refused);
    qtest_add_func("/caliptra/auto/reset", test_auto_reset);
    qtest_add_func("/caliptra/auto/reset-fatal", test_auto_reset_fatal);
    qtest_add_func("/caliptra/auto/disabled", test_auto_disabled);
    qtest_add_func("/caliptra/auto/fuses", test_auto_fuses);
    return g_test_run();
}
