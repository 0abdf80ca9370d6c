// SPDX-License-Identifier: Apache-2.0
#include "api/axis.h"

#include <cmath>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "api/threads.h"
#include "backends/cpu/axis_backward.h"
#include "backends/cpu/float_environment.h"

namespace actfun {
namespace {

/// The rows of an array along its middle axis, as numbers T: as they lie if they are such numbers side by side, else
/// through a copy.
template <class T>
class Rows {
 public:
  Rows(Format format, const void* data, Shape shape, const Target& target)
      : format_(format), data_(static_cast<const unsigned char*>(data)), shape_(shape), target_(target) {
    if (shape.inner > 1) codes_.resize(shape.length * bytes());
    if (!native()) numbers_.resize(shape.length);
  }

  const T* read(std::size_t row) {
    const unsigned char* codes = data_ + start(row);
    if (shape_.inner > 1) {
      for (std::size_t j = 0; j < shape_.length; ++j) std::memcpy(&codes_[j * bytes()], codes + j * stride(), bytes());
      codes = codes_.data();
    }
    if (native()) return reinterpret_cast<const T*>(codes);
    convert(format_, codes, kNative, numbers_.data(), shape_.length, target_.bit);
    return numbers_.data();
  }

  /// Where a row's results are to be put, before `write` takes them to their place.
  T* room(std::size_t row) {
    if (!native()) return numbers_.data();
    return reinterpret_cast<T*>(shape_.inner > 1 ? codes_.data() : const_cast<unsigned char*>(data_) + start(row));
  }
  void write(std::size_t row) {
    unsigned char* to = const_cast<unsigned char*>(data_) + start(row);
    unsigned char* codes = shape_.inner > 1 ? codes_.data() : to;
    if (!native()) convert(kNative, numbers_.data(), format_, codes, shape_.length, target_.bit);
    for (std::size_t j = 0; shape_.inner > 1 && j < shape_.length; ++j)
      std::memcpy(to + j * stride(), codes + j * bytes(), bytes());
  }

 private:
  static constexpr Format kNative = std::is_same_v<T, double> ? Format::f64 : Format::f32;
  bool native() const { return format_ == kNative; }
  std::size_t bytes() const { return info_of(format_).bytes; }
  std::size_t stride() const { return shape_.inner * bytes(); }
  std::size_t start(std::size_t row) const {
    return (row / shape_.inner * shape_.length * shape_.inner + row % shape_.inner) * bytes();
  }

  Format format_;
  const unsigned char* data_;
  Shape shape_;
  const Target& target_;
  std::vector<unsigned char> codes_;
  std::vector<T> numbers_;
};

template <class T>
using Gradient = void (*)(const T* y, const T* g, T* dx, std::size_t n);

template <class T>
void along_axis(Gradient<T> gradient, Format format, const void* y, const void* g, void* dx, Shape shape,
                const Target& target, unsigned threads) {
  if (shape.length == 0) return;
  const DefaultFloatEnvironment environment;
  in_parts(shape.rows(), tile_of_rows(shape.length), threads, [&](std::size_t first, std::size_t count) {
    Rows<T> outputs(format, y, shape, target), upstream(format, g, shape, target), results(format, dx, shape, target);
    for (std::size_t row = first; row < first + count; ++row) {
      gradient(outputs.read(row), upstream.read(row), results.room(row), shape.length);
      results.write(row);
    }
  });
}

template <class T>
void write_jacobian(const T* y, T* jacobian, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      const auto p = static_cast<double>(y[i]), q = static_cast<double>(y[j]);
      jacobian[i * n + j] = static_cast<T>(i == j ? std::fma(-p, p, p) : -p * q);
    }
}
template <class T>
void softmax_jacobian_of(Format format, const void* y, void* jacobian, std::size_t n, const Target& target) {
  Rows<T> row(format, y, {1, n, 1}, target), entries(format, jacobian, {1, n * n, 1}, target);
  write_jacobian(row.read(0), entries.room(0), n);
  entries.write(0);
}

}  // namespace

void softmax_backward(Format format, const void* y, const void* g, void* dx, Shape shape, const Target& target,
                      unsigned threads) {
  format == Format::f64
      ? along_axis(backward_rows<double>(target.bit).softmax, format, y, g, dx, shape, target, threads)
      : along_axis(backward_rows<float>(target.bit).softmax, format, y, g, dx, shape, target, threads);
}
void log_softmax_backward(Format format, const void* y, const void* g, void* dx, Shape shape, const Target& target,
                          unsigned threads) {
  format == Format::f64
      ? along_axis(backward_rows<double>(target.bit).log_softmax, format, y, g, dx, shape, target, threads)
      : along_axis(backward_rows<float>(target.bit).log_softmax, format, y, g, dx, shape, target, threads);
}

void softmax_jacobian(Format format, const void* y, void* jacobian, std::size_t n, const Target& target) {
  const DefaultFloatEnvironment environment;
  format == Format::f64 ? softmax_jacobian_of<double>(format, y, jacobian, n, target)
                        : softmax_jacobian_of<float>(format, y, jacobian, n, target);
}

}  // namespace actfun
