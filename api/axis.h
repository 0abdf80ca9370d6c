// SPDX-License-Identifier: Apache-2.0
// Gradients of the axis functions, and cross-entropy, on arrays of any format along any axis. Shapes as in actfun.h:
// [outer, length, inner]. Pointers must not be null unless that is said; threads as in Call; nothing is checked but
// labels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>

#include "api/array.h"
#include "api/registry.h"
#include "core/format.h"

namespace actfun {

struct Shape {
  std::size_t outer, length, inner;
  std::size_t rows() const { return outer * inner; }
};

/// An array of that shape in C order.
inline actfun_array view(Format format, const void* data, Shape shape) {
  const auto inner = static_cast<std::ptrdiff_t>(shape.inner), slab = static_cast<std::ptrdiff_t>(shape.length) * inner;
  return {const_cast<void*>(data),
          static_cast<actfun_format>(format),
          3,
          {shape.outer, shape.length, shape.inner},
          {slab, inner, 1}};
}

/// A label, or the number of a winner, that is none of the row's.
struct LabelError : std::invalid_argument {
  using std::invalid_argument::invalid_argument;
};

void softmax_backward(Format format, const void* y, const void* g, void* dx, Shape shape, const Target& target,
                      unsigned threads = 1);
void log_softmax_backward(Format format, const void* y, const void* g, void* dx, Shape shape, const Target& target,
                          unsigned threads = 1);
/// jacobian[i n + j] = y_i ((i == j) - y_j) for the row y.
void softmax_jacobian(Format format, const void* y, void* jacobian, std::size_t n, const Target& target);

/// dx[o, g k + j, i] = g[o, g, i] where j = index[o, g, i], and 0 elsewhere. Throws LabelError.
void maxout_backward(Format format, const void* g, const std::int32_t* index, void* dx, std::size_t outer,
                     std::size_t groups, std::size_t k, std::size_t inner, const Target& target, unsigned threads = 1);

enum class Reduction : int { mean, sum, none };

/// Cross-entropy of the rows of logits: loss[0], or loss[row] for `none`. dx, unless null, receives `scale` times the
/// gradient of the (mean) loss. Throws LabelError, and has written nothing then.
void cross_entropy(Format format, Reduction reduction, const void* x, const std::int32_t* labels, double scale,
                   double* loss, void* dx, Shape shape, const Target& target, unsigned threads = 1);
/// With a weight for each class in place of labels, in the logits' shape and format.
void soft_cross_entropy(Format format, Reduction reduction, const void* x, const void* targets, double scale,
                        double* loss, void* dx, Shape shape, const Target& target, unsigned threads = 1);

}  // namespace actfun
