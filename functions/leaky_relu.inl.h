// SPDX-License-Identifier: Apache-2.0
// Leaky rectified linear unit: a small constant slope for negative inputs.
struct LeakyRelu {
  static constexpr Info info{
      .name = "leaky_relu",
      .aliases = {"lrelu"},
      .family = "rectifier",
      .kind = Kind::parametric,
      .parameters = {{.name = "negative_slope", .preset = 0.01, .domain = "any real; monotone iff >= 0"}},
      .formula = "x if x > 0 else s*x, s = negative_slope",
      .derivative = "1 if x > 0 else negative_slope",
      .second_derivative = "0",
      .kinks = {{"0", 1, {"negative_slope", "negative_slope", "1"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"negative_slope"}, "S"},
                      {Kinks::jax, {"1"}, "X"},
                      {Kinks::tensorflow, {"negative_slope"}, "S"}},
      .presets = {{"pytorch", "leaky_relu", "S/D"},
                  {"jax", "leaky_relu", "S/D"},
                  {"onnx", "leaky_relu", "S/D"},
                  {"mlx", "leaky_relu", "S/D"},
                  {"huggingface", "leaky_relu", "S/D"},
                  {"tensorflow", "leaky_relu:negative_slope=0.2", "S/D"},
                  {"keras", "leaky_relu:negative_slope=0.3", "S/D", "Keras 3, the layer LeakyReLU"},
                  {"keras_function", "leaky_relu:negative_slope=0.2", "S/D",
                   "Keras 3, activations.leaky_relu and ops.leaky_relu"}},
      .limits = {"-inf", "inf"},
      .derivative_limits = {"negative_slope", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf) if s > 0",
      .monotone = "increasing if s >= 0",
      .symmetry = "none",
      .lipschitz = "max(1, |s|)",
      .roots = {"0"},
      .from_output = {.formula = "1 if y > 0 else s", .condition = "s >= 0"},
      .inverse = {.condition = "s > 0"},
      .paper = "Maas, Hannun & Ng 2013",
      .note = "limit at -inf is 0 when s = 0 and +inf when s < 0",
  };

  template <class X>
  static X definition(const X& x, const X& negative_slope) {
    return select(x > 0, x, negative_slope * x);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::exact;

  template <class R, class S>
  static R value(R x, S negative_slope) {  // S is R, or a sum of two
    // By the sign bit, so that +0 stays +0 for a negative slope. A zero slope makes a plateau, whose zero is +0.
    return select(negative(x), select(negative_slope == 0.0, 0.0, exact_product(negative_slope, x)), x);
  }
  template <class R>
  static R slope(R x, R negative_slope) {
    return select(x > 0.0, 1.0, negative_slope);
  }
  template <class R>
  static R curvature(R /*x*/, R /*negative_slope*/) {
    return 0.0;
  }
  template <int parameter, class R>
  static R gradient(R x, R /*negative_slope*/) {
    return select(x > 0.0, 0.0, x);
  }
  template <class R>
  static R slope_from_output(R y, R negative_slope) {
    return select(y > 0.0, 1.0, negative_slope);
  }
};
