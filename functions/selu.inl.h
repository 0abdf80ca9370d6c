// SPDX-License-Identifier: Apache-2.0
// Scaled exponential linear unit: keeps mean 0 and variance 1.
struct Selu {
  static constexpr Info info{
      .name = "selu",
      .family = "exponential",
      .formula = "L*(x if x > 0 else A*expm1(x)), A = 1.67326324235437728481704..., L = 1.05070098735548049341933...",
      .derivative = "L if x > 0 else L*A*exp(x)",
      .second_derivative = "0 if x > 0 else L*A*exp(x)",
      .kinks = {{"0",
                 1,
                 {"SELU_LAMBDA*SELU_ALPHA", "SELU_LAMBDA*SELU_ALPHA", "SELU_LAMBDA"},
                 {"SELU_LAMBDA*SELU_ALPHA", "SELU_LAMBDA*SELU_ALPHA", "0"}}},
      .conventions = {{Kinks::pytorch, {"SELU_LAMBDA*SELU_ALPHA"}, "S"},
                      {Kinks::jax, {"SELU_LAMBDA*SELU_ALPHA"}, "X"},
                      {Kinks::tensorflow, {"SELU_LAMBDA"}, "S"}},
      .presets = {{"pytorch", "selu", "S"},
                  {"jax", "selu", "S"},
                  {"tensorflow", "selu", "S"},
                  {"keras", "selu", "S", "Keras 3"},
                  {"onnx", "scaled_elu:alpha=1.6732631921768188,lambda=1.0507010221481323", "S",
                   "attributes rounded to float32"},
                  {"mlx", "scaled_elu:alpha=1.67326,lambda=1.0507", "S", "truncated"}},
      .limits = {"-SELU_LAMBDA*SELU_ALPHA", "inf"},
      .derivative_limits = {"0", "1.050700987355480493419334985294606351959"},
      .second_derivative_limits = {"0", "0"},
      .range = "(-1.75809934084737685994, inf)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "L*A",
      .roots = {"0"},
      .from_output = {.formula = "L if y > 0 else y + L*A", .condition = "always", .loses_accuracy = true},
      .inverse = {.condition = "always"},
      .paper = "Klambauer et al. 2017",
      .note =
          "A = 1.673263242354377284817042991671652038461, L = 1.050700987355480493419334985294606351959 (closed forms "
          "in erfc)",
  };

  template <class X>
  static X definition(const X& x) {
    // The fixed point of mean and variance, in closed form: a is its alpha, l its lambda (appendix of the paper).
    const X e = exp(X(1)), p = sqrt(e) * erfc(1 / sqrt(X(2))), q = e * e * erfc(sqrt(X(2)));
    const X a = sqrt(2 / pi<X>()) / (1 - p);
    const X l = (1 - p) * sqrt(2 * pi<X>()) / sqrt(2 * q + pi<X>() * p * p - 2 * (2 + pi<X>()) * p + pi<X>() + 2);
    return l * Elu::definition(x, a);
  }

  // lambda
  template <class R>
  static R l() {
    return R::constant(0x1.0cfabd6a91132p0, 0x1.6fc7d272f2696p-55, 0x1.8d679cf9ec387p-110);
  }
  template <class R>
  static R alpha() {
    return R::constant(0x1.ac5afad782cf1p0, 0x1.eb7a46c21f1dbp-54, 0x1.c9e9c507200d6p-111);
  }

  template <class R>
  static R value(R x) {
    return l<R>() * Elu::value(x, alpha<R>());
  }
  template <class R>
  static R slope(R x) {
    return l<R>() * Elu::slope(x, alpha<R>());
  }
  template <class R>
  static R curvature(R x) {
    return l<R>() * Elu::curvature(x, alpha<R>());
  }
  template <class R>
  static auto slope_from_output(R y) {
    const R level = l<R>() * alpha<R>();  // a rounded y may lie beyond -level
    return cancelling_sum(select(y > 0.0, 0.0, select(y + level < 0.0, -level, y)), select(y > 0.0, l<R>(), level));
  }
};
