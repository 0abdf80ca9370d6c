// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tool/claims/claim.h"
#include "tool/progress.h"

namespace actfun::tool::claims {
std::vector<Group> Bench::networks(std::string_view label, const std::vector<std::pair<std::string, Settings>>& list,
                                   const Keep& keep) {
  std::vector<Item> items;
  for (const auto& [name, settings] : list)
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Settings s = settings;
      s.seed = seed;
      items.push_back({name, {s.json(data_), [this, s, keep] {
                                Json record = lab::train(s, data_);
                                keep(record);
                                return record;
                              }}});
    }
  return done(label, items);
}

std::vector<Group> Bench::fits(std::string_view label,
                               const std::vector<std::pair<std::string, lab::FitSettings>>& list) {
  std::vector<Item> items;
  for (const auto& [name, settings] : list)
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      lab::FitSettings s = settings;
      s.seed = seed;
      items.push_back({name, {s.json(), [s] { return lab::fit(s); }}});
    }
  return done(label, items);
}

std::vector<Group> Bench::done(std::string_view label, const std::vector<Item>& items) {
  std::vector<lab::Task> tasks;
  for (const auto& [name, task] : items) tasks.push_back(task);
  Progress progress(std::string(label), tasks.size());
  lab::do_runs(file_, tasks, threads_, [&] { progress.add(1); });
  std::vector<Group> groups;
  for (const auto& [name, task] : items) {
    if (groups.empty() || groups.back().label != name) groups.push_back({name, {}});
    groups.back().runs.push_back(file_.find(task.settings));
  }
  return groups;
}

void keep_loss(Json& record) {
  record["train"].erase("accuracy");
  record["test"] = {{"accuracy", {lab::last(record["test"]["accuracy"])}}};
}

std::vector<std::string> layers(std::string_view function, std::size_t depth) {
  return std::vector<std::string>(depth, std::string(function));
}

double lowest(const std::vector<double>& values) { return *std::ranges::min_element(values); }
double highest(const std::vector<double>& values) { return *std::ranges::max_element(values); }
double last_loss(const Json& run) { return lab::last(run.at("train").at("loss")); }
double test_accuracy(const Json& run) { return lab::last(run.at("test").at("accuracy")); }

std::string spread(const std::vector<double>& values, int digits) {
  const Summary s = summary(values);
  if (s.count == 0) return "-";
  return fmt::format("{:.{}g} to {:.{}g}", s.low, digits, s.high, digits);
}

}  // namespace actfun::tool::claims
