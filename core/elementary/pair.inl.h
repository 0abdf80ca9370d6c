// SPDX-License-Identifier: Apache-2.0
// Pairs: numbers of about 34 bits as sums of two floats. They serve the exact tier's first try on floats, which settles
// nearly all results at twice the lanes of doubles; see backends/cpu/first_try.inl.h.
//
// Where it says exact, no bit is lost. What is lost elsewhere is a rounding of the low float.

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3
#define ACTFUN_PAIRS 1
#else
#undef ACTFUN_PAIRS  // without a fused multiply-add pairs are dear, without look-ups in registers their exp is
#endif

#ifdef ACTFUN_PAIRS

/// -|a|
HWY_INLINE Single minus_abs(Single a) { return hn::Or(a.v, Single(-0.0).v); }

/// high + low. low may be as large as 2^-9 high where no normalization is mentioned.
struct Pair {
  Single high, low;
};

/// high becomes the float nearest to the sum.
HWY_INLINE Pair normalized(Pair a) {
  const Single high = a.high + a.low;
  return {high, (a.high - high) + a.low};
}
HWY_INLINE Pair operator*(Single a, Pair b) {
  const Single high = a * b.high;
  return {high, fma(a, b.low, fma(a, b.high, -high))};
}
HWY_INLINE Pair select(SingleMask m, Pair yes, Pair no) {
  return {select(m, yes.high, no.high), select(m, yes.low, no.low)};
}
/// a for a negative x, else -a
HWY_INLINE Pair mirrored(Pair a, Single x) {
  const auto flip = hn::AndNot(x.v, Single(-0.0).v);
  return {hn::Xor(a.high.v, flip), hn::Xor(a.low.v, flip)};
}
HWY_INLINE Pair twice(Pair a) { return {a.high + a.high, a.low + a.low}; }
/// of a normalized pair
HWY_INLINE Pair square(Pair a) {
  const Single high = a.high * a.high;
  return {high, fma(a.high + a.high, a.low, fma(a.high, a.high, -high))};
}
/// a + b for positive ones
HWY_INLINE Pair sum_of_any(Pair a, Pair b) {
  const Single large = hn::Max(a.high.v, b.high.v), small = hn::Min(a.high.v, b.high.v), high = large + small;
  return {high, ((large - high) + small) + (a.low + b.low)};
}
/// c + b, for exponents of c not below that of b
HWY_INLINE Pair sum(Single c, Pair b) {
  const Single high = c + b.high;
  return {high, ((c - high) + b.high) + b.low};
}
/// n / d. With an estimate of 1 / d.high off by u, the error of the last factor is u^2 or u^3: below 2^-27.
HWY_INLINE Pair operator/(Pair n, Pair d) {
#if HWY_TARGET == HWY_AVX3
  const Single estimate = Single::V{_mm512_rcp14_ps(d.high.v.raw)};
  const Single u = fnma(estimate, d.low, fnma(estimate, d.high, 1.0)), inverse = fma(estimate, u, estimate);
#else
  const Single estimate = Single::V{_mm256_rcp_ps(d.high.v.raw)};  // of 11.4 bits
  const Single u = fnma(estimate, d.low, fnma(estimate, d.high, 1.0));
  const Single inverse = fma(estimate, fma(u, u, u), estimate);
#endif
  const Single high = n.high * inverse;
  return {high, fnma(high, d.low, fnma(high, d.high, n.high) + n.low) * inverse};
}

// exp by pieces of ln2 / 8 or, where a register has sixteen floats, ln2 / 16. The exponents of the powers 2^(j/pieces)
// have j taken out, so that adding the integer pieces n + j puts n where it belongs. What rounding such a power has
// left is given back in the argument.
#if HWY_TARGET == HWY_AVX3
inline constexpr int kPieces = 16;
alignas(64) inline constexpr std::uint32_t kPiecePowers[16] = {
    0x3f800000, 0x3f7daac3, 0x3f7b95c2, 0x3f79c3d3, 0x3f7837f0, 0x3f76f532, 0x3f75fed7, 0x3f75583f,
    0x3f7504f3, 0x3f7508a4, 0x3f75672a, 0x3f76248c, 0x3f7744fd, 0x3f78ccdf, 0x3f7ac0c7, 0x3f7d257d};
alignas(64) inline constexpr float kPieceRests[16] = {0,
                                                      0x1.8d96d4p-25,
                                                      -0x1.9c0c22p-27,
                                                      0x1.964902p-25,
                                                      0x1.125002p-25,
                                                      0x1.370be4p-25,
                                                      -0x1.0a3552p-25,
                                                      -0x1.00d8acp-27,
                                                      0x1.26055cp-26,
                                                      -0x1.05cb44p-25,
                                                      0x1.67a1cap-28,
                                                      0x1.a3b5e4p-28,
                                                      -0x1.f9c306p-27,
                                                      -0x1.6961b4p-28,
                                                      -0x1.a5217cp-28,
                                                      0x1.61428ep-28};
HWY_INLINE hn::Vec<Whole> look_up_piece(const std::uint32_t (&table)[16], hn::Vec<Whole> j) {
  return hn::Vec<Whole>{_mm512_permutexvar_epi32(j.raw, _mm512_load_si512(table))};
}
HWY_INLINE Single look_up_piece(const float (&table)[16], hn::Vec<Whole> j) {
  return Single::V{_mm512_permutexvar_ps(j.raw, _mm512_load_ps(table))};
}
#else
inline constexpr int kPieces = 8;
alignas(32) inline constexpr std::uint32_t kPiecePowers[8] = {0x3f800000, 0x3f7b95c2, 0x3f7837f0, 0x3f75fed7,
                                                              0x3f7504f3, 0x3f75672a, 0x3f7744fd, 0x3f7ac0c7};
alignas(32) inline constexpr float kPieceRests[8] = {0,
                                                     -0x1.9c0c22p-27,
                                                     0x1.125002p-25,
                                                     -0x1.0a3552p-25,
                                                     0x1.26055cp-26,
                                                     0x1.67a1cap-28,
                                                     -0x1.f9c306p-27,
                                                     -0x1.a5217cp-28};
HWY_INLINE hn::Vec<Whole> look_up_piece(const std::uint32_t (&table)[8], hn::Vec<Whole> j) {
  return hn::Vec<Whole>{_mm256_permutevar8x32_epi32(_mm256_load_si256(reinterpret_cast<const __m256i*>(table)), j.raw)};
}
HWY_INLINE Single look_up_piece(const float (&table)[8], hn::Vec<Whole> j) {
  return Single::V{_mm256_permutevar8x32_ps(_mm256_load_ps(table), j.raw)};
}
#endif

/// scale (1 + r + rest), |r| <= ln2 / (2 pieces), the rest below r^2
struct PairPower {
  Single scale, r, rest;
  HWY_INLINE Pair exp() const {
    const Single high = fma(scale, r, scale);
    return {high, fma(scale, rest, fma(scale, r, scale - high))};
  }
  /// For a power of no more than 1. Relative to the result the error grows to 2^-29 between -0.1 and 0.
  HWY_INLINE Pair expm1() const {
    const Single c = scale - 1.0, c_low = scale - (c + 1.0), high = fma(scale, r, c);
    return {high, fma(scale, rest, c_low) + fma(scale, r, c - high)};
  }
};

/// exp(x) within 2^-33, |x| < 70. ln2 in three parts: products with the first two, of 12 and 7 bits, are exact, and so
/// are the differences. Coefficients: scripts/fit/pair.sollya.
HWY_INLINE PairPower pair_power(Single x) {
  constexpr double kRound = 12582912;  // 1.5 2^23 leaves an integer in the low bits
  const Single m = fma(x, kPieces * 0x1.71547652b82fep0, kRound), n = m - kRound;
  const auto j = hn::BitCast(Whole(), m.v);
  const Single r = fnma(n, 0x1.0cp-15 / kPieces, fnma(n, 0x1.62ep-1 / kPieces, x));
  const Single c = fma(n, 0x1.05c61p-29 / kPieces, look_up_piece(kPieceRests, j));
#if HWY_TARGET == HWY_AVX3
  Single q = fma(r, 0x1.555666p-5, 0x1.55571p-3);  // 2^-37 of expm1
#else
  Single q = fma(r, 0x1.10fb16p-7, 0x1.555a36p-5);  // 2^-39.5
  q = fma(q, r, 0x1.555556p-3);
#endif
  q = fma(q, r, 0.5);
  constexpr int kShift = kPieces == 16 ? 19 : 20;
  const auto scale = hn::Add(look_up_piece(kPiecePowers, j), hn::ShiftLeft<kShift>(j));
  const Single square = r * r;
  // c is below 2^-22: c (1 + r) will do where r^2 / 2 is below 2^-12.
  const Single growth = kPieces == 16 ? r : fma(square, q, r);
  return {hn::BitCast(Single::D(), scale), r, fma(square, q, fma(c, growth, c))};
}

/// The stretch (see first_try.inl.h) that expm1 and tanh need: their error is absolute, 2^-34.3 or 2^-32.5 with eight
/// pieces, down to 2^-6, and relative below. As 1 + 2^(k - e), where the result has the exponent e.
HWY_INLINE Single stretch_for_expm1(Single high) {
  constexpr int k = kPieces == 16 ? 24 - 33 : 24 - 31;
  const auto exponent = hn::And(hn::BitCast(Whole(), high.v), hn::Set(Whole(), 0x7f800000u));
  const auto least = hn::Set(Whole(), (127u - 6) << 23);
  const auto bits = hn::Sub(hn::Set(Whole(), (254u + k) << 23), hn::Max(exponent, least));
  return 1.0 + Single(hn::BitCast(Single::D(), bits));
}

/// With e = exp(-|x|), 1 / (1 + e) or e / (1 + e).
HWY_INLINE Pair pair_sigmoid(Single x) {
  const Pair e = pair_power(minus_abs(x)).exp();
  return select(x < 0.0, e, Pair{1.0, 0.0}) / sum(1.0, e);
}
#endif
