// SPDX-License-Identifier: Apache-2.0
// Rectified linear unit.
struct Relu {
  static constexpr Info info{
      .name = "relu",
      .aliases = {"rectifier", "ramp"},
      .family = "rectifier",
      .formula = "max(x, 0)",
      .derivative = "1 if x > 0 else 0",
      .second_derivative = "0",
      .kinks = {{"0", 1, {"0", "0", "1"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0"}, "S"}, {Kinks::jax, {"0"}, "S"}, {Kinks::tensorflow, {"0"}, "S"}},
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"x <= 0"},
      .from_output = {.formula = "1 if y > 0 else 0", .condition = "always"},
      .inverse = {.reason = "constant for x <= 0"},
      .paper = "Fukushima 1969; Nair & Hinton 2010",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > 0, x, 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return select(x > 0.0, x, 0.0);
  }
  template <class R>
  static R slope(R x) {
    return select(x > 0.0, R(1.0), R(0.0));
  }
  template <class R>
  static R curvature(R /*x*/) {
    return 0.0;
  }
  template <class R>
  static R slope_from_output(R y) {
    return select(y > 0.0, R(1.0), R(0.0));
  }
};
