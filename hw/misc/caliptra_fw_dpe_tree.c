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

/* contexts that each privilege level may have at first (runtime/src/lib.rs) */
#define DPE_CONTEXT_THRESHOLD   16

#define DPE_TCI_TYPE_RT_JOURNEY 0x52544A4D /* "RTJM" */
#define DPE_TCI_TYPE_RT         0x52544D52 /* "RTMR" */
#define DPE_TCI_TYPE_VALID_USER 0x4D425650 /* "MBVP" */
#define DPE_TCI_TYPE_CCIV       0x43434956 /* "CCIV" */

#define MBOX_USERS              5

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
    DPE_ALLOW_CA_NOT_SUPPORTED = 0x14,
    DPE_ALLOW_X509_NOT_SUPPORTED = 0x15,
    DPE_INACTIVE_PARENT = 0x16,
    DPE_INACTIVE_CHILD = 0x17,
    DPE_NOT_MARKED_INITIALIZED = 0x18,
} DpeValidation;

#define DPE_VALIDATION_ERROR 0x03000000

/* ---- context table ---- */

unsigned caliptra_dpe_slots(const CaliptraFw *fw)
{
    if (fw->dpe_max_handles) {
        return fw->dpe_max_handles;
    }
    return caliptra_rt_has(fw, CALIPTRA_RT_32_CONTEXTS) ? DPE_MAX_SLOTS :
                                                          DPE_MIN_SLOTS;
}

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
    for (unsigned i = 0; i < caliptra_dpe_slots(env->fw); i++) {
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

void caliptra_dpe_activate(CaliptraFw *fw, CaliptraDpeContext *c,
                           uint8_t type, uint32_t locality,
                           const uint8_t *handle)
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
    c->allow_ca = !caliptra_rt_has(fw, CALIPTRA_RT_NO_ALLOW_CA);
    c->allow_x509 = true;
    c->uses_internal_input_info = false;
    c->uses_internal_input_dice = false;
}

/*
 * Up to release 1.2.1 handle, locality and type stay behind; that the locality
 * does is what lets the validation at the next reset fail with
 * LocalityMismatch.
 */
static void dpe_destroy(CaliptraFw *fw, CaliptraDpeContext *c)
{
    if (caliptra_rt_has(fw, CALIPTRA_RT_DESTROY_CLEARS)) {
        caliptra_dpe_invalidate_handle(c->handle);
        c->locality = 0;
        c->children = 0;
    }
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

/* bit map of @idx and all that derive from it */
static uint32_t dpe_subtree(const CaliptraDpe *dpe, unsigned idx)
{
    uint32_t set = 1u << idx;
    uint32_t children = dpe->contexts[idx].children;

    while (children) {
        unsigned child = ctz32(children);

        children &= children - 1;
        set |= dpe_subtree(dpe, child);
    }
    return set;
}

void caliptra_dpe_destroy_branch(CaliptraFw *fw, unsigned idx)
{
    CaliptraDpe *dpe = &fw->pdata.dpe;
    uint32_t set = dpe_subtree(dpe, idx);

    /* retired ancestors go too, as far as nothing else derives from them */
    for (unsigned i = dpe->contexts[idx].parent_idx;
         i != DPE_NO_PARENT && dpe->contexts[i].state == DPE_RETIRED &&
         is_power_of_2(dpe->contexts[i].children);
         i = dpe->contexts[i].parent_idx) {
        set |= 1u << i;
    }

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        dpe->contexts[i].children &= ~set;
        if (set & (1u << i)) {
            dpe_destroy(fw, &dpe->contexts[i]);
        }
    }
}

CaliptraExportedCdi *caliptra_dpe_exported_cdi(CaliptraFw *fw)
{
    return caliptra_rt_has(fw, CALIPTRA_RT_EXPORT_IN_DCCM) ?
           &fw->pdata.exported_cdi : &fw->rt.exported_cdi;
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
 * Retired ones count, and what is not in PL0's locality counts for PL1, up to
 * release 1.2.2 Caliptra's root too.
 */
unsigned caliptra_dpe_used(CaliptraFw *fw, bool pl0)
{
    bool root_is_pl0 = caliptra_rt_has(fw, CALIPTRA_RT_CONTEXT_LIMITS);
    uint32_t pl0_pauser = caliptra_fw_pl0_pauser(fw);
    unsigned used = 0;

    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &fw->pdata.dpe.contexts[i];
        bool of_pl0 = c->locality == pl0_pauser ||
                      (root_is_pl0 && c->locality == DPE_LOCALITY_CALIPTRA);

        used += c->state != DPE_INACTIVE && of_pl0 == pl0;
    }
    return used;
}

uint32_t caliptra_dpe_check_threshold(CaliptraFw *fw, bool pl0)
{
    unsigned used = caliptra_dpe_used(fw, pl0);
    unsigned limit = DPE_CONTEXT_THRESHOLD;

    if (caliptra_rt_has(fw, CALIPTRA_RT_CONTEXT_LIMITS)) {
        limit = fw->pdata.dpe_limits[pl0 ? 0 : 1];
    }
    if (used > limit) {
        return pl0 ?
            CALIPTRA_ERR_RUNTIME_PL0_USED_DPE_CONTEXT_THRESHOLD_EXCEEDED :
            CALIPTRA_ERR_RUNTIME_PL1_USED_DPE_CONTEXT_THRESHOLD_EXCEEDED;
    }
    if (used == limit) {
        return pl0 ?
            CALIPTRA_ERR_RUNTIME_PL0_USED_DPE_CONTEXT_THRESHOLD_REACHED :
            CALIPTRA_ERR_RUNTIME_PL1_USED_DPE_CONTEXT_THRESHOLD_REACHED;
    }
    return CALIPTRA_FW_OK;
}

/* ---- start of runtime (caliptra-sw runtime/src/drivers.rs) ---- */

/*
 * What the SoC has set up as mailbox users: little-endian, those locked.
 * Returns: bytes
 */
static size_t dpe_valid_users(CaliptraFw *fw, uint8_t users[MBOX_USERS * 4])
{
    size_t len = 0;

    for (int i = 0; i < MBOX_USERS; i++) {
        uint32_t lock = caliptra_fw_soc_ifc_rd(fw,
                            A_CPTRA_MBOX_PAUSER_LOCK + 4 * i);

        if (FIELD_EX32(lock, CPTRA_MBOX_PAUSER_LOCK, LOCK)) {
            stl_le_p(users + len,
                     caliptra_fw_soc_ifc_rd(fw, A_CPTRA_MBOX_VALID_PAUSER +
                                                4 * i));
            len += 4;
        }
    }
    return len;
}

/* The mailbox users, as measured at cold boot up to release 1.2.3 */
static void dpe_measure_valid_users(CaliptraFw *fw, uint8_t measurement[48])
{
    uint8_t users[MBOX_USERS * 4], digest[48];
    size_t len = dpe_valid_users(fw, users);

    caliptra_sha384(users, len, digest);
    /* firmware takes the driver's words as they lie in its memory */
    caliptra_hw_to_bytes(measurement, digest, sizeof(digest));
}

/*
 * Caliptra's initial values: mailbox users, and what the manifest says beside
 * the runtime itself (from release 1.2.4 on; compute_initialization_values_hash
 * in runtime/src/drivers.rs)
 */
static void dpe_measure_cciv(CaliptraFw *fw, uint8_t measurement[48])
{
    const CaliptraManifest *m = (const CaliptraManifest *)fw->pdata.manifest1;
    const uint32_t of_manifest[] = {
        m->header.pl0_pauser, m->header.flags, m->fmc.load_addr,
        m->fmc.entry_point, m->rt.load_addr, m->rt.entry_point,
    };
    uint8_t values[MBOX_USERS * 4 + sizeof(of_manifest)];
    size_t len = dpe_valid_users(fw, values);

    /* little-endian, as the manifest is */
    memcpy(values + len, of_manifest, sizeof(of_manifest));
    caliptra_sha384(values, len + sizeof(of_manifest), measurement);
}

uint32_t caliptra_dpe_init_cold(CaliptraFw *fw)
{
    CaliptraPdata *pdata = &fw->pdata;
    CaliptraDpe *dpe = &pdata->dpe;
    uint32_t pl0_pauser = caliptra_fw_pl0_pauser(fw);
    bool two_pcrs = caliptra_rt_has(fw, CALIPTRA_RT_TWO_PCRS);
    bool cciv = caliptra_rt_has(fw, CALIPTRA_RT_CCIV);
    CaliptraDpeContext *root = &dpe->contexts[0];
    uint8_t measurement[48];
    uint32_t error;

    memset(pdata->dpe_limits,
           caliptra_rt_has(fw, CALIPTRA_RT_CONTEXT_LIMITS) ?
           DPE_CONTEXT_THRESHOLD : 0, sizeof(pdata->dpe_limits));
    memset(dpe, 0, sizeof(*dpe));
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        dpe->contexts[i].parent_idx = DPE_NO_PARENT;
    }

    caliptra_dpe_activate(fw, root, DPE_NORMAL, DPE_LOCALITY_CALIPTRA,
                          caliptra_dpe_default_handle);
    caliptra_drv_pcr_read(fw, two_pcrs ? CALIPTRA_PCR_RT_CURRENT :
                                         CALIPTRA_PCR_RT_JOURNEY, measurement);
    caliptra_dpe_add_measurement(root, measurement);
    if (two_pcrs) {
        caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY,
                              root->tci_cumulative);
    }
    root->tci_type = two_pcrs ? DPE_TCI_TYPE_RT : DPE_TCI_TYPE_RT_JOURNEY;
    dpe->has_initialized = true;

    if (cciv) {
        dpe_measure_cciv(fw, measurement);
    } else {
        dpe_measure_valid_users(fw, measurement);
    }
    if (caliptra_dpe_derive_default(fw, DPE_LOCALITY_CALIPTRA, pl0_pauser,
                                    cciv ? DPE_TCI_TYPE_CCIV :
                                           DPE_TCI_TYPE_VALID_USER,
                                    measurement)) {
        return CALIPTRA_ERR_RUNTIME_ADD_VALID_PAUSER_MEASUREMENT_TO_DPE_FAILED;
    }

    for (uint32_t i = 0; i < pdata->meas_log_index; i++) {
        const CaliptraMeasLogEntry *entry = &pdata->meas_log[i];

        error = caliptra_dpe_check_threshold(fw,
                                             caliptra_fw_caller_is_pl0(fw));
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
    /* what is looked at first, and seen in the root already */
    if (dpe->support_lost && found->root) {
        result = caliptra_rt_has(fw, CALIPTRA_RT_NO_ALLOW_CA) ?
                 DPE_ALLOW_X509_NOT_SUPPORTED : DPE_ALLOW_CA_NOT_SUPPORTED;
    }
    if (result != DPE_VALID) {
        found->error = CALIPTRA_ERR_RUNTIME_DPE_VALIDATION_FAILED;
        found->detail = DPE_VALIDATION_ERROR + result;
    } else {
        found->error = caliptra_dpe_check_threshold(fw,
                           caliptra_fw_caller_is_pl0(fw));
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
    if (caliptra_fw_draws(fw, times *
                          caliptra_dice_disable_attestation_draws(fw))) {
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

/*
 * The context with the initial values follows them, unless nothing is
 * attested any more (runtime/src/drivers.rs update_dpe_cciv)
 */
static uint32_t dpe_update_cciv(CaliptraFw *fw, const CaliptraDpeContext *root)
{
    CaliptraDpe *dpe = &fw->pdata.dpe;
    CaliptraDpeContext *cciv = NULL;
    uint8_t measurement[48];

    if (fw->pdata.attestation_disabled) {
        return CALIPTRA_FW_OK;
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state != DPE_INACTIVE && c->context_type == DPE_NORMAL &&
            c->parent_idx == root - dpe->contexts &&
            c->tci_type == DPE_TCI_TYPE_CCIV) {
            if (cciv) {
                return CALIPTRA_ERR_RUNTIME_MULTIPLE_CCIV_CONTEXTS_FOUND;
            }
            cciv = c;
        }
    }
    if (!cciv) {
        return CALIPTRA_ERR_RUNTIME_CCIV_CONTEXT_NOT_FOUND;
    }
    dpe_measure_cciv(fw, measurement);
    if (memcmp(cciv->tci_current, measurement, sizeof(measurement))) {
        caliptra_dpe_add_measurement(cciv, measurement);
    }
    return CALIPTRA_FW_OK;
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
    /* both, without a hash: if at all, cumulative is one at cold boot only */
    caliptra_drv_pcr_read(fw, caliptra_rt_has(fw, CALIPTRA_RT_TWO_PCRS) ?
                          CALIPTRA_PCR_RT_CURRENT : CALIPTRA_PCR_RT_JOURNEY,
                          found.root->tci_current);
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY,
                          found.root->tci_cumulative);
    return caliptra_rt_has(fw, CALIPTRA_RT_CCIV) ?
           dpe_update_cciv(fw, found.root) : CALIPTRA_FW_OK;
}

/* Is the runtime that was measured the one that @root is about? */
static uint32_t dpe_check_pcrs(CaliptraFw *fw, const CaliptraDpeContext *root)
{
    bool two_pcrs = caliptra_rt_has(fw, CALIPTRA_RT_TWO_PCRS);
    uint8_t current[48], journey[48];

    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_CURRENT, current);
    caliptra_drv_pcr_read(fw, CALIPTRA_PCR_RT_JOURNEY, journey);
    if (two_pcrs && memcmp(root->tci_current, current, sizeof(current))) {
        return CALIPTRA_ERR_RUNTIME_RT_CURRENT_PCR_VALIDATION_FAILED;
    }
    if (memcmp(two_pcrs ? root->tci_cumulative : root->tci_current, journey,
               sizeof(journey))) {
        return CALIPTRA_ERR_RUNTIME_RT_JOURNEY_PCR_VALIDATION_FAILED;
    }
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_dpe_init_warm(CaliptraFw *fw)
{
    uint32_t changed = CALIPTRA_FW_OK;
    DpeFindings found;
    uint32_t error;

    dpe_inspect(fw, &found);
    if (!found.fatal) {
        changed = dpe_check_pcrs(fw, found.root);
    }
    error = dpe_disable_draws(fw, (found.error != 0) + (changed != 0));
    if (error) {
        return error;
    }
    error = dpe_conclude(fw, &found);
    if (error) {
        return error;
    }
    return changed ? dpe_disable_attestation(fw, changed) : CALIPTRA_FW_OK;
}

/* ---- another release takes over ---- */

/* How persistent data lies in DCCM (drivers/src/persistent.rs) */
typedef enum DpeLayout {
    DPE_LAYOUT_1_2_0,
    DPE_LAYOUT_1_2_1,   /* no allow_ca, but flags of the instance */
    DPE_LAYOUT_1_2_3,   /* 32 contexts */
} DpeLayout;

static DpeLayout dpe_layout(CaliptraRelease release)
{
    if (caliptra_release_rt_has(release, CALIPTRA_RT_32_CONTEXTS)) {
        return DPE_LAYOUT_1_2_3;
    }
    return caliptra_release_rt_has(release, CALIPTRA_RT_NO_ALLOW_CA) ?
           DPE_LAYOUT_1_2_1 : DPE_LAYOUT_1_2_0;
}

void caliptra_dpe_change_release(CaliptraFw *fw, CaliptraRelease from)
{
    CaliptraPdata *pdata = &fw->pdata;
    CaliptraDpe *dpe = &pdata->dpe;
    DpeLayout before = dpe_layout(from), now = dpe_layout(fw->rt_release);

    if (before == now) {
        return;
    }
    dpe->moved = true;
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        CaliptraDpeContext *c = &dpe->contexts[i];

        if (before == DPE_LAYOUT_1_2_0) {
            c->allow_x509 = c->allow_ca;
            c->allow_ca = false;
        } else if (now == DPE_LAYOUT_1_2_0) {
            c->allow_ca = c->allow_x509;
            c->allow_x509 = false;
        }
    }
    if (before != DPE_LAYOUT_1_2_3 && now != DPE_LAYOUT_1_2_3) {
        /* the flags of the instance have come in between, or gone */
        dpe->has_initialized = false;
        return;
    }
    /* everything behind the contexts is somewhere else, among zeros */
    dpe->support_lost = true;
    pdata->attestation_disabled = false;
    pdata->cmd_active = false;
    memset(&pdata->exported_cdi, 0, sizeof(pdata->exported_cdi));
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        CaliptraDpeContext *c = &dpe->contexts[i];

        c->has_tag = false;
        c->tag = 0;
        c->children &= MAKE_64BIT_MASK(0, caliptra_dpe_slots(fw));
        if (i >= caliptra_dpe_slots(fw)) {
            memset(c, 0, sizeof(*c));
        }
        if (i >= caliptra_dpe_slots(fw) ||
            c->parent_idx >= caliptra_dpe_slots(fw)) {
            c->parent_idx = DPE_NO_PARENT;
        }
    }
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
 * Can slot @i have come to what it is?  Before there is a DPE all is zero.  An
 * export may leave a retired context without children, and an update to
 * another release a DPE that does not know that it has been initialized.
 */
static bool dpe_slot_sound(CaliptraFw *fw, unsigned i)
{
    const CaliptraDpe *dpe = &fw->pdata.dpe;
    DpeValidation result = dpe_validate_slot(dpe, i);

    if (!dpe->has_initialized && dpe->contexts[i].state == DPE_INACTIVE) {
        return true;
    }
    if (dpe->moved && result == DPE_NOT_MARKED_INITIALIZED) {
        result = dpe_validate_links(dpe, i);
    }
    if (result == DPE_DANGLING_RETIRED_CONTEXT) {
        return dpe->moved ||
               caliptra_rt_has(fw, CALIPTRA_RT_EXPORT_ENDS_PARENT);
    }
    return result == DPE_VALID;
}

/*
 * The code follows links blindly: take no stream that has them wrong, nor
 * one of a part with more slots that has used them
 */
static int caliptra_dpe_post_load(void *opaque, int version_id)
{
    CaliptraDpe *dpe = opaque;
    CaliptraFw *fw = container_of(dpe, CaliptraFw, pdata.dpe);
    DpeValidation forest;

    for (unsigned i = caliptra_dpe_slots(fw); i < DPE_MAX_SLOTS; i++) {
        if (!dpe_is_untouched(dpe, i)) {
            return -EINVAL;
        }
    }
    for (unsigned i = 0; i < DPE_MAX_SLOTS; i++) {
        const CaliptraDpeContext *c = &dpe->contexts[i];

        if (c->state > DPE_RETIRED || c->context_type > DPE_SIMULATION) {
            return -EINVAL;
        }
        if (!dpe_slot_sound(fw, i)) {
            return -EINVAL;
        }
    }
    forest = dpe_validate_forest(dpe);
    return forest == DPE_VALID ||
           (dpe->moved && forest == DPE_MULTIPLE_NORMAL_TREES) ? 0 : -EINVAL;
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
        VMSTATE_BOOL(moved, CaliptraDpe),
        VMSTATE_BOOL(support_lost, CaliptraDpe),
        VMSTATE_END_OF_LIST()
    },
};
