/*
 * Stand-in for the BootMCU of the ASPEED AST27x0: boot from flash
 *
 * The images of the cores are in an FLSH container in the flash, with the SoC
 * manifest that says which of them the vendor and the owner approve of.  The
 * order is that of the BootMCU's firmware (aspeed-zephyr-project,
 * apps/mcu-runtime, src/ast_loader.c and soc/ast2700/chip_ast2700.c): manifest
 * to Caliptra, then image after image into a buffer, its digest to Caliptra,
 * and from the buffer to its place.  With secure boot off, Caliptra is not
 * asked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "block/block_int-common.h"
#include "hw/block/flash.h"
#include "hw/core/registerfields.h"
#include "migration/vmstate.h"
#include "system/block-backend.h"
#include "hw/misc/aspeed_scu_ast2700.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_regs.h"
#include "aspeed_bootmcu.h"
#include "trace.h"

/* Where the container begins on A1; from A2 on it is at 0 */
#define FLASH_A1_CONTAINER      0x100000

/* The BootMCU's buffer for one image, as the CA35 cores see it */
#define FLASH_BUFFER            0x423000000

#define FLASH_STEP_NS           (1 * SCALE_US)
/* How much in one go */
#define FLASH_READ_CHUNK        (64 * KiB)
#define FLASH_COPY_CHUNK        (256 * KiB)
#define FLASH_HASH_CHUNK        (16 * KiB)
/* A word into the mailbox or the SHA accelerator; DRAM */
#define FLASH_WORD_NS           25
#define FLASH_COPY_KIB_NS       500
/* Far beyond what any stage takes on silicon */
#define FLASH_TIMEOUT_NS        (60 * NANOSECONDS_PER_SECOND)

#define CMD_SET_AUTH_MANIFEST   0x41544D4E
#define CMD_AUTHORIZE_AND_STASH 0x41545348
#define AUTHORIZE_SOURCE_IN_REQUEST 1
/* chksum, fips_status, auth_req_result */
#define AUTHORIZE_RSP_WORDS     3
#define IMAGE_AUTHORIZED        0xDEADC0DE
#define IMAGE_HASH_MISMATCH     0x8BFB95CB
#define IMAGE_NOT_AUTHORIZED    0x21523F21

#define SHA_ACC(_reg) (ASPEED_CALIPTRA_WINDOW + CALIPTRA_WINDOW_SHA_ACC - \
                       CALIPTRA_WINDOW_MBOX + A_##_reg)

/* SCU of the CPU die */
#define SCU0_CA35_RVBAR(n)      (BOOTMCU_SCU(CA35_RVBAR) + 4 * (n))
#define SCU0_SMP_EP(n)          (BOOTMCU_SCU(SMP_EP) + 8 * (n))
/* lets the CA35 cores reach the DRAM */
#define UFS_AXI_PATH            0x12C080E4

typedef enum FlashStage {
    FLASH_IDLE,
    FLASH_HEADER,
    FLASH_TABLE,
    FLASH_MANIFEST,
    FLASH_WAIT_MANIFEST,
    FLASH_IMAGE,
    FLASH_READ_IMAGE,
    FLASH_HASH_LOCK,
    FLASH_HASH,
    FLASH_WAIT_HASH,
    FLASH_AUTHORIZE,
    FLASH_WAIT_AUTHORIZE,
    FLASH_COPY_IMAGE,
    FLASH_RELEASE,
    FLASH_STAGES,
} FlashStage;

/* for people: what the boot is at */
static const char * const flash_stage_name[FLASH_STAGES] = {
    [FLASH_IDLE] = "idle",
    [FLASH_HEADER] = "FLSH header",
    [FLASH_TABLE] = "FLSH table",
    [FLASH_MANIFEST] = "SoC manifest",
    [FLASH_WAIT_MANIFEST] = "wait for SET_AUTH_MANIFEST",
    [FLASH_IMAGE] = "next image",
    [FLASH_READ_IMAGE] = "image from flash",
    [FLASH_HASH_LOCK] = "wait for the SHA accelerator",
    [FLASH_HASH] = "digest of an image",
    [FLASH_WAIT_HASH] = "wait for a digest",
    [FLASH_AUTHORIZE] = "wait for the mailbox",
    [FLASH_WAIT_AUTHORIZE] = "wait for AUTHORIZE_AND_STASH",
    [FLASH_COPY_IMAGE] = "image to its place",
    [FLASH_RELEASE] = "release",
};

static int64_t flash_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* ---- stages and time ---- */

static void flash_enter(BootMcuFlash *f, FlashStage stage, int64_t delay)
{
    trace_aspeed_bootmcu_flash_stage(flash_stage_name[stage]);
    f->stage = stage;
    f->deadline = flash_now() + FLASH_TIMEOUT_NS;
    timer_mod_ns(&f->timer, flash_now() + delay);
}

static void flash_stop(BootMcuFlash *f)
{
    bootmcu_flash_forget_read(f);
    f->stage = FLASH_IDLE;
    timer_del(&f->timer);
}

static void flash_fail(BootMcuFlash *f, const char *what, const char *why)
{
    bootmcu_fail(bootmcu_of_flash(f), f->name, what, why);
    flash_stop(f);
}

static void flash_fail_err(BootMcuFlash *f, const char *what, Error *err)
{
    flash_fail(f, what, error_get_pretty(err));
    error_free(err);
}

/* what an image is called in messages; to be freed */
static char *flash_image_name(const AspeedFlshKind *kind)
{
    return g_strdup_printf("%s (fw id %u)", kind->name, kind->fw_id);
}

/* look again later; Caliptra has not yet done what the stage waits for */
static void flash_wait(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    int64_t now = flash_now();

    if (bootmcu_read(s, BOOTMCU_IFC(CPTRA_FW_ERROR_FATAL)) ||
        bootmcu_read(s, BOOTMCU_IFC(CPTRA_HW_ERROR_FATAL))) {
        g_autofree char *why = caliptra_bringup_error(CALIPTRA_BRINGUP(s));

        flash_fail(f, "Caliptra stopped", why);
    } else if (now >= f->deadline) {
        flash_fail(f, "Caliptra does not answer", flash_stage_name[f->stage]);
    } else {
        timer_mod_ns(&f->timer, now + BOOTMCU_FLASH_RETRY_NS);
    }
}

/*
 * The data that the stage wants; NULL: not yet, or the boot has failed.
 */
static const uint8_t *flash_stage_read(BootMcuFlash *f, int64_t offset,
                                       uint32_t size, const char *what)
{
    Error *err = NULL;
    const uint8_t *data = bootmcu_flash_read(f, offset, size, &err);

    if (err) {
        flash_fail_err(f, what, err);
    } else if (!data) {
        timer_mod_ns(&f->timer, f->due);
    }
    return data;
}

/* ---- Caliptra ---- */

static bool flash_secure(BootMcuFlash *f)
{
    return bootmcu_read(bootmcu_of_flash(f), BOOTMCU_SCUIO(HWSTRAP1)) &
           ASPEED_SCUIO_HWSTRAP1_EN_SECBOOT;
}

/* FMC's own look at whether Caliptra is there */
static bool flash_caliptra_runs(BootMcuFlash *f)
{
    return bootmcu_read(bootmcu_of_flash(f), BOOTMCU_SCUIO(CPTRA_CTRL)) &
           ASPEED_SCUIO_CPTRA_CTRL_RDY_FOR_RT;
}

/*
 * Send a command with a checksum (caliptra-sw api/src/checksum.rs: zero minus
 * the sum of the bytes of command and request).  @size is a multiple of 4.
 * Returns false if the mailbox is not free.
 */
static bool flash_command(BootMcuFlash *f, uint32_t cmd, const void *request,
                          uint32_t size)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    const uint8_t *bytes = request;
    uint32_t chksum = 0;

    if (!caliptra_bringup_mbox_start(CALIPTRA_BRINGUP(s), cmd, size + 4)) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        chksum -= extract32(cmd, 8 * i, 8);
    }
    for (uint32_t i = 0; i < size; i++) {
        chksum -= bytes[i];
    }
    bootmcu_write(s, BOOTMCU_MBOX(MBOX_DATAIN), chksum);
    for (uint32_t i = 0; i < size; i += 4) {
        bootmcu_write(s, BOOTMCU_MBOX(MBOX_DATAIN), ldl_le_p(bytes + i));
    }
    bootmcu_write(s, BOOTMCU_MBOX(MBOX_EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
    return true;
}

/* ---- container ---- */

static void flash_no_container(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    if (flash_secure(f)) {
        flash_fail(f, "secure boot is on", "no FLSH container in the flash "
                   "that says what may run");
        return;
    }
    if (s->no_entry) {
        g_autofree char *why =
            g_strdup_printf("no FLSH container in the flash, no -device "
                            "loader, and no boot ROM: %s", s->no_entry);

        flash_fail(f, "nothing to start the CA35 cores with", why);
        return;
    }
    flash_stop(f);
    bootmcu_release_cores(s);
}

static void flash_header(BootMcuFlash *f)
{
    const uint8_t *data;
    Error *err = NULL;

    data = flash_stage_read(f, f->container, ASPEED_FLSH_HEADER_SIZE,
                            "FLSH container");
    if (!data) {
        return;
    }
    if (!aspeed_flsh_is_header(data)) {
        bool last = f->container == FLASH_A1_CONTAINER;

        bootmcu_flash_forget_read(f);
        if (last) {
            flash_no_container(f);
            return;
        }
        f->container = FLASH_A1_CONTAINER;
        flash_enter(f, FLASH_HEADER, FLASH_STEP_NS);
    } else if (!aspeed_flsh_parse_header(data, ASPEED_FLSH_HEADER_SIZE,
                                         &f->flsh.count, &err)) {
        flash_fail_err(f, "flash", err);
    } else {
        bootmcu_flash_forget_read(f);
        flash_enter(f, FLASH_TABLE, FLASH_STEP_NS);
    }
}

static void flash_table(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    uint32_t size = f->flsh.count * ASPEED_FLSH_ENTRY_SIZE;
    const uint8_t *data;
    Error *err = NULL;

    data = flash_stage_read(f, f->container + ASPEED_FLSH_HEADER_SIZE, size,
                            "FLSH container");
    if (!data) {
        return;
    }
    if (!aspeed_flsh_parse_table(data, size, f->flsh.count,
                                 f->size - f->container,
                                 &f->flsh, &err)) {
        flash_fail_err(f, "flash", err);
        return;
    }
    bootmcu_flash_forget_read(f);
    bootmcu_log(s, "%s: FLSH container at 0x%x, %u images, secure boot %s",
                f->name, f->container, f->flsh.count,
                flash_secure(f) ? "on" : "off");
    flash_enter(f, FLASH_MANIFEST, FLASH_STEP_NS);
}

/* ---- SoC manifest ---- */

/* Which images are loaded, in f->loads: bit n is image 0x1000 + n */
static void flash_choose_images(BootMcuFlash *f,
                                const AspeedSocManifest *manifest)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    f->loads = 0;
    for (int n = 0; n < f->flsh.count; n++) {
        const AspeedFlshImage *image = &f->flsh.images[n];
        const AspeedFlshKind *kind = aspeed_flsh_kind(image->identifier);

        if (!kind || !kind->load_addr) {
            continue;
        }
        if (aspeed_flsh_loads(kind, manifest)) {
            f->loads |= 1u << (image->identifier - ASPEED_FLSH_SOC_IMAGES);
        } else {
            bootmcu_log(s, "%s (fw id %u): not the BootMCU's to load, as the "
                        "SoC manifest says", kind->name, kind->fw_id);
        }
    }
}

/* no manifest, or a bad one; with secure boot on that is the end */
static void flash_bad_manifest(BootMcuFlash *f, Error *err)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    if (flash_secure(f)) {
        flash_fail_err(f, "secure boot is on", err);
        return;
    }
    bootmcu_log(s, "%s; goes on, as secure boot is off",
                error_get_pretty(err));
    error_free(err);
    flash_choose_images(f, NULL);
    bootmcu_flash_forget_read(f);
    flash_enter(f, FLASH_IMAGE, FLASH_STEP_NS);
}

/* returns false if the mailbox is not free */
static bool flash_send_manifest(BootMcuFlash *f, const uint8_t *stored)
{
    uint32_t size = 4 + ASPEED_SOC_MANIFEST_CALIPTRA_SIZE;
    g_autofree uint8_t *request = g_malloc(size);

    stl_le_p(request, ASPEED_SOC_MANIFEST_CALIPTRA_SIZE);
    aspeed_soc_manifest_convert(stored, ASPEED_SOC_MANIFEST_SIZE, request + 4,
                                &error_abort);
    return flash_command(f, CMD_SET_AUTH_MANIFEST, request, size);
}

static void flash_manifest(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    const AspeedFlshImage *image = aspeed_flsh_find(&f->flsh,
                                                    ASPEED_FLSH_MANIFEST);
    AspeedSocManifest manifest;
    const uint8_t *data;
    Error *err = NULL;
    bool listed;

    if (!flash_caliptra_runs(f)) {
        if (flash_secure(f)) {
            flash_fail(f, "secure boot is on", "Caliptra does not run: "
                       "nobody can check the images");
            return;
        }
        bootmcu_log(s, "Caliptra does not run: SoC manifest skipped");
        flash_choose_images(f, NULL);
        flash_enter(f, FLASH_IMAGE, FLASH_STEP_NS);
        return;
    }
    if (!image || image->size < ASPEED_SOC_MANIFEST_SIZE) {
        error_setg(&err, "SoC manifest: %u bytes, must have %u",
                   image ? image->size : 0, ASPEED_SOC_MANIFEST_SIZE);
        flash_bad_manifest(f, err);
        return;
    }
    data = flash_stage_read(f, (int64_t)f->container + image->offset,
                            ASPEED_SOC_MANIFEST_SIZE, "SoC manifest");
    if (!data) {
        return;
    }
    listed = aspeed_soc_manifest_parse(data, ASPEED_SOC_MANIFEST_SIZE,
                                       &manifest, &err);
    if (!flash_secure(f)) {
        if (listed) {
            flash_choose_images(f, &manifest);
            bootmcu_flash_forget_read(f);
            flash_enter(f, FLASH_IMAGE, FLASH_STEP_NS);
        } else {
            flash_bad_manifest(f, err);
        }
        return;
    }
    /* what is wrong with it, Caliptra says first */
    if (listed) {
        flash_choose_images(f, &manifest);
    } else {
        f->loads = 0;
        error_free(err);
    }
    if (!flash_send_manifest(f, data)) {
        flash_wait(f);
        return;
    }
    bootmcu_flash_forget_read(f);
    flash_enter(f, FLASH_WAIT_MANIFEST,
                ASPEED_SOC_MANIFEST_CALIPTRA_SIZE / 4 * FLASH_WORD_NS);
}

static void flash_wait_manifest(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    CaliptraBringup *b = CALIPTRA_BRINGUP(s);
    uint32_t status = caliptra_bringup_mbox_status(b);

    if (status == MBOX_STATUS_CMD_BUSY) {
        flash_wait(f);
        return;
    }
    bootmcu_write(s, BOOTMCU_MBOX(MBOX_EXECUTE), 0);
    if (status == MBOX_STATUS_CMD_FAILURE) {
        g_autofree char *why = caliptra_bringup_error(b);

        flash_fail(f, "SoC manifest refused", why);
        return;
    }
    bootmcu_log(s, "SoC manifest accepted");
    flash_enter(f, FLASH_IMAGE, FLASH_STEP_NS);
}

/* ---- images ---- */

static const AspeedFlshImage *flash_image(BootMcuFlash *f)
{
    return &f->flsh.images[f->image];
}

static const AspeedFlshKind *flash_kind(BootMcuFlash *f)
{
    return aspeed_flsh_kind(flash_image(f)->identifier);
}

/* with what a word lacks to be one, as zeros: so images are hashed */
static uint32_t flash_padded_size(BootMcuFlash *f)
{
    return ROUND_UP(flash_image(f)->size, 4);
}

static bool flash_is_loaded(BootMcuFlash *f)
{
    const AspeedFlshKind *kind = flash_kind(f);

    return kind && kind->load_addr &&
           f->loads & 1u << (kind->identifier - ASPEED_FLSH_SOC_IMAGES);
}

static void flash_next_image(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    const AspeedFlshKind *kind;
    Error *err = NULL;

    for (; f->image < f->flsh.count; f->image++) {
        g_autofree char *name = NULL;

        if (!flash_is_loaded(f)) {
            continue;
        }
        kind = flash_kind(f);
        name = flash_image_name(kind);
        if (!flash_image(f)->size) {
            bootmcu_log(s, "%s: empty", name);
            continue;
        }
        if (!aspeed_flsh_check_size(kind, flash_image(f)->size, &err)) {
            flash_fail_err(f, name, err);
            return;
        }
        f->pos = 0;
        flash_enter(f, FLASH_READ_IMAGE, FLASH_STEP_NS);
        return;
    }
    flash_enter(f, FLASH_RELEASE, FLASH_STEP_NS);
}

/* chunk by chunk into the buffer in DRAM */
static void flash_read_image(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    const AspeedFlshImage *image = flash_image(f);
    uint32_t size = MIN(image->size - f->pos, FLASH_READ_CHUNK);
    g_autofree char *name = flash_image_name(flash_kind(f));
    const uint8_t *data;
    MemTxResult result;

    data = flash_stage_read(f, (int64_t)f->container + image->offset + f->pos,
                            size, name);
    if (!data) {
        return;
    }
    result = address_space_write(&s->as, FLASH_BUFFER + f->pos,
                                 MEMTXATTRS_UNSPECIFIED, data, size);
    if (result == MEMTX_OK && (f->pos + size) % 4) {
        result = address_space_set(&s->as, FLASH_BUFFER + f->pos + size, 0,
                                   -(f->pos + size) % 4,
                                   MEMTXATTRS_UNSPECIFIED);
    }
    bootmcu_flash_forget_read(f);
    if (result != MEMTX_OK) {
        flash_fail(f, name, "no DRAM for the BootMCU's buffer");
        return;
    }
    f->pos += size;
    if (f->pos < image->size) {
        flash_enter(f, FLASH_READ_IMAGE, 0);
        return;
    }
    f->pos = 0;
    flash_enter(f, flash_secure(f) ? FLASH_HASH_LOCK : FLASH_COPY_IMAGE,
                FLASH_STEP_NS);
}

static void flash_hash_lock(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    if (FIELD_EX32(bootmcu_read(s, SHA_ACC(SHA_ACC_LOCK)),
                   SHA_ACC_LOCK, LOCK)) {
        flash_wait(f);
        return;
    }
    bootmcu_write(s, SHA_ACC(SHA_ACC_CONTROL),
                  R_SHA_ACC_CONTROL_ZEROIZE_MASK);
    /* streaming SHA-384 */
    bootmcu_write(s, SHA_ACC(SHA_ACC_MODE), 0);
    bootmcu_write(s, SHA_ACC(SHA_ACC_DLEN), flash_padded_size(f));
    flash_enter(f, FLASH_HASH, FLASH_STEP_NS);
}

/* chunk by chunk; the accelerator takes the first byte as bits 31:24 */
static void flash_hash(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    uint32_t size = MIN(flash_padded_size(f) - f->pos, FLASH_HASH_CHUNK);
    g_autofree uint8_t *data = g_malloc(size);

    address_space_read(&s->as, FLASH_BUFFER + f->pos, MEMTXATTRS_UNSPECIFIED,
                       data, size);
    for (uint32_t i = 0; i < size; i += 4) {
        bootmcu_write(s, SHA_ACC(SHA_ACC_DATAIN), ldl_be_p(data + i));
    }
    f->pos += size;
    if (f->pos < flash_padded_size(f)) {
        flash_enter(f, FLASH_HASH, size / 4 * FLASH_WORD_NS);
        return;
    }
    f->pos = 0;
    bootmcu_write(s, SHA_ACC(SHA_ACC_EXECUTE),
                  R_SHA_ACC_EXECUTE_EXECUTE_MASK);
    flash_enter(f, FLASH_WAIT_HASH, size / 4 * FLASH_WORD_NS);
}

static void flash_wait_hash(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    if (!FIELD_EX32(bootmcu_read(s, SHA_ACC(SHA_ACC_STATUS)),
                    SHA_ACC_STATUS, VALID)) {
        flash_wait(f);
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(f->digest); i++) {
        f->digest[i] = bootmcu_read(s, SHA_ACC(SHA_ACC_DIGEST) + 4 * i);
    }
    bootmcu_write(s, SHA_ACC(SHA_ACC_LOCK), R_SHA_ACC_LOCK_LOCK_MASK);
    flash_enter(f, FLASH_AUTHORIZE, FLASH_STEP_NS);
}

static void flash_authorize(BootMcuFlash *f)
{
    /* without the checksum; the BootMCU's firmware counts on one byte */
    struct QEMU_PACKED {
        uint8_t fw_id[4];
        uint8_t measurement[48];
        uint8_t context[48];
        uint32_t svn;
        uint32_t flags;
        uint32_t source;
    } request = {
        .fw_id = { flash_kind(f)->fw_id },
        .source = cpu_to_le32(AUTHORIZE_SOURCE_IN_REQUEST),
    };

    for (int i = 0; i < ARRAY_SIZE(f->digest); i++) {
        stl_be_p(request.measurement + 4 * i, f->digest[i]);
    }
    if (!flash_command(f, CMD_AUTHORIZE_AND_STASH, &request,
                       sizeof(request))) {
        flash_wait(f);
        return;
    }
    flash_enter(f, FLASH_WAIT_AUTHORIZE, FLASH_STEP_NS);
}

static void flash_wait_authorize(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    CaliptraBringup *b = CALIPTRA_BRINGUP(s);
    g_autofree char *name = flash_image_name(flash_kind(f));
    uint32_t status = caliptra_bringup_mbox_status(b);
    uint32_t result = 0;
    g_autofree char *why = NULL;

    if (status == MBOX_STATUS_CMD_BUSY) {
        flash_wait(f);
        return;
    }
    if (status == MBOX_STATUS_DATA_READY) {
        for (int i = 0; i < AUTHORIZE_RSP_WORDS; i++) {
            result = bootmcu_read(s, BOOTMCU_MBOX(MBOX_DATAOUT));
        }
    }
    bootmcu_write(s, BOOTMCU_MBOX(MBOX_EXECUTE), 0);
    if (status != MBOX_STATUS_DATA_READY) {
        why = caliptra_bringup_error(b);
    } else if (result == IMAGE_HASH_MISMATCH) {
        why = g_strdup_printf("its digest is not the SoC manifest's "
                              "(0x%08x)", result);
    } else if (result == IMAGE_NOT_AUTHORIZED) {
        why = g_strdup_printf("not in the SoC manifest (0x%08x)", result);
    } else if (result != IMAGE_AUTHORIZED) {
        why = g_strdup_printf("not authorized (0x%08x)", result);
    }
    if (why) {
        flash_fail(f, name, why);
        return;
    }
    flash_enter(f, FLASH_COPY_IMAGE, FLASH_STEP_NS);
}

/* ---- registers of the CPU die ---- */

/* what the BootMCU's firmware sets up for the SSP (ssp_tsp_ast2700.c) */
static const struct {
    uint32_t offset;
    uint32_t data;
} flash_ssp_init[] = {
    { 0x200, 0x40000000 },              /* reset and its end */
    { 0x204, 0x40000000 },
    { 0x120, 0x1E },
    { 0x150, 0 },                       /* memory map */
    { 0x154, 0x05880000 },
    { 0x148, 0x05880000 },
    { 0x14C, 0x1A77E000 },
    { 0x140, 0x1FFFE000 },
    { 0x144, 0x2000 },
    { 0x124, 0x40000000 },
    { 0x128, 0x42C00000 },
    { 0x12C, 0xFFFFFFFF },              /* caches */
    { 0x130, 0xFFFFFFFF },
    { 0x138, 3 },
}, flash_tsp_init[] = {
    { 0x220, 0x200 },
    { 0x224, 0x200 },
    { 0x160, 0x1E },
    { 0x194, 0x02000000 },
    { 0x168, 0x42E00000 },
    { 0x16C, 0xFFFFFFFF },
    { 0x170, 0xFFFFFFFF },
    { 0x178, 3 },
};

/* An image is at its place: what the SCU has to know of that */
static void flash_post_process(BootMcuFlash *f, const AspeedFlshKind *kind)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    switch (kind->identifier) {
    case ASPEED_FLSH_ATF:
        for (int n = 0; n < ASPEED_2700_CA35_CORES; n++) {
            bootmcu_write(s, SCU0_CA35_RVBAR(n), kind->load_addr >> 4);
        }
        break;
    case ASPEED_FLSH_UBOOT:
        bootmcu_write(s, SCU0_SMP_EP(0), extract64(kind->load_addr, 0, 32));
        bootmcu_write(s, SCU0_SMP_EP(0) + 4,
                      extract64(kind->load_addr, 32, 32));
        break;
    case ASPEED_FLSH_SSP:
        for (int i = 0; i < ARRAY_SIZE(flash_ssp_init); i++) {
            bootmcu_write(s, ASPEED_CALIPTRA_SCU + flash_ssp_init[i].offset,
                          flash_ssp_init[i].data);
        }
        break;
    case ASPEED_FLSH_TSP:
        for (int i = 0; i < ARRAY_SIZE(flash_tsp_init); i++) {
            bootmcu_write(s, ASPEED_CALIPTRA_SCU + flash_tsp_init[i].offset,
                          flash_tsp_init[i].data);
        }
        break;
    default:
        break;
    }
    f->loaded |= 1u << (kind->identifier - ASPEED_FLSH_SOC_IMAGES);
}

static bool flash_has_loaded(BootMcuFlash *f, uint32_t identifier)
{
    return f->loaded & 1u << (identifier - ASPEED_FLSH_SOC_IMAGES);
}

static void flash_copy_image(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    const AspeedFlshKind *kind = flash_kind(f);
    uint32_t size = MIN(flash_image(f)->size - f->pos, FLASH_COPY_CHUNK);
    g_autofree uint8_t *data = g_malloc(size);
    g_autofree char *name = flash_image_name(kind);

    if (address_space_read(&s->as, FLASH_BUFFER + f->pos,
                           MEMTXATTRS_UNSPECIFIED, data, size) != MEMTX_OK ||
        address_space_write(&s->as, kind->load_addr + f->pos,
                            MEMTXATTRS_UNSPECIFIED, data, size) != MEMTX_OK) {
        flash_fail(f, name, "no DRAM where it is loaded");
        return;
    }
    f->pos += size;
    if (f->pos < flash_image(f)->size) {
        flash_enter(f, FLASH_COPY_IMAGE,
                    size / KiB * FLASH_COPY_KIB_NS);
        return;
    }
    flash_post_process(f, kind);
    bootmcu_log(s, "%s: %s, %u bytes to 0x%" PRIx64, name,
                flash_secure(f) ? "authorized" : "not checked", f->pos,
                kind->load_addr);
    f->image++;
    f->pos = 0;
    flash_enter(f, FLASH_IMAGE, FLASH_STEP_NS);
}

static void flash_start_cm4(BootMcuFlash *f, hwaddr ctrl)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    bootmcu_write(s, ctrl, bootmcu_read(s, ctrl) | ASPEED_SCU0_CTRL0_ENABLE |
                  ASPEED_SCU0_CTRL0_RESET);
}

/* The order of the BootMCU's firmware (board_ast2700.c) */
static void flash_release(BootMcuFlash *f)
{
    AspeedBootMcuState *s = bootmcu_of_flash(f);

    if (!flash_has_loaded(f, ASPEED_FLSH_ATF)) {
        flash_fail(f, "no ATF among the images", "nothing to start the CA35 "
                   "cores with");
        return;
    }
    flash_stop(f);
    bootmcu_write(s, UFS_AXI_PATH, 1);
    for (int n = 1; n < ASPEED_2700_CA35_CORES; n++) {
        bootmcu_write(s, SCU0_SMP_EP(n), 0);
        bootmcu_write(s, SCU0_SMP_EP(n) + 4, 0);
    }
    bootmcu_release_cores(s);
    if (flash_has_loaded(f, ASPEED_FLSH_SSP)) {
        flash_start_cm4(f, BOOTMCU_SCU(SSP_CTRL0));
    }
    if (flash_has_loaded(f, ASPEED_FLSH_TSP)) {
        flash_start_cm4(f, BOOTMCU_SCU(TSP_CTRL0));
    }
}

static void flash_step(void *opaque)
{
    BootMcuFlash *f = opaque;

    switch (f->stage) {
    case FLASH_HEADER:
        flash_header(f);
        break;
    case FLASH_TABLE:
        flash_table(f);
        break;
    case FLASH_MANIFEST:
        flash_manifest(f);
        break;
    case FLASH_WAIT_MANIFEST:
        flash_wait_manifest(f);
        break;
    case FLASH_IMAGE:
        flash_next_image(f);
        break;
    case FLASH_READ_IMAGE:
        flash_read_image(f);
        break;
    case FLASH_HASH_LOCK:
        flash_hash_lock(f);
        break;
    case FLASH_HASH:
        flash_hash(f);
        break;
    case FLASH_WAIT_HASH:
        flash_wait_hash(f);
        break;
    case FLASH_AUTHORIZE:
        flash_authorize(f);
        break;
    case FLASH_WAIT_AUTHORIZE:
        flash_wait_authorize(f);
        break;
    case FLASH_COPY_IMAGE:
        flash_copy_image(f);
        break;
    case FLASH_RELEASE:
        flash_release(f);
        break;
    default:
        g_assert_not_reached();
    }
}

/* ---- to the rest of the BootMCU ---- */

void bootmcu_flash_boot(AspeedBootMcuState *s)
{
    BootMcuFlash *f = &s->flash;

    bootmcu_flash_drop_bundle(f);
    f->container = 0;
    f->image = 0;
    f->pos = 0;
    f->loads = 0;
    f->loaded = 0;
    if (f->size > FLASH_A1_CONTAINER + ASPEED_FLSH_HEADER_SIZE) {
        flash_enter(f, FLASH_HEADER, FLASH_STEP_NS);
    } else {
        flash_no_container(f);
    }
}

void bootmcu_flash_stop(AspeedBootMcuState *s)
{
    flash_stop(&s->flash);
    bootmcu_flash_drop_bundle(&s->flash);
}

void bootmcu_flash_reset(AspeedBootMcuState *s)
{
    bootmcu_flash_stop(s);
    /* what the guest has written is to be seen by the reads that follow */
    if (s->flash.blk) {
        blk_drain(s->flash.blk);
    }
}

const char *bootmcu_flash_stage(AspeedBootMcuState *s)
{
    return flash_stage_name[s->flash.stage];
}

void bootmcu_flash_init(AspeedBootMcuState *s)
{
    timer_init_ns(&s->flash.timer, QEMU_CLOCK_VIRTUAL, flash_step, &s->flash);
}

/* The file as the user knows it, not the overlay of -snapshot; to be freed */
static char *flash_file_name(BootMcuFlash *f)
{
    BlockDriverState *bs = f->blk ? blk_bs(f->blk) : NULL;

    if (!bs) {
        return g_strdup("boot flash");
    }
    if (bs->open_flags & BDRV_O_TEMPORARY && bs->backing) {
        bs = bs->backing->bs;
    }
    return g_strdup(bs->filename);
}

bool bootmcu_flash_realize(AspeedBootMcuState *s, Error **errp)
{
    BootMcuFlash *f = &s->flash;

    f->blk = f->dev ? m25p80_get_blk(f->dev) : NULL;
    f->size = f->blk ? MAX(blk_getlength(f->blk), 0) : 0;
    if (!f->size && !s->firmware_file) {
        error_setg(errp, "no Caliptra firmware: neither a file nor a drive "
                   "for the boot flash (-drive file=FILE,if=mtd,format=raw)");
        return false;
    }
    f->name = flash_file_name(f);
    bootmcu_flash_drop_bundle(f);
    return true;
}

void bootmcu_flash_finalize(AspeedBootMcuState *s)
{
    flash_stop(&s->flash);
    g_free(s->flash.bundle);
    g_free(s->flash.name);
}

/* ---- migration ---- */

static bool flash_has_bundle(void *opaque, int version_id)
{
    return ((BootMcuFlash *)opaque)->bundle_stage == BUNDLE_THERE;
}

/* What the stages take for granted */
static bool flash_post_load(void *opaque, int version_id, Error **errp)
{
    BootMcuFlash *f = opaque;
    AspeedBootMcuState *s = bootmcu_of_flash(f);
    bool bundle = f->bundle_stage == BUNDLE_THERE;
    bool image = f->stage > FLASH_IMAGE && f->stage < FLASH_RELEASE;

    if (f->stage >= FLASH_STAGES || f->bundle_stage >= BUNDLE_STAGES ||
        f->flsh.count > ASPEED_FLSH_MAX_IMAGES ||
        f->bundle_size > BOOTMCU_BUNDLE_MAX ||
        bundle != (f->bundle && f->bundle_size) ||
        (bundle && s->firmware_file) ||
        (f->stage != FLASH_IDLE) != timer_pending(&f->timer) ||
        ((f->stage != FLASH_IDLE || f->reading) && !f->blk)) {
        goto bad;
    }
    if (image &&
        (f->image >= f->flsh.count || !flash_is_loaded(f) || f->pos % 4 ||
         f->pos >= flash_padded_size(f) ||
         !aspeed_flsh_check_size(flash_kind(f), flash_image(f)->size,
                                 NULL))) {
        goto bad;
    }
    if (bundle) {
        bootmcu_flash_set_bundle(f);
    }
    return true;

bad:
    error_setg(errp, "bad state of the boot from flash, or another flash");
    return false;
}

static const VMStateDescription vmstate_flsh_image = {
    .name = "aspeed-flsh-image",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(identifier, AspeedFlshImage),
        VMSTATE_UINT32(offset, AspeedFlshImage),
        VMSTATE_UINT32(size, AspeedFlshImage),
        VMSTATE_END_OF_LIST()
    },
};

/* a read that is under way is asked for again */
const VMStateDescription vmstate_bootmcu_flash = {
    .name = "aspeed-bootmcu-flash",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = flash_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_TIMER(timer, BootMcuFlash),
        VMSTATE_UINT8(stage, BootMcuFlash),
        VMSTATE_INT64(deadline, BootMcuFlash),
        VMSTATE_BOOL(reading, BootMcuFlash),
        VMSTATE_INT64(due, BootMcuFlash),
        VMSTATE_UINT8(bundle_stage, BootMcuFlash),
        VMSTATE_UINT32(bundle_offset, BootMcuFlash),
        VMSTATE_UINT32(bundle_size, BootMcuFlash),
        VMSTATE_VBUFFER_ALLOC_UINT32(bundle, BootMcuFlash, 1,
                                     flash_has_bundle, bundle_size),
        VMSTATE_UINT32(container, BootMcuFlash),
        VMSTATE_UINT16(flsh.count, BootMcuFlash),
        VMSTATE_STRUCT_ARRAY(flsh.images, BootMcuFlash,
                             ASPEED_FLSH_MAX_IMAGES, 1, vmstate_flsh_image,
                             AspeedFlshImage),
        VMSTATE_UINT32(loads, BootMcuFlash),
        VMSTATE_UINT32(loaded, BootMcuFlash),
        VMSTATE_UINT8(image, BootMcuFlash),
        VMSTATE_UINT32(pos, BootMcuFlash),
        VMSTATE_UINT32_ARRAY(digest, BootMcuFlash, 12),
        VMSTATE_END_OF_LIST()
    },
};
