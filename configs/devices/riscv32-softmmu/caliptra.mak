# SPDX-License-Identifier: GPL-2.0-or-later
# Caliptra as a machine of its own, nothing else
CONFIG_CALIPTRA_TESTDEV=y
CONFIG_CALIPTRA_VEER=y
CONFIG_GENERIC_LOADER=y
