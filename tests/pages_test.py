#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The pages in docs/ are what scripts/pages.py writes now. ACTFUN is the program.

When this fails after a change, run `scripts/pages.py`, look at the difference, and commit it with the change.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ACTFUN = pathlib.Path(os.environ["ACTFUN"]).resolve()
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("ACTFUN_TARGET", "ACTFUN_CERTIFICATES")}


def written(directory):
    """Every file that the script writes, by its path below docs/."""
    files = [directory / "differences.md", *directory.glob("functions/*"), *directory.glob("differences/*")]
    return {str(path.relative_to(directory)): path for path in files if path.exists()}


def drawn_by(path):
    """gnuplot's version: another one draws the same otherwise."""
    return re.search(r"GNUPLOT [^<\n]*", path.read_text(), re.I)


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.fresh = pathlib.Path(cls.directory.name)
        subprocess.run([sys.executable, ROOT / "scripts" / "pages.py", "--actfun", ACTFUN, "--output", cls.fresh],
                       check=True, env=ENVIRONMENT)

    def test_same_files(self):
        self.assertEqual(sorted(written(DOCS)), sorted(written(self.fresh)))

    def test_same_contents(self):
        committed = written(DOCS)
        for name, path in written(self.fresh).items():
            old = committed.get(name)
            if not old or (path.suffix == ".svg" and str(drawn_by(path)) != str(drawn_by(old))):
                continue
            before, after = old.read_text(), path.read_text()
            if before != after:
                lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "committed", "written now", lineterm="", n=0)
                self.fail(f"docs/{name} is stale: run scripts/pages.py\n" + "\n".join(list(lines)[:40]))

    def test_pictures_are_small(self):
        for name, path in written(self.fresh).items():
            if path.suffix == ".svg":
                self.assertLess(path.stat().st_size, 45_000, name)

    def test_links(self):
        for name, path in written(self.fresh).items():
            if path.suffix == ".md":
                for target in re.findall(r'\]\(([^)\s#]+)\)|(?:href|src)="([^"]+)"', path.read_text()):
                    target = target[0] or target[1]
                    place = self.fresh if not target.startswith("../../") else DOCS
                    self.assertTrue((place / name).parent.joinpath(target).exists(), f"{name}: {target}")

    def test_every_formula_is_typeset(self):
        """An indented line stands for a derivative that scripts/pages.py could not read."""
        for name, path in written(self.fresh).items():
            if "Special values" in path.read_text():
                self.assertNotRegex(path.read_text(), r"(?m)^    f'", name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
