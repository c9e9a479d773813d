/*
 * Caliptra 1.x core: ECC engine, P-384
 *
 * Source: caliptra-rtl src/ecc/rtl; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"
#include "trace.h"

/*
 * How long a command takes, in nanoseconds of virtual time.  It would be 2 to
 * 3 ms, in which nothing else can happen, and is cut short.
 */
#define ECC_COMMAND_NS      5000

/* Interrupts: bits of the interrupt block */
#define ECC_ERROR_INTERNAL      0
#define ECC_ERROR_BITS          1

enum {
    ECC_CMD_NONE = 0,
    ECC_CMD_KEYGEN = 1,
    ECC_CMD_SIGN = 2,
    ECC_CMD_VERIFY = 3,
};

static const uint32_t ecc_id[4] = { 0x63707365, 0x38342D33, 0x3030312E, 0 };

static const CaliptraEngineArray ecc_arrays[] = {
    ENGINE_ARRAY(ECC_SEED, CaliptraEcc, seed, ENGINE_WO),
    ENGINE_ARRAY(ECC_MSG, CaliptraEcc, msg, ENGINE_WO),
    ENGINE_ARRAY(ECC_PRIVKEY_OUT, CaliptraEcc, privkey_out, ENGINE_RO),
    ENGINE_ARRAY(ECC_PUBKEY_X, CaliptraEcc, pubkey_x, ENGINE_RW),
    ENGINE_ARRAY(ECC_PUBKEY_Y, CaliptraEcc, pubkey_y, ENGINE_RW),
    ENGINE_ARRAY(ECC_SIGN_R, CaliptraEcc, sign_r, ENGINE_RW),
    ENGINE_ARRAY(ECC_SIGN_S, CaliptraEcc, sign_s, ENGINE_RW),
    ENGINE_ARRAY(ECC_VERIFY_R, CaliptraEcc, verify_r, ENGINE_RO),
    ENGINE_ARRAY(ECC_NONCE, CaliptraEcc, nonce, ENGINE_WO),
    ENGINE_ARRAY(ECC_PRIVKEY_IN, CaliptraEcc, privkey_in, ENGINE_WO),
};

#define P384_WORDS  12
#define P384_BYTES  48

static void ecc_zeroize(CaliptraState *s)
{
    CaliptraEcc *c = &s->engines.ecc;

    caliptra_engine_abort(&c->e);
    for (int i = 0; i < ARRAY_SIZE(ecc_arrays); i++) {
        memset((char *)c + ecc_arrays[i].field, 0, 4 * ecc_arrays[i].n);
    }
    c->rd_pkey.error = KV_SUCCESS;
    c->rd_seed.error = KV_SUCCESS;
    c->wr_pkey.error = KV_SUCCESS;
    c->seed_present = false;
    c->pkey_present = false;
    c->off_curve = false;
}

static void ecc_keygen(CaliptraState *s)
{
    CaliptraEcc *c = &s->engines.ecc;
    uint8_t seed[P384_BYTES], nonce[P384_BYTES];
    uint8_t priv[P384_BYTES], x[P384_BYTES], y[P384_BYTES];
    uint32_t words[P384_WORDS];

    caliptra_words_to_bytes(seed, c->seed, P384_WORDS);
    caliptra_words_to_bytes(nonce, c->nonce, P384_WORDS);
    caliptra_p384_keygen(seed, nonce, priv, x, y);
    caliptra_bytes_to_words(c->pubkey_x, x, P384_WORDS);
    caliptra_bytes_to_words(c->pubkey_y, y, P384_WORDS);
    caliptra_bytes_to_words(words, priv, P384_WORDS);
    if (caliptra_kv_client_armed(&c->wr_pkey)) {
        caliptra_kv_client_write(s, &c->wr_pkey, words);
    } else if (!c->seed_present) {
        memcpy(c->privkey_out, words, sizeof(words));
    }
}

static bool ecc_sign(CaliptraEcc *c)
{
    uint8_t priv[P384_BYTES], msg[P384_BYTES];
    uint8_t r[P384_BYTES], s[P384_BYTES];

    caliptra_words_to_bytes(priv, c->privkey_in, P384_WORDS);
    caliptra_words_to_bytes(msg, c->msg, P384_WORDS);
    if (!caliptra_p384_sign(priv, msg, r, s)) {
        return false;
    }
    caliptra_bytes_to_words(c->sign_r, r, P384_WORDS);
    caliptra_bytes_to_words(c->sign_s, s, P384_WORDS);
    return true;
}

static bool ecc_verify(CaliptraEcc *c)
{
    uint8_t x[P384_BYTES], y[P384_BYTES], msg[P384_BYTES];
    uint8_t r[P384_BYTES], s[P384_BYTES], verify_r[P384_BYTES];

    if (c->off_curve) {
        return false;
    }
    caliptra_words_to_bytes(x, c->pubkey_x, P384_WORDS);
    caliptra_words_to_bytes(y, c->pubkey_y, P384_WORDS);
    caliptra_words_to_bytes(msg, c->msg, P384_WORDS);
    caliptra_words_to_bytes(r, c->sign_r, P384_WORDS);
    caliptra_words_to_bytes(s, c->sign_s, P384_WORDS);
    switch (caliptra_p384_verify(x, y, msg, r, s, verify_r)) {
    case CALIPTRA_P384_DONE:
        caliptra_bytes_to_words(c->verify_r, verify_r, P384_WORDS);
        return true;
    case CALIPTRA_P384_OFF_CURVE:
        c->off_curve = true;
        return false;
    case CALIPTRA_P384_RANGE:
        return false;
    default:
        g_assert_not_reached();
    }
}

static void ecc_done(CaliptraState *s)
{
    CaliptraEcc *c = &s->engines.ecc;
    bool ok = true;

    switch (c->e.cmd) {
    case ECC_CMD_KEYGEN:
        ecc_keygen(s);
        break;
    case ECC_CMD_SIGN:
        ok = ecc_sign(c);
        break;
    case ECC_CMD_VERIFY:
        ok = ecc_verify(c);
        break;
    default:
        g_assert_not_reached();
    }
    if (!ok) {
        trace_caliptra_ecc_error(c->e.cmd);
        c->e.cmd = ECC_CMD_NONE;
        caliptra_intr_error(&c->e.intr, ECC_ERROR_INTERNAL);
        return;
    }
    /* what came from the vault is used up, whichever command used it */
    if (c->seed_present) {
        memset(c->seed, 0, sizeof(c->seed));
        c->seed_present = false;
    }
    if (c->pkey_present) {
        memset(c->privkey_in, 0, sizeof(c->privkey_in));
        c->pkey_present = false;
    }
    caliptra_engine_done(&c->e, "ecc");
}

static void ecc_ctrl_write(CaliptraState *s, uint32_t data)
{
    CaliptraEcc *c = &s->engines.ecc;
    unsigned cmd = FIELD_EX32(data, ECC_CTRL, CTRL);

    if (FIELD_EX32(data, ECC_CTRL, ZEROIZE)) {
        ecc_zeroize(s);
        return;
    }
    if (!caliptra_engine_ready(s, &c->e)) {
        caliptra_engine_dropped("ECC", A_ECC_CTRL);
        return;
    }
    if (FIELD_EX32(data, ECC_CTRL, PCR_SIGN)) {
        memcpy(c->msg, s->engines.sha512.quote, sizeof(c->msg));
        caliptra_kv_signing_key(s, c->privkey_in);
        if (cmd == ECC_CMD_KEYGEN || cmd == ECC_CMD_VERIFY) {
            caliptra_intr_error(&c->e.intr, ECC_ERROR_INTERNAL);
            return;
        }
    }
    if (cmd != ECC_CMD_NONE) {
        caliptra_engine_start(s, &c->e, "ecc", cmd, ECC_COMMAND_NS);
    }
}

static uint32_t ecc_read(CaliptraState *s, hwaddr offset)
{
    CaliptraEcc *c = &s->engines.ecc;
    uint32_t *word = caliptra_engine_word(c, ecc_arrays,
                                          ARRAY_SIZE(ecc_arrays), offset,
                                          ENGINE_RO);
    uint32_t status = 0;

    if (word) {
        return *word;
    }
    switch (offset) {
    case 0 ... ENGINE_ID_SIZE - 1:
        return ecc_id[offset / 4];
    case A_ECC_STATUS:
        status = FIELD_DP32(status, ECC_STATUS, READY,
                            caliptra_engine_ready(s, &c->e));
        return FIELD_DP32(status, ECC_STATUS, VALID, c->e.valid);
    case A_ECC_KV_RD_PKEY_CTRL:
        return c->rd_pkey.ctrl;
    case A_ECC_KV_RD_PKEY_STATUS:
        return caliptra_kv_client_status(&c->rd_pkey);
    case A_ECC_KV_RD_SEED_CTRL:
        return c->rd_seed.ctrl;
    case A_ECC_KV_RD_SEED_STATUS:
        return caliptra_kv_client_status(&c->rd_seed);
    case A_ECC_KV_WR_PKEY_CTRL:
        return c->wr_pkey.ctrl;
    case A_ECC_KV_WR_PKEY_STATUS:
        return caliptra_kv_client_status(&c->wr_pkey);
    default:
        return 0;
    }
}

/* A register stays zero as long as the refusal of its key is on record */
static bool ecc_word_locked(const CaliptraEcc *c, const uint32_t *word)
{
    if (word >= c->seed && word < c->seed + P384_WORDS) {
        return c->seed_present || c->rd_seed.error;
    }
    if (word >= c->privkey_in && word < c->privkey_in + P384_WORDS) {
        return c->pkey_present || c->rd_pkey.error;
    }
    return false;
}

static void ecc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraEcc *c = &s->engines.ecc;
    uint32_t *word = caliptra_engine_word(c, ecc_arrays,
                                          ARRAY_SIZE(ecc_arrays), offset,
                                          ENGINE_WO);
    unsigned last_dword;

    if (word) {
        if (!caliptra_engine_ready(s, &c->e) || ecc_word_locked(c, word)) {
            caliptra_engine_dropped("ECC", offset);
        } else {
            *word = data;
        }
        return;
    }
    switch (offset) {
    case A_ECC_CTRL:
        ecc_ctrl_write(s, data);
        break;
    case A_ECC_IV ... A_ECC_IV + 4 * P384_WORDS - 1:
        /* seeds the masking, on which no result depends; not readable */
        break;
    case A_ECC_KV_RD_PKEY_CTRL:
        c->pkey_present |= caliptra_kv_client_read(s, &c->rd_pkey, data,
                                                   KV_DEST_ECC_PKEY,
                                                   c->privkey_in, &last_dword);
        break;
    case A_ECC_KV_RD_SEED_CTRL:
        c->seed_present |= caliptra_kv_client_read(s, &c->rd_seed, data,
                                                   KV_DEST_ECC_SEED,
                                                   c->seed, &last_dword);
        break;
    case A_ECC_KV_WR_PKEY_CTRL:
        caliptra_kv_client_arm(&c->wr_pkey, data);
        break;
    default:
        caliptra_engine_dropped("ECC", offset);
        break;
    }
}

static void ecc_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraEcc *c = &s->engines.ecc;
    CaliptraEngine e = c->e;

    memset(c, 0, sizeof(*c));
    c->e = e;
}

/* ---- state ---- */

const VMStateDescription vmstate_caliptra_ecc = {
    .name = "caliptra-ecc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(e, CaliptraEcc, 1, vmstate_caliptra_engine,
                       CaliptraEngine),
        VMSTATE_UINT32_ARRAY(seed, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(msg, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(privkey_out, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(pubkey_x, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(pubkey_y, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(sign_r, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(sign_s, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(verify_r, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(nonce, CaliptraEcc, P384_WORDS),
        VMSTATE_UINT32_ARRAY(privkey_in, CaliptraEcc, P384_WORDS),
        VMSTATE_STRUCT(rd_pkey, CaliptraEcc, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_STRUCT(rd_seed, CaliptraEcc, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_STRUCT(wr_pkey, CaliptraEcc, 1, vmstate_caliptra_kv_client,
                       CaliptraKvClient),
        VMSTATE_BOOL(seed_present, CaliptraEcc),
        VMSTATE_BOOL(pkey_present, CaliptraEcc),
        VMSTATE_BOOL(off_curve, CaliptraEcc),
        VMSTATE_END_OF_LIST()
    },
};

const CaliptraEngineInfo caliptra_engine_ecc = {
    .engine = offsetof(CaliptraState, engines.ecc.e),
    .n_error = ECC_ERROR_BITS,
    .read = ecc_read,
    .write = ecc_write,
    .status = A_ECC_STATUS,
    .done = ecc_done,
    .zeroize = ecc_zeroize,
    .reset = ecc_reset,
};
