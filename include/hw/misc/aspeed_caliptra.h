/*
 * Caliptra in the ASPEED AST27x0, and the stand-in for its BootMCU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_CALIPTRA_H
#define HW_MISC_ASPEED_CALIPTRA_H

#include "hw/sysbus.h"
#include "hw/misc/aspeed_scu.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_log.h"

#define TYPE_ASPEED_CALIPTRA "aspeed-caliptra"
OBJECT_DECLARE_SIMPLE_TYPE(AspeedCaliptraState, ASPEED_CALIPTRA)

#define TYPE_ASPEED_BOOTMCU "aspeed-bootmcu"
OBJECT_DECLARE_SIMPLE_TYPE(AspeedBootMcuState, ASPEED_BOOTMCU)

/* Physical addresses, the same for the BootMCU and the CA35 cores */
#define ASPEED_CALIPTRA_WINDOW      0x14C60000
#define ASPEED_CALIPTRA_WINDOW_SIZE 0x20000
#define ASPEED_CALIPTRA_SCUIO       0x14C02000

/* Registers and bits of SCUIO (SCU1) that concern Caliptra */
#define ASPEED_SCUIO_HWSTRAP1       0x010
#define ASPEED_SCUIO_HWSTRAP1_DIS_CPTRA     BIT(30)
#define ASPEED_SCUIO_CPTRA_CTRL     0x130
#define ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD     BIT(0)
#define ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT 8
#define ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_LEN   3
#define ASPEED_SCUIO_CPTRA_CTRL_RDY_FOR_RT  BIT(18)
#define ASPEED_SCUIO_CPTRA_OBF_KEY  0x140 /* 8 words */
#define ASPEED_SCUIO_RSTCTL2        0x220
#define ASPEED_SCUIO_RSTCTL2_CLR    0x224
#define ASPEED_SCUIO_RSTCTL2_CPTRA          BIT(9)
#define ASPEED_SCUIO_EFUSE          0x804
#define ASPEED_SCUIO_EFUSE_DIS_CPTRA        BIT(6)

#define ASPEED_CALIPTRA_OBF_KEY_WORDS   8
/* fuse registers, fuse_uds_seed to fuse_soc_stepping_id */
#define ASPEED_CALIPTRA_FUSE_WORDS      83

/* What the BootMCU finds in the SoC's OTP about Caliptra; not state */
typedef struct AspeedCaliptraOtp {
    /* [1:0] device lifecycle, [2] debug locked */
    uint8_t security_state;
    uint32_t obf_key[ASPEED_CALIPTRA_OBF_KEY_WORDS];
    /* as to be written to the fuse registers from fuse_uds_seed on */
    uint32_t fuse[ASPEED_CALIPTRA_FUSE_WORDS];
} AspeedCaliptraOtp;

struct AspeedCaliptraState {
    SysBusDevice parent_obj;

    MemoryRegion window;
    MemoryRegion scu_ctrl;
    MemoryRegion scu_rst;
    AspeedSCUState *scuio;

    /* SCUIO's registers as software left them */
    uint32_t ctrl;
    uint32_t obf_key[ASPEED_CALIPTRA_OBF_KEY_WORDS];
    bool rst_asserted;

    /* properties */
    CaliptraSocIf *core;
    MemoryRegion *memory;       /* what the BootMCU and the CA35 cores see */
    uint32_t pauser;
    bool powered;
    bool brkpoint;
    uint16_t soc_stepping_id;
    char *fuse_file;
    char *obf_key_hex;
    AspeedCaliptraOtp otp;
};

/* The BootMCU's line that lets the CA35 cores run while it is high */
#define ASPEED_BOOTMCU_BOOT_DONE    "boot-done"

#endif /* HW_MISC_ASPEED_CALIPTRA_H */
