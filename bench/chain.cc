// SPDX-License-Identifier: Apache-2.0
// Bias, function and residual as a chain, next to the same stages one call after another, and to a copy past the caches
// of as many bytes. One thread; processor time; all take turns. Writes JSON, which scripts/chain.py makes a table of.
#include "api/chain.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "bench/measure.h"
#include "bench/memory.h"

namespace actfun {
namespace {

constexpr std::size_t kChannels = 1024;

struct Arrays {
  explicit Arrays(std::size_t n) : x(n), second(n), y(n), bias(kChannels), sums(kChannels) {
    std::mt19937 generator(1);
    std::normal_distribution<float> normal;
    std::vector<float> some(std::min<std::size_t>(n, 1 << 20));
    for (float& v : some) v = normal(generator);
    for (std::size_t i = 0; i < n; ++i) x[i] = some[i % some.size()], second[i] = some[(i + 12345) % some.size()];
    for (float& v : bias) v = normal(generator);
  }
  actfun_array view(std::vector<float>& of) const {
    const auto channels = static_cast<std::ptrdiff_t>(kChannels);
    return {of.data(), ACTFUN_F32, 2, {of.size() / kChannels, kChannels}, {channels, 1}};
  }
  std::vector<float> x, second, y, bias;
  std::vector<double> sums;
};

template <class Each>
void for_rows(std::size_t n, const Each& each) {
  for (std::size_t row = 0; row < n; row += kChannels)
    for (std::size_t c = 0; c < kChannels; ++c) each(row + c, c);
}

struct Result {
  std::string function, tier, pass;
  std::size_t elements;
  double chain, stages, copy;  // ns an element
};

std::vector<Result> measure(Arrays& a, const std::string& name, Tier tier, std::size_t rounds) {
  const std::size_t n = a.x.size();
  const Target& target = current_target();
  Call call = parse_function(name);
  call.tier = tier;
  Chain chain;
  chain.bias("B");
  chain.then(call);
  chain.add("R");
  chain.tier = tier, chain.threads = 1;
  const actfun_array x = a.view(a.x), second = a.view(a.second), y = a.view(a.y),
                     bias{a.bias.data(), ACTFUN_F32, 1, {kChannels}, {1}},
                     sums{a.sums.data(), ACTFUN_F64, 1, {kChannels}, {1}};
  const std::vector<actfun_array> operands = {bias, second}, gradients = {sums, {}};

  const auto biased = [&] { for_rows(n, [&](std::size_t i, std::size_t c) { a.y[i] = a.x[i] + a.bias[c]; }); };
  const auto copy = [&] {  // three arrays' bytes: half of them read, half written
    bench::stream_copy(a.x.data(), a.y.data(), n * sizeof(float));
    bench::stream_copy(a.second.data(), a.y.data(), n / 2 * sizeof(float));
  };
  const std::vector<double> times = bench::interleaved_medians(
      {[&] { chain.run(x, operands, y, {}, target); },
       [&] {
         biased();
         call.evaluate(Order::value, a.y.data(), a.y.data(), n, target);
         for (std::size_t i = 0; i < n; ++i) a.y[i] += a.second[i];
       },
       [&] { chain.backward(x, operands, second, y, gradients, {}, target); },
       [&] {
         biased();
         call.multiply(Part::slope, Format::f32, a.y.data(), a.second.data(), a.y.data(), n, target);
         std::fill(a.sums.begin(), a.sums.end(), 0.0);
         for_rows(n, [&](std::size_t i, std::size_t c) { a.sums[c] += static_cast<double>(a.y[i]); });
       },
       copy},
      rounds, 1e-3, bench::Clock::thread);
  const auto each = [&](std::size_t i) { return times[i] / static_cast<double>(n) * 1e9; };
  const std::string tier_name = tier == Tier::fast ? "fast" : "exact";
  return {{name, tier_name, "forward", n, each(0), each(1), each(4)},
          {name, tier_name, "backward", n, each(2), each(3), each(4)}};
}

}  // namespace
}  // namespace actfun

int main(int argc, char** argv) {
  using namespace actfun;
  std::vector<std::size_t> elements = {std::size_t{1} << 16, std::size_t{64} << 20};
  std::vector<std::string> functions = {"gelu", "silu", "relu"};
  std::size_t rounds = 5;
  std::string machine = "a machine that nobody described";
  CLI::App app{"Chains next to their stages one after another, and to a copy. Writes JSON."};
  app.add_option("FUNCTION", functions, "gelu, silu and relu unless given");
  app.add_option("--elements", elements, "Multiples of 1024; 65536 and 64 M unless given")->delimiter(',');
  app.add_option("--rounds", rounds, "Medians of so many turns");
  app.add_option("--machine", machine, "What the table is to say of the machine");
  CLI11_PARSE(app, argc, argv);
  std::string rows;
  for (const std::size_t n : elements) {
    Arrays arrays(n / kChannels * kChannels);
    for (const std::string& function : functions)
      for (const Tier tier : {Tier::exact, Tier::fast})
        for (const Result& r : measure(arrays, function, tier, rounds))
          rows += fmt::format(
              "{}    {{\"function\": \"{}\", \"tier\": \"{}\", \"pass\": \"{}\", \"elements\": {}, \"chain\": {:.3f}, "
              "\"stages\": {:.3f}, \"copy\": {:.3f}}}",
              rows.empty() ? "" : ",\n", r.function, r.tier, r.pass, r.elements, r.chain, r.stages, r.copy);
  }
  fmt::print("{{\n  \"machine\": \"{}\",\n  \"target\": \"{}\",\n  \"results\": [\n{}\n  ]\n}}\n", machine,
             current_target().name, rows);
}
