/*
 * Caliptra 1.x core: the core's end of the link to the microcontroller
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "caliptra_internal.h"

/* ---- the core's side ---- */

bool caliptra_uc_connect(CaliptraUc *uc, CaliptraState *s, Error **errp)
{
    if (uc->core) {
        error_setg(errp, "caliptra: '%s' is the microcontroller of another "
                   "core", object_get_canonical_path_component(OBJECT(uc)));
        return false;
    }
    uc->core = s;
    return true;
}

void caliptra_uc_disconnect(CaliptraUc *uc)
{
    uc->core = NULL;
}

void caliptra_uc_event(CaliptraUc *uc, CaliptraUcEvent event)
{
    if (qdev_is_realized(DEVICE(uc))) {
        CALIPTRA_UC_GET_CLASS(uc)->event(uc, event);
    }
}

/* ---- the microcontroller's side; before there is a core all reads as 0 */

MemTxResult caliptra_uc_read(CaliptraUc *uc, uint32_t addr, uint32_t *data)
{
    if (!uc->core) {
        *data = 0;
        return MEMTX_ERROR;
    }
    if (uc->ready_at_poll) {
        caliptra_internal_poll(uc->core, addr);
    }
    return caliptra_bus_read(uc->core, addr, data);
}

MemTxResult caliptra_uc_write(CaliptraUc *uc, uint32_t addr, uint32_t data)
{
    if (!uc->core) {
        return MEMTX_ERROR;
    }
    return caliptra_bus_write(uc->core, addr, data);
}

bool caliptra_uc_decodes(CaliptraUc *uc, uint32_t addr)
{
    return uc->core && caliptra_bus_decodes(uc->core, addr);
}

static uint32_t uc_wires(CaliptraUc *uc)
{
    return uc->core ? uc->core->wires : 0;
}

uint32_t caliptra_uc_irqs(CaliptraUc *uc)
{
    static const struct {
        uint32_t wire;
        unsigned irq;
    } lines[] = {
        { CALIPTRA_WIRE_DOE_ERROR_INTR, CALIPTRA_UC_IRQ_DOE_ERROR },
        { CALIPTRA_WIRE_DOE_NOTIF_INTR, CALIPTRA_UC_IRQ_DOE_NOTIF },
        { CALIPTRA_WIRE_ECC_ERROR_INTR, CALIPTRA_UC_IRQ_ECC_ERROR },
        { CALIPTRA_WIRE_ECC_NOTIF_INTR, CALIPTRA_UC_IRQ_ECC_NOTIF },
        { CALIPTRA_WIRE_HMAC_ERROR_INTR, CALIPTRA_UC_IRQ_HMAC_ERROR },
        { CALIPTRA_WIRE_HMAC_NOTIF_INTR, CALIPTRA_UC_IRQ_HMAC_NOTIF },
        { CALIPTRA_WIRE_SHA512_ERROR_INTR, CALIPTRA_UC_IRQ_SHA512_ERROR },
        { CALIPTRA_WIRE_SHA512_NOTIF_INTR, CALIPTRA_UC_IRQ_SHA512_NOTIF },
        { CALIPTRA_WIRE_SHA256_ERROR_INTR, CALIPTRA_UC_IRQ_SHA256_ERROR },
        { CALIPTRA_WIRE_SHA256_NOTIF_INTR, CALIPTRA_UC_IRQ_SHA256_NOTIF },
        { CALIPTRA_WIRE_SOC_IFC_ERROR_INTR, CALIPTRA_UC_IRQ_SOC_IFC_ERROR },
        { CALIPTRA_WIRE_SOC_IFC_NOTIF_INTR, CALIPTRA_UC_IRQ_SOC_IFC_NOTIF },
        { CALIPTRA_WIRE_SHA_ERROR_INTR, CALIPTRA_UC_IRQ_SHA_ACC_ERROR },
        { CALIPTRA_WIRE_SHA_NOTIF_INTR, CALIPTRA_UC_IRQ_SHA_ACC_NOTIF },
    };
    uint32_t wires = uc_wires(uc);
    uint32_t irqs = 0;
    size_t i;

    for (i = 0; i < ARRAY_SIZE(lines); i++) {
        irqs |= wires & lines[i].wire ? BIT(lines[i].irq) : 0;
    }
    return irqs;
}

bool caliptra_uc_timer_intr(CaliptraUc *uc)
{
    return uc_wires(uc) & CALIPTRA_WIRE_TIMER_INTR;
}

bool caliptra_uc_nmi_intr(CaliptraUc *uc)
{
    return uc_wires(uc) & CALIPTRA_WIRE_NMI_INTR;
}

uint32_t caliptra_uc_nmi_vector(CaliptraUc *uc)
{
    return uc->core ? uc->core->soc_ifc.regs[R_INTERNAL_NMI_VECTOR] : 0;
}

bool caliptra_uc_rst_b(CaliptraUc *uc)
{
    return uc->core && uc->core->boot_fsm == BOOT_DONE;
}

bool caliptra_uc_iccm_lock(CaliptraUc *uc)
{
    return uc_wires(uc) & CALIPTRA_WIRE_ICCM_LOCK;
}

bool caliptra_uc_clk_gating_en(CaliptraUc *uc)
{
    return uc_wires(uc) & CALIPTRA_WIRE_CLK_GATING_EN;
}

void caliptra_uc_fault(CaliptraUc *uc, CaliptraUcFault fault)
{
    CaliptraState *s = uc->core;

    if (!s || caliptra_in_reset(s)) {
        return;
    }
    switch (fault) {
    case CALIPTRA_UC_ICCM_BLOCKED:
        caliptra_soc_ifc_intr_error(s, SOC_IFC_ERROR_ICCM_BLOCKED);
        break;
    case CALIPTRA_UC_ICCM_ECC_UNC:
        caliptra_soc_ifc_hw_error_fatal(
            s, R_CPTRA_HW_ERROR_FATAL_ICCM_ECC_UNC_MASK);
        break;
    case CALIPTRA_UC_DCCM_ECC_UNC:
        caliptra_soc_ifc_hw_error_fatal(
            s, R_CPTRA_HW_ERROR_FATAL_DCCM_ECC_UNC_MASK);
        break;
    }
    caliptra_update(s);
}

uint64_t caliptra_uc_clock_ticks(CaliptraUc *uc)
{
    return uc->core ? caliptra_clock_ticks(uc->core) : 0;
}

int64_t caliptra_uc_clock_deadline(CaliptraUc *uc, uint64_t ticks)
{
    return uc->core ? caliptra_clock_deadline(uc->core, ticks) : INT64_MAX;
}

int64_t caliptra_uc_begin_work(CaliptraUc *uc, int64_t ns)
{
    return uc->core ? caliptra_time_begin_work(&uc->core->time, ns)
                    : INT64_MAX;
}

void caliptra_uc_end_work(CaliptraUc *uc)
{
    if (uc->core) {
        caliptra_time_end_work(&uc->core->time);
    }
}

void caliptra_uc_stop_work(CaliptraUc *uc)
{
    if (uc->core) {
        caliptra_time_stop_work(&uc->core->time);
    }
}

bool caliptra_uc_time_held(CaliptraUc *uc)
{
    return uc->core && uc->core->time.held;
}

void caliptra_uc_set_waiting(CaliptraUc *uc, bool waiting)
{
    if (uc->core) {
        caliptra_time_watch(&uc->core->time, CALIPTRA_TIME_UC, waiting);
    }
}

/* ---- type ---- */

static const TypeInfo caliptra_uc_types[] = {
    {
        .name = TYPE_CALIPTRA_UC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .abstract = true,
        .instance_size = sizeof(CaliptraUc),
        .class_size = sizeof(CaliptraUcClass),
    },
};

DEFINE_TYPES(caliptra_uc_types)
