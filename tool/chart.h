// SPDX-License-Identifier: Apache-2.0
// Line charts of measured numbers, in the colours of all pictures.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace actfun::tool {

struct Chart {
  struct Series {
    std::string label;
    std::vector<double> x, y;       ///< numbers that are not finite are left out
    std::vector<double> low, high;  ///< a band around the line, unless empty
    std::size_t colour = 0;         ///< any number: colours come again, with other dashes
    bool points = false;            ///< marks at the points
  };
  std::string title, x_label, y_label;
  std::vector<Series> series;
  bool log_x = false, log_y = false;
  std::optional<std::pair<double, double>> y_range{};  ///< what the lines need, unless given
};

/// The SVG of charts in rows of `columns`, each `width` by `height` pixels.
std::string draw_charts(const std::vector<Chart>& charts, int columns, int width = 380, int height = 330);

}  // namespace actfun::tool
