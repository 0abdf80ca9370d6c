// SPDX-License-Identifier: Apache-2.0
#include "health/kernel.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

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
constexpr std::size_t kGroup = 15;

/// Magnitudes below are subnormal in f16, or zero.
constexpr float kLeastNormalF16 = 0x1p-14f;

/// At most kBlockRows rows of 16 elements, `stride` apart. With each row some memory is fetched for later.
struct Rows {
  const float* first;
  std::size_t n, stride;
  const float* ahead;
  const float* operator[](std::size_t i) const { return first + i * stride; }
};

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

/// Whether some element lies where no cubic is right.
HWY_INLINE bool some_avoided(const Plan& plan, Rows rows) {
  const F f;
  auto found = hn::FirstN(f, 0);
  for (const Interval& kink : plan.avoided)
    for (std::size_t row = 0; row < rows.n; ++row)
      for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
        const auto x = hn::LoadU(f, rows[row] + v);
        found = hn::Or(found, hn::And(hn::Ge(x, hn::Set(f, kink.from)), hn::Le(x, hn::Set(f, kink.to))));
      }
  return !hn::AllFalse(f, found);
}

/// Whether all 16 elements are usual.
HWY_INLINE bool usual(const Plan& plan, const float* x) {
  const F f;
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f))
    if (!hn::AllTrue(f, hn::Lt(hn::Abs(hn::LoadU(f, x + v)), hn::Set(f, kReach)))) return false;  // no NaN
  return !some_avoided(plan, {x, 1, kLanes, x});
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

/// Adds how many elements have a bit pattern of one of so many ranges; `also_to` may be null.
template <std::size_t ranges>
HWY_INLINE void count_patterns(const Pattern* range, Rows rows, std::uint32_t* to, std::uint32_t* also_to) {
  const F f;
  const I i;
  const auto outside_of = [&](const Pattern& one, hn::Vec<I> bits) HWY_ATTR {
    // first becomes the least integer.
    const auto shift = hn::Set(i, static_cast<std::int32_t>(one.first + 0x80000000u)),
               last = hn::Set(i, static_cast<std::int32_t>(one.span + 0x80000000u));
    return hn::Gt(hn::Sub(bits, shift), last);
  };
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    auto outside = hn::Zero(U());
    for (std::size_t row = 0; row < rows.n; ++row) {
      const auto bits = hn::BitCast(i, hn::LoadU(f, rows[row] + v));
      auto out = outside_of(range[0], bits);
      if constexpr (ranges > 1) out = hn::And(out, outside_of(range[1], bits));
      outside = increment(outside, out);
    }
    const auto inside = hn::Sub(hn::Set(U(), static_cast<std::uint32_t>(rows.n)), outside);
    add_to(to + v, inside);
    if (also_to) add_to(also_to + v, inside);
  }
}
HWY_INLINE void count_patterns(const std::vector<Pattern>& ranges, Rows rows, std::uint32_t* to,
                               std::uint32_t* also_to) {
  std::size_t i = 0;
  for (; i + 2 <= ranges.size(); i += 2) count_patterns<2>(&ranges[i], rows, to, also_to);
  if (i < ranges.size()) count_patterns<1>(&ranges[i], rows, to, also_to);
}

/// The largest and the least magnitude of columns: of NaN, whatever the instruction set makes of it.
class Extremes {
 public:
  HWY_INLINE Extremes() : largest_(hn::Zero(F())), least_(hn::Set(F(), std::numeric_limits<float>::infinity())) {}
  HWY_INLINE void see(hn::Vec<F> x) {
#if HWY_TARGET == HWY_AVX3
    largest_.raw = _mm512_range_ps(x.raw, largest_.raw, 0b1011);
    least_.raw = _mm512_range_ps(x.raw, least_.raw, 0b1010);
#else
    const auto size = hn::Abs(x);
    largest_ = hn::Max(size, largest_);
    least_ = hn::Min(size, least_);
#endif
  }
  HWY_INLINE hn::Vec<F> largest() const { return largest_; }
  HWY_INLINE bool some_from(float limit) const { return !hn::AllTrue(F(), hn::Lt(largest_, hn::Set(F(), limit))); }
  HWY_INLINE bool some_below(float limit) const { return !hn::AllFalse(F(), hn::Lt(least_, hn::Set(F(), limit))); }

 private:
  hn::Vec<F> largest_, least_;
};

/// Zeros, and what is too small for the formats.
void count_near_zero(const Plan& plan, Rows rows, Columns& to, std::size_t first) {
  const F f;
  const auto counts = [&](Count which) { return &to.counts[which * to.stride + first]; };
  const auto least_normal = hn::Set(f, std::max(kLeastNormalF16, plan.least_normal()));
  auto zeros = hn::Zero(U());
  for (std::size_t row = 0; row < rows.n; ++row) {
    const auto x = hn::LoadU(f, rows[row]);
    const auto none = hn::Eq(x, hn::Zero(f));
    zeros = increment(zeros, none);
    const auto small = hn::AndNot(none, hn::Lt(hn::Abs(x), least_normal));
    if (!hn::AllFalse(f, small)) count_small(x, plan.least_normal(), to, first);
  }
  for (const Count which : {zero, replaced}) add_to(counts(which), zeros);
  if (plan.zero_is_saturated) add_to(counts(saturated), zeros);
  if (plan.zero_is_inactive || !plan.call) add_to(counts(inactive), zeros);
}

/// The sums of x and x^2 of two vectors of columns in f64: a square of a float is exact.
class Squares {
 public:
  HWY_INLINE Squares() {}
  HWY_INLINE Squares(const Columns& columns, std::size_t first)
      : x_{load(columns, sum_x, first, 0), load(columns, sum_x, first, 1)},
        xx_{load(columns, sum_xx, first, 0), load(columns, sum_xx, first, 1)} {}
  HWY_INLINE void add(const float* from) {
    const auto first = hn::PromoteTo(D(), hn::LoadU(Narrow(), from)),
               second = hn::PromoteTo(D(), hn::LoadU(Narrow(), from + hn::Lanes(D())));
    x_.first = hn::Add(x_.first, first);
    x_.second = hn::Add(x_.second, second);
    xx_.first = hn::MulAdd(first, first, xx_.first);  // rounded once, fused or not
    xx_.second = hn::MulAdd(second, second, xx_.second);
  }
  HWY_INLINE bool some_nan() const { return !hn::AllFalse(D(), hn::IsNaN(hn::Add(xx_.first, xx_.second))); }
  HWY_INLINE void store(Columns& to, std::size_t first) const {
    for (const auto& [sum, which] : {std::pair(&x_, sum_x), std::pair(&xx_, sum_xx)}) {
      hn::StoreU(sum->first, D(), &to.sums[which * to.stride + first]);
      hn::StoreU(sum->second, D(), &to.sums[which * to.stride + first + hn::Lanes(D())]);
    }
  }

 private:
  struct Two {
    hn::Vec<D> first, second;
  };
  HWY_INLINE static hn::Vec<D> load(const Columns& columns, Sum which, std::size_t first, std::size_t vector) {
    return hn::LoadU(D(), &columns.sums[which * columns.stride + first + vector * hn::Lanes(D())]);
  }
  Two x_, xx_;
};

/// The sizes of a row's elements: their extremes, and their sums.
template <std::size_t vectors>
class Sizes {
 public:
  HWY_INLINE Sizes(const Columns& columns, std::size_t first) {
    for (std::size_t i = 0; i < kPairs; ++i) squares_[i] = Squares(columns, first + i * kPair);
  }
  HWY_INLINE void see(const float* row) {
    for (std::size_t i = 0; i < vectors; ++i) extremes_[i].see(hn::LoadU(F(), row + i * hn::Lanes(F())));
    for (std::size_t i = 0; i < kPairs; ++i) squares_[i].add(row + i * kPair);
  }
  /// Whether all were, and none was NaN.
  HWY_INLINE bool below(float limit) const {
    for (std::size_t i = 0; i < vectors; ++i)
      if (extremes_[i].some_from(limit)) return false;
    for (std::size_t i = 0; i < kPairs; ++i)
      if (squares_[i].some_nan()) return false;
    return true;
  }
  HWY_INLINE void store(Columns& to, std::size_t first) const {
    for (std::size_t i = 0; i < vectors; ++i) {
      float* const largest = &to.largest[first + i * hn::Lanes(F())];
      hn::StoreU(hn::Max(hn::LoadU(F(), largest), extremes_[i].largest()), F(), largest);
    }
    for (std::size_t i = 0; i < kPairs; ++i) squares_[i].store(to, first + i * kPair);
  }
  HWY_INLINE const Extremes& extremes(std::size_t i) const { return extremes_[i]; }

 private:
  static constexpr std::size_t kPair = 2 * hn::MaxLanes(D()), kPairs = kLanes / kPair;
  Extremes extremes_[vectors];
  Squares squares_[kPairs];
};

/// The cells of a vector's elements, and where in them these lie. Bits above the cell's five mean nothing.
struct Place {
  hn::Vec<U> cell;
  hn::Vec<F> t;
};
HWY_INLINE Place near_place(hn::Vec<F> x) {
  const F f;
#if HWY_TARGET == HWY_AVX3
  // Where the unit in the last place is a cell's width, rounding down finds the cell.
  const auto shift = hn::Set(f, kCellWidth * (0x1.8p23f + kCells / 2));
  const hn::Vec<F> sum{_mm512_add_round_ps(x.raw, shift.raw, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC)};
  return {hn::BitCast(U(), sum), hn::Sub(x, hn::Sub(sum, shift))};
#else
  const auto whole = hn::Floor(hn::Mul(x, hn::Set(f, 1 / kCellWidth)));
  // Added to 2^23, an integer stands in the low bits.
  return {hn::BitCast(U(), hn::Add(whole, hn::Set(f, 0x1p23f + kCells / 2))),
          hn::Sub(x, hn::Mul(whole, hn::Set(f, kCellWidth)))};
#endif
}
/// The same of the plan's far cells.
HWY_INLINE Place far_place(hn::Vec<F> x) {
  const U u;
  const auto size = hn::Abs(x);
  const auto bits = hn::BitCast(u, size);
  const auto quarter = hn::Sub(hn::ShiftRight<21>(bits), hn::Set(u, 4 * kFirstFar)),
             half = hn::Sub(hn::ShiftRight<22>(bits), hn::Set(u, 2 * kFirstFar - 2)),
             whole = hn::Sub(hn::ShiftRight<23>(bits), hn::Set(u, kFirstFar - 4));
  const auto cell = hn::Min(hn::Min(quarter, half), whole);
  const auto below = [&](std::uint32_t exponent) HWY_ATTR { return hn::Lt(bits, hn::Set(u, exponent << 23)); };
  const auto kept = hn::IfThenElse(below(kFirstFar + 2), hn::Set(u, 0xffc00000u), hn::Set(u, 0xff800000u));
  const auto left = hn::And(bits, hn::IfThenElse(below(kFirstFar + 1), hn::Set(u, 0xffe00000u), kept));
  return {hn::Or(cell, hn::And(hn::ShiftRight<27>(hn::BitCast(u, x)), hn::Set(u, kCells / 2u))),
          hn::Sub(size, hn::BitCast(F(), left))};
}

/// table[cell]
HWY_INLINE hn::Vec<F> look_up(const float* table, hn::Vec<U> cell) {
  const F f;
#if HWY_TARGET == HWY_AVX3
  static_assert(kCells == 2 * kLanes);
  return hn::Vec<F>{_mm512_permutex2var_ps(hn::LoadU(f, table).raw, cell.raw, hn::LoadU(f, table + kLanes).raw)};
#elif HWY_TARGET == HWY_AVX2
  // Quicker than a gather.
  static_assert(kCells == 4 * 8);
  const auto piece = [&](int i) HWY_ATTR {
    return hn::Vec<F>{_mm256_permutevar8x32_ps(hn::LoadU(f, table + 8 * i).raw, cell.raw)};
  };
  const auto third = hn::BitCast(f, hn::ShiftLeft<28>(cell)), fourth = hn::BitCast(f, hn::ShiftLeft<27>(cell));
  return hn::IfNegativeThenElse(fourth, hn::IfNegativeThenElse(third, piece(3), piece(2)),
                                hn::IfNegativeThenElse(third, piece(1), piece(0)));
#else
  return hn::GatherIndex(f, table, hn::BitCast(I(), hn::And(cell, hn::Set(U(), kCells - 1u))));
#endif
}

/// What Cubics::at does, with coefficient(power).
template <int degree, class Coefficient>
HWY_INLINE void draw(Coefficient coefficient, hn::Vec<F> t, hn::Vec<F>& value, hn::Vec<F>& slope) {
  auto rise = coefficient(1);
  slope = rise;
  if constexpr (degree > 1) {
    const auto last = hn::Mul(coefficient(3), t), bend = hn::Add(last, coefficient(2));
    rise = hn::Add(hn::Mul(bend, t), rise);
    slope = hn::Add(hn::Mul(hn::Add(bend, last), t), rise);
  }
  value = hn::Add(hn::Mul(rise, t), coefficient(0));
}

/// Adds 1 to the nibble of a cell's bin: of `lower` for the lower half of the cells, of `upper` for the others.
HWY_INLINE void count_nibble(hn::Vec<U> cell, hn::Vec<U>& lower, hn::Vec<U>& upper) {
  const U u;
#if HWY_TARGET == HWY_AVX3
  // Two look-ups are quicker than a shift and two additions under masks.
  static constexpr auto kOne = [] {
    std::array<std::uint32_t, kCells> one{};
    for (std::size_t i = 0; i < kCells / 2; ++i) one[i] = 1u << (4 * (i / 2));
    return one;
  }();
  const auto ones = hn::LoadU(u, kOne.data()), zeros = hn::Zero(u);
  lower = hn::Add(lower, hn::Vec<U>{_mm512_permutex2var_epi32(ones.raw, cell.raw, zeros.raw)});
  upper = hn::Add(upper, hn::Vec<U>{_mm512_permutex2var_epi32(zeros.raw, cell.raw, ones.raw)});
#elif HWY_TARGET == HWY_AVX2
  // A shift by 32 or more, or less than none, leaves nothing.
  const auto one = hn::Set(u, 1u), shift = hn::And(hn::Add(cell, cell), hn::Set(u, 60u));
  lower = hn::Add(lower, hn::Vec<U>{_mm256_sllv_epi32(one.raw, shift.raw)});
  upper = hn::Add(upper, hn::Vec<U>{_mm256_sllv_epi32(one.raw, hn::Sub(shift, hn::Set(u, 32u)).raw)});
#else
  const auto one = hn::Shl(hn::Set(u, 1u), hn::And(hn::Add(cell, cell), hn::Set(u, 28u)));
  const auto high = hn::TestBit(cell, hn::Set(u, kCells / 2u));
  lower = hn::Add(lower, hn::IfThenZeroElse(high, one));
  upper = hn::Add(upper, hn::IfThenElseZero(high, one));
#endif
}

/// What many groups of rows have in common before it is added to Columns: bins' counts, and sums of f, f^2 and f'^2.
struct Tally {
  alignas(64) std::uint32_t bytes[4][kLanes] = {};
  alignas(64) float parts[3][kLanes] = {};

  void store(Columns& to, std::size_t first) const {
    const U u;
    const D d;
    for (std::size_t bin = 0; bin < kInside; ++bin)
      for (std::size_t v = 0; v < kLanes; v += hn::Lanes(u)) {
        const auto word = hn::Load(u, bytes[2 * (bin / 8) + bin % 2] + v);
        const auto count = hn::And(hn::ShiftRightSame(word, static_cast<int>(bin % 8 / 2 * 8)), hn::Set(u, 0xffu));
        add_to(&to.bins[(kOutside + bin) * to.stride + first + v], count);
      }
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t v = 0; v < kLanes; v += hn::Lanes(d)) {
        double* const sum = &to.sums[(sum_f + i) * to.stride + first + v];
        hn::StoreU(hn::Add(hn::LoadU(d, sum), hn::PromoteTo(d, hn::LoadU(Narrow(), parts[i] + v))), d, sum);
      }
  }
};

/// The histogram, and the sums of f, f^2 and f'^2 by the plan's cubics, or lines; of degree 0 the histogram alone.
/// A bin's count takes a nibble of one of two words, then a byte, then a word of its own.
template <int degree, bool wide>
class Drawing {
 public:
  HWY_INLINE explicit Drawing(const Plan& plan)
      : plan_(plan), lower_(hn::Zero(U())), upper_(hn::Zero(U())), sums_{hn::Zero(F()), hn::Zero(F()), hn::Zero(F())} {}
  /// At most kGroup times.
  HWY_INLINE void add(hn::Vec<F> x) {
    Place place = near_place(x);
    if constexpr (wide) {
      const U u;
      const Place far = far_place(x);
      const auto is_far = hn::Ge(hn::Abs(x), hn::Set(F(), kReach));
      const auto bits = hn::BitCast(u, x);
      const auto binade = hn::Sub(hn::And(hn::ShiftRight<23>(bits), hn::Set(u, 0xffu)), hn::Set(u, kFirstFar));
      const auto outside =
          hn::IfThenElse(hn::TestBit(bits, hn::Set(u, 0x80000000u)), hn::Sub(hn::Set(u, kOutside - 1u), binade),
                         hn::Add(hn::Set(u, kOutside + kInside), binade));
      const auto inside =
          hn::Add(hn::ShiftRight<1>(hn::And(place.cell, hn::Set(u, kCells - 1u))), hn::Set(u, kOutside));
      hn::Store(hn::IfThenElse(hn::RebindMask(u, is_far), outside, inside), u, bins_[rows_++]);
      if constexpr (degree > 0)
        add_drawn(
            [&](int power) HWY_ATTR {
              return hn::IfThenElse(is_far, look_up(plan_.far_curve.coefficient[power], far.cell),
                                    look_up(plan_.curve.coefficient[power], place.cell));
            },
            hn::IfThenElse(is_far, far.t, place.t));
    } else {
      count_nibble(place.cell, lower_, upper_);
      if constexpr (degree > 0)
        add_drawn([&](int power) HWY_ATTR { return look_up(plan_.curve.coefficient[power], place.cell); }, place.t);
    }
  }
  HWY_INLINE void store(Tally& tally, std::size_t v, Columns& to, std::size_t first) const {
    if constexpr (degree > 0)
      for (std::size_t i = 0; i < 3; ++i)
        hn::StoreU(hn::Add(hn::LoadU(F(), tally.parts[i] + v), sums_[i]), F(), tally.parts[i] + v);
    if constexpr (wide) {
      for (std::size_t row = 0; row < rows_; ++row)
        for (std::size_t lane = 0; lane < hn::Lanes(F()); ++lane)
          ++to.bins[bins_[row][lane] * to.stride + first + lane];
    } else {
      const auto even = hn::Set(U(), 0x0f0f0f0fu);
      const auto add_bytes = [&](std::size_t which, auto more)
                                 HWY_ATTR { add_to(tally.bytes[which] + v, hn::And(more, even)); };
      add_bytes(0, lower_);
      add_bytes(1, hn::ShiftRight<4>(lower_));
      add_bytes(2, upper_);
      add_bytes(3, hn::ShiftRight<4>(upper_));
    }
  }

 private:
  template <class Coefficient>
  HWY_INLINE void add_drawn(Coefficient coefficient, hn::Vec<F> t) {
    hn::Vec<F> value, slope;
    draw<degree>(coefficient, t, value, slope);
    sums_[0] = hn::Add(sums_[0], value);
    sums_[1] = hn::Add(sums_[1], hn::Mul(value, value));
    sums_[2] = hn::Add(sums_[2], hn::Mul(slope, slope));
  }

  const Plan& plan_;
  hn::Vec<U> lower_, upper_;
  hn::Vec<F> sums_[3];
  std::size_t rows_ = 0;
  alignas(64) std::uint32_t bins_[wide ? kGroup : 1][kLanes];  // of each element
};

/// Adds groups of rows up to the first one with an element that is not usual, or `wide`. Says how many rows that are.
template <int degree, bool wide>
std::size_t count_rows(const Plan& plan, Rows rows, Tally& tally, Columns& to, std::size_t first) {
  const F f;
  constexpr float kLimit = wide ? kFar : kReach;
  constexpr std::size_t kWidth = hn::MaxLanes(f), kVectors = kLanes / kWidth;
  std::size_t done = 0;
  Sizes<kVectors> sizes(to, first);
  for (std::size_t end; done < rows.n; done = end) {
    end = std::min(rows.n, done + kGroup);
    if (!plan.avoided.empty() && some_avoided(plan, {rows[done], end - done, rows.stride, rows.ahead})) break;
    Sizes<kVectors> next = sizes;
    const auto draw_vector = [&](std::size_t v, auto before) HWY_ATTR {
      Drawing<degree, wide> drawing(plan);
      for (std::size_t row = done; row < end; ++row) {
        before(row);
        drawing.add(hn::LoadU(f, rows[row] + v));
      }
      return drawing;
    };
    const auto see = [&](std::size_t row) HWY_ATTR {
      __builtin_prefetch(rows.ahead + row * kLanes);
      next.see(rows[row]);
    };
    if constexpr (kVectors == 1) {  // there are registers for everything at once
      const auto drawing = draw_vector(0, see);
      if (!next.below(kLimit)) break;
      drawing.store(tally, 0, to, first);
    } else {
      for (std::size_t row = done; row < end; ++row) see(row);
      if (!next.below(kLimit)) break;
      for (std::size_t v = 0; v < kLanes; v += kWidth)
        draw_vector(v, [](std::size_t) {}).store(tally, v, to, first + v);
    }
    sizes = next;
  }
  if (done == 0) return 0;
  sizes.store(to, first);
  for (std::size_t v = 0; v < kLanes; v += hn::Lanes(f)) {
    if (sizes.extremes(v / kWidth).some_below(std::max(kLeastNormalF16, plan.least_normal())))
      count_near_zero(plan, {rows.first + v, done, rows.stride, rows.ahead}, to, first + v);
  }
  rows.n = done;
  const Patterns& patterns = wide ? plan.wide : plan.near;
  const auto counts = [&](Count which) { return &to.counts[which * to.stride + first]; };
  count_patterns(patterns.saturated, rows, counts(saturated), patterns.same ? counts(inactive) : nullptr);
  if (!patterns.same) count_patterns(patterns.inactive, rows, counts(inactive), nullptr);
  return done;
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
template <int degree>
void count_block_of(const Plan& plan, const float* x, std::size_t rows, std::size_t row_stride, const float* ahead,
                    Columns& to, std::size_t first, const Target& target) {
  Tally tally;
  alignas(64) float others[kBlockRows * kLanes];
  std::size_t other_count = 0;
  for (std::size_t from = 0; from < rows;) {
    const auto rest = [&](std::size_t most) {
      return Rows{x + from * row_stride, std::min(most, rows - from), row_stride, ahead + from * kLanes};
    };
    if (!plan.exact) from += count_rows<degree, false>(plan, rest(rows), tally, to, first);
    if (from == rows) break;
    const Rows group = rest(kGroup);
    from += group.n;
    if (!plan.exact && plan.far_is_usual && count_rows<degree, true>(plan, group, tally, to, first) > 0) continue;
    // One by one.
    alignas(64) float usuals[kGroup * kLanes];
    std::size_t usual_count = 0;
    for (std::size_t row = 0; row < group.n; ++row) {
      float* const place =
          !plan.exact && usual(plan, group[row]) ? usuals + kLanes * usual_count++ : others + kLanes * other_count++;
      std::memcpy(place, group[row], kLanes * sizeof(float));
    }
    count_rows<degree, false>(plan, {usuals, usual_count, kLanes, usuals}, tally, to, first);
  }
  tally.store(to, first);
  if (other_count == 0) return;
  alignas(64) float y[kBlockRows * kLanes], slope[kBlockRows * kLanes];
  if (plan.call) plan.call->evaluate_value_and_slope(others, y, slope, other_count * kLanes, target);
  count_any(plan, others, y, slope, other_count, to, first);
  for (std::size_t row = 0; row < other_count; ++row)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      if (const std::size_t bin = bin_of(others[row * kLanes + lane]); bin < kBins)
        ++to.bins[bin * to.stride + first + lane];
}
void count_block(const Plan& plan, const float* x, std::size_t rows, std::size_t row_stride, const float* ahead,
                 Columns& to, std::size_t first, const Target& target) {
  auto* const count_it = !plan.call ? count_block_of<0> : plan.linear ? count_block_of<1> : count_block_of<kDegree>;
  count_it(plan, x, rows, row_stride, ahead, to, first, target);
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
