# Releases 1.2.0 to 1.2.5 of Caliptra's firmware: how their bundles tell
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""RELEASES: what the tables of contents of official bundles carry.

From builder/src/version.rs and common/src/lib.rs of caliptra-sw, tags
rt-1.2.0 to rt-1.2.5.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Release:
    revision: bytes         # commit of caliptra-sw, of FMC and runtime
    fmc_version: int
    rt_version: int
    rt_load: int            # load address of the runtime

    fmc_load = 0x40000000

    def fields(self, name):
        """Fields of an image's entry, @name: fmc or rt"""
        return {'revision': self.revision,
                'version': getattr(self, f'{name}_version'),
                'load_addr': getattr(self, f'{name}_load')}


RELEASES = {
    f'1.2.{patch}': Release(bytes.fromhex(revision), 0x0880 + patch,
                            0x01020000 + patch, rt_load)
    for patch, (revision, rt_load) in enumerate((
        ('951209a31c4373658f89e4b1211f3a557731c7d9', 0x40005400),
        ('98df57bbb7bb5746c4282ca0505fea3b0fa64ec4', 0x40005400),
        ('cccf6419a5952f89c3aa270102edd5da9a11c5ac', 0x40005400),
        ('15512531781016c126dcb9ee6963410b6a9200b0', 0x40005C00),
        ('84ca1a1edfd5c6fa72a44e0e3354bb40b166ffde', 0x40006000),
        ('b8d1f5916a778e2f34976ea021459fc6575032a2', 0x40006000)))
}
