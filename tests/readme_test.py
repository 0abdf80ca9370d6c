#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The README's examples compile, run, and print what it says. ACTFUN_BUILD is the build directory, ACTFUN the program.

    ```cpp, ```c      a program; the ```text block behind it is what it prints
    ```cmake          how a CMake project finds the library: builds the C++ example
    ```console        lines that begin with `$ ` are run, the others are what they print
    ```sh             is run, every line must succeed; ```sh norun: only its first words must exist

After a change, `tests/readme_test.py --update` enters what the examples print. Look at the difference.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BUILD = pathlib.Path(os.environ["ACTFUN_BUILD"]).resolve()
ACTFUN = pathlib.Path(os.environ["ACTFUN"]).resolve()
ENVIRONMENT = {**os.environ, "PATH": f"{ACTFUN.parent}:{os.environ['PATH']}", "LD_LIBRARY_PATH": str(BUILD)}
ENVIRONMENT.pop("ACTFUN_TARGET", None)
BLOCK = re.compile(r"^```(.*)\n((?:.*\n)*?)^```$", re.M)


def blocks(language, text=None):
    """The contents of the blocks in `language`; the whole match with groups."""
    return [m for m in BLOCK.finditer(text or README.read_text()) if m[1] == language]


def run(*command, **options):
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, env=ENVIRONMENT, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


def compiled_output(language, source, directory):
    compiler = {"cpp": ["g++", "-std=c++20"], "c": ["gcc", "-std=c99", "-pedantic-errors"]}[language]
    suffix = {"cpp": "cc", "c": "c"}[language]
    path = directory / f"main.{suffix}"
    path.write_text(source)
    run(*compiler, "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", f"-I{BUILD}/generated", path, f"-L{BUILD}",
        "-lactfun", "-o", directory / "main")
    return run(directory / "main")


def console_output(text, directory):
    """The block with what its commands print now."""
    commands = [line for line in text.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n{run('bash', '-ec', line[2:], cwd=directory)}" for line in commands)


def update():
    """Writes the outputs of all examples into the README."""
    text = README.read_text()
    with tempfile.TemporaryDirectory() as directory:
        directory = pathlib.Path(directory)
        pieces, last, output = [], 0, None
        for match in BLOCK.finditer(text):
            body = match[2]
            if match[1] == "text" and output is not None:
                body = output
            output = compiled_output(match[1], body, directory) if match[1] in ("cpp", "c") else None
            if match[1] == "console":
                body = console_output(body, directory)
            pieces += [text[last:match.start(2)], body]
            last = match.end(2)
    README.write_text("".join(pieces) + text[last:])


class Readme(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def test_every_block_is_of_a_known_kind(self):
        kinds = {"cpp", "c", "text", "cmake", "console", "sh", "sh norun"}
        self.assertLessEqual({match[1] for match in BLOCK.finditer(README.read_text())}, kinds)

    def test_programs(self):
        """The README's in both languages, and those of the pages that have some."""
        for document in [README, *sorted((ROOT / "docs").glob("*.md"))]:
            every = list(BLOCK.finditer(document.read_text()))
            programs = [(a, b) for a, b in zip(every, every[1:]) if a[1] in ("cpp", "c")]
            if document == README:
                self.assertEqual({a[1] for a, _ in programs}, {"cpp", "c"})
            for program, output in programs:
                with self.subTest(f"{document.name}, {program[1]}"):
                    self.assertEqual(output[1], "text")
                    self.assertEqual(compiled_output(program[1], program[2], self.dir), output[2])

    def test_cmake(self):
        run("cmake", "--install", BUILD, "--prefix", self.dir / "prefix")
        (self.dir / "main.cc").write_text(blocks("cpp")[0][2])
        (self.dir / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.21)\nproject(main LANGUAGES CXX)\n"
                                                 "add_executable(main main.cc)\n" + blocks("cmake")[0][2])
        run("cmake", "-S", self.dir, "-B", self.dir / "build", f"-DCMAKE_PREFIX_PATH={self.dir}/prefix")
        run("cmake", "--build", self.dir / "build")
        self.assertEqual(run(self.dir / "build" / "main"), blocks("text")[0][2])

    def test_console(self):
        self.assertTrue(blocks("console"))
        for block in blocks("console"):
            self.assertEqual(console_output(block[2], self.dir), block[2])

    def test_shell(self):
        shutil.copytree(ROOT / "data", self.dir / "data")
        self.assertTrue(blocks("sh"))
        for line in "".join(block[2] for block in blocks("sh")).splitlines():
            with self.subTest(line):
                run("bash", "-ec", line, cwd=self.dir)

    def test_commands_that_are_not_run_exist(self):
        for line in "".join(block[2] for block in blocks("sh norun")).splitlines():
            word = line.split()[0]
            self.assertTrue(shutil.which(word, path=os.environ["PATH"]) or os.access(ROOT / word, os.X_OK), word)

    def test_links(self):
        """Links to files and headings of the documents that stand in the tree."""
        for document in [README, ROOT / "CONTRIBUTING.md", ROOT / "functions" / "README.md"]:
            text = document.read_text()
            headings = {re.sub(r"[^\w -]", "", h).strip().lower().replace(" ", "-")
                        for h in re.findall(r"^#+ (.*)$", text, re.M)}
            for target in re.findall(r"\]\(([^)\s]+)\)", text):
                if target.startswith("#"):
                    self.assertIn(target[1:], headings, document)
                elif "://" not in target:
                    self.assertTrue((document.parent / target).exists(), f"{document}: {target}")


if __name__ == "__main__":
    if "--update" in sys.argv:
        update()
    else:
        unittest.main(verbosity=2)
