// SPDX-License-Identifier: Apache-2.0
// log1p on [0, 1], which is what softplus and log-sum-exp need. Relative error below 2^-43 on Real, 2^-95 on
// DoubleDouble. Coefficients: scripts/fit/log1p.sollya.

/// log1p(e) = 2 atanh(s), s = e / (2 + e) <= 1/3: the series in s^2 converges twice as fast as that in e. This is
/// 2 atanh(s) / s.
template <int K>
HWY_INLINE Reals<K> log1p_series(Reals<K> s) {
  const Reals<K> w = s * s;
  Reals<K> p = fma(w, 0x1.9b59b494626ddp-3, 0x1.200810229edc6p-3);  // 2^-43.7
  p = fma(p, w, 0x1.7702bc057ca16p-3);
  p = fma(p, w, 0x1.c6f84570c0e14p-3);
  p = fma(p, w, 0x1.2492ce538ffe4p-2);
  p = fma(p, w, 0x1.999997ba15095p-2);
  p = fma(p, w, 0x1.555555569d54ap-1);
  return fma(p, w, 0x1.ffffffffffdb4p0);
}

template <int K>
HWY_INLINE Reals<K> log1p(Reals<K> e) {
  const Reals<K> s = e * quick_reciprocal(e + 2.0);
  return s * log1p_series(s);
}

/// One step of Halley's method for expm1(y) = e from the double result: 2^-43 becomes 2^-126, less than rounding.
ACTFUN_SHARED DoubleDouble log1p(DoubleDouble e) {
  const DoubleDouble y = log1p(e.hi);
  const DoubleDouble f = exponential_in_range<true>(y).expm1();
  return y + scale(e - f, 2.0) / (DoubleDouble(2.0) + e + f);
}

/// log1p(e) / e, 1 at 0.
template <int K>
HWY_INLINE Reals<K> log1p_ratio(Reals<K> e) {
  const Reals<K> r = reciprocal(e + 2.0);
  return r * log1p_series(e * r);
}
ACTFUN_SHARED DoubleDouble log1p_ratio(DoubleDouble e) {
  return near_zero(e, DoubleDouble(1.0) - e * (DoubleDouble(0.5) - e * (1.0 / 3.0)), log1p(e) / e);
}
