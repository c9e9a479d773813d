# Genuine images of Caliptra, which this repository does not have
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""images(): what is in the folder that $CALIPTRA_GENUINE_DIR names.

rom.bin: a ROM; fw.bin: a firmware bundle, with whichever keys.
"""

import functools
import os
from pathlib import Path
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '..', '..', 'scripts', 'caliptra'))

import caliptra_image               # noqa: E402

FOLDER = 'CALIPTRA_GENUINE_DIR'


class Images:
    """A ROM, and a bundle taken apart."""

    def __init__(self, folder):
        self.rom = Path(folder) / 'rom.bin'
        path = Path(folder) / 'fw.bin'
        for file in self.rom, path:
            if not file.is_file():
                raise FileNotFoundError('%s=%s: there is no %s in it' %
                                        (FOLDER, folder, file.name))
        self.bundle = caliptra_image.Bundle(path.read_bytes())
        self.fmc, self.rt = self._part('fmc'), self._part('rt')

    def _part(self, name):
        at = self.bundle[name + '.offset']
        return bytes(self.bundle.data[at:at + self.bundle[name + '.size']])


@functools.cache
def images():
    """Those of the folder."""
    if not os.environ.get(FOLDER):
        raise FileNotFoundError('%s names no folder with rom.bin and fw.bin' %
                                FOLDER)
    return Images(os.environ[FOLDER])
