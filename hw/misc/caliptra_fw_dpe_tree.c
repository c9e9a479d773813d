/*
 * Caliptra 1.x core: contexts of the DICE Protection Environment
 *
 * The context table, what runtime finds in it at each of its starts, and the
 * validation that it does then.
 *
 * Sources: caliptra-dpe (commit 7679315) dpe/src/context.rs,
 * dpe/src/validation.rs; caliptra-sw 1.2 runtime/src/drivers.rs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/host-utils.h"
#include "caliptra_fw.h"
#include "caliptra_fw_dpe_internal.h"
#include "trace.h"

#define DPE_HANDLE_ATTEMPTS     8

/* contexts that each privilege level may have (runtime/src/lib.rs) */
#define DPE_CONTEXT_THRESHOLD   16

#define DPE_TCI_TYPE_RT_JOURNEY 0x52544A4D /* "RTJM" */
#define DPE_TCI_TYPE_VALID_USER 0x4D425650 /* "MBVP" */

/* Result of the validation at resets (caliptra-dpe dpe/src/validation.rs) */
typedef enum DpeValidation {
    DPE_VALID = -1,
    DPE_MULTIPLE_NORMAL_TREES = 0x00,
    DPE_CYCLES_IN_TREE = 0x01,
    DPE_INACTIVE_INVALID_PARENT = 0x02,
    DPE_INACTIVE_WITH_CHILDREN = 0x03,
    DPE_BAD_CONTEXT_TYPE = 0x05,
    DPE_INACTIVE_WITH_MEASUREMENT = 0x06,
    DPE_MIXED_CONTEXT_LOCALITY = 0x07,
    DPE_MULTIPLE_DEFAULT_CONTEXTS = 0x08,
    DPE_PARENT_DOES_NOT_EXIST = 0x0A,
    DPE_INACTIVE_WITH_FLAG_SET = 0x0E,
    DPE_LOCALITY_MISMATCH = 0x0F,
    DPE_DANGLING_RETIRED_CONTEXT = 0x10,
    DPE_MIXED_TREE = 0x11,
    DPE_LINKS_CORRUPTED = 0x13,
    DPE_INACTIVE_PARENT = 0x16,
    DPE_INACTIVE_CHILD = 0x17,
    DPE_NOT_MARKED_INITIALIZED = 0x18,
} DpeValidation;

#define DPE_VALIDATION_ERROR 0x03000000

/* ---- context table ---- */

const uint8_t caliptra_dpe_default_handle[DPE_HANDLE_SIZE];

static bool dpe_handle_eq(const uint8_t *a, const uint8_t *b)
{
    return !memcmp(a, b, DPE_HANDLE_SIZE);
}

bool caliptra_dpe_is_default(const uint8_t *handle)
{
    return dpe_handle_eq(handle, caliptra_dpe_default_handle);
}

/* a handle that no request can match */
void caliptra_dpe_invalidate_handle(uint8_t *handle)
{
    memset(handle, 0xFF, DPE_HANDLE_SIZE);
}

bool caliptra_dpe_is_active_in(const CaliptraDpeContext *c, uint32_t locality)
{
    return c->state == DPE_ACTIVE && c->locality == locality;
}

/* The Active context with @handle in @locality; the lowest slot wins */
DpeStatus caliptra_dpe_lookup(const CaliptraDpe *dpe, const uint8_t *handle,
                              uint32_t locality, unsigned *idx)
{
    DpeStatus status = DPE_INVALID_LOCALITY;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        if (!caliptra_dpe_is_active_in(&dpe->contexts[i], locality)) {
            continue;
        }
        if (dpe_handle_eq(dpe->contexts[i].handle, handle)) {
            *idx = i;
            return DPE_OK;
        }
        status = DPE_INVALID_HANDLE;
    }
    return status;
}

DpeStatus caliptra_dpe_free_slot(DpeEnv *env, unsigned *idx)
{
    for (unsigned i = 0; i < env->fw->dpe_max_handles; i++) {
        if (env->dpe->contexts[i].state == DPE_INACTIVE) {
            *idx = i;
            return DPE_OK;
        }
    }
    return DPE_MAX_TCIS;
}

/*
 * A fresh random handle: the first bytes of one draw an attempt.  Handles
 * that a slot still stores, whatever its state, are not given out again.
 */
DpeStatus caliptra_dpe_new_handle(DpeEnv *env, uint8_t *handle)
{
    for (int attempt = 0; attempt < DPE_HANDLE_ATTEMPTS; attempt++) {
        unsigned draw = env->draws;
        DpeStatus status = caliptra_dpe_draws(env, 1);
        bool taken;

        if (status) {
            return status;
        }
        caliptra_words_to_bytes(handle, env->fw->trng_pool[draw],
                                DPE_HANDLE_SIZE / 4);
        taken = caliptra_dpe_is_default(handle);
        for (unsigned i = 0; i < DPE_MAX_SLOTS && !taken; i++) {
            taken = dpe_handle_eq(handle, env->dpe->contexts[i].handle);
        }
        if (!taken) {
            return DPE_OK;
        }
    }
    return DPE_INTERNAL_ERROR;
}

/* Handles other than the default one are for one use: get the next one */
DpeStatus caliptra_dpe_next_handle(DpeEnv *env, const CaliptraDpeContext *c,
                                   uint8_t *handle)
{
    if (caliptra_dpe_is_default(c->handle)) {
        memcpy(handle, caliptra_dpe_default_handle, DPE_HANDLE_SIZE);
        return DPE_OK;
    }
    return caliptra_dpe_new_handle(env, handle);
}

void caliptra_dpe_activate(CaliptraDpeContext *c, uint8_t type,
                           uint32_t locality, const uint8_t *handle)
{
    c->state = DPE_ACTIVE;
    c->context_type = type;
    c->locality = locality;
    memcpy(c->handle, handle, DPE_HANDLE_SIZE);
    c->tci_type = 0;
    memset(c->tci_cumulative, 0, DPE_TCI_SIZE);
    memset(c->tci_current, 0, DPE_TCI_SIZE);
    c->tci_locality = locality;
    c->parent_idx = DPE_NO_PARENT;
    c->children = 0;
    c->allow_ca = true;
    c->allow_x509 = true;
    c->uses_internal_input_info = false;
    c->uses_internal_input_dice = false;
}

/*
 * Handle, locality and type stay behind; that the locality does is what lets
 * the validation at the next reset fail with LocalityMismatch.
 */
void caliptra_dpe_destroy(CaliptraDpeContext *c)
{
    c->state = DPE_INACTIVE;
    c->tci_type = 0;
    memset(c->tci_cumulative, 0, DPE_TCI_SIZE);
    memset(c->tci_current, 0, DPE_TCI_SIZE);
    c->tci_locality = 0;
    c->parent_idx = DPE_NO_PARENT;
    c->allow_ca = false;
    c->allow_x509 = false;
    c->uses_internal_input_info = false;
    c->uses_internal_input_dice = false;
}

void caliptra_dpe_add_measurement(CaliptraDpeContext *c, const uint8_t *data)
{
    uint8_t buf[2 * DPE_TCI_SIZE];

    memcpy(buf, c->tci_cumulative, DPE_TCI_SIZE);
    memcpy(buf + DPE_TCI_SIZE, data, DPE_TCI_SIZE);
    caliptra_sha384(buf, sizeof(buf), c->tci_cumulative);
    memcpy(c->tci_current, data, DPE_TCI_SIZE);
}

void caliptra_dpe_clear_inactive_tags(CaliptraDpe *dpe)
{
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        if (dpe->contexts[i].state == DPE_INACTIVE) {
            dpe->contexts[i].has_tag = false;
            dpe->contexts[i].tag = 0;
        }
    }
}

/*
 * Has the caller's privilege level used up its contexts?  Retired ones count,
 * and what is not in PL0's locality counts for PL1, Caliptra's root too.
 */
uint32_t caliptra_dpe_check_threshold(CaliptraFw *fw)
{
    uint32_t pl0_pauser = caliptra_fw_pl0_pauser(fw);
    bool pl0 = caliptra_fw_caller_is_pl0(fw);
    unsigned used = 0;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &fw->pdata.dpe.contexts[i];

        if (c->state != DPE_INACTIVE && (c->locality == pl0_pauser) == pl0) {
            used++;
        }
    }
    if (used > DPE_CONTEXT_THRESHOLD) {
        return pl0 ?
            CALIPTRA_ERR_RUNTIME_PL0_USED_DPE_CONTEXT_THRESHOLD_EXCEEDED :
            CALIPTRA_ERR_RUNTIME_PL1_USED_DPE_CONTEXT_THRESHOLD_EXCEEDED;
    }
    if (used == DPE_CONTEXT_THRESHOLD) {
        return pl0 ?
            CALIPTRA_ERR_RUNTIME_PL0_USED_DPE_CONTEXT_THRESHOLD_REACHED :
            CALIPTRA_ERR_RUNTIME_PL1_USED_DPE_CONTEXT_THRESHOLD_REACHED;
    }
    return CALIPTRA_FW_OK;
}

/* ---- start of runtime (caliptra-sw runtime/src/drivers.rs) ---- */

/* What the SoC has set up as mailbox users, as measured at cold boot */
static void dpe_measure_valid_users(CaliptraFw *fw, uint8_t measurement[48])
{
    uint8_t users[5 * 4], digest[48];
    size_t len = 0;

    for (int i = 0; i < 5; i++) {
        uint32_t lock = caliptra_fw_soc_ifc_rd(fw,
                            A_CPTRA_MBOX_PAUSER_LOCK + 4 * i);

        if (FIELD_EX32(lock, CPTRA_MBOX_PAUSER_LOCK, LOCK)) {
            stl_le_p(users + len,
                     caliptra_fw_soc_ifc_rd(fw, A_CPTRA_MBOX_VALID_PAUSER +
                                                4 * i));
            len += 4;
        }
    }
    caliptra_sha384(users, len, digest);

    /* firmware takes the driver's words as they lie in its memory */
    caliptra_hw_to_bytes(measurement, digest, sizeof(digest));
}

uint32_t caliptra_dpe_init_cold(CaliptraFw *fw)
{
    CaliptraPdata *pdata = &fw->pdata;
    CaliptraDpe *dpe = &pdata->dpe;
    uint32_t pl0_pauser = caliptra_fw_pl0_pauser(fw);
    uint8_t measurement[48];
    uint32_t error;

    memset(dpe, 0, sizeof(*dpe));
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        dpe->contexts[i].parent_idx = DPE_NO_PARENT;
    }

    caliptra_dpe_activate(&dpe->contexts[0], DPE_NORMAL, DPE_LOCALITY_CALIPTRA,
                          caliptra_dpe_default_handle);
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY, measurement);
    caliptra_dpe_add_measurement(&dpe->contexts[0], measurement);
    dpe->contexts[0].tci_type = DPE_TCI_TYPE_RT_JOURNEY;
    dpe->has_initialized = true;

    dpe_measure_valid_users(fw, measurement);
    if (caliptra_dpe_derive_default(fw, DPE_LOCALITY_CALIPTRA, pl0_pauser,
                                    DPE_TCI_TYPE_VALID_USER, measurement)) {
        return CALIPTRA_ERR_RUNTIME_ADD_VALID_PAUSER_MEASUREMENT_TO_DPE_FAILED;
    }

    for (uint32_t i = 0; i < pdata->meas_log_index; i++) {
        const CaliptraMeasLogEntry *entry = &pdata->meas_log[i];

        error = caliptra_dpe_check_threshold(fw);
        if (error) {
            return error;
        }
        if (caliptra_dpe_derive_default(fw, pl0_pauser, pl0_pauser,
                                        ldl_le_p(entry->metadata),
                                        entry->pcr_entry.data)) {
            return CALIPTRA_ERR_RUNTIME_ADD_ROM_MEASUREMENTS_TO_DPE_FAILED;
        }
    }
    return CALIPTRA_FW_OK;
}

/* Links of slot @i to its parent and children */
static DpeValidation dpe_validate_links(const CaliptraDpe *dpe, unsigned i)
{
    const CaliptraDpeContext *c = &dpe->contexts[i];
    uint32_t children = c->children;

    if (c->parent_idx != DPE_NO_PARENT) {
        if (c->parent_idx >= DPE_MAX_SLOTS) {
            return DPE_PARENT_DOES_NOT_EXIST;
        }
        if (dpe->contexts[c->parent_idx].state == DPE_INACTIVE) {
            return DPE_INACTIVE_PARENT;
        }
        if (!(dpe->contexts[c->parent_idx].children & (1u << i))) {
            return DPE_LINKS_CORRUPTED;
        }
    }
    while (children) {
        unsigned child = ctz32(children);

        children &= children - 1;
        if (dpe->contexts[child].state == DPE_INACTIVE) {
            return DPE_INACTIVE_CHILD;
        }
        if (dpe->contexts[child].parent_idx != i) {
            return DPE_LINKS_CORRUPTED;
        }
    }
    return DPE_VALID;
}

static DpeValidation dpe_validate_slot(const CaliptraDpe *dpe, unsigned i)
{
    const CaliptraDpeContext *c = &dpe->contexts[i];
    DpeValidation result;

    if (c->state == DPE_INACTIVE) {
        if (c->parent_idx != DPE_NO_PARENT) {
            return DPE_INACTIVE_INVALID_PARENT;
        }
        if (c->children) {
            return DPE_INACTIVE_WITH_CHILDREN;
        }
        if (c->tci_type || c->tci_locality ||
            !buffer_is_zero(c->tci_cumulative, DPE_TCI_SIZE) ||
            !buffer_is_zero(c->tci_current, DPE_TCI_SIZE)) {
            return DPE_INACTIVE_WITH_MEASUREMENT;
        }
        if (c->uses_internal_input_info || c->uses_internal_input_dice ||
            c->allow_ca || c->allow_x509) {
            return DPE_INACTIVE_WITH_FLAG_SET;
        }
        return DPE_VALID;
    }

    if (c->state == DPE_ACTIVE && c->context_type == DPE_NORMAL &&
        !dpe->has_initialized) {
        return DPE_NOT_MARKED_INITIALIZED;
    }
    result = dpe_validate_links(dpe, i);
    if (result != DPE_VALID) {
        return result;
    }
    if (c->state == DPE_RETIRED && !c->children) {
        return DPE_DANGLING_RETIRED_CONTEXT;
    }
    return DPE_VALID;
}

/* One default context and no other, or no default context */
static DpeValidation dpe_validate_locality(const CaliptraDpe *dpe,
                                           uint32_t locality)
{
    unsigned defaults = 0, others = 0;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (caliptra_dpe_is_active_in(c, locality)) {
            if (caliptra_dpe_is_default(c->handle)) {
                defaults++;
            } else {
                others++;
            }
        }
        if (defaults > 1) {
            return DPE_MULTIPLE_DEFAULT_CONTEXTS;
        }
        if (defaults && others) {
            return DPE_MIXED_CONTEXT_LOCALITY;
        }
    }
    return DPE_VALID;
}

/*
 * One tree of Normal contexts, trees of Simulation contexts, no loops.  The
 * links are good already, so a loop is where the way up does not end.
 */
static DpeValidation dpe_validate_forest(const CaliptraDpe *dpe)
{
    unsigned normal_trees = 0;
    bool loop = false;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];
        const CaliptraDpeContext *root = c;
        unsigned depth;

        if (c->state == DPE_INACTIVE) {
            continue;
        }
        for (depth = 1;
             root->parent_idx != DPE_NO_PARENT && depth <= DPE_MAX_SLOTS;
             depth++) {
            root = &dpe->contexts[root->parent_idx];
        }
        if (depth > DPE_MAX_SLOTS) {
            loop = true;
        } else if (c->context_type != root->context_type) {
            return DPE_MIXED_TREE;
        } else if (c == root && c->context_type == DPE_NORMAL) {
            normal_trees++;
        }
    }
    if (normal_trees > 1) {
        return DPE_MULTIPLE_NORMAL_TREES;
    }
    return loop ? DPE_CYCLES_IN_TREE : DPE_VALID;
}

static DpeValidation dpe_validate(const CaliptraDpe *dpe)
{
    DpeValidation result;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        result = dpe_validate_slot(dpe, i);
        if (result != DPE_VALID) {
            return result;
        }
        if (c->context_type > DPE_SIMULATION) {
            return DPE_BAD_CONTEXT_TYPE;
        }
        if (c->locality != c->tci_locality) {
            return DPE_LOCALITY_MISMATCH;
        }
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        result = dpe_validate_locality(dpe, dpe->contexts[i].locality);
        if (result != DPE_VALID) {
            return result;
        }
    }
    return dpe_validate_forest(dpe);
}

static CaliptraDpeContext *dpe_root(CaliptraDpe *dpe)
{
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state != DPE_INACTIVE && c->context_type == DPE_NORMAL &&
            c->parent_idx == DPE_NO_PARENT) {
            return c;
        }
    }
    return NULL;
}

/* What runtime found wrong with the contexts that it found in its memory */
typedef struct DpeFindings {
    /* reason to disable attestation, with its extended error; 0: none */
    uint32_t error;
    uint32_t detail;
    /* reason to stop; 0: none */
    uint32_t fatal;
    CaliptraDpeContext *root;
} DpeFindings;

static void dpe_inspect(CaliptraFw *fw, DpeFindings *found)
{
    CaliptraDpe *dpe = &fw->pdata.dpe;
    DpeValidation result = dpe_validate(dpe);

    *found = (DpeFindings) { .root = dpe_root(dpe) };
    if (result != DPE_VALID) {
        found->error = CALIPTRA_ERR_RUNTIME_DPE_VALIDATION_FAILED;
        found->detail = DPE_VALIDATION_ERROR + result;
    } else {
        found->error = caliptra_dpe_check_threshold(fw);
    }

    for (unsigned i = 0; i < DPE_MAX_SLOTS && !found->fatal; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state == DPE_INACTIVE && c->tag) {
            found->fatal = CALIPTRA_ERR_RUNTIME_CONTEXT_TAGS_VALIDATION_FAILED;
        } else if (c->state == DPE_INACTIVE && c->has_tag) {
            found->fatal =
                CALIPTRA_ERR_RUNTIME_CONTEXT_HAS_TAG_VALIDATION_FAILED;
        }
    }
    if (!found->fatal && !found->root) {
        found->fatal = CALIPTRA_ERR_RUNTIME_UNABLE_TO_FIND_DPE_ROOT_CONTEXT;
    }
}

/* Non-fatal, but nothing will be attested until the next cold reset */
static uint32_t dpe_disable_attestation(CaliptraFw *fw, uint32_t error)
{
    if (caliptra_dice_disable_attestation(fw)) {
        return CALIPTRA_ERR_RUNTIME_GLOBAL_EXCEPTION;
    }
    caliptra_fw_error_non_fatal(fw, error);
    return CALIPTRA_FW_OK;
}

/* The draws for disabling attestation so many times */
static uint32_t dpe_disable_draws(CaliptraFw *fw, unsigned times)
{
    if (caliptra_fw_draws(fw, times * CALIPTRA_DISABLE_ATTESTATION_DRAWS)) {
        return CALIPTRA_FW_OK;
    }
    return fw->trng_error ? CALIPTRA_ERR_RUNTIME_GLOBAL_EXCEPTION :
                            CALIPTRA_FW_ENTROPY;
}

/* Act on dpe_inspect()'s findings */
static uint32_t dpe_conclude(CaliptraFw *fw, const DpeFindings *found)
{
    uint32_t error;

    if (found->error) {
        trace_caliptra_dpe_invalid(fw->id, found->error, found->detail);
        error = dpe_disable_attestation(fw, found->error);
        if (error) {
            return error;
        }
        if (found->detail) {
            caliptra_fw_ext_error(fw, 0, found->detail);
        }
    }
    return found->fatal;
}

uint32_t caliptra_dpe_init_update(CaliptraFw *fw)
{
    DpeFindings found;
    uint32_t error;

    dpe_inspect(fw, &found);
    error = dpe_disable_draws(fw, found.error != 0);
    if (error) {
        return error;
    }
    error = dpe_conclude(fw, &found);
    if (error) {
        return error;
    }
    /* both, without a hash: only at cold boot is cumulative one */
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY,
                          found.root->tci_current);
    memcpy(found.root->tci_cumulative, found.root->tci_current, DPE_TCI_SIZE);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_dpe_init_warm(CaliptraFw *fw)
{
    DpeFindings found;
    uint8_t journey[48];
    bool changed;
    uint32_t error;

    dpe_inspect(fw, &found);
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY, journey);
    changed = !found.fatal &&
              memcmp(found.root->tci_current, journey, sizeof(journey));
    error = dpe_disable_draws(fw, (found.error != 0) + changed);
    if (error) {
        return error;
    }
    error = dpe_conclude(fw, &found);
    if (error) {
        return error;
    }
    if (changed) {
        return dpe_disable_attestation(fw,
            CALIPTRA_ERR_RUNTIME_RT_JOURNEY_PCR_VALIDATION_FAILED);
    }
    return CALIPTRA_FW_OK;
}

/* ---- migration ---- */

/* Nothing has ever been in slot @i */
static bool dpe_is_untouched(const CaliptraDpe *dpe, unsigned i)
{
    const CaliptraDpeContext *c = &dpe->contexts[i];

    return c->state == DPE_INACTIVE && caliptra_dpe_is_default(c->handle) &&
           !c->locality && !c->has_tag && !c->tag;
}

/*
 * The code follows links blindly: take no stream that has them wrong, nor
 * one of a part with more slots that has used them
 */
static int caliptra_dpe_post_load(void *opaque, int version_id)
{
    CaliptraDpe *dpe = opaque;
    CaliptraFw *fw = container_of(dpe, CaliptraFw, pdata.dpe);

    for (unsigned i = fw->dpe_max_handles; i < DPE_MAX_SLOTS; i++) {
        if (!dpe_is_untouched(dpe, i)) {
            return -EINVAL;
        }
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state > DPE_RETIRED || c->context_type > DPE_SIMULATION) {
            return -EINVAL;
        }
        if (dpe->has_initialized ? dpe_validate_slot(dpe, i) != DPE_VALID :
                                   c->state != DPE_INACTIVE) {
            return -EINVAL;
        }
    }
    return dpe_validate_forest(dpe) == DPE_VALID ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_caliptra_dpe_context = {
    .name = "caliptra-dpe-context",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8_ARRAY(handle, CaliptraDpeContext, DPE_HANDLE_SIZE),
        VMSTATE_UINT32(tci_type, CaliptraDpeContext),
        VMSTATE_UINT8_ARRAY(tci_cumulative, CaliptraDpeContext, DPE_TCI_SIZE),
        VMSTATE_UINT8_ARRAY(tci_current, CaliptraDpeContext, DPE_TCI_SIZE),
        VMSTATE_UINT32(tci_locality, CaliptraDpeContext),
        VMSTATE_UINT32(children, CaliptraDpeContext),
        VMSTATE_UINT32(locality, CaliptraDpeContext),
        VMSTATE_UINT8(parent_idx, CaliptraDpeContext),
        VMSTATE_UINT8(context_type, CaliptraDpeContext),
        VMSTATE_UINT8(state, CaliptraDpeContext),
        VMSTATE_BOOL(uses_internal_input_info, CaliptraDpeContext),
        VMSTATE_BOOL(uses_internal_input_dice, CaliptraDpeContext),
        VMSTATE_BOOL(allow_ca, CaliptraDpeContext),
        VMSTATE_BOOL(allow_x509, CaliptraDpeContext),
        VMSTATE_BOOL(has_tag, CaliptraDpeContext),
        VMSTATE_UINT32(tag, CaliptraDpeContext),
        VMSTATE_END_OF_LIST()
    },
};

const VMStateDescription vmstate_caliptra_dpe = {
    .name = "caliptra-dpe",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = caliptra_dpe_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_STRUCT_ARRAY(contexts, CaliptraDpe, DPE_MAX_SLOTS, 1,
                             vmstate_caliptra_dpe_context,
                             CaliptraDpeContext),
        VMSTATE_BOOL(has_initialized, CaliptraDpe),
        VMSTATE_END_OF_LIST()
    },
};
