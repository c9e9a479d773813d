/*
 * Caliptra 1.x core: test device
 *
 * A test (or a person who brings up firmware) reaches a core from both sides:
 *
 *   -device caliptra-testdev,core=/machine/caliptra/core,addr=ADDR
 *
 * maps at ADDR, in the address space of the first CPU or in that of the
 * property "memory", what follows.  Without core=PATH the device makes a core
 * of its own, in which nobody plays the microcontroller.
 *
 *   +0x00000000  the microcontroller's bus, 0x70000000 bytes; the offset is
 *                the microcontroller's address.  Accesses are its own.
 *   +0x70000000  the SoC's window, 256 KiB; the accesses carry the user id
 *                of the register PAUSER below.
 *   +0x70040000  the device's registers, listed below.
 *
 * All accesses are 32 bits wide.  Their address need not be aligned: the byte
 * address reaches the core as it is.  An access that the core answers with an
 * error (PSLVERR, AHB error) ends in a bus error, reads 0, and sets
 * STATE.ERROR until the next access to the bus or to the window.
 *
 *   0x000 PAUSER          RW  user id of the accesses in the SoC's window
 *   0x004 STATE           RO  [0] the last access ended in an error,
 *                             [18:1] output levels, CALIPTRA_WIRE_*:
 *                             1 cptra_noncore_rst_b, 2 cptra_uc_rst_b,
 *                             3 ready_for_fuses, 4 ready_for_fw_push,
 *                             5 ready_for_runtime, 6 mailbox_data_avail,
 *                             7 mailbox_flow_done, 8 cptra_error_fatal,
 *                             9 cptra_error_non_fatal, 10 trng_req,
 *                             11 soc_ifc_error_intr, 12 soc_ifc_notif_intr,
 *                             13 sha_error_intr, 14 sha_notif_intr,
 *                             15 timer_intr, 16 nmi_intr, 17 iccm_lock,
 *                             18 clk_gating_en;
 *                             [31] CHANGED is not 0
 *   0x008 CHANGED         RO  a bit for each word from 0x100 on that has
 *                             another value than at the last read of CHANGED
 *   0x00C ENGINE_INTR     RO  interrupts of the engines, error and notif:
 *                             [1:0] DOE, [3:2] ECC, [5:4] HMAC,
 *                             [7:6] SHA-512, [9:8] SHA-256
 *   0x010 RESET           WO  [0] power cycle, [1] warm reset: low and high
 *   0x014 LINES           RW  [0] cptra_pwrgood, [1] cptra_rst_b,
 *                             [2] BootFSM_BrkPoint, [3] scan_mode,
 *                             [4] built with an internal TRNG
 *   0x018 SECURITY_STATE  RW  [1:0] device_lifecycle, [2] debug_locked
 *   0x01C PULSE           WO  [0] the DOE's clear-secrets command,
 *                             [1] crypto_error, [2] iccm_ecc_unc,
 *                             [3] dccm_ecc_unc, [4] iccm_blocked
 *   0x020 GENERIC_IN      RW  generic_input_wires, two words
 *   0x028 SRAM_FLIP       RW  XORed to words read from the mailbox SRAM:
 *                             two words, [31:0] data, [38:32] check bits
 *   0x040 OBF_KEY_PINS    RW  cptra_obf_key, eight words
 *   0x100 wide outputs    RO  generic_output_wires (2 words), nmi_vector (1),
 *                             then as held in soc_ifc: obf_key (8),
 *                             uds_seed (12), field_entropy (8)
 *   0x200 TAP             RW  debug port: 4 * DMI address
 *
 * Levels of inputs are taken over as in silicon: security_state and the
 * breakpoint when a reset is released, the key pins after a power cycle.  A
 * reset of QEMU takes back what the device has changed of the core, unless
 * the SoC drives it anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "qapi/error.h"
#include "hw/core/cpu.h"
#include "hw/core/qdev-properties.h"
#include "system/reset.h"
#include "caliptra_internal.h"

#define TESTDEV_BUS_SIZE    0x70000000
#define TESTDEV_REGS_SIZE   0x1000
#define TESTDEV_TAP_REGS    128

#define TYPE_CALIPTRA_TESTDEV "caliptra-testdev"
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraTestdev, CALIPTRA_TESTDEV)

/* outputs wider than a bit, in words: generic wires, NMI vector, secrets */
#define TESTDEV_WIDE_WORDS  (3 + CALIPTRA_OBF_KEY_WORDS + \
                             CALIPTRA_UDS_WORDS + CALIPTRA_FE_WORDS)

struct CaliptraTestdev {
    DeviceState parent_obj;

    MemoryRegion container;
    MemoryRegion bus;
    MemoryRegion soc;
    MemoryRegion regs;

    uint32_t pauser;
    bool error;
    uint32_t generic_in_lo;
    uint32_t seen[TESTDEV_WIDE_WORDS];

    /* properties */
    CaliptraState *core;
    MemoryRegion *memory;
    uint64_t addr;
};

REG32(TESTDEV_PAUSER, 0x000)
REG32(TESTDEV_STATE, 0x004)
    FIELD(TESTDEV_STATE, ERROR, 0, 1)
    FIELD(TESTDEV_STATE, CHANGED, 31, 1)
REG32(TESTDEV_CHANGED, 0x008)
REG32(TESTDEV_ENGINE_INTR, 0x00C)
REG32(TESTDEV_RESET, 0x010)
    FIELD(TESTDEV_RESET, COLD, 0, 1)
    FIELD(TESTDEV_RESET, WARM, 1, 1)
REG32(TESTDEV_LINES, 0x014)
    FIELD(TESTDEV_LINES, PWRGOOD, 0, 1)
    FIELD(TESTDEV_LINES, RST_B, 1, 1)
    FIELD(TESTDEV_LINES, BRKPOINT, 2, 1)
    FIELD(TESTDEV_LINES, SCAN_MODE, 3, 1)
    FIELD(TESTDEV_LINES, ITRNG, 4, 1)
REG32(TESTDEV_SECURITY_STATE, 0x018)
REG32(TESTDEV_PULSE, 0x01C)
    FIELD(TESTDEV_PULSE, CLEAR_SECRETS, 0, 1)
    FIELD(TESTDEV_PULSE, CRYPTO_ERROR, 1, 1)
    FIELD(TESTDEV_PULSE, ICCM_ECC_UNC, 2, 1)
    FIELD(TESTDEV_PULSE, DCCM_ECC_UNC, 3, 1)
    FIELD(TESTDEV_PULSE, ICCM_BLOCKED, 4, 1)
REG32(TESTDEV_GENERIC_IN_LO, 0x020)
REG32(TESTDEV_GENERIC_IN_HI, 0x024)
REG32(TESTDEV_SRAM_FLIP_LO, 0x028)
REG32(TESTDEV_SRAM_FLIP_HI, 0x02C)
REG32(TESTDEV_OBF_KEY_PINS, 0x040)
REG32(TESTDEV_WIDE, 0x100)
REG32(TESTDEV_TAP, 0x200)

/* ---- outputs that are wider than a bit ---- */

static uint32_t testdev_wide(CaliptraState *s, unsigned i)
{
    static const struct {
        unsigned reg;
        unsigned n;
    } rows[] = {
        { R_CPTRA_GENERIC_OUTPUT_WIRES, 2 },
        { R_INTERNAL_NMI_VECTOR, 1 },
        { R_INTERNAL_OBF_KEY, CALIPTRA_OBF_KEY_WORDS },
        { R_FUSE_UDS_SEED, CALIPTRA_UDS_WORDS },
        { R_FUSE_FIELD_ENTROPY, CALIPTRA_FE_WORDS },
    };
    size_t r;

    for (r = 0; i >= rows[r].n; r++) {
        i -= rows[r].n;
    }
    return s->soc_ifc.regs[rows[r].reg + i];
}

static uint32_t testdev_changed(CaliptraTestdev *d)
{
    uint32_t changed = 0;
    unsigned i;

    for (i = 0; i < TESTDEV_WIDE_WORDS; i++) {
        if (d->seen[i] != testdev_wide(d->core, i)) {
            changed |= BIT(i);
        }
    }
    return changed;
}

static uint32_t testdev_take_changed(CaliptraTestdev *d)
{
    uint32_t changed = testdev_changed(d);
    unsigned i;

    for (i = 0; i < TESTDEV_WIDE_WORDS; i++) {
        d->seen[i] = testdev_wide(d->core, i);
    }
    return changed;
}

/* ---- inputs ---- */

static void testdev_line(CaliptraState *s, const char *name, bool level)
{
    qemu_set_irq(qdev_get_gpio_in_named(DEVICE(s), name, 0), level);
}

static void testdev_reset(CaliptraState *s, uint32_t data)
{
    if (FIELD_EX32(data, TESTDEV_RESET, COLD)) {
        testdev_line(s, CALIPTRA_IN_PWRGOOD, false);
        testdev_line(s, CALIPTRA_IN_RST_B, false);
        testdev_line(s, CALIPTRA_IN_PWRGOOD, true);
        testdev_line(s, CALIPTRA_IN_RST_B, true);
    } else if (FIELD_EX32(data, TESTDEV_RESET, WARM)) {
        testdev_line(s, CALIPTRA_IN_RST_B, false);
        testdev_line(s, CALIPTRA_IN_RST_B, true);
    }
}

static void testdev_pulse(CaliptraState *s, uint32_t data)
{
    uint32_t fatal = 0;

    if (caliptra_in_reset(s)) {
        return;
    }
    if (FIELD_EX32(data, TESTDEV_PULSE, CLEAR_SECRETS)) {
        caliptra_soc_ifc_clear_secrets(s);
    }
    if (FIELD_EX32(data, TESTDEV_PULSE, CRYPTO_ERROR)) {
        fatal |= R_CPTRA_HW_ERROR_FATAL_CRYPTO_ERR_MASK;
    }
    if (FIELD_EX32(data, TESTDEV_PULSE, ICCM_ECC_UNC)) {
        fatal |= R_CPTRA_HW_ERROR_FATAL_ICCM_ECC_UNC_MASK;
    }
    if (FIELD_EX32(data, TESTDEV_PULSE, DCCM_ECC_UNC)) {
        fatal |= R_CPTRA_HW_ERROR_FATAL_DCCM_ECC_UNC_MASK;
    }
    if (FIELD_EX32(data, TESTDEV_PULSE, ICCM_BLOCKED)) {
        caliptra_soc_ifc_intr_error(s, SOC_IFC_ERROR_ICCM_BLOCKED);
    }
    if (fatal) {
        caliptra_soc_ifc_hw_error_fatal(s, fatal);
    }
    caliptra_update(s);
}

static uint32_t testdev_get_lines(CaliptraState *s)
{
    uint32_t r = 0;

    r = FIELD_DP32(r, TESTDEV_LINES, PWRGOOD, s->in_pwrgood);
    r = FIELD_DP32(r, TESTDEV_LINES, RST_B, s->in_rst_b);
    r = FIELD_DP32(r, TESTDEV_LINES, BRKPOINT, s->in_brkpoint);
    r = FIELD_DP32(r, TESTDEV_LINES, SCAN_MODE, s->in_scan_mode);
    r = FIELD_DP32(r, TESTDEV_LINES, ITRNG, caliptra_has_itrng(s));
    return r;
}

static void testdev_set_lines(CaliptraState *s, uint32_t data)
{
    s->flip_itrng = FIELD_EX32(data, TESTDEV_LINES, ITRNG) != s->itrng;
    testdev_line(s, CALIPTRA_IN_BRKPOINT, FIELD_EX32(data, TESTDEV_LINES,
                                                   BRKPOINT));
    testdev_line(s, CALIPTRA_IN_SCAN_MODE, FIELD_EX32(data, TESTDEV_LINES,
                                                    SCAN_MODE));
    testdev_line(s, CALIPTRA_IN_PWRGOOD, FIELD_EX32(data, TESTDEV_LINES,
                                                  PWRGOOD));
    testdev_line(s, CALIPTRA_IN_RST_B, FIELD_EX32(data, TESTDEV_LINES, RST_B));
}

/* ---- registers ---- */

static uint64_t testdev_read(void *opaque, hwaddr addr, unsigned size)
{
    CaliptraTestdev *d = opaque;
    CaliptraState *s = d->core;
    uint32_t r;

    switch (addr) {
    case A_TESTDEV_PAUSER:
        return d->pauser;
    case A_TESTDEV_STATE:
        r = extract32(s->wires, 0, CALIPTRA_WIRE_ENGINES_SHIFT);
        r = FIELD_DP32(r, TESTDEV_STATE, ERROR, d->error);
        return FIELD_DP32(r, TESTDEV_STATE, CHANGED, !!testdev_changed(d));
    case A_TESTDEV_CHANGED:
        return testdev_take_changed(d);
    case A_TESTDEV_ENGINE_INTR:
        return extract32(s->wires, CALIPTRA_WIRE_ENGINES_SHIFT,
                         CALIPTRA_WIRE_ENGINES_LENGTH);
    case A_TESTDEV_LINES:
        return testdev_get_lines(s);
    case A_TESTDEV_SECURITY_STATE:
        return s->in_security_state;
    case A_TESTDEV_GENERIC_IN_LO:
        return extract64(s->in_generic_wires, 0, 32);
    case A_TESTDEV_GENERIC_IN_HI:
        return extract64(s->in_generic_wires, 32, 32);
    case A_TESTDEV_SRAM_FLIP_LO:
        return extract64(s->mbox.sram_flip, 0, 32);
    case A_TESTDEV_SRAM_FLIP_HI:
        return extract64(s->mbox.sram_flip, 32, 32);
    case A_TESTDEV_OBF_KEY_PINS ...
         A_TESTDEV_OBF_KEY_PINS + 4 * CALIPTRA_OBF_KEY_WORDS - 1:
        return s->in_obf_key[(addr - A_TESTDEV_OBF_KEY_PINS) / 4];
    case A_TESTDEV_WIDE ... A_TESTDEV_WIDE + 4 * TESTDEV_WIDE_WORDS - 1:
        return testdev_wide(s, (addr - A_TESTDEV_WIDE) / 4);
    case A_TESTDEV_TAP ... A_TESTDEV_TAP + 4 * TESTDEV_TAP_REGS - 1:
        r = caliptra_soc_ifc_tap_read(s, (addr - A_TESTDEV_TAP) / 4);
        caliptra_update(s);
        return r;
    default:
        return 0;
    }
}

static void testdev_write(void *opaque, hwaddr addr, uint64_t data,
                        unsigned size)
{
    CaliptraTestdev *d = opaque;
    CaliptraState *s = d->core;
    uint64_t wires;

    switch (addr) {
    case A_TESTDEV_PAUSER:
        d->pauser = data;
        break;
    case A_TESTDEV_RESET:
        testdev_reset(s, data);
        break;
    case A_TESTDEV_LINES:
        testdev_set_lines(s, data);
        break;
    case A_TESTDEV_SECURITY_STATE:
        caliptra_set_security_state(CALIPTRA_SOC_IF(s), data);
        break;
    case A_TESTDEV_PULSE:
        testdev_pulse(s, data);
        break;
    case A_TESTDEV_GENERIC_IN_LO:
        /* both words change at once, with the write of the high one */
        d->generic_in_lo = data;
        break;
    case A_TESTDEV_GENERIC_IN_HI:
        wires = deposit64(d->generic_in_lo, 32, 32, data);
        caliptra_set_generic_input_wires(CALIPTRA_SOC_IF(s), wires);
        break;
    case A_TESTDEV_SRAM_FLIP_LO:
        s->mbox.sram_flip = deposit64(s->mbox.sram_flip, 0, 32, data);
        break;
    case A_TESTDEV_SRAM_FLIP_HI:
        s->mbox.sram_flip = deposit64(s->mbox.sram_flip, 32, 7, data);
        break;
    case A_TESTDEV_OBF_KEY_PINS ...
         A_TESTDEV_OBF_KEY_PINS + 4 * CALIPTRA_OBF_KEY_WORDS - 1:
        s->in_obf_key[(addr - A_TESTDEV_OBF_KEY_PINS) / 4] = data;
        break;
    case A_TESTDEV_TAP ... A_TESTDEV_TAP + 4 * TESTDEV_TAP_REGS - 1:
        caliptra_soc_ifc_tap_write(s, (addr - A_TESTDEV_TAP) / 4, data);
        caliptra_update(s);
        break;
    default:
        qemu_log_mask(LOG_GUEST_ERROR, TYPE_CALIPTRA_TESTDEV
                      ": no register at 0x%" HWADDR_PRIx "\n", addr);
        break;
    }
}

/* ---- the two sides ---- */

static MemTxResult testdev_result(CaliptraTestdev *d, MemTxResult result)
{
    d->error = result != MEMTX_OK;
    return result;
}

static MemTxResult testdev_bus_read(void *opaque, hwaddr addr, uint64_t *data,
                                  unsigned size, MemTxAttrs attrs)
{
    CaliptraTestdev *d = opaque;
    uint32_t word;
    MemTxResult result = caliptra_bus_read(d->core, addr, &word);

    *data = word;
    return testdev_result(d, result);
}

static MemTxResult testdev_bus_write(void *opaque, hwaddr addr, uint64_t data,
                                   unsigned size, MemTxAttrs attrs)
{
    CaliptraTestdev *d = opaque;

    return testdev_result(d, caliptra_bus_write(d->core, addr, data));
}

static MemTxResult testdev_soc_read(void *opaque, hwaddr addr, uint64_t *data,
                                  unsigned size, MemTxAttrs attrs)
{
    CaliptraTestdev *d = opaque;
    uint32_t word;
    MemTxResult result = caliptra_soc_read(CALIPTRA_SOC_IF(d->core), addr,
                                           d->pauser, &word);

    *data = word;
    return testdev_result(d, result);
}

static MemTxResult testdev_soc_write(void *opaque, hwaddr addr, uint64_t data,
                                   unsigned size, MemTxAttrs attrs)
{
    CaliptraTestdev *d = opaque;

    return testdev_result(d, caliptra_soc_write(CALIPTRA_SOC_IF(d->core), addr,
                                              d->pauser, data));
}

#define TESTDEV_OPS \
    .endianness = DEVICE_LITTLE_ENDIAN, \
    .valid = { .min_access_size = 4, .max_access_size = 4, \
               .unaligned = true }, \
    .impl = { .min_access_size = 4, .max_access_size = 4, \
              .unaligned = true }

static const MemoryRegionOps testdev_bus_ops = {
    .read_with_attrs = testdev_bus_read,
    .write_with_attrs = testdev_bus_write,
    TESTDEV_OPS,
};

static const MemoryRegionOps testdev_soc_ops = {
    .read_with_attrs = testdev_soc_read,
    .write_with_attrs = testdev_soc_write,
    TESTDEV_OPS,
};

static const MemoryRegionOps testdev_ops = {
    .read = testdev_read,
    .write = testdev_write,
    TESTDEV_OPS,
};

/* ---- the device ---- */

static void testdev_reset_hold(Object *obj, ResetType type)
{
    CaliptraTestdev *d = CALIPTRA_TESTDEV(obj);
    CaliptraState *s = d->core;

    d->pauser = 0;
    d->error = false;
    d->generic_in_lo = 0;
    memset(d->seen, 0, sizeof(d->seen));

    testdev_line(s, CALIPTRA_IN_SCAN_MODE, false);
    caliptra_set_generic_input_wires(CALIPTRA_SOC_IF(s), 0);
    s->mbox.sram_flip = 0;
    s->flip_itrng = false;
}

/* A core of its own: hardware only */
static bool testdev_make_core(CaliptraTestdev *d, Error **errp)
{
    DeviceState *core = qdev_new(TYPE_CALIPTRA);

    object_property_add_child(OBJECT(d), "own-core", OBJECT(core));
    d->core = CALIPTRA(object_ref(OBJECT(core)));
    return sysbus_realize_and_unref(SYS_BUS_DEVICE(core), errp);
}

static void testdev_realize(DeviceState *dev, Error **errp)
{
    CaliptraTestdev *d = CALIPTRA_TESTDEV(dev);
    Object *obj = OBJECT(dev);

    if (!d->memory && first_cpu) {
        d->memory = first_cpu->memory;
        object_ref(OBJECT(d->memory));
    }
    if (!d->memory) {
        error_setg(errp, "caliptra-testdev: memory=PATH must name a memory "
                   "region: this machine has no CPU");
        return;
    }
    if (!d->core && !testdev_make_core(d, errp)) {
        return;
    }

    memory_region_init(&d->container, obj, TYPE_CALIPTRA_TESTDEV,
                       TESTDEV_BUS_SIZE + CALIPTRA_WINDOW_SIZE +
                       TESTDEV_REGS_SIZE);
    memory_region_init_io(&d->bus, obj, &testdev_bus_ops, d,
                          TYPE_CALIPTRA_TESTDEV ".uc", TESTDEV_BUS_SIZE);
    memory_region_add_subregion(&d->container, 0, &d->bus);
    memory_region_init_io(&d->soc, obj, &testdev_soc_ops, d,
                          TYPE_CALIPTRA_TESTDEV ".soc", CALIPTRA_WINDOW_SIZE);
    memory_region_add_subregion(&d->container, TESTDEV_BUS_SIZE, &d->soc);
    memory_region_init_io(&d->regs, obj, &testdev_ops, d,
                          TYPE_CALIPTRA_TESTDEV ".regs", TESTDEV_REGS_SIZE);
    memory_region_add_subregion(&d->container,
                                TESTDEV_BUS_SIZE + CALIPTRA_WINDOW_SIZE,
                                &d->regs);
    memory_region_add_subregion_overlap(d->memory, d->addr, &d->container, 1);
    /* no bus resets it */
    qemu_register_resettable(obj);
}

static void testdev_unrealize(DeviceState *dev)
{
    CaliptraTestdev *d = CALIPTRA_TESTDEV(dev);

    qemu_unregister_resettable(OBJECT(dev));
    memory_region_del_subregion(d->memory, &d->container);
}

static const VMStateDescription vmstate_testdev = {
    .name = TYPE_CALIPTRA_TESTDEV,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(pauser, CaliptraTestdev),
        VMSTATE_BOOL(error, CaliptraTestdev),
        VMSTATE_UINT32(generic_in_lo, CaliptraTestdev),
        VMSTATE_UINT32_ARRAY(seen, CaliptraTestdev, TESTDEV_WIDE_WORDS),
        VMSTATE_END_OF_LIST()
    },
};

static const Property testdev_properties[] = {
    DEFINE_PROP_LINK("core", CaliptraTestdev, core, TYPE_CALIPTRA,
                     CaliptraState *),
    DEFINE_PROP_LINK("memory", CaliptraTestdev, memory, TYPE_MEMORY_REGION,
                     MemoryRegion *),
    DEFINE_PROP_UINT64("addr", CaliptraTestdev, addr, 0),
};

static void testdev_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "Both sides of a Caliptra core, for tests";
    dc->realize = testdev_realize;
    dc->unrealize = testdev_unrealize;
    dc->vmsd = &vmstate_testdev;
    dc->hotpluggable = false;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    device_class_set_props(dc, testdev_properties);
    object_class_property_set_description(klass, "core",
        "QOM path of the Caliptra core to reach (default: one of its own, "
        "with nobody who plays the microcontroller)");
    object_class_property_set_description(klass, "memory",
        "QOM path of the memory region to map into (default: what the first "
        "CPU sees)");
    object_class_property_set_description(klass, "addr",
        "Address to map the two sides and the registers at");
    rc->phases.hold = testdev_reset_hold;
}

static const TypeInfo testdev_types[] = {
    {
        .name = TYPE_CALIPTRA_TESTDEV,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(CaliptraTestdev),
        .class_init = testdev_class_init,
    },
};

DEFINE_TYPES(testdev_types)
