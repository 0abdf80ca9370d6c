// SPDX-License-Identifier: Apache-2.0
// Squared rectified linear unit.
struct ReluSquared {
  static constexpr Info info{
      .name = "relu_squared",
      .aliases = {"relu2"},
      .known_as = {"squared relu", "TE srelu"},
      .family = "rectifier",
      .formula = "max(x, 0)^2",
      .derivative = "2*max(x, 0)",
      .second_derivative = "2 if x > 0 else 0",
      .kinks = {{"0", 2, {"0", "0", "0"}, {"0", "0", "2"}}},
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "inf"},
      .second_derivative_limits = {"0", "2"},
      .range = "[0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "inf",
      .roots = {"x <= 0"},
      .from_output = {.formula = "2*sqrt(y)", .condition = "always"},
      .inverse = {.reason = "constant for x <= 0"},
      .paper = "So et al. 2021 (Primer)",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > 0, x * x, 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return select(x > 0.0, x * x, 0.0);
  }
  template <class R>
  static R slope(R x) {
    return select(x > 0.0, x + x, 0.0);
  }
  template <class R>
  static R curvature(R x) {
    return select(x > 0.0, R(2.0), R(0.0));
  }
  template <class R>
  static R slope_from_output(R y) {
    return 2.0 * sqrt(y);
  }
};
