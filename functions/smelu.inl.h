// SPDX-License-Identifier: Apache-2.0
// Smooth rectified linear unit: a parabola joins the two straight pieces.
struct Smelu {
  static constexpr Info info{
      .name = "smelu",
      .known_as = {"smooth relu"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "beta", .preset = 2.0, .domain = "> 0"}},
      .formula = "0 if x <= -beta else x if x >= beta else (x + beta)^2/(4*beta)",
      .derivative = "0 if x <= -beta else 1 if x >= beta else (x + beta)/(2*beta)",
      .second_derivative = "1/(2*beta) if -beta < x <= beta else 0",
      .kinks = {{"-beta", 2, {"0", "0", "0"}, {"0", "0", "1/(2*beta)"}},
                {"beta", 2, {"1", "1", "1"}, {"1/(2*beta)", "1/(2*beta)", "0"}}},
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"x <= -beta"},
      .from_output = {.formula = "min(sqrt(y/beta), 1)", .condition = "always"},
      .inverse = {.reason = "constant for x <= -beta"},
      .paper = "Shamir et al. 2020/2022",
  };

  template <class X>
  static X definition(const X& x, const X& beta) {
    return select(x > -beta, select(x > beta, x, (x + beta) * (x + beta) / (4 * beta)), 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R beta) {
    const R square = narrow(wide_quotient(wide_square(wide_sum(x, beta)), 4.0 * beta));
    return select(x > -beta, select(x > beta, x, square), 0.0);
  }
  template <class R>
  static R slope(R x, R beta) {
    const R line = narrow(wide_quotient(wide_sum(x, beta), 2.0 * beta));
    return select(x > -beta, select(x > beta, 1.0, line), 0.0);
  }
  template <class R>
  static R curvature(R x, R beta) {
    const R constant = narrow(wide_quotient(wide_sum(R(1.0), 0.0), 2.0 * beta));
    return select(x > -beta, select(x > beta, 0.0, constant), 0.0);
  }
  template <int parameter, class R>
  static R gradient(R x, R beta) {
    const R parabola = 0.25 * ((beta - x) / beta) * ((beta + x) / beta);
    return select(x > -beta, select(x > beta, 0.0, parabola), 0.0);
  }
  template <class R>
  static R slope_from_output(R y, R beta) {
    return at_most(sqrt(y / beta), 1.0);
  }
};
