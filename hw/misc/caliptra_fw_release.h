/*
 * Caliptra 1.x core: releases of the native firmware
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_FW_RELEASE_H
#define HW_MISC_CALIPTRA_FW_RELEASE_H

#include "qom/object.h"

typedef struct CaliptraFw CaliptraFw;

/* releases of FMC and runtime; the order is that of their dates */
typedef enum CaliptraRelease {
    /* as a property: what the bundle is */
    CALIPTRA_RELEASE_AUTO,
    CALIPTRA_RELEASE_1_2_0,
    CALIPTRA_RELEASE_1_2_1,
    CALIPTRA_RELEASE_1_2_2,
    CALIPTRA_RELEASE_1_2_3,
    CALIPTRA_RELEASE_1_2_4,
    CALIPTRA_RELEASE_1_2_5,
    CALIPTRA_RELEASE_NUM,
} CaliptraRelease;

/* what is not so in all releases of the runtime, by the one that began it */
typedef enum CaliptraRtTrait {
    /* 1.2.0 */
    CALIPTRA_RT_BASE,                   /* what all of them have */
    CALIPTRA_RT_SELF_TEST,              /* a vendor may leave it out */
    /* 1.2.1 */
    CALIPTRA_RT_REVOKE_EXPORTED_CDI,    /* the command */
    CALIPTRA_RT_FLOW_DONE,      /* FLOW_STATUS bit 31 tells when it is idle */
    CALIPTRA_RT_SHUTDOWN_AT_ONCE,       /* not with the next command */
    CALIPTRA_RT_FMC_CSR_ERRORS,         /* GET_FMC_ALIAS_CSR's own numbers */
    CALIPTRA_RT_NO_ALLOW_CA,            /* DPE does not look at the flag */
    CALIPTRA_RT_PARENT_FIRST,   /* DeriveContext: the parent's next handle */
    CALIPTRA_RT_EXPORT_CHECKS_FIRST,    /* slot 10 keeps what is in use */
    CALIPTRA_RT_EXPORT_ENDS_PARENT,     /* which RETAIN_PARENT can prevent */
    CALIPTRA_RT_JOURNEY_REGISTERS,      /* TcbInfo: in integrityRegisters */
    CALIPTRA_RT_DICE_NOT_CRITICAL,      /* MultiTcbInfo and Ueid */
    /* 1.2.2 */
    CALIPTRA_RT_CMD_ACTIVE,     /* a warm reset can tell if it hit a command */
    CALIPTRA_RT_AUTH_DIGEST,            /* the manifest's, in FW_INFO */
    CALIPTRA_RT_ZERO_CDIS,      /* attestation's end is that of exports, too */
    CALIPTRA_RT_EXPORT_IN_DCCM,         /* the handle outlives resets */
    CALIPTRA_RT_EXPORT_DESTROYS,        /* a parent without children */
    CALIPTRA_RT_DESTROY_CLEARS,         /* a context's handle and locality */
    /* 1.2.3 */
    CALIPTRA_RT_32_CONTEXTS,
    CALIPTRA_RT_CONTEXT_LIMITS,         /* may change; the owner is asked */
    CALIPTRA_RT_RESTORES_VERSIONS,      /* after a warm reset */
    CALIPTRA_RT_LONG_FMC_CSR,           /* 768 bytes */
    /* 1.2.4 */
    CALIPTRA_RT_GET_PCR_LOG,            /* the command */
    CALIPTRA_RT_POPULATE_PL0,           /* POPULATE_IDEV_CERT is PL0's */
    CALIPTRA_RT_TWO_PCRS,               /* the root has PCR 2 and PCR 3 */
    CALIPTRA_RT_CCIV,           /* initial values are measured, not users */
    CALIPTRA_RT_REGISTERS_TAG,          /* integrityRegisters is [11] */
    CALIPTRA_RT_KEY_IDS_DER,            /* no FALSE in AKI and SAN */
    /* 1.2.5 */
    CALIPTRA_RT_DER,                    /* no default value anywhere */
    CALIPTRA_RT_REGISTER_NUM,           /* in integrityRegisters */
    CALIPTRA_RT_TRAITS,
} CaliptraRtTrait;

/* the same of FMC */
typedef enum CaliptraFmcTrait {
    /* 1.2.0 */
    CALIPTRA_FMC_BASE,
    /* 1.2.3 */
    CALIPTRA_FMC_CSR_TCB_INFO,          /* in the FMC alias CSR */
    /* 1.2.4 */
    CALIPTRA_FMC_RT_TCI_ONLY,           /* the manifest is not measured */
    CALIPTRA_FMC_REMAKES_KEY,           /* if a reset has overwritten it */
    CALIPTRA_FMC_TRAITS,
} CaliptraFmcTrait;

/* and of ROM, whose releases have numbers of their own */
typedef enum CaliptraRomTrait {
    /* 1.1.1 */
    CALIPTRA_ROM_RESERVED_USER,         /* refuses the user 0xFFFFFFFF */
    /* 1.2.0 */
    CALIPTRA_ROM_GET_IDEV_CSR,          /* keeps the CSR and hands it out */
} CaliptraRomTrait;

/**
 * caliptra_rt_has / caliptra_fmc_has / caliptra_rom_has: does this runtime,
 * this FMC, this ROM do so?
 * @fw: the firmware side, with a bundle loaded (not for ROM)
 * @trait: what
 */
bool caliptra_rt_has(const CaliptraFw *fw, CaliptraRtTrait trait);
bool caliptra_fmc_has(const CaliptraFw *fw, CaliptraFmcTrait trait);
bool caliptra_rom_has(const CaliptraFw *fw, CaliptraRomTrait trait);

/* the same by release; false for CALIPTRA_RELEASE_AUTO */
bool caliptra_release_rt_has(CaliptraRelease release, CaliptraRtTrait trait);

/* the name, like "1.2.0" */
const char *caliptra_release_name(CaliptraRelease release);

/* bytes that the runtime's self test lets the images have */
uint32_t caliptra_release_fmc_room(const CaliptraFw *fw);
uint32_t caliptra_release_rt_room(const CaliptraFw *fw);

/**
 * caliptra_release_select_fmc / caliptra_release_select_rt
 * @fw: the firmware side; its fw->image is a bundle that has been verified,
 *      its manifest1 that bundle's manifest
 *
 * Settle which release goes on from here: what the property says, else what
 * the bundle's table of contents tells, in the order digest, revision,
 * version, load address of the runtime, else 1.2.0.  The log tells it and
 * why.  FMC's is settled at cold boot for good, runtime's also at updates
 * (caliptra-sw README.md, "FMC+Runtime FW Releases"; builder/src/version.rs).
 */
void caliptra_release_select_fmc(CaliptraFw *fw);
void caliptra_release_select_rt(CaliptraFw *fw);

/**
 * caliptra_release_check: may a stream's releases go on here?
 * @fw: the firmware side, with the stream's releases
 *
 * Returns: false if there are no such releases, or the properties ask for
 * others, which is reported.
 */
bool caliptra_release_check(const CaliptraFw *fw);

/* the properties fmc-release and rt-release */
void caliptra_release_add_properties(ObjectClass *klass);

#endif /* HW_MISC_CALIPTRA_FW_RELEASE_H */
