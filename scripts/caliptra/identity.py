#!/usr/bin/env python3
#
# Fetch the identity of a Caliptra from a running QEMU
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Ask a running QEMU over QMP for its Caliptra's CSRs and certificates, and
write them as PEM files.

What is missing is told, with the reason, and makes the exit status 1.

Example:
    qemu-system-aarch64 -M ast2700fc,caliptra-idevid-csr=on,... \\
        -qmp unix:qmp.sock,server,wait=off
    identity.py --qmp qmp.sock --output identity
    openssl x509 -text -noout -in identity/rt-alias-cert.pem
"""

import argparse
import base64
import hashlib
import os
import textwrap

from caliptra_common import ToolError, run_tool, write_file
from caliptra_qmp import Qmp

FIRMWARE_TYPE = 'child<caliptra-native-fw>'
CORE_TYPE = 'child<caliptra>'

# property of the firmware, PEM label
OBJECTS = (
    ('idevid-csr', 'CERTIFICATE REQUEST'),
    ('ldevid-cert', 'CERTIFICATE'),
    ('fmc-alias-cert', 'CERTIFICATE'),
    ('fmc-alias-csr', 'CERTIFICATE REQUEST'),
    ('rt-alias-cert', 'CERTIFICATE'),
)

# in the order in which TLS and others expect a chain: leaf first
CHAIN = ('rt-alias-cert', 'fmc-alias-cert', 'ldevid-cert')


# CPTRA_FLOW_STATUS (caliptra-rtl soc_ifc_external_reg.rdl)
READY_FOR_RUNTIME = 1 << 29


def fetch(qmp):
    """What the firmware has, DER by name of the property."""
    firmware = qmp.find(FIRMWARE_TYPE)
    if not firmware:
        raise ToolError('this machine has no Caliptra (is the option '
                        'caliptra-boot=off in force?)' if
                        not qmp.find(CORE_TYPE) else
                        'the Caliptra of this machine runs firmware of its '
                        'own: ask that with mbox.py')
    return {name: base64.b64decode(qmp.get(firmware, name))
            for name, _ in OBJECTS}


def why_missing(qmp, name):
    """Why there is no such object, for a person"""
    core = qmp.find(CORE_TYPE)
    if not qmp.get(core, 'flow-status') & READY_FOR_RUNTIME:
        return f'Caliptra has stopped: {qmp.get(core, "last-error-name")}' \
            if qmp.get(core, 'last-error') else \
            'not there yet: the runtime is not ready'
    if name == 'idevid-csr':
        return ('not made: the boot has to ask for it (machine option '
                'caliptra-idevid-csr=on)')
    return 'not there'


def pem(der, label):
    body = '\n'.join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f'-----BEGIN {label}-----\n{body}\n-----END {label}-----\n'


def write(directory, name, text):
    path = os.path.join(directory, name + '.pem')
    write_file(path, text.encode())
    return path


def main(argv):
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--qmp', required=True, metavar='ADDRESS',
                        help='QMP socket: a path, or host:port')
    parser.add_argument('--output', default='.', metavar='DIRECTORY',
                        help='where to write (default: here)')
    args = parser.parse_args(argv)

    qmp = Qmp(args.qmp)
    objects = fetch(qmp)
    try:
        os.makedirs(args.output, exist_ok=True)
    except OSError as e:
        raise ToolError(f'{args.output}: {e.strerror}') from None
    texts = {}
    for name, label in OBJECTS:
        der = objects[name]
        if not der:
            print(f'{name}: {why_missing(qmp, name)}')
            continue
        texts[name] = pem(der, label)
        path = write(args.output, name, texts[name])
        print(f'{path}: {len(der)} bytes of DER, '
              f'SHA-256 {hashlib.sha256(der).hexdigest()}')
    qmp.close()
    if all(name in texts for name in CHAIN):
        print(write(args.output, 'chain',
                    ''.join(texts[name] for name in CHAIN)) +
              ': the three certificates, RT alias first')
    return 0 if len(texts) == len(OBJECTS) else 1


if __name__ == '__main__':
    run_tool('identity.py', main)
