// SPDX-License-Identifier: Apache-2.0
// The normal distribution's cumulative function to 2^-32, |x| <= 8: for the first try of gelu, which settles most
// results with fewer operations than normal.inl.h takes to 2^-43. Coefficients: scripts/fit/quick_normal.sollya.

#ifdef ACTFUN_PAIRS

/// exp(x), -704 <= x <= 0, 2^-33 and better
template <int K>
HWY_INLINE Reals<K> quick_exp_decay(Reals<K> x) {
  const auto [scale, r] = reduced_for_exp(x);
#if HWY_TARGET == HWY_AVX3
  Reals<K> q = fma(r, 0x1.55574445fd06fp-5, 0x1.5557082b417b8p-3);  // 2^-37
  q = fma(q, r, 0x1.fffffffdd2846p-2);
#else
  Reals<K> q = fma(r, 0x1.a1a16495c4b79p-13, 0x1.6d7485ea8a31ap-10);  // 2^-33
  q = fma(q, r, 0x1.11108f9a8f731p-7);
  q = fma(q, r, 0x1.5554add3eee21p-5);
  q = fma(q, r, 0x1.5555558904affp-3);
  q = fma(q, r, 0x1.00000027de827p-1);
#endif
  return fma(scale, fma(q * r, r, r), scale);
}

/// 1 / d within 2^-41, for a float's d
template <int K>
HWY_INLINE Reals<K> estimated_reciprocal(Reals<K> d) {
#if HWY_TARGET == HWY_AVX3
  return quick_reciprocal(d);
#else
  const Reals<K> r = ACTFUN_EACH(Reals<K>, (DoublesV{_mm256_cvtps_pd(_mm_rcp_ps(_mm256_cvtpd_ps(d.v[k].raw)))}));
  const Reals<K> s = fma(r, fnma(d, r, 1.0), r);
  return fma(s, fnma(d, s, 1.0), s);
#endif
}

/// The scaled tail as in normal.inl.h, 0 <= t <= 8: 2^-35.
template <int K>
HWY_INLINE Reals<K> quick_normal_tail(Reals<K> t) {
  const Reals<K> u = fnma(estimated_reciprocal(t + 5.0), 10.0, 1.0), w = u * u;
  Reals<K> even = fma(w, -0x1.848fe49a3ca1dp-14, 0x1.c210a0e99a155p-13);
  Reals<K> odd = fma(w, -0x1.80fe3fe9a938ep-16, 0x1.dbc0f72bb6c6ep-14);
  even = fma(even, w, 0x1.26a81e3b7c938p-7);
  odd = fma(odd, w, -0x1.37a2572ec739bp-9);
  even = fma(even, w, 0x1.8807df903f5p-5);
  odd = fma(odd, w, -0x1.7f9cd346f08dp-6);
  even = fma(even, w, 0x1.db6af8973417cp-4);
  odd = fma(odd, w, -0x1.4b4ce55983cf3p-4);
  even = fma(even, w, 0x1.3b0fbcb4ac442p-4);
  odd = fma(odd, w, -0x1.25cd1320c30ecp-3);
  return fma(odd, u, even);
}
template <int K>
HWY_INLINE Reals<K> quick_normal_cumulative(Reals<K> x) {
  const Reals<K> tail = quick_exp_decay(-0.5 * (x * x)) * quick_normal_tail(abs(x));
  return select(x < 0.0, tail, 1.0 - tail);
}
#endif
