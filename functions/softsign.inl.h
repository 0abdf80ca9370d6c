// SPDX-License-Identifier: Apache-2.0
// Softsign: an odd sigmoid with algebraic tails.
struct Softsign {
  static constexpr Info info{
      .name = "softsign",
      .aliases = {"soft_sign"},
      .family = "sigmoid",
      .formula = "x/(1 + |x|)",
      .derivative = "1/(1 + |x|)^2",
      .second_derivative = "-2*sign(x)/(1 + |x|)^3",
      .kinks = {{"0", 2, {"1", "1", "1"}, {"2", "2", "-2"}}},
      .limits = {"-1", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(-1, 1)",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"0"},
      .from_output = {.formula = "(1 - |y|)^2", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "Turian et al. 2009; Glorot & Bengio 2010",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > 0, x / (1 + x), x / (1 - x));
  }

  template <class R>
  static R value(R x) {
    return x * reciprocal(1.0 + abs(x));
  }
  template <class R>
  static R slope(R x) {
    const R r = reciprocal(1.0 + abs(x));
    return r * r;
  }
  template <class R>
  static R curvature(R x) {
    const R r = reciprocal(1.0 + abs(x));
    return select(x > 0.0, R(-2.0), R(2.0)) * r * r * r;
  }
  template <class R>
  static R slope_from_output(R y) {
    const R c = 1.0 - abs(y);
    return c * c;
  }
};
