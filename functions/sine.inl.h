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

  static constexpr bool has_limits[] = {false, false, false};

  template <class R>
  static R value(R x, R omega) {
    return sin_of_product<0>(omega, x);
  }
  template <class R>
  static R slope(R x, R omega) {
    return omega * sin_of_product<2>(omega, x);
  }
  template <class R>
  static R curvature(R x, R omega) {
    const R y = -(omega * omega) * sin_of_product<0>(omega, x);
    return select(omega == 0.0, abs(y), y);  // the derivatives of a constant are +0
  }
  template <int parameter, class R>
  static R gradient(R x, R omega) {
    return x * sin_of_product<2>(omega, x);
  }
};
