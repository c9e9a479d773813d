/*
 * Caliptra 1.x core: state of the internal engines
 *
 * Included by caliptra_internal.h; private to caliptra_engines.c but for the
 * size.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_ENGINES_H
#define HW_MISC_CALIPTRA_ENGINES_H

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

#endif /* HW_MISC_CALIPTRA_ENGINES_H */
