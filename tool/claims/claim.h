// SPDX-License-Identifier: Apache-2.0
// What a claim is made of: runs, numbers taken from them, and verdicts by criteria that the program fixes.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lab/runs.h"
#include "lab/train.h"
#include "tool/chart.h"
#include "tool/lab_report.h"

namespace actfun::tool::claims {

using lab::numbers;
using lab::Settings;
using lab::Summary;
using lab::summary;

using lab::Json;

inline constexpr std::uint64_t kSeeds = 5;

/// Keeps of a record what a claim reads, so that the file of all runs stays small.
using Keep = std::function<void(Json& record)>;
/// The training loss epoch by epoch and the test accuracy at the end; all else stays.
void keep_loss(Json& record);

/// Does runs, or finds them done.
class Bench {
 public:
  Bench(lab::RunFile& file, const lab::Data& data, unsigned threads) : file_(file), data_(data), threads_(threads) {}

  const lab::Data& data() const { return data_; }
  /// Each of the networks with every seed: a group for each name.
  std::vector<Group> networks(std::string_view label, const std::vector<std::pair<std::string, lab::Settings>>& list,
                              const Keep& keep);
  /// Each of the single layers, likewise.
  std::vector<Group> fits(std::string_view label, const std::vector<std::pair<std::string, lab::FitSettings>>& list);

 private:
  using Item = std::pair<std::string, lab::Task>;
  std::vector<Group> done(std::string_view label, const std::vector<Item>& items);

  lab::RunFile& file_;
  const lab::Data& data_;
  unsigned threads_;
};

/// One part of a claim, and whether the runs bear it out.
struct Verdict {
  std::string statement, criterion, found;
  bool holds;
};

struct Section {
  std::string id, title, design;
  std::vector<std::string> columns{};
  std::vector<std::vector<std::string>> rows{};
  std::vector<Verdict> verdicts{};
  std::vector<Chart> charts{};
  std::string caption{};
};

// The claims, each in the file of its theme.
Section vanishing_gradients(Bench& bench);
Section dead_units(Bench& bench);
/// Both are about the same runs.
std::pair<Section, Section> zero_centred_and_speed(Bench& bench);
Section maxout_fits(Bench& bench);
Section learned_parameters(Bench& bench);
Section linear_networks(Bench& bench);

// Numbers of groups.
template <class Number>
std::vector<double> each(const Group& group, Number number) {
  std::vector<double> values;
  for (const Json* run : group.runs) values.push_back(number(*run));
  return values;
}
std::vector<std::string> layers(std::string_view function, std::size_t depth);
double lowest(const std::vector<double>& values);
double highest(const std::vector<double>& values);
double last_loss(const Json& run);  ///< of the training
double test_accuracy(const Json& run);
/// "0.1 to 0.3", to `digits` digits.
std::string spread(const std::vector<double>& values, int digits = 3);

}  // namespace actfun::tool::claims
