// SPDX-License-Identifier: Apache-2.0
// What is decided about a function before any data come, so that the common element costs some comparisons and two
// polynomials instead of the function.
//
// An element is usual when |x| < 4. On usual elements "saturated" and "inactive" are comparisons with thresholds that
// bisection found on the exact kernels: they decide every float as the kernels do. f and f'^2 are parabolas on 32 cells
// of width 1/4; how far these lie from the kernels is measured and kept. All other elements are given to the exact
// kernels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "api/registry.h"

namespace actfun::health {

inline constexpr int kCells = 32;
inline constexpr float kCellWidth = 0.25f, kReach = 4;  ///< the cells cover [-kReach, kReach)
inline constexpr int kDegree = 2;

/// All floats from..to, both included.
struct Interval {
  float from, to;
};

/// Bit patterns first .. first + span: floats of one sign that follow each other.
struct Pattern {
  std::uint32_t first, span;
};

/// The polynomial of a cell in t = (x - left end) / kCellWidth, as its kernel evaluates it: coefficients of one power
/// of t for all cells lie together.
struct Parabolas {
  float coefficient[kDegree + 1][kCells];
  float at(float x) const;
};

struct Plan {
  std::optional<Call> call;  ///< none: the elements are activations, only the elements themselves are counted
  float tolerance = 0;       ///< an element is saturated when |f'(x)| is below
  bool exact = false;        ///< no element is usual, and sums are exact
  Format format;             ///< that the elements come in

  std::vector<Interval> saturated, inactive;                   ///< within (-kReach, kReach)
  std::vector<Interval> avoided;                               ///< around kinks within a cell: not usual either
  std::vector<Pattern> saturated_patterns, inactive_patterns;  ///< the same intervals but for zero
  bool same_patterns = false;                                  ///< the two lists are one
  bool zero_is_saturated = false, zero_is_inactive = false;
  Parabolas value{}, gain{};                                 ///< of f and of f'^2
  bool linear = false;                                       ///< all parabolas are straight lines
  double value_error[kCells] = {}, gain_error[kCells] = {};  ///< the largest distances found in each cell
  float value_at_zero = 0, slope_at_zero = 0;

  /// The plan for a function. `exact` asks for the kernels on every element. Throws nothing.
  Plan(const Call& function, Format format, float tolerance, bool exact);
  /// The plan for activations.
  explicit Plan(Format elements, bool always_exact = false) : exact(always_exact), format(elements) {}

  /// The least normal number of the format; of f64 that of f32, as which its elements are counted.
  float least_normal() const;
};

/// The maximal intervals of floats in [from, to] on which |f'| < tolerance, or on which f = f' = 0, in rising order.
/// Sought on a grid and at the extrema of f' between its points, then bisected to neighbouring floats.
std::vector<Interval> saturated_intervals(const Call& call, float tolerance, float from, float to);
std::vector<Interval> inactive_intervals(const Call& call, float from, float to);

}  // namespace actfun::health
