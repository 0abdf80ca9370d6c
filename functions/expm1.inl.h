// SPDX-License-Identifier: Apache-2.0
// Exponential less one.
struct Expm1 {
  static constexpr Info info{
      .name = "expm1",
      .family = "exponential",
      .formula = "exp(x) - 1",
      .derivative = "exp(x)",
      .second_derivative = "exp(x)",
      .limits = {"-1", "inf"},
      .derivative_limits = {"0", "inf"},
      .second_derivative_limits = {"0", "inf"},
      .range = "(-1, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "inf",
      .roots = {"0"},
      .from_output = {.formula = "y + 1", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
  };

  template <class X>
  static X definition(const X& x) {
    return expm1(x);
  }

  template <class R>
  static R value(R x) {
    return expm1(x);
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
    return y + 1.0;
  }

  struct FastValue {
    static constexpr float reach = 80;
    template <class R>
    static R near(R x) {
      return copysign(fast_expm1(x), x);
    }
    template <class R>
    static R far(R x) {
      return select(x < 0.0, -1.0, times_exp(R(1.0), at_most(x, 100)));
    }
  };

  struct FastSlope {
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
};
