// SPDX-License-Identifier: Apache-2.0
// The logistic sigmoid, its complement, and tanh: all from exp and expm1 of -|x|, so that nothing cancels.

template <class R>
HWY_INLINE R sigmoid(R x) {
  return quick_reciprocal(1.0 + exp(-x));
}

/// s = sigmoid(x), c = sigmoid(-x) = 1 - s, d = c - s = -tanh(x / 2), each to full relative accuracy.
template <class R>
struct Logistic {
  R s, c, d;
};
template <class R>
HWY_INLINE Logistic<R> logistic(R x) {
  const auto w = exponential_in_range<true>(at_least(-abs(x), -kExpBound));
  const R e = w.exp(), r = reciprocal(1.0 + e), er = e * r;
  const auto positive = x > 0.0;
  const R d = near_zero(x, x * (x * x * (1.0 / 24.0) - 0.5), -copysign(w.expm1() * r, x));
  return {select(positive, r, er), select(positive, er, r), d};
}

template <class R>
HWY_INLINE R tanh(R x) {
  const R m = exponential_in_range<true>(cut(x + x)).expm1();
  return near_zero(x, x * (1.0 - x * x * (1.0 / 3.0)), copysign(m * quick_reciprocal(m + 2.0), x));
}

/// sech(x)^2 = tanh'(x)
template <class R>
HWY_INLINE R sech2(R x) {
  const R e = exp_decay(-2.0 * abs(x)), r = reciprocal(1.0 + e);
  return near_zero(x, 1.0 - x * x, 4.0 * e * r * r);
}
