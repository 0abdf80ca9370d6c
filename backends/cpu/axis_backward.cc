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

  static constexpr BackwardRows<T> rows{softmax, log_softmax};
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
