// SPDX-License-Identifier: Apache-2.0
#include "api/inverse.h"

#include <algorithm>
#include <limits>

#include "api/expression.h"
#include "api/kinks.h"
#include "api/parts.h"
#include "api/threads.h"
#include "backends/cpu/float_environment.h"
#include "backends/cpu/inverse.h"

namespace actfun {
namespace {

constexpr std::size_t kTile = 1024;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string refusal(const Call& call, std::string_view what, std::string_view condition, std::string_view reason) {
  const std::string begin = call.text() + " has no " + std::string(what) + ": ";
  return begin + (condition.empty() ? std::string(reason) : "that needs " + std::string(condition));
}

}  // namespace

Invertible invertible(const Call& call, const Target& target, const Constants& parameters) {
  return {&kernels(call, target), evaluator(call, Part::value), evaluator(call, Part::slope), parameters.data()};
}

std::string why_no_inverse(const Call& call) {
  const auto& [condition, reason] = call.info().inverse;
  return holds(condition, call) ? "" : refusal(call, "inverse", condition, reason);
}

std::string why_no_backward_from_output(const Call& call) {
  const FromOutput& f = call.info().from_output;
  if (!holds(f.condition, call)) return refusal(call, "backward pass from its output", f.condition, f.reason);
  // Of an output at a kink one cannot tell whether the input was there.
  if (other_slopes(call).empty()) return "";
  return refusal(
      call, "backward pass from its output", "",
      "it does not tell the kinks, where " + std::string(name_of(call.kinks)) + " has derivatives of its own");
}

void invert(const Call& call, Format format, const void* y, void* x, std::size_t n, const Target& target) {
  if (const std::string why = why_no_inverse(call); !why.empty()) throw NotPossible(why);
  const DefaultFloatEnvironment environment;
  const Constants parameters = constants(call);
  const Inverter inverter(invertible(call, target, parameters), -kInfinity, kInfinity);
  in_parts(n, kTile, call.threads, [&](std::size_t first, std::size_t count) {
    double tile[kTile];
    for (std::size_t i = first; i < first + count; i += kTile) {
      const std::size_t m = std::min(kTile, first + count - i), bytes = m * info_of(format).bytes;
      reads(element_at(format, y, i), bytes), writes(element_at(format, x, i), bytes);
      convert(format, element_at(format, y, i), Format::f64, tile, m, target.bit);
      inverter.solve(info_of(format), tile, tile, m);
      convert(Format::f64, tile, format, element_at(format, x, i), m, target.bit);
    }
  });
}

void backward_from_output(const Call& call, Format format, const void* y, const void* g, void* dx, std::size_t n,
                          const Target& target) {
  if (const std::string why = why_no_backward_from_output(call); !why.empty()) throw NotPossible(why);
  call.multiply(Part::slope_from_output, format, y, g, dx, n, target);
}

}  // namespace actfun
