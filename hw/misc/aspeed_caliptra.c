/*
 * Caliptra in the ASPEED AST27x0
 *
 * The SoC around the core: the window in which bus masters see it, the lines
 * between it and the IO die's SCU, and what the SoC's OTP holds for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qapi/error.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/misc/aspeed_caliptra.h"
#include "caliptra_regs.h"
#include "trace.h"

/*
 * Privilege level 0 user in the header of ASPEED's Caliptra firmware; taken
 * as what the BootMCU, the only functional user of the window, presents.
 */
#define ASPEED_CALIPTRA_PAUSER 0x21212121

/* ---- the window ---- */

/*
 * Offset in the core's window.  The core's first 128 KiB, the mailbox SRAM,
 * are not mapped: no SoC master can reach it.
 */
static hwaddr aspeed_caliptra_offset(hwaddr addr)
{
    return addr + CALIPTRA_WINDOW_MBOX;
}

/*
 * How the AST2700's fabric reports the core's PSLVERR is not documented, and
 * no known client depends on it: reads give 0, writes are dropped, and the
 * guest error log tells.
 */
static MemTxResult aspeed_caliptra_window_read(void *opaque, hwaddr addr,
                                               uint64_t *data, unsigned size,
                                               MemTxAttrs attrs)
{
    AspeedCaliptraState *s = opaque;
    hwaddr offset = aspeed_caliptra_offset(addr);
    uint32_t word = 0;

    /* a debugger must not take locks or empty the FIFO */
    if (attrs.debug) {
        s->core_if->peek(s->core, offset, s->pauser, &word);
        *data = word;
        return MEMTX_OK;
    }
    if (s->core_if->read(s->core, offset, s->pauser, &word) != MEMTX_OK) {
        qemu_log_mask(LOG_GUEST_ERROR, "aspeed_caliptra: read at 0x%" PRIx64
                      " refused (PSLVERR), user 0x%08x\n",
                      ASPEED_CALIPTRA_WINDOW + addr, s->pauser);
        word = 0;
    }
    trace_aspeed_caliptra_window_read(addr,
                                      caliptra_soc_trace_data(offset, word),
                                      s->pauser);
    *data = word;
    return MEMTX_OK;
}

static MemTxResult aspeed_caliptra_window_write(void *opaque, hwaddr addr,
                                                uint64_t data, unsigned size,
                                                MemTxAttrs attrs)
{
    AspeedCaliptraState *s = opaque;
    hwaddr offset = aspeed_caliptra_offset(addr);

    trace_aspeed_caliptra_window_write(addr,
                                       caliptra_soc_trace_data(offset, data),
                                       s->pauser);
    if (s->core_if->write(s->core, offset, s->pauser, data) != MEMTX_OK) {
        qemu_log_mask(LOG_GUEST_ERROR, "aspeed_caliptra: write at 0x%" PRIx64
                      " refused (PSLVERR), user 0x%08x\n",
                      ASPEED_CALIPTRA_WINDOW + addr, s->pauser);
    }
    return MEMTX_OK;
}

static const MemoryRegionOps aspeed_caliptra_window_ops = {
    .read_with_attrs = aspeed_caliptra_window_read,
    .write_with_attrs = aspeed_caliptra_window_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    /* a bridge makes two of 64 bits, the lower address first */
    .valid.min_access_size = 4,
    .valid.max_access_size = 8,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

/* ---- SCUIO ---- */

#define ASPEED_CALIPTRA_CORE_RDY_FOR_RT "core-ready-for-runtime"

static void aspeed_caliptra_set_straps(Object *obj, uint32_t security_state,
                                       const uint32_t *obf_key)
{
    AspeedCaliptraState *s = ASPEED_CALIPTRA(obj);

    caliptra_set_security_state(s->core, security_state);
    caliptra_set_obf_key(s->core, obf_key);
}

/* One output of the core, with two who listen */
static void aspeed_caliptra_rdy_for_rt(void *opaque, int n, int level)
{
    AspeedCaliptraState *s = opaque;

    qemu_set_irq(s->ready_for_runtime, level);
    qemu_set_irq(s->scuio_rdy_for_rt, level);
}

static void aspeed_caliptra_connect_scuio(AspeedCaliptraState *s)
{
    DeviceState *scuio = DEVICE(s->scuio);
    DeviceState *core = DEVICE(s->core);

    object_property_set_link(OBJECT(scuio), "caliptra", OBJECT(s),
                             &error_abort);
    qdev_connect_gpio_out_named(scuio, ASPEED_SCUIO_OUT_PWRGOOD, 0,
                                qdev_get_gpio_in_named(core,
                                    CALIPTRA_IN_PWRGOOD, 0));
    qdev_connect_gpio_out_named(scuio, ASPEED_SCUIO_OUT_RST_B, 0,
                                qdev_get_gpio_in_named(core,
                                    CALIPTRA_IN_RST_B, 0));
    s->scuio_rdy_for_rt =
        qdev_get_gpio_in_named(scuio, ASPEED_SCUIO_IN_RDY_FOR_RT, 0);
    qdev_connect_gpio_out_named(core, CALIPTRA_OUT_READY_FOR_RUNTIME, 0,
                                qdev_get_gpio_in_named(DEVICE(s),
                                    ASPEED_CALIPTRA_CORE_RDY_FOR_RT, 0));
}

/* ---- the device ---- */

/*
 * Caliptra is off, unless nobody will power it up: then SCUIO reads as the
 * SoC's boot ROM would have left it.  SCUIO has its reset state by now.
 */
static void aspeed_caliptra_reset_exit(Object *obj, ResetType type)
{
    AspeedCaliptraState *s = ASPEED_CALIPTRA(obj);

    qemu_set_irq(qdev_get_gpio_in_named(DEVICE(s->core), CALIPTRA_IN_BRKPOINT,
                                        0), s->brkpoint);
    if (s->powered) {
        aspeed_2700_scuio_power_caliptra(s->scuio, s->otp.security_state,
                                         s->otp.obf_key);
    }
}

static void aspeed_caliptra_realize(DeviceState *dev, Error **errp)
{
    static const char * const outputs[] = {
        CALIPTRA_OUT_READY_FOR_FUSES, CALIPTRA_OUT_READY_FOR_FW,
        CALIPTRA_OUT_MBOX_DATA_AVAIL, CALIPTRA_OUT_MBOX_FLOW_DONE,
        CALIPTRA_OUT_ERROR_FATAL, CALIPTRA_OUT_ERROR_NON_FATAL,
        CALIPTRA_OUT_ETRNG_REQ,
    };
    AspeedCaliptraState *s = ASPEED_CALIPTRA(dev);
    size_t i;

    if (!s->memory || !s->scuio || !s->core) {
        error_setg(errp, "'memory', 'scuio' and 'core' links must be set");
        return;
    }
    s->core_if = CALIPTRA_SOC_IF_GET_CLASS(s->core);
    if ((s->otp.security_state | s->otp.security_state_given) >>
        ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_LEN) {
        error_setg(errp, "'security-state' and 'security-state-given' must "
                   "have %u bits", ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_LEN);
        return;
    }
    s->otp.fuses.word[(A_FUSE_SOC_STEPPING_ID - A_FUSE_UDS_SEED) / 4] =
        s->soc_stepping_id;
    if (s->fuse_file &&
        !caliptra_fuses_load(&s->otp.fuses, s->fuse_file, errp)) {
        return;
    }
    if (s->obf_key_hex &&
        !caliptra_parse_words(s->obf_key_hex, s->otp.obf_key,
                              ASPEED_CALIPTRA_OBF_KEY_WORDS)) {
        error_setg(errp, "the obfuscation key must be a string of %u "
                   "hexadecimal digits", 8 * ASPEED_CALIPTRA_OBF_KEY_WORDS);
        return;
    }
    for (i = 0; i < ARRAY_SIZE(outputs); i++) {
        qdev_pass_gpios(DEVICE(s->core), dev, outputs[i]);
    }
    aspeed_caliptra_connect_scuio(s);
    memory_region_add_subregion(s->memory, ASPEED_CALIPTRA_WINDOW, &s->window);
}

static void aspeed_caliptra_init(Object *obj)
{
    AspeedCaliptraState *s = ASPEED_CALIPTRA(obj);

    memory_region_init_io(&s->window, obj, &aspeed_caliptra_window_ops, s,
                          TYPE_ASPEED_CALIPTRA ".window",
                          ASPEED_CALIPTRA_WINDOW_SIZE);
    qdev_init_gpio_in_named(DEVICE(s), aspeed_caliptra_rdy_for_rt,
                            ASPEED_CALIPTRA_CORE_RDY_FOR_RT, 1);
    qdev_init_gpio_out_named(DEVICE(s), &s->ready_for_runtime,
                             CALIPTRA_OUT_READY_FOR_RUNTIME, 1);

    /* may be changed at any time, to play another bus master */
    s->pauser = ASPEED_CALIPTRA_PAUSER;
    object_property_add_uint32_ptr(obj, "pauser", &s->pauser,
                                   OBJ_PROP_FLAG_READWRITE);
    object_property_set_description(obj, "pauser",
        "User id of the accesses through the window");
}

static const Property aspeed_caliptra_properties[] = {
    DEFINE_PROP_LINK("core", AspeedCaliptraState, core, TYPE_CALIPTRA_SOC_IF,
                     CaliptraSocIf *),
    DEFINE_PROP_LINK("memory", AspeedCaliptraState, memory,
                     TYPE_MEMORY_REGION, MemoryRegion *),
    DEFINE_PROP_LINK("scuio", AspeedCaliptraState, scuio, TYPE_ASPEED_SCU,
                     AspeedSCUState *),
    DEFINE_PROP_BOOL("powered", AspeedCaliptraState, powered, false),
    DEFINE_PROP_BOOL("bootfsm-brkpoint", AspeedCaliptraState, brkpoint,
                     false),
    DEFINE_PROP_UINT8("security-state", AspeedCaliptraState,
                      otp.security_state, 0),
    DEFINE_PROP_UINT8("security-state-given", AspeedCaliptraState,
                      otp.security_state_given, 7),
    DEFINE_PROP_UINT16("soc-stepping-id", AspeedCaliptraState,
                       soc_stepping_id, 0),
    DEFINE_PROP_STRING("fuses", AspeedCaliptraState, fuse_file),
    DEFINE_PROP_STRING("obf-key", AspeedCaliptraState, obf_key_hex),
};

static void aspeed_caliptra_class_init(ObjectClass *klass, const void *data)
{
    static const struct {
        const char *name, *text;
    } texts[] = {
        { "core", "Caliptra core behind the window" },
        { "memory", "What the CA35 cores see: the window is mapped there" },
        { "scuio", "SCUIO, which has Caliptra's power, reset and straps" },
        { "powered", "Whether Caliptra has power out of a machine reset, as "
          "the SoC's boot ROM would leave it" },
        { "bootfsm-brkpoint", "Whether the boot FSM waits for "
          "CPTRA_BOOTFSM_GO" },
        { "security-state", "Device lifecycle (bits 1:0) and debug locked "
          "(bit 2)" },
        { "security-state-given", "Which bits of security-state stand, "
          "whatever the OTP says" },
        { "soc-stepping-id", "SoC's stepping in CPTRA_HW_REV_ID" },
        { "fuses", "JSON file of Caliptra's fuses (default: all zero)" },
        { "obf-key", "Obfuscation key, 64 hexadecimal digits (default: all "
          "zero)" },
    };
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    AspeedSCUIOCaliptraIfClass *sic = ASPEED_SCUIO_CALIPTRA_IF_CLASS(klass);
    size_t i;

    dc->desc = "ASPEED AST27x0 Caliptra Root of Trust";
    dc->realize = aspeed_caliptra_realize;
    dc->user_creatable = false;
    device_class_set_props(dc, aspeed_caliptra_properties);
    for (i = 0; i < ARRAY_SIZE(texts); i++) {
        object_class_property_set_description(klass, texts[i].name,
                                              texts[i].text);
    }
    sic->set_straps = aspeed_caliptra_set_straps;
    rc->phases.exit = aspeed_caliptra_reset_exit;
}

static const TypeInfo aspeed_caliptra_types[] = {
    {
        .name = TYPE_ASPEED_CALIPTRA,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(AspeedCaliptraState),
        .instance_init = aspeed_caliptra_init,
        .class_init = aspeed_caliptra_class_init,
        .interfaces = (const InterfaceInfo[]) {
            { TYPE_ASPEED_SCUIO_CALIPTRA_IF },
            { }
        },
    },
};

DEFINE_TYPES(aspeed_caliptra_types)
