// SPDX-License-Identifier: Apache-2.0
// The input times the hyperbolic tangent of its exponential.
struct Tanhexp {
  static constexpr Info info{
      .name = "tanhexp",
      .family = "gated_smooth",
      .formula = "x*tanh(exp(x))",
      .derivative = "t + x*e*(1 - t^2), e = exp(x), t = tanh(e)",
      .second_derivative = "e*(1 - t^2)*(2 + x*(1 - 2*e*t)), e = exp(x), t = tanh(e)",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.353285777848211270987, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-1.07886005846462405665", "-0.353285777848211270987", "min"},
                  {1, "0.69656396039517238403", "1.06197530871791596923", "max"},
                  {1, "-2.0659718961567498441", "-0.131570036189715815543", "min"},
                  {2, "-0.192516120533904735478", "0.902162341700721305864", "max"},
                  {2, "0.98878399788907185133", "-0.112271741278913515263", "min"},
                  {2, "-3.0416926274824251186", "-0.0489712403480976109936", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Liu & Di 2020",
  };

  template <class X>
  static X definition(const X& x) {
    return x * tanh(exp(x));
  }

  template <class R>
  static R value(R x) {
    return x * tanh(exp(x));
  }
  template <class R>
  static auto slope(R x) {
    const R e = cut(exp(x));
    return cancelling_sum(tanh(e), x * e * sech2(e));  // root near -1.0789
  }
  template <class R>
  static auto curvature(R x) {
    // Roots near -2.0660 and 0.6966. The error of e grows by 2 e, until all underflows near e = 55.
    const R e = cut(exp_fine(x)), s = e * sech2(e);
    return cancelling_sum(2.0 * s, x * s * (1.0 - 2.0 * e * tanh(e)));
  }
};
