// SPDX-License-Identifier: Apache-2.0
#include "tool/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tool/gnuplot.h"
#include "tool/picture.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

constexpr std::size_t kColours = std::size(Palette::curves);

std::string quote(const std::string& text) { return fmt::format("'{}'", replace_all(text, "'", "''")); }

/// The points that can be drawn, as lines of x, y, low, high; a blank line between them lifts the pen.
std::string points(const Chart::Series& series, const Chart& chart) {
  std::string text;
  for (std::size_t i = 0; i < series.y.size(); ++i) {
    const double x = series.x[i], y = series.y[i], low = series.low.empty() ? y : series.low[i],
                 high = series.high.empty() ? y : series.high[i];
    if (!std::isfinite(x) || !std::isfinite(y) || (chart.log_y && y <= 0) || (chart.log_x && x <= 0))
      text += text.empty() || text.ends_with("\n\n") ? "" : "\n";
    else
      text += fmt::format("{:.6g} {:.6g} {:.6g} {:.6g}\n", x, y, chart.log_y && low <= 0 ? y : low, high);
  }
  return text;
}

/// From the first to the last x of all series; of one x, some room around it.
std::pair<double, double> x_range(const Chart& chart) {
  double low = INFINITY, high = -INFINITY;
  for (const Chart::Series& series : chart.series)
    for (const double x : series.x)
      if (std::isfinite(x) && !(chart.log_x && x <= 0)) low = std::min(low, x), high = std::max(high, x);
  if (!(low <= high)) return {1, 2};
  if (low == high) return chart.log_x ? std::pair(low / 2, high * 2) : std::pair(low - 1, high + 1);
  return {low, high};
}

std::string commands(const Chart& chart, std::size_t id) {
  std::string text = "unset logscale\nset autoscale\n", bands, lines;
  if (chart.log_x) text += "set logscale x\n";
  if (chart.log_y) text += "set logscale y\nset format y '%.0e'\n";
  if (!chart.log_y) text += "set format y '%g'\n";
  const auto [from, to] = x_range(chart);
  text += fmt::format("set xrange [{:.6g}:{:.6g}]\n", from, to);
  if (chart.y_range) text += fmt::format("set yrange [{}:{}]\n", chart.y_range->first, chart.y_range->second);
  text += fmt::format("set title {} font ',13' noenhanced textcolor rgb '{}'\n", quote(chart.title), Palette::text);
  text += fmt::format(
      "set xlabel {0} offset 0,0.5 noenhanced textcolor rgb '{2}'\nset ylabel {1} noenhanced textcolor rgb '{2}'\n",
      quote(chart.x_label), quote(chart.y_label), Palette::text);
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    static constexpr std::string_view dashes[] = {"1", "(10,5)", "(2,4)"};
    const Chart::Series& series = chart.series[i];
    const std::string name = fmt::format("d{}_{}", id, i);
    const std::string_view colour = Palette::curves[series.colour % kColours];
    const std::string_view dash = dashes[series.colour / kColours % std::size(dashes)];
    const std::string block = points(series, chart);
    if (block.empty()) continue;
    text += fmt::format("${} << EOD\n{}EOD\n", name, block);
    if (!series.low.empty())
      bands += fmt::format("${} using 1:3:4 with filledcurves fc rgb '{}' fs transparent solid 0.15 noborder notitle, ",
                           name, colour);
    lines += fmt::format("{}${} using 1:2 with {} lw 2 dt {} lc rgb '{}' {} title {}", lines.empty() ? "" : ", ", name,
                         series.points ? "linespoints" : "lines", dash, colour, series.points ? "pt 7 ps 0.5" : "",
                         quote(series.label));
  }
  if (lines.empty()) return text + "unset logscale y\nplot [][0:1] 1/0 notitle\n";
  return text + "plot " + bands + lines + "\n";
}

/// gnuplot's SVG without groups that hold nothing and attributes that say what is so anyway.
std::string compact(std::string svg) {
  for (const std::string_view useless :
       {" color=\"black\"", " stroke-linecap=\"butt\"", " stroke-linejoin=\"miter\"", " class=\"gridline\"",
        "<tspan font-family=\"DejaVu Sans\" >", "</tspan>", "\t"})
    svg = replace_all(std::move(svg), useless, "");
  constexpr std::string_view empty = "\">\n</g>\n";
  for (std::size_t at = 0; (at = svg.find(empty, at)) != svg.npos;) {
    const std::size_t start = svg.rfind("<g ", at);
    svg.erase(start, at + empty.size() - start);
    at = start;
  }
  return svg;
}

}  // namespace

std::string draw_charts(const std::vector<Chart>& charts, int columns, int width, int height) {
  const int rows = (static_cast<int>(charts.size()) + columns - 1) / columns;
  std::string script =
      fmt::format("set terminal svg size {},{} font 'DejaVu Sans,11' background rgb '{}'\nset encoding utf8\n",
                  width * columns, height * rows, Palette::paper);
  script += fmt::format(
      "set minussign\nset border 3 lw 1 lc rgb '{0}'\nset tics nomirror out scale 0.5 textcolor rgb '{1}'\n",
      Palette::axis, Palette::text);
  script += fmt::format("set grid back lt 1 lw 0.6 lc rgb '{}'\n", Palette::grid);
  script +=
      fmt::format("set key outside bottom center horizontal Left reverse noenhanced samplen 1.6 textcolor rgb '{}'\n",
                  Palette::text);
  script += fmt::format("set multiplot layout {},{} rowsfirst\n", rows, columns);
  for (std::size_t i = 0; i < charts.size(); ++i) script += commands(charts[i], i);
  return compact(gnuplot(script + "unset multiplot\n"));
}

}  // namespace actfun::tool
