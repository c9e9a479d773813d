/*
 * Caliptra 1.x core: SHA-512 engine, with the PCR functions
 *
 * Source: caliptra-rtl src/sha512/rtl; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"

/* how long a block takes, in nanoseconds of virtual time */
#define SHA512_BLOCK_NS     250

enum {
    SHA512_CMD_INIT = 1,
    SHA512_CMD_NEXT = 2,
    SHA512_CMD_QUOTE = 3,
};

static const uint32_t sha512_id[4] = { 0x61327368, 0x31322D35, 0x3830302E, 0 };

#define SHA512_BLOCK_WORDS  32
#define SHA512_PAD_WORD     0x80000000

/* The quote's message: all PCRs, the nonce, and padding to whole blocks */
#define QUOTE_NONCE_WORDS   8
#define QUOTE_WORDS         (CALIPTRA_PCRS * CALIPTRA_PCR_WORDS + \
                             QUOTE_NONCE_WORDS)
#define QUOTE_BLOCKS        DIV_ROUND_UP(QUOTE_WORDS + 5, SHA512_BLOCK_WORDS)

/* Words of the digest that each mode has */
static const uint8_t sha512_digest_words[4] = {
    [CALIPTRA_SHA512_224] = 7,
    [CALIPTRA_SHA512_256] = 8,
    [CALIPTRA_SHA384] = 12,
    [CALIPTRA_SHA512] = 16,
};

static void sha512_absorb(CaliptraSha512Engine *c)
{
    uint8_t block[CALIPTRA_SHA512_BLOCK_SIZE];

    caliptra_words_to_bytes(block, c->block, SHA512_BLOCK_WORDS);
    caliptra_sha512_compress(c->h, block);
}

static void sha512_zeroize(CaliptraState *s)
{
    CaliptraSha512Engine *c = &s->engines.sha512;

    caliptra_engine_abort(&c->e);
    for (int i = 0; i < SHA512_BLOCK_WORDS; i++) {
        if (!(c->block_lock & BIT(i))) {
            c->block[i] = 0;
        }
    }
    memset(c->h, 0, sizeof(c->h));
    memset(c->digest, 0, sizeof(c->digest));
    memset(c->quote, 0, sizeof(c->quote));
    c->rd_stuck = false;
    c->data_present = false;
}

static void sha512_done(CaliptraState *s)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    bool quote = c->e.cmd == SHA512_CMD_QUOTE;
    bool last = quote || c->last;
    bool to_vault = c->extend || caliptra_kv_client_armed(&c->wr);
    unsigned n = sha512_digest_words[quote ? CALIPTRA_SHA384 : c->mode];
    uint32_t digest[16] = { 0 };

    for (int i = 0; i < n; i++) {
        digest[i] = extract64(c->h[i / 2], i % 2 ? 0 : 32, 32);
    }
    if (!to_vault && !c->data_present) {
        memcpy(c->digest, digest, sizeof(c->digest));
    }
    if (quote) {
        memcpy(c->quote, digest, sizeof(c->quote));
        c->quote_valid = true;
        /* each of the blocks has raised its event */
        for (int i = 0; i < QUOTE_BLOCKS - 1; i++) {
            caliptra_intr_notif(&c->e.intr, ENGINE_NOTIF_CMD_DONE);
        }
    }
    if (last && to_vault) {
        /* this engine has no port to the key vault: only a PCR is written */
        if (c->extend) {
            caliptra_pcr_write_port(s, c->extend_pcr, digest);
            c->extend = false;
        }
        c->wr.ctrl &= ~KV_WRITE_EN;
        c->wr.valid = true;
    }
    if (last && c->data_present) {
        memset(c->block, 0, sizeof(c->block));
        c->data_present = false;
    }
    c->last = false;
    caliptra_engine_done(s, &caliptra_engine_sha512);
}

static void sha512_ctrl_write(CaliptraState *s, const CaliptraReg *r,
                              unsigned i, uint32_t data, bool soc)
{
    CaliptraSha512Engine *c = &s->engines.sha512;

    c->mode = FIELD_EX32(data, SHA512_CTRL, MODE);
    c->last = FIELD_EX32(data, SHA512_CTRL, LAST);
    if (FIELD_EX32(data, SHA512_CTRL, ZEROIZE)) {
        sha512_zeroize(s);
        return;
    }
    if (!(data & (R_SHA512_CTRL_INIT_MASK | R_SHA512_CTRL_NEXT_MASK))) {
        return;
    }
    if (c->rd_stuck || c->e.cmd == SHA512_CMD_QUOTE) {
        caliptra_engine_refused(s, r);
        return;
    }
    c->block_lock = 0;
    if (!caliptra_engine_ready(s, &c->e)) {
        caliptra_engine_refused(s, r);
        return;
    }
    if (FIELD_EX32(data, SHA512_CTRL, INIT)) {
        memcpy(c->h, caliptra_sha512_iv(c->mode), sizeof(c->h));
    }
    sha512_absorb(c);
    caliptra_engine_start(s, &caliptra_engine_sha512,
                          FIELD_EX32(data, SHA512_CTRL, INIT) ?
                          SHA512_CMD_INIT : SHA512_CMD_NEXT,
                          SHA512_BLOCK_NS);
}

/*
 * A PCR to BLOCK for hash extend.  Without pcr_hash_extend the client waits
 * for a key vault that is not there: it never finds the last word, and fills
 * BLOCK with the word at rest on its port.
 */
static void sha512_vault_rd_write(CaliptraState *s, const CaliptraReg *r,
                                  unsigned i, uint32_t data, bool soc)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t pcr0[CALIPTRA_PCR_WORDS];

    if (!(data & KV_READ_EN) || c->rd_stuck) {
        return;
    }
    if (FIELD_EX32(data, SHA512_VAULT_RD_CTRL, PCR_HASH_EXTEND)) {
        c->extend = true;
        c->extend_pcr = FIELD_EX32(data, SHA512_VAULT_RD_CTRL, READ_ENTRY);
        caliptra_pcr_read_port(s, c->extend_pcr, c->block);
        c->block_lock |= MAKE_64BIT_MASK(0, CALIPTRA_PCR_WORDS);
        c->rd.valid = true;
        return;
    }
    caliptra_pcr_read_port(s, 0, pcr0);
    for (int n = 0; n < SHA512_BLOCK_WORDS; n++) {
        c->block[n] = pcr0[0];
    }
    c->block_lock = UINT32_MAX;
    c->data_present = true;
    c->rd.valid = false;
    c->rd_stuck = true;
}

/* SHA-384 of all PCRs and the nonce, the latter's last word first */
static void sha512_quote_write(CaliptraState *s, const CaliptraReg *r,
                               unsigned reg, uint32_t data, bool soc)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t words[QUOTE_BLOCKS * SHA512_BLOCK_WORDS] = { 0 };
    unsigned n = 0;

    if (!FIELD_EX32(data, SHA512_GEN_PCR_HASH_CTRL, START)) {
        return;
    }
    if (c->e.cmd == SHA512_CMD_QUOTE) {
        caliptra_engine_refused(s, r);
        return;
    }
    if (c->e.cmd) {
        /* the function waits for the digest that runs */
        timer_del(c->e.timer);
        sha512_done(s);
    }
    for (int i = 0; i < CALIPTRA_PCRS; i++) {
        caliptra_pcr_read_port(s, i, &words[n]);
        n += CALIPTRA_PCR_WORDS;
    }
    for (int i = QUOTE_NONCE_WORDS - 1; i >= 0; i--) {
        words[n++] = c->nonce[i];
    }
    words[n] = SHA512_PAD_WORD;
    words[ARRAY_SIZE(words) - 1] = 32 * n;

    memcpy(c->h, caliptra_sha512_iv(CALIPTRA_SHA384), sizeof(c->h));
    for (int i = 0; i < QUOTE_BLOCKS; i++) {
        memcpy(c->block, &words[i * SHA512_BLOCK_WORDS], sizeof(c->block));
        sha512_absorb(c);
    }
    c->block_lock = UINT32_MAX;
    c->quote_valid = false;
    caliptra_engine_start(s, &caliptra_engine_sha512, SHA512_CMD_QUOTE,
                          QUOTE_BLOCKS * SHA512_BLOCK_NS);
}

static void sha512_reset(CaliptraState *s)
{
    s->engines.sha512.mode = CALIPTRA_SHA384;
}

/* ---- registers ---- */

static uint32_t sha512_status_read(CaliptraState *s, const CaliptraReg *r,
                                   unsigned i)
{
    return caliptra_engine_status(s, &s->engines.sha512.e);
}

static uint32_t sha512_vault_rd_status_read(CaliptraState *s,
                                            const CaliptraReg *r, unsigned i)
{
    return FIELD_DP32(caliptra_kv_status_read(s, r, i), SHA512_VAULT_RD_STATUS,
                      READY, !s->engines.sha512.rd_stuck);
}

static uint32_t sha512_quote_status_read(CaliptraState *s,
                                         const CaliptraReg *r, unsigned i)
{
    const CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t status = 0;

    status = FIELD_DP32(status, SHA512_GEN_PCR_HASH_STATUS, READY,
                        caliptra_engine_ready(s, &c->e) && !c->extend);
    return FIELD_DP32(status, SHA512_GEN_PCR_HASH_STATUS, VALID,
                      c->quote_valid);
}

static bool sha512_block_locked(CaliptraState *s, const CaliptraReg *r,
                                unsigned i, uint32_t user, bool soc)
{
    return s->engines.sha512.block_lock & BIT(i);
}

static const CaliptraKvPort sha512_rd = {
    .client = CALIPTRA_REG_AT(engines.sha512.rd),
};

static const CaliptraKvPort sha512_wr = {
    .client = CALIPTRA_REG_AT(engines.sha512.wr),
};

static const CaliptraReg sha512_regs[] = {
    CALIPTRA_ENGINE_ID(SHA512, sha512_id),
    CALIPTRA_REG(SHA512_CTRL, 1, .post_write = sha512_ctrl_write),
    CALIPTRA_REG(SHA512_STATUS, 1, .read = sha512_status_read,
                 .polled = true),
    CALIPTRA_REG(SHA512_BLOCK, SHA512_BLOCK_WORDS,
                 .store = CALIPTRA_REG_AT(engines.sha512.block),
                 .uc = CALIPTRA_REG_ALL, .locked = sha512_block_locked,
                 .hidden = true),
    CALIPTRA_REG(SHA512_DIGEST, 16,
                 .store = CALIPTRA_REG_AT(engines.sha512.digest)),
    CALIPTRA_REG(SHA512_VAULT_RD_CTRL, 1,
                 .store = CALIPTRA_REG_AT(engines.sha512.rd.ctrl),
                 .uc = ~KV_READ_EN, .post_write = sha512_vault_rd_write),
    CALIPTRA_REG(SHA512_VAULT_RD_STATUS, 1,
                 .read = sha512_vault_rd_status_read, .arg = &sha512_rd),
    CALIPTRA_KV_WRITE(SHA512_KV_WR_CTRL, sha512.wr, &sha512_wr),
    CALIPTRA_KV_STATUS(SHA512_KV_WR_STATUS, &sha512_wr),
    CALIPTRA_REG(SHA512_GEN_PCR_HASH_NONCE, QUOTE_NONCE_WORDS,
                 .store = CALIPTRA_REG_AT(engines.sha512.nonce),
                 .uc = CALIPTRA_REG_ALL, .hidden = true),
    CALIPTRA_REG(SHA512_GEN_PCR_HASH_CTRL, 1,
                 .post_write = sha512_quote_write),
    CALIPTRA_REG(SHA512_GEN_PCR_HASH_STATUS, 1,
                 .read = sha512_quote_status_read, .polled = true),
    CALIPTRA_REG(SHA512_GEN_PCR_HASH_DIGEST, 12,
                 .store = CALIPTRA_REG_AT(engines.sha512.quote)),
};

/* ---- state ---- */

static int sha512_post_load(void *opaque, int version_id)
{
    CaliptraSha512Engine *c = opaque;

    return c->mode < ARRAY_SIZE(sha512_digest_words) &&
           c->extend_pcr < CALIPTRA_PCRS ? 0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_sha512 = {
    .name = "caliptra-sha512",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = sha512_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(e, CaliptraSha512Engine, 1, vmstate_caliptra_engine,
                       CaliptraEngine),
        VMSTATE_UINT8(mode, CaliptraSha512Engine),
        VMSTATE_BOOL(last, CaliptraSha512Engine),
        VMSTATE_UINT32_ARRAY(block, CaliptraSha512Engine, SHA512_BLOCK_WORDS),
        VMSTATE_UINT32(block_lock, CaliptraSha512Engine),
        VMSTATE_UINT64_ARRAY(h, CaliptraSha512Engine, 8),
        VMSTATE_UINT32_ARRAY(digest, CaliptraSha512Engine, 16),
        VMSTATE_STRUCT(rd, CaliptraSha512Engine, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_STRUCT(wr, CaliptraSha512Engine, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_BOOL(rd_stuck, CaliptraSha512Engine),
        VMSTATE_BOOL(data_present, CaliptraSha512Engine),
        VMSTATE_BOOL(extend, CaliptraSha512Engine),
        VMSTATE_UINT8(extend_pcr, CaliptraSha512Engine),
        VMSTATE_UINT32_ARRAY(nonce, CaliptraSha512Engine, QUOTE_NONCE_WORDS),
        VMSTATE_BOOL(quote_valid, CaliptraSha512Engine),
        VMSTATE_UINT32_ARRAY(quote, CaliptraSha512Engine, 12),
        VMSTATE_END_OF_LIST()
    },
};

const CaliptraEngineInfo caliptra_engine_sha512 = {
    .name = "sha512",
    .engine = CALIPTRA_REG_AT(engines.sha512),
    .size = sizeof(CaliptraSha512Engine),
    .cold = sizeof(CaliptraSha512Engine),
    .n_error = ENGINE_ERROR_BITS,
    .regs = CALIPTRA_REG_BLOCK("SHA-512", sha512_regs),
    .done = sha512_done,
    .zeroize = sha512_zeroize,
    .reset = sha512_reset,
};
