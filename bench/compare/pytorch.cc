// SPDX-License-Identifier: Apache-2.0
// PyTorch's operators from C++, without autograd around them.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/core/InferenceMode.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "bench/compare/peers.h"

namespace actfun::compare {
namespace {

using at::Tensor;

/// An array as a tensor, made anew only where the array is another one: users have tensors, not pointers.
struct View {
  Tensor tensor;
  const Tensor& of(const float* data, std::size_t n) {
    if (!tensor.defined() || tensor.data_ptr() != data)
      tensor = at::from_blob(const_cast<float*>(data), {static_cast<std::int64_t>(n)}, at::kFloat);
    return tensor;
  }
};

/// Whose result goes to `to`, or is a tensor of its own.
using Operator = Tensor (*)(const Tensor& x, const Tensor& g, Tensor& to);

Peer peer(const char* function, Pass pass, Operator f) {
  return {function, pass, [f](std::size_t n) {
            struct State {
              View x, g, to;
              Tensor result;
            };
            return [f, n, s = std::make_shared<State>()](const float* x, const float* g, float* to) -> const float* {
              const c10::InferenceMode guard;
              Tensor out = s->to.of(to, n);
              s->result = f(s->x.of(x, n), g ? s->g.of(g, n) : out, out);
              return s->result.data_ptr<float>();
            };
          }};
}

}  // namespace

Library pytorch(bool avx512) {
  setenv("ATEN_CPU_CAPABILITY", avx512 ? "avx512" : "avx2", 1);  // left to itself, it takes AVX2 only
  at::set_num_threads(1);
  if (at::show_config().find(avx512 ? "usage: AVX512\n" : "usage: AVX2\n") == std::string::npos)
    throw std::runtime_error("it does not take the instruction set that it is told");
#define OPERATOR(expression) [](const Tensor& x, const Tensor& g, Tensor& to) -> Tensor { return expression; }
  return {"PyTorch",
          PEER_VERSION,
          {
              peer("relu", Pass::forward, OPERATOR(at::clamp_min_out(to, x, 0))),  // what relu is made of
              peer("sigmoid", Pass::forward, OPERATOR(at::sigmoid_out(to, x))),
              peer("silu", Pass::forward, OPERATOR(at::silu_out(to, x))),
              peer("tanh", Pass::forward, OPERATOR(at::tanh_out(to, x))),
              peer("elu", Pass::forward, OPERATOR(at::elu_out(to, x))),
              peer("exp", Pass::forward, OPERATOR(at::exp_out(to, x))),
              peer("softplus", Pass::forward, OPERATOR(at::softplus_out(to, x))),
              peer("gelu", Pass::forward, OPERATOR(at::gelu_out(to, x))),
              peer("gelu_tanh", Pass::forward, OPERATOR(at::gelu_out(to, x, "tanh"))),
              peer("mish", Pass::forward, OPERATOR(at::mish_out(to, x))),
              peer("relu", Pass::from_input, OPERATOR(at::threshold_backward_out(to, g, x, 0))),
              peer("silu", Pass::from_input, OPERATOR(at::silu_backward_out(to, g, x))),
              peer("elu", Pass::from_input, OPERATOR(at::elu_backward_out(to, g, 1, 1, 1, false, x))),
              peer("softplus", Pass::from_input, OPERATOR(at::softplus_backward_out(to, g, x, 1, 20))),
              peer("gelu", Pass::from_input, OPERATOR(at::gelu_backward_out(to, g, x))),
              peer("gelu_tanh", Pass::from_input, OPERATOR(at::gelu_backward_out(to, g, x, "tanh"))),
              peer("mish", Pass::from_input, OPERATOR(at::mish_backward(g, x))),
              peer("sigmoid", Pass::from_output, OPERATOR(at::sigmoid_backward_out(to, g, x))),
              peer("tanh", Pass::from_output, OPERATOR(at::tanh_backward_out(to, g, x))),
              peer("elu", Pass::from_output, OPERATOR(at::elu_backward_out(to, g, 1, 1, 1, true, x))),
          }};
#undef OPERATOR
}

}  // namespace actfun::compare
