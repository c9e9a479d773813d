/*
 * What a guest sees of Caliptra's speed
 *
 * Measured with the generic timer, which under TCG follows the host's time.
 * Prints lines "NAME COUNT TICKS", then "frequency HZ".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

/* Caliptra's SoC interface (caliptra-rtl soc_ifc_external_reg.rdl) */
#define IFC_FLOW_STATUS 0x14C7003C

#define FIFO_BYTES      0x20000 /* the mailbox's SRAM */
#define SHA_BYTES       0x40000
#define READS           0x10000
#define COMMANDS        25

/* in the request of LMS_SIGNATURE_VERIFY: type of the key's tree, 4 bytes */
#define LMS_REQ_TREE_TYPE   4

static void result(const char *name, uint32_t count, uint64_t ticks)
{
    put(name);
    put(" ");
    put_dec(count);
    put(" ");
    put_dec(ticks);
    put("\n");
}

static void failed(const char *name)
{
    put("failed ");
    put(name);
    put("\n");
}

/* ---- commands; each returns whether it was answered ---- */

static bool verify(uint32_t cmd)
{
    size_t len;
    uint8_t *req = payload(cmd, &len);

    return req && mbox_command(cmd, req, len) == MBOX_DATA_READY;
}

static bool ecdsa(void)
{
    return verify(CMD_ECDSA384_SIGNATURE_VERIFY);
}

static bool lms(void)
{
    return verify(CMD_LMS_SIGNATURE_VERIFY);
}

/* The request with a byte damaged: whether it is refused */
static bool lms_damaged(bool last)
{
    size_t len, at;
    uint8_t *req = payload(CMD_LMS_SIGNATURE_VERIFY, &len);
    bool refused;

    if (!req || len <= LMS_REQ_TREE_TYPE) {
        return false;
    }
    at = last ? len - 1 : LMS_REQ_TREE_TYPE;
    req[at] ^= 0xFF;
    refused = mbox_command(CMD_LMS_SIGNATURE_VERIFY, req, len) ==
              MBOX_CMD_FAILURE;
    req[at] ^= 0xFF;
    return refused;
}

/* in the last node of the path: found when all has been hashed */
static bool lms_wrong(void)
{
    return lms_damaged(true);
}

/* in the type of the tree: found before anything is hashed */
static bool lms_refused(void)
{
    return lms_damaged(false);
}

static bool dpe(uint32_t id, const void *body, size_t len)
{
    uint32_t status;

    return dpe_command(id, body, len, &status) && status == 0;
}

static bool dpe_sign(void)
{
    static const DpeSign sign;

    return dpe(DPE_SIGN, &sign, sizeof(sign));
}

static bool dpe_certify(void)
{
    static const DpeCertifyKey certify = { .format = DPE_FORMAT_X509 };

    return dpe(DPE_CERTIFY_KEY, &certify, sizeof(certify));
}

static bool quote_pcrs(void)
{
    struct {
        uint32_t chksum;
        uint8_t nonce[32];
    } req = { 0 };

    return mbox_command(CMD_QUOTE_PCRS, &req, sizeof(req)) == MBOX_DATA_READY;
}

static bool fw_info(void)
{
    return mbox_query(CMD_FW_INFO) == MBOX_DATA_READY;
}

static bool set_auth_manifest(void)
{
    size_t len;
    uint8_t *req = payload(CMD_SET_AUTH_MANIFEST, &len);
    MboxResult status;

    if (!req) {
        return false;
    }
    status = mbox_command(CMD_SET_AUTH_MANIFEST, req, len);
    return status == MBOX_DATA_READY || status == MBOX_CMD_COMPLETE;
}

/* one more in the chain of default contexts */
static bool dpe_derive(void)
{
    static const DpeDeriveContext derive = {
        .flags = DPE_DERIVE_MAKE_DEFAULT | DPE_DERIVE_INPUT_ALLOW_X509,
    };

    return dpe(DPE_DERIVE_CONTEXT, &derive, sizeof(derive));
}

static const struct {
    uint32_t tag;
    const char *name;
    bool (*run)(void);
} commands[] = {
    { CMD_ECDSA384_SIGNATURE_VERIFY, "ecdsa", ecdsa },
    { CMD_LMS_SIGNATURE_VERIFY, "lms", lms },
    { FOURCC('L', 'M', 'S', 'W'), "lms-wrong", lms_wrong },
    { FOURCC('L', 'M', 'S', 'R'), "lms-refused", lms_refused },
    { FOURCC('S', 'I', 'G', 'N'), "sign", dpe_sign },
    { FOURCC('C', 'E', 'R', 'T'), "certify", dpe_certify },
    { CMD_QUOTE_PCRS, "quote", quote_pcrs },
    { CMD_FW_INFO, "info", fw_info },
    { CMD_SET_AUTH_MANIFEST, "manifest", set_auth_manifest },
    { FOURCC('D', 'R', 'V', 'C'), "derive", dpe_derive },
};

static void time_command(unsigned i, uint32_t count)
{
    uint64_t start = now();
    uint32_t n;

    for (n = 0; n < count; n++) {
        if (!commands[i].run()) {
            failed(commands[i].name);
            return;
        }
    }
    result(commands[i].name, count, now() - start);
}

/* the digest that ECDSA and LMS verify */
static void load_digest(void)
{
    uint8_t digest[SHA384_SIZE];
    size_t len;
    uint8_t *message = payload(PAYLOAD_MESSAGE, &len);

    if (message) {
        sha_hash(384, message, len, digest);
    }
}

/* commands in an order that is given: pairs of which one and how often */
static void repeat(const uint32_t *what, size_t len)
{
    unsigned i;

    for (; len >= 8; what += 2, len -= 8) {
        for (i = 0; i < ARRAY_SIZE(commands); i++) {
            if (commands[i].tag == what[0]) {
                time_command(i, what[1]);
            }
        }
    }
}

static uint64_t time_reads(uintptr_t addr, uint32_t count)
{
    uint64_t start = now();

    for (; count; count--) {
        read32(addr);
    }
    return now() - start;
}

static void registers(uintptr_t store)
{
    const void *data = (const void *)PAYLOADS;
    uint8_t digest[SHA384_SIZE];
    uint64_t start;

    result("fifo-limit", FIFO_BYTES, time_writes(store, FIFO_BYTES));
    result("fifo", FIFO_BYTES, mbox_time_fifo(FIFO_BYTES));

    start = now();
    write_stream(store, data, SHA_BYTES);
    result("sha-limit", SHA_BYTES, now() - start);
    start = now();
    sha_hash(384, data, SHA_BYTES, digest);
    result("sha", SHA_BYTES, now() - start);

    result("read-limit", READS, time_reads(store, READS));
    result("read", READS, time_reads(IFC_FLOW_STATUS, READS));
}

void bench(void)
{
    uint64_t frequency;
    size_t store_len, len = 0;
    uint8_t *store = payload(PAYLOAD_STORE, &store_len);
    uint8_t *what = payload(PAYLOAD_REPEAT, &len);
    unsigned i;

    if (store) {
        registers(*(const uint64_t *)store);
    }
    load_digest();
    if (what) {
        repeat((const uint32_t *)what, len);
    } else {
        /* those before the commands that change what the others find */
        for (i = 0; commands[i].tag != CMD_FW_INFO; i++) {
            time_command(i, COMMANDS);
        }
    }

    asm volatile("mrs %0, cntfrq_el0" : "=r"(frequency));
    put("frequency ");
    put_dec(frequency);
    put("\n");
}
