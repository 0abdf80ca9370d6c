// SPDX-License-Identifier: Apache-2.0
#include "health/kernel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "backends/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "health/kernel.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace actfun::health::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// No fused multiply-add: not every instruction set has one, and results must agree.

using F = hn::CappedTag<float, kLanes>;
using U = hn::RebindToUnsigned<F>;
using I = hn::RebindToSigned<F>;
using D = hn::CappedTag<double, kLanes / 2>;
using Narrow = hn::Rebind<float, D>;  // as many floats as a vector has doubles

/// So many rows fill a nibble. Sums of as many floats lose little.
constexpr std::size_t kNibble = 15;

/// Magnitudes below are subnormal in f16, or zero.
constexpr float kLeastNormalF16 = 0x1p-14f;

/// A row of 16 elements, anywhere in memory.
using Row = const float*;

HWY_INLINE hn::Vec<U> magnitude(hn::Vec<U> bits) { return hn::And(bits, hn::Set(U(), 0x7fffffffu)); }

template <class V>
HWY_INLINE void add_to(std::uint32_t* to, V count) {
  hn::StoreU(hn::Add(hn::LoadU(U(), to), count), U(), to);
}
template <class M>
HWY_INLINE hn::Vec<U> increment(hn::Vec<U> count, M mask) {
#if HWY_TARGET == HWY_AVX3
  return hn::IfThenElse(hn::RebindMask(U(), mask), hn::Add(count, hn::Set(U(), 1u)), count);
#else
  return hn::Sub(count, hn::VecFromMask(U(), hn::RebindMask(U(), mask)));  // all ones are -1
#endif
}

/// Whether all 16 elements are usual.
HWY_INLINE bool usual(const Plan& plan, Row x) {
  const F f;
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    const auto value = hn::LoadU(f, x + v);
    auto good = hn::Lt(hn::Abs(value), hn::Set(f, kReach));  // no NaN
    for (const Interval& kink : plan.avoided)
      good = hn::AndNot(hn::And(hn::Ge(value, hn::Set(f, kink.from)), hn::Le(value, hn::Set(f, kink.to))), good);
    if (!hn::AllTrue(f, good)) return false;
  }
  return true;
}

/// Counts what is too small for the formats: rounded to nearest even, half of the least subnormal number becomes zero.
void count_small(hn::Vec<F> x, float least_normal, Columns& to, std::size_t first) {
  const I i;
  const auto size = hn::BitCast(i, hn::Abs(x));
  const auto within = [&](std::int32_t from, std::int32_t below, Count which) HWY_ATTR {
    const auto inside = hn::And(hn::Gt(size, hn::Set(i, from - 1)), hn::Lt(size, hn::Set(i, below)));
    add_to(&to.counts[which * to.stride + first], increment(hn::Zero(U()), inside));
  };
  within(1, std::bit_cast<std::int32_t>(least_normal), subnormal);
  within(0x33000001, 0x38800000, f16_subnormal);
  within(1, 0x33000001, f16_underflow);
  within(0x00008001, 0x00800000, bf16_subnormal);
  within(1, 0x00008001, bf16_underflow);
}

/// Calls body(x) for a column of vectors.
template <class Tag, class Body>
HWY_INLINE void for_rows(Tag tag, const Row* rows, std::size_t n, std::size_t v, Body body) {
  for (std::size_t i = 0; i < n; ++i) body(hn::LoadU(tag, rows[i] + v));
}

/// Adds how many elements have a bit pattern of `range`; `also_to` may be null.
HWY_INLINE void count_patterns(Pattern range, const Row* rows, std::size_t n, std::uint32_t* to,
                               std::uint32_t* also_to) {
  const F f;
  const I i;
  // first becomes the least integer.
  const auto shift = hn::Set(i, static_cast<std::int32_t>(range.first + 0x80000000u)),
             last = hn::Set(i, static_cast<std::int32_t>(range.span + 0x80000000u));
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    auto outside = hn::Zero(U());
    for_rows(f, rows, n, v,
             [&](auto x) HWY_ATTR { outside = increment(outside, hn::Gt(hn::Sub(hn::BitCast(i, x), shift), last)); });
    const auto inside = hn::Sub(hn::Set(U(), static_cast<std::uint32_t>(n)), outside);
    add_to(to + v, inside);
    if (also_to) add_to(also_to + v, inside);
  }
}

/// The largest and the least magnitude of each lane, as integers: their order is the same, and NaN is the largest.
struct Extremes {
  alignas(64) std::int32_t largest[kLanes], least[kLanes];

  bool some_from(float limit) const {
    return *std::max_element(largest, largest + kLanes) >= std::bit_cast<std::int32_t>(limit);
  }
  bool some_below(float limit) const {
    return *std::min_element(least, least + kLanes) < std::bit_cast<std::int32_t>(limit);
  }
};
HWY_INLINE void find_extremes(const Row* rows, std::size_t n, Extremes& found) {
  const F f;
  const I i;
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    auto largest = hn::Zero(i), least = hn::Set(i, 0x7fffffff);
    for_rows(f, rows, n, v, [&](auto x) HWY_ATTR {
      const auto size = hn::BitCast(i, hn::Abs(x));
      largest = hn::Max(largest, size);
      least = hn::Min(least, size);
    });
    hn::Store(largest, i, found.largest + v);
    hn::Store(least, i, found.least + v);
  }
}
/// Zeros, and what is too small for the formats.
void count_near_zero(const Plan& plan, const Row* rows, std::size_t n, Columns& to, std::size_t first) {
  const F f;
  const auto counts = [&](Count which) { return &to.counts[which * to.stride + first]; };
  const auto least_normal = hn::Set(f, std::max(kLeastNormalF16, plan.least_normal()));
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    auto zeros = hn::Zero(U());
    for_rows(f, rows, n, v, [&](auto x) HWY_ATTR {
      const auto none = hn::Eq(x, hn::Zero(f));
      zeros = increment(zeros, none);
      const auto small = hn::AndNot(none, hn::Lt(hn::Abs(x), least_normal));
      if (!hn::AllFalse(f, small)) count_small(x, plan.least_normal(), to, first + v);
    });
    for (const Count which : {zero, replaced}) add_to(counts(which) + v, zeros);
    if (plan.zero_is_saturated) add_to(counts(saturated) + v, zeros);
    if (plan.zero_is_inactive || !plan.call) add_to(counts(inactive) + v, zeros);
  }
}

/// Saturated and inactive elements, zeros, the largest magnitudes.
void count_usual(const Plan& plan, const Row* rows, std::size_t n, const Extremes& extremes, Columns& to,
                 std::size_t first) {
  const F f;
  const auto counts = [&](Count which) { return &to.counts[which * to.stride + first]; };
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    const auto largest = hn::BitCast(f, hn::Load(I(), extremes.largest + v));
    hn::StoreU(hn::Max(hn::LoadU(f, &to.largest[first + v]), largest), f, &to.largest[first + v]);
  }
  for (const Pattern& range : plan.saturated_patterns)
    count_patterns(range, rows, n, counts(saturated), plan.same_patterns ? counts(inactive) : nullptr);
  if (!plan.same_patterns)
    for (const Pattern& range : plan.inactive_patterns) count_patterns(range, rows, n, counts(inactive), nullptr);
  if (extremes.some_below(std::max(kLeastNormalF16, plan.least_normal()))) count_near_zero(plan, rows, n, to, first);
}

/// The sums of x and x^2. A square of a float is exact in f64. Two vectors at a time: one would wait for its additions.
void sum_usual(const Row* rows, std::size_t n, Columns& to, std::size_t first) {
  const D d;
  const Narrow narrow;
  const std::size_t width = hn::Lanes(d);
  for (std::size_t v = 0; v < kLanes; v += 2 * width) {
    double *const x_to = &to.sums[sum_x * to.stride + first + v], *const xx_to =
                                                                      &to.sums[sum_xx * to.stride + first + v];
    auto sum0 = hn::LoadU(d, x_to), squares0 = hn::LoadU(d, xx_to);
    auto sum1 = hn::LoadU(d, x_to + width), squares1 = hn::LoadU(d, xx_to + width);
    for (std::size_t i = 0; i < n; ++i) {
      const auto x0 = hn::PromoteTo(d, hn::LoadU(narrow, rows[i] + v)),
                 x1 = hn::PromoteTo(d, hn::LoadU(narrow, rows[i] + v + width));
      sum0 = hn::Add(sum0, x0);
      sum1 = hn::Add(sum1, x1);
      squares0 = hn::MulAdd(x0, x0, squares0);  // rounded once, fused or not
      squares1 = hn::MulAdd(x1, x1, squares1);
    }
    hn::StoreU(sum0, d, x_to);
    hn::StoreU(sum1, d, x_to + width);
    hn::StoreU(squares0, d, xx_to);
    hn::StoreU(squares1, d, xx_to + width);
  }
}

/// table[cell]
HWY_INLINE hn::Vec<F> look_up(const float* table, hn::Vec<I> cell) {
  const F f;
#if HWY_TARGET == HWY_AVX3
  static_assert(kCells == 2 * kLanes);
  return hn::Vec<F>{_mm512_permutex2var_ps(hn::LoadU(f, table).raw, cell.raw, hn::LoadU(f, table + kLanes).raw)};
#else
  return hn::GatherIndex(f, table, cell);
#endif
}

template <int degree>
HWY_INLINE hn::Vec<F> parabola(const Parabolas& p, hn::Vec<I> cell, hn::Vec<F> t) {
  auto sum = look_up(p.coefficient[degree], cell);
  for (int power = degree - 1; power >= 0; --power) sum = hn::Add(hn::Mul(sum, t), look_up(p.coefficient[power], cell));
  return sum;
}

/// Adds sums of a few floats to sums in f64.
void add_narrow(const float* from, double* to) {
  const D d;
  const Narrow narrow;
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(d))
    hn::StoreU(hn::Add(hn::LoadU(d, to + v), hn::PromoteTo(d, hn::LoadU(narrow, from + v))), d, to + v);
}

/// Adds 1 to the nibble of a cell's bin: of `lower` for the lower half of the cells, of `upper` for the others.
HWY_INLINE void count_nibble(hn::Vec<U> cell, hn::Vec<U>& lower, hn::Vec<U>& upper) {
#if HWY_TARGET == HWY_AVX3
  // Two look-ups are quicker than a shift and two additions under masks.
  static constexpr auto kOne = [] {
    std::array<std::uint32_t, kCells> one{};
    for (std::size_t i = 0; i < kCells / 2; ++i) one[i] = 1u << (4 * (i / 2));
    return one;
  }();
  const U u;
  const auto ones = hn::LoadU(u, kOne.data()), zeros = hn::Zero(u);
  lower = hn::Add(lower, hn::Vec<U>{_mm512_permutex2var_epi32(ones.raw, cell.raw, zeros.raw)});
  upper = hn::Add(upper, hn::Vec<U>{_mm512_permutex2var_epi32(zeros.raw, cell.raw, ones.raw)});
#else
  const U u;
  const auto one = hn::Shl(hn::Set(u, 1u), hn::And(hn::Add(cell, cell), hn::Set(u, 28u)));
  const auto high = hn::TestBit(cell, hn::Set(u, kCells / 2u));
  lower = hn::Add(lower, hn::IfThenZeroElse(high, one));
  upper = hn::Add(upper, hn::IfThenElseZero(high, one));
#endif
}

/// The histogram, and the sums of f, f^2 and f'^2 by the plan's parabolas, or lines; of degree 0 the
/// histogram alone. A bin's count takes a nibble of one of two
/// words, then a byte, then a word of its own.
template <int degree>
void draw_usual(const Plan& plan, const Row* rows, std::size_t n, Columns& to, std::size_t first) {
  const F f;
  const U u;
  const I i;
  alignas(64) float part_f[kLanes] = {}, part_ff[kLanes] = {}, part_gg[kLanes] = {};
  alignas(64) std::uint32_t bytes[4][kLanes] = {};
  for (std::size_t from = 0; from < n; from += kNibble) {
    const std::size_t end = std::min(n, from + kNibble);
    for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
      auto sum = hn::Zero(f), squares = hn::Zero(f), gains = hn::Zero(f);
      auto lower = hn::Zero(u), upper = hn::Zero(u);
      for (std::size_t row = from; row < end; ++row) {
        const auto scaled = hn::Mul(hn::LoadU(f, rows[row] + v), hn::Set(f, 1 / kCellWidth));
        const auto whole = hn::Floor(scaled);
        // Added to 2^23, an integer stands in the low bits.
        const auto cell =
            hn::And(hn::BitCast(u, hn::Add(whole, hn::Set(f, 0x1p23f + kCells / 2))), hn::Set(u, kCells - 1u));
        count_nibble(cell, lower, upper);
        if constexpr (degree > 0) {
          const auto t = hn::Sub(scaled, whole);
          const auto value = parabola<degree>(plan.value, hn::BitCast(i, cell), t);
          sum = hn::Add(sum, value);
          squares = hn::Add(squares, hn::Mul(value, value));
          gains = hn::Add(gains, parabola<degree>(plan.gain, hn::BitCast(i, cell), t));
        }
      }
      const auto add_part = [&](auto value, float* part)
                                HWY_ATTR { hn::Store(hn::Add(hn::Load(f, part + v), value), f, part + v); };
      add_part(sum, part_f);
      add_part(squares, part_ff);
      add_part(gains, part_gg);
      const auto even = hn::Set(u, 0x0f0f0f0fu);
      add_to(bytes[0] + v, hn::And(lower, even));
      add_to(bytes[1] + v, hn::And(hn::ShiftRight<4>(lower), even));
      add_to(bytes[2] + v, hn::And(upper, even));
      add_to(bytes[3] + v, hn::And(hn::ShiftRight<4>(upper), even));
    }
  }
  if constexpr (degree > 0) {
    add_narrow(part_f, &to.sums[sum_f * to.stride + first]);
    add_narrow(part_ff, &to.sums[sum_ff * to.stride + first]);
    add_narrow(part_gg, &to.sums[sum_gg * to.stride + first]);
  }
  for (std::size_t bin = 0; bin < kInside; ++bin)
    for (std::size_t v = 0; v < kLanes; v += hn::Lanes(u)) {
      const auto word = hn::Load(u, bytes[2 * (bin / 8) + bin % 2] + v);
      const auto count = hn::And(hn::ShiftRightSame(word, static_cast<int>(bin % 8 / 2 * 8)), hn::Set(u, 0xffu));
      add_to(&to.bins[(kOutside + bin) * to.stride + first + v], count);
    }
}

/// Elements of any kind, with f and f' from the kernels.
void count_any(const Plan& plan, const float* x, const float* y, const float* slope, std::size_t n, Columns& to,
               std::size_t first) {
  const F f;
  const U u;
  const auto infinity = hn::Set(u, 0x7f800000u);
  for (std::size_t row = 0; row < n; ++row)
    for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
      const std::size_t at = first + v, place = row * kLanes + v;
      const auto value = hn::LoadU(f, x + place);
      const auto bits = hn::BitCast(u, value), size = magnitude(bits);
      const auto count = [&](Count which, auto mask) {
        add_to(&to.counts[which * to.stride + at], hn::IfThenElseZero(mask, hn::Set(u, 1u)));
      };
      const auto finite = hn::Lt(size, infinity), none = hn::Eq(size, hn::Zero(u));
      const auto infinite = hn::Eq(size, infinity), negative = hn::Gt(bits, hn::Set(u, 0x80000000u));
      count(zero, none);
      count(nan, hn::Gt(size, infinity));
      count(plus_inf, hn::AndNot(negative, infinite));
      count(minus_inf, hn::And(negative, infinite));
      count_small(value, plan.least_normal(), to, at);
      // What lies half a unit beyond the largest number is rounded to infinity.
      count(f16_overflow, hn::And(finite, hn::Gt(size, hn::Set(u, 0x477ff000u - 1))));
      count(bf16_overflow, hn::And(finite, hn::Gt(size, hn::Set(u, 0x7f7f8000u - 1))));

      const auto finite_floats = hn::RebindMask(f, finite);
      const auto largest = hn::LoadU(f, &to.largest[at]);
      hn::StoreU(hn::IfThenElse(finite_floats, hn::Max(largest, hn::Abs(value)), largest), f, &to.largest[at]);
      if (plan.call) {
        const auto of_x = hn::LoadU(f, y + place), dx = hn::LoadU(f, slope + place);
        const auto zero_of = [&](auto a) { return hn::RebindMask(u, hn::Eq(a, hn::Zero(f))); };
        count(saturated, hn::RebindMask(u, hn::Lt(hn::Abs(dx), hn::Set(f, plan.tolerance))));
        count(inactive, hn::And(zero_of(of_x), zero_of(dx)));
        const auto finite_of = [&](auto a) { return hn::Lt(magnitude(hn::BitCast(u, a)), infinity); };
        count(lost, hn::AndNot(hn::And(finite_of(of_x), finite_of(dx)), finite));
      } else {
        count(inactive, none);
      }
    }

  const D d;
  const Narrow narrow;
  const auto greatest = hn::Set(d, static_cast<double>(std::numeric_limits<float>::max()));
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(d)) {
    double* const sums = &to.sums[first + v];
    const auto add = [&](Sum which, auto mask, auto value) {
      double* const sum = sums + which * to.stride;
      hn::StoreU(hn::Add(hn::LoadU(d, sum), hn::IfThenElseZero(mask, value)), d, sum);
    };
    for (std::size_t row = 0; row < n; ++row) {
      const std::size_t place = row * kLanes + v;
      const auto value = hn::PromoteTo(d, hn::LoadU(narrow, x + place));
      auto finite = hn::Le(hn::Abs(value), greatest);
      add(sum_x, finite, value);
      add(sum_xx, finite, hn::Mul(value, value));
      if (!plan.call) continue;
      const auto of_x = hn::PromoteTo(d, hn::LoadU(narrow, y + place)),
                 dx = hn::PromoteTo(d, hn::LoadU(narrow, slope + place));
      finite = hn::And(finite, hn::And(hn::Le(hn::Abs(of_x), greatest), hn::Le(hn::Abs(dx), greatest)));
      add(sum_f, finite, of_x);
      add(sum_ff, finite, hn::Mul(of_x, of_x));
      add(sum_gg, finite, hn::Mul(dx, dx));
    }
  }
}

/// Adds a block of at most kBlockRows rows of 16 elements. What lies at `ahead` is fetched for later.
void count_block(const Plan& plan, const float* x, std::size_t rows, std::size_t row_stride, const float* ahead,
                 Columns& to, std::size_t first, const Target& target) {
  Row usual_rows[kBlockRows];
  alignas(64) float others[kBlockRows * kLanes], y[kBlockRows * kLanes], slope[kBlockRows * kLanes];
  std::size_t usual_count = 0, other_count = 0;
  Extremes extremes;
  for (; usual_count < rows; ++usual_count) {
    usual_rows[usual_count] = x + usual_count * row_stride;
    __builtin_prefetch(ahead + usual_count * kLanes);
  }
  find_extremes(usual_rows, rows, extremes);
  if (plan.exact || !plan.avoided.empty() || extremes.some_from(kReach)) {  // one by one
    usual_count = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      const Row here = x + row * row_stride;
      if (!plan.exact && usual(plan, here))
        usual_rows[usual_count++] = here;
      else
        std::memcpy(others + kLanes * other_count++, here, kLanes * sizeof(float));
    }
    find_extremes(usual_rows, usual_count, extremes);
  }
  if (usual_count > 0) {
    count_usual(plan, usual_rows, usual_count, extremes, to, first);
    sum_usual(usual_rows, usual_count, to, first);
    auto* const draw = !plan.call ? draw_usual<0> : plan.linear ? draw_usual<1> : draw_usual<kDegree>;
    draw(plan, usual_rows, usual_count, to, first);
  }
  if (other_count > 0) {
    if (plan.call) plan.call->evaluate_value_and_slope(others, y, slope, other_count * kLanes, target);
    count_any(plan, others, y, slope, other_count, to, first);
    for (std::size_t row = 0; row < other_count; ++row)
      for (std::size_t lane = 0; lane < kLanes; ++lane)
        if (const std::size_t bin = bin_of(others[row * kLanes + lane]); bin < kBins)
          ++to.bins[bin * to.stride + first + lane];
  }
}

}  // namespace actfun::health::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace actfun::health {

Columns::Columns(std::size_t columns) : width(columns), stride((columns + kLanes - 1) / kLanes * kLanes) { clear(); }

void Columns::clear() {
  counts.assign(kCounts * stride, 0);
  bins.assign(kBins * stride, 0);
  largest.assign(stride, 0);
  sums.assign(kSums * stride, 0);
}

double bin_edge(std::size_t b) {
  if (b < kOutside)
    return b == 0 ? -INFINITY : -std::ldexp(static_cast<double>(kReach), static_cast<int>(kOutside - b));
  if (b > kOutside + kInside)
    return b == kBins ? INFINITY : std::ldexp(static_cast<double>(kReach), static_cast<int>(b - kOutside - kInside));
  return 0.5 * (static_cast<double>(b - kOutside) - kInside / 2);
}

std::size_t bin_of(float x) {
  if (!std::isfinite(x)) return kBins;
  if (std::fabs(x) < kReach) return static_cast<std::size_t>(std::floor(2 * x) + kOutside + kInside / 2);
  constexpr std::uint32_t kFirst = std::bit_cast<std::uint32_t>(kReach) >> 23;
  const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(x) & 0x7fffffff) >> 23;
  const auto binade = std::min<std::size_t>(exponent - kFirst, kOutside - 1);
  return x > 0 ? kOutside + kInside + binade : kOutside - 1 - binade;
}

namespace {

/// Adds the first `width` columns to those from `first` on.
void add(const Columns& from, std::size_t width, Columns& to, std::size_t first) {
  const auto rows = [&](const auto& source, auto& goal, std::size_t kinds) {
    for (std::size_t kind = 0; kind < kinds; ++kind)
      for (std::size_t i = 0; i < width; ++i) goal[kind * to.stride + first + i] += source[kind * from.stride + i];
  };
  rows(from.counts, to.counts, kCounts);
  rows(from.bins, to.bins, kBins);
  rows(from.sums, to.sums, kSums);
  for (std::size_t i = 0; i < width; ++i) to.largest[first + i] = std::max(to.largest[first + i], from.largest[i]);
}

}  // namespace

void count(const Plan& plan, const float* x, std::size_t rows, std::size_t columns, std::size_t row_stride, Columns& to,
           std::size_t first, const Target& target) {
  auto* block = N_SCALAR::count_block;
  switch (target.bit) {
#define ACTFUN_CASE(name, description) \
  case HWY_##name:                     \
    block = N_##name::count_block;     \
    break;
    ACTFUN_TARGETS(ACTFUN_CASE)
#undef ACTFUN_CASE
  }
  alignas(64) float padded[kBlockRows * kLanes];
  for (std::size_t row = 0; row < rows; row += kBlockRows) {
    const std::size_t height = std::min(kBlockRows, rows - row);
    for (std::size_t column = 0; column < columns; column += kLanes) {
      const float* here = x + row * row_stride + column;
      const std::size_t width = std::min(kLanes, columns - column);
      // A block's part of the rows after these, in the order of memory: the block's own columns of them would lie on as
      // many pages. Fetching beyond the end does no harm.
      const float* ahead = x + (row + kBlockRows) * row_stride + column * kBlockRows;
      if (width == kLanes) {
        block(plan, here, height, row_stride, ahead, to, first + column, target);
        continue;
      }
      // Lanes without an element hold zeros, which are counted where nobody looks.
      for (std::size_t i = 0; i < height; ++i) {
        std::memset(padded + i * kLanes, 0, kLanes * sizeof(float));
        std::memcpy(padded + i * kLanes, here + i * row_stride, width * sizeof(float));
      }
      Columns aside(kLanes);
      block(plan, padded, height, kLanes, ahead, aside, 0, target);
      add(aside, width, to, first + column);
    }
  }
}

}  // namespace actfun::health
#endif
