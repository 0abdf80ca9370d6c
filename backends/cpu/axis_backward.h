// SPDX-License-Identifier: Apache-2.0
// What training asks of the axis functions: gradients from the output, and cross-entropy from logits, a row at a time.
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
  /// Returns log(sum_j exp(x_j)) - x_label. dx_i = scale (softmax(x)_i - (i == label)), unless dx is null.
  double (*cross_entropy)(const T* x, std::size_t label, double scale, T* dx, std::size_t n);
  /// Returns sum_i t_i (log(sum_j exp(x_j)) - x_i), where t_i = 0 adds nothing. dx_i = scale (softmax(x)_i sum_j t_j -
  /// t_i), unless dx is null.
  double (*soft_cross_entropy)(const T* x, const T* t, double scale, T* dx, std::size_t n);
};
template <class T>
const BackwardRows<T>& backward_rows(std::int64_t target);

}  // namespace actfun
