// SPDX-License-Identifier: Apache-2.0
// What the fast tier's functions are made of, on floats. Bounds are theirs, and stand in the certificates; here every
// step is arranged so that large terms are exact and only small ones are rounded.
//
// A function has a near formula, for |x| below its `reach`, and a far one for everything beyond: saturation, underflow
// and overflow. A vector whose lanes are all near takes the short way, with the same results. Or it has one
// `everywhere`.

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

/// q(s r) s^2 for a power of two s, where exp(r) - 1 = r + r^2 q(r), |s r| <= ln2 / 2. Coefficients:
/// scripts/fit/fast.sollya, 2^-25.9 of expm1, 2^-27.2 of exp.
template <int s = 1>
HWY_INLINE Single exp_q(Single r) {
  constexpr double s2 = s * s, s3 = s * s2, s4 = s * s3;
  Single q = fma(r, 0x1.6d5684p-10 * s2 * s4, 0x1.122796p-7 * s2 * s3);
  q = fma(q, r, 0x1.5554ep-5 * s4);
  q = fma(q, r, 0x1.5554bp-3 * s3);
  return fma(q, r, 0.5 * s2);
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

/// 2^(rate x) with x and rate in two floats each. Coefficients of (2^f - 1) / f: scripts/fit/fast.sollya, 2^-27.5 of
/// 2^f.
HWY_INLINE FastPower fast_power_of_2(Single x, Single x_low, double rate, double rate_low) {
  constexpr double kRound = 12582912 + 127;
  const Single m = fma(x, rate, kRound), n = m - kRound;
  const Single f = fma(x_low, rate, fma(x, rate_low, fma(x, rate, -n)));
  Single q = fma(f, 0x1.44253cp-13, 0x1.5f0a5cp-10);
  q = fma(q, f, 0x1.3b2a48p-7);
  q = fma(q, f, 0x1.c6af6ap-5);
  q = fma(q, f, 0x1.ebfbep-3);
  q = fma(q, f, 0x1.86ee8p-28);
  return {fma(f, 0x1.62e43p-1, q * f), n, hn::BitCast(Whole(), m.v)};
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
/// exp(x) - 1, -18 <= x <= 0: what is left of ln2 weighs nothing beside the difference.
HWY_INLINE Single fast_expm1_of_negative(Single x) {
  const auto [r, n, biased] = fast_reduced(x);
  const Single s = FastPower{r, n, biased}.s();
  return fma(s, fma(r * r, exp_q(r), r), s - 1.0);
}
/// exp(-2 a) = s (1 + e), 0 <= a < 10, as far as 1 - exp(-2 a) needs it: from r = -2 a / 2 - n ln2 / 2, so that no
/// operation goes into doubling.
struct FastHalfPower {
  Single s, e;
};
HWY_INLINE FastHalfPower fast_half_power(Single a) {
  constexpr double kRound = 12582912 + 127;
  const Single m = fnma(a, 0x1.715476p1, kRound), n = m - kRound, r = fnma(n, 0x1.62e43p-2, -a);
  return {hn::BitCast(Single::D(), hn::ShiftLeft<23>(hn::BitCast(Whole(), m.v))), fma(r * r, exp_q<2>(r), r + r)};
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

/// t / (1 + t)^2 for t = exp(z), -16 <= z <= 0, with what rounding t and the square has lost.
HWY_INLINE Single fast_logistic_slope(Single z) {
  const FastPower w = fast_power(z);
  const Single s = w.s(), se = s * w.e, t = s + se, t_low = fma(s, w.e, s - t);
  const Single d = fma(t, t + 2.0, 1.0), d_low = fma(t + (t + 2.0), t_low, fma(t, t + 2.0, 1.0 - d));
  const Single inverse = fma(t, fma(t, 0.6, -1.35), 1.0);  // of d, well enough
  return (s + fnma(t * inverse, d_low, se)) / d;
}
/// t (1 - 2 t) for t = exp(z), z < -16
HWY_INLINE Single fast_logistic_slope_far(Single z) {
  return times_exp(1.0, at_least(z, -110), -2.0 * fast_exp(at_least(z, -80)));
}

/// The slope of x sigmoid(v(x)), with w = exp(-|v|) = t and m + m_low = |x| |v'| - 1: t (m - t) / (1 + t)^2 is what is
/// missing to 1 for x > 0, and what there is, with the other sign, for x < 0.
HWY_INLINE Single fast_slope_of_gate(Single x, const FastPower& w, Single m, Single m_low) {
  const Single s = w.s(), t = fma(s, w.e, s), t_low = fma(s, w.e, s - t);
  const Single d = fma(t, t + 2.0, 1.0), d_low = fma(t + (t + 2.0), t_low, fma(t, t + 2.0, 1.0 - d));
  const Single inverse = fma(t, fma(t, 0.6, -1.35), 1.0);  // of d, well enough
  const Single n = m - t, n_low = ((m - n) - t) + (m_low - t_low);
  const Single y = fma(t, n, fma(t, fnma(n, d_low * inverse, n_low), t_low * n)) / d;
  return select(x < 0.0, -y, 1.0 + y);
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

/// The same of exp(a^2/2 - kSlopeShift) (Phi(-a) - a phi(a)); in cell 1, where it has a root, within 2^-27.5. The shift
/// brings the values at 3 and 4 nearer to floats.
inline constexpr double kSlopeShift = 0x1.9p-28;
inline constexpr float kGaussianTailSlope[8][8] = {
    {0x1p-1f, -0x1.19524ap-3f, -0x1.4272dcp-1f, -0x1.1347b4p0f, -0x1.805908p0f, -0x1.eaf46cp0f, -0x1.2a188ep1f,
     -0x1.5e4c44p1f},
    {-0x1.988458p-1f, -0x1.1296bcp-1f, -0x1.d8c2cap-2f, -0x1.bbbe3p-2f, -0x1.ae53ecp-2f, -0x1.a734fap-2f,
     -0x1.a3079ap-2f, -0x1.a063a8p-2f},
    {0x1.00008cp-2f, 0x1.fcc888p-5f, 0x1.5d305cp-6f, 0x1.2bffbap-7f, 0x1.2dee34p-8f, 0x1.542644p-9f, 0x1.a0e44ap-10f,
     0x1.1047e4p-10f},
    {-0x1.105d6cp-3f, -0x1.9b0196p-6f, -0x1.b75d0cp-8f, -0x1.2eedb8p-9f, -0x1.f651p-11f, -0x1.ded4eep-12f,
     -0x1.f931b8p-13f, -0x1.2206eep-13f},
    {0x1.ffe8c4p-5f, 0x1.2f174p-7f, 0x1.02ddfap-9f, 0x1.28205ep-11f, 0x1.7fff9cp-13f, 0x1.4c63f2p-14f, 0x1.3744c2p-15f,
     0x1.526598p-16f},
    {-0x1.af5bfcp-6f, -0x1.9e976cp-9f, -0x1.20f5cap-11f, -0x1.013e8p-13f, -0x1.65ee9ap-15f, -0x1.8d4a76p-17f,
     -0x1.de8f54p-18f, -0x1.61181ep-19f},
    {0x1.3484cap-7f, 0x1.15204cp-10f, 0x1.3d0976p-13f, 0x1.35b1cp-17f, 0x1.eabdaep-16f, -0x1.b3969ep-23f,
     -0x1.1eb0bp-19f, -0x1.a78f8cp-19f},
    {-0x1.15cf6p-9f, -0x1.51c92cp-12f, -0x1.3013b2p-15f, -0x1.49d36p-16f, 0x1.6279c6p-17f, -0x1.94be9p-19f,
     0x1.f5bce4p-19f, 0x1.22d032p-19f},
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

/// exp(-a^2/2 + shift), with what rounding the square has left.
HWY_INLINE FastPower fast_gaussian(Single a, double shift = 0) {
  const Single half = -0.5 * a, h = half * a, low = fma(half, a, -h);
  return fast_power(h, shift == 0 ? low : low + shift);
}
/// exp(-a^2/2) times the polynomials' value, 0 <= a < 8: the one large term last.
HWY_INLINE Single fast_gaussian_times(const float (&polynomials)[8][8], Single a, double shift = 0) {
  const FastPower w = fast_gaussian(a, shift);
  const Single m = at_most(a, 7.25) + 12582912.0, t = a - (m - 12582912.0);
  const auto cell = hn::BitCast(Whole(), m.v);
  Single g = fast_look_up(polynomials[7], cell);
  for (int k = 6; k > 0; --k) g = fma(g, t, fast_look_up(polynomials[k], cell));
  const Single c = fast_look_up(polynomials[0], cell);
  return (c + fma(g, t, w.e * fma(g, t, c))) * w.s();
}
/// a Phi(-a), 0 <= a < 8
HWY_INLINE Single fast_gaussian_tail(Single a) { return fast_gaussian_times(kGaussianTail, a); }
/// Phi(-a) - a phi(a), 0 <= a < 8
HWY_INLINE Single fast_gaussian_tail_slope(Single a) { return fast_gaussian_times(kGaussianTailSlope, a, kSlopeShift); }

/// q = 1 - 3 z (1 - 5 z (...)) for z = 1/a^2, a >= 8: a Phi(-a) = phi(a) (1 - z q).
HWY_INLINE Single fast_mills(Single z) {
  Single g = fnma(z, 13.0, 1.0);
  g = fnma(z * g, 11.0, 1.0);
  g = fnma(z * g, 9.0, 1.0);
  g = fnma(z * g, 7.0, 1.0);
  g = fnma(z * g, 5.0, 1.0);
  return fnma(z * g, 3.0, 1.0);
}
/// Both from 8 to 15.
HWY_INLINE Single fast_gaussian_far_tail(Single a) {
  const FastPower w = fast_gaussian(a);
  const Single z = 1.0 / (a * a), g = fnma(z * 0x1.988454p-2, fast_mills(z), 0x1.988454p-2);  // 1 / sqrt(2 pi)
  return w.scaled(fma(g, w.e, g));
}
HWY_INLINE Single fast_gaussian_far_tail_slope(Single a) {
  // -a (1 - y) phi(a), y = z (1 - z q); c + c_low = -a / sqrt(2 pi)
  const FastPower w = fast_gaussian(a);
  const Single z = 1.0 / (a * a), y = z * fnma(z, fast_mills(z), 1.0);
  const Single c = a * -0x1.988454p-2, c_low = fma(a, 0x1.85794p-27, fma(a, -0x1.988454p-2, -c));
  return w.scaled(c + fma(c, w.e - fma(y, w.e, y), c_low));
}
#endif
