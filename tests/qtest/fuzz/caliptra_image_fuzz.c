/*
 * Fuzzing of what Caliptra verifies: firmware bundles and manifests
 *
 * An input is a byte that says what it is, and the image.  No mutation makes
 * a digest or a signature right, and behind the first of them that is wrong
 * nothing is looked at.  So digests can be made right here, and signatures
 * can be taken for good, whatever they are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "hw/misc/caliptra_fw.h"
#include "tests/qtest/caliptra-utils.h"
#include "caliptra_fuzz.h"

/* The first byte: what it is ... */
#define KIND            0x03
enum {
    BUNDLE_BLANK,               /* loaded by an unprovisioned part */
    BUNDLE,                     /* by one in production */
    UPDATE,                     /* a bundle, loaded in runtime */
    MANIFEST,                   /* an authorization manifest */
};
/* ... and what is done for it */
#define FIX_DIGESTS     0x04
#define BELIEVE         0x08

/* signatures are good */
static bool believe;

/* ---- in place of hw/misc/caliptra_crypto.c, by the linker's -wrap ---- */

#define WRAP(RET_TYPE, NAME_AND_ARGS) \
    RET_TYPE __wrap_##NAME_AND_ARGS; \
    RET_TYPE __real_##NAME_AND_ARGS;

WRAP(CaliptraP384Verify, caliptra_p384_verify(CaliptraP384 *c,
                                              const uint8_t x[48],
                                              const uint8_t y[48],
                                              const uint8_t msg[48],
                                              const uint8_t r[48],
                                              const uint8_t s[48],
                                              uint8_t verify_r[48]))
WRAP(uint32_t, caliptra_lms_verify(const uint8_t pub[CALIPTRA_LMS_PUB_SIZE],
                                   const uint8_t sig[CALIPTRA_LMS_SIG_SIZE],
                                   const void *msg, size_t len, bool *good))

CaliptraP384Verify __wrap_caliptra_p384_verify(
    CaliptraP384 *c, const uint8_t x[48], const uint8_t y[48],
    const uint8_t msg[48], const uint8_t r[48], const uint8_t s[48],
    uint8_t verify_r[48])
{
    if (believe) {
        memcpy(verify_r, r, 48);
        return CALIPTRA_P384_DONE;
    }
    return __real_caliptra_p384_verify(c, x, y, msg, r, s, verify_r);
}

uint32_t __wrap_caliptra_lms_verify(
    const uint8_t pub[CALIPTRA_LMS_PUB_SIZE],
    const uint8_t sig[CALIPTRA_LMS_SIG_SIZE], const void *msg, size_t len,
    bool *good)
{
    uint32_t error = __real_caliptra_lms_verify(pub, sig, msg, len, good);

    if (!error && believe) {
        *good = true;
    }
    return error;
}

/* ---- images ---- */

/* a digest in hash words, as images have it */
static void digest_words(uint8_t *out, const uint8_t *data, size_t len)
{
    uint8_t digest[48];

    caliptra_sha384(data, len, digest);
    for (int i = 0; i < 48; i += 4) {
        stl_le_p(out + i, ldl_be_p(digest + i));
    }
}

static void fix_entry(CaliptraTocEntry *entry, const uint8_t *image,
                      size_t len)
{
    size_t offset = le32_to_cpu(entry->offset);
    size_t size = le32_to_cpu(entry->size);

    if (offset <= len && size <= len - offset) {
        digest_words(entry->digest, image + offset, size);
    }
}

static void fix_digests(uint8_t *image, size_t len)
{
    CaliptraManifest *m = (CaliptraManifest *)image;

    if (len < sizeof(*m)) {
        return;
    }
    fix_entry(&m->fmc, image, len);
    fix_entry(&m->rt, image, len);
    digest_words(m->header.toc_digest, (uint8_t *)&m->fmc,
                 sizeof(*m) - offsetof(CaliptraManifest, fmc));
}

/* What it has become: identity, measurements, the next update */
static void look_at_firmware(QTestState *s)
{
    static const uint32_t cmds[] = {
        CALIPTRA_CMD_FW_INFO, CALIPTRA_CMD_GET_FMC_ALIAS_CERT,
        CALIPTRA_CMD_GET_RT_ALIAS_CERT, CALIPTRA_CMD_GET_PCR_LOG,
    };
    uint8_t rsp[8];

    for (int i = 0; i < ARRAY_SIZE(cmds); i++) {
        caliptra_fuzz_request(s, cmds[i], NULL, 0, rsp, sizeof(rsp));
    }
}

static void load_bundle(QTestState *s, const uint8_t *image, size_t len)
{
    uint8_t rsp[4];
    int i;

    caliptra_fuzz_command(s, CMD_FIRMWARE_LOAD, image, len, rsp, sizeof(rsp));
    for (i = 0; i < 200 && !qtest_readl(s, IFC_FW_ERROR_FATAL) &&
         !(caliptra_flow(s) & FLOW_READY_FOR_RUNTIME); i++) {
        caliptra_fuzz_serve(s, 1);
    }
    if (caliptra_flow(s) & FLOW_READY_FOR_RUNTIME) {
        look_at_firmware(s);
    }
}

/*
 * An authorization manifest is its preamble, a count, and entries (caliptra-sw
 * auth-manifest/types/src/lib.rs)
 */
#define MANIFEST_ENTRIES    (0x1C00 + 4)
typedef struct QEMU_PACKED ManifestEntry {
    uint8_t fw_id[4];
    uint8_t flags[4];
    uint8_t digest[48];
} ManifestEntry;

/* AUTHORIZE_AND_STASH (runtime/src/authorize_and_stash.rs), little-endian */
typedef struct QEMU_PACKED AuthorizeReq {
    uint8_t fw_id[4];
    uint8_t measurement[48];
    uint8_t context[48];
    uint8_t svn[4];
    uint8_t flags[4];
    uint8_t source[4];
} AuthorizeReq;
#define SOURCE_IN_REQUEST   1

static void load_manifest(QTestState *s, const uint8_t *image, size_t len)
{
    g_autofree uint8_t *req = g_malloc(4 + len);
    AuthorizeReq judged = { };
    uint8_t rsp[12];

    stl_le_p(req, len);
    memcpy(req + 4, image, len);
    caliptra_fuzz_request(s, CALIPTRA_CMD_SET_AUTH_MANIFEST, req, 4 + len,
                          rsp, sizeof(rsp));
    /* the first image of its list, whatever its digest is */
    if (len >= MANIFEST_ENTRIES + sizeof(ManifestEntry)) {
        const ManifestEntry *entry =
            (const ManifestEntry *)(image + MANIFEST_ENTRIES);

        memcpy(judged.fw_id, entry->fw_id, sizeof(judged.fw_id));
        memcpy(judged.measurement, entry->digest, sizeof(judged.measurement));
    }
    stl_le_p(judged.source, SOURCE_IN_REQUEST);
    caliptra_fuzz_request(s, CALIPTRA_CMD_AUTHORIZE_AND_STASH,
                          (const uint8_t *)&judged, sizeof(judged), rsp,
                          sizeof(rsp));
}

static void caliptra_image_fuzz(QTestState *s, const unsigned char *data,
                                size_t size)
{
    static const CaliptraFuzzPoint begin[] = {
        CALIPTRA_FUZZ_BLANK, CALIPTRA_FUZZ_FW, CALIPTRA_FUZZ_RUNTIME,
        CALIPTRA_FUZZ_RUNTIME,
    };
    g_autofree uint8_t *image = NULL;
    uint8_t what;

    if (!size) {
        return;
    }
    what = *data++;
    size--;
    image = g_memdup2(data, size);
    caliptra_fuzz_begin(begin[what & KIND]);
    if ((what & FIX_DIGESTS) && (what & KIND) != MANIFEST) {
        fix_digests(image, size);
    }
    believe = what & BELIEVE;
    if ((what & KIND) == MANIFEST) {
        load_manifest(s, image, size);
    } else {
        load_bundle(s, image, size);
    }
    believe = false;
}

static void register_caliptra_image_fuzz(void)
{
    fuzz_add_target(&(FuzzTarget){
        .name = "caliptra-image",
        .description = "Firmware bundles and authorization manifests for "
                       "Caliptra",
        .get_init_cmdline = caliptra_fuzz_cmdline,
        .pre_fuzz = caliptra_fuzz_boot,
        .fuzz = caliptra_image_fuzz,
    });
}

fuzz_target_init(register_caliptra_image_fuzz);
