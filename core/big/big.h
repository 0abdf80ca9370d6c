// SPDX-License-Identifier: Apache-2.0
// Big: a number with 256 bits of significand and an exponent that no activation function exceeds. The last try, where
// double-doubles leave a rounding open or run out of exponents: at the roots of a derivative, in the tails of f64, at
// ties. It reads like a lane type with one lane, so the very text of a function in functions/ runs on it. Operations
// are out of line and take some 50 ns, elementary functions some 10 us.
//
// Relative error 2^-250 an operation and 2^-150 or less an elementary function, measured against MPFR by
// tests/big_test.cc.
#pragma once

#include <array>
#include <cstdint>

#include "backends/cpu/kernels.h"

namespace actfun::big {

/// What a comparison says. A type of its own, so that `select` is found through it.
struct Truth {
  bool holds;
  friend Truth operator&(Truth a, Truth b) { return {a.holds && b.holds}; }
  friend Truth operator|(Truth a, Truth b) { return {a.holds || b.holds}; }
  friend Truth operator!(Truth a) { return {!a.holds}; }
};

class Big {
 public:
  Big() = default;
  Big(double x);  // NOLINT: exact constants convert, as in 2.0 * x; must be finite
  explicit Big(Constant c);
  static Big constant(double high, double low, double lowest = 0);
  static Big power_of_two(std::int64_t exponent);

  friend Big operator-(Big a);
  friend Big operator+(const Big& a, const Big& b);
  friend Big operator-(const Big& a, const Big& b);
  friend Big operator*(const Big& a, const Big& b);
  friend Big operator/(const Big& a, const Big& b);
  friend Truth operator<(const Big& a, const Big& b);
  friend Truth operator>(const Big& a, const Big& b) { return b < a; }
  friend Truth operator>=(const Big& a, const Big& b) { return !(a < b); }
  friend Truth operator<=(const Big& a, const Big& b) { return !(b < a); }
  friend Truth operator==(const Big& a, const Big& b) { return !((a < b) | (b < a)); }

  bool zero() const { return (limbs_[3] >> 63) == 0; }
  bool negative() const { return negative_; }
  /// a 2^n
  friend Big scale(Big a, std::int64_t n);
  friend Big abs(Big a);
  friend Big copysign(Big magnitude, const Big& sign);
  friend Truth negative(const Big& a) { return {a.negative_}; }
  friend Big sqrt(const Big& a);

  /// The exponent of the leading bit: 2^exponent() <= |a| < 2^(exponent() + 1). Not for zero.
  std::int64_t exponent() const { return exponent_; }
  /// The nearest double, ties to even, overflow to infinity; a zero keeps its sign.
  double nearest() const { return rounded(53, -1022); }
  /// The nearest number, ties to even, of a format with `precision` <= 53 bits whose least normal number is
  /// 2^least_exponent. Nothing is too large for it but what is too large for a double.
  double rounded(int precision, int least_exponent) const;
  /// The nearest integer, ties to even, cut to +-2^62.
  std::int64_t nearest_integer() const;

 private:
  /// Least significant first; the top bit is set unless the number is zero.
  std::array<std::uint64_t, 4> limbs_{};
  std::int64_t exponent_ = 0;
  bool negative_ = false;

  static Big normal(const std::uint64_t* limbs, int count, std::int64_t exponent, bool negative);
  static int compare_magnitudes(const Big& a, const Big& b);
  friend struct Quadrant reduce(const Big& angle);
  static Big add_magnitudes(const Big& a, const Big& b);
  static Big subtract_magnitudes(const Big& larger, const Big& smaller);
};

template <class X>
X pi();
template <>
Big pi<Big>();

// The language of functions/: see core/lane and core/elementary, whose names and meanings these have.
inline Big select(Truth condition, const Big& yes, const Big& no) { return condition.holds ? yes : no; }
Big fma(const Big& a, const Big& b, const Big& c);
Big fnma(const Big& a, const Big& b, const Big& c);
Big at_least(const Big& a, double bound);
Big at_most(const Big& a, double bound);
Big reciprocal(const Big& a);
Big quick_reciprocal(const Big& a);
Big cancelling_sum(const Big& a, const Big& b);
Big exact_product(const Big& a, const Big& b);
Big near_zero(const Big& x, const Big& series, const Big& general);
Big cut(const Big& x);
Big cut_for_square(const Big& x);
Big exp(const Big& x);
Big exp_decay(const Big& x);
Big expm1(const Big& x);
Big log1p(const Big& x);
Big sigmoid(const Big& x);
struct Logistic {
  Big s, c, d;
};
Logistic logistic(const Big& x);
Big tanh(const Big& x);
Big sech2(const Big& x);
Big reciprocal_sqrt(const Big& x);
Big wide_sum(const Big& a, const Big& b);
Big wide_product(const Big& a, const Big& b);
Big wide_square(const Big& a);
Big wide_quotient(const Big& a, const Big& b);
Big narrow(const Big& a);
Big exact_fma(const Big& a, const Big& b, const Big& c);
Big exp_fine(const Big& x);
Big exp_remainder(const Big& x);
Big softplus(const Big& x);
struct RootOfSoftplus {
  Big w, q, s, complement;
};
RootOfSoftplus root_of_softplus(const Big& x);
Big tanhshrink(const Big& x);
Big atan(const Big& x);
Big erf(const Big& x);
/// sin(a b + eighths pi/4)
Big sine_of_product(const Big& a, const Big& b, int eighths);
template <int eighths>
Big sin_of_product(const Big& a, const Big& b) {
  return sine_of_product(a, b, eighths);
}
Big normal_density(const Big& x);
Big normal_cumulative(const Big& x);

/// One part of a function at x.
using Evaluate = Big (*)(const Big& x, const Constant* p);
/// By `Part`; null where the function has no such part.
struct Evaluators {
  Evaluate part[kParts];
};

}  // namespace actfun::big
