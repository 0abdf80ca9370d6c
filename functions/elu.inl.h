// SPDX-License-Identifier: Apache-2.0
// Exponential linear unit.
struct Elu {
  static constexpr Info info{
      .name = "elu",
      .family = "exponential",
      .kind = Kind::parametric,
      .parameters = {{.name = "alpha", .preset = 1.0, .domain = "any real; monotone iff >= 0"}},
      .formula = "x if x > 0 else alpha*expm1(x)",
      .derivative = "1 if x > 0 else alpha*exp(x)",
      .second_derivative = "0 if x > 0 else alpha*exp(x)",
      .kinks = {{"0", 2, {"alpha", "alpha", "1"}, {"alpha", "alpha", "0"}}},
      .conventions = {{Kinks::pytorch, {"alpha"}, "S"},
                      {Kinks::jax, {"alpha"}, "X"},
                      {Kinks::tensorflow, {"alpha"}, "", "Keras 3; TensorFlow's own has alpha = 1 only"}},
      .limits = {"-alpha", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-alpha, inf)",
      .monotone = "increasing (alpha >= 0)",
      .symmetry = "none",
      .lipschitz = "max(1, |alpha|)",
      .roots = {"0"},
      .from_output = {.formula = "1 if y > 0 else y + alpha", .condition = "alpha >= 0", .loses_accuracy = true},
      .inverse = {.condition = "alpha > 0"},
      .paper = "Clevert, Unterthiner & Hochreiter 2015",
      .note = "kink order 1 when alpha != 1",
  };

  template <class X>
  static X definition(const X& x, const X& alpha) {
    return select(x > 0, x, alpha * expm1(x));
  }

  template <class R>
  static R value(R x, R alpha) {
    // By the sign bit, so that +0 stays +0 for a negative alpha. A zero alpha makes a plateau, whose zero is +0: x - x
    // is that, or NaN.
    return select(negative(x), select(alpha == 0.0, x - x, alpha * expm1(x)), x);
  }
  template <class R>
  static R slope(R x, R alpha) {
    return select(x > 0.0, 1.0, alpha * exp(x));
  }
  template <class R>
  static R curvature(R x, R alpha) {
    return select(x > 0.0, 0.0, alpha * exp(x));
  }
  template <int parameter, class R>
  static R gradient(R x, R /*alpha*/) {
    return select(x > 0.0, 0.0, expm1(x));
  }
  template <class R>
  static R slope_from_output(R y, R alpha) {
    return select(y > 0.0, 1.0, at_least(y + alpha, 0.0));  // a rounded y may lie beyond -alpha
  }

  // At alpha = 1.
  struct FirstTry {
    static constexpr float reach = 70;
    static constexpr bool zero_at_zero = true;
    template <class R>
    static auto value(R x) {
      const auto e = pair_power(at_most(x, 0)).expm1();
      return decltype(e){select(x < 0.0, e.high, x), select(x < 0.0, e.low, 0.0)};
    }
    template <class R>
    static R stretch(R high) {
      return stretch_for_expm1(high);
    }
  };

  struct FastValue {
    template <class R>
    static R everywhere(R x) {
      return select(x < 0.0, fast_expm1_of_negative(at_least(x, -18)), x);
    }
  };

  struct FastSlope {
    static constexpr float reach = 87;
    template <class R>
    static R near(R x) {
      return select(x < 0.0, fast_exp(x), 1.0);
    }
    template <class R>
    static R far(R x) {
      return select(x < 0.0, times_exp(R(1.0), at_least(x, -110)), 1.0);
    }
  };
  struct FastSlopeFromOutput {
    template <class R>
    static R everywhere(R y) {
      return select(y > 0.0, 1.0, at_least(y + 1.0, 0));
    }
  };
};
