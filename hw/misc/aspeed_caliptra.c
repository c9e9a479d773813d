/*
 * Caliptra in the ASPEED AST27x0
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "hw/misc/aspeed_caliptra.h"
