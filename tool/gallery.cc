// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/trace/formula.h"
#include "tool/certified.h"
#include "tool/curves.h"
#include "tool/output.h"
#include "tool/page.h"
#include "tool/picture.h"
#include "tool/progress.h"
#include "tool/record.h"
#include "tool/rows.h"
#include "tool/text.h"
#include "tool/verbs.h"

namespace actfun::tool {
namespace {

/// The seven curves of the classic sheet: the only list of functions in the program.
constexpr std::string_view kSheet[] = {"sigmoid", "tanh", "elu", "softplus", "softsign", "relu", "relu6"};
constexpr Range kWide{-10, 10}, kNear{-6, 6};

/// Cards show little more of y than the derivatives need, at nearly the scale of x: slopes look as steep as they are.
constexpr Range kCardLimits{-2.2f, 3.4f};
constexpr int kCardWidth = 600, kCardHeight = 370;
constexpr std::size_t kCardPoints = 400;

struct Picture {
  std::vector<Panel> panels;
  int width, height, columns;

  std::string draw(std::string extension) const {
    return tool::draw(panels, {std::move(extension), width, height}, columns);
  }
};

Panel::Line line(std::string label, std::vector<Point> list, std::size_t colour) {
  return {std::move(label), {{std::move(list)}, {}, {}}, colour};
}

/// The eighth place: what the marks mean. Its points lie outside of its range.
Panel sheet_legend() {
  Panel legend;
  legend.legend_only = true;
  legend.range = {0, 1};
  legend.y = {{0, 1}};
  legend.lines.push_back(line("f, the function", {{2, 2}, {3, 3}}, 0));
  legend.kinks = legend.roots = {2};
  legend.shades = {{{2, 3}, std::nullopt}};
  return legend;
}

Picture sheet() {
  Picture picture{{}, 900, 920, 2};
  for (const std::string_view name : kSheet) {
    picture.panels.push_back(panel({parse_function(name)}, {0}, kWide, kCardPoints));
    picture.panels.back().legend = false;
  }
  picture.panels.push_back(sheet_legend());
  return picture;
}

Picture elementwise_card(const Call& call) {
  Panel drawn = panel({call}, {0, 1, 2}, kNear, kCardPoints);
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (const auto& line : drawn.lines)
    for (const auto& piece : line.curve.pieces)
      for (const Point& point : piece) low = std::min(low, point.y), high = std::max(high, point.y);
  drawn.y = Range{std::max(low - 0.25f, kCardLimits.from), std::min(high + 0.25f, kCardLimits.to)};
  return {{drawn}, kCardWidth, kCardHeight, 1};
}

std::vector<float> grid(Range range) {
  std::vector<float> x(kCardPoints + 1);
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = range.from + (range.to - range.from) * static_cast<float>(i) / kCardPoints;
  return x;
}

std::vector<Point> points(const std::vector<float>& x, const std::vector<float>& y, std::size_t first,
                          std::size_t stride) {
  std::vector<Point> list;
  for (std::size_t i = 0; i < x.size(); ++i) list.push_back({x[i], y[first + i * stride]});
  return list;
}

/// A function of rows, on rows (x, 0, 1): all three results over x.
Panel row_panel(const Call& call) {
  const std::vector<float> x = grid(kNear);
  std::vector<float> rows, y(3 * x.size());
  for (const float value : x) rows.insert(rows.end(), {value, 0, 1});
  evaluate_rows(call, rows.data(), y.data(), nullptr, {x.size(), 3, 1}, current_target());
  Panel drawn;
  drawn.title = fmt::format("{}(x, 0, 1)", call.text());
  drawn.range = kNear;
  for (std::size_t j = 0; j < 3; ++j)
    drawn.lines.push_back(line(std::string(std::array{"of x", "of 0", "of 1"}[j]), points(x, y, j, 3), j));
  return drawn;
}

/// A function of groups, on k straight lines: what a unit with k pieces can learn.
Panel group_panel(const Call& call) {
  const std::size_t k = group_size(call);
  const Range range{-3, 3};
  const std::vector<float> x = grid(range);
  std::vector<float> rows, y(x.size());
  for (const float value : x)
    for (std::size_t j = 0; j < k; ++j) {  // tangents of the parabola x^2/2
      const float slope = k == 1 ? 0 : 3.2f * (static_cast<float>(j) / (k - 1) - 0.5f);
      rows.push_back(slope * value - slope * slope / 2);
    }
  evaluate_rows(call, rows.data(), y.data(), nullptr, {1, rows.size(), 1}, current_target());
  Panel drawn;
  drawn.title = fmt::format("{} = {}", call.info().parameters[0].name, k);
  drawn.legend = false;
  drawn.range = range;
  drawn.y = Range{-2.2f, 3.8f};
  for (std::size_t j = 0; j < k; ++j) {
    Panel::Line piece = line("", points(x, rows, j, k), 5);
    piece.width = 1.4, piece.dash = "(6,4)";
    drawn.lines.push_back(std::move(piece));
  }
  drawn.lines.push_back(line("", points(x, y, 0, 1), 0));
  drawn.lines.back().width = 3;
  return drawn;
}

Picture axis_card(const Call& call) {
  if (group_size(call) == 0) return {{row_panel(call)}, kCardWidth, kCardHeight, 1};
  Picture picture{{}, kCardWidth, 300, 2};
  for (const int k : {2, 3})
    picture.panels.push_back(
        group_panel(parse_function(fmt::format("{}:{}={}", call.info().name, call.info().parameters[0].name, k))));
  return picture;
}

std::string percent(double share) { return fmt::format("{:.1f}\u00a0%", 100 * share); }

std::string formula(const Call& call) {
  std::string math = trace::formula(call.entry->id, trace::Notation::mathml);
  if (math.empty()) return fmt::format("<span><i>y</i> = {}</span>", typeset(call.info().formula));
  return math.insert(math.find('>') + 1,
                     "<mi>f</mi><mo stretchy=\"false\">(</mo><mi>x</mi><mo stretchy=\"false\">)</mo><mo>=</mo>");
}

Card card(const Call& call, std::string svg) {
  const Info& info = call.info();
  Card made{.name = std::string(info.name),
            .formula = formula(call),
            .derivatives = {},
            .svg = std::move(svg),
            .caption = {},
            .facts = facts(call)};
  if (call.entry->elementwise()) {
    made.derivatives = {{"f'(x)", std::string(info.derivative)}, {"f''(x)", std::string(info.second_derivative)}};
    made.caption =
        fmt::format("{} with its slope f' and its curvature f''. Shaded: |f'| < {}.", call.text(), decimal(kSaturated));
    made.facts.emplace_back(fmt::format("|f'| < {}", decimal(kSaturated)),
                            fmt::format("on {} of [-10, 10]", percent(saturated_share(call, kWide))));
  } else {
    if (!info.derivative.empty()) made.derivatives = {{"dy_i/dx_j", std::string(info.derivative)}};
    made.caption = group_size(call) > 0
                       ? "The largest of k straight lines (dashed): a convex function in k linear pieces."
                       : "All results of the row (x, 0, 1), while x moves.";
  }
  if (const std::string summary = certificate_summary(*call.entry); !summary.empty())
    made.facts.emplace_back("certificate", summary);
  return made;
}

std::vector<Cell> row(const Call& call) {
  const Info& info = call.info();
  const std::string name(info.name);
  const auto same = [](std::string_view text) { return Cell{std::string(text), std::string(text), ""}; };
  const auto limit = [&](int order, float x) {
    const std::string text = decimal(evaluate_at(call, order, x));
    return Cell{text, text == "inf" ? "Infinity" : text == "-inf" ? "-Infinity" : text, ""};
  };
  std::vector<Cell> cells = {{name, name, name},
                             same(info.family),
                             same(parameters_text(call)),
                             {short_decimals(info.range), std::string(info.range), ""}};
  if (call.entry->elementwise()) {
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const double share = saturated_share(call, kWide);
    const std::string steepest = lipschitz_default(call);
    for (const float x : {-infinity, infinity}) cells.push_back(limit(0, x));
    cells.push_back(same(info.monotone));
    cells.push_back({steepest.substr(0, 6), steepest, ""});
    cells.push_back({fmt::format("{}", info.kinks.size()), fmt::format("{}", info.kinks.size()), ""});
    cells.push_back({percent(share), fmt::format("{}", share), ""});
  } else {
    cells.resize(cells.size() + 6);
  }
  cells.push_back(same(certified(*call.entry) ? "yes" : "no"));
  return cells;
}

void gallery(const std::string& directory, bool only_svg) {
  OutputDirectory out(directory);  // first: a bad place is told before the work
  Progress progress("drawing", 2 * functions().size() + 2);
  const auto write = [&](const std::string& name, const Picture& picture) {
    const std::string svg = picture.draw(".svg");
    progress.add(1);
    out.write(name + ".svg", svg);
    if (!only_svg) out.write(name + ".png", picture.draw(".png"));
    progress.add(1);
    return svg;
  };
  Page page;
  page.sheet_svg = write("sheet", sheet());
  page.sheet_caption = fmt::format("{} over [-10, 10].", fmt::join(kSheet, ", "));
  page.columns = {"name",     "family",   "parameters", "range",     "at -inf",  "at +inf",
                  "monotone", "max |f'|", "kinks",      "saturated", "certified"};
  for (const Entry& entry : functions()) {
    const Call call = parse_function(entry.info->name);
    const Picture picture = entry.elementwise() ? elementwise_card(call) : axis_card(call);
    page.cards.push_back(card(call, write(std::string(entry.info->name), picture)));
    page.rows.push_back(row(call));
  }
  page.closing = fmt::format(
      "All curves and numbers are the library's own output at default parameters. Saturated: the share of [-10, 10] "
      "where "
      "|f'| < {}, counted in the middles of {} cells of equal width. At kinks a filled dot is the value that the "
      "library returns, an "
      "open one the limit from that side. actfun {}.",
      decimal(kSaturated), kShareGrid, ACTFUN_VERSION);
  out.write("index.html", html(page));
  out.commit();
}

}  // namespace

void add_gallery(CLI::App& app) {
  CLI::App* verb = app.add_subcommand("gallery", "A page with the curves and facts of all functions");
  auto directory = std::make_shared<std::string>("gallery");
  auto only_svg = std::make_shared<bool>(false);
  verb->add_option("-o,--output", *directory, "Directory for index.html and the pictures")->capture_default_str();
  verb->add_flag("--only-svg", *only_svg, "No PNG beside the SVG");
  verb->footer(
      "The page needs no network. The pictures lie beside it as SVG and PNG.\n"
      "Examples:\n  actfun gallery\n  actfun gallery -o pictures");
  verb->callback([directory, only_svg] {
    gallery(*directory, *only_svg);
    fmt::print("{}/index.html\n", *directory);
  });
}

}  // namespace actfun::tool
