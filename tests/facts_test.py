#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every fact in every record is true. ACTFUN is the path of the program.

`Checks` holds one check a field of `struct Info` in core/info.h, called for every function of `actfun list --json`. A
field without a check fails, and so does a check that a falsified record passes. Texts are evaluated in decimal
arithmetic of 170 digits: what cancels in doubles does not matter here, and exact products of a float and a double
remain exact. Results must then be the correctly rounded ones.
"""
import copy
import decimal
import functools
import itertools
import json
import math
import os
import pathlib
import random
import re
import struct
import subprocess
import unittest
from decimal import Decimal as D

ACTFUN = os.path.abspath(os.environ["ACTFUN"])
INFO = pathlib.Path(__file__).resolve().parent.parent / "core" / "info.h"
decimal.setcontext(decimal.Context(prec=170, rounding=decimal.ROUND_HALF_EVEN, traps=[]))

# ---------------------------------------------------------------------------------------------------- floats, points


def bits(x):
    return struct.unpack("<I", struct.pack("<f", x))[0]


def ordinal(x):
    """Floats in their order, numbered from -0 = 0 = 0."""
    n = bits(x)
    return n if n < 1 << 31 else (1 << 31) - n


def from_ordinal(n):
    return math.copysign(struct.unpack("<f", struct.pack("<I", abs(n)))[0], n)


def step(x, count):
    return from_ordinal(ordinal(x) + count)


def single(x):
    return struct.unpack("<f", struct.pack("<f", x))[0]


def correctly_rounded(y, exact):
    """Whether the float y is nearest to the real number; of a tie, both are."""

    def wide(n):  # the next number after the largest float would be 2^128
        if abs(n) > ordinal(math.inf):
            return D("inf").copy_sign(n)
        return D(2 ** 128).copy_sign(n) if abs(n) == ordinal(math.inf) else D(from_ordinal(n))

    if math.isnan(y) or exact.is_nan():
        return math.isnan(y) and exact.is_nan()
    n = ordinal(y)
    return (wide(n - 1) + wide(n)) / 2 <= exact <= (wide(n) + wide(n + 1)) / 2


GRID = [i / 8 for i in range(-80, 81)]
FINE = [i / 256 for i in range(-2560, 2561)]
TAILS = [sign * 2.0 ** k for sign in (-1, 1) for k in range(-149, 128)]
LARGEST = from_ordinal(ordinal(math.inf) - 1)
_random = random.Random(1)
# All magnitudes up to 64: beyond, the decimal evaluation of a formula takes long and shows nothing new.
SCATTERED = [_random.choice((-1, 1)) * single(_random.uniform(1, 2) * 2.0 ** _random.uniform(-140, 5))
             for _ in range(60)] + [single(_random.uniform(-16, 16)) for _ in range(60)]

# --------------------------------------------------------------------------------------------------- texts to numbers


def _pi():
    """Machin's formula."""

    def arctan(n):  # of 1/n
        return sum((-1) ** k * D(1) / ((2 * k + 1) * D(n) ** (2 * k + 1)) for k in range(130))

    return 16 * arctan(5) - 4 * arctan(239)


PI = _pi()


@functools.lru_cache(None)
def exp(x):
    return x.exp()


def phi(x):
    return exp(-x * x / 2) / (2 * PI).sqrt()


@functools.lru_cache(None)
def Phi(x):
    """1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...); far out Laplace's continued fraction of the tail."""
    if abs(x) > 25:
        fraction = abs(x)
        for k in range(50, 0, -1):
            fraction = abs(x) + k / fraction
        return phi(x) / fraction if x < 0 else 1 - phi(x) / fraction
    term = total = x
    k = 1
    while abs(term) > abs(total) * D("1e-170"):
        k += 2
        term = term * x * x / k
        total += term
    return D("0.5") + phi(x) * total


def sin(x):
    """Taylor's series of what multiples of 2 pi leave."""
    x -= 2 * PI * (x / (2 * PI)).to_integral_value()
    term = total = x
    k = 1
    while abs(term) > abs(total) * D("1e-170"):
        k += 2
        term = -term * x * x / (k * (k - 1))
        total += term
    return total


def atan(x):
    """Euler's series x/(1 + x^2) (1 + 2/3 w + 2/3 4/5 w^2 + ...), w = x^2/(1 + x^2), after halving the angle."""
    for _ in range(8):
        x = x / (1 + (1 + x * x).sqrt())
    w = x * x / (1 + x * x)
    term = total = x / (1 + x * x)
    k = 0
    while abs(term) > abs(total) * D("1e-170"):
        k += 2
        term *= w * k / (k + 1)
        total += term
    return 256 * total


def _selu():
    """alpha and lambda: the fixed point of mean 0 and variance 1."""
    erfc = lambda x: 2 * (1 - Phi(x * D(2).sqrt()))
    e, pi = D(1).exp(), PI
    p, q = e.sqrt() * erfc(1 / D(2).sqrt()), e * e * erfc(D(2).sqrt())
    variance = 2 * q + pi * p * p - 2 * (2 + pi) * p + pi + 2
    return (2 / pi).sqrt() / (1 - p), (1 - p) * (2 * pi).sqrt() / variance.sqrt()


SELU_ALPHA, SELU_LAMBDA = _selu()


def beginning(digits):
    """`1.6732...`: the constant whose digits begin so."""
    return next(c for c in (SELU_ALPHA, SELU_LAMBDA) if str(c).startswith(digits))


NOTATION = {
    "SELU_ALPHA": SELU_ALPHA, "SELU_LAMBDA": SELU_LAMBDA, "beginning": beginning,
    "D": D, "abs": abs, "max": max, "min": min, "inf": D("inf"), "nan": D("nan"), "pi": PI, "exp": exp,
    "expm1": lambda x: exp(x) - 1, "log": lambda x: x.ln(), "sqrt": lambda x: x.sqrt(),
    "tanh": lambda x: 1 - 2 / (exp(2 * x) + 1), "sigmoid": lambda x: 1 / (1 + exp(-x)),
    "softplus": lambda x: (1 + exp(x)).ln(), "sign": lambda x: D((x > 0) - (x < 0)), "phi": phi, "Phi": Phi,
    "e": D(1).exp(), "erf": lambda x: 2 * Phi(x * D(2).sqrt()) - 1, "sin": sin, "cos": lambda x: sin(x + PI / 2),
    "atan": atan, "none": D("nan"),  # no limit
}


@functools.lru_cache(None)
def compiled(text):
    """`text`, and the definitions that follow it: Python but for ^, |x| and numbers, which become decimals."""
    text = re.sub(r"\|([^|]*)\|", r"abs(\1)", text).replace("^", "**")
    text = re.sub(r"\blambda\b", "lambda_", text)  # a parameter's name
    text = re.sub(r"\b(sum|max)_j\(", r"\1_j(lambda x_j: ", text)  # over the row
    text = re.sub(r"(\d+\.\d+)\.\.\.(?=,|$)", r"beginning('\1')", text)
    text = re.sub(r"(?<![\w.'])\d+(?:\.\d+)?(?:e[-+]?\d+)?", r"D('\g<0>')", text)
    text, *definitions = re.split(r", (?=\w+ = )", text)
    pairs = (definition.split(" = ", 1) for definition in definitions)
    return compile(text, text, "eval"), [(name, compile(body, body, "eval")) for name, body in pairs]


def real(text, names):
    code, definitions = compiled(text)
    names = {**NOTATION, **names}
    for name, body in definitions:
        names[name] = eval(body, names)
    result = eval(code, names)
    return result if isinstance(result, bool) else D(result)


def split_condition(text):
    """A fact and the condition behind it: `... if s > 0`, `... when value = 0`, `... (alpha >= 0)`."""
    match = re.fullmatch(r"(.*?)(?: (?:if|iff|when|for) (.*)| \((?:independent of )?([^()]*[<>=][^()]*)\))?", text)
    condition = match[2] or match[3]
    return match[1], condition and re.sub(r"(?<![<>=!])=(?!=)", "==", condition)


# ----------------------------------------------------------------------------------------------------------- functions


def run(*arguments, text=None):
    return subprocess.run([ACTFUN, *arguments], input=text, capture_output=True, text=True)


def spell(x):
    return float.hex(x) if math.isfinite(x) else str(x)


@functools.lru_cache(None)
def evaluated(function, order, points, kinks="actfun"):
    text = "".join(spell(x) + "\n" for x in points)
    result = run("eval", function, "--order", str(order), "--format", "hex", "--kinks", kinks, text=text)
    assert result.returncode == 0, result.stderr
    return [float.fromhex(line) for line in result.stdout.split()]


class Function:
    """A function with values for its parameters: what the program computes of it, and what the record says."""

    def __init__(self, record, **values):
        self.record = record
        self.call = record["name"] + "".join(f"{':,'[i > 0]}{k}={v!r}" for i, (k, v) in enumerate(values.items()))
        given = set(values)
        exact = {p["name"]: p["default_exact"] for p in record["parameters"] if "default_exact" in p}
        values = {**{p["name"]: p["default"] for p in record["parameters"]}, **values}
        self.names = {name.replace("lambda", "lambda_"): D(value) for name, value in values.items()}
        self.names.update((name, real(text, {})) for name, text in exact.items() if name not in given)
        for name, body in compiled(record["formula"])[1]:  # s = negative_slope serves other texts too
            try:
                self.names[name] = eval(body, {**NOTATION, **self.names})
            except NameError:  # depends on x
                pass

    def __call__(self, points, order=0, kinks="actfun"):
        return evaluated(self.call, order, tuple(points), kinks)

    def real(self, text, **names):
        return real(text, {**self.names, **names})

    @functools.lru_cache(None)
    def exact(self, x, order=0):
        text = self.record[("formula", "derivative", "second_derivative")[order]]
        return self.real(text, x=D(x), **({"f": self.exact(x)} if order > 0 and re.search(r"\bf\b", text) else {}))

    def holds(self, condition):
        return condition is None or self.real(condition)

    def floats(self, texts):
        return [single(float(self.real(text))) for text in texts]


def accepts(record, values):
    """Whether all parameters lie in their domains, when `values` replace the defaults."""
    values = {**{p["name"]: p["default"] for p in record["parameters"]}, **values}
    for p in record["parameters"]:
        integer, sign, bound = re.match(r"(?:any real|(integer )?(>|>=|<=) (\w+))", p["domain"]).groups()
        value = values[p["name"]]
        bound = values[bound] if bound in values else float(bound or 0)
        allowed = {None: True, ">": value > bound, ">=": value >= bound, "<=": value <= bound}[sign]
        if not allowed or (integer and value != int(value)):
            return False
    return True


@functools.lru_cache(None)
def _variants(text):
    record = json.loads(text)
    # Beside other values a default that no decimal holds would blur what is exact: a kink at -beta/alpha.
    dyadic = {p["name"]: 0.25 for p in record["parameters"] if "default_exact" in p}
    others = [{**dyadic, p["name"]: value} for p in record["parameters"] for value in (0.0, 0.5, 2.0, -1.5)
              if value != p["default"] and accepts(record, {p["name"]: value})]
    return [Function(record)] + [Function(record, **values) for values in others]


def variants(record, text=None):
    """The function at its defaults and at other parameters; only the former when `text` mentions no parameter."""
    functions = _variants(json.dumps(record))
    return functions if text is None or set(re.findall(r"\w+", text)) & set(functions[0].names) else functions[:1]


def elementwise(check):
    check.elementwise = True
    return check


def require(condition, *message):
    if not condition:
        raise AssertionError(" ".join(map(str, message)))


FRAMEWORKS = re.search(r"kKinksNames\[\] = \{(.*?)\}", INFO.read_text())[1].replace('"', "").split(", ")
EVIDENCE = r"([SDIXM](/[SDIXM])*)?"

# -------------------------------------------------------------------------------------------------------------- checks


def text_is_true(record, order):
    """The library's results are the text's real numbers, correctly rounded, away from kinks."""
    for f in variants(record):
        kinks = {float(f.real(k["x"])) for k in record["kinks"] if k["order"] <= order}
        near = {step(x, i) for x in kinks for i in (-1, 1)}
        extrema = f.floats(e["x"] for e in record["extrema"])
        points = [x for x in {*GRID[::2], *SCATTERED, *near, *extrema} if x not in kinks]
        for x, y in zip(points, f(points, order)):
            require(correctly_rounded(y, f.exact(x, order)), f.call, "order", order, "at", x, "is", y)


def limits_are_true(record, field, order):
    for side, text in (record[field]["text"] if order == 0 else record[f"{field}_text"]).items():
        infinity = float(side)
        for f in variants(record, text):
            y, near = f([infinity, math.copysign(LARGEST, infinity)], order)
            if text in ("0", "-0"):  # zeros have signs
                require(bits(y) == bits(float(text)), f.call, "order", order, side, y)
            else:
                require(correctly_rounded(y, f.real(text)), f.call, "order", order, side, y)
            approached = abs(near - y) <= 1e-6 * max(1, abs(y)) if math.isfinite(y) else near * y > 0 and abs(near) > 20
            require(math.isnan(y) or approached, f.call, "order", order, side, "is", near, "nearby")
        stated, computed = float(record[field][side]), Function(record)([infinity], order)[0]
        require(bits(stated) == bits(computed) or stated != stated != computed != computed, field, side, stated)


def jumps(f, order):
    """The places in [-20, 20] where f, f' or f'' jumps: where it still moves fast under the magnifying glass."""
    found, intervals, pieces = [], [(-20.0, 20.0)], 4096
    threshold = min(1.0, max(map(abs, f(FINE, order)))) / 64
    while intervals:
        cuts = [sorted({single(a + (b - a) * i / pieces) for i in range(pieces + 1)}) for a, b in intervals]
        y = iter(f([x for points in cuts for x in points], order))
        pairs = [(a, b, fa, fb) for points in cuts
                 for (a, fa), (b, fb) in itertools.pairwise(zip(points, itertools.islice(y, len(points))))]
        moving = [(a, b) for a, b, fa, fb in pairs if abs(fb - fa) > threshold * max(1.0, min(abs(fa), abs(fb)))]
        found += [(a, b) for a, b in moving if b - a <= 2.0 ** -19]
        intervals, pieces = [(a, b) for a, b in moving if b - a > 2.0 ** -19], 64
    return found


def interval_ends(part):
    """(lower, upper, lower belongs to it, upper belongs to it) as texts."""
    if part.startswith("{"):
        numbers = part[1:-1].split(", ")
        return [(number, number, True, True) for number in numbers]
    match = re.fullmatch(r"([\[(])(.*), (.*)([\])])", part)
    return [(match[2], match[3], match[1] == "[", match[4] == "]")]


def axis_values(text, row):
    """The formula of a function on rows, for each i."""
    names = {**NOTATION, "x": row, "sum_j": lambda g: sum(map(g, row)), "max_j": lambda g: max(map(g, row))}
    code, definitions = compiled(text.replace("x_1, ..., x_k", "*x"))
    for name, body in definitions:
        names[name] = eval(body, names)
    return [eval(code, {**names, "x_i": x_i}) for x_i in row]


def axis_range(record, ends):
    """Rows of finite numbers reach the ends of the range, or come near."""
    values = [float(y) for row in ([0, -1e4], [0, 0], [1, 2], [-3e38, -3e38], [-3e38, 3e38], [3e38, 3e38])
              for y in run("eval", record["name"], *map(str, row)).stdout.split()]
    for low, high, *closed in ends:
        low, high = float(low), float(high)
        require(all(low <= y <= high for y in values), record["name"], values)
        require(min(values) <= max(low, -1e30) and max(values) >= min(high, 1e30), record["name"], values)
        require([low in values, high in values] == closed, record["name"], values)


def wrong_range(f, ends):
    """Why the outputs do not fill the intervals between `ends`; None when they do."""
    default, extrema = f.call == f.record["name"], f.record["extrema"]
    near = [step(x, i) for x in f.floats(k["x"] for k in f.record["kinks"]) for i in (-1, 1)]
    y = list(map(D, f(FINE + TAILS + near)))
    kinks = {float(f.real(k["x"])) for k in f.record["kinks"]}
    # An end is attained where f is level, or at a kink; elsewhere f only comes near it, if ever so near.
    exact = [f.exact(x) for x in GRID if x in kinks or f.exact(x, 1) == 0]
    exact += [f.exact(x) for x in f.floats(e["x"] for e in extrema if e["of"] == "f")]
    exact += [f.real(e["value"]) for e in extrema if e["of"] == "f"]
    parts = [(f.real(low), f.real(high), closed) for low, high, *closed in ends]
    for low, high, closed in parts:
        for end, belongs, farthest in ((low, closed[0], min), (high, closed[1], max)):
            if end.is_infinite():
                if belongs or abs(farthest(y)) < D("1e15"):
                    return f"does not go to {end}"
            elif min(abs(v - end) for v in y) > D("1e-6"):
                return f"stays away from {end}"
            elif default and any(abs(v - end) < D("1e-15") for v in exact) != belongs:
                return f"{'never ' * belongs}attains {end}"
    for v in y:  # rounding may carry a result onto an open end, or just across a closed one
        if not any(low - D("1e-7") <= v <= high + D("1e-7") for low, high, _ in parts):
            return f"takes the value {v}"


def agree(a, b, tolerance=D("1e-60")):
    return abs(a - b) <= tolerance * abs(b)


class Checks:
    """For each field of Info: does `record` tell the truth?"""

    def name(record):
        require(re.fullmatch("[a-z][a-z0-9_]*", record["name"]))
        require(run("show", record["name"]).stdout.startswith(record["name"] + "\n"), record["name"])

    def aliases(record):
        for alias in record["aliases"]:
            require(run("show", "--json", alias).stdout == run("show", "--json", record["name"]).stdout, alias)

    def known_as(record):
        """What others call it: for people and searches, and so no name of another function."""
        others = {n for r in RECORDS if r["name"] != record["name"] for n in [r["name"], *r["aliases"]]}
        for text in record["known_as"]:
            require(text.strip() == text != "" and text not in others | {record["name"], *record["aliases"]}, text)

    def family(record):
        families = {"rectifier", "exponential", "sigmoid", "gated_smooth", "other", "axis"}
        require(record["family"] in families and (record["family"] == "axis") == (record["kind"] == "A"))

    def kind(record):
        learnable = [p["learnable"] for p in record["parameters"]]
        kind = "A" if "derivative_limits" not in record else "L" if any(learnable) else "P" if learnable else "U"
        if "training mode draws" in record.get("note", ""):
            kind = "R"
        require(record["kind"] == kind, record["kind"])
        result = run("eval", record["name"], "1", "2", "--order", "1")
        require((result.returncode == 2) == (kind == "A"), "order 1 of a function on rows")

    def parameters(record):
        name, axis = record["name"], record["kind"] == "A"
        points = ("-3", "-1", "0.5", "2", "1", "-0.25")
        default = run("eval", name, *points).stdout
        for p in record["parameters"]:
            assign = lambda value: run("eval", f"{name}:{p['name']}={value}", *points)
            same = assign(repr(p["default"])).stdout == default  # a rational default is not its nearest double
            require(same == ("default_exact" not in p), "default", p)
            accepted = lambda value: accepts(record, {p["name"]: value})
            other = next(v for v in (3.0, 0.5, 0.25) if v != p["default"] and accepted(v))
            require(assign(other).stdout not in ("", default), "has no effect", p)
            for value in (-1.5, -1.0, -1e-300, 0.0, 1e-300, 0.5, 1.0, 1.5, 2.0, 3.0):
                result = assign(value)
                if accepted(value):
                    require(result.returncode == 0, result.stderr)
                else:  # a value that is right by itself may be wrong for another parameter
                    told = any(q["name"] + "=" in result.stderr and q["domain"] in result.stderr
                               for q in record["parameters"] if q is p or re.search(rf"\b{p['name']}\b", q["domain"]))
                    require(result.returncode == 2 and told, p, value, result.stderr)
            for value in ("nan", "inf", "-inf"):
                require(assign(value).returncode == 2, p, value)
            require(not p["learnable"] or record["kind"] == "L", p)
        require(run("eval", f"{name}:no_such=1", "1").returncode == 2 and (axis or len(default.split()) == 6))

    def formula(record):
        if record["kind"] != "A":
            return text_is_true(record, 0)
        for row in ([0.5, -1.25], [-3.0, -3.5]):
            result = run("eval", record["name"], *map(str, row), "--format", "hex").stdout.split()
            exact = axis_values(record["formula"], list(map(D, row)))
            require(len(result) in (1, 2), result)
            for y, true in zip(result, exact):
                require(correctly_rounded(float.fromhex(y), true), record["name"], row, y)

    def derivative(record):
        if record["kind"] != "A":
            return text_is_true(record, 1)
        text = re.search(r"^f'\(x\) +(.*)$", run("show", record["name"]).stdout, re.M)[1]
        code = compiled({"1 for the winner, 0 for the others": "D(x_j == max(x))"}.get(text, text))[0]
        x, h = [D("0.5"), D("-1.25")], D("1e-40")
        y = axis_values(record["formula"], x)
        for i, j in itertools.product(range(2), repeat=2):
            moved = [axis_values(record["formula"], [v + (k == j) * s for k, v in enumerate(x)])[i] for s in (h, -h)]
            names = {"x": x, "x_j": x[j], "y_i": y[i], "y_j": y[j], "delta_ij": D(i == j)}
            stated = eval(code, {**NOTATION, **names})
            require(abs((moved[0] - moved[1]) / (2 * h) - stated) < D("1e-30"), record["name"], text)

    @elementwise
    def second_derivative(record):
        text_is_true(record, 2)

    @elementwise
    def kinks(record):
        for f in variants(record):
            at_default = f is variants(record)[0]
            expected = {0: [], 1: [], 2: []}
            for k in record["kinks"]:
                exactly = f.real(k["x"])
                x = single(float(exactly))
                require(not at_default or float(k["x_default"]) == float(exactly), k["x_default"])
                same = [j for j in record["kinks"] if f.real(j["x"]) == exactly]  # at special parameters two meet
                first, last = same[0], same[-1]
                values = {1: [f.real(k["derivative_at"]), f.real(first["left"]), f.real(last["right"])],
                          2: [f.real(k["second_at"]), f.real(first["second_left"]), f.real(last["second_right"])]}
                for order, (at, left, right) in values.items():
                    before, here, after = f([step(x, -1), x, step(x, 1)], order)
                    owner = at if exactly == D(x) else right if exactly < D(x) else left
                    require(correctly_rounded(here, owner), f.call, "order", order, "at the kink", here)
                    for y, side in ((before, left), (after, right)):
                        require(abs(D(y) - side) <= D("1e-6") * max(1, abs(side)), f.call, "order", order, y, side)
                    if not left == at == right:
                        expected[order].append(x)
                if k["order"] == 0 and abs(f.exact(exactly + D("1e-30")) - f.exact(exactly - D("1e-30"))) > D("1e-20"):
                    expected[0].append(x)
                lowest = min((order for order in expected if x in expected[order]), default=None)
                require(lowest == k["order"] or not at_default, f.call, "order of the kink at", x)
            for order in expected:  # these and no others
                found = jumps(f, order)
                for x in expected[order]:
                    require(any(a <= x <= b for a, b in found), f.call, "order", order, "does not jump at", x)
                for a, b in found:
                    require(any(a <= x <= b for x in expected[order]), f.call, "order", order, "jumps at", a)

    @elementwise
    def conventions(record):
        known = {c["framework"]: c for c in record["conventions"]}
        require(len(known) == len(record["conventions"]) and known.keys() <= set(FRAMEWORKS[1:]), known)
        for c in known.values():
            require(re.fullmatch(EVIDENCE, c["evidence"]) and c["remark"] == c["remark"].strip(), c)
            require(len(c["slopes"]) == len(record["kinks"]) > 0, record["name"], c)
        for framework in FRAMEWORKS[1:]:
            if framework not in known and record["kinks"]:
                result = run("eval", record["name"], "--order", "1", "--kinks", framework, "0")
                told = result.stderr.split("known are ")[-1].strip().split(", ")
                require(result.returncode == 2 and told == ["actfun", *known], record["name"], framework, result.stderr)
                continue
            slopes = known[framework]["slopes"] if record["kinks"] else []
            for f in variants(record):
                at = {}  # of kinks that meet, the last
                for k, slope in zip(record["kinks"], slopes):
                    x = f.real(k["x"])
                    if D(single(float(x))) == x:  # an input may be there
                        at[single(float(x))] = slope
                points = [step(x, i) for x in at for i in (-1, 0, 1)] + [-0.0, *GRID]
                for order in range(3):
                    own, theirs = f(points, order), f(points, order, framework)
                    for x, a, b in zip(points, own, theirs):
                        if order == 1 and x in at:
                            require(correctly_rounded(b, f.real(at[x])), f.call, framework, "at", x, "is", b)
                        else:
                            require(bits(a) == bits(b), f.call, framework, "order", order, "at", x, "is", b)

    def presets(record):
        names = [p["name"] for p in record["presets"]]
        require(len(set(names)) == len(names) and all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names), names)
        for p in record["presets"]:
            require(re.fullmatch(EVIDENCE, p["evidence"]) and p["remark"] == p["remark"].strip(), p)
            for name in (record["name"], *record["aliases"]):
                text, json_text = (run("show", *form, f"{name}@{p['name']}").stdout for form in ([], ["--json"]))
                require(text.splitlines()[0] == p["call"], name, p, "is", text.splitlines()[0])  # and so is canonical
                require(json_text == run("show", "--json", p["call"]).stdout != "", name, p)
            for q in json.loads(json_text)["parameters"]:  # a value that is given overrides the preset's
                given = run("show", f"{record['name']}@{p['name']}:{q['name']}=0.75").stdout
                separator = "," if ":" in p["call"] else ":"
                call = re.sub(rf"(?<=[:,]){q['name']}=[^,]*", f"{q['name']}=0.75", p["call"])
                call += f"{separator}{q['name']}=0.75" * (call == p["call"])
                require(given == run("show", call).stdout != "", given, call)
        result = run("show", record["name"] + "@no_such")
        told = result.stderr.split("; it has ")[-1].strip()
        require(result.returncode == 2 and told == (", ".join(names) or "none"), record["name"], result.stderr)

    @elementwise
    def limits(record):
        limits_are_true(record, "limits", 0)

    @elementwise
    def derivative_limits(record):
        limits_are_true(record, "derivative_limits", 1)

    @elementwise
    def second_derivative_limits(record):
        limits_are_true(record, "second_derivative_limits", 2)

    def range(record):
        text, condition = split_condition(record["range"])
        ends = [end for part in text.split(" U ") for end in interval_ends(part)]
        if record["kind"] == "A":
            return axis_range(record, ends)
        for f in variants(record) if condition else variants(record)[:1]:
            reason = wrong_range(f, ends)
            # Conditions are exact: where one does not hold, neither does the fact.
            require((reason is None) == f.holds(condition), f.call, reason or "has the range outside of its condition")

    @elementwise
    def monotone(record):
        text, condition = split_condition(record["monotone"])
        require(text in ("increasing", "decreasing", "no"), text)
        points = sorted({*FINE, *TAILS})
        for f in variants(record)[: 1 if text == "no" else None]:  # special parameters may make a function simpler
            y = f(points)
            falls = any(b < a for a, b in zip(y, y[1:]))
            rises = any(b > a for a, b in zip(y, y[1:]))
            facts = {"increasing": not falls, "decreasing": not rises, "no": falls and rises}
            require(facts[text] == f.holds(condition), f.call, "rises" * rises, "falls" * falls)  # conditions are exact
            require(f.call != record["name"] or falls or rises, f.call, "is constant")

    @elementwise
    def symmetry(record):
        points = [x for x in [0.0, *FINE, *TAILS, *SCATTERED, math.inf] if x >= 0]
        text, condition = split_condition(record["symmetry"])
        for f in variants(record)[: 1 if text == "none" else None]:
            pairs = [(a, b) for a, b in zip(f(points), f([-x for x in points])) if not math.isnan(a) or not math.isnan(b)]
            kinds = {"even": all(bits(a) == bits(b) for a, b in pairs),
                     "odd": all(bits(a) == bits(-b) for a, b in pairs)}
            kinds["none"] = not any(kinds.values())
            require(kinds[text] == f.holds(condition), f.call)

    @elementwise
    def lipschitz(record):
        text, condition = split_condition(record["lipschitz"]["expression"])
        largest = max((abs(D(e["value"])) for e in record["extrema"] if e["of"] == "f'"), default=D("nan"))
        default = D(record["lipschitz"]["default"])
        for f in variants(record, text + (condition or "")):
            bound = largest if text == "max f'" else f.real(text)
            near = [step(single(float(f.real(k["x"]))), i) for k in record["kinks"] for i in (-1, 0, 1)]
            steepest = max(map(abs, f([*FINE, *TAILS, *near, -math.inf, math.inf], 1)))
            if any(abs(f.exact(x + h) - f.exact(x - h)) > D("1e-20") for h in [D("1e-30")]
                   for x in [f.real(k["x"]) for k in record["kinks"] if k["order"] == 0]):
                steepest = math.inf  # f jumps
            true = bound * D("0.9999") <= D(steepest) <= bound * D(1 + 2 ** -24)
            require(true == f.holds(condition), f.call, "is at most so steep:", steepest)
            near = bound == default or abs(bound - default) <= D("1e-15")
            require(f.call != record["name"] or near, "default", default)

    @elementwise
    def roots(record):
        f = Function(record)
        texts = [text for text, condition in map(split_condition, record["roots"]) if f.holds(condition)]
        intervals = [text for text in texts if re.search("[<>]", text)]
        multiples = lambda text: range(-20, 21) if re.search(r"\bk\b", text) else [0]  # k*pi: every integer k
        numbers = [f.real(text, k=D(k)) for text in texts if text not in intervals for k in multiples(text)]
        for r in numbers:
            require(abs(f.exact(r)) < D("1e-15"), f.call, "is", f.exact(r), "at", r)
        declared = lambda x: D(x) in numbers or any(f.real(text, x=D(x)) for text in intervals)
        points = [*FINE, *(x for x in TAILS if abs(x) > 10 and record["limits"]["text"][f"{'+-'[x < 0]}inf"] != "-0")]
        points = sorted(x for x in points if f.exact(x) == 0 or abs(f.exact(x)) > D("1e-40")) if intervals else FINE
        y = f(points)
        for x, value in zip(points, y):
            underflow = value == 0 and 0 < abs(f.exact(x)) <= D(2) ** -150
            require((value == 0 and not underflow) == declared(x), f.call, "is", value, "at", x)
        for a, b, fa, fb in zip(points, points[1:], y, y[1:]):
            if fa * fb < 0:
                require(any(a < r < b for r in numbers), f.call, "changes sign in", a, b)

    @elementwise
    def extrema(record):
        f = Function(record)
        orders = {"f": 0, "f'": 1, "f''": 2}
        kinks = [(f.real(k["x"]), k["order"]) for k in record["kinks"]]
        found = {0: [], 1: [], 2: []}
        for e in record["extrema"]:
            order, x, value = orders[e["of"]], f.real(e["x"]), f.real(e["value"])
            sign = {"min": 1, "max": -1}[e["type"]]
            found[order].append(x)
            require(abs(f.exact(x, order) - value) <= D("1e-18"), f.call, e, "is", f.exact(x, order))
            computed, = f([single(float(x))], order)
            require(abs(computed - float(value)) <= 1e-6 * abs(float(value)) or
                    correctly_rounded(computed, f.exact(single(float(x)), order)), f.call, e, "is computed", computed)
            for h in (D("1e-15"), D("1e-3")):  # x has 18 digits or more
                for side in (x - h, x + h):
                    require(sign * (f.exact(side, order) - f.exact(x, order)) > 0, f.call, e, "not beside", side)
            if order < 2 and (x, order + 1) not in kinks:
                before, after = (f.exact(x + h, order + 1) for h in (D("-1e-15"), D("1e-15")))
                require(sign * before < 0 < sign * after, f.call, e, "slopes", before, after)
        # No other: wherever three points in a row turn, one is stated. Kinks have a field of their own.
        for order, stated in found.items():
            y = [f.exact(x, order) for x in GRID]
            limit = record[("limits", "derivative_limits", "second_derivative_limits")[order]]["+inf"]
            # Of a function that turns forever the nearest are stated.
            reach = max(map(abs, stated), default=0) - D("0.125") if limit == "nan" else D("inf")
            for i in range(1, len(y) - 1):
                if abs(GRID[i]) < reach and (y[i] - y[i - 1]) * (y[i + 1] - y[i]) < 0:
                    around = lambda x: GRID[i - 1] <= x <= GRID[i + 1]
                    require(any(map(around, stated)) or any(around(x) for x, _ in kinks),
                            f.call, "order", order, "turns near", GRID[i])

    @elementwise
    def from_output(record):
        fact = record["from_output"]
        if not fact["possible"]:
            return require(fact["formula"] is None and fact["reason"] in run("show", record["name"]).stdout, fact)
        for f in variants(record):
            kinks = [f.real(k["x"]) for k in record["kinks"] if k["order"] < 2]
            wrong = [x for x in GRID if D(x) not in kinks and not agree(f.real(fact["formula"], y=f.exact(x)), f.exact(x, 1))]
            holds = fact["condition"] == "always" or f.holds(fact["condition"])
            require((not wrong) == holds, f.call, fact, wrong[:3])  # conditions are exact
            if holds:  # the library's formula is the record's
                y = [v for v in f([x for x in GRID[::4] if D(x) not in kinks]) if math.isfinite(v)]
                got = run("eval", f.call, "--from-output", "--format", "hex", text="".join(spell(v) + "\n" for v in y))
                for v, slope in zip(y, map(float.fromhex, got.stdout.split()), strict=True):
                    exact = f.real(fact["formula"], y=D(v))
                    require(correctly_rounded(slope, exact) or slope == 0 and not exact > 0, f.call, "from", v, "is", slope)
        # Where f saturates, what a float keeps of y says little of f'.
        f = Function(record)
        loses = any(not agree(f.real(fact["formula"], y=D(y)), f.exact(x, 1), D("1e-4"))
                    for x, y in zip(TAILS, f(TAILS)) if abs(x) > 1 and 2.0 ** -126 <= abs(y) < math.inf and f.exact(x, 1) > D("1e-30"))
        require(loses == fact["loses_accuracy_where_saturated"], f.call, "loses accuracy" * loses)

    @elementwise
    def inverse(record):
        fact = record["inverse"]
        for f in variants(record):
            steps = [b - a for a, b in itertools.pairwise(f.exact(x) for x in GRID if abs(x) <= 4)]
            strict = all(s > 0 for s in steps) or all(s < 0 for s in steps)
            holds = fact["possible"] and (fact["condition"] == "always" or f.holds(fact["condition"]))
            if fact["possible"] or f.call == record["name"]:
                require(strict == holds, f.call, "is strictly monotone" if strict else "is not strictly monotone")

    def paper(record):
        require(record["paper"] is None or re.search(r"\b(1[5-9]|20)\d\d\b", record["paper"]), record["paper"])

    def note(record):
        note = record.get("note", "none")
        require(note.strip() == note != "" and (note in run("show", record["name"]).stdout or note == "none"))


# --------------------------------------------------------------------------------------------------------------- tests


def info_fields():
    body = re.search(r"^struct Info \{\n(.*?)^\};", INFO.read_text(), re.S | re.M)[1]
    body = re.sub(r"//.*", "", body)
    return [name for line in body.split(";") for name in re.findall(r"(\w+)(?:\{\}| = [\w:]+)", line)]


RECORDS = json.loads(run("list", "--json").stdout)


def check_all(field):
    def test(self):
        check = getattr(Checks, field, None)
        self.assertIsNotNone(check, f"no test reads Info::{field}")
        for record in RECORDS:
            if record["kind"] != "A" or not hasattr(check, "elementwise"):
                with self.subTest(record["name"]):
                    check(record)

    return test


class Facts(unittest.TestCase):
    """test_<field> for every field of struct Info."""


for _field in info_fields():
    setattr(Facts, f"test_{_field}", check_all(_field))


class Meta(unittest.TestCase):
    def test_fields(self):
        fields = set(info_fields())
        self.assertGreater(len(fields), 15)
        self.assertEqual({name for name in vars(Checks) if not name.startswith("_")}, fields)
        for record in RECORDS:  # nothing is told that no check reads
            texts = {"derivative_limits_text", "second_derivative_limits_text"}  # of the limits beside them
            self.assertLessEqual(set(record) - {"certified"} - texts, fields)

    def test_names_are_unique(self):
        names = [name for record in RECORDS for name in [record["name"], *record["aliases"]]]
        self.assertEqual(len(names), len(set(names)))

    def test_falsified_records_are_noticed(self):
        """Every check fails on facts that are wrong."""
        wrong = {
            "name": ("gelu", lambda r: r.update(name="gelu2")),
            "aliases": ("sigmoid", lambda r: r["aliases"].append("tanh")),
            "known_as": ("silu", lambda r: r["known_as"].append("gelu")),
            "family": ("gelu", lambda r: r.update(family="axis")),
            "kind": ("elu", lambda r: r.update(kind="U")),
            "parameters": ("softplus", lambda r: r["parameters"][0].update(domain=">= 0")),
            "formula": ("elu", lambda r: r.update(formula="x if x > 0 else alpha*(exp(x) - 1.0000001)")),
            "derivative": ("gelu", lambda r: r.update(derivative="Phi(x) + x*phi(x)*1.0000001")),
            "second_derivative": ("tanh", lambda r: r.update(second_derivative="-2*tanh(x)")),
            "kinks": ("relu", lambda r: r["kinks"].clear()),
            "conventions": ("leaky_relu", lambda r: r["conventions"][1].update(slopes=["negative_slope"])),
            "presets": ("leaky_relu", lambda r: r["presets"][-1].update(call="leaky_relu:negative_slope=0.3")),
            "limits": ("gelu", lambda r: r["limits"]["text"].update({"-inf": "0"})),
            "derivative_limits": ("gelu", lambda r: r["derivative_limits_text"].update({"+inf": "2"})),
            "second_derivative_limits": ("tanh", lambda r: r["second_derivative_limits_text"].update({"+inf": "0"})),
            "range": ("sigmoid", lambda r: r.update(range="[0, 1)")),
            "monotone": ("silu", lambda r: r.update(monotone="increasing")),
            "symmetry": ("softsign", lambda r: r.update(symmetry="even")),
            "lipschitz": ("sigmoid", lambda r: r["lipschitz"].update(expression="1/2")),
            "roots": ("gelu", lambda r: r["roots"].append("1")),
            "extrema": ("gelu", lambda r: r["extrema"].pop()),
            "from_output": ("elu", lambda r: r["from_output"].update(condition="always")),
            "inverse": ("affine", lambda r: r["inverse"].update(condition="alpha > 0")),
            "paper": ("gelu", lambda r: r.update(paper="Hendrycks & Gimpel")),
            "note": ("gelu_tanh", lambda r: r.update(note="something else")),
        }
        self.assertEqual(set(wrong), set(info_fields()))
        for field, (name, falsify) in wrong.items():
            with self.subTest(field):
                record = copy.deepcopy(next(r for r in RECORDS if r["name"] == name))
                falsify(record)
                with self.assertRaises(AssertionError):
                    getattr(Checks, field)(record)


if __name__ == "__main__":
    unittest.main(verbosity=2)
