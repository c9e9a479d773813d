# What the Caliptra tools share: errors, number forms, fuse files
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Common ground of the Caliptra tools.

Byte order, as the Caliptra firmware has it: "hardware words" hold a
big-endian number cut into 32-bit words, most significant word first, each
word stored little-endian.  hw_words() converts to and from that form.
"""

import json
import os
import re
import stat
import struct
import sys

ERROR_TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                           '..', '..', 'hw', 'misc',
                           'caliptra_errors.h.inc')

LIFECYCLES = {'unprovisioned': 0, 'manufacturing': 1, 'production': 3}

# Fuses that are a row of register words: name -> number of words
FUSE_WORDS = {
    'uds_seed': 12,
    'field_entropy': 8,
    'key_manifest_pk_hash': 12,
    'owner_pk_hash': 12,
    'runtime_svn': 4,
    'idevid_cert_attr': 24,
    'idevid_manuf_hsm_id': 4,
}

# Fuses that are one number: name -> number of bits
FUSE_BITS = {
    'key_manifest_pk_hash_mask': 4,
    'fmc_key_manifest_svn': 32,
    'anti_rollback_disable': 1,
    'life_cycle': 2,
    'lms_verify': 1,
    'lms_revocation': 32,
    'soc_stepping_id': 16,
}


class ToolError(Exception):
    """Something the user can put right; the message is one line."""


def hw_words(data):
    """Reverse the bytes of each 32-bit word (its own inverse)."""
    return b''.join(data[i:i + 4][::-1] for i in range(0, len(data), 4))


def le32(data, offset):
    return struct.unpack_from('<I', data, offset)[0]


class _Files:
    """What a command has read and written, to tell when two are the same"""

    used = None                 # set of (device, inode) of a command that runs

    @staticmethod
    def identity(path):
        status = os.stat(path)
        return status.st_dev, status.st_ino

    @classmethod
    def add(cls, path):
        if cls.used is not None:
            cls.used.add(cls.identity(path))

    @classmethod
    def known(cls, path):
        return cls.used is not None and os.path.isfile(path) and \
            cls.identity(path) in cls.used


def read_file(path, limit=16 << 20):
    """Contents of a regular file, refused if larger than @limit bytes."""
    try:
        # a FIFO would be waited for already when it is opened
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            raise ToolError(f'{path}: not a regular file')
        _Files.add(path)
        with open(path, 'rb') as f:
            data = f.read(limit + 1)
    except OSError as e:
        raise ToolError(f'{path}: {e.strerror}') from None
    if len(data) > limit:
        raise ToolError(f'{path}: larger than {limit} bytes')
    return data


def check_output(path):
    """Refuse to write what has been read, or written under another name."""
    try:
        if _Files.known(path):
            raise ToolError(f'{path}: is another file of this command, too')
    except OSError as e:
        raise ToolError(f'{path}: {e.strerror}') from None


def write_file(path, data):
    check_output(path)
    try:
        with open(path, 'wb') as f:
            f.write(data)
        _Files.add(path)
    except OSError as e:
        raise ToolError(f'{path}: {e.strerror}') from None


# How files begin that are mistaken for bundles and manifests
KINDS = (
    (b'CMAN', 'a Caliptra firmware bundle (see bundle.py)'),
    (b'NMTA', 'a SoC authorization manifest (see manifest.py)'),
    (b'FLSH', 'a FLSH container of flash images'),
    (b'\x7fELF', 'an ELF file'),
    (b'\xd0\x0d\xfe\xed', 'a device tree or FIT image'),
    (b'\x1f\x8b', 'a file compressed with gzip'),
    (b'\xfd7zXZ', 'a file compressed with xz'),
    (b'\x28\xb5\x2f\xfd', 'a file compressed with zstd'),
    (b'-----BEGIN ', 'a PEM file'),
    (b'QFI\xfb', 'a qcow2 disk image'),
)


def kind_of_file(data):
    """What bytes look like that are not what was expected, for a person"""
    for magic, kind in KINDS:
        if data.startswith(magic):
            return kind
    if not data:
        return 'an empty file'
    if not data.strip(data[:1]):
        return f'nothing but bytes of 0x{data[0]:02x}'
    if data[:1] in b'{[' and data.isascii():
        return 'a JSON file'
    if re.fullmatch(rb'[\t\r\n -~]*', data[:4096]):
        return 'a text file'
    return 'data of no kind that is known here'


def number(text, bits=32):
    """Argument type: a number that fits into @bits bits."""
    try:
        value = int(text, 0)
    except ValueError:
        raise ToolError(f'{text!r} is not a number') from None
    if not 0 <= value < 1 << bits:
        raise ToolError(f'{text} does not fit into {bits} bits')
    return value


def hex_bytes(text, length, what):
    """Exactly @length bytes out of hex digits."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        raise ToolError(f'{what}: {text!r} is not hexadecimal') from None
    if len(data) != length:
        raise ToolError(f'{what}: {len(data)} bytes given, '
                        f'{length} expected')
    return data


def error_names():
    """The error table of the model: number -> name."""
    names = {}
    for code, name in re.findall(
            r'CALIPTRA_ERROR\((0x[0-9A-Fa-f]+),\s*(\w+),',
            read_file(ERROR_TABLE).decode()):
        names.setdefault(int(code, 16), name)
    return names


def describe_error(code):
    return f'{error_names().get(code, "UNKNOWN")} (0x{code:08X})'


def check_fuse(name, value):
    """Return @value as the fuse dictionary holds it, or complain.

    Rows of words become bytes: word 0 first, each word most significant
    byte first.  All others are numbers.
    """
    if name in FUSE_WORDS:
        if not isinstance(value, str):
            raise ToolError(f'fuse {name}: a hex string is expected')
        return hex_bytes(value, 4 * FUSE_WORDS[name], f'fuse {name}')
    if name in FUSE_BITS:
        if isinstance(value, str):
            value = number(value)
        if isinstance(value, bool):
            value = int(value)
        if not isinstance(value, int) or \
                not 0 <= value < 1 << FUSE_BITS[name]:
            raise ToolError(f'fuse {name}: a number of {FUSE_BITS[name]} '
                            'bit(s) is expected')
        return value
    raise ToolError(f'no fuse is called {name!r}')


def no_fuses():
    """All fuses, none of them blown"""
    fuses = {name: bytes(4 * words) for name, words in FUSE_WORDS.items()}
    fuses.update({name: 0 for name in FUSE_BITS})
    return fuses


def load_fuses(path):
    """Read a fuse file: JSON object, absent fuses are zero."""
    try:
        values = json.loads(read_file(path).decode())
    except ValueError as e:
        raise ToolError(f'{path}: not JSON: {e}') from None
    if not isinstance(values, dict):
        raise ToolError(f'{path}: not a JSON object')
    fuses = no_fuses()
    try:
        for name, value in values.items():
            fuses[name] = check_fuse(name, value)
    except ToolError as e:
        raise ToolError(f'{path}: {e}') from None
    return fuses


def fuses_text(fuses):
    """The fuse file for the given fuses."""
    values = {name: value.hex() if isinstance(value, bytes) else value
              for name, value in fuses.items()}
    return json.dumps(values, indent=4) + '\n'


def fuse_svn(value):
    """SVN of a fuse number: position of the highest set bit, plus one."""
    return value.bit_length()


def words_number(data):
    """Number whose least significant word comes first in a row of words."""
    return sum(int.from_bytes(data[i:i + 4], 'big') << 8 * i
               for i in range(0, len(data), 4))


def number_words(value, words):
    """Inverse of words_number()."""
    return b''.join((value >> 32 * i & 0xFFFFFFFF).to_bytes(4, 'big')
                    for i in range(words))


def run_tool(name, main):
    """Run main(argv), which returns the exit status.

    Whatever the user can put right ends in one line on stderr and status 2.
    """
    _Files.used = set()
    try:
        sys.exit(main(sys.argv[1:]))
    except ToolError as e:
        sys.exit(print(f'{name}: {e}', file=sys.stderr) or 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
