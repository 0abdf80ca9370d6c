// SPDX-License-Identifier: Apache-2.0
// Cross-entropy from logits along an axis of arrays. Arguments as in actfun/loss.h, where nothing is checked but
// labels; threads as in Call.
#pragma once

#include <optional>

#include "api/array.h"
#include "api/axis.h"

namespace actfun {

struct LossOptions {
  double smoothing = 0, z = 0;
  const double* weights = nullptr;  ///< of classes; null: 1
  std::optional<std::int32_t> ignored = std::nullopt;
  Reduction reduction = Reduction::mean;
  double scale = 1;  ///< of the gradient
};

/// Labels lie in C order of the other axes. dx may be null. Throws LabelError, and has written nothing then.
void cross_entropy(const LossOptions& options, const actfun_array& x, const std::int32_t* labels, int axis,
                   double* loss, const actfun_array* dx, const Target& target, unsigned threads = 1);
void cross_entropy(const LossOptions& options, const actfun_array& x, const actfun_array& targets, int axis,
                   double* loss, const actfun_array* dx, const Target& target, unsigned threads = 1);

}  // namespace actfun
