// SPDX-License-Identifier: Apache-2.0
/// @file
/// Softmax, log-softmax, softmin, log-sum-exp and log-mean-exp along any axis, with temperatures, masks and attention
/// sinks; their statistics and gradients. Arrays are actfun::Array; what is computed, how exactly, and what NaN,
/// infinities and empty rows do is stated in softmax.h, with pictures in docs/softmax.md.
///
///     actfun::Softmax along{.axis = -1, .scale = 0.125, .causal = actfun::Causal::bottom_right};
///     along(actfun::Array(x, {heads, queries, keys}), actfun::Array(y, {heads, queries, keys}));
///
/// Everything throws actfun::Error on bad arguments, and has written nothing then.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "actfun/array.hpp"
#include "actfun/softmax.h"

namespace actfun {

/// Which keys, the elements of the last axis, a query sees, a row of the axis before it.
enum class Causal {
  none = ACTFUN_CAUSAL_NONE,
  top_left = ACTFUN_CAUSAL_TOP_LEFT,         ///< keys up to its own number, plus causal_offset
  bottom_right = ACTFUN_CAUSAL_BOTTOM_RIGHT  ///< the last query sees all, with an offset of 0
};

/// Which elements take part: numbers that are added to the logits, or bytes, of which 0 takes an element out. An axis
/// of length 1, and axes that it lacks in front, are the same for all, as in NumPy.
class Mask {
 public:
  Mask() = default;
  Mask(const Array& added) : array_(added) {}  // NOLINT: an array is a mask
  /// In C order.
  static Mask boolean(std::span<const std::uint8_t> bytes, std::initializer_list<std::size_t> shape) {
    Mask mask(Array(std::span(reinterpret_cast<const float8_e5m2*>(bytes.data()), bytes.size()), shape));
    mask.kind_ = ACTFUN_MASK_BOOLEAN;
    return mask;
  }

  /// As C has it, for arrays of x's shape.
  std::optional<actfun_array> over(const actfun_array& x, int without_axis = -1) const {
    if (!array_) return std::nullopt;
    actfun_array all = *array_, shape = x;
    if (without_axis >= 0) {
      for (int i = without_axis; i + 1 < x.rank; ++i) shape.shape[i] = x.shape[i + 1];
      --shape.rank;
    }
    if (all.rank > shape.rank) return all;  // refused
    const int added = shape.rank - all.rank;
    for (int i = shape.rank; i-- > 0;) {
      const bool own = i >= added && (array_->shape[i - added] != 1 || shape.shape[i] == 1);
      all.shape[i] = own ? array_->shape[i - added] : shape.shape[i];
      all.strides[i] = own ? array_->strides[i - added] : 0;
    }
    all.rank = shape.rank;
    return all;
  }
  actfun_mask_kind kind() const { return kind_; }

 private:
  std::optional<actfun_array> array_;
  actfun_mask_kind kind_ = ACTFUN_MASK_ADDED;
};

/// Softmax and its like with their options; members may be named.
struct Softmax {
  int axis = -1;     ///< -1: the last
  double scale = 1;  ///< 1 / temperature
  Mask mask{};       ///< broadcast to x's shape
  Mask sink{};       ///< one more logit a row, in the denominator only; broadcast to x's shape without the axis
  Causal causal = Causal::none;
  std::int64_t causal_offset = 0;
  bool safe = false;  ///< rows without an element that takes part give 0, not NaN
  Tier tier = Tier::exact;
  unsigned threads = 0;

  /// y = softmax(x); y may be x.
  void operator()(const Array& x, const Array& y) const { forward(ACTFUN_SOFTMAX, x, y, {}, {}, "Softmax"); }
  /// Also the largest logit and log-sum-exp of each row: the statistics that `merge` takes.
  void operator()(const Array& x, const Array& y, std::span<double> max, std::span<double> log_sum_exp) const {
    forward(ACTFUN_SOFTMAX, x, y, max, log_sum_exp, "Softmax");
  }
  /// y = softmin(x), which is softmax(-x).
  void softmin(const Array& x, const Array& y) const {
    Softmax negated = *this;
    negated.scale = -scale;
    negated(x, y);
  }
  /// y = log(softmax(x)), without ever forming it.
  void log(const Array& x, const Array& y) const { forward(ACTFUN_LOG_SOFTMAX, x, y, {}, {}, "Softmax::log"); }
  void log(const Array& x, const Array& y, std::span<double> max, std::span<double> log_sum_exp) const {
    forward(ACTFUN_LOG_SOFTMAX, x, y, max, log_sum_exp, "Softmax::log");
  }
  /// The statistics alone.
  void statistics(const Array& x, std::span<double> max, std::span<double> log_sum_exp) const {
    check_statistics(x, max, log_sum_exp, "Softmax::statistics");
    const Options options(*this, x);
    call("Softmax::statistics", [&](char* message, std::size_t size) {
      return actfun_softmax_forward(ACTFUN_SOFTMAX, &options.all, &x, axis, nullptr, max.data(), log_sum_exp.data(),
                                    message, size);
    });
  }
  /// Results for a piece of the rows, given the log-sum-exp of the whole rows.
  void from_statistics(const Array& x, std::span<const double> log_sum_exp, const Array& y) const {
    from_statistics(ACTFUN_SOFTMAX, x, log_sum_exp, y);
  }
  void log_from_statistics(const Array& x, std::span<const double> log_sum_exp, const Array& y) const {
    from_statistics(ACTFUN_LOG_SOFTMAX, x, log_sum_exp, y);
  }

  /// y = log(sum_j exp(x_j)), or log of the mean; y has x's shape without the axis.
  void log_sum_exp(const Array& x, const Array& y) const { reduce(x, y, 0, "Softmax::log_sum_exp"); }
  void log_mean_exp(const Array& x, const Array& y) const { reduce(x, y, 1, "Softmax::log_mean_exp"); }

  /// dx from the output y and the gradient g by it; dx may be y or g.
  void backward(const Array& y, const Array& g, const Array& dx) const {
    gradient(actfun_softmax_gradient, ACTFUN_SOFTMAX, y, g, dx, "Softmax::backward");
  }
  void log_backward(const Array& y, const Array& g, const Array& dx) const {
    gradient(actfun_softmax_gradient, ACTFUN_LOG_SOFTMAX, y, g, dx, "Softmax::log_backward");
  }
  /// How the output y changes when x changes by v.
  void jvp(const Array& y, const Array& v, const Array& dy) const {
    gradient(actfun_softmax_jvp, ACTFUN_SOFTMAX, y, v, dy, "Softmax::jvp");
  }
  void log_jvp(const Array& y, const Array& v, const Array& dy) const {
    gradient(actfun_softmax_jvp, ACTFUN_LOG_SOFTMAX, y, v, dy, "Softmax::log_jvp");
  }
  /// The gradient of log_sum_exp and log_mean_exp by x, where g has x's shape without the axis.
  void log_sum_exp_backward(const Array& x, const Array& g, const Array& dx) const {
    const Options options(*this, x);
    call("Softmax::log_sum_exp_backward", [&](char* message, std::size_t size) {
      return actfun_logsumexp_gradient(&options.all, &x, axis, &g, &dx, message, size);
    });
  }

  /// Statistics of two pieces of rows become those of both, in the place of the first.
  static void merge(std::span<double> max, std::span<double> log_sum_exp, std::span<const double> other_max,
                    std::span<const double> other_log_sum_exp) {
    for (const std::size_t size : {log_sum_exp.size(), other_max.size(), other_log_sum_exp.size()})
      detail::check_lengths(max.size(), size, "Softmax::merge");
    detail::check(actfun_softmax_merge(max.size(), max.data(), log_sum_exp.data(), other_max.data(),
                                       other_log_sum_exp.data(), max.data(), log_sum_exp.data()),
                  "Softmax::merge");
  }

 private:
  /// What C takes, and the arrays that it points to.
  struct Options {
    std::optional<actfun_array> mask, sink;
    actfun_softmax_options all = actfun_softmax_defaults();
    Options(const Softmax& from, const actfun_array& x)
        : mask(from.mask.over(x)), sink(from.sink.over(x, from.axis < 0 ? from.axis + x.rank : from.axis)) {
      all.scale = from.scale;
      all.mask = mask ? &*mask : nullptr;
      all.mask_kind = from.mask.kind();
      all.causal = static_cast<std::int32_t>(from.causal);
      all.causal_offset = from.causal_offset;
      all.sink = sink ? &*sink : nullptr;
      all.safe = from.safe;
      all.tier = static_cast<std::int32_t>(from.tier);
      all.threads = from.threads;
    }
    Options(const Options&) = delete;
  };
  template <class Call>
  static void call(const char* name, const Call& c_call) {
    char message[512] = "";
    const actfun_status status = c_call(message, sizeof message);
    if (status != ACTFUN_OK) throw Error(std::string("actfun: ") + name + ": " + message, status);
  }
  void check_statistics(const actfun_array& x, std::span<double> max, std::span<double> log_sum_exp,
                        const char* name) const {
    detail::check_lengths(max.size(), rows_of(x), name);
    detail::check_lengths(log_sum_exp.size(), rows_of(x), name);
  }
  std::size_t rows_of(const actfun_array& x) const {
    std::size_t rows = 1;
    for (int i = 0; i < x.rank; ++i)
      if (i != axis && i != axis + x.rank) rows *= x.shape[i];
    return rows;
  }
  void forward(actfun_softmax_kind kind, const Array& x, const Array& y, std::span<double> max,
               std::span<double> log_sum_exp, const char* name) const {
    if (max.data() || log_sum_exp.data()) check_statistics(x, max, log_sum_exp, name);
    const Options options(*this, x);
    call(name, [&](char* message, std::size_t size) {
      return actfun_softmax_forward(kind, &options.all, &x, axis, &y, max.data(), log_sum_exp.data(), message, size);
    });
  }
  void from_statistics(actfun_softmax_kind kind, const Array& x, std::span<const double> log_sum_exp,
                       const Array& y) const {
    const char* name = "Softmax::from_statistics";
    detail::check_lengths(log_sum_exp.size(), rows_of(x), name);
    const Options options(*this, x);
    call(name, [&](char* message, std::size_t size) {
      return actfun_softmax_from_statistics(kind, &options.all, &x, axis, log_sum_exp.data(), &y, message, size);
    });
  }
  void reduce(const Array& x, const Array& y, int mean, const char* name) const {
    const Options options(*this, x);
    call(name, [&](char* message, std::size_t size) {
      return actfun_logsumexp(&options.all, mean, &x, axis, &y, message, size);
    });
  }
  using Gradient = decltype(&actfun_softmax_gradient);
  void gradient(Gradient c_gradient, actfun_softmax_kind kind, const Array& y, const Array& g, const Array& dx,
                const char* name) const {
    actfun_softmax_options options = actfun_softmax_defaults();
    options.scale = scale, options.threads = threads;
    call(name,
         [&](char* message, std::size_t size) { return c_gradient(kind, &options, &y, &g, axis, &dx, message, size); });
  }
};

}  // namespace actfun
