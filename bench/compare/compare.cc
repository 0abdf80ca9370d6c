// SPDX-License-Identifier: Apache-2.0
// actfun_peers: the library beside others, in one process and by turns, with the worst error of each beside its time.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <span>

#include "api/registry.h"
#include "bench/compare/peers.h"
#include "bench/measure.h"
#include "bench/ulp.h"

namespace actfun::compare {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFunctions[] = {"relu", "sigmoid",  "silu", "tanh",      "elu",
                                      "exp",  "softplus", "gelu", "gelu_tanh", "mish"};
constexpr int kRounds = 31;

struct Options {
  std::vector<std::string> functions{std::begin(kFunctions), std::end(kFunctions)};
  std::string target = "AVX3", distribution = "normal";
  std::vector<std::size_t> elements{4096, 262144};
  bool backward = false, json = false;
};

constexpr const char* name_of(Pass pass) {
  return pass == Pass::forward ? "forward" : pass == Pass::from_input ? "from input" : "from output";
}
constexpr Part part_of(Pass pass) {
  return pass == Pass::forward ? Part::value : pass == Pass::from_input ? Part::slope : Part::slope_from_output;
}

std::vector<float> normal(std::size_t n, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> distribution;
  std::vector<float> x(n);
  for (float& value : x) value = distribution(generator);
  return x;
}

/// The library's own tiers as if they were others.
Library own(Tier tier, const Target& target) {
  Library library{tier == Tier::fast ? "actfun fast" : "actfun exact", "", {}};
  for (const char* function : kFunctions)
    for (const Pass pass : {Pass::forward, Pass::from_input, Pass::from_output})
      library.peers.push_back({function, pass, [=, &target](std::size_t n) {
                                 Call call = parse_function(function);
                                 call.tier = tier;
                                 return [=, &target](const float* x, const float* g, float* to) {
                                   if (pass == Pass::forward)
                                     call.evaluate(Order::value, x, to, n, target);
                                   else
                                     call.multiply(part_of(pass), Format::f32, x, g, to, n, target);
                                   return to;
                                 };
                               }});
  return library;
}

Library loops(const Loops& from) {
  Library library{from.name, from.version, {}};
  for (std::size_t i = 0; i < from.count; ++i)
    library.peers.push_back({from.loops[i].function, Pass::forward, [run = from.loops[i].run](std::size_t n) {
                               return [run, n](const float* x, const float*, float* to) {
                                 run(x, to, n);
                                 return to;
                               };
                             }});
  return library;
}

/// All others that there are; says why one is not.
std::vector<Library> others(const std::string& target) {
  std::vector<Library> all;
  [[maybe_unused]] const bool wide = target == "AVX3";
  const auto left_out = [](const char* name, std::string_view reason) {
    fmt::print(stderr, "{}: left out: {}\n", name, reason);
  };
  [[maybe_unused]] const auto add = [&](const char* name, const auto& library) {
    try {
      all.push_back(library());
    } catch (const std::exception& error) {
      left_out(name, error.what());
    }
  };
  [[maybe_unused]] constexpr const char* kMissing = "it was not there when this was built";
#ifdef PEERS_ONEDNN
  add("oneDNN", [&] { return onednn(wide); });
#else
  left_out("oneDNN", kMissing);
#endif
#ifdef PEERS_PYTORCH
  add("PyTorch", [&] { return pytorch(wide); });
#else
  left_out("PyTorch", kMissing);
#endif
#ifdef PEERS_XNNPACK
  if (wide)
    add("XNNPACK", xnnpack);
  else
    left_out("XNNPACK", "it takes the machine's best instruction set, not " + target);
#else
  left_out("XNNPACK", kMissing);
#endif
#ifdef PEERS_EIGEN
  all.push_back(loops(wide ? eigen_avx512() : eigen_avx2()));
#else
  left_out("Eigen", kMissing);
#endif
#ifdef PEERS_SLEEF
  all.push_back(loops(wide ? sleef_avx512() : sleef_avx2()));
#else
  left_out("SLEEF", kMissing);
#endif
#ifdef PEERS_HIGHWAY
  all.push_back(loops(wide ? highway_avx512() : highway_avx2()));
#else
  left_out("Highway", kMissing);
#endif
#ifdef PEERS_LIBMVEC
  all.push_back(loops(wide ? libmvec_avx512() : libmvec_avx2()));
#else
  left_out("libmvec", kMissing);
#endif
  all.push_back(loops(libm()));
  return all;
}

/// From an output, those inputs count that are outputs.
bench::Truth truth_of(const Call& call, Pass pass, const Target& target) {
  float ends[] = {-INFINITY, INFINITY};
  if (pass == Pass::from_output) call.evaluate(Order::value, ends, ends, 2, target);  // these functions increase
  return bench::truth_of(call, part_of(pass), target, ends[0], ends[1]);
}

/// Where the gradient is 1.
bench::Worst worst_error(const Peer& peer, const bench::Truth& truth) {
  const std::size_t n = truth.x.size();
  const std::vector<float> ones(n, 1.0f);
  std::vector<float> memory(n);
  const Run run = peer.prepare(n);
  return bench::worst_error(run(truth.x.data(), ones.data(), memory.data()), truth);
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

struct Found {
  const Library* library;
  const Peer* peer;
  bench::Worst error;
};

void compare(const std::string& function, Pass pass, const Options& options, const std::vector<Library>& libraries,
             const Target& target, Json& rows) {
  const Call call = parse_function(function);
  std::vector<Found> all;
  for (const Library& library : libraries)
    for (const Peer& peer : library.peers)
      if (peer.function == function && peer.pass == pass) all.push_back({&library, &peer, {}});
  if (all.size() <= 2) return;  // nobody else has it
  const bench::Truth truth = truth_of(call, pass, target);
  for (Found& found : all) found.error = worst_error(*found.peer, truth);

  for (const std::size_t n : options.elements) {
    std::vector<float> x = options.distribution == "normal" ? normal(n, 1) : bench::inputs(n);
    const std::vector<float> g = normal(n, 2);
    if (pass == Pass::from_output) call.evaluate(Order::value, x.data(), x.data(), n, target);
    std::vector<float> y(n);
    std::vector<std::function<void()>> bodies;
    for (const Found& found : all)
      bodies.push_back([&, run = found.peer->prepare(n)] { run(x.data(), g.data(), y.data()); });
    const std::vector<double> times = bench::interleaved_medians(bodies, kRounds, 1e-3, bench::Clock::thread);
    for (std::size_t i = 0; i < all.size(); ++i) {
      const auto& [library, peer, error] = all[i];
      const double ns = times[i] / static_cast<double>(n) * 1e9;
      rows.push_back({{"function", function},
                      {"pass", name_of(pass)},
                      {"library", library->name},
                      {"elements", n},
                      {"ns_per_element", ns},
                      {"worst_ulp", std::isfinite(error.ulp) ? Json(error.ulp) : Json()},
                      {"at", static_cast<double>(error.x)}});
      if (options.json) continue;
      fmt::print("{:<10} {:<11} {:<12} {:>8} {:>8.3f} ns  {:>10.3g} ulp at {:.8g}\n", function, name_of(pass),
                 library->name, n, ns, error.ulp, error.x);
      std::fflush(stdout);
    }
  }
}

void run(const Options& options) {
  const Target& target = find_target(options.target);
  if (!supported(target)) throw std::runtime_error("this machine does not support " + options.target);
  for (const std::string& function : options.functions)
    if (std::find(std::begin(kFunctions), std::end(kFunctions), function) == std::end(kFunctions))
      throw std::runtime_error(fmt::format("{} is not compared; these are: {}", function, fmt::join(kFunctions, " ")));
  std::vector<Library> libraries{own(Tier::fast, target), own(Tier::exact, target)};
  std::ranges::move(others(options.target), std::back_inserter(libraries));

  Json versions = Json::object();
  for (const Library& library : libraries)
    if (!library.version.empty()) versions[library.name] = library.version;
  Json json = {{"cpu", cpu()},
               {"compiler", "g++ " __VERSION__},
               {"libraries", versions},
               {"target", options.target},
               {"inputs", options.distribution},
               {"rows", Json::array()}};
  for (const std::string& function : options.functions)
    if (!options.backward)
      compare(function, Pass::forward, options, libraries, target, json["rows"]);
    else
      for (const Pass pass : {Pass::from_input, Pass::from_output})
        compare(function, pass, options, libraries, target, json["rows"]);
  if (options.json) fmt::print("{}\n", json.dump(1));
}

}  // namespace
}  // namespace actfun::compare

int main(int argc, char** argv) {
  // One thread for all. OpenMP reads this before main.
  if (const char* threads = std::getenv("OMP_NUM_THREADS"); !threads || std::strcmp(threads, "1") != 0) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  actfun::compare::Options options;
  CLI::App app{"The library beside others: nanoseconds an element on one thread, and the worst error found"};
  app.add_option("FUNCTION", options.functions, "relu, sigmoid, ...; all ten unless given");
  app.add_option("--target", options.target, "AVX3 (AVX-512) or AVX2")->check(CLI::IsMember({"AVX3", "AVX2"}));
  app.add_option("--inputs", options.distribution, "normal: N(0, 1); uniform: [-8, 8)")
      ->check(CLI::IsMember({"normal", "uniform"}));
  app.add_option("--elements", options.elements, "Lengths of arrays, multiples of 16")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(16, 1 << 28) & CLI::Validator(
                                            [](std::string& text) {
                                              const bool fits = std::strtoul(text.c_str(), nullptr, 10) % 16 == 0;
                                              return fits ? std::string() : text + " is no multiple of 16";
                                            },
                                            "", ""));
  app.add_flag("--backward", options.backward, "A gradient times f', from x and, where others have it, from f(x)");
  app.add_flag("--json", options.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    actfun::compare::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "actfun_peers: {}\n", error.what());
    return 2;
  }
  return 0;
}
