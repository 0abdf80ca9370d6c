// SPDX-License-Identifier: Apache-2.0
/// @file
/// Maxout along any axis of arrays of any format, with any strides: see maxout.h. Throws actfun::Error.
#pragma once

#include <span>

#include "actfun/array.hpp"
#include "actfun/maxout.h"

namespace actfun {

/// The largest of each k neighbours along x's axis to y, and which it was to `index`, in C order of y's shape; an empty
/// `index` leaves that out.
inline void maxout(const Array& x, std::size_t k, const Array& y, std::span<std::int32_t> index = {}, int axis = -1) {
  if (index.data()) detail::check_lengths(index.size(), y.size(), "maxout");
  char message[256] = "";
  detail::check_told(actfun_maxout_forward(&x, k, &y, index.data(), axis, message, sizeof message), "maxout", message);
}
/// g to the winners, 0 to the others.
inline void maxout_backward(const Array& g, std::span<const std::int32_t> index, std::size_t k, const Array& dx,
                            int axis = -1) {
  detail::check_lengths(index.size(), g.size(), "maxout_backward");
  char message[256] = "";
  detail::check_told(actfun_maxout_gradient(&g, index.data(), k, &dx, axis, message, sizeof message), "maxout_backward",
                     message);
}

}  // namespace actfun
