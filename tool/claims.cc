// SPDX-License-Identifier: Apache-2.0
#include "tool/claims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <numbers>
#include <string_view>
#include <vector>

#include "lab/runs.h"
#include "lab/train.h"
#include "tool/chart.h"
#include "tool/lab_report.h"
#include "tool/output.h"
#include "tool/progress.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

using lab::Json;
using lab::numbers;
using lab::Settings;
using lab::Summary;
using lab::summary;

constexpr std::uint64_t kSeeds = 5;

// The bench -----------------------------------------------------------------------------------------------------------

/// Keeps of a record what a claim reads, so that the file of all runs stays small.
using Keep = std::function<void(Json& record)>;

/// Does runs, or finds them done.
class Bench {
 public:
  Bench(lab::RunFile& file, const lab::Data& data, unsigned threads) : file_(file), data_(data), threads_(threads) {}

  const lab::Data& data() const { return data_; }

  /// Each of the networks with every seed.
  std::vector<Group> networks(std::string_view label, const std::vector<std::pair<std::string, Settings>>& list,
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

  /// Each of the single layers, likewise.
  std::vector<Group> fits(std::string_view label, const std::vector<std::pair<std::string, lab::FitSettings>>& list) {
    std::vector<Item> items;
    for (const auto& [name, settings] : list)
      for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
        lab::FitSettings s = settings;
        s.seed = seed;
        items.push_back({name, {s.json(), [s] { return lab::fit(s); }}});
      }
    return done(label, items);
  }

 private:
  using Item = std::pair<std::string, lab::Task>;

  std::vector<Group> done(std::string_view label, const std::vector<Item>& items) {
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

  lab::RunFile& file_;
  const lab::Data& data_;
  unsigned threads_;
};

std::vector<std::string> layers(std::string_view function, std::size_t depth) {
  return std::vector<std::string>(depth, std::string(function));
}

/// The training loss epoch by epoch and the test accuracy at the end.
void keep_loss(Json& record) {
  record["train"].erase("accuracy");
  record["test"] = {{"accuracy", {lab::last(record["test"]["accuracy"])}}};
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return values.empty() ? NAN : *middle;
}

/// The same, and what an epoch takes.
void keep_loss_and_time(Json& record) {
  keep_loss(record);
  record.erase("layers");
  record["seconds"] = median(numbers(record["seconds"]));
}

// The page ------------------------------------------------------------------------------------------------------------

/// One part of a claim, and whether the runs bear it out.
struct Verdict {
  std::string statement, criterion, found;
  bool holds;
};

struct Section {
  std::string id, title, design;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<Verdict> verdicts;
  std::vector<Chart> charts;
  std::string caption;
};

std::string markdown_row(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = replace_all(cell, "|", "\\|");
  return fmt::format("| {} |\n", fmt::join(cells, " | "));
}

std::string markdown_table(const std::vector<std::string>& columns, const std::vector<std::vector<std::string>>& rows) {
  std::string text = markdown_row(columns) + markdown_row(std::vector<std::string>(columns.size(), "---"));
  for (const auto& row : rows) text += markdown_row(row);
  return text;
}

std::string yes(const Verdict& verdict) { return verdict.holds ? "holds" : "**does not hold**"; }

std::string page(const std::vector<Section>& sections, const lab::Data& data) {
  std::string text = "<!-- Written by actfun lab --claims. -->\n# What is said of activation functions\n\n";
  text += fmt::format(
      "Classical claims, each put to the test on networks that `actfun lab --claims` trains itself, with {} seeds "
      "each. A "
      "criterion, fixed in the program, decides from the numbers whether a claim holds. The runs lie in "
      "[claims/runs.jsonl](claims/runs.jsonl); without that file all are done again.\n\n"
      "Data, unless stated: {} handwritten digits to learn from, {} to test with, {} pixels each "
      "([source](../data/README.md)). Networks have {} units a layer and begin with normal weights: `he` scales them "
      "by the "
      "function's own gain 1/sqrt(E[f'^2]), which `actfun show` prints, `lecun` has variance 1/n whatever the "
      "function. "
      "Batches are of {} samples. Numbers after ± are standard deviations over the seeds; bands in pictures reach from "
      "the "
      "lowest to the highest of them. Times are those of the processor, for training alone, on the machine that did "
      "the "
      "runs.\n\n",
      kSeeds, data.train.size(), data.test.size(), data.train.x.cols(), Settings{}.width, Settings{}.batch);
  std::vector<std::vector<std::string>> overview;
  for (const Section& section : sections)
    for (const Verdict& verdict : section.verdicts)
      overview.push_back({fmt::format("[{}](#{})", verdict.statement, section.id), yes(verdict)});
  text += markdown_table({"claim", "verdict"}, overview);
  for (const Section& section : sections) {
    text += fmt::format("\n<a id=\"{}\"></a>\n## {}\n\n{}\n\n", section.id, section.title, section.design);
    if (!section.charts.empty())
      text += fmt::format("![{}](claims/{}.svg)\n\n{}\n\n", section.title, section.id, section.caption);
    if (!section.rows.empty()) text += markdown_table(section.columns, section.rows) + "\n";
    std::vector<std::vector<std::string>> verdicts;
    for (const Verdict& v : section.verdicts) verdicts.push_back({v.statement, v.criterion, v.found, yes(v)});
    text += markdown_table({"claim", "criterion", "found", "verdict"}, verdicts);
  }
  return text;
}

// Numbers of groups ---------------------------------------------------------------------------------------------------

template <class Number>
std::vector<double> each(const Group& group, Number number) {
  std::vector<double> values;
  for (const Json* run : group.runs) values.push_back(number(*run));
  return values;
}

double lowest(const std::vector<double>& values) { return *std::ranges::min_element(values); }
double highest(const std::vector<double>& values) { return *std::ranges::max_element(values); }
double last_loss(const Json& run) { return lab::last(run.at("train").at("loss")); }
double test_accuracy(const Json& run) { return lab::last(run.at("test").at("accuracy")); }

std::string spread(const std::vector<double>& values, int digits = 3) {
  const Summary s = summary(values);
  if (s.count == 0) return "-";
  return fmt::format("{:.{}g} to {:.{}g}", s.low, digits, s.high, digits);
}

// The claims ----------------------------------------------------------------------------------------------------------

/// The theory of wide networks: the factor by which a gradient shrinks from layer to layer on its way from the last to
/// the first, sqrt(n Var[W] E[f'(z)^2]), where z has the variance that n Var[W] E[f(z)^2] of the layer before gives it.
double factor_in_theory(const Settings& s) {
  const Call call = parse_function(s.functions[0]);
  const double gain = lab::moments(call).gain();
  const double per_input = static_cast<double>(s.width) * lab::weight_variance(s.initialiser, gain, s.width, s.width);
  double variance = 1, logarithm = 0;
  for (std::size_t layer = 1; layer < s.functions.size(); ++layer) {
    const lab::Moments m = lab::moments(call, std::sqrt(variance));
    logarithm += std::log(per_input * m.slope) / 2;
    variance = per_input * m.value;
  }
  return std::exp(logarithm / static_cast<double>(s.functions.size() - 1));
}

Section vanishing(Bench& bench) {
  constexpr std::size_t kDepth = 20;
  std::vector<std::pair<std::string, Settings>> list;
  for (const auto& [function, initialiser] : {std::pair("sigmoid", lab::Initialiser::lecun),
                                              {"tanh", lab::Initialiser::lecun},
                                              {"relu", lab::Initialiser::he},
                                              {"relu", lab::Initialiser::lecun},
                                              {"sigmoid", lab::Initialiser::he},
                                              {"tanh", lab::Initialiser::he}}) {
    Settings s{.functions = layers(function, kDepth), .initialiser = initialiser, .epochs = 10};
    list.emplace_back(fmt::format("{}, {}", function, lab::kInitialisers[static_cast<std::size_t>(initialiser)]), s);
  }
  const std::vector<Group> groups = bench.networks("vanishing gradients", list, [](Json& record) {
    keep_loss(record);
    for (Json& layer : record["layers"]) layer = {{"signal", {layer["signal"].front()}}};
    record.erase("seconds");
  });

  const auto factor = [](const Json& run) {
    const std::vector<double> signal = lab::by_layer(run, "signal", 0);
    return std::pow(signal.front() / signal.back(), 1.0 / static_cast<double>(signal.size() - 1));
  };
  Section section{
      .id = "vanishing",
      .title = "Vanishing gradients",
      .design = fmt::format(
          "Networks of {} hidden layers. The factor is that of |dL/dz| from one layer to the one before, before any "
          "training: the geometric mean over all {} steps. Theory: sqrt(n Var[W] E[f'(z)^2]), with the variance of z "
          "that "
          "wide networks have in each layer. sigmoid' is at most 0.25, so no weights of variance 1/n let more pass. "
          "Then "
          "{} epochs of SGD with rate {}.",
          kDepth, kDepth - 1, list[0].second.epochs, list[0].second.rate),
      .columns = {"network", "factor a layer", "in theory", "gradient in layer 1 / layer 20", "training loss",
                  "test accuracy"},
      .rows = {},
      .verdicts = {},
      .charts = {},
      .caption = "Left: the gradient of the sums z in each layer, before training. Right: what training makes of it."};
  Chart signal{"gradient of the sums, untrained", "layer", "norm", {}},
      loss{"training loss", "epoch", "cross-entropy", {}};
  signal.log_y = loss.log_y = true;
  std::vector<std::vector<double>> factors;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    factors.push_back(each(groups[i], factor));
    section.rows.push_back({groups[i].label, lab::plus_minus(summary(factors[i]), 3),
                            fmt::format("{:.3f}", factor_in_theory(list[i].second)),
                            fmt::format("{:.2g}", std::pow(summary(factors[i]).mean, kDepth - 1)),
                            fmt::format("{:.3g}", summary(each(groups[i], last_loss)).mean),
                            lab::plus_minus(summary(each(groups[i], test_accuracy)), 3)});
    signal.series.push_back(series(
        groups[i], i, [](const Json& run) { return lab::by_layer(run, "signal", 0); }, 1));
    loss.series.push_back(series(groups[i], i, [](const Json& run) { return numbers(run.at("train").at("loss")); }));
  }
  section.charts = {signal, loss};

  const auto &sigmoid = factors[0], &tanh = factors[1], &relu = factors[2];
  section.verdicts.push_back({"A 20-layer sigmoid network's gradient vanishes, to a quarter or less in each layer",
                              "factor at most 0.25 in every run with lecun", spread(sigmoid),
                              highest(sigmoid) <= 0.25});
  section.verdicts.push_back({"tanh's vanishes less", "factor above sigmoid's in every run, below 1", spread(tanh),
                              lowest(tanh) > highest(sigmoid) && highest(tanh) < 1});
  section.verdicts.push_back({"relu's does not vanish, with He's weights", "factor from 0.9 to 1.1 in every run",
                              spread(relu), lowest(relu) >= 0.9 && highest(relu) <= 1.1});
  section.verdicts.push_back({"... whatever the weights", "the same with lecun", spread(factors[3]),
                              lowest(factors[3]) >= 0.9 && highest(factors[3]) <= 1.1});
  const auto stuck = each(groups[0], last_loss);
  section.verdicts.push_back(
      {"The deep sigmoid network does not learn",
       fmt::format("training loss above 0.95 log {}, that of guessing, in every run with lecun and he",
                   bench.data().classes),
       fmt::format("{}; {}", spread(stuck), spread(each(groups[4], last_loss))),
       std::min(lowest(stuck), lowest(each(groups[4], last_loss))) > 0.95 * std::log(bench.data().classes)});
  return section;
}

Section dead_units(Bench& bench) {
  const std::vector<double> rates = {0.001, 0.01, 0.03, 0.1};
  const std::vector<std::string> functions = {"relu", "leaky_relu", "prelu", "elu"};
  std::vector<std::pair<std::string, Settings>> list;
  for (const std::string& function : functions)
    for (const double rate : rates)
      list.emplace_back(
          fmt::format("{}, rate {}", function, rate),
          Settings{.functions = layers(function, 3), .method = lab::Method::adam, .rate = rate, .epochs = 15});
  const std::vector<Group> groups = bench.networks("dead units", list, [](Json& record) {
    keep_loss(record);
    for (Json& layer : record["layers"]) layer = {{"dead", layer["dead"]}};
    record.erase("seconds");
  });

  Section section{
      .id = "dead",
      .title = "Dead units",
      .design =
          "Networks of 3 hidden layers, 15 epochs of Adam with a small and with ever larger rates. A unit is dead when "
          "its "
          "f' is 0 for every training sample, as floats have it: nothing can bring it back but the layers before.",
      .columns = {"function", "rate", "dead units", "training loss", "test accuracy", "diverged"},
      .rows = {},
      .verdicts = {},
      .charts = {},
      .caption =
          "The share of dead units over all layers: left at the end, right epoch by epoch with the largest rate."};
  const auto dead = [](const Json& run) { return summary(lab::by_layer(run, "dead", -1)).mean; };
  Chart by_rate{"dead units at the end", "rate", "share", {}}, by_epoch{"dead units, rate 0.1", "epoch", "share", {}};
  by_rate.log_x = true;
  by_rate.y_range = by_epoch.y_range = {0, 1};
  std::vector<std::vector<std::vector<double>>> shares(functions.size());  // by function, rate and run
  for (std::size_t f = 0; f < functions.size(); ++f) {
    Chart::Series line{functions[f], rates, {}, {}, {}, f, true};
    for (std::size_t r = 0; r < rates.size(); ++r) {
      const Group& group = groups[f * rates.size() + r];
      shares[f].push_back(each(group, dead));
      const Summary s = summary(shares[f].back());
      line.y.push_back(s.mean), line.low.push_back(s.low), line.high.push_back(s.high);
      section.rows.push_back(
          {functions[f], fmt::format("{}", rates[r]),
           fmt::format("{:.1f} % ({:.1f} to {:.1f})", 100 * s.mean, 100 * s.low, 100 * s.high),
           fmt::format("{:.3g}", summary(each(group, last_loss)).mean),
           lab::plus_minus(summary(each(group, test_accuracy)), 3),
           fmt::format("{} of {}",
                       std::ranges::count_if(group.runs, [](auto* run) { return run->at("outcome") == "diverged"; }),
                       group.runs.size())});
    }
    by_rate.series.push_back(line);
    by_epoch.series.push_back(
        series(groups[(f + 1) * rates.size() - 1], f, [](const Json& run) { return lab::over_layers(run, "dead"); }));
    by_epoch.series.back().label = functions[f];
  }
  section.charts = {by_rate, by_epoch};

  const auto most = [&](std::size_t f) {
    double value = 0;
    for (const auto& runs : shares[f]) value = std::max(value, highest(runs));
    return value;
  };
  section.verdicts.push_back({"A large rate kills relu units",
                              "dead at most 0.02 with the smallest rate, at least 0.2 with the largest, in every run",
                              fmt::format("{}; {}", spread(shares[0].front()), spread(shares[0].back())),
                              highest(shares[0].front()) <= 0.02 && lowest(shares[0].back()) >= 0.2});
  section.verdicts.push_back({"leaky_relu's and prelu's do not die", "none dead in any run at any rate",
                              fmt::format("at most {:.3g} and {:.3g}", most(1), most(2)),
                              most(1) == 0 && most(2) == 0});
  section.verdicts.push_back({"elu's die less than relu's", "fewer in every run with the largest rate, seed by seed",
                              spread(shares[3].back()),
                              std::ranges::equal(shares[3].back(), shares[0].back(), std::less())});
  section.verdicts.push_back({"elu's do not die at all (exp(z) > 0)", "dead at most 0.02 in every run at every rate",
                              fmt::format("at most {:.3g}: exp(z) is 0 as a float for z below -104", most(3)),
                              most(3) <= 0.02});
  return section;
}

/// How long networks take to a training loss, each at its best rate.
class Race {
 public:
  static constexpr double kLoss = 0.05;

  static constexpr double kRates[] = {0.01, 0.03, 0.1, 0.3, 1, 3};

  Race(Bench& bench, const std::vector<std::string>& functions, bool centred) {
    std::vector<std::pair<std::string, Settings>> list;
    for (const std::string& function : functions)
      for (const double rate : kRates)
        list.emplace_back(fmt::format("{}, rate {}", function, rate),
                          Settings{.functions = layers(function, 3), .centred = centred, .rate = rate, .epochs = 40});
    groups_ = bench.networks("speed", list, keep_loss_and_time);
    for (std::size_t f = 0; f < functions.size(); ++f) {
      Runner runner;
      runner.name = functions[f] + (centred ? " - f(0)" : "");
      std::vector<double> times;
      for (std::size_t r = 0; r < std::size(kRates); ++r) {
        const Group& group = groups_[f * std::size(kRates) + r];
        runner.rates.push_back({kRates[r], &group, each(group, steps)});
        for (const Json* run : group.runs)
          if (run->at("seconds").is_number())
            times.push_back(run->at("seconds").get<double>() / run->at("steps").get<double>());
      }
      runner.seconds_per_step = median(times);
      runner.best =
          static_cast<std::size_t>(std::ranges::min_element(runner.rates, {}, &Rate::mean) - runner.rates.begin());
      runners_.push_back(std::move(runner));
    }
  }

  struct Rate {
    double rate;
    const Group* group;
    std::vector<double> steps;  ///< infinite if a run did not get there
    double mean() const {
      double sum = 0;
      for (const double s : steps) sum += s;
      return sum / static_cast<double>(steps.size());
    }
  };
  struct Runner {
    std::string name;
    std::vector<Rate> rates;
    double seconds_per_step = 0;
    std::size_t best = 0;
    const Rate& at_best() const { return rates[best]; }
    std::vector<double> milliseconds() const {
      std::vector<double> list;
      for (const double s : at_best().steps) list.push_back(1000 * s * seconds_per_step);
      return list;
    }
    std::string text() const {
      return fmt::format("{} at rate {}: {:.0f} steps", name, at_best().rate, at_best().mean());
    }
  };
  const std::vector<Runner>& runners() const { return runners_; }

  static std::vector<std::string> columns() {
    std::vector<std::string> list = {"function"};
    for (const double rate : kRates)
      list.push_back(fmt::format("{}{}", list.size() == 1 ? "steps at rate " : "", rate));
    list.insert(list.end(), {"µs a step", "ms at the best rate"});
    return list;
  }
  static std::vector<std::string> row(const Runner& runner) {
    std::vector<std::string> cells = {runner.name};
    for (const Rate& rate : runner.rates) {
      const auto arrived = std::ranges::count_if(rate.steps, [](double s) { return std::isfinite(s); });
      cells.push_back(arrived == static_cast<std::ptrdiff_t>(rate.steps.size())
                          ? lab::plus_minus(summary(rate.steps), 0)
                          : fmt::format("{} of {} arrive", arrived, rate.steps.size()));
    }
    cells.push_back(fmt::format("{:.0f}", 1e6 * runner.seconds_per_step));
    cells.push_back(lab::plus_minus(summary(runner.milliseconds()), 0));
    return cells;
  }
  static Chart::Series line(const Runner& runner, std::size_t colour) {
    Chart::Series s =
        series(*runner.at_best().group, colour, [](const Json& run) { return numbers(run.at("train").at("loss")); });
    s.label = fmt::format("{}, rate {}", runner.name, runner.at_best().rate);
    return s;
  }
  /// Whether every run of `a` is faster than the run of `b` with the same seed, each function at its best rate.
  static bool fewer_steps(const Runner& a, const Runner& b) {
    return std::ranges::equal(a.at_best().steps, b.at_best().steps, std::less());
  }
  static bool less_time(const Runner& a, const Runner& b) {
    return std::ranges::equal(a.milliseconds(), b.milliseconds(), std::less());
  }
  /// The rates, of those at which all runs of `a` arrive, at which the same is true of steps.
  static std::vector<double> rates_with_fewer_steps(const Runner& a, const Runner& b, bool& at_all) {
    std::vector<double> list;
    at_all = true;
    for (std::size_t r = 0; r < a.rates.size(); ++r) {
      if (!std::isfinite(a.rates[r].mean())) continue;
      const bool fewer = std::ranges::equal(a.rates[r].steps, b.rates[r].steps, std::less());
      at_all &= fewer;
      if (fewer) list.push_back(a.rates[r].rate);
    }
    return list;
  }

 private:
  /// Steps to the loss; between epochs its logarithm is taken for a straight line.
  static double steps(const Json& run) {
    const std::vector<double> loss = numbers(run.at("train").at("loss"));
    const double wanted = std::log(kLoss);
    for (std::size_t i = 1; i < loss.size(); ++i)
      if (loss[i] <= kLoss) {
        const double before = std::log(loss[i - 1]), after = std::log(loss[i]);
        return run.at("steps").get<double>() * (static_cast<double>(i - 1) + (before - wanted) / (before - after));
      }
    return INFINITY;
  }

  std::vector<Group> groups_;
  std::vector<Runner> runners_;
};

Section zero_centred(const Race& race, const Race& centred) {
  const auto &sigmoid = race.runners()[2], &tanh = race.runners()[1], &moved = centred.runners()[0];
  Section section{
      .id = "centred",
      .title = "Outputs that are not zero-centred",
      .design = fmt::format(
          "Networks of 3 hidden layers, SGD, he, up to 40 epochs. Steps until the training loss is {}. `sigmoid - "
          "f(0)` is "
          "sigmoid with 1/2 taken from all outputs: the same slopes, the same weights, the outputs around 0.",
          Race::kLoss),
      .columns = Race::columns(),
      .rows = {Race::row(sigmoid), Race::row(moved), Race::row(tanh)},
      .verdicts = {},
      .charts = {},
      .caption = "The training loss, each function at its best rate."};
  Chart loss{
      "training loss", "epoch", "cross-entropy", {Race::line(sigmoid, 0), Race::line(moved, 1), Race::line(tanh, 2)}};
  loss.log_y = true;
  section.charts = {loss};
  section.verdicts.push_back({"sigmoid learns more slowly than tanh",
                              "more steps with every seed, each at its best rate",
                              fmt::format("{}; {}", sigmoid.text(), tanh.text()), Race::fewer_steps(tanh, sigmoid)});
  section.verdicts.push_back(
      {"... because its outputs are not zero-centred: taking 1/2 from them is enough to learn faster",
       "fewer steps with every seed, each at its best rate", fmt::format("{}", moved.text()),
       Race::fewer_steps(moved, sigmoid)});
  const double explained = std::log(sigmoid.at_best().mean() / moved.at_best().mean()) /
                           std::log(sigmoid.at_best().mean() / tanh.at_best().mean());
  section.verdicts.push_back({"... and that is most of the difference to tanh",
                              "at least half of the logarithm of the ratio of steps",
                              fmt::format("{:.0f} %", 100 * explained), explained >= 0.5});
  return section;
}

Section speed(const Race& race) {
  const auto &relu = race.runners()[0], &tanh = race.runners()[1], &sigmoid = race.runners()[2],
             &softplus = race.runners()[3];
  Section section{
      .id = "speed",
      .title = "relu converges faster",
      .design = fmt::format(
          "The same networks as above, each function with its own gain. Steps, and time on the processor, until "
          "the training loss is {}. The time of a step is the median over all epochs.",
          Race::kLoss),
      .columns = Race::columns(),
      .rows = {},
      .verdicts = {},
      .charts = {},
      .caption = "The training loss, each function at its best rate, by epoch and by time."};
  Chart loss{"by epoch", "epoch", "cross-entropy", {}}, time{"by time", "ms of processor time", "cross-entropy", {}};
  loss.log_y = time.log_y = true;
  for (std::size_t i = 0; i < race.runners().size(); ++i) {
    const auto& runner = race.runners()[i];
    section.rows.push_back(Race::row(runner));
    loss.series.push_back(Race::line(runner, i));
    time.series.push_back(Race::line(runner, i));
    const double step =
        1000 * runner.seconds_per_step * runner.at_best().group->runs.front()->at("steps").get<double>();
    for (double& x : time.series.back().x) x *= step;
  }
  section.charts = {loss, time};
  const std::string best = "with every seed, each at its best rate";
  const auto in_time = [](const Race::Runner& a, const Race::Runner& b) {
    return fmt::format("{:.0f} and {:.0f} ms", summary(a.milliseconds()).mean, summary(b.milliseconds()).mean);
  };
  section.verdicts.push_back({"relu needs fewer steps than sigmoid", best,
                              fmt::format("{}; {}", relu.text(), sigmoid.text()), Race::fewer_steps(relu, sigmoid)});
  section.verdicts.push_back({"... and less time", best, in_time(relu, sigmoid), Race::less_time(relu, sigmoid)});
  bool at_all;
  const std::vector<double> rates = Race::rates_with_fewer_steps(relu, tanh, at_all);
  section.verdicts.push_back({"relu needs fewer steps than tanh at the same rate",
                              "with every seed at every rate at which relu arrives",
                              fmt::format("at the rates {}", fmt::join(rates, ", ")), at_all});
  section.verdicts.push_back({"... and each at its best", best, fmt::format("{}; {}", relu.text(), tanh.text()),
                              Race::fewer_steps(relu, tanh)});
  section.verdicts.push_back({"... and less time", best, in_time(relu, tanh), Race::less_time(relu, tanh)});
  section.verdicts.push_back(
      {"softplus needs more steps than relu", best, softplus.text(), Race::fewer_steps(relu, softplus)});
  section.verdicts.push_back({"... and more time", best, in_time(softplus, relu), Race::less_time(relu, softplus)});
  return section;
}

/// The largest error of max_j(w_j x + b_j) against x^2 on [-1, 1], for tangents in the middles of k equal intervals
/// that are moved up by half of their error: no k straight lines come closer.
double error_of_tangents(lab::Index k) {
  lab::Maxout<float> layer(1, 1, k);
  const double width = 2 / static_cast<double>(k);
  for (lab::Index j = 0; j < k; ++j) {
    const double at = -1 + width * (static_cast<double>(j) + 0.5);
    layer.weights()(j, 0) = static_cast<float>(2 * at);
    layer.bias()(j) = static_cast<float>(-at * at + width * width / 8);
  }
  lab::Matrix<float> x(1 << 16, 1);
  for (lab::Index i = 0; i < x.size(); ++i)
    x(i) = static_cast<float>(-1 + 2 * static_cast<double>(i) / static_cast<double>(x.size() - 1));
  return static_cast<double>((layer.forward(x) - x.cwiseProduct(x)).cwiseAbs().maxCoeff());
}

/// Floats of every exponent at which max(x, s x) has other bits than the library's function.
std::size_t different_bits(const std::string& function, float s) {
  lab::Maxout<float> layer(1, 1, 2);
  layer.weights() << 1, s;
  lab::Matrix<float> x(1 << 20, 1);
  lab::Random random(1, 1);
  for (lab::Index i = 0; i < x.size(); ++i) {
    const auto bits = static_cast<std::uint32_t>(random.uniform() * 0x1p32);
    const auto value = std::bit_cast<float>(bits);
    x(i) = std::isfinite(value) ? value : 0.0f;
  }
  lab::Matrix<float> y(x.rows(), 1);
  parse_function(function).evaluate(Order::value, x.data(), y.data(), static_cast<std::size_t>(x.size()));
  const lab::Matrix<float>& own = layer.forward(x);
  std::size_t different = 0;
  for (lab::Index i = 0; i < x.size(); ++i)
    different += std::bit_cast<std::uint32_t>(own(i) + 0.0f) != std::bit_cast<std::uint32_t>(y(i) + 0.0f);
  return different;
}

Section maxout_fits(Bench& bench) {
  const std::vector<int> pieces = {1, 2, 4, 8, 16, 32};
  std::vector<std::pair<std::string, lab::FitSettings>> list;
  for (const char* target : {"square", "abs"})
    for (const int k : pieces)
      list.emplace_back(fmt::format("{} {}", target, k),
                        lab::FitSettings{.function = fmt::format("maxout:k={}", k), .target = target});
  const std::vector<Group> groups = bench.fits("maxout", list);

  Section section{
      .id = "maxout",
      .title = "Maxout fits convex functions",
      .design = fmt::format("One maxout unit of k pieces, max_j(w_j x + b_j), for x² and |x| on [-1, 1]. Constructed: "
                            "the best k tangents of x², "
                            "whose error is 1/(2k²). Trained: {} steps of Adam from random weights on {} points.",
                            lab::FitSettings{}.steps, lab::FitSettings{}.points),
      .columns = {"k", "x²: in theory", "constructed", "trained", "pieces that never win", "|x|: trained"},
      .rows = {},
      .verdicts = {},
      .charts = {},
      .caption =
          "The largest error against the number of pieces. Trained units stay behind: pieces that never win get no "
          "gradient, and stay so."};
  const auto error = [](const Json& run) { return run.at("error").get<double>(); };
  const auto dead = [](const Json& run) { return run.at("dead").get<double>(); };
  Chart chart{"largest error", "k", "", {}};
  chart.log_x = chart.log_y = true;
  Chart::Series constructed{"x², constructed", {}, {}, {}, {}, 0, true}, square{"x², trained", {}, {}, {}, {}, 1, true},
      abs{"|x|, trained", {}, {}, {}, {}, 2, true};
  bool as_in_theory = true, falls = true, abs_exact = true;
  double before = INFINITY;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const int k = pieces[i];
    const double theory = 1 / (2.0 * k * k), built = error_of_tangents(k);
    const Summary trained = summary(each(groups[i], error)), of_abs = summary(each(groups[pieces.size() + i], error));
    as_in_theory &= std::fabs(built / theory - 1) < 0.01;
    falls &= trained.mean < before;
    before = trained.mean;
    if (k == 2) abs_exact = of_abs.high < 1e-5;
    for (const auto& [line, value] : {std::pair(&constructed, built), {&square, trained.mean}, {&abs, of_abs.mean}})
      line->x.push_back(k), line->y.push_back(value);
    for (const auto& [line, s] : {std::pair(&square, &trained), {&abs, &of_abs}})
      line->low.push_back(s->low), line->high.push_back(s->high);
    section.rows.push_back({fmt::format("{}", k), fmt::format("{:.3g}", theory), fmt::format("{:.3g}", built),
                            fmt::format("{:.3g} ({:.3g} to {:.3g})", trained.mean, trained.low, trained.high),
                            fmt::format("{:.0f} %", 100 * summary(each(groups[i], dead)).mean),
                            fmt::format("{:.2g}", of_abs.mean)});
  }
  chart.series = {constructed, square, abs};
  section.charts = {chart};
  section.verdicts.push_back(
      {"k pieces fit x² to any accuracy as k grows", "the constructed unit's error within 1 % of 1/(2k²) for every k",
       fmt::format("{:.2g} for k = {}", error_of_tangents(pieces.back()), pieces.back()), as_in_theory});
  section.verdicts.push_back({"... and training finds better fits as k grows",
                              "the mean error over the seeds falls with every doubling of k",
                              fmt::format("{:.2g} for k = {}, {:.0f} times the best possible", before, pieces.back(),
                                          before * 2 * pieces.back() * pieces.back()),
                              falls});
  section.verdicts.push_back({"Two pieces learn |x|", "largest error below 1e-5 in every run",
                              fmt::format("at most {:.2g}", summary(each(groups[pieces.size() + 1], error)).high),
                              abs_exact});
  constexpr float kSlope = 0.01f;
  const std::string leaky = fmt::format("leaky_relu:negative_slope={}", static_cast<double>(kSlope));
  const std::size_t different = different_bits("relu", 0) + different_bits(leaky, kSlope) + different_bits("abs", -1);
  section.verdicts.push_back({"Two pieces are relu, leaky_relu and abs",
                              "max(x, s x) for s = 0, 0.01, -1 equals them at 2^20 random floats each (0 = -0)",
                              fmt::format("{} results differ", different), different == 0});
  return section;
}

Section learned_parameters(Bench& bench) {
  struct Target {
    const char *function, *target, *parameter;
    double wanted;
  };
  const std::vector<Target> targets = {{"prelu", "leaky_relu:negative_slope=0.6", "weight", 0.6},
                                       {"prelu", "leaky_relu:negative_slope=0.01", "weight", 0.01},
                                       {"swish", "swish:beta=3", "beta", 3},
                                       {"swish", "swish:beta=0.5", "beta", 0.5}};
  std::vector<std::pair<std::string, lab::FitSettings>> list;
  for (const Target& t : targets)
    list.emplace_back(fmt::format("{}", t.target), lab::FitSettings{.function = t.function, .target = t.target});
  const std::vector<Group> fits = bench.fits("learned parameters", list);

  std::vector<std::pair<std::string, Settings>> networks;
  for (const char* function : {"prelu", "swish"})
    for (const lab::Learn learn : {lab::Learn::learnable, lab::Learn::none})
      networks.emplace_back(fmt::format("{}, {}", function, learn == lab::Learn::none ? "fixed" : "learned"),
                            Settings{.functions = layers(function, 3), .learn = learn, .rate = 0.03, .epochs = 30});
  const std::vector<Group> groups = bench.networks("learned parameters", networks, [](Json& record) {
    keep_loss(record);
    for (Json& layer : record["layers"])
      layer = layer.contains("parameters") ? Json{{"parameters", layer["parameters"]}} : Json::object();
    record.erase("seconds");
  });

  Section section{.id = "learned",
                  .title = "prelu learns its slope, swish its beta",
                  .design =
                      "First, one unit f(w x + b) that is to become a known function, by Adam: does it find the "
                      "parameter? Then networks "
                      "of 3 hidden layers for the digits, 30 epochs of SGD with rate 0.03, with one parameter a layer, "
                      "learned or fixed at "
                      "where it began.",
                  .columns = {"function", "is to become", "begins at", "ends at"},
                  .rows = {},
                  .verdicts = {},
                  .charts = {},
                  .caption =
                      "The parameters: of single units on the way to a known function, and of the layers of networks "
                      "for the digits "
                      "(means over the seeds and their range)."};
  bool found = true;
  std::vector<double> errors;
  Chart prelu_unit{"prelu, one unit", "1/40 of the steps", "weight", {}},
      swish_unit{"swish, one unit", "1/40 of the steps", "beta", {}};
  for (std::size_t i = 0; i < targets.size(); ++i) {
    const Target& t = targets[i];
    const auto path = [&](const Json& run) { return numbers(run.at("parameters").at(t.parameter).at("mean")); };
    const auto end = each(fits[i], [&](const Json& run) { return path(run).back(); });
    for (const double value : end) errors.push_back(std::fabs(value - t.wanted));
    section.rows.push_back({t.function, fmt::format("`{}`", t.target),
                            fmt::format("{}", path(*fits[i].runs[0]).front()), lab::plus_minus(summary(end), 4)});
    Chart& chart = std::string_view(t.function) == "prelu" ? prelu_unit : swish_unit;
    chart.series.push_back(series(fits[i], chart.series.size(), path));
  }
  found = highest(errors) <= 0.01;
  std::vector<Chart> of_layers;
  double least_moved = INFINITY;
  std::vector<std::string> losses;
  bool better = true;
  for (std::size_t i = 0; i < 2; ++i) {
    const Group &learned = groups[2 * i], &fixed = groups[2 * i + 1];
    const std::string parameter = i == 0 ? "weight" : "beta";
    Chart chart{fmt::format("{}, digits", i == 0 ? "prelu" : "swish"), "epoch", parameter, {}};
    for (std::size_t l = 0; l < 3; ++l) {
      const auto path = [&](const Json& run) {
        return numbers(run.at("layers")[l].at("parameters").at(parameter).at("mean"));
      };
      chart.series.push_back(series(learned, l, path));
      chart.series.back().label = fmt::format("layer {}", l + 1);
      for (const Json* run : learned.runs)
        least_moved = std::min(least_moved, std::fabs(path(*run).back() - path(*run).front()));
      section.rows.push_back(
          {i == 0 ? "prelu" : "swish", fmt::format("digits, layer {}", l + 1),
           fmt::format("{}", path(*learned.runs[0]).front()),
           lab::plus_minus(summary(each(learned, [&](const Json& run) { return path(run).back(); })), 3)});
    }
    of_layers.push_back(chart);
    const auto of_learned = each(learned, last_loss), of_fixed = each(fixed, last_loss);
    better &= std::ranges::equal(of_learned, of_fixed, std::less());
    losses.push_back(fmt::format("{} {:.3g} against {:.3g}", i == 0 ? "prelu" : "swish", summary(of_learned).mean,
                                 summary(of_fixed).mean));
  }
  section.charts = {prelu_unit, swish_unit, of_layers[0], of_layers[1]};
  section.verdicts.push_back({"prelu and swish find a known parameter", "within 0.01 in every run",
                              fmt::format("at most {:.2g} off", highest(errors)), found});
  section.verdicts.push_back({"In a network for the digits they move, in every layer", "by more than 0.01 in every run",
                              fmt::format("by {:.3g} at least", least_moved), least_moved > 0.01});
  section.verdicts.push_back({"... and make the training loss smaller than a fixed one does",
                              "with every seed, for both", fmt::format("{}", fmt::join(losses, "; ")), better});
  return section;
}

Section linear(Bench& bench) {
  constexpr double kRate = 0.02;
  constexpr int kEpochs = 60;
  const std::vector<std::size_t> depths = {0, 1, 2, 5, 10};
  std::vector<std::pair<std::string, Settings>> list;
  for (const std::size_t depth : depths)
    list.emplace_back(fmt::format("{} hidden layer{}", depth, depth == 1 ? "" : "s"),
                      Settings{.functions = layers("identity", depth), .rate = kRate, .epochs = kEpochs});
  list.emplace_back("relu, 2 hidden layers",
                    Settings{.functions = layers("relu", 2), .rate = kRate, .epochs = kEpochs});
  const std::vector<Group> groups = bench.networks("linear networks", list, [](Json& record) {
    record.erase("layers");
    record.erase("seconds");
    record["test"].erase("loss");
    record["train"] = {{"loss", {lab::last(record["train"]["loss"])}}};
  });

  Section section{
      .id = "linear",
      .title = "Without activation functions a network is linear",
      .design = fmt::format(
          "Networks whose function is the identity, {} epochs of SGD with rate {}. A linear function is known "
          "from its values at 0 and at the unit vectors; how far are the outputs for the digits from it, "
          "relative to how much they vary?",
          kEpochs, kRate),
      .columns = {"network", "relative distance from linear", "training loss", "test accuracy"},
      .rows = {},
      .verdicts = {},
      .charts = {},
      .caption = "The test accuracy: depth changes the way there, not what can be reached."};
  Chart accuracy{"test accuracy", "epoch", "", {}};
  const auto distance = [](const Json& run) { return run.at("nonlinearity").get<double>(); };
  std::vector<double> all, accuracies;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto distances = each(groups[i], distance);
    section.rows.push_back({groups[i].label, fmt::format("{:.2g}", summary(distances).mean),
                            fmt::format("{:.3g}", summary(each(groups[i], last_loss)).mean),
                            lab::plus_minus(summary(each(groups[i], test_accuracy)), 3)});
    accuracy.series.push_back(
        series(groups[i], i, [](const Json& run) { return numbers(run.at("test").at("accuracy")); }));
    if (i >= depths.size()) continue;
    all.insert(all.end(), distances.begin(), distances.end());
    accuracies.push_back(summary(each(groups[i], test_accuracy)).mean);
  }
  accuracy.y_range = {0.8, 1};
  section.charts = {accuracy};
  const auto relu = each(groups.back(), distance);
  section.verdicts.push_back(
      {"Whatever its depth, it is linear", "distance below 1e-5 in every run, and above 0.1 for relu",
       fmt::format("at most {:.2g}; relu {}", highest(all), spread(relu)), highest(all) < 1e-5 && lowest(relu) > 0.1});
  section.verdicts.push_back(
      {"Depth gains it nothing", "mean test accuracy within 0.02 of that of no hidden layer",
       fmt::format("{:.3f} to {:.3f}", lowest(accuracies), highest(accuracies)),
       std::ranges::all_of(accuracies, [&](double a) { return std::fabs(a - accuracies[0]) <= 0.02; })});
  return section;
}

}  // namespace

void check_claims(const std::string& directory, unsigned threads) {
  namespace fs = std::filesystem;
  const fs::path place(directory), pictures = place / "claims";
  std::error_code error;
  fs::create_directories(pictures, error);
  if (error) fail("cannot make the directory {}: {}", pictures.string(), error.message());
  OutputFile markdown(place / "claims.md");  // first: a bad place is told before the work
  const lab::Data data = lab::read_data(lab::digits());
  lab::RunFile file(pictures / "runs.jsonl");
  Bench bench(file, data, threads);

  const Race race(bench, {"relu", "tanh", "sigmoid", "softplus"}, false), centred(bench, {"sigmoid"}, true);
  const std::vector<Section> sections = {vanishing(bench), dead_units(bench),  zero_centred(race, centred),
                                         speed(race),      maxout_fits(bench), learned_parameters(bench),
                                         linear(bench)};
  for (const Section& section : sections) {
    const std::string svg = draw_charts(section.charts, 2, 400, 330);
    OutputFile picture(pictures / (section.id + ".svg"));
    picture.write(svg.data(), svg.size(), 0);
    picture.commit();
  }
  const std::string text = page(sections, data);
  markdown.write(text.data(), text.size(), 0);
  markdown.commit();
  for (const Section& section : sections)
    for (const Verdict& verdict : section.verdicts)
      fmt::print("{:<14}  {}: {}\n", verdict.holds ? "holds" : "does not hold", section.id, verdict.statement);
  fmt::print("{}\n", (place / "claims.md").string());
}

}  // namespace actfun::tool
