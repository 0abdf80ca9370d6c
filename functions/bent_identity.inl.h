// SPDX-License-Identifier: Apache-2.0
// Bent identity: a hyperbola with slopes 1/2 and 3/2.
struct BentIdentity {
  static constexpr Info info{
      .name = "bent_identity",
      .family = "other",
      .formula = "(sqrt(x^2 + 1) - 1)/2 + x",
      .derivative = "x/(2*sqrt(x^2 + 1)) + 1",
      .second_derivative = "1/(2*(x^2 + 1)^(3/2))",
      .limits = {"-inf", "inf"},
      .derivative_limits = {"0.5", "1.5"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "3/2",
      .roots = {"0"},
      .extrema = {{2, "0", "0.5", "max"}},
      .from_output = {.formula = "1 + x/(2*sqrt(x^2 + 1)), x = (4*y + 2 - sqrt(4*y^2 + 4*y + 4))/3",
                      .condition = "always",
                      .note = "invertible in closed form"},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return (sqrt(x * x + 1) - 1) / 2 + x;
  }

  template <class R>
  static R value(R x) {
    // sqrt(x^2 + 1) - 1 = x^2 / (sqrt(x^2 + 1) + 1). A quotient near 1, not a product: 3/2 x - 1/2 decides ties of 3/2
    // x.
    return x * (1.0 + 0.5 * (x / (sqrt(x * x + 1.0) + 1.0)));
  }
  template <class R>
  static R slope(R x) {
    return 1.0 + 0.5 * x * reciprocal_sqrt(x * x + 1.0);
  }
  template <class R>
  static R curvature(R x) {
    const R s = reciprocal_sqrt(x * x + 1.0);
    return 0.5 * s * s * s;
  }
  template <class R>
  static R slope_from_output(R y) {
    const R x = (4.0 * y + 2.0 - 2.0 * sqrt(y * y + y + 1.0)) / 3.0;
    return 1.0 + 0.5 * x * reciprocal_sqrt(x * x + 1.0);
  }
};
