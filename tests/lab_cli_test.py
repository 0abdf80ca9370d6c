#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun lab` from outside: what it trains, what it writes, what it refuses, and that nothing finished is lost."""
import array
import gzip
import html.parser
import json
import math
import os
import pathlib
import re
import signal
import struct
import subprocess
import tempfile
import time
import unittest

ACTFUN = os.path.abspath(os.environ["ACTFUN"])
ROOT = pathlib.Path(__file__).resolve().parent.parent
QUICK = ["--seeds", 1, "--epochs", 2, "--width", 8]


def run(*arguments, **options):
    return subprocess.run([ACTFUN, "lab", *map(str, arguments)], capture_output=True, text=True, **options)


def npy(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {tuple(shape)}, }}\n".encode()
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)
    return path


def blobs(samples=60):
    """Two classes of points that a line parts."""
    features = [[math.sin(i), math.cos(3 * i) + 3 * (i % 2)] for i in range(samples)]
    return features, [i % 2 for i in range(samples)]


def without_times(record):
    return {key: value for key, value in record.items() if key != "seconds"}


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.pictures, self.outside = [], 0, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.pictures += tag == "svg"
        if tag not in ("meta", "link", "br", "img", "path", "use", "rect", "circle", "feflood", "fecomposite"):
            self.open.append(tag)
        self.outside += [value for name, value in attributes
                         if name in ("src", "href") and value and not value.startswith(("#", "data:"))]

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if tag in self.open:
            assert self.open.pop() == tag, tag


class Case(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.dir = pathlib.Path(directory.name)
        self.out = self.dir / "out"

    def ok(self, *arguments, **options):
        result = run(*arguments, "-o", self.out, **options)
        self.assertEqual(result.returncode, 0, f"{arguments}: {result.stderr}")
        self.assertEqual(result.stderr, "")
        return result.stdout

    def refused(self, *arguments, says, **options):
        before = sorted(self.dir.rglob("*"))
        result = run(*arguments, *QUICK, "-o", self.out, **options)
        self.assertEqual(result.returncode, 2, f"{arguments}: {result.stdout}")
        self.assertTrue(result.stderr.startswith("actfun: "), result.stderr)
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, result.stderr)
        self.assertEqual(sorted(self.dir.rglob("*")), before, "left a file behind")

    def records(self):
        return [json.loads(line) for line in (self.out / "runs.jsonl").read_text().splitlines()]

    def blob_files(self):
        features, labels = blobs()
        flat = [x for row in features for x in row]
        data = npy(self.dir / "x.npy", "<f4", (60, 2), array.array("f", flat).tobytes())
        return data, npy(self.dir / "y.npy", "<i8", (60,), array.array("q", labels).tobytes())


class Training(Case):
    def test_the_digits(self):
        table = self.ok("relu", "tanh", "--seeds", 2, "--epochs", 8)
        rows = table.splitlines()
        self.assertEqual(rows[0].split()[:3], ["network", "runs", "diverged"])
        self.assertEqual([row.split()[0] for row in rows[1:3]], ["relu", "tanh"])
        records = self.records()
        self.assertEqual(len(records), 4)
        for record in records:
            self.assertEqual(record["outcome"], "finished")
            self.assertGreater(record["test"]["accuracy"][-1], 0.9)
            self.assertLess(record["train"]["loss"][-1], 0.5)
            self.assertEqual(len(record["layers"]), 2)
            for layer in record["layers"]:
                for key in ("gradient", "signal", "dead", "saturated", "mean", "spread"):
                    self.assertEqual(len(layer[key]), 9, key)
        text = (self.out / "report.html").read_text()
        page = Page(text)
        self.assertEqual(page.open, [])
        self.assertEqual(page.outside, [], "needs a network")
        self.assertGreaterEqual(page.pictures, 4)
        for word in ("relu", "tanh", "training loss", "dead units", "saturated", "gradient"):
            self.assertIn(word, text)

    def test_networks_of_every_kind(self):
        self.ok("tanh/relu/maxout:k=3", "swish", "--depth", 1, "--share", "element", "--optimiser", "sgd,adam", "--rate", "0.01,0.1",
                "--initialiser", "glorot,lecun", *QUICK)
        self.assertEqual(len(self.records()), 2 * 2 * 2 * 2)
        self.assertEqual({tuple(record["settings"]["functions"]) for record in self.records()},
                         {("tanh", "relu", "maxout:k=3"), ("swish",)})
        for record in self.records():
            if record["settings"]["functions"] == ["swish"]:
                beta = record["layers"][0]["parameters"]["beta"]
                self.assertEqual([beta["low"][0], beta["high"][0]], [1, 1])
                self.assertLess(beta["low"][-1], beta["high"][-1])

    def test_threads_change_nothing(self):
        found = []
        for threads in (1, 2, 5):
            self.out = self.dir / str(threads)
            self.ok("gelu", "prelu", "--threads", threads, "--seeds", 3, "--epochs", 2)
            found.append(sorted((json.dumps(without_times(r)) for r in self.records())))
        self.assertEqual(found[0], found[1])
        self.assertEqual(found[0], found[2])

    def test_parameters_can_be_fixed(self):
        self.ok("prelu", "--learn", "none", *QUICK)
        self.assertNotIn("parameters", self.records()[0]["layers"][0])
        self.ok("elu", "--learn", "all", *QUICK)
        alpha = self.records()[1]["layers"][0]["parameters"]["alpha"]["mean"]
        self.assertNotEqual(alpha[0], alpha[-1])

    def test_no_hidden_layer(self):
        table = self.ok("relu", "--depth", "0", *QUICK)
        self.assertIn("none", table)
        self.assertLess(self.records()[0]["nonlinearity"], 1e-5)

    def test_divergence_is_reported_and_kept(self):
        table = self.ok("relu_squared", "--rate", "1000", "--depth", 3, "--seeds", 1, "--epochs", 5)
        self.assertEqual(table.splitlines()[1].split()[:3], ["relu_squared", "1", "1"])
        record, = self.records()
        self.assertEqual(record["outcome"], "diverged")
        self.assertNotIn("NaN", (self.out / "runs.jsonl").read_text())

    def test_dump(self):
        self.ok("relu", "--dump", self.dir / "dump", *QUICK)
        first, second = sorted((self.dir / "dump" / "relu-1").iterdir())
        self.assertEqual([first.name, second.name], ["layer1.npy", "layer2.npy"])
        content = second.read_bytes()
        self.assertIn(b"'shape': (1438, 8)", content)
        z = array.array("f", content[128:])
        self.assertEqual(len(z), 1438 * 8)
        mean = sum(max(x, 0) for x in z) / len(z)
        self.assertAlmostEqual(mean, self.records()[0]["layers"][1]["mean"][-1], delta=1e-4 * mean)


class Resuming(Case):
    def test_nothing_is_done_twice(self):
        self.ok("relu", *QUICK)
        before = (self.out / "runs.jsonl").read_text()
        page = (self.out / "report.html").read_text()
        self.ok("relu", *QUICK)
        self.assertEqual((self.out / "runs.jsonl").read_text(), before)
        self.assertEqual((self.out / "report.html").read_text(), page)
        self.ok("relu", "tanh", *QUICK)
        self.assertTrue((self.out / "runs.jsonl").read_text().startswith(before))
        self.assertEqual(len(self.records()), 2)
        self.ok("relu", *QUICK, "--batch", 64)  # another setting is another run
        self.assertEqual(len(self.records()), 3)

    def test_interrupted(self):
        arguments = ["relu", "--depth", 2, "--width", 32, "--seeds", 12, "--epochs", 10, "--threads", 2]
        for ending in (signal.SIGINT, signal.SIGKILL):
            self.out = self.dir / ending.name
            process = subprocess.Popen([ACTFUN, "lab", *map(str, arguments), "-o", self.out], stdout=subprocess.DEVNULL)
            file = self.out / "runs.jsonl"
            deadline = time.monotonic() + 60
            while not (file.exists() and file.read_text().count("\n") >= 2) and time.monotonic() < deadline:
                time.sleep(0.005)
            process.send_signal(ending)
            process.wait()
            kept = [json.loads(line) for line in file.read_text().split("\n")[:-1]]
            self.assertGreaterEqual(len(kept), 2)
            self.assertLess(len(kept), 12, "was too fast to be interrupted")
            self.assertFalse((self.out / "report.html").exists())
            if ending == signal.SIGINT:
                self.assertEqual([p.name for p in self.out.iterdir()], ["runs.jsonl"])
            self.ok(*arguments)
            records = self.records()
            self.assertEqual(len(records), 12)
            self.assertEqual([r for r in records if r in kept], kept, "times too: the finished ones were not done again")
            self.assertEqual(len({r["settings"]["seed"] for r in records}), 12)

    def test_a_cut_line(self):
        self.ok("relu", *QUICK)
        whole = (self.out / "runs.jsonl").read_text()
        (self.out / "runs.jsonl").write_text(whole + whole[:200])
        self.ok("tanh", *QUICK)
        self.assertEqual(len(self.records()), 2)

    def test_a_file_of_something_else(self):
        self.out.mkdir()
        (self.out / "runs.jsonl").write_text("dear diary\n")
        self.refused("relu", says=["runs.jsonl", "line 1"])
        self.assertEqual((self.out / "runs.jsonl").read_text(), "dear diary\n")

    def test_two_at_once(self):
        self.out.mkdir()
        process = subprocess.Popen([ACTFUN, "lab", "relu", "--seeds", "200", "--epochs", "20", "-o", self.out])
        while not (self.out / "runs.jsonl").exists() or not (self.out / "runs.jsonl").read_text():
            time.sleep(0.01)
        result = run("tanh", *QUICK, "-o", self.out)
        process.kill()
        process.wait()
        self.assertEqual(result.returncode, 2)
        self.assertIn("in use", result.stderr)


class DataFiles(Case):
    def test_formats_agree(self):
        data, labels = self.blob_files()
        features, classes = blobs()
        floats = array.array("f", [x for row in features for x in row])
        csv = self.dir / "d.csv"
        csv.write_text("a,b,class\n" + "".join(f"{floats[2 * i]!r},{floats[2 * i + 1]!r},{c}\n" for i, c in enumerate(classes)))
        swapped = array.array("f", floats)
        swapped.byteswap()
        idx, idx_labels = self.dir / "x.idx.gz", self.dir / "y.idx"
        idx.write_bytes(gzip.compress(b"\0\0\x0d\x03" + struct.pack(">III", 60, 2, 1) + swapped.tobytes()))
        idx_labels.write_bytes(b"\0\0\x08\x01" + struct.pack(">I", 60) + bytes(classes))
        curves = []
        for arguments in ([data, "--labels", labels], [csv], [idx, "--labels", idx_labels]):
            self.ok("tanh", "--data", *arguments, *QUICK)
            curves.append(self.records()[-1]["train"])
        self.assertEqual(curves[0], curves[1])
        self.assertEqual(curves[0], curves[2])
        self.assertEqual(len({r["settings"]["hash"] for r in self.records()}), 1)

    def test_a_test_of_its_own(self):
        data, labels = self.blob_files()
        self.ok("tanh", "--data", data, "--labels", labels, "--test", data, "--test-labels", labels, "--rate", 0.5, *QUICK)
        record, = self.records()
        self.assertEqual(record["train"], record["test"], "the same samples")

    def test_bad_data(self):
        data, labels = self.blob_files()
        bad = lambda name, content: (self.dir / name).write_bytes(content) and self.dir / name
        nan = npy(self.dir / "nan.npy", "<f4", (60, 2), array.array("f", [math.nan] + [0] * 119).tobytes())
        self.refused("relu", "--data", nan, "--labels", labels, says=["nan.npy", "feature 0 of sample 0 is nan"])
        short = npy(self.dir / "short.npy", "<f4", (60, 2), bytes(100))
        self.refused("relu", "--data", short, "--labels", labels, says=["short.npy", "truncated"])
        few = npy(self.dir / "few.npy", "|u1", (59,), bytes(59))
        self.refused("relu", "--data", data, "--labels", few, says=["60 samples", "59 labels"])
        large = npy(self.dir / "large.npy", "<i4", (60,), array.array("i", [0, 1] * 29 + [1, -5]).tobytes())
        self.refused("relu", "--data", data, "--labels", large, says=["large.npy", "label -5 of sample 59", "out of range"])
        self.refused("relu", "--data", data, "--labels", labels, "--classes", 1, says="classes")
        (self.dir / "empty.csv").write_bytes(b"")
        self.refused("relu", "--data", self.dir / "empty.csv", says=["empty.csv", "empty"])
        whole = gzip.compress(bytes(5000))
        self.refused("relu", "--data", bad("cut.csv.gz", whole[:-5]), says=["cut.csv.gz", "truncated"])
        self.refused("relu", "--data", bad("text.csv", b"1,2\n3,four\n"), says=["line 2", "'four'"])
        self.refused("relu", "--data", bad("x.bin", b"what is this"), says=["x.bin", ".csv"])
        self.refused("relu", "--data", self.dir / "none.npy", "--labels", labels, says=["none.npy", "No such file"])
        self.refused("relu", "--data", self.dir, says="regular file")
        self.refused("relu", "--labels", labels, says="--data")
        self.refused("relu", "--data", data, "--labels", labels, "--test-share", 0, says="share")
        self.refused("relu", "--data", data, "--labels", labels, "--test-share", "nan", says="share")


class Usage(Case):
    def test_bad_options(self):
        self.refused(says="FUNCTION")
        self.refused("rellu", says=["rellu", "relu"])
        self.refused("softmax", says="softmax")
        self.refused("relu//tanh", says="''")
        self.refused("step", says=["step", "gradient"])
        self.refused("elu:alpha=x", says="alpha")
        for option, value in (("--depth", -1), ("--rate", 0), ("--rate", "nan"), ("--rate", "inf"), ("--momentum", 1), ("--momentum", "nan"), ("--batch", 0),
                              ("--optimiser", "sdg"), ("--initialiser", "xavier"), ("--share", 0), ("--share", "unit"), ("--learn", "some"),
                              ("--threads", 0)):
            self.refused("relu", option, value, says=option)
        for option in ("--seeds", "--epochs", "--width"):
            result = run("relu", option, -1, "-o", self.out)
            self.assertEqual((result.returncode, result.stdout), (2, ""), option)
            self.assertIn(option, result.stderr)
        self.refused("prelu", "--share", 3, says=["8 units", "3"])

    def test_bad_places(self):
        (self.dir / "file").write_text("")
        self.out = self.dir / "file"
        self.refused("relu", says="file")
        self.out = pathlib.Path("/dev/full")
        self.refused("relu", says="/dev/full")

    def test_gains_are_listed(self):
        """Against an integral of the printed formula, by another rule."""
        def show(name):
            return subprocess.run([ACTFUN, "show", name], capture_output=True, text=True, check=True).stdout
        def integral(f):
            step = 1 / 4096
            points = (i * step + step / 2 for i in range(round(-12 / step), round(12 / step)))
            return sum(f(x) ** 2 * math.exp(-x * x / 2) for x in points) * step / math.sqrt(2 * math.pi)
        sigmoid = lambda x: 1 / (1 + math.exp(-x))
        cases = {"relu": (lambda x: max(x, 0), lambda x: x > 0), "tanh": (math.tanh, lambda x: 1 - math.tanh(x) ** 2),
                 "leaky_relu@keras": (lambda x: max(x, 0.3 * x), lambda x: 1 if x > 0 else 0.3),
                 "silu": (lambda x: x * sigmoid(x), lambda x: sigmoid(x) * (1 + x * sigmoid(-x))),
                 "elu:alpha=0.5": (lambda x: x if x > 0 else 0.5 * math.expm1(x), lambda x: 1 if x > 0 else 0.5 * math.exp(x))}
        for name, (value, slope) in cases.items():
            line = re.search(r"^gain +(\S+) .*E\[f\^2\] = (\S+), E\[f'\^2\] = (\S+) ", show(name), re.M)
            gain, of_value, of_slope = map(float, line.groups())
            self.assertAlmostEqual(of_value, integral(value), delta=2e-7, msg=name)
            self.assertAlmostEqual(of_slope, integral(slope), delta=2e-7, msg=name)
            self.assertAlmostEqual(gain, of_slope ** -0.5, delta=1e-7, msg=name)
        self.assertRegex(show("step"), r"(?m)^gain +none")
        self.assertNotRegex(show("softmax"), r"(?m)^gain")


class Claims(Case):
    """docs/claims.md and its pictures are what the committed runs say."""

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.fresh = pathlib.Path(directory.name)
        (cls.fresh / "claims").mkdir()
        cls.runs = (ROOT / "docs" / "claims" / "runs.jsonl").read_text()
        (cls.fresh / "claims" / "runs.jsonl").write_text(cls.runs)
        cls.result = run("--claims", "-o", cls.fresh)

    def test_page(self):
        self.assertEqual(self.result.returncode, 0, self.result.stderr)
        self.assertEqual((self.fresh / "claims" / "runs.jsonl").read_text(), self.runs, "runs are missing: actfun lab --claims")
        self.assertEqual((self.fresh / "claims.md").read_text(), (ROOT / "docs" / "claims.md").read_text(),
                         "docs/claims.md is stale: run actfun lab --claims")

    def test_pictures(self):
        drawn_by = lambda text: re.search(r"GNUPLOT [^<\n]*", text, re.I)[0]
        fresh = {path.name: path.read_text() for path in (self.fresh / "claims").glob("*.svg")}
        self.assertEqual(sorted(fresh), sorted(path.name for path in (ROOT / "docs" / "claims").glob("*.svg")))
        for name, text in fresh.items():
            committed = (ROOT / "docs" / "claims" / name).read_text()
            if drawn_by(committed) == drawn_by(text):
                self.assertEqual(text, committed, f"docs/claims/{name} is stale: run actfun lab --claims")
            self.assertIn(f"claims/{name}", (self.fresh / "claims.md").read_text())
            self.assertLess(len(text), 65_000, name)

    def test_at_least_five_seeds(self):
        seeds = {}
        for line in self.runs.splitlines():
            settings = json.loads(line)["settings"]
            seeds.setdefault(json.dumps({**settings, "seed": 0}), set()).add(settings["seed"])
        self.assertEqual({len(found) for found in seeds.values()}, {5})

    def test_the_runs_are_this_programs(self):
        """One of them anew. Another compiler may round otherwise: the first epochs agree nearly."""
        old = next(r for r in map(json.loads, self.runs.splitlines())
                   if r["settings"].get("functions") == ["tanh"] * 3 and r["settings"]["rate"] == 0.03 and r["settings"]["seed"] == 1)
        self.ok("tanh", "--depth", 3, "--rate", 0.03, "--epochs", 4, "--seeds", 1)
        for new, committed in zip(self.records()[0]["train"]["loss"], old["train"]["loss"]):
            self.assertAlmostEqual(new, committed, delta=1e-3 * committed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
