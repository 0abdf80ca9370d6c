#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md and its pictures from bench/compare/results/*.json: see scripts/compare.sh."""
import json
import math
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "compare" / "results"
OURS = ("actfun fast", "actfun")


def ulp(value):
    return "∞" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0e}".replace("e+0", "e")


def tables(content):
    """One table for each length: libraries side by side, then how the fastest other one compares with both tiers."""
    rows = content["rows"]
    libraries = list(dict.fromkeys(row["library"] for row in rows))
    means = {}
    for n in dict.fromkeys(row["elements"] for row in rows):
        print(f"#### {n:,} elements\n")
        print("| function | " + " | ".join(libraries) + " | fastest other / fast | / exact |")
        print("|---" * (len(libraries) + 3) + "|")
        ratios = {tier: [] for tier in OURS}
        for function in dict.fromkeys(row["function"] for row in rows):
            found = {row["library"]: row for row in rows if row["function"] == function and row["elements"] == n}
            best = min(row["ns_per_element"] for name, row in found.items() if name not in OURS)
            cells = [f'{found[name]["ns_per_element"]:.3f} ({ulp(found[name]["worst_ulp"])})' if name in found else ""
                     for name in libraries]
            for tier in OURS:
                ratios[tier].append(best / found[tier]["ns_per_element"])
            print(f"| {function} | " + " | ".join(cells) + " | " + " | ".join(f"{ratios[t][-1]:.2f}" for t in OURS) + " |")
        for tier in OURS:
            means[tier] = math.exp(sum(map(math.log, ratios[tier])) / len(ratios[tier]))
        print(f"\nGeometric mean: {means[OURS[0]]:.2f} for the fast tier, {means[OURS[1]]:.2f} for the exact one.\n")


def picture(content, path):
    """Error against time, 4096 elements; what has no bound stands at the top."""
    rows = [row for row in content["rows"] if row["elements"] == 4096]
    libraries = list(dict.fromkeys(row["library"] for row in rows))
    script = ["set terminal svg size 900,560 font 'sans,11' background 'white'", f"set output '{path}'", "set logscale xy",
              "set xlabel 'ns an element, 4096 elements'", "set ylabel 'worst error, ULP'", "set yrange [0.3:1e9]",
              "set format y '%g'", "set grid", "set key outside right"]
    script.append("plot " + ", ".join(f"'-' using 1:2 with points pt {5 + i} ps 0.9 title '{name}'"
                                      for i, name in enumerate(libraries)))
    for name in libraries:
        for row in rows:
            if row["library"] == name:
                error = 5e8 if row["worst_ulp"] is None else min(max(row["worst_ulp"], 0.5), 5e8)
                script.append(f"{row['ns_per_element']} {error}")
        script.append("e")
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def main():
    files = sorted(RESULTS.glob("*.json"), key=lambda path: ("AVX2" in path.name, path.name))
    contents = [json.loads(path.read_text()) for path in files]
    first = contents[0]
    print("# Beside other libraries\n")
    print("Written by `scripts/performance.py` from `bench/compare/results/`, which `scripts/compare.sh` measures: values in f32, "
          "one\nthread, all libraries in one process and by turns, medians. Each figure is ns an element, with the worst error "
          "in units in the\nlast place beside it, over 2^20 finite inputs from all of f32 (∞: an infinity or NaN where there is a "
          "number, or the other\nway round). A ratio above 1: ours is faster.\n")
    print(f"Processor: {first['cpu']}; {first['compiler']}, glibc {first['libc']}; libraries as Debian 12 has them (oneDNN "
          "2.6.3,\nXNNPACK of February 2022 through its operators, SLEEF 3.5.1 with 1 ULP, Eigen 3.4.0); libmvec and libm are "
          "the textbook's\nformulas in a loop, with -Ofast and -O2.\n")
    pictures = ROOT / "docs" / "performance"
    pictures.mkdir(exist_ok=True)
    for content in contents:
        name = f"{content['target']}-{content['inputs']}"
        inputs = "N(0, 1)" if content["inputs"] == "normal" else "uniform in [-8, 8)"
        print(f"## {content['target']}, {inputs}\n")
        tables(content)
        if content["inputs"] == "normal":
            picture(content, pictures / f"{name}.svg")
            print(f"![worst error against time, {name}](performance/{name}.svg)\n")


if __name__ == "__main__":
    import contextlib
    import io
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        main()
    (ROOT / "docs" / "performance.md").write_text(text.getvalue())
