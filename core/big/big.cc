// SPDX-License-Identifier: Apache-2.0
#include "core/big/big.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace actfun::big {
namespace {

/// The binary digits of 2/pi: enough for all doubles, with 256 bits of accuracy.
constexpr std::array<std::uint64_t, 36> kTwoOverPi = {

    0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561, 0xB7246E3A424DD2E0,
    0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41, 0x3991D639835339F4,
    0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D,
    0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB, 0xF0CFBC209AF4361D,
    0xA9E391615EE61B08, 0x6599855F14A06840, 0x8DFFD8804D732731, 0x06061556CA73A8C9, 0x60E27BC08C6B47C4,
    0x19C367CDDCE8092A, 0x8359C4768B961CA6, 0xDDAF44D15719053E, 0xA5FF07053F7E33E8, 0x32C2DE4F98327DBB,
    0xC33D26EF6B1E5EF8, 0x9F3A1F35CAF27F1D, 0x87F121907C7C246A, 0xFA6ED5772D30433B, 0x15C614B59D19C3C2,
    0xC4AD414D2C5D000C,
};

constexpr int kLimbs = 4, kBits = 64 * kLimbs;
/// Exponentials of what is beyond 2^57 are as good as infinite, or as zero; a zero wins over an infinity, as in
/// e^x / cosh(e^x)^2, and products of a few of them still fit an exponent.
constexpr std::int64_t kInfinite = std::int64_t{1} << 57, kVanished = -(std::int64_t{1} << 60);

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
Big::Big(Constant c) : Big(c.denominator == 0 ? Big(c.high) : Big(c.numerator) / Big(c.denominator)) {}
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
  const Big difference = a - b;  // 0 where only the last bits differ
  return {difference.negative_ && !difference.zero()};
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
  const Big difference = c > 0 ? Big::subtract_magnitudes(a, b) : Big::subtract_magnitudes(b, a);
  // What only the last bits leave is rounding: 3 (1/6) - 1/2 is 0.
  return difference.exponent_ < std::max(a.exponent_, b.exponent_) - (kBits - 8) ? Big(0.0) : difference;
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
Big cut_for_square(const Big& x) { return x; }

namespace {

/// exp(x) = 2^n (1 + e)
struct Exponential {
  std::int64_t n;
  Big e;
};
Exponential exponential(const Big& x) {
  if (x.zero()) return {0, x};
  if (x.exponent() > 56) return {x.negative() ? kVanished : kInfinite, 0.0};
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

Big reciprocal_sqrt(const Big& x) { return reciprocal(sqrt(x)); }
Big wide_sum(const Big& a, const Big& b) { return a + b; }
Big wide_product(const Big& a, const Big& b) { return a * b; }
Big wide_square(const Big& a) { return a * a; }
Big wide_quotient(const Big& a, const Big& b) { return a / b; }
Big narrow(const Big& a) { return a; }
Big exact_fma(const Big& a, const Big& b, const Big& c) { return a * b + c; }
Big exp_fine(const Big& x) { return exp(x); }

namespace {

bool tiny(const Big& x) { return x.zero() || x.exponent() < -40; }

}  // namespace

Big exp_remainder(const Big& x) {
  if (!tiny(x)) return expm1(x) - x;
  return scale(x * x * (1.0 + x / 3.0 * (1.0 + x / 4.0 * (1.0 + x / 5.0 * (1.0 + x / 6.0)))), -1);
}
Big softplus(const Big& x) { return at_least(x, 0.0) + log1p(exp(-abs(x))); }
RootOfSoftplus root_of_softplus(const Big& x) {
  const Big w = exp(scale(-abs(x), -1)), e = w * w, r = reciprocal(1.0 + e), ratio = log1p(e) / e;
  return x.negative() ? RootOfSoftplus{w, ratio, r, r} : RootOfSoftplus{1.0, x + e * ratio, r, e * r};
}
Big tanhshrink(const Big& x) {
  // Beyond 128 what exceeds |x| - 1 is less than this last bit, but it must show: for many x, |x| - 1 is a tie.
  if (!x.zero() && x.exponent() >= 7) return copysign(abs(x) - 1.0 + scale(abs(x), -230), x);
  if (!tiny(x)) return x - tanh(x);
  const Big w = x * x;
  return x * w / 3.0 * (1.0 - w * 2.0 / 5.0 * (1.0 - w * 17.0 / 42.0));
}
Big erf(const Big& x) {
  const Big t = abs(x);
  if ((t > 1.0).holds) return copysign(1.0 - scale(normal_cumulative(-t * sqrt(Big(2.0))), 1), x);
  // 2/sqrt(pi) exp(-t^2) (t + 2 t^3/3 + 4 t^5/(3 5) + ...): all terms are positive.
  const Big w = scale(t * t, 1);
  Big term = t, sum = t;
  for (int k = 1; !term.zero() && term.exponent() > sum.exponent() - 260; ++k) {
    term = term * w / Big(2.0 * k + 1);
    sum = sum + term;
  }
  return copysign(scale(exp(-(t * t)) * sum / sqrt(pi<Big>()), 1), x);
}

/// angle = (n + fraction) pi/2 modulo 4 pi; 0 <= fraction < 1 up to rounding.
struct Quadrant {
  int n;
  Big fraction;
};
Quadrant reduce(const Big& angle) {
  if (angle.zero() || angle.exponent() < 40) {
    const Big turns = scale(angle, 1) / pi<Big>();
    const std::int64_t n = turns.nearest_integer();
    return {static_cast<int>(n & 7), scale(angle - scale(static_cast<double>(n) * pi<Big>(), -1), 1) / pi<Big>()};
  }
  // The 256 bits of the significand times 576 bits of 2/pi, from the first digit whose product is no multiple of 8
  // (M. H. Payne and R. N. Hanek, ACM SIGNUM Newsletter 18, 1983).
  constexpr std::size_t kWindow = 9;
  const std::int64_t unit = angle.exponent_ - (kBits - 1), first = std::max<std::int64_t>(0, unit - 3);
  std::array<std::uint64_t, kLimbs + kWindow> product{};
  for (std::size_t i = 0; i < kWindow; ++i) {  // least significant first
    const std::int64_t bit = first + 64 * static_cast<std::int64_t>(kWindow - 1 - i);
    const auto word = static_cast<std::size_t>(bit / 64);
    const int offset = static_cast<int>(bit % 64);
    const auto digit = [](std::size_t k) { return k < kTwoOverPi.size() ? kTwoOverPi[k] : 0; };
    const std::uint64_t w = offset == 0 ? digit(word) : digit(word) << offset | digit(word + 1) >> (64 - offset);
    std::uint64_t carry = 0;
    for (std::size_t j = 0; j < kLimbs; ++j) {
      const Wide t = Wide{w} * angle.limbs_[j] + product[i + j] + carry;
      product[i + j] = static_cast<std::uint64_t>(t);
      carry = static_cast<std::uint64_t>(t >> 64);
    }
    product[i + kLimbs] = carry;
  }
  const std::int64_t point = first + 64 * kWindow - unit;  // bits behind the binary point
  const auto word = static_cast<std::size_t>(point / 64);
  const int offset = static_cast<int>(point % 64);
  std::uint64_t integer = product[word] >> offset;
  if (offset > 0 && word + 1 < product.size()) integer |= product[word + 1] << (64 - offset);
  product[word] &= (std::uint64_t{1} << offset) - 1;
  for (std::size_t i = word + 1; i < product.size(); ++i) product[i] = 0;
  const auto count = static_cast<int>(product.size());
  Big fraction = Big::normal(product.data(), count, 64 * count - point - 1, false);
  int n = static_cast<int>(integer & 7);
  if (angle.negative()) n = -n & 7, fraction = -fraction;
  return {n, fraction};
}

namespace {

/// By Taylor's series, |x| <= pi/4.
Big sine(const Big& x) {
  const Big w = x * x;
  Big term = x, sum = x;
  for (int k = 1; !term.zero() && term.exponent() > sum.exponent() - 260; ++k) {
    term = -term * w / Big(2.0 * k * (2.0 * k + 1));
    sum = sum + term;
  }
  return sum;
}
Big cosine(const Big& x) {
  const Big w = x * x;
  Big term = 1.0, sum = 1.0;
  for (int k = 1; !term.zero() && term.exponent() > -260; ++k) {
    term = -term * w / Big((2.0 * k - 1) * 2.0 * k);
    sum = sum + term;
  }
  return sum;
}

}  // namespace

Big sine_of_product(const Big& a, const Big& b, int eighths) {
  const auto [n, fraction] = reduce(a * b);
  const Big t = fraction + 0.5 * eighths;
  const std::int64_t whole = t.nearest_integer(), quadrant = (n + whole) & 3;
  const Big rest = scale((t - static_cast<double>(whole)) * pi<Big>(), -1);
  const Big y = quadrant & 1 ? cosine(rest) : sine(rest);
  return quadrant & 2 ? -y : y;
}

// tan(atan(u) - y) = (u cos y - sin y) / (cos y + u sin y), twice: its cube is what remains.
Big atan(const Big& x) {
  const Big t = abs(x);
  const bool inverse = (t > 1.0).holds;
  const Big u = inverse ? reciprocal(t) : t;
  if (!u.zero() && u.exponent() < -256) return copysign(inverse ? scale(pi<Big>(), -1) : u, x);
  Big y = std::atan(u.nearest());
  for (int i = 0; i < 2; ++i) {
    const Big s = sine(y), c = cosine(y);
    y = y + (u * c - s) / (c + u * s);
  }
  return copysign(inverse ? scale(pi<Big>(), -1) - y : y, x);
}

}  // namespace actfun::big
