// SPDX-License-Identifier: Apache-2.0
// The gallery's page: one HTML file that needs nothing else, in light and in dark.
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
