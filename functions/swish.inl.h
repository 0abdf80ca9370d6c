// SPDX-License-Identifier: Apache-2.0
// Swish: the input times the sigmoid of its multiple.
struct Swish {
  static constexpr Info info{
      .name = "swish",
      .known_as = {"onnx Swish(alpha)", "oneDNN swish", "cudnn SWISH(beta)"},
      .family = "gated_smooth",
      .kind = Kind::learnable,
      .parameters = {{.name = "beta", .preset = 1.0, .domain = "any real; 0 gives x/2", .learnable = true}},
      .formula = "x*sigmoid(beta*x)",
      .derivative = "s*(1 + z*c), z = beta*x, s = sigmoid(z), c = sigmoid(-z)",
      .second_derivative = "beta*s*c*(2 + z*(1 - 2*s)), z = beta*x, s = sigmoid(z), c = sigmoid(-z)",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.278464542761073795109/beta, inf) for beta > 0",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f' (independent of beta != 0)",
      .roots = {"0"},
      .extrema = {{0, "-1.27846454276107379511", "-0.278464542761073795109", "min"},
                  {1, "-2.39935728051546766783", "-0.0998393201288669169582", "min"},
                  {1, "2.39935728051546766783", "1.09983932012886691696", "max"},
                  {2, "0", "0.5", "max"},
                  {2, "-3.43584099353511068895", "-0.0369143731998931856383", "min"},
                  {2, "3.43584099353511068895", "-0.0369143731998931856383", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Ramachandran et al. 2017",
  };

  template <class X>
  static X definition(const X& x, const X& beta) {
    return x / (1 + exp(-beta * x));
  }

  template <class R>
  static R value(R x, R beta) {
    return x * sigmoid(beta * x);
  }
  template <class R>
  static auto slope(R x, R beta) {
    const R z = cut(beta * x);
    const auto [s, c, d] = logistic(z);
    return cancelling_sum(s, z * s * c);
  }
  template <class R>
  static auto curvature(R x, R beta) {
    const R z = cut(beta * x);
    const auto [s, c, d] = logistic(z);
    return cancelling_sum(2.0 * beta * s * c, beta * s * c * z * d);
  }
  template <int parameter, class R>
  static R gradient(R x, R beta) {
    const auto [s, c, d] = logistic(beta * x);
    return (x * s) * (x * c);
  }

  // At beta = 1.
  struct FirstTry {
    static constexpr float reach = 70;
    static constexpr bool zero_at_zero = true;
    template <class R>
    static auto value(R x) {
      return x * pair_sigmoid(x);
    }
  };

  // At beta = 1.
  struct FastValue {
    static constexpr float reach = 16;
    template <class R>
    static R near(R x) {
      return x / one_plus_exp(-x);
    }
    template <class R>
    static R far(R x) {
      const R z = at_most(at_least(x, -120), 0);
      return select(x > 0.0, x, times_exp(z, z, -fast_exp(at_least(z, -80))));
    }
  };
  struct FastSlope {
    static constexpr float reach = 16;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      const R a = abs(x), m = a - 1.0;
      return fast_slope_of_gate(x, fast_power(-a), m, a - (m + 1.0));
    }
    template <class R>
    static R far(R x) {
      const R z = at_least(-abs(x), -120), y = times_exp(-z - 1.0, z, -2.0 * fast_exp(at_least(z, -80)));
      return select(x < 0.0, -y, 1.0 + y);
    }
  };
};
