// SPDX-License-Identifier: Apache-2.0
// Intervals of MPFR numbers. Every operation rounds outward, so the result holds every value that the operation takes
// on its operands; what the ends do not tell (0/0, the root of a negative number) is the undefined interval, which
// swallows all that it meets. An interval of one point is exact: 1/2 + 1/2 is the point 1, and x*0 is the point 0.
// An end is open when it is known that no value reaches it: tanh(2^24) lies in (1 - 2^-160, 1), so 2^24 - tanh(2^24)
// is more than the midpoint 2^24 - 1, by less than any precision could tell.
#pragma once

#include <gmp.h>  // before MPFR, which then knows fractions
#include <mpfr.h>

#include <utility>
#include <vector>

namespace actfun::exact {

/// While one of these lives, this thread computes with `bits` of precision and the widest range of exponents.
class Precision {
 public:
  explicit Precision(mpfr_prec_t bits);
  ~Precision();
  Precision(const Precision&) = delete;
  Precision& operator=(const Precision&) = delete;
  static mpfr_prec_t bits();

 private:
  mpfr_prec_t bits_;
  mpfr_exp_t least_, greatest_;
};

/// Thrown by a comparison of an interval that lies on both sides. Nobody outside of the oracle sees it.
struct Undecided {};

class Interval;

/// How comparisons decide, for this thread. Normally they look at the interval and append what they decided to
/// `record`; while `replay` is set they repeat a recorded list instead. So the Taylor series at a point takes the
/// branches of the piece around it, even where the point is a kink on the piece's edge.
struct Decisions {
  std::vector<bool> record;
  const std::vector<bool>* replay = nullptr;
  std::size_t next = 0;
  /// Set when an interval, taken without its ends, was decided otherwise than one of its ends would have been.
  bool open_end = false;

  static Decisions& current();
  bool greater(const Interval& a, const Interval& b);
};

struct Condition {
  bool holds;
};
/// Where both branches are plain constants, as in the step function.
inline int select(Condition c, int yes, int no) { return c.holds ? yes : no; }

class Interval {
 public:
  Interval() : Interval(0) {}
  Interval(int value);     // NOLINT: exact constants convert, as in 2 * x
  Interval(double value);  // NOLINT
  static Interval power_of_two(mpfr_exp_t exponent);
  static Interval hull(double a, double b);
  static Interval from(mpq_srcptr fraction);
  static Interval pi();
  static Interval undefined();

  Interval(const Interval& other);
  Interval(Interval&& other) noexcept;
  Interval& operator=(Interval other) noexcept;
  ~Interval();

  mpfr_srcptr lower() const { return lower_; }
  mpfr_srcptr upper() const { return upper_; }
  bool lower_open() const { return lower_open_; }
  bool upper_open() const { return upper_open_; }
  bool defined() const { return !mpfr_nan_p(lower_); }
  /// Both ends are numbers: nothing was undefined and nothing exceeded MPFR's range.
  bool bounded() const { return mpfr_number_p(lower_) && mpfr_number_p(upper_); }
  bool point() const { return mpfr_equal_p(lower_, upper_) != 0; }
  bool zero() const { return mpfr_zero_p(lower_) && mpfr_zero_p(upper_); }  ///< the point 0
  bool contains_zero() const { return mpfr_sgn(lower_) <= 0 && mpfr_sgn(upper_) >= 0; }

  Interval& operator+=(const Interval& b);
  Interval& operator-=(const Interval& b);

  friend Interval operator-(const Interval& a);
  friend Interval operator+(const Interval& a, const Interval& b);
  friend Interval operator-(const Interval& a, const Interval& b);
  friend Interval operator*(const Interval& a, const Interval& b);
  friend Interval operator*(unsigned long n, Interval a);
  friend Interval scaled(Interval a, long exponent);  ///< a * 2^exponent
  friend Interval operator/(const Interval& a, const Interval& b);
  friend Condition operator>(const Interval& a, const Interval& b) { return {Decisions::current().greater(a, b)}; }
  friend Condition operator<(const Interval& a, const Interval& b) { return {Decisions::current().greater(b, a)}; }
  friend Interval select(Condition c, const Interval& yes, const Interval& no) { return c.holds ? yes : no; }

  friend Interval sqrt(const Interval& a);
  friend Interval exp(const Interval& a);
  friend Interval expm1(const Interval& a);
  friend Interval log(const Interval& a);
  friend Interval log1p(const Interval& a);
  friend Interval erf(const Interval& a);
  friend Interval erfc(const Interval& a);
  friend Interval tanh(const Interval& a);
  friend Interval sin(const Interval& a);  ///< [-1, 1] where MPFR must not be asked to reduce
  friend Interval cos(const Interval& a);
  friend Interval atan(const Interval& a);
  friend Interval sigmoid(const Interval& a);
  friend Interval softplus(const Interval& a);

 private:
  struct Uninitialized {};
  explicit Interval(Uninitialized);
  template <class F>
  static Interval increasing(const Interval& a, F f, bool correctly_rounded = true);
  template <class F>
  static Interval wave(const Interval& a, F f, int peak);

  mpfr_t lower_, upper_;
  bool lower_open_ = false, upper_open_ = false;
};

}  // namespace actfun::exact
