/*
 * Caliptra 1.x core: SHA-256 engine, with the Winternitz chain
 *
 * Source: caliptra-rtl src/sha256/rtl; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"

/* how long a block takes, in nanoseconds of virtual time */
#define SHA256_BLOCK_NS     200

/* Interrupts: bits of the interrupt block */
#define SHA256_ERROR_WNTZ       0
#define SHA256_ERROR_INIT_NEXT  1

enum {
    SHA256_CMD_INIT = 1,
    SHA256_CMD_NEXT = 2,
    SHA256_CMD_WNTZ = 3,
};

static const uint32_t sha256_id[4] = {
    0x61327368, 0x35362D32, 0x3830312E, 0
};

#define SHA256_BLOCK_WORDS  16

/* The chain's message: I (16), q (4), i (2), then j (1) and the value */
#define WNTZ_J              22
#define WNTZ_VALUE          23
#define WNTZ_LENGTH         (CALIPTRA_SHA256_BLOCK_SIZE - 2)
#define WNTZ_RESET_W        4

static unsigned wntz_n(const CaliptraSha256Engine *c)
{
    return c->wntz_n_mode ? 32 : 24;
}

static bool wntz_w_ok(const CaliptraSha256Engine *c)
{
    return c->wntz_w == 1 || c->wntz_w == 2 || c->wntz_w == 4 ||
           c->wntz_w == 8;
}

/* j of the last hash of a chain; of a bad w, 0 */
static unsigned wntz_last_j(const CaliptraSha256Engine *c)
{
    return wntz_w_ok(c) ? (1 << c->wntz_w) - 2 : 0;
}

static void sha256_zeroize(CaliptraState *s)
{
    CaliptraSha256Engine *c = &s->engines.sha256;

    caliptra_engine_abort(&c->e);
    memset(c->block, 0, sizeof(c->block));
    memset(c->h, 0, sizeof(c->h));
    memset(c->digest, 0, sizeof(c->digest));
}

static void sha256_start(CaliptraState *s, unsigned cmd)
{
    CaliptraSha256Engine *c = &s->engines.sha256;
    uint8_t block[CALIPTRA_SHA256_BLOCK_SIZE];
    unsigned blocks = 1;

    caliptra_words_to_bytes(block, c->block, SHA256_BLOCK_WORDS);
    if (cmd != SHA256_CMD_NEXT) {
        memcpy(c->h, caliptra_sha256_iv(!c->mode), sizeof(c->h));
    }
    caliptra_sha256_compress(c->h, block);
    if (cmd == SHA256_CMD_WNTZ) {
        unsigned n = wntz_n(c);
        unsigned last = wntz_last_j(c);

        for (unsigned j = block[WNTZ_J] + 1; j <= last; j++) {
            block[WNTZ_J] = j;
            memset(block + WNTZ_VALUE, 0, sizeof(block) - WNTZ_VALUE);
            caliptra_words_to_bytes(block + WNTZ_VALUE, c->h, n / 4);
            block[WNTZ_VALUE + n] = 0x80;
            stw_be_p(block + WNTZ_LENGTH, 8 * (WNTZ_VALUE + n));
            memcpy(c->h, caliptra_sha256_iv(false), sizeof(c->h));
            caliptra_sha256_compress(c->h, block);
            blocks++;
        }
    }
    caliptra_engine_start(s, &caliptra_engine_sha256, cmd,
                          blocks * SHA256_BLOCK_NS);
}

/* The parameters of a chain are wrong at every clock that it runs */
static void wntz_check(CaliptraSha256Engine *c)
{
    if (c->e.cmd == SHA256_CMD_WNTZ && (!wntz_w_ok(c) || !c->mode)) {
        caliptra_intr_error(&c->e.intr, SHA256_ERROR_WNTZ);
    }
}

static void sha256_done(CaliptraState *s)
{
    CaliptraSha256Engine *c = &s->engines.sha256;
    unsigned n = 8;

    wntz_check(c);
    if (c->e.cmd == SHA256_CMD_WNTZ) {
        n = wntz_n(c) / 4;
    } else if (!c->mode) {
        n = 7;
    }
    memset(c->digest, 0, sizeof(c->digest));
    memcpy(c->digest, c->h, 4 * n);
    caliptra_engine_done(s, &caliptra_engine_sha256);
}

static void sha256_ctrl_write(CaliptraState *s, const CaliptraReg *r,
                              unsigned i, uint32_t data, bool soc)
{
    CaliptraSha256Engine *c = &s->engines.sha256;
    bool init = FIELD_EX32(data, SHA256_CTRL, INIT);
    bool next = FIELD_EX32(data, SHA256_CTRL, NEXT);
    bool wntz = FIELD_EX32(data, SHA256_CTRL, WNTZ_MODE);
    bool ready = caliptra_engine_ready(s, &c->e);

    if (init && next) {
        caliptra_intr_error(&c->e.intr, SHA256_ERROR_INIT_NEXT);
    }
    if (ready) {
        c->mode = FIELD_EX32(data, SHA256_CTRL, MODE);
        c->wntz_w = FIELD_EX32(data, SHA256_CTRL, WNTZ_W);
        c->wntz_n_mode = FIELD_EX32(data, SHA256_CTRL, WNTZ_N_MODE);
        if (wntz && extract32(c->block[5], 8, 8) > wntz_last_j(c)) {
            caliptra_intr_error(&c->e.intr, SHA256_ERROR_WNTZ);
            wntz = false;
        }
    }
    if (FIELD_EX32(data, SHA256_CTRL, ZEROIZE)) {
        sha256_zeroize(s);
    } else if ((init || next) && !ready) {
        caliptra_engine_refused(s, r);
    } else if (init) {
        sha256_start(s, wntz ? SHA256_CMD_WNTZ : SHA256_CMD_INIT);
        wntz_check(c);
    } else if (next) {
        sha256_start(s, SHA256_CMD_NEXT);
    }
}

static void sha256_reset(CaliptraState *s)
{
    s->engines.sha256.mode = true;
    s->engines.sha256.wntz_w = WNTZ_RESET_W;
}

/* ---- registers ---- */

static uint32_t sha256_status_read(CaliptraState *s, const CaliptraReg *r,
                                   unsigned i)
{
    const CaliptraSha256Engine *c = &s->engines.sha256;

    return FIELD_DP32(caliptra_engine_status(s, &c->e), SHA256_STATUS,
                      WNTZ_BUSY, c->e.cmd == SHA256_CMD_WNTZ);
}

static const CaliptraReg sha256_regs[] = {
    CALIPTRA_ENGINE_ID(SHA256, sha256_id),
    CALIPTRA_REG(SHA256_CTRL, 1, .post_write = sha256_ctrl_write),
    CALIPTRA_REG(SHA256_STATUS, 1, .read = sha256_status_read,
                 .polled = true),
    CALIPTRA_REG(SHA256_BLOCK, SHA256_BLOCK_WORDS,
                 .store = CALIPTRA_REG_AT(engines.sha256.block),
                 .uc = CALIPTRA_REG_ALL, .hidden = true),
    CALIPTRA_REG(SHA256_DIGEST, 8,
                 .store = CALIPTRA_REG_AT(engines.sha256.digest)),
};

/* ---- state ---- */

const VMStateDescription vmstate_caliptra_sha256 = {
    .name = "caliptra-sha256",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(e, CaliptraSha256Engine, 1, vmstate_caliptra_engine,
                       CaliptraEngine),
        VMSTATE_BOOL(mode, CaliptraSha256Engine),
        VMSTATE_UINT8(wntz_w, CaliptraSha256Engine),
        VMSTATE_BOOL(wntz_n_mode, CaliptraSha256Engine),
        VMSTATE_UINT32_ARRAY(block, CaliptraSha256Engine, SHA256_BLOCK_WORDS),
        VMSTATE_UINT32_ARRAY(h, CaliptraSha256Engine, 8),
        VMSTATE_UINT32_ARRAY(digest, CaliptraSha256Engine, 8),
        VMSTATE_END_OF_LIST()
    },
};

const CaliptraEngineInfo caliptra_engine_sha256 = {
    .name = "sha256",
    .engine = CALIPTRA_REG_AT(engines.sha256),
    .size = sizeof(CaliptraSha256Engine),
    .cold = sizeof(CaliptraSha256Engine),
    .n_error = ENGINE_ERROR_BITS,
    .regs = CALIPTRA_REG_BLOCK("SHA-256", sha256_regs),
    .done = sha256_done,
    .zeroize = sha256_zeroize,
    .reset = sha256_reset,
};
