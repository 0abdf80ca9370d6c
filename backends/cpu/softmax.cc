// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/softmax.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/softmax.cc"
#include "backends/cpu/unit.inl.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {

#include "backends/cpu/softmax_power.inl.h"

constexpr double kInfinite = std::numeric_limits<double>::infinity();

/// body(0), ..., body(n - 1), side by side where that helps.
template <std::size_t n, class Body>
HWY_INLINE void unrolled(const Body& body) {
  if constexpr (n > 4)
    for (std::size_t i = 0; i < n; ++i) body(i);
  else
    [&]<std::size_t... i>(std::index_sequence<i...>) HWY_ATTR { (body(std::integral_constant<std::size_t, i>()), ...); }
  (std::make_index_sequence<n>());
}

/// What stands in the last step where it has no numbers.
template <class T>
struct Padding {
  T x, bias;
};
template <bool plain, class T>
constexpr Padding<T> kOutside{plain ? -std::numeric_limits<T>::infinity() : T{0}, -std::numeric_limits<T>::infinity()};

/// step(k, x, bias, to) for each step of a block.
template <bool plain, class T, class To, class Step>
HWY_INLINE void each_step(const LogitBlock<T>& z, Padding<T> padding, To* to, std::ptrdiff_t to_step,
                          const Step& step) {
  const std::size_t whole = z.steps - (z.rest > 0);
  const T *x = z.x, *bias = z.bias;
  for (std::size_t k = 0; k < whole; ++k) {
    step(k, x, bias, to);
    x += z.step, to += to_step;
    if constexpr (!plain) bias += z.bias_step;
  }
  if (z.rest == 0) return;
  alignas(64) T numbers[kPlaces], biases[kPlaces];
  alignas(64) To results[kPlaces];
  std::fill_n(numbers, kPlaces, padding.x), std::fill_n(biases, kPlaces, padding.bias);
  std::memcpy(numbers, x, z.rest * sizeof(T));
  if constexpr (!plain) std::memcpy(biases, bias, z.rest * sizeof(T));
  step(whole, numbers, biases, results);
  std::memcpy(to, results, z.rest * sizeof(To));
}

/// a += b, to twice the precision if `wide`.
template <bool wide, class Number>
HWY_INLINE void add(Number& a, Number& a_low, Number b, Number b_low) {
  const Number s = a + b;
  if constexpr (wide) {
    const Number t = s - a;
    a_low = a_low + (b_low + ((a - (s - t)) + (b - t)));
  }
  a = s;
}
/// Sixteen sums of sixteen places: along a row, that of the row's places; across rows, those of the sets.
template <bool across, bool wide, std::size_t width = kPlaces / 2>
HWY_INLINE void add_up(double (*high)[kPlaces], double (*low)[kPlaces]) {
  constexpr std::size_t kLanes = hn::MaxLanes(Doubles()), n = across ? width * kPlaces : width;
  double *a = high[0], *a_low = low[0];
  if constexpr (n >= kLanes)
    for (std::size_t i = 0; i < n; i += kLanes) {
      Real sum = load(a + i), rest = load(a_low + i);
      add<wide>(sum, rest, load(a + n + i), load(a_low + n + i));
      store(sum, a + i);
      if constexpr (wide) store(rest, a_low + i);
    }
  else
    for (std::size_t i = 0; i < n; ++i) add<wide>(a[i], a_low[i], a[n + i], a_low[n + i]);
  if constexpr (width > 1) add_up<across, wide, width / 2>(high, low);
}
template <bool across, bool wide>
HWY_INLINE void add_up(double (*high)[kPlaces], double (*low)[kPlaces], StepOfDoubles& sums) {
  add_up<across, wide>(high, low);
  constexpr std::size_t kBytes = (across ? kPlaces : 1) * sizeof(double);
  std::memcpy(sums.high, high[0], kBytes);
  if constexpr (wide)
    std::memcpy(sums.low, low[0], kBytes);
  else
    std::memset(sums.low, 0, kBytes);
}
/// The largest of the numbers themselves, for each place; four steps at a time.
template <class T>
HWY_INLINE void maximum_of_numbers(const LogitBlock<T>& z, T (&found)[kPlaces]) {
  using D = hn::ScalableTag<T>;
  constexpr std::size_t kLanes = hn::MaxLanes(D()), kVectors = kPlaces / kLanes, kAtOnce = 4;
  hn::Vec<D> m[kAtOnce][kVectors];
  for (auto& each : m) std::fill_n(each, kVectors, hn::Set(D(), -std::numeric_limits<T>::infinity()));
  LogitBlock<T> left = z;
  for (; left.steps > kAtOnce; left.steps -= kAtOnce)
    unrolled<kAtOnce>([&](auto k) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR { m[k][v] = hn::Max(hn::LoadU(D(), left.x + v * kLanes), m[k][v]); });
      left.x += left.step;
    });
  each_step<true>(left, kOutside<true, T>, found, 0, [&](std::size_t, const T* x, const T*, T*) HWY_ATTR {
    unrolled<kVectors>([&](auto v) HWY_ATTR { m[0][v] = hn::Max(hn::LoadU(D(), x + v * kLanes), m[0][v]); });
  });
  unrolled<kVectors>([&](auto v) HWY_ATTR {
    hn::Store(hn::Max(hn::Max(m[0][v], m[1][v]), hn::Max(m[2][v], m[3][v])), D(), found + v * kLanes);
  });
}
template <class T>
void maximum_of_numbers(const LogitBlock<T>& z, StepOfDoubles& largest) {
  alignas(64) T found[kPlaces];
  maximum_of_numbers(z, found);
  for (std::size_t i = 0; i < kPlaces; ++i) largest.high[i] = std::max(largest.high[i], static_cast<double>(found[i]));
}
template <class T>
HWY_INLINE T maximum_of_row(const LogitBlock<T>& z) {
  using D = hn::ScalableTag<T>;
  alignas(64) T found[kPlaces];
  maximum_of_numbers(z, found);
  hn::Vec<D> m = hn::Load(D(), found);
  for (std::size_t k = hn::MaxLanes(D()); k < kPlaces; k += hn::MaxLanes(D())) m = hn::Max(m, hn::Load(D(), found + k));
  return hn::GetLane(hn::MaxOfLanes(D(), m));
}
/// A row that lies as it should.
template <class T>
LogitBlock<T> row_of(const T* x, std::size_t n) {
  return {x, kPlaces, x, 0, 1, (n + kPlaces - 1) / kPlaces, n % kPlaces};
}
/// The sum over a row by sum_of(block, its first element, sums), with those of its blocks added in their order.
template <class T, class Sum>
HWY_INLINE double sum_of_blocks(const T* x, std::size_t n, const Sum& sum_of) {
  TwoDoubles total;
  StepOfDoubles sums;
  for (std::size_t first = 0; first < n; first += kSoftmaxBlock) {
    sum_of(row_of(x + first, std::min(kSoftmaxBlock, n - first)), first, sums);
    total = first == 0 ? TwoDoubles{sums.high[0]} : sum(total, {sums.high[0]});
  }
  return total.high;
}
template <bool across>
constexpr std::size_t kSets = across ? kPlaces : 1;

// --- f32, exact: on doubles, rounded once ---

template <bool plain>
struct Exact {
  using T = float;
  static constexpr std::size_t kLanes = hn::MaxLanes(Doubles()), kVectors = kPlaces / kLanes;
  static constexpr bool kWide = false;
  static constexpr double kLeast = -200;  // nothing is left of it in a float

  static HWY_INLINE TwoReal logit(const T* x, const T* bias, double scale) {
    if constexpr (plain) return {load(x), 0.0};
    const Real added = load(bias);
    const TwoReal p = two_product(load(x), Real(scale)), z = two_sum(p.high, added);
    return {select(added == -kInfinite, -kInfinite, z.high), select(abs(z.high) < kInfinite, z.low + p.low, 0.0)};
  }
  /// z - reference
  static HWY_INLINE Real below(TwoReal z, const StepOfDoubles& reference, std::size_t place) {
    const Real t = z.high - load(reference.high + place);
    if constexpr (plain) return t;
    return t + (z.low - load(reference.low + place));
  }

  using Exponential = Real;
  using Kept = double;
  static HWY_INLINE Real exp_of(Real t) { return exp_by_roots(at_least(t, kLeast)); }
  static HWY_INLINE Real exp_or_0(Real t, Mask counts) {
    return select(counts & !(t < kLeast), exp_by_roots(at_least(t, kLeast)), 0.0);
  }
  static HWY_INLINE Mask is_0(Real t) { return t == 0.0; }
  static HWY_INLINE void keep(Real e, Kept* to) { store(e, to); }

  struct Sum {
    Real sum;
    HWY_INLINE Sum() : sum(0.0) {}
    HWY_INLINE void add(Real e) { sum = sum + e; }
    HWY_INLINE void put(double* high, double* low) const {
      store(sum, high);
      store(Real(0.0), low);
    }
  };
  static HWY_INLINE void scale(const Kept* e, const StepOfDoubles& factor, std::size_t place, T* y) {
    scale(load(e), factor, place, y);
  }
  static HWY_INLINE void scale(Real e, const StepOfDoubles& factor, std::size_t place, T* y) {
    store(e * load(factor.high + place), y);
  }
  static HWY_INLINE void subtract(Real t, const StepOfDoubles& log, std::size_t place, T* y) {
    store(t - load(log.high + place), y);
  }

  static TwoDoubles exp(TwoDoubles t) { return {hn::GetLane(exp_of(Real(t.high + t.low)).v[0])}; }
  static TwoDoubles log1p(TwoDoubles rest) { return {log1p_of_sum(rest.high)}; }
};

// --- f64: on pairs of doubles ---

template <bool plain>
struct Wide {
  using T = double;
  static constexpr std::size_t kLanes = hn::MaxLanes(Doubles()), kVectors = kPlaces / kLanes;
  static constexpr bool kWide = true;
  static constexpr double kLeast = -800;

  static HWY_INLINE TwoReal logit(const T* x, const T* bias, double scale) {
    if constexpr (plain) return {load(x), 0.0};
    const Real added = load(bias);
    const TwoReal p = two_product(load(x), Real(scale)), z = two_sum(p.high, added);
    // Beyond that, products of halves overflow where nothing is fused, and low parts do not count.
    return {select(added == -kInfinite, -kInfinite, z.high), select(abs(z.high) < 0x1p900, z.low + p.low, 0.0)};
  }
  static HWY_INLINE TwoReal below(TwoReal z, const StepOfDoubles& reference, std::size_t place) {
    const TwoReal t = two_sum(z.high, -load(reference.high + place));
    Real low = t.low;
    if constexpr (!plain) low = low + (z.low - load(reference.low + place));
    return normalized(t.high, select(abs(t.high) < kInfinite, low, 0.0));
  }

  using Exponential = TwoReal;  // times kWideScale
  using Kept = double;          // nothing is
  static HWY_INLINE TwoReal exp_of(TwoReal t) {
    return wide_power<true>({at_least(t.high, kLeast), select(t.high > kLeast, t.low, 0.0)}).exp();
  }
  static HWY_INLINE TwoReal exp_or_0(TwoReal t, Mask counts) {
    const TwoReal e = exp_of(t);
    const Mask some = counts & !(t.high < kLeast);
    return {select(some, e.high, 0.0), select(some, e.low, 0.0)};
  }
  static HWY_INLINE Mask is_0(TwoReal t) { return t == 0.0; }
  static HWY_INLINE void keep(TwoReal /*e*/, Kept* /*to*/) {}

  struct Sum {
    Real sum, rest;
    HWY_INLINE Sum() : sum(0.0), rest(0.0) {}
    HWY_INLINE void add(TwoReal e) {
      const TwoReal s = two_sum(sum, e.high);
      sum = s.high;
      rest = rest + (s.low + e.low);
    }
    HWY_INLINE void put(double* high, double* low) const {
      store(sum * Real(1 / kWideScale), high);
      store(rest * Real(1 / kWideScale), low);
    }
  };
  static HWY_INLINE void scale(const Kept* /*e*/, const StepOfDoubles& /*factor*/, std::size_t /*place*/, T* /*y*/) {}
  static HWY_INLINE void scale(TwoReal e, const StepOfDoubles& factor, std::size_t place, T* y) {
    const Real high = load(factor.high + place), low = load(factor.low + place);
    const TwoReal p = two_product(e.high, high);
    const TwoReal product = normalized(p.high, p.low + fused(e.high, low, e.low * high));
    // What becomes subnormal is rounded by the last multiplication: to odd before.
    const Mask normal = abs(product.high) >= kWideScale * std::numeric_limits<double>::min();
    store(select(normal, product.high, round_to_odd(product)) * Real(1 / kWideScale), y);
  }
  static HWY_INLINE void subtract(TwoReal t, const StepOfDoubles& log, std::size_t place, T* y) {
    const TwoReal s = two_sum(t.high, -load(log.high + place));
    const Real rest = s.low + (t.low - load(log.low + place));
    store(select(abs(s.high) < kInfinite, s.high + rest, s.high), y);
  }

  static TwoDoubles of(TwoReal a) { return {hn::GetLane(a.high.v[0]), hn::GetLane(a.low.v[0])}; }
  static TwoDoubles exp(TwoDoubles t) {
    if (t.high < kLeast) return {};
    const TwoReal e = wide_power<false>({Real(t.high), Real(t.low)}).exp();
    return of(e);
  }
  /// One step of Newton's method.
  static TwoDoubles log1p(TwoDoubles rest) {
    if (!(rest.high < kInfinite)) return rest;
    const Real log = log1p_of_sum(rest.high);
    const TwoReal e = wide_power<false>({log, Real(0.0)}).expm1();
    const Real off = ((Real(rest.high) - e.high) - e.low) + rest.low;
    return of(normalized(log, off / Real(1 + rest.high)));
  }
};

// --- f32, fast: on floats ---

#ifdef ACTFUN_FAST
// exp(x) / sum_j exp(x_j) with both divided by the power of two next to the largest exponential: then x is reduced by
// multiples of ln2 at once, and subtracting the largest logit first, with what rounding the difference leaves, is
// spared. Where logits are so large that it must be subtracted, the difference is exact.
template <bool plain>
struct Fast {
  using T = float;
  static constexpr std::size_t kLanes = hn::MaxLanes(Single::D()), kVectors = kPlaces / kLanes;
  static constexpr double kLarge = 4096;
  static constexpr double kReach = 110;  // nothing is left of exp(-110) in a float
  /// Exponentials are multiplied by 2^64: no one that counts is subnormal.
  static constexpr std::uint32_t kExponent = 64;
  static constexpr double kFirst = 0x1p66;

  struct FloatPair {
    Single high, low;
  };
  static HWY_INLINE FloatPair two_sum(Single a, Single b) {
    const Single s = a + b, t = s - a;
    return {s, (a - (s - t)) + (b - t)};
  }
  static HWY_INLINE FloatPair logit(const T* x, const T* bias, double scale) {
    const Single from = hn::LoadU(Single::D(), x);
    if constexpr (plain) return {from, from};
    const auto high_scale = static_cast<double>(static_cast<float>(scale));
    const Single added = hn::LoadU(Single::D(), bias), p = from * high_scale;
    const Single p_low = fma(from, scale - high_scale, fma(from, high_scale, -p));
    const FloatPair sum = two_sum(p, added);
    const SingleMask finite = abs(sum.high) < kInfinite, out{hn::Eq(added.v, Single(-kInfinite).v)};
    const Single rest = select(finite, sum.low + p_low, 0.0), high = sum.high + rest;
    return {select(out, -kInfinite, high), select(finite, rest - (high - sum.high), 0.0)};
  }
  /// A step's doubles as floats.
  struct Floats16 {
    alignas(64) float all[kPlaces];
    HWY_INLINE explicit Floats16(const double (&numbers)[kPlaces]) {
      for (std::size_t i = 0; i < kPlaces; ++i) all[i] = static_cast<float>(numbers[i]);
    }
    HWY_INLINE Single operator[](std::size_t v) const { return hn::Load(Single::D(), all + v * kLanes); }
  };

  // Of a largest logit m: what is taken from the logits, 0 or m; how far below it one counts; the power of two.
  static constexpr double kPerLn2 = 0x1.715476p0, kRound = 12582912;
  static HWY_INLINE Single subtracted_of(Single m) { return plain ? Single(0.0) : select(abs(m) < kLarge, 0.0, m); }
  static HWY_INLINE hn::Vec<Whole> power_of(Single m) {
    const Single power = fma(m - subtracted_of(m), kPerLn2, kRound);
    return hn::Sub(hn::Set(Whole(), kExponent << 23), hn::ShiftLeft<23>(bits_of(power)));
  }
  template <class Roots>
  struct Reference {
    Single subtracted, low, least;
    Roots roots;
    HWY_INLINE Reference(Single m, Single m_low)
        : subtracted(subtracted_of(m)),
          low(plain ? Single(0.0) : select(abs(m) < kLarge, 0.0, m_low)),
          least((m - subtracted) - kReach),
          roots(power_of(m)) {}
  };
  /// For each vector of a step: that of one row, or those of a row for each lane.
  struct RowReference {
    Reference<FastRoots> row;
    HWY_INLINE explicit RowReference(float largest) : row(Single(static_cast<double>(largest)), 0.0) {}
    HWY_INLINE explicit RowReference(const StepOfDoubles& reference)
        : row(Single(reference.high[0]), Single(reference.low[0])) {}
    HWY_INLINE const Reference<FastRoots>& operator[](std::size_t /*vector*/) const { return row; }
  };
  struct EachReference {
    Reference<FastRootsEach> of_vector[kVectors];
    HWY_INLINE const Reference<FastRootsEach>& operator[](std::size_t v) const { return of_vector[v]; }
    static HWY_INLINE EachReference from(const StepOfDoubles& reference) {
      const Floats16 largest(reference.high), low(reference.low);
      return for_each_vector<EachReference, kVectors>(
          [&](auto v) HWY_ATTR { return Reference<FastRootsEach>(largest[v], low[v]); });
    }
  };
  static TwoDoubles origin(TwoDoubles reference) {
    const auto m = static_cast<float>(reference.high), round = static_cast<float>(kRound);
    const bool small = std::abs(m) < static_cast<float>(kLarge);
    const float power = small ? std::fma(m, static_cast<float>(kPerLn2), round) - round : 0;
    return small ? TwoDoubles{power * 0x1.62e42fefa39efp-1} : TwoDoubles{static_cast<double>(m), reference.low};
  }

  template <class Any>
  static HWY_INLINE FastRootPower power(FloatPair z, const Any& reference) {
    if constexpr (plain) {
      const Single x = hn::Max(reference.least.v, z.high.v);
      return fast_root_power<false>(x, x, reference.roots);
    }
    const FloatPair t = two_sum(z.high - reference.subtracted, z.low - reference.low);
    return fast_root_power<true>(hn::Max(reference.least.v, t.high.v), select(t.high > reference.least, t.low, 0.0),
                                 reference.roots);
  }

  // Nothing is subtracted from plain logits: where that is called for, they go the general way, which gives the same
  // where it is not.
  static bool is_large(const StepOfDoubles& reference) {
    bool large = false;
    for (const double m : reference.high) large |= !(std::abs(static_cast<float>(m)) < static_cast<float>(kLarge));
    return large;
  }
  static LogitBlock<T> with_bias(LogitBlock<T> z) {
    static constexpr T kNothing[kPlaces] = {};
    z.bias = kNothing, z.bias_step = 0;
    return z;
  }

  /// The sum of scale (1 + growth), with what rounding it and each term has left: it starts above all terms, so the
  /// difference that each of them makes is exact.
  struct Sum {
    Single sum, low;
    HWY_INLINE Sum() : sum(kFirst), low(0.0) {}
    HWY_INLINE void add(FastRootPower e) {
      const Single next = sum + e.exp();
      low = low + fma(e.scale, e.growth, e.scale - (next - sum));
      sum = next;
    }
  };

  static void maximum(const LogitBlock<T>& z, StepOfDoubles& largest) {
    if constexpr (plain) return maximum_of_numbers(z, largest);
    FloatPair m[kVectors];
    alignas(64) float high[kPlaces], low[kPlaces], unused[kPlaces];
    std::fill_n(m, kVectors, FloatPair{Single(-kInfinite), Single(0.0)});
    each_step<plain>(z, kOutside<plain, T>, unused, 0, [&](std::size_t, const T* x, const T* bias, T*) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const FloatPair each = logit(x + v * kLanes, bias + v * kLanes, z.scale);
        const auto equal = hn::Eq(each.high.v, m[v].high.v);
        const SingleMask more{hn::Or((each.high > m[v].high).m, hn::And(equal, (each.low > m[v].low).m))};
        m[v] = {select(more, each.high, m[v].high), select(more, each.low, m[v].low)};
      });
    });
    unrolled<kVectors>([&](auto v) HWY_ATTR {
      hn::Store(m[v].high.v, Single::D(), high + v * kLanes);
      hn::Store(m[v].low.v, Single::D(), low + v * kLanes);
    });
    for (std::size_t i = 0; i < kPlaces; ++i) {
      largest.high[i] = static_cast<double>(high[i]);
      largest.low[i] = static_cast<double>(low[i]);
    }
  }

  template <bool across, class References>
  static HWY_INLINE void sum_of(const LogitBlock<T>& z, const References& references, float* kept,
                                std::ptrdiff_t kept_step, StepOfDoubles& sums) {
    Sum all[kSets<across>][kVectors];
    each_step<plain>(z, kOutside<plain, T>, kept, kept_step,
                     [&](std::size_t k, const T* x, const T* bias, float* to) HWY_ATTR {
                       unrolled<kVectors>([&](auto v) HWY_ATTR {
                         const std::size_t place = v * kLanes;
                         const FastRootPower e = power(logit(x + place, bias + place, z.scale), references[v]);
                         hn::StoreU(e.exp().v, Single::D(), to + place);
                         all[across ? k % kPlaces : 0][v].add(e);
                       });
                     });
    alignas(64) float high[kSets<across>][kPlaces], low[kSets<across>][kPlaces];
    alignas(64) double total[kSets<across>][kPlaces];
    for (std::size_t set = 0; set < kSets<across>; ++set) {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        hn::Store(all[set][v].sum.v, Single::D(), high[set] + v * kLanes);
        hn::Store(all[set][v].low.v, Single::D(), low[set] + v * kLanes);
      });
      for (std::size_t i = 0; i < kPlaces; i += hn::MaxLanes(Doubles()))
        store(((load(high[set] + i) - kFirst) + load(low[set] + i)) * 0x1p-64, total[set] + i);
    }
    add_up<across, false>(total, total, sums);
  }
  static void sum(const LogitBlock<T>& z, bool across, const StepOfDoubles& reference, void* kept,
                  std::ptrdiff_t kept_step, StepOfDoubles& sums) {
    if constexpr (plain)
      if (is_large(reference)) return Fast<false>::sum(with_bias(z), across, reference, kept, kept_step, sums);
    alignas(64) float unused[kPlaces];
    auto* to = kept ? static_cast<float*>(kept) : unused;
    const std::ptrdiff_t step = kept ? kept_step : 0;
    across ? sum_of<true>(z, EachReference::from(reference), to, step, sums)
           : sum_of<false>(z, RowReference(reference), to, step, sums);
  }

  /// In two floats, less the power of two.
  struct Factors {
    Single high[kVectors], low[kVectors];
    HWY_INLINE explicit Factors(double factor) {
      const double all = factor * 0x1p-64, first = static_cast<double>(static_cast<float>(all));
      std::fill_n(high, kVectors, Single(first));
      std::fill_n(low, kVectors, Single(all - first));
    }
    HWY_INLINE explicit Factors(const StepOfDoubles& factor) {
      double all[kPlaces], rest[kPlaces];
      for (std::size_t i = 0; i < kPlaces; ++i) {
        all[i] = factor.high[i] * 0x1p-64;
        rest[i] = all[i] - static_cast<double>(static_cast<float>(all[i]));
      }
      const Floats16 first(all), second(rest);
      unrolled<kVectors>([&](auto v) HWY_ATTR { high[v] = first[v], low[v] = second[v]; });
    }
    HWY_INLINE Single times(Single e, std::size_t v) const { return fma(e, high[v], e * low[v]); }
  };

  static HWY_INLINE void scale(const float* kept, std::ptrdiff_t kept_step, std::size_t steps, std::size_t rest,
                               const Factors& factors, const ResultBlock<T>& to) {
    const LogitBlock<float> all{kept, kept_step, nullptr, 0, 1, steps, rest};
    each_step<true>(all, {0, 0}, to.y, to.step, [&](std::size_t, const float* e, const float*, T* y) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        hn::StoreU(factors.times(hn::LoadU(Single::D(), e + v * kLanes), v).v, Single::D(), y + v * kLanes);
      });
    });
  }
  static void scale_kept(const void* kept, std::ptrdiff_t kept_step, std::size_t steps, std::size_t rest,
                         const StepOfDoubles& factor, const ResultBlock<T>& to) {
    scale(static_cast<const float*>(kept), kept_step, steps, rest, Factors(factor), to);
  }
  static void softmax(const LogitBlock<T>& z, const StepOfDoubles& reference, const StepOfDoubles& factor,
                      const ResultBlock<T>& to) {
    if constexpr (plain)
      if (is_large(reference)) return Fast<false>::softmax(with_bias(z), reference, factor, to);
    const EachReference references = EachReference::from(reference);
    const Factors factors(factor);
    each_step<plain>(z, kOutside<plain, T>, to.y, to.step, [&](std::size_t, const T* x, const T* bias, T* y) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const std::size_t place = v * kLanes;
        const auto e = power(logit(x + place, bias + place, z.scale), references[v]);
        hn::StoreU(factors.times(e.exp(), v).v, Single::D(), y + place);
      });
    });
  }

  static bool row(const T* x, T* y, std::size_t n, void* /*kept*/) {
    const LogitBlock<T> z = row_of(x, n);
    const float largest = maximum_of_row(z);
    if (!(std::abs(largest) < static_cast<float>(kLarge))) return false;
    const RowReference reference(largest);
    const double all = sum_of_blocks(x, n,
                                     [&](const LogitBlock<T>& block, std::size_t first, StepOfDoubles& sums)
                                         HWY_ATTR { sum_of<false>(block, reference, y + first, kPlaces, sums); });
    scale(y, kPlaces, z.steps, z.rest, Factors(1 / all), {y, kPlaces});
    return true;
  }

  static constexpr SoftmaxPasses<T> passes{
      plain ? row : nullptr, maximum, sum,           nullptr, scale_kept, softmax, nullptr, origin,
      Exact<plain>::exp,     nullptr, sizeof(float), true};
};
#endif

// --- The passes of both exact kinds ---

template <class A, bool plain>
struct ExactPasses {
  using T = typename A::T;
  static constexpr std::size_t kLanes = A::kLanes, kVectors = A::kVectors;

  static void maximum(const LogitBlock<T>& z, StepOfDoubles& largest) {
    if constexpr (plain) {
      maximum_of_numbers(z, largest);
    } else {
      alignas(64) T unused[kPlaces];
      each_step<plain>(z, kOutside<plain, T>, unused, 0, [&](std::size_t, const T* x, const T* bias, T*) HWY_ATTR {
        unrolled<kVectors>([&](auto v) HWY_ATTR {
          const std::size_t place = v * kLanes;
          const TwoReal each = A::logit(x + place, bias + place, z.scale);
          const Real high = load(largest.high + place), low = load(largest.low + place);
          const Mask more = (each.high > high) | ((each.high == high) & (each.low > low));
          store(select(more, each.high, high), largest.high + place);
          store(select(more, each.low, low), largest.low + place);
        });
      });
    }
  }

  template <bool across>
  static void sum_of(const LogitBlock<T>& z, const StepOfDoubles& reference, typename A::Kept* kept,
                     std::ptrdiff_t kept_step, StepOfDoubles& sums) {
    typename A::Sum all[kSets<across>][kVectors];
    each_step<plain>(z, kOutside<plain, T>, kept, kept_step,
                     [&](std::size_t k, const T* x, const T* bias, typename A::Kept* to) HWY_ATTR {
                       unrolled<kVectors>([&](auto v) HWY_ATTR {
                         const std::size_t place = v * kLanes;
                         const auto e =
                             A::exp_of(A::below(A::logit(x + place, bias + place, z.scale), reference, place));
                         A::keep(e, to + place);
                         all[across ? k % kPlaces : 0][v].add(e);
                       });
                     });
    put<across>(all, sums);
  }
  static void sum(const LogitBlock<T>& z, bool across, const StepOfDoubles& reference, void* kept,
                  std::ptrdiff_t kept_step, StepOfDoubles& sums) {
    alignas(64) typename A::Kept unused[kPlaces];
    auto* to = kept ? static_cast<typename A::Kept*>(kept) : unused;
    (across ? sum_of<true> : sum_of<false>)(z, reference, to, kept ? kept_step : 0, sums);
  }

  template <bool across>
  static void excess_of(const LogitBlock<T>& z, const StepOfDoubles& reference, StepOfDoubles& sums,
                        StepOfDoubles& ones) {
    typename A::Sum all[kSets<across>][kVectors];
    Real count[kVectors];
    std::fill_n(count, kVectors, Real(0.0));
    alignas(64) T unused[kPlaces];
    each_step<plain>(z, kOutside<plain, T>, unused, 0, [&](std::size_t k, const T* x, const T* bias, T*) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const std::size_t place = v * kLanes;
        const auto t = A::below(A::logit(x + place, bias + place, z.scale), reference, place);
        const Mask one = A::is_0(t);
        all[across ? k % kPlaces : 0][v].add(A::exp_or_0(t, !one));
        count[v] = count[v] + select(one, Real(1.0), 0.0);
      });
    });
    put<across>(all, sums);
    unrolled<kVectors>([&](auto v) HWY_ATTR { store(count[v], ones.high + v * kLanes); });
    for (std::size_t i = 1; !across && i < kPlaces; ++i) ones.high[0] += ones.high[i];
  }
  static void excess(const LogitBlock<T>& z, bool across, const StepOfDoubles& reference, StepOfDoubles& sums,
                     StepOfDoubles& ones) {
    (across ? excess_of<true> : excess_of<false>)(z, reference, sums, ones);
  }

  static void scale_kept(const void* kept, std::ptrdiff_t kept_step, std::size_t steps, std::size_t rest,
                         const StepOfDoubles& factor, const ResultBlock<T>& to) {
    using Kept = typename A::Kept;
    const LogitBlock<Kept> all{static_cast<const Kept*>(kept), kept_step, nullptr, 0, 1, steps, rest};
    each_step<true>(all, {0, 0}, to.y, to.step, [&](std::size_t, const Kept* e, const Kept*, T* y) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR { A::scale(e + v * kLanes, factor, v * kLanes, y + v * kLanes); });
    });
  }
  static void softmax(const LogitBlock<T>& z, const StepOfDoubles& reference, const StepOfDoubles& factor,
                      const ResultBlock<T>& to) {
    each_result(z, to, [&](const auto& logit, std::size_t place, T* y) HWY_ATTR {
      A::scale(A::exp_of(A::below(logit, reference, place)), factor, place, y);
    });
  }
  static void log_softmax(const LogitBlock<T>& z, const StepOfDoubles& reference, const StepOfDoubles& log,
                          const ResultBlock<T>& to) {
    each_result(z, to, [&](const auto& logit, std::size_t place, T* y) HWY_ATTR {
      A::subtract(A::below(logit, reference, place), log, place, y);
    });
  }
  static TwoDoubles origin(TwoDoubles reference) { return reference; }

  static bool row(const T* x, T* y, std::size_t n, void* kept) {
    const LogitBlock<T> z = row_of(x, n);
    StepOfDoubles reference{}, factor{};
    std::fill_n(reference.high, kPlaces, static_cast<double>(maximum_of_row(z)));
    if (!(std::abs(reference.high[0]) < kInfinite)) return false;
    auto* to = static_cast<typename A::Kept*>(kept);
    const double all = sum_of_blocks(x, n,
                                     [&](const LogitBlock<T>& block, std::size_t first, StepOfDoubles& sums)
                                         HWY_ATTR { sum_of<false>(block, reference, to + first, kPlaces, sums); });
    std::fill_n(factor.high, kPlaces, 1 / all);
    scale_kept(kept, kPlaces, z.steps, z.rest, factor, {y, kPlaces});
    return true;
  }

  static constexpr SoftmaxPasses<T> passes{plain && !A::kWide ? row : nullptr,
                                           maximum,
                                           sum,
                                           excess,
                                           scale_kept,
                                           softmax,
                                           log_softmax,
                                           origin,
                                           A::exp,
                                           A::log1p,
                                           A::kWide ? 0 : sizeof(typename A::Kept),
                                           false};

 private:
  template <bool across>
  static HWY_INLINE void put(const typename A::Sum (&all)[kSets<across>][kVectors], StepOfDoubles& sums) {
    alignas(64) double high[kSets<across>][kPlaces], low[kSets<across>][kPlaces];
    for (std::size_t set = 0; set < kSets<across>; ++set)
      unrolled<kVectors>([&](auto v) HWY_ATTR { all[set][v].put(high[set] + v * kLanes, low[set] + v * kLanes); });
    add_up<across, A::kWide>(high, low, sums);
  }
  template <class Result>
  static HWY_INLINE void each_result(const LogitBlock<T>& z, const ResultBlock<T>& to, const Result& result) {
    each_step<plain>(z, kOutside<plain, T>, to.y, to.step, [&](std::size_t, const T* x, const T* bias, T* y) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const std::size_t place = v * kLanes;
        result(A::logit(x + place, bias + place, z.scale), place, y + place);
      });
    });
  }
};

// --- Gradients ---

template <class T>
struct Gradients {
  static constexpr std::size_t kLanes = hn::MaxLanes(Doubles()), kVectors = kPlaces / kLanes;

  template <bool across, class Term>
  static HWY_INLINE void sum_of(const LogitBlock<T>& y_g, StepOfDoubles& sums, const Term& term) {
    Real all[kSets<across>][kVectors];
    for (auto& set : all) std::fill_n(set, kVectors, Real(0.0));
    alignas(64) T unused[kPlaces];
    each_step<false>(y_g, {0, 0}, unused, 0, [&](std::size_t k, const T* y, const T* g, T*) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        Real& sum = all[across ? k % kPlaces : 0][v];
        sum = sum + term(load(y + v * kLanes), load(g + v * kLanes));
      });
    });
    alignas(64) double high[kSets<across>][kPlaces], low[kSets<across>][kPlaces] = {};
    for (std::size_t set = 0; set < kSets<across>; ++set)
      unrolled<kVectors>([&](auto v) HWY_ATTR { store(all[set][v], high[set] + v * kLanes); });
    add_up<across, false>(high, low, sums);
  }
  static void dot(const LogitBlock<T>& y_g, bool across, StepOfDoubles& sums) {
    const auto term = [](Real y, Real g) HWY_ATTR { return g * y; };
    across ? sum_of<true>(y_g, sums, term) : sum_of<false>(y_g, sums, term);
  }
  static void sum(const LogitBlock<T>& y_g, bool across, StepOfDoubles& sums) {
    const auto term = [](Real, Real g) HWY_ATTR { return g; };
    across ? sum_of<true>(y_g, sums, term) : sum_of<false>(y_g, sums, term);
  }

  static void dot_exp(const LogitBlock<T>& y_g, bool across, StepOfDoubles& sums) {
    const auto term = [](Real y, Real g) HWY_ATTR { return g * exp_of_difference<true, T>(y); };
    across ? sum_of<true>(y_g, sums, term) : sum_of<false>(y_g, sums, term);
  }

  template <class Result>
  static HWY_INLINE void map(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to,
                             const Result& result) {
    each_step<false>(y_g, {0, 0}, to.y, to.step, [&](std::size_t, const T* y, const T* g, T* dx) HWY_ATTR {
      unrolled<kVectors>([&](auto v) HWY_ATTR {
        const std::size_t place = v * kLanes;
        store(result(load(y + place), load(g + place), load(sums.high + place)) * Real(y_g.scale), dx + place);
      });
    });
  }
  static void softmax(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to) {
    map(y_g, sums, to, [](Real y, Real g, Real mean) HWY_ATTR { return y * (g - mean); });
  }
  static void log_softmax(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to) {
    map(y_g, sums, to, [](Real y, Real g, Real sum) HWY_ATTR { return g - exp_of_difference<true, T>(y) * sum; });
  }
  static void subtract(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to) {
    map(y_g, sums, to, [](Real /*y*/, Real g, Real mean) HWY_ATTR { return g - mean; });
  }
  static constexpr SoftmaxGradients<T> gradients{dot, sum, dot_exp, softmax, log_softmax, subtract};
};

void stream_here(const void* from, void* to, std::size_t bytes) {
  using D = hn::ScalableTag<std::uint32_t>;
  const std::size_t vector = hn::Lanes(D()) * sizeof(std::uint32_t);
  const auto* source = static_cast<const unsigned char*>(from);
  auto* target = static_cast<unsigned char*>(to);
  const std::size_t before = std::min(bytes, (0 - reinterpret_cast<std::uintptr_t>(target)) % vector);
  std::memcpy(target, source, before);
  std::size_t i = before;
  for (; i + vector <= bytes; i += vector)
    hn::Stream(hn::LoadU(D(), reinterpret_cast<const std::uint32_t*>(source + i)), D(),
               reinterpret_cast<std::uint32_t*>(target + i));
  std::memcpy(target + i, source + i, bytes - i);
}

template <class T>
const SoftmaxPasses<T>* softmax_passes_here(bool fast, bool plain);
template <>
const SoftmaxPasses<float>* softmax_passes_here(bool fast, bool plain) {
#ifdef ACTFUN_FAST
  if (fast) return plain ? &Fast<true>::passes : &Fast<false>::passes;
#endif
  static_cast<void>(fast);
  return plain ? &ExactPasses<Exact<true>, true>::passes : &ExactPasses<Exact<false>, false>::passes;
}
template <>
const SoftmaxPasses<double>* softmax_passes_here(bool /*fast*/, bool plain) {
  return plain ? &ExactPasses<Wide<true>, true>::passes : &ExactPasses<Wide<false>, false>::passes;
}
template <class T>
const SoftmaxGradients<T>* softmax_gradients_here() {
  return &Gradients<T>::gradients;
}
template const SoftmaxGradients<float>* softmax_gradients_here<float>();
template const SoftmaxGradients<double>* softmax_gradients_here<double>();

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

#define ACTFUN_PASSES(name, description) \
  case HWY_##name:                       \
    return *N_##name::ACTFUN_CALL;
#define ACTFUN_SWITCH                \
  switch (target) {                  \
    ACTFUN_TARGETS(ACTFUN_PASSES)    \
    default:                         \
      return *N_SCALAR::ACTFUN_CALL; \
  }
template <class T>
const SoftmaxPasses<T>& softmax_passes(bool fast, bool plain, std::int64_t target) {
#define ACTFUN_CALL softmax_passes_here<T>(fast, plain)
  ACTFUN_SWITCH
#undef ACTFUN_CALL
}
template const SoftmaxPasses<float>& softmax_passes<float>(bool fast, bool plain, std::int64_t target);
template const SoftmaxPasses<double>& softmax_passes<double>(bool fast, bool plain, std::int64_t target);

template <class T>
const SoftmaxGradients<T>& softmax_gradients(std::int64_t target) {
#define ACTFUN_CALL softmax_gradients_here<T>()
  ACTFUN_SWITCH
#undef ACTFUN_CALL
}
template const SoftmaxGradients<float>& softmax_gradients<float>(std::int64_t target);
template const SoftmaxGradients<double>& softmax_gradients<double>(std::int64_t target);

void stream(const void* from, void* to, std::size_t bytes, std::int64_t target) {
  switch (target) {
#define ACTFUN_STREAM(name, description) \
  case HWY_##name:                       \
    return N_##name::stream_here(from, to, bytes);
    ACTFUN_TARGETS(ACTFUN_STREAM)
#undef ACTFUN_STREAM
    default:
      return N_SCALAR::stream_here(from, to, bytes);
  }
}

}  // namespace actfun
#endif
