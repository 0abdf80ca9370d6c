// SPDX-License-Identifier: Apache-2.0
// Inverse square root linear unit.
struct Isrlu {
  static constexpr Info info{
      .name = "isrlu",
      .family = "exponential",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0, .domain = "> 0"}},
      .formula = "x if x >= 0 else x/sqrt(1 + alpha*x^2)",
      .derivative = "1 if x >= 0 else (1 + alpha*x^2)^(-3/2)",
      .second_derivative = "0 if x >= 0 else -3*alpha*x*(1 + alpha*x^2)^(-5/2)",
      .limits = {"-1/alpha**0.5", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-1/sqrt(alpha), inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .roots = {"0"},
      .extrema = {{2, "-0.5", "0.858650103359919243421", "max"}},
      .from_output = {.formula = "1 if y >= 0 else (1 - alpha*y^2)^(3/2)",
                      .condition = "always",
                      .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "Carlile et al. 2017",
      .note = "C2 at 0: only the third derivative jumps, so no entry in kinks",
  };

  template <class X>
  static X definition(const X& x, const X& alpha) {
    return select(x < 0, x / sqrt(1 + alpha * x * x), x);
  }

  static constexpr double far = Isru::far;

  template <class R>
  static R value(R x, R alpha) {
    return select(x < 0.0, Isru::value(x, alpha), x);
  }
  template <class R>
  static R slope(R x, R alpha) {
    return select(x >= 0.0, 1.0, Isru::slope(x, alpha));  // so that NaN passes
  }
  template <class R>
  static R curvature(R x, R alpha) {
    return select(x >= 0.0, 0.0, Isru::curvature(x, alpha));
  }
  template <int parameter, class R>
  static R gradient(R x, R alpha) {
    return select(x >= 0.0, 0.0, Isru::gradient<0>(x, alpha));
  }
  template <class R>
  static auto slope_from_output(R y, R alpha) {
    const R u = alpha * (y * y), r = sqrt(at_least(1.0 - u, 0.0));
    return cancelling_sum(select(y < 0.0, r, 1.0), select(y < 0.0, -u * r, 0.0));
  }
};
