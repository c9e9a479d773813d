/*
 * Caliptra 1.x core: what the internal engines share
 *
 * Commands, clients of the key vault, interrupt blocks, and the addresses at
 * which the microcontroller sees engines, vaults and TRNG.  Each engine has a
 * file of its own; the arithmetic is in caliptra_crypto.c, the rules of the
 * vaults are in caliptra_vault.c.
 *
 * A command ends on a timer of the virtual clock.  Copies between an engine
 * and the key vault take some 16 clocks in hardware; here they are done when
 * the register write that starts them returns.  Commands of the hash engines
 * take of the order of what 400 MHz parts need a block.
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
#include "trace.h"

#define ENGINE_NOTIF_BITS       1

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

void caliptra_internal_poll(CaliptraState *s, uint32_t addr)
{
    hwaddr offset;
    const BusWindow *w = bus_window(s, addr, &offset);
    CaliptraEngine *e;

    if (!w || !w->engine ||
        (offset != w->engine->status && offset != w->engine->quote_status)) {
        return;
    }
    e = engine_of(s, w->engine);
    if (e->cmd) {
        timer_del(e->timer);
        w->engine->done(s);
    }
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

/* A command ends: it is that of the engine whose timer has just run out */
static void engine_timer(void *opaque)
{
    CaliptraState *s = opaque;

    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        CaliptraEngine *e = engine_of(s, engines[i]);

        if (e->cmd && !timer_pending(e->timer)) {
            engines[i]->done(s);
        }
    }
    caliptra_update(s);
}

void caliptra_engines_init(CaliptraState *s)
{
    for (int i = 0; i < ARRAY_SIZE(engines); i++) {
        CaliptraEngine *e = engine_of(s, engines[i]);

        e->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, engine_timer, s);
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
