/*
 * Try every mailbox command of the runtime from the Cortex-A35 cores
 *
 * A line for each thing that was tried; what Caliptra must answer is in the
 * runtime's README in caliptra-sw.  The order matters: the commands that take
 * something away (FIRMWARE_LOAD, DestroyContext, DISABLE_ATTESTATION,
 * SHUTDOWN) come last.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

/* Error numbers (caliptra-sw error/src/lib.rs) */
#define DRIVER_ECC384_SCALAR_RANGE_CHECK_FAILED     0x0005000F
#define IMAGE_VERIFIER_ERR_MANIFEST_MARKER_MISMATCH 0x000B0001
#define RUNTIME_UNIMPLEMENTED_COMMAND               0x000E0002
#define RUNTIME_INSUFFICIENT_MEMORY                 0x000E0003
#define RUNTIME_ECDSA_VERIFY_FAILED                 0x000E0004
#define RUNTIME_INVALID_CHECKSUM                    0x000E0005
#define RUNTIME_SHUTDOWN                            0x000E0008
#define RUNTIME_MAILBOX_INVALID_PARAMS              0x000E0009
#define RUNTIME_SELF_TEST_IN_PROGRESS               0x000E0011
#define RUNTIME_SELF_TEST_NOT_STARTED               0x000E0012
#define RUNTIME_IDEV_CERT_POPULATION_FAILED         0x000E001C
#define RUNTIME_TAGGING_FAILURE                     0x000E001E
#define RUNTIME_DUPLICATE_TAG                       0x000E001F
#define RUNTIME_DPE_COMMAND_DESERIALIZATION_FAILED  0x000E0027
#define RUNTIME_PCR_RESERVED                        0x000E003C
#define RUNTIME_PCR_INVALID_INDEX                   0x000E003D
#define RUNTIME_DMTF_DEVICE_INFO_VALIDATION_FAILED  0x000E003E
#define RUNTIME_CERTIFY_KEY_EXTENDED_FAILED         0x000E0040
#define RUNTIME_LMS_VERIFY_FAILED                   0x000E0042
#define RUNTIME_LMS_VERIFY_INVALID_LMS_ALGORITHM    0x000E0043
#define RUNTIME_INVALID_AUTH_MANIFEST_MARKER        0x000E0045
#define RUNTIME_AUTH_AND_STASH_UNSUPPORTED_IMAGE_SOURCE 0x000E004E
#define RUNTIME_GET_IDEV_ID_UNPROVISIONED           0x000E0051
#define RUNTIME_SIGN_WITH_EXPORTED_ECDSA_KEY_DERIVATION_FAILED 0x000E0054

/* Status of the DPE (DPE specification, response codes) */
#define DPE_INVALID_ARGUMENT        3
#define DPE_INVALID_HANDLE          0x1000
#define DPE_CERTIFICATE_CHAIN_ERROR 0x01000001

#define DPE_VENDOR_CALIPTRA         0x43545241

/* AUTHORIZE_AND_STASH (caliptra-sw runtime README) */
#define IMAGE_AUTHORIZED            0xDEADC0DE
#define IMAGE_NOT_AUTHORIZED        0x21523F21
#define IMAGE_HASH_MISMATCH         0x8BFB95CB
#define AUTH_SKIP_STASH             1
#define AUTH_SOURCE_IN_REQUEST      1

/* CERTIFY_KEY_EXTENDED */
#define CERTIFY_DMTF_OTHER_NAME     (1u << 31)

/* INVOKE_DPE_COMMAND */
#define DPE_INITIALIZE_SIMULATION   (1u << 31)
#define DPE_ROTATE_TO_DEFAULT       (1u << 31)

#define PCR_COUNT       32
#define PCR_FREE        4   /* the first that a command may extend */
#define PCR_STASH       31
#define CERT_MAX        2048
#define POPULATE_MAX    1024
#define NONCE_SIZE      32

typedef struct Cert {
    uint8_t der[CERT_MAX];
    size_t len;
    X509 x;
} Cert;

/* The end of SHA-384's and SHA-512's "abc" examples (FIPS 180) */
static const uint8_t sha384_abc[] = {
    0xcb, 0x00, 0x75, 0x3f, 0x45, 0xa3, 0x5e, 0x8b, 0xb5, 0xa0, 0x3d, 0x69,
    0x9a, 0xc6, 0x50, 0x07, 0x27, 0x2c, 0x32, 0xab, 0x0e, 0xde, 0xd1, 0x63,
    0x1a, 0x8b, 0x60, 0x5a, 0x43, 0xff, 0x5b, 0xed, 0x80, 0x86, 0x07, 0x2b,
    0xa1, 0xe7, 0xcc, 0x23, 0x58, 0xba, 0xec, 0xa1, 0x34, 0xc8, 0x25, 0xa7,
};
static const uint8_t sha512_abc[] = {
    0xdd, 0xaf, 0x35, 0xa1, 0x93, 0x61, 0x7a, 0xba, 0xcc, 0x41, 0x73, 0x49,
    0xae, 0x20, 0x41, 0x31, 0x12, 0xe6, 0xfa, 0x4e, 0x89, 0xa9, 0x7e, 0xa2,
    0x0a, 0x9e, 0xee, 0xe6, 0x4b, 0x55, 0xd3, 0x9a, 0x21, 0x92, 0x99, 0x2a,
    0x27, 0x4f, 0xc1, 0xa8, 0x36, 0xba, 0x3c, 0x23, 0xa3, 0xfe, 0xeb, 0xbd,
    0x45, 0x4d, 0x44, 0x23, 0x64, 0x3c, 0xe8, 0x0e, 0x2a, 0x9a, 0xc9, 0x4f,
    0xa5, 0x4c, 0xa4, 0x9f,
};

static unsigned passed, failed;

static uint8_t idevid_point[P384_POINT_SIZE];
static Cert ldevid, fmc_alias, rt_alias;

/* of the payload message, for ECDSA, LMS and the manifest */
static uint8_t digest[SHA384_SIZE];

/* ---- verdicts ---- */

static const char *command_name(uint32_t cmd)
{
    static const struct {
        uint32_t cmd;
        const char *name;
    } names[] = {
        { CMD_VERSION, "VERSION" },
        { CMD_SELF_TEST_START, "SELF_TEST_START" },
        { CMD_SELF_TEST_GET_RESULTS, "SELF_TEST_GET_RESULTS" },
        { CMD_SHUTDOWN, "SHUTDOWN" },
        { CMD_CAPABILITIES, "CAPABILITIES" },
        { CMD_FIRMWARE_LOAD, "FIRMWARE_LOAD" },
        { CMD_STASH_MEASUREMENT, "STASH_MEASUREMENT" },
        { CMD_GET_IDEV_CERT, "GET_IDEV_CERT" },
        { CMD_GET_IDEV_INFO, "GET_IDEV_INFO" },
        { CMD_GET_IDEV_CSR, "GET_IDEV_CSR" },
        { CMD_POPULATE_IDEV_CERT, "POPULATE_IDEV_CERT" },
        { CMD_GET_LDEV_CERT, "GET_LDEV_CERT" },
        { CMD_GET_FMC_ALIAS_CERT, "GET_FMC_ALIAS_CERT" },
        { CMD_GET_FMC_ALIAS_CSR, "GET_FMC_ALIAS_CSR" },
        { CMD_GET_RT_ALIAS_CERT, "GET_RT_ALIAS_CERT" },
        { CMD_ECDSA384_SIGNATURE_VERIFY, "ECDSA384_SIGNATURE_VERIFY" },
        { CMD_LMS_SIGNATURE_VERIFY, "LMS_SIGNATURE_VERIFY" },
        { CMD_FW_INFO, "FW_INFO" },
        { CMD_DPE_TAG_TCI, "DPE_TAG_TCI" },
        { CMD_DPE_GET_TAGGED_TCI, "DPE_GET_TAGGED_TCI" },
        { CMD_INCREMENT_PCR_RESET_COUNTER, "INCREMENT_PCR_RESET_COUNTER" },
        { CMD_QUOTE_PCRS, "QUOTE_PCRS" },
        { CMD_EXTEND_PCR, "EXTEND_PCR" },
        { CMD_ADD_SUBJECT_ALT_NAME, "ADD_SUBJECT_ALT_NAME" },
        { CMD_CERTIFY_KEY_EXTENDED, "CERTIFY_KEY_EXTENDED" },
        { CMD_INVOKE_DPE_COMMAND, "INVOKE_DPE_COMMAND" },
        { CMD_SET_AUTH_MANIFEST, "SET_AUTH_MANIFEST" },
        { CMD_AUTHORIZE_AND_STASH, "AUTHORIZE_AND_STASH" },
        { CMD_DISABLE_ATTESTATION, "DISABLE_ATTESTATION" },
        { CMD_SIGN_WITH_EXPORTED_ECDSA, "SIGN_WITH_EXPORTED_ECDSA" },
    };
    size_t i;

    for (i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].cmd == cmd) {
            return names[i].name;
        }
    }
    return "unknown command";
}

static void verdict(const char *name, const char *what, bool good)
{
    if (good) {
        passed++;
    } else {
        failed++;
    }
    put(good ? "ok      " : "FAILED  ");
    put(name);
    put(": ");
    put(what);
}

static void check_named(const char *name, const char *what, bool good)
{
    verdict(name, what, good);
    put("\n");
}

static void check(uint32_t cmd, const char *what, bool good)
{
    check_named(command_name(cmd), what, good);
}

/* The command ended as @wanted, with @error if that is CMD_FAILURE */
static bool expect(uint32_t cmd, const char *what, MboxResult result,
                   MboxResult wanted, uint32_t error)
{
    uint32_t code = result == MBOX_CMD_FAILURE ? mbox_error() : 0;
    bool good = result == wanted && code == error;

    verdict(command_name(cmd), what, good);
    if (!good) {
        put(": ");
        put(mbox_result_name(result));
        put(", error ");
        put_hex(code);
    }
    put("\n");
    return good;
}

/* The command answers with @rsp_len bytes; 0: any number */
static bool answers(uint32_t cmd, const char *what, void *req, size_t len,
                    size_t rsp_len)
{
    MboxResult result = mbox_command(cmd, req, len);

    if (!expect(cmd, what, result, MBOX_DATA_READY, 0)) {
        return false;
    }
    /* the BootMCU does not tell how long the response was */
    if (rsp_len && mbox_rsp_len != rsp_len && !over_ipc) {
        check(cmd, "length of the response", false);
        return false;
    }
    return true;
}

static void refuses(uint32_t cmd, const char *what, void *req, size_t len,
                    uint32_t error)
{
    expect(cmd, what, mbox_command(cmd, req, len), MBOX_CMD_FAILURE, error);
}

/* A wrong length, which the BootMCU would not send */
static void refuses_length(uint32_t cmd, void *req, size_t len,
                           uint32_t error)
{
    if (!over_ipc || !ipc_serves(cmd)) {
        refuses(cmd, "refused, wrong length", req, len, error);
    }
}

/* The same for a command whose request is the checksum only */
static bool query(uint32_t cmd, const char *what, size_t rsp_len)
{
    uint32_t chksum;

    return answers(cmd, what, &chksum, sizeof(chksum), rsp_len);
}

static void query_refused(uint32_t cmd, const char *what, uint32_t error)
{
    uint32_t chksum;

    refuses(cmd, what, &chksum, sizeof(chksum), error);
}

/* ---- signatures ---- */

static MboxResult ecdsa_verify(const uint8_t *point, const uint8_t *r,
                               const uint8_t *s)
{
    EcdsaVerify req;

    memcpy(req.point, point, sizeof(req.point));
    memcpy(req.r, r, sizeof(req.r));
    memcpy(req.s, s, sizeof(req.s));
    return mbox_command(CMD_ECDSA384_SIGNATURE_VERIFY, &req, sizeof(req));
}

/* Is this signed with the key @point? */
static bool signed_by(const X509 *x, const uint8_t *point)
{
    uint8_t tbs_digest[SHA384_SIZE];

    return sha_hash(384, x->tbs.data, x->tbs.len, tbs_digest) &&
           ecdsa_verify(point, x->r, x->s) == MBOX_DATA_READY;
}

/* The certificate or request that begins at @rsp of the response */
static bool keep_cert(Cert *cert, const void *rsp, size_t len)
{
    if (len > sizeof(cert->der)) {
        return false;
    }
    memcpy(cert->der, rsp, len);
    cert->len = len;
    return x509_parse(&cert->x, cert->der, cert->len);
}

static bool same_name(Der a, Der b)
{
    return a.len == b.len && !memcmp(a.data, b.data, a.len);
}

/* ---- who Caliptra is ---- */

static void check_versions(void)
{
    if (query(CMD_VERSION, "answers", 36)) {
        check(CMD_VERSION, "is called Caliptra RTM",
              !memcmp(&mbox_rsp[6], "Caliptra RTM", 12));
    }
    if (query(CMD_CAPABILITIES, "answers", 24)) {
        /* bit 64 of a big-endian number: the runtime's base */
        check(CMD_CAPABILITIES, "has the runtime's base",
              ((uint8_t *)&mbox_rsp[2])[7] == 1);
    }
    if (query(CMD_FW_INFO, "answers", 264)) {
        check(CMD_FW_INFO, "attestation is enabled", mbox_rsp[6] == 0);
    }
}

static void check_cert(uint32_t cmd, Cert *cert, const uint8_t *issuer_point,
                       const Der *issuer)
{
    if (!query(cmd, "answers", 0)) {
        return;
    }
    check(cmd, "is a certificate",
          (mbox_rsp_len == 12 + mbox_rsp[2] || over_ipc) &&
          keep_cert(cert, &mbox_rsp[3], mbox_rsp[2]));
    check(cmd, "has its issuer's name",
          !issuer || same_name(cert->x.issuer, *issuer));
    check(cmd, "has its issuer's signature",
          signed_by(&cert->x, issuer_point));
}

static void check_csr(uint32_t cmd, Cert *csr)
{
    check(cmd, "is a request", keep_cert(csr, &mbox_rsp[3], mbox_rsp[2]));
    check(cmd, "is signed with its own key", signed_by(&csr->x, csr->x.point));
}

static void check_identity(void)
{
    static Cert csr;
    uint32_t req[2] = { };
    MboxResult result;

    if (query(CMD_GET_IDEV_INFO, "answers", 104)) {
        memcpy(idevid_point, &mbox_rsp[2], sizeof(idevid_point));
    }
    check_cert(CMD_GET_LDEV_CERT, &ldevid, idevid_point, NULL);
    check_cert(CMD_GET_FMC_ALIAS_CERT, &fmc_alias, ldevid.x.point,
               &ldevid.x.subject);
    check_cert(CMD_GET_RT_ALIAS_CERT, &rt_alias, fmc_alias.x.point,
               &fmc_alias.x.subject);

    if (query(CMD_GET_FMC_ALIAS_CSR, "answers", 524)) {
        check_csr(CMD_GET_FMC_ALIAS_CSR, &csr);
        check(CMD_GET_FMC_ALIAS_CSR, "has the FMC alias key",
              !memcmp(csr.x.point, fmc_alias.x.point, P384_POINT_SIZE));
    }

    /* made only when the manufacturer asked for it at the cold boot */
    result = mbox_query(CMD_GET_IDEV_CSR);
    if (result == MBOX_DATA_READY) {
        check_csr(CMD_GET_IDEV_CSR, &csr);
        check(CMD_GET_IDEV_CSR, "has the IDevID key",
              !memcmp(csr.x.point, idevid_point, P384_POINT_SIZE));
    } else {
        expect(CMD_GET_IDEV_CSR, "refused, none was made", result,
               MBOX_CMD_FAILURE, RUNTIME_GET_IDEV_ID_UNPROVISIONED);
    }
    refuses_length(CMD_GET_IDEV_CSR, req, sizeof(req),
                   RUNTIME_MAILBOX_INVALID_PARAMS);
}

/* Let Caliptra put the LDevID certificate together again */
static void check_idev_cert(void)
{
    static struct {
        uint32_t chksum;
        uint32_t tbs_size;
        uint8_t r[P384_SIZE];
        uint8_t s[P384_SIZE];
        uint8_t tbs[916];
    } get;
    static struct {
        uint32_t chksum;
        uint32_t cert_size;
        uint8_t cert[POPULATE_MAX];
    } populate;

    if (ldevid.x.tbs.len > sizeof(get.tbs)) {
        check(CMD_GET_IDEV_CERT, "needs the LDevID certificate", false);
        return;
    }
    get.tbs_size = ldevid.x.tbs.len;
    memcpy(get.r, ldevid.x.r, P384_SIZE);
    memcpy(get.s, ldevid.x.s, P384_SIZE);
    memcpy(get.tbs, ldevid.x.tbs.data, ldevid.x.tbs.len);
    if (answers(CMD_GET_IDEV_CERT, "answers", &get, sizeof(get), 0)) {
        check(CMD_GET_IDEV_CERT, "puts a signature on a TBS",
              mbox_rsp[2] == ldevid.len &&
              !memcmp(&mbox_rsp[3], ldevid.der, ldevid.len));
    }
    get.tbs_size = sizeof(get.tbs) + 1;
    refuses(CMD_GET_IDEV_CERT, "refused, TBS too long", &get,
            sizeof(get), RUNTIME_MAILBOX_INVALID_PARAMS);

    populate.cert_size = ldevid.len;
    memcpy(populate.cert, ldevid.der, ldevid.len);
    answers(CMD_POPULATE_IDEV_CERT, "answers", &populate,
            sizeof(populate), 8);
    populate.cert_size = POPULATE_MAX;
    answers(CMD_POPULATE_IDEV_CERT, "a second certificate", &populate,
            sizeof(populate), 8);
    refuses(CMD_POPULATE_IDEV_CERT, "refused, the chain is full",
            &populate, sizeof(populate), RUNTIME_IDEV_CERT_POPULATION_FAILED);
}

/* ---- digests and signatures ---- */

static void check_verify(void)
{
    static const uint8_t zero[P384_SIZE];
    uint8_t hash[SHA512_SIZE];
    uint8_t *message, *lms;
    size_t len, lms_len;
    EcdsaVerify req;

    check_named("SHA accelerator", "SHA-384",
                sha_hash(384, "abc", 3, hash) &&
                !memcmp(hash, sha384_abc, SHA384_SIZE));
    /* the digest of another message is in the accelerator */
    expect(CMD_ECDSA384_SIGNATURE_VERIFY, "refused, another message",
           ecdsa_verify(idevid_point, ldevid.x.r, ldevid.x.s),
           MBOX_CMD_FAILURE, RUNTIME_ECDSA_VERIFY_FAILED);
    expect(CMD_ECDSA384_SIGNATURE_VERIFY, "refused, r is 0",
           ecdsa_verify(idevid_point, zero, ldevid.x.s), MBOX_CMD_FAILURE,
           DRIVER_ECC384_SCALAR_RANGE_CHECK_FAILED);
    refuses_length(CMD_ECDSA384_SIGNATURE_VERIFY, &req, sizeof(req) - 4,
                   RUNTIME_INSUFFICIENT_MEMORY);
    check(CMD_ECDSA384_SIGNATURE_VERIFY, "a good signature",
          signed_by(&ldevid.x, idevid_point));
    check_named("SHA accelerator", "SHA-512",
                sha_hash(512, "abc", 3, hash) &&
                !memcmp(hash, sha512_abc, SHA512_SIZE));

    message = payload(PAYLOAD_MESSAGE, &len);
    lms = payload(CMD_LMS_SIGNATURE_VERIFY, &lms_len);
    if (!message || !lms) {
        check(CMD_LMS_SIGNATURE_VERIFY, "needs its payloads", false);
        return;
    }
    refuses(CMD_LMS_SIGNATURE_VERIFY, "refused, another message", lms,
            lms_len, RUNTIME_LMS_VERIFY_FAILED);
    sha_hash(384, message, len, digest);
    answers(CMD_LMS_SIGNATURE_VERIFY, "a good signature", lms, lms_len,
            8);
    lms[4]++;
    refuses(CMD_LMS_SIGNATURE_VERIFY, "refused, unknown tree type", lms,
            lms_len, RUNTIME_LMS_VERIFY_INVALID_LMS_ALGORITHM);
}

/* ---- PCRs ---- */

typedef struct Quote {
    uint32_t chksum;
    uint32_t fips_status;
    uint8_t pcr[PCR_COUNT][SHA384_SIZE];
    uint8_t nonce[NONCE_SIZE];
    uint8_t digest[SHA384_SIZE];
    uint32_t reset_ctr[PCR_COUNT];
    uint8_t r[P384_SIZE];
    uint8_t s[P384_SIZE];
} Quote;

static const Quote *quote(void)
{
    struct {
        uint32_t chksum;
        uint8_t nonce[NONCE_SIZE];
    } req = { .nonce = "a nonce of a verifier, it is new" };

    if (!answers(CMD_QUOTE_PCRS, "answers", &req, sizeof(req),
                 sizeof(Quote))) {
        return NULL;
    }
    return (const Quote *)mbox_rsp;
}

/* PCR := SHA-384(PCR || data) */
static void extend(uint8_t *pcr, const uint8_t *data)
{
    uint8_t both[2 * SHA384_SIZE];

    memcpy(both, pcr, SHA384_SIZE);
    memcpy(both + SHA384_SIZE, data, SHA384_SIZE);
    sha_hash(384, both, sizeof(both), pcr);
}

static void check_quote(void)
{
    static Quote q;
    static struct {
        uint8_t pcr[PCR_COUNT][SHA384_SIZE];
        uint8_t nonce[NONCE_SIZE];
    } message;
    uint8_t hash[SHA384_SIZE];
    const Quote *rsp = quote();
    size_t i;

    if (!rsp) {
        return;
    }
    q = *rsp;
    memcpy(message.pcr, q.pcr, sizeof(q.pcr));
    /* the hardware takes the nonce's words last to first */
    for (i = 0; i < NONCE_SIZE; i += 4) {
        memcpy(message.nonce + i, q.nonce + NONCE_SIZE - 4 - i, 4);
    }
    check(CMD_QUOTE_PCRS, "digest of PCRs and nonce",
          sha_hash(384, &message, sizeof(message), hash) &&
          !memcmp(hash, q.digest, sizeof(hash)));
    check(CMD_QUOTE_PCRS, "signed with the FMC alias key",
          ecdsa_verify(fmc_alias.x.point, q.r, q.s) == MBOX_DATA_READY);
}

static void check_pcrs(void)
{
    struct {
        uint32_t chksum;
        uint32_t index;
        uint8_t data[SHA384_SIZE];
    } req;
    uint8_t pcr[SHA384_SIZE] = { };
    const Quote *q;

    check_quote();

    req.index = PCR_FREE;
    memcpy(req.data, sha384_abc, SHA384_SIZE);
    answers(CMD_EXTEND_PCR, "answers", &req, sizeof(req), 8);
    req.index = PCR_FREE - 1;
    refuses(CMD_EXTEND_PCR, "refused, PCR 3 is the firmware's", &req,
            sizeof(req), RUNTIME_PCR_RESERVED);
    req.index = PCR_COUNT;
    refuses(CMD_EXTEND_PCR, "refused, no such PCR", &req, sizeof(req),
            RUNTIME_PCR_INVALID_INDEX);

    req.index = PCR_FREE;
    answers(CMD_INCREMENT_PCR_RESET_COUNTER, "answers", &req, 8, 8);
    req.index = PCR_COUNT;
    refuses(CMD_INCREMENT_PCR_RESET_COUNTER, "refused, no such PCR",
            &req, 8, RUNTIME_MAILBOX_INVALID_PARAMS);

    extend(pcr, sha384_abc);
    q = quote();
    if (q) {
        check(CMD_EXTEND_PCR, "the PCR is extended",
              !memcmp(q->pcr[PCR_FREE], pcr, sizeof(pcr)));
        check(CMD_INCREMENT_PCR_RESET_COUNTER, "the counter counts",
              q->reset_ctr[PCR_FREE] == 1 && q->reset_ctr[PCR_STASH] == 0);
    }
}

static void check_stash(void)
{
    struct {
        uint32_t chksum;
        uint8_t metadata[4];
        uint8_t measurement[SHA384_SIZE];
        uint8_t context[SHA384_SIZE];
        uint32_t svn;
    } stash = { .metadata = "STSH" };
    struct {
        uint32_t chksum;
        uint8_t handle[DPE_HANDLE_SIZE];
        uint32_t tag;
    } tag = { .tag = 1 };
    struct {
        uint32_t chksum;
        uint32_t tag;
    } get = { .tag = 1 };
    uint8_t pcr[SHA384_SIZE], tci[SHA384_SIZE] = { };
    const Quote *q = quote();

    if (!q) {
        return;
    }
    memcpy(pcr, q->pcr[PCR_STASH], sizeof(pcr));
    memcpy(stash.measurement, sha384_abc, SHA384_SIZE);
    if (answers(CMD_STASH_MEASUREMENT, "answers", &stash, sizeof(stash),
                12)) {
        check(CMD_STASH_MEASUREMENT, "the DPE takes it", mbox_rsp[2] == 0);
    }
    refuses_length(CMD_STASH_MEASUREMENT, &stash, sizeof(stash) - 4,
                   RUNTIME_INSUFFICIENT_MEMORY);
    extend(pcr, sha384_abc);
    q = quote();
    check(CMD_STASH_MEASUREMENT, "extends PCR 31",
          q && !memcmp(q->pcr[PCR_STASH], pcr, sizeof(pcr)));

    answers(CMD_DPE_TAG_TCI, "answers", &tag, sizeof(tag), 8);
    refuses(CMD_DPE_TAG_TCI, "refused, the tag is in use", &tag,
            sizeof(tag), RUNTIME_DUPLICATE_TAG);
    extend(tci, sha384_abc);
    if (answers(CMD_DPE_GET_TAGGED_TCI, "answers", &get, sizeof(get),
                104)) {
        check(CMD_DPE_GET_TAGGED_TCI, "cumulative TCI",
              !memcmp(&mbox_rsp[2], tci, sizeof(tci)));
        check(CMD_DPE_GET_TAGGED_TCI, "current TCI",
              !memcmp(&mbox_rsp[14], sha384_abc, SHA384_SIZE));
    }
    get.tag = 2;
    refuses(CMD_DPE_GET_TAGGED_TCI, "refused, no such tag", &get,
            sizeof(get), RUNTIME_TAGGING_FAILURE);
}

/* ---- DPE ---- */

#define DPE(name) "INVOKE_DPE_COMMAND " #name

/* The DPE's answer, which the caller needs */
static const void *dpe(const char *name, const char *what, uint32_t id,
                       const void *body, size_t len)
{
    uint32_t status;
    const void *rsp = dpe_command(id, body, len, &status);

    verdict(name, what, rsp);
    if (!rsp) {
        put(": status ");
        put_hex(status);
    }
    put("\n");
    return rsp;
}

static void dpe_refuses(const char *name, const char *what, uint32_t id,
                        const void *body, size_t len, uint32_t expected)
{
    uint32_t status;

    check_named(name, what, !dpe_command(id, body, len, &status) &&
                            status == expected);
}

/* A leaf certificate for the default context; false if it is none */
static bool certify(Cert *leaf, const char *what)
{
    DpeCertifyKey body = { .format = DPE_FORMAT_X509, .label = "self-check" };
    const DpeCertifyKeyRsp *key = dpe(DPE(CertifyKey), what, DPE_CERTIFY_KEY,
                                      &body, sizeof(body));

    return key && keep_cert(leaf, key->cert, key->cert_size) &&
           !memcmp(leaf->x.point, key->point, P384_POINT_SIZE);
}

static void check_keys(void)
{
    static Cert leaf;
    DpeCertifyKey csr = { .format = DPE_FORMAT_CSR, .label = "self-check" };
    DpeSign sign = { .label = "self-check" };
    const DpeCertifyKeyRsp *key;
    uint8_t signature[DPE_HANDLE_SIZE + 2 * P384_SIZE];
    const uint8_t *rsp;

    check_named(DPE(CertifyKey), "is a certificate",
                certify(&leaf, "answers"));
    check_named(DPE(CertifyKey), "has its issuer's name",
                same_name(leaf.x.issuer, rt_alias.x.subject));
    check_named(DPE(CertifyKey), "has its issuer's signature",
                signed_by(&leaf.x, rt_alias.x.point));
    key = dpe(DPE(CertifyKey), "as a request", DPE_CERTIFY_KEY, &csr,
              sizeof(csr));
    check_named(DPE(CertifyKey), "the same key in the request",
                key && key->cert_size &&
                !memcmp(key->point, leaf.x.point, P384_POINT_SIZE));
    csr.format = 2;
    dpe_refuses(DPE(CertifyKey), "refused, no such format", DPE_CERTIFY_KEY,
                &csr, sizeof(csr), DPE_INVALID_ARGUMENT);

    memcpy(sign.digest, sha384_abc, SHA384_SIZE);
    rsp = dpe(DPE(Sign), "answers", DPE_SIGN, &sign, sizeof(sign));
    if (rsp) {
        memcpy(signature, rsp, sizeof(signature));
        sha_hash(384, "abc", 3, digest);
        check_named(DPE(Sign), "signed with the certified key",
                    ecdsa_verify(leaf.x.point, signature + DPE_HANDLE_SIZE,
                                 signature + DPE_HANDLE_SIZE + P384_SIZE) ==
                    MBOX_DATA_READY);
    }
}

static void check_dpe(void)
{
    DpeDeriveContext derive = {
        .flags = DPE_DERIVE_MAKE_DEFAULT | DPE_DERIVE_INPUT_ALLOW_CA |
                 DPE_DERIVE_INPUT_ALLOW_X509,
        .tci_type = FOURCC('K', 'C', 'H', 'C'),
    };
    struct {
        uint8_t handle[DPE_HANDLE_SIZE];
        uint32_t flags;
    } rotate = { };
    struct {
        uint32_t offset;
        uint32_t size;
    } chain = { .size = 2048 };
    static const uint8_t zero[DPE_HANDLE_SIZE];
    const uint32_t *word;
    const uint8_t *rsp;

    word = dpe(DPE(GetProfile), "answers", DPE_GET_PROFILE, NULL, 0);
    check_named(DPE(GetProfile), "the vendor is Caliptra",
                word && word[1] == DPE_VENDOR_CALIPTRA);

    memcpy(derive.data, sha384_abc, SHA384_SIZE);
    rsp = dpe(DPE(DeriveContext), "answers", DPE_DERIVE_CONTEXT, &derive,
              sizeof(derive));
    check_named(DPE(DeriveContext), "the child is the default context",
                rsp && !memcmp(rsp, zero, DPE_HANDLE_SIZE));
    dpe_refuses(DPE(DeriveContext), "refused, body too short",
                DPE_DERIVE_CONTEXT, &derive, sizeof(derive) - 4,
                RUNTIME_DPE_COMMAND_DESERIALIZATION_FAILED);

    check_keys();

    /* away from the default handle and back */
    rsp = dpe(DPE(RotateContextHandle), "answers", DPE_ROTATE_CONTEXT_HANDLE,
              &rotate, sizeof(rotate));
    if (rsp) {
        memcpy(rotate.handle, rsp, DPE_HANDLE_SIZE);
        dpe_refuses(DPE(DeriveContext), "refused, the handle is gone",
                    DPE_DERIVE_CONTEXT, &derive, sizeof(derive),
                    DPE_INVALID_HANDLE);
        rotate.flags = DPE_ROTATE_TO_DEFAULT;
        rsp = dpe(DPE(RotateContextHandle), "back to the default handle",
                  DPE_ROTATE_CONTEXT_HANDLE, &rotate, sizeof(rotate));
        check_named(DPE(RotateContextHandle), "the handle is the default",
                    rsp && !memcmp(rsp, zero, DPE_HANDLE_SIZE));
    }

    /* what POPULATE_IDEV_CERT put last is in front */
    word = dpe(DPE(GetCertificateChain), "answers",
               DPE_GET_CERTIFICATE_CHAIN, &chain, sizeof(chain));
    check_named(DPE(GetCertificateChain), "begins with what was put in",
                word && word[0] == 2048 &&
                !memcmp(&word[1], ldevid.der, ldevid.len) &&
                !memcmp((const uint8_t *)&word[1] + POPULATE_MAX, ldevid.der,
                        ldevid.len));
    chain.offset = 4096;
    dpe_refuses(DPE(GetCertificateChain), "refused, behind the end",
                DPE_GET_CERTIFICATE_CHAIN, &chain, sizeof(chain),
                DPE_CERTIFICATE_CHAIN_ERROR);
}

static void check_extended(void)
{
    static Cert cert;
    struct {
        uint32_t chksum;
        uint32_t size;
        uint8_t info[128];
    } name = { .size = 22, .info = "CHIPS:Caliptra:0123456" };
    struct {
        uint32_t chksum;
        uint32_t flags;
        DpeCertifyKey key;
    } req = { .key.label = "self-check" };
    /* behind the mailbox's and the DPE's headers */
    const DpeCertifyKeyRsp *key = (const DpeCertifyKeyRsp *)&mbox_rsp[5];
    size_t plain = 0;

    answers(CMD_ADD_SUBJECT_ALT_NAME, "answers", &name, sizeof(name), 8);
    name.info[0] = ':';
    refuses(CMD_ADD_SUBJECT_ALT_NAME, "refused, three colons", &name,
            sizeof(name), RUNTIME_DMTF_DEVICE_INFO_VALIDATION_FAILED);

    if (answers(CMD_CERTIFY_KEY_EXTENDED, "answers", &req, sizeof(req),
                6280)) {
        plain = key->cert_size;
    }
    req.flags = CERTIFY_DMTF_OTHER_NAME;
    if (answers(CMD_CERTIFY_KEY_EXTENDED, "with the name", &req,
                sizeof(req), 6280)) {
        check(CMD_CERTIFY_KEY_EXTENDED, "the name is in the certificate",
              key->cert_size > plain + name.size);
        check(CMD_CERTIFY_KEY_EXTENDED, "is a certificate",
              keep_cert(&cert, key->cert, key->cert_size));
        check(CMD_CERTIFY_KEY_EXTENDED, "has its issuer's signature",
              signed_by(&cert.x, rt_alias.x.point));
    }
    req.key.handle[0] = 1;
    refuses(CMD_CERTIFY_KEY_EXTENDED, "refused, no such handle", &req,
            sizeof(req), RUNTIME_CERTIFY_KEY_EXTENDED_FAILED);
}

static void check_export(void)
{
    static Cert cert;
    struct {
        uint32_t chksum;
        uint8_t exported_cdi[32];
        uint8_t tbs[SHA384_SIZE];
    } req;
    DpeDeriveContext derive = {
        .flags = DPE_DERIVE_EXPORT_CDI | DPE_DERIVE_CREATE_CERTIFICATE,
    };
    /* handle, parent's handle, then these */
    const struct {
        uint8_t exported_cdi[32];
        uint32_t cert_size;
        uint8_t cert[];
    } *exported;
    struct {
        uint8_t point[P384_POINT_SIZE];
        uint8_t r[P384_SIZE];
        uint8_t s[P384_SIZE];
    } rsp;
    const uint8_t *body;

    body = dpe(DPE(DeriveContext), "exports a CDI", DPE_DERIVE_CONTEXT,
               &derive, sizeof(derive));
    if (!body) {
        return;
    }
    exported = (const void *)(body + 2 * DPE_HANDLE_SIZE);
    memcpy(req.exported_cdi, exported->exported_cdi, 32);
    memcpy(req.tbs, sha384_abc, SHA384_SIZE);
    check_named(DPE(DeriveContext), "certifies the exported key",
                keep_cert(&cert, exported->cert, exported->cert_size) &&
                signed_by(&cert.x, rt_alias.x.point));

    if (answers(CMD_SIGN_WITH_EXPORTED_ECDSA, "answers", &req,
                sizeof(req), 200)) {
        memcpy(&rsp, &mbox_rsp[2], sizeof(rsp));
        check(CMD_SIGN_WITH_EXPORTED_ECDSA, "with the certified key",
              !memcmp(rsp.point, cert.x.point, P384_POINT_SIZE));
        sha_hash(384, "abc", 3, digest);
        check(CMD_SIGN_WITH_EXPORTED_ECDSA,
              over_ipc ? "the end of the signature is cut off"
                       : "the signature is good",
              over_ipc == (ecdsa_verify(rsp.point, rsp.r, rsp.s) !=
                           MBOX_DATA_READY));
    }
    req.exported_cdi[0] ^= 1;
    refuses(CMD_SIGN_WITH_EXPORTED_ECDSA, "refused, no such handle",
            &req, sizeof(req),
            RUNTIME_SIGN_WITH_EXPORTED_ECDSA_KEY_DERIVATION_FAILED);
}

/* ---- authorization manifest ---- */

static void check_manifest(void)
{
    struct {
        uint32_t chksum;
        uint32_t fw_id;
        uint8_t measurement[SHA384_SIZE];
        uint8_t context[SHA384_SIZE];
        uint32_t svn;
        uint32_t flags;
        uint32_t source;
    } req = {
        .fw_id = 1,
        .flags = AUTH_SKIP_STASH,
        .source = AUTH_SOURCE_IN_REQUEST,
    };
    uint8_t *message, *manifest;
    size_t len, manifest_len;

    message = payload(PAYLOAD_MESSAGE, &len);
    manifest = payload(CMD_SET_AUTH_MANIFEST, &manifest_len);
    if (!message || !manifest) {
        check(CMD_SET_AUTH_MANIFEST, "needs its payloads", false);
        return;
    }
    manifest[8] ^= 1;
    refuses(CMD_SET_AUTH_MANIFEST, "refused, no manifest", manifest,
            manifest_len, RUNTIME_INVALID_AUTH_MANIFEST_MARKER);
    manifest[8] ^= 1;
    answers(CMD_SET_AUTH_MANIFEST, "answers", manifest, manifest_len, 8);

    sha_hash(384, message, len, req.measurement);
    if (answers(CMD_AUTHORIZE_AND_STASH, "answers", &req, sizeof(req),
                12)) {
        check(CMD_AUTHORIZE_AND_STASH, "authorizes an image",
              mbox_rsp[2] == IMAGE_AUTHORIZED);
    }
    req.flags = 0;
    if (answers(CMD_AUTHORIZE_AND_STASH, "with a measurement", &req,
                sizeof(req), 12)) {
        check(CMD_AUTHORIZE_AND_STASH, "stashes the measurement",
              mbox_rsp[2] == IMAGE_AUTHORIZED);
    }
    req.measurement[0] ^= 1;
    if (answers(CMD_AUTHORIZE_AND_STASH, "another digest", &req,
                sizeof(req), 12)) {
        check(CMD_AUTHORIZE_AND_STASH, "does not authorize another digest",
              mbox_rsp[2] == IMAGE_HASH_MISMATCH);
    }
    req.fw_id = 0x1000;
    if (answers(CMD_AUTHORIZE_AND_STASH, "another image", &req,
                sizeof(req), 12)) {
        check(CMD_AUTHORIZE_AND_STASH, "does not authorize another image",
              mbox_rsp[2] == IMAGE_NOT_AUTHORIZED);
    }
    req.source = 0;
    refuses(CMD_AUTHORIZE_AND_STASH, "refused, unknown source", &req,
            sizeof(req), RUNTIME_AUTH_AND_STASH_UNSUPPORTED_IMAGE_SOURCE);
}

/* ---- what takes things away ---- */

static void check_self_test(void)
{
    Deadline end;
    MboxResult result;

    query_refused(CMD_SELF_TEST_GET_RESULTS, "refused, none was started",
                  RUNTIME_SELF_TEST_NOT_STARTED);
    query(CMD_SELF_TEST_START, "answers", 8);
    query_refused(CMD_SELF_TEST_START, "refused, one was started",
                  RUNTIME_SELF_TEST_IN_PROGRESS);
    end = deadline();
    do {
        /* the test runs while nobody has the mailbox */
        result = mbox_query(CMD_SELF_TEST_GET_RESULTS);
    } while (result == MBOX_CMD_FAILURE && !is_over(&end) &&
             mbox_error() == RUNTIME_SELF_TEST_NOT_STARTED);
    expect(CMD_SELF_TEST_GET_RESULTS, "passed", result, MBOX_DATA_READY, 0);
}

static void check_update(void)
{
    static const uint32_t rubbish[2];
    uint8_t *bundle;
    size_t len;

    bundle = payload(CMD_FIRMWARE_LOAD, &len);
    if (!bundle) {
        check(CMD_FIRMWARE_LOAD, "needs its payload", false);
        return;
    }
    expect(CMD_FIRMWARE_LOAD, "refused, no bundle",
           mbox_transfer(CMD_FIRMWARE_LOAD, rubbish, sizeof(rubbish)),
           MBOX_CMD_FAILURE, IMAGE_VERIFIER_ERR_MANIFEST_MARKER_MISMATCH);
    expect(CMD_FIRMWARE_LOAD, "takes the bundle again",
           mbox_transfer(CMD_FIRMWARE_LOAD, bundle, len), MBOX_CMD_COMPLETE,
           0);
    if (query(CMD_FW_INFO, "after the update", 264)) {
        check(CMD_FW_INFO, "attestation is still enabled", mbox_rsp[6] == 0);
    }
}

static void check_destroy(void)
{
    uint32_t flags = 0;
    uint8_t handle[DPE_HANDLE_SIZE];
    const uint8_t *rsp;

    dpe_refuses(DPE(InitializeContext), "refused, no flag",
                DPE_INITIALIZE_CONTEXT, &flags, sizeof(flags),
                DPE_INVALID_ARGUMENT);
    flags = DPE_INITIALIZE_SIMULATION;
    rsp = dpe(DPE(InitializeContext), "a simulation",
              DPE_INITIALIZE_CONTEXT, &flags, sizeof(flags));
    if (rsp) {
        memcpy(handle, rsp, sizeof(handle));
        dpe(DPE(DestroyContext), "answers", DPE_DESTROY_CONTEXT, handle,
            sizeof(handle));
        dpe_refuses(DPE(DestroyContext), "refused, it is gone",
                    DPE_DESTROY_CONTEXT, handle, sizeof(handle),
                    DPE_INVALID_HANDLE);
    }
}

static void check_disable(void)
{
    static Cert leaf;

    query(CMD_DISABLE_ATTESTATION, "answers", 8);
    if (query(CMD_FW_INFO, "answers", 264)) {
        check(CMD_DISABLE_ATTESTATION, "attestation is disabled",
              mbox_rsp[6] == 1);
    }
    check_named(DPE(CertifyKey), "is a certificate",
                certify(&leaf, "with attestation disabled"));
    check(CMD_DISABLE_ATTESTATION, "certificates are of another issuer",
          !same_name(leaf.x.issuer, rt_alias.x.subject) &&
          !signed_by(&leaf.x, rt_alias.x.point));
}

static void check_transport(void)
{
    uint32_t chksum = 0;

    query_refused(CMD_NONSENSE, "refused",
                  RUNTIME_UNIMPLEMENTED_COMMAND);
    expect(CMD_VERSION, "refused, wrong checksum",
           mbox_transfer(CMD_VERSION, &chksum, sizeof(chksum)),
           MBOX_CMD_FAILURE, RUNTIME_INVALID_CHECKSUM);
    expect(CMD_VERSION, "refused, no checksum",
           mbox_transfer(CMD_VERSION, &chksum, 0), MBOX_CMD_FAILURE,
           RUNTIME_MAILBOX_INVALID_PARAMS);
}

static void check_shutdown(void)
{
    query(CMD_SHUTDOWN, "answers", 8);
    query_refused(CMD_VERSION, "refused after SHUTDOWN",
                  RUNTIME_SHUTDOWN);
}

/* ---- through the BootMCU ---- */

#define IPC "the BootMCU's service"

/* The same response from the mailbox and from the service */
static void check_same(uint32_t cmd)
{
    static uint32_t rsp[MBOX_RSP_MAX / 4];
    size_t len;

    over_ipc = false;
    if (query(cmd, "from the mailbox", 0)) {
        len = mbox_rsp_len;
        memcpy(rsp, mbox_rsp, len);
        over_ipc = true;
        if (query(cmd, "from the BootMCU", 0)) {
            check(cmd, "is the same",
                  mbox_rsp_len >= len && !memcmp(rsp, mbox_rsp, len));
        }
    }
    over_ipc = true;
}

/* Not all releases have this command */
static void check_revoke(void)
{
    struct {
        uint32_t chksum;
        uint8_t exported_cdi[32];
    } req = { };
    MboxResult direct;

    over_ipc = false;
    direct = mbox_command(CMD_REVOKE_EXPORTED_CDI_HANDLE, &req, sizeof(req));
    over_ipc = true;
    check_named("REVOKE_EXPORTED_CDI_HANDLE", "refused, as by the mailbox",
                direct == MBOX_CMD_FAILURE &&
                mbox_command(CMD_REVOKE_EXPORTED_CDI_HANDLE, &req,
                             sizeof(req)) == direct);
}

static void check_service(void)
{
    check_named(IPC, "refuses a command that there is not",
                ipc_request(32, 0, 0) == IPC_INVALID);
    check_named(IPC, "refuses addresses of no memory",
                ipc_request(1, 0, 0) == IPC_INVALID &&
                ipc_request(17, 0, 0x7FFFFFFC) == IPC_INVALID &&
                ipc_request(6, 0x7FFF0000, 0x20000) == IPC_INVALID);
    check_named(IPC, "refuses a firmware of another size",
                ipc_request(6, 0xB1880000, 0x10000) == IPC_INVALID);
    check_same(CMD_VERSION);
    check_same(CMD_CAPABILITIES);
    check_same(CMD_FW_INFO);
    check_same(CMD_GET_IDEV_INFO);
    check_same(CMD_GET_LDEV_CERT);
    check_same(CMD_GET_FMC_ALIAS_CERT);
    check_same(CMD_GET_RT_ALIAS_CERT);
    check_same(CMD_GET_FMC_ALIAS_CSR);
    check_revoke();
}

static void check_drivers(void)
{
    const char *name;
    unsigned i, answers;

    for (i = 0; answers = ipc_answers(i, &name), name; i++) {
        verdict("driver", name, answers > 0);
        put(": ");
        put_dec(answers);
        put(" answers\n");
    }
}

void self_check(void)
{
    if (over_ipc) {
        check_service();
        /* and then everything with the new firmware */
        check_update();
    }
    check_versions();
    if (!over_ipc) {
        check_transport();
    }
    check_identity();
    check_idev_cert();
    check_verify();
    check_pcrs();
    check_stash();
    check_dpe();
    check_extended();
    check_export();
    check_manifest();
    check_self_test();
    check_update();
    check_destroy();
    check_disable();
    check_shutdown();
    if (over_ipc) {
        check_drivers();
    }
    put("self-check: ");
    put_dec(passed);
    put(" passed, ");
    put_dec(failed);
    put(" failed\n");
}
