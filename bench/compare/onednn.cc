// SPDX-License-Identifier: Apache-2.0
#include <dnnl.hpp>
#include <memory>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

Run primitive(dnnl::algorithm algorithm, float alpha, float beta, std::size_t n) {
  using namespace dnnl;
  struct State {
    engine device{engine::kind::cpu, 0};
    stream queue{device};
    memory from, to;
    eltwise_forward forward;
  };
  const auto s = std::make_shared<State>();
  const memory::desc shape({static_cast<memory::dim>(n)}, memory::data_type::f32, memory::format_tag::a);
  s->from = memory(shape, s->device, nullptr);
  s->to = memory(shape, s->device, nullptr);
#if DNNL_VERSION_MAJOR < 3
  s->forward = eltwise_forward(eltwise_forward::primitive_desc(
      eltwise_forward::desc(prop_kind::forward_inference, algorithm, shape, alpha, beta), s->device));
#else
  s->forward = eltwise_forward(
      eltwise_forward::primitive_desc(s->device, prop_kind::forward_inference, algorithm, shape, shape, alpha, beta));
#endif
  return [s](const float* x, float* y) {
    s->from.set_data_handle(const_cast<float*>(x));
    s->to.set_data_handle(y);
    s->forward.execute(s->queue, {{DNNL_ARG_SRC, s->from}, {DNNL_ARG_DST, s->to}});
    s->queue.wait();
  };
}

}  // namespace

std::vector<Peer> onednn() {
  using dnnl::algorithm;
  const struct {
    const char* function;
    algorithm kind;
    float alpha, beta;
  } all[] = {
    {"relu", algorithm::eltwise_relu, 0, 0},
    {"sigmoid", algorithm::eltwise_logistic, 0, 0},
    {"silu", algorithm::eltwise_swish, 1, 0},
    {"tanh", algorithm::eltwise_tanh, 0, 0},
    {"elu", algorithm::eltwise_elu, 1, 0},
    {"exp", algorithm::eltwise_exp, 0, 0},
#if DNNL_VERSION_MAJOR < 3
    {"softplus", algorithm::eltwise_soft_relu, 0, 0},
#else
    {"softplus", algorithm::eltwise_soft_relu, 1, 0},
#endif
    {"gelu", algorithm::eltwise_gelu_erf, 0, 0},
    {"gelu_tanh", algorithm::eltwise_gelu_tanh, 0, 0},
    {"mish", algorithm::eltwise_mish, 0, 0}
  };
  std::vector<Peer> peers;
  for (const auto& [function, kind, alpha, beta] : all)
    peers.push_back(
        {"oneDNN", function, [kind, alpha, beta](std::size_t n) { return primitive(kind, alpha, beta, n); }});
  return peers;
}

}  // namespace actfun::compare
