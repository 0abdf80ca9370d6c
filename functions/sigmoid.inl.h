// SPDX-License-Identifier: Apache-2.0
// The logistic sigmoid.
struct Sigmoid {
  static constexpr Info info{
      .name = "sigmoid",
      .aliases = {"logistic"},
      .family = "sigmoid",
      .formula = "1/(1 + exp(-x))",
      .derivative = "sigmoid(x)*sigmoid(-x)",
      .second_derivative = "sigmoid(x)*sigmoid(-x)*(1 - 2*sigmoid(x))",
      .limits = {"0", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(0, 1)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1/4",
      .extrema = {{1, "0", "0.25", "max"},
                  {2, "-1.31695789692481670863", "0.0962250448649376274182", "max"},
                  {2, "1.31695789692481670863", "-0.0962250448649376274182", "min"}},
      .from_output = {.formula = "y*(1 - y)", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return 1 / (1 + exp(-x));
  }

  template <class R>
  static R value(R x) {
    return sigmoid(x);
  }
  template <class R>
  static R slope(R x) {
    const auto [s, c, d] = logistic(x);
    return s * c;
  }
  template <class R>
  static R curvature(R x) {
    const auto [s, c, d] = logistic(x);
    return s * c * d;
  }
  template <class R>
  static R slope_from_output(R y) {
    return y * (1.0 - y);
  }

  struct FirstTry {
    static constexpr float reach = 70;
    template <class R>
    static auto value(R x) {
      return pair_sigmoid(x);
    }
  };

  struct FastValue {
    static constexpr float reach = 16;
    template <class R>
    static R near(R x) {
      return 1.0 / one_plus_exp(-x);
    }
    template <class R>
    static R far(R x) {
      return fast_sigmoid_far(x);
    }
  };
  struct FastSlope {
    static constexpr float reach = 16;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      return fast_logistic_slope(-abs(x));
    }
    template <class R>
    static R far(R x) {
      return fast_logistic_slope_far(-abs(x));
    }
  };
  struct FastSlopeFromOutput {
    template <class R>
    static R everywhere(R y) {
      return fnma(y, y, y);
    }
  };
};
