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

/// high + low += x
HWY_INLINE void add_to(double& high, double& low, double x) {
  const double sum = high + x, t = sum - high;
  low += (high - (sum - t)) + (x - t);
  high = sum;
}

namespace hn = hwy::HWY_NAMESPACE;
using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;

using Reals = hn::VFromD<Doubles>;

/// So many vectors are added or left out together.
constexpr int kSideBySide = HWY_TARGET == HWY_SCALAR ? 16 : 8;

/// Infinite where floats end, which Highway's own is not on every target.
HWY_INLINE hn::VFromD<Floats> to_floats(Reals x) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(Floats(), static_cast<float>(hn::GetLane(x)));
#else
  return hn::DemoteTo(Floats(), x);
#endif
}

/// kSideBySide vectors of products: whether none is open, and all have been added.
HWY_INLINE bool multiply_and_add_block(const float* a, const double* f, const double* error, double* high,
                                       double* low) {
  const Doubles d;
  const Floats floats;
  const hn::RebindToUnsigned<Floats> codes;
  const std::size_t lanes = hn::Lanes(d);
  hn::VFromD<Floats> products[kSideBySide];
  auto open = hn::Zero(codes);
  for (std::size_t k = 0; k < kSideBySide; ++k) {
    const std::size_t at = k * lanes;
    const Reals factor = hn::PromoteTo(d, hn::LoadU(floats, a + at)), y = hn::LoadU(d, f + at),
                e = hn::Mul(factor, hn::LoadU(d, error + at));
    const auto one = to_floats(hn::MulSub(factor, y, e));
    products[k] = to_floats(hn::MulAdd(factor, y, e));
    // A zero, unless they differ or are infinite or NaN.
    open = hn::Or(open, hn::BitCast(codes, hn::Sub(one, products[k])));
  }
  if (!hn::AllTrue(codes, hn::Eq(hn::Add(open, open), hn::Zero(codes)))) return false;
  for (std::size_t k = 0; k < kSideBySide; ++k) {
    const std::size_t at = k * lanes;
    const Reals x = hn::PromoteTo(d, products[k]), h = hn::LoadU(d, high + at), l = hn::LoadU(d, low + at);
    const Reals sum = hn::Add(h, x), t = hn::Sub(sum, h);
    hn::StoreU(hn::Add(l, hn::Add(hn::Sub(h, hn::Sub(sum, t)), hn::Sub(x, t))), d, low + at);
    hn::StoreU(sum, d, high + at);
  }
  return true;
}
std::uint32_t multiply_and_add(const float* a, const double* f, const double* error, double* high, double* low,
                               std::size_t n) {
  const std::size_t width = kSideBySide * hn::Lanes(Doubles());
  const std::uint32_t block = (1u << width / kBlock) - 1;
  std::uint32_t left = 0;
  std::size_t i = 0;
  for (; i + width <= n; i += width)
    if (!multiply_and_add_block(a + i, f + i, error + i, high + i, low + i)) left |= block << i / kBlock;
  if (i == n) return left;
  constexpr std::size_t kWidest = kSideBySide * 8;
  alignas(64) float factors[kWidest] = {};
  alignas(64) double values[kWidest] = {}, errors[kWidest] = {}, highs[kWidest] = {}, lows[kWidest] = {};
  std::copy(a + i, a + n, factors), std::copy(f + i, f + n, values), std::copy(error + i, error + n, errors);
  std::copy(high + i, high + n, highs), std::copy(low + i, low + n, lows);
  if (!multiply_and_add_block(factors, values, errors, highs, lows)) return left | block << i / kBlock;
  std::copy_n(highs, n - i, high + i), std::copy_n(lows, n - i, low + i);
  return left;
}

bool add(const double* x, double* HWY_RESTRICT high, double* HWY_RESTRICT low, std::size_t n) {
  std::uint64_t any = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool usual = std::fabs(x[i]) < Sum::kHuge;
    add_to(high[i], low[i], usual ? x[i] : 0);
    any |= static_cast<std::uint64_t>(!usual);
  }
  return any != 0;
}

HWY_INLINE void merge_sums(double* HWY_RESTRICT high, double* HWY_RESTRICT low, const double* HWY_RESTRICT other_high,
                           const double* HWY_RESTRICT other_low, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) add_to(high[i], low[i], other_high[i]), low[i] += other_low[i];
}
void merge(double* high, double* low, const double* other_high, const double* other_low, std::size_t n) {
  merge_sums(high, low, other_high, other_low, n);
}
void fold(double* high, double* low, std::size_t groups, std::size_t rows, std::size_t n) {
  for (std::size_t left = rows; left > 1;) {
    const std::size_t half = (left + 1) / 2;
    for (std::size_t i = 0; i < groups * rows * n; i += rows * n)
      merge_sums(high + i, low + i, high + i + half * n, low + i + half * n, (left - half) * n);
    left = half;
  }
}

constexpr ProductSteps kSteps{widen, round, multiply, multiply_and_add, add, merge, fold};
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
