// SPDX-License-Identifier: Apache-2.0
// The loops of the fast tier: a function's formulas on floats, `FastValue` and `FastSlope`, over an array. Included
// once per target, inside namespace actfun::HWY_NAMESPACE.

#ifdef ACTFUN_FAST

/// Whether one formula serves all inputs.
template <class F>
constexpr bool has_one_formula() {
  return requires(Single x) { F::everywhere(x); };
}

/// All lanes, near and far.
template <class F>
HWY_NOINLINE HWY_FLATTEN void fast_everywhere(const float* x, float* y) {
  const Single::D d;
  const Single in = hn::LoadU(d, x);
  const SingleMask near = abs(in) < Single(F::reach);
  const Single result = select(near, F::near(select(near, in, 0.0)), F::far(select(near, 0.0, in)));
  hn::StoreU(hn::IfThenElse(hn::IsNaN(in.v), in.v, result.v), d, y);
}

/// y[i] = f(x[i]), or with a gradient g[i] f(x[i]).
template <class F, bool with_gradient>
HWY_INLINE void run_fast(const float* x, [[maybe_unused]] const float* g, float* y, std::size_t n) {
  const Single::D d;
  constexpr std::size_t kVectors = 4, kWidest = kVectors * 16;
  const std::size_t lanes = hn::Lanes(d), width = kVectors * lanes;
  alignas(64) float padded[kWidest], gradients[kWidest], results[kWidest];
  [[maybe_unused]] alignas(64) float far[16];
  for (std::size_t i = 0; i < n; i += width) {
    const float *from = x + i, *factor = with_gradient ? g + i : nullptr;
    float* to = y + i;
    const std::size_t left = n - i;
    if (HWY_UNLIKELY(left < width)) {
      std::memset(padded, 0, sizeof padded);
      std::memcpy(padded, from, left * sizeof(float));
      from = padded;
      if constexpr (with_gradient) factor = static_cast<float*>(std::memcpy(gradients, factor, left * sizeof(float)));
      to = results;
    }
    const auto put = [&](std::size_t k, Single value) HWY_ATTR {
      if constexpr (with_gradient) value = value * Single(hn::LoadU(d, factor + k * lanes));
      hn::StoreU(value.v, d, to + k * lanes);
    };
    Single in[kVectors];
    for (std::size_t k = 0; k < kVectors; ++k) in[k] = hn::LoadU(d, from + k * lanes);
    if constexpr (has_one_formula<F>()) {
      for (std::size_t k = 0; k < kVectors; ++k) put(k, F::everywhere(in[k]));
    } else {
      // The largest magnitude, as integers: NaN is larger than all.
      const hn::RebindToSigned<Single::D> di;
      auto farthest = hn::BitCast(di, abs(in[0]).v);
      for (std::size_t k = 1; k < kVectors; ++k) farthest = hn::Max(farthest, hn::BitCast(di, abs(in[k]).v));
      if (HWY_LIKELY(hn::AllTrue(di, hn::Lt(farthest, hn::BitCast(di, Single(F::reach).v))))) {
        for (std::size_t k = 0; k < kVectors; ++k) put(k, F::near(in[k]));
      } else {
        for (std::size_t k = 0; k < kVectors; ++k) {
          fast_everywhere<F>(from + k * lanes, far);
          put(k, hn::Load(d, far));
        }
      }
    }
    if (HWY_UNLIKELY(left < width)) std::memcpy(y + i, results, left * sizeof(float));
  }
}
template <class F>
HWY_FLATTEN void fast_unary(const float* x, float* y, std::size_t n, const Constant* /*p*/) {
  run_fast<F, false>(x, nullptr, y, n);
}
template <class F>
HWY_FLATTEN void fast_backward(const float* x, const float* g, float* dx, std::size_t n) {
  run_fast<F, true>(x, g, dx, n);
}
#endif
