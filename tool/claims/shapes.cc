// SPDX-License-Identifier: Apache-2.0
// What single units and whole networks can become: maxout, learned parameters, linear networks.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "lab/layers.h"
#include "lab/train.h"
#include "tool/claims/claim.h"

namespace actfun::tool::claims {

namespace {

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

}  // namespace

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
          "Left: the largest error against the number of pieces. Trained units stay behind: pieces that never win get "
          "no "
          "gradient, and stay so."};
  const auto error = [](const Json& run) { return run.at("error").get<double>(); };
  const auto dead = [](const Json& run) { return run.at("dead").get<double>(); };
  Chart chart{"largest error", "k", "", {}};
  chart.log_x = chart.log_y = true;
  Chart::Series constructed{"x², constructed", {}, {}, {}, {}, 0, true}, square{"x², trained", {}, {}, {}, {}, 1, true},
      abs{"|x|, trained", {}, {}, {}, {}, 2, true};
  Chart::Series never{"x²", {}, {}, {}, {}, 1, true};
  bool as_in_theory = true, falls = true, abs_exact = true;
  double before = INFINITY;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const int k = pieces[i];
    const double theory = 1 / (2.0 * k * k), built = error_of_tangents(k);
    const Summary trained = summary(each(groups[i], error)), of_abs = summary(each(groups[pieces.size() + i], error));
    as_in_theory &= std::fabs(built / theory - 1) < 0.01;
    falls &= trained.mean < before;
    before = trained.mean;
    const Summary losing = summary(each(groups[i], dead));
    never.x.push_back(k), never.y.push_back(losing.mean), never.low.push_back(losing.low),
        never.high.push_back(losing.high);
    if (k == 2) abs_exact = of_abs.high < 1e-5;
    for (const auto& [line, value] : {std::pair(&constructed, built), {&square, trained.mean}, {&abs, of_abs.mean}})
      line->x.push_back(k), line->y.push_back(value);
    for (const auto& [line, s] : {std::pair(&square, &trained), {&abs, &of_abs}})
      line->low.push_back(s->low), line->high.push_back(s->high);
    section.rows.push_back({fmt::format("{}", k), fmt::format("{:.3g}", theory), fmt::format("{:.3g}", built),
                            fmt::format("{:.3g} ({:.3g} to {:.3g})", trained.mean, trained.low, trained.high),
                            fmt::format("{:.0f} %", 100 * losing.mean), fmt::format("{:.2g}", of_abs.mean)});
  }
  chart.series = {constructed, square, abs};
  chart.y_range = {1e-7, 1};
  Chart losers{"pieces that never win, trained", "k", "share", {never}};
  losers.log_x = true;
  losers.y_range = {0, 1};
  section.charts = {chart, losers};
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

Section linear_networks(Bench& bench) {
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

}  // namespace actfun::tool::claims
