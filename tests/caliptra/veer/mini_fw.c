/*
 * Firmware: sleeps until there is a mailbox command, then answers it
 *
 * CMD_HASH: SHA-256 of up to 55 bytes, asleep while the engine works;
 * CMD_COUNT: how often it was woken, by the mailbox and by the engine;
 * CMD_UPDATE: a firmware update reset, after which the ROM waits for the
 * next command.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "mini.h"

/* meivt is a table of addresses in the DCCM, 1 KiB aligned */
static void (*table[32])(void) __attribute__((aligned(1024)));
/* by the mailbox, by the engine */
static uint32_t woken[2];

/* They return with interrupts off: who sleeps looks itself what there is */
static void __attribute__((interrupt, aligned(4))) by_mailbox(void)
{
    asm volatile("csrc mstatus, %0" : : "r"(0x80));
    woken[0]++;
}

static void __attribute__((interrupt, aligned(4))) by_engine(void)
{
    asm volatile("csrc mstatus, %0" : : "r"(0x80));
    woken[1]++;
}

/* mpmc: halt, and interrupts on */
static void nap(void)
{
    asm volatile("csrs 0x7c6, %0" : : "r"(3) : "memory");
}

static void irq_on(unsigned n, void (*handler)(void))
{
    table[n] = handler;
    PIC_MEIPL(n) = 15;
    PIC_MEIE(n) = 1;
}

static void reply(const uint32_t *words, uint32_t n)
{
    uint32_t i;

    MBOX_DLEN = 4 * n;
    for (i = 0; i < n; i++) {
        MBOX_DATAIN = words[i];
    }
    MBOX_STATUS = MBOX_DATA_READY;
}

static uint32_t swap(uint32_t x)
{
    asm("rev8 %0, %0" : "+r"(x));
    return x;
}

static void hash(void)
{
    uint32_t dlen = MBOX_DLEN;
    uint32_t block[16];
    uint32_t i;

    if (dlen > 55) {
        MBOX_STATUS = MBOX_FAILURE;
        return;
    }
    for (i = 0; i < 16; i++) {
        block[i] = i < (dlen + 3) / 4 ? MBOX_DATAOUT : 0;
    }
    ((uint8_t *)block)[dlen] = 0x80;
    block[15] = swap(8 * dlen);
    for (i = 0; i < 16; i++) {
        SHA256_BLOCK(i) = swap(block[i]);
    }
    SHA256_CTRL = 5;            /* INIT, SHA-256 */
    while (!(SHA256_NOTIF_STS & 1)) {
        nap();
    }
    SHA256_NOTIF_STS = 1;
    for (i = 0; i < 8; i++) {
        block[i] = swap(SHA256_DIGEST(i));
    }
    reply(block, 8);
}

static void command(void)
{
    switch (MBOX_CMD) {
    case CMD_HASH:
        hash();
        break;
    case CMD_COUNT:
        reply(woken, 2);
        break;
    case CMD_UPDATE:
        MBOX_STATUS = MBOX_COMPLETE;
        FW_UPDATE_RESET = 1;
        for (;;) {
            /* never reached: the store is the last of this run */
            print("fw: still there\n");
        }
    default:
        MBOX_STATUS = MBOX_FAILURE;
    }
}

void main(void)
{
    woken[0] = 0;
    woken[1] = 0;
    asm volatile("csrw 0xbc8, %0" : : "r"(table));       /* meivt */
    irq_on(IRQ_SOC_IFC_NOTIF, by_mailbox);
    irq_on(IRQ_SHA256_NOTIF, by_engine);
    INTR_GLOBAL_EN = INTR_NOTIF;
    INTR_NOTIF_EN = NOTIF_CMD_AVAIL;
    SHA256_GLOBAL_EN = INTR_NOTIF;
    SHA256_NOTIF_EN = 1;
    asm volatile("li t0, 0x800\n\tcsrw mie, t0" : : : "t0");
    print("fw: ready\n");
    FLOW_STATUS |= FLOW_READY_FOR_RUNTIME;
    for (;;) {
        nap();
        if (INTR_NOTIF_STS & NOTIF_CMD_AVAIL) {
            INTR_NOTIF_STS = NOTIF_CMD_AVAIL;
            if (mbox_has_command()) {
                command();
            }
        }
    }
}
