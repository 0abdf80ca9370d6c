#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/performance.md and its pictures from bench/compare/results/*.json: see scripts/compare.sh.

usage: scripts/performance.py [--summary [FUNCTION...] | --check]

    --summary  prints how the tiers stand, of all functions or of those named, and writes nothing
    --check    writes nothing; exit status 1 if the page is not what the results say
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "compare" / "results"
PAGE = ROOT / "docs" / "performance.md"
FAST, EXACT = OURS = ("actfun fast", "actfun exact")
FRAMEWORKS = ("oneDNN", "PyTorch")
TARGETS = {"AVX3": "AVX-512", "AVX2": "AVX2"}
INPUTS = {"normal": "N(0, 1)", "uniform": "uniform in [-8, 8)"}
FORWARD, BACKWARD = ("forward",), ("from input", "from output")
SIZES_OF = ("gelu", "sigmoid", "tanh")  # what scripts/compare.sh measures over sizes

# What each tier is held to: a heading, whose times, of what, and whom they are compared with (None: everybody).
COMPARISONS = (
    ("values, fast tier, beside the fastest of all", FAST, FORWARD, None),
    ("values, exact tier, beside the better of oneDNN and PyTorch", EXACT, FORWARD, FRAMEWORKS),
    ("gradients, fast tier, beside the better of oneDNN and PyTorch", FAST, BACKWARD, FRAMEWORKS),
    ("gradients from x alone", FAST, BACKWARD[:1], FRAMEWORKS),
    ("gradients from f(x) alone", FAST, BACKWARD[1:], FRAMEWORKS),
)


def load():
    """Rows by (target, inputs, passes, elements) and then by (function, pass) and library; rows over sizes by target and
    function; and the facts of each file."""
    tables, sizes, facts = {}, {}, []
    for path in sorted(RESULTS.glob("*.json")):
        content = json.loads(path.read_text())
        facts.append({key: content[key] for key in ("cpu", "compiler", "libraries")})
        for row in content["rows"]:
            if path.stem.endswith("-sizes"):
                sizes.setdefault((content["target"], row["function"]), []).append(row)
                continue
            passes = FORWARD if row["pass"] in FORWARD else BACKWARD
            table = tables.setdefault((content["target"], content["inputs"], passes, row["elements"]), {})
            table.setdefault((row["function"], row["pass"]), {})[row["library"]] = row
    if not facts:
        sys.exit(f"performance: no results in {RESULTS}: run scripts/compare.sh")
    return tables, sizes, facts


def best_other(found, others):
    """The time of the fastest among `others` (None: all but the library's own), or None if there is none."""
    times = [row["ns_per_element"] for name, row in found.items() if name not in OURS and (not others or name in others)]
    return min(times, default=None)


def ratios(table, ours, passes, others, functions=None):
    """(function, pass) to the others' best time by ours."""
    pairs = {key: best_other(found, others) for key, found in table.items()
             if key[1] in passes and (not functions or key[0] in functions)}
    return {key: best / table[key][ours]["ns_per_element"] for key, best in pairs.items() if best}


def mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def label(key):
    return key[0] + (", from f(x)" if key[1] == "from output" else "")


def of(tables, target, inputs, passes, n):
    return tables.get((target, inputs, FORWARD if passes == FORWARD else BACKWARD, n), {})


def lengths(tables):
    return sorted({key[3] for key in tables})


def summary(tables, functions):
    """For terminals: means, the least, and all that is below 1."""
    for heading, ours, passes, others in COMPARISONS:
        print(f"\n{heading}")
        for target in TARGETS:
            for inputs in INPUTS:
                for n in lengths(tables):
                    found = ratios(of(tables, target, inputs, passes, n), ours, passes, others, functions)
                    if not found:
                        continue
                    below = ", ".join(f"{label(key)} {value:.2f}" for key, value in sorted(found.items(), key=lambda i: i[1])
                                      if value < 1)
                    print(f"  {TARGETS[target]:<8} {INPUTS[inputs]:<18} {n:>8}  mean {mean(found.values()):.2f}  least "
                          f"{min(found.values()):.2f}  below 1: {below or 'none'}")


def summary_table(tables):
    columns = [(target, n) for target in TARGETS for n in lengths(tables)]
    print("| | inputs | " + " | ".join(f"{TARGETS[target]}, {n:,}" for target, n in columns) + " |")
    print("|---" * (len(columns) + 2) + "|")
    for heading, ours, passes, others in COMPARISONS:
        for inputs in INPUTS:
            cells = []
            for target, n in columns:
                found = ratios(of(tables, target, inputs, passes, n), ours, passes, others)
                least = min(found, key=found.get, default=None)
                cells.append(f"**{mean(found.values()):.2f}** ({found[least]:.2f} {label(least)})" if least else "")
            print(f"| {heading} | {INPUTS[inputs]} | " + " | ".join(cells) + " |")
    print()


def ulp(value):
    return "∞" if value is None else f"{value:.2f}" if value < 100 else f"{value:.0e}".replace("e+0", "e")


def time_table(table, passes):
    """Libraries side by side; what is fastest in bold."""
    libraries = list(dict.fromkeys(name for found in table.values() for name in found))
    columns = [(heading, ours, others) for heading, ours, others in (
        ("others / fast", FAST, None if passes == FORWARD else FRAMEWORKS),
        ("oneDNN, PyTorch / exact", EXACT, FRAMEWORKS))]
    print("| function | " + " | ".join(libraries) + " | " + " | ".join(heading for heading, _, _ in columns) + " |")
    print("|---" * (len(libraries) + len(columns) + 1) + "|")
    for key, found in table.items():
        fastest = min(row["ns_per_element"] for row in found.values())
        cells = []
        for name in libraries:
            ns = found[name]["ns_per_element"] if name in found else None
            text = "" if ns is None else f"{ns:.3f}"
            cells.append("" if ns is None else (f"**{text}**" if ns == fastest else text) + f' ({ulp(found[name]["worst_ulp"])})')
        for _, ours, others in columns:
            best = best_other(found, others)
            cells.append(f'{best / found[ours]["ns_per_element"]:.2f}' if best else "")
        print(f"| {label(key)} | " + " | ".join(cells) + " |")
    print()


def plot(path, settings, series):
    """`series`: a library's name and its points."""
    script = ["set terminal svg size 900,520 font 'sans,11' background 'white'", f"set output '{path}'", "set logscale xy",
              "set format y '%g'", "set grid", "set key outside right", *settings]
    own = lambda name: 2.5 if name in OURS else 1  # noqa: E731
    script.append("plot " + ", ".join(f"'-' using 1:2 with {style} pt {5 + i} ps 0.8 lw {own(name)} title '{name}'"
                                      for i, (name, style, _) in enumerate(series)))
    for _, _, points in series:
        script += [f"{x} {y}" for x, y in points] + ["e"]
    subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=True)


def error_picture(path, table):
    """Error against time; what has no bound stands at the top."""
    series = {}
    for found in table.values():
        for name, row in found.items():
            error = 5e8 if row["worst_ulp"] is None else min(max(row["worst_ulp"], 0.5), 5e8)
            series.setdefault(name, []).append((row["ns_per_element"], error))
    plot(path, ["set xlabel 'ns an element, 4096 elements'", "set ylabel 'worst error, ULP'", "set yrange [0.3:1e9]"],
         [(name, "points", points) for name, points in series.items()])


def size_picture(path, rows, function):
    series = {}
    for row in rows:
        series.setdefault(row["library"], []).append((row["elements"], row["ns_per_element"]))
    plot(path, [f"set title '{function}'", "set xlabel 'elements'", "set ylabel 'ns an element'", "set logscale x 2"],
         [(name, "linespoints", sorted(points)) for name, points in series.items()])


def page(tables, sizes, facts):
    print("# Beside other libraries\n")
    print("How fast the library is beside others on one machine, and how far each is from the right result. Written by\n"
          "`scripts/performance.py` from `bench/compare/results/`, which `scripts/compare.sh` measures: it installs Debian's\n"
          "packages of these libraries, builds `actfun_peers`, runs it, and writes this page. All libraries run in one process\n"
          "on one thread and take turns; times are medians of what the thread had of the processor. Each is asked as its users\n"
          "would ask it.\n")
    for cpu in dict.fromkeys(fact["cpu"] for fact in facts):
        print(f"Processor: {cpu}; compiler: {', '.join(dict.fromkeys(f['compiler'] for f in facts if f['cpu'] == cpu))}.\n")
    how = {"oneDNN": "eltwise primitives", "PyTorch": "operators of libtorch with an output given, no autograd around them",
           "XNNPACK": "operators; on AVX-512 only: it takes the machine's best", "Eigen": "array expressions",
           "SLEEF": "the textbook's formulas on its vector functions of 1 ULP", "Highway": "the same on its `contrib/math`",
           "libmvec": "the textbook's formulas in a loop, compiled with -Ofast", "libm": "the same with -O2"}
    print("| library | version | asked for |\n|---|---|---|")
    versions = {}
    for fact in facts:
        for name, version in fact["libraries"].items():
            versions.setdefault(name, dict.fromkeys([]))[version] = None
    for name in [*how, *(name for name in versions if name not in how)]:
        if name in versions:
            print(f"| {name} | {', '.join(versions[name])} | {how.get(name, '')} |")
    missing = [name for name in how if name not in versions]
    print(f"\n{', '.join(missing)}: not measured.\n" if missing else "")
    print("## In short\n")
    print("Time of the best other library by ours, geometric mean over the functions; in brackets the least, and whose it is.\n"
          "Above 1: ours is faster. Most of the fastest others give wrong results in the tails: errors stand in the tables\n"
          "below.\n")
    summary_table(tables)
    print("## Error against time\n")
    pictures = ROOT / "docs" / "performance"
    drawings = []

    def picture(name, title, draw):
        drawings.append((pictures / f"{name}.svg", draw))
        print(f"![{title}](performance/{name}.svg)\n")

    print("Values of all functions, N(0, 1): the worst error over 2^20 finite inputs from all of f32, in units in the last\n"
          "place. At the top stands what gives an infinity or NaN in place of a number, or the other way round.\n")
    for target in TARGETS:
        table = of(tables, target, "normal", FORWARD, 4096)
        if table:
            picture(f"{target}-errors", f"worst error against time, {TARGETS[target]}",
                    lambda path, table=table: error_picture(path, table))
    print("## Time against size\n")
    for target in TARGETS:
        for function in SIZES_OF:
            if rows := sizes.get((target, function)):
                picture(f"{target}-{function}-sizes", f"time against size, {function}, {TARGETS[target]}",
                        lambda path, rows=rows, function=function: size_picture(path, rows, f"{function}"))
    print("## All figures\n")
    print("ns an element, in brackets the worst error in units in the last place as above (∞: an infinity or NaN in place of a\n"
          "number, or the other way round). The fastest is bold. Ratios: the best other by ours. Gradients are g f', from x or\n"
          "from f(x); their errors are of f', where g is 1. Near a root of f' the fast tier keeps [an absolute\n"
          "bound](design/fast_tier.md), which may be many units there.\n")
    for (target, inputs, passes, n), table in sorted(
            tables.items(), key=lambda item: (item[0][2] != FORWARD, *map(list((*TARGETS, *INPUTS)).index, item[0][:2]), item[0][3])):
        print(f'### {"Values" if passes == FORWARD else "Gradients"}, {TARGETS[target]}, {INPUTS[inputs]}, {n:,} elements\n')
        time_table(table, passes)
    return drawings


def main():
    import contextlib
    import io
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     usage=argparse.SUPPRESS)
    parser.add_argument("--summary", nargs="*", metavar="FUNCTION")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    tables, sizes, facts = load()
    if options.summary is not None:
        known = {key[0] for table in tables.values() for key in table}
        if unknown := [name for name in options.summary if name not in known]:
            parser.error(f"{unknown[0]} is not among the results; these are: {' '.join(sorted(known))}")
        summary(tables, options.summary)
        return
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        drawings = page(tables, sizes, facts)
    written = text.getvalue().rstrip() + "\n"
    if options.check:
        if not PAGE.exists() or PAGE.read_text() != written:
            sys.exit("performance: docs/performance.md is not what the results say: run scripts/performance.py")
        return
    PAGE.write_text(written)
    (ROOT / "docs" / "performance").mkdir(exist_ok=True)
    for old in (ROOT / "docs" / "performance").glob("*.svg"):
        old.unlink()
    for path, draw in drawings:
        draw(path)


if __name__ == "__main__":
    main()
