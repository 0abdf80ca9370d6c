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

/// One load of eight codes, eight look-ups, one store. The compiler keeps all in registers.
template <class Code, class Value>
void look_up_each(const Value* table, const Code* x, Value* y, std::size_t n) {
  std::size_t i = 0;
  for (constexpr std::size_t kStep = 16; i + kStep <= n; i += kStep) {
    Code in[kStep];
    Value out[kStep];
    std::memcpy(in, x + i, sizeof in);
    for (std::size_t k = 0; k < kStep; ++k) out[k] = table[in[k]];
    std::memcpy(y + i, out, sizeof out);
  }
  for (; i < n; ++i) y[i] = table[x[i]];
}

#if defined(__x86_64__)
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
  look_up_each(table, x, y, n);
}
void look_up(const float* table, const std::uint8_t* x, float* y, std::size_t n, std::int64_t /*target*/) {
  look_up_each(table, x, y, n);
}

}  // namespace actfun
