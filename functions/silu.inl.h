// SPDX-License-Identifier: Apache-2.0
// Sigmoid linear unit (swish with beta = 1).
struct Silu {
  static constexpr Info info{
      .name = "silu",
      .known_as = {"swish with beta = 1", "swish-1", "SiL"},
      .family = "gated_smooth",
      .formula = "x*sigmoid(x)",
      .derivative = "sigmoid(x)*(1 + x*sigmoid(-x))",
      .second_derivative = "sigmoid(x)*sigmoid(-x)*(2 + x*(1 - 2*sigmoid(x)))",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.278464542761073795109, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-1.27846454276107379511", "-0.278464542761073795109", "min"},
                  {1, "-2.39935728051546766783", "-0.0998393201288669169582", "min"},
                  {1, "2.39935728051546766783", "1.09983932012886691696", "max"},
                  {2, "0", "0.5", "max"},
                  {2, "-3.43584099353511068895", "-0.0369143731998931856383", "min"},
                  {2, "3.43584099353511068895", "-0.0369143731998931856383", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Hendrycks & Gimpel 2016; Elfwing et al. 2017; Ramachandran et al. 2017",
  };

  template <class X>
  static X definition(const X& x) {
    return Swish::definition(x, X(1));
  }

  template <class R>
  static R value(R x) {
    return Swish::value(x, R(1.0));
  }
  template <class R>
  static auto slope(R x) {
    return Swish::slope(x, R(1.0));  // root near -1.2785
  }
  template <class R>
  static auto curvature(R x) {
    return Swish::curvature(x, R(1.0));  // roots near +-2.3994
  }

  using FirstTry = Swish::FirstTry;
  using FastValue = Swish::FastValue;
  using FastSlope = Swish::FastSlope;
};
