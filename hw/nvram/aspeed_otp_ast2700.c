/*
 * OTP memory and its controller of the ASPEED AST2700
 *
 * Written after the drivers that use it: U-Boot's aspeed_otp_ast2700 and
 * "otp" command, Zephyr's otp_ast2700, Linux's.  What they do not settle is
 * a choice of this model:
 *
 * - Commands finish at once.  The six masters, one block of registers each,
 *   may do the same.
 * - A region whose write protection is set in OTPCFG0 cannot be programmed,
 *   and nothing can with OTPCFG0[15] set.  Reads are not restricted: the
 *   BootMCU's boot ROM needs them, and at what point hardware cuts them off
 *   is not documented.
 * - The ECC of the cells is not modelled: there are no bit errors.
 * - Registers without a known effect keep what is written to them.
 *
 * The content survives resets.  It comes from a drive and goes back to it
 * while the machine runs on, if the drive can be written and its form has a
 * place for each word.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/log.h"
#include "qemu/memalign.h"
#include "qapi/error.h"
#include "block/block-global-state.h"
#include "system/block-backend.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/nvram/aspeed_otp_ast2700.h"
#include "migration/vmstate.h"
#include "aspeed_otp_image.h"
#include "hw/nvram/trace.h"

#define R(_offset)          ((_offset) / 4)

/* Registers of a master's block, as words from its command register */
enum {
    OTP_M_CMD,
    OTP_M_WDATA,
    OTP_M_STATUS = 5,
    OTP_M_ADDR,
    OTP_M_RDATA,
    OTP_M_REGS,
};

/* STATUS[7:4] */
typedef enum OtpResult {
    OTP_PASS,
    OTP_FAIL,
    OTP_COMPARE_FAIL,
    OTP_REGION_FAIL,
    OTP_NO_PERMISSION,
} OtpResult;

/* OTPCFG0 */
#define OTPCFG0_MEM_LOCK    BIT(15)

static const struct {
    uint16_t end;
    uint16_t write_protect;     /* bit of OTPCFG0 */
} otp_protection[] = {
    { ASPEED_OTP_RBP, BIT(5) },
    { ASPEED_OTP_CONF, BIT(10) },
    { ASPEED_OTP_STRAP, BIT(6) },
    { ASPEED_OTP_STRAP_EXT, BIT(7) },
    { ASPEED_OTP_USER, BIT(4) },
    { ASPEED_OTP_CALIPTRA, 0 },
    { ASPEED_OTP_PUF, BIT(12) },
    { ASPEED_OTP_WORDS, BIT(14) },
};

/* Fields that PROGRAM_MULTI programs as a whole; it has no count */
static const struct {
    uint16_t addr;
    uint8_t words;
} otp_multi[] = {
    { ASPEED_OTP_RBP + 4, 4 },
    { ASPEED_OTP_RBP + 8, 2 },
    { ASPEED_OTP_RBP + 10, 8 },
};

/* Registers that keep what is written to them; all others are read-only */
static const struct {
    uint16_t first;
    uint16_t last;
} otp_storage[] = {
    { 0x0D0, 0x0F0 },   /* PID, ECC_EN, locks, SW_RST, PMC_CQ */
    { 0x100, 0x1F0 },   /* regions, RBP, PUF, masters, keys, SVNs */
    { 0x200, 0x214 },   /* interrupts */
    { 0x538, 0x538 },   /* DAP_CFG_RQ */
};

/* ---- the drive ---- */

static const char *otp_drive_name(AspeedOTPAST2700State *s)
{
    return bdrv_get_device_or_node_name(blk_bs(s->blk));
}

static void otp_words_from_le(uint16_t *words, const uint8_t *buf, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        words[i] = lduw_le_p(buf + 2 * i);
    }
}

static void otp_write_back(AspeedOTPAST2700State *s);

static void otp_write_done(void *opaque, int ret)
{
    AspeedOTPAST2700State *s = opaque;

    s->writing = false;
    if (ret < 0) {
        /* the next word that is programmed tries again */
        error_report("OTP: cannot write to drive '%s': %s",
                     otp_drive_name(s), strerror(-ret));
        return;
    }
    otp_words_from_le(s->stored + s->write_start, s->buf, s->write_words);
    otp_write_back(s);
}

/*
 * Write what the drive does not hold yet.  One write at a time: two that
 * overlap might arrive in any order.
 */
static void otp_write_back(AspeedOTPAST2700State *s)
{
    int first = 0;
    int last = ASPEED_OTP_WORDS - 1;

    if (!s->stored || s->writing) {
        return;
    }
    while (first <= last && s->words[first] == s->stored[first]) {
        first++;
    }
    if (first > last) {
        return;
    }
    while (s->words[last] == s->stored[last]) {
        last--;
    }
    for (int i = first; i <= last; i++) {
        stw_le_p(s->buf + 2 * (i - first), s->words[i]);
    }
    s->write_start = first;
    s->write_words = last - first + 1;
    s->writing = true;
    trace_aspeed_otp_ast2700_write_back(first, s->write_words);
    qemu_iovec_init_buf(&s->qiov, s->buf, 2 * s->write_words);
    blk_aio_pwritev(s->blk, 2 * first, &s->qiov, 0, otp_write_done, s);
}

/* Before the machine stops, all is written; after an incoming stream, too */
static void otp_vm_state(void *opaque, bool running, RunState state)
{
    AspeedOTPAST2700State *s = opaque;

    if (running) {
        otp_write_back(s);
    } else {
        while (s->writing) {
            blk_drain(s->blk);
        }
    }
}

static void otp_save(AspeedOTPAST2700State *s)
{
    if (s->stored) {
        otp_write_back(s);
    } else if (s->blk && !s->told) {
        warn_report("OTP: what the guest programs is not saved: drive '%s' "
                    "is read-only, or is an image with regions",
                    otp_drive_name(s));
        s->told = true;
    }
}

/* ---- commands ---- */

static bool otp_protected(AspeedOTPAST2700State *s, uint32_t addr)
{
    uint16_t cfg0 = s->words[ASPEED_OTP_CONF];
    int i = 0;

    while (addr >= otp_protection[i].end) {
        i++;
    }
    return cfg0 & (otp_protection[i].write_protect | OTPCFG0_MEM_LOCK);
}

/* @wdata: two words a register, low word first */
static OtpResult otp_program(AspeedOTPAST2700State *s, uint32_t addr,
                             const uint32_t *wdata, unsigned n)
{
    if (otp_protected(s, addr)) {
        return OTP_REGION_FAIL;
    }
    for (unsigned i = 0; i < n; i++) {
        s->words[addr + i] |= extract32(wdata[i / 2], i % 2 * 16, 16);
    }
    otp_save(s);
    return OTP_PASS;
}

static OtpResult otp_program_multi(AspeedOTPAST2700State *s, uint32_t addr,
                                   const uint32_t *wdata)
{
    for (int i = 0; i < ARRAY_SIZE(otp_multi); i++) {
        if (otp_multi[i].addr == addr) {
            return otp_program(s, addr, wdata, otp_multi[i].words);
        }
    }
    qemu_log_mask(LOG_GUEST_ERROR, "%s: no field of several words at 0x%x\n",
                  TYPE_ASPEED_OTP_AST2700, addr);
    return OTP_FAIL;
}

static OtpResult otp_command(AspeedOTPAST2700State *s, uint32_t *m)
{
    uint32_t addr = m[OTP_M_ADDR];

    if (!s->regs[R(ASPEED_OTP_KEY)]) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: command 0x%08x while locked\n",
                      TYPE_ASPEED_OTP_AST2700, m[OTP_M_CMD]);
        return OTP_NO_PERMISSION;
    }
    if (m[OTP_M_CMD] == ASPEED_OTP_CMD_BIST) {
        return OTP_PASS;
    }
    if (addr >= ASPEED_OTP_WORDS) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: no word 0x%x\n",
                      TYPE_ASPEED_OTP_AST2700, addr);
        return OTP_FAIL;
    }
    switch (m[OTP_M_CMD]) {
    case ASPEED_OTP_CMD_READ:
        m[OTP_M_RDATA] = s->words[addr];
        return OTP_PASS;
    case ASPEED_OTP_CMD_COMPARE:
        return s->words[addr] == extract32(m[OTP_M_WDATA], 0, 16) ?
               OTP_PASS : OTP_COMPARE_FAIL;
    case ASPEED_OTP_CMD_PROGRAM:
        return otp_program(s, addr, &m[OTP_M_WDATA], 1);
    case ASPEED_OTP_CMD_PROGRAM_MULTI:
        return otp_program_multi(s, addr, &m[OTP_M_WDATA]);
    default:
        qemu_log_mask(LOG_GUEST_ERROR, "%s: unknown command 0x%08x\n",
                      TYPE_ASPEED_OTP_AST2700, m[OTP_M_CMD]);
        return OTP_FAIL;
    }
}

/* ---- registers ---- */

static uint64_t otp_read(void *opaque, hwaddr offset, unsigned size)
{
    AspeedOTPAST2700State *s = opaque;

    if (R(offset) >= ASPEED_OTP_AST2700_REGS) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: read at 0x%" HWADDR_PRIx "\n",
                      TYPE_ASPEED_OTP_AST2700, offset);
        return 0;
    }
    return s->regs[R(offset)];
}

static void otp_write_master(AspeedOTPAST2700State *s, hwaddr offset,
                             uint32_t data)
{
    unsigned n = R(offset - ASPEED_OTP_CMD(0));
    uint32_t *m = &s->regs[R(ASPEED_OTP_CMD(n / OTP_M_REGS))];
    OtpResult result;

    switch (n % OTP_M_REGS) {
    case OTP_M_STATUS:
    case OTP_M_RDATA:
        qemu_log_mask(LOG_GUEST_ERROR, "%s: write to read-only 0x%"
                      HWADDR_PRIx "\n", TYPE_ASPEED_OTP_AST2700, offset);
        return;
    case OTP_M_CMD:
        m[OTP_M_CMD] = data;
        result = otp_command(s, m);
        m[OTP_M_STATUS] = result << ASPEED_OTP_STATUS_RESULT_SHIFT;
        /* the words themselves may be secrets */
        trace_aspeed_otp_ast2700_command(n / OTP_M_REGS, data, m[OTP_M_ADDR],
                                         result);
        return;
    default:
        m[n % OTP_M_REGS] = data;
    }
}

static void otp_write(void *opaque, hwaddr offset, uint64_t data,
                      unsigned size)
{
    AspeedOTPAST2700State *s = opaque;

    if (offset == ASPEED_OTP_KEY) {
        s->regs[R(ASPEED_OTP_KEY)] = data == ASPEED_OTP_KEY_UNLOCK;
        return;
    }
    if (offset <= ASPEED_OTP_RDATA(ASPEED_OTP_MASTERS - 1)) {
        otp_write_master(s, offset, data);
        return;
    }
    for (int i = 0; i < ARRAY_SIZE(otp_storage); i++) {
        if (offset >= otp_storage[i].first && offset <= otp_storage[i].last) {
            s->regs[R(offset)] = data;
            return;
        }
    }
    qemu_log_mask(LOG_GUEST_ERROR, "%s: write at 0x%" HWADDR_PRIx "\n",
                  TYPE_ASPEED_OTP_AST2700, offset);
}

static const MemoryRegionOps otp_ops = {
    .read = otp_read,
    .write = otp_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 4,
    .valid.max_access_size = 4,
    .impl.min_access_size = 4,
    .impl.max_access_size = 4,
};

/* ---- the device ---- */

static void otp_reset_hold(Object *obj, ResetType type)
{
    AspeedOTPAST2700State *s = ASPEED_OTP_AST2700(obj);

    memset(s->regs, 0, sizeof(s->regs));
}

static bool otp_load(AspeedOTPAST2700State *s, Error **errp)
{
    int64_t len = blk_getlength(s->blk);
    bool writable = blk_supports_write_perm(s->blk);
    uint64_t perm = BLK_PERM_CONSISTENT_READ |
                    (writable ? BLK_PERM_WRITE : 0);
    bool flat = false;
    int ret;

    if (blk_set_perm(s->blk, perm, BLK_PERM_ALL, errp) < 0) {
        return false;
    }
    if (len < 0) {
        error_setg_errno(errp, -len, "cannot get its length");
        return false;
    }
    if (len > ASPEED_OTP_IMAGE_MAX) {
        error_setg(errp, "no OTP image: %" PRId64 " bytes, can have at most "
                   "%d", len, ASPEED_OTP_IMAGE_MAX);
        return false;
    }
    s->buf = blk_blockalign(s->blk, ASPEED_OTP_IMAGE_MAX);
    ret = blk_pread(s->blk, 0, len, s->buf, 0);
    if (ret < 0) {
        error_setg_errno(errp, -ret, "cannot be read");
        return false;
    }
    if (!aspeed_otp_image_parse(s->buf, len, s->words, &flat, errp)) {
        return false;
    }
    if (writable && flat) {
        s->stored = g_new0(uint16_t, ASPEED_OTP_WORDS);
        otp_words_from_le(s->stored, s->buf, len / 2);
    }
    return true;
}

static void otp_realize(DeviceState *dev, Error **errp)
{
    AspeedOTPAST2700State *s = ASPEED_OTP_AST2700(dev);

    if (s->blk && !otp_load(s, errp)) {
        error_prepend(errp, "OTP drive '%s': ", otp_drive_name(s));
        qemu_vfree(s->buf);
        s->buf = NULL;
        return;
    }
    if (s->stored) {
        s->vmstate_entry = qemu_add_vm_change_state_handler(otp_vm_state, s);
    }
    memory_region_init_io(&s->iomem, OBJECT(s), &otp_ops, s,
                          TYPE_ASPEED_OTP_AST2700, ASPEED_OTP_AST2700_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(dev), &s->iomem);
}

static void otp_unrealize(DeviceState *dev)
{
    AspeedOTPAST2700State *s = ASPEED_OTP_AST2700(dev);

    while (s->writing) {
        blk_drain(s->blk);
    }
    if (s->vmstate_entry) {
        qemu_del_vm_change_state_handler(s->vmstate_entry);
        s->vmstate_entry = NULL;
    }
    g_free(s->stored);
    s->stored = NULL;
    qemu_vfree(s->buf);
    s->buf = NULL;
}

static bool otp_post_load(void *opaque, int version_id, Error **errp)
{
    AspeedOTPAST2700State *s = opaque;

    if (s->regs[R(ASPEED_OTP_KEY)] > 1) {
        error_setg(errp, "%s: bad key state", TYPE_ASPEED_OTP_AST2700);
        return false;
    }
    for (int m = 0; m < ASPEED_OTP_MASTERS; m++) {
        uint32_t status = s->regs[R(ASPEED_OTP_STATUS(m))];

        if (extract32(status, 0, ASPEED_OTP_STATUS_RESULT_SHIFT) ||
            status >> ASPEED_OTP_STATUS_RESULT_SHIFT > OTP_NO_PERMISSION ||
            s->regs[R(ASPEED_OTP_RDATA(m))] > UINT16_MAX) {
            error_setg(errp, "%s: bad state of master %d",
                       TYPE_ASPEED_OTP_AST2700, m);
            return false;
        }
    }
    return true;
}

static const VMStateDescription vmstate_otp = {
    .name = TYPE_ASPEED_OTP_AST2700,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = otp_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(regs, AspeedOTPAST2700State,
                             ASPEED_OTP_AST2700_REGS),
        VMSTATE_UINT16_ARRAY(words, AspeedOTPAST2700State, ASPEED_OTP_WORDS),
        VMSTATE_END_OF_LIST()
    },
};

static const Property otp_properties[] = {
    DEFINE_PROP_DRIVE("drive", AspeedOTPAST2700State, blk),
};

static void otp_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "ASPEED AST2700 OTP memory";
    dc->realize = otp_realize;
    dc->unrealize = otp_unrealize;
    dc->vmsd = &vmstate_otp;
    dc->user_creatable = false;
    device_class_set_props(dc, otp_properties);
    object_class_property_set_description(klass, "drive",
        "OTP image: otptool's otp-all.image or otp-all.bin, or a dump "
        "(default: an unprovisioned chip)");
    rc->phases.hold = otp_reset_hold;
}

static const TypeInfo otp_types[] = {
    {
        .name = TYPE_ASPEED_OTP_AST2700,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(AspeedOTPAST2700State),
        .class_init = otp_class_init,
    },
};

DEFINE_TYPES(otp_types)
