/*
 * The least SoC that a Caliptra 1.x core can be in
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "qapi/visitor.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "migration/vmstate.h"
#include "hw/misc/caliptra_soc.h"

/* firmware takes nothing from the user whom nobody has to allow, 0xFFFFFFFF */
#define SOC_PAUSER_DEFAULT  1

/* ---- the window ---- */

static MemTxResult soc_window_read(void *opaque, hwaddr addr, uint64_t *data,
                                   unsigned size, MemTxAttrs attrs)
{
    CaliptraSocState *s = opaque;
    uint32_t word;
    MemTxResult result;

    /* a debugger must not take locks or empty the FIFO */
    if (attrs.debug) {
        result = s->core_if->peek(s->core, addr, s->pauser, &word);
    } else {
        result = s->core_if->read(s->core, addr, s->pauser, &word);
    }
    *data = word;
    return result;
}

static MemTxResult soc_window_write(void *opaque, hwaddr addr, uint64_t data,
                                    unsigned size, MemTxAttrs attrs)
{
    CaliptraSocState *s = opaque;

    return s->core_if->write(s->core, addr, s->pauser, data);
}

static const MemoryRegionOps soc_window_ops = {
    .read_with_attrs = soc_window_read,
    .write_with_attrs = soc_window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    /* as two of 32 bits, the lower address first */
    .valid = { .min_access_size = 4, .max_access_size = 8 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- straps and power ---- */

static bool soc_drive_straps(CaliptraSocState *s, Error **errp)
{
    uint32_t key[CALIPTRA_OBF_KEY_WORDS] = {};

    if (s->obf_key_hex && *s->obf_key_hex &&
        !caliptra_parse_words(s->obf_key_hex, key, CALIPTRA_OBF_KEY_WORDS)) {
        error_setg(errp, "the obfuscation key must be a string of %u "
                   "hexadecimal digits", 8 * CALIPTRA_OBF_KEY_WORDS);
        return false;
    }
    caliptra_set_security_state(s->core, s->security_state);
    caliptra_set_obf_key(s->core, key);
    return true;
}

static void soc_set_power(CaliptraSocState *s, bool on)
{
    s->powered = on;
    qemu_set_irq(s->pwrgood, on);
}

/* ---- the bring-up ---- */

static uint32_t soc_read(CaliptraBringup *b, hwaddr offset)
{
    CaliptraSocState *s = CALIPTRA_SOC(b);
    uint32_t word;

    s->core_if->read(s->core, offset, s->pauser, &word);
    return word;
}

static void soc_write(CaliptraBringup *b, hwaddr offset, uint32_t data)
{
    CaliptraSocState *s = CALIPTRA_SOC(b);

    s->core_if->write(s->core, offset, s->pauser, data);
}

static bool soc_power_up(CaliptraBringup *b)
{
    CaliptraSocState *s = CALIPTRA_SOC(b);

    qemu_set_irq(s->rst_b, 0);
    soc_drive_straps(s, &error_abort);
    soc_set_power(s, true);
    caliptra_bringup_log_power(b, s->security_state);
    return true;
}

static void soc_release_reset(CaliptraBringup *b)
{
    qemu_set_irq(CALIPTRA_SOC(b)->rst_b, 1);
}

static bool soc_pwrgood(CaliptraBringup *b)
{
    return CALIPTRA_SOC(b)->powered;
}

static bool soc_firmware(CaliptraBringup *b)
{
    if (b->firmware) {
        return true;
    }
    caliptra_bringup_fail(b, "no firmware given",
                          "Caliptra waits for FIRMWARE_LOAD");
    return false;
}

static void soc_bringup_done(CaliptraBringup *b)
{
    caliptra_log(b->log, "ready for commands");
}

static void soc_bringup_lost(CaliptraBringup *b)
{
}

static void soc_bringup_failed(CaliptraBringup *b, const char *what,
                               const char *why)
{
    const char *file = b->firmware_name ?: "caliptra";

    /* once: the log often is the terminal that stderr goes to */
    if (b->log) {
        caliptra_log(b->log, "%s: %s: %s", file, what, why);
    } else {
        warn_report("%s: %s: %s", file, what, why);
    }
}

/* ---- the device ---- */

static void soc_reset_hold(Object *obj, ResetType type)
{
    CaliptraSocState *s = CALIPTRA_SOC(obj);

    /* the core has its own reset, after which it has no power */
    s->powered = false;
    CALIPTRA_SOC_GET_CLASS(obj)->parent_phases.hold(obj, type);
}

static void soc_reset_exit(Object *obj, ResetType type)
{
    CaliptraSocState *s = CALIPTRA_SOC(obj);

    if (s->boot == CALIPTRA_BOOT_AUTO) {
        CALIPTRA_SOC_GET_CLASS(obj)->parent_phases.exit(obj, type);
    } else if (s->boot == CALIPTRA_BOOT_GUEST) {
        soc_drive_straps(s, &error_abort);
        soc_set_power(s, true);
        qemu_set_irq(s->rst_b, 1);
    }
}

static void soc_realize(DeviceState *dev, Error **errp)
{
    CaliptraSocState *s = CALIPTRA_SOC(dev);
    CaliptraBringup *b = CALIPTRA_BRINGUP(dev);
    DeviceState *core = DEVICE(s->core);

    if (!s->core) {
        error_setg(errp, "'core' link must be set");
        return;
    }
    s->core_if = CALIPTRA_SOC_IF_GET_CLASS(s->core);
    if (!soc_drive_straps(s, errp)) {
        return;
    }
    if (s->fuse_file &&
        !caliptra_fuses_load(&s->fuses, s->fuse_file, errp)) {
        return;
    }
    if (s->firmware_file &&
        !caliptra_bringup_load_file(b, s->firmware_file, errp)) {
        return;
    }
    b->pauser = &s->pauser;
    b->fuse = s->fuses.word;
    s->pwrgood = qdev_get_gpio_in_named(core, CALIPTRA_IN_PWRGOOD, 0);
    s->rst_b = qdev_get_gpio_in_named(core, CALIPTRA_IN_RST_B, 0);
    if (s->boot == CALIPTRA_BOOT_AUTO) {
        caliptra_bringup_connect(b, core);
    }
}

static void soc_unrealize(DeviceState *dev)
{
    caliptra_bringup_stop(CALIPTRA_BRINGUP(dev));
}

static void soc_get_security_state(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    visit_type_uint8(v, name, &CALIPTRA_SOC(obj)->security_state, errp);
}

static void soc_set_security_state(Object *obj, Visitor *v, const char *name,
                                   void *opaque, Error **errp)
{
    CaliptraSocState *s = CALIPTRA_SOC(obj);
    uint8_t value;

    if (!visit_type_uint8(v, name, &value, errp)) {
        return;
    }
    if (value > 7) {
        error_setg(errp, "the security state has 3 bits");
        return;
    }
    s->security_state = value;
    if (qdev_is_realized(DEVICE(obj))) {
        soc_drive_straps(s, &error_abort);
    }
}

static int soc_get_boot(Object *obj, Error **errp)
{
    return CALIPTRA_SOC(obj)->boot;
}

static void soc_set_boot(Object *obj, int value, Error **errp)
{
    if (qdev_is_realized(DEVICE(obj))) {
        error_setg(errp, "too late: the device is realized");
        return;
    }
    CALIPTRA_SOC(obj)->boot = value;
}

static char *soc_get_obf_key(Object *obj, Error **errp)
{
    return g_strdup(CALIPTRA_SOC(obj)->obf_key_hex ?: "");
}

static void soc_set_obf_key(Object *obj, const char *value, Error **errp)
{
    CaliptraSocState *s = CALIPTRA_SOC(obj);
    g_autofree char *old = s->obf_key_hex;

    s->obf_key_hex = g_strdup(value);
    if (qdev_is_realized(DEVICE(obj)) && !soc_drive_straps(s, errp)) {
        g_free(s->obf_key_hex);
        s->obf_key_hex = g_steal_pointer(&old);
    }
}

static void soc_init(Object *obj)
{
    CaliptraSocState *s = CALIPTRA_SOC(obj);

    memory_region_init_io(&s->window, obj, &soc_window_ops, s,
                          TYPE_CALIPTRA_SOC ".window", CALIPTRA_WINDOW_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->window);
    s->boot = CALIPTRA_BOOT_GUEST;
    s->pauser = SOC_PAUSER_DEFAULT;
    object_property_add_uint32_ptr(obj, "pauser", &s->pauser,
                                   OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, "pauser",
        "user id of the accesses through the window");
}

static void soc_finalize(Object *obj)
{
    g_free(CALIPTRA_SOC(obj)->obf_key_hex);
}

static const VMStateDescription vmstate_caliptra_soc = {
    .name = TYPE_CALIPTRA_SOC,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT(parent_obj, CaliptraSocState, 1,
                       vmstate_caliptra_bringup, CaliptraBringup),
        VMSTATE_BOOL(powered, CaliptraSocState),
        VMSTATE_END_OF_LIST()
    },
};

static const Property soc_properties[] = {
    DEFINE_PROP_LINK("core", CaliptraSocState, core, TYPE_CALIPTRA_SOC_IF,
                     CaliptraSocIf *),
    DEFINE_PROP_STRING("firmware", CaliptraSocState, firmware_file),
    DEFINE_PROP_STRING("fuses", CaliptraSocState, fuse_file),
};

static void soc_class_init(ObjectClass *klass, const void *data)
{
    static const struct {
        const char *property, *description;
    } descriptions[] = {
        { "core", "the core" },
        { "firmware", "firmware bundle that the boot ROM loads" },
        { "fuses", "JSON file of the fuses (default: all zero)" },
    };
    DeviceClass *dc = DEVICE_CLASS(klass);
    CaliptraBringupClass *bc = CALIPTRA_BRINGUP_CLASS(klass);
    CaliptraSocClass *sc = CALIPTRA_SOC_CLASS(klass);

    dc->desc = "The least SoC around a Caliptra core";
    dc->realize = soc_realize;
    dc->unrealize = soc_unrealize;
    dc->vmsd = &vmstate_caliptra_soc;
    device_class_set_props(dc, soc_properties);
    for (size_t i = 0; i < ARRAY_SIZE(descriptions); i++) {
        object_class_property_set_description(klass, descriptions[i].property,
                                              descriptions[i].description);
    }
    object_class_property_add_enum(klass, "boot", "CaliptraBoot",
                                   &CaliptraBoot_lookup, soc_get_boot,
                                   soc_set_boot);
    object_class_property_set_description(klass, "boot",
        "who brings the core up: auto (the boot ROM), guest, or off");
    object_class_property_add(klass, "security-state", "uint8",
                              soc_get_security_state, soc_set_security_state,
                              NULL, NULL);
    object_class_property_set_description(klass, "security-state",
        "[1:0] device lifecycle, [2] debug locked; the core samples it when "
        "it leaves reset");
    object_class_property_add_str(klass, "obf-key", soc_get_obf_key,
                                  soc_set_obf_key);
    object_class_property_set_description(klass, "obf-key",
        "obfuscation key, 64 hexadecimal digits (default: all zero); the "
        "core samples it when it leaves reset after a power cycle");

    bc->read = soc_read;
    bc->write = soc_write;
    bc->power_up = soc_power_up;
    bc->release_reset = soc_release_reset;
    bc->pwrgood = soc_pwrgood;
    bc->firmware = soc_firmware;
    bc->done = soc_bringup_done;
    bc->lost = soc_bringup_lost;
    bc->failed = soc_bringup_failed;
    resettable_class_set_parent_phases(RESETTABLE_CLASS(klass), NULL,
                                       soc_reset_hold, soc_reset_exit,
                                       &sc->parent_phases);
}

static const TypeInfo soc_types[] = {
    {
        .name = TYPE_CALIPTRA_SOC,
        .parent = TYPE_CALIPTRA_BRINGUP,
        .instance_size = sizeof(CaliptraSocState),
        .class_size = sizeof(CaliptraSocClass),
        .instance_init = soc_init,
        .instance_finalize = soc_finalize,
        .class_init = soc_class_init,
    },
};

DEFINE_TYPES(soc_types)
