// SPDX-License-Identifier: Apache-2.0
// The standard normal distribution: density and cumulative function, tails to full relative accuracy. Relative error
// below 2^-43 on Real and 2^-80 on DoubleDouble, for x >= -15 (below, gelu has underflowed: callers cut there).

template <class R>
HWY_INLINE R normal_density(R x) {
  return R::constant(0x1.9884533d43651p-2, -0x1.cbc0d30ebfd15p-56) * exp_decay(-0.5 * (x * x));  // 1 / sqrt(2 pi)
}

/// Phi(x) = 1 - Phi(-x); the upper tail is exp(-t^2/2) p(u), u = (t - 5) / (t + 5), t = |x| (the map of
/// M. M. Shepherd and J. G. Laframboise, Math. Comp. 36, 1981). Coefficients: scripts/fit/normal.sollya, 2^-46.
template <int K>
HWY_INLINE Reals<K> normal_cumulative(Reals<K> x) {
  const Reals<K> t = abs(x);
  const Reals<K> u = fnma(reciprocal(t + 5.0), 10.0, 1.0);
  // Even and odd powers apart: two short chains instead of one long.
  const Reals<K> w = u * u;
  Reals<K> even = fma(w, 0x1.514e7c5b8be02p-24, -0x1.85f1005e1590dp-21);
  Reals<K> odd = fma(w, 0x1.66b1de980adf3p-23, -0x1.4a4075f270feep-20);
  even = fma(even, w, 0x1.c0e661411ba2p-18);
  odd = fma(odd, w, 0x1.0053788fd8488p-20);
  even = fma(even, w, -0x1.fb0a0931a8a55p-15);
  odd = fma(odd, w, 0x1.1999062409541p-13);
  even = fma(even, w, 0x1.cc7011c33f15cp-13);
  odd = fma(odd, w, -0x1.37ccc2fc0622ap-9);
  even = fma(even, w, 0x1.26a1148b18181p-7);
  odd = fma(odd, w, -0x1.7f9d043f75aaep-6);
  even = fma(even, w, 0x1.8807f2a24276cp-5);
  odd = fma(odd, w, -0x1.4b4ce479e698cp-4);
  even = fma(even, w, 0x1.db6af87226e51p-4);
  odd = fma(odd, w, -0x1.25cd1321c8dc7p-3);
  even = fma(even, w, 0x1.3b0fbcb4c7812p-4);
  const Reals<K> tail = exp_decay(-0.5 * (x * x)) * fma(odd, u, even);
  return select(x < 0.0, tail, 1.0 - tail);
}

/// The series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...) for |x| < 4.5, where the 70 terms leave out 2^-105;
/// beyond, the continued fraction 1 - Phi(t) = phi(t) / (t + 1/(t + 2/(t + ...))), 45 levels (P. S. Laplace 1805).
HWY_INLINE DoubleDouble normal_cumulative(DoubleDouble x) {
  const DoubleDouble density = normal_density(x);
  const DoubleDouble t = abs(x), small = at_most(t, 4.5), large = at_most(at_least(t, 4.5), 40.0), w = small * small;
  DoubleDouble series = 1.0;
  for (int k = 70; k >= 1; --k) series = DoubleDouble(1.0) + w * series / DoubleDouble(2.0 * k + 1.0);
  DoubleDouble fraction = large;
  for (int k = 45; k >= 1; --k) fraction = large + DoubleDouble(static_cast<double>(k)) / fraction;
  const DoubleDouble half = density * copysign(small * series, x);
  const DoubleDouble tail = density / fraction;
  return select(t < 4.5, DoubleDouble(0.5) + half, select(x < 0.0, tail, DoubleDouble(1.0) - tail));
}
