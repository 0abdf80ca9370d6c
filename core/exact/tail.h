// SPDX-License-Identifier: Apache-2.0
// A function far out, as a series in t = 1/|x|: t^n (c0 + c1 t + ...), with enclosures of the coefficients at t = 0 and
// over 0 <= t <= reach. For what behaves like powers of x: roots of polynomials, fractions, arc tangent of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/exact/series.h"

namespace actfun::exact {

/// Thrown by all that has no such series, and where the reach is too long to tell.
struct NoTail {};

class Tail {
 public:
  Tail(int value) : Tail(0, Series(value), Series(value)) {}     // NOLINT: constants convert, as in 2 * x
  Tail(double value) : Tail(0, Series(value), Series(value)) {}  // NOLINT
  static Tail pi() { return Tail(0, Series::pi(), Series::pi()); }
  /// x = 1/t or -1/t. For the current truncation of series.
  static Tail variable(bool negative) { return Tail(-1, Series(negative ? -1 : 1), Series(negative ? -1 : 1)); }

  /// While one of these lives, this thread's tails hold for t up to `reach`.
  class Reach {
   public:
    explicit Reach(double reach) : outer_(current()) { current() = reach; }
    ~Reach() { current() = outer_; }
    Reach(const Reach&) = delete;
    Reach& operator=(const Reach&) = delete;
    static double& current() {
      thread_local double reach = 0;
      return reach;
    }

   private:
    double outer_;
  };

  int power() const { return power_; }  ///< n
  /// Derivatives at t = 0 and over the reach, `lost` fewer than the truncation says.
  const Series& at_infinity() const { return at_; }
  const Series& over() const { return over_; }
  std::size_t lost() const { return lost_; }

  friend Tail operator-(const Tail& a) { return Tail(a.power_, -a.at_, -a.over_, a.lost_); }
  friend Tail operator+(const Tail& a, const Tail& b) {
    if (a.zero()) return b;
    if (b.zero()) return a;
    const int power = std::min(a.power_, b.power_);
    const Tail x = a.lowered(power), y = b.lowered(power);
    return Tail(power, x.at_ + y.at_, x.over_ + y.over_, std::max(a.lost_, b.lost_));
  }
  friend Tail operator-(const Tail& a, const Tail& b) { return a + -b; }
  friend Tail operator*(const Tail& a, const Tail& b) {
    return Tail(a.power_ + b.power_, a.at_ * b.at_, a.over_ * b.over_, std::max(a.lost_, b.lost_));
  }
  friend Tail operator/(const Tail& a, const Tail& b) {
    if (b.zero() || b.over_[0].contains_zero()) throw NoTail{};
    return Tail(a.power_ - b.power_, a.at_ / b.at_, a.over_ / b.over_, std::max(a.lost_, b.lost_));
  }
  friend Condition operator>(const Tail& a, const Tail& b) {
    const Tail d = a - b;
    if (!d.zero() && d.over_[0].contains_zero()) throw NoTail{};
    return {!d.zero() && mpfr_sgn(d.over_[0].lower()) > 0};
  }
  friend Condition operator<(const Tail& a, const Tail& b) { return b > a; }
  friend Tail select(Condition c, const Tail& yes, const Tail& no) { return c.holds ? yes : no; }

  friend Tail sqrt(const Tail& z) {
    if (z.power_ % 2 != 0 || mpfr_sgn(z.over_[0].lower()) <= 0) throw NoTail{};
    return Tail(z.power_ / 2, sqrt(z.at_), sqrt(z.over_), z.lost_);
  }
  friend Tail atan(const Tail& z) {
    if (z.power_ >= 0 || z.zero()) return z.of([](const Series& s) { return atan(s); });
    const Tail right_angle = pi() / 2;
    return (z > 0).holds ? right_angle - atan(1 / z) : -right_angle - atan(1 / z);
  }
  friend Tail exp(const Tail& z) {
    return z.of([](const Series& s) { return exp(s); });
  }
  friend Tail expm1(const Tail& z) {
    return z.of([](const Series& s) { return expm1(s); });
  }
  friend Tail log(const Tail& z) {
    return z.of([](const Series& s) { return log(s); });
  }
  friend Tail log1p(const Tail& z) {
    return z.of([](const Series& s) { return log1p(s); });
  }
  friend Tail erf(const Tail& z) {
    return z.of([](const Series& s) { return erf(s); });
  }
  friend Tail erfc(const Tail& z) {
    return z.of([](const Series& s) { return erfc(s); });
  }
  friend Tail tanh(const Tail& z) {
    return z.of([](const Series& s) { return tanh(s); });
  }
  friend Tail sin(const Tail& z) {
    return z.of([](const Series& s) { return sin(s); });
  }
  friend Tail sigmoid(const Tail& z) {
    return z.of([](const Series& s) { return sigmoid(s); });
  }
  friend Tail softplus(const Tail& z) {
    return z.of([](const Series& s) { return softplus(s); });
  }

 private:
  Tail(int power, Series at, Series over, std::size_t lost = 0)
      : power_(power), lost_(lost), at_(std::move(at)), over_(std::move(over)) {
    // A leading coefficient that is exactly zero: g(t)/t, whose k-th derivative is some g^(k+1)/(k+1) on the way to t.
    while (!zero() && at_[0].zero()) {
      if (++power_ > 8) throw NoTail{};
      ++lost_;
      at_ = at_.divided_by_variable();
      over_ = over_.divided_by_variable();
    }
  }

  bool zero() const { return at_.size() == 1 && at_[0].zero() && over_.size() == 1 && over_[0].zero(); }
  Tail lowered(int power) const {
    Tail r = *this;
    for (; r.power_ > power; --r.power_) {
      r.at_ = r.at_ * Series::variable(0);
      r.over_ = r.over_ * Series::variable(Interval::hull(0, Reach::current()));
    }
    return r;
  }
  template <class F>
  Tail of(F f) const {
    if (zero()) return Tail(0, f(at_), f(over_), lost_);
    if (power_ < 0) throw NoTail{};
    const Tail z = lowered(0);
    return Tail(0, f(z.at_), f(z.over_), lost_);
  }

  int power_;
  std::size_t lost_;
  Series at_, over_;
};

}  // namespace actfun::exact
