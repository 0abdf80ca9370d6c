// SPDX-License-Identifier: Apache-2.0
#include "tool/lab_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "lab/train.h"
#include "tool/page.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

using lab::by_layer;
using lab::Json;
using lab::numbers;
using lab::over_layers;
using lab::Summary;
using lab::summary;

template <class Number>
Summary of_runs(const Group& group, Number number) {
  std::vector<double> values;
  for (const Json* run : group.runs) values.push_back(number(*run));
  return summary(values);
}

bool diverged(const Json& run) { return run.at("outcome") == "diverged"; }
bool has_layers(const Json& run) { return !run.at("layers").empty(); }

double milliseconds_per_epoch(const Json& run) { return 1000 * summary(numbers(run.at("seconds"))).mean; }

double mean_at_end(const Json& run, const std::string& key) {
  return has_layers(run) ? summary(by_layer(run, key, -1)).mean : NAN;
}

/// Where curves are drawn by epoch, and where by layer.
Chart by_epoch(std::string title, std::string y) { return {std::move(title), "epoch", std::move(y), {}}; }
Chart along_layers(std::string title, std::string y) { return {std::move(title), "layer", std::move(y), {}}; }

template <class Curve>
void add(Chart& chart, const std::vector<Group>& groups, Curve curve, double first_x = 0) {
  for (std::size_t i = 0; i < groups.size(); ++i) {
    chart.series.push_back(series(groups[i], i, curve, first_x));
    chart.series.back().points = chart.x_label == "layer";
  }
}

std::vector<Chart> learning(const std::vector<Group>& groups) {
  Chart loss = by_epoch("training loss", "cross-entropy"), test = by_epoch("test loss", "cross-entropy"),
        accuracy = by_epoch("test accuracy", ""),
        time{"training loss against time", "seconds of processor time", "", {}};
  loss.log_y = test.log_y = time.log_y = true;
  add(loss, groups, [](const Json& run) { return numbers(run.at("train").at("loss")); });
  add(test, groups, [](const Json& run) { return numbers(run.at("test").at("loss")); });
  add(accuracy, groups, [](const Json& run) { return numbers(run.at("test").at("accuracy")); });
  time.series = loss.series;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const double step = of_runs(groups[i], milliseconds_per_epoch).mean / 1000;
    for (double& x : time.series[i].x) x *= step;
  }
  return {loss, test, accuracy, time};
}

std::vector<Chart> gradients(const std::vector<Group>& groups) {
  Chart before = along_layers("gradient of the weights, untrained", "norm"),
        after = along_layers("gradient of the weights, trained", "norm"),
        signal = along_layers("gradient of the sums, untrained", "norm"),
        during = by_epoch("gradient of the first layer's weights", "norm");
  before.log_y = after.log_y = signal.log_y = during.log_y = true;
  add(
      before, groups, [](const Json& run) { return by_layer(run, "gradient", 0); }, 1);
  add(
      after, groups, [](const Json& run) { return by_layer(run, "gradient", -1); }, 1);
  add(
      signal, groups, [](const Json& run) { return by_layer(run, "signal", 0); }, 1);
  add(during, groups, [](const Json& run) {
    return has_layers(run) ? numbers(run.at("layers")[0].at("gradient")) : std::vector<double>{};
  });
  return {before, after, signal, during};
}

std::vector<Chart> units(const std::vector<Group>& groups) {
  std::vector<Chart> charts;
  for (const auto& [key, title] : {std::pair("dead", "dead units"), {"saturated", "saturated units"}}) {
    Chart during = by_epoch(title, "share"), after = along_layers(fmt::format("{}, trained", title), "share");
    add(during, groups, [&](const Json& run) { return over_layers(run, key); });
    add(
        after, groups, [&](const Json& run) { return by_layer(run, key, -1); }, 1);
    during.y_range = after.y_range = {0, 1};
    charts.push_back(during);
    charts.push_back(after);
  }
  return charts;
}

std::vector<Chart> outputs(const std::vector<Group>& groups) {
  std::vector<Chart> charts;
  for (const char* key : {"mean", "spread"})
    for (const int entry : {0, -1}) {
      Chart chart = along_layers(fmt::format("{} of the outputs, {}", key, entry == 0 ? "untrained" : "trained"), key);
      add(
          chart, groups, [&](const Json& run) { return by_layer(run, key, entry); }, 1);
      charts.push_back(chart);
    }
  return charts;
}

/// A chart a learned parameter: its mean in each layer of each group.
std::vector<Chart> parameters(const std::vector<Group>& groups) {
  std::vector<Chart> charts;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Json& layers = groups[g].runs.front()->at("layers");
    for (std::size_t l = 0; l < layers.size(); ++l) {
      if (!layers[l].contains("parameters")) continue;
      for (const auto& [name, ignored] : layers[l].at("parameters").items()) {
        const std::string title = fmt::format("{}: {}", groups[g].label, name);
        const auto found = std::ranges::find(charts, title, &Chart::title);
        Chart& chart = found == charts.end() ? charts.emplace_back(by_epoch(title, "mean over the layer")) : *found;
        chart.series.push_back(series(groups[g], chart.series.size(), [&, key = name](const Json& run) {
          return numbers(run.at("layers")[l].at("parameters").at(key).at("mean"));
        }));
        chart.series.back().label = fmt::format("layer {}", l + 1);
      }
    }
  }
  return charts;
}

std::vector<std::vector<Cell>> run_rows(const std::vector<Group>& groups) {
  std::vector<std::vector<Cell>> rows;
  const auto cell = [](double value, int digits) {
    return Cell{std::isfinite(value) ? fmt::format("{:.{}g}", value, digits) : "-", fmt::format("{}", value), ""};
  };
  for (const Group& group : groups)
    for (const Json* run : group.runs)
      rows.push_back({{group.label, group.label, ""},
                      cell(run->at("settings").at("seed").get<double>(), 9),
                      {run->at("outcome").get<std::string>(), run->at("outcome").get<std::string>(), ""},
                      cell(lab::last(run->at("train").at("loss")), 4),
                      cell(lab::last(run->at("train").at("accuracy")), 4),
                      cell(lab::last(run->at("test").at("loss")), 4),
                      cell(lab::last(run->at("test").at("accuracy")), 4),
                      cell(mean_at_end(*run, "dead"), 3),
                      cell(mean_at_end(*run, "saturated"), 3),
                      cell(milliseconds_per_epoch(*run), 3)});
  return rows;
}

}  // namespace

Overview overview(const std::vector<Group>& groups) {
  Overview o;
  o.columns = {"network", "runs", "diverged", "test accuracy", "training loss", "dead", "saturated", "ms/epoch"};
  for (const Group& group : groups) {
    const auto at_end = [&](const char* key) {
      const Summary s = of_runs(group, [&](const Json& run) { return mean_at_end(run, key); });
      return s.count == 0 ? "-" : fmt::format("{:.1f} %", 100 * s.mean);
    };
    const auto final = [&](const char* part, const char* key) {
      return of_runs(group, [&](const Json& run) { return lab::last(run.at(part).at(key)); });
    };
    const Summary loss = final("train", "loss"), time = of_runs(group, milliseconds_per_epoch);
    o.rows.push_back({group.label, fmt::format("{}", group.runs.size()),
                      fmt::format("{}", std::ranges::count_if(group.runs, [](auto* run) { return diverged(*run); })),
                      plus_minus(final("test", "accuracy"), 3), fmt::format("{:.3g}", loss.mean), at_end("dead"),
                      at_end("saturated"), time.count == 0 ? "-" : fmt::format("{:.1f}", time.mean)});
  }
  return o;
}

std::string text(const Overview& overview) {
  const auto width = [](std::string_view cell) {  // ± is one character of two bytes
    return cell.size() - static_cast<std::size_t>(std::ranges::count(cell, '\xb1'));
  };
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < overview.columns.size(); ++c) {
    widths.push_back(overview.columns[c].size());
    for (const auto& row : overview.rows) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string lines;
  const auto line = [&](const std::vector<std::string>& cells) {
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string air(widths[c] - width(cells[c]), ' ');
      lines += c == 0 ? cells[c] + air : "  " + air + cells[c];
    }
    lines += '\n';
  };
  line(overview.columns);
  for (const auto& row : overview.rows) line(row);
  return lines;
}

std::string lab_page(const std::vector<Group>& groups) {
  const Json& first = groups.front().runs.front()->at("settings");
  std::string body = "<h2>At a glance</h2>\n";
  const Overview o = overview(groups);
  std::vector<std::vector<Cell>> cells;
  for (const auto& row : o.rows) {
    cells.emplace_back();
    for (const std::string& shown : row) cells.back().push_back({shown, shown.substr(0, shown.find(' ')), ""});
    cells.back()[0].key = row[0];
  }
  body += table(o.columns, cells);
  const auto section = [&](std::string_view title, std::string_view id, const std::vector<Chart>& charts,
                           std::string_view caption) {
    if (charts.empty()) return;
    body += fmt::format("<h2 id=\"{}\">{}</h2>\n", id, title);
    body += figure(draw_charts(charts, 2, 400, 330), fmt::format("chart-{}", id), title, caption);
  };
  const bool deep = std::ranges::any_of(groups, [](const Group& g) { return has_layers(*g.runs.front()); });
  section(
      "Learning", "learning", learning(groups),
      "Lines are means over the seeds, bands reach from the lowest to the highest of them. Epoch 0 is the untrained "
      "network. Time is that of the processor, for training alone.");
  if (deep) {
    section("Gradients", "gradients", gradients(groups),
            "Norms over all training samples of dL/dW and dL/dz in each hidden layer; layer 1 reads the data.");
    section("Dead and saturated units", "units", units(groups),
            fmt::format("Dead: f' is 0 for every training sample; of maxout, pieces that never win. Saturated: the "
                        "share of units and "
                        "samples with |f'| < {}. By epoch: means over the layers.",
                        lab::kSaturated));
    section("Outputs", "outputs", outputs(groups),
            "Mean and standard deviation over the units and training samples of a layer.");
    section("Learned parameters", "parameters", parameters(groups), "The mean over a layer, epoch by epoch.");
  }
  body += "<h2 id=\"runs\">Every run</h2>\n";
  body += table({"network", "seed", "outcome", "training loss", "training accuracy", "test loss", "test accuracy",
                 "dead", "saturated", "ms/epoch"},
                run_rows(groups));
  std::string navigation;
  for (const auto& [id, name] : {std::pair("learning", "learning"),
                                 {"gradients", "gradients"},
                                 {"units", "units"},
                                 {"outputs", "outputs"},
                                 {"parameters", "parameters"},
                                 {"runs", "runs"}})
    if (body.find(fmt::format("<h2 id=\"{}\"", id)) != body.npos)
      navigation += fmt::format("<a href=\"#{}\">{}</a> ", id, name);
  return document(
      "actfun lab", "What the activation did",
      escape_html(
          fmt::format("{} networks trained on {}.", run_rows(groups).size(), first.at("data").get<std::string>())),
      navigation, body,
      fmt::format("Written by actfun lab {}. Every number comes from runs.jsonl beside this page.", ACTFUN_VERSION));
}

}  // namespace actfun::tool
