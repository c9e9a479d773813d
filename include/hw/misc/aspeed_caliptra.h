/*
 * Caliptra in the ASPEED AST27x0, and the stand-in for its BootMCU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_CALIPTRA_H
#define HW_MISC_ASPEED_CALIPTRA_H

#include "hw/core/sysbus.h"
#include "hw/misc/aspeed_scu.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_fuses.h"
#include "hw/misc/caliptra_log.h"

#define TYPE_ASPEED_CALIPTRA "aspeed-caliptra"
OBJECT_DECLARE_SIMPLE_TYPE(AspeedCaliptraState, ASPEED_CALIPTRA)

#define TYPE_ASPEED_BOOTMCU "aspeed-bootmcu"
OBJECT_DECLARE_TYPE(AspeedBootMcuState, AspeedBootMcuClass, ASPEED_BOOTMCU)

/* Physical addresses, the same for the BootMCU and the CA35 cores */
#define ASPEED_CALIPTRA_WINDOW      0x14C60000
#define ASPEED_CALIPTRA_WINDOW_SIZE 0x20000
#define ASPEED_CALIPTRA_SCUIO       0x14C02000
#define ASPEED_CALIPTRA_SCU         0x12C02000

#define ASPEED_CALIPTRA_OBF_KEY_WORDS   ASPEED_SCUIO_CPTRA_OBF_KEY_WORDS

/* What the BootMCU finds in the SoC's OTP about Caliptra; not state */
typedef struct AspeedCaliptraOtp {
    /* [1:0] device lifecycle, [2] debug locked */
    uint8_t security_state;
    /* bits of it that are not the OTP's to say */
    uint8_t security_state_given;
    uint32_t obf_key[ASPEED_CALIPTRA_OBF_KEY_WORDS];
    CaliptraFuses fuses;
} AspeedCaliptraOtp;

struct AspeedCaliptraState {
    SysBusDevice parent_obj;

    MemoryRegion window;
    /* the core's ready_for_runtime, for others and for SCUIO */
    qemu_irq ready_for_runtime;
    qemu_irq scuio_rdy_for_rt;

    const CaliptraSocIfClass *core_if;  /* of @core */

    /* properties */
    CaliptraSocIf *core;
    MemoryRegion *memory;       /* what the BootMCU and the CA35 cores see */
    AspeedSCUState *scuio;
    uint32_t pauser;
    bool powered;
    bool brkpoint;
    uint16_t soc_stepping_id;
    char *fuse_file;
    char *obf_key_hex;
    AspeedCaliptraOtp otp;
};

/**
 * aspeed_bootmcu_needs_container: no loader and no boot ROM starts the cores
 * @s: the BootMCU, realized
 * @why: there is no boot ROM, in words
 *
 * The boot flash has to say then what the CA35 cores start with; one that does
 * not is refused.
 *
 * Returns: false if there is no boot flash.
 */
bool aspeed_bootmcu_needs_container(AspeedBootMcuState *s, const char *why);

#endif /* HW_MISC_ASPEED_CALIPTRA_H */
