/*
 * QTest of Caliptra in the ASPEED AST2700: what a SoC sees of the hardware,
 * and the options of the machine
 *
 * Expected values are those of the register descriptions and sources of
 * caliptra-rtl v1.1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qobject/qdict.h"
#include "caliptra-utils.h"
#include "caliptra-registers.c.inc"

/* ---- registers ---- */

static const struct {
    uint32_t base;
    const RegInfo *regs;
    size_t n;
} blocks[] = {
    { MBOX_BASE, mbox_regs, ARRAY_SIZE(mbox_regs) },
    { SHA_ACC_BASE, sha_acc_regs, ARRAY_SIZE(sha_acc_regs) },
    { IFC_BASE, ifc_regs, ARRAY_SIZE(ifc_regs) },
};

typedef void RegFn(QTestState *qts, const RegInfo *reg, uint64_t addr);

static void for_each_register(QTestState *qts, RegFn *fn)
{
    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (size_t r = 0; r < blocks[b].n; r++) {
            const RegInfo *reg = &blocks[b].regs[r];

            for (int i = 0; i < reg->count; i++) {
                fn(qts, reg, blocks[b].base + reg->offset + 4 * i);
            }
        }
    }
}

static void expect(QTestState *qts, const RegInfo *reg, uint64_t addr,
                   uint32_t value)
{
    uint32_t found = qtest_readl(qts, addr);

    if (found != value) {
        g_test_message("%s at 0x%" PRIx64 ": 0x%08x, expected 0x%08x",
                       reg->name, addr, found, value);
    }
    g_assert_cmphex(found, ==, value);
}

static void check_reset_value(QTestState *qts, const RegInfo *reg,
                              uint64_t addr)
{
    /* reading these two changes something: their turn comes at the end */
    if (!reg->live && addr != MBOX_LOCK && addr != MBOX_DATAOUT) {
        expect(qts, reg, addr, reg->reset);
    }
}

static void check_reset_values(QTestState *qts)
{
    /* the mailbox shows itself only to a user on its list: the default */
    caliptra_set_pauser(qts, 0xFFFFFFFF);
    for_each_register(qts, check_reset_value);
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_DATAOUT, 0);
}

static void test_reset_values(void)
{
    QTestState *qts = caliptra_start(GUEST_LOCKED, "");

    check_reset_values(qts);
    caliptra_power_cycle(qts, SEC_PRODUCTION | SEC_DEBUG_LOCKED);
    check_reset_values(qts);
    qtest_quit(qts);
}

static void check_access(QTestState *qts, const RegInfo *reg, uint64_t addr)
{
    static const uint32_t patterns[] = { 0xFFFFFFFF, 0x5A5A5A5A, 0 };

    if (reg->special || reg->live || addr < IFC_BASE) {
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(patterns); i++) {
        qtest_writel(qts, addr, patterns[i]);
        expect(qts, reg, addr, (reg->reset & ~reg->write_mask) |
                               (patterns[i] & reg->write_mask));
    }
}

static bool is_register(uint64_t addr)
{
    for (int b = 0; b < ARRAY_SIZE(blocks); b++) {
        for (size_t r = 0; r < blocks[b].n; r++) {
            const RegInfo *reg = &blocks[b].regs[r];

            if (addr >= blocks[b].base + reg->offset &&
                addr < blocks[b].base + reg->offset + 4 * reg->count) {
                return true;
            }
        }
    }
    return false;
}

static void test_access_rules(void)
{
    QTestState *qts = caliptra_start(GUEST_LOCKED, "");

    for_each_register(qts, check_access);
    for (uint64_t addr = SHA_ACC_BASE; addr < SHA_ACC_BASE + 0x1000;
         addr += 4) {
        if (!is_register(addr)) {
            qtest_writel(qts, addr, 0xFFFFFFFF);
            check(qts, addr, 0);
        }
    }
    for (uint64_t addr = IFC_BASE; addr < IFC_BASE + 0x1000; addr += 4) {
        if (!is_register(addr)) {
            qtest_writel(qts, addr, 0xFFFFFFFF);
            check(qts, addr, 0);
        }
    }
    /* nothing of it has reached a register */
    check(qts, IFC_FLOW_STATUS, 0x42000000);
    check(qts, IFC_FUSE_WR_DONE, 0);
    qtest_quit(qts);
}

static void write_pattern(QTestState *qts, const RegInfo *reg, uint64_t addr)
{
    if (!reg->special && addr >= IFC_BASE && reg->write_mask) {
        qtest_writel(qts, addr, 0xA5A5A5A5);
    }
}

static void check_warm_reset(QTestState *qts, const RegInfo *reg,
                             uint64_t addr)
{
    if (!reg->special && addr >= IFC_BASE && reg->write_mask) {
        expect(qts, reg, addr,
               reg->cold ? 0xA5A5A5A5 & reg->write_mask : reg->reset);
    }
}

static void test_reset_domains(void)
{
    QTestState *qts = caliptra_start(GUEST_LOCKED, "");

    for_each_register(qts, write_pattern);
    caliptra_warm_reset(qts);
    for_each_register(qts, check_warm_reset);
    caliptra_power_cycle(qts, SEC_PRODUCTION | SEC_DEBUG_LOCKED);
    check_reset_values(qts);
    qtest_quit(qts);
}

static void test_window(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    /* nothing between the blocks, and no image of one */
    for (uint64_t addr = 0x14C62000; addr < 0x14C70000; addr += 0xFFC) {
        qtest_writel(qts, addr, 0xFFFFFFFF);
        check(qts, addr, 0);
    }
    check(qts, 0x14C62000 + 0x3C, 0);
    check(qts, 0x14C71000 + 0x3C, 0);
    check(qts, 0x14C7F03C, 0);
    /* HW_CONFIG: external TRNG, LMS; HW_REV_ID: 1.1 */
    check(qts, IFC_BASE + 0xE0, 0x10);
    check(qts, IFC_HW_REV_ID, 0x11);
    qtest_quit(qts);
}

/* boot=off: what upstream's machine has there */
static void test_off(void)
{
    QTestState *qts = caliptra_start("", "");
    QDict *rsp;

    check(qts, IFC_FLOW_STATUS, 0);
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_LOCK, 0);
    check(qts, SCUIO_CPTRA_CTRL, 0);
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0xFFFFFFFF);
    check(qts, SCUIO_CPTRA_CTRL, 0xFFFFFFFF);
    rsp = qtest_qmp(qts, "{ 'execute': 'qom-list', 'arguments': "
                    "{ 'path': '/machine/caliptra' }}");
    g_assert_true(qdict_haskey(rsp, "error"));
    qobject_unref(rsp);
    qtest_quit(qts);
}

/* ---- mailbox ---- */

/*
 * At BOOT_FUSE the microcontroller is in reset: the mailbox works, nobody
 * answers.
 */
static QTestState *start_mailbox(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    caliptra_set_user(qts);
    return qts;
}

static void test_mbox_protocol(void)
{
    QTestState *qts = start_mailbox();

    check(qts, MBOX_STATUS, 0);
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_STATUS, 0x240);
    check(qts, MBOX_LOCK, 1);
    check(qts, MBOX_LOCK, 1);
    check(qts, MBOX_STATUS, 0x240);
    check(qts, MBOX_USER, PAUSER_DEFAULT);

    qtest_writel(qts, MBOX_CMD, 0x12345678);
    check(qts, MBOX_CMD, 0x12345678);
    check(qts, MBOX_STATUS, 0x2C0);

    qtest_writel(qts, MBOX_DLEN, 9);
    check(qts, MBOX_DLEN, 9);
    check(qts, MBOX_STATUS, 0x280);

    qtest_writel(qts, MBOX_DATAIN, 0x11111111);
    qtest_writel(qts, MBOX_DATAIN, 0x22222222);
    check(qts, MBOX_DATAIN, 0x22222222);
    check(qts, MBOX_STATUS, 0x280);
    /* not yet */
    qtest_writel(qts, MBOX_EXECUTE, 0);
    check(qts, MBOX_STATUS, 0x280);

    qtest_writel(qts, MBOX_EXECUTE, 1);
    check(qts, MBOX_EXECUTE, 1);
    check(qts, MBOX_STATUS, 0x780);
    /* notif_cmd_avail */
    g_assert_cmphex(qtest_readl(qts, IFC_NOTIF_INTR) & 1, ==, 1);
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    check(qts, IFC_ERROR_INTR, 0);

    /* a warm reset ends all of it, in the middle of the command */
    caliptra_warm_reset(qts);
    caliptra_set_user(qts);
    check(qts, MBOX_STATUS, 0);
    check(qts, MBOX_CMD, 0);
    check(qts, MBOX_DLEN, 0);
    check(qts, MBOX_USER, 0);
    check(qts, MBOX_EXECUTE, 0);
    check(qts, MBOX_LOCK, 0);
    qtest_quit(qts);
}

/* go from idle to @state */
static void mbox_to(QTestState *qts, uint32_t state)
{
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_IDLE);
    if (state == FSM_IDLE) {
        return;
    }
    check(qts, MBOX_LOCK, 0);
    if (state == FSM_RDY_FOR_CMD) {
        return;
    }
    qtest_writel(qts, MBOX_CMD, 1);
    if (state == FSM_RDY_FOR_DLEN) {
        return;
    }
    qtest_writel(qts, MBOX_DLEN, 4);
    if (state == FSM_RDY_FOR_DATA) {
        return;
    }
    qtest_writel(qts, MBOX_DATAIN, 2);
    qtest_writel(qts, MBOX_EXECUTE, 1);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_EXECUTE_UC);
}

/* mbox.sv: in each state, the writes of the owner that are in order */
static bool in_order(uint32_t state, uint64_t addr)
{
    switch (state) {
    case FSM_RDY_FOR_CMD:
        return addr == MBOX_CMD;
    case FSM_RDY_FOR_DLEN:
        return addr == MBOX_DLEN;
    case FSM_RDY_FOR_DATA:
        return addr == MBOX_DATAIN || addr == MBOX_EXECUTE;
    default:
        return false;
    }
}

static void test_mbox_out_of_order(void)
{
    static const uint32_t states[] = {
        FSM_RDY_FOR_CMD, FSM_RDY_FOR_DLEN, FSM_RDY_FOR_DATA, FSM_EXECUTE_UC
    };
    QTestState *qts = start_mailbox();

    for (int i = 0; i < ARRAY_SIZE(states); i++) {
        /* the registers, and two addresses without one */
        for (uint64_t addr = MBOX_LOCK; addr <= MBOX_BASE + 0x28; addr += 4) {
            if (in_order(states[i], addr)) {
                continue;
            }
            mbox_to(qts, states[i]);
            check(qts, IFC_HW_ERROR_NON_FATAL, 0);
            qtest_writel(qts, addr, 1);
            g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_ERROR);
            check(qts, IFC_HW_ERROR_NON_FATAL, PROT_OOO);
            check(qts, IFC_ERROR_INTR, ERROR_CMD_FAIL);

            /* there is no way out */
            check(qts, MBOX_LOCK, 1);
            check(qts, MBOX_DATAOUT, 0);
            qtest_writel(qts, MBOX_EXECUTE, 0);
            qtest_writel(qts, MBOX_UNLOCK, 1);
            g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_ERROR);

            caliptra_power_cycle(qts, 0);
            caliptra_set_user(qts);
        }
        /* reading the response too early */
        mbox_to(qts, states[i]);
        check(qts, MBOX_DATAOUT, 0);
        g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_ERROR);
        check(qts, IFC_HW_ERROR_NON_FATAL, PROT_OOO);
        caliptra_power_cycle(qts, 0);
        caliptra_set_user(qts);
    }
    qtest_quit(qts);
}

static void test_mbox_no_lock(void)
{
    QTestState *qts = start_mailbox();

    for (uint64_t addr = MBOX_LOCK; addr <= MBOX_BASE + 0x28; addr += 4) {
        qtest_writel(qts, addr, 1);
        check(qts, MBOX_STATUS, 0);
        check(qts, IFC_HW_ERROR_NON_FATAL, PROT_NO_LOCK);
        check(qts, IFC_ERROR_INTR, ERROR_CMD_FAIL | ERROR_INV_DEV);
        /* W1C */
        qtest_writel(qts, IFC_HW_ERROR_NON_FATAL, PROT_NO_LOCK);
        check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    }
    check(qts, MBOX_DATAOUT, 0);
    check(qts, IFC_HW_ERROR_NON_FATAL, PROT_NO_LOCK);
    check(qts, MBOX_CMD, 0);
    check(qts, MBOX_LOCK, 0);
    qtest_quit(qts);
}

/* DLEN and data beyond what is announced, or beyond the SRAM */
static void test_mbox_lengths(void)
{
    QTestState *qts = start_mailbox();

    check(qts, MBOX_LOCK, 0);
    qtest_writel(qts, MBOX_CMD, 1);
    qtest_writel(qts, MBOX_DLEN, 0xFFFFFFFF);
    check(qts, MBOX_DLEN, 0xFFFFFFFF);
    for (int i = 0; i < 32768 + 4; i++) {
        qtest_writel(qts, MBOX_DATAIN, i);
    }
    check(qts, MBOX_DATAIN, 32768 + 3);
    check(qts, MBOX_STATUS, 0x280);
    qtest_writel(qts, MBOX_EXECUTE, 1);
    check(qts, MBOX_STATUS, 0x780);
    check(qts, MBOX_DLEN, 0xFFFFFFFF);
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    qtest_quit(qts);
}

static void test_mbox_users(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    /* nobody but the default user is let in: PSLVERR, no trace of the try */
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_LOCK, 0);
    qtest_writel(qts, MBOX_CMD, 1);
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    check(qts, IFC_ERROR_INTR, 0);

    /* a value without its lock has no effect */
    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(2), 0x11111111);
    caliptra_set_pauser(qts, 0x11111111);
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_LOCK, 0);

    /* locked: it counts, and stays */
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(2), 1);
    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(2), 0x22222222);
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(2), 0);
    check(qts, IFC_MBOX_VALID_PAUSER(2), 0x11111111);
    check(qts, IFC_MBOX_PAUSER_LOCK(2), 1);
    check(qts, IFC_MBOX_PAUSER_LOCK(0), 0);
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_LOCK, 1);
    check(qts, MBOX_USER, 0x11111111);
    qtest_writel(qts, MBOX_CMD, 0x11);

    /* another valid user is no owner: dropped, and noted */
    qtest_writel(qts, IFC_MBOX_VALID_PAUSER(4), 0x44444444);
    qtest_writel(qts, IFC_MBOX_PAUSER_LOCK(4), 1);
    caliptra_set_pauser(qts, 0x44444444);
    check(qts, MBOX_LOCK, 1);
    check(qts, MBOX_CMD, 0x11);
    qtest_writel(qts, MBOX_DLEN, 4);
    check(qts, MBOX_DLEN, 0);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_RDY_FOR_DLEN);
    check(qts, IFC_ERROR_INTR, ERROR_INV_DEV);
    check(qts, IFC_HW_ERROR_NON_FATAL, 0);
    check(qts, MBOX_DATAOUT, 0);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_RDY_FOR_DLEN);

    /* an unlisted one sees nothing */
    caliptra_set_pauser(qts, 0x55555555);
    check(qts, MBOX_CMD, 0);
    check(qts, MBOX_STATUS, 0);
    qtest_writel(qts, MBOX_DLEN, 4);

    /* the owner goes on */
    caliptra_set_pauser(qts, 0x11111111);
    qtest_writel(qts, MBOX_DLEN, 8);
    check(qts, MBOX_DLEN, 8);
    g_assert_cmphex(caliptra_mbox_fsm(qts), ==, FSM_RDY_FOR_DATA);

    /* a warm reset opens the list again */
    caliptra_warm_reset(qts);
    check(qts, IFC_MBOX_VALID_PAUSER(2), 0xFFFFFFFF);
    check(qts, IFC_MBOX_PAUSER_LOCK(2), 0);
    check(qts, MBOX_LOCK, 0);
    check(qts, MBOX_LOCK, 0);
    qtest_quit(qts);
}

/* ---- fuses ---- */

static void test_fuses(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    /* any number of times, before they are done */
    qtest_writel(qts, IFC_FUSE_PK_HASH, 0x11111111);
    qtest_writel(qts, IFC_FUSE_PK_HASH, 0x22222222);
    check(qts, IFC_FUSE_PK_HASH, 0x22222222);
    qtest_writel(qts, IFC_FUSE_UDS_SEED, 0x33333333);
    check(qts, IFC_FUSE_UDS_SEED, 0);
    qtest_writel(qts, IFC_FUSE_SOC_STEPPING, 0xABCD1234);
    check(qts, IFC_FUSE_SOC_STEPPING, 0x1234);
    check(qts, IFC_HW_REV_ID, 0x12340011);

    /* a write of 0 is seen by the boot FSM, but sets nothing */
    qtest_writel(qts, IFC_FUSE_WR_DONE, 0);
    check(qts, IFC_FUSE_WR_DONE, 0);
    check(qts, IFC_FLOW_STATUS, 0x02000000);
    qtest_writel(qts, IFC_FUSE_PK_HASH, 0x44444444);
    check(qts, IFC_FUSE_PK_HASH, 0x44444444);

    qtest_writel(qts, IFC_FUSE_WR_DONE, 1);
    check(qts, IFC_FUSE_WR_DONE, 1);
    g_assert_cmphex(caliptra_flow(qts) & FLOW_READY_FOR_FUSES, ==, 0);
    g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_DONE);
    qtest_writel(qts, IFC_FUSE_PK_HASH, 0x55555555);
    check(qts, IFC_FUSE_PK_HASH, 0x44444444);
    qtest_writel(qts, IFC_FUSE_SOC_STEPPING, 0);
    check(qts, IFC_HW_REV_ID, 0x12340011);
    qtest_writel(qts, IFC_FUSE_WR_DONE, 0);
    check(qts, IFC_FUSE_WR_DONE, 1);

    /* a warm reset keeps values and lock, and waits for the write again */
    caliptra_warm_reset(qts);
    check(qts, IFC_FLOW_STATUS, 0x42000000);
    check(qts, IFC_FUSE_WR_DONE, 1);
    qtest_writel(qts, IFC_FUSE_PK_HASH, 0x66666666);
    check(qts, IFC_FUSE_PK_HASH, 0x44444444);
    qtest_clock_step(qts, 10 * 1000 * 1000);
    check(qts, IFC_FLOW_STATUS, 0x42000000);
    qtest_writel(qts, IFC_FUSE_WR_DONE, 0);
    g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_DONE);

    /* a power cycle forgets all */
    caliptra_power_cycle(qts, 0);
    check(qts, IFC_FUSE_WR_DONE, 0);
    check(qts, IFC_FUSE_PK_HASH, 0);
    check(qts, IFC_HW_REV_ID, 0x11);
    qtest_quit(qts);
}

static void test_fuse_user(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    qtest_writel(qts, IFC_FUSE_VALID_PAUSER, 0x77777777);
    qtest_writel(qts, IFC_FUSE_LMS_VERIFY, 1);
    check(qts, IFC_FUSE_LMS_VERIFY, 1);
    qtest_writel(qts, IFC_FUSE_PAUSER_LOCK, 1);
    /* locked out, for reads and writes */
    check(qts, IFC_FUSE_LMS_VERIFY, 0);
    qtest_writel(qts, IFC_FUSE_LMS_REVOCATION, 0x88);
    caliptra_set_pauser(qts, 0x77777777);
    check(qts, IFC_FUSE_LMS_VERIFY, 1);
    check(qts, IFC_FUSE_LMS_REVOCATION, 0);
    qtest_writel(qts, IFC_FUSE_LMS_REVOCATION, 0x99);
    check(qts, IFC_FUSE_LMS_REVOCATION, 0x99);
    /* the lock lasts over a warm reset */
    caliptra_warm_reset(qts);
    check(qts, IFC_FUSE_LMS_REVOCATION, 0x99);
    caliptra_set_pauser(qts, PAUSER_DEFAULT);
    check(qts, IFC_FUSE_LMS_REVOCATION, 0);
    check(qts, IFC_FUSE_VALID_PAUSER, 0x77777777);
    qtest_writel(qts, IFC_FUSE_VALID_PAUSER, PAUSER_DEFAULT);
    check(qts, IFC_FUSE_VALID_PAUSER, 0x77777777);
    /* FUSE_WR_DONE is outside of it */
    qtest_writel(qts, IFC_FUSE_WR_DONE, 1);
    check(qts, IFC_FUSE_WR_DONE, 1);
    qtest_quit(qts);
}

/* ---- power, reset, straps ---- */

static void test_scu(void)
{
    QTestState *qts = caliptra_start(GUEST_LOCKED, "");

    /* what the SoC's boot ROM would have left there */
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD | SCUIO_CPTRA_SEC(7));
    check(qts, IFC_FLOW_STATUS, 0x42000000);

    /* one register sets bits, the other one clears them */
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    check(qts, IFC_FLOW_STATUS, 0x42000000);
    qtest_writel(qts, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_writel(qts, SCUIO_RSTCTL2, 0x10 | SCUIO_RSTCTL2_CPTRA);
    check(qts, SCUIO_RSTCTL2, 0x10 | SCUIO_RSTCTL2_CPTRA);
    check(qts, IFC_FLOW_STATUS, 0);
    check(qts, IFC_SECURITY_STATE, 0);
    qtest_writel(qts, SCUIO_RSTCTL2, 0);
    g_assert_cmphex(qtest_readl(qts, SCUIO_RSTCTL2) & SCUIO_RSTCTL2_CPTRA, ==,
                    SCUIO_RSTCTL2_CPTRA);
    check(qts, IFC_FLOW_STATUS, 0);
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, 0x20);
    check(qts, IFC_FLOW_STATUS, 0);
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    check(qts, SCUIO_RSTCTL2, 0x10);
    check(qts, IFC_FLOW_STATUS, 0x42000000);
    check(qts, IFC_RESET_REASON, 2);
    qtest_writel(qts, SCUIO_RSTCTL2_CLR, 0x10);
    check(qts, SCUIO_RSTCTL2, 0);

    /* only bits 0 and 10:8 are stored; bit 18 is the core's */
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0xFFFFFFFF);
    check(qts, SCUIO_CPTRA_CTRL, 0x701);
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0);
    check(qts, SCUIO_CPTRA_CTRL, 0);
    check(qts, IFC_FLOW_STATUS, 0);

    /* the key words can be written only, and not be read in Caliptra */
    for (int i = 0; i < 8; i++) {
        qtest_writel(qts, SCUIO_CPTRA_OBF_KEY(i), 0x01010101 * (i + 1));
    }
    for (int i = 0; i < 8; i++) {
        check(qts, SCUIO_CPTRA_OBF_KEY(i), 0);
    }
    caliptra_power_cycle(qts, SEC_PRODUCTION | SEC_DEBUG_LOCKED);
    for (int i = 0; i < 8; i++) {
        check(qts, IFC_BASE + 0x600 + 4 * i, 0);
    }
    check(qts, IFC_RESET_REASON, 0);

    /* the machine's own reset brings back where it started */
    qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
    qtest_qmp_eventwait(qts, "RESET");
    check(qts, SCUIO_CPTRA_CTRL, 0x701);
    check(qts, SCUIO_CPTRA_OBF_KEY(0), 0);
    check(qts, IFC_FLOW_STATUS, 0x42000000);
    check(qts, IFC_RESET_REASON, 0);
    qtest_quit(qts);
}

static void test_disabled(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    /* HWSTRAP1[30]: Caliptra has no power, whatever SCUIO 0x130 says */
    qtest_writel(qts, SCUIO_HWSTRAP1, 1u << 30);
    qtest_writel(qts, SCUIO_CPTRA_CTRL, 0);
    qtest_writel(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD);
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD);
    qtest_clock_step(qts, 100 * 1000 * 1000);
    check(qts, IFC_FLOW_STATUS, 0);
    check(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD);
    qtest_writel(qts, SCUIO_HWSTRAP1_CLR, 1u << 30);
    caliptra_power_cycle(qts, 0);
    qtest_quit(qts);
}

static void test_security_state(void)
{
    static const uint32_t states[] = {
        SEC_UNPROVISIONED, SEC_MANUFACTURING, SEC_PRODUCTION,
        SEC_UNPROVISIONED | SEC_DEBUG_LOCKED,
        SEC_MANUFACTURING | SEC_DEBUG_LOCKED,
        SEC_PRODUCTION | SEC_DEBUG_LOCKED,
    };
    QTestState *qts = caliptra_start(GUEST, "");

    for (int i = 0; i < ARRAY_SIZE(states); i++) {
        caliptra_power_cycle(qts, states[i]);
        check(qts, IFC_SECURITY_STATE, states[i]);
        /* latched when reset ends, not later */
        qtest_writel(qts, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_PWRGOOD |
                     SCUIO_CPTRA_SEC(states[(i + 1) % ARRAY_SIZE(states)]));
        check(qts, IFC_SECURITY_STATE, states[i]);
        caliptra_warm_reset(qts);
        check(qts, IFC_SECURITY_STATE,
              states[(i + 1) % ARRAY_SIZE(states)]);
    }
    qtest_quit(qts);
}

static void test_boot_fsm(void)
{
    /* where the breakpoint counts: not with debug locked in production */
    static const struct {
        uint32_t security_state;
        bool valid;
    } cases[] = {
        { SEC_UNPROVISIONED, true },
        { SEC_PRODUCTION, true },
        { SEC_MANUFACTURING | SEC_DEBUG_LOCKED, true },
        { SEC_UNPROVISIONED | SEC_DEBUG_LOCKED, false },
        { SEC_PRODUCTION | SEC_DEBUG_LOCKED, false },
    };
    QTestState *qts = caliptra_start(GUEST, "-global "
                                     "aspeed-caliptra.bootfsm-brkpoint=on");

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        caliptra_power_cycle(qts, cases[i].security_state);
        g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_FUSE);
        caliptra_set_user(qts);
        caliptra_fuses_done(qts, NULL);
        if (cases[i].valid) {
            g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_WAIT);
            g_assert_cmphex(caliptra_flow(qts) & FLOW_READY_FOR_FUSES, ==, 0);
            qtest_clock_step(qts, 100 * 1000 * 1000);
            g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_WAIT);
            qtest_writel(qts, IFC_BOOTFSM_GO, 1);
        }
        g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_DONE);
    }

    /* GO may come first */
    caliptra_power_cycle(qts, SEC_UNPROVISIONED);
    qtest_writel(qts, IFC_BOOTFSM_GO, 1);
    check(qts, IFC_BOOTFSM_GO, 1);
    caliptra_fuses_done(qts, NULL);
    g_assert_cmpuint(FLOW_BOOT_FSM(caliptra_flow(qts)), ==, BOOT_DONE);
    qtest_quit(qts);
}

static void test_reset_reason(void)
{
    QTestState *qts = caliptra_start(GUEST, "");

    check(qts, IFC_RESET_REASON, 0);
    caliptra_warm_reset(qts);
    check(qts, IFC_RESET_REASON, 2);
    caliptra_warm_reset(qts);
    check(qts, IFC_RESET_REASON, 2);
    caliptra_power_cycle(qts, 0);
    check(qts, IFC_RESET_REASON, 0);
    qtest_quit(qts);
}

/* ---- wires ---- */

static void test_wires(const void *name)
{
    QTestState *qts = caliptra_start(GUEST, "");

    qtest_irq_intercept_out_named(qts, "/machine/caliptra", name);
    if (!strcmp(name, "ready-for-fuses")) {
        caliptra_power_cycle(qts, 0);
        g_assert_true(qtest_get_irq(qts, 0));
        caliptra_fuses_done(qts, NULL);
        g_assert_false(qtest_get_irq(qts, 0));
    } else if (!strcmp(name, "cptra-error-fatal")) {
        qtest_writel(qts, IFC_FW_ERROR_FATAL, 1);
        g_assert_true(qtest_get_irq(qts, 0));
        /* nothing but a reset lowers it */
        qtest_writel(qts, IFC_FW_ERROR_FATAL, 0);
        g_assert_true(qtest_get_irq(qts, 0));
        caliptra_warm_reset(qts);
        g_assert_false(qtest_get_irq(qts, 0));
    } else {
        qtest_writel(qts, IFC_FW_ERROR_NON_FATAL, 1);
        g_assert_true(qtest_get_irq(qts, 0));
        qtest_writel(qts, IFC_FW_ERROR_NON_FATAL, 0);
        g_assert_false(qtest_get_irq(qts, 0));
        /* a protocol error raises it too */
        caliptra_set_user(qts);
        qtest_writel(qts, MBOX_CMD, 1);
        g_assert_true(qtest_get_irq(qts, 0));
        qtest_writel(qts, IFC_HW_ERROR_NON_FATAL, PROT_NO_LOCK);
        g_assert_false(qtest_get_irq(qts, 0));
    }
    qtest_quit(qts);
}

/* ---- TRNG ---- */

static void test_trng(void)
{
    QTestState *qts = caliptra_start(GUEST, "");
    int served = 0;

    /* WR_DONE does not stay while nothing is asked for */
    qtest_writel(qts, IFC_TRNG_DATA(3), 0x1234);
    check(qts, IFC_TRNG_DATA(3), 0x1234);
    qtest_writel(qts, IFC_TRNG_STATUS, 3);
    check(qts, IFC_TRNG_STATUS, 0);

    /* a user of its own */
    qtest_writel(qts, IFC_TRNG_VALID_PAUSER, 0x77777777);
    qtest_writel(qts, IFC_TRNG_PAUSER_LOCK, 1);
    check(qts, IFC_TRNG_DATA(3), 0);
    qtest_writel(qts, IFC_TRNG_DATA(3), 0x5678);
    qtest_writel(qts, IFC_TRNG_VALID_PAUSER, PAUSER_DEFAULT);
    check(qts, IFC_TRNG_VALID_PAUSER, 0x77777777);
    caliptra_set_pauser(qts, 0x77777777);
    check(qts, IFC_TRNG_DATA(3), 0x1234);

    /* the ROM asks: while it gets nothing, it waits */
    caliptra_set_pauser(qts, PAUSER_DEFAULT);
    caliptra_warm_reset(qts);
    caliptra_power_cycle(qts, 0);
    caliptra_set_user(qts);
    caliptra_fuses_done(qts, NULL);
    for (int i = 0; i < 1000 && !(qtest_readl(qts, IFC_TRNG_STATUS) & 1);
         i++) {
        qtest_clock_step(qts, 100 * 1000);
    }
    check(qts, IFC_TRNG_STATUS, 1);
    /* the wrong user's answer does not count */
    g_assert_cmphex(caliptra_flow(qts) & FLOW_READY_FOR_FW, ==, 0);
    for (int i = 0;
         i < 100000 && !(caliptra_flow(qts) & FLOW_READY_FOR_FW); i++) {
        if (qtest_readl(qts, IFC_TRNG_STATUS) & 1) {
            caliptra_serve(qts);
            served++;
        }
        qtest_clock_step(qts, 100 * 1000);
    }
    g_assert_cmphex(caliptra_flow(qts) & FLOW_READY_FOR_FW, ==,
                    FLOW_READY_FOR_FW);
    /* at least the seeding of the ROM's CFI and its known-answer tests */
    g_assert_cmpint(served, >=, 6);
    qtest_quit(qts);
}
/* ---- the machine's options ---- */

typedef struct BadOption {
    const char *path;
    const char *option;
    const char *fuses;          /* content of the file for %s */
    const char *message;        /* part of what it must say */
    const char *bios;           /* another boot ROM than a good one */
} BadOption;

static const BadOption bad_options[] = {
    { "boot", "caliptra-boot=maybe", NULL, "caliptra-boot" },
    { "auto-without-firmware", "caliptra-boot=auto", NULL, "firmware" },
    { "no-such-firmware", "caliptra-firmware=/nonexistent/fw.bin", NULL,
      "/nonexistent/fw.bin" },
    { "obf-key", "caliptra-boot=guest,caliptra-obf-key=12", NULL, "64" },
    { "no-such-chardev", "caliptra-boot=guest,caliptra-log=nolog", NULL,
      "nolog" },
    { "no-such-fuses", "caliptra-boot=guest,caliptra-fuses=/nonexistent/f",
      NULL, "/nonexistent/f" },
    { "fuses-syntax", "caliptra-boot=guest,caliptra-fuses=%s", "{ 'a' ",
      "%s" },
    { "fuses-no-object", "caliptra-boot=guest,caliptra-fuses=%s", "[]",
      "object" },
    { "fuses-unknown", "caliptra-boot=guest,caliptra-fuses=%s",
      "{\"lms_verfy\": 1}", "lms_verfy" },
    { "fuses-length", "caliptra-boot=guest,caliptra-fuses=%s",
      "{\"runtime_svn\": \"0123456789abcdef\"}", "runtime_svn" },
    { "fuses-hex", "caliptra-boot=guest,caliptra-fuses=%s",
      "{\"runtime_svn\": \"0123456789abcdef0123456789abcdeg\"}",
      "runtime_svn" },
    { "fuses-number", "caliptra-boot=guest,caliptra-fuses=%s",
      "{\"key_manifest_pk_hash_mask\": 16}", "key_manifest_pk_hash_mask" },
    { "fuses-negative", "caliptra-boot=guest,caliptra-fuses=%s",
      "{\"lms_revocation\": -1}", "lms_revocation" },
    { "fuses-type", "caliptra-boot=guest,caliptra-fuses=%s",
      "{\"lms_verify\": \"1\"}", "lms_verify" },
    { "no-such-boot-rom", "caliptra-boot=off", NULL, "/nonexistent/rom",
      "/nonexistent/rom" },
};

static void test_bad_option(const void *data)
{
    const BadOption *t = data;
    g_autofree char *boot_rom = caliptra_boot_rom();
    g_autofree char *fuses = NULL;
    g_autofree char *opt = NULL;
    g_autofree char *machine = NULL;
    g_autofree char *err = NULL;
    const char *argv[] = {
        getenv("QTEST_QEMU_BINARY"), "-machine", NULL, "-bios", NULL,
        "-display", "none", "-accel", "qtest", NULL
    };
    int status;
    int fd;

    fd = g_file_open_tmp("qtest.fuses.XXXXXX", &fuses, NULL);
    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(fuses, t->fuses ?: "", -1, NULL));

    opt = g_strdup(t->option);
    if (g_str_has_suffix(opt, "%s")) {
        opt[strlen(opt) - 2] = 0;
        machine = g_strdup_printf("ast2700fc,%s%s", opt, fuses);
    } else {
        machine = g_strdup_printf("ast2700fc,%s", opt);
    }
    argv[2] = machine;
    argv[4] = t->bios ?: boot_rom;
    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                               G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL,
                               &err, &status, NULL));
    unlink(boot_rom);
    unlink(fuses);

    /* one line that names what is wrong, no crash */
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 1);
    g_assert_nonnull(strstr(err, strcmp(t->message, "%s") ? t->message
                                                          : fuses));
    g_assert_nonnull(strchr(err, '\n'));
    g_assert_cmpstr(strchr(err, '\n'), ==, "\n");
}

/*
 * The coprocessors have no image: they would lock up at their first
 * instruction, and take QEMU with them.
 */
static void test_empty_coprocessors(void)
{
    QTestState *qts;

    if (!qtest_has_accel("tcg")) {
        g_test_skip("needs CPUs that execute");
        return;
    }
    qts = caliptra_start("", "-accel tcg");
    for (int i = 0; i < 2; i++) {
        g_usleep(200 * 1000);
        qtest_qmp_assert_success(qts, "{ 'execute': 'query-status' }");
        qtest_qmp_assert_success(qts, "{ 'execute': 'system_reset' }");
        qtest_qmp_eventwait(qts, "RESET");
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);

    qtest_add_func("/caliptra/registers/reset", test_reset_values);
    qtest_add_func("/caliptra/registers/access", test_access_rules);
    qtest_add_func("/caliptra/registers/domains", test_reset_domains);
    qtest_add_func("/caliptra/registers/window", test_window);
    qtest_add_func("/caliptra/off", test_off);
    qtest_add_func("/caliptra/empty-coprocessors", test_empty_coprocessors);
    qtest_add_func("/caliptra/mbox/protocol", test_mbox_protocol);
    qtest_add_func("/caliptra/mbox/out-of-order", test_mbox_out_of_order);
    qtest_add_func("/caliptra/mbox/no-lock", test_mbox_no_lock);
    qtest_add_func("/caliptra/mbox/lengths", test_mbox_lengths);
    qtest_add_func("/caliptra/mbox/users", test_mbox_users);
    qtest_add_func("/caliptra/fuses/lock", test_fuses);
    qtest_add_func("/caliptra/fuses/user", test_fuse_user);
    qtest_add_func("/caliptra/soc/scu", test_scu);
    qtest_add_func("/caliptra/soc/disabled", test_disabled);
    qtest_add_func("/caliptra/soc/security-state", test_security_state);
    qtest_add_func("/caliptra/boot-fsm", test_boot_fsm);
    qtest_add_func("/caliptra/reset-reason", test_reset_reason);
    qtest_add_data_func("/caliptra/wires/ready-for-fuses", "ready-for-fuses",
                        test_wires);
    qtest_add_data_func("/caliptra/wires/error-fatal", "cptra-error-fatal",
                        test_wires);
    qtest_add_data_func("/caliptra/wires/error-non-fatal",
                        "cptra-error-non-fatal", test_wires);
    qtest_add_func("/caliptra/trng", test_trng);
    for (int i = 0; i < ARRAY_SIZE(bad_options); i++) {
        g_autofree char *path = g_strdup_printf("/caliptra/options/%s",
                                                bad_options[i].path);

        qtest_add_data_func(path, &bad_options[i], test_bad_option);
    }
    return g_test_run();
}
