// SPDX-License-Identifier: Apache-2.0
// exp to 2^-50 on Real: for where a function of it falls so fast that the error grows a hundredfold, like
// sech(exp(x))^2. On DoubleDouble exp is fine enough.

template <int K>
HWY_INLINE Reals<K> exp_fine(Reals<K> x) {
  // ln 2 in two parts: the first has 40 bits, so n times it is exact without a fused multiply-add, too.
  const Reals<K> z = cut(x), m = fma(z, 0x1.71547652b82fep0, kRoundToInteger), n = m - kRoundToInteger;
  const Reals<K> r = fnma(n, 0x1.9ef35793c7673p-41, fnma(n, 0x1.62e42fefa2p-1, z));
  Reals<K> q = 1.0 / 479001600;  // Taylor's series: 2^-52 left out of exp
  for (const double c : {1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120,
                         1.0 / 24, 1.0 / 6, 0.5})
    q = fma(q, r, c);
  const Reals<K> scale = from_bits(bits(m).template left<52>() + 0x3FF0000000000000);
  return fma(scale, fma(q * r, r, r), scale);
}
HWY_INLINE DoubleDouble exp_fine(DoubleDouble x) { return exp(x); }
