#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The program from outside: every verb, every way to misuse it. ACTFUN is the path of the binary."""
import array
import html.parser
import itertools
import json
import math
import os
import pathlib
import pty
import random
import re
import resource
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as xml

ACTFUN = os.path.abspath(os.environ.get("ACTFUN", "actfun"))
AXIS = {"softmax", "log_softmax", "maxout"}


def run(*arguments, text=None, env=None, **options):
    return subprocess.run([ACTFUN, *map(str, arguments)], input=text, capture_output=True, text=True,
                          env={**os.environ, **(env or {})}, **options)


def bits(x):
    return 0x7FC00000 if math.isnan(x) else struct.unpack("<I", struct.pack("<f", x))[0]


def from_bits(n):
    return struct.unpack("<f", struct.pack("<I", n))[0]


def random_floats(count, seed=1):
    generator = random.Random(seed)
    special = [0.0, -0.0, math.inf, -math.inf, 1e-45, -1e-45, from_bits(0x7F7FFFFF), from_bits(0x00800000), 6.0, -3.0]
    numbers = (from_bits(generator.getrandbits(32)) for _ in itertools.count())
    return special + list(itertools.islice((x for x in numbers if not math.isnan(x)), count - len(special)))


def npy_bytes(header, data=b"", version=(1, 0), length=None):
    text = header.encode() if isinstance(header, str) else header
    form = "<H" if version[0] == 1 else "<I"
    return b"\x93NUMPY" + bytes(version) + struct.pack(form, len(text) if length is None else length) + text + data


def npy_header(shape, descr="<f4", fortran=False):
    return f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}\n"


def read_npy(path):
    content = pathlib.Path(path).read_bytes()
    assert content[:8] == b"\x93NUMPY\x01\x00"
    length = struct.unpack("<H", content[8:10])[0]
    assert (10 + length) % 64 == 0 and content[9 + length:10 + length] == b"\n"
    header = eval(content[10:10 + length], {"__builtins__": {}})
    values = array.array({"<f4": "f", "<i4": "i"}[header["descr"]])
    values.frombytes(content[10 + length:])
    return header, values


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def ok(self, *arguments, **options):
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, 0, f"{arguments}: {result.stderr}")
        self.assertEqual(result.stderr, "", arguments)
        return result.stdout

    def refused(self, *arguments, says, code=2, **options):
        """Exit status, one clear line on stderr, and no file that was not there before."""
        before = sorted(self.dir.rglob("*"))
        result = run(*arguments, **options)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout} {result.stderr}")
        self.assertTrue(result.stderr.startswith("actfun: "), result.stderr)
        self.assertNotIn("/.", result.stderr.replace(str(self.dir), ""), "names a temporary file")
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, result.stderr, arguments)
        self.assertEqual(sorted(self.dir.rglob("*")), before, "left a file behind")
        return result

    def npy(self, name, shape, values, **options):
        path = self.dir / name
        path.write_bytes(npy_bytes(npy_header(shape, **options), array.array("f", values).tobytes()))
        return path


def names():
    return [record["name"] for record in json.loads(run("list", "--json").stdout)]


class General(Case):
    def test_help_and_version(self):
        self.assertRegex(self.ok("--version"), r"^actfun \d+\.\d+\.\d+\n$")
        self.assertIn("Exit status", self.ok("--help"))
        for verb in ["list", "show", "eval", "apply", "backward", "plot", "gallery", "diff", "error", "naive", "verify",
                     "targets", "bench", "lab"]:
            text = self.ok(verb, "--help")
            self.assertIn("Example", text, verb)
            self.assertIn(f"actfun {verb}", text)

    def test_wrong_usage(self):
        self.refused(says="required")
        self.refused("lisst", says="lisst")
        self.refused("list", "--jsn", says="--jsn")
        self.refused("eval", says="FUNCTION")
        self.refused("eval", "gelu", "1", "--order", "3", says="--order")
        self.refused("eval", "gelu", "1", "--dtype", "f80", says="f32")
        self.refused("eval", "softmax", "1", "--dtype", "f64", says=["softmax", "f64"])
        self.refused("eval", "gelu", "1", "--tier", "quick", says="exact")

    def test_functions_and_parameters(self):
        for verb in ["show", "eval", "plot", "error", "naive", "bench"]:
            self.refused(verb, "gellu", says=["gellu", "gelu"])
            self.refused(verb, "elu:beta=1", says=["beta", "alpha"])
            self.refused(verb, "softplus:beta=0", says=["beta", "> 0"])
            self.refused(verb, "elu:alpha=nan", says="alpha")
            self.refused(verb, "elu:alpha=1x", says="1x")
        self.assertEqual(self.ok("eval", "logistic", "1.5"), self.ok("eval", "sigmoid", "1.5"))

    def test_closed_pipe(self):
        for verb in ["list", "list --json", "show gelu"]:
            command = f"'{ACTFUN}' {verb} | head -1 > /dev/null; exit ${{PIPESTATUS[0]}}"
            result = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
            self.assertEqual(result.stderr, "")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_full_standard_output(self):
        for arguments in (["list"], ["eval", "gelu", "1"]):
            with open("/dev/full", "w") as full:
                result = subprocess.run([ACTFUN, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)
            self.assertEqual(result.returncode, 2)
            self.assertIn("standard output", result.stderr)


class Records(Case):
    def test_list(self):
        table = self.ok("list").splitlines()
        records = json.loads(self.ok("list", "--json"))
        self.assertEqual([line.split()[0] for line in table[1:]], [record["name"] for record in records])
        self.assertEqual(len({record["name"] for record in records}), len(records))
        for record in records:
            self.assertIs(type(record["certified"]), bool)
            if record["name"] in AXIS:
                continue
            for key in ["family", "kind", "formula", "derivative", "second_derivative", "range", "monotone", "symmetry"]:
                self.assertIs(type(record[key]), str, (record["name"], key))
            for order, key in enumerate(["limits", "derivative_limits", "second_derivative_limits"]):
                for end in ["-inf", "+inf"]:
                    value = self.ok("eval", record["name"], end.lstrip("+"), "--order", order).strip()
                    self.assertEqual(repr(float(record[key][end])), repr(float(value)))  # nan and -0, too
            if record["lipschitz"]["default"]:
                x = [i / 16 for i in range(-320, 321)]
                slopes = self.ok("eval", record["name"], "--order", 1, text="\n".join(map(str, x)))
                self.assertLessEqual(max(abs(float(s)) for s in slopes.split()), float(record["lipschitz"]["default"]) * (1 + 1e-7))

    def test_show(self):
        for record in json.loads(self.ok("list", "--json")):
            self.assertEqual(json.loads(self.ok("show", record["name"], "--json")), record)
            card = self.ok("show", record["name"])
            for part in [record["name"], record["formula"], *record["aliases"]]:
                self.assertIn(part, card)
            for alias in record["aliases"]:
                self.assertEqual(self.ok("show", alias), card)
        self.assertIn("alpha = 0.5", self.ok("show", "elu:alpha=0.5"))
        self.assertEqual(json.loads(self.ok("show", "elu:alpha=0.5", "--json"))["limits"]["-inf"], "-0.5")

    def test_show_conventions(self):
        card = self.ok("show", "hardtanh", "--kinks", "jax")
        self.assertIn("f' is 1 there", card)
        self.assertIn("f' is 0 there", self.ok("show", "hardtanh"))
        for text in ("1, 1 by jax (X)", "1, 1 by tensorflow (M; clip_by_value)"):
            self.assertIn(text, card)
        record = json.loads(self.ok("show", "hardtanh", "--kinks", "jax", "--json"))
        self.assertEqual([kink["derivative_at"] for kink in record["kinks"]], ["1", "1"])
        self.assertIn("leaky_relu@keras is leaky_relu:negative_slope=0.3", self.ok("show", "leaky_relu"))
        self.assertTrue(self.ok("show", "lrelu@keras").startswith("leaky_relu:negative_slope=0.3\n"))

    def test_targets(self):
        lines = self.ok("targets").splitlines()[1:]
        self.assertEqual(sum("yes" in line.split()[2:3] for line in lines), 1)
        for line in lines:
            name, supported = line.split()[:2]
            if supported == "yes":
                used = [l for l in self.ok("targets", env={"ACTFUN_TARGET": name}).splitlines()[1:] if l.split()[2] == "yes"]
                self.assertEqual([l.split()[0] for l in used], [name])
        self.assertRegex(self.ok("targets", env={"ACTFUN_NUM_THREADS": "3"}), r"(?m)^threads: 3 by (OpenMP|std::thread)$")
        self.refused("targets", env={"ACTFUN_NUM_THREADS": "some"}, says=["ACTFUN_NUM_THREADS", "some", "65535"])
        self.refused("targets", env={"ACTFUN_TARGET": "AVX9"}, says=["AVX9", lines[0].split()[0]])
        self.refused("eval", "gelu", "1", env={"ACTFUN_TARGET": "AVX9"}, says="AVX9")


class Eval(Case):
    def test_numbers(self):
        self.assertEqual(self.ok("eval", "identity", "-5.5", "0x1.8p+2", "inf", "-inf", "nan", "-0", "1e-45"),
                         "-5.5\n6\ninf\n-inf\nnan\n-0\n1e-45\n")
        self.assertEqual(self.ok("eval", "identity", "-5.5", "inf", "nan", "-0", "1e-45", "--format", "hex"),
                         "-0x1.6p+2\ninf\nnan\n-0x0p+0\n0x1p-149\n")
        self.assertEqual(self.ok("eval", "identity", "--order", "1", "-inf"), "1\n")
        # Rounded once: a tie for f32 that text breaks, and f64 would not.
        self.assertEqual(self.ok("eval", "identity", "1.00000005960464477539062500000000000001"), "1.0000001\n")
        self.assertEqual(self.ok("eval", "identity", "1.000000059604644775390625"), "1\n")

    def test_from_the_output(self):
        self.assertEqual(self.ok("eval", "sigmoid", "--inverse", "0.25", "0.5", "1", "2"), "-1.0986123\n0\ninf\nnan\n")
        self.assertEqual(self.ok("eval", "exp", "--inverse", "--dtype", "bf16", "2"), "0.69\n")
        self.assertEqual(self.ok("eval", "tanh", "--from-output", "0.5", "-1"), "0.75\n0\n")
        self.refused("eval", "relu", "--inverse", "1", says="relu has no inverse: constant for x <= 0")
        self.refused("eval", "elu:alpha=-1", "--from-output", "1", says="that needs alpha >= 0")
        self.refused("eval", "softmax", "--inverse", "1", says="it has no inverse")
        self.refused("eval", "tanh", "--inverse", "--order", "1", "1", says="excludes")
        self.refused("error", "silu", "--order", "1", "--from", "output", says="silu has no backward pass from its output")
        self.refused("error", "tanh", "--from", "output", says="--order 1")
        found = json.loads(self.ok("error", "tanh", "--order", "1", "--from", "output", "--dtype", "bf16", "--json"))
        self.assertGreater(abs(float(found["formats"][0]["worst"]["error"])), 100)  # where tanh is 1, it tells nothing
        own = json.loads(self.ok("error", "tanh", "--order", "1", "--dtype", "bf16", "--json"))
        self.assertLess(abs(float(own["formats"][0]["worst"]["error"])), 0.501)

    def test_round_trip(self):
        numbers = random_floats(5000)
        for spell in (repr, float.hex):
            text = "\n".join(map(spell, numbers)) + "\n"
            for form, read in (("dec", float), ("hex", float.fromhex)):
                out = self.ok("eval", "identity", "--format", form, text=text).split()
                self.assertEqual([bits(read(y)) for y in out], [bits(x) for x in numbers])

    def test_stdin(self):
        self.assertEqual(self.ok("eval", "relu", text="1\n-2\n 3 \r\n4"), "1\n0\n3\n4\n")
        self.assertEqual(self.ok("eval", "relu", text=""), "")
        result = self.refused("eval", "relu", text="1\n2\n\n3\n", says="line 3")
        self.assertEqual(result.stdout, "1\n2\n")
        self.refused("eval", "relu", text="1\ntwo\n", says=["line 2", "'two'"])
        self.refused("eval", "relu", text="1 2\n", says=["line 1", "'1 2'"])
        self.refused("eval", "relu", text="1" * 100_000, says="line 1")
        self.refused("eval", "relu", "1", "0x", says="0x")
        self.refused("eval", "relu", "1,5", says="1,5")
        self.refused("eval", "relu", "", says="''")
        many = "".join(f"{i}\n" for i in range(300_000))  # several batches
        self.assertEqual([float(y) for y in self.ok("eval", "identity", text=many).split()], list(range(300_000)))

    def test_answers_line_by_line(self):
        with subprocess.Popen([ACTFUN, "eval", "relu"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            for x in ["1", "2.5"]:
                child.stdin.write(x + "\n")
                child.stdin.flush()
                self.assertEqual(child.stdout.readline(), x + "\n")
            child.stdin.close()
            self.assertEqual(child.wait(), 0)

    def test_rows(self):
        y = [float(v) for v in self.ok("eval", "softmax", "1", "2", "3").split()]
        self.assertAlmostEqual(sum(y), 1, places=6)
        self.assertEqual(self.ok("eval", "softmax", text="1\n2\n3\n"), self.ok("eval", "softmax", "1", "2", "3"))
        self.assertEqual(self.ok("eval", "maxout:k=3", "1", "5", "2", "-1", "-7", "-3"), "5\n-1\n")
        self.refused("eval", "maxout", "1", "2", "3", says=["2", "3"])
        self.refused("eval", "softmax", "1", "--order", "1", says="order")

    def test_presets(self):
        self.assertEqual(self.ok("eval", "leaky_relu@keras", "-1"), "-0.3\n")
        self.assertEqual(self.ok("eval", "leaky_relu@keras:negative_slope=0.5", "-1"), "-0.5\n")
        self.assertEqual(self.ok("eval", "hard_sigmoid@onnx", "1"), "0.7\n")
        self.assertEqual(self.ok("eval", "gelu@jax", "1"), self.ok("eval", "gelu_tanh", "1"))
        self.assertNotEqual(self.ok("eval", "selu@mlx", "1"), self.ok("eval", "selu", "1"))
        self.assertNotEqual(self.ok("eval", "selu@onnx", "1", "--dtype", "f64"), self.ok("eval", "selu", "1", "--dtype", "f64"))
        self.refused("eval", "leaky_relu@torch", "1", says=["torch", "pytorch", "keras_function"])
        self.refused("eval", "hard_sigmoid@keras", "1", says=["keras2", "keras3"])
        self.refused("eval", "softsign@jax", "1", says="none")
        self.refused("eval", "leky_relu@keras", "1", says="leaky_relu")
        self.refused("eval", "leaky_relu@", "1", says="pytorch")
        self.refused("eval", "leaky_relu@keras:slope=1", "1", says="negative_slope")

    def test_kinks(self):
        slope = lambda *arguments: self.ok("eval", *arguments, "--order", 1)
        self.assertEqual(slope("hardtanh", "-1", "1", "0.5", "nan"), "0\n0\n1\nnan\n")
        self.assertEqual(slope("hardtanh", "--kinks", "jax", "-1", "1", "0.5", "nan"), "1\n1\n1\nnan\n")
        self.assertEqual(slope("clamp:min_val=-2", "--kinks", "jax", "-2", "-1"), "1\n1\n")
        self.assertEqual(slope("leaky_relu@keras", "--kinks", "jax", "0", "-0", "-1"), "1\n1\n0.3\n")
        self.assertEqual(self.ok("eval", "softmax", "--kinks", "jax", "1"), "1\n")
        self.refused("eval", "relu", "--kinks", "torch", "0", says=["--kinks", "pytorch"])
        self.refused("eval", "relu", "--kinks", "onnxruntime", "0", says=["onnxruntime", "actfun, pytorch, jax, tensorflow"])
        for verb, rest in (("show", []), ("plot", []), ("apply", ["x.npy", "-o", "y.npy"])):
            self.refused(verb, "relu", "--kinks", "onnxruntime", *rest, says="onnxruntime")
        answer = json.loads(self.ok("eval", "celu", "--kinks", "tensorflow", "--order", "1", "0", "--json"))
        self.assertEqual((answer["kinks"], answer["y"]), ("tensorflow", ["2"]))

    def test_json(self):
        answer = json.loads(self.ok("eval", "relu", "-1", "nan", "inf", "2", "--json"))
        self.assertEqual(answer["x"], ["-1", "nan", "inf", "2"])
        self.assertEqual(answer["y"], ["0", "nan", "inf", "2"])
        self.assertEqual((answer["function"], answer["order"], answer["dtype"], answer["tier"]), ("relu", 0, "f32", "exact"))


class Backward(Case):
    def test_product_and_gradients(self):
        x, g = [-2.0, -1.0, 0.0, 1.0, 3.0, -0.5], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        source, factor, out = self.npy("x.npy", (2, 3), x), self.npy("g.npy", (2, 3), g), self.dir / "dx.npy"
        self.assertEqual(self.ok("backward", "prelu", source, factor, "-o", out), "")
        header, dx = read_npy(out)
        self.assertEqual((header["shape"], list(dx)), ((2, 3), [0.25, 0.5, 0.75, 4, 5, 1.5]))
        self.assertEqual(self.ok("backward", "prelu", source, factor, "-o", out, "--parameters"), "weight -7\n")
        self.assertEqual(self.ok("backward", "affine", source, factor, "-o", factor, "--parameters"),
                         "alpha 12\nbeta 21\n")
        self.assertEqual(list(read_npy(factor)[1]), g)
        self.ok("backward", "hardtanh", source, factor, "-o", source, "--kinks", "jax")
        self.assertEqual(list(read_npy(source)[1]), [0, 2, 3, 4, 0, 6])

    def test_threads(self):
        values = [math.sin(i * i) * 4 for i in range(600_000)]
        source, factor = self.npy("x.npy", (600_000,), values), self.npy("g.npy", (600_000,), values[::-1])
        results = set()
        for threads in (1, 2, 5):
            text = self.ok("backward", "swish", source, factor, "-o", self.dir / "y.npy", "--parameters", "--threads", threads)
            results.add((text, (self.dir / "y.npy").read_bytes()))
        self.assertEqual(len(results), 1)

    def test_bad_input(self):
        source, other, out = self.npy("x.npy", (2,), [1, 2]), self.npy("g.npy", (3,), [1, 2, 3]), self.dir / "y.npy"
        self.refused("backward", "gelu", source, other, "-o", out, says=["(2,)", "(3,)", "g.npy"])
        (self.dir / "d.npy").write_bytes(npy_bytes(npy_header((2,), descr="<f8"), bytes(16)))
        self.refused("backward", "gelu", source, self.dir / "d.npy", "-o", out, says=["f32", "f64"])
        turned = self.npy("t.npy", (2,), [1, 2], fortran=True)
        self.refused("backward", "gelu", source, turned, "-o", out, says="order")
        self.refused("backward", "softmax", source, source, "-o", out, says="softmax")
        self.refused("backward", "gelu", source, source, "-o", out, "--parameters", says="no parameters")
        self.refused("backward", "gelu", source, "-o", out, says="G.npy")
        self.refused("backward", "gelu", source, self.dir / "none.npy", "-o", out, says="none.npy")


class Apply(Case):
    def evaluate(self, function, values, order=0):
        text = "\n".join(float.hex(x) if math.isfinite(x) else str(x) for x in values)
        return [bits(float.fromhex(y)) for y in self.ok("eval", function, "--order", order, "--format", "hex", text=text).split()]

    def test_values(self):
        values = random_floats(600)
        source, target = self.npy("x.npy", (20, 30), values), self.dir / "y.npy"
        for name in names():
            for order in range(1 if name in AXIS else 3):
                self.assertEqual(self.ok("apply", name, source, "-o", target, "--order", order), "")
                header, y = read_npy(target)
                if name not in AXIS:
                    self.assertEqual(header["shape"], (20, 30))
                    self.assertEqual([bits(v) for v in y], self.evaluate(name, values, order), name)

    def test_kinks(self):
        values = [-1.0, 1.0, 0.0, 2.0] * 3000
        source, target = self.npy("x.npy", (len(values),), values), self.dir / "y.npy"
        for to in (target, source):  # in place, too
            self.ok("apply", "hardtanh", source, "-o", to, "--order", 1, "--kinks", "jax")
            self.assertEqual(list(read_npy(to)[1]), [1.0, 1.0, 1.0, 0.0] * 3000)

    def test_shapes_and_orders(self):
        values = [i / 7 - 8 for i in range(120)]
        for shape in [(), (1,), (120,), (2, 60), (3, 4, 10), (1, 1, 1, 120), (0,), (3, 0, 5), (2**40, 0)]:
            count = math.prod(shape)
            for fortran in (False, True):
                source = self.npy("x.npy", shape, values[:count], fortran=fortran)
                self.ok("apply", "tanh", source, "-o", self.dir / "y.npy")
                header, y = read_npy(self.dir / "y.npy")
                self.assertEqual((header["shape"], header["fortran_order"]), (shape, fortran))
                self.assertEqual([bits(v) for v in y], self.evaluate("tanh", values[:count]))

    def test_versions(self):
        data = array.array("f", [1, -1]).tobytes()
        for version in [(1, 0), (2, 0), (3, 0)]:
            for header in [npy_header((2,)), '{"shape":(2,),"descr":"<f4","fortran_order":False}',
                           "{'descr': '<f4', 'fortran_order': False, 'shape': (2L,)}   "]:
                (self.dir / "x.npy").write_bytes(npy_bytes(header, data, version))
                self.ok("apply", "relu", self.dir / "x.npy", "-o", self.dir / "y.npy")
                self.assertEqual(list(read_npy(self.dir / "y.npy")[1]), [1, 0])

    def test_in_place(self):
        path = self.npy("x.npy", (3,), [-1, 2, -3])
        os.chmod(path, 0o640)
        (self.dir / "link.npy").symlink_to(path)
        self.ok("apply", "relu", path, "-o", path)
        self.assertEqual(list(read_npy(path)[1]), [0, 2, 0])
        self.ok("apply", "leaky_relu", path, "-o", self.dir / "link.npy")
        self.assertTrue((self.dir / "link.npy").is_symlink())
        self.assertEqual(path.stat().st_mode & 0o777, 0o640)

    def test_axes(self):
        shape = (4, 6, 2)
        values = [((i * 37) % 48) / 4 for i in range(48)]

        def place(index, shape, fortran):
            order = range(3) if not fortran else range(2, -1, -1)
            at = 0
            for i in order:
                at = at * shape[i] + index[i]
            return at

        for fortran, axis in itertools.product((False, True), (-3, -2, -1, 0, 1, 2)):
            source = self.npy("x.npy", shape, values, fortran=fortran)
            self.ok("apply", "maxout", source, "-o", self.dir / "y.npy", "--axis", axis, "--index", self.dir / "i.npy")
            header, y = read_npy(self.dir / "y.npy")
            index_header, winners = read_npy(self.dir / "i.npy")
            small = list(shape)
            small[axis] //= 2
            self.assertEqual((header["shape"], index_header["shape"]), (tuple(small), tuple(small)))
            for index in itertools.product(*map(range, small)):
                group = []
                for j in range(2):
                    member = list(index)
                    member[axis] = 2 * member[axis] + j
                    group.append(values[place(member, shape, fortran)])
                at = place(index, small, fortran)
                self.assertEqual((y[at], winners[at]), (max(group), group.index(max(group))))
            self.ok("apply", "softmax", source, "-o", self.dir / "p.npy", "--axis", axis)
            p = read_npy(self.dir / "p.npy")[1]
            lines = {}
            for index in itertools.product(*map(range, shape)):
                rest = list(index)
                rest[axis] = 0
                lines.setdefault(tuple(rest), []).append(place(index, shape, fortran))
            for line in lines.values():
                row = self.ok("eval", "softmax", *[values[i] for i in line], "--format", "hex").split()
                self.assertEqual([bits(p[i]) for i in line], [bits(float.fromhex(v)) for v in row])
        self.refused("apply", "softmax", source, "-o", self.dir / "q.npy", "--axis", 3, says=["axis 3", "(4, 6, 2)"])
        self.refused("apply", "maxout:k=4", source, "-o", self.dir / "q.npy", "--axis", 1, says=["4", "6"])
        self.refused("apply", "softmax", source, "-o", self.dir / "q.npy", "--index", self.dir / "j.npy", says="--index")
        self.refused("apply", "relu", source, "-o", self.dir / "q.npy", "--axis", 0, says="--axis")
        self.refused("apply", "softmax", source, "-o", self.dir / "q.npy", "--order", 1, says="order")
        self.refused("apply", "maxout", source, "-o", self.dir / "q.npy", "--index", self.dir / "q.npy", says="same file")
        self.refused("apply", "softmax", self.npy("s.npy", (), [1]), "-o", self.dir / "q.npy", says="axis")

    def test_wide_axis(self):
        """Slabs larger than a chunk are cut into columns."""
        length, inner = 3000, 150
        generator = random.Random(5)
        values = [generator.uniform(-9, 9) for _ in range(length * inner)]
        self.ok("apply", "softmax", self.npy("x.npy", (length, inner), values), "-o", self.dir / "p.npy", "--axis", 0)
        p = read_npy(self.dir / "p.npy")[1]
        turned = [values[i * inner + j] for j in range(inner) for i in range(length)]
        self.ok("apply", "softmax", self.npy("t.npy", (inner, length), turned), "-o", self.dir / "q.npy")
        q = read_npy(self.dir / "q.npy")[1]
        self.assertEqual([bits(p[i * inner + j]) for j in range(inner) for i in range(length)], [bits(v) for v in q])

    def test_threads(self):
        generator = random.Random(2)
        values = array.array("I", (generator.getrandbits(32) for _ in range(3_000_001)))
        (self.dir / "x.npy").write_bytes(npy_bytes(npy_header((3_000_001,)), values.tobytes()))
        (self.dir / "m.npy").write_bytes(npy_bytes(npy_header((3000, 1000)), values[:3_000_000].tobytes()))
        for function, source in [("gelu", "x.npy"), ("softmax", "m.npy"), ("maxout:k=10", "m.npy")]:
            results = set()
            for threads in (1, 2, 3, 7):
                self.ok("apply", function, self.dir / source, "-o", self.dir / "y.npy", "--threads", threads)
                results.add((self.dir / "y.npy").read_bytes())
            self.assertEqual(len(results), 1, function)

    def test_threads_of_the_environment(self):
        source, target = self.npy("x.npy", (600_000,), [math.sin(i) * 4 for i in range(600_000)]), self.dir / "y.npy"
        self.refused("apply", "gelu", source, "-o", target, env={"ACTFUN_NUM_THREADS": "none"},
                     says=["ACTFUN_NUM_THREADS", "none", "65535"])
        results = set()
        for arguments, threads in [([], "1"), ([], "2"), (["--threads", 2], "none")]:
            self.ok("apply", "gelu", source, "-o", target, *arguments, env={"ACTFUN_NUM_THREADS": threads})
            results.add(target.read_bytes())
        self.assertEqual(len(results), 1)

    def test_larger_than_memory(self):
        """A sparse file of 1 GiB under a limit of 256 MiB."""
        count = 1 << 28
        header = npy_header((count,)).encode()
        with open(self.dir / "x.npy", "wb") as file:
            file.write(npy_bytes(header))
            file.truncate(10 + len(header) + 4 * count)
        if os.statvfs(self.dir).f_bavail * os.statvfs(self.dir).f_frsize < 3 << 30:
            self.skipTest("less than 3 GiB of disk")
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (256 << 20, 256 << 20))
        if run("--version", preexec_fn=limit).returncode != 0:
            self.skipTest("the program does not start under the limit (a sanitizer)")
        self.ok("apply", "sigmoid", self.dir / "x.npy", "-o", self.dir / "y.npy", "--threads", 2, preexec_fn=limit)
        with open(self.dir / "y.npy", "rb") as file:
            file.seek(-4, os.SEEK_END)
            self.assertEqual(file.read(), struct.pack("<f", 0.5))
        self.assertEqual((self.dir / "y.npy").stat().st_size, 128 + 4 * count)

    def test_bad_files(self):
        good, data = npy_header((2,)), bytes(8)
        bad = {
            "empty": (b"", "not a .npy"),
            "text": (b"x,y\n1,2\n" * 9, "not a .npy"),
            "short magic": (b"\x93NUMPY\x01", "not a .npy"),
            "unknown version": (npy_bytes(good, data, (9, 0)), "version 9.0"),
            "header beyond the end": (npy_bytes(good, b"", length=60000), "within its header"),
            "huge header": (npy_bytes(good, data, (2, 0), length=0xFFFFFFFF), "header of 4294967295 bytes is too long"),
            "long header": (npy_bytes(good + " " * 100_000, data, (2, 0)), "too long"),
            "garbage": (npy_bytes("\0" * 64, data), "dictionary"),
            "unfinished": (npy_bytes("{'descr': '<f4', 'fortran_order': Fal", data), "dictionary"),
            "not closed": (npy_bytes(good.replace("}", ""), data), "dictionary"),
            "more after": (npy_bytes(good + "x", data), "dictionary"),
            "no descr": (npy_bytes("{'fortran_order': False, 'shape': (2,)}", data), "'descr'"),
            "no order": (npy_bytes("{'descr': '<f4', 'shape': (2,)}", data), "'fortran_order'"),
            "no shape": (npy_bytes("{'descr': '<f4', 'fortran_order': False}", data), "'shape'"),
            "another key": (npy_bytes(good.replace("{", "{'x': 1, "), data), "'x'"),
            "twice": (npy_bytes(good.replace("{", "{'descr': '<f4', "), data), "'descr'"),
            "code": (npy_bytes(good.replace("(2,)", "__import__('os').abort()"), data), "dictionary"),
            "negative": (npy_bytes(npy_header((-2,)), data), "negative"),
            "overflow": (npy_bytes(npy_header((2**33, 2**33)), data), "too large"),
            "overflow to little": (npy_bytes(npy_header((2**62 + 1, 4)), bytes(16)), "too large"),
            "beyond 64 bits": (npy_bytes(npy_header((2**64, 0)), b""), "2^64"),
            "many dimensions": (npy_bytes(npy_header((1,) * 65), bytes(4)), "dimensions"),
            "number as shape": (npy_bytes(good.replace("(2,)", "(2)"), data), "dictionary"),
            "truncated": (npy_bytes(good, data[:7]), "truncated"),
            "claims much": (npy_bytes(npy_header((2**40,)), data), "truncated"),
            "trailing": (npy_bytes(good, data + b"!"), "too long"),
            "fields": (npy_bytes(good.replace("'<f4'", "[('a', '<f4')]"), data), "only numbers"),
        }
        for kind in [">f4", "<i4", "|O", "|S4", "=f4", "f4", "<c8"]:
            bad["dtype " + kind] = (npy_bytes(npy_header((2,), kind), data), [f"'{kind}'", "<f4"])
        for kind in ["|i1", "|u1", "<u2", "|V2"]:
            bad["dtype " + kind] = (npy_bytes(npy_header((8 // int(kind[2]),), kind), data), [f"'{kind}'", "--dtype"])
        bad["too few doubles"] = (npy_bytes(npy_header((2,), "<f8"), data), "truncated")
        bad["too many halves"] = (npy_bytes(npy_header((2,), "<f2"), data), "too long")
        for what, (content, says) in bad.items():
            with self.subTest(what):
                (self.dir / "x.npy").write_bytes(content)
                self.refused("apply", "gelu", self.dir / "x.npy", "-o", self.dir / "y.npy", says=says)

    def test_formats(self):
        """float64, float16 by themselves, bfloat16 and fp8 as integers: the numbers that eval prints."""
        cases = [("<f8", "f64", "d"), ("<f2", "f16", "e"), ("<u2", "bf16", "H"), ("|u1", "f8e4m3fn", "B"), ("|V1", "f8e5m2", "B")]
        numbers = ["-1.5", "0", "0.25", "3"]
        bits = {"bf16": [0xBFC0, 0, 0x3E80, 0x4040], "f8e4m3fn": [0xBC, 0, 0x28, 0x44], "f8e5m2": [0xBE, 0, 0x34, 0x42]}
        for kind, dtype, code in cases:
            with self.subTest(dtype):
                values = bits.get(dtype, [float(x) for x in numbers])
                (self.dir / "x.npy").write_bytes(npy_bytes(npy_header((4,), kind), struct.pack(f"<4{code}", *values)))
                self.ok("apply", "gelu", self.dir / "x.npy", "-o", self.dir / "y.npy", "--dtype", dtype)
                content = (self.dir / "y.npy").read_bytes()
                self.assertIn(kind.encode(), content[:100])
                results = struct.unpack(f"<4{code}", content[-4 * struct.calcsize(code):])
                want = [float(y) for y in self.ok("eval", "gelu", *numbers, "--dtype", dtype).split()]
                if dtype in bits:  # bfloat16 is the upper half of a float, e5m2 that of a float16
                    decode = {"bf16": lambda b: struct.unpack("<f", struct.pack("<I", b << 16))[0],
                              "f8e5m2": lambda b: struct.unpack("<e", struct.pack("<H", b << 8))[0],
                              "f8e4m3fn": lambda b: (-1) ** (b >> 7) * ((8 + b % 8) * 2.0 ** ((b >> 3 & 15) - 10)
                                                                       if b >> 3 & 15 else b % 8 * 2.0 ** -9)}[dtype]
                    results = [decode(b) for b in results]
                    for got, text in zip(results, want):
                        self.assertAlmostEqual(got, text, delta=abs(got) * 0.1)
                else:
                    self.assertEqual(results, struct.unpack(f"<4{code}", struct.pack(f"<4{code}", *want)))
        self.refused("apply", "softmax", self.dir / "x.npy", "-o", self.dir / "y.npy", "--dtype", "f8e5m2", says="f32")
        self.refused("apply", "gelu", self.dir / "x.npy", "-o", self.dir / "y.npy", "--dtype", "bf16", says="--dtype")

    def test_mutated_headers(self):
        """No header makes it crash or leave a file: random damage to a good one."""
        generator = random.Random(7)
        good = npy_bytes(npy_header((2, 2)), bytes(16))
        for _ in range(300):
            damaged = bytearray(good)
            for _ in range(generator.randint(1, 3)):
                damaged[generator.randrange(6, len(good) - 16)] = generator.choice(b"0123456789(),{}':<fTrue \0\xff")
            (self.dir / "x.npy").write_bytes(damaged)
            result = run("apply", "relu", self.dir / "x.npy", "-o", self.dir / "y.npy")
            self.assertIn(result.returncode, (0, 2), bytes(damaged))
            self.assertEqual((self.dir / "y.npy").exists(), result.returncode == 0)
            (self.dir / "y.npy").unlink(missing_ok=True)

    def test_bad_places(self):
        source, out = self.npy("x.npy", (2,), [1, 2]), self.dir / "y.npy"
        self.refused("apply", "gelu", self.dir / "none.npy", "-o", out, says=["none.npy", "No such file"])
        self.refused("apply", "gelu", self.dir, "-o", out, says="directory")
        self.refused("apply", "gelu", "/dev/zero", "-o", out, says="regular file")
        self.refused("apply", "gelu", source, "-o", self.dir / "none" / "y.npy", says="No such file or directory")
        self.refused("apply", "gelu", source, "-o", self.dir, says="directory")
        self.refused("apply", "gelu", source, "-o", "/dev/null", says="regular file")
        self.refused("apply", "gelu", source, "-o", "", says="file name")
        self.refused("apply", "gelu", source, says="--output")
        self.refused("apply", "gelu", source, "-o", out, "--threads", "0", says="--threads")
        os.mkfifo(self.dir / "fifo")
        self.refused("apply", "gelu", self.dir / "fifo", "-o", out, says="regular file", timeout=20)
        if os.geteuid() != 0:
            os.chmod(source, 0)
            self.refused("apply", "gelu", source, "-o", out, says="Permission denied")
        else:  # root reads everything: let somebody else try
            os.chmod(source, 0o600)
            os.chmod(self.dir, 0o755)
            demote = lambda: (os.setgid(65534), os.setuid(65534))
            if subprocess.run(["test", "-x", ACTFUN], preexec_fn=demote).returncode == 0:
                self.refused("apply", "gelu", source, "-o", out, says="Permission denied", preexec_fn=demote)
            else:
                print("unreadable file: skipped, nobody else can run the program")

    def test_full_disk(self):
        disk = self.dir / "disk"
        disk.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True)
        if mount.returncode != 0:
            self.skipTest("mounting a tmpfs is not permitted")
        self.addCleanup(subprocess.run, ["umount", disk])
        source = self.npy("x.npy", (400_000,), [0] * 400_000)
        self.refused("apply", "gelu", source, "-o", disk / "y.npy", says=["y.npy", "No space left"])
        self.refused("gallery", "-o", disk / "gallery", says="No space left")
        (disk / "fill").write_bytes(bytes(1_040_000))
        self.refused("plot", "gelu", "-o", disk / "g.png", says=["g.png", "No space left"])
        self.refused("gallery", "-o", disk, says="No space left")

    def test_file_size_limit(self):
        """Like a full disk, without a mount: the write itself fails."""
        source = self.npy("x.npy", (400_000,), [0] * 400_000)

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))

        self.refused("apply", "gelu", source, "-o", self.dir / "y.npy", says=["y.npy", "File too large"], preexec_fn=limit)

    def test_interrupt(self):
        count = 1 << 28
        header = npy_header((count,)).encode()
        with open(self.dir / "x.npy", "wb") as file:
            file.write(npy_bytes(header))
            file.truncate(10 + len(header) + 4 * count)
        for number in (signal.SIGINT, signal.SIGTERM):
            child = subprocess.Popen([ACTFUN, "apply", "gelu", self.dir / "x.npy", "-o", self.dir / "y.npy"])
            while child.poll() is None and len(list(self.dir.iterdir())) < 2:
                time.sleep(0.001)
            child.send_signal(number)
            self.assertEqual(child.wait(), -number)
            self.assertEqual([path.name for path in self.dir.iterdir()], ["x.npy"])

    def test_speed(self):
        source = self.npy("x.npy", (1000,), [1] * 1000)
        self.assertRegex(self.ok("apply", "gelu", source, "-o", self.dir / "y.npy", "--speed"), r"GB/s")


def on_terminal(*arguments, size=(30, 100)):
    """What the program prints on a terminal, and its exit status."""
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-256color"
        time.sleep(0.05)  # until the size is set
        os.execv(ACTFUN, [ACTFUN, *map(str, arguments)])
    import fcntl
    import termios
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
    out = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            part = b""
        if not part:
            break
        out += part
    os.close(terminal)
    return out.decode(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


class Pictures(Case):
    def test_terminal(self):
        for name in names():
            if name not in AXIS:
                self.assertGreater(len(self.ok("plot", name, "--order", "0,1,2").splitlines()), 20)
        text = self.ok("plot", "relu6", "--range", "-1:7")
        self.assertIn("kinks: 0, 6", text)
        self.assertIn("|f'| < 0.01 in: [-1, 0], [6, 7]", text)
        for width in (60, 120):
            out, status = on_terminal("plot", "gelu", "silu", size=(30, width))
            self.assertEqual(status, 0)
            lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in out.splitlines()]
            self.assertLess(max(map(len, lines)), width)
            self.assertGreater(max(map(len, lines)), width - 12)
            self.assertLessEqual(len(lines), 30)

    def test_files(self):
        for extension, start in [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]:
            path = self.dir / f"p.{extension}"
            self.ok("plot", "gelu", "elu:alpha=2", "--order", "0,1", "--range", "-4:4", "-o", path)
            self.assertTrue(path.read_bytes().startswith(start))
        xml.parse(self.dir / "p.svg")

    def test_jumps_are_not_drawn(self):
        """relu' is two level lines: no path of the picture goes from one to the other."""
        self.ok("plot", "relu", "--order", "1", "-o", self.dir / "p.svg")
        text = (self.dir / "p.svg").read_text()
        curves = re.search(r'id="gnuplot_plot_1".*?</g>\s*</g>', text, re.S).group(0)
        paths = re.findall(r" d='([^']*)'", curves)
        for piece in " ".join(paths).split("M")[1:]:
            heights = {pair.split(",")[1] for pair in re.findall(r"[\d.]+,[\d.]+", piece)}
            self.assertEqual(len(heights), 1, piece[:80])

    def test_misuse(self):
        for text in ["1:1", "2:1", "nan:1", "0:inf", "1", "a:b", "", ":", "1:2:3"]:
            self.refused("plot", "gelu", "--range", text, says="range")
        self.refused("plot", "gelu", "-o", self.dir / "p.gif", says=[".svg", ".png", ".pdf"])
        self.refused("plot", "gelu", "-o", self.dir / "p", says=".svg")
        self.refused("plot", "gelu", "-o", self.dir / "none" / "p.svg", says="No such file")
        self.refused("plot", "gelu", "--order", "0,3", says="--order")
        self.refused("plot", "softmax", says="softmax")
        self.refused("plot", "gelu", env={"PATH": "/nonexistent"}, says="gnuplot")
        self.refused("plot", "gelu", "-o", self.dir / "p.svg", env={"PATH": "/nonexistent"}, says="gnuplot")
        self.refused("gallery", "-o", self.dir / "g", env={"PATH": "/nonexistent"}, says="gnuplot")
        self.refused("gallery", "-o", self.dir / "none" / "g", says="No such file")
        (self.dir / "file").write_text("")
        self.refused("gallery", "-o", self.dir / "file", says="not a directory")

    def test_extreme_ranges(self):
        for text in ["-3e38:3e38", "1:1.0000001", "-1e-44:1e-44", "1e30:2e30"]:
            self.ok("plot", "gelu", "--order", "0,1,2", "--range", text, "-o", self.dir / "p.svg")

    def test_gallery(self):
        out = self.dir / "gallery"
        out.mkdir()
        (out / "mine.txt").write_text("stays")
        for _ in range(2):
            self.ok("gallery", "-o", out)
        expected = {f"{name}.{kind}" for name in ["sheet", *names()] for kind in ("svg", "png")}
        self.assertEqual({path.name for path in out.iterdir()}, expected | {"index.html", "mine.txt"})
        self.ok("gallery", "-o", self.dir / "new")
        page = (self.dir / "new" / "index.html").read_text()
        self.assertEqual(page, (out / "index.html").read_text())

        class Reader(html.parser.HTMLParser):
            ids, links, loads, open = [], [], [], []

            def handle_starttag(self, tag, attributes):
                values = dict(attributes)
                if "id" in values:
                    self.ids.append(values["id"])
                for key in ("src", "srcset", "data", "action"):
                    if key in values and not key.startswith("data-"):
                        self.loads.append(values[key])
                if "href" in values or "xlink:href" in values:
                    self.links.append(values.get("href") or values["xlink:href"])

        reader = Reader()
        reader.feed(page)
        self.assertEqual(len(reader.ids), len(set(reader.ids)), "an id twice")
        self.assertEqual(reader.loads, [])
        for link in reader.links:
            self.assertTrue(link == "data:," or link[0] == "#" and link[1:] in reader.ids, link)
        self.assertNotRegex(page, r"@import|url\(")
        for name in names():
            self.assertIn(f'<article id="{name}">', page)
        self.assertEqual(len(re.findall(r"<tr><td", page)), len(names()))
        self.assertEqual(page.count("<svg"), 1 + len(names()))

    def test_gallery_interrupted(self):
        child = subprocess.Popen([ACTFUN, "gallery", "-o", self.dir / "g"], stdout=subprocess.DEVNULL)
        while child.poll() is None and not list(self.dir.glob(".g*/*.svg")):
            time.sleep(0.001)
        child.send_signal(signal.SIGINT)
        self.assertEqual(child.wait(), -signal.SIGINT)
        self.assertEqual(list(self.dir.iterdir()), [])


class Verify(Case):
    """Against the repository's certificates, of the function whose record comes first."""

    CERTIFICATES = pathlib.Path(os.environ.get("ACTFUN_CERTIFICATES", pathlib.Path(__file__).parent.parent / "certificates"))

    def test_misuse(self):
        self.refused("verify", "gelu", "--certificates", self.dir, says=["gelu", "certificate", "gelu.json"])
        self.refused("verify", "elu:alpha=2", says=["elu:alpha=2", "default"])
        self.refused("verify", "softmax", says="softmax")
        self.refused("verify", "gelu", "--target", "AVX9", "--certificates", self.CERTIFICATES, says="actfun")
        self.refused("verify", "gelu", "--target", "AVX2", "--all-targets", says="--target")
        for text in ["", "{", "{}", "[]", '{"function": 1}']:
            (self.dir / "gelu.json").write_text(text)
            self.refused("verify", "gelu", "--certificates", self.dir, says="gelu.json")

    def test_right_and_wrong(self):
        name = names()[0]
        path = self.CERTIFICATES / f"{name}.json"
        if not path.exists():
            self.skipTest(f"no certificate of {name} yet")
        arguments = ["verify", name, "--spread", "--dtype", "f32", "--order", "0", "--certificates", self.dir]
        copy = self.dir / path.name
        copy.write_text(path.read_text())
        self.assertIn("as certified", self.ok(*arguments))
        self.assertEqual(copy.read_text(), path.read_text())
        self.ok(*arguments, "--record")
        runs = json.loads(copy.read_text())["runs"]
        self.assertIn(("value", "spread", 0), [(r["order"], r["extent"], r["failed_blocks"]) for r in runs])
        # A certificate that says something else about block 64, [2.0, 8.0), is not met there and only there.
        certificate = json.loads(path.read_text())
        certificate["value"]["spread_blocks"][64] = "0" * 32
        copy.write_text(json.dumps(certificate))
        result = self.refused(*arguments, code=1, says=["block 64", "0x1p+1", "0x40000000 to 0x40ff"])
        self.assertEqual(result.stderr.count("block "), 1)
        self.assertIn("WRONG in 1 blocks", result.stdout)


class Bench(Case):
    def test_json(self):
        result = json.loads(self.ok("bench", "relu", "softmax", "--json"))
        self.assertEqual([(r["function"], r["elements"]) for r in result],
                         [(f, n) for f in ("relu", "softmax") for n in (4096, 262144, 64 << 20)])
        for r in result:
            self.assertGreater(r["ns_per_element"], 0)
            self.assertAlmostEqual(r["copies"], r["ns_per_element"] / r["copy_ns_per_element"])
            self.assertAlmostEqual(r["streams"], r["ns_per_element"] / r["stream_ns_per_element"])
        for r in json.loads(self.ok("bench", "gelu", "softmax", "--in-place", "--threads", "2", "--elements", "4096,262144", "--json")):
            self.assertTrue(r["in_place"])
            self.assertAlmostEqual(r["scales"], r["ns_per_element"] / r["scale_ns_per_element"])
        self.refused("bench", "relu", "--in-place", "--dtype", "f64", says="--in-place")
        self.refused("bench", "softmax", "--order", "1", says="order")
        self.refused("bench", "relu", "--target", "AVX9", says="AVX9")
        self.refused("bench", "--elements", "many", "relu", says=["--elements", "many"])
        self.refused("bench", "--elements", "1025", "relu", says=["1025", "1024"])

    def test_against_libm(self):
        rows = json.loads(self.ok("bench", "gelu", "--against", "libm", "--elements", "4096,8192", "--json"))
        self.assertEqual([row["elements"] for row in rows], [4096] * (len(rows) // 2) + [8192] * (len(rows) // 2))
        by = {row["by"]: row for row in rows}
        self.assertLess(by["actfun"]["worst_ulp"], 0.5001)
        self.assertLess(by["actfun, fast tier"]["worst_ulp"], 2)
        self.assertGreater(by["x/2*(1 + erf(x/sqrt(2)))"]["worst_ulp"], 1e7)  # it is 0 from -6 on
        for row in rows:
            self.assertGreater(row["ns_per_element"], 0)
        self.assertEqual(by["actfun"]["ratio"], 1)
        text = self.ok("bench", "tanh", "--against", "libm", "--order", "1", "--elements", "1024")
        self.assertIn("1 - y^2, y = f(x)", text)
        self.assertNotIn("2/(1 + exp(-2*x)) - 1", text)  # of the value
        self.refused("bench", "softmax", "--against", "libm", says="softmax")
        self.refused("bench", "affine", "--against", "libm", says=["affine", "no formula"])
        self.refused("bench", "relu", "--order", "2", "--against", "libm", says=["relu", "order 2"])
        self.refused("bench", "elu:alpha=2", "--against", "libm", says=["elu:alpha=2", "default"])
        self.refused("bench", "gelu", "--against", "onednn", says=["onednn", "libm"])
        self.refused("bench", "gelu", "--against", "libm", "--dtype", "f16", says=["--dtype", "--against"])


class Differences(Case):
    def test_gelu_and_gelu_tanh(self):
        found = json.loads(self.ok("diff", "gelu", "gelu_tanh", "--json"))
        self.assertEqual([float(gap["x"]) for gap in found["gaps"]], [-2.69894139, 2.69894139])
        for gap in found["gaps"]:
            self.assertAlmostEqual(abs(float(gap["difference"])), 4.73235520687e-4, delta=1e-12)
        self.assertEqual([float(x) for x in found["crossings"]], [-1.88456957, 1.88456957])
        self.assertEqual(found["limits"], {"-inf": "0", "+inf": "0"})
        self.assertIn("0.000473235521 at x = -2.69894139", self.ok("diff", "gelu", "gelu_tanh"))

    def test_steps_kinks_and_limits(self):
        def largest(*arguments):
            gap = json.loads(self.ok("diff", *arguments, "--json"))["gaps"][0]
            return abs(float(gap["difference"])), float(gap["x"])
        self.assertEqual(largest("relu", "gelu"), (0.169971207, -0.751791525))
        self.assertEqual(largest("hard_sigmoid", "hard_sigmoid:alpha=0.2"), (0.0833333333, -2.5))
        self.assertEqual(largest("hard_swish", "relu", "--order", 1), (0.5, -3))  # a limit from the right
        self.assertEqual(largest("step", "relu", "--to", 4), (3, 4))
        self.assertEqual(json.loads(self.ok("diff", "relu", "relu6", "--json"))["equal"], [["-8", "6"]])
        self.assertEqual(json.loads(self.ok("diff", "relu", "relu6", "--json"))["limits"]["+inf"], "inf")
        self.assertEqual(json.loads(self.ok("diff", "sine", "tanh", "--json"))["limits"]["+inf"], "no limit")
        self.assertEqual(json.loads(self.ok("diff", "softplus", "squareplus", "--json"))["limits"]["+inf"], "0")
        self.assertEqual(json.loads(self.ok("diff", "silu", "swish", "--json"))["gaps"], [])

    def test_formats(self):
        found = json.loads(self.ok("diff", "sigmoid", "--dtype", "f8e4m3fn", "--json"))
        self.assertEqual(found["numbers"], 161)  # 2 * 80 + 1 in [-8, 8]
        self.assertEqual(found["at_numbers"]["absolute"], {"gap": "0.0312093734", "x": "0.125", "result": "0.5",
                                                           "truth": "0.531209373"})
        self.assertIn("different results", self.ok("diff", "relu", "--dtype", "bf16", "--order", "1", "--from=-1", "--to", "1"))

    def test_pictures(self):
        for arguments in (["gelu", "relu"], ["gelu", "--dtype", "f16"], ["step", "relu", "--order", "1"]):
            path = self.dir / "diff.svg"
            self.ok("diff", *arguments, "-o", path)
            xml.parse(path)

    def test_refused(self):
        self.refused("diff", "gelu", says=["gelu", "--dtype"])
        self.refused("diff", "gelu", "gellu", says="gellu")
        self.refused("diff", "gelu", "relu", "tanh", says="tanh")
        self.refused("diff", "gelu", "relu", "--dtype", "f16", says="relu")
        self.refused("diff", "gelu", "--dtype", "f32", says="--dtype")
        self.refused("diff", "gelu", "softmax", says="softmax")
        self.refused("diff", "gelu", "relu", "--from", "3", "--to", "-3", says="3:-3")
        self.refused("diff", "gelu", "relu", "--order", "3", says="--order")
        self.refused("diff", "gelu", "relu", "-o", self.dir / "diff.txt", says="diff.txt")


class Errors(Case):
    def test_right_results_are_within_half_a_unit(self):
        for name in ["identity", "gelu", "tanh", "sine", "exp", "hard_swish"]:
            for order in range(3):
                for table in json.loads(self.ok("error", name, "--dtype", "all", "--order", order, "--inputs", 16,
                                                "--json"))["formats"]:
                    errors = [abs(float(row[sign]["error"])) for row in table["rows"] for sign in ("negative", "positive")]
                    errors += [abs(float(special["error"])) for special in table["special"]]
                    self.assertLessEqual(max(errors), 0.5, (name, order, table["dtype"]))
                    self.assertEqual(max(errors), abs(float(table["worst"]["error"])))

    def test_inputs(self):
        found = json.loads(self.ok("error", "gelu", "--dtype", "f16,f8e4m3fn", "--json"))["formats"]
        self.assertEqual([(t["dtype"], t["inputs"], t["complete"]) for t in found], [("f16", 63490, True), ("f8e4m3fn", 254, True)])
        self.assertIn("all there are", self.ok("error", "gelu", "--dtype", "f8e5m2"))
        self.ok("error", "relu", "--dtype", "f8e5m2,f8e4m3fn", "-o", self.dir / "error.svg")
        xml.parse(self.dir / "error.svg")

    def test_refused(self):
        self.refused("error", "softmax", says="softmax")
        self.refused("error", "gelu", "--dtype", "f8", says="--dtype")
        self.refused("error", "gelu", "--inputs", "0", says="--inputs")
        self.refused("error", "gelu", "-o", self.dir / "error.txt", says="error.txt")


class NaiveFormulas(Case):
    def test_gelu(self):
        erf, erfc, slope = json.loads(self.ok("naive", "gelu", "--json"))["formulas"]
        self.assertEqual(float(erf["relative"]["error"]), 1)
        self.assertAlmostEqual(float(erf["vanishes"][0][1]), -5.55, delta=0.02)
        self.assertEqual(erf["limits"], {"-inf": ["nan", "-0"]})
        self.assertLess(float(erfc["relative"]["error"]), 2e-5)
        self.assertEqual(slope["limits"]["+inf"], ["nan", "1"])

    def test_all(self):
        for name in set(names()) - AXIS:
            for formula in json.loads(self.ok("naive", name, "--json"))["formulas"]:
                self.assertLess(float(formula["wrong_percent"]), 100.1)
        self.assertIn("no other way", self.ok("naive", "identity"))
        self.refused("naive", "softmax", says="softmax")
        self.refused("naive", "elu:alpha=0.5", says="elu:alpha=0.5")


if __name__ == "__main__":
    unittest.main()
