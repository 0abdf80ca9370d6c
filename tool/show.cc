// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <memory>
#include <string>

#include "core/trace/formula.h"
#include "lab/gain.h"
#include "tool/call.h"
#include "tool/certified.h"
#include "tool/record.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

void print_card(const Call& call) {
  const Info& info = call.info();
  const auto line = [](std::string_view label, std::string_view text) {
    if (!text.empty()) fmt::print("{:<14} {}\n", label, text);
  };
  fmt::print("{}\n\n", call.text());
  line("f(x)", info.formula);
  line("f'(x)", info.derivative);
  line("f''(x)", info.second_derivative);
  fmt::print("\n");
  for (const auto& [label, text] : facts(call)) line(label, text);
  if (call.entry->elementwise()) {
    const lab::Moments m = lab::moments(call);
    line("gain", m.slope > 0
                     ? fmt::format("{:.9g} for weights (He, Glorot); E[f^2] = {:.9g}, E[f'^2] = {:.9g} of normal x",
                                   m.gain(), m.value, m.slope)
                     : fmt::format("none: E[f'^2] = 0 of normal x; E[f^2] = {:.9g}", m.value));
  }
  line("certificate", certificate_summary(*call.entry));
}

}  // namespace

void add_show(CLI::App& app) {
  struct Options {
    std::string function, kinks;
    bool json = false, latex = false;
  };
  CLI::App* verb =
      app.add_subcommand("show", "Formula, derivatives, parameters, range, limits, kinks, roots, extrema, presets");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->function, "NAME, NAME:PARAMETER=VALUE,... or NAME@PRESET")->required();
  add_kinks_option(verb, options->kinks);
  verb->add_flag("--json", options->json, "As a JSON object");
  verb->add_flag("--latex", options->latex, "Only the formula, in LaTeX, as the definition computes it");
  verb->footer("Examples:\n  actfun show gelu\n  actfun show elu:alpha=0.5\n  actfun show tanh --json");
  verb->callback([options] {
    const Call call = parse_call(options->function, options->kinks);
    if (options->latex)
      fmt::print("{}\n", trace::formula(call.entry->id, trace::Notation::latex));
    else if (options->json)
      fmt::print("{}\n", record(call).dump(1));
    else
      print_card(call);
  });
}

}  // namespace actfun::tool
