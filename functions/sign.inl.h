// SPDX-License-Identifier: Apache-2.0
// Sign.
struct Sign {
  static constexpr Info info{
      .name = "sign",
      .aliases = {"sgn", "signum"},
      .family = "rectifier",
      .formula = "-1 if x < 0 else 1 if x > 0 else 0",
      .derivative = "0",
      .second_derivative = "0",
      .kinks = {{"0", 0, {"0", "0", "0"}, {"0", "0", "0"}}},
      .limits = {"-1", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "0"},
      .range = "{-1, 0, 1}",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "inf",
      .roots = {"0"},
      .from_output = {.formula = "0", .condition = "always"},
      .inverse = {.reason = "constant on both sides of 0"},
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > 0, X(1), select(x < 0, X(-1), X(0)));
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, x));
  }
  template <class R>
  static R slope(R /*x*/) {
    return 0.0;
  }
  template <class R>
  static R curvature(R /*x*/) {
    return 0.0;
  }
  template <class R>
  static R slope_from_output(R /*y*/) {
    return 0.0;
  }
};
