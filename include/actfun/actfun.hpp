// SPDX-License-Identifier: Apache-2.0
/// @file
/// actfun: activation functions and their derivatives, correctly rounded. The C++20 interface.
///
///     #include <actfun/actfun.hpp>
///     actfun::gelu(x, y);                       // y[i] = gelu(x[i])
///     actfun::gelu.slope(x, y);                 // y[i] = gelu'(x[i])
///     actfun::Elu{.alpha = 0.5}(x, y);          // parameters are named members
///     actfun::function("elu:alpha=0.5")(x, y);  // by name at run time
///
/// x and y are spans of float (a std::vector, std::array or C array converts), of equal length, any length and any
/// alignment. y may be x itself; buffers that overlap otherwise are refused. NaN in, NaN out. Every result is the
/// correctly rounded one, on every machine. Everything here is thread-safe and throws actfun::Error on bad arguments.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "actfun/actfun.h"

namespace actfun {

using Input = std::span<const float>;
using Output = std::span<float>;

class Error : public std::invalid_argument {
 public:
  Error(const std::string& what, actfun_status code) : std::invalid_argument(what), status_(code) {}
  actfun_status status() const noexcept { return status_; }

 private:
  actfun_status status_;
};

namespace detail {

inline void check(actfun_status status, const char* call) {
  if (status != ACTFUN_OK) throw Error(std::string("actfun: ") + call + ": " + actfun_status_text(status), status);
}
inline void check_lengths(std::size_t a, std::size_t b, const char* call) {
  if (a != b)
    throw Error(std::string("actfun: ") + call + ": lengths differ: " + std::to_string(a) + " and " + std::to_string(b),
                ACTFUN_BAD_SHAPE);
}

using Operation = actfun_status (*)(const actfun_function*, const float*, float*, std::size_t);

inline void apply(Operation operation, const actfun_function& f, Input x, Output y, const char* call) {
  check_lengths(x.size(), y.size(), call);
  check(operation(&f, x.data(), y.data(), x.size()), call);
}
inline void apply(const actfun_function& f, Input x, Output y, Output dy) {
  check_lengths(x.size(), y.size(), "value_and_slope");
  check_lengths(x.size(), dy.size(), "value_and_slope");
  check(actfun_value_and_slope(&f, x.data(), y.data(), dy.data(), x.size()), "value_and_slope");
}
inline float apply(Operation operation, const actfun_function& f, float x, const char* call) {
  check(operation(&f, &x, &x, 1), call);
  return x;
}

}  // namespace detail

/// What every elementwise function can do, given a member `actfun_function handle() const`. A macro and not a base
/// class, so that `Elu{.alpha = 0.5}` stays a plain aggregate:
///
/// * `f(x, y)`: y[i] = f(x[i]); `f.slope(x, y)`: y[i] = f'(x[i]); `f.curvature(x, y)`: y[i] = f''(x[i])
/// * `f.value_and_slope(x, y, dy)`: y[i] = f(x[i]) and dy[i] = f'(x[i]) in one pass
/// * `f(x)`, `f.slope(x)`, `f.curvature(x)`: of one number
#define ACTFUN_ELEMENTWISE_OPERATIONS                                                                       \
  void operator()(Input x, Output y) const { detail::apply(actfun_value, handle(), x, y, "value"); }        \
  void slope(Input x, Output y) const { detail::apply(actfun_slope, handle(), x, y, "slope"); }             \
  void curvature(Input x, Output y) const { detail::apply(actfun_curvature, handle(), x, y, "curvature"); } \
  void value_and_slope(Input x, Output y, Output dy) const { detail::apply(handle(), x, y, dy); }           \
  float operator()(float x) const { return detail::apply(actfun_value, handle(), x, "value"); }             \
  float slope(float x) const { return detail::apply(actfun_slope, handle(), x, "slope"); }                  \
  float curvature(float x) const { return detail::apply(actfun_curvature, handle(), x, "curvature"); }

/// An elementwise function chosen at run time.
class Function {
 public:
  /// `name` or `name:param=value,param=value`; aliases work. Throws Error, which tells what is wrong and what is
  /// allowed.
  explicit Function(const std::string& text) {
    char message[512];
    const actfun_status status = actfun_find(text.c_str(), &handle_, message, sizeof message);
    if (status != ACTFUN_OK) throw Error(std::string("actfun: ") + message, status);
  }
  actfun_function handle() const { return handle_; }
  ACTFUN_ELEMENTWISE_OPERATIONS
  std::string name() const { return actfun_name(handle_.id); }

 private:
  actfun_function handle_{};
};
inline Function function(const std::string& text) { return Function(text); }

/// The shape of an array in C order around the axis that is worked along; inner = 1 is the last axis.
struct Shape {
  std::size_t outer, length, inner = 1;
  constexpr std::size_t size() const { return outer * length * inner; }
};

/// Softmax along the middle axis of `shape` (Bridle 1990): at most 0.501 ULP from the real-number result; rows with inf
/// and NaN as actfun.h states. y may be x.
inline void softmax(Input x, Output y, Shape shape) {
  detail::check_lengths(x.size(), shape.size(), "softmax");
  detail::check_lengths(x.size(), y.size(), "softmax");
  detail::check(actfun_softmax(x.data(), y.data(), shape.outer, shape.length, shape.inner), "softmax");
}
/// The logarithm of softmax, likewise.
inline void log_softmax(Input x, Output y, Shape shape) {
  detail::check_lengths(x.size(), shape.size(), "log_softmax");
  detail::check_lengths(x.size(), y.size(), "log_softmax");
  detail::check(actfun_log_softmax(x.data(), y.data(), shape.outer, shape.length, shape.inner), "log_softmax");
}
/// One row.
inline void softmax(Input x, Output y) { softmax(x, y, {1, x.size(), 1}); }
inline void log_softmax(Input x, Output y) { log_softmax(x, y, {1, x.size(), 1}); }

/// Maxout over groups of k along the middle axis of `shape`, whose length k divides (Goodfellow et al. 2013):
/// y has shape [outer, length / k, inner]; `index`, unless empty, receives each group's winner, the first on a tie.
inline void maxout(Input x, Output y, std::span<std::int32_t> index, std::size_t k, Shape shape) {
  detail::check_lengths(x.size(), shape.size(), "maxout");
  if (k == 0 || shape.length % k != 0)
    throw Error("actfun: maxout: k = " + std::to_string(k) + " does not divide the axis of length " +
                    std::to_string(shape.length),
                ACTFUN_BAD_SHAPE);
  detail::check_lengths(x.size() / k, y.size(), "maxout");
  if (!index.empty()) detail::check_lengths(y.size(), index.size(), "maxout");
  detail::check(actfun_maxout(x.data(), y.data(), index.data(), shape.outer, shape.length / k, k, shape.inner),
                "maxout");
}
/// One row: consecutive groups of k.
inline void maxout(Input x, Output y, std::size_t k) { maxout(x, y, {}, k, {1, x.size(), 1}); }

}  // namespace actfun

#include "actfun/functions.hpp"  // gelu, elu, ...: written by the build from functions/list.def
