// SPDX-License-Identifier: Apache-2.0
// Hyperbolic tangent.
struct Tanh {
  static constexpr Info info{
      .name = "tanh",
      .family = "sigmoid",
      .formula = "tanh(x)",
      .derivative = "1 - tanh(x)^2",
      .second_derivative = "-2*tanh(x)*(1 - tanh(x)^2)",
      .limits = {"-1", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(-1, 1)",
      .monotone = "increasing",
      .symmetry = "odd",
      .lipschitz = "1",
      .roots = {"0"},
      .extrema = {{1, "0", "1", "max"},
                  {2, "-0.658478948462408354313", "0.769800358919501019346", "max"},
                  {2, "0.658478948462408354313", "-0.769800358919501019346", "min"}},
      .from_output = {.formula = "(1 - y)*(1 + y)", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "LeCun et al. 1998",
  };

  template <class X>
  static X definition(const X& x) {
    return tanh(x);
  }

  template <class R>
  static R value(R x) {
    return tanh(x);
  }
  template <class R>
  static R slope(R x) {
    return sech2(x);
  }
  template <class R>
  static R curvature(R x) {
    return -2.0 * tanh(x) * sech2(x);
  }
  template <class R>
  static R slope_from_output(R y) {
    return (1.0 - y) * (1.0 + y);
  }

  // With e = exp(-2 |x|) - 1, |f| = -e / (2 + e).
  struct FirstTry {
    static constexpr float reach = 40;
    static constexpr bool zero_at_zero = true;
    template <class R>
    static auto value(R x) {
      const auto e = pair_power(2.0 * minus_abs(x)).expm1();
      return mirrored(e / sum(R(2.0), e), x);
    }
    template <class R>
    static R stretch(R high) {
      return stretch_for_expm1(high);
    }
  };

  struct FastValue {
    static constexpr auto interleaved = Interleaved::in_16_registers;
    // With t = exp(-2 |x|): 1 - 2 t / (1 + t) where that is more than a half, else (1 - t) / (1 + t).
    template <class R>
    static R everywhere(R x) {
      const R a = at_most(abs(x), 9.1);
      const auto [s, e] = fast_half_power(a);
      const R m = fma(s, e, s - 1.0), d = fma(s, e, s + 1.0);
      const auto large = a > 0.6;
      return copysign(select(large, fma(m, 2.0, 2.0), m) / d - select(large, R(1.0), 0.0), x);
    }
  };
  struct FastSlope {
    static constexpr float reach = 8;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      return 4.0 * fast_logistic_slope(-2.0 * abs(x));
    }
    template <class R>
    static R far(R x) {
      return times_exp(R(4.0), at_least(-2.0 * abs(x), -110), -2.0 * fast_exp(at_least(-2.0 * abs(x), -80)));
    }
  };
  struct FastSlopeFromOutput {
    template <class R>
    static R everywhere(R y) {
      return fnma(y, y, 1.0);
    }
  };
};
