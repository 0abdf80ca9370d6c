// SPDX-License-Identifier: Apache-2.0
// Cross-entropy from logits, a row at a time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actfun {

/// With lse = log(sum_j exp(x_j)), a row's loss is sum_i c_i (lse - x_i) + z lse^2, and its gradient by x_i is p_i
/// (sum_j c_j + 2 z lse) - c_i, where p = softmax(x). A c_i of 0 adds nothing, even where lse - x_i is infinite.
struct LossTerms {
  double label = 0;                ///< what the label's c has more than `spread`
  const double* spread = nullptr;  ///< the c of all classes; null: 0
  double total = 0;                ///< the sum of these
  double z = 0;
};

/// Rows of n >= 1 numbers side by side, T = float or double; everything is computed in double and rounded once, in the
/// same order on every instruction set. dx, unless null, receives `scale` times the gradient, and may be x. Expects the
/// default floating-point environment.
template <class T>
struct LossRows {
  /// With a label; p - 1 is free of cancellation there.
  double (*label)(const LossTerms& terms, const T* x, std::size_t label, double scale, T* dx, std::size_t n);
  /// Without: c are `spread`, and their sum is taken here.
  double (*targets)(const LossTerms& terms, const T* x, double scale, T* dx, std::size_t n);
};
template <class T>
const LossRows<T>& loss_rows(std::int64_t target);

}  // namespace actfun
