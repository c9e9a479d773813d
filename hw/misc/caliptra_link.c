/*
 * SoC in another process, as a Caliptra 1.x core sees it
 *
 * Does what it is told when it is told, and never waits: what the SoC does
 * not take stays in a queue, and while that is long nothing is received.
 *
 * A SoC whose process stands serves nobody, so what the core counts against a
 * limit must stand, too.  While something is counted, the SoC has to say again
 * and again that it is running; the core's time is held until it does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/core/sysbus.h"
#include "migration/blocker.h"
#include "migration/vmstate.h"
#include "system/replay.h"
#include "system/system.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_link.h"
#include "caliptra_link_conn.h"
#include "trace.h"

/*
 * How long the core counts without asking the SoC again, and then as long
 * without an answer: little against the shortest limit.  That is 200 ms,
 * a watchdog period of firmware; but 250,000 reads of TRNG_STATUS may take
 * some 10 ms with icount.
 */
#define LINK_PING_NS        (10 * SCALE_MS)
#define LINK_PING_ETRNG_NS  (1 * SCALE_MS)

#define LINK_IN_COUNTS  "time-counts"

struct CaliptraLinkState {
    SysBusDevice parent_obj;

    /* properties */
    CaliptraSocIf *core;
    CaliptraLog *log;
    CaliptraLinkConn conn;

    qemu_irq pwrgood;
    qemu_irq rst_b;
    qemu_irq brkpoint;
    qemu_irq scan_mode;
    qemu_irq time_hold;

    /* what the SoC drives, as its last INPUTS said; 0 without a SoC */
    uint32_t inputs[CALIPTRA_LINK_INPUTS_WORDS];
    /* the core's output lines */
    uint32_t lines;
    /* the first of the writes that the SoC has not been told of */
    uint32_t refused[CALIPTRA_LINK_REFUSED_WORDS];

    /* the core counts; its time is held */
    bool counts;
    bool held;
    /* a PING is not answered yet; it was sent before what is counted now */
    bool pinged;
    bool stale;
    /* what is counted now begins when the timer rings */
    bool begins;
    QEMUTimer *ping_timer;

    Notifier machine_done;
    Error *blocker;
};

/* ---- the core's inputs ---- */

static void link_drive_straps(CaliptraLinkState *s)
{
    uint32_t security_state = s->inputs[CALIPTRA_LINK_INPUTS_SECURITY_STATE];
    const uint32_t *wires = &s->inputs[CALIPTRA_LINK_INPUTS_WIRES];

    caliptra_set_security_state(s->core, security_state);
    caliptra_set_obf_key(s->core, &s->inputs[CALIPTRA_LINK_INPUTS_OBF_KEY]);
    caliptra_set_generic_input_wires(s->core,
                                     wires[0] | (uint64_t)wires[1] << 32);
}

/* A fall of power good comes before all others, a rise after them */
static void link_drive_inputs(CaliptraLinkState *s)
{
    uint32_t levels = s->inputs[CALIPTRA_LINK_INPUTS_LEVELS];

    if (!(levels & CALIPTRA_LINK_LEVEL_PWRGOOD)) {
        qemu_set_irq(s->pwrgood, 0);
    }
    link_drive_straps(s);
    qemu_set_irq(s->brkpoint, !!(levels & CALIPTRA_LINK_LEVEL_BRKPOINT));
    qemu_set_irq(s->scan_mode, !!(levels & CALIPTRA_LINK_LEVEL_SCAN_MODE));
    qemu_set_irq(s->rst_b, !!(levels & CALIPTRA_LINK_LEVEL_RST_B));
    qemu_set_irq(s->pwrgood, !!(levels & CALIPTRA_LINK_LEVEL_PWRGOOD));
}

/* ---- the core's time ---- */

static void link_hold(CaliptraLinkState *s, bool held)
{
    if (s->held != held) {
        trace_caliptra_link_hold(s->conn.fe.chr->label, held);
        s->held = held;
        qemu_set_irq(s->time_hold, held);
    }
}

static void link_arm_ping(CaliptraLinkState *s, int64_t ns)
{
    timer_mod(s->ping_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

static void link_ping(CaliptraLinkState *s)
{
    CaliptraLinkFrame frame = { .type = CALIPTRA_LINK_PING };

    s->pinged = true;
    caliptra_link_send(&s->conn, &frame);
}

/* How long the core counts until the SoC has to say again that it runs */
static int64_t link_ping_ns(CaliptraLinkState *s)
{
    bool etrng_req = extract32(s->lines, CALIPTRA_LINK_LINE_ETRNG_REQ, 1);

    return etrng_req ? LINK_PING_ETRNG_NS : LINK_PING_NS;
}

static bool link_watches_soc(CaliptraLinkState *s)
{
    return s->counts && s->conn.caps & CALIPTRA_LINK_CAP_TIME &&
           caliptra_link_up(&s->conn);
}

/*
 * While the SoC is watched, the core's time is held only as long as a PING is
 * not answered, and without one the timer is pending: it sends the next, or
 * finds that the last has not been answered.
 */
static void link_ping_timer(void *opaque)
{
    CaliptraLinkState *s = opaque;
    bool begins = s->begins;

    s->begins = false;
    if (!link_watches_soc(s)) {
        link_hold(s, false);
    } else if (s->pinged) {
        /* an answer to what was sent before is none to what begins now */
        s->stale |= begins;
        link_hold(s, true);
    } else {
        link_ping(s);
        if (begins) {
            link_hold(s, true);
        } else {
            link_arm_ping(s, link_ping_ns(s));
        }
    }
}

/*
 * The core begins to count, or ends; or it begins to wait for the SoC.  That
 * comes in the middle of an access.
 */
static void link_look(CaliptraLinkState *s, bool begins)
{
    s->begins |= begins;
    link_arm_ping(s, 0);
}

static void link_time_counts(void *opaque, int n, int level)
{
    CaliptraLinkState *s = opaque;
    bool counts = level;

    if (s->counts != counts) {
        s->counts = counts;
        link_look(s, counts);
    }
}

static bool link_pong(CaliptraLinkState *s, Error **errp)
{
    if (!s->pinged) {
        error_setg(errp, "a PONG that nobody waits for");
        return false;
    }
    s->pinged = false;
    if (s->stale && link_watches_soc(s)) {
        link_ping(s);
    } else {
        link_hold(s, false);
        if (!s->begins && link_watches_soc(s)) {
            link_arm_ping(s, link_ping_ns(s));
        }
    }
    s->stale = false;
    return true;
}

static void link_end_watch(CaliptraLinkState *s)
{
    timer_del(s->ping_timer);
    s->begins = false;
    s->pinged = false;
    s->stale = false;
    link_hold(s, false);
}

/* ---- the core's outputs ---- */

static void link_send_lines(CaliptraLinkState *s)
{
    CaliptraLinkFrame frame = {
        .type = CALIPTRA_LINK_LINES,
        .word[CALIPTRA_LINK_LINES_LEVELS] = s->lines,
    };

    caliptra_link_send(&s->conn, &frame);
}

static void link_line(void *opaque, int n, int level)
{
    CaliptraLinkState *s = opaque;
    uint32_t lines = deposit32(s->lines, n, 1, !!level);

    if (s->lines != lines) {
        s->lines = lines;
        link_send_lines(s);
        if (n == CALIPTRA_LINK_LINE_ETRNG_REQ && level) {
            link_look(s, true);
        }
    }
}

/* ---- frames ---- */

static void link_send_refused(void *opaque)
{
    CaliptraLinkState *s = opaque;
    CaliptraLinkFrame frame = { .type = CALIPTRA_LINK_REFUSED };

    if (s->refused[CALIPTRA_LINK_REFUSED_COUNT]) {
        memcpy(frame.word, s->refused, sizeof(s->refused));
        s->refused[CALIPTRA_LINK_REFUSED_COUNT] = 0;
        caliptra_link_send(&s->conn, &frame);
    }
}

static void link_answer(CaliptraLinkState *s, const CaliptraLinkFrame *request,
                        MemTxResult result, uint32_t data)
{
    CaliptraLinkFrame frame = {
        .type = CALIPTRA_LINK_ANSWER,
        .tag = request->tag,
        .word = {
            [CALIPTRA_LINK_ANSWER_RESULT] =
                result == MEMTX_OK ? CALIPTRA_LINK_OK : CALIPTRA_LINK_PSLVERR,
            [CALIPTRA_LINK_ANSWER_DATA] = result == MEMTX_OK ? data : 0,
        },
    };

    link_send_refused(s);
    caliptra_link_send(&s->conn, &frame);
}

static void link_write(CaliptraLinkState *s, const uint32_t *word)
{
    uint32_t offset = word[CALIPTRA_LINK_ACCESS_OFFSET];
    uint32_t pauser = word[CALIPTRA_LINK_ACCESS_PAUSER];

    if (caliptra_soc_write(s->core, offset, pauser,
                           word[CALIPTRA_LINK_ACCESS_DATA]) != MEMTX_OK) {
        if (s->refused[CALIPTRA_LINK_REFUSED_COUNT]++ == 0) {
            s->refused[CALIPTRA_LINK_REFUSED_OFFSET] = offset;
            s->refused[CALIPTRA_LINK_REFUSED_PAUSER] = pauser;
        }
    }
}

static bool link_frame(void *opaque, const CaliptraLinkFrame *frame,
                       Error **errp)
{
    CaliptraLinkState *s = opaque;
    const uint32_t *word = frame->word;
    MemTxResult result = MEMTX_OK;
    uint32_t data = 0;

    switch (frame->type) {
    case CALIPTRA_LINK_READ:
        result = caliptra_soc_read(s->core, word[CALIPTRA_LINK_ACCESS_OFFSET],
                                   word[CALIPTRA_LINK_ACCESS_PAUSER], &data);
        break;
    case CALIPTRA_LINK_PEEK:
        result = caliptra_soc_peek(s->core, word[CALIPTRA_LINK_ACCESS_OFFSET],
                                   word[CALIPTRA_LINK_ACCESS_PAUSER], &data);
        break;
    case CALIPTRA_LINK_INPUTS:
        memcpy(s->inputs, word, sizeof(s->inputs));
        link_drive_inputs(s);
        break;
    case CALIPTRA_LINK_PONG:
        return link_pong(s, errp);
    default:
        link_write(s, word);
        return true;
    }
    link_answer(s, frame, result, data);
    return true;
}

/* ---- begin and end ---- */

static bool link_up(void *opaque)
{
    CaliptraLinkState *s = opaque;
    Error *err = NULL;

    error_setg(&s->blocker, "a SoC is connected to Caliptra's core at chardev "
               "'%s'", s->conn.fe.chr->label);
    if (migrate_add_blocker(&s->blocker, &err) < 0) {
        caliptra_link_fail(&s->conn, err);
        return false;
    }
    caliptra_log(s->log, "the SoC at chardev '%s' is there",
                 s->conn.fe.chr->label);
    if (s->lines) {
        link_send_lines(s);
    }
    link_look(s, true);
    return true;
}

static void link_power_off(CaliptraLinkState *s)
{
    memset(s->inputs, 0, sizeof(s->inputs));
    s->refused[CALIPTRA_LINK_REFUSED_COUNT] = 0;
    link_drive_inputs(s);
}

static void link_down(void *opaque)
{
    CaliptraLinkState *s = opaque;

    migrate_del_blocker(&s->blocker);
    link_end_watch(s);
    link_power_off(s);
}

static const CaliptraLinkOps link_ops = {
    .up = link_up,
    .down = link_down,
    .frame = link_frame,
    .idle = link_send_refused,
};

/* ---- the device ---- */

static void link_machine_done(Notifier *notifier, void *data)
{
    CaliptraLinkState *s = container_of(notifier, CaliptraLinkState,
                                        machine_done);

    caliptra_link_conn_announce(&s->conn);
}

/* the core has lost its power in its own reset: the SoC still drives it */
static void link_reset_exit(Object *obj, ResetType type)
{
    link_drive_inputs(CALIPTRA_LINK(obj));
}

static void link_realize(DeviceState *dev, Error **errp)
{
    CaliptraLinkState *s = CALIPTRA_LINK(dev);
    DeviceState *core = DEVICE(s->core);

    if (!s->core) {
        error_setg(errp, "'core' link must be set");
        return;
    }
    s->pwrgood = qdev_get_gpio_in_named(core, CALIPTRA_IN_PWRGOOD, 0);
    s->rst_b = qdev_get_gpio_in_named(core, CALIPTRA_IN_RST_B, 0);
    s->brkpoint = qdev_get_gpio_in_named(core, CALIPTRA_IN_BRKPOINT, 0);
    s->scan_mode = qdev_get_gpio_in_named(core, CALIPTRA_IN_SCAN_MODE, 0);
    s->time_hold = qdev_get_gpio_in_named(core, CALIPTRA_IN_TIME_HOLD, 0);
    qdev_connect_gpio_out_named(core, CALIPTRA_OUT_TIME_COUNTS, 0,
                                qdev_get_gpio_in_named(dev, LINK_IN_COUNTS,
                                                       0));
    for (int i = 0; i < CALIPTRA_LINK_NR_LINES; i++) {
        qdev_connect_gpio_out_named(core, caliptra_link_lines[i], 0,
                                    qdev_get_gpio_in(dev, i));
    }
    if (!caliptra_link_conn_init(&s->conn, CALIPTRA_LINK_CORE, &link_ops, s,
                                 s->log, errp)) {
        return;
    }
    /* another process is not in the record */
    replay_add_blocker(TYPE_CALIPTRA_LINK);
    s->machine_done.notify = link_machine_done;
    qemu_add_machine_init_done_notifier(&s->machine_done);
}

static void link_unrealize(DeviceState *dev)
{
    CaliptraLinkState *s = CALIPTRA_LINK(dev);

    qemu_remove_machine_init_done_notifier(&s->machine_done);
    link_down(s);
    caliptra_link_conn_finalize(&s->conn);
}

static void link_init(Object *obj)
{
    CaliptraLinkState *s = CALIPTRA_LINK(obj);
    DeviceState *dev = DEVICE(obj);

    qdev_init_gpio_in(dev, link_line, CALIPTRA_LINK_NR_LINES);
    qdev_init_gpio_in_named(dev, link_time_counts, LINK_IN_COUNTS, 1);
    s->ping_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, link_ping_timer, s);
}

static void link_finalize(Object *obj)
{
    timer_free(CALIPTRA_LINK(obj)->ping_timer);
}

/* The SoC that is connected here, if any, drives another core */
static bool link_post_load(void *opaque, int version_id, Error **errp)
{
    CaliptraLinkState *s = opaque;

    if (s->lines >> CALIPTRA_LINK_NR_LINES) {
        error_setg(errp, "bad lines of Caliptra's core");
        return false;
    }
    caliptra_link_state_loaded(&s->conn);
    return true;
}

/* Only without a connection: then all inputs are 0 */
static const VMStateDescription vmstate_link = {
    .name = TYPE_CALIPTRA_LINK,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = link_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(lines, CaliptraLinkState),
        VMSTATE_END_OF_LIST()
    },
};

static const Property link_properties[] = {
    DEFINE_PROP_CHR("chardev", CaliptraLinkState, conn.fe),
    DEFINE_PROP_LINK("core", CaliptraLinkState, core, TYPE_CALIPTRA_SOC_IF,
                     CaliptraSocIf *),
    DEFINE_PROP_LINK("log", CaliptraLinkState, log, TYPE_CALIPTRA_LOG,
                     CaliptraLog *),
};

static void link_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "SoC of a Caliptra core, in another process";
    dc->realize = link_realize;
    dc->unrealize = link_unrealize;
    dc->vmsd = &vmstate_link;
    dc->user_creatable = false;
    device_class_set_props(dc, link_properties);
    object_class_property_set_description(klass, "chardev",
        "Where the SoC is: a socket");
    object_class_property_set_description(klass, "core",
        "Core that the SoC drives");
    object_class_property_set_description(klass, "log",
        "Where it is told that the SoC comes and goes");
    rc->phases.exit = link_reset_exit;
}

static const TypeInfo link_types[] = {
    {
        .name = TYPE_CALIPTRA_LINK,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(CaliptraLinkState),
        .instance_init = link_init,
        .instance_finalize = link_finalize,
        .class_init = link_class_init,
    },
};

DEFINE_TYPES(link_types)
