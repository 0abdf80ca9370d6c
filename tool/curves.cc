// SPDX-License-Identifier: Apache-2.0
#include "tool/curves.h"

#include <algorithm>
#include <cmath>

#include "api/expression.h"
#include "tool/record.h"
#include "tool/text.h"

namespace actfun::tool {
namespace {

/// Numbers that the record knows as expressions, as far as they lie in the range, in rising order.
template <class Texts>
std::vector<float> points_in(const Call& call, Range range, const Texts& texts) {
  std::vector<float> list;
  for (const std::string_view text : texts)
    if (const auto value = evaluate(text, call); value && *value >= range.from && *value <= range.to)
      list.push_back(static_cast<float>(*value));
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

/// The middles of n cells of equal width.
std::vector<float> middles(Range range, std::size_t n) {
  std::vector<float> x(n);
  const double width = (static_cast<double>(range.to) - range.from) / n;
  for (std::size_t i = 0; i < n; ++i) x[i] = static_cast<float>(range.from + (i + 0.5) * width);
  return x;
}

std::vector<bool> saturated_at(const Call& call, const std::vector<float>& x) {
  std::vector<float> slope(x.size());
  call.evaluate(Order::slope, x.data(), slope.data(), x.size());
  std::vector<bool> is(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) is[i] = std::fabs(slope[i]) < kSaturated;
  return is;
}

/// Different enough to be seen as a jump, not the two ends of a steep piece.
bool apart(float a, float b) { return std::fabs(a - b) > 1e-3f * (1 + std::fabs(a) + std::fabs(b)); }

void add_piece(Curve& curve, const Call& call, int order, float from, float to, std::size_t points) {
  std::vector<float> x(std::max<std::size_t>(points, 2)), y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(from + (static_cast<double>(to) - from) * i / (x.size() - 1));
  call.evaluate(static_cast<Order>(order), x.data(), y.data(), x.size());
  curve.pieces.emplace_back();
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (std::isfinite(y[i]))
      curve.pieces.back().push_back({x[i], y[i]});
    else if (!curve.pieces.back().empty())
      curve.pieces.emplace_back();
  }
}

}  // namespace

Range parse_range(std::string_view text) {
  const std::size_t colon = text.find(':');
  Range range;
  if (colon == text.npos || !parse_number(trim(text.substr(0, colon)), range.from) ||
      !parse_number(trim(text.substr(colon + 1)), range.to))
    fail("'{}' is not a range A:B of two numbers", text);
  if (!std::isfinite(range.from) || !std::isfinite(range.to)) fail("the range '{}' is not finite", text);
  if (!(range.from < range.to)) fail("the range '{}' is empty: A must be smaller than B", text);
  return range;
}

std::vector<float> kinks(const Call& call, Range range) {
  std::vector<std::string_view> texts;
  for (const Kink& kink : call.info().kinks) texts.push_back(kink.x);
  return points_in(call, range, texts);
}

std::vector<float> roots(const Call& call, Range range) { return points_in(call, range, call.info().roots); }

Curve curve(const Call& call, int order, Range range, std::size_t points) {
  Curve curve;
  const double density = points / (static_cast<double>(range.to) - range.from);
  float from = range.from;
  const auto piece_to = [&](float to) {
    if (from < to) add_piece(curve, call, order, from, to, static_cast<std::size_t>(density * (to - from)) + 2);
  };
  for (const float kink : kinks(call, range)) {
    const float before = std::nextafter(kink, -INFINITY), after = std::nextafter(kink, INFINITY);
    const float left = evaluate_at(call, order, before), at = evaluate_at(call, order, kink),
                right = evaluate_at(call, order, after);
    piece_to(before);
    from = after;
    if (!apart(left, right) && !apart(left, at)) continue;
    curve.closed.push_back({kink, at});
    if (apart(left, at)) curve.open.push_back({kink, left});
    if (apart(right, at)) curve.open.push_back({kink, right});
  }
  piece_to(range.to);
  return curve;
}

std::vector<Range> saturated(const Call& call, Range range) {
  const std::vector<float> x = middles(range, 4000);
  const std::vector<bool> is = saturated_at(call, x);
  const float half = static_cast<float>((static_cast<double>(range.to) - range.from) / x.size() / 2);
  std::vector<Range> list;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!is[i]) continue;
    if (i == 0 || !is[i - 1]) list.push_back({i == 0 ? range.from : x[i] - half, 0});
    list.back().to = i + 1 == x.size() ? range.to : x[i] + half;
  }
  return list;
}

double saturated_share(const Call& call, Range range) {
  const std::vector<bool> is = saturated_at(call, middles(range, kShareGrid));
  return static_cast<double>(std::count(is.begin(), is.end(), true)) / is.size();
}

}  // namespace actfun::tool
