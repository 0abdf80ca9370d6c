// SPDX-License-Identifier: Apache-2.0
// Errors of floats, measured on a sample of all inputs.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "api/registry.h"
#include "bench/error.h"

namespace actfun::bench {

/// 2^20 bit patterns from one end of the floats to the other, those that are finite and from `low` to `high`, and the
/// real numbers that belong to them: the doubles of the exact tier, and its floats where these are 0 or infinite
/// (doubles far below all floats take long).
struct Truth {
  std::vector<float> x;
  std::vector<double> value;
};
inline Truth truth_of(const Call& call, Part part, const Target& target, float low = -INFINITY, float high = INFINITY) {
  Truth truth;
  for (std::uint64_t bits = 0; bits < std::uint64_t{1} << 32; bits += 4099)
    if (const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
        std::isfinite(x) && low <= x && x <= high)
      truth.x.push_back(x);
  truth.x.resize(truth.x.size() / 64 * 64);  // others need whole vectors
  std::vector<float> rounded(truth.x.size());
  call.multiply(part, Format::f32, truth.x.data(), nullptr, rounded.data(), rounded.size(), target);
  const auto needs_double = [&](std::size_t i) { return rounded[i] != 0 && std::isfinite(rounded[i]); };
  std::vector<double> doubles;
  for (std::size_t i = 0; i < rounded.size(); ++i)
    if (needs_double(i)) doubles.push_back(static_cast<double>(truth.x[i]));
  call.multiply(part, Format::f64, doubles.data(), nullptr, doubles.data(), doubles.size(), target);
  for (std::size_t i = 0, k = 0; i < rounded.size(); ++i)
    truth.value.push_back(needs_double(i) ? doubles[k++] : static_cast<double>(rounded[i]));
  return truth;
}

struct Worst {
  double ulp = 0;
  float x = 0;
};
/// `y` are results for all of `truth.x`.
inline Worst worst_error(const float* y, const Truth& truth) {
  Worst worst;
  for (std::size_t i = 0; i < truth.x.size(); ++i)
    if (const double e = error_in_ulp(y[i], truth.value[i]); e > worst.ulp) worst = {e, truth.x[i]};
  return worst;
}

}  // namespace actfun::bench
