// SPDX-License-Identifier: Apache-2.0
// Compiled with -O3 -ffp-contract=off, like evaluate.cc: every fused operation is spelled out.
#include "core/exact/periodic.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/exact/rounding.h"
#include "core/exact/taylor_model.h"

namespace actfun::exact {
namespace {

constexpr int kLogCells = std::countr_zero(static_cast<unsigned>(Periodic::kCells));
constexpr int kLogHalfCell = 128 - kLogCells - 1;  // half a cell in units of 2^-128 periods
constexpr long double kUnit = 0x1p-53L, kGrow = 1 + 0x1p-40L;
/// What h lacks absolutely: 24 bits of x times the last bit of `turns_`, in units of half a cell.
constexpr long double kReduction = 0x1p-95L;

// h counts halves of a cell: what is above 2^64 times 2^(64 - kLogHalfCell), and the rest.
constexpr double power_of_two(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(1023 + exponent) << 52);
}
constexpr double kScaleHigh = power_of_two(64 - kLogHalfCell), kScaleLow = power_of_two(-kLogHalfCell);

long double magnitude(const Interval& v) {
  if (!v.defined()) return HUGE_VALL;
  return std::max(std::abs(mpfr_get_ld(v.lower(), MPFR_RNDD)), std::abs(mpfr_get_ld(v.upper(), MPFR_RNDU)));
}
double nearest(const Interval& v) { return mpfr_get_d(v.lower(), MPFR_RNDN) + 0.0; }
double up(long double error) { return static_cast<double>(error * kGrow) * (1 + 0x1p-50); }

Interval factorial(int k) {
  Interval f(1);
  for (int i = 2; i <= k; ++i) f = Interval(i) * f;
  return f;
}

/// The hull of two intervals given by their outer ends.
Interval around(const Interval& center, const Interval& radius) { return center + Interval::hull(-1, 1) * radius; }

std::optional<Periodic::Cell> make_cell(const Series& at, const Series& over, int order, double drift,
                                        const Interval& center, const Interval& half) {
  Interval scale(1);
  const auto coefficient = [&](const Series& f, int k) {
    Interval d = f[static_cast<std::size_t>(k + order)];
    if (k + order == 1) d = order == 0 ? d - drift : d;
    return d / factorial(k) * scale;
  };
  Periodic::Cell cell{};
  const Interval lead = order == 0 ? at[0] - Interval(drift) * center : coefficient(at, 0);
  if (!lead.bounded()) return std::nullopt;
  cell.lead = nearest(lead);
  // A zero of f is an enclosure of 0, not a point: no digits of it are known, and none are wanted.
  if (lead.contains_zero()) cell.lead = 0;
  cell.lead_low = lead.contains_zero() ? 0 : nearest(lead - cell.lead);
  long double error[3] = {magnitude(lead - cell.lead - cell.lead_low), 0, 0};
  long double size = std::abs(cell.lead);
  for (int k = 1; k <= Periodic::kDegree; ++k) {
    scale = scale * half;
    const Interval c = coefficient(at, k);
    if (!c.bounded()) return std::nullopt;
    const double b = cell.tail[k - 1] = c.contains_zero() ? 0 : nearest(c);
    const long double a = std::abs(b);
    // Horner's roundings, those of h (3u relatively) to the k-th power, and what h lacks absolutely.
    error[std::min(k, 2)] += magnitude(c - b) + (5 * k + 2) * kUnit * a;
    error[k == 1 ? 0 : 1] += 2 * k * kReduction * a;
    size += a;
  }
  scale = scale * half;
  error[2] += magnitude(coefficient(over, Periodic::kDegree + 1));
  error[0] += 8 * kUnit * kUnit * std::abs(cell.lead) + 0x1p-1000L;
  error[1] += 8 * kUnit * kUnit * size;
  for (int k = 0; k < 3; ++k) cell.error[k] = up(error[k]);
  if (!(size < 0x1p320L) || !(cell.error[0] + cell.error[1] + cell.error[2] <= 0x1p-45 * static_cast<double>(size)))
    return std::nullopt;
  return cell;
}

struct Block {
  alignas(64) double h[kBlock], s[kBlock], l[kBlock], e[kBlock];
  alignas(64) std::uint32_t cell[kBlock], doubt[kBlock];
};

ACTFUN_INLINE void run(const std::vector<unsigned __int128>& turns, const Periodic::Cell* cells, double drift,
                       const float* x, Block& b, float* out) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const auto bits = std::bit_cast<std::uint32_t>(x[i]), exponent = bits >> 23 & 0xff, fraction = bits & 0x7fffff;
    const unsigned __int128 turn = (exponent ? fraction | 0x800000 : fraction) * turns[exponent];
    const unsigned __int128 phase = bits >> 31 ? -turn : turn;
    const auto cell =
        static_cast<std::uint32_t>((phase + (static_cast<unsigned __int128>(1) << kLogHalfCell)) >> (kLogHalfCell + 1));
    const auto rest = static_cast<__int128>(phase - (static_cast<unsigned __int128>(cell) << (kLogHalfCell + 1)));
    b.cell[i] = cell % Periodic::kCells;
    b.h[i] = static_cast<double>(static_cast<std::int64_t>(rest >> 64)) * kScaleHigh +
             static_cast<double>(static_cast<std::uint64_t>(rest)) * kScaleLow;
  }
  for (std::size_t i = 0; i < kBlock; ++i) {
    const Periodic::Cell& c = cells[b.cell[i]];
    const double h = b.h[i], size = std::abs(h);
    double t = c.tail[Periodic::kDegree - 1];
#pragma GCC unroll 16
    for (int k = Periodic::kDegree - 2; k >= 0; --k) t = __builtin_fma(t, h, c.tail[k]);
    const Sum wave = two_sum(c.lead, t * h), line = two_product(drift, static_cast<double>(x[i])),
              s = two_sum(line.high, wave.high);
    b.s[i] = s.high;
    b.l[i] = (s.low + line.low) + (wave.low + c.lead_low);
    b.e[i] = (c.error[0] + size * (c.error[1] + size * c.error[2])) +
             0x1p-50 * ((std::abs(s.low) + std::abs(line.low)) + (std::abs(wave.low) + std::abs(c.lead_low)));
  }
  decide(0x1p-48, b.s, b.l, b.e, b.doubt, out);
}

using Run = void (*)(const std::vector<unsigned __int128>&, const Periodic::Cell*, double, const float*, Block&,
                     float*);
void run_anywhere(const std::vector<unsigned __int128>& turns, const Periodic::Cell* cells, double drift,
                  const float* x, Block& b, float* out) {
  run(turns, cells, drift, x, b, out);
}
#ifdef __x86_64__
__attribute__((target("avx2,fma,bmi2"))) void run_avx2(const std::vector<unsigned __int128>& turns,
                                                       const Periodic::Cell* cells, double drift, const float* x,
                                                       Block& b, float* out) {
  run(turns, cells, drift, x, b, out);
}
__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma,bmi2,prefer-vector-width=512"))) void run_avx512(
    const std::vector<unsigned __int128>& turns, const Periodic::Cell* cells, double drift, const float* x, Block& b,
    float* out) {
  run(turns, cells, drift, x, b, out);
}
#endif
Run best() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("bmi2"))
    return run_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return run_avx2;
#endif
  return run_anywhere;
}

}  // namespace

std::optional<Periodic> Periodic::make(const Pointwise& pointwise) {
  const auto wave = pointwise.definition().wave();
  if (!wave || !wave->drift().point()) return std::nullopt;
  const Precision precision(1600);  // 128 bits after the point for x and a frequency of 2^1100 together
  Periodic p;
  p.drift_ = nearest(wave->drift());
  if (!(wave->drift() - p.drift_).zero()) return std::nullopt;
  const Interval period = 2 * Interval::pi() / wave->frequency();
  const double start = 0.75 * mpfr_get_d(period.lower(), MPFR_RNDN);
  if (!(start < static_cast<double>(std::numeric_limits<float>::max()))) return std::nullopt;
  p.first_ = std::max(1u, std::bit_cast<std::uint32_t>(static_cast<float>(start)));
  p.turns_.resize(256);
  for (int exponent = 0; exponent < 256; ++exponent) {
    const Interval turns = scaled(1 / period, std::max(exponent, 1) - 150);
    mpfr_t f;
    mpfr_init2(f, Precision::bits());
    mpfr_frac(f, turns.lower(), MPFR_RNDD);
    unsigned __int128 word = 0;
    for (int i = 0; i < 2; ++i) {  // the binary digits after the point, 64 at a time
      mpfr_mul_2ui(f, f, 64, MPFR_RNDD);
      mpz_t digits;
      mpz_init(digits);
      mpfr_get_z(digits, f, MPFR_RNDZ);
      word = word << 64 | mpz_get_ui(digits);
      mpz_clear(digits);
      mpfr_frac(f, f, MPFR_RNDD);
    }
    mpfr_clear(f);
    p.turns_[static_cast<std::size_t>(exponent)] = word;
  }
  const Precision enough(320);
  const Interval half = period / (2 * kCells);
  const Series::Order truncation(kDegree + 3);
  bool good[3] = {true, true, true};
  for (int cell = 0; cell < kCells; ++cell) {
    const int turn = cell < kCells / 2 ? cell : cell - kCells;
    const Interval center = Interval(2 * turn) * half;
    const Series at = pointwise.definition()(Series::variable(center)),
                 over = pointwise.definition()(Series::variable(around(center, half)));
    for (int order = 0; order < 3; ++order) {
      const auto made = make_cell(at, over, order, p.drift_, center, half);
      good[order] = good[order] && made;
      if (made) p.cells_[order].push_back(*made);
    }
  }
  for (int order = 0; order < 3; ++order)
    if (!good[order]) p.cells_[order].clear();
  return p;
}

std::size_t Periodic::evaluate(Order order, const float* x, std::size_t n, float* out, std::uint16_t* doubtful) const {
  static const Run run_best = best();
  thread_local Block block;
  const Cell* cells = cells_[static_cast<int>(order)].data();
  const double drift = order == Order::value ? drift_ : 0;
  alignas(64) float inputs[kBlock], results[kBlock];
  for (std::size_t i = 0; i < kBlock; ++i) inputs[i] = x[i < n ? i : n - 1];
  run_best(turns_, cells, drift, inputs, block, results);
  std::copy(results, results + n, out);
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (block.doubt[i]) doubtful[count++] = static_cast<std::uint16_t>(i);
  return count;
}

}  // namespace actfun::exact
