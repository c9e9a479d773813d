/*
 * Time of a model that a stalled host must not hurt
 *
 * Without icount, QEMU_CLOCK_VIRTUAL is the host's time: it goes on while the
 * host does not let QEMU run.  What the model counts against a limit (a
 * watchdog, a client that must answer in time) has to stand still then, for
 * the one whose time is counted cannot act either.  This is a clock that does:
 *
 * - while somebody watches it, it advances by a few milliseconds at most
 *   between two looks of the main loop; a tick makes sure that there are looks;
 * - it does not pass the end of work that is going on (a step of firmware),
 *   however late the main loop gets round to that end;
 * - it stands while it is held, by whoever knows that those who are waited for
 *   cannot act.
 *
 * Where virtual time does not follow the host (icount, qtest), this clock is
 * virtual time, unless it is held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_TIME_H
#define HW_MISC_CALIPTRA_TIME_H

#include "qemu/timer.h"
#include "hw/core/irq.h"
#include "migration/vmstate.h"

typedef struct CaliptraTime {
    /* this clock at the last look, and QEMU_CLOCK_VIRTUAL then; ns */
    int64_t now;
    int64_t seen;
    /* this clock's moment that it does not pass; INT64_MAX: none */
    int64_t busy_until;
    /* bit mask of those who count on it; follows from their own state */
    uint32_t watchers;
    QEMUTimer tick;
    /* output: high while it is watched, unless a test drives virtual time */
    qemu_irq counts;
    /* input: it is held */
    bool held;
} CaliptraTime;

extern const VMStateDescription vmstate_caliptra_time;

/**
 * caliptra_time_init: start with virtual time, watched by nobody
 * @t: the clock
 */
void caliptra_time_init(CaliptraTime *t);

/**
 * caliptra_time_finalize: no tick is pending any more
 * @t: the clock
 */
void caliptra_time_finalize(CaliptraTime *t);

/**
 * caliptra_time_get: look at the clock
 * @t: the clock
 *
 * Returns: nanoseconds; never less than at the look before.
 */
int64_t caliptra_time_get(CaliptraTime *t);

/**
 * caliptra_time_deadline: when to look for a moment of this clock
 * @t: the clock
 * @ns: a moment of this clock, in nanoseconds
 *
 * Returns: the moment of QEMU_CLOCK_VIRTUAL at which @ns is reached unless
 * the clock is held up, for a timer whose callback looks and arms it again
 * when that was so.  Always in the future if @ns is, so that it cannot spin.
 * INT64_MAX while the clock is held: to be asked again when it goes on.
 */
int64_t caliptra_time_deadline(CaliptraTime *t, int64_t ns);

/**
 * caliptra_time_begin_work: work begins
 * @t: the clock
 * @ns: how much of this clock's time the work takes, in nanoseconds
 *
 * The clock does not pass the end of the work before caliptra_time_end_work(),
 * or caliptra_time_stop_work().  A new call takes the place of an old one.
 *
 * Returns: the moment of QEMU_CLOCK_VIRTUAL at which the work is to end, for
 * a timer that ends it.
 */
int64_t caliptra_time_begin_work(CaliptraTime *t, int64_t ns);

/**
 * caliptra_time_end_work: the work has been done
 * @t: the clock
 *
 * It has taken the time that was said at its begin, neither less nor more.
 */
void caliptra_time_end_work(CaliptraTime *t);

/**
 * caliptra_time_stop_work: there is no work any more, done or not
 * @t: the clock
 */
void caliptra_time_stop_work(CaliptraTime *t);

/**
 * caliptra_time_watch: somebody begins or ends to count on the clock
 * @t: the clock
 * @who: which watcher, one bit
 * @on: whether it begins
 */
void caliptra_time_watch(CaliptraTime *t, uint32_t who, bool on);

/**
 * caliptra_time_hold: stand, or go on
 * @t: the clock
 * @held: whether it stands
 *
 * Work that is going on ends nevertheless, and takes its time.  All deadlines
 * are others then.
 */
void caliptra_time_hold(CaliptraTime *t, bool held);

/**
 * caliptra_timer_mod: arm a timer for a deadline, if there is one
 * @timer: on QEMU_CLOCK_VIRTUAL
 * @deadline: nanoseconds; INT64_MAX: never, so that nobody who goes from timer
 *            to timer goes to the end of time
 */
void caliptra_timer_mod(QEMUTimer *timer, int64_t deadline);

#endif /* HW_MISC_CALIPTRA_TIME_H */
