/*
 * Caliptra as software on the Cortex-A35 cores uses it
 *
 * Mailbox and SHA accelerator are described in the Caliptra integration
 * specification, their registers in caliptra-rtl mbox_csr.rdl and
 * sha512_acc_external_csr.rdl, the commands in docs/specs/caliptra.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

#define MBOX_LOCK       0x14C60000
#define MBOX_CMD        0x14C60008
#define MBOX_DLEN       0x14C6000C
#define MBOX_DATAIN     0x14C60010
#define MBOX_DATAOUT    0x14C60014
#define MBOX_EXECUTE    0x14C60018
#define MBOX_STATUS     0x14C6001C
#define MBOX_STATUS_STATUS  0xF

#define SHA_LOCK        0x14C61000
#define SHA_MODE        0x14C61008
#define SHA_DLEN        0x14C61010
#define SHA_DATAIN      0x14C61014
#define SHA_EXECUTE     0x14C61018
#define SHA_STATUS      0x14C6101C
#define SHA_STATUS_VALID    1
#define SHA_DIGEST      0x14C61020
#define SHA_MODE_STREAM_384 0
#define SHA_MODE_STREAM_512 1

#define IFC_FW_ERROR_FATAL      0x14C70008
#define IFC_FW_ERROR_NON_FATAL  0x14C7000C

/* Headers of the DPE's commands and responses (DPE profile 4: P-384) */
#define DPE_COMMAND_MAGIC   FOURCC('D', 'P', 'E', 'C')
#define DPE_RESPONSE_MAGIC  FOURCC('D', 'P', 'E', 'R')
#define DPE_PROFILE_P384    4
#define DPE_BODY_MAX        500

typedef struct DpeRequest {
    uint32_t chksum;
    uint32_t data_size;
    uint32_t magic;
    uint32_t id;
    uint32_t profile;
    uint8_t body[DPE_BODY_MAX];
} DpeRequest;

typedef struct DpeResponse {
    uint32_t chksum;
    uint32_t fips_status;
    uint32_t data_size;
    uint32_t magic;
    uint32_t status;
    uint32_t profile;
    uint8_t body[];
} DpeResponse;

uint32_t mbox_rsp[MBOX_RSP_MAX / 4];
size_t mbox_rsp_len;

bool over_ipc;

static uint32_t sum_bytes(const void *data, size_t len)
{
    const uint8_t *byte = data;
    uint32_t sum = 0;

    while (len--) {
        sum += *byte++;
    }
    return sum;
}

static void fetch_response(void)
{
    size_t i;

    mbox_rsp_len = read32(MBOX_DLEN);
    if (mbox_rsp_len > MBOX_RSP_MAX) {
        mbox_rsp_len = MBOX_RSP_MAX;
    }
    for (i = 0; 4 * i < mbox_rsp_len; i++) {
        mbox_rsp[i] = read32(MBOX_DATAOUT);
    }
}

static bool begin(uint32_t cmd, size_t len)
{
    mbox_rsp_len = 0;
    if (!wait_for(MBOX_LOCK, 1, 0)) {
        return false;
    }
    write32(MBOX_CMD, cmd);
    write32(MBOX_DLEN, len);
    return true;
}

static MboxResult finish(void)
{
    Deadline end = deadline();
    uint32_t status;

    write32(MBOX_EXECUTE, 1);
    do {
        status = read32(MBOX_STATUS) & MBOX_STATUS_STATUS;
    } while (status == MBOX_CMD_BUSY && !is_over(&end));

    if (status == MBOX_CMD_BUSY) {
        status = MBOX_NO_ANSWER;
    } else if (status == MBOX_DATA_READY) {
        fetch_response();
    }
    write32(MBOX_EXECUTE, 0);
    return status;
}

MboxResult mbox_transfer(uint32_t cmd, const void *data, size_t len)
{
    const uint32_t *word = data;
    size_t i;

    if (over_ipc && ipc_serves(cmd)) {
        /* the BootMCU puts the checksum in front */
        return cmd == CMD_FIRMWARE_LOAD ? ipc_transfer(cmd, word, len)
                                        : ipc_transfer(cmd, word + 1, len - 4);
    }
    if (!begin(cmd, len)) {
        return MBOX_NO_LOCK;
    }
    for (i = 0; 4 * i < len; i++) {
        write32(MBOX_DATAIN, word[i]);
    }
    return finish();
}

uint64_t time_writes(uintptr_t addr, size_t len)
{
    uint64_t start = now();
    size_t i;

    for (i = 0; i < len; i += 4) {
        write32(addr, 0);
    }
    return now() - start;
}

uint64_t mbox_time_fifo(size_t len)
{
    uint64_t ticks;

    /* this length is wrong for it: Caliptra refuses */
    if (!begin(CMD_GET_IDEV_CSR, len)) {
        return 0;
    }
    ticks = time_writes(MBOX_DATAIN, len);
    finish();
    return ticks;
}

MboxResult mbox_command(uint32_t cmd, void *req, size_t len)
{
    uint32_t *chksum = req;
    MboxResult result;

    *chksum = 0;
    *chksum = -(sum_bytes(&cmd, sizeof(cmd)) + sum_bytes(req, len));
    result = mbox_transfer(cmd, req, len);
    if (over_ipc && cmd == CMD_SIGN_WITH_EXPORTED_ECDSA) {
        /* the BootMCU cuts this response short */
        return result;
    }
    if (result == MBOX_DATA_READY &&
        mbox_rsp[0] + sum_bytes(mbox_rsp + 1, mbox_rsp_len - 4) != 0) {
        result = MBOX_BAD_CHECKSUM;
    }
    return result;
}

MboxResult mbox_query(uint32_t cmd)
{
    uint32_t chksum;

    return mbox_command(cmd, &chksum, sizeof(chksum));
}

const char *mbox_result_name(MboxResult result)
{
    static const char *const names[] = {
        [MBOX_CMD_BUSY] = "CMD_BUSY",
        [MBOX_DATA_READY] = "DATA_READY",
        [MBOX_CMD_COMPLETE] = "CMD_COMPLETE",
        [MBOX_CMD_FAILURE] = "CMD_FAILURE",
        [MBOX_NO_LOCK] = "the mailbox is taken",
        [MBOX_NO_ANSWER] = "no answer",
        [MBOX_BAD_CHECKSUM] = "wrong checksum",
    };

    return result < ARRAY_SIZE(names) ? names[result] : "strange status";
}

uint32_t mbox_error(void)
{
    uint32_t fatal = read32(IFC_FW_ERROR_FATAL);

    return fatal ? fatal : read32(IFC_FW_ERROR_NON_FATAL);
}

void write_stream(uintptr_t addr, const void *data, size_t len)
{
    const uint8_t *byte = data;
    uint32_t word;
    size_t i = 0;

    do {
        word = i < len ? (uint32_t)byte[i] << 24 : 0;
        word |= i + 1 < len ? (uint32_t)byte[i + 1] << 16 : 0;
        word |= i + 2 < len ? (uint32_t)byte[i + 2] << 8 : 0;
        word |= i + 3 < len ? byte[i + 3] : 0;
        write32(addr, word);
        i += 4;
    } while (i < len);
}

bool sha_hash(unsigned bits, const void *data, size_t len, uint8_t *digest)
{
    size_t i;
    bool valid;

    if (over_ipc) {
        return ipc_sha(bits, data, len, digest);
    }
    if (!wait_for(SHA_LOCK, 1, 0)) {
        return false;
    }
    write32(SHA_MODE, bits == 384 ? SHA_MODE_STREAM_384 : SHA_MODE_STREAM_512);
    write32(SHA_DLEN, len);
    write_stream(SHA_DATAIN, data, len);
    write32(SHA_EXECUTE, 1);
    valid = wait_for(SHA_STATUS, SHA_STATUS_VALID, SHA_STATUS_VALID);
    write32(SHA_LOCK, 1);

    for (i = 0; i < bits / 8; i++) {
        digest[i] = read32(SHA_DIGEST + (i & ~3ul)) >> (24 - 8 * (i & 3));
    }
    return valid;
}

const void *dpe_command(uint32_t id, const void *body, size_t len,
                        uint32_t *status)
{
    static DpeRequest req;
    const DpeResponse *rsp = (const DpeResponse *)mbox_rsp;
    const size_t header = offsetof(DpeRequest, body);
    MboxResult result;

    req.data_size = header - offsetof(DpeRequest, magic) + len;
    req.magic = DPE_COMMAND_MAGIC;
    req.id = id;
    req.profile = DPE_PROFILE_P384;
    memcpy(req.body, body, len);
    result = mbox_command(CMD_INVOKE_DPE_COMMAND, &req, header + len);
    if (result != MBOX_DATA_READY) {
        *status = mbox_error();
        return NULL;
    }
    *status = rsp->status;
    if (rsp->magic != DPE_RESPONSE_MAGIC || rsp->status) {
        return NULL;
    }
    return rsp->body;
}
