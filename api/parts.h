// SPDX-License-Identifier: Apache-2.0
// What the registry has of a call, for the rest of api/.
#pragma once

#include <array>

#include "api/registry.h"
#include "core/arithmetic.h"

namespace actfun {

using Constants = std::array<Constant, kMaxParameters>;
Constants constants(const Call& call);
const Kernels& kernels(const Call& call, const Target& target);
big::Evaluate evaluator(const Call& call, Part part);
/// How f's kernels for floats compute.
Arithmetic arithmetic(const Call& call);
/// Whether f, f' or f'' has limits at the infinities. Expects the default floating-point environment.
bool has_limits(const Call& call, Order order);
big::Big exactly(long double x);

}  // namespace actfun
