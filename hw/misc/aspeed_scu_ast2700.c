/*
 * ASPEED AST2700 SCU and SCUIO: cores and Caliptra
 *
 * Offsets, bits and sequences are those of ASPEED's software: the SCU headers
 * of U-Boot and of the BootMCU's firmware (AspeedTech-BMC/u-boot,
 * aspeed-zephyr-project), and vbootrom.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qapi/error.h"
#include "hw/core/qdev-properties.h"
#include "hw/misc/aspeed_scu.h"
#include "migration/vmstate.h"
#include "trace.h"

#define REG(_s, _offset) ((_s)->regs[(_offset) / 4])

/* ---- SCU: Cortex-M4 ---- */

static const struct {
    uint16_t ctrl;
    /* reset register and bit; the register that clears is the next one */
    uint16_t rstctl;
    uint32_t rst;
    /* strap that keeps the core off */
    uint32_t dis;
} cm4_regs[ASPEED_2700_CM4_CORES] = {
    { ASPEED_SCU0_SSP_CTRL0, ASPEED_SCU0_RSTCTL1, ASPEED_SCU0_RSTCTL1_SSP,
      BIT(12) },
    { ASPEED_SCU0_TSP_CTRL0, ASPEED_SCU0_RSTCTL2, ASPEED_SCU0_RSTCTL2_TSP,
      BIT(13) },
};

#define CM4_CTRL0_RW    0xFF
/* in reset, held, with the reset asserted */
#define CM4_CTRL0_RESET 0x7FE
#define SCU0_RSTCTL1_RESET  0xFFC37FDC

static void cm4_drive(AspeedSCUState *s, unsigned core)
{
    bool run = !(REG(s, cm4_regs[core].ctrl) & ASPEED_SCU0_CTRL0_RESET_STS) &&
               !(REG(s, ASPEED_SCU0_HWSTRAP1) & cm4_regs[core].dis);

    trace_aspeed_2700_scu_cm4(core, run);
    qemu_set_irq(s->ast2700.cm4_run[core], run);
}

/*
 * RESET holds the core at the end of its reset; that ends when RESET falls
 * or ENABLE, which clears itself, is set.
 */
static void cm4_write_ctrl(AspeedSCUState *s, unsigned core, uint32_t data)
{
    uint32_t *ctrl = &REG(s, cm4_regs[core].ctrl);
    bool end_hold = (*ctrl & ~data & ASPEED_SCU0_CTRL0_RESET) ||
                    ((data & ASPEED_SCU0_CTRL0_ENABLE) &&
                     !(*ctrl & ASPEED_SCU0_CTRL0_RESET_SRC_STS));

    *ctrl = (*ctrl & ~CM4_CTRL0_RW) |
            (data & CM4_CTRL0_RW & ~ASPEED_SCU0_CTRL0_ENABLE);
    if (end_hold) {
        *ctrl &= ~ASPEED_SCU0_CTRL0_HOLD_STS;
        if (!(*ctrl & ASPEED_SCU0_CTRL0_RESET_SRC_STS)) {
            *ctrl &= ~ASPEED_SCU0_CTRL0_RESET_STS;
        }
    }
    cm4_drive(s, core);
}

static void cm4_write_rst(AspeedSCUState *s, unsigned core, bool set)
{
    uint32_t *ctrl = &REG(s, cm4_regs[core].ctrl);

    if (set) {
        *ctrl |= ASPEED_SCU0_CTRL0_RESET_STS |
                 ASPEED_SCU0_CTRL0_RESET_SRC_STS;
        if (*ctrl & ASPEED_SCU0_CTRL0_RESET) {
            *ctrl |= ASPEED_SCU0_CTRL0_HOLD_STS;
        }
    } else {
        *ctrl &= ~ASPEED_SCU0_CTRL0_RESET_SRC_STS;
        if (!(*ctrl & ASPEED_SCU0_CTRL0_HOLD_STS)) {
            *ctrl &= ~ASPEED_SCU0_CTRL0_RESET_STS;
        }
    }
    cm4_drive(s, core);
}

static bool cm4_write(AspeedSCUState *s, hwaddr offset, uint32_t data)
{
    unsigned i;

    for (i = 0; i < ASPEED_2700_CM4_CORES; i++) {
        if (offset == cm4_regs[i].ctrl) {
            cm4_write_ctrl(s, i, data);
            return true;
        }
        if (offset == cm4_regs[i].rstctl) {
            REG(s, offset) |= data;
            if (data & cm4_regs[i].rst) {
                cm4_write_rst(s, i, true);
            }
            return true;
        }
        if (offset == cm4_regs[i].rstctl + 4) {
            REG(s, cm4_regs[i].rstctl) &= ~data;
            if (data & cm4_regs[i].rst) {
                cm4_write_rst(s, i, false);
            }
            return true;
        }
    }
    return false;
}

/* ---- SCU ---- */

static bool is_rvbar(hwaddr offset)
{
    return offset >= ASPEED_SCU0_CA35_RVBAR &&
           offset < ASPEED_SCU0_CA35_RVBAR + 4 * ASPEED_2700_CA35_CORES;
}

bool aspeed_2700_scu_read(AspeedSCUState *s, hwaddr offset, uint32_t *data)
{
    *data = REG(s, offset);
    return offset == ASPEED_SCU0_CA35_REL || is_rvbar(offset);
}

bool aspeed_2700_scu_write(AspeedSCUState *s, hwaddr offset, uint32_t data)
{
    if (offset == ASPEED_SCU0_CA35_REL) {
        REG(s, offset) = data;
        qemu_set_irq(s->ast2700.ca35_rel, data & ASPEED_SCU0_CA35_REL_ALL);
        return true;
    }
    if (is_rvbar(offset)) {
        REG(s, offset) = data;
        s->ast2700.rvbar_written |= BIT((offset - ASPEED_SCU0_CA35_RVBAR) / 4);
        return true;
    }
    return s->ast2700.cm4_control && cm4_write(s, offset, data);
}

bool aspeed_2700_scu_rvbar(AspeedSCUState *s, unsigned core, uint64_t *addr)
{
    *addr = (uint64_t)REG(s, ASPEED_SCU0_CA35_RVBAR + 4 * core) << 4;
    return extract32(s->ast2700.rvbar_written, core, 1);
}

static void aspeed_2700_scu_reset_exit(Object *obj, ResetType type)
{
    AspeedSCUState *s = ASPEED_SCU(obj);
    unsigned i;

    qemu_set_irq(s->ast2700.ca35_rel, 0);
    for (i = 0; s->ast2700.cm4_control && i < ASPEED_2700_CM4_CORES; i++) {
        cm4_drive(s, i);
    }
}

void aspeed_2700_scu_init(Object *obj)
{
    AspeedSCUState *s = ASPEED_SCU(obj);

    qdev_init_gpio_out_named(DEVICE(obj), &s->ast2700.ca35_rel,
                             ASPEED_SCU_OUT_CA35_REL, 1);
    qdev_init_gpio_out_named(DEVICE(obj), s->ast2700.cm4_run,
                             ASPEED_SCU_OUT_CM4_RUN, ASPEED_2700_CM4_CORES);
}

static const Property aspeed_2700_scu_properties[] = {
    DEFINE_PROP_BOOL("cm4-control", AspeedSCUState, ast2700.cm4_control,
                     false),
};

void aspeed_2700_scu_init_class(ObjectClass *klass)
{
    RESETTABLE_CLASS(klass)->phases.exit = aspeed_2700_scu_reset_exit;
    device_class_set_props(DEVICE_CLASS(klass), aspeed_2700_scu_properties);
    object_class_property_set_description(klass, "cm4-control",
        "Whether SSP and TSP are started by registers of the SCU");
}

int aspeed_2700_scu_pre_load(void *opaque)
{
    AspeedSCUState *s = opaque;

    s->ast2700.rvbar_written = 0;
    return 0;
}

static bool aspeed_2700_scu_post_load(void *opaque, int version_id,
                                      Error **errp)
{
    AspeedSCUState *s = opaque;

    if (s->ast2700.rvbar_written >= BIT(ASPEED_2700_CA35_CORES)) {
        error_setg(errp, "bad set of CA35 reset vectors");
        return false;
    }
    return true;
}

static bool aspeed_2700_scu_needed(void *opaque)
{
    AspeedSCUState *s = opaque;

    return s->ast2700.rvbar_written;
}

const VMStateDescription vmstate_aspeed_2700_scu = {
    .name = "aspeed.scu/ca35",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = aspeed_2700_scu_needed,
    .post_load_errp = aspeed_2700_scu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(ast2700.rvbar_written, AspeedSCUState),
        VMSTATE_END_OF_LIST()
    },
};

/* ---- SCUIO ---- */

/* A strap and an eFuse bit each keep Caliptra off */
static bool scuio_caliptra_disabled(AspeedSCUState *s)
{
    return (REG(s, ASPEED_SCUIO_HWSTRAP1) & ASPEED_SCUIO_HWSTRAP1_DIS_CPTRA) ||
           (REG(s, ASPEED_SCUIO_EFUSE) & ASPEED_SCUIO_EFUSE_DIS_CPTRA);
}

/* Drive Caliptra's inputs: straps first, then power, then reset */
static void scuio_drive(AspeedSCUState *s)
{
    uint32_t ctrl = REG(s, ASPEED_SCUIO_CPTRA_CTRL);
    uint32_t security_state =
        extract32(ctrl, ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT,
                  ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_LEN);
    bool pwrgood = (ctrl & ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD) &&
                   !scuio_caliptra_disabled(s);
    bool rst_b = !(REG(s, ASPEED_SCUIO_RSTCTL2) & ASPEED_SCUIO_RSTCTL2_CPTRA);

    trace_aspeed_2700_scuio_caliptra(pwrgood, rst_b, security_state);
    ASPEED_SCUIO_CALIPTRA_IF_GET_CLASS(s->ast2700.caliptra)->set_straps(
        s->ast2700.caliptra, security_state,
        &REG(s, ASPEED_SCUIO_CPTRA_OBF_KEY));
    qemu_set_irq(s->ast2700.pwrgood, pwrgood);
    qemu_set_irq(s->ast2700.rst_b, rst_b);
}

static bool is_obf_key(hwaddr offset)
{
    return offset >= ASPEED_SCUIO_CPTRA_OBF_KEY &&
           offset < ASPEED_SCUIO_CPTRA_OBF_KEY +
                    4 * ASPEED_SCUIO_CPTRA_OBF_KEY_WORDS;
}

bool aspeed_2700_scuio_read(AspeedSCUState *s, hwaddr offset, uint32_t *data)
{
    if (!s->ast2700.caliptra) {
        return false;
    }
    if (is_obf_key(offset)) {
        /*
         * What silicon answers is not documented.  A model need not give
         * away the key that protects the UDS.
         */
        *data = 0;
        return true;
    }
    *data = REG(s, offset);
    return offset == ASPEED_SCUIO_HWSTRAP1 ||
           offset == ASPEED_SCUIO_CPTRA_CTRL ||
           offset == ASPEED_SCUIO_RSTCTL2;
}

bool aspeed_2700_scuio_write(AspeedSCUState *s, hwaddr offset, uint32_t data)
{
    if (!s->ast2700.caliptra) {
        return false;
    }
    if (is_obf_key(offset)) {
        trace_aspeed_2700_scuio_obf_key(offset);
        REG(s, offset) = data;
        scuio_drive(s);
        return true;
    }
    switch (offset) {
    case ASPEED_SCUIO_CPTRA_CTRL:
        REG(s, offset) &= ASPEED_SCUIO_CPTRA_CTRL_RDY_FOR_RT;
        REG(s, offset) |= data &
            (ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD |
             MAKE_64BIT_MASK(ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT,
                             ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_LEN));
        break;
    case ASPEED_SCUIO_HWSTRAP1:
    case ASPEED_SCUIO_RSTCTL1:
    case ASPEED_SCUIO_RSTCTL2:
        /* 1 sets */
        REG(s, offset) |= data;
        break;
    case ASPEED_SCUIO_HWSTRAP1_CLR:
    case ASPEED_SCUIO_RSTCTL1_CLR:
    case ASPEED_SCUIO_RSTCTL2_CLR:
        /* 1 clears */
        REG(s, offset - 4) &= ~data;
        break;
    default:
        return false;
    }
    trace_aspeed_ast2700_scuio_write(offset, 4, data);
    if (offset == ASPEED_SCUIO_CPTRA_CTRL ||
        ((offset == ASPEED_SCUIO_RSTCTL2 ||
          offset == ASPEED_SCUIO_RSTCTL2_CLR) &&
         (data & ASPEED_SCUIO_RSTCTL2_CPTRA))) {
        scuio_drive(s);
    }
    return true;
}

void aspeed_2700_scuio_power_caliptra(AspeedSCUState *s,
                                      uint32_t security_state,
                                      const uint32_t *obf_key)
{
    memcpy(&REG(s, ASPEED_SCUIO_CPTRA_OBF_KEY), obf_key,
           4 * ASPEED_SCUIO_CPTRA_OBF_KEY_WORDS);
    REG(s, ASPEED_SCUIO_CPTRA_CTRL) = ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD |
        security_state << ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT;
    REG(s, ASPEED_SCUIO_RSTCTL2) &= ~ASPEED_SCUIO_RSTCTL2_CPTRA;
    scuio_drive(s);
}

static void scuio_rdy_for_rt(void *opaque, int n, int level)
{
    AspeedSCUState *s = opaque;

    REG(s, ASPEED_SCUIO_CPTRA_CTRL) &= ~ASPEED_SCUIO_CPTRA_CTRL_RDY_FOR_RT;
    REG(s, ASPEED_SCUIO_CPTRA_CTRL) |=
        level ? ASPEED_SCUIO_CPTRA_CTRL_RDY_FOR_RT : 0;
}

static void aspeed_2700_scuio_reset_exit(Object *obj, ResetType type)
{
    AspeedSCUState *s = ASPEED_SCU(obj);

    if (s->ast2700.caliptra) {
        scuio_drive(s);
    }
}

void aspeed_2700_scuio_init(Object *obj)
{
    AspeedSCUState *s = ASPEED_SCU(obj);

    qdev_init_gpio_out_named(DEVICE(obj), &s->ast2700.pwrgood,
                             ASPEED_SCUIO_OUT_PWRGOOD, 1);
    qdev_init_gpio_out_named(DEVICE(obj), &s->ast2700.rst_b,
                             ASPEED_SCUIO_OUT_RST_B, 1);
    qdev_init_gpio_in_named(DEVICE(obj), scuio_rdy_for_rt,
                            ASPEED_SCUIO_IN_RDY_FOR_RT, 1);
    /* the SoC has its SCUIO before the machine has its Caliptra */
    object_property_add_link(obj, "caliptra", TYPE_ASPEED_SCUIO_CALIPTRA_IF,
                             &s->ast2700.caliptra,
                             object_property_allow_set_link, 0);
    object_property_set_description(obj, "caliptra",
        "Caliptra core that SCUIO's registers drive");
}

void aspeed_2700_scuio_init_class(ObjectClass *klass)
{
    RESETTABLE_CLASS(klass)->phases.exit = aspeed_2700_scuio_reset_exit;
}

/* ---- both ---- */

void aspeed_2700_scu_reset(AspeedSCUState *s)
{
    s->ast2700.rvbar_written = 0;
    if (s->ast2700.cm4_control) {
        REG(s, ASPEED_SCU0_RSTCTL1) = SCU0_RSTCTL1_RESET;
        REG(s, ASPEED_SCU0_RSTCTL2) = ASPEED_SCU0_RSTCTL2_TSP;
        REG(s, ASPEED_SCU0_SSP_CTRL0) = CM4_CTRL0_RESET;
        REG(s, ASPEED_SCU0_TSP_CTRL0) = CM4_CTRL0_RESET;
    }
    if (s->ast2700.caliptra) {
        /* off until somebody switches it on */
        REG(s, ASPEED_SCUIO_RSTCTL2) |= ASPEED_SCUIO_RSTCTL2_CPTRA;
    }
}

static const TypeInfo aspeed_scu_ast2700_types[] = {
    {
        .name = TYPE_ASPEED_SCUIO_CALIPTRA_IF,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(AspeedSCUIOCaliptraIfClass),
    },
};

DEFINE_TYPES(aspeed_scu_ast2700_types)
