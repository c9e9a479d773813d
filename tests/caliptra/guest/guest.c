/*
 * A guest that asks Caliptra how it is
 *
 * Runs bare on the four Cortex-A35 cores of the ast2700fc machine, with MMU
 * and caches off, in the exception level in which the cores start.  Each
 * core says that it runs; then core 0 reads Caliptra's state in SCU1, sends
 * mailbox commands, prints the answers on UART12, and all cores go idle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define CORES 4

/* AST2700: UART12, a 16550 with a register every four bytes */
#define UART_THR        0x14C33B00
#define UART_LSR        0x14C33B14
#define UART_LSR_THRE   (1 << 5)

/* AST2700: SCU1, Caliptra control */
#define SCU1_CPTRA_CTRL     0x14C02130
#define CPTRA_RDY_FOR_RT    (1 << 18)

/* Caliptra's mailbox (caliptra-rtl mbox_csr.rdl) */
#define MBOX_LOCK       0x14C60000
#define MBOX_CMD        0x14C60008
#define MBOX_DLEN       0x14C6000C
#define MBOX_DATAIN     0x14C60010
#define MBOX_DATAOUT    0x14C60014
#define MBOX_EXECUTE    0x14C60018
#define MBOX_STATUS     0x14C6001C

enum {
    CMD_BUSY = 0,
    DATA_READY = 1,
    CMD_COMPLETE = 2,
    CMD_FAILURE = 3,
    NO_LOCK,
    NO_ANSWER,
    BAD_CHECKSUM,
};

/* Caliptra's SoC interface (caliptra-rtl soc_ifc_external_reg.rdl) */
#define IFC_FW_ERROR_FATAL      0x14C70008
#define IFC_FW_ERROR_NON_FATAL  0x14C7000C
#define IFC_BOOT_STATUS         0x14C70038
#define IFC_FLOW_STATUS         0x14C7003C

/* Mailbox commands: four characters, read as a big-endian number */
#define FOURCC(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))
#define CMD_VERSION         FOURCC('F', 'P', 'V', 'R')
#define CMD_CAPABILITIES    FOURCC('C', 'A', 'P', 'S')
#define CMD_FW_INFO         FOURCC('I', 'N', 'F', 'O')
#define CMD_NONSENSE        FOURCC('N', 'O', 'N', 'E')

/* Longest time that anything here waits */
#define TIMEOUT_SECONDS     10

/* The core whose turn it is to speak; volatile: others change it */
static volatile uint32_t turn;

static uint32_t rsp[128];

static uint32_t read32(uintptr_t addr)
{
    /* volatile: a device register */
    return *(volatile uint32_t *)addr;
}

static void write32(uintptr_t addr, uint32_t value)
{
    /* volatile: a device register */
    *(volatile uint32_t *)addr = value;
}

static uint64_t now(void)
{
    uint64_t ticks;

    asm volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(ticks));
    return ticks;
}

static uint64_t deadline(void)
{
    uint64_t frequency;

    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    return now() + TIMEOUT_SECONDS * frequency;
}

static unsigned exception_level(void)
{
    uint64_t el;

    asm volatile("mrs %0, CurrentEL" : "=r"(el));
    return el >> 2 & 3;
}

static void put_char(char c)
{
    uint64_t end = deadline();

    while (!(read32(UART_LSR) & UART_LSR_THRE)) {
        if (now() > end) {
            return;
        }
    }
    write32(UART_THR, c);
}

static void put(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text);
    }
}

static void put_digits(uint32_t value, unsigned digits)
{
    while (digits--) {
        put_char("0123456789abcdef"[value >> 4 * digits & 15]);
    }
}

static void put_hex(uint32_t value)
{
    put("0x");
    put_digits(value, 8);
}

static void put_dec(uint32_t value)
{
    if (value >= 10) {
        put_dec(value / 10);
    }
    put_char('0' + value % 10);
}

/* a line's name, in a column */
static void put_name(const char *name)
{
    int width = 24;

    put("  ");
    put(name);
    while (*name++) {
        width--;
    }
    while (width-- > 0) {
        put_char(' ');
    }
}

static void put_bytes(const void *data, size_t len)
{
    const uint8_t *byte = data;

    while (len--) {
        put_digits(*byte++, 2);
    }
}

static void put_version(uint32_t major, uint32_t minor, uint32_t patch)
{
    put_dec(major);
    put_char('.');
    put_dec(minor);
    put_char('.');
    put_dec(patch);
}

static uint32_t sum_bytes(uint32_t word)
{
    return (word & 0xFF) + (word >> 8 & 0xFF) + (word >> 16 & 0xFF) +
           (word >> 24);
}

/* wait until (register & mask) == value; false: it never came so far */
static bool wait_for(uintptr_t addr, uint32_t mask, uint32_t value)
{
    uint64_t end = deadline();

    while ((read32(addr) & mask) != value) {
        if (now() > end) {
            return false;
        }
    }
    return true;
}

/*
 * A command without arguments.  Its request is one word, the checksum; its
 * response goes to rsp[].  Returns the mailbox status, or what went wrong
 * before there was one.
 */
static unsigned command(uint32_t cmd)
{
    uint64_t end;
    uint32_t status, bytes, sum = 0;
    size_t i;

    if (!wait_for(MBOX_LOCK, 1, 0)) {
        return NO_LOCK;
    }
    write32(MBOX_CMD, cmd);
    write32(MBOX_DLEN, sizeof(uint32_t));
    write32(MBOX_DATAIN, -sum_bytes(cmd));
    write32(MBOX_EXECUTE, 1);

    end = deadline();
    do {
        status = read32(MBOX_STATUS) & 0xF;
    } while (status == CMD_BUSY && now() < end);

    if (status == CMD_BUSY) {
        status = NO_ANSWER;
    } else if (status == DATA_READY) {
        bytes = read32(MBOX_DLEN);
        for (i = 0; i < ARRAY_SIZE(rsp); i++) {
            rsp[i] = 4 * i < bytes ? read32(MBOX_DATAOUT) : 0;
            sum += i ? sum_bytes(rsp[i]) : rsp[i];
        }
        if (sum != 0) {
            status = BAD_CHECKSUM;
        }
    }
    write32(MBOX_EXECUTE, 0);
    return status;
}

/* say how a command went; true if there is a response to print */
static bool ask(const char *name, uint32_t cmd)
{
    static const char *const answer[] = {
        [CMD_COMPLETE] = "CMD_COMPLETE",
        [CMD_FAILURE] = "CMD_FAILURE",
        [NO_LOCK] = "the mailbox is taken",
        [NO_ANSWER] = "no answer",
        [BAD_CHECKSUM] = "wrong checksum",
    };
    unsigned status = command(cmd);

    put(name);
    put(":");
    if (status == DATA_READY) {
        put("\n");
        return true;
    }
    put(" ");
    put(status < ARRAY_SIZE(answer) ? answer[status] : "strange status");
    if (status == CMD_FAILURE) {
        uint32_t fatal = read32(IFC_FW_ERROR_FATAL);

        put(", error ");
        put_hex(fatal ? fatal : read32(IFC_FW_ERROR_NON_FATAL));
    }
    put("\n");
    return false;
}

static void report_version(void)
{
    if (!ask("VERSION", CMD_VERSION)) {
        return;
    }
    put_name("name");
    rsp[9] = 0;
    put((const char *)&rsp[6]);
    put("\n");
    put_name("hardware");
    put_hex(rsp[3]);
    put("\n");
    /* ROM and FMC pack major, minor, patch into 5, 5 and 6 bits */
    put_name("ROM");
    put_version(rsp[4] >> 11 & 31, rsp[4] >> 6 & 31, rsp[4] & 63);
    put("\n");
    put_name("FMC");
    put_version(rsp[4] >> 27, rsp[4] >> 22 & 31, rsp[4] >> 16 & 63);
    put("\n");
    put_name("runtime");
    put_version(rsp[5] >> 24, rsp[5] >> 16 & 0xFF, rsp[5] & 0xFFFF);
    put("\n");
}

static void report_fw_info(void)
{
    static const struct {
        const char *name;
        unsigned first, words;
        bool text;
    } fields[] = {
        { "pl0_pauser", 2, 1 },
        { "runtime_svn", 3, 1 },
        { "min_runtime_svn", 4, 1 },
        { "fmc_manifest_svn", 5, 1 },
        { "attestation_disabled", 6, 1 },
        { "rom_revision", 7, 5, true },
        { "fmc_revision", 12, 5, true },
        { "runtime_revision", 17, 5, true },
        { "rom_sha256_digest", 22, 8 },
        { "fmc_sha384_digest", 30, 12 },
        { "runtime_sha384_digest", 42, 12 },
        { "owner_pub_key_hash", 54, 12 },
    };
    unsigned i, k;

    if (!ask("FW_INFO", CMD_FW_INFO)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        put_name(fields[i].name);
        if (fields[i].text) {
            put_bytes(&rsp[fields[i].first], 4 * fields[i].words);
        } else {
            for (k = 0; k < fields[i].words; k++) {
                put_digits(rsp[fields[i].first + k], 8);
            }
        }
        put("\n");
    }
}

static void report_capabilities(void)
{
    if (!ask("CAPABILITIES", CMD_CAPABILITIES)) {
        return;
    }
    put_name("bits 127..0");
    put_bytes(&rsp[2], 16);
    put("\n");
}

static void report(void)
{
    uint32_t ctrl = read32(SCU1_CPTRA_CTRL);

    put("SCU1 0x130:\n");
    put_name("CPTRA_CTRL");
    put_hex(ctrl);
    put("\n");
    put_name("ready for runtime");
    put(ctrl & CPTRA_RDY_FOR_RT ? "yes\n" : "no\n");
    put("SoC interface:\n");
    put_name("CPTRA_BOOT_STATUS");
    put_hex(read32(IFC_BOOT_STATUS));
    put("\n");
    put_name("CPTRA_FLOW_STATUS");
    put_hex(read32(IFC_FLOW_STATUS));
    put("\n");
    if (!(ctrl & CPTRA_RDY_FOR_RT)) {
        put("no command is sent\n");
        return;
    }
    report_version();
    report_fw_info();
    report_capabilities();
    /* Caliptra's runtime has no such command: RUNTIME_UNIMPLEMENTED_COMMAND */
    ask("NONE, an unknown command", CMD_NONSENSE);
}

static bool wait_turn(uint32_t core, uint64_t end)
{
    while (turn != core) {
        if (now() > end) {
            return false;
        }
    }
    return true;
}

void main(unsigned core)
{
    uint64_t end = deadline();

    if (wait_turn(core, end)) {
        if (core == 0) {
            put("\nGuest of the AST2700's Cortex-A35 cores\n");
        }
        put("core ");
        put_dec(core);
        put(" runs in EL");
        put_dec(exception_level());
        put("\n");
        turn = core + 1;
    }
    if (core == 0) {
        if (!wait_turn(CORES, end)) {
            put("not all cores came up\n");
        }
        report();
        put("idle\n");
    }
}
