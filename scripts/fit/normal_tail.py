#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Coefficients of the double-double kernels in core/elementary/normal.inl.h, each as two doubles.

Center: (Phi(t) - 1/2) / t as Taylor's series in t^2, for t <= 1.
Tail: exp(t^2/2) (1 - Phi(t)) (t + 5) as a polynomial in u = (t - 5) / (t + 5), 1 <= t <= 40: interpolation at Chebyshev's
points. Run: python3 scripts/fit/normal_tail.py (needs mpmath)
"""
from mpmath import cos, erfc, exp, factorial, log, matrix, lu_solve, mp, mpf, pi, sqrt

mp.prec = 500


def show(name, coefficients):
    print(name)
    for c in coefficients:
        high = float(c)
        print(f"{{{high.hex()}, {float(c - mpf(high)).hex()}}},")


show("center", [mpf(-1) ** k / (mpf(2) ** k * factorial(k) * (2 * k + 1) * sqrt(2 * pi)) for k in range(23)])

DEGREE = 41
low, high = mpf(1 - 5) / (1 + 5), mpf(40 - 5) / (40 + 5)


def scaled_tail(u):
    t = 5 * (1 + u) / (1 - u)
    return exp(t * t / 2) * erfc(t / sqrt(mpf(2))) / 2 * (t + 5)


def point(i, n):
    return (low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n))


points = [point(i, DEGREE + 1) for i in range(DEGREE + 1)]
powers = matrix([[u ** k for k in range(DEGREE + 1)] for u in points])
tail = list(lu_solve(powers, matrix([scaled_tail(u) for u in points])))
show("tail", tail)
doubles = [mpf(float(c)) + mpf(float(c - mpf(float(c)))) for c in tail]
error = max(abs(sum(c * u ** k for k, c in enumerate(doubles)) / scaled_tail(u) - 1) for u in
            (point(i, 500) for i in range(500)))
print("relative error 2^", float(log(error, 2)))
