"""
QEMU configured in another way than ./qemu-caliptra does it.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import os
from pathlib import Path
import subprocess
import sys
import tempfile
import unittest

TREE = Path(os.environ['CALIPTRA_TREE'])


class Configure(unittest.TestCase):

    def test_other_crypto_library(self):
        """QEMU's own crypto uses nettle; the model is built all the same"""
        with tempfile.TemporaryDirectory(prefix='caliptra-configure-') as obj:
            done = subprocess.run(
                [TREE / 'configure', f'--python={sys.executable}',
                 '--target-list=aarch64-softmmu', '--without-default-devices',
                 '--with-devices-aarch64=caliptra', '--enable-nettle',
                 '--disable-gnutls', '--disable-tools', '--disable-docs',
                 '--disable-download', '--disable-install-blobs'],
                cwd=obj, check=False, capture_output=True, encoding='utf-8')
            self.assertEqual(done.returncode, 0, done.stdout[-2000:])
            config = (Path(obj) / 'config-host.h').read_text(encoding='utf-8')
            self.assertIn('#define CONFIG_NETTLE', config)
            self.assertNotIn('#define CONFIG_GCRYPT', config)
            devices = (Path(obj) / 'aarch64-softmmu-config-devices.mak') \
                .read_text(encoding='utf-8')
            self.assertIn('CONFIG_ASPEED_CALIPTRA=y', devices)
            rules = (Path(obj) / 'build.ninja').read_text(encoding='utf-8')
            link = rules.split('build qemu-system-aarch64: ')[1]
            self.assertIn('libgcrypt', link.split('\nbuild ')[0])


if __name__ == '__main__':
    unittest.main()
