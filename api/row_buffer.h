// SPDX-License-Identifier: Apache-2.0
// The rows of an array along an axis as numbers side by side.
#pragma once

#include <algorithm>
#include <cstring>
#include <type_traits>
#include <vector>

#include "api/array.h"
#include "api/registry.h"
#include "backends/cpu/formats.h"

namespace actfun {

/// Rows as T = float or double (of f64 arrays): where they lie if they are such numbers side by side, else in copies,
/// several neighbouring rows at a time. For one thread, and rows in ascending order up to `end`.
template <class T>
class RowBuffer {
 public:
  RowBuffer(const actfun_array& array, int axis, std::size_t end, const Target& target)
      : rows_(array, axis), format_(static_cast<Format>(array.format)), end_(end), target_(target.bit) {}

  const T* read(std::size_t row) {
    if (in_place()) return reinterpret_cast<const T*>(rows_.row(row));
    if (row >= first_ + count_) {
      take(row);
      for_runs([](unsigned char* codes, const unsigned char* place, std::size_t bytes) {
        std::memcpy(codes, place, bytes);
      });
      if (!native()) convert(format_, codes_.data(), kNative, numbers_.data(), count_ * rows_.length(), target_);
    }
    return numbers(row);
  }

  /// Where a row's results are to be put, before `write` takes them to their place.
  T* room(std::size_t row) {
    if (in_place()) return reinterpret_cast<T*>(rows_.row(row));
    if (row >= first_ + count_) take(row);
    return numbers(row);
  }
  void write(std::size_t row) {
    if (in_place() || row + 1 < first_ + count_) return;
    if (!native()) convert(kNative, numbers_.data(), format_, codes_.data(), count_ * rows_.length(), target_);
    for_runs(
        [](const unsigned char* codes, unsigned char* place, std::size_t bytes) { std::memcpy(place, codes, bytes); });
  }

 private:
  static constexpr Format kNative = std::is_same_v<T, double> ? Format::f64 : Format::f32;
  /// Rows side by side that are copied at once, and elements: a cache line of f32, and what L2 holds.
  static constexpr std::size_t kRows = 16, kElements = 65536;

  bool native() const { return format_ == kNative; }
  bool in_place() const { return native() && rows_.stride() == 1; }
  std::size_t bytes() const { return info_of(format_).bytes; }
  T* numbers(std::size_t row) { return numbers_.data() + (row - first_) * rows_.length(); }

  void take(std::size_t row) {
    const std::size_t fitting = std::max<std::size_t>(1, kElements / std::max<std::size_t>(1, rows_.length()));
    first_ = row, count_ = std::min({kRows, fitting, rows_.run(row), end_ - row});
    numbers_.resize(count_ * rows_.length());
    if (!native()) codes_.resize(count_ * rows_.length() * bytes());
  }

  /// copy(codes, place, bytes) for what lies together here and there.
  template <class Copy>
  void for_runs(const Copy& copy) {
    auto* codes = native() ? reinterpret_cast<unsigned char*>(numbers_.data()) : codes_.data();
    unsigned char* place = rows_.row(first_);
    const std::size_t length = rows_.length();
    const auto size = static_cast<std::ptrdiff_t>(bytes());
    if (rows_.stride() == 1) {
      for (std::size_t r = 0; r < count_; ++r)
        copy(codes + r * length * bytes(), place + static_cast<std::ptrdiff_t>(r) * rows_.between() * size,
             length * bytes());
      return;
    }
    const auto elements = [&](auto constant) {
      constexpr std::size_t each = decltype(constant)::value;
      for (std::size_t j = 0; j < length; ++j)
        for (std::size_t r = 0; r < count_; ++r)
          copy(codes + (r * length + j) * each,
               place + (static_cast<std::ptrdiff_t>(j) * rows_.stride() +
                        static_cast<std::ptrdiff_t>(r) * rows_.between()) *
                           static_cast<std::ptrdiff_t>(each),
               each);
    };
    if (bytes() == 1)
      elements(std::integral_constant<std::size_t, 1>());
    else if (bytes() == 2)
      elements(std::integral_constant<std::size_t, 2>());
    else if (bytes() == 4)
      elements(std::integral_constant<std::size_t, 4>());
    else
      elements(std::integral_constant<std::size_t, 8>());
  }

  RowsOf rows_;
  Format format_;
  std::size_t end_, first_ = 0, count_ = 0;
  std::int64_t target_;
  std::vector<unsigned char> codes_;
  std::vector<T> numbers_;
};

/// Calls run(kernels' number type, ...) with float or double as arrays of a format want it: run(T()).
template <class Run>
auto with_numbers(Format format, const Run& run) {
  return format == Format::f64 ? run(double()) : run(float());
}

}  // namespace actfun
