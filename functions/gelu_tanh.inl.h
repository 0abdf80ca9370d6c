// SPDX-License-Identifier: Apache-2.0
// Gaussian error linear unit, tanh form.
struct GeluTanh {
  static constexpr Info info{
      .name = "gelu_tanh",
      .aliases = {"gelu_new", "gelu_fast", "gelu_pytorch_tanh"},
      .known_as = {"onnx FastGelu", "ggml GELU", "xnnpack approxgelu"},
      .family = "gated_smooth",
      .formula = "x/2*(1 + tanh(u)), u = sqrt(2/pi)*(x + 0.044715*x^3)",
      .derivative =
          "(1 + t)/2 + x/2*(1 - t^2)*u1, u = sqrt(2/pi)*(x + 0.044715*x^3), t = tanh(u), u1 = sqrt(2/pi)*(1 + "
          "0.134145*x^2)",
      .second_derivative =
          "(1 - t^2)*(u1 + x*u2/2 - x*t*u1^2), u = sqrt(2/pi)*(x + 0.044715*x^3), t = tanh(u), u1 = sqrt(2/pi)*(1 + "
          "0.134145*x^2), u2 = sqrt(2/pi)*0.26829*x",
      .limits = {"-0", "inf"},
      .derivative_limits = {"-0", "1"},
      .second_derivative_limits = {"-0", "-0"},
      .range = "[-0.170040750571254050639, inf)",
      .monotone = "no",
      .symmetry = "none",
      .lipschitz = "max f'",
      .roots = {"0"},
      .extrema = {{0, "-0.752461422071016258488", "-0.170040750571254050639", "min"},
                  {1, "-1.41850400879082835555", "-0.128993068658771765456", "min"},
                  {1, "1.41850400879082835555", "1.12899306865877176546", "max"},
                  {2, "0", "0.79788456080286535588", "max"},
                  {2, "-2.01348072462425792808", "-0.107913515890367919286", "min"},
                  {2, "2.01348072462425792808", "-0.107913515890367919286", "min"}},
      .from_output = {.reason = "two inputs share an output on the non-monotone part"},
      .inverse = {.reason = "two inputs share an output on the non-monotone part"},
      .paper = "Hendrycks & Gimpel 2016",
      .note = "cancellation-free: x*sigmoid(2*u)",
  };

  template <class X>
  static X definition(const X& x) {
    return x * sigmoid(2 * sqrt(2 / pi<X>()) * (x + X(8943) / 200000 * x * x * x));
  }

  // x / 2 (1 + tanh u) = x sigmoid(2 u): 2 u = a x + b x^3, a = 2 sqrt(2 / pi), b = 0.044715 a.
  template <class R>
  static R a() {
    return R::constant(0x1.9884533d43651p0, -0x1.cbc0d30ebfd15p-54, -0x1.c7402c7d60cfbp-110);
  }
  template <class R>
  static R b() {
    return R::constant(0x1.2444f2a4d8b4bp-4, -0x1.6c843a29d1c7p-61, -0x1.e59a5ef3f43e4p-115);
  }

  template <class R>
  static R value(R x) {
    return x * sigmoid(x * (a<R>() + b<R>() * x * x));
  }
  template <class R>
  static auto slope(R x) {
    const R w = b<R>() * x * x, v1 = a<R>() + 3.0 * w;
    const auto [s, c, d] = logistic(x * (a<R>() + w));
    return cancelling_sum(s, x * v1 * s * c);  // root near -0.7525
  }
  template <class R>
  static auto curvature(R x) {
    const R w = b<R>() * x * x, v1 = a<R>() + 3.0 * w;
    const auto [s, c, d] = logistic(x * (a<R>() + w));
    return cancelling_sum(s * c * (2.0 * a<R>() + 12.0 * w), s * c * d * x * v1 * v1);  // roots near +-1.4185
  }

  // t = exp(-v), v = b X, X = |x| (x^2 + a / b) to twice a float's precision: as 2^(-b X / ln2), whose exponent comes
  // exactly out of fused multiply-adds.
  template <class R>
  static auto fast_gate(R x) {
    constexpr double kRatio = 0x1.65d25p4, kRatioRest = 0x1.dbb3dcp-17;  // a / b
    constexpr double kRate = 0x1.a5a7dp-4, kRateRest = -0x1.151aaep-29;  // b / ln2
    const R w = x * x, k = w + kRatio, k_low = (fma(x, x, -w) + kRatioRest) + (w - (k - kRatio));
    const R cubic = x * k, low = fma(x, k_low, fma(x, k, -cubic));
    return fast_power_of_2(cubic, low, -kRate, -kRateRest);
  }

  // x / (1 + t), or x t / (1 + t) on the left
  struct FastValue {
    static constexpr float reach = 9.5;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    static R near(R x) {
      const auto w = fast_gate(x);
      const R s = w.s(), c = 1.0 + s;  // rounded where s is large: what is lost is added to e
      return x / fma(s, fma(1.0 - (c - s), w.inverse(), w.e), c);
    }
    template <class R>
    static R far(R x) {
      const R z = at_most(at_least(x, -11), 0);
      const auto w = fast_gate(-z);
      return select(x > 0.0, x, w.scaled(fma(z, w.e, z)));
    }
  };

  // |x| v' = u + u_low, u = |x| (a + 3 b x^2)
  struct FastSlope {
    static constexpr float reach = 9.5;
    static constexpr auto interleaved = Interleaved::everywhere;
    template <class R>
    struct Product {
      R high, low;
    };
    template <class R>
    static Product<R> product(R x) {
      constexpr double kA = 0x1.98844p0, kARest = 0x1.33d436p-20;  // so short that kA - h is exact
      constexpr double kThreeB = 0x1.b6676cp-3;
      const R w = x * x, h = fma(w, kThreeB, kA), u = x * h;
      const R h_low = fma(w, kThreeB, kA - h) + fma(fma(x, x, -w), kThreeB, kARest);
      return {u, fma(x, h_low, fma(x, h, -u))};
    }
    template <class R>
    static R near(R x) {
      const R size = abs(x);
      const auto [u, u_low] = product(size);
      const R m = u - 1.0;
      return fast_slope_of_gate(x, fast_gate(size), m, (u - (m + 1.0)) + u_low);
    }
    // t (1 - u), and 1
    template <class R>
    static R far(R x) {
      const R z = at_most(abs(x), 11);
      const auto [u, u_low] = product(z);
      const auto w = fast_gate(z);
      const R m = 1.0 - u, m_low = (1.0 - m) - u - u_low;
      return select(x > 0.0, 1.0, w.scaled(m + fma(m, w.e, m_low)));
    }
  };
};
