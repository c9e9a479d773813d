/*
 * Log of a Caliptra's boot, for the person who watches
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "chardev/char-fe.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/misc/caliptra_log.h"

struct CaliptraLog {
    DeviceState parent_obj;

    CharFrontend chr;
};

void caliptra_log(CaliptraLog *log, const char *fmt, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *line = NULL;
    va_list ap;

    if (!log || !qemu_chr_fe_backend_connected(&log->chr)) {
        return;
    }
    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    line = g_strdup_printf("[caliptra] %s\n", text);
    qemu_chr_fe_write_all(&log->chr, (const uint8_t *)line, strlen(line));
}

static const Property caliptra_log_properties[] = {
    DEFINE_PROP_CHR("chardev", CaliptraLog, chr),
};

static void caliptra_log_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);

    dc->desc = "Log of a Caliptra's boot";
    dc->user_creatable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, caliptra_log_properties);
    object_class_property_set_description(klass, "chardev",
        "Where the log goes");
}

static const TypeInfo caliptra_log_types[] = {
    {
        .name = TYPE_CALIPTRA_LOG,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(CaliptraLog),
        .class_init = caliptra_log_class_init,
    },
};

DEFINE_TYPES(caliptra_log_types)
