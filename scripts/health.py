#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures `actfun health` and writes what it finds between the marks in docs/health.md.

    scripts/health.py --actfun build/release/tool/actfun
"""
import argparse
import array
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "health.md"
BEGIN, END = "<!-- measured by scripts/health.py -->\n", "<!-- end of what was measured -->\n"
ROUNDS = 7


def write_npy(path, channels, elements, spread=1.0):
    """Normal numbers, a block of 2^18 over and over."""
    generator = random.Random(1)
    block = array.array("f", (generator.gauss(0, spread) for _ in range(1 << 18))).tobytes()
    text = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({elements // channels}, {channels}), }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
        for _ in range(elements >> 18):
            out.write(block)


def speed(actfun, path, arguments, threads, target):
    """Of the best round, in nanoseconds of the processor for a byte: all of it, reading the file alone, a copy."""
    best = None
    for _ in range(ROUNDS):
        out = subprocess.run([actfun, "health", path, *arguments, "--threads", str(threads), "--speed"], check=True,
                             capture_output=True, text=True, env={**os.environ, "ACTFUN_TARGET": target}).stdout
        numbers = [float(n) for n in re.search(r"([\d.]+) ns a byte, of which reading ([\d.]+) ns; a copy in memory, as many "
                                               r"threads: ([\d.]+) ns", out).groups()]
        best = numbers if best is None else [min(pair) for pair in zip(best, numbers)]
    return best


def file_copy(path, directory):
    """The same of a copy of the file, read and written through the page cache."""
    best = float("inf")
    for _ in range(ROUNDS):
        before = os.times()
        with open(path, "rb") as source, open(directory / "copy", "wb") as goal:
            while block := source.read(1 << 20):
                goal.write(block)
        after = os.times()
        best = min(best, after.user + after.system - before.user - before.system)
        os.remove(directory / "copy")
    return best / path.stat().st_size * 1e9


def accuracy(actfun, path):
    functions = [line.split()[0] for line in subprocess.run([actfun, "list"], check=True, capture_output=True,
                                                            text=True).stdout.splitlines() if line.strip()]
    worst = []
    for function in functions:
        result = subprocess.run([actfun, "health", path, "-f", function, "--json"], capture_output=True, text=True)
        if result.returncode != 0:
            continue  # works on rows
        quick = json.loads(result.stdout)["layers"][0]
        exact = json.loads(subprocess.run([actfun, "health", path, "-f", function, "--json", "--exact"], check=True,
                                          capture_output=True, text=True).stdout)["layers"][0]
        assert all(quick[c] == exact[c] for c in ("saturated", "inactive", "zero", "nan", "inf", "subnormal")), function
        worst.append((abs(quick["gain"] / exact["gain"] - 1) if exact["gain"] else 0, function, quick, exact))
    worst.sort(key=lambda item: -item[0])
    return len(worst), worst


def processor():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    field = lambda name: (re.search(rf"^{name}\s*: (.*)", text, re.M) or [None, "?"])[1]
    return f"{field('model name')} (family {field('cpu family')}, model {field('model')})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--actfun", default=ROOT / "build" / "release" / "tool" / "actfun")
    actfun = str(pathlib.Path(parser.parse_args().actfun).resolve())
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        lines = [BEGIN, f"\nProcessor: {processor()}. A float32 file of 256 MiB in the page cache, N(0, 1), shape\n[n, 64]; "
                 f"time of the processor from the headers to the last element, the best of {ROUNDS} rounds.\n\n",
                 "| target | threads | elements are | ns an element | of which reading | a copy in memory | counting next to it |\n",
                 "|---|---|---|---|---|---|---|\n"]
        big, small = directory / "z.npy", directory / "s.npy"
        write_npy(big, 64, 1 << 26)
        for target in ("AVX3", "AVX2"):
            for threads in (1, 2):
                for shown, arguments in (("activations", ["--activations"]), ("relu", ["-f", "relu"]), ("gelu", ["-f", "gelu"]),
                                         ("tanh", ["-f", "tanh"])):
                    try:
                        all_of_it, reading, copy = speed(actfun, big, arguments, threads, target)
                    except subprocess.CalledProcessError:
                        continue  # this machine lacks the target
                    lines.append(f"| {target} | {threads} | {shown} | {4 * all_of_it:.2f} | {4 * reading:.2f} | {4 * copy:.2f} | "
                                 f"{copy / (all_of_it - reading):.2f} |\n")
        lines.append(f"\nA copy of the file through the page cache, by read and write: {4 * file_copy(big, directory):.2f} ns an "
                     "element.\n\n")
        lines.append("What is slower, gelu on one thread:\n\n| elements | ns an element |\n|---|---|\n")
        for shown, channels, spread, arguments in (("N(0, 1), 4,096 channels", 4096, 1, []), ("N(0, 2^2)", 64, 2, []),
                                                   ("N(0, 100^2)", 64, 100, []), ("N(0, 1), `--exact`", 64, 1, ["--exact"])):
            write_npy(small, channels, 1 << 23, spread)
            lines.append(f"| {shown} | {4 * speed(actfun, small, ['-f', 'gelu', *arguments], 1, '')[0]:.1f} |\n")
        write_npy(small, 64, 1 << 21)
        lines.append("\n")
        count, worst = accuracy(actfun, small)
        lines.append(f"Against `--exact`, on 2^21 numbers from N(0, 1), all {count} functions at their defaults: every count "
                     "is the same.\nThe gains that differ most:\n\n| function | gain | with `--exact` | relative difference | "
                     "stated bound |\n|---|---|---|---|---|\n")
        for relative, function, quick, exact in worst[:5]:
            lines.append(f"| {function} | {quick['gain']:.9g} | {exact['gain']:.9g} | {relative:.1e} | "
                         f"{quick['gain_error'] / exact['gain']:.1e} |\n")
        lines.append(END)
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    PAGE.write_text(before + "".join(lines) + rest.split(END)[1])


if __name__ == "__main__":
    main()
