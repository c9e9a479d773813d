/*
 * What the fuzzing targets of Caliptra share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/timer.h"
#include "qapi/error.h"
#include "hw/misc/caliptra_fw.h"
#include "hw/qdev-core.h"
#include "io/channel-buffer.h"
#include "migration/qemu-file.h"
#include "migration/vmstate.h"
#include "system/cpu-timers.h"
#include "tests/qtest/caliptra-utils.h"
#include "caliptra_fuzz.h"

#define STEP_NS         (500 * 1000)
/* of a boot and of a command: far more than the longest takes */
#define BOOT_STEPS      20000
#define COMMAND_STEPS   500
#define BUNDLE          "tests/data/caliptra/bundle.bin"

uint64_t caliptra_fuzz_accesses;

static char *boot_rom;
static GByteArray *bundle;
static GPtrArray *devices;      /* of DeviceState */
static CaliptraFuzzState *points[CALIPTRA_FUZZ_POINTS];

/* ---- inputs ---- */

uint8_t caliptra_fuzz_u8(CaliptraFuzzInput *in)
{
    if (!in->len) {
        return 0;
    }
    in->len--;
    return *in->data++;
}

uint16_t caliptra_fuzz_u16(CaliptraFuzzInput *in)
{
    uint8_t low = caliptra_fuzz_u8(in);

    return caliptra_fuzz_u8(in) << 8 | low;
}

uint32_t caliptra_fuzz_u32(CaliptraFuzzInput *in)
{
    uint16_t low = caliptra_fuzz_u16(in);

    return (uint32_t)caliptra_fuzz_u16(in) << 16 | low;
}

/* ---- states ---- */

static int find_device(Object *obj, void *opaque)
{
    static const char * const ours[] = {
        "caliptra*", "aspeed-caliptra*", "aspeed.scu*", "aspeed-ipc*",
        "aspeed-otp-ast2700*",
    };
    DeviceState *dev = (DeviceState *)object_dynamic_cast(obj, TYPE_DEVICE);

    for (size_t i = 0; dev && i < ARRAY_SIZE(ours); i++) {
        if (g_pattern_match_simple(ours[i], object_get_typename(obj)) &&
            qdev_get_vmsd(dev)) {
            g_ptr_array_add(devices, dev);
            break;
        }
    }
    return 0;
}

CaliptraFuzzState *caliptra_fuzz_save(void)
{
    CaliptraFuzzState *state = g_new0(CaliptraFuzzState, 1);

    state->clock = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
    state->streams = g_ptr_array_new_with_free_func(
        (GDestroyNotify)g_byte_array_unref);
    for (guint i = 0; i < devices->len; i++) {
        DeviceState *dev = g_ptr_array_index(devices, i);
        QIOChannelBuffer *channel = qio_channel_buffer_new(0x40000);
        QEMUFile *f = qemu_file_new_output(QIO_CHANNEL(channel));
        GByteArray *stream = g_byte_array_new();

        vmstate_save_state(f, qdev_get_vmsd(dev), dev, NULL, &error_abort);
        /* something has to follow: no subsection, here */
        qemu_put_byte(f, 0);
        qemu_fflush(f);
        g_byte_array_append(stream, channel->data, channel->usage);
        g_ptr_array_add(state->streams, stream);
        qemu_fclose(f);
        object_unref(OBJECT(channel));
    }
    return state;
}

static bool load_device(DeviceState *dev, const GByteArray *stream,
                        Error **errp)
{
    ERRP_GUARD();
    const VMStateDescription *vmsd = qdev_get_vmsd(dev);
    QIOChannelBuffer *channel = qio_channel_buffer_new(stream->len + 1);
    QEMUFile *f;
    bool ok;

    memcpy(channel->data, stream->data, stream->len);
    channel->usage = stream->len;
    f = qemu_file_new_input(QIO_CHANNEL(channel));
    ok = vmstate_load_state(f, vmsd, dev, vmsd->version_id, errp) == 0;
    if (!ok) {
        error_prepend(errp, "%s: ", vmsd->name);
    }
    qemu_fclose(f);
    object_unref(OBJECT(channel));
    return ok;
}

bool caliptra_fuzz_load(const CaliptraFuzzState *state, Error **errp)
{
    for (guint i = 0; i < devices->len; i++) {
        device_cold_reset(g_ptr_array_index(devices, i));
    }
    cpus_set_virtual_clock(state->clock);
    for (guint i = 0; i < devices->len; i++) {
        if (!load_device(g_ptr_array_index(devices, i),
                         g_ptr_array_index(state->streams, i), errp)) {
            return false;
        }
    }
    return true;
}

void caliptra_fuzz_free(CaliptraFuzzState *state)
{
    g_ptr_array_unref(state->streams);
    g_free(state);
}

/* ---- the machine ---- */

GString *caliptra_fuzz_cmdline(FuzzTarget *t)
{
    GString *cmdline = g_string_new(NULL);

    boot_rom = caliptra_boot_rom();
    g_string_printf(cmdline, "%s -machine ast2700fc,accel=qtest,"
                    GUEST_LOCKED " -display none -bios %s", TARGET_NAME,
                    boot_rom);
    return cmdline;
}

void caliptra_fuzz_step(QTestState *s, int64_t ns)
{
    flush_events(s);
    qemu_clock_advance_virtual_time(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) +
                                    ns);
    flush_events(s);
}

void caliptra_fuzz_serve(QTestState *s, unsigned steps)
{
    for (unsigned i = 0; i < steps; i++) {
        caliptra_serve(s);
        caliptra_fuzz_step(s, STEP_NS);
    }
}

void caliptra_fuzz_set_pauser(uint32_t pauser)
{
    object_property_set_uint(object_resolve_path("/machine/caliptra", NULL),
                             "pauser", pauser, &error_abort);
}

static bool wait_for(QTestState *s, uint64_t addr, uint32_t mask,
                     uint32_t value)
{
    for (int i = 0; i < BOOT_STEPS; i++) {
        if ((qtest_readl(s, addr) & mask) == value) {
            return true;
        }
        caliptra_fuzz_serve(s, 1);
    }
    return false;
}

void caliptra_fuzz_command(QTestState *s, uint32_t cmd, const uint8_t *data,
                           size_t len, uint8_t *rsp, size_t max)
{
    size_t dlen;

    memset(rsp, 0, max);
    if (qtest_readl(s, MBOX_LOCK)) {
        return;
    }
    caliptra_mbox_execute(s, cmd, data, len);
    for (int i = 0; i < COMMAND_STEPS; i++) {
        if (MBOX_STATUS_STATUS(qtest_readl(s, MBOX_STATUS)) ||
            qtest_readl(s, IFC_FW_ERROR_FATAL)) {
            break;
        }
        caliptra_fuzz_serve(s, 1);
    }
    dlen = qtest_readl(s, MBOX_DLEN);
    for (size_t i = 0; i < MIN(dlen, CALIPTRA_RSP_MAX); i += 4) {
        uint8_t word[4];

        stl_le_p(word, qtest_readl(s, MBOX_DATAOUT));
        if (i < max) {
            memcpy(rsp + i, word, MIN(4, max - i));
        }
    }
    qtest_writel(s, MBOX_EXECUTE, 0);
    caliptra_fuzz_accesses += 6 + len / 4 + dlen / 4;
}

void caliptra_fuzz_request(QTestState *s, uint32_t cmd, const uint8_t *payload,
                           size_t len, uint8_t *rsp, size_t max)
{
    g_autofree uint8_t *data = g_malloc(4 + len);

    stl_le_p(data, caliptra_checksum(cmd, payload, len));
    if (len) {
        memcpy(data + 4, payload, len);
    }
    caliptra_fuzz_command(s, cmd, data, 4 + len, rsp, max);
}

/* ---- the boot ---- */

static void power_cycle(QTestState *s, uint32_t security_state)
{
    qtest_writel(s, SCUIO_RSTCTL2, SCUIO_RSTCTL2_CPTRA);
    qtest_writel(s, SCUIO_CPTRA_CTRL, SCUIO_CPTRA_SEC(security_state));
    qtest_writel(s, SCUIO_CPTRA_CTRL,
                 SCUIO_CPTRA_SEC(security_state) | SCUIO_CPTRA_PWRGOOD);
    caliptra_fuzz_step(s, 1000);
    qtest_writel(s, SCUIO_RSTCTL2_CLR, SCUIO_RSTCTL2_CPTRA);
    g_assert_true(wait_for(s, IFC_FLOW_STATUS, FLOW_READY_FOR_FUSES,
                           FLOW_READY_FOR_FUSES));
}

static void go_to_fw(QTestState *s, const uint32_t *fuses)
{
    caliptra_set_user(s);
    caliptra_fuses_done(s, fuses);
    g_assert_true(wait_for(s, IFC_FLOW_STATUS, FLOW_READY_FOR_FW,
                           FLOW_READY_FOR_FW));
}

/* Fuses of a part for which the bundle is made; digests are in hash words */
static void make_fuses(uint32_t *fuses)
{
    const CaliptraManifest *m = (const CaliptraManifest *)bundle->data;
    const struct {
        uint64_t addr;
        size_t start, end;
    } hashes[] = {
        { IFC_FUSE_PK_HASH, offsetof(CaliptraManifest, vendor_ecc_pub),
          offsetof(CaliptraManifest, vendor_ecc_index) },
        { IFC_FUSE_OWNER_PK_HASH, offsetof(CaliptraManifest, owner_ecc_pub),
          offsetof(CaliptraManifest, owner_sigs) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(hashes); i++) {
        uint8_t digest[48];

        caliptra_sha384((const uint8_t *)m + hashes[i].start,
                        hashes[i].end - hashes[i].start, digest);
        for (int j = 0; j < 12; j++) {
            fuses[(hashes[i].addr - IFC_FUSE_UDS_SEED) / 4 + j] =
                ldl_be_p(digest + 4 * j);
        }
    }
    fuses[(IFC_FUSE_LMS_VERIFY - IFC_FUSE_UDS_SEED) / 4] = 1;
}

static void print_sum(void)
{
    fprintf(stderr, "%" PRIu64 " accesses\n", caliptra_fuzz_accesses);
}

void caliptra_fuzz_boot(QTestState *s)
{
    uint32_t fuses[CALIPTRA_FUSE_WORDS] = { };
    uint8_t rsp[4];
    char *data;
    gsize len;

    unlink(boot_rom);
    if (!g_file_get_contents(BUNDLE, &data, &len, NULL)) {
        fprintf(stderr, "no %s here: start the fuzzer in QEMU's source\n",
                BUNDLE);
        exit(1);
    }
    bundle = g_byte_array_new_take((guint8 *)data, len);
    devices = g_ptr_array_new();
    object_child_foreach_recursive(object_get_root(), find_device, NULL);

    power_cycle(s, SEC_UNPROVISIONED);
    go_to_fw(s, NULL);
    points[CALIPTRA_FUZZ_BLANK] = caliptra_fuzz_save();
    power_cycle(s, SEC_PRODUCTION | SEC_DEBUG_LOCKED);
    points[CALIPTRA_FUZZ_FUSES] = caliptra_fuzz_save();
    make_fuses(fuses);
    go_to_fw(s, fuses);
    points[CALIPTRA_FUZZ_FW] = caliptra_fuzz_save();
    caliptra_fuzz_command(s, CMD_FIRMWARE_LOAD, bundle->data, bundle->len,
                          rsp, sizeof(rsp));
    g_assert_true(wait_for(s, IFC_FLOW_STATUS, FLOW_READY_FOR_RUNTIME,
                           FLOW_READY_FOR_RUNTIME));
    points[CALIPTRA_FUZZ_RUNTIME] = caliptra_fuzz_save();

    caliptra_fuzz_accesses = 0;
    atexit(print_sum);
}

const uint8_t *caliptra_fuzz_bundle(size_t *len)
{
    *len = bundle->len;
    return bundle->data;
}

void caliptra_fuzz_begin(CaliptraFuzzPoint point)
{
    caliptra_fuzz_load(points[point % CALIPTRA_FUZZ_POINTS], &error_abort);
    caliptra_fuzz_set_pauser(PAUSER_DEFAULT);
}
