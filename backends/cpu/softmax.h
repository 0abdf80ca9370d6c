// SPDX-License-Identifier: Apache-2.0
// The passes that softmax and its like take over the rows of an array: the largest logit, the sum of the exponentials,
// the results. api/softmax.cc puts them together.
//
// A pass works on a block: steps of kPlaces numbers. They are neighbours in one row, or one element each of
// neighbouring rows; the passes are the same, but for the sums. Element j of a row is in partial sum j mod kPlaces
// of its block, whichever way it lies. So no bit of a result depends on how rows lie in memory.
#pragma once

#include <cstddef>
#include <cstdint>

namespace actfun {

inline constexpr std::size_t kPlaces = 16;
/// Elements of a row that are summed in one go. Sums of blocks are added in their order.
inline constexpr std::size_t kSoftmaxBlock = 2048;

/// high + low
struct TwoDoubles {
  double high = 0, low = 0;
};
/// The sum to about twice a double's precision.
inline TwoDoubles sum(TwoDoubles a, TwoDoubles b) {
  const double high = a.high + b.high, t = high - a.high;
  const double low = ((a.high - (high - t)) + (b.high - t)) + (a.low + b.low), s = high + low;
  return high - high == 0 ? TwoDoubles{s, low - (s - high)} : TwoDoubles{high};
}
/// A number for each place of a step, to about twice a double's precision where `low` is used.
struct StepOfDoubles {
  alignas(64) double high[kPlaces];
  alignas(64) double low[kPlaces];
};

/// Logits z = scale x + bias. A bias of -inf makes z = -inf, whatever x is.
template <class T>
struct LogitBlock {
  const T* x;
  std::ptrdiff_t step;
  const T* bias;
  std::ptrdiff_t bias_step;
  double scale;
  std::size_t steps;
  std::size_t rest;  ///< so many numbers of the last step count, if not 0
};

/// What results are written to, step by step. y may be the block's x.
template <class T>
struct ResultBlock {
  T* y;
  std::ptrdiff_t step;
};

/// `reference` is near the largest logit of the row that each place of a step belongs to; results do not depend on it
/// but for rounding. What is `kept` are the exponentials that `sum` has found, of a size that `kept_bytes` tells.
template <class T>
struct SoftmaxPasses {
  /// All passes over one row of plain logits side by side, in one go; y may be x; `kept` has room for n exponentials.
  /// Returns whether that was possible: nothing is written where the largest is infinite, or too large. Null: it never
  /// is.
  bool (*row)(const T* x, T* y, std::size_t n, void* kept);
  /// The largest logits; NaNs may go unseen here, not in sums.
  void (*maximum)(const LogitBlock<T>& z, StepOfDoubles& largest);
  /// The sums of exp(z - origin(reference)), of all places together unless the rows lie `across`: for each place.
  void (*sum)(const LogitBlock<T>& z, bool across, const StepOfDoubles& reference, void* kept, std::ptrdiff_t kept_step,
              StepOfDoubles& sums);
  /// The same without the terms that are 1, and their number, for log1p's sake.
  void (*excess)(const LogitBlock<T>& z, bool across, const StepOfDoubles& reference, StepOfDoubles& sums,
                 StepOfDoubles& ones);
  /// y = factor exp(z - origin(reference)), from what was kept or from z.
  void (*scale_kept)(const void* kept, std::ptrdiff_t kept_step, std::size_t steps, std::size_t rest,
                     const StepOfDoubles& factor, const ResultBlock<T>& to);
  void (*softmax)(const LogitBlock<T>& z, const StepOfDoubles& reference, const StepOfDoubles& factor,
                  const ResultBlock<T>& to);
  /// y = z - reference - log
  void (*log_softmax)(const LogitBlock<T>& z, const StepOfDoubles& reference, const StepOfDoubles& log,
                      const ResultBlock<T>& to);
  TwoDoubles (*origin)(TwoDoubles reference);
  TwoDoubles (*exp)(TwoDoubles t);       ///< of t <= 0
  TwoDoubles (*log1p)(TwoDoubles rest);  ///< of rest >= 0
  std::size_t kept_bytes;                ///< 0: nothing can be kept
  bool fast;                             ///< has no `excess` and no `log_softmax`
};
/// T = float or double. `plain`: the scale is 1 and there is no bias. Where there is no fast tier, the exact one.
template <class T>
const SoftmaxPasses<T>& softmax_passes(bool fast, bool plain, std::int64_t target);

/// Gradients from the output, over the same kind of blocks: z and bias are y and g, the scale does not count.
template <class T>
struct SoftmaxGradients {
  /// sum_j g_j y_j, sum_j g_j, sum_j exp(y_j) g_j
  void (*dot)(const LogitBlock<T>& y_g, bool across, StepOfDoubles& sums);
  void (*sum)(const LogitBlock<T>& y_g, bool across, StepOfDoubles& sums);
  void (*dot_exp)(const LogitBlock<T>& y_g, bool across, StepOfDoubles& sums);
  /// scale y (g - sum), scale (g - exp(y) sum), scale (g - sum), rounded once
  void (*softmax)(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to);
  void (*log_softmax)(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to);
  void (*subtract)(const LogitBlock<T>& y_g, const StepOfDoubles& sums, const ResultBlock<T>& to);
};
template <class T>
const SoftmaxGradients<T>& softmax_gradients(std::int64_t target);

/// to[i] = from[i] past the caches, for addresses that are multiples of 4.
void stream(const void* from, void* to, std::size_t bytes, std::int64_t target);

}  // namespace actfun
