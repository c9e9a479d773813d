/*
 * Caliptra 1.x core: the internal engines
 *
 * Private to caliptra_engines.c and the engines' files, but for the size of
 * the state.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_ENGINES_H
#define HW_MISC_CALIPTRA_ENGINES_H

#include "qemu/timer.h"
#include "migration/vmstate.h"
#include "hw/misc/caliptra.h"
#include "caliptra_intr.h"
#include "caliptra_reg.h"

/* ---- state ---- */

/* What all engines have; the first member of each one's state */
typedef struct CaliptraEngine {
    uint8_t cmd;            /* the command that runs; 0: READY */
    bool valid;             /* STATUS.VALID */
    int64_t end;            /* of the command, in virtual time */
    QEMUTimer *timer;       /* for that, unless only accesses can tell */
    CaliptraIntr intr;
} CaliptraEngine;

/* A key vault client of an engine: control register and status */
typedef struct CaliptraKvClient {
    uint32_t ctrl;
    bool valid;
    uint8_t error;          /* CaliptraKvError */
} CaliptraKvClient;

typedef struct CaliptraDoe {
    CaliptraEngine e;
    uint32_t ctrl;
    uint32_t iv[4];
    /* the next flow goes on with the last ciphertext block of the former */
    bool chained;
    uint32_t chain_iv[4];
    /* word of the slot that the next flow begins at */
    uint8_t dest_offset;
    /* until power-off */
    bool uds_flow_done;
    bool fe_flow_done;
    bool secrets_cleared;
} CaliptraDoe;

typedef struct CaliptraEcc {
    CaliptraEngine e;
    /* ZEROIZE clears from here to privkey_in */
    uint32_t seed[12];
    uint32_t msg[12];
    uint32_t privkey_out[12];
    uint32_t pubkey_x[12];
    uint32_t pubkey_y[12];
    uint32_t sign_r[12];
    uint32_t sign_s[12];
    uint32_t verify_r[12];
    uint32_t nonce[12];
    uint32_t privkey_in[12];
    CaliptraKvClient rd_pkey;
    CaliptraKvClient rd_seed;
    CaliptraKvClient wr_pkey;
    /* loaded from the vault: locked until a command has used it */
    bool seed_present;
    bool pkey_present;
    /* the verdict on a point off the curve is kept (pk_chk_reg) */
    bool off_curve;
    /* no state: constants */
    CaliptraP384 *curve;
} CaliptraEcc;

typedef struct CaliptraHmac {
    CaliptraEngine e;
    uint32_t key[12];
    uint32_t block[32];
    uint32_t tag[12];
    uint64_t h[8];          /* inner hash */
    uint32_t result[12];    /* of the running command */
    CaliptraKvClient rd_key;
    CaliptraKvClient rd_block;
    CaliptraKvClient wr;
    bool key_present;       /* KEY was loaded from the vault */
    bool data_present;      /* KEY or BLOCK was */
    uint32_t block_lock;    /* words of BLOCK that refuse writes */
} CaliptraHmac;

typedef struct CaliptraSha512Engine {
    CaliptraEngine e;
    uint8_t mode;
    bool last;
    uint32_t block[32];
    uint32_t block_lock;
    uint64_t h[8];
    uint32_t digest[16];
    CaliptraKvClient rd;
    CaliptraKvClient wr;
    bool rd_stuck;          /* vault read without end, see vault_read */
    bool data_present;      /* of such a read */
    bool extend;            /* PCR hash extend pending */
    uint8_t extend_pcr;
    uint32_t nonce[8];
    bool quote_valid;       /* GEN_PCR_HASH_STATUS.VALID */
    uint32_t quote[12];
} CaliptraSha512Engine;

typedef struct CaliptraSha256Engine {
    CaliptraEngine e;
    bool mode;
    uint8_t wntz_w;
    bool wntz_n_mode;
    uint32_t block[16];
    uint32_t h[8];
    uint32_t digest[8];
} CaliptraSha256Engine;

typedef struct CaliptraEngines {
    CaliptraDoe doe;
    CaliptraEcc ecc;
    CaliptraHmac hmac;
    CaliptraSha512Engine sha512;
    CaliptraSha256Engine sha256;
} CaliptraEngines;

/* ---- what all engines share (caliptra_engines.c) ---- */

/* Interrupts that engines raise: bits of their interrupt blocks */
#define ENGINE_NOTIF_CMD_DONE   0

#define ENGINE_ERROR_BITS       4

/* The enable bits of all read clients and of all write clients */
#define KV_READ_EN  R_HMAC384_KV_RD_KEY_CTRL_READ_EN_MASK
#define KV_WRITE_EN R_HMAC384_KV_WR_CTRL_WRITE_EN_MASK

/* ---- one file an engine ---- */

typedef struct CaliptraEngineInfo {
    const char *name;       /* for traces */
    size_t engine;          /* offset of its state in CaliptraState */
    size_t size;            /* of that state */
    /* from here on it survives a warm reset; @size: nothing does */
    size_t cold;
    unsigned n_error;       /* error events of its interrupt block */
    /* up to the interrupt block */
    CaliptraRegBlock regs;
    /* the running command ends */
    void (*done)(CaliptraState *s);
    /* what ZEROIZE does, or of DOE, CLEAR_OBF_SECRETS */
    void (*zeroize)(CaliptraState *s);
    /* after a reset, what does not start from 0; NULL: all does */
    void (*reset)(CaliptraState *s);
} CaliptraEngineInfo;

extern const CaliptraEngineInfo caliptra_engine_doe;
extern const CaliptraEngineInfo caliptra_engine_ecc;
extern const CaliptraEngineInfo caliptra_engine_hmac;
extern const CaliptraEngineInfo caliptra_engine_sha512;
extern const CaliptraEngineInfo caliptra_engine_sha256;

extern const VMStateDescription vmstate_caliptra_doe;
extern const VMStateDescription vmstate_caliptra_ecc;
extern const VMStateDescription vmstate_caliptra_hmac;
extern const VMStateDescription vmstate_caliptra_sha512;
extern const VMStateDescription vmstate_caliptra_sha256;

/* ---- commands in time ---- */

/**
 * caliptra_engine_start: begin a command
 * @s: the core
 * @info: the engine
 * @cmd: number of the command, not 0
 * @ns: nanoseconds of virtual time until the engine's done() is called
 */
void caliptra_engine_start(CaliptraState *s, const CaliptraEngineInfo *info,
                           unsigned cmd, int64_t ns);
/* end it without a result: not VALID */
void caliptra_engine_abort(CaliptraEngine *e);
/* end it: VALID, and the notification */
void caliptra_engine_done(CaliptraState *s, const CaliptraEngineInfo *info);
/* The flush lasts as long as a fatal error does: nothing is ever READY */
bool caliptra_engine_ready(CaliptraState *s, const CaliptraEngine *e);
/* READY and VALID, as each engine's STATUS has them */
uint32_t caliptra_engine_status(CaliptraState *s, const CaliptraEngine *e);
/* A guest error: a control register did not take what was written to it */
void caliptra_engine_refused(CaliptraState *s, const CaliptraReg *r);

/* ---- ports to the key vault ---- */

/* How a client of the key vault is wired; the registers' .arg */
typedef struct CaliptraKvPort {
    size_t client;          /* offset of its CaliptraKvClient in the core */
    /* of a read client: the KV_DEST_* bit that a slot must have */
    uint32_t use;
    /* it takes the slot's words (zeros if refused), most significant first */
    void (*load)(CaliptraState *s, const uint32_t words[12],
                 unsigned last_dword);
} CaliptraKvPort;

/* Registers of a client; @member of CaliptraEngines */
#define CALIPTRA_KV_READ(reg, member, port) \
    CALIPTRA_REG(reg, 1, .store = CALIPTRA_REG_AT(engines.member.ctrl), \
                 .uc = ~KV_READ_EN, .post_write = caliptra_kv_read_write, \
                 .arg = (port))
#define CALIPTRA_KV_WRITE(reg, member, port) \
    CALIPTRA_REG(reg, 1, .store = CALIPTRA_REG_AT(engines.member.ctrl), \
                 .uc = CALIPTRA_REG_ALL, \
                 .post_write = caliptra_kv_write_write, .arg = (port))
#define CALIPTRA_KV_STATUS(reg, port) \
    CALIPTRA_REG(reg, 1, .read = caliptra_kv_status_read, .arg = (port))

/* hooks of these registers */
uint32_t caliptra_kv_status_read(CaliptraState *s, const CaliptraReg *r,
                                 unsigned i);
void caliptra_kv_read_write(CaliptraState *s, const CaliptraReg *r, unsigned i,
                            uint32_t data, bool soc);
void caliptra_kv_write_write(CaliptraState *s, const CaliptraReg *r,
                             unsigned i, uint32_t data, bool soc);

/* is the next result to go to the vault? */
bool caliptra_kv_client_armed(const CaliptraKvClient *c);
/* store a result, once */
void caliptra_kv_client_write(CaliptraState *s, CaliptraKvClient *c,
                              const uint32_t words[12]);

extern const VMStateDescription vmstate_caliptra_engine;
extern const VMStateDescription vmstate_caliptra_kv_client;

/* ---- NAME and VERSION ---- */

/* The first four registers of an engine; @id: four words */
#define CALIPTRA_ENGINE_ID(reg, id) \
    CALIPTRA_REG(reg##_NAME, 4, .read = caliptra_engine_id_read, .arg = (id))

uint32_t caliptra_engine_id_read(CaliptraState *s, const CaliptraReg *r,
                                 unsigned i);

#endif /* HW_MISC_CALIPTRA_ENGINES_H */
