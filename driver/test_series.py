"""
The patch series leaves nothing out.

SPDX-License-Identifier: GPL-2.0-or-later
"""

import unittest

import series


class Series(unittest.TestCase):

    def test_every_file_has_its_patch(self):
        files = series.work_files()
        groups = series.assign(files)
        self.assertEqual(sum(len(group) for group in groups), len(files))
        for group, (subject, _, _) in zip(groups, series.SERIES):
            self.assertTrue(group, f'"{subject}" has no file')

    def test_patches_change_one_file(self):
        for patch in (series.ROOT / 'patches').glob('*.patch'):
            text = patch.read_text(encoding='utf-8')
            self.assertEqual(text.count('\n+++ b/'), 1, patch.name)
            self.assertEqual(series.patch_target(patch).replace('/', '_') +
                             '.patch', patch.name)


if __name__ == '__main__':
    unittest.main()
