// SPDX-License-Identifier: Apache-2.0
// The table of kernels of one function for one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actfun {

/// What to compute of an elementwise function.
enum class Order : int { value = 0, slope = 1, curvature = 2 };

/// A parameter's value, high + low. low is 0 but for defaults that no double spells (1/6): these are also given as
/// fractions.
struct Constant {
  double high = 0, low = 0;
  int numerator = 0, denominator = 0;
};

/// `p` holds the parameters in the record's order; y (or dy) may be x. Kernels check nothing and expect the default
/// floating-point environment (see float_environment.h).
struct Kernels {
  using Unary = void (*)(const float* x, float* y, std::size_t n, const Constant* p);
  using Pair = void (*)(const float* x, float* y, float* dy, std::size_t n, const Constant* p);
  /// high[i] + low[i] = f(x[i]) within error[i]: on double-doubles, for what floats do not hold. That holds for x[i]
  /// and results from 2^-300 to 2^100, and 0. A negative error says that the result is exact, for any x[i].
  using Wide = void (*)(const double* x, double* high, double* low, double* error, std::size_t n, const Constant* p);
  Unary order[3];  ///< value, slope, curvature
  Pair value_and_slope;
  Wide wide[3];
};

/// The kernel of a function along an axis: one contiguous row of n >= 1 elements; y may be x.
using RowKernel = void (*)(const float* x, float* y, std::size_t n);

}  // namespace actfun
