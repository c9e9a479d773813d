/*
 * Fuzzing of the migration streams of Caliptra's devices
 *
 * An input says when a state is taken (a point of the boot, some time behind
 * it, perhaps in the midst of a command) and which of its bytes are changed.
 * The devices load that as they do in an incoming migration.  What they take
 * they have to live with; what they refuse must leave a machine that can be
 * reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/module.h"
#include "tests/qtest/caliptra-utils.h"
#include "caliptra_fuzz.h"

#define CHANGES_MAX     16
/* steps that follow a state which has been loaded */
#define STEPS           10
/* of equal bytes in a row (the memories) these are of interest */
#define RUN             16

/* Offsets of the bytes that are worth a change; caller frees */
static GArray *interesting(const GByteArray *stream)
{
    GArray *offsets = g_array_new(false, false, sizeof(uint32_t));
    unsigned run = 0;

    for (uint32_t i = 0; i < stream->len; i++) {
        run = i && stream->data[i] == stream->data[i - 1] ? run + 1 : 0;
        if (run < RUN) {
            g_array_append_val(offsets, i);
        }
    }
    return offsets;
}

/* Records: device8 how8 where32 value32 */
static void change(CaliptraFuzzState *state, CaliptraFuzzInput *in)
{
    uint8_t device = caliptra_fuzz_u8(in);
    uint8_t how = caliptra_fuzz_u8(in);
    uint32_t where = caliptra_fuzz_u32(in);
    uint32_t value = caliptra_fuzz_u32(in);
    GByteArray *stream = g_ptr_array_index(state->streams,
                                           device % state->streams->len);
    g_autoptr(GArray) offsets = interesting(stream);
    uint8_t bytes[8];
    uint32_t at;
    size_t len;

    if (!offsets->len) {
        return;
    }
    at = g_array_index(offsets, uint32_t, where % offsets->len);
    /* numbers in a stream are big-endian */
    switch (how & 7) {
    case 0 ... 2:
        bytes[0] = value;
        len = 1;
        break;
    case 3:
        bytes[0] = stream->data[at] ^ 1 << (value & 7);
        len = 1;
        break;
    case 4:
        stw_be_p(bytes, value);
        len = 2;
        break;
    case 5:
        stl_be_p(bytes, value);
        len = 4;
        break;
    case 6:
        stq_be_p(bytes, (int64_t)(int32_t)value << (how >> 3));
        len = 8;
        break;
    default:
        /* it ends here */
        g_byte_array_set_size(stream, at);
        return;
    }
    memcpy(stream->data + at, bytes, MIN(len, stream->len - at));
}

/* Leave something unfinished */
static void begin_something(QTestState *s, uint8_t what)
{
    static const uint32_t cmds[] = {
        CMD_SELF_TEST_START, CMD_FIRMWARE_LOAD, CMD_FW_INFO,
        0x43455252 /* GET_RT_ALIAS_CERT */,
    };
    const uint8_t *bundle;
    uint32_t cmd = cmds[what & 3];
    size_t len;

    if (!(what & 4) || qtest_readl(s, MBOX_LOCK)) {
        return;
    }
    qtest_writel(s, MBOX_CMD, cmd);
    if (cmd == CMD_FIRMWARE_LOAD) {
        bundle = caliptra_fuzz_bundle(&len);
        qtest_writel(s, MBOX_DLEN, len);
        for (size_t i = 0; i < len; i += 4) {
            qtest_writel(s, MBOX_DATAIN, ldl_le_p(bundle + i));
        }
    } else {
        qtest_writel(s, MBOX_DLEN, 4);
        qtest_writel(s, MBOX_DATAIN, caliptra_checksum(cmd, NULL, 0));
    }
    qtest_writel(s, MBOX_EXECUTE, 1);
}

static void live_with_it(QTestState *s)
{
    uint8_t rsp[8];

    caliptra_fuzz_serve(s, STEPS);
    for (uint64_t addr = IFC_BASE; addr < IFC_BASE + 0x120; addr += 4) {
        qtest_readl(s, addr);
    }
    qtest_readl(s, MBOX_STATUS);
    qtest_readl(s, MBOX_DATAOUT);
    qtest_writel(s, MBOX_DATAIN, 1);
    qtest_readl(s, SHA_ACC_BASE);
    qtest_writel(s, SHA_ACC_BASE + 0x1C, 1);
    caliptra_fuzz_accesses += 0x120 / 4 + 5;
    qtest_writel(s, MBOX_EXECUTE, 0);
    caliptra_fuzz_serve(s, STEPS);
    caliptra_fuzz_request(s, CMD_VERSION, NULL, 0, rsp, sizeof(rsp));
}

static void reset(QTestState *s)
{
    qtest_writel(s, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_writel(s, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    caliptra_fuzz_step(s, 1000);
    caliptra_set_user(s);
    qtest_writel(s, IFC_FUSE_WR_DONE, 1);
    caliptra_fuzz_serve(s, STEPS);
}

static void caliptra_state_fuzz(QTestState *s, const unsigned char *data,
                                size_t size)
{
    CaliptraFuzzInput in = { data, size };
    CaliptraFuzzState *state;
    Error *err = NULL;

    caliptra_fuzz_begin(caliptra_fuzz_u8(&in));
    begin_something(s, caliptra_fuzz_u8(&in));
    caliptra_fuzz_serve(s, caliptra_fuzz_u8(&in));
    state = caliptra_fuzz_save();
    for (int i = 0; i < CHANGES_MAX && in.len; i++) {
        change(state, &in);
    }
    if (caliptra_fuzz_load(state, &err)) {
        live_with_it(s);
    }
    error_free(err);
    reset(s);
    caliptra_fuzz_free(state);
}

static void register_caliptra_state_fuzz(void)
{
    fuzz_add_target(&(FuzzTarget){
        .name = "caliptra-state",
        .description = "Migration streams of Caliptra's devices",
        .get_init_cmdline = caliptra_fuzz_cmdline,
        .pre_fuzz = caliptra_fuzz_boot,
        .fuzz = caliptra_state_fuzz,
    });
}

fuzz_target_init(register_caliptra_state_fuzz);
