/*
 * Caliptra 1.x core: deobfuscation engine
 *
 * Source: caliptra-rtl src/doe/rtl; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"

/* how long a flow takes, in nanoseconds of virtual time */
#define DOE_FLOW_NS         1000

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

static void doe_done(CaliptraState *s)
{
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
        caliptra_wipe(key_words, sizeof(key_words));
        caliptra_wipe(key, sizeof(key));
        caliptra_wipe(words, sizeof(words));
        caliptra_wipe(text, sizeof(text));
    }
    d->ctrl = FIELD_DP32(d->ctrl, DOE_CTRL, CMD, DOE_CMD_IDLE);
    caliptra_engine_done(s, &caliptra_engine_doe);
}

static void doe_ctrl_write(CaliptraState *s, const CaliptraReg *r, unsigned i,
                           uint32_t data, bool soc)
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
        caliptra_engine_refused(s, r);
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
    caliptra_engine_start(s, &caliptra_engine_doe, cmd, DOE_FLOW_NS);
}

static uint32_t doe_status_read(CaliptraState *s, const CaliptraReg *r,
                                unsigned i)
{
    const CaliptraDoe *d = &s->engines.doe;
    uint32_t status = caliptra_engine_status(s, &d->e);

    status = FIELD_DP32(status, DOE_STATUS, UDS_FLOW_DONE, d->uds_flow_done);
    status = FIELD_DP32(status, DOE_STATUS, FE_FLOW_DONE, d->fe_flow_done);
    return FIELD_DP32(status, DOE_STATUS, DEOBF_SECRETS_CLEARED,
                      d->secrets_cleared);
}

static void doe_iv_write(CaliptraState *s, const CaliptraReg *r, unsigned i,
                         uint32_t data, bool soc)
{
    s->engines.doe.chained = false;
}

static const CaliptraReg doe_regs[] = {
    CALIPTRA_REG(DOE_IV, 4, .store = CALIPTRA_REG_AT(engines.doe.iv),
                 .uc = CALIPTRA_REG_ALL, .post_write = doe_iv_write),
    CALIPTRA_REG(DOE_CTRL, 1, .store = CALIPTRA_REG_AT(engines.doe.ctrl),
                 .post_write = doe_ctrl_write),
    CALIPTRA_REG(DOE_STATUS, 1, .read = doe_status_read, .polled = true),
};

/* ---- state ---- */

static int doe_post_load(void *opaque, int version_id)
{
    CaliptraDoe *d = opaque;

    return d->dest_offset < CALIPTRA_KV_WORDS && d->e.cmd <= DOE_CMD_FE ?
           0 : -EINVAL;
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
    .name = "doe",
    .engine = CALIPTRA_REG_AT(engines.doe),
    .size = sizeof(CaliptraDoe),
    .cold = offsetof(CaliptraDoe, uds_flow_done),
    .n_error = ENGINE_ERROR_BITS,
    .regs = CALIPTRA_REG_BLOCK("DOE", doe_regs),
    .done = doe_done,
    .zeroize = doe_clear,
};
