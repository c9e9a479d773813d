/*
 * Bring-up of a Caliptra 1.x core by the SoC around it
 *
 * The order and the rules are those of the Caliptra integration
 * specification (caliptra-rtl docs/CaliptraIntegrationSpecification.md).
 *
 * It acts when a line of the core changes or a time has come, never polls
 * without end, and is idle when it has finished.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "qemu/guest-random.h"
#include "qemu/units.h"
#include "qapi/error.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/registerfields.h"
#include "migration/vmstate.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_bringup.h"
#include "hw/misc/caliptra_errors.h"
#include "hw/misc/caliptra_file.h"
#include "hw/misc/caliptra_fuses.h"
#include "hw/misc/caliptra_map.h"
#include "caliptra_regs.h"
#include "trace.h"

/* Blocks of the window, as offsets of their registers */
#define MBOX(_reg) (CALIPTRA_WINDOW_MBOX + A_##_reg)
#define IFC(_reg)  (CALIPTRA_WINDOW_SOC_IFC + A_##_reg)

/*
 * Time that passes before the answer to an event, and between two looks at
 * something that does not announce itself.  Limits are counted in looks: a
 * host that stalls QEMU takes no time from those who are waited for.
 */
#define BRINGUP_STEP_NS         (1 * SCALE_US)
#define BRINGUP_LOOK_NS         (1 * SCALE_MS)
/* Others may end a reset that they began; after this the bring-up does */
#define BRINGUP_RESET_LOOKS     10
#define BRINGUP_RESET_LOOK_NS   (100 * SCALE_US)
/* Upload: how much in one go, and how long a word takes */
#define BRINGUP_CHUNK_WORDS     4096
#define BRINGUP_WORD_NS         25
/* A minute: far beyond what any stage takes on silicon */
#define BRINGUP_TIMEOUT_LOOKS   60000
/* From the fatal error wire to the answer in the mailbox */
#define BRINGUP_FAILURE_LOOKS   10

/*
 * CPTRA_WDT_CFG, in Caliptra clocks: minutes.  It must not be 0: the ROM
 * would run with a watchdog of one clock (caliptra-sw rom/dev/src/wdt.rs).
 */
#define BRINGUP_WDT_CYCLES      (1ULL << 36)

/* Bit of CPTRA_DBG_MANUF_SERVICE_REG, and room for the CSR (caliptra-sw) */
#define BRINGUP_GENERATE_IDEVID_CSR     (1 << 0)
#define BRINGUP_CSR_MAX                 512

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

typedef enum BringupStage {
    BRINGUP_POWER_UP,
    BRINGUP_RELEASE,
    BRINGUP_WAIT_FUSES,
    BRINGUP_WAIT_FW,
    BRINGUP_UPLOAD,
    BRINGUP_WAIT_LOAD,
    BRINGUP_WAIT_RUNTIME,
    BRINGUP_FW_INFO,
    BRINGUP_WAIT_FW_INFO,
    BRINGUP_DONE,
    BRINGUP_FAILED,
    BRINGUP_IN_RESET,
    BRINGUP_STAGES,
} BringupStage;

/* for people: what the bring-up is at */
static const char * const bringup_stage_name[BRINGUP_STAGES] = {
    [BRINGUP_POWER_UP] = "power-up",
    [BRINGUP_RELEASE] = "reset release",
    [BRINGUP_WAIT_FUSES] = "wait for ready_for_fuses",
    [BRINGUP_WAIT_FW] = "wait for ready_for_fw",
    [BRINGUP_UPLOAD] = "FIRMWARE_LOAD upload",
    [BRINGUP_WAIT_LOAD] = "wait for FIRMWARE_LOAD",
    [BRINGUP_WAIT_RUNTIME] = "wait for ready_for_runtime",
    [BRINGUP_FW_INFO] = "FW_INFO",
    [BRINGUP_WAIT_FW_INFO] = "wait for FW_INFO",
    [BRINGUP_DONE] = "done",
    [BRINGUP_FAILED] = "failed",
    [BRINGUP_IN_RESET] = "Caliptra in reset",
};

/* ---- the core ---- */

static uint32_t bringup_read(CaliptraBringup *b, hwaddr offset)
{
    return CALIPTRA_BRINGUP_GET_CLASS(b)->read(b, offset);
}

static void bringup_write(CaliptraBringup *b, hwaddr offset, uint32_t data)
{
    CALIPTRA_BRINGUP_GET_CLASS(b)->write(b, offset, data);
}

uint32_t caliptra_bringup_mbox_status(CaliptraBringup *b)
{
    return FIELD_EX32(bringup_read(b, MBOX(MBOX_STATUS)), MBOX_STATUS,
                      STATUS);
}

bool caliptra_bringup_mbox_start(CaliptraBringup *b, uint32_t cmd,
                                 uint32_t dlen)
{
    if (FIELD_EX32(bringup_read(b, MBOX(MBOX_LOCK)), MBOX_LOCK, LOCK)) {
        return false;
    }
    bringup_write(b, MBOX(MBOX_CMD), cmd);
    bringup_write(b, MBOX(MBOX_DLEN), dlen);
    return true;
}

/* ---- stages and time ---- */

static int64_t bringup_now(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static void bringup_wake(CaliptraBringup *b)
{
    timer_mod_anticipate_ns(&b->timer, bringup_now() + BRINGUP_STEP_NS);
}

/* go on with @stage at @delay from now; it may last until the timeout */
static void bringup_enter(CaliptraBringup *b, BringupStage stage,
                          int64_t delay)
{
    trace_caliptra_bringup_stage(bringup_stage_name[stage]);
    b->stage = stage;
    b->looks = BRINGUP_TIMEOUT_LOOKS;
    timer_mod_ns(&b->timer, bringup_now() + delay);
}

/* nothing more to do until a line changes */
static void bringup_finish(CaliptraBringup *b, BringupStage stage)
{
    trace_caliptra_bringup_stage(bringup_stage_name[stage]);
    b->stage = stage;
    timer_del(&b->timer);
}

void caliptra_bringup_log_power(CaliptraBringup *b, uint32_t security_state)
{
    static const char * const lifecycle[] = {
        "unprovisioned", "manufacturing", "undefined", "production"
    };

    caliptra_log(b->log, "power good, lifecycle %s, debug %s",
                 lifecycle[FIELD_EX32(security_state, CPTRA_SECURITY_STATE,
                                      DEVICE_LIFECYCLE)],
                 FIELD_EX32(security_state, CPTRA_SECURITY_STATE,
                            DEBUG_LOCKED) ? "locked" : "unlocked");
}

/* ---- failure ---- */

char *caliptra_bringup_error(CaliptraBringup *b)
{
    uint32_t code = bringup_read(b, IFC(CPTRA_FW_ERROR_FATAL));
    const char *cause;

    if (!code) {
        code = bringup_read(b, IFC(CPTRA_FW_ERROR_NON_FATAL));
    }
    if (!code) {
        code = bringup_read(b, IFC(CPTRA_HW_ERROR_FATAL));
        return code ? g_strdup_printf("hardware error, "
                                      "CPTRA_HW_ERROR_FATAL 0x%x", code) :
               g_strdup("Caliptra does not say why");
    }
    cause = caliptra_error_cause(code);
    return g_strdup_printf("%s (0x%08x)%s%s", caliptra_error_name(code), code,
                           *cause ? ": " : "", cause);
}

void caliptra_bringup_fail(CaliptraBringup *b, const char *what,
                           const char *why)
{
    b->error_fatal = false;
    bringup_finish(b, BRINGUP_FAILED);
    CALIPTRA_BRINGUP_GET_CLASS(b)->failed(b, what, why);
}

static void bringup_fail_error(CaliptraBringup *b, const char *what)
{
    g_autofree char *why = caliptra_bringup_error(b);

    caliptra_bringup_fail(b, what, why);
}

/*
 * A stage that waits ends here each time that its condition is not yet met:
 * with the failure that Caliptra reports, with the timeout, or with the
 * timer set for the next look.  Lines wake it earlier, but not all that it
 * waits for has one: a mailbox that becomes free, a loss of power.
 */
static void bringup_wait(CaliptraBringup *b)
{
    if (b->error_fatal && b->stage != BRINGUP_WAIT_LOAD) {
        bringup_fail_error(b, "Caliptra stopped");
        return;
    }
    if (b->error_fatal) {
        /* the mailbox will say so too */
        b->looks = MIN(b->looks, BRINGUP_FAILURE_LOOKS);
    }
    if (b->looks == 0) {
        if (b->error_fatal) {
            bringup_fail_error(b, "Caliptra stopped");
        } else {
            caliptra_bringup_fail(b, "Caliptra does not answer",
                                  bringup_stage_name[b->stage]);
        }
        return;
    }
    b->looks--;
    timer_mod_ns(&b->timer, bringup_now() + BRINGUP_LOOK_NS);
}

/* ---- what the stages do ---- */

/*
 * Entropy on demand (caliptra-rtl CaliptraIntegrationSpecification.md,
 * "TRNG REQ HW API"), in every stage and afterwards.
 */
static void bringup_feed_trng(CaliptraBringup *b)
{
    uint8_t noise[4 * CALIPTRA_TRNG_WORDS];
    uint32_t words[CALIPTRA_TRNG_WORDS];
    int i;

    if (FIELD_EX32(bringup_read(b, IFC(CPTRA_TRNG_STATUS)),
                   CPTRA_TRNG_STATUS, DATA_REQ) == 0) {
        return;
    }
    qemu_guest_getrandom_nofail(noise, sizeof(noise));
    caliptra_bytes_to_words(words, noise, CALIPTRA_TRNG_WORDS);
    for (i = 0; i < CALIPTRA_TRNG_WORDS; i++) {
        bringup_write(b, IFC(CPTRA_TRNG_DATA) + 4 * i, words[i]);
    }
    bringup_write(b, IFC(CPTRA_TRNG_STATUS),
                  R_CPTRA_TRNG_STATUS_DATA_WR_DONE_MASK);
}

static void bringup_power_up(CaliptraBringup *b)
{
    CaliptraBringupClass *bc = CALIPTRA_BRINGUP_GET_CLASS(b);

    if (bc->power_up(b)) {
        /* at least 10 clocks of Caliptra from power good to reset release */
        bringup_enter(b, BRINGUP_RELEASE, BRINGUP_STEP_NS);
    } else {
        bringup_finish(b, BRINGUP_DONE);
        bc->done(b);
    }
}

static void bringup_release(CaliptraBringup *b)
{
    CALIPTRA_BRINGUP_GET_CLASS(b)->release_reset(b);
    bringup_enter(b, BRINGUP_WAIT_FUSES, BRINGUP_STEP_NS);
}

static void bringup_program_fuses(CaliptraBringup *b)
{
    uint32_t flow_status;
    int i;

    b->warm = FIELD_EX32(bringup_read(b, IFC(CPTRA_RESET_REASON)),
                         CPTRA_RESET_REASON, WARM_RESET);

    bringup_write(b, IFC(CPTRA_MBOX_VALID_PAUSER), *b->pauser);
    bringup_write(b, IFC(CPTRA_MBOX_PAUSER_LOCK),
                  R_CPTRA_MBOX_PAUSER_LOCK_LOCK_MASK);
    bringup_write(b, IFC(CPTRA_WDT_CFG), extract64(BRINGUP_WDT_CYCLES, 0, 32));
    bringup_write(b, IFC(CPTRA_WDT_CFG) + 4,
                  extract64(BRINGUP_WDT_CYCLES, 32, 32));
    if (b->warm) {
        /*
         * The error registers survive.  Unless they are cleared, a new error
         * may not raise the wire: only bits that were 0 do.
         */
        bringup_write(b, IFC(CPTRA_FW_ERROR_FATAL), 0);
        bringup_write(b, IFC(CPTRA_FW_ERROR_NON_FATAL), 0);
        bringup_write(b, IFC(CPTRA_HW_ERROR_FATAL), UINT32_MAX);
        bringup_write(b, IFC(CPTRA_HW_ERROR_NON_FATAL), UINT32_MAX);
    } else {
        for (i = 0; i < CALIPTRA_FUSE_WORDS; i++) {
            bringup_write(b, IFC(FUSE_UDS_SEED) + 4 * i, b->fuse[i]);
        }
        if (b->idevid_csr) {
            bringup_write(b, IFC(CPTRA_DBG_MANUF_SERVICE_REG),
                          BRINGUP_GENERATE_IDEVID_CSR);
        }
    }
    bringup_write(b, IFC(CPTRA_FUSE_WR_DONE),
                  R_CPTRA_FUSE_WR_DONE_DONE_MASK);
    caliptra_log(b->log, "%s, mailbox user 0x%08x",
                 b->warm ? "warm reset" : "fuses written", *b->pauser);

    flow_status = bringup_read(b, IFC(CPTRA_FLOW_STATUS));
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, BOOT_FSM_PS) ==
        BOOT_WAIT) {
        bringup_write(b, IFC(CPTRA_BOOTFSM_GO),
                      R_CPTRA_BOOTFSM_GO_GO_MASK);
    }
    /* a warm reset finds the firmware still loaded */
    bringup_enter(b, b->warm ? BRINGUP_WAIT_RUNTIME : BRINGUP_WAIT_FW,
                  BRINGUP_STEP_NS);
}

/*
 * ROM has put the CSR for its IDevID key into the mailbox, and goes on when
 * the request for it ends (caliptra-sw rom/dev/README.md, "Manufacturing
 * Flow").  The runtime gives it, too: GET_IDEV_CSR.
 */
static void bringup_take_csr(CaliptraBringup *b)
{
    CaliptraBringupClass *bc = CALIPTRA_BRINGUP_GET_CLASS(b);
    uint32_t len = MIN(bringup_read(b, MBOX(MBOX_DLEN)), BRINGUP_CSR_MAX);
    uint8_t csr[BRINGUP_CSR_MAX];
    uint32_t pos;

    for (pos = 0; pos < len; pos += 4) {
        stl_le_p(csr + pos, bringup_read(b, MBOX(MBOX_DATAOUT)));
    }
    bringup_write(b, IFC(CPTRA_DBG_MANUF_SERVICE_REG), 0);
    if (bc->csr) {
        bc->csr(b, csr, len);
    }
    bringup_enter(b, BRINGUP_WAIT_FW, BRINGUP_STEP_NS);
}

static void bringup_upload(CaliptraBringup *b)
{
    uint32_t end = MIN(b->firmware_size, b->pos + 4 * BRINGUP_CHUNK_WORDS);

    for (; b->pos < end; b->pos += 4) {
        uint32_t word = 0;

        memcpy(&word, b->firmware + b->pos,
               MIN(4, b->firmware_size - b->pos));
        bringup_write(b, MBOX(MBOX_DATAIN), le32_to_cpu(word));
    }
    if (b->pos < b->firmware_size) {
        timer_mod_ns(&b->timer, bringup_now() +
                     BRINGUP_CHUNK_WORDS * BRINGUP_WORD_NS);
        return;
    }
    b->pos = 0;
    bringup_write(b, MBOX(MBOX_EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
    bringup_enter(b, BRINGUP_WAIT_LOAD, BRINGUP_STEP_NS);
}

static void bringup_end_load(CaliptraBringup *b, uint32_t status)
{
    bringup_write(b, MBOX(MBOX_EXECUTE), 0);
    if (status != MBOX_STATUS_CMD_COMPLETE) {
        bringup_fail_error(b, "firmware refused");
        return;
    }
    caliptra_log(b->log, "firmware accepted");
    bringup_enter(b, BRINGUP_WAIT_RUNTIME, BRINGUP_STEP_NS);
}

/* Caliptra is up: what is left is courtesy to the person who watches */
static void bringup_end_fw_info(CaliptraBringup *b, uint32_t status)
{
    uint32_t info[FW_INFO_WORDS];
    int i;

    if (status == MBOX_STATUS_DATA_READY) {
        for (i = 0; i < FW_INFO_WORDS; i++) {
            info[i] = bringup_read(b, MBOX(MBOX_DATAOUT));
        }
    }
    bringup_write(b, MBOX(MBOX_EXECUTE), 0);
    if (status == MBOX_STATUS_DATA_READY) {
        caliptra_log(b->log, "FMC SVN %u %08x.., runtime SVN %u %08x.., "
                     "PL0 0x%08x", info[FW_INFO_FMC_SVN],
                     info[FW_INFO_FMC_DIGEST], info[FW_INFO_RUNTIME_SVN],
                     info[FW_INFO_RUNTIME_DIGEST], info[FW_INFO_PL0_PAUSER]);
    } else {
        g_autofree char *why = caliptra_bringup_error(b);

        caliptra_log(b->log, "FW_INFO failed: %s", why);
    }
    bringup_finish(b, BRINGUP_DONE);
    CALIPTRA_BRINGUP_GET_CLASS(b)->done(b);
}

/*
 * Somebody has reset Caliptra, or is still holding it in reset: the boot
 * begins again.  Returns true if that is so.
 */
static bool bringup_check_reset(CaliptraBringup *b, uint32_t flow_status)
{
    if (b->stage <= BRINGUP_WAIT_FUSES || b->stage == BRINGUP_IN_RESET) {
        return false;
    }
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, BOOT_FSM_PS) ==
        BOOT_IDLE) {
        CALIPTRA_BRINGUP_GET_CLASS(b)->lost(b);
        bringup_enter(b, BRINGUP_IN_RESET, BRINGUP_RESET_LOOK_NS);
        b->looks = BRINGUP_RESET_LOOKS;
        return true;
    }
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FUSES)) {
        CALIPTRA_BRINGUP_GET_CLASS(b)->lost(b);
        bringup_enter(b, BRINGUP_WAIT_FUSES, BRINGUP_STEP_NS);
        return true;
    }
    return false;
}

static void bringup_in_reset(CaliptraBringup *b, uint32_t flow_status)
{
    if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FUSES)) {
        bringup_enter(b, BRINGUP_WAIT_FUSES, BRINGUP_STEP_NS);
    } else if (--b->looks) {
        timer_mod_ns(&b->timer, bringup_now() + BRINGUP_RESET_LOOK_NS);
    } else if (CALIPTRA_BRINGUP_GET_CLASS(b)->pwrgood(b)) {
        bringup_enter(b, BRINGUP_RELEASE, BRINGUP_STEP_NS);
    } else {
        bringup_enter(b, BRINGUP_POWER_UP, BRINGUP_STEP_NS);
    }
}

static void bringup_step(void *opaque)
{
    CaliptraBringup *b = opaque;
    CaliptraBringupClass *bc = CALIPTRA_BRINGUP_GET_CLASS(b);
    uint32_t flow_status = bringup_read(b, IFC(CPTRA_FLOW_STATUS));
    uint32_t status;

    bringup_feed_trng(b);
    if (bringup_check_reset(b, flow_status)) {
        return;
    }

    switch (b->stage) {
    case BRINGUP_POWER_UP:
        bringup_power_up(b);
        break;
    case BRINGUP_RELEASE:
        bringup_release(b);
        break;
    case BRINGUP_IN_RESET:
        bringup_in_reset(b, flow_status);
        break;
    case BRINGUP_WAIT_FUSES:
        if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_FUSES)) {
            bringup_program_fuses(b);
        } else {
            bringup_wait(b);
        }
        break;
    case BRINGUP_WAIT_FW:
        if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, IDEVID_CSR_READY) &&
            bringup_read(b, IFC(CPTRA_DBG_MANUF_SERVICE_REG))) {
            bringup_take_csr(b);
        } else if (!FIELD_EX32(flow_status, CPTRA_FLOW_STATUS,
                               READY_FOR_FW)) {
            bringup_wait(b);
        } else if (bc->firmware && !bc->firmware(b)) {
            if (b->stage == BRINGUP_WAIT_FW) {
                bringup_wait(b);
            }
        } else if (!caliptra_bringup_mbox_start(b, CMD_FIRMWARE_LOAD,
                                                b->firmware_size)) {
            bringup_wait(b);
        } else {
            caliptra_log(b->log, "loading %s, %u bytes", b->firmware_name,
                         b->firmware_size);
            b->pos = 0;
            bringup_enter(b, BRINGUP_UPLOAD, BRINGUP_STEP_NS);
        }
        break;
    case BRINGUP_UPLOAD:
        bringup_upload(b);
        break;
    case BRINGUP_WAIT_LOAD:
        status = caliptra_bringup_mbox_status(b);
        if (status == MBOX_STATUS_CMD_BUSY) {
            bringup_wait(b);
        } else {
            bringup_end_load(b, status);
        }
        break;
    case BRINGUP_WAIT_RUNTIME:
        if (FIELD_EX32(flow_status, CPTRA_FLOW_STATUS, READY_FOR_RUNTIME)) {
            bringup_enter(b, BRINGUP_FW_INFO, BRINGUP_STEP_NS);
        } else {
            bringup_wait(b);
        }
        break;
    case BRINGUP_FW_INFO:
        if (caliptra_bringup_mbox_start(b, CMD_FW_INFO, sizeof(uint32_t))) {
            bringup_write(b, MBOX(MBOX_DATAIN), CMD_FW_INFO_CHECKSUM);
            bringup_write(b, MBOX(MBOX_EXECUTE), R_MBOX_EXECUTE_EXECUTE_MASK);
            bringup_enter(b, BRINGUP_WAIT_FW_INFO, BRINGUP_STEP_NS);
        } else {
            bringup_wait(b);
        }
        break;
    case BRINGUP_WAIT_FW_INFO:
        status = caliptra_bringup_mbox_status(b);
        if (status == MBOX_STATUS_CMD_BUSY) {
            bringup_wait(b);
        } else {
            bringup_end_fw_info(b, status);
        }
        break;
    case BRINGUP_DONE:
    case BRINGUP_FAILED:
        if (b->error_fatal) {
            g_autofree char *why = caliptra_bringup_error(b);

            caliptra_log(b->log, "fatal error: %s", why);
            b->error_fatal = false;
        }
        break;
    default:
        g_assert_not_reached();
    }
}

/* ---- lines ---- */

/* ready_for_fuses, ready_for_fw_push, ready_for_runtime */
static void bringup_flow_line(void *opaque, int n, int level)
{
    bringup_wake(opaque);
}

static void bringup_data_avail_line(void *opaque, int n, int level)
{
    CaliptraBringup *b = opaque;

    if (b->stage == BRINGUP_WAIT_FW || b->stage == BRINGUP_WAIT_LOAD ||
        b->stage == BRINGUP_WAIT_FW_INFO) {
        bringup_wake(b);
    }
}

static void bringup_etrng_req_line(void *opaque, int n, int level)
{
    if (level) {
        bringup_wake(opaque);
    }
}

static void bringup_error_fatal_line(void *opaque, int n, int level)
{
    CaliptraBringup *b = opaque;

    b->error_fatal = level;
    bringup_wake(b);
}

static const struct {
    const char *name;
    qemu_irq_handler handler;
} bringup_lines[] = {
    { CALIPTRA_OUT_READY_FOR_FUSES, bringup_flow_line },
    { CALIPTRA_OUT_READY_FOR_FW, bringup_flow_line },
    { CALIPTRA_OUT_READY_FOR_RUNTIME, bringup_flow_line },
    { CALIPTRA_OUT_MBOX_DATA_AVAIL, bringup_data_avail_line },
    { CALIPTRA_OUT_ERROR_FATAL, bringup_error_fatal_line },
    { CALIPTRA_OUT_ETRNG_REQ, bringup_etrng_req_line },
};

/* ---- the device ---- */

static void bringup_reset_hold(Object *obj, ResetType type)
{
    CaliptraBringup *b = CALIPTRA_BRINGUP(obj);

    b->error_fatal = false;
    b->warm = false;
    b->pos = 0;
    bringup_finish(b, BRINGUP_POWER_UP);
}

static void bringup_reset_exit(Object *obj, ResetType type)
{
    bringup_enter(CALIPTRA_BRINGUP(obj), BRINGUP_POWER_UP, BRINGUP_STEP_NS);
}

bool caliptra_bringup_load_file(CaliptraBringup *b, const char *file,
                                Error **errp)
{
    size_t size;

    b->file_contents = caliptra_read_file("Caliptra firmware", file, 1,
                                          CALIPTRA_BRINGUP_FIRMWARE_MAX,
                                          &size, errp);
    if (!b->file_contents) {
        return false;
    }
    b->firmware_name = file;
    b->firmware = (uint8_t *)b->file_contents;
    b->firmware_size = size;
    return true;
}

void caliptra_bringup_connect(CaliptraBringup *b, DeviceState *core)
{
    int i;

    for (i = 0; i < ARRAY_SIZE(bringup_lines); i++) {
        qdev_connect_gpio_out_named(core, bringup_lines[i].name, 0,
                                    qdev_get_gpio_in_named(DEVICE(b),
                                        bringup_lines[i].name, 0));
    }
}

void caliptra_bringup_stop(CaliptraBringup *b)
{
    timer_del(&b->timer);
}

static char *bringup_get_stage(Object *obj, Error **errp)
{
    return g_strdup(bringup_stage_name[CALIPTRA_BRINGUP(obj)->stage]);
}

static void bringup_init(Object *obj)
{
    CaliptraBringup *b = CALIPTRA_BRINGUP(obj);
    int i;

    for (i = 0; i < ARRAY_SIZE(bringup_lines); i++) {
        qdev_init_gpio_in_named(DEVICE(obj), bringup_lines[i].handler,
                                bringup_lines[i].name, 1);
    }
    timer_init_ns(&b->timer, QEMU_CLOCK_VIRTUAL, bringup_step, b);
}

static void bringup_finalize(Object *obj)
{
    g_free(CALIPTRA_BRINGUP(obj)->file_contents);
}

static bool bringup_post_load(void *opaque, int version_id, Error **errp)
{
    CaliptraBringup *b = opaque;

    if (b->stage >= BRINGUP_STAGES || b->pos % 4 ||
        b->pos > ROUND_UP(b->firmware_size, 4) ||
        b->looks > BRINGUP_TIMEOUT_LOOKS ||
        (b->stage == BRINGUP_IN_RESET && b->looks == 0) ||
        (b->stage != BRINGUP_POWER_UP && b->stage != BRINGUP_DONE &&
         b->stage != BRINGUP_FAILED && !timer_pending(&b->timer))) {
        error_setg(errp, "bad state of the bring-up, or another firmware "
                   "file");
        return false;
    }
    return true;
}

const VMStateDescription vmstate_caliptra_bringup = {
    .name = TYPE_CALIPTRA_BRINGUP,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load_errp = bringup_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(stage, CaliptraBringup),
        VMSTATE_BOOL(warm, CaliptraBringup),
        VMSTATE_UINT32(pos, CaliptraBringup),
        VMSTATE_UINT32(looks, CaliptraBringup),
        VMSTATE_BOOL(error_fatal, CaliptraBringup),
        VMSTATE_TIMER(timer, CaliptraBringup),
        VMSTATE_END_OF_LIST()
    },
};

static const Property bringup_properties[] = {
    DEFINE_PROP_LINK("log", CaliptraBringup, log, TYPE_CALIPTRA_LOG,
                     CaliptraLog *),
    DEFINE_PROP_BOOL("idevid-csr", CaliptraBringup, idevid_csr, false),
};

static void bringup_class_init(ObjectClass *klass, const void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    ResettableClass *rc = RESETTABLE_CLASS(klass);

    dc->user_creatable = false;
    device_class_set_props(dc, bringup_properties);
    object_class_property_set_description(klass, "log",
        "Where the stages of the bring-up are told");
    object_class_property_set_description(klass, "idevid-csr",
        "Whether to ask for the CSR of the IDevID key, as a manufacturer "
        "does");
    rc->phases.hold = bringup_reset_hold;
    rc->phases.exit = bringup_reset_exit;

    object_class_property_add_str(klass, "stage", bringup_get_stage, NULL);
    object_class_property_set_description(klass, "stage",
        "How far Caliptra's bring-up is");
}

static const TypeInfo bringup_types[] = {
    {
        .name = TYPE_CALIPTRA_BRINGUP,
        .parent = TYPE_SYS_BUS_DEVICE,
        .abstract = true,
        .instance_size = sizeof(CaliptraBringup),
        .instance_init = bringup_init,
        .instance_finalize = bringup_finalize,
        .class_size = sizeof(CaliptraBringupClass),
        .class_init = bringup_class_init,
    },
};

DEFINE_TYPES(bringup_types)
