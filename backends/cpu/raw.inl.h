// SPDX-License-Identifier: Apache-2.0
// Kernels::Raw and Kernels::Each: a function on doubles with a bound of the error, for what is multiplied before it is
// rounded. Included once per target, inside namespace actfun::HWY_NAMESPACE.

/// How many vectors are worked on side by side: fewer than in the loops for floats, to keep the library small.
inline constexpr int kRawSideBySide = HWY_TARGET == HWY_SCALAR ? 1 : 4;

template <int K>
HWY_INLINE Reals<K> load(const double* from) {
  return ACTFUN_EACH(Reals<K>, hn::LoadU(Doubles(), from + k * hn::Lanes(Doubles())));
}
template <int K>
HWY_INLINE void store(Reals<K> y, double* to) {
  for (int k = 0; k < K; ++k) hn::StoreU(y.v[k], Doubles(), to + k * hn::Lanes(Doubles()));
}

/// What the kernel promises of y, see Kernels::Raw.
template <int K, class Result>
HWY_INLINE Reals<K> error_of(Reals<K> x, Result y) {
  const Reals<K> size = magnitude(y), error = fma(size, kTolerance, at_most(size, 0x1p-149));
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return select(abs(x) < infinity, error, infinity);
}

/// y[i] = evaluate(x, i), K vectors at a time. The tail is the same step on a padded copy; `evaluate` pads what else it
/// reads.
template <int K, class Evaluate>
HWY_INLINE void run_estimates(const double* x, double* y, double* error, std::size_t n, const Evaluate& evaluate) {
  constexpr std::size_t kWidest = 8 * K;
  alignas(64) double padded[kWidest], results[2][kWidest];
  const std::size_t width = K * hn::Lanes(Doubles());
  for (std::size_t i = 0; i < n; i += width) {
    const std::size_t left = n - i;
    const bool whole = HWY_LIKELY(left >= width);
    if (!whole) {
      std::memset(padded, 0, sizeof padded);
      std::memcpy(padded, x + i, left * sizeof(double));
    }
    const Reals<K> input = load<K>(whole ? x + i : padded);
    const auto result = evaluate(input, i);
    store(sum(result), whole ? y + i : results[0]);
    store(error_of(input, result), whole ? error + i : results[1]);
    if (!whole) {
      std::memcpy(y + i, results[0], left * sizeof(double));
      std::memcpy(error + i, results[1], left * sizeof(double));
    }
  }
}

template <class F, Part part, std::size_t... index>
HWY_INLINE void run_raw(const double* x, double* y, double* error, std::size_t n, const Constant* p,
                        std::index_sequence<index...>) {
  constexpr int K = kRawSideBySide;
  run_estimates<K>(x, y, error, n, [&](Reals<K> input, std::size_t) HWY_ATTR {
    return apply<F, part>(input, on_reals<K>(parameter<F, index>(p[index]))...);
  });
}

/// One vector of parameters, from i on; what lies beyond n is the first of them again.
HWY_INLINE Real load_parameters(const double* p, std::size_t i, std::size_t n) {
  const std::size_t lanes = hn::Lanes(Doubles());
  if (HWY_LIKELY(n - i >= lanes)) return load<1>(p + i);
  alignas(64) double padded[8];
  for (std::size_t k = 0; k < lanes; ++k) padded[k] = p[i + (i + k < n ? k : 0)];
  return load<1>(padded);
}
template <class F, Part part, std::size_t... index>
HWY_INLINE void run_each(const double* x, double* y, double* error, std::size_t n, const double* const* p,
                         std::index_sequence<index...>) {
  run_estimates<1>(x, y, error, n, [p, n](Real input, std::size_t i) HWY_ATTR {
    return apply<F, part>(input, load_parameters(p[index], i, n)...);
  });
}
