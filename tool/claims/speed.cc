// SPDX-License-Identifier: Apache-2.0
// Zero-centred outputs, and which function learns faster.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lab/train.h"
#include "tool/claims/claim.h"

namespace actfun::tool::claims {

namespace {

/// What an epoch takes, and no layers.
void keep_loss_and_time(Json& record) {
  keep_loss(record);
  record.erase("layers");
  record["seconds"] = summary(numbers(record["seconds"])).low;  // other programs only ever make it longer
}

/// How long networks take to a training loss, each at its best rate.
class Race {
 public:
  static constexpr double kLoss = 0.02;

  static constexpr double kRates[] = {0.01, 0.03, 0.1, 0.3, 1, 3, 10};

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
      runner.seconds_per_step = summary(times).low;
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
  /// The mean steps against the rate, where all runs arrive.
  static Chart::Series steps_by_rate(const Runner& runner, std::size_t colour) {
    Chart::Series s{runner.name, {}, {}, {}, {}, colour, true};
    for (const Rate& rate : runner.rates) {
      const Summary found = summary(rate.steps);
      s.x.push_back(rate.rate);
      s.y.push_back(rate.mean());
      s.low.push_back(found.low);
      s.high.push_back(found.high);
    }
    return s;
  }
  static Chart steps_chart(const std::vector<Runner>& runners) {
    Chart chart{fmt::format("steps to a loss of {}", kLoss), "rate", "steps", {}};
    chart.log_x = chart.log_y = true;
    for (const Runner& runner : runners) chart.series.push_back(steps_by_rate(runner, chart.series.size()));
    return chart;
  }
  /// Whether the mean of `a` is lower by more than two standard errors of the difference; not to arrive is to lose.
  static bool clearly_less(const std::vector<double>& a, const std::vector<double>& b) {
    const Summary x = summary(a), y = summary(b);
    if (x.count < a.size() || y.count < b.size()) return x.count == a.size();
    const double error =
        std::sqrt((x.deviation * x.deviation + y.deviation * y.deviation) / static_cast<double>(a.size()));
    return y.mean - x.mean > 2 * error;
  }
  /// Each function at its best rate.
  static bool fewer_steps(const Runner& a, const Runner& b) {
    return clearly_less(a.at_best().steps, b.at_best().steps);
  }
  static bool less_time(const Runner& a, const Runner& b) { return clearly_less(a.milliseconds(), b.milliseconds()); }
  /// The rates, of those at which all runs of `a` arrive, at which the same is true of steps.
  static std::vector<double> rates_with_fewer_steps(const Runner& a, const Runner& b, bool& at_all) {
    std::vector<double> list;
    at_all = true;
    for (std::size_t r = 0; r < a.rates.size(); ++r) {
      if (!std::isfinite(a.rates[r].mean())) continue;
      const bool fewer = clearly_less(a.rates[r].steps, b.rates[r].steps);
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
      .caption =
          "Left: steps against the rate, where all runs arrive. Right: the training loss, each function at its best "
          "rate."};
  Chart loss{
      "training loss", "epoch", "cross-entropy", {Race::line(sigmoid, 0), Race::line(moved, 1), Race::line(tanh, 2)}};
  loss.log_y = true;
  section.charts = {Race::steps_chart({sigmoid, moved, tanh}), loss};
  section.verdicts.push_back({"sigmoid learns more slowly than tanh",
                              "means apart by two standard errors, each at its best rate",
                              fmt::format("{}; {}", sigmoid.text(), tanh.text()), Race::fewer_steps(tanh, sigmoid)});
  section.verdicts.push_back(
      {"... because its outputs are not zero-centred: taking 1/2 from them is enough to learn faster",
       "means apart by two standard errors, each at its best rate", fmt::format("{}", moved.text()),
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
          "the training loss is {}. The time of a step is the shortest of all epochs.",
          Race::kLoss),
      .columns = Race::columns(),
      .rows = {},
      .verdicts = {},
      .charts = {},
      .caption =
          "Left: steps against the rate, where all runs arrive. Right: the training loss, each function at its best "
          "rate, by time."};
  Chart time{"training loss", "ms of processor time", "cross-entropy", {}};
  time.log_y = true;
  for (std::size_t i = 0; i < race.runners().size(); ++i) {
    const auto& runner = race.runners()[i];
    section.rows.push_back(Race::row(runner));
    time.series.push_back(Race::line(runner, i));
    const double step =
        1000 * runner.seconds_per_step * runner.at_best().group->runs.front()->at("steps").get<double>();
    for (double& x : time.series.back().x) x *= step;
  }
  section.charts = {Race::steps_chart(race.runners()), time};
  const std::string best = "means apart by two standard errors, each at its best rate";
  const auto in_time = [](const Race::Runner& a, const Race::Runner& b) {
    return fmt::format("{:.0f} and {:.0f} ms", summary(a.milliseconds()).mean, summary(b.milliseconds()).mean);
  };
  section.verdicts.push_back({"relu needs fewer steps than sigmoid", best,
                              fmt::format("{}; {}", relu.text(), sigmoid.text()), Race::fewer_steps(relu, sigmoid)});
  section.verdicts.push_back({"... and less time", best, in_time(relu, sigmoid), Race::less_time(relu, sigmoid)});
  bool at_all;
  const std::vector<double> rates = Race::rates_with_fewer_steps(relu, tanh, at_all);
  section.verdicts.push_back({"relu needs fewer steps than tanh at the same rate",
                              "means apart by two standard errors, at every rate at which relu arrives",
                              fmt::format("at the rates {}", fmt::join(rates, ", ")), at_all});
  section.verdicts.push_back({"... and each at its best", best, fmt::format("{}; {}", relu.text(), tanh.text()),
                              Race::fewer_steps(relu, tanh)});
  section.verdicts.push_back({"... and less time", best, in_time(relu, tanh), Race::less_time(relu, tanh)});
  section.verdicts.push_back(
      {"softplus needs more steps than relu", best, softplus.text(), Race::fewer_steps(relu, softplus)});
  section.verdicts.push_back({"... and more time", best, in_time(softplus, relu), Race::less_time(relu, softplus)});
  return section;
}

}  // namespace

std::pair<Section, Section> zero_centred_and_speed(Bench& bench) {
  const Race race(bench, {"relu", "tanh", "sigmoid", "softplus"}, false), centred(bench, {"sigmoid"}, true);
  return {zero_centred(race, centred), speed(race)};
}

}  // namespace actfun::tool::claims
