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

/// loss_of(x, row, dx) for each row, reduced in the order of the rows; make() gives each thread one of its own.
template <class T, class Make>
void reduce(Format format, Reduction reduction, const void* x, double* loss, void* dx, Shape shape,
            const Target& target, unsigned threads, const Make& make) {
  const std::size_t rows = shape.rows(), tile = tile_of_rows(shape.length), batch = std::min(rows, 64 * tile);
  std::vector<double> of_batch(reduction == Reduction::none ? 0 : batch);
  double sum = 0;
  for (std::size_t start = 0; start < rows; start += batch) {
    const std::size_t m = std::min(batch, rows - start);
    double* losses = reduction == Reduction::none ? loss + start : of_batch.data();
    in_parts(m, tile, threads, [&](std::size_t first, std::size_t count) {
      Rows<T> logits(format, x, shape, target), gradients(format, dx, shape, target);
      auto loss_of = make();
      for (std::size_t i = first; i < first + count; ++i) {
        losses[i] = loss_of(logits.read(start + i), start + i, dx ? gradients.room(start + i) : nullptr);
        if (dx) gradients.write(start + i);
      }
    });
    for (std::size_t i = 0; reduction != Reduction::none && i < m; ++i) sum += losses[i];
  }
  if (reduction != Reduction::none) loss[0] = reduction == Reduction::mean ? sum / static_cast<double>(rows) : sum;
}

double scale_of_row(Reduction reduction, double scale, Shape shape) {
  return reduction == Reduction::mean ? scale / static_cast<double>(shape.rows()) : scale;
}

void check_labels(const std::int32_t* labels, Shape shape) {
  for (std::size_t row = 0; row < shape.rows(); ++row)
    if (labels[row] < 0 || static_cast<std::size_t>(labels[row]) >= shape.length)
      throw LabelError("the label of row " + std::to_string(row) + " is " + std::to_string(labels[row]) +
                       "; there are " + std::to_string(shape.length) + " classes, numbered from 0");
}

template <class T>
void cross_entropy_of(Format format, Reduction reduction, const void* x, const std::int32_t* labels, double scale,
                      double* loss, void* dx, Shape shape, const Target& target, unsigned threads) {
  const BackwardRows<T>& kernels = backward_rows<T>(target.bit);
  const double each = scale_of_row(reduction, scale, shape);
  reduce<T>(format, reduction, x, loss, dx, shape, target, threads, [&] {
    return [&](const T* row, std::size_t i, T* to) {
      return kernels.cross_entropy(row, static_cast<std::size_t>(labels[i]), each, to, shape.length);
    };
  });
}
template <class T>
void soft_cross_entropy_of(Format format, Reduction reduction, const void* x, const void* targets, double scale,
                           double* loss, void* dx, Shape shape, const Target& target, unsigned threads) {
  const BackwardRows<T>& kernels = backward_rows<T>(target.bit);
  const double each = scale_of_row(reduction, scale, shape);
  reduce<T>(format, reduction, x, loss, dx, shape, target, threads, [&] {
    return [&, weights = Rows<T>(format, targets, shape, target)](const T* row, std::size_t i, T* to) mutable {
      return kernels.soft_cross_entropy(row, weights.read(i), each, to, shape.length);
    };
  });
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

void maxout_backward(Format format, const void* g, const std::int32_t* index, void* dx, std::size_t outer,
                     std::size_t groups, std::size_t k, std::size_t inner) {
  const std::size_t winners = outer * groups * inner, bytes = info_of(format).bytes;
  for (std::size_t i = 0; i < winners; ++i)
    if (index[i] < 0 || static_cast<std::size_t>(index[i]) >= k)
      throw LabelError("the winner of group " + std::to_string(i) + " is " + std::to_string(index[i]) +
                       "; a group has " + std::to_string(k) + " members, numbered from 0");
  std::memset(dx, 0, winners * k * bytes);  // 0 in every format
  for (std::size_t i = 0; i < winners; ++i) {
    const std::size_t group = i / inner, to = (group * k + static_cast<std::size_t>(index[i])) * inner + i % inner;
    std::memcpy(static_cast<unsigned char*>(dx) + to * bytes, static_cast<const unsigned char*>(g) + i * bytes, bytes);
  }
}

void cross_entropy(Format format, Reduction reduction, const void* x, const std::int32_t* labels, double scale,
                   double* loss, void* dx, Shape shape, const Target& target, unsigned threads) {
  check_labels(labels, shape);
  const DefaultFloatEnvironment environment;
  format == Format::f64
      ? cross_entropy_of<double>(format, reduction, x, labels, scale, loss, dx, shape, target, threads)
      : cross_entropy_of<float>(format, reduction, x, labels, scale, loss, dx, shape, target, threads);
}
void soft_cross_entropy(Format format, Reduction reduction, const void* x, const void* targets, double scale,
                        double* loss, void* dx, Shape shape, const Target& target, unsigned threads) {
  const DefaultFloatEnvironment environment;
  format == Format::f64
      ? soft_cross_entropy_of<double>(format, reduction, x, targets, scale, loss, dx, shape, target, threads)
      : soft_cross_entropy_of<float>(format, reduction, x, targets, scale, loss, dx, shape, target, threads);
}

}  // namespace actfun
