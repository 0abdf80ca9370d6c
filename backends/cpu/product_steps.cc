// SPDX-License-Identifier: Apache-2.0
// Plain loops, compiled for every instruction set.
#include <algorithm>
#include <cmath>
#include <limits>

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
    const double p = a[i] * f[i], e = std::fabs(a[i]) * error[i];
    const auto low = static_cast<float>(p - e), high = static_cast<float>(p + e);
    y[i] = static_cast<float>(p);  // with the sign of p if it is zero
    // A NaN leaves it open; so does an infinity, which may be none in a larger format.
    open[i] = 1u - static_cast<std::uint32_t>((low == high) & (std::fabs(high) <= kLargest));
    any |= open[i];
  }
  return any != 0;
}

bool multiply(const float* a, const float* f, float* y, std::size_t n) {
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < n; ++i) any |= 1u - static_cast<std::uint32_t>(std::fabs(f[i]) <= kLargest);
  if (any != 0) return false;
  for (std::size_t i = 0; i < n; ++i) {
    const float p = a[i] * f[i];
    y[i] = p == p ? p : std::numeric_limits<float>::quiet_NaN();  // machines differ in the sign of 0 times infinity
  }
  return true;
}

/// high[k] + low[k] += x[k]; with what is huge as 0, and any[k] odd.
template <std::size_t n>
HWY_INLINE void add_lanes(const double* x, double (&high)[n], double (&low)[n], std::uint64_t (&any)[n]) {
  for (std::size_t k = 0; k < n; ++k) {
    const bool usual = std::fabs(x[k]) < Sum::kHuge;
    const double number = usual ? x[k] : 0, sum = high[k] + number, t = sum - high[k];
    low[k] += (high[k] - (sum - t)) + (number - t);
    high[k] = sum;
    any[k] |= static_cast<std::uint64_t>(!usual);
  }
}
bool add(const double* x, std::size_t n, double* high, double* low) {
  constexpr std::size_t kLanes = RowSum::kLanes;
  // Copies: in registers, as nothing else can point to them.
  double h[kLanes], l[kLanes], rest[kLanes] = {};
  std::uint64_t any[kLanes] = {}, all = 0;
  std::copy_n(high, kLanes, h), std::copy_n(low, kLanes, l);
  const std::size_t whole = n / kLanes * kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes) add_lanes(x + i, h, l, any);
  std::copy_n(x + whole, n - whole, rest);
  if (n > whole) add_lanes(rest, h, l, any);
  std::copy_n(h, kLanes, high), std::copy_n(l, kLanes, low);
  for (const std::uint64_t each : any) all |= each;
  return all != 0;
}

constexpr ProductSteps kSteps{widen, round, multiply, add};
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
