/*
 * Caliptra 1.x Root of Trust core as a SoC sees it
 *
 * A bus window whose accesses carry the user id of their master (PAUSER),
 * straps, input lines for power and reset, and output lines.  All of that is
 * the interface "caliptra-soc-if"; a SoC holds a link to it and does not know
 * what is behind.  Nothing here knows of a particular SoC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_CALIPTRA_H
#define HW_MISC_CALIPTRA_H

#include "exec/hwaddr.h"
#include "exec/memattrs.h"
#include "qom/object.h"

/* The core itself: a sysbus device that implements the interface */
#define TYPE_CALIPTRA "caliptra"

/* The interface: what it needs to be implemented by is a device */
#define TYPE_CALIPTRA_SOC_IF "caliptra-soc-if"
typedef struct CaliptraSocIf CaliptraSocIf;
typedef struct CaliptraSocIfClass CaliptraSocIfClass;
DECLARE_CLASS_CHECKERS(CaliptraSocIfClass, CALIPTRA_SOC_IF,
                       TYPE_CALIPTRA_SOC_IF)
#define CALIPTRA_SOC_IF(obj) \
    INTERFACE_CHECK(CaliptraSocIf, (obj), TYPE_CALIPTRA_SOC_IF)

/*
 * The SoC's window: naturally aligned, 256 KiB (caliptra_top.sv).
 * Only three blocks of it answer a SoC.
 */
#define CALIPTRA_WINDOW_SIZE        0x40000
#define CALIPTRA_WINDOW_MBOX        0x20000
#define CALIPTRA_WINDOW_SHA_ACC     0x21000
#define CALIPTRA_WINDOW_SOC_IFC     0x30000
#define CALIPTRA_BLOCK_SIZE         0x1000

/* Named input lines of the device (qdev GPIO, levels) */
#define CALIPTRA_IN_PWRGOOD         "cptra-pwrgood"
#define CALIPTRA_IN_RST_B           "cptra-rst-b"
#define CALIPTRA_IN_BRKPOINT        "bootfsm-brkpoint"
#define CALIPTRA_IN_SCAN_MODE       "scan-mode"

/* Named output lines of the device (ports of caliptra_top.sv) */
#define CALIPTRA_OUT_READY_FOR_FUSES    "ready-for-fuses"
#define CALIPTRA_OUT_READY_FOR_FW       "ready-for-fw-push"
#define CALIPTRA_OUT_READY_FOR_RUNTIME  "ready-for-runtime"
#define CALIPTRA_OUT_MBOX_DATA_AVAIL    "mailbox-data-avail"
#define CALIPTRA_OUT_MBOX_FLOW_DONE     "mailbox-flow-done"
#define CALIPTRA_OUT_ERROR_FATAL        "cptra-error-fatal"
#define CALIPTRA_OUT_ERROR_NON_FATAL    "cptra-error-non-fatal"
#define CALIPTRA_OUT_ETRNG_REQ          "etrng-req"

/*
 * Two more lines that are no ports of the hardware, for SoCs whose time is not
 * that of the core, as in another process.  The output is high while the core
 * counts clocks against a limit, while the input is high it counts none.
 */
#define CALIPTRA_OUT_TIME_COUNTS        "time-counts"
#define CALIPTRA_IN_TIME_HOLD           "time-hold"

#define CALIPTRA_OBF_KEY_WORDS      8

/*
 * The methods are those of the functions below.  These look up the class each
 * time, by its name: windows, whose accesses come by the million, keep it.
 */
struct CaliptraSocIfClass {
    InterfaceClass parent_class;

    MemTxResult (*read)(CaliptraSocIf *core, hwaddr offset, uint32_t pauser,
                        uint32_t *data);
    MemTxResult (*write)(CaliptraSocIf *core, hwaddr offset, uint32_t pauser,
                         uint32_t data);
    MemTxResult (*peek)(CaliptraSocIf *core, hwaddr offset, uint32_t pauser,
                        uint32_t *data);
    void (*set_security_state)(CaliptraSocIf *core, uint32_t state);
    void (*set_obf_key)(CaliptraSocIf *core,
                        const uint32_t key[CALIPTRA_OBF_KEY_WORDS]);
    void (*set_generic_input_wires)(CaliptraSocIf *core, uint64_t wires);
};

/**
 * caliptra_soc_read: one 32-bit read on the SoC's (APB) side
 * @core: the core
 * @offset: byte offset in the 256 KiB window
 * @pauser: user id of the bus master
 * @data: the word read, in host order; 0 where the result is an error
 *
 * Has the side effects of the register (lock, FIFO).  The rules are those of
 * caliptra-rtl soc_ifc_arb.sv and apb_slv_sif.sv.
 *
 * Returns: MEMTX_OK, or MEMTX_ERROR where the hardware answers PSLVERR.
 */
MemTxResult caliptra_soc_read(CaliptraSocIf *core, hwaddr offset,
                              uint32_t pauser, uint32_t *data);

/**
 * caliptra_soc_write: one 32-bit write on the SoC's (APB) side
 * @core: the core
 * @offset: byte offset in the 256 KiB window
 * @pauser: user id of the bus master
 * @data: the word, in host order
 *
 * Returns: MEMTX_OK, or MEMTX_ERROR where the hardware answers PSLVERR.
 */
MemTxResult caliptra_soc_write(CaliptraSocIf *core, hwaddr offset,
                               uint32_t pauser, uint32_t data);

/**
 * caliptra_soc_peek: look at a register without the side effects of a read
 * @core: the core
 * @offset: byte offset in the 256 KiB window
 * @pauser: user id of the bus master
 * @data: the word, in host order; 0 for mbox_dataout and for errors
 *
 * For debuggers: takes no lock and moves no FIFO.
 *
 * Returns: MEMTX_OK, or MEMTX_ERROR where the hardware answers PSLVERR.
 */
MemTxResult caliptra_soc_peek(CaliptraSocIf *core, hwaddr offset,
                              uint32_t pauser, uint32_t *data);

/**
 * caliptra_soc_trace_data: what a trace event may show of a word
 * @offset: byte offset in the 256 KiB window
 * @data: the word
 *
 * Returns: @data, or 0 for registers that take secrets: the UDS seed, the
 * field entropy and random words.
 */
uint32_t caliptra_soc_trace_data(hwaddr offset, uint32_t data) G_GNUC_CONST;

/**
 * caliptra_set_security_state: drive the security_state input
 * @core: the core
 * @state: [1:0] device lifecycle, [2] debug locked
 *
 * The core samples it when it leaves reset (caliptra_top.sv).
 */
void caliptra_set_security_state(CaliptraSocIf *core, uint32_t state);

/**
 * caliptra_set_obf_key: drive the obfuscation key pins
 * @core: the core
 * @key: 8 words, word 0 = key bytes 0..3, first byte in bits 31:24
 *
 * Sampled after a power cycle, with debug locked (caliptra_top.sv).
 */
void caliptra_set_obf_key(CaliptraSocIf *core,
                          const uint32_t key[CALIPTRA_OBF_KEY_WORDS]);

/**
 * caliptra_set_generic_input_wires: drive generic_input_wires[63:0]
 * @core: the core
 * @wires: bits 31:0 are register word 0
 */
void caliptra_set_generic_input_wires(CaliptraSocIf *core, uint64_t wires);

#endif /* HW_MISC_CALIPTRA_H */
