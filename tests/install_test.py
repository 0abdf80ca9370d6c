#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The library from the outside: installed into an empty prefix, or as a subdirectory of another project.

ACTFUN_BUILD is the build directory that gets installed; the consumers are built in ACTFUN_BUILD/tests/consumers.
"""
import os
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ["ACTFUN_BUILD"]).resolve()
SCRATCH = BUILD / "tests" / "consumers"
PREFIX = SCRATCH / "prefix"

C_CONSUMER = r"""
#include <actfun/actfun.h>
#include <stdio.h>

int main(void) {
  const float x[] = {-1, 0, 1};
  float y[3];
  char message[256];
  actfun_function elu;
  if (actfun_find("elu:alpha=0.5", &elu, message, sizeof message) != ACTFUN_OK) return 1;
  if (actfun_value(&elu, x, y, 3) != ACTFUN_OK) return 1;
  printf("%a %a %a %s\n", y[0], y[1], y[2], actfun_version());
  return actfun_find("gellu", &elu, message, sizeof message) == ACTFUN_BAD_FUNCTION ? 0 : 1;
}
"""
CXX_CONSUMER = r"""
#include <actfun/actfun.hpp>
#include <cstdio>
#include <vector>

int main() {
  const std::vector<float> x{-1, 0, 1};
  std::vector<float> y(3);
  actfun::Elu{.alpha = 0.5}(x, y);
  std::printf("%a %a %a %s\n", y[0], y[1], y[2], actfun_version());
  try {
    actfun::function("gellu");
  } catch (const actfun::Error& error) {
    return error.status() == ACTFUN_BAD_FUNCTION ? 0 : 1;
  }
  return 1;
}
"""
# (exp(-1) - 1) / 2, 0, 1, rounded to float
OUTPUT = "-0x1.43a54ep-2 0x0p+0 0x1p+0 "

PROJECT = """
cmake_minimum_required(VERSION 3.21)
project(consumer LANGUAGES {languages})
{find}
add_executable(consumer main.{suffix})
target_link_libraries(consumer PRIVATE actfun::actfun)
"""


def run(*command, **options):
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    if result.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{result.stdout}{result.stderr}")
    return result.stdout


def cached(name):
    """A variable of the build's CMakeCache.txt."""
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split("=", 1)[1]
    return ""


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(SCRATCH, ignore_errors=True)
        run("cmake", "--install", BUILD, "--prefix", PREFIX)
        cls.library = next(PREFIX.rglob("libactfun.so"))

    def check(self, program, environment=None):
        version = cached("CMAKE_PROJECT_VERSION")
        self.assertEqual(run(program, env={**os.environ, **(environment or {})}), OUTPUT + version + "\n")

    def cmake_consumer(self, name, source, find, *options, generator="Ninja"):
        directory = SCRATCH / name
        directory.mkdir(parents=True)
        suffix, languages = ("c", "C") if "stdio.h" in source else ("cc", "CXX")
        (directory / f"main.{suffix}").write_text(source)
        (directory / "CMakeLists.txt").write_text(PROJECT.format(languages=languages, find=find, suffix=suffix))
        run("cmake", "-S", directory, "-B", directory / "build", "-G", generator, *options)
        run("cmake", "--build", directory / "build", "--target", "consumer", "--parallel", "2")
        return directory / "build" / "consumer"

    def test_exports_only_c_symbols(self):
        symbols = [line.split()[2] for line in run("nm", "-D", "--defined-only", self.library).splitlines()]
        headers = "".join(path.read_text() for path in sorted((PREFIX / "include/actfun").glob("*.h")))
        declared = re.findall(r"^ACTFUN_API [^;(]*\b(actfun_\w+)\(", headers, re.M)
        self.assertIn("actfun_find", declared)
        self.assertEqual(sorted(symbols), sorted(declared))

    def test_pkg_config(self):
        """C by pkg-config, from a prefix that was moved after the installation."""
        moved = SCRATCH / "moved"
        shutil.copytree(PREFIX, moved, symlinks=True)
        library = moved / self.library.relative_to(PREFIX)
        (SCRATCH / "main.c").write_text(C_CONSUMER)
        flags = run("pkg-config", "--cflags", "--libs", "actfun",
                    env={**os.environ, "PKG_CONFIG_PATH": str(library.parent / "pkgconfig")}).split()
        for flag in flags:
            self.assertTrue(flag == "-lactfun" or os.path.realpath(flag[2:]).startswith(str(moved)), flag)
        run("gcc", "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", SCRATCH / "main.c", *flags,
            "-o", SCRATCH / "c_consumer")
        self.check(SCRATCH / "c_consumer", {"LD_LIBRARY_PATH": str(library.parent)})

    def test_find_package(self):
        for name, source in [("find_cxx", CXX_CONSUMER), ("find_c", C_CONSUMER)]:
            with self.subTest(name):
                self.check(self.cmake_consumer(name, source, "find_package(actfun 0.1 REQUIRED)",
                                               f"-DCMAKE_PREFIX_PATH={PREFIX}"))

    def test_add_subdirectory(self):
        """The whole library again, unless ccache recognises it: make compiles in the binary directory of the library,
        and if that lies beside the build directory, all paths are as they were there."""
        beside = BUILD.with_name(BUILD.name + "-subdirectory")
        shutil.rmtree(beside, ignore_errors=True)
        self.addCleanup(shutil.rmtree, beside, ignore_errors=True)
        launcher = f"cmake;-E;env;CCACHE_BASEDIR={ROOT};ccache" if shutil.which("ccache") else ""
        same = [f"-D{name}={cached(name)}" for name in ("CMAKE_BUILD_TYPE", "CMAKE_CXX_FLAGS", "CMAKE_CXX_COMPILER",
                                                        "ACTFUN_WERROR")]
        consumer = self.cmake_consumer("subdirectory", CXX_CONSUMER, f'add_subdirectory("{ROOT}" "{beside}")',
                                       f"-DCMAKE_CXX_COMPILER_LAUNCHER={launcher}", *same,
                                       generator="Unix Makefiles" if shutil.which("make") else "Ninja")
        self.check(consumer)
        self.assertFalse(list(beside.rglob("actfun_tool*")), "the program is not for other projects")

    def test_nothing_else_is_installed(self):
        allowed = ("bin/actfun", "include/actfun/", "share/actfun/certificates/", "share/actfun/data/", "share/doc/actfun/LICENSE",
                   *(f"{self.library.parent.relative_to(PREFIX)}/{x}"
                     for x in ("libactfun.so", "pkgconfig/actfun.pc", "cmake/actfun/")))
        for path in PREFIX.rglob("*"):
            if not path.is_dir():
                self.assertTrue(str(path.relative_to(PREFIX)).startswith(allowed), path)

    @unittest.skipUnless((BUILD / "tool" / "actfun").exists(), "built without the program")
    def test_program(self):
        self.assertEqual(run(PREFIX / "bin/actfun", "eval", "elu:alpha=0.5", "-1", "--format", "hex").strip(),
                         OUTPUT.split()[0])
        certificates = {path.name for path in (PREFIX / "share/actfun/certificates").glob("*.json")}
        self.assertEqual(certificates, {path.name for path in (ROOT / "certificates").glob("*.json")})
        if "relu.json" in certificates:
            answer = run(PREFIX / "bin/actfun", "verify", "relu", "--order", "0", "--spread")
            self.assertIn("as certified", answer)


if __name__ == "__main__":
    unittest.main(verbosity=2)
