// SPDX-License-Identifier: Apache-2.0
#include "health/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "api/expression.h"

namespace actfun::health {
namespace {

/// A parabola that lies farther from the function than this, relative to 1 or the function, is not used.
constexpr double kFit = 0x1p-10;

/// Past so many intervals a function has no few thresholds: every element goes to the kernels.
constexpr std::size_t kMostIntervals = 8;

/// Floats in their order as integers, -0 next to +0.
std::int32_t key(float x) {
  const auto bits = std::bit_cast<std::int32_t>(x);
  return bits ^ (bits >> 31 & 0x7fffffff);
}
float at_key(std::int32_t k) { return std::bit_cast<float>(k ^ (k >> 31 & 0x7fffffff)); }

float evaluate(const Call& call, Order order, float x) {
  call.evaluate(order, &x, &x, 1);
  return x;
}

/// Between floats a < b with test(a) != test(b): the last one that agrees with a.
template <class Test>
float last_like(float a, float b, bool like_a, Test test) {
  std::int32_t low = key(a), high = key(b);
  while (high - low > 1) {
    const std::int32_t middle = low + (high - low) / 2;
    (test(at_key(middle)) == like_a ? low : high) = middle;
  }
  return at_key(low);
}

/// The points where a search begins: a grid, every binade near 0 in eighths, kinks and their neighbours.
std::vector<float> grid(const Call& call, float from, float to) {
  std::vector<float> points{from, to};
  constexpr int kPoints = 4096;
  const auto add = [&](double x) {
    const auto point = static_cast<float>(x);
    if (point > from && point < to) points.push_back(point);
  };
  for (int i = 0; i <= kPoints; ++i)
    add(static_cast<double>(from) + (static_cast<double>(to) - static_cast<double>(from)) * i / kPoints);
  for (int exponent = -150; exponent <= 0; ++exponent)
    for (int eighth = 8; eighth < 16; ++eighth)
      for (const int sign : {-1, 1}) add(sign * std::ldexp(eighth / 8.0, exponent));
  add(0);
  for (const Kink& kink : call.info().kinks)
    if (const auto x = actfun::evaluate(kink.x, call)) {
      const auto middle = static_cast<float>(*x);
      for (const float near : {std::nextafter(middle, -INFINITY), middle, std::nextafter(middle, INFINITY)})
        add(static_cast<double>(near));
    }
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  return points;
}

std::vector<float> evaluate_all(const Call& call, Order order, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  call.evaluate(order, x.data(), y.data(), x.size());
  return y;
}

/// The intervals where `test` holds. Between two points of the grid that agree it may still change twice, where f'
/// crosses zero or has an extremum.
template <class Test>
std::vector<Interval> intervals(const Call& call, float from, float to, Test test) {
  std::vector<float> points = grid(call, from, to), more;
  const std::vector<float> slope = evaluate_all(call, Order::slope, points),
                           curvature = evaluate_all(call, Order::curvature, points);
  const auto add_root = [&](Order order, std::size_t i) {
    const bool positive = evaluate(call, order, points[i]) > 0;
    const float last =
        last_like(points[i], points[i + 1], positive, [&](float x) { return evaluate(call, order, x) > 0; });
    more.push_back(last);
    more.push_back(at_key(key(last) + 1));
  };
  for (std::size_t i = 0; i + 1 < points.size(); ++i) {
    if ((slope[i] > 0) != (slope[i + 1] > 0)) add_root(Order::slope, i);
    if ((curvature[i] > 0) != (curvature[i + 1] > 0)) add_root(Order::curvature, i);
  }
  points.insert(points.end(), more.begin(), more.end());
  std::sort(points.begin(), points.end());

  std::vector<Interval> found;
  bool inside = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool here = test(points[i]);
    if (here == inside) continue;
    const float last = i == 0 ? points[0] : last_like(points[i - 1], points[i], inside, test);
    const float first = i == 0 ? points[0] : at_key(key(last) + 1);
    if (here)
      found.push_back({first, 0});
    else
      found.back().to = last;
    inside = here;
  }
  if (inside) found.back().to = points.back();
  return found;
}

std::vector<Pattern> patterns(const std::vector<Interval>& list) {
  constexpr float least = std::numeric_limits<float>::denorm_min();
  std::vector<Pattern> found;
  const auto add = [&](float nearer, float farther) {  // from zero
    const auto first = std::bit_cast<std::uint32_t>(nearer);
    found.push_back({first, std::bit_cast<std::uint32_t>(farther) - first});
  };
  for (const auto& [from, to] : list) {
    if (from < 0) add(std::min(to, -least), from);
    if (to > 0) add(std::max(from, least), to);
  }
  return found;
}

struct Fit {
  float coefficient[kDegree + 1];
};

/// The parabola through a function's values at the Chebyshev nodes of a cell.
template <class Function>
Fit fit(Function function, double middle) {
  constexpr int n = kDegree + 1;
  double t[n], c[n];
  for (int i = 0; i < n; ++i) {
    const auto x = static_cast<float>(middle + 0.5 * kCellWidth * std::cos((2 * i + 1) * std::numbers::pi / (2 * n)));
    t[i] = (static_cast<double>(x) - middle) / static_cast<double>(kCellWidth) + 0.5;
    c[i] = function(x);
  }
  for (int j = 1; j < n; ++j)  // Newton's divided differences, then powers of t
    for (int i = n - 1; i >= j; --i) c[i] = (c[i] - c[i - 1]) / (t[i] - t[i - j]);
  double power[n] = {c[n - 1]};
  for (int j = n - 2; j >= 0; --j) {
    for (int i = n - 1; i > 0; --i) power[i] = power[i - 1] - t[j] * power[i];
    power[0] = c[j] - t[j] * power[0];
  }
  Fit result;
  for (int i = 0; i < n; ++i) result.coefficient[i] = static_cast<float>(power[i]);
  return result;
}

}  // namespace

float Parabolas::at(float x) const {
  const float u = x * (1 / kCellWidth), whole = std::floor(u), t = u - whole;
  const int cell = static_cast<int>(whole) + kCells / 2;
  float sum = coefficient[kDegree][cell];
  for (int power = kDegree - 1; power >= 0; --power) sum = sum * t + coefficient[power][cell];
  return sum;
}

std::vector<Interval> saturated_intervals(const Call& call, float tolerance, float from, float to) {
  return intervals(call, from, to, [&](float x) { return std::fabs(evaluate(call, Order::slope, x)) < tolerance; });
}
std::vector<Interval> inactive_intervals(const Call& call, float from, float to) {
  return intervals(call, from, to, [&](float x) {
    return evaluate(call, Order::value, x) == 0 && evaluate(call, Order::slope, x) == 0;
  });
}

float Plan::least_normal() const { return std::ldexp(1.0f, std::max(info_of(format).least_exponent, -126)); }

Plan::Plan(const Call& function, Format elements, float limit, bool always_exact)
    : call(function), tolerance(limit), exact(always_exact), format(elements) {
  value_at_zero = evaluate(function, Order::value, 0);
  slope_at_zero = evaluate(function, Order::slope, 0);
  zero_is_saturated = std::fabs(slope_at_zero) < tolerance;
  zero_is_inactive = value_at_zero == 0 && slope_at_zero == 0;
  if (exact) return;
  const float below = std::nextafter(kReach, 0.0f);
  saturated = saturated_intervals(function, tolerance, -below, below);
  inactive = inactive_intervals(function, -below, below);

  saturated_patterns = patterns(saturated);
  inactive_patterns = patterns(inactive);
  same_patterns = std::ranges::equal(saturated_patterns, inactive_patterns,
                                     [](Pattern a, Pattern b) { return a.first == b.first && a.span == b.span; });

  const auto f = [&](float x) { return static_cast<double>(evaluate(function, Order::value, x)); };
  const auto squared_slope = [&](float x) {
    const auto slope = static_cast<double>(evaluate(function, Order::slope, x));
    return slope * slope;
  };
  constexpr int kSamples = 64;
  for (int cell = 0; cell < kCells; ++cell) {
    const float left = static_cast<float>(cell - kCells / 2) * kCellWidth;
    const double middle = static_cast<double>(left) + 0.5 * static_cast<double>(kCellWidth);
    const Fit of_value = fit(f, middle), of_gain = fit(squared_slope, middle);
    for (int power = 0; power <= kDegree; ++power) {
      value.coefficient[power][cell] = of_value.coefficient[power];
      gain.coefficient[power][cell] = of_gain.coefficient[power];
    }
    double value_distance = 0, gain_distance = 0;
    const auto fits = [&](float x) {
      const double y = f(x), g = squared_slope(x), dy = std::fabs(static_cast<double>(value.at(x)) - y),
                   dg = std::fabs(static_cast<double>(gain.at(x)) - g);
      if (!(dy <= kFit * std::max(1.0, std::fabs(y)) && dg <= kFit * std::max(1.0, g))) return false;
      value_distance = std::max(value_distance, dy);
      gain_distance = std::max(gain_distance, dg);
      return true;
    };
    // A kink belongs to the cell on its right; where that one's parabola says otherwise, the point is left out.
    if (left != 0 && !fits(left)) avoided.push_back({left, left});
    const float first = std::nextafter(left, INFINITY), last = std::nextafter(left + kCellWidth, -INFINITY);
    bool good = true;
    for (int i = 0; i <= kSamples && good; ++i)
      good = fits(std::clamp(left + kCellWidth * static_cast<float>(i) / kSamples, first, last));
    if (good) {
      value_error[cell] = value_distance;
      gain_error[cell] = gain_distance;
    } else {
      avoided.push_back({left, last});
    }
  }
  linear = std::ranges::all_of(value.coefficient[kDegree], [](float c) { return c == 0; }) &&
           std::ranges::all_of(gain.coefficient[kDegree], [](float c) { return c == 0; });
  exact = std::max({saturated.size(), inactive.size(), avoided.size()}) > kMostIntervals;
}

}  // namespace actfun::health
