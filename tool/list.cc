// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <memory>

#include "tool/certified.h"
#include "tool/record.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

void print_json() {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Entry& entry : functions()) all.push_back(record(parse_function(entry.info->name)));
  fmt::print("{}\n", all.dump(1));
}

void print_table() {
  constexpr auto row = "{:<14} {:<34} {:<28} {:<9}  {}\n";
  fmt::print(row, "name", "kind", "parameters", "certified", "formula");
  for (const Entry& entry : functions()) {
    const Call call = parse_function(entry.info->name);
    fmt::print(row, entry.info->name, kind_text(entry.info->kind), parameters_text(call),
               certified(entry) ? "yes" : "no", entry.info->formula);
  }
}

}  // namespace

void add_list(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("list", "Every function: kind, parameters, certified or not");
  auto json = std::make_shared<bool>(false);
  verb->add_flag("--json", *json, "As a JSON array of records");
  verb->footer("Examples:\n  actfun list\n  actfun list --json | jq '.[] | select(.symmetry == \"odd\") | .name'");
  verb->callback([json] { *json ? print_json() : print_table(); });
}

}  // namespace actfun::tool
