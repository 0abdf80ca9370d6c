// SPDX-License-Identifier: Apache-2.0
// The input less its hyperbolic tangent.
struct Tanhshrink {
  static constexpr Info info{
      .name = "tanhshrink",
      .aliases = {"tanh_shrink"},
      .family = "sigmoid",
      .formula = "x - tanh(x)",
      .derivative = "tanh(x)^2",
      .second_derivative = "2*tanh(x)*(1 - tanh(x)^2)",
      .limits = {"-inf", "inf"},
      .derivative_limits = {"1", "1"},
      .second_derivative_limits = {"-0", "0"},
      .range = "(-inf, inf)",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"0"},
      .extrema = {{1, "0", "0", "min"},
                  {2, "-0.658478948462408354313", "-0.769800358919501019346", "min"},
                  {2, "0.658478948462408354313", "0.769800358919501019346", "max"}},
      .from_output = {.reason = "no closed form"},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return x - tanh(x);
  }

  template <class R>
  static R value(R x) {
    return tanhshrink(x);
  }
  template <class R>
  static R slope(R x) {
    const R t = tanh(x);
    return t * t;
  }
  template <class R>
  static R curvature(R x) {
    return 2.0 * tanh(x) * sech2(x);
  }
};
