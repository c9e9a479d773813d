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

static const CaliptraEngineArray hmac_arrays[] = {
    ENGINE_ARRAY(HMAC384_KEY, CaliptraHmac, key, ENGINE_WO),
    ENGINE_ARRAY(HMAC384_BLOCK, CaliptraHmac, block, ENGINE_WO),
    ENGINE_ARRAY(HMAC384_TAG, CaliptraHmac, tag, ENGINE_RO),
};

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
    caliptra_engine_start(s, &c->e, "hmac", cmd, HMAC_BLOCK_NS);
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
    caliptra_engine_done(&c->e, "hmac");
}

static void hmac_ctrl_write(CaliptraState *s, uint32_t data)
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
        caliptra_engine_dropped("HMAC", A_HMAC384_CTRL);
        return;
    }
    hmac_start(s, FIELD_EX32(data, HMAC384_CTRL, NEXT) ? HMAC_CMD_NEXT :
                                                         HMAC_CMD_INIT);
}

/* The vault client pads the slot to the one block of a message */
static void hmac_block_ctrl_write(CaliptraState *s, uint32_t data)
{
    CaliptraHmac *c = &s->engines.hmac;
    uint32_t words[HMAC_BLOCK_WORDS] = { 0 };
    unsigned last_dword, n = HMAC_BLOCK_WORDS;

    if (!caliptra_kv_client_read(s, &c->rd_block, data, KV_DEST_HMAC_BLOCK,
                                 words, &last_dword)) {
        return;
    }
    c->data_present = true;
    if (FIELD_EX32(data, HMAC384_KV_RD_BLOCK_CTRL, PCR_HASH_EXTEND)) {
        n = CALIPTRA_KV_WORDS;
    } else {
        memset(&words[last_dword + 1], 0,
               4 * (HMAC_BLOCK_WORDS - last_dword - 1));
        words[last_dword + 1] = 0x80000000;
        words[HMAC_LENGTH_WORD] = 32 * (last_dword + 1) + HMAC_KEY_BLOCK_BITS;
    }
    c->block_lock |= MAKE_64BIT_MASK(0, n);
    if (c->rd_block.error) {
        memset(c->block, 0, sizeof(c->block));
    } else {
        memcpy(c->block, words, 4 * n);
    }
}

static uint32_t hmac_read(CaliptraState *s, hwaddr offset)
{
    CaliptraHmac *c = &s->engines.hmac;
    uint32_t *word = caliptra_engine_word(c, hmac_arrays,
                                          ARRAY_SIZE(hmac_arrays), offset,
                                          ENGINE_RO);
    uint32_t status = 0;

    if (word) {
        return *word;
    }
    switch (offset) {
    case 0 ... ENGINE_ID_SIZE - 1:
        return hmac_id[offset / 4];
    case A_HMAC384_STATUS:
        status = FIELD_DP32(status, HMAC384_STATUS, READY,
                            caliptra_engine_ready(s, &c->e));
        return FIELD_DP32(status, HMAC384_STATUS, VALID, c->e.valid);
    case A_HMAC384_KV_RD_KEY_CTRL:
        return c->rd_key.ctrl;
    case A_HMAC384_KV_RD_KEY_STATUS:
        return caliptra_kv_client_status(&c->rd_key);
    case A_HMAC384_KV_RD_BLOCK_CTRL:
        return c->rd_block.ctrl;
    case A_HMAC384_KV_RD_BLOCK_STATUS:
        return caliptra_kv_client_status(&c->rd_block);
    case A_HMAC384_KV_WR_CTRL:
        return c->wr.ctrl;
    case A_HMAC384_KV_WR_STATUS:
        return caliptra_kv_client_status(&c->wr);
    default:
        return 0;
    }
}

static bool hmac_word_locked(const CaliptraHmac *c, const uint32_t *word)
{
    if (word >= c->key && word < c->key + HMAC_KEY_WORDS) {
        return c->key_present || c->rd_key.error;
    }
    return c->block_lock & BIT(word - c->block) || c->rd_block.error;
}

static void hmac_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraHmac *c = &s->engines.hmac;
    uint32_t *word = caliptra_engine_word(c, hmac_arrays,
                                          ARRAY_SIZE(hmac_arrays), offset,
                                          ENGINE_WO);
    unsigned last_dword;

    if (word) {
        if (hmac_word_locked(c, word)) {
            caliptra_engine_dropped("HMAC", offset);
        } else {
            *word = data;
        }
        return;
    }
    switch (offset) {
    case A_HMAC384_CTRL:
        hmac_ctrl_write(s, data);
        break;
    case A_HMAC384_LFSR_SEED ... A_HMAC384_LFSR_SEED + 47:
        /* seeds the masking, on which no result depends; not readable */
        break;
    case A_HMAC384_KV_RD_KEY_CTRL:
        if (caliptra_kv_client_read(s, &c->rd_key, data, KV_DEST_HMAC_KEY,
                                    c->key, &last_dword)) {
            c->key_present = true;
            c->data_present = true;
        }
        break;
    case A_HMAC384_KV_RD_BLOCK_CTRL:
        hmac_block_ctrl_write(s, data);
        break;
    case A_HMAC384_KV_WR_CTRL:
        caliptra_kv_client_arm(&c->wr, data);
        break;
    default:
        caliptra_engine_dropped("HMAC", offset);
        break;
    }
}

static void hmac_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraHmac *c = &s->engines.hmac;
    CaliptraEngine e = c->e;

    memset(c, 0, sizeof(*c));
    c->e = e;
}

/* ---- state ---- */

const VMStateDescription vmstate_caliptra_hmac = {
    .name = "caliptra-hmac",
    .version_id = 1,
    .minimum_version_id = 1,
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
    .engine = offsetof(CaliptraState, engines.hmac.e),
    .n_error = ENGINE_ERROR_BITS,
    .read = hmac_read,
    .write = hmac_write,
    .status = A_HMAC384_STATUS,
    .done = hmac_done,
    .zeroize = hmac_zeroize,
    .reset = hmac_reset,
};
