/*
 * Caliptra 1.x core: HMAC-384 engine
 *
 * Source: caliptra-rtl src/hmac/rtl; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"

/* how long a block takes, in nanoseconds of virtual time */
#define HMAC_BLOCK_NS       1000

enum {
    HMAC_CMD_INIT = 1,
    HMAC_CMD_NEXT = 2,
};

static const uint32_t hmac_id[4] = { 0x6163686D, 0x61327368, 0x3030312E, 0 };

#define HMAC_KEY_WORDS      12
#define HMAC_BLOCK_WORDS    32
#define HMAC_LENGTH_WORD    31
/* what the padding says of the key block that precedes the message */
#define HMAC_KEY_BLOCK_BITS 1024

static void hmac_zeroize(CaliptraState *s)
{
    CaliptraHmac *c = &s->engines.hmac;

    caliptra_engine_abort(&c->e);
    memset(c->key, 0, sizeof(c->key));
    memset(c->block, 0, sizeof(c->block));
    memset(c->tag, 0, sizeof(c->tag));
    memset(c->h, 0, sizeof(c->h));
    memset(c->result, 0, sizeof(c->result));
    c->rd_key.error = KV_SUCCESS;
    c->rd_block.error = KV_SUCCESS;
    c->wr.error = KV_SUCCESS;
    c->key_present = false;
    c->data_present = false;
    c->block_lock = 0;
}

static void hmac_start(CaliptraState *s, unsigned cmd)
{
    CaliptraHmac *c = &s->engines.hmac;
    uint8_t key[48], block[CALIPTRA_SHA512_BLOCK_SIZE], tag[48];

    caliptra_words_to_bytes(key, c->key, HMAC_KEY_WORDS);
    caliptra_words_to_bytes(block, c->block, HMAC_BLOCK_WORDS);
    if (cmd == HMAC_CMD_INIT) {
        caliptra_hmac384_start(c->h, key);
    }
    caliptra_sha512_compress(c->h, block);
    /* the outer hash follows every block, with KEY as it is now */
    caliptra_hmac384_finish(c->h, key, tag);
    caliptra_bytes_to_words(c->result, tag, ARRAY_SIZE(c->result));
    caliptra_wipe(key, sizeof(key));
    caliptra_wipe(block, sizeof(block));
    caliptra_wipe(tag, sizeof(tag));
    caliptra_engine_start(s, &caliptra_engine_hmac, cmd, HMAC_BLOCK_NS);
}

static void hmac_done(CaliptraState *s)
{
    CaliptraHmac *c = &s->engines.hmac;

    if (caliptra_kv_client_armed(&c->wr)) {
        caliptra_kv_client_write(s, &c->wr, c->result);
    } else if (!c->data_present) {
        memcpy(c->tag, c->result, sizeof(c->tag));
    }
    if (c->data_present) {
        memset(c->key, 0, sizeof(c->key));
        memset(c->block, 0, sizeof(c->block));
        c->data_present = false;
        c->key_present = false;
    }
    caliptra_engine_done(s, &caliptra_engine_hmac);
}

static void hmac_ctrl_write(CaliptraState *s, const CaliptraReg *r, unsigned i,
                            uint32_t data, bool soc)
{
    CaliptraHmac *c = &s->engines.hmac;

    if (FIELD_EX32(data, HMAC384_CTRL, ZEROIZE)) {
        hmac_zeroize(s);
        return;
    }
    if (!(data & (R_HMAC384_CTRL_INIT_MASK | R_HMAC384_CTRL_NEXT_MASK))) {
        return;
    }
    c->block_lock = 0;
    if (!caliptra_engine_ready(s, &c->e)) {
        caliptra_engine_refused(s, r);
        return;
    }
    hmac_start(s, FIELD_EX32(data, HMAC384_CTRL, NEXT) ? HMAC_CMD_NEXT :
                                                         HMAC_CMD_INIT);
}

static uint32_t hmac_status_read(CaliptraState *s, const CaliptraReg *r,
                                 unsigned i)
{
    return caliptra_engine_status(s, &s->engines.hmac.e);
}

/* ---- registers ---- */

static bool hmac_key_locked(CaliptraState *s, const CaliptraReg *r, unsigned i,
                            uint32_t user, bool soc)
{
    const CaliptraHmac *c = &s->engines.hmac;

    return c->key_present || c->rd_key.error;
}

static bool hmac_block_locked(CaliptraState *s, const CaliptraReg *r,
                              unsigned i, uint32_t user, bool soc)
{
    const CaliptraHmac *c = &s->engines.hmac;

    return c->block_lock & BIT(i) || c->rd_block.error;
}

static void hmac_key_load(CaliptraState *s, const uint32_t words[12],
                          unsigned last_dword)
{
    CaliptraHmac *c = &s->engines.hmac;

    memcpy(c->key, words, sizeof(c->key));
    c->key_present = true;
    c->data_present = true;
}

/* The vault client pads the slot to the one block of a message */
static void hmac_block_load(CaliptraState *s, const uint32_t words[12],
                            unsigned last_dword)
{
    CaliptraHmac *c = &s->engines.hmac;
    uint32_t block[HMAC_BLOCK_WORDS] = { 0 };
    unsigned n = HMAC_BLOCK_WORDS;

    c->data_present = true;
    if (FIELD_EX32(c->rd_block.ctrl, HMAC384_KV_RD_BLOCK_CTRL,
                   PCR_HASH_EXTEND)) {
        n = CALIPTRA_KV_WORDS;
        memcpy(block, words, 4 * n);
    } else {
        memcpy(block, words, 4 * MIN(last_dword + 1, CALIPTRA_KV_WORDS));
        block[last_dword + 1] = 0x80000000;
        block[HMAC_LENGTH_WORD] = 32 * (last_dword + 1) + HMAC_KEY_BLOCK_BITS;
    }
    c->block_lock |= MAKE_64BIT_MASK(0, n);
    if (c->rd_block.error) {
        memset(c->block, 0, sizeof(c->block));
    } else {
        memcpy(c->block, block, 4 * n);
    }
    caliptra_wipe(block, sizeof(block));
}

static const CaliptraKvPort hmac_rd_key = {
    .client = CALIPTRA_REG_AT(engines.hmac.rd_key),
    .use = KV_DEST_HMAC_KEY,
    .load = hmac_key_load,
};

static const CaliptraKvPort hmac_rd_block = {
    .client = CALIPTRA_REG_AT(engines.hmac.rd_block),
    .use = KV_DEST_HMAC_BLOCK,
    .load = hmac_block_load,
};

static const CaliptraKvPort hmac_wr = {
    .client = CALIPTRA_REG_AT(engines.hmac.wr),
};

static const CaliptraReg hmac_regs[] = {
    CALIPTRA_ENGINE_ID(HMAC384, hmac_id),
    CALIPTRA_REG(HMAC384_CTRL, 1, .post_write = hmac_ctrl_write),
    CALIPTRA_REG(HMAC384_STATUS, 1, .read = hmac_status_read, .polled = true),
    CALIPTRA_REG(HMAC384_KEY, HMAC_KEY_WORDS,
                 .store = CALIPTRA_REG_AT(engines.hmac.key),
                 .uc = CALIPTRA_REG_ALL, .locked = hmac_key_locked,
                 .hidden = true),
    CALIPTRA_REG(HMAC384_BLOCK, HMAC_BLOCK_WORDS,
                 .store = CALIPTRA_REG_AT(engines.hmac.block),
                 .uc = CALIPTRA_REG_ALL, .locked = hmac_block_locked,
                 .hidden = true),
    CALIPTRA_REG(HMAC384_TAG, 12, .store = CALIPTRA_REG_AT(engines.hmac.tag)),
    /* seeds the masking, on which no result depends; not readable */
    CALIPTRA_REG(HMAC384_LFSR_SEED, 12, .uc = CALIPTRA_REG_ALL),
    CALIPTRA_KV_READ(HMAC384_KV_RD_KEY_CTRL, hmac.rd_key, &hmac_rd_key),
    CALIPTRA_KV_STATUS(HMAC384_KV_RD_KEY_STATUS, &hmac_rd_key),
    CALIPTRA_KV_READ(HMAC384_KV_RD_BLOCK_CTRL, hmac.rd_block, &hmac_rd_block),
    CALIPTRA_KV_STATUS(HMAC384_KV_RD_BLOCK_STATUS, &hmac_rd_block),
    CALIPTRA_KV_WRITE(HMAC384_KV_WR_CTRL, hmac.wr, &hmac_wr),
    CALIPTRA_KV_STATUS(HMAC384_KV_WR_STATUS, &hmac_wr),
};

/* ---- state ---- */

static int hmac_post_load(void *opaque, int version_id)
{
    CaliptraHmac *c = opaque;

    return c->e.cmd <= HMAC_CMD_NEXT ? 0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_hmac = {
    .name = "caliptra-hmac",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = hmac_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(e, CaliptraHmac, 1, vmstate_caliptra_engine,
                       CaliptraEngine),
        VMSTATE_UINT32_ARRAY(key, CaliptraHmac, HMAC_KEY_WORDS),
        VMSTATE_UINT32_ARRAY(block, CaliptraHmac, HMAC_BLOCK_WORDS),
        VMSTATE_UINT32_ARRAY(tag, CaliptraHmac, 12),
        VMSTATE_UINT64_ARRAY(h, CaliptraHmac, 8),
        VMSTATE_UINT32_ARRAY(result, CaliptraHmac, 12),
        VMSTATE_STRUCT(rd_key, CaliptraHmac, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_STRUCT(rd_block, CaliptraHmac, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_STRUCT(wr, CaliptraHmac, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_BOOL(key_present, CaliptraHmac),
        VMSTATE_BOOL(data_present, CaliptraHmac),
        VMSTATE_UINT32(block_lock, CaliptraHmac),
        VMSTATE_END_OF_LIST()
    },
};

const CaliptraEngineInfo caliptra_engine_hmac = {
    .name = "hmac",
    .engine = CALIPTRA_REG_AT(engines.hmac),
    .size = sizeof(CaliptraHmac),
    .cold = sizeof(CaliptraHmac),
    .n_error = ENGINE_ERROR_BITS,
    .regs = CALIPTRA_REG_BLOCK("HMAC", hmac_regs),
    .done = hmac_done,
    .zeroize = hmac_zeroize,
};
