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

static const uint32_t ecc_id[4] = { 0x63707365, 0x38342D33, 0x3030312E, 0 };

#define P384_WORDS  12
#define P384_BYTES  48

static void ecc_zeroize(CaliptraState *s)
{
    CaliptraEcc *c = &s->engines.ecc;

    caliptra_engine_abort(&c->e);
    memset(c->seed, 0, offsetof(CaliptraEcc, rd_pkey) -
                       offsetof(CaliptraEcc, seed));
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
    caliptra_p384_keygen(c->curve, seed, nonce, priv, x, y);
    caliptra_bytes_to_words(c->pubkey_x, x, P384_WORDS);
    caliptra_bytes_to_words(c->pubkey_y, y, P384_WORDS);
    caliptra_bytes_to_words(words, priv, P384_WORDS);
    if (caliptra_kv_client_armed(&c->wr_pkey)) {
        caliptra_kv_client_write(s, &c->wr_pkey, words);
    } else if (!c->seed_present) {
        memcpy(c->privkey_out, words, sizeof(words));
    }
    caliptra_wipe(seed, sizeof(seed));
    caliptra_wipe(priv, sizeof(priv));
    caliptra_wipe(words, sizeof(words));
}

static bool ecc_sign(CaliptraEcc *c)
{
    uint8_t priv[P384_BYTES], msg[P384_BYTES];
    uint8_t r[P384_BYTES], s[P384_BYTES];
    bool ok;

    caliptra_words_to_bytes(priv, c->privkey_in, P384_WORDS);
    caliptra_words_to_bytes(msg, c->msg, P384_WORDS);
    ok = caliptra_p384_sign(c->curve, priv, msg, r, s);
    caliptra_wipe(priv, sizeof(priv));
    if (!ok) {
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
    switch (caliptra_p384_verify(c->curve, x, y, msg, r, s, verify_r)) {
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
        trace_caliptra_ecc_error(s->id, c->e.cmd);
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
    caliptra_engine_done(s, &caliptra_engine_ecc);
}

static void ecc_ctrl_write(CaliptraState *s, const CaliptraReg *r, unsigned i,
                           uint32_t data, bool soc)
{
    CaliptraEcc *c = &s->engines.ecc;
    unsigned cmd = FIELD_EX32(data, ECC_CTRL, CTRL);

    if (FIELD_EX32(data, ECC_CTRL, ZEROIZE)) {
        ecc_zeroize(s);
        return;
    }
    if (!caliptra_engine_ready(s, &c->e)) {
        caliptra_engine_refused(s, r);
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
        caliptra_engine_start(s, &caliptra_engine_ecc, cmd, ECC_COMMAND_NS);
    }
}

static uint32_t ecc_status_read(CaliptraState *s, const CaliptraReg *r,
                                unsigned i)
{
    return caliptra_engine_status(s, &s->engines.ecc.e);
}

/* ---- registers ---- */

static bool ecc_busy(CaliptraState *s, const CaliptraReg *r, unsigned i,
                     uint32_t user, bool soc)
{
    return !caliptra_engine_ready(s, &s->engines.ecc.e);
}

/* A register stays zero as long as the refusal of its key is on record */
static bool ecc_seed_locked(CaliptraState *s, const CaliptraReg *r, unsigned i,
                            uint32_t user, bool soc)
{
    const CaliptraEcc *c = &s->engines.ecc;

    return ecc_busy(s, r, i, user, soc) || c->seed_present ||
           c->rd_seed.error;
}

static bool ecc_pkey_locked(CaliptraState *s, const CaliptraReg *r, unsigned i,
                            uint32_t user, bool soc)
{
    const CaliptraEcc *c = &s->engines.ecc;

    return ecc_busy(s, r, i, user, soc) || c->pkey_present ||
           c->rd_pkey.error;
}

static void ecc_pkey_load(CaliptraState *s, const uint32_t words[12],
                          unsigned last_dword)
{
    CaliptraEcc *c = &s->engines.ecc;

    memcpy(c->privkey_in, words, sizeof(c->privkey_in));
    c->pkey_present = true;
}

static void ecc_seed_load(CaliptraState *s, const uint32_t words[12],
                          unsigned last_dword)
{
    CaliptraEcc *c = &s->engines.ecc;

    memcpy(c->seed, words, sizeof(c->seed));
    c->seed_present = true;
}

static const CaliptraKvPort ecc_rd_pkey = {
    .client = CALIPTRA_REG_AT(engines.ecc.rd_pkey),
    .use = KV_DEST_ECC_PKEY,
    .load = ecc_pkey_load,
};

static const CaliptraKvPort ecc_rd_seed = {
    .client = CALIPTRA_REG_AT(engines.ecc.rd_seed),
    .use = KV_DEST_ECC_SEED,
    .load = ecc_seed_load,
};

static const CaliptraKvPort ecc_wr_pkey = {
    .client = CALIPTRA_REG_AT(engines.ecc.wr_pkey),
};

#define ECC_IN(reg, member, lock) \
    CALIPTRA_REG(reg, P384_WORDS, \
                 .store = CALIPTRA_REG_AT(engines.ecc.member), \
                 .uc = CALIPTRA_REG_ALL, .locked = (lock), .hidden = true)
#define ECC_OUT(reg, member) \
    CALIPTRA_REG(reg, P384_WORDS, \
                 .store = CALIPTRA_REG_AT(engines.ecc.member))
#define ECC_IN_OUT(reg, member) \
    CALIPTRA_REG(reg, P384_WORDS, \
                 .store = CALIPTRA_REG_AT(engines.ecc.member), \
                 .uc = CALIPTRA_REG_ALL, .locked = ecc_busy)

static const CaliptraReg ecc_regs[] = {
    CALIPTRA_ENGINE_ID(ECC, ecc_id),
    CALIPTRA_REG(ECC_CTRL, 1, .post_write = ecc_ctrl_write),
    CALIPTRA_REG(ECC_STATUS, 1, .read = ecc_status_read, .polled = true),
    ECC_IN(ECC_SEED, seed, ecc_seed_locked),
    ECC_IN(ECC_MSG, msg, ecc_busy),
    ECC_OUT(ECC_PRIVKEY_OUT, privkey_out),
    ECC_IN_OUT(ECC_PUBKEY_X, pubkey_x),
    ECC_IN_OUT(ECC_PUBKEY_Y, pubkey_y),
    ECC_IN_OUT(ECC_SIGN_R, sign_r),
    ECC_IN_OUT(ECC_SIGN_S, sign_s),
    ECC_OUT(ECC_VERIFY_R, verify_r),
    /* seeds the masking, on which no result depends; not readable */
    CALIPTRA_REG(ECC_IV, P384_WORDS, .uc = CALIPTRA_REG_ALL),
    ECC_IN(ECC_NONCE, nonce, ecc_busy),
    ECC_IN(ECC_PRIVKEY_IN, privkey_in, ecc_pkey_locked),
    CALIPTRA_KV_READ(ECC_KV_RD_PKEY_CTRL, ecc.rd_pkey, &ecc_rd_pkey),
    CALIPTRA_KV_STATUS(ECC_KV_RD_PKEY_STATUS, &ecc_rd_pkey),
    CALIPTRA_KV_READ(ECC_KV_RD_SEED_CTRL, ecc.rd_seed, &ecc_rd_seed),
    CALIPTRA_KV_STATUS(ECC_KV_RD_SEED_STATUS, &ecc_rd_seed),
    CALIPTRA_KV_WRITE(ECC_KV_WR_PKEY_CTRL, ecc.wr_pkey, &ecc_wr_pkey),
    CALIPTRA_KV_STATUS(ECC_KV_WR_PKEY_STATUS, &ecc_wr_pkey),
};

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
    .name = "ecc",
    .engine = CALIPTRA_REG_AT(engines.ecc),
    .size = offsetof(CaliptraEcc, curve),
    .cold = offsetof(CaliptraEcc, curve),
    .n_error = ECC_ERROR_BITS,
    .regs = CALIPTRA_REG_BLOCK("ECC", ecc_regs),
    .done = ecc_done,
    .zeroize = ecc_zeroize,
};
