/*
 * What Caliptra says of itself, for people
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

/* AST2700: SCU1, Caliptra control */
#define SCU1_CPTRA_CTRL     0x14C02130
#define CPTRA_RDY_FOR_RT    (1 << 18)

/* Caliptra's SoC interface (caliptra-rtl soc_ifc_external_reg.rdl) */
#define IFC_BOOT_STATUS         0x14C70038
#define IFC_FLOW_STATUS         0x14C7003C

/* What is attested; an auditor who knows it knows its digest */
static const char blob[] = "A blob that Caliptra attests.\n";

static void put_failure(const char *name, MboxResult result)
{
    put(name);
    put(": ");
    put(mbox_result_name(result));
    if (result == MBOX_CMD_FAILURE) {
        put(", error ");
        put_hex(mbox_error());
    }
    put("\n");
}

/* Say how a command went; true if there is a response to print */
static bool ask(const char *name, uint32_t cmd)
{
    MboxResult result = mbox_query(cmd);

    if (result != MBOX_DATA_READY) {
        put_failure(name, result);
        return false;
    }
    put(name);
    put(":\n");
    return true;
}

static void put_version(uint32_t major, uint32_t minor, uint32_t patch)
{
    put_dec(major);
    put_char('.');
    put_dec(minor);
    put_char('.');
    put_dec(patch);
}

/* ROM and FMC pack major, minor, patch into 5, 5 and 6 bits */
static void put_rom_version(uint32_t rom_fmc)
{
    put_version(rom_fmc >> 11 & 31, rom_fmc >> 6 & 31, rom_fmc & 63);
}

static void put_fmc_version(uint32_t rom_fmc)
{
    put_version(rom_fmc >> 27, rom_fmc >> 22 & 31, rom_fmc >> 16 & 63);
}

static void put_runtime_version(uint32_t rt)
{
    put_version(rt >> 24, rt >> 16 & 0xFF, rt & 0xFFFF);
}

static void report_version(void)
{
    if (!ask("VERSION", CMD_VERSION)) {
        return;
    }
    put_name("name");
    mbox_rsp[9] = 0;
    put((const char *)&mbox_rsp[6]);
    put("\n");
    put_name("hardware");
    put_hex(mbox_rsp[3]);
    put("\n");
    put_name("ROM");
    put_rom_version(mbox_rsp[4]);
    put("\n");
    put_name("FMC");
    put_fmc_version(mbox_rsp[4]);
    put("\n");
    put_name("runtime");
    put_runtime_version(mbox_rsp[5]);
    put("\n");
}

static void report_fw_info(void)
{
    static const struct {
        const char *name;
        unsigned first, words;
        bool text;
    } fields[] = {
        { "pl0_pauser", 2, 1 },
        { "runtime_svn", 3, 1 },
        { "min_runtime_svn", 4, 1 },
        { "fmc_manifest_svn", 5, 1 },
        { "attestation_disabled", 6, 1 },
        { "rom_revision", 7, 5, true },
        { "fmc_revision", 12, 5, true },
        { "runtime_revision", 17, 5, true },
        { "rom_sha256_digest", 22, 8 },
        { "fmc_sha384_digest", 30, 12 },
        { "runtime_sha384_digest", 42, 12 },
        { "owner_pub_key_hash", 54, 12 },
    };
    unsigned i, k;

    if (!ask("FW_INFO", CMD_FW_INFO)) {
        return;
    }
    for (i = 0; i < ARRAY_SIZE(fields); i++) {
        put_name(fields[i].name);
        if (fields[i].text) {
            put_bytes(&mbox_rsp[fields[i].first], 4 * fields[i].words);
        } else {
            for (k = 0; k < fields[i].words; k++) {
                put_digits(mbox_rsp[fields[i].first + k], 8);
            }
        }
        put("\n");
    }
}

static void report_capabilities(void)
{
    if (!ask("CAPABILITIES", CMD_CAPABILITIES)) {
        return;
    }
    put_name("bits 127..0");
    put_bytes(&mbox_rsp[2], 16);
    put("\n");
}

static void put_certificate(const void *cert, size_t len)
{
    X509 x;

    if (!x509_parse(&x, cert, len)) {
        put("this is no certificate of Caliptra's\n");
        return;
    }
    x509_put_name(x.subject);
    pem_put("CERTIFICATE", cert, len);
}

static void report_chain(void)
{
    static const struct {
        const char *name;
        uint32_t cmd;
    } certs[] = {
        { "LDevID certificate", CMD_GET_LDEV_CERT },
        { "FMC alias certificate", CMD_GET_FMC_ALIAS_CERT },
        { "RT alias certificate", CMD_GET_RT_ALIAS_CERT },
    };
    size_t i;

    if (ask("IDevID public key", CMD_GET_IDEV_INFO)) {
        pem_put_point((const uint8_t *)&mbox_rsp[2]);
    }
    for (i = 0; i < ARRAY_SIZE(certs); i++) {
        if (ask(certs[i].name, certs[i].cmd)) {
            put_certificate(&mbox_rsp[3], mbox_rsp[2]);
        }
    }
}

/*
 * Measure a blob into the DPE, and have a key certified for it; NULL and
 * @what that failed, or the key.  @digest is the blob's.
 */
static const DpeCertifyKeyRsp *attest(uint8_t *digest, const char **what,
                                      uint32_t *status)
{
    /* the default context is the parent, and the child replaces it */
    DpeDeriveContext derive = {
        .flags = DPE_DERIVE_MAKE_DEFAULT | DPE_DERIVE_INPUT_ALLOW_X509,
        /* "BLOB" in memory order, as the certificate shows it */
        .tci_type = FOURCC('B', 'O', 'L', 'B'),
    };
    DpeCertifyKey certify = {
        .format = DPE_FORMAT_X509,
        .label = "key of the blob",
    };

    *status = 0;
    *what = "the SHA accelerator";
    if (!sha_hash(384, blob, sizeof(blob) - 1, derive.data)) {
        return NULL;
    }
    memcpy(digest, derive.data, sizeof(derive.data));
    *what = "DeriveContext";
    if (!dpe_command(DPE_DERIVE_CONTEXT, &derive, sizeof(derive), status)) {
        return NULL;
    }
    *what = "CertifyKey";
    return dpe_command(DPE_CERTIFY_KEY, &certify, sizeof(certify), status);
}

static void put_attest_failure(const char *what, uint32_t status)
{
    put(what);
    put(" fails, error ");
    put_hex(status);
    put("\n");
}

static void report_attestation(void)
{
    uint8_t digest[SHA384_SIZE];
    const DpeCertifyKeyRsp *key;
    const char *what;
    uint32_t status;

    put("Attestation of a blob:\n");
    put_name("blob");
    put(blob);
    key = attest(digest, &what, &status);
    if (!key) {
        put_attest_failure(what, status);
        return;
    }
    put_name("SHA-384");
    put_bytes(digest, sizeof(digest));
    put("\n");
    put("DPE certificate:\n");
    put_certificate(key->cert, key->cert_size);
}

/* ---- on less than a screen ---- */

/* The first bytes of a digest are enough to tell it from others */
#define DIGEST_BYTES_SHOWN  16

static void put_digest(const uint8_t *digest)
{
    put_bytes(digest, DIGEST_BYTES_SHOWN);
    put("..");
}

/* of a digest in hash words */
static void put_digest_words(const uint32_t *words)
{
    unsigned i;

    for (i = 0; i < DIGEST_BYTES_SHOWN / 4; i++) {
        put_digits(words[i], 8);
    }
    put("..");
}

static bool ask_quietly(const char *name, uint32_t cmd)
{
    MboxResult result = mbox_query(cmd);

    if (result == MBOX_DATA_READY) {
        return true;
    }
    put("  ");
    put_failure(name, result);
    return false;
}

static void summarize_firmware(void)
{
    uint32_t rom_fmc, rt;

    if (!ask_quietly("VERSION", CMD_VERSION)) {
        return;
    }
    rom_fmc = mbox_rsp[4];
    rt = mbox_rsp[5];
    if (!ask_quietly("FW_INFO", CMD_FW_INFO)) {
        return;
    }
    put_name("ROM");
    put_rom_version(rom_fmc);
    put("\n");
    put_name("FMC");
    put_fmc_version(rom_fmc);
    put(", SVN ");
    put_dec(mbox_rsp[5]);
    put(", ");
    put_digest_words(&mbox_rsp[30]);
    put("\n");
    put_name("runtime");
    put_runtime_version(rt);
    put(", SVN ");
    put_dec(mbox_rsp[3]);
    put(", ");
    put_digest_words(&mbox_rsp[42]);
    put("\n");
    put_name("owner's keys");
    put_digest_words(&mbox_rsp[54]);
    put("\n");
}

static void summarize_chain(void)
{
    static const struct {
        const char *name;
        uint32_t cmd;
    } certs[] = {
        { "LDevID", CMD_GET_LDEV_CERT },
        { "FMC alias", CMD_GET_FMC_ALIAS_CERT },
        { "RT alias", CMD_GET_RT_ALIAS_CERT },
    };
    uint32_t len[ARRAY_SIZE(certs)];
    size_t i;

    for (i = 0; i < ARRAY_SIZE(certs); i++) {
        if (!ask_quietly(certs[i].name, certs[i].cmd)) {
            return;
        }
        len[i] = mbox_rsp[2];
    }
    put_name("certificates");
    for (i = 0; i < ARRAY_SIZE(certs); i++) {
        put(certs[i].name);
        put_char(' ');
        put_dec(len[i]);
        put(i + 1 < ARRAY_SIZE(certs) ? ", " : " bytes\n");
    }
}

static void summarize_attestation(void)
{
    uint8_t digest[SHA384_SIZE];
    const DpeCertifyKeyRsp *key;
    const char *what;
    uint32_t status;

    key = attest(digest, &what, &status);
    if (!key) {
        put("  ");
        put_attest_failure(what, status);
        return;
    }
    put_name("blob");
    put_digest(digest);
    put("\n");
    put_name("attested by the DPE");
    put("certificate of ");
    put_dec(key->cert_size);
    put(" bytes\n");
}

void report(bool certs)
{
    uint32_t ctrl = read32(SCU1_CPTRA_CTRL);

    if (certs) {
        put("SCU1 0x130:\n");
        put_name("CPTRA_CTRL");
        put_hex(ctrl);
        put("\n");
        put_name("ready for runtime");
        put(ctrl & CPTRA_RDY_FOR_RT ? "yes\n" : "no\n");
        put("SoC interface:\n");
        put_name("CPTRA_BOOT_STATUS");
        put_hex(read32(IFC_BOOT_STATUS));
        put("\n");
        put_name("CPTRA_FLOW_STATUS");
        put_hex(read32(IFC_FLOW_STATUS));
        put("\n");
    }
    if (!(ctrl & CPTRA_RDY_FOR_RT)) {
        put("Caliptra is not ready: no command is sent\n");
    } else if (certs) {
        report_version();
        report_fw_info();
        report_capabilities();
        report_chain();
        report_attestation();
    } else {
        put(over_ipc ? "Caliptra says, through the BootMCU:\n"
                     : "Caliptra says:\n");
        summarize_firmware();
        summarize_chain();
        summarize_attestation();
    }
}
