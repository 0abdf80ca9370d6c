// SPDX-License-Identifier: Apache-2.0
/// @file
/// actfun: activation functions and their derivatives, correctly rounded. The C++20 interface.
///
///     #include <actfun/actfun.hpp>
///     actfun::gelu(x, y);                       // y[i] = gelu(x[i])
///     actfun::gelu.slope(x, y);                 // y[i] = gelu'(x[i])
///     actfun::Elu{.alpha = 0.5}(x, y);          // parameters are named members
///     actfun::gelu.backward(x, g, dx);          // dx[i] = g[i] gelu'(x[i])
///     actfun::function("elu:alpha=0.5")(x, y);  // by name at run time
///     actfun::function("leaky_relu@keras")(x, y);                 // a framework's defaults
///     actfun::Hardtanh{.kinks = actfun::Kinks::jax}.slope(x, y);  // and its derivative at kinks
///     actfun::Gelu{.threads = 2}(x, y);         // on two threads at most; results are the same on any number
///
/// x and y are spans (a std::vector, std::array or C array converts) of one type: float, double, actfun::float16,
/// bfloat16, float8_e4m3fn or float8_e5m2, or the compiler's own _Float16; of equal length, any length and any
/// alignment. y may be x itself; buffers that overlap otherwise are refused. NaN in, NaN out. Every result is the
/// correctly rounded one, on every machine. Everything here is thread-safe and throws actfun::Error on bad arguments.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <ranges>
#include <span>
#include <stdexcept>
#include <string>
#include <type_traits>

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

/// Whose derivatives hold at kinks; docs/conventions.md tells which are known for which function.
enum class Kinks : std::uint8_t {
  actfun = ACTFUN_KINKS_ACTFUN,  ///< the library's own
  pytorch = ACTFUN_KINKS_PYTORCH,
  jax = ACTFUN_KINKS_JAX,
  tensorflow = ACTFUN_KINKS_TENSORFLOW,
  onnxruntime = ACTFUN_KINKS_ONNXRUNTIME,
};

/// What is promised of values and slopes in f32, see actfun_tier.
enum class Tier : std::uint8_t {
  exact = ACTFUN_EXACT,  ///< correctly rounded
  fast = ACTFUN_FAST,    ///< within 2 units in the last place
};

namespace detail {

inline void check(actfun_status status, const char* call) {
  if (status != ACTFUN_OK) throw Error(std::string("actfun: ") + call + ": " + actfun_status_text(status), status);
}
/// Throws Error, which tells the conventions that are known, unless this one is.
inline void set_kinks(actfun_function& f, Kinks kinks) {
  char message[512];
  const actfun_status status = actfun_set_kinks(&f, static_cast<actfun_kinks>(kinks), message, sizeof message);
  if (status != ACTFUN_OK) throw Error(std::string("actfun: ") + message, status);
}
inline void check(actfun_status status, const char* call, actfun_function f) {
  if (status == ACTFUN_BAD_KINKS) set_kinks(f, static_cast<Kinks>(f.kinks));
  check(status, call);
}
inline void check_lengths(std::size_t a, std::size_t b, const char* call) {
  if (a != b)
    throw Error(std::string("actfun: ") + call + ": lengths differ: " + std::to_string(a) + " and " + std::to_string(b),
                ACTFUN_BAD_SHAPE);
}

}  // namespace detail

namespace detail {

/// A number format without a type of its own in C++20: the bits, and conversions through float.
template <class Storage, actfun_format number_format>
struct Number {
  static constexpr actfun_format format = number_format;
  Storage bits = 0;

  Number() = default;
  /// Rounded to nearest, ties to even; what is too large becomes infinity, or 448 in float8_e4m3fn.
  explicit Number(float x) { check(actfun_convert(ACTFUN_F32, &x, format, &bits, 1), "conversion"); }
  explicit operator float() const {
    float x;
    check(actfun_convert(format, &bits, ACTFUN_F32, &x, 1), "conversion");
    return x;
  }
};

}  // namespace detail

using float16 = detail::Number<std::uint16_t, ACTFUN_F16>;            ///< IEEE 754 binary16
using bfloat16 = detail::Number<std::uint16_t, ACTFUN_BF16>;          ///< the upper half of a float
using float8_e4m3fn = detail::Number<std::uint8_t, ACTFUN_F8E4M3FN>;  ///< OCP OFP8 E4M3
using float8_e5m2 = detail::Number<std::uint8_t, ACTFUN_F8E5M2>;      ///< OCP OFP8 E5M2

/// How 8-bit integers q stand for numbers, as in ONNX: (q - zero_point) * scale.
struct Quantization {
  float scale;         ///< positive and finite
  int zero_point = 0;  ///< in the range of the integers
};

/// Values of one parameter, one a channel: a span, vector or array of double or float; or none.
class ParameterValues {
 public:
  ParameterValues() = default;
  template <std::ranges::contiguous_range R>
  requires(std::is_same_v<std::ranges::range_value_t<R>, double> ||
           std::is_same_v<std::ranges::range_value_t<R>, float>)
      ParameterValues(const R& values)  // NOLINT: values are values
      : data_(std::ranges::data(values)),
        size_(std::ranges::size(values)),
        format_(std::is_same_v<std::ranges::range_value_t<R>, float> ? ACTFUN_F32 : ACTFUN_F64) {}
  const void* data() const { return data_; }
  std::size_t size() const { return size_; }
  actfun_format format() const { return format_; }

 private:
  const void* data_ = nullptr;
  std::size_t size_ = 0;
  actfun_format format_ = ACTFUN_F64;
};

/// An array of shape [outer, channels, inner] in C order, any axis being the channels, and parameters that differ
/// between channels, in the function's order: `channels` values, or none where the function's own holds for all.
/// Elements with a parameter each: outer = the batch, channels = elements of a sample, inner = 1. The values must
/// outlive it.
struct Channels {
  std::size_t outer = 1, channels = 1, inner = 1;
  std::array<ParameterValues, ACTFUN_MAX_PARAMETERS> parameters{};
  constexpr std::size_t size() const { return outer * channels * inner; }
};

namespace detail {

template <class T>
constexpr actfun_format format_of() {
  if constexpr (std::is_same_v<T, float>)
    return ACTFUN_F32;
  else if constexpr (std::is_same_v<T, double>)
    return ACTFUN_F64;
#ifdef __FLT16_MANT_DIG__
  else if constexpr (std::is_same_v<T, _Float16>)
    return ACTFUN_F16;
#endif
  else
    return T::format;
}

template <class T>
void apply(actfun_order order, const actfun_function& f, std::span<const T> x, std::span<T> y, const char* call) {
  check_lengths(x.size(), y.size(), call);
  check(actfun_apply(&f, order, format_of<T>(), x.data(), y.data(), x.size()), call, f);
}
template <class T>
T apply(actfun_order order, const actfun_function& f, T x, const char* call) {
  check(actfun_apply(&f, order, format_of<T>(), &x, &x, 1), call, f);
  return x;
}

/// Throws Error where lengths do not fit the shape.
inline actfun_channels checked(const Channels& shape, std::size_t n, const char* call) {
  check_lengths(n, shape.size(), call);
  actfun_channels all{shape.outer, shape.channels, shape.inner, ACTFUN_F64, {}};
  for (std::size_t k = 0; k < ACTFUN_MAX_PARAMETERS; ++k) {
    const ParameterValues& values = shape.parameters[k];
    if (!values.data()) continue;
    check_lengths(values.size(), shape.channels, call);
    for (std::size_t j = 0; j < k; ++j)
      if (all.parameters[j] && all.format != values.format())
        throw Error(std::string("actfun: ") + call + ": parameters by channel must be all float or all double",
                    ACTFUN_BAD_FORMAT);
    all.format = values.format();
    all.parameters[k] = values.data();
  }
  return all;
}
template <class T>
void apply(const actfun_function& f, std::span<const T> x, std::span<T> y, const Channels& shape) {
  check_lengths(x.size(), y.size(), "value");
  const actfun_channels all = checked(shape, x.size(), "value");
  check(actfun_apply_channels(&f, ACTFUN_VALUE, format_of<T>(), &all, x.data(), y.data()), "value", f);
}
template <class T>
void backward(const actfun_function& f, std::span<const T> x, std::span<const T> g, std::span<T> dx) {
  check_lengths(x.size(), g.size(), "backward");
  check_lengths(x.size(), dx.size(), "backward");
  check(actfun_backward(&f, format_of<T>(), x.data(), g.data(), dx.data(), x.size()), "backward", f);
}
template <class T>
void backward(const actfun_function& f, std::span<const T> x, std::span<const T> g, std::span<T> dx,
              const Channels& shape) {
  check_lengths(x.size(), g.size(), "backward");
  check_lengths(x.size(), dx.size(), "backward");
  const actfun_channels all = checked(shape, x.size(), "backward");
  check(actfun_backward_channels(&f, format_of<T>(), &all, x.data(), g.data(), dx.data()), "backward", f);
}
/// Throws Error, which tells what the function lacks, unless status is OK.
inline void check(actfun_status status, const char* call, actfun_function f, actfun_ability ability) {
  if (status == ACTFUN_NOT_POSSIBLE) {
    char message[512];
    actfun_can(&f, ability, message, sizeof message);
    throw Error(std::string("actfun: ") + call + ": " + message, status);
  }
  check(status, call, f);
}
template <class T>
void backward_from_output(const actfun_function& f, std::span<const T> y, std::span<const T> g, std::span<T> dx) {
  check_lengths(y.size(), g.size(), "backward_from_output");
  check_lengths(y.size(), dx.size(), "backward_from_output");
  check(actfun_backward_from_output(&f, format_of<T>(), y.data(), g.data(), dx.data(), y.size()),
        "backward_from_output", f, ACTFUN_CAN_BACKWARD_FROM_OUTPUT);
}
template <class T>
void inverse(const actfun_function& f, std::span<const T> y, std::span<T> x) {
  check_lengths(y.size(), x.size(), "inverse");
  check(actfun_inverse(&f, format_of<T>(), y.data(), x.data(), y.size()), "inverse", f, ACTFUN_CAN_INVERSE);
}
template <class T>
T inverse(const actfun_function& f, T y) {
  inverse<T>(f, {&y, 1}, {&y, 1});
  return y;
}
inline void check_bits(std::size_t bytes, std::size_t n, const char* call) {
  if (bytes != n / 8 + (n % 8 != 0))
    throw Error(std::string("actfun: ") + call + ": " + std::to_string(bytes) + " bytes for the bits of " +
                    std::to_string(n) + " elements, one each",
                ACTFUN_BAD_SHAPE);
}
template <class T>
void value_and_bits(const actfun_function& f, std::span<const T> x, std::span<T> y, std::span<std::uint8_t> bits) {
  check_lengths(x.size(), y.size(), "value_and_bits");
  check_bits(bits.size(), x.size(), "value_and_bits");
  check(actfun_value_and_bits(&f, format_of<T>(), x.data(), y.data(), bits.data(), x.size()), "value_and_bits", f,
        ACTFUN_CAN_BACKWARD_FROM_BITS);
}
template <class T>
void backward_from_bits(const actfun_function& f, std::span<const T> y, std::span<const std::uint8_t> bits,
                        std::span<const T> g, std::span<T> dx) {
  check_lengths(g.size(), dx.size(), "backward_from_bits");
  if (!y.empty()) check_lengths(y.size(), g.size(), "backward_from_bits");
  check_bits(bits.size(), g.size(), "backward_from_bits");
  check(actfun_backward_from_bits(&f, format_of<T>(), y.data(), bits.data(), g.data(), dx.data(), g.size()),
        "backward_from_bits", f, ACTFUN_CAN_BACKWARD_FROM_BITS);
}
template <class T>
void double_backward(const actfun_function& f, std::span<const T> x, std::span<const T> g, std::span<const T> gg,
                     std::span<T> dx, std::span<T> dg) {
  for (const std::size_t n : {g.size(), gg.size(), dx.size(), dg.size()}) check_lengths(x.size(), n, "double_backward");
  check(actfun_double_backward(&f, format_of<T>(), x.data(), g.data(), gg.data(), dx.data(), dg.data(), x.size()),
        "double_backward", f);
}
template <class T>
void parameter_gradients(const actfun_function& f, std::span<const T> x, std::span<const T> g, const Channels& shape,
                         std::initializer_list<std::span<double>> gradients) {
  constexpr const char* call = "parameter_gradients";
  check_lengths(x.size(), g.size(), call);
  const actfun_channels all = checked(shape, x.size(), call);
  double* pointers[ACTFUN_MAX_PARAMETERS] = {};
  std::size_t count = 0;
  for (const std::span<double> each : gradients) {
    if (count == ACTFUN_MAX_PARAMETERS)
      throw Error("actfun: parameter_gradients: more gradients than parameters", ACTFUN_BAD_PARAMETER);
    if (!each.empty()) check_lengths(each.size(), shape.channels, call);
    pointers[count++] = each.empty() ? nullptr : each.data();
  }
  check(actfun_parameter_gradients(&f, format_of<T>(), &all, x.data(), g.data(), pointers), call, f);
}
template <class T>
std::array<double, ACTFUN_MAX_PARAMETERS> parameter_gradients(const actfun_function& f, std::span<const T> x,
                                                              std::span<const T> g) {
  std::array<double, ACTFUN_MAX_PARAMETERS> d{};
  parameter_gradients(f, x, g, {1, 1, x.size()}, {{&d[0], 1}, {&d[1], 1}, {&d[2], 1}, {&d[3], 1}});
  return d;
}

template <class T>
concept Byte = std::is_same_v<T, std::int8_t> || std::is_same_v<T, std::uint8_t>;

template <Byte T>
actfun_quantization quantization(Quantization q) {
  return {std::is_same_v<T, std::int8_t>, q.scale, q.zero_point};
}
template <class In, class Out>
void apply_quantized(const actfun_function& f, In x, Quantization in, Out y, const actfun_quantization* out) {
  check_lengths(x.size(), y.size(), "quantized");
  const actfun_quantization from = quantization<std::remove_cv_t<typename In::value_type>>(in);
  check(actfun_apply_quantized(&f, ACTFUN_VALUE, &from, out, x.data(), y.data(), x.size()), "quantized", f);
}
inline void apply(const actfun_function& f, Input x, Output y, Output dy) {
  check_lengths(x.size(), y.size(), "value_and_slope");
  check_lengths(x.size(), dy.size(), "value_and_slope");
  check(actfun_value_and_slope(&f, x.data(), y.data(), dy.data(), x.size()), "value_and_slope", f);
}

}  // namespace detail

/// What every elementwise function can do, given a member `actfun_function handle() const`. A macro and not a base
/// class, so that `Elu{.alpha = 0.5}` stays a plain aggregate:
///
/// * `f(x, y)`: y[i] = f(x[i]); `f.slope(x, y)`: y[i] = f'(x[i]); `f.curvature(x, y)`: y[i] = f''(x[i])
/// * `f.value_and_slope(x, y, dy)`: y[i] = f(x[i]) and dy[i] = f'(x[i]) in one pass
/// * `f.backward(x, g, dx)`: dx[i] = g[i] f'(x[i]), the product rounded once; `f.double_backward(x, g, gg, dx, dg)`:
///   dx[i] = g[i] gg[i] f''(x[i]) and dg[i] = gg[i] f'(x[i]). Outputs may be inputs, but not each other
/// * `f.backward_from_output(y, g, dx)`: dx[i] = g[i] f'(x[i]) from y = f(x), where f' follows from f
/// * `f.inverse(y, x)`, `f.inverse(y)`: x of y = f(x), where f is strictly monotone
/// * `f.value_and_bits(x, y, bits)` and `f.backward_from_bits(y, bits, g, dx)`: a backward pass that keeps y and a bit
/// an
///   element, (n + 7) / 8 bytes of them, or the bits alone (y empty): see actfun.h
/// * `f.parameter_gradients(x, g)`: the sum of g[i] times the derivative with respect to each parameter, in their order
/// * `f(x, y, channels)`, `f.backward(x, g, dx, channels)`, `f.parameter_gradients(x, g, channels, {dp, dq})`: with
///   parameters, or their gradients, by channel; an empty span leaves a gradient out
/// * `f(x)`, `f.slope(x)`, `f.curvature(x)`: of one number
/// * `f.quantized(x, in, y, out)` of std::int8_t and std::uint8_t: y[i] stands for f of what x[i] stands for, rounded
///   once; `f.quantized(x, in, y)` gives floats
#define ACTFUN_ELEMENTWISE_OPERATIONS_ON(T)                                                                         \
  void operator()(std::span<const T> x, std::span<T> y) const {                                                     \
    detail::apply(ACTFUN_VALUE, handle(), x, y, "value");                                                           \
  }                                                                                                                 \
  void slope(std::span<const T> x, std::span<T> y) const { detail::apply(ACTFUN_SLOPE, handle(), x, y, "slope"); }  \
  void curvature(std::span<const T> x, std::span<T> y) const {                                                      \
    detail::apply(ACTFUN_CURVATURE, handle(), x, y, "curvature");                                                   \
  }                                                                                                                 \
  void operator()(std::span<const T> x, std::span<T> y, const Channels& shape) const {                              \
    detail::apply(handle(), x, y, shape);                                                                           \
  }                                                                                                                 \
  void backward(std::span<const T> x, std::span<const T> g, std::span<T> dx) const {                                \
    detail::backward(handle(), x, g, dx);                                                                           \
  }                                                                                                                 \
  void backward(std::span<const T> x, std::span<const T> g, std::span<T> dx, const Channels& shape) const {         \
    detail::backward(handle(), x, g, dx, shape);                                                                    \
  }                                                                                                                 \
  void backward_from_output(std::span<const T> y, std::span<const T> g, std::span<T> dx) const {                    \
    detail::backward_from_output(handle(), y, g, dx);                                                               \
  }                                                                                                                 \
  void inverse(std::span<const T> y, std::span<T> x) const { detail::inverse(handle(), y, x); }                     \
  T inverse(T y) const { return detail::inverse(handle(), y); }                                                     \
  void value_and_bits(std::span<const T> x, std::span<T> y, std::span<std::uint8_t> bits) const {                   \
    detail::value_and_bits(handle(), x, y, bits);                                                                   \
  }                                                                                                                 \
  void backward_from_bits(std::span<const T> y, std::span<const std::uint8_t> bits, std::span<const T> g,           \
                          std::span<T> dx) const {                                                                  \
    detail::backward_from_bits(handle(), y, bits, g, dx);                                                           \
  }                                                                                                                 \
  void double_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gg, std::span<T> dx,          \
                       std::span<T> dg) const {                                                                     \
    detail::double_backward(handle(), x, g, gg, dx, dg);                                                            \
  }                                                                                                                 \
  std::array<double, ACTFUN_MAX_PARAMETERS> parameter_gradients(std::span<const T> x, std::span<const T> g) const { \
    return detail::parameter_gradients(handle(), x, g);                                                             \
  }                                                                                                                 \
  void parameter_gradients(std::span<const T> x, std::span<const T> g, const Channels& shape,                       \
                           std::initializer_list<std::span<double>> gradients) const {                              \
    detail::parameter_gradients(handle(), x, g, shape, gradients);                                                  \
  }                                                                                                                 \
  T operator()(T x) const { return detail::apply(ACTFUN_VALUE, handle(), x, "value"); }                             \
  T slope(T x) const { return detail::apply(ACTFUN_SLOPE, handle(), x, "slope"); }                                  \
  T curvature(T x) const { return detail::apply(ACTFUN_CURVATURE, handle(), x, "curvature"); }

#ifdef __FLT16_MANT_DIG__
#define ACTFUN_ELEMENTWISE_OPERATIONS_ON_COMPILERS_OWN ACTFUN_ELEMENTWISE_OPERATIONS_ON(_Float16)
#else
#define ACTFUN_ELEMENTWISE_OPERATIONS_ON_COMPILERS_OWN
#endif

#define ACTFUN_ELEMENTWISE_OPERATIONS                                                             \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON(float)                                                         \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON(double)                                                        \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON(float16)                                                       \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON(bfloat16)                                                      \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON(float8_e4m3fn)                                                 \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON(float8_e5m2)                                                   \
  ACTFUN_ELEMENTWISE_OPERATIONS_ON_COMPILERS_OWN                                                  \
  void value_and_slope(Input x, Output y, Output dy) const { detail::apply(handle(), x, y, dy); } \
  template <class In, class Out>                                                                  \
  void quantized(const In& x, Quantization in, Out&& y, Quantization out) const {                 \
    const actfun_quantization to = detail::quantization<std::ranges::range_value_t<Out>>(out);    \
    detail::apply_quantized(handle(), std::span(x), in, std::span(y), &to);                       \
  }                                                                                               \
  template <class In>                                                                             \
  void quantized(const In& x, Quantization in, Output y) const {                                  \
    detail::apply_quantized(handle(), std::span(x), in, y, nullptr);                              \
  }

/// A parameter whose default is a rational number that no double spells; a double that you give is that double.
class RationalParameter {
 public:
  constexpr RationalParameter(double value) : value_(value) {}  // NOLINT: a number is a parameter
  static constexpr RationalParameter exactly(double nearest) {
    RationalParameter p(nearest);
    p.exact_ = true;
    return p;
  }
  constexpr operator double() const { return value_; }  // NOLINT
  constexpr bool exact() const { return exact_; }

 private:
  double value_;
  bool exact_ = false;
};

/// An elementwise function chosen at run time.
class Function {
 public:
  /// `name`, `name:param=value,param=value`, `name@preset` or `name@preset:param=value`; aliases work. Throws Error,
  /// which tells what is wrong and what is allowed.
  explicit Function(const std::string& text, Kinks kinks = Kinks::actfun, Tier tier = Tier::exact,
                    unsigned threads = 0) {
    char message[512];
    const actfun_status status = actfun_find(text.c_str(), &handle_, message, sizeof message);
    if (status != ACTFUN_OK) throw Error(std::string("actfun: ") + message, status);
    detail::set_kinks(handle_, kinks);
    handle_.tier = static_cast<std::uint8_t>(tier);
    handle_.threads = threads;
  }
  actfun_function handle() const { return handle_; }
  ACTFUN_ELEMENTWISE_OPERATIONS
  std::string name() const { return actfun_name(handle_.id); }

 private:
  actfun_function handle_{};
};
inline Function function(const std::string& text, Kinks kinks = Kinks::actfun, Tier tier = Tier::exact,
                         unsigned threads = 0) {
  return Function(text, kinks, tier, threads);
}

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

#include "actfun/axis_backward.hpp"
#include "actfun/functions.hpp"  // gelu, elu, ...: written by the build from functions/list.def
