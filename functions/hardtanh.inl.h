// SPDX-License-Identifier: Apache-2.0
// Clipping to an interval; hyperbolic tangent in three straight pieces.
struct Hardtanh {
  static constexpr Info info{
      .name = "hardtanh",
      .aliases = {"hard_tanh", "clip", "clamp"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "min_val", .preset = -1.0, .domain = "<= max_val"},
                     {.name = "max_val", .preset = 1.0, .domain = ">= min_val"}},
      .formula = "min(max(x, min_val), max_val)",
      .derivative = "1 if min_val < x < max_val else 0",
      .second_derivative = "0",
      .kinks = {{"min_val", 1, {"0", "0", "1"}, {"0", "0", "0"}}, {"max_val", 1, {"0", "1", "0"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0", "0"}, "S"},
                      {Kinks::jax, {"1", "1"}, "X"},
                      {Kinks::tensorflow, {"1", "1"}, "M", "clip_by_value"}},
      .limits = {"min_val", "max_val"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "0"},
      .range = "[min_val, max_val]",
      .monotone = "increasing",
      .symmetry = "odd if min_val = -max_val",
      .lipschitz = "1",
      .roots = {"0"},
      .from_output = {.formula = "1 if min_val < y < max_val else 0", .condition = "always"},
      .inverse = {.reason = "constant for x <= min_val and for x >= max_val"},
      .paper = "Collobert 2004",
  };

  template <class X>
  static X definition(const X& x, const X& min_val, const X& max_val) {
    return select(x > min_val, select(x < max_val, x, max_val), min_val);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R min_val, R max_val) {
    // A plateau at 0 has the sign that x has before it: -0 above.
    const R top = select(max_val < 0.0, max_val, select(max_val > 0.0, max_val, select(min_val < 0.0, -0.0, max_val)));
    return select(x > min_val, select(x < max_val, x, top), min_val);
  }
  template <class R>
  static R slope(R x, R min_val, R max_val) {
    return select(x > min_val, select(x < max_val, R(1.0), R(0.0)), R(0.0));
  }
  template <class R>
  static R curvature(R /*x*/, R /*min_val*/, R /*max_val*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R x, R min_val, R max_val) {
    if constexpr (parameter == 0)
      return select(x > min_val, R(0.0), R(1.0));
    else
      return select(x > min_val, select(x < max_val, R(0.0), R(1.0)), R(0.0));
  }
  template <class R>
  static R slope_from_output(R y, R min_val, R max_val) {
    return select(y > min_val, select(y < max_val, R(1.0), R(0.0)), R(0.0));
  }
};
