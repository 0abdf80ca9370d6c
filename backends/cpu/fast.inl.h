// SPDX-License-Identifier: Apache-2.0
// The loops of the fast tier: a function's formulas on floats, `FastValue` and `FastSlope`, over an array. Included
// once per target, inside namespace actfun::HWY_NAMESPACE.

#ifdef ACTFUN_FAST

/// All lanes, near and far.
template <class F>
HWY_NOINLINE HWY_FLATTEN void fast_everywhere(const float* x, float* y) {
  const Single::D d;
  const Single in = hn::LoadU(d, x);
  const SingleMask near = abs(in) < Single(F::reach);
  const Single result = select(near, F::near(select(near, in, 0.0)), F::far(select(near, 0.0, in)));
  hn::StoreU(hn::IfThenElse(hn::IsNaN(in.v), in.v, result.v), d, y);
}

template <class F>
HWY_FLATTEN void run_fast(const float* x, float* y, std::size_t n, const Constant* /*p*/) {
  const Single::D d;
  constexpr std::size_t kVectors = 4;
  const std::size_t lanes = hn::Lanes(d), width = kVectors * lanes;
  alignas(64) float padded[kVectors * 16], results[kVectors * 16];
  for (std::size_t i = 0; i < n; i += width) {
    const float* from = x + i;
    float* to = y + i;
    const std::size_t left = n - i;
    if (HWY_UNLIKELY(left < width)) {
      std::memset(padded, 0, sizeof padded);
      std::memcpy(padded, from, left * sizeof(float));
      from = padded;
      to = results;
    }
    Single in[kVectors];
    for (std::size_t k = 0; k < kVectors; ++k) in[k] = hn::LoadU(d, from + k * lanes);
    // The largest magnitude, as integers: NaN is larger than all.
    const hn::RebindToSigned<Single::D> di;
    auto farthest = hn::BitCast(di, abs(in[0]).v);
    for (std::size_t k = 1; k < kVectors; ++k) farthest = hn::Max(farthest, hn::BitCast(di, abs(in[k]).v));
    if (HWY_LIKELY(hn::AllTrue(di, hn::Lt(farthest, hn::BitCast(di, Single(F::reach).v)))))
      for (std::size_t k = 0; k < kVectors; ++k) hn::StoreU(F::near(in[k]).v, d, to + k * lanes);
    else
      for (std::size_t k = 0; k < kVectors; ++k) fast_everywhere<F>(from + k * lanes, to + k * lanes);
    if (HWY_UNLIKELY(left < width)) std::memcpy(y + i, results, left * sizeof(float));
  }
}
#endif
