/*
 * What the parts of the guest share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* Four characters, read as a big-endian number */
#define FOURCC(a, b, c, d) \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* Sizes in bytes */
#define SHA384_SIZE     48
#define SHA512_SIZE     64
#define P384_SIZE       48  /* a coordinate, r or s: big-endian */
#define P384_POINT_SIZE (2 * P384_SIZE)

static inline uint32_t read32(uintptr_t addr)
{
    /* volatile: a device register */
    return *(volatile uint32_t *)addr;
}

static inline void write32(uintptr_t addr, uint32_t value)
{
    /* volatile: a device register */
    *(volatile uint32_t *)addr = value;
}

/* ---- console.c: UART12, the generic timer, memory ---- */

uint64_t now(void);
/*
 * How long a wait goes on: ticks of the generic timer at the last look, and
 * those that are left.  It is to be looked at with each poll.
 */
typedef struct Deadline {
    uint64_t last;
    uint64_t left;
} Deadline;

/* For a wait that starts now */
Deadline deadline(void);
/* Time between two looks counts for 10 ms at most */
bool is_over(Deadline *end);
/* Wait until (register & mask) == value; false: it never came so far */
bool wait_for(uintptr_t addr, uint32_t mask, uint32_t value);

void put_char(char c);
/*
 * For core 0 at EL3: throw away what is typed, now and then, for ever.  QEMU
 * reads its terminal only as long as somebody takes what it has read.
 */
void discard_typing(void);
void put(const char *text);
void put_digits(uint32_t value, unsigned digits);
void put_hex(uint32_t value);
void put_dec(uint64_t value);
/* A line's name, in a column */
void put_name(const char *name);
void put_bytes(const void *data, size_t len);

/* The compiler calls these, too */
void *memcpy(void *dest, const void *src, size_t len);
void *memset(void *dest, int value, size_t len);
int memcmp(const void *a, const void *b, size_t len);

/* ---- caliptra.c: mailbox, SHA accelerator, DPE ---- */

#define CMD_VERSION                     FOURCC('F', 'P', 'V', 'R')
#define CMD_SELF_TEST_START             FOURCC('F', 'P', 'L', 'T')
#define CMD_SELF_TEST_GET_RESULTS       FOURCC('F', 'P', 'L', 'g')
#define CMD_SHUTDOWN                    FOURCC('F', 'P', 'S', 'D')
#define CMD_CAPABILITIES                FOURCC('C', 'A', 'P', 'S')
#define CMD_FIRMWARE_LOAD               FOURCC('F', 'W', 'L', 'D')
#define CMD_STASH_MEASUREMENT           FOURCC('M', 'E', 'A', 'S')
#define CMD_GET_IDEV_CERT               FOURCC('I', 'D', 'E', 'C')
#define CMD_GET_IDEV_INFO               FOURCC('I', 'D', 'E', 'I')
#define CMD_GET_IDEV_CSR                FOURCC('I', 'D', 'C', 'R')
#define CMD_POPULATE_IDEV_CERT          FOURCC('I', 'D', 'E', 'P')
#define CMD_GET_LDEV_CERT               FOURCC('L', 'D', 'E', 'V')
#define CMD_GET_FMC_ALIAS_CERT          FOURCC('C', 'E', 'R', 'F')
#define CMD_GET_FMC_ALIAS_CSR           FOURCC('F', 'M', 'C', 'R')
#define CMD_GET_RT_ALIAS_CERT           FOURCC('C', 'E', 'R', 'R')
#define CMD_ECDSA384_SIGNATURE_VERIFY   FOURCC('S', 'I', 'G', 'V')
#define CMD_LMS_SIGNATURE_VERIFY        FOURCC('L', 'M', 'S', 'V')
#define CMD_FW_INFO                     FOURCC('I', 'N', 'F', 'O')
#define CMD_DPE_TAG_TCI                 FOURCC('T', 'Q', 'G', 'T')
#define CMD_DPE_GET_TAGGED_TCI          FOURCC('G', 'T', 'G', 'D')
#define CMD_INCREMENT_PCR_RESET_COUNTER FOURCC('P', 'C', 'R', 'R')
#define CMD_QUOTE_PCRS                  FOURCC('P', 'C', 'R', 'Q')
#define CMD_EXTEND_PCR                  FOURCC('P', 'C', 'R', 'E')
#define CMD_ADD_SUBJECT_ALT_NAME        FOURCC('A', 'L', 'T', 'N')
#define CMD_CERTIFY_KEY_EXTENDED        FOURCC('C', 'K', 'E', 'X')
#define CMD_INVOKE_DPE_COMMAND          FOURCC('D', 'P', 'E', 'C')
#define CMD_SET_AUTH_MANIFEST           FOURCC('A', 'T', 'M', 'N')
#define CMD_AUTHORIZE_AND_STASH         FOURCC('A', 'T', 'S', 'H')
#define CMD_DISABLE_ATTESTATION         FOURCC('D', 'S', 'B', 'L')
#define CMD_SIGN_WITH_EXPORTED_ECDSA    FOURCC('S', 'W', 'E', 'E')
#define CMD_REVOKE_EXPORTED_CDI_HANDLE  FOURCC('R', 'V', 'C', 'H')
/* Nobody's */
#define CMD_NONSENSE                    FOURCC('N', 'O', 'N', 'E')

/* How a command ended: the mailbox's status, or why there is none */
typedef enum MboxResult {
    MBOX_CMD_BUSY = 0,
    MBOX_DATA_READY = 1,
    MBOX_CMD_COMPLETE = 2,
    MBOX_CMD_FAILURE = 3,
    MBOX_NO_LOCK,
    MBOX_NO_ANSWER,
    MBOX_BAD_CHECKSUM,
} MboxResult;

/* What the service of the BootMCU has goes through that */
extern bool over_ipc;

/* The last response: checksum, fips_status, then the command's own */
#define MBOX_RSP_MAX    6400
extern uint32_t mbox_rsp[MBOX_RSP_MAX / 4];
extern size_t mbox_rsp_len;

/**
 * mbox_transfer:
 * @cmd: the command
 * @data: what goes into the FIFO as it is, aligned to four bytes
 * @len: its bytes
 *
 * Send a command, and fetch its response into mbox_rsp[].
 */
MboxResult mbox_transfer(uint32_t cmd, const void *data, size_t len);

/**
 * mbox_command:
 * @cmd: the command
 * @req: its request; the first word is the checksum's, which this fills in
 * @len: bytes of the request
 */
MboxResult mbox_command(uint32_t cmd, void *req, size_t len);

/**
 * mbox_time_fifo:
 * @len: bytes, at most the mailbox's 128 KiB
 *
 * Write into the FIFO as for a command of this length.  Returns the ticks
 * that the writes took.
 */
uint64_t mbox_time_fifo(size_t len);

/* The ticks that so many bytes of zero words take to one register */
uint64_t time_writes(uintptr_t addr, size_t len);

/**
 * write_stream:
 * @addr: a register
 * @data, @len: the message
 *
 * Write a message as SHA_DATAIN wants it: the first byte is the most
 * significant of a word; an empty message takes a word, too.
 */
void write_stream(uintptr_t addr, const void *data, size_t len);

/* A command whose request is the checksum only */
MboxResult mbox_query(uint32_t cmd);

const char *mbox_result_name(MboxResult result);

/* The error that the last CMD_FAILURE left */
uint32_t mbox_error(void);

/**
 * sha_hash:
 * @bits: 384 or 512
 * @data, @len: the message
 * @digest: @bits / 8 bytes
 *
 * Hash in Caliptra's SHA accelerator; the digest stays there for
 * ECDSA384_SIGNATURE_VERIFY and LMS_SIGNATURE_VERIFY.
 *
 * Returns false if the accelerator did not answer in time.
 */
bool sha_hash(unsigned bits, const void *data, size_t len, uint8_t *digest);

typedef struct EcdsaVerify {
    uint32_t chksum;
    uint8_t point[P384_POINT_SIZE];
    uint8_t r[P384_SIZE];
    uint8_t s[P384_SIZE];
} EcdsaVerify;

enum {
    DPE_GET_PROFILE = 0x01,
    DPE_INITIALIZE_CONTEXT = 0x07,
    DPE_DERIVE_CONTEXT = 0x08,
    DPE_CERTIFY_KEY = 0x09,
    DPE_SIGN = 0x0A,
    DPE_ROTATE_CONTEXT_HANDLE = 0x0E,
    DPE_DESTROY_CONTEXT = 0x0F,
    DPE_GET_CERTIFICATE_CHAIN = 0x10,
};

#define DPE_HANDLE_SIZE 16

typedef struct DpeDeriveContext {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t data[SHA384_SIZE];
    uint32_t flags;
    uint32_t tci_type;
    uint32_t target_locality;
} DpeDeriveContext;

#define DPE_DERIVE_MAKE_DEFAULT         (1u << 28)
#define DPE_DERIVE_INPUT_ALLOW_CA       (1u << 26)
#define DPE_DERIVE_INPUT_ALLOW_X509     (1u << 25)
#define DPE_DERIVE_EXPORT_CDI           (1u << 23)
#define DPE_DERIVE_CREATE_CERTIFICATE   (1u << 22)

typedef struct DpeCertifyKey {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint32_t flags;
    uint32_t format;
    uint8_t label[SHA384_SIZE];
} DpeCertifyKey;

#define DPE_FORMAT_X509 0
#define DPE_FORMAT_CSR  1

/* Response of CertifyKey behind its header; the certificate follows */
typedef struct DpeCertifyKeyRsp {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t point[P384_POINT_SIZE];
    uint32_t cert_size;
    uint8_t cert[];
} DpeCertifyKeyRsp;

typedef struct DpeSign {
    uint8_t handle[DPE_HANDLE_SIZE];
    uint8_t label[SHA384_SIZE];
    uint32_t flags;
    uint8_t digest[SHA384_SIZE];
} DpeSign;

/**
 * dpe_command:
 * @id: the DPE's command
 * @body: what follows the command's header
 * @len: its bytes
 * @status: status of the DPE, or the mailbox's error
 *
 * Returns the response behind its header, or NULL if there is none.
 */
const void *dpe_command(uint32_t id, const void *body, size_t len,
                        uint32_t *status);

/* ---- ipc.c: Caliptra through the BootMCU ---- */

/* Results of requests: what the BootMCU's service answers */
#define IPC_REFUSED             (-1)
#define IPC_FIRMWARE_REFUSED    (-5)
#define IPC_INVALID             (-22)

/**
 * ipc_request:
 * @index: number of the service's command
 * @arg1, @arg2: the other words of the message
 *
 * Returns the result, 0 or below; 1 if there was no answer.
 */
int32_t ipc_request(uint32_t index, uint32_t arg1, uint32_t arg2);

/* Has the service this mailbox command? */
bool ipc_serves(uint32_t cmd);

/**
 * ipc_transfer:
 * @cmd: a command that the service has
 * @data: its request without checksum, or the firmware
 * @len: its bytes
 *
 * As mbox_transfer(); mbox_rsp[] is as long as the longest response, with
 * zeroes behind what Caliptra has answered.
 */
MboxResult ipc_transfer(uint32_t cmd, const void *data, size_t len);

/* As sha_hash() */
bool ipc_sha(unsigned bits, const void *data, size_t len, uint8_t *digest);

/* How many answers has a driver got?  Its name is NULL behind the last one */
unsigned ipc_answers(unsigned number, const char **name);

/* ---- x509.c ---- */

/* A piece of DER */
typedef struct Der {
    const uint8_t *data;
    size_t len;
} Der;

/* A certificate, or a certification request without issuer */
typedef struct X509 {
    Der tbs;
    Der issuer;
    Der subject;
    const uint8_t *point;
    uint8_t r[P384_SIZE];
    uint8_t s[P384_SIZE];
} X509;

/* False if @cert is not what Caliptra makes */
bool x509_parse(X509 *x, const void *cert, size_t len);

/* Print CN and serialNumber, a line each */
void x509_put_name(Der name);

void pem_put(const char *label, const void *der, size_t len);
/* A P-384 public key */
void pem_put_point(const uint8_t *point);

/* ---- what the guest does ---- */

/*
 * What the loader may put here: what to do (0: a short report), then payloads:
 * a tag, the bytes of the data, the data, padded to four bytes.  Tag 0 ends
 * the list.  Requests have room for their checksum in front.
 */
#define PAYLOADS        0x431000000ul
#define PAYLOADS_CHECK  FOURCC('S', 'E', 'L', 'F')
/* the same through the BootMCU */
#define PAYLOADS_IPC    FOURCC('I', 'P', 'C', 'S')
#define PAYLOADS_BENCH  FOURCC('B', 'N', 'C', 'H')
/* all that Caliptra says, certificates too */
#define PAYLOADS_CERTS  FOURCC('C', 'E', 'R', 'T')
/* Tag of the message that all signatures sign; others: the command */
#define PAYLOAD_MESSAGE FOURCC('M', 'E', 'S', 'G')
/* Where bench() finds registers that only store (8 bytes) */
#define PAYLOAD_STORE   FOURCC('S', 'T', 'O', 'R')
/* Which commands it measures instead of all: pairs of tag and count */
#define PAYLOAD_REPEAT  FOURCC('R', 'P', 'T', ' ')
/* There: the report comes through the BootMCU */
#define PAYLOAD_IPC     FOURCC('I', 'P', 'C', ' ')
/* What is printed at the end */
#define PAYLOAD_TEXT    FOURCC('T', 'E', 'X', 'T')

/* The payload with a tag, and its bytes; NULL: there is none */
uint8_t *payload(uint32_t tag, size_t *len);

/*
 * report.c: attest a blob, print what Caliptra says of itself: in short, or
 * with all @certs
 */
void report(bool certs);

/* check.c: try every command */
void self_check(void);

/* bench.c: measure */
void bench(void);

#endif
