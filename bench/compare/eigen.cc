// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set; PEER_NAME is the function's name.
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

template <class Expression>
void assign(const float* x, float* y, std::size_t n, Expression f) {
  const auto length = static_cast<Eigen::Index>(n);
  Eigen::Map<Eigen::ArrayXf>(y, length) = f(Eigen::Map<const Eigen::ArrayXf>(x, length));
}
#define FORMULA(name, expression)                              \
  void name(const float* x, float* y, std::size_t n) {         \
    assign(x, y, n, [](const auto& v) { return expression; }); \
  }
FORMULA(relu, v.max(0.0f))
FORMULA(sigmoid, v.logistic())
FORMULA(silu, v* v.logistic())
FORMULA(tanh, v.tanh())
FORMULA(elu, (v < 0.0f).select(v.expm1(), v))
FORMULA(exp, v.exp())
FORMULA(softplus, v.max(0.0f) + (-v.abs()).exp().log1p())
FORMULA(gelu_tanh, 0.5f * v * (1.0f + (0.7978845608f * v * (1.0f + 0.044715f * v * v)).tanh()))
#undef FORMULA

}  // namespace

Loops PEER_NAME() {
  static constexpr Loop kLoops[] = {
      {"relu", relu}, {"sigmoid", sigmoid}, {"silu", silu},         {"tanh", tanh},
      {"elu", elu},   {"exp", exp},         {"softplus", softplus}, {"gelu_tanh", gelu_tanh}};
  return {"Eigen", PEER_VERSION_OF(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION), kLoops,
          sizeof kLoops / sizeof *kLoops};
}

}  // namespace actfun::compare
