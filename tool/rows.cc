// SPDX-License-Identifier: Apache-2.0
#include "tool/rows.h"

#include "tool/text.h"

namespace actfun::tool {

std::size_t group_size(const Call& call) {
  return call.info().name == "maxout" ? static_cast<std::size_t>(call.parameters[0]) : 0;
}

bool has_index(const Call& call) { return group_size(call) > 0; }

void evaluate_rows(const Call& call, const float* x, float* y, std::int32_t* index, Rows rows, const Target& target) {
  const auto [outer, length, inner] = rows;
  if (call.info().name == "softmax") {
    softmax(x, y, outer, length, inner, target, call.threads);
  } else if (call.info().name == "log_softmax") {
    log_softmax(x, y, outer, length, inner, target, call.threads);
  } else if (call.info().name == "maxout") {
    const std::size_t k = group_size(call);
    maxout(x, y, index, outer, length / k, k, inner, call.threads);
  } else {
    fail("the program does not know yet how to call {}", call.info().name);
  }
}

}  // namespace actfun::tool
