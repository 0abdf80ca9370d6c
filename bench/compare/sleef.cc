// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; PEER_NAME is the function's name. The functions of 1 ULP.
#include <immintrin.h>
#include <sleef.h>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

#if defined(__AVX512F__)
using V = __m512;
constexpr std::size_t kLanes = 16;
V load(const float* x) { return _mm512_loadu_ps(x); }
void store(float* y, V v) { _mm512_storeu_ps(y, v); }
#define SLEEF(name) Sleef_##name##f16_u10avx512f
#else
using V = __m256;
constexpr std::size_t kLanes = 8;
V load(const float* x) { return _mm256_loadu_ps(x); }
void store(float* y, V v) { _mm256_storeu_ps(y, v); }
#define SLEEF(name) Sleef_##name##f8_u10avx2
#endif

#define FORMULA(name, expression)                      \
  void name(const float* x, float* y, std::size_t n) { \
    for (std::size_t i = 0; i < n; i += kLanes) {      \
      const V v = load(x + i);                         \
      store(y + i, expression);                        \
    }                                                  \
  }
// GCC's vectors have operators.
FORMULA(sigmoid, 1.0f / (1.0f + SLEEF(exp)(-v)))
FORMULA(silu, v / (1.0f + SLEEF(exp)(-v)))
FORMULA(tanh, SLEEF(tanh)(v))
FORMULA(elu, v > 0.0f ? v : SLEEF(expm1)(v))
FORMULA(exp, SLEEF(exp)(v))
FORMULA(softplus, (v > 0.0f ? v : V{}) + SLEEF(log1p)(SLEEF(exp)(v > 0.0f ? -v : v)))
#undef FORMULA

}  // namespace

Loops PEER_NAME() {
  static constexpr Loop kLoops[] = {{"sigmoid", sigmoid}, {"silu", silu}, {"tanh", tanh},
                                    {"elu", elu},         {"exp", exp},   {"softplus", softplus}};
  return {"SLEEF", PEER_VERSION_OF(SLEEF_VERSION_MAJOR, SLEEF_VERSION_MINOR, SLEEF_VERSION_PATCHLEVEL), kLoops,
          sizeof kLoops / sizeof *kLoops};
}

}  // namespace actfun::compare
