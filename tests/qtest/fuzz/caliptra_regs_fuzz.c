/*
 * Fuzzing of Caliptra's registers, and of those of the AST2700's SCUs
 *
 * An input is a point of the boot and records of eight bytes: accesses of any
 * size, runs of them, resets, and virtual time between them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/module.h"
#include "tests/qtest/caliptra-utils.h"
#include "caliptra_fuzz.h"

#define SCU_BASE        0x12C02000
#define SCUIO_BASE      0x14C02000
#define WINDOW_SIZE     0x20000

/* of an input: virtual time, and steps in which firmware gets its entropy */
#define TIME_LIMIT      (1000 * 1000 * 1000)
#define STEPS_MAX       256

typedef struct Budget {
    int64_t ns;
    unsigned steps;
} Budget;

/* Three bits choose a page; of these the first are in the window */
#define IN_WINDOW       (4u << 13)

static uint64_t address(uint16_t where)
{
    static const uint64_t pages[] = {
        MBOX_BASE, SHA_ACC_BASE, IFC_BASE, IFC_BASE, SCU_BASE, SCUIO_BASE,
    };
    unsigned page = where >> 13;

    if (page < ARRAY_SIZE(pages)) {
        /* the mailbox has few registers, and zeros behind them */
        return pages[page] + (where & (page ? 0xFFF : 0x3F));
    }
    return MBOX_BASE + ((where & 0x3FFF) * 8) % WINDOW_SIZE;
}

static void write_size(QTestState *s, uint64_t addr, unsigned size,
                       uint32_t value)
{
    switch (size & 3) {
    case 0:
        qtest_writeb(s, addr, value);
        break;
    case 1:
        qtest_writew(s, addr, value);
        break;
    default:
        qtest_writeq(s, addr, value * 0x100000001ULL);
        break;
    }
}

static void read_size(QTestState *s, uint64_t addr, unsigned size)
{
    switch (size & 3) {
    case 0:
        qtest_readb(s, addr);
        break;
    case 1:
        qtest_readw(s, addr);
        break;
    default:
        qtest_readq(s, addr);
        break;
    }
}

/* Accesses anywhere in the window, made up from @seed */
static void run(QTestState *s, unsigned n, uint32_t seed)
{
    for (unsigned i = 0; i < n; i++) {
        /* a linear congruential generator, whose upper bits are good */
        uint32_t word = seed = seed * 1664525 + 1013904223;
        uint64_t addr = address((word >> 16) % IN_WINDOW & ~3);

        if (word & 0x8000) {
            qtest_readl(s, addr);
        } else {
            seed = seed * 1664525 + 1013904223;
            qtest_writel(s, addr, seed);
        }
    }
    caliptra_fuzz_accesses += n;
}

static void lines(QTestState *s, uint8_t what, uint32_t value)
{
    uint32_t state = SCUIO_CPTRA_SEC(value & 7);

    caliptra_fuzz_accesses += 4;
    switch (what & 3) {
    case 0:
        qtest_writel(s, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
        qtest_writel(s, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
        break;
    case 1:
        qtest_writel(s, SCUIO_CPTRA_CTRL, state);
        qtest_writel(s, SCUIO_CPTRA_CTRL, state | SCUIO_CPTRA_PWRGOOD);
        break;
    case 2:
        qtest_writel(s, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
        qtest_writel(s, SCUIO_CPTRA_CTRL, state);
        qtest_writel(s, SCUIO_CPTRA_CTRL, state | SCUIO_CPTRA_PWRGOOD);
        qtest_writel(s, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
        break;
    case 3:
        qtest_writel(s, IFC_FUSE_WR_DONE, 1);
        break;
    }
}

static void pass_time(QTestState *s, Budget *left, uint8_t exponent,
                      uint32_t value)
{
    int64_t ns = 1 + (value & ((1u << (exponent & 31)) - 1));

    ns = MIN(ns, left->ns);
    left->ns -= ns;
    if (ns && left->steps) {
        left->steps--;
        caliptra_fuzz_step(s, ns);
    }
}

static void record(QTestState *s, CaliptraFuzzInput *in, Budget *left)
{
    uint8_t op = caliptra_fuzz_u8(in);
    uint8_t n = caliptra_fuzz_u8(in);
    uint64_t addr = address(caliptra_fuzz_u16(in));
    uint32_t value = caliptra_fuzz_u32(in);
    unsigned i;

    switch (op & 15) {
    case 0 ... 3:
        qtest_writel(s, addr, value);
        caliptra_fuzz_accesses++;
        break;
    case 4:
        qtest_readl(s, addr);
        caliptra_fuzz_accesses++;
        break;
    case 5:
        run(s, 16 * (1 + n), value);
        break;
    case 6:
        write_size(s, addr, n, value);
        caliptra_fuzz_accesses++;
        break;
    case 7:
        read_size(s, addr, n);
        caliptra_fuzz_accesses++;
        break;
    case 8:
        /* fuses, lists of users */
        for (i = 0; i <= n % 64; i++) {
            qtest_writel(s, addr + 4 * i, value + i);
        }
        caliptra_fuzz_accesses += i;
        break;
    case 9:
        /* the FIFO */
        for (i = 0; i <= n; i++) {
            qtest_writel(s, addr, value + i);
        }
        caliptra_fuzz_accesses += i;
        break;
    case 10:
        for (i = 0; i <= n % 64; i++) {
            qtest_readl(s, addr + 4 * i);
        }
        caliptra_fuzz_accesses += i;
        break;
    case 11:
        for (i = 0; i <= n; i++) {
            qtest_readl(s, addr);
        }
        caliptra_fuzz_accesses += i;
        break;
    case 12:
        pass_time(s, left, n, value);
        break;
    case 13:
        i = MIN(1 + n % 32, left->steps);
        left->steps -= i;
        caliptra_fuzz_serve(s, i);
        break;
    case 14:
        lines(s, n, value);
        break;
    case 15:
        caliptra_fuzz_set_pauser(n & 1 ? PAUSER_DEFAULT : value);
        break;
    }
}

static void caliptra_regs_fuzz(QTestState *s, const unsigned char *data,
                               size_t size)
{
    CaliptraFuzzInput in = { data, size };
    Budget left = { TIME_LIMIT, STEPS_MAX };

    caliptra_fuzz_begin(caliptra_fuzz_u8(&in));
    while (in.len) {
        record(s, &in, &left);
    }
    caliptra_fuzz_step(s, 1000);
}

static void register_caliptra_regs_fuzz(void)
{
    fuzz_add_target(&(FuzzTarget){
        .name = "caliptra-regs",
        .description = "Registers of Caliptra's window and of the SCUs, with "
                       "resets and time",
        .get_init_cmdline = caliptra_fuzz_cmdline,
        .pre_fuzz = caliptra_fuzz_boot,
        .fuzz = caliptra_regs_fuzz,
    });
}

fuzz_target_init(register_caliptra_regs_fuzz);
