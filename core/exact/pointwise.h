// SPDX-License-Identifier: Apache-2.0
// The correctly rounded result at one input, by intervals alone: the precision grows until both ends of the
// enclosure round to the same float (Ziv's strategy). Slow, some ten microseconds, and good for every input.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>

#include "core/exact/definition.h"

namespace actfun::exact {

class Pointwise {
 public:
  explicit Pointwise(const Call& call) : definition_(call) {}
  const Definition& definition() const { return definition_; }

  /// Any float but NaN; infinities and both zeros have their conventions (docs/design/oracle.md).
  float round(float x, Order order) const;

  /// Whether the result is a zero because x lies so far out in a tail that MPFR cannot hold the value.
  bool vanishes(float x, Order order) const;

  /// The double nearest to the true value, or one of its neighbours.
  double value(float x, Order order) const;

  /// How far the true value lies from the nearest midpoint of two neighbouring floats, as log2 of the distance in
  /// units of the result's last place: -1 at best, -inf where it is a midpoint exactly.
  double distance(float x, Order order) const;

  /// The error of an answer that is not the correctly rounded one, in units of that one's last place.
  double error(float x, float answer, Order order) const;

 private:
  Interval enclose(const Interval& x, Order order, mpfr_prec_t bits) const;
  float round_at(const Interval& x, Order order, float shown) const;
  std::runtime_error undecided(Order order, float x) const;
  float round_at_zero(float zero, Order order) const;
  std::optional<float> tail_zero(const Interval& x, Order order) const;

  Definition definition_;
};

/// Nearest even, with gradual underflow and overflow to infinity. An exact zero is +0.
float to_float(mpfr_srcptr value);

}  // namespace actfun::exact
