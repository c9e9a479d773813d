/*
 * Caliptra 1.x core: firmware's drivers of the engines and vaults
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

uint32_t caliptra_drv_hmac384(CaliptraFw *fw, unsigned key_slot,
                              const uint8_t *key,
                              const void *data, size_t len,
                              int dest_slot, uint32_t dest_valid,
                              uint8_t *tag )
{
    return 0;
}

uint32_t caliptra_drv_hmac384_slot(CaliptraFw *fw, unsigned key_slot,
                                   unsigned data_slot, unsigned dest_slot,
                                   uint32_t dest_valid)
{
    return 0;
}

uint32_t caliptra_drv_kdf(CaliptraFw *fw, unsigned key_slot,
                          const char *label,
                          const void *ctx, size_t ctx_len,
                          unsigned dest_slot, uint32_t dest_valid)
{
    return 0;
}

uint32_t caliptra_drv_ecc_keygen(CaliptraFw *fw, unsigned seed_slot,
                                 unsigned dest_slot, CaliptraEccPub *pub)
{
    return 0;
}

uint32_t caliptra_drv_ecc_sign(CaliptraFw *fw, unsigned key_slot,
                               const CaliptraEccPub *pub,
                               const uint8_t digest[48], CaliptraEccSig *sig)
{
    return 0;
}

uint32_t caliptra_drv_ecc_verify(CaliptraFw *fw, const CaliptraEccPub *pub,
                                 const uint8_t digest[48],
                                 const CaliptraEccSig *sig, bool *good)
{
    return 0;
}

uint32_t caliptra_drv_pcr_quote(CaliptraFw *fw, const uint8_t nonce[32],
                                uint8_t digest[48], CaliptraEccSig *sig)
{
    return 0;
}

void caliptra_drv_zeroize_engines(CaliptraFw *fw)
{
}

void caliptra_drv_doe(CaliptraFw *fw)
{
}

void caliptra_drv_doe_uds(CaliptraFw *fw)
{
}

void caliptra_drv_doe_fe(CaliptraFw *fw)
{
}

void caliptra_drv_doe_clear(CaliptraFw *fw)
{
}

uint32_t caliptra_drv_kv_erase(CaliptraFw *fw, unsigned slot)
{
    return 0;
}

void caliptra_drv_kv_erase_all(CaliptraFw *fw)
{
}

void caliptra_drv_kv_lock_use(CaliptraFw *fw, unsigned slot)
{
}

void caliptra_drv_pcr_read(CaliptraFw *fw, unsigned pcr, uint8_t value[48])
{
}

uint32_t caliptra_drv_pcr_clear(CaliptraFw *fw, unsigned pcr)
{
    return 0;
}

void caliptra_drv_pcr_lock(CaliptraFw *fw, unsigned pcr)
{
}

uint32_t caliptra_drv_pcr_extend(CaliptraFw *fw, unsigned pcr,
                                 const void *data, size_t len)
{
    return 0;
}

void caliptra_drv_dvs48_read(CaliptraFw *fw, unsigned i, uint8_t data[48])
{
}

void caliptra_drv_dvs48_write(CaliptraFw *fw, unsigned i,
                              const uint8_t data[48])
{
}

void caliptra_drv_dvs48_lock(CaliptraFw *fw, unsigned i)
{
}

uint32_t caliptra_drv_dvs4_read(CaliptraFw *fw, unsigned i)
{
    return 0;
}

void caliptra_drv_dvs4_write(CaliptraFw *fw, unsigned i, uint32_t data)
{
}

void caliptra_drv_dvs4_lock(CaliptraFw *fw, unsigned i)
{
}

void caliptra_drv_dvn48_read(CaliptraFw *fw, unsigned i, uint8_t data[48])
{
}

void caliptra_drv_dvn48_write(CaliptraFw *fw, unsigned i,
                              const uint8_t data[48])
{
}

void caliptra_drv_dvn48_lock(CaliptraFw *fw, unsigned i)
{
}

uint32_t caliptra_drv_dvn4_read(CaliptraFw *fw, unsigned i)
{
    return 0;
}

void caliptra_drv_dvn4_write(CaliptraFw *fw, unsigned i, uint32_t data)
{
}

void caliptra_drv_dvn4_lock(CaliptraFw *fw, unsigned i)
{
}
