/*
 * Caliptra 1.x core: firmware scheduler
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

const VMStateDescription vmstate_caliptra_fw = {
    .name = "caliptra-fw",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields = (const VMStateField[]) {
        VMSTATE_END_OF_LIST()
    },
};

static void caliptra_native_event(CaliptraState *s, CaliptraFwEvent event)
{
}

const CaliptraFwOps caliptra_native_fw_ops = {
    .event = caliptra_native_event,
};

const char *caliptra_error_name(uint32_t code)
{
    return "";
}

const char *caliptra_error_cause(uint32_t code)
{
    return "";
}

bool caliptra_fw_draws(CaliptraFw *fw, unsigned n)
{
    return 0;
}

void caliptra_fw_boot_status(CaliptraFw *fw, uint32_t status)
{
}

void caliptra_fw_error_non_fatal(CaliptraFw *fw, uint32_t code)
{
}

void caliptra_fw_ext_error(CaliptraFw *fw, unsigned i, uint32_t info)
{
}

uint32_t caliptra_fw_rd(CaliptraFw *fw, uint32_t addr)
{
    return 0;
}

void caliptra_fw_wr(CaliptraFw *fw, uint32_t addr, uint32_t data)
{
}

uint32_t caliptra_fw_lifecycle(CaliptraFw *fw)
{
    return 0;
}

bool caliptra_fw_debug_locked(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_fw_fuse(CaliptraFw *fw, uint32_t offset)
{
    return 0;
}

bool caliptra_fw_lms_verify(CaliptraFw *fw)
{
    return 0;
}

bool caliptra_fw_anti_rollback_disable(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_fw_fmc_fuse_svn(CaliptraFw *fw)
{
    return 0;
}

uint32_t caliptra_fw_rt_fuse_svn(CaliptraFw *fw)
{
    return 0;
}

CaliptraFw *caliptra_fw_new(CaliptraState *s)
{
    return NULL;
}

void caliptra_fw_free(CaliptraFw *fw)
{
}

void caliptra_fw_power_off(CaliptraFw *fw)
{
}
