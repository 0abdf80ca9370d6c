#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/benchmarks.md from `actfun bench --json` on this machine's instruction sets: some minutes.

usage: scripts/benchmarks.py PROGRAM > docs/benchmarks.md
"""
import json
import os
import pathlib
import subprocess
import sys

PROGRAM = sys.argv[1]
FORMATS = ["f32", "f64", "f16", "bf16", "f8e4m3fn", "f8e5m2"]
LARGE = 64 << 20
CERTIFICATES = pathlib.Path(__file__).resolve().parent.parent / "certificates"


def run(*arguments):
    print(*arguments, file=sys.stderr)
    return json.loads(subprocess.run([PROGRAM, "bench", "--json", *map(str, arguments)], check=True, capture_output=True,
                                     text=True).stdout)


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        facts = dict(line.split(":", 1) for line in lines.read().split("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    return f'{facts["model name"]} (family {facts["cpu family"]}, model {facts["model"]}), {os.cpu_count()} cores'


def targets():
    lines = subprocess.run([PROGRAM, "targets"], check=True, capture_output=True, text=True).stdout.splitlines()
    return [line.split()[0] for line in lines if line.split() and line.split()[0] in ("AVX3", "AVX2", "SSE4", "NEON", "SCALAR")]


def table(columns, cell):
    """`columns`: a heading and the rows of a run, functions in one order; `cell` makes the text of a row."""
    names = list(dict.fromkeys(row["function"] for _, rows in columns for row in rows))
    by_name = [{row["function"]: cell(row) for row in rows} for _, rows in columns]
    print("| function | " + " | ".join(heading for heading, _ in columns) + " |")
    print("|---|" + "---|" * len(columns))
    for name in names:
        print(f"| {name} | " + " | ".join(cells.get(name, "") for cells in by_name) + " |")
    print()


def elementwise(rows):
    return [row for row in rows if row["function"] not in ("softmax", "log_softmax", "maxout:k=2", "maxout")]


def main():
    names = [record["name"] for record in json.loads(
        subprocess.run([PROGRAM, "list", "--json"], check=True, capture_output=True, text=True).stdout)
             if record["kind"] != "A"]
    print("# How fast\n")
    print("Written by `scripts/benchmarks.py` from `actfun bench`: inputs uniform in [-8, 8), medians of runs")
    print("that took turns with a copy (`memcpy`) of the same size. ns: nanoseconds an element. %: of the copy's rate.\n")
    print(f"Processor: {cpu()}.\n")
    print("## f32, one thread\n")
    print("Axis functions work on rows of 1024.\n")
    for target in targets()[:2]:
        print(f"### {target}, values\n")
        sizes = [4096, 262144, LARGE]
        rows = run("--target", target)
        table([(f"{n:,}: ns, copies", [row for row in rows if row["elements"] == n]) for n in sizes],
              lambda row: f'{row["ns_per_element"]:.3f}, {row["copies"]:.1f}')
    for target in targets()[:2]:
        print(f"### {target}, 4096 elements: ns\n")
        columns = [(name, run("--target", target, "--order", order, "--elements", 4096, *names))
                   for order, name in enumerate(("value", "first derivative", "second derivative"))]
        table(columns, lambda row: f'{row["ns_per_element"]:.3f}')
    print("## The fast tier, f32, one thread, values: ns in the fast tier, ns in the exact one\n")
    print("[At most 2 units in the last place](design/fast_tier.md) from the real number; the largest error is from the "
          "certificates.\n")
    certificates = {path.stem: json.loads(path.read_text()).get("fast", {}) for path in CERTIFICATES.glob("*.json")}
    fast = [name for name in names if "value" in certificates.get(name, {})]
    for target in targets()[:2]:
        print(f"### {target}\n")
        columns = [("ULP", [{"function": name} for name in fast])]
        for n in (4096, 262144, LARGE):
            tiers = [run("--target", target, "--tier", tier, "--elements", n, *fast) for tier in ("fast", "exact")]
            columns.append((f"{n:,}: ns, exact", [{**a, "exact": b["ns_per_element"]} for a, b in zip(*tiers)]))
        table(columns, lambda row: f'{row["ns_per_element"]:.3f}, {row["exact"]:.3f}' if "exact" in row else
              f'{certificates[row["function"]]["value"]["worst_error"]:.2f}')
    print("## Every format, one thread, values: ns\n")
    print("f64 is computed on double-doubles. From 262,144 elements on f16 and bf16 are looked up, fp8 always.\n")
    for target in targets():
        for n in (4096, 262144):
            print(f"### {target}, {n:,} elements\n")
            columns = [(dtype, run("--target", target, "--dtype", dtype, "--elements", n, *names)) for dtype in FORMATS]
            table(columns, lambda row: f'{row["ns_per_element"]:.3f}')
    print(f"## {LARGE:,} elements, all cores, values: ns, % of the copy's rate\n")
    for target in targets()[:2]:
        print(f"### {target}\n")
        columns = [(dtype, run("--target", target, "--dtype", dtype, "--threads", os.cpu_count(), "--elements", LARGE, *names))
                   for dtype in ("f32", "f16", "bf16", "f8e4m3fn", "f8e5m2")]
        table(columns, lambda row: f'{row["ns_per_element"]:.3f}, {100 / row["copies"]:.0f} %')


if __name__ == "__main__":
    main()
