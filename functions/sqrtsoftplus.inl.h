// SPDX-License-Identifier: Apache-2.0
// Square root of softplus.
struct Sqrtsoftplus {
  static constexpr Info info{
      .name = "sqrtsoftplus",
      .family = "sigmoid",
      .formula = "sqrt(softplus(x))",
      .derivative = "sigmoid(x)/(2*f)",
      .second_derivative = "(sigmoid(x)*sigmoid(-x) - sigmoid(x)^2/(2*softplus(x)))/(2*f)",
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "max f'",
      .extrema = {{1, "0.921422508655360310739", "0.319086343169475740468", "max"},
                  {2, "-1.33985993324022265927", "0.0745204886612200915508", "max"},
                  {2, "2.72638314385123004491", "-0.0300013106539682185879", "min"}},
      .from_output = {.formula = "-expm1(-y^2)/(2*y)", .condition = "always"},
      .inverse = {.condition = "always"},
      .note = "DeepSeek-V4 router (HF)",
  };

  template <class X>
  static X definition(const X& x) {
    return sqrt(softplus(x));
  }

  static constexpr double far = 0x1p320;  // where the slope is 2^-161

  template <class R>
  static R value(R x) {
    const auto [w, q, s, c] = root_of_softplus(x);
    return w * sqrt(q);
  }
  template <class R>
  static R slope(R x) {
    const auto [w, q, s, c] = root_of_softplus(x);
    return 0.5 * w * s * reciprocal_sqrt(q);
  }
  template <class R>
  static auto curvature(R x) {
    const auto [w, q, s, c] = root_of_softplus(x);
    const R slope = 0.5 * w * s * reciprocal_sqrt(q);
    const R first = select(x > 0x1p1000, -0.0, slope * c);           // an infinite x would leave +0
    return cancelling_sum(first, -0.5 * slope * s * reciprocal(q));  // root near 0.9214
  }
  template <class R>
  static R slope_from_output(R y) {
    const auto none = y == 0.0;  // where f has underflown
    return select(none, 0.0, -expm1(-(y * y)) / select(none, 1.0, 2.0 * y));
  }
};
