// SPDX-License-Identifier: Apache-2.0
// How curves become gnuplot's commands: the style of all pictures stands here.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tool/curves.h"

namespace actfun::tool {

/// The colours of the pictures. They are told apart with any colour vision (Okabe & Ito), and the gallery replaces each
/// by a variable of its style sheet.
struct Palette {
  static constexpr std::string_view curves[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"};
  static constexpr std::string_view text = "#2b2f36", axis = "#8b919b", grid = "#e4e7ec", shade = "#f4efe3",
                                    paper = "#ffffff", mark = "#5f6670";
};

struct Panel {
  struct Line {
    std::string label;
    Curve curve;
    std::size_t colour = 0;
    std::string_view dash = "1";  ///< gnuplot's dash type
    double width = 2.2;
  };
  std::string title;
  std::vector<Line> lines;
  Range range;
  std::optional<Range> y;  ///< what the curves need, unless given
  std::vector<float> kinks, roots;
  std::vector<std::pair<Range, std::optional<std::size_t>>> shades;  ///< full height, or a strip in a curve's colour
  bool legend = true;
  bool legend_only = false;  ///< no axes: explains other panels; the last one of a picture
  bool terminal = false;     ///< drawn with characters
};

/// All functions and orders in one panel: one function has a colour an order, several a colour each and dashes.
Panel panel(const std::vector<Call>& calls, const std::vector<int>& orders, Range range, std::size_t points = 800);

/// Where and how large: pixels of an SVG; a PNG has twice as many each way, a PDF the same proportions.
struct Canvas {
  std::string extension;  ///< ".svg", ".png" or ".pdf"
  int width = 800, height = 500;
};
bool is_picture(std::string_view extension);

/// Panels side by side and below each other, the bytes of the picture.
std::string draw(const std::vector<Panel>& panels, const Canvas& canvas, int columns = 1);

/// One panel as lines of text.
std::string draw_text(Panel panel, int columns, int rows, bool colours);

}  // namespace actfun::tool
