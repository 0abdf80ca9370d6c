// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/axis_backward.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/axis_backward.cc"
#include "backends/cpu/unit.inl.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {

#include "backends/cpu/sums.inl.h"

template <class T>
struct Backward {
  static HWY_FLATTEN void softmax(const T* y, const T* g, T* dx, std::size_t n) {
    const Real mean = sum_over(y, g, n, [](Real p, Real each) HWY_ATTR { return each * p; });
    map(y, g, dx, n, [=](Real p, Real each) HWY_ATTR { return p * (each - mean); });
  }

  static HWY_FLATTEN void log_softmax(const T* y, const T* g, T* dx, std::size_t n) {
    const Real sum = sum_over(y, g, n, [](Real, Real each) HWY_ATTR { return each; });
    map(y, g, dx, n, [=](Real v, Real each) HWY_ATTR { return each - exp_of_difference<true, T>(v) * sum; });
  }

  static HWY_FLATTEN double cross_entropy(const T* x, std::size_t label, double scale, T* dx, std::size_t n) {
    const Row<T> row(x, dx, n);
    if (!row.has_limit()) return fill(dx, n, kNan), kNan;
    if (row.has_infinity()) {
      const bool right = x[label] == std::numeric_limits<T>::infinity();
      for (std::size_t i = 0; dx && i < n; ++i)
        dx[i] = static_cast<T>(scale * ((x[i] == std::numeric_limits<T>::infinity()) - (i == label)));
      return right ? 0 : kInfinite;
    }
    const double rest = row.excess_sum_of_exp(), total = 1 + rest,
                 below = static_cast<double>(x[label]) - row.maximum();
    // p - 1 without the subtraction where p is near 1.
    const double from_one = below == 0 ? -rest : hn::GetLane(exp_of_difference<true, T>(Real(below)).v[0]) - total;
    if (dx) {
      const Real maximum = row.maximum(), factor = scale / total;
      row.map([=](Real v) HWY_ATTR { return exp_of_difference<true, T>(v - maximum) * factor; });
      dx[label] = static_cast<T>(from_one * (scale / total));
    }
    return log1p_of_sum(rest) - below;
  }

  static HWY_FLATTEN double soft_cross_entropy(const T* x, const T* t, double scale, T* dx, std::size_t n) {
    const Row<T> row(x, dx, n);
    if (!row.has_limit()) return fill(dx, n, kNan), kNan;
    const Real maximum = row.maximum();
    const double targets = sum_over(x, t, n, [](Real, Real each) HWY_ATTR { return each; });
    const bool infinite = row.has_infinity();
    const double rest = infinite ? 0 : row.excess_sum_of_exp();
    const Real log = log1p_of_sum(rest), factor = targets / (1 + rest), scales = scale;
    // Beside +inf, every other number lies infinitely far below: inf - inf is 0 there, x - inf is -inf.
    const auto below = [=](Real v) HWY_ATTR { return select(v == maximum, 0.0, v - maximum); };
    const double loss = sum_over(
        x, t, n, [=](Real v, Real each) HWY_ATTR { return select(each == 0.0, 0.0, each * (log - below(v))); });
    if (dx)
      map(x, t, dx, n,
          [=](Real v, Real each) HWY_ATTR { return scales * (exp_of_difference<true, T>(below(v)) * factor - each); });
    return loss;
  }

  static constexpr BackwardRows<T> rows{softmax, log_softmax, cross_entropy, soft_cross_entropy};
};

template <class T>
const BackwardRows<T>* backward_rows_here() {
  return &Backward<T>::rows;
}
template const BackwardRows<float>* backward_rows_here<float>();
template const BackwardRows<double>* backward_rows_here<double>();

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

template <class T>
const BackwardRows<T>& backward_rows(std::int64_t target) {
  switch (target) {
#define ACTFUN_ROWS(name, description) \
  case HWY_##name:                     \
    return *N_##name::backward_rows_here<T>();
    ACTFUN_TARGETS(ACTFUN_ROWS)
#undef ACTFUN_ROWS
    default:
      return *N_SCALAR::backward_rows_here<T>();
  }
}
template const BackwardRows<float>& backward_rows<float>(std::int64_t target);
template const BackwardRows<double>& backward_rows<double>(std::int64_t target);

}  // namespace actfun
#endif
