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
#include "caliptra_internal.h"
#include "caliptra_reg.h"
#include "trace.h"

/* 4-bit booleans */
#define MUBI4_TRUE      0x6

/* MAIN_SM_STATE (entropy_src_main_sm_pkg.sv) */
#define ES_IDLE             0x0F5
#define ES_CONT_HT_RUNNING  0x1A2

/* events of either block */
#define TRNG_INTERRUPTS     0xF

/* CMD_REQ.acmd (csrng_pkg.sv) */
enum {
    CSRNG_INSTANTIATE = 1,
    CSRNG_RESEED = 2,
    CSRNG_GENERATE = 3,
    CSRNG_UPDATE = 4,
    CSRNG_UNINSTANTIATE = 5,
};

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
    caliptra_wipe(block, sizeof(block));
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
    caliptra_wipe(data, sizeof(data));
    caliptra_wipe(noise, sizeof(noise));
    t->fips = entropy;
}

/* A command is complete; it ends here unless it has to wait for a seed */
static void csrng_command(CaliptraState *s)
{
    CaliptraTrng *t = &s->trng;
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
        caliptra_guest_error(s, "unknown CSRNG command %u", acmd);
        return;
    }
    trace_caliptra_csrng_command(s->id, acmd);
    CSRNG(t, INTERRUPT_STATE) |=
        R_CSRNG_INTERRUPT_STATE_CS_CMD_REQ_DONE_MASK;
}

static void csrng_cmd_req_write(CaliptraState *s, const CaliptraReg *r,
                                unsigned i, uint32_t data, bool soc)
{
    CaliptraTrng *t = &s->trng;

    if (!csrng_enabled(t) || t->seed_wanted) {
        caliptra_guest_error(s, "CSRNG command while it is not ready");
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
        csrng_command(s);
    }
}

static uint32_t csrng_genbits_read(CaliptraState *s, const CaliptraReg *r,
                                   unsigned i)
{
    CaliptraTrng *t = &s->trng;
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

static uint32_t csrng_genbits_vld_read(CaliptraState *s, const CaliptraReg *r,
                                       unsigned i)
{
    const CaliptraTrng *t = &s->trng;
    uint32_t data = 0;

    data = FIELD_DP32(data, CSRNG_GENBITS_VLD, GENBITS_VLD,
                      t->words_left != 0);
    return FIELD_DP32(data, CSRNG_GENBITS_VLD, GENBITS_FIPS,
                      t->words_left && t->fips);
}

static uint32_t csrng_sw_cmd_sts_read(CaliptraState *s, const CaliptraReg *r,
                                      unsigned i)
{
    return FIELD_DP32(0, CSRNG_SW_CMD_STS, CMD_RDY, !s->trng.seed_wanted);
}

static void csrng_interrupt_test_write(CaliptraState *s, const CaliptraReg *r,
                                       unsigned i, uint32_t data, bool soc)
{
    CSRNG(&s->trng, INTERRUPT_STATE) |= data & TRNG_INTERRUPTS;
}

static void csrng_ctrl_write(CaliptraState *s, const CaliptraReg *r,
                             unsigned i, uint32_t data, bool soc)
{
    if (!csrng_enabled(&s->trng)) {
        csrng_clear(&s->trng);
    }
}

static bool csrng_regwen(CaliptraState *s, const CaliptraReg *r, unsigned i,
                         uint32_t user, bool soc)
{
    return !CSRNG(&s->trng, REGWEN);
}

#define CSRNG_REG(reg, ...) \
    CALIPTRA_REG(CSRNG_##reg, 1, .domain = CALIPTRA_RESET_WARM, \
                 .store = CALIPTRA_REG_AT(trng.csrng[R_CSRNG_##reg]), \
                 __VA_ARGS__)

static const CaliptraReg csrng_regs[] = {
    CSRNG_REG(INTERRUPT_STATE, .w1c = TRNG_INTERRUPTS),
    CSRNG_REG(INTERRUPT_ENABLE, .uc = TRNG_INTERRUPTS),
    CSRNG_REG(INTERRUPT_TEST, .post_write = csrng_interrupt_test_write),
    CSRNG_REG(REGWEN, .reset = 0x1, .w0c = 0x1),
    CSRNG_REG(CTRL, .reset = 0x999, .uc = 0xFFF, .locked = csrng_regwen,
              .post_write = csrng_ctrl_write),
    CSRNG_REG(CMD_REQ, .post_write = csrng_cmd_req_write),
    CSRNG_REG(SW_CMD_STS, .reset = 0x1, .read = csrng_sw_cmd_sts_read),
    CSRNG_REG(GENBITS_VLD, .read = csrng_genbits_vld_read),
    CSRNG_REG(GENBITS, .read = csrng_genbits_read),
    CSRNG_REG(INT_STATE_NUM, .uc = 0xF),
    CSRNG_REG(HW_EXC_STS, .w0c = 0xFFFF),
    CSRNG_REG(RECOV_ALERT_STS, .w0c = 0x300F),
    CSRNG_REG(ERR_CODE_TEST, .uc = 0x1F, .locked = csrng_regwen),
    CSRNG_REG(MAIN_SM_STATE, .reset = 0x4E),
};

const CaliptraRegBlock caliptra_csrng_regs = CALIPTRA_REG_BLOCK("CSRNG",
                                                                csrng_regs);

/* ---- entropy source ---- */

#define ES(t, reg)      ((t)->entropy_src[R_ENTROPY_SRC_##reg])

static void es_interrupt_test_write(CaliptraState *s, const CaliptraReg *r,
                                    unsigned i, uint32_t data, bool soc)
{
    ES(&s->trng, INTERRUPT_STATE) |= data & TRNG_INTERRUPTS;
}

static uint32_t es_regwen_read(CaliptraState *s, const CaliptraReg *r,
                               unsigned i)
{
    return ES(&s->trng, SW_REGUPD) && !entropy_src_enabled(&s->trng);
}

static bool es_regwen(CaliptraState *s, const CaliptraReg *r, unsigned i,
                      uint32_t user, bool soc)
{
    return !es_regwen_read(s, r, i);
}

static bool es_me_regwen(CaliptraState *s, const CaliptraReg *r, unsigned i,
                         uint32_t user, bool soc)
{
    return !ES(&s->trng, ME_REGWEN);
}

static void es_module_enable_write(CaliptraState *s, const CaliptraReg *r,
                                   unsigned i, uint32_t data, bool soc)
{
    if (entropy_src_enabled(&s->trng) && s->trng.seed_wanted) {
        csrng_command(s);
    }
}

static uint32_t es_debug_status_read(CaliptraState *s, const CaliptraReg *r,
                                     unsigned i)
{
    return FIELD_DP32(0, ENTROPY_SRC_DEBUG_STATUS, MAIN_SM_IDLE,
                      !entropy_src_enabled(&s->trng));
}

static uint32_t es_main_sm_state_read(CaliptraState *s, const CaliptraReg *r,
                                      unsigned i)
{
    return entropy_src_enabled(&s->trng) ? ES_CONT_HT_RUNNING : ES_IDLE;
}

/* Each half of a threshold can only become stricter */
static uint32_t es_lower(uint32_t old, uint32_t data)
{
    uint32_t low = MIN(extract32(old, 0, 16), extract32(data, 0, 16));
    uint32_t high = MIN(extract32(old, 16, 16), extract32(data, 16, 16));

    return deposit32(low, 16, 16, high);
}

static uint32_t es_higher(uint32_t old, uint32_t data)
{
    uint32_t low = MAX(extract32(old, 0, 16), extract32(data, 0, 16));
    uint32_t high = MAX(extract32(old, 16, 16), extract32(data, 16, 16));

    return deposit32(low, 16, 16, high);
}

#define ES_AT(i)    CALIPTRA_REG_AT(trng.entropy_src[i])
#define ES_REG(reg, ...) \
    CALIPTRA_REG(ENTROPY_SRC_##reg, 1, .domain = CALIPTRA_RESET_WARM, \
                 .store = ES_AT(R_ENTROPY_SRC_##reg), __VA_ARGS__)
#define ES_THRESHOLD(reg, rst, stricter) \
    ES_REG(reg, .reset = (rst), .value = (stricter), .locked = es_regwen)

static const CaliptraReg entropy_src_regs[] = {
    ES_REG(INTERRUPT_STATE, .w1c = TRNG_INTERRUPTS),
    ES_REG(INTERRUPT_ENABLE, .uc = TRNG_INTERRUPTS),
    ES_REG(INTERRUPT_TEST, .post_write = es_interrupt_test_write),
    ES_REG(ME_REGWEN, .reset = 0x1, .w0c = 0x1),
    ES_REG(SW_REGUPD, .reset = 0x1, .w0c = 0x1),
    ES_REG(REGWEN, .reset = 0x1, .read = es_regwen_read),
    ES_REG(REV, .reset = 0x10303),
    ES_REG(MODULE_ENABLE,
           .reset = 0x9, .uc = 0xF, .locked = es_me_regwen,
           .post_write = es_module_enable_write),
    ES_REG(CONF, .reset = 0x909099, .uc = 0x3F0F0FF, .locked = es_regwen),
    ES_REG(ENTROPY_CONTROL, .reset = 0x99, .uc = 0xFF, .locked = es_regwen),
    ES_REG(HEALTH_TEST_WINDOWS,
           .reset = 0x600200, .uc = CALIPTRA_REG_ALL, .locked = es_regwen),
    ES_THRESHOLD(REPCNT_THRESHOLDS, CALIPTRA_REG_ALL, es_lower),
    ES_THRESHOLD(REPCNTS_THRESHOLDS, CALIPTRA_REG_ALL, es_lower),
    ES_THRESHOLD(ADAPTP_HI_THRESHOLDS, CALIPTRA_REG_ALL, es_lower),
    ES_THRESHOLD(ADAPTP_LO_THRESHOLDS, 0, es_higher),
    ES_THRESHOLD(BUCKET_THRESHOLDS, CALIPTRA_REG_ALL, es_lower),
    ES_THRESHOLD(MARKOV_HI_THRESHOLDS, CALIPTRA_REG_ALL, es_lower),
    ES_THRESHOLD(MARKOV_LO_THRESHOLDS, 0, es_higher),
    ES_THRESHOLD(EXTHT_HI_THRESHOLDS, CALIPTRA_REG_ALL, es_lower),
    ES_THRESHOLD(EXTHT_LO_THRESHOLDS, 0, es_higher),
    ES_REG(ADAPTP_LO_WATERMARKS, .reset = CALIPTRA_REG_ALL),
    ES_REG(EXTHT_LO_WATERMARKS, .reset = CALIPTRA_REG_ALL),
    ES_REG(MARKOV_LO_WATERMARKS, .reset = CALIPTRA_REG_ALL),
    ES_REG(ALERT_THRESHOLD,
           .reset = 0xFFFD0002, .uc = CALIPTRA_REG_ALL, .locked = es_regwen),
    ES_REG(FW_OV_CONTROL, .reset = 0x99, .uc = 0xFF, .locked = es_regwen),
    ES_REG(FW_OV_SHA3_START, .reset = 0x9, .uc = 0xF),
    ES_REG(OBSERVE_FIFO_THRESH,
           .reset = 0x20, .uc = 0x7F, .locked = es_regwen),
    ES_REG(DEBUG_STATUS, .reset = 0x10000, .read = es_debug_status_read),
    ES_REG(RECOV_ALERT_STS, .w0c = 0x1FFAF),
    ES_REG(ERR_CODE_TEST, .uc = 0x1F),
    ES_REG(MAIN_SM_STATE, .reset = 0xF5, .read = es_main_sm_state_read),
};

const CaliptraRegBlock caliptra_entropy_src_regs =
    CALIPTRA_REG_BLOCK("entropy source", entropy_src_regs);

/* ---- reset, state ---- */

void caliptra_trng_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraTrng *t = &s->trng;

    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;
    }
    memset(t, 0, sizeof(*t));
    caliptra_reg_reset(s, &caliptra_csrng_regs, kind);
    caliptra_reg_reset(s, &caliptra_entropy_src_regs, kind);
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
