// SPDX-License-Identifier: Apache-2.0
#include "core/exact/pointwise.h"

#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace actfun::exact {
namespace {

constexpr mpfr_prec_t kFirstBits = 160, kLastBits = 40960;
/// Stands for infinity. No parameter is so small (2^-1074) that a tail would not have been reached long before.
constexpr mpfr_exp_t kInfinityExponent = mpfr_exp_t{1} << 30;
/// Stands for "just beside zero": every term of a Taylor series at 0 with doubles for coefficients, however small the
/// first and large the second, is decided there.
constexpr mpfr_exp_t kBesideZeroExponent = -10000;
/// An enclosure that cannot tell its sign and lies below 2^this has underflowed in MPFR; no cancellation at
/// kLastBits leaves so little.
constexpr mpfr_exp_t kUnderflowExponent = -(mpfr_exp_t{1} << 40);

bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

int sign(const Interval& v) { return mpfr_sgn(v.lower()) > 0 ? 1 : mpfr_sgn(v.upper()) < 0 ? -1 : 0; }

bool below(mpfr_srcptr v, mpfr_exp_t exponent) { return mpfr_zero_p(v) || (mpfr_number_p(v) && mpfr_get_exp(v) < exponent); }
bool below(const Interval& v, mpfr_exp_t exponent) { return below(v.lower(), exponent) && below(v.upper(), exponent); }

Interval point(float x) { return static_cast<double>(x); }

}  // namespace

float to_float(mpfr_srcptr value) { return mpfr_zero_p(value) ? 0.0f : mpfr_get_flt(value, MPFR_RNDN); }

Interval derivative(const Series& series, Order order) {
  const auto k = static_cast<std::size_t>(order);
  return order == Order::curvature ? 2 * series[k] : series[k];
}

Interval Pointwise::enclose(const Interval& x, Order order, mpfr_prec_t bits) const {
  const Precision precision(bits);
  const Series::Order truncation(static_cast<std::size_t>(order));
  return derivative(definition_(Series::variable(x)), order);
}

float Pointwise::round(float x, Order order) const {
  if (x == 0) return round_at_zero(x, order);
  if (!std::isinf(x)) return round_at(point(x), order, x);
  const Precision widest(kFirstBits);
  const Interval far = Interval::power_of_two(kInfinityExponent);
  return round_at(x > 0 ? far : -far, order, x);
}

float Pointwise::round_at(const Interval& x, Order order, float shown) const {
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    const Interval v = enclose(x, order, bits);
    if (!v.defined()) continue;
    const float a = to_float(v.lower()), b = to_float(v.upper());
    if (same(a, b)) return a;
    if (sign(v) == 0 && below(v, kUnderflowExponent)) return tail_zero(x, order);
  }
  char message[256];
  std::snprintf(message, sizeof message, "%s: order %d at %a is undecided at %ld bits", definition_.name().c_str(),
                static_cast<int>(order), static_cast<double>(shown), static_cast<long>(kLastBits));
  throw std::runtime_error(message);
}

// A function that is odd in its tiniest values keeps its sign through zero: f(-0) is the limit from the left.
float Pointwise::round_at_zero(float zero, Order order) const {
  const Precision widest(kFirstBits);
  const Interval at_zero = enclose(0, order, kFirstBits);
  if (!at_zero.zero()) return round_at(0, order, zero);
  const Interval right = Interval::power_of_two(kBesideZeroExponent), beside = std::signbit(zero) ? -right : right;
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    const Interval v = enclose(beside, order, bits);
    if (v.zero()) return 0.0f;
    if (sign(v) != 0) return below(v, -1000) && sign(v) < 0 ? -0.0f : 0.0f;
  }
  throw std::runtime_error(definition_.name() + ": undecided beside zero");
}

// The value at x is below MPFR's smallest number and its sign is lost. A tail keeps its sign: take it from the
// farthest power of two, on the way from zero to x, where it can still be told (values of about 2^-2^61).
float Pointwise::tail_zero(const Interval& x, Order order) const {
  const bool negative = mpfr_sgn(x.lower()) < 0;
  const auto sign_at = [&](mpfr_exp_t exponent) {
    const Interval p = Interval::power_of_two(exponent);
    return sign(enclose(negative ? -p : p, order, 2 * kFirstBits));
  };
  mpfr_exp_t lost = mpfr_get_exp(x.lower()), known = -(mpfr_exp_t{1} << 12);
  int result = sign_at(known);
  while (lost - known > 1) {
    const mpfr_exp_t middle = known + (lost - known) / 2;
    if (const int s = sign_at(middle); s != 0)
      known = middle, result = s;
    else
      lost = middle;
  }
  return result < 0 ? -0.0f : 0.0f;
}

double Pointwise::value(float x, Order order) const {
  if (x == 0 || std::isinf(x)) return static_cast<double>(round(x, order));
  const Precision precision(2 * kFirstBits);
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Interval v = enclose(point(x), order, bits);
    if (!v.defined()) continue;
    const double a = mpfr_get_d(v.lower(), MPFR_RNDN), b = mpfr_get_d(v.upper(), MPFR_RNDN);
    if (a == b) return a;
    if (sign(v) == 0 && below(v, kUnderflowExponent)) return static_cast<double>(tail_zero(point(x), order));
  }
  return std::numeric_limits<double>::quiet_NaN();
}

namespace {

/// The unit in the last place of y as a power of two: its exponent.
int unit_exponent(float y) { return std::max(std::ilogb(y), -126) - 23; }

}  // namespace

double Pointwise::distance(float x, Order order) const {
  const float y = round(x, order);
  if (!std::isfinite(y)) return -1;
  const int unit = y == 0 ? -149 : unit_exponent(y);
  for (mpfr_prec_t bits = 2 * kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    // In units: the nearest midpoint is an odd multiple of 1/2 (of 1/4 just below a power of two, which is nearer to
    // its upper midpoint at most by a factor that no list of hard cases notices).
    const Interval v = enclose(point(x), order, bits) * Interval::power_of_two(-unit);
    const Interval offset = v - static_cast<double>(std::ldexp(y, -unit));
    const bool up = mpfr_sgn(offset.upper()) > 0;
    const Interval gap = up ? 0.5 - offset : 0.5 + offset;
    if (gap.zero()) return -std::numeric_limits<double>::infinity();
    if (sign(gap) <= 0) continue;
    const Interval logarithm = log(gap) / log(Interval(2));
    return mpfr_get_d(logarithm.lower(), MPFR_RNDN);
  }
  return -std::numeric_limits<double>::infinity();
}

double Pointwise::error(float x, float answer, Order order) const {
  const float y = round(x, order);
  if (same(y, answer)) return 0.5;
  if (!std::isfinite(y) || !std::isfinite(answer) || y == 0) return std::numeric_limits<double>::infinity();
  const Precision precision(2 * kFirstBits);
  const Interval gap = enclose(point(x), order, 2 * kFirstBits) - static_cast<double>(answer);
  return std::abs(std::ldexp(mpfr_get_d(gap.upper(), MPFR_RNDN), -unit_exponent(y)));
}

}  // namespace actfun::exact
