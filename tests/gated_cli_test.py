#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun glu` from outside, against the formulas in Python's floats. ACTFUN is the path of the binary."""
import json
import math
import unittest

from cli_test import Case, npy_bytes, npy_header, read_npy


def silu(x):
    return x / (1 + math.exp(-x))


def clamped(g, v):
    m = min(g, 7)
    return m / (1 + math.exp(-1.702 * m)) * (max(-7, min(v, 7)) + 1)


class Glu(Case):
    def run_glu(self, unit, *arguments):
        self.ok("glu", unit, *arguments, "-o", self.dir / "y.npy")
        header, values = read_npy(self.dir / "y.npy")
        return header["shape"], list(values)

    def near(self, got, right):
        self.assertEqual(len(got), len(right))
        for a, b in zip(got, right):
            self.assertAlmostEqual(a, b, delta=1e-6 * abs(b) + 1e-12)

    def setUp(self):
        super().setUp()
        self.numbers = [(7 * i % 23 - 11) / 1.5 for i in range(4 * 6)]
        self.x = self.npy("x.npy", (4, 6), self.numbers)

    def rows(self):
        return [self.numbers[6 * i:6 * i + 6] for i in range(4)]

    def test_orders(self):
        split = {"gate-first": lambda row: zip(row[:3], row[3:]), "gate-second": lambda row: zip(row[3:], row[:3]),
                 "interleaved": lambda row: zip(row[::2], row[1::2]),
                 "interleaved-gate-second": lambda row: zip(row[1::2], row[::2])}
        for order, pairs in split.items():
            for unit, formula in (("swiglu", lambda g, v: silu(g) * v), ("clamped_swiglu", clamped)):
                shape, got = self.run_glu(unit, self.x, "--order", order)
                self.assertEqual(shape, (4, 3))
                self.near(got, [formula(g, v) for row in self.rows() for g, v in pairs(row)])

    def test_presets_have_their_order(self):
        for unit in json.loads(self.ok("glu", "--list", "--json")):
            for preset in unit["presets"]:
                self.assertEqual(self.run_glu(f"{unit['name']}@{preset['name']}", self.x),
                                 self.run_glu(unit["name"], self.x, "--order", preset["order"]))
        self.assertNotEqual(self.run_glu("glu@pytorch", self.x), self.run_glu("glu@te", self.x))

    def test_axis_and_fortran_order(self):
        right = [silu(g) * v for g, v in zip(self.numbers[:12], self.numbers[12:])]
        shape, got = self.run_glu("swiglu", self.x, "--axis", 0)
        self.assertEqual(shape, (2, 6))
        self.near(got, right)
        columns = [self.numbers[6 * i + j] for j in range(6) for i in range(4)]
        fortran = self.npy("fortran.npy", (4, 6), columns, fortran=True)
        self.near(self.run_glu("swiglu", fortran, "--axis", "-2")[1], right)

    def test_two_files_scale_and_tiers(self):
        value = self.npy("v.npy", (4, 6), self.numbers[::-1])
        scale = self.npy("s.npy", (4, 1), [0.5, 2, -1, 0.25])
        right = [s * silu(g) * v for i, s in enumerate([0.5, 2, -1, 0.25])
                 for g, v in list(zip(self.numbers, self.numbers[::-1]))[6 * i:6 * i + 6]]
        for tier in ("exact", "fast"):
            shape, got = self.run_glu("silu", self.x, "--value", value, "--scale", scale, "--tier", tier)
            self.assertEqual(shape, (4, 6))
            self.near(got, right)
        self.ok("glu", "swiglu", self.x, "-o", self.x)  # over its own input
        self.assertEqual(read_npy(self.x)[0]["shape"], (4, 3))

    def test_empty(self):
        empty = self.npy("empty.npy", (0, 6), [])
        self.assertEqual(self.run_glu("swiglu", empty), ((0, 3), []))

    def test_list(self):
        text = self.ok("glu", "--list")
        for unit in json.loads(self.ok("glu", "--list", "--json")):
            self.assertIn(unit["name"], text)
            self.assertIn(unit["formula"], text)
        self.assertIn("Example", self.ok("glu", "--help"))

    def test_refusals(self):
        out = ("-o", self.dir / "none.npy")
        odd = self.npy("odd.npy", (4, 3), self.numbers[:12])
        double = self.dir / "double.npy"
        double.write_bytes(npy_bytes(npy_header((4, 6), "<f8"), b"\0" * 192))
        self.refused("glu", "swiglu", odd, *out, says=["odd.npy", "(4, 3)", "odd"])
        self.refused("glu", "swiglu", self.x, "--axis", 2, *out, says=["no axis 2", "(4, 6)"])
        self.refused("glu", "swigluu", self.x, *out, says=["swigluu", "clamped_swiglu"])
        self.refused("glu", "glu@torch", self.x, *out, says=["torch", "pytorch"])
        self.refused("glu", "swiglu:limit=-1", self.x, *out, says=["limit", "> 0"])
        self.refused("glu", "softmax", self.x, *out, says="rows")
        self.refused("glu", "silu", self.x, "--value", odd, *out, says=["(4, 6)", "(4, 3)"])
        self.refused("glu", "silu", self.x, "--value", double, *out, says=["f32", "f64"])
        self.refused("glu", "silu", self.x, "--value", self.x, "--order", "interleaved", *out, says="--order")
        self.refused("glu", "silu", self.x, "--scale", odd, "--axis", 0, *out, says=["odd.npy", "(4, 3)", "(2, 6)"])
        self.refused("glu", "silu", self.x, "--scale", double, *out, says=["double.npy", "f64"])
        self.refused("glu", "silu", self.x, "--order", "middle", *out, says="gate-first")
        self.refused("glu", "swiglu", self.dir / "missing.npy", *out, says="missing.npy")
        self.refused("glu", "swiglu", self.x, says="--output")
        self.refused("glu", says="UNIT")
        self.refused("glu", "swiglu", self.x, "-o", self.dir / "no" / "y.npy", says="no")


if __name__ == "__main__":
    unittest.main()
