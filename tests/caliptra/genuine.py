# Genuine images of Caliptra, which this repository does not have
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""images(): what is in the folder that $CALIPTRA_GENUINE_DIR names.

rom.bin: a ROM; fw.bin: a firmware bundle, with whichever keys.
"""

import functools
import hashlib
import os
from pathlib import Path
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'scripts', 'caliptra'))

import caliptra_image                          # noqa: E402
from caliptra_common import ToolError          # noqa: E402, F401

FOLDER = 'CALIPTRA_GENUINE_DIR'


class Images:
    """A ROM, and a bundle taken apart."""

    def __init__(self, rom, bundle):
        self.rom = Path(rom)
        for file in self.rom, Path(bundle):
            if not file.is_file():
                raise FileNotFoundError('there is no %s' % file)
        self.bundle = caliptra_image.Bundle(Path(bundle).read_bytes())
        self.fmc, self.rt = self._part('fmc'), self._part('rt')

    @functools.cached_property
    def rom_info(self):
        """(version, revision, digest as hash words), of RomInfo."""
        data = self.rom.read_bytes()
        so_far = hashlib.sha256()
        for at in range(0, len(data) - 60, 4):
            # it follows the code that it has the digest of, as words
            digest = data[at:at + 32]
            if so_far.digest() == struct.pack(
                    '>8I', *struct.unpack('<8I', digest)):
                version, = struct.unpack_from('<H', data, at + 56)
                return version, data[at + 32:at + 52], digest
            so_far.update(data[at:at + 4][::-1])
        raise ValueError('%s has no RomInfo' % self.rom)

    def _part(self, name):
        at = self.bundle[name + '.offset']
        return bytes(self.bundle.data[at:at + self.bundle[name + '.size']])


_IMAGES = []


def use(rom, bundle):
    """Other files than those of the folder."""
    _IMAGES[:] = [Images(rom, bundle)]


def images():
    """Those of the folder, unless others are to be used."""
    if not _IMAGES:
        if not os.environ.get(FOLDER):
            raise FileNotFoundError('%s names no folder with rom.bin and '
                                    'fw.bin' % FOLDER)
        folder = Path(os.environ[FOLDER])
        use(folder / 'rom.bin', folder / 'fw.bin')
    return _IMAGES[0]
