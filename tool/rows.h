// SPDX-License-Identifier: Apache-2.0
// The functions that work along an axis, behind one signature.
#pragma once

#include <cstddef>
#include <cstdint>

#include "api/registry.h"

namespace actfun::tool {

/// An array as its axis sees it: shape [outer, length, inner], the last one closest in memory.
struct Rows {
  std::size_t outer, length, inner;
};

/// Members per group of a function that leaves one result a group; 0 when it leaves one result an element.
std::size_t group_size(const Call& call);

/// Whether it can tell which member of the group won.
bool has_index(const Call& call);

/// Axis functions only. y has the shape of x, with the length divided by group_size where there are groups. `index` is
/// null or has the shape of y.
void evaluate_rows(const Call& call, const float* x, float* y, std::int32_t* index, Rows rows, const Target& target);

}  // namespace actfun::tool
