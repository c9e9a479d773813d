/*
 * Caliptra 1.x core: what differs between releases of its firmware
 *
 * One table: a row is a release, with what tells its official bundle from
 * others, and what is new in it.  A release has what those before it have.
 *
 * Sources: caliptra-sw README.md ("FMC+Runtime FW Releases", digests),
 * builder/src/version.rs and common/src/lib.rs of the tags rt-1.2.0 to
 * rt-1.2.5 (their commits, versions, link addresses and sizes).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/error-report.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "qapi/util.h"
#include "hw/core/qdev.h"
#include "caliptra_fw.h"

static const QEnumLookup release_lookup = {
    .array = (const char *const[]) {
        [CALIPTRA_RELEASE_AUTO] = "auto",
        [CALIPTRA_RELEASE_1_2_0] = "1.2.0",
        [CALIPTRA_RELEASE_1_2_1] = "1.2.1",
        [CALIPTRA_RELEASE_1_2_2] = "1.2.2",
        [CALIPTRA_RELEASE_1_2_3] = "1.2.3",
        [CALIPTRA_RELEASE_1_2_4] = "1.2.4",
        [CALIPTRA_RELEASE_1_2_5] = "1.2.5",
    },
    .size = CALIPTRA_RELEASE_NUM,
};

QEMU_BUILD_BUG_ON(CALIPTRA_RT_TRAITS > 64 || CALIPTRA_FMC_TRAITS > 64);

#define RT(trait)   BIT_ULL(CALIPTRA_RT_ ## trait)
#define FMC(trait)  BIT_ULL(CALIPTRA_FMC_ ## trait)

/* digests: SHA-384 of the image, natural bytes; revision: of both images */
static const struct {
    const char *revision;
    uint16_t fmc_version;
    uint32_t rt_version;
    const char *fmc_digest;
    const char *rt_digest;
    /* where the runtime is linked to, if that is new in this release */
    uint32_t rt_load_addr;
    /* room that the images are linked into, bytes */
    uint32_t fmc_room;
    uint32_t rt_room;
    uint64_t fmc_news;
    uint64_t rt_news;
} releases[CALIPTRA_RELEASE_NUM] = {
    [CALIPTRA_RELEASE_1_2_0] = {
        .revision = "951209a31c4373658f89e4b1211f3a557731c7d9",
        .fmc_version = 0x0880,
        .rt_version = 0x01020000,
        .fmc_digest =
            "3c205680003c6e9d7064456de1f3c690256a68ad29739ff4"
            "0e5c46a677d82ee7d044bd7f322642d4df6e2a7cafe63bcf",
        .rt_digest =
            "002809d7387f0bc6ce16e09e1f585d05c0a7557083c52586"
            "d95fc576a725999a9e229badfdedc2c78aeeb4a5e9a3471b",
        .fmc_room = 21 * KiB,
        .rt_room = 96 * KiB,
        .fmc_news = FMC(BASE),
        .rt_news = RT(BASE) | RT(SELF_TEST),
    },
    [CALIPTRA_RELEASE_1_2_1] = {
        .revision = "98df57bbb7bb5746c4282ca0505fea3b0fa64ec4",
        .fmc_version = 0x0881,
        .rt_version = 0x01020001,
        .fmc_digest =
            "45c6fdce6654e24eecf2351daa73a9c78a1c1cdc7623704e"
            "03f11e173624d68597f7f50d30abd2790528c8edd53d4c78",
        .rt_digest =
            "b6838fd4328d3729b34725ac4e79991760143e35483077ae"
            "3a7202f9fbff5eb9e5c72c1480457f1cf289eca7c131a52e",
        .fmc_room = 21 * KiB,
        .rt_room = 96 * KiB,
        .rt_news = RT(REVOKE_EXPORTED_CDI) | RT(FLOW_DONE) |
            RT(SHUTDOWN_AT_ONCE) | RT(FMC_CSR_ERRORS) | RT(NO_ALLOW_CA) |
            RT(PARENT_FIRST) | RT(EXPORT_CHECKS_FIRST) |
            RT(EXPORT_ENDS_PARENT) | RT(JOURNEY_REGISTERS) |
            RT(DICE_NOT_CRITICAL),
    },
    [CALIPTRA_RELEASE_1_2_2] = {
        .revision = "cccf6419a5952f89c3aa270102edd5da9a11c5ac",
        .fmc_version = 0x0882,
        .rt_version = 0x01020002,
        .fmc_digest =
            "4b37512f0697e362d98b609699da612ad027dfd78b6315e7"
            "1a6cff833dfb716c4ac809ca4cdc0e5368f0e0d94c1dcca2",
        .rt_digest =
            "09ce915a76c9e8d7725f2a9122135d886bc623daa655177c"
            "7f553d9dbfcc75432e6d489621c17eefc184dc49ab5462b7",
        .fmc_room = 21 * KiB,
        .rt_room = 97 * KiB,
        .rt_news = RT(CMD_ACTIVE) | RT(AUTH_DIGEST) | RT(ZERO_CDIS) |
            RT(EXPORT_IN_DCCM) | RT(EXPORT_DESTROYS) | RT(DESTROY_CLEARS),
    },
    [CALIPTRA_RELEASE_1_2_3] = {
        .revision = "15512531781016c126dcb9ee6963410b6a9200b0",
        .fmc_version = 0x0883,
        .rt_version = 0x01020003,
        .fmc_digest =
            "21cd61a7659bcea8b9b9ff7bd9181bee4c4671c9e7aa24d6"
            "7b727bdf1cae149b9883e144986af8d37195eff9ba9a9e51",
        .rt_digest =
            "89865e07491547ecfa6da9897edfd1c0a81a8143462d9628"
            "c5acf3e696b7857af31a82492a51e1b6734a24d01561d484",
        .rt_load_addr = 0x40005C00,
        .fmc_room = 23 * KiB,
        .rt_room = 97 * KiB,
        .fmc_news = FMC(CSR_TCB_INFO),
        .rt_news = RT(32_CONTEXTS) | RT(CONTEXT_LIMITS) |
            RT(RESTORES_VERSIONS) | RT(LONG_FMC_CSR),
    },
    [CALIPTRA_RELEASE_1_2_4] = {
        .revision = "84ca1a1edfd5c6fa72a44e0e3354bb40b166ffde",
        .fmc_version = 0x0884,
        .rt_version = 0x01020004,
        .fmc_digest =
            "2ecc7de8e0de934e6c331fc8e8bc7a7bc4247a23f6cb5d17"
            "d5883c6ad91a632b4eb7070b90ad5114fec9f2e5070fe8a9",
        .rt_digest =
            "4aac73bfe46d09998445f2ee862e142540a24f5aa6a352f9"
            "7707030daeb8c12f9a8e7d0d8a2310644c38ffe21a65fd0d",
        .rt_load_addr = 0x40006000,
        .fmc_room = 24 * KiB,
        .rt_room = 96 * KiB,
        .fmc_news = FMC(RT_TCI_ONLY) | FMC(REMAKES_KEY),
        .rt_news = RT(GET_PCR_LOG) | RT(POPULATE_PL0) | RT(TWO_PCRS) |
            RT(CCIV) | RT(REGISTERS_TAG) | RT(KEY_IDS_DER),
    },
    [CALIPTRA_RELEASE_1_2_5] = {
        .revision = "b8d1f5916a778e2f34976ea021459fc6575032a2",
        .fmc_version = 0x0885,
        .rt_version = 0x01020005,
        /* FMC is the one of 1.2.4 */
        .rt_digest =
            "67406db51e0a2315361e14bd1c7263f1b106a3bda4b5774e"
            "43d573243ea3ffa8538ea0534e2b5c38e340112b9156b8c2",
        .fmc_room = 24 * KiB,
        .rt_room = 96 * KiB,
        .rt_news = RT(DER) | RT(REGISTER_NUM),
    },
};

/*
 * ROMs by the version that they report (builder/src/version.rs).  Those before
 * 1.1.0 are for RTL 1.0 and taken for 1.1.0; it is not modelled that the FMC
 * alias certificate of 1.1.0 describes its measurements otherwise.
 */
static const struct {
    uint16_t version;
    uint32_t news;
} roms[] = {
    { 1 << 11 | 1 << 6 | 1, BIT(CALIPTRA_ROM_RESERVED_USER) },
    { 1 << 11 | 2 << 6 | 0, BIT(CALIPTRA_ROM_GET_IDEV_CSR) },
};

/*
 * Images that vendors give away, and what they behave as
 * (AspeedTech-BMC/cptra_imgtool, prebuilt)
 */
static const struct {
    const char *name;
    bool rt;
    const char *digest;
    CaliptraRelease release;
    /* what of that release was not built in */
    uint64_t lacks;
} vendor_images[] = {
    {
        "ast2700a1-default", false,
        "2db64bb1f2bad0b6c9741e2e916953d50e49f51fb3270e30"
        "3758aa697c6bd63bc8c94f6286e478dc4c9e7c3cdd0d8d36",
        CALIPTRA_RELEASE_1_2_0,
    }, {
        "ast2700a1-default", true,
        "6569b242c421245f02f9008a5eaf32096d66c27345967726"
        "8d713494bbcab2c86cf2321117305df4ff98f79d8faac26a",
        CALIPTRA_RELEASE_1_2_0, RT(SELF_TEST),
    }, {
        "ast2700-default", true,
        "16cc65d2abb2c93b6db1d833464eba97c3abaa4452451f59"
        "170fa4e0b909e306e35e7a4832a905a5c4a8aaa96e6c36e4",
        CALIPTRA_RELEASE_1_2_1, RT(SELF_TEST),
    },
};

/* ---- what a release does ---- */

bool caliptra_release_rt_has(CaliptraRelease release, CaliptraRtTrait trait)
{
    while (release > CALIPTRA_RELEASE_AUTO) {
        if (releases[release--].rt_news & BIT_ULL(trait)) {
            return true;
        }
    }
    return false;
}

bool caliptra_rt_has(const CaliptraFw *fw, CaliptraRtTrait trait)
{
    return caliptra_release_rt_has(fw->rt_release, trait) &&
           !(fw->rt_lacks & BIT_ULL(trait));
}

bool caliptra_fmc_has(const CaliptraFw *fw, CaliptraFmcTrait trait)
{
    for (int i = fw->fmc_release; i > CALIPTRA_RELEASE_AUTO; i--) {
        if (releases[i].fmc_news & BIT_ULL(trait)) {
            return true;
        }
    }
    return false;
}

bool caliptra_rom_has(const CaliptraFw *fw, CaliptraRomTrait trait)
{
    /* one that does not tell its version is taken for the newest */
    for (size_t i = 0; i < ARRAY_SIZE(roms); i++) {
        if ((roms[i].news & BIT(trait)) && fw->rom.version &&
            fw->rom.version < roms[i].version) {
            return false;
        }
    }
    return true;
}

const char *caliptra_release_name(CaliptraRelease release)
{
    return qapi_enum_lookup(&release_lookup, release);
}

uint32_t caliptra_release_fmc_room(const CaliptraFw *fw)
{
    return releases[fw->rt_release].fmc_room;
}

uint32_t caliptra_release_rt_room(const CaliptraFw *fw)
{
    return releases[fw->rt_release].rt_room;
}

/* ---- which one is it? ---- */

/* does @hex, which may be NULL, spell these bytes? */
static bool hex_is(const char *hex, const uint8_t *bytes, size_t len)
{
    if (!hex) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (g_ascii_xdigit_value(hex[2 * i]) << 4 != (bytes[i] & 0xF0) ||
            g_ascii_xdigit_value(hex[2 * i + 1]) != (bytes[i] & 0x0F)) {
            return false;
        }
    }
    return true;
}

/*
 * Look an image of @fw up.  @lacks: what a vendor has left out.  @why: text
 * for the log, to be freed.
 */
static CaliptraRelease release_of(const CaliptraFw *fw, bool rt,
                                  uint64_t *lacks, char **why)
{
    const CaliptraManifest *m = (const CaliptraManifest *)fw->pdata.manifest1;
    const CaliptraTocEntry *toc = rt ? &m->rt : &m->fmc;
    uint32_t version = le32_to_cpu(toc->version);
    CaliptraRelease given = rt ? fw->rt_release_given : fw->fmc_release_given;
    uint8_t digest[48];

    *lacks = 0;
    if (given != CALIPTRA_RELEASE_AUTO) {
        *why = g_strdup_printf("%s-release", rt ? "rt" : "fmc");
        return given;
    }

    caliptra_hw_to_bytes(digest, toc->digest, sizeof(digest));
    for (CaliptraRelease i = 1; i < CALIPTRA_RELEASE_NUM; i++) {
        if (hex_is(rt ? releases[i].rt_digest : releases[i].fmc_digest,
                   digest, sizeof(digest))) {
            *why = g_strdup("digest");
            return i;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(vendor_images); i++) {
        if (vendor_images[i].rt == rt &&
            hex_is(vendor_images[i].digest, digest, sizeof(digest))) {
            *why = g_strdup_printf("digest: ASPEED's %s",
                                   vendor_images[i].name);
            *lacks = vendor_images[i].lacks;
            return vendor_images[i].release;
        }
    }
    for (CaliptraRelease i = 1; i < CALIPTRA_RELEASE_NUM; i++) {
        if (hex_is(releases[i].revision, toc->revision,
                   sizeof(toc->revision))) {
            *why = g_strdup("revision");
            return i;
        }
    }
    for (CaliptraRelease i = 1; i < CALIPTRA_RELEASE_NUM; i++) {
        if (version == (rt ? releases[i].rt_version :
                             releases[i].fmc_version)) {
            *why = g_strdup("version");
            return i;
        }
    }
    for (CaliptraRelease i = 1; i < CALIPTRA_RELEASE_NUM; i++) {
        if (releases[i].rt_load_addr &&
            releases[i].rt_load_addr == le32_to_cpu(m->rt.load_addr)) {
            *why = g_strdup("load address of the runtime");
            return i;
        }
    }
    *why = g_strdup("assumed: unknown build");
    return CALIPTRA_RELEASE_1_2_0;
}

void caliptra_release_select_fmc(CaliptraFw *fw)
{
    g_autofree char *why = NULL;
    uint64_t lacks;

    fw->fmc_release = release_of(fw, false, &lacks, &why);
    caliptra_log(fw->log, "FMC %s (%s)",
                 caliptra_release_name(fw->fmc_release), why);
}

void caliptra_release_select_rt(CaliptraFw *fw)
{
    CaliptraRelease before = fw->rt_release;
    g_autofree char *why = NULL;

    fw->rt_release = release_of(fw, true, &fw->rt_lacks, &why);
    caliptra_dpe_change_release(fw, before);
    caliptra_log(fw->log, "runtime %s (%s)",
                 caliptra_release_name(fw->rt_release), why);
}

/* ---- migration ---- */

static bool release_check(const char *what, CaliptraRelease has,
                          CaliptraRelease given)
{
    if (has <= CALIPTRA_RELEASE_AUTO || has >= CALIPTRA_RELEASE_NUM) {
        return false;
    }
    if (given != CALIPTRA_RELEASE_AUTO && given != has) {
        error_report("caliptra: the stream's %s firmware is release %s, but "
                     "%s-release says %s", what, caliptra_release_name(has),
                     what, caliptra_release_name(given));
        return false;
    }
    return true;
}

bool caliptra_release_check(const CaliptraFw *fw)
{
    return release_check("fmc", fw->fmc_release, fw->fmc_release_given) &&
           release_check("rt", fw->rt_release, fw->rt_release_given);
}

/* ---- properties ---- */

static int get_fmc_release(Object *obj, Error **errp)
{
    return CALIPTRA_NATIVE_FW(obj)->fmc_release_given;
}

static int get_rt_release(Object *obj, Error **errp)
{
    return CALIPTRA_NATIVE_FW(obj)->rt_release_given;
}

static void set_fmc_release(Object *obj, int value, Error **errp)
{
    if (DEVICE(obj)->realized) {
        error_setg(errp, "fmc-release cannot be changed any more");
        return;
    }
    CALIPTRA_NATIVE_FW(obj)->fmc_release_given = value;
}

static void set_rt_release(Object *obj, int value, Error **errp)
{
    if (DEVICE(obj)->realized) {
        error_setg(errp, "rt-release cannot be changed any more");
        return;
    }
    CALIPTRA_NATIVE_FW(obj)->rt_release_given = value;
}

void caliptra_release_add_properties(ObjectClass *klass)
{
    object_class_property_add_enum(klass, "fmc-release", "CaliptraRelease",
                                   &release_lookup, get_fmc_release,
                                   set_fmc_release);
    object_class_property_set_description(klass, "fmc-release",
        "Release that FMC behaves as: 1.2.0 to 1.2.5 (default: auto, the "
        "bundle's)");
    object_class_property_add_enum(klass, "rt-release", "CaliptraRelease",
                                   &release_lookup, get_rt_release,
                                   set_rt_release);
    object_class_property_set_description(klass, "rt-release",
        "Release that runtime behaves as: 1.2.0 to 1.2.5 (default: auto, the "
        "bundle's)");
}
