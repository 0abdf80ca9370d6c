// SPDX-License-Identifier: Apache-2.0
// Softplus: the smooth rectifier.
struct Softplus {
  static constexpr Info info{
      .name = "softplus",
      .aliases = {"soft_relu"},
      .known_as = {"SmoothReLU"},
      .family = "sigmoid",
      .kind = Kind::parametric,
      .parameters = {{.name = "beta", .preset = 1.0, .domain = "> 0"}},
      .formula = "log(1 + exp(beta*x))/beta",
      .derivative = "sigmoid(beta*x)",
      .second_derivative = "beta*sigmoid(beta*x)*sigmoid(-beta*x)",
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "1"},
      .second_derivative_limits = {"0", "0"},
      .range = "(0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1",
      .extrema = {{2, "0", "0.25", "max"}},
      .from_output = {.formula = "-expm1(-beta*y)", .condition = "always"},
      .inverse = {.condition = "always"},
      .paper = "Dugas et al. 2001",
      .note = "no linear cut-off",
  };

  template <class X>
  static X definition(const X& x, const X& beta) {
    return softplus(beta * x) / beta;
  }

  template <class R>
  static R value(R x, R beta) {
    // log(1 + e^z) = max(z, 0) + log(1 + e^-|z|): no overflow, no cancellation, no cut-off.
    return at_least(x, 0.0) + log1p(exp_decay(-abs(beta * x))) * (1.0 / beta);
  }
  template <class R>
  static R slope(R x, R beta) {
    return sigmoid(beta * x);
  }
  template <class R>
  static R curvature(R x, R beta) {
    const auto [s, c, d] = logistic(beta * x);
    return beta * s * c;
  }
  template <int parameter, class R>
  static R gradient(R x, R beta) {
    // -H / beta^2, where H = -s log(s) - c log(c) is the entropy of a coin that shows heads with s = sigmoid(beta x).
    const R inverse = 1.0 / beta, t = abs(beta * x), e = exp_decay(-t), u = 1.0 + e;
    if constexpr (requires { log1p_series(e); }) {  // on doubles, one reciprocal does for both
      const R v = 2.0 + e, r = e * quick_reciprocal(u * v);
      return -(inverse * inverse) * (r * fma(u, log1p_series(r * u), t * v));
    } else {
      return -(inverse * inverse) * (log1p(e) + e * t * reciprocal(u));
    }
  }
  template <class R>
  static R slope_from_output(R y, R beta) {
    return -expm1(-beta * y);
  }

  struct FastValue {
    static constexpr float reach = 80;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      const auto w = fast_power(-abs(x));
      return at_least(x, 0) + fast_log1p(fma(w.s(), w.e, w.s()));
    }
    template <class R>
    static R far(R x) {
      return select(x > 0.0, x, times_exp(R(1.0), at_least(x, -110)));
    }
  };

  struct FastSlope {
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
  struct FastSlopeFromOutput {
    template <class R>
    static R everywhere(R y) {
      return -fast_expm1_of_negative(at_least(-y, -18));
    }
  };
};
