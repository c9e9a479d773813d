/*
 * Caliptra 1.x core: firmware's drivers of the engines and vaults
 *
 * Each works its block through the registers, in the order of
 * caliptra-sw drivers/src.  Three things that those drivers do and nobody
 * could see are left out: random words for the masking inputs (ECC_IV,
 * HMAC384_LFSR_SEED), on which no result depends; the wait for READY before a
 * command, since each driver waits for the end of its own command; and the
 * pairwise consistency test of a new key pair, which only a fault of the
 * hardware could fail.  Signatures are verified after signing, because a key
 * slot need not hold the key that firmware expects: the debug flush of the
 * key vault comes out at that check.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_fw.h"

/* padding of SHA-384: a block of 128 bytes ends in a length of 16 */
#define SHA384_BLOCK_SIZE   128
#define SHA384_LEN_OFFSET   112

void caliptra_drv_array_read(CaliptraFw *fw, uint32_t addr, uint8_t *bytes,
                             size_t len)
{
    uint32_t words[SHA384_BLOCK_SIZE / 4];
    size_t n = len / 4;

    for (size_t i = 0; i < n; i++) {
        words[i] = caliptra_fw_rd(fw, addr + 4 * i);
    }
    caliptra_words_to_bytes(bytes, words, n);
}

void caliptra_drv_array_write(CaliptraFw *fw, uint32_t addr,
                              const uint8_t *bytes, size_t len)
{
    uint32_t words[SHA384_BLOCK_SIZE / 4];
    size_t n = len / 4;

    caliptra_bytes_to_words(words, bytes, n);
    for (size_t i = 0; i < n; i++) {
        caliptra_fw_wr(fw, addr + 4 * i, words[i]);
    }
}

/*
 * Start a command and poll until the engine has done it: once, for then it has
 * (ready_at_poll).
 */
static void command(CaliptraFw *fw, uint32_t ctrl_addr, uint32_t ctrl,
                    uint32_t status_addr)
{
    caliptra_fw_wr(fw, ctrl_addr, ctrl);
    caliptra_fw_rd(fw, status_addr);
}

/* ---- key vault clients: all have the same control and status layout ---- */

#define KV_CTRL_ENABLE(entry)   (1 | (entry) << 1)
#define KV_CTRL_PCR_EXTEND      R_SHA512_VAULT_RD_CTRL_PCR_HASH_EXTEND_MASK
#define KV_CTRL_DEST_SHIFT      R_HMAC384_KV_WR_CTRL_HMAC_KEY_DEST_VALID_SHIFT
/* from a control register to the status register that belongs to it */
#define KV_STATUS               4

/*
 * Three error numbers follow each other: what the vault reported was a
 * refused read, a refused write, something else.  @first is the first.
 */
static uint32_t kv_result(CaliptraFw *fw, uint32_t ctrl_addr, uint32_t first)
{
    uint32_t status = caliptra_fw_rd(fw, ctrl_addr + KV_STATUS);

    switch (FIELD_EX32(status, HMAC384_KV_WR_STATUS, ERROR)) {
    case KV_SUCCESS:
        return CALIPTRA_FW_OK;
    case KV_READ_FAIL:
        return first;
    case KV_WRITE_FAIL:
        return first + 1;
    default:
        return first + 2;
    }
}

static uint32_t kv_load(CaliptraFw *fw, uint32_t ctrl_addr, unsigned slot,
                        uint32_t first_error)
{
    caliptra_fw_wr(fw, ctrl_addr, KV_CTRL_ENABLE(slot));
    return kv_result(fw, ctrl_addr, first_error);
}

/* the next result goes to @slot */
static void kv_arm(CaliptraFw *fw, uint32_t ctrl_addr, unsigned slot,
                   uint32_t dest_valid)
{
    caliptra_fw_wr(fw, ctrl_addr,
                   KV_CTRL_ENABLE(slot) | dest_valid << KV_CTRL_DEST_SHIFT);
}

/* ---- HMAC-384 (caliptra-sw drivers/src/hmac384.rs) ---- */

#define HMAC(reg) (CALIPTRA_HMAC_BASE + A_HMAC384_##reg)

/* one block from the registers or, if @data_slot >= 0, from a slot */
static uint32_t hmac_block(CaliptraFw *fw, bool first,
                           unsigned key_slot, const uint8_t *key,
                           int data_slot, const uint8_t *block,
                           int dest_slot, uint32_t dest_valid)
{
    uint32_t err;

    if (key) {
        caliptra_drv_array_write(fw, HMAC(KEY), key, 48);
    } else {
        /* a key from the vault is wiped after each block */
        err = kv_load(fw, HMAC(KV_RD_KEY_CTRL), key_slot,
                      CALIPTRA_ERR_DRIVER_HMAC384_READ_KEY_KV_READ);
        if (err) {
            return err;
        }
    }
    if (data_slot >= 0) {
        err = kv_load(fw, HMAC(KV_RD_BLOCK_CTRL), data_slot,
                      CALIPTRA_ERR_DRIVER_HMAC384_READ_DATA_KV_READ);
        if (err) {
            return err;
        }
    } else {
        caliptra_drv_array_write(fw, HMAC(BLOCK), block, SHA384_BLOCK_SIZE);
    }
    if (dest_slot >= 0) {
        kv_arm(fw, HMAC(KV_WR_CTRL), dest_slot, dest_valid);
    }

    command(fw, HMAC(CTRL),
            first ? R_HMAC384_CTRL_INIT_MASK : R_HMAC384_CTRL_NEXT_MASK,
            HMAC(STATUS));

    if (dest_slot < 0) {
        return CALIPTRA_FW_OK;
    }
    return kv_result(fw, HMAC(KV_WR_CTRL),
                     CALIPTRA_ERR_DRIVER_HMAC384_WRITE_TAG_KV_READ);
}

/* append 0x80, zeros and the length in bits: bytes in all */
static size_t sha384_pad(uint8_t *buf, size_t len, uint64_t hashed_bytes)
{
    size_t blocks = len / SHA384_BLOCK_SIZE + 1;

    if (len % SHA384_BLOCK_SIZE >= SHA384_LEN_OFFSET) {
        blocks++;
    }
    memset(buf + len, 0, blocks * SHA384_BLOCK_SIZE - len);
    buf[len] = 0x80;
    stq_be_p(buf + blocks * SHA384_BLOCK_SIZE - 8, 8 * hashed_bytes);
    return blocks * SHA384_BLOCK_SIZE;
}

uint32_t caliptra_drv_hmac384(CaliptraFw *fw, unsigned key_slot,
                              const uint8_t *key,
                              const void *data, size_t len,
                              int dest_slot, uint32_t dest_valid,
                              uint8_t *tag)
{
    g_autofree uint8_t *buf = g_malloc(len + 2 * SHA384_BLOCK_SIZE);
    size_t padded;

    /* the key took the first block */
    memcpy(buf, data, len);
    padded = sha384_pad(buf, len, SHA384_BLOCK_SIZE + len);

    for (size_t pos = 0; pos < padded; pos += SHA384_BLOCK_SIZE) {
        uint32_t err = hmac_block(fw, pos == 0, key_slot, key, -1, buf + pos,
                                  dest_slot, dest_valid);

        if (err) {
            return err;
        }
    }
    if (dest_slot < 0) {
        caliptra_drv_array_read(fw, HMAC(TAG), tag, 48);
    }
    caliptra_fw_wr(fw, HMAC(CTRL), R_HMAC384_CTRL_ZEROIZE_MASK);
    return CALIPTRA_FW_OK;
}

uint32_t caliptra_drv_hmac384_slot(CaliptraFw *fw, unsigned key_slot,
                                   unsigned data_slot, unsigned dest_slot,
                                   uint32_t dest_valid)
{
    uint32_t err = hmac_block(fw, true, key_slot, NULL, data_slot, NULL,
                              dest_slot, dest_valid);

    if (!err) {
        caliptra_fw_wr(fw, HMAC(CTRL), R_HMAC384_CTRL_ZEROIZE_MASK);
    }
    return err;
}

uint32_t caliptra_drv_kdf_bytes(CaliptraFw *fw, unsigned key_slot,
                                const void *label, size_t label_len,
                                const void *ctx, size_t ctx_len,
                                unsigned dest_slot, uint32_t dest_valid)
{
    static const uint8_t counter[4] = { 0, 0, 0, 1 };
    const uint8_t separator = 0;
    g_autoptr(GByteArray) msg = g_byte_array_new();

    g_byte_array_append(msg, counter, sizeof(counter));
    g_byte_array_append(msg, label, label_len);
    if (ctx) {
        g_byte_array_append(msg, &separator, 1);
        g_byte_array_append(msg, ctx, ctx_len);
    }
    return caliptra_drv_hmac384(fw, key_slot, NULL, msg->data, msg->len,
                                dest_slot, dest_valid, NULL);
}

uint32_t caliptra_drv_kdf(CaliptraFw *fw, unsigned key_slot,
                          const char *label,
                          const void *ctx, size_t ctx_len,
                          unsigned dest_slot, uint32_t dest_valid)
{
    return caliptra_drv_kdf_bytes(fw, key_slot, label, strlen(label),
                                  ctx, ctx_len, dest_slot, dest_valid);
}

/* ---- ECC P-384 (caliptra-sw drivers/src/ecc384.rs) ---- */

#define ECC(reg) (CALIPTRA_ECC_BASE + A_ECC_##reg)

#define ECC_INTR_ERROR 0x1 /* error_internal_sts */

static uint32_t ecc_command(CaliptraFw *fw, uint32_t ctrl)
{
    const uint32_t error_reg = CALIPTRA_ECC_BASE + A_INTR_ERROR_INTERNAL;

    command(fw, ECC(CTRL), ctrl, ECC(STATUS));
    if (caliptra_fw_rd(fw, error_reg) & ECC_INTR_ERROR) {
        caliptra_fw_wr(fw, error_reg, ECC_INTR_ERROR);
        return CALIPTRA_ERR_DRIVER_ECC384_HW_ERROR;
    }
    return CALIPTRA_FW_OK;
}

static void ecc_zeroize(CaliptraFw *fw)
{
    caliptra_fw_wr(fw, ECC(CTRL), R_ECC_CTRL_ZEROIZE_MASK);
}

uint32_t caliptra_drv_ecc_keygen(CaliptraFw *fw, unsigned seed_slot,
                                 unsigned dest_slot, CaliptraEccPub *pub)
{
    static const uint8_t nonce[48];
    uint32_t err;

    kv_arm(fw, ECC(KV_WR_PKEY_CTRL), dest_slot, KV_DEST_ECC_PKEY);
    err = kv_load(fw, ECC(KV_RD_SEED_CTRL), seed_slot,
                  CALIPTRA_ERR_DRIVER_ECC384_READ_SEED_KV_READ);
    if (err) {
        return err;
    }
    caliptra_drv_array_write(fw, ECC(NONCE), nonce, sizeof(nonce));
    err = ecc_command(fw, ECC_CMD_KEYGEN);
    if (err) {
        return err;
    }
    err = kv_result(fw, ECC(KV_WR_PKEY_CTRL),
                    CALIPTRA_ERR_DRIVER_ECC384_WRITE_PRIV_KEY_KV_READ);
    if (err) {
        return err;
    }
    caliptra_drv_array_read(fw, ECC(PUBKEY_X), pub->x, sizeof(pub->x));
    caliptra_drv_array_read(fw, ECC(PUBKEY_Y), pub->y, sizeof(pub->y));
    ecc_zeroize(fw);
    return CALIPTRA_FW_OK;
}

static void ecc_read_signature(CaliptraFw *fw, CaliptraEccSig *sig)
{
    caliptra_drv_array_read(fw, ECC(SIGN_R), sig->r, sizeof(sig->r));
    caliptra_drv_array_read(fw, ECC(SIGN_S), sig->s, sizeof(sig->s));
    ecc_zeroize(fw);
}

uint32_t caliptra_drv_ecc_sign(CaliptraFw *fw, unsigned key_slot,
                               const CaliptraEccPub *pub,
                               const uint8_t digest[48], CaliptraEccSig *sig)
{
    bool good;
    uint32_t err;

    err = kv_load(fw, ECC(KV_RD_PKEY_CTRL), key_slot,
                  CALIPTRA_ERR_DRIVER_ECC384_READ_PRIV_KEY_KV_READ);
    if (err) {
        return err;
    }
    caliptra_drv_array_write(fw, ECC(MSG), digest, 48);
    err = ecc_command(fw, ECC_CMD_SIGN);
    if (err) {
        return err;
    }
    ecc_read_signature(fw, sig);

    err = caliptra_drv_ecc_verify(fw, pub, digest, sig, &good);
    if (!err && !good) {
        return CALIPTRA_ERR_ROM_CFI_PANIC_ASSERT_EQ_FAILURE;
    }
    return err;
}

uint32_t caliptra_drv_ecc_verify(CaliptraFw *fw, const CaliptraEccPub *pub,
                                 const uint8_t digest[48],
                                 const CaliptraEccSig *sig, bool *good)
{
    uint8_t r[48];
    uint32_t err;

    *good = false;
    if (!caliptra_p384_scalar_ok(sig->r) || !caliptra_p384_scalar_ok(sig->s)) {
        return CALIPTRA_ERR_DRIVER_ECC384_SCALAR_RANGE_CHECK_FAILED;
    }
    caliptra_drv_array_write(fw, ECC(PUBKEY_X), pub->x, sizeof(pub->x));
    caliptra_drv_array_write(fw, ECC(PUBKEY_Y), pub->y, sizeof(pub->y));
    caliptra_drv_array_write(fw, ECC(MSG), digest, 48);
    caliptra_drv_array_write(fw, ECC(SIGN_R), sig->r, sizeof(sig->r));
    caliptra_drv_array_write(fw, ECC(SIGN_S), sig->s, sizeof(sig->s));
    err = ecc_command(fw, ECC_CMD_VERIFY);
    if (err) {
        /* without ZEROIZE: an off-curve key stays with the engine */
        return err;
    }
    caliptra_drv_array_read(fw, ECC(VERIFY_R), r, sizeof(r));
    ecc_zeroize(fw);
    *good = !memcmp(r, sig->r, sizeof(r));
    return CALIPTRA_FW_OK;
}

/* ---- PCRs (caliptra-sw drivers/src/sha384.rs, pcr_bank.rs) ---- */

#define SHA512(reg) (CALIPTRA_SHA512_BASE + A_SHA512_##reg)

#define SHA512_MODE_SHA384 (2 << R_SHA512_CTRL_MODE_SHIFT)

uint32_t caliptra_drv_pcr_quote(CaliptraFw *fw, const uint8_t nonce[32],
                                uint8_t digest[48], CaliptraEccSig *sig)
{
    uint32_t status, err;

    caliptra_drv_array_write(fw, SHA512(GEN_PCR_HASH_NONCE), nonce, 32);
    command(fw, SHA512(GEN_PCR_HASH_CTRL),
            R_SHA512_GEN_PCR_HASH_CTRL_START_MASK,
            SHA512(GEN_PCR_HASH_STATUS));
    /* the block stays write-locked until some INIT */
    command(fw, SHA512(CTRL), R_SHA512_CTRL_INIT_MASK, SHA512(STATUS));
    status = caliptra_fw_rd(fw, SHA512(GEN_PCR_HASH_STATUS));
    if (!FIELD_EX32(status, SHA512_GEN_PCR_HASH_STATUS, VALID)) {
        return CALIPTRA_ERR_DRIVER_SHA384_INVALID_STATE_ERR;
    }
    caliptra_drv_array_read(fw, SHA512(GEN_PCR_HASH_DIGEST), digest, 48);

    err = ecc_command(fw, ECC_CMD_SIGN | R_ECC_CTRL_PCR_SIGN_MASK);
    if (err) {
        return err;
    }
    ecc_read_signature(fw, sig);
    return CALIPTRA_FW_OK;
}

#define PCR_CTRL(pcr) (CALIPTRA_PV_BASE + A_PV_PCR_CTRL + 4 * (pcr))

void caliptra_drv_pcr_read(CaliptraFw *fw, unsigned pcr, uint8_t value[48])
{
    caliptra_drv_array_read(fw, CALIPTRA_PV_BASE + A_PV_PCR_ENTRY + 48 * pcr,
                            value, 48);
}

uint32_t caliptra_drv_pcr_clear(CaliptraFw *fw, unsigned pcr)
{
    uint32_t ctrl = caliptra_fw_rd(fw, PCR_CTRL(pcr));

    if (ctrl & R_PV_PCR_CTRL_LOCK_MASK) {
        return CALIPTRA_ERR_DRIVER_PCR_BANK_ERASE_WRITE_LOCK_SET_FAILURE;
    }
    caliptra_fw_wr(fw, PCR_CTRL(pcr), ctrl | R_PV_PCR_CTRL_CLEAR_MASK);
    return CALIPTRA_FW_OK;
}

void caliptra_drv_pcr_lock(CaliptraFw *fw, unsigned pcr)
{
    caliptra_fw_wr(fw, PCR_CTRL(pcr),
                   caliptra_fw_rd(fw, PCR_CTRL(pcr)) | R_PV_PCR_CTRL_LOCK_MASK);
}

uint32_t caliptra_drv_pcr_extend(CaliptraFw *fw, unsigned pcr,
                                 const void *data, size_t len)
{
    const size_t max = SHA384_BLOCK_SIZE - 1 - 48;
    uint8_t buf[2 * SHA384_BLOCK_SIZE] = { 0 };
    size_t padded;

    if (len > max) {
        return CALIPTRA_ERR_DRIVER_SHA384_MAX_DATA_ERR;
    }
    /* the first 48 bytes are the PCR, which hardware puts there */
    memcpy(buf + 48, data, len);
    padded = sha384_pad(buf, 48 + len, 48 + len);

    caliptra_fw_wr(fw, SHA512(VAULT_RD_CTRL),
                   KV_CTRL_ENABLE(pcr) | KV_CTRL_PCR_EXTEND);
    for (size_t pos = 0; pos < padded; pos += SHA384_BLOCK_SIZE) {
        bool last = pos + SHA384_BLOCK_SIZE == padded;

        caliptra_drv_array_write(fw, SHA512(BLOCK), buf + pos,
                                 SHA384_BLOCK_SIZE);
        command(fw, SHA512(CTRL),
                (pos ? R_SHA512_CTRL_NEXT_MASK : R_SHA512_CTRL_INIT_MASK) |
                (last ? R_SHA512_CTRL_LAST_MASK : 0) | SHA512_MODE_SHA384,
                SHA512(STATUS));
    }
    return CALIPTRA_FW_OK;
}

/* ---- DOE (caliptra-sw drivers/src/doe.rs) ---- */

#define DOE(reg) (CALIPTRA_DOE_BASE + A_DOE_##reg)

/* caliptra-sw rom/dev/src/flow/cold_reset/idev_id.rs */
static const uint8_t doe_iv[16] = {
    0xFB, 0x10, 0x36, 0x5B, 0xA1, 0x17, 0x97, 0x41,
    0xFB, 0xA1, 0x93, 0xA1, 0x0F, 0x40, 0x6D, 0x7E,
};

static void doe_decrypt(CaliptraFw *fw, uint32_t cmd, unsigned dest_slot)
{
    caliptra_drv_array_write(fw, DOE(IV), doe_iv, sizeof(doe_iv));
    command(fw, DOE(CTRL), cmd | dest_slot << R_DOE_CTRL_DEST_SHIFT,
            DOE(STATUS));
}

void caliptra_drv_doe_uds(CaliptraFw *fw)
{
    doe_decrypt(fw, DOE_CMD_UDS, KEY_ID_UDS);
}

void caliptra_drv_doe_fe(CaliptraFw *fw)
{
    doe_decrypt(fw, DOE_CMD_FE, KEY_ID_FE);
}

void caliptra_drv_doe_clear(CaliptraFw *fw)
{
    command(fw, DOE(CTRL), DOE_CMD_CLEAR, DOE(STATUS));
}

/* ---- key vault (caliptra-sw drivers/src/key_vault.rs) ---- */

#define KEY_CTRL(slot) (CALIPTRA_KV_BASE + A_KV_KEY_CTRL + 4 * (slot))

uint32_t caliptra_drv_kv_erase(CaliptraFw *fw, unsigned slot)
{
    uint32_t ctrl = caliptra_fw_rd(fw, KEY_CTRL(slot));

    if (ctrl & R_KV_KEY_CTRL_LOCK_USE_MASK) {
        return CALIPTRA_ERR_DRIVER_KV_ERASE_USE_LOCK_SET_FAILURE;
    }
    if (ctrl & R_KV_KEY_CTRL_LOCK_WR_MASK) {
        return CALIPTRA_ERR_DRIVER_KV_ERASE_WRITE_LOCK_SET_FAILURE;
    }
    caliptra_fw_wr(fw, KEY_CTRL(slot), ctrl | R_KV_KEY_CTRL_CLEAR_MASK);
    return CALIPTRA_FW_OK;
}

void caliptra_drv_kv_erase_all(CaliptraFw *fw)
{
    for (unsigned slot = 0; slot < CALIPTRA_KV_SLOTS; slot++) {
        caliptra_drv_kv_erase(fw, slot);
    }
}

void caliptra_drv_kv_lock_use(CaliptraFw *fw, unsigned slot)
{
    caliptra_fw_wr(fw, KEY_CTRL(slot),
                   caliptra_fw_rd(fw, KEY_CTRL(slot)) |
                   R_KV_KEY_CTRL_LOCK_USE_MASK);
}

/* ---- all engines (caliptra-sw common/src/error_handler.rs) ---- */

void caliptra_drv_zeroize_engines(CaliptraFw *fw)
{
    ecc_zeroize(fw);
    caliptra_fw_wr(fw, HMAC(CTRL), R_HMAC384_CTRL_ZEROIZE_MASK);
    caliptra_fw_wr(fw, CALIPTRA_SHA256_BASE + A_SHA256_CTRL,
                   R_SHA256_CTRL_ZEROIZE_MASK);
    caliptra_fw_wr(fw, SHA512(CTRL), R_SHA512_CTRL_ZEROIZE_MASK);
    caliptra_fw_wr(fw, CALIPTRA_SHA_ACC_BASE + A_SHA_ACC_CONTROL,
                   R_SHA_ACC_CONTROL_ZEROIZE_MASK);
}

/*
 * ---- data vault (caliptra-sw drivers/src/data_vault.rs) ----
 *
 * Four regions: sticky (s) and non-sticky (n), entries of 48 bytes and of
 * one word.
 */

#define DV(reg) (CALIPTRA_DV_BASE + A_DV_##reg)

void caliptra_drv_dvs48_read(CaliptraFw *fw, unsigned i, uint8_t data[48])
{
    caliptra_drv_array_read(fw, DV(STICKY_DATA_VAULT_ENTRY) + 48 * i, data, 48);
}

void caliptra_drv_dvs48_write(CaliptraFw *fw, unsigned i,
                              const uint8_t data[48])
{
    caliptra_drv_array_write(fw, DV(STICKY_DATA_VAULT_ENTRY) + 48 * i, data,
                             48);
}

void caliptra_drv_dvs48_lock(CaliptraFw *fw, unsigned i)
{
    caliptra_fw_wr(fw, DV(STICKY_DATA_VAULT_CTRL) + 4 * i,
                   R_DV_STICKY_DATA_VAULT_CTRL_LOCK_ENTRY_MASK);
}

uint32_t caliptra_drv_dvs4_read(CaliptraFw *fw, unsigned i)
{
    return caliptra_fw_rd(fw, DV(STICKY_LOCKABLE_SCRATCH_REG) + 4 * i);
}

void caliptra_drv_dvs4_write(CaliptraFw *fw, unsigned i, uint32_t data)
{
    caliptra_fw_wr(fw, DV(STICKY_LOCKABLE_SCRATCH_REG) + 4 * i, data);
}

void caliptra_drv_dvs4_lock(CaliptraFw *fw, unsigned i)
{
    caliptra_fw_wr(fw, DV(STICKY_LOCKABLE_SCRATCH_REG_CTRL) + 4 * i,
                   R_DV_STICKY_LOCKABLE_SCRATCH_REG_CTRL_LOCK_ENTRY_MASK);
}

void caliptra_drv_dvn48_read(CaliptraFw *fw, unsigned i, uint8_t data[48])
{
    caliptra_drv_array_read(fw, DV(DATA_VAULT_ENTRY) + 48 * i, data, 48);
}

void caliptra_drv_dvn48_write(CaliptraFw *fw, unsigned i,
                              const uint8_t data[48])
{
    caliptra_drv_array_write(fw, DV(DATA_VAULT_ENTRY) + 48 * i, data, 48);
}

void caliptra_drv_dvn48_lock(CaliptraFw *fw, unsigned i)
{
    caliptra_fw_wr(fw, DV(DATA_VAULT_CTRL) + 4 * i,
                   R_DV_DATA_VAULT_CTRL_LOCK_ENTRY_MASK);
}

uint32_t caliptra_drv_dvn4_read(CaliptraFw *fw, unsigned i)
{
    return caliptra_fw_rd(fw, DV(LOCKABLE_SCRATCH_REG) + 4 * i);
}

void caliptra_drv_dvn4_write(CaliptraFw *fw, unsigned i, uint32_t data)
{
    caliptra_fw_wr(fw, DV(LOCKABLE_SCRATCH_REG) + 4 * i, data);
}

void caliptra_drv_dvn4_lock(CaliptraFw *fw, unsigned i)
{
    caliptra_fw_wr(fw, DV(LOCKABLE_SCRATCH_REG_CTRL) + 4 * i,
                   R_DV_LOCKABLE_SCRATCH_REG_CTRL_LOCK_ENTRY_MASK);
}
