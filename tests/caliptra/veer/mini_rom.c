/*
 * ROM: takes a firmware from the mailbox to the ICCM, locks it, starts it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "mini.h"

static void load(void)
{
    uint32_t words = (MBOX_DLEN + 3) / 4;
    uint32_t i;

    for (i = 0; i < words; i++) {
        REG(ICCM + 4 * i) = MBOX_DATAOUT;
    }
    asm volatile("fence.i" : : : "memory");
}

void main(void)
{
    print(RESET_REASON ? "rom: again\n" : "rom: cold\n");
    if (!RESET_REASON) {
        FLOW_STATUS = FLOW_READY_FOR_FW;
    }
    while (!mbox_has_command() || MBOX_CMD != CMD_LOAD) {
        continue;
    }
    load();
    ICCM_LOCK = 1;
    MBOX_STATUS = MBOX_COMPLETE;
    ((void (*)(void))ICCM)();
}
