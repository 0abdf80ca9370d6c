// SPDX-License-Identifier: Apache-2.0
#include "health/plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>

#include "api/expression.h"
#include "health/kernel.h"

namespace actfun::health {
namespace {

/// A cubic that lies farther from the function than this, relative to 1 or the function, is not used.
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
  for (int exponent = -150; exponent < 15; ++exponent)
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

/// A function at many points at once: one by one would take longer than a large file.
struct Samples {
  std::vector<float> x, value, slope;
  Samples(const Call& call, std::vector<float> points) : x(std::move(points)), value(x.size()), slope(x.size()) {
    call.evaluate_value_and_slope(x.data(), value.data(), slope.data(), x.size(), current_target());
  }
};

/// Samples in [from, to] between which f' is monotonic.
Samples sample(const Call& call, float from, float to) {
  std::vector<float> points = grid(call, from, to), more;
  for (const Order order : {Order::slope, Order::curvature}) {
    std::vector<float> y(points.size());
    call.evaluate(order, points.data(), y.data(), points.size());
    for (std::size_t i = 0; i + 1 < points.size(); ++i) {
      if ((y[i] > 0) == (y[i + 1] > 0)) continue;
      const float last =
          last_like(points[i], points[i + 1], y[i] > 0, [&](float x) { return evaluate(call, order, x) > 0; });
      more.push_back(last);
      more.push_back(at_key(key(last) + 1));
    }
  }
  points.insert(points.end(), more.begin(), more.end());
  std::sort(points.begin(), points.end());
  return {call, std::move(points)};
}

/// The maximal intervals of floats on which test(f, f') holds, in rising order: its changes between samples are
/// bisected to neighbouring floats.
template <class Test>
std::vector<Interval> intervals(const Call& call, const Samples& samples, Test test) {
  const std::vector<float>& points = samples.x;
  const auto test_at = [&](float x) { return test(evaluate(call, Order::value, x), evaluate(call, Order::slope, x)); };
  std::vector<Interval> found;
  bool inside = false;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool here = test(samples.value[i], samples.slope[i]);
    if (here == inside) continue;
    const float last = i == 0 ? points[0] : last_like(points[i - 1], points[i], inside, test_at);
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

/// Of the intervals' parts below a limit in magnitude.
std::vector<Pattern> patterns(const std::vector<Interval>& list, float limit) {
  const float least = std::numeric_limits<float>::denorm_min(), largest = std::nextafter(limit, 0.0f);
  std::vector<Pattern> found;
  const auto add = [&](float nearer, float farther) {  // from zero
    const auto first = std::bit_cast<std::uint32_t>(nearer), last = std::bit_cast<std::uint32_t>(farther);
    if (first <= last) found.push_back({first, last - first});
  };
  for (const auto& [from, to] : list) {
    if (from < 0) add(std::min(to, -least), std::max(from, -largest));
    if (to > 0) add(std::max(from, least), std::min(to, largest));
  }
  return found;
}

struct Fit {
  float coefficient[kDegree + 1];
};

/// The cubic whose derivative is f' at the Chebyshev nodes of a cell, and which lies as far above f at them as below.
template <class Value, class Slope>
Fit fit(Value value, Slope slope, double left, double width) {
  constexpr int n = kDegree;
  double t[n], c[n], y[n];
  for (int i = 0; i < n; ++i) {
    const double place = 0.5 + 0.5 * std::cos((2 * i + 1) * std::numbers::pi / (2 * n));
    const auto x = static_cast<float>(left + width * place);
    t[i] = static_cast<double>(x) - left;
    c[i] = slope(x);
    y[i] = value(x);
  }
  for (int j = 1; j < n; ++j)  // Newton's divided differences, then powers of t
    for (int i = n - 1; i >= j; --i) c[i] = (c[i] - c[i - 1]) / (t[i] - t[i - j]);
  double power[n] = {c[n - 1]};
  for (int j = n - 2; j >= 0; --j) {
    for (int i = n - 1; i > 0; --i) power[i] = power[i - 1] - t[j] * power[i];
    power[0] = c[j] - t[j] * power[0];
  }
  Fit result{};
  // What adds next to nothing is nothing: subnormal numbers would be slow.
  for (int i = 0; i < n; ++i)
    if (std::fabs(power[i]) * std::pow(width, i) >= 0x1p-60)
      result.coefficient[i + 1] = static_cast<float>(power[i] / (i + 1));
  double least = std::numeric_limits<double>::infinity(), largest = -least;
  for (int i = 0; i < n; ++i) {
    double rise = 0;
    for (int j = n; j > 0; --j) rise = (rise + static_cast<double>(result.coefficient[j])) * t[i];
    least = std::min(least, y[i] - rise);
    largest = std::max(largest, y[i] - rise);
  }
  result.coefficient[0] = static_cast<float>(0.5 * (least + largest));
  return result;
}

}  // namespace

Cubics::Point Cubics::at(int cell, float t) const {
  const float last = coefficient[3][cell] * t, bend = last + coefficient[2][cell],
              rise = bend * t + coefficient[1][cell];
  return {rise * t + coefficient[0][cell], (bend + last) * t + rise};
}

float Plan::least_normal() const { return std::ldexp(1.0f, std::max(info_of(format).least_exponent, -126)); }

Plan::Plan(const Call& function, Format elements, float limit, bool always_exact)
    : call(function), tolerance(limit), exact(always_exact), format(elements) {
  value_at_zero = evaluate(function, Order::value, 0);
  slope_at_zero = evaluate(function, Order::slope, 0);
  zero_is_saturated = std::fabs(slope_at_zero) < tolerance;
  zero_is_inactive = value_at_zero == 0 && slope_at_zero == 0;
  if (exact) return;

  const auto f = [&](float x) { return static_cast<double>(evaluate(function, Order::value, x)); };
  const auto df = [&](float x) { return static_cast<double>(evaluate(function, Order::slope, x)); };
  // A cell of f(sign * x).
  struct Cell {
    Cubics& cubics;
    int index;
    float left, width, sign;
    double value_error = 0, gain_error = 0;
  };
  const auto draw = [&](const Cell& cell) {
    const auto sign = static_cast<double>(cell.sign);
    const Fit fitted = fit([&](float x) { return f(cell.sign * x); }, [&](float x) { return sign * df(cell.sign * x); },
                           static_cast<double>(cell.left), static_cast<double>(cell.width));
    for (int power = 0; power <= kDegree; ++power)
      cell.cubics.coefficient[power][cell.index] = fitted.coefficient[power];
  };
  const auto fits = [&](Cell& cell, std::vector<float> points) {  // of x, within the cell
    for (float& x : points) x *= cell.sign;
    const Samples samples(function, std::move(points));
    for (std::size_t i = 0; i < samples.x.size(); ++i) {
      const Cubics::Point point = cell.cubics.at(cell.index, cell.sign * samples.x[i] - cell.left);
      const auto y = static_cast<double>(samples.value[i]), slope = static_cast<double>(samples.slope[i]),
                 g = slope * slope, dy = std::fabs(static_cast<double>(point.value) - y),
                 dg = std::fabs(static_cast<double>(point.slope * point.slope) - g);
      if (!(dy <= kFit * std::max(1.0, std::fabs(y)) && dg <= kFit * std::max(1.0, g))) return false;
      cell.value_error = std::max(cell.value_error, dy);
      cell.gain_error = std::max(cell.gain_error, dg);
    }
    return true;
  };
  const auto fits_between = [&](Cell& cell, float first, float last) {
    constexpr int kSamples = 64;
    std::vector<float> points;
    for (int i = 0; i <= kSamples; ++i)
      points.push_back(std::clamp(cell.left + cell.width * static_cast<float>(i) / kSamples, first, last));
    return fits(cell, std::move(points));
  };
  const auto note_errors = [&](const Cell& cell) {
    const std::size_t bin = bin_of(cell.sign * (cell.left + 0.5f * cell.width));
    value_error[bin] = std::max(value_error[bin], cell.value_error);
    gain_error[bin] = std::max(gain_error[bin], cell.gain_error);
  };
  for (int i = 0; i < kCells; ++i) {
    const float left = static_cast<float>(i - kCells / 2) * kCellWidth;
    Cell cell{curve, i, left, kCellWidth, 1};
    draw(cell);
    // A kink belongs to the cell on its right; where that one's cubic says otherwise, the point is left out.
    if (left != 0 && !fits(cell, {left})) avoided.push_back({left, left});
    const float last = std::nextafter(left + kCellWidth, -INFINITY);
    if (fits_between(cell, std::nextafter(left, INFINITY), last))
      note_errors(cell);
    else
      avoided.push_back({left, last});
  }
  std::vector<Cell> far;
  far_is_usual = true;
  for (int i = 0; i < kCells && far_is_usual; ++i) {
    const int place = i % (kCells / 2);
    const float width = place < 4   ? 1
                        : place < 6 ? 4
                                    : std::ldexp(kReach, place - 4),
                left = place < 4    ? kReach + static_cast<float>(place)
                       : place == 5 ? 12
                                    : std::ldexp(kReach, std::max(1, place - 4));
    far.push_back({far_curve, i, left, width, i < kCells / 2 ? 1.0f : -1.0f});
    draw(far.back());
    far_is_usual = fits_between(far.back(), left, std::nextafter(left + width, 0.0f));
  }
  if (far_is_usual) std::ranges::for_each(far, note_errors);

  // Far away the search is trusted where cubics are.
  const float below = std::nextafter(kReach, 0.0f), far_below = std::nextafter(kFar, 0.0f);
  for (const auto& [from, to] : {Interval{-far_below, -kReach}, Interval{-below, below}, Interval{kReach, far_below}}) {
    if (!far_is_usual && from != -below) continue;
    const Samples samples = sample(function, from, to);
    const auto add = [&](std::vector<Interval>& all, auto test) {
      for (const Interval& part : intervals(function, samples, test)) {
        if (!all.empty() && key(part.from) - key(all.back().to) == 1)
          all.back().to = part.to;
        else
          all.push_back(part);
      }
    };
    add(saturated, [&](float, float df_of_x) { return std::fabs(df_of_x) < tolerance; });
    add(inactive, [](float f_of_x, float df_of_x) { return f_of_x == 0 && df_of_x == 0; });
  }
  wide = {patterns(saturated, kFar), patterns(inactive, kFar)};
  near = {patterns(saturated, kReach), patterns(inactive, kReach)};
  for (Patterns* const both : {&wide, &near}) both->same = both->saturated == both->inactive;

  const auto straight = [](const Cubics& cubics) {
    return std::ranges::all_of(std::span(cubics.coefficient).subspan(2), [](const auto& row) {
      return std::ranges::all_of(row, [](float c) { return c == 0; });
    });
  };
  linear = straight(curve) && (!far_is_usual || straight(far_curve));
  exact = std::max({saturated.size(), inactive.size(), avoided.size()}) > kMostIntervals;
}

}  // namespace actfun::health
