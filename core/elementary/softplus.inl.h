// SPDX-License-Identifier: Apache-2.0
// softplus(x) = log(1 + exp(x)), relative error below 2^-43 on Real and 2^-94 on DoubleDouble, and its square root.

template <class R>
HWY_INLINE R softplus(R x) {
  const R e = exp_decay(-abs(x));
  return at_least(x, 0.0) + e * log1p_ratio(e);
}

/// sqrt(softplus(x)) = w sqrt(q) and sigmoid(x) = w^2 s, where w = exp(min(x, 0) / 2): w is all that underflows.
template <class R>
struct RootOfSoftplus {
  R w, q, s;
  R complement;  ///< sigmoid(-x)
};
template <class R>
HWY_INLINE RootOfSoftplus<R> root_of_softplus(R x) {
  const R w = exp_decay(-0.5 * abs(x)), e = w * w, r = reciprocal(1.0 + e), ratio = log1p_ratio(e);
  const auto left = x < 0.0;
  return {select(left, w, 1.0), select(left, ratio, x + e * ratio), r, select(left, r, e * r)};
}
