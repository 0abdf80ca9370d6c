// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; PEER_NAME is the function's name.
#include <Eigen/Core>

#include "bench/compare/softmax_peers.h"

namespace actfun::compare {

void PEER_NAME(const float* x, float* y, std::size_t rows, std::size_t columns) {
  const auto n = static_cast<Eigen::Index>(columns);
  for (std::size_t i = 0; i < rows; ++i) {
    const Eigen::Map<const Eigen::ArrayXf> from(x + i * columns, n);
    Eigen::Map<Eigen::ArrayXf> to(y + i * columns, n);
    to = (from - from.maxCoeff()).exp();
    to *= 1 / to.sum();
  }
}

}  // namespace actfun::compare
