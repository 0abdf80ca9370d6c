#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`actfun list --json` against tests/contract.json, which states what the library promises: names, aliases, parameters
with defaults and domains, kinks, limits, formulas, roots, extrema. Where a record says more, or says it better, the
difference stands in DIFFERENCES with its reason. ACTFUN is the path of the program."""
import json
import os
import pathlib
import subprocess
import unittest

ACTFUN = os.path.abspath(os.environ["ACTFUN"])
CONTRACT = json.loads((pathlib.Path(__file__).parent / "contract.json").read_text())["functions"]
RECORDS = {r["name"]: r for r in json.loads(subprocess.run([ACTFUN, "list", "--json"], check=True, capture_output=True,
                                                           text=True).stdout)}
FIELDS = ("aliases", "known_as", "family", "kind", "formula", "derivative", "second_derivative", "range", "monotone",
          "symmetry", "roots", "from_output", "paper", "note")

# (function, field): why the record differs.
DIFFERENCES = {
    ("affine", "symmetry"): "odd only if beta = 0 and alpha != 0",
    ("hardtanh", "symmetry"): "odd only if min_val = -max_val: the contract says so in a note",
    ("hardtanh", "note"): "says it as symmetry",
    ("hard_mish", "paper"): "a note without a year is no paper",
    ("hard_mish", "note"): "what the contract calls its paper",
    ("sqrtsoftplus", "paper"): "a note without a year is no paper",
    ("sqrtsoftplus", "note"): "what the contract calls its paper",
    ("scaled_tanh", "limits"): "the contract's holds for beta > 0 only",
}


def number(text):
    return float(text)


class Contract(unittest.TestCase):
    def test_every_function_is_there(self):
        self.assertEqual(len(CONTRACT), 56)
        self.assertLessEqual({c["name"] for c in CONTRACT}, set(RECORDS))

    def test_records_agree(self):
        for c in CONTRACT:
            r = RECORDS[c["name"]]
            for field in FIELDS:
                with self.subTest(function=c["name"], field=field):
                    same = r.get(field) == c.get(field)
                    self.assertNotEqual(same, (c["name"], field) in DIFFERENCES, (r.get(field), c.get(field)))
            with self.subTest(function=c["name"], field="parameters"):
                self.assertEqual([(p["name"], p["default"], p["domain"], p["learnable"], p.get("default_exact"))
                                  for p in r["parameters"]],
                                 [(p["name"], p["default"], p["domain"], p["learnable"], p.get("default_exact"))
                                  for p in c["parameters"]])
            with self.subTest(function=c["name"], field="kinks"):
                keys = ("x", "order", "derivative_at", "left", "right", "second_at", "second_left", "second_right")
                self.assertEqual([[k[key] for key in keys] for k in r["kinks"]],
                                 [[k[key] for key in keys] for k in c["kinks"]])
                for a, b in zip(r["kinks"], c["kinks"]):
                    self.assertAlmostEqual(number(a["x_default"]), number(b["x_default"]), delta=1e-15)
            with self.subTest(function=c["name"], field="extrema"):
                self.assertEqual(r["extrema"], c["extrema"])
            with self.subTest(function=c["name"], field="lipschitz"):
                self.assertEqual(r["lipschitz"]["expression"], c["lipschitz"]["expression"])
                self.assertAlmostEqual(number(r["lipschitz"]["default"]), number(c["lipschitz"]["default"]), delta=1e-6)

    def test_limits_agree(self):
        for c in CONTRACT:
            for field in ("limits", "derivative_limits", "second_derivative_limits"):
                for side in ("-inf", "+inf"):
                    with self.subTest(function=c["name"], field=field, side=side):
                        got, want = number(RECORDS[c["name"]][field][side]), number(c[field][side])
                        # Ours are floats, the contract's doubles.
                        self.assertTrue(got == want or got != got and want != want or abs(got - want) <= 1e-7 * abs(want),
                                        (got, want))
                        self.assertEqual(str(got).startswith("-"), str(want).startswith("-"), (got, want))
            with self.subTest(function=c["name"], field="text of limits"):
                same = RECORDS[c["name"]]["limits"]["text"] == c["limits"]["text"]
                self.assertNotEqual(same, (c["name"], "limits") in DIFFERENCES)


if __name__ == "__main__":
    unittest.main(verbosity=2)
