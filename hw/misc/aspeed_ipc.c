/*
 * ASPEED AST27x0 inter-processor mailboxes (IPC)
 *
 * Each half of a slot carries messages of 32 bytes in one direction, on four
 * channels.  The sender writes the message and triggers the channel, which
 * sets its status bit; the receiver, interrupted if it has enabled the
 * channel, takes the message and clears the bit.
 *
 * Described by Linux's drivers/mailbox/ast2700-mailbox.c and its binding
 * mailbox/aspeed,ast2700-mailbox.yaml, by U-Boot's and by Zephyr's driver
 * (AspeedTech-BMC/u-boot, AspeedTech-BMC/zephyr drivers/ipm/ipm_ast2700.c).
 * Where these do not tell: everything is 0 after a reset, TRIG reads as
 * STATUS, and what is not named does not exist.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/bitops.h"
#include "qemu/log.h"
#include "qapi/error.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "migration/vmstate.h"
#include "hw/misc/aspeed_ipc.h"
#include "trace.h"

#define IPC_HALF_SIZE       0x100
#define IPC_CHANNEL_MASK    MAKE_64BIT_MASK(0, ASPEED_IPC_CHANNELS)
#define IPC_DATA_END        ASPEED_IPC_DATA(ASPEED_IPC_CHANNELS)

static void aspeed_ipc_update(AspeedIPCState *s, unsigned n)
{
    qemu_set_irq(s->irq[n], (s->half[n].status & s->half[n].enable) != 0);
}

/* The half that an offset is in; NULL: behind the last slot */
static AspeedIPCHalf *aspeed_ipc_half(AspeedIPCState *s, hwaddr offset)
{
    unsigned n = offset / IPC_HALF_SIZE;

    return n < 2 * s->num_slots ? &s->half[n] : NULL;
}

/* A register of a half; NULL: there is none, and the guest is told */
static uint32_t *aspeed_ipc_reg(AspeedIPCState *s, hwaddr offset)
{
    AspeedIPCHalf *half = aspeed_ipc_half(s, offset);
    unsigned reg = offset % IPC_HALF_SIZE & ~3;

    if (half) {
        switch (reg) {
        case ASPEED_IPC_TRIG:
        case ASPEED_IPC_STATUS:
            return &half->status;
        case ASPEED_IPC_ENABLE:
            return &half->enable;
        case ASPEED_IPC_DATA(0) ... IPC_DATA_END - 4:
            return &half->data[(reg - ASPEED_IPC_DATA(0)) / 4];
        }
    }
    qemu_log_mask(LOG_GUEST_ERROR, "%s: no register at 0x%" HWADDR_PRIx "\n",
                  TYPE_ASPEED_IPC, offset);
    return NULL;
}

static uint64_t aspeed_ipc_read(void *opaque, hwaddr offset, unsigned size)
{
    AspeedIPCState *s = opaque;
    uint32_t *reg = aspeed_ipc_reg(s, offset);
    uint64_t data = reg ? extract32(*reg, offset % 4 * 8, size * 8) : 0;

    trace_aspeed_ipc_read(offset, size, data);
    return data;
}

static void aspeed_ipc_write(void *opaque, hwaddr offset, uint64_t data,
                             unsigned size)
{
    AspeedIPCState *s = opaque;
    uint32_t *reg = aspeed_ipc_reg(s, offset);
    unsigned shift = offset % 4 * 8;

    trace_aspeed_ipc_write(offset, size, data);
    if (!reg) {
        return;
    }
    switch (offset % IPC_HALF_SIZE & ~3) {
    case ASPEED_IPC_TRIG:
        *reg |= data << shift & IPC_CHANNEL_MASK;
        break;
    case ASPEED_IPC_STATUS:
        *reg &= ~(data << shift);
        break;
    case ASPEED_IPC_ENABLE:
        *reg = deposit32(*reg, shift, size * 8, data) & IPC_CHANNEL_MASK;
        break;
    default:
        *reg = deposit32(*reg, shift, size * 8, data);
        return;
    }
    aspeed_ipc_update(s, offset / IPC_HALF_SIZE);
}

static const MemoryRegionOps aspeed_ipc_ops = {
    .read = aspeed_ipc_read,
    .write = aspeed_ipc_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid.min_access_size = 1,
    .valid.max_access_size = 4,
};

static void aspeed_ipc_reset_enter(Object *obj, ResetType type)
{
    AspeedIPCState *s = ASPEED_IPC(obj);

    memset(s->half, 0, sizeof(s->half));
}

static void aspeed_ipc_reset_hold(Object *obj, ResetType type)
{
    AspeedIPCState *s = ASPEED_IPC(obj);

    for (unsigned n = 0; n < 2 * s->num_slots; n++) {
        aspeed_ipc_update(s, n);
    }
}

static void aspeed_ipc_realize(DeviceState *dev, Error **errp)
{
    AspeedIPCState *s = ASPEED_IPC(dev);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);

    if (s->num_slots < 1 || s->num_slots > ASPEED_IPC_MAX_SLOTS) {
        error_setg(errp, "'num-slots' must be 1 to %u", ASPEED_IPC_MAX_SLOTS);
        return;
    }
    memory_region_init_io(&s->iomem, OBJECT(dev), &aspeed_ipc_ops, s,
                          TYPE_ASPEED_IPC, ASPEED_IPC_SIZE);
    sysbus_init_mmio(sbd, &s->iomem);
    for (unsigned n = 0; n < 2 * s->num_slots; n++) {
        sysbus_init_irq(sbd, &s->irq[n]);
    }
}

static bool aspeed_ipc_half_post_load(void *opaque, int version_id,
                                      Error **errp)
{
    AspeedIPCHalf *half = opaque;

    if ((half->enable | half->status) & ~IPC_CHANNEL_MASK) {
        error_setg(errp, "bad IPC state: channels above %u",
                   ASPEED_IPC_CHANNELS - 1);
        return false;
    }
    return true;
}

static const VMStateDescription vmstate_aspeed_ipc_half = {
    .name = TYPE_ASPEED_IPC "/half",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = aspeed_ipc_half_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(enable, AspeedIPCHalf),
        VMSTATE_UINT32(status, AspeedIPCHalf),
        VMSTATE_UINT32_ARRAY(data, AspeedIPCHalf,
                             ASPEED_IPC_CHANNELS * ASPEED_IPC_MSG_WORDS),
        VMSTATE_END_OF_LIST()
    },
};

/* slots are configuration: those that are not here are untouched */
static bool aspeed_ipc_post_load(void *opaque, int version_id, Error **errp)
{
    AspeedIPCState *s = opaque;

    for (unsigned n = 2 * s->num_slots; n < ARRAY_SIZE(s->half); n++) {
        if (!buffer_is_zero(&s->half[n], sizeof(s->half[n]))) {
            error_setg(errp, "bad IPC state: there are %u slots",
                       s->num_slots);
            return false;
        }
    }
    return true;
}

static const VMStateDescription vmstate_aspeed_ipc = {
    .name = TYPE_ASPEED_IPC,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = aspeed_ipc_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(half, AspeedIPCState, 2 * ASPEED_IPC_MAX_SLOTS, 1,
                             vmstate_aspeed_ipc_half, AspeedIPCHalf),
        VMSTATE_END_OF_LIST()
    },
};

static const Property aspeed_ipc_properties[] = {
    DEFINE_PROP_UINT8("num-slots", AspeedIPCState, num_slots,
                      ASPEED_IPC_MAX_SLOTS),
};

static void aspeed_ipc_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "ASPEED AST27x0 inter-processor mailboxes";
    dc->realize = aspeed_ipc_realize;
    dc->vmsd = &vmstate_aspeed_ipc;
    dc->user_creatable = false;
    device_class_set_props(dc, aspeed_ipc_properties);
    object_class_property_set_description(klass, "num-slots",
        "Number of slots, one per pair of processors");
    rc->phases.enter = aspeed_ipc_reset_enter;
    rc->phases.hold = aspeed_ipc_reset_hold;
}

static const TypeInfo aspeed_ipc_types[] = {
    {
        .name = TYPE_ASPEED_IPC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(AspeedIPCState),
        .class_init = aspeed_ipc_class_init,
    },
};

DEFINE_TYPES(aspeed_ipc_types)
