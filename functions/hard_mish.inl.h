// SPDX-License-Identifier: Apache-2.0
// Mish in three polynomial pieces.
struct HardMish {
  static constexpr Info info{
      .name = "hard_mish",
      .known_as = {"HardMish"},
      .family = "rectifier",
      .formula = "x*min(max(x + 2, 0), 2)/2",
      .derivative = "0 if x <= -2 else 1 if x >= 0 else x + 1",
      .second_derivative = "1 if -2 < x <= 0 else 0",
      .kinks = {{"-2", 1, {"0", "0", "-1"}, {"0", "0", "1"}}, {"0", 2, {"1", "1", "1"}, {"1", "1", "0"}}},
      .limits = {"-0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "[-1/2, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"x <= -2", "0"},
      .extrema = {{0, "-1", "-1/2", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .note = "from a note in Misra's repository; in timm",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > -2, select(x > 0, x, x * (x + 2) / 2), 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x) {
    const R y = 0.5 * narrow(wide_product(x, wide_sum(x, 2.0)));
    return copysign(select(x > -2.0, select(x > 0.0, x, y), 0.0), x);  // -0 on the plateau and at -0
  }
  template <class R>
  static R slope(R x) {
    return select(x > -2.0, select(x > 0.0, 1.0, narrow(wide_sum(x, 1.0))), 0.0);
  }
  template <class R>
  static R curvature(R x) {
    return select(x > -2.0, select(x > 0.0, R(0.0), R(1.0)), R(0.0));
  }
};
