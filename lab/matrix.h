// SPDX-License-Identifier: Apache-2.0
// Matrices: a sample is a row, a unit a column. Products are Eigen's, on one thread: runs are what is parallel.
#pragma once

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

namespace actfun::lab {

using Index = Eigen::Index;

template <class T>
using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <class T>
using Row = Eigen::Matrix<T, 1, Eigen::Dynamic, Eigen::RowMajor>;

/// Eigen cuts long sums by the sizes of the caches: the same sizes, whatever the machine. Call once, before products.
inline void fix_products() { Eigen::setCpuCacheSizes(32 << 10, 256 << 10, 2 << 20); }

}  // namespace actfun::lab
