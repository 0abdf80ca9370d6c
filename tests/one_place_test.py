#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One file, one line: a function that is added so, and in no other way, is known everywhere.

The tree is copied to ACTFUN_BUILD/tests/one_place, gets a new function, and is built in build/release there. From the
compiler's point of view all paths are then those of a build in build/release here: ccache knows all but the few objects
that contain the list.
"""
import json
import os
import pathlib
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(os.environ["ACTFUN_BUILD"]).resolve()
COPY = BUILD / "tests" / "one_place"
os.environ.pop("ACTFUN_CERTIFICATES", None)  # the copy has its own
NAME = "agnesi"

FUNCTION = r"""// SPDX-License-Identifier: Apache-2.0
// The witch of Agnesi: a bump. Only a test wants it.
struct Agnesi {
  static constexpr Info info{
      .name = "agnesi",
      .aliases = {"witch"},
      .family = "other",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0, .domain = "> 0"}},
      .formula = "alpha/(1 + x^2)",
      .derivative = "-2*alpha*x/(1 + x^2)^2",
      .second_derivative = "alpha*(6*x^2 - 2)/(1 + x^2)^3",
      .limits = {"0", "0"},
      .derivative_limits = {"0", "-0"},
      .second_derivative_limits = {"0", "0"},
      .range = "(0, alpha]",
      .monotone = "no",
      .symmetry = "even",
      .lipschitz = "3*sqrt(3)/8*alpha",
      .extrema = {{0, "0", "1", "max"},
                  {1, "-0.577350269189625764509", "0.649519052838328985073", "max"},
                  {1, "0.577350269189625764509", "-0.649519052838328985073", "min"},
                  {2, "-1", "0.5", "max"},
                  {2, "0", "-2", "min"},
                  {2, "1", "0.5", "max"}},
      .paper = "Agnesi 1748",
  };

  template <class X>
  static X definition(const X& x, const X& alpha) {
    return alpha / (1 + x * x);
  }

  template <class R>
  static R value(R x, R alpha) {
    return alpha * reciprocal(1.0 + x * x);
  }
  template <class R>
  static R slope(R x, R alpha) {
    const R r = reciprocal(1.0 + x * x);
    return -2.0 * alpha * x * r * r;
  }
  template <class R>
  static auto curvature(R x, R alpha) {
    const R r = reciprocal(1.0 + x * x), a = 2.0 * alpha * r * r * r;
    return cancelling_sum(3.0 * a * x * x, -a);  // roots at +-1/sqrt(3)
  }
  template <int parameter, class R>
  static R gradient(R x, R /*alpha*/) {
    return reciprocal(1.0 + x * x);
  }
};
"""
LINE = "ELEMENTWISE(agnesi, Agnesi)\n"


def run(*command, expect=0, **options):
    result = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    if result.returncode != expect:
        raise AssertionError(f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}{result.stderr}")
    return result.stdout


def cached(name):
    """A variable of the build's CMakeCache.txt."""
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split("=", 1)[1]
    return ""


def tree():
    """The files of the tree, new ones too, and nothing that git ignores; all but build directories without git."""
    if (ROOT / ".git").exists():
        listed = run("git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
        return [path for path in listed if path and (ROOT / path).is_file()]
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(path) for path in paths if path.parts[0] not in ("build", "demo")]


class OnePlace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(COPY, ignore_errors=True)
        for path in tree():
            (COPY / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, COPY / path)
        (COPY / "functions" / f"{NAME}.inl.h").write_text(FUNCTION)
        with open(COPY / "functions" / "list.def", "a") as list_file:
            list_file.write(LINE)
        build = COPY / "build" / "release"
        same = [f"-D{name}={cached(name)}" for name in ("CMAKE_BUILD_TYPE", "CMAKE_CXX_FLAGS", "CMAKE_CXX_COMPILER",
                                                        "ACTFUN_WERROR")]
        run("cmake", "-S", COPY, "-B", build, "-G", "Ninja", "-DACTFUN_BENCH=OFF", "-DACTFUN_INSTALL=OFF", *same)
        run("cmake", "--build", build, "--target", "actfun_tool", "actfun_certify", "actfun", "--parallel", "2")
        cls.actfun = build / "tool" / "actfun"
        cls.certify = build / "core" / "exact" / "actfun_certify"
        cls.header = build / "generated" / "actfun" / "functions.hpp"

    def test_list_and_show(self):
        record = next(r for r in json.loads(run(self.actfun, "list", "--json")) if r["name"] == NAME)
        self.assertEqual(record["parameters"][0]["name"], "alpha")
        self.assertIn("alpha/(1 + x^2)", run(self.actfun, "show", "witch"))
        self.assertIn("Agnesi 1748", run(self.actfun, "show", NAME))

    def test_eval(self):
        evaluate = lambda *arguments: run(self.actfun, "eval", *arguments).split()
        self.assertEqual(evaluate(NAME, "-1", "0", "2", "inf"), ["0.5", "1", "0.2", "0"])
        self.assertEqual(evaluate("witch:alpha=0.5", "2"), ["0.1"])
        self.assertEqual(evaluate(NAME, "1", "3", "-inf", "--order", "1"), ["-0.5", "-0.06", "0"])
        self.assertEqual(evaluate(NAME, "1", "0", "--order", "2"), ["0.5", "-2"])
        run(self.actfun, "eval", f"{NAME}:alpha=0", "1", expect=2)

    def test_facts(self):
        run("python3", ROOT / "tests" / "facts_test.py", env={**os.environ, "ACTFUN": str(self.actfun)})

    def test_pictures_and_docs(self):
        svg = COPY / "agnesi.svg"
        run(self.actfun, "plot", NAME, "--order", "0,1,2", "-o", svg)
        self.assertIn(NAME, svg.read_text())
        run(self.actfun, "gallery", "-o", COPY / "gallery")
        self.assertIn(NAME, (COPY / "gallery" / "index.html").read_text())
        self.assertTrue((COPY / "gallery" / f"{NAME}.png").exists())

    def test_cxx_header(self):
        self.assertIn("struct Agnesi ", self.header.read_text())
        source = COPY / "agnesi.cc"
        source.write_text('#include <actfun/actfun.hpp>\n'
                          'int main() { return actfun::agnesi(1.0f) == 0.5f && '
                          'actfun::Agnesi{.alpha = 4}(1.0f) == 2.0f ? 0 : 1; }\n')
        library = self.header.parents[2]
        run("g++", "-std=c++20", f"-I{COPY}/include", f"-I{self.header.parents[1]}", source, f"-L{library}", "-lactfun",
            f"-Wl,-rpath,{library}", "-o", COPY / "agnesi")
        run(COPY / "agnesi")

    def test_certificate(self):
        if not self.certify.exists():
            self.skipTest("no oracle in this build")
        message = subprocess.run([self.actfun, "verify", NAME], capture_output=True, text=True).stderr
        self.assertIn("no certificate", message)
        run(self.certify, NAME)  # all 2^32 inputs: exit status 1 if a single result is not the oracle's
        self.assertTrue((COPY / "certificates" / f"{NAME}.json").exists())
        self.assertIn("as certified", run(self.actfun, "verify", NAME, "--spread"))
        record = next(r for r in json.loads(run(self.actfun, "list", "--json")) if r["name"] == NAME)
        self.assertTrue(record["certified"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
