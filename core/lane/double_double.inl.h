// SPDX-License-Identifier: Apache-2.0
// DoubleDouble: a vector of unevaluated sums hi + lo of two doubles, |lo| <= ulp(hi) / 2, relative error about 2^-102
// an operation. The second try of the exact tier runs the very text of a function on it when a result on Real lies too
// close to a rounding boundary. The algorithms are Dekker's and Knuth's; see M. Joldes, J.-M. Muller and V. Popescu,
// ACM TOMS 44 (2017), for their bounds. lo may be smaller than hi by any factor: a sum like 1/2 + 1e-40 is exact.

/// Double-doubles are for second tries: their longer operations are out of line, one copy of each for all functions.
#define ACTFUN_SHARED inline HWY_NOINLINE

struct DoubleDouble {
  Real hi, lo;

  DoubleDouble() = default;
  HWY_INLINE DoubleDouble(Real x) : hi(x), lo(0.0) {}
  HWY_INLINE DoubleDouble(double c) : hi(c), lo(0.0) {}
  HWY_INLINE DoubleDouble(Real high, Real low) : hi(high), lo(low) {}
  HWY_INLINE DoubleDouble(TwoReals<1> s) : hi(s.high), lo(s.low) {}
  HWY_INLINE explicit DoubleDouble(Constant c) : hi(c.high), lo(c.low) {}
  static HWY_INLINE DoubleDouble constant(double high, double low, double /*lowest*/ = 0) {
    return {Real(high), Real(low)};
  }

  /// hi + lo where |hi| >= |lo| or hi = 0.
  static HWY_INLINE DoubleDouble normal(Real high, Real low) {
    const Real s = high + low;
    return {s, low - (s - high)};
  }

  HWY_INLINE friend DoubleDouble operator+(DoubleDouble a, DoubleDouble b) {
    const TwoReals<1> s = two_sum(a.hi, b.hi), t = two_sum(a.lo, b.lo);
    const DoubleDouble u = normal(s.high, s.low + t.high);
    return normal(u.hi, u.lo + t.low);
  }
  HWY_INLINE friend DoubleDouble operator-(DoubleDouble a) { return {-a.hi, -a.lo}; }
  HWY_INLINE friend DoubleDouble operator-(DoubleDouble a, DoubleDouble b) { return a + -b; }
  HWY_INLINE friend DoubleDouble operator*(DoubleDouble a, DoubleDouble b) {
    const TwoReals<1> p = two_product(a.hi, b.hi);
    // lo lo too: in (1/2 + x) (1/2 - x) all that is between it and hi cancels exactly.
    return normal(p.high, p.low + ((a.hi * b.lo + a.lo * b.hi) + a.lo * b.lo));
  }
  friend ACTFUN_SHARED DoubleDouble operator/(DoubleDouble a, DoubleDouble b) {
    const Real q = a.hi / b.hi;
    const DoubleDouble r = a - b * DoubleDouble(q);
    const Real q1 = r.hi / b.hi;
    const DoubleDouble r1 = r - b * DoubleDouble(q1);
    return normal(q, q1) + DoubleDouble(r1.hi / b.hi);
  }
  HWY_INLINE friend Mask operator<(DoubleDouble a, DoubleDouble b) {
    return (a.hi < b.hi) | ((a.hi == b.hi) & (a.lo < b.lo));
  }
  HWY_INLINE friend Mask operator>(DoubleDouble a, DoubleDouble b) { return b < a; }
  HWY_INLINE friend Mask operator>=(DoubleDouble a, DoubleDouble b) { return (a > b) | (a == b); }
  HWY_INLINE friend Mask operator==(DoubleDouble a, DoubleDouble b) { return (a.hi == b.hi) & (a.lo == b.lo); }
};

HWY_INLINE DoubleDouble select(Mask m, DoubleDouble yes, DoubleDouble no) {
  return {select(m, yes.hi, no.hi), select(m, yes.lo, no.lo)};
}
HWY_INLINE Mask negative(DoubleDouble a) { return negative(a.hi); }
HWY_INLINE DoubleDouble fma(DoubleDouble a, DoubleDouble b, DoubleDouble c) { return a * b + c; }
HWY_INLINE DoubleDouble copysign(DoubleDouble a, DoubleDouble sign) {
  // Both parts change sign where the signs differ; -0 has one too.
  const Real change = copysign(Real(1.0), a.hi) * copysign(Real(1.0), sign.hi);
  return {a.hi * change, a.lo * change};
}
HWY_INLINE DoubleDouble abs(DoubleDouble a) { return copysign(a, 1.0); }
HWY_INLINE DoubleDouble at_least(DoubleDouble a, double bound) { return select(a.hi < Real(bound), bound, a); }
HWY_INLINE DoubleDouble at_most(DoubleDouble a, double bound) { return select(a.hi > Real(bound), bound, a); }
HWY_INLINE DoubleDouble reciprocal(DoubleDouble d) { return DoubleDouble(1.0) / d; }
HWY_INLINE DoubleDouble quick_reciprocal(DoubleDouble d) { return reciprocal(d); }
/// a + b, with what its error is to be judged by.
struct CancellingDoubleDouble {
  DoubleDouble a, b;
};
HWY_INLINE CancellingDoubleDouble cancelling_sum(DoubleDouble a, DoubleDouble b) { return {a, b}; }
HWY_INLINE DoubleDouble sum(DoubleDouble y) { return y; }
HWY_INLINE DoubleDouble sum(CancellingDoubleDouble y) { return y.a + y.b; }
HWY_INLINE Real magnitude(DoubleDouble y) { return abs(y.hi); }
HWY_INLINE Real magnitude(CancellingDoubleDouble y) { return abs(y.a.hi) + abs(y.b.hi); }
HWY_INLINE DoubleDouble wide_sum(DoubleDouble a, DoubleDouble b) { return a + b; }
HWY_INLINE DoubleDouble wide_product(DoubleDouble a, DoubleDouble b) { return a * b; }
HWY_INLINE DoubleDouble wide_square(DoubleDouble a) { return a * a; }
HWY_INLINE DoubleDouble wide_quotient(DoubleDouble a, DoubleDouble b) { return a / b; }
HWY_INLINE DoubleDouble narrow(DoubleDouble a) { return a; }
/// One step of Newton's method from the double result: relative error below 2^-103.
ACTFUN_SHARED DoubleDouble sqrt(DoubleDouble d) {
  const DoubleDouble y = sqrt(d.hi);
  const Real correction = (d - y * y).hi / (y.hi + y.hi);
  return select(d == 0.0, d, DoubleDouble::normal(y.hi, correction));
}
HWY_INLINE DoubleDouble reciprocal_sqrt(DoubleDouble d) { return reciprocal(sqrt(d)); }
HWY_INLINE DoubleDouble exact_product(DoubleDouble a, DoubleDouble b) { return a * b; }
HWY_INLINE DoubleDouble exact_fma(DoubleDouble a, DoubleDouble b, DoubleDouble c) { return a * b + c; }
/// `series` where |x| < 2^-40, else `general`: for results like x/8 (1 - x^2/3), where the tip of the scales at a tie
/// is too small even for lo when it comes out of terms of order x that cancel.
HWY_INLINE DoubleDouble near_zero(DoubleDouble x, DoubleDouble series, DoubleDouble general) {
  return select(abs(x.hi) < Real(0x1p-40), series, general);
}
/// Both parts times a power of two.
HWY_INLINE DoubleDouble scale(DoubleDouble a, Real power) { return {a.hi * power, a.lo * power}; }
