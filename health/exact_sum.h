// SPDX-License-Identifier: Apache-2.0
// Sums of doubles without rounding: the same whatever the order. A fixed-point number of 640 bits, in digits of 32 bits
// whose carries wait.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace actfun::health {

class ExactSum {
 public:
  /// The unit is 2^-320: floats, their squares, and sums of these in f64 are multiples of it. Digits reach to 2^320.
  static constexpr int kUnit = -320;
  static constexpr std::size_t kDigits = 20;

  /// x: a multiple of the unit below 2^287 in magnitude.
  void add(double x);
  void add(const ExactSum& other);

  /// The nearest double.
  double value() const;
  /// What is missing from value(), to the nearest double: value() + rest() has twice a double's precision.
  double rest() const;

  /// Digits in [0, 2^32) but the last one, which holds the sign: equal sums have equal digits.
  std::array<std::int64_t, kDigits> digits() const;
  static ExactSum from_digits(const std::array<std::int64_t, kDigits>& digits);

 private:
  void carry();
  std::array<std::int64_t, kDigits> digits_{};
  std::uint32_t added_ = 0;  ///< since the last carry; so many digits of 32 bits may be in a digit
};

}  // namespace actfun::health
