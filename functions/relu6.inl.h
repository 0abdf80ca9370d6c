// SPDX-License-Identifier: Apache-2.0
// Rectified linear unit, capped at 6.
struct Relu6 {
  static constexpr Info info{
      .name = "relu6",
      .known_as = {"clipped relu", "cudnn CLIPPED_RELU", "oneDNN bounded_relu"},
      .family = "rectifier",
      .formula = "min(max(x, 0), 6)",
      .derivative = "1 if 0 < x < 6 else 0",
      .second_derivative = "0",
      .kinks = {{"0", 1, {"0", "0", "1"}, {"0", "0", "0"}}, {"6", 1, {"0", "1", "0"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0", "0"}, "S"},
                      {Kinks::jax, {"0", "0"}, "S"},
                      {Kinks::tensorflow, {"0", "0"}, "S"}},
      .limits = {"0", "6"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, 6]",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"x <= 0"},
      .from_output = {.formula = "1 if 0 < y < 6 else 0", .condition = "always"},
      .inverse = {.reason = "constant for x <= 0 and for x >= 6"},
      .paper = "Krizhevsky 2010",
  };

  template <class X>
  static X definition(const X& x) {
    return Hardtanh::definition(x, X(0), X(6));
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return Hardtanh::value(x, R(0.0), R(6.0));
  }
  template <class R>
  static R slope(R x) {
    return Hardtanh::slope(x, R(0.0), R(6.0));
  }
  template <class R>
  static R curvature(R x) {
    return Hardtanh::curvature(x, R(0.0), R(6.0));
  }
  template <class R>
  static R slope_from_output(R y) {
    return Hardtanh::slope_from_output(y, R(0.0), R(6.0));
  }
};
