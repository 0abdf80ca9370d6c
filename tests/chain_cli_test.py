#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun chain` from outside: what it computes, prints and refuses. ACTFUN is the path of the binary."""
import array
import math
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest

ACTFUN = os.path.abspath(os.environ.get("ACTFUN", "actfun"))
CODES = {"<f4": "f", "<f8": "d", "|u1": "B", "|i1": "b", "<u2": "H", "<f2": "H"}


def npy(shape, values, descr="<f4", fortran=False):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    return (b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() +
            array.array(CODES[descr], values).tobytes())


def read(path):
    content = pathlib.Path(path).read_bytes()
    length = struct.unpack("<H", content[8:10])[0]
    header = eval(content[10:10 + length], {"__builtins__": {}})
    return header, array.array(CODES[header["descr"]], content[10 + length:])


def normal(count, seed):
    generator = random.Random(seed)
    return array.array("f", (generator.gauss(0, 1) for _ in range(count)))


def f32(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


class Chain(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.x, self.r, self.b = normal(12, 1), normal(12, 2), normal(3, 3)
        self.file("x.npy", npy((4, 3), self.x))
        self.file("r.npy", npy((4, 3), self.r))
        self.file("b.npy", npy((3,), self.b))

    def file(self, name, content):
        (self.dir / name).write_bytes(content)

    def run_chain(self, *arguments):
        return subprocess.run([ACTFUN, "chain", *map(str, arguments)], capture_output=True, text=True, cwd=self.dir)

    def ok(self, *arguments):
        result = self.run_chain(*arguments)
        self.assertEqual((result.returncode, result.stderr), (0, ""), arguments)
        return result.stdout

    def refused(self, *arguments, says):
        files = set(os.listdir(self.dir))
        result = self.run_chain(*arguments)
        self.assertEqual(result.returncode, 2, arguments)
        self.assertIn(says, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertEqual(set(os.listdir(self.dir)), files, "a file was left")

    def test_bias_gelu_residual(self):
        self.ok("bias(b.npy) | gelu | add(r.npy)", "x.npy", "-o", "y.npy")
        header, y = read(self.dir / "y.npy")
        self.assertEqual(header, {"descr": "<f4", "fortran_order": False, "shape": (4, 3)})
        for i in range(12):
            t = self.x[i] + self.b[i % 3]
            self.assertEqual(y[i], f32(t * (1 + math.erf(t / math.sqrt(2))) / 2 + self.r[i]))

    def test_bias_along_another_axis_and_in_place(self):
        self.file("c.npy", npy((4,), normal(4, 4)))
        self.ok("bias(c.npy, axis=0)", "x.npy", "-o", "x.npy")
        for i, y in enumerate(read(self.dir / "x.npy")[1]):
            self.assertEqual(y, f32(self.x[i] + normal(4, 4)[i // 3]))

    def test_tiers_and_threads(self):
        self.ok("bias(b.npy) | silu", "x.npy", "-o", "exact.npy", "--threads", 1)
        self.ok("bias(b.npy) | silu", "x.npy", "-o", "fast.npy", "--tier", "fast")
        for exact, fast in zip(read(self.dir / "exact.npy")[1], read(self.dir / "fast.npy")[1]):
            self.assertAlmostEqual(exact, fast, delta=1e-6)

    def test_formats(self):
        for to, descr in (("f64", "<f8"), ("f16", "<f2"), ("bf16", "<u2"), ("f8e4m3fn", "|u1")):
            self.ok("tanh", "x.npy", "-o", "y.npy", "--to", to)
            header, y = read(self.dir / "y.npy")
            self.assertEqual((header["descr"], len(y)), (descr, 12))
        self.ok("tanh", "x.npy", "-o", "y.npy", "--to", "bf16")
        self.ok("scale(1)", "y.npy", "-o", "z.npy", "--dtype", "bf16", "--to", "f32")
        for x, z in zip(self.x, read(self.dir / "z.npy")[1]):
            self.assertAlmostEqual(z, math.tanh(x), delta=2**-9)

    def test_quantize(self):
        for last, descr in (("quantize(0.1, 3)", "|u1"), ("quantize(0.1, 3, int8)", "|i1")):
            self.ok(f"relu | {last}", "x.npy", "-o", "q.npy")
            header, q = read(self.dir / "q.npy")
            self.assertEqual(header["descr"], descr)
            self.assertEqual(list(q), [round(max(x, 0) / f32(0.1)) + 3 for x in self.x])

    def test_dropout(self):
        self.file("ones.npy", npy((1000,), [1.0] * 1000))
        self.ok("dropout(0.25)", "ones.npy", "-o", "y.npy", "--seed", 7, "--kept", "kept.npy")
        _, y = read(self.dir / "y.npy")
        _, kept = read(self.dir / "kept.npy")
        self.assertEqual([y[i] != 0 for i in range(1000)], [bool(kept[i // 8] >> i % 8 & 1) for i in range(1000)])
        self.assertEqual(set(y), {0, f32(4 / 3)})
        self.ok("dropout(0.25)", "ones.npy", "-o", "again.npy", "--seed", 7, "--tier", "fast")
        self.assertEqual(read(self.dir / "again.npy")[1], y)
        self.ok("dropout(0.25)", "ones.npy", "-o", "other.npy", "--seed", 8)
        self.assertNotEqual(read(self.dir / "other.npy")[1], y)

    def test_show(self):
        self.assertEqual(self.ok("bias(B) | gelu | dropout(0.1) | add(R)", "--show"),
                         "y = dropout(gelu(x + B), 0.1) + R\n")
        self.assertEqual(self.ok("scale(2)", "x.npy", "-o", "y.npy", "--show"), "y = 2 * x\n")

    def test_empty_array(self):
        self.file("empty.npy", npy((0, 3), []))
        self.ok("bias(b.npy) | gelu", "empty.npy", "-o", "y.npy")
        self.assertEqual(read(self.dir / "y.npy"), ({"descr": "<f4", "fortran_order": False, "shape": (0, 3)},
                                                    array.array("f")))

    def test_bad_use(self):
        self.refused("bias(b.npy) | gelo", "x.npy", "-o", "y.npy", says="column 15: unknown function 'gelo'")
        self.refused("bias(b.npy", "x.npy", "-o", "y.npy", says="column 1: 'bias(b.npy' lacks its last bracket")
        self.refused("bias(r.npy)", "x.npy", "-o", "y.npy", says="r.npy has shape (4, 3), but axis -1 of x has 3")
        self.refused("bias(b.npy, axis=2)", "x.npy", "-o", "y.npy", says="axis 2")
        self.refused("add(b.npy)", "x.npy", "-o", "y.npy", says="b.npy has shape (3,), but x has (4, 3)")
        self.refused("add(none.npy)", "x.npy", "-o", "y.npy", says="none.npy")
        self.refused("gelu", "none.npy", "-o", "y.npy", says="none.npy")
        self.refused("gelu", "x.npy", "-o", "no/y.npy", says="no/y.npy")
        self.refused("gelu", says="there is nothing to do")
        self.refused("gelu", "x.npy", says="belong together")
        self.refused("gelu", "x.npy", "-o", "y.npy", "--kept", "y.npy", says="name the same file")
        self.refused("quantize(1, 0)", "x.npy", "-o", "y.npy", "--to", "f16", says="both say")
        self.file("fortran.npy", npy((4, 3), self.x, fortran=True))
        self.refused("gelu", "fortran.npy", "-o", "y.npy", says="Fortran order")


class Docs(unittest.TestCase):
    """docs/chain.md: its program compiles and prints what it says, its table is the measurements'."""

    def test_program(self):
        import readme_test
        text = (readme_test.ROOT / "docs/chain.md").read_text()
        blocks = [match for match in readme_test.BLOCK.finditer(text)]
        with tempfile.TemporaryDirectory() as directory:
            printed = readme_test.compiled_output("cpp", blocks[0][2], pathlib.Path(directory))
        self.assertEqual((blocks[0][1], blocks[1][1], blocks[1][2]), ("cpp", "text", printed))

    def test_table(self):
        script = pathlib.Path(__file__).resolve().parent.parent / "scripts/chain.py"
        result = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
