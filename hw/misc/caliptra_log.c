/*
 * Log of a Caliptra's boot, for the person who watches
 *
 * A reader that is slow, or does not read at all, must not hold up the
 * machine: what the chardev does not take at once waits in a queue, and lines
 * for which the queue has no room are dropped and counted.
 *
 * The log never reads.  On a multiplexed chardev it is no front end, so that
 * it takes no turn when the user switches between them; on any other chardev
 * what comes in is thrown away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "chardev/char-fe.h"
#include "hw/core/qdev.h"
#include "hw/misc/caliptra_log.h"

/* some hundred lines: ten boots */
#define CALIPTRA_LOG_QUEUE_MAX  (16 * KiB)

struct CaliptraLog {
    DeviceState parent_obj;

    /* where lines go; its front end is claimed unless it is multiplexed */
    Chardev *chr;
    CharFrontend fe;

    /* what could not be written yet, whole lines but for the first */
    GByteArray *queue;
    unsigned dropped;
    guint watch;
};

static void caliptra_log_flush(CaliptraLog *log);

static gboolean caliptra_log_writable(void *do_not_use, GIOCondition cond,
                                      void *opaque)
{
    CaliptraLog *log = opaque;

    log->watch = 0;
    caliptra_log_flush(log);
    return G_SOURCE_REMOVE;
}

/* Call back when the chardev takes more; false: it will not say */
static bool caliptra_log_watch(CaliptraLog *log)
{
    ChardevClass *cc = CHARDEV_GET_CLASS(log->chr);
    GSource *source = cc->chr_add_watch ?
                      cc->chr_add_watch(log->chr, G_IO_OUT | G_IO_HUP) : NULL;

    if (!source) {
        return false;
    }
    g_source_set_callback(source, (GSourceFunc)caliptra_log_writable, log,
                          NULL);
    log->watch = g_source_attach(source, log->chr->gcontext);
    g_source_unref(source);
    return true;
}

static void caliptra_log_append(CaliptraLog *log, const char *text)
{
    g_autofree char *line = g_strdup_printf("[caliptra] %s\n", text);

    g_byte_array_append(log->queue, (const uint8_t *)line, strlen(line));
}

static void caliptra_log_flush(CaliptraLog *log)
{
    while (log->queue->len && !log->watch) {
        int n = qemu_chr_write(log->chr, log->queue->data, log->queue->len,
                               false);

        if (n > 0) {
            g_byte_array_remove_range(log->queue, 0, n);
        } else if (!caliptra_log_watch(log)) {
            /* the next line will try again */
            return;
        }
        if (log->queue->len == 0 && log->dropped) {
            g_autofree char *text =
                g_strdup_printf("%u lines dropped: the reader was too slow",
                                log->dropped);

            log->dropped = 0;
            caliptra_log_append(log, text);
        }
    }
}

void caliptra_log(CaliptraLog *log, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    if (!log || !log->chr) {
        return;
    }
    if (log->queue->len > CALIPTRA_LOG_QUEUE_MAX) {
        log->dropped++;
    } else {
        va_start(ap, fmt);
        text = g_strdup_vprintf(fmt, ap);
        va_end(ap);
        caliptra_log_append(log, text);
    }
    caliptra_log_flush(log);
}

/* ---- the device ---- */

static int caliptra_log_can_read(void *opaque)
{
    return CHR_READ_BUF_LEN;
}

static void caliptra_log_read(void *opaque, const uint8_t *buf, int size)
{
}

static char *caliptra_log_get_chardev(Object *obj, Error **errp)
{
    CaliptraLog *log = CALIPTRA_LOG(obj);

    return g_strdup(log->chr ? log->chr->label : "");
}

static void caliptra_log_set_chardev(Object *obj, const char *id,
                                     Error **errp)
{
    CaliptraLog *log = CALIPTRA_LOG(obj);
    Chardev *chr = qemu_chr_find(id);

    if (log->chr) {
        error_setg(errp, "the log has a chardev already: '%s'",
                   log->chr->label);
        return;
    }
    if (!chr) {
        error_setg(errp, "there is no chardev '%s'", id);
        return;
    }
    if (!object_dynamic_cast(OBJECT(chr), TYPE_CHARDEV_MUX)) {
        if (!qemu_chr_fe_init(&log->fe, chr, errp)) {
            error_append_hint(errp, "With mux=on a chardev can be shared.\n");
            return;
        }
        qemu_chr_fe_set_handlers(&log->fe, caliptra_log_can_read,
                                 caliptra_log_read, NULL, NULL, log, NULL,
                                 true);
    }
    log->chr = CHARDEV(object_ref(OBJECT(chr)));
}

static void caliptra_log_init(Object *obj)
{
    CALIPTRA_LOG(obj)->queue = g_byte_array_new();
}

static void caliptra_log_finalize(Object *obj)
{
    CaliptraLog *log = CALIPTRA_LOG(obj);

    if (log->watch) {
        g_source_remove(log->watch);
    }
    qemu_chr_fe_deinit(&log->fe, false);
    if (log->chr) {
        object_unref(OBJECT(log->chr));
    }
    g_byte_array_unref(log->queue);
}

static void caliptra_log_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Log of a Caliptra's boot";
    dc->user_creatable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    object_class_property_add_str(klass, "chardev", caliptra_log_get_chardev,
                                  caliptra_log_set_chardev);
    object_class_property_set_description(klass, "chardev",
        "Where the log goes");
}

static const TypeInfo caliptra_log_types[] = {
    {
        .name = TYPE_CALIPTRA_LOG,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(CaliptraLog),
        .instance_init = caliptra_log_init,
        .instance_finalize = caliptra_log_finalize,
        .class_init = caliptra_log_class_init,
    },
};

DEFINE_TYPES(caliptra_log_types)
