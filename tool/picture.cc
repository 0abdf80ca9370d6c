// SPDX-License-Identifier: Apache-2.0
#include "tool/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tool/gnuplot.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

/// f and its derivatives with real primes.
std::string order_label(int order) {
  static constexpr std::string_view labels[] = {"f", "f ′", "f ″"};
  return std::string(labels[order]);
}

std::string quote(std::string_view text) { return fmt::format("'{}'", replace_all(std::string(text), "'", "''")); }

/// The smallest range that shows all points, with some air.
Range y_range(const Panel& panel) {
  float low = INFINITY, high = -INFINITY;
  for (const auto& line : panel.lines)
    for (const auto& piece : line.curve.pieces)
      for (const Point& point : piece) low = std::min(low, point.y), high = std::max(high, point.y);
  if (!(low <= high)) return {-1, 1};
  float air = 0.06f * (high - low);
  if (air <= 1e-6f * std::max(std::fabs(low), std::fabs(high)) || air == 0)
    air = std::max(0.5f, 0.1f * std::fabs(high));
  constexpr float most = std::numeric_limits<float>::max();
  return {std::max(low - air, -most), std::min(high + air, most)};
}

/// A data block with a blank line between pieces: gnuplot lifts the pen there.
std::string data(std::string_view name, const std::vector<std::vector<Point>>& pieces) {
  std::string text = fmt::format("${} << EOD\n", name);
  for (const auto& piece : pieces) {
    for (const Point& point : piece) text += fmt::format("{} {}\n", decimal(point.x), decimal(point.y));
    text += '\n';
  }
  return text + "EOD\n";
}

std::string style(bool terminal) {
  std::string text =
      "set encoding utf8\nset decimalsign '.'\nset samples 2\n"
      "set tics nomirror out scale 0.5\nset lmargin 6\nset rmargin 3\n";
  if (terminal) return text + "set border 3\nset key outside top left horizontal noenhanced\nset tmargin 3\n";
  text += fmt::format("set minussign\nset border 3 lw 1 lc rgb '{}'\n", Palette::axis);
  text += fmt::format("set tics textcolor rgb '{}'\n", Palette::text);
  text += fmt::format("set grid back lt 1 lw 0.6 lc rgb '{}'\n", Palette::grid);
  text += fmt::format("set xzeroaxis lt 1 lw 1 lc rgb '{0}'\nset yzeroaxis lt 1 lw 1 lc rgb '{0}'\n", Palette::axis);
  text += fmt::format(
      "set key outside top right horizontal Left reverse noenhanced samplen 1.6 width -1 textcolor rgb '{}'\n",
      Palette::text);
  return text;
}

/// Commands for one panel; `id` keeps the data of several apart.
std::string commands(const Panel& panel, std::size_t id) {
  const Range y = panel.y ? *panel.y : y_range(panel);
  std::string text = "unset object\nunset arrow\n";
  text += fmt::format("set xrange [{}:{}]\nset yrange [{}:{}]\n", panel.range.from, panel.range.to, y.from, y.to);
  text += panel.legend ? fmt::format("set key on maxcols {}\n", panel.title.empty() ? "auto" : "3")
                       : "unset key\nset tmargin 2.4\n";
  if (panel.legend_only)
    text +=
        "unset border\nunset tics\nunset grid\nunset xzeroaxis\nunset yzeroaxis\nset key inside center vertical "
        "spacing 1.6\n";
  // The title is a label in the legend's line: a title of gnuplot's takes a line of its own.
  text += panel.title.empty()
              ? "unset label\n"
              : fmt::format(
                    "set label 1 {} at graph 0, graph 1 offset 0,{} noenhanced front font ',{}' textcolor rgb '{}'\n",
                    quote(panel.title), panel.terminal ? 2 : 1.1, 14, Palette::text);

  std::string plots;
  const auto plot = [&](std::string_view block, std::string_view how, std::string_view label) {
    plots += fmt::format("{} ${} with {} {}", plots.empty() ? "plot" : ", \\\n ", block, how,
                         label.empty() ? "notitle" : "title " + quote(label));
  };
  for (const auto& [shade, colour] : panel.shades) {
    if (panel.terminal || panel.legend_only) continue;  // characters have no shades; the caller tells in words
    if (!colour) {
      text += fmt::format("set object rectangle from {}, graph 0 to {}, graph 1 behind fc rgb '{}' fs solid noborder\n",
                          shade.from, shade.to, Palette::shade);
    } else {
      text += fmt::format(
          "set object rectangle from {}, graph {:.3f} to {}, graph {:.3f} behind fc rgb '{}' fs solid 0.55 noborder\n",
          shade.from, 0.014 * *colour, shade.to, 0.014 * *colour + 0.011, Palette::curves[*colour]);
    }
  }
  for (const float kink : panel.kinks)
    if (!panel.legend_only)
      text += fmt::format("set arrow from {0}, graph 0 to {0}, graph 1 nohead {2} dt 3 lw 1.2 lc rgb '{1}'\n", kink,
                          Palette::mark, panel.terminal ? "front" : "back");

  for (std::size_t i = 0; i < panel.lines.size(); ++i) {
    const auto& line = panel.lines[i];
    const std::string name = fmt::format("d{}_{}", id, i), colour(Palette::curves[line.colour]);
    if (std::all_of(line.curve.pieces.begin(), line.curve.pieces.end(), [](auto& piece) { return piece.empty(); }))
      continue;
    text += data(name, line.curve.pieces);
    plot(name, fmt::format("lines lw {} dt {} lc rgb '{}'", line.width, line.dash, colour), line.label);
  }
  for (std::size_t i = 0; i < panel.lines.size() && !panel.terminal; ++i) {  // the dots lie over all curves
    const auto& line = panel.lines[i];
    const std::string_view colour = Palette::curves[line.colour];
    if (!line.curve.open.empty()) {
      const std::string name = fmt::format("open{}_{}", id, i);
      text += data(name, {line.curve.open});
      plot(name, fmt::format("points pt 7 ps 0.62 lc rgb '{}'", colour), "");
      plot(name, fmt::format("points pt 7 ps 0.36 lc rgb '{}'", Palette::paper), "");
    }
    if (!line.curve.closed.empty()) {
      const std::string name = fmt::format("closed{}_{}", id, i);
      text += data(name, {line.curve.closed});
      plot(name, fmt::format("points pt 7 ps 0.62 lc rgb '{}'", colour), "");
    }
  }
  if (!panel.roots.empty()) {
    std::vector<Point> points;
    for (const float root : panel.roots) points.push_back({root, 0});
    const std::string name = fmt::format("roots{}", id);
    text += data(name, {points});
    plot(name, panel.terminal ? "points pt 'o'" : fmt::format("points pt 13 ps 0.85 lc rgb '{}'", Palette::mark),
         "root");
  }
  if (!panel.terminal && panel.legend) {  // legend entries without data
    if (!panel.kinks.empty())
      plots += fmt::format(", \\\n  1/0 with lines dt 3 lw 1.4 lc rgb '{}' title 'kink'", Palette::mark);
    if (!panel.shades.empty())
      plots += fmt::format(", \\\n  1/0 with boxes fs solid noborder lc rgb '{}' title '|f ′| < {}'",
                           panel.shades.front().second ? Palette::mark : Palette::shade, decimal(kSaturated));
  }
  if (plots.empty()) plots = "plot 1/0 notitle";
  return text + plots + "\n";
}

}  // namespace

Panel panel(const std::vector<Call>& calls, const std::vector<int>& orders, Range range, std::size_t points) {
  static constexpr std::string_view dashes[] = {"1", "(10,5)", "(2,4)"};
  constexpr std::size_t kColours = std::size(Palette::curves);
  Panel panel;
  panel.range = range;
  const bool one = calls.size() == 1;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const Call& call = calls[i];
    for (std::size_t j = 0; j < orders.size(); ++j) {
      const std::string label = one              ? order_label(orders[j])
                                : orders[j] == 0 ? call.text()
                                                 : fmt::format("{} {}", call.text(), order_label(orders[j]).substr(2));
      const std::size_t colour = one ? static_cast<std::size_t>(orders[j]) : i % kColours;
      const std::string_view dash = dashes[one ? 0 : orders[j]];
      // Later curves are thinner: where they coincide, on an axis say, all stay visible.
      panel.lines.push_back({label, curve(call, orders[j], range, points), colour, dash, 3.1 - 0.9 * orders[j]});
    }
    for (const float kink : kinks(call, range)) panel.kinks.push_back(kink);
    for (const float root : roots(call, range)) panel.roots.push_back(root);
    for (const Range& shade : saturated(call, range))
      panel.shades.emplace_back(shade, one ? std::nullopt : std::optional(i % kColours));
  }
  if (one) panel.title = calls[0].text();
  for (auto* list : {&panel.kinks, &panel.roots}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return panel;
}

bool is_picture(std::string_view extension) {
  return extension == ".svg" || extension == ".png" || extension == ".pdf";
}

std::string draw(const std::vector<Panel>& panels, const Canvas& canvas, int columns) {
  constexpr auto font = "font 'DejaVu Sans,11'";
  std::string script;
  if (canvas.extension == ".svg")
    script = fmt::format("set terminal svg size {},{} {} background rgb '{}'\n", canvas.width, canvas.height, font,
                         Palette::paper);
  else if (canvas.extension == ".png")
    script =
        fmt::format("set terminal pngcairo size {},{} {} fontscale 2 linewidth 2 pointscale 2 background rgb '{}'\n",
                    2 * canvas.width, 2 * canvas.height, font, Palette::paper);
  else
    script = fmt::format("set terminal pdfcairo size {:.3f}in,{:.3f}in {} background rgb '{}'\n", canvas.width / 96.0,
                         canvas.height / 96.0, font, Palette::paper);
  script += style(false);
  const int rows = (static_cast<int>(panels.size()) + columns - 1) / columns;
  const bool several = panels.size() > 1;
  if (several) script += fmt::format("set multiplot layout {},{} rowsfirst\n", rows, columns);
  for (std::size_t i = 0; i < panels.size(); ++i) script += commands(panels[i], i);
  if (several) script += "unset multiplot\n";
  return gnuplot(script);
}

std::string draw_text(Panel panel, int columns, int rows, bool colours) {
  panel.terminal = true;
  return gnuplot(fmt::format("set terminal dumb size {},{} {}\n", columns, rows, colours ? "ansi256" : "mono") +
                 style(true) + commands(panel, 0));
}

}  // namespace actfun::tool
