// SPDX-License-Identifier: Apache-2.0
// The error function erf(z) = 2 Phi(sqrt(2) z) - 1, relative error below 2^-43 on Real and 2^-90 on DoubleDouble.

template <class R>
HWY_INLINE R erf(R z) {
  const R t = abs(z) * R::constant(0x1.6a09e667f3bcdp0, -0x1.bdd3413b26456p-54);  // sqrt(2)
  const R center = 2.0 * t * normal_center(t * t);
  const R outside = 1.0 - 2.0 * exp_decay(-(z * z)) * normal_tail(t);
  return copysign(select(t < 1.0, center, outside), z);
}
