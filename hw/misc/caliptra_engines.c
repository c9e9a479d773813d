/*
 * Caliptra 1.x core: internal engines
 *
 * Register front ends of DOE, ECC, HMAC, SHA-512 and SHA-256, as the
 * microcontroller sees them.  The arithmetic is in caliptra_crypto.c, the
 * rules of the vaults are in caliptra_vault.c.
 *
 * A command ends on a timer of the virtual clock.  Copies between an engine
 * and the key vault take some 16 clocks in hardware; here they are done when
 * the register write that starts them returns.
 *
 * Sources: caliptra-rtl src/{doe,ecc,hmac,sha512,sha256}/rtl and
 * src/integration/rtl/caliptra_top.sv; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"
#include "trace.h"

/*
 * How long commands take, in nanoseconds of virtual time.  Those of the hash
 * engines are of the order of what 400 MHz parts need a block; an ECC command
 * would take 2 to 3 ms, in which nothing else can happen, and is cut short.
 */
#define SHA256_BLOCK_NS     200
#define SHA512_BLOCK_NS     250
#define HMAC_BLOCK_NS       1000
#define DOE_FLOW_NS         1000
#define ECC_COMMAND_NS      5000

/* Interrupts that engines raise: bits of their interrupt blocks */
#define ECC_ERROR_INTERNAL      0
#define SHA256_ERROR_WNTZ       0
#define SHA256_ERROR_INIT_NEXT  1

#define ENGINE_NOTIF_BITS       1
#define ECC_ERROR_BITS          1

/* the greatest number of a command in any engine */
#define ENGINE_CMD_MAX          3

uint32_t *caliptra_engine_word(void *engine, const CaliptraEngineArray *arrays,
                               size_t n, hwaddr offset, uint8_t access)
{
    for (size_t i = 0; i < n; i++) {
        const CaliptraEngineArray *a = &arrays[i];

        if (offset >= a->offset && offset < a->offset + 4 * a->n &&
            a->access & access) {
            return (uint32_t *)((char *)engine + a->field) +
                   (offset - a->offset) / 4;
        }
    }
    return NULL;
}

void caliptra_engine_dropped(const char *engine, hwaddr offset)
{
    qemu_log_mask(LOG_GUEST_ERROR, "caliptra: write to %s register 0x%"
                  HWADDR_PRIx " dropped\n", engine, offset);
}

/* ---- commands ---- */

static void crypto_busy_check(CaliptraState *s)
{
    const CaliptraEngines *e = &s->engines;

    if (!!e->hmac.e.cmd + !!e->ecc.e.cmd + !!e->doe.e.cmd > 1) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "caliptra: two crypto engines busy at once\n");
        caliptra_soc_ifc_hw_error_fatal(
            s, R_CPTRA_HW_ERROR_FATAL_CRYPTO_ERR_MASK);
    }
}

void caliptra_engine_start(CaliptraState *s, CaliptraEngine *e,
                           const char *name, unsigned cmd, int64_t ns)
{
    trace_caliptra_engine_start(name, cmd);
    e->cmd = cmd;
    e->valid = false;
    timer_mod(e->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
    crypto_busy_check(s);
}

void caliptra_engine_abort(CaliptraEngine *e)
{
    timer_del(e->timer);
    e->cmd = 0;
    e->valid = false;
}

void caliptra_engine_done(CaliptraEngine *e, const char *name)
{
    trace_caliptra_engine_done(name, e->cmd);
    e->cmd = 0;
    e->valid = true;
    caliptra_intr_notif(&e->intr, ENGINE_NOTIF_CMD_DONE);
}

bool caliptra_engine_ready(CaliptraState *s, const CaliptraEngine *e)
{
    return !e->cmd && !caliptra_flushing(s);
}

/* ---- key vault clients: all have the same layout ---- */

uint32_t caliptra_kv_client_status(const CaliptraKvClient *c)
{
    uint32_t status = 0;

    status = FIELD_DP32(status, HMAC384_KV_RD_KEY_STATUS, READY, 1);
    status = FIELD_DP32(status, HMAC384_KV_RD_KEY_STATUS, VALID, c->valid);
    return FIELD_DP32(status, HMAC384_KV_RD_KEY_STATUS, ERROR, c->error);
}

bool caliptra_kv_client_read(CaliptraState *s, CaliptraKvClient *c,
                             uint32_t data, uint32_t client,
                             uint32_t words[12], unsigned *last_dword)
{
    c->ctrl = data & ~KV_READ_EN;
    if (!(data & KV_READ_EN)) {
        return false;
    }
    c->error = caliptra_kv_read_port(
        s, FIELD_EX32(data, HMAC384_KV_RD_KEY_CTRL, READ_ENTRY), client,
        words, last_dword);
    c->valid = true;
    return true;
}

void caliptra_kv_client_arm(CaliptraKvClient *c, uint32_t data)
{
    c->ctrl = data;
    if (data & KV_WRITE_EN) {
        c->valid = false;
    }
}

bool caliptra_kv_client_armed(const CaliptraKvClient *c)
{
    return c->ctrl & KV_WRITE_EN;
}

void caliptra_kv_client_write(CaliptraState *s, CaliptraKvClient *c,
                              const uint32_t words[12])
{
    c->error = caliptra_kv_write_port(
        s, FIELD_EX32(c->ctrl, HMAC384_KV_WR_CTRL, WRITE_ENTRY),
        extract32(c->ctrl, R_HMAC384_KV_WR_CTRL_HMAC_KEY_DEST_VALID_SHIFT, 5),
        0, words, CALIPTRA_KV_WORDS);
    c->ctrl &= ~KV_WRITE_EN;
    c->valid = true;
}

/* ---- DOE: deobfuscation engine ---- */

enum {
    DOE_CMD_IDLE = 0,
    DOE_CMD_UDS = 1,
    DOE_CMD_FE = 2,
    DOE_CMD_CLEAR = 3,
};

static void doe_clear(CaliptraState *s)
{
    CaliptraDoe *d = &s->engines.doe;

    caliptra_engine_abort(&d->e);
    d->ctrl = FIELD_DP32(d->ctrl, DOE_CTRL, CMD, DOE_CMD_IDLE);
    memset(d->iv, 0, sizeof(d->iv));
    d->chained = false;
    d->dest_offset = 0;
    d->e.valid = true;
    d->secrets_cleared = true;
}

static void doe_done(void *opaque)
{
    CaliptraState *s = opaque;
    CaliptraDoe *d = &s->engines.doe;
    bool uds = d->e.cmd == DOE_CMD_UDS;
    bool *flow_done = uds ? &d->uds_flow_done : &d->fe_flow_done;
    unsigned n = uds ? 12 : 8;
    uint32_t key_words[8], words[12];
    uint8_t key[32], iv[16], text[48];

    if (!*flow_done) {
        caliptra_soc_ifc_obf_key(s, key_words);
        caliptra_words_to_bytes(key, key_words, 8);
        if (uds) {
            caliptra_soc_ifc_uds_seed(s, words);
        } else {
            caliptra_soc_ifc_field_entropy(s, words);
        }
        caliptra_words_to_bytes(text, words, n);
        caliptra_words_to_bytes(iv, d->chained ? d->chain_iv : d->iv, 4);
        memcpy(d->chain_iv, words + n - 4, sizeof(d->chain_iv));
        d->chained = true;

        caliptra_aes256_cbc_decrypt(key, iv, text, text, 4 * n);
        caliptra_bytes_to_words(words, text, n);
        /* a locked slot refuses without a trace */
        caliptra_kv_write_port(s, FIELD_EX32(d->ctrl, DOE_CTRL, DEST),
                               KV_DEST_HMAC_KEY | KV_DEST_HMAC_BLOCK,
                               d->dest_offset, words, n);
        /* the offset goes on where it is: FE first, and UDS is rotated */
        d->dest_offset = (d->dest_offset + n) % CALIPTRA_KV_WORDS;
        *flow_done = true;
    }
    d->ctrl = FIELD_DP32(d->ctrl, DOE_CTRL, CMD, DOE_CMD_IDLE);
    caliptra_engine_done(&d->e, "doe");
}

static void doe_ctrl_write(CaliptraState *s, uint32_t data)
{
    CaliptraDoe *d = &s->engines.doe;
    unsigned cmd = FIELD_EX32(data, DOE_CTRL, CMD);

    d->e.valid = false;
    if (cmd == DOE_CMD_CLEAR) {
        d->ctrl = data & R_DOE_CTRL_DEST_MASK;
        caliptra_soc_ifc_clear_secrets(s);
        doe_clear(s);
        return;
    }
    if (d->e.cmd) {
        caliptra_engine_dropped("DOE", A_DOE_CTRL);
        return;
    }
    d->ctrl = data & (R_DOE_CTRL_CMD_MASK | R_DOE_CTRL_DEST_MASK);
    if (cmd == DOE_CMD_IDLE) {
        return;
    }
    if (cmd == DOE_CMD_UDS ? d->uds_flow_done : d->fe_flow_done) {
        /* once per power-on: a repeated command ends at once */
        d->e.cmd = cmd;
        doe_done(s);
        return;
    }
    caliptra_engine_start(s, &d->e, "doe", cmd, DOE_FLOW_NS);
}

static uint32_t doe_read(CaliptraState *s, hwaddr offset)
{
    CaliptraDoe *d = &s->engines.doe;
    uint32_t status = 0;

    switch (offset) {
    case A_DOE_IV ... A_DOE_IV + 12:
        return d->iv[(offset - A_DOE_IV) / 4];
    case A_DOE_CTRL:
        return d->ctrl;
    case A_DOE_STATUS:
        status = FIELD_DP32(status, DOE_STATUS, READY,
                            caliptra_engine_ready(s, &d->e));
        status = FIELD_DP32(status, DOE_STATUS, VALID, d->e.valid);
        status = FIELD_DP32(status, DOE_STATUS, UDS_FLOW_DONE,
                            d->uds_flow_done);
        status = FIELD_DP32(status, DOE_STATUS, FE_FLOW_DONE, d->fe_flow_done);
        return FIELD_DP32(status, DOE_STATUS, DEOBF_SECRETS_CLEARED,
                          d->secrets_cleared);
    default:
        return 0;
    }
}

static void doe_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraDoe *d = &s->engines.doe;

    switch (offset) {
    case A_DOE_IV ... A_DOE_IV + 12:
        d->iv[(offset - A_DOE_IV) / 4] = data;
        d->chained = false;
        break;
    case A_DOE_CTRL:
        doe_ctrl_write(s, data);
        break;
    default:
        caliptra_engine_dropped("DOE", offset);
        break;
    }
}

static void doe_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraDoe *d = &s->engines.doe;
    CaliptraDoe old = *d;

    memset(d, 0, sizeof(*d));
    d->e = old.e;
    if (kind != CALIPTRA_RESET_COLD) {
        d->uds_flow_done = old.uds_flow_done;
        d->fe_flow_done = old.fe_flow_done;
        d->secrets_cleared = old.secrets_cleared;
    }
}

/* ---- ECC: P-384 ---- */

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

static void ecc_done(void *opaque)
{
    CaliptraState *s = opaque;
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

/* ---- HMAC-384 ---- */

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

static void hmac_done(void *opaque)
{
    CaliptraState *s = opaque;
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

/* ---- SHA-512, with the PCR functions ---- */

enum {
    SHA512_CMD_INIT = 1,
    SHA512_CMD_NEXT = 2,
    SHA512_CMD_QUOTE = 3,
};

static const uint32_t sha512_id[4] = { 0x61327368, 0x31322D35, 0x3830302E, 0 };

static const CaliptraEngineArray sha512_arrays[] = {
    ENGINE_ARRAY(SHA512_BLOCK, CaliptraSha512Engine, block, ENGINE_WO),
    ENGINE_ARRAY(SHA512_DIGEST, CaliptraSha512Engine, digest, ENGINE_RO),
    ENGINE_ARRAY(SHA512_GEN_PCR_HASH_NONCE, CaliptraSha512Engine, nonce,
                 ENGINE_WO),
    ENGINE_ARRAY(SHA512_GEN_PCR_HASH_DIGEST, CaliptraSha512Engine, quote,
                 ENGINE_RO),
};

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

static void sha512_done(void *opaque)
{
    CaliptraState *s = opaque;
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
    caliptra_engine_done(&c->e, "sha512");
}

static void sha512_ctrl_write(CaliptraState *s, uint32_t data)
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
        caliptra_engine_dropped("SHA-512", A_SHA512_CTRL);
        return;
    }
    c->block_lock = 0;
    if (!caliptra_engine_ready(s, &c->e)) {
        caliptra_engine_dropped("SHA-512", A_SHA512_CTRL);
        return;
    }
    if (FIELD_EX32(data, SHA512_CTRL, INIT)) {
        memcpy(c->h, caliptra_sha512_iv(c->mode), sizeof(c->h));
    }
    sha512_absorb(c);
    caliptra_engine_start(s, &c->e, "sha512",
                          FIELD_EX32(data, SHA512_CTRL, INIT) ?
                          SHA512_CMD_INIT : SHA512_CMD_NEXT,
                          SHA512_BLOCK_NS);
}

/*
 * A PCR to BLOCK for hash extend.  Without pcr_hash_extend the client waits
 * for a key vault that is not there: it never finds the last word, and fills
 * BLOCK with the word at rest on its port.
 */
static void sha512_vault_read(CaliptraState *s, uint32_t data)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t pcr0[CALIPTRA_PCR_WORDS];

    c->rd.ctrl = data & ~KV_READ_EN;
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
    for (int i = 0; i < SHA512_BLOCK_WORDS; i++) {
        c->block[i] = pcr0[0];
    }
    c->block_lock = UINT32_MAX;
    c->data_present = true;
    c->rd.valid = false;
    c->rd_stuck = true;
}

/* SHA-384 of all PCRs and the nonce, the latter's last word first */
static void sha512_quote_start(CaliptraState *s)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t words[QUOTE_BLOCKS * SHA512_BLOCK_WORDS] = { 0 };
    unsigned n = 0;

    if (c->e.cmd == SHA512_CMD_QUOTE) {
        caliptra_engine_dropped("SHA-512", A_SHA512_GEN_PCR_HASH_CTRL);
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
    caliptra_engine_start(s, &c->e, "sha512", SHA512_CMD_QUOTE,
                          QUOTE_BLOCKS * SHA512_BLOCK_NS);
}

static uint32_t sha512_read(CaliptraState *s, hwaddr offset)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t *word = caliptra_engine_word(c, sha512_arrays,
                                          ARRAY_SIZE(sha512_arrays), offset,
                                          ENGINE_RO);
    uint32_t status = 0;

    if (word) {
        return *word;
    }
    switch (offset) {
    case 0 ... ENGINE_ID_SIZE - 1:
        return sha512_id[offset / 4];
    case A_SHA512_STATUS:
        status = FIELD_DP32(status, SHA512_STATUS, READY,
                            caliptra_engine_ready(s, &c->e));
        return FIELD_DP32(status, SHA512_STATUS, VALID, c->e.valid);
    case A_SHA512_VAULT_RD_CTRL:
        return c->rd.ctrl;
    case A_SHA512_VAULT_RD_STATUS:
        return FIELD_DP32(caliptra_kv_client_status(&c->rd),
                          SHA512_VAULT_RD_STATUS, READY, !c->rd_stuck);
    case A_SHA512_KV_WR_CTRL:
        return c->wr.ctrl;
    case A_SHA512_KV_WR_STATUS:
        return caliptra_kv_client_status(&c->wr);
    case A_SHA512_GEN_PCR_HASH_STATUS:
        status = FIELD_DP32(status, SHA512_GEN_PCR_HASH_STATUS, READY,
                            caliptra_engine_ready(s, &c->e) && !c->extend);
        return FIELD_DP32(status, SHA512_GEN_PCR_HASH_STATUS, VALID,
                          c->quote_valid);
    default:
        return 0;
    }
}

static void sha512_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    uint32_t *word = caliptra_engine_word(c, sha512_arrays,
                                          ARRAY_SIZE(sha512_arrays), offset,
                                          ENGINE_WO);

    if (word) {
        bool block = word >= c->block && word < c->block + SHA512_BLOCK_WORDS;

        if (block && c->block_lock & BIT(word - c->block)) {
            caliptra_engine_dropped("SHA-512", offset);
        } else {
            *word = data;
        }
        return;
    }
    switch (offset) {
    case A_SHA512_CTRL:
        sha512_ctrl_write(s, data);
        break;
    case A_SHA512_VAULT_RD_CTRL:
        sha512_vault_read(s, data);
        break;
    case A_SHA512_KV_WR_CTRL:
        caliptra_kv_client_arm(&c->wr, data);
        break;
    case A_SHA512_GEN_PCR_HASH_CTRL:
        if (FIELD_EX32(data, SHA512_GEN_PCR_HASH_CTRL, START)) {
            sha512_quote_start(s);
        }
        break;
    default:
        caliptra_engine_dropped("SHA-512", offset);
        break;
    }
}

static void sha512_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraSha512Engine *c = &s->engines.sha512;
    CaliptraEngine e = c->e;

    memset(c, 0, sizeof(*c));
    c->e = e;
    c->mode = CALIPTRA_SHA384;
}

/* ---- SHA-256, with the Winternitz chain ---- */

enum {
    SHA256_CMD_INIT = 1,
    SHA256_CMD_NEXT = 2,
    SHA256_CMD_WNTZ = 3,
};

static const uint32_t sha256_id[4] = {
    0x61327368, 0x35362D32, 0x3830312E, 0
};

static const CaliptraEngineArray sha256_arrays[] = {
    ENGINE_ARRAY(SHA256_BLOCK, CaliptraSha256Engine, block, ENGINE_WO),
    ENGINE_ARRAY(SHA256_DIGEST, CaliptraSha256Engine, digest, ENGINE_RO),
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
    caliptra_engine_start(s, &c->e, "sha256", cmd, blocks * SHA256_BLOCK_NS);
}

/* The parameters of a chain are wrong at every clock that it runs */
static void wntz_check(CaliptraSha256Engine *c)
{
    if (c->e.cmd == SHA256_CMD_WNTZ && (!wntz_w_ok(c) || !c->mode)) {
        caliptra_intr_error(&c->e.intr, SHA256_ERROR_WNTZ);
    }
}

static void sha256_done(void *opaque)
{
    CaliptraState *s = opaque;
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
    caliptra_engine_done(&c->e, "sha256");
}

static void sha256_ctrl_write(CaliptraState *s, uint32_t data)
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
        caliptra_engine_dropped("SHA-256", A_SHA256_CTRL);
    } else if (init) {
        sha256_start(s, wntz ? SHA256_CMD_WNTZ : SHA256_CMD_INIT);
        wntz_check(c);
    } else if (next) {
        sha256_start(s, SHA256_CMD_NEXT);
    }
}

static uint32_t sha256_read(CaliptraState *s, hwaddr offset)
{
    CaliptraSha256Engine *c = &s->engines.sha256;
    uint32_t *word = caliptra_engine_word(c, sha256_arrays,
                                          ARRAY_SIZE(sha256_arrays), offset,
                                          ENGINE_RO);
    uint32_t status = 0;

    if (word) {
        return *word;
    }
    switch (offset) {
    case 0 ... ENGINE_ID_SIZE - 1:
        return sha256_id[offset / 4];
    case A_SHA256_STATUS:
        status = FIELD_DP32(status, SHA256_STATUS, READY,
                            caliptra_engine_ready(s, &c->e));
        status = FIELD_DP32(status, SHA256_STATUS, VALID, c->e.valid);
        return FIELD_DP32(status, SHA256_STATUS, WNTZ_BUSY,
                          c->e.cmd == SHA256_CMD_WNTZ);
    default:
        return 0;
    }
}

static void sha256_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraSha256Engine *c = &s->engines.sha256;
    uint32_t *word = caliptra_engine_word(c, sha256_arrays,
                                          ARRAY_SIZE(sha256_arrays), offset,
                                          ENGINE_WO);

    if (word) {
        *word = data;
    } else if (offset == A_SHA256_CTRL) {
        sha256_ctrl_write(s, data);
    } else {
        caliptra_engine_dropped("SHA-256", offset);
    }
}

static void sha256_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraSha256Engine *c = &s->engines.sha256;
    CaliptraEngine e = c->e;

    memset(c, 0, sizeof(*c));
    c->e = e;
    c->mode = true;
    c->wntz_w = WNTZ_RESET_W;
}

/* ---- the internal bus ---- */

/* In the order of the interrupt vectors; see caliptra_engines_wires() */
static const CaliptraEngineInfo * const engines[] = {
    &caliptra_engine_doe,
    &caliptra_engine_ecc,
    &caliptra_engine_hmac,
    &caliptra_engine_sha512,
    &caliptra_engine_sha256,
};

static CaliptraEngine *engine_of(CaliptraState *s,
                                 const CaliptraEngineInfo *info)
{
    return (CaliptraEngine *)((char *)s + info->engine);
}

/*
 * Windows of the microcontroller's address map (config_defines.svh).  Most
 * blocks decode 12 address bits only: their registers repeat.
 */
typedef struct BusWindow {
    uint32_t base;
    uint32_t size;
    bool repeats;
    const CaliptraEngineInfo *engine;   /* or the next two */
    uint32_t (*read)(CaliptraState *s, hwaddr offset);
    void (*write)(CaliptraState *s, hwaddr offset, uint32_t data);
    bool itrng;             /* there with the internal TRNG only */
} BusWindow;

#define BUS_PAGE_MASK   0xFFF

static const BusWindow bus_windows[] = {
    { CALIPTRA_DOE_BASE, 0x8000, true, &caliptra_engine_doe },
    { CALIPTRA_ECC_BASE, 0x8000, true, &caliptra_engine_ecc },
    { CALIPTRA_HMAC_BASE, 0x1000, true, &caliptra_engine_hmac },
    { CALIPTRA_KV_BASE, 0x2000, true, NULL,
      caliptra_kv_reg_read, caliptra_kv_reg_write },
    { CALIPTRA_PV_BASE, 0x2000, false, NULL,
      caliptra_pv_reg_read, caliptra_pv_reg_write },
    { CALIPTRA_DV_BASE, 0x2000, false, NULL,
      caliptra_dv_reg_read, caliptra_dv_reg_write },
    { CALIPTRA_SHA512_BASE, 0x8000, true, &caliptra_engine_sha512 },
    { CALIPTRA_SHA256_BASE, 0x8000, true, &caliptra_engine_sha256 },
    { CALIPTRA_CSRNG_BASE, 0x1000, false, NULL,
      caliptra_csrng_reg_read, caliptra_csrng_reg_write, .itrng = true },
    { CALIPTRA_ENTROPY_BASE, 0x1000, false, NULL,
      caliptra_entropy_src_reg_read, caliptra_entropy_src_reg_write,
      .itrng = true },
};

static const BusWindow *bus_window(CaliptraState *s, uint32_t addr,
                                   hwaddr *offset)
{
    for (int i = 0; i < ARRAY_SIZE(bus_windows); i++) {
        const BusWindow *w = &bus_windows[i];

        if (addr >= w->base && addr - w->base < w->size &&
            (!w->itrng || s->itrng)) {
            *offset = (addr - w->base) & ~3;
            if (w->repeats) {
                *offset &= BUS_PAGE_MASK;
            }
            return w;
        }
    }
    return NULL;
}

bool caliptra_internal_decodes(CaliptraState *s, uint32_t addr)
{
    hwaddr offset;

    return bus_window(s, addr, &offset);
}

uint32_t caliptra_internal_read(CaliptraState *s, uint32_t addr)
{
    hwaddr offset;
    const BusWindow *w = bus_window(s, addr, &offset);

    if (!w) {
        return 0;
    }
    if (!w->engine) {
        return w->read(s, offset);
    }
    if (offset >= A_INTR_GLOBAL_EN) {
        return caliptra_intr_read(&engine_of(s, w->engine)->intr, offset);
    }
    return w->engine->read(s, offset);
}

void caliptra_internal_write(CaliptraState *s, uint32_t addr, uint32_t data)
{
    hwaddr offset;
    const BusWindow *w = bus_window(s, addr, &offset);

    if (!w) {
        return;
    }
    if (!w->engine) {
        w->write(s, offset, data);
    } else if (offset >= A_INTR_GLOBAL_EN) {
        caliptra_intr_write(&engine_of(s, w->engine)->intr, offset, data);
        return;
    } else {
        w->engine->write(s, offset, data);
    }
    if (caliptra_flushing(s)) {
        /* the flush is a level: nothing stays in an engine or in a slot */
        caliptra_engines_flush(s);
        caliptra_kv_flush(s);
    }
}

/* ---- life ---- */

static void engine_settle(CaliptraState *s, const CaliptraEngineInfo *info)
{
    CaliptraEngine *e = engine_of(s, info);

    if (e->cmd) {
        timer_del(e->timer);
        info->done(s);
    }
}

void caliptra_engines_settle(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        engine_settle(s, engines[i]);
    }
}

void caliptra_engines_flush(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        engines[i]->zeroize(s);
    }
}

void caliptra_engines_reset(CaliptraState *s, CaliptraReset kind)
{
    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;     /* it is the microcontroller's alone: commands go on */
    }
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        CaliptraEngine *e = engine_of(s, engines[i]);

        caliptra_engine_abort(e);
        engines[i]->reset(s, kind);
        caliptra_intr_reset(&e->intr, kind);
    }
}

uint32_t caliptra_engines_wires(CaliptraState *s)
{
    uint32_t wires = 0;

    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        const CaliptraEngine *e = engine_of(s, engines[i]);

        wires |= caliptra_intr_error_level(&e->intr) << (2 * i);
        wires |= caliptra_intr_notif_level(&e->intr) << (2 * i + 1);
    }
    return wires;
}

void caliptra_engines_init(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        CaliptraEngine *e = engine_of(s, engines[i]);

        e->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, engines[i]->done, s);
        caliptra_intr_init(&e->intr, engines[i]->n_error, ENGINE_NOTIF_BITS);
    }
}

void caliptra_engines_finalize(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        timer_free(engine_of(s, engines[i])->timer);
    }
}

/* ---- state ---- */

/* A command runs if and only if its timer does */
static int engine_post_load(void *opaque, int version_id)
{
    CaliptraEngine *e = opaque;

    return e->cmd <= ENGINE_CMD_MAX && timer_pending(e->timer) == !!e->cmd ?
           0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_engine = {
    .name = "caliptra-engine",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = engine_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(cmd, CaliptraEngine),
        VMSTATE_BOOL(valid, CaliptraEngine),
        VMSTATE_TIMER_PTR(timer, CaliptraEngine),
        VMSTATE_STRUCT(intr, CaliptraEngine, 1, vmstate_caliptra_intr,
                       CaliptraIntr),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_caliptra_kv_client = {
    .name = "caliptra-kv-client",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(ctrl, CaliptraKvClient),
        VMSTATE_BOOL(valid, CaliptraKvClient),
        VMSTATE_UINT8(error, CaliptraKvClient),
        VMSTATE_END_OF_LIST()
    },
};

static int doe_post_load(void *opaque, int version_id)
{
    CaliptraDoe *d = opaque;

    return d->dest_offset < CALIPTRA_KV_WORDS ? 0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_doe = {
    .name = "caliptra-doe",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = doe_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(e, CaliptraDoe, 1, vmstate_caliptra_engine,
                       CaliptraEngine),
        VMSTATE_UINT32(ctrl, CaliptraDoe),
        VMSTATE_UINT32_ARRAY(iv, CaliptraDoe, 4),
        VMSTATE_BOOL(chained, CaliptraDoe),
        VMSTATE_UINT32_ARRAY(chain_iv, CaliptraDoe, 4),
        VMSTATE_UINT8(dest_offset, CaliptraDoe),
        VMSTATE_BOOL(uds_flow_done, CaliptraDoe),
        VMSTATE_BOOL(fe_flow_done, CaliptraDoe),
        VMSTATE_BOOL(secrets_cleared, CaliptraDoe),
        VMSTATE_END_OF_LIST()
    },
};

const CaliptraEngineInfo caliptra_engine_doe = {
    .engine = offsetof(CaliptraState, engines.doe.e),
    .n_error = ENGINE_ERROR_BITS,
    .read = doe_read,
    .write = doe_write,
    .done = doe_done,
    .zeroize = doe_clear,
    .reset = doe_reset,
};

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
    .done = ecc_done,
    .zeroize = ecc_zeroize,
    .reset = ecc_reset,
};

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
    .done = hmac_done,
    .zeroize = hmac_zeroize,
    .reset = hmac_reset,
};

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
    .engine = offsetof(CaliptraState, engines.sha512.e),
    .n_error = ENGINE_ERROR_BITS,
    .read = sha512_read,
    .write = sha512_write,
    .done = sha512_done,
    .zeroize = sha512_zeroize,
    .reset = sha512_reset,
};

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
    .engine = offsetof(CaliptraState, engines.sha256.e),
    .n_error = ENGINE_ERROR_BITS,
    .read = sha256_read,
    .write = sha256_write,
    .done = sha256_done,
    .zeroize = sha256_zeroize,
    .reset = sha256_reset,
};

const VMStateDescription vmstate_caliptra_engines = {
    .name = "caliptra-engines",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(doe, CaliptraEngines, 1, vmstate_caliptra_doe,
                       CaliptraDoe),
        VMSTATE_STRUCT(ecc, CaliptraEngines, 1, vmstate_caliptra_ecc,
                       CaliptraEcc),
        VMSTATE_STRUCT(hmac, CaliptraEngines, 1, vmstate_caliptra_hmac,
                       CaliptraHmac),
        VMSTATE_STRUCT(sha512, CaliptraEngines, 1, vmstate_caliptra_sha512,
                       CaliptraSha512Engine),
        VMSTATE_STRUCT(sha256, CaliptraEngines, 1, vmstate_caliptra_sha256,
                       CaliptraSha256Engine),
        VMSTATE_END_OF_LIST()
    },
};
