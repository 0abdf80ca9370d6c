// SPDX-License-Identifier: Apache-2.0
// Maxout along an axis of arrays. Arguments as in actfun/maxout.h, where nothing is checked but indices; threads as in
// Call.
#pragma once

#include "api/array.h"
#include "api/registry.h"

namespace actfun {

void maxout(const actfun_array& x, std::size_t k, const actfun_array& y, std::int32_t* index, int axis,
            const Target& target, unsigned threads = 1);
/// Throws LabelError, and has written nothing then.
void maxout_backward(const actfun_array& g, const std::int32_t* index, std::size_t k, const actfun_array& dx, int axis,
                     const Target& target, unsigned threads = 1);

}  // namespace actfun
