// SPDX-License-Identifier: Apache-2.0
// What a call costs beside its arithmetic, and when a second thread pays: `actfun_calls`, on a quiet
// machine. Through the C interface, as its users call it.
#include <fmt/core.h>
#include <time.h>

#include <actfun/actfun.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "bench/measure.h"

namespace {

using actfun::bench::inputs;

/// Of this thread alone: others that the machine runs meanwhile do not count.
double processor_time() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// The least time of a call, in ns.
double least(const std::function<void(std::size_t)>& repeat, std::size_t n) {
  const std::size_t times = 2000000 / (n + 100) + 1;
  double best = 1;
  for (int round = 0; round < 40; ++round) {
    const double start = processor_time();
    repeat(times);
    best = std::min(best, (processor_time() - start) / static_cast<double>(times));
  }
  return best * 1e9;
}

/// Floats in a vector of the instruction set in use.
std::size_t floats_in_vector() {
  const std::string target = actfun_target();
  return target == "AVX3" ? 16 : target == "AVX2" ? 8 : target == "SCALAR" ? 1 : 4;
}

void overheads() {
  constexpr std::size_t kSizes[] = {1, 16, 64, 256}, kLong = 4096;
  fmt::print(
      "## Few elements\n\nns of a call of `actfun_value` on n floats: the call, its arithmetic, and the difference. "
      "The arithmetic of an element is\n1/{} of a call on {} floats, which stay in L1; that of n floats is n times as "
      "much, but at least a vector's, {} floats.\n\n",
      kLong, kLong, floats_in_vector());
  fmt::print("| function | tier | an element |");
  for (const std::size_t n : kSizes) fmt::print(" n = {} |", n);
  fmt::print("\n|---|---|--:|");
  for (std::size_t i = 0; i < std::size(kSizes); ++i) fmt::print("--:|");
  fmt::print("\n");
  const std::vector<float> x = inputs(kLong);
  std::vector<float> y(kLong);
  double most = 0;
  for (const char* text :
       {"relu", "leaky_relu", "sigmoid", "tanh", "silu", "gelu", "elu", "elu:alpha=0.5", "softplus", "mish"})
    for (const auto tier : {actfun::Tier::exact, actfun::Tier::fast}) {
      const actfun::Function f(text, actfun::Kinks::actfun, tier);
      const actfun_function handle = f.handle();
      const auto time = [&](std::size_t n) {
        return least(
            [&](std::size_t times) {
              for (std::size_t i = 0; i < times; ++i) actfun_value(&handle, x.data(), y.data(), n);
            },
            n);
      };
      const double each = time(kLong) / kLong;
      fmt::print("| {} | {} | {:.3f} |", text, tier == actfun::Tier::exact ? "exact" : "fast", each);
      for (const std::size_t n : kSizes) {
        const double call = time(n), arithmetic = static_cast<double>(std::max(n, floats_in_vector())) * each;
        most = std::max(most, call - arithmetic);
        fmt::print(" {:.1f} - {:.1f} = {:.1f} |", call, arithmetic, call - arithmetic);
      }
      fmt::print("\n");
      std::fflush(stdout);
    }
  fmt::print("\nThe largest difference: {:.1f} ns.\n", most);
}

void threads() {
  const unsigned all = actfun_threads();
  fmt::print(
      "\n## Many elements\n\nThe time of a call on one thread, in µs, and how many times quicker it is on {} by "
      "default, "
      "where the library decides\nhow many work: medians of calls that take turns, one behind the other, so that the "
      "team "
      "is awake.\n\n| function | tier |",
      all);
  constexpr std::size_t kSizes[] = {16384, 65536, 262144, 1048576, 16777216};
  for (const std::size_t n : kSizes) fmt::print(" {} |", n);
  fmt::print("\n|---|---|");
  for (std::size_t i = 0; i < std::size(kSizes); ++i) fmt::print("--:|");
  fmt::print("\n");
  const std::vector<float> x = inputs(kSizes[4]);
  std::vector<float> y(x.size());
  for (const char* text : {"relu", "sigmoid", "gelu"})
    for (const auto tier : {actfun::Tier::exact, actfun::Tier::fast}) {
      fmt::print("| {} | {} |", text, tier == actfun::Tier::exact ? "exact" : "fast");
      for (const std::size_t n : kSizes) {
        const actfun::Function one(text, actfun::Kinks::actfun, tier, 1), many(text, actfun::Kinks::actfun, tier);
        const std::span<const float> from(x.data(), n);
        const std::span<float> to(y.data(), n);
        const auto times = actfun::bench::interleaved_medians({[&] { one(from, to); }, [&] { many(from, to); }}, 25);
        fmt::print(" {:.1f} ({:.2f}) |", times[0] * 1e6, times[0] / times[1]);
      }
      fmt::print("\n");
    }
}

std::string processor() {
  std::ifstream info("/proc/cpuinfo");
  std::string found, key, value;
  for (std::string line; std::getline(info, line);)
    for (const char* name : {"model name", "cpu family", "model\t"})
      if (line.starts_with(name) && found.size() < 80 && found.find(name) == found.npos)
        found +=
            (found.empty() ? "" : ", ") + line.substr(0, line.find_first_of("\t:")) + line.substr(line.find(':') + 1);
  return found;
}

}  // namespace

/// With an argument, few elements only.
int main(int count, char** /*arguments*/) {
  fmt::print(
      "# What a call costs\n\nWritten by `actfun_calls` (bench/calls.cc) on {} processors of this kind: {}; "
      "instruction set {}.\n\n",
      std::thread::hardware_concurrency(), processor(), actfun_target());
  overheads();
  if (count == 1) threads();
}
