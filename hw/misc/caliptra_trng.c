/*
 * Caliptra 1.x core: internal TRNG, as far as firmware works it
 *
 * The entropy source and the CSRNG of OpenTitan, there with the property
 * "itrng" only.  Noise is the machine's (qemu_guest_getrandom) and always
 * good, so no health test fails; the generator behind it is the real one.
 *
 * Sources: caliptra-rtl src/csrng and src/entropy_src; caliptra-sw
 * drivers/src/csrng.rs for what firmware touches.  What it does not touch
 * (firmware override, observe FIFO, view of the internal state, test
 * registers) is storage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/guest-random.h"
#include "qemu/log.h"
#include "caliptra_internal.h"
#include "trace.h"

/* 4-bit booleans */
#define MUBI4_TRUE      0x6

/* MAIN_SM_STATE (entropy_src_main_sm_pkg.sv) */
#define ES_IDLE             0x0F5
#define ES_CONT_HT_RUNNING  0x1A2

/* CMD_REQ.acmd (csrng_pkg.sv) */
enum {
    CSRNG_INSTANTIATE = 1,
    CSRNG_RESEED = 2,
    CSRNG_GENERATE = 3,
    CSRNG_UPDATE = 4,
    CSRNG_UNINSTANTIATE = 5,
};

/* When a register can be written, beside its mask */
enum {
    GATE_NONE,
    GATE_REGWEN,
    GATE_ME_REGWEN,
    /* REGWEN, and each half of a threshold can only become stricter */
    GATE_LOWER,
    GATE_HIGHER,
};

typedef struct TrngReg {
    uint16_t offset;
    uint8_t gate;
    uint32_t reset;
    uint32_t rw;
    uint32_t w1c;
    uint32_t w0c;
} TrngReg;

/* Registers that are not all zero and read-only */
static const TrngReg csrng_regs[] = {
    { A_CSRNG_INTERRUPT_STATE, .w1c = 0xF },
    { A_CSRNG_INTERRUPT_ENABLE, .rw = 0xF },
    { A_CSRNG_REGWEN, .reset = 0x1, .w0c = 0x1 },
    { A_CSRNG_CTRL, .reset = 0x999, .rw = 0xFFF, .gate = GATE_REGWEN },
    { A_CSRNG_SW_CMD_STS, .reset = 0x1 },
    { A_CSRNG_INT_STATE_NUM, .rw = 0xF },
    { A_CSRNG_HW_EXC_STS, .w0c = 0xFFFF },
    { A_CSRNG_RECOV_ALERT_STS, .w0c = 0x300F },
    { A_CSRNG_ERR_CODE_TEST, .rw = 0x1F, .gate = GATE_REGWEN },
    { A_CSRNG_MAIN_SM_STATE, .reset = 0x4E },
};

static const TrngReg entropy_src_regs[] = {
    { A_ENTROPY_SRC_INTERRUPT_STATE, .w1c = 0xF },
    { A_ENTROPY_SRC_INTERRUPT_ENABLE, .rw = 0xF },
    { A_ENTROPY_SRC_ME_REGWEN, .reset = 0x1, .w0c = 0x1 },
    { A_ENTROPY_SRC_SW_REGUPD, .reset = 0x1, .w0c = 0x1 },
    { A_ENTROPY_SRC_REGWEN, .reset = 0x1 },
    { A_ENTROPY_SRC_REV, .reset = 0x10303 },
    { A_ENTROPY_SRC_MODULE_ENABLE,
      .reset = 0x9, .rw = 0xF, .gate = GATE_ME_REGWEN },
    { A_ENTROPY_SRC_CONF,
      .reset = 0x909099, .rw = 0x3F0F0FF, .gate = GATE_REGWEN },
    { A_ENTROPY_SRC_ENTROPY_CONTROL,
      .reset = 0x99, .rw = 0xFF, .gate = GATE_REGWEN },
    { A_ENTROPY_SRC_HEALTH_TEST_WINDOWS,
      .reset = 0x600200, .rw = 0xFFFFFFFF, .gate = GATE_REGWEN },
    { A_ENTROPY_SRC_REPCNT_THRESHOLDS,
      .reset = 0xFFFFFFFF, .rw = 0xFFFFFFFF, .gate = GATE_LOWER },
    { A_ENTROPY_SRC_REPCNTS_THRESHOLDS,
      .reset = 0xFFFFFFFF, .rw = 0xFFFFFFFF, .gate = GATE_LOWER },
    { A_ENTROPY_SRC_ADAPTP_HI_THRESHOLDS,
      .reset = 0xFFFFFFFF, .rw = 0xFFFFFFFF, .gate = GATE_LOWER },
    { A_ENTROPY_SRC_ADAPTP_LO_THRESHOLDS,
      .rw = 0xFFFFFFFF, .gate = GATE_HIGHER },
    { A_ENTROPY_SRC_BUCKET_THRESHOLDS,
      .reset = 0xFFFFFFFF, .rw = 0xFFFFFFFF, .gate = GATE_LOWER },
    { A_ENTROPY_SRC_MARKOV_HI_THRESHOLDS,
      .reset = 0xFFFFFFFF, .rw = 0xFFFFFFFF, .gate = GATE_LOWER },
    { A_ENTROPY_SRC_MARKOV_LO_THRESHOLDS,
      .rw = 0xFFFFFFFF, .gate = GATE_HIGHER },
    { A_ENTROPY_SRC_EXTHT_HI_THRESHOLDS,
      .reset = 0xFFFFFFFF, .rw = 0xFFFFFFFF, .gate = GATE_LOWER },
    { A_ENTROPY_SRC_EXTHT_LO_THRESHOLDS,
      .rw = 0xFFFFFFFF, .gate = GATE_HIGHER },
    { A_ENTROPY_SRC_ADAPTP_LO_WATERMARKS, .reset = 0xFFFFFFFF },
    { A_ENTROPY_SRC_EXTHT_LO_WATERMARKS, .reset = 0xFFFFFFFF },
    { A_ENTROPY_SRC_MARKOV_LO_WATERMARKS, .reset = 0xFFFFFFFF },
    { A_ENTROPY_SRC_ALERT_THRESHOLD,
      .reset = 0xFFFD0002, .rw = 0xFFFFFFFF, .gate = GATE_REGWEN },
    { A_ENTROPY_SRC_FW_OV_CONTROL,
      .reset = 0x99, .rw = 0xFF, .gate = GATE_REGWEN },
    { A_ENTROPY_SRC_FW_OV_SHA3_START, .reset = 0x9, .rw = 0xF },
    { A_ENTROPY_SRC_OBSERVE_FIFO_THRESH,
      .reset = 0x20, .rw = 0x7F, .gate = GATE_REGWEN },
    { A_ENTROPY_SRC_DEBUG_STATUS, .reset = 0x10000 },
    { A_ENTROPY_SRC_RECOV_ALERT_STS, .w0c = 0x1FFAF },
    { A_ENTROPY_SRC_ERR_CODE_TEST, .rw = 0x1F },
    { A_ENTROPY_SRC_MAIN_SM_STATE, .reset = 0xF5 },
};

static const TrngReg *trng_reg(const TrngReg *table, size_t n, hwaddr offset)
{
    for (size_t i = 0; i < n; i++) {
        if (table[i].offset == offset) {
            return &table[i];
        }
    }
    return NULL;
}

/* The value that a write leaves in a register */
static uint32_t trng_reg_value(const TrngReg *r, uint32_t old, uint32_t data)
{
    uint32_t low, high;

    switch (r->gate) {
    case GATE_LOWER:
        low = MIN(extract32(old, 0, 16), extract32(data, 0, 16));
        high = MIN(extract32(old, 16, 16), extract32(data, 16, 16));
        return deposit32(low, 16, 16, high);
    case GATE_HIGHER:
        low = MAX(extract32(old, 0, 16), extract32(data, 0, 16));
        high = MAX(extract32(old, 16, 16), extract32(data, 16, 16));
        return deposit32(low, 16, 16, high);
    default:
        return (old & ~r->rw & ~(data & r->w1c) & (data | ~r->w0c)) |
               (data & r->rw);
    }
}

/* ---- CSRNG ---- */

#define CSRNG(t, reg)   ((t)->csrng[R_CSRNG_##reg])

static bool csrng_enabled(const CaliptraTrng *t)
{
    return FIELD_EX32(CSRNG(t, CTRL), CSRNG_CTRL, ENABLE) == MUBI4_TRUE;
}

static bool entropy_src_enabled(const CaliptraTrng *t)
{
    return FIELD_EX32(t->entropy_src[R_ENTROPY_SRC_MODULE_ENABLE],
                      ENTROPY_SRC_MODULE_ENABLE, MODULE_ENABLE) == MUBI4_TRUE;
}

/* The extra words of a command; the last one is the most significant */
static void csrng_extra(const CaliptraTrng *t, uint8_t data[48])
{
    for (int i = 0; i < ARRAY_SIZE(t->extra); i++) {
        stl_be_p(data + 4 * (ARRAY_SIZE(t->extra) - 1 - i),
                 i < t->extra_have ? t->extra[i] : 0);
    }
}

/* The next block of the running generate command, ready for GENBITS */
static void csrng_next_block(CaliptraTrng *t)
{
    uint8_t block[CALIPTRA_CTR_DRBG_BLOCK_SIZE];
    uint8_t data[CALIPTRA_CTR_DRBG_SEED_SIZE];

    caliptra_ctr_drbg_block(&t->drbg, block);
    /* the last word is the first to be read */
    for (int i = 0; i < ARRAY_SIZE(t->genbits); i++) {
        t->genbits[i] = ldl_be_p(block + 12 - 4 * i);
    }
    t->words_left = ARRAY_SIZE(t->genbits);
    if (--t->blocks_left == 0) {
        csrng_extra(t, data);
        caliptra_ctr_drbg_update(&t->drbg, data);
    }
}

static void csrng_clear(CaliptraTrng *t)
{
    memset(&t->drbg, 0, sizeof(t->drbg));
    t->fips = false;
    t->blocks_left = 0;
    t->words_left = 0;
    t->extra_wanted = 0;
    t->seed_wanted = false;
}

static void csrng_seed(CaliptraTrng *t, bool entropy)
{
    uint8_t data[CALIPTRA_CTR_DRBG_SEED_SIZE];
    uint8_t noise[CALIPTRA_CTR_DRBG_SEED_SIZE];

    csrng_extra(t, data);
    if (entropy) {
        qemu_guest_getrandom_nofail(noise, sizeof(noise));
        for (int i = 0; i < sizeof(data); i++) {
            data[i] ^= noise[i];
        }
    }
    if (FIELD_EX32(t->cmd, CSRNG_CMD_REQ, ACMD) == CSRNG_INSTANTIATE) {
        memset(&t->drbg, 0, sizeof(t->drbg));
    }
    caliptra_ctr_drbg_update(&t->drbg, data);
    t->fips = entropy;
}

/* A command is complete; it ends here unless it has to wait for a seed */
static void csrng_command(CaliptraTrng *t)
{
    uint8_t data[CALIPTRA_CTR_DRBG_SEED_SIZE];
    unsigned acmd = FIELD_EX32(t->cmd, CSRNG_CMD_REQ, ACMD);
    bool entropy = FIELD_EX32(t->cmd, CSRNG_CMD_REQ, FLAG0) != MUBI4_TRUE;

    t->seed_wanted = false;
    switch (acmd) {
    case CSRNG_INSTANTIATE:
    case CSRNG_RESEED:
        if (entropy && !entropy_src_enabled(t)) {
            t->seed_wanted = true;
            return;
        }
        csrng_seed(t, entropy);
        break;
    case CSRNG_GENERATE:
        csrng_extra(t, data);
        if (t->extra_have) {
            caliptra_ctr_drbg_update(&t->drbg, data);
        }
        t->blocks_left = FIELD_EX32(t->cmd, CSRNG_CMD_REQ, GLEN);
        t->words_left = 0;
        if (t->blocks_left) {
            csrng_next_block(t);
        }
        break;
    case CSRNG_UPDATE:
        csrng_extra(t, data);
        caliptra_ctr_drbg_update(&t->drbg, data);
        break;
    case CSRNG_UNINSTANTIATE:
        csrng_clear(t);
        break;
    default:
        qemu_log_mask(LOG_GUEST_ERROR,
                      "caliptra: unknown CSRNG command %u\n", acmd);
        return;
    }
    trace_caliptra_csrng_command(acmd);
    CSRNG(t, INTERRUPT_STATE) |=
        R_CSRNG_INTERRUPT_STATE_CS_CMD_REQ_DONE_MASK;
}

static void csrng_cmd_req(CaliptraTrng *t, uint32_t data)
{
    if (!csrng_enabled(t) || t->seed_wanted) {
        qemu_log_mask(LOG_GUEST_ERROR,
                      "caliptra: CSRNG command while it is not ready\n");
        return;
    }
    if (t->extra_wanted) {
        t->extra[t->extra_have++] = data;
        t->extra_wanted--;
    } else {
        t->cmd = data;
        t->extra_have = 0;
        t->extra_wanted = MIN(FIELD_EX32(data, CSRNG_CMD_REQ, CLEN),
                              ARRAY_SIZE(t->extra));
    }
    if (!t->extra_wanted) {
        csrng_command(t);
    }
}

static uint32_t csrng_genbits(CaliptraTrng *t)
{
    uint32_t data;

    if (!t->words_left) {
        return 0;
    }
    data = t->genbits[ARRAY_SIZE(t->genbits) - t->words_left];
    if (--t->words_left == 0 && t->blocks_left) {
        csrng_next_block(t);
    }
    return data;
}

uint32_t caliptra_csrng_reg_read(CaliptraState *s, hwaddr offset)
{
    CaliptraTrng *t = &s->trng;
    uint32_t data = 0;

    switch (offset) {
    case A_CSRNG_SW_CMD_STS:
        return FIELD_DP32(data, CSRNG_SW_CMD_STS, CMD_RDY, !t->seed_wanted);
    case A_CSRNG_GENBITS_VLD:
        data = FIELD_DP32(data, CSRNG_GENBITS_VLD, GENBITS_VLD,
                          t->words_left != 0);
        return FIELD_DP32(data, CSRNG_GENBITS_VLD, GENBITS_FIPS,
                          t->words_left && t->fips);
    case A_CSRNG_GENBITS:
        return csrng_genbits(t);
    default:
        return offset < sizeof(t->csrng) ? t->csrng[offset / 4] : 0;
    }
}

void caliptra_csrng_reg_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraTrng *t = &s->trng;
    const TrngReg *r = trng_reg(csrng_regs, ARRAY_SIZE(csrng_regs), offset);

    if (offset == A_CSRNG_CMD_REQ) {
        csrng_cmd_req(t, data);
        return;
    }
    if (offset == A_CSRNG_INTERRUPT_TEST) {
        CSRNG(t, INTERRUPT_STATE) |= data & csrng_regs[0].w1c;
        return;
    }
    if (!r || (r->gate == GATE_REGWEN && !CSRNG(t, REGWEN))) {
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra: CSRNG write to 0x%"
                      HWADDR_PRIx " dropped\n", offset);
        return;
    }
    t->csrng[offset / 4] = trng_reg_value(r, t->csrng[offset / 4], data);
    if (offset == A_CSRNG_CTRL && !csrng_enabled(t)) {
        csrng_clear(t);
    }
}

/* ---- entropy source ---- */

#define ES(t, reg)      ((t)->entropy_src[R_ENTROPY_SRC_##reg])

uint32_t caliptra_entropy_src_reg_read(CaliptraState *s, hwaddr offset)
{
    CaliptraTrng *t = &s->trng;
    bool on = entropy_src_enabled(t);
    uint32_t data = 0;

    switch (offset) {
    case A_ENTROPY_SRC_REGWEN:
        return ES(t, SW_REGUPD) && !on;
    case A_ENTROPY_SRC_DEBUG_STATUS:
        return FIELD_DP32(data, ENTROPY_SRC_DEBUG_STATUS, MAIN_SM_IDLE, !on);
    case A_ENTROPY_SRC_MAIN_SM_STATE:
        return on ? ES_CONT_HT_RUNNING : ES_IDLE;
    default:
        return offset < sizeof(t->entropy_src) ? t->entropy_src[offset / 4]
                                               : 0;
    }
}

static bool entropy_src_writable(CaliptraState *s, const TrngReg *r)
{
    switch (r->gate) {
    case GATE_NONE:
        return true;
    case GATE_ME_REGWEN:
        return ES(&s->trng, ME_REGWEN);
    default:
        return caliptra_entropy_src_reg_read(s, A_ENTROPY_SRC_REGWEN);
    }
}

void caliptra_entropy_src_reg_write(CaliptraState *s, hwaddr offset,
                                    uint32_t data)
{
    CaliptraTrng *t = &s->trng;
    const TrngReg *r = trng_reg(entropy_src_regs,
                                ARRAY_SIZE(entropy_src_regs), offset);

    if (offset == A_ENTROPY_SRC_INTERRUPT_TEST) {
        ES(t, INTERRUPT_STATE) |= data & entropy_src_regs[0].w1c;
        return;
    }
    if (!r || !entropy_src_writable(s, r)) {
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra: entropy source write to 0x%"
                      HWADDR_PRIx " dropped\n", offset);
        return;
    }
    t->entropy_src[offset / 4] = trng_reg_value(r, t->entropy_src[offset / 4],
                                                data);
    if (offset == A_ENTROPY_SRC_MODULE_ENABLE && entropy_src_enabled(t) &&
        t->seed_wanted) {
        csrng_command(t);
    }
}

/* ---- reset, state ---- */

void caliptra_trng_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraTrng *t = &s->trng;

    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;
    }
    memset(t, 0, sizeof(*t));
    for (int i = 0; i < ARRAY_SIZE(csrng_regs); i++) {
        t->csrng[csrng_regs[i].offset / 4] = csrng_regs[i].reset;
    }
    for (int i = 0; i < ARRAY_SIZE(entropy_src_regs); i++) {
        t->entropy_src[entropy_src_regs[i].offset / 4] =
            entropy_src_regs[i].reset;
    }
}

static int trng_post_load(void *opaque, int version_id)
{
    CaliptraTrng *t = opaque;

    if (t->extra_have + t->extra_wanted > ARRAY_SIZE(t->extra) ||
        t->words_left > ARRAY_SIZE(t->genbits)) {
        return -EINVAL;
    }
    return 0;
}

static const VMStateDescription vmstate_ctr_drbg = {
    .name = "caliptra-ctr-drbg",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(key, CaliptraCtrDrbg, 32),
        VMSTATE_UINT8_ARRAY(v, CaliptraCtrDrbg, 16),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_caliptra_trng = {
    .name = "caliptra-trng",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = trng_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(csrng, CaliptraTrng, CALIPTRA_CSRNG_REGS),
        VMSTATE_UINT32_ARRAY(entropy_src, CaliptraTrng,
                             CALIPTRA_ENTROPY_SRC_REGS),
        VMSTATE_UINT32(cmd, CaliptraTrng),
        VMSTATE_UINT8(extra_wanted, CaliptraTrng),
        VMSTATE_UINT8(extra_have, CaliptraTrng),
        VMSTATE_UINT32_ARRAY(extra, CaliptraTrng, 12),
        VMSTATE_BOOL(seed_wanted, CaliptraTrng),
        VMSTATE_STRUCT(drbg, CaliptraTrng, 1, vmstate_ctr_drbg,
                       CaliptraCtrDrbg),
        VMSTATE_BOOL(fips, CaliptraTrng),
        VMSTATE_UINT32(blocks_left, CaliptraTrng),
        VMSTATE_UINT8(words_left, CaliptraTrng),
        VMSTATE_UINT32_ARRAY(genbits, CaliptraTrng, 4),
        VMSTATE_END_OF_LIST()
    },
};
