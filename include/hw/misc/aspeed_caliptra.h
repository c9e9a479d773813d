/*
 * Caliptra in the ASPEED AST27x0, and the stand-in for its BootMCU
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_MISC_ASPEED_CALIPTRA_H
#define HW_MISC_ASPEED_CALIPTRA_H

#include "hw/sysbus.h"
#include "hw/misc/caliptra.h"

#define TYPE_ASPEED_CALIPTRA "aspeed-caliptra"
#define TYPE_ASPEED_BOOTMCU "aspeed-bootmcu"

#endif /* HW_MISC_ASPEED_CALIPTRA_H */
