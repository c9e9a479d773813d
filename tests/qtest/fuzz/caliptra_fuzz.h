/*
 * What the fuzzing targets of Caliptra share
 *
 * Booting Caliptra takes much longer than anything that is to be fuzzed.  So
 * the machine boots once, the states of the model's devices are saved at some
 * points of that boot, and each input begins at one of them, where virtual
 * time goes on as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef QTEST_FUZZ_CALIPTRA_FUZZ_H
#define QTEST_FUZZ_CALIPTRA_FUZZ_H

#include "fuzz.h"

/* Where an input can begin */
typedef enum CaliptraFuzzPoint {
    CALIPTRA_FUZZ_FUSES,        /* ready_for_fuses */
    CALIPTRA_FUZZ_BLANK,        /* ready_for_fw, an unprovisioned part */
    CALIPTRA_FUZZ_FW,           /* ready_for_fw, in production */
    CALIPTRA_FUZZ_RUNTIME,      /* ready_for_runtime */
    CALIPTRA_FUZZ_POINTS,
} CaliptraFuzzPoint;

/* States of all devices of the model, each as a migration stream has it */
typedef struct CaliptraFuzzState {
    int64_t clock;              /* QEMU_CLOCK_VIRTUAL, ns */
    GPtrArray *streams;         /* of GByteArray, in the order of devices */
} CaliptraFuzzState;

/* An input that is used up from its beginning; zeros follow its end */
typedef struct CaliptraFuzzInput {
    const uint8_t *data;
    size_t len;
} CaliptraFuzzInput;

uint8_t caliptra_fuzz_u8(CaliptraFuzzInput *in);
uint16_t caliptra_fuzz_u16(CaliptraFuzzInput *in);      /* little-endian */
uint32_t caliptra_fuzz_u32(CaliptraFuzzInput *in);

/* The machine: a Caliptra whose SoC is played by the target */
GString *caliptra_fuzz_cmdline(FuzzTarget *t);

/* Boot it, and keep the points; for pre_fuzz() */
void caliptra_fuzz_boot(QTestState *s);

/* The bundle that it has booted, of @len bytes */
const uint8_t *caliptra_fuzz_bundle(size_t *len);

/* Go to where an input begins */
void caliptra_fuzz_begin(CaliptraFuzzPoint point);

/**
 * caliptra_fuzz_save: what the devices of the model would migrate now
 *
 * Returns: the state; free with caliptra_fuzz_free()
 */
CaliptraFuzzState *caliptra_fuzz_save(void);

/**
 * caliptra_fuzz_load: what an incoming migration does with these devices
 * @state: may be damaged
 * @errp: which of them refuses it, and why
 *
 * Resets them first.  Returns: whether all of them take it.
 */
bool caliptra_fuzz_load(const CaliptraFuzzState *state, Error **errp);

void caliptra_fuzz_free(CaliptraFuzzState *state);

/* Let @ns of virtual time pass, with what has been scheduled before */
void caliptra_fuzz_step(QTestState *s, int64_t ns);

/* The same in steps of half a millisecond, with entropy for whoever asks */
void caliptra_fuzz_serve(QTestState *s, unsigned steps);

/**
 * caliptra_fuzz_command: send a command, and see it through
 * @s: the machine
 * @cmd: command word
 * @data: what goes into DATAIN, @len bytes
 * @rsp: the first bytes of the response, zeros behind it; @max of them
 *
 * Does nothing if somebody else has the lock.
 */
void caliptra_fuzz_command(QTestState *s, uint32_t cmd, const uint8_t *data,
                           size_t len, uint8_t *rsp, size_t max);

/* The same for a request with its checksum; @payload is what follows it */
void caliptra_fuzz_request(QTestState *s, uint32_t cmd, const uint8_t *payload,
                           size_t len, uint8_t *rsp, size_t max);

/* The bus master that accesses the window from now on */
void caliptra_fuzz_set_pauser(uint32_t pauser);

/* Accesses done; the sum is printed at the end */
extern uint64_t caliptra_fuzz_accesses;

#endif
