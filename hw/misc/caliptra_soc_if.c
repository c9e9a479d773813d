/*
 * Caliptra 1.x Root of Trust core as a SoC sees it: the interface
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/misc/caliptra.h"
#include "caliptra_regs.h"

MemTxResult caliptra_soc_read(CaliptraSocIf *core, hwaddr offset,
                              uint32_t pauser, uint32_t *data)
{
    return CALIPTRA_SOC_IF_GET_CLASS(core)->read(core, offset, pauser, data);
}

MemTxResult caliptra_soc_write(CaliptraSocIf *core, hwaddr offset,
                               uint32_t pauser, uint32_t data)
{
    return CALIPTRA_SOC_IF_GET_CLASS(core)->write(core, offset, pauser, data);
}

MemTxResult caliptra_soc_peek(CaliptraSocIf *core, hwaddr offset,
                              uint32_t pauser, uint32_t *data)
{
    return CALIPTRA_SOC_IF_GET_CLASS(core)->peek(core, offset, pauser, data);
}

uint32_t caliptra_soc_trace_data(hwaddr offset, uint32_t data)
{
    static const struct {
        hwaddr first, end;
    } secrets[] = {
        { A_CPTRA_TRNG_DATA, A_CPTRA_TRNG_DATA + 4 * CALIPTRA_TRNG_WORDS },
        { A_FUSE_UDS_SEED, A_FUSE_KEY_MANIFEST_PK_HASH },
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(secrets); i++) {
        if (offset >= CALIPTRA_WINDOW_SOC_IFC + secrets[i].first &&
            offset < CALIPTRA_WINDOW_SOC_IFC + secrets[i].end) {
            return 0;
        }
    }
    return data;
}

void caliptra_set_security_state(CaliptraSocIf *core, uint32_t state)
{
    CALIPTRA_SOC_IF_GET_CLASS(core)->set_security_state(core, state);
}

void caliptra_set_obf_key(CaliptraSocIf *core,
                          const uint32_t key[CALIPTRA_OBF_KEY_WORDS])
{
    CALIPTRA_SOC_IF_GET_CLASS(core)->set_obf_key(core, key);
}

void caliptra_set_generic_input_wires(CaliptraSocIf *core, uint64_t wires)
{
    CALIPTRA_SOC_IF_GET_CLASS(core)->set_generic_input_wires(core, wires);
}

static const TypeInfo caliptra_soc_if_types[] = {
    {
        .name = TYPE_CALIPTRA_SOC_IF,
        .parent = TYPE_INTERFACE,
        .class_size = sizeof(CaliptraSocIfClass),
    },
};

DEFINE_TYPES(caliptra_soc_if_types)
