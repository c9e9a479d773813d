/*
 * Flash container "FLSH" and SoC manifest of the ASPEED AST27x0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/misc/aspeed_flsh.h"
#include <zlib.h>       /* for crc32 */

#define FLSH_MAGIC              0x48534C46 /* "FLSH" */
#define FLSH_VERSION            1
#define FLSH_CRC_LEN            8

#define MANIFEST_MARKER         0x41544D4E /* "NMTA", Caliptra's marker */
/* of Caliptra's preamble: the field is copied through */
#define MANIFEST_PREAMBLE_SIZE  0x1C00

typedef struct QEMU_PACKED FlshHeader {
    uint32_t magic;
    uint16_t version;
    uint16_t count;
    uint32_t header_crc;                /* of the fields above */
    uint32_t payload_crc;               /* of all that follows this field */
} FlshHeader;

QEMU_BUILD_BUG_ON(sizeof(FlshHeader) != ASPEED_FLSH_HEADER_SIZE);

typedef struct QEMU_PACKED FlshEntry {
    uint32_t identifier;
    uint32_t offset;
    uint32_t size;
} FlshEntry;

QEMU_BUILD_BUG_ON(sizeof(FlshEntry) != ASPEED_FLSH_ENTRY_SIZE);

#define KEYS_SIZE               (96 + 48)       /* ECDSA, LMS */
#define SIGS_SIZE               (96 + 1620)

typedef struct QEMU_PACKED ManifestEntry {
    uint32_t fw_id;
    uint32_t flags;
    uint8_t digest[48];
} ManifestEntry;

typedef struct QEMU_PACKED StoredManifest {
    uint32_t marker;
    uint32_t preamble_size;
    uint32_t version;
    uint32_t sec_version;               /* ASPEED's */
    uint32_t flags;
    uint8_t vendor_keys[KEYS_SIZE];
    uint8_t vendor_endorsement[SIGS_SIZE];
    uint8_t owner_keys[KEYS_SIZE];
    uint8_t owner_endorsement[SIGS_SIZE];
    uint8_t owner_svn_sigs[SIGS_SIZE];  /* ASPEED's */
    uint8_t vendor_sigs[SIGS_SIZE];
    uint8_t owner_sigs[SIGS_SIZE];
    uint32_t entry_count;
    ManifestEntry entries[ASPEED_SOC_MANIFEST_MAX_ENTRIES];
} StoredManifest;

QEMU_BUILD_BUG_ON(sizeof(StoredManifest) != ASPEED_SOC_MANIFEST_SIZE);
QEMU_BUILD_BUG_ON(sizeof(StoredManifest) - sizeof(uint32_t) - SIGS_SIZE !=
                  ASPEED_SOC_MANIFEST_CALIPTRA_SIZE);

/*
 * Load addresses and the memory reserved there: the BootMCU's device tree
 * (aspeed-zephyr-project, apps/mcu-runtime,
 * boards/ast2700_evb_ast2700_a1_bootmcu.overlay), as the CA35 cores see them.
 */
static const AspeedFlshKind flsh_kinds[] = {
    { 0x1000, 2, "DDR4 IMEM" },
    { 0x1001, 3, "DDR4 DMEM" },
    { 0x1002, 4, "DDR4 2D IMEM" },
    { 0x1003, 5, "DDR4 2D DMEM" },
    { 0x1004, 6, "DDR5 IMEM" },
    { 0x1005, 7, "DDR5 DMEM" },
    { 0x1006, 8, "DP firmware" },
    { 0x1007, 9, "UEFI" },
    { ASPEED_FLSH_ATF, 10, "ATF", 0x430000000, 512 * KiB },
    { ASPEED_FLSH_OPTEE, 11, "OP-TEE", 0x430080000, 16 * MiB },
    { ASPEED_FLSH_UBOOT, 12, "U-Boot", 0x400000000 },
    { ASPEED_FLSH_SSP, 13, "SSP", 0x42C000000, 32 * MiB },
    { ASPEED_FLSH_TSP, 14, "TSP", 0x42E000000, 32 * MiB },
};

const AspeedFlshKind *aspeed_flsh_kind(uint32_t identifier)
{
    for (size_t i = 0; i < ARRAY_SIZE(flsh_kinds); i++) {
        if (flsh_kinds[i].identifier == identifier) {
            return &flsh_kinds[i];
        }
    }
    return NULL;
}

/* ---- container ---- */

bool aspeed_flsh_is_header(const uint8_t *data)
{
    return ldl_le_p(data) == FLSH_MAGIC;
}

bool aspeed_flsh_parse_header(const uint8_t *data, size_t size,
                              uint16_t *count, Error **errp)
{
    const FlshHeader *h = (const FlshHeader *)data;
    uint32_t crc;
    uint16_t n;

    if (size < sizeof(*h)) {
        error_setg(errp, "FLSH container: header is cut short");
        return false;
    }
    if (!aspeed_flsh_is_header(data)) {
        error_setg(errp, "no FLSH container: magic is 0x%08x",
                   ldl_le_p(&h->magic));
        return false;
    }
    crc = crc32(0, data, FLSH_CRC_LEN);
    if (ldl_le_p(&h->header_crc) != crc) {
        error_setg(errp, "FLSH container: header CRC is 0x%08x, must be "
                   "0x%08x", ldl_le_p(&h->header_crc), crc);
        return false;
    }
    if (lduw_le_p(&h->version) != FLSH_VERSION) {
        error_setg(errp, "FLSH container: version %u, must be %u",
                   lduw_le_p(&h->version), FLSH_VERSION);
        return false;
    }
    n = lduw_le_p(&h->count);
    if (n == 0 || n > ASPEED_FLSH_MAX_IMAGES) {
        error_setg(errp, "FLSH container: %u images, must be 1 to %u", n,
                   ASPEED_FLSH_MAX_IMAGES);
        return false;
    }
    *count = n;
    return true;
}

/* an empty image is nowhere */
static bool flsh_overlap(const AspeedFlshImage *a, const AspeedFlshImage *b)
{
    return a->size && b->size &&
           a->offset < (uint64_t)b->offset + b->size &&
           b->offset < (uint64_t)a->offset + a->size;
}

static bool flsh_check_image(const AspeedFlsh *flsh, unsigned n,
                             uint64_t first, uint64_t space, Error **errp)
{
    const AspeedFlshImage *image = &flsh->images[n];

    if (image->size && (image->offset < first ||
                        (uint64_t)image->offset + image->size > space)) {
        error_setg(errp, "FLSH container: image 0x%04x, 0x%x bytes at offset "
                   "0x%x, lies %s", image->identifier, image->size,
                   image->offset, image->offset < first ?
                   "over the table" : "outside the flash");
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (flsh->images[i].identifier == image->identifier) {
            error_setg(errp, "FLSH container: image 0x%04x is there twice",
                       image->identifier);
            return false;
        }
        if (flsh_overlap(&flsh->images[i], image)) {
            error_setg(errp, "FLSH container: images 0x%04x and 0x%04x "
                       "overlap", flsh->images[i].identifier,
                       image->identifier);
            return false;
        }
    }
    return true;
}

bool aspeed_flsh_parse_table(const uint8_t *data, size_t size, uint16_t count,
                             uint64_t space, AspeedFlsh *flsh, Error **errp)
{
    const FlshEntry *table = (const FlshEntry *)data;
    g_autofree AspeedFlsh *parsed = g_new0(AspeedFlsh, 1);
    uint64_t first = sizeof(FlshHeader) + count * sizeof(FlshEntry);

    assert(count <= ASPEED_FLSH_MAX_IMAGES);
    if (size < count * sizeof(*table)) {
        error_setg(errp, "FLSH container: table is cut short");
        return false;
    }
    parsed->count = count;
    for (unsigned n = 0; n < count; n++) {
        parsed->images[n] = (AspeedFlshImage) {
            .identifier = ldl_le_p(&table[n].identifier),
            .offset = ldl_le_p(&table[n].offset),
            .size = ldl_le_p(&table[n].size),
        };
        if (!flsh_check_image(parsed, n, first, space, errp)) {
            return false;
        }
    }
    *flsh = *parsed;
    return true;
}

const AspeedFlshImage *aspeed_flsh_find(const AspeedFlsh *flsh,
                                        uint32_t identifier)
{
    for (unsigned n = 0; n < flsh->count; n++) {
        if (flsh->images[n].identifier == identifier) {
            return &flsh->images[n];
        }
    }
    return NULL;
}

bool aspeed_flsh_check_size(const AspeedFlshKind *kind, uint32_t size,
                            Error **errp)
{
    uint32_t max = kind->room ? MIN(kind->room, ASPEED_FLSH_IMAGE_MAX)
                              : ASPEED_FLSH_IMAGE_MAX;

    if (size > max) {
        error_setg(errp, "%u bytes, must have at most %u", size, max);
        return false;
    }
    return true;
}

/* ---- SoC manifest ---- */

static bool manifest_check_size(size_t size, Error **errp)
{
    if (size < sizeof(StoredManifest)) {
        error_setg(errp, "SoC manifest: %zu bytes, must have %zu", size,
                   sizeof(StoredManifest));
        return false;
    }
    return true;
}

bool aspeed_soc_manifest_convert(const uint8_t *stored, size_t size,
                                 uint8_t *out, Error **errp)
{
    /* what is left out: (first byte, byte after the last) */
    static const struct {
        size_t begin;
        size_t end;
    } gaps[] = {
        { offsetof(StoredManifest, sec_version),
          offsetof(StoredManifest, flags) },
        { offsetof(StoredManifest, owner_svn_sigs),
          offsetof(StoredManifest, vendor_sigs) },
        { sizeof(StoredManifest), sizeof(StoredManifest) },
    };
    size_t from = 0;

    if (!manifest_check_size(size, errp)) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(gaps); i++) {
        memcpy(out, stored + from, gaps[i].begin - from);
        out += gaps[i].begin - from;
        from = gaps[i].end;
    }
    return true;
}

bool aspeed_soc_manifest_parse(const uint8_t *stored, size_t size,
                               AspeedSocManifest *manifest, Error **errp)
{
    const StoredManifest *m = (const StoredManifest *)stored;
    AspeedSocManifest parsed = { };
    uint32_t count;

    if (!manifest_check_size(size, errp)) {
        return false;
    }
    if (ldl_le_p(&m->marker) != MANIFEST_MARKER) {
        error_setg(errp, "SoC manifest: marker is 0x%08x, must be 0x%08x",
                   ldl_le_p(&m->marker), MANIFEST_MARKER);
        return false;
    }
    if (ldl_le_p(&m->preamble_size) != MANIFEST_PREAMBLE_SIZE) {
        error_setg(errp, "SoC manifest: preamble size is 0x%x, must be 0x%x",
                   ldl_le_p(&m->preamble_size), MANIFEST_PREAMBLE_SIZE);
        return false;
    }
    count = ldl_le_p(&m->entry_count);
    if (count == 0 || count > ASPEED_SOC_MANIFEST_MAX_ENTRIES) {
        error_setg(errp, "SoC manifest: %u entries, must be 1 to %u", count,
                   ASPEED_SOC_MANIFEST_MAX_ENTRIES);
        return false;
    }
    for (parsed.count = 0; parsed.count < count; parsed.count++) {
        uint32_t fw_id = ldl_le_p(&m->entries[parsed.count].fw_id);

        for (unsigned i = 0; i < parsed.count; i++) {
            if (parsed.entries[i].fw_id == fw_id) {
                error_setg(errp, "SoC manifest: fw id %u is there twice",
                           fw_id);
                return false;
            }
        }
        parsed.entries[parsed.count].fw_id = fw_id;
        parsed.entries[parsed.count].flags =
            ldl_le_p(&m->entries[parsed.count].flags);
    }
    *manifest = parsed;
    return true;
}

bool aspeed_flsh_loads(const AspeedFlshKind *kind,
                       const AspeedSocManifest *manifest)
{
    if (!kind->load_addr || !manifest) {
        return kind->load_addr != 0;
    }
    for (unsigned i = 0; i < manifest->count; i++) {
        if (manifest->entries[i].fw_id == kind->fw_id) {
            return manifest->entries[i].flags >>
                   ASPEED_SOC_MANIFEST_STAGE_SHIFT ==
                   ASPEED_SOC_MANIFEST_STAGE_BOOTMCU;
        }
    }
    return false;
}
