#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/conventions.md is what scripts/conventions.py writes now, and its examples run. ACTFUN is the program."""
import importlib.util
import os
import pathlib
import re
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
ACTFUN = os.path.abspath(os.environ["ACTFUN"])

_spec = importlib.util.spec_from_file_location("conventions", ROOT / "scripts" / "conventions.py")
conventions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(conventions)


class Conventions(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.page = (ROOT / "docs" / "conventions.md").read_text()

    def test_page_is_fresh(self):
        self.assertEqual(self.page, conventions.page(ACTFUN))

    def test_examples_run(self):
        blocks = re.findall(r"^```sh\n(.*?)^```$", self.page, re.S | re.M)
        self.assertEqual(len(blocks), 2)
        for line in "".join(blocks).splitlines():
            name, *arguments = line.split()
            self.assertEqual(name, "actfun")
            subprocess.run([ACTFUN, *arguments], check=True, capture_output=True)


if __name__ == "__main__":
    unittest.main(verbosity=2)
