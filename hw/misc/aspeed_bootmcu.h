/*
 * Stand-in for the BootMCU of the ASPEED AST27x0: what its parts share
 *
 *   aspeed_bootmcu.c        the boot: Caliptra's bring-up, release of cores
 *   aspeed_bootmcu_bundle.c reads of the flash, Caliptra's firmware bundle
 *   aspeed_bootmcu_flash.c  FLSH container, SoC manifest, images
 *   aspeed_bootmcu_ipc.c    the Caliptra service for the other cores
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_BOOTMCU_H
#define HW_MISC_ASPEED_BOOTMCU_H

#include "hw/misc/aspeed_bootmcu_ipc.h"
#include "hw/misc/aspeed_caliptra.h"
#include "hw/misc/caliptra_bringup.h"
#include "hw/misc/aspeed_flsh.h"
#include "qapi/qapi-types-common.h"
#include "qemu/timer.h"
#include "system/memory.h"

/* Registers as the BootMCU sees them (bus addresses) */
#define BOOTMCU_MBOX(_reg)  (ASPEED_CALIPTRA_WINDOW + A_##_reg)
#define BOOTMCU_IFC(_reg)   (ASPEED_CALIPTRA_WINDOW + \
                             CALIPTRA_WINDOW_SOC_IFC - CALIPTRA_WINDOW_MBOX + \
                             A_##_reg)
#define BOOTMCU_SCU(_reg)   (ASPEED_CALIPTRA_SCU + ASPEED_SCU0_##_reg)
/* Where the IDevID CSR is left in the SRAM */
#define BOOTMCU_CSR         (ASPEED_BOOTMCU_SRAM + 0x3F800)
#define BOOTMCU_CSR_MAX     (ASPEED_BOOTMCU_SRAM + \
                             ASPEED_BOOTMCU_SRAM_SIZE - BOOTMCU_CSR)
#define BOOTMCU_SCUIO(_reg) (ASPEED_CALIPTRA_SCUIO + ASPEED_SCUIO_##_reg)

#define BOOTMCU_BUNDLE_MAX  CALIPTRA_BRINGUP_FIRMWARE_MAX

/* Between two looks at something that is not there yet */
#define BOOTMCU_FLASH_RETRY_NS  (1 * SCALE_MS)

/* Where the firmware bundle is looked for */
typedef enum BundleStage {
    BUNDLE_PROBE,
    BUNDLE_TABLE,
    BUNDLE_READ,
    BUNDLE_THERE,
    BUNDLE_STAGES,
} BundleStage;

typedef struct BootMcuRead BootMcuRead;

/* Boot from flash */
typedef struct BootMcuFlash {
    /* the FMC's first flash; NULL, 0: none.  Not state. */
    DeviceState *dev;
    BlockBackend *blk;
    uint64_t size;
    char *name;

    /* what the block layer is at, or has done; asked for again if lost */
    BootMcuRead *read;
    /* a read has been begun; its data are to be used at @due */
    bool reading;
    int64_t due;

    /* firmware bundle */
    uint8_t bundle_stage;
    uint32_t bundle_offset;
    uint32_t bundle_size;
    uint8_t *bundle;

    /* place in the boot */
    QEMUTimer timer;
    uint8_t stage;
    int64_t deadline;
    uint32_t container;                 /* its place in the flash */
    AspeedFlsh flsh;
    /* bit n is image 0x1000 + n: is to be loaded, is loaded */
    uint32_t loads;
    uint32_t loaded;
    uint8_t image;                      /* index into the table */
    uint32_t pos;
    uint32_t digest[12];
} BootMcuFlash;

struct AspeedBootMcuState {
    CaliptraBringup parent_obj;

    /* properties */
    MemoryRegion *memory;
    AspeedCaliptraState *caliptra;
    char *firmware_file;
    OnOffAuto secure_boot;
    /* why only the flash says where the CA35 cores start; NULL: not so */
    char *no_entry;

    AddressSpace as;
    /* fuses of the OTP, overridden by those of the fuse file */
    uint32_t fuse[CALIPTRA_FUSE_WORDS];
    BootMcuFlash flash;
    /* the BootMCU's own memory, which others see, too */
    MemoryRegion sram;
    AspeedBootMcuIpcState ipc;
    /* the CA35 cores have been released */
    bool boot_done;
};

struct AspeedBootMcuClass {
    CaliptraBringupClass parent_class;

    ResettablePhases parent_phases;
};

#define bootmcu_log(s, ...) \
    caliptra_log(CALIPTRA_BRINGUP(s)->log, __VA_ARGS__)

/**
 * bootmcu_read: one 32-bit read by the BootMCU
 * @s: the BootMCU
 * @addr: bus address, as the CA35 cores see it
 *
 * Returns: the word of a little-endian device, in host order.
 */
uint32_t bootmcu_read(AspeedBootMcuState *s, hwaddr addr);

/**
 * bootmcu_write: one 32-bit write by the BootMCU
 * @s: the BootMCU
 * @addr: bus address, as the CA35 cores see it
 * @data: the word for a little-endian device, in host order
 */
void bootmcu_write(AspeedBootMcuState *s, hwaddr addr, uint32_t data);

/**
 * bootmcu_fail: the boot ends here, with the CA35 cores held
 * @s: the BootMCU
 * @file: what the user can put right, by name
 * @what: that failed
 * @why: in words, with Caliptra's number if there is one
 */
void bootmcu_fail(AspeedBootMcuState *s, const char *file, const char *what,
                  const char *why);

/**
 * bootmcu_release_cores: let the CA35 cores go, and serve them
 * @s: the BootMCU
 */
void bootmcu_release_cores(AspeedBootMcuState *s);

/* ---- aspeed_bootmcu_bundle.c ---- */

static inline AspeedBootMcuState *bootmcu_of_flash(BootMcuFlash *f)
{
    return container_of(f, AspeedBootMcuState, flash);
}

/**
 * bootmcu_flash_read: read from the flash, without waiting for the host
 * @f: the flash
 * @offset: first byte
 * @size: bytes
 * @errp: set if the block layer has failed
 *
 * To be called with the same arguments, at @f->due or later, until it returns
 * the data or sets an error.
 *
 * Returns: @size bytes, good until bootmcu_flash_forget_read(); NULL: not yet,
 * or an error.
 */
const uint8_t *bootmcu_flash_read(BootMcuFlash *f, int64_t offset,
                                  uint32_t size, Error **errp);

/**
 * bootmcu_flash_forget_read: the data have been used, or nobody wants them
 * @f: the flash
 */
void bootmcu_flash_forget_read(BootMcuFlash *f);

/**
 * bootmcu_flash_firmware: read Caliptra's firmware bundle from the flash
 * @s: the BootMCU
 *
 * To be called until it returns true, which is at once if the bundle comes
 * from a file.  Failures end the bring-up.
 */
bool bootmcu_flash_firmware(AspeedBootMcuState *s);

/**
 * bootmcu_flash_set_bundle: tell the bring-up which firmware there is
 * @f: the flash; bundle and bundle_size are set
 */
void bootmcu_flash_set_bundle(BootMcuFlash *f);

/**
 * bootmcu_flash_drop_bundle: the next bring-up reads the bundle again
 * @f: the flash
 */
void bootmcu_flash_drop_bundle(BootMcuFlash *f);

/* ---- aspeed_bootmcu_flash.c ---- */

extern const VMStateDescription vmstate_bootmcu_flash;

void bootmcu_flash_init(AspeedBootMcuState *s);
void bootmcu_flash_finalize(AspeedBootMcuState *s);

/**
 * bootmcu_flash_realize: find the flash, if there is one
 * @s: the BootMCU; flash.dev and firmware_file are set
 * @errp: set if there is neither a flash nor a file with firmware
 */
bool bootmcu_flash_realize(AspeedBootMcuState *s, Error **errp);

/**
 * bootmcu_flash_reset: before the first read after a machine reset
 * @s: the BootMCU
 */
void bootmcu_flash_reset(AspeedBootMcuState *s);

/**
 * bootmcu_flash_boot: load the images of the cores and release these
 * @s: the BootMCU; Caliptra runs, or is disabled
 *
 * Without images in the flash the cores are released with whatever somebody
 * else has given them, unless secure boot is on.
 */
void bootmcu_flash_boot(AspeedBootMcuState *s);

/**
 * bootmcu_flash_stop: give up whatever is being done
 * @s: the BootMCU
 */
void bootmcu_flash_stop(AspeedBootMcuState *s);

/**
 * bootmcu_flash_stage: what the boot from flash is at, for people
 * @s: the BootMCU
 */
const char *bootmcu_flash_stage(AspeedBootMcuState *s);

#endif /* HW_MISC_ASPEED_BOOTMCU_H */
