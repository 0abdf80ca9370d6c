// SPDX-License-Identifier: Apache-2.0
#include "api/array.h"

#include <algorithm>

namespace actfun {
namespace {

/// The bytes from an array's lowest element to beyond its highest.
struct Extent {
  std::uintptr_t low, high;
};
Extent extent_of(const actfun_array& a) {
  std::ptrdiff_t low = 0, high = 0;
  for (int i = 0; i < a.rank; ++i) {
    const std::ptrdiff_t reach = a.strides[i] * static_cast<std::ptrdiff_t>(a.shape[i] - 1);
    (reach < 0 ? low : high) += reach;
  }
  const auto bytes = static_cast<std::ptrdiff_t>(info_of(static_cast<Format>(a.format)).bytes);
  const auto at = reinterpret_cast<std::uintptr_t>(a.data);
  return {at + static_cast<std::uintptr_t>(low * bytes), at + static_cast<std::uintptr_t>((high + 1) * bytes)};
}

/// Whether no two elements lie at one place: each stride steps over all that smaller ones reach. (Arrangements that
/// interleave without meeting are refused, too; no library makes them.)
bool disjoint(const actfun_array& a) {
  const auto step = [&](int i) { return a.strides[i] < 0 ? -a.strides[i] : a.strides[i]; };
  std::array<int, ACTFUN_MAX_RANK> axes{};  // by their strides
  std::size_t n = 0;
  for (int i = 0; i < a.rank; ++i) {
    if (a.shape[i] == 1) continue;
    std::size_t k = n++;
    for (; k > 0 && step(axes[k - 1]) > step(i); --k) axes[k] = axes[k - 1];
    axes[k] = i;
  }
  std::ptrdiff_t reach = 0;
  for (std::size_t k = 0; k < n; ++k) {
    if (step(axes[k]) <= reach) return false;
    reach += step(axes[k]) * static_cast<std::ptrdiff_t>(a.shape[axes[k]] - 1);
  }
  return true;
}

}  // namespace

std::size_t size_of(const actfun_array& a) {
  std::size_t n = 1;
  for (int i = 0; i < a.rank; ++i) n *= a.shape[i];
  return n;
}

actfun_status check(const actfun_array* a, bool written) {
  if (!a) return ACTFUN_NULL_POINTER;
  if (a->format < ACTFUN_F32 || a->format > ACTFUN_F8E5M2) return ACTFUN_BAD_FORMAT;
  if (a->rank < 0 || a->rank > ACTFUN_MAX_RANK) return ACTFUN_BAD_SHAPE;
  std::size_t elements = 1;
  for (int i = 0; i < a->rank; ++i)
    if (a->shape[i] == 0) return ACTFUN_OK;  // nothing lies anywhere
  for (int i = 0; i < a->rank; ++i) {
    std::ptrdiff_t reach = 0;
    if (a->shape[i] > PTRDIFF_MAX / sizeof(double) ||
        __builtin_mul_overflow(a->strides[i], static_cast<std::ptrdiff_t>(a->shape[i] - 1), &reach) ||
        reach > PTRDIFF_MAX / 128 || reach < -(PTRDIFF_MAX / 128) ||
        __builtin_mul_overflow(elements, a->shape[i], &elements) || elements > PTRDIFF_MAX / sizeof(double))
      return ACTFUN_BAD_SHAPE;
  }
  if (!a->data) return ACTFUN_NULL_POINTER;
  return written && !disjoint(*a) ? ACTFUN_BAD_SHAPE : ACTFUN_OK;
}

bool same_shape(const actfun_array& a, const actfun_array& b) {
  return a.rank == b.rank && std::equal(a.shape, a.shape + a.rank, b.shape);
}

bool overlap_partly(const actfun_array& a, const actfun_array& b) {
  if (size_of(a) == 0 || size_of(b) == 0) return false;
  const Extent p = extent_of(a), q = extent_of(b);
  if (p.low >= q.high || q.low >= p.high) return false;
  return !(a.data == b.data && a.format == b.format && same_shape(a, b) &&
           std::equal(a.strides, a.strides + a.rank, b.strides));
}

int axis_of(const actfun_array& a, int axis) {
  const int counted = axis < 0 ? axis + a.rank : axis;
  return counted >= 0 && counted < a.rank ? counted : -1;
}

RowsOf::RowsOf(const actfun_array& a, int axis)
    : data_(static_cast<unsigned char*>(a.data)),
      bytes_(info_of(static_cast<Format>(a.format)).bytes),
      length_(a.shape[axis]),
      stride_(a.strides[axis]) {
  // Neighbouring axes that one stride runs through become one.
  for (int i = 0; i < a.rank; ++i) {
    if (i == axis || a.shape[i] == 1) continue;
    count_ *= a.shape[i];
    const auto last = static_cast<std::size_t>(others_ - 1);
    if (others_ > 0 && strides_[last] == a.strides[i] * static_cast<std::ptrdiff_t>(a.shape[i])) {
      shape_[last] *= a.shape[i];
      strides_[last] = a.strides[i];
    } else {
      shape_[static_cast<std::size_t>(others_)] = a.shape[i];
      strides_[static_cast<std::size_t>(others_++)] = a.strides[i];
    }
  }
  if (others_ > 0) between_ = strides_[static_cast<std::size_t>(others_ - 1)];
}

unsigned char* RowsOf::row(std::size_t i) const {
  std::ptrdiff_t at = 0;
  for (int k = others_; k-- > 0;) {
    const auto axis = static_cast<std::size_t>(k);
    at += static_cast<std::ptrdiff_t>(k == 0 ? i : i % shape_[axis]) * strides_[axis];
    i /= shape_[axis];
  }
  return data_ + at * static_cast<std::ptrdiff_t>(bytes_);
}

std::size_t RowsOf::run(std::size_t i) const {
  if (others_ == 0) return count_ - i;
  const std::size_t innermost = shape_[static_cast<std::size_t>(others_ - 1)];
  return innermost - i % innermost;
}

Places::Places(const actfun_array& array, int axis) : length(array.shape[axis]) {
  for (int i = axis + 1; i < array.rank; ++i) inner *= array.shape[i];
}

}  // namespace actfun
