// SPDX-License-Identifier: Apache-2.0
/// @file
/// Arrays as they lie in memory, with any axes and strides: what the families along axes take.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <ranges>
#include <string>

#include "actfun/actfun.hpp"
#include "actfun/array.h"

namespace actfun {

/// A view of numbers, copied freely; it owns nothing. Made from a range side by side in memory and a shape,
///
///     actfun::Array(x, {batch, heads, columns})
///     actfun::Array(x, {rows, columns}, {1, rows})  // in columns
///
/// where x is a vector, array or span of float, double or one of actfun's narrow formats.
class Array : public actfun_array {
 public:
  /// In C order, the last axis being contiguous. Throws Error unless the shape has as many elements as `x`.
  template <std::ranges::contiguous_range Range>
  Array(Range&& x, std::initializer_list<std::size_t> axes)
      : Array(Numbers(std::ranges::data(x), std::ranges::size(x)), axes) {
    std::ptrdiff_t stride = 1;
    for (int i = rank - 1; i >= 0; --i) {
      strides[i] = stride;
      stride *= static_cast<std::ptrdiff_t>(shape[i]);
    }
    detail::check_lengths(static_cast<std::size_t>(stride), std::ranges::size(x), "Array");
  }
  /// With strides, in elements. Throws Error where an element would lie outside of `x`, whose first number is
  /// element [0, 0, ...].
  template <std::ranges::contiguous_range Range>
  Array(Range&& x, std::initializer_list<std::size_t> axes, std::initializer_list<std::ptrdiff_t> steps)
      : Array(Numbers(std::ranges::data(x), std::ranges::size(x)), axes) {
    detail::check_lengths(axes.size(), steps.size(), "Array");
    std::ranges::copy(steps, strides);
    std::ptrdiff_t last = 0;
    for (int i = 0; i < rank; ++i) {
      if (shape[i] == 0) return;
      const std::ptrdiff_t reach = strides[i] * static_cast<std::ptrdiff_t>(shape[i] - 1);
      if (reach < 0) throw Error("actfun: Array: a negative stride reaches before the range", ACTFUN_BAD_SHAPE);
      last += reach;
    }
    if (static_cast<std::size_t>(last) >= std::ranges::size(x))
      throw Error("actfun: Array: element " + std::to_string(last) + " lies outside of the range of " +
                      std::to_string(std::ranges::size(x)),
                  ACTFUN_BAD_SHAPE);
  }
  explicit Array(const actfun_array& array) : actfun_array(array) {}

  /// In elements.
  std::size_t size() const {
    std::size_t n = 1;
    for (int i = 0; i < rank; ++i) n *= shape[i];
    return n;
  }

 private:
  template <class T>
  struct Numbers {
    T* data;
    std::size_t size;
    Numbers(T* first, std::size_t count) : data(first), size(count) {}
  };
  template <class T>
  Array(Numbers<T> x, std::initializer_list<std::size_t> axes) : actfun_array{} {
    if (axes.size() > ACTFUN_MAX_RANK)
      throw Error("actfun: Array: " + std::to_string(axes.size()) + " axes; at most 8 are possible", ACTFUN_BAD_SHAPE);
    data = const_cast<std::remove_const_t<T>*>(x.data);
    format = detail::format_of<std::remove_const_t<T>>();
    rank = static_cast<std::int32_t>(axes.size());
    std::ranges::copy(axes, shape);
  }
};

}  // namespace actfun
