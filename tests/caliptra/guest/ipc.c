/*
 * Caliptra as the AST2700 lets software on the Cortex-A35 cores use it:
 * through the BootMCU
 *
 * A message of the inter-processor mailboxes names a command and two places
 * in memory that both see.  Requests take turns with the sequences of four
 * drivers: Linux's drivers/mailbox/ast2700-mailbox.c, that of U-Boot 2023.10
 * before and after it took over Linux's binding, and Zephyr's
 * drivers/ipm/ipm_ast2700.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "guest.h"

/* The non-secure CA35's slot of the IO die's block, a half per direction */
#define IPC_TX          0x14C39200
#define IPC_RX          0x14C39300
#define IPC_TRIG        0x00
#define IPC_ENABLE      0x04
#define IPC_STATUS      0x08
#define IPC_CHANNEL     1
#define IPC_CHANNEL_BIT (1 << IPC_CHANNEL)
#define IPC_DATA        (0x10 + 0x20 * IPC_CHANNEL)
#define IPC_WORDS       8

/* Group 5 of the IO die's interrupt controller */
#define INTCIO_ENABLE   0x14C18150
#define INTCIO_STATUS   0x14C18154
#define INTCIO_IPC      (1 << 17)

/* What is shared with the BootMCU, a megabyte each, and as that sees it */
#define INPUT           0x431880000ul
#define OUTPUT          0x431980000ul
#define TO_MCU(addr)    ((uint32_t)((addr) - 0x400000000ul + 0x80000000ul))

#define SHA_DIGEST_INDEX    1
#define SHA_INIT_INDEX      2
#define SHA_UPDATE_INDEX    3
#define SHA_FINAL_INDEX     4
#define SHA_ALGO_384        3
#define SHA_ALGO_512        4
/* not a multiple of four */
#define SHA_PIECE           1001

#define FIRMWARE_INDEX      6
#define FIRMWARE_SIZE       0x20000
#define FIRMWARE_PADDING    0xFF

/* LMS_SIGNATURE_VERIFY's request behind its checksum */
typedef struct LmsVerify {
    uint32_t tree_type;
    uint32_t ots_type;
    uint8_t id[16];
    uint8_t digest[24];
    uint32_t q;
    uint8_t ots[1252];
    uint32_t signature_tree_type;
    uint8_t path[360];
} LmsVerify;

static const struct {
    uint32_t cmd;
    uint8_t index;
    uint16_t in;
    uint16_t out;
} commands[] = {
    { CMD_ECDSA384_SIGNATURE_VERIFY, 0, 192, 0 },
    { CMD_LMS_SIGNATURE_VERIFY, 5, sizeof(LmsVerify), 0 },
    { CMD_FIRMWARE_LOAD, FIRMWARE_INDEX, 0, 0 },
    { CMD_STASH_MEASUREMENT, 7, 104, 12 },
    { CMD_QUOTE_PCRS, 8, 32, 1848 },
    { CMD_GET_IDEV_CERT, 9, 1016, 1036 },
    { CMD_GET_IDEV_INFO, 10, 0, 104 },
    { CMD_POPULATE_IDEV_CERT, 11, 1028, 8 },
    { CMD_GET_LDEV_CERT, 12, 0, 1036 },
    { CMD_GET_FMC_ALIAS_CERT, 13, 0, 1036 },
    { CMD_GET_RT_ALIAS_CERT, 14, 0, 1036 },
    { CMD_INVOKE_DPE_COMMAND, 15, 260, 8204 },
    { CMD_DISABLE_ATTESTATION, 16, 0, 8 },
    { CMD_FW_INFO, 17, 0, 264 },
    { CMD_DPE_TAG_TCI, 18, 20, 8 },
    { CMD_DPE_GET_TAGGED_TCI, 19, 4, 104 },
    { CMD_INCREMENT_PCR_RESET_COUNTER, 20, 4, 8 },
    { CMD_EXTEND_PCR, 21, 52, 8 },
    { CMD_ADD_SUBJECT_ALT_NAME, 22, 132, 8 },
    { CMD_CERTIFY_KEY_EXTENDED, 23, 76, 2184 },
    { CMD_VERSION, 24, 0, 36 },
    { CMD_SHUTDOWN, 25, 0, 8 },
    { CMD_CAPABILITIES, 26, 0, 24 },
    { CMD_SET_AUTH_MANIFEST, 27, 14288, 8 },
    { CMD_AUTHORIZE_AND_STASH, 28, 112, 12 },
    { CMD_GET_FMC_ALIAS_CSR, 29, 0, 524 },
    { CMD_SIGN_WITH_EXPORTED_ECDSA, 30, 80, 192 },
    { CMD_REVOKE_EXPORTED_CDI_HANDLE, 31, 32, 8 },
};

/* ---- drivers ---- */

static const struct {
    const char *name;
    /* at the start: forget what was there */
    bool clears;
    /* opens the channel without looking at the others */
    bool closes_others;
    /* looks whether the other side listens */
    bool checks_enable;
    /* takes messages when it is interrupted */
    bool interrupt;
} drivers[] = {
    { "Linux", false, false, true, true },
    { "U-Boot", false, false, true, false },
    { "U-Boot, old binding", false, true, true, false },
    { "Zephyr", true, false, false, true },
};

/* whose turn it is, and how many answers each has got */
static unsigned driver;
static unsigned answers_of[ARRAY_SIZE(drivers)];

static void open_channel(void)
{
    if (drivers[driver].clears) {
        write32(IPC_RX + IPC_ENABLE, 0);
        write32(IPC_RX + IPC_STATUS, 0xF);
    }
    write32(IPC_RX + IPC_ENABLE, IPC_CHANNEL_BIT |
            (drivers[driver].closes_others ? 0
                                           : read32(IPC_RX + IPC_ENABLE)));
    write32(INTCIO_ENABLE, INTCIO_IPC);
}

static bool send(const uint32_t *msg)
{
    size_t i;

    if (drivers[driver].checks_enable &&
        !(read32(IPC_TX + IPC_ENABLE) & IPC_CHANNEL_BIT)) {
        return false;
    }
    if (read32(IPC_TX + IPC_STATUS) & IPC_CHANNEL_BIT) {
        return false;
    }
    for (i = 0; i < IPC_WORDS; i++) {
        write32(IPC_TX + IPC_DATA + 4 * i, msg[i]);
    }
    write32(IPC_TX + IPC_TRIG, IPC_CHANNEL_BIT);
    return true;
}

static bool receive(uint32_t *msg)
{
    size_t i;

    if (drivers[driver].interrupt &&
        !wait_for(INTCIO_STATUS, INTCIO_IPC, INTCIO_IPC)) {
        return false;
    }
    if (!wait_for(IPC_RX + IPC_STATUS, IPC_CHANNEL_BIT, IPC_CHANNEL_BIT)) {
        return false;
    }
    for (i = 0; i < IPC_WORDS; i++) {
        msg[i] = read32(IPC_RX + IPC_DATA + 4 * i);
    }
    write32(IPC_RX + IPC_STATUS, IPC_CHANNEL_BIT);
    write32(INTCIO_STATUS, INTCIO_IPC);
    return !(read32(IPC_RX + IPC_STATUS) & IPC_CHANNEL_BIT);
}

/* A request with the next driver's sequence */
static bool request(uint32_t index, uint32_t arg1, uint32_t arg2,
                    int32_t *result)
{
    uint32_t msg[IPC_WORDS] = { index, arg1, arg2 };

    driver = (driver + 1) % ARRAY_SIZE(drivers);
    open_channel();
    if (!send(msg) || !receive(msg) ||
        !wait_for(IPC_TX + IPC_STATUS, IPC_CHANNEL_BIT, 0)) {
        return false;
    }
    answers_of[driver]++;
    *result = msg[0];
    return true;
}

int32_t ipc_request(uint32_t index, uint32_t arg1, uint32_t arg2)
{
    int32_t result;

    return request(index, arg1, arg2, &result) ? result : 1;
}

unsigned ipc_answers(unsigned number, const char **name)
{
    if (number >= ARRAY_SIZE(drivers)) {
        *name = NULL;
        return 0;
    }
    *name = drivers[number].name;
    return answers_of[number];
}

/* ---- commands ---- */

/* Length and address of data behind the context at INPUT */
static uint32_t *put_field(uint32_t *ctx, size_t *offset, const void *data,
                           size_t len)
{
    memcpy((void *)(INPUT + *offset), data, len);
    *ctx++ = len;
    *ctx++ = TO_MCU(INPUT + *offset);
    *offset += len;
    return ctx;
}

static void put_ecdsa(const uint8_t *req)
{
    uint32_t *ctx = (uint32_t *)INPUT;
    size_t offset = 40;

    for (int i = 0; i < 4; i++) {
        ctx = put_field(ctx, &offset, req + P384_SIZE * i, P384_SIZE);
    }
    /* Caliptra 1.x does not look at the message */
    put_field(ctx, &offset, NULL, 0);
}

static void put_lms(const LmsVerify *req)
{
    uint32_t *ctx = (uint32_t *)INPUT;
    size_t offset = 48;

    /* the public key's types as RFC 8554 writes them */
    *ctx++ = __builtin_bswap32(req->tree_type);
    *ctx++ = __builtin_bswap32(req->ots_type);
    ctx = put_field(ctx, &offset, req->id, sizeof(req->id));
    ctx = put_field(ctx, &offset, req->digest, sizeof(req->digest));
    *ctx++ = req->q;
    ctx = put_field(ctx, &offset, req->ots, sizeof(req->ots));
    *ctx++ = req->signature_tree_type;
    put_field(ctx, &offset, req->path, sizeof(req->path));
}

bool ipc_serves(uint32_t cmd)
{
    size_t i;

    for (i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].cmd == cmd) {
            return true;
        }
    }
    return false;
}

MboxResult ipc_transfer(uint32_t cmd, const void *data, size_t len)
{
    const uint8_t *req = data;
    uint32_t arg2 = TO_MCU(OUTPUT);
    int32_t result;
    size_t i = 0;

    while (commands[i].cmd != cmd) {
        i++;
    }
    memset((void *)OUTPUT, 0, commands[i].out);
    switch (cmd) {
    case CMD_ECDSA384_SIGNATURE_VERIFY:
        put_ecdsa(req);
        break;
    case CMD_LMS_SIGNATURE_VERIFY:
        put_lms(data);
        break;
    case CMD_FIRMWARE_LOAD:
        memcpy((void *)INPUT, req, len);
        memset((void *)(INPUT + len), FIRMWARE_PADDING, FIRMWARE_SIZE - len);
        arg2 = FIRMWARE_SIZE;
        break;
    default:
        /* always the longest request */
        memcpy((void *)INPUT, req, len < commands[i].in ? len
                                                        : commands[i].in);
    }

    mbox_rsp_len = 0;
    if (!request(commands[i].index, TO_MCU(INPUT), arg2, &result)) {
        return MBOX_NO_ANSWER;
    }
    switch (result) {
    case 0:
        break;
    case IPC_REFUSED:
    case IPC_FIRMWARE_REFUSED:
        return MBOX_CMD_FAILURE;
    default:
        return MBOX_NO_ANSWER;
    }
    if (cmd == CMD_FIRMWARE_LOAD) {
        return MBOX_CMD_COMPLETE;
    }
    if (commands[i].out) {
        mbox_rsp_len = commands[i].out < MBOX_RSP_MAX ? commands[i].out
                                                      : MBOX_RSP_MAX;
        memcpy(mbox_rsp, (void *)OUTPUT, mbox_rsp_len);
    } else {
        /* the service keeps the response: checksum and fips_status */
        mbox_rsp_len = 8;
        memset(mbox_rsp, 0, mbox_rsp_len);
    }
    return MBOX_DATA_READY;
}

static bool sha_request(uint32_t index, uint32_t algo, const void *data,
                        size_t len)
{
    /* out_len is nobody's */
    uint32_t ctx[] = {
        algo, len, TO_MCU(INPUT + 20), 0xDEADBEEF, TO_MCU(OUTPUT),
    };
    int32_t result;

    memcpy((void *)INPUT, ctx, sizeof(ctx));
    memcpy((void *)(INPUT + sizeof(ctx)), data, len);
    return request(index, TO_MCU(INPUT), 0, &result) && result == 0;
}

bool ipc_sha(unsigned bits, const void *data, size_t len, uint8_t *digest)
{
    static bool in_pieces;
    const uint8_t *byte = data;
    uint32_t algo = bits == 384 ? SHA_ALGO_384 : SHA_ALGO_512;
    bool good;

    in_pieces = !in_pieces;
    if (!in_pieces) {
        good = sha_request(SHA_DIGEST_INDEX, algo, data, len);
    } else {
        good = sha_request(SHA_INIT_INDEX, algo, NULL, 0);
        while (good && len) {
            size_t piece = len < SHA_PIECE ? len : SHA_PIECE;

            good = sha_request(SHA_UPDATE_INDEX, 0, byte, piece);
            byte += piece;
            len -= piece;
        }
        good = good && sha_request(SHA_FINAL_INDEX, 0, NULL, 0);
    }
    memcpy(digest, (void *)OUTPUT, bits / 8);
    return good;
}
