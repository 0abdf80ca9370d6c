// SPDX-License-Identifier: Apache-2.0
#include "tool/health_report.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "tool/curves.h"
#include "tool/gnuplot.h"
#include "tool/page.h"
#include "tool/picture.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

using namespace health;
using Json = nlohmann::ordered_json;

/// Rows of a page's table of units.
constexpr std::size_t kWorstOnPage = 32;
/// A bin is drawn when it, or one farther out, holds this share of the elements.
constexpr double kDrawn = 0.001;

double share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}
std::string percent(double part) { return fmt::format("{:.1f} %", 100 * part); }
std::string percent(std::uint64_t part, std::uint64_t all) { return percent(share(part, all)); }
std::string number(double x) { return std::isnan(x) ? "-" : fmt::format("{:.4g}", x); }

std::string function_of(const Examined& e) { return e.patient->plan->call ? e.patient->plan->call->text() : "none"; }
bool has_function(const Examined& e) { return e.patient->plan->call.has_value(); }

/// Units, the worst first; equal ones in their order.
std::vector<std::size_t> worst_first(const std::vector<Summary>& units) {
  std::vector<std::size_t> order(units.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto badness = [&](std::size_t c) {
    const Summary& s = units[c];
    return std::tuple(share(s.counts[nan] + s.infinite(), s.elements), s.dead, share(s.counts[inactive], s.elements),
                      share(s.counts[health::saturated], s.elements), s.largest);
  };
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return badness(a) > badness(b); });
  return order;
}

using Table = std::vector<std::vector<std::string>>;

/// Columns side by side: the first to the left, the others to the right.
std::string aligned(const Table& table, std::string_view indent) {
  std::vector<std::size_t> widths;
  for (const auto& row : table)
    for (std::size_t c = 0; c < row.size(); ++c) {
      if (c == widths.size()) widths.push_back(0);
      widths[c] = std::max(widths[c], row[c].size());
    }
  std::string text;
  for (const auto& row : table) {
    std::string line(indent);
    for (std::size_t c = 0; c < row.size(); ++c)
      line += c == 0 ? fmt::format("{:<{}}", row[c], widths[c]) : fmt::format("  {:>{}}", row[c], widths[c]);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

const std::vector<std::string> kOverview{"layer", "function", "units",  "elements", "dead", "saturated",
                                         "NaN",   "inf",      "mean x", "spread x", "gain", "verdict"};
std::vector<std::string> overview(const Examined& e) {
  const Diagnosis& d = e.diagnosis;
  const Summary& all = d.all;
  return {e.patient->name,
          function_of(e),
          fmt::format("{}", d.channels.size()),
          fmt::format("{}", all.elements),
          fmt::format("{}", d.dead),
          has_function(e) ? percent(all.counts[health::saturated], all.elements) : "-",
          fmt::format("{}", all.counts[nan]),
          fmt::format("{}", all.infinite()),
          number(all.mean),
          number(all.spread),
          number(all.gain),
          std::string(health::name_of(d.verdict))};
}

const std::vector<std::string> kUnits{"unit",   "dead",     "inactive", "saturated", "mean x", "spread x",
                                      "mean f", "spread f", "gain",     "NaN",       "inf",    "largest"};
std::vector<std::string> unit_row(std::size_t c, const Summary& s, bool function) {
  return {fmt::format("{}", c),
          s.dead ? "yes" : "no",
          percent(s.counts[inactive], s.elements),
          function ? percent(s.counts[health::saturated], s.elements) : "-",
          number(s.mean),
          number(s.spread),
          number(s.f_mean),
          number(s.f_spread),
          number(s.gain),
          fmt::format("{}", s.counts[nan]),
          fmt::format("{}", s.infinite()),
          number(static_cast<double>(s.largest))};
}

std::string format_line(const Summary& all, Format format, std::string_view name, Count overflow, Count subnormal_count,
                        Count underflow) {
  return fmt::format("in {}: {} too large, {} subnormal, {} become 0{}", name, all.counts[overflow],
                     all.counts[subnormal_count], all.counts[underflow],
                     all.largest > 0 ? fmt::format("; {:.1f} binades of headroom", headroom(all, format)) : "");
}

/// Facts of a layer beside the overview, a line each.
std::vector<std::string> facts(const Examined& e) {
  const Summary& all = e.diagnosis.all;
  const Plan& plan = *e.patient->plan;
  std::vector<std::string> lines;
  lines.push_back(fmt::format("{} of {} units dead, {} of {} elements inactive, {} zero, {} subnormal in {}",
                              e.diagnosis.dead, e.diagnosis.channels.size(), all.counts[inactive], all.elements,
                              all.counts[zero], all.counts[subnormal], info_of(plan.format).name));
  if (plan.call) {
    const auto within = [](double error) { return error > 0 ? fmt::format(" (within {:.1g})", error) : std::string(); };
    lines.push_back(fmt::format("mean f {}{}, spread f {}, E[f'^2] {}{}", number(all.f_mean), within(all.f_error),
                                number(all.f_spread), number(all.gain), within(all.gain_error)));
  }
  lines.push_back(fmt::format("largest |x| {}", number(static_cast<double>(all.largest))));
  lines.push_back(format_line(all, Format::f16, "f16", f16_overflow, f16_subnormal, f16_underflow));
  lines.push_back(format_line(all, Format::bf16, "bf16", bf16_overflow, bf16_subnormal, bf16_underflow));
  return lines;
}

Json summary_json(const Summary& s, bool function) {
  const auto count = [&](Count which) { return s.counts[which]; };
  Json json{{"elements", s.elements}};
  json["inactive"] = count(inactive);
  json["saturated"] = function ? Json(count(health::saturated)) : Json();
  json["nan"] = count(nan);
  json["inf"] = s.infinite();
  json["subnormal"] = count(subnormal);
  json["zero"] = count(zero);
  json["plus_inf"] = count(plus_inf);
  json["minus_inf"] = count(minus_inf);
  json["mean"] = s.mean;
  json["spread"] = s.spread;
  json["largest"] = s.largest;
  json["f_mean"] = s.f_mean;
  json["f_spread"] = s.f_spread;
  json["gain"] = s.gain;
  json["f_error"] = function ? Json(s.f_error) : Json();
  json["gain_error"] = function ? Json(s.gain_error) : Json();
  json["lost"] = function ? Json(count(lost)) : Json();
  const auto format = [&](Format f, Count overflow, Count subnormal_count, Count underflow) {
    return Json{{"overflow", count(overflow)},
                {"subnormal", count(subnormal_count)},
                {"underflow", count(underflow)},
                {"headroom_binades", s.largest > 0 ? Json(headroom(s, f)) : Json()}};
  };
  json["f16"] = format(Format::f16, f16_overflow, f16_subnormal, f16_underflow);
  json["bf16"] = format(Format::bf16, bf16_overflow, bf16_subnormal, bf16_underflow);
  return json;
}

/// The bins that are drawn: [first, last).
std::pair<std::size_t, std::size_t> drawn_bins(const Summary& all) {
  const std::uint64_t total = all.finite();
  const auto beyond = [&](std::size_t from, std::size_t to) {
    return share(std::accumulate(all.bins + from, all.bins + to, std::uint64_t{0}), total) >= kDrawn;
  };
  std::size_t first = kOutside, last = kOutside + kInside;
  while (first > 1 && beyond(0, first)) --first;
  while (last < kBins - 1 && beyond(last, kBins)) ++last;
  return {first, last};
}

/// The distribution of x as bars, and f over it.
std::string histogram(const Examined& e) {
  const Summary& all = e.diagnosis.all;
  const auto [first, last] = drawn_bins(all);
  std::string bars;
  for (std::size_t b = first; b < last; ++b) {
    const double from = bin_edge(b), to = bin_edge(b + 1);
    bars += fmt::format("{:.9g} {:.9g} {:.9g}\n", (from + to) / 2, share(all.bins[b], all.finite()) / (to - from),
                        to - from);
  }
  std::string script = fmt::format(
      "set terminal svg size 640,300 font 'DejaVu Sans,11' background rgb '{0}'\nset encoding utf8\nset minussign\n"
      "set border 11 lw 1 lc rgb '{1}'\nset tics nomirror out scale 0.5 textcolor rgb '{2}'\n"
      "set xrange [{3}:{4}]\nset yrange [0:*]\nset format y ''\nset key outside top right horizontal Left reverse "
      "samplen 1.6 textcolor rgb '{2}'\n$bars << EOD\n{5}EOD\n",
      Palette::paper, Palette::axis, Palette::text, bin_edge(first), bin_edge(last), bars);
  std::string plots = fmt::format(
      "plot $bars using 1:2:3 with boxes fs solid 0.6 noborder lc rgb '{}' title 'elements'", Palette::curves[5]);
  if (const auto& call = e.patient->plan->call) {
    script += "set y2tics\nset ytics scale 0\n";
    const Range range{static_cast<float>(bin_edge(first)), static_cast<float>(bin_edge(last))};
    for (const int order : {0, 1}) {
      std::string points;
      for (const auto& piece : curve(*call, order, range, 400).pieces) {
        for (const Point& point : piece) points += fmt::format("{} {}\n", decimal(point.x), decimal(point.y));
        points += "\n";
      }
      script += fmt::format("$f{} << EOD\n{}EOD\n", order, points);
      plots += fmt::format(", $f{} axes x1y2 with lines lw 2 lc rgb '{}' title '{}'", order, Palette::curves[order],
                           order == 0 ? "f" : "f ′");
    }
  }
  return gnuplot(script + plots + "\n");
}

std::string anchor(std::size_t i) { return fmt::format("layer-{}", i + 1); }

std::vector<Cell> cells(const std::vector<std::string>& row) {
  std::vector<Cell> list;
  for (const std::string& text : row)
    list.push_back({text, text.ends_with(" %") ? text.substr(0, text.size() - 2) : text, ""});
  return list;
}

}  // namespace

std::vector<Examined> examine(const Patients& patients) {
  std::vector<Examined> list;
  for (const Patient& patient : patients.list()) list.push_back({&patient, diagnose(*patient.layer)});
  return list;
}

std::string health_text(const std::vector<Examined>& layers, std::size_t worst) {
  Table table{kOverview};
  for (const Examined& e : layers) table.push_back(overview(e));
  std::string text = aligned(table, "");
  for (const Examined& e : layers) {
    const Diagnosis& d = e.diagnosis;
    text += fmt::format("\n{}: {}\n", e.patient->name, health::name_of(d.verdict));
    for (const std::string& line : facts(e)) text += fmt::format("  {}\n", line);
    for (const Finding& finding : d.findings)
      text += fmt::format("  {}: {}: {}.\n    {}\n", health::name_of(finding.level), finding.name, finding.reason,
                          finding.help);
    if (worst == 0 || d.channels.size() < 2) continue;
    Table units{kUnits};
    const std::vector<std::size_t> order = worst_first(d.channels);
    for (std::size_t i = 0; i < std::min(worst, order.size()); ++i)
      units.push_back(unit_row(order[i], d.channels[order[i]], has_function(e)));
    text += fmt::format("  worst units\n{}", aligned(units, "    "));
  }
  return text;
}

Json health_json(const std::vector<Examined>& layers) {
  Json list = Json::array();
  Level verdict = Level::healthy;
  for (const Examined& e : layers) {
    const Diagnosis& d = e.diagnosis;
    const bool function = has_function(e);
    verdict = std::max(verdict, d.verdict);
    Json json{{"name", e.patient->name}};
    json["function"] = function ? Json(function_of(e)) : Json();
    json["tolerance"] = function ? Json(std::stod(decimal(e.patient->plan->tolerance))) : Json();
    json["format"] = info_of(e.patient->plan->format).name;
    json["batches"] = e.patient->batches;
    json["units"] = d.channels.size();
    json["dead"] = d.dead;
    json.update(summary_json(d.all, function));
    json["constant"] = d.constant;
    Json edges = Json::array(), counts = Json::array();
    for (std::size_t b = 1; b < kBins; ++b) edges.push_back(bin_edge(b));
    for (const std::uint64_t n : d.all.bins) counts.push_back(n);
    json["histogram"] = {{"edges", edges}, {"counts", counts}};
    json["verdict"] = health::name_of(d.verdict);
    json["findings"] = Json::array();
    for (const Finding& f : d.findings)
      json["findings"].push_back(
          {{"level", health::name_of(f.level)}, {"name", f.name}, {"reason", f.reason}, {"help", f.help}});
    json["channels"] = Json::array();
    for (const Summary& s : d.channels) {
      Json unit{{"dead", s.dead}};
      unit.update(summary_json(s, function));
      json["channels"].push_back(unit);
    }
    list.push_back(json);
  }
  return {{"verdict", health::name_of(verdict)}, {"layers", list}};
}

std::string health_page(const std::vector<Examined>& layers) {
  std::vector<std::vector<Cell>> rows;
  std::string navigation, sections;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Examined& e = layers[i];
    const Diagnosis& d = e.diagnosis;
    rows.push_back(cells(overview(e)));
    rows.back()[0].link = anchor(i);
    navigation += fmt::format("<a href=\"#{}\">{}</a> ", anchor(i), escape_html(e.patient->name));
    sections += fmt::format("<article id=\"{}\"><h3>{}: {}</h3>\n", anchor(i), escape_html(e.patient->name),
                            health::name_of(d.verdict));
    for (const Finding& f : d.findings)
      sections += fmt::format("<p><i>{}: {}.</i> {}. {}</p>\n", health::name_of(f.level), f.name, typeset(f.reason),
                              typeset(f.help));
    if (d.all.finite() > 0)
      sections += figure(histogram(e), anchor(i) + "-picture", e.patient->name,
                         has_function(e) ? "How the elements lie over the curve; f and f' on the right axis."
                                         : "How the elements are distributed.");
    sections += "<ul>\n";
    for (const std::string& line : facts(e)) sections += fmt::format("<li>{}</li>\n", typeset(line));
    sections += "</ul>\n";
    std::vector<std::vector<Cell>> units;
    const std::vector<std::size_t> order = worst_first(d.channels);
    for (std::size_t k = 0; k < std::min(kWorstOnPage, order.size()); ++k)
      units.push_back(cells(unit_row(order[k], d.channels[order[k]], has_function(e))));
    sections += table(kUnits, units) + "</article>\n";
  }
  const std::string body = "<h2>All layers</h2>\n" + table(kOverview, rows) + "<h2>Layer by layer</h2>\n" + sections;
  return document("actfun health", "How the network feels", fmt::format("{} layers.", layers.size()), navigation, body,
                  fmt::format("Written by actfun health {}. Tables show the worst {} units at most; --json has all.",
                              ACTFUN_VERSION, kWorstOnPage));
}

}  // namespace actfun::tool
