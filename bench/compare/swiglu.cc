// SPDX-License-Identifier: Apache-2.0
// Swiglu in one pass, beside the same in several calls of our own and of other libraries, and beside a copy of as many
// bytes. Prints JSON: scripts/gated.py makes the tables of docs/gated.md from it.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#if defined(PEERS_PYTORCH)
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#endif
#if defined(PEERS_ONEDNN)
#include <dnnl.hpp>
#endif

#include "actfun/gated.hpp"
#include "bench/error.h"
#include "bench/measure.h"
#include "bench/memory.h"

namespace {

using actfun::Array;
using actfun::Tier;
using Floats = std::vector<float>;
using Body = std::function<void()>;

struct Case {
  std::string name;
  Body body;
};

/// Gate, value, gradient, and what is made of them.
struct Arrays {
  explicit Arrays(std::size_t count)
      : n(count), x(actfun::bench::inputs(2 * n)), dy(actfun::bench::inputs(n)), y(n), t(n), dx(2 * n) {}
  std::size_t n;
  Floats x, dy, y, t, dx;

  std::span<float> gate() { return {x.data(), n}; }
  std::span<float> value() { return {x.data() + n, n}; }
  std::span<float> dgate() { return {dx.data(), n}; }
  std::span<float> dvalue() { return {dx.data() + n, n}; }
};

void multiply(std::span<const float> a, std::span<const float> b, std::span<float> y) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] = a[i] * b[i];
}

/// [rows, 2 columns], whose halves or pairs are gate and value.
constexpr std::size_t kColumns = 4096;

std::vector<Case> forward(Arrays& a) {
  std::vector<Case> all;
  all.push_back({"copy of as many bytes", [&a] { actfun::bench::stream_copy(a.x.data(), a.dx.data(), a.n * 6); }});
  for (const Tier tier : {Tier::fast, Tier::exact}) {
    const std::string name = tier == Tier::fast ? "fast" : "exact";
    const actfun::Gated swiglu("swiglu", {.tier = tier, .threads = 1});
    const actfun::Silu silu{.tier = tier, .threads = 1};
    const std::size_t columns = std::min(kColumns, a.n), rows = a.n / columns;
    all.push_back({name + ", two arrays",
                   [&a, swiglu] { swiglu(Array(a.gate(), {a.n}), Array(a.value(), {a.n}), Array(a.y, {a.n})); }});
    for (const auto& [layout, text] :
         {std::pair{actfun::GluLayout::gate_first, ", halves"}, {actfun::GluLayout::interleaved, ", interleaved"}})
      all.push_back({name + text, [&a, swiglu, rows, columns, layout] {
                       swiglu(Array(a.x, {rows, 2 * columns}), Array(a.y, {rows, columns}), -1, layout);
                     }});
    all.push_back({name + ", silu and a product", [&a, silu] {
                     silu(a.gate(), a.t);
                     multiply(a.t, a.value(), a.y);
                   }});
    all.push_back({name + ", silu alone", [&a, silu] { silu(a.gate(), a.y); }});
  }
#if defined(PEERS_PYTORCH)
  all.push_back({"PyTorch, silu and mul", [&a] {
                   const c10::InferenceMode guard;
                   const auto tensor = [&](std::span<float> of) {
                     return at::from_blob(of.data(), {static_cast<std::int64_t>(of.size())}, at::kFloat);
                   };
                   at::Tensor t = tensor(a.t), y = tensor(a.y);
                   at::silu_out(t, tensor(a.gate()));
                   at::mul_out(y, t, tensor(a.value()));
                 }});
#endif
#if defined(PEERS_ONEDNN)
  struct Onednn {
    dnnl::engine device{dnnl::engine::kind::cpu, 0};
    dnnl::stream queue{device};
    dnnl::memory::desc shape;
    dnnl::eltwise_forward silu;
    dnnl::binary product;
    explicit Onednn(std::size_t n)
        : shape({static_cast<dnnl::memory::dim>(n)}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a) {
      using dnnl::algorithm;
#if DNNL_VERSION_MAJOR < 3
      silu =
          dnnl::eltwise_forward({{dnnl::prop_kind::forward_inference, algorithm::eltwise_swish, shape, 1, 0}, device});
      product = dnnl::binary({{algorithm::binary_mul, shape, shape, shape}, device});
#else
      silu = dnnl::eltwise_forward(
          {device, dnnl::prop_kind::forward_inference, algorithm::eltwise_swish, shape, shape, 1, 0});
      product = dnnl::binary({device, algorithm::binary_mul, shape, shape, shape});
#endif
    }
  };
  all.push_back(
      {"oneDNN, swish and binary", [&a, one = std::make_shared<Onednn>(a.n)] {
         const auto memory = [&](std::span<float> of) { return dnnl::memory(one->shape, one->device, of.data()); };
         const dnnl::memory t = memory(a.t);
         one->silu.execute(one->queue, {{DNNL_ARG_SRC, memory(a.gate())}, {DNNL_ARG_DST, t}});
         one->product.execute(one->queue,
                              {{DNNL_ARG_SRC_0, t}, {DNNL_ARG_SRC_1, memory(a.value())}, {DNNL_ARG_DST, memory(a.y)}});
         one->queue.wait();
       }});
#endif
  return all;
}

std::vector<Case> backward(Arrays& a) {
  std::vector<Case> all;
  all.push_back({"copy of as many bytes", [&a] {
                   actfun::bench::stream_copy(a.x.data(), a.dx.data(), a.n * 8);
                   actfun::bench::stream_copy(a.dy.data(), a.y.data(), a.n * 2);
                 }});
  for (const Tier tier : {Tier::fast, Tier::exact}) {
    const std::string name = tier == Tier::fast ? "fast" : "exact";
    const actfun::Gated swiglu("swiglu", {.tier = tier, .threads = 1});
    const actfun::Silu silu{.tier = tier, .threads = 1};
    const std::size_t columns = std::min(kColumns, a.n), rows = a.n / columns;
    all.push_back({name + ", two arrays", [&a, swiglu] {
                     swiglu.backward(Array(a.gate(), {a.n}), Array(a.value(), {a.n}), Array(a.dy, {a.n}),
                                     Array(a.dgate(), {a.n}), Array(a.dvalue(), {a.n}));
                   }});
    for (const auto& [layout, text] :
         {std::pair{actfun::GluLayout::gate_first, ", halves"}, {actfun::GluLayout::interleaved, ", interleaved"}})
      all.push_back({name + text, [&a, swiglu, rows, columns, layout] {
                       swiglu.backward(Array(a.x, {rows, 2 * columns}), Array(a.dy, {rows, columns}),
                                       Array(a.dx, {rows, 2 * columns}), -1, layout);
                     }});
    all.push_back({name + ", silu, its backward and two products", [&a, silu] {
                     silu(a.gate(), a.t);
                     multiply(a.t, a.dy, a.dvalue());
                     multiply(a.dy, a.value(), a.t);
                     silu.backward(a.gate(), a.t, a.dgate());
                   }});
  }
  return all;
}

/// The largest error of a unit in f32, in units in the last place, against the exact tier in f64.
double largest_error(const std::string& unit, Tier tier, std::size_t samples) {
  std::mt19937 generator(1);
  std::normal_distribution<float> normal(0, 3);
  Floats g(samples), v(samples), y(samples);
  std::vector<double> wide_g(samples), wide_v(samples), right(samples);
  for (std::size_t i = 0; i < samples; ++i) wide_g[i] = g[i] = normal(generator), wide_v[i] = v[i] = normal(generator);
  actfun::Gated(unit, {.tier = tier})(Array(g, {samples}), Array(v, {samples}), Array(y, {samples}));
  actfun::Gated{unit}(Array(wide_g, {samples}), Array(wide_v, {samples}), Array(right, {samples}));
  double worst = 0;
  for (std::size_t i = 0; i < samples; ++i) worst = std::max(worst, actfun::bench::error_in_ulp(y[i], right[i]));
  return worst;
}

std::string processor() {
  std::ifstream file("/proc/cpuinfo");
  std::string line, family, model;
  while (std::getline(file, line)) {
    const std::string value = line.substr(std::min(line.size(), line.find(':') + 1));
    if (line.starts_with("vendor_id")) family = value;
    if (line.starts_with("cpu family")) family += " family" + value;
    if (line.starts_with("model\t")) return family.substr(1) + " model" + value;
  }
  return "an unknown processor";
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Swiglu in one pass beside several, as JSON.", "actfun_swiglu");
  std::vector<std::size_t> sizes(std::begin(actfun::bench::kSizes), std::end(actfun::bench::kSizes));
  std::size_t rounds = 9;
  app.add_option("--elements", sizes, "Outputs");
  app.add_option("--rounds", rounds, "Turns of each");
  std::vector<std::string> passes{"forward", "backward"};
  app.add_option("--passes", passes, "forward, backward")->check(CLI::IsMember({"forward", "backward"}));
  std::size_t samples = 0;
  app.add_option("--samples", samples, "Largest errors of units, in so many gates and values");
  CLI11_PARSE(app, argc, argv);
#if defined(PEERS_PYTORCH)
  at::set_num_threads(1);
#endif
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const std::size_t n : sizes) {
    Arrays arrays(n);
    for (const std::string& pass : passes) {
      const std::vector<Case> cases = pass == "forward" ? forward(arrays) : backward(arrays);
      std::vector<Body> bodies;
      for (const Case& each : cases) bodies.push_back(each.body);
      const auto times = actfun::bench::interleaved_medians(bodies, rounds, 1e-3, actfun::bench::Clock::thread);
      for (std::size_t i = 0; i < cases.size(); ++i) {
        rows.push_back({{"pass", pass},
                        {"elements", n},
                        {"what", cases[i].name},
                        {"ns", 1e9 * times[i] / static_cast<double>(n)}});
        fmt::print(stderr, "{:9} {:9} {:42} {:.3f} ns\n", pass, n, cases[i].name,
                   1e9 * times[i] / static_cast<double>(n));
      }
    }
  }
  nlohmann::ordered_json errors = nlohmann::ordered_json::array();
  for (const char* unit :
       {"glu", "reglu", "geglu", "geglu_tanh", "geglu_quick", "swiglu", "clamped_swiglu", "swiglu_step", "mish"}) {
    if (samples == 0) break;
    errors.push_back({{"unit", unit},
                      {"fast", largest_error(unit, Tier::fast, samples)},
                      {"exact", largest_error(unit, Tier::exact, samples)}});
  }
  const nlohmann::ordered_json all{{"target", actfun_target()},
                                   {"processor", processor()},
                                   {"samples", samples},
                                   {"rows", rows},
                                   {"errors", errors}};
  fmt::print("{}\n", all.dump(1));
}
