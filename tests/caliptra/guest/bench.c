/*
 * What a guest sees of Caliptra's speed
 *
 * Measured with the generic timer, which under TCG follows the host's time.
 * Prints lines "NAME COUNT TICKS", then "frequency HZ".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

#define FIFO_BYTES      0x20000 /* the mailbox's SRAM */
#define SHA_BYTES       0x100000
#define COMMANDS        100

static void result(const char *name, uint32_t count, uint64_t ticks)
{
    put(name);
    put(" ");
    put_dec(count);
    put(" ");
    put_dec(ticks);
    put("\n");
}

/* Repeat a command; its payload is a request that Caliptra accepts */
static void bench_command(const char *name, uint32_t cmd)
{
    size_t len, i;
    uint8_t *req = payload(cmd, &len);
    MboxResult status;
    uint64_t start;

    /* the first time puts the checksum in */
    status = req ? mbox_command(cmd, req, len) : MBOX_NO_ANSWER;
    start = now();
    for (i = 0; i < COMMANDS && status == MBOX_DATA_READY; i++) {
        status = mbox_transfer(cmd, req, len);
    }
    if (status != MBOX_DATA_READY) {
        put("failed ");
        put(name);
        put("\n");
        return;
    }
    result(name, COMMANDS, now() - start);
}

void bench(void)
{
    uint8_t digest[SHA384_SIZE];
    uint8_t *message;
    uint64_t frequency, start;
    size_t len;

    result("fifo", FIFO_BYTES, mbox_time_fifo(FIFO_BYTES));

    start = now();
    sha_hash(384, (const void *)PAYLOADS, SHA_BYTES, digest);
    result("sha", SHA_BYTES, now() - start);

    message = payload(PAYLOAD_MESSAGE, &len);
    if (message) {
        sha_hash(384, message, len, digest);
    }
    bench_command("ecdsa", CMD_ECDSA384_SIGNATURE_VERIFY);
    bench_command("lms", CMD_LMS_SIGNATURE_VERIFY);

    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    put("frequency ");
    put_dec(frequency);
    put("\n");
}
