/*
 * Stand-in for the BootMCU of the ASPEED AST27x0
 *
 * On silicon an Ibex core in the IO die brings Caliptra up before anything
 * else runs, and then lets the CA35 cores go.  This device does so, too.  It
 * is one more bus master: it sees Caliptra and the SCU through the SoC's
 * address space only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qapi/error.h"
#include "system/address-spaces.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/registerfields.h"
#include "migration/vmstate.h"
#include "caliptra_regs.h"
#include "hw/nvram/aspeed_otp_ast2700.h"
#include "aspeed_bootmcu.h"
#include "aspeed_bootmcu_otp.h"

/* ---- the bus ---- */

uint32_t bootmcu_read(AspeedBootMcuState *s, hwaddr addr)
{
    return address_space_ldl_le(&s->as, addr, MEMTXATTRS_UNSPECIFIED, NULL);
}

void bootmcu_write(AspeedBootMcuState *s, hwaddr addr, uint32_t data)
{
    address_space_stl_le(&s->as, addr, data, MEMTXATTRS_UNSPECIFIED, NULL);
}

/* ---- OTP ---- */

/* The controller's registers, and the block of master 0, as the ROM's is */
#define BOOTMCU_OTP(_reg)   (ASPEED_OTP_AST2700_BASE + (_reg))

static void bootmcu_otp_read(AspeedBootMcuState *s, uint16_t *words,
                             unsigned addr, unsigned n)
{
    for (unsigned i = addr; i < addr + n; i++) {
        bootmcu_write(s, BOOTMCU_OTP(ASPEED_OTP_ADDR(0)), i);
        bootmcu_write(s, BOOTMCU_OTP(ASPEED_OTP_CMD(0)),
                      ASPEED_OTP_CMD_READ);
        words[i] = bootmcu_read(s, BOOTMCU_OTP(ASPEED_OTP_RDATA(0)));
    }
}

/* What the OTP says; its controller is left as it was, locked or not */
static void bootmcu_sample_otp(AspeedBootMcuState *s, BootMcuOtp *otp)
{
    g_autofree uint16_t *words = g_new0(uint16_t, ASPEED_OTP_WORDS);
    bool unlocked = bootmcu_read(s, BOOTMCU_OTP(ASPEED_OTP_KEY));
    int header;

    bootmcu_write(s, BOOTMCU_OTP(ASPEED_OTP_KEY), ASPEED_OTP_KEY_UNLOCK);
    for (int i = 0; i < BOOTMCU_OTP_RANGES; i++) {
        bootmcu_otp_read(s, words, bootmcu_otp_ranges[i].first,
                         bootmcu_otp_ranges[i].words);
    }
    for (int vendor = 0; vendor < 2; vendor++) {
        unsigned addr = bootmcu_otp_hash(words, vendor, &header);

        if (header >= 0) {
            bootmcu_otp_read(s, words, addr, BOOTMCU_OTP_HASH_WORDS);
        }
    }
    if (!unlocked) {
        bootmcu_write(s, BOOTMCU_OTP(ASPEED_OTP_KEY), ASPEED_OTP_KEY_LOCK);
    }
    bootmcu_otp_map(words, otp);
}

/* The straps that the OTP sets are added to those of the SoC's pins */
static void bootmcu_set_straps(AspeedBootMcuState *s, const BootMcuOtp *otp)
{
    uint32_t strap = bootmcu_read(s, BOOTMCU_SCUIO(HWSTRAP1));
    bool secure_boot = strap & ASPEED_SCUIO_HWSTRAP1_EN_SECBOOT;

    if (otp->ignore_secure_boot_strap) {
        secure_boot = false;
    }
    secure_boot |= otp->secure_boot;
    if (s->secure_boot != ON_OFF_AUTO_AUTO) {
        secure_boot = s->secure_boot == ON_OFF_AUTO_ON;
    }
    bootmcu_write(s, BOOTMCU_SCUIO(HWSTRAP1_CLR),
                  ASPEED_SCUIO_HWSTRAP1_EN_SECBOOT);
    bootmcu_write(s, BOOTMCU_SCUIO(HWSTRAP1),
                  (otp->scu1_hwstrap1 & ~ASPEED_SCUIO_HWSTRAP1_EN_SECBOOT) |
                  (secure_boot ? ASPEED_SCUIO_HWSTRAP1_EN_SECBOOT : 0));
    if (!otp->blank) {
        bootmcu_write(s, BOOTMCU_SCUIO(HWSTRAP2),
                      bootmcu_read(s, BOOTMCU_SCUIO(HWSTRAP2)) |
                      otp->scu1_hwstrap2);
        bootmcu_write(s, BOOTMCU_SCU(HWSTRAP1),
                      bootmcu_read(s, BOOTMCU_SCU(HWSTRAP1)) |
                      otp->scu0_hwstrap1);
        for (int i = 0; i < ARRAY_SIZE(otp->otpcfg); i++) {
            bootmcu_write(s, BOOTMCU_SCUIO(OTPCFG) + 4 * i, otp->otpcfg[i]);
        }
    }
    if (!otp->blank || secure_boot) {
        bootmcu_log(s, "secure boot %s", secure_boot ? "on" : "off");
    }
}

/*
 * Fuses and security state: what has been given on the command line or in a
 * fuse file counts, then what the OTP says.
 *
 * Returns: the security state
 */
static uint8_t bootmcu_set_fuses(AspeedBootMcuState *s, BootMcuOtp *otp)
{
    const AspeedCaliptraOtp *given = &s->caliptra->otp;
    unsigned stepping = (A_FUSE_SOC_STEPPING_ID - A_FUSE_UDS_SEED) / 4;
    uint8_t security_state =
        otp->lifecycle |
        (otp->debug_locked ? R_CPTRA_SECURITY_STATE_DEBUG_LOCKED_MASK : 0);

    otp->fuses.word[stepping] = given->fuses.word[stepping];
    caliptra_fuses_override(&otp->fuses, &given->fuses);
    memcpy(s->fuse, otp->fuses.word, sizeof(s->fuse));
    if (!otp->blank) {
        g_autofree char *names = caliptra_fuses_names(&given->fuses);
        g_autofree char *owner =
            otp->owner_key < 0 ? g_strdup("any owner")
                               : g_strdup_printf("owner hash of key %d",
                                                 otp->owner_key);

        bootmcu_log(s, "fuses from the OTP, %s", owner);
        if (names) {
            bootmcu_log(s, "%s overrides the OTP: %s",
                        s->caliptra->fuse_file, names);
        }
    }
    return (security_state & ~given->security_state_given) |
           (given->security_state & given->security_state_given);
}

/* ---- Caliptra's bring-up ---- */

static uint32_t bootmcu_caliptra_read(CaliptraBringup *b, hwaddr offset)
{
    return bootmcu_read(ASPEED_BOOTMCU(b), ASPEED_CALIPTRA_WINDOW + offset -
                        CALIPTRA_WINDOW_MBOX);
}

static void bootmcu_caliptra_write(CaliptraBringup *b, hwaddr offset,
                                   uint32_t data)
{
    bootmcu_write(ASPEED_BOOTMCU(b), ASPEED_CALIPTRA_WINDOW + offset -
                  CALIPTRA_WINDOW_MBOX, data);
}

static bool bootmcu_power_up(CaliptraBringup *b)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(b);
    uint8_t security_state;
    BootMcuOtp otp;
    uint32_t ctrl;
    int i;

    bootmcu_sample_otp(s, &otp);
    bootmcu_set_straps(s, &otp);
    if ((bootmcu_read(s, BOOTMCU_SCUIO(HWSTRAP1)) &
         ASPEED_SCUIO_HWSTRAP1_DIS_CPTRA) ||
        (bootmcu_read(s, BOOTMCU_SCUIO(EFUSE)) &
         ASPEED_SCUIO_EFUSE_DIS_CPTRA)) {
        bootmcu_log(s, "disabled by strap or eFuse: not started");
        return false;
    }
    security_state = bootmcu_set_fuses(s, &otp);
    ctrl = security_state << ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT;
    for (i = 0; i < ASPEED_CALIPTRA_OBF_KEY_WORDS; i++) {
        bootmcu_write(s, BOOTMCU_SCUIO(CPTRA_OBF_KEY) + 4 * i,
                      s->caliptra->otp.obf_key[i]);
    }
    bootmcu_write(s, BOOTMCU_SCUIO(RSTCTL2), ASPEED_SCUIO_RSTCTL2_CPTRA);
    bootmcu_write(s, BOOTMCU_SCUIO(CPTRA_CTRL), ctrl);
    bootmcu_write(s, BOOTMCU_SCUIO(CPTRA_CTRL),
                  ctrl | ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD);
    caliptra_bringup_log_power(b, security_state);
    return true;
}

static void bootmcu_release_reset(CaliptraBringup *b)
{
    bootmcu_write(ASPEED_BOOTMCU(b), BOOTMCU_SCUIO(RSTCTL2_CLR),
                  ASPEED_SCUIO_RSTCTL2_CPTRA);
}

static bool bootmcu_pwrgood(CaliptraBringup *b)
{
    return bootmcu_read(ASPEED_BOOTMCU(b), BOOTMCU_SCUIO(CPTRA_CTRL)) &
           ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD;
}

void bootmcu_fail(AspeedBootMcuState *s, const char *file, const char *what,
                  const char *why)
{
    /* once: the log often is the terminal that stderr goes to */
    if (CALIPTRA_BRINGUP(s)->log) {
        bootmcu_log(s, "%s: %s: %s; the CA35 cores stay held", file, what,
                    why);
    } else {
        warn_report("%s: %s: %s; the CA35 cores stay held", file, what, why);
    }
    aspeed_bootmcu_ipc_start(&s->ipc);
}

static bool bootmcu_firmware(CaliptraBringup *b)
{
    return bootmcu_flash_firmware(ASPEED_BOOTMCU(b));
}

static void bootmcu_bringup_failed(CaliptraBringup *b, const char *what,
                                   const char *why)
{
    bootmcu_fail(ASPEED_BOOTMCU(b), b->firmware_name, what, why);
}

/* A1's ROM leaves it for AspeedTech-BMC/aspeed_app's cptra to fetch */
static void bootmcu_csr(CaliptraBringup *b, const uint8_t *csr, uint32_t len)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(b);

    address_space_write(&s->as, BOOTMCU_CSR, MEMTXATTRS_UNSPECIFIED, csr,
                        MIN(len, BOOTMCU_CSR_MAX));
    bootmcu_log(s, "IDevID CSR of %u bytes at 0x%x", len, BOOTMCU_CSR);
}

/* ---- release of the cores ---- */

/*
 * All four CA35 cores are in reset while CA35_REL is 0.  On silicon nobody
 * clears it short of a reset of the SoC; here they are held again while
 * Caliptra is reset, so that nothing runs without it.
 */
static void bootmcu_set_boot_done(AspeedBootMcuState *s, bool boot_done)
{
    if (s->boot_done != boot_done) {
        s->boot_done = boot_done;
        bootmcu_write(s, BOOTMCU_SCU(CA35_REL),
                      boot_done ? ASPEED_SCU0_CA35_REL_ALL : 0);
        bootmcu_log(s, "CA35 cores %s", boot_done ? "released" : "held");
    }
}

void bootmcu_release_cores(AspeedBootMcuState *s)
{
    /* not if Caliptra is disabled; before clients run that look for it */
    if (FIELD_EX32(bootmcu_read(s, BOOTMCU_IFC(CPTRA_FLOW_STATUS)),
                   CPTRA_FLOW_STATUS, READY_FOR_RUNTIME)) {
        aspeed_bootmcu_ipc_start(&s->ipc);
    }
    bootmcu_set_boot_done(s, true);
}

static void bootmcu_bringup_done(CaliptraBringup *b)
{
    bootmcu_flash_boot(ASPEED_BOOTMCU(b));
}

static void bootmcu_bringup_lost(CaliptraBringup *b)
{
    bootmcu_flash_stop(ASPEED_BOOTMCU(b));
    bootmcu_set_boot_done(ASPEED_BOOTMCU(b), false);
}

/* ---- the device ---- */

bool aspeed_bootmcu_needs_container(AspeedBootMcuState *s, const char *why)
{
    g_free(s->no_entry);
    s->no_entry = g_strdup(why);
    return s->flash.blk;
}

/* the SCU has its own reset: the cores are held by it */
static void bootmcu_reset_hold(Object *obj, ResetType type)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(obj);

    if (s->boot_done) {
        bootmcu_log(s, "CA35 cores held");
    }
    s->boot_done = false;
    bootmcu_flash_reset(s);
    ASPEED_BOOTMCU_GET_CLASS(obj)->parent_phases.hold(obj, type);
}

static void bootmcu_realize(DeviceState *dev, Error **errp)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(dev);
    CaliptraBringup *b = CALIPTRA_BRINGUP(dev);

    if (!s->memory || !s->caliptra) {
        error_setg(errp, "'memory' and 'caliptra' links must be set");
        return;
    }
    if (!bootmcu_flash_realize(s, errp)) {
        return;
    }
    if (s->firmware_file &&
        !caliptra_bringup_load_file(b, s->firmware_file, errp)) {
        return;
    }
    object_property_set_link(OBJECT(&s->ipc), "memory", OBJECT(s->memory),
                             &error_abort);
    if (!sysbus_realize(SYS_BUS_DEVICE(&s->ipc), errp)) {
        return;
    }
    b->pauser = &s->caliptra->pauser;
    if (!memory_region_init_ram(&s->sram, OBJECT(dev), "aspeed.bootmcu.sram",
                                ASPEED_BOOTMCU_SRAM_SIZE, errp)) {
        return;
    }
    memory_region_add_subregion(s->memory, ASPEED_BOOTMCU_SRAM, &s->sram);
    b->fuse = s->fuse;
    address_space_init(&s->as, s->memory, TYPE_ASPEED_BOOTMCU);
    caliptra_bringup_connect(b, DEVICE(s->caliptra));
}

static void bootmcu_unrealize(DeviceState *dev)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(dev);

    caliptra_bringup_stop(CALIPTRA_BRINGUP(s));
    memory_region_del_subregion(s->memory, &s->sram);
    bootmcu_flash_stop(s);
    address_space_destroy(&s->as);
}

static char *bootmcu_get_flash_stage(Object *obj, Error **errp)
{
    return g_strdup(bootmcu_flash_stage(ASPEED_BOOTMCU(obj)));
}

static void bootmcu_init(Object *obj)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(obj);

    object_initialize_child(obj, "ipc", &s->ipc, TYPE_ASPEED_BOOTMCU_IPC);
    object_property_add_alias(obj, "dram-size", OBJECT(&s->ipc), "dram-size");
    qdev_pass_gpios(DEVICE(&s->ipc), DEVICE(obj), NULL);
    bootmcu_flash_init(s);
}

static void bootmcu_finalize(Object *obj)
{
    bootmcu_flash_finalize(ASPEED_BOOTMCU(obj));
    g_free(ASPEED_BOOTMCU(obj)->no_entry);
}

static const VMStateDescription vmstate_bootmcu = {
    .name = TYPE_ASPEED_BOOTMCU,
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        /* the firmware that the bring-up's place refers to */
        VMSTATE_STRUCT(flash, AspeedBootMcuState, 1, vmstate_bootmcu_flash,
                       BootMcuFlash),
        VMSTATE_STRUCT(parent_obj, AspeedBootMcuState, 1,
                       vmstate_caliptra_bringup, CaliptraBringup),
        VMSTATE_UINT32_ARRAY(fuse, AspeedBootMcuState, CALIPTRA_FUSE_WORDS),
        VMSTATE_BOOL(boot_done, AspeedBootMcuState),
        VMSTATE_END_OF_LIST()
    },
};

static const Property bootmcu_properties[] = {
    DEFINE_PROP_LINK("memory", AspeedBootMcuState, memory,
                     TYPE_MEMORY_REGION, MemoryRegion *),
    DEFINE_PROP_LINK("caliptra", AspeedBootMcuState, caliptra,
                     TYPE_ASPEED_CALIPTRA, AspeedCaliptraState *),
    DEFINE_PROP_LINK("flash", AspeedBootMcuState, flash.dev, TYPE_DEVICE,
                     DeviceState *),
    DEFINE_PROP_STRING("firmware", AspeedBootMcuState, firmware_file),
    DEFINE_PROP_ON_OFF_AUTO("secure-boot", AspeedBootMcuState, secure_boot,
                            ON_OFF_AUTO_AUTO),
};

static void bootmcu_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    CaliptraBringupClass *bc = CALIPTRA_BRINGUP_CLASS(klass);
    AspeedBootMcuClass *mc = ASPEED_BOOTMCU_CLASS(klass);

    dc->desc = "Stand-in for the ASPEED AST27x0 BootMCU";
    dc->realize = bootmcu_realize;
    dc->unrealize = bootmcu_unrealize;
    dc->vmsd = &vmstate_bootmcu;
    device_class_set_props(dc, bootmcu_properties);
    object_class_property_set_description(klass, "memory",
        "What the BootMCU sees, at the addresses of the CA35 cores");
    object_class_property_set_description(klass, "caliptra",
        "Caliptra to bring up");
    object_class_property_set_description(klass, "flash",
        "Boot flash (default: none)");
    object_class_property_set_description(klass, "firmware",
        "Caliptra firmware bundle (default: the boot flash's)");
    object_class_property_set_description(klass, "secure-boot",
        "Secure boot: on, off, or auto: what the OTP says");

    bc->read = bootmcu_caliptra_read;
    bc->write = bootmcu_caliptra_write;
    bc->power_up = bootmcu_power_up;
    bc->release_reset = bootmcu_release_reset;
    bc->pwrgood = bootmcu_pwrgood;
    bc->firmware = bootmcu_firmware;
    bc->csr = bootmcu_csr;
    bc->done = bootmcu_bringup_done;
    bc->lost = bootmcu_bringup_lost;
    bc->failed = bootmcu_bringup_failed;
    resettable_class_set_parent_phases(RESETTABLE_CLASS(klass), NULL,
                                       bootmcu_reset_hold, NULL,
                                       &mc->parent_phases);

    object_class_property_add_str(klass, "flash-stage",
                                  bootmcu_get_flash_stage, NULL);
    object_class_property_set_description(klass, "flash-stage",
        "How far the boot of the cores from flash is");
}

static const TypeInfo bootmcu_types[] = {
    {
        .name = TYPE_ASPEED_BOOTMCU,
        .parent = TYPE_CALIPTRA_BRINGUP,
        .instance_size = sizeof(AspeedBootMcuState),
        .class_size = sizeof(AspeedBootMcuClass),
        .instance_init = bootmcu_init,
        .instance_finalize = bootmcu_finalize,
        .class_init = bootmcu_class_init,
    },
};

DEFINE_TYPES(bootmcu_types)
