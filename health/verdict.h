// SPDX-License-Identifier: Apache-2.0
// What the statistics of a layer mean, and what usually helps.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "health/layer.h"

namespace actfun::health {

enum class Level { healthy, warning, sick };
std::string_view name_of(Level level);

struct Finding {
  Level level;
  std::string_view name;  ///< "dead units"
  std::string reason;     ///< with the numbers
  std::string_view help;
};

/// From where on something is said: a share of units or elements, or a number. docs/health.md lists them.
namespace limits {
inline constexpr double kDead = 0.1, kDeadSick = 0.5;            ///< of the units
inline constexpr double kSaturated = 0.2, kSaturatedSick = 0.5;  ///< of the elements, inactive ones not counted
inline constexpr double kConstant = 0.1;                         ///< of the units
inline constexpr double kConstantSpread = 1e-6;                  ///< relative to the mean
inline constexpr double kLarge = 100, kHuge = 1e4;               ///< root of the mean square
inline constexpr double kSmall = 1e-3, kTiny = 1e-6;
inline constexpr double kLeastGain = 0.1, kLargestGain = 4;
inline constexpr double kUnderflow = 0.01;  ///< of the elements
}  // namespace limits

struct Diagnosis {
  Summary all;
  std::vector<Summary> channels;
  std::size_t dead = 0;      ///< channels
  std::size_t constant = 0;  ///< channels with at least two elements that hardly differ, and that are not dead
  std::vector<Finding> findings;
  Level verdict = Level::healthy;
};
Diagnosis diagnose(const Layer& layer);

/// The binades between the largest magnitude and the largest number of a format: negative when that is exceeded.
double headroom(const Summary& summary, Format format);

}  // namespace actfun::health
