// SPDX-License-Identifier: Apache-2.0
// Linearly scaled hyperbolic tangent.
struct Lisht {
  static constexpr Info info{
      .name = "lisht",
      .family = "gated_smooth",
      .formula = "x*tanh(x)",
      .derivative = "tanh(x) + x*(1 - tanh(x)^2)",
      .second_derivative = "2*(1 - tanh(x)^2)*(1 - x*tanh(x))",
      .limits = {"inf", "inf"},
      .derivative_limits = {"-1", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[0, inf)",
      .monotone = "no",
      .symmetry = "even",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "0", "0", "min"},
                  {1, "-1.19967864025773383392", "-1.19967864025773383392", "min"},
                  {1, "1.19967864025773383392", "1.19967864025773383392", "max"},
                  {2, "0", "2", "max"},
                  {2, "-1.71792049676755534448", "-0.147657492799572742553", "min"},
                  {2, "1.71792049676755534448", "-0.147657492799572742553", "min"}},
      .from_output = {.reason = "sign of x is lost"},
      .inverse = {.reason = "sign of x is lost"},
      .paper = "Roy et al. 2019",
  };

  template <class X>
  static X definition(const X& x) {
    return x * tanh(x);
  }

  template <class R>
  static R value(R x) {
    // x^2 is often a tie, tipped by -x^4/3.
    const R w = x * x;
    return near_zero(x, w - w * w * (1.0 / 3.0), x * tanh(x));
  }
  template <class R>
  static R slope(R x) {
    return tanh(x) + x * sech2(x);
  }
  template <class R>
  static auto curvature(R x) {
    // Roots near +-1.1997.
    const R s = 2.0 * sech2(x);
    return cancelling_sum(s, -s * x * tanh(x));
  }
};
