/*
 * Time of a model that a stalled host must not hurt
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "exec/icount.h"
#include "system/qtest.h"
#include "caliptra_time.h"

/*
 * How far apart looks are that a tick makes, and what two looks may be apart
 * in this clock.  The former is little against the shortest limit that is
 * counted (200 ms, a watchdog period of firmware), the latter leaves room for
 * a main loop that is merely busy.
 */
#define CALIPTRA_TIME_TICK_NS   (5 * SCALE_MS)
#define CALIPTRA_TIME_STEP_NS   (10 * SCALE_MS)

/* Far beyond any run, and no step from here overflows: for a bad stream */
#define CALIPTRA_TIME_MAX_NS    (INT64_MAX / 2)

/* Does QEMU_CLOCK_VIRTUAL go on while the host stalls us? */
static bool caliptra_time_follows_host(void)
{
    return !icount_enabled() && !qtest_enabled();
}

static void caliptra_time_look(CaliptraTime *t)
{
    int64_t virt = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    int64_t step = t->held ? 0 : MAX(virt - t->seen, 0);

    if (t->watchers && caliptra_time_follows_host()) {
        step = MIN(step, CALIPTRA_TIME_STEP_NS);
    }
    t->seen = virt;
    t->now = MAX(t->now, MIN(t->now + step, t->busy_until));
}

static void caliptra_time_arm(CaliptraTime *t)
{
    if (t->watchers && caliptra_time_follows_host()) {
        timer_mod(&t->tick, t->seen + CALIPTRA_TIME_TICK_NS);
    } else {
        timer_del(&t->tick);
    }
}

static void caliptra_time_tick(void *opaque)
{
    CaliptraTime *t = opaque;

    caliptra_time_look(t);
    caliptra_time_arm(t);
}

void caliptra_time_init(CaliptraTime *t)
{
    timer_init_ns(&t->tick, QEMU_CLOCK_VIRTUAL, caliptra_time_tick, t);
    t->seen = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    t->now = t->seen;
    t->busy_until = INT64_MAX;
    t->watchers = 0;
    t->held = false;
}

void caliptra_time_finalize(CaliptraTime *t)
{
    timer_del(&t->tick);
}

int64_t caliptra_time_get(CaliptraTime *t)
{
    caliptra_time_look(t);
    return t->now;
}

int64_t caliptra_time_deadline(CaliptraTime *t, int64_t ns)
{
    caliptra_time_look(t);
    ns = MAX(ns - t->now, 0);
    if (t->held && ns) {
        return INT64_MAX;
    }
    return ns > INT64_MAX - t->seen ? INT64_MAX : t->seen + ns;
}

int64_t caliptra_time_begin_work(CaliptraTime *t, int64_t ns)
{
    t->busy_until = caliptra_time_get(t) + ns;
    return t->seen + ns;
}

void caliptra_time_end_work(CaliptraTime *t)
{
    caliptra_time_look(t);
    if (t->busy_until != INT64_MAX) {
        t->now = t->busy_until;
        t->busy_until = INT64_MAX;
    }
}

void caliptra_time_stop_work(CaliptraTime *t)
{
    caliptra_time_look(t);
    t->busy_until = INT64_MAX;
}

void caliptra_time_watch(CaliptraTime *t, uint32_t who, bool on)
{
    uint32_t watchers = on ? t->watchers | who : t->watchers & ~who;

    if (watchers == t->watchers) {
        return;
    }
    caliptra_time_look(t);
    t->watchers = watchers;
    if (!watchers || !timer_pending(&t->tick)) {
        caliptra_time_arm(t);
    }
    qemu_set_irq(t->counts, watchers && !qtest_enabled());
}

void caliptra_time_hold(CaliptraTime *t, bool held)
{
    caliptra_time_look(t);
    t->held = held;
}

void caliptra_timer_mod(QEMUTimer *timer, int64_t deadline)
{
    if (deadline == INT64_MAX) {
        timer_del(timer);
    } else {
        timer_mod(timer, deadline);
    }
}

/* Watchers that were loaded before have reported already, others will */
static int caliptra_time_post_load(void *opaque, int version_id)
{
    CaliptraTime *t = opaque;

    /* qtest's clock begins anew, so @seen may be before @now */
    if (t->now < 0 || t->now > CALIPTRA_TIME_MAX_NS || t->seen < 0 ||
        t->busy_until < t->now ||
        (t->busy_until > CALIPTRA_TIME_MAX_NS && t->busy_until != INT64_MAX)) {
        return -EINVAL;
    }
    caliptra_time_arm(t);
    return 0;
}

const VMStateDescription vmstate_caliptra_time = {
    .name = "caliptra-time",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = caliptra_time_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_INT64(now, CaliptraTime),
        VMSTATE_INT64(seen, CaliptraTime),
        VMSTATE_INT64(busy_until, CaliptraTime),
        VMSTATE_END_OF_LIST()
    },
};
