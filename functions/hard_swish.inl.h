// SPDX-License-Identifier: Apache-2.0
// Swish with the hard sigmoid in place of the sigmoid.
struct HardSwish {
  static constexpr Info info{
      .name = "hard_swish",
      .aliases = {"hardswish", "hard_silu"},
      .family = "rectifier",
      .formula = "x*min(max(x + 3, 0), 6)/6",
      .derivative = "0 if x <= -3 else 1 if x >= 3 else (2*x + 3)/6",
      .second_derivative = "1/3 if |x| < 3 else 0",
      .kinks = {{"-3", 1, {"0", "0", "-1/2"}, {"0", "0", "1/3"}}, {"3", 1, {"1", "3/2", "1"}, {"0", "1/3", "0"}}},
      .conventions = {{Kinks::pytorch, {"0", "1"}, "S/I", "since 2025; before: -1/2 and 3/2"},
                      {Kinks::jax, {"0", "1"}, "X"},
                      {Kinks::tensorflow, {"0", "1"}, "X"}},
      .limits = {"-0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "[-3/8, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "3/2",
      .roots = {"x <= -3", "0"},
      .extrema = {{0, "-3/2", "-3/8", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Howard et al. 2019",
      .note = "the built-in 1/6 is the exact rational",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > -3, select(x < 3, x * (x + 3) / 6, x), 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x) {
    const R y = narrow(wide_quotient(wide_product(x, wide_sum(x, 3.0)), 6.0));
    return copysign(select(x > -3.0, select(x < 3.0, y, x), 0.0), x);  // -0 on the plateau and at -0
  }
  template <class R>
  static R slope(R x) {
    const R line = narrow(wide_quotient(wide_sum(x + x, 3.0), 6.0));
    return select(x > -3.0, select(x < 3.0, line, 1.0), 0.0);
  }
  template <class R>
  static R curvature(R x) {
    const R third = narrow(wide_quotient(wide_sum(R(1.0), 0.0), 3.0));
    return select(abs(x) < 3.0, third, 0.0);
  }
};
