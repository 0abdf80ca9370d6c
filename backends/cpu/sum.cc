// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/sum.h"

#include <cmath>

#include "backends/cpu/products.h"

namespace actfun {

double Sum::Pair::value() const { return std::isfinite(high) ? high + low : high; }

void Sum::add(const Sum& other) {
  usual_.add(other.usual_.high), usual_.low += other.usual_.low;
  huge_.add(other.huge_.high), huge_.low += other.huge_.low;
}
double Sum::value() const {
  if (huge_.high == 0 && huge_.low == 0) return usual_.value();
  Pair all = huge_;
  all.add(usual_.high * 0x1p-128), all.add(usual_.low * 0x1p-128);
  return all.value() * 0x1p128;
}

void RowSum::add(const double* x, std::size_t n) {
  if (!product_steps(target_).add(x, n, high_, low_)) return;
  for (std::size_t i = 0; i < n; ++i)
    if (!(std::fabs(x[i]) < Sum::kHuge)) huge_.add(x[i]);
}
Sum RowSum::total() const {
  Sum sum = huge_;
  for (std::size_t k = 0; k < kLanes; ++k) sum.usual_.add(high_[k]), sum.usual_.low += low_[k];
  return sum;
}

}  // namespace actfun
