/*
 * Stand-in for the BootMCU of the ASPEED AST27x0: the flash, and the firmware
 * bundle in it
 *
 * Caliptra's firmware bundle is at the beginning of the flash or, from A2 on,
 * in the FLSH container.
 *
 * The flash is read through the block layer, without waiting for it: each
 * read takes a time of its own on the virtual clock, and when that is over,
 * its data are used.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/memalign.h"
#include "qapi/error.h"
#include "exec/icount.h"
#include "system/block-backend.h"
#include "system/qtest.h"
#include "aspeed_bootmcu.h"

#define BUNDLE_MARKER           0x4E414D43 /* "CMAN" */

/* Quad SPI at 50 MHz */
#define FLASH_READ_BYTE_NS      40

/* A read of the flash; its owner may go before it has ended */
struct BootMcuRead {
    BootMcuFlash *owner;
    bool ended;
    int ret;
    QEMUIOVector qiov;
    uint8_t *data;
};

/* ---- reading ---- */

static void flash_read_free(BootMcuRead *read)
{
    qemu_iovec_destroy(&read->qiov);
    qemu_vfree(read->data);
    g_free(read);
}

static void flash_read_ended(void *opaque, int ret)
{
    BootMcuRead *read = opaque;

    read->ended = true;
    read->ret = ret;
    if (!read->owner) {
        flash_read_free(read);
    }
}

void bootmcu_flash_forget_read(BootMcuFlash *f)
{
    BootMcuRead *read = f->read;

    f->read = NULL;
    f->reading = false;
    if (read && read->ended) {
        flash_read_free(read);
    } else if (read) {
        read->owner = NULL;
    }
}

static void flash_ask_for(BootMcuFlash *f, int64_t offset, uint32_t size)
{
    BootMcuRead *read = g_new0(BootMcuRead, 1);

    read->owner = f;
    read->data = blk_blockalign(f->blk, size);
    qemu_iovec_init(&read->qiov, 1);
    qemu_iovec_add(&read->qiov, read->data, size);
    f->read = read;
    blk_aio_preadv(f->blk, offset, &read->qiov, 0, flash_read_ended, read);
}

/*
 * The block layer's answer comes at a time of the host's.  Usually that is
 * long before the read is due on the virtual clock; where it is not, virtual
 * time goes on, unless it has to be the same in each run.
 */
const uint8_t *bootmcu_flash_read(BootMcuFlash *f, int64_t offset,
                                  uint32_t size, Error **errp)
{
    int64_t now = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);

    if (!f->reading) {
        f->reading = true;
        f->due = now + (int64_t)size * FLASH_READ_BYTE_NS;
    }
    if (!f->read) {
        flash_ask_for(f, offset, size);
    }
    if (now < f->due) {
        return NULL;
    }
    if (!f->read->ended && (icount_enabled() || qtest_enabled())) {
        blk_drain(f->blk);
    }
    if (!f->read->ended) {
        f->due = now + BOOTMCU_FLASH_RETRY_NS;
        return NULL;
    }
    if (f->read->ret < 0) {
        error_setg_errno(errp, -f->read->ret, "cannot read 0x%x bytes at 0x%"
                         PRIx64, size, offset);
        bootmcu_flash_forget_read(f);
        return NULL;
    }
    return f->read->data;
}

/* ---- firmware bundle ---- */

void bootmcu_flash_set_bundle(BootMcuFlash *f)
{
    CaliptraBringup *b = CALIPTRA_BRINGUP(bootmcu_of_flash(f));

    b->firmware_name = f->name;
    b->firmware = f->bundle;
    b->firmware_size = f->bundle_size;
}

/* the next bring-up reads it again */
void bootmcu_flash_drop_bundle(BootMcuFlash *f)
{
    if (!bootmcu_of_flash(f)->firmware_file) {
        g_clear_pointer(&f->bundle, g_free);
        f->bundle_size = 0;
        f->bundle_stage = BUNDLE_PROBE;
        bootmcu_flash_set_bundle(f);
    }
}

/* The bundle's place, from the container's table */
static bool flash_find_bundle(BootMcuFlash *f, const uint8_t *table,
                              Error **errp)
{
    g_autofree AspeedFlsh *flsh = g_new(AspeedFlsh, 1);
    const AspeedFlshImage *image;

    if (!aspeed_flsh_parse_table(table, f->flsh.count *
                                 ASPEED_FLSH_ENTRY_SIZE, f->flsh.count,
                                 f->size, flsh, errp)) {
        return false;
    }
    image = aspeed_flsh_find(flsh, ASPEED_FLSH_CALIPTRA);
    if (!image || !image->size) {
        error_setg(errp, "no bundle in the FLSH container");
        return false;
    }
    if (image->size > BOOTMCU_BUNDLE_MAX) {
        error_setg(errp, "%u bytes, must have at most %u", image->size,
                   BOOTMCU_BUNDLE_MAX);
        return false;
    }
    f->bundle_offset = image->offset;
    f->bundle_size = image->size;
    return true;
}

static bool flash_probe_bundle(BootMcuFlash *f, const uint8_t *data,
                               Error **errp)
{
    if (aspeed_flsh_is_header(data)) {
        f->bundle_stage = BUNDLE_TABLE;
        return aspeed_flsh_parse_header(data, ASPEED_FLSH_HEADER_SIZE,
                                        &f->flsh.count, errp);
    }
    if (ldl_le_p(data) != BUNDLE_MARKER) {
        error_setg(errp, "neither a bundle (\"CMAN\") nor an FLSH container "
                   "at the beginning of the flash");
        return false;
    }
    f->bundle_offset = 0;
    f->bundle_size = BOOTMCU_BUNDLE_MAX;
    f->bundle_stage = BUNDLE_READ;
    return true;
}

bool bootmcu_flash_firmware(AspeedBootMcuState *s)
{
    BootMcuFlash *f = &s->flash;
    Error *err = NULL;
    const uint8_t *data = NULL;

    if (s->firmware_file || f->bundle_stage == BUNDLE_THERE) {
        return true;
    }
    switch (f->bundle_stage) {
    case BUNDLE_PROBE:
        data = bootmcu_flash_read(f, 0, ASPEED_FLSH_HEADER_SIZE, &err);
        if (data) {
            flash_probe_bundle(f, data, &err);
        }
        break;
    case BUNDLE_TABLE:
        data = bootmcu_flash_read(f, ASPEED_FLSH_HEADER_SIZE,
                                  f->flsh.count * ASPEED_FLSH_ENTRY_SIZE,
                                  &err);
        if (data && flash_find_bundle(f, data, &err)) {
            f->bundle_stage = BUNDLE_READ;
        }
        break;
    case BUNDLE_READ:
        data = bootmcu_flash_read(f, f->bundle_offset, f->bundle_size, &err);
        if (data) {
            f->bundle = g_memdup2(data, f->bundle_size);
            f->bundle_stage = BUNDLE_THERE;
            bootmcu_flash_set_bundle(f);
        }
        break;
    default:
        g_assert_not_reached();
    }
    if (data) {
        bootmcu_flash_forget_read(f);
    }
    if (err) {
        caliptra_bringup_fail(CALIPTRA_BRINGUP(s), "Caliptra firmware",
                              error_get_pretty(err));
        error_free(err);
        bootmcu_flash_drop_bundle(f);
    }
    return f->bundle_stage == BUNDLE_THERE;
}
