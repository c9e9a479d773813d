/*
 * Caliptra 1.x core: state of the internal engines
 *
 * Private to caliptra_engines.c and the engines' files but for the size.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_ENGINES_H
#define HW_MISC_CALIPTRA_ENGINES_H

#include "qemu/timer.h"
#include "qom/object.h"
#include "migration/vmstate.h"
#include "hw/misc/caliptra.h"
#include "caliptra_intr.h"

/* the core; what is in it, caliptra_internal.h tells */
OBJECT_DECLARE_SIMPLE_TYPE(CaliptraState, CALIPTRA)

/* What all engines have */
typedef struct CaliptraEngine {
    uint8_t cmd;            /* the command that runs; 0: READY */
    bool valid;             /* STATUS.VALID */
    QEMUTimer *timer;       /* when the command ends */
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

/* NAME and VERSION, two words each, are the first registers of an engine */
#define ENGINE_ID_SIZE          16

/* The enable bits of all read clients and of all write clients */
#define KV_READ_EN  R_HMAC384_KV_RD_KEY_CTRL_READ_EN_MASK
#define KV_WRITE_EN R_HMAC384_KV_WR_CTRL_WRITE_EN_MASK

/* Registers of an engine that are plain arrays of words */
typedef struct CaliptraEngineArray {
    uint16_t offset;
    uint16_t field;         /* in the engine's struct */
    uint8_t n;
    uint8_t access;
} CaliptraEngineArray;

enum {
    ENGINE_RO = 1 << 0,
    ENGINE_WO = 1 << 1,     /* reads as 0 */
    ENGINE_RW = ENGINE_RO | ENGINE_WO,
};

#define ENGINE_ARRAY(reg, type, member, access) \
    { A_##reg, offsetof(type, member), \
      ARRAY_SIZE(((type *)NULL)->member), access }

/* The word at @offset if it is in an array that @access suits, or NULL */
uint32_t *caliptra_engine_word(void *engine, const CaliptraEngineArray *arrays,
                               size_t n, hwaddr offset, uint8_t access);

/* A guest error: @offset of @engine did not take what was written to it */
void caliptra_engine_dropped(const char *engine, hwaddr offset);

/**
 * caliptra_engine_start: begin a command
 * @s: the core
 * @e: the engine
 * @name: of the engine, for the trace
 * @cmd: number of the command, not 0
 * @ns: nanoseconds of virtual time until the engine's done() is called
 */
void caliptra_engine_start(CaliptraState *s, CaliptraEngine *e,
                           const char *name, unsigned cmd, int64_t ns);
/* end it without a result: not VALID */
void caliptra_engine_abort(CaliptraEngine *e);
/* end it: VALID, and the notification */
void caliptra_engine_done(CaliptraEngine *e, const char *name);
/* The flush lasts as long as a fatal error does: nothing is ever READY */
bool caliptra_engine_ready(CaliptraState *s, const CaliptraEngine *e);

/* A client's status register; all have the same layout */
uint32_t caliptra_kv_client_status(const CaliptraKvClient *c);

/**
 * caliptra_kv_client_read: write of a read client's control register
 * @s: the core
 * @c: the client
 * @data: what is written
 * @client: the KV_DEST_* bit that the slot must have
 * @words: the slot's words if a copy ran, else not touched
 * @last_dword: likewise
 *
 * Returns: whether a copy ran.
 */
bool caliptra_kv_client_read(CaliptraState *s, CaliptraKvClient *c,
                             uint32_t data, uint32_t client,
                             uint32_t words[12], unsigned *last_dword);

/* Write of a write client's control register: the next result goes there? */
void caliptra_kv_client_arm(CaliptraKvClient *c, uint32_t data);
bool caliptra_kv_client_armed(const CaliptraKvClient *c);
/* store a result, once */
void caliptra_kv_client_write(CaliptraState *s, CaliptraKvClient *c,
                              const uint32_t words[12]);

extern const VMStateDescription vmstate_caliptra_engine;
extern const VMStateDescription vmstate_caliptra_kv_client;

/* ---- one file an engine ---- */

typedef struct CaliptraEngineInfo {
    size_t engine;          /* offset of its CaliptraEngine in the core */
    unsigned n_error;       /* error events of its interrupt block */
    /* registers, from NAME up to the interrupt block; @offset is 4-aligned */
    uint32_t (*read)(CaliptraState *s, hwaddr offset);
    void (*write)(CaliptraState *s, hwaddr offset, uint32_t data);
    /* the registers that tell of the end of a command; 0: there is none */
    uint16_t status;
    uint16_t quote_status;
    void (*done)(CaliptraState *s);     /* the running command ends */
    /* what ZEROIZE does, or of DOE, CLEAR_OBF_SECRETS */
    void (*zeroize)(CaliptraState *s);
    /* cold or warm, when the command that ran has been aborted */
    void (*reset)(CaliptraState *s, CaliptraReset kind);
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

#endif /* HW_MISC_CALIPTRA_ENGINES_H */
