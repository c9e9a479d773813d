/*
 * Caliptra 1.x core: the arithmetic
 *
 * Pure functions on bytes; no device state.  All numbers and digests are
 * natural byte strings, most significant byte first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_CRYPTO_H
#define HW_MISC_CALIPTRA_CRYPTO_H

/* ---- SHA-2 ---- */

/* one compression; @h in host order, @block 128 (64) bytes */
void caliptra_sha512_compress(uint64_t h[8], const uint8_t block[128]);
void caliptra_sha256_compress(uint32_t h[8], const uint8_t block[64]);
/* initial values; @mode 0 SHA-512/224, 1 SHA-512/256, 2 SHA-384, 3 SHA-512 */
const uint64_t *caliptra_sha512_iv(unsigned mode);
const uint32_t *caliptra_sha256_iv(bool sha224);

/* whole messages */
void caliptra_sha1(const void *data, size_t len, uint8_t digest[20]);
void caliptra_sha256(const void *data, size_t len, uint8_t digest[32]);
void caliptra_sha384(const void *data, size_t len, uint8_t digest[48]);
void caliptra_sha512(const void *data, size_t len, uint8_t digest[64]);

/* ---- HMAC, DRBG ---- */

void caliptra_hmac384(const uint8_t key[48], const void *data, size_t len,
                      uint8_t tag[48]);
/* engines.md section 2.3: the number for KEYGEN and SIGN */
void caliptra_hmac_drbg384(const uint8_t entropy[48], const uint8_t nonce[48],
                           uint8_t out[48]);

/* ---- AES-256-CBC decryption, no padding (engines.md section 5.2) ---- */
void caliptra_aes256_cbc_decrypt(const uint8_t key[32], const uint8_t iv[16],
                                 const uint8_t *in, uint8_t *out, size_t len);

/* ---- P-384 (engines.md sections 2.4 to 2.7) ---- */

void caliptra_p384_keygen(const uint8_t seed[48], const uint8_t nonce[48],
                          uint8_t priv[48], uint8_t x[48], uint8_t y[48]);
/* false: the engine's error (key out of range, r or s zero) */
bool caliptra_p384_sign(const uint8_t priv[48], const uint8_t msg[48],
                        uint8_t r[48], uint8_t s[48]);

typedef enum CaliptraP384Verify {
    CALIPTRA_P384_DONE,         /* @verify_r is valid: compare with r */
    CALIPTRA_P384_RANGE,        /* r, s, x or y out of range */
    CALIPTRA_P384_OFF_CURVE,    /* in range, but not a point of the curve */
} CaliptraP384Verify;

CaliptraP384Verify caliptra_p384_verify(const uint8_t x[48],
                                        const uint8_t y[48],
                                        const uint8_t msg[48],
                                        const uint8_t r[48],
                                        const uint8_t s[48],
                                        uint8_t verify_r[48]);
/* 1 <= @scalar < n? */
bool caliptra_p384_scalar_ok(const uint8_t scalar[48]);

/* ---- LMS, SHA-256/192 H15 W4 (engines.md section 8.4) ---- */

#define CALIPTRA_LMS_PUB_SIZE 48
#define CALIPTRA_LMS_SIG_SIZE 1620

/**
 * caliptra_lms_verify: verification with the driver's order of checks
 * @pub: wire bytes: tree type, ots type (BE32), I[16], root[24]
 * @sig: wire bytes: q, ots type (BE32), C[24], y[51][24], tree type, path
 * @msg: message, @len bytes
 * @good: whether the computed root is that of the key
 *
 * Returns: 0, or the driver's error number (0x000Cxxxx); @good is false then.
 */
uint32_t caliptra_lms_verify(const uint8_t pub[CALIPTRA_LMS_PUB_SIZE],
                             const uint8_t sig[CALIPTRA_LMS_SIG_SIZE],
                             const void *msg, size_t len, bool *good);

#endif /* HW_MISC_CALIPTRA_CRYPTO_H */
