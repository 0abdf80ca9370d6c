// SPDX-License-Identifier: Apache-2.0
// Threshold: the input above it, a constant otherwise.
struct Threshold {
  static constexpr Info info{
      .name = "threshold",
      .aliases = {"thresholded_relu"},
      .known_as = {"FATReLU"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "threshold", .preset = 1.0, .domain = "any real"},
                     {.name = "value", .preset = 0.0, .domain = "any real"}},
      .formula = "x if x > threshold else value",
      .derivative = "1 if x > threshold else 0",
      .second_derivative = "0",
      .kinks = {{"threshold", 0, {"0", "0", "1"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0"}, "S"}, {Kinks::tensorflow, {"0"}}},
      .limits = {"value", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "{value} U (threshold, inf)",
      .monotone = "increasing iff value <= threshold",
      .symmetry = "none",
      .lipschitz = "inf",
      .roots = {"x <= threshold when value = 0"},
      .from_output = {.formula = "1 if y > threshold else 0", .condition = "value <= threshold"},
      .inverse = {.reason = "constant for x <= threshold"},
      .paper = "Konda et al. 2014",
      .note = "Lipschitz 1 when value = threshold",
  };

  template <class X>
  static X definition(const X& x, const X& threshold, const X& value) {
    return select(x > threshold, x, value);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R>
  static R value(R x, R threshold, R value) {
    return select(x > threshold, x, value);
  }
  template <class R>
  static R slope(R x, R threshold, R /*value*/) {
    return select(x > threshold, R(1.0), R(0.0));
  }
  template <class R>
  static R curvature(R /*x*/, R /*threshold*/, R /*value*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R x, R threshold, R /*value*/) {
    if constexpr (parameter == 0)
      return 0.0;
    else
      return select(x > threshold, R(0.0), R(1.0));
  }
  template <class R>
  static R slope_from_output(R y, R threshold, R /*value*/) {
    return select(y > threshold, R(1.0), R(0.0));
  }
};
