// SPDX-License-Identifier: Apache-2.0
// exp(x) - 1 - x for x <= 0, to full relative accuracy near 0, where it is x^2/2. Relative error below 2^-42 on Real
// and 2^-90 on DoubleDouble. Coefficients: scripts/fit/exp_remainder.sollya.

template <int K>
HWY_INLINE Reals<K> exp_remainder(Reals<K> x) {
  Reals<K> q = fma(x, 0x1.1c90d3ce880edp-26, 0x1.15d00fb55137fp-22);  // 2^-47.2 on [-1, 0]
  q = fma(q, x, 0x1.6f49a45e25d56p-19);
  q = fma(q, x, 0x1.9fe0165138b17p-16);
  q = fma(q, x, 0x1.a016d5a392d45p-13);
  q = fma(q, x, 0x1.6c16a62f622fdp-10);
  q = fma(q, x, 0x1.1111108a1020cp-7);
  q = fma(q, x, 0x1.55555552aa8f7p-5);
  q = fma(q, x, 0x1.5555555550136p-3);
  q = fma(q, x, 0x1.fffffffffffc9p-2);
  return select(x < -1.0, expm1(x) - x, x * x * q);
}

ACTFUN_SHARED DoubleDouble exp_remainder(DoubleDouble x) {
  // Taylor's series at x / 256, 2^-131 left out; then eight times, with e = expm1(a): e^(2a) - 1 - 2a = e^2 + 2 (e -
  // a).
  DoubleDouble a = scale(at_least(x, -1.0), 0x1p-8), series = 1.0;
  for (int k = 12; k >= 3; --k) series = DoubleDouble(1.0) + a * series / DoubleDouble(static_cast<double>(k));
  DoubleDouble h = scale(a * a * series, 0.5);
  for (int i = 0; i < 8; ++i) {
    const DoubleDouble e = a + h;
    h = e * e + scale(h, 2.0);
    a = scale(a, 2.0);
  }
  return select(x < -1.0, expm1(x) - x, h);
}
