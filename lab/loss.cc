// SPDX-License-Identifier: Apache-2.0
#include "lab/loss.h"

#include <cmath>
#include <vector>

namespace actfun::lab {

template <class T>
Loss cross_entropy(const Matrix<T>& logits, std::span<const int> labels, double scale, Matrix<T>& gradient) {
  Loss loss;
  gradient.resize(logits.rows(), logits.cols());
  std::vector<double> power(static_cast<std::size_t>(logits.cols()));
  for (Index row = 0; row < logits.rows(); ++row) {
    Index best;
    const auto most = static_cast<double>(logits.row(row).maxCoeff(&best));
    const Index label = labels[static_cast<std::size_t>(row)];
    double sum = 0;
    for (Index c = 0; c < logits.cols(); ++c)
      sum += power[static_cast<std::size_t>(c)] = std::exp(static_cast<double>(logits(row, c)) - most);
    for (Index c = 0; c < logits.cols(); ++c)
      gradient(row, c) = static_cast<T>((power[static_cast<std::size_t>(c)] / sum - (c == label)) * scale);
    loss.sum += std::log(sum) + (most - static_cast<double>(logits(row, label)));
    loss.correct += best == label;
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
