// SPDX-License-Identifier: Apache-2.0
// exp and expm1, from one reduction: x = n ln2 / pieces + r, so exp(x) = scale (1 + e), e = expm1(r).
//
// On Real the relative error is below 2^-43 for both; on DoubleDouble below 2^-95. Arguments are cut at -704 and 704,
// where every result of the library has long been settled: exp stays a normal double with room for products.
// Coefficients: scripts/fit/exp.sollya.

inline constexpr double kExpBound = 704;

template <class R>
struct Exponential {
  R scale;  ///< a power of 2^(1/pieces)
  R e;      ///< exp(x) / scale - 1
  HWY_INLINE R exp() const { return fma(scale, e, scale); }
  /// Relative accuracy holds near 0, where scale = 1. Its sign is that of x, but -0 gives +0.
  HWY_INLINE R expm1() const { return fma(scale, e, scale - 1.0); }
};

// 1.5 2^52: adding it leaves the nearest integer in the low bits.
inline constexpr double kRoundToInteger = 6755399441055744.0;

/// exp(x) = scale exp(r), -704 <= x <= 704
template <int K>
struct ReducedForExp {
  Reals<K> scale, r;
};
template <int K>
HWY_INLINE ReducedForExp<K> reduced_for_exp(Reals<K> x) {
#if HWY_TARGET == HWY_AVX3
  // 16 pieces: 2^(j/16) in two registers. The table's exponents have j taken out, so that adding the integer 16 n + j
  // at bit 48 puts n where it belongs.
  alignas(64) static constexpr std::uint64_t kPowers[16] = {
      0x3FF0000000000000, 0x3FEFB5586CF9890F, 0x3FEF72B83C7D517B, 0x3FEF387A6E756238,
      0x3FEF06FE0A31B715, 0x3FEEDEA64C123422, 0x3FEEBFDAD5362A27, 0x3FEEAB07DD485429,
      0x3FEEA09E667F3BCD, 0x3FEEA11473EB0187, 0x3FEEACE5422AA0DB, 0x3FEEC49182A3F090,
      0x3FEEE89F995AD3AD, 0x3FEF199BDD85529C, 0x3FEF5818DCFBA487, 0x3FEFA4AFA2A490DA};
  const Reals<K> m = fma(x, 0x1.71547652b82fep4, kRoundToInteger);
  const Reals<K> r = fnma(m - kRoundToInteger, 0x1.62e42fefa39efp-5, x);
  const Bits<K> n = bits(m);
  const DoubleBits du;
  const Bits<K> power = ACTFUN_EACH(
      Bits<K>,
      (DoubleBitsV{_mm512_permutex2var_epi64(hn::Load(du, kPowers).raw, n.b[k].raw, hn::Load(du, kPowers + 8).raw)}));
  return {from_bits(power + n.template left<48>()), r};
#else
  // One piece: without a register of 16 doubles a table costs more than it saves.
  const Reals<K> m = fma(x, 0x1.71547652b82fep0, kRoundToInteger);
  const Reals<K> r = fnma(m - kRoundToInteger, 0x1.62e42fefa39efp-1, x);
  return {from_bits(bits(m).template left<52>() + 0x3FF0000000000000), r};
#endif
}

/// exp(x) of -704 <= x <= 704, with expm1's accuracy near 0 if asked for.
template <bool near_zero, int K>
HWY_INLINE Exponential<Reals<K>> exponential_in_range(Reals<K> x) {
  const auto [scale, r] = reduced_for_exp(x);
#if HWY_TARGET == HWY_AVX3
  Reals<K> q;
  if constexpr (near_zero) {  // 2^-50.2 of expm1
    q = fma(r, 0x1.6c161bed42b99p-10, 0x1.111228f36e16fp-7);
    q = fma(q, r, 0x1.55555557179c6p-5);
    q = fma(q, r, 0x1.55555554ad3fp-3);
    q = fma(q, r, 0x1.fffffffffffep-2);
  } else {  // 2^-41.2 of expm1, 2^-46.7 of exp
    q = fma(r, 0x1.111175051c564p-7, 0x1.55570aa70738p-5);
    q = fma(q, r, 0x1.55555555cd682p-3);
    q = fma(q, r, 0x1.fffffffe5bc8cp-2);
  }
  return {scale, fma(q * r, r, r)};
#else
  // 2^-43.5
  Reals<K> q = fma(r, 0x1.721106619617ap-19, 0x1.a159ca5de0f34p-16);
  q = fma(q, r, 0x1.a01a5642d8dffp-13);
  q = fma(q, r, 0x1.6c164e643ebf1p-10);
  q = fma(q, r, 0x1.111110ed1481fp-7);
  q = fma(q, r, 0x1.55555573f3142p-5);
  q = fma(q, r, 0x1.5555555562ce8p-3);
  q = fma(q, r, 0x1.fffffffff736cp-2);
  return {scale, fma(q * r, r, r)};
#endif
}

template <bool near_zero>
ACTFUN_SHARED Exponential<DoubleDouble> exponential_in_range(DoubleDouble x) {
  // ln 2 in three parts; the first has 40 bits, so n times it is exact.
  const Real n = fma(x.hi, 0x1.71547652b82fep0, kRoundToInteger) - kRoundToInteger;
  DoubleDouble r = DoubleDouble(two_sum(x.hi, -(n * 0x1.62e42fefa2p-1))) + DoubleDouble(x.lo);
  r = r - DoubleDouble(two_product(n, Real(0x1.9ef35793c7673p-41))) - DoubleDouble(n * 0x1.f97b57a079a19p-103);
  // expm1(r / 256) by Taylor's series, |r| / 256 < 0.00136, 11 terms: 2^-131 left out. Then eight times
  // expm1(2 a) = 2 expm1(a) + expm1(a)^2.
  r = scale(r, 0x1p-8);
  DoubleDouble e = 1.0;
  for (int k = 11; k >= 2; --k) e = DoubleDouble(1.0) + r * e / DoubleDouble(static_cast<double>(k));
  e = r * e;
  for (int i = 0; i < 8; ++i) e = scale(e, 2.0) + e * e;
  const Bits<1> exponent = bits(n + (kRoundToInteger + 1023.0)) & 0x7ff;
  return {DoubleDouble(from_bits(exponent.left<52>())), e};
}

/// x cut to where exp is neither negligible nor overwhelming.
template <class R>
HWY_INLINE R cut(R x) {
  return at_most(at_least(x, -kExpBound), kExpBound);
}
/// x, known not to be positive, cut so that the square of exp(x) does not underflow.
template <class R>
HWY_INLINE R cut_for_square(R x) {
  return at_least(x, -0.5 * kExpBound);
}
template <class R>
HWY_INLINE R exp(R x) {
  return exponential_in_range<false>(cut(x)).exp();
}
/// exp of what is known not to be positive.
template <class R>
HWY_INLINE R exp_decay(R x) {
  return exponential_in_range<false>(at_least(x, -kExpBound)).exp();
}
template <class R>
HWY_INLINE R expm1(R x) {
  return copysign(exponential_in_range<true>(cut(x)).expm1(), x);
}
