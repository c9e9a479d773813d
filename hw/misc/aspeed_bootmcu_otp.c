/*
 * What the BootMCU of the ASPEED AST27x0 makes of the OTP
 *
 * Pure functions.  Where a field is and what it is for: U-Boot's
 * cmd/aspeed/otp_info_ast2700.h, ASPEED's otptool (socsec, otp_info) and
 * aspeed_app's otp_ast2700.h.  What the boot ROM does with it is not
 * published; what follows is a choice of this model:
 *
 * - The owner's hash is that of the first key header of its kind whose
 *   retirement bit is not set; none: any owner.
 * - Secure boot is on with OTPCFG0[9] or with strap 16.
 * - Debug is locked in manufacturing and production unless extended strap 43
 *   opens it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "hw/core/registerfields.h"
#include "hw/misc/caliptra_map.h"
#include "hw/nvram/aspeed_otp_ast2700.h"
#include "aspeed_bootmcu_otp.h"
#include "caliptra_regs.h"

/* Words of the RBP region */
#define RBP(_n)                 (ASPEED_OTP_RBP + (_n))
#define RBP_VENDOR_RETIRED      RBP(2)
#define RBP_OWNER_RETIRED       RBP(3)
#define RBP_FMC_SVN             RBP(8)
#define RBP_RUNTIME_SVN         RBP(10)
#define RBP_VENDOR_ECC_MASK     RBP(18)
#define RBP_VENDOR_LMS_MASK     RBP(19)

/* Words of the Caliptra region */
#define CAL(_n)                 (ASPEED_OTP_CALIPTRA + (_n))
#define CAL_LMS_VERIFY          CAL(0)
#define CAL_ANTI_ROLLBACK       CAL(1)
#define CAL_FIELD_ENTROPY       CAL(2)
#define CAL_VENDOR_HASH         CAL(18)
#define CAL_IDEVID_ATTR         CAL(42)
#define CAL_HSM_ID              CAL(90)
#define CAL_END                 CAL(98)

#define OTPCFG0                 (ASPEED_OTP_CONF + 0)
#define OTPCFG0_SECURE_BOOT         BIT(9)
#define OTPCFG2                 (ASPEED_OTP_CONF + 2)
#define OTPCFG2_LIFECYCLE_SHIFT     8
#define OTPCFG2_LIFECYCLE_LEN       2
#define OTPCFG2_IGNORE_STRAP        BIT(12)

/* Straps, and where the SCUs have them */
#define STRAP_SECURE_BOOT       16
#define SCU1_HWSTRAP1_SECURE_BOOT   BIT(5)
#define STRAP_EXT_CPTRA_DEBUG   43

/* Key headers: two words each, at the begin of the secure region */
#define KEY_HEADERS             80
#define KEY_TYPE_VENDOR_HASH    3
#define KEY_TYPE_OWNER_HASH     4

const BootMcuOtpRange bootmcu_otp_ranges[BOOTMCU_OTP_RANGES] = {
    { ASPEED_OTP_RBP, ASPEED_OTP_USER - ASPEED_OTP_RBP },
    { ASPEED_OTP_SECURE, 2 * KEY_HEADERS },
    { ASPEED_OTP_CALIPTRA, CAL_END - ASPEED_OTP_CALIPTRA },
};

/* A number of two words */
static uint32_t otp_dword(const uint16_t *words, unsigned addr)
{
    return words[addr] | (uint32_t)words[addr + 1] << 16;
}

/* Four bytes of a string, the first one in bits 7:0, as a big-endian number */
static uint32_t otp_be32(const uint16_t *words, unsigned addr)
{
    uint8_t bytes[4];

    stl_le_p(bytes, otp_dword(words, addr));
    return ldl_be_p(bytes);
}

static bool otp_is_zero(const uint16_t *words, unsigned addr, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (words[addr + i]) {
            return false;
        }
    }
    return true;
}

unsigned bootmcu_otp_hash(const uint16_t *words, bool vendor, int *header)
{
    unsigned type = vendor ? KEY_TYPE_VENDOR_HASH : KEY_TYPE_OWNER_HASH;
    uint16_t retired = words[vendor ? RBP_VENDOR_RETIRED : RBP_OWNER_RETIRED];

    *header = -1;
    if (vendor && !otp_is_zero(words, CAL_VENDOR_HASH,
                               BOOTMCU_OTP_HASH_WORDS)) {
        return CAL_VENDOR_HASH;
    }
    for (int i = 0; i < KEY_HEADERS; i++) {
        uint32_t h = otp_dword(words, ASPEED_OTP_SECURE + 2 * i);
        unsigned addr = ASPEED_OTP_SECURE + extract32(h, 16, 12);

        if (extract32(h, 4, 3) == type &&
            !extract32(retired, extract32(h, 0, 4), 1) &&
            addr + BOOTMCU_OTP_HASH_WORDS <= ASPEED_OTP_CALIPTRA) {
            *header = i;
            return addr;
        }
    }
    return 0;
}

static uint32_t *otp_fuse(BootMcuOtp *otp, unsigned addr)
{
    return &otp->fuses.word[(addr - A_FUSE_UDS_SEED) / 4];
}

/* @n register words of a field that is a row of numbers */
static void otp_map_numbers(const uint16_t *words, unsigned addr,
                            BootMcuOtp *otp, unsigned fuse, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        otp_fuse(otp, fuse)[i] = otp_dword(words, addr + 2 * i);
    }
}

/*
 * A hash is a string of bytes in the OTP, and a row of big-endian numbers in
 * the fuse registers.
 */
static void otp_map_hash(const uint16_t *words, unsigned addr,
                         BootMcuOtp *otp, unsigned fuse)
{
    for (unsigned i = 0; addr && i < BOOTMCU_OTP_HASH_WORDS / 2; i++) {
        otp_fuse(otp, fuse)[i] = otp_be32(words, addr + 2 * i);
    }
}

static void otp_map_fuses(const uint16_t *words, BootMcuOtp *otp)
{
    static const struct {
        uint16_t addr;
        uint16_t fuse;
        uint8_t words;
    } numbers[] = {
        { CAL_FIELD_ENTROPY, A_FUSE_FIELD_ENTROPY, 8 },
        { RBP_FMC_SVN, A_FUSE_FMC_KEY_MANIFEST_SVN, 1 },
        { RBP_RUNTIME_SVN, A_FUSE_RUNTIME_SVN, 4 },
        { CAL_IDEVID_ATTR, A_FUSE_IDEVID_CERT_ATTR, 24 },
        { CAL_HSM_ID, A_FUSE_IDEVID_MANUF_HSM_ID, 4 },
        { RBP_VENDOR_LMS_MASK, A_FUSE_LMS_REVOCATION, 1 },
    };

    for (int i = 0; i < ARRAY_SIZE(numbers); i++) {
        otp_map_numbers(words, numbers[i].addr, otp, numbers[i].fuse,
                        numbers[i].words);
    }
    *otp_fuse(otp, A_FUSE_KEY_MANIFEST_PK_HASH_MASK) =
        extract32(words[RBP_VENDOR_ECC_MASK], 0,
                  R_FUSE_KEY_MANIFEST_PK_HASH_MASK_MASK_LENGTH);
    *otp_fuse(otp, A_FUSE_ANTI_ROLLBACK_DISABLE) =
        words[CAL_ANTI_ROLLBACK] & 1;
    *otp_fuse(otp, A_FUSE_LMS_VERIFY) = words[CAL_LMS_VERIFY] & 1;
    *otp_fuse(otp, A_FUSE_LIFE_CYCLE) = otp->lifecycle;
    otp_map_hash(words, bootmcu_otp_hash(words, true, &otp->vendor_key), otp,
                 A_FUSE_KEY_MANIFEST_PK_HASH);
    otp_map_hash(words, bootmcu_otp_hash(words, false, &otp->owner_key), otp,
                 A_FUSE_OWNER_PK_HASH);
}

static void otp_map_straps(const uint16_t *words, BootMcuOtp *otp)
{
    uint32_t strap = 0;
    unsigned ext = ASPEED_OTP_STRAP_EXT + 2;    /* straps 32 to 63 */
    unsigned valid = ext + 8;

    for (int i = 0; i < ASPEED_OTP_STRAP_OPTIONS; i++) {
        strap ^= otp_dword(words, ASPEED_OTP_STRAP_OPTION(i));
    }
    otp->secure_boot = (words[OTPCFG0] & OTPCFG0_SECURE_BOOT) ||
                       extract32(strap, STRAP_SECURE_BOOT, 1);
    otp->ignore_secure_boot_strap = words[OTPCFG2] & OTPCFG2_IGNORE_STRAP;
    otp->scu0_hwstrap1 = extract32(strap, 0, 16);
    /* 17 to 31 are bits 16 to 30 */
    otp->scu1_hwstrap1 = extract32(strap, 17, 15) << 16;
    otp->scu1_hwstrap2 = otp_dword(words, ext) & otp_dword(words, valid);
    otp->debug_locked = (otp->lifecycle == CALIPTRA_LIFECYCLE_MANUFACTURING ||
                         otp->lifecycle == CALIPTRA_LIFECYCLE_PRODUCTION) &&
                        !extract32(otp->scu1_hwstrap2,
                                   STRAP_EXT_CPTRA_DEBUG - 32, 1);
    if (otp->secure_boot) {
        otp->scu1_hwstrap1 |= SCU1_HWSTRAP1_SECURE_BOOT;
    }
}

void bootmcu_otp_map(const uint16_t *words, BootMcuOtp *otp)
{
    memset(otp, 0, sizeof(*otp));
    otp->blank = true;
    for (int i = 0; i < BOOTMCU_OTP_RANGES; i++) {
        otp->blank &= otp_is_zero(words, bootmcu_otp_ranges[i].first,
                                  bootmcu_otp_ranges[i].words);
    }
    otp->lifecycle = extract32(words[OTPCFG2], OTPCFG2_LIFECYCLE_SHIFT,
                               OTPCFG2_LIFECYCLE_LEN);
    for (int i = 0; i < ARRAY_SIZE(otp->otpcfg); i++) {
        otp->otpcfg[i] = otp_dword(words, ASPEED_OTP_CONF + 2 * i);
    }
    otp_map_straps(words, otp);
    otp_map_fuses(words, otp);
}
