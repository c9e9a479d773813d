/*
 * Reset control of the cores of an ASPEED AST2700
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_ARM_ASPEED_AST27X0_CORES_H
#define HW_ARM_ASPEED_AST27X0_CORES_H

#include "hw/core/sysbus.h"
#include "hw/misc/aspeed_scu.h"
#include "target/arm/cpu-qom.h"

/*
 * Between the lines of the SCU and the cores.  Without "hold" all cores run
 * from the machine's reset on, as the SoC models do without this device.
 *
 * Named input lines: ASPEED_SCU_OUT_CA35_REL, ASPEED_SCU_OUT_CM4_RUN
 */
#define TYPE_ASPEED_2700_CORES "aspeed-ast2700-cores"
OBJECT_DECLARE_SIMPLE_TYPE(Aspeed2700CoresState, ASPEED_2700_CORES)

#define ASPEED_2700_NR_CORES (ASPEED_2700_CA35_CORES + ASPEED_2700_CM4_CORES)

typedef struct Aspeed2700Core {
    Aspeed2700CoresState *cores;
    ARMCPU *cpu;
    /* the SCU's line: it may run */
    bool run;
    /* the line has fallen since the core was last looked at */
    bool fallen;
    /* CA35_RVBAR, if it was written, as the line found it when it rose */
    bool has_rvbar;
    uint64_t rvbar;
    /* where a reset of the machine has left it; follows from configuration */
    uint64_t entry;
    uint32_t el;
    /* a Cortex-M4 that runs from reset, as a loader has brought its image */
    bool loaded;
} Aspeed2700Core;

struct Aspeed2700CoresState {
    SysBusDevice parent_obj;

    /* properties */
    AspeedSCUState *scu;
    bool hold;

    /* the CA35 cores, SSP, TSP */
    Aspeed2700Core core[ASPEED_2700_NR_CORES];
};

/**
 * aspeed_2700_cores_held: whether the CA35 cores are held in reset
 * @s: the device
 */
bool aspeed_2700_cores_held(Aspeed2700CoresState *s);

/**
 * aspeed_2700_has_loader: is there a generic loader for a core?
 * @cpu: the core
 * @set_pc: whether the loader has to give the start address, too
 */
bool aspeed_2700_has_loader(ARMCPU *cpu, bool set_pc);

#endif /* HW_ARM_ASPEED_AST27X0_CORES_H */
