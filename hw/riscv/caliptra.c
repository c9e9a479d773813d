/*
 * Caliptra 1.x with the microcontroller that executes its ROM and firmware
 *
 * Two devices: the VeeR side ("caliptra-veer": the core, its memories, its
 * interrupt controller, the bus between it and Caliptra's hardware), and the
 * machine "caliptra", which has that, the hardware, and a SoC's window to it.
 *
 * Source: caliptra-rtl caliptra_top.sv, config_defines.svh, ahb_slv_sif.sv.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "chardev/char-fe.h"
#include "exec/cpu-common.h"
#include "hw/boards.h"
#include "hw/irq.h"
#include "hw/loader.h"
#include "hw/intc/veer_pic.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_map.h"
#include "hw/misc/caliptra_uc.h"
#include "hw/qdev-clock.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "migration/vmstate.h"
#include "system/qtest.h"
#include "system/reset.h"
#include "system/system.h"
#include "target/riscv/veer.h"

/* what the core sees (config_defines.svh) */
#define VEER_ROM_BASE       0x00000000
#define VEER_ROM_SIZE       (48 * KiB)
#define VEER_BUS_BASE       0x10000000
#define VEER_BUS_SIZE       0x30000000
#define VEER_DCCM_SIZE      (128 * KiB)
#define VEER_PIC_BASE       0x60000000

/* registers of soc_ifc_reg that matter here */
#define REG_RESET_REASON    (CALIPTRA_SOC_IFC_BASE + 0x040)
#define REG_OUTPUT_WIRES    (CALIPTRA_SOC_IFC_BASE + 0x0CC)
#define REG_NMI_VECTOR      (CALIPTRA_SOC_IFC_BASE + 0x62C)

#define CLK_DEFAULT_HZ      100000000

/* ---- the VeeR side ---- */

#define TYPE_CALIPTRA_VEER "caliptra-veer"
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraVeerState, CALIPTRA_VEER)

struct CaliptraVeerState {
    CaliptraUc parent_obj;

    VeerCPU cpu;
    VeerPicState pic;
    Clock *clk;
    /* inputs of the core */
    qemu_irq timer_intr;
    qemu_irq nmi_intr;

    /* the core's address space */
    MemoryRegion space;
    MemoryRegion rom;
    MemoryRegion iccm;
    MemoryRegion dccm;
    MemoryRegion bus;
    MemoryRegion wide;

    /* interrupt requests as last driven, bit n is source n of the PIC */
    uint32_t requests;
    /* a reset of the core is on its way */
    bool stopping;

    /* generic_output_wires as a console: bit 8 at the last character */
    CharFrontend console;
    bool console_toggle;

    /* property */
    bool every_write;
};

/* ---- lines between Caliptra's hardware and the core ---- */

/* All levels anew, when one may have changed */
static void veer_update(CaliptraVeerState *s)
{
    CaliptraUc *uc = CALIPTRA_UC(s);
    uint32_t requests = caliptra_uc_irqs(uc);
    uint32_t changed = requests ^ s->requests;

    s->requests = requests;
    while (changed) {
        unsigned n = ctz32(changed);

        qemu_set_irq(qdev_get_gpio_in(DEVICE(&s->pic), n),
                     extract32(requests, n, 1));
        changed &= changed - 1;
    }
    qemu_set_irq(s->timer_intr, caliptra_uc_timer_intr(uc));
    qemu_set_irq(s->nmi_intr, caliptra_uc_nmi_intr(uc));
}

/* In front of the core's first instruction, outside of all accesses */
static void veer_start_work(CPUState *cs, run_on_cpu_data data)
{
    CaliptraVeerState *s = data.host_ptr;
    uint32_t reason;

    caliptra_uc_read(CALIPTRA_UC(s), REG_RESET_REASON, &reason);
    if (!reason) {
        /* the memories have lost what they held */
        memset(memory_region_get_ram_ptr(&s->iccm), 0, CALIPTRA_ICCM_SIZE);
        memory_region_flush_rom_device(&s->iccm, 0, CALIPTRA_ICCM_SIZE);
        memset(memory_region_get_ram_ptr(&s->dccm), 0, VEER_DCCM_SIZE);
        memory_region_set_dirty(&s->dccm, 0, VEER_DCCM_SIZE);
    }
    s->stopping = false;
}

static void caliptra_veer_event(CaliptraUc *uc, CaliptraUcEvent event)
{
    CaliptraVeerState *s = CALIPTRA_VEER(uc);

    switch (event) {
    case CALIPTRA_UC_START:
        veer_cpu_set_nmi_vector(&s->cpu, caliptra_uc_nmi_vector(uc));
        async_run_on_cpu(CPU(&s->cpu), veer_start_work,
                         RUN_ON_CPU_HOST_PTR(s));
        veer_cpu_set_rst_l(&s->cpu, true);
        break;
    case CALIPTRA_UC_STOP:
        s->stopping = true;
        device_cold_reset(DEVICE(&s->pic));
        veer_cpu_set_rst_l(&s->cpu, false);
        break;
    case CALIPTRA_UC_WAKE:
    case CALIPTRA_UC_NMI:
        break;
    }
    veer_update(s);
}

/* ---- the bus ---- */

/*
 * Blocks behind ahb_slv_sif take a word at a time and do not know the size of
 * an access; only the mailbox SRAM looks at no more than the word's address.
 */
static bool is_sram(uint32_t addr)
{
    return addr - CALIPTRA_MBOX_SRAM_BASE < CALIPTRA_MBOX_SRAM_SIZE;
}

/* What a block answers; a core that is to be reset gets no further */
static MemTxResult veer_result(CaliptraVeerState *s, MemTxResult result)
{
    return s->stopping ? MEMTX_ERROR : result;
}

static MemTxResult veer_bus_read(void *opaque, hwaddr offset, uint64_t *data,
                                 unsigned size, MemTxAttrs attrs)
{
    CaliptraVeerState *s = opaque;
    CaliptraUc *uc = CALIPTRA_UC(s);
    uint32_t addr = VEER_BUS_BASE + offset;
    unsigned lane = addr & 3;
    uint32_t word = 0;
    MemTxResult result = MEMTX_OK;

    if (s->stopping || attrs.debug) {
        *data = 0;
        return MEMTX_ERROR;
    }
    if (!lane || is_sram(addr)) {
        result = caliptra_uc_read(uc, addr - lane, &word);
    } else if (!caliptra_uc_decodes(uc, addr)) {
        result = MEMTX_ERROR;
    }
    *data = extract32(word >> 8 * lane, 0, 8 * MIN(size, 4 - lane));
    return veer_result(s, result);
}

/* Firmware's console: drivers/src/uart.rs of caliptra-sw */
static void veer_console(CaliptraVeerState *s, uint32_t data)
{
    bool toggle = extract32(data, 8, 1);
    uint8_t ch = data;

    if (toggle == s->console_toggle && !s->every_write) {
        return;
    }
    s->console_toggle = toggle;
    if ((ch >= 0x20 && ch < 0x7F) || ch == '\n' || ch == '\r' || ch == '\t') {
        qemu_chr_fe_write_all(&s->console, &ch, 1);
    }
}

static MemTxResult veer_bus_write(void *opaque, hwaddr offset, uint64_t data,
                                  unsigned size, MemTxAttrs attrs)
{
    CaliptraVeerState *s = opaque;
    CaliptraUc *uc = CALIPTRA_UC(s);
    uint32_t addr = VEER_BUS_BASE + offset;
    unsigned lane = addr & 3;
    MemTxResult result = MEMTX_OK;

    if (s->stopping || attrs.debug) {
        return MEMTX_ERROR;
    }
    if (!lane) {
        result = caliptra_uc_write(uc, addr, data);
    } else if (is_sram(addr)) {
        result = caliptra_uc_write(uc, addr - lane, 0);
    } else if (!caliptra_uc_decodes(uc, addr)) {
        result = MEMTX_ERROR;
    }
    switch (addr) {
    case REG_OUTPUT_WIRES:
        veer_console(s, data);
        break;
    case REG_NMI_VECTOR:
        veer_cpu_set_nmi_vector(&s->cpu, caliptra_uc_nmi_vector(uc));
        break;
    }
    return veer_result(s, result);
}

static const MemoryRegionOps veer_bus_ops = {
    .read_with_attrs = veer_bus_read,
    .write_with_attrs = veer_bus_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

/*
 * Regions without side effects: the core reads the aligned 64 bits around
 * what it wants, and the blocks answer on the lower half of the bus only.
 */
static MemTxResult veer_wide_read(void *opaque, hwaddr offset, uint64_t *data,
                                  unsigned size, MemTxAttrs attrs)
{
    uint64_t word;
    unsigned lane = offset & 7;
    MemTxResult result = veer_bus_read(opaque, offset - lane, &word, 4, attrs);

    *data = extract64(word >> 8 * lane, 0, 8 * size);
    return result;
}

static const MemoryRegionOps veer_wide_ops = {
    .read_with_attrs = veer_wide_read,
    .write_with_attrs = veer_bus_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4 },
    .impl = { .min_access_size = 1, .max_access_size = 4 },
};

/* ---- memories ---- */

static MemTxResult veer_rom_write(void *opaque, hwaddr offset, uint64_t data,
                                  unsigned size, MemTxAttrs attrs)
{
    return MEMTX_ERROR;
}

static const MemoryRegionOps veer_rom_ops = {
    .write_with_attrs = veer_rom_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 4,
               .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 4, .unaligned = true },
};

/* The core's DMA port takes aligned words only (el2_dma_ctrl.sv) */
static MemTxResult veer_iccm_write(void *opaque, hwaddr offset, uint64_t data,
                                   unsigned size, MemTxAttrs attrs)
{
    CaliptraVeerState *s = opaque;

    if (s->stopping) {
        return MEMTX_ERROR;
    }
    if (caliptra_uc_iccm_lock(CALIPTRA_UC(s))) {
        caliptra_uc_fault(CALIPTRA_UC(s), CALIPTRA_UC_ICCM_BLOCKED);
        return MEMTX_ERROR;
    }
    stl_le_p(memory_region_get_ram_ptr(&s->iccm) + offset, data);
    memory_region_flush_rom_device(&s->iccm, offset, 4);
    return MEMTX_OK;
}

static const MemoryRegionOps veer_iccm_ops = {
    .write_with_attrs = veer_iccm_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
    .impl = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- device ---- */

static void caliptra_veer_realize(DeviceState *dev, Error **errp)
{
    static const VeerPicOps pic_ops = {
        .claim = veer_pic_claim,
        .thresholds = veer_pic_set_thresholds,
    };
    CaliptraVeerState *s = CALIPTRA_VEER(dev);
    Object *obj = OBJECT(dev);
    DeviceState *cpu = DEVICE(&s->cpu);

    memory_region_init(&s->space, obj, "caliptra-veer", UINT64_MAX);
    if (!memory_region_init_rom_device(&s->rom, obj, &veer_rom_ops, s,
                                       "caliptra.rom", VEER_ROM_SIZE, errp) ||
        !memory_region_init_rom_device(&s->iccm, obj, &veer_iccm_ops, s,
                                       "caliptra.iccm", CALIPTRA_ICCM_SIZE,
                                       errp) ||
        !memory_region_init_ram(&s->dccm, obj, "caliptra.dccm",
                                VEER_DCCM_SIZE, errp)) {
        return;
    }
    memory_region_init_io(&s->bus, obj, &veer_bus_ops, s, "caliptra.ahb",
                          VEER_BUS_SIZE);
    memory_region_init_io(&s->wide, obj, &veer_wide_ops, s,
                          "caliptra.ahb-wide", VEER_BUS_SIZE);
    memory_region_add_subregion(&s->space, VEER_ROM_BASE, &s->rom);
    memory_region_add_subregion(&s->space, VEER_BUS_BASE, &s->bus);
    memory_region_add_subregion(&s->space, VEER_BUS_WIDE | VEER_BUS_BASE,
                                &s->wide);
    memory_region_add_subregion(&s->space, CALIPTRA_ICCM_BASE, &s->iccm);
    memory_region_add_subregion(&s->space, CALIPTRA_DCCM_BASE, &s->dccm);

    if (!sysbus_realize(SYS_BUS_DEVICE(&s->pic), errp)) {
        return;
    }
    memory_region_add_subregion(&s->space, VEER_PIC_BASE, &s->pic.iomem);

    object_property_set_link(OBJECT(cpu), "memory", OBJECT(&s->space),
                             &error_abort);
    qdev_connect_clock_in(cpu, "clk", s->clk);
    if (!qdev_realize(cpu, NULL, errp)) {
        return;
    }
    veer_cpu_set_pic(&s->cpu, &pic_ops, &s->pic);
    qdev_connect_gpio_out_named(DEVICE(&s->pic), VEER_PIC_OUT_EXT, 0,
                                qdev_get_gpio_in_named(cpu, VEER_IN_EXT, 0));
    qdev_connect_gpio_out_named(DEVICE(&s->pic), VEER_PIC_OUT_WAKE, 0,
                                qdev_get_gpio_in_named(cpu, VEER_IN_WAKE, 0));
    s->timer_intr = qdev_get_gpio_in_named(cpu, VEER_IN_TIMER, 0);
    s->nmi_intr = qdev_get_gpio_in_named(cpu, VEER_IN_NMI, 0);
}

static void caliptra_veer_reset_hold(Object *obj, ResetType type)
{
    CaliptraVeerState *s = CALIPTRA_VEER(obj);

    resettable_reset(OBJECT(&s->cpu), type);
    s->requests = 0;
    s->stopping = false;
    s->console_toggle = false;
}

static void caliptra_veer_init(Object *obj)
{
    CaliptraVeerState *s = CALIPTRA_VEER(obj);

    CALIPTRA_UC(obj)->ready_at_poll = true;
    object_initialize_child(obj, "cpu", &s->cpu, TYPE_VEER_CPU);
    object_initialize_child(obj, "pic", &s->pic, TYPE_VEER_PIC);
    s->clk = qdev_init_clock_in(DEVICE(obj), "clk", NULL, NULL, 0);
}

static const VMStateDescription vmstate_caliptra_veer = {
    .name = TYPE_CALIPTRA_VEER,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_CLOCK(clk, CaliptraVeerState),
        VMSTATE_UINT32(requests, CaliptraVeerState),
        VMSTATE_BOOL(stopping, CaliptraVeerState),
        VMSTATE_BOOL(console_toggle, CaliptraVeerState),
        VMSTATE_END_OF_LIST()
    },
};

static const Property caliptra_veer_properties[] = {
    DEFINE_PROP_CHR("chardev", CaliptraVeerState, console),
    DEFINE_PROP_BOOL("console-every-write", CaliptraVeerState, every_write,
                     false),
};

static void caliptra_veer_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    CALIPTRA_UC_CLASS(klass)->event = caliptra_veer_event;
    dc->desc = "Caliptra's microcontroller: VeeR EL2 and its memories";
    dc->realize = caliptra_veer_realize;
    dc->vmsd = &vmstate_caliptra_veer;
    dc->user_creatable = false;
    device_class_set_props(dc, caliptra_veer_properties);
    object_class_property_set_description(klass, "chardev",
                                          "where firmware's console goes");
    object_class_property_set_description(klass, "console-every-write",
        "a character for each write of the output wires, for programs that "
        "do not toggle bit 8 with it");
    rc->phases.hold = caliptra_veer_reset_hold;
}

/* ---- the machine ---- */

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
    if (size > VEER_ROM_SIZE) {
        error_report("'%s' is no ROM of Caliptra: %" PRId64 " bytes, there "
                     "is room for %u", filename, size,
                     (unsigned)VEER_ROM_SIZE);
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
        .name = TYPE_CALIPTRA_VEER,
        .parent = TYPE_CALIPTRA_UC,
        .instance_size = sizeof(CaliptraVeerState),
        .instance_init = caliptra_veer_init,
        .class_init = caliptra_veer_class_init,
    },
    {
        .name = TYPE_CALIPTRA_MACHINE,
        .parent = TYPE_MACHINE,
        .instance_size = sizeof(CaliptraMachineState),
        .instance_init = caliptra_machine_instance_init,
        .class_init = caliptra_machine_class_init,
    },
};

DEFINE_TYPES(caliptra_machine_types)
