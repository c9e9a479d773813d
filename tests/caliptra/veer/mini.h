/*
 * A ROM and a firmware of some hundred bytes for the caliptra machine
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef MINI_H
#define MINI_H

#include <stdint.h>

/* volatile: each access is one of the bus */
#define REG(addr) (*(volatile uint32_t *)(addr))

void main(void);

#define ICCM                0x40000000
#define DCCM                0x50000000

#define SOC_IFC             0x30030000
#define FLOW_STATUS         REG(SOC_IFC + 0x03c)
#define FLOW_READY_FOR_FW       (1u << 28)
#define FLOW_READY_FOR_RUNTIME  (1u << 29)
#define RESET_REASON        REG(SOC_IFC + 0x040)
#define OUTPUT_WIRES        REG(SOC_IFC + 0x0cc)
#define ICCM_LOCK           REG(SOC_IFC + 0x620)
#define FW_UPDATE_RESET     REG(SOC_IFC + 0x624)
#define INTR_GLOBAL_EN      REG(SOC_IFC + 0x800)
#define INTR_NOTIF_EN       REG(SOC_IFC + 0x808)
#define INTR_NOTIF_STS      REG(SOC_IFC + 0x818)
#define INTR_NOTIF              2
#define NOTIF_CMD_AVAIL         1

#define MBOX                0x30020000
#define MBOX_CMD            REG(MBOX + 0x08)
#define MBOX_DLEN           REG(MBOX + 0x0c)
#define MBOX_DATAIN         REG(MBOX + 0x10)
#define MBOX_DATAOUT        REG(MBOX + 0x14)
#define MBOX_STATUS         REG(MBOX + 0x1c)
#define MBOX_EXECUTE_UC         6
#define MBOX_DATA_READY         1
#define MBOX_COMPLETE           2
#define MBOX_FAILURE            3

#define SHA256              0x10028000
#define SHA256_CTRL         REG(SHA256 + 0x010)
#define SHA256_STATUS       REG(SHA256 + 0x018)
#define SHA256_BLOCK(n)     REG(SHA256 + 0x080 + 4 * (n))
#define SHA256_DIGEST(n)    REG(SHA256 + 0x100 + 4 * (n))

#define SHA256_GLOBAL_EN    REG(SHA256 + 0x800)
#define SHA256_NOTIF_EN     REG(SHA256 + 0x808)
#define SHA256_NOTIF_STS    REG(SHA256 + 0x818)

#define PIC                 0x60000000
#define PIC_MEIPL(n)        REG(PIC + 4 * (n))
#define PIC_MEIE(n)         REG(PIC + 0x2000 + 4 * (n))
#define IRQ_SHA256_NOTIF    12
#define IRQ_SOC_IFC_NOTIF   20

#define CMD_LOAD            0x46574c44
#define CMD_HASH            0x48415348
#define CMD_COUNT           0x434f554e
#define CMD_UPDATE          0x55504454

static inline int mbox_has_command(void)
{
    return (MBOX_STATUS >> 6 & 7) == MBOX_EXECUTE_UC;
}

/* As the genuine drivers do it: a character, and bit 8 changes */
static inline void print(const char *text)
{
    while (*text) {
        OUTPUT_WIRES = ((OUTPUT_WIRES & 0x100) ^ 0x100) | *text++;
    }
}

#endif /* MINI_H */
