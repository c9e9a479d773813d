/*
 * Caliptra 1.x core: private state, hardware side
 *
 * One struct a block, and the narrow interface of each.  The hardware
 * side knows nothing of firmware: it posts events to a caliptra-uc and lets
 * go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_INTERNAL_H
#define HW_MISC_CALIPTRA_INTERNAL_H

#include "qemu/timer.h"
#include "hw/core/sysbus.h"
#include "hw/core/irq.h"
#include "hw/core/clock.h"
#include "migration/vmstate.h"
#include "hw/misc/caliptra.h"
#include "hw/misc/caliptra_uc.h"
#include "caliptra_crypto.h"
#include "caliptra_engines.h"
#include "caliptra_intr.h"
#include "caliptra_reg.h"
#include "caliptra_regs.h"
#include "caliptra_time.h"

/* ---- mailbox (caliptra_mbox.c) ---- */

#define CALIPTRA_MBOX_WORDS (CALIPTRA_MBOX_SRAM_SIZE / 4)

typedef struct CaliptraMbox {
    uint8_t fsm;                /* mbox_status.mbox_fsm_ps */
    bool lock;
    bool soc_has_lock;
    uint32_t user;              /* who took the lock last */
    uint32_t cmd;
    uint32_t dlen;              /* bytes */
    uint32_t datain;
    uint32_t dataout;           /* the word that a pop returns */
    bool execute;
    uint8_t status;
    bool ecc_single;
    bool ecc_double;
    /* words; *_full: the pointer has passed the last one and stays there */
    uint32_t wrptr;
    bool wr_full;
    uint32_t rdptr;
    bool rd_full;
    uint32_t dlen_dw;           /* words that the receiver may read */
    /*
     * Fault injection: this is XORed to every word that comes out of the
     * SRAM, [31:0] data, [38:32] check bits; at most two bits
     */
    uint64_t sram_flip;
    uint32_t sram[CALIPTRA_MBOX_WORDS];
} CaliptraMbox;

extern const VMStateDescription vmstate_caliptra_mbox;

/* domain warm, except the SRAM, which a power cycle alone clears */
void caliptra_mbox_reset(CaliptraState *s, CaliptraReset kind);

/**
 * caliptra_mbox_soc_read / _soc_write: the SoC's accesses to the CSR page
 * @s: the core
 * @offset: within the 4 KiB page; holes and addresses that are not aligned
 *          select no register, but such a write counts for the protocol
 * @pauser: a user that caliptra_soc_ifc_mbox_user_ok() has accepted
 * @data: word in host order
 *
 * Source: caliptra-rtl mbox.sv.
 */
uint32_t caliptra_mbox_soc_read(CaliptraState *s, hwaddr offset,
                                uint32_t pauser);
void caliptra_mbox_soc_write(CaliptraState *s, hwaddr offset,
                             uint32_t pauser, uint32_t data);

/**
 * caliptra_mbox_uc_read / _uc_write: the microcontroller's
 * @s: the core
 * @offset: within the 4 KiB page
 * @data: word in host order
 */
uint32_t caliptra_mbox_uc_read(CaliptraState *s, hwaddr offset);
void caliptra_mbox_uc_write(CaliptraState *s, hwaddr offset, uint32_t data);

/**
 * caliptra_mbox_sram_read / _sram_write: the microcontroller's direct view
 * @s: the core
 * @offset: bytes, below CALIPTRA_MBOX_SRAM_SIZE
 * @data: word in host order
 *
 * Reads 0 and drops writes while it may not use the data.
 */
uint32_t caliptra_mbox_sram_read(CaliptraState *s, hwaddr offset);
void caliptra_mbox_sram_write(CaliptraState *s, hwaddr offset, uint32_t data);

/**
 * caliptra_mbox_sha_read: a word for the SHA accelerator, without a lock
 * @s: the core
 * @index: word, below CALIPTRA_MBOX_WORDS
 */
uint32_t caliptra_mbox_sha_read(CaliptraState *s, unsigned index);

/* the debug port's view: mbox_dataout pops without an ownership check */
uint32_t caliptra_mbox_tap_dataout(CaliptraState *s);
/* a register without the side effects of a read; mbox_dataout is 0 */
uint32_t caliptra_mbox_peek(const CaliptraMbox *m, hwaddr offset);
uint32_t caliptra_mbox_status(const CaliptraMbox *m);
/* the state's name, as in mbox_csr.rdl */
const char *caliptra_mbox_fsm_name(const CaliptraMbox *m);

/* ---- SoC interface registers (caliptra_soc_ifc.c) ---- */

/* 0x000..0x64C; the interrupt block is apart */
#define CALIPTRA_SOC_IFC_REGS   (0x650 / 4)

#define CALIPTRA_MBOX_USERS     5
#define CALIPTRA_UDS_WORDS      12
#define CALIPTRA_FE_WORDS       8

typedef struct CaliptraSocIfc {
    uint32_t regs[CALIPTRA_SOC_IFC_REGS];
    CaliptraIntr intr;
    /* CPTRA_FUSE_WR_DONE was written since the last reset */
    bool fuse_wr_done_observed;
    /* the two error wires; they do not simply follow the registers */
    bool error_fatal;
    bool error_non_fatal;
    /*
     * mtime is the core's clock count plus this.  The halves of a software
     * write go through the register, so a carry between them is not lost.
     */
    uint64_t mtime_offset;
    /* watchdog: both counters as they were at clock count wdt_ticks */
    uint64_t wdt_count[2];
    uint64_t wdt_ticks;
    /* edge detectors of the two timeouts */
    bool wdt_timeout[2];
    /* both only stand for the next moment that matters; not migrated */
    QEMUTimer *mtime_timer;
    QEMUTimer *wdt_timer;
} CaliptraSocIfc;

extern const VMStateDescription vmstate_caliptra_soc_ifc;

void caliptra_soc_ifc_init(CaliptraState *s);
void caliptra_soc_ifc_finalize(CaliptraState *s);
/* arm the timers from the registers */
void caliptra_soc_ifc_post_load(CaliptraState *s);
void caliptra_soc_ifc_reset(CaliptraState *s, CaliptraReset kind);
/* cptra_noncore_rst_b rises; @power_cycle: it is a cold reset */
void caliptra_soc_ifc_release(CaliptraState *s, bool power_cycle);
/* generic_input_wires or scan_mode have changed */
void caliptra_soc_ifc_inputs(CaliptraState *s);
/* before and after the core's clock changes its rate */
void caliptra_soc_ifc_clock_stop(CaliptraState *s);
void caliptra_soc_ifc_clock_start(CaliptraState *s);

/**
 * caliptra_soc_ifc_soc_read / _soc_write: the SoC's accesses
 * @s: the core
 * @offset: within the 64 KiB window, of which only the first 4 KiB have
 *          registers; need not be aligned
 * @pauser: the master's user id; the fuse window is checked by the bus
 * @data: word in host order
 *
 * Source: caliptra-rtl soc_ifc_reg.rdl, soc_ifc_top.sv.
 */
uint32_t caliptra_soc_ifc_soc_read(CaliptraState *s, hwaddr offset,
                                   uint32_t pauser);
void caliptra_soc_ifc_soc_write(CaliptraState *s, hwaddr offset,
                                uint32_t pauser, uint32_t data);
/* a register without the side effects of a read, and without filters */
uint32_t caliptra_soc_ifc_peek(CaliptraState *s, hwaddr offset);

/* the microcontroller's accesses; @offset and @data as above */
uint32_t caliptra_soc_ifc_uc_read(CaliptraState *s, hwaddr offset);
void caliptra_soc_ifc_uc_write(CaliptraState *s, hwaddr offset, uint32_t data);

/* levels towards the microcontroller */
bool caliptra_soc_ifc_timer_intr(CaliptraState *s);
bool caliptra_soc_ifc_nmi_intr(CaliptraState *s);
/* debug port (TAP): the registers of caliptra-rtl soc_ifc_pkg.sv, DMI_REG_* */
uint32_t caliptra_soc_ifc_tap_read(CaliptraState *s, unsigned dmi);
void caliptra_soc_ifc_tap_write(CaliptraState *s, unsigned dmi, uint32_t data);

/* is this PAUSER on the list of valid mailbox users (soc_ifc_arb.sv)? */
bool caliptra_soc_ifc_mbox_user_ok(CaliptraState *s, uint32_t pauser);
/* may this PAUSER reach the fuse window (soc_ifc_arb.sv)? */
bool caliptra_soc_ifc_fuse_user_ok(CaliptraState *s, uint32_t pauser);

/**
 * caliptra_soc_ifc_hw_error_fatal / _non_fatal: a hardware error
 * @s: the core
 * @bits: bits of CPTRA_HW_ERROR_FATAL or CPTRA_HW_ERROR_NON_FATAL
 *
 * Raises the wire unless masked; the fatal one flushes secrets and engines
 * before the call returns.
 */
void caliptra_soc_ifc_hw_error_fatal(CaliptraState *s, uint32_t bits);
void caliptra_soc_ifc_hw_error_non_fatal(CaliptraState *s, uint32_t bits);

/* events of soc_ifc's interrupt block: SOC_IFC_ERROR_*, SOC_IFC_NOTIF_* */
void caliptra_soc_ifc_intr_error(CaliptraState *s, unsigned bit);
void caliptra_soc_ifc_intr_notif(CaliptraState *s, unsigned bit);

/*
 * What the deobfuscation engine sees of the secrets, in register words
 * (word 0 first); with debug unlocked or in scan mode all of them are ones.
 */
void caliptra_soc_ifc_obf_key(CaliptraState *s, uint32_t key[8]);
void caliptra_soc_ifc_uds_seed(CaliptraState *s, uint32_t seed[12]);
void caliptra_soc_ifc_field_entropy(CaliptraState *s, uint32_t seed[8]);
/* DOE's clear-secrets command and the flush */
void caliptra_soc_ifc_clear_secrets(CaliptraState *s);
/* debug unlocked (as latched at reset) or scan mode */
bool caliptra_debug_or_scan(CaliptraState *s);

/* ---- SHA accelerator (caliptra_sha_acc.c) ---- */

#define SHA_ACC_ERROR_BITS  4
#define SHA_ACC_NOTIF_BITS  1

typedef struct CaliptraShaAcc {
    bool lock;
    bool soc_has_lock;
    uint32_t user;
    uint32_t mode;
    uint32_t start_address;
    uint32_t dlen;
    uint32_t datain;
    bool execute;
    uint32_t digest[16];
    /* block buffer; reset alone clears it */
    uint32_t blk[32];
    /* words in it, and bytes written since the lock was taken */
    uint8_t wptr;
    uint32_t nwr;
    /* chaining value */
    uint64_t h[8];
    uint8_t fsm;
    CaliptraIntr intr;
} CaliptraShaAcc;

extern const VMStateDescription vmstate_caliptra_sha_acc;

void caliptra_sha_acc_init(CaliptraState *s);
void caliptra_sha_acc_reset(CaliptraState *s, CaliptraReset kind);
/* a register without the side effects of a read */
uint32_t caliptra_sha_acc_peek(CaliptraState *s, hwaddr offset);

/**
 * caliptra_sha_acc_soc_read / _soc_write / _uc_read / _uc_write
 * @s: the core
 * @offset: within the 4 KiB page; need not be aligned
 * @pauser: user id of the SoC's master; every one may take the lock
 * @data: word in host order
 *
 * Source: caliptra-rtl sha512_acc_top.sv.
 */
uint32_t caliptra_sha_acc_soc_read(CaliptraState *s, hwaddr offset,
                                   uint32_t pauser);
void caliptra_sha_acc_soc_write(CaliptraState *s, hwaddr offset,
                                uint32_t pauser, uint32_t data);
uint32_t caliptra_sha_acc_uc_read(CaliptraState *s, hwaddr offset);
void caliptra_sha_acc_uc_write(CaliptraState *s, hwaddr offset, uint32_t data);

/* ---- vaults (caliptra_vault.c) ---- */

#define CALIPTRA_DV_WORDS   (0x4C0 / 4)

typedef struct CaliptraVault {
    /* key vault */
    uint32_t key_ctrl[CALIPTRA_KV_SLOTS];
    uint32_t key[CALIPTRA_KV_SLOTS][CALIPTRA_KV_WORDS];
    uint32_t clear_secrets;
    /* PCR vault */
    uint32_t pcr_ctrl[CALIPTRA_PCRS];
    uint32_t pcr[CALIPTRA_PCRS][CALIPTRA_PCR_WORDS];
    /* data vault: the register page as it is laid out */
    uint32_t dv[CALIPTRA_DV_WORDS];
} CaliptraVault;

extern const VMStateDescription vmstate_caliptra_vault;

void caliptra_vault_reset(CaliptraState *s, CaliptraReset kind);

/* fill all slots, locked ones too, with the debug value (kv.sv) */
void caliptra_kv_flush(CaliptraState *s);

/**
 * caliptra_kv_read_port: an engine takes a key
 * @slot: 0..31
 * @client: the KV_DEST_* bit that the slot must have
 * @words: the slot's words, most significant first; zeros if refused
 * @last_dword: the slot's last_dword, refused or not
 *
 * Returns: KV_READ_FAIL if lock_use is set or the usage bit is missing.
 */
CaliptraKvError caliptra_kv_read_port(CaliptraState *s, unsigned slot,
                                      uint32_t client, uint32_t words[12],
                                      unsigned *last_dword);

/**
 * caliptra_kv_write_port: an engine stores a result
 * @slot: 0..31
 * @dest_valid: KV_DEST_* bits of the slot from now on
 * @offset: word that @words[0] goes to; the others follow, round the end
 * @words: most significant first
 * @n: number of words
 *
 * Returns: KV_WRITE_FAIL, and nothing changes, if either lock is set.
 */
CaliptraKvError caliptra_kv_write_port(CaliptraState *s, unsigned slot,
                                       uint32_t dest_valid, unsigned offset,
                                       const uint32_t *words, unsigned n);

/* the key of PCR signing: a wire from slot 7 past all locks and usage bits */
void caliptra_kv_signing_key(CaliptraState *s, uint32_t words[12]);

/* the hash extend and quote ports of the PCR vault; locks do not matter */
void caliptra_pcr_read_port(CaliptraState *s, unsigned pcr,
                            uint32_t words[12]);
void caliptra_pcr_write_port(CaliptraState *s, unsigned pcr,
                             const uint32_t words[12]);

extern const CaliptraRegBlock caliptra_kv_regs;
extern const CaliptraRegBlock caliptra_pv_regs;
extern const CaliptraRegBlock caliptra_dv_regs;

/* ---- engines (caliptra_engines.c) ---- */

extern const VMStateDescription vmstate_caliptra_engines;

void caliptra_engines_init(CaliptraState *s);
void caliptra_engines_finalize(CaliptraState *s);
void caliptra_engines_reset(CaliptraState *s, CaliptraReset kind);
/*
 * Global flush (caliptra_top.sv): ZEROIZE of all engines, CLEAR_OBF_SECRETS
 * of DOE.  As long as caliptra_flushing(), no engine is READY.
 */
void caliptra_engines_flush(CaliptraState *s);
/* interrupt levels; bit 2i error, 2i+1 notify of DOE, ECC, HMAC, SHA512/256 */
uint32_t caliptra_engines_wires(CaliptraState *s);

/* does an engine, a vault or the TRNG answer at this address? */
bool caliptra_internal_decodes(CaliptraState *s, uint32_t addr);

/**
 * caliptra_internal_poll: the microcontroller is about to poll a register
 * @s: the core
 * @addr: microcontroller address, any
 *
 * If it is the status register of an engine, the command that runs there ends
 * now.
 */
void caliptra_internal_poll(CaliptraState *s, uint32_t addr);

/**
 * caliptra_internal_read / _write: the blocks that only Caliptra itself sees
 * @addr: microcontroller address
 *
 * Words are in host order.  Addresses without a register read 0 and drop
 * writes.
 *
 * Returns: as caliptra_internal_decodes().
 */
bool caliptra_internal_read(CaliptraState *s, uint32_t addr, uint32_t *data);
void caliptra_internal_write(CaliptraState *s, uint32_t addr, uint32_t data);

/* ---- internal TRNG (caliptra_trng.c) ---- */

#define CALIPTRA_CSRNG_REGS         (0x044 / 4)
#define CALIPTRA_ENTROPY_SRC_REGS   (0x0E4 / 4)

typedef struct CaliptraTrng {
    uint32_t csrng[CALIPTRA_CSRNG_REGS];
    uint32_t entropy_src[CALIPTRA_ENTROPY_SRC_REGS];
    /* command that CMD_REQ has got so far, and how many words are to come */
    uint32_t cmd;
    uint8_t extra_wanted;
    uint8_t extra_have;
    uint32_t extra[12];
    /* instantiate or reseed that waits for the entropy source */
    bool seed_wanted;
    /* generator, and what GENBITS has yet to deliver */
    CaliptraCtrDrbg drbg;
    bool fips;
    uint32_t blocks_left;
    uint8_t words_left;
    uint32_t genbits[4];
} CaliptraTrng;

extern const VMStateDescription vmstate_caliptra_trng;

void caliptra_trng_reset(CaliptraState *s, CaliptraReset kind);
extern const CaliptraRegBlock caliptra_csrng_regs;
extern const CaliptraRegBlock caliptra_entropy_src_regs;

/* ---- wires ---- */

/* Output levels, packed; soc_ifc_top's port names */
enum {
    CALIPTRA_WIRE_NONCORE_RST_B = 1 << 1,
    CALIPTRA_WIRE_UC_RST_B = 1 << 2,
    CALIPTRA_WIRE_READY_FOR_FUSES = 1 << 3,
    CALIPTRA_WIRE_READY_FOR_FW = 1 << 4,
    CALIPTRA_WIRE_READY_FOR_RUNTIME = 1 << 5,
    CALIPTRA_WIRE_MBOX_DATA_AVAIL = 1 << 6,
    CALIPTRA_WIRE_MBOX_FLOW_DONE = 1 << 7,
    CALIPTRA_WIRE_ERROR_FATAL = 1 << 8,
    CALIPTRA_WIRE_ERROR_NON_FATAL = 1 << 9,
    CALIPTRA_WIRE_TRNG_REQ = 1 << 10,
    CALIPTRA_WIRE_SOC_IFC_ERROR_INTR = 1 << 11,
    CALIPTRA_WIRE_SOC_IFC_NOTIF_INTR = 1 << 12,
    CALIPTRA_WIRE_SHA_ERROR_INTR = 1 << 13,
    CALIPTRA_WIRE_SHA_NOTIF_INTR = 1 << 14,
    CALIPTRA_WIRE_TIMER_INTR = 1 << 15,
    CALIPTRA_WIRE_NMI_INTR = 1 << 16,
    CALIPTRA_WIRE_ICCM_LOCK = 1 << 17,
    CALIPTRA_WIRE_CLK_GATING_EN = 1 << 18,
    /* in the order of the engines, see caliptra_engines_wires() */
    CALIPTRA_WIRE_DOE_ERROR_INTR = 1 << 19,
    CALIPTRA_WIRE_DOE_NOTIF_INTR = 1 << 20,
    CALIPTRA_WIRE_ECC_ERROR_INTR = 1 << 21,
    CALIPTRA_WIRE_ECC_NOTIF_INTR = 1 << 22,
    CALIPTRA_WIRE_HMAC_ERROR_INTR = 1 << 23,
    CALIPTRA_WIRE_HMAC_NOTIF_INTR = 1 << 24,
    CALIPTRA_WIRE_SHA512_ERROR_INTR = 1 << 25,
    CALIPTRA_WIRE_SHA512_NOTIF_INTR = 1 << 26,
    CALIPTRA_WIRE_SHA256_ERROR_INTR = 1 << 27,
    CALIPTRA_WIRE_SHA256_NOTIF_INTR = 1 << 28,
};
#define CALIPTRA_WIRE_ENGINES_SHIFT     19
#define CALIPTRA_WIRE_ENGINES_LENGTH    10

/* those that the microcontroller sees */
#define CALIPTRA_WIRES_UC \
    (CALIPTRA_WIRE_SOC_IFC_ERROR_INTR | CALIPTRA_WIRE_SOC_IFC_NOTIF_INTR | \
     CALIPTRA_WIRE_SHA_ERROR_INTR | CALIPTRA_WIRE_SHA_NOTIF_INTR | \
     CALIPTRA_WIRE_TIMER_INTR | CALIPTRA_WIRE_NMI_INTR | \
     CALIPTRA_WIRE_ICCM_LOCK | CALIPTRA_WIRE_CLK_GATING_EN | \
     MAKE_64BIT_MASK(CALIPTRA_WIRE_ENGINES_SHIFT, \
                     CALIPTRA_WIRE_ENGINES_LENGTH))

struct CaliptraState {
    SysBusDevice parent_obj;

    /* for traces and messages: the QOM path */
    char *id;

    /* lines */
    qemu_irq out_ready_for_fuses;
    qemu_irq out_ready_for_fw;
    qemu_irq out_ready_for_runtime;
    qemu_irq out_mbox_data_avail;
    qemu_irq out_mbox_flow_done;
    qemu_irq out_error_fatal;
    qemu_irq out_error_non_fatal;
    qemu_irq out_etrng_req;

    /* output levels as last driven: CALIPTRA_WIRE_* */
    uint32_t wires;
    /* they are to be computed anew, at the end of the access that goes on */
    bool changed;

    /* inputs as they stand */
    bool in_pwrgood;
    bool in_rst_b;
    bool in_brkpoint;
    bool in_scan_mode;
    uint32_t in_security_state;
    uint32_t in_obf_key[8];
    uint64_t in_generic_wires;

    /* boot FSM, and what it has latched at the release of reset */
    uint8_t boot_fsm;
    bool power_cycled;
    bool brkpoint;
    uint8_t lifecycle;
    bool debug_locked;
    /* scan_mode as the edge detector last saw it */
    bool scan_mode;

    /* blocks */
    CaliptraMbox mbox;
    CaliptraSocIfc soc_ifc;
    CaliptraShaAcc sha_acc;
    CaliptraVault vault;
    CaliptraEngines engines;
    CaliptraTrng trng;

    Clock *clk;
    CaliptraTime time;

    /* properties */
    CaliptraUc *uc;             /* NULL: nobody */
    bool itrng;

    /* the property as a stream has it, to be the same as here */
    bool saved_itrng;
    /* a test device has it otherwise */
    bool flip_itrng;
};

/* ---- core (caliptra.c) ---- */

/**
 * caliptra_bus_read / caliptra_bus_write: one 32-bit access on the
 * microcontroller's bus
 * @s: the core
 * @addr: address as the microcontroller sees it; need not be aligned
 * @data: word in host order
 *
 * Returns: MEMTX_OK, or MEMTX_ERROR where the bus answers an error.
 */
MemTxResult caliptra_bus_read(CaliptraState *s, uint32_t addr, uint32_t *data);
MemTxResult caliptra_bus_write(CaliptraState *s, uint32_t addr, uint32_t data);

/* false where they answer MEMTX_ERROR */
bool caliptra_bus_decodes(CaliptraState *s, uint32_t addr);

/**
 * caliptra_post_event: tell whoever plays the microcontroller
 * @s: the core
 * @event: what has happened
 *
 * The receiver does not act before the access that is going on has ended.
 */
void caliptra_post_event(CaliptraState *s, CaliptraUcEvent event);

/**
 * caliptra_guest_error: a message for -d guest_errors
 * @s: the core, which is named in front
 * @fmt: printf format, without line end
 */
void caliptra_guest_error(CaliptraState *s, const char *fmt, ...)
    G_GNUC_PRINTF(2, 3);

/**
 * caliptra_changed: something has changed that an output line or the boot FSM
 * looks at
 * @s: the core
 *
 * They follow at the end of the access that goes on.
 */
void caliptra_changed(CaliptraState *s);

/* recompute output lines and the boot FSM; not from within an access */
void caliptra_update(CaliptraState *s);

/* cptra_noncore_rst_b is low: no register can be reached, no event seen */
bool caliptra_in_reset(CaliptraState *s);

/* internal_fw_update_reset.core_rst was written */
void caliptra_internal_fw_update_reset(CaliptraState *s);

/* cptra_error_fatal has risen: secrets, key vault and engines are flushed */
void caliptra_flush(CaliptraState *s);

/* does the core have the internal TRNG? */
static inline bool caliptra_has_itrng(const CaliptraState *s)
{
    return s->itrng != s->flip_itrng;
}

/* cptra_error_fatal is 1: the flush lasts until the next reset */
bool caliptra_flushing(CaliptraState *s);

/* who counts on the core's clock: see caliptra_time_watch() */
enum {
    CALIPTRA_TIME_WDT = 1 << 0,
    CALIPTRA_TIME_UC = 1 << 1,
};

/**
 * caliptra_clock_ticks: the core's clock
 * @s: the core
 *
 * It stands still while the host does not let QEMU run, if something is
 * counted against it, and while its source is off.
 *
 * Returns: clocks since the machine started.
 */
uint64_t caliptra_clock_ticks(CaliptraState *s);

/**
 * caliptra_clock_deadline: when to look for a clock count
 * @s: the core
 * @ticks: a clock count that has not been reached
 *
 * Returns: a moment of QEMU_CLOCK_VIRTUAL, for a timer that arms itself again
 * when the clock was held up; INT64_MAX if the clock does not get there, or
 * not before a CALIPTRA_UC_WAKE.
 */
int64_t caliptra_clock_deadline(CaliptraState *s, uint64_t ticks);

/* ---- the link to the microcontroller (caliptra_uc.c) ---- */

/**
 * caliptra_uc_connect: become the core of a microcontroller
 * @uc: the microcontroller
 * @s: the core
 * @errp: set when it has another core
 *
 * Returns: true on success.
 */
bool caliptra_uc_connect(CaliptraUc *uc, CaliptraState *s, Error **errp);
void caliptra_uc_disconnect(CaliptraUc *uc);

/* pass an event on; lost while the microcontroller is not realized */
void caliptra_uc_event(CaliptraUc *uc, CaliptraUcEvent event);

#endif /* HW_MISC_CALIPTRA_INTERNAL_H */
