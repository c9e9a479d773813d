/*
 * A guest that asks Caliptra how it is
 *
 * Runs bare on the four Cortex-A35 cores of the ast2700fc machine, with MMU
 * and caches off, in the exception level in which the cores start.  Each
 * core says that it runs; then core 0 prints on UART12 what Caliptra says of
 * itself, or, if the loader gave it the payloads for that, tries all mailbox
 * commands or measures some.  In the end all cores go idle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

#define CORES 4

/* The core whose turn it is to speak; volatile: others change it */
static volatile uint32_t turn;

static unsigned exception_level(void)
{
    uint64_t el;

    asm volatile("mrs %0, CurrentEL" : "=r"(el));
    return el >> 2 & 3;
}

static bool wait_turn(uint32_t core, Deadline *end)
{
    while (turn != core) {
        if (is_over(end)) {
            return false;
        }
    }
    return true;
}

uint8_t *payload(uint32_t tag, size_t *len)
{
    uint32_t *p = (uint32_t *)PAYLOADS + 1;

    for (; p[0]; p += 2 + (p[1] + 3) / 4) {
        if (p[0] == tag) {
            *len = p[1];
            return (uint8_t *)(p + 2);
        }
    }
    return NULL;
}

/* the last word, if there is one */
static void put_text(void)
{
    size_t len;
    const uint8_t *text = payload(PAYLOAD_TEXT, &len);

    for (; text && len; len--) {
        if (*text == '\n') {
            put_char('\r');
        }
        put_char(*text++);
    }
}

void main(unsigned core)
{
    Deadline end = deadline();
    size_t len;

    if (wait_turn(core, &end)) {
        if (core == 0) {
            put("\nGuest of the AST2700's Cortex-A35 cores\n");
        }
        put(core ? ", core " : "core ");
        put_dec(core);
        put(" runs in EL");
        put_dec(exception_level());
        if (core == CORES - 1) {
            put("\n");
        }
        turn = core + 1;
    }
    if (core == 0) {
        if (!wait_turn(CORES, &end)) {
            put("\nnot all cores came up\n");
        }
        switch (read32(PAYLOADS)) {
        case PAYLOADS_CHECK:
            self_check();
            break;
        case PAYLOADS_IPC:
            over_ipc = true;
            self_check();
            break;
        case PAYLOADS_BENCH:
            bench();
            break;
        default:
            over_ipc = payload(PAYLOAD_IPC, &len);
            report(read32(PAYLOADS) == PAYLOADS_CERTS);
        }
        put("idle\n");
        put_text();
        if (exception_level() == 3) {
            discard_typing();
        }
    }
}
