/*
 * Caliptra 1.x core: the arithmetic
 *
 * The SHA-2 compression functions are here because the engines need hash
 * states that can be saved between two blocks; whole messages, AES and the
 * arithmetic of the curve are left to the libraries.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <gcrypt.h>
#include "qapi/error.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "crypto/hash.h"
#include "caliptra_crypto.h"

/*
 * qcrypto_init() does this when QEMU's own crypto uses libgcrypt, too
 * (libgcrypt manual, "Initializing the library").  Nobody turns secure memory
 * off; where the host does not let it be locked it is still wiped when freed,
 * and there is no need to tell users of it.
 */
static void crypto_init(void)
{
    if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
        gcry_check_version(NULL);
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    }
    gcry_control(GCRYCTL_DISABLE_SECMEM_WARN);
}

/* ---- SHA-2 (FIPS 180-4) ---- */

/* Section 4.2.3; the upper halves of the first 64 are those of SHA-256 */
static const uint64_t sha512_k[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f,
    0xe9b5dba58189dbbc, 0x3956c25bf348b538, 0x59f111f1b605d019,
    0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242,
    0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3,
    0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65, 0x2de92c6f592b0275,
    0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f,
    0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc,
    0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6,
    0x92722c851482353b, 0xa2bfe8a14cf10364, 0xa81a664bbc423001,
    0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99,
    0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb,
    0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc,
    0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915,
    0xc67178f2e372532b, 0xca273eceea26619c, 0xd186b8c721c0c207,
    0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba,
    0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a,
    0x5fcb6fab3ad6faec, 0x6c44198c4a475817,
};

/* Sections 5.3.4 to 5.3.6, by CaliptraSha512Mode */
static const uint64_t sha512_iv[4][8] = {
    [CALIPTRA_SHA512_224] = {
        0x8c3d37c819544da2, 0x73e1996689dcd4d6,
        0x1dfab7ae32ff9c82, 0x679dd514582f9fcf,
        0x0f6d2b697bd44da8, 0x77e36f7304c48942,
        0x3f9d85a86a1d36c8, 0x1112e6ad91d692a1,
    },
    [CALIPTRA_SHA512_256] = {
        0x22312194fc2bf72c, 0x9f555fa3c84c64c2,
        0x2393b86b6f53b151, 0x963877195940eabd,
        0x96283ee2a88effe3, 0xbe5e1e2553863992,
        0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2,
    },
    [CALIPTRA_SHA384] = {
        0xcbbb9d5dc1059ed8, 0x629a292a367cd507,
        0x9159015a3070dd17, 0x152fecd8f70e5939,
        0x67332667ffc00b31, 0x8eb44a8768581511,
        0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4,
    },
    [CALIPTRA_SHA512] = {
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b,
        0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
        0x510e527fade682d1, 0x9b05688c2b3e6c1f,
        0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
    },
};

/* Sections 5.3.2 and 5.3.3 */
static const uint32_t sha224_iv[8] = {
    0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939,
    0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4,
};

static const uint32_t sha256_iv[8] = {
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

const uint64_t *caliptra_sha512_iv(unsigned mode)
{
    return sha512_iv[mode & 3];
}

const uint32_t *caliptra_sha256_iv(bool sha224)
{
    return sha224 ? sha224_iv : sha256_iv;
}

/* Section 4.1: the functions that both families share */
#define SHA2_CH(x, y, z)    (((x) & (y)) ^ (~(x) & (z)))
#define SHA2_MAJ(x, y, z)   (((x) & (y)) ^ ((x) & (z)) ^ ((y) & (z)))

void caliptra_sha512_compress(uint64_t h[8], const uint8_t block[128])
{
    uint64_t w[80];
    uint64_t v[8];
    uint64_t t1, t2;

    for (int i = 0; i < 16; i++) {
        w[i] = ldq_be_p(block + 8 * i);
    }
    for (int i = 16; i < 80; i++) {
        uint64_t x = w[i - 15], y = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] +
               (ror64(x, 1) ^ ror64(x, 8) ^ (x >> 7)) +
               (ror64(y, 19) ^ ror64(y, 61) ^ (y >> 6));
    }
    memcpy(v, h, sizeof(v));
    for (int i = 0; i < 80; i++) {
        t1 = v[7] + (ror64(v[4], 14) ^ ror64(v[4], 18) ^ ror64(v[4], 41)) +
             SHA2_CH(v[4], v[5], v[6]) + sha512_k[i] + w[i];
        t2 = (ror64(v[0], 28) ^ ror64(v[0], 34) ^ ror64(v[0], 39)) +
             SHA2_MAJ(v[0], v[1], v[2]);
        v[7] = v[6];
        v[6] = v[5];
        v[5] = v[4];
        v[4] = v[3] + t1;
        v[3] = v[2];
        v[2] = v[1];
        v[1] = v[0];
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) {
        h[i] += v[i];
    }
    /* HMAC's blocks are keys and what is derived from them */
    caliptra_wipe(w, sizeof(w));
    caliptra_wipe(v, sizeof(v));
}

void caliptra_sha256_compress(uint32_t h[8], const uint8_t block[64])
{
    uint32_t w[64];
    uint32_t v[8];
    uint32_t t1, t2;

    for (int i = 0; i < 16; i++) {
        w[i] = ldl_be_p(block + 4 * i);
    }
    for (int i = 16; i < 64; i++) {
        uint32_t x = w[i - 15], y = w[i - 2];

        w[i] = w[i - 16] + w[i - 7] +
               (ror32(x, 7) ^ ror32(x, 18) ^ (x >> 3)) +
               (ror32(y, 17) ^ ror32(y, 19) ^ (y >> 10));
    }
    memcpy(v, h, sizeof(v));
    for (int i = 0; i < 64; i++) {
        t1 = v[7] + (ror32(v[4], 6) ^ ror32(v[4], 11) ^ ror32(v[4], 25)) +
             SHA2_CH(v[4], v[5], v[6]) + (sha512_k[i] >> 32) + w[i];
        t2 = (ror32(v[0], 2) ^ ror32(v[0], 13) ^ ror32(v[0], 22)) +
             SHA2_MAJ(v[0], v[1], v[2]);
        v[7] = v[6];
        v[6] = v[5];
        v[5] = v[4];
        v[4] = v[3] + t1;
        v[3] = v[2];
        v[2] = v[1];
        v[1] = v[0];
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) {
        h[i] += v[i];
    }
}

static void sha_bytes(QCryptoHashAlgo alg, const void *data, size_t len,
                      uint8_t *digest, size_t digest_len)
{
    qcrypto_hash_bytes(alg, data, len, &digest, &digest_len, &error_abort);
}

void caliptra_sha1(const void *data, size_t len, uint8_t digest[20])
{
    sha_bytes(QCRYPTO_HASH_ALGO_SHA1, data, len, digest, 20);
}

void caliptra_sha256(const void *data, size_t len, uint8_t digest[32])
{
    sha_bytes(QCRYPTO_HASH_ALGO_SHA256, data, len, digest, 32);
}

void caliptra_sha384(const void *data, size_t len, uint8_t digest[48])
{
    sha_bytes(QCRYPTO_HASH_ALGO_SHA384, data, len, digest, 48);
}

void caliptra_sha512(const void *data, size_t len, uint8_t digest[64])
{
    sha_bytes(QCRYPTO_HASH_ALGO_SHA512, data, len, digest, 64);
}

/* ---- HMAC-SHA-384 (FIPS 198-1) ---- */

#define HMAC_IPAD   0x36
#define HMAC_OPAD   0x5c

static void hmac384_absorb_key(uint64_t h[8], const uint8_t key[48],
                               uint8_t pad)
{
    uint8_t block[CALIPTRA_SHA512_BLOCK_SIZE];

    memset(block, pad, sizeof(block));
    for (int i = 0; i < 48; i++) {
        block[i] ^= key[i];
    }
    memcpy(h, caliptra_sha512_iv(CALIPTRA_SHA384), 64);
    caliptra_sha512_compress(h, block);
    caliptra_wipe(block, sizeof(block));
}

void caliptra_hmac384_start(uint64_t h[8], const uint8_t key[48])
{
    hmac384_absorb_key(h, key, HMAC_IPAD);
}

void caliptra_hmac384_finish(const uint64_t h[8], const uint8_t key[48],
                             uint8_t tag[48])
{
    uint8_t block[CALIPTRA_SHA512_BLOCK_SIZE] = { 0 };
    uint64_t outer[8];

    hmac384_absorb_key(outer, key, HMAC_OPAD);
    for (int i = 0; i < 6; i++) {
        stq_be_p(block + 8 * i, h[i]);
    }
    block[48] = 0x80;
    stq_be_p(block + 120, (CALIPTRA_SHA512_BLOCK_SIZE + 48) * 8);
    caliptra_sha512_compress(outer, block);
    for (int i = 0; i < 6; i++) {
        stq_be_p(tag + 8 * i, outer[i]);
    }
    caliptra_wipe(block, sizeof(block));
    caliptra_wipe(outer, sizeof(outer));
}

/* @bits is what the padding says of the length of key block and message */
static void hmac384_bits(const uint8_t key[48], const uint8_t *data,
                         size_t len, uint64_t bits, uint8_t tag[48])
{
    uint8_t block[CALIPTRA_SHA512_BLOCK_SIZE];
    uint64_t h[8];

    caliptra_hmac384_start(h, key);
    for (; len >= sizeof(block); len -= sizeof(block)) {
        caliptra_sha512_compress(h, data);
        data += sizeof(block);
    }
    memset(block, 0, sizeof(block));
    if (len) {
        memcpy(block, data, len);
    }
    block[len] = 0x80;
    if (len >= sizeof(block) - 16) {
        caliptra_sha512_compress(h, block);
        memset(block, 0, sizeof(block));
    }
    stq_be_p(block + 120, bits);
    caliptra_sha512_compress(h, block);
    caliptra_hmac384_finish(h, key, tag);
    caliptra_wipe(block, sizeof(block));
    caliptra_wipe(h, sizeof(h));
}

void caliptra_hmac384(const uint8_t key[48], const void *data, size_t len,
                      uint8_t tag[48])
{
    hmac384_bits(key, data, len,
                 8 * (uint64_t)(CALIPTRA_SHA512_BLOCK_SIZE + len), tag);
}

/* ---- HMAC-DRBG ---- */

/*
 * In the update between two candidates caliptra-rtl's hmac_drbg.sv pads the
 * 49-byte message with this length, 16 bits less than it has.
 */
#define HMAC_DRBG_RETRY_BITS 0x578

void caliptra_hmac_drbg384(const uint8_t entropy[48], const uint8_t nonce[48],
                           uint8_t out[48])
{
    uint8_t k[48] = { 0 };
    uint8_t seed[48 + 1 + 48 + 48];     /* V, round number, entropy, nonce */
    uint8_t *v = seed;

    memset(v, 1, 48);
    memcpy(seed + 49, entropy, 48);
    memcpy(seed + 97, nonce, 48);
    for (int round = 0; round < 2; round++) {
        v[48] = round;
        caliptra_hmac384(k, seed, sizeof(seed), k);
        caliptra_hmac384(k, v, 48, v);
    }
    for (;;) {
        caliptra_hmac384(k, v, 48, out);
        if (caliptra_p384_scalar_ok(out)) {
            break;
        }
        v[48] = 0;
        hmac384_bits(k, v, 49, HMAC_DRBG_RETRY_BITS, k);
        caliptra_hmac384(k, v, 48, v);
    }
    caliptra_wipe(k, sizeof(k));
    caliptra_wipe(seed, sizeof(seed));
}

/* ---- AES ---- */

/* A cipher whose key schedule is in secure memory, which is wiped by close */
static gcry_cipher_hd_t aes256_open(enum gcry_cipher_modes mode,
                                    const uint8_t key[32])
{
    gcry_cipher_hd_t cipher;
    gcry_error_t err;

    crypto_init();
    err = gcry_cipher_open(&cipher, GCRY_CIPHER_AES256, mode,
                           GCRY_CIPHER_SECURE);
    assert(!err);
    err = gcry_cipher_setkey(cipher, key, 32);
    assert(!err);
    return cipher;
}

void caliptra_aes256_cbc_decrypt(const uint8_t key[32], const uint8_t iv[16],
                                 const uint8_t *in, uint8_t *out, size_t len)
{
    gcry_cipher_hd_t cipher = aes256_open(GCRY_CIPHER_MODE_CBC, key);
    gcry_error_t err;

    err = gcry_cipher_setiv(cipher, iv, 16);
    assert(!err);
    /* in place: libgcrypt knows no two buffers that are the same */
    memmove(out, in, len);
    err = gcry_cipher_decrypt(cipher, out, len, NULL, 0);
    assert(!err);
    gcry_cipher_close(cipher);
}

/* ---- CTR_DRBG (SP 800-90A) ---- */

void caliptra_ctr_drbg_block(CaliptraCtrDrbg *drbg, uint8_t out[16])
{
    gcry_cipher_hd_t cipher;
    gcry_error_t err;

    for (int i = sizeof(drbg->v) - 1; i >= 0 && ++drbg->v[i] == 0; i--) {
        /* carry */
    }
    cipher = aes256_open(GCRY_CIPHER_MODE_ECB, drbg->key);
    err = gcry_cipher_encrypt(cipher, out, CALIPTRA_CTR_DRBG_BLOCK_SIZE,
                              drbg->v, sizeof(drbg->v));
    assert(!err);
    gcry_cipher_close(cipher);
}

void caliptra_ctr_drbg_update(CaliptraCtrDrbg *drbg, const uint8_t data[48])
{
    uint8_t temp[CALIPTRA_CTR_DRBG_SEED_SIZE];

    for (int i = 0; i < sizeof(temp); i += CALIPTRA_CTR_DRBG_BLOCK_SIZE) {
        caliptra_ctr_drbg_block(drbg, temp + i);
    }
    for (int i = 0; i < sizeof(temp); i++) {
        temp[i] ^= data[i];
    }
    memcpy(drbg->key, temp, sizeof(drbg->key));
    memcpy(drbg->v, temp + sizeof(drbg->key), sizeof(drbg->v));
    caliptra_wipe(temp, sizeof(temp));
}

/* ---- P-384 (FIPS 186-4 D.1.2.4, with libgcrypt's arithmetic) ---- */

#define P384_BYTES  48
#define P384_BITS   384

static const uint8_t p384_order[P384_BYTES] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a,
    0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};

/* A scalar's bits as the comb for G takes them: 48 columns of 8 */
#define COMB_TEETH      8
#define COMB_COLUMNS    (P384_BITS / COMB_TEETH)
#define COMB_SIZE       (1 << COMB_TEETH)

/* Signed digits for all other points */
#define NAF_WIDTH       5
#define NAF_DIGITS      (P384_BITS + 1)
#define NAF_MAX         ((1 << (NAF_WIDTH - 1)) - 1)
#define NAF_POINTS      (NAF_MAX + 1)

struct CaliptraP384 {
    gcry_ctx_t ctx;
    gcry_mpi_t p;
    gcry_mpi_t n;
    /* [1] is G; from [2] on when there is something to multiply */
    gcry_mpi_point_t comb[COMB_SIZE];
};

CaliptraP384 *caliptra_p384_new(void)
{
    CaliptraP384 *c = g_new0(CaliptraP384, 1);
    gcry_error_t err;

    crypto_init();
    err = gcry_mpi_ec_new(&c->ctx, NULL, "NIST P-384");
    assert(!err);
    c->p = gcry_mpi_ec_get_mpi("p", c->ctx, 1);
    c->n = gcry_mpi_ec_get_mpi("n", c->ctx, 1);
    c->comb[1] = gcry_mpi_ec_get_point("g", c->ctx, 1);
    return c;
}

void caliptra_p384_free(CaliptraP384 *c)
{
    for (int t = 0; t < COMB_SIZE; t++) {
        gcry_mpi_point_release(c->comb[t]);
    }
    gcry_mpi_release(c->n);
    gcry_mpi_release(c->p);
    gcry_ctx_release(c->ctx);
    g_free(c);
}

static gcry_mpi_t p384_load(const uint8_t bytes[P384_BYTES])
{
    gcry_mpi_t x;
    gcry_error_t err = gcry_mpi_scan(&x, GCRYMPI_FMT_USG, bytes, P384_BYTES,
                                     NULL);

    assert(!err);
    return x;
}

/* Whatever is computed from it is in secure memory, too */
static gcry_mpi_t p384_load_secret(const uint8_t bytes[P384_BYTES])
{
    gcry_mpi_t x = p384_load(bytes);

    gcry_mpi_set_flag(x, GCRYMPI_FLAG_SECURE);
    return x;
}

static void p384_store(uint8_t bytes[P384_BYTES], gcry_mpi_t x)
{
    uint8_t buf[P384_BYTES];
    size_t len;
    gcry_error_t err = gcry_mpi_print(GCRYMPI_FMT_USG, buf, sizeof(buf),
                                      &len, x);

    assert(!err);
    memset(bytes, 0, P384_BYTES - len);
    memcpy(bytes + P384_BYTES - len, buf, len);
}

/* The engine's reduction of MSG: one conditional subtraction */
static gcry_mpi_t p384_load_msg(const CaliptraP384 *c,
                                const uint8_t msg[P384_BYTES])
{
    gcry_mpi_t z = p384_load(msg);

    if (gcry_mpi_cmp(z, c->n) >= 0) {
        gcry_mpi_sub(z, z, c->n);
    }
    return z;
}

bool caliptra_p384_scalar_ok(const uint8_t scalar[48])
{
    return !buffer_is_zero(scalar, P384_BYTES) &&
           memcmp(scalar, p384_order, P384_BYTES) < 0;
}

/*
 * The sums that a comb adds (Hankerson, Menezes, Vanstone: Guide to Elliptic
 * Curve Cryptography, algorithm 3.44): bit j of the index stands for
 * 2^(48 * j) * G.
 */
static void p384_make_comb(CaliptraP384 *c)
{
    for (int t = 2; t < COMB_SIZE; t++) {
        int low = t & -t;

        c->comb[t] = gcry_mpi_point_new(0);
        if (t != low) {
            gcry_mpi_ec_add(c->comb[t], c->comb[t - low], c->comb[low],
                            c->ctx);
            continue;
        }
        gcry_mpi_ec_dup(c->comb[t], c->comb[t / 2], c->ctx);
        for (int i = 1; i < COMB_COLUMNS; i++) {
            gcry_mpi_ec_dup(c->comb[t], c->comb[t], c->ctx);
        }
    }
}

static unsigned p384_comb_column(gcry_mpi_t k, unsigned column)
{
    unsigned t = 0;

    for (int i = 0; i < COMB_TEETH; i++) {
        t |= gcry_mpi_test_bit(k, column + i * COMB_COLUMNS) << i;
    }
    return t;
}

/* Non-adjacent form (algorithm 3.35): digits are 0, or odd and below 2^4 */
static void p384_naf(int8_t digits[NAF_DIGITS], gcry_mpi_t k)
{
    int bit = 0, carry = 0;

    while (bit < NAF_DIGITS) {
        int digit = carry;

        if (gcry_mpi_test_bit(k, bit) == carry) {
            bit++;
            continue;
        }
        for (int i = 0; i < NAF_WIDTH; i++) {
            digit += gcry_mpi_test_bit(k, bit + i) << i;
        }
        carry = digit > NAF_MAX;
        digits[bit] = digit - (carry << NAF_WIDTH);
        bit += NAF_WIDTH;
    }
}

/* The multiples of @q that such digits stand for, from -NAF_MAX on */
static void p384_naf_points(CaliptraP384 *c, gcry_mpi_point_t q,
                            gcry_mpi_point_t points[NAF_POINTS])
{
    gcry_mpi_point_t *positive = points + NAF_POINTS / 2;
    gcry_mpi_point_t twice = gcry_mpi_point_new(0);
    gcry_mpi_t x = gcry_mpi_new(P384_BITS);
    gcry_mpi_t y = gcry_mpi_new(P384_BITS);
    gcry_mpi_t z = gcry_mpi_new(P384_BITS);

    gcry_mpi_ec_dup(twice, q, c->ctx);
    for (int i = 0; i < NAF_POINTS / 2; i++) {
        if (i) {
            positive[i] = gcry_mpi_point_new(0);
            gcry_mpi_ec_add(positive[i], positive[i - 1], twice, c->ctx);
        } else {
            positive[i] = gcry_mpi_point_copy(q);
        }
        gcry_mpi_point_get(x, y, z, positive[i]);
        gcry_mpi_sub(y, c->p, y);
        positive[-1 - i] = gcry_mpi_point_set(NULL, x, y, z);
    }
    gcry_mpi_release(z);
    gcry_mpi_release(y);
    gcry_mpi_release(x);
    gcry_mpi_point_release(twice);
}

/*
 * @r, infinity at first, becomes @u1 * G, or with a @q @u1 * G + @u2 * @q:
 * the comb goes along with the last doublings.  (Not in constant time: the
 * keys of a model are no secrets from its host.)
 */
static void p384_mul(CaliptraP384 *c, gcry_mpi_point_t r, gcry_mpi_t u1,
                     gcry_mpi_t u2, gcry_mpi_point_t q)
{
    gcry_mpi_point_t points[NAF_POINTS] = { NULL };
    int8_t digits[NAF_DIGITS] = { 0 };

    if (!c->comb[2]) {
        p384_make_comb(c);
    }
    if (q) {
        p384_naf_points(c, q, points);
        p384_naf(digits, u2);
    }
    for (int i = q ? NAF_DIGITS - 1 : COMB_COLUMNS - 1; i >= 0; i--) {
        unsigned t = i < COMB_COLUMNS ? p384_comb_column(u1, i) : 0;

        gcry_mpi_ec_dup(r, r, c->ctx);
        if (digits[i]) {
            gcry_mpi_ec_add(r, r, points[(digits[i] + NAF_MAX) / 2], c->ctx);
        }
        if (t) {
            gcry_mpi_ec_add(r, r, c->comb[t], c->ctx);
        }
    }
    for (int i = 0; i < NAF_POINTS; i++) {
        gcry_mpi_point_release(points[i]);
    }
}

void caliptra_p384_keygen(CaliptraP384 *c, const uint8_t seed[48],
                          const uint8_t nonce[48], uint8_t priv[48],
                          uint8_t x[48], uint8_t y[48])
{
    gcry_mpi_point_t q = gcry_mpi_point_new(0);
    gcry_mpi_t qx = gcry_mpi_new(P384_BITS);
    gcry_mpi_t qy = gcry_mpi_new(P384_BITS);
    gcry_mpi_t d;

    caliptra_hmac_drbg384(seed, nonce, priv);
    d = p384_load_secret(priv);
    p384_mul(c, q, d, NULL, NULL);
    gcry_mpi_ec_get_affine(qx, qy, q, c->ctx);
    p384_store(x, qx);
    p384_store(y, qy);

    gcry_mpi_release(d);
    gcry_mpi_release(qy);
    gcry_mpi_release(qx);
    gcry_mpi_point_release(q);
}

bool caliptra_p384_sign(CaliptraP384 *c, const uint8_t priv[48],
                        const uint8_t msg[48], uint8_t r[48], uint8_t s[48])
{
    uint8_t nonce[P384_BYTES];
    gcry_mpi_point_t kg;
    gcry_mpi_t d, z, k, ri, si;
    bool ok;

    if (!caliptra_p384_scalar_ok(priv)) {
        return false;
    }
    d = p384_load_secret(priv);
    z = p384_load_msg(c, msg);
    p384_store(nonce, z);
    caliptra_hmac_drbg384(priv, nonce, nonce);
    k = p384_load_secret(nonce);
    caliptra_wipe(nonce, sizeof(nonce));

    kg = gcry_mpi_point_new(0);
    ri = gcry_mpi_new(P384_BITS);
    si = gcry_mpi_snew(P384_BITS);
    p384_mul(c, kg, k, NULL, NULL);
    gcry_mpi_ec_get_affine(ri, NULL, kg, c->ctx);
    gcry_mpi_mod(ri, ri, c->n);

    /* s = (z + r * d) / k */
    gcry_mpi_mulm(si, ri, d, c->n);
    gcry_mpi_addm(si, si, z, c->n);
    gcry_mpi_invm(k, k, c->n);
    gcry_mpi_mulm(si, si, k, c->n);

    ok = gcry_mpi_cmp_ui(ri, 0) && gcry_mpi_cmp_ui(si, 0);
    if (ok) {
        p384_store(r, ri);
        p384_store(s, si);
    }

    gcry_mpi_release(si);
    gcry_mpi_release(ri);
    gcry_mpi_point_release(kg);
    gcry_mpi_release(k);
    gcry_mpi_release(z);
    gcry_mpi_release(d);
    return ok;
}

CaliptraP384Verify caliptra_p384_verify(CaliptraP384 *c,
                                        const uint8_t x[48],
                                        const uint8_t y[48],
                                        const uint8_t msg[48],
                                        const uint8_t r[48],
                                        const uint8_t s[48],
                                        uint8_t verify_r[48])
{
    gcry_mpi_t xi = p384_load(x);
    gcry_mpi_t yi = p384_load(y);
    gcry_mpi_t u1 = NULL, u2 = NULL, w = NULL;
    gcry_mpi_point_t q = NULL, sum = NULL;
    CaliptraP384Verify result;

    if (!caliptra_p384_scalar_ok(r) || !caliptra_p384_scalar_ok(s) ||
        gcry_mpi_cmp(xi, c->p) >= 0 || gcry_mpi_cmp(yi, c->p) >= 0) {
        result = CALIPTRA_P384_RANGE;
        goto out;
    }
    q = gcry_mpi_point_set(NULL, xi, yi, GCRYMPI_CONST_ONE);
    if (!gcry_mpi_ec_curve_point(q, c->ctx)) {
        result = CALIPTRA_P384_OFF_CURVE;
        goto out;
    }

    w = p384_load(s);
    gcry_mpi_invm(w, w, c->n);
    u1 = p384_load_msg(c, msg);
    u2 = p384_load(r);
    gcry_mpi_mulm(u1, u1, w, c->n);
    gcry_mpi_mulm(u2, u2, w, c->n);
    sum = gcry_mpi_point_new(0);
    p384_mul(c, sum, u1, u2, q);
    if (gcry_mpi_ec_get_affine(xi, NULL, sum, c->ctx)) {
        gcry_mpi_set_ui(xi, 0);         /* infinity */
    }
    p384_store(verify_r, xi);
    result = CALIPTRA_P384_DONE;

out:
    gcry_mpi_point_release(sum);
    gcry_mpi_point_release(q);
    gcry_mpi_release(u2);
    gcry_mpi_release(u1);
    gcry_mpi_release(w);
    gcry_mpi_release(yi);
    gcry_mpi_release(xi);
    return result;
}

/* ---- LMS (RFC 8554, NIST SP 800-208), SHA-256/192 H15 W4 ---- */

#define LMS_N           24      /* bytes of a hash */
#define LMS_H           15      /* height of the tree */
#define LMS_P           51      /* chains of a one-time signature */
#define LMS_W           4       /* bits of a coefficient */
#define LMS_CHAIN_END   ((1 << LMS_W) - 1)
#define LMS_ID_SIZE     16

/* Domain separation (RFC 8554 section 3.1) */
#define LMS_D_PBLC      0x8080
#define LMS_D_MESG      0x8181
#define LMS_D_LEAF      0x8282
#define LMS_D_INTR      0x8383

/* Offsets of the fields of a public key and of a signature */
#define LMS_PUB_OTS_TYPE    4
#define LMS_PUB_ID          8
#define LMS_PUB_ROOT        24
#define LMS_SIG_Q           0
#define LMS_SIG_OTS_TYPE    4
#define LMS_SIG_NONCE       8
#define LMS_SIG_Y           32
#define LMS_SIG_TREE_TYPE   (LMS_SIG_Y + LMS_P * LMS_N)
#define LMS_SIG_PATH        (LMS_SIG_TREE_TYPE + 4)

/* Registered typecodes (RFC 8554 section 5.1, SP 800-208 section 4) */
#define LMS_SHA256_N32_H5   5
#define LMS_SHA256_N24_H25  14
#define LMOTS_SHA256_N24_W4 7
#define LMOTS_TYPE_MAX      8

/* SHA-256 of a message, truncated */
static void lms_hash(const gcry_buffer_t *iov, int n, uint8_t out[LMS_N])
{
    uint8_t digest[32];
    gcry_error_t err = gcry_md_hash_buffers(GCRY_MD_SHA256, 0, digest, iov, n);

    assert(!err);
    memcpy(out, digest, LMS_N);
}

static gcry_buffer_t lms_part(const void *data, size_t len)
{
    return (gcry_buffer_t) { .data = (void *)data, .len = len };
}

/*
 * All hashes but those of the chains begin alike: I, @number, @separator.
 * What follows are one or two byte strings.
 */
static void lms_node(const uint8_t *id, uint32_t number, uint16_t separator,
                     const void *a, size_t a_len, const void *b, size_t b_len,
                     uint8_t out[LMS_N])
{
    uint8_t head[6];
    gcry_buffer_t iov[] = {
        lms_part(id, LMS_ID_SIZE),
        lms_part(head, sizeof(head)),
        lms_part(a, a_len),
        lms_part(b, b_len),
    };

    stl_be_p(head, number);
    stw_be_p(head + 4, separator);
    lms_hash(iov, ARRAY_SIZE(iov), out);
}

/*
 * The chains take most of the time.  One hash of them is that of I (16),
 * q (4), chain number (2), step (1) and value (24).
 */
static void lms_chain(const uint8_t *id, const uint8_t *q, unsigned chain,
                      unsigned step, const uint8_t *from, uint8_t end[LMS_N])
{
    uint8_t msg[23 + LMS_N];
    uint8_t digest[32];

    memcpy(msg, id, LMS_ID_SIZE);
    memcpy(msg + 16, q, 4);
    stw_be_p(msg + 20, chain);
    memcpy(msg + 23, from, LMS_N);
    for (; step < LMS_CHAIN_END; step++) {
        msg[22] = step;
        gcry_md_hash_buffer(GCRY_MD_SHA256, digest, msg, sizeof(msg));
        memcpy(msg + 23, digest, LMS_N);
    }
    memcpy(end, msg + 23, LMS_N);
}

/* The checks of drivers/src/lms.rs, in its order */
static uint32_t lms_check(const uint8_t *pub, const uint8_t *sig)
{
    /* heights of types N32 5..9 and N24 10..14 alike */
    static const uint8_t heights[] = { 5, 10, 15, 20, 25 };
    uint32_t ots_type = ldl_be_p(sig + LMS_SIG_OTS_TYPE);
    uint32_t tree_type = ldl_be_p(sig + LMS_SIG_TREE_TYPE);
    uint32_t q = ldl_be_p(sig + LMS_SIG_Q);

    if (ots_type != (uint32_t)ldl_be_p(pub + LMS_PUB_OTS_TYPE)) {
        return CALIPTRA_LMS_OTS_TYPE_MISMATCH;
    }
    if (tree_type < LMS_SHA256_N32_H5 || tree_type > LMS_SHA256_N24_H25) {
        return CALIPTRA_LMS_INVALID_TREE_TYPE;
    }
    if (heights[(tree_type - LMS_SHA256_N32_H5) % ARRAY_SIZE(heights)] !=
        LMS_H) {
        return CALIPTRA_LMS_INVALID_TREE_HEIGHT;
    }
    if (q >= 1 << LMS_H) {
        return CALIPTRA_LMS_INVALID_Q;
    }
    if (ots_type > LMOTS_TYPE_MAX) {
        return CALIPTRA_LMS_INVALID_OTS_TYPE;
    }
    /* no other type has LMS_P chains, so the hash width needs no check */
    if (ots_type != LMOTS_SHA256_N24_W4) {
        return CALIPTRA_LMS_INVALID_P;
    }
    return CALIPTRA_LMS_OK;
}

uint32_t caliptra_lms_verify(const uint8_t pub[CALIPTRA_LMS_PUB_SIZE],
                             const uint8_t sig[CALIPTRA_LMS_SIG_SIZE],
                             const void *msg, size_t len, bool *good)
{
    const uint8_t *id = pub + LMS_PUB_ID;
    uint32_t q = ldl_be_p(sig + LMS_SIG_Q);
    uint32_t node = (1 << LMS_H) + q;
    uint8_t digest[LMS_N + 2];          /* Q and its checksum */
    uint8_t ends[LMS_P][LMS_N];
    uint8_t t[LMS_N];
    uint16_t sum = 0;
    uint32_t err;

    *good = false;
    err = lms_check(pub, sig);
    if (err) {
        return err;
    }

    crypto_init();
    lms_node(id, q, LMS_D_MESG, sig + LMS_SIG_NONCE, LMS_N, msg, len, digest);
    for (int i = 0; i < LMS_N; i++) {
        sum += 2 * LMS_CHAIN_END - (digest[i] >> LMS_W) -
               (digest[i] & LMS_CHAIN_END);
    }
    stw_be_p(digest + LMS_N, sum << LMS_W);

    /* the one-time public key: the ends of all chains */
    for (int i = 0; i < LMS_P; i++) {
        unsigned a = digest[i / 2] >> (i % 2 ? 0 : LMS_W) & LMS_CHAIN_END;

        lms_chain(id, sig + LMS_SIG_Q, i, a, sig + LMS_SIG_Y + i * LMS_N,
                  ends[i]);
    }
    lms_node(id, q, LMS_D_PBLC, ends, sizeof(ends), NULL, 0, t);

    /* from the leaf up to the root */
    lms_node(id, node, LMS_D_LEAF, t, LMS_N, NULL, 0, t);
    for (int level = 0; level < LMS_H; level++) {
        const uint8_t *path = sig + LMS_SIG_PATH + level * LMS_N;

        lms_node(id, node / 2, LMS_D_INTR, node % 2 ? path : t, LMS_N,
                 node % 2 ? t : path, LMS_N, t);
        node /= 2;
    }
    *good = !memcmp(t, pub + LMS_PUB_ROOT, LMS_N);
    return CALIPTRA_LMS_OK;
}
