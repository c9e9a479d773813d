/*
 * Caliptra 1.x core: key vault, PCR vault, data vault
 *
 * The rules of the vaults are here and nowhere else: engines reach slots and
 * PCRs through the ports, software through the registers.
 *
 * Sources: caliptra-rtl keyvault/rtl/kv.sv, pcrvault/rtl/pv.sv,
 * datavault/rtl/dv.sv and their register descriptions; Caliptra hardware
 * specification, "Key Vault", "PCR Vault", "Data Vault".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_reg.h"
#include "trace.h"

/* ---- key vault ---- */

/* Fill values of the flush, by CLEAR_SECRETS.sel_debug_value */
static const uint32_t kv_debug_value[2] = { 0xAAAAAAAA, 0x55555555 };

/* Slot 7 has a wire to the ECC engine's PCR signing function */
#define KV_ENTRY_FOR_SIGNING 7

#define KV_LOCKS    (R_KV_KEY_CTRL_LOCK_WR_MASK | R_KV_KEY_CTRL_LOCK_USE_MASK)
#define KV_RSVD     (R_KV_KEY_CTRL_RSVD0_MASK | R_KV_KEY_CTRL_RSVD1_MASK)
#define KV_META     (R_KV_KEY_CTRL_DEST_VALID_MASK | \
                     R_KV_KEY_CTRL_LAST_DWORD_MASK)

static void kv_fill(CaliptraState *s, unsigned slot)
{
    CaliptraVault *v = &s->vault;
    bool sel = FIELD_EX32(v->clear_secrets, KV_CLEAR_SECRETS, SEL_DEBUG_VALUE);

    for (int i = 0; i < CALIPTRA_KV_WORDS; i++) {
        v->key[slot][i] = kv_debug_value[sel];
    }
}

void caliptra_kv_flush(CaliptraState *s)
{
    trace_caliptra_kv_flush(s->id);
    for (int slot = 0; slot < CALIPTRA_KV_SLOTS; slot++) {
        kv_fill(s, slot);
    }
}

CaliptraKvError caliptra_kv_read_port(CaliptraState *s, unsigned slot,
                                      uint32_t client, uint32_t words[12],
                                      unsigned *last_dword)
{
    const CaliptraVault *v = &s->vault;
    uint32_t ctrl = v->key_ctrl[slot];
    bool ok = !FIELD_EX32(ctrl, KV_KEY_CTRL, LOCK_USE) &&
              (FIELD_EX32(ctrl, KV_KEY_CTRL, DEST_VALID) & client);

    if (ok) {
        memcpy(words, v->key[slot], sizeof(v->key[slot]));
    } else {
        memset(words, 0, sizeof(v->key[slot]));
    }
    *last_dword = FIELD_EX32(ctrl, KV_KEY_CTRL, LAST_DWORD);
    trace_caliptra_kv_read(s->id, slot, client, ok);
    return ok ? KV_SUCCESS : KV_READ_FAIL;
}

CaliptraKvError caliptra_kv_write_port(CaliptraState *s, unsigned slot,
                                       uint32_t dest_valid, unsigned offset,
                                       const uint32_t *words, unsigned n)
{
    CaliptraVault *v = &s->vault;
    uint32_t *ctrl = &v->key_ctrl[slot];
    bool ok = !(*ctrl & KV_LOCKS);

    trace_caliptra_kv_write(s->id, slot, dest_valid, ok);
    if (!ok) {
        return KV_WRITE_FAIL;
    }
    for (unsigned i = 0; i < n; i++) {
        v->key[slot][(offset + i) % CALIPTRA_KV_WORDS] = words[i];
    }
    *ctrl = FIELD_DP32(*ctrl, KV_KEY_CTRL, DEST_VALID, dest_valid);
    *ctrl = FIELD_DP32(*ctrl, KV_KEY_CTRL, LAST_DWORD,
                       (offset + n - 1) % CALIPTRA_KV_WORDS);
    return KV_SUCCESS;
}

void caliptra_kv_signing_key(CaliptraState *s, uint32_t words[12])
{
    memcpy(words, s->vault.key[KV_ENTRY_FOR_SIGNING],
           sizeof(s->vault.key[KV_ENTRY_FOR_SIGNING]));
}

static void kv_ctrl_write(CaliptraState *s, const CaliptraReg *r,
                          unsigned slot, uint32_t data, bool soc)
{
    CaliptraVault *v = &s->vault;
    uint32_t *ctrl = &v->key_ctrl[slot];

    /* locks count for a clear in the same write */
    if (!FIELD_EX32(data, KV_KEY_CTRL, CLEAR)) {
        return;
    }
    if (*ctrl & KV_LOCKS) {
        caliptra_guest_error(s, "clear of locked key slot %u refused", slot);
        return;
    }
    trace_caliptra_kv_clear(s->id, slot);
    memset(v->key[slot], 0, sizeof(v->key[slot]));
    *ctrl &= ~KV_META;
}

static void kv_clear_secrets_write(CaliptraState *s, const CaliptraReg *r,
                                   unsigned i, uint32_t data, bool soc)
{
    if (!FIELD_EX32(data, KV_CLEAR_SECRETS, WR_DEBUG_VALUES) ||
        !caliptra_debug_or_scan(s)) {
        return;
    }
    for (int slot = 0; slot < CALIPTRA_KV_SLOTS; slot++) {
        if (!(s->vault.key_ctrl[slot] & KV_LOCKS)) {
            kv_fill(s, slot);
        }
    }
}

static const CaliptraReg kv_regs[] = {
    CALIPTRA_REG(KV_KEY_CTRL, CALIPTRA_KV_SLOTS,
                 .store = CALIPTRA_REG_AT(vault.key_ctrl),
                 .warm_bits = KV_RSVD, .uc_bits = KV_LOCKS,
                 .uc = KV_LOCKS | KV_RSVD, .w1s = KV_LOCKS,
                 .post_write = kv_ctrl_write),
    /* software sees no key */
    CALIPTRA_REG(KV_KEY_ENTRY, CALIPTRA_KV_SLOTS * CALIPTRA_KV_WORDS,
                 .store = CALIPTRA_REG_AT(vault.key), .hidden = true),
    CALIPTRA_REG(KV_CLEAR_SECRETS, 1,
                 .store = CALIPTRA_REG_AT(vault.clear_secrets),
                 .domain = CALIPTRA_RESET_WARM,
                 .uc = R_KV_CLEAR_SECRETS_SEL_DEBUG_VALUE_MASK,
                 .post_write = kv_clear_secrets_write),
};

const CaliptraRegBlock caliptra_kv_regs = CALIPTRA_REG_BLOCK("key vault",
                                                             kv_regs);

/* ---- PCR vault ---- */

#define PV_RSVD     (R_PV_PCR_CTRL_RSVD0_MASK | R_PV_PCR_CTRL_RSVD1_MASK)

void caliptra_pcr_read_port(CaliptraState *s, unsigned pcr, uint32_t words[12])
{
    memcpy(words, s->vault.pcr[pcr], sizeof(s->vault.pcr[pcr]));
}

void caliptra_pcr_write_port(CaliptraState *s, unsigned pcr,
                             const uint32_t words[12])
{
    trace_caliptra_pcr_extend(s->id, pcr, words[0]);
    memcpy(s->vault.pcr[pcr], words, sizeof(s->vault.pcr[pcr]));
}

/* unlike in the key vault, a lock in the same write comes too late */
static void pv_ctrl_pre_write(CaliptraState *s, const CaliptraReg *r,
                              unsigned pcr, uint32_t data, bool soc)
{
    CaliptraVault *v = &s->vault;

    if (!FIELD_EX32(data, PV_PCR_CTRL, CLEAR)) {
        return;
    }
    if (FIELD_EX32(v->pcr_ctrl[pcr], PV_PCR_CTRL, LOCK)) {
        caliptra_guest_error(s, "clear of locked PCR %u refused", pcr);
        return;
    }
    trace_caliptra_pcr_clear(s->id, pcr);
    memset(v->pcr[pcr], 0, sizeof(v->pcr[pcr]));
}

static const CaliptraReg pv_regs[] = {
    CALIPTRA_REG(PV_PCR_CTRL, CALIPTRA_PCRS,
                 .store = CALIPTRA_REG_AT(vault.pcr_ctrl),
                 .warm_bits = PV_RSVD, .uc_bits = R_PV_PCR_CTRL_LOCK_MASK,
                 .uc = R_PV_PCR_CTRL_LOCK_MASK | PV_RSVD,
                 .w1s = R_PV_PCR_CTRL_LOCK_MASK,
                 .pre_write = pv_ctrl_pre_write),
    CALIPTRA_REG(PV_PCR_ENTRY, CALIPTRA_PCRS * CALIPTRA_PCR_WORDS,
                 .store = CALIPTRA_REG_AT(vault.pcr)),
};

const CaliptraRegBlock caliptra_pv_regs = CALIPTRA_REG_BLOCK("PCR vault",
                                                             pv_regs);

/* ---- data vault ---- */

#define DV_AT(reg)  CALIPTRA_REG_AT(vault.dv[R_DV_##reg])

/* @n entries of @words words, and what locks each; what resets them */
#define DV_DATA(reg, n, words, lock_reg, dom) \
    CALIPTRA_REG(DV_##reg, (n) * (words), .store = DV_AT(reg), \
                 .domain = (dom), .uc = CALIPTRA_REG_ALL, \
                 .lock = DV_AT(lock_reg), .lock_span = (words))
#define DV_LOCK(reg, n, dom) \
    CALIPTRA_REG(DV_##reg, n, .store = DV_AT(reg), .domain = (dom), \
                 .uc = R_DV_STICKY_DATA_VAULT_CTRL_LOCK_ENTRY_MASK, \
                 .w1s = R_DV_STICKY_DATA_VAULT_CTRL_LOCK_ENTRY_MASK)

static const CaliptraReg dv_regs[] = {
    DV_LOCK(STICKY_DATA_VAULT_CTRL, 10, CALIPTRA_RESET_COLD),
    DV_DATA(STICKY_DATA_VAULT_ENTRY, 10, 12, STICKY_DATA_VAULT_CTRL,
            CALIPTRA_RESET_COLD),
    DV_LOCK(DATA_VAULT_CTRL, 10, CALIPTRA_RESET_FW_UPDATE),
    DV_DATA(DATA_VAULT_ENTRY, 10, 12, DATA_VAULT_CTRL, CALIPTRA_RESET_COLD),
    DV_LOCK(LOCKABLE_SCRATCH_REG_CTRL, 10, CALIPTRA_RESET_FW_UPDATE),
    DV_DATA(LOCKABLE_SCRATCH_REG, 10, 1, LOCKABLE_SCRATCH_REG_CTRL,
            CALIPTRA_RESET_COLD),
    CALIPTRA_REG(DV_NON_STICKY_GENERIC_SCRATCH_REG, 8,
                 .store = DV_AT(NON_STICKY_GENERIC_SCRATCH_REG),
                 .domain = CALIPTRA_RESET_WARM, .uc = CALIPTRA_REG_ALL),
    DV_LOCK(STICKY_LOCKABLE_SCRATCH_REG_CTRL, 8, CALIPTRA_RESET_COLD),
    DV_DATA(STICKY_LOCKABLE_SCRATCH_REG, 8, 1,
            STICKY_LOCKABLE_SCRATCH_REG_CTRL, CALIPTRA_RESET_COLD),
};

const CaliptraRegBlock caliptra_dv_regs = CALIPTRA_REG_BLOCK("data vault",
                                                             dv_regs);

/* ---- reset, state ---- */

void caliptra_vault_reset(CaliptraState *s, CaliptraReset kind)
{
    caliptra_reg_reset(s, &caliptra_kv_regs, kind);
    caliptra_reg_reset(s, &caliptra_pv_regs, kind);
    caliptra_reg_reset(s, &caliptra_dv_regs, kind);
}

const VMStateDescription vmstate_caliptra_vault = {
    .name = "caliptra-vault",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT32_ARRAY(key_ctrl, CaliptraVault, CALIPTRA_KV_SLOTS),
        VMSTATE_UINT32_2DARRAY(key, CaliptraVault, CALIPTRA_KV_SLOTS,
                               CALIPTRA_KV_WORDS),
        VMSTATE_UINT32(clear_secrets, CaliptraVault),
        VMSTATE_UINT32_ARRAY(pcr_ctrl, CaliptraVault, CALIPTRA_PCRS),
        VMSTATE_UINT32_2DARRAY(pcr, CaliptraVault, CALIPTRA_PCRS,
                               CALIPTRA_PCR_WORDS),
        VMSTATE_UINT32_ARRAY(dv, CaliptraVault, CALIPTRA_DV_WORDS),
        VMSTATE_END_OF_LIST()
    },
};
