// SPDX-License-Identifier: Apache-2.0
// The exact tier's first try: a function's `FirstTry` computes pairs of floats, on twice the lanes of doubles, and a
// rounding test tells which results are settled. The few others are collected, and computed again together, on doubles
// and if need be on double-doubles. Included once per target, inside namespace actfun::HWY_NAMESPACE.

#ifdef ACTFUN_PAIRS

/// By how much the low float may be off near a boundary between floats, where it is at least 2^-26 of the high one:
/// with 2^-7 a pair may be off by 2^-33.
template <class Try>
HWY_INLINE Single stretch([[maybe_unused]] Single high) {
  if constexpr (requires { Try::stretch(high); })
    return Try::stretch(high);
  else
    return 1.0 + 0x1p-7;
}

/// Bit k for lane k of a mask.
HWY_INLINE std::uint64_t lane_bits(hn::Mask<Single::D> mask) {
#if HWY_TARGET == HWY_AVX3
  return mask.raw;
#else
  return static_cast<std::uint32_t>(_mm256_movemask_ps(mask.raw));
#endif
}
HWY_INLINE std::uint64_t lane_bits(hn::Mask<Doubles> mask) {
#if HWY_TARGET == HWY_AVX3
  return mask.raw;
#else
  return static_cast<std::uint32_t>(_mm256_movemask_pd(mask.raw));
#endif
}

/// y = f(x) for N vectors, and a bit for each lane that is not settled.
template <class Try, int N>
HWY_INLINE std::uint64_t try_first(const hn::Vec<Single::D> (&x)[N], hn::Vec<Single::D> (&y)[N]) {
  const Single::D d;
  std::uint64_t open = 0;
  if constexpr (requires { Try::on_doubles; }) {
    // Within 2^-32 of the real number or, of results next to a power of two, 2^-33.
    constexpr int K = 2 * N;
    const auto half = [&](int k) HWY_ATTR {
      return to_doubles(k % 2 == 0 ? hn::LowerHalf(Floats(), x[k / 2]) : hn::UpperHalf(Floats(), x[k / 2]));
    };
    const auto result = Try::value(ACTFUN_EACH(Reals<K>, half(k)));
    const Masks<K> doubtful = gap<std::uint64_t{1} << 8>(result) == 0;
    for (int k = 0; k < N; ++k) y[k] = hn::Combine(d, to_floats(result.v[2 * k + 1]), to_floats(result.v[2 * k]));
    for (std::size_t k = 0; k < K; ++k) open |= lane_bits(doubtful.m[k]) << (k * hn::Lanes(Doubles()));
  } else {
    for (std::size_t k = 0; k < N; ++k) {
      const Pair result = normalized(Try::value(Single(x[k])));
      y[k] = result.high.v;
      const auto settled = hn::Eq(fma(result.low, stretch<Try>(result.high), result.high).v, y[k]);
      open |= lane_bits(hn::Not(settled)) << (k * hn::Lanes(d));
    }
  }
  return open;
}

/// Lanes that are computed again, by their place in the output.
template <class F, class... P>
class Again {
 public:
  HWY_INLINE Again(float* y, P... p) : y_(y), p_(p...) {}
  /// The open ones of up to kGroup lanes, the first of them without a branch: nothing foretells which groups have one.
  HWY_INLINE void add(const float* x, std::uint64_t open, std::size_t first) {
    const auto k = static_cast<std::size_t>(std::countr_zero(open | std::uint64_t{1} << (kGroup - 1)));
    x_[count_] = x[k];
    places_[count_] = first + k;
    count_ += open != 0;
    for (open &= open - 1; HWY_UNLIKELY(open != 0); open &= open - 1) {
      const auto next = static_cast<std::size_t>(std::countr_zero(open));
      x_[count_] = x[next];
      places_[count_++] = first + next;
    }
    if (HWY_UNLIKELY(count_ > kMost - kGroup)) run();
  }
  HWY_INLINE void finish() {
    if (count_ > 0) run();
  }
  static constexpr std::size_t kGroup = 64;

 private:
  HWY_NOINLINE void run() {
    const std::size_t lanes = hn::Lanes(Floats());
    std::fill_n(x_ + count_, lanes, 0.0f);  // whole vectors are read
    for (std::size_t i = 0; i < count_; i += lanes) {
      alignas(64) float results[16];
      const auto evaluate = [&](P... p)
                                HWY_ATTR { return with_care<F, Order::value>(hn::LoadU(Floats(), x_ + i), p...); };
      hn::StoreU(std::apply(evaluate, p_), Floats(), results);
      for (std::size_t k = 0; k < lanes && i + k < count_; ++k) y_[places_[i + k]] = results[k];
    }
    count_ = 0;
  }

  static constexpr std::size_t kMost = 4 * kGroup;
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

/// y = f(x) for N vectors, and a bit for each lane that is open. `on_doubles` computes all lanes where many are.
template <class Try, int N>
HWY_INLINE std::uint64_t evaluate_first_try(const hn::Vec<Single::D> (&x)[N], hn::Vec<Single::D> (&y)[N],
                                            const Constant* p, Kernels::Unary on_doubles) {
  const Single::D d;
  std::uint64_t open = try_first<Try>(x, y);
  const auto limit = hn::Set(Ints(), end(Try::reach));
  auto farthest = place(x[0]);
  for (int k = 1; k < N; ++k) farthest = hn::Max(farthest, place(x[k]));
  if (HWY_LIKELY(hn::AllTrue(Ints(), hn::Lt(farthest, limit)))) return open;
  const std::size_t lanes = hn::Lanes(d);
  for (std::size_t k = 0; k < N; ++k) {
    // Zeros are not in range, but what they give is known.
    const auto zero = hn::Eq(x[k], hn::Zero(d)), near = hn::RebindMask(d, hn::Lt(place(x[k]), limit));
    if (zero_at_zero<Try>()) y[k] = hn::IfThenElse(zero, x[k], y[k]);
    open |= lane_bits(hn::Not(hn::Or(zero, near))) << (k * lanes);
    open &= ~(lane_bits(zero) << (k * lanes));
  }
  if (static_cast<std::size_t>(std::popcount(open)) * 4 <= N * lanes) return open;
  alignas(64) float buffer[N * 16];
  for (std::size_t k = 0; k < N; ++k) hn::Store(x[k], d, buffer + k * lanes);
  on_doubles(buffer, buffer, N * lanes, p, Passage::near);
  for (std::size_t k = 0; k < N; ++k) y[k] = hn::Load(d, buffer + k * lanes);
  return 0;
}

/// Four vectors' instructions mixed keep the processor busy; a long formula in few registers does better with two.
template <class Try>
constexpr int vectors_side_by_side() {
  return kRegisters == 16 && requires { Try::long_formula; }
  ? 2 : 4;
}

/// y[i] = f(x[i]) at default parameters. Results are not streamed: some are written again.
template <class F, std::size_t... index>
HWY_INLINE void run_first_try(const float* x, float* y, std::size_t n, const Constant* p, Passage passage,
                              Kernels::Unary on_doubles, std::index_sequence<index...>) {
  using Try = typename F::FirstTry;
  using V = hn::Vec<Single::D>;
  const Single::D d;
  constexpr int N = vectors_side_by_side<Try>();
  const std::size_t lanes = hn::Lanes(d), width = N * lanes;
  Again<F, decltype(parameter<F, index>(p[index]))...> again(y, parameter<F, index>(p[index])...);
  alignas(64) float inputs[again.kGroup] = {};  // the output may be the input
  std::size_t i = 0;
  for (; i + width <= n; i += width) {
    V in[N], out[N];
    for (std::size_t k = 0; k < N; ++k) in[k] = hn::LoadU(d, x + i + k * lanes);
    fetch_ahead(x + i, width, passage);
    const std::uint64_t open = evaluate_first_try<Try>(in, out, p, on_doubles);
    put(out, y + i, Passage::near);
    for (std::size_t k = 0; k < N; ++k) hn::Store(in[k], d, inputs + k * lanes);
    again.add(inputs, open, i);
  }
  for (; i < n; i += lanes) {
    const std::size_t some = n - i < lanes ? n - i : lanes;
    const V in[1] = {some < lanes ? load_some(d, x + i, some) : hn::LoadU(d, x + i)};
    V out[1];
    // Lanes beyond n are zeros, which are not open.
    const std::uint64_t open = evaluate_first_try<Try>(in, out, p, on_doubles);
    some < lanes ? store_some(out[0], d, y + i, some) : hn::StoreU(out[0], d, y + i);
    hn::Store(in[0], d, inputs);
    again.add(inputs, open, i);
  }
  again.finish();
}
#endif
