// SPDX-License-Identifier: Apache-2.0
// Row: one row of floats, or of doubles, as the axis functions see it. Included once per target, inside namespace
// actfun::HWY_NAMESPACE.
//
// Same bits on every target: exp is one polynomial on fused multiply-adds, which targets without them take from libm,
// and sums run over 16 partial sums, element i in sum i mod 16, added as a tree in the end. A sum of n terms is then
// within (n / 16 + 5) 2^-53, relative: 2^-40 for 100,000, nothing against the float's 2^-25.

HWY_INLINE Real fused(Real a, Real b, Real c) {
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  return fma(a, b, c);
#else
  const Doubles d;
  alignas(64) double p[8], q[8], r[8];
  hn::Store(a.v[0], d, p), hn::Store(b.v[0], d, q), hn::Store(c.v[0], d, r);
  for (std::size_t i = 0; i < hn::Lanes(d); ++i) p[i] = std::fma(p[i], q[i], r[i]);
  return Real(hn::Load(d, p));
#endif
}

HWY_INLINE Real load(const float* x) { return to_doubles(hn::LoadU(Floats(), x)); }
HWY_INLINE Real load(const double* x) { return hn::LoadU(Doubles(), x); }
HWY_INLINE void store(Real y, float* to) { hn::StoreU(to_floats(y.v[0]), Floats(), to); }
HWY_INLINE void store(Real y, double* to) { hn::StoreU(y.v[0], Doubles(), to); }

/// exp(x) for x <= 0 within 2^-51; 0 where no T is left of it, or nearly none, and at 0 unless asked for.
/// Coefficients: scripts/fit/exp.sollya.
template <bool at_zero, class T>
HWY_INLINE Real exp_of_difference(Real x) {
  constexpr double q[] = {0x1p-1,
                          0x1.5555555555559p-3,
                          0x1.555555555554dp-5,
                          0x1.111111110f65ap-7,
                          0x1.6c16c16c1ab2fp-10,
                          0x1.a01a01afffdaep-13,
                          0x1.a01a018df122ap-16,
                          0x1.71ddf81bef3ebp-19,
                          0x1.27e513963fd37p-22,
                          0x1.af5f116bdd1ccp-26,
                          0x1.1f197f5fdd1f5p-29};
  constexpr double least = std::is_same_v<T, float> ? -200 : -708;
  const Real z = at_least(x, least);
  const Real m = fused(z, 0x1.71547652b82fep0, kRoundToInteger), n = m - kRoundToInteger;
  const Real r = fused(n, -0x1.abc9e3b39803fp-56, fused(n, -0x1.62e42fefa39efp-1, z));
  Real p = q[10];
  for (int i = 9; i >= 0; --i) p = fused(p, r, q[i]);
  const Real e = fused(p * r, r, r);
  const Real scale = from_bits(bits(m).left<52>() + 0x3FF0000000000000);
  const Mask counts = at_zero ? x > least : (x > least) & (x < 0.0);
  return select(counts, fused(scale, e, scale), 0.0);
}

/// log(1 + x) for x >= 0 within 2^-50.
inline double log1p_of_sum(double x) {
  int exponent = 0;
  double s = x / (2 + x);
  if (x > 1) {
    const double w = std::frexp(1 + x, &exponent);  // in [1/2, 1): the series wants |s| <= 1/3
    s = (w - 1) / (w + 1);
  }
  constexpr double p[] = {0x1p1,
                          0x1.5555555555534p-1,
                          0x1.99999999a094bp-2,
                          0x1.2492492080b73p-2,
                          0x1.c71c7420cc567p-3,
                          0x1.745cb3885e1a1p-3,
                          0x1.3b1de342b193p-3,
                          0x1.1067750f84261p-3,
                          0x1.efdc18523676dp-4,
                          0x1.55a4a84a46725p-4,
                          0x1.5c811165a16cfp-3};  // scripts/fit/log1p.sollya
  double y = 0;
  for (int i = 10; i >= 0; --i) y = std::fma(y, s * s, p[i]);
  return std::fma(exponent, 0x1.62e42fefa39efp-1, s * y);
}

template <class T>
class Row {
 public:
  HWY_INLINE Row(const T* x, T* y, std::size_t n) : x_(x), y_(y), n_(n) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    auto maximum = hn::Set(d, -kInfinity), nan = hn::Zero(d);
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      const auto v = hn::LoadU(d, x + i);
      maximum = hn::Max(maximum, v);
      nan = hn::Or(nan, hn::VecFromMask(d, hn::IsNaN(v)));
    }
    nan_ = !hn::AllFalse(d, hn::MaskFromVec(nan));
    alignas(64) T maxima[16];
    hn::Store(maximum, d, maxima);
    for (std::size_t k = 0; k < lanes; ++k) maximum_ = maxima[k] > maximum_ ? maxima[k] : maximum_;
    for (; i < n; ++i) {
      nan_ |= x[i] != x[i];
      maximum_ = x[i] > maximum_ ? x[i] : maximum_;
    }
    for (i = 0; i < n; ++i) maxima_ += x[i] == maximum_;
  }

  double maximum() const { return maximum_; }
  /// Whether the row has a limit: no NaN, no two +inf, not -inf everywhere.
  bool has_limit() const { return !nan_ && maximum_ > -kInfinity && (maximum_ < kInfinity || maxima_ == 1); }
  bool has_infinity() const { return maximum_ == kInfinity; }

  /// The sum of exp(x_i - maximum) less the 1 of the maximum itself, with the relative accuracy that log1p deserves.
  HWY_INLINE double excess_sum_of_exp() const {
    constexpr std::size_t kSums = 16;
    const std::size_t lanes = hn::Lanes(Doubles());
    alignas(64) double sums[kSums] = {};
    alignas(64) T padded[kSums];
    const Real maximum = static_cast<double>(maximum_);
    for (std::size_t i = 0; i < n_; i += kSums) {
      const T* from = x_ + i;
      if (n_ - i < kSums) {
        for (std::size_t k = 0; k < kSums; ++k) padded[k] = i + k < n_ ? x_[i + k] : -kInfinity;
        from = padded;
      }
      for (std::size_t k = 0; k < kSums; k += lanes)
        store(load(sums + k) + exp_of_difference<false, T>(load(from + k) - maximum), sums + k);
    }
    for (std::size_t width = kSums / 2; width > 0; width /= 2)
      for (std::size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
    return static_cast<double>(maxima_ - 1) + sums[0];
  }

  /// y_i = f(x_i)
  template <class Function>
  HWY_INLINE void map(const Function& f) const {
    const std::size_t lanes = hn::Lanes(Doubles());
    std::size_t i = 0;
    for (; i + lanes <= n_; i += lanes) store(f(load(x_ + i)), y_ + i);
    if (i < n_) {
      alignas(64) T padded[16] = {};
      std::memcpy(padded, x_ + i, (n_ - i) * sizeof(T));
      store(f(load(padded)), padded);
      std::memcpy(y_ + i, padded, (n_ - i) * sizeof(T));
    }
  }

 private:
  static constexpr T kInfinity = std::numeric_limits<T>::infinity();
  const T* x_;
  T* y_;
  std::size_t n_;
  T maximum_ = -kInfinity;
  bool nan_ = false;
  std::size_t maxima_ = 0;  ///< how often the maximum occurs
};
