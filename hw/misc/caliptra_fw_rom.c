/*
 * Caliptra 1.x core: ROM flows and ROM mailbox commands
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#include "qemu/osdep.h"
#include "caliptra_internal.h"
#include "caliptra_fw.h"

