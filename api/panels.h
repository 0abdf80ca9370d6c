// SPDX-License-Identifier: Apache-2.0
// Rows of an array as the passes over softmax's rows take them (backends/cpu/softmax.h): as they lie where that serves,
// otherwise through a copy, a stretch of their length at a time, with narrow formats as f32.
#pragma once

#include <algorithm>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#include "api/array.h"
#include "api/registry.h"
#include "backends/cpu/softmax.h"

namespace actfun {

/// Rows that go through the passes together: one, or up to kPlaces of them side by side.
struct RowGroup {
  std::size_t first, rows, length;
  bool across;
  std::size_t width() const { return across ? kPlaces : 1; }
};

/// Elements first, ..., first + n - 1 of each row of a group.
struct Stretch {
  const RowGroup* group;
  std::size_t first, n;
};

/// Memory whose vectors lie within cache lines.
template <class T>
class Lines {
 public:
  T* data() { return reinterpret_cast<T*>(lines_.data()); }
  void hold(std::size_t n) {
    const std::size_t lines = (n * sizeof(T) + sizeof(Line) - 1) / sizeof(Line);
    if (lines_.size() < lines) lines_.resize(lines);
  }

 private:
  struct alignas(64) Line {
    unsigned char bytes[64];
  };
  std::vector<Line> lines_;
};

template <class T>
struct Panel {
  T* data;
  std::ptrdiff_t step;
};

/// What both ways, in and out, have in common.
template <class T>
class Panels {
 public:
  static constexpr Format kNative = sizeof(T) == sizeof(double) ? Format::f64 : Format::f32;

  Panels(const actfun_array& array, int axis, const Target& target)
      : rows_(array, axis), format_(static_cast<Format>(array.format)), target_(&target) {}
  const RowsOf& rows() const { return rows_; }
  Format format() const { return format_; }
  const Target& target() const { return *target_; }
  std::size_t bytes() const { return info_of(format_).bytes; }

  /// Whether the passes can work on the rows as they lie.
  bool direct(const RowGroup& group) const { return format_ == kNative && side_by_side(group); }

 protected:
  bool side_by_side(const RowGroup& group) const {
    return group.across ? group.rows == kPlaces && rows_.between() == 1 && rows_.run(group.first) >= kPlaces
                        : rows_.stride() == 1;
  }
  unsigned char* element(std::size_t row, std::size_t j) const {
    return rows_.row(row) + static_cast<std::ptrdiff_t>(j) * rows_.stride() * static_cast<std::ptrdiff_t>(bytes());
  }
  Panel<T> as_it_lies(const Stretch& at) const {
    return {reinterpret_cast<T*>(element(at.group->first, at.first)),
            at.group->across ? rows_.stride() : static_cast<std::ptrdiff_t>(kPlaces)};
  }
  static std::size_t size(const Stretch& at) { return at.n * at.group->width(); }

  /// move(element, code) for all elements and their places among `codes`, `count` neighbours at a time; where a group
  /// lacks rows, its last one stands in if `all`.
  template <class Move>
  void each(const Stretch& at, unsigned char* codes, bool all, const Move& move) const {
    const std::size_t width = at.group->width(), each_row = width * bytes();
    const std::ptrdiff_t stride = rows_.stride() * static_cast<std::ptrdiff_t>(bytes());
    if (side_by_side(*at.group)) {
      if (!at.group->across) return move(element(at.group->first, at.first), codes, at.n);
      unsigned char* from = element(at.group->first, at.first);
      for (std::size_t j = 0; j < at.n; ++j, from += stride) move(from, codes + j * each_row, width);
      return;
    }
    for (std::size_t k = 0; k < (all ? width : at.group->rows); ++k) {
      unsigned char* from = element(at.group->first + std::min(k, at.group->rows - 1), at.first);
      for (std::size_t j = 0; j < at.n; ++j, from += stride) move(from, codes + j * each_row + k * bytes(), 1);
    }
  }
  /// The same with the size of an element known to the compiler.
  template <class Copy>
  void each_sized(const Stretch& at, unsigned char* codes, bool all, const Copy& copy) const {
    const auto with = [&](auto size) {
      each(at, codes, all, [&](unsigned char* element, unsigned char* code, std::size_t count) {
        count == 1 ? copy(element, code, size) : copy(element, code, count * size);
      });
    };
    switch (bytes()) {
      case 1:
        return with(std::integral_constant<std::size_t, 1>());
      case 2:
        return with(std::integral_constant<std::size_t, 2>());
      case 4:
        return with(std::integral_constant<std::size_t, 4>());
      default:
        return with(std::integral_constant<std::size_t, 8>());
    }
  }

  RowsOf rows_;
  Format format_;
  const Target* target_;
  Lines<unsigned char> codes_;
  Lines<T> numbers_;
};

template <class T>
class PanelReader : public Panels<T> {
 public:
  /// `boolean`: the array's elements are bytes; 0 stands for -inf, all else for 0.
  PanelReader(const actfun_array& array, int axis, const Target& target, bool boolean = false)
      : Panels<T>(array, axis, target), boolean_(boolean) {}

  Panel<const T> read(const Stretch& at) {
    if (!boolean_ && this->direct(*at.group)) {
      const Panel<T> lies = this->as_it_lies(at);
      return {lies.data, lies.step};
    }
    const std::size_t n = this->size(at);
    this->numbers_.hold(n);
    if (at.group->first != row_ || at.first != first_ || at.n != n_) fetch(at, n);
    row_ = at.group->first, first_ = at.first, n_ = at.n;
    return {this->numbers_.data(), kPlaces};
  }

 private:
  void fetch(const Stretch& at, std::size_t n) {
    const auto copy = [](const unsigned char* from, unsigned char* to, std::size_t bytes) {
      std::memcpy(to, from, bytes);
    };
    if (!boolean_ && this->format_ == Panels<T>::kNative)
      return this->each_sized(at, reinterpret_cast<unsigned char*>(this->numbers_.data()), true, copy);
    const unsigned char* codes = nullptr;
    if (!at.group->across && this->side_by_side(*at.group)) {
      codes = this->element(at.group->first, at.first);
    } else {
      this->codes_.hold(n * this->bytes());
      this->each_sized(at, this->codes_.data(), true, copy);
      codes = this->codes_.data();
    }
    if (boolean_)
      for (std::size_t i = 0; i < n; ++i) this->numbers_.data()[i] = codes[i] ? 0 : -std::numeric_limits<T>::infinity();
    else
      convert(this->format_, codes, Panels<T>::kNative, this->numbers_.data(), n, this->target_->bit);
  }

  bool boolean_;
  std::size_t row_ = 0, first_ = 0, n_ = 0;  ///< what `numbers_` holds; nothing before the first stretch
};

template <class T>
class PanelWriter : public Panels<T> {
 public:
  /// `streamed`: what lies side by side is written past the caches.
  PanelWriter(const actfun_array& array, int axis, const Target& target, bool streamed)
      : Panels<T>(array, axis, target), streamed_(streamed) {}

  bool in_place(const RowGroup& group) const { return !streamed(group) && this->direct(group); }
  /// Where a stretch's results are to be put, before `write` takes them to their place.
  Panel<T> room(const Stretch& at) {
    if (in_place(*at.group)) return this->as_it_lies(at);
    this->numbers_.hold(this->size(at));
    return {this->numbers_.data(), kPlaces};
  }
  void write(const Stretch& at) {
    if (in_place(*at.group)) return;
    const std::size_t n = this->size(at);
    if (streamed(*at.group))
      return stream(this->numbers_.data(), this->element(at.group->first, at.first), n * sizeof(T), this->target_->bit);
    auto* codes = reinterpret_cast<unsigned char*>(this->numbers_.data());
    if (this->format_ != Panels<T>::kNative) {
      this->codes_.hold(n * this->bytes());
      codes = this->codes_.data();
      convert(Panels<T>::kNative, this->numbers_.data(), this->format_, codes, n, this->target_->bit);
    }
    this->each_sized(at, codes, false, [](unsigned char* to, const unsigned char* from, std::size_t bytes) {
      std::memcpy(to, from, bytes);
    });
  }
  /// One number to elements from, ..., to - 1 of a row.
  void fill(std::size_t row, std::size_t from, std::size_t to, double value) const {
    unsigned char code[sizeof(double)];
    convert(Format::f64, &value, this->format_, code, 1, this->target_->bit);
    for (std::size_t j = from; j < to; ++j) std::memcpy(this->element(row, j), code, this->bytes());
  }

 private:
  bool streamed(const RowGroup& group) const { return streamed_ && !group.across && this->direct(group); }
  bool streamed_;
};

/// One number for each row, in an array that lacks the axis.
class NumberOfRow {
 public:
  NumberOfRow(const actfun_array& array, int axis) : rows_(with_axis(array, axis), axis), format_(array.format) {}
  double read(std::size_t row, const Target& target) const {
    double number = 0;
    convert(static_cast<Format>(format_), rows_.row(row), Format::f64, &number, 1, target.bit);
    return number;
  }
  void write(std::size_t row, double number, const Target& target) const {
    convert(Format::f64, &number, static_cast<Format>(format_), rows_.row(row), 1, target.bit);
  }

 private:
  static actfun_array with_axis(actfun_array array, int axis) {
    for (int i = array.rank; i > axis; --i) {
      array.shape[i] = array.shape[i - 1];
      array.strides[i] = array.strides[i - 1];
    }
    array.shape[axis] = 1, array.strides[axis] = 0;
    ++array.rank;
    return array;
  }
  RowsOf rows_;
  actfun_format format_;
};

}  // namespace actfun
