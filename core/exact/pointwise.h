// SPDX-License-Identifier: Apache-2.0
// The correctly rounded result at one input, by intervals alone: the precision grows until both ends of the
// enclosure round to the same number (Ziv's strategy). Slow, some ten microseconds, and good for every input.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <vector>

#include "core/exact/definition.h"
#include "core/format.h"

namespace actfun::exact {

/// To nearest, ties to even, with gradual underflow.
struct Rounding {
  Format format = Format::f32;
  bool saturate = true;  ///< what exceeds the largest number of a format without infinities: that number, or NaN
};

/// The correctly rounded result, and what is missing to the true value (0 where that is no number).
struct Rounded {
  double value, rest;
};

class Pointwise {
 public:
  explicit Pointwise(Definition definition);
  explicit Pointwise(const Call& call) : Pointwise(Definition(call)) {}
  const Definition& definition() const { return definition_; }

  /// Any number but NaN; infinities and both zeros have their conventions (docs/design/oracle.md).
  Rounded round(double x, Order order, Rounding to) const;
  /// f, f' and f'' from one evaluation.
  std::array<Rounded, 3> round(double x, Rounding to) const;
  float round(float x, Order order) const {
    return static_cast<float>(round(static_cast<double>(x), order, Rounding{}).value);
  }

  /// Whether the result is known because x lies so far out in a tail that MPFR cannot hold the value, or the factors
  /// that it is made of (`bounded`).
  bool settles(float x, Order order, bool bounded) const;

  /// The double nearest to the true value.
  double value(float x, Order order) const {
    return round(static_cast<double>(x), order, {.format = Format::f64}).value;
  }

  /// How far the true value lies from the nearest midpoint of two neighbouring floats, as log2 of the distance in
  /// units of the result's last place: -1 at best, -inf where it is a midpoint exactly.
  double distance(float x, Order order) const;

  /// The interval that holds f, f' or f'' at all of x.
  Interval enclose(const Interval& x, Order order, mpfr_prec_t bits) const;

 private:
  /// Inputs over which f is exactly zero, and the sign of that zero.
  struct Plateau {
    double lower, upper;
    double zero;
  };
  using Derivatives = std::array<Interval, 3>;

  Derivatives enclose_all(const Interval& x, std::size_t highest, mpfr_prec_t bits) const;
  Rounded round_at(const Interval& x, double shown, Order order, Rounding to) const;
  Rounded round_at_zero(double zero, Order order, Rounding to) const;
  Rounded round_at_infinity(double x, Order order, Rounding to) const;
  std::optional<double> tail_limit(const Interval& x, Order order) const;
  std::runtime_error undecided(double x, Order order) const;

  bool zero_at(double x) const;
  double zero_of_value(double x) const;
  std::optional<Plateau> plateau_around(double seed) const;
  std::optional<double> sign_before(double inner, double outer) const;

  /// A tail that was found: from this exponent of x on f is this zero. Finding one takes milliseconds.
  struct FoundTail {
    std::atomic<mpfr_exp_t> exponent = std::numeric_limits<mpfr_exp_t>::max();
    std::atomic<double> limit = 0;
  };

  Definition definition_;
  std::vector<Plateau> plateaus_;
  mutable FoundTail tails_[2][3];  ///< for negative x, and for each order
};

/// One unit in the last place of y in a format.
double unit_of(double y, Format format);

/// Nearest even. An exact zero is +0.
double rounded(mpfr_srcptr value, Rounding to);
/// The number that all of an interval rounds to.
std::optional<double> rounded(const Interval& v, Rounding to);

}  // namespace actfun::exact
