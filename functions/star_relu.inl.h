// SPDX-License-Identifier: Apache-2.0
// Scaled and shifted square of the rectified linear unit.
struct StarRelu {
  static constexpr Info info{
      .name = "star_relu",
      .known_as = {"StarReLU"},
      .family = "rectifier",
      .kind = Kind::learnable,
      .parameters = {{.name = "scale", .preset = 0.8944, .domain = "> 0", .learnable = true},
                     {.name = "bias", .preset = -0.4472, .domain = "any real", .learnable = true}},
      .formula = "scale*max(x, 0)^2 + bias",
      .derivative = "2*scale*max(x, 0)",
      .second_derivative = "2*scale if x > 0 else 0",
      .kinks = {{"0", 2, {"0", "0", "0"}, {"0", "0", "2*scale"}}},
      .limits = {"bias", "inf"},
      .derivative_limits = {"0", "inf"},
      .second_derivative_limits = {"0", "2*scale"},
      .range = "[bias, inf)",
      .monotone = "increasing (scale >= 0)",
      .symmetry = "none",
      .lipschitz = "inf",
      .roots = {"sqrt(-bias/scale) when bias <= 0"},
      .from_output = {.formula = "2*sqrt(scale*(y - bias))", .condition = "scale > 0"},
      .inverse = {.reason = "constant for x <= 0"},
      .paper = "Yu et al. 2022 (MetaFormer)",
  };

  template <class X>
  static X definition(const X& x, const X& scale, const X& bias) {
    return select(x > 0, scale * x * x + bias, bias);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R scale, R bias) {
    return select(x > 0.0, exact_fma(scale, x * x, bias), bias);  // x * x is exact
  }
  template <class R>
  static R slope(R x, R scale, R /*bias*/) {
    return select(x > 0.0, exact_product(2.0 * scale, x), 0.0);
  }
  template <class R>
  static R curvature(R x, R scale, R /*bias*/) {
    return select(x > 0.0, 2.0 * scale, 0.0);
  }
  template <int parameter, class R>
  static R gradient(R x, R /*scale*/, R /*bias*/) {
    if constexpr (parameter == 0)
      return select(x > 0.0, x * x, 0.0);
    else
      return 1.0;
  }
  template <class R>
  static R slope_from_output(R y, R scale, R bias) {
    return 2.0 * sqrt(scale * at_least(y - bias, 0.0));  // a rounded y may lie below bias
  }
};
