/*
 * What a guest sees of Caliptra's speed, for ./qemu-caliptra bench
 *
 * Core 0 measures with the generic timer, which under TCG follows the host's
 * time, and prints "NAME COUNT TICKS" lines on UART12, then "frequency HZ" and
 * "idle".  The commands to repeat, and their requests, are at PARAMS.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <stdint.h>

#define PARAMS          0x431000000ul

#define UART_THR        0x14C33B00
#define UART_LSR        0x14C33B14
#define UART_LSR_THRE   (1 << 5)

#define MBOX_LOCK       0x14C60000
#define MBOX_CMD        0x14C60008
#define MBOX_DLEN       0x14C6000C
#define MBOX_DATAIN     0x14C60010
#define MBOX_EXECUTE    0x14C60018
#define MBOX_STATUS     0x14C6001C
#define MBOX_SIZE       0x20000
#define CMD_VERSION     0x46505652

#define SHA_LOCK        0x14C61000
#define SHA_MODE        0x14C61008
#define SHA_DLEN        0x14C61010
#define SHA_DATAIN      0x14C61014
#define SHA_EXECUTE     0x14C61018
#define SHA_STATUS      0x14C6101C
#define SHA_MODE_384    0
#define SHA_BYTES       0x100000
/* the message whose signatures are verified: so many zero bytes */
#define MESSAGE_BYTES   64

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

static void put(const char *text)
{
    for (; *text; text++) {
        while (!(read32(UART_LSR) & UART_LSR_THRE)) {
        }
        write32(UART_THR, *text);
    }
}

static void put_number(uint64_t value)
{
    char text[24];
    int i = sizeof(text) - 1;

    text[i] = 0;
    do {
        text[--i] = '0' + value % 10;
        value /= 10;
    } while (value);
    put(" ");
    put(text + i);
}

static void result(const char *name, uint64_t count, uint64_t ticks)
{
    put(name);
    put_number(count);
    put_number(ticks);
    put("\n");
}

/* Returns the mailbox status with which the command ended */
static uint32_t finish_command(void)
{
    uint32_t status;

    write32(MBOX_EXECUTE, 1);
    do {
        status = read32(MBOX_STATUS) & 0xf;
    } while (status == 0);
    write32(MBOX_EXECUTE, 0);
    return status;
}

static void start_command(uint32_t cmd, uint32_t len)
{
    while (read32(MBOX_LOCK) & 1) {
    }
    write32(MBOX_CMD, cmd);
    write32(MBOX_DLEN, len);
}

static void fifo(void)
{
    uint64_t start;

    start_command(CMD_VERSION, MBOX_SIZE);
    start = now();
    for (uint32_t i = 0; i < MBOX_SIZE / 4; i++) {
        write32(MBOX_DATAIN, 0);
    }
    result("fifo", MBOX_SIZE, now() - start);
    finish_command();
}

static void sha(uint32_t bytes, const char *name)
{
    uint64_t start;

    while (read32(SHA_LOCK) & 1) {
    }
    write32(SHA_MODE, SHA_MODE_384);
    write32(SHA_DLEN, bytes);
    start = now();
    for (uint32_t i = 0; i < bytes / 4; i++) {
        write32(SHA_DATAIN, 0);
    }
    write32(SHA_EXECUTE, 1);
    while (!(read32(SHA_STATUS) & 1)) {
    }
    if (name) {
        result(name, bytes, now() - start);
    }
    write32(SHA_LOCK, 1);
}

/* @p: command, repetitions, bytes of the request, request; returns its end */
static const uint32_t *commands(const uint32_t *p)
{
    uint32_t cmd = p[0];
    uint32_t count = p[1];
    uint32_t len = p[2];
    uint64_t start = now();

    for (uint32_t n = 0; n < count; n++) {
        start_command(cmd, len);
        for (uint32_t i = 0; i < len / 4; i++) {
            write32(MBOX_DATAIN, p[3 + i]);
        }
        if (finish_command() == 3) {
            put("failed");
            put_number(cmd);
            put("\n");
            break;
        }
    }
    put("command");
    put_number(cmd);
    result("", count, now() - start);
    return p + 3 + len / 4;
}

void main(unsigned core)
{
    const uint32_t *p = (const uint32_t *)PARAMS;
    uint64_t frequency;

    if (core) {
        return;
    }
    fifo();
    sha(SHA_BYTES, "sha");
    sha(MESSAGE_BYTES, 0);
    while (*p) {
        p = commands(p);
    }
    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    put("frequency");
    put_number(frequency);
    put("\nidle\n");
}
