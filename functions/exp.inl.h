// SPDX-License-Identifier: Apache-2.0
// Exponential.
struct Exp {
  static constexpr Info info{
      .name = "exp",
      .aliases = {"exponential"},
      .family = "exponential",
      .formula = "exp(x)",
      .derivative = "exp(x)",
      .second_derivative = "exp(x)",
      .limits = {"0", "inf"},
      .derivative_limits = {"0", "inf"},
      .second_derivative_limits = {"0", "inf"},
      .range = "(0, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "inf",
      .from_output = {.formula = "y", .condition = "always"},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return exp(x);
  }

  template <class R>
  static R value(R x) {
    return exp(x);
  }
  template <class R>
  static R slope(R x) {
    return exp(x);
  }
  template <class R>
  static R curvature(R x) {
    return exp(x);
  }
  template <class R>
  static R slope_from_output(R y) {
    return y;
  }

  struct FirstTry {
    static constexpr float reach = 70;
    template <class R>
    static auto value(R x) {
      return pair_power(x).exp();
    }
  };

  struct FastValue {
    static constexpr float reach = 87;
    template <class R>
    static R near(R x) {
      return fast_exp(x);
    }
    template <class R>
    static R far(R x) {
      return times_exp(R(1.0), at_most(at_least(x, -110), 100));
    }
  };
  using FastSlope = FastValue;
};
