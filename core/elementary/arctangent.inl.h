// SPDX-License-Identifier: Apache-2.0
// The arc tangent, relative error below 2^-43 on Real and 2^-95 on DoubleDouble.
// Coefficients: scripts/fit/arctangent.sollya.

/// atan(t) = c + atan((t - tan c) / (1 + t tan c)) with c = 0, pi/4 or pi/2, so that |v| <= tan(pi/8).
template <int K>
HWY_INLINE Reals<K> atan(Reals<K> x) {
  const Reals<K> t = abs(x);
  const Masks<K> middle = t > 0x1.a827999fcef32p-2, right = t > 0x1.3504f333f9de6p1;
  const Reals<K> above = select(right, Reals<K>(-1.0), select(middle, t - 1.0, t));
  const Reals<K> below = select(right, t, select(middle, t + 1.0, Reals<K>(1.0)));
  const Reals<K> base =
      select(right, Reals<K>(0x1.921fb54442d18p0), select(middle, Reals<K>(0x1.921fb54442d18p-1), Reals<K>(0.0)));
  const Reals<K> v = above * reciprocal(below), w = v * v;
  Reals<K> p = fma(w, -0x1.a10a085d64365p-6, 0x1.9c88a02bf6d04p-5);  // 2^-49.7
  p = fma(p, w, -0x1.0aa34662a04adp-4);
  p = fma(p, w, 0x1.3a560c1e36bd5p-4);
  p = fma(p, w, -0x1.744f6a07b1a48p-4);
  p = fma(p, w, 0x1.c71bd7d562958p-4);
  p = fma(p, w, -0x1.24924737307ecp-3);
  p = fma(p, w, 0x1.9999999381c9p-3);
  p = fma(p, w, -0x1.5555555551fd7p-2);
  return copysign(base + v * fma(p, w, 1.0), x);
}

/// One correction of the double result y of u = min(|x|, 1 / |x|): tan(atan(u) - y) = (u cos y - sin y) /
/// (cos y + u sin y) is below 2^-43 y, and its cube below 2^-129 y.
ACTFUN_SHARED DoubleDouble atan(DoubleDouble x) {
  const DoubleDouble t = abs(x);
  const Mask inverse = t > 1.0;
  const DoubleDouble u = select(inverse, reciprocal(t), t), y = atan(u.hi);
  const auto [s, c] = sine_and_cosine(y);
  const DoubleDouble angle = y + (u * c - s) / (c + u * s);
  const DoubleDouble quarter = DoubleDouble::constant(0x1.921fb54442d18p0, 0x1.1a62633145c07p-54);  // pi/2
  return copysign(select(inverse, quarter - angle, angle), x);
}
