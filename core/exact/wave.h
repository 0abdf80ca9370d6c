// SPDX-License-Identifier: Apache-2.0
// A proof, by running the definition, that f(x + T) = f(x) + drift T with T = 2 pi / frequency: sine, or an x plus
// something of a sine. What is not of this form throws.
#pragma once

#include "core/exact/interval.h"

namespace actfun::exact {

/// Thrown by all that is neither periodic nor x times a constant plus something periodic.
struct NotPeriodic {};

class Wave {
 public:
  Wave(int value) : constant_(value) {}     // NOLINT: constants convert, as in 2 * x
  Wave(double value) : constant_(value) {}  // NOLINT
  static Wave variable() { return Wave(1, 0, 0); }
  static Wave pi() { return Wave(0, Interval::pi(), 0); }

  const Interval& drift() const { return drift_; }
  /// A point, above 0; the point 0 where no sine depends on x.
  const Interval& frequency() const { return frequency_; }

  friend Wave operator-(const Wave& a) { return Wave(-a.drift_, -a.constant_, a.frequency_); }
  friend Wave operator+(const Wave& a, const Wave& b) {
    return Wave(a.drift_ + b.drift_, a.constant_ + b.constant_, common(a, b));
  }
  friend Wave operator-(const Wave& a, const Wave& b) { return a + -b; }
  friend Wave operator*(const Wave& a, const Wave& b) {
    if (b.constant()) return Wave(a.drift_ * b.constant_, a.constant_ * b.constant_, a.frequency_);
    if (a.constant()) return b * a;
    return periodic(a, b);
  }
  friend Wave operator/(const Wave& a, const Wave& b) {
    if (b.constant()) return Wave(a.drift_ / b.constant_, a.constant_ / b.constant_, a.frequency_);
    return periodic(a, b);
  }
  friend Condition operator>(const Wave& a, const Wave& b) {
    if (!a.constant() || !b.constant()) throw NotPeriodic{};
    return a.constant_ > b.constant_;
  }
  friend Condition operator<(const Wave& a, const Wave& b) { return b > a; }
  friend Wave select(Condition c, const Wave& yes, const Wave& no) { return c.holds ? yes : no; }

  friend Wave sin(const Wave& z) {
    if (z.drift_.zero()) return z.constant() ? Wave(0, sin(z.constant_), 0) : z;
    if (!z.frequency_.zero() || !z.drift_.point()) throw NotPeriodic{};
    return Wave(0, 0, mpfr_sgn(z.drift_.lower()) < 0 ? -z.drift_ : z.drift_);
  }
  friend Wave sqrt(const Wave& z) {
    return of(z, [](const Interval& c) { return sqrt(c); });
  }
  friend Wave exp(const Wave& z) {
    return of(z, [](const Interval& c) { return exp(c); });
  }
  friend Wave expm1(const Wave& z) {
    return of(z, [](const Interval& c) { return expm1(c); });
  }
  friend Wave log(const Wave& z) {
    return of(z, [](const Interval& c) { return log(c); });
  }
  friend Wave log1p(const Wave& z) {
    return of(z, [](const Interval& c) { return log1p(c); });
  }
  friend Wave erf(const Wave& z) {
    return of(z, [](const Interval& c) { return erf(c); });
  }
  friend Wave erfc(const Wave& z) {
    return of(z, [](const Interval& c) { return erfc(c); });
  }
  friend Wave tanh(const Wave& z) {
    return of(z, [](const Interval& c) { return tanh(c); });
  }
  friend Wave atan(const Wave& z) {
    return of(z, [](const Interval& c) { return atan(c); });
  }
  friend Wave sigmoid(const Wave& z) {
    return of(z, [](const Interval& c) { return sigmoid(c); });
  }
  friend Wave softplus(const Wave& z) {
    return of(z, [](const Interval& c) { return softplus(c); });
  }

 private:
  Wave(Interval drift, Interval constant, Interval frequency)
      : drift_(std::move(drift)), constant_(std::move(constant)), frequency_(std::move(frequency)) {}

  bool constant() const { return drift_.zero() && frequency_.zero(); }

  static Interval common(const Wave& a, const Wave& b) {
    if (a.frequency_.zero()) return b.frequency_;
    if (!b.frequency_.zero() && !mpfr_equal_p(a.frequency_.lower(), b.frequency_.lower())) throw NotPeriodic{};
    return a.frequency_;
  }
  static Wave periodic(const Wave& a, const Wave& b) {
    if (!a.drift_.zero() || !b.drift_.zero()) throw NotPeriodic{};
    return Wave(0, 0, common(a, b));
  }
  template <class F>
  static Wave of(const Wave& z, F f) {
    if (!z.drift_.zero()) throw NotPeriodic{};
    return Wave(0, z.constant() ? f(z.constant_) : Interval(0), z.frequency_);
  }

  Interval drift_{0};
  Interval constant_{0};  ///< what the rest is where there is no wave
  Interval frequency_{0};
};

}  // namespace actfun::exact
