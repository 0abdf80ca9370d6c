#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/softmax.md compile and print what it says, and its tables are what the measurements say."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

import readme_test

PAGE = readme_test.ROOT / "docs/softmax.md"


class Page(unittest.TestCase):
    def test_examples(self):
        text = PAGE.read_text()
        examples, outputs = readme_test.blocks("cpp", text), readme_test.blocks("text", text)
        self.assertEqual(len(examples), 2)
        for example in examples:
            want = next(output for output in outputs if output.start() > example.end())
            with tempfile.TemporaryDirectory() as directory:
                self.assertEqual(readme_test.compiled_output("cpp", example[2], pathlib.Path(directory)), want[2])

    def test_tables(self):
        subprocess.run([sys.executable, readme_test.ROOT / "scripts/softmax.py", "--check"], check=True)


if __name__ == "__main__":
    unittest.main()
