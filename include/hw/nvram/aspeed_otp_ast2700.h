/*
 * OTP memory and its controller of the ASPEED AST2700
 *
 * Addresses in the OTP count its 16-bit words, as in ASPEED's documents and
 * tools; a 32-bit field is two words, low word first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_NVRAM_ASPEED_OTP_AST2700_H
#define HW_NVRAM_ASPEED_OTP_AST2700_H

#include "hw/core/sysbus.h"
#include "qemu/bitops.h"
#include "qemu/iov.h"
#include "system/runstate.h"

#define TYPE_ASPEED_OTP_AST2700 "aspeed-otp-ast2700"
OBJECT_DECLARE_SIMPLE_TYPE(AspeedOTPAST2700State, ASPEED_OTP_AST2700)

#define ASPEED_OTP_AST2700_BASE         0x14C07000
#define ASPEED_OTP_AST2700_SIZE         0x1000

/* Regions of the OTP, as word addresses */
#define ASPEED_OTP_ROM                  0x0000
#define ASPEED_OTP_RBP                  0x03E0
#define ASPEED_OTP_CONF                 0x0400
#define ASPEED_OTP_STRAP                0x0420
#define ASPEED_OTP_STRAP_EXT            0x0430
#define ASPEED_OTP_USER                 0x0440
#define ASPEED_OTP_SECURE               0x1000
#define ASPEED_OTP_CALIPTRA             0x1C00
#define ASPEED_OTP_PUF                  0x1F80
#define ASPEED_OTP_WORDS                0x2000

/* Two words each: protection, and six options whose XOR is the value */
#define ASPEED_OTP_STRAP_PROTECT        (ASPEED_OTP_STRAP + 0x0)
#define ASPEED_OTP_STRAP_OPTION(n)      (ASPEED_OTP_STRAP + 0x2 + 2 * (n))
#define ASPEED_OTP_STRAP_OPTIONS        6
/* bit 0: ECC is in use */
#define ASPEED_OTP_STRAP_ECC            (ASPEED_OTP_STRAP + 0xE)

/* Registers, as offsets */
#define ASPEED_OTP_KEY                  0x000
#define   ASPEED_OTP_KEY_UNLOCK             0x349FE38A
#define   ASPEED_OTP_KEY_LOCK               1
#define ASPEED_OTP_ECC_EN               0x0D4
/* one block for each of six masters */
#define ASPEED_OTP_MASTERS              6
#define ASPEED_OTP_CMD(m)               (0x20 * (m) + 0x04)
#define   ASPEED_OTP_CMD_READ               0x23B1E361
#define   ASPEED_OTP_CMD_COMPARE            0x23B1E363
#define   ASPEED_OTP_CMD_PROGRAM            0x23B1E364
#define   ASPEED_OTP_CMD_PROGRAM_MULTI      0x23B1E365
#define   ASPEED_OTP_CMD_BIST               0x23B1E368
#define ASPEED_OTP_WDATA(m, n)          (0x20 * (m) + 0x08 + 4 * (n))
#define ASPEED_OTP_STATUS(m)            (0x20 * (m) + 0x18)
#define   ASPEED_OTP_STATUS_BUSY            BIT(0)
#define   ASPEED_OTP_STATUS_RESULT_SHIFT    4
#define ASPEED_OTP_ADDR(m)              (0x20 * (m) + 0x1C)
#define ASPEED_OTP_RDATA(m)             (0x20 * (m) + 0x20)

/* up to DAP_CFG_RQ, the last one that a driver uses */
#define ASPEED_OTP_AST2700_REGS         (0x53C / 4)

struct AspeedOTPAST2700State {
    SysBusDevice parent_obj;

    MemoryRegion iomem;

    uint32_t regs[ASPEED_OTP_AST2700_REGS];
    uint16_t words[ASPEED_OTP_WORDS];

    /* property */
    BlockBackend *blk;

    /*
     * The way back to the drive, if it can be written: what it holds as far
     * as is known, and the one write that may be under way.
     */
    VMChangeStateEntry *vmstate_entry;
    uint16_t *stored;
    uint8_t *buf;
    QEMUIOVector qiov;
    uint16_t write_start;
    uint16_t write_words;
    bool writing;
    /* somebody has been told that programmed words are not saved */
    bool told;
};

#endif /* HW_NVRAM_ASPEED_OTP_AST2700_H */
