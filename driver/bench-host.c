/*
 * What the library itself does on this host, for ./qemu-caliptra bench
 *
 * Usage: bench-host X Y R S DIGEST (hexadecimal): prints SHA-384 in bytes a
 * second, SHA-256 of a short message and P-384 verifications a second.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include <gcrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHA_BYTES   0x100000
#define SECONDS     0.5
/* a step of an LM-OTS chain (RFC 8554) with hashes of 24 bytes */
#define LMOTS_BYTES 47

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    static char block[SHA_BYTES];
    unsigned char digest[48];
    char point[2 * 97 + 1];
    gcry_sexp_t key, sig, data;
    double start;
    long n;

    if (argc != 6 || !gcry_check_version(NULL)) {
        return 2;
    }
    gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);

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

    snprintf(point, sizeof(point), "04%s%s", argv[1], argv[2]);
    {
        char text[1024];

        snprintf(text, sizeof(text), "(public-key (ecc (curve \"NIST P-384\")"
                 "(q #%s#)))", point);
        if (gcry_sexp_new(&key, text, strlen(text), 1)) {
            return 1;
        }
        snprintf(text, sizeof(text), "(sig-val (ecdsa (r #%s#)(s #%s#)))",
                 argv[3], argv[4]);
        if (gcry_sexp_new(&sig, text, strlen(text), 1)) {
            return 1;
        }
        snprintf(text, sizeof(text), "(data (flags raw)(value #%s#))",
                 argv[5]);
        if (gcry_sexp_new(&data, text, strlen(text), 1)) {
            return 1;
        }
    }
    start = now();
    for (n = 0; now() - start < SECONDS; n++) {
        if (gcry_pk_verify(sig, data, key)) {
            return 1;
        }
    }
    printf("verify %.1f\n", n / (now() - start));
    return 0;
}
