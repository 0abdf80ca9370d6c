// SPDX-License-Identifier: Apache-2.0
// Softmax and its like along an axis of strided arrays: what actfun/softmax.h describes, with exceptions in place of
// status and message.
#pragma once

#include <stdexcept>
#include <string>

#include "actfun/softmax.h"
#include "api/registry.h"

namespace actfun {

/// What the caller got wrong.
struct SoftmaxError : std::invalid_argument {
  SoftmaxError(actfun_status code, const std::string& what) : std::invalid_argument(what), status(code) {}
  actfun_status status;
};

// Everything is checked, SoftmaxError and std::bad_alloc are thrown before anything is written, and the floating-point
// environment is set.
void softmax_forward(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* x, int axis,
                     const actfun_array* y, double* max, double* log_sum_exp, const Target& target);
void softmax_from_statistics(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* x,
                             int axis, const double* log_sum_exp, const actfun_array* y, const Target& target);
void logsumexp(const actfun_softmax_options& options, bool mean, const actfun_array* x, int axis, const actfun_array* y,
               const Target& target);
void logsumexp_gradient(const actfun_softmax_options& options, const actfun_array* x, int axis, const actfun_array* g,
                        const actfun_array* dx, const Target& target);
void softmax_gradient(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* y,
                      const actfun_array* g, int axis, const actfun_array* dx, const Target& target);
void softmax_jvp(actfun_softmax_kind kind, const actfun_softmax_options& options, const actfun_array* y,
                 const actfun_array* v, int axis, const actfun_array* dy, const Target& target);
void softmax_merge(std::size_t n, const double* max_a, const double* log_sum_exp_a, const double* max_b,
                   const double* log_sum_exp_b, double* max, double* log_sum_exp, const Target& target);

}  // namespace actfun
