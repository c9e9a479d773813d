#!/bin/sh
#
# Build the guest: build.sh OUTDIR makes OUTDIR/guest.bin (and guest.elf)
#
# It starts at 0x430000000 on all four Cortex-A35 cores:
#
#   qemu-system-aarch64 -nographic \
#       -M ast2700fc,caliptra-firmware=FW,caliptra-fuses=FUSES \
#       -device loader,file=guest.bin,addr=0x430000000,force-raw=on \
#       -device loader,addr=0x430000000,cpu-num=0 \
#       -device loader,addr=0x430000000,cpu-num=1 \
#       -device loader,addr=0x430000000,cpu-num=2 \
#       -device loader,addr=0x430000000,cpu-num=3
#
# Its report ends with the line "idle".  With payloads.bin of payloads.py at
# 0x431000000 it tries all of Caliptra's mailbox commands instead, and says
# "self-check: N passed, M failed" before that.
#
# SPDX-License-Identifier: GPL-2.0-or-later

set -e

[ $# -eq 1 ] || { echo "usage: $0 OUTDIR" >&2; exit 2; }

here=$(dirname "$0")
out=$1
cross=${CROSS_COMPILE-aarch64-linux-gnu-}

mkdir -p "$out"
"${cross}gcc" -std=gnu11 -O2 -g -Wall -Wextra -Werror \
    -ffreestanding -nostdlib -static -fno-pic -no-pie -fno-stack-protector \
    -mcpu=cortex-a35 -mgeneral-regs-only -mstrict-align \
    -fno-strict-aliasing -fno-tree-loop-distribute-patterns \
    -Wno-missing-field-initializers -Wl,--build-id=none -Wl,-z,noexecstack \
    -Wl,--no-warn-rwx-segments -T "$here/guest.ld" \
    -o "$out/guest.elf" "$here/start.S" "$here"/*.c
"${cross}objcopy" -O binary -R .stacks "$out/guest.elf" "$out/guest.bin"
