# Boot flash of the AST27x0: "FLSH" container, stored SoC manifest
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The boot flash of an AST27x0.

Container: caliptra-mcu-sw, builder/src/flash_image.rs (header version 1).
Stored SoC manifest: ASPEED's cptra_imgtool, README.md and src/soc_man.rs;
Caliptra's manifest with a security version and its signatures added.
All numbers are little-endian.
"""

import collections
import struct
import zlib

from caliptra_common import ToolError, le32

MAGIC = b'FLSH'
VERSION = 1
HEADER_SIZE = 16
ENTRY_SIZE = 12
MAX_IMAGES = 127
IMAGE_MAX = 5 << 20             # the BootMCU's buffer for one image

CALIPTRA = 0x0001
MANIFEST = 0x0002
MCU_FMC = 0x0003
SOC_IMAGES = 0x1000

# Of the A1 flash: Caliptra's slot, the container; of the machine's chip
A1_BUNDLE_SIZE = 0x20000
A1_CONTAINER = 0x100000
FLASH_SIZE = 128 << 20

# What follows in the manifest's entry when the image is loaded by the BootMCU
STAGE_SHIFT = 30
STAGE_BOOTMCU = 1

Kind = collections.namedtuple('Kind', 'identifier fw_id option name address '
                                      'room')
# Load addresses as the CA35 cores see them; None: not loaded for them
KINDS = [Kind(SOC_IMAGES + n, 2 + n, *row) for n, row in enumerate((
    ('ddr4-imem', 'DDR4 IMEM', None, 0),
    ('ddr4-dmem', 'DDR4 DMEM', None, 0),
    ('ddr4-2d-imem', 'DDR4 2D IMEM', None, 0),
    ('ddr4-2d-dmem', 'DDR4 2D DMEM', None, 0),
    ('ddr5-imem', 'DDR5 IMEM', None, 0),
    ('ddr5-dmem', 'DDR5 DMEM', None, 0),
    ('dp', 'DP firmware', None, 0),
    ('uefi', 'UEFI', None, 0),
    ('atf', 'ATF', 0x430000000, 512 << 10),
    ('optee', 'OP-TEE', 0x430080000, 16 << 20),
    ('u-boot', 'U-Boot', 0x400000000, 0),
    ('ssp', 'SSP', 0x42C000000, 32 << 20),
    ('tsp', 'TSP', 0x42E000000, 32 << 20)))]
BY_IDENTIFIER = {kind.identifier: kind for kind in KINDS}
BY_OPTION = {kind.option: kind for kind in KINDS}
MCU_FMC_FW_ID = 1

NAMES = {CALIPTRA: 'Caliptra FMC and runtime', MANIFEST: 'SoC manifest',
         MCU_FMC: 'MCU FMC'}
NAMES.update((kind.identifier, kind.name) for kind in KINDS)

Image = collections.namedtuple('Image', 'identifier offset size')


def pad4(data):
    """As an image stands in the container, and as it is hashed"""
    return bytes(data) + bytes(-len(data) % 4)


def crc(data):
    return zlib.crc32(data) & 0xFFFFFFFF


class Container:
    """A container that was read: @data begins with its first byte and goes
    on to the end of the flash."""

    def __init__(self, data):
        self.data = data
        if len(data) < HEADER_SIZE:
            raise ToolError('FLSH container: header is cut short')
        (magic, self.version, count, self.header_crc,
         self.payload_crc) = struct.unpack_from('<4sHHII', data)
        if magic != MAGIC:
            raise ToolError(f'no FLSH container: it begins with {magic.hex()}')
        if self.header_crc != crc(data[:8]):
            raise ToolError(
                f'FLSH container: header CRC is 0x{self.header_crc:08x}, '
                f'must be 0x{crc(data[:8]):08x}')
        if self.version != VERSION:
            raise ToolError(f'FLSH container: version {self.version}, must '
                            f'be {VERSION}')
        if not 1 <= count <= MAX_IMAGES:
            raise ToolError(f'FLSH container: {count} images, must be 1 to '
                            f'{MAX_IMAGES}')
        table = HEADER_SIZE + count * ENTRY_SIZE
        if len(data) < table:
            raise ToolError('FLSH container: table is cut short')
        self.images = [
            Image(*struct.unpack_from('<III', data,
                                      HEADER_SIZE + ENTRY_SIZE * n))
            for n in range(count)]
        self._check(table)

    def _check(self, table):
        """@table: first byte after the table"""
        for n, image in enumerate(self.images):
            end = image.offset + image.size
            if image.size and (image.offset < table or end > len(self.data)):
                raise ToolError(
                    f'FLSH container: image 0x{image.identifier:04x}, '
                    f'0x{image.size:x} bytes at offset 0x{image.offset:x}, '
                    'lies ' + ('over the table' if image.offset < table
                               else 'outside the flash'))
            for other in self.images[:n]:
                if other.identifier == image.identifier:
                    raise ToolError(
                        f'FLSH container: image 0x{image.identifier:04x} '
                        'is there twice')
                if image.size and other.size and other.offset < end and \
                        image.offset < other.offset + other.size:
                    raise ToolError(
                        f'FLSH container: images 0x{other.identifier:04x} '
                        f'and 0x{image.identifier:04x} overlap')

    @property
    def size(self):
        """Up to the last image"""
        return max([HEADER_SIZE + ENTRY_SIZE * len(self.images)] +
                   [image.offset + image.size for image in self.images
                    if image.size])

    @property
    def payload_good(self):
        return crc(self.data[HEADER_SIZE:self.size]) == self.payload_crc

    def find(self, identifier):
        return next((image for image in self.images
                     if image.identifier == identifier), None)

    def content(self, image):
        return bytes(self.data[image.offset:image.offset + image.size])


def build_container(images):
    """A container of (identifier, content), in this order"""
    if not 1 <= len(images) <= MAX_IMAGES:
        raise ToolError(f'{len(images)} images; a container has 1 to '
                        f'{MAX_IMAGES}')
    table = body = b''
    offset = HEADER_SIZE + ENTRY_SIZE * len(images)
    for identifier, content in images:
        content = pad4(content)
        table += struct.pack('<III', identifier, offset, len(content))
        offset += len(content)
        body += content
    head = struct.pack('<4sHH', MAGIC, VERSION, len(images))
    return head + struct.pack('<II', crc(head), crc(table + body)) + \
        table + body


class Flash:
    """The boot flash: @layout is 'a1', 'a2' or 'container'; @bundle the
    firmware bundle's slot, None if there is none; @container may be None"""

    def __init__(self, data):
        self.bundle = self.container = None
        if data[:4] == MAGIC:
            self.container = Container(data)
            image = self.container.find(CALIPTRA)
            if image and image.size:
                self.layout = 'a2'
                self.bundle = self.container.content(image)
            else:
                self.layout = 'container'
            return
        if data[:4] != b'CMAN':
            raise ToolError('no boot flash: neither a Caliptra bundle nor an '
                            'FLSH container at 0')
        self.layout = 'a1'
        self.bundle = bytes(data[:A1_BUNDLE_SIZE])
        if data[A1_CONTAINER:A1_CONTAINER + 4] == MAGIC:
            self.container = Container(data[A1_CONTAINER:])

    @property
    def offset(self):
        """Of the container"""
        return A1_CONTAINER if self.layout == 'a1' else 0


# The stored SoC manifest

MARKER = 0x41544D4E
STORED_SIZE = 16004
CALIPTRA_SIZE = 14284
SEC_VERSION = 12                # its offset
STORED_FLAGS = 16
SVN_SIGNATURES = 3740
SVN_SIZE = 1716
STORED_OWNER_KEYS = 1880
KEYS_SIZE = 144


def is_stored(data):
    """Whether this is a manifest, and in the stored form"""
    return len(data) >= STORED_SIZE and le32(data, 0) == MARKER


def from_stored(data):
    """Caliptra's manifest out of a stored one"""
    if len(data) < STORED_SIZE:
        raise ToolError(f'SoC manifest: {len(data)} bytes, must have '
                        f'{STORED_SIZE}')
    data = bytes(data[:STORED_SIZE])
    return data[:SEC_VERSION] + data[STORED_FLAGS:SVN_SIGNATURES] + \
        data[SVN_SIGNATURES + SVN_SIZE:]


def to_stored(manifest, sec_version, svn_signatures):
    """The stored form of Caliptra's @manifest"""
    at = SVN_SIGNATURES - (STORED_FLAGS - SEC_VERSION)
    return manifest[:SEC_VERSION] + struct.pack('<I', sec_version) + \
        manifest[SEC_VERSION:at] + svn_signatures + manifest[at:]


def svn_signed(stored):
    """What the security version's signatures sign"""
    return bytes(stored[8:20]) + \
        bytes(stored[STORED_OWNER_KEYS:STORED_OWNER_KEYS + KEYS_SIZE])


def swap_q(signatures):
    """ECDSA and LMS signature with the LMS q's bytes reversed: so ASPEED's
    tool stores those of the security version"""
    return signatures[:96] + signatures[96:100][::-1] + signatures[100:]
