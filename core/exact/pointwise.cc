// SPDX-License-Identifier: Apache-2.0
#include "core/exact/pointwise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <stdexcept>

namespace actfun::exact {
namespace {

constexpr mpfr_prec_t kFirstBits = 160, kLastBits = 40960;
/// Stands for infinity, and far out where only a sign is wanted. No parameter is so small (2^-1074) that a tail would
/// not have been reached before.
constexpr mpfr_exp_t kInfinityExponent = mpfr_exp_t{1} << 30, kFarExponent = 4096;
/// Stands for "just beside zero": every term of a Taylor series at 0 with doubles for coefficients, however small the
/// first and large the second, is decided there.
constexpr mpfr_exp_t kBesideZeroExponent = -10000;
constexpr mpfr_exp_t kUnderflowExponent = -(mpfr_exp_t{1} << 40);

bool same(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

int sign(const Interval& v) { return mpfr_sgn(v.lower()) > 0 ? 1 : mpfr_sgn(v.upper()) < 0 ? -1 : 0; }

bool below(mpfr_srcptr v, mpfr_exp_t exponent) {
  return mpfr_zero_p(v) || (mpfr_number_p(v) && mpfr_get_exp(v) < exponent);
}
bool below(const Interval& v, mpfr_exp_t exponent) { return below(v.lower(), exponent) && below(v.upper(), exponent); }

/// Whether MPFR's range was exceeded. An enclosure that cannot tell its sign and lies below 2^-2^40 has underflowed (no
/// cancellation at kLastBits leaves so little); an unbounded one has overflowed on the way, as exp(-x) / (1 + exp(-x))
/// does for x = -2^70.
bool lost(const Interval& v) { return !v.bounded() || (!v.zero() && sign(v) == 0 && below(v, kUnderflowExponent)); }

Interval point(float x) { return static_cast<double>(x); }

}  // namespace

float to_float(mpfr_srcptr value) { return mpfr_zero_p(value) ? 0.0f : mpfr_get_flt(value, MPFR_RNDN); }

Interval Pointwise::enclose(const Interval& x, Order order, mpfr_prec_t bits) const {
  const Precision precision(bits);
  const Series::Order truncation(static_cast<std::size_t>(order));
  return definition_(Series::variable(x))[static_cast<std::size_t>(order)];
}

float Pointwise::round(float x, Order order) const {
  if (x == 0) return round_at_zero(x, order);
  if (!std::isinf(x)) return round_at(point(x), order, x);
  const Precision widest(kFirstBits);
  const auto at = [x](mpfr_exp_t exponent) {
    const Interval p = Interval::power_of_two(exponent);
    return x > 0 ? p : -p;
  };
  const Interval v = enclose(at(kInfinityExponent), order, kFirstBits);
  const float a = to_float(v.lower()), b = to_float(v.upper());
  if (v.defined() && same(a, b)) return a;
  // Undecided so far out are only zeros: their sign may need as many bits as the exponent has units.
  const float zero = round_at(at(kFarExponent), order, x);
  if (zero != 0 || (v.bounded() && (a != 0 || b != 0))) throw undecided(order, x);
  return zero;
}

float Pointwise::round_at(const Interval& x, Order order, float shown) const {
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    const Interval v = enclose(x, order, bits);
    const float a = to_float(v.lower()), b = to_float(v.upper());
    if (v.defined() && same(a, b)) return a;
    if (lost(v))
      if (const auto zero = tail_zero(x, order)) return *zero;
  }
  throw undecided(order, shown);
}

std::runtime_error Pointwise::undecided(Order order, float x) const {
  char message[256];
  std::snprintf(message, sizeof message, "%s: order %d at %a is undecided at %ld bits", definition_.name().c_str(),
                static_cast<int>(order), static_cast<double>(x), static_cast<long>(kLastBits));
  return std::runtime_error(message);
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

// The value at x is beyond MPFR's range and its sign is lost. A tail keeps its sign: take it from the farthest power of
// two, on the way from zero to x, where it can still be told (values of about 2^-2^61). Nothing if that is no tail.
std::optional<float> Pointwise::tail_zero(const Interval& x, Order order) const {
  const auto at = [&](mpfr_exp_t exponent) {
    const Interval p = Interval::power_of_two(exponent);
    return enclose(mpfr_sgn(x.lower()) < 0 ? -p : p, order, 2 * kFirstBits);
  };
  mpfr_exp_t beyond = mpfr_get_exp(x.lower()), within = -(mpfr_exp_t{1} << 12);
  while (beyond - within > 1) {
    const mpfr_exp_t middle = within + (beyond - within) / 2;
    (lost(at(middle)) ? beyond : within) = middle;
  }
  const Interval v = at(within);
  if (lost(v) || sign(v) == 0 || !below(v, kUnderflowExponent)) return std::nullopt;
  return sign(v) < 0 ? -0.0f : 0.0f;
}

bool Pointwise::vanishes(float x, Order order) const {
  const Precision precision(kFirstBits);
  return lost(enclose(point(x), order, kFirstBits)) && tail_zero(point(x), order).has_value();
}

double Pointwise::value(float x, Order order) const {
  if (x == 0 || std::isinf(x))
    if (const float y = round(x, order); y == 0 || std::isinf(x)) return static_cast<double>(y);
  const Precision precision(2 * kFirstBits);
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Interval v = enclose(point(x), order, bits);
    const double a = mpfr_get_d(v.lower(), MPFR_RNDN), b = mpfr_get_d(v.upper(), MPFR_RNDN);
    if (v.defined() && a == b) return a;
    if (lost(v))
      if (const auto zero = tail_zero(point(x), order)) return static_cast<double>(*zero);
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
    // In units: the midpoints lie half a unit above and below y, but a quarter below a power of two.
    const Interval v = enclose(point(x), order, bits) * Interval::power_of_two(-unit);
    const Interval offset = v - static_cast<double>(std::ldexp(y, -unit));
    const bool up = mpfr_sgn(offset.upper()) > 0;
    const bool edge = std::abs(y) > 0x1p-126f && std::abs(std::ldexp(y, -unit)) == 0x1p23f && up == (y < 0);
    const double half = edge ? 0.25 : 0.5;
    const Interval gap = up ? half - offset : half + offset;
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
