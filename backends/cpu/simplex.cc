// SPDX-License-Identifier: Apache-2.0
// Everything is taken relative to the row's maximum m. With w_i = (alpha - 1)(x_i - m) <= 0 and p = 1/(alpha - 1),
// entmax is y_i = (s + w_i)_+^p for the s in (0, 1] that makes the sum 1. Only candidates, x_i > m - p, can be in the
// support; they are copied out, and lose those that turn out to lie too low.
#include "backends/cpu/simplex.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/simplex.cc"
#include "backends/cpu/unit.inl.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {

/// The generator's stream: other random numbers of the same seed are independent of these.
constexpr std::uint64_t kGumbelStream = 1;

// clang-format off
#include "backends/cpu/sums.inl.h"
#include "backends/cpu/logarithm.inl.h"
#include "backends/cpu/philox.inl.h"
// clang-format on

/// Those of n numbers that are at least `least`, in their order, to `to`, which may be `from`, with sixteen times -inf
/// behind them. Returns how many.
template <class T>
HWY_INLINE std::size_t keep(const T* from, std::size_t n, double least, double* to) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t count = 0, i = 0;
  for (; i + lanes <= n; i += lanes) {
    const Real v = load(from + i);
    const auto kept = hn::Ge(v.v[0], hn::Set(d, least));
    if (!hn::AllFalse(d, kept)) count += hn::CompressStore(v.v[0], kept, d, to + count);
  }
  for (; i < n; ++i)
    if (const auto v = static_cast<double>(from[i]); v >= least) to[count++] = v;
  std::fill_n(to + count, kSums, -kInfinite);
  return count;
}

/// What Newton's method wants to know of the candidates.
template <class R>
struct Powers {
  R sum, derivative;
};

/// The sums of f(v_i) over numbers with sixteen times -inf behind them, which add nothing.
template <class Function>
HWY_INLINE Powers<double> sums_of_powers(const double* v, std::size_t n, const Function& f) {
  const std::size_t lanes = hn::Lanes(Doubles());
  alignas(64) double sums[kSums] = {}, derivatives[kSums] = {};
  for (std::size_t i = 0; i < n; i += kSums)
    for (std::size_t k = 0; k < kSums; k += lanes) {
      const Powers<Real> each = f(load(v + i + k));
      store(load(sums + k) + each.sum, sums + k);
      store(load(derivatives + k) + each.derivative, derivatives + k);
    }
  return {tree(sums), tree(derivatives)};
}

/// Sixteen sums of two doubles each.
struct WideSums {
  alignas(64) double high[kSums] = {}, low[kSums] = {};

  HWY_INLINE void add(std::size_t k, DoubleDouble each) {
    const DoubleDouble sum = DoubleDouble(load(high + k), load(low + k)) + each;
    store(sum.hi, high + k), store(sum.lo, low + k);
  }
  HWY_INLINE DoubleDouble total() {
    const std::size_t lanes = hn::Lanes(Doubles());
    for (std::size_t width = kSums / 2; width > 0; width /= 2)
      for (std::size_t k = 0; k < width; k += lanes) add(k, {load(high + k + width), load(low + k + width)});
    return {Real(high[0]), Real(low[0])};
  }
};

/// sparsemax (p = 1) and 1.5-entmax (p = 2), whose powers are exact enough to find s in double-double.
template <class T, int p>
struct Projection {
  static constexpr double kScale = 1.0 / p;  // alpha - 1
  /// Room for the rounding of w and s.
  static constexpr double kMargin = 1 + 0x1p-30;

  double maximum;

  /// The least x that may be in the support.
  double least(double s) const { return maximum - p * s * kMargin; }

  /// d^p and d^(p - 1), for d >= 0.
  static HWY_INLINE Powers<Real> powers(Real d) {
    if constexpr (p == 1)
      return {d, select(d > 0.0, Real(1.0), 0.0)};
    else
      return {d * d, d};
  }
  static HWY_INLINE DoubleDouble power(DoubleDouble d) {
    if constexpr (p == 1)
      return d;
    else
      return d * d;
  }
  /// The same rounded, or nearly so: a float's square once more than a double's, to 2^-53.
  static HWY_INLINE Real rounded_power(DoubleDouble d) {
    return std::is_same_v<T, float> ? powers(d.hi).sum : power(d).hi;
  }

  /// From s = 1, which is too large, Newton's method for the p-norm of the (s + w_i)_+, which is convex in s: it comes
  /// from above. For p = 1 that is the method of Michelot (1986). Below, candidates are done with.
  HWY_INLINE double near(double* candidates, std::size_t& n) const {
    for (double s = 1;;) {
      const Real m = maximum, shift = s;
      const auto [sum, derivative] = sums_of_powers(
          candidates, n, [=](Real v) HWY_ATTR { return powers(at_least((v - m) * kScale + shift, 0.0)); });
      const double next = s - (sum - (p == 1 ? 1 : std::sqrt(sum))) / derivative;
      if (!(next < s * (1 - 0x1p-45))) return s;
      s = next;
      if (n > kFew) n = keep(candidates, n, least(s), candidates);
    }
  }
  static constexpr std::size_t kFew = 4 * kSums;  // looking at all takes less time than leaving some out

  HWY_INLINE DoubleDouble above_threshold(Real v, DoubleDouble s) const {
    const TwoReals<1> z = two_sum(v, Real(-maximum));
    return s + DoubleDouble(z.high * kScale, z.low * kScale);
  }

  /// Newton's method for the sum, from nearby: the sum to twice a double's digits, its derivative to a double's. A step
  /// of 2^-80 leaves no more than the rounding of the sum does.
  HWY_INLINE DoubleDouble refined(double nearby, const double* candidates, std::size_t n) const {
    const std::size_t lanes = hn::Lanes(Doubles());
    DoubleDouble s = nearby;
    for (int i = 0; i < kMostSteps; ++i) {
      WideSums sums;
      alignas(64) double derivatives[kSums] = {};
      for (std::size_t j = 0; j < n; j += kSums)
        for (std::size_t k = 0; k < kSums; k += lanes) {
          const DoubleDouble d = above_threshold(load(candidates + j + k), s);
          const Mask inside = d.hi > 0.0;
          sums.add(k, select(inside, power(d), 0.0));
          store(load(derivatives + k) + select(inside, powers(d.hi).derivative, 0.0), derivatives + k);
        }
      const Real step = (sums.total() - DoubleDouble(1.0)).hi / Real(p * tree(derivatives));
      s = s - DoubleDouble(step);
      if (none(abs(step) > s.hi * 0x1p-80)) break;
    }
    return s;
  }
  static constexpr int kMostSteps = 20;

  static HWY_INLINE void row(const Row<T>& row, const T* x, std::size_t n, double* candidates) {
    const Projection all{row.maximum()};
    std::size_t count = keep(x, n, all.least(1), candidates);
    const double nearby = all.near(candidates, count);
    const DoubleDouble s = all.refined(nearby, candidates, count);
    const Real least = all.least(nearby);
    row.map([=](Real v) HWY_ATTR {
      const Mask near = v >= least;
      if (none(near)) return Real(0.0);
      const DoubleDouble d = all.above_threshold(v, s);
      return select(near & (d.hi > 0.0), rounded_power(d), 0.0);
    });
  }
};

/// Entmax for any alpha > 1, in double. With s = exp((alpha - 1) l) and u_i = w_i / s the largest y is exp(l), and the
/// others are (1 + u_i)^p times it: nothing of it loses digits when alpha nears 1, where this is softmax.
template <class T>
struct Entmax {
  double alpha, maximum;

  HWY_INLINE Powers<Real> powers(Real v, Real ratio, Real exponent) const {
    const Real u = (v - Real(maximum)) * ratio, t = 1.0 + u;
    const Mask inside = t > 0.0;
    const Real power = exp_of_difference<true, double>(exponent * logarithm(select(inside, t, 1.0), u));
    return {select(inside, power, 0.0), select(inside, power / t, 0.0)};
  }

  /// The root of h(l) = l + log(sum_i (1 + u_i)^p), which lies between -log(n) and 0, by Newton's method, and by
  /// halving where this does not take off half of h. h' >= 1, so that h bounds the error of l.
  HWY_INLINE double logarithm_of_largest(double* candidates, std::size_t n) const {
    double low = -of(static_cast<double>(n)), high = 0, l = 0, before = kInfinite;
    while (true) {
      const double ratio = (alpha - 1) / exponential((alpha - 1) * l);
      const auto [sum, derivative] = sums_of_powers(
          candidates, n, [this, ratio, p = 1 / (alpha - 1)](Real v) HWY_ATTR { return powers(v, ratio, p); });
      const double h = l + of(sum);
      (h > 0 ? high : low) = l;
      const double next = l - h * sum / derivative, bound = 0x1p-51 * (1 - l);
      if (std::fabs(h) <= bound || high - low <= bound) return l;
      if (h > 0) n = keep(candidates, n, maximum - 1 / ratio * (1 + 0x1p-30), candidates);
      l = next > low && next < high && std::fabs(h) < 0.5 * before ? next : 0.5 * (low + high);
      before = std::fabs(h);
    }
  }
  static HWY_INLINE double of(double x) { return hn::GetLane(logarithm(Real(x)).v[0]); }
  static HWY_INLINE double exponential(double x) { return hn::GetLane(exp_of_difference<true, double>(Real(x)).v[0]); }

  static HWY_INLINE void row(double alpha, const Row<T>& row, const T* x, std::size_t n, double* candidates) {
    const Entmax all{alpha, row.maximum()};
    const std::size_t count = keep(x, n, all.maximum - 1 / (alpha - 1) * (1 + 0x1p-30), candidates);
    const double l = all.logarithm_of_largest(candidates, count);
    const Real largest = exponential(l), ratio = (alpha - 1) / exponential((alpha - 1) * l), p = 1 / (alpha - 1);
    row.map([=](Real v) HWY_ATTR { return all.powers(v, ratio, p).sum * largest; });
  }
};

/// softmax of a row that has a limit.
template <class T>
HWY_INLINE void softmax(const Row<T>& row) {
  const Real m = row.maximum(), factor = 1 / (1 + row.excess_sum_of_exp());
  row.map([=](Real v) HWY_ATTR { return exp_of_difference<true, T>(v - m) * factor; });
}

template <class T>
struct Simplex {
  static HWY_FLATTEN void entmax(double alpha, const T* x, T* y, std::size_t n, double* room) {
    const Row<T> row(x, y, n);
    if (!row.has_limit())
      fill(y, n, kNan);
    else if (row.has_infinity())
      row.map([](Real v) HWY_ATTR { return select(v == kInfinite, Real(1.0), 0.0); });
    else if (alpha == 2)
      Projection<T, 1>::row(row, x, n, room);
    else if (alpha == 1.5)
      Projection<T, 2>::row(row, x, n, room);
    else if (alpha == 1)
      softmax(row);
    else
      Entmax<T>::row(alpha, row, x, n, room);
  }

  static HWY_FLATTEN void hardmax(const T* x, T* y, std::size_t n) { one_hot(x, largest(x, n), y, n); }

  static HWY_FLATTEN void backward(double alpha, double factor, const T* y, const T* g, T* dx, std::size_t n) {
    if (alpha == 1)
      along([](Real p) HWY_ATTR { return p; }, std::false_type(), factor, y, g, dx, n);
    else if (alpha == 1.5)
      along([](Real p) HWY_ATTR { return sqrt(p); }, std::true_type(), factor, y, g, dx, n);
    else if (alpha == 2)
      along([](Real) HWY_ATTR { return Real(1.0); }, std::true_type(), factor, y, g, dx, n);
    else
      of_weights(alpha, factor, y, g, dx, n);
  }

  /// With h_i = -y_i log(y_i) and q = s / sum_j s_j: dy_i/dalpha = (y_i - q_i)/(alpha - 1)^2 + (h_i - q_i sum_j h_j) /
  /// (alpha - 1). (G. M. Correia, V. Niculae, A. F. T. Martins, EMNLP 2019.)
  static HWY_FLATTEN double backward_alpha(double alpha, const T* y, const T* g, std::size_t n) {
    const Weight weight(alpha, y, n);
    const auto entropy = [](Real p) HWY_ATTR { return -p * log_of(p); };
    const auto over_support = [=](const auto& term) HWY_ATTR {
      return sum_over(y, g, n, [=](Real p, Real each) HWY_ATTR { return supported(p, term(p, each)); });
    };
    const double weights = over_support([=](Real p, Real) HWY_ATTR { return weight(p); }),
                 mean = over_support([=](Real p, Real each) HWY_ATTR { return weight(p) * each; }) / weights,
                 total = over_support([=](Real p, Real) HWY_ATTR { return entropy(p); }),
                 upstream = over_support([=](Real p, Real each) HWY_ATTR { return p * each; }),
                 share = over_support([=](Real p, Real each) HWY_ATTR { return entropy(p) * each; });
    return ((upstream - mean) / (alpha - 1) + (share - mean * total)) / (alpha - 1);
  }

  static HWY_FLATTEN void gumbel_softmax(double tau, const T* x, T* y, T* hard, std::size_t n, double* room) {
    const std::size_t lanes = hn::Lanes(Doubles());
    std::size_t i = 0;
    for (; i + lanes <= n; i += lanes) store((load(x + i) + load(room + i)) / tau, room + i);
    for (; i < n; ++i) room[i] = (static_cast<double>(x[i]) + room[i]) / tau;
    if (hard) one_hot(room, Simplex<double>::largest(room, n), hard, n);
    if (!y) return;
    Simplex<double>::entmax(1, room, room, n, nullptr);
    for (i = 0; i < n; ++i) y[i] = static_cast<T>(room[i]);
  }

  /// The first of the largest, or the first NaN. Few steps hold a number that is larger than all before.
  static HWY_INLINE std::size_t largest(const T* x, std::size_t n) {
    const hn::ScalableTag<T> d;
    const std::size_t lanes = hn::Lanes(d);
    std::size_t winner = 0;
    for (std::size_t i = 0; i < n && x[winner] == x[winner]; i += lanes) {
      if (i + lanes <= n && hn::AllTrue(d, hn::Le(hn::LoadU(d, x + i), hn::Set(d, x[winner])))) continue;
      for (std::size_t k = i; k < std::min(n, i + lanes) && x[winner] == x[winner]; ++k)
        if (!(x[k] <= x[winner])) winner = k;
    }
    return winner;
  }
  template <class From>
  static HWY_INLINE void one_hot(const From* from, std::size_t winner, T* y, std::size_t n) {
    const bool number = from[winner] == from[winner];
    fill(y, n, number ? 0 : kNan);
    if (number) y[winner] = 1;
  }

  static constexpr SimplexRows<T> rows{entmax, hardmax, backward, backward_alpha, gumbel_softmax};

 private:
  /// A value at p > 0; 0 where p = 0, whatever the value there, and NaN where p is.
  static HWY_INLINE Real supported(Real p, Real value) { return select(p > 0.0, value, p * 0.0); }
  static HWY_INLINE Real log_of(Real p) { return logarithm(at_least(p, std::numeric_limits<double>::min())); }

  /// y^(2 - alpha) over `unit`, the largest of them for alpha > 2, which keeps them finite; else 1.
  struct Weight {
    double power, least = 0, unit = 1;
    HWY_INLINE Weight(double alpha, const T* y, std::size_t n) : power(2 - alpha) {
      if (power > 0) return;
      double smallest = 1;
      for (std::size_t i = 0; i < n; ++i)
        if (y[i] > 0 && y[i] < smallest) smallest = static_cast<double>(y[i]);
      least = hn::GetLane(log_of(Real(smallest)).v[0]);
      unit = 1 / hn::GetLane(exp_of_difference<true, double>(Real(-power * least)).v[0]);
    }
    HWY_INLINE Real operator()(Real p) const {
      return exp_of_difference<true, double>(Real(power) * (log_of(p) - Real(least)));
    }
  };

  static HWY_INLINE void of_weights(double alpha, double factor, const T* y, const T* g, T* dx, std::size_t n) {
    const Weight weight(alpha, y, n);
    along(weight, std::true_type(), factor * weight.unit, y, g, dx, n);
  }

  template <class Weights, bool divided>
  static HWY_INLINE void along(const Weights& weight, std::bool_constant<divided>, double factor, const T* y,
                               const T* g, T* dx, std::size_t n) {
    double mean = sum_over(y, g, n, [=](Real p, Real each) HWY_ATTR { return supported(p, weight(p) * each); });
    if (divided) mean = mean / sum_over(y, g, n, [=](Real p, Real) HWY_ATTR { return supported(p, weight(p)); });
    map(y, g, dx, n, [=](Real p, Real each) HWY_ATTR { return supported(p, weight(p) * (each - mean) * factor); });
  }
};

HWY_FLATTEN void noise(std::uint64_t seed, std::uint64_t first, std::uint64_t step, double* to, std::size_t n) {
  const DoubleBits d;
  const std::size_t lanes = hn::Lanes(d);
  alignas(64) std::uint64_t elements[8];
  alignas(64) double rest[8];
  for (std::size_t j = 0; j < n; j += lanes) {
    for (std::size_t k = 0; k < lanes; ++k) elements[k] = first + (j + k) * step;
    // Element i has two words of block i / 2.
    const auto element = hn::Load(d, elements);
    const PhiloxBlocks blocks = philox(seed, hn::ShiftRight<1>(element), kGumbelStream);
    const auto even = hn::Eq(hn::And(element, hn::Set(d, 1)), hn::Zero(d));
    const auto low = hn::IfThenElse(even, blocks.c[0], blocks.c[2]),
               high = hn::IfThenElse(even, blocks.c[1], blocks.c[3]);
    const auto upper = hn::ShiftRight<12>(hn::Or(low, hn::ShiftLeft<32>(high)));
    // 1 + c 2^-52 for the upper 52 bits c, less 1 - 2^-53: exactly (c + 1/2) 2^-52.
    const Real u = Real(hn::BitCast(Doubles(), hn::Or(upper, hn::Set(d, 0x3ff0000000000000)))) - (1 - 0x1p-53);
    const Real drawn = -logarithm(-logarithm(u));
    if (n - j >= lanes) {
      store(drawn, to + j);
    } else {
      store(drawn, rest);
      std::copy_n(rest, n - j, to + j);
    }
  }
}

GumbelNoise noise_here() { return noise; }
template <class T>
const SimplexRows<T>* simplex_rows_here() {
  return &Simplex<T>::rows;
}
template const SimplexRows<float>* simplex_rows_here<float>();
template const SimplexRows<double>* simplex_rows_here<double>();

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

template <class T>
const SimplexRows<T>& simplex_rows(std::int64_t target) {
  switch (target) {
#define ACTFUN_ROWS(name, description) \
  case HWY_##name:                     \
    return *N_##name::simplex_rows_here<T>();
    ACTFUN_TARGETS(ACTFUN_ROWS)
#undef ACTFUN_ROWS
    default:
      return *N_SCALAR::simplex_rows_here<T>();
  }
}
template const SimplexRows<float>& simplex_rows<float>(std::int64_t target);
template const SimplexRows<double>& simplex_rows<double>(std::int64_t target);

GumbelNoise gumbel_noise(std::int64_t target) {
  switch (target) {
#define ACTFUN_NOISE(name, description) \
  case HWY_##name:                      \
    return N_##name::noise_here();
    ACTFUN_TARGETS(ACTFUN_NOISE)
#undef ACTFUN_NOISE
    default:
      return N_SCALAR::noise_here();
  }
}

}  // namespace actfun
#endif
