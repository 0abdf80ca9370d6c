// SPDX-License-Identifier: Apache-2.0
// Sums of doubles, nearly as if exact and then rounded: the errors of additions are added up, too (T. Ogita, S. M.
// Rump, S. Oishi, SIAM J. Sci. Comput. 26, 2005). The order is fixed, so the bits depend on nothing but the numbers.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace actfun {

/// high + low, and what would overflow on the way, smaller by 2^128.
class Sum {
 public:
  Sum() = default;
  /// Of no huge numbers.
  Sum(double high, double low) : usual_{high, low} {}
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
  struct Pair {
    double high = 0, low = 0;
    void add(double x) {
      const double sum = high + x, t = sum - high;
      low += (high - (sum - t)) + (x - t);
      high = sum;
    }
    double value() const { return std::isfinite(high) ? high + low : high; }
  } usual_, huge_;
};

/// Sums side by side: high[i] + low[i], and what is huge apart.
class Sums {
 public:
  Sums(std::size_t n, std::int64_t target) : high_(n), low_(n), target_(target) {}
  std::size_t size() const { return high_.size(); }
  /// Adds x[i] to sum first + i.
  void add(std::size_t first, const double* x, std::size_t n);
  /// Of each of `groups` arrays of `rows` rows of n sums, one array behind the other, adds all rows to the first: the
  /// later half to the earlier, until one is left.
  void fold(std::size_t groups, std::size_t rows, std::size_t n);
  /// Adds as many others, each to the one in its place.
  void add(const Sums& others);
  /// n sums of these, every step-th one.
  Sums every(std::size_t step, std::size_t n) const;
  void values(double* y) const;
  double* high() { return high_.data(); }
  double* low() { return low_.data(); }

 private:
  std::vector<double> high_, low_;
  std::vector<Sum> huge_;  // empty until there is something
  std::int64_t target_;
};

/// The sum of a row, made of sums side by side.
class RowSum {
 public:
  explicit RowSum(std::int64_t target) : sums_(kSums, target) {}
  void add(const double* x, std::size_t n);
  double value();

 private:
  static constexpr std::size_t kSums = 64;
  Sums sums_;
  std::size_t next_ = 0;
};

}  // namespace actfun
