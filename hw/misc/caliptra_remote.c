/*
 * Caliptra 1.x core that lives in another process, as its SoC sees it
 *
 * Reads and changes of inputs wait for the core's answer, for at most
 * "timeout": caliptra_link_conn.c says how.  Writes are posted; they are on
 * their way when the main loop is reached, when there are many of them, or
 * before the next thing that waits.  Output lines that change while the main
 * loop runs are driven from there.  Those that change before an answer are
 * driven before whoever waits for the answer goes on, as a core in this
 * process would have done in the middle of the access: no SoC can see a
 * register that is ahead of the line.
 *
 * This end tells the core's that it is running, from a timer of virtual time:
 * neither a process that stands nor a machine that is stopped does that, and
 * the core's time stands with them.
 *
 * Without a connection this is a core without power: it reads 0, takes no
 * writes, and its lines are low.  Whatever goes wrong with the other process
 * ends there, and when that is back its core gets the inputs that the SoC
 * drives, so that it boots as after a power cycle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/core/cpu.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/core/sysbus.h"
#include "migration/blocker.h"
#include "migration/vmstate.h"
#include "system/replay.h"
#include "system/system.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_remote.h"
#include "caliptra_link_conn.h"
#include "trace.h"

/* writes that may be under way; a whole upload is 640 KiB */
#define REMOTE_BACKLOG_MAX      (256 * KiB)
/* changes of lines that wait to be driven; the last ones become one */
#define REMOTE_LINES_MAX        64
/* a CPU that waits so long for answers leaves the BQL to others so long */
#define REMOTE_TURNS_US         1000
#define REMOTE_TURN_US          100

struct CaliptraRemoteState {
    SysBusDevice parent_obj;

    /* properties */
    CaliptraLinkConn conn;
    CaliptraLog *log;
    uint32_t timeout_ms;
    bool wait;

    qemu_irq line[CALIPTRA_LINK_NR_LINES];

    /* what the SoC drives */
    uint32_t inputs[CALIPTRA_LINK_INPUTS_WORDS];
    /* output lines as they are driven, and levels that are to follow */
    uint32_t lines;
    uint32_t next_lines[REMOTE_LINES_MAX];
    unsigned num_next;
    /* nothing may be driven: reset's hold phase */
    bool quiet;
    QEMUBH *bh;
    /* pending: a PING is to be answered */
    QEMUTimer *pong_timer;

    /* the request that is under way */
    uint32_t tag;
    bool waiting;
    bool answered;
    uint32_t answer[CALIPTRA_LINK_ANSWER_WORDS];
    /* how long CPUs have waited since others had a turn; the host's time */
    int64_t waited_us;

    Notifier machine_done;
    Error *blocker;
};

/* ---- output lines ---- */

static void remote_drive(CaliptraRemoteState *s, uint32_t lines)
{
    uint32_t changed = s->lines ^ lines;

    s->lines = lines;
    for (int i = 0; i < CALIPTRA_LINK_NR_LINES; i++) {
        if (extract32(changed, i, 1)) {
            trace_caliptra_remote_line(caliptra_link_lines[i],
                                       extract32(lines, i, 1));
            qemu_set_irq(s->line[i], extract32(lines, i, 1));
        }
    }
}

/* In their order; whoever listens may access the core, which gets us here */
static void remote_drive_next(CaliptraRemoteState *s)
{
    while (s->num_next && !s->quiet && !s->waiting) {
        uint32_t lines = s->next_lines[0];

        s->num_next--;
        memmove(s->next_lines, s->next_lines + 1,
                s->num_next * sizeof(s->next_lines[0]));
        remote_drive(s, lines);
    }
}

static void remote_bh(void *opaque)
{
    remote_drive_next(opaque);
}

static void remote_queue_lines(CaliptraRemoteState *s, uint32_t lines)
{
    if (s->num_next == REMOTE_LINES_MAX) {
        s->num_next--;
    }
    s->next_lines[s->num_next++] = lines;
    qemu_bh_schedule(s->bh);
}

/* ---- time ---- */

static void remote_pong(void *opaque)
{
    CaliptraRemoteState *s = opaque;
    CaliptraLinkFrame frame = { .type = CALIPTRA_LINK_PONG };

    remote_drive_next(s);
    caliptra_link_send(&s->conn, &frame);
}

static bool remote_ping(CaliptraRemoteState *s, Error **errp)
{
    if (timer_pending(s->pong_timer)) {
        error_setg(errp, "a PING before the answer to the last one");
        return false;
    }
    timer_mod(s->pong_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL));
    return true;
}

/* ---- frames ---- */

static bool remote_frame(void *opaque, const CaliptraLinkFrame *frame,
                         Error **errp)
{
    CaliptraRemoteState *s = opaque;
    const uint32_t *word = frame->word;

    switch (frame->type) {
    case CALIPTRA_LINK_ANSWER:
        if (!s->waiting || s->answered || frame->tag != s->tag) {
            error_setg(errp, "an answer that nobody waits for");
            return false;
        }
        s->answered = true;
        memcpy(s->answer, word, sizeof(s->answer));
        break;
    case CALIPTRA_LINK_LINES:
        remote_queue_lines(s, word[CALIPTRA_LINK_LINES_LEVELS]);
        break;
    case CALIPTRA_LINK_PING:
        return remote_ping(s, errp);
    default:
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra-remote: %u posted writes "
                      "refused (PSLVERR), the first at 0x%x, user 0x%08x\n",
                      word[CALIPTRA_LINK_REFUSED_COUNT],
                      word[CALIPTRA_LINK_REFUSED_OFFSET],
                      word[CALIPTRA_LINK_REFUSED_PAUSER]);
        break;
    }
    return true;
}

static bool remote_answered(void *opaque)
{
    CaliptraRemoteState *s = opaque;

    return s->answered;
}

static void remote_let_others(CPUState *cpu, run_on_cpu_data data)
{
    bql_unlock();
    g_usleep(REMOTE_TURN_US);
    bql_lock();
}

/*
 * A CPU that polls waits with the BQL, and is back before anybody who waits
 * for the lock has woken: the main loop, which serves the core with random
 * numbers, would come to nothing.  So others get a turn now and then, outside
 * of all accesses.
 */
static void remote_take_turns(CaliptraRemoteState *s, int64_t waited_us)
{
    s->waited_us += waited_us;
    if (current_cpu && s->waited_us >= REMOTE_TURNS_US) {
        s->waited_us = 0;
        async_run_on_cpu(current_cpu, remote_let_others, RUN_ON_CPU_NULL);
    }
}

/*
 * Send a request and wait for its answer.
 *
 * Returns: false without an answer, and without a core then.
 */
static bool remote_request(CaliptraRemoteState *s, CaliptraLinkFrame *frame,
                           uint32_t answer[CALIPTRA_LINK_ANSWER_WORDS])
{
    int64_t start = g_get_monotonic_time();
    bool answered;

    if (!caliptra_link_up(&s->conn) || s->waiting) {
        return false;
    }
    frame->tag = ++s->tag;
    s->waiting = true;
    s->answered = false;
    caliptra_link_send(&s->conn, frame);
    answered = caliptra_link_wait(&s->conn, remote_answered, s,
                                  s->timeout_ms);
    s->waiting = false;
    memcpy(answer, s->answer, sizeof(s->answer));
    remote_drive_next(s);
    remote_take_turns(s, g_get_monotonic_time() - start);
    return answered;
}

static MemTxResult remote_access(CaliptraSocIf *core, CaliptraLinkType type,
                                 hwaddr offset, uint32_t pauser,
                                 uint32_t *data)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(core);
    uint32_t answer[CALIPTRA_LINK_ANSWER_WORDS];
    CaliptraLinkFrame frame = {
        .type = type,
        .word = {
            [CALIPTRA_LINK_ACCESS_OFFSET] = offset % CALIPTRA_WINDOW_SIZE,
            [CALIPTRA_LINK_ACCESS_PAUSER] = pauser,
        },
    };

    *data = 0;
    if (!remote_request(s, &frame, answer)) {
        return MEMTX_OK;
    }
    if (answer[CALIPTRA_LINK_ANSWER_RESULT] != CALIPTRA_LINK_OK) {
        return MEMTX_ERROR;
    }
    *data = answer[CALIPTRA_LINK_ANSWER_DATA];
    return MEMTX_OK;
}

static MemTxResult remote_read(CaliptraSocIf *core, hwaddr offset,
                               uint32_t pauser, uint32_t *data)
{
    return remote_access(core, CALIPTRA_LINK_READ, offset, pauser, data);
}

static MemTxResult remote_peek(CaliptraSocIf *core, hwaddr offset,
                               uint32_t pauser, uint32_t *data)
{
    return remote_access(core, CALIPTRA_LINK_PEEK, offset, pauser, data);
}

static bool remote_has_room(void *opaque)
{
    CaliptraRemoteState *s = opaque;

    return caliptra_link_backlog(&s->conn) < REMOTE_BACKLOG_MAX;
}

static MemTxResult remote_write(CaliptraSocIf *core, hwaddr offset,
                                uint32_t pauser, uint32_t data)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(core);
    CaliptraLinkFrame frame = {
        .type = CALIPTRA_LINK_WRITE,
        .word = {
            [CALIPTRA_LINK_ACCESS_OFFSET] = offset % CALIPTRA_WINDOW_SIZE,
            [CALIPTRA_LINK_ACCESS_PAUSER] = pauser,
            [CALIPTRA_LINK_ACCESS_DATA] = data,
        },
    };

    caliptra_link_send(&s->conn, &frame);
    if (!remote_has_room(s) && caliptra_link_up(&s->conn) && !s->waiting) {
        caliptra_link_wait(&s->conn, remote_has_room, s, s->timeout_ms);
        remote_drive_next(s);
    }
    return MEMTX_OK;
}

/* ---- inputs ---- */

static void remote_send_inputs(CaliptraRemoteState *s)
{
    uint32_t answer[CALIPTRA_LINK_ANSWER_WORDS];
    CaliptraLinkFrame frame = { .type = CALIPTRA_LINK_INPUTS };

    memcpy(frame.word, s->inputs, sizeof(s->inputs));
    remote_request(s, &frame, answer);
}

static void remote_set_inputs(CaliptraRemoteState *s, unsigned first,
                              const uint32_t *word, unsigned n)
{
    if (memcmp(&s->inputs[first], word, 4 * n)) {
        memcpy(&s->inputs[first], word, 4 * n);
        remote_send_inputs(s);
    }
}

static void remote_in(CaliptraRemoteState *s, uint32_t mask, bool level)
{
    uint32_t levels = s->inputs[CALIPTRA_LINK_INPUTS_LEVELS];

    levels = level ? levels | mask : levels & ~mask;
    remote_set_inputs(s, CALIPTRA_LINK_INPUTS_LEVELS, &levels, 1);
}

static void remote_in_pwrgood(void *opaque, int n, int level)
{
    remote_in(opaque, CALIPTRA_LINK_LEVEL_PWRGOOD, level);
}

static void remote_in_rst_b(void *opaque, int n, int level)
{
    remote_in(opaque, CALIPTRA_LINK_LEVEL_RST_B, level);
}

static void remote_in_brkpoint(void *opaque, int n, int level)
{
    remote_in(opaque, CALIPTRA_LINK_LEVEL_BRKPOINT, level);
}

static void remote_in_scan_mode(void *opaque, int n, int level)
{
    remote_in(opaque, CALIPTRA_LINK_LEVEL_SCAN_MODE, level);
}

static void remote_set_security_state(CaliptraSocIf *core, uint32_t state)
{
    remote_set_inputs(CALIPTRA_REMOTE(core),
                      CALIPTRA_LINK_INPUTS_SECURITY_STATE,
                      (uint32_t[]) { state & 7 }, 1);
}

static void remote_set_obf_key(CaliptraSocIf *core,
                               const uint32_t key[CALIPTRA_OBF_KEY_WORDS])
{
    remote_set_inputs(CALIPTRA_REMOTE(core), CALIPTRA_LINK_INPUTS_OBF_KEY,
                      key, CALIPTRA_OBF_KEY_WORDS);
}

static void remote_set_generic_input_wires(CaliptraSocIf *core, uint64_t wires)
{
    remote_set_inputs(CALIPTRA_REMOTE(core), CALIPTRA_LINK_INPUTS_WIRES,
                      (uint32_t[]) { wires, wires >> 32 }, 2);
}

/* ---- begin and end ---- */

static bool remote_up(void *opaque)
{
    CaliptraRemoteState *s = opaque;
    Error *err = NULL;

    error_setg(&s->blocker, "Caliptra's core is in another process, at "
               "chardev '%s'", s->conn.fe.chr->label);
    if (migrate_add_blocker(&s->blocker, &err) < 0) {
        caliptra_link_fail(&s->conn, err);
        return false;
    }
    caliptra_log(s->log, "Caliptra's core at chardev '%s' is there",
                 s->conn.fe.chr->label);
    remote_send_inputs(s);
    return true;
}

static void remote_down(void *opaque)
{
    CaliptraRemoteState *s = opaque;

    migrate_del_blocker(&s->blocker);
    timer_del(s->pong_timer);
    s->num_next = 0;
    remote_drive(s, 0);
}

static const CaliptraLinkOps remote_ops = {
    .up = remote_up,
    .down = remote_down,
    .frame = remote_frame,
};

/* ---- the device ---- */

/* Before the machine's first reset: what it does then reaches the core */
static void remote_machine_done(Notifier *notifier, void *data)
{
    CaliptraRemoteState *s = container_of(notifier, CaliptraRemoteState,
                                          machine_done);

    if (caliptra_link_begin(&s->conn, s->timeout_ms)) {
        return;
    }
    if (!s->wait) {
        error_report("there is no Caliptra core at chardev '%s'",
                     s->conn.fe.chr->label);
        exit(1);
    }
    caliptra_link_conn_announce(&s->conn);
}

/* power is off until the SoC drives the lines, in the exit phase */
static void remote_reset_hold(Object *obj, ResetType type)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(obj);

    s->quiet = true;
    s->inputs[CALIPTRA_LINK_INPUTS_LEVELS] &=
        ~(CALIPTRA_LINK_LEVEL_PWRGOOD | CALIPTRA_LINK_LEVEL_RST_B);
    remote_send_inputs(s);
    s->num_next = 0;
    s->lines = 0;
    s->quiet = false;
}

static void remote_reset_exit(Object *obj, ResetType type)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(obj);

    for (int i = 0; i < CALIPTRA_LINK_NR_LINES; i++) {
        qemu_set_irq(s->line[i], extract32(s->lines, i, 1));
    }
}

static void remote_realize(DeviceState *dev, Error **errp)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(dev);

    if (s->timeout_ms == 0) {
        error_setg(errp, "'timeout' must not be 0");
        return;
    }
    if (!caliptra_link_conn_init(&s->conn, CALIPTRA_LINK_SOC, &remote_ops, s,
                                 s->log, errp)) {
        return;
    }
    s->bh = qemu_bh_new(remote_bh, s);
    s->pong_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, remote_pong, s);
    /* another process is not in the record */
    replay_add_blocker(TYPE_CALIPTRA_REMOTE);
    s->machine_done.notify = remote_machine_done;
    qemu_add_machine_init_done_notifier(&s->machine_done);
}

static void remote_unrealize(DeviceState *dev)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(dev);

    qemu_remove_machine_init_done_notifier(&s->machine_done);
    remote_down(s);
    caliptra_link_conn_finalize(&s->conn);
    qemu_bh_delete(s->bh);
    g_clear_pointer(&s->pong_timer, timer_free);
}

static void remote_init(Object *obj)
{
    CaliptraRemoteState *s = CALIPTRA_REMOTE(obj);
    DeviceState *dev = DEVICE(obj);

    for (int i = 0; i < CALIPTRA_LINK_NR_LINES; i++) {
        qdev_init_gpio_out_named(dev, &s->line[i], caliptra_link_lines[i], 1);
    }
    qdev_init_gpio_in_named(dev, remote_in_pwrgood, CALIPTRA_IN_PWRGOOD, 1);
    qdev_init_gpio_in_named(dev, remote_in_rst_b, CALIPTRA_IN_RST_B, 1);
    qdev_init_gpio_in_named(dev, remote_in_brkpoint, CALIPTRA_IN_BRKPOINT, 1);
    qdev_init_gpio_in_named(dev, remote_in_scan_mode, CALIPTRA_IN_SCAN_MODE,
                            1);
}

/* The core that is connected here, if any, is in another state */
static bool remote_post_load(void *opaque, int version_id, Error **errp)
{
    CaliptraRemoteState *s = opaque;

    if (s->inputs[CALIPTRA_LINK_INPUTS_LEVELS] & ~CALIPTRA_LINK_LEVELS ||
        s->inputs[CALIPTRA_LINK_INPUTS_SECURITY_STATE] > 7) {
        error_setg(errp, "bad inputs of Caliptra's core");
        return false;
    }
    caliptra_link_state_loaded(&s->conn);
    return true;
}

/* Only without a connection: then all output lines are low */
static const VMStateDescription vmstate_remote = {
    .name = TYPE_CALIPTRA_REMOTE,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = remote_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(inputs, CaliptraRemoteState,
                             CALIPTRA_LINK_INPUTS_WORDS),
        VMSTATE_END_OF_LIST()
    },
};

static const Property remote_properties[] = {
    DEFINE_PROP_CHR("chardev", CaliptraRemoteState, conn.fe),
    DEFINE_PROP_LINK("log", CaliptraRemoteState, log, TYPE_CALIPTRA_LOG,
                     CaliptraLog *),
    DEFINE_PROP_UINT32("timeout", CaliptraRemoteState, timeout_ms, 10000),
    DEFINE_PROP_BOOL("wait", CaliptraRemoteState, wait, true),
};

static void remote_class_init(ObjectClass *klass, const void *data)
{
    static const struct {
        const char *name, *text;
    } texts[] = {
        { "chardev", "Where the core is: a socket" },
        { "log", "Where it is told that the core comes and goes" },
        { "timeout", "How long an access waits for the core, in milliseconds "
          "of the host's time; a core that takes longer is lost" },
        { "wait", "Whether the machine starts without a core, which may come "
          "later; off: there must be one" },
    };
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    CaliptraSocIfClass *sic = CALIPTRA_SOC_IF_CLASS(klass);

    sic->read = remote_read;
    sic->write = remote_write;
    sic->peek = remote_peek;
    sic->set_security_state = remote_set_security_state;
    sic->set_obf_key = remote_set_obf_key;
    sic->set_generic_input_wires = remote_set_generic_input_wires;

    dc->desc = "Caliptra 1.x Root of Trust core in another process";
    dc->realize = remote_realize;
    dc->unrealize = remote_unrealize;
    dc->vmsd = &vmstate_remote;
    dc->user_creatable = false;
    device_class_set_props(dc, remote_properties);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        object_class_property_set_description(klass, texts[i].name,
                                              texts[i].text);
    }
    rc->phases.hold = remote_reset_hold;
    rc->phases.exit = remote_reset_exit;
}

static const TypeInfo remote_types[] = {
    {
        .name = TYPE_CALIPTRA_REMOTE,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(CaliptraRemoteState),
        .instance_init = remote_init,
        .class_init = remote_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_CALIPTRA_SOC_IF },
            { }
        },
    },
};

DEFINE_TYPES(remote_types)
