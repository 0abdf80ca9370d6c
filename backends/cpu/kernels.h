// SPDX-License-Identifier: Apache-2.0
// The table of kernels of one function for one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actfun {

/// What to compute of an elementwise function.
enum class Order : int { value = 0, slope = 1, curvature = 2 };

/// `p` holds the parameters in the record's order; y (or dy) may be x. Kernels check nothing and expect the default
/// floating-point environment (see float_environment.h).
struct Kernels {
  using Unary = void (*)(const float* x, float* y, std::size_t n, const double* p);
  using Pair = void (*)(const float* x, float* y, float* dy, std::size_t n, const double* p);
  Unary order[3];  ///< value, slope, curvature
  Pair value_and_slope;
};

/// The kernel of a function along an axis: one contiguous row of n >= 1 elements; y may be x.
using RowKernel = void (*)(const float* x, float* y, std::size_t n);

}  // namespace actfun
