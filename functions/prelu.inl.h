// SPDX-License-Identifier: Apache-2.0
// Parametric rectified linear unit: the slope for negative inputs is learned.
struct Prelu {
  static constexpr Info info{
      .name = "prelu",
      .known_as = {"parametric relu"},
      .family = "rectifier",
      .kind = Kind::learnable,
      .parameters =
          {{.name = "weight", .preset = 0.25, .domain = "any real; scalar or per channel", .learnable = true}},
      .formula = "x if x > 0 else s*x, s = weight",
      .derivative = "1 if x > 0 else weight",
      .second_derivative = "0",
      .kinks = {{"0", 1, {"weight", "weight", "1"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"weight"}, "S"},
                      {Kinks::jax, {"1"}, "X", "Flax"},
                      {Kinks::tensorflow, {"0"}, "X", "the layer of Keras 3"}},
      .presets = {{"pytorch", "prelu", "S"},
                  {"mlx", "prelu", "S"},
                  {"timm", "prelu", "S"},
                  {"flax", "prelu:weight=0.01", "S"},
                  {"keras", "prelu:weight=0", "S", "Keras 3"}},
      .limits = {"-inf", "inf"},
      .derivative_limits = {"weight", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-inf, inf) if s > 0",
      .monotone = "increasing if s >= 0",
      .symmetry = "none",
      .lipschitz = "max(1, |s|)",
      .roots = {"0"},
      .from_output = {.formula = "1 if y > 0 else s", .condition = "s >= 0"},
      .inverse = {.condition = "s > 0"},
      .paper = "He et al. 2015",
      .note = "limit at -inf is 0 when s = 0 and +inf when s < 0",
  };

  template <class X>
  static X definition(const X& x, const X& weight) {
    return LeakyRelu::definition(x, weight);
  }

  static constexpr Arithmetic arithmetic = LeakyRelu::arithmetic;

  template <class R>
  static R value(R x, R weight) {
    return LeakyRelu::value(x, weight);
  }
  template <class R>
  static R slope(R x, R weight) {
    return LeakyRelu::slope(x, weight);
  }
  template <class R>
  static R curvature(R x, R weight) {
    return LeakyRelu::curvature(x, weight);
  }
  template <int parameter, class R>
  static R gradient(R x, R weight) {
    return LeakyRelu::gradient<parameter>(x, weight);
  }
  template <class R>
  static R slope_from_output(R y, R weight) {
    return LeakyRelu::slope_from_output(y, weight);
  }
};
