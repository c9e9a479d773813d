/*
 * Fuzzing of Caliptra's mailbox commands and of those of its DPE
 *
 * An input is a point of the boot and a sequence of requests, whose checksums
 * are made right here: what comes behind a checksum is of no use to a fuzzer
 * that has to guess it.  For the same reason a request can take a handle out
 * of the response before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "tests/qtest/caliptra-utils.h"
#include "caliptra_fuzz.h"

#define CMD_INVOKE_DPE_COMMAND  0x44504543
#define DPE_MAGIC               0x44504543
#define DPE_PROFILE             4
#define DPE_HEADER              12
#define HANDLE_SIZE             16

/* of an input; each may be a signature */
#define REQUESTS_MAX            32

/* Kinds of requests */
enum {
    REQUEST,                    /* cmd32 len16 payload */
    DPE,                        /* cmd8 len16 payload */
    RAW,                        /* cmd32 len16 data: whatever it is */
    FIRMWARE,                   /* the bundle again */
    USER,                       /* pauser32 */
    TIME,                       /* steps8 */
    WARM_RESET,
    STOP,                       /* cmd32 len16 payload: not seen through */
};

/* Flags: a handle of the last response goes to the payload's beginning */
#define TAKE_HANDLE     0x40
#define TAKE_HANDLE_2   0x80    /* the second one in that response */

typedef struct Session {
    QTestState *s;
    CaliptraFuzzInput in;
    /* of the last response; a DPE response has a handle behind its headers */
    uint8_t rsp[8 + 4 + DPE_HEADER + 2 * HANDLE_SIZE];
} Session;

/* A payload; caller frees */
static uint8_t *payload(Session *session, uint8_t kind, size_t *len)
{
    const uint8_t *handle = session->rsp + 8 + 4 + DPE_HEADER;
    uint8_t *data;

    *len = MIN(caliptra_fuzz_u16(&session->in), session->in.len);
    data = g_malloc(*len + 1);
    memcpy(data, session->in.data, *len);
    session->in.data += *len;
    session->in.len -= *len;
    if (kind & (TAKE_HANDLE | TAKE_HANDLE_2)) {
        memcpy(data, handle + (kind & TAKE_HANDLE_2 ? HANDLE_SIZE : 0),
               MIN(*len, HANDLE_SIZE));
    }
    return data;
}

static void dpe(Session *session, uint8_t cmd, const uint8_t *data, size_t len)
{
    g_autofree uint8_t *req = g_malloc(4 + DPE_HEADER + len);

    stl_le_p(req, DPE_HEADER + len);
    stl_le_p(req + 4, DPE_MAGIC);
    stl_le_p(req + 8, cmd);
    stl_le_p(req + 12, DPE_PROFILE);
    memcpy(req + 4 + DPE_HEADER, data, len);
    caliptra_fuzz_request(session->s, CMD_INVOKE_DPE_COMMAND, req,
                          4 + DPE_HEADER + len, session->rsp,
                          sizeof(session->rsp));
}

/* A client that goes away in the middle */
static void stop(Session *session, uint32_t cmd, const uint8_t *data,
                 size_t len)
{
    if (qtest_readl(session->s, MBOX_LOCK)) {
        return;
    }
    qtest_writel(session->s, MBOX_CMD, cmd);
    qtest_writel(session->s, MBOX_DLEN, 4 + len);
    qtest_writel(session->s, MBOX_DATAIN, caliptra_checksum(cmd, data, len));
    for (size_t i = 0; i + 4 <= len; i += 4) {
        qtest_writel(session->s, MBOX_DATAIN, ldl_le_p(data + i));
    }
    qtest_writel(session->s, MBOX_EXECUTE, 1);
    caliptra_fuzz_serve(session->s, 1);
    qtest_writel(session->s, MBOX_EXECUTE, 0);
}

static void request(Session *session)
{
    uint8_t kind = caliptra_fuzz_u8(&session->in);
    g_autofree uint8_t *data = NULL;
    const uint8_t *bundle;
    uint32_t cmd;
    size_t len;

    switch (kind & 7) {
    case REQUEST:
        cmd = caliptra_fuzz_u32(&session->in);
        data = payload(session, kind, &len);
        caliptra_fuzz_request(session->s, cmd, data, len, session->rsp,
                              sizeof(session->rsp));
        break;
    case DPE:
        cmd = caliptra_fuzz_u8(&session->in);
        data = payload(session, kind, &len);
        dpe(session, cmd, data, len);
        break;
    case RAW:
        cmd = caliptra_fuzz_u32(&session->in);
        data = payload(session, kind, &len);
        caliptra_fuzz_command(session->s, cmd, data, len, session->rsp,
                              sizeof(session->rsp));
        break;
    case FIRMWARE:
        bundle = caliptra_fuzz_bundle(&len);
        caliptra_fuzz_command(session->s, CMD_FIRMWARE_LOAD, bundle, len,
                              session->rsp, sizeof(session->rsp));
        break;
    case USER:
        caliptra_fuzz_set_pauser(caliptra_fuzz_u32(&session->in));
        break;
    case TIME:
        caliptra_fuzz_serve(session->s, 1 + caliptra_fuzz_u8(&session->in));
        break;
    case WARM_RESET:
        qtest_writel(session->s, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
        qtest_writel(session->s, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
        caliptra_fuzz_step(session->s, 1000);
        caliptra_set_user(session->s);
        qtest_writel(session->s, IFC_FUSE_WR_DONE, 1);
        break;
    case STOP:
        cmd = caliptra_fuzz_u32(&session->in);
        data = payload(session, kind, &len);
        stop(session, cmd, data, len);
        break;
    }
}

static void caliptra_mbox_fuzz(QTestState *s, const unsigned char *data,
                               size_t size)
{
    Session session = { .s = s, .in = { data, size } };

    caliptra_fuzz_begin(CALIPTRA_FUZZ_FW + caliptra_fuzz_u8(&session.in) % 2);
    for (int i = 0; i < REQUESTS_MAX && session.in.len; i++) {
        request(&session);
    }
    caliptra_fuzz_serve(s, 1);
}

static void register_caliptra_mbox_fuzz(void)
{
    fuzz_add_target(&(FuzzTarget){
        .name = "caliptra-mbox",
        .description = "Caliptra's mailbox and DPE commands, with right "
                       "checksums",
        .get_init_cmdline = caliptra_fuzz_cmdline,
        .pre_fuzz = caliptra_fuzz_boot,
        .fuzz = caliptra_mbox_fuzz,
    });
}

fuzz_target_init(register_caliptra_mbox_fuzz);
