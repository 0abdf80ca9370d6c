// SPDX-License-Identifier: Apache-2.0
// Expanded integral of the exponential linear unit.
struct Xielu {
  static constexpr Info info{
      .name = "xielu",
      .family = "exponential",
      .kind = Kind::learnable,
      .parameters =
          {{.name = "alpha_p", .preset = 0.8, .domain = "> 0 (softplus of the stored parameter)", .learnable = true},
           {.name = "alpha_n",
            .preset = 0.8,
            .domain = "> beta (beta + softplus of the stored parameter)",
            .learnable = true},
           {.name = "beta", .preset = 0.5, .domain = ">= 0"}},
      .formula = "alpha_p*x^2 + beta*x if x > 0 else alpha_n*(expm1(x) - x) + beta*x",
      .derivative = "2*alpha_p*x + beta if x > 0 else alpha_n*expm1(x) + beta",
      .second_derivative = "2*alpha_p if x > 0 else alpha_n*exp(x)",
      .kinks = {{"0", 2, {"beta", "beta", "beta"}, {"alpha_n", "alpha_n", "2*alpha_p"}}},
      .limits = {"inf", "inf"},
      .derivative_limits = {"beta - alpha_n", "inf"},
      .second_derivative_limits = {"0", "2*alpha_p"},
      .range = "[-0.205751224096482113141, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "inf",
      .roots = {"-2.4324842769314479351", "0"},
      .extrema = {{0, "-0.980829253011726144338", "-0.205751224096482113141", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Huang & Schlag 2024",
      .note =
          "exact form without the eps clamp of the reference code; alpha_p, alpha_n are the constrained values; the "
          "negative root solves alpha_n*expm1(x) = (alpha_n - beta)*x",
  };

  template <class X>
  static X definition(const X& x, const X& alpha_p, const X& alpha_n, const X& beta) {
    return select(x > 0, alpha_p * x * x + beta * x, alpha_n * (expm1(x) - x) + beta * x);
  }

  template <class R>
  static auto value(R x, R alpha_p, R alpha_n, R beta) {
    // At -0 the sum is -0 unless beta is 0.
    const R curved = select(x > 0.0, alpha_p * x * x, alpha_n * exp_remainder(at_most(x, 0.0)));
    const R zero = select(beta == 0.0, abs(x), x);
    return cancelling_sum(select(x == 0.0, zero, curved), beta * x);  // root near -2.4325
  }
  template <class R>
  static auto slope(R x, R alpha_p, R alpha_n, R beta) {
    // Root near -0.9808. At -0 the sum is -0 if beta is 0.
    const R constant = select(beta == 0.0, copysign(R(0.0), x), beta);
    return cancelling_sum(select(x > 0.0, 2.0 * alpha_p * x, alpha_n * expm1(x)), constant);
  }
  template <class R>
  static R curvature(R x, R alpha_p, R alpha_n, R /*beta*/) {
    return select(x > 0.0, 2.0 * alpha_p, alpha_n * exp(x));
  }
  template <int parameter, class R>
  static R gradient(R x, R /*alpha_p*/, R /*alpha_n*/, R /*beta*/) {
    if constexpr (parameter == 0)
      return select(x > 0.0, x * x, 0.0);
    else if constexpr (parameter == 1)
      return select(x > 0.0, 0.0, exp_remainder(at_most(x, 0.0)));
    else
      return x;
  }
};
