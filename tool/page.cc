// SPDX-License-Identifier: Apache-2.0
#include "tool/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "tool/picture.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --paper: #fffefb; --ink: #23262c; --soft: #626973; --rule: #d9d6cc; --link: #0a5c94;
  --f: #0072b2; --f1: #d55e00; --f2: #009e73; --c3: #cc79a7; --c4: #e69f00; --c5: #56b4e9; --axis: #8b919b;
  --grid: #eceae3; --shade: #f4efe1; --mark: #5f6670; }
@media (prefers-color-scheme: dark) { :root { --paper: #16181c; --ink: #e4e2dc; --soft: #9ba1ab; --rule: #373b43;
  --link: #7fbdf0; --f: #58b0f0; --f1: #ff9045; --f2: #3fcf9f; --c3: #e89bc6; --c4: #f2b53a; --c5: #8ad0fa;
  --axis: #767d88; --grid: #282c33; --shade: #2a2820; --mark: #a0a6b0; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; }
body { margin: 0 auto; padding: 3.5rem 1.5rem 5rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1.06rem/1.55 "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "P052", "Book Antiqua", Georgia,
  "DejaVu Serif", serif; font-variant-numeric: lining-nums; }
a { color: var(--link); text-decoration: none; } a:hover { text-decoration: underline; }
header { margin-bottom: 2.5rem; }
h1 { font-size: 2.5rem; font-weight: 500; line-height: 1.15; margin: 0 0 .5rem; letter-spacing: -.01em; }
h2 { font-size: 1.55rem; font-weight: 500; margin: 4rem 0 1rem; padding-bottom: .35rem; border-bottom: 1px solid var(--rule); }
h3 { font-size: 1.45rem; font-weight: 500; margin: 0; } h3 a { color: inherit; }
.lead { font-size: 1.2rem; color: var(--soft); max-width: 42rem; margin: 0; }
nav { margin-top: 1.4rem; line-height: 1.9; } nav a { margin-right: .95rem; white-space: nowrap; }
figure { margin: 0; } figure svg { display: block; width: 100%; height: auto; }
svg text, svg tspan { font-family: inherit; } svg text { font-size: 1.08em; }
figcaption { color: var(--soft); font-size: .92rem; line-height: 1.45; margin-top: .5rem; max-width: 46rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .93rem; border-top: 2px solid var(--ink); border-bottom: 2px solid var(--ink); }
th { font-weight: 500; font-style: italic; text-align: left; vertical-align: bottom; padding: .45rem .7rem .45rem 0;
  border-bottom: 1px solid var(--ink); cursor: pointer; line-height: 1.25; }
th::after { content: ""; font-style: normal; font-size: .7em; padding-left: .3em; color: var(--soft); }
th[aria-sort=ascending]::after { content: "▲"; } th[aria-sort=descending]::after { content: "▼"; }
td { padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: baseline; }
tr:last-child td { border-bottom: 0; } td:first-child { white-space: nowrap; }
td:nth-child(n+4) { font-feature-settings: "tnum"; }
article { margin: 2.6rem 0 0; padding: 2.4rem 0 0; border-top: 1px solid var(--rule); scroll-margin-top: 1rem; }
h2 + article { border-top: 0; padding-top: 0; margin-top: 1.2rem; }
.formula { display: flex; margin: .9rem 0 .2rem; overflow-x: auto; overflow-y: hidden; padding: .2rem 0; }
.formula math { font-size: 1.25rem; }
.derivatives { margin: .35rem 0 1.1rem; color: var(--soft); font-size: .95rem; }
.derivatives span { display: inline-block; margin-right: 1.6rem; } .derivatives i { color: var(--ink); }
.body { display: grid; grid-template-columns: minmax(0, 1.55fr) minmax(0, 1fr); gap: 2.2rem; align-items: start; }
dl { margin: .3rem 0 0; font-size: .93rem; line-height: 1.42; display: grid; grid-template-columns: max-content 1fr; gap: .28rem .9rem; }
sub, sup { font-size: .72em; line-height: 0; }
dt { color: var(--soft); font-style: italic; } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: .92rem; max-width: 46rem; }
@media (max-width: 52rem) { .body { grid-template-columns: minmax(0, 1fr); gap: 1rem; } body { padding-top: 2rem; } }
@media print { body { max-width: none; } article { break-inside: avoid; } }
)";

constexpr std::string_view kScript = R"(
for (const th of document.querySelectorAll("th")) {
  const sort = () => {
    const body = th.closest("table").tBodies[0], i = th.cellIndex, up = th.ariaSort !== "ascending";
    const key = row => { const k = row.cells[i].dataset.key, n = Number(k); return k === "" || isNaN(n) ? k : n; };
    const compare = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1;
    const rows = [...body.rows].sort((r, s) => (up ? 1 : -1) * compare(key(r), key(s)));
    for (const other of th.parentNode.cells) other.ariaSort = other === th ? (up ? "ascending" : "descending") : "none";
    body.append(...rows);
  };
  th.tabIndex = 0;
  th.addEventListener("click", sort);
  th.addEventListener("keydown", event => { if (event.key === "Enter") sort(); });
}
)";

struct Name {
  std::string_view colour, variable;
};
/// In gnuplot's pictures every colour has a meaning, which the style sheet knows by a name.
constexpr Name kNames[] = {{Palette::curves[0], "--f"},  {Palette::curves[1], "--f1"}, {Palette::curves[2], "--f2"},
                           {Palette::curves[3], "--c3"}, {Palette::curves[4], "--c4"}, {Palette::curves[5], "--c5"},
                           {Palette::text, "--ink"},     {Palette::axis, "--axis"},    {Palette::grid, "--grid"},
                           {Palette::shade, "--shade"},  {Palette::paper, "--paper"},  {Palette::mark, "--mark"}};

/// gnuplot's SVG as part of the page: scalable, with the page's colours, without what only a file needs.
std::string inline_svg(std::string svg, std::string_view id, std::string_view label) {
  const std::size_t box = svg.find("viewBox="), body = svg.find("<g id=\"gnuplot_canvas\"");
  if (box == svg.npos || body == svg.npos) fail("gnuplot's SVG has another form than expected");
  const std::string view = svg.substr(box, svg.find('\n', box) - box);
  svg = fmt::format("<svg {} role=\"img\" aria-label=\"{}\">\n{}", view, escape_html(label), svg.substr(body));
  constexpr std::string_view empty = "\">\n</g>\n";
  for (std::size_t at; (at = svg.find(empty)) != svg.npos;) {
    const std::size_t start = svg.rfind("<g ", at);
    svg.erase(start, at + empty.size() - start);
  }
  for (const std::string_view prefix : {"id=\"", "id='", "href='#"})  // one page, many pictures
    svg = replace_all(svg, prefix, fmt::format("{}{}-", prefix, id));
  for (const auto& [colour, variable] : kNames) {
    const auto part = [&](int i) { return std::stoi(std::string(colour.substr(1 + 2 * i, 2)), nullptr, 16); };
    const std::string value = fmt::format("var({})", variable);
    svg = replace_all(svg, colour, value);
    svg = replace_all(svg, fmt::format("rgb({:3}, {:3}, {:3})", part(0), part(1), part(2)), value);
    svg = replace_all(svg, fmt::format("rgb({},{},{})", part(0), part(1), part(2)), value);
  }
  return replace_all(svg, "font-family=\"DejaVu Sans\"", "");
}

std::string article(const Card& card) {
  std::string text = fmt::format("<article id=\"{0}\"><h3><a href=\"#{0}\">{0}</a></h3>\n", card.name);
  text += fmt::format("<div class=\"formula\">{}</div>\n", card.formula);
  text += "<p class=\"derivatives\">";
  for (const auto& [label, value] : card.derivatives)
    text += fmt::format("<span><i>{}</i> = {}</span> ", typeset(label), typeset(value));
  text += "</p>\n<div class=\"body\">\n";
  text += figure(card.svg, card.name, card.name, card.caption);
  text += "<dl>\n";
  for (const auto& [label, value] : card.facts)
    text += fmt::format("<dt>{}</dt><dd>{}</dd>\n", typeset(label), typeset(value));
  return text + "</dl></div></article>\n";
}

}  // namespace

std::string typeset(std::string_view text) {
  std::string escaped = escape_html(text);
  for (const auto& [from, to] :
       {std::pair("''", "″"), {"f'", "f′"}, {"&lt;=", "≤"}, {"&gt;=", "≥"}, {"!=", "≠"}, {"**", "^"}, {"*", " "}})
    escaped = replace_all(escaped, from, to);

  // What is left depends on what stands around it.
  const auto word = [&](std::size_t i) {
    return i < escaped.size() && (std::isalnum(static_cast<unsigned char>(escaped[i])) != 0 || escaped[i] == '_');
  };
  const auto run_of = [&](std::string_view set, std::size_t i) {
    return std::min(escaped.find_first_not_of(set, i), escaped.size()) - i;
  };
  std::string set;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    const char before = i > 0 ? escaped[i - 1] : ' ', after = i + 1 < escaped.size() ? escaped[i + 1] : ' ';
    const std::size_t index = run_of("ijk0123456789", i + 1), power = run_of("0123456789", i + 1);
    if (escaped.compare(i, 3, "inf") == 0 && !(i > 0 && word(i - 1)) && !word(i + 3)) {
      set += "∞", i += 2;
    } else if (escaped[i] == '-' && !(i > 0 && word(i - 1)) && before != ')' && before != '-' && after != '-') {
      set += "−";
    } else if (escaped[i] == '_' && (index == 1 || index == 2) && !word(i + 1 + index)) {
      set += fmt::format("<sub>{}</sub>", escaped.substr(i + 1, index)), i += index;
    } else if (escaped[i] == '^' && power > 0) {
      set += fmt::format("<sup>{}</sup>", escaped.substr(i + 1, power)), i += power;
    } else {
      set += escaped[i];
    }
  }
  return set;
}

std::string figure(const std::string& svg, std::string_view id, std::string_view label, std::string_view caption) {
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", inline_svg(svg, id, label), typeset(caption));
}

std::string table(const std::vector<std::string>& columns, const std::vector<std::vector<Cell>>& rows) {
  std::string text = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const std::string& column : columns) text += fmt::format("<th scope=\"col\">{}</th>", typeset(column));
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    text += "<tr>";
    for (const Cell& cell : row) {
      const std::string shown = typeset(cell.text);
      text += fmt::format("<td data-key=\"{}\">{}</td>", escape_html(cell.key),
                          cell.link.empty() ? shown : fmt::format("<a href=\"#{}\">{}</a>", cell.link, shown));
    }
    text += "</tr>\n";
  }
  return text + "</tbody></table></div>\n";
}

std::string document(std::string_view tab, std::string_view title, std::string_view lead, std::string_view navigation,
                     std::string_view body, std::string_view closing) {
  std::string text =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n";
  text += fmt::format("<title>{}</title>\n<link rel=\"icon\" href=\"data:,\">\n", tab);
  text += fmt::format("<style>{}</style>\n</head>\n<body>\n<header>\n<h1>{}</h1>\n", kStyle, title);
  text += fmt::format("<p class=\"lead\">{}</p>\n<nav>{}</nav>\n</header>\n<main>\n", lead, navigation);
  text += body;
  text +=
      fmt::format("</main>\n<footer>{}</footer>\n<script>{}</script>\n</body>\n</html>\n", typeset(closing), kScript);
  return text;
}

std::string html(const Page& page) {
  std::string navigation;
  for (const Card& card : page.cards) navigation += fmt::format("<a href=\"#{0}\">{0}</a> ", card.name);
  std::string body = figure(page.sheet_svg, "sheet", "Classic activation functions", page.sheet_caption);
  body += "<h2>All at a glance</h2>\n" + table(page.columns, page.rows) + "<h2>One by one</h2>\n";
  for (const Card& card : page.cards) body += article(card);
  return document("Activation functions, a gallery", "Activation functions",
                  "Each with its slope and its curvature, drawn from results that are correctly rounded.", navigation,
                  body, page.closing);
}

}  // namespace actfun::tool
