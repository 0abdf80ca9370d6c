#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints docs/conventions.md from the records: `scripts/conventions.py [ACTFUN] > docs/conventions.md`.

ACTFUN is the program, build/release/tool/actfun unless given.
"""
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent

TITLE = """# The conventions of frameworks

Where frameworks disagree, actfun takes one convention and says so; those of others are there by name. This page is
written by [`scripts/conventions.py`](../scripts/conventions.py) from the records in [`functions/`](../functions/README.md).

How each entry is known:

| | |
|---|---|
| S | read in the framework's source |
| D | read in its documentation |
| I | read in an issue of its tracker |
| X | reasoned from the source, not run |
| M | from memory |
| - | not noted |
"""

KINKS = """
## Derivatives at kinks

By default (`actfun`) as in the second column; another one is chosen by `Kinks` and `--kinks`:

```sh
actfun eval hardtanh --order 1 --kinks jax 1
```

`actfun::Hardtanh{.kinks = actfun::Kinks::jax}.slope(x, y)` in C++, `actfun_set_kinks` in C. Only first derivatives change,
and only of inputs that are the kink exactly. A function that has no kink takes every convention; for one that has, and
no entry here, the convention is not known and the call is an error, never a guess.UNKNOWN

TABLE
"""

PRESETS = """
## Defaults and names

`NAME@PRESET` is the function that a framework means by this name, with the framework's default parameters:

```sh
actfun eval leaky_relu@keras -1
```

Parameters that are given come after those of the preset: `hard_sigmoid@onnx:beta=0.4` has `alpha=0.2`. A name without `@`
has the defaults of actfun, and a preset that is not listed is an error.

TABLE
"""


def cell(text, *notes):
    notes = [note for note in notes if note]
    return f"{text} ({'; '.join(notes)})" if notes else text


def table(head, rows):
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def code(text):
    return f"`{text}`"


def kinks(records, frameworks):
    rows = []
    for record in records:
        if not record.get("conventions"):
            continue
        known = {c["framework"]: c for c in record["conventions"]}
        row = [f"{code(record['name'])} at {', '.join(code(k['x']) for k in record['kinks'])}",
               ", ".join(code(k["derivative_at"]) for k in record["kinks"])]
        for framework in frameworks:
            c = known.get(framework)
            row.append(cell(", ".join(map(code, c["slopes"])), c["evidence"] or "-", c["remark"]) if c else "")
        rows.append(row)
    return table(["function", "actfun", *frameworks], rows)


def presets(records):
    rows = [[code(f"{r['name']}@{p['name']}"), code(p["call"]), p["evidence"] or "-", p["remark"]]
            for r in records for p in r["presets"]]
    return table(["preset", "stands for", "known", "remark"], rows)


def page(actfun):
    run = lambda *arguments: subprocess.run([actfun, *arguments], check=True, capture_output=True, text=True).stdout
    records = json.loads(run("list", "--json"))
    described = {c["framework"] for r in records for c in r.get("conventions", [])}
    # In the program's order, which has those that no function knows too.
    every = run("show", "--help").split("--kinks")[1].split("{")[1].split("}")[0].split(",")
    frameworks = [f for f in every if f in described]
    unknown = [f for f in every if f not in described and f != "actfun"]
    none = f"\nOf {', '.join(unknown)} no function's are known yet." if unknown else ""
    return (TITLE + KINKS.replace("UNKNOWN", none).replace("TABLE", kinks(records, frameworks))
            + PRESETS.replace("TABLE", presets(records)))


if __name__ == "__main__":
    print(page(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "release" / "tool" / "actfun"), end="")
