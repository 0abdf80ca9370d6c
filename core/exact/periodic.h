// SPDX-License-Identifier: Apache-2.0
// Functions with f(x + T) = f(x) + drift T far from zero: x is reduced modulo the period in integers, exactly but for
// the last bits of 2 pi, and Taylor models over one period do the rest. docs/design/oracle.md derives the bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/exact/pointwise.h"

namespace actfun::exact {

class Periodic {
 public:
  /// Nothing where f is not periodic, or the first period already exceeds the largest float.
  static std::optional<Periodic> make(const Pointwise& pointwise);

  /// Bit pattern of the first float that is left to this class.
  std::uint32_t first() const { return first_; }
  /// Whether there is a model of this order; else MPFR must be asked.
  bool knows(Order order) const { return !cells_[static_cast<int>(order)].empty(); }
  /// As `evaluate` of taylor_model.h; all |x[i]| from `first` on.
  std::size_t evaluate(Order order, const float* x, std::size_t n, float* out, std::uint16_t* doubtful) const;

  static constexpr int kDegree = 10, kCells = 128;
  /// f - drift x, f' or f'' around a cell's center, in powers of h in [-1, 1]: lead + tail(h) h. Its error is at most
  /// error[0] + error[1] |h| + error[2] h^2.
  struct Cell {
    double lead, lead_low, tail[kDegree], error[3];
  };

 private:
  Periodic() = default;

  std::uint32_t first_ = 0;
  double drift_ = 0;
  std::vector<unsigned __int128> turns_;  ///< 2^e in periods modulo 1, times 2^128, for each exponent e of a float
  std::vector<Cell> cells_[3];
};

}  // namespace actfun::exact
