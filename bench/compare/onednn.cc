// SPDX-License-Identifier: Apache-2.0
#include <dnnl.hpp>
#include <memory>
#include <stdexcept>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

using dnnl::algorithm;

struct Formula {
  const char* function;
  algorithm kind;
  float alpha, beta;
};

struct State {
  dnnl::engine device{dnnl::engine::kind::cpu, 0};
  dnnl::stream queue{device};
  dnnl::memory from, gradient, to;
  dnnl::primitive primitive;
};

/// oneDNN 3 has changed how primitives are described.
#if DNNL_VERSION_MAJOR < 3
auto forward(const Formula& f, dnnl::prop_kind kind, const dnnl::memory::desc& shape, const dnnl::engine& device) {
  return dnnl::eltwise_forward::primitive_desc(dnnl::eltwise_forward::desc(kind, f.kind, shape, f.alpha, f.beta),
                                               device);
}
auto backward(const Formula& f, const dnnl::memory::desc& shape, const dnnl::engine& device) {
  return dnnl::eltwise_backward::primitive_desc(dnnl::eltwise_backward::desc(f.kind, shape, shape, f.alpha, f.beta),
                                                device, forward(f, dnnl::prop_kind::forward_training, shape, device));
}
#else
auto forward(const Formula& f, dnnl::prop_kind kind, const dnnl::memory::desc& shape, const dnnl::engine& device) {
  return dnnl::eltwise_forward::primitive_desc(device, kind, f.kind, shape, shape, f.alpha, f.beta);
}
auto backward(const Formula& f, const dnnl::memory::desc& shape, const dnnl::engine& device) {
  return dnnl::eltwise_backward::primitive_desc(device, f.kind, shape, shape, shape, f.alpha, f.beta,
                                                forward(f, dnnl::prop_kind::forward_training, shape, device));
}
#endif

Run prepare(const Formula& f, Pass pass, std::size_t n) {
  using dnnl::memory;
  const auto s = std::make_shared<State>();
  const memory::desc shape({static_cast<memory::dim>(n)}, memory::data_type::f32, memory::format_tag::a);
  for (memory* array : {&s->from, &s->gradient, &s->to}) *array = memory(shape, s->device, nullptr);
  if (pass == Pass::forward) {
    s->primitive = dnnl::eltwise_forward(forward(f, dnnl::prop_kind::forward_inference, shape, s->device));
    return [s](const float* x, const float*, float* to) {
      s->from.set_data_handle(const_cast<float*>(x));
      s->to.set_data_handle(to);
      s->primitive.execute(s->queue, {{DNNL_ARG_SRC, s->from}, {DNNL_ARG_DST, s->to}});
      s->queue.wait();
      return to;
    };
  }
  s->primitive = dnnl::eltwise_backward(backward(f, shape, s->device));
  return [s, from = pass == Pass::from_input ? DNNL_ARG_SRC : DNNL_ARG_DST](const float* x, const float* g, float* to) {
    s->from.set_data_handle(const_cast<float*>(x));
    s->gradient.set_data_handle(const_cast<float*>(g));
    s->to.set_data_handle(to);
    s->primitive.execute(s->queue, {{from, s->from}, {DNNL_ARG_DIFF_DST, s->gradient}, {DNNL_ARG_DIFF_SRC, s->to}});
    s->queue.wait();
    return to;
  };
}

}  // namespace

Library onednn(bool avx512) {
  if (!avx512 && dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2) != dnnl::status::success)
    throw std::runtime_error("it does not let itself be limited to AVX2");
  const dnnl_version_t* v = dnnl_version();
  Library library{
      "oneDNN", std::to_string(v->major) + "." + std::to_string(v->minor) + "." + std::to_string(v->patch), {}};
  const auto add = [&](Pass pass, const Formula& f) {
    library.peers.push_back({f.function, pass, [f, pass](std::size_t n) { return prepare(f, pass, n); }});
  };
  constexpr float kSoftness = DNNL_VERSION_MAJOR < 3 ? 0 : 1;
  const Formula all[] = {
      {"relu", algorithm::eltwise_relu, 0, 0},
      {"sigmoid", algorithm::eltwise_logistic, 0, 0},
      {"silu", algorithm::eltwise_swish, 1, 0},
      {"tanh", algorithm::eltwise_tanh, 0, 0},
      {"elu", algorithm::eltwise_elu, 1, 0},
      {"exp", algorithm::eltwise_exp, 0, 0},
      {"softplus", algorithm::eltwise_soft_relu, kSoftness, 0},
      {"gelu", algorithm::eltwise_gelu_erf, 0, 0},
      {"gelu_tanh", algorithm::eltwise_gelu_tanh, 0, 0},
      {"mish", algorithm::eltwise_mish, 0, 0},
  };
  for (const Formula& f : all) {
    add(Pass::forward, f);
    if (f.kind != algorithm::eltwise_exp) add(Pass::from_input, f);  // everybody keeps exp's output
  }
  const Formula from_output[] = {
      {"sigmoid", algorithm::eltwise_logistic_use_dst_for_bwd, 0, 0},
      {"tanh", algorithm::eltwise_tanh_use_dst_for_bwd, 0, 0},
      {"elu", algorithm::eltwise_elu_use_dst_for_bwd, 1, 0},
  };
  for (const Formula& f : from_output) add(Pass::from_output, f);
  return library;
}

}  // namespace actfun::compare
