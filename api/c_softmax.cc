// SPDX-License-Identifier: Apache-2.0
// The C interface to softmax and its like.
#include <new>

#include "actfun/softmax.h"
#include "api/c_checks.h"
#include "api/softmax.h"

namespace {

using namespace actfun::c;
using actfun::Target;

/// call(options, target), with what it throws as status and message.
template <class Call>
actfun_status guarded(const actfun_softmax_options* options, char* message, size_t size, const Call& call) noexcept {
  write_message("", message, size);
  const Target* target = nullptr;
  const auto failed = [&](actfun_status status, const char* text) {
    write_message(text, message, size);
    return status;
  };
  if (const actfun_status status = environment(target); status != ACTFUN_OK)
    return failed(status, actfun_status_text(status));
  try {
    call(options ? *options : actfun_softmax_defaults(), *target);
    return ACTFUN_OK;
  } catch (const actfun::SoftmaxError& error) {
    return failed(error.status, error.what());
  } catch (const std::bad_alloc&) {  // copies of rows
    return failed(ACTFUN_BAD_SHAPE, "memory is lacking for copies of rows");
  }
}

}  // namespace

extern "C" {

actfun_softmax_options actfun_softmax_defaults(void) {
  actfun_softmax_options options{};
  options.scale = 1;
  return options;
}

actfun_status actfun_softmax_forward(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                     const actfun_array* x, int32_t axis, const actfun_array* y, double* max,
                                     double* log_sum_exp, char* message, size_t size) {
  return guarded(options, message, size, [&](const actfun_softmax_options& all, const Target& target) {
    actfun::softmax_forward(kind, all, x, axis, y, max, log_sum_exp, target);
  });
}

actfun_status actfun_logsumexp(const actfun_softmax_options* options, int32_t mean, const actfun_array* x, int32_t axis,
                               const actfun_array* y, char* message, size_t size) {
  return guarded(options, message, size, [&](const actfun_softmax_options& all, const Target& target) {
    actfun::logsumexp(all, mean != 0, x, axis, y, target);
  });
}

actfun_status actfun_softmax_merge(size_t n, const double* max_a, const double* log_sum_exp_a, const double* max_b,
                                   const double* log_sum_exp_b, double* max, double* log_sum_exp) {
  if (n > SIZE_MAX / 2 / sizeof(double)) return ACTFUN_BAD_SHAPE;
  const size_t bytes = n * sizeof(double);
  const Buffer outputs[] = {{max, bytes}, {log_sum_exp, bytes}};
  for (const Buffer& output : outputs)
    for (const void* input : {max_a, log_sum_exp_a, max_b, log_sum_exp_b}) {
      if (missing(output) || missing({input, bytes})) return ACTFUN_NULL_POINTER;
      if (overlap_partly(output, {input, bytes})) return ACTFUN_OVERLAP;
    }
  if (overlap(outputs[0], outputs[1])) return ACTFUN_OVERLAP;
  return guarded(nullptr, nullptr, 0, [&](const actfun_softmax_options&, const Target& target) {
    actfun::softmax_merge(n, max_a, log_sum_exp_a, max_b, log_sum_exp_b, max, log_sum_exp, target);
  });
}

actfun_status actfun_softmax_from_statistics(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                             const actfun_array* x, int32_t axis, const double* log_sum_exp,
                                             const actfun_array* y, char* message, size_t size) {
  return guarded(options, message, size, [&](const actfun_softmax_options& all, const Target& target) {
    actfun::softmax_from_statistics(kind, all, x, axis, log_sum_exp, y, target);
  });
}

actfun_status actfun_softmax_gradient(actfun_softmax_kind kind, const actfun_softmax_options* options,
                                      const actfun_array* y, const actfun_array* g, int32_t axis,
                                      const actfun_array* dx, char* message, size_t size) {
  return guarded(options, message, size, [&](const actfun_softmax_options& all, const Target& target) {
    actfun::softmax_gradient(kind, all, y, g, axis, dx, target);
  });
}

actfun_status actfun_softmax_jvp(actfun_softmax_kind kind, const actfun_softmax_options* options, const actfun_array* y,
                                 const actfun_array* v, int32_t axis, const actfun_array* dy, char* message,
                                 size_t size) {
  return guarded(options, message, size, [&](const actfun_softmax_options& all, const Target& target) {
    actfun::softmax_jvp(kind, all, y, v, axis, dy, target);
  });
}

actfun_status actfun_logsumexp_gradient(const actfun_softmax_options* options, const actfun_array* x, int32_t axis,
                                        const actfun_array* g, const actfun_array* dx, char* message, size_t size) {
  return guarded(options, message, size, [&](const actfun_softmax_options& all, const Target& target) {
    actfun::logsumexp_gradient(all, x, axis, g, dx, target);
  });
}

}  // extern "C"
