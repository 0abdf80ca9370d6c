// SPDX-License-Identifier: Apache-2.0
// Compares results in a file with the oracle, at random places: scripts/demo.sh does it. Needs MPFR; not installed.
#include <fmt/core.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>

#include "core/exact/oracle.h"
#include "tool/npy.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::string function, input, output;
  int order = 0;
  std::size_t count = 1000;
  std::uint64_t seed = 1;
};

bool same(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

void compare(const Options& options) {
  const Call call = parse_function(options.function);
  if (!call.entry->elementwise()) fail("{} works on rows: the oracle knows elementwise functions", call.text());
  const NpyReader in(options.input), out(options.output);
  if (in.header().shape != out.header().shape || in.header().fortran_order != out.header().fortran_order)
    fail("{} and {} differ in shape or order", options.input, options.output);
  const std::uint64_t n = in.header().elements();
  if (n == 0) fail("{} holds no elements", options.input);

  const exact::Oracle oracle(call);
  std::mt19937_64 generator(options.seed);
  std::size_t misrounded = 0;
  std::string first;
  for (std::size_t i = 0; i < options.count; ++i) {
    const std::uint64_t place = generator() % n;
    float x, y;
    in.read(&x, place, 1);
    out.read(&y, place, 1);
    const float right = oracle.round(x, static_cast<Order>(options.order));
    if (same(y, right) || misrounded++ > 0) continue;
    first = fmt::format("element {}: x = {}, there {}, right {}", place, hexadecimal(x), hexadecimal(y),
                        hexadecimal(right));
  }
  fmt::print("{}, {}: {} random results of {} compared with the oracle, {} misrounded\n", call.text(),
             order_name(options.order), options.count, n, misrounded);
  if (misrounded > 0) throw CheckFailed(first);
}

}  // namespace
}  // namespace actfun::tool

int main(int argc, char** argv) {
  actfun::tool::Options options;
  CLI::App app("Compares the results in OUT.npy with the oracle at random places.", "actfun_compare");
  app.add_option("FUNCTION", options.function)->required();
  app.add_option("IN.npy", options.input)->required();
  app.add_option("OUT.npy", options.output)->required();
  app.add_option("--order", options.order)->check(CLI::Range(0, 2));
  app.add_option("--count", options.count)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seed", options.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    compare(options);
    return 0;
  } catch (const actfun::tool::CheckFailed& error) {
    fmt::print(stderr, "actfun_compare: {}\n", error.what());
    return 1;
  } catch (const std::exception& error) {
    fmt::print(stderr, "actfun_compare: {}\n", error.what());
    return 2;
  }
}
