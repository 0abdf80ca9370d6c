// SPDX-License-Identifier: Apache-2.0
// The loops that decide nearly all inputs. Compiled with -O3 -ffp-contract=off: every fused operation is spelled out.
#include <bit>
#include <cmath>
#include <cstring>

#include "core/exact/taylor_model.h"

namespace actfun::exact {
namespace {

#define ACTFUN_INLINE inline __attribute__((always_inline))

/// The results before rounding, f = s + l within e.
struct Block {
  alignas(64) double h[kBlock], s[kBlock], l[kBlock], e[kBlock];
  alignas(64) std::uint32_t doubt[kBlock];
};

struct Sum {
  double high, low;
};
ACTFUN_INLINE Sum two_sum(double a, double b) {
  const double s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
ACTFUN_INLINE Sum two_product(double a, double b) {
  const double p = a * b;
  return {p, __builtin_fma(a, b, -p)};
}

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
    b.l[i] = ((p.low + q.low) + r.low) + s.low;
    b.e[i] = 0x1p-50 * ((std::abs(p.low) + std::abs(q.low)) + (std::abs(r.low) + std::abs(s.low)));
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

// Rounds s + d once, from double-double to float: to double by rounding to odd, which keeps a bit that says on which
// side of a midpoint the sum lies, and from there to float.
ACTFUN_INLINE float round_sum(double s, double d) {
  const Sum sum = two_sum(s, d);
  const auto bits = std::bit_cast<std::int64_t>(sum.high), low = std::bit_cast<std::int64_t>(sum.low);
  const std::int64_t towards = ((bits ^ low) >> 63) | 1;
  const std::int64_t inexact_and_even = sum.low != 0 ? ~bits & 1 : 0;
  return static_cast<float>(std::bit_cast<double>(bits + (inexact_and_even != 0 ? towards : 0)));
}

ACTFUN_INLINE void decide(Block& b, float* out) {
  for (std::size_t i = 0; i < kBlock; ++i) {
    const double s = b.s[i], l = b.l[i], margin = std::abs(s) * 0x1p-48;
    const double e = b.e[i] + (std::abs(s) >= 0x1p-126 && l != 0 ? margin : 0);
    const float under = round_sum(s, l - e), over = round_sum(s, l + e);
    out[i] = under;
    b.doubt[i] = std::bit_cast<std::uint32_t>(under) ^ std::bit_cast<std::uint32_t>(over);
  }
}

ACTFUN_INLINE void run(const Piece& piece, const Model& model, const float* x, Block& b, float* out) {
  const bool around_zero = model.kind == Model::Kind::polynomial;
  const double center = around_zero ? 0 : piece.center, scale = around_zero ? 1 : piece.scale;
  for (std::size_t i = 0; i < kBlock; ++i) b.h[i] = (static_cast<double>(x[i]) - center) * scale;
  switch (model.kind) {
    case Model::Kind::polynomial:
      evaluate_polynomial(model, b);
      break;
    case Model::Kind::centered:
      evaluate_centered(model, b);
      break;
    default:
      evaluate_rooted(model, b);
      break;
  }
  decide(b, out);
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
