// SPDX-License-Identifier: Apache-2.0
// The C interface to maxout on arrays.
#include "actfun/maxout.h"
#include "api/axis.h"
#include "api/c_arrays.h"
#include "api/maxout.h"

namespace {

using namespace actfun::c;
using actfun::Target;

/// Checks members, winners and indices, whichever of the first two is written, and returns the axis.
int require_groups(const Argument& members, const Argument& winners, size_t k, Buffer index, int32_t axis) {
  require({members, winners});
  const int counted = require_axis(members, axis);
  actfun_array wanted = *members.array;
  if (k == 0 || k > INT32_MAX || wanted.shape[counted] % k != 0)
    throw Refused{ACTFUN_BAD_SHAPE, "k is " + std::to_string(k) + ", which must divide the axis of " + members.name +
                                        ", of length " + std::to_string(wanted.shape[counted])};
  wanted.shape[counted] /= k;
  if (!actfun::same_shape(wanted, *winners.array))
    throw Refused{ACTFUN_BAD_SHAPE, std::string(winners.name) + " has shape " + shape_text(*winners.array) +
                                        " in place of " + shape_text(wanted)};
  if (actfun::size_of(*members.array) > 0 && members.array->data == winners.array->data)  // k = 1 makes them alike
    throw Refused{ACTFUN_OVERLAP, std::string(members.name) + " overlaps " + winners.name};
  for (const Argument& each : {members, winners})
    if (index.data && actfun::overlap_partly(bytes_at(index.data, index.bytes), *each.array))
      throw Refused{ACTFUN_OVERLAP, std::string("index overlaps ") + each.name};
  return counted;
}

size_t bytes_of_index(const actfun_array* winners) {
  return winners && actfun::check(winners, false) == ACTFUN_OK ? actfun::size_of(*winners) * sizeof(int32_t) : 0;
}

}  // namespace

extern "C" {

actfun_status actfun_maxout_forward(const actfun_array* x, size_t k, const actfun_array* y, int32_t* index,
                                    int32_t axis, char* message, size_t size) {
  return told(message, size, [&](const Target& target) {
    const int counted = require_groups({"x", x}, {"y", y, true}, k, {index, bytes_of_index(y)}, axis);
    actfun::maxout(*x, k, *y, index, counted, target, 0);
  });
}

actfun_status actfun_maxout_gradient(const actfun_array* g, const int32_t* index, size_t k, const actfun_array* dx,
                                     int32_t axis, char* message, size_t size) {
  return told(message, size, [&](const Target& target) {
    const int counted = require_groups({"dx", dx, true}, {"g", g}, k, {index, bytes_of_index(g)}, axis);
    if (!index && actfun::size_of(*g) > 0) throw Refused{ACTFUN_NULL_POINTER, "index is NULL"};
    actfun::maxout_backward(*g, index, k, *dx, counted, target, 0);
  });
}

}  // extern "C"
