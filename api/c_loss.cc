// SPDX-License-Identifier: Apache-2.0
// The C interface to cross-entropy on arrays.
#include <cfloat>

#include "actfun/loss.h"
#include "api/c_arrays.h"
#include "api/loss.h"

namespace {

using namespace actfun::c;
using actfun::LossOptions;
using actfun::Target;

LossOptions checked(const actfun_loss_options* options, size_t classes, double scale) {
  if (!options) return {.scale = scale};
  require_between("label_smoothing", options->label_smoothing, 0, 1);
  require_between("z_loss", options->z_loss, 0, 1e30);
  if (options->reduction < ACTFUN_MEAN || options->reduction > ACTFUN_NONE)
    throw Refused{ACTFUN_BAD_FORMAT,
                  "reduction is " + std::to_string(options->reduction) + ", none of actfun_reduction"};
  for (size_t i = 0; options->class_weights && i < classes; ++i)
    require_between(("class_weights[" + std::to_string(i) + "]").c_str(), options->class_weights[i], 0, DBL_MAX);
  return {.smoothing = options->label_smoothing,
          .z = options->z_loss,
          .weights = options->class_weights,
          .ignored = options->has_ignored ? std::optional(options->ignored) : std::nullopt,
          .reduction = static_cast<actfun::Reduction>(options->reduction),
          .scale = scale};
}

/// Checks what both kinds share, and calls run(options, axis, target). `targets` are labels or an array's data.
template <class Run>
actfun_status with_loss(const actfun_loss_options* options, std::initializer_list<Argument> arguments, int32_t axis,
                        double scale, const int32_t* labels, double* loss, char* message, size_t size, const Run& run) {
  return told(message, size, [&](const Target& target) {
    require_alike(arguments);
    const Argument& x = *arguments.begin();
    const int counted = require_axis(x, axis);
    const size_t classes = x.array->shape[counted];
    size_t rows = 1;
    for (int i = 0; i < x.array->rank; ++i) rows *= i == counted ? 1 : x.array->shape[i];
    if (classes == 0) throw Refused{ACTFUN_BAD_SHAPE, "there are no classes: x has shape " + shape_text(*x.array)};
    const LossOptions known = checked(options, classes, scale);
    const size_t losses = known.reduction == actfun::Reduction::none ? rows : 1;
    if (!loss && losses > 0) throw Refused{ACTFUN_NULL_POINTER, "loss is NULL"};
    const actfun_array out = bytes_at(loss, losses * sizeof(double));
    for (const Argument& each : arguments)
      if (each.array && actfun::overlap_partly(out, *each.array))
        throw Refused{ACTFUN_OVERLAP, std::string("loss overlaps ") + each.name};
    if (labels) {
      const actfun_array given = bytes_at(labels, rows * sizeof(int32_t));
      if (overlap({labels, rows * sizeof(int32_t)}, {loss, losses * sizeof(double)}))
        throw Refused{ACTFUN_OVERLAP, "loss overlaps labels"};
      for (const Argument& each : arguments)
        if (each.array && each.written && actfun::overlap_partly(given, *each.array))
          throw Refused{ACTFUN_OVERLAP, std::string(each.name) + " overlaps labels"};
    }
    run(known, counted, rows, target);
  });
}

}  // namespace

extern "C" {

actfun_status actfun_label_loss(const actfun_loss_options* options, const actfun_array* x, const int32_t* labels,
                                int32_t axis, double scale, double* loss, const actfun_array* dx, char* message,
                                size_t size) {
  return with_loss(options, {{"x", x}, {"dx", dx, true, true}}, axis, scale, labels, loss, message, size,
                   [&](const LossOptions& known, int counted, size_t rows, const Target& target) {
                     if (!labels && rows > 0) throw Refused{ACTFUN_NULL_POINTER, "labels is NULL"};
                     actfun::cross_entropy(known, *x, labels, counted, loss, dx, target, 0);
                   });
}

actfun_status actfun_target_loss(const actfun_loss_options* options, const actfun_array* x, const actfun_array* targets,
                                 int32_t axis, double scale, double* loss, const actfun_array* dx, char* message,
                                 size_t size) {
  return with_loss(options, {{"x", x}, {"targets", targets}, {"dx", dx, true, true}}, axis, scale, nullptr, loss,
                   message, size, [&](const LossOptions& known, int counted, size_t, const Target& target) {
                     if (known.ignored)
                       throw Refused{ACTFUN_BAD_PARAMETER, "has_ignored: targets have no label that could be ignored"};
                     actfun::cross_entropy(known, *x, *targets, counted, loss, dx, target, 0);
                   });
}

}  // extern "C"
