/*
 * A SoC that uses Caliptra, over qtest
 *
 * Plays the bus master of the ast2700fc machine started with
 * caliptra-boot=guest (or watches one started with caliptra-boot=auto).
 * Nothing here shares code with the model: addresses are those of the AST2700
 * and of caliptra-rtl v1.1.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef TESTS_CALIPTRA_UTILS_H
#define TESTS_CALIPTRA_UTILS_H

#include "libqtest.h"

/* Options of the machine */
#define GUEST           "caliptra-boot=guest"
#define GUEST_LOCKED    GUEST ",caliptra-lifecycle=production," \
                        "caliptra-debug-locked=on"

/* Blocks of the window */
#define MBOX_BASE               0x14C60000
#define SHA_ACC_BASE            0x14C61000
#define IFC_BASE                0x14C70000

#define MBOX_LOCK               (MBOX_BASE + 0x00)
#define MBOX_USER               (MBOX_BASE + 0x04)
#define MBOX_CMD                (MBOX_BASE + 0x08)
#define MBOX_DLEN               (MBOX_BASE + 0x0C)
#define MBOX_DATAIN             (MBOX_BASE + 0x10)
#define MBOX_DATAOUT            (MBOX_BASE + 0x14)
#define MBOX_EXECUTE            (MBOX_BASE + 0x18)
#define MBOX_STATUS             (MBOX_BASE + 0x1C)
#define MBOX_UNLOCK             (MBOX_BASE + 0x20)

#define IFC_HW_ERROR_FATAL      (IFC_BASE + 0x000)
#define IFC_HW_ERROR_NON_FATAL  (IFC_BASE + 0x004)
#define IFC_FW_ERROR_FATAL      (IFC_BASE + 0x008)
#define IFC_FW_ERROR_NON_FATAL  (IFC_BASE + 0x00C)
#define IFC_FW_EXT_ERROR(i)     (IFC_BASE + 0x018 + 4 * (i))
#define IFC_BOOT_STATUS         (IFC_BASE + 0x038)
#define IFC_FLOW_STATUS         (IFC_BASE + 0x03C)
#define IFC_RESET_REASON        (IFC_BASE + 0x040)
#define IFC_SECURITY_STATE      (IFC_BASE + 0x044)
#define IFC_MBOX_VALID_PAUSER(i) (IFC_BASE + 0x048 + 4 * (i))
#define IFC_MBOX_PAUSER_LOCK(i) (IFC_BASE + 0x05C + 4 * (i))
#define IFC_TRNG_VALID_PAUSER   (IFC_BASE + 0x070)
#define IFC_TRNG_PAUSER_LOCK    (IFC_BASE + 0x074)
#define IFC_TRNG_DATA(i)        (IFC_BASE + 0x078 + 4 * (i))
#define IFC_TRNG_CTRL           (IFC_BASE + 0x0A8)
#define IFC_TRNG_STATUS         (IFC_BASE + 0x0AC)
#define IFC_FUSE_WR_DONE        (IFC_BASE + 0x0B0)
#define IFC_TIMER_CONFIG        (IFC_BASE + 0x0B4)
#define IFC_BOOTFSM_GO          (IFC_BASE + 0x0B8)
#define IFC_DBG_MANUF_SERVICE   (IFC_BASE + 0x0BC)
#define IFC_HW_REV_ID           (IFC_BASE + 0x0D4)
/* its lower half: Caliptra 1.1's hardware, which 1.2 runs on, is 0x11 */
#define HW_REV_ID_GENERATION    0x0011
#define IFC_FW_REV_ID(i)        (IFC_BASE + 0x0D8 + 4 * (i))
#define IFC_FUSE_VALID_PAUSER   (IFC_BASE + 0x108)
#define IFC_FUSE_PAUSER_LOCK    (IFC_BASE + 0x10C)
#define IFC_WDT_CFG(i)          (IFC_BASE + 0x110 + 4 * (i))
#define IFC_RSVD(i)             (IFC_BASE + 0x120 + 4 * (i))
#define IFC_FUSE_UDS_SEED       (IFC_BASE + 0x200)
#define IFC_FUSE_PK_HASH        (IFC_BASE + 0x250)
#define IFC_FUSE_PK_HASH_MASK   (IFC_BASE + 0x280)
#define IFC_FUSE_OWNER_PK_HASH  (IFC_BASE + 0x284)
#define IFC_FUSE_FMC_SVN        (IFC_BASE + 0x2B4)
#define IFC_FUSE_RUNTIME_SVN    (IFC_BASE + 0x2B8)
#define IFC_FUSE_ANTI_ROLLBACK_DISABLE (IFC_BASE + 0x2C8)
#define IFC_FUSE_LIFE_CYCLE     (IFC_BASE + 0x33C)
#define IFC_FUSE_LMS_VERIFY     (IFC_BASE + 0x340)
#define IFC_FUSE_LMS_REVOCATION (IFC_BASE + 0x344)
#define IFC_FUSE_SOC_STEPPING   (IFC_BASE + 0x348)
#define IFC_ERROR_INTR          (IFC_BASE + 0x814)
#define IFC_NOTIF_INTR          (IFC_BASE + 0x818)

/* CPTRA_FLOW_STATUS */
#define FLOW_READY_FOR_FW       (1u << 28)
#define FLOW_READY_FOR_RUNTIME  (1u << 29)
#define FLOW_READY_FOR_FUSES    (1u << 30)
#define FLOW_BOOT_FSM(v)        (((v) >> 25) & 7)
#define BOOT_IDLE               0
#define BOOT_FUSE               1
#define BOOT_WAIT               3
#define BOOT_DONE               4

/* CPTRA_HW_ERROR_NON_FATAL, error_internal_intr_r */
#define PROT_NO_LOCK            (1u << 0)
#define PROT_OOO                (1u << 1)
#define ERROR_INV_DEV           (1u << 1)
#define ERROR_CMD_FAIL          (1u << 2)

/* mbox_status */
#define MBOX_STATUS_STATUS(v)   ((v) & 0xF)
#define MBOX_STATUS_FSM(v)      (((v) >> 6) & 7)
#define MBOX_STATUS_SOC_LOCK(v) (((v) >> 9) & 1)
#define CMD_BUSY                0
#define DATA_READY              1
#define CMD_COMPLETE            2
#define CMD_FAILURE             3
#define FSM_IDLE                0
#define FSM_RDY_FOR_CMD         1
#define FSM_RDY_FOR_DATA        2
#define FSM_RDY_FOR_DLEN        3
#define FSM_EXECUTE_SOC         4
#define FSM_EXECUTE_UC          6
#define FSM_ERROR               7

/* SCU (SCU0): CHIP_REV_ID */
#define SCU_REV_ID              0x12C02000

/* SCUIO (SCU1) */
#define SCUIO_HWSTRAP1          0x14C02010
#define SCUIO_HWSTRAP1_CLR      0x14C02014
#define SCUIO_CPTRA_CTRL        0x14C02130
#define SCUIO_CPTRA_PWRGOOD     (1u << 0)
#define SCUIO_CPTRA_SEC(v)      ((v) << 8)
#define SCUIO_CPTRA_RDY_FOR_RT  (1u << 18)
#define SCUIO_CPTRA_OBF_KEY(i)  (0x14C02140 + 4 * (i))
#define SCUIO_RSTCTL2           0x14C02220
#define SCUIO_RSTCTL2_CLR       0x14C02224
#define SCUIO_RSTCTL2_CPTRA     (1u << 9)

/* Device lifecycle and debug lock, as SCUIO 0x130[10:8] */
#define SEC_UNPROVISIONED       0
#define SEC_MANUFACTURING       1
#define SEC_PRODUCTION          3
#define SEC_DEBUG_LOCKED        4

/* The machine's bus user */
#define PAUSER_DEFAULT          0x21212121

/* Mailbox commands */
#define CMD_FIRMWARE_LOAD       0x46574C44
#define CMD_VERSION             0x46505652
#define CMD_SELF_TEST_START     0x46504C54
#define CMD_SELF_TEST_RESULTS   0x46504C67
#define CMD_CAPABILITIES        0x43415053
#define CMD_SHUTDOWN            0x46505344
#define CMD_STASH_MEASUREMENT   0x4D454153
#define CMD_GET_IDEV_CSR        0x49444352
#define CMD_FW_INFO             0x494E464F

#define CALIPTRA_FUSE_WORDS     83      /* fuse_uds_seed .. soc_stepping_id */
#define CALIPTRA_RSP_MAX        8192

/* a register has this value */
#define check(qts, addr, value) \
    g_assert_cmphex(qtest_readl(qts, addr), ==, value)

/* CPTRA_FLOW_STATUS as it stands */
uint32_t caliptra_flow(QTestState *qts);

/* mbox_status.mbox_fsm_ps, FSM_* */
uint32_t caliptra_mbox_fsm(QTestState *qts);

/* a boot ROM that does nothing, which the machine wants to have; a file */
char *caliptra_boot_rom(void);

/**
 * caliptra_start: the machine, with Caliptra
 * @machine: machine properties, e.g. "caliptra-boot=guest"
 * @args: further command line, or ""
 *
 * Stops at the first instruction: the clock stands until it is stepped.
 */
QTestState *caliptra_start(const char *machine, const char *args);

/**
 * caliptra_set_pauser: play another bus master from now on
 * @qts: the machine
 * @pauser: its user id
 */
void caliptra_set_pauser(QTestState *qts, uint32_t pauser);

/**
 * caliptra_serve: what the SoC owes Caliptra: entropy, when it is asked for
 * @qts: the machine
 *
 * The words are a counter, so that a run is repeatable.
 */
void caliptra_serve(QTestState *qts);

/**
 * caliptra_run: let time pass, and serve entropy requests
 * @qts: the machine
 * @ms: milliseconds of virtual time
 */
void caliptra_run(QTestState *qts, unsigned ms);

/**
 * caliptra_wait: let time pass until a register has a value
 * @qts: the machine
 * @addr: of the register
 * @mask: bits to look at
 * @value: what they shall become
 *
 * Serves entropy requests meanwhile.  Returns: false after a minute of
 * virtual time, or as soon as CPTRA_FW_ERROR_FATAL is not 0.
 */
bool caliptra_wait(QTestState *qts, uint64_t addr, uint32_t mask,
                   uint32_t value);

/* the checksum of a mailbox message, without its first word */
uint32_t caliptra_checksum(uint32_t cmd, const void *payload, size_t len);

/**
 * caliptra_mbox_execute: send a command; the caller has the lock
 * @qts: the machine
 * @cmd: command word
 * @data: DATAIN stream of @len bytes, the last word zero-padded
 */
void caliptra_mbox_execute(QTestState *qts, uint32_t cmd, const void *data,
                           size_t len);

/* The same, with the lock taken first */
void caliptra_mbox_start(QTestState *qts, uint32_t cmd, const void *data,
                         size_t len);

/* wait for an answer; returns mbox_status.status */
uint32_t caliptra_mbox_wait(QTestState *qts);

/* read the response of DLEN bytes into @buf (at most @max); returns DLEN */
size_t caliptra_mbox_response(QTestState *qts, void *buf, size_t max);

/* end the command */
void caliptra_mbox_finish(QTestState *qts);

/**
 * caliptra_command: a whole command with checksum
 * @qts: the machine
 * @cmd: command word
 * @payload: request without its checksum word, @len bytes
 * @rsp: the response, header included; NULL: not wanted
 * @max: size of @rsp
 * @rsp_len: bytes in the response; may be NULL
 *
 * Returns: mbox_status.status.  Checks the checksum of the response.
 */
uint32_t caliptra_command(QTestState *qts, uint32_t cmd, const void *payload,
                          size_t len, void *rsp, size_t max, size_t *rsp_len);

/* mailbox user 0 and the watchdog period, as a SoC sets them after a reset */
void caliptra_set_user(QTestState *qts);

/**
 * caliptra_fuses_done: write fuses and let Caliptra go
 * @qts: the machine
 * @fuse: CALIPTRA_FUSE_WORDS words, or NULL: leave them
 */
void caliptra_fuses_done(QTestState *qts, const uint32_t *fuse);

/**
 * caliptra_boot_to_fw: from ready_for_fuses to ready_for_fw
 * @qts: the machine, caliptra-boot=guest
 * @fuse: as for caliptra_fuses_done()
 */
void caliptra_boot_to_fw(QTestState *qts, const uint32_t *fuse);

/**
 * caliptra_load_firmware: FIRMWARE_LOAD
 * @qts: the machine, at ready_for_fw or in runtime
 * @image: bundle of @len bytes
 *
 * Returns: mbox_status.status
 */
uint32_t caliptra_load_firmware(QTestState *qts, const void *image,
                                size_t len);

/**
 * caliptra_copy_bundle: a firmware bundle that Caliptra accepts
 * @bundle: path of the bundle; caller unlinks and frees
 * @fuses: path of the fuses that go with it, as JSON; likewise
 *
 * Copies of tests/data/caliptra, where is what scripts/caliptra/bundle.py
 * makes without options.
 */
void caliptra_copy_bundle(char **bundle, char **fuses);

/* power cycle and warm reset from the SCU; both end at ready_for_fuses */
void caliptra_power_cycle(QTestState *qts, uint32_t security_state);
void caliptra_warm_reset(QTestState *qts);

#endif /* TESTS_CALIPTRA_UTILS_H */
