// SPDX-License-Identifier: Apache-2.0
// Exponential linear sigmoid squashing.
struct Elish {
  static constexpr Info info{
      .name = "elish",
      .family = "gated_smooth",
      .formula = "x*sigmoid(x) if x > 0 else expm1(x)*sigmoid(x)",
      .derivative = "s*(1 + x*c) if x > 0 else s*(e + m*c), e = exp(x), m = expm1(x), s = sigmoid(x), c = sigmoid(-x)",
      .second_derivative =
          "s*c*(2 + x*(1 - 2*s)) if x > 0 else s*(e + 2*e*c + m*c*(1 - 2*s)), e = exp(x), m = expm1(x), s = "
          "sigmoid(x), c = sigmoid(-x)",
      .kinks = {{"0", 2, {"1/2", "1/2", "1/2"}, {"1", "1", "1/2"}}},
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.171572875253809902397, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-0.881373587019543025233", "-0.171572875253809902397", "min"},
                  {1, "-1.7175297959782470947", "-0.0785468478755558758718", "min"},
                  {1, "2.39935728051546766783", "1.09983932012886691696", "max"},
                  {2, "-2.51370659341564091141", "-0.0368564789639459202364", "min"},
                  {2, "3.43584099353511068895", "-0.0369143731998931856383", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Basirat & Roth 2018",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > 0, x, expm1(x)) * sigmoid(x);
  }

  template <class R>
  static R value(R x) {
    return select(x > 0.0, x, expm1(x)) * sigmoid(x);
  }
  template <class R>
  static auto slope(R x) {
    // Root near -0.8814.
    const R z = cut(x);
    const auto [s, c, d] = logistic(z);
    return cancelling_sum(s * select(z > 0.0, 1.0, exp(z)), s * c * select(z > 0.0, z, expm1(z)));
  }
  template <class R>
  static auto curvature(R x) {
    // Roots near -1.7175 and 2.3994.
    const R z = cut(x);
    const auto [s, c, d] = logistic(z);
    const R a = select(z > 0.0, 2.0 * c, exp(z) * (1.0 + 2.0 * c));
    return cancelling_sum(s * a, s * c * d * select(z > 0.0, z, expm1(z)));
  }
};
