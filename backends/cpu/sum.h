// SPDX-License-Identifier: Apache-2.0
// Sums of doubles, nearly as if exact and then rounded: the errors of additions are added up, too (T. Ogita, S. M.
// Rump, S. Oishi, SIAM J. Sci. Comput. 26, 2005). The order is fixed, so the bits depend on nothing but the numbers.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

namespace actfun {

/// high + low, and what would overflow on the way, smaller by 2^128.
class Sum {
 public:
  void add(double x) {
    if (std::fabs(x) < kHuge)
      usual_.add(x);
    else
      huge_.add(x * 0x1p-128);
  }
  void add(const Sum& other);
  double value() const;

  /// From here on, and for infinities and NaN, a number counts as huge.
  static constexpr double kHuge = 0x1p960;

 private:
  friend class RowSum;
  struct Pair {
    double high = 0, low = 0;
    void add(double x) {
      const double sum = high + x, t = sum - high;
      low += (high - (sum - t)) + (x - t);
      high = sum;
    }
    double value() const;
  } usual_, huge_;
};

/// The sum of a row: sixteen sums side by side, of every sixteenth number each, which are then added one after another.
class RowSum {
 public:
  explicit RowSum(std::int64_t target) : target_(target) {}
  /// All calls but the last take a multiple of sixteen numbers.
  void add(const double* x, std::size_t n);
  Sum total() const;
  void clear() { *this = RowSum(target_); }

  static constexpr std::size_t kLanes = 16;

 private:
  alignas(64) double high_[kLanes]{}, low_[kLanes]{};
  Sum huge_;
  std::int64_t target_;
};

}  // namespace actfun
