#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/softmax.md from bench/compare/results/softmax/*.json, which actfun_softmax_peers prints; --check
only tells whether they are the same. Measure with: scripts/softmax.py --measure build/release/bench/compare"""
import argparse
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE, RESULTS = ROOT / "docs/softmax.md", ROOT / "bench/compare/results/softmax"
BEGIN, END = "<!-- measured: scripts/softmax.py -->\n", "<!-- end -->\n"
SETS = {"AVX3": "AVX-512", "AVX2": "AVX2"}


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines) + "\n"


def of_set(target, data):
    text = f"{SETS[target]}, one thread of {data['cpu']}, {data['compiler']}; nanoseconds an element of N(0, 1):\n\n"
    shapes = list(dict.fromkeys((row["rows"], row["columns"]) for row in data["rows"]))
    libraries = list(dict.fromkeys(row["library"] for row in data["rows"]))
    rows = []
    for library in libraries:
        mine = {(row["rows"], row["columns"]): row for row in data["rows"] if row["library"] == library}
        errors = [max(row[key] for row in mine.values()) for key in ["worst_ulp", "worst_ulp_at_spread_30"]]
        rows.append([library] + [f"{mine[shape]['ns_per_element']:.3f}" for shape in shapes] +
                    [f"{error:.3g}" for error in errors])
    text += table(["", *(f"{r} x {c}" for r, c in shapes), "worst error, ULP", "of 30 N(0, 1)"], rows)
    if data["memory"]:
        times = {row["library"]: row["ns_per_element"] for row in data["memory"]}
        row = data["memory"][0]
        text += f"{row['rows']} x {row['columns']}, in memory, beside a copy past the caches:\n\n"
        text += table(["", "ns", "of the copy"],
                      [[name, f"{ns:.3f}", f"{ns / times['copy']:.2f}"] for name, ns in times.items()])
    text += "Along the first axis and along the last one, rows of the same length:\n\n"
    text += table(["", "length", "rows", "first, ns", "last, ns", "ratio"],
                  [[row["library"], str(row["length"]), str(row["count"]), f"{row['ns_first_axis']:.3f}",
                    f"{row['ns_last_axis']:.3f}", f"{row['ns_first_axis'] / row['ns_last_axis']:.2f}"]
                   for row in data["axes"]])
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--measure", metavar="DIRECTORY", help="where actfun_softmax_peers is")
    arguments = parser.parse_args()
    if arguments.measure:
        for target in SETS:
            command = [pathlib.Path(arguments.measure) / "actfun_softmax_peers", "--target", target]
            result = subprocess.run([*command, *(["--memory"] if target == "AVX3" else [])], stdout=subprocess.PIPE)
            if result.returncode == 0:
                (RESULTS / f"{target}.json").write_bytes(result.stdout)
    page = PAGE.read_text()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    found = {target: RESULTS / f"{target}.json" for target in SETS}
    text = "".join(of_set(target, json.loads(path.read_text())) for target, path in found.items() if path.exists())
    new = before + BEGIN + "\n" + text + END + after
    if arguments.check:
        sys.exit("docs/softmax.md is not what scripts/softmax.py writes" if new != page else 0)
    PAGE.write_text(new)


main()
