// SPDX-License-Identifier: Apache-2.0
// What goes wrong in the common ways to write a function: tool/formulas.cc against the true values.
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "api/registry.h"
#include "bench/ulp.h"
#include "tool/formulas.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

using Json = nlohmann::ordered_json;

/// Every so manieth bit pattern is an input: some 250 a binade, and all binades.
constexpr std::uint32_t kStride = 32771;
constexpr double kLeastNormal = 0x1p-126;

struct Worst {
  double size = 0;
  float x = 0, result = 0;
  void take(double s, float at, float y) {
    if (s > size) *this = {s, at, y};
  }
};

/// The inputs of one sign for which something happens, from first to last.
struct Extent {
  float from = std::numeric_limits<float>::infinity(), to = -std::numeric_limits<float>::infinity();
  void take(float x) { from = std::min(from, x), to = std::max(to, x); }
  bool any() const { return from <= to; }
};
struct Extents {
  Extent negative, positive;
  void take(float x) { (std::signbit(x) ? negative : positive).take(x); }
};

struct Finding {
  std::size_t inputs = 0, wrong = 0;  ///< of 2^-8 <= |x| < 16
  Worst ulp, relative;
  Extents vanish;      ///< 0 where the true value is a normal number
  Extents overflow;    ///< infinite or NaN where it is finite
  float limits[2][2];  ///< at -inf, at +inf: result, truth
};

struct Truth {
  std::vector<float> x, rounded;
  std::vector<double> value;  ///< of those whose rounded value is neither 0 nor infinite
};

/// The true values at all inputs: doubles, which are good to 2^-29 ULP.
Truth truth_of(const Call& call, Order order) {
  Truth truth;
  for (std::uint64_t bits = 0; bits <= 0xffffffff; bits += kStride) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isfinite(x)) truth.x.push_back(x);
  }
  // Random patterns seldom lie where people look.
  for (int i = -16 * 64; i <= 16 * 64; ++i) truth.x.push_back(static_cast<float>(i) / 64);
  truth.rounded.resize(truth.x.size());
  call.evaluate(order, truth.x.data(), truth.rounded.data(), truth.x.size());
  std::vector<double> usual;
  for (std::size_t i = 0; i < truth.x.size(); ++i)
    if (truth.rounded[i] != 0 && std::isfinite(truth.rounded[i])) usual.push_back(static_cast<double>(truth.x[i]));
  std::vector<double> value(usual.size());
  call.apply(order, Format::f64, usual.data(), value.data(), usual.size(), current_target());
  truth.value.resize(truth.x.size());
  for (std::size_t i = 0, k = 0; i < truth.x.size(); ++i) {
    const bool is_usual = truth.rounded[i] != 0 && std::isfinite(truth.rounded[i]);
    truth.value[i] = is_usual ? value[k++] : static_cast<double>(truth.rounded[i]);
  }
  return truth;
}

Finding measure(const Call& call, const NaiveFormula& formula, const Truth& truth) {
  Finding found{};
  std::vector<float> computed(truth.x.size());
  formula.compute(truth.x.data(), computed.data(), computed.size());
  for (std::size_t i = 0; i < truth.x.size(); ++i) {
    const float x = truth.x[i], y = computed[i], right = truth.rounded[i];
    if (std::fabs(x) >= 0x1p-8F && std::fabs(x) < 16) ++found.inputs, found.wrong += y != right;
    if (y == right || std::isnan(right)) continue;
    if (!std::isfinite(y) || !std::isfinite(right)) {
      found.overflow.take(x);
      continue;
    }
    const double t = truth.value[i], size = std::fabs(t), gap = std::fabs(static_cast<double>(y) - t);
    found.ulp.take(bench::error_in_ulp(y, t), x, y);
    if (size < kLeastNormal) continue;
    found.relative.take(gap / size, x, y);
    if (y == 0) found.vanish.take(x);
  }
  for (const int side : {0, 1}) {
    const float x = side == 0 ? -INFINITY : INFINITY;
    formula.compute(&x, &found.limits[side][0], 1);
    call.evaluate(static_cast<Order>(formula.order), &x, &found.limits[side][1], 1);
  }
  return found;
}

std::string three(double value) { return fmt::format("{:.3g}", value == 0 ? 0.0 : value); }
/// Errors to two digits.
std::string two(double value) {
  return value >= 99.5 && value < 9950 ? fmt::format("{:.0f}", std::round(value / 10) * 10)
                                       : fmt::format("{:.2g}", value);
}

bool same(float a, float b) { return a == b || (std::isnan(a) && std::isnan(b)); }
/// A limit that is off by an ULP or two is no event.
bool close(float a, float b) { return same(a, b) || std::fabs(a - b) <= 1e-6F * std::fabs(b); }

Json json_of(const Extents& extents) {
  Json json = Json::array();
  for (const Extent* extent : {&extents.negative, &extents.positive})
    if (extent->any()) json.push_back({three(extent->from), three(extent->to)});
  return json;
}
std::string percent(const Finding& found) {
  return two(100 * static_cast<double>(found.wrong) / static_cast<double>(std::max<std::size_t>(found.inputs, 1)));
}

Json json_of(const NaiveFormula& formula, const Finding& found) {
  Json json = {{"order", formula.order},
               {"formula", formula.text},
               {"users", formula.users},
               {"wrong_percent", percent(found)},
               {"ulp", {{"error", two(found.ulp.size)}, {"x", three(found.ulp.x)}}},
               {"relative", {{"error", two(found.relative.size)}, {"x", three(found.relative.x)}}},
               {"vanishes", json_of(found.vanish)},
               {"overflows", json_of(found.overflow)},
               {"limits", Json::object()}};
  for (const int side : {0, 1})
    if (const auto& [got, right] = found.limits[side]; !close(got, right))
      json["limits"][side == 0 ? "-inf" : "+inf"] = {decimal(got), decimal(right)};
  return json;
}

void print(const NaiveFormula& formula, const Finding& found) {
  const auto extents = [](std::string_view label, const Extents& list) {
    for (const Extent* extent : {&list.negative, &list.positive})
      if (extent->any()) fmt::print("  {:<15} x from {} to {}\n", label, three(extent->from), three(extent->to));
  };
  fmt::print("{} = {}\n", order_name(formula.order), formula.text);
  if (!formula.users.empty()) fmt::print("  {:<15} {}\n", "written by", formula.users);
  fmt::print("  {:<15} {} % of 2^-8 <= |x| < 16\n", "misrounded", percent(found));
  fmt::print("  {:<15} {} ULP at x = {}\n", "worst error", two(found.ulp.size), three(found.ulp.x));
  fmt::print("  {:<15} {} at x = {}\n", "relative", two(found.relative.size), three(found.relative.x));
  extents("0 in place", found.vanish);
  extents("inf or nan", found.overflow);
  for (const int side : {0, 1})
    if (const auto& [got, right] = found.limits[side]; !close(got, right))
      fmt::print("  {:<15} {}, the limit is {}\n", side == 0 ? "at -inf" : "at +inf", decimal(got), decimal(right));
}

void naive(const std::string& text, bool as_json) {
  const Call call = parse_function(text);
  if (!call.entry->elementwise()) fail("{} works on rows: there is nothing to measure", call.text());
  if (!call.preset()) fail("{}: the formulas are about default parameters", call.text());
  Json json = {{"function", call.text()}, {"formulas", Json::array()}};
  Truth truth[2];
  bool any = false;
  for (const NaiveFormula& formula : naive_formulas()) {
    if (formula.function != call.info().name) continue;
    Truth& known = truth[formula.order];
    if (known.x.empty()) known = truth_of(call, static_cast<Order>(formula.order));
    const Finding found = measure(call, formula, known);
    if (as_json)
      json["formulas"].push_back(json_of(formula, found));
    else
      fmt::print("{}", any ? "\n" : ""), print(formula, found);
    any = true;
  }
  if (as_json)
    fmt::print("{}\n", json.dump(1));
  else if (!any)
    fmt::print("{} has no other way to be written that goes wrong\n", call.text());
}

}  // namespace

void add_naive(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("naive", "What goes wrong in the common ways to write a function");
  auto function = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  verb->add_option("FUNCTION", *function, "NAME")->required();
  verb->add_flag("--json", *json, "As a JSON object");
  verb->footer(
      "Floats, every operation rounded correctly, exp and tanh too, on inputs of all exponents.\n"
      "Examples:\n  actfun naive gelu\n  actfun naive softplus --json");
  verb->callback([function, json] { naive(*function, *json); });
}

}  // namespace actfun::tool
