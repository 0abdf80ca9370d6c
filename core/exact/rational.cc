// SPDX-License-Identifier: Apache-2.0
#include "core/exact/rational.h"

namespace actfun::exact {

Rational Rational::variable(const Interval& point) {
  constexpr mpfr_exp_t kLargestExponent = 20000;
  if (!point.point() || !point.bounded()) throw Irrational{};
  if (!point.zero() && std::abs(mpfr_get_exp(point.lower())) > kLargestExponent) throw Irrational{};
  Rational x(0);
  mpfr_get_q(x.d_[0].get_mpq_t(), point.lower());
  x.d_[1] = 1;
  return x;
}

Interval Rational::operator[](std::size_t k) const { return Interval::from(d_[k].get_mpq_t()); }

Rational operator+(const Rational& a, const Rational& b) {
  Rational r(0);
  for (std::size_t k = 0; k < 3; ++k) r.d_[k] = a.d_[k] + b.d_[k];
  return r;
}
Rational operator-(const Rational& a, const Rational& b) {
  Rational r(0);
  for (std::size_t k = 0; k < 3; ++k) r.d_[k] = a.d_[k] - b.d_[k];
  return r;
}
Rational operator*(const Rational& a, const Rational& b) {
  Rational r(0);
  r.d_[0] = a.d_[0] * b.d_[0];
  r.d_[1] = a.d_[1] * b.d_[0] + a.d_[0] * b.d_[1];
  r.d_[2] = a.d_[2] * b.d_[0] + 2 * a.d_[1] * b.d_[1] + a.d_[0] * b.d_[2];
  return r;
}
Rational operator/(const Rational& a, const Rational& b) {
  if (b.d_[0] == 0) throw Irrational{};
  Rational q(0);
  q.d_[0] = a.d_[0] / b.d_[0];
  q.d_[1] = (a.d_[1] - q.d_[0] * b.d_[1]) / b.d_[0];
  q.d_[2] = (a.d_[2] - 2 * q.d_[1] * b.d_[1] - q.d_[0] * b.d_[2]) / b.d_[0];
  return q;
}

}  // namespace actfun::exact
