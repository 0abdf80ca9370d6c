#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun sparsemax`, `entmax`, `hardmax` and `gumbel-softmax` from outside, and the examples of docs/simplex.md and
docs/loss.md. ACTFUN is the path of the binary, ACTFUN_BUILD the build directory."""
import array
import itertools
import math
import random
import struct
import unittest

from cli_test import Case, bits, read_npy
from readme_test import ROOT, blocks, compiled_output

VERBS = ("sparsemax", "entmax", "hardmax", "gumbel-softmax")


def sparsemax(row):
    """By sorting (Martins & Astudillo 2016)."""
    total = threshold = 0
    for k, value in enumerate(sorted(row, reverse=True), 1):
        total += value
        if 1 + k * value > total:
            threshold = (total - 1) / k
    return [max(0, value - threshold) for value in row]


def entmax(row, alpha):
    """By bisection."""
    low, high = max(row) * (alpha - 1) - 1, max(row) * (alpha - 1)
    powers = lambda tau: [max(0, (alpha - 1) * value - tau)**(1 / (alpha - 1)) for value in row]
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(powers(middle)) > 1 else (low, middle)
    return powers(low)


def hardmax(row):
    return [float(i == row.index(max(row))) for i in range(len(row))]


class Simplex(Case):
    def rows(self, y, shape, axis, fortran):
        """The rows of an array along an axis, by the index of their first element."""
        order = range(3) if not fortran else range(2, -1, -1)
        found = {}
        for index in itertools.product(*map(range, shape)):
            place = 0
            for i in order:
                place = place * shape[i] + index[i]
            first = list(index)
            first[axis] = 0
            found.setdefault(tuple(first), []).append(y[place])
        return found

    def test_along_any_axis_in_any_order(self):
        shape = (3, 4, 5)
        generator = random.Random(4)
        values = [generator.gauss(0, 1) for _ in range(60)]
        cases = [("sparsemax", (), sparsemax), ("entmax", (), lambda row: entmax(row, 1.5)), ("hardmax", (), hardmax),
                 ("entmax", ("--alpha", 1.25), lambda row: entmax(row, 1.25)),
                 ("entmax", ("--alpha", 2), sparsemax), ("entmax", ("--alpha", 1), None)]
        for fortran, axis, (verb, options, definition) in itertools.product((False, True), (-3, -1, 1), cases):
            source = self.npy("x.npy", shape, values, fortran=fortran)
            self.assertEqual(self.ok(verb, source, "-o", self.dir / "y.npy", "--axis", axis, *options), "")
            header, y = read_npy(self.dir / "y.npy")
            self.assertEqual((header["shape"], header["fortran_order"]), (shape, fortran))
            if definition is None:
                self.ok("apply", "softmax", source, "-o", self.dir / "want.npy", "--axis", axis)
                self.assertEqual(y, read_npy(self.dir / "want.npy")[1])
                continue
            wanted = {k: definition(row) for k, row in self.rows(array.array("f", values), shape, axis, fortran).items()}
            for first, row in self.rows(y, shape, axis, fortran).items():
                for got, want in zip(row, wanted[first]):
                    self.assertAlmostEqual(got, want, delta=1e-7, msg=f"{verb} {options} {axis}")

    def test_noise_depends_on_seed_and_place_alone(self):
        values = [0.5 * (i % 7) for i in range(3000)]
        source = self.npy("x.npy", (30, 100), values)
        results = {}
        for seed, threads, hard in itertools.product((0, 2**64 - 1), (1, 3), (False, True)):
            self.ok("gumbel-softmax", source, "-o", self.dir / "y.npy", "--seed", seed, "--threads", threads, "--tau", 0.5,
                    *["--hard"] * hard)
            results.setdefault((seed, hard), []).append(list(map(bits, read_npy(self.dir / "y.npy")[1])))
        for both in results.values():
            self.assertEqual(both[0], both[1])
        self.assertNotEqual(results[0, False][0], results[2**64 - 1, False][0])
        turned = self.npy("t.npy", (30, 100), [values[100 * i + j] for j in range(100) for i in range(30)], fortran=True)
        self.ok("gumbel-softmax", turned, "-o", self.dir / "y.npy", "--tau", 0.5)
        y = read_npy(self.dir / "y.npy")[1]
        self.assertEqual([bits(y[30 * j + i]) for i in range(30) for j in range(100)], results[0, False][0])
        soft, hard = ([results[0, h][0][100 * i:100 * i + 100] for i in range(30)] for h in (False, True))
        for p, one in zip(soft, hard):
            self.assertEqual(one, [bits(float(i == p.index(max(p)))) for i in range(100)])  # bits of positive floats are in order

    def test_special_rows_and_formats(self):
        nan, inf = math.nan, math.inf
        source = self.npy("x.npy", (4, 2), [1, nan, inf, 0, -inf, -inf, -inf, 3])
        for verb in ("sparsemax", "entmax", "gumbel-softmax"):
            self.ok(verb, source, "-o", self.dir / "y.npy")
            y = read_npy(self.dir / "y.npy")[1]
            self.assertEqual([bits(v) for v in y], [bits(v) for v in (nan, nan, 1, 0, nan, nan, 0, 1)], verb)
        self.ok("hardmax", source, "-o", source)  # in place
        self.assertEqual([bits(v) for v in read_npy(source)[1]], [bits(v) for v in (nan, nan, 1, 0, 1, 0, 0, 1)])
        raw = self.npy("b.npy", (2,), [], descr="<u2")
        raw.write_bytes(raw.read_bytes() + struct.pack("<2H", 0x3f80, 0x3f00))  # bf16: 1, 0.5
        self.ok("sparsemax", raw, "-o", self.dir / "c.npy", "--dtype", "bf16")
        self.assertEqual((self.dir / "c.npy").read_bytes()[-4:], struct.pack("<2H", 0x3f40, 0x3e80))  # 0.75, 0.25
        for shape in ((0, 3), (3, 0)):
            for verb in VERBS:
                self.ok(verb, self.npy("e.npy", shape, []), "-o", self.dir / "y.npy")
                self.assertEqual(read_npy(self.dir / "y.npy")[0]["shape"], shape)

    def test_refused(self):
        source, output = self.npy("x.npy", (2, 3), range(6)), self.dir / "q.npy"
        for verb in VERBS:
            self.refused(verb, source, "-o", output, "--axis", 2, says=["axis 2", "(2, 3)"])
            self.refused(verb, self.npy("s.npy", (), [1]), "-o", output, says="axis -1")
            self.refused(verb, self.dir / "none.npy", "-o", output, says="none.npy")
            self.refused(verb, source, says="--output")
            self.refused(verb, source, "-o", self.dir / "no" / "q.npy", says="q.npy")
            self.refused(verb, source, "-o", output, "--threads", 0, says="--threads")
            self.refused(verb, self.npy("r.npy", (1,) * 9, [1]), "-o", output, says="8 axes")
        for alpha in ("0.5", "33", "nan", "x"):
            self.refused("entmax", source, "-o", output, "--alpha", alpha, says=["--alpha"])
        for tau in (0, -1, "inf"):
            self.refused("gumbel-softmax", source, "-o", output, "--tau", tau, says="--tau")
        for seed in ("-1", "x", 2**64):
            self.refused("gumbel-softmax", source, "-o", output, "--seed", seed, says="--seed")

    def test_examples_print_what_the_pages_say(self):
        for page in ("simplex.md", "loss.md"):
            text = (ROOT / "docs" / page).read_text()
            programs, outputs = blocks("cpp", text), blocks("text", text)
            self.assertEqual(len(programs), len(outputs), page)
            for program, output in zip(programs, outputs):
                self.assertEqual(compiled_output("cpp", program[2], self.dir), output[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
