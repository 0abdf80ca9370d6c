// SPDX-License-Identifier: Apache-2.0
// The steps of a chain of stages that are no function of the registry, on tiles.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/kernels.h"

namespace actfun {

/// On floats in the fast tier, on doubles in the exact one; y may be a or b. Only floats are streamed.
template <class T>
struct ChainSteps {
  using Binary = void (*)(const T* a, const T* b, T* y, std::size_t n, Passage passage);
  using Constant = void (*)(const T* a, T c, T* y, std::size_t n, Passage passage);
  using Unary = void (*)(const T* a, T* y, std::size_t n, Passage passage);
  using Clamp = void (*)(const T* a, T low, T high, T* y, std::size_t n, Passage passage);
  Unary copy;
  Binary add, multiply;
  Constant shift, scale;
  Clamp clamp;  ///< a NaN stays
  /// y[i] = g[i] where low <= a[i] <= high, else 0.
  void (*clamp_gradient)(const T* a, T low, T high, const T* g, T* y, std::size_t n);
  /// y[i] = scale a[i] where words[i] >= threshold, else 0.
  void (*drop)(const std::uint32_t* words, std::uint32_t threshold, T scale, const T* a, T* y, std::size_t n,
               Passage passage);
};
template <class T>
const ChainSteps<T>& chain_steps(std::int64_t target);

/// A stage that is computed again rounds a function's result once more, and errors themselves are rounded: so much more
/// than an error says may be missing.
inline constexpr double kReach = 1 + 0x1p-8;

/// Steps on doubles v[i] that are known within kReach error[i], and what else the tiers share.
struct EstimateSteps {
  /// error += 2^-52 |v|: what rounding v adds.
  void (*add_rounding)(const double* v, double* error, std::size_t n);
  /// error[i] = 0 where t[i] is finite; whether all are.
  bool (*settle)(const double* t, double* error, std::size_t n);
  /// y[i] = t[i] and error[i] = 0 where 0 < t[i] < infinity: a function's branch f(t) = t.
  void (*keep_positive)(const double* t, double* y, double* error, std::size_t n);
  /// low and high are as far from t as the error reaches.
  void (*spread)(const double* t, const double* e, double* low, double* high, std::size_t n);
  /// error += 2 max(|low - y|, |high - y|)
  void (*add_spread)(const double* y, const double* low, const double* high, double* error, std::size_t n);
  /// The error of a b: a_error |b| + |a| b_error + a_error b_error. Either may be exact (null).
  void (*product_error)(const double* a, const double* a_error, const double* b, const double* b_error, double* error,
                        std::size_t n);
  /// error[i] = infinity where v[i] is within e[i] of a bound.
  void (*doubt_bounds)(const double* v, const double* e, double low, double high, double* error, std::size_t n);
  /// y[i] = v[i] as a float, every NaN being the same; whether any is open: another v within its error would make
  /// another float, or none.
  bool (*round)(const double* v, const double* error, float* y, std::size_t n);
  /// y[i] = v[i] as a float, every NaN being the same.
  void (*narrow)(const double* v, float* y, std::size_t n);
  /// y[i] = the integer nearest to v[i] / scale, ties to even, plus the zero point, cut to the bounds; the zero point
  /// for a NaN.
  void (*quantize)(const double* v, double scale, double zero_point, double least, double largest, std::uint8_t* y,
                   std::size_t n);
  /// Four words of core/philox.h for each of the blocks from `first` on.
  void (*random)(std::uint64_t seed, std::uint64_t stream, std::uint64_t first, std::size_t blocks,
                 std::uint32_t* words);
};
const EstimateSteps& estimate_steps(std::int64_t target);

/// Behind streamed results, before other threads may read them.
void flush_stream();

}  // namespace actfun
