// SPDX-License-Identifier: Apache-2.0
// Heaviside step.
struct Step {
  static constexpr Info info{
      .name = "step",
      .aliases = {"heaviside"},
      .known_as = {"binary step"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "threshold", .preset = 0.0, .domain = "any real"}},
      .formula = "1 if x > threshold else 0",
      .derivative = "0",
      .second_derivative = "0",
      .kinks = {{"threshold", 0, {"0", "0", "0"}, {"0", "0", "0"}}},
      .limits = {"0", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "0"},
      .range = "{0, 1}",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "inf",
      .roots = {"x <= threshold"},
      .from_output = {.formula = "0", .condition = "always"},
      .inverse = {.reason = "constant on both sides of threshold"},
      .note = "MLX uses x >= threshold, ggml x > 0; x > threshold makes step = relu'",
  };

  template <class X>
  static X definition(const X& x, const X& threshold) {
    return select(x > threshold, X(1), X(0));
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R threshold) {
    return select(x > threshold, R(1.0), R(0.0));
  }
  template <class R>
  static R slope(R /*x*/, R /*threshold*/) {
    return 0.0;
  }
  template <class R>
  static R curvature(R /*x*/, R /*threshold*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R /*x*/, R /*threshold*/) {
    return 0.0;
  }
  template <class R>
  static R slope_from_output(R /*y*/, R /*threshold*/) {
    return 0.0;
  }
};
