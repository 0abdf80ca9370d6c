// SPDX-License-Identifier: Apache-2.0
// The error of a float in units in the last place.
#pragma once

#include <algorithm>
#include <cmath>

namespace actfun::bench {

/// |y - truth| in the units in the last place that floats have at `truth`. Infinite for an infinity or NaN where there
/// is a number, or the other way round.
inline double error_in_ulp(float y, double truth) {
  const auto right = static_cast<float>(truth);
  if (!std::isfinite(right) || !std::isfinite(y))
    return right == y || (std::isnan(right) && std::isnan(y)) ? 0 : INFINITY;
  const int exponent = truth == 0 ? -126 : std::max(std::ilogb(truth), -126);
  return std::ldexp(std::fabs(static_cast<double>(y) - truth), 23 - exponent);
}

}  // namespace actfun::bench
