// SPDX-License-Identifier: Apache-2.0
// log with the same bits on every target. Included once per target, inside namespace actfun::HWY_NAMESPACE.

/// log(t) of a normal number t > 0, within 2^-51, from t and `above` = t - 1: where t had to be rounded, the latter has
/// what log needs near 1. Coefficients: scripts/fit/logarithm.sollya.
HWY_INLINE Real logarithm(Real t, Real above) {
  using Signed = hn::RebindToSigned<Doubles>;
  constexpr double p[] = {0x1p1,
                          0x1.5555555555594p-1,
                          0x1.999999997f733p-2,
                          0x1.249249423bc75p-2,
                          0x1.c71c51d5e04e4p-3,
                          0x1.746648290c938p-3,
                          0x1.39a0e4fb44196p-3,
                          0x1.2f0d0ae724abdp-3};
  // t = 2^k f, sqrt(1/2) <= f < sqrt(2)
  const Signed d;
  const auto root = hn::Set(d, std::bit_cast<std::int64_t>(0x1.6a09e667f3bcdp-1)),
             magic = hn::Set(d, std::bit_cast<std::int64_t>(kRoundToInteger));
  const auto code = hn::BitCast(d, t.v[0]), exponent = hn::ShiftRight<52>(hn::Sub(code, root));
  const Real f = hn::BitCast(Doubles(), hn::Sub(code, hn::ShiftLeft<52>(exponent)));
  const Real k = Real(hn::BitCast(Doubles(), hn::Add(exponent, magic))) - kRoundToInteger;
  const Real s = select(k == 0.0, above, f - 1.0) / (f + 1.0), w = s * s;
  Real y = p[7];
  for (int i = 6; i >= 0; --i) y = fused(y, w, p[i]);
  return fused(k, 0x1.62e42fefa39efp-1, fused(k, 0x1.abc9e3b39803fp-56, s * y));
}
HWY_INLINE Real logarithm(Real t) { return logarithm(t, t - 1.0); }
