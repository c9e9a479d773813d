/*
 * Unit tests of the Caliptra core's DER writer and certificate templates
 *
 * The digests of the filled templates are those of the constant TBS arrays
 * that Caliptra's firmware carries (caliptra-sw x509/build), with the same
 * values filled in; the other expected bytes are spelled out by X.690.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qapi/error.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "hw/misc/caliptra_fw_x509.h"

static void assert_der(const CaliptraDer *w, const char *hex)
{
    g_autoptr(GString) got = g_string_new(NULL);
    size_t len = caliptra_der_finish(w);

    for (size_t i = 0; i < len; i++) {
        g_string_append_printf(got, "%02x", w->buf[i]);
    }
    g_assert_cmpstr(got->str, ==, hex);
}

static void test_integer(void)
{
    static const struct {
        uint8_t len;
        uint8_t data[3];
        const char *der;
    } cases[] = {
        { 1, { 0x00 }, "020100" },
        { 1, { 0x7F }, "02017f" },
        { 1, { 0x80 }, "02020080" },
        { 3, { 0x00, 0x00, 0x00 }, "020100" },
        { 3, { 0x00, 0x00, 0x01 }, "020101" },
        { 3, { 0x00, 0x80, 0x00 }, "0203008000" },
        { 3, { 0x12, 0x00, 0x00 }, "0203120000" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[8];
        CaliptraDer w;

        caliptra_der_init(&w, buf, sizeof(buf));
        caliptra_der_integer(&w, DER_INTEGER, cases[i].data, cases[i].len);
        assert_der(&w, cases[i].der);
    }
}

static void test_oid(void)
{
    static const struct {
        const char *dotted;
        const char *der;
    } cases[] = {
        { "2.5.4.3", "0603550403" },
        { "1.2.840.10045.4.3.3", "06082a8648ce3d040303" },
        { "1.3.132.0.34", "06052b81040022" },
        { "2.16.840.1.101.3.4.2.2", "0609608648016503040202" },
        { "2.23.133.5.4.1", "06066781050504" "01" },
        { "2.999.4294967295", "060788378fffffff7f" },
    };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[16];
        CaliptraDer w;

        caliptra_der_init(&w, buf, sizeof(buf));
        caliptra_der_oid(&w, cases[i].dotted);
        assert_der(&w, cases[i].der);
    }
}

/* the length field grows with the content, at each level */
static void test_lengths(void)
{
    static const struct {
        size_t len;
        uint8_t header[4];
        size_t header_len;
    } cases[] = {
        { 0, { 0x30, 0x00 }, 2 },
        { 127, { 0x30, 0x7F }, 2 },
        { 128, { 0x30, 0x81, 0x80 }, 3 },
        { 255, { 0x30, 0x81, 0xFF }, 3 },
        { 256, { 0x30, 0x82, 0x01, 0x00 }, 4 },
        { 5000, { 0x30, 0x82, 0x13, 0x88 }, 4 },
    };
    static const uint8_t content[5000] = { 0xA5, 0x5A };

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t buf[5008];
        size_t size = cases[i].header_len + cases[i].len;
        CaliptraDer w;

        caliptra_der_init(&w, buf, sizeof(buf));
        caliptra_der_begin(&w, DER_SEQUENCE);
        caliptra_der_raw(&w, content, cases[i].len);
        caliptra_der_end(&w);
        g_assert_cmpuint(caliptra_der_finish(&w), ==, size);
        g_assert_cmpmem(buf, cases[i].header_len,
                        cases[i].header, cases[i].header_len);
        g_assert_cmpmem(buf + cases[i].header_len, cases[i].len,
                        content, cases[i].len);
    }
}

/* nothing beyond the end is touched, wherever the buffer ends */
static void test_overflow(void)
{
    uint8_t whole[300];
    size_t need = 0;

    for (size_t size = sizeof(whole); size-- > 0; ) {
        uint8_t buf[sizeof(whole)];
        uint8_t canary[sizeof(whole)];
        CaliptraDer w;
        size_t len;

        memset(buf, 0xC5, sizeof(buf));
        memset(canary, 0xC5, sizeof(canary));
        caliptra_der_init(&w, buf, size);
        caliptra_der_begin(&w, DER_SEQUENCE);
        caliptra_der_oid(&w, OID_SHA384);
        caliptra_der_begin(&w, DER_SET);
        caliptra_der_bytes(&w, DER_OCTET_STRING, canary, 200);
        caliptra_der_end(&w);
        caliptra_der_boolean(&w, true);
        caliptra_der_end(&w);
        len = caliptra_der_finish(&w);
        if (!need) {
            need = len;
            memcpy(whole, buf, need);
        }
        g_assert_cmpuint(len, ==, size < need ? 0 : need);
        g_assert_cmpmem(buf + size, sizeof(buf) - size,
                        canary, sizeof(buf) - size);
    }
    g_assert_cmpuint(need, ==, 3 + 11 + 3 + 3 + 200 + 3);
}

static void test_templates(void)
{
    static const struct {
        CaliptraX509Template template;
        size_t size;
        const char *sha384;
    } cases[] = {
        { CALIPTRA_X509_IDEVID_CSR, 322,
          "aa2233388a7c49b04412e60226e80f53f69615cc9f0bd78a"
          "e49bbf9792e4966bc9460525a406d82bf12de1e98850f538" },
        { CALIPTRA_X509_LDEVID, 552,
          "69b05410a1d7c6a1f3e4bb4516044cbba7c078157054a79a"
          "7a35f8ea2a3829112cf338a893534ff643caf28283c967d7" },
        { CALIPTRA_X509_FMC_ALIAS, 753,
          "55a522ec88d8a974cc85c0c07c79c0ad8b418a6273a03696"
          "d79c07e4dc4c948eb897959bd673766fc0707862c24bd44c" },
        { CALIPTRA_X509_FMC_ALIAS_CSR, 325,
          "4a0f29e5c0dfed1576f8a28397cd2ab8b172e96d1a567883"
          "4bd643b6ff176e4921724e90d705c81fe8d037aa5a8d09aa" },
        { CALIPTRA_X509_FMC_ALIAS_CSR_TCB_INFO, 529,
          "94881b9306bd34f2d3aac0b2b5186aff89249eda0c7fa290"
          "fc39c7dc2b670f4ac752c368f02fff1340d899c757d91732" },
        { CALIPTRA_X509_RT_ALIAS, 649,
          "39b62aeed8411fb888fbe819ca2171c90d959407afee4cd1"
          "c2c6876831b7c5a13c7e8b3302c844eeec040aedc7f9280f" },
    };
    CaliptraX509Params p = {
        .fmc_fuse_svn = 7, .fmc_svn = 9, .rt_svn = 10,
        .flags = { 0x80, 0x00, 0x00, 0x01 },
    };

    memset(p.serial, 0x01, sizeof(p.serial));
    memset(p.issuer_sn, 'A', sizeof(p.issuer_sn));
    memset(p.subject_sn, 'B', sizeof(p.subject_sn));
    memcpy(p.not_before, "20240102030405Z", sizeof(p.not_before));
    memcpy(p.not_after, "20341231235959Z", sizeof(p.not_after));
    memset(&p.public_key, 0x11, sizeof(p.public_key));
    memset(p.ueid, 0x22, sizeof(p.ueid));
    memset(p.subject_key_id, 0x33, sizeof(p.subject_key_id));
    memset(p.authority_key_id, 0x44, sizeof(p.authority_key_id));
    memset(p.device_info_hash, 0x55, sizeof(p.device_info_hash));
    memset(p.fmc_tci, 0x66, sizeof(p.fmc_tci));
    memset(p.rt_tci, 0x77, sizeof(p.rt_tci));

    for (int i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t tbs[1024];
        g_autofree char *digest = NULL;

        g_assert_cmpuint(caliptra_x509_tbs(cases[i].template, &p,
                                           tbs, sizeof(tbs)),
                         ==, cases[i].size);
        qcrypto_hash_digest(QCRYPTO_HASH_ALGO_SHA384, (char *)tbs,
                            cases[i].size, &digest, &error_abort);
        g_assert_cmpstr(digest, ==, cases[i].sha384);
        g_assert_cmpuint(caliptra_x509_tbs(cases[i].template, &p,
                                           tbs, cases[i].size - 1), ==, 0);
    }
}

/* firmware's builder wants room for a header of four bytes (cert_bldr.rs) */
static void test_wrap(void)
{
    static const uint8_t tbs[1024] = { 0x30 };
    uint8_t out[1024];
    CaliptraEccSig sig = { };

    /* r and s zero: ecdsa-with-SHA384, then 03 09 00 30 06 0201 00 0201 00 */
    g_assert_cmpuint(caliptra_x509_wrap(out, sizeof(out), tbs, 10, &sig),
                     ==, 2 + 10 + 12 + 11);
    g_assert_cmphex(out[1], ==, 10 + 12 + 11);
    g_assert_cmpmem(out + 2 + 10 + 12, 11,
                    "\x03\x09\x00\x30\x06\x02\x01\x00\x02\x01\x00", 11);
    g_assert_cmpuint(caliptra_x509_wrap(out, 37, tbs, 10, &sig), ==, 35);
    g_assert_cmpuint(caliptra_x509_wrap(out, 36, tbs, 10, &sig), ==, 0);

    /* two integers of 49 bytes: 901 bytes of TBS fill the buffer */
    memset(&sig, 0xFF, sizeof(sig));
    g_assert_cmpuint(caliptra_x509_wrap(out, sizeof(out), tbs, 901, &sig),
                     ==, 1024);
    g_assert_cmpmem(out, 4, "\x30\x82\x03\xFC", 4);
    g_assert_cmpuint(caliptra_x509_wrap(out, sizeof(out), tbs, 902, &sig),
                     ==, 0);
    /* two of 48 bytes: 903 */
    memset(&sig, 0x7F, sizeof(sig));
    g_assert_cmpuint(caliptra_x509_wrap(out, sizeof(out), tbs, 903, &sig),
                     ==, 1024);
    g_assert_cmpuint(caliptra_x509_wrap(out, sizeof(out), tbs, 904, &sig),
                     ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qcrypto_init(&error_abort);

    g_test_add_func("/caliptra/x509/der/integer", test_integer);
    g_test_add_func("/caliptra/x509/der/oid", test_oid);
    g_test_add_func("/caliptra/x509/der/lengths", test_lengths);
    g_test_add_func("/caliptra/x509/der/overflow", test_overflow);
    g_test_add_func("/caliptra/x509/templates", test_templates);
    g_test_add_func("/caliptra/x509/wrap", test_wrap);

    return g_test_run();
}
