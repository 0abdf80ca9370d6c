// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/gated.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gated.cc"
#include "backends/cpu/unit.inl.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {
#include "all_functions.h"

using V = hn::Vec<Single::D>;

#ifdef ACTFUN_FAST
/// out[j][i] = step(in[0][i], in[1][i], ...)[j], K vectors at a time; `step` takes and gives arrays of K vectors.
template <int K, std::size_t inputs, std::size_t outputs, class Step>
HWY_INLINE void run_vectors(const std::array<const float*, inputs>& in, const std::array<float*, outputs>& out,
                            std::size_t n, Passage passage, const Step& step) {
  const Single::D d;
  const std::size_t lanes = hn::Lanes(d), width = K * lanes;
  std::size_t end = before_stream(out[0], n, passage);
  for (std::size_t i = 0; i < n;) {
    if (i == end) end = n;
    const std::size_t left = end - i;
    if (HWY_LIKELY(left >= width)) {
      V x[inputs][K], y[outputs][K];
      for (std::size_t j = 0; j < inputs; ++j) {
        for (int k = 0; k < K; ++k) x[j][k] = hn::LoadU(d, in[j] + i + k * lanes);
        fetch_ahead(in[j] + i, width, passage);
      }
      step(x, y);
      for (std::size_t j = 0; j < outputs; ++j) put(y[j], out[j] + i, passage);
      i += width;
    } else {
      const std::size_t some = left < lanes ? left : lanes;
      V x[inputs][1], y[outputs][1];
      for (std::size_t j = 0; j < inputs; ++j)
        x[j][0] = some < lanes ? load_some(d, in[j] + i, some) : hn::LoadU(d, in[j] + i);
      step(x, y);
      for (std::size_t j = 0; j < outputs; ++j)
        some < lanes ? store_some(y[j][0], d, out[j] + i, some) : hn::StoreU(y[j][0], d, out[j] + i);
      i += some;
    }
  }
  if (passage == Passage::streamed) hwy::FlushStream();
}

template <class F>
HWY_FLATTEN void forward(const float* x, const float* v, float* y, std::size_t n, Passage passage) {
  run_vectors<4, 2, 1>({x, v}, {y}, n, passage, []<int K>(const V(&in)[2][K], V(&out)[1][K]) HWY_ATTR {
    evaluate_fast<typename F::FastValue>(in[0], out[0]);
    for (int k = 0; k < K; ++k) out[0][k] = hn::Mul(out[0][k], in[1][k]);
  });
}
template <class F>
HWY_FLATTEN void backward(const float* x, const float* v, const float* g, float* dx, float* dv, std::size_t n,
                          Passage passage) {
  run_vectors<4, 3, 2>({x, v, g}, {dx, dv}, n, passage, []<int K>(const V(&in)[3][K], V(&out)[2][K]) HWY_ATTR {
    evaluate_fast<typename F::FastSlope>(in[0], out[0]);
    evaluate_fast<typename F::FastValue>(in[0], out[1]);
    for (int k = 0; k < K; ++k) {
      out[0][k] = hn::Mul(hn::Mul(in[2][k], in[1][k]), out[0][k]);
      out[1][k] = hn::Mul(in[2][k], out[1][k]);
    }
  });
}
#endif

#ifdef ACTFUN_PAIRS
HWY_INLINE std::uint64_t lane_bits(hn::Mask<Floats> mask) {
#if HWY_TARGET == HWY_AVX3
  return mask.raw;
#else
  return static_cast<std::uint32_t>(_mm_movemask_ps(mask.raw));
#endif
}

/// Places that are open.
class Open {
 public:
  HWY_INLINE explicit Open(std::uint16_t* places) : places_(places) {}
  /// Bit k for place first + k; the first of them without a branch: nothing foretells which steps have one.
  HWY_INLINE void add(std::uint64_t open, std::size_t first) {
    const auto place = [first](std::uint64_t bits) {
      return static_cast<std::uint16_t>(first + static_cast<std::size_t>(std::countr_zero(bits)));
    };
    places_[count_] = place(open | 1ull << 63);
    count_ += open != 0;
    for (open &= open - 1; HWY_UNLIKELY(open != 0); open &= open - 1) places_[count_++] = place(open);
  }
  std::size_t count() const { return count_; }

 private:
  std::uint16_t* places_;
  std::size_t count_ = 0;
};

/// y = h(x) v for N vectors, and a bit for each lane that is not settled: the first try of first_try.inl.h, whose
/// product with v is all but exact.
template <class Try, int N>
HWY_INLINE std::uint64_t try_product(const V (&x)[N], const V (&v)[N], V (&y)[N]) {
  const Single::D d;
  std::uint64_t open = 0;
  if constexpr (requires { Try::on_doubles; }) {
    constexpr int K = 2 * N;
    const auto half = [&](const V(&of)[N], int k) HWY_ATTR {
      return to_doubles(k % 2 == 0 ? hn::LowerHalf(Floats(), of[k / 2]) : hn::UpperHalf(Floats(), of[k / 2]));
    };
    const auto result = Try::value(ACTFUN_EACH(Reals<K>, half(x, k))) * ACTFUN_EACH(Reals<K>, half(v, k));
    const Masks<K> doubtful = gap<std::uint64_t{1} << 8>(result) == 0;
    for (int k = 0; k < N; ++k) y[k] = hn::Combine(d, to_floats(result.v[2 * k + 1]), to_floats(result.v[2 * k]));
    for (std::size_t k = 0; k < K; ++k) open |= lane_bits(doubtful.m[k]) << (k * hn::Lanes(Doubles()));
  } else {
    for (std::size_t k = 0; k < N; ++k) {
      const Pair gate = Try::value(Single(x[k])), result = normalized(Single(v[k]) * gate);
      y[k] = result.high.v;
      const auto settled = hn::Eq(fma(result.low, stretch<Try>(gate.high), result.high).v, y[k]);
      open |= lane_bits(hn::Not(settled)) << (k * hn::Lanes(d));
    }
  }
  return open;
}

/// 2^-90 <= |y| < 2^120: low floats of a product did not underflow, and nothing has overflown.
HWY_INLINE hn::Vec<Ints> place_of_product(V y) {
  constexpr std::uint32_t start = 0x80000000 - std::bit_cast<std::uint32_t>(0x1p-90f);
  return hn::Add(hn::BitCast(Ints(), hn::Abs(y)), hn::Set(Ints(), static_cast<std::int32_t>(start)));
}
inline constexpr std::int32_t kEndOfProducts = static_cast<std::int32_t>(
    0x80000000 - std::bit_cast<std::uint32_t>(0x1p-90f) + std::bit_cast<std::uint32_t>(0x1p120f));

template <class F>
HWY_FLATTEN std::size_t first_try(const float* x, const float* v, float* y, std::uint16_t* open, std::size_t n,
                                  Passage passage) {
  using Try = typename F::FirstTry;
  const Single::D d;
  constexpr int N = HWY_TARGET == HWY_AVX2 && requires { Try::on_doubles; }
  ? 1 : 2;
  const std::size_t lanes = hn::Lanes(d), width = N * lanes;
  const auto limit = hn::Set(Ints(), end(Try::reach)), limit_of_products = hn::Set(Ints(), kEndOfProducts);
  Open places(open);
  const auto step = [&]<int M>(const V(&in)[M], const V(&factor)[M], V(&out)[M]) HWY_ATTR {
    std::uint64_t doubtful = try_product<Try>(in, factor, out);
    const auto inside = [&](int k) HWY_ATTR {
      return hn::And(hn::Lt(place(in[k]), limit), hn::Lt(place_of_product(out[k]), limit_of_products));
    };
    if (HWY_UNLIKELY(!hn::AllTrue(Ints(), hn::And(inside(0), inside(M - 1)))))
      for (std::size_t k = 0; k < M; ++k)
        doubtful |= lane_bits(hn::Not(hn::RebindMask(d, inside(static_cast<int>(k))))) << (k * lanes);
    return doubtful;
  };
  std::size_t i = 0;
  for (; i + width <= n; i += width) {
    V in[N], factor[N], out[N];
    for (std::size_t k = 0; k < N; ++k) {
      in[k] = hn::LoadU(d, x + i + k * lanes);
      factor[k] = hn::LoadU(d, v + i + k * lanes);
    }
    fetch_ahead(x + i, width, passage);
    fetch_ahead(v + i, width, passage);
    const std::uint64_t doubtful = step(in, factor, out);
    put(out, y + i, Passage::near);
    places.add(doubtful, i);
  }
  for (; i < n; i += lanes) {
    const std::size_t some = n - i < lanes ? n - i : lanes;
    const V in[1] = {load_some(d, x + i, some)}, factor[1] = {load_some(d, v + i, some)};
    V out[1];
    const std::uint64_t doubtful = step(in, factor, out);
    store_some(out[0], d, y + i, some);
    places.add(doubtful & ((std::uint64_t{1} << some) - 1), i);
  }
  return places.count();
}

template <class F, std::size_t... index>
HWY_INLINE std::size_t run_slopes(const float* x, const float* a, const float* b, float* y, std::uint16_t* open,
                                  std::size_t n, const Constant* p, Passage passage, std::index_sequence<index...>) {
  constexpr int K = kRawSideBySide;
  const std::size_t lanes = hn::Lanes(Floats()), width = K * lanes;
  Open places(open);
  const auto step = [&]<int M>(const Reals<M>& in, const Reals<M>& factor, float* to) HWY_ATTR {
    const auto slope = apply<F, Part::slope>(in, on_reals<M>(parameter<F, index>(p[index]))...);
    const Reals<M> product = factor * sum(slope), error = abs(factor) * error_of(in, slope);
    const Reals<M> low = product - error, high = product + error;
    std::uint64_t doubtful = 0;
    for (int k = 0; k < M; ++k) {
      const FloatsV least = to_floats(low.v[k]), most = to_floats(high.v[k]);
      const auto settled = hn::And(hn::Eq(least, most), hn::Le(hn::Abs(most), hn::Set(Floats(), 0x1.fffffep127f)));
      hn::StoreU(to_floats(product.v[k]), Floats(), to + static_cast<std::size_t>(k) * lanes);
      doubtful |= lane_bits(hn::Not(settled)) << (static_cast<std::size_t>(k) * lanes);
    }
    return doubtful;
  };
  const auto vectors = [&](const float* from) HWY_ATTR {
    return ACTFUN_EACH(Reals<K>, to_doubles(hn::LoadU(Floats(), from + k * lanes)));
  };
  std::size_t i = 0;
  for (; i + width <= n; i += width) {
    for (const float* each : {x, a, b}) fetch_ahead(each + i, width, passage);
    places.add(step(vectors(x + i), vectors(a + i) * vectors(b + i), y + i), i);
  }
  for (; i < n; i += lanes) {
    const std::size_t some = n - i < lanes ? n - i : lanes;
    const auto some_of = [&](const float* from)
                             HWY_ATTR { return Real(to_doubles(load_some(Floats(), from + i, some))); };
    alignas(64) float results[16];
    const std::uint64_t doubtful = step(some_of(x), some_of(a) * some_of(b), results);
    std::copy_n(results, some, y + i);
    places.add(doubtful & ((std::uint64_t{1} << some) - 1), i);
  }
  return places.count();
}
template <class F>
HWY_FLATTEN std::size_t slopes(const float* x, const float* a, const float* b, float* y, std::uint16_t* open,
                               std::size_t n, const Constant* p, Passage passage) {
  return run_slopes<F>(x, a, b, y, open, n, p, passage, std::make_index_sequence<F::info.parameters.size()>());
}
#endif

template <class F>
constexpr GatedKernels kernels_of() {
  GatedKernels all;
#ifdef ACTFUN_FAST
  if constexpr (requires { typename F::FastValue; }) {
    all.forward = forward<F>;
    if constexpr (requires { typename F::FastSlope; }) all.backward = backward<F>;
  }
#endif
#ifdef ACTFUN_PAIRS
  if constexpr (requires { typename F::FirstTry; }) {
    all.first_try = first_try<F>;
    all.slopes = slopes<F>;
  }
#endif
  return all;
}
constexpr GatedKernels kGated[] = {
#define ELEMENTWISE(file, Name) kernels_of<Name>(),
#define AXIS(file, Name) {},
#include "functions/list.def"
#undef ELEMENTWISE
#undef AXIS
};

void deinterleave(const float* from, float* even, float* odd, std::size_t n, Passage passage) {
  const Single::D d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    V a, b;
    hn::LoadInterleaved2(d, from + 2 * i, a, b);
    fetch_ahead(from + 2 * i, 2 * lanes, passage);
    hn::StoreU(a, d, even + i), hn::StoreU(b, d, odd + i);
  }
  for (; i < n; ++i) even[i] = from[2 * i], odd[i] = from[2 * i + 1];
}
void interleave(const float* even, const float* odd, float* to, std::size_t n) {
  const Single::D d;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreInterleaved2(hn::LoadU(d, even + i), hn::LoadU(d, odd + i), d, to + 2 * i);
  for (; i < n; ++i) to[2 * i] = even[i], to[2 * i + 1] = odd[i];
}
void clamp(const float* x, float limit, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) y[i] = x[i] > limit ? limit : x[i];
}
void finish(const float* h, const float* v, float* y, std::size_t n, const GatedTail& t) {
  for (std::size_t i = 0; i < n; ++i) {
    const float gate = h[i] > t.gate_limit ? t.gate_limit : h[i];
    const float value = v[i] > t.value_limit ? t.value_limit : v[i] < -t.value_limit ? -t.value_limit : v[i];
    y[i] = gate * (value + t.offset);
  }
}
void stream(const float* from, float* to, std::size_t n, bool last) {
  const Single::D d;
  const std::size_t lanes = hn::Lanes(d), before = before_stream(to, n, Passage::streamed);
  std::copy_n(from, before, to);
  std::size_t i = before;
  for (; i + lanes <= n; i += lanes) hn::Stream(hn::LoadU(d, from + i), d, to + i);
  std::copy_n(from + i, n - i, to + i);
  if (last) hwy::FlushStream();
}
constexpr GatedSteps kSteps{deinterleave, interleave, clamp, finish, stream};

const GatedKernels* gated() { return kGated; }
const GatedSteps* gated_steps_here() { return &kSteps; }

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

const GatedKernels& gated_kernels(int id, std::int64_t target) {
  switch (target) {
#define ACTFUN_GATED(name, description) \
  case HWY_##name:                      \
    return N_##name::gated()[id];
    ACTFUN_TARGETS(ACTFUN_GATED)
#undef ACTFUN_GATED
    default:
      return N_SCALAR::gated()[id];
  }
}
const GatedSteps& gated_steps(std::int64_t target) {
  switch (target) {
#define ACTFUN_GATED(name, description) \
  case HWY_##name:                      \
    return *N_##name::gated_steps_here();
    ACTFUN_TARGETS(ACTFUN_GATED)
#undef ACTFUN_GATED
    default:
      return *N_SCALAR::gated_steps_here();
  }
}

}  // namespace actfun
#endif
