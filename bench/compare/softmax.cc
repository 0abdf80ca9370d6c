// SPDX-License-Identifier: Apache-2.0
// actfun_softmax_peers: softmax beside other libraries', in one process, by turns and on one thread, with the worst
// error of each beside its time.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <vector>

#ifdef PEERS_ONEDNN
#include <dnnl.hpp>
#endif
#ifdef PEERS_XNNPACK
#include <xnnpack.h>
#endif
#ifdef PEERS_PYTORCH
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#endif

#include "api/softmax.h"
#include "bench/compare/softmax_peers.h"
#include "bench/measure.h"
#include "bench/memory.h"

namespace actfun::compare {
namespace {

using Json = nlohmann::ordered_json;
/// Softmax of rows x columns numbers along the last axis, or along the first.
using Run = std::function<void(const float* x, float* y)>;
struct Peer {
  std::string name;
  std::function<Run(std::size_t rows, std::size_t columns)> prepare;
};

struct Shape {
  std::size_t rows, columns;
};
constexpr Shape kShapes[] = {{32, 128}, {4, 1024}, {8, 32768}};
constexpr Shape kLarge{65536, 1024};
constexpr std::size_t kRounds = 25;

Run own(std::size_t rows, std::size_t columns, actfun_tier tier, int axis) {
  return [=](const float* x, float* y) {
    const auto step = static_cast<std::ptrdiff_t>(columns);
    const actfun_array from{const_cast<float*>(x), ACTFUN_F32, 2, {rows, columns}, {step, 1}},
        to{y, ACTFUN_F32, 2, {rows, columns}, {step, 1}};
    actfun_softmax_options options{};
    options.scale = 1, options.tier = tier, options.threads = 1;
    softmax_forward(ACTFUN_SOFTMAX, options, &from, axis, &to, nullptr, nullptr, current_target());
  };
}

#ifdef PEERS_ONEDNN
Run onednn(std::size_t rows, std::size_t columns) {
  using dnnl::memory;
  struct State {
    dnnl::engine device{dnnl::engine::kind::cpu, 0};
    dnnl::stream queue{device};
    memory from, to;
    dnnl::primitive primitive;
  };
  const auto s = std::make_shared<State>();
  const memory::desc shape({static_cast<memory::dim>(rows), static_cast<memory::dim>(columns)}, memory::data_type::f32,
                           memory::format_tag::ab);
  s->from = memory(shape, s->device, nullptr), s->to = memory(shape, s->device, nullptr);
#if DNNL_VERSION_MAJOR < 3
  s->primitive = dnnl::softmax_forward(dnnl::softmax_forward::primitive_desc(
      dnnl::softmax_forward::desc(dnnl::prop_kind::forward_inference, shape, 1), s->device));
#else
  s->primitive = dnnl::softmax_forward(dnnl::softmax_forward::primitive_desc(
      s->device, dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, shape, shape, 1));
#endif
  return [s](const float* x, float* y) {
    s->from.set_data_handle(const_cast<float*>(x));
    s->to.set_data_handle(y);
    s->primitive.execute(s->queue, {{DNNL_ARG_SRC, s->from}, {DNNL_ARG_DST, s->to}});
    s->queue.wait();
  };
}
#endif

#ifdef PEERS_XNNPACK
Run xnnpack(std::size_t rows, std::size_t columns) {
  xnn_operator_t op = nullptr;
  if (xnn_initialize(nullptr) != xnn_status_success ||
      xnn_create_softmax_nc_f32(columns, columns, columns, 0, &op) != xnn_status_success)
    throw std::runtime_error("XNNPACK does not run here");
  return [rows, op = std::shared_ptr<xnn_operator>(op, xnn_delete_operator)](const float* x, float* y) {
    xnn_setup_softmax_nc_f32(op.get(), rows, x, y, nullptr);
    xnn_run_operator(op.get(), nullptr);
  };
}
#endif

#ifdef PEERS_PYTORCH
Run pytorch(std::size_t rows, std::size_t columns) {
  struct State {
    const float* x = nullptr;
    at::Tensor from, to;
  };
  return [=, s = std::make_shared<State>()](const float* x, float* y) {
    const c10::InferenceMode guard;
    if (s->x != x) {  // users have tensors, not pointers
      const std::int64_t shape[] = {static_cast<std::int64_t>(rows), static_cast<std::int64_t>(columns)};
      s->from = at::from_blob(const_cast<float*>(x), shape, at::kFloat);
      s->to = at::from_blob(y, shape, at::kFloat);
      s->x = x;
    }
    at::_softmax_out(s->to, s->from, 1, false);
  };
}
#endif

std::vector<Peer> peers(bool avx512) {
  std::vector<Peer> all;
  all.push_back({"actfun fast", [](std::size_t r, std::size_t c) { return own(r, c, ACTFUN_FAST, 1); }});
  all.push_back({"actfun exact", [](std::size_t r, std::size_t c) { return own(r, c, ACTFUN_EXACT, 1); }});
#ifdef PEERS_ONEDNN
  if (avx512 || dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2) == dnnl::status::success) all.push_back({"oneDNN", onednn});
#endif
#ifdef PEERS_EIGEN
  all.push_back({"Eigen", [avx512](std::size_t rows, std::size_t columns) {
                   return [=](const float* x, float* y) {
                     (avx512 ? eigen_softmax_avx512 : eigen_softmax_avx2)(x, y, rows, columns);
                   };
                 }});
#endif
#ifdef PEERS_PYTORCH
  setenv("ATEN_CPU_CAPABILITY", avx512 ? "avx512" : "avx2", 1);
  at::set_num_threads(1);
  all.push_back({"PyTorch", pytorch});
#endif
#ifdef PEERS_XNNPACK
  if (avx512) all.push_back({"XNNPACK", xnnpack});  // it takes the machine's best instruction set
#endif
  return all;
}

std::vector<float> normal(std::size_t n, float spread) {
  std::mt19937 generator(1);
  std::normal_distribution<float> distribution(0, spread);
  std::vector<float> x(n);
  for (float& value : x) value = distribution(generator);
  return x;
}

/// The worst error in units in the last place of the real result.
double worst_error(const std::vector<float>& x, const std::vector<float>& y, Shape shape) {
  double worst = 0;
  for (std::size_t row = 0; row < shape.rows; ++row) {
    const float *from = &x[row * shape.columns], *to = &y[row * shape.columns];
    const double m = *std::max_element(from, from + shape.columns);
    double sum = 0;
    for (std::size_t j = 0; j < shape.columns; ++j) sum += std::exp(from[j] - m);
    for (std::size_t j = 0; j < shape.columns; ++j) {
      const double want = std::exp(from[j] - m) / sum;
      int exponent = 0;
      std::frexp(want, &exponent);
      worst = std::max(worst, std::abs(to[j] - want) / std::ldexp(1.0, std::max(exponent - 24, -149)));
    }
  }
  return worst;
}

double nanoseconds(double seconds, Shape shape) {
  return seconds * 1e9 / static_cast<double>(shape.rows * shape.columns);
}

void measure(const std::vector<Peer>& all, Shape shape, Json& rows) {
  const std::vector<float> x = normal(shape.rows * shape.columns, 1), wide = normal(x.size(), 30);
  std::vector<float> y(x.size());
  std::vector<std::function<void()>> bodies;
  std::vector<double> errors, wide_errors;
  for (const Peer& peer : all) {
    const Run run = peer.prepare(shape.rows, shape.columns);
    run(wide.data(), y.data());
    wide_errors.push_back(worst_error(wide, y, shape));
    run(x.data(), y.data());
    errors.push_back(worst_error(x, y, shape));
    bodies.push_back([&, run] { run(x.data(), y.data()); });
  }
  const std::vector<double> times = bench::interleaved_medians(bodies, kRounds, 1e-3, bench::Clock::thread);
  for (std::size_t i = 0; i < all.size(); ++i)
    rows.push_back({{"rows", shape.rows},
                    {"columns", shape.columns},
                    {"library", all[i].name},
                    {"ns_per_element", nanoseconds(times[i], shape)},
                    {"worst_ulp", errors[i]},
                    {"worst_ulp_at_spread_30", wide_errors[i]}});
}

/// Along the first axis beside the last one, of arrays with as many elements.
void measure_axes(Json& rows) {
  for (const Shape shape : {Shape{1024, 256}, Shape{128, 4096}}) {
    const std::vector<float> x = normal(shape.rows * shape.columns, 1);
    std::vector<float> y(x.size());
    for (const actfun_tier tier : {ACTFUN_FAST, ACTFUN_EXACT}) {
      const Run first = own(shape.rows, shape.columns, tier, 0), last = own(shape.columns, shape.rows, tier, 1);
      const std::vector<double> times = bench::interleaved_medians(
          {[&] { first(x.data(), y.data()); }, [&] { last(x.data(), y.data()); }}, kRounds, 1e-3, bench::Clock::thread);
      rows.push_back({{"length", shape.rows},
                      {"count", shape.columns},
                      {"library", tier == ACTFUN_FAST ? "actfun fast" : "actfun exact"},
                      {"ns_first_axis", nanoseconds(times[0], shape)},
                      {"ns_last_axis", nanoseconds(times[1], shape)}});
    }
  }
}

void measure_memory(const std::vector<Peer>& all, Json& rows) {
  const std::size_t n = kLarge.rows * kLarge.columns;
  std::vector<float> x(n), y(n);
  const std::vector<float> part = normal(std::size_t{1} << 20, 1);
  for (std::size_t i = 0; i < n; ++i) x[i] = part[i % part.size()];
  std::vector<std::function<void()>> bodies{[&] { bench::stream_copy(x.data(), y.data(), n * sizeof(float)); }};
  std::vector<std::string> names{"copy"};
  for (const Peer& peer : all) {
    bodies.push_back([&, run = peer.prepare(kLarge.rows, kLarge.columns)] { run(x.data(), y.data()); });
    names.push_back(peer.name);
  }
  const std::vector<double> times = bench::interleaved_medians_after([] {}, bodies, 5);
  for (std::size_t i = 0; i < names.size(); ++i)
    rows.push_back({{"rows", kLarge.rows},
                    {"columns", kLarge.columns},
                    {"library", names[i]},
                    {"ns_per_element", nanoseconds(times[i], kLarge)}});
}

std::string cpu() {
  std::ifstream lines("/proc/cpuinfo");
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

void run(const std::string& target, bool memory) {
  if (!supported(find_target(target))) throw std::runtime_error("this machine does not support " + target);
  setenv("ACTFUN_TARGET", target.c_str(), 1);
  const std::vector<Peer> all = peers(target == "AVX3");
  Json json = {{"cpu", cpu()},          {"compiler", "g++ " __VERSION__}, {"target", target},
               {"rows", Json::array()}, {"axes", Json::array()},          {"memory", Json::array()}};
  for (const Shape shape : kShapes) measure(all, shape, json["rows"]);
  measure_axes(json["axes"]);
  if (memory) measure_memory(all, json["memory"]);
  fmt::print("{}\n", json.dump(1));
}

}  // namespace
}  // namespace actfun::compare

int main(int argc, char** argv) {
  // One thread for all. OpenMP reads this before main.
  if (const char* threads = std::getenv("OMP_NUM_THREADS"); !threads || std::strcmp(threads, "1") != 0) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  std::string target = "AVX3";
  bool memory = false;
  CLI::App app{"Softmax beside other libraries': nanoseconds an element on one thread, and the worst error, as JSON"};
  app.add_option("--target", target, "AVX3 (AVX-512) or AVX2")->check(CLI::IsMember({"AVX3", "AVX2"}));
  app.add_flag("--memory", memory, "Also 64 million elements, which takes 512 MiB and half a minute");
  CLI11_PARSE(app, argc, argv);
  try {
    actfun::compare::run(target, memory);
  } catch (const std::exception& error) {
    fmt::print(stderr, "actfun_softmax_peers: {}\n", error.what());
    return 2;
  }
  return 0;
}
