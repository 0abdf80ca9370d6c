// SPDX-License-Identifier: Apache-2.0
// Highway's contrib/math. Compiled once for each instruction set; PEER_NAME is the function's name.
#include <hwy/highway.h>
// in this order
#include <hwy/base.h>
#include <hwy/contrib/math/math-inl.h>

#include "bench/compare/peers.h"

#if HWY_STATIC_TARGET != PEER_TARGET
#error "the flags do not make Highway take the instruction set that is meant"
#endif

namespace actfun::compare {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr D d;

#define FORMULA(name, expression)                       \
  void name(const float* x, float* y, std::size_t n) {  \
    const V zero = hn::Zero(d), one = hn::Set(d, 1.0f); \
    for (std::size_t i = 0; i < n; i += hn::Lanes(d)) { \
      const V v = hn::LoadU(d, x + i);                  \
      hn::StoreU(expression, d, y + i);                 \
    }                                                   \
  }
FORMULA(sigmoid, one / (one + hn::Exp(d, hn::Neg(v))))
FORMULA(silu, v / (one + hn::Exp(d, hn::Neg(v))))
FORMULA(tanh, hn::Tanh(d, v))
FORMULA(elu, hn::IfThenElse(v > zero, v, hn::Expm1(d, v)))
FORMULA(exp, hn::Exp(d, v))
FORMULA(softplus, hn::Max(v, zero) + hn::Log1p(d, hn::Exp(d, hn::Neg(hn::Abs(v)))))
#undef FORMULA

}  // namespace

Loops PEER_NAME() {
  static constexpr Loop kLoops[] = {{"sigmoid", sigmoid}, {"silu", silu}, {"tanh", tanh},
                                    {"elu", elu},         {"exp", exp},   {"softplus", softplus}};
  return {"Highway", PEER_VERSION_OF(HWY_MAJOR, HWY_MINOR, HWY_PATCH), kLoops, sizeof kLoops / sizeof *kLoops};
}

}  // namespace actfun::compare
