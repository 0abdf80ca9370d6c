// SPDX-License-Identifier: Apache-2.0
/// @file
/// Cross-entropy from logits with label smoothing, class weights, ignored labels and z-loss, along any axis.
///
///     double loss = actfun::cross_entropy(x, labels, dx, {.label_smoothing = 0.1, .ignored = -100});
///
/// x and dx are actfun::Array, labels std::int32_t in C order of the other axes. What is computed, how exactly, and
/// what NaN and infinities do is stated in loss.h. Everything throws actfun::Error on bad arguments, with what is
/// wrong.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "actfun/array.hpp"
#include "actfun/loss.h"

namespace actfun {

struct LossOptions {
  double label_smoothing = 0;                          ///< the share of a label that is spread over all classes, 0 to 1
  double z_loss = 0;                                   ///< its factor of the squared log-sum-exp
  std::span<const double> class_weights = {};          ///< one a class; none: 1
  std::optional<std::int32_t> ignored = std::nullopt;  ///< the label of rows to be left out
  Reduction reduction = Reduction::mean;
  double scale = 1;  ///< of the gradient
  int axis = -1;     ///< of the classes
};

namespace detail {

inline actfun_loss_options checked(const LossOptions& options, const Array& x, const char* call) {
  const int axis = options.axis < 0 ? options.axis + x.rank : options.axis;
  if (!options.class_weights.empty() && axis >= 0 && axis < x.rank)
    check_lengths(options.class_weights.size(), x.shape[axis], call);
  return {options.label_smoothing,
          options.z_loss,
          options.class_weights.empty() ? nullptr : options.class_weights.data(),
          options.ignored.has_value(),
          options.ignored.value_or(0),
          static_cast<actfun_reduction>(options.reduction)};
}

inline std::size_t rows_of(const Array& x, int axis) {
  std::size_t rows = 1;
  for (int i = 0; i < x.rank; ++i)
    if (i != (axis < 0 ? axis + x.rank : axis)) rows *= x.shape[i];
  return rows;
}

inline void label_loss(const Array& x, std::span<const std::int32_t> labels, double* loss, const Array* dx,
                       const LossOptions& options, actfun_loss_options known, const char* call) {
  check_lengths(labels.size(), rows_of(x, options.axis), call);
  char message[256] = "";
  check_told(
      actfun_label_loss(&known, &x, labels.data(), options.axis, options.scale, loss, dx, message, sizeof message),
      call, message);
}
inline double target_loss(const Array& x, const Array& targets, const Array* dx, const LossOptions& options) {
  const actfun_loss_options known = checked(options, x, "cross_entropy");
  double loss = 0;
  char message[256] = "";
  check_told(actfun_target_loss(&known, &x, &targets, options.axis, options.scale, &loss, dx, message, sizeof message),
             "cross_entropy", message);
  return loss;
}

}  // namespace detail

/// The mean or sum of the rows' losses.
inline double cross_entropy(const Array& x, std::span<const std::int32_t> labels, const LossOptions& options = {}) {
  double loss = 0;
  detail::label_loss(x, labels, &loss, nullptr, options, detail::checked(options, x, "cross_entropy"), "cross_entropy");
  return loss;
}
/// The same with its gradient by x, times options.scale. dx may be x.
inline double cross_entropy(const Array& x, std::span<const std::int32_t> labels, const Array& dx,
                            const LossOptions& options = {}) {
  double loss = 0;
  detail::label_loss(x, labels, &loss, &dx, options, detail::checked(options, x, "cross_entropy"), "cross_entropy");
  return loss;
}
/// One loss a row, whatever options.reduction is.
inline std::vector<double> cross_entropies(const Array& x, std::span<const std::int32_t> labels,
                                           const LossOptions& options = {}) {
  std::vector<double> losses(labels.size());
  actfun_loss_options known = detail::checked(options, x, "cross_entropies");
  known.reduction = ACTFUN_NONE;
  detail::label_loss(x, labels, losses.data(), nullptr, options, known, "cross_entropies");
  return losses;
}
/// With a target for each class in place of a label. dx may be x or targets.
inline double cross_entropy(const Array& x, const Array& targets, const LossOptions& options = {}) {
  return detail::target_loss(x, targets, nullptr, options);
}
inline double cross_entropy(const Array& x, const Array& targets, const Array& dx, const LossOptions& options = {}) {
  return detail::target_loss(x, targets, &dx, options);
}

}  // namespace actfun
