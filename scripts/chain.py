#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the table of docs/chain.md from bench/chain.json; --check only compares.

    build/release/bench/actfun_chain_bench --machine "what it is" > bench/chain.json && scripts/chain.py
"""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOC = ROOT / "docs/chain.md"
START, END = "<!-- speed -->\n", "<!-- end -->\n"


def size(n):
    return f"{n >> 20} M" if n >= 1 << 20 else f"{n >> 10} K"


def table(measured):
    lines = [f"On {measured['machine']}, {measured['target']}:\n",
             "| stages | tier | pass | elements | chain | stages one by one | times as quick | copy |",
             "|---|---|---|--:|--:|--:|--:|--:|"]
    for r in measured["results"]:
        lines.append(f"| bias, {r['function']}, residual | {r['tier']} | {r['pass']} | {size(r['elements'])} | "
                     f"{r['chain']:.3f} | {r['stages']:.3f} | {r['stages'] / r['chain']:.2f} | {r['copy']:.3f} |")
    return "\n".join(lines) + "\n"


def main():
    text = DOC.read_text()
    before, rest = text.split(START)
    _, after = rest.split(END)
    now = before + START + table(json.loads((ROOT / "bench/chain.json").read_text())) + END + after
    if sys.argv[1:] == ["--check"]:
        if now != text:
            sys.exit("docs/chain.md is not what scripts/chain.py makes of bench/chain.json")
    else:
        DOC.write_text(now)


if __name__ == "__main__":
    main()
