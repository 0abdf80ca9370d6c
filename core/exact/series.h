// SPDX-License-Identifier: Apache-2.0
// A function's value and derivatives f, f', f'', ... at c as intervals: a truncated Taylor series without the
// factorials. Over a point c they enclose f^(k)(c), over an interval of c all of them at once, which is what a
// remainder needs. The factorials are left out because 1/6 is no interval of one point: without them sigmoid'''(0) =
// -1/8 is exact, and exact it must be to tell -x/8 + x^3/16 from a tie.
//
// The recurrences come from each function's differential equation. Those of sigmoid, softplus, tanh and erfc are
// chosen so that nothing cancels in their tails: with t(z) = sigmoid(-z), sigmoid' = sigmoid t and tanh' = 4
// sigmoid(2z) t(2z), products of positive numbers, where 1 - sigmoid or 1 - tanh^2 would lose everything.
#pragma once

#include <cstddef>
#include <vector>

#include "core/exact/interval.h"

namespace actfun::exact {

class Series {
 public:
  /// While one of these lives, this thread stops after the derivative of this order.
  class Order {
   public:
    explicit Order(std::size_t order);
    ~Order();
    Order(const Order&) = delete;
    Order& operator=(const Order&) = delete;

   private:
    std::size_t outer_;
  };

  Series(int value) : Series(Interval(value)) {}     // NOLINT: constants convert, as in 2 * x
  Series(double value) : Series(Interval(value)) {}  // NOLINT
  explicit Series(Interval constant) { derivatives_.push_back(std::move(constant)); }
  /// The variable itself: c + h for c in `center`.
  static Series variable(Interval center);
  static Series pi() { return Series(Interval::pi()); }

  /// The k-th derivative. Zero past the end: a polynomial is as long as its degree says, and its zeros are exact.
  const Interval& operator[](std::size_t k) const;
  /// Derivatives of g(t)/t for a g with g(0) = 0: g'/1, g''/2, ...; at 0, or over an interval from 0 on.
  Series divided_by_variable() const;
  /// Derivatives from here on are exactly zero.
  std::size_t size() const { return derivatives_.size(); }

  friend Series operator-(const Series& a);
  friend Series operator+(const Series& a, const Series& b);
  friend Series operator-(const Series& a, const Series& b);
  friend Series operator*(const Series& a, const Series& b);
  friend Series operator/(const Series& a, const Series& b);
  friend Condition operator>(const Series& a, const Series& b) { return a[0] > b[0]; }
  friend Condition operator<(const Series& a, const Series& b) { return a[0] < b[0]; }
  friend Series select(Condition c, const Series& yes, const Series& no) { return c.holds ? yes : no; }

  friend Series sqrt(const Series& z);
  friend Series exp(const Series& z);
  friend Series expm1(const Series& z);
  friend Series log(const Series& z);
  friend Series log1p(const Series& z);
  friend Series erf(const Series& z);
  friend Series erfc(const Series& z);
  friend Series tanh(const Series& z);
  friend Series sin(const Series& z);
  friend Series atan(const Series& z);
  friend Series sigmoid(const Series& z);
  friend Series softplus(const Series& z);

 private:
  Series() = default;
  void trim();
  static Series integral(Interval constant, const Series& derivative);
  static Series derivative(const Series& z);
  static Series logistic_slope(const Series& z, Series* logistic);

  std::vector<Interval> derivatives_;
};

}  // namespace actfun::exact
