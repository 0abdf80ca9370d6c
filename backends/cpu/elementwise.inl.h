// SPDX-License-Identifier: Apache-2.0
// The loops that run a function's lane templates over an array. Included once per target, inside
// namespace actfun::HWY_NAMESPACE.
//
// The exact tier's rounding test (A. Ziv, ACM TOMS 17, 1991). A function computes a double y within 2^-41 of the true
// value. Rounding y to float is right unless a rounding boundary lies that close, which the low bits of y show: about
// one result in 2^16. Then the vector is looked at again with care, and only what is still in doubt is computed on
// double-doubles and rounded to odd on the way to float.

// Floats of half a vector: as many as a vector of doubles has.
using Floats = hn::Rebind<float, Doubles>;
using FloatsV = hn::Vec<Floats>;

/// How many vectors are worked on side by side. Measured at 1, 2, 4, 6, 8 and 12 with AVX-512: 8 is best.
inline constexpr int kSideBySide = HWY_TARGET == HWY_SCALAR ? 1 : 8;

/// How many vectors registers hold.
inline constexpr int kRegisters = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON ? 32 : 16;

/// Lets the compiler mix the instructions of vectors that stand one after another in the program, as far as registers
/// last: long formulas gain up to a third, short ones lose as much. (g++ does not do it by default on x86.)
#if defined(__GNUC__) && !defined(__clang__)
#define ACTFUN_INTERLEAVED __attribute__((optimize("schedule-insns", "sched-pressure")))
#else
#define ACTFUN_INTERLEAVED
#endif

/// The error that `Arithmetic::tested` allows, relative to a result (or to the terms of a Cancelling sum). The quick
/// test allows half of it: 2^12 units in the last place of a double.
inline constexpr double kTolerance = 0x1p-40;

template <int K>
HWY_INLINE Reals<K> sum(Reals<K> y) {
  return y;
}
template <int K>
HWY_INLINE Reals<K> sum(Cancelling<K> y) {
  return y.a + y.b;
}
template <int K>
HWY_INLINE Reals<K> magnitude(Reals<K> y) {
  return abs(y);
}
template <int K>
HWY_INLINE Reals<K> magnitude(Cancelling<K> y) {
  return abs(y.a) + abs(y.b);
}

// The quick test takes a result as doubtful when it comes within 2^12 `slack` units in its last place of a boundary
// between floats, or is no normal float: between subnormal ones boundaries lie elsewhere, and an infinite or NaN input
// shows as an infinite or NaN result.
//
// A boundary is a double whose low 29 bits are 2^28. `gap` is 0 in the window around it.
template <std::uint64_t slack, int K>
HWY_INLINE Bits<K> gap(Reals<K> y) {
  constexpr std::uint64_t reach = slack << 12;
  return (bits(y) + ((1ull << 28) + reach)) & ((1ull << 29) - 2 * reach);
}
template <std::uint64_t slack, int K>
HWY_INLINE Masks<K> doubtful_by(Reals<K> y) {
  return (gap<slack>(y) == 0) | !(in_binades<-126, 128>(y) | (y == 0.0));  // zero is not doubtful
}
template <int K>
HWY_INLINE Masks<K> doubtful(Reals<K> y) {
  return doubtful_by<1>(y);
}
/// A sum that cancels by no more than 8 has an error of no more than 8 times that of a product.
template <int K>
HWY_INLINE Masks<K> doubtful(Cancelling<K> y) {
  return doubtful_by<8>(sum(y)) | (magnitude(y) > 8.0 * abs(sum(y)));
}

/// Whether no result is doubtful; false for zeros, too, where that saves time.
template <int K>
HWY_INLINE bool all_settled(Reals<K> y) {
#if HWY_TARGET != HWY_SCALAR
  // Comparisons are dear: take minima first and compare once. The gap lies in the low half of a double's bits, the
  // exponent in the high half, and every target has minima of 32-bit halves.
  const DoubleBits du;
  const hn::Repartition<std::uint32_t, DoubleBits> halves;
  const Bits<K> gaps = gap<1>(y), magnitudes = (bits(y) & ~(1ull << 63)) + (0 - (std::uint64_t{1023 - 126} << 52));
  auto nearest = hn::BitCast(halves, gaps.b[0]), farthest = hn::BitCast(halves, magnitudes.b[0]);
  for (int k = 1; k < K; ++k) {
    nearest = hn::Min(nearest, hn::BitCast(halves, gaps.b[k]));
    farthest = hn::Max(farthest, hn::BitCast(halves, magnitudes.b[k]));
  }
  const hn::RebindToSigned<Doubles> di;
  const auto exponent = hn::BitCast(di, hn::ShiftRight<32>(hn::BitCast(du, farthest)));
  const auto span = hn::Set(di, std::int64_t{126 + 128} << 20);
  return hn::AllTrue(di, hn::And(hn::Gt(hn::BitCast(di, nearest), hn::Zero(di)), hn::Lt(exponent, span)));
#else
  return none(doubtful(y));
#endif
}
template <int K>
HWY_INLINE bool all_settled(Cancelling<K> y) {
  return none(doubtful(y));
}

template <class F, Part part, class R, class... P>
HWY_INLINE auto apply(R x, P... p) {
  if constexpr (part == Part::value)
    return F::value(x, p...);
  else if constexpr (part == Part::slope)
    return F::slope(x, p...);
  else if constexpr (part == Part::curvature)
    return F::curvature(x, p...);
  else if constexpr (part == Part::slope_from_output)
    return F::slope_from_output(x, p...);
  else
    return F::template gradient<static_cast<int>(part) - static_cast<int>(Part::gradient)>(x, p...);
}
template <class F, Order order, class R, class... P>
HWY_INLINE auto apply(R x, P... p) {
  return apply<F, part_of(order)>(x, p...);
}

HWY_INLINE FloatsV to_floats(DoublesV y) {
#if HWY_TARGET == HWY_SCALAR  // where Highway makes the largest float of what is larger
  return FloatsV(static_cast<float>(y.raw));
#else
  return hn::DemoteTo(Floats(), y);
#endif
}
HWY_INLINE DoublesV to_doubles(FloatsV x) { return hn::PromoteTo(Doubles(), x); }

/// A parameter whose default is no double: functions on doubles take it as a pair.
struct RationalConstant : Constant {};
template <class F, std::size_t index>
HWY_INLINE auto parameter(Constant c) {
  if constexpr (F::info.parameters[index].exact.empty())
    return c;
  else
    return RationalConstant{c};
}
template <int K>
HWY_INLINE Reals<K> on_reals(Constant c) {
  return Reals<K>(c);
}
template <int K>
HWY_INLINE TwoReals<K> on_reals(RationalConstant c) {
  return {Reals<K>(c.high), Reals<K>(c.low)};
}

struct Estimate {
  DoubleDouble value;
  Real error;
};

/// The second try, good for 80 bits and more. Out of line: it is long, and rarely wanted by kernels for floats.
template <class F, Part part, class... P>
HWY_NOINLINE HWY_FLATTEN Estimate on_double_doubles(Real x, P... p) {
  const auto y = apply<F, part>(DoubleDouble(x), DoubleDouble(p)...);
  if constexpr (arithmetic_of<F>() == Arithmetic::single)
    return {y, select(y.lo == 0.0, Real(-1.0), 0x1p-80 * magnitude(y))};  // a square may not fit one double
  else
    return {sum(y), 0x1p-80 * magnitude(y)};
}

/// What stands for an infinite input. At 2^160 even c / x has reached its limit; a function that needs more says so
/// with a member `far`.
template <class F>
constexpr double stand_in_for_infinity() {
  if constexpr (requires { F::far; })
    return F::far;
  else
    return 0x1p160;
}
/// Whether f, f' or f'' has limits at the infinities, as a member `has_limits[order]` of the function may deny.
template <class F, Order order>
constexpr bool has_limits() {
  if constexpr (requires { F::has_limits; })
    return F::has_limits[static_cast<int>(order)];
  else
    return true;
}

/// The same results without haste: for vectors with a doubtful lane.
template <class F, Order order, class... P>
HWY_NOINLINE HWY_FLATTEN FloatsV with_care(FloatsV floats, P... p) {
  constexpr double far = stand_in_for_infinity<F>();
  const Real x = at_most(at_least(Real(to_doubles(floats)), -far), far);
  const auto y = apply<F, order>(x, on_reals<1>(p)...);
  const Real error = kTolerance * magnitude(y);
  const FloatsV low = to_floats((sum(y) - error).v[0]), high = to_floats((sum(y) + error).v[0]);
  const auto nan = hn::IsNaN(floats), settled = hn::Or(hn::Eq(low, high), nan);
  FloatsV result = low;
  if (!hn::AllTrue(Floats(), settled)) {
    const DoubleDouble z = on_double_doubles<F, part_of(order)>(x, p...).value;
    result = hn::IfThenElse(settled, low, to_floats(round_to_odd(two_sum(z.hi, z.lo)).v[0]));
  }
  if constexpr (!has_limits<F, order>())
    result = hn::IfThenElse(hn::Eq(hn::Abs(floats), hn::Set(Floats(), std::numeric_limits<float>::infinity())),
                            hn::Set(Floats(), std::numeric_limits<float>::quiet_NaN()), result);
  return hn::IfThenElse(nan, floats, result);
}

/// y[i] = f(x[i]) for K vectors of floats. Each result is stored as soon as it is there: registers are few.
template <class F, Order order, int K, class... P>
HWY_INLINE void evaluate(const FloatsV (&x)[K], float* y, P... p) {
  const auto put = [y](int k, FloatsV v) HWY_ATTR { hn::StoreU(v, Floats(), y + k * hn::Lanes(Floats())); };
  const auto result = apply<F, order>(for_each_vector<Reals<K>, K>([&](auto k) HWY_ATTR { return to_doubles(x[k]); }),
                                      on_reals<K>(p)...);
  if constexpr (arithmetic_of<F>() == Arithmetic::exact) {
    for (int k = 0; k < K; ++k) put(k, hn::IfThenElse(hn::IsNaN(x[k]), x[k], to_floats(result.v[k])));
  } else if (HWY_LIKELY(all_settled(result)) || none(doubtful(result))) {
    for (int k = 0; k < K; ++k) put(k, to_floats(sum(result).v[k]));
  } else {
    for (int k = 0; k < K; ++k) put(k, with_care<F, order>(x[k], p...));
  }
}

/// The first n < lanes numbers of an array; what follows them is neither read nor written.
template <class D>
HWY_INLINE hn::Vec<D> load_some(D d, const float* from, std::size_t n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  return hn::MaskedLoad(hn::FirstN(d, n), d, from);
#else
  HWY_ALIGN float padded[16] = {};
  std::memcpy(padded, from, n * sizeof(float));
  return hn::Load(d, padded);
#endif
}
template <class D>
HWY_INLINE void store_some(hn::Vec<D> y, D d, float* to, std::size_t n) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2
  hn::BlendedStore(y, hn::FirstN(d, n), d, to);
#else
  HWY_ALIGN float padded[16];
  hn::Store(y, d, padded);
  std::memcpy(to, padded, n * sizeof(float));
#endif
}

/// Fetches `width` floats that come so far behind x that memory has the time, and beyond a page's end, where the
/// processor's own foresight stops. Nothing happens where there is no memory.
HWY_INLINE void fetch_ahead(const float* x, std::size_t width, Passage passage) {
  constexpr std::size_t kAhead = 4096, kLine = 64;  // bytes
  if (passage == Passage::near) return;
  for (std::size_t line = 0; line < width * sizeof(float); line += kLine)
    hwy::Prefetch(reinterpret_cast<const float*>(reinterpret_cast<std::uintptr_t>(x) + kAhead + line));
}

/// How many of n floats lie before the first cache line that a stream of results may begin with.
HWY_INLINE std::size_t before_stream(const float* y, std::size_t n, Passage passage) {
  const std::size_t before =
      passage == Passage::streamed ? (0 - reinterpret_cast<std::uintptr_t>(y)) / sizeof(float) % 16 : 0;
  return before < n ? before : n;
}

/// Writes vectors side by side; a stream at its alignment.
template <int K>
HWY_INLINE void put(const hn::Vec<Single::D> (&y)[K], float* to, Passage passage) {
  const Single::D d;
  if (HWY_UNLIKELY(passage == Passage::streamed))
    for (int k = 0; k < K; ++k) hn::Stream(y[k], d, to + k * hn::Lanes(d));
  else
    for (int k = 0; k < K; ++k) hn::StoreU(y[k], d, to + k * hn::Lanes(d));
}
/// Vectors of floats for a function that computes on floats, or on doubles: y[i] = f(x[i]) for K of them.
template <class F, bool single = arithmetic_of<F>() == Arithmetic::single>
struct Stride {
  using D = Floats;
  static constexpr int kVectors = kSideBySide;
  template <Order order, int K, class... P>
  static HWY_INLINE void evaluate(const hn::Vec<D> (&x)[K], float* y, Passage /*passage*/, P... p) {
    HWY_NAMESPACE::evaluate<F, order>(x, y, p...);
  }
};
template <class F>
struct Stride<F, true> {
  using D = Single::D;
  static constexpr int kVectors = 4;
  template <Order order, int K>
  static HWY_INLINE void evaluate(const hn::Vec<D> (&x)[K], float* y, Passage passage) {
    hn::Vec<D> results[K];
    for (int k = 0; k < K; ++k) results[k] = hn::IfThenElse(hn::IsNaN(x[k]), x[k], apply<F, order>(Single(x[k])).v);
    put(results, y, passage);
  }
};

/// What does not fill a step, at the end and before a stream, goes vector by vector: the same formula. Out of line, so
/// that the loop over steps has the registers to itself.
template <class F, Order... orders, class... P>
HWY_NOINLINE HWY_FLATTEN void run_by_vectors(const float* x, std::array<float*, sizeof...(orders)> y, std::size_t n,
                                             P... p) {
  using S = Stride<F>;
  const typename S::D d;
  const std::size_t lanes = hn::Lanes(d);
  alignas(64) float results[16];
  for (std::size_t i = 0; i < n; i += lanes) {
    const std::size_t some = n - i < lanes ? n - i : lanes;
    const hn::Vec<typename S::D> in[1] = {some < lanes ? load_some(d, x + i, some) : hn::LoadU(d, x + i)};
    const auto step = [&]<Order order>(std::integral_constant<Order, order>, float* to) HWY_ATTR {
      S::template evaluate<order>(in, some < lanes ? results : to, Passage::near, p...);
      if (some < lanes) store_some(hn::Load(d, results), d, to, some);
    };
    std::size_t which = 0;
    (step(std::integral_constant<Order, orders>(), y[which++] + i), ...);
  }
}

/// y[0][i], y[1][i], ... = f(x[i]) in the orders given. All of a step is read before any of it is written: an output
/// may be x. Results from doubles are not streamed: computing them takes longer than memory does.
template <class F, Order... orders, std::size_t... index>
HWY_INLINE void run(const float* x, std::array<float*, sizeof...(orders)> y, std::size_t n, const Constant* p,
                    Passage passage, std::index_sequence<index...>) {
  using S = Stride<F>;
  const typename S::D d;
  constexpr int K = S::kVectors;
  const std::size_t lanes = hn::Lanes(d), width = K * lanes;
  constexpr bool streams = arithmetic_of<F>() == Arithmetic::single;
  std::size_t i = streams ? before_stream(y[0], n, passage) : 0;
  if (i > 0) run_by_vectors<F, orders...>(x, y, i, parameter<F, index>(p[index])...);
  for (; i + width <= n; i += width) {
    hn::Vec<typename S::D> in[K];
    for (int k = 0; k < K; ++k) in[k] = hn::LoadU(d, x + i + k * lanes);
    fetch_ahead(x + i, width, passage);
    std::size_t which = 0;
    (S::template evaluate<orders>(in, y[which++] + i, passage, parameter<F, index>(p[index])...), ...);
  }
  if (streams && passage == Passage::streamed) hwy::FlushStream();
  if (i == n) return;
  for (float*& each : y) each += i;
  run_by_vectors<F, orders...>(x + i, y, n - i, parameter<F, index>(p[index])...);
}

/// high[i] + low[i] = f(x[i]), see Kernels::Wide.
template <class F, Part part, std::size_t... index>
HWY_INLINE void run_wide(const double* x, double* high, double* low, double* error, std::size_t n, const Constant* p,
                         std::index_sequence<index...>) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  alignas(64) double padded[16], results[3][16];
  for (std::size_t i = 0; i < n; i += lanes) {
    const bool whole = n - i >= lanes;
    if (!whole) {
      std::memset(padded, 0, sizeof padded);
      std::memcpy(padded, x + i, (n - i) * sizeof(double));
    }
    const Estimate y = on_double_doubles<F, part>(Real(hn::LoadU(d, whole ? x + i : padded)), p[index]...);
    hn::StoreU(y.value.hi.v[0], d, whole ? high + i : results[0]);
    hn::StoreU(y.value.lo.v[0], d, whole ? low + i : results[1]);
    hn::StoreU(y.error.v[0], d, whole ? error + i : results[2]);
    if (!whole) {
      std::memcpy(high + i, results[0], (n - i) * sizeof(double));
      std::memcpy(low + i, results[1], (n - i) * sizeof(double));
      std::memcpy(error + i, results[2], (n - i) * sizeof(double));
    }
  }
}
