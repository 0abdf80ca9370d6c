#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench/regression.cc: a build is not slower than itself, and is found out where it is. ACTFUN_REGRESSION is the path of
the program, ACTFUN_LIBRARY that of the library, ACTFUN_SLOW_LIBRARY that of one whose values take three times as long."""
import os
import subprocess
import unittest

PROGRAM, LIBRARY, SLOW = (os.environ[name] for name in ("ACTFUN_REGRESSION", "ACTFUN_LIBRARY", "ACTFUN_SLOW_LIBRARY"))


def run(*arguments):
    return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True)


class Regression(unittest.TestCase):
    def test_same_build(self):
        result = run(LIBRARY, LIBRARY, "gelu", "relu", "softmax", "--elements", "4096", "--threshold", "60")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn("13 compared, 0 slower", result.stdout)

    def test_slower_build(self):
        result = run(LIBRARY, SLOW, "gelu", "--elements", "4096", "--threshold", "60")
        self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
        slower = [line.split("  ")[0] for line in result.stdout.splitlines() if line.endswith("slower")]
        self.assertEqual(slower, ["gelu value", "gelu value, fast"])

    def test_faster_build(self):
        self.assertEqual(run(SLOW, LIBRARY, "gelu", "--elements", "4096", "--threshold", "60").returncode, 0)

    def test_bad_input(self):
        for arguments, says in (([LIBRARY], "AFTER"), ([LIBRARY, "/nowhere.so"], "/nowhere.so"),
                                ([__file__, LIBRARY], os.path.basename(__file__)), ([LIBRARY, LIBRARY, "gellu"], "gellu"),
                                ([LIBRARY, LIBRARY, "gelu", "--threshold", "-1"], "--threshold"),
                                ([LIBRARY, LIBRARY, "gelu", "--elements", "0"], "--elements"),
                                ([LIBRARY, LIBRARY, "maxout"], "nothing to compare")):
            result = run(*arguments)
            self.assertEqual(result.returncode, 2, arguments)
            self.assertIn(says, result.stderr)


if __name__ == "__main__":
    unittest.main()
