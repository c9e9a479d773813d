/*
 * What the BootMCU of the ASPEED AST27x0 makes of the OTP
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_BOOTMCU_OTP_H
#define HW_MISC_ASPEED_BOOTMCU_OTP_H

#include "hw/misc/caliptra_fuses.h"

/* Words of a key hash */
#define BOOTMCU_OTP_HASH_WORDS  24

/* Ranges of the OTP that matter, besides key hashes: first word, words */
typedef struct BootMcuOtpRange {
    uint16_t first;
    uint16_t words;
} BootMcuOtpRange;

#define BOOTMCU_OTP_RANGES      3
extern const BootMcuOtpRange bootmcu_otp_ranges[BOOTMCU_OTP_RANGES];

/* Straps, life cycle and fuses that an OTP gives */
typedef struct BootMcuOtp {
    bool blank;                 /* there is nothing in the OTP */
    uint8_t lifecycle;          /* CPTRA_SECURITY_STATE.device_lifecycle */
    bool debug_locked;
    bool secure_boot;
    /* a pin of the SoC cannot turn on secure boot */
    bool ignore_secure_boot_strap;
    uint32_t scu0_hwstrap1;     /* bits that the OTP sets there */
    uint32_t scu1_hwstrap1;
    uint32_t scu1_hwstrap2;
    uint32_t otpcfg[16];        /* SCU1 0x880 */
    /* key headers (0 to 79) that the hashes come from, or -1 */
    int owner_key;
    int vendor_key;
    CaliptraFuses fuses;
} BootMcuOtp;

/**
 * bootmcu_otp_hash: where a key hash is that counts
 * @words: the OTP, of which bootmcu_otp_ranges are needed
 * @vendor: the hash of the vendor's keys, else of the owner's
 * @header: number of the key header; -1 if there is none
 *
 * Returns: address of the first of BOOTMCU_OTP_HASH_WORDS words; 0: none.
 */
unsigned bootmcu_otp_hash(const uint16_t *words, bool vendor, int *header);

/**
 * bootmcu_otp_map: what an OTP means
 * @words: the OTP, 0x2000 words in host order; bootmcu_otp_ranges and the
 *         hashes that bootmcu_otp_hash() names are needed
 * @otp: what they mean
 */
void bootmcu_otp_map(const uint16_t *words, BootMcuOtp *otp);

#endif /* HW_MISC_ASPEED_BOOTMCU_OTP_H */
