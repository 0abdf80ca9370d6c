// SPDX-License-Identifier: Apache-2.0
// Sigmoid that reaches 0 and 1, the derivative of sparse_plus.
struct SparseSigmoid {
  static constexpr Info info{
      .name = "sparse_sigmoid",
      .family = "rectifier",
      .formula = "min(max((x + 1)/2, 0), 1)",
      .derivative = "1/2 if -1 < x <= 1 else 0",
      .second_derivative = "0",
      .kinks = {{"-1", 1, {"0", "0", "1/2"}, {"0", "0", "0"}}, {"1", 1, {"1/2", "1/2", "0"}, {"0", "0", "0"}}},
      .conventions = {{Kinks::pytorch, {"0", "0"}, "X", "Keras 3"},
                      {Kinks::jax, {"1/4", "1/4"}, "X"},
                      {Kinks::tensorflow, {"0", "0"}, "X", "Keras 3"}},
      .limits = {"0", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "0"},
      .range = "[0, 1]",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1/2",
      .roots = {"x <= -1"},
      .from_output = {.formula = "1/2 if 0 < y < 1 else 0",
                      .condition = "always",
                      .note = "differs from the convention at x = 1, where the left derivative is 1/2"},
      .inverse = {.reason = "constant for x <= -1 and for x >= 1"},
      .paper = "Blondel, Martins & Niculae 2019",
      .note = "not in PyTorch, hence left derivative at +1 (Keras gives 0, JAX 1/4); equals sparse_plus''",
  };

  template <class X>
  static X definition(const X& x) {
    return select(x > -1, select(x > 1, 1, (x + 1) / 2), 0);
  }

  static constexpr Arithmetic arithmetic = Arithmetic::single;

  template <class R>
  static R value(R x) {
    return select(x > -1.0, select(x > 1.0, 1.0, 0.5 * (x + 1.0)), 0.0);
  }
  template <class R>
  static R slope(R x) {
    return select(x > -1.0, select(x > 1.0, R(0.0), R(0.5)), R(0.0));
  }
  template <class R>
  static R curvature(R /*x*/) {
    return 0.0;
  }
  template <class R>
  static R slope_from_output(R y) {
    return select(y > 0.0, select(y < 1.0, R(0.5), R(0.0)), R(0.0));
  }
};
