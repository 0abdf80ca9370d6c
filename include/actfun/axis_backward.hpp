// SPDX-License-Identifier: Apache-2.0
/// @file
/// Gradients of the functions along an axis, and cross-entropy from logits. Included by actfun.hpp.
///
/// Arrays are ranges side by side in memory (std::vector, std::array, std::span) of one type: float, double or one of
/// actfun's narrow formats, in the shape [outer, length, inner]. What is computed, how exactly, and what NaN and
/// infinities do is stated in actfun.h. Everything throws actfun::Error on bad arguments.
#pragma once

#include "actfun/actfun.hpp"

namespace actfun {

/// How the losses of rows become one.
enum class Reduction { mean = ACTFUN_MEAN, sum = ACTFUN_SUM };

namespace detail {

template <class Range>
using Element = std::remove_cv_t<std::ranges::range_value_t<Range>>;

using AxisBackward = actfun_status (*)(actfun_format, const void*, const void*, void*, std::size_t, std::size_t,
                                       std::size_t);
template <class T>
void backward_along_axis(AxisBackward backward, std::span<const T> y, std::span<const T> g, std::span<T> dx,
                         Shape shape, const char* call) {
  for (const std::size_t size : {y.size(), g.size(), dx.size()}) check_lengths(size, shape.size(), call);
  check(backward(format_of<T>(), y.data(), g.data(), dx.data(), shape.outer, shape.length, shape.inner), call);
}

/// As `check`, with what the C interface tells.
inline void check_told(actfun_status status, const char* call, const char* message) {
  if (status != ACTFUN_OK && *message != 0) throw Error(std::string("actfun: ") + call + ": " + message, status);
  check(status, call);
}

template <class T>
void cross_entropy(std::span<const T> x, std::span<const std::int32_t> labels, double* loss, std::span<T> dx,
                   Shape shape, actfun_reduction reduction, double scale) {
  check_lengths(x.size(), shape.size(), "cross_entropy");
  check_lengths(labels.size(), shape.outer * shape.inner, "cross_entropy");
  if (dx.data()) check_lengths(dx.size(), x.size(), "cross_entropy");
  char message[256] = "";
  check_told(actfun_cross_entropy(format_of<T>(), reduction, x.data(), labels.data(), scale, loss, dx.data(),
                                  shape.outer, shape.length, shape.inner, message, sizeof message),
             "cross_entropy", message);
}
template <class T>
double soft_cross_entropy(std::span<const T> x, std::span<const T> targets, std::span<T> dx, Shape shape,
                          Reduction reduction, double scale) {
  check_lengths(x.size(), shape.size(), "soft_cross_entropy");
  check_lengths(targets.size(), x.size(), "soft_cross_entropy");
  if (dx.data()) check_lengths(dx.size(), x.size(), "soft_cross_entropy");
  double loss = 0;
  check(actfun_soft_cross_entropy(format_of<T>(), static_cast<actfun_reduction>(reduction), x.data(), targets.data(),
                                  scale, &loss, dx.data(), shape.outer, shape.length, shape.inner),
        "soft_cross_entropy");
  return loss;
}

}  // namespace detail

/// dx_i = y_i (g_i - sum_j g_j y_j), where y = softmax(x) (Bridle 1990). dx may be y or g.
template <class Y, class G, class DX>
void softmax_backward(const Y& y, const G& g, DX&& dx, Shape shape) {
  using T = detail::Element<Y>;
  detail::backward_along_axis<T>(actfun_softmax_backward, y, g, dx, shape, "softmax_backward");
}
/// dx_i = g_i - exp(y_i) sum_j g_j, where y = log_softmax(x). dx may be y or g.
template <class Y, class G, class DX>
void log_softmax_backward(const Y& y, const G& g, DX&& dx, Shape shape) {
  using T = detail::Element<Y>;
  detail::backward_along_axis<T>(actfun_log_softmax_backward, y, g, dx, shape, "log_softmax_backward");
}

/// jacobian[i n + j] = dy_i/dx_j = y_i ((i == j) - y_j) for one row y of n outputs of softmax.
template <class Y, class J>
void softmax_jacobian(const Y& y, J&& jacobian) {
  using T = detail::Element<Y>;
  const std::span<const T> row(y);
  const std::span<T> entries(jacobian);
  detail::check_lengths(entries.size(), row.size() * row.size(), "softmax_jacobian");
  detail::check(actfun_softmax_jacobian(detail::format_of<T>(), row.data(), entries.data(), row.size()),
                "softmax_jacobian");
}

/// The gradient of maxout by its inputs, whose shape is `shape`: g for the winners in `index`, as maxout wrote them, 0
/// elsewhere (Goodfellow et al. 2013). k divides the axis. Throws an Error that tells where an index is not in [0, k).
template <class G, class DX>
void maxout_backward(const G& g, std::span<const std::int32_t> index, DX&& dx, std::size_t k, Shape shape) {
  using T = detail::Element<G>;
  const std::span<const T> upstream(g);
  const std::span<T> to(dx);
  if (k == 0 || shape.length % k != 0)
    throw Error("actfun: maxout_backward: k = " + std::to_string(k) + " does not divide the axis of length " +
                    std::to_string(shape.length),
                ACTFUN_BAD_SHAPE);
  detail::check_lengths(to.size(), shape.size(), "maxout_backward");
  detail::check_lengths(upstream.size(), to.size() / k, "maxout_backward");
  detail::check_lengths(index.size(), upstream.size(), "maxout_backward");
  char message[256] = "";
  detail::check_told(actfun_maxout_backward(detail::format_of<T>(), upstream.data(), index.data(), to.data(),
                                            shape.outer, shape.length / k, k, shape.inner, message, sizeof message),
                     "maxout_backward", message);
}

/// Softmax and cross-entropy in one (Bridle 1990): the mean or sum over rows of log(sum_j exp(x_j)) - x_label, for
/// logits x of shape [outer, classes, inner] and labels of shape [outer, inner]. Throws an Error that names row and
/// label when one is not in [0, classes).
template <class X>
double cross_entropy(const X& x, std::span<const std::int32_t> labels, Shape shape,
                     Reduction reduction = Reduction::mean) {
  double loss = 0;
  detail::cross_entropy<detail::Element<X>>(x, labels, &loss, {}, shape, static_cast<actfun_reduction>(reduction), 1);
  return loss;
}
/// The same with its gradient by x, times `scale`. dx may be x.
template <class X, class DX>
double cross_entropy(const X& x, std::span<const std::int32_t> labels, DX&& dx, Shape shape,
                     Reduction reduction = Reduction::mean, double scale = 1) {
  double loss = 0;
  detail::cross_entropy<detail::Element<X>>(x, labels, &loss, dx, shape, static_cast<actfun_reduction>(reduction),
                                            scale);
  return loss;
}
/// One loss a row, without reduction.
template <class X>
void cross_entropies(const X& x, std::span<const std::int32_t> labels, std::span<double> losses, Shape shape) {
  detail::check_lengths(losses.size(), labels.size(), "cross_entropies");
  detail::cross_entropy<detail::Element<X>>(x, labels, losses.data(), {}, shape, ACTFUN_NONE, 1);
}
/// With a weight for each class, probabilities as a rule, in place of a label. dx may be x or targets.
template <class X, class Targets>
double soft_cross_entropy(const X& x, const Targets& targets, Shape shape, Reduction reduction = Reduction::mean) {
  return detail::soft_cross_entropy<detail::Element<X>>(x, targets, {}, shape, reduction, 1);
}
template <class X, class Targets, class DX>
double soft_cross_entropy(const X& x, const Targets& targets, DX&& dx, Shape shape,
                          Reduction reduction = Reduction::mean, double scale = 1) {
  return detail::soft_cross_entropy<detail::Element<X>>(x, targets, dx, shape, reduction, scale);
}

}  // namespace actfun
