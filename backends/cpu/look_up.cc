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
/// The results of eight codes of 16 bits, put together in a register: one store for all. Loads of single codes and
/// insertions from memory were the quickest of ten ways tried, gathers and shifts of words among them.
__m128i look_up_eight(const std::uint16_t* table, const std::uint16_t* x) {
  __m128i y = _mm_cvtsi32_si128(table[x[0]]);
  y = _mm_insert_epi16(y, table[x[1]], 1);
  y = _mm_insert_epi16(y, table[x[2]], 2);
  y = _mm_insert_epi16(y, table[x[3]], 3);
  y = _mm_insert_epi16(y, table[x[4]], 4);
  y = _mm_insert_epi16(y, table[x[5]], 5);
  y = _mm_insert_epi16(y, table[x[6]], 6);
  return _mm_insert_epi16(y, table[x[7]], 7);
}
#endif

#if defined(__x86_64__)
/// From here on an array is written past the caches: it would only push out what lies there, and a cache line that is
/// written so is not read first.
constexpr std::size_t kStreamFrom = std::size_t{32} << 20;  // bytes

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
             std::int64_t /*target*/) {
#if defined(__x86_64__)
  std::size_t i = 0;
  if (n * sizeof *y >= kStreamFrom) {
    for (; i < n && reinterpret_cast<std::uintptr_t>(y + i) % sizeof(__m128i) != 0; ++i) y[i] = table[x[i]];
    for (; i + 8 <= n; i += 8) _mm_stream_si128(reinterpret_cast<__m128i*>(y + i), look_up_eight(table, x + i));
    _mm_sfence();
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
