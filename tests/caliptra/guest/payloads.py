#!/usr/bin/env python3
#
# Make what the guest gets: what to do, and what it cannot make itself
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write the payloads for the guest: for its self-check (--bundle), or for a
report, with certificates (--certs) and a text at the end (--text).

Example:
    payloads.py --bundle caliptra-fw.bin --output payloads.bin
    qemu-system-aarch64 ... \\
        -device loader,file=payloads.bin,addr=0x431000000,force-raw=on
"""

import argparse
import hashlib
from pathlib import Path
import struct
import subprocess
import sys
import tempfile

TOOLS = Path(__file__).resolve().parents[3] / 'scripts/caliptra'
sys.path.insert(0, str(TOOLS))
import caliptra_keys  # noqa: E402

# guest.h
CHECK = b'SELF'
CHECK_IPC = b'IPCS'
BENCH = b'BNCH'
REPORT = bytes(4)
CERTS = b'CERT'
TEXT = b'TEXT'
IPC = b'IPC '
MESSAGE_TAG = b'MESG'
STORE = b'STOR'
REPEAT = b'RPT '
ECDSA384_SIGNATURE_VERIFY = b'SIGV'
LMS_SIGNATURE_VERIFY = b'LMSV'
SET_AUTH_MANIFEST = b'ATMN'
FIRMWARE_LOAD = b'FWLD'
QUOTE_PCRS = b'PCRQ'
FW_INFO = b'INFO'
DPE_SIGN = b'SIGN'
DPE_CERTIFY_KEY = b'CERT'
DPE_DERIVE_CONTEXT = b'DRVC'

MESSAGE = b'What ECDSA, LMS and the manifest sign.'
# The firmware searches all of its list: only a full one finds every entry
MANIFEST_ENTRIES = 127
CHECKSUM = bytes(4)


def tag(name):
    """Four characters as a number, most significant first"""
    return struct.pack('<I', int.from_bytes(name, 'big'))


def payloads(what, data_by_tag):
    """What the guest is to do, and with which data"""
    blob = tag(what)
    for name, data in data_by_tag.items():
        blob += tag(name) + struct.pack('<I', len(data)) + data
        blob += bytes(-len(data) % 4)
    return blob + tag(bytes(4))


def lms_request(digest):
    """
    LMS_SIGNATURE_VERIFY: RFC 8554's octets, but q and types are
    little-endian, except the type in the one-time signature
    """
    key = caliptra_keys.dev_lms_key(0)
    signature = key.sign(digest)
    q, ots = signature[:4], signature[4:1256]
    tree_type, path = signature[1256:1260], signature[1260:]
    return (CHECKSUM +
            struct.pack('<II', caliptra_keys.LMS_TYPE,
                        caliptra_keys.LMOTS_TYPE) +
            key.public[8:] + q[::-1] + ots + tree_type[::-1] + path)


def manifest_request(digest):
    with tempfile.TemporaryDirectory() as work:
        out = Path(work) / 'request.bin'
        images = []
        for image in range(1, MANIFEST_ENTRIES + 1):
            images += ['--digest', f'{image}={digest.hex()}']
        subprocess.run([sys.executable, TOOLS / 'manifest.py', 'create',
                        '--request', '-o', out, *images], check=True,
                       stdout=subprocess.DEVNULL)
        return CHECKSUM + out.read_bytes()


def main(argv):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--bundle', type=Path,
                        help='for FIRMWARE_LOAD in the runtime')
    parser.add_argument('--certs', action='store_true',
                        help='report all, certificates too')
    parser.add_argument('--text', default='',
                        help='what the guest prints at the end')
    parser.add_argument('--ipc', action='store_true',
                        help='go through the BootMCU')
    parser.add_argument('--output', required=True, type=Path)
    args = parser.parse_args(argv)

    if not args.bundle:
        data = {IPC: b''} if args.ipc else {}
        data[TEXT] = args.text.encode()
        args.output.write_bytes(payloads(CERTS if args.certs else REPORT,
                                         data))
        return 0
    digest = hashlib.sha384(MESSAGE).digest()
    args.output.write_bytes(payloads(CHECK_IPC if args.ipc else CHECK, {
        MESSAGE_TAG: MESSAGE,
        LMS_SIGNATURE_VERIFY: lms_request(digest),
        SET_AUTH_MANIFEST: manifest_request(digest),
        FIRMWARE_LOAD: args.bundle.read_bytes(),
    }))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
