#!/usr/bin/env python3
#
# Fetch the identity of a Caliptra from a running QEMU
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Ask a running QEMU over QMP for its Caliptra's CSRs and certificates, and
write them as PEM files.

Example:
    qemu-system-aarch64 -M ast2700fc,... -qmp unix:qmp.sock,server,wait=off
    identity.py --qmp qmp.sock --output identity
    openssl x509 -text -noout -in identity/rt-alias-cert.pem
"""

import argparse
import base64
import hashlib
import json
import os
import socket
import sys
import textwrap

FIRMWARE_TYPE = 'child<caliptra-native-fw>'

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


class IdentityError(Exception):
    """Something the user can put right; the message is one line."""


class Qmp:
    """A QMP connection: socket path, or host:port."""

    def __init__(self, address):
        host, colon, port = address.rpartition(':')
        try:
            if colon and port.isdigit():
                sock = socket.create_connection((host or 'localhost',
                                                 int(port)), timeout=10)
            else:
                sock = socket.socket(socket.AF_UNIX)
                sock.settimeout(10)
                sock.connect(address)
            self.file = sock.makefile('rw', encoding='utf-8')
            if 'QMP' not in self._read():
                raise IdentityError(f'{address}: this is not QMP')
            self.command('qmp_capabilities')
        except OSError as e:
            raise IdentityError(f'{address}: {e.strerror or e}') from None

    def _read(self):
        line = self.file.readline()
        if not line:
            raise IdentityError('QEMU closed the connection (another QMP '
                                'client may be connected)')
        try:
            return json.loads(line)
        except ValueError:
            raise IdentityError('this is not QMP') from None

    def command(self, name, **arguments):
        json.dump({'execute': name, 'arguments': arguments}, self.file)
        self.file.write('\n')
        self.file.flush()
        while True:
            answer = self._read()
            if 'error' in answer:
                raise IdentityError(f'{name}: {answer["error"]["desc"]}')
            if 'return' in answer:
                return answer['return']

    def find(self, type_name, path='/machine'):
        """QOM path of the first object of a type below path, or None."""
        todo = [path]
        while todo:
            path = todo.pop(0)
            for prop in self.command('qom-list', path=path):
                if prop['type'] == type_name:
                    return f'{path}/{prop["name"]}'
                if prop['type'].startswith('child<'):
                    todo.append(f'{path}/{prop["name"]}')
        return None


def fetch(qmp):
    """What the firmware has, DER by name of the property."""
    firmware = qmp.find(FIRMWARE_TYPE)
    if not firmware:
        raise IdentityError('this machine has no Caliptra (is the option '
                            'caliptra-boot=off in force?)')
    return {name: base64.b64decode(qmp.command('qom-get', path=firmware,
                                               property=name))
            for name, _ in OBJECTS}


def pem(der, label):
    body = '\n'.join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f'-----BEGIN {label}-----\n{body}\n-----END {label}-----\n'


def write(directory, name, text):
    path = os.path.join(directory, name + '.pem')
    try:
        with open(path, 'w', encoding='ascii') as f:
            f.write(text)
    except OSError as e:
        raise IdentityError(f'{path}: {e.strerror}') from None
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

    objects = fetch(Qmp(args.qmp))
    try:
        os.makedirs(args.output, exist_ok=True)
    except OSError as e:
        raise IdentityError(f'{args.output}: {e.strerror}') from None
    texts = {}
    for name, label in OBJECTS:
        der = objects[name]
        if not der:
            print(f'{name}: not there (yet)')
            continue
        texts[name] = pem(der, label)
        path = write(args.output, name, texts[name])
        print(f'{path}: {len(der)} bytes of DER, '
              f'SHA-256 {hashlib.sha256(der).hexdigest()}')
    if all(name in texts for name in CHAIN):
        print(write(args.output, 'chain',
                    ''.join(texts[name] for name in CHAIN)) +
              ': the three certificates, RT alias first')
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except IdentityError as error:
        sys.exit(f'identity.py: {error}')
