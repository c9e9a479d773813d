/*
 * Caliptra 1.x core: mailbox
 *
 * The registers, the state machine and the SRAM behind them, as
 * caliptra-rtl v1.1 mbox.sv and mbox_csr.rdl have them.  The protocol seen
 * from a driver is in the Caliptra integration specification, "Mailbox".
 *
 * An access is atomic here: what RTL does in the clocks after it has
 * happened when the access returns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "qemu/host-utils.h"
#include "caliptra_internal.h"
#include "trace.h"

/* mbox_status.status; values above CMD_FAILURE can be stored too */
#define MBOX_STATUS_MASK    MAKE_64BIT_MASK(0, R_MBOX_STATUS_STATUS_LENGTH)

static const char *const mbox_fsm_names[] = {
    [MBOX_IDLE] = "IDLE",
    [MBOX_RDY_FOR_CMD] = "RDY_FOR_CMD",
    [MBOX_RDY_FOR_DATA] = "RDY_FOR_DATA",
    [MBOX_RDY_FOR_DLEN] = "RDY_FOR_DLEN",
    [MBOX_EXECUTE_SOC] = "EXECUTE_SOC",
    [MBOX_EXECUTE_UC] = "EXECUTE_UC",
    [MBOX_ERROR] = "ERROR",
};

const char *caliptra_mbox_fsm_name(const CaliptraMbox *m)
{
    return mbox_fsm_names[m->fsm];
}

/* ---- who is who ---- */

/* The side that fills the mailbox: it holds the lock */
static bool mbox_soc_is_requester(const CaliptraMbox *m, uint32_t pauser)
{
    return m->lock && m->soc_has_lock && pauser == m->user;
}

static bool mbox_uc_is_requester(const CaliptraMbox *m)
{
    return m->lock && (!m->soc_has_lock || m->fsm == MBOX_EXECUTE_UC);
}

/* The side whose turn it is to read and to give a status */
static bool mbox_soc_is_receiver(const CaliptraMbox *m, uint32_t pauser)
{
    return m->lock && m->fsm == MBOX_EXECUTE_SOC &&
           (!m->soc_has_lock || mbox_soc_is_requester(m, pauser));
}

static bool mbox_uc_is_receiver(const CaliptraMbox *m)
{
    return m->lock && m->fsm == MBOX_EXECUTE_UC;
}

/* ---- SRAM ---- */

/* A word as the error correction delivers it, with its reports */
static uint32_t mbox_sram_checked_read(CaliptraState *s, unsigned index)
{
    CaliptraMbox *m = &s->mbox;
    uint32_t data = m->sram[index];

    if (likely(!m->sram_flip)) {
        return data;
    }
    if (ctpop64(m->sram_flip) == 1) {
        /* corrected */
        m->ecc_single |= m->execute;
        caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_MBOX_ECC_COR);
        return data;
    }
    m->ecc_double |= m->execute;
    caliptra_soc_ifc_intr_error(s, SOC_IFC_ERROR_MBOX_ECC_UNC);
    caliptra_soc_ifc_hw_error_non_fatal(s,
        R_CPTRA_HW_ERROR_NON_FATAL_MBOX_ECC_UNC_MASK);
    return data ^ (uint32_t)m->sram_flip;
}

uint32_t caliptra_mbox_sha_read(CaliptraState *s, unsigned index)
{
    return mbox_sram_checked_read(s, index);
}

/* The direct view is open to the microcontroller while it may use the data */
static bool mbox_sram_open(const CaliptraMbox *m)
{
    return m->lock && (!m->soc_has_lock || m->fsm == MBOX_EXECUTE_UC);
}

uint32_t caliptra_mbox_sram_read(CaliptraState *s, hwaddr offset)
{
    if (!mbox_sram_open(&s->mbox)) {
        return 0;
    }
    return mbox_sram_checked_read(s, offset / 4);
}

void caliptra_mbox_sram_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    if (mbox_sram_open(&s->mbox)) {
        s->mbox.sram[offset / 4] = data;
    }
}

/* ---- data path: pointers count words ---- */

static void mbox_push(CaliptraMbox *m, uint32_t data)
{
    if (!m->wr_full) {
        m->sram[m->wrptr] = data;
    }
    m->wr_full = m->wrptr == CALIPTRA_MBOX_WORDS - 1;
    if (m->wrptr < CALIPTRA_MBOX_WORDS - 1) {
        m->wrptr++;
    }
}

static void mbox_pop(CaliptraState *s)
{
    CaliptraMbox *m = &s->mbox;
    bool valid = !m->rd_full && m->rdptr < m->dlen_dw;
    uint32_t data = mbox_sram_checked_read(s, m->rdptr);

    m->dataout = valid ? data : 0;
    m->rd_full = m->rdptr == CALIPTRA_MBOX_WORDS - 1;
    if (m->rdptr < m->dlen_dw && m->rdptr < CALIPTRA_MBOX_WORDS - 1) {
        m->rdptr++;
    }
}

/* The receiver may read the smaller of what was announced and written */
static void mbox_latch_dlen(CaliptraMbox *m)
{
    uint32_t n = m->dlen >= CALIPTRA_MBOX_SRAM_SIZE ? CALIPTRA_MBOX_WORDS :
                 DIV_ROUND_UP(m->dlen, 4);

    m->dlen_dw = !m->wr_full && m->wrptr < n ? m->wrptr : n;
}

/* Word 0 is already in mbox_dataout when an execute state begins */
static void mbox_preload(CaliptraState *s, bool valid)
{
    CaliptraMbox *m = &s->mbox;
    uint32_t data = mbox_sram_checked_read(s, 0);

    m->dataout = valid ? data : 0;
    m->wrptr = 0;
    m->wr_full = false;
    m->rdptr = 1;
    m->rd_full = false;
}

/* ---- state machine ---- */

static void mbox_enter(CaliptraState *s, unsigned fsm)
{
    CaliptraMbox *m = &s->mbox;

    trace_caliptra_mbox_fsm(s->id, mbox_fsm_names[m->fsm], mbox_fsm_names[fsm],
                            m->cmd, m->dlen);
    m->fsm = fsm;
    caliptra_changed(s);
    if (fsm == MBOX_EXECUTE_UC) {
        caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_CMD_AVAIL);
    }
    /* whoever plays the microcontroller may be waiting for this */
    caliptra_post_event(s, CALIPTRA_UC_WAKE);
}

static void mbox_acquire(CaliptraState *s, bool soc, uint32_t user)
{
    CaliptraMbox *m = &s->mbox;

    m->lock = true;
    m->soc_has_lock = soc;
    m->user = user;
    trace_caliptra_mbox_lock(s->id, soc ? "soc" : "uc", user);
    mbox_enter(s, MBOX_RDY_FOR_CMD);
}

static void mbox_release(CaliptraState *s)
{
    CaliptraMbox *m = &s->mbox;

    m->lock = false;
    m->soc_has_lock = false;
    m->status = MBOX_STATUS_CMD_BUSY;
    m->execute = false;
    m->ecc_single = false;
    m->ecc_double = false;
    mbox_enter(s, MBOX_IDLE);
}

static void mbox_protocol_error(CaliptraState *s, uint32_t bit)
{
    caliptra_soc_ifc_intr_error(s, SOC_IFC_ERROR_CMD_FAIL);
    caliptra_soc_ifc_hw_error_non_fatal(s, bit);
}

/* An SoC access without the lock: reported, nothing else */
static void mbox_no_lock(CaliptraState *s, hwaddr offset, uint32_t pauser)
{
    caliptra_guest_error(s, "mailbox access at 0x%" HWADDR_PRIx
                         " by user 0x%08x without lock", offset, pauser);
    mbox_protocol_error(s, R_CPTRA_HW_ERROR_NON_FATAL_MBOX_PROT_NO_LOCK_MASK);
}

/* The owner breaks the order: only a reset or the microcontroller helps */
static void mbox_out_of_order(CaliptraState *s, hwaddr offset)
{
    caliptra_guest_error(s, "mailbox access at 0x%" HWADDR_PRIx
                         " out of order in state %s", offset,
                         mbox_fsm_names[s->mbox.fsm]);
    mbox_enter(s, MBOX_ERROR);
    mbox_protocol_error(s, R_CPTRA_HW_ERROR_NON_FATAL_MBOX_PROT_OOO_MASK);
}

/* A user of the list who neither holds the lock nor is asked to answer */
static void mbox_invalid_user(CaliptraState *s, hwaddr offset,
                              uint32_t pauser)
{
    caliptra_guest_error(s, "mailbox access at 0x%" HWADDR_PRIx
                         " by user 0x%08x, which is neither requester nor "
                         "receiver", offset, pauser);
    caliptra_soc_ifc_intr_error(s, SOC_IFC_ERROR_INV_DEV);
}

/* Registers that their side may write in any state */
static void mbox_store(CaliptraMbox *m, hwaddr offset, uint32_t data,
                       bool requester, bool receiver)
{
    if (offset == A_MBOX_STATUS) {
        if (receiver) {
            m->status = data & MBOX_STATUS_MASK;
        }
        return;
    }
    if (!requester) {
        return;
    }
    switch (offset) {
    case A_MBOX_CMD:
        m->cmd = data;
        break;
    case A_MBOX_DLEN:
        m->dlen = data;
        break;
    case A_MBOX_DATAIN:
        m->datain = data;
        break;
    case A_MBOX_EXECUTE:
        m->execute = FIELD_EX32(data, MBOX_EXECUTE, EXECUTE);
        if (!m->execute) {
            m->ecc_single = false;
            m->ecc_double = false;
        }
        break;
    default:
        break;
    }
}

/* ---- reads; neither side's depend on the other registers' state ---- */

uint32_t caliptra_mbox_status(const CaliptraMbox *m)
{
    uint32_t r = 0;

    r = FIELD_DP32(r, MBOX_STATUS, STATUS, m->status);
    r = FIELD_DP32(r, MBOX_STATUS, ECC_SINGLE_ERROR, m->ecc_single);
    r = FIELD_DP32(r, MBOX_STATUS, ECC_DOUBLE_ERROR, m->ecc_double);
    r = FIELD_DP32(r, MBOX_STATUS, MBOX_FSM_PS, m->fsm);
    r = FIELD_DP32(r, MBOX_STATUS, SOC_HAS_LOCK, m->soc_has_lock);
    r = FIELD_DP32(r, MBOX_STATUS, MBOX_RDPTR, m->rdptr);
    return r;
}

uint32_t caliptra_mbox_peek(const CaliptraMbox *m, hwaddr offset)
{
    switch (offset) {
    case A_MBOX_LOCK:
        return m->lock;
    case A_MBOX_USER:
        return m->user;
    case A_MBOX_CMD:
        return m->cmd;
    case A_MBOX_DLEN:
        return m->dlen;
    case A_MBOX_DATAIN:
        return m->datain;
    case A_MBOX_EXECUTE:
        return m->execute;
    case A_MBOX_STATUS:
        return caliptra_mbox_status(m);
    default:
        /* mbox_unlock reads 0; so does mbox_dataout to an onlooker */
        return 0;
    }
}

/* ---- the SoC's accesses ---- */

static uint32_t mbox_soc_read_dataout(CaliptraState *s, uint32_t pauser)
{
    CaliptraMbox *m = &s->mbox;
    bool requester = mbox_soc_is_requester(m, pauser);
    uint32_t data;

    if (mbox_soc_is_receiver(m, pauser)) {
        data = m->dataout;
        mbox_pop(s);
        return data;
    }
    if (!requester) {
        mbox_invalid_user(s, A_MBOX_DATAOUT, pauser);
    }
    switch (m->fsm) {
    case MBOX_IDLE:
        mbox_no_lock(s, A_MBOX_DATAOUT, pauser);
        break;
    case MBOX_RDY_FOR_CMD:
    case MBOX_RDY_FOR_DLEN:
    case MBOX_RDY_FOR_DATA:
    case MBOX_EXECUTE_UC:
        if (requester) {
            mbox_out_of_order(s, A_MBOX_DATAOUT);
        }
        break;
    default:
        break;
    }
    return 0;
}

uint32_t caliptra_mbox_soc_read(CaliptraState *s, hwaddr offset,
                                uint32_t pauser)
{
    CaliptraMbox *m = &s->mbox;

    switch (offset) {
    case A_MBOX_LOCK:
        if (!m->lock) {
            mbox_acquire(s, true, pauser);
            return 0;
        }
        if (!m->soc_has_lock) {
            caliptra_soc_ifc_intr_notif(s, SOC_IFC_NOTIF_SOC_REQ_LOCK);
        }
        return 1;
    case A_MBOX_DATAOUT:
        return mbox_soc_read_dataout(s, pauser);
    default:
        return caliptra_mbox_peek(m, offset);
    }
}

void caliptra_mbox_soc_write(CaliptraState *s, hwaddr offset,
                             uint32_t pauser, uint32_t data)
{
    CaliptraMbox *m = &s->mbox;
    bool requester = mbox_soc_is_requester(m, pauser);
    bool receiver = mbox_soc_is_receiver(m, pauser);

    if (!requester && !receiver) {
        mbox_invalid_user(s, offset, pauser);
    }
    mbox_store(m, offset, data, requester, receiver);

    switch (m->fsm) {
    case MBOX_IDLE:
        mbox_no_lock(s, offset, pauser);
        break;
    case MBOX_RDY_FOR_CMD:
        if (!requester) {
            break;
        }
        if (offset == A_MBOX_CMD) {
            mbox_enter(s, MBOX_RDY_FOR_DLEN);
        } else {
            mbox_out_of_order(s, offset);
        }
        break;
    case MBOX_RDY_FOR_DLEN:
        if (!requester) {
            break;
        }
        if (offset == A_MBOX_DLEN) {
            m->wrptr = 0;
            m->wr_full = false;
            mbox_enter(s, MBOX_RDY_FOR_DATA);
        } else {
            mbox_out_of_order(s, offset);
        }
        break;
    case MBOX_RDY_FOR_DATA:
        if (!requester) {
            break;
        }
        if (offset == A_MBOX_DATAIN) {
            mbox_push(m, data);
        } else if (offset != A_MBOX_EXECUTE) {
            mbox_out_of_order(s, offset);
        } else if (m->execute) {
            mbox_latch_dlen(m);
            mbox_preload(s, m->dlen_dw);
            mbox_enter(s, MBOX_EXECUTE_UC);
        }
        break;
    case MBOX_EXECUTE_UC:
        if (requester) {
            mbox_out_of_order(s, offset);
        }
        break;
    case MBOX_EXECUTE_SOC:
        if (offset == A_MBOX_DATAOUT && receiver) {
            /* counts as a pop, and is wrong all the same */
            mbox_pop(s);
        }
        if (m->soc_has_lock) {
            if (!requester) {
                break;
            }
            if (offset != A_MBOX_EXECUTE) {
                mbox_out_of_order(s, offset);
            } else if (!m->execute) {
                mbox_release(s);
            }
        } else if (offset != A_MBOX_STATUS) {
            mbox_out_of_order(s, offset);
        } else if (m->status != MBOX_STATUS_CMD_BUSY) {
            /* the SoC cannot answer with data, but dlen_dw stays */
            mbox_preload(s, false);
            mbox_enter(s, MBOX_EXECUTE_UC);
        }
        break;
    default:
        break;
    }
}

/* ---- the microcontroller's accesses; these never break the protocol ---- */

uint32_t caliptra_mbox_uc_read(CaliptraState *s, hwaddr offset)
{
    CaliptraMbox *m = &s->mbox;
    uint32_t data;

    switch (offset) {
    case A_MBOX_LOCK:
        if (!m->lock) {
            mbox_acquire(s, false, CALIPTRA_UC_USER);
            return 0;
        }
        return 1;
    case A_MBOX_DATAOUT:
        if (!mbox_uc_is_receiver(m)) {
            return 0;
        }
        data = m->dataout;
        mbox_pop(s);
        return data;
    default:
        return caliptra_mbox_peek(m, offset);
    }
}

void caliptra_mbox_uc_write(CaliptraState *s, hwaddr offset, uint32_t data)
{
    CaliptraMbox *m = &s->mbox;
    bool requester = mbox_uc_is_requester(m);

    if (offset == A_MBOX_UNLOCK) {
        if (FIELD_EX32(data, MBOX_UNLOCK, UNLOCK)) {
            mbox_release(s);
        }
        return;
    }
    mbox_store(m, offset, data, requester, mbox_uc_is_receiver(m));
    if (!requester) {
        return;
    }

    switch (m->fsm) {
    case MBOX_RDY_FOR_CMD:
        if (offset == A_MBOX_CMD) {
            mbox_enter(s, MBOX_RDY_FOR_DLEN);
        }
        break;
    case MBOX_RDY_FOR_DLEN:
        if (offset == A_MBOX_DLEN) {
            m->wrptr = 0;
            m->wr_full = false;
            mbox_enter(s, MBOX_RDY_FOR_DATA);
        }
        break;
    case MBOX_RDY_FOR_DATA:
        if (offset == A_MBOX_DATAIN) {
            mbox_push(m, data);
        }
        break;
    case MBOX_EXECUTE_UC:
        if (offset == A_MBOX_DATAIN) {
            mbox_push(m, data);
        } else if (offset == A_MBOX_DATAOUT) {
            mbox_pop(s);
        } else if (!m->execute) {
            mbox_release(s);
        } else if (m->soc_has_lock && m->status != MBOX_STATUS_CMD_BUSY) {
            mbox_latch_dlen(m);
            mbox_preload(s, m->dlen_dw);
            mbox_enter(s, MBOX_EXECUTE_SOC);
        }
        break;
    case MBOX_EXECUTE_SOC:
        if (!m->execute) {
            mbox_release(s);
        }
        break;
    default:
        break;
    }

    /* execute may have been set before its time */
    if (m->fsm == MBOX_RDY_FOR_DATA && m->execute) {
        mbox_latch_dlen(m);
        mbox_preload(s, m->dlen_dw);
        mbox_enter(s, MBOX_EXECUTE_SOC);
    }
}

uint32_t caliptra_mbox_tap_dataout(CaliptraState *s)
{
    uint32_t data = s->mbox.dataout;

    if (s->mbox.fsm == MBOX_EXECUTE_UC || s->mbox.fsm == MBOX_EXECUTE_SOC) {
        mbox_pop(s);
    }
    return data;
}

/* ---- reset and migration ---- */

void caliptra_mbox_reset(CaliptraState *s, CaliptraReset kind)
{
    CaliptraMbox *m = &s->mbox;

    if (kind == CALIPTRA_RESET_FW_UPDATE) {
        return;
    }
    m->fsm = MBOX_IDLE;
    m->lock = false;
    m->soc_has_lock = false;
    m->user = 0;
    m->cmd = 0;
    m->dlen = 0;
    m->datain = 0;
    m->dataout = 0;
    m->execute = false;
    m->status = MBOX_STATUS_CMD_BUSY;
    m->ecc_single = false;
    m->ecc_double = false;
    m->wrptr = 0;
    m->wr_full = false;
    m->rdptr = 0;
    m->rd_full = false;
    m->dlen_dw = 0;
    if (kind == CALIPTRA_RESET_COLD) {
        /*
         * The integration specification wants the SoC to clear the SRAM
         * before it releases reset; nobody else could do that here.
         */
        memset(m->sram, 0, sizeof(m->sram));
    }
}

static int mbox_post_load(void *opaque, int version_id)
{
    CaliptraMbox *m = opaque;

    if (m->fsm >= ARRAY_SIZE(mbox_fsm_names) || !mbox_fsm_names[m->fsm] ||
        m->wrptr >= CALIPTRA_MBOX_WORDS || m->rdptr >= CALIPTRA_MBOX_WORDS ||
        m->status > MBOX_STATUS_CMD_FAILURE || m->sram_flip >> 39) {
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription vmstate_caliptra_mbox = {
    .name = "caliptra-mbox",
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = mbox_post_load,
    .fields = (const VMStateField[]) {
        VMSTATE_UINT8(fsm, CaliptraMbox),
        VMSTATE_BOOL(lock, CaliptraMbox),
        VMSTATE_BOOL(soc_has_lock, CaliptraMbox),
        VMSTATE_UINT32(user, CaliptraMbox),
        VMSTATE_UINT32(cmd, CaliptraMbox),
        VMSTATE_UINT32(dlen, CaliptraMbox),
        VMSTATE_UINT32(datain, CaliptraMbox),
        VMSTATE_UINT32(dataout, CaliptraMbox),
        VMSTATE_BOOL(execute, CaliptraMbox),
        VMSTATE_UINT8(status, CaliptraMbox),
        VMSTATE_BOOL(ecc_single, CaliptraMbox),
        VMSTATE_BOOL(ecc_double, CaliptraMbox),
        VMSTATE_UINT32(wrptr, CaliptraMbox),
        VMSTATE_BOOL(wr_full, CaliptraMbox),
        VMSTATE_UINT32(rdptr, CaliptraMbox),
        VMSTATE_BOOL(rd_full, CaliptraMbox),
        VMSTATE_UINT32(dlen_dw, CaliptraMbox),
        VMSTATE_UINT64(sram_flip, CaliptraMbox),
        VMSTATE_UINT32_ARRAY(sram, CaliptraMbox, CALIPTRA_MBOX_WORDS),
        VMSTATE_END_OF_LIST()
    },
};
