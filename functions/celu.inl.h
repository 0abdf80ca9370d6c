// SPDX-License-Identifier: Apache-2.0
// Continuously differentiable exponential linear unit.
struct Celu {
  static constexpr Info info{
      .name = "celu",
      .family = "exponential",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0, .domain = "> 0"}},
      .formula = "x if x > 0 else alpha*expm1(x/alpha)",
      .derivative = "1 if x > 0 else exp(x/alpha)",
      .second_derivative = "0 if x > 0 else exp(x/alpha)/alpha",
      .kinks = {{"0", 2, {"1", "1", "1"}, {"1/alpha", "1/alpha", "0"}}},
      .conventions = {{Kinks::pytorch, {"1"}, "S"},
                      {Kinks::jax, {"1"}, "X"},
                      {Kinks::tensorflow, {"2"}, "X", "Keras 3"}},
      .limits = {"-alpha", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-alpha, inf)",
      .monotone = "increasing (alpha > 0)",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"0"},
      .from_output = {.formula = "1 if y > 0 else 1 + y/alpha", .condition = "alpha > 0", .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "Barron 2017",
  };

  template <class X>
  static X definition(const X& x, const X& alpha) {
    return select(x > 0, x, alpha * expm1(x / alpha));
  }

  template <class R>
  static R value(R x, R alpha) {
    return select(x > 0.0, x, alpha * expm1(x * (1.0 / alpha)));
  }
  template <class R>
  static R slope(R x, R alpha) {
    return select(x > 0.0, 1.0, exp(x * (1.0 / alpha)));
  }
  template <class R>
  static R curvature(R x, R alpha) {
    const R inverse = 1.0 / alpha;
    return select(x > 0.0, 0.0, inverse * exp(x * inverse));
  }
  template <int parameter, class R>
  static auto gradient(R x, R alpha) {
    // e^z - 1 - z e^z with z = x / alpha; near 0, where that is -z^2 / 2, by r = e^z - 1 - z: r (1 - z) - z^2.
    const R z = select(x > 0.0, 0.0, x * (1.0 / alpha)), near = at_least(z, -1.0);
    const auto far = z < -1.0;
    return cancelling_sum(select(far, expm1(z), exp_remainder(near) * (1.0 - near)),
                          select(far, -(z * exp(z)), -(near * near)));
  }
  template <class R>
  static R slope_from_output(R y, R alpha) {
    return select(y > 0.0, 1.0, at_least(y + alpha, 0.0) / alpha);  // a rounded y may lie beyond -alpha
  }

  // At alpha = 1.
  using FirstTry = Elu::FirstTry;
  using FastValue = Elu::FastValue;
  using FastSlope = Elu::FastSlope;
  using FastSlopeFromOutput = Elu::FastSlopeFromOutput;
};
