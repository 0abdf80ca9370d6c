// SPDX-License-Identifier: Apache-2.0
#include "backends/cpu/chain.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/cpu/targets.h"
#include "core/philox.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/chain.cc"
#include "hwy/cache_control.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::size_t kLine = 64;  ///< bytes of a cache line

/// y[i] = f(a[i], b[i]), a line of results at a time.
template <class T, class Function>
HWY_INLINE void map(const T* a, const T* b, T* y, std::size_t n, Passage passage, const Function& f) {
  const hn::ScalableTag<T> d;
  constexpr std::size_t kStep = kLine / sizeof(T);
  const std::size_t lanes = hn::Lanes(d);
  const auto some = [&](std::size_t i, std::size_t m) HWY_ATTR {
    alignas(64) T from[2][kStep] = {}, to[kStep];
    std::memcpy(from[0], a + i, m * sizeof(T));
    std::memcpy(from[1], b + i, m * sizeof(T));
    for (std::size_t k = 0; k < kStep; k += lanes)
      hn::Store(f(hn::Load(d, from[0] + k), hn::Load(d, from[1] + k)), d, to + k);
    std::memcpy(y + i, to, m * sizeof(T));
  };
  std::size_t i = 0;
  if (passage == Passage::streamed && reinterpret_cast<std::uintptr_t>(y) % sizeof(T) == 0) {
    i = std::min(n, (0 - reinterpret_cast<std::uintptr_t>(y)) % kLine / sizeof(T));
    if (i > 0) some(0, i);
    for (; i + kStep <= n; i += kStep)
      for (std::size_t k = i; k < i + kStep; k += lanes)
        hn::Stream(f(hn::LoadU(d, a + k), hn::LoadU(d, b + k)), d, y + k);
  } else {
    for (; i + kStep <= n; i += kStep)
      for (std::size_t k = i; k < i + kStep; k += lanes)
        hn::StoreU(f(hn::LoadU(d, a + k), hn::LoadU(d, b + k)), d, y + k);
  }
  if (i < n) some(i, n - i);
}

template <class T>
struct Steps {
  using D = hn::ScalableTag<T>;
  using V = hn::Vec<D>;

  static HWY_INLINE V clamped(V v, T low, T high) {
    const D d;
    return hn::IfThenElse(hn::IsNaN(v), v, hn::Min(hn::Max(v, hn::Set(d, low)), hn::Set(d, high)));
  }

  static void copy(const T* a, T* y, std::size_t n, Passage passage) {
    map(a, a, y, n, passage, [](V p, V) HWY_ATTR { return p; });
  }
  static void add(const T* a, const T* b, T* y, std::size_t n, Passage passage) {
    map(a, b, y, n, passage, [](V p, V q) HWY_ATTR { return hn::Add(p, q); });
  }
  static void multiply(const T* a, const T* b, T* y, std::size_t n, Passage passage) {
    map(a, b, y, n, passage, [](V p, V q) HWY_ATTR { return hn::Mul(p, q); });
  }
  static void shift(const T* a, T c, T* y, std::size_t n, Passage passage) {
    map(a, a, y, n, passage, [c](V p, V) HWY_ATTR { return hn::Add(p, hn::Set(D(), c)); });
  }
  static void scale(const T* a, T c, T* y, std::size_t n, Passage passage) {
    map(a, a, y, n, passage, [c](V p, V) HWY_ATTR { return hn::Mul(p, hn::Set(D(), c)); });
  }
  static void clamp(const T* a, T low, T high, T* y, std::size_t n, Passage passage) {
    map(a, a, y, n, passage, [=](V p, V) HWY_ATTR { return clamped(p, low, high); });
  }
  static void clamp_gradient(const T* a, T low, T high, const T* g, T* y, std::size_t n) {
    map(a, g, y, n, Passage::near,
        [=](V p, V q) HWY_ATTR { return hn::IfThenElseZero(hn::Eq(p, clamped(p, low, high)), q); });
  }
  static void drop(const std::uint32_t* words, std::uint32_t threshold, T scale, const T* a, T* y, std::size_t n,
                   Passage passage) {
    constexpr std::size_t kSome = 1024;
    alignas(64) T kept[kSome];  // 1 or 0
    for (std::size_t first = 0; first < n; first += kSome) {
      const std::size_t m = std::min(kSome, n - first);
      for (std::size_t i = 0; i < m; ++i) kept[i] = words[first + i] >= threshold ? T(1) : T(0);
      map(a + first, kept, y + first, m, passage, [scale](V p, V q) HWY_ATTR {
        const D d;
        return hn::IfThenElseZero(hn::Gt(q, hn::Zero(d)), hn::Mul(p, hn::Set(d, scale)));
      });
    }
  }
  static constexpr ChainSteps<T> steps{copy, add, multiply, shift, scale, clamp, clamp_gradient, drop};
};

void add_rounding(const double* v, double* error, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) error[i] += std::fabs(v[i]) * 0x1p-52;
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kLargest = std::numeric_limits<float>::max();

bool settle(const double* t, double* error, std::size_t n) {
  std::uint64_t open = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool finite = std::fabs(t[i]) < kInfinity;
    error[i] = finite ? 0 : kInfinity;
    open |= static_cast<std::uint64_t>(!finite);
  }
  return open == 0;
}
void keep_positive(const double* t, double* y, double* error, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const bool kept = t[i] > 0 && t[i] < kInfinity;
    y[i] = kept ? t[i] : y[i];
    error[i] = kept ? 0 : error[i];
  }
}
void spread(const double* t, const double* e, double* low, double* high, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) low[i] = t[i] - kReach * e[i], high[i] = t[i] + kReach * e[i];
}
void add_spread(const double* y, const double* low, const double* high, double* error, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) error[i] += 2 * (std::fabs(low[i] - y[i]) + std::fabs(high[i] - y[i]));
}
void product_error(const double* a, const double* a_error, const double* b, const double* b_error, double* error,
                   std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const double p = a_error ? a_error[i] : 0, q = b_error ? b_error[i] : 0;
    error[i] = p * (std::fabs(b[i]) + q) + std::fabs(a[i]) * q;
  }
}
void doubt_bounds(const double* v, const double* e, double low, double high, double* error, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i)
    if (!(std::fabs(v[i] - low) > kReach * e[i] && std::fabs(v[i] - high) > kReach * e[i])) error[i] = kInfinity;
}

bool round(const double* v, const double* error, float* y, std::size_t n) {
  std::uint32_t open = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double reach = kReach * error[i];
    const auto low = static_cast<float>(v[i] - reach), high = static_cast<float>(v[i] + reach);
    const auto near = static_cast<float>(v[i]);
    y[i] = near == near ? near : kNan;
    // An infinity may be none in a larger format, a NaN is looked at again.
    open |= 1u - static_cast<std::uint32_t>((low == high) & (std::fabs(high) <= kLargest));
  }
  return open != 0;
}
void narrow(const double* v, float* y, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto near = static_cast<float>(v[i]);
    y[i] = near == near ? near : kNan;
  }
}
void quantize(const double* v, double scale, double zero_point, double least, double largest, std::uint8_t* y,
              std::size_t n) {
  constexpr double kFar = 1024, kToInteger = 0x1.8p52;  // farther out than any code; the sum's last bit is worth 1
  for (std::size_t i = 0; i < n; ++i) {
    const double quotient = v[i] / scale,
                 near = quotient < kFar        ? quotient
                        : quotient == quotient ? kFar
                                               : 0,
                 bounded = near > -kFar ? near : -kFar, code = (bounded + kToInteger - kToInteger) + zero_point;
    y[i] = static_cast<std::uint8_t>(static_cast<int>(code < least ? least : code > largest ? largest : code));
  }
}

void random(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::size_t blocks, std::uint32_t* words) {
  constexpr std::size_t kBlocks = 16;
  std::uint32_t c[4][kBlocks];
  for (std::size_t block = 0; block < blocks; block += kBlocks) {
    for (std::size_t j = 0; j < kBlocks; ++j) {
      const std::uint64_t counter = first + block + j;
      c[0][j] = static_cast<std::uint32_t>(counter), c[1][j] = static_cast<std::uint32_t>(counter >> 32);
      c[2][j] = static_cast<std::uint32_t>(stream), c[3][j] = static_cast<std::uint32_t>(stream >> 32);
    }
    philox_rounds(seed, c);
    for (std::size_t j = 0; j < std::min(kBlocks, blocks - block); ++j)
      for (std::size_t k = 0; k < 4; ++k) words[4 * (block + j) + k] = c[k][j];
  }
}

constexpr EstimateSteps kEstimateSteps{add_rounding, settle, keep_positive, spread,   add_spread, product_error,
                                       doubt_bounds, round,  narrow,        quantize, random};

template <class T>
const ChainSteps<T>* chain_steps_here() {
  return &Steps<T>::steps;
}
template const ChainSteps<float>* chain_steps_here<float>();
template const ChainSteps<double>* chain_steps_here<double>();
const EstimateSteps* estimate_steps_here() { return &kEstimateSteps; }

}  // namespace actfun::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun {

void flush_stream() { hwy::FlushStream(); }

template <class T>
const ChainSteps<T>& chain_steps(std::int64_t target) {
  switch (target) {
#define ACTFUN_CASE(name, description) \
  case HWY_##name:                     \
    return *N_##name::chain_steps_here<T>();
    ACTFUN_TARGETS(ACTFUN_CASE)
#undef ACTFUN_CASE
    default:
      return *N_SCALAR::chain_steps_here<T>();
  }
}
template const ChainSteps<float>& chain_steps<float>(std::int64_t target);
template const ChainSteps<double>& chain_steps<double>(std::int64_t target);

const EstimateSteps& estimate_steps(std::int64_t target) {
  switch (target) {
#define ACTFUN_CASE(name, description) \
  case HWY_##name:                     \
    return *N_##name::estimate_steps_here();
    ACTFUN_TARGETS(ACTFUN_CASE)
#undef ACTFUN_CASE
    default:
      return *N_SCALAR::estimate_steps_here();
  }
}

}  // namespace actfun
#endif
