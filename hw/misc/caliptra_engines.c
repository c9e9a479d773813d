/*
 * Caliptra 1.x core: what the internal engines share
 *
 * Commands, clients of the key vault, interrupt blocks, and the addresses at
 * which the microcontroller sees engines, vaults and TRNG.  Each engine has a
 * file of its own; the arithmetic is in caliptra_crypto.c, the rules of the
 * vaults are in caliptra_vault.c.
 *
 * A command takes a time of the virtual clock.  It ends on a timer, or, if
 * the microcontroller polls and no interrupt is enabled, with an access after
 * that: thousands of timers would do nothing but wake the main loop.  Copies
 * between an engine and the key vault take some 16 clocks in hardware; here
 * they are done when the register write that starts them returns.  Commands
 * of the hash engines take of the order of what 400 MHz parts need a block.
 *
 * Sources: caliptra-rtl src/{doe,ecc,hmac,sha512,sha256}/rtl and
 * src/integration/rtl/caliptra_top.sv; Caliptra hardware specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "caliptra_internal.h"
#include "trace.h"

#define ENGINE_NOTIF_BITS       1

/* the greatest number of a command in any engine */
#define ENGINE_CMD_MAX          3

/* ---- commands ---- */

static void crypto_busy_check(CaliptraState *s)
{
    const CaliptraEngines *e = &s->engines;

    if (!!e->hmac.e.cmd + !!e->ecc.e.cmd + !!e->doe.e.cmd > 1) {
        caliptra_guest_error(s, "two crypto engines busy at once");
        caliptra_soc_ifc_hw_error_fatal(
            s, R_CPTRA_HW_ERROR_FATAL_CRYPTO_ERR_MASK);
    }
}

static CaliptraEngine *engine_of(CaliptraState *s,
                                 const CaliptraEngineInfo *info)
{
    return (CaliptraEngine *)((char *)s + info->engine);
}

static void engine_arm(CaliptraState *s, CaliptraEngine *e)
{
    if (!s->uc || !s->uc->ready_at_poll || caliptra_intr_enabled(&e->intr)) {
        timer_mod(e->timer, e->end);
    }
}

void caliptra_engine_start(CaliptraState *s, const CaliptraEngineInfo *info,
                           unsigned cmd, int64_t ns)
{
    CaliptraEngine *e = engine_of(s, info);

    trace_caliptra_engine_start(s->id, info->name, cmd);
    e->cmd = cmd;
    e->valid = false;
    e->end = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns;
    engine_arm(s, e);
    crypto_busy_check(s);
}

void caliptra_engine_abort(CaliptraEngine *e)
{
    timer_del(e->timer);
    e->cmd = 0;
    e->valid = false;
}

void caliptra_engine_done(CaliptraState *s, const CaliptraEngineInfo *info)
{
    CaliptraEngine *e = engine_of(s, info);

    trace_caliptra_engine_done(s->id, info->name, e->cmd);
    e->cmd = 0;
    e->valid = true;
    caliptra_intr_notif(&e->intr, ENGINE_NOTIF_CMD_DONE);
    caliptra_changed(s);
}

bool caliptra_engine_ready(CaliptraState *s, const CaliptraEngine *e)
{
    return !e->cmd && !caliptra_flushing(s);
}

uint32_t caliptra_engine_status(CaliptraState *s, const CaliptraEngine *e)
{
    uint32_t status = 0;

    status = FIELD_DP32(status, ECC_STATUS, READY,
                        caliptra_engine_ready(s, e));
    return FIELD_DP32(status, ECC_STATUS, VALID, e->valid);
}

void caliptra_engine_refused(CaliptraState *s, const CaliptraReg *r)
{
    caliptra_guest_error(s, "%s: command refused", r->name);
}

uint32_t caliptra_engine_id_read(CaliptraState *s, const CaliptraReg *r,
                                 unsigned i)
{
    const uint32_t *id = r->arg;

    return id[i];
}

/* ---- key vault clients: all have the same layout ---- */

static CaliptraKvClient *kv_client(CaliptraState *s, const CaliptraReg *r)
{
    const CaliptraKvPort *port = r->arg;

    return (CaliptraKvClient *)((char *)s + port->client);
}

uint32_t caliptra_kv_status_read(CaliptraState *s, const CaliptraReg *r,
                                 unsigned i)
{
    const CaliptraKvClient *c = kv_client(s, r);
    uint32_t status = 0;

    status = FIELD_DP32(status, HMAC384_KV_RD_KEY_STATUS, READY, 1);
    status = FIELD_DP32(status, HMAC384_KV_RD_KEY_STATUS, VALID, c->valid);
    return FIELD_DP32(status, HMAC384_KV_RD_KEY_STATUS, ERROR, c->error);
}

void caliptra_kv_read_write(CaliptraState *s, const CaliptraReg *r, unsigned i,
                            uint32_t data, bool soc)
{
    const CaliptraKvPort *port = r->arg;
    CaliptraKvClient *c = kv_client(s, r);
    uint32_t words[CALIPTRA_KV_WORDS];
    unsigned last_dword;

    if (!(data & KV_READ_EN)) {
        return;
    }
    c->error = caliptra_kv_read_port(
        s, FIELD_EX32(data, HMAC384_KV_RD_KEY_CTRL, READ_ENTRY), port->use,
        words, &last_dword);
    c->valid = true;
    port->load(s, words, last_dword);
    caliptra_wipe(words, sizeof(words));
}

void caliptra_kv_write_write(CaliptraState *s, const CaliptraReg *r,
                             unsigned i, uint32_t data, bool soc)
{
    if (data & KV_WRITE_EN) {
        kv_client(s, r)->valid = false;
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

/* ---- commands that end ---- */

/* In the order of the interrupt vectors; see caliptra_engines_wires() */
static const CaliptraEngineInfo * const engines[] = {
    &caliptra_engine_doe,
    &caliptra_engine_ecc,
    &caliptra_engine_hmac,
    &caliptra_engine_sha512,
    &caliptra_engine_sha256,
};

static void engine_end(CaliptraState *s, const CaliptraEngineInfo *info)
{
    timer_del(engine_of(s, info)->timer);
    info->done(s);
    caliptra_changed(s);
}

/* Commands whose time is over end */
static void engines_catch_up(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        const CaliptraEngine *e = engine_of(s, engines[i]);

        if (e->cmd && qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) >= e->end) {
            engine_end(s, engines[i]);
        }
    }
}

static void engine_timer(void *opaque)
{
    CaliptraState *s = opaque;

    engines_catch_up(s);
    caliptra_update(s);
}

/* ---- the internal bus ---- */

/*
 * Windows of the microcontroller's address map (config_defines.svh).  Most
 * blocks decode 12 address bits only: their registers repeat.
 */
typedef struct BusWindow {
    uint32_t base;
    uint32_t size;
    bool repeats;
    const CaliptraRegBlock *regs;
    const CaliptraEngineInfo *engine;   /* or NULL */
    bool itrng;             /* there with the internal TRNG only */
} BusWindow;

#define BUS_PAGE_MASK   0xFFF

#define ENGINE_WINDOW(base, size, info) \
    { base, size, true, &(info).regs, &(info) }

static const BusWindow bus_windows[] = {
    ENGINE_WINDOW(CALIPTRA_DOE_BASE, 0x8000, caliptra_engine_doe),
    ENGINE_WINDOW(CALIPTRA_ECC_BASE, 0x8000, caliptra_engine_ecc),
    ENGINE_WINDOW(CALIPTRA_HMAC_BASE, 0x1000, caliptra_engine_hmac),
    { CALIPTRA_KV_BASE, 0x2000, true, &caliptra_kv_regs },
    { CALIPTRA_PV_BASE, 0x2000, false, &caliptra_pv_regs },
    { CALIPTRA_DV_BASE, 0x2000, false, &caliptra_dv_regs },
    ENGINE_WINDOW(CALIPTRA_SHA512_BASE, 0x8000, caliptra_engine_sha512),
    ENGINE_WINDOW(CALIPTRA_SHA256_BASE, 0x8000, caliptra_engine_sha256),
    { CALIPTRA_CSRNG_BASE, 0x1000, false, &caliptra_csrng_regs,
      .itrng = true },
    { CALIPTRA_ENTROPY_BASE, 0x1000, false, &caliptra_entropy_src_regs,
      .itrng = true },
};

static const BusWindow *bus_window(CaliptraState *s, uint32_t addr,
                                   hwaddr *offset)
{
    for (int i = 0; i < ARRAY_SIZE(bus_windows); i++) {
        const BusWindow *w = &bus_windows[i];

        if (addr >= w->base && addr - w->base < w->size &&
            (!w->itrng || caliptra_has_itrng(s))) {
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

bool caliptra_internal_read(CaliptraState *s, uint32_t addr, uint32_t *data)
{
    hwaddr offset;
    const BusWindow *w = bus_window(s, addr, &offset);

    if (!w) {
        return false;
    }
    engines_catch_up(s);
    if (caliptra_in_reset(s)) {
        *data = 0;
    } else if (w->engine && offset >= A_INTR_GLOBAL_EN) {
        *data = caliptra_intr_read(&engine_of(s, w->engine)->intr, offset);
    } else {
        *data = caliptra_reg_read(s, w->regs, offset);
    }
    return true;
}

void caliptra_internal_poll(CaliptraState *s, uint32_t addr)
{
    hwaddr offset;
    const BusWindow *w = bus_window(s, addr, &offset);
    const CaliptraReg *r;

    if (!w || !w->engine || !engine_of(s, w->engine)->cmd) {
        return;
    }
    r = caliptra_reg_find(w->regs, offset);
    if (r && r->polled) {
        engine_end(s, w->engine);
    }
}

void caliptra_internal_write(CaliptraState *s, uint32_t addr, uint32_t data)
{
    hwaddr offset;
    const BusWindow *w = bus_window(s, addr, &offset);

    if (!w) {
        return;
    }
    engines_catch_up(s);
    if (w->engine && offset >= A_INTR_GLOBAL_EN) {
        CaliptraEngine *e = engine_of(s, w->engine);

        caliptra_intr_write(&e->intr, offset, data);
        caliptra_changed(s);
        if (e->cmd) {
            engine_arm(s, e);
        }
        return;
    }
    caliptra_reg_write(s, w->regs, offset, data, CALIPTRA_UC_USER, false);
    if (caliptra_flushing(s)) {
        /* the flush is a level: nothing stays in an engine or in a slot */
        caliptra_engines_flush(s);
        caliptra_kv_flush(s);
    }
}

/* ---- life ---- */

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
        const CaliptraEngineInfo *info = engines[i];
        CaliptraEngine *e = engine_of(s, info);
        size_t end = kind == CALIPTRA_RESET_COLD ? info->size : info->cold;

        caliptra_engine_abort(e);
        memset(e + 1, 0, end - sizeof(*e));
        if (info->reset) {
            info->reset(s);
        }
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
    for (int i = 0; i < ARRAY_SIZE(bus_windows); i++) {
        caliptra_reg_block_init(bus_windows[i].regs);
    }
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        CaliptraEngine *e = engine_of(s, engines[i]);

        e->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, engine_timer, s);
        caliptra_intr_init(&e->intr, engines[i]->n_error, ENGINE_NOTIF_BITS);
    }
    s->engines.ecc.curve = caliptra_p384_new();
}

void caliptra_engines_finalize(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        timer_free(engine_of(s, engines[i])->timer);
    }
    caliptra_p384_free(s->engines.ecc.curve);
}

/* ---- state ---- */

/* In a stream a command runs if and only if its timer does */
static int engine_pre_save(void *opaque)
{
    CaliptraEngine *e = opaque;

    if (e->cmd) {
        timer_mod(e->timer, e->end);
    }
    return 0;
}

static int engine_post_load(void *opaque, int version_id)
{
    CaliptraEngine *e = opaque;

    e->end = timer_expire_time_ns(e->timer);
    return e->cmd <= ENGINE_CMD_MAX && timer_pending(e->timer) == !!e->cmd ?
           0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_engine = {
    .name = "caliptra-engine",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_save = engine_pre_save,
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

static int kv_client_post_load(void *opaque, int version_id)
{
    CaliptraKvClient *c = opaque;

    return c->error <= KV_WRITE_FAIL ? 0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_kv_client = {
    .name = "caliptra-kv-client",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = kv_client_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(ctrl, CaliptraKvClient),
        VMSTATE_BOOL(valid, CaliptraKvClient),
        VMSTATE_UINT8(error, CaliptraKvClient),
        VMSTATE_END_OF_LIST()
    },
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
