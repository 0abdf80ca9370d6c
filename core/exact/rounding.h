// SPDX-License-Identifier: Apache-2.0
// Error-free sums and products, and the one rounding to float of s + l within e. Only for files that are compiled with
// -ffp-contract=off.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/exact/taylor_model.h"

#define ACTFUN_INLINE inline __attribute__((always_inline))

namespace actfun::exact {

struct Sum {
  double high, low;
};
ACTFUN_INLINE Sum two_sum(double a, double b) {
  const double s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
ACTFUN_INLINE Sum two_product(double a, double b) {
  const double p = a * b;
  return {p, __builtin_fma(a, b, -p)};
}

// Rounds s + d once, from double-double to float: to double by rounding to odd, which keeps a bit that says on which
// side of a midpoint the sum lies, and from there to float.
ACTFUN_INLINE float round_sum(double s, double d) {
  const Sum sum = two_sum(s, d);
  const auto bits = std::bit_cast<std::int64_t>(sum.high), low = std::bit_cast<std::int64_t>(sum.low);
  const std::int64_t towards = ((bits ^ low) >> 63) | 1;
  const std::int64_t inexact_and_even = sum.low != 0 ? ~bits & 1 : 0;
  return static_cast<float>(std::bit_cast<double>(bits + (inexact_and_even != 0 ? towards : 0)));
}

/// Rounds kBlock sums. `doubt` is 0 where it does not matter where within e the value lies.
ACTFUN_INLINE void decide(double share, const double* s, const double* l, const double* errors, std::uint32_t* doubt,
                          float* out) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double margin = std::abs(s[i]) * share;
    const double e = errors[i] + (std::abs(s[i]) >= 0x1p-126 && l[i] != 0 ? margin : 0);
    const float under = round_sum(s[i], l[i] - e), over = round_sum(s[i], l[i] + e);
    out[i] = under;
    doubt[i] = std::bit_cast<std::uint32_t>(under) ^ std::bit_cast<std::uint32_t>(over);
  }
}

}  // namespace actfun::exact
