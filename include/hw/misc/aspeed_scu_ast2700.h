/*
 * ASPEED AST2700 SCU and SCUIO: cores and Caliptra
 *
 * The registers by which the SCU starts the Cortex-A35 and Cortex-M4 cores,
 * and those by which SCUIO drives a Caliptra core.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef ASPEED_SCU_AST2700_H
#define ASPEED_SCU_AST2700_H

#include "hw/core/irq.h"
#include "qom/object.h"

/* Registers and bits of the SCU (SCU0, CPU die) */
#define ASPEED_SCU0_HWSTRAP1            0x010
#define ASPEED_SCU0_CA35_REL            0x10C
#define ASPEED_SCU0_CA35_REL_ALL            BIT(0)
#define ASPEED_SCU0_CA35_RVBAR          0x110 /* 4 words, address >> 4 */
#define ASPEED_SCU0_SSP_CTRL0           0x120
#define ASPEED_SCU0_TSP_CTRL0           0x160
#define ASPEED_SCU0_CTRL0_ENABLE            BIT(0)
#define ASPEED_SCU0_CTRL0_RESET             BIT(1)
#define ASPEED_SCU0_CTRL0_RESET_STS         BIT(8)
#define ASPEED_SCU0_CTRL0_HOLD_STS          BIT(9)
#define ASPEED_SCU0_CTRL0_RESET_SRC_STS     BIT(10)
#define ASPEED_SCU0_RSTCTL1             0x200
#define ASPEED_SCU0_RSTCTL1_SSP             BIT(30)
#define ASPEED_SCU0_RSTCTL2             0x220
#define ASPEED_SCU0_RSTCTL2_TSP             BIT(9)
#define ASPEED_SCU0_SMP_EP              0x780 /* 4 times 64 bits */

/* Registers and bits of SCUIO (SCU1, IO die) */
#define ASPEED_SCUIO_HWSTRAP1           0x010
#define ASPEED_SCUIO_HWSTRAP1_DIS_CPTRA     BIT(30)
#define ASPEED_SCUIO_HWSTRAP1_EN_SECBOOT    BIT(5)
#define ASPEED_SCUIO_HWSTRAP1_CLR       0x014
#define ASPEED_SCUIO_HWSTRAP2           0x030
#define ASPEED_SCUIO_CPTRA_CTRL         0x130
#define ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD     BIT(0)
#define ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT 8
#define ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_LEN   3
#define ASPEED_SCUIO_CPTRA_CTRL_RDY_FOR_RT  BIT(18)
#define ASPEED_SCUIO_CPTRA_OBF_KEY      0x140 /* 8 words, write only */
#define ASPEED_SCUIO_CPTRA_OBF_KEY_WORDS    8
#define ASPEED_SCUIO_RSTCTL1            0x200
#define ASPEED_SCUIO_RSTCTL1_CLR        0x204
#define ASPEED_SCUIO_RSTCTL2            0x220
#define ASPEED_SCUIO_RSTCTL2_CLR        0x224
#define ASPEED_SCUIO_RSTCTL2_CPTRA          BIT(9)
#define ASPEED_SCUIO_EFUSE              0x804
#define ASPEED_SCUIO_EFUSE_DIS_CPTRA        BIT(6)
#define ASPEED_SCUIO_OTPCFG             0x880 /* 16 words */

#define ASPEED_2700_CA35_CORES          4
#define ASPEED_2700_CM4_CORES           2 /* SSP, TSP */

/* Lines of the SCU: the CA35 cores, the SSP, the TSP are out of reset */
#define ASPEED_SCU_OUT_CA35_REL         "ca35-rel"
#define ASPEED_SCU_OUT_CM4_RUN          "cm4-run"
/* Lines of SCUIO to and from a Caliptra core */
#define ASPEED_SCUIO_OUT_PWRGOOD        "cptra-pwrgood"
#define ASPEED_SCUIO_OUT_RST_B          "cptra-rst-b"
#define ASPEED_SCUIO_IN_RDY_FOR_RT      "cptra-ready-for-runtime"

/*
 * What SCUIO drives besides its lines.  Caliptra's registers are there when
 * the property "caliptra" of SCUIO links to such an object; without, they
 * are storage as all others are.
 */
#define TYPE_ASPEED_SCUIO_CALIPTRA_IF "aspeed-scuio-caliptra-if"
typedef struct AspeedSCUIOCaliptraIfClass AspeedSCUIOCaliptraIfClass;
DECLARE_CLASS_CHECKERS(AspeedSCUIOCaliptraIfClass, ASPEED_SCUIO_CALIPTRA_IF,
                       TYPE_ASPEED_SCUIO_CALIPTRA_IF)

struct AspeedSCUIOCaliptraIfClass {
    InterfaceClass parent_class;

    /*
     * The straps have changed.  @security_state: [1:0] device lifecycle,
     * [2] debug locked; @obf_key: 8 words, word 0 = key bytes 0..3, first
     * byte in bits 31:24
     */
    void (*set_straps)(Object *obj, uint32_t security_state,
                       const uint32_t *obf_key);
};

/* Part of AspeedSCUState that only the AST2700's types use */
typedef struct AspeedSCU2700 {
    /* SCU */
    qemu_irq ca35_rel;
    qemu_irq cm4_run[ASPEED_2700_CM4_CORES];
    bool cm4_control;
    /* bit n: software has written CA35_RVBARn */
    uint8_t rvbar_written;
    /* SCUIO */
    Object *caliptra;
    qemu_irq pwrgood;
    qemu_irq rst_b;
} AspeedSCU2700;

typedef struct AspeedSCUState AspeedSCUState;

/**
 * aspeed_2700_scu_rvbar: reset vector of a CA35 core
 * @s: the SCU
 * @core: 0 to 3
 * @addr: where the core starts
 *
 * Returns: whether software has written it since the last reset.
 */
bool aspeed_2700_scu_rvbar(AspeedSCUState *s, unsigned core, uint64_t *addr);

/**
 * aspeed_2700_scuio_power_caliptra: straps, power and reset release at once
 * @s: SCUIO, with its link to Caliptra set
 * @security_state: as in AspeedSCUIOCaliptraIfClass
 * @obf_key: likewise
 *
 * Leaves SCUIO as the SoC's boot ROM does; for machines that have nobody to
 * play it.
 */
void aspeed_2700_scuio_power_caliptra(AspeedSCUState *s,
                                      uint32_t security_state,
                                      const uint32_t *obf_key);

/*
 * For aspeed_scu.c.  Reads and writes return false for registers that are
 * mere storage.
 */
bool aspeed_2700_scu_read(AspeedSCUState *s, hwaddr offset, uint32_t *data);
bool aspeed_2700_scu_write(AspeedSCUState *s, hwaddr offset, uint32_t data);
void aspeed_2700_scu_reset(AspeedSCUState *s);
void aspeed_2700_scu_init(Object *obj);
void aspeed_2700_scu_init_class(ObjectClass *klass);
bool aspeed_2700_scuio_read(AspeedSCUState *s, hwaddr offset, uint32_t *data);
bool aspeed_2700_scuio_write(AspeedSCUState *s, hwaddr offset, uint32_t data);
void aspeed_2700_scuio_init(Object *obj);
void aspeed_2700_scuio_init_class(ObjectClass *klass);
int aspeed_2700_scu_pre_load(void *opaque);
extern const VMStateDescription vmstate_aspeed_2700_scu;

#endif /* ASPEED_SCU_AST2700_H */
