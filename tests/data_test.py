#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The data files are those that data/README.md describes."""
import hashlib
import pathlib
import re
import unittest

DATA = pathlib.Path(__file__).parent.parent / "data"


class DataTest(unittest.TestCase):
    def test_checksums(self):
        rows = re.findall(r"^\| `(\S+\.npy)` .*`([0-9a-f]{64})` \|$", (DATA / "README.md").read_text(), re.M)
        self.assertEqual(sorted(name for name, _ in rows), sorted(path.name for path in DATA.glob("*.npy")))
        for name, checksum in rows:
            self.assertEqual(hashlib.sha256((DATA / name).read_bytes()).hexdigest(), checksum, name)


if __name__ == "__main__":
    unittest.main()
