// SPDX-License-Identifier: Apache-2.0
// The table of kernels of one function for one instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/info.h"

namespace actfun {

/// What to compute of an elementwise function.
enum class Order : int { value = 0, slope = 1, curvature = 2 };

/// What kernels compute: the orders, f' as a function of f's output, and from `gradient` on the derivatives with
/// respect to the parameters, in the record's order.
enum class Part : int { value, slope, curvature, slope_from_output, gradient };
constexpr Part part_of(Order order) { return static_cast<Part>(order); }
constexpr Part gradient_by(std::size_t parameter) {
  return static_cast<Part>(static_cast<std::size_t>(Part::gradient) + parameter);
}
inline constexpr std::size_t kParts = static_cast<std::size_t>(gradient_by(kMaxParameters));

/// A parameter's value, high + low. low is 0 but for defaults that no double spells (1/6): these are also given as
/// fractions.
struct Constant {
  double high = 0, low = 0;
  int numerator = 0, denominator = 0;
};

/// How a kernel goes through memory: as the processor does it by itself, with a fetch of the inputs ahead of their use,
/// or, with that, past the caches on its way out, which spares the reading of lines that are written whole.
enum class Passage : int { near, far, streamed };
/// From so many bytes of results on, caches are no help: what is written would only push out what lies there.
inline constexpr std::size_t kFarFrom = std::size_t{32} << 20;
/// In place, lines have been read before they are written; streams need numbers at their natural alignment.
inline Passage passage_of(const void* x, const void* y, std::size_t bytes) {
  if (bytes < kFarFrom) return Passage::near;
  return x != y && reinterpret_cast<std::uintptr_t>(y) % sizeof(float) == 0 ? Passage::streamed : Passage::far;
}

/// `p` holds the parameters in the record's order; y (or dy) may be x. Kernels check nothing and expect the default
/// floating-point environment (see float_environment.h).
struct Kernels {
  using Unary = void (*)(const float* x, float* y, std::size_t n, const Constant* p, Passage passage);
  using Pair = void (*)(const float* x, float* y, float* dy, std::size_t n, const Constant* p);
  /// high[i] + low[i] = f(x[i]) within error[i]: on double-doubles, for what floats do not hold. That holds for x[i]
  /// and results from 2^-300 to 2^100, and 0. A negative error says that the result is exact, for any x[i].
  using Wide = void (*)(const double* x, double* high, double* low, double* error, std::size_t n, const Constant* p);
  /// |y[i] - f(x[i])| <= error[i], for what is multiplied before it is rounded: on doubles that are floats. The error
  /// is 2^-40 of y, or of its terms where they cancel, and 2^-149 of what is smaller than that: tails fall there, and
  /// keep their sign. It is infinite, and y without meaning, where x[i] is infinite or NaN, and NaN where y has
  /// overflown. Any n; y or error may be x.
  using Raw = void (*)(const double* x, double* y, double* error, std::size_t n, const Constant* p);
  /// The same with parameters for each element: parameter k is p[k][i].
  using Each = void (*)(const double* x, double* y, double* error, std::size_t n, const double* const* p);

  Unary order[3];  ///< value, slope, curvature
  Pair value_and_slope;
  /// The fast tier's value and slope at default parameters, at most 2 units in the last place from the real number.
  /// Null where the exact kernels serve it, too.
  Unary fast[2];
  /// dx[i] = g[i] f'(x[i]) by the fast slope, one more rounding; dx may be x or g. Then the same from f(x[i]).
  using Backward = void (*)(const float* x, const float* g, float* dx, std::size_t n);
  Backward fast_backward, fast_backward_from_output;
  // By `Part`. Null where the function has no such part, or no parameters that elements could have each.
  Wide wide[kParts];
  Raw raw[kParts];
  Each each[kParts];
};

/// The kernel of a function along an axis: one contiguous row of n >= 1 elements; y may be x.
using RowKernel = void (*)(const float* x, float* y, std::size_t n);

}  // namespace actfun
