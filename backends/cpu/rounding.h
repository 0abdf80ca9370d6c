// SPDX-License-Identifier: Apache-2.0
// From sums of two doubles and from 256 bits to a number of any format, rounded once.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "core/big/big.h"
#include "core/format.h"

namespace actfun {

inline bool is_nan(double x) { return x != x; }

/// Where double-doubles may lack the exponents: 2^100 leaves room for the fifth power, which gelu_tanh'' takes.
inline bool extreme(double x) { return !(std::fabs(x) > 0x1p-300 && std::fabs(x) < 0x1p100); }

/// high + low rounded to odd, which another rounding to fewer bits does not spoil (see core/lane/real.inl.h).
inline double round_to_odd(double high, double low) {
  const double sum = high + low, t = sum - high, error = (high - (sum - t)) + (low - t);
  const auto bits = std::bit_cast<std::int64_t>(sum);
  if (error == 0 || (bits & 1)) return sum;
  return std::bit_cast<double>(bits + ((error > 0) == (sum > 0) ? 1 : -1));
}

/// To the nearest number of a format with fewer bits; nothing is too large.
inline double rounded(double x, const FormatInfo& format) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int unit = std::max(std::ilogb(x), format.least_exponent) - format.precision + 1;
  return std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
}
inline double rounded(const big::Big& y, const FormatInfo& format) {
  return y.rounded(format.precision, format.least_exponent);
}
/// high + low, where the format may be f64.
inline double rounded(double high, double low, const FormatInfo& format) {
  return format.precision == 53 ? high + low : rounded(round_to_odd(high, low), format);
}

/// 2^(2^30) stands for infinity: every limit is reached there.
inline big::Big stand_in_for_infinity(double x) {
  return copysign(big::Big::power_of_two(std::int64_t{1} << 30), big::Big(std::copysign(1.0, x)));
}

/// On which side of a polynomial of degree 2 an f lies that nears it like exp(-|x|), as xielu' = beta - alpha + alpha
/// exp(x) does, or faster, as gelu' does: -1, 1, or 0 if it is no such f. Far out no number of bits tells, but a third
/// difference at smaller x does, where it lies 100 to 220 bits below f.
template <class Function>
int side_of_tail(const Function& f, double x) {
  for (double distance = 4; distance <= std::fabs(x) && distance < 128; distance *= 1.25) {
    const auto at = [&](double times) { return f(big::Big(std::copysign(times * distance, x))); };
    const big::Big value = at(1), difference = value - at(4) + big::Big(3.0) * (at(3) - at(2));
    if (difference.zero() || value.zero()) return 0;
    const std::int64_t digits = value.exponent() - difference.exponent();
    if (digits >= 100) return digits > 220 ? 0 : difference.negative() ? -1 : 1;
  }
  return 0;
}

/// f(x), which is y to 256 bits, rounded once. What tips a tie like x/2 (1 + x/2 + ...) of a tiny x, or 3x/2 (1 - 1/3x)
/// of a huge one, lies beyond any number of bits. But f is its first term there, of some power of x, and on which side
/// the others lie shows at an x nearer to 1, too.
template <class Function>
double rounded(const Function& f, double x, const big::Big& y, const FormatInfo& format) {
  const big::Big little = scale(y, -200);
  const double outwards = rounded(y + little, format), inwards = rounded(y - little, format);
  if (outwards == inwards) return outwards;
  // What 256 bits cannot tell from a tie is one: (x + 3)/6 for many x.
  const big::Big middle = scale(big::Big(outwards) + big::Big(inwards), -1);
  const bool tie = std::isfinite(outwards) && (abs(y - middle) <= abs(scale(y, -240))).holds;
  const double nearest = rounded(tie ? middle : y, format), size = std::fabs(x);
  const auto by_side = [&](int side) { return side == 0 ? nearest : (side < 0) == y.negative() ? outwards : inwards; };
  if ((size > 0x1p-100 && size < 0x1p100) || x == 0) return tie && size > 4 ? by_side(side_of_tail(f, x)) : nearest;
  const std::int64_t up = (size < 1 ? -40 : 40) - big::Big(x).exponent();
  const big::Big nearer = f(scale(big::Big(x), up));
  const double power = std::nearbyint(static_cast<double>(nearer.exponent() - y.exponent()) / static_cast<double>(up));
  const big::Big first_term = scale(y, static_cast<std::int64_t>(power) * up);
  return (abs(nearer) > abs(first_term)).holds   ? outwards
         : (abs(nearer) < abs(first_term)).holds ? inwards
         : size > 1                              ? by_side(side_of_tail(f, x))
                                                 : nearest;
}

}  // namespace actfun
