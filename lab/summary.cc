// SPDX-License-Identifier: Apache-2.0
#include "lab/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace actfun::lab {
namespace {
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
double number(const Json& value) { return value.is_number() ? value.get<double>() : kNan; }
}  // namespace

std::vector<double> numbers(const Json& array) {
  std::vector<double> list;
  for (const Json& value : array) list.push_back(number(value));
  return list;
}

double last(const Json& array) { return array.empty() ? kNan : number(array.back()); }

std::vector<double> by_layer(const Json& run, const std::string& key, std::ptrdiff_t entry) {
  std::vector<double> list;
  for (const Json& layer : run.at("layers")) {
    const std::vector<double> entries = numbers(layer.at(key));
    const auto count = static_cast<std::ptrdiff_t>(entries.size());
    const std::ptrdiff_t at = entry < 0 ? count + entry : entry;
    list.push_back(at >= 0 && at < count ? entries[static_cast<std::size_t>(at)] : kNan);
  }
  return list;
}

std::vector<double> over_layers(const Json& run, const std::string& key) {
  std::vector<double> list;
  for (const Json& layer : run.at("layers")) {
    const std::vector<double> entries = numbers(layer.at(key));
    list.resize(std::max(list.size(), entries.size()));
    for (std::size_t i = 0; i < entries.size(); ++i)
      list[i] += entries[i] / static_cast<double>(run.at("layers").size());
  }
  return list;
}

Summary summary(const std::vector<double>& values) {
  Summary s;
  double sum = 0;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    s.low = s.count == 0 ? v : std::min(s.low, v);
    s.high = s.count == 0 ? v : std::max(s.high, v);
    sum += v;
    ++s.count;
  }
  if (s.count == 0) return {kNan, kNan, kNan, kNan, 0};
  s.mean = sum / static_cast<double>(s.count);
  double squares = 0;
  for (const double v : values)
    if (std::isfinite(v)) squares += (v - s.mean) * (v - s.mean);
  if (s.count > 1) s.deviation = std::sqrt(squares / static_cast<double>(s.count - 1));
  return s;
}

Band band(const std::vector<std::vector<double>>& curves, double first_x) {
  Band b;
  std::size_t longest = 0;
  for (const auto& curve : curves) longest = std::max(longest, curve.size());
  for (std::size_t i = 0; i < longest; ++i) {
    std::vector<double> values;
    for (const auto& curve : curves)
      if (i < curve.size()) values.push_back(curve[i]);
    const Summary s = summary(values);
    b.x.push_back(first_x + static_cast<double>(i));
    b.mean.push_back(s.mean);
    b.low.push_back(s.low);
    b.high.push_back(s.high);
  }
  return b;
}

std::string plus_minus(const Summary& summary, int digits) {
  if (summary.count == 0) return "-";
  if (summary.count == 1) return fmt::format("{:.{}f}", summary.mean, digits);
  return fmt::format("{:.{}f} ± {:.{}f}", summary.mean, digits, summary.deviation, digits);
}

}  // namespace actfun::lab
