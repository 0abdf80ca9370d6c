// SPDX-License-Identifier: Apache-2.0
// What is drawn of a function: its curves as the library computes them, broken where they jump, and its marks.
#pragma once

#include <string_view>
#include <vector>

#include "api/registry.h"

namespace actfun::tool {

struct Range {
  float from, to;
};

/// Reads "A:B". Throws unless A < B and both are finite.
Range parse_range(std::string_view text);

struct Point {
  float x, y;
};

/// One curve in pieces without jumps. `closed` points belong to the function, `open` ones are limits at a jump.
struct Curve {
  std::vector<std::vector<Point>> pieces;
  std::vector<Point> closed, open;
};
Curve curve(const Call& call, int order, Range range, std::size_t points);

/// Where f, f' or f'' jumps, and where f is 0, as far as they are points in the range.
std::vector<float> kinks(const Call& call, Range range);
std::vector<float> roots(const Call& call, Range range);

/// An activation is saturated where |f'| is smaller: almost nothing of a gradient passes.
inline constexpr float kSaturated = 0.01f;
/// The intervals of the range in which the function is saturated.
std::vector<Range> saturated(const Call& call, Range range);
/// The saturated share of the range, found on kShareGrid cells of equal width by the library's f' in their middles.
inline constexpr std::size_t kShareGrid = 200'000;
double saturated_share(const Call& call, Range range);

}  // namespace actfun::tool
