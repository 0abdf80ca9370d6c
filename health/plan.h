// SPDX-License-Identifier: Apache-2.0
// What is decided about a function before any data come, so that the common element costs some comparisons and a
// polynomial instead of the function.
//
// An element is usual when |x| < 4, or where the function allows it when |x| < 2^14. On usual elements "saturated" and
// "inactive" are comparisons with thresholds that bisection found on the exact kernels: they decide every float as the
// kernels do. f is a cubic, and f' its derivative, on 32 cells of width 1/4, and on 32 wider ones outside; how far
// these and f'^2 lie from the kernels is measured and kept. All other elements are given to the exact kernels.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "api/registry.h"

namespace actfun::health {

inline constexpr int kCells = 32;
inline constexpr float kCellWidth = 0.25f, kReach = 4;  ///< the cells cover [-kReach, kReach)
inline constexpr int kDegree = 3;

/// Where functions allow it, cells go on to kFar on both sides: four of width 1, two of width 4, then a cell a binade.
/// Negative numbers' cells, of f(-x), follow those of positive ones.
inline constexpr float kFar = 0x1p14f;
inline constexpr std::uint32_t kFirstFar = std::bit_cast<std::uint32_t>(kReach) >> 23;  ///< kReach's exponent, biased

/// The histogram: bins of width 1/2 where the plan's cells are, outside of them a bin a binade: [4, 8), [8, 16), ...,
/// the last one open.
inline constexpr std::size_t kInside = 16, kOutside = 16, kBins = kInside + 2 * kOutside;

/// All floats from..to, both included.
struct Interval {
  float from, to;
};

/// Bit patterns first .. first + span: floats of one sign that follow each other.
struct Pattern {
  std::uint32_t first, span;
  bool operator==(const Pattern&) const = default;
};

/// Where elements other than zero are saturated or inactive.
struct Patterns {
  std::vector<Pattern> saturated, inactive;
  bool same = false;  ///< the two lists are one
};

/// f by a cubic in each cell, and f' by the cubic's derivative, in t = x - left end: coefficients of one power of t for
/// all cells lie together.
struct Cubics {
  float coefficient[kDegree + 1][kCells];
  /// As the kernel evaluates them.
  struct Point {
    float value, slope;
  };
  Point at(int cell, float t) const;
};

struct Plan {
  std::optional<Call> call;  ///< none: the elements are activations, only the elements themselves are counted
  float tolerance = 0;       ///< an element is saturated when |f'(x)| is below
  bool exact = false;        ///< no element is usual, and sums are exact
  Format format;             ///< that the elements come in

  std::vector<Interval> saturated, inactive;  ///< within (-kReach, kReach), or (-kFar, kFar)
  std::vector<Interval> avoided;              ///< around kinks within a cell: not usual either
  Patterns near, wide;                        ///< of the same intervals, those below kReach and all
  bool zero_is_saturated = false, zero_is_inactive = false;
  Cubics curve{}, far_curve{};
  bool far_is_usual = false;                               ///< the cubics of far cells may be used
  bool linear = false;                                     ///< all cubics are straight lines
  double value_error[kBins] = {}, gain_error[kBins] = {};  ///< largest distances found from f and f'^2
  float value_at_zero = 0, slope_at_zero = 0;

  /// The plan for a function. `exact` asks for the kernels on every element. Throws nothing.
  Plan(const Call& function, Format format, float tolerance, bool exact);
  /// The plan for activations.
  explicit Plan(Format elements, bool always_exact = false)
      : exact(always_exact), format(elements), far_is_usual(!always_exact) {}

  /// The least normal number of the format; of f64 that of f32, as which its elements are counted.
  float least_normal() const;
};

}  // namespace actfun::health
