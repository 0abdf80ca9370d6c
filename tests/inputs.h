// SPDX-License-Identifier: Apache-2.0
// Inputs for tests: all the places where floats and functions change their nature, and random ones between.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "api/registry.h"

namespace actfun::tests {

inline std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }
inline float float_of(std::uint32_t b) { return std::bit_cast<float>(b); }
/// Equal bits, where any NaN equals any other.
inline bool same(float a, float b) { return bits_of(a) == bits_of(b) || (std::isnan(a) && std::isnan(b)); }

/// Every power of two and its neighbours, zeros, subnormals, infinities, NaNs, and what the records name: kinks, roots
/// and extrema with eight floats on either side.
inline std::vector<float> special_inputs() {
  std::vector<float> x;
  const auto around = [&](float center, int reach) {
    for (const float sign : {1.0f, -1.0f})
      for (int step = -reach; step <= reach; ++step)
        x.push_back(float_of(bits_of(sign * center) + static_cast<std::uint32_t>(step)));
  };
  for (std::uint32_t exponent = 1; exponent < 255; ++exponent) around(float_of(exponent << 23), 2);
  for (std::uint32_t b = 0; b < 40; ++b) x.push_back(float_of(b)), x.push_back(float_of(b | 0x80000000u));
  const float inf = std::numeric_limits<float>::infinity();
  for (const float f : {inf, -inf, std::numeric_limits<float>::max(), -std::numeric_limits<float>::max()})
    x.push_back(f);
  for (const std::uint32_t b : {0x7fc00000u, 0xffc00000u, 0x7f800001u, 0x7fffffffu}) x.push_back(float_of(b));
  for (const Entry& entry : functions()) {
    for (const Extremum& e : entry.info->extrema) around(std::abs(std::stof(std::string(e.x))), 8);
    for (const Kink& k : entry.info->kinks)
      if (float at = 0; parse_number(k.x, at)) around(std::abs(at) + 1e-30f, 8), around(std::abs(at), 8);
  }
  for (int i = -110; i <= 110; ++i) x.push_back(static_cast<float>(i)), x.push_back(static_cast<float>(i) + 0.5f);
  return x;
}

/// Bit patterns drawn evenly, and normal and uniform numbers of the size that networks have.
inline std::vector<float> random_inputs(std::size_t n, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<float> uniform(-110, 110);
  std::vector<float> x(n);
  for (std::size_t i = 0; i < n; ++i)
    x[i] = i % 3 == 0 ? float_of(generator()) : i % 3 == 1 ? normal(generator) : uniform(generator);
  return x;
}

/// The function at its defaults and, where it has parameters, at five other values each within its domain.
inline std::vector<Call> calls_of(const Entry& entry) {
  Call preset{&entry};
  const auto& parameters = entry.info->parameters;
  for (std::size_t i = 0; i < parameters.size(); ++i) preset.parameters[i] = parameters[i].preset;
  std::vector<Call> calls{preset};
  for (std::size_t i = 0; i < parameters.size(); ++i)
    for (const double value : {-0.3, 0.0, 0.1, 0.75, 1.702, 2.0, 13.7, 1e-3, 0.3, 1.25}) {
      Call call = preset;
      call.parameters[i] = value;
      bool accepted = calls.size() <= 5 * (i + 1);
      for (std::size_t k = 0; k < parameters.size(); ++k)
        accepted = accepted && accepts(*entry.info, k, call.parameters.data());
      if (accepted) calls.push_back(call);
    }
  return calls;
}

inline std::vector<Target> supported_targets() {
  std::vector<Target> targets;
  for (const Target& target : compiled_targets())
    if (supported(target)) targets.push_back(target);
  return targets;
}

inline constexpr Order kOrders[] = {Order::value, Order::slope, Order::curvature};
inline const char* name(Order order) {
  return order == Order::value ? "value" : order == Order::slope ? "slope" : "curvature";
}

}  // namespace actfun::tests
