#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of docs/gated.md: the units from `actfun glu --list`, accuracy and speed from
bench/compare/results/gated/*.json, which `actfun_swiglu` prints, all sizes and passes at once or one by one.

usage: scripts/gated.py [--actfun PROGRAM] [--check]

    --check  writes nothing; exit status 1 if the page is not what they say
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "gated.md"
RESULTS = ROOT / "bench" / "compare" / "results" / "gated"


def table(head, rows):
    align = ["---"] + ["--:" if re.match(r"[\d.]", row) else "---" for row in rows[0][1:]]
    return "".join(f"| {' | '.join(row)} |\n" for row in [head, align, *rows])


def units(actfun):
    records = json.loads(subprocess.run([actfun, "glu", "--list", "--json"], check=True, capture_output=True).stdout)
    rows = []
    for unit in records:
        presets = [f"`{p['name']}` {p['order']}" + (f" ({p['remark']})" if p["remark"] else "") for p in unit["presets"]]
        rows.append([f"`{unit['name']}`", f"`{unit['formula']}`", f"`{unit['is']}`", "; ".join(presets) or "none",
                     unit["paper"]])
    return table(["name", "y, with gate g and value v", "the same as", "presets, and their order", "paper or source"], rows)


def accuracy(results):
    if not results["errors"]:
        return ""
    rows = [[f"`{e['unit']}`", f"{e['fast']:.3f}", f"{e['exact']:.4f}"] for e in results["errors"]]
    return ("Largest errors found in f32, in units in the last place, with gates and values from N(0, 3^2), "
            f"{results['samples']:,} of each:\n\n" + table(["unit", "fast tier", "exact tier"], rows))


def speed(results):
    text = (f"Swiglu on {results['processor']}, {results['target']}, one thread, ns an output of processor time, medians of "
            "turns in one process; the machine had other work, so only what stands in one column can be compared.\n")
    for name in ("forward", "backward"):
        times = {}
        for row in results["rows"]:
            if row["pass"] == name:
                times.setdefault(row["what"], {})[row["elements"]] = row["ns"]
        sizes = sorted({n for of in times.values() for n in of})
        text += f"\n### {name.capitalize()}\n\n" + table(
            ["f32"] + [f"{n:,} outputs" for n in sizes],
            [[what] + [f"{ns[n]:.3f}" for n in sizes] for what, ns in times.items()])
        several = "silu and a product" if name == "forward" else "silu, its backward and two products"
        ratios = [f"{times[f'{tier}, {several}'][n] / times[f'{tier}, two arrays'][n]:.2f} ({tier}, {n:,})"
                  for tier in ("fast", "exact") for n in sizes]
        text += f"\nIn one pass it takes less than in several by a factor of {', '.join(ratios)}.\n"
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--actfun", default=str(ROOT / "build" / "release" / "tool" / "actfun"))
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    results = {"rows": [], "errors": []}
    for file in sorted(RESULTS.glob("*.json")):
        part = json.loads(file.read_text())
        results.update({key: part[key] for key in ("target", "processor")})
        results["rows"] += part["rows"]
        if part["errors"]:
            results.update({key: part[key] for key in ("errors", "samples")})
    before = page = PAGE.read_text()
    for name, text in (("units", units(options.actfun)), ("accuracy", accuracy(results)), ("speed", speed(results))):
        page = re.sub(f"<!-- {name} -->\n.*<!-- /{name} -->", lambda _: f"<!-- {name} -->\n{text}<!-- /{name} -->", page,
                      flags=re.S)
    if options.check:
        sys.exit(f"{PAGE} is not what {sys.argv[0]} writes" if page != before else 0)
    PAGE.write_text(page)


if __name__ == "__main__":
    main()
