// SPDX-License-Identifier: Apache-2.0
#include "tool/against.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "bench/measure.h"
#include "bench/ulp.h"
#include "tool/formulas.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

using Json = nlohmann::ordered_json;

struct Way {
  std::string text;
  std::function<void(const float* x, float* y, std::size_t n)> compute;
  bench::Worst error;
};

bool is_about(const NaiveFormula& formula, const Call& call, int order) {
  return formula.function == call.info().name && formula.order == order;
}

/// The tiers, then the formulas; none if there are no formulas.
std::vector<Way> ways(const Call& call, int order, const Target& target) {
  std::vector<Way> all;
  for (const Tier tier : {Tier::exact, Tier::fast}) {
    Call ours = call;
    ours.tier = tier;
    if (tier == Tier::exact || ours.has_fast_kernel(static_cast<Order>(order), target))
      all.push_back({tier == Tier::exact ? "actfun" : "actfun, fast tier",
                     [ours, order, &target](const float* x, float* y, std::size_t n) {
                       ours.evaluate(static_cast<Order>(order), x, y, n, target);
                     },
                     {}});
  }
  const std::size_t tiers = all.size();
  for (const NaiveFormula& formula : libm_formulas())
    if (is_about(formula, call, order)) all.push_back({std::string(formula.text), formula.compute, {}});
  if (all.size() == tiers) return {};
  const bench::Truth truth = bench::truth_of(call, part_of(static_cast<Order>(order)), target);
  std::vector<float> y(truth.x.size());
  for (Way& way : all) {
    way.compute(truth.x.data(), y.data(), y.size());
    way.error = bench::worst_error(y.data(), truth);
  }
  return all;
}

}  // namespace

void bench_against_libm(std::vector<Call> calls, int order, const Target& target,
                        const std::vector<std::size_t>& elements, bool as_json) {
  const bool asked = !calls.empty();
  if (!asked)
    for (const Entry& entry : functions())
      if (entry.elementwise()) calls.push_back(parse_function(entry.info->name));
  const auto formulas = libm_formulas();
  std::erase_if(calls, [&](const Call& call) {
    if (asked && !call.entry->elementwise()) fail("{} works on rows: there is no formula to compare with", call.text());
    if (asked && !call.preset()) fail("{}: the formulas are about default parameters", call.text());
    const bool none = std::none_of(formulas.begin(), formulas.end(),
                                   [&](const NaiveFormula& formula) { return is_about(formula, call, order); });
    if (asked && none) fail("{}: no formula of order {} to compare with", call.text(), order);
    return none;
  });

  const std::size_t largest = *std::max_element(elements.begin(), elements.end());
  const std::vector<float> x = bench::inputs(largest);
  std::vector<float> y(largest);
  Json json = Json::array();
  if (!as_json) {
    fmt::print(
        "order {}, f32, {}, 1 thread; medians of runs that take turns; formulas in floats with the C library's "
        "functions;\nworst error over 2^20 finite inputs of all sizes\n",
        order, target.name);
    fmt::print("{:<12} {:>9}  {:>9} {:>7}  {:>9} {:>13}  {}\n", "function", "elements", "ns", "ratio", "worst ULP",
               "at x =", "by");
  }
  for (const Call& call : calls) {
    const std::vector<Way> all = ways(call, order, target);
    for (const std::size_t n : elements) {
      std::vector<std::function<void()>> bodies;
      for (const Way& way : all) bodies.push_back([&] { way.compute(x.data(), y.data(), n); });
      const std::vector<double> times = bench::interleaved_medians(bodies, n > 1 << 20 ? 5 : 15);
      for (std::size_t i = 0; i < all.size(); ++i) {
        const double ns = times[i] / static_cast<double>(n) * 1e9, ratio = times[i] / times[0];
        const auto& [text, compute, error] = all[i];
        if (as_json) {
          json.push_back({{"function", call.text()},
                          {"order", order},
                          {"target", target.name},
                          {"elements", n},
                          {"by", text},
                          {"ns_per_element", ns},
                          {"ratio", ratio},
                          {"worst_ulp", std::isfinite(error.ulp) ? Json(error.ulp) : Json()},
                          {"at", static_cast<double>(error.x)}});
        } else {
          fmt::print("{:<12} {:>9}  {:>9.4f} {:>7.2f}  {:>9.3g} {:>13.6g}  {}\n", call.text(), n, ns, ratio, error.ulp,
                     error.x, text);
          std::fflush(stdout);
        }
      }
    }
  }
  if (as_json) fmt::print("{}\n", json.dump(1));
}

}  // namespace actfun::tool
