/*
 * Caliptra 1.x core: SoC interface registers
 *
 * The registers of caliptra-rtl v1.1 soc_ifc_external_reg.rdl,
 * soc_ifc_fuse_reg.rdl and soc_ifc_internal_reg.rdl, one table row each, and
 * what soc_ifc_top.sv does around them: fuse locks, user filters, error
 * wires, TRNG handshake, watchdog (wdt.sv) and the machine timer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "caliptra_internal.h"
#include "caliptra_reg.h"
#include "trace.h"

#define ALL             CALIPTRA_REG_ALL
#define NO_USER         0xFFFFFFFF  /* reset value of *_VALID_PAUSER */

#define FLOW_STATUS_UC  (ALL & ~(R_CPTRA_FLOW_STATUS_BOOT_FSM_PS_MASK | \
                                 R_CPTRA_FLOW_STATUS_READY_FOR_FUSES_MASK))
#define HW_FATAL_ALL    (R_CPTRA_HW_ERROR_FATAL_ICCM_ECC_UNC_MASK | \
                         R_CPTRA_HW_ERROR_FATAL_DCCM_ECC_UNC_MASK | \
                         R_CPTRA_HW_ERROR_FATAL_NMI_PIN_MASK | \
                         R_CPTRA_HW_ERROR_FATAL_CRYPTO_ERR_MASK)
#define HW_NON_FATAL_ALL (R_CPTRA_HW_ERROR_NON_FATAL_MBOX_PROT_NO_LOCK_MASK | \
                          R_CPTRA_HW_ERROR_NON_FATAL_MBOX_PROT_OOO_MASK | \
                          R_CPTRA_HW_ERROR_NON_FATAL_MBOX_ECC_UNC_MASK)
/* crypto_err cannot be masked */
#define HW_FATAL_MASKABLE (HW_FATAL_ALL & \
                           ~R_CPTRA_HW_ERROR_FATAL_CRYPTO_ERR_MASK)

/* caliptra-rtl soc_ifc_reg.rdl: hardware generation 1.1 */
#define HW_REV_ID_GENERATION    0x0011
/* cycles between the microcontroller's reset and its restart */
#define WAIT_CYCLES_RESET       5

/* Debug port addresses: caliptra-rtl soc_ifc_pkg.sv, DMI_REG_* */
enum {
    DMI_REG_MBOX_DLEN = 0x50,
    DMI_REG_MBOX_DOUT = 0x51,
    DMI_REG_MBOX_STATUS = 0x52,
    DMI_REG_BOOT_STATUS = 0x53,
    DMI_REG_CPTRA_HW_ERROR_ENC = 0x54,
    DMI_REG_CPTRA_FW_ERROR_ENC = 0x55,
    DMI_REG_CPTRA_DBG_MANUF_SERVICE_REG = 0x60,
    DMI_REG_BOOTFSM_GO = 0x61,
};

#define REG(s, name)            ((s)->soc_ifc.regs[R_##name])
#define REG_FIELD(s, reg, fld)  FIELD_EX32(REG(s, reg), reg, fld)

/* ---- security and users ---- */

bool caliptra_debug_or_scan(CaliptraState *s)
{
    return !s->debug_locked || s->in_scan_mode;
}

bool caliptra_soc_ifc_mbox_user_ok(CaliptraState *s, uint32_t pauser)
{
    const uint32_t *user = &REG(s, CPTRA_MBOX_VALID_PAUSER);
    const uint32_t *lock = &REG(s, CPTRA_MBOX_PAUSER_LOCK);
    unsigned i;

    if (pauser == NO_USER) {
        /* the filter's parameter CPTRA_DEF_MBOX_VALID_PAUSER */
        return true;
    }
    for (i = 0; i < CALIPTRA_MBOX_USERS; i++) {
        if (lock[i] && user[i] == pauser) {
            return true;
        }
    }
    return false;
}

bool caliptra_soc_ifc_fuse_user_ok(CaliptraState *s, uint32_t pauser)
{
    return !REG(s, CPTRA_FUSE_PAUSER_LOCK) ||
           REG(s, CPTRA_FUSE_VALID_PAUSER) == pauser;
}

static bool trng_user_ok(CaliptraState *s, uint32_t pauser)
{
    return !REG(s, CPTRA_TRNG_PAUSER_LOCK) ||
           REG(s, CPTRA_TRNG_VALID_PAUSER) == pauser;
}

/* ---- secrets ---- */

static bool secrets_held_clear(CaliptraState *s)
{
    return caliptra_debug_or_scan(s) || s->soc_ifc.error_fatal;
}

void caliptra_soc_ifc_clear_secrets(CaliptraState *s)
{
    memset(&REG(s, INTERNAL_OBF_KEY), 0, CALIPTRA_OBF_KEY_WORDS * 4);
    memset(&REG(s, FUSE_UDS_SEED), 0, CALIPTRA_UDS_WORDS * 4);
    memset(&REG(s, FUSE_FIELD_ENTROPY), 0, CALIPTRA_FE_WORDS * 4);
}

/* With debug unlocked a well-known secret takes the place of each */
static void secret_or_ones(CaliptraState *s, uint32_t *out,
                           const uint32_t *regs, size_t n)
{
    if (caliptra_debug_or_scan(s)) {
        memset(out, 0xFF, n * sizeof(*out));
    } else {
        memcpy(out, regs, n * sizeof(*out));
    }
}

void caliptra_soc_ifc_obf_key(CaliptraState *s, uint32_t key[8])
{
    secret_or_ones(s, key, &REG(s, INTERNAL_OBF_KEY), CALIPTRA_OBF_KEY_WORDS);
}

void caliptra_soc_ifc_uds_seed(CaliptraState *s, uint32_t seed[12])
{
    secret_or_ones(s, seed, &REG(s, FUSE_UDS_SEED), CALIPTRA_UDS_WORDS);
}

void caliptra_soc_ifc_field_entropy(CaliptraState *s, uint32_t seed[8])
{
    secret_or_ones(s, seed, &REG(s, FUSE_FIELD_ENTROPY), CALIPTRA_FE_WORDS);
}

/* ---- errors ---- */

static void error_fatal(CaliptraState *s)
{
    if (s->soc_ifc.error_fatal) {
        return;
    }
    s->soc_ifc.error_fatal = true;
    caliptra_changed(s);
    trace_caliptra_soc_ifc_error_fatal(s->id, REG(s, CPTRA_HW_ERROR_FATAL),
                                       REG(s, CPTRA_FW_ERROR_FATAL));
    caliptra_flush(s);
}

void caliptra_soc_ifc_hw_error_fatal(CaliptraState *s, uint32_t bits)
{
    REG(s, CPTRA_HW_ERROR_FATAL) |= bits;
    if (bits & ~REG(s, INTERNAL_HW_ERROR_FATAL_MASK)) {
        error_fatal(s);
    }
}

void caliptra_soc_ifc_hw_error_non_fatal(CaliptraState *s, uint32_t bits)
{
    REG(s, CPTRA_HW_ERROR_NON_FATAL) |= bits;
    if (bits & ~REG(s, INTERNAL_HW_ERROR_NON_FATAL_MASK)) {
        s->soc_ifc.error_non_fatal = true;
        caliptra_changed(s);
    }
}

/* A bit that is new and not masked raises the wire, whoever writes it */
static void fw_error_fatal_pre_write(CaliptraState *s, const CaliptraReg *r,
                                     unsigned i, uint32_t data, bool soc)
{
    if (data & ~REG(s, INTERNAL_FW_ERROR_FATAL_MASK) &
        ~REG(s, CPTRA_FW_ERROR_FATAL)) {
        error_fatal(s);
    }
}

static void fw_error_non_fatal_pre_write(CaliptraState *s, const CaliptraReg *r,
                                         unsigned i, uint32_t data, bool soc)
{
    if (data & ~REG(s, INTERNAL_FW_ERROR_NON_FATAL_MASK) &
        ~REG(s, CPTRA_FW_ERROR_NON_FATAL)) {
        s->soc_ifc.error_non_fatal = true;
    }
}

/* The non-fatal wire falls when all that is set is cleared or masked */
static void error_non_fatal_post_write(CaliptraState *s, const CaliptraReg *r,
                                       unsigned i, uint32_t data, bool soc)
{
    if (!(REG(s, CPTRA_HW_ERROR_NON_FATAL) &
          ~REG(s, INTERNAL_HW_ERROR_NON_FATAL_MASK)) &&
        !(REG(s, CPTRA_FW_ERROR_NON_FATAL) &
          ~REG(s, INTERNAL_FW_ERROR_NON_FATAL_MASK))) {
        s->soc_ifc.error_non_fatal = false;
    }
}

/* ---- watchdog (wdt.sv) ---- */

static uint64_t reg64(CaliptraState *s, unsigned r)
{
    return s->soc_ifc.regs[r] | (uint64_t)s->soc_ifc.regs[r + 1] << 32;
}

static uint64_t wdt_period(CaliptraState *s, unsigned t)
{
    return reg64(s, t ? R_CPTRA_WDT_TIMER2_TIMEOUT_PERIOD :
                        R_CPTRA_WDT_TIMER1_TIMEOUT_PERIOD);
}

static bool wdt_timed_out(CaliptraState *s, unsigned t)
{
    return s->soc_ifc.wdt_count[t] == wdt_period(s, t);
}

/* Timer 2 on its own, not as the second stage of timer 1 */
static bool wdt_independent(CaliptraState *s)
{
    return REG_FIELD(s, CPTRA_WDT_TIMER2_EN, TIMER2_EN);
}

static bool wdt_counts(CaliptraState *s, unsigned t)
{
    if (t == 0) {
        return REG_FIELD(s, CPTRA_WDT_TIMER1_EN, TIMER1_EN);
    }
    return wdt_independent(s) || wdt_timed_out(s, 0);
}

bool caliptra_soc_ifc_nmi_intr(CaliptraState *s)
{
    return wdt_timed_out(s, 1) && !wdt_independent(s);
}

/* Let a counter run for @ticks; how many of them it did not use */
static uint64_t wdt_run(CaliptraState *s, unsigned t, uint64_t ticks)
{
    uint64_t left = wdt_period(s, t) - s->soc_ifc.wdt_count[t];
    uint64_t used = MIN(left, ticks);

    if (!wdt_counts(s, t)) {
        return left ? 0 : ticks;
    }
    s->soc_ifc.wdt_count[t] += used;
    return ticks - used;
}

/* Bring the counters to the present */
static void wdt_sync(CaliptraState *s)
{
    uint64_t now = caliptra_clock_ticks(s);
    uint64_t ticks = now - s->soc_ifc.wdt_ticks;
    uint64_t rest;

    s->soc_ifc.wdt_ticks = now;
    rest = wdt_run(s, 0, ticks);
    wdt_run(s, 1, wdt_independent(s) ? ticks : rest);
}

/* Report new timeouts and look for the next one */
static void wdt_update(CaliptraState *s)
{
    CaliptraSocIfc *r = &s->soc_ifc;
    uint64_t next = UINT64_MAX;
    uint64_t left;
    unsigned t;

    caliptra_changed(s);
    for (t = 0; t < 2; t++) {
        bool timeout = wdt_timed_out(s, t);

        if (timeout && !r->wdt_timeout[t]) {
            trace_caliptra_soc_ifc_wdt_timeout(s->id, t + 1);
            if (t == 0) {
                caliptra_soc_ifc_intr_error(s,
                    SOC_IFC_ERROR_WDT_TIMER1_TIMEOUT);
            } else if (wdt_independent(s)) {
                caliptra_soc_ifc_intr_error(s,
                    SOC_IFC_ERROR_WDT_TIMER2_TIMEOUT);
            }
        }
        r->wdt_timeout[t] = timeout;
        if (!timeout && wdt_counts(s, t)) {
            left = wdt_period(s, t) - r->wdt_count[t];
            next = MIN(next, left);
        }
    }
    if (caliptra_soc_ifc_nmi_intr(s)) {
        /* a level: the bit comes back when it is cleared */
        caliptra_soc_ifc_hw_error_fatal(s,
            R_CPTRA_HW_ERROR_FATAL_NMI_PIN_MASK);
    }

    caliptra_time_watch(&s->time, CALIPTRA_TIME_WDT, next != UINT64_MAX);
    if (next > UINT64_MAX - r->wdt_ticks) {
        timer_del(r->wdt_timer);
    } else {
        caliptra_timer_mod(r->wdt_timer,
                           caliptra_clock_deadline(s, r->wdt_ticks + next));
    }
}

static void wdt_expire(void *opaque)
{
    CaliptraState *s = opaque;

    wdt_sync(s);
    wdt_update(s);
    caliptra_post_event(s, CALIPTRA_UC_WAKE);
    caliptra_update(s);
}

static void wdt_pre_write(CaliptraState *s, const CaliptraReg *r,
                          unsigned i, uint32_t data, bool soc)
{
    wdt_sync(s);
}

static void wdt_post_write(CaliptraState *s, const CaliptraReg *r,
                           unsigned i, uint32_t data, bool soc)
{
    wdt_update(s);
}

static void wdt_restart(CaliptraState *s, unsigned t)
{
    if (wdt_counts(s, t) && !wdt_timed_out(s, t)) {
        s->soc_ifc.wdt_count[t] = 0;
    }
    wdt_update(s);
}

static void wdt_timer1_ctrl_post_write(CaliptraState *s, const CaliptraReg *r,
                                       unsigned i, uint32_t data, bool soc)
{
    if (!soc && FIELD_EX32(data, CPTRA_WDT_TIMER1_CTRL, TIMER1_RESTART)) {
        wdt_restart(s, 0);
    }
}

static void wdt_timer2_ctrl_post_write(CaliptraState *s, const CaliptraReg *r,
                                       unsigned i, uint32_t data, bool soc)
{
    if (!soc && FIELD_EX32(data, CPTRA_WDT_TIMER2_CTRL, TIMER2_RESTART)) {
        wdt_restart(s, 1);
    }
}

/*
 * A write of 1 to a timeout's status bit counts as its service.  The
 * detector looks neither at the side nor at the page of the window.
 */
static void wdt_serviced(CaliptraState *s, uint32_t data)
{
    bool t1, t2, independent = wdt_independent(s);
    bool restart1, restart2;

    wdt_sync(s);
    t1 = wdt_timed_out(s, 0);
    t2 = wdt_timed_out(s, 1);
    restart1 = (data & BIT(SOC_IFC_ERROR_WDT_TIMER1_TIMEOUT)) && t1;
    restart2 = (data & BIT(SOC_IFC_ERROR_WDT_TIMER2_TIMEOUT)) && t2 &&
               independent;
    if (wdt_counts(s, 1) &&
        ((restart1 && !t2 && !independent) || restart2)) {
        s->soc_ifc.wdt_count[1] = 0;
    }
    if (wdt_counts(s, 0) && restart1 && (independent || !t2)) {
        s->soc_ifc.wdt_count[0] = 0;
    }
    wdt_update(s);
}

static uint32_t wdt_status_read(CaliptraState *s, const CaliptraReg *row,
                                unsigned i)
{
    uint32_t r = 0;

    wdt_sync(s);
    wdt_update(s);
    r = FIELD_DP32(r, CPTRA_WDT_STATUS, T1_TIMEOUT, wdt_timed_out(s, 0));
    r = FIELD_DP32(r, CPTRA_WDT_STATUS, T2_TIMEOUT, wdt_timed_out(s, 1));
    return r;
}

/* ---- machine timer ---- */

static uint64_t mtime(CaliptraState *s)
{
    return caliptra_clock_ticks(s) + s->soc_ifc.mtime_offset;
}

bool caliptra_soc_ifc_timer_intr(CaliptraState *s)
{
    return mtime(s) >= reg64(s, R_INTERNAL_RV_MTIMECMP_L);
}

static void mtime_update(CaliptraState *s)
{
    uint64_t now = mtime(s);
    uint64_t cmp = reg64(s, R_INTERNAL_RV_MTIMECMP_L);
    uint64_t ticks = caliptra_clock_ticks(s);

    if (now >= cmp || cmp - now > UINT64_MAX - ticks) {
        timer_del(s->soc_ifc.mtime_timer);
    } else {
        caliptra_timer_mod(s->soc_ifc.mtime_timer,
                           caliptra_clock_deadline(s, ticks + (cmp - now)));
    }
}

static void mtime_expire(void *opaque)
{
    CaliptraState *s = opaque;

    mtime_update(s);
    caliptra_post_event(s, CALIPTRA_UC_WAKE);
    caliptra_update(s);
}

static uint32_t mtime_read(CaliptraState *s, const CaliptraReg *row, unsigned i)
{
    return mtime(s) >> (32 * i);
}

static void mtime_post_write(CaliptraState *s, const CaliptraReg *r,
                             unsigned i, uint32_t data, bool soc)
{
    if (!soc) {
        s->soc_ifc.mtime_offset = deposit64(mtime(s), 32 * i, 32, data) -
                                  caliptra_clock_ticks(s);
    }
    mtime_update(s);
}

static void mtimecmp_post_write(CaliptraState *s, const CaliptraReg *r,
                                unsigned i, uint32_t data, bool soc)
{
    mtime_update(s);
}

/* ---- TRNG handshake ---- */

static void trng_ctrl_post_write(CaliptraState *s, const CaliptraReg *r,
                                 unsigned i, uint32_t data, bool soc)
{
    if (!soc && FIELD_EX32(data, CPTRA_TRNG_CTRL, CLEAR)) {
        memset(&REG(s, CPTRA_TRNG_DATA), 0, CALIPTRA_TRNG_WORDS * 4);
    }
}

static void trng_status_post_write(CaliptraState *s, const CaliptraReg *r,
                                   unsigned i, uint32_t data, bool soc)
{
    if (!REG_FIELD(s, CPTRA_TRNG_STATUS, DATA_REQ)) {
        REG(s, CPTRA_TRNG_STATUS) = 0;
    }
}

/* ---- live values and boot ---- */

static uint32_t flow_status_read(CaliptraState *s, const CaliptraReg *row,
                                 unsigned i)
{
    uint32_t r = REG(s, CPTRA_FLOW_STATUS);

    r = FIELD_DP32(r, CPTRA_FLOW_STATUS, BOOT_FSM_PS, s->boot_fsm);
    r = FIELD_DP32(r, CPTRA_FLOW_STATUS, READY_FOR_FUSES,
                   !!(s->wires & CALIPTRA_WIRE_READY_FOR_FUSES));
    return r;
}

static uint32_t security_state_read(CaliptraState *s, const CaliptraReg *row,
                                    unsigned i)
{
    uint32_t r = 0;

    r = FIELD_DP32(r, CPTRA_SECURITY_STATE, DEVICE_LIFECYCLE, s->lifecycle);
    r = FIELD_DP32(r, CPTRA_SECURITY_STATE, DEBUG_LOCKED, s->debug_locked);
    r = FIELD_DP32(r, CPTRA_SECURITY_STATE, SCAN_MODE, s->in_scan_mode);
    return r;
}

static uint32_t hw_rev_id_read(CaliptraState *s, const CaliptraReg *row,
                               unsigned i)
{
    uint32_t r = HW_REV_ID_GENERATION;

    return FIELD_DP32(r, CPTRA_HW_REV_ID, SOC_STEPPING_ID,
                      REG(s, FUSE_SOC_STEPPING_ID));
}

static uint32_t hw_config_read(CaliptraState *s, const CaliptraReg *row,
                               unsigned i)
{
    uint32_t r = R_CPTRA_HW_CONFIG_LMS_ACC_EN_MASK;

    return FIELD_DP32(r, CPTRA_HW_CONFIG, I_TRNG_EN,
                      caliptra_has_itrng(s));
}

static void fuse_wr_done_post_write(CaliptraState *s, const CaliptraReg *r,
                                    unsigned i, uint32_t data, bool soc)
{
    /* any write is observed, whatever its value */
    s->soc_ifc.fuse_wr_done_observed = true;
    trace_caliptra_soc_ifc_fuse_wr_done(s->id, REG(s, CPTRA_FUSE_WR_DONE));
}

static void fw_update_reset_post_write(CaliptraState *s, const CaliptraReg *r,
                                       unsigned i, uint32_t data, bool soc)
{
    if (!soc && FIELD_EX32(data, INTERNAL_FW_UPDATE_RESET, CORE_RST)) {
        caliptra_internal_fw_update_reset(s);
    }
}

/* ---- the registers ---- */

static bool secret_locked(CaliptraState *s, const CaliptraReg *r, unsigned i,
                          uint32_t user, bool soc)
{
    /* they are held at 0 as long as that lasts */
    return secrets_held_clear(s);
}

static bool trng_locked(CaliptraState *s, const CaliptraReg *r, unsigned i,
                        uint32_t user, bool soc)
{
    return soc && !trng_user_ok(s, user);
}

#define COLD    CALIPTRA_RESET_COLD
#define WARM    CALIPTRA_RESET_WARM

#define AT(reg) CALIPTRA_REG_AT(soc_ifc.regs[R_##reg])
#define ROW(reg, n, dom, ...) \
    CALIPTRA_REG(reg, n, .store = AT(reg), .domain = (dom), __VA_ARGS__)
#define FUSE(reg, n, mask) \
    ROW(reg, n, COLD, .soc = (mask), .uc = (mask), \
        .lock = AT(CPTRA_FUSE_WR_DONE))
#define SECRET(reg, n) \
    ROW(reg, n, COLD, .soc = ALL, .lock = AT(CPTRA_FUSE_WR_DONE), \
        .locked = secret_locked, .hidden = true)

static const CaliptraReg soc_ifc_regs[] = {
    ROW(CPTRA_HW_ERROR_FATAL, 1, COLD, .w1c = HW_FATAL_ALL,
        .pre_write = wdt_pre_write, .post_write = wdt_post_write),
    ROW(CPTRA_HW_ERROR_NON_FATAL, 1, COLD, .w1c = HW_NON_FATAL_ALL,
        .post_write = error_non_fatal_post_write),
    ROW(CPTRA_FW_ERROR_FATAL, 1, COLD, .soc = ALL, .uc = ALL,
        .pre_write = fw_error_fatal_pre_write),
    ROW(CPTRA_FW_ERROR_NON_FATAL, 1, COLD, .soc = ALL, .uc = ALL,
        .pre_write = fw_error_non_fatal_pre_write,
        .post_write = error_non_fatal_post_write),
    ROW(CPTRA_HW_ERROR_ENC, 1, COLD, .soc = ALL, .uc = ALL),
    ROW(CPTRA_FW_ERROR_ENC, 1, COLD, .soc = ALL, .uc = ALL),
    ROW(CPTRA_FW_EXTENDED_ERROR_INFO, 8, COLD, .soc = ALL, .uc = ALL),
    ROW(CPTRA_BOOT_STATUS, 1, WARM, .uc = ALL),
    ROW(CPTRA_FLOW_STATUS, 1, WARM, .uc = FLOW_STATUS_UC,
        .read = flow_status_read, .wired = true),
    /* one field alone is in the other domain */
    ROW(CPTRA_RESET_REASON, 1, COLD,
        .warm_bits = ~R_CPTRA_RESET_REASON_WARM_RESET_MASK),
    ROW(CPTRA_SECURITY_STATE, 1, WARM, .read = security_state_read),
    ROW(CPTRA_MBOX_VALID_PAUSER, CALIPTRA_MBOX_USERS, WARM, .reset = NO_USER,
        .soc = ALL, .uc = ALL, .lock = AT(CPTRA_MBOX_PAUSER_LOCK),
        .lock_span = 1),
    ROW(CPTRA_MBOX_PAUSER_LOCK, CALIPTRA_MBOX_USERS, WARM,
        .soc = R_CPTRA_MBOX_PAUSER_LOCK_LOCK_MASK,
        .uc = R_CPTRA_MBOX_PAUSER_LOCK_LOCK_MASK,
        .lock = AT(CPTRA_MBOX_PAUSER_LOCK), .lock_span = 1),
    ROW(CPTRA_TRNG_VALID_PAUSER, 1, WARM, .reset = NO_USER,
        .soc = ALL, .uc = ALL, .lock = AT(CPTRA_TRNG_PAUSER_LOCK)),
    ROW(CPTRA_TRNG_PAUSER_LOCK, 1, WARM,
        .soc = R_CPTRA_TRNG_PAUSER_LOCK_LOCK_MASK,
        .uc = R_CPTRA_TRNG_PAUSER_LOCK_LOCK_MASK,
        .lock = AT(CPTRA_TRNG_PAUSER_LOCK)),
    ROW(CPTRA_TRNG_DATA, CALIPTRA_TRNG_WORDS, WARM, .soc = ALL,
        .locked = trng_locked),
    ROW(CPTRA_TRNG_CTRL, 1, WARM, .post_write = trng_ctrl_post_write),
    ROW(CPTRA_TRNG_STATUS, 1, WARM,
        .soc = R_CPTRA_TRNG_STATUS_DATA_WR_DONE_MASK,
        .uc = R_CPTRA_TRNG_STATUS_DATA_REQ_MASK, .locked = trng_locked,
        .post_write = trng_status_post_write),
    ROW(CPTRA_FUSE_WR_DONE, 1, COLD,
        .soc = R_CPTRA_FUSE_WR_DONE_DONE_MASK,
        .w1s = R_CPTRA_FUSE_WR_DONE_DONE_MASK,
        .post_write = fuse_wr_done_post_write),
    ROW(CPTRA_TIMER_CONFIG, 1, COLD, .soc = ALL, .uc = ALL),
    ROW(CPTRA_BOOTFSM_GO, 1, WARM, .soc = R_CPTRA_BOOTFSM_GO_GO_MASK,
        .wired = true),
    ROW(CPTRA_DBG_MANUF_SERVICE_REG, 1, WARM, .soc = ALL, .uc = ALL),
    ROW(CPTRA_CLK_GATING_EN, 1, WARM,
        .soc = R_CPTRA_CLK_GATING_EN_CLK_GATING_EN_MASK, .wired = true),
    ROW(CPTRA_GENERIC_INPUT_WIRES, 2, WARM),
    ROW(CPTRA_GENERIC_OUTPUT_WIRES, 2, WARM, .uc = ALL),
    ROW(CPTRA_HW_REV_ID, 1, WARM, .read = hw_rev_id_read),
    ROW(CPTRA_FW_REV_ID, 2, WARM, .uc = ALL),
    ROW(CPTRA_HW_CONFIG, 1, WARM, .read = hw_config_read),
    ROW(CPTRA_WDT_TIMER1_EN, 1, WARM,
        .uc = R_CPTRA_WDT_TIMER1_EN_TIMER1_EN_MASK,
        .pre_write = wdt_pre_write, .post_write = wdt_post_write),
    ROW(CPTRA_WDT_TIMER1_CTRL, 1, WARM, .pre_write = wdt_pre_write,
        .post_write = wdt_timer1_ctrl_post_write),
    ROW(CPTRA_WDT_TIMER1_TIMEOUT_PERIOD, 2, WARM, .reset = ALL, .uc = ALL,
        .pre_write = wdt_pre_write, .post_write = wdt_post_write),
    ROW(CPTRA_WDT_TIMER2_EN, 1, WARM,
        .uc = R_CPTRA_WDT_TIMER2_EN_TIMER2_EN_MASK,
        .pre_write = wdt_pre_write, .post_write = wdt_post_write),
    ROW(CPTRA_WDT_TIMER2_CTRL, 1, WARM, .pre_write = wdt_pre_write,
        .post_write = wdt_timer2_ctrl_post_write),
    ROW(CPTRA_WDT_TIMER2_TIMEOUT_PERIOD, 2, WARM, .reset = ALL, .uc = ALL,
        .pre_write = wdt_pre_write, .post_write = wdt_post_write),
    /* a write lasts one clock: the register follows the timers */
    ROW(CPTRA_WDT_STATUS, 1, WARM, .read = wdt_status_read),
    ROW(CPTRA_FUSE_VALID_PAUSER, 1, COLD, .reset = NO_USER,
        .soc = ALL, .uc = ALL, .lock = AT(CPTRA_FUSE_PAUSER_LOCK)),
    ROW(CPTRA_FUSE_PAUSER_LOCK, 1, COLD,
        .soc = R_CPTRA_FUSE_PAUSER_LOCK_LOCK_MASK,
        .uc = R_CPTRA_FUSE_PAUSER_LOCK_LOCK_MASK,
        .lock = AT(CPTRA_FUSE_PAUSER_LOCK)),
    ROW(CPTRA_WDT_CFG, 2, COLD, .soc = ALL, .uc = ALL),
    ROW(CPTRA_ITRNG_ENTROPY_CONFIG_0, 1, WARM, .soc = ALL, .uc = ALL),
    ROW(CPTRA_ITRNG_ENTROPY_CONFIG_1, 1, WARM, .soc = ALL, .uc = ALL),
    ROW(CPTRA_RSVD_REG, 2, WARM, .soc = ALL, .uc = ALL),
    SECRET(FUSE_UDS_SEED, CALIPTRA_UDS_WORDS),
    SECRET(FUSE_FIELD_ENTROPY, CALIPTRA_FE_WORDS),
    FUSE(FUSE_KEY_MANIFEST_PK_HASH, 12, ALL),
    FUSE(FUSE_KEY_MANIFEST_PK_HASH_MASK, 1,
         R_FUSE_KEY_MANIFEST_PK_HASH_MASK_MASK_MASK),
    FUSE(FUSE_OWNER_PK_HASH, 12, ALL),
    FUSE(FUSE_FMC_KEY_MANIFEST_SVN, 1, ALL),
    FUSE(FUSE_RUNTIME_SVN, 4, ALL),
    FUSE(FUSE_ANTI_ROLLBACK_DISABLE, 1, R_FUSE_ANTI_ROLLBACK_DISABLE_DIS_MASK),
    FUSE(FUSE_IDEVID_CERT_ATTR, 24, ALL),
    FUSE(FUSE_IDEVID_MANUF_HSM_ID, 4, ALL),
    FUSE(FUSE_LIFE_CYCLE, 1, R_FUSE_LIFE_CYCLE_LIFE_CYCLE_MASK),
    FUSE(FUSE_LMS_VERIFY, 1, R_FUSE_LMS_VERIFY_LMS_VERIFY_MASK),
    FUSE(FUSE_LMS_REVOCATION, 1, ALL),
    FUSE(FUSE_SOC_STEPPING_ID, 1, R_FUSE_SOC_STEPPING_ID_SOC_STEPPING_ID_MASK),
    ROW(INTERNAL_OBF_KEY, CALIPTRA_OBF_KEY_WORDS, COLD, .hidden = true),
    ROW(INTERNAL_ICCM_LOCK, 1, WARM, .uc = R_INTERNAL_ICCM_LOCK_LOCK_MASK,
        .w1s = R_INTERNAL_ICCM_LOCK_LOCK_MASK, .wired = true),
    ROW(INTERNAL_FW_UPDATE_RESET, 1, WARM,
        .post_write = fw_update_reset_post_write),
    ROW(INTERNAL_FW_UPDATE_RESET_WAIT_CYCLES, 1, WARM,
        .reset = WAIT_CYCLES_RESET,
        .uc = R_INTERNAL_FW_UPDATE_RESET_WAIT_CYCLES_WAIT_CYCLES_MASK),
    ROW(INTERNAL_NMI_VECTOR, 1, WARM, .uc = ALL),
    ROW(INTERNAL_HW_ERROR_FATAL_MASK, 1, WARM, .uc = HW_FATAL_MASKABLE,
        .pre_write = wdt_pre_write, .post_write = wdt_post_write),
    ROW(INTERNAL_HW_ERROR_NON_FATAL_MASK, 1, WARM, .uc = HW_NON_FATAL_ALL,
        .post_write = error_non_fatal_post_write),
    ROW(INTERNAL_FW_ERROR_FATAL_MASK, 1, WARM, .uc = ALL),
    ROW(INTERNAL_FW_ERROR_NON_FATAL_MASK, 1, WARM, .uc = ALL,
        .post_write = error_non_fatal_post_write),
    ROW(INTERNAL_RV_MTIME_L, 2, COLD, .read = mtime_read,
        .post_write = mtime_post_write),
    ROW(INTERNAL_RV_MTIMECMP_L, 2, COLD, .uc = ALL,
        .post_write = mtimecmp_post_write),
};

static const CaliptraRegBlock soc_ifc_block =
    CALIPTRA_REG_BLOCK("SoC interface", soc_ifc_regs);

static bool is_intr_block(hwaddr offset)
{
    return offset >= A_INTR_GLOBAL_EN && offset < CALIPTRA_BLOCK_SIZE;
}

static uint32_t soc_ifc_read(CaliptraState *s, hwaddr offset)
{
    if (is_intr_block(offset)) {
        return caliptra_intr_read(&s->soc_ifc.intr, offset);
    }
    return caliptra_reg_read(s, &soc_ifc_block, offset);
}

uint32_t caliptra_soc_ifc_peek(CaliptraState *s, hwaddr offset)
{
    return soc_ifc_read(s, offset);
}

uint32_t caliptra_soc_ifc_soc_read(CaliptraState *s, hwaddr offset,
                                   uint32_t pauser)
{
    if (offset >= A_CPTRA_TRNG_DATA && offset < A_CPTRA_TRNG_CTRL &&
        !trng_user_ok(s, pauser)) {
        return 0;
    }
    return soc_ifc_read(s, offset);
}

void caliptra_soc_ifc_soc_write(CaliptraState *s, hwaddr offset,
                                uint32_t pauser, uint32_t data)
{
    if (offset % CALIPTRA_BLOCK_SIZE == A_INTR_ERROR_INTERNAL) {
        wdt_serviced(s, data);
    }
    caliptra_reg_write(s, &soc_ifc_block, offset, data, pauser, true);
}

uint32_t caliptra_soc_ifc_uc_read(CaliptraState *s, hwaddr offset)
{
    return soc_ifc_read(s, offset);
}

void caliptra_soc_ifc_uc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    if (offset % CALIPTRA_BLOCK_SIZE == A_INTR_ERROR_INTERNAL) {
        wdt_serviced(s, data);
    }
    if (is_intr_block(offset)) {
        caliptra_intr_write(&s->soc_ifc.intr, offset, data);
        caliptra_changed(s);
    } else {
        caliptra_reg_write(s, &soc_ifc_block, offset, data, CALIPTRA_UC_USER,
                           false);
    }
}

void caliptra_soc_ifc_intr_error(CaliptraState *s, unsigned bit)
{
    caliptra_intr_error(&s->soc_ifc.intr, bit);
    caliptra_changed(s);
}

void caliptra_soc_ifc_intr_notif(CaliptraState *s, unsigned bit)
{
    caliptra_intr_notif(&s->soc_ifc.intr, bit);
    caliptra_changed(s);
}

/* ---- debug port ---- */

/* Open with debug unlocked or, before shipping, in manufacturing */
static bool tap_open(CaliptraState *s)
{
    return !caliptra_in_reset(s) &&
           (!s->debug_locked ||
            s->lifecycle == CALIPTRA_LIFECYCLE_MANUFACTURING);
}

uint32_t caliptra_soc_ifc_tap_read(CaliptraState *s, unsigned dmi)
{
    if (!tap_open(s)) {
        return 0;
    }
    switch (dmi) {
    case DMI_REG_MBOX_DLEN:
        return s->mbox.dlen;
    case DMI_REG_MBOX_DOUT:
        return caliptra_mbox_tap_dataout(s);
    case DMI_REG_MBOX_STATUS:
        return caliptra_mbox_status(&s->mbox);
    case DMI_REG_BOOT_STATUS:
        return REG(s, CPTRA_BOOT_STATUS);
    case DMI_REG_CPTRA_HW_ERROR_ENC:
        return REG(s, CPTRA_HW_ERROR_ENC);
    case DMI_REG_CPTRA_FW_ERROR_ENC:
        return REG(s, CPTRA_FW_ERROR_ENC);
    case DMI_REG_CPTRA_DBG_MANUF_SERVICE_REG:
        return REG(s, CPTRA_DBG_MANUF_SERVICE_REG);
    case DMI_REG_BOOTFSM_GO:
        return REG(s, CPTRA_BOOTFSM_GO);
    default:
        return 0;
    }
}

void caliptra_soc_ifc_tap_write(CaliptraState *s, unsigned dmi, uint32_t data)
{
    if (!tap_open(s)) {
        return;
    }
    switch (dmi) {
    case DMI_REG_CPTRA_DBG_MANUF_SERVICE_REG:
        REG(s, CPTRA_DBG_MANUF_SERVICE_REG) = data;
        break;
    case DMI_REG_BOOTFSM_GO:
        REG(s, CPTRA_BOOTFSM_GO) = data & R_CPTRA_BOOTFSM_GO_GO_MASK;
        break;
    default:
        break;
    }
    caliptra_post_event(s, CALIPTRA_UC_WAKE);
}

/* ---- inputs ---- */

void caliptra_soc_ifc_inputs(CaliptraState *s)
{
    uint32_t *wires = &REG(s, CPTRA_GENERIC_INPUT_WIRES);
    uint32_t lo = s->in_generic_wires;
    uint32_t hi = s->in_generic_wires >> 32;

    if (wires[0] != lo || wires[1] != hi) {
        wires[0] = lo;
        wires[1] = hi;
        caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_GEN_IN_TOGGLE);
        caliptra_post_event(s, CALIPTRA_UC_WAKE);
    }
    if (s->in_scan_mode && !s->scan_mode) {
        caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_SCAN_MODE);
    }
    s->scan_mode = s->in_scan_mode;
    if (secrets_held_clear(s)) {
        caliptra_soc_ifc_clear_secrets(s);
    }
}

/* ---- reset ---- */

void caliptra_soc_ifc_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraSocIfc *r = &s->soc_ifc;

    caliptra_intr_reset(&r->intr, kind);
    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;
    }
    caliptra_reg_reset(s, &soc_ifc_block, kind);
    r->fuse_wr_done_observed = false;
    r->error_fatal = false;
    r->error_non_fatal = false;
    memset(r->wdt_count, 0, sizeof(r->wdt_count));
    memset(r->wdt_timeout, 0, sizeof(r->wdt_timeout));
    r->wdt_ticks = caliptra_clock_ticks(s);
    if (kind == CALIPTRA_RESET_COLD) {
        r->mtime_offset = -r->wdt_ticks;
    }
    caliptra_time_watch(&s->time, CALIPTRA_TIME_WDT, false);
    timer_del(r->wdt_timer);
    mtime_update(s);
}

void caliptra_soc_ifc_release(CaliptraState *s, bool power_cycle)
{
    CaliptraSocIfc *r = &s->soc_ifc;

    REG(s, CPTRA_RESET_REASON) =
        FIELD_DP32(0, CPTRA_RESET_REASON, WARM_RESET, !power_cycle);
    r->wdt_ticks = caliptra_clock_ticks(s);
    if (power_cycle) {
        r->mtime_offset = -r->wdt_ticks;
        if (!caliptra_debug_or_scan(s)) {
            memcpy(&REG(s, INTERNAL_OBF_KEY), s->in_obf_key,
                   sizeof(s->in_obf_key));
        }
    }
    mtime_update(s);
    /*
     * The edge detector of debug_locked starts from 0, the latch from 1: a
     * locked part gives one edge, an unlocked one two.
     */
    caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_DEBUG_LOCKED);
    if (!s->debug_locked) {
        caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_DEBUG_LOCKED);
    }
    s->scan_mode = false;
    caliptra_soc_ifc_inputs(s);
}

void caliptra_soc_ifc_clock_stop(CaliptraState *s)
{
    wdt_sync(s);
    s->soc_ifc.mtime_offset = mtime(s);
}

void caliptra_soc_ifc_clock_start(CaliptraState *s)
{
    s->soc_ifc.wdt_ticks = caliptra_clock_ticks(s);
    s->soc_ifc.mtime_offset -= s->soc_ifc.wdt_ticks;
    wdt_update(s);
    mtime_update(s);
}

void caliptra_soc_ifc_init(CaliptraState *s)
{
    caliptra_reg_block_init(&soc_ifc_block);
    caliptra_intr_init(&s->soc_ifc.intr, SOC_IFC_ERROR_BITS,
                       SOC_IFC_NOTIF_BITS);
    s->soc_ifc.wdt_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, wdt_expire, s);
    s->soc_ifc.mtime_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, mtime_expire,
                                          s);
}

void caliptra_soc_ifc_finalize(CaliptraState *s)
{
    timer_free(s->soc_ifc.wdt_timer);
    timer_free(s->soc_ifc.mtime_timer);
}

void caliptra_soc_ifc_post_load(CaliptraState *s)
{
    wdt_update(s);
    mtime_update(s);
}

const VMStateDescription vmstate_caliptra_soc_ifc = {
    .name = "caliptra-soc-ifc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(regs, CaliptraSocIfc, CALIPTRA_SOC_IFC_REGS),
        VMSTATE_STRUCT(intr, CaliptraSocIfc, 1, vmstate_caliptra_intr,
                       CaliptraIntr),
        VMSTATE_BOOL(fuse_wr_done_observed, CaliptraSocIfc),
        VMSTATE_BOOL(error_fatal, CaliptraSocIfc),
        VMSTATE_BOOL(error_non_fatal, CaliptraSocIfc),
        VMSTATE_UINT64(mtime_offset, CaliptraSocIfc),
        VMSTATE_UINT64_ARRAY(wdt_count, CaliptraSocIfc, 2),
        VMSTATE_UINT64(wdt_ticks, CaliptraSocIfc),
        VMSTATE_BOOL_ARRAY(wdt_timeout, CaliptraSocIfc, 2),
        VMSTATE_END_OF_LIST()
    },
};
