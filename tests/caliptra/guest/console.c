/*
 * UART12 of the AST2700, the generic timer, and memory functions
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

/* A 16550 with a register every four bytes */
#define UART_THR        0x14C33B00
#define UART_RBR        0x14C33B00
#define UART_LSR        0x14C33B14
#define UART_LSR_DR     (1 << 0)
#define UART_LSR_THRE   (1 << 5)

/* GICv3: distributor, and the redistributor of core 0 */
#define GICD_CTLR       0x12200000
#define GICR_WAKER      0x12280014
#define GICR_ISENABLER0 0x12290100
#define TIMER_PPI       30

/* Longest time that anything here waits */
#define TIMEOUT_SECONDS     10
/* A host that stopped QEMU for longer did not let Caliptra work, either */
#define POLLS_PER_SECOND    100

/* Width of the column of names */
#define NAME_WIDTH          24

uint64_t now(void)
{
    uint64_t ticks;

    asm volatile("isb\n\tmrs %0, cntpct_el0" : "=r"(ticks));
    return ticks;
}

static uint64_t counter_frequency(void)
{
    uint64_t frequency;

    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    return frequency;
}

Deadline deadline(void)
{
    return (Deadline) { now(), TIMEOUT_SECONDS * counter_frequency() };
}

bool is_over(Deadline *end)
{
    uint64_t longest = counter_frequency() / POLLS_PER_SECOND;
    uint64_t time = now(), passed = time - end->last;

    end->last = time;
    if (passed > longest) {
        passed = longest;
    }
    if (passed > end->left) {
        return true;
    }
    end->left -= passed;
    return false;
}

bool wait_for(uintptr_t addr, uint32_t mask, uint32_t value)
{
    Deadline end = deadline();

    while ((read32(addr) & mask) != value) {
        if (is_over(&end)) {
            return false;
        }
    }
    return true;
}

/*
 * WFI ends when an interrupt is pending, taken or not: the timer's (PPI 30),
 * which the interrupt controller has to hand on (GICv3 specification)
 */
void discard_typing(void)
{
    uint64_t frequency = counter_frequency();

    write32(GICD_CTLR, 1);
    write32(GICR_WAKER, 0);
    write32(GICR_ISENABLER0, 1u << TIMER_PPI);
    /* ICC_SRE_EL3, ICC_PMR_EL1, ICC_IGRPEN0_EL1 */
    asm volatile("msr S3_6_C12_C12_5, %0\n\tisb" : : "r"(0xful));
    asm volatile("msr S3_0_C4_C6_0, %0" : : "r"(0xfful));
    asm volatile("msr S3_0_C12_C12_6, %0\n\tisb" : : "r"(1ul));
    for (;;) {
        asm volatile("msr cntp_tval_el0, %0" : : "r"(frequency / 20));
        asm volatile("msr cntp_ctl_el0, %0\n\tisb" : : "r"(1ul));
        asm volatile("wfi");
        while (read32(UART_LSR) & UART_LSR_DR) {
            read32(UART_RBR);
        }
    }
}

void put_char(char c)
{
    if (wait_for(UART_LSR, UART_LSR_THRE, UART_LSR_THRE)) {
        write32(UART_THR, c);
    }
}

void put(const char *text)
{
    for (; *text; text++) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text);
    }
}

void put_digits(uint32_t value, unsigned digits)
{
    while (digits--) {
        put_char("0123456789abcdef"[value >> 4 * digits & 15]);
    }
}

void put_hex(uint32_t value)
{
    put("0x");
    put_digits(value, 8);
}

void put_dec(uint64_t value)
{
    if (value >= 10) {
        put_dec(value / 10);
    }
    put_char('0' + value % 10);
}

void put_name(const char *name)
{
    int width = NAME_WIDTH;

    put("  ");
    put(name);
    while (*name++) {
        width--;
    }
    while (width-- > 0) {
        put_char(' ');
    }
}

void put_bytes(const void *data, size_t len)
{
    const uint8_t *byte = data;

    while (len--) {
        put_digits(*byte++, 2);
    }
}

void *memcpy(void *dest, const void *src, size_t len)
{
    const uint8_t *from = src;
    uint8_t *to = dest;

    while (len--) {
        *to++ = *from++;
    }
    return dest;
}

void *memset(void *dest, int value, size_t len)
{
    uint8_t *to = dest;

    while (len--) {
        *to++ = value;
    }
    return dest;
}

int memcmp(const void *a, const void *b, size_t len)
{
    const uint8_t *p = a;
    const uint8_t *q = b;

    for (; len--; p++, q++) {
        if (*p != *q) {
            return *p - *q;
        }
    }
    return 0;
}
