// SPDX-License-Identifier: Apache-2.0
// Absolute value rectification.
struct Abs {
  static constexpr Info info{
      .name = "abs",
      .known_as = {"absolute value rectification", "cudnn ABS"},
      .family = "rectifier",
      .formula = "|x|",
      .derivative = "sign(x)",
      .second_derivative = "0",
      .kinks = {{"0", 1, {"0", "-1", "1"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0"}}, {Kinks::jax, {"0"}}, {Kinks::tensorflow, {"0"}}},
      .limits = {"inf", "inf"},
      .derivative_limits = {"-1", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, inf)",
      .monotone = "no",
      .symmetry = "even",
      .lipschitz = "1",
      .roots = {"0"},
      .extrema = {{0, "0", "0", "min"}},
      .from_output = {.reason = "sign of x is lost"},
      .inverse = {.reason = "sign of x is lost"},
      .paper = "Jarrett et al. 2009",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > 0, x, select(x < 0, -x, 0));
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return abs(x);
  }
  template <class R>
  static R slope(R x) {
    return select(x > 0.0, 1.0, select(x < 0.0, R(-1.0), R(0.0)));
  }
  template <class R>
  static R curvature(R /*x*/) {
    return 0.0;
  }
};
