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
    put("\n");
}

static void report_version(void)
{
    uint32_t rom_fmc, rt;

    if (!ask("VERSION", CMD_VERSION)) {
        return;
    }
    rom_fmc = mbox_rsp[4];
    rt = mbox_rsp[5];
    put_name("name");
    mbox_rsp[9] = 0;
    put((const char *)&mbox_rsp[6]);
    put("\n");
    put_name("hardware");
    put_hex(mbox_rsp[3]);
    put("\n");
    /* ROM and FMC pack major, minor, patch into 5, 5 and 6 bits */
    put_name("ROM");
    put_version(rom_fmc >> 11 & 31, rom_fmc >> 6 & 31, rom_fmc & 63);
    put_name("FMC");
    put_version(rom_fmc >> 27, rom_fmc >> 22 & 31, rom_fmc >> 16 & 63);
    put_name("runtime");
    put_version(rt >> 24, rt >> 16 & 0xFF, rt & 0xFFFF);
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

/* Measure a blob into the DPE, and have a key certified for it */
static void report_attestation(void)
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
    const DpeCertifyKeyRsp *key;
    uint32_t status;

    put("Attestation of a blob:\n");
    put_name("blob");
    put(blob);
    if (!sha_hash(384, blob, sizeof(blob) - 1, derive.data)) {
        put("the SHA accelerator does not answer\n");
        return;
    }
    put_name("SHA-384");
    put_bytes(derive.data, sizeof(derive.data));
    put("\n");
    if (!dpe_command(DPE_DERIVE_CONTEXT, &derive, sizeof(derive), &status)) {
        put("DeriveContext fails, error ");
        put_hex(status);
        put("\n");
        return;
    }
    key = dpe_command(DPE_CERTIFY_KEY, &certify, sizeof(certify), &status);
    if (!key) {
        put("CertifyKey fails, error ");
        put_hex(status);
        put("\n");
        return;
    }
    put("DPE certificate:\n");
    put_certificate(key->cert, key->cert_size);
}

void report(void)
{
    uint32_t ctrl = read32(SCU1_CPTRA_CTRL);

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
    if (!(ctrl & CPTRA_RDY_FOR_RT)) {
        put("no command is sent\n");
        return;
    }
    report_version();
    report_fw_info();
    report_capabilities();
    report_chain();
    report_attestation();
}
