// SPDX-License-Identifier: Apache-2.0
// Softplus that reaches 0: a parabola joins the two straight pieces.
struct SparsePlus {
  static constexpr Info info{
      .name = "sparse_plus",
      .family = "rectifier",
      .formula = "0 if x <= -1 else x if x >= 1 else (x + 1)^2/4",
      .derivative = "0 if x <= -1 else 1 if x >= 1 else (x + 1)/2",
      .second_derivative = "1/2 if -1 < x <= 1 else 0",
      .kinks = {{"-1", 2, {"0", "0", "0"}, {"0", "0", "1/2"}}, {"1", 2, {"1", "1", "1"}, {"1/2", "1/2", "0"}}},
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"x <= -1"},
      .from_output = {.formula = "min(sqrt(y), 1)", .condition = "always"},
      .inverse = {.reason = "constant for x <= -1"},
      .paper = "Blondel, Martins & Niculae 2019",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > -1, select(x > 1, x, (x + 1) * (x + 1) / 4), 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x) {
    return select(x > -1.0, select(x > 1.0, x, 0.25 * narrow(wide_square(wide_sum(x, 1.0)))), 0.0);
  }
  template <class R>
  static R slope(R x) {
    return select(x > -1.0, select(x > 1.0, 1.0, 0.5 * narrow(wide_sum(x, 1.0))), 0.0);
  }
  template <class R>
  static R curvature(R x) {
    return select(x > -1.0, select(x > 1.0, R(0.0), R(0.5)), R(0.0));
  }
  template <class R>
  static R slope_from_output(R y) {
    return at_most(sqrt(y), 1.0);
  }
};
