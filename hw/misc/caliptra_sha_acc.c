/*
 * Caliptra 1.x core: SHA-384/512 accelerator
 *
 * caliptra-rtl v1.1 sha512_acc_top.sv and sha512_acc_external_csr.rdl: a
 * hash engine that the SoC and the microcontroller share under a lock.  Data
 * is streamed through a register, or read from the mailbox SRAM when the
 * microcontroller asks for it.
 *
 * The message is padded inside the one block buffer with what DLEN says at
 * that moment, so that an owner who breaks the order gets the digest that
 * hardware computes.  The state of a hash in progress is all in
 * CaliptraShaAcc.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/bswap.h"
#include "caliptra_internal.h"
#include "caliptra_crypto.h"
#include "trace.h"

#define SHA_BLOCK_WORDS     32
#define SHA_BLOCK_BYTES     (SHA_BLOCK_WORDS * 4)
/* where the 128-bit message length stands in the last block */
#define SHA_LENGTH_OFFSET   112
#define SHA_PAD_BYTE        0x80
/* the write pointer has a bit more than it needs: the block is full */
#define SHA_WPTR_FULL       SHA_BLOCK_WORDS
#define SHA_WPTR_MASK       (2 * SHA_BLOCK_WORDS - 1)

/* MODE: bit 0 chooses the hash, bit 1 where the data comes from */
#define SHA_MODE_SHA512     BIT(0)
#define SHA_MODE_MBOX       BIT(1)

/* mode argument of caliptra_sha512_iv() */
#define SHA_IV_384          2
#define SHA_IV_512          3

/* bit of the interrupt block */
#define SHA_NOTIF_CMD_DONE  0

enum {
    SHA_IDLE,
    SHA_BLOCK_0,        /* no block has been compressed yet */
    SHA_BLOCK_N,
    SHA_DONE,
};

/* ---- hash ---- */

static void sha_compress(CaliptraShaAcc *a)
{
    uint8_t block[SHA_BLOCK_BYTES];
    unsigned i;

    if (a->fsm == SHA_BLOCK_0) {
        memcpy(a->h, caliptra_sha512_iv(a->mode & SHA_MODE_SHA512 ?
                                        SHA_IV_512 : SHA_IV_384),
               sizeof(a->h));
    }
    caliptra_words_to_bytes(block, a->blk, SHA_BLOCK_WORDS);
    caliptra_sha512_compress(a->h, block);
    a->fsm = SHA_BLOCK_N;

    for (i = 0; i < ARRAY_SIZE(a->h); i++) {
        a->digest[2 * i] = a->h[i] >> 32;
        a->digest[2 * i + 1] = a->h[i];
    }
}

/* A block is full, unless the end of the message lies in it */
static bool sha_block_full(const CaliptraShaAcc *a)
{
    return (a->wptr & SHA_WPTR_FULL) && a->nwr <= a->dlen;
}

static void sha_put_word(CaliptraShaAcc *a, uint32_t data)
{
    a->blk[a->wptr % SHA_BLOCK_WORDS] = data;
    a->wptr = (a->wptr + 1) & SHA_WPTR_MASK;
    a->nwr += 4;
}

static void sha_take_block(CaliptraShaAcc *a)
{
    if (sha_block_full(a)) {
        sha_compress(a);
        a->wptr = 0;
    }
}

static void sha_finish(CaliptraState *s)
{
    CaliptraShaAcc *a = &s->sha_acc;
    unsigned used = a->dlen % SHA_BLOCK_BYTES;
    uint8_t block[SHA_BLOCK_BYTES];

    caliptra_words_to_bytes(block, a->blk, SHA_BLOCK_WORDS);
    memset(block + used, 0, sizeof(block) - used);
    block[used] = SHA_PAD_BYTE;
    if (used >= SHA_LENGTH_OFFSET) {
        /* the length needs a block of its own */
        caliptra_bytes_to_words(a->blk, block, SHA_BLOCK_WORDS);
        sha_compress(a);
        memset(block, 0, sizeof(block));
    }
    stq_be_p(block + SHA_BLOCK_BYTES - 8, (uint64_t)a->dlen * 8);
    caliptra_bytes_to_words(a->blk, block, SHA_BLOCK_WORDS);
    sha_compress(a);

    a->fsm = SHA_DONE;
    trace_caliptra_sha_acc_done(s->id, a->mode, a->dlen, a->digest[0]);
    if (!a->soc_has_lock) {
        caliptra_intr_notif(&a->intr, SHA_NOTIF_CMD_DONE);
        caliptra_changed(s);
    }
}

/* Hash DLEN bytes of mailbox SRAM from START_ADDRESS on */
static void sha_run_mailbox(CaliptraState *s)
{
    CaliptraShaAcc *a = &s->sha_acc;
    uint32_t words = CALIPTRA_MBOX_WORDS;
    /* pointers have a bit more than an index, for "to the end of SRAM" */
    uint32_t mask = 2 * words - 1;
    uint32_t ptr = a->start_address / 4 % words;
    uint32_t len = (extract32(a->dlen, 2, 16) + !!(a->dlen & 3)) & mask;
    uint32_t end = (ptr + len) & mask;
    bool to_end = end & words;
    uint32_t data;

    a->fsm = SHA_BLOCK_0;
    while (to_end ? !(ptr & words) : ptr % words != end) {
        data = caliptra_mbox_sha_read(s, ptr % words);
        if (!(a->mode & R_SHA_ACC_MODE_ENDIAN_TOGGLE_MASK)) {
            data = bswap32(data);
        }
        sha_put_word(a, data);
        sha_take_block(a);
        ptr = (ptr + 1) & mask;
    }
    sha_finish(s);
}

static bool sha_streaming(const CaliptraShaAcc *a)
{
    return !(a->mode & SHA_MODE_MBOX) || a->soc_has_lock;
}

/* What follows from a write of the owner */
static void sha_step(CaliptraState *s)
{
    CaliptraShaAcc *a = &s->sha_acc;

    if (!sha_streaming(a)) {
        if (a->fsm == SHA_IDLE && a->execute) {
            sha_run_mailbox(s);
        }
        return;
    }
    if (a->fsm == SHA_BLOCK_0 || a->fsm == SHA_BLOCK_N) {
        sha_take_block(a);
        if (a->execute) {
            sha_finish(s);
        }
    }
}

static void sha_datain(CaliptraState *s, uint32_t data)
{
    CaliptraShaAcc *a = &s->sha_acc;

    if (!sha_streaming(a)) {
        return;
    }
    if (sha_block_full(a)) {
        /* hardware never acknowledges this access; here it is lost */
        caliptra_guest_error(s, "SHA accelerator data after the end of the "
                             "message");
        return;
    }
    if (a->fsm == SHA_IDLE) {
        a->fsm = SHA_BLOCK_0;
    }
    sha_put_word(a, data);
}

/* ---- registers ---- */

static bool sha_owner(const CaliptraShaAcc *a, bool soc, uint32_t user)
{
    return a->lock && a->soc_has_lock == soc && (!soc || a->user == user);
}

static void sha_release(CaliptraState *s)
{
    CaliptraShaAcc *a = &s->sha_acc;

    trace_caliptra_sha_acc_unlock(s->id, a->user);
    a->lock = false;
    a->soc_has_lock = false;
    a->execute = false;
    a->fsm = SHA_IDLE;
    a->wptr = 0;
    a->nwr = 0;
    caliptra_post_event(s, CALIPTRA_UC_WAKE);
}

uint32_t caliptra_sha_acc_peek(CaliptraState *s, hwaddr offset)
{
    CaliptraShaAcc *a = &s->sha_acc;
    uint32_t r = 0;

    if (offset >= A_INTR_GLOBAL_EN) {
        return caliptra_intr_read(&a->intr, offset);
    }
    if (offset & 3) {
        return 0;
    }
    switch (offset) {
    case A_SHA_ACC_LOCK:
        return a->lock;
    case A_SHA_ACC_USER:
        return a->user;
    case A_SHA_ACC_MODE:
        return a->mode;
    case A_SHA_ACC_START_ADDRESS:
        return a->start_address;
    case A_SHA_ACC_DLEN:
        return a->dlen;
    case A_SHA_ACC_DATAIN:
        return a->datain;
    case A_SHA_ACC_EXECUTE:
        return a->execute;
    case A_SHA_ACC_STATUS:
        r = FIELD_DP32(r, SHA_ACC_STATUS, VALID, a->fsm == SHA_DONE);
        r = FIELD_DP32(r, SHA_ACC_STATUS, SOC_HAS_LOCK, a->soc_has_lock);
        return r;
    case A_SHA_ACC_DIGEST ... A_SHA_ACC_CONTROL - 4:
        return a->digest[(offset - A_SHA_ACC_DIGEST) / 4];
    default:
        return 0;
    }
}

static uint32_t sha_read(CaliptraState *s, hwaddr offset, bool soc,
                         uint32_t user)
{
    CaliptraShaAcc *a = &s->sha_acc;

    if (offset == A_SHA_ACC_LOCK && !a->lock) {
        a->lock = true;
        a->soc_has_lock = soc;
        a->user = user;
        trace_caliptra_sha_acc_lock(s->id, soc ? "soc" : "uc", user);
        return 0;
    }
    return caliptra_sha_acc_peek(s, offset);
}

static void sha_write(CaliptraState *s, hwaddr offset, bool soc,
                      uint32_t user, uint32_t data)
{
    CaliptraShaAcc *a = &s->sha_acc;

    if (offset == A_SHA_ACC_CONTROL) {
        /* anybody's; the register behind DIGEST is out of its reach */
        if (FIELD_EX32(data, SHA_ACC_CONTROL, ZEROIZE)) {
            memset(a->h, 0, sizeof(a->h));
        }
        return;
    }
    if (!sha_owner(a, soc, user)) {
        caliptra_guest_error(s, "SHA accelerator write at 0x%" HWADDR_PRIx
                             " by user 0x%08x without lock", offset, user);
        return;
    }
    switch (offset) {
    case A_SHA_ACC_LOCK:
        if (FIELD_EX32(data, SHA_ACC_LOCK, LOCK)) {
            sha_release(s);
        }
        return;
    case A_SHA_ACC_MODE:
        a->mode = data & (R_SHA_ACC_MODE_MODE_MASK |
                          R_SHA_ACC_MODE_ENDIAN_TOGGLE_MASK);
        break;
    case A_SHA_ACC_START_ADDRESS:
        a->start_address = data;
        break;
    case A_SHA_ACC_DLEN:
        a->dlen = data;
        break;
    case A_SHA_ACC_DATAIN:
        a->datain = data;
        sha_datain(s, data);
        break;
    case A_SHA_ACC_EXECUTE:
        a->execute = FIELD_EX32(data, SHA_ACC_EXECUTE, EXECUTE);
        break;
    default:
        return;
    }
    sha_step(s);
}

uint32_t caliptra_sha_acc_soc_read(CaliptraState *s, hwaddr offset,
                                   uint32_t pauser)
{
    return sha_read(s, offset, true, pauser);
}

void caliptra_sha_acc_soc_write(CaliptraState *s, hwaddr offset,
                                uint32_t pauser, uint32_t data)
{
    sha_write(s, offset, true, pauser, data);
}

uint32_t caliptra_sha_acc_uc_read(CaliptraState *s, hwaddr offset)
{
    return sha_read(s, offset, false, CALIPTRA_UC_USER);
}

void caliptra_sha_acc_uc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    if (offset >= A_INTR_GLOBAL_EN) {
        caliptra_intr_write(&s->sha_acc.intr, offset, data);
        caliptra_changed(s);
    } else {
        sha_write(s, offset, false, CALIPTRA_UC_USER, data);
    }
}

/* ---- reset and migration ---- */

void caliptra_sha_acc_init(CaliptraState *s)
{
    caliptra_intr_init(&s->sha_acc.intr, SHA_ACC_ERROR_BITS,
                       SHA_ACC_NOTIF_BITS);
}

void caliptra_sha_acc_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraShaAcc *a = &s->sha_acc;

    caliptra_intr_reset(&a->intr, kind);
    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;
    }
    /* the microcontroller owns the lock until it lets go */
    a->lock = true;
    a->soc_has_lock = false;
    a->user = 0;
    a->mode = 0;
    a->start_address = 0;
    a->dlen = 0;
    a->datain = 0;
    a->execute = false;
    memset(a->digest, 0, sizeof(a->digest));
    memset(a->blk, 0, sizeof(a->blk));
    memset(a->h, 0, sizeof(a->h));
    a->wptr = 0;
    a->nwr = 0;
    a->fsm = SHA_IDLE;
}

static int sha_acc_post_load(void *opaque, int version_id)
{
    CaliptraShaAcc *a = opaque;

    return a->wptr <= SHA_WPTR_MASK && a->fsm <= SHA_DONE ? 0 : -EINVAL;
}

const VMStateDescription vmstate_caliptra_sha_acc = {
    .name = "caliptra-sha-acc",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = sha_acc_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_BOOL(lock, CaliptraShaAcc),
        VMSTATE_BOOL(soc_has_lock, CaliptraShaAcc),
        VMSTATE_UINT32(user, CaliptraShaAcc),
        VMSTATE_UINT32(mode, CaliptraShaAcc),
        VMSTATE_UINT32(start_address, CaliptraShaAcc),
        VMSTATE_UINT32(dlen, CaliptraShaAcc),
        VMSTATE_UINT32(datain, CaliptraShaAcc),
        VMSTATE_BOOL(execute, CaliptraShaAcc),
        VMSTATE_UINT32_ARRAY(digest, CaliptraShaAcc, 16),
        VMSTATE_UINT32_ARRAY(blk, CaliptraShaAcc, 32),
        VMSTATE_UINT8(wptr, CaliptraShaAcc),
        VMSTATE_UINT32(nwr, CaliptraShaAcc),
        VMSTATE_UINT64_ARRAY(h, CaliptraShaAcc, 8),
        VMSTATE_UINT8(fsm, CaliptraShaAcc),
        VMSTATE_STRUCT(intr, CaliptraShaAcc, 1, vmstate_caliptra_intr,
                       CaliptraIntr),
        VMSTATE_END_OF_LIST()
    },
};
