// SPDX-License-Identifier: Apache-2.0
// sin(a b + eighths pi/4) for any doubles a and b, with the full relative accuracy of the exact product's distance
// to the sine's roots: relative error below 2^-43 on Real and 2^-95 on DoubleDouble.
//
// Moderate angles are reduced on the vector by W. J. Cody's and W. Waite's method (Software Manual for the Elementary
// Functions, 1980), others one by one, as integers, by M. H. Payne's and R. N. Hanek's (ACM SIGNUM Newsletter 18,
// 1983). Coefficients and parts of pi/4: scripts/fit/sine.sollya.

/// r = high + low, with a b = r + eighths pi/4 modulo 2 pi.
struct ReducedAngle {
  double high, low;
  int eighths;
};

/// The exact product of the doubles a and b, less the multiple m of pi/4 with m = residue modulo `modulus` (a power of
/// two up to 8) that leaves the least. Accurate to 2^-104: of the 320 bits that are multiplied by a b, 211 or more lie
/// behind the binary point, and no product of doubles comes nearer to a multiple of pi/4 than some 2^-110.
inline HWY_NOINLINE ReducedAngle reduce_angle(double a, double b, int modulus, int residue) {
  if (!std::isfinite(a) || !std::isfinite(b)) return {std::numeric_limits<double>::quiet_NaN(), 0, 0};
  // |a| = integer 2^exponent
  const auto split = [](double x, int& exponent) {
    int scaled = 0;
    if (std::abs(x) < 0x1p-1000) x *= 0x1p100, scaled = 100;
    const auto u = std::bit_cast<std::uint64_t>(x) & ~(1ull << 63);
    exponent = static_cast<int>(u >> 52) - 1075 - scaled;
    return (u & ((1ull << 52) - 1)) | (1ull << 52);
  };
  const auto power = [](int e) { return std::bit_cast<double>(static_cast<std::uint64_t>(e + 1023) << 52); };
  constexpr double q1 = 0x1.921fb54442d18p-1, q2 = 0x1.1a62633145c07p-55;  // pi/4
  int ea = 0, eb = 0;
  const std::uint64_t u = split(a, ea), v = split(b, eb);
  const int e = ea + eb;
  if (a == 0 || b == 0 || e < -107) {  // |a b| < 1/4
    const double z = a * b, low = std::fma(a, b, -z);
    const int m = residue == 0 ? 0 : modulus == 2 ? (z < 0 ? -1 : 1) : residue - modulus;
    if (m == 0) return {z, low, 0};
    const double p = -m * q1, sum = p + z, rest = (z - (sum - p)) + (low - m * q2);
    return {sum + rest, rest - ((sum + rest) - sum), m};
  }
  // The binary digits of 2/pi.
  static constexpr std::uint64_t kDigits[36] = {
      0xA2F9836E4E441529, 0xFC2757D1F534DDC0, 0xDB6295993C439041, 0xFE5163ABDEBBC561, 0xB7246E3A424DD2E0,
      0x06492EEA09D1921C, 0xFE1DEB1CB129A73E, 0xE88235F52EBB4484, 0xE99C7026B45F7E41, 0x3991D639835339F4,
      0x9C845F8BBDF9283B, 0x1FF897FFDE05980F, 0xEF2F118B5A0A6D1F, 0x6D367ECF27CB09B7, 0x4F463F669E5FEA2D,
      0x7527BAC7EBE5F17B, 0x3D0739F78A5292EA, 0x6BFB5FB11F8D5D08, 0x56033046FC7B6BAB, 0xF0CFBC209AF4361D,
      0xA9E391615EE61B08, 0x6599855F14A06840, 0x8DFFD8804D732731, 0x06061556CA73A8C9, 0x60E27BC08C6B47C4,
      0x19C367CDDCE8092A, 0x8359C4768B961CA6, 0xDDAF44D15719053E, 0xA5FF07053F7E33E8, 0x32C2DE4F98327DBB,
      0xC33D26EF6B1E5EF8, 0x9F3A1F35CAF27F1D, 0x87F121907C7C246A, 0xFA6ED5772D30433B, 0x15C614B59D19C3C2,
      0xC4AD414D2C5D000C,
  };
  constexpr int kFactor = 4, kWindow = 10, kProduct = kFactor + kWindow;  // in words of 32 bits
  std::uint32_t factor[kFactor], window[kWindow], product[kProduct] = {};
  {
    const std::uint64_t ul = u & 0xffffffff, uh = u >> 32, vl = v & 0xffffffff, vh = v >> 32;
    const std::uint64_t ll = ul * vl, lh = ul * vh, hl = uh * vl, hh = uh * vh;
    const std::uint64_t middle = (ll >> 32) + (lh & 0xffffffff) + (hl & 0xffffffff);
    const std::uint64_t top = hh + (lh >> 32) + (hl >> 32) + (middle >> 32);
    factor[0] = static_cast<std::uint32_t>(ll);
    factor[1] = static_cast<std::uint32_t>(middle);
    factor[2] = static_cast<std::uint32_t>(top);
    factor[3] = static_cast<std::uint32_t>(top >> 32);
  }
  // In units of pi/4: digits whose weight 2^(e - k) is 8 or more give multiples of 8.
  const int first = e > 2 ? e - 2 : 0;
  for (int i = 0; i < kWindow; ++i) {
    const int bit = first + 32 * (kWindow - 1 - i), word = bit / 64, offset = bit % 64;
    std::uint64_t digits = kDigits[word] << offset;
    if (offset > 32) digits |= kDigits[word + 1] >> (64 - offset);
    window[i] = static_cast<std::uint32_t>(digits >> 32);
  }
  for (int i = 0; i < kFactor; ++i) {
    std::uint64_t carry = 0;
    for (int j = 0; j < kWindow; ++j) {
      carry += std::uint64_t{factor[i]} * window[j] + product[i + j];
      product[i + j] = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    product[i + kWindow] = static_cast<std::uint32_t>(carry);
  }
  const auto negate = [&product] {
    std::uint64_t carry = 1;
    for (std::uint32_t& word : product) {
      carry += static_cast<std::uint32_t>(~word);
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
  };
  if (std::signbit(a) != std::signbit(b)) negate();
  // 64 bits from bit `at` on; nothing lies below 0 or above the top.
  const auto bits_at = [&product](int at) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 3; ++i) {
      const int word = (at >> 5) + i, shift = 32 * i - (at & 31);
      if (word < 0 || word >= kProduct || shift >= 64) continue;
      bits |= shift < 0 ? std::uint64_t{product[word]} >> -shift : std::uint64_t{product[word]} << shift;
    }
    return bits;
  };
  const int point = 32 * kWindow - 1 + first - e;  // where the fraction ends
  const int integer = static_cast<int>(bits_at(point) & 7);
  int whole = (integer - residue) & (modulus - 1);
  if (whole >= modulus / 2) whole -= modulus;
  // Only whole + fraction remains, as a number in two's complement, and then its magnitude.
  const auto top_word = static_cast<std::size_t>(point / 32);
  const auto extended = static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)) << (point % 32);
  product[top_word] = (product[top_word] & ((1u << (point % 32)) - 1)) | static_cast<std::uint32_t>(extended);
  for (std::size_t i = top_word + 1; i < kProduct; ++i)
    product[i] = i == top_word + 1 ? static_cast<std::uint32_t>(extended >> 32) : whole < 0 ? ~0u : 0u;
  const bool negative = whole < 0;
  if (negative) negate();
  int top = kProduct - 1;
  while (top > 0 && product[top] == 0) --top;
  top = 32 * top + 31 - std::countl_zero(product[top] | 1);
  const double s1 = static_cast<double>(bits_at(top - 52) & ((1ull << 53) - 1)) * power(top - 52 - point);
  const double s2 = static_cast<double>(bits_at(top - 105) & ((1ull << 53) - 1)) * power(top - 105 - point);
  const double p = s1 * q1, rest = std::fma(s1, q1, -p) + (s1 * q2 + s2 * q1), high = p + rest, low = rest - (high - p);
  return {negative ? -high : high, negative ? -low : low, (integer - whole) & 7};
}

/// What the vector's own reduction cannot do, one by one: where `needed` is not 0.
template <int eighths>
HWY_NOINLINE void reduce_angles(const double* a, const double* b, const double* needed, double* r, double* half_turns,
                                std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    if (needed[i] == 0) continue;
    const ReducedAngle angle = reduce_angle(a[i], b[i], 4, -eighths & 3);
    r[i] = angle.high;
    half_turns[i] = kRoundToInteger + (angle.eighths + eighths) / 4;
  }
}

/// sin(a b + eighths pi/4), eighths = 0, 1 or 2.
template <int eighths, int K>
HWY_INLINE Reals<K> sin_of_product(Reals<K> a, Reals<K> b) {
  const TwoReals<K> z = two_product(a, b);
  Reals<K> half_turns = eighths == 0 ? fma(z.high, 0x1.45f306dc9c883p-2, kRoundToInteger)
                                     : fma(z.high, 0x1.45f306dc9c883p-2, eighths / 4.0) + kRoundToInteger;
  const Reals<K> n = half_turns - kRoundToInteger, m = eighths == 0 ? 4.0 * n : 4.0 * n - static_cast<double>(eighths);
  // Near a root the two subtractions from z.high are exact, up to |m| = 2^21. A zero keeps its sign.
  Reals<K> r = fnma(m, 0x1.0b4611a6p-35, fnma(m, 0x1.921fb544p-1, z.high)) - (m * 0x1.3198a2e037073p-70 - z.low);
  // Closer to a root than 2^-40 what is left of z.low is too little.
  const Reals<K> size = abs(z.high);
  const Masks<K> hard = (!(size < 0x1p20)) | ((abs(r) < 0x1p-40) & (size > 0.5));
  if (HWY_UNLIKELY(!none(hard))) {
    const Doubles d;
    const std::size_t lanes = hn::Lanes(d);
    alignas(64) double from_a[8 * K], from_b[8 * K], needed[8 * K], to_r[8 * K], to_turns[8 * K];
    const Reals<K> which = select(hard, Reals<K>(1.0), Reals<K>(0.0));
    for (int k = 0; k < K; ++k) {
      hn::Store(a.v[k], d, from_a + k * lanes), hn::Store(b.v[k], d, from_b + k * lanes);
      hn::Store(which.v[k], d, needed + k * lanes);
      hn::Store(r.v[k], d, to_r + k * lanes), hn::Store(half_turns.v[k], d, to_turns + k * lanes);
    }
    reduce_angles<eighths>(from_a, from_b, needed, to_r, to_turns, K * lanes);
    for (int k = 0; k < K; ++k)
      r.v[k] = hn::Load(d, to_r + k * lanes), half_turns.v[k] = hn::Load(d, to_turns + k * lanes);
  }
  const Reals<K> w = r * r;
  Reals<K> p = fma(w, -0x1.9f0eec260b18ep-41, 0x1.60e686ea0f207p-33);  // 2^-52.5
  p = fma(p, w, -0x1.ae63541831025p-26);
  p = fma(p, w, 0x1.71de380101e0cp-19);
  p = fma(p, w, -0x1.a01a019a5051dp-13);
  p = fma(p, w, 0x1.111111110a30bp-7);
  p = fma(p, w, -0x1.55555555554a2p-3);
  const Reals<K> y = r * fma(p, w, 1.0);
  return from_bits(bits(y) + bits(half_turns).template left<63>());  // an odd number of half turns changes the sign
}

/// Taylor's series for |r| <= pi/4 and a little more: 2^-98 left out.
struct SineAndCosine {
  DoubleDouble sine, cosine;
};
ACTFUN_SHARED SineAndCosine sine_and_cosine(DoubleDouble r) {
  const DoubleDouble w = r * r;
  DoubleDouble s = 1.0, c = 1.0;
  for (int k = 14; k >= 1; --k) {
    s = DoubleDouble(1.0) - w * s / DoubleDouble(2.0 * k * (2.0 * k + 1.0));
    c = DoubleDouble(1.0) - w * c / DoubleDouble((2.0 * k - 1.0) * (2.0 * k));
  }
  return {r * s, c};
}

/// The low parts of a and b may only move the angle by little: the high parts' product is reduced exactly.
template <int eighths>
ACTFUN_SHARED DoubleDouble sin_of_product(DoubleDouble a, DoubleDouble b) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  alignas(64) double from_a[8], from_b[8], high[8], low[8], swapped[8], sign[8];
  hn::Store(a.hi.v[0], d, from_a), hn::Store(b.hi.v[0], d, from_b);
  for (std::size_t i = 0; i < lanes; ++i) {
    const ReducedAngle angle = reduce_angle(from_a[i], from_b[i], 2, eighths & 1);
    const int quarters = (angle.eighths + eighths) / 2;
    high[i] = angle.high, low[i] = angle.low;
    swapped[i] = quarters & 1, sign[i] = (quarters & 2) != 0 ? -1 : 1;
  }
  const auto load = [&d](const double* from) HWY_ATTR { return Real(hn::Load(d, from)); };
  const DoubleDouble r = DoubleDouble(load(high), load(low)) + DoubleDouble(a.hi * b.lo + a.lo * b.hi);
  const auto [s, c] = sine_and_cosine(r);
  return scale(select(load(swapped) == 0.0, s, c), load(sign));
}
