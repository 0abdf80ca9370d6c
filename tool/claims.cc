// SPDX-License-Identifier: Apache-2.0
#include "tool/claims.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <vector>

#include "tool/claims/claim.h"
#include "tool/output.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

using claims::Section;
using claims::Verdict;
using lab::Settings;

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
      claims::kSeeds, data.train.size(), data.test.size(), data.train.x.cols(), Settings{}.width, Settings{}.batch);
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
  claims::Bench bench(file, data, threads);

  auto [centred, speed] = claims::zero_centred_and_speed(bench);
  const std::vector<Section> sections = {claims::vanishing_gradients(bench),
                                         claims::dead_units(bench),
                                         std::move(centred),
                                         std::move(speed),
                                         claims::maxout_fits(bench),
                                         claims::learned_parameters(bench),
                                         claims::linear_networks(bench)};
  for (const Section& section : sections) {
    const std::string svg = draw_charts(section.charts, std::min(2, static_cast<int>(section.charts.size())), 400, 330);
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
