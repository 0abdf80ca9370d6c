// SPDX-License-Identifier: Apache-2.0
// Table look-up at memory speed: all results of a format of 8 or 16 bits computed once, then read.
#include "backends/cpu/formats.h"
#include "backends/cpu/targets.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace actfun {
namespace {

template <class Code, class Value>
void look_up_each(const Value* table, const Code* x, Value* y, std::size_t n) {
#pragma GCC unroll 8
  for (std::size_t i = 0; i < n; ++i) y[i] = table[x[i]];
}

#if defined(__x86_64__)
/// The entry of a code of 16 bits, and the one behind it.
inline __m128i entry(const std::uint16_t* table, std::uint64_t code) { return _mm_loadu_si32(table + (code & 0xffff)); }

/// The results of eight codes of 16 bits, put together in a register: one store for all. Words that are taken apart and
/// a tree of interleavings were the quickest of a dozen ways tried; gathers are twice as slow.
inline __attribute__((always_inline)) __m128i look_up_eight(const std::uint16_t* table, const std::uint16_t* x) {
  std::uint64_t a, b;  // four codes each
  std::memcpy(&a, x, sizeof a);
  std::memcpy(&b, x + 4, sizeof b);
  const auto two = [&](std::uint64_t codes) {
    return _mm_unpacklo_epi16(entry(table, codes), entry(table, codes >> 16));
  };
  return _mm_unpacklo_epi64(_mm_unpacklo_epi32(two(a), two(a >> 32)), _mm_unpacklo_epi32(two(b), two(b >> 32)));
}

/// Past the caches, y at a multiple of a register's bytes. Returns how many codes are done.
std::size_t stream_sse2(const std::uint16_t* table, const std::uint16_t* x, std::uint16_t* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) _mm_stream_si128(reinterpret_cast<__m128i*>(y + i), look_up_eight(table, x + i));
  _mm_sfence();
  return i;
}
/// Whole cache lines: a tenth quicker.
__attribute__((target("avx512f"))) std::size_t stream_avx512(const std::uint16_t* table, const std::uint16_t* x,
                                                             std::uint16_t* y, std::size_t n) {
  std::size_t i = 0;
  for (; i + 32 <= n; i += 32) {
    __m512i line = _mm512_castsi128_si512(look_up_eight(table, x + i));
    line = _mm512_inserti32x4(line, look_up_eight(table, x + i + 8), 1);
    line = _mm512_inserti32x4(line, look_up_eight(table, x + i + 16), 2);
    line = _mm512_inserti32x4(line, look_up_eight(table, x + i + 24), 3);
    _mm512_stream_si512(reinterpret_cast<__m512i*>(y + i), line);
  }
  _mm_sfence();
  return i;
}

/// The table in four registers, two look-ups of 128 entries each for 64 bytes.
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) void look_up_vbmi(const std::uint8_t* table,
                                                                         const std::uint8_t* x, std::uint8_t* y,
                                                                         std::size_t n) {
  const __m512i t0 = _mm512_loadu_si512(table), t1 = _mm512_loadu_si512(table + 64),
                t2 = _mm512_loadu_si512(table + 128), t3 = _mm512_loadu_si512(table + 192);
  for (std::size_t i = 0; i < n; i += 64) {
    const __mmask64 here = n - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (n - i)) - 1;
    const __m512i v = _mm512_maskz_loadu_epi8(here, x + i);
    const __m512i low = _mm512_permutex2var_epi8(t0, v, t1), high = _mm512_permutex2var_epi8(t2, v, t3);
    _mm512_mask_storeu_epi8(y + i, here, _mm512_mask_blend_epi8(_mm512_movepi8_mask(v), low, high));
  }
}
bool has_vbmi() {
  static const bool has = __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512bw");
  return has;
}
#endif

}  // namespace

void look_up(const std::uint8_t* table, const std::uint8_t* x, std::uint8_t* y, std::size_t n,
             [[maybe_unused]] std::int64_t target) {
#if defined(__x86_64__)
  if (target == HWY_AVX3 && has_vbmi()) return look_up_vbmi(table, x, y, n);
#endif
  look_up_each(table, x, y, n);
}
void look_up(const std::uint16_t* table, const std::uint16_t* x, std::uint16_t* y, std::size_t n,
             [[maybe_unused]] std::int64_t target, [[maybe_unused]] Passage passage) {
#if defined(__x86_64__)
  std::size_t i = 0;
  if (passage == Passage::streamed) {
    for (; i < n && reinterpret_cast<std::uintptr_t>(y + i) % 64 != 0; ++i) y[i] = table[x[i]];
    i += (target == HWY_AVX3 ? stream_avx512 : stream_sse2)(table, x + i, y + i, n - i);
  }
  for (; i + 8 <= n; i += 8) _mm_storeu_si128(reinterpret_cast<__m128i*>(y + i), look_up_eight(table, x + i));
  look_up_each(table, x + i, y + i, n - i);
#else
  look_up_each(table, x, y, n);
#endif
}
void look_up(const float* table, const std::uint8_t* x, float* y, std::size_t n, std::int64_t /*target*/) {
  look_up_each(table, x, y, n);
}

}  // namespace actfun
