/*
 * Stand-in for the BootMCU of the ASPEED AST27x0
 *
 * On silicon an Ibex core in the IO die brings Caliptra up before anything
 * else runs.  This device does what that core's boot ROM has to do according
 * to the Caliptra integration specification: straps, power, reset, mailbox
 * user, fuses, entropy on demand, firmware, and then lets the CA35 cores go.
 * It is one more bus master: it sees Caliptra and the SCU through the SoC's
 * address space only.
 *
 * It acts when a line of Caliptra changes or a time has come, never polls
 * without end, and is idle when it has finished.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/guest-random.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "system/address-spaces.h"
#include "system/memory.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "hw/registerfields.h"
#include "migration/vmstate.h"
#include "hw/misc/aspeed_caliptra.h"
#include "hw/misc/caliptra_errors.h"
#include "caliptra_regs.h"
#include "trace.h"

/* Blocks of the window, as offsets of their registers (bus addresses) */
#define MBOX(_reg) (ASPEED_CALIPTRA_WINDOW + A_##_reg)
#define IFC(_reg)  (ASPEED_CALIPTRA_WINDOW + CALIPTRA_WINDOW_SOC_IFC - \
                    CALIPTRA_WINDOW_MBOX + A_##_reg)
#define SCUIO(_reg) (ASPEED_CALIPTRA_SCUIO + ASPEED_SCUIO_##_reg)

/* The ROM takes bundles up to the size of the mailbox SRAM */
#define BOOTMCU_FIRMWARE_MAX    (128 * KiB)

/* Time that passes before the answer to an event, and for a retry */
#define BOOTMCU_STEP_NS         (1 * SCALE_US)
#define BOOTMCU_RETRY_NS        (1 * SCALE_MS)
/* Others may end a reset that they began; after this the BootMCU does */
#define BOOTMCU_RESET_NS        (1 * SCALE_MS)
/* Upload: how much in one go, and how long a word takes */
#define BOOTMCU_CHUNK_WORDS     4096
#define BOOTMCU_WORD_NS         25
/* Far beyond what any stage takes on silicon */
#define BOOTMCU_TIMEOUT_NS      (60 * NANOSECONDS_PER_SECOND)
/* From the fatal error wire to the answer in the mailbox */
#define BOOTMCU_FAILURE_NS      (10 * SCALE_MS)

/*
 * CPTRA_WDT_CFG, in Caliptra clocks: minutes.  It must not be 0: the ROM
 * would run with a watchdog of one clock (caliptra-sw rom/dev/src/wdt.rs).
 */
#define BOOTMCU_WDT_CYCLES      (1ULL << 36)

#define BOOTMCU_TRNG_WORDS      12

/* Mailbox commands and the layout of FW_INFO (caliptra-sw api) */
#define CMD_FIRMWARE_LOAD       0x46574C44
#define CMD_FW_INFO             0x494E464F
/* checksum of a request without payload: 0 - sum of the command's bytes */
#define CMD_FW_INFO_CHECKSUM    0xFFFFFED4
#define FW_INFO_WORDS           66
#define FW_INFO_PL0_PAUSER      (0x08 / 4)
#define FW_INFO_RUNTIME_SVN     (0x0C / 4)
#define FW_INFO_FMC_SVN         (0x14 / 4)
#define FW_INFO_FMC_DIGEST      (0x78 / 4)
#define FW_INFO_RUNTIME_DIGEST  (0xA8 / 4)

typedef enum BootMcuStage {
    BOOTMCU_POWER_UP,
    BOOTMCU_RELEASE,
    BOOTMCU_WAIT_FUSES,
    BOOTMCU_WAIT_FW,
    BOOTMCU_UPLOAD,
    BOOTMCU_WAIT_LOAD,
    BOOTMCU_WAIT_RUNTIME,
    BOOTMCU_FW_INFO,
    BOOTMCU_WAIT_FW_INFO,
    BOOTMCU_DONE,
    BOOTMCU_FAILED,
    BOOTMCU_IN_RESET,
    BOOTMCU_STAGES,
} BootMcuStage;

/* for people: what the BootMCU is at */
static const char * const bootmcu_stage_name[BOOTMCU_STAGES] = {
    [BOOTMCU_POWER_UP] = "power-up",
    [BOOTMCU_RELEASE] = "reset release",
    [BOOTMCU_WAIT_FUSES] = "wait for ready_for_fuses",
    [BOOTMCU_WAIT_FW] = "wait for ready_for_fw",
    [BOOTMCU_UPLOAD] = "FIRMWARE_LOAD upload",
    [BOOTMCU_WAIT_LOAD] = "wait for FIRMWARE_LOAD",
    [BOOTMCU_WAIT_RUNTIME] = "wait for ready_for_runtime",
    [BOOTMCU_FW_INFO] = "FW_INFO",
    [BOOTMCU_WAIT_FW_INFO] = "wait for FW_INFO",
    [BOOTMCU_DONE] = "done",
    [BOOTMCU_FAILED] = "failed",
    [BOOTMCU_IN_RESET] = "Caliptra in reset",
};

/* ---- the bus ---- */

static uint32_t bootmcu_read(AspeedBootMcuState *s, hwaddr addr)
{
    return address_space_ldl_le(&s->as, addr, MEMTXATTRS_UNSPECIFIED, NULL);
}

static void bootmcu_write(AspeedBootMcuState *s, hwaddr addr, uint32_t data)
{
    address_space_stl_le(&s->as, addr, data, MEMTXATTRS_UNSPECIFIED, NULL);
}

static uint32_t bootmcu_mbox_status(AspeedBootMcuState *s)
{
    return FIELD_EX32(bootmcu_read(s, MBOX(MBOX_STATUS)), MBOX_STATUS, STATUS);
}

/* ---- stages and time ---- */

#define bootmcu_log(s, ...) caliptra_log((s)->log, __VA_ARGS__)

static int64_t bootmcu_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void bootmcu_wake(AspeedBootMcuState *s)
{
    timer_mod_anticipate_ns(&s->timer, bootmcu_now() + BOOTMCU_STEP_NS);
}

/* go on with @stage at @delay from now; it may last until the timeout */
static void bootmcu_enter(AspeedBootMcuState *s, BootMcuStage stage,
                          int64_t delay)
{
    trace_aspeed_bootmcu_stage(bootmcu_stage_name[stage]);
    s->stage = stage;
    s->deadline = bootmcu_now() + BOOTMCU_TIMEOUT_NS;
    timer_mod_ns(&s->timer, bootmcu_now() + delay);
}

/* nothing more to do until a line changes */
static void bootmcu_finish(AspeedBootMcuState *s, BootMcuStage stage)
{
    trace_aspeed_bootmcu_stage(bootmcu_stage_name[stage]);
    s->stage = stage;
    timer_del(&s->timer);
}

static void bootmcu_set_boot_done(AspeedBootMcuState *s, bool boot_done)
{
    if (s->boot_done != boot_done) {
        s->boot_done = boot_done;
        qemu_set_irq(s->boot_done_line, boot_done);
        bootmcu_log(s, "CA35 cores %s", boot_done ? "released" : "held");
    }
}

/* ---- failure ---- */

/* The error that Caliptra reports, for a person; never empty */
static char *bootmcu_error(AspeedBootMcuState *s)
{
    uint32_t code = bootmcu_read(s, IFC(CPTRA_FW_ERROR_FATAL));
    const char *cause;

    if (!code) {
        code = bootmcu_read(s, IFC(CPTRA_FW_ERROR_NON_FATAL));
    }
    if (!code) {
        return g_strdup_printf("hardware error, CPTRA_HW_ERROR_FATAL 0x%x",
                               bootmcu_read(s, IFC(CPTRA_HW_ERROR_FATAL)));
    }
    cause = caliptra_error_cause(code);
    return g_strdup_printf("%s (0x%08x)%s%s", caliptra_error_name(code), code,
                           *cause ? ": " : "", cause);
}

static void bootmcu_fail(AspeedBootMcuState *s, const char *what,
                         const char *why)
{
    warn_report("%s: %s: %s; the CA35 cores stay held", s->firmware_file,
                what, why);
    bootmcu_log(s, "%s: %s: %s; the CA35 cores stay held", s->firmware_file,
                what, why);
    s->error_fatal = false;
    bootmcu_finish(s, BOOTMCU_FAILED);
}

static void bootmcu_fail_error(AspeedBootMcuState *s, const char *what)
{
    g_autofree char *why = bootmcu_error(s);

    bootmcu_fail(s, what, why);
}

/*
 * A stage that waits ends here each time that its condition is not yet met:
 * with the failure that Caliptra reports, with the timeout, or with the
 * timer set for the next look.  Lines wake it earlier, but not all that it
 * waits for has one: a mailbox that becomes free, a loss of power.
 */
static void bootmcu_wait(AspeedBootMcuState *s)
{
    int64_t now = bootmcu_now();

    if (s->error_fatal && s->stage != BOOTMCU_WAIT_LOAD) {
        bootmcu_fail_error(s, "Caliptra stopped");
        return;
    }
    if (s->error_fatal) {
        /* the mailbox will say so too */
        s->deadline = MIN(s->deadline, now + BOOTMCU_FAILURE_NS);
    }
    if (now >= s->deadline) {
        if (s->error_fatal) {
            bootmcu_fail_error(s, "Caliptra stopped");
        } else {
            bootmcu_fail(s, "Caliptra does not answer",
                         bootmcu_stage_name[s->stage]);
        }
        return;
    }
    timer_mod_ns(&s->timer, MIN(s->deadline, now + BOOTMCU_RETRY_NS));
}

/* ---- what the stages do ---- */

/*
 * Entropy on demand (caliptra-rtl CaliptraIntegrationSpecification.md,
 * "TRNG REQ HW API"), in every stage and afterwards.
 */
static void bootmcu_feed_trng(AspeedBootMcuState *s)
{
    uint32_t words[BOOTMCU_TRNG_WORDS];
    int i;

    if (FIELD_EX32(bootmcu_read(s, IFC(CPTRA_TRNG_STATUS)),
                   CPTRA_TRNG_STATUS, DATA_REQ) == 0) {
        return;
    }
    qemu_guest_getrandom_nofail(words, sizeof(words));
    for (i = 0; i < BOOTMCU_TRNG_WORDS; i++) {
        bootmcu_write(s, IFC(CPTRA_TRNG_DATA) + 4 * i, words[i]);
    }
    bootmcu_write(s, IFC(CPTRA_TRNG_STATUS),
                  R_CPTRA_TRNG_STATUS_DATA_WR_DONE_MASK);
}

static void bootmcu_power_up(AspeedBootMcuState *s)
{
    static const char * const lifecycle[] = {
        "unprovisioned", "manufacturing", "undefined", "production"
    };
    const AspeedCaliptraOtp *otp = &s->caliptra->otp;
    uint32_t ctrl = otp->security_state <<
                    ASPEED_SCUIO_CPTRA_CTRL_SEC_STAT_SHIFT;
    int i;

    if ((bootmcu_read(s, SCUIO(HWSTRAP1)) &
         ASPEED_SCUIO_HWSTRAP1_DIS_CPTRA) ||
        (bootmcu_read(s, SCUIO(EFUSE)) & ASPEED_SCUIO_EFUSE_DIS_CPTRA)) {
        bootmcu_log(s, "disabled by strap or eFuse: not started");
        bootmcu_set_boot_done(s, true);
        bootmcu_finish(s, BOOTMCU_DONE);
        return;
    }
    for (i = 0; i < ASPEED_CALIPTRA_OBF_KEY_WORDS; i++) {
        bootmcu_write(s, SCUIO(CPTRA_OBF_KEY) + 4 * i, otp->obf_key[i]);
    }
    bootmcu_write(s, SCUIO(RSTCTL2), ASPEED_SCUIO_RSTCTL2_CPTRA);
    bootmcu_write(s, SCUIO(CPTRA_CTRL), ctrl);
    bootmcu_write(s, SCUIO(CPTRA_CTRL),
                  ctrl | ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD);
    bootmcu_log(s, "power good, lifecycle %s, debug %s",
                lifecycle[otp->security_state &
                          R_CPTRA_SECURITY_STATE_DEVICE_LIFECYCLE_MASK],
                otp->security_state & R_CPTRA_SECURITY_STATE_DEBUG_LOCKED_MASK
                ? "locked" : "unlocked");
    /* at least 10 clocks of Caliptra from power good to reset release */
    bootmcu_enter(s, BOOTMCU_RELEASE, BOOTMCU_STEP_NS);
}

static void bootmcu_release(AspeedBootMcuState *s)
{
    bootmcu_write(s, SCUIO(RSTCTL2_CLR), ASPEED_SCUIO_RSTCTL2_CPTRA);
    bootmcu_enter(s, BOOTMCU_WAIT_FUSES, BOOTMCU_STEP_NS);
}

static void bootmcu_program_fuses(AspeedBootMcuState *s)
{
    const AspeedCaliptraOtp *otp = &s->caliptra->otp;
    uint32_t flow_status;
    int i;

    s->warm = FIELD_EX32(bootmcu_read(s, IFC(CPTRA_RESET_REASON)),
                         CPTRA_RESET_REASON, WARM_RESET);

    bootmcu_write(s, IFC(CPTRA_MBOX_VALID_PAUSER), s->caliptra->pauser);
    bootmcu_write(s, IFC(CPTRA_MBOX_PAUSER_LOCK),
                  R_CPTRA_MBOX_PAUSER_LOCK_LOCK_MASK);
    bootmcu_write(s, IFC(CPTRA_WDT_CFG), extract64(BOOTMCU_WDT_CYCLES, 0, 32));
    bootmcu_write(s, IFC(CPTRA_WDT_CFG) + 4,
                  extract64(BOOTMCU_WDT_CYCLES, 32, 32));
    if (s->warm) {
        /*
         * The error registers survive.  Unless they are cleared, a new error
         * may not raise the wire: only bits that were 0 do.
         */
        bootmcu_write(s, IFC(CPTRA_FW_ERROR_FATAL), 0);
        bootmcu_write(s, IFC(CPTRA_FW_ERROR_NON_FATAL), 0);
        bootmcu_write(s, IFC(CPTRA_HW_ERROR_FATAL), UINT32_MAX);
        bootmcu_write(s, IFC(CPTRA_HW_ERROR_NON_FATAL), UINT32_MAX);
    } else {
        for (i = 0; i < ASPEED_CALIPTRA_FUSE_WORDS; i++) {
            bootmcu_write(s, IFC(FUSE_UDS_SEED) + 4 * i, otp->fuse[i]);
        }
    }
    bootmcu_write(s, IFC(CPTRA_FUSE_WR_DONE),
                  R_CPTRA_FUSE_WR_DONE_DONE_MASK);
    bootmcu_log(s, "%s, mailbox user 0x%08x",
                s->warm ? "warm reset" : "fuses written",
                s->caliptra->pauser);

    flow_status = bootmcu_read(s, IFC(CPTRA_FLOW_STATUS));
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, BOOT_FSM_PS) ==
        BOOT_WAIT) {
        bootmcu_write(s, IFC(CPTRA_BOOTFSM_GO),
                      R_CPTRA_BOOTFSM_GO_GO_MASK);
    }
    /* a warm reset finds the firmware still loaded */
    bootmcu_enter(s, s->warm ? BOOTMCU_WAIT_RUNTIME : BOOTMCU_WAIT_FW,
                  BOOTMCU_STEP_NS);
}

/* take the mailbox lock and announce a command; false: try again later */
static bool bootmcu_mbox_start(AspeedBootMcuState *s, uint32_t cmd,
                               uint32_t dlen)
{
    if (FIELD_EX32(bootmcu_read(s, MBOX(MBOX_LOCK)), MBOX_LOCK, LOCK)) {
        return false;
    }
    bootmcu_write(s, MBOX(MBOX_CMD), cmd);
    bootmcu_write(s, MBOX(MBOX_DLEN), dlen);
    return true;
}

static void bootmcu_upload(AspeedBootMcuState *s)
{
    uint32_t end = MIN(s->firmware_size, s->pos + 4 * BOOTMCU_CHUNK_WORDS);

    for (; s->pos < end; s->pos += 4) {
        uint32_t word = 0;

        memcpy(&word, s->firmware + s->pos,
               MIN(4, s->firmware_size - s->pos));
        bootmcu_write(s, MBOX(MBOX_DATAIN), le32_to_cpu(word));
    }
    if (s->pos < s->firmware_size) {
        timer_mod_ns(&s->timer, bootmcu_now() +
                     BOOTMCU_CHUNK_WORDS * BOOTMCU_WORD_NS);
        return;
    }
    bootmcu_write(s, MBOX(MBOX_EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
    bootmcu_enter(s, BOOTMCU_WAIT_LOAD, BOOTMCU_STEP_NS);
}

static void bootmcu_end_load(AspeedBootMcuState *s, uint32_t status)
{
    bootmcu_write(s, MBOX(MBOX_EXECUTE), 0);
    if (status != MBOX_STATUS_CMD_COMPLETE) {
        bootmcu_fail_error(s, "firmware refused");
        return;
    }
    bootmcu_log(s, "firmware accepted");
    bootmcu_enter(s, BOOTMCU_WAIT_RUNTIME, BOOTMCU_STEP_NS);
}

/* Caliptra is up: what is left is courtesy to the person who watches */
static void bootmcu_end_fw_info(AspeedBootMcuState *s, uint32_t status)
{
    uint32_t info[FW_INFO_WORDS];
    int i;

    if (status == MBOX_STATUS_DATA_READY) {
        for (i = 0; i < FW_INFO_WORDS; i++) {
            info[i] = bootmcu_read(s, MBOX(MBOX_DATAOUT));
        }
    }
    bootmcu_write(s, MBOX(MBOX_EXECUTE), 0);
    if (status == MBOX_STATUS_DATA_READY) {
        bootmcu_log(s, "FMC %08x%08x.. SVN %u, runtime %08x%08x.. SVN %u, "
                    "PL0 user 0x%08x",
                    info[FW_INFO_FMC_DIGEST], info[FW_INFO_FMC_DIGEST + 1],
                    info[FW_INFO_FMC_SVN],
                    info[FW_INFO_RUNTIME_DIGEST],
                    info[FW_INFO_RUNTIME_DIGEST + 1],
                    info[FW_INFO_RUNTIME_SVN], info[FW_INFO_PL0_PAUSER]);
    } else {
        g_autofree char *why = bootmcu_error(s);

        bootmcu_log(s, "FW_INFO failed: %s", why);
    }
    bootmcu_set_boot_done(s, true);
    bootmcu_finish(s, BOOTMCU_DONE);
}

/*
 * Somebody has reset Caliptra, or is still holding it in reset: the boot
 * begins again, with the cores held.  Returns true if that is so.
 */
static bool bootmcu_check_reset(AspeedBootMcuState *s, uint32_t flow_status)
{
    if (s->stage <= BOOTMCU_WAIT_FUSES || s->stage == BOOTMCU_IN_RESET) {
        return false;
    }
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, BOOT_FSM_PS) ==
        BOOT_IDLE) {
        bootmcu_set_boot_done(s, false);
        bootmcu_enter(s, BOOTMCU_IN_RESET, BOOTMCU_RESET_NS);
        s->deadline = bootmcu_now() + BOOTMCU_RESET_NS;
        return true;
    }
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FUSES)) {
        bootmcu_set_boot_done(s, false);
        bootmcu_enter(s, BOOTMCU_WAIT_FUSES, BOOTMCU_STEP_NS);
        return true;
    }
    return false;
}

static void bootmcu_in_reset(AspeedBootMcuState *s, uint32_t flow_status)
{
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FUSES)) {
        bootmcu_enter(s, BOOTMCU_WAIT_FUSES, BOOTMCU_STEP_NS);
    } else if (bootmcu_now() < s->deadline) {
        timer_mod_ns(&s->timer, s->deadline);
    } else if (bootmcu_read(s, SCUIO(CPTRA_CTRL)) &
               ASPEED_SCUIO_CPTRA_CTRL_PWRGOOD) {
        bootmcu_enter(s, BOOTMCU_RELEASE, BOOTMCU_STEP_NS);
    } else {
        bootmcu_enter(s, BOOTMCU_POWER_UP, BOOTMCU_STEP_NS);
    }
}

static void bootmcu_step(void *opaque)
{
    AspeedBootMcuState *s = opaque;
    uint32_t flow_status = bootmcu_read(s, IFC(CPTRA_FLOW_STATUS));
    uint32_t status;

    bootmcu_feed_trng(s);
    if (bootmcu_check_reset(s, flow_status)) {
        return;
    }

    switch (s->stage) {
    case BOOTMCU_POWER_UP:
        bootmcu_power_up(s);
        break;
    case BOOTMCU_RELEASE:
        bootmcu_release(s);
        break;
    case BOOTMCU_IN_RESET:
        bootmcu_in_reset(s, flow_status);
        break;
    case BOOTMCU_WAIT_FUSES:
        if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FUSES)) {
            bootmcu_program_fuses(s);
        } else {
            bootmcu_wait(s);
        }
        break;
    case BOOTMCU_WAIT_FW:
        if (!FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FW)) {
            bootmcu_wait(s);
        } else if (!bootmcu_mbox_start(s, CMD_FIRMWARE_LOAD,
                                       s->firmware_size)) {
            bootmcu_wait(s);
        } else {
            bootmcu_log(s, "loading %s, %u bytes", s->firmware_file,
                        s->firmware_size);
            s->pos = 0;
            bootmcu_enter(s, BOOTMCU_UPLOAD, BOOTMCU_STEP_NS);
        }
        break;
    case BOOTMCU_UPLOAD:
        bootmcu_upload(s);
        break;
    case BOOTMCU_WAIT_LOAD:
        status = bootmcu_mbox_status(s);
        if (status == MBOX_STATUS_CMD_BUSY) {
            bootmcu_wait(s);
        } else {
            bootmcu_end_load(s, status);
        }
        break;
    case BOOTMCU_WAIT_RUNTIME:
        if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_RUNTIME)) {
            bootmcu_enter(s, BOOTMCU_FW_INFO, BOOTMCU_STEP_NS);
        } else {
            bootmcu_wait(s);
        }
        break;
    case BOOTMCU_FW_INFO:
        if (bootmcu_mbox_start(s, CMD_FW_INFO, sizeof(uint32_t))) {
            bootmcu_write(s, MBOX(MBOX_DATAIN), CMD_FW_INFO_CHECKSUM);
            bootmcu_write(s, MBOX(MBOX_EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
            bootmcu_enter(s, BOOTMCU_WAIT_FW_INFO, BOOTMCU_STEP_NS);
        } else {
            bootmcu_wait(s);
        }
        break;
    case BOOTMCU_WAIT_FW_INFO:
        status = bootmcu_mbox_status(s);
        if (status == MBOX_STATUS_CMD_BUSY) {
            bootmcu_wait(s);
        } else {
            bootmcu_end_fw_info(s, status);
        }
        break;
    case BOOTMCU_DONE:
    case BOOTMCU_FAILED:
        if (s->error_fatal) {
            g_autofree char *why = bootmcu_error(s);

            bootmcu_log(s, "fatal error: %s", why);
            s->error_fatal = false;
        }
        break;
    default:
        g_assert_not_reached();
    }
}

/* ---- lines ---- */

/* ready_for_fuses, ready_for_fw_push, ready_for_runtime */
static void bootmcu_flow_line(void *opaque, int n, int level)
{
    bootmcu_wake(opaque);
}

static void bootmcu_data_avail_line(void *opaque, int n, int level)
{
    AspeedBootMcuState *s = opaque;

    if (s->stage == BOOTMCU_WAIT_LOAD || s->stage == BOOTMCU_WAIT_FW_INFO) {
        bootmcu_wake(s);
    }
}

static void bootmcu_etrng_req_line(void *opaque, int n, int level)
{
    if (level) {
        bootmcu_wake(opaque);
    }
}

static void bootmcu_error_fatal_line(void *opaque, int n, int level)
{
    AspeedBootMcuState *s = opaque;

    s->error_fatal = level;
    bootmcu_wake(s);
}

static const struct {
    const char *name;
    qemu_irq_handler handler;
} bootmcu_lines[] = {
    { CALIPTRA_OUT_READY_FOR_FUSES, bootmcu_flow_line },
    { CALIPTRA_OUT_READY_FOR_FW, bootmcu_flow_line },
    { CALIPTRA_OUT_READY_FOR_RUNTIME, bootmcu_flow_line },
    { CALIPTRA_OUT_MBOX_DATA_AVAIL, bootmcu_data_avail_line },
    { CALIPTRA_OUT_ERROR_FATAL, bootmcu_error_fatal_line },
    { CALIPTRA_OUT_ETRNG_REQ, bootmcu_etrng_req_line },
};

/* ---- the device ---- */

static void bootmcu_reset_hold(Object *obj, ResetType type)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(obj);

    bootmcu_set_boot_done(s, false);
    s->error_fatal = false;
    s->warm = false;
    s->pos = 0;
    bootmcu_finish(s, BOOTMCU_POWER_UP);
}

static void bootmcu_reset_exit(Object *obj, ResetType type)
{
    bootmcu_enter(ASPEED_BOOTMCU(obj), BOOTMCU_POWER_UP, BOOTMCU_STEP_NS);
}

static bool bootmcu_load_file(AspeedBootMcuState *s, Error **errp)
{
    g_autoptr(GError) gerr = NULL;
    gsize size;

    if (!s->firmware_file) {
        error_setg(errp, "a Caliptra firmware file is needed");
        return false;
    }
    if (!g_file_get_contents(s->firmware_file, (char **)&s->firmware, &size,
                             &gerr)) {
        error_setg(errp, "Caliptra firmware: %s", gerr->message);
        return false;
    }
    if (size == 0 || size > BOOTMCU_FIRMWARE_MAX) {
        error_setg(errp, "Caliptra firmware: %s has %zu bytes, must have "
                   "1 to %u", s->firmware_file, (size_t)size,
                   (unsigned)BOOTMCU_FIRMWARE_MAX);
        return false;
    }
    s->firmware_size = size;
    return true;
}

static void bootmcu_realize(DeviceState *dev, Error **errp)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(dev);
    int i;

    if (!s->memory || !s->caliptra) {
        error_setg(errp, "'memory' and 'caliptra' links must be set");
        return;
    }
    if (!bootmcu_load_file(s, errp)) {
        return;
    }
    address_space_init(&s->as, s->memory, TYPE_ASPEED_BOOTMCU);
    timer_init_ns(&s->timer, QEMU_CLOCK_VIRTUAL, bootmcu_step, s);
    for (i = 0; i < ARRAY_SIZE(bootmcu_lines); i++) {
        qdev_connect_gpio_out_named(DEVICE(s->caliptra),
                                    bootmcu_lines[i].name, 0,
                                    qdev_get_gpio_in_named(dev,
                                        bootmcu_lines[i].name, 0));
    }
}

static void bootmcu_unrealize(DeviceState *dev)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(dev);

    timer_del(&s->timer);
    address_space_destroy(&s->as);
}

static void bootmcu_finalize(Object *obj)
{
    g_free(ASPEED_BOOTMCU(obj)->firmware);
}

static bool bootmcu_get_ca35_held(Object *obj, Error **errp)
{
    return !ASPEED_BOOTMCU(obj)->boot_done;
}

static char *bootmcu_get_stage(Object *obj, Error **errp)
{
    return g_strdup(bootmcu_stage_name[ASPEED_BOOTMCU(obj)->stage]);
}

static void bootmcu_init(Object *obj)
{
    AspeedBootMcuState *s = ASPEED_BOOTMCU(obj);
    int i;

    for (i = 0; i < ARRAY_SIZE(bootmcu_lines); i++) {
        qdev_init_gpio_in_named(DEVICE(obj), bootmcu_lines[i].handler,
                                bootmcu_lines[i].name, 1);
    }
    qdev_init_gpio_out_named(DEVICE(obj), &s->boot_done_line,
                             ASPEED_BOOTMCU_BOOT_DONE, 1);
}

static bool bootmcu_post_load(void *opaque, int version_id, Error **errp)
{
    AspeedBootMcuState *s = opaque;

    if (s->stage >= BOOTMCU_STAGES || s->pos % 4 ||
        s->pos > ROUND_UP(s->firmware_size, 4)) {
        error_setg(errp, "bad BootMCU state, or another firmware file");
        return false;
    }
    return true;
}

static const VMStateDescription vmstate_bootmcu = {
    .name = TYPE_ASPEED_BOOTMCU,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = bootmcu_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(stage, AspeedBootMcuState),
        VMSTATE_BOOL(warm, AspeedBootMcuState),
        VMSTATE_UINT32(pos, AspeedBootMcuState),
        VMSTATE_INT64(deadline, AspeedBootMcuState),
        VMSTATE_BOOL(error_fatal, AspeedBootMcuState),
        VMSTATE_BOOL(boot_done, AspeedBootMcuState),
        VMSTATE_TIMER(timer, AspeedBootMcuState),
        VMSTATE_END_OF_LIST()
    },
};

static const Property bootmcu_properties[] = {
    DEFINE_PROP_LINK("memory", AspeedBootMcuState, memory,
                     TYPE_MEMORY_REGION, MemoryRegion *),
    DEFINE_PROP_LINK("caliptra", AspeedBootMcuState, caliptra,
                     TYPE_ASPEED_CALIPTRA, AspeedCaliptraState *),
    DEFINE_PROP_LINK("log", AspeedBootMcuState, log, TYPE_CALIPTRA_LOG,
                     CaliptraLog *),
    DEFINE_PROP_STRING("firmware", AspeedBootMcuState, firmware_file),
};

static void bootmcu_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->desc = "Stand-in for the ASPEED AST27x0 BootMCU";
    dc->realize = bootmcu_realize;
    dc->unrealize = bootmcu_unrealize;
    dc->vmsd = &vmstate_bootmcu;
    dc->user_creatable = false;
    device_class_set_props(dc, bootmcu_properties);
    rc->phases.hold = bootmcu_reset_hold;
    rc->phases.exit = bootmcu_reset_exit;

    object_class_property_add_bool(klass, "ca35-held", bootmcu_get_ca35_held,
                                   NULL);
    object_class_property_set_description(klass, "ca35-held",
        "Whether the CA35 cores are held until Caliptra runs");
    object_class_property_add_str(klass, "stage", bootmcu_get_stage, NULL);
    object_class_property_set_description(klass, "stage",
        "What the BootMCU is doing");
}

static const TypeInfo bootmcu_types[] = {
    {
        .name = TYPE_ASPEED_BOOTMCU,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(AspeedBootMcuState),
        .instance_init = bootmcu_init,
        .instance_finalize = bootmcu_finalize,
        .class_init = bootmcu_class_init,
    },
};

DEFINE_TYPES(bootmcu_types)
