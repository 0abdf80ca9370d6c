// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tool/call.h"
#include "tool/curves.h"
#include "tool/output.h"
#include "tool/picture.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

struct Options {
  std::vector<std::string> functions;
  std::string kinks, output, range = "-6:6";
  std::vector<int> orders = {0};
};

/// What characters cannot show.
void print_marks(const Call& call, Range range) {
  const auto line = [&](std::string_view label, const std::vector<std::string>& texts) {
    if (!texts.empty()) fmt::print("{} {}: {}\n", call.text(), label, fmt::join(texts, ", "));
  };
  std::vector<std::string> shades, kink_texts, root_texts(call.info().roots.begin(), call.info().roots.end());
  for (const float kink : kinks(call, range)) kink_texts.push_back(decimal(kink));
  for (const Range& shade : saturated(call, range))
    shades.push_back(fmt::format("[{:.4g}, {:.4g}]", shade.from, shade.to));
  line("kinks", kink_texts);
  line("roots", root_texts);
  line(fmt::format("|f'| < {} in", decimal(kSaturated)), shades);
}

void plot_in_terminal(const Panel& panel, const std::vector<Call>& calls, Range range) {
  winsize size{};
  const bool terminal = isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const int columns = terminal ? std::clamp<int>(size.ws_col - 1, 40, 160) : 79;
  const int rows = terminal ? std::clamp<int>(size.ws_row - 2 - 3 * static_cast<int>(calls.size()), 12, 50) : 24;
  fmt::print("{}", draw_text(panel, columns, rows, terminal));
  for (const Call& call : calls) print_marks(call, range);
}

void plot(const Options& options) {
  std::vector<Call> calls;
  for (const std::string& text : options.functions) {
    calls.push_back(parse_call(text, options.kinks));
    if (!calls.back().entry->elementwise())
      fail("{} works on rows: it has no curve (see `actfun gallery`)", calls.back().text());
  }
  const Range range = parse_range(options.range);
  const std::string extension = std::filesystem::path(options.output).extension();
  if (!options.output.empty() && !is_picture(extension))
    fail("cannot draw {}: its name must end in .svg, .png or .pdf", options.output);
  std::vector<int> orders = options.orders;
  std::sort(orders.begin(), orders.end());
  orders.erase(std::unique(orders.begin(), orders.end()), orders.end());

  const Panel drawn = panel(calls, orders, range);
  if (options.output.empty()) return plot_in_terminal(drawn, calls, range);
  OutputFile file(options.output);  // before the work: a bad place is told at once
  const std::string bytes = draw({drawn}, {.extension = extension});
  file.write(bytes.data(), bytes.size(), 0);
  file.commit();
}

}  // namespace

void add_plot(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("plot", "Curves in the terminal or in a file");
  auto options = std::make_shared<Options>();
  verb->add_option("FUNCTION", options->functions, "NAME, NAME:PARAMETER=VALUE,... or NAME@PRESET")->required();
  verb->add_option("-o,--output", options->output, "FILE.svg, FILE.png or FILE.pdf; the terminal unless given");
  verb->add_option("--order", options->orders, "0 value, 1 first, 2 second derivative; several: 0,1,2")
      ->delimiter(',')
      ->check(CLI::Range(0, 2));
  add_kinks_option(verb, options->kinks);
  verb->add_option("--range", options->range, "A:B")->capture_default_str();
  verb->footer(
      "Kinks, roots and saturated regions, |f'| < 0.01, are marked. gnuplot draws.\n"
      "Examples:\n  actfun plot gelu\n  actfun plot gelu --order 0,1,2 --range -4:4 -o gelu.svg\n"
      "  actfun plot elu elu:alpha=0.5 silu -o three.png");
  verb->callback([options] { plot(*options); });
}

}  // namespace actfun::tool
