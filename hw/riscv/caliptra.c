/*
 * Caliptra 1.x with the microcontroller that executes its ROM and firmware
 *
 * The machine "caliptra": a core with its VeeR side, and a SoC's window to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "hw/boards.h"
#include "hw/irq.h"
#include "hw/loader.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_map.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/riscv/caliptra_veer.h"
#include "system/qtest.h"
#include "system/reset.h"
#include "system/system.h"

#define CLK_DEFAULT_HZ      100000000

#define TYPE_CALIPTRA_MACHINE MACHINE_TYPE_NAME("caliptra")
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraMachineState, CALIPTRA_MACHINE)

/*
 * The SoC's window to Caliptra, at an address that the core cannot put on its
 * bus; qtest and the monitor, which see what the core sees, find it there.
 */
#define MACHINE_WINDOW_BASE     0x200000000ULL
/* firmware takes nothing from the user whom nobody has to allow, 0xFFFFFFFF */
#define MACHINE_PAUSER_DEFAULT  1
struct CaliptraMachineState {
    MachineState parent_obj;

    CaliptraVeerState veer;
    DeviceState *core;
    Clock *clk;
    MemoryRegion window;

    uint32_t clock_frequency;
    uint32_t pauser;
};

static MemTxResult caliptra_window_read(void *opaque, hwaddr addr,
                                        uint64_t *data, unsigned size,
                                        MemTxAttrs attrs)
{
    CaliptraMachineState *m = opaque;
    uint32_t word;
    MemTxResult result;

    if (attrs.debug) {
        result = caliptra_soc_peek(CALIPTRA_SOC_IF(m->core), addr, m->pauser,
                                   &word);
    } else {
        result = caliptra_soc_read(CALIPTRA_SOC_IF(m->core), addr, m->pauser,
                                   &word);
    }
    *data = word;
    return result;
}

static MemTxResult caliptra_window_write(void *opaque, hwaddr addr,
                                         uint64_t data, unsigned size,
                                         MemTxAttrs attrs)
{
    CaliptraMachineState *m = opaque;

    return caliptra_soc_write(CALIPTRA_SOC_IF(m->core), addr, m->pauser, data);
}

static const MemoryRegionOps caliptra_window_ops = {
    .read_with_attrs = caliptra_window_read,
    .write_with_attrs = caliptra_window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

static void caliptra_machine_load_rom(CaliptraMachineState *m,
                                      const char *filename)
{
    int64_t size = get_image_size(filename, NULL);

    if (size < 0) {
        error_report("cannot read the ROM '%s'", filename);
        exit(1);
    }
    if (size > CALIPTRA_VEER_ROM_SIZE) {
        error_report("'%s' is no ROM of Caliptra: %" PRId64 " bytes, there "
                     "is room for %u", filename, size,
                     (unsigned)CALIPTRA_VEER_ROM_SIZE);
        exit(1);
    }
    if (load_image_size(filename, memory_region_get_ram_ptr(&m->veer.rom),
                        size) != size) {
        error_report("cannot read the ROM '%s'", filename);
        exit(1);
    }
}

static void caliptra_machine_init(MachineState *machine)
{
    CaliptraMachineState *m = CALIPTRA_MACHINE(machine);
    DeviceState *veer;

    m->clk = clock_new(OBJECT(m), "clk");
    clock_set_hz(m->clk, m->clock_frequency);

    object_initialize_child(OBJECT(m), "veer", &m->veer, TYPE_CALIPTRA_VEER);
    veer = DEVICE(&m->veer);
    qdev_prop_set_chr(veer, "chardev", serial_hd(0));
    qdev_connect_clock_in(veer, "clk", m->clk);
    sysbus_realize(SYS_BUS_DEVICE(veer), &error_fatal);

    m->core = qdev_new(TYPE_CALIPTRA);
    object_property_add_child(OBJECT(m), "core", OBJECT(m->core));
    object_property_set_link(OBJECT(m->core), "uc", OBJECT(veer),
                             &error_abort);
    qdev_connect_clock_in(m->core, "clk", m->clk);
    sysbus_realize_and_unref(SYS_BUS_DEVICE(m->core), &error_fatal);

    memory_region_init_io(&m->window, OBJECT(m), &caliptra_window_ops, m,
                          "caliptra.window", CALIPTRA_WINDOW_SIZE);
    memory_region_add_subregion(&m->veer.space, MACHINE_WINDOW_BASE,
                                &m->window);
    if (machine->firmware) {
        caliptra_machine_load_rom(m, machine->firmware);
    } else if (!qtest_enabled()) {
        error_report("Caliptra has no ROM to start from; -bios FILE gives it "
                     "one");
        exit(1);
    }
}

static void caliptra_machine_reset(MachineState *machine, ResetType type)
{
    CaliptraMachineState *m = CALIPTRA_MACHINE(machine);

    qemu_devices_reset(type);
    caliptra_set_security_state(CALIPTRA_SOC_IF(m->core),
                                CALIPTRA_LIFECYCLE_PRODUCTION | BIT(2));
    qemu_set_irq(qdev_get_gpio_in_named(m->core, CALIPTRA_IN_PWRGOOD, 0), 1);
    qemu_set_irq(qdev_get_gpio_in_named(m->core, CALIPTRA_IN_RST_B, 0), 1);
}

static void caliptra_machine_instance_init(Object *obj)
{
    CaliptraMachineState *m = CALIPTRA_MACHINE(obj);

    m->clock_frequency = CLK_DEFAULT_HZ;
    object_property_add_uint32_ptr(obj, "clock-frequency",
                                   &m->clock_frequency,
                                   OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, "clock-frequency",
                                    "Hz of Caliptra's clock");
    m->pauser = MACHINE_PAUSER_DEFAULT;
    object_property_add_uint32_ptr(obj, "pauser", &m->pauser,
                                   OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, "pauser",
                                    "user id of the accesses through the "
                                    "SoC's window");
}

static void caliptra_machine_class_init(ObjectClass *klass, const void *data)
{
    static const char * const valid_cpu_types[] = { TYPE_VEER_CPU, NULL };
    MachineClass *mc = MACHINE_CLASS(klass);

    mc->desc = "Caliptra 1.x Root of Trust, executing its own firmware";
    mc->init = caliptra_machine_init;
    mc->reset = caliptra_machine_reset;
    mc->max_cpus = 1;
    mc->default_cpu_type = TYPE_VEER_CPU;
    mc->valid_cpu_types = valid_cpu_types;
    mc->default_ram_size = 0;
    mc->no_floppy = 1;
    mc->no_cdrom = 1;
    mc->no_parallel = 1;
}

static const TypeInfo caliptra_machine_types[] = {
    {
        .name = TYPE_CALIPTRA_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(CaliptraMachineState),
        .instance_init = caliptra_machine_instance_init,
        .class_init = caliptra_machine_class_init,
    },
};

DEFINE_TYPES(caliptra_machine_types)
