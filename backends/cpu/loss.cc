// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/loss.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/loss.cc"
#include "backends/cpu/unit.inl.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {

#include "backends/cpu/sums.inl.h"

/// What the loss wants to know of a row that has a limit.
template <class T>
struct Logits {
  double maximum, rest, log;  ///< sum_j exp(x_j - maximum) is 1 + rest; log = log(1 + rest)
  bool infinite;

  HWY_INLINE explicit Logits(const Row<T>& row)
      : maximum(row.maximum()),
        rest(row.has_infinity() ? 0 : row.excess_sum_of_exp()),
        log(log1p_of_sum(rest)),
        infinite(row.has_infinity()) {}

  double total() const { return 1 + rest; }
  /// z lse^2 and its derivative by lse: 0 for z = 0, whatever lse is.
  double square(double z) const { return z == 0 ? 0 : z * (maximum + log) * (maximum + log); }
  double slope(double z) const { return z == 0 ? 0 : 2 * z * (maximum + log); }
  /// x_i - maximum; beside +inf, every other number lies infinitely far below.
  HWY_INLINE Real below(Real v) const { return select(v == Real(maximum), 0.0, v - Real(maximum)); }
  HWY_INLINE Real power(Real v) const { return exp_of_difference<true, T>(below(v)); }
  /// A multiple of `power`; 0 stays 0, even if the factor is infinite.
  HWY_INLINE Real times_power(Real v, Real factor) const {
    const Real e = power(v);
    return infinite ? select(e == 0.0, 0.0, e * factor) : e * factor;
  }
  /// sum_i c_i (lse - x_i)
  HWY_INLINE double distance(const T* x, const double* c, std::size_t n) const {
    return sum_over(x, c, n, [this](Real v, Real each) HWY_ATTR {
      return select(each == 0.0, 0.0, each * (Real(log) - below(v)));
    });
  }
};

template <class T>
struct Loss {
  static HWY_FLATTEN double label(const LossTerms& terms, const T* x, std::size_t label, double scale, T* dx,
                                  std::size_t n) {
    const Row<T> row(x, dx, n);
    if (!row.has_limit()) return fill(dx, n, kNan), kNan;
    const Logits<T> logits(row);
    const double below = hn::GetLane(logits.below(static_cast<double>(x[label])).v[0]), e = exponential(below),
                 others = terms.total + logits.slope(terms.z), unit = scale / logits.total();
    double loss = terms.label == 0 ? 0 : terms.label * (logits.log - below);
    if (terms.spread) loss += logits.distance(x, terms.spread, n);
    loss += logits.square(terms.z);
    if (!dx) return loss;
    // p - 1 without the subtraction where p is near 1, times 1 + rest.
    const double from_one = below == 0 ? -logits.rest : e - logits.total();
    double own = terms.label * from_one * unit;
    if (others != 0 && e != 0) own += others * e * unit;
    if (terms.spread) own -= scale * terms.spread[label];
    if (terms.spread)
      gradient(logits, terms.spread, (terms.label + others) / logits.total(), scale, x, dx, n);
    else
      row.map([=, factor = Real((terms.label + others) * unit)](Real v)
                  HWY_ATTR { return logits.times_power(v, factor); });
    dx[label] = static_cast<T>(own);
    return loss;
  }

  static HWY_FLATTEN double targets(const LossTerms& terms, const T* x, double scale, T* dx, std::size_t n) {
    const Row<T> row(x, dx, n);
    if (!row.has_limit()) return fill(dx, n, kNan), kNan;
    const Logits<T> logits(row);
    const double total = sum_over(x, terms.spread, n, [](Real, Real each) HWY_ATTR { return each; }),
                 loss = logits.distance(x, terms.spread, n) + logits.square(terms.z);
    if (dx) gradient(logits, terms.spread, (total + logits.slope(terms.z)) / logits.total(), scale, x, dx, n);
    return loss;
  }

  static constexpr LossRows<T> rows{label, targets};

 private:
  static HWY_INLINE double exponential(double x) { return hn::GetLane(exp_of_difference<true, T>(Real(x)).v[0]); }

  /// scale (factor exp(x_i - maximum) - c_i)
  static HWY_INLINE void gradient(const Logits<T>& logits, const double* c, double factor, double scale, const T* x,
                                  T* dx, std::size_t n) {
    map(x, c, dx, n, [=, factors = Real(factor), scales = Real(scale)](Real v, Real each) HWY_ATTR {
      return scales * (logits.times_power(v, factors) - each);
    });
  }
};

template <class T>
const LossRows<T>* loss_rows_here() {
  return &Loss<T>::rows;
}
template const LossRows<float>* loss_rows_here<float>();
template const LossRows<double>* loss_rows_here<double>();

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

template <class T>
const LossRows<T>& loss_rows(std::int64_t target) {
  switch (target) {
#define ACTFUN_ROWS(name, description) \
  case HWY_##name:                     \
    return *N_##name::loss_rows_here<T>();
    ACTFUN_TARGETS(ACTFUN_ROWS)
#undef ACTFUN_ROWS
    default:
      return *N_SCALAR::loss_rows_here<T>();
  }
}
template const LossRows<float>& loss_rows<float>(std::int64_t target);
template const LossRows<double>& loss_rows<double>(std::int64_t target);

}  // namespace actfun
#endif
