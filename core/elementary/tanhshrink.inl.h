// SPDX-License-Identifier: Apache-2.0
// x - tanh(x), relative error below 2^-42 on Real and 2^-92 on DoubleDouble.
// Coefficients: scripts/fit/tanhshrink.sollya.

/// (x - tanh(x)) / x^3 as a function of w = x^2, |x| <= 3/4.
template <int K>
HWY_INLINE Reals<K> tanhshrink_series(Reals<K> w) {
  Reals<K> p = fma(w, 0x1.9dd289c3f72fp-17, -0x1.1fa78c96fd682p-14);  // 2^-46.3
  p = fma(p, w, 0x1.cdc28fa7be25fp-13);
  p = fma(p, w, -0x1.3101c26c48549p-11);
  p = fma(p, w, 0x1.7d03971f7ad1p-10);
  p = fma(p, w, -0x1.d6c4d369128bfp-9);
  p = fma(p, w, 0x1.226dc419b1cabp-7);
  p = fma(p, w, -0x1.664f4495a3405p-6);
  p = fma(p, w, 0x1.ba1ba1a82710dp-5);
  p = fma(p, w, -0x1.1111111100fdbp-3);
  return fma(p, w, 0x1.5555555555509p-2);
}
/// (x cosh(x) - sinh(x)) / (x^3 cosh(x)) by two of Taylor's series, all of whose terms are positive; the numerator's
/// are 2k x^(2k+1) / (2k+1)!. For |x| <= 3/4, 13 terms leave out less than 2^-98 of either.
ACTFUN_SHARED DoubleDouble tanhshrink_series(DoubleDouble w) {
  DoubleDouble cosh = 1.0, sum = 1.0;
  for (int k = 13; k >= 1; --k) {
    cosh = DoubleDouble(1.0) + w * cosh / DoubleDouble((2.0 * k - 1.0) * (2.0 * k));
    sum = DoubleDouble(1.0) + w * sum / DoubleDouble(2.0 * k * (2.0 * k + 3.0));
  }
  return sum / (DoubleDouble(3.0) * cosh);
}

/// Away from 0 it is |x| - 1 + 2 / (exp(2 |x|) + 1), with the sign of x.
template <class R>
HWY_INLINE R tanhshrink(R x) {
  const R t = abs(x), e = exp_decay(-2.0 * t), w = at_most(t, 0.75) * at_most(t, 0.75);
  const R far = (t - 1.0) + 2.0 * e * reciprocal(1.0 + e);
  return copysign(select(t < 0.75, t * w * tanhshrink_series(w), far), x);
}
