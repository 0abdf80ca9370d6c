// SPDX-License-Identifier: Apache-2.0
// Hyperbolic tangent, stretched both ways.
struct ScaledTanh {
  static constexpr Info info{
      .name = "scaled_tanh",
      .aliases = {"stanh"},
      .known_as = {"coreml scaled_tanh", "onnx rnn ScaledTanh"},
      .family = "sigmoid",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.7159, .domain = "any real"},
                     {.name = "beta", .preset = 2.0 / 3, .domain = "any real"}},
      .formula = "alpha*tanh(beta*x)",
      .derivative = "alpha*beta*(1 - tanh(beta*x)^2)",
      .second_derivative = "-2*alpha*beta^2*tanh(beta*x)*(1 - tanh(beta*x)^2)",
      .limits = {"-alpha*sign(beta)", "alpha*sign(beta)"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(-alpha, alpha)",
      .monotone = "increasing (alpha*beta >= 0)",
      .symmetry = "odd",
      .lipschitz = "|alpha*beta|",
      .roots = {"0"},
      .extrema = {{1, "0", "1.14393333333333325704", "max"},
                  {2, "-0.987718422693612586298", "0.58706686038665406119", "max"},
                  {2, "0.987718422693612586298", "-0.58706686038665406119", "min"}},
      .from_output = {.formula = "beta*(alpha - y)*(alpha + y)/alpha",
                      .condition = "alpha != 0",
                      .loses_accuracy = true},
      .inverse = {.condition = "alpha*beta != 0"},
      .paper = "LeCun et al. 1998",
  };

  template <class X>
  static X definition(const X& x, const X& alpha, const X& beta) {
    return alpha * tanh(beta * x);
  }

  template <class R>
  static R value(R x, R alpha, R beta) {
    return alpha * tanh(beta * x);
  }
  template <class R>
  static R slope(R x, R alpha, R beta) {
    return alpha * beta * sech2(beta * x);
  }
  template <class R>
  static R curvature(R x, R alpha, R beta) {
    const R y = alpha * beta * beta * Tanh::curvature(beta * x);
    return select(alpha * beta == 0.0, abs(y), y);  // the derivatives of a constant are +0
  }
  template <int parameter, class R>
  static R gradient(R x, R alpha, R beta) {
    if constexpr (parameter == 0)
      return tanh(beta * x);
    else
      return alpha * x * sech2(beta * x);
  }
  template <class R>
  static R slope_from_output(R y, R alpha, R beta) {
    const R rest = (alpha - y) * (alpha + y);  // a rounded y may lie beyond alpha
    return beta * at_least(rest, 0.0) / alpha;
  }
};
