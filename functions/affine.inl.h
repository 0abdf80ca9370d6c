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
      .symmetry = "none",
      .lipschitz = "|alpha|",
      .roots = {"-beta/alpha"},
      .note = "limits change sign with alpha",
  };

  template <class X>
  static X definition(const X& x, const X& alpha, const X& beta) {
    return alpha * x + beta;
  }
};
