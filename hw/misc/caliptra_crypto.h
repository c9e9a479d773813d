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

/**
 * caliptra_wipe: forget a secret that is needed no more
 * @secret: @len bytes, on the stack or in memory that is going to be freed
 *
 * A memset() that no compiler takes for superfluous.
 */
static inline void caliptra_wipe(void *secret, size_t len)
{
    memset(secret, 0, len);
    asm volatile("" : : "r" (secret) : "memory");
}

/* ---- SHA-2 (FIPS 180-4) ---- */

#define CALIPTRA_SHA512_BLOCK_SIZE  128
#define CALIPTRA_SHA256_BLOCK_SIZE  64

/* Hash functions that share the SHA-512 compression; sha512_reg MODE */
typedef enum CaliptraSha512Mode {
    CALIPTRA_SHA512_224 = 0,
    CALIPTRA_SHA512_256 = 1,
    CALIPTRA_SHA384 = 2,
    CALIPTRA_SHA512 = 3,
} CaliptraSha512Mode;

/**
 * caliptra_sha512_compress: one step of the SHA-512 compression function
 * @h: chaining value in host order, updated
 * @block: 128 message bytes
 */
void caliptra_sha512_compress(uint64_t h[8], const uint8_t block[128]);

/**
 * caliptra_sha256_compress: one step of the SHA-256 compression function
 * @h: chaining value in host order, updated
 * @block: 64 message bytes
 */
void caliptra_sha256_compress(uint32_t h[8], const uint8_t block[64]);

/**
 * caliptra_sha512_iv: initial chaining value of a SHA-512 family function
 * @mode: a CaliptraSha512Mode
 */
const uint64_t *caliptra_sha512_iv(unsigned mode);

/**
 * caliptra_sha256_iv: initial chaining value of SHA-224 or SHA-256
 * @sha224: choose SHA-224
 */
const uint32_t *caliptra_sha256_iv(bool sha224);

/* Whole messages of @len bytes */
void caliptra_sha1(const void *data, size_t len, uint8_t digest[20]);
void caliptra_sha256(const void *data, size_t len, uint8_t digest[32]);
void caliptra_sha384(const void *data, size_t len, uint8_t digest[48]);
void caliptra_sha512(const void *data, size_t len, uint8_t digest[64]);

/* ---- HMAC-SHA-384 (FIPS 198-1) and HMAC-DRBG ---- */

/**
 * caliptra_hmac384_start: begin a MAC
 * @h: inner chaining value, set; absorb the padded message with
 *     caliptra_sha512_compress()
 * @key: 48 bytes
 */
void caliptra_hmac384_start(uint64_t h[8], const uint8_t key[48]);

/**
 * caliptra_hmac384_finish: the outer hash
 * @h: inner chaining value after the last block, not changed
 * @key: the same 48 bytes
 * @tag: result
 */
void caliptra_hmac384_finish(const uint64_t h[8], const uint8_t key[48],
                             uint8_t tag[48]);

/* A whole message of @len bytes */
void caliptra_hmac384(const uint8_t key[48], const void *data, size_t len,
                      uint8_t tag[48]);

/**
 * caliptra_hmac_drbg384: the scalar generator of the ECC engine
 * @entropy: 48 bytes; KEYGEN: the seed, SIGN: the private key
 * @nonce: 48 bytes; KEYGEN: the nonce, SIGN: the message mod n
 * @out: the first candidate in 1..n-1
 *
 * SP 800-90A HMAC_DRBG with SHA-384, instantiated afresh, as far as the first
 * candidate; beyond that as in caliptra-rtl hmac_drbg.sv.
 */
void caliptra_hmac_drbg384(const uint8_t entropy[48], const uint8_t nonce[48],
                           uint8_t out[48]);

/* ---- AES ---- */

/**
 * caliptra_aes256_cbc_decrypt: AES-256-CBC decryption without padding
 * @key: 32 bytes
 * @iv: 16 bytes
 * @in: ciphertext
 * @out: plaintext; may be @in
 * @len: bytes, a multiple of 16
 */
void caliptra_aes256_cbc_decrypt(const uint8_t key[32], const uint8_t iv[16],
                                 const uint8_t *in, uint8_t *out, size_t len);

/* ---- CTR_DRBG with AES-256, no derivation function (SP 800-90A) ---- */

#define CALIPTRA_CTR_DRBG_SEED_SIZE     48
#define CALIPTRA_CTR_DRBG_BLOCK_SIZE    16

typedef struct CaliptraCtrDrbg {
    uint8_t key[32];
    uint8_t v[16];
} CaliptraCtrDrbg;

/**
 * caliptra_ctr_drbg_update: the update function; from an all-zero state and
 * with seed material as @data, the instantiate function
 */
void caliptra_ctr_drbg_update(CaliptraCtrDrbg *drbg, const uint8_t data[48]);

/* one block of output; the generate function ends with an update */
void caliptra_ctr_drbg_block(CaliptraCtrDrbg *drbg, uint8_t out[16]);

/* ---- ECDSA P-384 as the ECC engine computes it (ecc_dsa_ctrl.sv) ---- */

/* What computations need of the curve: constants, nothing between two calls */
typedef struct CaliptraP384 CaliptraP384;

CaliptraP384 *caliptra_p384_new(void);
void caliptra_p384_free(CaliptraP384 *c);

/**
 * caliptra_p384_keygen: a key pair from a seed
 * @c: the curve
 * @seed: 48 bytes, entropy of the DRBG
 * @nonce: 48 bytes
 * @priv: private key
 * @x: affine coordinates of the public key
 * @y: likewise
 */
void caliptra_p384_keygen(CaliptraP384 *c, const uint8_t seed[48],
                          const uint8_t nonce[48], uint8_t priv[48],
                          uint8_t x[48], uint8_t y[48]);

/**
 * caliptra_p384_sign: deterministic ECDSA (RFC 6979 with SHA-384)
 * @c: the curve
 * @priv: private key
 * @msg: message digest; reduced mod n first
 * @r: signature
 * @s: likewise; no low-s rule
 *
 * Returns: false for the engine's error: @priv is 0 or not below n, or @r or
 * @s came out 0.  @r and @s are not written then.
 */
bool caliptra_p384_sign(CaliptraP384 *c, const uint8_t priv[48],
                        const uint8_t msg[48], uint8_t r[48], uint8_t s[48]);

typedef enum CaliptraP384Verify {
    CALIPTRA_P384_DONE,         /* @verify_r is valid: compare with r */
    CALIPTRA_P384_RANGE,        /* r, s, x or y out of range */
    CALIPTRA_P384_OFF_CURVE,    /* in range, but not a point of the curve */
} CaliptraP384Verify;

/**
 * caliptra_p384_verify: the computation of ECDSA verification
 * @c: the curve
 * @x: public key
 * @y: likewise
 * @msg: message digest; reduced mod n first
 * @r: signature
 * @s: likewise
 * @verify_r: affine x of the resulting point, mod p and not mod n; 0 for the
 *            point at infinity.  The signature is good if it equals @r.
 *
 * Returns: what stopped it; @verify_r is written with CALIPTRA_P384_DONE only.
 */
CaliptraP384Verify caliptra_p384_verify(CaliptraP384 *c,
                                        const uint8_t x[48],
                                        const uint8_t y[48],
                                        const uint8_t msg[48],
                                        const uint8_t r[48],
                                        const uint8_t s[48],
                                        uint8_t verify_r[48]);

/* 1 <= @scalar < n? */
bool caliptra_p384_scalar_ok(const uint8_t scalar[48]);

/* ---- LMS (RFC 8554, NIST SP 800-208), SHA-256/192 H15 W4 ---- */

#define CALIPTRA_LMS_PUB_SIZE 48
#define CALIPTRA_LMS_SIG_SIZE 1620

/* Caliptra error numbers, DRIVER_LMS_* (caliptra-sw error/src/lib.rs) */
enum {
    CALIPTRA_LMS_OK = 0,
    CALIPTRA_LMS_INVALID_TREE_TYPE = 0x000C0001,
    CALIPTRA_LMS_INVALID_OTS_TYPE = 0x000C0002,
    CALIPTRA_LMS_INVALID_P = 0x000C0004,
    CALIPTRA_LMS_INVALID_TREE_HEIGHT = 0x000C0006,
    CALIPTRA_LMS_INVALID_Q = 0x000C0007,
    CALIPTRA_LMS_OTS_TYPE_MISMATCH = 0x000C000D,
};

/**
 * caliptra_lms_verify: verification with the driver's order of checks
 * @pub: wire bytes: tree type, ots type (BE32), I[16], root[24]
 * @sig: wire bytes: q, ots type (BE32), C[24], y[51][24], tree type, path
 * @msg: message, @len bytes
 * @good: whether the computed root is that of the key
 *
 * As caliptra-sw drivers/src/lms.rs: the tree type of the key is not looked
 * at, and of that of the signature only the height counts.
 *
 * Returns: CALIPTRA_LMS_OK, or the number of the first check that failed;
 * @good is false then.
 */
uint32_t caliptra_lms_verify(const uint8_t pub[CALIPTRA_LMS_PUB_SIZE],
                             const uint8_t sig[CALIPTRA_LMS_SIG_SIZE],
                             const void *msg, size_t len, bool *good);

#endif /* HW_MISC_CALIPTRA_CRYPTO_H */
