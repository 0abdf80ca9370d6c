// SPDX-License-Identifier: Apache-2.0
// What the fast tier's functions are made of, on floats. Bounds are theirs, and stand in the certificates; here every
// step is arranged so that large terms are exact and only small ones are rounded.
//
// A function has a near formula, for |x| below its `reach`, and a far one for everything beyond: saturation, underflow
// and overflow. A vector whose lanes are all near takes the short way, with the same results.

#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
#define ACTFUN_FAST 1
#else
#undef ACTFUN_FAST  // without a fused multiply-add the exact tier stands in
#endif

#ifdef ACTFUN_FAST

using Whole = hn::RebindToUnsigned<Single::D>;

/// exp(x) = s (1 + e), s = 2^n, |e| < 0.42.
struct FastPower {
  Single e, n;
  hn::Vec<Whole> biased;  ///< n + 127 in the low bits

  /// s, for -127 < n < 128
  HWY_INLINE Single s() const { return hn::BitCast(Single::D(), hn::ShiftLeft<23>(biased)); }
  /// 1 / s, likewise
  HWY_INLINE Single inverse() const {
    return hn::BitCast(Single::D(), hn::Sub(hn::Set(Whole(), 254u << 23), hn::ShiftLeft<23>(biased)));
  }
  /// p s, rounded once, for any |n| < 250
  HWY_INLINE Single scaled(Single p) const {
#if HWY_TARGET == HWY_AVX3
    return Single::V{_mm512_scalef_ps(p.v.raw, n.v.raw)};
#else
    const Single half = hn::Floor((n * 0.5).v);
    const auto power = [](Single k) HWY_ATTR {
      return Single(hn::BitCast(Single::D(), hn::ShiftLeft<23>(hn::BitCast(Whole(), (k + 12583039.0).v))));
    };
    return p * power(half) * power(n - half);
#endif
  }
};

/// exp(r) - 1 = r + r^2 q(r), |r| <= ln2 / 2. Coefficients: scripts/fit/fast.sollya, 2^-25.9 of expm1, 2^-27.2 of exp.
HWY_INLINE Single exp_q(Single r) {
  Single q = fma(r, 0x1.6d5684p-10, 0x1.122796p-7);
  q = fma(q, r, 0x1.5554ep-5);
  q = fma(q, r, 0x1.5554bp-3);
  return fma(q, r, 0.5);
}

struct FastReduced {
  Single r, n;
  hn::Vec<Whole> biased;
};
/// x = n ln2 + r but for n times 2^-28.97, which is the rest of ln2: exact for |n| < 256.
HWY_INLINE FastReduced fast_reduced(Single x) {
  constexpr double kRound = 12582912 + 127;  // 1.5 2^23 leaves an integer in the low bits
  const Single m = fma(x, 0x1.715476p0, kRound), n = m - kRound;
  return {fma(n, -0x1.62e43p-1, x), n, hn::BitCast(Whole(), m.v)};
}
inline constexpr double kFastRestOfLn2 = 0x1.05c61p-29;

HWY_INLINE FastPower fast_power(Single x) {
  const auto [r0, n, biased] = fast_reduced(x);
  const Single r = fma(n, kFastRestOfLn2, r0);
  return {fma(r * r, exp_q(r), r), n, biased};
}
/// exp(x + low), where `low` is what rounding x has left.
HWY_INLINE FastPower fast_power(Single x, Single low) {
  const auto [r0, n, biased] = fast_reduced(x);
  const Single rest = fma(n, kFastRestOfLn2, low), r = r0 + rest;
  return {r0 + fma(r * r, exp_q(r), rest), n, biased};
}

/// exp(x), |x| < 87
HWY_INLINE Single fast_exp(Single x) {
  const auto [r0, n, biased] = fast_reduced(x);
  const Single r = fma(n, kFastRestOfLn2, r0);
  return fma(fma(exp_q(r), r, 1.0), r, 1.0) * FastPower{r, n, biased}.s();
}
/// exp(x) - 1, |x| < 80
HWY_INLINE Single fast_expm1(Single x) {
  const FastPower w = fast_power(x);
  return fma(w.s(), w.e, w.s() - 1.0);
}
/// 1 + exp(x), |x| < 16: 1 + s is exact.
HWY_INLINE Single one_plus_exp(Single x) {
  const FastPower w = fast_power(x);
  return fma(w.s(), w.e, 1.0 + w.s());
}
/// f exp(x) (1 + rest) for a small rest, |x| < 170, down to the least subnormal number.
HWY_INLINE Single times_exp(Single f, Single x, Single rest = 0.0) {
  const FastPower w = fast_power(x);
  return w.scaled(fma(f, w.e + fma(rest, w.e, rest), f));
}

/// 1 / (1 + exp(-x)), |x| >= 16: with t = exp(-|x|), 1 - t or t (1 - t).
HWY_INLINE Single fast_sigmoid_far(Single x) {
  const Single t = fast_exp(-at_most(abs(x), 80));
  return select(x > 0.0, 1.0 - t, times_exp(1.0, at_least(x, -110), -t));
}

/// log(1 + t), 0 <= t <= 1. Coefficients: scripts/fit/fast.sollya, 2^-27.4.
HWY_INLINE Single fast_log1p(Single t) {
  Single q = fma(t, 0x1.88c46p-9, -0x1.2828dap-6);
  q = fma(q, t, 0x1.a1ed8p-5);
  q = fma(q, t, -0x1.7d99d4p-4);
  q = fma(q, t, 0x1.0d21acp-3);
  q = fma(q, t, -0x1.4ff538p-3);
  q = fma(q, t, 0x1.98e11cp-3);
  q = fma(q, t, -0x1.fff39cp-3);
  q = fma(q, t, 0x1.55553p-2);
  q = fma(q, t, -0.5);
  return fma(t * t, q, t);
}

/// g(a) = a exp(a^2/2) Phi(-a) on [j - 1/2, j + 1/2] as a polynomial of a - j: coefficient k of cell j in row k, column
/// j; the last cell ends at 8, where g is 0.3929. Coefficients: scripts/fit/fast.sollya, 2^-24.6.
inline constexpr float kGaussianTail[8][8] = {
    {0, 0x1.0bdb2ep-2f, 0x1.5845dcp-2f, 0x1.754a76p-2f, 0x1.82b4bcp-2f, 0x1.89d3acp-2f, 0x1.8e010ep-2f, 0x1.90a4fcp-2f},
    {0x1p-1f, 0x1.fcc816p-4f, 0x1.5d3006p-5f, 0x1.2c08ccp-6f, 0x1.2dda06p-7f, 0x1.542a9ap-8f, 0x1.a0eee8p-9f,
     0x1.10632cp-9f},
    {-0x1.98843ep-2f, -0x1.344136p-4f, -0x1.49863ap-6f, -0x1.c64a16p-8f, -0x1.7902f8p-9f, -0x1.670124p-10f,
     -0x1.7b8e94p-11f, -0x1.b241cep-12f},
    {0x1.fff9c4p-3f, 0x1.2f4b8ap-5f, 0x1.0302dp-7f, 0x1.239baap-9f, 0x1.9438ep-11f, 0x1.480f94p-12f, 0x1.2ca334p-13f,
     0x1.2f55dap-14f},
    {-0x1.100852p-3f, -0x1.0319dp-6f, -0x1.68e466p-9f, -0x1.4ea346p-11f, -0x1.85f944p-13f, -0x1.1061c6p-14f,
     -0x1.813afp-16f, -0x1.a7f668p-17f},
    {0x1.f87b58p-5f, 0x1.8ded54p-8f, 0x1.c9d1b8p-11f, 0x1.67b522p-13f, 0x1.66e53cp-15f, 0x1.af8f98p-17f,
     0x1.3560c6p-18f, 0x1.0f3c24p-19f},
    {-0x1.84874p-6f, -0x1.282f0ap-9f, -0x1.12efbp-12f, -0x1.b22c4ep-15f, -0x1.bcbba6p-17f, -0x1.cf305p-19f,
     -0x1.0bc778p-17f, 0x1.4f095cp-20f},
    {0x1.73381ap-8f, 0x1.92fa98p-11f, 0x1.46a89cp-14f, 0x1.3a736ep-17f, 0x1.8d08a6p-20f, 0x1.76f438p-22f,
     -0x1.541ecp-23f, -0x1.024928p-20f},
};

/// column[cell], of eight floats
HWY_INLINE Single fast_look_up(const float (&column)[8], hn::Vec<Whole> cell) {
#if HWY_TARGET == HWY_AVX3
  const __m512 all = _mm512_broadcast_f32x8(_mm256_loadu_ps(column));
  return Single::V{_mm512_permutexvar_ps(cell.raw, all)};
#elif HWY_TARGET == HWY_AVX2
  return Single::V{_mm256_permutevar8x32_ps(_mm256_loadu_ps(column), cell.raw)};
#else
  const auto masked = hn::And(cell, hn::Set(Whole(), 7u));
  return hn::GatherIndex(Single::D(), column, hn::BitCast(hn::RebindToSigned<Single::D>(), masked));
#endif
}

/// exp(-a^2/2), with what rounding the square has left.
HWY_INLINE FastPower fast_gaussian(Single a) {
  const Single half = -0.5 * a, h = half * a;
  return fast_power(h, fma(half, a, -h));
}
/// a Phi(-a), 0 <= a < 8
HWY_INLINE Single fast_gaussian_tail(Single a) {
  const FastPower w = fast_gaussian(a);
  const Single m = at_most(a, 7.25) + 12582912.0, t = a - (m - 12582912.0);
  const auto cell = hn::BitCast(Whole(), m.v);
  Single g = fast_look_up(kGaussianTail[7], cell);
  for (int k = 6; k > 0; --k) g = fma(g, t, fast_look_up(kGaussianTail[k], cell));
  const Single c = fast_look_up(kGaussianTail[0], cell);
  return (c + fma(g, t, w.e * fma(g, t, c))) * w.s();
}
/// The same from 8 to 15 by its asymptotic series: 1 - 1/a^2 (1 - 3/a^2 (1 - 5/a^2 (...))), over sqrt(2 pi).
HWY_INLINE Single fast_gaussian_far_tail(Single a) {
  const FastPower w = fast_gaussian(a);
  const Single z = 1.0 / (a * a);
  Single g = fnma(z, 13.0, 1.0);
  g = fnma(z * g, 11.0, 1.0);
  g = fnma(z * g, 9.0, 1.0);
  g = fnma(z * g, 7.0, 1.0);
  g = fnma(z * g, 5.0, 1.0);
  g = fnma(z * g, 3.0, 1.0);
  g = fnma(z * 0x1.988454p-2, g, 0x1.988454p-2);
  return w.scaled(fma(g, w.e, g));
}
#endif
