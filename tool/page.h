// SPDX-License-Identifier: Apache-2.0
// Pages: each one HTML file that needs nothing else, in light and in dark; and the gallery's.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace actfun::tool {

struct Card {
  std::string name;                                              ///< also the anchor
  std::string formula;                                           ///< MathML
  std::vector<std::pair<std::string, std::string>> derivatives;  ///< as text
  std::string svg, caption;
  std::vector<std::pair<std::string, std::string>> facts;
};

/// A cell: what it shows, as text, and the key that it is sorted by, a number or text.
struct Cell {
  std::string text, key, link;
};

/// The parts of a page. Text is typeset, SVG must be gnuplot's; `id` keeps the pictures of a page apart.
std::string figure(const std::string& svg, std::string_view id, std::string_view label, std::string_view caption);
std::string table(const std::vector<std::string>& columns, const std::vector<std::vector<Cell>>& rows);
/// The whole of it, around HTML for below the title and for the body.
std::string document(std::string_view tab, std::string_view title, std::string_view lead, std::string_view navigation,
                     std::string_view body, std::string_view closing);

struct Page {
  std::string sheet_svg, sheet_caption;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
  std::vector<Card> cards;
  std::string closing;  ///< how the numbers were made
};

std::string html(const Page& page);

/// Text of the records as a textbook sets it: real minus signs, primes, ∞.
std::string typeset(std::string_view text);

}  // namespace actfun::tool
