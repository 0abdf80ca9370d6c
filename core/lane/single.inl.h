// SPDX-License-Identifier: Apache-2.0
// Single: a vector of floats that reads like a number, for functions that are exact in single precision or
// round once (one sum, one product), and for the fast tier.

struct SingleMask {
  hn::Mask<hn::ScalableTag<float>> m;
};

struct Single {
  using D = hn::ScalableTag<float>;
  using V = hn::Vec<D>;
  V v;

  Single() = default;
  HWY_INLINE Single(V raw) : v(raw) {}
  HWY_INLINE Single(double c) : v(hn::Set(D(), static_cast<float>(c))) {}

  HWY_INLINE friend Single operator+(Single a, Single b) { return hn::Add(a.v, b.v); }
  HWY_INLINE friend Single operator-(Single a, Single b) { return hn::Sub(a.v, b.v); }
  HWY_INLINE friend Single operator*(Single a, Single b) { return hn::Mul(a.v, b.v); }
  HWY_INLINE friend Single operator/(Single a, Single b) { return hn::Div(a.v, b.v); }
  HWY_INLINE friend Single operator-(Single a) { return hn::Neg(a.v); }
  HWY_INLINE friend SingleMask operator<(Single a, Single b) { return {hn::Lt(a.v, b.v)}; }
  HWY_INLINE friend SingleMask operator>(Single a, Single b) { return {hn::Gt(a.v, b.v)}; }

  // Results of the fast tier depend on the fusion: it is compiled only where there is one.
  /// a b + c and c - a b
  HWY_INLINE friend Single fma(Single a, Single b, Single c) { return hn::MulAdd(a.v, b.v, c.v); }
  HWY_INLINE friend Single fnma(Single a, Single b, Single c) { return hn::NegMulAdd(a.v, b.v, c.v); }
};

HWY_INLINE Single abs(Single a) { return hn::Abs(a.v); }
HWY_INLINE Single select(SingleMask m, Single yes, Single no) { return hn::IfThenElse(m.m, yes.v, no.v); }
HWY_INLINE Single copysign(Single magnitude, Single sign) { return hn::CopySign(magnitude.v, sign.v); }
/// max(a, bound) and min(a, bound); a NaN stays: maxps and minps return their second operand when one is NaN.
HWY_INLINE Single at_least(Single a, double bound) { return hn::Max(Single(bound).v, a.v); }
HWY_INLINE Single at_most(Single a, double bound) { return hn::Min(Single(bound).v, a.v); }
