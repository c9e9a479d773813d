/*
 * Caliptra 1.x with the microcontroller that executes its ROM and firmware
 *
 * The machine "caliptra": a core with its VeeR side, in the least of SoCs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "hw/core/boards.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_file.h"
#include "hw/misc/caliptra_link.h"
#include "hw/misc/caliptra_log.h"
#include "hw/misc/caliptra_map.h"
#include "hw/misc/caliptra_soc.h"
#include "hw/core/qdev-clock.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/riscv/caliptra_veer.h"
#include "system/qtest.h"
#include "system/system.h"

#define CLK_DEFAULT_HZ      100000000

#define TYPE_CALIPTRA_MACHINE MACHINE_TYPE_NAME("caliptra")
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraMachineState, CALIPTRA_MACHINE)

/*
 * The SoC's window to Caliptra, at an address that the core cannot put on its
 * bus; qtest and the monitor, which see what the core sees, find it there.
 */
#define MACHINE_WINDOW_BASE     0x200000000ULL

struct CaliptraMachineState {
    MachineState parent_obj;

    /* stays in reset if something else plays the microcontroller */
    CaliptraVeerState veer;
    CaliptraSocState soc;
    DeviceState *core;
    Clock *clk;

    uint32_t clock_frequency;
    CaliptraMicrocontroller uc;
    CaliptraBoot boot;
    CaliptraDeviceLifecycle lifecycle;
    OnOffAuto debug_locked;
    char *firmware;
    char *fuses;
    char *obf_key;
    char *log;
    char *link;
    char *fmc_release;
    char *rt_release;
};

static void caliptra_machine_load_rom(CaliptraMachineState *m,
                                      const char *filename)
{
    g_autofree char *rom = NULL;
    size_t size;

    rom = caliptra_read_file("Caliptra ROM", filename, 1,
                             CALIPTRA_VEER_ROM_SIZE, &size, &error_fatal);
    memcpy(memory_region_get_ram_ptr(&m->veer.rom), rom, size);
}

static Object *caliptra_machine_init_log(CaliptraMachineState *m)
{
    Error *err = NULL;
    DeviceState *log;

    if (!m->log) {
        return NULL;
    }
    log = qdev_new(TYPE_CALIPTRA_LOG);
    object_property_add_child(OBJECT(m), "log-device", OBJECT(log));
    if (!object_property_set_str(OBJECT(log), "chardev", m->log, &err)) {
        error_prepend(&err, "log: ");
        error_propagate(&error_fatal, err);
    }
    qdev_realize_and_unref(log, NULL, &error_fatal);
    return OBJECT(log);
}

static void caliptra_machine_init_core(CaliptraMachineState *m, Object *log)
{
    MachineState *machine = MACHINE(m);
    Object *uc;
    DeviceState *native;

    object_initialize_child(OBJECT(m), "veer", &m->veer, TYPE_CALIPTRA_VEER);
    qdev_prop_set_chr(DEVICE(&m->veer), "chardev", serial_hd(0));
    qdev_connect_clock_in(DEVICE(&m->veer), "clk", m->clk);
    sysbus_realize(SYS_BUS_DEVICE(&m->veer), &error_fatal);

    if (m->uc == CALIPTRA_MICROCONTROLLER_NATIVE) {
        native = qdev_new(TYPE_CALIPTRA_NATIVE_FW);
        uc = OBJECT(native);
        object_property_add_child(OBJECT(m), "native", uc);
        object_property_set_link(uc, "log", log, &error_abort);
        if (machine->firmware) {
            qdev_prop_set_string(native, "rom", machine->firmware);
        }
        if (m->fmc_release) {
            object_property_set_str(uc, "fmc-release", m->fmc_release,
                                    &error_fatal);
        }
        if (m->rt_release) {
            object_property_set_str(uc, "rt-release", m->rt_release,
                                    &error_fatal);
        }
        sysbus_realize_and_unref(SYS_BUS_DEVICE(native), &error_fatal);
    } else {
        uc = OBJECT(&m->veer);
        if (m->fmc_release || m->rt_release) {
            warn_report("fmc-release and rt-release have no effect with "
                        "uc=veer");
        }
        if (machine->firmware) {
            caliptra_machine_load_rom(m, machine->firmware);
        } else if (!qtest_enabled()) {
            error_report("Caliptra has no ROM to start from; -bios FILE gives "
                         "it one");
            exit(1);
        }
    }

    m->core = qdev_new(TYPE_CALIPTRA);
    object_property_add_child(OBJECT(m), "core", OBJECT(m->core));
    object_property_set_link(OBJECT(m->core), "uc", uc, &error_abort);
    qdev_connect_clock_in(m->core, "clk", m->clk);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(m->core), &error_fatal);
}

/* Those with fuses are devices in the field, unless somebody says otherwise */
static uint8_t caliptra_machine_security_state(CaliptraMachineState *m)
{
    bool debug_locked = m->debug_locked == ON_OFF_AUTO_ON ||
                        (m->debug_locked == ON_OFF_AUTO_AUTO && m->fuses);

    if (m->lifecycle == CALIPTRA_DEVICE_LIFECYCLE_DEFAULT) {
        m->lifecycle = m->fuses ? CALIPTRA_DEVICE_LIFECYCLE_PRODUCTION
                                : CALIPTRA_DEVICE_LIFECYCLE_UNPROVISIONED;
    }
    return caliptra_lifecycle_code(m->lifecycle) | debug_locked << 2;
}

static void caliptra_machine_init_soc(CaliptraMachineState *m, Object *log)
{
    DeviceState *soc = DEVICE(&m->soc);
    const struct {
        const char *property, *value;
    } strings[] = {
        { "firmware", m->firmware },
        { "fuses", m->fuses },
        { "obf-key", m->obf_key },
        { "boot", CaliptraBoot_str(m->boot) },
    };

    if (m->boot != CALIPTRA_BOOT_AUTO && m->firmware) {
        warn_report("caliptra-firmware has no effect with caliptra-boot=%s",
                    CaliptraBoot_str(m->boot));
    }
    if (m->boot != CALIPTRA_BOOT_AUTO && m->fuses) {
        warn_report("caliptra-boot=%s writes no fuses: only the security state "
                    "follows from the file", CaliptraBoot_str(m->boot));
    }
    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        if (strings[i].value) {
            object_property_set_str(OBJECT(soc), strings[i].property,
                                    strings[i].value, &error_fatal);
        }
    }
    object_property_set_uint(OBJECT(soc), "security-state",
                             caliptra_machine_security_state(m),
                             &error_abort);
    object_property_set_link(OBJECT(soc), "core", OBJECT(m->core),
                             &error_abort);
    object_property_set_link(OBJECT(soc), "log", log, &error_abort);
    sysbus_realize(SYS_BUS_DEVICE(soc), &error_fatal);
    memory_region_add_subregion(&m->veer.space, MACHINE_WINDOW_BASE,
                                sysbus_mmio_get_region(SYS_BUS_DEVICE(soc),
                                                       0));
}

/* The SoC is another process; the one here is a window for who looks */
static void caliptra_machine_init_link(CaliptraMachineState *m, Object *log)
{
    DeviceState *link = qdev_new(TYPE_CALIPTRA_LINK);

    object_property_add_child(OBJECT(m), "link-device", OBJECT(link));
    object_property_set_link(OBJECT(link), "core", OBJECT(m->core),
                             &error_abort);
    object_property_set_link(OBJECT(link), "log", log, &error_abort);
    object_property_set_str(OBJECT(link), "chardev", m->link, &error_fatal);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(link), &error_fatal);
}

static void caliptra_machine_check_boot(CaliptraMachineState *m)
{
    const struct {
        const char *name;
        bool given;
    } straps[] = {
        { "lifecycle", m->lifecycle != CALIPTRA_DEVICE_LIFECYCLE_DEFAULT },
        { "debug-locked", m->debug_locked != ON_OFF_AUTO_AUTO },
        { "obf-key", m->obf_key },
    };

    if (m->boot == CALIPTRA_BOOT_DEFAULT) {
        m->boot = m->link ? CALIPTRA_BOOT_SOC :
                  m->firmware ? CALIPTRA_BOOT_AUTO : CALIPTRA_BOOT_GUEST;
    }
    if (!m->link != (m->boot != CALIPTRA_BOOT_SOC)) {
        error_report(m->link ? "link needs caliptra-boot=soc"
                             : "caliptra-boot=soc needs a link");
        exit(1);
    }
    for (size_t i = 0; i < ARRAY_SIZE(straps); i++) {
        if (m->link && straps[i].given) {
            warn_report("%s has no effect with caliptra-boot=soc",
                        straps[i].name);
        }
    }
}

static void caliptra_machine_init(MachineState *machine)
{
    CaliptraMachineState *m = CALIPTRA_MACHINE(machine);
    Object *log = caliptra_machine_init_log(m);

    m->clk = clock_new(OBJECT(m), "clk");
    clock_set_hz(m->clk, m->clock_frequency);
    caliptra_machine_check_boot(m);
    caliptra_machine_init_core(m, log);
    caliptra_machine_init_soc(m, log);
    if (m->link) {
        caliptra_machine_init_link(m, log);
    }
}

/* ---- properties ---- */

#define CALIPTRA_MACHINE_STR(_field)                                       \
static char *caliptra_machine_get_##_field(Object *obj, Error **errp)      \
{                                                                          \
    return g_strdup(CALIPTRA_MACHINE(obj)->_field);                        \
}                                                                          \
static void caliptra_machine_set_##_field(Object *obj, const char *value,  \
                                          Error **errp)                    \
{                                                                          \
    g_free(CALIPTRA_MACHINE(obj)->_field);                                 \
    CALIPTRA_MACHINE(obj)->_field = g_strdup(value);                       \
}

CALIPTRA_MACHINE_STR(firmware)
CALIPTRA_MACHINE_STR(fuses)
CALIPTRA_MACHINE_STR(obf_key)
CALIPTRA_MACHINE_STR(log)
CALIPTRA_MACHINE_STR(link)
CALIPTRA_MACHINE_STR(fmc_release)
CALIPTRA_MACHINE_STR(rt_release)

#define CALIPTRA_MACHINE_ENUM(_field)                                      \
static int caliptra_machine_get_##_field(Object *obj, Error **errp)        \
{                                                                          \
    return CALIPTRA_MACHINE(obj)->_field;                                  \
}                                                                          \
static void caliptra_machine_set_##_field(Object *obj, int value,          \
                                          Error **errp)                    \
{                                                                          \
    CALIPTRA_MACHINE(obj)->_field = value;                                 \
}

CALIPTRA_MACHINE_ENUM(uc)
CALIPTRA_MACHINE_ENUM(boot)
CALIPTRA_MACHINE_ENUM(lifecycle)
CALIPTRA_MACHINE_ENUM(debug_locked)

static void caliptra_machine_instance_init(Object *obj)
{
    CaliptraMachineState *m = CALIPTRA_MACHINE(obj);

    m->uc = CALIPTRA_MICROCONTROLLER_VEER;
    m->clock_frequency = CLK_DEFAULT_HZ;
    object_property_add_uint32_ptr(obj, "clock-frequency",
                                   &m->clock_frequency,
                                   OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, "clock-frequency",
                                    "Hz of Caliptra's clock");
    object_initialize_child(obj, "soc", &m->soc, TYPE_CALIPTRA_SOC);
    object_property_add_alias(obj, "pauser", OBJECT(&m->soc), "pauser");
    object_property_set_description(obj, "pauser",
                                    "user id of the accesses through the "
                                    "SoC's window");
}

static void caliptra_machine_instance_finalize(Object *obj)
{
    CaliptraMachineState *m = CALIPTRA_MACHINE(obj);

    g_free(m->firmware);
    g_free(m->fuses);
    g_free(m->obf_key);
    g_free(m->log);
    g_free(m->link);
    g_free(m->fmc_release);
    g_free(m->rt_release);
}

static void caliptra_machine_class_init(ObjectClass *klass, const void *data)
{
    static const char * const valid_cpu_types[] = { TYPE_VEER_CPU, NULL };
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->desc = "Caliptra 1.x Root of Trust, executing its own firmware";
    mc->init = caliptra_machine_init;
    mc->max_cpus = 1;
    mc->default_cpu_type = TYPE_VEER_CPU;
    mc->valid_cpu_types = valid_cpu_types;
    mc->default_ram_size = 0;
    mc->no_floppy = 1;
    mc->no_cdrom = 1;
    mc->no_parallel = 1;

    /* all machines have a "firmware", which is -bios, and a "boot" */
    object_class_property_add_enum(klass, "uc", "CaliptraMicrocontroller",
                                   &CaliptraMicrocontroller_lookup,
                                   caliptra_machine_get_uc,
                                   caliptra_machine_set_uc);
    object_class_property_set_description(klass, "uc",
        "What plays the microcontroller: veer (a core that executes the ROM "
        "that -bios names), or native (a model of Caliptra's firmware, to "
        "which -bios gives the identity of a ROM) (default: veer)");
    object_class_property_add_enum(klass, "caliptra-boot",
                                   "CaliptraBoot",
                                   &CaliptraBoot_lookup,
                                   caliptra_machine_get_boot,
                                   caliptra_machine_set_boot);
    object_class_property_set_description(klass, "caliptra-boot",
        "Who brings Caliptra up: auto (the machine), guest (whoever drives "
        "the window), off, or soc (another process, through the link) "
        "(default: soc with a link, auto with a firmware, else guest)");
    object_class_property_add_enum(klass, "lifecycle",
                                   "CaliptraDeviceLifecycle",
                                   &CaliptraDeviceLifecycle_lookup,
                                   caliptra_machine_get_lifecycle,
                                   caliptra_machine_set_lifecycle);
    object_class_property_set_description(klass, "lifecycle",
        "Device lifecycle: unprovisioned, manufacturing or production "
        "(default: production with a fuse file, else unprovisioned)");
    object_class_property_add_enum(klass, "debug-locked", "OnOffAuto",
                                   &OnOffAuto_lookup,
                                   caliptra_machine_get_debug_locked,
                                   caliptra_machine_set_debug_locked);
    object_class_property_set_description(klass, "debug-locked",
        "Debug locked: on or off (default: on with a fuse file)");
    object_class_property_add_str(klass, "caliptra-firmware",
                                  caliptra_machine_get_firmware,
                                  caliptra_machine_set_firmware);
    object_class_property_set_description(klass, "caliptra-firmware",
        "Caliptra firmware bundle (FMC and runtime) to boot with");
    object_class_property_add_str(klass, "fuses", caliptra_machine_get_fuses,
                                  caliptra_machine_set_fuses);
    object_class_property_set_description(klass, "fuses",
        "JSON file of Caliptra's fuses (default: all zero)");
    object_class_property_add_str(klass, "obf-key",
                                  caliptra_machine_get_obf_key,
                                  caliptra_machine_set_obf_key);
    object_class_property_set_description(klass, "obf-key",
        "Obfuscation key, 64 hexadecimal digits (default: all zero)");
    object_class_property_add_str(klass, "log", caliptra_machine_get_log,
                                  caliptra_machine_set_log);
    object_class_property_set_description(klass, "log",
        "Chardev for the log of Caliptra's boot");
    object_class_property_add_str(klass, "link", caliptra_machine_get_link,
                                  caliptra_machine_set_link);
    object_class_property_set_description(klass, "link",
        "Chardev at which another process is Caliptra's SoC");
    object_class_property_add_str(klass, "fmc-release",
                                  caliptra_machine_get_fmc_release,
                                  caliptra_machine_set_fmc_release);
    object_class_property_set_description(klass, "fmc-release",
        "Release that FMC behaves as with uc=native: 1.2.0 to 1.2.5 "
        "(default: auto, the bundle's)");
    object_class_property_add_str(klass, "rt-release",
                                  caliptra_machine_get_rt_release,
                                  caliptra_machine_set_rt_release);
    object_class_property_set_description(klass, "rt-release",
        "Release that runtime behaves as with uc=native: 1.2.0 to 1.2.5 "
        "(default: auto, the bundle's)");
}

static const TypeInfo caliptra_machine_types[] = {
    {
        .name = TYPE_CALIPTRA_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(CaliptraMachineState),
        .instance_init = caliptra_machine_instance_init,
        .instance_finalize = caliptra_machine_instance_finalize,
        .class_init = caliptra_machine_class_init,
    },
};

DEFINE_TYPES(caliptra_machine_types)
