/*
 * Caliptra 1.x core: blocks together, reset domains, boot FSM, lines
 *
 * What caliptra-rtl v1.1 caliptra_top.sv, soc_ifc_arb.sv and
 * soc_ifc_boot_fsm.sv do: two buses, one from the SoC and one from the
 * microcontroller, into the same blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/core/qdev-clock.h"
#include "hw/core/qdev-properties.h"
#include "hw/misc/caliptra_errors.h"
#include "caliptra_internal.h"
#include "trace.h"

/*
 * A clock input that nobody drives runs at this rate.  Firmware's time-outs
 * are counts of this clock: at 100 MHz a SoC that looks for entropy requests
 * ten times a second, as the AST2700's software does, meets all of them.
 */
#define CALIPTRA_CLK_DEFAULT_HZ     100000000

/* what lies between the SHA accelerator and soc_ifc_reg: an error */
#define CALIPTRA_WINDOW_HOLE        0x22000
/* the fuse user's part of soc_ifc_reg (soc_ifc_arb.sv) */
#define CALIPTRA_FUSE_START         0x200
#define CALIPTRA_FUSE_END           0x600

/* ---- clock ---- */

uint64_t caliptra_clock_ticks(CaliptraState *s)
{
    int64_t ns = caliptra_time_get(&s->time);

    /* it ends where 64 bits do, after 146 years at 4 GHz */
    if (clock_is_enabled(s->clk) &&
        ns > clock_ticks_to_ns(s->clk, UINT64_MAX)) {
        return UINT64_MAX;
    }
    return clock_ns_to_ticks(s->clk, ns);
}

int64_t caliptra_clock_deadline(CaliptraState *s, uint64_t ticks)
{
    uint64_t ns;

    if (!clock_is_enabled(s->clk)) {
        return INT64_MAX;
    }
    ns = clock_ticks_to_ns(s->clk, ticks);
    if (ns < INT64_MAX && clock_ns_to_ticks(s->clk, ns) < ticks) {
        ns++;
    }
    return ns < INT64_MAX ? caliptra_time_deadline(&s->time, ns) : INT64_MAX;
}

static void caliptra_clock_event(void *opaque, ClockEvent event)
{
    CaliptraState *s = opaque;

    if (event == ClockPreUpdate) {
        caliptra_soc_ifc_clock_stop(s);
    } else {
        caliptra_soc_ifc_clock_start(s);
        caliptra_update(s);
    }
}

/* ---- events for the microcontroller, messages for people ---- */

void caliptra_post_event(CaliptraState *s, CaliptraUcEvent event)
{
    if (event != CALIPTRA_UC_WAKE) {
        trace_caliptra_event(s->id, event);
    }
    if (s->uc) {
        caliptra_uc_event(s->uc, event);
    }
}

void caliptra_guest_error(CaliptraState *s, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    if (!qemu_loglevel_mask(LOG_GUEST_ERROR)) {
        return;
    }
    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    qemu_log("%s: %s\n", s->id, text);
}

/* ---- lines ---- */

/* Output lines of the device, by the wire that drives them */
static const struct {
    const char *name;
    uint32_t wire;
    size_t irq;
} caliptra_lines[] = {
    { CALIPTRA_OUT_READY_FOR_FUSES, CALIPTRA_WIRE_READY_FOR_FUSES,
      offsetof(CaliptraState, out_ready_for_fuses) },
    { CALIPTRA_OUT_READY_FOR_FW, CALIPTRA_WIRE_READY_FOR_FW,
      offsetof(CaliptraState, out_ready_for_fw) },
    { CALIPTRA_OUT_READY_FOR_RUNTIME, CALIPTRA_WIRE_READY_FOR_RUNTIME,
      offsetof(CaliptraState, out_ready_for_runtime) },
    { CALIPTRA_OUT_MBOX_DATA_AVAIL, CALIPTRA_WIRE_MBOX_DATA_AVAIL,
      offsetof(CaliptraState, out_mbox_data_avail) },
    { CALIPTRA_OUT_MBOX_FLOW_DONE, CALIPTRA_WIRE_MBOX_FLOW_DONE,
      offsetof(CaliptraState, out_mbox_flow_done) },
    { CALIPTRA_OUT_ERROR_FATAL, CALIPTRA_WIRE_ERROR_FATAL,
      offsetof(CaliptraState, out_error_fatal) },
    { CALIPTRA_OUT_ERROR_NON_FATAL, CALIPTRA_WIRE_ERROR_NON_FATAL,
      offsetof(CaliptraState, out_error_non_fatal) },
    { CALIPTRA_OUT_ETRNG_REQ, CALIPTRA_WIRE_TRNG_REQ,
      offsetof(CaliptraState, out_etrng_req) },
};

bool caliptra_in_reset(CaliptraState *s)
{
    return s->boot_fsm == BOOT_IDLE;
}

static uint32_t caliptra_wires(CaliptraState *s)
{
    const uint32_t *regs = s->soc_ifc.regs;
    uint32_t flow = regs[R_CPTRA_FLOW_STATUS];
    const struct {
        uint32_t wire;
        bool level;
    } levels[] = {
        { CALIPTRA_WIRE_NONCORE_RST_B, true },
        { CALIPTRA_WIRE_UC_RST_B, s->boot_fsm == BOOT_DONE },
        { CALIPTRA_WIRE_READY_FOR_FUSES,
          s->boot_fsm == BOOT_FUSE && !s->soc_ifc.fuse_wr_done_observed },
        { CALIPTRA_WIRE_READY_FOR_FW,
          flow & R_CPTRA_FLOW_STATUS_READY_FOR_FW_MASK },
        { CALIPTRA_WIRE_READY_FOR_RUNTIME,
          flow & R_CPTRA_FLOW_STATUS_READY_FOR_RUNTIME_MASK },
        { CALIPTRA_WIRE_MBOX_DATA_AVAIL, s->mbox.fsm == MBOX_EXECUTE_SOC },
        { CALIPTRA_WIRE_MBOX_FLOW_DONE,
          flow & R_CPTRA_FLOW_STATUS_MAILBOX_FLOW_DONE_MASK },
        { CALIPTRA_WIRE_ERROR_FATAL, s->soc_ifc.error_fatal },
        { CALIPTRA_WIRE_ERROR_NON_FATAL, s->soc_ifc.error_non_fatal },
        { CALIPTRA_WIRE_TRNG_REQ, !caliptra_has_itrng(s) &&
          (regs[R_CPTRA_TRNG_STATUS] & R_CPTRA_TRNG_STATUS_DATA_REQ_MASK) },
        { CALIPTRA_WIRE_SOC_IFC_ERROR_INTR,
          caliptra_intr_error_level(&s->soc_ifc.intr) },
        { CALIPTRA_WIRE_SOC_IFC_NOTIF_INTR,
          caliptra_intr_notif_level(&s->soc_ifc.intr) },
        { CALIPTRA_WIRE_SHA_ERROR_INTR,
          caliptra_intr_error_level(&s->sha_acc.intr) },
        { CALIPTRA_WIRE_SHA_NOTIF_INTR,
          caliptra_intr_notif_level(&s->sha_acc.intr) },
        { CALIPTRA_WIRE_TIMER_INTR, caliptra_soc_ifc_timer_intr(s) },
        { CALIPTRA_WIRE_NMI_INTR, caliptra_soc_ifc_nmi_intr(s) },
        { CALIPTRA_WIRE_ICCM_LOCK, regs[R_INTERNAL_ICCM_LOCK] },
        { CALIPTRA_WIRE_CLK_GATING_EN, regs[R_CPTRA_CLK_GATING_EN] },
    };
    uint32_t wires = 0;
    size_t i;

    if (caliptra_in_reset(s)) {
        return 0;
    }
    for (i = 0; i < ARRAY_SIZE(levels); i++) {
        wires |= levels[i].level ? levels[i].wire : 0;
    }
    return wires | caliptra_engines_wires(s) << CALIPTRA_WIRE_ENGINES_SHIFT;
}

static void caliptra_update_wires(CaliptraState *s)
{
    uint32_t wires = caliptra_wires(s);
    uint32_t changed = wires ^ s->wires;
    size_t i;

    if (!changed) {
        return;
    }
    s->wires = wires;
    for (i = 0; i < ARRAY_SIZE(caliptra_lines); i++) {
        if (changed & caliptra_lines[i].wire) {
            bool level = wires & caliptra_lines[i].wire;
            qemu_irq *irq = (void *)s + caliptra_lines[i].irq;

            trace_caliptra_line(s->id, caliptra_lines[i].name, level);
            qemu_set_irq(*irq, level);
        }
    }
    if (changed & CALIPTRA_WIRES_UC) {
        caliptra_post_event(s, CALIPTRA_UC_WAKE);
    }
    if (changed & wires & CALIPTRA_WIRE_NMI_INTR) {
        caliptra_post_event(s, CALIPTRA_UC_NMI);
    }
}

/* ---- reset and boot FSM ---- */

void caliptra_flush(CaliptraState *s)
{
    trace_caliptra_flush(s->id);
    caliptra_soc_ifc_clear_secrets(s);
    caliptra_kv_flush(s);
    caliptra_engines_flush(s);
}

bool caliptra_flushing(CaliptraState *s)
{
    return s->soc_ifc.error_fatal;
}

static void caliptra_set_boot_fsm(CaliptraState *s, unsigned state)
{
    trace_caliptra_boot_fsm(s->id, s->boot_fsm, state);
    if (s->boot_fsm == BOOT_DONE) {
        caliptra_post_event(s, CALIPTRA_UC_STOP);
    }
    s->boot_fsm = state;
    caliptra_changed(s);
    if (state == BOOT_DONE) {
        caliptra_post_event(s, CALIPTRA_UC_START);
    }
}

static void caliptra_reset_blocks(CaliptraState *s, CaliptraReset kind)
{
    caliptra_mbox_reset(s, kind);
    caliptra_soc_ifc_reset(s, kind);
    caliptra_sha_acc_reset(s, kind);
    caliptra_vault_reset(s, kind);
    caliptra_engines_reset(s, kind);
    caliptra_trng_reset(s, kind);
}

/* cptra_noncore_rst_b falls */
static void caliptra_assert_reset(CaliptraState *s, CaliptraReset kind)
{
    caliptra_set_boot_fsm(s, BOOT_IDLE);
    /* the latches start from the safe side */
    s->debug_locked = true;
    s->lifecycle = CALIPTRA_LIFECYCLE_PRODUCTION;
    s->brkpoint = false;
    s->power_cycled |= kind == CALIPTRA_RESET_COLD;
    caliptra_reset_blocks(s, kind);
}

/* cptra_noncore_rst_b rises: inputs are sampled */
static void caliptra_release_reset(CaliptraState *s)
{
    s->lifecycle = FIELD_EX32(s->in_security_state, CPTRA_SECURITY_STATE,
                              DEVICE_LIFECYCLE);
    s->debug_locked = FIELD_EX32(s->in_security_state, CPTRA_SECURITY_STATE,
                                 DEBUG_LOCKED);
    s->brkpoint = s->in_brkpoint &&
                  (!s->debug_locked ||
                   s->lifecycle == CALIPTRA_LIFECYCLE_MANUFACTURING);
    trace_caliptra_release(s->id, s->power_cycled, s->lifecycle,
                           s->debug_locked, s->brkpoint);
    caliptra_soc_ifc_release(s, s->power_cycled);
    s->power_cycled = false;
    if (caliptra_debug_or_scan(s)) {
        /* the latch of debug_locked, or of scan_mode, has just changed */
        caliptra_flush(s);
    }
    caliptra_set_boot_fsm(s, BOOT_FUSE);
}

void caliptra_internal_fw_update_reset(CaliptraState *s)
{
    uint32_t *reason = &s->soc_ifc.regs[R_CPTRA_RESET_REASON];

    if (s->boot_fsm != BOOT_DONE) {
        return;
    }
    *reason = R_CPTRA_RESET_REASON_FW_UPD_RESET_MASK;
    caliptra_set_boot_fsm(s, BOOT_FW_RST);
    caliptra_reset_blocks(s, CALIPTRA_RESET_FW_UPDATE);
    /* the wait for internal_fw_update_reset_wait_cycles is not modelled */
    caliptra_set_boot_fsm(s, BOOT_WAIT);
}

static void caliptra_step_boot_fsm(CaliptraState *s)
{
    const uint32_t *regs = s->soc_ifc.regs;

    if (s->boot_fsm == BOOT_IDLE && s->in_pwrgood && s->in_rst_b &&
        qdev_is_realized(DEVICE(s))) {
        caliptra_release_reset(s);
    }
    if (s->boot_fsm == BOOT_FUSE && regs[R_CPTRA_FUSE_WR_DONE] &&
        s->soc_ifc.fuse_wr_done_observed) {
        caliptra_set_boot_fsm(s, s->brkpoint ? BOOT_WAIT : BOOT_DONE);
    }
    if (s->boot_fsm == BOOT_WAIT &&
        (!s->brkpoint || regs[R_CPTRA_BOOTFSM_GO])) {
        s->soc_ifc.regs[R_INTERNAL_ICCM_LOCK] = 0;
        caliptra_set_boot_fsm(s, BOOT_DONE);
    }
}

void caliptra_update(CaliptraState *s)
{
    caliptra_step_boot_fsm(s);
    s->changed = false;
    caliptra_update_wires(s);
}

void caliptra_changed(CaliptraState *s)
{
    s->changed = true;
}

/* An access ends: most change nothing that a line depends on */
static void caliptra_access_done(CaliptraState *s)
{
    if (unlikely(s->changed)) {
        caliptra_update(s);
    }
}

/* ---- input lines ---- */

static void caliptra_in_pwrgood(void *opaque, int n, int level)
{
    CaliptraState *s = opaque;

    if (s->in_pwrgood && !level) {
        caliptra_assert_reset(s, CALIPTRA_RESET_COLD);
    }
    s->in_pwrgood = level;
    caliptra_update(s);
}

static void caliptra_in_rst_b(void *opaque, int n, int level)
{
    CaliptraState *s = opaque;

    if (s->in_rst_b && !level && s->in_pwrgood) {
        caliptra_assert_reset(s, CALIPTRA_RESET_WARM);
    }
    s->in_rst_b = level;
    caliptra_update(s);
}

static void caliptra_in_brkpoint(void *opaque, int n, int level)
{
    CaliptraState *s = opaque;

    s->in_brkpoint = level;
}

static void caliptra_inputs_changed(CaliptraState *s)
{
    if (!caliptra_in_reset(s)) {
        caliptra_soc_ifc_inputs(s);
        caliptra_update(s);
    }
}

static void caliptra_in_time_hold(void *opaque, int n, int level)
{
    CaliptraState *s = opaque;

    caliptra_time_hold(&s->time, level);
    /* as if its rate had changed: all deadlines are others */
    caliptra_clock_event(s, ClockPreUpdate);
    caliptra_clock_event(s, ClockUpdate);
    caliptra_post_event(s, CALIPTRA_UC_WAKE);
}

static void caliptra_in_scan_mode(void *opaque, int n, int level)
{
    CaliptraState *s = opaque;
    bool rise = !s->in_scan_mode && level;

    s->in_scan_mode = level;
    if (rise && !caliptra_in_reset(s)) {
        caliptra_flush(s);
    }
    caliptra_inputs_changed(s);
}

static void caliptra_core_set_security_state(CaliptraSocIf *core,
                                             uint32_t state)
{
    CaliptraState *s = CALIPTRA(core);

    s->in_security_state = state;
}

static void caliptra_core_set_obf_key(
    CaliptraSocIf *core, const uint32_t key[CALIPTRA_OBF_KEY_WORDS])
{
    CaliptraState *s = CALIPTRA(core);

    memcpy(s->in_obf_key, key, sizeof(s->in_obf_key));
}

static void caliptra_core_set_generic_input_wires(CaliptraSocIf *core,
                                                  uint64_t wires)
{
    CaliptraState *s = CALIPTRA(core);

    s->in_generic_wires = wires;
    caliptra_inputs_changed(s);
}

/* ---- the SoC's bus (soc_ifc_arb.sv) ---- */

typedef enum CaliptraBlock {
    BLOCK_SRAM,
    BLOCK_MBOX,
    BLOCK_SHA_ACC,
    BLOCK_SOC_IFC,
    BLOCK_INTERNAL,         /* the microcontroller's alone */
    BLOCK_NONE,
} CaliptraBlock;

static CaliptraBlock caliptra_decode(hwaddr offset)
{
    if (offset < CALIPTRA_WINDOW_MBOX) {
        return BLOCK_SRAM;
    } else if (offset < CALIPTRA_WINDOW_SHA_ACC) {
        return BLOCK_MBOX;
    } else if (offset < CALIPTRA_WINDOW_HOLE) {
        return BLOCK_SHA_ACC;
    } else if (offset < CALIPTRA_WINDOW_SOC_IFC) {
        return BLOCK_NONE;
    }
    return BLOCK_SOC_IFC;
}

/* Does the bus answer PSLVERR? */
static bool caliptra_soc_error(CaliptraState *s, CaliptraBlock block,
                               hwaddr offset, uint32_t pauser)
{
    hwaddr reg = offset - CALIPTRA_WINDOW_SOC_IFC;

    switch (block) {
    case BLOCK_SRAM:
    case BLOCK_NONE:
        return true;
    case BLOCK_MBOX:
        return !caliptra_soc_ifc_mbox_user_ok(s, pauser);
    case BLOCK_SOC_IFC:
        return reg >= CALIPTRA_FUSE_START && reg < CALIPTRA_FUSE_END &&
               !caliptra_soc_ifc_fuse_user_ok(s, pauser);
    default:
        return false;
    }
}

/* A checked cast takes as long as many an access */
static CaliptraState *caliptra_of(CaliptraSocIf *core)
{
    return (CaliptraState *)core;
}

static MemTxResult caliptra_core_read(CaliptraSocIf *core, hwaddr offset,
                                      uint32_t pauser, uint32_t *data)
{
    CaliptraState *s = caliptra_of(core);
    CaliptraBlock block;

    offset %= CALIPTRA_WINDOW_SIZE;
    block = caliptra_decode(offset);
    *data = 0;
    if (caliptra_in_reset(s)) {
        return MEMTX_OK;
    }
    if (caliptra_soc_error(s, block, offset, pauser)) {
        trace_caliptra_soc_error(s->id, "read", offset, pauser);
        return MEMTX_ERROR;
    }
    switch (block) {
    case BLOCK_MBOX:
        *data = caliptra_mbox_soc_read(s, offset - CALIPTRA_WINDOW_MBOX,
                                       pauser);
        break;
    case BLOCK_SHA_ACC:
        *data = caliptra_sha_acc_soc_read(s, offset - CALIPTRA_WINDOW_SHA_ACC,
                                          pauser);
        break;
    default:
        *data = caliptra_soc_ifc_soc_read(s, offset - CALIPTRA_WINDOW_SOC_IFC,
                                          pauser);
        break;
    }
    trace_caliptra_soc_read(s->id, offset, pauser,
                            caliptra_soc_trace_data(offset, *data));
    caliptra_access_done(s);
    return MEMTX_OK;
}

static MemTxResult caliptra_core_write(CaliptraSocIf *core, hwaddr offset,
                                       uint32_t pauser, uint32_t data)
{
    CaliptraState *s = caliptra_of(core);
    CaliptraBlock block;

    offset %= CALIPTRA_WINDOW_SIZE;
    block = caliptra_decode(offset);
    if (caliptra_in_reset(s)) {
        return MEMTX_OK;
    }
    if (caliptra_soc_error(s, block, offset, pauser)) {
        trace_caliptra_soc_error(s->id, "write", offset, pauser);
        return MEMTX_ERROR;
    }
    trace_caliptra_soc_write(s->id, offset, pauser,
                             caliptra_soc_trace_data(offset, data));
    switch (block) {
    case BLOCK_MBOX:
        caliptra_mbox_soc_write(s, offset - CALIPTRA_WINDOW_MBOX, pauser,
                                data);
        break;
    case BLOCK_SHA_ACC:
        caliptra_sha_acc_soc_write(s, offset - CALIPTRA_WINDOW_SHA_ACC,
                                   pauser, data);
        break;
    default:
        caliptra_soc_ifc_soc_write(s, offset - CALIPTRA_WINDOW_SOC_IFC,
                                   pauser, data);
        break;
    }
    caliptra_access_done(s);
    return MEMTX_OK;
}

static MemTxResult caliptra_core_peek(CaliptraSocIf *core, hwaddr offset,
                                      uint32_t pauser, uint32_t *data)
{
    CaliptraState *s = CALIPTRA(core);
    CaliptraBlock block;

    offset %= CALIPTRA_WINDOW_SIZE;
    block = caliptra_decode(offset);
    *data = 0;
    if (caliptra_in_reset(s)) {
        return MEMTX_OK;
    }
    if (caliptra_soc_error(s, block, offset, pauser)) {
        return MEMTX_ERROR;
    }
    switch (block) {
    case BLOCK_MBOX:
        *data = caliptra_mbox_peek(&s->mbox, offset - CALIPTRA_WINDOW_MBOX);
        break;
    case BLOCK_SHA_ACC:
        *data = caliptra_sha_acc_peek(s, offset - CALIPTRA_WINDOW_SHA_ACC);
        break;
    default:
        *data = caliptra_soc_ifc_soc_read(s, offset - CALIPTRA_WINDOW_SOC_IFC,
                                          pauser);
        break;
    }
    return MEMTX_OK;
}

/* ---- the microcontroller's bus ---- */

/* What a trace event may show: not what passes through engines with keys */
static uint32_t uc_trace_data(uint32_t addr, uint32_t data)
{
    uint32_t block = addr & ~(CALIPTRA_BLOCK_SIZE - 1);

    if (block == CALIPTRA_ECC_BASE || block == CALIPTRA_HMAC_BASE ||
        block == CALIPTRA_CSRNG_BASE || block == CALIPTRA_ENTROPY_BASE) {
        return 0;
    }
    return addr < CALIPTRA_MBOX_SRAM_BASE ? data :
           caliptra_soc_trace_data(addr - CALIPTRA_MBOX_SRAM_BASE, data);
}

bool caliptra_bus_decodes(CaliptraState *s, uint32_t addr)
{
    uint32_t offset = addr - CALIPTRA_MBOX_SRAM_BASE;

    return offset < CALIPTRA_WINDOW_SIZE ?
           caliptra_decode(offset) != BLOCK_NONE :
           caliptra_internal_decodes(s, addr);
}

MemTxResult caliptra_bus_read(CaliptraState *s, uint32_t addr, uint32_t *data)
{
    uint32_t offset = addr - CALIPTRA_MBOX_SRAM_BASE;
    CaliptraBlock block = caliptra_decode(offset);

    *data = 0;
    if (offset >= CALIPTRA_WINDOW_SIZE) {
        if (!caliptra_internal_read(s, addr, data)) {
            return MEMTX_ERROR;
        }
        block = BLOCK_INTERNAL;
    } else if (block == BLOCK_NONE) {
        return MEMTX_ERROR;
    }
    if (caliptra_in_reset(s)) {
        return MEMTX_OK;
    }
    switch (block) {
    case BLOCK_INTERNAL:
        break;
    case BLOCK_SRAM:
        *data = caliptra_mbox_sram_read(s, offset);
        break;
    case BLOCK_MBOX:
        *data = caliptra_mbox_uc_read(s, offset - CALIPTRA_WINDOW_MBOX);
        break;
    case BLOCK_SHA_ACC:
        *data = caliptra_sha_acc_uc_read(s, offset - CALIPTRA_WINDOW_SHA_ACC);
        break;
    default:
        *data = caliptra_soc_ifc_uc_read(s, offset - CALIPTRA_WINDOW_SOC_IFC);
        break;
    }
    trace_caliptra_uc_read(s->id, addr, uc_trace_data(addr, *data));
    caliptra_access_done(s);
    return MEMTX_OK;
}

MemTxResult caliptra_bus_write(CaliptraState *s, uint32_t addr, uint32_t data)
{
    uint32_t offset = addr - CALIPTRA_MBOX_SRAM_BASE;
    CaliptraBlock block = caliptra_decode(offset);

    if (!caliptra_bus_decodes(s, addr)) {
        return MEMTX_ERROR;
    }
    if (offset >= CALIPTRA_WINDOW_SIZE) {
        if (!caliptra_in_reset(s)) {
            trace_caliptra_uc_write(s->id, addr, uc_trace_data(addr, data));
            caliptra_internal_write(s, addr, data);
            caliptra_access_done(s);
        }
        return MEMTX_OK;
    }
    if (caliptra_in_reset(s)) {
        return MEMTX_OK;
    }
    trace_caliptra_uc_write(s->id, addr, uc_trace_data(addr, data));
    switch (block) {
    case BLOCK_SRAM:
        caliptra_mbox_sram_write(s, offset, data);
        break;
    case BLOCK_MBOX:
        caliptra_mbox_uc_write(s, offset - CALIPTRA_WINDOW_MBOX, data);
        break;
    case BLOCK_SHA_ACC:
        caliptra_sha_acc_uc_write(s, offset - CALIPTRA_WINDOW_SHA_ACC, data);
        break;
    default:
        caliptra_soc_ifc_uc_write(s, offset - CALIPTRA_WINDOW_SOC_IFC, data);
        break;
    }
    caliptra_access_done(s);
    return MEMTX_OK;
}

/* ---- device ---- */

static uint32_t caliptra_last_error(CaliptraState *s)
{
    return s->soc_ifc.regs[R_CPTRA_FW_ERROR_FATAL] ?:
           s->soc_ifc.regs[R_CPTRA_FW_ERROR_NON_FATAL];
}

static void caliptra_get_flow_status(Object *obj, Visitor *v,
                                     const char *name, void *opaque,
                                     Error **errp)
{
    uint32_t value = caliptra_soc_ifc_peek(CALIPTRA(obj),
                                           A_CPTRA_FLOW_STATUS);

    visit_type_uint32(v, name, &value, errp);
}

static void caliptra_get_last_error(Object *obj, Visitor *v,
                                    const char *name, void *opaque,
                                    Error **errp)
{
    uint32_t value = caliptra_last_error(CALIPTRA(obj));

    visit_type_uint32(v, name, &value, errp);
}

static char *caliptra_get_last_error_name(Object *obj, Error **errp)
{
    uint32_t code = caliptra_last_error(CALIPTRA(obj));

    return g_strdup(code ? caliptra_error_name(code) : "");
}

static char *caliptra_get_mailbox_state(Object *obj, Error **errp)
{
    return g_strdup(caliptra_mbox_fsm_name(&CALIPTRA(obj)->mbox));
}

/* power is off until the SoC drives the lines; no timer is left behind */
static void caliptra_power_off(CaliptraState *s)
{
    s->in_pwrgood = false;
    s->in_rst_b = false;
    caliptra_assert_reset(s, CALIPTRA_RESET_COLD);
}

/* the SoC drives the lines in the exit phase of its own reset */
static void caliptra_reset_hold(Object *obj, ResetType type)
{
    CaliptraState *s = CALIPTRA(obj);

    caliptra_power_off(s);
    s->wires = 0;
}

static void caliptra_reset_exit(Object *obj, ResetType type)
{
    CaliptraState *s = CALIPTRA(obj);
    size_t i;

    for (i = 0; i < ARRAY_SIZE(caliptra_lines); i++) {
        qemu_irq *irq = (void *)s + caliptra_lines[i].irq;

        qemu_set_irq(*irq, !!(s->wires & caliptra_lines[i].wire));
    }
    caliptra_update(s);
}

static void caliptra_realize(DeviceState *dev, Error **errp)
{
    CaliptraState *s = CALIPTRA(dev);

    if (s->uc && !caliptra_uc_connect(s->uc, s, errp)) {
        return;
    }
    g_free(s->id);
    s->id = object_get_canonical_path(OBJECT(dev));
    if (!clock_has_source(s->clk)) {
        clock_set_hz(s->clk, CALIPTRA_CLK_DEFAULT_HZ);
    }
}

static void caliptra_unrealize(DeviceState *dev)
{
    CaliptraState *s = CALIPTRA(dev);

    caliptra_power_off(s);
    caliptra_update(s);
    if (s->uc) {
        caliptra_uc_disconnect(s->uc);
    }
}

static void caliptra_init(Object *obj)
{
    CaliptraState *s = CALIPTRA(obj);
    DeviceState *dev = DEVICE(obj);
    size_t i;

    for (i = 0; i < ARRAY_SIZE(caliptra_lines); i++) {
        qdev_init_gpio_out_named(dev, (void *)s + caliptra_lines[i].irq,
                                 caliptra_lines[i].name, 1);
    }
    qdev_init_gpio_in_named(dev, caliptra_in_pwrgood, CALIPTRA_IN_PWRGOOD, 1);
    qdev_init_gpio_in_named(dev, caliptra_in_rst_b, CALIPTRA_IN_RST_B, 1);
    qdev_init_gpio_in_named(dev, caliptra_in_brkpoint, CALIPTRA_IN_BRKPOINT,
                            1);
    qdev_init_gpio_in_named(dev, caliptra_in_scan_mode,
                            CALIPTRA_IN_SCAN_MODE, 1);
    s->clk = qdev_init_clock_in(dev, "clk", caliptra_clock_event, s,
                                ClockPreUpdate | ClockUpdate);

    caliptra_time_init(&s->time);
    qdev_init_gpio_out_named(dev, &s->time.counts, CALIPTRA_OUT_TIME_COUNTS,
                             1);
    qdev_init_gpio_in_named(dev, caliptra_in_time_hold, CALIPTRA_IN_TIME_HOLD,
                            1);
    caliptra_soc_ifc_init(s);
    caliptra_sha_acc_init(s);
    caliptra_engines_init(s);

    object_property_add_uint32_ptr(obj, "boot-status",
                                   &s->soc_ifc.regs[R_CPTRA_BOOT_STATUS],
                                   OBJ_PROP_FLAG_READ);
    object_property_set_description(obj, "boot-status",
        "CPTRA_BOOT_STATUS: how far firmware is");
    object_property_add(obj, "flow-status", "uint32",
                        caliptra_get_flow_status, NULL, NULL, NULL);
    object_property_set_description(obj, "flow-status",
        "CPTRA_FLOW_STATUS: what Caliptra is ready for");
    object_property_add(obj, "last-error", "uint32",
                        caliptra_get_last_error, NULL, NULL, NULL);
    object_property_set_description(obj, "last-error",
        "The fatal error of firmware, else the one that is not fatal; 0: "
        "none");
    object_property_add_str(obj, "last-error-name",
                            caliptra_get_last_error_name, NULL);
    object_property_set_description(obj, "last-error-name",
        "The name of last-error");
    object_property_add_str(obj, "mailbox-state",
                            caliptra_get_mailbox_state, NULL);
    object_property_set_description(obj, "mailbox-state",
        "State of the mailbox's FSM");
}

static void caliptra_finalize(Object *obj)
{
    CaliptraState *s = CALIPTRA(obj);

    caliptra_time_finalize(&s->time);
    caliptra_soc_ifc_finalize(s);
    caliptra_engines_finalize(s);
    g_free(s->id);
}

static bool caliptra_post_load(void *opaque, int version_id, Error **errp)
{
    CaliptraState *s = opaque;

    if (s->boot_fsm > BOOT_DONE ||
        s->lifecycle > CALIPTRA_LIFECYCLE_PRODUCTION) {
        error_setg(errp, "bad state of the boot FSM");
        return false;
    }
    if (s->saved_itrng != s->itrng) {
        error_setg(errp, "'itrng' is %s here", s->itrng ? "on" : "off");
        return false;
    }
    caliptra_soc_ifc_post_load(s);
    return true;
}

static int caliptra_pre_save(void *opaque)
{
    CaliptraState *s = opaque;

    s->saved_itrng = s->itrng;
    return 0;
}

static const VMStateDescription vmstate_caliptra = {
    .name = TYPE_CALIPTRA,
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = caliptra_pre_save,
    .post_load_errp = caliptra_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_CLOCK(clk, CaliptraState),
        VMSTATE_STRUCT(time, CaliptraState, 1, vmstate_caliptra_time,
                       CaliptraTime),
        VMSTATE_UINT32(wires, CaliptraState),
        VMSTATE_BOOL(in_pwrgood, CaliptraState),
        VMSTATE_BOOL(in_rst_b, CaliptraState),
        VMSTATE_BOOL(in_brkpoint, CaliptraState),
        VMSTATE_BOOL(in_scan_mode, CaliptraState),
        VMSTATE_UINT32(in_security_state, CaliptraState),
        VMSTATE_UINT32_ARRAY(in_obf_key, CaliptraState,
                             CALIPTRA_OBF_KEY_WORDS),
        VMSTATE_UINT64(in_generic_wires, CaliptraState),
        VMSTATE_UINT8(boot_fsm, CaliptraState),
        VMSTATE_BOOL(power_cycled, CaliptraState),
        VMSTATE_BOOL(brkpoint, CaliptraState),
        VMSTATE_UINT8(lifecycle, CaliptraState),
        VMSTATE_BOOL(debug_locked, CaliptraState),
        VMSTATE_BOOL(scan_mode, CaliptraState),
        VMSTATE_BOOL(saved_itrng, CaliptraState),
        VMSTATE_BOOL(flip_itrng, CaliptraState),
        VMSTATE_STRUCT(mbox, CaliptraState, 1, vmstate_caliptra_mbox,
                       CaliptraMbox),
        VMSTATE_STRUCT(soc_ifc, CaliptraState, 1, vmstate_caliptra_soc_ifc,
                       CaliptraSocIfc),
        VMSTATE_STRUCT(sha_acc, CaliptraState, 1, vmstate_caliptra_sha_acc,
                       CaliptraShaAcc),
        VMSTATE_STRUCT(vault, CaliptraState, 1, vmstate_caliptra_vault,
                       CaliptraVault),
        VMSTATE_STRUCT(engines, CaliptraState, 1, vmstate_caliptra_engines,
                       CaliptraEngines),
        VMSTATE_STRUCT(trng, CaliptraState, 1, vmstate_caliptra_trng,
                       CaliptraTrng),
        VMSTATE_END_OF_LIST()
    },
};

static const Property caliptra_properties[] = {
    DEFINE_PROP_LINK("uc", CaliptraState, uc, TYPE_CALIPTRA_UC, CaliptraUc *),
    /* build option CALIPTRA_INTERNAL_TRNG, as seen in CPTRA_HW_CONFIG */
    DEFINE_PROP_BOOL("itrng", CaliptraState, itrng, false),
};

static void caliptra_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    CaliptraSocIfClass *sic = CALIPTRA_SOC_IF_CLASS(klass);

    sic->read = caliptra_core_read;
    sic->write = caliptra_core_write;
    sic->peek = caliptra_core_peek;
    sic->set_security_state = caliptra_core_set_security_state;
    sic->set_obf_key = caliptra_core_set_obf_key;
    sic->set_generic_input_wires = caliptra_core_set_generic_input_wires;

    dc->desc = "Caliptra 1.x Root of Trust core";
    dc->realize = caliptra_realize;
    dc->unrealize = caliptra_unrealize;
    dc->vmsd = &vmstate_caliptra;
    dc->user_creatable = false;
    device_class_set_props(dc, caliptra_properties);
    object_class_property_set_description(klass, "uc",
        "What plays the microcontroller (default: nothing)");
    object_class_property_set_description(klass, "itrng",
        "Whether the core is built with an internal TRNG");
    rc->phases.hold = caliptra_reset_hold;
    rc->phases.exit = caliptra_reset_exit;
}

static const TypeInfo caliptra_types[] = {
    {
        .name = TYPE_CALIPTRA,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(CaliptraState),
        .instance_init = caliptra_init,
        .instance_finalize = caliptra_finalize,
        .class_init = caliptra_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_CALIPTRA_SOC_IF },
            { }
        },
    },
};

DEFINE_TYPES(caliptra_types)
