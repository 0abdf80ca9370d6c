// SPDX-License-Identifier: Apache-2.0
// Inverse square root unit.
struct Isru {
  static constexpr Info info{
      .name = "isru",
      .family = "sigmoid",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0, .domain = "> 0"}},
      .formula = "x/sqrt(1 + alpha*x^2)",
      .derivative = "(1 + alpha*x^2)^(-3/2)",
      .second_derivative = "-3*alpha*x*(1 + alpha*x^2)^(-5/2)",
      .limits = {"-1/alpha**0.5", "1/alpha**0.5"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(-1/sqrt(alpha), 1/sqrt(alpha))",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"0"},
      .extrema = {{1, "0", "1", "max"},
                  {2, "-0.5", "0.858650103359919243421", "max"},
                  {2, "0.5", "-0.858650103359919243421", "min"}},
      .from_output = {.formula = "(1 - alpha*y^2)^(3/2)", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "Carlile et al. 2017",
  };

  template <class X>
  static X definition(const X& x, const X& alpha) {
    return x / sqrt(1 + alpha * x * x);
  }

  static constexpr double far = 0x1p300;  // a small alpha delays the limits

  template <class R>
  static R value(R x, R alpha) {
    return x * reciprocal_sqrt(1.0 + alpha * (x * x));
  }
  template <class R>
  static R slope(R x, R alpha) {
    const R s = reciprocal_sqrt(1.0 + alpha * (x * x));
    return s * s * s;
  }
  template <class R>
  static R curvature(R x, R alpha) {
    const R s = reciprocal_sqrt(1.0 + alpha * (x * x)), w = s * s;
    return -3.0 * alpha * (x * s) * w * w;
  }
  template <int parameter, class R>
  static R gradient(R x, R alpha) {
    const R y = value(x, alpha);
    return -0.5 * y * y * y;
  }
  template <class R>
  static auto slope_from_output(R y, R alpha) {
    const R u = alpha * (y * y), r = sqrt(at_least(1.0 - u, 0.0));
    return cancelling_sum(r, -u * r);  // (1 - u)^(3/2)
  }
};
