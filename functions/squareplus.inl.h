// SPDX-License-Identifier: Apache-2.0
// Squareplus: softplus from a square root.
struct Squareplus {
  static constexpr Info info{
      .name = "squareplus",
      .family = "sigmoid",
      .kind = Kind::parametric,
      .parameters = {{.name = "b", .preset = 4.0, .domain = "> 0"}},
      .formula = "(x + sqrt(x^2 + b))/2",
      .derivative = "(1 + x/sqrt(x^2 + b))/2",
      .second_derivative = "b/(2*(x^2 + b)^(3/2))",
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(0, inf) if b > 0",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .extrema = {{2, "0", "0.25", "max"}},
      .from_output = {.formula = "4*y^2/(4*y^2 + b)", .condition = "b > 0"},
      .inverse = {.condition = "always"},
      .paper = "Barron 2021",
  };

  template <class X>
  static X definition(const X& x, const X& b) {
    // The second form is the first one times its conjugate: nothing cancels.
    const X r = sqrt(x * x + b);
    return select(x > 0, (x + r) / 2, b / (2 * (r - x)));
  }

  static constexpr double far = 0x1p300;  // a large b delays the limits

  // With r = sqrt(x^2 + b) and q = r + |x|, r - |x| is b / q.
  template <class R>
  static R value(R x, R b) {
    const R d = x * x + b, q = d * reciprocal_sqrt(d) + abs(x);
    return 0.5 * select(x > 0.0, q, b * reciprocal(q));
  }
  template <class R>
  static R slope(R x, R b) {
    const R d = x * x + b, s = reciprocal_sqrt(d), q = d * s + abs(x);
    return 0.5 * s * select(x > 0.0, q, b * reciprocal(q));
  }
  template <class R>
  static R curvature(R x, R b) {
    const R s = reciprocal_sqrt(x * x + b);
    return 0.5 * b * s * s * s;
  }
  template <int parameter, class R>
  static R gradient(R x, R b) {
    return 0.25 * reciprocal_sqrt(x * x + b);
  }
  template <class R>
  static R slope_from_output(R y, R b) {
    const R q = 4.0 * (y * y);
    return q / (q + b);
  }
};
