// SPDX-License-Identifier: Apache-2.0
// exp as softmax needs it: in floats, in doubles and in pairs of doubles, each by 16 pieces of ln2 and with the same
// bits on every instruction set. Included once per target, inside namespace actfun::HWY_NAMESPACE. Coefficients:
// scripts/fit/softmax.sollya.

inline constexpr int kRoots = 16;
/// 2^(j/16), and what rounding them has left, relative to them.
inline constexpr double kRoot[kRoots] = {0x1p0,
                                         0x1.0b5586cf9890fp0,
                                         0x1.172b83c7d517bp0,
                                         0x1.2387a6e756238p0,
                                         0x1.306fe0a31b715p0,
                                         0x1.3dea64c123422p0,
                                         0x1.4bfdad5362a27p0,
                                         0x1.5ab07dd485429p0,
                                         0x1.6a09e667f3bcdp0,
                                         0x1.7a11473eb0187p0,
                                         0x1.8ace5422aa0dbp0,
                                         0x1.9c49182a3f09p0,
                                         0x1.ae89f995ad3adp0,
                                         0x1.c199bdd85529cp0,
                                         0x1.d5818dcfba487p0,
                                         0x1.ea4afa2a490dap0};
inline constexpr double kRootRest[kRoots] = {0,
                                             0x1.79aa65d837b6dp-54,
                                             -0x1.01b15eaa59348p-55,
                                             0x1.68efde3a8a894p-54,
                                             0x1.34d754db0abb6p-55,
                                             0x1.59f48a72a4c6dp-55,
                                             0x1.690cebb7aafbp-56,
                                             0x1.063e1e21c5409p-54,
                                             -0x1.3b3efbf5e2228p-54,
                                             -0x1.b32dcb94da51dp-56,
                                             0x1.db72fc1f0eab4p-55,
                                             0x1.1affc2b91ce27p-56,
                                             0x1.c1a7792cb3387p-55,
                                             0x1.36eae30af0cb3p-56,
                                             0x1.4a385a63d07a7p-56,
                                             -0x1.ff7128fd391fp-55};

/// The bits of the roots, with j taken out of the exponents: adding the integer 16 n + j at the place where the
/// exponent ends then puts n where it belongs.
template <class Bits, class T, int mantissa>
constexpr std::array<Bits, kRoots> bits_of_roots() {
  std::array<Bits, kRoots> bits{};
  for (unsigned j = 0; j < kRoots; ++j)
    bits[j] = std::bit_cast<Bits>(static_cast<T>(kRoot[j])) - (Bits{j} << (mantissa - 4));
  return bits;
}

// --- Doubles ---

alignas(64) inline constexpr auto kRootBits = bits_of_roots<std::uint64_t, double, 52>();

/// table[n mod 16]
template <class Table>
HWY_INLINE DoublesV look_up_root(const Table& table, DoubleBitsV n) {
#if HWY_TARGET == HWY_AVX3
  const auto* from = reinterpret_cast<const double*>(std::data(table));
  return DoublesV{_mm512_permutex2var_pd(_mm512_loadu_pd(from), n.raw, _mm512_loadu_pd(from + 8))};
#else
  const auto index = hn::BitCast(hn::RebindToSigned<Doubles>(), hn::And(n, hn::Set(DoubleBits(), kRoots - 1)));
  return hn::GatherIndex(Doubles(), reinterpret_cast<const double*>(std::data(table)), index);
#endif
}

/// t = n ln2 / 16 + r, |r| <= ln2 / 32: exp(t) = root exp(r)
struct RootAndRest {
  Real root, n;
  DoubleBitsV index;
};
HWY_INLINE RootAndRest nearest_root(Real t) {
  const Real m = fused(t, 0x1.71547652b82fep4, kRoundToInteger);
  const DoubleBitsV n = hn::BitCast(DoubleBits(), m.v[0]);
  const auto root = hn::Add(hn::BitCast(DoubleBits(), look_up_root(kRootBits, n)), hn::ShiftLeft<48>(n));
  return {Real(hn::BitCast(Doubles(), root)), m - kRoundToInteger, n};
}

/// exp(t) within 2^-45, |t| < 700
HWY_INLINE Real exp_by_roots(Real t) {
  const auto [root, n, index] = nearest_root(t);
  const Real r = fused(n, -0x1.62e42fefa39efp-5, t);
  Real q = fused(r, 0x1.11123d013d608p-7, 0x1.5556b342e0d86p-5);
  q = fused(q, r, 0x1.5555555495272p-3);
  q = fused(q, r, 0x1.ffffffff57d79p-2);
  return fused(root, fused(r * r, q, r), root);
}

// --- Pairs of doubles ---

using TwoReal = TwoReals<1>;

/// high + low where |low| is below |high|.
HWY_INLINE TwoReal normalized(Real high, Real low) {
  const Real sum = high + low;
  return {sum, low - (sum - high)};
}

/// exp(t) = scale (1 + growth), growth within 2^-70.
struct WidePower {
  Real scale;
  TwoReal growth;
  HWY_INLINE TwoReal exp() const {
    const TwoReal p = two_product(scale, growth.high), s = two_sum(scale, p.high);
    return normalized(s.high, s.low + fused(scale, growth.low, p.low));
  }
  HWY_INLINE TwoReal expm1() const {
    const TwoReal c = two_sum(scale, Real(-1.0)), p = two_product(scale, growth.high), s = two_sum(c.high, p.high);
    return normalized(s.high, (s.low + c.low) + fused(scale, growth.low, p.low));
  }
};
/// |t| < 1000, times 2^256: no exponential is subnormal then.
inline constexpr double kWideScale = 0x1p256;
template <bool scaled>
HWY_INLINE WidePower wide_power(TwoReal t) {
  const auto [root, n, index] = nearest_root(t.high);
  // ln2 / 16 in two parts: n times the first, of 37 bits, is exact, and so is the difference.
  const TwoReal p = two_product(n, Real(0x1.cf79abc9e3b3ap-44));
  const TwoReal left = two_sum(fused(n, -0x1.62e42fefap-5, t.high), -p.high);
  const TwoReal r = normalized(left.high, (left.low - p.low) + t.low);  // t.low may reach 2^-44
  // Taylor's series: 2^-77 is left out.
  Real q = 1.0 / 362880;
  for (const double c : {1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6}) q = fused(q, r.high, c);
  const TwoReal square = two_product(r.high, 0.5 * r.high), s = two_sum(r.high, square.high);
  const Real rest = look_up_root(kRootRest, index);
  Real low = fused(r.high, r.low, r.low + square.low) + s.low;
  low = low + fused(square.high * r.high, q + q, fused(rest, r.high, rest));
  const Real scale = scaled ? from_bits(bits(root) + (std::uint64_t{256} << 52)) : root;
  return {scale, normalized(s.high, low)};
}

#ifdef ACTFUN_FAST
// --- Floats ---

alignas(64) inline constexpr auto kFastRootBits = bits_of_roots<std::uint32_t, float, 23>();
/// What rounding a root to float has left, as a part of the argument.
alignas(64) inline constexpr auto kFastRootRest = [] {
  std::array<float, kRoots> rest{};
  for (int j = 0; j < kRoots; ++j)
    rest[j] = static_cast<float>((kRoot[j] - static_cast<double>(static_cast<float>(kRoot[j]))) / kRoot[j]);
  return rest;
}();

HWY_INLINE hn::Vec<Whole> bits_of(Single a) { return hn::BitCast(Whole(), a.v); }

/// Sixteen floats with an integer added to their bits, in registers where these can be looked up.
class FastTable {
 public:
#if HWY_TARGET == HWY_AVX3
  HWY_INLINE explicit FastTable(const void* from, std::uint32_t added = 0)
      : all_(_mm512_add_epi32(_mm512_load_si512(from), _mm512_set1_epi32(static_cast<int>(added)))) {}
  HWY_INLINE hn::Vec<Whole> operator[](hn::Vec<Whole> n) const {
    return hn::Vec<Whole>{_mm512_permutexvar_epi32(n.raw, all_)};
  }

 private:
  __m512i all_;
#elif HWY_TARGET == HWY_AVX2
  HWY_INLINE explicit FastTable(const void* from, std::uint32_t added = 0) {
    const __m256i all = _mm256_set1_epi32(static_cast<int>(added)), *halves = static_cast<const __m256i*>(from);
    low_ = _mm256_add_epi32(_mm256_load_si256(halves), all);
    high_ = _mm256_add_epi32(_mm256_load_si256(halves + 1), all);
  }
  HWY_INLINE hn::Vec<Whole> operator[](hn::Vec<Whole> n) const {
    const __m256 low = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low_, n.raw)),
                 high = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high_, n.raw)),
                 which = _mm256_castsi256_ps(_mm256_slli_epi32(n.raw, 28));
    return hn::Vec<Whole>{_mm256_castps_si256(_mm256_blendv_ps(low, high, which))};
  }

 private:
  __m256i low_, high_;
#else
  HWY_INLINE explicit FastTable(const void* from, std::uint32_t added = 0)
      : from_(static_cast<const float*>(from)), added_(added) {}
  HWY_INLINE hn::Vec<Whole> operator[](hn::Vec<Whole> n) const {
    const auto index = hn::BitCast(hn::RebindToSigned<Single::D>(), hn::And(n, hn::Set(Whole(), kRoots - 1u)));
    return hn::Add(bits_of(hn::GatherIndex(Single::D(), from_, index)), hn::Set(Whole(), added_));
  }

 private:
  const float* from_;
  std::uint32_t added_;
#endif
};

/// The roots times a power of two, given as what is added to their bits: the same for all lanes, or one each.
struct FastRoots {
  FastTable roots;
  HWY_INLINE explicit FastRoots(hn::Vec<Whole> power) : roots(kFastRootBits.data(), hn::GetLane(power)) {}
  HWY_INLINE hn::Vec<Whole> operator[](hn::Vec<Whole> n) const { return roots[n]; }
};
struct FastRootsEach {
  hn::Vec<Whole> power;
  FastTable roots;
  HWY_INLINE explicit FastRootsEach(hn::Vec<Whole> each) : power(each), roots(kFastRootBits.data()) {}
  HWY_INLINE hn::Vec<Whole> operator[](hn::Vec<Whole> n) const { return hn::Add(roots[n], power); }
};

/// scale (1 + growth): growth is below 2^-5, so rounding it hardly counts.
struct FastRootPower {
  Single scale, growth;
  HWY_INLINE Single exp() const { return fma(scale, growth, scale); }
};
/// exp(x + low) times the roots' power of two, within 2^-27 but for the last rounding; |x| < 5000. No more than floats
/// hold must come out.
template <bool has_low, class Roots>
HWY_INLINE FastRootPower fast_root_power(Single x, Single low, const Roots& roots) {
  constexpr double kRound = 12582912;  // 1.5 2^23 leaves an integer in the low bits
  const Single m = fma(x, 0x1.715476p4, kRound), n = m - kRound;
  const auto index = bits_of(m);
  // ln2 / 16 is 2^-33 short of a number of 20 bits: the first difference is exact.
  Single rest = hn::BitCast(Single::D(), FastTable(kFastRootRest.data())[index]);
  if constexpr (has_low) rest = rest + low;
  rest = fma(n, 0x1.05c61p-33, rest);
  const Single r = fnma(n, 0x1.62e43p-5, x) + rest;
  const auto scale = hn::Add(roots[index], hn::ShiftLeft<19>(index));
  return {Single(hn::BitCast(Single::D(), scale)), fma(r * r, fma(r, 0x1.555762p-3, 0x1.000148p-1), r)};
}
#endif
