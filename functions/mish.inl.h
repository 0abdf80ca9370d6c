// SPDX-License-Identifier: Apache-2.0
// Mish: the input times the hyperbolic tangent of its softplus.
struct Mish {
  static constexpr Info info{
      .name = "mish",
      .family = "gated_smooth",
      .formula = "x*tanh(softplus(x))",
      .derivative = "w + x*sigmoid(x)*(1 - w^2), w = tanh(softplus(x))",
      .second_derivative = "sigmoid(x)*(1 - w^2)*(2 + x*sigmoid(-x) - 2*x*sigmoid(x)*w), w = tanh(softplus(x))",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.308843413017250406629, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-1.19243121451549521214", "-0.308843413017250406629", "min"},
                  {1, "1.49057117948542845929", "1.08849816125172786123", "max"},
                  {1, "-2.25637639636079312001", "-0.112526122389462556407", "min"},
                  {2, "-0.0879344313149142113267", "0.644204637236972429518", "max"},
                  {2, "2.11484256302087710859", "-0.0590333569539362929788", "min"},
                  {2, "-3.26733784652040457612", "-0.0417320707066110254173", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Misra 2019",
  };

  template <class X>
  static X definition(const X& x) {
    return x * tanh(softplus(x));
  }

  // With e = exp(-|x|) <= 1: tanh(softplus(x)) = n / d, its derivative is 4 k (1 + e) / d^2, its second one 4 k p /
  // d^3.
  template <class R>
  struct Gate {
    R n, d, k, p, e;
  };
  template <class R>
  static Gate<R> gate(R x) {
    const auto positive = x > 0.0;
    const R z = -abs(x), e = exp_decay(select(positive, cut_for_square(z), z));
    const R n = select(positive, 1.0 + 2.0 * e, e * (2.0 + e));
    return {n, n + select(positive, 2.0 * e * e, 2.0), e * select(positive, e, 1.0),
            select(positive, ((2.0 * e + 2.0) * e - 3.0) * e - 2.0, ((-2.0 * e - 3.0) * e + 2.0) * e + 2.0), e};
  }

  template <class R>
  static R value(R x) {
    const auto g = gate(x);
    return x * g.n * quick_reciprocal(g.d);
  }
  template <class R>
  static auto slope(R x) {
    // Root near -1.1924.
    const auto g = gate(x);
    const R r = reciprocal(g.d);
    return cancelling_sum(g.n * r, 4.0 * g.k * (1.0 + g.e) * r * r * x);
  }
  template <class R>
  static auto curvature(R x) {
    // Roots near -2.2564 and 1.4906.
    const auto g = gate(x);
    const R r = reciprocal(g.d), q = 4.0 * g.k * r * r;
    return cancelling_sum(2.0 * (1.0 + g.e) * q, g.p * q * r * x);
  }

  // x q / (q + 2), q = exp(x)^2 + 2 exp(x)
  struct FirstTry {
    static constexpr float reach = 40;
    static constexpr bool long_formula = true;
    static constexpr bool zero_at_zero = true;
    template <class R>
    static auto value(R x) {
      const auto e = normalized(pair_power(x).exp());
      const auto q = sum_of_any(square(e), twice(e));
      return x * (q / sum_of_any(q, decltype(q){2.0, 0.0}));
    }
  };

  // x q / (q + 2), q = exp(x) (exp(x) + 2), with what rounding q and q + 2 has left; for x > -0.1 as x - 2 x / (q + 2).
  struct FastValue {
    static constexpr float reach = 12;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      const auto w = fast_power(x);
      const R s = w.s(), a = fma(s, s, s + s), b = fma(s * s, w.e, 2.0 * fma(s, s, s));
      const R q = fma(w.e, b, a), q_low = fma(w.e, b, a - q);
      const R d = q + 2.0, d_low = (q - (d - 2.0)) + q_low;
      const R inverse = fma(d, -0.125, 0.75);  // of 2 <= d <= 5, well enough
      const auto upper = x > -0.1;
      const R y = select(upper, -2.0 * x, fma(x, q, x * fnma(q * inverse, d_low, q_low))) / d;
      return copysign(select(upper, x + y, y), x);  // of -0, too
    }
    template <class R>
    static R far(R x) {
      const R z = at_most(at_least(x, -120), 0);
      return select(x > 0.0, x, times_exp(z, z, -0.5 * fast_exp(at_least(z, -80))));
    }
  };

  // With t = exp(x): t n / d, n = 4 (1 + x) + t (6 + 4 x + 4 t + t^2), d = (t^2 + 2 t + 2)^2, with what rounding t, n
  // and d has lost; for x > -0.55, where n has large terms, as c + (t n - c d) / d: those of t n - c d are small if c
  // is near f', 7 / 16 first and then 1.
  struct FastSlope {
    static constexpr float reach = 12;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      const auto w = fast_power(x, R(0.0));
      const R s = w.s(), t = fma(s, w.e, s), t_low = fma(s, w.e, s - t);
      const R p2 = fma(t, t + 4.0, 8.0), p = fma(t, p2, 8.0), d = fma(t, p, 4.0);
      const R d_low = fma(t_low, fma(t, 16.0, 8.0), fma(t, fma(t, p2, 8.0 - p), fma(t, p, 4.0 - d)));
      const R inverse = fma(t, fma(t, 0.28, -0.45), 0.249);  // of d, well enough
      const R m = x + 1.0, m_low = x - (m - 1.0), m4 = 4.0 * m;
      const R q = fma(t, t + 4.0, fma(x, 4.0, 6.0)), n = fma(t, q, m4);
      const R n_low = fma(t, q, m4 - n) + fma(m_low, 4.0, t_low * q);
      const R left = fma(t, n, fma(t, fnma(n, d_low * inverse, n_low), t_low * n));

      const auto far_right = x > 0.0625;
      const R k = select(far_right, 0.0, 1 - 0.4375), k4 = 4.0 * k, v = fma(k, 8.0, 4.0 * x);  // k = 1 - c
      const R derivative = fma(t, fma(t, 16.0 * k, fma(v, 2.0, -4.0)), v - 4.0);               // of what follows, by t
      const R rest = fma(select(far_right, 0.0, t_low), derivative, k4 - 4.0);
      const R right = fma(t, fma(t, fma(t, fma(t, k, k4), v - 2.0), v - 4.0), rest);

      const auto upper = x > -0.55;
      const R y = select(upper, right, left) / d;
      return select(upper, (1.0 - k) + y, y);
    }
    // t (1 + x) (1 - t (1/2 + x) / (1 + x)), where 1 + x is exact, and 1.
    template <class R>
    static R far(R x) {
      const R z = at_most(at_least(x, -120), 0);
      return select(x > 0.0, 1.0, times_exp(1.0 + z, z, -1.045 * fast_exp(at_least(z, -80))));
    }
  };
};
