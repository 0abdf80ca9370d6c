// SPDX-License-Identifier: Apache-2.0
// What networks are trained to make small: means over a batch, with the gradient by each output.
#pragma once

#include <span>

#include "lab/matrix.h"

namespace actfun::lab {

struct Loss {
  double sum = 0;           ///< over the samples
  std::size_t correct = 0;  ///< samples whose largest output is that of their label (the first on a tie)
};

/// Cross-entropy of softmax, -log p_label, stable for any finite logits [samples, classes]. The gradient by the logits
/// is (p - onehot) * scale: scale = 1/samples gives that of the mean.
template <class T>
Loss cross_entropy(const Matrix<T>& logits, std::span<const int> labels, double scale, Matrix<T>& gradient);

/// The squared error |y - target|^2, likewise; its gradient is 2 (y - target) * scale. Nothing is `correct`.
template <class T>
Loss squared_error(const Matrix<T>& y, const Matrix<T>& target, double scale, Matrix<T>& gradient);

}  // namespace actfun::lab
