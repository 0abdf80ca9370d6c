// SPDX-License-Identifier: Apache-2.0
// A function's struct becomes its table of kernels. Included once per target, inside namespace actfun::HWY_NAMESPACE.

template <class F>
struct ElementwiseLoops {
  using Parameters = std::make_index_sequence<F::info.parameters.size()>;

  // Flattened: a function and all that it is made of become one loop, with its constants in registers.
  template <Order order>
  static HWY_NOINLINE HWY_FLATTEN void unary(const float* x, float* y, std::size_t n, const Constant* p,
                                             Passage passage) {
    run<F, order>(x, {y}, n, p, passage, Parameters());
  }
#ifdef ACTFUN_PAIRS
  template <std::size_t... index>
  static bool at_presets(const Constant* p, std::index_sequence<index...>) {
    return ((p[index].high == F::info.parameters[index].preset) && ...);
  }
  static HWY_FLATTEN ACTFUN_INTERLEAVED void first_try(const float* x, float* y, std::size_t n, const Constant* p,
                                                       Passage passage) {
    if (at_presets(p, Parameters()))
      run_first_try<F>(x, y, n, p, passage, unary<Order::value>, Parameters());
    else
      unary<Order::value>(x, y, n, p, passage);
  }
#endif
  static HWY_FLATTEN void value_and_slope(const float* x, float* y, float* dy, std::size_t n, const Constant* p) {
    run<F, Order::value, Order::slope>(x, {y, dy}, n, p, Passage::near, Parameters());
  }
  template <Part part>
  static void wide(const double* x, double* high, double* low, double* error, std::size_t n, const Constant* p) {
    run_wide<F, part>(x, high, low, error, n, p, Parameters());
  }
  template <Part part>
  static HWY_FLATTEN void raw(const double* x, double* y, double* error, std::size_t n, const Constant* p) {
    run_raw<F, part>(x, y, error, n, p, Parameters());
  }
  template <Part part>
  static HWY_FLATTEN void each(const double* x, double* y, double* error, std::size_t n, const double* const* p) {
    run_each<F, part>(x, y, error, n, p, Parameters());
  }

  template <Part part>
  static constexpr void add(Kernels& all) {
    constexpr auto i = static_cast<std::size_t>(part);
    all.wide[i] = wide<part>;
    all.raw[i] = raw<part>;
    if constexpr (F::info.parameters.size() > 0) all.each[i] = each<part>;
  }
  static constexpr Kernels::Unary value = [] {
#ifdef ACTFUN_PAIRS
    if constexpr (requires { typename F::FirstTry; }) return Kernels::Unary{first_try};
#endif
    return Kernels::Unary{unary<Order::value>};
  }();
  static constexpr Kernels kernels = [] {
    Kernels all{
        {value, unary<Order::slope>, unary<Order::curvature>}, value_and_slope, {}, nullptr, nullptr, {}, {}, {}};
    add<Part::value>(all), add<Part::slope>(all), add<Part::curvature>(all);
    if constexpr (requires { &F::template slope_from_output<Real>; }) add<Part::slope_from_output>(all);
#ifdef ACTFUN_FAST
    if constexpr (requires { typename F::FastValue; }) all.fast[0] = FastLoops<typename F::FastValue>::unary;
    if constexpr (requires { typename F::FastSlope; }) {
      all.fast[1] = FastLoops<typename F::FastSlope>::unary;
      all.fast_backward = FastLoops<typename F::FastSlope>::backward;
    }
    if constexpr (requires { typename F::FastSlopeFromOutput; })
      all.fast_backward_from_output = FastLoops<typename F::FastSlopeFromOutput>::backward;
#endif
    [&]<std::size_t... parameter>(std::index_sequence<parameter...>) { (add<gradient_by(parameter)>(all), ...); }
    (Parameters());
    return all;
  }();
};

template <class F>
struct AxisLoops {
  static HWY_FLATTEN void row(const float* x, float* y, std::size_t n) {
    const Row r(x, y, n);
    if (!r.has_limit()) {
      for (std::size_t i = 0; i < n; ++i) y[i] = std::numeric_limits<float>::quiet_NaN();
    } else if (r.has_infinity()) {  // the limit, as on a row of two numbers far apart
      const float far[2] = {-std::numeric_limits<float>::infinity(), 0};
      float limit[2];
      F::apply(Row(far, limit, 2));
      for (std::size_t i = 0; i < n; ++i) y[i] = limit[x[i] > std::numeric_limits<float>::max()];
    } else {
      F::apply(r);
    }
  }
  /// Null for a function that has no rows to apply itself to: maxout picks its winners one by one.
  static constexpr RowKernel kernels = [] {
    if constexpr (requires { typename F::Term; })
      return RowKernel{row};
    else
      return RowKernel{nullptr};
  }();
};
