/*
 * Flash container "FLSH" and SoC manifest of the ASPEED AST27x0
 *
 * What stands in the boot flash behind (A1) or around (A2) Caliptra's
 * firmware bundle: a table of images, among them the SoC manifest that says
 * which images the vendor and the owner approve of.  Pure functions on bytes;
 * all numbers in the files are little-endian.
 *
 * The container is written by caliptra-mcu-sw (builder/src/flash_image.rs),
 * the manifest by ASPEED's cptra_imgtool (README.md, src/manifest.rs); the
 * BootMCU's firmware reads both (aspeed-zephyr-project, apps/mcu-runtime,
 * manifest.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_FLSH_H
#define HW_MISC_ASPEED_FLSH_H

#define ASPEED_FLSH_HEADER_SIZE     16
#define ASPEED_FLSH_ENTRY_SIZE      12
/* the BootMCU's firmware takes no more */
#define ASPEED_FLSH_MAX_IMAGES      127

enum {
    ASPEED_FLSH_CALIPTRA = 0x0001,
    ASPEED_FLSH_MANIFEST = 0x0002,
    ASPEED_FLSH_MCU_FMC = 0x0003,
    /* numbered in the order of the fw_ids, which begin with 2 */
    ASPEED_FLSH_SOC_IMAGES = 0x1000,
    ASPEED_FLSH_ATF = 0x1008,
    ASPEED_FLSH_OPTEE = 0x1009,
    ASPEED_FLSH_UBOOT = 0x100A,
    ASPEED_FLSH_SSP = 0x100B,
    ASPEED_FLSH_TSP = 0x100C,
};

/**
 * struct AspeedFlshKind: what the BootMCU's firmware knows of an image
 * @identifier: number in the container's table
 * @fw_id: number in the SoC manifest
 * @name: for people
 * @load_addr: where the CA35 cores see it; 0: is not loaded for them
 * @room: bytes that are reserved there, 0: no limit of its own
 */
typedef struct AspeedFlshKind {
    uint32_t identifier;
    uint32_t fw_id;
    const char *name;
    uint64_t load_addr;
    uint32_t room;
} AspeedFlshKind;

/* The BootMCU's buffer for one image: no image may be larger */
#define ASPEED_FLSH_IMAGE_MAX       (5 * MiB)

/**
 * struct AspeedFlshImage: an entry of the table
 * @identifier: which image
 * @offset: of its first byte, from the first byte of the container
 * @size: in bytes; 0: the image is empty
 */
typedef struct AspeedFlshImage {
    uint32_t identifier;
    uint32_t offset;
    uint32_t size;
} AspeedFlshImage;

/**
 * struct AspeedFlsh: a container's table
 * @count: entries of @images that are used
 * @images: in the order of the file
 */
typedef struct AspeedFlsh {
    uint16_t count;
    AspeedFlshImage images[ASPEED_FLSH_MAX_IMAGES];
} AspeedFlsh;

/* SoC manifest as stored, and what of it Caliptra gets */
#define ASPEED_SOC_MANIFEST_SIZE            16004
#define ASPEED_SOC_MANIFEST_CALIPTRA_SIZE   14284
#define ASPEED_SOC_MANIFEST_MAX_ENTRIES     127

/* Load stage in an entry's flags: who loads the image */
#define ASPEED_SOC_MANIFEST_STAGE_SHIFT     30
#define ASPEED_SOC_MANIFEST_STAGE_BOOTMCU   1

/**
 * struct AspeedSocManifest: what the BootMCU itself reads of a SoC manifest
 * @count: entries that are used
 * @entries: number and flags of each image, in the order of the file
 */
typedef struct AspeedSocManifest {
    uint8_t count;
    struct {
        uint32_t fw_id;
        uint32_t flags;
    } entries[ASPEED_SOC_MANIFEST_MAX_ENTRIES];
} AspeedSocManifest;

/**
 * aspeed_flsh_kind: look up an image by its number in the table
 * @identifier: the number
 *
 * Returns: what is known of it, or NULL.
 */
const AspeedFlshKind *aspeed_flsh_kind(uint32_t identifier);

/**
 * aspeed_flsh_is_header: whether this could be a container
 * @data: its first 4 bytes
 */
bool aspeed_flsh_is_header(const uint8_t *data);

/**
 * aspeed_flsh_parse_header: check a container's header
 * @data: the container's first bytes
 * @size: how many there are
 * @count: set to the number of images, 1 to ASPEED_FLSH_MAX_IMAGES
 * @errp: why it is none
 *
 * The CRC of the payload is not looked at, as the BootMCU's firmware does
 * not either: it would have to read the whole container.
 *
 * Returns: true if the header is good; @count is written only then.
 */
bool aspeed_flsh_parse_header(const uint8_t *data, size_t size,
                              uint16_t *count, Error **errp);

/**
 * aspeed_flsh_parse_table: read and check a container's table
 * @data: what follows the header
 * @size: how many bytes there are
 * @count: images in the table, from the header
 * @space: bytes from the container's first one to the end of the flash
 * @flsh: filled in
 * @errp: why the table is bad: cut short, an image outside the flash or over
 *        another one or over the table, an identifier twice
 *
 * Returns: true if the table is good; @flsh is written only then.
 */
bool aspeed_flsh_parse_table(const uint8_t *data, size_t size, uint16_t count,
                             uint64_t space, AspeedFlsh *flsh, Error **errp);

/**
 * aspeed_flsh_find: look up an image in a table
 * @flsh: the table
 * @identifier: which image
 *
 * Returns: its entry, or NULL.
 */
const AspeedFlshImage *aspeed_flsh_find(const AspeedFlsh *flsh,
                                        uint32_t identifier);

/**
 * aspeed_soc_manifest_convert: what Caliptra gets to see of a SoC manifest
 * @stored: the manifest as the flash has it
 * @size: its bytes
 * @out: ASPEED_SOC_MANIFEST_CALIPTRA_SIZE bytes, as they follow
 *       manifest_size in a SET_AUTH_MANIFEST request
 * @errp: set if @stored is cut short; all else is for Caliptra to judge
 *
 * ASPEED's additions, the security version and its signatures, are left out.
 *
 * Returns: true on success; @out is written only then.
 */
bool aspeed_soc_manifest_convert(const uint8_t *stored, size_t size,
                                 uint8_t *out, Error **errp);

/**
 * aspeed_soc_manifest_parse: read a SoC manifest's list of images
 * @stored: the manifest as the flash has it
 * @size: its bytes
 * @manifest: filled in
 * @errp: why it is bad: cut short, marker, preamble size, number of entries,
 *        an image twice
 *
 * Returns: true if it is good; @manifest is written only then.
 */
bool aspeed_soc_manifest_parse(const uint8_t *stored, size_t size,
                               AspeedSocManifest *manifest, Error **errp);

/**
 * aspeed_flsh_loads: whether the BootMCU loads an image for the cores
 * @kind: of the image
 * @manifest: the SoC manifest, or NULL if there is none
 *
 * Returns: true for the images with a load address, unless the manifest does
 * not list them or leaves them to another load stage.
 */
bool aspeed_flsh_loads(const AspeedFlshKind *kind,
                       const AspeedSocManifest *manifest);

/**
 * aspeed_flsh_check_size: whether an image fits where it is loaded
 * @kind: of the image
 * @size: in bytes
 * @errp: set if not
 */
bool aspeed_flsh_check_size(const AspeedFlshKind *kind, uint32_t size,
                            Error **errp);

#endif /* HW_MISC_ASPEED_FLSH_H */
