/*
 * Error numbers of Caliptra's ROM and firmware, for people
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/misc/caliptra_errors.h"

static const struct {
    uint32_t code;
    const char *name;
    const char *cause;
} errors[] = {
#define CALIPTRA_ERROR(code, name, cause) { code, #name, cause },
#include "caliptra_errors.h.inc"
#undef CALIPTRA_ERROR
};

const char *caliptra_error_name(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (errors[i].code == code) {
            return errors[i].name;
        }
    }
    return "UNKNOWN";
}

const char *caliptra_error_cause(uint32_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        if (errors[i].code == code) {
            return errors[i].cause;
        }
    }
    return "";
}
