// SPDX-License-Identifier: Apache-2.0
// Logarithm of the sigmoid.
struct LogSigmoid {
  static constexpr Info info{
      .name = "log_sigmoid",
      .aliases = {"logsigmoid"},
      .family = "sigmoid",
      .formula = "-softplus(-x)",
      .derivative = "sigmoid(-x)",
      .second_derivative = "-sigmoid(x)*sigmoid(-x)",
      .limits = {"-inf", "-0"},
      .derivative_limits = {"1", "0"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "(-inf, 0)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .extrema = {{2, "0", "-0.25", "min"}},
      .from_output = {.formula = "-expm1(y)", .condition = "always"},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return -softplus(-x);
  }

  // As with softplus, nothing overflows and nothing cancels.
  template <class R>
  static R value(R x) {
    return -Softplus::value(-x, R(1.0));
  }
  template <class R>
  static R slope(R x) {
    return Softplus::slope(-x, R(1.0));
  }
  template <class R>
  static R curvature(R x) {
    return -Softplus::curvature(x, R(1.0));
  }
  template <class R>
  static R slope_from_output(R y) {
    return -expm1(y);
  }

  struct FastValue {
    static constexpr float reach = 80;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      const auto w = fast_power(-abs(x));
      return at_most(x, 0) - fast_log1p(fma(w.s(), w.e, w.s()));
    }
    template <class R>
    static R far(R x) {
      return select(x > 0.0, -times_exp(R(1.0), at_least(-x, -110)), x);
    }
  };

  struct FastSlope {
    static constexpr float reach = 16;
    template <class R>
    static R near(R x) {
      return 1.0 / one_plus_exp(x);
    }
    template <class R>
    static R far(R x) {
      return fast_sigmoid_far(-x);
    }
  };
};
