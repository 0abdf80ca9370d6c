#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/functions/ and docs/differences.md: a page a function, from what the program knows and measures.

    scripts/pages.py [--actfun build/release/tool/actfun] [--output docs] [NAME...]

Nothing on these pages is typed by hand: formulas come from the definitions, facts from the records, accuracy from the
certificates, errors from measurements. tests/pages_test.py holds that the committed pages are what this writes.
With names, only these pages are written.
"""
import argparse
import ast
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from math import isfinite, log2

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORDERS = ["f", "f'", "f''"]
ORDER_NAMES = ["value", "slope", "curvature"]
FAMILIES = {"rectifier": "Rectifiers and their kin", "exponential": "Exponential-linear", "sigmoid": "Sigmoids and soft steps",
            "gated_smooth": "Smooth self-gated", "axis": "Along an axis"}
PAIRS = [("gelu", "gelu_tanh"), ("gelu", "quick_gelu"), ("silu", "hard_swish"), ("silu", "gelu"), ("sigmoid", "hard_sigmoid"),
         ("hard_sigmoid", "hard_sigmoid:alpha=0.2"), ("tanh", "hardtanh"), ("tanh", "softsign"), ("mish", "hard_mish"),
         ("mish", "silu"), ("softplus", "relu"), ("softplus", "squareplus"), ("relu", "gelu"), ("relu", "leaky_relu"),
         ("elu:alpha=0.5", "celu:alpha=0.5"), ("elu", "selu"), ("relu", "smelu"), ("gelu", "laplace"), ("arctan", "tanh")]
SHORT = ["f16", "bf16", "f8e4m3fn", "f8e5m2"]
STAIRS = ["sigmoid", "tanh", "silu", "gelu", "softplus", "mish"]
DRAWN_STAIRS = [("gelu", "f8e4m3fn"), ("gelu", "f8e5m2"), ("gelu", "bf16"), ("sigmoid", "f8e4m3fn")]
F32_INPUTS = 128  # a binade, for the errors on the pages


class Actfun:
    def __init__(self, path):
        self.path = path

    def text(self, *arguments):
        result = subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True, cwd=ROOT)
        if result.returncode != 0:
            raise SystemExit(f"actfun {' '.join(map(str, arguments))}: {result.stderr.strip()}")
        return result.stdout

    def json(self, *arguments):
        return json.loads(self.text(*arguments, "--json"))


# Formulas of the records, in LaTeX ------------------------------------------------------------------------------------

GREEK = {"alpha", "beta", "lambda", "mu", "sigma", "omega", "delta", "pi"}
CALLS = {"exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos", "tanh": r"\tanh", "max": r"\max", "min": r"\min",
         "Phi": r"\Phi", "phi": r"\varphi", "atan": r"\arctan"}
RELATIONS = {ast.Lt: "<", ast.LtE: r"\le", ast.Gt: ">", ast.GtE: r"\ge", ast.Eq: "=", ast.NotEq: r"\ne"}


def symbol(name):
    name = {"lambda_": "lambda"}.get(name, name)
    head, _, index = name.partition("_")
    if head not in GREEK and len(head) > 1:
        return rf"\mathrm{{{name}}}".replace("_", r"\_") if not re.fullmatch(r"[a-z]\d", name) else f"{name[0]}_{name[1]}"
    head = "\\" + head if head in GREEK else head
    return f"{head}_{{{index}}}" if index else head


def latex(node, least=0):
    """`least` is how strongly what stands around it binds: 1 sum, 2 product, 3 sign, 4 power."""
    def bracketed(text, own):
        return rf"\left({text}\right)" if own < least else text
    if isinstance(node, ast.IfExp):
        cases, rest = [], node
        while isinstance(rest, ast.IfExp):
            cases.append(rf"{latex(rest.body)} & \text{{if }} {latex(rest.test)}")
            rest = rest.orelse
        cases.append(rf"{latex(rest)} & \text{{otherwise}}")
        return bracketed(r"\begin{cases}" + r" \\ ".join(cases) + r"\end{cases}", 3)
    if isinstance(node, ast.Compare):
        parts = [latex(node.left)]
        for relation, right in zip(node.ops, node.comparators):
            parts += [RELATIONS[type(relation)], latex(right)]
        return " ".join(parts)
    if isinstance(node, ast.BinOp):
        if isinstance(node.op, ast.Div):
            return bracketed(rf"\frac{{{latex(node.left)}}}{{{latex(node.right)}}}", 3)
        if isinstance(node.op, ast.Pow):
            return bracketed(f"{latex(node.left, 5)}^{{{latex(node.right)}}}", 4)
        if isinstance(node.op, ast.Mult):
            left, right = latex(node.left, 2), latex(node.right, 3)
            return bracketed(rf"{left} \cdot {right}" if right[0].isdigit() else rf"{left}\,{right}", 2)
        sign = "+" if isinstance(node.op, ast.Add) else "-"
        return bracketed(f"{latex(node.left, 1)} {sign} {latex(node.right, 2)}", 1)
    if isinstance(node, ast.UnaryOp):
        return bracketed(f"-{latex(node.operand, 3)}", 2)
    if isinstance(node, ast.Call):
        name, inside = node.func.id, ", ".join(map(latex, node.args))
        if name == "sqrt":
            return rf"\sqrt{{{inside}}}"
        if name == "abs":
            return rf"\left|{inside}\right|"
        return (CALLS.get(name) or operator(name)) + r"\left(" + inside + r"\right)"
    if isinstance(node, ast.Name):
        return symbol(node.id)
    if isinstance(node, ast.Constant):
        return str(node.value)
    raise SyntaxError(type(node).__name__)


def operator(name):
    return r"\operatorname{" + name + "}"


def parsed(text):
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text.replace("^", "**"))
    return ast.parse(re.sub(r"\blambda\b", "lambda_", text), mode="eval").body


def record_latex(left, text):
    """`text` in the records' notation as an equation; None where it is no formula."""
    try:
        first, *rest = re.split(r",\s+(?=[A-Za-z_0-9]+ = )", text)
        equations = [f"{left} = {latex(parsed(first))}"]
        for equation in rest:
            name, _, value = equation.partition(" = ")
            equations.append(f"{latex(parsed(name))} = {latex(parsed(value))}")
        return r",\quad ".join(equations)
    except (SyntaxError, KeyError, AttributeError, IndexError):
        return None


# Pictures -------------------------------------------------------------------------------------------------------------

def compact(path):
    """gnuplot's SVG at a third of its size: no empty groups, tenths of a pixel, the font named once."""
    text = path.read_text()
    while (shorter := re.sub(r"<g [^>]*>\s*</g>\n?", "", text)) != text:
        text = shorter
    text = text.replace(' font-family="DejaVu Sans"', "").replace('<svg ', '<svg font-family="DejaVu Sans, sans-serif" ', 1)
    text = re.sub(r"<tspan\s*>([^<]*)</tspan>", r"\1", text)
    text = re.sub(r"(\d\.\d)\d\b", r"\1", text)
    text = re.sub(r"rgb\(([ \d]+),([ \d]+),([ \d]+)\)", lambda m: "#" + "".join(f"{int(c):02x}" for c in m.groups()), text)
    for useless in (' color="black"', ' stroke-linecap="butt"', ' stroke-linejoin="miter"', ' class="gridline"'):
        text = text.replace(useless, "")
    path.write_text(re.sub(r"\s*\n\s*", "\n", text))


# Markdown -------------------------------------------------------------------------------------------------------------

def code(text):
    return f"`{text}`".replace("|", r"\|")


def math(text):
    return f"```math\n{text}\n```\n"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(" --- " for _ in head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows]) + "\n"


def short(number):
    """Nine digits of a long decimal."""
    return re.sub(r"\d+\.\d{8,}", lambda m: f"{float(m[0]):.9g}", number)


def hexadecimal(text):
    return f"{float.fromhex(text):.9g}" if "0x" in str(text) else str(text)


def joined(words):
    return ", ".join(code(word) for word in words)


def formulas(actfun, record):
    if record["kind"] == "A":
        parts = [f"    {record['formula']}\n"]
        if record.get("derivative"):
            parts.append(f"    derivative: {record['derivative']}\n")
        return "\n".join(parts)
    parts = [math("f(x) = " + actfun.text("show", record["name"], "--latex").strip())]
    for left, key in (("f'(x)", "derivative"), ("f''(x)", "second_derivative")):
        equation = record_latex(left, record[key])
        parts.append(math(equation) if equation else f"    {left} = {record[key]}\n")
    return "\n".join(parts)


def properties(record):
    kinds = {"U": "elementwise, no parameter", "P": "elementwise, constant parameters", "L": "elementwise, learnable parameters",
             "R": "elementwise, parameters random in training", "A": "on rows along an axis"}
    rows = [("kind", kinds[record["kind"]])]
    for parameter in record["parameters"]:
        domain = code(parameter["domain"])
        rows.append(("parameter", f"{code(parameter['name'])}, default {short(str(parameter['default']))}, domain {domain}"))
    rows.append(("range", code(short(record["range"]))))
    if record["kind"] == "A":
        return rows
    rows.append(("monotone", record["monotone"]))
    rows.append(("symmetry", record["symmetry"]))
    lipschitz = record["lipschitz"]
    value = short(lipschitz["default"])
    rows.append(("Lipschitz constant", value if value in ("", lipschitz["expression"]) else f"{code(lipschitz['expression'])} = {value}"))
    if record["roots"]:
        rows.append(("roots", joined(map(short, record["roots"]))))
    for extremum in record["extrema"]:
        rows.append((f"{extremum['type']} of {extremum['of']}", f"{code(short(extremum['value']))} at x = {code(short(extremum['x']))}"))
    from_output, inverse = record["from_output"], record["inverse"]
    condition = lambda fact: "" if fact["condition"] == "always" else f" if {code(fact['condition'])}"
    rows.append(("f' from y = f(x)", code(from_output["formula"]) + condition(from_output) if from_output["possible"]
                 else f"none: {from_output['reason']}"))
    rows.append(("inverse", f"strictly monotone{condition(inverse)}" if inverse["possible"] else f"none: {inverse['reason'].replace('|', chr(92) + '|')}"))
    if record.get("note"):
        rows.append(("note", record["note"].replace("|", r"\|")))
    return rows


def special_values(actfun, record):
    points = ["-inf", "-0", "0", "inf", "nan"]
    points[3:3] = [kink["x_default"] for kink in record["kinks"] if re.fullmatch(r"-?[\d.]+", kink["x_default"])]
    points = sorted(dict.fromkeys(p for p in points if p not in ("-0", "0", "nan")), key=float)
    points = [p for p in points if float(p) < 0] + ["-0", "0"] + [p for p in points if float(p) > 0] + ["nan"]
    columns = [actfun.text("eval", record["name"], *points, "--order", order).split() for order in range(3)]
    return table(["x", *(code(o) for o in ORDERS)], [(code(short(x)), *(code(c[i]) for c in columns)) for i, x in enumerate(points)])


def kink_tables(record):
    kinks = record["kinks"]
    if not kinks:
        return "Smooth everywhere.\n"
    jumps = ["f jumps", "f' jumps", "f'' jumps"]
    text = table(["x", "what", "f' left", "f' here", "f' right", "f'' left", "f'' here", "f'' right"],
                 [(code(k["x"]), jumps[k["order"]], *(code(k[key]) for key in ("left", "derivative_at", "right",
                  "second_left", "second_at", "second_right"))) for k in kinks])
    conventions = record.get("conventions")
    if conventions:
        evidence = {"S": "source", "D": "documentation", "I": "issue", "X": "reasoned from the source", "M": "from memory"}
        text += "\nWhat frameworks return for f' there:\n\n" + table(
            ["framework", *(f"f'({k['x']})" for k in kinks), "evidence", ""],
            [(c["framework"], *(code(s) for s in c["slopes"]), ", ".join(evidence.get(e, e) for e in c.get("evidence", "").split("/")),
              c.get("remark", "")) for c in conventions])
    return text


def names(record):
    lines = []
    if record["aliases"]:
        lines.append(f"* Names here: {joined([record['name'], *record['aliases']])}.")
    if record["known_as"]:
        lines.append(f"* Elsewhere: {', '.join(record['known_as'])}.")
    for preset in record.get("presets") or []:
        remark = f": {preset['remark']}" if preset.get("remark") else ""
        lines.append(f"* {code(record['name'] + '@' + preset['name'])} is {code(preset['call'])}{remark}.")
    if record.get("paper"):
        lines.append(f"* {record['paper']}.")
    return "\n".join(lines) + "\n" if lines else ""


def certificate(record):
    path = ROOT / "certificates" / f"{record['name']}.json"
    if not record["certified"] or not path.exists():
        return "No certificate of all inputs.\n"
    content = json.loads(path.read_text())
    formats = {"f32": content, **content.get("formats", {})}
    rows = []
    for dtype, orders in formats.items():
        for order, key in enumerate(ORDER_NAMES):
            found = orders.get(key)
            if found:
                rows.append((dtype, ORDERS[order], f"{found['inputs']:,}".replace(",", " "), found.get("misrounded", ""),
                             f"{found['worst_error']:.9f}", hexadecimal(found.get("witness", ""))))
    for order, key in enumerate(ORDER_NAMES):
        if found := content.get("fast", {}).get(key):
            rows.append(("f32, [fast tier](../../docs/design/fast_tier.md)", ORDERS[order], f"{found['inputs']:,}".replace(",", " "), "",
                         f"{found['worst_error']:.9f}", hexadecimal(found["witness"])))
            if near := found.get("near_root"):
                rows.append((f"... near the root {float.fromhex(near['root']):.4f}", ORDERS[order],
                             f"{near['results']:,}".replace(",", " "), "",
                             f"{near['worst_error']:.3f} of 2^-24 of the largest &#124;f'&#124; within 1 of it",
                             hexadecimal(near["witness"])))
    return (f"From [the certificate](../../certificates/{record['name']}.json), against the oracle's values:\n\n"
            + table(["format", "of", "inputs", "misrounded", "worst error, ULP", "at x"], rows))


def measured(actfun, record, directory):
    name = record["name"]
    found = [actfun.json("error", name, "--dtype", "all", "--inputs", F32_INPUTS, "--order", order,
                         *(["-o", directory / f"{name}_error.svg"] if order == 0 else [])) for order in range(3)]
    text = (f"![error of {name} in ULP over exponents, in six formats]({name}_error.svg)\n\n"
            "The largest error of f that was found, in units in the last place, over log2 of |x|. A right result is within 0.5. "
            f"Here: all inputs of formats with 8 and 16 bits, {F32_INPUTS} in each binade of f32 and "
            f"{F32_INPUTS // 64} of f64; the truth has 256 bits.\n\n")
    compact(directory / f"{name}_error.svg")
    rows = []
    for results in zip(*(one["formats"] for one in found)):
        errors = [f"{abs(float(r['worst']['error'])):.3f} at {code(format(float(r['worst']['x']), '.6g'))}" for r in results]
        rows.append((results[0]["dtype"], f"{results[0]['inputs']:,}".replace(",", " "), *errors))
    return text + table(["format", "inputs", *(f"worst error of {o} found, ULP" for o in ORDERS)], rows)



def backward(actfun, record):
    """How well f' is known without x, where a function has a way to it."""
    name = record["name"]
    find = lambda kept: actfun.json("error", name, "--dtype", "f32,f16,bf16", "--inputs", F32_INPUTS, "--order", 1, "--from", kept)
    turns = [e for e in record["extrema"] if e["of"] == "f"]
    rows, parts = [], []
    if record["from_output"]["possible"]:
        for own, other in zip(find("input")["formats"], find("output")["formats"]):
            worst = other["worst"]
            rows.append((own["dtype"], f"{abs(float(own['worst']['error'])):.3f}",
                         f"{abs(float(worst['error'])):.3g} at {code(format(float(worst['x']), '.6g'))}",
                         f"{abs(float(other['absolute']['error'])):.2g} at {code(format(float(other['absolute']['x']), '.6g'))}"))
        parts.append("f' from x, and from f(x) alone, rounded to the format: the largest errors found.\n\n"
                     + table(["format", "from x, ULP", "from f(x), ULP", "from f(x), absolute"], rows))
    elif len(turns) == 1 and all(k["order"] == 2 for k in record["kinks"]):
        steepest = float(record["lipschitz"]["default"])
        for found in find("bits")["formats"]:
            absolute = found["absolute"]
            error = abs(float(absolute["error"]))
            share = f"2^{log2(error / steepest):.1f}" if isfinite(steepest) else ""
            rows.append((found["dtype"], f"{error:.2g} at {code(format(float(absolute['x']), '.6g'))}", share))
        parts.append("f' from f(x), rounded to the format, and one bit that tells on which side of the "
                     f"{'minimum' if turns[0]['type'] == 'min' else 'maximum'} x lies: the largest errors found.\n\n"
                     + table(["format", "absolute", r"relative to the largest \|f'\|"], rows))
    return parts


def naive(actfun, record):
    found = actfun.json("naive", record["name"])["formulas"]
    if not found:
        return f"We know of no common formula for {code(record['name'])} that goes wrong.\n"
    rows = []
    for formula in found:
        events = []
        for start, end in formula["vanishes"]:
            events.append(f"vanishes for x from {start} to {end}")
        for start, end in formula["overflows"]:
            events.append(f"infinite or NaN for x from {start} to {end}")
        for side, (got, right) in formula["limits"].items():
            events.append(f"{got} at {side}, should be {right}")
        ulp, relative = formula["ulp"], formula["relative"]
        rows.append((code(f"{ORDERS[formula['order']]} = {formula['formula']}"), formula["users"], f"{formula['wrong_percent']} %",
                     f"{ulp['error']} at {ulp['x']}" if float(ulp["error"]) else "0",
                     f"{relative['error']} at {relative['x']}" if float(relative["error"]) else "0", "; ".join(events)))
    return ("In floats, with every operation and every exp, tanh, erf, ... rounded correctly: what is lost is the formula's "
            "fault. Misrounded: of inputs from 2^-8 to 16 of both signs. Relative errors: of results that should be normal "
            "numbers. Vanishes: it is 0 where the result should be a normal number. Infinite or NaN: where it should be finite.\n\n"
            + table(["formula", "written so by", "misrounded", "worst ULP at x", "worst relative at x", "and"], rows))


def page(actfun, record, directory):
    name = record["name"]
    parts = [f"<!-- Written by scripts/pages.py. -->\n# {name}\n", formulas(actfun, record), f"![{name}]({name}.svg)\n"]
    if record["kind"] != "A":
        parts.append(f"{code(name)} with its slope f' and its curvature f''. Shaded: |f'| < 0.01.\n")
    parts += ["## Properties\n", table(["", ""], properties(record))]
    naming = names(record)
    if naming:
        parts += ["## Names\n", naming]
    if record["kind"] != "A":
        parts += ["## Special values\n", "Results in f32, limits at ±inf.\n", special_values(actfun, record),
                  "## Kinks\n", kink_tables(record), "## Accuracy\n", certificate(record), measured(actfun, record, directory),
                  *backward(actfun, record),
                  "## What goes wrong in the common ways to write it\n", naive(actfun, record)]
    parts.append("[All functions](README.md)\n")
    (directory / f"{name}.md").write_text("\n".join(parts))


def index(records, directory):
    parts = ["<!-- Written by scripts/pages.py. -->\n# All functions\n",
             "A page each: formula, derivatives, picture, properties, special values, kinks, names, accuracy, and what goes "
             "wrong in the common ways to write it. [Differences](../differences.md) compares functions with each other and "
             "formats with real numbers.\n"]
    families = {}
    for record in records:
        families.setdefault(record["family"], []).append(record)
    for family, members in families.items():
        parts.append(f"## {FAMILIES.get(family, family.replace('_', ' ').capitalize())}\n")
        cells = [f'<a href="{r["name"]}.md"><img src="{r["name"]}.svg" width="190" alt="{r["name"]}"></a>' for r in members]
        titles = [f"[{r['name']}]({r['name']}.md)" for r in members]
        for start in range(0, len(members), 4):
            row, title = cells[start:start + 4], titles[start:start + 4]
            parts.append(table(title + [""] * (4 - len(title) if start else 0), [row + [""] * (4 - len(row) if start else 0)]))
    (directory / "README.md").write_text("\n".join(parts))


# Differences ----------------------------------------------------------------------------------------------------------

def picture_name(pair):
    return re.sub(r"[^a-z0-9_.]+", "-", "-".join(pair)).replace("=", "-") + ".svg"


def numbers(texts, digits=6):
    return ", ".join(f"{float(t):.{digits}g}" for t in texts)


def pair_section(actfun, pair, directory):
    picture = picture_name(pair)
    found = actfun.json("diff", *pair, "-o", directory / picture)
    compact(directory / picture)
    gaps, limits = found["gaps"], found["limits"]
    rows = [("largest gap", f"{abs(float(gaps[0]['difference'])):.9g} at x = {', '.join(code(g['x']) for g in gaps[:4])}" if gaps else "none")]
    slope = actfun.json("diff", *pair, "--order", 1)["gaps"]
    if slope:
        rows.append(("of f'", f"{abs(float(slope[0]['difference'])):.6g} at x = {', '.join(code(numbers([g['x']])) for g in slope[:4])}"))
    rows.append(("mean gap", f"{float(found['mean']):.4g}"))
    if found["crossings"]:
        rows.append(("they cross at x", numbers(found["crossings"][:8]) + (", ..." if len(found["crossings"]) > 8 else "")))
    if found["equal"]:
        rows.append(("equal on", ", ".join(code(f"[{float(a):.4g}, {float(b):.4g}]") for a, b in found["equal"])))
    rows.append(("difference at -inf, +inf", f"{limits['-inf']}, {limits['+inf']}"))
    return f"### {pair[0]} and {pair[1]}\n\n![{pair[0]} and {pair[1]}](differences/{picture})\n\n" + table(["", ""], rows)


def stairs_row(actfun, name, dtype):
    found = actfun.json("diff", name, "--dtype", dtype)
    own, real = found["at_numbers"], found["at_reals"]
    def gap(entry):
        return f"{float(entry['gap']):.3g} at {float(entry['x']):.4g}"
    return (code(name), dtype, found["numbers"], found["results"], found["vanished"], gap(own["absolute"]), gap(own["relative"]),
            gap(real["absolute"]))


def differences(actfun, pool, directory):
    pictures = directory / "differences"
    pictures.mkdir(parents=True, exist_ok=True)
    sections = [pool.submit(pair_section, actfun, pair, pictures) for pair in PAIRS]
    rows = [pool.submit(stairs_row, actfun, name, dtype) for name in STAIRS for dtype in SHORT]
    drawn = [pool.submit(actfun.text, "diff", name, "--dtype", dtype, "-o", pictures / picture_name((name, dtype))) for name, dtype in DRAWN_STAIRS]

    def finish():
        parts = ["<!-- Written by scripts/pages.py. -->\n# Differences\n",
                 "How far functions are apart on [-8, 8], as `actfun diff F G` measures it, and what short formats do to a "
                 "curve. [Pages of the functions](functions/README.md).\n", "## Functions\n"]
        parts += [section.result() for section in sections]
        parts += ["## Formats\n",
                  "`actfun diff F --dtype f16`: a function in a short format against itself in real numbers, on [-8, 8]. Every "
                  "result is the right one, rounded once. A number that is not in the format is rounded to it first, and "
                  "then the gap depends on how steep the curve is.\n",
                  table(["function", "format", "numbers", "different results", "0 in place of a number", "largest gap, at the format's numbers",
                         "relative", "largest gap, at all real numbers"], [row.result() for row in rows])]
        for (name, dtype), done in zip(DRAWN_STAIRS, drawn):
            done.result()
            compact(pictures / picture_name((name, dtype)))
            parts.append(f"![{name} in {dtype}](differences/{picture_name((name, dtype))})\n")
        (directory / "differences.md").write_text("\n".join(parts))
    return finish


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--actfun", default=ROOT / "build" / "release" / "tool" / "actfun", type=pathlib.Path)
    parser.add_argument("--output", default=ROOT / "docs", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    actfun, directory = Actfun(arguments.actfun.resolve()), arguments.output.resolve() / "functions"
    directory.mkdir(parents=True, exist_ok=True)
    records = actfun.json("list")
    unknown = set(arguments.names) - {record["name"] for record in records}
    if unknown:
        parser.error(f"no such functions: {', '.join(sorted(unknown))}")
    wanted = [record for record in records if not arguments.names or record["name"] in arguments.names]

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as scratch:
        drawn = pool.submit(actfun.text, "gallery", "--only-svg", "-o", scratch)
        finish = differences(actfun, pool, directory.parent) if not arguments.names else lambda: None
        for done in [pool.submit(page, actfun, record, directory) for record in wanted]:
            done.result()
        drawn.result()
        for record in wanted:
            shutil.copy(pathlib.Path(scratch) / f"{record['name']}.svg", directory)
            compact(directory / f"{record['name']}.svg")
        finish()
    if not arguments.names:
        index(records, directory)
        for stale in directory.glob("*"):  # a function that was renamed
            if re.sub(r"(_error)?\.(svg|md)$", "", stale.name) not in {r["name"] for r in records} | {"README"}:
                stale.unlink()


if __name__ == "__main__":
    main()
