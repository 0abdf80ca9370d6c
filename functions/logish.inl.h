// SPDX-License-Identifier: Apache-2.0
// The input times the logarithm of 1 + sigmoid.
struct Logish {
  static constexpr Info info{
      .name = "logish",
      .family = "gated_smooth",
      .formula = "x*log(1 + sigmoid(x))",
      .derivative = "log(1 + s) + x*s*c/(1 + s), s = sigmoid(x), c = sigmoid(-x)",
      .second_derivative = "2*s*c/(1 + s) + x*s*c*(1 - 2*s - s^2)/(1 + s)^2, s = sigmoid(x), c = sigmoid(-x)",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "0.6931471805599453"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.252768816789440353091, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-1.37245413702569211114", "-0.252768816789440353091", "min"},
                  {1, "2.31675851499536308052", "0.746311180412739681345", "max"},
                  {1, "-2.53344806889206542009", "-0.0898287855208900635309", "min"},
                  {2, "-0.260239020295949940686", "0.344392130352725970466", "max"},
                  {2, "3.34735833703315280104", "-0.0196317670773134246866", "min"},
                  {2, "-3.58243384155473905795", "-0.0332362850503292447171", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Zhu et al. 2021",
  };

  template <class X>
  static X definition(const X& x) {
    return x * log1p(sigmoid(x));
  }

  template <class R>
  static R value(R x) {
    return x * log1p(reciprocal(1.0 + exp(-x)));
  }
  template <class R>
  static auto slope(R x) {
    // Root near -1.3725.
    const R z = cut(x);
    const auto [s, c, d] = logistic(z);
    return cancelling_sum(log1p(s), z * s * c * reciprocal(1.0 + s));
  }
  template <class R>
  static auto curvature(R x) {
    // Roots near -2.5334 and 2.3168.
    const R z = cut(x);
    const auto [s, c, d] = logistic(z);
    const R r = reciprocal(1.0 + s), q = s * c * r;
    return cancelling_sum(2.0 * q, z * q * r * (d - s * s));
  }
};
