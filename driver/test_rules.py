"""
Who may know whom (docs/specs/caliptra.rst): by what each file includes and
names.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import fnmatch
import os
from pathlib import Path
import re
import unittest

ROOT = Path(os.environ['CALIPTRA_ROOT'])

# The core: its blocks and what they share
CORE = tuple(f'hw/misc/caliptra{name}.[ch]' for name in (
    '', '_reg', '_regs', '_internal', '_intr', '_time', '_mbox', '_soc_ifc',
    '_sha_acc', '_vault', '_engines', '_doe', '_ecc', '_hmac', '_sha256',
    '_sha512', '_trng', '_crypto', '_uc', '_soc_if'))
FIRMWARE = ('hw/misc/caliptra_fw*',)
# What the core keeps for itself
STATE = ('hw/misc/caliptra_internal.h', 'hw/misc/caliptra_reg.h',
         'hw/misc/caliptra_engines.h')
SOC = ('*hw/misc/aspeed_*', '*hw/arm/*', '*hw/riscv/*', '*hw/nvram/*',
       '*hw/misc/caliptra_soc.[ch]', '*hw/misc/caliptra_bringup.[ch]')
CPU = ('target/riscv/*', '*hw/intc/veer*')
# The ends of a link between processes
LINK = ('*hw/misc/caliptra_link*', '*hw/misc/caliptra_remote*')


def fits(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


class Rules(unittest.TestCase):

    @classmethod
    def setUpClass(cls):
        cls.text = {}
        for top in ('hw', 'include', 'target'):
            for path in (ROOT / top).rglob('*'):
                if path.suffix in ('.c', '.h', '.inc'):
                    cls.text[str(path.relative_to(ROOT))] = path.read_text(
                        encoding='utf-8')
        cls.included = {
            name: [file for written in re.findall(r'#include "([^"]+)"', text)
                   for file in (str(Path(name).parent / written),
                                f'include/{written}', written)
                   if file in cls.text]
            for name, text in cls.text.items()}

    def files(self, patterns):
        found = [name for name in self.text if fits(name, patterns)]
        self.assertTrue(found, patterns)
        return found

    def reached(self, name):
        seen, todo = set(), [name]
        while todo:
            for file in self.included[todo.pop()]:
                if file not in seen:
                    seen.add(file)
                    todo.append(file)
        return seen

    def code(self, name):
        """Without comments and the names of headers"""
        return re.sub(r'/\*(?s:.*?)\*/|#include .*', '', self.text[name])

    def apart(self, those, others, words):
        """Those include none of the others, and say none of the words"""
        for name in self.files(those):
            for file in self.reached(name):
                self.assertFalse(fits(file, others), f'{name} knows {file}')
            found = re.search(words, self.code(name))
            self.assertIsNone(found, f'{name} says {found and found[0]}')

    def test_core(self):
        """Neither who plays its microcontroller nor the SoC around it"""
        self.apart(CORE, FIRMWARE + SOC + CPU + ('*caliptra_testdev*',),
                   r'(?i)\bcaliptra_?fw|native|testdev|aspeed|ast27|veer')

    def test_firmware(self):
        """Nothing of the core but what a microcontroller reaches"""
        self.apart(FIRMWARE, STATE + SOC + CPU, r'\bCaliptraState\b')

    def test_soc(self):
        """Nothing of the core but the interface"""
        self.apart(SOC, STATE + FIRMWARE, r'\bCaliptraState\b')

    def test_link(self):
        """Of core and SoC nothing but the interface between them"""
        self.apart(LINK, STATE + FIRMWARE + SOC + CPU,
                   r'(?i)\bCaliptraState\b|native|aspeed|ast27|veer')

    def test_cpu(self):
        self.apart(CPU, STATE + FIRMWARE, r'\bCaliptra(State|SocIf)\b')

    def test_no_circle(self):
        for name in self.text:
            self.assertNotIn(name, self.reached(name))


if __name__ == '__main__':
    unittest.main()
