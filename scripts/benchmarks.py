#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/benchmarks.md from `actfun bench --json` on this machine's instruction sets.

usage: scripts/benchmarks.py PROGRAM > docs/benchmarks.md
"""
import json
import subprocess
import sys


def run(program, *arguments):
    return json.loads(subprocess.run([program, *arguments], check=True, capture_output=True, text=True).stdout)


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        facts = dict(line.split(":", 1) for line in lines.read().split("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in facts.items()}
    return f'{facts["model name"]} (family {facts["cpu family"]}, model {facts["model"]})'


def table(rows):
    sizes = sorted({row["elements"] for row in rows})
    print("| function | " + " | ".join(f"{size:,}: ns | GB/s | copies" for size in sizes) + " |")
    print("|---|" + "---|" * 3 * len(sizes))
    for function in dict.fromkeys(row["function"] for row in rows):
        cells = {row["elements"]: row for row in rows if row["function"] == function}
        print(f"| {function} | " + " | ".join(
            f'{cells[size]["ns_per_element"]:.3f} | {cells[size]["gb_per_s"]:.1f} | {cells[size]["copies"]:.1f}'
            for size in sizes) + " |")
    print()


def main():
    program = sys.argv[1]
    print("# How fast\n")
    print("Written by `scripts/benchmarks.py` from `actfun bench`: the exact tier, float32, one thread, inputs uniform in")
    print("[-8, 8); nanoseconds an element, GB/s of input and output together, and the ratio to a copy of the same size that")
    print("took turns with it in the same run (medians). Axis functions work on rows of 1024.\n")
    print(f"Processor: {cpu()}.\n")
    for target in ("AVX3", "AVX2"):
        for order, name in enumerate(("value", "first derivative", "second derivative")):
            print(f"## {target}, {name}\n")
            table(run(program, "bench", "--json", "--target", target, "--order", str(order)))


if __name__ == "__main__":
    main()
