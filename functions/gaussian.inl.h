// SPDX-License-Identifier: Apache-2.0
// Gaussian bump.
struct Gaussian {
  static constexpr Info info{
      .name = "gaussian",
      .aliases = {"rbf"},
      .family = "other",
      .formula = "exp(-x^2)",
      .derivative = "-2*x*exp(-x^2)",
      .second_derivative = "(4*x^2 - 2)*exp(-x^2)",
      .limits = {"0", "0"},
      .derivative_limits = {"0", "-0"},
      .second_derivative_limits = {"0", "0"},
      .range = "(0, 1]",
      .monotone = "no",
      .symmetry = "even",
      .lipschitz = "sqrt(2/e)",
      .extrema = {{0, "0", "1", "max"},
                  {1, "-0.707106781186547524401", "0.85776388496070679648", "max"},
                  {1, "0.707106781186547524401", "-0.85776388496070679648", "min"},
                  {2, "0", "-2", "min"},
                  {2, "-1.2247448713915890491", "0.892520640593719315733", "max"},
                  {2, "1.2247448713915890491", "0.892520640593719315733", "max"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "sign of x is lost"},
  };

  template <class X>
  static X definition(const X& x) {
    return exp(-(x * x));
  }

  template <class R>
  static R value(R x) {
    return exp_decay(-(x * x));
  }
  template <class R>
  static R slope(R x) {
    const R z = cut(x);
    return -2.0 * z * exp_decay(-(z * z));
  }
  template <class R>
  static R curvature(R x) {
    const R z = cut(x), w = z * z;
    return (4.0 * w - 2.0) * exp_decay(-w);  // near the roots the difference is exact
  }
};
