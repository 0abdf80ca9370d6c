// SPDX-License-Identifier: Apache-2.0
// Three tries, as for the functions themselves (docs/design/inverse.md): Newton's method on doubles between bounds; one
// more step of it from f(x) - y on double-doubles, with a bound of what is still missing; and where that leaves the
// rounding open, 256 bits.
#include "backends/cpu/inverse.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <utility>

#include "backends/cpu/rounding.h"

namespace actfun {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kTile = 256;
/// Kernels on doubles are not asked beyond.
constexpr double kFar = 0x1p160;
/// Below this much kernels on doubles may have lost all digits.
constexpr double kLost = 0x1p-148;

/// Doubles in their order, numbered from 0 = -0.
std::int64_t ordinal(double x) {
  const auto bits = std::bit_cast<std::int64_t>(x);
  return bits < 0 ? std::numeric_limits<std::int64_t>::min() - bits : bits;
}
double from_ordinal(std::int64_t n) {
  return std::bit_cast<double>(n < 0 ? std::numeric_limits<std::int64_t>::min() - n : n);
}
/// Half-way in that order: of powers of two the exponents' mean.
double middle(double low, double high) {
  const std::int64_t a = ordinal(low), b = ordinal(high);
  return from_ordinal((a >> 1) + (b >> 1) + (a & b & 1));
}

}  // namespace

struct Inverter::Tile {
  double x[kTile]{}, f[kTile], error[kTile], slope[kTile], slope_error[kTile];
};

Inverter::Inverter(const Invertible& f, double lower, double upper)
    : f_(f), lower_(end_at(lower)), upper_(end_at(upper)) {
  increasing_ = lower_.value < upper_.value;
  at_zero_ = kNan;
  if (lower < 0 && upper > 0) {
    const big::Big y = f_.value(big::Big(0.0), f_.parameters);
    if ((y == big::Big(y.nearest())).holds) at_zero_ = y.nearest();
  }
}

Inverter::End Inverter::end_at(double x) const {
  const big::Big exact = f_.value(std::isinf(x) ? stand_in_for_infinity(x) : big::Big(x), f_.parameters);
  return {x, exact, exact.nearest()};
}

/// Whether x is known without a search, and then that.
bool Inverter::known(double y, const FormatInfo& format, double& x) const {
  if (is_nan(y)) return x = y, true;
  const End &least = increasing_ ? lower_ : upper_, &greatest = increasing_ ? upper_ : lower_;
  for (const End* end : {&least, &greatest}) {
    const bool inside = end == &least ? y > end->value : y < end->value;
    if (inside && std::fabs(y - end->value) > 0x1p-50 * std::fabs(y)) continue;
    if (std::isinf(end->value) || std::isinf(y)) {
      if (inside) continue;
      return x = y == end->value ? end->x : kNan, true;
    }
    if ((end == &least ? end->exact < big::Big(y) : big::Big(y) < end->exact).holds) continue;
    const bool attained = !(end->exact < big::Big(y)).holds && !(big::Big(y) < end->exact).holds;
    return x = attained || y == rounded(end->exact, format) ? end->x : kNan, true;
  }
  if (y == at_zero_) {
    x = y != 0 ? 0.0 : increasing_ ? y : -y;
    return true;
  }
  return false;
}

/// 0, or the end of f's range that is nearest to y: where f goes there, log|f - limit| is nearly straight.
const Inverter::End& Inverter::limit_near(double y) const {
  static const End zero{0, big::Big(0.0), 0};
  const End* nearest = &zero;
  for (const End* end : {&lower_, &upper_})
    if (std::isfinite(end->value) && std::fabs(y - end->value) < std::fabs(y - nearest->value)) nearest = end;
  return *nearest;
}

/// Newton's step for f(x) = y; where f is still far away on its way to a limit, for log|f(x) - limit|.
double Inverter::step(double y, double f, double slope) const {
  const double limit = limit_near(y).value, left = f - limit, wanted = y - limit;
  const double apart = std::log(std::fabs(left)) - std::log(std::fabs(wanted));
  if (std::signbit(left) != std::signbit(wanted) || !std::isfinite(apart) || std::fabs(apart) < 0.7)
    return (f - y) / slope;
  return apart * left / slope;
}

/// Takes one step; whether it was the last.
bool Inverter::advance(Search& s, double f, double error, double slope) const {
  const bool overflown = is_nan(error);
  const double rest = f - s.y;
  if (!overflown && std::fabs(rest) <= error + kLost) return true;
  const bool above = overflown ? increasing_ == (s.x > 0) : rest > 0;
  (above == increasing_ ? s.high : s.low) = s.x;
  const double next = overflown ? kNan : s.x - step(s.y, f, slope), half = middle(s.low, s.high);
  const bool newton = next > s.low && next < s.high && !(++s.steps > 12 && s.steps % 2 == 0);
  const double x = newton ? next : half, moved = std::fabs(x - s.x);
  s.x = x;
  const bool near = newton && std::fabs(rest) < 0x1p-8 * std::fabs(s.y) && moved <= 0x1p-30 * std::fabs(x);
  return near || half == s.low || half == s.high;
}

/// Comes as near as doubles can.
void Inverter::approach(Search* searches, std::size_t n) const {
  const auto f = static_cast<std::size_t>(Part::value), slope = static_cast<std::size_t>(Part::slope);
  Tile tile;
  std::size_t active[kTile];
  for (std::size_t i = 0; i < n; ++i) active[i] = i;
  while (n > 0) {
    for (std::size_t i = 0; i < n; ++i) tile.x[i] = searches[active[i]].x;
    f_.kernels->raw[f](tile.x, tile.f, tile.error, n, f_.parameters);
    f_.kernels->raw[slope](tile.x, tile.slope, tile.slope_error, n, f_.parameters);
    std::size_t left = 0;
    for (std::size_t i = 0; i < n; ++i)
      if (!advance(searches[active[i]], tile.f[i], tile.error[i], tile.slope[i])) active[left++] = active[i];
    n = left;
  }
}

/// One step from f(x) - y on double-doubles. With it, all is left open that is beyond f'' and the errors of f and f':
/// if that does not matter to the rounding, x[index] is the result. Returns how many searches, put first, remain.
std::size_t Inverter::settle(Search* searches, std::size_t n, const FormatInfo& format, double* x) const {
  const auto part_of = [](Part which) { return static_cast<std::size_t>(which); };
  Tile tile;
  double low[kTile], curvature[kTile], unused[kTile];
  for (std::size_t i = 0; i < n; ++i) tile.x[i] = searches[i].x;
  f_.kernels->wide[part_of(Part::value)](tile.x, tile.f, low, tile.error, n, f_.parameters);
  f_.kernels->raw[part_of(Part::slope)](tile.x, tile.slope, tile.slope_error, n, f_.parameters);
  f_.kernels->raw[part_of(Part::curvature)](tile.x, curvature, unused, n, f_.parameters);
  std::size_t left = 0;
  for (std::size_t i = 0; i < n; ++i) {
    Search s = searches[i];
    const double slope = tile.slope[i], delta = -((tile.f[i] - s.y) + low[i]) / slope;
    const double bend = std::fabs(delta * curvature[i] / slope);
    const double error = 2 * (std::fabs(delta) * (bend + tile.slope_error[i] / std::fabs(slope) + 0x1p-50) +
                              std::max(tile.error[i], 0.0) / std::fabs(slope));
    const double under = rounded(s.x, delta - error, format), over = rounded(s.x, delta + error, format);
    const bool near = bend < 0x1p-10 && std::fabs(delta) < 0x1p-20 * std::fabs(s.x);
    if (near && under == over && !extreme(s.x) && !extreme(s.y)) {
      x[s.index] = under;
      continue;
    }
    const double next = s.x + delta;
    if (std::fabs(delta) < 0x1p-4 * std::fabs(s.x) && next > s.low && next < s.high) s.x = next;
    searches[left++] = s;
  }
  return left;
}

double Inverter::solve_big(const Search& s, const FormatInfo& format) const {
  constexpr double kLargest = std::numeric_limits<double>::max();
  // At the bounds of `approach` the search is open.
  double low = s.low == -kFar ? lower_.x : s.low, high = s.high == kFar ? upper_.x : s.high;
  const auto half = [&] { return big::Big(middle(std::max(low, -kLargest), std::min(high, kLargest))); };
  const big::Big y(s.y), limit = limit_near(s.y).exact, wanted = y - limit;
  big::Big x(s.x);
  for (int steps = 0; steps < 1000; ++steps) {
    const big::Big f = f_.value(x, f_.parameters), slope = f_.slope(x, f_.parameters), rest = f - y, left = f - limit;
    if (rest.zero()) break;
    const double here = x.nearest();
    if (rest.negative() != increasing_)
      high = std::min(high, from_ordinal(ordinal(here) + 1));
    else
      low = std::max(low, from_ordinal(ordinal(here) - 1));

    const bool comparable = !left.zero() && !wanted.zero() && left.negative() == wanted.negative();
    const double apart = comparable ? static_cast<double>(left.exponent() - wanted.exponent()) : 0;
    const double power = comparable && !slope.zero() ? (x * slope / left).nearest() : kNan;
    big::Big next = half();
    if (!slope.zero() && std::fabs(apart) < 0x1p40) {  // exponents end somewhere
      if (std::fabs(apart) < 2)
        next = x - rest / slope;
      else if ((std::fabs(here) < 0x1p-20 || std::fabs(here) > 0x1p100) && std::fabs(apart / power) < 4000)
        next = scale(x, -std::llround(apart / power));  // f - limit is a power of x there
      else
        next = x - big::Big(apart * std::numbers::ln2) * left / slope;
      if (const double there = next.nearest(); !(there >= low && there <= high)) next = half();
    }
    const big::Big moved = next - x;
    x = next;
    if (moved.zero() || (!x.zero() && moved.exponent() < x.exponent() - 80)) break;
  }
  return rounded(x, format);
}

void Inverter::solve(const FormatInfo& format, const double* y, double* x, std::size_t n) const {
  for (std::size_t first = 0; first < n; first += kTile) {
    const std::size_t end = std::min(n, first + kTile);
    Search searches[kTile];
    std::size_t count = 0;
    for (std::size_t i = first; i < end; ++i) {
      const double value = y[i];
      if (known(value, format, x[i])) continue;
      const double low = std::max(lower_.x, -kFar), high = std::min(upper_.x, kFar);
      searches[count++] = {value, low, high, std::clamp(0.0, low, high), i};
    }
    approach(searches, count);
    for (int round = 0; round < 3 && count > 0; ++round) count = settle(searches, count, format, x);
    for (std::size_t i = 0; i < count; ++i) x[searches[i].index] = solve_big(searches[i], format);
  }
}

}  // namespace actfun
