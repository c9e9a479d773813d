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
#include "qemu/log.h"
#include "caliptra_internal.h"
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
    trace_caliptra_kv_flush();
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
    trace_caliptra_kv_read(slot, client, ok);
    return ok ? KV_SUCCESS : KV_READ_FAIL;
}

CaliptraKvError caliptra_kv_write_port(CaliptraState *s, unsigned slot,
                                       uint32_t dest_valid, unsigned offset,
                                       const uint32_t *words, unsigned n)
{
    CaliptraVault *v = &s->vault;
    uint32_t *ctrl = &v->key_ctrl[slot];
    bool ok = !(*ctrl & KV_LOCKS);

    trace_caliptra_kv_write(slot, dest_valid, ok);
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

uint32_t caliptra_kv_reg_read(CaliptraState *s, hwaddr offset)
{
    if (offset < A_KV_KEY_CTRL + 4 * CALIPTRA_KV_SLOTS) {
        return s->vault.key_ctrl[(offset - A_KV_KEY_CTRL) / 4];
    }
    if (offset == A_KV_CLEAR_SECRETS) {
        return s->vault.clear_secrets;
    }
    return 0;       /* KEY_ENTRY too: software sees no key */
}

static void kv_ctrl_write(CaliptraState *s, unsigned slot, uint32_t data)
{
    CaliptraVault *v = &s->vault;
    uint32_t *ctrl = &v->key_ctrl[slot];

    /* locks stick; they count for a clear in the same write */
    *ctrl = (*ctrl & (KV_META | KV_LOCKS)) | (data & (KV_LOCKS | KV_RSVD));
    if (!FIELD_EX32(data, KV_KEY_CTRL, CLEAR)) {
        return;
    }
    if (*ctrl & KV_LOCKS) {
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra: clear of locked key slot "
                      "%u refused\n", slot);
        return;
    }
    trace_caliptra_kv_clear(slot);
    memset(v->key[slot], 0, sizeof(v->key[slot]));
    *ctrl &= ~KV_META;
}

void caliptra_kv_reg_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    if (offset < A_KV_KEY_CTRL + 4 * CALIPTRA_KV_SLOTS) {
        kv_ctrl_write(s, (offset - A_KV_KEY_CTRL) / 4, data);
    } else if (offset == A_KV_CLEAR_SECRETS) {
        s->vault.clear_secrets =
            data & R_KV_CLEAR_SECRETS_SEL_DEBUG_VALUE_MASK;
        if (FIELD_EX32(data, KV_CLEAR_SECRETS, WR_DEBUG_VALUES) &&
            caliptra_debug_or_scan(s)) {
            for (int slot = 0; slot < CALIPTRA_KV_SLOTS; slot++) {
                if (!(s->vault.key_ctrl[slot] & KV_LOCKS)) {
                    kv_fill(s, slot);
                }
            }
        }
    } else {
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra: key vault write to 0x%"
                      HWADDR_PRIx " dropped\n", offset);
    }
}

/* ---- PCR vault ---- */

#define PV_RSVD     (R_PV_PCR_CTRL_RSVD0_MASK | R_PV_PCR_CTRL_RSVD1_MASK)

void caliptra_pcr_read_port(CaliptraState *s, unsigned pcr, uint32_t words[12])
{
    memcpy(words, s->vault.pcr[pcr], sizeof(s->vault.pcr[pcr]));
}

void caliptra_pcr_write_port(CaliptraState *s, unsigned pcr,
                             const uint32_t words[12])
{
    trace_caliptra_pcr_extend(pcr, words[0]);
    memcpy(s->vault.pcr[pcr], words, sizeof(s->vault.pcr[pcr]));
}

uint32_t caliptra_pv_reg_read(CaliptraState *s, hwaddr offset)
{
    const CaliptraVault *v = &s->vault;

    if (offset < A_PV_PCR_CTRL + 4 * CALIPTRA_PCRS) {
        return v->pcr_ctrl[(offset - A_PV_PCR_CTRL) / 4];
    }
    if (offset >= A_PV_PCR_ENTRY &&
        offset < A_PV_PCR_ENTRY + sizeof(v->pcr)) {
        unsigned i = (offset - A_PV_PCR_ENTRY) / 4;

        return v->pcr[i / CALIPTRA_PCR_WORDS][i % CALIPTRA_PCR_WORDS];
    }
    return 0;
}

void caliptra_pv_reg_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraVault *v = &s->vault;
    unsigned pcr = (offset - A_PV_PCR_CTRL) / 4;

    if (offset >= A_PV_PCR_CTRL + 4 * CALIPTRA_PCRS) {
        qemu_log_mask(LOG_GUEST_ERROR, "caliptra: PCR vault write to 0x%"
                      HWADDR_PRIx " dropped\n", offset);
        return;
    }
    if (FIELD_EX32(data, PV_PCR_CTRL, CLEAR)) {
        /* unlike in the key vault, a lock in the same write comes too late */
        if (FIELD_EX32(v->pcr_ctrl[pcr], PV_PCR_CTRL, LOCK)) {
            qemu_log_mask(LOG_GUEST_ERROR,
                          "caliptra: clear of locked PCR %u refused\n", pcr);
        } else {
            trace_caliptra_pcr_clear(pcr);
            memset(v->pcr[pcr], 0, sizeof(v->pcr[pcr]));
        }
    }
    v->pcr_ctrl[pcr] = (v->pcr_ctrl[pcr] & R_PV_PCR_CTRL_LOCK_MASK) |
                       (data & (R_PV_PCR_CTRL_LOCK_MASK | PV_RSVD));
}

/* ---- data vault ---- */

#define DV_NO_LOCK  UINT32_MAX

/* A kind of register: @n entries of @words words; its locks, if it has any */
typedef struct DvRegion {
    uint32_t data;
    uint32_t lock;
    uint8_t n;
    uint8_t words;
    /* what a warm reset clears; locks in domain warm go with any reset */
    bool data_warm;
    bool lock_warm;
} DvRegion;

static const DvRegion dv_regions[] = {
    {
        .data = A_DV_STICKY_DATA_VAULT_ENTRY,
        .lock = A_DV_STICKY_DATA_VAULT_CTRL,
        .n = 10, .words = 12,
    }, {
        .data = A_DV_DATA_VAULT_ENTRY,
        .lock = A_DV_DATA_VAULT_CTRL,
        .n = 10, .words = 12, .lock_warm = true,
    }, {
        .data = A_DV_LOCKABLE_SCRATCH_REG,
        .lock = A_DV_LOCKABLE_SCRATCH_REG_CTRL,
        .n = 10, .words = 1, .lock_warm = true,
    }, {
        .data = A_DV_NON_STICKY_GENERIC_SCRATCH_REG,
        .lock = DV_NO_LOCK,
        .n = 8, .words = 1, .data_warm = true,
    }, {
        .data = A_DV_STICKY_LOCKABLE_SCRATCH_REG,
        .lock = A_DV_STICKY_LOCKABLE_SCRATCH_REG_CTRL,
        .n = 8, .words = 1,
    },
};

uint32_t caliptra_dv_reg_read(CaliptraState *s, hwaddr offset)
{
    return offset < sizeof(s->vault.dv) ? s->vault.dv[offset / 4] : 0;
}

void caliptra_dv_reg_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    uint32_t *dv = s->vault.dv;

    for (int i = 0; i < ARRAY_SIZE(dv_regions); i++) {
        const DvRegion *r = &dv_regions[i];

        if (offset >= r->data && offset < r->data + 4 * r->n * r->words) {
            unsigned entry = (offset - r->data) / 4 / r->words;

            if (r->lock != DV_NO_LOCK && dv[r->lock / 4 + entry]) {
                qemu_log_mask(LOG_GUEST_ERROR, "caliptra: write to locked "
                              "data vault register 0x%" HWADDR_PRIx
                              " dropped\n", offset);
                return;
            }
            dv[offset / 4] = data;
            return;
        }
        if (r->lock != DV_NO_LOCK &&
            offset >= r->lock && offset < r->lock + 4 * r->n) {
            dv[offset / 4] |=
                data & R_DV_STICKY_DATA_VAULT_CTRL_LOCK_ENTRY_MASK;
            return;
        }
    }
    qemu_log_mask(LOG_GUEST_ERROR, "caliptra: data vault write to 0x%"
                  HWADDR_PRIx " dropped\n", offset);
}

/* ---- reset, state ---- */

void caliptra_vault_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraVault *v = &s->vault;

    if (kind == CALIPTRA_RESET_COLD) {
        memset(v, 0, sizeof(*v));
        return;
    }
    for (int i = 0; i < CALIPTRA_KV_SLOTS; i++) {
        v->key_ctrl[i] &= ~KV_LOCKS;
        if (kind == CALIPTRA_RESET_WARM) {
            v->key_ctrl[i] &= ~KV_RSVD;
        }
    }
    for (int i = 0; i < CALIPTRA_PCRS; i++) {
        v->pcr_ctrl[i] &= ~R_PV_PCR_CTRL_LOCK_MASK;
        if (kind == CALIPTRA_RESET_WARM) {
            v->pcr_ctrl[i] &= ~PV_RSVD;
        }
    }
    if (kind == CALIPTRA_RESET_WARM) {
        v->clear_secrets = 0;
    }
    for (int i = 0; i < ARRAY_SIZE(dv_regions); i++) {
        const DvRegion *r = &dv_regions[i];

        if (r->lock_warm) {
            memset(&v->dv[r->lock / 4], 0, 4 * r->n);
        }
        if (r->data_warm && kind == CALIPTRA_RESET_WARM) {
            memset(&v->dv[r->data / 4], 0, 4 * r->n * r->words);
        }
    }
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
