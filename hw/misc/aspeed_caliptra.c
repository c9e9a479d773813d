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
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "qobject/qdict.h"
#include "qobject/qjson.h"
#include "qobject/qnum.h"
#include "qobject/qstring.h"
#include "hw/misc/aspeed_caliptra.h"
#include "caliptra_regs.h"
#include "trace.h"

QEMU_BUILD_BUG_ON(A_FUSE_UDS_SEED + 4 * ASPEED_CALIPTRA_FUSE_WORDS !=
                  A_FUSE_SOC_STEPPING_ID + 4);

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
        caliptra_soc_peek(s->core, offset, s->pauser, &word);
        *data = word;
        return MEMTX_OK;
    }
    if (caliptra_soc_read(s->core, offset, s->pauser, &word) != MEMTX_OK) {
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
    if (caliptra_soc_write(s->core, offset, s->pauser, data) != MEMTX_OK) {
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
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
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

/* ---- OTP ---- */

/*
 * A fuse in the file: a string of 8 * @words hexadecimal digits, register
 * word 0 first, each word most significant digit first; or a number of @bits
 * bits.
 */
typedef struct AspeedCaliptraFuse {
    const char *key;
    uint16_t addr;
    uint8_t words;
    uint8_t bits;
} AspeedCaliptraFuse;

static const AspeedCaliptraFuse aspeed_caliptra_fuses[] = {
    { "uds_seed", A_FUSE_UDS_SEED, .words = 12 },
    { "field_entropy", A_FUSE_FIELD_ENTROPY, .words = 8 },
    { "key_manifest_pk_hash", A_FUSE_KEY_MANIFEST_PK_HASH, .words = 12 },
    { "key_manifest_pk_hash_mask", A_FUSE_KEY_MANIFEST_PK_HASH_MASK,
      .bits = R_FUSE_KEY_MANIFEST_PK_HASH_MASK_MASK_LENGTH },
    { "owner_pk_hash", A_FUSE_OWNER_PK_HASH, .words = 12 },
    { "fmc_key_manifest_svn", A_FUSE_FMC_KEY_MANIFEST_SVN, .bits = 32 },
    { "runtime_svn", A_FUSE_RUNTIME_SVN, .words = 4 },
    { "anti_rollback_disable", A_FUSE_ANTI_ROLLBACK_DISABLE,
      .bits = R_FUSE_ANTI_ROLLBACK_DISABLE_DIS_LENGTH },
    { "idevid_cert_attr", A_FUSE_IDEVID_CERT_ATTR, .words = 24 },
    { "idevid_manuf_hsm_id", A_FUSE_IDEVID_MANUF_HSM_ID, .words = 4 },
    { "life_cycle", A_FUSE_LIFE_CYCLE,
      .bits = R_FUSE_LIFE_CYCLE_LIFE_CYCLE_LENGTH },
    { "lms_verify", A_FUSE_LMS_VERIFY,
      .bits = R_FUSE_LMS_VERIFY_LMS_VERIFY_LENGTH },
    { "lms_revocation", A_FUSE_LMS_REVOCATION, .bits = 32 },
    { "soc_stepping_id", A_FUSE_SOC_STEPPING_ID,
      .bits = R_FUSE_SOC_STEPPING_ID_SOC_STEPPING_ID_LENGTH },
};

/* exactly 8 * @n hexadecimal digits, and nothing else */
static bool aspeed_caliptra_parse_hex(const char *str, uint32_t *words,
                                      unsigned n)
{
    unsigned i;

    if (strlen(str) != 8 * n) {
        return false;
    }
    for (i = 0; i < 8 * n; i++) {
        if (!g_ascii_isxdigit(str[i])) {
            return false;
        }
        words[i / 8] = words[i / 8] << 4 | g_ascii_xdigit_value(str[i]);
    }
    return true;
}

static bool aspeed_caliptra_parse_fuse(const AspeedCaliptraFuse *fuse,
                                       QObject *value, const char *file,
                                       uint32_t *words, Error **errp)
{
    if (fuse->words) {
        QString *str = qobject_to(QString, value);

        if (!str || !aspeed_caliptra_parse_hex(qstring_get_str(str), words,
                                               fuse->words)) {
            error_setg(errp, "%s: fuse '%s' must be a string of %u "
                       "hexadecimal digits", file, fuse->key,
                       8 * fuse->words);
            return false;
        }
    } else {
        QNum *num = qobject_to(QNum, value);
        uint64_t max = MAKE_64BIT_MASK(0, fuse->bits);
        uint64_t n;

        if (!num || !qnum_get_try_uint(num, &n) || n > max) {
            error_setg(errp, "%s: fuse '%s' must be a number from 0 to %"
                       PRIu64, file, fuse->key, max);
            return false;
        }
        words[0] = n;
    }
    return true;
}

static bool aspeed_caliptra_load_fuses(AspeedCaliptraState *s, Error **errp)
{
    const char *file = s->fuse_file;
    g_autoptr(GError) gerr = NULL;
    g_autofree char *text = NULL;
    g_autoptr(QDict) dict = NULL;
    QObject *obj;
    const QDictEntry *e;
    unsigned i;

    if (!g_file_get_contents(file, &text, NULL, &gerr)) {
        error_setg(errp, "fuse file: %s", gerr->message);
        return false;
    }
    obj = qobject_from_json(text, errp);
    if (!obj) {
        error_prepend(errp, "%s: ", file);
        return false;
    }
    dict = qobject_to(QDict, obj);
    if (!dict) {
        qobject_unref(obj);
        error_setg(errp, "%s: must hold a JSON object of fuses", file);
        return false;
    }
    for (e = qdict_first(dict); e; e = qdict_next(dict, e)) {
        for (i = 0; i < ARRAY_SIZE(aspeed_caliptra_fuses); i++) {
            if (!strcmp(qdict_entry_key(e), aspeed_caliptra_fuses[i].key)) {
                break;
            }
        }
        if (i == ARRAY_SIZE(aspeed_caliptra_fuses)) {
            error_setg(errp, "%s: unknown fuse '%s'", file,
                       qdict_entry_key(e));
            return false;
        }
        if (!aspeed_caliptra_parse_fuse(
                &aspeed_caliptra_fuses[i], qdict_entry_value(e), file,
                &s->otp.fuse[(aspeed_caliptra_fuses[i].addr -
                              A_FUSE_UDS_SEED) / 4], errp)) {
            return false;
        }
    }
    return true;
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
    s->otp.fuse[(A_FUSE_SOC_STEPPING_ID - A_FUSE_UDS_SEED) / 4] =
        s->soc_stepping_id;
    if (s->fuse_file && !aspeed_caliptra_load_fuses(s, errp)) {
        return;
    }
    if (s->obf_key_hex &&
        !aspeed_caliptra_parse_hex(s->obf_key_hex, s->otp.obf_key,
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
    DEFINE_PROP_UINT16("soc-stepping-id", AspeedCaliptraState,
                       soc_stepping_id, 0),
    DEFINE_PROP_STRING("fuses", AspeedCaliptraState, fuse_file),
    DEFINE_PROP_STRING("obf-key", AspeedCaliptraState, obf_key_hex),
};

static void aspeed_caliptra_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);
    AspeedSCUIOCaliptraIfClass *sic = ASPEED_SCUIO_CALIPTRA_IF_CLASS(klass);

    dc->desc = "ASPEED AST27x0 Caliptra Root of Trust";
    dc->realize = aspeed_caliptra_realize;
    dc->user_creatable = false;
    device_class_set_props(dc, aspeed_caliptra_properties);
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
