// SPDX-License-Identifier: Apache-2.0
// Sigmoid in three straight pieces.
struct HardSigmoid {
  static constexpr Info info{
      .name = "hard_sigmoid",
      .aliases = {"hardsigmoid", "sigmoid_hard"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0 / 6, .domain = "> 0", .exact = "1/6"},
                     {.name = "beta", .preset = 0.5, .domain = "any real"}},
      .formula = "min(max(alpha*x + beta, 0), 1)",
      .derivative = "alpha if 0 < alpha*x + beta < 1 else 0",
      .second_derivative = "0",
      .kinks = {{"-beta/alpha", 1, {"0", "0", "alpha"}, {"0", "0", "0"}},
                {"(1-beta)/alpha", 1, {"0", "alpha", "0"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0", "0"}, "S"},
                      {Kinks::jax, {"0", "0"}, "X"},
                      {Kinks::tensorflow, {"0", "0"}, "X"}},
      .presets = {{"pytorch", "hard_sigmoid", "S"},
                  {"jax", "hard_sigmoid", "S"},
                  {"keras3", "hard_sigmoid", "S", "the code; its docstring tells of 0.2"},
                  {"ggml", "hard_sigmoid", "S"},
                  {"keras2", "hard_sigmoid:alpha=0.2", "D", "tf.keras up to 2.15 too"},
                  {"onnx", "hard_sigmoid:alpha=0.2", "S"}},
      .limits = {"0", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, 1]",
      .monotone = "increasing (alpha >= 0)",
      .symmetry = "none",
      .lipschitz = "|alpha|",
      .roots = {"x <= -beta/alpha"},
      .from_output = {.formula = "alpha if 0 < y < 1 else 0", .condition = "always"},
      .inverse = {.reason = "constant for x <= -beta/alpha and for x >= (1-beta)/alpha"},
      .paper = "Courbariaux et al. 2015",
      .note = "ONNX and Keras 2 use alpha = 0.2",
  };

  template <class X>
  static X definition(const X& x, const X& alpha, const X& beta) {
    const X y = alpha * x + beta;
    return select(y > 0, select(y < 1, y, 1), 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R, class A>
  static R value(R x, A alpha, R beta) {  // A is R, or a pair
    const R y = exact_fma(alpha, x, beta);
    return select(y > 0.0, select(y < 1.0, y, 1.0), 0.0);
  }
  template <class R, class A>
  static R slope(R x, A alpha, R beta) {
    const R y = exact_fma(alpha, x, beta);  // rounded to odd it is on the right side of 0 and 1
    return select(y > 0.0, select(y < 1.0, narrow(alpha), 0.0), 0.0);
  }
  template <class R, class A>
  static R curvature(R /*x*/, A /*alpha*/, R /*beta*/) {
    return 0.0;
  }
  template <int parameter, class R, class A>
  static R gradient(R x, A alpha, R beta) {
    const R y = exact_fma(alpha, x, beta), inside = parameter == 0 ? x : R(1.0);
    return select(y > 0.0, select(y < 1.0, inside, 0.0), 0.0);
  }
  template <class R, class A = R>
  static R slope_from_output(R y, A alpha, R /*beta*/) {
    return select(y > 0.0, select(y < 1.0, narrow(alpha), 0.0), 0.0);
  }
};
