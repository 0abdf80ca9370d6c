// SPDX-License-Identifier: Apache-2.0
// The loops that run a function's lane templates over an array. Included once per target, inside
// namespace actfun::HWY_NAMESPACE.
//
// The exact tier's rounding test (A. Ziv, ACM TOMS 17, 1991). A function computes a double y within 2^-41 of the true
// value. Rounding y to float is right unless a rounding boundary lies that close, which the low bits of y show: about
// one result in 2^16. Then the vector is looked at again with care, and only what is still in doubt is computed on
// double-doubles and rounded to odd on the way to float.

// Floats of half a vector: as many as a vector of doubles has.
using Doubles = hn::ScalableTag<double>;
using Floats = hn::Rebind<float, Doubles>;
using FloatsV = hn::Vec<Floats>;

/// The error that `Arithmetic::tested` allows, relative to a result (or to the terms of a Cancelling sum). The quick
/// test allows half of it: 2^12 units in the last place of a double.
inline constexpr double kTolerance = 0x1p-40;

HWY_INLINE Real sum(Real y) { return y; }
HWY_INLINE Real sum(Cancelling y) { return y.a + y.b; }
HWY_INLINE Real magnitude(Real y) { return abs(y); }
HWY_INLINE Real magnitude(Cancelling y) { return abs(y.a) + abs(y.b); }

/// Where y comes within `ulps` (a power of two) of a boundary between floats, or rounds to a subnormal float, where
/// those boundaries lie elsewhere, or is NaN.
template <int log2_ulps>
HWY_INLINE Mask doubtful(Real y) {
  const Real::Bits du;
  // A boundary is a double whose low 29 bits are 2^28. Shift the window around it to 0 ... 2 ulps - 1.
  const auto shifted = hn::Add(bits(y), hn::Set(du, (1ull << 28) + (1ull << log2_ulps)));
  const auto outside = hn::And(shifted, hn::Set(du, (1ull << 29) - (2ull << log2_ulps)));
  const Mask near_boundary = {hn::MaskFromVec(hn::BitCast(Doubles(), hn::VecFromMask(du, hn::Eq(outside, hn::Zero(du)))))};
  return near_boundary | !((abs(y) >= 0x1p-126) | (y == 0.0));  // in this form NaN is doubtful
}
HWY_INLINE Mask doubtful(Real y) { return doubtful<12>(y); }
/// A sum that cancels by no more than 8 has an error of no more than 8 times that of a product.
HWY_INLINE Mask doubtful(Cancelling y) { return doubtful<15>(sum(y)) | (magnitude(y) > 8.0 * abs(sum(y))); }

template <class F, Order order, class R, class... P>
HWY_INLINE auto apply(R x, P... p) {
  if constexpr (order == Order::value)
    return F::value(x, p...);
  else if constexpr (order == Order::slope)
    return F::slope(x, p...);
  else
    return F::curvature(x, p...);
}

HWY_INLINE FloatsV round_to_float(Real y) { return hn::DemoteTo(Floats(), y.v); }

/// The same results without haste: for vectors with a doubtful, infinite or NaN lane.
template <class F, Order order, class... P>
HWY_NOINLINE FloatsV with_care(FloatsV floats, P... p) {
  const Floats df;
  // Infinities stand for their limits: beyond the largest float, nothing changes any more.
  const Real x = at_most(at_least(Real(hn::PromoteTo(Doubles(), floats)), -0x1p130), 0x1p130);
  const auto y = apply<F, order>(x, p...);
  const Real error = kTolerance * magnitude(y);
  const FloatsV low = round_to_float(sum(y) - error), high = round_to_float(sum(y) + error);
  FloatsV result = low;
  if (!hn::AllTrue(df, hn::Eq(low, high))) {
    const DoubleDouble z = apply<F, order>(DoubleDouble(x), DoubleDouble(p)...);
    result = hn::IfThenElse(hn::Eq(low, high), low, round_to_float(round_to_odd(two_sum(z.hi, z.lo))));
  }
  return hn::IfThenElse(hn::IsNaN(floats), floats, result);
}

template <class F>
using Tag = std::conditional_t<arithmetic_of<F>() == Arithmetic::single, Single::D, Floats>;

template <class F, Order order, class... P>
HWY_INLINE hn::Vec<Tag<F>> evaluate(hn::Vec<Tag<F>> floats, P... p) {
  if constexpr (arithmetic_of<F>() == Arithmetic::single) {
    return hn::IfThenElse(hn::IsNaN(floats), floats, apply<F, order>(Single(floats)).v);
  } else {
    const Real x = hn::PromoteTo(Doubles(), floats);
    const auto y = apply<F, order>(x, p...);
    if constexpr (arithmetic_of<F>() == Arithmetic::exact) {
      return hn::IfThenElse(hn::IsNaN(floats), floats, round_to_float(y));
    } else {
      const Mask doubt = doubtful(y) | !(x - x == 0.0);  // infinite and NaN inputs too
      if (HWY_UNLIKELY(!hn::AllFalse(Doubles(), doubt.m))) return with_care<F, order>(floats, p...);
      return round_to_float(sum(y));
    }
  }
}

/// Calls body(x, i) for every vector of floats; the tail is the body on a padded copy of what is left.
template <class F, Order... orders, std::size_t... index>
HWY_INLINE void run(const float* x, std::array<float*, sizeof...(orders)> y, std::size_t n, const double* p,
                    std::index_sequence<index...>) {
  const Tag<F> d;
  const std::size_t lanes = hn::Lanes(d);
  const auto body = [&](const float* from, std::array<float*, sizeof...(orders)> to) HWY_ATTR {
    const auto v = hn::LoadU(d, from);
    std::size_t k = 0;
    // + 0 makes a parameter's -0 into 0. All orders are computed before any is stored: y or dy may be x.
    const hn::Vec<Tag<F>> results[] = {evaluate<F, orders>(v, Real(p[index] + 0.0)...)...};
    ((hn::StoreU(results[k], d, to[k]), ++k, static_cast<void>(orders)), ...);
  };
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    body(x + i, y);
    for (float*& out : y) out += lanes;
  }
  if (i < n) {
    alignas(64) float padded[16] = {}, results[sizeof...(orders)][16];
    std::array<float*, sizeof...(orders)> to;
    for (std::size_t k = 0; k < sizeof...(orders); ++k) to[k] = results[k];
    std::memcpy(padded, x + i, (n - i) * sizeof(float));
    body(padded, to);
    for (std::size_t k = 0; k < sizeof...(orders); ++k) std::memcpy(y[k], results[k], (n - i) * sizeof(float));
  }
}
