// SPDX-License-Identifier: Apache-2.0
// ELU times a constant: SELU with constants of one's own, such as the rounded ones of ONNX and MLX.
struct ScaledElu {
  static constexpr Info info{
      .name = "scaled_elu",
      .family = "exponential",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 0x1.ac5afad782cf1p0, .domain = "> 0"},
                     {.name = "lambda", .preset = 0x1.0cfabd6a91132p0, .domain = "> 0"}},
      .formula = "lambda*(x if x > 0 else alpha*expm1(x))",
      .derivative = "lambda if x > 0 else lambda*alpha*exp(x)",
      .second_derivative = "0 if x > 0 else lambda*alpha*exp(x)",
      .kinks = {{"0", 1, {"lambda*alpha", "lambda*alpha", "lambda"}, {"lambda*alpha", "lambda*alpha", "0"}}},
      .limits = {"-lambda*alpha", "inf"},
      .derivative_limits = {"0", "lambda"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-lambda*alpha, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "lambda*max(1, alpha)",
      .roots = {"0"},
      .from_output = {.formula = "lambda if y > 0 else y + lambda*alpha",
                      .condition = "always",
                      .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "Klambauer et al. 2017",
      .note = "the defaults are the doubles nearest to SELU's constants; selu has the real numbers",
  };

  template <class X>
  static X definition(const X& x, const X& alpha, const X& lambda) {
    return lambda * Elu::definition(x, alpha);
  }

  template <class R>
  static R value(R x, R alpha, R lambda) {
    return lambda * Elu::value(x, alpha);
  }
  template <class R>
  static R slope(R x, R alpha, R lambda) {
    return lambda * Elu::slope(x, alpha);
  }
  template <class R>
  static R curvature(R x, R alpha, R lambda) {
    return lambda * Elu::curvature(x, alpha);
  }
  template <int parameter, class R>
  static R gradient(R x, R alpha, R lambda) {
    if constexpr (parameter == 0)
      return lambda * Elu::gradient<0>(x, alpha);
    else
      return Elu::value(x, alpha);
  }
  template <class R>
  static auto slope_from_output(R y, R alpha, R lambda) {
    const R level = lambda * alpha;  // a rounded y may lie beyond -level
    return cancelling_sum(select(y > 0.0, 0.0, select(y + level < 0.0, -level, y)), select(y > 0.0, lambda, level));
  }
};
