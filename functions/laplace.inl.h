// SPDX-License-Identifier: Apache-2.0
// Normal distribution function: the sigmoid of probit.
struct Laplace {
  static constexpr Info info{
      .name = "laplace",
      .known_as = {"gaussian cdf"},
      .family = "sigmoid",
      .kind = Kind::parametric,
      .parameters = {{.name = "mu", .preset = 0.707107, .domain = "any real"},
                     {.name = "sigma", .preset = 0.282095, .domain = "> 0"}},
      .formula = "Phi((x - mu)/sigma)",
      .derivative = "phi((x - mu)/sigma)/sigma",
      .second_derivative = "-(x - mu)/sigma^3 * phi((x - mu)/sigma)",
      .limits = {"0", "1"},
      .derivative_limits = {"0", "0"},
      .second_derivative_limits = {"0", "-0"},
      .range = "(0, 1)",
      .monotone = "increasing",
      .symmetry = "none",
      .lipschitz = "1/(sigma*sqrt(2*pi))",
      .extrema = {{1, "0.707107000000000041062", "1.41421251848289654069", "max"},
                  {2, "0.42501200000000005641", "3.04068931320759345068", "max"},
                  {2, "0.989202000000000025715", "-3.04068931320759345068", "min"}},
      .from_output = {.reason = "needs the normal quantile"},
      .inverse = {.condition = "always"},
      .paper = "Ma et al. 2022 (MEGA)",
  };

  template <class X>
  static X definition(const X& x, const X& mu, const X& sigma) {
    return erfc((mu - x) / (sigma * sqrt(X(2)))) / 2;
  }

  template <class R>
  static R value(R x, R mu, R sigma) {
    return normal_cumulative((x - mu) * (1.0 / sigma));
  }
  template <class R>
  static R slope(R x, R mu, R sigma) {
    const R scale = 1.0 / sigma;
    return scale * normal_density((x - mu) * scale);
  }
  template <class R>
  static R curvature(R x, R mu, R sigma) {
    const R scale = 1.0 / sigma, u = (x - mu) * scale;
    const R y = -u * normal_density(u) * (scale * scale);
    return select(u == 0.0, select(x == 0.0, -x, R(0.0)), y);  // the root is +0 unless it is at 0
  }
  template <int parameter, class R>
  static R gradient(R x, R mu, R sigma) {
    const R scale = 1.0 / sigma, u = cut((x - mu) * scale), density = scale * normal_density(u);
    if constexpr (parameter == 0)
      return -density;
    else
      return -u * density;
  }
};
