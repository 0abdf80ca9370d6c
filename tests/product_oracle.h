// SPDX-License-Identifier: Apache-2.0
// Products with a function's value or derivative, rounded once, by the oracle; and numbers of a format to try them on.
#pragma once

#include <cstring>
#include <functional>

#include "core/exact/pointwise.h"
#include "tests/inputs.h"

namespace actfun::tests {

using exact::Interval;
using exact::Pointwise;
using exact::Precision;
using exact::Series;

inline constexpr Format kFormats[] = {Format::f32, Format::f64, Format::f16, Format::bf16};
inline constexpr double kNan = std::numeric_limits<double>::quiet_NaN(),
                        kInfinity = std::numeric_limits<double>::infinity();

inline bool same(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b) || (std::isnan(a) && std::isnan(b));
}

inline std::vector<const Entry*> elementwise() {
  std::vector<const Entry*> entries;
  for (const Entry& entry : functions())
    if (entry.elementwise()) entries.push_back(&entry);
  return entries;
}

/// Numbers of a format, as doubles, to and from arrays of it.
inline std::vector<unsigned char> array_of(Format format, const std::vector<double>& x) {
  const std::size_t bytes = info_of(format).bytes;
  std::vector<unsigned char> y(x.size() * bytes);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::uint64_t code = encode(format, x[i], Overflow::saturate);
    std::memcpy(&y[i * bytes], &code, bytes);
  }
  return y;
}
inline std::vector<double> doubles_of(Format format, const std::vector<unsigned char>& x) {
  const std::size_t bytes = info_of(format).bytes;
  std::vector<double> y(x.size() / bytes);
  for (std::size_t i = 0; i < y.size(); ++i) {
    std::uint64_t code = 0;
    std::memcpy(&code, &x[i * bytes], bytes);
    y[i] = decode(format, code);
  }
  return y;
}

/// Inputs of every kind: where functions bend, kinks and roots, tails, subnormal numbers, infinities, NaN.
inline std::vector<double> inputs(const Info& info, Format format, std::size_t n, std::uint32_t seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal;
  const auto number = [&] {
    switch (generator() % 5) {
      case 0:
      case 1:
        return normal(generator);
      case 2:
        return normal(generator) * 20;
      case 3: {  // any exponent
        const int low = info_of(format).least_exponent - info_of(format).precision + 1;
        const int exponent = low + static_cast<int>(generator() % static_cast<std::uint64_t>(1 - 2 * low));
        return std::ldexp(1 + static_cast<double>(generator() >> 12) * 0x1p-52, exponent) * (generator() & 1 ? 1 : -1);
      }
      default: {
        std::vector<double> special = {0.0, -0.0, kInfinity, -kInfinity, kNan, 1, -1, info_of(format).largest};
        for (const Kink& kink : info.kinks) {
          double x = 0;
          if (parse_number(kink.x, x)) special.push_back(x);
        }
        for (const Extremum& extremum : info.extrema)
          special.push_back(std::strtod(std::string(extremum.x).c_str(), nullptr));
        return special[generator() % special.size()];
      }
    }
  };
  std::vector<double> x(n);
  for (double& each : x) each = decode(format, encode(format, round_to(format, number()), Overflow::saturate));
  return x;
}

using Enclose = std::function<Interval(double x, mpfr_prec_t bits)>;
using Nearest = std::function<double(double x)>;

/// Of the two numbers that an interval no wider than a hair rounds to, the even one: it holds the middle between them.
inline double to_even(const Interval& v, exact::Rounding to) {
  const double a = exact::rounded(v.lower(), to), b = exact::rounded(v.upper(), to);
  const long double middle = (static_cast<long double>(a) + static_cast<long double>(b)) / 2;
  return to.format == Format::f64 ? static_cast<double>(middle) : round_to(to.format, static_cast<double>(middle));
}

/// a b f(x) rounded once; `undecided` becomes true where no number of bits tells a tie from what lies beside it, which
/// is then rounded to even. `enclose` encloses f(x). `nearest` is f(x) as a double, with the sign of zero, and its
/// limits.
inline double product(const Enclose& enclose, const Nearest& nearest, double x, double a, double b, exact::Rounding to,
                      bool* undecided = nullptr) {
  const auto sign = [](double y) { return std::copysign(1.0, y); };
  if (std::isnan(x) || std::isnan(a) || std::isnan(b)) return kNan;
  if (std::isinf(x)) {
    const double f = nearest(x);
    if (f == 0 || !std::isfinite(f) || a == 0 || b == 0 || std::isinf(a) || std::isinf(b)) return a * b * f;
  } else if (std::isinf(a) || std::isinf(b)) {
    const Precision precision(160);
    return enclose(x, 160).zero() ? kNan : a * b * sign(nearest(x));
  }
  const auto zero = [&] { return sign(a) * sign(b) * std::copysign(0.0, nearest(x)); };
  if (a == 0 || b == 0) return zero();
  for (mpfr_prec_t bits = 160;; bits *= 2) {
    const Precision precision(bits);
    const Interval factor = Interval(a) * Interval(b), v = enclose(x, bits) * factor;
    if (v.zero()) return zero();
    if (const auto y = exact::rounded(v, to)) return *y;
    if (bits < 5000) continue;
    const double f = nearest(x);
    if (f == 0) return zero();
    if (undecided) *undecided = true;
    return v.bounded() ? to_even(v, to) : to_even(factor * Interval(f), to);  // or a tail that has settled on f
  }
}

inline double want(const Pointwise& oracle, Order order, Format format, double x, double a, double b,
                   bool* undecided = nullptr) {
  const bool limits = !std::isinf(x) || !std::isnan(oracle.round(x, order, {}).value);
  const auto enclose = [&](double at, mpfr_prec_t bits) {
    if (!std::isinf(at)) return oracle.enclose(Interval(at), order, bits);
    // The limit itself, as a sum of two doubles: far out, f may lie beside it by less than any number of bits tells.
    const Interval far = Interval::power_of_two(mpfr_exp_t{1} << 30),
                   y = oracle.enclose(at > 0 ? far : -far, order, bits);
    const double high = mpfr_get_d(y.lower(), MPFR_RNDN), low = mpfr_get_d((y - high).lower(), MPFR_RNDN);
    return Interval(high) + Interval(std::abs(low) > std::abs(high) * 0x1p-120 ? low : 0.0);
  };
  return product(
      enclose,
      [&](double at) {
        if (std::isinf(at) && !limits) return kNan;
        return oracle.round(at, order, {.format = Format::f64}).value;
      },
      x, a, b, {.format = format}, undecided);
}

}  // namespace actfun::tests
