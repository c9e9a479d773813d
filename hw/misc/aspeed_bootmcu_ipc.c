/*
 * Caliptra service of the ASPEED AST27x0's BootMCU
 *
 * Nobody but the BootMCU uses Caliptra's mailbox on silicon.  Software on the
 * CA35 cores and on the SSP sends it a message of the inter-processor
 * mailboxes with a command and two addresses, and gets one back with the
 * result.  This is the server: AspeedTech-BMC/zephyr
 * drivers/misc/aspeed/cptra_ipc.c and cptra_mbox.c, drivers/crypto/cptra_sha.c
 * and include/zephyr/drivers/misc/aspeed/cptra_ipc.h, with the registers of
 * drivers/ipm/ipm_ast2700.c.
 *
 * One request at a time, in small steps on the virtual clock; it is a bus
 * master as the rest of the BootMCU is.  Where silicon would wait without
 * end, or call nobody, it answers with an error, for U-Boot waits for an
 * answer without end, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/log.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/registerfields.h"
#include "migration/vmstate.h"
#include "system/address-spaces.h"
#include "system/memory.h"
#include "hw/misc/aspeed_ipc.h"
#include "hw/misc/caliptra_map.h"
#include "aspeed_bootmcu.h"
#include "caliptra_regs.h"
#include "trace.h"

/* Registers of Caliptra */
#define MBOX(_reg)  BOOTMCU_MBOX(MBOX_##_reg)
#define IFC(_reg)   BOOTMCU_IFC(CPTRA_##_reg)
#define SHA(_reg)   (ASPEED_CALIPTRA_WINDOW + CALIPTRA_WINDOW_SHA_ACC - \
                     CALIPTRA_WINDOW_MBOX + A_SHA_ACC_##_reg)

/* Half @_half of a slot of the IO die's mailboxes; the service's channel */
#define IPC1(_slot, _half)  (ASPEED_IPC1_BASE + ASPEED_IPC_HALF(_slot, _half))
#define IPC_CHANNEL         1
#define TO_BOOTMCU          0
#define FROM_BOOTMCU        1

/* The slots that are served: input lines, and bits of pending masks */
static const uint8_t bootmcu_ipc_slot[ASPEED_BOOTMCU_IPC_SLOTS] = {
    1,  /* non-secure CA35 */
    2,  /* SSP */
};

/* Results: negative Linux error numbers, the same on every host */
#define RESULT_OK       0
#define RESULT_REFUSED  (-1)    /* Caliptra has, or a signature is wrong */
#define RESULT_IO       (-5)    /* Caliptra has refused the firmware */
#define RESULT_BUSY     (-16)   /* it does not come to an answer */
#define RESULT_NODEV    (-19)   /* its runtime is not there */
#define RESULT_INVAL    (-22)

/*
 * Time that passes before the answer to an event, and between two looks at
 * something that does not announce itself.  Limits are counted in looks: a
 * host that stalls QEMU takes no time from those who are waited for.
 */
#define IPC_STEP_NS         (1 * SCALE_US)
#define IPC_LOOK_NS         (100 * SCALE_US)
#define IPC_SHA_LOOK_NS     (10 * SCALE_US)
#define IPC_SHA_LOOKS       100
/* A minute: far beyond what any command takes on silicon */
#define IPC_LOOKS           600000
/* From the fatal error to the answer in the mailbox */
#define IPC_FATAL_LOOKS     100

/* How much goes into Caliptra in one go, and how long a word takes */
#define IPC_CHUNK           (16 * KiB)
#define IPC_WORD_NS         25

/* The only length of a firmware that is taken: the mailbox's */
#define IPC_FIRMWARE_SIZE   (128 * KiB)
#define IPC_FIRMWARE_LOAD   0x46574C44
#define IPC_SHUTDOWN        0x46505344
/* The largest request, SET_AUTH_MANIFEST, without its checksum */
#define IPC_REQUEST_MAX     14288

/* Fields of the context of the SHA commands: 32-bit words */
enum {
    SHA_CTX_ALGO,
    SHA_CTX_IN_LEN,
    SHA_CTX_IN_BUF,
    SHA_CTX_OUT_LEN,
    SHA_CTX_OUT_BUF,
    SHA_CTX_WORDS,
};
QEMU_BUILD_BUG_ON(SHA_CTX_WORDS != ASPEED_BOOTMCU_IPC_SHA_CTX_WORDS);

#define SHA_ALGO_384        3
#define SHA_ALGO_512        4

/* of the signature commands */
#define ECDSA_CTX_WORDS     10
#define LMS_CTX_WORDS       12

typedef enum BootMcuIpcIndex {
    IPC_ECDSA384_SIGNATURE_VERIFY = 0,
    IPC_SHA384_DIGEST = 1,
    IPC_SHA384_INIT = 2,
    IPC_SHA384_UPDATE = 3,
    IPC_SHA384_FINAL = 4,
    IPC_LMS_SIGNATURE_VERIFY = 5,
    IPC_CALIPTRA_FW_LOAD = 6,
    IPC_COMMANDS = 32,
} BootMcuIpcIndex;

/* The service's commands by index; those of SHA have no mailbox command */
static const struct {
    uint32_t cmd;
    /* bytes of the request without checksum; of the response, at most */
    uint16_t in;
    uint16_t out;
} bootmcu_ipc_command[IPC_COMMANDS] = {
    [IPC_ECDSA384_SIGNATURE_VERIFY] = { 0x53494756 },
    [IPC_LMS_SIGNATURE_VERIFY] = { 0x4C4D5356 },
    [IPC_CALIPTRA_FW_LOAD] = { IPC_FIRMWARE_LOAD },
    [7] =  { 0x4D454153, 104, 12 },         /* STASH_MEASUREMENT */
    [8] =  { 0x50435251, 32, 1848 },        /* QUOTE_PCRS */
    [9] =  { 0x49444543, 1016, 1036 },      /* GET_IDEV_CERT */
    [10] = { 0x49444549, 0, 104 },          /* GET_IDEV_INFO */
    [11] = { 0x49444550, 1028, 8 },         /* POPULATE_IDEV_CERT */
    [12] = { 0x4C444556, 0, 1036 },         /* GET_LDEV_CERT */
    [13] = { 0x43455246, 0, 1036 },         /* GET_FMC_ALIAS_CERT */
    [14] = { 0x43455252, 0, 1036 },         /* GET_RT_ALIAS_CERT */
    [15] = { 0x44504543, 260, 8204 },       /* INVOKE_DPE_COMMAND */
    [16] = { 0x4453424C, 0, 8 },            /* DISABLE_ATTESTATION */
    [17] = { 0x494E464F, 0, 264 },          /* FW_INFO */
    [18] = { 0x54514754, 20, 8 },           /* DPE_TAG_TCI */
    [19] = { 0x47544744, 4, 104 },          /* DPE_GET_TAGGED_TCI */
    [20] = { 0x50435252, 4, 8 },            /* INCREMENT_PCR_RESET_COUNTER */
    [21] = { 0x50435245, 52, 8 },           /* EXTEND_PCR */
    [22] = { 0x414C544E, 132, 8 },          /* ADD_SUBJECT_ALT_NAME */
    [23] = { 0x434B4558, 76, 2184 },        /* CERTIFY_KEY_EXTENDED */
    [24] = { 0x46505652, 0, 36 },           /* FIPS_VERSION */
    [25] = { IPC_SHUTDOWN, 0, 8 },
    [26] = { 0x43415053, 0, 24 },           /* CAPABILITIES */
    [27] = { 0x41544D4E, IPC_REQUEST_MAX, 8 }, /* SET_AUTH_MANIFEST */
    [28] = { 0x41545348, 112, 12 },         /* AUTHORIZE_AND_STASH */
    [29] = { 0x464D4352, 0, 524 },          /* GET_FMC_ALIAS_CSR */
    [30] = { 0x53574545, 80, 192 },         /* SIGN_WITH_EXPORTED_ECDSA */
    [31] = { 0x52564348, 32, 8 },           /* REVOKE_EXPORTED_CDI_HANDLE */
};

typedef enum BootMcuIpcStep {
    IPC_IDLE,
    IPC_ACCEPT,
    IPC_MBOX_LOCK,
    IPC_MBOX_SEND,
    IPC_MBOX_WAIT,
    IPC_SHA_LOCK,
    IPC_SHA_DATA,
    IPC_SHA_WAIT,
    IPC_STEPS,
} BootMcuIpcStep;

/* ---- the bus ---- */

static uint32_t ipc_read(AspeedBootMcuIpcState *s, hwaddr addr)
{
    return address_space_ldl_le(&s->as, addr, MEMTXATTRS_UNSPECIFIED, NULL);
}

static void ipc_write(AspeedBootMcuIpcState *s, hwaddr addr, uint32_t data)
{
    address_space_stl_le(&s->as, addr, data, MEMTXATTRS_UNSPECIFIED, NULL);
}

/*
 * Clients give addresses as the BootMCU sees them.  Returns: whether all
 * @len bytes at @addr are memory that it may read, or write; @bus is the
 * address on the bus.
 */
static bool ipc_translate(AspeedBootMcuIpcState *s, uint32_t addr,
                          uint32_t len, bool write, hwaddr *bus)
{
    const struct {
        uint32_t addr;
        uint64_t size;
        hwaddr bus;
        bool read_only;
    } map[] = {
        { 0x10000000, 128 * KiB, 0x10000000 },              /* SRAM */
        { ASPEED_BOOTMCU_SRAM, ASPEED_BOOTMCU_SRAM_SIZE,
          ASPEED_BOOTMCU_SRAM },
        { 0x20000000, 256 * MiB, 0x100000000, true },       /* FMC CS0 */
        { 0x80000000, MIN(s->dram_size, 2 * GiB), 0x400000000 },
    };

    for (int i = 0; i < ARRAY_SIZE(map); i++) {
        if (addr >= map[i].addr &&
            (uint64_t)addr - map[i].addr + len <= map[i].size) {
            *bus = addr - map[i].addr + map[i].bus;
            return !(write && map[i].read_only);
        }
    }
    return false;
}

/* Read @len bytes of a client's memory; false: it is not memory */
static bool ipc_fetch(AspeedBootMcuIpcState *s, uint32_t addr, void *buf,
                      uint32_t len)
{
    hwaddr bus;

    if (ipc_translate(s, addr, len, false, &bus) &&
        address_space_read(&s->as, bus, MEMTXATTRS_UNSPECIFIED, buf,
                           len) == MEMTX_OK) {
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "%s: no %u bytes to read at 0x%08x\n",
                  TYPE_ASPEED_BOOTMCU_IPC, len, addr);
    return false;
}

/* the same for little-endian words, which come in the host's order */
static bool ipc_fetch_words(AspeedBootMcuIpcState *s, uint32_t addr,
                            uint32_t *words, unsigned n)
{
    if (!ipc_fetch(s, addr, words, 4 * n)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = le32_to_cpu(words[i]);
    }
    return true;
}

/* May @len bytes be written at @addr of a client's memory? */
static bool ipc_check_output(AspeedBootMcuIpcState *s, uint32_t addr,
                             uint32_t len)
{
    hwaddr bus;

    if (ipc_translate(s, addr, len, true, &bus)) {
        return true;
    }
    qemu_log_mask(LOG_GUEST_ERROR, "%s: no %u bytes to write at 0x%08x\n",
                  TYPE_ASPEED_BOOTMCU_IPC, len, addr);
    return false;
}

static void ipc_store(AspeedBootMcuIpcState *s, uint32_t addr,
                      const void *buf, uint32_t len)
{
    hwaddr bus;

    if (ipc_translate(s, addr, len, true, &bus)) {
        address_space_write(&s->as, bus, MEMTXATTRS_UNSPECIFIED, buf, len);
    }
}

/* ---- steps and answers ---- */

static void ipc_after(AspeedBootMcuIpcState *s, int64_t ns)
{
    timer_mod_ns(&s->timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns);
}

static void ipc_enter(AspeedBootMcuIpcState *s, BootMcuIpcStep step,
                      uint32_t looks)
{
    s->step = step;
    s->looks = looks;
    ipc_after(s, IPC_STEP_NS);
}

static void ipc_reply(AspeedBootMcuIpcState *s, int32_t result)
{
    unsigned slot = bootmcu_ipc_slot[s->client];

    trace_aspeed_bootmcu_ipc_reply(slot, s->msg[0], result);
    /*
     * The request goes first, so that a client that has its answer may send
     * the next request; an answer that nobody has fetched is overwritten.
     */
    ipc_write(s, IPC1(slot, FROM_BOOTMCU) + ASPEED_IPC_DATA(IPC_CHANNEL),
              result);
    ipc_write(s, IPC1(slot, TO_BOOTMCU) + ASPEED_IPC_STATUS,
              BIT(IPC_CHANNEL));
    ipc_write(s, IPC1(slot, FROM_BOOTMCU) + ASPEED_IPC_TRIG,
              BIT(IPC_CHANNEL));
    ipc_enter(s, IPC_ACCEPT, 0);
}

static bool ipc_caliptra_stopped(AspeedBootMcuIpcState *s)
{
    return ipc_read(s, IFC(FW_ERROR_FATAL)) ||
           ipc_read(s, IFC(HW_ERROR_FATAL));
}

/* The runtime serves its mailbox, or is being updated */
static bool ipc_caliptra_runs(AspeedBootMcuIpcState *s)
{
    return FIELD_EX32(ipc_read(s, IFC(FLOW_STATUS)), CPTRA_FLOW_STATUS,
                      READY_FOR_RUNTIME);
}

/* Not yet: look again, unless that has been done often enough */
static bool ipc_look_again(AspeedBootMcuIpcState *s, int64_t ns)
{
    if (s->looks == 0) {
        return false;
    }
    s->looks--;
    ipc_after(s, ns);
    return true;
}

/* ---- mailbox ---- */

/* caliptra-sw api/src/checksum.rs: command and request add up to 0 */
static uint32_t ipc_checksum(uint32_t cmd, const uint8_t *req, uint32_t len)
{
    uint32_t sum = 0;

    for (int i = 0; i < 4; i++) {
        sum += extract32(cmd, 8 * i, 8);
    }
    for (uint32_t i = 0; i < len; i++) {
        sum += req[i];
    }
    return -sum;
}

/* Append the @len bytes that a field of a context points to */
static bool ipc_gather(AspeedBootMcuIpcState *s, GByteArray *req,
                       uint32_t addr, uint32_t len)
{
    guint at = req->len;

    g_byte_array_set_size(req, at + len);
    return ipc_fetch(s, addr, req->data + at, len);
}

/* Append a word as Caliptra takes integers */
static void ipc_gather_le32(GByteArray *req, uint32_t word)
{
    uint8_t bytes[4];

    stl_le_p(bytes, word);
    g_byte_array_append(req, bytes, sizeof(bytes));
}

/* The same of a word whose bytes are in the order of RFC 8554's integers */
static void ipc_gather_be32(GByteArray *req, uint32_t word)
{
    uint8_t bytes[4];

    stl_be_p(bytes, word);
    g_byte_array_append(req, bytes, sizeof(bytes));
}

/*
 * Context: length and address of x, y, r, s, and of a message digest.
 * Lengths are not looked at, and Caliptra 1.x takes the digest that its SHA
 * accelerator holds.
 */
static bool ipc_ecdsa_request(AspeedBootMcuIpcState *s, GByteArray *req)
{
    uint32_t ctx[ECDSA_CTX_WORDS];

    return ipc_fetch_words(s, s->msg[1], ctx, ECDSA_CTX_WORDS) &&
           ipc_gather(s, req, ctx[1], 48) && ipc_gather(s, req, ctx[3], 48) &&
           ipc_gather(s, req, ctx[5], 48) && ipc_gather(s, req, ctx[7], 48);
}

/*
 * Context: tree type, OTS type, length and address of identifier and digest,
 * q, length and address of the OTS, tree type, length and address of the
 * path.  The two types of the public key are as RFC 8554 writes them, but
 * Caliptra wants all integers in little-endian order.
 */
static bool ipc_lms_request(AspeedBootMcuIpcState *s, GByteArray *req)
{
    uint32_t ctx[LMS_CTX_WORDS];

    if (!ipc_fetch_words(s, s->msg[1], ctx, LMS_CTX_WORDS)) {
        return false;
    }
    ipc_gather_be32(req, ctx[0]);
    ipc_gather_be32(req, ctx[1]);
    if (!ipc_gather(s, req, ctx[3], 16) || !ipc_gather(s, req, ctx[5], 24)) {
        return false;
    }
    ipc_gather_le32(req, ctx[6]);
    if (!ipc_gather(s, req, ctx[8], 1252)) {
        return false;
    }
    ipc_gather_le32(req, ctx[9]);
    return ipc_gather(s, req, ctx[11], 360);
}

/* The request of a mailbox command, from the client's memory */
static bool ipc_request(AspeedBootMcuIpcState *s, GByteArray *req)
{
    switch (s->msg[0]) {
    case IPC_ECDSA384_SIGNATURE_VERIFY:
        return ipc_ecdsa_request(s, req);
    case IPC_LMS_SIGNATURE_VERIFY:
        return ipc_lms_request(s, req);
    default:
        /* a command without a request may have any address for it */
        return !bootmcu_ipc_command[s->msg[0]].in ||
               ipc_gather(s, req, s->msg[1],
                          bootmcu_ipc_command[s->msg[0]].in);
    }
}

static void ipc_mbox_lock(AspeedBootMcuIpcState *s)
{
    uint32_t cmd = bootmcu_ipc_command[s->msg[0]].cmd;
    g_autoptr(GByteArray) req = g_byte_array_new();

    if (cmd != IPC_FIRMWARE_LOAD && !ipc_request(s, req)) {
        ipc_reply(s, RESULT_INVAL);
        return;
    }
    if (FIELD_EX32(ipc_read(s, MBOX(LOCK)), MBOX_LOCK, LOCK)) {
        if (!ipc_look_again(s, IPC_LOOK_NS)) {
            ipc_reply(s, RESULT_BUSY);
        }
        return;
    }
    ipc_write(s, MBOX(CMD), cmd);
    if (cmd == IPC_FIRMWARE_LOAD) {
        ipc_write(s, MBOX(DLEN), IPC_FIRMWARE_SIZE);
        s->pos = 0;
        ipc_enter(s, IPC_MBOX_SEND, 0);
        return;
    }
    ipc_write(s, MBOX(DLEN), sizeof(uint32_t) + req->len);
    ipc_write(s, MBOX(DATAIN), ipc_checksum(cmd, req->data, req->len));
    for (guint i = 0; i < req->len; i += 4) {
        ipc_write(s, MBOX(DATAIN), ldl_le_p(req->data + i));
    }
    ipc_write(s, MBOX(EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
    ipc_enter(s, IPC_MBOX_WAIT, IPC_LOOKS);
}

/* FIRMWARE_LOAD: neither checksum nor answer, but many words */
static void ipc_mbox_send(AspeedBootMcuIpcState *s)
{
    uint32_t words[IPC_CHUNK / 4];

    if (!ipc_fetch_words(s, s->msg[1] + s->pos, words, ARRAY_SIZE(words))) {
        /* it was there when the request came; Caliptra shall refuse it */
        memset(words, 0, sizeof(words));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        ipc_write(s, MBOX(DATAIN), words[i]);
    }
    s->pos += sizeof(words);
    if (s->pos < IPC_FIRMWARE_SIZE) {
        ipc_after(s, ARRAY_SIZE(words) * IPC_WORD_NS);
        return;
    }
    ipc_write(s, MBOX(EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
    ipc_enter(s, IPC_MBOX_WAIT, IPC_LOOKS);
}

/* The result of a command, and its response to where the client wants it */
static int32_t ipc_mbox_result(AspeedBootMcuIpcState *s, uint32_t status)
{
    uint16_t out = bootmcu_ipc_command[s->msg[0]].out;
    g_autofree uint8_t *rsp = NULL;
    uint32_t len;

    if (s->msg[0] == IPC_CALIPTRA_FW_LOAD) {
        return status == MBOX_STATUS_CMD_COMPLETE ? RESULT_OK : RESULT_IO;
    }
    if (status == MBOX_STATUS_CMD_FAILURE ||
        (out && status != MBOX_STATUS_DATA_READY)) {
        return RESULT_REFUSED;
    }
    if (out) {
        len = ROUND_UP(MIN(ipc_read(s, MBOX(DLEN)), out), 4);
        rsp = g_malloc(len);
        for (uint32_t i = 0; i < len; i += 4) {
            stl_le_p(rsp + i, ipc_read(s, MBOX(DATAOUT)));
        }
        ipc_store(s, s->msg[2], rsp, len);
    }
    return RESULT_OK;
}

static void ipc_mbox_wait(AspeedBootMcuIpcState *s)
{
    uint32_t status = FIELD_EX32(ipc_read(s, MBOX(STATUS)), MBOX_STATUS,
                                 STATUS);
    int32_t result;

    if (status == MBOX_STATUS_CMD_BUSY) {
        bool stopped = ipc_caliptra_stopped(s);

        if (stopped) {
            /* the mailbox may say so too */
            s->looks = MIN(s->looks, IPC_FATAL_LOOKS);
        }
        if (ipc_look_again(s, IPC_LOOK_NS)) {
            return;
        }
        result = stopped ? RESULT_NODEV : RESULT_BUSY;
    } else {
        result = ipc_mbox_result(s, status);
    }
    ipc_write(s, MBOX(EXECUTE), 0);
    ipc_reply(s, result);
}

/* ---- SHA accelerator ---- */

/* Is the session that somebody has begun still the accelerator's? */
static bool ipc_sha_open(AspeedBootMcuIpcState *s)
{
    /* a reset of Caliptra takes the lock away */
    s->sha_open = s->sha_open &&
                  FIELD_EX32(ipc_read(s, SHA(STATUS)), SHA_ACC_STATUS,
                             SOC_HAS_LOCK);
    return s->sha_open;
}

static void ipc_sha_close(AspeedBootMcuIpcState *s)
{
    if (ipc_sha_open(s)) {
        ipc_write(s, SHA(LOCK), R_SHA_ACC_LOCK_LOCK_MASK);
        s->sha_open = false;
    }
}

static void ipc_sha_lock(AspeedBootMcuIpcState *s)
{
    if (FIELD_EX32(ipc_read(s, SHA(LOCK)), SHA_ACC_LOCK, LOCK)) {
        if (!ipc_look_again(s, IPC_SHA_LOOK_NS)) {
            ipc_reply(s, RESULT_BUSY);
        }
        return;
    }
    ipc_write(s, SHA(CONTROL), R_SHA_ACC_CONTROL_ZEROIZE_MASK);
    ipc_write(s, SHA(DLEN), 0);
    ipc_write(s, SHA(MODE), s->sha_ctx[SHA_CTX_ALGO] == SHA_ALGO_512);
    s->sha_open = true;
    s->sha_512 = s->sha_ctx[SHA_CTX_ALGO] == SHA_ALGO_512;
    s->sha_len = 0;
    s->sha_tail_len = 0;
    if (s->msg[0] == IPC_SHA384_INIT) {
        ipc_reply(s, RESULT_OK);
    } else {
        s->pos = 0;
        ipc_enter(s, IPC_SHA_DATA, 0);
    }
}

/* the first byte of the message is the most significant of a word */
static void ipc_sha_word(AspeedBootMcuIpcState *s)
{
    uint32_t word;

    caliptra_bytes_to_words(&word, s->sha_tail, 1);
    ipc_write(s, SHA(DATAIN), word);
}

/*
 * A piece of the message.  The accelerator takes whole words; what is left of
 * the last one waits for the next piece, so that a message may come in pieces
 * of any length (on silicon it may not).
 */
static void ipc_sha_piece(AspeedBootMcuIpcState *s, const uint8_t *data,
                          uint32_t len)
{
    for (uint32_t i = 0; i < len; i++) {
        s->sha_tail[s->sha_tail_len++] = data[i];
        if (s->sha_tail_len == sizeof(s->sha_tail)) {
            ipc_sha_word(s);
            s->sha_tail_len = 0;
        }
    }
}

/* The end of the message: the rest of it, and the digest */
static void ipc_sha_finish(AspeedBootMcuIpcState *s)
{
    /* an empty message takes a word, too */
    if (s->sha_tail_len || s->sha_len == 0) {
        memset(s->sha_tail + s->sha_tail_len, 0,
               sizeof(s->sha_tail) - s->sha_tail_len);
        ipc_sha_word(s);
    }
    ipc_write(s, SHA(EXECUTE), R_SHA_ACC_EXECUTE_EXECUTE_MASK);
    ipc_enter(s, IPC_SHA_WAIT, IPC_SHA_LOOKS);
}

static void ipc_sha_data(AspeedBootMcuIpcState *s)
{
    uint32_t in_len = s->sha_ctx[SHA_CTX_IN_LEN];
    uint32_t len = MIN(in_len - s->pos, IPC_CHUNK);
    uint8_t chunk[IPC_CHUNK];

    if (!ipc_fetch(s, s->sha_ctx[SHA_CTX_IN_BUF] + s->pos, chunk, len)) {
        ipc_reply(s, RESULT_INVAL);
        return;
    }
    if (s->pos == 0) {
        s->sha_len += in_len;
        ipc_write(s, SHA(DLEN), s->sha_len);
    }
    ipc_sha_piece(s, chunk, len);
    s->pos += len;
    if (s->pos < in_len) {
        ipc_after(s, len / 4 * IPC_WORD_NS);
    } else if (s->msg[0] == IPC_SHA384_DIGEST) {
        ipc_sha_finish(s);
    } else {
        ipc_reply(s, RESULT_OK);
    }
}

static void ipc_sha_wait(AspeedBootMcuIpcState *s)
{
    unsigned n = s->sha_512 ? 16 : 12;
    uint32_t words[16];
    uint8_t digest[sizeof(words)];

    if (!FIELD_EX32(ipc_read(s, SHA(STATUS)), SHA_ACC_STATUS, VALID)) {
        if (!ipc_look_again(s, IPC_SHA_LOOK_NS)) {
            ipc_sha_close(s);
            ipc_reply(s, RESULT_BUSY);
        }
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        words[i] = ipc_read(s, SHA(DIGEST) + 4 * i);
    }
    caliptra_words_to_bytes(digest, words, n);
    /* the digest stays there for the signature commands */
    ipc_sha_close(s);
    ipc_store(s, s->sha_ctx[SHA_CTX_OUT_BUF], digest, 4 * n);
    ipc_reply(s, RESULT_OK);
}

/* ---- requests ---- */

/*
 * Only what a command uses is looked at: clients leave the rest of the
 * context as it happens to be.
 */
static int32_t ipc_begin_sha(AspeedBootMcuIpcState *s)
{
    const uint32_t *ctx = s->sha_ctx;
    bool begins = s->msg[0] <= IPC_SHA384_INIT;
    bool ends = s->msg[0] == IPC_SHA384_DIGEST ||
                s->msg[0] == IPC_SHA384_FINAL;
    bool has_data = s->msg[0] == IPC_SHA384_DIGEST ||
                    s->msg[0] == IPC_SHA384_UPDATE;

    if (!ipc_fetch_words(s, s->msg[1], s->sha_ctx, SHA_CTX_WORDS)) {
        return RESULT_INVAL;
    }
    if (begins ? ctx[SHA_CTX_ALGO] != SHA_ALGO_384 &&
                 ctx[SHA_CTX_ALGO] != SHA_ALGO_512 : !ipc_sha_open(s)) {
        return RESULT_INVAL;
    }
    if (has_data) {
        hwaddr bus;

        /* the accelerator counts bytes in 32 bits */
        if (!ipc_translate(s, ctx[SHA_CTX_IN_BUF], ctx[SHA_CTX_IN_LEN], false,
                           &bus) ||
            (!begins && s->sha_len + ctx[SHA_CTX_IN_LEN] < s->sha_len)) {
            qemu_log_mask(LOG_GUEST_ERROR, "%s: no %u bytes to hash at "
                          "0x%08x\n", TYPE_ASPEED_BOOTMCU_IPC,
                          ctx[SHA_CTX_IN_LEN], ctx[SHA_CTX_IN_BUF]);
            return RESULT_INVAL;
        }
    }
    if (ends) {
        bool sha_512 = begins ? ctx[SHA_CTX_ALGO] == SHA_ALGO_512
                              : s->sha_512;

        if (!ipc_check_output(s, ctx[SHA_CTX_OUT_BUF], sha_512 ? 64 : 48)) {
            return RESULT_INVAL;
        }
    }
    if (begins) {
        /* a client that was reset has left its session behind */
        ipc_sha_close(s);
        ipc_enter(s, IPC_SHA_LOCK, IPC_SHA_LOOKS);
    } else if (has_data) {
        s->pos = 0;
        ipc_enter(s, IPC_SHA_DATA, 0);
    } else {
        ipc_sha_finish(s);
    }
    return RESULT_OK;
}

static int32_t ipc_begin_mbox(AspeedBootMcuIpcState *s)
{
    uint32_t cmd = bootmcu_ipc_command[s->msg[0]].cmd;
    uint16_t out = bootmcu_ipc_command[s->msg[0]].out;
    hwaddr bus;

    if (cmd == IPC_FIRMWARE_LOAD &&
        (s->msg[2] != IPC_FIRMWARE_SIZE ||
         !ipc_translate(s, s->msg[1], s->msg[2], false, &bus))) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: no firmware of %u bytes at "
                      "0x%08x\n", TYPE_ASPEED_BOOTMCU_IPC, s->msg[2],
                      s->msg[1]);
        return RESULT_INVAL;
    }
    if (out && !ipc_check_output(s, s->msg[2], out)) {
        return RESULT_INVAL;
    }
    if (cmd == IPC_FIRMWARE_LOAD || cmd == IPC_SHUTDOWN) {
        /*
         * Both need the accelerator: the update would end in a fatal error,
         * and the shutdown would wait for a client that may be gone.
         */
        ipc_sha_close(s);
    }
    ipc_enter(s, IPC_MBOX_LOCK, IPC_LOOKS);
    return RESULT_OK;
}

/* Begin with the request in msg; what is not RESULT_OK is the answer to it */
static int32_t ipc_begin(AspeedBootMcuIpcState *s)
{
    if (s->msg[0] >= IPC_COMMANDS) {
        qemu_log_mask(LOG_GUEST_ERROR, "%s: no command %u\n",
                      TYPE_ASPEED_BOOTMCU_IPC, s->msg[0]);
        return RESULT_INVAL;
    }
    if (!ipc_caliptra_runs(s) || ipc_caliptra_stopped(s)) {
        return RESULT_NODEV;
    }
    return bootmcu_ipc_command[s->msg[0]].cmd ? ipc_begin_mbox(s)
                                              : ipc_begin_sha(s);
}

/* Take the next request, from the clients in turn */
static void ipc_accept(AspeedBootMcuIpcState *s)
{
    for (unsigned i = 1; i <= ASPEED_BOOTMCU_IPC_SLOTS; i++) {
        unsigned client = (s->client + i) % ASPEED_BOOTMCU_IPC_SLOTS;
        unsigned slot = bootmcu_ipc_slot[client];
        hwaddr half = IPC1(slot, TO_BOOTMCU);
        int32_t result;

        if (!(ipc_read(s, half + ASPEED_IPC_STATUS) & BIT(IPC_CHANNEL))) {
            continue;
        }
        s->client = client;
        for (unsigned w = 0; w < ARRAY_SIZE(s->msg); w++) {
            s->msg[w] = ipc_read(s, half + ASPEED_IPC_DATA(IPC_CHANNEL) +
                                 4 * w);
        }
        trace_aspeed_bootmcu_ipc_request(slot, s->msg[0], s->msg[1],
                                         s->msg[2]);
        result = ipc_begin(s);
        if (result != RESULT_OK) {
            ipc_reply(s, result);
        }
        return;
    }
    s->step = IPC_IDLE;
}

static void ipc_step(void *opaque)
{
    AspeedBootMcuIpcState *s = opaque;

    if (s->step > IPC_ACCEPT && !ipc_caliptra_runs(s)) {
        /* somebody has reset Caliptra */
        ipc_reply(s, RESULT_NODEV);
        return;
    }
    switch (s->step) {
    case IPC_IDLE:
    case IPC_ACCEPT:
        ipc_accept(s);
        break;
    case IPC_MBOX_LOCK:
        ipc_mbox_lock(s);
        break;
    case IPC_MBOX_SEND:
        ipc_mbox_send(s);
        break;
    case IPC_MBOX_WAIT:
        ipc_mbox_wait(s);
        break;
    case IPC_SHA_LOCK:
        ipc_sha_lock(s);
        break;
    case IPC_SHA_DATA:
        ipc_sha_data(s);
        break;
    case IPC_SHA_WAIT:
        ipc_sha_wait(s);
        break;
    default:
        g_assert_not_reached();
    }
}

/* ---- lines ---- */

static void ipc_doorbell(void *opaque, int n, int level)
{
    AspeedBootMcuIpcState *s = opaque;

    if (level && s->step == IPC_IDLE) {
        ipc_enter(s, IPC_ACCEPT, 0);
    }
}

void aspeed_bootmcu_ipc_start(AspeedBootMcuIpcState *s)
{
    for (int i = 0; i < ASPEED_BOOTMCU_IPC_SLOTS; i++) {
        hwaddr enable = IPC1(bootmcu_ipc_slot[i], TO_BOOTMCU) +
                        ASPEED_IPC_ENABLE;

        ipc_write(s, enable, ipc_read(s, enable) | BIT(IPC_CHANNEL));
    }
}

/* ---- the device ---- */

static void bootmcu_ipc_reset_hold(Object *obj, ResetType type)
{
    AspeedBootMcuIpcState *s = ASPEED_BOOTMCU_IPC(obj);

    timer_del(&s->timer);
    s->step = IPC_IDLE;
    s->client = ASPEED_BOOTMCU_IPC_SLOTS - 1;
    memset(s->msg, 0, sizeof(s->msg));
    memset(s->sha_ctx, 0, sizeof(s->sha_ctx));
    s->pos = 0;
    s->looks = 0;
    s->sha_open = false;
    s->sha_512 = false;
    s->sha_len = 0;
    s->sha_tail_len = 0;
    memset(s->sha_tail, 0, sizeof(s->sha_tail));
}

static void bootmcu_ipc_realize(DeviceState *dev, Error **errp)
{
    AspeedBootMcuIpcState *s = ASPEED_BOOTMCU_IPC(dev);

    if (!s->memory) {
        error_setg(errp, "'memory' link must be set");
        return;
    }
    address_space_init(&s->as, s->memory, TYPE_ASPEED_BOOTMCU_IPC);
    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, ipc_step, s);
}

static void bootmcu_ipc_unrealize(DeviceState *dev)
{
    AspeedBootMcuIpcState *s = ASPEED_BOOTMCU_IPC(dev);

    timer_del(&s->timer);
    address_space_destroy(&s->as);
}

static void bootmcu_ipc_init(Object *obj)
{
    qdev_init_gpio_in(DEVICE(obj), ipc_doorbell, ASPEED_BOOTMCU_IPC_SLOTS);
}

static bool bootmcu_ipc_post_load(void *opaque, int version_id, Error **errp)
{
    AspeedBootMcuIpcState *s = opaque;
    bool sha = s->step == IPC_SHA_LOCK || s->step == IPC_SHA_DATA ||
               s->step == IPC_SHA_WAIT;

    if (s->step >= IPC_STEPS || s->client >= ASPEED_BOOTMCU_IPC_SLOTS ||
        s->looks > IPC_LOOKS ||
        (s->step != IPC_IDLE && !timer_pending(&s->timer)) ||
        s->sha_tail_len >= sizeof(s->sha_tail) ||
        (s->step > IPC_ACCEPT &&
         (s->msg[0] >= IPC_COMMANDS ||
          sha != !bootmcu_ipc_command[s->msg[0]].cmd)) ||
        (s->step == IPC_MBOX_SEND && s->pos >= IPC_FIRMWARE_SIZE) ||
        (s->step == IPC_SHA_DATA && s->pos > s->sha_ctx[SHA_CTX_IN_LEN])) {
        error_setg(errp, "bad state of the Caliptra service");
        return false;
    }
    return true;
}

static const VMStateDescription vmstate_bootmcu_ipc = {
    .name = TYPE_ASPEED_BOOTMCU_IPC,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = bootmcu_ipc_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(step, AspeedBootMcuIpcState),
        VMSTATE_UINT8(client, AspeedBootMcuIpcState),
        VMSTATE_UINT32_ARRAY(msg, AspeedBootMcuIpcState,
                             ASPEED_BOOTMCU_IPC_MSG_WORDS),
        VMSTATE_UINT32_ARRAY(sha_ctx, AspeedBootMcuIpcState,
                             ASPEED_BOOTMCU_IPC_SHA_CTX_WORDS),
        VMSTATE_UINT32(pos, AspeedBootMcuIpcState),
        VMSTATE_UINT32(looks, AspeedBootMcuIpcState),
        VMSTATE_BOOL(sha_open, AspeedBootMcuIpcState),
        VMSTATE_BOOL(sha_512, AspeedBootMcuIpcState),
        VMSTATE_UINT32(sha_len, AspeedBootMcuIpcState),
        VMSTATE_UINT8(sha_tail_len, AspeedBootMcuIpcState),
        VMSTATE_UINT8_ARRAY(sha_tail, AspeedBootMcuIpcState, 4),
        VMSTATE_TIMER(timer, AspeedBootMcuIpcState),
        VMSTATE_END_OF_LIST()
    },
};

static const Property bootmcu_ipc_properties[] = {
    DEFINE_PROP_LINK("memory", AspeedBootMcuIpcState, memory,
                     TYPE_MEMORY_REGION, MemoryRegion *),
    DEFINE_PROP_UINT64("dram-size", AspeedBootMcuIpcState, dram_size, 0),
};

static void bootmcu_ipc_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "Caliptra service of the ASPEED AST27x0 BootMCU";
    dc->realize = bootmcu_ipc_realize;
    dc->unrealize = bootmcu_ipc_unrealize;
    dc->vmsd = &vmstate_bootmcu_ipc;
    dc->user_creatable = false;
    device_class_set_props(dc, bootmcu_ipc_properties);
    object_class_property_set_description(klass, "memory",
        "What the BootMCU sees, at the addresses of the CA35 cores");
    object_class_property_set_description(klass, "dram-size",
        "Bytes of DRAM that clients may use");
    rc->phases.hold = bootmcu_ipc_reset_hold;
}

static const TypeInfo bootmcu_ipc_types[] = {
    {
        .name = TYPE_ASPEED_BOOTMCU_IPC,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(AspeedBootMcuIpcState),
        .instance_init = bootmcu_ipc_init,
        .class_init = bootmcu_ipc_class_init,
    },
};

DEFINE_TYPES(bootmcu_ipc_types)
