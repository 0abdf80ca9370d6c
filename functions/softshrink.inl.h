// SPDX-License-Identifier: Apache-2.0
// Soft shrinkage: all inputs move towards 0 by lambda.
struct Softshrink {
  static constexpr Info info{
      .name = "softshrink",
      .aliases = {"soft_shrink"},
      .known_as = {"onnx Shrink(bias=lambda)", "soft threshold"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "lambda", .preset = 0.5, .domain = ">= 0"}},
      .formula = "sign(x)*max(|x| - lambda, 0)",
      .derivative = "1 if |x| > lambda else 0",
      .second_derivative = "0",
      .kinks = {{"-lambda", 1, {"0", "1", "0"}, {"0", "0", "0"}}, {"lambda", 1, {"0", "0", "1"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0", "0"}, "S"}, {Kinks::tensorflow, {"0", "0"}, "X"}},
      .limits = {"-inf", "inf"},
      .derivative_limits = {"1", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf)",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"|x| <= lambda"},
      .from_output = {.formula = "1 if y != 0 else 0", .condition = "always"},
      .inverse = {.reason = "constant for |x| <= lambda"},
      .paper = "Donoho & Johnstone 1994",
  };

  template <class X>
  static X definition(const X& x, const X& lambda) {
    return select(x > lambda, x - lambda, select(x < -lambda, x + lambda, 0));
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R lambda) {
    const R y = abs(x);
    return copysign(select(y > lambda, narrow(wide_sum(y, -lambda)), 0.0), x);
  }
  template <class R>
  static R slope(R x, R lambda) {
    return select(abs(x) > lambda, R(1.0), R(0.0));
  }
  template <class R>
  static R curvature(R /*x*/, R /*lambda*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R x, R lambda) {
    return select(abs(x) > lambda, copysign(R(1.0), -x), R(0.0));
  }
  template <class R>
  static R slope_from_output(R y, R /*lambda*/) {
    return select(y == 0.0, R(0.0), R(1.0));
  }
};
