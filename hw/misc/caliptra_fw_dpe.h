/*
 * Caliptra 1.x core: state of the DICE Protection Environment
 *
 * The DPE of Caliptra 1.2 follows the DPE profile of caliptra-dpe (profile
 * version 0.12, P-384 with SHA-384).  Layout and rules of the context table
 * are those of caliptra-dpe dpe/src/context.rs and dpe/src/dpe_instance.rs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FW_DPE_H
#define HW_MISC_CALIPTRA_FW_DPE_H

/*
 * Slots of the context table, reported by GetProfile as max_tci_nodes.
 * runtime/build.rs of caliptra-sw asks for 32, but up to release 1.2.2 its
 * variable reaches the runtime only and never the library, which takes its
 * own default of 24 (caliptra-dpe dpe/build.rs).
 */
#define DPE_MIN_SLOTS       24
#define DPE_MAX_SLOTS       32
#define DPE_HANDLE_SIZE     16
#define DPE_TCI_SIZE        48
/* parent_idx of a root */
#define DPE_NO_PARENT       0xFF

typedef enum CaliptraDpeState {
    DPE_INACTIVE = 0,
    DPE_ACTIVE = 1,
    /* has no handle any more, but its children still derive from it */
    DPE_RETIRED = 2,
} CaliptraDpeState;

typedef enum CaliptraDpeType {
    DPE_NORMAL = 0,
    DPE_SIMULATION = 1,
} CaliptraDpeType;

typedef struct CaliptraDpeContext {
    uint8_t handle[DPE_HANDLE_SIZE];
    /* the TCI node: what is hashed for the CDI */
    uint32_t tci_type;
    uint8_t tci_cumulative[DPE_TCI_SIZE];
    uint8_t tci_current[DPE_TCI_SIZE];
    uint32_t tci_locality;
    uint32_t children;              /* bit map of slots */
    uint32_t locality;              /* the PAUSER that owns it */
    uint8_t parent_idx;
    uint8_t context_type;
    uint8_t state;
    bool uses_internal_input_info;
    bool uses_internal_input_dice;
    bool allow_ca;
    bool allow_x509;
    /* runtime's own (caliptra-sw runtime/src/tagging.rs) */
    bool has_tag;
    uint32_t tag;
} CaliptraDpeContext;

/*
 * Slots from caliptra_dpe_slots() on are never given out: they stay free,
 * without handle, locality and tag, and are seen nowhere.
 */
typedef struct CaliptraDpe {
    CaliptraDpeContext contexts[DPE_MAX_SLOTS];
    bool has_initialized;
    /* a runtime of another release has made it, which sees it otherwise */
    bool moved;
    /* and so does not find what it supports */
    bool support_lost;
} CaliptraDpe;

extern const VMStateDescription vmstate_caliptra_dpe;

#endif /* HW_MISC_CALIPTRA_FW_DPE_H */
