// SPDX-License-Identifier: Apache-2.0
// `actfun bench --against libm`.
#pragma once

#include <cstddef>
#include <vector>

#include "api/registry.h"

namespace actfun::tool {

/// Prints times and worst errors of both tiers and of the common formulas; of all functions that have some, unless
/// `calls` names them. Throws where one has none.
void bench_against_libm(std::vector<Call> calls, int order, const Target& target,
                        const std::vector<std::size_t>& elements, bool as_json);

}  // namespace actfun::tool
