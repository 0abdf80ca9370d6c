// SPDX-License-Identifier: Apache-2.0
// actfun_peers: the library beside others, in one process and by turns, with the worst error of each beside its time.
#include <fmt/core.h>
#include <gnu/libc-version.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "api/registry.h"
#include "bench/compare/peers.h"
#include "bench/measure.h"

namespace actfun::compare {
namespace {

constexpr const char* kFunctions[] = {"relu", "sigmoid",  "silu", "tanh",      "elu",
                                      "exp",  "softplus", "gelu", "gelu_tanh", "mish"};

struct Options {
  std::vector<std::string> functions{std::begin(kFunctions), std::end(kFunctions)};
  std::string target = "AVX3", distribution = "normal";
  std::vector<std::size_t> elements{4096, 262144};
  bool json = false;
};

std::vector<float> inputs(const std::string& distribution, std::size_t n) {
  if (distribution == "uniform") return bench::inputs(n);
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> x(n);
  for (float& value : x) value = normal(generator);
  return x;
}

/// The library's own tiers as if they were peers.
Peer own(const std::string& function, Tier tier, const Target& target) {
  Call call = parse_function(function);
  call.tier = tier;
  return {tier == Tier::fast ? "actfun fast" : "actfun", function, [call, &target](std::size_t n) {
            return [call, &target, n](const float* x, float* y) { call.evaluate(Order::value, x, y, n, target); };
          }};
}

std::vector<Peer> peers(const std::string& target) {
  std::vector<Peer> all;
  const auto add = [&](std::vector<Peer> more) { std::move(more.begin(), more.end(), std::back_inserter(all)); };
  [[maybe_unused]] const auto lacks = [](const char* library) {
    fmt::print(stderr, "{} is not in this build: left out\n", library);
  };
  const bool wide = target == "AVX3";
#ifdef PEERS_ONEDNN
  add(onednn());
#else
  lacks("oneDNN");
#endif
#ifdef PEERS_XNNPACK
  if (wide)
    add(xnnpack());
  else
    fmt::print(stderr, "XNNPACK takes the best instruction set of the machine: left out on {}\n", target);
#else
  lacks("XNNPACK");
#endif
#ifdef PEERS_SLEEF
  add(wide ? sleef_avx512() : sleef_avx2());
#else
  lacks("SLEEF");
#endif
#ifdef PEERS_EIGEN
  add(wide ? eigen_avx512() : eigen_avx2());
#else
  lacks("Eigen");
#endif
  add(wide ? libmvec_avx512() : libmvec_avx2());
  add(libm());
  return all;
}

struct Worst {
  double ulp = 0;
  float x = 0;
};

/// Over 2^20 bit patterns from one end of the floats to the other, finite ones: what is told is the real number, from
/// the doubles of the exact tier.
Worst worst_error(const Peer& peer, const std::vector<float>& x, const std::vector<double>& truth) {
  std::vector<float> y(x.size());
  peer.prepare(x.size())(x.data(), y.data());
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double unit = std::ldexp(1.0, std::max(truth[i] == 0 ? -126 : std::ilogb(truth[i]), -126) - 23);
    const auto right = static_cast<float>(truth[i]);
    double e = 0;
    if (std::isinf(right) || std::isnan(y[i]) || std::isinf(y[i]))
      e = right == y[i] ? 0 : INFINITY;
    else
      e = std::fabs(static_cast<double>(y[i]) - truth[i]) / unit;
    if (e > worst.ulp) worst = {e, x[i]};
  }
  return worst;
}

std::string cpu() {
  std::ifstream lines("/proc/cpuinfo");
  std::string model, family, name;
  for (std::string line; std::getline(lines, line) && !line.empty();) {
    const std::string value = line.substr(std::min(line.size(), line.find(':') + 2));
    if (line.starts_with("cpu family")) family = value;
    if (line.starts_with("model name"))
      name = value;
    else if (line.starts_with("model"))
      model = value;
  }
  return fmt::format("{} (family {}, model {})", name, family, model);
}

void run(const Options& options) {
  const Target& target = find_target(options.target);
  if (!supported(target)) throw std::runtime_error("this machine does not support " + options.target);
  if (options.target == "AVX2")
    for (const char* variable : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) setenv(variable, "AVX2", 1);
  setenv("OMP_NUM_THREADS", "1", 0);
  const std::vector<Peer> others = peers(options.target);

  std::vector<float> patterns;
  for (std::uint64_t bits = 0; bits < 1ull << 32; bits += 4099)
    if (const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits)); std::isfinite(x)) patterns.push_back(x);
  patterns.resize(patterns.size() / 64 * 64);
  const std::vector<double> wide(patterns.begin(), patterns.end());

  nlohmann::ordered_json json = {{"cpu", cpu()},
                                 {"compiler", "g++ " __VERSION__},
                                 {"libc", gnu_get_libc_version()},
                                 {"target", options.target},
                                 {"inputs", options.distribution},
                                 {"rows", nlohmann::json::array()}};
  for (const std::string& function : options.functions) {
    std::vector<Peer> all{own(function, Tier::fast, target), own(function, Tier::exact, target)};
    for (const Peer& peer : others)
      if (peer.function == function) all.push_back(peer);
    std::vector<double> truth(wide.size());
    parse_function(function).apply(Order::value, Format::f64, wide.data(), truth.data(), wide.size(), target);
    std::vector<Worst> errors;
    for (const Peer& peer : all) errors.push_back(worst_error(peer, patterns, truth));
    for (const std::size_t n : options.elements) {
      const std::vector<float> x = inputs(options.distribution, n);
      std::vector<float> y(n);
      std::vector<std::function<void()>> bodies;
      for (const Peer& peer : all) bodies.push_back([&, f = peer.prepare(n)] { f(x.data(), y.data()); });
      const std::vector<double> times = bench::interleaved_medians(bodies);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const double ns = times[i] / static_cast<double>(n) * 1e9;
        json["rows"].push_back({{"function", function},
                                {"library", all[i].library},
                                {"elements", n},
                                {"ns_per_element", ns},
                                {"worst_ulp", std::isfinite(errors[i].ulp) ? nlohmann::json(errors[i].ulp) : nullptr},
                                {"at", static_cast<double>(errors[i].x)}});
        if (!options.json) {
          fmt::print("{:<10} {:<12} {:>8} {:>8.3f} ns  {:>10.3g} ulp at {:.8g}\n", function, all[i].library, n, ns,
                     errors[i].ulp, errors[i].x);
          std::fflush(stdout);
        }
      }
    }
  }
  if (options.json) fmt::print("{}\n", json.dump(1));
}

}  // namespace
}  // namespace actfun::compare

int main(int argc, char** argv) {
  actfun::compare::Options options;
  CLI::App app{"The library beside others: nanoseconds an element on one thread, and the worst error found"};
  app.add_option("FUNCTION", options.functions, "relu, sigmoid, ...; all ten unless given");
  app.add_option("--target", options.target, "AVX3 (AVX-512) or AVX2")->check(CLI::IsMember({"AVX3", "AVX2"}));
  app.add_option("--inputs", options.distribution, "normal: N(0, 1); uniform: [-8, 8)")
      ->check(CLI::IsMember({"normal", "uniform"}));
  app.add_option("--elements", options.elements, "Lengths of arrays, multiples of 64")->delimiter(',');
  app.add_flag("--json", options.json);
  CLI11_PARSE(app, argc, argv);
  try {
    actfun::compare::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "actfun_peers: {}\n", error.what());
    return 2;
  }
  return 0;
}
