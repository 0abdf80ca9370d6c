// SPDX-License-Identifier: Apache-2.0
// What the registry has of a call, for the rest of api/.
#pragma once

#include <array>

#include "api/registry.h"
#include "backends/cpu/inverse.h"
#include "core/arithmetic.h"

namespace actfun {

using Constants = std::array<Constant, kMaxParameters>;
Constants constants(const Call& call);
const Kernels& kernels(const Call& call, const Target& target);
Invertible invertible(const Call& call, const Target& target, const Constants& parameters);
/// The tier's kernel for floats.
Kernels::Unary float_kernel(const Call& call, Order order, const Target& target);
/// The fast tier's kernel for g f'(x), or from the output; or null.
Kernels::Backward fast_backward(const Call& call, Part part, const Target& target);
big::Evaluate evaluator(const Call& call, Part part);
/// How f's kernels for floats compute.
Arithmetic arithmetic(const Call& call);
/// Whether f, f' or f'' has limits at the infinities. Expects the default floating-point environment.
bool has_limits(const Call& call, Order order);
big::Big exactly(long double x);

/// Element i of an array of a format.
inline const void* element_at(Format format, const void* x, std::size_t i) {
  return static_cast<const unsigned char*>(x) + i * info_of(format).bytes;
}
inline void* element_at(Format format, void* x, std::size_t i) {
  return static_cast<unsigned char*>(x) + i * info_of(format).bytes;
}

}  // namespace actfun
