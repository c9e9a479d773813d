/*
 * Bring-up of a Caliptra 1.x core by the SoC around it
 *
 * What a SoC's boot ROM has to do before a Caliptra core runs its runtime
 * firmware: straps, power, reset, mailbox user, watchdog, fuses, entropy on
 * demand, firmware, and a look at what came of it.  An abstract device: who
 * derives from it says how the core's window is reached and which bits of
 * the SoC drive power and reset.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_BRINGUP_H
#define HW_MISC_CALIPTRA_BRINGUP_H

#include "hw/core/sysbus.h"
#include "hw/misc/caliptra_log.h"
#include "qemu/timer.h"

#define TYPE_CALIPTRA_BRINGUP "caliptra-bringup"
OBJECT_DECLARE_TYPE(CaliptraBringup, CaliptraBringupClass, CALIPTRA_BRINGUP)

/* The ROM takes bundles up to the size of the mailbox SRAM */
#define CALIPTRA_BRINGUP_FIRMWARE_MAX   (128 * 1024)

struct CaliptraBringup {
    SysBusDevice parent_obj;

    /*
     * properties: for the person who watches, may be NULL; whether a cold
     * boot asks ROM for the CSR of the IDevID key
     */
    CaliptraLog *log;
    bool idevid_csr;

    /*
     * What to bring the core up with; not state: the derived device sets it
     * when it is realized and after a snapshot is loaded.  The fuses as to be
     * written to the registers from fuse_uds_seed on.
     */
    const uint32_t *pauser;
    const uint32_t *fuse;               /* CALIPTRA_FUSE_WORDS */
    const char *firmware_name;
    const uint8_t *firmware;
    uint32_t firmware_size;
    char *file_contents;

    /* place in the sequence */
    QEMUTimer timer;
    uint8_t stage;
    bool warm;
    uint32_t pos;
    /* how often the stage may still look for what it waits for */
    uint32_t looks;
    /* a fatal error has come up and has not been reported yet */
    bool error_fatal;
};

/**
 * struct CaliptraBringupClass: what a derived device tells the sequence
 * @read: read a 32-bit register of the core, in host order; the offset is
 *        that in the core's 256 KiB window (CALIPTRA_WINDOW_*)
 * @write: write one
 * @power_up: drive the straps and power good, with the core in reset.
 *            False: the SoC has Caliptra disabled, and nothing was done;
 *            the sequence is at its end
 * @release_reset: end the core's reset
 * @pwrgood: whether the core has power
 * @firmware: optional; called until it returns true, which says that
 *            firmware_name, firmware and firmware_size are set, or until it
 *            calls caliptra_bringup_fail()
 * @csr: optional; the CSR of the core's IDevID, @len bytes of DER, if it has
 *       been asked for
 * @done: the core's runtime is up and has been asked for FW_INFO
 * @lost: somebody resets the core: what @done began has to end
 * @failed: the sequence has ended with a failure: @what, because of @why
 */
struct CaliptraBringupClass {
    SysBusDeviceClass parent_class;

    uint32_t (*read)(CaliptraBringup *b, hwaddr offset);
    void (*write)(CaliptraBringup *b, hwaddr offset, uint32_t data);
    bool (*power_up)(CaliptraBringup *b);
    void (*release_reset)(CaliptraBringup *b);
    bool (*pwrgood)(CaliptraBringup *b);
    bool (*firmware)(CaliptraBringup *b);
    void (*csr)(CaliptraBringup *b, const uint8_t *csr, uint32_t len);
    void (*done)(CaliptraBringup *b);
    void (*lost)(CaliptraBringup *b);
    void (*failed)(CaliptraBringup *b, const char *what, const char *why);
};

/* for the VMState of derived devices, whose parent_obj is a CaliptraBringup */
extern const VMStateDescription vmstate_caliptra_bringup;

/**
 * caliptra_bringup_connect: let the core's output lines wake the sequence
 * @b: the bring-up
 * @core: device with the CALIPTRA_OUT_* lines
 */
void caliptra_bringup_connect(CaliptraBringup *b, DeviceState *core);

/**
 * caliptra_bringup_stop: take no further step; for unrealize
 * @b: the bring-up
 */
void caliptra_bringup_stop(CaliptraBringup *b);

/**
 * caliptra_bringup_load_file: read the firmware from a file
 * @b: the bring-up
 * @file: name of the file; must stay valid
 * @errp: what is wrong with the file
 *
 * The bring-up owns what it read.
 *
 * Returns: whether the file holds something that can be uploaded.
 */
bool caliptra_bringup_load_file(CaliptraBringup *b, const char *file,
                                Error **errp);

/**
 * caliptra_bringup_log_power: tell of power good, and of the security state
 * @b: the bring-up
 * @security_state: as for caliptra_set_security_state()
 */
void caliptra_bringup_log_power(CaliptraBringup *b, uint32_t security_state);

/**
 * caliptra_bringup_error: the error that the core reports, for a person
 * @b: the bring-up
 *
 * Returns: name, number and likely cause, never empty; to be freed.
 */
char *caliptra_bringup_error(CaliptraBringup *b);

/**
 * caliptra_bringup_fail: end the sequence, as nothing good can come of it
 * @b: the bring-up
 * @what: that failed
 * @why: in words
 */
void caliptra_bringup_fail(CaliptraBringup *b, const char *what,
                           const char *why);

/**
 * caliptra_bringup_mbox_start: take the mailbox and announce a command
 * @b: the bring-up
 * @cmd: command number
 * @dlen: bytes that will be written to mbox_datain
 *
 * Returns: false if another user has the mailbox; to be tried again later.
 */
bool caliptra_bringup_mbox_start(CaliptraBringup *b, uint32_t cmd,
                                 uint32_t dlen);

/**
 * caliptra_bringup_mbox_status: mbox_status.status (MBOX_STATUS_*)
 * @b: the bring-up
 */
uint32_t caliptra_bringup_mbox_status(CaliptraBringup *b);

#endif /* HW_MISC_CALIPTRA_BRINGUP_H */
