// SPDX-License-Identifier: Apache-2.0
// GELU by the logistic sigmoid: swish with beta = 1.702.
struct QuickGelu {
  static constexpr Info info{
      .name = "quick_gelu",
      .aliases = {"gelu_quick"},
      .known_as = {"mlx gelu_fast_approx", "coreml SIGMOID_APPROXIMATION", "oneDNN swish(1.702)"},
      .family = "gated_smooth",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.702, .domain = "> 0"}},
      .formula = "x*sigmoid(alpha*x)",
      .derivative = "s*(1 + z*c), z = alpha*x, s = sigmoid(z), c = sigmoid(-z)",
      .second_derivative = "alpha*s*c*(2 + z*(1 - 2*s)), z = alpha*x, s = sigmoid(z), c = sigmoid(-z)",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.163610189636353585244, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-0.751154255441288970113", "-0.163610189636353585244", "min"},
                  {1, "-1.40972813191273074497", "-0.0998393201288669169582", "min"},
                  {1, "1.40972813191273074497", "1.09983932012886691696", "max"},
                  {2, "0", "0.850999999999999978684", "max"},
                  {2, "-2.01870798680088764689", "-0.0628282631862182003826", "min"},
                  {2, "2.01870798680088764689", "-0.0628282631862182003826", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Hendrycks & Gimpel 2016",
  };

  template <class X>
  static X definition(const X& x, const X& alpha) {
    return Swish::definition(x, alpha);
  }

  template <class R>
  static R value(R x, R alpha) {
    return Swish::value(x, alpha);
  }
  template <class R>
  static auto slope(R x, R alpha) {
    return Swish::slope(x, alpha);
  }
  template <class R>
  static auto curvature(R x, R alpha) {
    return Swish::curvature(x, alpha);
  }
  template <int parameter, class R>
  static R gradient(R x, R alpha) {
    return Swish::gradient<0>(x, alpha);
  }
};
