// SPDX-License-Identifier: Apache-2.0
// Plain loops, compiled for every instruction set.
#include "backends/cpu/products.h"
#include "backends/cpu/sum.h"
#include "backends/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/product_steps.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {

void widen(const float* x, double* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = static_cast<double>(x[i]);
}

constexpr float kLargest = 0x1.fffffep127f;

bool round(const double* a, const double* f, const double* error, float* y, std::uint32_t* open, std::size_t n) {
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double p = a[i] * f[i], e = (a[i] < 0 ? -a[i] : a[i]) * error[i];
    const auto low = static_cast<float>(p - e), high = static_cast<float>(p + e);
    y[i] = static_cast<float>(p);  // with the sign of p if it is zero
    // A NaN leaves it open; so does an infinity, which may be none in a larger format.
    open[i] = low == high && high <= kLargest && high >= -kLargest ? 0 : 1;
    any |= open[i];
  }
  return any != 0;
}

bool add(const double* x, std::size_t n, double* high, double* low) {
  constexpr std::size_t kLanes = RowSum::kLanes;
  std::uint64_t any = 0;
  const auto add_to = [&](std::size_t k, double number) {
    const bool usual = (number < 0 ? -number : number) < Sum::kHuge;
    const double a = usual ? number : 0, sum = high[k] + a, t = sum - high[k];
    low[k] += (high[k] - (sum - t)) + (a - t);
    high[k] = sum;
    any |= usual ? 0 : 1;
  };
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t k = 0; k < kLanes; ++k) add_to(k, x[i + k]);
  for (std::size_t i = whole; i < n; ++i) add_to(i - whole, x[i]);
  return any != 0;
}

constexpr ProductSteps kSteps{widen, round, add};
const ProductSteps* steps() { return &kSteps; }

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

const ProductSteps& product_steps(std::int64_t target) {
  switch (target) {
#define ACTFUN_CASE(name, description) \
  case HWY_##name:                     \
    return *N_##name::steps();
    ACTFUN_TARGETS(ACTFUN_CASE)
#undef ACTFUN_CASE
    default:
      return *N_SCALAR::steps();
  }
}

}  // namespace actfun
#endif
