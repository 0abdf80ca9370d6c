// SPDX-License-Identifier: Apache-2.0
#include <xnnpack.h>

#include <cmath>
#include <memory>
#include <stdexcept>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

using Operator = std::shared_ptr<xnn_operator>;

template <class Create>
Operator make(Create create) {
  xnn_operator_t op = nullptr;
  if (xnn_initialize(nullptr) != xnn_status_success || create(&op) != xnn_status_success)
    throw std::runtime_error("XNNPACK does not run here");
  return Operator(op, xnn_delete_operator);
}
template <class Setup>
Run runner(Operator op, Setup setup, std::size_t n) {
  return [op, setup, n](const float* x, const float*, float* to) {
    setup(op.get(), n, x, to, nullptr);
    xnn_run_operator(op.get(), nullptr);
    return to;
  };
}

}  // namespace

Library xnnpack() {
  return {"XNNPACK",
          PEER_VERSION,
          {{"relu", Pass::forward,
            [](std::size_t n) {
              return runner(make([](auto* op) { return xnn_create_clamp_nc_f32(1, 1, 1, 0, INFINITY, 0, op); }),
                            xnn_setup_clamp_nc_f32, n);
            }},
           {"sigmoid", Pass::forward,
            [](std::size_t n) {
              return runner(make([](auto* op) { return xnn_create_sigmoid_nc_f32(1, 1, 1, 0, op); }),
                            xnn_setup_sigmoid_nc_f32, n);
            }},
           {"elu", Pass::forward, [](std::size_t n) {
              return runner(make([](auto* op) { return xnn_create_elu_nc_f32(1, 1, 1, 1.0f, 0, op); }),
                            xnn_setup_elu_nc_f32, n);
            }}}};
}

}  // namespace actfun::compare
