// SPDX-License-Identifier: Apache-2.0
#include "api/array.h"

#include <algorithm>
#include <cstdlib>

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

/// Whether `distance`, in elements, lies between two elements of an array: is sum d_i |stride_i|, |d_i| < shape_i, over
/// the axes from `axis` on, whose strides decrease.
bool lies_between(const actfun_array& a, std::ptrdiff_t distance, int axis) {
  if (axis == a.rank) return distance == 0;
  std::ptrdiff_t rest = 0;  // what the axes after this one reach
  for (int i = axis + 1; i < a.rank; ++i) rest += std::abs(a.strides[i]) * static_cast<std::ptrdiff_t>(a.shape[i] - 1);
  const std::ptrdiff_t step = std::abs(a.strides[axis]), most = static_cast<std::ptrdiff_t>(a.shape[axis] - 1);
  if (step == 0 || most == 0) return lies_between(a, distance, axis + 1);
  const std::ptrdiff_t least = std::max(-most, (distance - rest) / step - 1);
  for (std::ptrdiff_t d = least; d <= most && d * step <= distance + rest; ++d)
    if (d * step >= distance - rest && lies_between(a, distance - d * step, axis + 1)) return true;
  return false;
}

/// Exchanges axes i and j.
void exchange_axes(actfun_array& a, int i, int j) {
  std::swap(a.shape[i], a.shape[j]);
  std::swap(a.strides[i], a.strides[j]);
}

/// Sorts the axes of all by the first array's strides, the largest first.
void sort_axes(std::span<actfun_array> arrays) {
  const actfun_array& first = arrays[0];
  for (int i = 1; i < first.rank; ++i)
    for (int k = i; k > 0 && std::abs(first.strides[k - 1]) < std::abs(first.strides[k]); --k)
      for (actfun_array& each : arrays) exchange_axes(each, k - 1, k);
}

/// Whether two arrays of the same shape and strides have no element in common.
bool lie_apart(const actfun_array& a, const actfun_array& b) {
  const auto bytes = static_cast<std::ptrdiff_t>(info_of(static_cast<Format>(a.format)).bytes);
  const std::ptrdiff_t distance = static_cast<unsigned char*>(b.data) - static_cast<unsigned char*>(a.data);
  if (distance % bytes != 0) return false;
  actfun_array sorted = a;
  sort_axes({&sorted, 1});
  return !lies_between(sorted, distance / bytes, 0);
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
  const bool alike = a.format == b.format && same_shape(a, b) && std::equal(a.strides, a.strides + a.rank, b.strides);
  return !(alike && (a.data == b.data || lie_apart(a, b)));
}

bool broadcast(actfun_array& array, const actfun_array& to) {
  if (array.rank != to.rank) return false;
  for (int i = 0; i < array.rank; ++i)
    if (array.shape[i] != to.shape[i] && array.shape[i] != 1) return false;
  for (int i = 0; i < array.rank; ++i)
    if (array.shape[i] != to.shape[i]) array.shape[i] = to.shape[i], array.strides[i] = 0;
  return true;
}

void simplify(std::span<actfun_array> arrays) {
  const auto drop = [&](int axis) {
    for (actfun_array& each : arrays) {
      std::copy(each.shape + axis + 1, each.shape + each.rank, each.shape + axis);
      std::copy(each.strides + axis + 1, each.strides + each.rank, each.strides + axis);
      --each.rank;
    }
  };
  for (int i = arrays[0].rank; i-- > 0;)
    if (arrays[0].shape[i] == 1) drop(i);
  sort_axes(arrays);
  for (int i = arrays[0].rank - 1; i > 0; --i) {
    const bool one = std::ranges::all_of(arrays, [&](const actfun_array& each) {
      return each.strides[i - 1] == each.strides[i] * static_cast<std::ptrdiff_t>(each.shape[i]);
    });
    if (!one) continue;
    for (actfun_array& each : arrays) each.shape[i] *= each.shape[i - 1];
    drop(i - 1);
  }
  if (arrays[0].rank == 0)
    for (actfun_array& each : arrays) each.rank = 1, each.shape[0] = 1, each.strides[0] = 1;
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
