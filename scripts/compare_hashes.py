#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs actfun_hashes and compares what it prints with the certificates: one line a function.

scripts/cross.sh builds the program and calls this. Asks only for what the certificates hold. Exits with 1 when results
differ or the program fails, with 2 when certificates lack something that was asked for.
"""
import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDERS = ["value", "slope", "curvature"]
SHORT = ["f16", "bf16", "f8e4m3fn", "f8e5m2"]
FORMATS = SHORT + ["f32"]
INPUTS = {"f16": "2^16", "bf16": "2^16", "f8e4m3fn": "2^8", "f8e5m2": "2^8", "f32": "2^24"}


def elementwise():
    text = (ROOT / "functions" / "list.def").read_text()
    return re.findall(r"^(?:ELEMENTWISE|FIXED)\((\w+),", text, re.MULTILINE)


def certified(path):
    """{(order, format): hash} of one certificate; nothing without one."""
    if not path.exists():
        return {}
    certificate = json.loads(path.read_text())
    hashes = {(order, "f32"): certificate.get(order, {}).get("sparse_hash") for order in ORDERS}
    for format, orders in certificate.get("formats", {}).items():
        hashes.update({(order, format): orders.get(order, {}).get("hash") for order in ORDERS})
    return {key: digits for key, digits in hashes.items() if digits}


def compare(function, options):
    """What is right, what differs and what no certificate has: three lists of (order, format)."""
    right = certified(options.certificates / f"{function}.json")
    wanted = [(order, format) for order in ORDERS for format in options.format]
    missing = [key for key in wanted if key not in right]
    formats = [format for format in options.format if any((order, format) in right for order in ORDERS)]
    got = {}
    if formats:
        command = options.command.split() + ["--target", options.target]
        for format in formats:
            command += ["--format", format]
        run = subprocess.run(command + [function], capture_output=True, text=True)
        for line in run.stdout.splitlines():
            name, order, format, digits = line.split()
            got[order, format] = digits
        if run.returncode:
            print(f"{function}: exit status {run.returncode}: {run.stderr.strip()[-400:]}", file=sys.stderr)
    same = [key for key in wanted if key in right and got.get(key) == right[key]]
    differ = [key for key in wanted if key in right and got.get(key) != right[key]]
    return same, differ, missing


def told(keys):
    """[(order, format)] in words, format by format: "f16, slope in f32"."""
    words = []
    for format in FORMATS:
        orders = [order for order, other in keys if other == format]
        if orders:
            words.append(format if orders == ORDERS else f"{' and '.join(orders)} in {format}")
    return ", ".join(words)


HEADER = "| machine | instruction set | compiler | functions | formats | inputs each | day | results |"


def record(results, options):
    """Enters the run in docs/portability.md, in place of the row about the same machine, instruction set and formats."""
    path = ROOT / "docs" / "portability.md"
    before, found, table = path.read_text().partition(HEADER + "\n")
    if not found:
        sys.exit(f"{path} has no table")
    _, *rows = table.splitlines()
    for group in [[f for f in SHORT if f in options.format], [f for f in ["f32"] if f in options.format]]:
        if not group:
            continue
        ran = [name for name, (same, differ, _) in results.items()
               if {(o, f) for o in ORDERS for f in group} <= set(same + differ)]
        wrong = [name for name in ran if any(f in group for _, f in results[name][1])]
        if not ran:
            continue
        rest = [name for name in elementwise() if name not in ran]
        functions = f"all {len(ran)}"
        if rest:
            functions = f"{len(ran)}: " + ", ".join(ran) if len(ran) < len(rest) else \
                f"{len(ran)}, all but " + ", ".join(rest)
        inputs = ", ".join(dict.fromkeys(INPUTS[f] for f in group))
        key = [options.machine, options.target, None, None, ", ".join(group)]
        row = [*key[:2], options.compiler, functions, key[4], inputs, datetime.date.today().isoformat(),
               "differ: " + ", ".join(wrong) if wrong else "the certificates'"]

        def same_place(line):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            return [cells[0], cells[1], cells[4]] == [key[0], key[1], key[4]]

        rows = [line for line in rows if not same_place(line)] + ["| " + " | ".join(row) + " |"]
    path.write_text(before + HEADER + "\n" + "|---" * 8 + "|\n" + "\n".join(sorted(rows)) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", required=True, help="how to run actfun_hashes")
    parser.add_argument("--target", required=True)
    parser.add_argument("--machine", required=True, help="for the record")
    parser.add_argument("--compiler", required=True, help="for the record")
    parser.add_argument("--format", action="append", choices=FORMATS, help="all of them unless given")
    parser.add_argument("--certificates", type=pathlib.Path, default=ROOT / "certificates")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--record", action="store_true")
    parser.add_argument("function", nargs="*")
    options = parser.parse_intermixed_args()
    options.format = [format for format in FORMATS if format in (options.format or FORMATS)]
    functions = options.function or elementwise()

    results = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for function, result in zip(functions, pool.map(lambda f: compare(f, options), functions)):
            results[function] = result
            same, differ, missing = result
            text = f"{options.target:<7} {function:<16} "
            if differ:
                text += f"DIFFERS: {told(differ)}; "
            text += f"right: {told(same) or 'nothing'}"
            if missing:
                text += f"; not certified: {told(missing)}"
            print(text, flush=True)
    if options.record:
        record(results, options)
    if any(differ for _, differ, _ in results.values()):
        return 1
    return 2 if any(missing for _, _, missing in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
