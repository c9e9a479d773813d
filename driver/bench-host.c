/*
 * What the library itself does on this host, for ./qemu-caliptra bench
 *
 * Usage: bench-host X Y R S DIGEST (hexadecimal): prints SHA-384 in bytes a
 * second, and how often a second: SHA-256 of a short message, P-384
 * verification, signature, multiplication of the base point.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <gcrypt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHA_BYTES   0x100000
#define SECONDS     0.1
/* a step of an LM-OTS chain (RFC 8554) with hashes of 24 bytes */
#define LMOTS_BYTES 47

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

__attribute__((format(printf, 1, 2)))
static gcry_sexp_t sexp(const char *format, ...)
{
    char text[1024];
    gcry_sexp_t result;
    va_list ap;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    if (gcry_sexp_new(&result, text, strlen(text), 1)) {
        exit(1);
    }
    return result;
}

static void hashes(void)
{
    static char block[SHA_BYTES];
    unsigned char digest[48];
    double start;
    long n;

    start = now();
    for (n = 0; now() - start < SECONDS; n++) {
        gcry_md_hash_buffer(GCRY_MD_SHA384, digest, block, sizeof(block));
    }
    printf("sha %.0f\n", n * (double)sizeof(block) / (now() - start));

    start = now();
    for (n = 0; now() - start < SECONDS; n++) {
        gcry_md_hash_buffer(GCRY_MD_SHA256, digest, block, LMOTS_BYTES);
    }
    printf("sha256 %.0f\n", n / (now() - start));
}

static void multiply(void)
{
    gcry_mpi_t k = gcry_mpi_new(384), x = gcry_mpi_new(384);
    gcry_mpi_point_t g, r = gcry_mpi_point_new(0);
    gcry_ctx_t ctx;
    double start;
    long n;

    if (gcry_mpi_ec_new(&ctx, NULL, "NIST P-384")) {
        exit(1);
    }
    g = gcry_mpi_ec_get_point("g", ctx, 1);
    gcry_mpi_randomize(k, 384, GCRY_WEAK_RANDOM);
    start = now();
    for (n = 0; now() - start < SECONDS; n++) {
        gcry_mpi_ec_mul(r, k, g, ctx);
        gcry_mpi_ec_get_affine(x, NULL, r, ctx);
    }
    printf("mul %.1f\n", n / (now() - start));
}

int main(int argc, char **argv)
{
    gcry_sexp_t key, priv, sig, made, data, parms;
    double start;
    long n;

    if (argc != 6 || !gcry_check_version(NULL)) {
        return 2;
    }
    gcry_control(GCRYCTL_ENABLE_QUICK_RANDOM, 0);
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    hashes();
    multiply();

    key = sexp("(public-key (ecc (curve \"NIST P-384\")(q #04%s%s#)))",
               argv[1], argv[2]);
    sig = sexp("(sig-val (ecdsa (r #%s#)(s #%s#)))", argv[3], argv[4]);
    data = sexp("(data (flags raw)(value #%s#))", argv[5]);
    start = now();
    for (n = 0; now() - start < SECONDS; n++) {
        if (gcry_pk_verify(sig, data, key)) {
            return 1;
        }
    }
    printf("verify %.1f\n", n / (now() - start));

    parms = sexp("(genkey (ecc (curve \"NIST P-384\")))");
    data = sexp("(data (flags rfc6979)(hash sha384 #%s#))", argv[5]);
    if (gcry_pk_genkey(&priv, parms)) {
        return 1;
    }
    start = now();
    for (n = 0; now() - start < SECONDS; n++) {
        if (gcry_pk_sign(&made, data, priv)) {
            return 1;
        }
        gcry_sexp_release(made);
    }
    printf("sign %.1f\n", n / (now() - start));
    return 0;
}
