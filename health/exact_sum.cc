// SPDX-License-Identifier: Apache-2.0
#include "health/exact_sum.h"

#include <bit>
#include <cmath>

namespace actfun::health {
namespace {

constexpr std::uint32_t kMostAdded = std::uint32_t{1} << 29;

}  // namespace

void ExactSum::add(double x) {
  if (x == 0) return;
  const auto bits = std::bit_cast<std::uint64_t>(x);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff);
  const std::uint64_t fraction = bits & ((std::uint64_t{1} << 52) - 1),
                      significand = exponent > 0 ? fraction | std::uint64_t{1} << 52 : fraction;
  const int place = (exponent > 0 ? exponent : 1) - 1075 - kUnit;
  // A significand's low bits below the unit are zero.
  const unsigned __int128 wide = place >= 0 ? static_cast<unsigned __int128>(significand) << place % 32
                                            : static_cast<unsigned __int128>(significand) >> -place;
  const std::size_t first = place >= 0 ? static_cast<std::size_t>(place / 32) : 0;
  const std::int64_t sign = x < 0 ? -1 : 1;
  for (std::size_t i = 0; i < 3; ++i)
    digits_[first + i] += sign * static_cast<std::int64_t>(static_cast<std::uint32_t>(wide >> (32 * i)));
  if (++added_ >= kMostAdded) carry();
}

void ExactSum::carry() {
  for (std::size_t i = 0; i + 1 < kDigits; ++i) {
    const std::int64_t over = digits_[i] >> 32;
    digits_[i] -= over * (std::int64_t{1} << 32);
    digits_[i + 1] += over;
  }
  added_ = 1;
}

void ExactSum::add(const ExactSum& other) {
  const std::array<std::int64_t, kDigits> more = other.digits();
  carry();
  for (std::size_t i = 0; i < kDigits; ++i) digits_[i] += more[i];
  carry();
}

std::array<std::int64_t, ExactSum::kDigits> ExactSum::digits() const {
  ExactSum copy = *this;
  copy.carry();
  return copy.digits_;
}

ExactSum ExactSum::from_digits(const std::array<std::int64_t, kDigits>& digits) {
  ExactSum sum;
  sum.digits_ = digits;
  sum.carry();
  return sum;
}

double ExactSum::value() const {
  std::array<std::int64_t, kDigits> d = digits();
  const bool negative = d.back() < 0;
  if (negative) {  // the magnitude's digits
    ExactSum opposite;
    for (std::size_t i = 0; i < kDigits; ++i) opposite.digits_[i] = -d[i];
    d = opposite.digits();
  }
  std::size_t top = kDigits;
  while (top > 0 && d[top - 1] == 0) --top;
  if (top == 0) return 0;
  // 128 bits from the first nonzero digit on, and whether anything lies below: rounded once to 53 bits.
  unsigned __int128 leading = 0;
  for (std::size_t i = 0; i < 3; ++i)
    leading = leading << 32 | static_cast<std::uint32_t>(top > i ? d[top - 1 - i] : 0);
  bool below = false;
  for (std::size_t i = 0; i + 3 < top; ++i) below |= d[i] != 0;
  int exponent = kUnit + 32 * (static_cast<int>(top) - 3);
  int bits = 0;
  for (unsigned __int128 rest = leading; rest; rest >>= 1) ++bits;
  if (bits > 62) {
    const int drop = bits - 62;
    below |= (leading & ((static_cast<unsigned __int128>(1) << drop) - 1)) != 0;
    leading >>= drop;
    exponent += drop;
  }
  const auto odd = static_cast<std::int64_t>(leading | (below ? 1 : 0));  // 62 bits to odd, then to nearest
  const double magnitude = std::ldexp(static_cast<double>(odd), exponent);
  return negative ? -magnitude : magnitude;
}

double ExactSum::rest() const {
  ExactSum difference = *this;
  difference.add(-value());
  return difference.value();
}

}  // namespace actfun::health
