// SPDX-License-Identifier: Apache-2.0
// The input times the error function of its softplus.
struct Serf {
  static constexpr Info info{
      .name = "serf",
      .family = "gated_smooth",
      .formula = "x*erf(softplus(x))",
      .derivative = "erf(p) + x*k, p = softplus(x), k = 2/sqrt(pi)*exp(-p^2)*sigmoid(x)",
      .second_derivative =
          "k*(2 + x*(sigmoid(-x) - 2*p*sigmoid(x))), p = softplus(x), k = 2/sqrt(pi)*exp(-p^2)*sigmoid(x)",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.348437458759606420222, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-1.19305996892818796618", "-0.348437458759606420222", "min"},
                  {1, "1.09604604045262924024", "1.08612544415099715338", "max"},
                  {1, "-2.25649748027397424489", "-0.126968589057905387539", "min"},
                  {2, "-0.140551776526248586789", "0.711944763810446228326", "max"},
                  {2, "1.54456217081686987002", "-0.0976455960753185434378", "min"},
                  {2, "-3.26735560445475004267", "-0.0470894109221718349386", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Nag & Bhattacharyya 2021",
  };

  template <class X>
  static X definition(const X& x) {
    return x * erf(softplus(x));
  }

  template <class R>
  static R value(R x) {
    return x * erf(softplus(x));
  }
  template <class R>
  static auto slope(R x) {
    const R z = cut(x), p = softplus(z);
    return cancelling_sum(erf(p), z * gate_slope(z, p));  // root near -1.1931
  }
  template <class R>
  static auto curvature(R x) {
    const R z = cut(x), p = softplus(z), k = gate_slope(z, p);
    const auto [s, c, d] = logistic(z);
    return cancelling_sum(2.0 * k, k * z * (c - 2.0 * p * s));  // roots near -2.2565 and 1.096
  }

 private:
  /// The derivative of erf(p), p = softplus(x).
  template <class R>
  static R gate_slope(R x, R p) {
    const R factor = R::constant(0x1.20dd750429b6dp0, 0x1.1ae3a914fed8p-56, -0x1.3cbbebf65f145p-111);  // 2 / sqrt(pi)
    return factor * exp_decay(-(p * p)) * sigmoid(x);
  }
};
