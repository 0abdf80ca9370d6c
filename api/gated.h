// SPDX-License-Identifier: Apache-2.0
// Gated linear units on arrays: y = h(gate) v, their variants, and their gradients.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "actfun/array.h"
#include "api/gated_table.h"
#include "api/registry.h"

namespace actfun {

std::span<const GatedInfo> gated_units();

/// A gated unit with its parameters. The gate's tier, kinks and threads are those of the whole.
struct Gated {
  Call gate;
  GatedExtras extras{};
  GatedLayout layout = GatedLayout::gate_first;

  /// y = scale a b (see GatedExtras). All arrays have one shape, in which `scale`, which may be null, has strides of 0
  /// along what it does not depend on; its format is f32 or the others', which is one. y may be gate or value.
  void apply(const actfun_array& gate_in, const actfun_array& value, const actfun_array* scale, const actfun_array& y,
             const Target& target) const;
  /// The gradients by gate and by value, and, unless `dscale` is null, by scale: the sums over `axis`, along which
  /// dscale has length 1 and scale a stride of 0. Outputs may be inputs, but not each other.
  struct Gradients {
    const actfun_array &dgate, &dvalue;
    const actfun_array* dscale;
    int axis;
  };
  void backward(const actfun_array& gate_in, const actfun_array& value, const actfun_array* scale,
                const actfun_array& dy, const Gradients& to, const Target& target) const;
  /// `name:parameter=value,...`, as parse_gated reads it, without presets.
  std::string text() const;
};

/// Reads NAME[@PRESET][:parameter=value,...], where NAME is a unit of the table or any elementwise function, and the
/// parameters are the gate's own and GatedExtras'. Throws FunctionError or ParameterError, as parse_function does.
Gated parse_gated(std::string_view text);

/// The two halves, or the even and odd elements, of an array along an axis, whose length is even.
struct GateAndValue {
  actfun_array gate, value;
};
GateAndValue split(const actfun_array& x, int axis, GatedLayout layout);

}  // namespace actfun
