// SPDX-License-Identifier: Apache-2.0
// The loops that decide nearly all inputs. Compiled with -O3 -ffp-contract=off: every fused operation is spelled out.
#include <bit>
#include <cmath>
#include <cstring>

#include "core/exact/rounding.h"
#include "core/exact/taylor_model.h"

namespace actfun::exact {
namespace {

/// The results before rounding, f = s + l within e.
struct Block {
  alignas(64) double h[kBlock], s[kBlock], l[kBlock], e[kBlock];
  alignas(64) std::uint32_t doubt[kBlock];
};

ACTFUN_INLINE double horner(const double* t, double h) {
  double r = t[Model::kDegree - 1];
#pragma GCC unroll 16
  for (int k = Model::kDegree - 2; k >= 0; --k) r = __builtin_fma(r, h, t[k]);
  return r;
}

ACTFUN_INLINE void evaluate_polynomial(const Model& m, Block& b) {
  const double c0 = m.lead, c1 = m.tail[0], c2 = m.tail[1];
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double x = b.h[i];
    const Sum p = two_product(c1, x), q = two_product(c2, x * x), r = two_sum(p.high, q.high), s = two_sum(r.high, c0);
    b.s[i] = s.high;
    b.l[i] = (((p.low + q.low) + r.low) + s.low) + m.lead_low;
    b.e[i] = 0x1p-50 * ((std::abs(p.low) + std::abs(q.low)) + (std::abs(r.low) + std::abs(s.low)));
  }
}

// The quotient's remainder is exact: where it and all low parts are zero, so is the error.
ACTFUN_INLINE void evaluate_fraction(const Model& m, Block& b) {
  const double c0 = m.lead, c1 = m.tail[0], c2 = m.tail[1], low0 = m.tail[2], low1 = m.tail[3], low2 = m.tail[4];
  const double divisor = m.tail[5], inverse = 1 / divisor;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double x = b.h[i], x2 = x * x;
    const Sum p = two_product(c1, x), q = two_product(c2, x2), r = two_sum(p.high, q.high), s = two_sum(r.high, c0);
    const double p1 = low1 * x, q1 = low2 * x2;
    const double low = (((p.low + q.low) + r.low) + s.low) + ((p1 + q1) + low0);
    const double size = ((std::abs(p.low) + std::abs(q.low)) + (std::abs(r.low) + std::abs(s.low))) +
                        ((std::abs(p1) + std::abs(q1)) + std::abs(low0));
    const double quotient = s.high / divisor, rest = __builtin_fma(-quotient, divisor, s.high);
    b.s[i] = quotient;
    b.l[i] = (rest + low) / divisor;
    b.e[i] = 0x1p-49 * (size * inverse + std::abs(b.l[i]));
  }
}

ACTFUN_INLINE void evaluate_centered(const Model& m, Block& b) {
  const double lead = m.lead, low = m.lead_low, error = m.error;
  double t[Model::kDegree];
  std::memcpy(t, m.tail, sizeof t);
  for (std::size_t i = 0; i < kBlock; ++i) {
    const Sum s = two_sum(lead, horner(t, b.h[i]) * b.h[i]);
    b.s[i] = s.high;
    b.l[i] = s.low + low;
    b.e[i] = error;
  }
}

// h^power is exact as a double up to 2 and as a pair up to 4: h has 24 bits.
ACTFUN_INLINE void evaluate_rooted(const Model& m, Block& b) {
  const double lead = m.lead, low = m.lead_low, error = m.error, tail_error = m.tail_error;
  const int gap = m.gap;
  double t[Model::kDegree];
  std::memcpy(t, m.tail, sizeof t);
  const auto run = [&](auto power_of) __attribute__((always_inline)) {
    for (std::size_t i = 0; i < kBlock; ++i) {
      const double h = b.h[i];
      const Sum power = power_of(h), p = two_product(lead, power.high);
      const double next = power.high * (gap == 1   ? h
                                        : gap == 2 ? h * h
                                                   : h * h * h),
                   l = next * horner(t, h) + (p.low + (low * power.high + lead * power.low));
      b.s[i] = p.high;
      b.l[i] = l;
      b.e[i] = (error * std::abs(power.high) + tail_error * std::abs(next)) + 0x1p-51 * std::abs(l);
    }
  };
  switch (m.power) {
    case 0:
      return run([](double) __attribute__((always_inline)) { return Sum{1, 0}; });
    case 1:
      return run([](double h) __attribute__((always_inline)) { return Sum{h, 0}; });
    case 2:
      return run([](double h) __attribute__((always_inline)) { return Sum{h * h, 0}; });
    case 3:
      return run([](double h) __attribute__((always_inline)) { return two_product(h * h, h); });
    default:
      return run([](double h) __attribute__((always_inline)) { return two_product(h * h, h * h); });
  }
}

ACTFUN_INLINE void evaluate_tail(const Model& m, Block& b) {
  const double lead = m.lead, low = m.lead_low, slope = m.slope, error = m.error, tail_error = m.tail_error;
  const int power = m.power;
  double coefficients[Model::kDegree];
  std::memcpy(coefficients, m.tail, sizeof coefficients);
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double y = std::abs(b.h[i]), t = 1 / y, t2 = t * t;
    const double scale = power == 1 ? t : power == 2 ? t2 : power == 3 ? t * t2 : power == 4 ? t2 * t2 : t2 * t2 * t;
    const double rest = scale * horner(coefficients, t);
    const Sum line = two_product(slope, y), s = two_sum(line.high, lead), sum = two_sum(s.high, rest);
    b.s[i] = sum.high;
    b.l[i] = ((line.low + s.low) + low) + sum.low;
    b.e[i] = (error + tail_error * scale) +
             0x1p-50 * ((std::abs(line.low) + std::abs(s.low)) + (std::abs(low) + std::abs(sum.low)));
  }
}

ACTFUN_INLINE void run(const Piece& piece, const Model& model, const float* x, Block& b, float* out) {
  const bool around_zero =
      model.kind == Model::Kind::polynomial || model.kind == Model::Kind::fraction || model.kind == Model::Kind::tail;
  const double center = around_zero ? 0 : piece.center, scale = around_zero ? 1 : piece.scale;
  for (std::size_t i = 0; i < kBlock; ++i) b.h[i] = (static_cast<double>(x[i]) - center) * scale;
  switch (model.kind) {
    case Model::Kind::polynomial:
      evaluate_polynomial(model, b);
      break;
    case Model::Kind::fraction:
      evaluate_fraction(model, b);
      break;
    case Model::Kind::tail:
      evaluate_tail(model, b);
      break;
    case Model::Kind::centered:
      evaluate_centered(model, b);
      break;
    default:
      evaluate_rooted(model, b);
      break;
  }
  decide(model.margin, b.s, b.l, b.e, b.doubt, out);
}

using Run = void (*)(const Piece&, const Model&, const float*, Block&, float*);
void run_anywhere(const Piece& p, const Model& m, const float* x, Block& b, float* out) { run(p, m, x, b, out); }
#ifdef __x86_64__
__attribute__((target("avx2,fma"))) void run_avx2(const Piece& p, const Model& m, const float* x, Block& b,
                                                  float* out) {
  run(p, m, x, b, out);
}
__attribute__((target("avx512f,avx512dq,avx512vl,avx512bw,fma,prefer-vector-width=512"))) void run_avx512(
    const Piece& p, const Model& m, const float* x, Block& b, float* out) {
  run(p, m, x, b, out);
}
#endif

Run best() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    return run_avx512;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return run_avx2;
#endif
  return run_anywhere;
}

}  // namespace

std::size_t evaluate(const Piece& piece, const Model& model, const float* x, std::size_t n, float* out,
                     std::uint16_t* doubtful) {
  static const Run run_best = best();
  thread_local Block block;
  if (n == kBlock) {
    run_best(piece, model, x, block, out);
  } else {  // the loops run over whole blocks: repeat the last input
    alignas(64) float inputs[kBlock], results[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) inputs[i] = x[i < n ? i : n - 1];
    run_best(piece, model, inputs, block, results);
    std::memcpy(out, results, n * sizeof *out);
  }
  std::uint32_t any = 0;
  for (std::size_t i = 0; i < kBlock; ++i) any |= block.doubt[i];
  if (!any) return 0;
  std::size_t count = 0;
  for (std::size_t i = 0; i < n; ++i)
    if (block.doubt[i]) doubtful[count++] = static_cast<std::uint16_t>(i);
  return count;
}

}  // namespace actfun::exact
