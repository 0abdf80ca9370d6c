// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/sum.h"

#include <algorithm>
#include <cmath>

#include "backends/cpu/products.h"

namespace actfun {

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

void Sums::add(std::size_t first, const double* x, std::size_t n) {
  if (!product_steps(target_).add(x, high() + first, low() + first, n)) return;
  huge_.resize(size());
  for (std::size_t i = 0; i < n; ++i)
    if (!(std::fabs(x[i]) < Sum::kHuge)) huge_[first + i].add(x[i]);
}
void Sums::fold(std::size_t groups, std::size_t rows, std::size_t n) {
  product_steps(target_).fold(high(), low(), groups, rows, n);
  if (!huge_.empty())
    for (std::size_t group = 0; group < groups; ++group)
      for (std::size_t i = n; i < rows * n; ++i) huge_[group * rows * n + i % n].add(huge_[group * rows * n + i]);
}
void Sums::add(const Sums& others) {
  product_steps(target_).merge(high(), low(), others.high_.data(), others.low_.data(), size());
  huge_.resize(others.huge_.empty() ? huge_.size() : size());
  for (std::size_t i = 0; i < others.huge_.size(); ++i) huge_[i].add(others.huge_[i]);
}
Sums Sums::every(std::size_t step, std::size_t n) const {
  Sums sums(n, target_);
  for (std::size_t i = 0; i < n; ++i) sums.high_[i] = high_[i * step], sums.low_[i] = low_[i * step];
  if (huge_.empty()) return sums;
  sums.huge_.resize(n);
  for (std::size_t i = 0; i < n; ++i) sums.huge_[i] = huge_[i * step];
  return sums;
}
void Sums::values(double* y) const {
  for (std::size_t i = 0; i < size(); ++i) y[i] = std::isfinite(high_[i]) ? high_[i] + low_[i] : high_[i];
  for (std::size_t i = 0; i < huge_.size(); ++i) {
    Sum sum(high_[i], low_[i]);
    sum.add(huge_[i]);
    y[i] = sum.value();
  }
}

void RowSum::add(const double* x, std::size_t n) {
  for (std::size_t i = 0, m; i < n; i += m, next_ = (next_ + m) % kSums) {
    m = std::min(n - i, kSums - next_);
    sums_.add(next_, x + i, m);
  }
}
double RowSum::value() {
  sums_.fold(1, kSums, 1);
  double sum;
  sums_.every(kSums, 1).values(&sum);
  return sum;
}

}  // namespace actfun
