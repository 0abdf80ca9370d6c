// SPDX-License-Identifier: Apache-2.0
// Gaussian error linear unit, exact (erf) form.
struct Gelu {
  static constexpr Info info{
      .name = "gelu",
      .aliases = {"gelu_python"},
      .known_as = {"gelu erf", "oneDNN gelu_erf", "coreml EXACT"},
      .family = "gated_smooth",
      .formula = "x*Phi(x)",
      .derivative = "Phi(x) + x*phi(x)",
      .second_derivative = "phi(x)*(2 - x^2)",
      .presets = {{"pytorch", "gelu", "S"},
                  {"tensorflow", "gelu", "M"},
                  {"onnx", "gelu", "S"},
                  {"coreml", "gelu", "S"},
                  {"onednn", "gelu", "S", "the graph operation"},
                  {"mlx", "gelu", "S"},
                  {"keras", "gelu", "S", "Keras 3, activations.gelu"},
                  {"keras_ops", "gelu_tanh", "S", "Keras 3, ops.gelu"},
                  {"jax", "gelu_tanh", "S"},
                  {"flax", "gelu_tanh", "S"},
                  {"ggml", "gelu_tanh", "S"},
                  {"transformer_engine", "gelu_tanh", "S", "it has no other"}},
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.169971207479903661694, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-0.751791524693564457458", "-0.169971207479903661694", "min"},
                  {1, "-1.4142135623730950488", "-0.128904145185154786341", "min"},
                  {1, "1.4142135623730950488", "1.12890414518515478634", "max"},
                  {2, "0", "0.79788456080286535588", "max"},
                  {2, "-2", "-0.107981933026376103901", "min"},
                  {2, "2", "-0.107981933026376103901", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Hendrycks & Gimpel 2016",
  };

  template <class X>
  static X definition(const X& x) {
    return x * erfc(-x / sqrt(X(2))) / 2;
  }

  template <class R>
  static R value(R x) {
    return x * normal_cumulative(x);
  }
  template <class R>
  static auto slope(R x) {
    return cancelling_sum(normal_cumulative(x), x * normal_density(x));  // root near -0.7518
  }
  template <class R>
  static R curvature(R x) {
    return normal_density(x) * (2.0 - x * x);
  }

  struct FirstTry {
    static constexpr float reach = 8;
    static constexpr bool zero_at_zero = true, on_doubles = true;
    template <class R>
    static R value(R x) {
      return x * quick_normal_cumulative(x);
    }
  };

  struct FastValue {
    static constexpr float reach = 8;
    static constexpr auto interleaved = Interleaved::in_32_registers;
    template <class R>
    static R near(R x) {
      return copysign(at_least(x, 0) - fast_gaussian_tail(abs(x)), x);  // of -0, too
    }
    template <class R>
    static R far(R x) {
      return select(x > 0.0, x, -fast_gaussian_far_tail(at_most(abs(x), 15)));
    }
  };
  struct FastSlope {
    static constexpr float reach = 8;
    static constexpr auto interleaved = Interleaved::in_32_registers;
    template <class R>
    static R near(R x) {
      const R tail = fast_gaussian_tail_slope(abs(x));
      return select(x < 0.0, tail, 1.0 - tail);
    }
    template <class R>
    static R far(R x) {
      return select(x > 0.0, 1.0, fast_gaussian_far_tail_slope(at_most(abs(x), 15)));
    }
  };
};
