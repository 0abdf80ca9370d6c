// SPDX-License-Identifier: Apache-2.0
// The textbook's formulas in a loop: PEER_LIBRARY names whose functions the compiler's flags make of it, the C
// library's own or, with -Ofast, libmvec's. PEER_NAME is the function's name.
#include <cmath>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

#define FORMULA(name, expression)                      \
  void name(const float* x, float* y, std::size_t n) { \
    for (std::size_t i = 0; i < n; ++i) {              \
      const float v = x[i];                            \
      y[i] = expression;                               \
    }                                                  \
  }
FORMULA(relu, v > 0 ? v : 0)
FORMULA(sigmoid, 1 / (1 + std::exp(-v)))
FORMULA(silu, v / (1 + std::exp(-v)))
FORMULA(tanh, std::tanh(v))
FORMULA(elu, v > 0 ? v : std::expm1(v))
FORMULA(exp, std::exp(v))
FORMULA(softplus, std::fmax(v, 0.0f) + std::log1p(std::exp(-std::fabs(v))))
FORMULA(gelu, 0.5f * v * (1 + std::erf(0.70710678f * v)))
FORMULA(gelu_tanh, 0.5f * v * (1 + std::tanh(0.79788456f * v * (1 + 0.044715f * v * v))))
FORMULA(mish, v* std::tanh(std::log1p(std::exp(v))))
#undef FORMULA

}  // namespace

Loops PEER_NAME() {
  static constexpr Loop kLoops[] = {
      {"relu", relu}, {"sigmoid", sigmoid}, {"silu", silu},           {"tanh", tanh},         {"elu", elu},
      {"exp", exp},   {"gelu", gelu},       {"gelu_tanh", gelu_tanh}, {"softplus", softplus}, {"mish", mish}};
  return {PEER_LIBRARY, "glibc " PEER_TEXT(__GLIBC__) "." PEER_TEXT(__GLIBC_MINOR__), kLoops,
          sizeof kLoops / sizeof *kLoops};
}

}  // namespace actfun::compare
