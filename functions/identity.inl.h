// SPDX-License-Identifier: Apache-2.0
// The identity: no activation at all, and the baseline of every comparison.
struct Identity {
  static constexpr Info info{
      .name = "identity",
      .aliases = {"linear"},
      .known_as = {"torch.nn.Identity", "cudnn IDENTITY"},
      .family = "rectifier",
      .formula = "x",
      .derivative = "1",
      .second_derivative = "0",
      .limits = {"-inf", "inf"},
      .derivative_limits = {"1", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf)",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"0"},
      .from_output = {.formula = "1", .condition = "always"},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return x;
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return x;
  }
  template <class R>
  static R slope(R /*x*/) {
    return 1.0;
  }
  template <class R>
  static R curvature(R /*x*/) {
    return 0.0;
  }
  template <class R>
  static R slope_from_output(R /*y*/) {
    return 1.0;
  }
};
