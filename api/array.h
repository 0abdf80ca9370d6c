// SPDX-License-Identifier: Apache-2.0
// Arrays with any strides, and their rows along an axis.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "actfun/array.h"
#include "core/format.h"

namespace actfun {

/// Whether an array can be: rank, format, data, a size that fits memory; what is written has no two elements at one
/// place. `written` arrays with a stride of 0 along an axis of more than one element are BAD_SHAPE.
actfun_status check(const actfun_array* array, bool written);
std::size_t size_of(const actfun_array& array);
bool same_shape(const actfun_array& a, const actfun_array& b);
/// Whether two arrays may share a byte but are not the very same elements at the very same places. Of arrays with the
/// same shape and strides, such as the halves of one, it is known whether they do.
bool overlap_partly(const actfun_array& a, const actfun_array& b);
/// Gives an array the shape of another, with strides of 0 along axes of length 1 that become longer. False, and nothing
/// done, where its shape is none of that kind.
bool broadcast(actfun_array& array, const actfun_array& to);
/// Sorts the axes of arrays of one shape, of which the first is written, by how far apart its elements lie, and makes
/// neighbouring axes one where a single stride runs through them in every array. The last axis is then the one to go
/// along; there is at least one.
void simplify(std::span<actfun_array> arrays);
/// `axis` counted from the front, -1 being the last; -1 when there is no such axis.
int axis_of(const actfun_array& array, int axis);

/// The rows of an array along an axis, numbered in C order of the other axes.
class RowsOf {
 public:
  RowsOf(const actfun_array& array, int axis);

  std::size_t count() const { return count_; }
  std::size_t length() const { return length_; }
  std::ptrdiff_t stride() const { return stride_; }  ///< between elements of a row, in elements
  /// The first element of a row.
  unsigned char* row(std::size_t i) const;
  /// How many rows from `i` on lie `between()` elements apart each, in the innermost other axis.
  std::size_t run(std::size_t i) const;
  std::ptrdiff_t between() const { return between_; }

 private:
  unsigned char* data_;
  std::size_t bytes_, count_ = 1, length_ = 1;
  std::ptrdiff_t stride_ = 1, between_ = 0;
  int others_ = 0;
  std::array<std::size_t, ACTFUN_MAX_RANK> shape_{};
  std::array<std::ptrdiff_t, ACTFUN_MAX_RANK> strides_{};
};

/// Where the elements of a row along an axis stand in C order of the whole array: first(row), and every inner-th on.
struct Places {
  std::size_t length, inner = 1;
  Places(const actfun_array& array, int axis);
  std::size_t first(std::size_t row) const { return row / inner * length * inner + row % inner; }
};

}  // namespace actfun
