// SPDX-License-Identifier: Apache-2.0
// Google Benchmark over the registry: every elementwise function, order, instruction set and size, beside a copy of the
// same size. `actfun bench` reports the same as ratios of interleaved medians; this one is for profilers and scripts.
// For instance: actfun_bench --benchmark_filter='gelu/value/AVX3'
#include <benchmark/benchmark.h>

#include <cstring>

#include "api/registry.h"
#include "bench/measure.h"

namespace {

using namespace actfun;

/// ns and GB/s, counting each element read once and written once.
void report(benchmark::State& state, std::size_t n) {
  const auto elements = static_cast<double>(state.iterations()) * static_cast<double>(n);
  state.counters["ns/element"] =
      benchmark::Counter(elements * 1e-9, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.SetBytesProcessed(static_cast<std::int64_t>(elements) * 2 * static_cast<std::int64_t>(sizeof(float)));
}

void copy(benchmark::State& state) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = bench::inputs(n);
  std::vector<float> y(n);
  for (auto _ : state) {
    std::memcpy(y.data(), x.data(), n * sizeof(float));
    benchmark::ClobberMemory();
  }
  report(state, n);
}

void evaluate(benchmark::State& state, const Call& call, Order order, const Target& target) {
  const auto n = static_cast<std::size_t>(state.range(0));
  const std::vector<float> x = bench::inputs(n);
  std::vector<float> y(n);
  for (auto _ : state) {
    call.evaluate(order, x.data(), y.data(), n, target);
    benchmark::ClobberMemory();
  }
  report(state, n);
}

}  // namespace

int main(int argc, char** argv) {
  const auto sizes = [](benchmark::internal::Benchmark* b) {
    for (const std::size_t n : bench::kSizes) b->Arg(static_cast<std::int64_t>(n));
  };
  sizes(benchmark::RegisterBenchmark("copy", copy));
  for (const Entry& entry : functions()) {
    if (!entry.elementwise()) continue;
    const Call call = parse_function(entry.info->name);
    constexpr const char* kNames[] = {"value", "slope", "curvature"};
    for (const Order order : {Order::value, Order::slope, Order::curvature})
      for (const Target& target : compiled_targets()) {
        if (!supported(target)) continue;
        const std::string name =
            std::string(entry.info->name) + "/" + kNames[static_cast<int>(order)] + "/" + std::string(target.name);
        sizes(benchmark::RegisterBenchmark(name.c_str(), evaluate, call, order, target));
      }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
