// SPDX-License-Identifier: Apache-2.0
#include "bench/measure.h"

#include <fmt/core.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/threads.h"
#include "bench/memory.h"
#include "tool/against.h"
#include "tool/call.h"
#include "tool/rows.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::vector<std::string> functions;
  int order = 0;
  unsigned threads = 1;
  std::string tier, target, dtype = "f32";
  std::vector<std::size_t> elements{std::begin(bench::kSizes), std::end(bench::kSizes)};
  bool backward = false, in_place = false, json = false;
  std::string against;
};

/// Axis functions are timed on rows of this length.
constexpr std::size_t kRow = 1024;

/// The last two: of a copy past the caches, or, in place, of a multiplication in place.
struct Result {
  std::size_t elements;
  double ns, copy_ns, limit_ns;
};

/// `g` is for backward passes.
Result measure(Call call, const Options& options, Format format, const Target& target, const unsigned char* x,
               const unsigned char* g, unsigned char* y, std::size_t n) {
  const std::size_t bytes = info_of(format).bytes;
  call.threads = options.threads;
  const unsigned char* input = options.in_place ? y : x;
  const auto body = [&] {
    if (!call.entry->elementwise())
      evaluate_rows(call, reinterpret_cast<const float*>(input), reinterpret_cast<float*>(y), nullptr,
                    {n / kRow, kRow, 1}, target);
    else if (options.backward)
      call.multiply(Part::slope, format, input, g, y, n, target);
    else
      call.apply(static_cast<Order>(options.order), format, input, y, n, target);
  };
  const auto in_all_parts = [&](const auto& run) {
    in_parts(n, tile_of(Format::f32), options.threads,
             [&](std::size_t first, std::size_t count) { run(first * bytes, count * bytes); });
  };
  const auto copy = [&] {
    in_all_parts([&](std::size_t first, std::size_t count) { std::memcpy(y + first, x + first, count); });
  };
  const auto stream = [&] {
    in_all_parts([&](std::size_t first, std::size_t count) { bench::stream_copy(x + first, y + first, count); });
  };
  const auto scale = [&] {
    in_all_parts([&](std::size_t first, std::size_t count) {
      bench::scale(reinterpret_cast<float*>(y + first), count / sizeof(float), 0.75f);
    });
  };
  const double once = bench::seconds(body, 1);  // what is slow needs no many rounds
  const std::size_t rounds = once > 0.05 ? 3 : n > 1 << 20 ? 7 : 15;
  std::vector<double> times;
  if (options.in_place) {  // on the same inputs each time
    const auto restore = [&] { std::memcpy(y, x, n * bytes); };
    times = bench::interleaved_medians_after(restore, {body, copy, scale}, n > 1 << 20 ? rounds : 201);
  } else {
    times = bench::interleaved_medians({body, copy, stream}, rounds);
  }
  return {n, times[0] / n * 1e9, times[1] / n * 1e9, times[2] / n * 1e9};
}

void bench_all(const Options& options) {
  const Target& target = options.target.empty() ? current_target() : find_target(options.target);
  if (!supported(target)) fail("this machine does not support {}", target.name);
  std::vector<Call> calls;
  for (const std::string& text : options.functions) calls.push_back(parse_function(text));
  if (!options.against.empty()) return bench_against_libm(calls, options.order, target, options.elements, options.json);
  if (calls.empty())
    for (const Entry& entry : functions())
      if (entry.elementwise() || (options.order == 0 && !options.backward))
        calls.push_back(parse_function(entry.info->name));
  for (Call& call : calls) {
    call.tier = find_tier(options.tier);
    if (!call.entry->elementwise() && options.order != 0) fail("{} has order 0 only: it works on rows", call.text());
    if (!call.entry->elementwise() && options.backward) fail("{} works on rows: --backward does not", call.text());
    if (!call.entry->elementwise() && options.dtype != "f32") fail("{} works on f32 only", call.text());
    if (const std::size_t k = group_size(call); k && kRow % k != 0)
      fail("{} is timed on rows of {}: its groups must divide that", call.text(), kRow);
  }

  if (options.in_place && options.dtype != "f32") fail("--in-place is timed in f32, next to a multiplication");
  const std::size_t largest = *std::max_element(options.elements.begin(), options.elements.end());
  const Format format = parse_format(options.dtype);
  const std::size_t bytes = info_of(format).bytes;
  const std::vector<float> numbers = bench::inputs(largest);
  std::vector<unsigned char> x(largest * bytes), y(largest * std::max(bytes, sizeof(float)));
  convert(Format::f32, numbers.data(), format, x.data(), largest, target.bit);
  std::vector<unsigned char> g(options.backward ? x.size() : 0);
  if (options.backward)
    convert(Format::f32, std::vector(numbers.rbegin(), numbers.rend()).data(), format, g.data(), largest, target.bit);
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  if (!options.json) {
    fmt::print(
        "{}, {}, {} tier, {}, {} thread{}; GB/s of input and output together; medians of runs that take turns with the "
        "copy and {}\n",
        options.backward ? "backward" : fmt::format("order {}", options.order), options.dtype, options.tier,
        target.name, options.threads, options.threads == 1 ? "" : "s",
        options.in_place ? "a multiplication in place" : "one past the caches (stream)");
    fmt::print("{:<24} {:>9}  {:>9} {:>8}  {:>9} {:>8}  {:>6}  {:>9} {:>7}\n", "function", "elements", "ns", "GB/s",
               "copy ns", "GB/s", "copies", options.in_place ? "scale ns" : "stream ns",
               options.in_place ? "scales" : "streams");
  }
  for (const Call& call : calls)
    for (const std::size_t n : options.elements) {
      const Result r = measure(call, options, format, target, x.data(), g.data(), y.data(), n);
      const auto rate = [&](double ns, int arrays) { return arrays * static_cast<double>(bytes) / ns; };
      const int arrays = options.backward ? 3 : 2;
      if (options.json) {
        json.push_back({{"function", call.text()},
                        {"order", options.order},
                        {"backward", options.backward},
                        {"dtype", options.dtype},
                        {"tier", options.tier},
                        {"threads", options.threads},
                        {"target", target.name},
                        {"elements", n},
                        {"ns_per_element", r.ns},
                        {"gb_per_s", rate(r.ns, arrays)},
                        {"copy_ns_per_element", r.copy_ns},
                        {"copy_gb_per_s", rate(r.copy_ns, 2)},
                        {"copies", r.ns / r.copy_ns},
                        {"in_place", options.in_place},
                        {options.in_place ? "scale_ns_per_element" : "stream_ns_per_element", r.limit_ns},
                        {options.in_place ? "scales" : "streams", r.ns / r.limit_ns}});
      } else {
        fmt::print("{:<24} {:>9}  {:>9.4f} {:>8.2f}  {:>9.4f} {:>8.2f}  {:>6.2f}  {:>9.4f} {:>7.2f}\n", call.text(), n,
                   r.ns, rate(r.ns, arrays), r.copy_ns, rate(r.copy_ns, 2), r.ns / r.copy_ns, r.limit_ns,
                   r.ns / r.limit_ns);
        std::fflush(stdout);
      }
    }
  if (options.json) fmt::print("{}\n", json.dump(1));
}

}  // namespace

void add_bench(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("bench", "Time an element, next to a copy of the same size");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->functions, "All functions unless given");
  verb->add_option("--order", options->order, "0 value, 1 first, 2 second derivative")->check(CLI::Range(0, 2));
  verb->add_flag("--backward", options->backward, "A gradient's way back, g f'(x)")->excludes("--order");
  verb->add_option("--dtype", options->dtype, "Format of numbers and results")->check(CLI::IsMember(format_names()));
  verb->add_option("--threads", options->threads, "Threads that work on an array at most; 1 unless given")
      ->check(CLI::Range(1, 1024));
  verb->add_option("--elements", options->elements,
                   "Lengths of arrays, multiples of 1024; 4096,262144,67108864 unless given")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1024, 1 << 30) & CLI::Validator(
                                              [](std::string& text) {
                                                double n = 0;
                                                const bool fits = !parse_number(text, n) || std::fmod(n, kRow) == 0;
                                                return fits ? std::string() : text + " is no multiple of 1024";
                                              },
                                              "", ""));
  verb->add_flag("--in-place", options->in_place, "Results take the place of inputs");
  add_tier_option(verb, options->tier);
  CLI::Option* against = verb->add_option("--against", options->against,
                                          "libm: the common formulas in floats with the C library's functions, their "
                                          "worst errors beside the times, and both tiers");
  against->check(CLI::IsMember({"libm"}));
  for (const char* other : {"--backward", "--dtype", "--threads", "--tier", "--in-place"}) against->excludes(other);
  verb->add_option("--target", options->target, "An instruction set of `actfun targets`");
  verb->add_flag("--json", options->json, "As a JSON array");
  verb->footer(
      "Axis functions work on rows of 1024.\n"
      "Examples:\n  actfun bench gelu tanh\n  actfun bench sigmoid --order 1 --target AVX2 --json\n"
      "  actfun bench gelu --dtype f16 --threads 2\n  actfun bench gelu tanh --against libm\n"
      "  actfun bench relu --in-place --elements 67108864");
  verb->callback([options] { bench_all(*options); });
}

}  // namespace actfun::tool
