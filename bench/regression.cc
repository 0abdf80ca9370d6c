// SPDX-License-Identifier: Apache-2.0
// actfun_regression: whether one build of the library is slower than another. Both are loaded into this process and
// take turns through the C interface, on the same arrays. scripts/regression.sh builds the one to compare with.
#include <dlfcn.h>
#include <fmt/core.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "actfun/actfun.h"
#include "bench/measure.h"

namespace actfun {
namespace {

struct Options {
  std::string before, after;
  std::vector<std::string> functions;
  std::vector<std::size_t> elements{4096, 262144};
  double threshold = 10;  ///< percent
};

/// A build, as far as it is compared.
struct Library {
  explicit Library(const std::string& path)
      : handle(
            dlopen(path.find('/') == std::string::npos ? ("./" + path).c_str() : path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (!handle) throw std::runtime_error(fmt::format("no shared library: {}", dlerror()));
    take(find, "actfun_find", path);
    take(apply, "actfun_apply", path);
    take(backward, "actfun_backward", path);
    take(count, "actfun_count", path);
    take(name, "actfun_name", path);
    take(softmax, "actfun_softmax", path);
  }
  template <class Function>
  void take(Function*& function, const char* symbol, const std::string& path) {
    function = reinterpret_cast<Function*>(dlsym(handle, symbol));
    if (!function) throw std::runtime_error(fmt::format("{} is no build of the library: it has no {}", path, symbol));
  }

  void* handle;
  decltype(actfun_find)* find;
  decltype(actfun_apply)* apply;
  decltype(actfun_backward)* backward;
  decltype(actfun_count)* count;
  decltype(actfun_name)* name;
  decltype(actfun_softmax)* softmax;
};

struct Arrays {
  std::vector<float> x, g, y;
};

/// A function as one library knows it. Another build's record may be larger than this one's.
class Function {
 public:
  Function(const Library& library, const std::string& name) : library_(&library) {
    char message[512];
    if (library.find(name.c_str(), &record(), message, sizeof message) != ACTFUN_OK) throw std::runtime_error(message);
  }
  void set_tier(actfun_tier tier) { record().tier = static_cast<std::uint8_t>(tier); }
  bool value(Arrays& a, std::size_t n) {
    return library_->apply(&record(), ACTFUN_VALUE, ACTFUN_F32, a.x.data(), a.y.data(), n) == ACTFUN_OK;
  }
  bool slope(Arrays& a, std::size_t n) {
    return library_->apply(&record(), ACTFUN_SLOPE, ACTFUN_F32, a.x.data(), a.y.data(), n) == ACTFUN_OK;
  }
  bool backward(Arrays& a, std::size_t n) {
    return library_->backward(&record(), ACTFUN_F32, a.x.data(), a.g.data(), a.y.data(), n) == ACTFUN_OK;
  }

 private:
  actfun_function& record() { return *reinterpret_cast<actfun_function*>(memory_); }
  const Library* library_;
  alignas(64) unsigned char memory_[1024] = {};
};

struct Case {
  std::string text;
  std::size_t elements;
  std::function<bool()> before, after;
};

/// After to before; and the times in nanoseconds an element.
struct Times {
  double before, after;
  double ratio() const { return after / before; }
};
Times measure(const Case& c, std::size_t rounds) {
  const auto medians =
      bench::interleaved_medians({[&] { c.before(); }, [&] { c.after(); }}, rounds, 5e-4, bench::Clock::thread);
  const double unit = 1e9 / static_cast<double>(c.elements);
  return {medians[0] * unit, medians[1] * unit};
}

bool is_axis(const std::string& name) { return name == "softmax" || name == "log_softmax" || name == "maxout"; }

std::vector<Case> cases(const Options& options, const Library& before, const Library& after, Arrays& arrays) {
  std::vector<std::string> names = options.functions;
  if (names.empty())
    for (std::size_t i = 0; i < after.count(); ++i) names.emplace_back(after.name(static_cast<std::int32_t>(i)));
  std::vector<Case> all;
  for (const std::string& name : names) {
    Function now(after, name);
    if (is_axis(name)) {
      if (name != "softmax") continue;
      const auto rows = [&arrays](const Library& library, std::size_t n) {
        return [&arrays, &library, n] {
          return library.softmax(arrays.x.data(), arrays.y.data(), n / 1024, 1024, 1) == ACTFUN_OK;
        };
      };
      for (const std::size_t n : options.elements)
        if (n % 1024 == 0) all.push_back({"softmax", n, rows(before, n), rows(after, n)});
      continue;
    }
    try {
      Function(before, name);
    } catch (const std::exception&) {
      fmt::print(stderr, "{}: not in {}: left out\n", name, options.before);
      continue;
    }
    Function then(before, name);
    using Call = bool (Function::*)(Arrays&, std::size_t);
    constexpr struct {
      const char* text;
      Call call;
    } kCalls[] = {{"value", &Function::value}, {"slope", &Function::slope}, {"backward", &Function::backward}};
    for (const actfun_tier tier : {ACTFUN_EXACT, ACTFUN_FAST}) {
      then.set_tier(tier), now.set_tier(tier);
      for (const auto& [text, call] : kCalls)
        for (const std::size_t n : options.elements)
          all.push_back({fmt::format("{} {}{}", name, text, tier == ACTFUN_FAST ? ", fast" : ""), n,
                         [=, &arrays]() mutable { return (then.*call)(arrays, n); },
                         [=, &arrays]() mutable { return (now.*call)(arrays, n); }});
    }
  }
  return all;
}

/// Whether nothing is slower.
bool run(const Options& options) {
  const Library before(options.before), after(options.after);
  const std::size_t largest = *std::max_element(options.elements.begin(), options.elements.end());
  Arrays arrays{bench::inputs(largest), bench::inputs(largest), std::vector<float>(largest)};
  std::reverse(arrays.g.begin(), arrays.g.end());
  const double limit = 1 + options.threshold / 100;
  std::size_t compared = 0, slower = 0;
  double logs = 0;
  fmt::print("{:<32} {:>9}  {:>10} {:>10}  {:>6}\n", "", "elements", "before, ns", "after, ns", "ratio");
  for (const Case& c : cases(options, before, after, arrays)) {
    if (!c.before() || !c.after()) {
      fmt::print(stderr, "{}: one of the builds cannot: left out\n", c.text);
      continue;
    }
    Times times = measure(c, 9);
    // A slow moment of the machine hardly comes back twice.
    for (int again = 0; again < 2 && times.ratio() > limit; ++again)
      if (const Times second = measure(c, 31); second.ratio() < times.ratio()) times = second;
    const bool is_slower = times.ratio() > limit;
    ++compared, slower += is_slower, logs += std::log(times.ratio());
    fmt::print("{:<32} {:>9}  {:>10.4f} {:>10.4f}  {:>6.3f}{}\n", c.text, c.elements, times.before, times.after,
               times.ratio(), is_slower ? "  slower" : "");
    std::fflush(stdout);
  }
  if (compared == 0) throw std::runtime_error("nothing to compare");
  fmt::print("{} compared, {} slower by more than {} %; geometric mean of the ratios {:.3f}\n", compared, slower,
             options.threshold, std::exp(logs / static_cast<double>(compared)));
  return slower == 0;
}

}  // namespace
}  // namespace actfun

int main(int argc, char** argv) {
  // One thread: what others do for the library would not be counted. OpenMP reads this before main.
  if (const char* threads = std::getenv("OMP_NUM_THREADS"); !threads || std::strcmp(threads, "1") != 0) {
    setenv("OMP_NUM_THREADS", "1", 1);
    execv("/proc/self/exe", argv);
  }
  actfun::Options options;
  CLI::App app{
      "Whether one build of the library is slower than another: both in one process, by turns; ratios of medians.\n"
      "Exit status: 0 nothing is slower, 1 something is, 2 it could not be found out."};
  app.add_option("BEFORE", options.before, "libactfun.so to compare with")->required()->check(CLI::ExistingFile);
  app.add_option("AFTER", options.after, "libactfun.so that must not be slower")->required()->check(CLI::ExistingFile);
  app.add_option("FUNCTION", options.functions, "All functions unless given");
  app.add_option("--threshold", options.threshold, "What is called slower, in percent: 10 unless given")
      ->check(CLI::Range(0.1, 1000.0));
  app.add_option("--elements", options.elements, "Lengths of arrays; 4096,262144 unless given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 1 << 28));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    return actfun::run(options) ? 0 : 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "actfun_regression: {}\n", error.what());
    return 2;
  }
}
