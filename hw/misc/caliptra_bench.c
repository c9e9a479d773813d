/*
 * Caliptra 1.x core: test bench
 *
 * With the property x-internal-bus-base=ADDR a test (or a person who brings
 * up firmware) reaches the core from both sides.  At ADDR:
 *
 *   +0x00000000  the microcontroller's bus, 0x70000000 bytes; the offset is
 *                the microcontroller's address.  Accesses are its own.
 *   +0x70000000  the SoC's window, 256 KiB; the accesses carry the user id
 *                of the register PAUSER below.
 *   +0x70040000  the bench registers, listed below.
 *
 * All accesses are 32 bits wide.  Their address need not be aligned: the byte
 * address reaches the core as it is.  An access that the core answers with an
 * error (PSLVERR, AHB error) ends in a bus error, reads 0, and sets
 * STATE.ERROR until the next access to the bus or to the window.
 *
 *   0x000 PAUSER          RW  user id of the accesses in the SoC's window
 *   0x004 STATE           RO  [0] the last access ended in an error,
 *                             [18:1] output levels, CALIPTRA_WIRE_*:
 *                             1 cptra_noncore_rst_b, 2 cptra_uc_rst_b,
 *                             3 ready_for_fuses, 4 ready_for_fw_push,
 *                             5 ready_for_runtime, 6 mailbox_data_avail,
 *                             7 mailbox_flow_done, 8 cptra_error_fatal,
 *                             9 cptra_error_non_fatal, 10 trng_req,
 *                             11 soc_ifc_error_intr, 12 soc_ifc_notif_intr,
 *                             13 sha_error_intr, 14 sha_notif_intr,
 *                             15 timer_intr, 16 nmi_intr, 17 iccm_lock,
 *                             18 clk_gating_en;
 *                             [31] CHANGED is not 0
 *   0x008 CHANGED         RO  a bit for each word from 0x100 on that has
 *                             another value than at the last read of CHANGED
 *   0x00C ENGINE_INTR     RO  interrupts of the engines, error and notif:
 *                             [1:0] DOE, [3:2] ECC, [5:4] HMAC,
 *                             [7:6] SHA-512, [9:8] SHA-256
 *   0x010 RESET           WO  [0] power cycle, [1] warm reset: low and high
 *   0x014 LINES           RW  [0] cptra_pwrgood, [1] cptra_rst_b,
 *                             [2] BootFSM_BrkPoint, [3] scan_mode,
 *                             [4] built with an internal TRNG
 *   0x018 SECURITY_STATE  RW  [1:0] device_lifecycle, [2] debug_locked
 *   0x01C PULSE           WO  [0] the DOE's clear-secrets command,
 *                             [1] crypto_error, [2] iccm_ecc_unc,
 *                             [3] dccm_ecc_unc, [4] iccm_blocked
 *   0x020 GENERIC_IN      RW  generic_input_wires, two words
 *   0x028 SRAM_FLIP       RW  XORed to words read from the mailbox SRAM:
 *                             two words, [31:0] data, [38:32] check bits
 *   0x040 OBF_KEY_PINS    RW  cptra_obf_key, eight words
 *   0x100 wide outputs    RO  generic_output_wires (2 words), nmi_vector (1),
 *                             then as held in soc_ifc: obf_key (8),
 *                             uds_seed (12), field_entropy (8)
 *   0x200 TAP             RW  debug port: 4 * DMI address
 *
 * Levels of inputs are taken over as in silicon: security_state and the
 * breakpoint when a reset is released, the key pins after a power cycle.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/log.h"
#include "caliptra_internal.h"

#define BENCH_BUS_SIZE      0x70000000
#define BENCH_REGS_SIZE     0x1000
#define BENCH_TAP_REGS      128

REG32(BENCH_PAUSER, 0x000)
REG32(BENCH_STATE, 0x004)
    FIELD(BENCH_STATE, ERROR, 0, 1)
    FIELD(BENCH_STATE, CHANGED, 31, 1)
REG32(BENCH_CHANGED, 0x008)
REG32(BENCH_ENGINE_INTR, 0x00C)
REG32(BENCH_RESET, 0x010)
    FIELD(BENCH_RESET, COLD, 0, 1)
    FIELD(BENCH_RESET, WARM, 1, 1)
REG32(BENCH_LINES, 0x014)
    FIELD(BENCH_LINES, PWRGOOD, 0, 1)
    FIELD(BENCH_LINES, RST_B, 1, 1)
    FIELD(BENCH_LINES, BRKPOINT, 2, 1)
    FIELD(BENCH_LINES, SCAN_MODE, 3, 1)
    FIELD(BENCH_LINES, ITRNG, 4, 1)
REG32(BENCH_SECURITY_STATE, 0x018)
REG32(BENCH_PULSE, 0x01C)
    FIELD(BENCH_PULSE, CLEAR_SECRETS, 0, 1)
    FIELD(BENCH_PULSE, CRYPTO_ERROR, 1, 1)
    FIELD(BENCH_PULSE, ICCM_ECC_UNC, 2, 1)
    FIELD(BENCH_PULSE, DCCM_ECC_UNC, 3, 1)
    FIELD(BENCH_PULSE, ICCM_BLOCKED, 4, 1)
REG32(BENCH_GENERIC_IN_LO, 0x020)
REG32(BENCH_GENERIC_IN_HI, 0x024)
REG32(BENCH_SRAM_FLIP_LO, 0x028)
REG32(BENCH_SRAM_FLIP_HI, 0x02C)
REG32(BENCH_OBF_KEY_PINS, 0x040)
REG32(BENCH_WIDE, 0x100)
REG32(BENCH_TAP, 0x200)

/* ---- outputs that are wider than a bit ---- */

static uint32_t bench_wide(CaliptraState *s, unsigned i)
{
    static const struct {
        unsigned reg;
        unsigned n;
    } rows[] = {
        { R_CPTRA_GENERIC_OUTPUT_WIRES, 2 },
        { R_INTERNAL_NMI_VECTOR, 1 },
        { R_INTERNAL_OBF_KEY, CALIPTRA_OBF_KEY_WORDS },
        { R_FUSE_UDS_SEED, CALIPTRA_UDS_WORDS },
        { R_FUSE_FIELD_ENTROPY, CALIPTRA_FE_WORDS },
    };
    size_t r;

    for (r = 0; i >= rows[r].n; r++) {
        i -= rows[r].n;
    }
    return s->soc_ifc.regs[rows[r].reg + i];
}

static uint32_t bench_changed(CaliptraState *s)
{
    uint32_t changed = 0;
    unsigned i;

    for (i = 0; i < CALIPTRA_BENCH_WIDE; i++) {
        if (s->bench.seen[i] != bench_wide(s, i)) {
            changed |= BIT(i);
        }
    }
    return changed;
}

static uint32_t bench_take_changed(CaliptraState *s)
{
    uint32_t changed = bench_changed(s);
    unsigned i;

    for (i = 0; i < CALIPTRA_BENCH_WIDE; i++) {
        s->bench.seen[i] = bench_wide(s, i);
    }
    return changed;
}

/* ---- inputs ---- */

static void bench_line(CaliptraState *s, const char *name, bool level)
{
    qemu_set_irq(qdev_get_gpio_in_named(DEVICE(s), name, 0), level);
}

static void bench_reset(CaliptraState *s, uint32_t data)
{
    if (FIELD_EX32(data, BENCH_RESET, COLD)) {
        bench_line(s, CALIPTRA_IN_PWRGOOD, false);
        bench_line(s, CALIPTRA_IN_RST_B, false);
        bench_line(s, CALIPTRA_IN_PWRGOOD, true);
        bench_line(s, CALIPTRA_IN_RST_B, true);
    } else if (FIELD_EX32(data, BENCH_RESET, WARM)) {
        bench_line(s, CALIPTRA_IN_RST_B, false);
        bench_line(s, CALIPTRA_IN_RST_B, true);
    }
}

static void bench_pulse(CaliptraState *s, uint32_t data)
{
    uint32_t fatal = 0;

    if (caliptra_in_reset(s)) {
        return;
    }
    if (FIELD_EX32(data, BENCH_PULSE, CLEAR_SECRETS)) {
        caliptra_soc_ifc_clear_secrets(s);
    }
    if (FIELD_EX32(data, BENCH_PULSE, CRYPTO_ERROR)) {
        fatal |= R_CPTRA_HW_ERROR_FATAL_CRYPTO_ERR_MASK;
    }
    if (FIELD_EX32(data, BENCH_PULSE, ICCM_ECC_UNC)) {
        fatal |= R_CPTRA_HW_ERROR_FATAL_ICCM_ECC_UNC_MASK;
    }
    if (FIELD_EX32(data, BENCH_PULSE, DCCM_ECC_UNC)) {
        fatal |= R_CPTRA_HW_ERROR_FATAL_DCCM_ECC_UNC_MASK;
    }
    if (FIELD_EX32(data, BENCH_PULSE, ICCM_BLOCKED)) {
        caliptra_soc_ifc_intr_error(s, SOC_IFC_ERROR_ICCM_BLOCKED);
    }
    if (fatal) {
        caliptra_soc_ifc_hw_error_fatal(s, fatal);
    }
    caliptra_update(s);
}

static uint32_t bench_get_lines(CaliptraState *s)
{
    uint32_t r = 0;

    r = FIELD_DP32(r, BENCH_LINES, PWRGOOD, s->in_pwrgood);
    r = FIELD_DP32(r, BENCH_LINES, RST_B, s->in_rst_b);
    r = FIELD_DP32(r, BENCH_LINES, BRKPOINT, s->in_brkpoint);
    r = FIELD_DP32(r, BENCH_LINES, SCAN_MODE, s->in_scan_mode);
    r = FIELD_DP32(r, BENCH_LINES, ITRNG, s->itrng);
    return r;
}

static void bench_set_lines(CaliptraState *s, uint32_t data)
{
    s->itrng = FIELD_EX32(data, BENCH_LINES, ITRNG);
    bench_line(s, CALIPTRA_IN_BRKPOINT, FIELD_EX32(data, BENCH_LINES,
                                                   BRKPOINT));
    bench_line(s, CALIPTRA_IN_SCAN_MODE, FIELD_EX32(data, BENCH_LINES,
                                                    SCAN_MODE));
    bench_line(s, CALIPTRA_IN_PWRGOOD, FIELD_EX32(data, BENCH_LINES,
                                                  PWRGOOD));
    bench_line(s, CALIPTRA_IN_RST_B, FIELD_EX32(data, BENCH_LINES, RST_B));
}

/* ---- registers ---- */

static uint64_t bench_read(void *opaque, hwaddr addr, unsigned size)
{
    CaliptraState *s = opaque;
    uint32_t r;

    switch (addr) {
    case A_BENCH_PAUSER:
        return s->bench.pauser;
    case A_BENCH_STATE:
        r = s->wires;
        r = FIELD_DP32(r, BENCH_STATE, ERROR, s->bench.error);
        return FIELD_DP32(r, BENCH_STATE, CHANGED, !!bench_changed(s));
    case A_BENCH_CHANGED:
        return bench_take_changed(s);
    case A_BENCH_ENGINE_INTR:
        return caliptra_engines_wires(s);
    case A_BENCH_LINES:
        return bench_get_lines(s);
    case A_BENCH_SECURITY_STATE:
        return s->in_security_state;
    case A_BENCH_GENERIC_IN_LO:
        return extract64(s->in_generic_wires, 0, 32);
    case A_BENCH_GENERIC_IN_HI:
        return extract64(s->in_generic_wires, 32, 32);
    case A_BENCH_SRAM_FLIP_LO:
        return extract64(s->mbox.sram_flip, 0, 32);
    case A_BENCH_SRAM_FLIP_HI:
        return extract64(s->mbox.sram_flip, 32, 32);
    case A_BENCH_OBF_KEY_PINS ...
         A_BENCH_OBF_KEY_PINS + 4 * CALIPTRA_OBF_KEY_WORDS - 1:
        return s->in_obf_key[(addr - A_BENCH_OBF_KEY_PINS) / 4];
    case A_BENCH_WIDE ... A_BENCH_WIDE + 4 * CALIPTRA_BENCH_WIDE - 1:
        return bench_wide(s, (addr - A_BENCH_WIDE) / 4);
    case A_BENCH_TAP ... A_BENCH_TAP + 4 * BENCH_TAP_REGS - 1:
        r = caliptra_soc_ifc_tap_read(s, (addr - A_BENCH_TAP) / 4);
        caliptra_update(s);
        return r;
    default:
        return 0;
    }
}

static void bench_write(void *opaque, hwaddr addr, uint64_t data,
                        unsigned size)
{
    CaliptraState *s = opaque;
    uint64_t wires = s->in_generic_wires;

    switch (addr) {
    case A_BENCH_PAUSER:
        s->bench.pauser = data;
        break;
    case A_BENCH_RESET:
        bench_reset(s, data);
        break;
    case A_BENCH_LINES:
        bench_set_lines(s, data);
        break;
    case A_BENCH_SECURITY_STATE:
        caliptra_set_security_state(s, data);
        break;
    case A_BENCH_PULSE:
        bench_pulse(s, data);
        break;
    case A_BENCH_GENERIC_IN_LO:
        /* both words change at once, with the write of the high one */
        s->bench.generic_in_lo = data;
        break;
    case A_BENCH_GENERIC_IN_HI:
        wires = deposit64(s->bench.generic_in_lo, 32, 32, data);
        caliptra_set_generic_input_wires(s, wires);
        break;
    case A_BENCH_SRAM_FLIP_LO:
        s->mbox.sram_flip = deposit64(s->mbox.sram_flip, 0, 32, data);
        break;
    case A_BENCH_SRAM_FLIP_HI:
        s->mbox.sram_flip = deposit64(s->mbox.sram_flip, 32, 7, data);
        break;
    case A_BENCH_OBF_KEY_PINS ...
         A_BENCH_OBF_KEY_PINS + 4 * CALIPTRA_OBF_KEY_WORDS - 1:
        s->in_obf_key[(addr - A_BENCH_OBF_KEY_PINS) / 4] = data;
        break;
    case A_BENCH_TAP ... A_BENCH_TAP + 4 * BENCH_TAP_REGS - 1:
        caliptra_soc_ifc_tap_write(s, (addr - A_BENCH_TAP) / 4, data);
        caliptra_update(s);
        break;
    default:
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra: no bench register at 0x%"
                      HWADDR_PRIx "\n", addr);
        break;
    }
}

/* ---- the two sides ---- */

static MemTxResult bench_result(CaliptraState *s, MemTxResult result)
{
    s->bench.error = result != MEMTX_OK;
    return result;
}

static MemTxResult bench_bus_read(void *opaque, hwaddr addr, uint64_t *data,
                                  unsigned size, MemTxAttrs attrs)
{
    CaliptraState *s = opaque;
    uint32_t word;
    MemTxResult result = caliptra_uc_read(s, addr, &word);

    *data = word;
    return bench_result(s, result);
}

static MemTxResult bench_bus_write(void *opaque, hwaddr addr, uint64_t data,
                                   unsigned size, MemTxAttrs attrs)
{
    CaliptraState *s = opaque;

    return bench_result(s, caliptra_uc_write(s, addr, data));
}

static MemTxResult bench_soc_read(void *opaque, hwaddr addr, uint64_t *data,
                                  unsigned size, MemTxAttrs attrs)
{
    CaliptraState *s = opaque;
    uint32_t word;
    MemTxResult result = caliptra_soc_read(s, addr, s->bench.pauser, &word);

    *data = word;
    return bench_result(s, result);
}

static MemTxResult bench_soc_write(void *opaque, hwaddr addr, uint64_t data,
                                   unsigned size, MemTxAttrs attrs)
{
    CaliptraState *s = opaque;

    return bench_result(s, caliptra_soc_write(s, addr, s->bench.pauser,
                                              data));
}

#define BENCH_OPS \
    .endianness = DEVICE_LITTLE_ENDIAN, \
    .valid = { .min_access_size = 4, .max_access_size = 4, \
               .unaligned = true }, \
    .impl = { .min_access_size = 4, .max_access_size = 4, \
              .unaligned = true }

static const MemoryRegionOps bench_bus_ops = {
    .read_with_attrs = bench_bus_read,
    .write_with_attrs = bench_bus_write,
    BENCH_OPS,
};

static const MemoryRegionOps bench_soc_ops = {
    .read_with_attrs = bench_soc_read,
    .write_with_attrs = bench_soc_write,
    BENCH_OPS,
};

static const MemoryRegionOps bench_ops = {
    .read = bench_read,
    .write = bench_write,
    BENCH_OPS,
};

void caliptra_map_internal_bus(CaliptraState *s, MemoryRegion *memory)
{
    CaliptraBench *b = &s->bench;
    Object *obj = OBJECT(s);

    if (s->internal_bus_base == CALIPTRA_NO_INTERNAL_BUS) {
        return;
    }
    memory_region_init(&b->container, obj, "caliptra-bench",
                       BENCH_BUS_SIZE + CALIPTRA_WINDOW_SIZE +
                       BENCH_REGS_SIZE);
    memory_region_init_io(&b->bus, obj, &bench_bus_ops, s,
                          "caliptra-internal-bus", BENCH_BUS_SIZE);
    memory_region_add_subregion(&b->container, 0, &b->bus);
    memory_region_init_io(&b->soc, obj, &bench_soc_ops, s,
                          "caliptra-soc-window", CALIPTRA_WINDOW_SIZE);
    memory_region_add_subregion(&b->container, BENCH_BUS_SIZE, &b->soc);
    memory_region_init_io(&b->regs, obj, &bench_ops, s,
                          "caliptra-bench-registers", BENCH_REGS_SIZE);
    memory_region_add_subregion(&b->container,
                                BENCH_BUS_SIZE + CALIPTRA_WINDOW_SIZE,
                                &b->regs);
    memory_region_add_subregion_overlap(memory, s->internal_bus_base,
                                        &b->container, 1);
}

static bool bench_needed(void *opaque)
{
    CaliptraState *s = opaque;

    return s->internal_bus_base != CALIPTRA_NO_INTERNAL_BUS;
}

const VMStateDescription vmstate_caliptra_bench = {
    .name = "caliptra/bench",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = bench_needed,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32(bench.pauser, CaliptraState),
        VMSTATE_BOOL(bench.error, CaliptraState),
        VMSTATE_UINT32(bench.generic_in_lo, CaliptraState),
        VMSTATE_UINT32_ARRAY(bench.seen, CaliptraState, CALIPTRA_BENCH_WIDE),
        VMSTATE_END_OF_LIST()
    },
};
