/*
 * Unit tests of the Caliptra core's arithmetic
 *
 * Expected values come from published vectors (FIPS 180-4 examples, the
 * Caliptra RTL and firmware test suites) or from other implementations
 * (QEMU's own crypto layer, Python's integers), never from the code tested.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include <gcrypt.h>
#include "qapi/error.h"
#include "qemu/bswap.h"
#include "crypto/cipher.h"
#include "crypto/hash.h"
#include "crypto/hmac.h"
#include "crypto/init.h"
#include "hw/misc/caliptra_crypto.h"

static void unhex(uint8_t *out, const char *hex, size_t len)
{
    g_assert_cmpuint(strlen(hex), ==, 2 * len);
    for (size_t i = 0; i < len; i++) {
        out[i] = g_ascii_xdigit_value(hex[2 * i]) << 4 |
                 g_ascii_xdigit_value(hex[2 * i + 1]);
    }
}

static void assert_hex(const uint8_t *data, size_t len, const char *hex)
{
    g_autofree uint8_t *want = g_malloc(len);

    unhex(want, hex, len);
    g_assert_cmpmem(data, len, want, len);
}

/* ---- SHA ---- */

static void sha512_blocks(unsigned mode, const uint8_t *data, size_t len,
                          uint8_t digest[64])
{
    uint64_t h[8];
    uint8_t tail[256] = { 0 };
    size_t tail_len = len % 128 < 112 ? 128 : 256;

    memcpy(h, caliptra_sha512_iv(mode), sizeof(h));
    for (size_t i = 0; i + 128 <= len; i += 128) {
        caliptra_sha512_compress(h, data + i);
    }
    memcpy(tail, data + len - len % 128, len % 128);
    tail[len % 128] = 0x80;
    stq_be_p(tail + tail_len - 8, 8 * len);
    for (size_t i = 0; i < tail_len; i += 128) {
        caliptra_sha512_compress(h, tail + i);
    }
    for (int i = 0; i < 8; i++) {
        stq_be_p(digest + 8 * i, h[i]);
    }
}

static void sha256_blocks(bool sha224, const uint8_t *data, size_t len,
                          uint8_t digest[32])
{
    uint32_t h[8];
    uint8_t tail[128] = { 0 };
    size_t tail_len = len % 64 < 56 ? 64 : 128;

    memcpy(h, caliptra_sha256_iv(sha224), sizeof(h));
    for (size_t i = 0; i + 64 <= len; i += 64) {
        caliptra_sha256_compress(h, data + i);
    }
    memcpy(tail, data + len - len % 64, len % 64);
    tail[len % 64] = 0x80;
    stq_be_p(tail + tail_len - 8, 8 * len);
    for (size_t i = 0; i < tail_len; i += 64) {
        caliptra_sha256_compress(h, tail + i);
    }
    for (int i = 0; i < 8; i++) {
        stl_be_p(digest + 4 * i, h[i]);
    }
}

static void assert_hash(QCryptoHashAlgo alg, const uint8_t *data, size_t len,
                        const uint8_t *digest)
{
    g_autofree uint8_t *want = NULL;
    size_t want_len = 0;

    qcrypto_hash_bytes(alg, data, len, &want, &want_len, &error_abort);
    g_assert_cmpmem(digest, want_len, want, want_len);
}

static void test_sha_lengths(void)
{
    uint8_t data[300], digest[64];

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = g_test_rand_int();
    }
    for (size_t len = 0; len <= sizeof(data); len++) {
        sha512_blocks(CALIPTRA_SHA512, data, len, digest);
        assert_hash(QCRYPTO_HASH_ALGO_SHA512, data, len, digest);
        sha512_blocks(CALIPTRA_SHA384, data, len, digest);
        assert_hash(QCRYPTO_HASH_ALGO_SHA384, data, len, digest);
        sha256_blocks(false, data, len, digest);
        assert_hash(QCRYPTO_HASH_ALGO_SHA256, data, len, digest);
        sha256_blocks(true, data, len, digest);
        assert_hash(QCRYPTO_HASH_ALGO_SHA224, data, len, digest);
    }
}

/* FIPS 180-4 examples: the functions that QEMU's crypto layer lacks */
static void test_sha512_t(void)
{
    uint8_t digest[64];

    sha512_blocks(CALIPTRA_SHA512_224, (const uint8_t *)"abc", 3, digest);
    assert_hex(digest, 28, "4634270f707b6a54daae7530460842e2"
                           "0e37ed265ceee9a43e8924aa");
    sha512_blocks(CALIPTRA_SHA512_256, (const uint8_t *)"abc", 3, digest);
    assert_hex(digest, 32, "53048e2681941ef99b2e29b76b4c7dab"
                           "e4c2d0c634fc6d46e0e2f13107e7af23");
}

static void test_sha_messages(void)
{
    uint8_t digest[64];

    caliptra_sha1("abc", 3, digest);
    assert_hex(digest, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
    caliptra_sha256("", 0, digest);
    assert_hex(digest, 32, "e3b0c44298fc1c149afbf4c8996fb924"
                           "27ae41e4649b934ca495991b7852b855");
    caliptra_sha384("", 0, digest);
    assert_hex(digest, 48, "38b060a751ac96384cd9327eb1b1e36a"
                           "21fdb71114be07434c0cc7bf63f6e1da"
                           "274edebfe76f65fbd51ad2f14898b95b");
    caliptra_sha512("abc", 3, digest);
    assert_hex(digest, 64, "ddaf35a193617abacc417349ae204131"
                           "12e6fa4e89a97ea20a9eeee64b55d39a"
                           "2192992a274fc1a836ba3c23a3feebbd"
                           "454d4423643ce80e2a9ac94fa54ca49f");
}

/* ---- HMAC, DRBG ---- */

static void test_hmac384_vectors(void)
{
    /* caliptra-sw drivers/test-fw hmac384_tests.rs */
    static const char jefe_data[] = "what do ya want for nothing?";
    uint8_t key[48], tag[48], msg[96];

    memset(key, 0x0b, sizeof(key));
    caliptra_hmac384(key, "Hi There", 8, tag);
    assert_hex(tag, 48, "b6a8d5636f5c6a7224f9977dcf7ee6c7"
                        "fb6d0c48cbdee9737a959796489bddbc"
                        "4c5df61d5b3297b4fb68dab9f1b582c2");

    for (int i = 0; i < 48; i++) {
        key[i] = "Jefe"[i % 4];
    }
    caliptra_hmac384(key, jefe_data, strlen(jefe_data), tag);
    assert_hex(tag, 48, "2c7353974f1842fd66d53c452ca42122"
                        "b28c0b594cfb184da86a368e9b8e16f5"
                        "349524ca4e82400cbde0686d403371c9");

    /* SP 800-108 KDF: counter, label */
    unhex(key, "b57dc52354afee11edb4c9052a528344348b2c6b6c39f321"
               "33ed3bb72035a4ab55d6648c1529ef7a9170fec9ef26a81e", 48);
    stl_be_p(msg, 1);
    unhex(msg + 4, "17e641909dedfee4968bb95d7f770e4557ca347a46614cb3"
                   "71423f0d91df3b58b536ed54531fd2a2eb0b8b2a1634c23c"
                   "88fad9706c45db4411a23b89", 60);
    caliptra_hmac384(key, msg, 64, tag);
    assert_hex(tag, 40, "5949acf9635a77297928c1e155d43a4e"
                        "4bca61b1369a5ef50530888550ba270e"
                        "26be4a421cdf80b7");

    /* the same with a context, behind a zero byte */
    unhex(key, "9e2ccec700161e42ff0e138c4889e4d6a0888d131d58cb44"
               "f5e292475964ac6a8c63ff7c0c95e7da0b4e17df67a55cb6", 48);
    unhex(msg, "2c60da7cd6fc8899583ef7a810e74bb1377baa726638b415"
               "7c7241610693cbc9b178a78561eba75d0e65991049d95793", 48);
    caliptra_hmac384(key, msg, 48, key);
    assert_hex(key, 48, "b0d6254e4a40dc41703501408ddd55ff"
                        "275a5e798e298943e5b2d6bfc50e9952"
                        "9533d937a3b72319cd6d9b7987230212");
    stl_be_p(msg, 1);
    unhex(msg + 4, "2dd2388600", 5);
    unhex(msg + 9, "9a819ef0c967b2138841721ed9de2fd41cb9a77e784e385b"
                   "9036262ae281f621935585f6f759eb16cced7f651304d79d", 48);
    caliptra_hmac384(key, msg, 57, tag);
    assert_hex(tag, 48, "b1e0dbef31b44b31385ba50af9e5ae9e"
                        "588570f73ad798e70e4ecc43970f1a73"
                        "67341fac11a3c9294d0b2e3ac131cd89");
}

static void test_hmac384_lengths(void)
{
    uint8_t key[48], data[300], tag[48];

    for (size_t i = 0; i < sizeof(data); i++) {
        data[i] = g_test_rand_int();
        key[i % sizeof(key)] = g_test_rand_int();
    }
    for (size_t len = 0; len <= sizeof(data); len++) {
        g_autoptr(QCryptoHmac) hmac = NULL;
        g_autofree uint8_t *want = NULL;
        size_t want_len = 0;

        hmac = qcrypto_hmac_new(QCRYPTO_HASH_ALGO_SHA384, key, sizeof(key),
                                &error_abort);
        qcrypto_hmac_bytes(hmac, (const char *)data, len, &want, &want_len,
                           &error_abort);
        caliptra_hmac384(key, data, len, tag);
        g_assert_cmpmem(tag, sizeof(tag), want, want_len);
    }
}

/* caliptra-sw test/src/crypto.rs */
static void test_hmac_drbg(void)
{
    uint8_t entropy[48], nonce[48], out[48];

    unhex(entropy, "ae5e52d14b0def76dae57c2b076c2bf30520ad5b85ef9bce"
                   "b33098465fe7eeb1a6f45fcb193089cfd7968dad91c830bc", 48);
    unhex(nonce, "13f7ee4352fdf9f922dc9ea7894636281120c91251751be8"
                 "99a8ef7c90bbcadf1914578556f6e11cafced338b904844f", 48);
    caliptra_hmac_drbg384(entropy, nonce, out);
    assert_hex(out, 48, "c7fa34e9a72fb57f611694c3c87fe3f4"
                        "2ce41cac446b636328a7f95505d8f742"
                        "7033cf37a1694c7c45fd7248e07c35ad");
}

/* ---- AES ---- */

/* NIST SP 800-38A F.2.6 */
static void test_aes256_cbc(void)
{
    uint8_t key[32], iv[16], data[64];

    unhex(key, "603deb1015ca71be2b73aef0857d77811f352c073b6108d7"
               "2d9810a30914dff4", 32);
    unhex(iv, "000102030405060708090a0b0c0d0e0f", 16);
    unhex(data, "f58c4c04d6e5f1ba779eabfb5f7bfbd6"
                "9cfc4e967edb808d679f777bc6702c7d"
                "39f23369a9d9bacfa530e26304231461"
                "b2eb05e2c39be9fcda6c19078c6a9d1b", 64);
    caliptra_aes256_cbc_decrypt(key, iv, data, data, sizeof(data));
    assert_hex(data, 64, "6bc1bee22e409f96e93d7e117393172a"
                         "ae2d8a571e03ac9c9eb76fac45af8e51"
                         "30c81c46a35ce411e5fbc1191a0a52ef"
                         "f69f2445df4f9b17ad2b417be66c3710");
}

/* ---- CTR_DRBG ---- */

/* caliptra-rtl smoke_test_trng: seed and output have their last word first */
static void test_ctr_drbg(void)
{
    static const uint8_t zero[48];
    CaliptraCtrDrbg drbg = { 0 };
    uint8_t seed[48], out[16];

    unhex(seed, "df5d73faa468649edda33b5cca79b0b05600419ccb7a879d"
                "dfec9db32ee494e5531b51de16a30f769262474c73bec010", 48);
    caliptra_ctr_drbg_update(&drbg, seed);
    caliptra_ctr_drbg_block(&drbg, out);
    assert_hex(out, 16, "0b16530817166e90cf763d08378fca1e");
    caliptra_ctr_drbg_block(&drbg, out);
    caliptra_ctr_drbg_block(&drbg, out);
    /* three blocks a generate command, then the next one */
    caliptra_ctr_drbg_update(&drbg, zero);
    caliptra_ctr_drbg_block(&drbg, out);
    assert_hex(out, 16, "9d9a938be43b74acc79b4a14725eda90");
}

/* ---- P-384 ---- */

typedef struct EccVector {
    const char *seed;
    const char *nonce;
    const char *priv;
    const char *x;
    const char *y;
    const char *msg;
    const char *r;
    const char *s;
} EccVector;

#define ZERO_48 "00000000000000000000000000000000" \
                "00000000000000000000000000000000" \
                "00000000000000000000000000000000"
#define ONES_48 "ffffffffffffffffffffffffffffffff" \
                "ffffffffffffffffffffffffffffffff" \
                "ffffffffffffffffffffffffffffffff"

static const EccVector ecc_vectors[] = {
    /* caliptra-rtl smoke_test_ecc */
    {
        "8fa8541c82a392ca74f23ed1dbfd73541c5966391b97ea73"
        "d744b0e34b9df59ed0158063e39c09a5a055371edf7a5441",
        "1b7ec5e548e8aaa92ec77097ca9551c9783ce682ca18fb1e"
        "dbd9f1e50bc382db8ab39496c8ee423f8ca105cbba7b6588",
        "f274f69d163b0c9f1fc3ebf4292ad1c4eb3cec1c5a7dde6f"
        "80c14292934c2055e087748d0a169c772483adee5ee70e17",
        "d79c6d972b34a1dfc916a7b6e0a99b6b5387b34da2187607"
        "c1ad0a4d1a8c2e4172ab5fa5d9ab58fe45e43f56bbb66ba4",
        "5a7363932b06b4f223bef0b60a6390265112dbbd0aae67fe"
        "f26b465be935b48e451e68d16f1118f2b32b4c28608749ed",
        "c8f518d4f3aa1bd46ed56c1c3c9e16fb800af504db988435"
        "48c5f623ee115f73d4c62abc06d303b5d90d9a175087290d",
        "871e6ea4ddc5432cddaa60fd7f055472d3c4dd41a5bfb267"
        "09e88c311a97093599a7c8f55b3974c19e4f5a7bfc1dd2ac",
        "3e5552de6403350ee70ad74e4b854d2dc4126bbf9c153a5d"
        "7a07bd4b85d06e45f850920e898fb7d34f80796dae29365c",
    },
    /* caliptra-sw kat/src/ecc384_kat.rs */
    {
        ZERO_48, ZERO_48,
        "feeef5544a76564990128ad189e873f21f0dfd5ad7e2fa86"
        "1127ee6e394ca784871c1aec032c7a8b10b93e0eab8946d6",
        "d7dd94e0bffc4cade9902b7fdb154260d5ec5dfd57950e83"
        "59015a302c8bf7bba7e5f6dffc1685162bdd35f9f5c1b0ff",
        "bb9c3a2f061e8d7014278dd51e66a918a6b6f9f1c1937312"
        "d4e7a921b18ef0f41fdd401d9e7718509f8731e9eec9c31d",
        ZERO_48,
        "93799d551226362834f60f7b945290b7cce6e99601fb7ebd"
        "026c2e3c445d3cd9b65068dac0a848be9f0560aa758fda27",
        "e548e535a1cc600e133b5591aebaad78054006d752d0e1df"
        "94fbfa95d78f0b3f8e81b9119c2be008bf6d6f4e4185f87d",
    },
    /* caliptra-rtl ecc/tb/secp384_testvector.hex: the message is above n */
    {
        ONES_48, ONES_48,
        "7f68a6d896ea5da62e78dedb46f6662bc141f2f0b9e641ac"
        "c7342663fd51444e380fea1dabbca55f18987c0cfc10df77",
        "787d82654607cd1d5a1b11f25c7df90541380e497cb0560e"
        "1489bf7f71b6596300cc9d19335c4827a9bc6148b342f5ec",
        "a321b7c112eee7227631066cdb556f0d6c66ca87ae912eb4"
        "dc412f2f108b27e2beccba94f0d844bd7872106ef25c9f25",
        ONES_48,
        "f3132cf17d965f02e7bf2fda8755bf54b31b72053d3c3503"
        "1aa28ab7689c046af863db63d04d4810cd042f3b07a860fc",
        "01a6fdb4efc82cc544b06fe7741cf9c6e8d8189c14a250fb"
        "afcb3fdc5290f30e5e7092fcd1b1a54e60e4f37750bbfe7d",
    },
};

#define P384_N "ffffffffffffffffffffffffffffffffffffffffffffffff" \
               "c7634d81f4372ddf581a0db248b0a77aecec196accc52973"
#define P384_P "ffffffffffffffffffffffffffffffffffffffffffffffff" \
               "fffffffffffffffeffffffff0000000000000000ffffffff"
/* base point, FIPS 186-4 D.1.2.4 */
#define P384_GX "aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b98" \
                "59f741e082542a385502f25dbf55296c3a545e3872760ab7"
#define P384_GY "3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147c" \
                "e9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f"

static CaliptraP384 *curve;

static void test_p384_vectors(void)
{
    for (int i = 0; i < ARRAY_SIZE(ecc_vectors); i++) {
        const EccVector *v = &ecc_vectors[i];
        uint8_t seed[48], nonce[48], msg[48];
        uint8_t priv[48], x[48], y[48], r[48], s[48], vr[48];

        unhex(seed, v->seed, 48);
        unhex(nonce, v->nonce, 48);
        unhex(msg, v->msg, 48);
        caliptra_p384_keygen(curve, seed, nonce, priv, x, y);
        assert_hex(priv, 48, v->priv);
        assert_hex(x, 48, v->x);
        assert_hex(y, 48, v->y);

        g_assert_true(caliptra_p384_sign(curve, priv, msg, r, s));
        assert_hex(r, 48, v->r);
        assert_hex(s, 48, v->s);

        g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                        CALIPTRA_P384_DONE);
        g_assert_cmpmem(vr, 48, r, 48);
        msg[47] ^= 1;
        g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                        CALIPTRA_P384_DONE);
        g_assert_cmpint(memcmp(vr, r, 48), !=, 0);
    }
}

/* KEYGEN behind the KDF vector (drivers/test-fw hmac384_tests.rs) */
static void test_p384_keygen_kdf(void)
{
    static const uint8_t zero[48];
    uint8_t seed[48], priv[48], x[48], y[48];

    unhex(seed, "b1e0dbef31b44b31385ba50af9e5ae9e588570f73ad798e7"
                "0e4ecc43970f1a7367341fac11a3c9294d0b2e3ac131cd89", 48);
    caliptra_p384_keygen(curve, seed, zero, priv, x, y);
    assert_hex(priv, 48, "1d8bd9b9dce9f9e39dea1b16b903d9959a27f6ed4584101c"
                         "b88118dc0e0d54ff803ff91d0ca0aaea995f6cbf3941ea7f");
    assert_hex(x, 48, "673e4d0d4a7b15178a875a283aa498808499f69176deaa52"
                      "9f44b2db6c2cacd368e68fdcdc7afdef3f7f96ef950e080a");
}

static void test_p384_scalar_range(void)
{
    uint8_t k[48];

    unhex(k, ZERO_48, 48);
    g_assert_false(caliptra_p384_scalar_ok(k));
    k[47] = 1;
    g_assert_true(caliptra_p384_scalar_ok(k));
    unhex(k, P384_N, 48);
    g_assert_false(caliptra_p384_scalar_ok(k));
    k[47]--;
    g_assert_true(caliptra_p384_scalar_ok(k));
    unhex(k, ONES_48, 48);
    g_assert_false(caliptra_p384_scalar_ok(k));
}

static void test_p384_sign_range(void)
{
    uint8_t d[48], msg[48] = { 0 }, r[48], s[48], vr[48], x[48], y[48];

    unhex(d, ZERO_48, 48);
    g_assert_false(caliptra_p384_sign(curve, d, msg, r, s));
    unhex(d, P384_N, 48);
    g_assert_false(caliptra_p384_sign(curve, d, msg, r, s));
    unhex(d, ZERO_48, 48);
    d[47] = 1;
    g_assert_true(caliptra_p384_sign(curve, d, msg, r, s));

    /* a message n is a message 0, in the nonce too */
    unhex(msg, P384_N, 48);
    g_assert_true(caliptra_p384_sign(curve, d, msg, vr, x));
    g_assert_cmpmem(vr, 48, r, 48);
    g_assert_cmpmem(x, 48, s, 48);

    /* 1 * G = G */
    unhex(x, P384_GX, 48);
    unhex(y, P384_GY, 48);
    g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                    CALIPTRA_P384_DONE);
    g_assert_cmpmem(vr, 48, r, 48);
}

static void test_p384_verify_range(void)
{
    const EccVector *v = &ecc_vectors[0];
    uint8_t x[48], y[48], msg[48], r[48], s[48], vr[48];
    struct {
        uint8_t *field;
        const char *value;
        CaliptraP384Verify result;
    } cases[] = {
        { r, ZERO_48, CALIPTRA_P384_RANGE },
        { r, P384_N, CALIPTRA_P384_RANGE },
        { r, ONES_48, CALIPTRA_P384_RANGE },
        { s, ZERO_48, CALIPTRA_P384_RANGE },
        { s, P384_N, CALIPTRA_P384_RANGE },
        { x, P384_P, CALIPTRA_P384_RANGE },
        { x, ONES_48, CALIPTRA_P384_RANGE },
        { y, P384_P, CALIPTRA_P384_RANGE },
        { x, ZERO_48, CALIPTRA_P384_OFF_CURVE },
        { y, ZERO_48, CALIPTRA_P384_OFF_CURVE },
        { y, P384_GY, CALIPTRA_P384_OFF_CURVE },
    };

    unhex(msg, v->msg, 48);
    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        unhex(x, v->x, 48);
        unhex(y, v->y, 48);
        unhex(r, v->r, 48);
        unhex(s, v->s, 48);
        unhex(cases[i].field, cases[i].value, 48);
        g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                        cases[i].result);
    }
}

/* u1 * G + u2 * Q in the cases that its additions treat apart */
static void test_p384_verify_special(void)
{
    uint8_t x[48], y[48], msg[48], r[48], s[48], vr[48];

    /* Q = G, z = r = s = 1: 2 * G (a doubling) */
    unhex(x, P384_GX, 48);
    unhex(y, P384_GY, 48);
    unhex(msg, ZERO_48, 48);
    msg[47] = 1;
    memcpy(r, msg, 48);
    memcpy(s, msg, 48);
    g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                    CALIPTRA_P384_DONE);
    assert_hex(vr, 48, "08d999057ba3d2d969260045c55b97f089025959a6f434d6"
                       "51d207d19fb96e9e4fe0e86ebe0e64f85b96a9c75295df61");

    /* z = n - 1: the point at infinity */
    unhex(msg, P384_N, 48);
    msg[47]--;
    g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                    CALIPTRA_P384_DONE);
    assert_hex(vr, 48, ZERO_48);

    /* z = n is z = 0: Q alone */
    msg[47]++;
    g_assert_cmpint(caliptra_p384_verify(curve, x, y, msg, r, s, vr), ==,
                    CALIPTRA_P384_DONE);
    assert_hex(vr, 48, P384_GX);
}

static gcry_mpi_t mpi(const uint8_t bytes[48])
{
    gcry_mpi_t x;

    g_assert_cmpint(gcry_mpi_scan(&x, GCRYMPI_FMT_USG, bytes, 48, NULL), ==,
                    0);
    return x;
}

static void mpi_store(uint8_t bytes[48], gcry_mpi_t x)
{
    size_t len;

    g_assert_cmpint(gcry_mpi_print(GCRYMPI_FMT_USG, bytes, 48, &len, x), ==,
                    0);
    memmove(bytes + 48 - len, bytes, len);
    memset(bytes, 0, 48 - len);
}

/* x and y of u1 * G + u2 * Q by libgcrypt, which are 0 at infinity */
static void library_mul(const uint8_t u1[48], const uint8_t u2[48],
                        gcry_mpi_point_t q, uint8_t x[48], uint8_t y[48])
{
    gcry_mpi_point_t a = gcry_mpi_point_new(0), b = gcry_mpi_point_new(0);
    gcry_mpi_t k1 = mpi(u1), k2 = mpi(u2);
    gcry_mpi_t xi = gcry_mpi_new(0), yi = gcry_mpi_new(0);
    gcry_mpi_point_t g;
    gcry_ctx_t ctx;

    g_assert_cmpint(gcry_mpi_ec_new(&ctx, NULL, "NIST P-384"), ==, 0);
    g = gcry_mpi_ec_get_point("g", ctx, 1);
    gcry_mpi_ec_mul(a, k1, g, ctx);
    gcry_mpi_ec_mul(b, k2, q ?: g, ctx);
    gcry_mpi_ec_add(a, a, b, ctx);
    if (gcry_mpi_ec_get_affine(xi, yi, a, ctx)) {
        gcry_mpi_set_ui(xi, 0);
        gcry_mpi_set_ui(yi, 0);
    }
    mpi_store(x, xi);
    mpi_store(y, yi);
    gcry_mpi_point_release(g);
    gcry_ctx_release(ctx);
    gcry_mpi_release(yi);
    gcry_mpi_release(xi);
    gcry_mpi_release(k2);
    gcry_mpi_release(k1);
    gcry_mpi_point_release(b);
    gcry_mpi_point_release(a);
}

static void random_scalar(uint8_t k[48])
{
    do {
        for (int i = 0; i < 48; i++) {
            k[i] = g_test_rand_int();
        }
    } while (!caliptra_p384_scalar_ok(k));
}

/*
 * d * G, and u1 * G + u2 * Q with z = u1, r = u2, s = 1, as libgcrypt
 * multiplies.  Scalars at both ends, with all digits alike, and any others.
 */
static void test_p384_library(void)
{
    static const char * const edges[] = {
        ZERO_48, P384_N,
        "00000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000001",
        "00000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000010",
        "00000000000000000000000000000000000000000000000000000000"
        "000000000000000000000000000000000000001f",
        "80000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000",
        "01000000000001000000000001000000000001000000000001000000"
        "0000010000000000010000000000010000000000",
        "7fffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffff",
        "ffffffffffffffffffffffffffffffffffffffffffffffff"
        "c7634d81f4372ddf581a0db248b0a77aecec196accc52972",
        "ffffffffffffffffffffffffffffffffffffffffffffffff"
        "c7634d81f4372ddf581a0db248b0a77aecec196accc52971",
    };
    uint8_t scalars[ARRAY_SIZE(edges) + 3][48];
    uint8_t zero[48] = { 0 }, one[48] = { [47] = 1 };
    uint8_t d[48], x[48], y[48], vr[48], want_x[48], want_y[48];
    gcry_mpi_point_t q;

    for (int i = 0; i < ARRAY_SIZE(scalars); i++) {
        if (i < ARRAY_SIZE(edges)) {
            unhex(scalars[i], edges[i], 48);
        } else {
            random_scalar(scalars[i]);
        }
        caliptra_p384_keygen(curve, scalars[i], zero, d, x, y);
        library_mul(d, zero, NULL, want_x, want_y);
        g_assert_cmpmem(x, 48, want_x, 48);
        g_assert_cmpmem(y, 48, want_y, 48);
    }

    /* Q is the last of those keys, then G */
    for (int i = 0; i < 2; i++) {
        if (i) {
            unhex(x, P384_GX, 48);
            unhex(y, P384_GY, 48);
        }
        q = gcry_mpi_point_snatch_set(NULL, mpi(x), mpi(y), mpi(one));
        for (int j = 0; j < ARRAY_SIZE(scalars); j++) {
            for (int k = 0; k < ARRAY_SIZE(scalars); k++) {
                if (!caliptra_p384_scalar_ok(scalars[k])) {
                    continue;
                }
                library_mul(scalars[j], scalars[k], q, want_x, want_y);
                g_assert_cmpint(caliptra_p384_verify(curve, x, y, scalars[j],
                                                     scalars[k], one, vr), ==,
                                CALIPTRA_P384_DONE);
                g_assert_cmpmem(vr, 48, want_x, 48);
            }
        }
        gcry_mpi_point_release(q);
    }
}

/* ---- LMS ---- */

#define LMS_N 24
#define LMS_P 51
#define LMS_H 15
#define LMS_Q 5         /* the only leaf of the development keys that signs */

typedef struct LmsKey {
    const char *id;
    const char *seed;
    const char *root;
    const char *path_sha256;
} LmsKey;

/*
 * Development keys, public with their seeds (caliptra-sw image/fake-keys),
 * and the SHA-256 of the authentication path of leaf LMS_Q.
 */
static const LmsKey lms_keys[] = {
    {
        "4908a17bcadb18291e289058d5a8e3e8",
        "4dce1e1e775253ec07bc0790cb59b2734586b03286c76974",
        "64ad3eb8be6864f17ccda38bde35edaa6c0da527645407c6",
        "6d0a654f6d2eb0821dd053b1d431a1cca80fb66202ea752aa4f436a357e38bfa",
    }, {
        "7cb5369d64e4281d046e977c70d4d0a3",
        "57685bb6e9462b6bd36021ebf043b7560c581ebf7b50c514",
        "8ea4701dadf7d7000564b7d61d1c95879dd6475c9c3aae0b",
        "0a0769fd147df58c1463bc2f66891f8ca50dfccfac0500fed75e6abbc42c2a13",
    }, {
        "2bbb4b72c5b41e05d2fabe76f41704bd",
        "73ce8c94f7c9b01cb83a4427a947b2a9444446bde286e5e6",
        "dcb53f9624d4c7b3c9ae4d4c0e41e08e3b1593960fe6a277",
        "f30a25bf947826c0e16409c81598d9e2d259766cdc94b2d09b7a14d55fb6608e",
    }, {
        "42cba2e5575b52357ea7aeadef54074c",
        "ba490667173ffe67156ef261acb4bc90cb4fa1bc26bba234",
        "5aa60e27692515993ae8e21f27ccdded8ffcd3d28efbdec2",
        "93b37af6890d8fd9c19f775a1674cd2b1b086444292392f4aaaee52834c08586",
    }, {
        "e56d3e53a5c25beaf33a90155b273ae3",
        "65c4fbacd3aba28f77e7c51c7f39ba4d59d0b08379a9f75d",
        "47b2156ca3641cc402c0fd957972ba56086f8f8cfa05b5bb",
        "b672fdd1f607e51488673fbafec6c216708e32285d1f6a115c462bec9d6c64f1",
    },
};

/* Truncated SHA-256 of what was put into @msg, which is emptied */
static void lms_h(GByteArray *msg, uint8_t out[LMS_N])
{
    g_autofree uint8_t *digest = NULL;
    size_t len = 0;

    qcrypto_hash_bytes(QCRYPTO_HASH_ALGO_SHA256, msg->data, msg->len,
                       &digest, &len, &error_abort);
    memcpy(out, digest, LMS_N);
    g_byte_array_set_size(msg, 0);
}

static void put(GByteArray *msg, const void *data, size_t len)
{
    g_byte_array_append(msg, data, len);
}

static void put_be(GByteArray *msg, uint32_t value, size_t bytes)
{
    uint8_t be[4];

    stl_be_p(be, value);
    put(msg, be + 4 - bytes, bytes);
}

/* Chain @i from its secret to step @end */
static void lms_chain(const uint8_t *id, const uint8_t *seed, unsigned i,
                      unsigned end, uint8_t x[LMS_N])
{
    g_autoptr(GByteArray) msg = g_byte_array_new();

    put(msg, id, 16);
    put_be(msg, LMS_Q, 4);
    put_be(msg, i, 2);
    put_be(msg, 0xff, 1);
    put(msg, seed, LMS_N);
    lms_h(msg, x);
    for (unsigned j = 0; j < end; j++) {
        put(msg, id, 16);
        put_be(msg, LMS_Q, 4);
        put_be(msg, i, 2);
        put_be(msg, j, 1);
        put(msg, x, LMS_N);
        lms_h(msg, x);
    }
}

/*
 * The whole tree, node 1 being the root.  The development keys are made with
 * a short cut: leaves other than LMS_Q have an all-zero one-time key.
 */
static uint8_t (*lms_tree(const uint8_t *id, const uint8_t *seed))[LMS_N]
{
    uint8_t (*t)[LMS_N] = g_malloc0(LMS_N << (LMS_H + 1));
    g_autoptr(GByteArray) msg = g_byte_array_new();
    g_autoptr(GByteArray) ends = g_byte_array_new();
    uint8_t k[LMS_N];

    put(ends, id, 16);
    put_be(ends, LMS_Q, 4);
    put_be(ends, 0x8080, 2);
    for (int i = 0; i < LMS_P; i++) {
        lms_chain(id, seed, i, 15, k);
        put(ends, k, LMS_N);
    }
    lms_h(ends, k);

    for (unsigned node = (2 << LMS_H) - 1; node; node--) {
        put(msg, id, 16);
        put_be(msg, node, 4);
        if (node >> LMS_H) {
            static const uint8_t zero[LMS_N];

            put_be(msg, 0x8282, 2);
            put(msg, node == (1 << LMS_H) + LMS_Q ? k : zero, LMS_N);
        } else {
            put_be(msg, 0x8383, 2);
            put(msg, t[2 * node], LMS_N);
            put(msg, t[2 * node + 1], LMS_N);
        }
        lms_h(msg, t[node]);
    }
    return t;
}

static void lms_sign(const uint8_t *id, const uint8_t *seed,
                     const uint8_t (*tree)[LMS_N], const uint8_t *nonce,
                     const void *data, size_t len,
                     uint8_t sig[CALIPTRA_LMS_SIG_SIZE])
{
    g_autoptr(GByteArray) msg = g_byte_array_new();
    g_autoptr(GByteArray) out = g_byte_array_new();
    uint8_t q[LMS_N + 2], y[LMS_N];
    unsigned sum = 0;

    put(msg, id, 16);
    put_be(msg, LMS_Q, 4);
    put_be(msg, 0x8181, 2);
    put(msg, nonce, LMS_N);
    put(msg, data, len);
    lms_h(msg, q);
    for (int i = 0; i < LMS_N; i++) {
        sum += 15 - (q[i] >> 4) + 15 - (q[i] & 15);
    }
    stw_be_p(q + LMS_N, sum << 4);

    put_be(out, LMS_Q, 4);
    put_be(out, 7, 4);
    put(out, nonce, LMS_N);
    for (int i = 0; i < LMS_P; i++) {
        lms_chain(id, seed, i, i & 1 ? q[i / 2] & 15 : q[i / 2] >> 4, y);
        put(out, y, LMS_N);
    }
    put_be(out, 12, 4);
    for (unsigned node = (1 << LMS_H) + LMS_Q; node > 1; node /= 2) {
        put(out, tree[node ^ 1], LMS_N);
    }
    g_assert_cmpuint(out->len, ==, CALIPTRA_LMS_SIG_SIZE);
    memcpy(sig, out->data, out->len);
}

static void lms_public(uint8_t pub[CALIPTRA_LMS_PUB_SIZE], const uint8_t *id,
                       const char *root)
{
    stl_be_p(pub, 12);
    stl_be_p(pub + 4, 7);
    memcpy(pub + 8, id, 16);
    unhex(pub + 24, root, LMS_N);
}

static void test_lms_keys(void)
{
    uint8_t nonce[LMS_N];

    memset(nonce, 0xa5, sizeof(nonce));
    for (int i = 0; i < ARRAY_SIZE(lms_keys); i++) {
        const LmsKey *key = &lms_keys[i];
        g_autofree uint8_t (*tree)[LMS_N] = NULL;
        uint8_t id[16], seed[LMS_N], digest[32], msg[48];
        uint8_t pub[CALIPTRA_LMS_PUB_SIZE], sig[CALIPTRA_LMS_SIG_SIZE];
        bool good;

        unhex(id, key->id, 16);
        unhex(seed, key->seed, LMS_N);
        tree = lms_tree(id, seed);
        assert_hex(tree[1], LMS_N, key->root);
        lms_public(pub, id, key->root);

        for (int n = 0; n < 8; n++) {
            for (int j = 0; j < sizeof(msg); j++) {
                msg[j] = g_test_rand_int();
            }
            lms_sign(id, seed, tree, nonce, msg, sizeof(msg), sig);
            caliptra_sha256(sig + CALIPTRA_LMS_SIG_SIZE - LMS_H * LMS_N,
                            LMS_H * LMS_N, digest);
            assert_hex(digest, 32, key->path_sha256);
            g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, sizeof(msg),
                                                &good), ==, 0);
            g_assert_true(good);
        }
    }
}

/* caliptra-sw image/crypto/src/lib.rs: SEED 00.., I 20.., leaf 5 */
static void test_lms_reference(void)
{
    static const char msg[] = "Test message for SHA256-192\n";
    static const char root[] =
        "311a198804da4120767f898288e69188711c6db89eb3b244";
    g_autofree uint8_t (*tree)[LMS_N] = NULL;
    uint8_t id[16], seed[LMS_N], nonce[LMS_N];
    uint8_t pub[CALIPTRA_LMS_PUB_SIZE], sig[CALIPTRA_LMS_SIG_SIZE];
    bool good;

    for (int i = 0; i < LMS_N; i++) {
        seed[i] = i;
        id[i % 16] = 0x20 + i % 16;
    }
    unhex(nonce, "0b5040a18c1b5cabcbc85b047402ec6294a30dd8da8fc3da", LMS_N);
    tree = lms_tree(id, seed);
    assert_hex(tree[1], LMS_N, root);
    lms_public(pub, id, root);
    lms_sign(id, seed, tree, nonce, msg, strlen(msg), sig);
    g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, strlen(msg), &good),
                    ==, 0);
    g_assert_true(good);

    /* every part of the signature and of the key counts */
    for (size_t at = 0; at < CALIPTRA_LMS_SIG_SIZE; at += 7) {
        if (at < 32 - LMS_N || (at >= 1256 && at < 1260)) {
            continue;   /* types and leaf number: see below */
        }
        sig[at] ^= 0x10;
        g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, strlen(msg),
                                            &good), ==, 0);
        g_assert_false(good);
        sig[at] ^= 0x10;
    }
    for (size_t at = 8; at < CALIPTRA_LMS_PUB_SIZE; at++) {
        pub[at] ^= 1;
        g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, strlen(msg),
                                            &good), ==, 0);
        g_assert_false(good);
        pub[at] ^= 1;
    }
    g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, strlen(msg) - 1,
                                        &good), ==, 0);
    g_assert_false(good);
    sig[3] ^= 1;
    g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, strlen(msg), &good),
                    ==, 0);
    g_assert_false(good);
    sig[3] ^= 1;

    /* the type of the tree counts in the signature only, by its height */
    stl_be_p(pub, 0xffffffff);
    stl_be_p(sig + 1256, 7);
    g_assert_cmphex(caliptra_lms_verify(pub, sig, msg, strlen(msg), &good),
                    ==, 0);
    g_assert_true(good);
}

/* The order of checks: each case breaks all later rules too */
static void test_lms_errors(void)
{
    struct {
        uint32_t pub_ots, q, ots, tree, error;
    } cases[] = {
        { 7, 0x8000, 6, 0, 0x000c000d },
        { 9, 0x8000, 9, 0, 0x000c0001 },
        { 9, 0x8000, 9, 4, 0x000c0001 },
        { 9, 0x8000, 9, 15, 0x000c0001 },
        { 9, 0x8000, 9, 0x1000000c, 0x000c0001 },
        { 9, 0x8000, 9, 5, 0x000c0006 },
        { 9, 0x8000, 9, 11, 0x000c0006 },
        { 9, 0x8000, 9, 13, 0x000c0006 },
        { 9, 0x8000, 9, 12, 0x000c0007 },
        { 9, 0xffffffff, 9, 7, 0x000c0007 },
        { 9, 0x7fff, 9, 12, 0x000c0002 },
        { 0, 0, 0, 12, 0x000c0004 },
        { 3, 0, 3, 12, 0x000c0004 },
        { 8, 0, 8, 12, 0x000c0004 },
        { 7, 0, 7, 12, 0 },
    };
    uint8_t pub[CALIPTRA_LMS_PUB_SIZE] = { 0 };
    uint8_t sig[CALIPTRA_LMS_SIG_SIZE] = { 0 };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        bool good = true;

        stl_be_p(pub + 4, cases[i].pub_ots);
        stl_be_p(sig, cases[i].q);
        stl_be_p(sig + 4, cases[i].ots);
        stl_be_p(sig + 1256, cases[i].tree);
        g_assert_cmphex(caliptra_lms_verify(pub, sig, "", 0, &good), ==,
                        cases[i].error);
        g_assert_false(good);
    }
}

int main(int argc, char **argv)
{
    int ret;

    g_test_init(&argc, &argv, NULL);
    qcrypto_init(&error_abort);
    curve = caliptra_p384_new();

    g_test_add_func("/caliptra/crypto/sha/lengths", test_sha_lengths);
    g_test_add_func("/caliptra/crypto/sha/sha512-t", test_sha512_t);
    g_test_add_func("/caliptra/crypto/sha/messages", test_sha_messages);
    g_test_add_func("/caliptra/crypto/hmac384/vectors", test_hmac384_vectors);
    g_test_add_func("/caliptra/crypto/hmac384/lengths", test_hmac384_lengths);
    g_test_add_func("/caliptra/crypto/hmac-drbg", test_hmac_drbg);
    g_test_add_func("/caliptra/crypto/aes256-cbc", test_aes256_cbc);
    g_test_add_func("/caliptra/crypto/ctr-drbg", test_ctr_drbg);
    g_test_add_func("/caliptra/crypto/p384/vectors", test_p384_vectors);
    g_test_add_func("/caliptra/crypto/p384/keygen-kdf", test_p384_keygen_kdf);
    g_test_add_func("/caliptra/crypto/p384/scalar", test_p384_scalar_range);
    g_test_add_func("/caliptra/crypto/p384/sign-range", test_p384_sign_range);
    g_test_add_func("/caliptra/crypto/p384/verify-range",
                    test_p384_verify_range);
    g_test_add_func("/caliptra/crypto/p384/verify-special",
                    test_p384_verify_special);
    g_test_add_func("/caliptra/crypto/p384/library", test_p384_library);
    g_test_add_func("/caliptra/crypto/lms/keys", test_lms_keys);
    g_test_add_func("/caliptra/crypto/lms/reference", test_lms_reference);
    g_test_add_func("/caliptra/crypto/lms/errors", test_lms_errors);

    ret = g_test_run();
    caliptra_p384_free(curve);
    return ret;
}
