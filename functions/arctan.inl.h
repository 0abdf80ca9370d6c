// SPDX-License-Identifier: Apache-2.0
// Arc tangent.
struct Arctan {
  static constexpr Info info{
      .name = "arctan",
      .aliases = {"atan"},
      .family = "sigmoid",
      .formula = "atan(x)",
      .derivative = "1/(1 + x^2)",
      .second_derivative = "-2*x/(1 + x^2)^2",
      .limits = {"-pi/2", "pi/2"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(-pi/2, pi/2)",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"0"},
      .extrema = {{1, "0", "1", "max"},
                  {2, "-0.577350269189625764509", "0.649519052838328985073", "max"},
                  {2, "0.577350269189625764509", "-0.649519052838328985073", "min"}},
      .from_output = {.formula = "cos(y)^2", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return atan(x);
  }

  template <class R>
  static R value(R x) {
    return atan(x);
  }
  template <class R>
  static R slope(R x) {
    return reciprocal(1.0 + x * x);
  }
  template <class R>
  static R curvature(R x) {
    const R r = reciprocal(1.0 + x * x);
    return -2.0 * x * r * r;
  }
  template <class R>
  static R slope_from_output(R y) {
    const R c = sin_of_product<2>(R(1.0), y);  // cos(y)
    return c * c;
  }
};
