// SPDX-License-Identifier: Apache-2.0
// Gated units h(x) v on floats: kernels that multiply where they compute, and what brings strided numbers to them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cpu/kernels.h"

namespace actfun {

/// The kernels of one gate h, at default parameters; null where it has none on the instruction set. Arrays are side by
/// side, and outputs may be inputs where nothing else is said.
struct GatedKernels {
  /// y[i] = h(x[i]) v[i] by the fast tier's value, with one more rounding.
  using Forward = void (*)(const float* x, const float* v, float* y, std::size_t n, Passage passage);
  /// dx[i] = (g[i] v[i]) h'(x[i]) and dv[i] = g[i] h(x[i]) by the fast tier's slope and value.
  using Backward = void (*)(const float* x, const float* v, const float* g, float* dx, float* dv, std::size_t n,
                            Passage passage);
  /// y[i] = h(x[i]) v[i], rounded once, but at open[0], ..., open[count - 1], where it may be anything; returns count.
  /// n <= 65536, and open has room for as many. y is none of the inputs. Inputs may be fetched ahead.
  using FirstTry = std::size_t (*)(const float* x, const float* v, float* y, std::uint16_t* open, std::size_t n,
                                   Passage passage);
  /// y[i] = a[i] b[i] h'(x[i]) likewise, with parameters: on doubles, as products.h has it, in one loop.
  using Slopes = std::size_t (*)(const float* x, const float* a, const float* b, float* y, std::uint16_t* open,
                                 std::size_t n, const Constant* p, Passage passage);

  Forward forward = nullptr;
  Backward backward = nullptr;
  FirstTry first_try = nullptr;
  Slopes slopes = nullptr;
};
/// By the function's line in functions/list.def.
const GatedKernels& gated_kernels(int id, std::int64_t target);

/// What follows the gate in the fast tier: min(h, gate_limit) (clip(v, +-value_limit) + offset).
struct GatedTail {
  float gate_limit, value_limit, offset;
};

struct GatedSteps {
  /// even[i] = from[2 i], odd[i] = from[2 i + 1]; what follows may be fetched ahead.
  void (*deinterleave)(const float* from, float* even, float* odd, std::size_t n, Passage passage);
  void (*interleave)(const float* even, const float* odd, float* to, std::size_t n);
  /// y[i] = min(x[i], limit); NaN stays.
  void (*clamp)(const float* x, float limit, float* y, std::size_t n);
  /// y may be h or v.
  void (*finish)(const float* h, const float* v, float* y, std::size_t n, const GatedTail& tail);
  /// Past the caches; the last of several calls waits until all is written.
  void (*stream)(const float* from, float* to, std::size_t n, bool last);
};
const GatedSteps& gated_steps(std::int64_t target);

}  // namespace actfun
