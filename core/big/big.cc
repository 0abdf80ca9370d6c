// SPDX-License-Identifier: Apache-2.0
#include "core/big/big.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace actfun::big {
namespace {

constexpr int kLimbs = 4, kBits = 64 * kLimbs;
/// Results beyond 2^+-kFar are as good as infinite or zero; products of a few of them still fit an exponent.
constexpr std::int64_t kFar = std::int64_t{1} << 58;

using Wide = unsigned __int128;

}  // namespace

Big::Big(double x) {
  negative_ = std::signbit(x);
  if (x == 0) return;
  int e;
  const double fraction = std::frexp(std::fabs(x), &e);  // in [1/2, 1)
  limbs_[3] = static_cast<std::uint64_t>(std::ldexp(fraction, 53)) << 11;
  exponent_ = e - 1;
}
Big::Big(Constant c) : Big(c.low == 0 ? Big(c.high) : Big(c.high) + Big(c.low)) {}
Big Big::constant(double high, double low, double lowest) { return Big(high) + Big(low) + Big(lowest); }
Big Big::power_of_two(std::int64_t exponent) { return scale(Big(1.0), exponent); }

/// 0.limbs 2^(exponent + 1), any leading zeros.
Big Big::normal(const std::uint64_t* limbs, int count, std::int64_t exponent, bool negative) {
  Big r;
  r.negative_ = negative;
  int top = count - 1;
  while (top >= 0 && limbs[top] == 0) --top;
  if (top < 0) return r;
  const int shift = std::countl_zero(limbs[top]);
  for (int i = 0; i < kLimbs; ++i) {
    const int from = top - (kLimbs - 1 - i);
    const std::uint64_t high = from >= 0 ? limbs[from] : 0, low = from >= 1 ? limbs[from - 1] : 0;
    r.limbs_[static_cast<std::size_t>(i)] = shift == 0 ? high : high << shift | low >> (64 - shift);
  }
  r.exponent_ = exponent - 64 * (count - 1 - top) - shift;
  return r;
}

Big operator-(Big a) {
  a.negative_ = !a.negative_;
  return a;
}
Big abs(Big a) {
  a.negative_ = false;
  return a;
}
Big copysign(Big magnitude, const Big& sign) {
  magnitude.negative_ = sign.negative_;
  return magnitude;
}
Big scale(Big a, std::int64_t n) {
  a.exponent_ += n;
  return a;
}

int Big::compare_magnitudes(const Big& a, const Big& b) {
  if (a.zero() || b.zero()) return static_cast<int>(b.zero()) - static_cast<int>(a.zero());
  if (a.exponent_ != b.exponent_) return a.exponent_ < b.exponent_ ? -1 : 1;
  for (int i = kLimbs - 1; i >= 0; --i)
    if (const auto k = static_cast<std::size_t>(i); a.limbs_[k] != b.limbs_[k])
      return a.limbs_[k] < b.limbs_[k] ? -1 : 1;
  return 0;
}
Truth operator<(const Big& a, const Big& b) {
  if (a.zero() && b.zero()) return {false};
  if (a.zero() || b.zero() || a.negative_ != b.negative_) return {a.zero() ? !b.negative_ : a.negative_};
  const int c = Big::compare_magnitudes(a, b);
  return {a.negative_ ? c > 0 : c < 0};
}

namespace {

/// limbs, with `guard` zero limbs below, shifted right by `shift` bits.
template <std::size_t count>
void shift_right(const std::array<std::uint64_t, kLimbs>& limbs, std::int64_t shift,
                 std::array<std::uint64_t, count>& out) {
  constexpr int guard = static_cast<int>(count) - kLimbs;
  out.fill(0);
  const auto words = static_cast<int>(std::min<std::int64_t>(shift / 64, 64)), bits = static_cast<int>(shift % 64);
  for (int i = 0; i < static_cast<int>(count); ++i) {
    const auto at = [&](int k) {
      k -= guard;
      return k >= 0 && k < kLimbs ? limbs[static_cast<std::size_t>(k)] : 0;
    };
    const std::uint64_t low = at(i + words), high = at(i + words + 1);
    out[static_cast<std::size_t>(i)] = bits == 0 ? low : low >> bits | high << (64 - bits);
  }
}

}  // namespace

Big Big::add_magnitudes(const Big& a, const Big& b) {
  const Big& larger = a.exponent_ >= b.exponent_ ? a : b;
  const Big& smaller = a.exponent_ >= b.exponent_ ? b : a;
  std::array<std::uint64_t, kLimbs + 1> s, sum;
  shift_right(smaller.limbs_, larger.exponent_ - smaller.exponent_, s);
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const Wide t = Wide{i == 0 ? 0 : larger.limbs_[i - 1]} + s[i] + carry;
    sum[i] = static_cast<std::uint64_t>(t);
    carry = static_cast<std::uint64_t>(t >> 64);
  }
  std::array<std::uint64_t, kLimbs + 2> all{};
  std::copy(sum.begin(), sum.end(), all.begin());
  all[kLimbs + 1] = carry;
  return normal(all.data(), kLimbs + 2, larger.exponent_ + 64, a.negative_);
}
Big Big::subtract_magnitudes(const Big& larger, const Big& smaller) {
  std::array<std::uint64_t, kLimbs + 1> s, difference;
  shift_right(smaller.limbs_, larger.exponent_ - smaller.exponent_, s);
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < s.size(); ++i) {
    const Wide t = Wide{i == 0 ? 0 : larger.limbs_[i - 1]} - s[i] - borrow;
    difference[i] = static_cast<std::uint64_t>(t);
    borrow = static_cast<std::uint64_t>(t >> 64) & 1;
  }
  return normal(difference.data(), kLimbs + 1, larger.exponent_, larger.negative_);
}
Big operator+(const Big& a, const Big& b) {
  if (a.zero()) return b.zero() && a.negative_ != b.negative_ ? Big(0.0) : b;
  if (b.zero()) return a;
  if (a.negative_ == b.negative_) return Big::add_magnitudes(a, b);
  const int c = Big::compare_magnitudes(a, b);
  if (c == 0) return 0.0;
  return c > 0 ? Big::subtract_magnitudes(a, b) : Big::subtract_magnitudes(b, a);
}
Big operator-(const Big& a, const Big& b) { return a + -b; }

Big operator*(const Big& a, const Big& b) {
  const bool negative = a.negative_ != b.negative_;
  std::array<std::uint64_t, 2 * kLimbs> p{};
  if (!a.zero() && !b.zero())
    for (std::size_t i = 0; i < kLimbs; ++i) {
      std::uint64_t carry = 0;
      for (std::size_t j = 0; j < kLimbs; ++j) {
        const Wide t = Wide{a.limbs_[i]} * b.limbs_[j] + p[i + j] + carry;
        p[i + j] = static_cast<std::uint64_t>(t);
        carry = static_cast<std::uint64_t>(t >> 64);
      }
      p[i + kLimbs] = carry;
    }
  return Big::normal(p.data(), 2 * kLimbs, a.exponent_ + b.exponent_ + 1, negative);
}

// Newton's method from a double: 52, 104, 208, 416 bits.
Big reciprocal(const Big& a) {
  const std::int64_t e = a.exponent();
  const Big m = scale(a, -e);
  Big r = 1 / m.nearest();
  for (int i = 0; i < 3; ++i) r = r + r * (1.0 - m * r);
  return scale(r, -e);
}
Big operator/(const Big& a, const Big& b) {
  const Big r = reciprocal(b), q = a * r;
  return q + r * (a - b * q);
}
Big sqrt(const Big& a) {
  if (a.zero()) return a;
  const std::int64_t half = a.exponent_ >> 1;
  const Big m = scale(a, -2 * half);
  Big r = 1 / std::sqrt(m.nearest());  // towards 1 / sqrt(m)
  for (int i = 0; i < 3; ++i) r = r + scale(r * (1.0 - m * r * r), -1);
  const Big s = m * r;
  return scale(s + scale(r * (m - s * s), -1), half);
}

double Big::rounded(int precision, int least_exponent) const {
  const double sign = negative_ ? -1.0 : 1.0;
  if (zero() || exponent_ < -1100) return sign * 0.0;
  if (exponent_ > 1023) return sign * std::numeric_limits<double>::infinity();
  const auto e = static_cast<int>(exponent_);
  const int bits = precision - std::max(0, least_exponent - e);  // to be kept: subnormal numbers have fewer
  if (bits < 0) return sign * 0.0;
  const std::uint64_t top = limbs_[3];
  std::uint64_t kept = bits == 0 ? 0 : top >> (64 - bits);
  const std::uint64_t below = bits == 0 ? top : top << bits;
  const bool sticky = (below << 1 | limbs_[2] | limbs_[1] | limbs_[0]) != 0;
  if (below >> 63 && (sticky || (kept & 1))) ++kept;
  return sign * std::ldexp(static_cast<double>(kept), e - bits + 1);
}

std::int64_t Big::nearest_integer() const {
  if (zero() || exponent_ < -1) return 0;
  if (exponent_ > 61) return negative_ ? -(std::int64_t{1} << 62) : std::int64_t{1} << 62;
  const auto bits = static_cast<int>(exponent_) + 1;
  std::uint64_t kept = bits == 0 ? 0 : limbs_[3] >> (64 - bits);
  const std::uint64_t below = bits == 0 ? limbs_[3] : limbs_[3] << bits;
  const bool sticky = (below << 1 | limbs_[2] | limbs_[1] | limbs_[0]) != 0;
  if (below >> 63 && (sticky || (kept & 1))) ++kept;
  const auto n = static_cast<std::int64_t>(kept);
  return negative_ ? -n : n;
}

namespace {

/// The inverse tangent of 1/n.
Big arctangent_of_inverse(double n) {
  const Big square = n * n;
  Big power = 1.0 / Big(n), sum = power;
  for (int k = 1; power.exponent() > -270; ++k) {
    power = -power / square;
    sum = sum + power / Big(2.0 * k + 1);
  }
  return sum;
}
/// ln 2 = 2 artanh(1/3)
Big logarithm_of_two() {
  Big power = Big(2.0) / 3.0, sum = power;
  for (int k = 1; power.exponent() > -270; ++k) {
    power = power / 9.0;
    sum = sum + power / Big(2.0 * k + 1);
  }
  return sum;
}
const Big& ln2() {
  static const Big value = logarithm_of_two();
  return value;
}

}  // namespace

template <>
Big pi<Big>() {  // J. Machin
  static const Big value = 16.0 * arctangent_of_inverse(5) - 4.0 * arctangent_of_inverse(239);
  return value;
}

Big fma(const Big& a, const Big& b, const Big& c) { return a * b + c; }
Big fnma(const Big& a, const Big& b, const Big& c) { return c - a * b; }
Big at_least(const Big& a, double bound) { return select(a < bound, bound, a); }
Big at_most(const Big& a, double bound) { return select(a > bound, bound, a); }
Big quick_reciprocal(const Big& a) { return reciprocal(a); }
Big cancelling_sum(const Big& a, const Big& b) { return a + b; }
Big exact_product(const Big& a, const Big& b) { return a * b; }
Big near_zero(const Big& x, const Big& series, const Big& general) {
  return x.zero() || x.exponent() < -60 ? series : general;
}
Big cut(const Big& x) { return x; }

namespace {

/// exp(x) = 2^n (1 + e)
struct Exponential {
  std::int64_t n;
  Big e;
};
Exponential exponential(const Big& x) {
  if (x.zero()) return {0, x};
  if (x.exponent() > 56) return {x.negative() ? -kFar : kFar, 0.0};
  const std::int64_t n = (x / ln2()).nearest_integer();
  // Taylor's series of expm1(r / 2^12), |r| < 0.35; then twelve times expm1(2 a) = expm1(a) (2 + expm1(a)).
  constexpr int kHalvings = 12;
  const Big r = scale(n == 0 ? x : x - static_cast<double>(n) * ln2(), -kHalvings);
  Big e = 1.0;
  for (int k = 20; k >= 2; --k) e = 1.0 + r * e / static_cast<double>(k);
  e = r * e;
  for (int i = 0; i < kHalvings; ++i) e = e * (2.0 + e);
  return {n, e};
}

}  // namespace

Big exp(const Big& x) {
  const auto [n, e] = exponential(x);
  return scale(1.0 + e, n);
}
Big exp_decay(const Big& x) { return exp(x); }
Big expm1(const Big& x) {
  const auto [n, e] = exponential(x);
  return n == 0 ? e : scale(1.0 + e, n) - 1.0;
}
// Halley's method for expm1(y) = x: 50, 150, 450 bits.
Big log1p(const Big& x) {
  if (x.zero()) return x;
  if (x.exponent() < -256) return x;
  Big y = std::log1p(x.nearest());
  for (int i = 0; i < 2; ++i) {
    const Big f = expm1(y);
    y = y + scale(x - f, 1) / (2.0 + x + f);
  }
  return y;
}

Big sigmoid(const Big& x) {
  const Big e = exp(-abs(x));
  return x.negative() ? e / (1.0 + e) : reciprocal(1.0 + e);
}
Logistic logistic(const Big& x) {
  const Big t = -abs(x), e = exp(t), r = reciprocal(1.0 + e), d = -copysign(expm1(t) * r, x);
  return x.negative() ? Logistic{e * r, r, d} : Logistic{r, e * r, d};
}
Big tanh(const Big& x) {
  const Big m = expm1(scale(-abs(x), 1));
  return copysign(m / (m + 2.0), x);
}
Big sech2(const Big& x) {
  const Big e = exp(scale(-abs(x), 1)), r = reciprocal(1.0 + e);
  return scale(e * r * r, 2);
}

Big normal_density(const Big& x) { return exp(scale(-(x * x), -1)) / sqrt(scale(pi<Big>(), 1)); }

// The series Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3 5) + ...) for |x| < 8, where the lower tail loses 51 bits of
// 256; beyond, the continued fraction 1 - Phi(t) = phi(t) / (t + 1/(t + 2/(t + ...))).
Big normal_cumulative(const Big& x) {
  if (x.zero()) return 0.5;
  const Big t = abs(x), density = normal_density(x);
  if (t.exponent() < 3) {
    const Big square = x * x;
    Big term = x, sum = x;
    for (int k = 1; !term.zero() && term.exponent() > sum.exponent() - 260; ++k) {
      term = term * square / Big(2.0 * k + 1);
      sum = sum + term;
    }
    return 0.5 + density * sum;
  }
  Big fraction = t;
  for (int k = 120; k >= 1; --k) fraction = t + static_cast<double>(k) / fraction;
  const Big tail = density / fraction;
  return x.negative() ? tail : 1.0 - tail;
}

}  // namespace actfun::big
