/*
 * Caliptra 1.x core: backends that play the microcontroller
 *
 * The interface between the hardware of a core and what runs inside: the native
 * model of Caliptra's firmware, or a CPU that executes genuine firmware.  The
 * core has a link "uc" to such a device; without it the core is hardware only.
 *
 * The hardware tells the microcontroller of events, which never act at once:
 * they come in the middle of an access, of the SoC or of the microcontroller
 * itself.  The microcontroller reaches the hardware through the functions
 * below and in no other way.  They must be called with the BQL held.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_UC_H
#define HW_MISC_CALIPTRA_UC_H

#include "exec/memattrs.h"
#include "hw/core/sysbus.h"
#include "qom/object.h"

#define TYPE_CALIPTRA_UC "caliptra-uc"
OBJECT_DECLARE_TYPE(CaliptraUc, CaliptraUcClass, CALIPTRA_UC)

/* The native model of Caliptra's ROM, FMC and runtime: a caliptra-uc */
#define TYPE_CALIPTRA_NATIVE_FW "caliptra-native-fw"

typedef enum CaliptraUcEvent {
    /*
     * cptra_uc_rst_b has risen: fetch from the reset vector.  All registers
     * of the microcontroller have their reset values.  CPTRA_RESET_REASON is
     * 0 after a power cycle, when ICCM and DCCM have lost their contents;
     * they keep them in all other resets.
     */
    CALIPTRA_UC_START,
    /*
     * cptra_uc_rst_b has fallen: execute nothing more.  In a firmware update
     * reset START follows at once, both while the microcontroller's own store
     * to INTERNAL_FW_UPDATE_RESET is under way: whoever takes a step later on
     * to act must see to it that no access of the old run comes after this.
     */
    CALIPTRA_UC_STOP,
    /*
     * Something that it may be waiting for has changed: a level among
     * caliptra_uc_irqs() and the functions after it, up or down, or a
     * register of mailbox, SHA accelerator, TRNG or SoC interface.  An engine
     * that ends its command raises its interrupt, if that is enabled, and so
     * comes here too.  Comes in reset as well, and without need at times.
     */
    CALIPTRA_UC_WAKE,
    /* nmi_intr has risen: non-maskable interrupt of the watchdog */
    CALIPTRA_UC_NMI,
} CaliptraUcEvent;

/* Interrupt lines by their number at the PIC (caliptra_top.sv, intr[]) */
enum {
    CALIPTRA_UC_IRQ_DOE_ERROR = 1,
    CALIPTRA_UC_IRQ_DOE_NOTIF = 2,
    CALIPTRA_UC_IRQ_ECC_ERROR = 3,
    CALIPTRA_UC_IRQ_ECC_NOTIF = 4,
    CALIPTRA_UC_IRQ_HMAC_ERROR = 5,
    CALIPTRA_UC_IRQ_HMAC_NOTIF = 6,
    CALIPTRA_UC_IRQ_KV_ERROR = 7,           /* tied low, as are ... */
    CALIPTRA_UC_IRQ_KV_NOTIF = 8,
    CALIPTRA_UC_IRQ_SHA512_ERROR = 9,
    CALIPTRA_UC_IRQ_SHA512_NOTIF = 10,
    CALIPTRA_UC_IRQ_SHA256_ERROR = 11,
    CALIPTRA_UC_IRQ_SHA256_NOTIF = 12,
    CALIPTRA_UC_IRQ_QSPI_ERROR = 13,        /* ... 13 to 18 */
    CALIPTRA_UC_IRQ_QSPI_NOTIF = 14,
    CALIPTRA_UC_IRQ_UART_ERROR = 15,
    CALIPTRA_UC_IRQ_UART_NOTIF = 16,
    CALIPTRA_UC_IRQ_I3C_ERROR = 17,
    CALIPTRA_UC_IRQ_I3C_NOTIF = 18,
    CALIPTRA_UC_IRQ_SOC_IFC_ERROR = 19,
    CALIPTRA_UC_IRQ_SOC_IFC_NOTIF = 20,
    CALIPTRA_UC_IRQ_SHA_ACC_ERROR = 21,
    CALIPTRA_UC_IRQ_SHA_ACC_NOTIF = 22,
};

/* What goes wrong in the microcontroller's memories and the core records */
typedef enum CaliptraUcFault {
    CALIPTRA_UC_ICCM_BLOCKED,   /* write to the ICCM while iccm_lock is high */
    CALIPTRA_UC_ICCM_ECC_UNC,   /* uncorrectable error in the ICCM: fatal */
    CALIPTRA_UC_DCCM_ECC_UNC,   /* and in the DCCM: fatal */
} CaliptraUcFault;

struct CaliptraUc {
    SysBusDevice parent_obj;

    /*
     * It polls engines for the end of a command: one that is busy is then
     * ready at the first read of its status register.  Nothing but virtual
     * time can tell.  For a subclass to set before it is realized.
     */
    bool ready_at_poll;

    /* private: the core, while it is realized; see caliptra_uc_connect() */
    struct CaliptraState *core;
};

struct CaliptraUcClass {
    SysBusDeviceClass parent_class;

    /*
     * An event: schedules what follows from it and returns.  May look at
     * levels, from caliptra_uc_irqs() on, but must not access the bus.
     * Called while the device is realized.
     */
    void (*event)(CaliptraUc *uc, CaliptraUcEvent event);
};

/**
 * caliptra_uc_read / caliptra_uc_write: one 32-bit access by the
 * microcontroller
 * @uc: the microcontroller
 * @addr: address as the microcontroller sees it, outside of its own ROM, ICCM
 *        and DCCM; registers answer at 4-aligned addresses only
 * @data: word in host order; 0 where the result is an error
 *
 * Has the side effects of the register.  In reset reads are 0 and writes are
 * dropped.  A write may end in STOP, START or NMI before it returns.
 *
 * Returns: MEMTX_OK, or MEMTX_ERROR where the bus answers an error.
 */
MemTxResult caliptra_uc_read(CaliptraUc *uc, uint32_t addr, uint32_t *data);
MemTxResult caliptra_uc_write(CaliptraUc *uc, uint32_t addr, uint32_t data);

/**
 * caliptra_uc_decodes: would an access end in a bus error?
 * @uc: the microcontroller
 * @addr: as above
 *
 * Without side effects.  For accesses narrower than a word, of which the
 * hardware sees nothing but the address (caliptra-rtl ahb_slv_sif.sv).
 *
 * Returns: false where caliptra_uc_read() answers MEMTX_ERROR.
 */
bool caliptra_uc_decodes(CaliptraUc *uc, uint32_t addr);

/**
 * caliptra_uc_irqs: levels of the interrupt lines
 * @uc: the microcontroller
 *
 * Returns: bit N is the line with number N at the PIC, CALIPTRA_UC_IRQ_*.
 */
uint32_t caliptra_uc_irqs(CaliptraUc *uc);

/* timer_intr: mtime has reached mtimecmp */
bool caliptra_uc_timer_intr(CaliptraUc *uc);
/* nmi_intr: the second stage of the watchdog; rising edges are NMI events */
bool caliptra_uc_nmi_intr(CaliptraUc *uc);
/* where the NMI goes on, INTERNAL_NMI_VECTOR; bit 0 is not connected */
uint32_t caliptra_uc_nmi_vector(CaliptraUc *uc);
/* cptra_uc_rst_b: high from START to STOP */
bool caliptra_uc_rst_b(CaliptraUc *uc);
/* iccm_lock: the ICCM takes no writes */
bool caliptra_uc_iccm_lock(CaliptraUc *uc);
/* clk_gating_en: while it sleeps, so do the engines */
bool caliptra_uc_clk_gating_en(CaliptraUc *uc);

/**
 * caliptra_uc_fault: something has gone wrong in its memories
 * @uc: the microcontroller
 * @fault: what
 *
 * Sets the bit of CPTRA_HW_ERROR_FATAL or of the SoC interface's interrupt
 * block, with all that follows (caliptra-rtl soc_ifc_top.sv).
 */
void caliptra_uc_fault(CaliptraUc *uc, CaliptraUcFault fault);

/**
 * caliptra_uc_clock_ticks: the microcontroller's clock
 * @uc: the microcontroller
 *
 * It stands still while the host does not let QEMU run, if something is
 * counted against it, and while its source is off.
 *
 * Returns: number of clocks since the machine started.
 */
uint64_t caliptra_uc_clock_ticks(CaliptraUc *uc);

/**
 * caliptra_uc_clock_deadline: when to look whether that clock reaches a count
 * @uc: the microcontroller
 * @ticks: the count
 *
 * Returns: a moment of QEMU_CLOCK_VIRTUAL, in nanoseconds, for a timer that
 * arms itself again when the clock was held up; INT64_MAX: not before the next
 * CALIPTRA_UC_WAKE.
 */
int64_t caliptra_uc_clock_deadline(CaliptraUc *uc, uint64_t ticks);

/**
 * caliptra_uc_begin_work: the microcontroller is busy for a time
 * @uc: the microcontroller
 * @ns: for how long, in nanoseconds of its clock
 *
 * No counter of the core passes the end of the work before
 * caliptra_uc_end_work(), however late that comes.
 *
 * Returns: the moment of QEMU_CLOCK_VIRTUAL at which the work is to end, for
 * a timer.
 */
int64_t caliptra_uc_begin_work(CaliptraUc *uc, int64_t ns);

/* the work has been done; or is given up, at a reset */
void caliptra_uc_end_work(CaliptraUc *uc);
void caliptra_uc_stop_work(CaliptraUc *uc);

/**
 * caliptra_uc_time_held: whether that clock stands because the SoC does
 * @uc: the microcontroller
 *
 * So nothing comes from the SoC.  Who counts something else than clocks, to
 * give up what he waits for, should not go on.
 */
bool caliptra_uc_time_held(CaliptraUc *uc);

/**
 * caliptra_uc_set_waiting: the microcontroller waits for a limited time
 * @uc: the microcontroller
 * @waiting: whether it counts, clocks or something else, until it gives up
 *
 * To be said after the SoC has been told what it waits for.
 */
void caliptra_uc_set_waiting(CaliptraUc *uc, bool waiting);

#endif /* HW_MISC_CALIPTRA_UC_H */
