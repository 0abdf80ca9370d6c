// SPDX-License-Identifier: Apache-2.0
// The C interface to the gradients of the axis functions and to cross-entropy.
#include <new>

#include "actfun/actfun.h"
#include "api/axis.h"
#include "api/c_checks.h"

namespace {

using namespace actfun::c;
using actfun::Format;
using actfun::Shape;
using actfun::Target;

/// Runs what may lack memory or find a wrong label.
template <class Call>
actfun_status guarded(const Call& call, char* message, size_t size) noexcept {
  const Target* target = nullptr;
  if (const actfun_status status = environment(target); status != ACTFUN_OK) return status;
  try {
    call(*target);
    return ACTFUN_OK;
  } catch (const actfun::LabelError& error) {
    write_message(error.what(), message, size);
    return ACTFUN_BAD_LABEL;
  } catch (const std::bad_alloc&) {  // copies of rows
    return ACTFUN_BAD_SHAPE;
  }
}

using Backward = void (*)(Format, const void*, const void*, void*, Shape, const Target&, unsigned);

actfun_status along_axis(Backward backward, actfun_format format, const void* y, const void* g, void* dx,
                         const Shape& shape) {
  if (!valid(format)) return ACTFUN_BAD_FORMAT;
  const auto type = static_cast<Format>(format);
  size_t count = 0;
  if (!multiply(count, shape.outer, shape.length, shape.inner)) return ACTFUN_BAD_SHAPE;
  const size_t bytes = count * actfun::info_of(type).bytes;
  const Buffer output{y, bytes}, upstream{g, bytes}, to{dx, bytes};
  if (missing(output) || missing(upstream) || missing(to)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(output, to) || overlap_partly(upstream, to)) return ACTFUN_OVERLAP;
  return guarded([&](const Target& target) { backward(type, y, g, dx, shape, target, 0); }, nullptr, 0);
}

/// Checks what both kinds of cross-entropy share. `targets` are labels or weights, of which the latter may become dx.
actfun_status check(actfun_format format, actfun_reduction reduction, Shape shape, const void* x, Buffer targets,
                    const double* loss, const void* dx) {
  if (!valid(format) || reduction < ACTFUN_MEAN || reduction > ACTFUN_NONE) return ACTFUN_BAD_FORMAT;
  const size_t bytes = shape.rows() * shape.length * actfun::info_of(static_cast<Format>(format)).bytes;
  const Buffer logits{x, bytes}, to{dx, dx ? bytes : 0},
      losses{loss, (reduction == ACTFUN_NONE ? shape.rows() : 1) * sizeof(double)};
  if (missing(logits) || missing(targets) || missing(losses)) return ACTFUN_NULL_POINTER;
  if (overlap_partly(logits, to) || overlap_partly(targets, to) || overlap(losses, logits) ||
      overlap(losses, targets) || overlap(losses, to))
    return ACTFUN_OVERLAP;
  return ACTFUN_OK;
}

}  // namespace

extern "C" {

actfun_status actfun_softmax_backward(actfun_format format, const void* y, const void* g, void* dx, size_t outer,
                                      size_t length, size_t inner) {
  return along_axis(actfun::softmax_backward, format, y, g, dx, {outer, length, inner});
}
actfun_status actfun_log_softmax_backward(actfun_format format, const void* y, const void* g, void* dx, size_t outer,
                                          size_t length, size_t inner) {
  return along_axis(actfun::log_softmax_backward, format, y, g, dx, {outer, length, inner});
}

actfun_status actfun_softmax_jacobian(actfun_format format, const void* y, void* jacobian, size_t n) {
  if (!valid(format)) return ACTFUN_BAD_FORMAT;
  const auto type = static_cast<Format>(format);
  size_t count = 0;
  if (!multiply(count, n, n)) return ACTFUN_BAD_SHAPE;
  const Buffer row{y, n * actfun::info_of(type).bytes}, entries{jacobian, count * actfun::info_of(type).bytes};
  if (missing(row) || missing(entries)) return ACTFUN_NULL_POINTER;
  if (overlap(row, entries)) return ACTFUN_OVERLAP;
  return guarded([&](const Target& target) { actfun::softmax_jacobian(type, y, jacobian, n, target); }, nullptr, 0);
}

actfun_status actfun_maxout_backward(actfun_format format, const void* g, const int32_t* index, void* dx, size_t outer,
                                     size_t groups, size_t k, size_t inner, char* message, size_t size) {
  write_message("", message, size);
  if (!valid(format)) return ACTFUN_BAD_FORMAT;
  const auto type = static_cast<Format>(format);
  size_t winners = 0, members = 0;
  if (k == 0 || k > INT32_MAX || !multiply(winners, outer, groups, inner) || !multiply(members, winners, k))
    return ACTFUN_BAD_SHAPE;
  const size_t bytes = actfun::info_of(type).bytes;
  const Buffer upstream{g, winners * bytes}, which{index, winners * sizeof(int32_t)}, to{dx, members * bytes};
  if (missing(upstream) || missing(which) || missing(to)) return ACTFUN_NULL_POINTER;
  if (overlap(upstream, to) || overlap(which, to)) return ACTFUN_OVERLAP;
  return guarded(
      [&](const Target& target) { actfun::maxout_backward(type, g, index, dx, outer, groups, k, inner, target, 0); },
      message, size);
}

actfun_status actfun_cross_entropy(actfun_format format, actfun_reduction reduction, const void* x,
                                   const int32_t* labels, double scale, double* loss, void* dx, size_t outer,
                                   size_t classes, size_t inner, char* message, size_t size) {
  write_message("", message, size);
  size_t count = 0;
  const Shape shape{outer, classes, inner};
  if (classes == 0 || !multiply(count, outer, classes, inner)) return ACTFUN_BAD_SHAPE;
  const Buffer targets{labels, shape.rows() * sizeof(int32_t)};
  if (const actfun_status status = check(format, reduction, shape, x, targets, loss, dx); status != ACTFUN_OK)
    return status;
  if (dx && same({labels, targets.bytes}, {dx, count})) return ACTFUN_OVERLAP;
  return guarded(
      [&](const Target& target) {
        actfun::cross_entropy(static_cast<Format>(format), static_cast<actfun::Reduction>(reduction), x, labels, scale,
                              loss, dx, shape, target, 0);
      },
      message, size);
}
actfun_status actfun_soft_cross_entropy(actfun_format format, actfun_reduction reduction, const void* x,
                                        const void* targets, double scale, double* loss, void* dx, size_t outer,
                                        size_t classes, size_t inner) {
  size_t count = 0;
  const Shape shape{outer, classes, inner};
  if (classes == 0 || !multiply(count, outer, classes, inner)) return ACTFUN_BAD_SHAPE;
  if (!valid(format)) return ACTFUN_BAD_FORMAT;
  const Buffer weights{targets, count * actfun::info_of(static_cast<Format>(format)).bytes};
  if (const actfun_status status = check(format, reduction, shape, x, weights, loss, dx); status != ACTFUN_OK)
    return status;
  return guarded(
      [&](const Target& target) {
        actfun::soft_cross_entropy(static_cast<Format>(format), static_cast<actfun::Reduction>(reduction), x, targets,
                                   scale, loss, dx, shape, target, 0);
      },
      nullptr, 0);
}

}  // extern "C"
