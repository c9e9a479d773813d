# Genuine images of Caliptra, which this repository does not have
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""images(): what is in the folder that $CALIPTRA_GENUINE_DIR names.

rom.bin: a ROM; fw.bin: a firmware bundle, with whichever keys.
"""

import os
from pathlib import Path
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
