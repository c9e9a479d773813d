/*
 * Programmable interrupt controller of the VeeR EL2 core
 *
 * 31 sources, each with a gateway (polarity, level or edge), a priority and
 * an enable bit.  What wins is handed to the core with the claim; there is
 * no acknowledge.
 *
 * Source: Cores-VeeR-EL2 design/el2_pic_ctrl.sv; "External Interrupts" in
 * the VeeR EL2 Programmer's Reference Manual.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/intc/veer_pic.h"
#include "hw/core/irq.h"
#include "hw/core/registerfields.h"
#include "migration/vmstate.h"

/* blocks of registers, one word a source */
#define PIC_MEIPL       0x0000
#define PIC_MEIP        0x1000
#define PIC_MEIE        0x2000
#define PIC_MPICCFG     0x3000
#define PIC_MEIGWCTRL   0x4000
#define PIC_MEIGWCLR    0x5000
#define PIC_BLOCK       0x1000

#define PIC_PRIORITY    0xF
FIELD(MEIGWCTRL, POLARITY, 0, 1)
FIELD(MEIGWCTRL, TYPE, 1, 1)

static uint32_t veer_pic_active(VeerPicState *s)
{
    return s->request ^ s->active_low;
}

/* What the gateways let through */
static uint32_t veer_pic_pending(VeerPicState *s)
{
    return (veer_pic_active(s) | (s->edge & s->latch)) & ~1u;
}

/* In reversed order all comparisons are between complements */
static uint8_t veer_pic_rank(VeerPicState *s, uint8_t priority)
{
    return s->reversed ? priority ^ PIC_PRIORITY : priority;
}

/* The winner's rank, 0 also if there is none; *@id: 0 then */
static uint8_t veer_pic_winner(VeerPicState *s, uint8_t *id)
{
    uint32_t candidates = veer_pic_pending(s) & s->enable;
    uint8_t best = 0;

    *id = 0;
    while (candidates) {
        unsigned n = ctz32(candidates);
        uint8_t rank = veer_pic_rank(s, s->priority[n]);

        /* of equals the lowest number */
        if (rank > best) {
            best = rank;
            *id = n;
        }
        candidates &= candidates - 1;
    }
    return best;
}

static void veer_pic_update(VeerPicState *s)
{
    uint8_t id;
    uint8_t rank;

    s->latch |= veer_pic_active(s);
    rank = veer_pic_winner(s, &id);
    qemu_set_irq(s->out_wake, rank == PIC_PRIORITY);
    qemu_set_irq(s->out_ext, rank > veer_pic_rank(s, s->meipt) &&
                             rank > veer_pic_rank(s, s->meicurpl));
}

void veer_pic_claim(void *opaque, uint8_t *id, uint8_t *priority)
{
    VeerPicState *s = opaque;

    *priority = veer_pic_rank(s, veer_pic_winner(s, id));
}

void veer_pic_set_thresholds(void *opaque, uint8_t meipt, uint8_t meicurpl)
{
    VeerPicState *s = opaque;

    s->meipt = meipt;
    s->meicurpl = meicurpl;
    veer_pic_update(s);
}

static void veer_pic_set_request(void *opaque, int n, int level)
{
    VeerPicState *s = opaque;

    s->request = deposit32(s->request, n, 1, !!level);
    veer_pic_update(s);
}

/* ---- registers ---- */

static uint64_t veer_pic_read(void *opaque, hwaddr addr, unsigned size)
{
    VeerPicState *s = opaque;
    unsigned n = addr % PIC_BLOCK / 4;
    uint32_t r = 0;

    if (addr == PIC_MEIP) {
        return veer_pic_pending(s);
    } else if (addr == PIC_MPICCFG) {
        return s->reversed;
    } else if (n == 0 || n >= VEER_PIC_SOURCES) {
        return 0;
    }
    switch (addr - 4 * n) {
    case PIC_MEIPL:
        return s->priority[n];
    case PIC_MEIE:
        return extract32(s->enable, n, 1);
    case PIC_MEIGWCTRL:
        r = FIELD_DP32(r, MEIGWCTRL, POLARITY, extract32(s->active_low, n, 1));
        return FIELD_DP32(r, MEIGWCTRL, TYPE, extract32(s->edge, n, 1));
    default:
        return 0;
    }
}

static void veer_pic_write(void *opaque, hwaddr addr, uint64_t data,
                           unsigned size)
{
    VeerPicState *s = opaque;
    unsigned n = addr % PIC_BLOCK / 4;

    if (addr == PIC_MPICCFG) {
        s->reversed = data & 1;
    } else if (n == 0 || n >= VEER_PIC_SOURCES) {
        return;
    }
    switch (addr - 4 * n) {
    case PIC_MEIPL:
        s->priority[n] = data & PIC_PRIORITY;
        break;
    case PIC_MEIE:
        s->enable = deposit32(s->enable, n, 1, data & 1);
        break;
    case PIC_MEIGWCTRL:
        s->active_low = deposit32(s->active_low, n, 1,
                                  FIELD_EX32(data, MEIGWCTRL, POLARITY));
        s->edge = deposit32(s->edge, n, 1, FIELD_EX32(data, MEIGWCTRL, TYPE));
        break;
    case PIC_MEIGWCLR:
        s->latch &= ~BIT(n);
        break;
    }
    veer_pic_update(s);
}

static const MemoryRegionOps veer_pic_ops = {
    .read = veer_pic_read,
    .write = veer_pic_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 4, .max_access_size = 4 },
};

/* ---- device ---- */

static void veer_pic_reset_hold(Object *obj, ResetType type)
{
    VeerPicState *s = VEER_PIC(obj);

    /* requests are the levels of others' lines */
    s->latch = 0;
    s->enable = 0;
    s->active_low = 0;
    s->edge = 0;
    memset(s->priority, 0, sizeof(s->priority));
    s->reversed = false;
    s->meipt = 0;
    s->meicurpl = 0;
}

static void veer_pic_reset_exit(Object *obj, ResetType type)
{
    veer_pic_update(VEER_PIC(obj));
}

static int veer_pic_post_load(void *opaque, int version_id)
{
    VeerPicState *s = opaque;
    unsigned n;

    for (n = 0; n < VEER_PIC_SOURCES; n++) {
        if (s->priority[n] > PIC_PRIORITY) {
            return -EINVAL;
        }
    }
    return s->meipt > PIC_PRIORITY || s->meicurpl > PIC_PRIORITY ? -EINVAL : 0;
}

static const VMStateDescription vmstate_veer_pic = {
    .name = TYPE_VEER_PIC,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = veer_pic_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(request, VeerPicState),
        VMSTATE_UINT32(latch, VeerPicState),
        VMSTATE_UINT32(enable, VeerPicState),
        VMSTATE_UINT32(active_low, VeerPicState),
        VMSTATE_UINT32(edge, VeerPicState),
        VMSTATE_UINT8_ARRAY(priority, VeerPicState, VEER_PIC_SOURCES),
        VMSTATE_BOOL(reversed, VeerPicState),
        VMSTATE_UINT8(meipt, VeerPicState),
        VMSTATE_UINT8(meicurpl, VeerPicState),
        VMSTATE_END_OF_LIST()
    },
};

static void veer_pic_init(Object *obj)
{
    VeerPicState *s = VEER_PIC(obj);
    DeviceState *dev = DEVICE(obj);

    memory_region_init_io(&s->iomem, obj, &veer_pic_ops, s, TYPE_VEER_PIC,
                          VEER_PIC_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(obj), &s->iomem);
    qdev_init_gpio_in(dev, veer_pic_set_request, VEER_PIC_SOURCES);
    qdev_init_gpio_out_named(dev, &s->out_ext, VEER_PIC_OUT_EXT, 1);
    qdev_init_gpio_out_named(dev, &s->out_wake, VEER_PIC_OUT_WAKE, 1);
}

static void veer_pic_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "VeeR EL2 interrupt controller";
    dc->vmsd = &vmstate_veer_pic;
    /* Reason: the core calls it */
    dc->user_creatable = false;
    rc->phases.hold = veer_pic_reset_hold;
    rc->phases.exit = veer_pic_reset_exit;
}

static const TypeInfo veer_pic_types[] = {
    {
        .name = TYPE_VEER_PIC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(VeerPicState),
        .instance_init = veer_pic_init,
        .class_init = veer_pic_class_init,
    },
};

DEFINE_TYPES(veer_pic_types)
