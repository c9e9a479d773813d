/*
 * Caliptra 1.x core: address map, sizes, and the order of bytes
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_MAP_H
#define HW_MISC_CALIPTRA_MAP_H

#include "qemu/bswap.h"

/* Address map of the microcontroller (Caliptra hardware specification) */
#define CALIPTRA_DOE_BASE       0x10000000
#define CALIPTRA_ECC_BASE       0x10008000
#define CALIPTRA_HMAC_BASE      0x10010000
#define CALIPTRA_KV_BASE        0x10018000
#define CALIPTRA_PV_BASE        0x1001A000
#define CALIPTRA_DV_BASE        0x1001C000
#define CALIPTRA_SHA512_BASE    0x10020000
#define CALIPTRA_SHA256_BASE    0x10028000
#define CALIPTRA_CSRNG_BASE     0x20002000
#define CALIPTRA_ENTROPY_BASE   0x20003000
#define CALIPTRA_MBOX_SRAM_BASE 0x30000000
#define CALIPTRA_MBOX_CSR_BASE  0x30020000
#define CALIPTRA_SHA_ACC_BASE   0x30021000
#define CALIPTRA_SOC_IFC_BASE   0x30030000
#define CALIPTRA_ICCM_BASE      0x40000000
#define CALIPTRA_DCCM_BASE      0x50000000

#define CALIPTRA_MBOX_SRAM_SIZE 0x20000
#define CALIPTRA_ICCM_SIZE      0x20000

/* The microcontroller's user id (caliptra-rtl soc_ifc_top.sv, uc_req.user) */
#define CALIPTRA_UC_USER 0xFFFFFFFFu

/* words of a random number, CPTRA_TRNG_DATA */
#define CALIPTRA_TRNG_WORDS 12
/* slots of the key vault, PCRs, and words of each */
#define CALIPTRA_KV_SLOTS   32
#define CALIPTRA_KV_WORDS   12
#define CALIPTRA_PCRS       32
#define CALIPTRA_PCR_WORDS  12

/* Device lifecycle, as in CPTRA_SECURITY_STATE.device_lifecycle */
typedef enum CaliptraLifecycle {
    CALIPTRA_LIFECYCLE_UNPROVISIONED = 0,
    CALIPTRA_LIFECYCLE_MANUFACTURING = 1,
    CALIPTRA_LIFECYCLE_PRODUCTION = 3,
} CaliptraLifecycle;

/* ---- byte order: the two conversions, used at every block's edge ---- */

/**
 * caliptra_words_to_bytes: register words to a natural byte string
 * @bytes: 4 * @n bytes, most significant byte of word 0 first
 * @words: @n register words in host order
 * @n: number of words
 */
static inline void caliptra_words_to_bytes(uint8_t *bytes,
                                           const uint32_t *words, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        stl_be_p(bytes + 4 * i, words[i]);
    }
}

/**
 * caliptra_bytes_to_words: a natural byte string to register words
 * @words: @n register words in host order
 * @bytes: 4 * @n bytes, most significant byte of word 0 first
 * @n: number of words
 */
static inline void caliptra_bytes_to_words(uint32_t *words,
                                           const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        words[i] = ldl_be_p(bytes + 4 * i);
    }
}

#endif /* HW_MISC_CALIPTRA_MAP_H */
