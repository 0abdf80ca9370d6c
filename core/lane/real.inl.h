// SPDX-License-Identifier: Apache-2.0
// Real: a vector of doubles that reads like a number, for one instruction set. Included once per target, inside
// namespace actfun::HWY_NAMESPACE.
//
// `fma` is a hint for speed, fused only where the target has it: no result may depend on it. Where exactness hangs on
// a product's low part, `two_product` gives it on every target.

struct Mask {
  using D = hn::ScalableTag<double>;
  hn::Mask<D> m;
  HWY_INLINE friend Mask operator&(Mask a, Mask b) { return {hn::And(a.m, b.m)}; }
  HWY_INLINE friend Mask operator|(Mask a, Mask b) { return {hn::Or(a.m, b.m)}; }
  HWY_INLINE friend Mask operator!(Mask a) { return {hn::Not(a.m)}; }
};

struct Real {
  using D = hn::ScalableTag<double>;
  using Bits = hn::RebindToUnsigned<D>;
  using V = hn::Vec<D>;
  V v;

  Real() = default;
  HWY_INLINE Real(V raw) : v(raw) {}
  HWY_INLINE Real(double c) : v(hn::Set(D(), c)) {}
  /// A constant known to more than a double; the low part is for DoubleDouble.
  static HWY_INLINE Real constant(double high, double /*low*/) { return high; }

  HWY_INLINE friend Real operator+(Real a, Real b) { return hn::Add(a.v, b.v); }
  HWY_INLINE friend Real operator-(Real a, Real b) { return hn::Sub(a.v, b.v); }
  HWY_INLINE friend Real operator*(Real a, Real b) { return hn::Mul(a.v, b.v); }
  HWY_INLINE friend Real operator/(Real a, Real b) { return hn::Div(a.v, b.v); }
  HWY_INLINE friend Real operator-(Real a) { return hn::Neg(a.v); }
  HWY_INLINE friend Mask operator<(Real a, Real b) { return {hn::Lt(a.v, b.v)}; }
  HWY_INLINE friend Mask operator>(Real a, Real b) { return {hn::Gt(a.v, b.v)}; }
  HWY_INLINE friend Mask operator<=(Real a, Real b) { return {hn::Le(a.v, b.v)}; }
  HWY_INLINE friend Mask operator>=(Real a, Real b) { return {hn::Ge(a.v, b.v)}; }
  HWY_INLINE friend Mask operator==(Real a, Real b) { return {hn::Eq(a.v, b.v)}; }
  HWY_INLINE friend Mask operator!=(Real a, Real b) { return {hn::Ne(a.v, b.v)}; }
};

HWY_INLINE Real fma(Real a, Real b, Real c) { return hn::MulAdd(a.v, b.v, c.v); }      // a b + c
HWY_INLINE Real fnma(Real a, Real b, Real c) { return hn::NegMulAdd(a.v, b.v, c.v); }  // c - a b
HWY_INLINE Real abs(Real a) { return hn::Abs(a.v); }
HWY_INLINE Real copysign(Real magnitude, Real sign) { return hn::CopySign(magnitude.v, sign.v); }
HWY_INLINE Real select(Mask m, Real yes, Real no) { return hn::IfThenElse(m.m, yes.v, no.v); }
/// max and min; a NaN in `a` may be lost (callers restore NaNs).
HWY_INLINE Real at_least(Real a, double bound) { return hn::Max(a.v, hn::Set(Real::D(), bound)); }
HWY_INLINE Real at_most(Real a, double bound) { return hn::Min(a.v, hn::Set(Real::D(), bound)); }
HWY_INLINE Real head(Real a) { return a; }  // the leading double, see DoubleDouble

HWY_INLINE hn::Vec<Real::Bits> bits(Real a) { return hn::BitCast(Real::Bits(), a.v); }
HWY_INLINE Real from_bits(hn::Vec<Real::Bits> b) { return hn::BitCast(Real::D(), b); }

/// Whether a and b differ in any bit: unlike !=, this tells -0 from 0.
HWY_INLINE Mask bits_differ(Real a, Real b) {
  return {hn::MaskFromVec(hn::BitCast(Real::D(), hn::VecFromMask(Real::Bits(), hn::Ne(bits(a), bits(b)))))};
}

/// 1 / d within 2^-41.9, for 2^-1020 < |d| < 2^1020: an estimate of 14 bits and one cubic step where there is one.
HWY_INLINE Real quick_reciprocal(Real d) {
#if HWY_TARGET == HWY_AVX3
  const Real r = Real::V{_mm512_rcp14_pd(d.v.raw)};
  const Real e = fnma(d, r, 1.0);
  return fma(r, fma(e, e, e), r);
#else
  return 1.0 / d;
#endif
}

/// 1 / d within 2^-51, for 2^-1020 < |d| < 2^1020.
HWY_INLINE Real reciprocal(Real d) {
#if HWY_TARGET == HWY_AVX3
  const Real r = Real::V{_mm512_rcp14_pd(d.v.raw)};
  const Real e = fnma(d, r, 1.0);
  const Real s = fma(r, fma(e, e, e), r);
  return fma(s, fnma(d, s, 1.0), s);
#else
  return 1.0 / d;
#endif
}

/// The exact product a b = high + low, unless it under- or overflows.
struct TwoReals {
  Real high, low;
};
HWY_INLINE TwoReals two_product(Real a, Real b) {
  const Real p = a * b;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  return {p, hn::MulSub(a.v, b.v, p.v)};
#else
  // Without a fused multiply-add: Dekker's product of halves (T. J. Dekker, Numer. Math. 18, 1971).
  const auto split = [](Real x) HWY_ATTR {
    const Real c = x * 134217729.0;  // 2^27 + 1
    const Real h = c - (c - x);
    return TwoReals{h, x - h};
  };
  const TwoReals s = split(a), t = split(b);
  return {p, ((s.high * t.high - p) + s.high * t.low + s.low * t.high) + s.low * t.low};
#endif
}

/// The exact sum a + b = high + low (D. E. Knuth, TAOCP 2, 4.2.2).
HWY_INLINE TwoReals two_sum(Real a, Real b) {
  const Real s = a + b;
  const Real t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}

/// high + low rounded to odd: the nearest double unless that would hide on which side of a float's rounding boundary
/// the sum lies. Rounding the result to float is then rounding the sum once (S. Boldo, G. Melquiond, IEEE TC 57, 2008).
/// `high` must be the double nearest to the sum.
HWY_INLINE Real round_to_odd(TwoReals sum) {
  const Real::Bits du;
  const Mask inexact = (sum.low < 0.0) | (sum.low > 0.0);  // false for the NaN that an infinite `high` leaves
  const auto one = hn::Set(du, 1);
  const auto even = hn::Eq(hn::And(bits(sum.high), one), hn::Zero(du));
  // Same sign: the sum lies beyond `high`, the odd neighbour is one up in magnitude; otherwise one down.
  const auto sign = hn::ShiftRight<63>(hn::Xor(bits(sum.high), bits(sum.low)));
  const auto step = hn::Sub(one, hn::Add(sign, sign));
  const auto odd = hn::Add(bits(sum.high), hn::IfThenElseZero(even, step));
  return select(inexact, from_bits(odd), sum.high);
}
HWY_INLINE Real exact_product(Real a, Real b) { return round_to_odd(two_product(a, b)); }

/// a + b where the two may cancel: the rounding test must judge the error against |a| + |b|, not against the sum.
struct Cancelling {
  Real a, b;
};
HWY_INLINE Cancelling cancelling_sum(Real a, Real b) { return {a, b}; }
