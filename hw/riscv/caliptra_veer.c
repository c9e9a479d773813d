/*
 * VeeR side of a Caliptra 1.x core
 *
 * The core, its memories, its interrupt controller, and the bus between it
 * and Caliptra's hardware: the microcontroller that executes genuine ROM and
 * firmware.
 *
 * Source: caliptra-rtl caliptra_top.sv, config_defines.svh, ahb_slv_sif.sv.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "exec/cpu-common.h"
#include "exec/icount.h"
#include "hw/core/irq.h"
#include "hw/misc/caliptra_map.h"
#include "hw/core/qdev-clock.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/riscv/caliptra_veer.h"
#include "migration/vmstate.h"
#include "system/runstate.h"

/* what the core sees (config_defines.svh) */
#define VEER_ROM_BASE       0x00000000
#define VEER_BUS_BASE       0x10000000
#define VEER_BUS_SIZE       0x30000000
#define VEER_DCCM_SIZE      (128 * KiB)
#define VEER_PIC_BASE       0x60000000

/* reads of a register without a rest, and the rest; with a SoC that stands */
#define POLLS_AT_ONCE       1000
#define POLL_REST_US        10
#define POLL_HELD_REST_US   1000

/* characters of firmware's console that may wait for the chardev */
#define CONSOLE_QUEUE_SIZE  4096
/* those of a line that has not ended; then they are shown nevertheless */
#define CONSOLE_LINE_SIZE   256
#define CONSOLE_LINE_NS     (50 * SCALE_MS)

/* registers of soc_ifc_reg that matter here */
#define REG_RESET_REASON    (CALIPTRA_SOC_IFC_BASE + 0x040)
#define REG_TRNG_STATUS     (CALIPTRA_SOC_IFC_BASE + 0x0AC)
#define REG_OUTPUT_WIRES    (CALIPTRA_SOC_IFC_BASE + 0x0CC)
#define REG_NMI_VECTOR      (CALIPTRA_SOC_IFC_BASE + 0x62C)

/* ---- lines between Caliptra's hardware and the core ---- */

/* All levels anew, when one may have changed */
static void veer_update(CaliptraVeerState *s)
{
    CaliptraUc *uc = &s->parent_obj;
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

/* Whatever it has been reading, the core waits for nothing */
static void veer_end_polls(CaliptraVeerState *s)
{
    s->last_read = 0;
    s->polls = 0;
    caliptra_uc_set_waiting(CALIPTRA_UC(s), false);
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
        veer_end_polls(s);
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

/*
 * What is not there after many reads, a SoC outside brings: firmware counts
 * its reads (250,000 for entropy, drivers/src/trng_ext.rs), so they must not
 * be faster than that SoC's host, and not go on while that stands.  Whoever
 * wants something else of the core does not have to wait for that.
 */
static void veer_rest(CaliptraVeerState *s)
{
    CaliptraUc *uc = &s->parent_obj;
    bool held = caliptra_uc_time_held(uc);

    if (!held && icount_enabled()) {
        return;
    }
    do {
        bql_unlock();
        g_usleep(held ? POLL_HELD_REST_US : POLL_REST_US);
        bql_lock();
    } while (held && caliptra_uc_time_held(uc) && !s->stopping &&
             !qatomic_read(&CPU(&s->cpu)->exit_request));
}

/*
 * Who reads a register again waits for something.  What is due by now need
 * not wait for the main loop, too; with icount it does not anyway.
 */
static void veer_poll(CaliptraVeerState *s, uint32_t addr)
{
    if (addr != s->last_read) {
        veer_end_polls(s);
        s->last_read = addr;
        return;
    }
    if (addr == REG_TRNG_STATUS) {
        caliptra_uc_set_waiting(CALIPTRA_UC(s), true);
    }
    if (!icount_enabled() && qemu_clock_expired(QEMU_CLOCK_VIRTUAL)) {
        qemu_clock_run_timers(QEMU_CLOCK_VIRTUAL);
    }
    if (s->polls < POLLS_AT_ONCE) {
        s->polls++;
    } else if (addr == REG_TRNG_STATUS) {
        veer_rest(s);
    }
}

static MemTxResult veer_bus_read(void *opaque, hwaddr offset, uint64_t *data,
                                 unsigned size, MemTxAttrs attrs)
{
    CaliptraVeerState *s = opaque;
    CaliptraUc *uc = &s->parent_obj;
    uint32_t addr = VEER_BUS_BASE + offset;
    unsigned lane = addr & 3;
    uint32_t word = 0;
    MemTxResult result = MEMTX_OK;

    if (!attrs.debug) {
        veer_poll(s, addr);
    }
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

static void veer_console_flush(CaliptraVeerState *s);

static gboolean veer_console_writable(void *do_not_use, GIOCondition cond,
                                      void *opaque)
{
    CaliptraVeerState *s = opaque;

    s->console_watch = 0;
    veer_console_flush(s);
    return G_SOURCE_REMOVE;
}

static void veer_console_timer(void *opaque)
{
    veer_console_flush(opaque);
}

/* Whoever stops the machine sees all that firmware has said */
static void veer_console_vm_change(void *opaque, bool running, RunState state)
{
    if (!running) {
        veer_console_flush(opaque);
    }
}

/* Line by line: the terminal may be that of others, too */
static void veer_console_put(CaliptraVeerState *s, uint8_t ch)
{
    /* wires do not wait for a reader */
    if (s->console_lost || fifo8_is_full(&s->console_queue)) {
        s->console_lost++;
    } else {
        fifo8_push(&s->console_queue, ch);
    }
    if (ch == '\n' || fifo8_num_used(&s->console_queue) >= CONSOLE_LINE_SIZE) {
        veer_console_flush(s);
    } else if (!timer_pending(s->console_timer)) {
        timer_mod(s->console_timer,
                  qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + CONSOLE_LINE_NS);
    }
}

static void veer_console_flush(CaliptraVeerState *s)
{
    timer_del(s->console_timer);
    while (!fifo8_is_empty(&s->console_queue) && !s->console_watch) {
        uint32_t len;
        const uint8_t *text =
            fifo8_peek_bufptr(&s->console_queue,
                              fifo8_num_used(&s->console_queue), &len);
        int done = qemu_chr_fe_write(&s->console, text, len);

        if (done > 0) {
            fifo8_drop(&s->console_queue, done);
        } else {
            s->console_watch =
                qemu_chr_fe_add_watch(&s->console, G_IO_OUT | G_IO_HUP,
                                      veer_console_writable, s);
            if (!s->console_watch) {
                /* there is nobody who could take it */
                fifo8_reset(&s->console_queue);
                s->console_lost = 0;
            }
        }
        if (fifo8_is_empty(&s->console_queue) && s->console_lost) {
            g_autofree char *lost =
                g_strdup_printf("\n[%u characters lost: the reader was too "
                                "slow]\n", s->console_lost);

            s->console_lost = 0;
            fifo8_push_all(&s->console_queue, (uint8_t *)lost, strlen(lost));
        }
    }
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
        veer_console_put(s, ch);
    }
}

static MemTxResult veer_bus_write(void *opaque, hwaddr offset, uint64_t data,
                                  unsigned size, MemTxAttrs attrs)
{
    CaliptraVeerState *s = opaque;
    CaliptraUc *uc = &s->parent_obj;
    uint32_t addr = VEER_BUS_BASE + offset;
    unsigned lane = addr & 3;
    MemTxResult result = MEMTX_OK;

    if (s->stopping || attrs.debug) {
        return MEMTX_ERROR;
    }
    veer_end_polls(s);
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
                                       "caliptra.rom", CALIPTRA_VEER_ROM_SIZE,
                                       errp) ||
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
    fifo8_create(&s->console_queue, CONSOLE_QUEUE_SIZE);
    s->console_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, veer_console_timer, s);
    s->console_change =
        qemu_add_vm_change_state_handler(veer_console_vm_change, s);
}

static void caliptra_veer_finalize(Object *obj)
{
    CaliptraVeerState *s = CALIPTRA_VEER(obj);

    qemu_del_vm_change_state_handler(s->console_change);
    timer_free(s->console_timer);
    if (s->console_watch) {
        g_source_remove(s->console_watch);
    }
    fifo8_destroy(&s->console_queue);
}

/* The next polls will tell */
static int caliptra_veer_post_load(void *opaque, int version_id)
{
    veer_end_polls(opaque);
    return 0;
}

static const VMStateDescription vmstate_caliptra_veer = {
    .name = TYPE_CALIPTRA_VEER,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = caliptra_veer_post_load,
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

static const TypeInfo caliptra_veer_types[] = {
    {
        .name = TYPE_CALIPTRA_VEER,
        .parent = TYPE_CALIPTRA_UC,
        .instance_size = sizeof(CaliptraVeerState),
        .instance_init = caliptra_veer_init,
        .instance_finalize = caliptra_veer_finalize,
        .class_init = caliptra_veer_class_init,
    },
};

DEFINE_TYPES(caliptra_veer_types)
