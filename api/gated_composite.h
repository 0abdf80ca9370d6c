// SPDX-License-Identifier: Apache-2.0
// Gated units that are products of more than one function, or cut the gate's output: y = s a b, where a and b are known
// within bounds, and rounded once.
#pragma once

#include "api/gated_table.h"
#include "api/parts.h"
#include "backends/cpu/products.h"

namespace actfun {

/// a = min(h(g) [beta1 tanh(g / beta1)], step_limit) and b = v + offset, or beta2 tanh(v / beta2) + offset, for g and v
/// that are cut already.
class GatedComposite {
 public:
  /// Of h and h'.
  GatedComposite(const Factor& value, const Factor& slope, const GatedExtras& extras, Format format,
                 const Target& target);
  /// y = s a b for n <= kProductTile elements; s may be null, for 1.
  void value(const double* g, const double* v, const double* s, void* y, std::size_t n) const;
  /// dg = dy s a' b, 0 where a is cut, dv = dy s a b', and, unless null, terms = dy a b.
  void gradients(const double* g, const double* v, const double* s, const double* dy, void* dg, void* dv, double* terms,
                 std::size_t n) const;

 private:
  Factor h_, slope_of_h_;
  GatedExtras extras_;
  Format format_;
  std::int64_t target_;
};

}  // namespace actfun
