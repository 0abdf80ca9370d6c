// SPDX-License-Identifier: Apache-2.0
// Vanishing gradients, dead units.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "lab/train.h"
#include "tool/claims/claim.h"

namespace actfun::tool::claims {

namespace {

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

}  // namespace

Section vanishing_gradients(Bench& bench) {
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

}  // namespace actfun::tool::claims
