// SPDX-License-Identifier: Apache-2.0
// Counting at memory speed: sixteen columns of an array at a time, on every instruction set with the same results.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "health/plan.h"

namespace actfun::health {

inline constexpr std::size_t kLanes = 16, kBlockRows = 120;

/// What is counted of the elements of a column.
enum Count : std::size_t {
  zero,       ///< x = 0
  saturated,  ///< |f'(x)| < tolerance
  inactive,   ///< f(x) = f'(x) = 0; of activations x = 0
  nan,
  plus_inf,
  minus_inf,
  subnormal,      ///< 0 < |x| < the plan's least normal number
  f16_overflow,   ///< finite, and infinite once rounded to f16
  f16_subnormal,  ///< below the least normal number of f16, and not zero once rounded
  f16_underflow,  ///< not zero, and zero once rounded to f16
  bf16_overflow,
  bf16_subnormal,
  bf16_underflow,
  lost,      ///< finite, but f or f' is not: left out of the sums of f
  replaced,  ///< zeros among usual elements, whose cubics stand in for f(0) and f'(0) until the end
  kCounts
};

/// What is summed, in f64.
enum Sum : std::size_t { sum_x, sum_xx, sum_f, sum_ff, sum_gg, kSums };

/// Bin b holds the finite elements from bin_edge(b) to bin_edge(b + 1), the lower one included for positive elements,
/// the one farther from zero excluded for negative ones.
double bin_edge(std::size_t b);
/// The bin of x; kBins for NaN and infinities.
std::size_t bin_of(float x);

/// Counts of columns that lie next to each other. Row i of `counts` holds count i of every column; likewise the others.
struct Columns {
  std::size_t width, stride;  ///< columns, and the same rounded up to a multiple of kLanes
  std::vector<std::uint32_t> counts, bins;
  std::vector<float> largest;  ///< magnitude of a finite element; 0 if there is none
  std::vector<double> sums;

  explicit Columns(std::size_t columns);
  void clear();
};

/// Adds an array of rows x columns floats, `row_stride` apart, to the columns from `first` on, a multiple of kLanes.
/// At most 2^20 rows go into Columns before they are cleared. Each sum is taken in an order that depends on the rows
/// alone.
void count(const Plan& plan, const float* x, std::size_t rows, std::size_t columns, std::size_t row_stride, Columns& to,
           std::size_t first, const Target& target);

}  // namespace actfun::health
