/*
 * Caliptra 1.x core: the arithmetic
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_crypto.h"

void caliptra_sha512_compress(uint64_t h[8], const uint8_t block[128])
{
}

void caliptra_sha256_compress(uint32_t h[8], const uint8_t block[64])
{
}

const uint64_t *caliptra_sha512_iv(unsigned mode)
{
    return NULL;
}

const uint32_t *caliptra_sha256_iv(bool sha224)
{
    return NULL;
}

void caliptra_sha1(const void *data, size_t len, uint8_t digest[20])
{
}

void caliptra_sha256(const void *data, size_t len, uint8_t digest[32])
{
}

void caliptra_sha384(const void *data, size_t len, uint8_t digest[48])
{
}

void caliptra_sha512(const void *data, size_t len, uint8_t digest[64])
{
}

void caliptra_hmac384(const uint8_t key[48], const void *data, size_t len,
                      uint8_t tag[48])
{
}

void caliptra_hmac_drbg384(const uint8_t entropy[48], const uint8_t nonce[48],
                           uint8_t out[48])
{
}

void caliptra_aes256_cbc_decrypt(const uint8_t key[32], const uint8_t iv[16],
                                 const uint8_t *in, uint8_t *out, size_t len)
{
}

void caliptra_p384_keygen(const uint8_t seed[48], const uint8_t nonce[48],
                          uint8_t priv[48], uint8_t x[48], uint8_t y[48])
{
}

bool caliptra_p384_sign(const uint8_t priv[48], const uint8_t msg[48],
                        uint8_t r[48], uint8_t s[48])
{
    return 0;
}

CaliptraP384Verify caliptra_p384_verify(const uint8_t x[48],
                                        const uint8_t y[48],
                                        const uint8_t msg[48],
                                        const uint8_t r[48],
                                        const uint8_t s[48],
                                        uint8_t verify_r[48])
{
    return 0;
}

bool caliptra_p384_scalar_ok(const uint8_t scalar[48])
{
    return 0;
}

uint32_t caliptra_lms_verify(const uint8_t pub[CALIPTRA_LMS_PUB_SIZE],
                             const uint8_t sig[CALIPTRA_LMS_SIG_SIZE],
                             const void *msg, size_t len, bool *good)
{
    return 0;
}
