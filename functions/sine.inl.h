// SPDX-License-Identifier: Apache-2.0
// Sine.
struct Sine {
  static constexpr Info info{
      .name = "sine",
      .aliases = {"siren"},
      .family = "other",
      .kind = Kind::parametric,
      .parameters = {{.name = "omega", .preset = 1.0, .domain = "any real"}},
      .formula = "sin(omega*x)",
      .derivative = "omega*cos(omega*x)",
      .second_derivative = "-omega^2*sin(omega*x)",
      .limits = {"none", "none"},
      .derivative_limits = {"nan", "nan"},
      .second_derivative_limits = {"nan", "nan"},
      .range = "[-1, 1]",
      .monotone = "no",
      .symmetry = "odd",
      .lipschitz = "|omega|",
      .roots = {"k*pi/omega"},
      .extrema = {{0, "-1.57079632679489661923", "-1", "min"},
                  {0, "1.57079632679489661923", "1", "max"},
                  {0, "-4.71238898038468985769", "1", "max"},
                  {0, "4.71238898038468985769", "-1", "min"},
                  {0, "-7.85398163397448309616", "-1", "min"},
                  {0, "7.85398163397448309616", "1", "max"},
                  {0, "-10.9955742875642763346", "1", "max"},
                  {0, "10.9955742875642763346", "-1", "min"},
                  {1, "0", "1", "max"},
                  {1, "-3.14159265358979323846", "-1", "min"},
                  {1, "3.14159265358979323846", "-1", "min"},
                  {1, "-6.28318530717958647693", "1", "max"},
                  {1, "6.28318530717958647693", "1", "max"},
                  {1, "-9.42477796076937971539", "-1", "min"},
                  {1, "9.42477796076937971539", "-1", "min"},
                  {1, "-12.5663706143591729539", "1", "max"},
                  {2, "-1.57079632679489661923", "1", "max"},
                  {2, "1.57079632679489661923", "-1", "min"},
                  {2, "-4.71238898038468985769", "-1", "min"},
                  {2, "4.71238898038468985769", "1", "max"},
                  {2, "-7.85398163397448309616", "1", "max"},
                  {2, "7.85398163397448309616", "-1", "min"},
                  {2, "-10.9955742875642763346", "-1", "min"},
                  {2, "10.9955742875642763346", "1", "max"}},
      .from_output = {.reason = "periodic"},
      .inverse = {.reason = "periodic"},
      .paper = "Sitzmann et al. 2020 (SIREN)",
  };

  template <class X>
  static X definition(const X& x, const X& omega) {
    return sin(omega * x);
  }

  /// Infinite inputs reach the kernel as they are.
  static constexpr double far = __builtin_inf();
  /// y(x). A wave has no limits, and inf - inf is NaN; but with omega = 0 it is a constant, and any x will do.
  template <class R, class Y>
  static R wave(R x, R omega, const Y& y) {
    const R t = select(omega == 0.0, at_most(at_least(x, -1.0), 1.0), x), zero_or_nan = t - t;
    return select(zero_or_nan == 0.0, y(t), zero_or_nan);
  }

  template <class R>
  static R value(R x, R omega) {
    return wave(x, omega, [&](R t) { return sin_of_product<0>(omega, t); });
  }
  template <class R>
  static R slope(R x, R omega) {
    return wave(x, omega, [&](R t) { return omega * sin_of_product<2>(omega, t); });
  }
  template <class R>
  static R curvature(R x, R omega) {
    const R y = wave(x, omega, [&](R t) { return -(omega * omega) * sin_of_product<0>(omega, t); });
    return select(omega == 0.0, abs(y), y);  // the derivatives of a constant are +0
  }
  template <int parameter, class R>
  static R gradient(R x, R omega) {
    return x * sin_of_product<2>(omega, x);
  }
};
