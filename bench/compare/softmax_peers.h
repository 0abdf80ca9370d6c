// SPDX-License-Identifier: Apache-2.0
// Softmax along the last axis of rows x columns floats, by loops compiled for each instruction set.
#pragma once

#include <cstddef>

namespace actfun::compare {

void eigen_softmax_avx512(const float* x, float* y, std::size_t rows, std::size_t columns);
void eigen_softmax_avx2(const float* x, float* y, std::size_t rows, std::size_t columns);

}  // namespace actfun::compare
