/*
 * Caliptra 1.x core: firmware scheduler
 *
 * Caliptra's own ROM, FMC and runtime as explicit flows of steps.  The
 * hardware side posts events; they do nothing but arm the timer from which
 * the next step runs.  A step that waits for the SoC leaves no timer behind
 * and is run again when the hardware reports a change.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/bitops.h"
#include "qemu/guest-random.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/core/qdev-properties.h"
#include "caliptra_fw.h"
#include "trace.h"

/* between an event and the step that it wakes, nanoseconds */
#define FW_WAKE_LATENCY         1000

/*
 * External random numbers: firmware polls that often (caliptra-sw
 * drivers/src/trng_ext.rs, MAX_CYCLES_TO_WAIT).  A poll is modelled as longer
 * than on silicon, for a guest that answers in virtual time, but as on
 * silicon the polls end before runtime's watchdog does (20000000 clocks).
 */
#define TRNG_EXT_POLLS          250000
#define TRNG_EXT_POLL_CLOCKS    76

/* CPTRA_DBG_MANUF_SERVICE_REG (drivers/src/soc_ifc.rs, MfgFlags) */
#define DBG_MANUF_RNG_UNAVAILABLE       (1u << 1)

/* where random numbers come from (drivers/src/trng.rs) */
enum {
    TRNG_EXTERNAL,
    TRNG_INTERNAL,
    TRNG_FAKE,
};

#define TRNG_FAKE_WORD          0xDEADBEEFu

/* of timer 2, which is cascaded behind timer 1 (common/src/wdt.rs) */
#define WDT_TIMER2_PERIOD       1

static const CaliptraFwFlow * const fw_flows[CALIPTRA_FLOW_NUM] = {
    [CALIPTRA_FLOW_ROM_ENTRY] = &caliptra_flow_rom_entry,
    [CALIPTRA_FLOW_ROM_COLD] = &caliptra_flow_rom_cold,
    [CALIPTRA_FLOW_ROM_COMMANDS] = &caliptra_flow_rom_commands,
    [CALIPTRA_FLOW_ROM_LOAD] = &caliptra_flow_rom_load,
    [CALIPTRA_FLOW_ROM_WARM] = &caliptra_flow_rom_warm,
    [CALIPTRA_FLOW_ROM_UPDATE] = &caliptra_flow_rom_update,
    [CALIPTRA_FLOW_ROM_EXIT] = &caliptra_flow_rom_exit,
    [CALIPTRA_FLOW_ROM_FATAL] = &caliptra_flow_rom_fatal,
    [CALIPTRA_FLOW_FMC] = &caliptra_flow_fmc,
    [CALIPTRA_FLOW_FMC_HALT] = &caliptra_flow_fmc_halt,
    [CALIPTRA_FLOW_RT_START] = &caliptra_flow_rt_start,
    [CALIPTRA_FLOW_RT_COMMANDS] = &caliptra_flow_rt_commands,
    [CALIPTRA_FLOW_RT_SELF_TEST] = &caliptra_flow_rt_self_test,
    [CALIPTRA_FLOW_FATAL] = &caliptra_flow_fatal,
};

/* ---- hardware as the microcontroller sees it ---- */

uint32_t caliptra_fw_rd(CaliptraFw *fw, uint32_t addr)
{
    uint32_t data = 0;

    caliptra_uc_read(&fw->uc, addr, &data);
    return data;
}

void caliptra_fw_wr(CaliptraFw *fw, uint32_t addr, uint32_t data)
{
    caliptra_uc_write(&fw->uc, addr, data);
}

uint32_t caliptra_fw_soc_ifc_rd(CaliptraFw *fw, uint32_t offset)
{
    return caliptra_fw_rd(fw, CALIPTRA_SOC_IFC_BASE + offset);
}

void caliptra_fw_soc_ifc_wr(CaliptraFw *fw, uint32_t offset, uint32_t data)
{
    caliptra_fw_wr(fw, CALIPTRA_SOC_IFC_BASE + offset, data);
}

void caliptra_hw_to_bytes(uint8_t *bytes, const uint8_t *hw, size_t len)
{
    uint32_t words[12];
    size_t n = len / 4;

    assert(n <= ARRAY_SIZE(words));
    for (size_t i = 0; i < n; i++) {
        words[i] = ldl_le_p(hw + 4 * i);
    }
    caliptra_words_to_bytes(bytes, words, n);
}

CaliptraFwReset caliptra_fw_reset_reason(CaliptraFw *fw)
{
    uint32_t reason = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_RESET_REASON);
    bool update = FIELD_EX32(reason, CPTRA_RESET_REASON, FW_UPD_RESET);
    bool warm = FIELD_EX32(reason, CPTRA_RESET_REASON, WARM_RESET);

    if (update) {
        return warm ? CALIPTRA_FW_RESET_UNKNOWN : CALIPTRA_FW_RESET_UPDATE;
    }
    return warm ? CALIPTRA_FW_RESET_WARM : CALIPTRA_FW_RESET_COLD;
}

uint32_t caliptra_fw_lifecycle(CaliptraFw *fw)
{
    return FIELD_EX32(caliptra_fw_soc_ifc_rd(fw, A_CPTRA_SECURITY_STATE),
                      CPTRA_SECURITY_STATE, DEVICE_LIFECYCLE);
}

bool caliptra_fw_debug_locked(CaliptraFw *fw)
{
    return FIELD_EX32(caliptra_fw_soc_ifc_rd(fw, A_CPTRA_SECURITY_STATE),
                      CPTRA_SECURITY_STATE, DEBUG_LOCKED);
}

uint32_t caliptra_fw_fuse(CaliptraFw *fw, uint32_t offset)
{
    return caliptra_fw_soc_ifc_rd(fw, offset);
}

bool caliptra_fw_fuse_hash(CaliptraFw *fw, uint32_t offset, uint8_t hash[48])
{
    caliptra_drv_array_read(fw, CALIPTRA_SOC_IFC_BASE + offset, hash, 48);
    return !buffer_is_zero(hash, 48);
}

bool caliptra_fw_lms_verify(CaliptraFw *fw)
{
    return FIELD_EX32(caliptra_fw_fuse(fw, A_FUSE_LMS_VERIFY),
                      FUSE_LMS_VERIFY, LMS_VERIFY);
}

bool caliptra_fw_anti_rollback_disable(CaliptraFw *fw)
{
    return FIELD_EX32(caliptra_fw_fuse(fw, A_FUSE_ANTI_ROLLBACK_DISABLE),
                      FUSE_ANTI_ROLLBACK_DISABLE, DIS);
}

/* a fuse SVN is the place of the highest bit set, counted from 1 */
uint32_t caliptra_fw_fmc_fuse_svn(CaliptraFw *fw)
{
    return 32 - clz32(caliptra_fw_fuse(fw, A_FUSE_FMC_KEY_MANIFEST_SVN));
}

uint32_t caliptra_fw_rt_fuse_svn(CaliptraFw *fw)
{
    for (int i = 3; i >= 0; i--) {
        uint32_t word = caliptra_fw_fuse(fw, A_FUSE_RUNTIME_SVN + 4 * i);

        if (word) {
            return 32 * i + 32 - clz32(word);
        }
    }
    return 0;
}

/* ---- reports ---- */

void caliptra_fw_boot_status(CaliptraFw *fw, uint32_t status)
{
    trace_caliptra_fw_boot_status(fw->id, status);
    fw->boot_status = status;
    if (!caliptra_fw_debug_locked(fw)) {
        caliptra_fw_soc_ifc_wr(fw, A_CPTRA_BOOT_STATUS, status);
    }
}

/* the error registers go with the boot status, whatever is locked */
static void fw_error_reg(CaliptraFw *fw, uint32_t offset, uint32_t code)
{
    caliptra_fw_soc_ifc_wr(fw, offset, code);
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_BOOT_STATUS, fw->boot_status);
}

void caliptra_fw_error_non_fatal(CaliptraFw *fw, uint32_t code)
{
    fw_error_reg(fw, A_CPTRA_FW_ERROR_NON_FATAL, code);
}

void caliptra_fw_ext_error(CaliptraFw *fw, unsigned i, uint32_t info)
{
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_FW_EXTENDED_ERROR_INFO + 4 * i, info);
}

/* ---- watchdog (caliptra-sw common/src/wdt.rs) ---- */

void caliptra_fw_wdt_start(CaliptraFw *fw, uint64_t period)
{
    if (!caliptra_fw_debug_locked(fw)) {
        return;
    }
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER1_TIMEOUT_PERIOD, period);
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER1_TIMEOUT_PERIOD + 4,
                           period >> 32);
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER2_TIMEOUT_PERIOD,
                           WDT_TIMER2_PERIOD);
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER2_TIMEOUT_PERIOD + 4, 0);
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER1_EN,
                           R_CPTRA_WDT_TIMER1_EN_TIMER1_EN_MASK);
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER1_CTRL,
                           R_CPTRA_WDT_TIMER1_CTRL_TIMER1_RESTART_MASK);
}

void caliptra_fw_wdt_stop(CaliptraFw *fw)
{
    caliptra_fw_soc_ifc_wr(fw, A_CPTRA_WDT_TIMER1_EN, 0);
}

/* ---- the mailbox from the inside (drivers/src/mailbox.rs) ---- */

uint32_t caliptra_fw_mbox_fsm(CaliptraFw *fw)
{
    return FIELD_EX32(caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE +
                                     A_MBOX_STATUS),
                      MBOX_STATUS, MBOX_FSM_PS);
}

uint32_t caliptra_fw_mbox_cmd(CaliptraFw *fw)
{
    return caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_CMD);
}

uint32_t caliptra_fw_mbox_dlen(CaliptraFw *fw)
{
    return caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DLEN);
}

void caliptra_fw_mbox_pop(CaliptraFw *fw, uint8_t *buf, uint32_t len)
{
    for (uint32_t i = 0; i < len; i += 4) {
        uint8_t word[4];

        stl_le_p(word, caliptra_fw_rd(fw, CALIPTRA_MBOX_CSR_BASE +
                                      A_MBOX_DATAOUT));
        if (buf) {
            memcpy(buf + i, word, MIN(len - i, 4));
        }
    }
}

void caliptra_fw_mbox_read_request(CaliptraFw *fw, uint32_t len)
{
    assert(len <= sizeof(fw->req));
    memset(fw->req, 0, sizeof(fw->req));
    fw->req_len = len;
    caliptra_fw_mbox_pop(fw, fw->req, len);
}

void caliptra_fw_mbox_finish(CaliptraFw *fw, uint32_t status)
{
    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_STATUS, status);
}

/* minus the sum of all bytes (caliptra-sw api/src/checksum.rs) */
static uint32_t fw_checksum(uint32_t cmd, const uint8_t *data, size_t len)
{
    uint32_t sum = 0;

    for (int i = 0; i < 4; i++) {
        sum += extract32(cmd, 8 * i, 8);
    }
    for (size_t i = 0; i < len; i++) {
        sum += data[i];
    }
    return -sum;
}

bool caliptra_fw_mbox_checksum_ok(CaliptraFw *fw)
{
    assert(fw->req_len >= 4);
    return ldl_le_p(fw->req) == fw_checksum(caliptra_fw_mbox_cmd(fw),
                                            fw->req + 4, fw->req_len - 4);
}

void caliptra_fw_mbox_respond(CaliptraFw *fw, CaliptraRsp *rsp)
{
    assert(rsp->len >= 8 && rsp->len <= sizeof(rsp->data));

    stl_le_p(rsp->data + 4, 0);     /* fips_status: approved */
    stl_le_p(rsp->data, fw_checksum(0, rsp->data + 4, rsp->len - 4));

    caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DLEN, rsp->len);
    for (uint32_t i = 0; i < rsp->len; i += 4) {
        uint8_t word[4] = {};

        memcpy(word, rsp->data + i, MIN(rsp->len - i, 4));
        caliptra_fw_wr(fw, CALIPTRA_MBOX_CSR_BASE + A_MBOX_DATAIN,
                       ldl_le_p(word));
    }
    caliptra_fw_mbox_finish(fw, MBOX_STATUS_DATA_READY);
}

bool caliptra_fw_sha_acc_lock(CaliptraFw *fw)
{
    return !(caliptra_fw_rd(fw, CALIPTRA_SHA_ACC_BASE + A_SHA_ACC_LOCK) &
             R_SHA_ACC_LOCK_LOCK_MASK);
}

/* ---- random numbers ---- */

static uint8_t fw_trng_kind(CaliptraFw *fw)
{
    uint32_t manuf = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_DBG_MANUF_SERVICE_REG);
    uint32_t config = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_HW_CONFIG);

    if (!caliptra_fw_debug_locked(fw) && (manuf & DBG_MANUF_RNG_UNAVAILABLE)) {
        return TRNG_FAKE;
    }
    return FIELD_EX32(config, CPTRA_HW_CONFIG, I_TRNG_EN) ? TRNG_INTERNAL
                                                          : TRNG_EXTERNAL;
}

uint32_t caliptra_fw_step_trng(CaliptraFw *fw)
{
    fw->trng_kind = fw_trng_kind(fw);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_fw_step_trng_check(CaliptraFw *fw)
{
    return fw->trng_kind == fw_trng_kind(fw) ? CALIPTRA_FW_OK :
           CALIPTRA_ERR_ROM_CFI_PANIC_ASSERT_EQ_FAILURE;
}

/*
 * The counter's generator (cfi/lib/src/xoshiro.rs) matters to the SoC only
 * in that a draw which leaves it all zero is repeated.  That can happen in a
 * cold boot's ROM, where it starts from zero; later it has run on.
 */
uint32_t caliptra_fw_step_cfi_seed(CaliptraFw *fw)
{
    uint32_t any = 0;

    if (fw->flow != CALIPTRA_FLOW_ROM_ENTRY ||
        caliptra_fw_reset_reason(fw) != CALIPTRA_FW_RESET_COLD) {
        return CALIPTRA_FW_OK;
    }
    for (int i = 0; i < 4; i++) {
        fw->cfi_prng[i] ^= fw->trng_pool[fw->trng_have - 1][i];
        any |= fw->cfi_prng[i];
    }
    if (any == 0 && fw->trng_have < CALIPTRA_TRNG_POOL) {
        caliptra_fw_draws(fw, fw->trng_have + 1);
        return CALIPTRA_FW_ENTROPY;
    }
    return CALIPTRA_FW_OK;
}

bool caliptra_fw_draws(CaliptraFw *fw, unsigned n)
{
    assert(n <= CALIPTRA_TRNG_POOL);

    if (fw->trng_have >= n) {
        return true;
    }
    fw->trng_want = n;
    return false;
}

static void fw_end_request(CaliptraFw *fw)
{
    fw->trng_requested = false;
    caliptra_uc_set_waiting(&fw->uc, false);
}

/*
 * One draw: twelve words into the pool.  Returns CALIPTRA_FW_WAIT while the
 * SoC has not answered; the timer then stands for the last poll.
 */
static uint32_t fw_draw(CaliptraFw *fw)
{
    uint32_t *words = fw->trng_pool[fw->trng_have];
    uint8_t noise[4 * CALIPTRA_TRNG_WORDS];
    uint32_t status;
    int64_t deadline;

    switch (fw->trng_kind) {
    case TRNG_FAKE:
        for (int i = 0; i < CALIPTRA_TRNG_WORDS; i++) {
            words[i] = TRNG_FAKE_WORD;
        }
        break;
    case TRNG_INTERNAL:
        qemu_guest_getrandom_nofail(noise, sizeof(noise));
        caliptra_bytes_to_words(words, noise, CALIPTRA_TRNG_WORDS);
        break;
    case TRNG_EXTERNAL:
        if (!fw->trng_requested) {
            fw->trng_requested = true;
            fw->trng_deadline = caliptra_uc_clock_ticks(&fw->uc) +
                                TRNG_EXT_POLLS * TRNG_EXT_POLL_CLOCKS;
            caliptra_fw_soc_ifc_wr(fw, A_CPTRA_TRNG_STATUS,
                                   R_CPTRA_TRNG_STATUS_DATA_REQ_MASK);
            caliptra_uc_set_waiting(&fw->uc, true);
        }
        status = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_TRNG_STATUS);
        if (!FIELD_EX32(status, CPTRA_TRNG_STATUS, DATA_WR_DONE)) {
            if (caliptra_uc_clock_ticks(&fw->uc) >= fw->trng_deadline) {
                fw_end_request(fw);
                return CALIPTRA_ERR_DRIVER_TRNG_EXT_TIMEOUT;
            }
            deadline = caliptra_uc_clock_deadline(&fw->uc, fw->trng_deadline);
            if (deadline != INT64_MAX) {
                timer_mod(&fw->timer, deadline);
            }
            return CALIPTRA_FW_WAIT;
        }
        for (int i = 0; i < CALIPTRA_TRNG_WORDS; i++) {
            words[i] = caliptra_fw_soc_ifc_rd(fw, A_CPTRA_TRNG_DATA + 4 * i);
        }
        fw_end_request(fw);
        caliptra_fw_soc_ifc_wr(fw, A_CPTRA_TRNG_STATUS, 0);
        break;
    }
    trace_caliptra_fw_draw(fw->id, fw->trng_kind);
    fw->trng_have++;
    return CALIPTRA_FW_OK;
}

/* ---- scheduler ---- */

static const CaliptraFwFlow *fw_flow(CaliptraFw *fw)
{
    return fw_flows[fw->flow];
}

static void fw_schedule(CaliptraFw *fw, uint32_t latency)
{
    int64_t ns = (int64_t)latency * fw->latency / 100;

    fw->waiting = false;
    timer_mod(&fw->timer, caliptra_uc_begin_work(&fw->uc, ns));
}

/* go on with a flow's step, or with the next one that is not left out */
static void fw_enter(CaliptraFw *fw, CaliptraFwFlowId flow, unsigned step)
{
    const CaliptraFwStep *st;

    fw->flow = flow;
    fw->step = step;
    for (;;) {
        if (fw->step == fw_flow(fw)->n_steps) {
            fw->flow = fw_flow(fw)->next;
            fw->step = 0;
        }
        st = &fw_flow(fw)->steps[fw->step];
        if (!st->when || st->when(fw)) {
            break;
        }
        fw->step++;
    }
    fw->trng_have = 0;
    fw->trng_want = st->draws;
    fw_schedule(fw, st->latency);
}

uint32_t caliptra_fw_goto(CaliptraFw *fw, CaliptraFwFlowId flow)
{
    fw->flow = flow;
    return CALIPTRA_FW_GOTO;
}

static CaliptraFwFlowId fw_fatal(CaliptraFw *fw)
{
    return fw_flow(fw)->stage == CALIPTRA_STAGE_ROM ? CALIPTRA_FLOW_ROM_FATAL :
           CALIPTRA_FLOW_FATAL;
}

static void fw_fail(CaliptraFw *fw, uint32_t error)
{
    const CaliptraFwFlow *flow = fw_flow(fw);

    if (error == CALIPTRA_ERR_DRIVER_TRNG_EXT_TIMEOUT &&
        flow->steps[fw->step].fn == caliptra_fw_step_cfi_seed) {
        error = CALIPTRA_ERR_ROM_CFI_PANIC_TRNG_FAILURE;
    }
    trace_caliptra_fw_error(fw->id, flow->name, flow->steps[fw->step].name,
                            error, caliptra_error_name(error));
    fw->error = error;
    fw_enter(fw, flow->fail ? flow->fail(fw, error) : fw_fatal(fw), 0);
}

/* non-maskable interrupt: the handler of the stage that runs */
static uint32_t fw_nmi(CaliptraFw *fw)
{
    static const struct {
        uint32_t wdt;
        uint32_t other;
    } errors[] = {
        [CALIPTRA_STAGE_ROM] = { CALIPTRA_ERR_ROM_GLOBAL_WDT_EXPIRED,
                                 CALIPTRA_ERR_ROM_GLOBAL_NMI },
        [CALIPTRA_STAGE_FMC] = { CALIPTRA_ERR_FMC_GLOBAL_WDT_EXPIRED,
                                 CALIPTRA_ERR_FMC_GLOBAL_NMI },
        [CALIPTRA_STAGE_RT] = { CALIPTRA_ERR_RUNTIME_GLOBAL_WDT_EXPIRED,
                                CALIPTRA_ERR_RUNTIME_GLOBAL_NMI },
    };
    CaliptraFwStage stage = fw_flow(fw)->stage;
    uint32_t sts = caliptra_fw_soc_ifc_rd(fw, A_INTR_ERROR_INTERNAL);

    /* mcause, mscause, mepc, ra: this firmware has no program counter */
    for (int i = 0; i < 4; i++) {
        caliptra_fw_ext_error(fw, i, 0);
    }
    caliptra_fw_ext_error(fw, 4, sts);
    if (extract32(sts, SOC_IFC_ERROR_WDT_TIMER1_TIMEOUT, 1) ||
        extract32(sts, SOC_IFC_ERROR_WDT_TIMER2_TIMEOUT, 1)) {
        return errors[stage].wdt;
    }
    return errors[stage].other;
}

/* run the step that is due */
static uint32_t fw_step(CaliptraFw *fw)
{
    const CaliptraFwStep *st = &fw_flow(fw)->steps[fw->step];
    uint32_t ret, error;

    for (;;) {
        while (fw->trng_have < fw->trng_want && !fw->trng_error) {
            ret = fw_draw(fw);
            if (ret == CALIPTRA_FW_WAIT) {
                return ret;
            }
            if (ret != CALIPTRA_FW_OK && fw->trng_have < st->draws) {
                return st->draw_error ? st->draw_error(fw->trng_have, ret) :
                       ret;
            }
            fw->trng_error = ret;
        }
        ret = st->fn ? st->fn(fw) : CALIPTRA_FW_OK;
        error = fw->trng_error;
        fw->trng_error = 0;
        if (ret != CALIPTRA_FW_ENTROPY || fw->restarted) {
            return ret;
        }
        if (error) {
            return error;
        }
    }
}

static void fw_timer(void *opaque)
{
    CaliptraFw *fw = opaque;
    const CaliptraFwFlow *flow = fw_flow(fw);
    const CaliptraFwStep *st = &flow->steps[fw->step];
    uint32_t ret;

    caliptra_uc_end_work(&fw->uc);
    if (fw->nmi) {
        fw->nmi = false;
        fw->error = fw_nmi(fw);
        fw_enter(fw, fw_fatal(fw), 0);
        return;
    }

    fw->waiting = false;
    fw->restarted = false;
    fw->woken = false;
    trace_caliptra_fw_step(fw->id, flow->name, st->name);
    ret = fw_step(fw);

    /* the step has reset the microcontroller, or the SoC has meanwhile */
    if (fw->restarted) {
        fw->restarted = false;
        return;
    }

    switch (ret) {
    case CALIPTRA_FW_OK:
        if (st->status) {
            caliptra_fw_boot_status(fw, st->status);
        }
        fw_enter(fw, fw->flow, fw->step + 1);
        break;
    case CALIPTRA_FW_GOTO:
        fw_enter(fw, fw->flow, 0);
        break;
    case CALIPTRA_FW_WAIT:
        fw->waiting = true;
        if (fw->woken) {
            fw_schedule(fw, FW_WAKE_LATENCY);
        }
        break;
    default:
        fw_fail(fw, ret);
        break;
    }
    fw->woken = false;
}

static void fw_stop(CaliptraFw *fw)
{
    timer_del(&fw->timer);
    caliptra_uc_stop_work(&fw->uc);
    fw->running = false;
    fw->waiting = false;
    fw->nmi = false;
    fw_end_request(fw);
    fw->restarted = true;
}

static void fw_event(CaliptraUc *uc, CaliptraUcEvent event)
{
    CaliptraFw *fw = CALIPTRA_NATIVE_FW(uc);

    trace_caliptra_fw_event(fw->id, event);
    switch (event) {
    case CALIPTRA_UC_START:
        fw_stop(fw);
        fw->running = true;
        fw->error = 0;
        fw_enter(fw, CALIPTRA_FLOW_ROM_ENTRY, 0);
        break;
    case CALIPTRA_UC_STOP:
        fw_stop(fw);
        break;
    case CALIPTRA_UC_WAKE:
        fw->woken = true;
        if (fw->waiting) {
            fw_schedule(fw, FW_WAKE_LATENCY);
        }
        break;
    case CALIPTRA_UC_NMI:
        if (fw->running) {
            fw->nmi = true;
            fw->woken = true;
            fw_schedule(fw, FW_WAKE_LATENCY);
        }
        break;
    }
}

/* ---- fatal error paths (rom/dev/src/main.rs, common/src/error_handler.rs) */

static uint32_t fw_fatal_report(CaliptraFw *fw)
{
    fw_error_reg(fw, A_CPTRA_FW_ERROR_FATAL, fw->error);
    fw_error_reg(fw, A_CPTRA_FW_ERROR_NON_FATAL, fw->error);
    caliptra_drv_zeroize_engines(fw);
    caliptra_drv_kv_erase_all(fw);
    return CALIPTRA_FW_OK;
}

/* for good: blocks while the SoC holds it */
static uint32_t fw_fatal_lock_sha_acc(CaliptraFw *fw)
{
    uint32_t status;

    if (caliptra_fw_sha_acc_lock(fw)) {
        return CALIPTRA_FW_OK;
    }
    status = caliptra_fw_rd(fw, CALIPTRA_SHA_ACC_BASE + A_SHA_ACC_STATUS);
    return FIELD_EX32(status, SHA_ACC_STATUS, SOC_HAS_LOCK) ?
           CALIPTRA_FW_WAIT : CALIPTRA_FW_OK;
}

static uint32_t fw_fatal_stop_wdt(CaliptraFw *fw)
{
    caliptra_fw_wdt_stop(fw);
    return CALIPTRA_FW_OK;
}

static uint32_t fw_fatal_loop(CaliptraFw *fw)
{
    if (caliptra_fw_mbox_fsm(fw) == MBOX_EXECUTE_UC) {
        caliptra_fw_mbox_finish(fw, MBOX_STATUS_CMD_FAILURE);
    }
    return CALIPTRA_FW_WAIT;
}

/* ROM takes the SHA accelerator as soon as it is free, and does not wait */
static uint32_t fw_rom_fatal_loop(CaliptraFw *fw)
{
    caliptra_fw_sha_acc_lock(fw);
    return fw_fatal_loop(fw);
}

static const CaliptraFwStep fw_rom_fatal_steps[] = {
    { "report the error", fw_fatal_report, .latency = 1000 },
    { "stop the watchdog", fw_fatal_stop_wdt, .latency = 100 },
    { "fail every command", fw_rom_fatal_loop, .latency = 100 },
};

const CaliptraFwFlow caliptra_flow_rom_fatal = {
    .name = "ROM fatal error",
    .stage = CALIPTRA_STAGE_ROM,
    .steps = fw_rom_fatal_steps,
    .n_steps = ARRAY_SIZE(fw_rom_fatal_steps),
};

static const CaliptraFwStep fw_fatal_steps[] = {
    { "report the error", fw_fatal_report, .latency = 1000 },
    { "take the SHA accelerator", fw_fatal_lock_sha_acc, .latency = 100 },
    { "stop the watchdog", fw_fatal_stop_wdt, .latency = 100 },
    { "fail every command", fw_fatal_loop, .latency = 100 },
};

const CaliptraFwFlow caliptra_flow_fatal = {
    .name = "fatal error",
    .stage = CALIPTRA_STAGE_RT,
    .steps = fw_fatal_steps,
    .n_steps = ARRAY_SIZE(fw_fatal_steps),
};

/* ---- migration ---- */

static const VMStateDescription vmstate_pcr_log_entry = {
    .name = "caliptra-pcr-log-entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT16(id, CaliptraPcrLogEntry),
        VMSTATE_UINT32(pcr_ids, CaliptraPcrLogEntry),
        VMSTATE_UINT8_ARRAY(data, CaliptraPcrLogEntry, 48),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_meas_log_entry = {
    .name = "caliptra-measurement-log-entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(pcr_entry, CaliptraMeasLogEntry, 1,
                       vmstate_pcr_log_entry, CaliptraPcrLogEntry),
        VMSTATE_UINT8_ARRAY(metadata, CaliptraMeasLogEntry, 4),
        VMSTATE_UINT8_ARRAY(context, CaliptraMeasLogEntry, 48),
        VMSTATE_UINT32(svn, CaliptraMeasLogEntry),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_fuse_log_entry = {
    .name = "caliptra-fuse-log-entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(id, CaliptraFuseLogEntry),
        VMSTATE_UINT32(data, CaliptraFuseLogEntry),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_auth_entry = {
    .name = "caliptra-auth-entry",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(fw_id, CaliptraAuthEntry),
        VMSTATE_UINT32(flags, CaliptraAuthEntry),
        VMSTATE_UINT8_ARRAY(digest, CaliptraAuthEntry, 48),
        VMSTATE_END_OF_LIST()
    },
};

/* lengths and counts that index arrays must fit what they index */
static bool pdata_valid(const CaliptraPdata *pd)
{
    return pd->ldevid_tbs_size <= CALIPTRA_TBS_MAX &&
           pd->fmcalias_tbs_size <= CALIPTRA_TBS_MAX &&
           pd->rtalias_tbs_size <= CALIPTRA_TBS_MAX &&
           pd->pcr_log_index <= CALIPTRA_PCR_LOG_ENTRIES &&
           pd->meas_log_index <= CALIPTRA_MEAS_LOG_ENTRIES &&
           pd->auth_entry_count <= CALIPTRA_AUTH_MAX_ENTRIES &&
           (pd->idevid_csr_len <= CALIPTRA_CSR_MAX ||
            pd->idevid_csr_len == CALIPTRA_CSR_UNPROVISIONED) &&
           (pd->fmc_alias_csr_len <= CALIPTRA_FMC_CSR_MAX ||
            pd->fmc_alias_csr_len == CALIPTRA_CSR_UNPROVISIONED);
}

static int pdata_post_load(void *opaque, int version_id)
{
    return pdata_valid(opaque) ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_pdata = {
    .name = "caliptra-persistent-data",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = pdata_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(manifest1, CaliptraPdata, CALIPTRA_MANIFEST_SIZE),
        VMSTATE_UINT8_ARRAY(manifest2, CaliptraPdata, CALIPTRA_MANIFEST_SIZE),
        VMSTATE_BOOL(fht_valid, CaliptraPdata),
        VMSTATE_UINT16(ldevid_tbs_size, CaliptraPdata),
        VMSTATE_UINT16(fmcalias_tbs_size, CaliptraPdata),
        VMSTATE_UINT16(rtalias_tbs_size, CaliptraPdata),
        VMSTATE_UINT32(pcr_log_index, CaliptraPdata),
        VMSTATE_UINT32(meas_log_index, CaliptraPdata),
        VMSTATE_UINT8_ARRAY(idev_pub_key.x, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(idev_pub_key.y, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(rt_pub_key.x, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(rt_pub_key.y, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(rt_dice_sign.r, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(rt_dice_sign.s, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(ldevid_tbs, CaliptraPdata, CALIPTRA_TBS_MAX),
        VMSTATE_UINT8_ARRAY(fmcalias_tbs, CaliptraPdata, CALIPTRA_TBS_MAX),
        VMSTATE_UINT8_ARRAY(rtalias_tbs, CaliptraPdata, CALIPTRA_TBS_MAX),
        VMSTATE_STRUCT_ARRAY(pcr_log, CaliptraPdata, CALIPTRA_PCR_LOG_ENTRIES,
                             1, vmstate_pcr_log_entry, CaliptraPcrLogEntry),
        VMSTATE_STRUCT_ARRAY(meas_log, CaliptraPdata,
                             CALIPTRA_MEAS_LOG_ENTRIES, 1,
                             vmstate_meas_log_entry, CaliptraMeasLogEntry),
        VMSTATE_STRUCT_ARRAY(fuse_log, CaliptraPdata,
                             CALIPTRA_FUSE_LOG_ENTRIES, 1,
                             vmstate_fuse_log_entry, CaliptraFuseLogEntry),
        VMSTATE_STRUCT(dpe, CaliptraPdata, 1, vmstate_caliptra_dpe,
                       CaliptraDpe),
        VMSTATE_BOOL(attestation_disabled, CaliptraPdata),
        VMSTATE_UINT32_ARRAY(pcr_reset_counter, CaliptraPdata, 32),
        VMSTATE_STRUCT_ARRAY(auth_entries, CaliptraPdata,
                             CALIPTRA_AUTH_MAX_ENTRIES, 1,
                             vmstate_auth_entry, CaliptraAuthEntry),
        VMSTATE_UINT32(auth_entry_count, CaliptraPdata),
        VMSTATE_UINT32(idevid_csr_len, CaliptraPdata),
        VMSTATE_UINT8_ARRAY(idevid_csr, CaliptraPdata, CALIPTRA_CSR_MAX),
        VMSTATE_UINT32(fmc_alias_csr_len, CaliptraPdata),
        VMSTATE_UINT8_ARRAY(fmc_alias_csr, CaliptraPdata,
                            CALIPTRA_FMC_CSR_MAX),
        VMSTATE_BOOL(cmd_active, CaliptraPdata),
        VMSTATE_BOOL(exported_cdi.valid, CaliptraPdata),
        VMSTATE_UINT8_ARRAY(exported_cdi.handle, CaliptraPdata, 32),
        VMSTATE_UINT8_ARRAY(auth_manifest_digest, CaliptraPdata, 48),
        VMSTATE_UINT8_ARRAY(dpe_limits, CaliptraPdata, 2),
        VMSTATE_END_OF_LIST()
    },
};

static int rt_data_post_load(void *opaque, int version_id)
{
    CaliptraRtData *rt = opaque;

    return rt->cert_chain_len <= CALIPTRA_CERT_CHAIN_MAX &&
           rt->dmtf_device_info_len <= CALIPTRA_DMTF_MAX &&
           rt->self_test_state <= CALIPTRA_SELF_TEST_DONE ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_rt_data = {
    .name = "caliptra-runtime-data",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = rt_data_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(cert_chain_len, CaliptraRtData),
        VMSTATE_UINT8_ARRAY(cert_chain, CaliptraRtData,
                            CALIPTRA_CERT_CHAIN_MAX),
        VMSTATE_UINT32(dmtf_device_info_len, CaliptraRtData),
        VMSTATE_UINT8_ARRAY(dmtf_device_info, CaliptraRtData,
                            CALIPTRA_DMTF_MAX),
        VMSTATE_BOOL(exported_cdi.valid, CaliptraRtData),
        VMSTATE_UINT8_ARRAY(exported_cdi.handle, CaliptraRtData, 32),
        VMSTATE_UINT8(self_test_state, CaliptraRtData),
        VMSTATE_BOOL(lms_kat_done, CaliptraRtData),
        VMSTATE_BOOL(shut_down, CaliptraRtData),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_image_part = {
    .name = "caliptra-image-part",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(load_addr, CaliptraImagePart),
        VMSTATE_UINT32(entry_point, CaliptraImagePart),
        VMSTATE_UINT32(offset, CaliptraImagePart),
        VMSTATE_UINT32(size, CaliptraImagePart),
        VMSTATE_UINT32(svn, CaliptraImagePart),
        VMSTATE_UINT32(version, CaliptraImagePart),
        VMSTATE_UINT32(reserved, CaliptraImagePart),
        VMSTATE_UINT32(effective_fuse_svn, CaliptraImagePart),
        VMSTATE_UINT32(fuse_svn, CaliptraImagePart),
        VMSTATE_UINT8_ARRAY(digest, CaliptraImagePart, 48),
        VMSTATE_END_OF_LIST()
    },
};

static const VMStateDescription vmstate_image_info = {
    .name = "caliptra-image-info",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(vendor_ecc_index, CaliptraImageInfo),
        VMSTATE_UINT32(vendor_lms_index, CaliptraImageInfo),
        VMSTATE_BOOL(owner_hash_in_fuses, CaliptraImageInfo),
        VMSTATE_UINT8_ARRAY(owner_pk_hash, CaliptraImageInfo, 48),
        VMSTATE_STRUCT(fmc, CaliptraImageInfo, 1, vmstate_image_part,
                       CaliptraImagePart),
        VMSTATE_STRUCT(rt, CaliptraImageInfo, 1, vmstate_image_part,
                       CaliptraImagePart),
        VMSTATE_END_OF_LIST()
    },
};

static int fw_post_load(void *opaque, int version_id)
{
    CaliptraFw *fw = opaque;
    const CaliptraImageInfo *im = &fw->image;

    if (!caliptra_release_check(fw)) {
        return -EINVAL;
    }
    if (fw->flow >= CALIPTRA_FLOW_NUM || fw->step >= fw_flow(fw)->n_steps ||
        fw->trng_have > fw->trng_want ||
        fw->trng_want > CALIPTRA_TRNG_POOL || fw->trng_kind > TRNG_FAKE ||
        fw->req_len > CALIPTRA_REQ_MAX) {
        return -EINVAL;
    }
    /* a step takes for granted what its row has it collect */
    if (fw->running &&
        fw->trng_want < fw_flow(fw)->steps[fw->step].draws) {
        return -EINVAL;
    }
    /* it is due, or waits for an event; in reset neither */
    if (fw->running ? !fw->waiting && !timer_pending(&fw->timer) :
                      fw->waiting || fw->nmi || fw->trng_requested ||
                      timer_pending(&fw->timer)) {
        return -EINVAL;
    }
    /* zero sizes: nothing has been verified yet */
    if ((im->fmc.size &&
         !caliptra_fw_in_iccm(im->fmc.load_addr, im->fmc.size)) ||
        (im->rt.size && !caliptra_fw_in_iccm(im->rt.load_addr, im->rt.size))) {
        return -EINVAL;
    }
    caliptra_uc_set_waiting(&fw->uc, fw->trng_requested);
    return 0;
}

static const VMStateDescription vmstate_fw = {
    .name = TYPE_CALIPTRA_NATIVE_FW,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = fw_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_TIMER(timer, CaliptraFw),
        VMSTATE_UINT8(flow, CaliptraFw),
        VMSTATE_UINT16(step, CaliptraFw),
        VMSTATE_BOOL(running, CaliptraFw),
        VMSTATE_BOOL(waiting, CaliptraFw),
        VMSTATE_BOOL(nmi, CaliptraFw),
        VMSTATE_UINT32(boot_status, CaliptraFw),
        VMSTATE_UINT32(error, CaliptraFw),
        VMSTATE_UINT8(trng_kind, CaliptraFw),
        VMSTATE_UINT32_ARRAY(cfi_prng, CaliptraFw, 4),
        VMSTATE_UINT32(trng_want, CaliptraFw),
        VMSTATE_UINT32(trng_have, CaliptraFw),
        VMSTATE_BOOL(trng_requested, CaliptraFw),
        VMSTATE_UINT64(trng_deadline, CaliptraFw),
        VMSTATE_UINT32_2DARRAY(trng_pool, CaliptraFw, CALIPTRA_TRNG_POOL,
                               CALIPTRA_TRNG_WORDS),
        VMSTATE_UINT32(req_len, CaliptraFw),
        VMSTATE_UINT8_ARRAY(req, CaliptraFw, CALIPTRA_REQ_MAX),
        VMSTATE_BOOL(rom_self_test_started, CaliptraFw),
        VMSTATE_BOOL(csr_requested, CaliptraFw),
        VMSTATE_UINT8(fmc_release, CaliptraFw),
        VMSTATE_UINT8(rt_release, CaliptraFw),
        VMSTATE_UINT64(rt_lacks, CaliptraFw),
        VMSTATE_UINT8_ARRAY(fmc_issuer.x, CaliptraFw, 48),
        VMSTATE_UINT8_ARRAY(fmc_issuer.y, CaliptraFw, 48),
        VMSTATE_STRUCT(pdata, CaliptraFw, 1, vmstate_pdata, CaliptraPdata),
        VMSTATE_STRUCT(rt, CaliptraFw, 1, vmstate_rt_data, CaliptraRtData),
        VMSTATE_STRUCT(image, CaliptraFw, 1, vmstate_image_info,
                       CaliptraImageInfo),
        VMSTATE_UINT8_ARRAY(iccm, CaliptraFw, CALIPTRA_ICCM_SIZE),
        VMSTATE_END_OF_LIST()
    },
};

/* ---- the device ---- */

static void fw_reset_hold(Object *obj, ResetType type)
{
    CaliptraFw *fw = CALIPTRA_NATIVE_FW(obj);

    /* no event is pending until the core leaves reset */
    fw_stop(fw);
    fw->restarted = false;
}

static void fw_realize(DeviceState *dev, Error **errp)
{
    CaliptraFw *fw = CALIPTRA_NATIVE_FW(dev);

    if (fw->dpe_max_handles && (fw->dpe_max_handles < DPE_MIN_SLOTS ||
                                fw->dpe_max_handles > DPE_MAX_SLOTS)) {
        error_setg(errp, "caliptra: dpe-max-handles must be %u to %u, not %u",
                   DPE_MIN_SLOTS, DPE_MAX_SLOTS, fw->dpe_max_handles);
        return;
    }
    caliptra_fw_rom_info_default(&fw->rom);
    if (fw->rom_file && !caliptra_fw_load_rom(fw, fw->rom_file, errp)) {
        return;
    }
    timer_init_ns(&fw->timer, QEMU_CLOCK_VIRTUAL, fw_timer, fw);
    g_free(fw->id);
    fw->id = object_get_canonical_path(OBJECT(dev));
}

static void fw_unrealize(DeviceState *dev)
{
    CaliptraFw *fw = CALIPTRA_NATIVE_FW(dev);

    fw_stop(fw);
    g_free(fw->rom.image);
    fw->rom.image = NULL;
}

static void fw_init(Object *obj)
{
    CaliptraFw *fw = CALIPTRA_NATIVE_FW(obj);

    CALIPTRA_UC(obj)->ready_at_poll = true;
    fw->fmc_release = fw->rt_release = CALIPTRA_RELEASE_1_2_0;
}

static void fw_finalize(Object *obj)
{
    g_free(CALIPTRA_NATIVE_FW(obj)->id);
}

static const Property fw_properties[] = {
    DEFINE_PROP_LINK("log", CaliptraFw, log, TYPE_CALIPTRA_LOG,
                     CaliptraLog *),
    DEFINE_PROP_STRING("rom", CaliptraFw, rom_file),
    DEFINE_PROP_UINT32("firmware-latency", CaliptraFw, latency, 100),
    /* build option ARBITRARY_MAX_HANDLES, as it takes effect in DPE */
    DEFINE_PROP_UINT8("dpe-max-handles", CaliptraFw, dpe_max_handles, 0),
};

static void fw_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    CALIPTRA_UC_CLASS(klass)->event = fw_event;
    dc->desc = "Native model of Caliptra's ROM, FMC and runtime firmware";
    dc->realize = fw_realize;
    dc->unrealize = fw_unrealize;
    dc->vmsd = &vmstate_fw;
    dc->user_creatable = false;
    rc->phases.hold = fw_reset_hold;

    device_class_set_props(dc, fw_properties);
    object_class_property_set_description(klass, "log",
        "Where the stages of a boot are told");
    object_class_property_set_description(klass, "rom",
        "Image of a genuine ROM, for the identity that is reported");
    object_class_property_set_description(klass, "firmware-latency",
        "Scale of the modelled latencies, percent");
    object_class_property_set_description(klass, "dpe-max-handles",
        "Contexts that the DPE has room for: 24 to 32 (default: 0, those of "
        "the runtime's release)");
    caliptra_dice_add_properties(klass);
    caliptra_release_add_properties(klass);
}

static const TypeInfo fw_types[] = {
    {
        .name = TYPE_CALIPTRA_NATIVE_FW,
        .parent = TYPE_CALIPTRA_UC,
        .instance_size = sizeof(CaliptraFw),
        .instance_init = fw_init,
        .instance_finalize = fw_finalize,
        .class_init = fw_class_init,
    },
};

DEFINE_TYPES(fw_types)
