// SPDX-License-Identifier: Apache-2.0
// The input plus a squared sine: monotone and periodic at once.
struct Snake {
  static constexpr Info info{
      .name = "snake",
      .family = "other",
      .kind = Kind::learnable,
      .parameters = {{.name = "a", .preset = 1.0, .domain = "> 0", .learnable = true}},
      .formula = "x + sin(a*x)^2/a",
      .derivative = "1 + sin(2*a*x)",
      .second_derivative = "2*a*cos(2*a*x)",
      .limits = {"-inf", "inf"},
      .derivative_limits = {"nan", "nan"},
      .second_derivative_limits = {"nan", "nan"},
      .range = "(-inf, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "2",
      .roots = {"0"},
      .extrema = {{1, "-0.785398163397448309616", "0", "min"},
                  {1, "0.785398163397448309616", "2", "max"},
                  {1, "-2.35619449019234492885", "2", "max"},
                  {1, "2.35619449019234492885", "0", "min"},
                  {1, "-3.92699081698724154808", "0", "min"},
                  {1, "3.92699081698724154808", "2", "max"},
                  {1, "-5.49778714378213816731", "2", "max"},
                  {1, "5.49778714378213816731", "0", "min"},
                  {2, "0", "2", "max"},
                  {2, "-1.57079632679489661923", "-2", "min"},
                  {2, "1.57079632679489661923", "-2", "min"},
                  {2, "-3.14159265358979323846", "2", "max"},
                  {2, "3.14159265358979323846", "2", "max"},
                  {2, "-4.71238898038468985769", "-2", "min"},
                  {2, "4.71238898038468985769", "-2", "min"},
                  {2, "-6.28318530717958647693", "2", "max"}},
      .from_output = {.reason = "no closed form"},
      .inverse = {.condition = "always"},
      .paper = "Ziyin et al. 2020",
  };

  template <class X>
  static X definition(const X& x, const X& a) {
    const X s = sin(a * x);
    return x + s * s / a;
  }

  static constexpr bool has_limits[] = {true, false, false};

  template <class R>
  static R value(R x, R a) {
    const R s = sin_of_product<0>(a, x);
    return copysign(x + s * s * (1.0 / a), x);  // of -0, too
  }
  template <class R>
  static R slope(R x, R a) {
    const R s = sin_of_product<1>(a, x);  // 1 + sin(2 z) = 2 sin(z + pi/4)^2
    return 2.0 * s * s;
  }
  template <class R>
  static R curvature(R x, R a) {
    const R omega = 2.0 * a;
    return omega * sin_of_product<2>(omega, x);
  }
  template <int parameter, class R>
  static auto gradient(R x, R a) {
    const R s = sin_of_product<0>(a, x) * (1.0 / a), c = sin_of_product<2>(a, x);
    return cancelling_sum(2.0 * x * s * c, -(s * s));  // roots where tan(z) = 2 z, z = a x
  }
};
