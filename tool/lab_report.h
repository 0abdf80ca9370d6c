// SPDX-License-Identifier: Apache-2.0
// What a sweep of the lab found: a table for the terminal, and a page with pictures.
#pragma once

#include <string>
#include <vector>

#include "lab/summary.h"
#include "tool/chart.h"

namespace actfun::tool {

/// Runs that differ in their seed alone.
struct Group {
  std::string label;  ///< what sets it apart from the other groups of a sweep
  std::vector<const lab::Json*> runs;
};

/// A line with the runs' mean, and a band from the lowest to the highest of them. `curve` gives a run's numbers.
template <class Curve>
Chart::Series series(const Group& group, std::size_t colour, Curve curve, double first_x = 0) {
  std::vector<std::vector<double>> curves;
  for (const lab::Json* run : group.runs) curves.push_back(curve(*run));
  lab::Band band = lab::band(curves, first_x);
  return {group.label, std::move(band.x), std::move(band.mean), std::move(band.low), std::move(band.high), colour};
}

/// The same numbers of each group, as text: a row a group, and what the columns are.
struct Overview {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};
Overview overview(const std::vector<Group>& groups);
std::string text(const Overview& overview);

/// The whole page.
std::string lab_page(const std::vector<Group>& groups);

}  // namespace actfun::tool
