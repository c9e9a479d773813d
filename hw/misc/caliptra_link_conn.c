/*
 * One end of a link between a SoC and a Caliptra core in another process
 *
 * A read of a register has to be answered before the CPU that reads goes on,
 * by a process that may be slow, hung or gone, through a chardev whose other
 * frames belong to the main loop.  So while somebody waits, the chardev is
 * served in a GMainContext of its own, which has nothing else in it: all that
 * can happen is what comes through this chardev, and nothing that is called
 * from here leaves the device.  No other event source of the machine runs in
 * the middle of an access, and there is no recursion into the main loop.  The
 * BQL is held all that time, as in any other access: the bound is the
 * time-out of whoever waits.  This is the chardev's own non-blocking path,
 * whatever is below (unix, TCP, TLS); reading with qemu_chr_fe_read_all()
 * would have no bound, and a thread would need one more lock.
 *
 * In the wait the chardev may find that it is disconnected.  It goes on in the
 * main loop from there, because its own timers (reconnect) and listeners
 * belong to the context in which that happens.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "caliptra_link_conn.h"
#include "trace.h"

/* what is sent without waiting for the main loop */
#define LINK_BATCH      (16 * KiB)
/* what this end is capable of */
#define LINK_CAPS       CALIPTRA_LINK_CAP_TIME
/* so much not taken by the SoC, and the core's end receives no more */
#define LINK_OUT_MAX    (64 * KiB)

static void link_home(CaliptraLinkConn *c, GMainContext *context);

/* ---- what people see ---- */

static void G_GNUC_PRINTF(2, 3) link_report(CaliptraLinkConn *c,
                                            const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    /* once: the log often is the terminal that stderr goes to */
    if (c->log) {
        caliptra_log(c->log, "%s", text);
    } else {
        warn_report("%s", text);
    }
}

static const char *link_label(CaliptraLinkConn *c)
{
    return c->fe.chr->label;
}

void caliptra_link_conn_announce(CaliptraLinkConn *c)
{
    if (!caliptra_link_up(c)) {
        link_report(c, "waiting for %s at chardev '%s'", c->peer,
                    link_label(c));
    }
}

/* ---- state ---- */

static void link_set_state(CaliptraLinkConn *c, CaliptraLinkConnState state)
{
    static const char * const names[] = { "closed", "open", "up", "bad" };

    trace_caliptra_link_state(link_label(c), names[state]);
    c->state = state;
}

bool caliptra_link_up(CaliptraLinkConn *c)
{
    return c->told_up && c->state == CALIPTRA_LINK_UP;
}

void caliptra_link_fail(CaliptraLinkConn *c, Error *err)
{
    if (c->state == CALIPTRA_LINK_CLOSED || c->state == CALIPTRA_LINK_BAD) {
        error_free(err);
        return;
    }
    c->err = err;
    link_set_state(c, CALIPTRA_LINK_BAD);
    qemu_bh_schedule(c->bh);
}

void caliptra_link_state_loaded(CaliptraLinkConn *c)
{
    if (caliptra_link_up(c)) {
        Error *err = NULL;

        error_setg(&err, "the state of the machine was loaded");
        caliptra_link_fail(c, err);
    }
}

/* ---- sending ---- */

static void link_unwatch(CaliptraLinkConn *c)
{
    if (c->watch) {
        GSource *source = g_main_context_find_source_by_id(c->context,
                                                           c->watch);

        if (source) {
            g_source_destroy(source);
        }
        c->watch = 0;
    }
}

static void link_flush(CaliptraLinkConn *c);

static gboolean link_writable(void *do_not_use, GIOCondition cond,
                              void *opaque)
{
    CaliptraLinkConn *c = opaque;

    c->watch = 0;
    link_flush(c);
    if (c->out->len <= LINK_OUT_MAX) {
        qemu_chr_fe_accept_input(&c->fe);
    }
    return G_SOURCE_REMOVE;
}

static void link_flush(CaliptraLinkConn *c)
{
    while (c->out->len && !c->watch &&
           (c->state == CALIPTRA_LINK_OPEN || c->state == CALIPTRA_LINK_UP)) {
        int n = qemu_chr_fe_write(&c->fe, c->out->data, c->out->len);

        if (n > 0) {
            g_byte_array_remove_range(c->out, 0, MIN(n, c->out->len));
        } else if (c->state != CALIPTRA_LINK_CLOSED) {
            c->watch = qemu_chr_fe_add_watch(&c->fe, G_IO_OUT | G_IO_HUP,
                                             link_writable, c);
            if (!c->watch) {
                return;
            }
        }
    }
}

static void link_queue(CaliptraLinkConn *c, const CaliptraLinkFrame *frame)
{
    uint8_t buf[CALIPTRA_LINK_FRAME_MAX];
    size_t len = caliptra_link_encode(frame, buf);

    g_byte_array_append(c->out, buf, len);
    if (c->out->len >= LINK_BATCH) {
        link_flush(c);
    } else {
        qemu_bh_schedule(c->bh);
    }
}

void caliptra_link_send(CaliptraLinkConn *c, const CaliptraLinkFrame *frame)
{
    if (caliptra_link_up(c)) {
        link_queue(c, frame);
    }
}

size_t caliptra_link_backlog(CaliptraLinkConn *c)
{
    return c->out->len;
}

/* ---- receiving ---- */

static int link_can_read(void *opaque)
{
    CaliptraLinkConn *c = opaque;

    /* what has been refused is read nevertheless, to see the end */
    if (c->end == CALIPTRA_LINK_CORE && c->out->len > LINK_OUT_MAX) {
        return 0;
    }
    return CHR_READ_BUF_LEN;
}

static bool link_frame(CaliptraLinkConn *c, const CaliptraLinkFrame *frame,
                       Error **errp)
{
    if ((frame->type == CALIPTRA_LINK_HELLO) !=
        (c->state == CALIPTRA_LINK_OPEN)) {
        error_setg(errp, "bad frame of type 0x%x: HELLO comes first, and once",
                   frame->type);
        return false;
    }
    if (frame->type == CALIPTRA_LINK_HELLO) {
        c->caps = frame->word[CALIPTRA_LINK_HELLO_CAPS] & LINK_CAPS;
        link_set_state(c, CALIPTRA_LINK_UP);
        qemu_bh_schedule(c->bh);
        return true;
    }
    if ((frame->type == CALIPTRA_LINK_PING ||
         frame->type == CALIPTRA_LINK_PONG) &&
        !(c->caps & CALIPTRA_LINK_CAP_TIME)) {
        error_setg(errp, "bad frame of type 0x%x: not both ends are capable "
                   "of it", frame->type);
        return false;
    }
    return c->ops->frame(c->opaque, frame, errp);
}

/*
 * The core's end is told of a connection before it gets frames, and the SoC's
 * end sends some only then.
 */
static bool link_may_parse(CaliptraLinkConn *c)
{
    return c->state == CALIPTRA_LINK_OPEN || caliptra_link_up(c);
}

static void link_parse(CaliptraLinkConn *c)
{
    CaliptraLinkEnd from = c->end == CALIPTRA_LINK_SOC ? CALIPTRA_LINK_CORE
                                                       : CALIPTRA_LINK_SOC;
    size_t pos = 0;

    while (link_may_parse(c)) {
        CaliptraLinkFrame frame;
        Error *err = NULL;
        int n = caliptra_link_decode(&frame, from, c->in->data + pos,
                                     c->in->len - pos, &err);

        if (n == 0) {
            break;
        }
        if (n < 0 || !link_frame(c, &frame, &err)) {
            caliptra_link_fail(c, err);
            break;
        }
        pos += n;
    }
    if (pos) {
        g_byte_array_remove_range(c->in, 0, pos);
    }
    if (pos && caliptra_link_up(c) && c->ops->idle) {
        c->ops->idle(c->opaque);
    }
}

static void link_read(void *opaque, const uint8_t *buf, int size)
{
    CaliptraLinkConn *c = opaque;

    if (c->state == CALIPTRA_LINK_OPEN || c->state == CALIPTRA_LINK_UP) {
        g_byte_array_append(c->in, buf, size);
        link_parse(c);
        link_flush(c);
    }
}

/* ---- begin and end ---- */

static void link_end(CaliptraLinkConn *c)
{
    bool told_up = c->told_up;

    c->told_up = false;
    if (told_up || c->err) {
        link_report(c, "%s at chardev '%s' is gone: %s", c->peer,
                    link_label(c),
                    c->err ? error_get_pretty(c->err) : "connection closed");
    }
    error_free(c->err);
    c->err = NULL;
    if (told_up) {
        c->ops->down(c->opaque);
    }
}

/* From the main loop, unless the connection is there before it runs */
static void link_bh(void *opaque)
{
    CaliptraLinkConn *c = opaque;

    switch (c->state) {
    case CALIPTRA_LINK_BAD:
        link_unwatch(c);
        link_set_state(c, CALIPTRA_LINK_CLOSED);
        link_end(c);
        qemu_chr_fe_disconnect(&c->fe);
        break;
    case CALIPTRA_LINK_CLOSED:
        link_end(c);
        break;
    case CALIPTRA_LINK_UP:
        if (!c->told_up) {
            c->told_up = true;
            c->told_up = c->ops->up(c->opaque);
            /* what came with HELLO */
            link_parse(c);
        }
        /* fall through */
    case CALIPTRA_LINK_OPEN:
        link_flush(c);
        break;
    }
}

static void link_event(void *opaque, QEMUChrEvent event)
{
    static const CaliptraLinkFrame hello = {
        .type = CALIPTRA_LINK_HELLO,
        .word = {
            [CALIPTRA_LINK_HELLO_MAGIC] = CALIPTRA_LINK_MAGIC,
            [CALIPTRA_LINK_HELLO_VERSION] = CALIPTRA_LINK_VERSION,
            [CALIPTRA_LINK_HELLO_CAPS] = LINK_CAPS,
        },
    };
    CaliptraLinkConn *c = opaque;

    switch (event) {
    case CHR_EVENT_OPENED:
        if (c->told_up || c->err) {
            /* the end of the last one has not been told yet */
            link_set_state(c, CALIPTRA_LINK_CLOSED);
            link_end(c);
        }
        g_byte_array_set_size(c->in, 0);
        g_byte_array_set_size(c->out, 0);
        link_set_state(c, CALIPTRA_LINK_OPEN);
        link_queue(c, &hello);
        break;
    case CHR_EVENT_CLOSED:
        /* the chardev goes on from here in its context */
        link_unwatch(c);
        link_home(c, NULL);
        if (c->state != CALIPTRA_LINK_CLOSED) {
            link_set_state(c, CALIPTRA_LINK_CLOSED);
            qemu_bh_schedule(c->bh);
        }
        break;
    default:
        break;
    }
}

/* ---- waiting ---- */

static void link_home(CaliptraLinkConn *c, GMainContext *context)
{
    if (c->context != context) {
        link_unwatch(c);
        c->context = context;
        qemu_chr_fe_set_handlers_full(&c->fe, link_can_read, link_read,
                                      link_event, NULL, c, context, false,
                                      false);
    }
}

static gboolean link_time_is_over(void *opaque)
{
    bool *over = opaque;

    *over = true;
    return G_SOURCE_REMOVE;
}

bool caliptra_link_wait(CaliptraLinkConn *c, bool (*done)(void *opaque),
                        void *opaque, unsigned timeout_ms)
{
    GSource *timer;
    bool over = false;

    if (c->state != CALIPTRA_LINK_OPEN && c->state != CALIPTRA_LINK_UP) {
        return done(opaque);
    }
    timer = g_timeout_source_new(timeout_ms);
    g_source_set_callback(timer, link_time_is_over, &over, NULL);
    g_source_attach(timer, c->wait_context);
    link_home(c, c->wait_context);
    link_flush(c);
    while ((c->state == CALIPTRA_LINK_OPEN || c->state == CALIPTRA_LINK_UP) &&
           !done(opaque)) {
        if (over) {
            break;
        }
        g_main_context_iteration(c->wait_context, true);
    }
    /* who has not said HELLO yet may still do so */
    if (over && c->state == CALIPTRA_LINK_UP && !done(opaque)) {
        Error *err = NULL;

        error_setg(&err, "no answer in %u ms", timeout_ms);
        caliptra_link_fail(c, err);
    }
    link_home(c, NULL);
    link_flush(c);
    g_source_destroy(timer);
    g_source_unref(timer);
    return done(opaque);
}

static bool link_has_hello(void *opaque)
{
    CaliptraLinkConn *c = opaque;

    return c->state == CALIPTRA_LINK_UP;
}

bool caliptra_link_begin(CaliptraLinkConn *c, unsigned timeout_ms)
{
    if (c->state == CALIPTRA_LINK_OPEN) {
        caliptra_link_wait(c, link_has_hello, c, timeout_ms);
    }
    if (c->state != CALIPTRA_LINK_CLOSED) {
        link_bh(c);
    }
    return caliptra_link_up(c);
}

/* ---- the connection ---- */

bool caliptra_link_conn_init(CaliptraLinkConn *c, CaliptraLinkEnd end,
                             const CaliptraLinkOps *ops, void *opaque,
                             CaliptraLog *log, Error **errp)
{
    if (!qemu_chr_fe_backend_connected(&c->fe)) {
        error_setg(errp, "'chardev' must be set");
        return false;
    }
    if (!qemu_chr_has_feature(c->fe.chr, QEMU_CHAR_FEATURE_GCONTEXT)) {
        error_setg(errp, "chardev '%s' is none that a link can use: it takes "
                   "a socket", link_label(c));
        return false;
    }
    c->end = end;
    c->peer = end == CALIPTRA_LINK_SOC ? "Caliptra's core" : "the SoC";
    c->ops = ops;
    c->opaque = opaque;
    c->log = log;
    c->in = g_byte_array_new();
    c->out = g_byte_array_new();
    c->wait_context = g_main_context_new();
    c->bh = qemu_bh_new(link_bh, c);
    qemu_chr_fe_set_handlers(&c->fe, link_can_read, link_read, link_event,
                             NULL, c, NULL, true);
    return true;
}

void caliptra_link_conn_finalize(CaliptraLinkConn *c)
{
    if (!c->bh) {
        return;
    }
    link_unwatch(c);
    c->told_up = false;
    if (c->state != CALIPTRA_LINK_CLOSED) {
        link_set_state(c, CALIPTRA_LINK_CLOSED);
        qemu_chr_fe_disconnect(&c->fe);
    }
    qemu_chr_fe_deinit(&c->fe, false);
    qemu_bh_delete(c->bh);
    c->bh = NULL;
    g_main_context_unref(c->wait_context);
    g_byte_array_unref(c->in);
    g_byte_array_unref(c->out);
    error_free(c->err);
    c->err = NULL;
}
