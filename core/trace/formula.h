// SPDX-License-Identifier: Apache-2.0
// The formula of a function, printed from its `definition`: what the docs show is what the oracle computes.
#pragma once

#include <string>

namespace actfun::trace {

enum class Notation { text, latex, mathml };

/// The right-hand side of f(x) = ... for the function with this number in functions/list.def.
/// Empty for functions along an axis, which have no scalar definition.
std::string formula(int function_id, Notation notation);

}  // namespace actfun::trace
