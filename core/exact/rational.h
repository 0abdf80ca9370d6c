// SPDX-License-Identifier: Apache-2.0
// f, f' and f'' of a function that is rational at x, as fractions. Where an interval around 1/6 leaves a tie or a kink
// undecided for ever, these decide it. What is not rational throws.
#pragma once

#include <gmpxx.h>

#include <array>

#include "core/exact/interval.h"

namespace actfun::exact {

/// Thrown by every function and constant that is not rational.
struct Irrational {};

class Rational {
 public:
  Rational(int value) : d_{value, 0, 0} {}     // NOLINT: exact constants convert, as in 2 * x
  Rational(double value) : d_{value, 0, 0} {}  // NOLINT
  /// The variable itself, at a point. Throws Irrational if its fraction has too many digits to be worth it.
  static Rational variable(const Interval& point);
  static Rational pi() { throw Irrational{}; }

  const mpq_class& derivative(std::size_t k) const { return d_[k]; }
  /// The k-th derivative, k at most 2, as the tightest interval of this thread's precision.
  Interval operator[](std::size_t k) const;

  friend Rational operator-(const Rational& a) { return Rational(0) - a; }
  friend Rational operator+(const Rational& a, const Rational& b);
  friend Rational operator-(const Rational& a, const Rational& b);
  friend Rational operator*(const Rational& a, const Rational& b);
  friend Rational operator/(const Rational& a, const Rational& b);
  friend Condition operator>(const Rational& a, const Rational& b) { return {a.d_[0] > b.d_[0]}; }
  friend Condition operator<(const Rational& a, const Rational& b) { return {a.d_[0] < b.d_[0]}; }
  friend Rational select(Condition c, const Rational& yes, const Rational& no) { return c.holds ? yes : no; }

  friend Rational sqrt(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational exp(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational expm1(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational log(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational log1p(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational erf(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational erfc(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational tanh(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational sin(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational atan(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational sigmoid(const Rational& /*z*/) { throw Irrational{}; }
  friend Rational softplus(const Rational& /*z*/) { throw Irrational{}; }

 private:
  std::array<mpq_class, 3> d_;  ///< derivatives, without factorials
};

}  // namespace actfun::exact
