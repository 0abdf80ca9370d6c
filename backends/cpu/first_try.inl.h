// SPDX-License-Identifier: Apache-2.0
// The exact tier's first try: a function's `FirstTry` computes pairs of floats, on twice the lanes of doubles, and a
// rounding test tells which results are settled. The few others are collected, and computed again together, on doubles
// and if need be on double-doubles. Included once per target, inside namespace actfun::HWY_NAMESPACE.

#ifdef ACTFUN_PAIRS

/// By how much the low float may be off near a boundary between floats, where it is at least 2^-26 of the high one:
/// with 2^-7 a pair may be off by 2^-33.
template <class Try>
HWY_INLINE Single stretch([[maybe_unused]] Single x) {
  if constexpr (requires { Try::stretch(x); })
    return Try::stretch(x);
  else
    return 1.0 + 0x1p-7;
}

/// Lanes that are computed again, by their place in the output.
template <class F, class... P>
class Again {
 public:
  HWY_INLINE Again(float* y, P... p) : y_(y), p_(p...) {}
  HWY_INLINE void add(float x, std::size_t place) {
    x_[count_] = x;
    places_[count_++] = place;
    if (HWY_UNLIKELY(count_ == kMost)) run();
  }
  HWY_INLINE void finish() {
    if (count_ > 0) run();
  }

 private:
  HWY_NOINLINE void run() {
    const std::size_t lanes = hn::Lanes(Floats());
    std::fill_n(x_ + count_, lanes, 0.0f);  // whole vectors are read
    for (std::size_t i = 0; i < count_; i += lanes) {
      alignas(64) float results[16];
      hn::StoreU(
          std::apply([&](P... p) HWY_ATTR { return with_care<F, Order::value>(hn::LoadU(Floats(), x_ + i), p...); },
                     p_),
          Floats(), results);
      for (std::size_t k = 0; k < lanes && i + k < count_; ++k) y_[places_[i + k]] = results[k];
    }
    count_ = 0;
  }

  static constexpr std::size_t kMost = 64;
  float x_[kMost + 16];
  std::size_t places_[kMost], count_ = 0;
  float* y_;
  std::tuple<P...> p_;
};

/// Whether f(x) is x at +0 and -0: a sum of floats makes +0 of -0.
template <class Try>
constexpr bool zero_at_zero() {
  return requires { Try::zero_at_zero; };
}

/// 2^-100 <= |x| < reach: low floats do not underflow. As one signed comparison with `end(reach)`.
using Ints = hn::RebindToSigned<Single::D>;
inline constexpr std::uint32_t kStart = 0x80000000 - std::bit_cast<std::uint32_t>(0x1p-100f);
constexpr std::int32_t end(float reach) {
  return static_cast<std::int32_t>(kStart + std::bit_cast<std::uint32_t>(reach));
}
HWY_INLINE hn::Vec<Ints> place(Single x) {
  return hn::Add(hn::BitCast(Ints(), abs(x).v), hn::Set(Ints(), static_cast<std::int32_t>(kStart)));
}

/// Which of N vectors of results are settled.
template <int N>
struct SettledPairs {
  hn::Mask<Single::D> vectors[N];
  HWY_INLINE hn::Mask<Single::D> in(int k) const { return vectors[k]; }
  HWY_INLINE hn::Mask<Single::D> in_all() const {
    hn::Mask<Single::D> all = vectors[0];
    for (int k = 1; k < N; ++k) all = hn::And(all, vectors[k]);
    return all;
  }
};
/// The same of results from doubles, by the low halves of their gaps (see elementwise.inl.h).
template <int N>
struct SettledDoubles {
  using Halves = hn::Repartition<std::uint32_t, DoubleBits>;
  Bits<2 * N> gaps;
  HWY_INLINE hn::Vec<Halves> half(int k) const { return hn::BitCast(Halves(), gaps.b[k]); }
  static HWY_INLINE hn::Mask<Single::D> positive(hn::Vec<Halves> v) {
    return hn::RebindMask(Single::D(), hn::Gt(hn::BitCast(Ints(), v), hn::Zero(Ints())));
  }
  HWY_INLINE hn::Mask<Single::D> in(int k) const {
    return positive(hn::ConcatEven(Halves(), half(2 * k + 1), half(2 * k)));
  }
  HWY_INLINE hn::Mask<Single::D> in_all() const {
    auto least = half(0);
    for (int k = 1; k < 2 * N; ++k) least = hn::Min(least, half(k));
    return positive(hn::DupEven(least));
  }
};

/// y = f(x) for N vectors, and which results are settled.
template <class Try, int N>
HWY_INLINE auto try_first(const hn::Vec<Single::D> (&x)[N], hn::Vec<Single::D> (&y)[N]) {
  if constexpr (requires { Try::on_doubles; }) {
    // Within 2^-32 of the real number or, of results next to a power of two, 2^-33.
    constexpr int K = 2 * N;
    const auto halves = [&](int k) HWY_ATTR {
      return to_doubles(k % 2 == 0 ? hn::LowerHalf(Floats(), x[k / 2]) : hn::UpperHalf(Floats(), x[k / 2]));
    };
    const auto result = Try::value(ACTFUN_EACH(Reals<K>, halves(k)));
    for (int k = 0; k < N; ++k)
      y[k] = hn::Combine(Single::D(), to_floats(result.v[2 * k + 1]), to_floats(result.v[2 * k]));
    return SettledDoubles<N>{gap<std::uint64_t{1} << 8>(result)};
  } else {
    SettledPairs<N> settled;
    for (int k = 0; k < N; ++k) {
      const Pair result = normalized(Try::value(Single(x[k])));
      settled.vectors[k] = hn::Eq(fma(result.low, stretch<Try>(x[k]), result.high).v, result.high.v);
      y[k] = result.high.v;
    }
    return settled;
  }
}

/// Bit k for lane k that is not in the mask.
HWY_INLINE std::uint64_t open_lanes(hn::Mask<Single::D> settled) {
  std::uint8_t bytes[8] = {};
  hn::StoreMaskBits(Single::D(), hn::Not(settled), bytes);
  std::uint64_t bits;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

/// y = f(x) for N vectors, and a bit for each lane that is still open. `on_doubles` computes all lanes where many are.
template <class Try, int N>
HWY_INLINE std::uint64_t evaluate_first_try(const hn::Vec<Single::D> (&x)[N], hn::Vec<Single::D> (&y)[N],
                                            const Constant* p, Kernels::Unary on_doubles) {
  const Single::D d;
  const auto settled = try_first<Try>(x, y);
  const auto limit = hn::Set(Ints(), end(Try::reach));
  const auto in_range = hn::RebindMask(d, hn::Lt(hn::Max(place(x[0]), place(x[N - 1])), limit));
  if (HWY_LIKELY(hn::AllTrue(d, hn::And(settled.in_all(), in_range)))) return 0;
  const std::size_t lanes = hn::Lanes(d);
  std::uint64_t open = 0;
  for (int k = 0; k < N; ++k) {
    // Zeros are not in range, but what they give is known.
    const auto zero = hn::Eq(x[k], hn::Zero(d));
    if (zero_at_zero<Try>()) y[k] = hn::IfThenElse(zero, x[k], y[k]);
    const auto near = hn::RebindMask(d, hn::Lt(place(x[k]), limit));
    open |= open_lanes(hn::Or(zero, hn::And(settled.in(k), near))) << (static_cast<std::size_t>(k) * lanes);
  }
  if (static_cast<std::size_t>(std::popcount(open)) * 4 <= N * lanes) return open;
  alignas(64) float buffer[N * 16];
  for (int k = 0; k < N; ++k) hn::Store(x[k], d, buffer + static_cast<std::size_t>(k) * lanes);
  on_doubles(buffer, buffer, N * lanes, p, Passage::near);
  for (int k = 0; k < N; ++k) y[k] = hn::Load(d, buffer + static_cast<std::size_t>(k) * lanes);
  return 0;
}

/// y[i] = f(x[i]) at default parameters. Results are not streamed: some are written again.
template <class F, std::size_t... index>
HWY_INLINE void run_first_try(const float* x, float* y, std::size_t n, const Constant* p, Passage passage,
                              Kernels::Unary on_doubles, std::index_sequence<index...>) {
  using Try = typename F::FirstTry;
  using V = hn::Vec<Single::D>;
  const Single::D d;
  // Four vectors of doubles are too many for sixteen registers.
  constexpr int N = HWY_TARGET == HWY_AVX2 && requires { Try::on_doubles; }
  ? 1 : 2;
  const std::size_t lanes = hn::Lanes(d), width = N * lanes;
  Again<F, decltype(parameter<F, index>(p[index]))...> again(y, parameter<F, index>(p[index])...);
  const auto collect = [&]<int K>(const V(&in)[K], std::uint64_t open, std::size_t i) HWY_ATTR {
    alignas(64) float inputs[K * 16];
    for (int k = 0; k < K; ++k) hn::Store(in[k], d, inputs + static_cast<std::size_t>(k) * lanes);
    for (; open != 0; open &= open - 1) {
      const auto k = static_cast<std::size_t>(std::countr_zero(open));
      again.add(inputs[k], i + k);
    }
  };
  std::size_t i = 0;
  for (; i + width <= n; i += width) {
    V in[N], out[N];
    for (int k = 0; k < N; ++k) in[k] = hn::LoadU(d, x + i + static_cast<std::size_t>(k) * lanes);
    fetch_ahead(x + i, width, passage);
    const std::uint64_t open = evaluate_first_try<Try>(in, out, p, on_doubles);
    put(out, y + i, Passage::near);
    if (HWY_UNLIKELY(open != 0)) collect(in, open, i);
  }
  for (; i < n; i += lanes) {
    const std::size_t some = n - i < lanes ? n - i : lanes;
    const V in[1] = {some < lanes ? load_some(d, x + i, some) : hn::LoadU(d, x + i)};
    V out[1];
    const std::uint64_t open = evaluate_first_try<Try>(in, out, p, on_doubles);
    some < lanes ? store_some(out[0], d, y + i, some) : hn::StoreU(out[0], d, y + i);
    if (open != 0) collect(in, open, i);  // of lanes beyond n none is: they are 0
  }
  again.finish();
}
#endif
