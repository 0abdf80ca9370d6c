#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun health` from outside: every kind of file, every way to misuse it. ACTFUN is the path of the binary."""
import array
import gzip
import io
import json
import math
import os
import pathlib
import random
import struct
import subprocess
import tempfile
import unittest
import zipfile

ACTFUN = os.path.abspath(os.environ.get("ACTFUN", "actfun"))
CODES = {"<f4": "f", "<f8": "d"}


def run(*arguments):
    return subprocess.run([ACTFUN, "health", *map(str, arguments)], capture_output=True, text=True)


def npy(shape, values, descr="<f4", fortran=False):
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {tuple(shape)}, }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    data = values if isinstance(values, bytes) else array.array(CODES[descr], values).tobytes()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode() + data


def npz(entries, method=zipfile.ZIP_DEFLATED):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in entries.items():
            with archive.open(name, "w", force_zip64=True) as entry:  # as NumPy writes them
                entry.write(content)
    return buffer.getvalue()


def safetensors(tensors, header=None):
    table, data = {}, b""
    for name, (dtype, shape, content) in tensors.items():
        table[name] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(table if header is None else header).encode()
    return struct.pack("<Q", len(text)) + text + data


def normal(count, spread=1.0, seed=1):
    generator = random.Random(seed)
    return [struct.unpack("<f", struct.pack("<f", generator.gauss(0, spread)))[0] for _ in range(count)]


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)

    def file(self, name, content):
        path = self.dir / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        return path

    def report(self, *arguments):
        result = run(*arguments, "--json")
        self.assertEqual((result.returncode, result.stderr), (0, ""), arguments)
        return {layer["name"]: layer for layer in json.loads(result.stdout)["layers"]}

    def refused(self, *arguments, says, code=2):
        result = run(*arguments)
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout}{result.stderr}")
        for part in says if isinstance(says, (list, tuple)) else [says]:
            self.assertIn(part, result.stderr, arguments)
        self.assertTrue(result.stderr.startswith("actfun: "))
        return result


class Statistics(Case):
    def test_known_answers(self):
        x = [-1, 2, math.nan, -3, 4, 1, -2, -0.5, math.inf, -4, 1e-41, 70000]
        layer = self.report(self.file("fc.npy", npy((4, 3), x)), "-f", "relu")["fc"]
        first, second, third = layer["channels"]
        self.assertEqual([first["dead"], second["dead"], third["dead"]], [True, False, False])
        self.assertEqual((layer["dead"], layer["units"], layer["elements"]), (1, 3, 12))
        self.assertEqual((layer["nan"], layer["inf"], layer["plus_inf"], layer["subnormal"]), (1, 1, 1, 1))
        self.assertEqual((first["saturated"], first["inactive"], first["nan"]), (4, 4, 0))
        self.assertEqual(first["mean"], (-1 - 3 - 2 - 4) / 4)
        self.assertAlmostEqual(first["spread"], math.sqrt((1 + 9 + 4 + 16) / 4 - 2.5**2), 12)
        self.assertEqual((first["f_mean"], first["gain"]), (0, 0))
        self.assertEqual(second["f_mean"], (2 + 4 + 0 + 0) / 4)
        self.assertEqual(second["gain"], 3 / 4)
        self.assertEqual((layer["f16"]["overflow"], layer["f16"]["underflow"], layer["bf16"]["overflow"]), (1, 1, 0))
        self.assertEqual(third["largest"], 70000)
        self.assertAlmostEqual(third["f16"]["headroom_binades"], math.log2(65504 / 70000), 9)
        self.assertEqual(sum(layer["histogram"]["counts"]), 10)
        self.assertEqual(len(layer["histogram"]["counts"]), len(layer["histogram"]["edges"]) + 1)
        self.assertEqual(layer["verdict"], "sick")
        self.assertEqual([f["name"] for f in layer["findings"]][:2], ["NaN", "infinite"])

    def test_smooth_functions(self):
        x = normal(5000)
        layer = self.report(self.file("z.npy", npy((500, 10), x)), "-f", "tanh", "--tolerance", "0.05")["z"]
        slopes = [1 - math.tanh(v) ** 2 for v in x]
        self.assertAlmostEqual(layer["gain"], sum(s * s for s in slopes) / len(x), 6)
        self.assertAlmostEqual(layer["f_mean"], sum(map(math.tanh, x)) / len(x), 6)
        self.assertEqual(layer["saturated"], sum(s < 0.05 for s in slopes))
        self.assertEqual(layer["tolerance"], 0.05)

    def test_quick_and_exact_agree(self):
        x = array.array("f", normal(50000)).tobytes() * 22  # more elements than what is exact by itself
        path = self.file("z.npy", npy((11000, 100), x))
        quick, exact = self.report(path, "-f", "gelu")["z"], self.report(path, "-f", "gelu", "--exact")["z"]
        self.assertGreater(quick["gain_error"], 0)
        self.assertEqual(exact["gain_error"], 0)
        self.assertLess(abs(quick["gain"] - exact["gain"]), quick["gain_error"] + 1e-6)
        self.assertLess(abs(quick["f_mean"] - exact["f_mean"]), quick["f_error"] + 1e-6)
        for count in ("saturated", "nan", "inf", "zero", "inactive", "subnormal"):
            self.assertEqual(quick[count], exact[count])
        self.assertEqual(self.report(path, "-f", "gelu", "--threads", 1), self.report(path, "-f", "gelu", "--threads", 3))

    def test_verdicts(self):
        def verdict(values, *arguments):
            layer = self.report(self.file("z.npy", npy((len(values) // 10, 10), values)), *arguments)["z"]
            return layer["verdict"], [f["name"] for f in layer["findings"]]
        self.assertEqual(verdict(normal(2000), "-f", "gelu"), ("healthy", []))
        self.assertEqual(verdict([abs(v) * (-1 if i % 10 < 6 else 1) for i, v in enumerate(normal(2000))], "-f", "relu"),
                         ("sick", ["dead units"]))
        self.assertEqual(verdict(normal(2000, 20), "-f", "tanh"), ("sick", ["saturated", "small gain"]))
        self.assertEqual(verdict(normal(2000, 1e5), "-f", "relu")[1][0], "exploding")
        self.assertEqual(verdict(normal(2000, 1e-8), "-f", "gelu"), ("sick", ["vanishing", "too small for f16"]))
        self.assertEqual(verdict([i % 10 + 1 for i in range(100)], "-f", "gelu")[1], ["constant units"])
        self.assertEqual(verdict([0.0 if i % 10 < 2 else 1.0 + i for i in range(100)], "--activations"),
                         ("warning", ["dead units"]))

    def test_text_and_page(self):
        path = self.file("a&b.npy", npy((500, 4), normal(2000)))
        result = run(path, "-f", "gelu", "--html", self.dir / "page.html", "--speed")
        self.assertEqual(result.returncode, 0, result.stderr)
        for part in ("a&b", "gelu", "healthy", "worst units", "E[f'^2]", "a copy in memory"):
            self.assertIn(part, result.stdout)
        page = (self.dir / "page.html").read_text()
        self.assertIn("<svg", page)
        self.assertIn("a&amp;b", page)
        self.assertNotIn("http", page.replace("http://www.w3.org", ""))


class Files(Case):
    def test_kinds_of_files(self):
        values = normal(60)
        plain = array.array("f", values).tobytes()
        expected = self.report(self.file("x.npy", npy((20, 3), values)), "-f", "gelu")["x"]
        del expected["name"]

        def same(layer):
            del layer["name"]
            self.assertEqual(layer, expected)
        for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            both = self.report(self.file("x.npz", npz({"a.npy": npy((20, 3), values), "b.npy": npy((20, 3), values)}, method)),
                               "-f", "gelu")
            self.assertEqual(list(both), ["a", "b"])
            same(both["a"])
        same(self.report(self.file("x.npy.gz", gzip.compress(npy((20, 3), values))), "-f", "gelu")["x"])
        same(self.report(self.file("x.safetensors", safetensors({"x": ("F32", [20, 3], plain)})), "-f", "gelu")["x"])
        same(self.report(self.file("x.bin", plain), "-f", "gelu", "--dtype", "f32", "--shape=-1,3")["x"])
        columns = [values[row * 3 + column] for column in range(3) for row in range(20)]
        same(self.report(self.file("f.npy", npy((20, 3), columns, fortran=True)), "-f", "gelu")["f"])
        same(self.report(self.file("t.npy", npy((3, 20), columns)), "-f", "gelu", "--axis", "0")["t"])
        same(self.report(self.file("n.npy", npy((1, 3, 4, 5), columns)), "-f", "gelu", "--axis", "n=-3")["n"])
        one = self.report(self.file("one.npy", npy((60,), values)), "-f", "gelu")["one"]
        self.assertEqual((one["units"], one["mean"]), (1, expected["mean"]))
        self.assertEqual(self.report(self.dir / "x.npy", "-f", "gelu", "--axis", "none")["x"]["units"], 1)

    def test_formats(self):
        numbers = [1.0, -2.0, 0.5, 0.0, 2.0**-14, -(2.0**-10)]
        coded = {
            "F64": struct.pack("<6d", *numbers),
            "F32": struct.pack("<6f", *numbers),
            "F16": struct.pack("<6e", *numbers),
            "BF16": b"".join(struct.pack("<f", v)[2:] for v in numbers),
            "F8_E5M2": b"".join(struct.pack("<e", v)[1:] for v in numbers),
        }
        layers = self.report(
            self.file("all.safetensors", safetensors({k: (k, [3, 2], v) for k, v in coded.items()})), "-f", "relu")
        for name in coded:
            self.assertEqual(layers[name]["mean"], sum(numbers) / 6, name)
            self.assertEqual(layers[name]["gain"], 3 / 6, name)
        e4m3 = self.report(self.file("e.safetensors", safetensors({"e": ("F8_E4M3", [3], b"\x38\x01\x7f")})), "--activations")["e"]
        self.assertEqual((e4m3["nan"], e4m3["subnormal"], e4m3["largest"]), (1, 1, 1))
        raw = self.report(self.file("b.npy", npy((3, 2), coded["BF16"], "<u2")), "-f", "relu", "--dtype", "bf16")["b"]
        self.assertEqual(raw["mean"], sum(numbers) / 6)

    def test_layers_and_batches(self):
        first, second = normal(30, seed=1), normal(60, seed=2)
        for step, values in (("1", first), ("2", second)):
            self.file(f"step{step}/fc.npy", npy((len(values) // 3, 3), values))
            self.file(f"step{step}/out.npy", npy((len(values) // 3, 3), values))
        layers = self.report(self.dir / "step1", self.dir / "step2", "-f", "relu", "-f", "o*=tanh")
        self.assertEqual({k: (v["function"], v["batches"], v["elements"]) for k, v in layers.items()},
                         {"fc": ("relu", 2, 90), "out": ("tanh", 2, 90)})
        self.assertAlmostEqual(layers["fc"]["mean"], sum(first + second) / 90, 12)
        named = self.report(f"fc={self.dir}/step1/out.npy", f"fc={self.dir}/step2/fc.npy", "-f", "relu")
        self.assertEqual(named["fc"], layers["fc"])


class States(Case):
    def test_merge(self):
        values = normal(900)
        parts = [self.file(f"{i}/fc.npy", npy((100, 3), values[300 * i:300 * (i + 1)])) for i in range(3)]
        whole = self.report(*parts, "-f", "silu")
        for i, part in enumerate(parts):
            run(part, "-f", "silu", "--state", self.dir / f"{i}.json")
        states = [self.dir / f"{i}.json" for i in range(3)]
        for order in (states, states[::-1]):
            self.assertEqual(run("merge", *order, "-o", self.dir / "all.json").returncode, 0)
            self.assertEqual(self.report("--state", self.dir / "all.json"), whole)
        run("merge", states[0], states[1], "-o", states[0])
        self.assertEqual(self.report("--state", states[0], parts[2]), whole)  # adds to what is known
        self.assertEqual(self.report("--state", states[0]), whole)  # and has written it

    def test_dead_needs_all_data(self):
        a = self.file("a/z.npy", npy((2, 2), [-1, -1, -1, 2]))
        b = self.file("b/z.npy", npy((1, 2), [1, -1]))
        self.assertEqual(self.report(a, "-f", "relu")["z"]["dead"], 1)
        self.assertEqual(self.report(a, b, "-f", "relu")["z"]["dead"], 0)

    def test_refusals(self):
        a, b = self.dir / "a.json", self.dir / "b.json"
        run(self.file("z.npy", npy((2, 2), [1, 2, 3, 4])), "-f", "relu", "--state", a)
        run(self.file("z.npy", npy((2, 3), [1, 2, 3, 4, 5, 6])), "-f", "relu", "--state", b)
        self.refused("merge", a, b, "-o", self.dir / "c.json", says=["layer 'z'", "channels: 2 and 3"])
        self.assertFalse((self.dir / "c.json").exists())
        before = a.read_bytes()
        self.refused(self.dir / "z.npy", "-f", "relu", "--state", a, says="it has 3 channels")
        self.refused("--state", a, self.file("z.npy", npy((2, 2), [1, 2, 3, 4])), "-f", "gelu", says="function relu, not gelu")
        self.assertEqual(a.read_bytes(), before)
        self.refused("--state", self.dir / "none.json", says="No such file")
        self.refused("merge", self.file("bad.json", b"{"), "-o", a, says="no JSON")
        self.refused("merge", self.file("bad.json", b"[1]"), "-o", a, says="not a state")
        state = json.loads(before)
        for change in ({"channels": 3}, {"elements": [1, -2]}, {"elements": [0, 0]}, {"format": "f33"}, {"function": "softmax"},
                       {"function": "rellu"}, {"sums": {}}, {"sums": {"x": ["1_zz", "0"]}}, {"channels": 10**9}, {"name": 7}):
            state["layers"][0] = {**json.loads(before)["layers"][0], **change}
            if "elements" in change and change["elements"] == [0, 0]:
                state["layers"][0]["counts"] = {"nan": [1, 1]}
            self.refused("--state", self.file("bad.json", json.dumps(state).encode()), says="cannot read")


class Limits(Case):
    def test_exit_status(self):
        path = self.file("z.npy", npy((4, 4), [-1, 1, 30, math.nan] * 4))
        passing = ["--max-dead", "0.25", "--max-nan", "4", "--max-inf", "0", "--max-saturated", "0.25", "--min-gain", "0.5"]
        self.assertEqual(run(path, "-f", "relu", *passing).returncode, 0)
        for option, value, says in (("--max-dead", 0.2, "share of dead units is 0.25, the limit is 0.2"),
                                    ("--max-nan", 0, "number of NaN is 4"), ("--max-saturated", 0.1, "saturated"),
                                    ("--min-gain", 0.9, "least allowed is 0.9"), ("--max-gain", 0.1, "gain"),
                                    ("--max-constant", 0, "constant")):
            self.refused(path, "-f", "relu", option, value, says=["layer 'z'", says], code=1)
        self.refused(self.file("z.npy", npy((1, 2), [math.inf, 1e5])), "-f", "relu", "--max-inf", 0, "--max-f16-overflow", 0,
                     says=["infinities is 1", "too large for f16 is 1"], code=1)
        self.refused(self.file("z.npy", npy((1, 2), [1e-40, 1])), "-f", "relu", "--max-subnormal", 0.4, says="subnormal", code=1)


class BadInput(Case):
    def test_usage(self):
        path = self.file("z.npy", npy((2, 2), [1, 2, 3, 4]))
        self.refused(says="nothing to check")
        self.refused(path, says=["layer 'z' has no function", "--activations"])
        self.refused(path, "-f", "rellu", says="relu")
        self.refused(path, "-f", "softmax", says="rows")
        self.refused(path, "-f", "relu", "-f", "conv=gelu", says="no layer of this name")
        self.refused(path, "-f", "relu", "--activations", says="exclude each other")
        self.refused(path, "-f", "relu", "--axis", "2", says=["axis 2 does not exist", "(2, 2)"])
        self.refused(path, "-f", "relu", "--axis", "x", says="not an axis")
        self.refused(path, "-f", "relu", "--tolerance", "0", says="tolerance")
        self.refused(path, "-f", "relu", "--max-dead", "1.5", says="max-dead")
        self.refused(path, "-f", "relu", "--html", self.dir / "no" / "page.html", says="no")
        self.refused(self.dir / "none.npy", "-f", "relu", says="none.npy")
        empty = self.dir / "empty"
        empty.mkdir()
        self.refused(empty, "-f", "relu", says="holds no .npy")

    def test_tensors(self):
        def refused(name, content, says, *arguments):
            self.refused(self.file(name, content), "-f", "relu", *arguments, says=[name, *says])
        good = npy((2, 2), [1, 2, 3, 4])
        refused("x.npy", good[:-1], ["truncated"])
        refused("x.npy", npy((2, 2), [1, 2, 3, 4], ">f4".replace(">", "<")).replace(b"<f4", b">f4"), ["'>f4'", "<f4"])
        refused("x.npy", npy((2, 2), bytes(16), "<i4"), ["'<i4'"])
        refused("x.npy", npy((0, 2), []), ["no elements", "(0, 2)"])
        refused("x.npy", b"", ["--dtype and --shape"])
        refused("x.npy.gz", gzip.compress(good)[:-12], ["end early"])
        broken = bytearray(gzip.compress(good))
        broken[-6] ^= 1  # the checksum
        refused("x.npy.gz", bytes(broken), ["broken"])
        archive = npz({"a.npy": good, "b.npy": npy((0, 2), [])})
        refused("x.npz", archive, ["b.npy", "no elements"])
        refused("x.npz", archive[:-30], ["no directory"])
        refused("x.npz", npz({"readme.txt": b"hello"}), ["no tensor"])
        refused("x.npz", npz({"a.npy": b"hello"}), ["a.npy", "not a .npy file"])
        refused("x.npz", npz({"a.npy": good}, zipfile.ZIP_BZIP2), ["method 12"])
        refused("x.safetensors", struct.pack("<Q", 1 << 40) + b"{}", ["would have"])
        refused("x.safetensors", safetensors({"a": ("F32", [4], bytes(16))})[:-1], ["'a'", "truncated"])
        refused("x.safetensors", safetensors({"a": ("F32", [5], bytes(16))}), ["'a'", "does not need"])
        refused("x.safetensors", safetensors({"a": ("I64", [2], bytes(16))}), ["no tensor", "1 others"])
        refused("x.bin", bytes(10), ["no multiple"], "--dtype", "f32", "--shape=-1,3")

    def test_channels(self):
        a, b = self.file("a/z.npy", npy((2, 2), [1, 2, 3, 4])), self.file("b/z.npy", npy((2, 3), [1, 2, 3, 4, 5, 6]))
        self.refused(a, b, "-f", "relu", says=["b/z.npy", "3 channels", "layer 'z' has 2"])
        double = self.file("c/z.npy", npy((2, 2), [1, 2, 3, 4], "<f8"))
        self.refused(a, double, "-f", "relu", says=["c/z.npy", "f64", "f32"])

    def test_larger_than_memory_allows(self):
        """Memory depends on the channels: 256 MiB are read within an address space that has no room for a copy."""
        path = self.dir / "big.npy"
        with open(path, "wb") as out:
            out.write(npy((1 << 20, 64), b""))
            out.truncate(out.tell() + (1 << 28))
        result = subprocess.run(["bash", "-c", 'ulimit -v $((256 * 1024 + 200 * 1024)); exec "$@"', "bash", ACTFUN, "health",
                                 path, "-f", "relu", "--json", "--threads", "2"], capture_output=True, text=True)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(json.loads(result.stdout)["layers"][0]["dead"], 64)


class Trained(Case):
    """Networks that the lab trained, or could not: what health says of the sums that they left."""

    def findings(self, function, *options):
        lab = subprocess.run([ACTFUN, "lab", function, "--seeds", "1", *options, "--dump", self.dir / "z", "-o",
                              self.dir / "out"], capture_output=True, text=True)
        self.assertEqual(lab.returncode, 0, lab.stderr)
        files = sorted((self.dir / "z").rglob("*.npy"))
        result = run(*files, "-f", function, "--json")
        self.assertEqual(result.returncode, 0, result.stderr)
        layers = sorted(json.loads(result.stdout)["layers"], key=lambda layer: layer["name"])
        self.assertEqual(len(layers), len(files))
        return layers

    def names(self, layer):
        return [finding["name"] for finding in layer["findings"]]

    def test_healthy(self):
        for layer in self.findings("relu", "--depth", "3", "--epochs", "5"):
            self.assertEqual((layer["verdict"], self.names(layer), layer["dead"]), ("healthy", [], 0), layer["name"])

    def test_dead(self):
        layers = self.findings("relu", "--depth", "3", "--epochs", "5", "--rate", "1", "--momentum", "0.9")
        self.assertEqual(layers[-1]["verdict"], "sick")
        self.assertIn("dead units", self.names(layers[-1]))
        self.assertGreater(layers[-1]["dead"], 32)

    def test_saturated(self):
        for layer in self.findings("sigmoid", "--depth", "3", "--epochs", "5", "--rate", "20"):
            self.assertIn("saturated", self.names(layer), layer["name"])

    def test_exploding(self):
        """Squares of squares: each layer's sums are the square of those before it."""
        layers = self.findings("relu_squared", "--depth", "4", "--epochs", "0")
        self.assertEqual([layer["verdict"] for layer in layers], ["healthy", "warning", "warning", "sick"])
        self.assertIn("exploding", self.names(layers[-1]))

    def test_diverged(self):
        for layer in self.findings("identity", "--depth", "6", "--epochs", "3", "--rate", "0.5"):
            self.assertEqual((layer["verdict"], self.names(layer)), ("sick", ["NaN"]), layer["name"])


if __name__ == "__main__":
    unittest.main()
