// SPDX-License-Identifier: Apache-2.0
#include "core/exact/pointwise.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <limits>
#include <utility>

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

constexpr double kLargest = std::numeric_limits<double>::max(), kLeast = std::numeric_limits<double>::denorm_min();
constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

int sign(const Interval& v) { return mpfr_sgn(v.lower()) > 0 ? 1 : mpfr_sgn(v.upper()) < 0 ? -1 : 0; }

bool below(mpfr_srcptr v, mpfr_exp_t exponent) {
  return mpfr_zero_p(v) || (mpfr_number_p(v) && mpfr_get_exp(v) < exponent);
}
bool below(const Interval& v, mpfr_exp_t exponent) { return below(v.lower(), exponent) && below(v.upper(), exponent); }

/// Whether MPFR's range was exceeded. An enclosure that cannot tell its sign and lies below 2^-2^40 has underflowed (no
/// cancellation at kLastBits leaves so little); an unbounded one has overflowed on the way, as exp(-x) / (1 + exp(-x))
/// does for x = -2^70.
bool lost(const Interval& v) { return !v.bounded() || (!v.zero() && sign(v) == 0 && below(v, kUnderflowExponent)); }

double overflowed(int sign, Rounding to) {
  const FormatInfo& format = info_of(to.format);
  const double size = format.infinite ? kInfinity : to.saturate ? format.largest : kNan;
  return sign < 0 ? -size : size;
}

/// What is beyond the end, by less than any number: for an end that is not reached itself.
double rounded_beyond(mpfr_srcptr end, bool above, Rounding to) {
  mpfr_t beyond;
  mpfr_init2(beyond, mpfr_get_prec(end) + 64);  // finer than any format's midpoints
  mpfr_set(beyond, end, MPFR_RNDN);
  if (above)
    mpfr_nextabove(beyond);
  else
    mpfr_nextbelow(beyond);
  // The least number has nothing between it and zero: it stands for itself.
  const double y = rounded(mpfr_zero_p(beyond) ? end : beyond, to);
  mpfr_clear(beyond);
  return y;
}

Rounded with_rest(double y, const Interval& v) {
  if (!std::isfinite(y) || !v.bounded()) return {y, 0};
  return {y, mpfr_get_d((v - y).lower(), MPFR_RNDN)};
}

}  // namespace

double rounded(mpfr_srcptr value, Rounding to) {
  if (mpfr_zero_p(value)) return 0;
  if (mpfr_nan_p(value)) return kNan;
  if (to.format == Format::f32) return static_cast<double>(mpfr_get_flt(value, MPFR_RNDN));
  if (to.format == Format::f64) return mpfr_get_d(value, MPFR_RNDN);
  const FormatInfo& format = info_of(to.format);
  const int negative = mpfr_sgn(value) < 0 ? -1 : 1, least = format.least_exponent - format.precision + 1;
  if (mpfr_inf_p(value) || mpfr_get_exp(value) > 200) return overflowed(negative, to);
  if (mpfr_get_exp(value) < least) return negative * 0.0;  // below half of the least number
  // In units of the last place the result is an integer.
  const int unit = std::max(static_cast<int>(mpfr_get_exp(value)) - format.precision, least);
  mpfr_t integer;
  mpfr_init2(integer, mpfr_get_prec(value));
  mpfr_mul_2si(integer, value, -unit, MPFR_RNDN);
  mpfr_rint(integer, integer, MPFR_RNDN);
  const double y = std::ldexp(mpfr_get_d(integer, MPFR_RNDN), unit);
  mpfr_clear(integer);
  return std::abs(y) > format.largest ? overflowed(negative, to) : y;
}

std::optional<double> rounded(const Interval& v, Rounding to) {
  if (!v.defined()) return std::nullopt;
  double a = rounded(v.lower(), to), b = rounded(v.upper(), to);
  if (same(a, b)) return a;
  if (v.lower_open() && mpfr_number_p(v.lower())) a = rounded_beyond(v.lower(), true, to);
  if (v.upper_open() && mpfr_number_p(v.upper())) b = rounded_beyond(v.upper(), false, to);
  if (same(a, b)) return a;
  return std::nullopt;
}

double unit_of(double y, Format format) {
  const FormatInfo& f = info_of(format);
  return std::ldexp(1.0, std::max(y == 0 ? f.least_exponent : std::ilogb(y), f.least_exponent) - f.precision + 1);
}

Pointwise::Pointwise(Definition definition) : definition_(std::move(definition)) {
  for (const double seed : {-kLargest, -kLeast, kLeast, kLargest})
    if (const auto plateau = plateau_around(seed)) plateaus_.push_back(*plateau);
}

Pointwise::Derivatives Pointwise::enclose_all(const Interval& x, std::size_t highest, mpfr_prec_t bits) const {
  const Precision precision(bits);
  const auto rational = [&] {
    const Rational f = definition_.rational(Rational::variable(x));
    return Derivatives{f[0], f[1], f[2]};
  };
  if (bits > kFirstBits) {  // the first try has failed: perhaps a tie
    try {
      return rational();
    } catch (const Irrational&) {
    }
  }
  const Series::Order truncation(highest);
  try {
    const Series f = definition_(Series::variable(x));
    return {f[0], f[1], f[2]};
  } catch (const Undecided&) {  // a kink
    try {
      return rational();
    } catch (const Irrational&) {
      return {Interval::undefined(), Interval::undefined(), Interval::undefined()};
    }
  }
}

Interval Pointwise::enclose(const Interval& x, Order order, mpfr_prec_t bits) const {
  const auto k = static_cast<std::size_t>(order);
  return std::move(enclose_all(x, k, bits)[k]);
}

Rounded Pointwise::round(double x, Order order, Rounding to) const {
  if (x == 0) return round_at_zero(x, order, to);
  if (std::isinf(x)) return round_at_infinity(x, order, to);
  return round_at(x, x, order, to);
}

std::array<Rounded, 3> Pointwise::round(double x, Rounding to) const {
  std::array<Rounded, 3> y;
  const bool ordinary = x != 0 && !std::isinf(x);
  const Precision precision(kFirstBits);
  Derivatives v;
  if (ordinary) v = enclose_all(x, 2, kFirstBits);
  for (int order = 0; order < 3; ++order) {
    const Interval& f = v[static_cast<std::size_t>(order)];
    const auto found = ordinary && !f.zero() ? rounded(f, to) : std::nullopt;
    y[static_cast<std::size_t>(order)] = found ? with_rest(*found, f) : round(x, static_cast<Order>(order), to);
  }
  return y;
}

Rounded Pointwise::round_at(const Interval& x, double shown, Order order, Rounding to) const {
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    const Interval v = enclose(x, order, bits);
    if (v.zero()) return {order == Order::value ? zero_of_value(shown) : 0, 0};
    if (const auto y = rounded(v, to)) return with_rest(*y, v);
    if (lost(v))
      if (const auto limit = tail_limit(x, order)) return {*limit, 0};
  }
  // No number of bits helps where factors have left MPFR's range, even if the product has not.
  if (const auto limit = tail_limit(x, order)) return {*limit, 0};
  throw undecided(shown, order);
}

Rounded Pointwise::round_at_infinity(double x, Order order, Rounding to) const {
  const Precision widest(kFirstBits);
  const auto at = [x](mpfr_exp_t exponent) {
    const Interval p = Interval::power_of_two(exponent);
    return x > 0 ? p : -p;
  };
  const Interval v = enclose(at(kInfinityExponent), order, kFirstBits);
  if (v.zero()) return {order == Order::value ? zero_of_value(x) : 0, 0};
  if (const auto y = rounded(v, to)) return {*y, 0};
  // Arguments of a sine that lie so far out are not reduced: what is still wide has no limit.
  if (v.bounded() && !below(v, -1000)) {
    const Interval width = v - v, size = Interval::power_of_two(-30) * (v * v);
    if (mpfr_greater_p((width * width).upper(), (size * Interval::power_of_two(-30)).upper())) return {kNan, 0};
  }
  // Undecided so far out are only zeros: their sign may need as many bits as the exponent has units.
  const Rounded far = round_at(at(kFarExponent), x, order, to);
  if (v.bounded() && (far.value != 0 || !below(v, -1000))) throw undecided(x, order);
  return {far.value, 0};
}

std::runtime_error Pointwise::undecided(double x, Order order) const {
  char message[256];
  std::snprintf(message, sizeof message, "%s: order %d at %a is undecided at %ld bits", definition_.name().c_str(),
                static_cast<int>(order), x, static_cast<long>(kLastBits));
  return std::runtime_error(message);
}

// A function that is odd in its tiniest values keeps its sign through zero: f(-0) is the limit from the left.
Rounded Pointwise::round_at_zero(double zero, Order order, Rounding to) const {
  const Precision widest(kFirstBits);
  const Interval at_zero = enclose(0, order, kFirstBits);
  if (!at_zero.zero()) return round_at(0, zero, order, to);
  const Interval right = Interval::power_of_two(kBesideZeroExponent), beside = std::signbit(zero) ? -right : right;
  for (mpfr_prec_t bits = kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    const Interval v = enclose(beside, order, bits);
    if (v.zero()) return {order == Order::value ? zero_of_value(std::signbit(zero) ? -kLeast : kLeast) : 0, 0};
    if (sign(v) == 0) continue;
    // An odd function that jumps at 0 has the sign of its input there too; a derivative that jumps is +0.
    const bool keeps = below(v, -1000) || (order == Order::value && definition_.info().symmetry == "odd");
    return {keeps && sign(v) < 0 ? -0.0 : 0.0, 0};
  }
  throw std::runtime_error(definition_.name() + ": undecided beside zero");
}

// The value at x is beyond MPFR's range and its sign is lost. A tail keeps its sign: take it from the farthest power of
// two, on the way from zero to x, where it can still be told (values of about 2^-2^61). Nothing if that is no tail.
std::optional<double> Pointwise::tail_limit(const Interval& x, Order order) const {
  const auto at = [&](mpfr_exp_t exponent) {
    const Interval p = Interval::power_of_two(exponent);
    return enclose(mpfr_sgn(x.lower()) < 0 ? -p : p, order, 2 * kFirstBits);
  };
  FoundTail& found = tails_[mpfr_sgn(x.lower()) < 0][static_cast<int>(order)];
  if (mpfr_get_exp(x.lower()) >= found.exponent) return found.limit;
  mpfr_exp_t beyond = mpfr_get_exp(x.lower()), within = -(mpfr_exp_t{1} << 12);
  while (beyond - within > 1) {
    const mpfr_exp_t middle = within + (beyond - within) / 2;
    (lost(at(middle)) ? beyond : within) = middle;
  }
  // Shortly before that a factor may have left the range already.
  if (within > 1 && sign(at(within)) == 0) {
    beyond = std::exchange(within, 1);
    while (beyond - within > 1) {
      const mpfr_exp_t middle = within + (beyond - within) / 2;
      (sign(at(middle)) == 0 ? beyond : within) = middle;
    }
  }
  const Interval v = at(within);
  if (lost(v) || sign(v) == 0) return std::nullopt;
  double limit = sign(v) < 0 ? -0.0 : 0.0;
  if (!below(v, kUnderflowExponent)) {  // or it has settled on a number: the derivative of x tanh(exp(x)) on 1
    const Interval before = at(within / 2);
    limit = mpfr_get_d(v.lower(), MPFR_RNDN);
    for (const mpfr_srcptr end : {v.upper(), before.lower(), before.upper()})
      if (mpfr_get_d(end, MPFR_RNDN) != limit) return std::nullopt;
  }
  found.limit = limit;
  found.exponent = mpfr_get_exp(x.lower());
  return limit;
}

bool Pointwise::settles(float x, Order order, bool bounded) const {
  const Precision precision(kFirstBits);
  const Interval point = static_cast<double>(x);
  return (bounded || lost(enclose(point, order, kFirstBits))) && tail_limit(point, order).has_value();
}

bool Pointwise::zero_at(double x) const {
  const Precision precision(kFirstBits);
  return enclose(x, Order::value, kFirstBits).zero();
}

// The sign of an exact zero. An odd function has that of its input, a plateau that of f just before it, and an isolated
// root is +0.
double Pointwise::zero_of_value(double x) const {
  const double finite = std::isinf(x) ? std::copysign(kLargest, x) : x;
  if (definition_.info().symmetry == "odd" && zero_at(-finite)) return std::copysign(0.0, x);
  for (const Plateau& p : plateaus_)
    if (p.lower <= finite && finite <= p.upper) return p.zero;
  return 0;
}

namespace {

/// Doubles in their order, with one zero.
std::int64_t ordinal(double x) {
  const auto bits = std::bit_cast<std::int64_t>(std::abs(x));
  return x < 0 ? -bits : bits;
}
double from_ordinal(std::int64_t i) {
  const double size = std::bit_cast<double>(i < 0 ? -i : i);
  return i < 0 ? -size : size;
}

}  // namespace

/// The sign of f at `outer`, the first double beyond a plateau, if f gets there without a jump: over one step it may
/// not rise above what its slope there explains.
std::optional<double> Pointwise::sign_before(double inner, double outer) const {
  const Precision precision(2 * kFirstBits);
  const Derivatives f = enclose_all(outer, 1, 2 * kFirstBits);
  const Interval step = Interval(outer) - inner, allowed = 4 * (step * f[1]);
  const bool jump = mpfr_cmpabs(f[0].lower(), allowed.lower()) > 0 && mpfr_cmpabs(f[0].upper(), allowed.upper()) > 0;
  if (jump || sign(f[0]) == 0) return std::nullopt;
  return sign(f[0]) < 0 ? -0.0 : 0.0;
}

std::optional<Pointwise::Plateau> Pointwise::plateau_around(double seed) const {
  if (!zero_at(seed)) return std::nullopt;
  for (const Plateau& p : plateaus_)
    if (p.lower <= seed && seed <= p.upper) return std::nullopt;
  std::optional<double> signs[2];
  double ends[2];
  for (const bool up : {false, true}) {
    // A power of two beyond the plateau, then the last double of it.
    double inner = seed;
    std::optional<double> outer;
    const auto next = [up](double x) -> double {
      if (x == 0) return up ? kLeast : -kLeast;
      if ((x > 0) == up) return x * 2;
      return std::abs(x) == kLeast ? 0 : x / 2;
    };
    for (double x = next(seed); !std::isinf(x); x = next(x)) {
      if (!zero_at(x)) {
        outer = x;
        break;
      }
      inner = x;
    }
    if (outer) {
      std::int64_t in = ordinal(inner), out = ordinal(*outer);
      while (std::max(in, out) - std::min(in, out) > 1) {
        const std::int64_t middle = in + (out - in) / 2;
        (zero_at(from_ordinal(middle)) ? in : out) = middle;
      }
      inner = from_ordinal(in);
      signs[up] = sign_before(inner, from_ordinal(out));
    } else {
      inner = up ? kLargest : -kLargest;
    }
    ends[up] = inner;
  }
  const bool negative =
      (signs[0] || signs[1]) && (!signs[0] || std::signbit(*signs[0])) && (!signs[1] || std::signbit(*signs[1]));
  return Plateau{ends[0], ends[1], negative ? -0.0 : 0.0};
}

double Pointwise::distance(float x, Order order) const {
  const double y = static_cast<double>(round(x, order));
  if (!std::isfinite(y)) return -1;
  const int unit = std::ilogb(unit_of(y, Format::f32));
  for (mpfr_prec_t bits = 2 * kFirstBits; bits <= kLastBits; bits *= 2) {
    const Precision precision(bits);
    // In units: the midpoints lie half a unit above and below y, but a quarter below a power of two.
    const Interval v = enclose(static_cast<double>(x), order, bits) * Interval::power_of_two(-unit);
    const Interval offset = v - std::ldexp(y, -unit);
    const bool up = mpfr_sgn(offset.upper()) > 0;
    const bool edge = std::abs(y) > 0x1p-126 && std::abs(std::ldexp(y, -unit)) == 0x1p23 && up == (y < 0);
    const double half = edge ? 0.25 : 0.5;
    const Interval gap = up ? half - offset : half + offset;
    if (gap.zero()) return -kInfinity;
    if (sign(gap) <= 0) continue;
    const Interval logarithm = log(gap) / log(Interval(2));
    return mpfr_get_d(logarithm.lower(), MPFR_RNDN);
  }
  return -kInfinity;
}

}  // namespace actfun::exact
