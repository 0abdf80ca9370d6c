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
HWY_NOINLINE HWY_FLATTEN hn::Vec<Single::D> near_and_far(hn::Vec<Single::D> x) {
  const Single in = x;
  const SingleMask near = abs(in) < Single(F::reach);
  const Single result = select(near, F::near(select(near, in, 0.0)), F::far(select(near, 0.0, in)));
  return hn::IfThenElse(hn::IsNaN(x), x, result.v);
}

/// y = f(x) for K vectors.
template <class F, int K>
HWY_INLINE void evaluate_fast(const hn::Vec<Single::D> (&x)[K], hn::Vec<Single::D> (&y)[K]) {
  if constexpr (has_one_formula<F>()) {
    for (int k = 0; k < K; ++k) y[k] = F::everywhere(Single(x[k])).v;
  } else {
    // The largest magnitude, as integers: NaN is larger than all.
    const hn::RebindToSigned<Single::D> di;
    auto farthest = hn::BitCast(di, hn::Abs(x[0]));
    for (int k = 1; k < K; ++k) farthest = hn::Max(farthest, hn::BitCast(di, hn::Abs(x[k])));
    if (HWY_LIKELY(hn::AllTrue(di, hn::Lt(farthest, hn::BitCast(di, Single(F::reach).v))))) {
      for (int k = 0; k < K; ++k) y[k] = F::near(Single(x[k])).v;
    } else {
      for (int k = 0; k < K; ++k) y[k] = near_and_far<F>(x[k]);
    }
  }
}

/// y[i] = f(x[i]), or with a gradient g[i] f(x[i]). The loop is `run`'s.
template <class F, bool with_gradient>
HWY_INLINE void run_fast(const float* x, [[maybe_unused]] const float* g, float* y, std::size_t n, Passage passage) {
  const Single::D d;
  using V = hn::Vec<Single::D>;
  constexpr int K = 4;
  const std::size_t lanes = hn::Lanes(d), width = K * lanes;
  std::size_t end = before_stream(y, n, passage);
  for (std::size_t i = 0; i < n;) {
    if (i == end) end = n;
    const std::size_t left = end - i;
    if (HWY_LIKELY(left >= width)) {
      V in[K], out[K];
      for (int k = 0; k < K; ++k) in[k] = hn::LoadU(d, x + i + k * lanes);
      fetch_ahead(x + i, width, passage);
      evaluate_fast<F>(in, out);
      if constexpr (with_gradient)
        for (int k = 0; k < K; ++k) out[k] = hn::Mul(out[k], hn::LoadU(d, g + i + k * lanes));
      put(out, y + i, passage);
      i += width;
    } else {
      const std::size_t some = left < lanes ? left : lanes;
      const auto load = [&](const float* from)
                            HWY_ATTR { return some < lanes ? load_some(d, from + i, some) : hn::LoadU(d, from + i); };
      const V in[1] = {load(x)};
      V out[1];
      evaluate_fast<F>(in, out);
      if constexpr (with_gradient) out[0] = hn::Mul(out[0], load(g));
      some < lanes ? store_some(out[0], d, y + i, some) : hn::StoreU(out[0], d, y + i);
      i += some;
    }
  }
  if (passage == Passage::streamed) hwy::FlushStream();
}

template <class F>
constexpr bool is_interleaved() {
  if constexpr (requires { F::interleaved; })
    return F::interleaved != (kRegisters == 32 ? Interleaved::in_16_registers : Interleaved::in_32_registers);
  else
    return false;
}

/// The loops of one of a function's formulas.
template <class F>
struct FastLoops {
  static HWY_FLATTEN void unary(const float* x, float* y, std::size_t n, const Constant* /*p*/, Passage passage) {
    run_fast<F, false>(x, nullptr, y, n, passage);
  }
  static HWY_FLATTEN void backward(const float* x, const float* g, float* dx, std::size_t n) {
    run_fast<F, true>(x, g, dx, n, Passage::near);
  }
};
template <class F>
requires(is_interleaved<F>()) struct FastLoops<F> {
  static HWY_FLATTEN ACTFUN_INTERLEAVED void unary(const float* x, float* y, std::size_t n, const Constant* /*p*/,
                                                   Passage passage) {
    run_fast<F, false>(x, nullptr, y, n, passage);
  }
  static HWY_FLATTEN ACTFUN_INTERLEAVED void backward(const float* x, const float* g, float* dx, std::size_t n) {
    run_fast<F, true>(x, g, dx, n, Passage::near);
  }
};
#endif
