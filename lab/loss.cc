// SPDX-License-Identifier: Apache-2.0
#include "lab/loss.h"

#include <type_traits>

#include "api/axis.h"

namespace actfun::lab {

template <class T>
Loss cross_entropy(const Matrix<T>& logits, std::span<const int> labels, double scale, Matrix<T>& gradient) {
  Loss loss;
  gradient.resize(logits.rows(), logits.cols());
  const Shape shape{labels.size(), static_cast<std::size_t>(logits.cols()), 1};
  actfun::cross_entropy(std::is_same_v<T, float> ? Format::f32 : Format::f64, Reduction::sum, logits.data(),
                        labels.data(), scale, &loss.sum, gradient.data(), shape, current_target());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    Index best;
    logits.row(static_cast<Index>(i)).maxCoeff(&best);
    loss.correct += best == labels[i];
  }
  return loss;
}

template <class T>
Loss squared_error(const Matrix<T>& y, const Matrix<T>& target, double scale, Matrix<T>& gradient) {
  gradient = (y - target) * static_cast<T>(2 * scale);
  return {(y - target).template cast<double>().squaredNorm(), 0};
}

template Loss cross_entropy(const Matrix<float>&, std::span<const int>, double, Matrix<float>&);
template Loss cross_entropy(const Matrix<double>&, std::span<const int>, double, Matrix<double>&);
template Loss squared_error(const Matrix<float>&, const Matrix<float>&, double, Matrix<float>&);
template Loss squared_error(const Matrix<double>&, const Matrix<double>&, double, Matrix<double>&);

}  // namespace actfun::lab
