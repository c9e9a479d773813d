/*
 * One end of a link between a SoC and a Caliptra core in another process
 *
 * A connection over a chardev, from HELLO to its end, with queues in both
 * directions.  Nothing here waits, except caliptra_link_wait(), which says for
 * how long.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_LINK_CONN_H
#define HW_MISC_CALIPTRA_LINK_CONN_H

#include "chardev/char-fe.h"
#include "hw/misc/caliptra_log.h"
#include "caliptra_link_proto.h"

typedef enum CaliptraLinkConnState {
    CALIPTRA_LINK_CLOSED,
    /* the other end's HELLO has not come yet */
    CALIPTRA_LINK_OPEN,
    CALIPTRA_LINK_UP,
    /* the other end makes no sense: to be closed */
    CALIPTRA_LINK_BAD,
} CaliptraLinkConnState;

/**
 * struct CaliptraLinkOps: what an end does
 * @up: both ends have said HELLO; false: not now, and caliptra_link_fail() has
 *      been called
 * @down: a connection for which @up returned true has ended
 * @frame: a frame has come, in an up() connection; false with @errp set: it
 *         makes no sense.  Must not call out of the device, nor wait.
 * @idle: optional; all that has come has been given to @frame
 *
 * @up and @down are called from the main loop, or before it runs.
 */
typedef struct CaliptraLinkOps {
    bool (*up)(void *opaque);
    void (*down)(void *opaque);
    bool (*frame)(void *opaque, const CaliptraLinkFrame *frame, Error **errp);
    void (*idle)(void *opaque);
} CaliptraLinkOps;

typedef struct CaliptraLinkConn {
    /* property of the device */
    CharFrontend fe;

    CaliptraLinkEnd end;
    const char *peer;               /* the other end, for people */
    const CaliptraLinkOps *ops;
    void *opaque;
    CaliptraLog *log;

    CaliptraLinkConnState state;
    /* capabilities that both ends have, once HELLO has come */
    uint32_t caps;
    /* up() has been called, and down() has not */
    bool told_up;
    /* why the connection ends; NULL: it has been closed */
    Error *err;
    GByteArray *in;
    GByteArray *out;
    QEMUBH *bh;

    /* where the chardev is served: NULL is the main loop */
    GMainContext *context;
    GMainContext *wait_context;
    guint watch;
} CaliptraLinkConn;

/**
 * caliptra_link_conn_init: take the chardev
 * @c: the connection; fe is set
 * @end: which end this is
 * @ops: what to call
 * @opaque: argument of it
 * @log: for the person who watches; NULL: messages go to stderr
 * @errp: why that is not possible
 */
bool caliptra_link_conn_init(CaliptraLinkConn *c, CaliptraLinkEnd end,
                             const CaliptraLinkOps *ops, void *opaque,
                             CaliptraLog *log, Error **errp);

/**
 * caliptra_link_conn_finalize: let the chardev go, without further calls
 * @c: the connection, initialised or not
 */
void caliptra_link_conn_finalize(CaliptraLinkConn *c);

/**
 * caliptra_link_conn_announce: tell that nobody is there yet, if that is so
 * @c: the connection
 */
void caliptra_link_conn_announce(CaliptraLinkConn *c);

/**
 * caliptra_link_up: whether up() has been called, and frames can be sent
 * @c: the connection
 */
bool caliptra_link_up(CaliptraLinkConn *c);

/**
 * caliptra_link_send: queue a frame
 * @c: the connection; must be up
 * @frame: the frame
 *
 * It is on its way when the main loop has been reached, or with
 * caliptra_link_wait().
 */
void caliptra_link_send(CaliptraLinkConn *c, const CaliptraLinkFrame *frame);

/**
 * caliptra_link_backlog: how many bytes wait to be sent
 * @c: the connection
 */
size_t caliptra_link_backlog(CaliptraLinkConn *c);

/**
 * caliptra_link_fail: end the connection
 * @c: the connection
 * @err: why; taken over
 *
 * Nothing is received or sent any more; the rest is done from the main loop.
 */
void caliptra_link_fail(CaliptraLinkConn *c, Error *err);

/**
 * caliptra_link_state_loaded: end a connection that was not the saved one
 * @c: the connection, up or not
 *
 * For the post_load of both ends: nothing is saved while they are connected.
 */
void caliptra_link_state_loaded(CaliptraLinkConn *c);

/**
 * caliptra_link_wait: send and receive until something has come
 * @c: the connection
 * @done: whether it has
 * @opaque: argument of @done
 * @timeout_ms: how long that may take, in the host's time
 *
 * Not for use within ops.
 *
 * Returns: whether @done; else an up() connection has ended.
 */
bool caliptra_link_wait(CaliptraLinkConn *c, bool (*done)(void *opaque),
                        void *opaque, unsigned timeout_ms);

/**
 * caliptra_link_begin: wait for HELLO before the main loop runs
 * @c: the connection, open or not
 * @timeout_ms: how long that may take, in the host's time
 *
 * Returns: whether the connection is up.
 */
bool caliptra_link_begin(CaliptraLinkConn *c, unsigned timeout_ms);

#endif /* HW_MISC_CALIPTRA_LINK_CONN_H */
