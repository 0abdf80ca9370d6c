// SPDX-License-Identifier: Apache-2.0
#include "core/exact/interval.h"

#include <algorithm>

namespace actfun::exact {
namespace {

thread_local mpfr_prec_t working_bits = 160;

/// Beyond 2^kFarthestWave a sine is anything between -1 and 1: to reduce 2^(2^30) takes that many bits of pi.
constexpr mpfr_exp_t kFarthestWave = 1 << 14;

/// MPFR keeps constants for each thread, and frees them only when told to.
struct CacheOfThread {
  ~CacheOfThread() { mpfr_free_cache(); }
};

}  // namespace

Precision::Precision(mpfr_prec_t bits) : bits_(working_bits), least_(mpfr_get_emin()), greatest_(mpfr_get_emax()) {
  thread_local const CacheOfThread cache;
  working_bits = bits;
  mpfr_set_emin(mpfr_get_emin_min());
  mpfr_set_emax(mpfr_get_emax_max());
}
Precision::~Precision() {
  working_bits = bits_;
  mpfr_set_emin(least_);
  mpfr_set_emax(greatest_);
}
mpfr_prec_t Precision::bits() { return working_bits; }

Decisions& Decisions::current() {
  thread_local Decisions decisions;
  return decisions;
}

// a > b for intervals that are taken without their ends (unless they are points): [0, 1] > 0 holds.
bool Decisions::greater(const Interval& a, const Interval& b) {
  if (replay) return (*replay)[next++];
  if (!a.defined() || !b.defined()) throw Undecided{};
  bool decision;
  if (mpfr_lessequal_p(a.upper(), b.lower())) {
    decision = false;
  } else if (mpfr_greater_p(a.lower(), b.upper())) {
    decision = true;
  } else if (mpfr_equal_p(a.lower(), b.upper())) {
    decision = open_end = true;
  } else {
    throw Undecided{};
  }
  record.push_back(decision);
  return decision;
}

Interval::Interval(Uninitialized) {
  mpfr_init2(lower_, working_bits);
  mpfr_init2(upper_, working_bits);
}
Interval::Interval(int value) {
  mpfr_init2(lower_, 32);
  mpfr_init2(upper_, 32);
  mpfr_set_si(lower_, value, MPFR_RNDN);
  mpfr_set_si(upper_, value, MPFR_RNDN);
}
Interval::Interval(double value) : Interval(hull(value, value)) {}
Interval Interval::hull(double a, double b) {
  Interval r{Uninitialized{}};
  mpfr_set_prec(r.lower_, 53);
  mpfr_set_prec(r.upper_, 53);
  mpfr_set_d(r.lower_, a < b ? a : b, MPFR_RNDN);
  mpfr_set_d(r.upper_, a < b ? b : a, MPFR_RNDN);
  return r;
}
Interval Interval::power_of_two(mpfr_exp_t exponent) {
  Interval r{1};
  mpfr_mul_2si(r.lower_, r.lower_, exponent, MPFR_RNDN);
  mpfr_set(r.upper_, r.lower_, MPFR_RNDN);
  return r;
}
Interval Interval::from(mpq_srcptr fraction) {
  Interval r{Uninitialized{}};
  r.lower_open_ = mpfr_set_q(r.lower_, fraction, MPFR_RNDD) != 0;
  r.upper_open_ = mpfr_set_q(r.upper_, fraction, MPFR_RNDU) != 0;
  return r;
}
Interval Interval::pi() {
  Interval r{Uninitialized{}};
  mpfr_const_pi(r.lower_, MPFR_RNDD);
  mpfr_const_pi(r.upper_, MPFR_RNDU);
  r.lower_open_ = r.upper_open_ = true;
  return r;
}
Interval Interval::undefined() { return Interval{Uninitialized{}}; }  // MPFR starts every number as NaN

Interval::Interval(const Interval& other) : lower_open_(other.lower_open_), upper_open_(other.upper_open_) {
  mpfr_init2(lower_, mpfr_get_prec(other.lower_));
  mpfr_init2(upper_, mpfr_get_prec(other.upper_));
  mpfr_set(lower_, other.lower_, MPFR_RNDN);
  mpfr_set(upper_, other.upper_, MPFR_RNDN);
}
Interval::Interval(Interval&& other) noexcept : lower_open_(other.lower_open_), upper_open_(other.upper_open_) {
  *lower_ = *other.lower_;
  *upper_ = *other.upper_;
  other.lower_->_mpfr_d = other.upper_->_mpfr_d = nullptr;  // MPFR numbers may move; what is left must only be dropped
}
Interval& Interval::operator=(Interval other) noexcept {
  std::swap(*lower_, *other.lower_);
  std::swap(*upper_, *other.upper_);
  lower_open_ = other.lower_open_;
  upper_open_ = other.upper_open_;
  return *this;
}
Interval::~Interval() {
  if (!lower_->_mpfr_d) return;
  mpfr_clear(lower_);
  mpfr_clear(upper_);
}

Interval operator-(const Interval& a) {
  Interval r{a};
  mpfr_neg(r.lower_, r.lower_, MPFR_RNDN);
  mpfr_neg(r.upper_, r.upper_, MPFR_RNDN);
  mpfr_swap(r.lower_, r.upper_);
  std::swap(r.lower_open_, r.upper_open_);
  return r;
}
// MPFR's ternary value tells whether an end was rounded, away from all values.
Interval operator+(const Interval& a, const Interval& b) {
  Interval r{Interval::Uninitialized{}};
  r.lower_open_ = mpfr_add(r.lower_, a.lower_, b.lower_, MPFR_RNDD) != 0 || a.lower_open_ || b.lower_open_;
  r.upper_open_ = mpfr_add(r.upper_, a.upper_, b.upper_, MPFR_RNDU) != 0 || a.upper_open_ || b.upper_open_;
  return r;
}
Interval operator-(const Interval& a, const Interval& b) {
  Interval r{Interval::Uninitialized{}};
  r.lower_open_ = mpfr_sub(r.lower_, a.lower_, b.upper_, MPFR_RNDD) != 0 || a.lower_open_ || b.upper_open_;
  r.upper_open_ = mpfr_sub(r.upper_, a.upper_, b.lower_, MPFR_RNDU) != 0 || a.upper_open_ || b.lower_open_;
  return r;
}
Interval& Interval::operator+=(const Interval& b) {
  if (mpfr_get_prec(lower_) < working_bits) return *this = *this + b;
  lower_open_ |= (mpfr_add(lower_, lower_, b.lower_, MPFR_RNDD) != 0) | b.lower_open_;
  upper_open_ |= (mpfr_add(upper_, upper_, b.upper_, MPFR_RNDU) != 0) | b.upper_open_;
  return *this;
}
Interval& Interval::operator-=(const Interval& b) {
  if (mpfr_get_prec(lower_) < working_bits) return *this = *this - b;
  lower_open_ |= (mpfr_sub(lower_, lower_, b.upper_, MPFR_RNDD) != 0) | b.upper_open_;
  upper_open_ |= (mpfr_sub(upper_, upper_, b.lower_, MPFR_RNDU) != 0) | b.lower_open_;
  return *this;
}

Interval operator*(const Interval& a, const Interval& b) {
  if (!a.defined() || !b.defined()) return Interval::undefined();
  if (a.zero() || b.zero()) return 0;
  // A zero end times an infinite one (which stands for an overflow) is 0, not NaN. A product is reached when both
  // factors are; zero, when one is.
  const auto multiply = [](mpfr_t r, mpfr_srcptr x, bool x_open, mpfr_srcptr y, bool y_open, mpfr_rnd_t rounding) {
    if (!mpfr_zero_p(x) && !mpfr_zero_p(y)) return mpfr_mul(r, x, y, rounding) != 0 || x_open || y_open;
    mpfr_set_zero(r, 1);
    return (!mpfr_zero_p(x) || x_open) && (!mpfr_zero_p(y) || y_open);
  };
  Interval r{Interval::Uninitialized{}};
  const bool a_up = mpfr_sgn(a.lower_) >= 0, a_down = mpfr_sgn(a.upper_) <= 0;
  const bool b_up = mpfr_sgn(b.lower_) >= 0, b_down = mpfr_sgn(b.upper_) <= 0;
  if (!(a_up || a_down) && !(b_up || b_down)) {
    Interval s{Interval::Uninitialized{}};
    multiply(r.lower_, a.lower_, false, b.upper_, false, MPFR_RNDD);
    multiply(s.lower_, a.upper_, false, b.lower_, false, MPFR_RNDD);
    multiply(r.upper_, a.lower_, false, b.lower_, false, MPFR_RNDU);
    multiply(s.upper_, a.upper_, false, b.upper_, false, MPFR_RNDU);
    mpfr_min(r.lower_, r.lower_, s.lower_, MPFR_RNDD);
    mpfr_max(r.upper_, r.upper_, s.upper_, MPFR_RNDU);
    return r;
  }
  // Each end of the product is the product of two ends; the signs tell which.
  const auto product = [&](mpfr_t end, bool a_lower, bool b_lower, mpfr_rnd_t rounding) {
    return multiply(end, a_lower ? a.lower_ : a.upper_, a_lower ? a.lower_open_ : a.upper_open_,
                    b_lower ? b.lower_ : b.upper_, b_lower ? b.lower_open_ : b.upper_open_, rounding);
  };
  r.lower_open_ = product(r.lower_, b_up || (!b_down && a_down), a_up || (!a_down && b_down), MPFR_RNDD);
  r.upper_open_ = product(r.upper_, !(b_up || (!b_down && a_up)), !(a_up || (!a_down && b_up)), MPFR_RNDU);
  return r;
}

Interval operator*(unsigned long n, Interval a) {
  if (n == 1) return a;
  a.lower_open_ |= mpfr_mul_ui(a.lower_, a.lower_, n, MPFR_RNDD) != 0;
  a.upper_open_ |= mpfr_mul_ui(a.upper_, a.upper_, n, MPFR_RNDU) != 0;
  return a;
}

Interval scaled(Interval a, long exponent) {
  a.lower_open_ |= mpfr_mul_2si(a.lower_, a.lower_, exponent, MPFR_RNDD) != 0;
  a.upper_open_ |= mpfr_mul_2si(a.upper_, a.upper_, exponent, MPFR_RNDU) != 0;
  return a;
}

Interval operator/(const Interval& a, const Interval& b) {
  if (!a.defined() || !b.defined() || b.contains_zero()) return Interval::undefined();
  if (a.zero()) return 0;
  Interval r{Interval::Uninitialized{}};
  const bool b_up = mpfr_sgn(b.lower_) > 0;
  const bool a_up = mpfr_sgn(a.lower_) >= 0, a_down = mpfr_sgn(a.upper_) <= 0;
  // For b > 0 a negative end grows by dividing by the least b, a positive one by the greatest; b < 0 mirrors it.
  const auto divide = [&](mpfr_t end, bool a_lower, bool b_lower, mpfr_rnd_t rounding) {
    const mpfr_srcptr x = a_lower ? a.lower_ : a.upper_;
    const bool x_open = a_lower ? a.lower_open_ : a.upper_open_, y_open = b_lower ? b.lower_open_ : b.upper_open_;
    const bool rounded = mpfr_div(end, x, b_lower ? b.lower_ : b.upper_, rounding) != 0;
    return rounded || x_open || (y_open && !mpfr_zero_p(x));
  };
  r.lower_open_ = divide(r.lower_, b_up, b_up ? !a_up : a_down, MPFR_RNDD);
  r.upper_open_ = divide(r.upper_, !b_up, b_up ? !a_down : a_up, MPFR_RNDU);
  if (mpfr_nan_p(r.lower_) || mpfr_nan_p(r.upper_)) return Interval::undefined();  // both overflowed
  return r;
}

/// f(r, x, rounding) computes a strictly increasing function and tells whether r is not its value.
template <class F>
Interval Interval::increasing(const Interval& a, F f, bool correctly_rounded) {
  Interval r{Uninitialized{}};
  if (!a.defined()) return r;
  r.lower_open_ = f(r.lower_, a.lower_, MPFR_RNDD) != 0 || a.lower_open_;
  if (correctly_rounded && a.point()) {  // the upper end is the next number, if not the same
    mpfr_set(r.upper_, r.lower_, MPFR_RNDN);
    if (r.lower_open_) mpfr_nextabove(r.upper_);
    r.upper_open_ = r.lower_open_;
    return mpfr_nan_p(r.lower_) ? undefined() : r;
  }
  r.upper_open_ = f(r.upper_, a.upper_, MPFR_RNDU) != 0 || a.upper_open_;
  if (mpfr_nan_p(r.lower_) || mpfr_nan_p(r.upper_)) return undefined();
  return r;
}

Interval sqrt(const Interval& a) { return Interval::increasing(a, mpfr_sqrt); }
Interval exp(const Interval& a) { return Interval::increasing(a, mpfr_exp); }
Interval expm1(const Interval& a) { return Interval::increasing(a, mpfr_expm1); }
Interval log(const Interval& a) { return Interval::increasing(a, mpfr_log); }
Interval log1p(const Interval& a) { return Interval::increasing(a, mpfr_log1p); }
Interval erf(const Interval& a) { return Interval::increasing(a, mpfr_erf); }
Interval tanh(const Interval& a) { return Interval::increasing(a, mpfr_tanh); }
Interval erfc(const Interval& a) {
  return Interval::increasing(-a, [](mpfr_t r, mpfr_srcptr x, mpfr_rnd_t rounding) {
    mpfr_t minus;
    mpfr_init2(minus, mpfr_get_prec(x));
    mpfr_neg(minus, x, MPFR_RNDN);
    const int rounded = mpfr_erfc(r, minus, rounding);
    mpfr_clear(minus);
    return rounded;
  });
}

Interval atan(const Interval& a) { return Interval::increasing(a, mpfr_atan); }

/// f is sin or cos, whose maxima lie at `peak` + 4 n quarter turns. An extremum that may lie in `a` is taken to.
template <class F>
Interval Interval::wave(const Interval& a, F f, int peak) {
  if (!a.defined()) return undefined();
  const auto far = [](mpfr_srcptr x) {
    return mpfr_inf_p(x) || (mpfr_regular_p(x) && mpfr_get_exp(x) > kFarthestWave);
  };
  if (far(a.lower_) || far(a.upper_)) {
    Interval r{-1};
    mpfr_set_si(r.upper_, 1, MPFR_RNDN);
    return r;
  }
  Interval r{Uninitialized{}}, other{Uninitialized{}};
  const bool rounded = f(r.lower_, a.lower_, MPFR_RNDD) != 0;
  mpfr_set(r.upper_, r.lower_, MPFR_RNDN);
  if (rounded) mpfr_nextabove(r.upper_);
  if (a.point()) {
    r.lower_open_ = r.upper_open_ = rounded;
    return r;
  }
  f(other.lower_, a.upper_, MPFR_RNDD);
  f(other.upper_, a.upper_, MPFR_RNDU);
  mpfr_min(r.lower_, r.lower_, other.lower_, MPFR_RNDD);
  mpfr_max(r.upper_, r.upper_, other.upper_, MPFR_RNDU);
  // The quarter turns in `a`, counted from the one before the peak: the peak has number 1, the trough 3.
  const mpfr_exp_t exponent = std::max({mpfr_exp_t{0}, mpfr_zero_p(a.lower_) ? 0 : mpfr_get_exp(a.lower_),
                                        mpfr_zero_p(a.upper_) ? 0 : mpfr_get_exp(a.upper_)});
  const Precision precision(working_bits + exponent);
  Interval quarters = scaled(a, 1) / pi() - Interval(peak - 1);
  mpfr_ceil(quarters.lower_, quarters.lower_);
  mpfr_floor(quarters.upper_, quarters.upper_);
  mpfr_t first, count;
  mpfr_inits2(mpfr_get_prec(quarters.lower_), first, count, nullptr);
  mpfr_sub(count, quarters.upper_, quarters.lower_, MPFR_RNDU);
  const long n = mpfr_cmp_si(count, 4) >= 0 ? 4 : mpfr_get_si(count, MPFR_RNDU) + 1;
  mpfr_set_si(count, 4, MPFR_RNDN);
  mpfr_fmod(first, quarters.lower_, count, MPFR_RNDN);  // exact
  const long start = mpfr_get_si(first, MPFR_RNDN) + 4;
  for (long k = start; k < start + n; ++k) {
    if (k % 4 == 1) mpfr_set_si(r.upper_, 1, MPFR_RNDN);
    if (k % 4 == 3) mpfr_set_si(r.lower_, -1, MPFR_RNDN);
  }
  mpfr_clears(first, count, nullptr);
  return r;
}
Interval sin(const Interval& a) { return Interval::wave(a, mpfr_sin, 1); }
Interval cos(const Interval& a) { return Interval::wave(a, mpfr_cos, 0); }

Interval sigmoid(const Interval& a) { return 1 / (1 + exp(-a)); }

// Increasing, so each end by itself; above 0 as z + log1p(exp(-z)), where exp(z) could overflow.
Interval softplus(const Interval& a) {
  return Interval::increasing(
      a,
      [](mpfr_t r, mpfr_srcptr z, mpfr_rnd_t rounding) {
        const bool positive = mpfr_sgn(z) > 0;
        mpfr_t minus;
        mpfr_init2(minus, mpfr_get_prec(z));
        mpfr_set(minus, z, MPFR_RNDN);
        if (positive) mpfr_neg(minus, minus, MPFR_RNDN);
        mpfr_exp(r, minus, rounding);
        mpfr_log1p(r, r, rounding);
        if (positive) mpfr_add(r, z, r, rounding);
        mpfr_clear(minus);
        return mpfr_number_p(z);  // transcendental, whatever z
      },
      false);
}

}  // namespace actfun::exact
