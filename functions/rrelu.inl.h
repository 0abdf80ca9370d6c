// SPDX-License-Identifier: Apache-2.0
// Randomized leaky rectified linear unit; the slope of evaluation, the mean of its bounds.
struct Rrelu {
  static constexpr Info info{
      .name = "rrelu",
      .known_as = {"randomized leaky relu (eval mode)"},
      .family = "rectifier",
      .kind = Kind::randomized,
      .parameters = {{.name = "lower", .preset = 0.125, .domain = "<= upper"},
                     {.name = "upper", .preset = 1.0 / 3, .domain = ">= lower"}},
      .formula = "x if x > 0 else s*x, s = (lower+upper)/2",
      .derivative = "1 if x > 0 else (lower+upper)/2",
      .second_derivative = "0",
      .kinks = {{"0", 1, {"(lower+upper)/2", "(lower+upper)/2", "1"}, {"0", "0", "0"}}},
      .limits = {"-inf", "inf"},
      .derivative_limits = {"(lower + upper)/2", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf) if s > 0",
      .monotone = "increasing if s >= 0",
      .symmetry = "none",
      .lipschitz = "max(1, |s|)",
      .roots = {"0"},
      .from_output = {.formula = "1 if y > 0 else s", .condition = "s >= 0"},
      .inverse = {.condition = "s > 0"},
      .paper = "Xu et al. 2015",
      .note =
          "limit at -inf is 0 when s = 0 and +inf when s < 0; training mode draws s ~ U(lower, upper) per negative "
          "element",
  };

  template <class X>
  static X definition(const X& x, const X& lower, const X& upper) {
    return LeakyRelu::definition(x, (lower + upper) / 2);
  }

  static constexpr Arithmetic arithmetic = LeakyRelu::arithmetic;

  template <class R>
  static R value(R x, R lower, R upper) {
    return LeakyRelu::value(x, wide_sum(0.5 * lower, 0.5 * upper));
  }
  template <class R>
  static R slope(R x, R lower, R upper) {
    return select(x > 0.0, 1.0, narrow(wide_sum(0.5 * lower, 0.5 * upper)));
  }
  template <class R>
  static R curvature(R /*x*/, R /*lower*/, R /*upper*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R x, R /*lower*/, R /*upper*/) {
    return select(x > 0.0, 0.0, 0.5 * x);
  }
  template <class R>
  static R slope_from_output(R y, R lower, R upper) {
    return select(y > 0.0, 1.0, narrow(wide_sum(0.5 * lower, 0.5 * upper)));
  }
};
