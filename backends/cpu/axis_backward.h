// SPDX-License-Identifier: Apache-2.0
// Gradients of the axis functions from their output, a row at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actfun {

/// Rows of n >= 1 numbers side by side, T = float or double; everything is computed in double and rounded once, in the
/// same order on every instruction set. dx may be any of the inputs. Expects the default floating-point environment.
template <class T>
struct BackwardRows {
  /// dx_i = y_i (g_i - sum_j g_j y_j)
  void (*softmax)(const T* y, const T* g, T* dx, std::size_t n);
  /// dx_i = g_i - exp(y_i) sum_j g_j
  void (*log_softmax)(const T* y, const T* g, T* dx, std::size_t n);
};
template <class T>
const BackwardRows<T>& backward_rows(std::int64_t target);

}  // namespace actfun
