// SPDX-License-Identifier: Apache-2.0
// Affine map: a line.
struct Affine {
  static constexpr Info info{
      .name = "affine",
      .known_as = {"oneDNN eltwise_linear", "coreml linear_activation", "onnx rnn Affine"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0, .domain = "any real"},
                     {.name = "beta", .preset = 0.0, .domain = "any real"}},
      .formula = "alpha*x + beta",
      .derivative = "alpha",
      .second_derivative = "0",
      .limits = {"-inf", "inf"},
      .derivative_limits = {"alpha", "alpha"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf) if alpha != 0",
      .monotone = "increasing if alpha >= 0",
      .symmetry = "odd if beta = 0 and alpha != 0",
      .lipschitz = "|alpha|",
      .roots = {"-beta/alpha"},
      .from_output = {.formula = "alpha", .condition = "always"},
      .inverse = {.condition = "alpha != 0"},
      .note = "limits change sign with alpha",
  };

  template <class X>
  static X definition(const X& x, const X& alpha, const X& beta) {
    return alpha * x + beta;
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R alpha, R beta) {
    // Without beta the sign of a zero is the product's; a zero alpha makes a plateau, whose zero is +0.
    const R line = select(beta == 0.0, exact_product(alpha, x), exact_fma(alpha, x, beta));
    return select(alpha == 0.0, beta, line);
  }
  template <class R>
  static R slope(R /*x*/, R alpha, R /*beta*/) {
    return alpha;
  }
  template <class R>
  static R curvature(R /*x*/, R /*alpha*/, R /*beta*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R x, R /*alpha*/, R /*beta*/) {
    if constexpr (parameter == 0)
      return x;
    else
      return 1.0;
  }
  template <class R>
  static R slope_from_output(R /*y*/, R alpha, R /*beta*/) {
    return alpha;
  }
};
