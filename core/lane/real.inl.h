// SPDX-License-Identifier: Apache-2.0
// Reals<K>: K vectors of doubles that read like one number, for one instruction set. Included once per target, inside
// namespace actfun::HWY_NAMESPACE.
//
// K > 1 is for speed: a kernel is one long chain of dependent operations, and K chains side by side fill the pipelines
// that one leaves idle. `fma` is a hint for speed, fused only where the target has it: no result may depend on it.
// Where exactness hangs on a product's low part, `two_product` gives it on every target.

using Doubles = hn::ScalableTag<double>;
using DoubleBits = hn::RebindToUnsigned<Doubles>;
using DoublesV = hn::Vec<Doubles>;
using DoubleBitsV = hn::Vec<DoubleBits>;

/// f(0), ..., f(K - 1) as the K members of T.
template <class T, int K, class Function>
HWY_INLINE T for_each_vector(const Function& f) {
  return [&]<int... k>(std::integer_sequence<int, k...>) HWY_ATTR { return T{f(std::integral_constant<int, k>())...}; }
  (std::make_integer_sequence<int, K>());
}
#define ACTFUN_EACH(T, expression) for_each_vector<T, K>([&](auto k) HWY_ATTR { return expression; })

template <int K>
struct Masks {
  hn::Mask<Doubles> m[K];
  HWY_INLINE friend Masks operator&(Masks a, Masks b) { return ACTFUN_EACH(Masks, hn::And(a.m[k], b.m[k])); }
  HWY_INLINE friend Masks operator|(Masks a, Masks b) { return ACTFUN_EACH(Masks, hn::Or(a.m[k], b.m[k])); }
  HWY_INLINE friend Masks operator!(Masks a) { return ACTFUN_EACH(Masks, hn::Not(a.m[k])); }
};

/// The bit patterns of Reals<K>.
template <int K>
struct Bits {
  DoubleBitsV b[K];
  HWY_INLINE friend Bits operator+(Bits a, std::uint64_t c) {
    return ACTFUN_EACH(Bits, hn::Add(a.b[k], hn::Set(DoubleBits(), c)));
  }
  HWY_INLINE friend Bits operator+(Bits a, Bits b) { return ACTFUN_EACH(Bits, hn::Add(a.b[k], b.b[k])); }
  HWY_INLINE friend Bits operator&(Bits a, std::uint64_t c) {
    return ACTFUN_EACH(Bits, hn::And(a.b[k], hn::Set(DoubleBits(), c)));
  }
  template <int count>
  HWY_INLINE Bits left() const {
    return ACTFUN_EACH(Bits, hn::ShiftLeft<count>(b[k]));
  }
  HWY_INLINE friend Masks<K> operator==(Bits a, std::uint64_t c) {
    return ACTFUN_EACH(Masks<K>, hn::RebindMask(Doubles(), hn::Eq(a.b[k], hn::Set(DoubleBits(), c))));
  }
};

template <int K>
struct Reals {
  DoublesV v[K];

  Reals() = default;
  template <class... V>
  requires(sizeof...(V) == K && (std::is_same_v<V, DoublesV> && ...)) HWY_INLINE Reals(V... raw) : v{raw...} {}
  HWY_INLINE Reals(double c) {
    for (DoublesV& each : v) each = hn::Set(Doubles(), c);
  }
  HWY_INLINE explicit Reals(Constant c) : Reals(c.high) {}
  /// A constant known to more than a double; the lower parts are for DoubleDouble and Big.
  static HWY_INLINE Reals constant(double high, double /*low*/, double /*lowest*/ = 0) { return high; }

  HWY_INLINE friend Reals operator+(Reals a, Reals b) { return ACTFUN_EACH(Reals, hn::Add(a.v[k], b.v[k])); }
  HWY_INLINE friend Reals operator-(Reals a, Reals b) { return ACTFUN_EACH(Reals, hn::Sub(a.v[k], b.v[k])); }
  HWY_INLINE friend Reals operator*(Reals a, Reals b) { return ACTFUN_EACH(Reals, hn::Mul(a.v[k], b.v[k])); }
  HWY_INLINE friend Reals operator/(Reals a, Reals b) { return ACTFUN_EACH(Reals, hn::Div(a.v[k], b.v[k])); }
  HWY_INLINE friend Reals operator-(Reals a) { return ACTFUN_EACH(Reals, hn::Neg(a.v[k])); }
  HWY_INLINE friend Masks<K> operator<(Reals a, Reals b) { return ACTFUN_EACH(Masks<K>, hn::Lt(a.v[k], b.v[k])); }
  HWY_INLINE friend Masks<K> operator>(Reals a, Reals b) { return ACTFUN_EACH(Masks<K>, hn::Gt(a.v[k], b.v[k])); }
  HWY_INLINE friend Masks<K> operator>=(Reals a, Reals b) { return ACTFUN_EACH(Masks<K>, hn::Ge(a.v[k], b.v[k])); }
  HWY_INLINE friend Masks<K> operator==(Reals a, Reals b) { return ACTFUN_EACH(Masks<K>, hn::Eq(a.v[k], b.v[k])); }

  /// a b + c and c - a b
  HWY_INLINE friend Reals fma(Reals a, Reals b, Reals c) {
    return ACTFUN_EACH(Reals, hn::MulAdd(a.v[k], b.v[k], c.v[k]));
  }
  HWY_INLINE friend Reals fnma(Reals a, Reals b, Reals c) {
    return ACTFUN_EACH(Reals, hn::NegMulAdd(a.v[k], b.v[k], c.v[k]));
  }
  HWY_INLINE friend Reals abs(Reals a) { return ACTFUN_EACH(Reals, hn::Abs(a.v[k])); }
  HWY_INLINE friend Reals copysign(Reals magnitude, Reals sign) {
    return ACTFUN_EACH(Reals, hn::CopySign(magnitude.v[k], sign.v[k]));
  }
  HWY_INLINE friend Reals select(Masks<K> m, Reals yes, Reals no) {
    return ACTFUN_EACH(Reals, hn::IfThenElse(m.m[k], yes.v[k], no.v[k]));
  }
  /// max(a, bound) and min(a, bound); a NaN stays.
  HWY_INLINE friend Reals at_least(Reals a, double bound) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR  // maxpd and minpd return their second operand when one is NaN
    return ACTFUN_EACH(Reals, hn::Max(hn::Set(Doubles(), bound), a.v[k]));
#else
    return select(a < bound, bound, a);
#endif
  }
  HWY_INLINE friend Reals at_most(Reals a, double bound) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
    return ACTFUN_EACH(Reals, hn::Min(hn::Set(Doubles(), bound), a.v[k]));
#else
    return select(a > bound, bound, a);
#endif
  }
  HWY_INLINE friend Bits<K> bits(Reals a) { return ACTFUN_EACH(Bits<K>, hn::BitCast(DoubleBits(), a.v[k])); }
};
template <int K>
HWY_INLINE Reals<K> from_bits(Bits<K> b) {
  return ACTFUN_EACH(Reals<K>, hn::BitCast(Doubles(), b.b[k]));
}
using Real = Reals<1>;
using Mask = Masks<1>;

/// Whether the sign bit is set: of -0, too.
template <int K>
HWY_INLINE Masks<K> negative(Reals<K> a) {
  using Signed = hn::RebindToSigned<Doubles>;
  return ACTFUN_EACH(Masks<K>, hn::RebindMask(Doubles(), hn::Lt(hn::BitCast(Signed(), a.v[k]), hn::Zero(Signed()))));
}

/// 2^low <= |a| < 2^high
template <int low, int high, int K>
HWY_INLINE Masks<K> in_binades(Reals<K> a) {
  // One signed comparison of the bits without their sign, shifted so that 2^high falls off at the top.
  using Signed = hn::RebindToSigned<Doubles>;
  constexpr std::uint64_t top = 1ull << 63, from = std::uint64_t{low + 1023} << 52,
                          to = std::uint64_t{high + 1023} << 52;
  const Bits<K> shifted = (bits(a) & (top - 1)) + (top - to);
  return ACTFUN_EACH(
      Masks<K>, hn::RebindMask(Doubles(), hn::Gt(hn::BitCast(Signed(), shifted.b[k]),
                                                 hn::Set(Signed(), static_cast<std::int64_t>(from - to + top - 1)))));
}

template <int K>
HWY_INLINE bool none(Masks<K> a) {
  hn::Mask<Doubles> any = a.m[0];
  for (int k = 1; k < K; ++k) any = hn::Or(any, a.m[k]);
  return hn::AllFalse(Doubles(), any);
}

/// 1 / d within 2^-41.9, for 2^-1020 < |d| < 2^1020: an estimate of 14 bits and one cubic step where there is one.
template <int K>
HWY_INLINE Reals<K> quick_reciprocal(Reals<K> d) {
#if HWY_TARGET == HWY_AVX3
  const Reals<K> r = ACTFUN_EACH(Reals<K>, DoublesV{_mm512_rcp14_pd(d.v[k].raw)});
  const Reals<K> e = fnma(d, r, 1.0);
  return fma(r, fma(e, e, e), r);
#else
  return 1.0 / d;
#endif
}

/// 1 / d within 2^-51, for 2^-1020 < |d| < 2^1020.
template <int K>
HWY_INLINE Reals<K> reciprocal(Reals<K> d) {
#if HWY_TARGET == HWY_AVX3
  const Reals<K> s = quick_reciprocal(d);
  return fma(s, fnma(d, s, 1.0), s);
#else
  return 1.0 / d;
#endif
}

template <int K>
HWY_INLINE Reals<K> sqrt(Reals<K> d) {
  return ACTFUN_EACH(Reals<K>, hn::Sqrt(d.v[k]));
}

/// 1 / sqrt(d) within 2^-50, for 2^-1020 < d < 2^1020: an estimate of 14 bits and one step of fourth order where there
/// is one, (1 - e)^(-1/2) = 1 + e/2 + 3/8 e^2 + 5/16 e^3 + ...
template <int K>
HWY_INLINE Reals<K> reciprocal_sqrt(Reals<K> d) {
#if HWY_TARGET == HWY_AVX3
  const Reals<K> r = ACTFUN_EACH(Reals<K>, DoublesV{_mm512_rsqrt14_pd(d.v[k].raw)});
  const Reals<K> e = fnma(d * r, r, 1.0);
  return fma(r * e, fma(fma(e, 0.3125, 0.375), e, 0.5), r);
#else
  return 1.0 / sqrt(d);
#endif
}

/// high + low, usually with |low| <= ulp(high) / 2.
template <int K>
struct TwoReals {
  Reals<K> high, low;
  HWY_INLINE friend Masks<K> operator==(TwoReals a, double c) { return (a.high == c) & (a.low == 0.0); }
};

/// The exact product a b, unless it under- or overflows.
template <int K>
HWY_INLINE TwoReals<K> two_product(Reals<K> a, Reals<K> b) {
  const Reals<K> p = a * b;
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  return {p, fma(a, b, -p)};
#else
  // Without a fused multiply-add: Dekker's product of halves (T. J. Dekker, Numer. Math. 18, 1971).
  const auto split = [](Reals<K> x) HWY_ATTR {
    const Reals<K> c = x * 134217729.0;  // 2^27 + 1
    const Reals<K> h = c - (c - x);
    return TwoReals<K>{h, x - h};
  };
  const TwoReals<K> s = split(a), t = split(b);
  return {p, ((s.high * t.high - p) + s.high * t.low + s.low * t.high) + s.low * t.low};
#endif
}

/// The exact sum a + b (D. E. Knuth, TAOCP 2, 4.2.2).
template <int K>
HWY_INLINE TwoReals<K> two_sum(Reals<K> a, Reals<K> b) {
  const Reals<K> s = a + b;
  const Reals<K> t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}

/// high + low rounded to odd: the nearest double unless that would hide on which side of a float's rounding boundary
/// the sum lies. Rounding the result to float is then rounding the sum once (S. Boldo, G. Melquiond, IEEE TC 57, 2008).
/// `high` must be the double nearest to the sum.
template <int K>
HWY_INLINE Reals<K> round_to_odd(TwoReals<K> sum) {
  const Masks<K> inexact = (sum.low < 0.0) | (sum.low > 0.0);  // false for the NaN that an infinite `high` leaves
  const Masks<K> even = (bits(sum.high) & 1) == 0;
  // Same sign: the sum lies beyond `high`, the odd neighbour is one up in magnitude; otherwise one down.
  const Reals<K> up = from_bits(bits(sum.high) + 1), down = from_bits(bits(sum.high) + ~std::uint64_t{0});
  const Masks<K> beyond = copysign(Reals<K>(1.0), sum.high) * sum.low > 0.0;
  return select(inexact & even, select(beyond, up, down), sum.high);
}

/// Sums, products and quotients to about twice a double's precision; `narrow` makes a result of one of them. What a
/// function file does with them is exact as long as it fits two doubles, and at worst 2^-104 away.
template <int K>
HWY_INLINE TwoReals<K> wide_sum(Reals<K> a, std::type_identity_t<Reals<K>> b) {
  return two_sum(a, b);
}
template <int K>
HWY_INLINE TwoReals<K> wide_product(Reals<K> a, std::type_identity_t<Reals<K>> b) {
  return two_product(a, b);
}
template <int K>
HWY_INLINE TwoReals<K> wide_product(Reals<K> a, TwoReals<K> b) {
  const TwoReals<K> p = two_product(a, b.high);
  return two_sum(p.high, fma(a, b.low, p.low));
}
template <int K>
HWY_INLINE TwoReals<K> wide_square(TwoReals<K> a) {
  const TwoReals<K> p = two_product(a.high, a.high);
  return two_sum(p.high, fma(a.low, fma(Reals<K>(2.0), a.high, a.low), p.low));
}
template <int K>
HWY_INLINE TwoReals<K> wide_quotient(TwoReals<K> a, std::type_identity_t<Reals<K>> b) {
  const Reals<K> r = 1.0 / b;  // outside of the loop, where b is constant
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_NEON
  // One step of Newton's method: exact where the quotient is a double, and quicker than a division.
  const Reals<K> q0 = a.high * r, q = fma(fnma(q0, b, a.high), r, q0);
#else
  const Reals<K> q = a.high / b;
#endif
  const TwoReals<K> p = two_product(q, b);
  return two_sum(q, (((a.high - p.high) - p.low) + a.low) * r);
}
/// Rounded to odd.
template <int K>
HWY_INLINE Reals<K> narrow(TwoReals<K> a) {
  return round_to_odd(a);
}
template <int K>
HWY_INLINE Reals<K> narrow(Reals<K> a) {
  return a;
}
template <int K>
HWY_INLINE Reals<K> exact_product(Reals<K> a, Reals<K> b) {
  return round_to_odd(two_product(a, b));
}
template <int K>
HWY_INLINE Reals<K> exact_product(TwoReals<K> a, Reals<K> b) {
  const Reals<K> p = a.high * b;
  const Masks<K> special = (p == 0.0) | !(abs(p) < std::numeric_limits<double>::infinity());
  return select(special, p, narrow(wide_product(b, a)));
}
/// a b + c rounded to odd (S. Boldo, G. Melquiond, IEEE TC 57, 2008); an infinite product is the result.
template <int K>
HWY_INLINE Reals<K> exact_fma(TwoReals<K> a, Reals<K> b, Reals<K> c) {
  // Not fused: where a is the pair nearest to a fraction like 1/6, products that end in binary come out as if it were
  // it.
  const TwoReals<K> p = two_product(a.high, b), s = two_sum(c, p.low + a.low * b), t = two_sum(p.high, s.high);
  const Reals<K> y = round_to_odd(two_sum(t.high, round_to_odd(two_sum(t.low, s.low))));
  return select(abs(p.high) < std::numeric_limits<double>::infinity(), y, p.high);
}
template <int K>
HWY_INLINE Reals<K> exact_fma(Reals<K> a, Reals<K> b, Reals<K> c) {
  const TwoReals<K> p = two_product(a, b), s = two_sum(c, p.low), t = two_sum(p.high, s.high);
  const Reals<K> y = round_to_odd(two_sum(t.high, round_to_odd(two_sum(t.low, s.low))));
  return select(abs(p.high) < std::numeric_limits<double>::infinity(), y, p.high);
}

/// a + b where the two may cancel: the rounding test must judge the error against |a| + |b|, not against the sum.
template <int K>
struct Cancelling {
  Reals<K> a, b;
};
template <int K>
HWY_INLINE Cancelling<K> cancelling_sum(Reals<K> a, Reals<K> b) {
  return {a, b};
}

/// See DoubleDouble: here a tie is never decided.
template <int K>
HWY_INLINE Reals<K> near_zero(Reals<K> /*x*/, Reals<K> /*series*/, Reals<K> general) {
  return general;
}
