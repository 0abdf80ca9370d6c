#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun softmax` and `actfun logsumexp` from outside: every option, every way to misuse it. ACTFUN is the binary."""
import array
import itertools
import math
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest

ACTFUN = os.path.abspath(os.environ.get("ACTFUN", "actfun"))
CODES = {"<f4": "f", "<f8": "d", "|b1": "B", "|u1": "B", "<u2": "H"}
INF = math.inf


def run(*arguments):
    return subprocess.run([ACTFUN, *map(str, arguments)], capture_output=True, text=True)


class Array:
    """Numbers in C order of a shape, from and to .npy files."""

    def __init__(self, shape, values, descr="<f4", fortran=False):
        self.shape, self.values, self.descr, self.fortran = tuple(shape), list(values), descr, fortran

    def indices(self):
        return list(itertools.product(*map(range, self.shape)))

    def __getitem__(self, index):
        at = 0
        for i, n in zip(index, self.shape):
            at = at * n + i
        return self.values[at]

    def bytes(self):
        text = f"{{'descr': '{self.descr}', 'fortran_order': {self.fortran}, 'shape': {self.shape}, }}"
        text += " " * (63 - (10 + len(text)) % 64) + "\n"
        order = self.indices()
        if self.fortran:
            order = sorted(order, key=lambda index: index[::-1])
        data = array.array(CODES[self.descr], [self[index] for index in order]).tobytes()
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data

    @staticmethod
    def read(path):
        content = pathlib.Path(path).read_bytes()
        length = struct.unpack("<H", content[8:10])[0]
        header = eval(content[10:10 + length], {"__builtins__": {}})
        values = array.array(CODES[header["descr"]])
        values.frombytes(content[10 + length:])
        shape, fortran = header["shape"], header["fortran_order"]
        result = Array(shape, values, header["descr"], fortran)
        if fortran:
            places = {index: k for k, index in enumerate(sorted(result.indices(), key=lambda index: index[::-1]))}
            result.values = [values[places[index]] for index in result.indices()]
        return result


def softmax(z, sink=-INF):
    m = max(*z, sink, -1e300)
    total = sum(math.exp(v - m) for v in z) + math.exp(sink - m)
    return [math.exp(v - m) / total for v in z]


def rows_of(shape, axis):
    """The indices of each row."""
    others = itertools.product(*(range(n) for k, n in enumerate(shape) if k != axis))
    return [[other[:axis] + (j,) + other[axis:] for j in range(shape[axis])] for other in others]


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.random = random.Random(7)

    def npy(self, name, *arguments, **options):
        array = Array(*arguments, **options)
        (self.dir / name).write_bytes(array.bytes())
        return self.dir / name, array

    def normal(self, name, shape, spread=2, **options):
        return self.npy(name, shape, [self.random.gauss(0, spread) for _ in range(math.prod(shape))], **options)

    def ok(self, *arguments):
        result = run(*arguments)
        self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "", ""), arguments)
        return Array.read(self.dir / "y.npy")

    def refused(self, *arguments, says):
        before = sorted(self.dir.rglob("*"))
        result = run(*arguments)
        self.assertEqual(result.returncode, 2, f"{arguments}: {result.stderr}")
        self.assertTrue(result.stderr.startswith("actfun: "), result.stderr)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, result.stderr, arguments)
        self.assertEqual(sorted(self.dir.rglob("*")), before, "left a file behind")

    def near(self, got, want):
        self.assertLessEqual(abs(got - want), 1e-6 * abs(want) + 1e-45, f"{got} {want}")


class Softmax(Case):
    def test_every_axis_order_and_type(self):
        for descr, fortran in itertools.product(["<f4", "<f8"], [False, True]):
            x, values = self.normal("x.npy", (3, 4, 5), descr=descr, fortran=fortran)
            for axis in [0, 1, 2, -1]:
                y = self.ok("softmax", x, "-o", self.dir / "y.npy", "--axis", axis)
                self.assertEqual((y.shape, y.descr, y.fortran), (values.shape, descr, fortran))
                for row in rows_of(y.shape, axis % 3):
                    for index, want in zip(row, softmax([Array.read(x)[i] for i in row])):
                        self.near(y[index], want)

    def test_log_min_scale_and_tier(self):
        x, values = self.normal("x.npy", (6, 9))
        y = self.dir / "y.npy"
        for row in rows_of((6, 9), 1):
            z = [Array.read(x)[i] for i in row]
            for options, want in [([], softmax(z)), (["--log"], [math.log(p) for p in softmax(z)]),
                                  (["--min"], softmax([-v for v in z])), (["--tier", "fast"], softmax(z)),
                                  (["--scale", "0.5"], softmax([v / 2 for v in z])), (["--threads", "2"], softmax(z))]:
                got = self.ok("softmax", x, "-o", y, *options)
                for index, p in zip(row, want):
                    self.near(got[index], p)

    def test_masks_and_sinks_are_broadcast(self):
        x, _ = self.normal("x.npy", (2, 3, 5))
        x_values = Array.read(x)
        added, mask = self.npy("m.npy", (3, 1), [0.5, -1, 0])
        keep = [1, 1, 0, 1, 0]
        sink, sinks = self.npy("s.npy", (3,), [0.25, 1, -2])
        for descr in ["|b1", "|u1"]:
            boolean, _ = self.npy("b.npy", (1, 1, 5), keep, descr=descr)
            y = self.ok("softmax", x, "-o", self.dir / "y.npy", "--mask", boolean, "--sink", sink)
            for row in rows_of((2, 3, 5), 2):
                z = [x_values[i] if k else -INF for i, k in zip(row, keep)]
                for index, want in zip(row, softmax(z, sinks[row[0][1:2]])):
                    self.near(y[index], want)
        y = self.ok("softmax", x, "-o", self.dir / "y.npy", "--mask", added, "--axis", 1)
        for row in rows_of((2, 3, 5), 1):
            for index, want in zip(row, softmax([x_values[i] + mask[i[1], 0] for i in row])):
                self.near(y[index], want)

    def test_causal(self):
        x, _ = self.normal("x.npy", (2, 3, 5))
        x_values = Array.read(x)
        for kind, offset, last in [("top-left", 0, lambda q: q), ("top-left", 1, lambda q: q + 1),
                                   ("bottom-right", 0, lambda q: q + 2)]:
            y = self.ok("softmax", x, "-o", self.dir / "y.npy", "--causal", kind, "--causal-offset", offset)
            for row in rows_of((2, 3, 5), 2):
                z = [x_values[i] if i[2] <= last(i[1]) else -INF for i in row]
                for index, want in zip(row, softmax(z)):
                    self.near(y[index], want)

    def test_safe(self):
        x, _ = self.npy("x.npy", (2, 2), [-INF, -INF, 0, 0])
        self.assertTrue(math.isnan(self.ok("softmax", x, "-o", self.dir / "y.npy")[0, 0]))
        self.assertEqual(self.ok("softmax", x, "-o", self.dir / "y.npy", "--safe").values, [0, 0, 0.5, 0.5])

    def test_in_place_empty_and_bf16(self):
        x, _ = self.npy("y.npy", (2, 2), [0, 0, 0, 0])
        self.assertEqual(self.ok("softmax", x, "-o", x).values, [0.5] * 4)
        x, _ = self.npy("x.npy", (0, 4), [])
        self.assertEqual(self.ok("softmax", x, "-o", self.dir / "y.npy").shape, (0, 4))
        x, _ = self.npy("x.npy", (2,), [0x3F80, 0x3F80], descr="<u2")
        self.assertEqual(self.ok("softmax", x, "-o", self.dir / "y.npy", "--dtype", "bf16").values, [0x3F00, 0x3F00])

    def test_refusals(self):
        x, _ = self.normal("x.npy", (4, 6))
        y = self.dir / "y.npy"
        mask, _ = self.normal("mask.npy", (4, 5))
        deep, _ = self.npy("deep.npy", (1,) * 9, [1])
        self.refused("softmax", x, says="--output")
        self.refused("softmax", self.dir / "none.npy", "-o", y, says="none.npy")
        self.refused("softmax", x, "-o", y, "--axis", 2, says=["--axis 2", "(4, 6)"])
        self.refused("softmax", x, "-o", y, "--mask", mask, says=["(4, 5)", "(4, 6)", "broadcast"])
        self.refused("softmax", x, "-o", y, "--sink", x, says=["(4, 6)", "(4,)", "broadcast"])
        self.refused("softmax", x, "-o", y, "--scale", 0, says="scale")
        self.refused("softmax", x, "-o", y, "--scale", "nan", says="scale")
        self.refused("softmax", x, "-o", y, "--causal", "left", says="--causal")
        self.refused("softmax", x, "-o", y, "--axis", 0, "--causal", "top-left", says="causal")
        self.refused("softmax", x, "-o", y, "--tier", "quick", says="exact")
        self.refused("softmax", deep, "-o", y, says="9 axes")
        self.refused("softmax", x, "-o", self.dir / "no" / "y.npy", says="no")
        self.refused("logsumexp", x, "-o", y, "--axis", -3, says="--axis -3")


class LogSumExp(Case):
    def test_sum_and_mean(self):
        x, _ = self.normal("x.npy", (3, 4, 5))
        values = Array.read(x)
        for axis in range(3):
            y = self.ok("logsumexp", x, "-o", self.dir / "y.npy", "--axis", axis)
            mean = self.ok("logsumexp", x, "-o", self.dir / "y.npy", "--axis", axis, "--mean")
            self.assertEqual(y.shape, values.shape[:axis] + values.shape[axis + 1:])
            for row in rows_of(values.shape, axis):
                want = math.log(sum(math.exp(values[i]) for i in row))
                at = row[0][:axis] + row[0][axis + 1:]
                self.assertAlmostEqual(y[at], want, 5)
                self.assertAlmostEqual(mean[at], want - math.log(len(row)), 5)

    def test_to_one_number(self):
        x, _ = self.npy("x.npy", (2,), [0, 0])
        y = self.ok("logsumexp", x, "-o", self.dir / "y.npy")
        self.assertEqual(y.shape, ())
        self.near(y[()], math.log(2))


class Help(Case):
    def test_help(self):
        for verb in ["softmax", "logsumexp"]:
            text = run(verb, "--help").stdout
            self.assertIn("Example", text)
            self.assertIn(f"actfun {verb}", text)


if __name__ == "__main__":
    unittest.main()
