// SPDX-License-Identifier: Apache-2.0
// What gradients with respect to parameters cost beside the backward pass on the same numbers, in cache, on one thread:
// `actfun_gradients`. Exits with 1 where one costs more than the limit given.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "api/registry.h"
#include "bench/measure.h"

int main(int count, char** arguments) {
  using namespace actfun;
  constexpr Channels kShapes[] = {{1, 1, 65536}, {16, 64, 64},  {64, 256, 4},
                                  {256, 256, 1}, {64, 1024, 1}, {1024, 1024, 1}};
  const double limit = count > 1 ? std::strtod(arguments[1], nullptr) : 1e9;
  const Target& target = current_target();
  fmt::print(
      "# Gradients with respect to parameters\n\nWritten by `actfun_gradients` (bench/gradients.cc), instruction set "
      "{}: for each shape [outer, channels, inner] of floats how many\ntimes longer the sums of a parameter's gradient "
      "take than the backward pass. The first column is that of the backward\npass on {} elements, ns an element. "
      "Medians of runs that take turns, processor time.\n\n| function | backward | parameter |",
      target.name, kShapes[0].size());
  for (const Channels& shape : kShapes) fmt::print(" {} x {} x {} |", shape.outer, shape.channels, shape.inner);
  fmt::print("\n|---|--:|---|");
  for (std::size_t i = 0; i < std::size(kShapes); ++i) fmt::print("--:|");
  fmt::print("\n");

  std::size_t largest = 0;
  for (const Channels& shape : kShapes) largest = std::max(largest, shape.size());
  const std::vector<float> x = bench::inputs(largest), g(x.rbegin(), x.rend());
  std::vector<float> dx(largest);
  std::vector<double> sums(largest);
  double worst = 0;
  for (const char* name : {"prelu", "swish", "elu", "softplus", "snake", "isru", "star_relu"}) {
    const Call call = parse_function(name);
    for (std::size_t k = 0; k < call.info().parameters.size(); ++k) {
      double* gradients[kMaxParameters] = {};
      gradients[k] = sums.data();
      double first = 0;
      std::vector<double> ratios;
      for (const Channels& shape : kShapes) {
        const std::vector<double> times = bench::interleaved_medians(
            {[&] { call.multiply(Part::slope, Format::f32, x.data(), g.data(), dx.data(), shape.size(), target); },
             [&] { call.parameter_gradients(Format::f32, shape, x.data(), g.data(), gradients, target); }},
            15, 1e-3, bench::Clock::thread);
        if (ratios.empty()) first = times[0] / static_cast<double>(shape.size()) * 1e9;
        ratios.push_back(times[1] / times[0]);
        worst = std::max(worst, ratios.back());
      }
      fmt::print("| {} | {:.3f} | {} |", name, first, call.info().parameters[k].name);
      for (const double ratio : ratios) fmt::print(" {:.2f} |", ratio);
      fmt::print("\n");
      std::fflush(stdout);
    }
  }
  return worst > limit;
}
